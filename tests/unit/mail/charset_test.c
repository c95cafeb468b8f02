#include "config.h"

#include "mail/charset.h"

#include <string.h>

#include "unit/table.h"

#define GAP "\xef\xbf\xbd" /* U+FFFD */

static const struct row {
    const char *name;
    const char *charset;
    const char *octets;
    gsize length;
    const char *text;
} rows[] = {
    {"UTF-8", "UTF-8", "M\xc3\xbc", 3, "M\xc3\xbc"},
    {"no UTF-8", "utf-8",
     "M\xfc"
     "l",
     3, "M" GAP "l"},
    {"UTF-8 cut off", "utf-8", "M\xc3", 2, "M" GAP},
    {"a character of three octets cut off", "utf-8", "M\xe5\xb1", 3, "M" GAP},
    {"a character of four octets cut off", "utf-8", "\xf0\x9f\x91, M", 6, GAP ", M"},
    {"surrogate in UTF-8", "utf-8", "\xed\xa0\x80", 3, GAP GAP GAP},
    {"overlong UTF-8", "utf-8", "\xe0\x80\x80", 3, GAP GAP GAP},
    {"NUL in UTF-8", "utf-8", "a\0b", 3, "ab"},
    {"ASCII", "us-ascii", "a", 1, "a"},
    {"UTF-8 as ASCII", "us-ascii", "M\xc3\xbc", 3, "M\xc3\xbc"},
    {"windows-1252 as ASCII", "ANSI_X3.4-1968", "M\xfc", 2, "M\xc3\xbc"},
    {"ISO 8859-1", "ISO-8859-1", "M\xfc\x80", 3, "M\xc3\xbc\xe2\x82\xac"},
    {"windows-1252", "windows-1252", "\x84\x9f\xa0\xff", 4, "\xe2\x80\x9e\xc5\xb8\xc2\xa0\xc3\xbf"},
    {"not in windows-1252", "cp1252",
     "a\x81\x8d\x8f\x90\x9d"
     "b",
     7, "ab"},
    {"NUL in windows-1252", "windows-1252", "a\0b", 3, "ab"},
    {"ISO 8859-15", "iso-8859-15", "\xa4", 1, "\xe2\x82\xac"},
    {"ISO 8859-9", "iso-8859-9", "\xfd\x80", 2, "\xc4\xb1\xe2\x82\xac"},
    {"ISO 8859-8-I", "iso-8859-8-i", "\xf9\xec\xe5\xed", 4, "\xd7\xa9\xd7\x9c\xd7\x95\xd7\x9d"},
    {"Thai", "tis-620", "\xa1\x80", 2, "\xe0\xb8\x81\xe2\x82\xac"},
    {"UTF-16", "utf-16be", "\0a\0\0\0b", 6, "ab"},
    {"UTF-16 cut off", "utf-16be", "\0a\0", 3, "a" GAP},
    {"lone surrogate", "utf-16be", "\xd8\x00\0a", 4, GAP "a"},
    {"two octets a character", "gb2312", "\xd5\xc5", 2, "\xe5\xbc\xa0"},
    {"GBK as GB 2312", "gb2312", "\x96|", 2, "\xe6\x9d\xb1"},
    {"GB 18030 as GB 2312", "GB2312", "\x81\x30\x81\x30", 4, "\xc2\x80"},
    {"Korean", "ks_c_5601-1987", "\xb1\xe8\x8c\x63", 4, "\xea\xb9\x80\xeb\x98\xa0"},
    {"Shift JIS", "x-sjis", "\x8e\x52\x93\x63\x87\x40\xb1", 7,
     "\xe5\xb1\xb1\xe7\x94\xb0\xe2\x91\xa0\xef\xbd\xb1"},
    {"EUC-JP with a vendor's character", "euc-jp", "\xbb\xb3\xad\xa1", 4,
     "\xe5\xb1\xb1\xe2\x91\xa0"},
    {"Big5", "cn-big5", "\xa4\xa4\xa4\xe5", 4, "\xe4\xb8\xad\xe6\x96\x87"},
    {"Big5-HKSCS, a character kept back", "big5", "\x88\x66", 2, "\xc3\x8a"},
    {"an invalid octet", "gb2312",
     "a\xff"
     "b",
     3, "a" GAP "b"},
    {"an invalid pair", "euc-kr", "\xc9\xa1\xb1\xe8", 4, GAP "\xea\xb9\x80"},
    {"half of a pair, then ASCII", "euc-kr", "\xb1 a", 3, GAP " a"},
    {"half of a pair at the end", "euc-kr", "a\xb1", 2, "a" GAP},

    {"ISO-2022-JP", "iso-2022-jp", "\x1b$B;3ED\x1b(B a", 12, "\xe5\xb1\xb1\xe7\x94\xb0 a"},
    {"ISO-2022-JP with vendors' characters", "ISO-2022-JP", "\x1b$B|b-!\x1b(B", 10,
     "\xe9\xab\x99\xe2\x91\xa0"},
    {"ISO-2022-JP, JIS X 0212", "iso-2022-jp-1", "\x1b$(D0!\x1b(B", 9, "\xe4\xb8\x82"},
    {"ISO-2022-JP, katakana", "cp50221", "\x1b(I1\x1b(B", 7, "\xef\xbd\xb1"},
    {"ISO-2022-JP, JIS Roman", "iso-2022-jp", "\x1b(Ja\\~\x1b(B\\", 10, "a\xc2\xa5\xe2\x80\xbe\\"},
    {"ISO-2022-JP cut off", "iso-2022-jp", "\x1b$B;3E", 6, "\xe5\xb1\xb1" GAP},
    {"ISO-2022-JP, no escape", "iso-2022-jp", "a\x1b[1mb", 6, "a" GAP "[1mb"},
    {"ISO-2022-JP, an 8-bit octet", "iso-2022-jp",
     "a\xfc"
     "b",
     3, "a" GAP "b"},
    {"ISO-2022-KR", "iso-2022-kr", "\x1b$)C\x0e\x31\x68\x0f", 8, "\xea\xb9\x80"},
    {"HZ", "hz-gb-2312", "a~~~{VPND~}b~\n", 14,
     "a~\xe4\xb8\xad\xe6\x96\x87"
     "b"},
    {"HZ cut off", "hz-gb-2312", "~{VPN~", 6, "\xe4\xb8\xad" GAP},
    {"a name of iconv", "cp850", "\x81", 1, "\xc3\xbc"},
    {"nothing", "utf-16", "", 0, ""},
};

