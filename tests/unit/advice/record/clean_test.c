#include "config.h"

#include "advice/record/clean.h"

#include "unit/table.h"

/* A text, and what it is without foreign characters and with its signs where they belong. */
static const struct row {
    const char *name;
    const char *clean;
} rows[] = {
    {"", ""},
    {"a -all", "a -all"},
    {"a  ~all ", "a  ~all "},
    {"a\xc2\xa0\xe2\x80\x93\x61ll", "a -all"},
    {"\xe2\x80\x9c\x61\xe2\x80\x9d", "\"a\""},
    {"\xef\xbd\x81\xef\xbc\x9a", "a:"},
    {"a\xc2\xad\xe2\x80\x8b", "a"},
    {"\xc3\xa9\x01\xe2\x96\xa0", CLEAN_LETTER CLEAN_CONTROL CLEAN_UNKNOWN},
    {"a%20b", "a b"},
    {"a&nbsp;b&quot;&#34;c&#39;", "a b\"\"c'"},
    {"a &ndash;all", "a -all"},
    {"x.\"+\"y", "x.\"y"},
    {"x\xe3\x80\x82y", "x.y"},
    {"192.0.2.0\\24", "192.0.2.0/24"},
    {"192.0.2.7\\24 x", "192.0.2.7/24 x"},
    {"192.0.2.1\\28", "192.0.2.1\\28"},
    {"192.0.2.7\\28/25", "192.0.2.7\\28/25"},
    {"x- all", "x -all"},
    {"x -;all", "x -all"},
    {"x (-)all", "x -all"},
    {"x (-) (all)", "x -all)"},
    {"x - ~all", "x - ~all"},
    {"x -~ all", "x ~all"},
    {"x ; all", "x ; all"},
    {"x 'all", "x ~all"},
    {"x -a ll", "x -all"},
    {"x a ll", "x a ll"},
    {"x -all.y", "x -all.y"},
    {"x- mx", "x -mx"},
    {"x -\"mx\"", "x -mx\""},
    {"x-y.z -all", "x-y.z -all"},
    {"x,-y", "x,-y"},
    {"x %all", "x ~all"},
    {"%{i}-a.x - all", "%{i}-a.x -all"},
};

static void test_clean(void **state)
{
    const struct row *row = *state;
    g_auto(Clean) clean;

    clean_init(&clean, row->name);
    clean_settle_signs(&clean, 0);
    assert_string_equal(clean.text->str, row->clean);
    assert_true(clean.places->len >= clean.text->len);
}

int main(void)
{
    GArray *tests = table_new();

    TABLE_ADD(tests, rows, test_clean);
    return table_run(tests, "clean");
}
