#include "config.h"

#include "base/clock.h"

#include "unit/table.h"

static const struct span_row {
    const char *name; /* the text */
    gint64 seconds;   /* -1: an error */
} span_rows[] = {
    {"0", 0},
    {"10", 10},
    {"10s", 10},
    {"5m", 300},
    {"2h", 7200},
    {"1d", 86400},
    {"007s", 7},
    {"3650d", 315360000},
    {"315360000", 315360000},
    {"315360001", -1},
    {"3651d", -1},
    {"87601h", -1},
    {"9999999999d", -1},
    {"99999999999999999999", -1},
    {"", -1},
    {"s", -1},
    {"-1", -1},
    {"+1", -1},
    {" 1", -1},
    {"1 ", -1},
    {"1 s", -1},
    {"1S", -1},
    {"1w", -1},
    {"1ms", -1},
    {"1.5h", -1},
    {"1h30m", -1},
    {"0x10", -1},
};

static void test_span(void **state)
{
    const struct span_row *row = *state;
    g_autoptr(GError) error = NULL;

    assert_int_equal(clock_span_parse(row->name, &error), row->seconds);
    assert_true((row->seconds < 0) == (error != NULL));
}

static void test_span_error(void **state G_GNUC_UNUSED)
{
    g_autoptr(GError) error = NULL;

    assert_int_equal(clock_span_parse("soon", &error), -1);
    assert_true(g_error_matches(error, CLOCK_ERROR, CLOCK_ERROR_SPAN));
    assert_string_equal(error->message, "\"soon\" is not a time; write it like 10s, 5m, 2h or 1d");
}

static const struct text_row {
    const char *name; /* the text */
    gint64 wall;      /* microseconds */
} text_rows[] = {
    {"1970-01-01T00:00:00Z", 0},
    {"1970-01-01T00:00:00Z", 999999},
    {"2026-01-31T23:59:59Z", G_GINT64_CONSTANT(1769903999) * CLOCK_SECOND},
    {"2024-02-29T12:00:00Z", G_GINT64_CONSTANT(1709208000) * CLOCK_SECOND},
    {"9999-12-31T23:59:59Z", G_GINT64_CONSTANT(253402300799) * CLOCK_SECOND},
    {"9999-12-31T23:59:59Z", G_MAXINT64},
    {"1970-01-01T00:00:00Z", G_MININT64},
};

static void test_text(void **state)
{
    const struct text_row *row = *state;
    g_autofree char *text = clock_rfc3339(row->wall);

    assert_string_equal(text, row->name);
}

static const struct parse_row {
    const char *name; /* the text */
    gint64 wall;      /* microseconds */
} parse_rows[] = {
    {"1970-01-01T00:00:07Z", 7 * CLOCK_SECOND},
    {"1970-01-01T01:00:07+01:00", 7 * CLOCK_SECOND},
    {"2026-01-31T23:59:59Z", G_GINT64_CONSTANT(1769903999) * CLOCK_SECOND},
    {"9999-12-31T23:59:59Z", G_GINT64_CONSTANT(253402300799) * CLOCK_SECOND},
    {"9999-12-31T23:59:59-01:00", 0},
    {"1969-12-31T23:59:59Z", 0},
    {"yesterday", 0},
    {"", 0},
};

static void test_parse(void **state)
{
    const struct parse_row *row = *state;

    assert_int_equal(clock_rfc3339_parse(row->name), row->wall);
}

static void test_no_text(void **state G_GNUC_UNUSED)
{
    assert_int_equal(clock_rfc3339_parse(NULL), 0);
}

typedef struct {
    gint64 monotonic, wall;
} Times;

static gint64 given_monotonic(void *hook)
{
    return ((const Times *)hook)->monotonic;
}

static gint64 given_wall(void *hook)
{
    return ((const Times *)hook)->wall;
}

static void test_supplied(void **state G_GNUC_UNUSED)
{
    Times times = {.monotonic = 1, .wall = 2};
    const Clock clock = {given_monotonic, given_wall, &times};

    assert_int_equal(clock_monotonic(&clock), 1);
    assert_int_equal(clock_wall(&clock), 2);
}

static void test_system(void **state G_GNUC_UNUSED)
{
    gint64 before = g_get_monotonic_time();

    assert_true(clock_monotonic(&clock_system) >= before);
    assert_true(clock_wall(&clock_system) > G_GINT64_CONSTANT(1700000000) * CLOCK_SECOND);
}

int main(void)
{
    GArray *tests = table_new();

    TABLE_ADD(tests, span_rows, test_span);
    TABLE_ADD(tests, text_rows, test_text);
    TABLE_ADD(tests, parse_rows, test_parse);
    table_add(tests, "no text", test_no_text, NULL);
    table_add(tests, "the error says what to write", test_span_error, NULL);
    table_add(tests, "a test supplies its own", test_supplied, NULL);
    table_add(tests, "the system's", test_system, NULL);
    return table_run(tests, "clock");
}
