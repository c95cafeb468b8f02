#include "config.h"

#include "show/time_text.h"

#include "unit/table.h"

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
    g_autofree char *text = time_text_span(row->seconds);

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
    g_autofree char *text = time_text_relative(row->text, 100);

    assert_string_equal(text, row->name);
}

int main(void)
{
    GArray *tests = table_new();

    TABLE_ADD(tests, span_rows, test_span);
    TABLE_ADD(tests, relative_rows, test_relative);
    return table_run(tests, "time_text");
}
