#include "config.h"

#include "policy/domain_map.h"

#include <string.h>

#include "unit/table.h"

/* Appends " key=value". */
static void put(GString *text, const char *key, const char *value)
{
    g_string_append_printf(text, " %s=%s", key, value);
}

/* A section as text, so that a row can say what it wants. */
static char *section_text(const DomainSection *section)
{
    GString *text = g_string_new(section->is_subdomains ? "." : "");

    g_string_append(text, section->name);
    if (section->mode != SECTION_OPEN)
        put(text, "mode", mode_text((Mode)section->mode));
    if (section->fallback != NULL)
        put(text, "fallback_address", section->fallback->addr_spec);
    if (section->fallback != NULL && section->fallback->display_name != NULL)
        put(text, "name", section->fallback->display_name);
    if (section->display_name != NULL)
        put(text, "display_name", section->display_name);
    if (section->display_name_missing != NULL)
        put(text, "display_name_missing", section->display_name_missing);
    if (section->reply_to != SECTION_OPEN)
        put(text, "reply_to", section->reply_to ? "add" : "never");
    if (section->letters != SECTION_OPEN)
        put(text, "letters", section->letters ? "yes" : "no");
    if (section->authorised != SECTION_OPEN)
        put(text, "authorised", section->authorised ? "yes" : "no");
    return g_string_free(text, FALSE);
}

static const struct line_row {
    const char *name;
    const char *text;
    const char *section; /* the only one, as section_text() writes it; "": none */
} line_rows[] = {
    {"a name alone", "praxis.de", "praxis.de"},
    {"with its line end", "praxis.de\n", "praxis.de"},
    {"a CRLF", "praxis.de mode=off\r\n", "praxis.de mode=off"},
    {"blanks around", " \tpraxis.de\t mode=off \t\n", "praxis.de mode=off"},
    {"subdomains", ".praxis.de mode=off", ".praxis.de mode=off"},
    {"upper case and a trailing dot", "Praxis.DE. mode=off", "praxis.de mode=off"},
    {"an IDN", "müller.de mode=off", "xn--mller-kva.de mode=off"},
    {"a quoted name", "\"praxis.de\" mode=off", "praxis.de mode=off"},
    {"mode rewrite", "a.de mode=rewrite", "a.de mode=rewrite"},
    {"mode log-only", "a.de mode=log-only", "a.de mode=log-only"},
    {"a quoted value", "a.de mode=\"log-only\"", "a.de mode=log-only"},
    {"a fallback address", "a.de fallback_address=noreply@b.de",
     "a.de fallback_address=noreply@b.de"},
    {"a fallback address with a name", "a.de fallback_address=\"\\\"Dr. B\\\" <n@b.de>\"",
     "a.de fallback_address=n@b.de name=Dr. B"},
    {"templates", "a.de display_name=\"%n (via B)\" display_name_missing=%d",
     "a.de display_name=%n (via B) display_name_missing=%d"},
    {"an empty template", "a.de display_name=\"\"", "a.de display_name="},
    {"quote and backslash", "a.de display_name=\"\\\"x\\\" \\\\ y\"",
     "a.de display_name=\"x\" \\ y"},
    {"reply_to add", "a.de reply_to=add", "a.de reply_to=add"},
    {"letters no", "a.de letters=no", "a.de letters=no"},
    {"reply_to never", "a.de reply_to=never", "a.de reply_to=never"},
    {"authorised yes", "a.de authorised=yes", "a.de authorised=yes"},
    {"authorised no", "a.de authorised=no", "a.de authorised=no"},
    {"all keys",
     "a.de mode=off fallback_address=n@b.de display_name=%n display_name_missing=%l reply_to=add "
     "authorised=no",
     "a.de mode=off fallback_address=n@b.de display_name=%n display_name_missing=%l reply_to=add "
     "authorised=no"},
    {"nothing", "", ""},
    {"empty lines", "\n\r\n \n\t\n", ""},
    {"a comment", "# praxis.de mode=off\n", ""},
    {"a comment behind blanks", "  # praxis.de mode=off", ""},
    {"a comment at the end", "a.de mode=off # b.de mode=x", "a.de mode=off"},
    {"a number sign in a word is none", "a.de display_name=a#b", "a.de display_name=a#b"},
    {"nor is one in quotes", "a.de display_name=\"a # b\" # c", "a.de display_name=a # b"},
};

