#include "config.h"

#include "mail/printable.h"

#include <string.h>

#include "unit/table.h"

static const struct line_row {
    const char *name;
    const char *text;
    const char *line;
} line_rows[] = {
    {"plain", "Praxis Nord", "Praxis Nord"},
    {"UTF-8", "M\xc3\xbcller", "M\xc3\xbcller"},
    {"empty", "", ""},
    {"line ends become one blank", "a\r\n b", "a b"},
    {"blanks at both ends", "  a\t ", "a"},
    {"runs of blanks", "a  \t b", "a b"},
    {"C0 and DEL",
     "a\x01\x1b\x7f"
     "b",
     "ab"},
    {"C1",
     "a\xc2\x80\xc2\x9f"
     "b",
     "ab"},
    {"NEL",
     "a\xc2\x85"
     "b",
     "a b"},
    {"line and paragraph separator",
     "a\xe2\x80\xa8"
     "b\xe2\x80\xa9"
     "c",
     "a b c"},
    {"override",
     "a\xe2\x80\xae"
     "b",
     "ab"},
    {"embedding and its end",
     "\xe2\x80\xab"
     "a\xe2\x80\xac",
     "a"},
    {"isolates",
     "\xe2\x81\xa6"
     "a\xe2\x81\xa9\xe2\x81\xa7\xe2\x81\xa8",
     "a"},
    {"marks of direction stay", "a\xe2\x80\x8f", "a\xe2\x80\x8f"},
    {"a joiner stays", "\xf0\x9f\x91\xa9\xe2\x80\x8d\xf0\x9f\x92\xbb",
     "\xf0\x9f\x91\xa9\xe2\x80\x8d\xf0\x9f\x92\xbb"},
    {"annotation",
     "\xef\xbf\xb9"
     "a\xef\xbf\xba\xef\xbf\xbb",
     "a"},
    {"no character",
     "a\xef\xbf\xbe"
     "b",
     "ab"},
    {"no UTF-8", "M\xfcller", "Mller"},
};

static void test_line(void **state)
{
    const struct line_row *row = *state;
    g_autofree char *line = printable_line(row->text);

    assert_string_equal(line, row->line);
}

static const struct blank_row {
    const char *name;
    const char *text;
    bool is_blank;
} blank_rows[] = {
    {"empty", "", true},
    {"blanks", " \t\n", true},
    {"no-break space", "\xc2\xa0", true},
    {"ideographic space", "\xe3\x80\x80", true},
    {"zero-width space, joiners, BOM", "\xe2\x80\x8b\xe2\x80\x8c\xe2\x80\x8d\xef\xbb\xbf", true},
    {"soft hyphen", "\xc2\xad", true},
    {"word joiner", "\xe2\x81\xa0", true},
    {"Hangul fillers", "\xe3\x85\xa4\xef\xbe\xa0\xe1\x85\x9f\xe1\x85\xa0", true},
    {"blank Braille", "\xe2\xa0\x80", true},
    {"marks without a base", "\xcc\x88\xcc\x81", true},
    {"variation selector", "\xef\xb8\x8f", true},
    {"tags", "\xf3\xa0\x81\xa1", true},
    {"a letter",
     "\xe2\x80\x8b"
     "a",
     false},
    {"a letter with a mark", "a\xcc\x88", false},
    {"emoji", "\xf0\x9f\x98\x80", false},
};

static void test_blank(void **state)
{
    const struct blank_row *row = *state;

    assert_int_equal(printable_is_blank(row->text), row->is_blank);
}

#define WOMAN "\xf0\x9f\x91\xa9"
#define JOINER "\xe2\x80\x8d"
#define COMPUTER "\xf0\x9f\x92\xbb"
#define DARK "\xf0\x9f\x8f\xbf"

static const struct cut_row {
    const char *name;
    const char *text;
    gsize max;
    gsize cut;
} cut_rows[] = {
    {"fits", "abc", 3, 3},
    {"ASCII", "abcd", 3, 3},
    {"between characters",
     "a\xc3\xbc"
     "b",
     3, 3},
    {"inside a character",
     "a\xc3\xbc"
     "b",
     2, 1},
    {"before a mark", "ba\xcc\x88", 2, 1},
    {"inside a joined emoji", "a" WOMAN JOINER COMPUTER, 8, 1},
    {"before a skin tone", "a" WOMAN DARK, 5, 1},
    {"nothing fits", WOMAN, 2, 0},
    {"nothing", "abc", 0, 0},
};

static void test_cut(void **state)
{
    const struct cut_row *row = *state;

    assert_int_equal(printable_cut(row->text, strlen(row->text), row->max), row->cut);
}

static void test_piled_marks_are_cut(void **state)
{
    g_autoptr(GString) text = g_string_new("a");

    (void)state;
    for (int i = 0; i < 1000; i++)
        g_string_append(text, "\xcc\x88");
    assert_int_equal(printable_cut(text->str, text->len, 1000), 999);
}

static void test_cluster(void **state)
{
    (void)state;
    assert_int_equal(printable_cluster("ab", 2, 60), 1);
    assert_int_equal(printable_cluster("a\xcc\x88"
                                       "b",
                                       4, 60),
                     3);
    assert_int_equal(printable_cluster(WOMAN JOINER COMPUTER "x", 12, 60), 11);
    assert_int_equal(printable_cluster(WOMAN JOINER COMPUTER "x", 12, 8),
                     7);                                 /* no more than that */
    assert_int_equal(printable_cluster(WOMAN, 4, 1), 4); /* but one character */
}

int main(void)
{
    GArray *tests = table_new();

    TABLE_ADD(tests, line_rows, test_line);
    TABLE_ADD(tests, blank_rows, test_blank);
    TABLE_ADD(tests, cut_rows, test_cut);
    table_add(tests, "piled marks are cut", test_piled_marks_are_cut, NULL);
    table_add(tests, "cluster", test_cluster, NULL);
    return table_run(tests, "printable");
}
