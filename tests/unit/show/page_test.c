#include "config.h"

#include "show/page.h"

#include <string.h>

#include "unit/table.h"

static const struct safe_row {
    const char *name;
    const char *text;
    gssize length; /* -1: up to the NUL */
    const char *safe;
} safe_rows[] = {
    {"plain", "v=spf1 -all", -1, "v=spf1 -all"},
    {"empty", "", -1, ""},
    {"letters", "Müller 東京", -1, "Müller 東京"},
    {"combining mark", "u\xcc\x88", -1, "u\xcc\x88"},
    {"tab", "a\tb", -1, "a\tb"},
    {"line ends", "a\r\nb", -1, "a\\x0d\\x0ab"},
    {"escape sequence", "\033[31m", -1, "\\x1b[31m"},
    {"delete", "\177", -1, "\\x7f"},
    {"C1 control", "\xc2\x9b", -1, "\\u009b"},
    {"raw C1 control", "\x9b[31m", -1, "\\x9b[31m"},
    {"bidi override", "a\xe2\x80\xae", -1, "a\\u202e"},
    {"line separator", "\xe2\x80\xa8", -1, "\\u2028"},
    {"zero width", "\xe2\x80\x8b", -1, "\\u200b"},
    {"tag character", "\xf3\xa0\x81\x81", -1, "\\ue0041"},
    {"cut character", "a\xc3", -1, "a\\xc3"},
    {"overlong", "\xc0\x80", -1, "\\xc0\\x80"},
    {"surrogate", "\xed\xa0\x80", -1, "\\xed\\xa0\\x80"},
    {"NUL", "a\0b", 3, "a\\x00b"},
    {"not beyond the length", "abc", 2, "ab"},
    {"character cut by the length", "\xc3\xbc", 1, "\\xc3"},
};

static void test_safe(void **state)
{
    const struct safe_row *row = *state;
    g_autofree char *safe = page_safe(row->text, row->length);

    assert_string_equal(safe, row->safe);
}

static const struct page_row {
    const char *name;
    bool has_colour;
    const char *text;
} page_rows[] = {
    {"with colours", true, "\033[1;31mno\033[0m \033[2m\\x1b ü\033[0m |\n"},
    {"without", false, "no \\x1b ü |\n"},
};

static void test_page(void **state)
{
    const struct page_row *row = *state;
    g_auto(Page) page;

    page_init(&page, row->has_colour);
    page_raw(&page, PAGE_BAD, "no");
    page_raw(&page, PAGE_PLAIN, " ");
    page_add_padded(&page, PAGE_FAINT, "\033 ü", 7);
    page_printf(&page, PAGE_PLAIN, "%s", "|");
    page_raw(&page, PAGE_PLAIN, "\n");
    assert_string_equal(page.text->str, row->text);
}

static const struct span_row {
    const char *name;
    gint64 seconds;
} span_rows[] = {
    {"0s", 0},        {"0s", -5},           {"59s", 59},   {"1m", 60},
    {"1m 1s", 61},    {"59m 59s", 3599},    {"1h", 3600},  {"1h", 3659},
    {"1h 1m", 3660},  {"23h 59m", 86399},   {"1d", 86400}, {"1d", 86400 + 3599},
    {"1d 1h", 90000}, {"3650d", 315360000},
};

static void test_span(void **state)
{
    const struct span_row *row = *state;
    g_autofree char *text = page_span(row->seconds);

    assert_string_equal(text, row->name);
}

static const struct relative_row {
    const char *name; /* what comes out */
    const char *text;
} relative_rows[] = {
    {"1970-01-01T00:01:40Z (0s ago)", "1970-01-01T00:01:40Z"},
    {"1970-01-01T00:00:40Z (1m ago)", "1970-01-01T00:00:40Z"},
    {"1970-01-01T02:01:40Z (in 2h)", "1970-01-01T02:01:40Z"},
    {"soon", "soon"},
    {"-", NULL},
};

static void test_relative(void **state)
{
    const struct relative_row *row = *state;
    g_autofree char *text = page_relative_time(row->text, 100);

    assert_string_equal(text, row->name);
}

/* In 79 columns. */
static const struct print_row {
    const char *name;
    const char *text;
    const char *wanted;
} print_rows[] = {
    {"a short line", "  label  text\n", "  label  text\n"},
    {"below the label",
     "  label  aaaaaaaaaaaaaaaaaaaaaaaaa bbbbbbbbbbbbbbbbbbbbbbbbbb cccccccccccccccccccc ddd\nx\n",
     "  label  aaaaaaaaaaaaaaaaaaaaaaaaa bbbbbbbbbbbbbbbbbbbbbbbbbb\n"
     "         cccccccccccccccccccc ddd\nx\n"},
    {"a long word",
     "  label  aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa\n",
     "  label  "
     "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa\n"},
    {"a record stays whole",
     "v=spf1 aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb ~all\n",
     "v=spf1 aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb "
     "~all\n"},
    {"a command stays whole",
     "         mend: sed -i '2c\\\\socket = \"unix:/var/spool/postfix/spfrom/milter.sock\"' "
     "'/etc/spfrom/spfrom.conf'\n",
     "         mend: sed -i '2c\\\\socket = \"unix:/var/spool/postfix/spfrom/milter.sock\"' "
     "'/etc/spfrom/spfrom.conf'\n"},
    {"colours have no width", "  \033[2mlabel\033[0m  text\n", "  \033[2mlabel\033[0m  text\n"},
};

static void test_print(void **state)
{
    const struct print_row *row = *state;
    g_autofree char *written = NULL;
    g_auto(Page) page;

    page_init(&page, false);
    page_raw(&page, PAGE_PLAIN, row->text);
    written = page_folded(&page, 79);
    assert_string_equal(written, row->wanted);
}

int main(void)
{
    GArray *tests = table_new();

    TABLE_ADD(tests, safe_rows, test_safe);
    TABLE_ADD(tests, page_rows, test_page);
    TABLE_ADD(tests, span_rows, test_span);
    TABLE_ADD(tests, relative_rows, test_relative);
    TABLE_ADD(tests, print_rows, test_print);
    return table_run(tests, "page");
}