static void test_line(void **state)
{
    const struct line_row *row = *state;
    g_autoptr(GError) error = NULL;
    g_autoptr(GHashTable) table = domain_map_parse(row->text, "map", &error);
    g_autofree char *text = NULL;
    GHashTableIter iter;
    gpointer section;

    assert_null(error);
    if (row->section[0] == '\0') {
        assert_int_equal(g_hash_table_size(table), 0);
        return;
    }
    assert_int_equal(g_hash_table_size(table), 1);
    g_hash_table_iter_init(&iter, table);
    g_hash_table_iter_next(&iter, NULL, &section);
    text = section_text(section);
    assert_string_equal(text, row->section);
}

#define NO_KEY                                                                                     \
    " is no key of a domain; there are mode, fallback_address, return_address, display_name, "     \
    "display_name_missing, reply_to, letters and, in a domain_map, authorised"

static const struct error_row {
    const char *name;
    const char *text;
    const char *message;
} error_rows[] = {
    {"no domain", "a..de", "map:1: \"a..de\" is not a domain; write it like mail.example.net"},
    {"a dot", ".", "map:1: \"\" is not a domain; write it like mail.example.net"},
    {"two dots", "..a.de", "map:1: \".a.de\" is not a domain; write it like mail.example.net"},
    {"a star", "*.a.de", "map:1: \"*.a.de\" is not a domain; write it like mail.example.net"},
    {"an address", "x@a.de", "map:1: \"x@a.de\" is not a domain; write it like mail.example.net"},
    {"a pair first", "mode=off",
     "map:1: \"mode=off\" is not a domain; write it like mail.example.net"},
    {"an open quote first", "\"a.de",
     "map:1: \"\"a.de\" is not a domain; write it like mail.example.net"},
    {"no value", "a.de mode", "map:1: \"mode\" has no value; write it like mode=log-only"},
    {"blanks round the equals sign", "a.de mode = off",
     "map:1: \"mode\" has no value; write it like mode=log-only"},
    {"an empty value",
     "a.de mode=", "map:1: mode: invalid value \"\"; use off, log-only or rewrite"},
    {"an open quote", "a.de display_name=\"x",
     "map:1: display_name: the value's quotes are wrong; write display_name=\"text\""},
    {"text behind the quote", "a.de display_name=\"x\"y",
     "map:1: display_name: the value's quotes are wrong; write display_name=\"text\""},
    {"a backslash before the last quote", "a.de display_name=\"x\\\"",
     "map:1: display_name: the value's quotes are wrong; write display_name=\"text\""},
    {"an unknown key", "a.de colour=blue", "map:1: \"colour\"" NO_KEY},
    {"a key of no section", "a.de relay_hosts=auto", "map:1: \"relay_hosts\"" NO_KEY},
    {"a key in upper case", "a.de Mode=off", "map:1: \"Mode\"" NO_KEY},
    {"no key", "a.de =off", "map:1: \"\"" NO_KEY},
    {"a wrong mode", "a.de mode=on",
     "map:1: mode: invalid value \"on\"; use off, log-only or rewrite"},
    {"a wrong fallback", "a.de fallback_address=noreply",
     "map:1: fallback_address: invalid value \"noreply\"; use an address such as noreply@example.org"},
    {"a fallback that is no envelope", "a.de fallback_address=müller@a.de",
     "map:1: fallback_address: invalid value \"müller@a.de\"; use an address such as noreply@example.org"},
    {"two fallbacks", "a.de fallback_address=\"a@a.de, b@a.de\"",
     "map:1: fallback_address: invalid value \"a@a.de, b@a.de\"; use an address such as noreply@example.org"},
    {"the null sender as fallback", "a.de fallback_address=<>",
     "map:1: fallback_address: invalid value \"<>\"; use an address such as noreply@example.org"},
    {"a wrong template", "a.de display_name=%x",
     "map:1: display_name: invalid value \"%x\"; use text with %n, %l, %d or %%"},
    {"a control", "a.de display_name=\x01",
     "map:1: display_name: the value has a control character or is not UTF-8; write plain text"},
    {"a wrong reply_to", "a.de reply_to=yes",
     "map:1: reply_to: invalid value \"yes\"; use never or add"},
    {"a wrong authorised", "a.de authorised=maybe",
     "map:1: authorised: invalid value \"maybe\"; use no or yes"},
    {"a key twice", "a.de mode=off mode=off", "map:1: mode: is given twice; leave one out"},
    {"a fallback twice", "a.de fallback_address=a@b.de fallback_address=a@b.de",
     "map:1: fallback_address: is given twice; leave one out"},
    {"a template twice", "a.de display_name=\"\" display_name=x",
     "map:1: display_name: is given twice; leave one out"},
    {"reply_to twice", "a.de reply_to=never reply_to=add",
     "map:1: reply_to: is given twice; leave one out"},
    {"authorised twice", "a.de authorised=no authorised=yes",
     "map:1: authorised: is given twice; leave one out"},
    {"a domain twice", "a.de mode=off\nb.de\n\nA.DE mode=rewrite",
     "map:4: \"a.de\" is there twice; leave one out"},
    {"subdomains twice", ".a.de\n.a.de.", "map:2: \".a.de\" is there twice; leave one out"},
    {"the line that is wrong", "# 1\n\na.de mode=off\nb.de mode=on\nc.de mode=on\n",
     "map:4: mode: invalid value \"on\"; use off, log-only or rewrite"},
    {"no UTF-8", "a.de\nb.de display_name=M\xfcller",
     "map:2: the line is not UTF-8; convert the file"},
};

