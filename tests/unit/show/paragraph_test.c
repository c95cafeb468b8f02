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

int main(void)
{
    GArray *tests = table_new();

    TABLE_ADD(tests, paragraph_rows, test_paragraph);
    return table_run(tests, "paragraph_test");
}