static void test_append(void **state)
{
    const struct row *row = *state;
    g_autoptr(Charsets) charsets = charsets_new();
    g_autoptr(GString) text = g_string_new("-");
    guint gaps = 0;
    guint replaced;

    assert_true(charsets_is_known(charsets, row->charset));
    /* a second time with the same converter: nothing of the first is left in it */
    charsets_append(charsets, text, row->charset, row->octets, row->length);
    g_string_truncate(text, 1);
    replaced = charsets_append(charsets, text, row->charset, row->octets, row->length);
    assert_string_equal(text->str + 1, row->text);
    for (const char *at = row->text; (at = strstr(at, GAP)) != NULL; at++)
        gaps++;
    assert_int_equal(replaced, gaps);
}

static const struct raw_row {
    const char *octets;
    const char *text;
} raw_rows[] = {
    {"M\xc3\xbcller", "M\xc3\xbcller"},
    {"M\xfcller", "M\xc3\xbcller"},
    {"\x84M\xfcller\x93", "\xe2\x80\x9eM\xc3\xbcller\xe2\x80\x9c"},
    {"M\xc3\xbcller, K\xf6ln", "M\xc3\xbcller, K" GAP "ln"}, /* a single octet */
    {"M\xc3\xbcller \xe2\x80", "M\xc3\xbcller " GAP},        /* a cut character */
    {"\xc3\xbc\xfc\xf6", "\xc3\x83\xc2\xbc\xc3\xbc\xc3\xb6"},
    {"\xfc", "\xc3\xbc"},
    {"", ""},
};

static void test_raw(void **state)
{
    const struct raw_row *row = *state;
    g_autoptr(GString) text = g_string_new(NULL);

    charset_append_raw(text, row->octets, strlen(row->octets));
    assert_string_equal(text->str, row->text);
}

/* More than one buffer. */
static void test_long_text(void **state)
{
    g_autofree char *octets = g_strnfill(5000, '\xa4');
    g_autoptr(Charsets) charsets = charsets_new();
    g_autoptr(GString) text = g_string_new(NULL);

    (void)state;
    assert_int_equal(charsets_append(charsets, text, "iso-8859-15", octets, 5000), 0);
    assert_int_equal(text->len, 5000 * 3);
    assert_int_equal(g_utf8_strlen(text->str, -1), 5000);
}

static void test_unknown(void **state)
{
    g_autoptr(Charsets) charsets = charsets_new();

    (void)state;
    assert_false(charsets_is_known(charsets, "x-unknown"));
    assert_false(charsets_is_known(charsets, ""));
    assert_false(charsets_is_known(charsets, "utf"));
    assert_false(charsets_is_known(charsets, "utf-8 utf8"));
    assert_false(charsets_is_known(
        charsets, "iso-8859-1-with-a-name-that-is-longer-than-all-of-those-that-there-are"));
}

/* A stranger can't make us open all that iconv has. */
static void test_no_room(void **state)
{
    g_autoptr(Charsets) charsets = charsets_new();
    g_autoptr(GString) text = g_string_new(NULL);

    (void)state;
    for (int i = 0; i < CHARSETS_MAX; i++) {
        g_autofree char *charset = g_strdup_printf("cp%d", 1250 + i);

        assert_int_equal(charsets_append(charsets, text, charset, "a", 1), 0);
    }
    assert_true(charsets_is_known(charsets, "cp850"));
    assert_int_equal(charsets_append(charsets, text, "cp850", "b", 1), CHARSETS_NO_ROOM);
    assert_int_equal(charsets_append(charsets, text, "CP1250", "c", 1), 0);
    assert_string_equal(text->str, "aaaaaaaac");
}

int main(void)
{
    GArray *tests = table_new();

    TABLE_ADD(tests, rows, test_append);
    for (size_t i = 0; i < G_N_ELEMENTS(raw_rows); i++)
        table_add(tests, raw_rows[i].text, test_raw, &raw_rows[i]);
    table_add(tests, "long text", test_long_text, NULL);
    table_add(tests, "unknown", test_unknown, NULL);
    table_add(tests, "no room", test_no_room, NULL);
    return table_run(tests, "charset");
}
