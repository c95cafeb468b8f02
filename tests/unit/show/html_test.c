#include "config.h"

#include "show/html.h"

#include <string.h>

#include "unit/table.h"

static const struct text_row {
    const char *name;
    const char *text;
    const char *escaped; /* as text and as the value of an attribute */
} text_rows[] = {
    {"plain", "praxis-mueller.de", "praxis-mueller.de"},
    {"empty", "", ""},
    {"letters", "Müller 東京", "Müller 東京"},
    {"script", "<script>alert(1)</script>", "&lt;script&gt;alert(1)&lt;/script&gt;"},
    {"end of an attribute", "\" onload=\"x", "&quot; onload=&quot;x"},
    {"end of another", "' onload='x", "&apos; onload=&apos;x"},
    {"ampersand", "a&b&amp;", "a&amp;b&amp;amp;"},
    {"end of a comment", "--><b>", "--&gt;&lt;b&gt;"},
    {"line ends", "a\r\nb", "a\\x0d\\x0ab"},
    {"escape sequence", "\033[31m", "\\x1b[31m"},
    {"delete", "\177", "\\x7f"},
    {"C1 control", "\xc2\x9b", "\\u009b"},
    {"bidi override", "a\xe2\x80\xae", "a\\u202e"},
    {"line separator", "\xe2\x80\xa8", "\\u2028"},
    {"no UTF-8", "\xff\xfe", "\\xff\\xfe"},
    {"overlong", "\xc0\xbc", "\\xc0\\xbc"},
    {"cut character", "\xe2\x82", "\\xe2\\x82"},
};

static void check_page(Html *html, const char *wanted)
{
    g_autofree char *page = html_finish(html);
    g_autofree char *full = g_strconcat("<!DOCTYPE html>\n", wanted, "\n", NULL);

    assert_string_equal(page, full);
}

static void test_text(void **state)
{
    const struct text_row *row = *state;
    g_autofree char *wanted = g_strconcat("<p>", row->escaped, "</p>", NULL);
    g_auto(Html) html;

    html_init(&html);
    html_element(&html, "p", row->text, NULL);
    check_page(&html, wanted);
}

static void test_attribute(void **state)
{
    const struct text_row *row = *state;
    g_autofree char *wanted = g_strconcat("<input value=\"", row->escaped, "\"/>", NULL);
    g_auto(Html) html;

    html_init(&html);
    html_empty(&html, "input", "value", row->text, NULL);
    check_page(&html, wanted);
}

static void test_nesting(void **state)
{
    g_auto(Html) html;

    (void)state;
    html_init(&html);
    html_open(&html, "div", "class", "a", "id", NULL, "hidden", "", NULL);
    html_open(&html, "p", NULL);
    html_printf(&html, "%d < %d", 1, 2);
    html_close(&html);
    html_element(&html, "b", "x", "lang", "de", NULL);
    html_open(&html, "pre", NULL);
    html_lines(&html, "a\n<\033\r\n");
    check_page(&html, "<div class=\"a\" hidden=\"\"><p>1 &lt; 2</p><b lang=\"de\">x</b>"
                      "<pre>a\n&lt;\\x1b\\x0d\n</pre></div>");
}

static void test_one_end_too_many(void **state)
{
    g_auto(Html) html;

    (void)state;
    html_init(&html);
    html_open(&html, "p", NULL);
    html_close(&html);
    html_close(&html);
    check_page(&html, "<p></p>");
}

int main(void)
{
    GArray *tests = table_new();

    TABLE_ADD(tests, text_rows, test_text);
    TABLE_ADD(tests, text_rows, test_attribute);
    table_add(tests, "nesting", test_nesting, NULL);
    table_add(tests, "one end too many", test_one_end_too_many, NULL);
    return table_run(tests, "html");
}
