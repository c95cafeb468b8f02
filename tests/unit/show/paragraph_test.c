#include "config.h"

#include "show/paragraph.h"

#include "unit/table.h"

static const struct paragraph_row {
    const char *name; /* the text */
    const char *lines;
} paragraph_rows[] = {
    {"", "> \n"},
    {"one", "> one\n"},
    {"  one   two ", "> one two\n"},
    {"1234567890 1234567890 1234567890 1234567890 1234567890 1234567890 12345678",
     "> 1234567890 1234567890 1234567890 1234567890 1234567890 1234567890 12345678\n"},
    {"1234567890 1234567890 1234567890 1234567890 1234567890 1234567890 123456789",
     "> 1234567890 1234567890 1234567890 1234567890 1234567890 1234567890\n  123456789\n"},
    {"ääääääääää ääääääääää ääääääääää ääääääääää ääääääääää ääääääääää ääääääää",
     "> ääääääääää ääääääääää ääääääääää ääääääääää ääääääääää ääääääääää ääääääää\n"},
    {"12345678901234567890123456789012345678901234567890123456789012345678901234567890",
     "> 12345678901234567890123456789012345678901234567890123456789012345678901234\n  567890\n"},
};

static void test_paragraph(void **state)
{
    const struct paragraph_row *row = *state;
    g_autoptr(GString) page = g_string_new(NULL);

    paragraph_append(page, row->name, "> ", "  ");
    assert_string_equal(page->str, row->lines);
}

static const struct quoted_row {
    const char *name; /* the text */
    const char *shown;
} quoted_rows[] = {
    {"include:x.org", "include:x.org"},
    {"include:m\u00fcller.de", "include:m\u00fcller.de"},
    {"\u2013all", "\u2013all"},
    {"\u301call", "\u301call"},
    {"\u201c-all\u201d", "\u201c-all\u201d"},
    {"mx\u00a0-all", "mx\\xc2\\xa0-all"},
    {"mx\u00ad-all", "mx\\xc2\\xad-all"},
    {"x\u202emoc.live", "x\\xe2\\x80\\xaemoc.live"},
    {"a\u0301", "a\\xcc\\x81"},
    {"\u05d0", "\\xd7\\x90"},
    {"a\x1b[31m\n\xff", "a\\x1b[31m\\x0a\\xff"},
    {"", ""},
};

static void test_quoted(void **state)
{
    const struct quoted_row *row = *state;
    g_autofree char *shown = paragraph_quoted(row->name);

    assert_string_equal(shown, row->shown);
}

/* Whatever it is made of, it is cut behind a whole character. */
static void test_long_is_cut(void **state G_GNUC_UNUSED)
{
    static const char *const characters[] = {"x", "\u00fc", "\u2013", "\xff", "\u00a0"};

    for (gsize i = 0; i < G_N_ELEMENTS(characters); i++)
        for (guint count = 0; count <= PARAGRAPH_QUOTED_MAX + 1; count++) {
            g_autoptr(GString) text = g_string_new(NULL);
            g_autofree char *shown = NULL;

            for (guint j = 0; j < count; j++)
                g_string_append(text, characters[i]);
            shown = paragraph_quoted(text->str);
            assert_true(g_utf8_validate(shown, -1, NULL));
            assert_true(g_utf8_strlen(shown, -1) <= PARAGRAPH_QUOTED_MAX);
            assert_int_equal(g_str_has_suffix(shown, "..."),
                             g_utf8_strlen(shown, -1) > PARAGRAPH_QUOTED_MAX - 12 &&
                                 count > (i < 3 ? PARAGRAPH_QUOTED_MAX
                                                : PARAGRAPH_QUOTED_MAX / (i == 3 ? 4 : 8)));
        }
}

int main(void)
{
    GArray *tests = table_new();

    TABLE_ADD(tests, paragraph_rows, test_paragraph);
    TABLE_ADD(tests, quoted_rows, test_quoted);
    table_add(tests, "a long text is cut", test_long_is_cut, NULL);
    return table_run(tests, "paragraph_test");
}
