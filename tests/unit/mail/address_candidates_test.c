#include "config.h"

#include "mail/address_candidates.h"

#include <string.h>

#include "unit/table.h"
#include "mail/address_reader.h"

static void address_destroy(gpointer data)
{
    address_read_free(data);
}

static const struct row {
    const char *text;
    const char *found; /* "name|local part@domain" one after another, "-" for no name */
} rows[] = {
    {"", ""},
    {"Praxis Nord", ""},
    {"Erika <er ika@bank.example>", ""},
    {"Erika <er,ika@bank.example>", ""},

    /* One candidate. */
    {"Erika <erika@muster.example", "Erika|erika@muster.example"},
    {"Erika erika@muster.example", "Erika|erika@muster.example"},
    {"erika@muster.example - Erika", "Erika|erika@muster.example"},
    {"Erika [erika@muster.example]", "Erika|erika@muster.example"},
    {"Erika <mailto:erika@muster.example>", "Erika <mailto|erika@muster.example"},
    {"<'erika@muster.example'>", "-|erika@muster.example"},
    {"Erika <erika@muster.example.>", "Erika|erika@muster.example"},
    {"Erika <e..m.@muster.example", "Erika|e..m.@muster.example"},
    {"Erika <\"e m\"@muster.example", "Erika|e m@muster.example"},
    {"Erika\n <erika@muster.example", "Erika|erika@muster.example"},
    {"\"Muster\\, Erika\" <erika@muster.example", "Muster, Erika|erika@muster.example"},
    {"Erika@Home <erika@muster.example>", "Erika@Home|erika@muster.example"},
    {"a@[192.0.2.1] <erika@muster.example>", "a@[192.0.2.1]|erika@muster.example"},
    {"Erika <erika@m\xc3\xbcller.example", "Erika|erika@m\xc3\xbcller.example"},

    /* The same one, or of one domain. */
    {"Erika <erika@muster.example> <Erika@Muster.example>", "Erika|erika@muster.example"},
    {"info@muster.example <erika@muster.example>", "info@muster.example|erika@muster.example"},
    {"info@muster.example erika@muster.example", "-|info@muster.example -|erika@muster.example"},
    {"<i@m.example> <e@m.example> e@m.example", "-|i@m.example -|e@m.example"},

    /* Where it stands. */
    {"Erika (erika@muster.example)", "Erika|erika@muster.example"},
    {"Erika ((erika@muster.example))", "Erika|erika@muster.example"},
    {"\"Erika <erika@muster.example>\"", "Erika|erika@muster.example"},
    {"\"x <x@evil.example>\" <erika@muster.example", "x <x@evil.example>|erika@muster.example"},
    {"(x@evil.example) <erika@muster.example", "(x@evil.example)|erika@muster.example"},
    {"\"x@evil.example\" (erika@muster.example)", "x@evil.example|erika@muster.example"},
    {"\"Erika <erika@muster.example>", "Erika|erika@muster.example"},
    {"(Erika <erika@muster.example>", "Erika|erika@muster.example"},
    {"=?utf-8?Q?Erika_=3Cerika=40muster.example=3E?=", "Erika|erika@muster.example"},
    {"=?utf-8?Q?x=40evil.example?= <erika@muster.example",
     "=?utf-8?Q?x=40evil.example?=|erika@muster.example"},

    {"\"erika@muster.example\"", "-|erika@muster.example"},
    {"(erika@muster.example)", "-|erika@muster.example"},
    {"\"\\erika@muster.example\"", ""},
    {"=?utf-8?q?@bank.example?= <erika@muster.example>",
     "=?utf-8?q?@bank.example?=|erika@muster.example"},
    {"=?utf-8?q?x@bank.example?=@muster.example", ""},
    {"=?utf-8?q?x@bank.example?= ", "-|x@bank.example"},

    /* None, or more than one. */
    {"erika@localhost x", ""},
    {"erika@localhost (erika@muster.example)", ""},
    {"erika@[192.0.2.1] (erika@muster.example)", ""},
    {"erika@mu'ster.example (x@evil.example)", ""},
    {"erika@muster.exampl'e", ""},
    {"'erika@muster.exampl'e", ""},
    {"a@x.example b@y.example", ""},
    {"a@x.example <b@y.example>", ""},
    {"<a@x.example> (b@y.example", ""},
    {"a@b@c.example", ""},
    {"a@b.example@c.example", ""},
    {"X <a@b@c.example> <d@e.example", ""},
    {"a@b.example\x01", ""},
    {"\x7f"
     "a@b.example",
     ""},
    {"\"a\"b@c.example", ""},
    {"\"a\\\"b@c.example", ""},
    {"a@b.example/c", ""},
    {"a@b.example%c", ""},
    {"a@b.exam?ple", ""},
    {"@b.example x", ""},
    {"erika @muster.example", ""},
    {"erika@ muster.example", ""},
    {"user@[192.0.2.1]", ""},
    {"j\xf6rg@b.example x", ""},
    {"a\xe2\x80\xae@b.example x", ""},
};

static char *found_in(const char *text, gsize length)
{
    g_autoptr(GPtrArray) addresses = g_ptr_array_new_with_free_func(address_destroy);
    GString *found = g_string_new(NULL);

    address_candidates_find(text, length, addresses);
    for (guint i = 0; i < addresses->len; i++) {
        const AddressRead *address = g_ptr_array_index(addresses, i);

        g_string_append_printf(found, "%s%s|%s@%s", found->len > 0 ? " " : "",
                               address->phrase != NULL ? address->phrase : "-", address->local_part,
                               address->domain);
    }
    return g_string_free(found, FALSE);
}

static void test_find(void **state)
{
    const struct row *row = *state;
    g_autofree char *found = found_in(row->text, strlen(row->text));

    assert_string_equal(found, row->found);
}

static void test_nul(void **state)
{
    g_autofree char *beside = found_in("a@b.example\0x", 13);
    g_autofree char *apart = found_in("Eri\0ka <a@b.example", 19);

    (void)state;
    assert_string_equal(beside, "");
    assert_string_equal(apart, "Erika|a@b.example");
}

/* Text of 64 KiB that is nothing but beginnings takes no time to speak of. */
static void test_hostile(void **state)
{
    static const char *const pieces[] = {"@",      "\"",        "\\\"", "(",   "\"\\\"", "(\\(",
                                         "a@b.c ", "a@b.c,\"@", "a@",   "@a.", "<",      "=?@"};

    (void)state;
    for (size_t i = 0; i < G_N_ELEMENTS(pieces); i++) {
        g_autoptr(GString) text = g_string_new("\"");
        g_autofree char *found = NULL;
        gint64 start = g_get_monotonic_time();

        while (text->len < 64 * 1024)
            g_string_append(text, pieces[i]);
        found = found_in(text->str, text->len);
        assert_true(g_get_monotonic_time() - start < G_USEC_PER_SEC);
        assert_string_equal(found, "");
    }
}

int main(void)
{
    GArray *tests = table_new();

    for (size_t i = 0; i < G_N_ELEMENTS(rows); i++)
        table_add(tests, rows[i].text, test_find, &rows[i]);
    table_add(tests, "nul", test_nul, NULL);
    table_add(tests, "hostile", test_hostile, NULL);
    return table_run(tests, "address_candidates");
}
