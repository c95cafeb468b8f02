#include "config.h"

#include "mail/charset.h"

#include <string.h>

#include "../table.h"

static const struct row {
    const char *name;
    const char *charset;
    const char *octets;
    gsize length;
    const char *text; /* read leniently */
    bool is_right;
} rows[] = {
    {"UTF-8", "UTF-8", "M\xc3\xbc", 3, "M\xc3\xbc", true},
    {"no UTF-8", "utf-8",
     "M\xfc"
     "l",
     3, "Ml", false},
    {"UTF-8 cut off", "utf-8", "M\xc3", 2, "M", false},
    {"NUL in UTF-8", "utf-8", "a\0b", 3, "ab", true},
    {"ASCII", "us-ascii", "a", 1, "a", true},
    {"ISO 8859-1", "ISO-8859-1", "M\xfc\x80", 3, "M\xc3\xbc\xe2\x82\xac", true},
    {"windows-1252", "windows-1252", "\x84\x9f\xa0\xff", 4, "\xe2\x80\x9e\xc5\xb8\xc2\xa0\xc3\xbf",
     true},
    {"not in windows-1252", "cp1252",
     "a\x81\x8d\x8f\x90\x9d"
     "b",
     7, "ab", false},
    {"NUL in windows-1252", "windows-1252", "a\0b", 3, "ab", true},
    {"ISO 8859-15", "iso-8859-15", "\xa4", 1, "\xe2\x82\xac", true},
    {"UTF-16", "utf-16be", "\0a\0\0\0b", 6, "ab", true},
    {"UTF-16 cut off", "utf-16be", "\0a\0", 3, "a", false},
    {"two octets a character", "gb2312", "\xd5\xc5", 2, "\xe5\xbc\xa0", true},
    {"invalid octets", "gb2312",
     "a\xff"
     "b",
     3, "ab", false},
    {"unknown charset", "x-unknown", "a", 1, "", false},
    {"nothing", "utf-16", "", 0, "", true},
};

static void test_append(void **state)
{
    const struct row *row = *state;
    g_autoptr(GString) strict = g_string_new(NULL);
    g_autoptr(GString) lossy = g_string_new("-");

    assert_int_equal(charset_append(strict, row->charset, row->octets, row->length, false),
                     row->is_right);
    assert_int_equal(charset_append(lossy, row->charset, row->octets, row->length, true),
                     row->is_right);
    assert_string_equal(lossy->str + 1, row->text);
    if (row->is_right)
        assert_string_equal(strict->str, row->text);
}

/* More than one buffer. */
static void test_long_text(void **state)
{
    g_autofree char *octets = g_strnfill(5000, '\xa4');
    g_autoptr(GString) text = g_string_new(NULL);

    (void)state;
    assert_true(charset_append(text, "iso-8859-15", octets, 5000, false));
    assert_int_equal(text->len, 5000 * 3);
    assert_int_equal(g_utf8_strlen(text->str, -1), 5000);
}

int main(void)
{
    GArray *tests = table_new();

    TABLE_ADD(tests, rows, test_append);
    table_add(tests, "long text", test_long_text, NULL);
    return table_run(tests, "charset");
}
