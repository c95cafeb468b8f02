#include "config.h"

#include "policy/return_address.h"

#include <string.h>

#include "unit/table.h"

static const struct form_row {
    const char *name; /* as configured */
    const char *text;
    const char *plain; /* NULL: none */
    const char *with_token;
} form_rows[] = {
    {"bounce+%t@lemniscus.de", "bounce+%t@lemniscus.de", "bounce@lemniscus.de",
     "bounce+aaaabbbbccccdddd@lemniscus.de"},
    {"%t@Bounce.Lemniscus.DE", "%t@bounce.lemniscus.de", NULL,
     "aaaabbbbccccdddd@bounce.lemniscus.de"},
    {"Praxis <noreply=%t@müller.example>", "noreply=%t@xn--mller-kva.example",
     "noreply@xn--mller-kva.example", "noreply=aaaabbbbccccdddd@xn--mller-kva.example"},
    {"a_%t.b@x.example", "a_%t.b@x.example", "a.b@x.example", "a_aaaabbbbccccdddd.b@x.example"},
    {"a-%t@x.example", "a-%t@x.example", "a@x.example", "a-aaaabbbbccccdddd@x.example"},
    {"a.%t@x.example", "a.%t@x.example", "a@x.example", "a.aaaabbbbccccdddd@x.example"},
    {"a++%t@x.example", "a++%t@x.example", "a+@x.example", "a++aaaabbbbccccdddd@x.example"},
    {"a%t@x.example", "a%t@x.example", "a@x.example", "aaaaabbbbccccdddd@x.example"},
    {"a%%+%t@x.example", "a%%+%t@x.example", "a%@x.example", "a%+aaaabbbbccccdddd@x.example"},
    {"%t+a@x.example", "%t+a@x.example", "+a@x.example", "aaaabbbbccccdddd+a@x.example"},
    {"+%t@x.example", "+%t@x.example", NULL, "+aaaabbbbccccdddd@x.example"},
    {"\"a b+%t\"@x.example", "a b+%t@x.example", "\"a b\"@x.example",
     "\"a b+aaaabbbbccccdddd\"@x.example"},
    {"noreply@lemniscus.de", "noreply@lemniscus.de", "noreply@lemniscus.de", NULL},
    {"a%%t@x.example", "a%%t@x.example", "a%t@x.example", NULL},
};

static void test_form(void **state)
{
    const struct form_row *row = *state;
    g_autoptr(GError) error = NULL;
    g_autoptr(ReturnForm) form = return_form_parse(row->name, &error);
    g_autoptr(Mailbox) address = NULL;

    if (error != NULL)
        print_error("%s\n", error->message);
    assert_non_null(form);
    assert_string_equal(form->text, row->text);
    assert_int_equal(form->plain->addr_spec != NULL, row->plain != NULL);
    if (row->plain != NULL)
        assert_string_equal(form->plain->addr_spec, row->plain);
    assert_int_equal(form->has_token, row->with_token != NULL);
    if (row->with_token == NULL)
        return;
    address = return_form_expand(form, "aaaabbbbccccdddd");
    assert_string_equal(address->addr_spec, row->with_token);
}

#define OCTETS_48 "0123456789abcdef0123456789abcdef0123456789abcdef"

static const struct error_row {
    const char *name;
    const char *word; /* of the message */
} error_rows[] = {
    {"a+%t", "noreply@example.org"},
    {"a+%t@", "noreply@example.org"},
    {"a@%t.example", "before the \"@\""},
    {"a+%t@x%%.example", "before the \"@\""},
    {"%t%t@x.example", "%t once"},
    {"a+%t+%t@x.example", "%t once"},
    {"a%b@x.example", "%%"},
    {"a+%T@x.example", "%%"},
    {"a%@x.example", "%%"},
    {"ä+%t@x.example", "noreply@example.org"},
    {OCTETS_48 "g%t@x.example", "48 octets"},
};

static void test_error(void **state)
{
    const struct error_row *row = *state;
    g_autoptr(GError) error = NULL;

    assert_null(return_form_parse(row->name, &error));
    assert_non_null(strstr(error->message, row->word));
}

static void test_longest(void **state G_GNUC_UNUSED)
{
    g_autoptr(ReturnForm) form = return_form_parse(OCTETS_48 "%t@x.example", NULL);

    assert_non_null(form);
}

static void test_empty(void **state G_GNUC_UNUSED)
{
    g_autoptr(ReturnForm) form = return_form_parse("", NULL);

    assert_null(form->plain);
    assert_false(form->has_token);
}

