#include "config.h"

#include "mail/display_name.h"

#include <string.h>

#include "unit/table.h"

/* The author is always mueller@Praxis.example: the display name changes. */
static const struct row {
    const char *template;
    const char *missing;
    const char *name; /* NULL: none */
    const char *expanded;
} rows[] = {
    {"%n", "%l", "Praxis M\xc3\xbcller", "Praxis M\xc3\xbcller"},
    {"%n via Lemniscus", "%l", "M\xc3\xbcller", "M\xc3\xbcller via Lemniscus"},
    {"%n (%l, %d, 100%%)", "", "M", "M (mueller, Praxis.example, 100%)"},
    {"Lemniscus", "%l", "M", "Lemniscus"},

    /* No name, or none that shows. */
    {"%n", "%l", NULL, "mueller"},
    {"%n via Lemniscus", "%l via X", NULL, "mueller via X"},
    {"%n", "", NULL, ""},
    {"%n", "%l", "", "mueller"},
    {"%n", "%l", " \t ", "mueller"},
    {"%n", "%l", "\xe2\x80\x8b\xef\xbb\xbf", "mueller"},
    {"%n", "%l", "\xe2\x80\xae\xe2\x80\xac", "mueller"},
    {"%n", "%l", "\xc2\xa0", "mueller"},
    {"%n", "%l", "\r\n", "mueller"},
    {"%n", "%l", "@", "mueller"},
    {"%n via X", "%l", "@ \xef\xbc\xa0", "mueller"},
    {"", "%l", "M", "mueller"},
    {"", "%n", "M", "M"},

    /* No address. */
    {"%n", "%l", "mueller@x.example", "mueller"},
    {"%n", "%l", "Praxis mueller@x.example Nord", "Praxis mueller Nord"},
    {"%n", "%l", "M <mueller@x.example>", "M <mueller>"},
    {"%n", "%l", "a@b@c.example", "a"},
    {"%n", "%l", "mueller@x.example, Nord", "mueller, Nord"},
    {"%n", "%l", "mueller@[192.0.2.1]", "mueller"},
    {"%n", "%l", "mueller\xef\xbc\xa0x.example", "mueller"},
    {"%n", "%l", "mueller\xef\xb9\xabx.example", "mueller"},
    {"%n", "%l", "mueller@m\xc3\xbcller.example", "mueller"},
    {"%n", "%l", "Praxis @ Nord", "Praxis Nord"},
    {"%n", "%l", "@nord", "nord"},
    {"%n", "%l", "nord@", "nord"},
    {"%n", "%l", "mueller\x01@x.example", "mueller"},
    {"%n", "%l", "mueller@\n x.example", "mueller x.example"},
    {"%l@%d", "%l", "M", "mueller"},
    {"%n@%d", "%l", "M", "M"},
    {"%n", "%l@%d", NULL, "mueller"},
    {"\xef\xbc\xa1%n", "%l", "\xef\xbc\xa2",
     "\xef\xbc\xa1\xef\xbc\xa2"}, /* full-width letters are none */

    /* Nor one in disguise. */
    {"%n", "%l", "=?utf-8?Q?boss=40bank.example?=", "boss"},
    {"%n", "%l", "=?utf-8?Q?=3D=3Futf-8=3FQ=3Fboss=3D40bank.example=3F=3D?=", "boss"},
    {"%n", "%l", "=?x-unknown?Q?boss=40bank.example?=", "mueller"},
    {"%n", "%l", "=?x-unknown?Q?M=FCller?=", "=?x-unknown?Q?M=FCller?="},
    {"=?utf-8?Q?%n=40b?=", "%l", "a", "a"},

    /* Nothing that breaks or turns a line. */
    {"%n", "%l", "a\r\nFrom: x", "a From: x"},
    {"%n", "%l", "a\x1b[31mb\x7f", "a[31mb"},
    {"%n", "%l",
     "a\xe2\x80\xae"
     "b",
     "ab"},
    {"%n", "%l",
     "\xe2\x81\xa6"
     "a",
     "a"},
    {"%n", "%l",
     "a\xe2\x80\xa8"
     "b",
     "a b"},
    {"%n", "%l", "  a   b  ", "a b"},
};