static void test_error(void **state)
{
    const struct error_row *row = *state;
    g_autoptr(GError) error = NULL;

    assert_null(domain_map_parse(row->text, "map", &error));
    assert_string_equal(error->message, row->message);
}

static const struct find_row {
    const char *name;  /* the domain */
    const char *found; /* the section's name, with its dot; NULL: none */
} find_rows[] = {
    {"example.org", "example.org"},
    {"a.example.org", ".example.org"},
    {"b.a.example.org", ".example.org"},
    {"deep.example.org", "deep.example.org"},
    {"x.deep.example.org", ".deep.example.org"},
    {"x.y.deep.example.org", ".deep.example.org"},
    {"only.example", NULL},
    {"sub.only.example", ".only.example"},
    {"notonly.example", NULL},
    {"notexample.org", NULL},
    {"org", NULL},
    {"plain.example", "plain.example"},
    {"sub.plain.example", NULL},
    {"example", NULL},
    {"x.top", ".top"},
    {"top", NULL},
    {"", NULL},
};

static void test_find(void **state)
{
    const struct find_row *row = *state;
    g_autoptr(GHashTable) table =
        domain_map_parse("example.org\n.example.org\ndeep.example.org\n.deep.example.org\n"
                         ".only.example\nplain.example\n.top\n",
                         "map", NULL);
    const DomainSection *section = domain_table_find(table, row->name);
    g_autofree char *found = section != NULL ? section_text(section) : NULL;

    if (row->found == NULL)
        assert_null(found);
    else
        assert_string_equal(found, row->found);
}

static void test_many(void **state G_GNUC_UNUSED)
{
    g_autoptr(GString) text = g_string_new(NULL);
    g_autoptr(GHashTable) table = NULL;

    for (guint i = 0; i < 100000; i++)
        g_string_append_printf(text, "praxis-%u.example fallback_address=n%u@tenant.example\n", i,
                               i);
    table = domain_map_parse(text->str, "map", NULL);
    assert_int_equal(g_hash_table_size(table), 100000);
    assert_string_equal(domain_table_find(table, "praxis-77777.example")->fallback->addr_spec,
                        "n77777@tenant.example");
    assert_null(domain_table_find(table, "praxis-100000.example"));
}

int main(void)
{
    GArray *tests = table_new();

    TABLE_ADD(tests, line_rows, test_line);
    TABLE_ADD(tests, error_rows, test_error);
    TABLE_ADD(tests, find_rows, test_find);
    table_add(tests, "100,000 lines", test_many, NULL);
    mailboxes_init();
    return table_run(tests, "domain_map");
}