/* The key is the octets from 0 to 31; the tokens were made with another program. */
static const struct token_row {
    const char *name; /* the author */
    const char *token;
} token_rows[] = {
    {"mueller@praxis-mueller.de", "ns3akjjzepvztr2q"},
    {"Mueller@Praxis-Mueller.DE", "ns3akjjzepvztr2q"},
    {"\"mueller\"@praxis-mueller.de", "ns3akjjzepvztr2q"},
    {"\"a b\"@x.example", "x5552rsezb576cny"},
    {"ä@müller.example", "xkmfldmlj57y3rnc"},
};

static void test_token(void **state)
{
    const struct token_row *row = *state;
    g_autoptr(Mailbox) author = mailbox_parse(row->name);
    guint8 key[RETURN_KEY_LENGTH];
    ReturnToken token;
    GHmac *keyed;

    for (guint8 i = 0; i < RETURN_KEY_LENGTH; i++)
        key[i] = i;
    keyed = return_token_hmac(key);
    for (guint i = 0; i < 2; i++) { /* one does not change the next */
        return_token_make(keyed, author, token);
        assert_string_equal(token, row->token);
    }
    g_hmac_unref(keyed);
}

static const struct find_row {
    const char *name;  /* an address */
    const char *token; /* NULL: of no form */
} find_rows[] = {
    {"bounce+aaaabbbbccccdddd@lemniscus.de", "aaaabbbbccccdddd"},
    {"BOUNCE+AAAABBBBCCCC2345@LEMNISCUS.DE", "aaaabbbbcccc2345"},
    {"aaaabbbbccccdddd@bounce.lemniscus.de", "aaaabbbbccccdddd"},
    {"noreply=aaaabbbbccccdddd@lemniscus.de", "aaaabbbbccccdddd"},
    {"x.aaaabbbbccccdddd%y@lemniscus.de", "aaaabbbbccccdddd"},
    {"bounce+aaaabbbbccccdddd@x.lemniscus.de", NULL},
    {"bounce+aaaabbbbccccddd1@lemniscus.de", NULL},
    {"bounce+aaaabbbbccccddd@lemniscus.de", NULL},
    {"bounce+aaaabbbbccccdddde@lemniscus.de", NULL},
    {"bounce-aaaabbbbccccdddd@lemniscus.de", NULL},
    {"bounce@lemniscus.de", NULL},
    {"noreply@lemniscus.de", NULL},
    {"aaaabbbbccccddddeeee@bounce.lemniscus.de", NULL},
};

static void test_find(void **state)
{
    static const char *const texts[] = {"bounce+%t@lemniscus.de", "%t@bounce.lemniscus.de",
                                        "Noreply=%t@lemniscus.de", "x.%t%%y@lemniscus.de",
                                        "plain@lemniscus.de"};
    const struct find_row *row = *state;
    g_autoptr(GPtrArray) kept = g_ptr_array_new_with_free_func((GDestroyNotify)return_form_free);
    g_autoptr(GHashTable) forms = return_forms_new();
    g_autoptr(Mailbox) mailbox = mailbox_parse_path(row->name);
    ReturnToken token = "";

    for (size_t i = 0; i < G_N_ELEMENTS(texts); i++) {
        g_ptr_array_add(kept, return_form_parse(texts[i], NULL));
        return_forms_add(forms, g_ptr_array_index(kept, i));
    }
    assert_int_equal(return_forms_find(forms, mailbox, token), row->token != NULL);
    if (row->token != NULL)
        assert_string_equal(token, row->token);
}

static void test_token_parse(void **state G_GNUC_UNUSED)
{
    ReturnToken token;

    assert_true(return_token_parse("ABCDEFGHIJKLMN27", token));
    assert_string_equal(token, "abcdefghijklmn27");
    assert_false(return_token_parse("abcdefghijklmn2", token));
    assert_false(return_token_parse("abcdefghijklmn222", token));
    assert_false(return_token_parse("abcdefghijklmn18", token));
    assert_false(return_token_parse("", token));
}

int main(void)
{
    GArray *tests = table_new();

    mailboxes_init();
    TABLE_ADD(tests, form_rows, test_form);
    TABLE_ADD(tests, error_rows, test_error);
    table_add(tests, "the longest local part", test_longest, NULL);
    table_add(tests, "an empty text", test_empty, NULL);
    TABLE_ADD(tests, token_rows, test_token);
    TABLE_ADD(tests, find_rows, test_find);
    table_add(tests, "tokens alone", test_token_parse, NULL);
    return table_run(tests, "return_address");
}