static void test_expand(void **state)
{
    const struct row *row = *state;
    Mailbox author = {.display_name = (char *)row->name,
                      .local_part = (char *)"mueller",
                      .domain = (char *)"Praxis.example"};
    g_autofree char *expanded = display_name_expand(row->template, row->missing, &author);

    assert_string_equal(expanded, row->expanded);
}

static void test_unreadable_author(void **state)
{
    static const struct {
        const char *template;
        const char *missing;
        const char *expanded;
    } cases[] = {{"%n", "%l", ""}, {"%n via X", "%l", "via X"}, {"%n", "X", "X"}};

    (void)state;
    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autofree char *expanded = display_name_expand(cases[i].template, cases[i].missing, NULL);

        assert_string_equal(expanded, cases[i].expanded);
    }
}

static void test_author_with_a_name_alone(void **state)
{
    const Mailbox author = {.display_name = (char *)"M"};
    const Mailbox nobody = {.display_name = (char *)"@"};
    g_autofree char *name = display_name_expand("%n %l%d", "%l", &author);
    g_autofree char *nothing = display_name_expand("%n", "%l", &nobody);

    (void)state;
    assert_string_equal(name, "M");
    assert_string_equal(nothing, "");
}

static void test_long_name(void **state)
{
    g_autofree char *filling = g_strnfill(DISPLAY_NAME_MAX - 1, 'x');
    g_autofree char *most = g_strconcat(filling, "y", NULL);
    g_autofree char *too_long = g_strconcat(filling, "\xc3\xbc", NULL);
    Mailbox author = {.display_name = most};
    g_autofree char *whole = display_name_expand("%n", "%l", &author);
    g_autofree char *cut = NULL;

    (void)state;
    assert_string_equal(whole, most);
    author.display_name = too_long;
    cut = display_name_expand("%n", "%l", &author);
    assert_string_equal(cut, filling);
}

/* Hides an address in so many encoded words around one another. */
static char *nested(int depth)
{
    GString *name = g_string_new("boss@bank.example");

    for (int i = 0; i < depth; i++) {
        g_autofree char *encoded = g_base64_encode((const guchar *)name->str, name->len);

        g_string_printf(name, "=?utf-8?B?%s?=", encoded);
    }
    return g_string_free(name, FALSE);
}

static void test_nested_words(void **state)
{
    (void)state;
    for (int depth = 0; depth < 9; depth++) {
        g_autofree char *name = nested(depth);
        const Mailbox author = {.display_name = name, .local_part = (char *)"mueller"};
        g_autofree char *expanded = display_name_expand("%n", "%l", &author);

        assert_string_equal(expanded, depth <= 5 ? "boss" : "mueller");
    }
}

static void test_is_template(void **state)
{
    (void)state;
    assert_true(display_name_is_template("%n"));
    assert_true(display_name_is_template("%n \xc3\xbc"
                                         "ber %l %d 100%%"));
    assert_true(display_name_is_template(""));
    assert_false(display_name_is_template("%"));
    assert_false(display_name_is_template("%x"));
    assert_false(display_name_is_template("100% %n"));
    assert_false(display_name_is_template("\xff"));
}

int main(void)
{
    GArray *tests = table_new();

    for (size_t i = 0; i < G_N_ELEMENTS(rows); i++)
        table_add(tests, rows[i].expanded, test_expand, &rows[i]);
    table_add(tests, "unreadable author", test_unreadable_author, NULL);
    table_add(tests, "author with a name alone", test_author_with_a_name_alone, NULL);
    table_add(tests, "long name", test_long_name, NULL);
    table_add(tests, "nested words", test_nested_words, NULL);
    table_add(tests, "is template", test_is_template, NULL);
    return table_run(tests, "display_name");
}
