#include "config.h"

#include "fleet/fleet_values.h"

#include <string.h>

#include "base/clock.h"

#include "unit/table.h"

/* A value that is read, with "@" in place of what the row puts there. */
#define VERDICT "{\"after\":\"1-0\",\"result\":\"fail\",\"until\":1700000000000,\"v\":1@}"
#define SWITCH "{\"at\":1700000000123,\"host\":\"mx1\",\"mode\":\"off\",\"v\":1@}"
#define HOST                                                                                       \
    "{\"by\":\"anna\",\"host\":\"mx1\",\"id\":\"a\",\"keys\":{\"mode\":\"d\"},\"mode\":\"off\","   \
    "\"per_minute\":2.5,\"relays\":\"r\",\"return_key\":\"\",\"seen\":1700000000000,"              \
    "\"up\":1600000000000,\"v\":1,\"version\":\"1.0\"@}"

typedef enum { A_VERDICT, A_SWITCH, A_HOST } Kind;

static const struct row {
    const char *name; /* the text, or what stands in the place of "@" */
    Kind kind;
    bool is_read;
} rows[] = {
    {"", A_VERDICT, true},
    {",\"relay\":\"192.0.2.25\",\"mechanism\":\"-all\",\"reason\":\"x\",\"masked\":\"y\"",
     A_VERDICT, true},
    {",\"unproven\":true", A_VERDICT, true},
    {",\"dkim\":\"lemniscus\"", A_VERDICT, true},
    {",\"dkim\":true", A_VERDICT, false},
    {",\"later\":[{}]", A_VERDICT, true}, /* a later version may have more */
    {",\"unproven\":1", A_VERDICT, false},
    {",\"relay\":7", A_VERDICT, false},
    {",\"reason\":\"a\\u0000b\"", A_VERDICT, false},
    {",\"reason\":\"a\\nb\"", A_VERDICT, false},
    {",\"reason\":\"a\\u009bb\"", A_VERDICT, false},
    {",\"result\":\"pass\"", A_VERDICT, false}, /* twice */
    {"{\"v\":1,\"until\":1,\"result\":\"temperror\"}", A_VERDICT, false},
    {"{\"v\":1,\"until\":1,\"result\":\"maybe\"}", A_VERDICT, false},
    {"{\"v\":1,\"until\":1}", A_VERDICT, false},
    {"{\"v\":1,\"result\":\"pass\"}", A_VERDICT, false},
    {"{\"v\":2,\"until\":1,\"result\":\"pass\"}", A_VERDICT, false},
    {"{\"until\":1,\"result\":\"pass\"}", A_VERDICT, false},
    {"{\"v\":\"1\",\"until\":1,\"result\":\"pass\"}", A_VERDICT, false},
    {"{\"v\":1,\"until\":0,\"result\":\"pass\"}", A_VERDICT, false},
    {"{\"v\":1,\"until\":-1,\"result\":\"pass\"}", A_VERDICT, false},
    {"{\"v\":1,\"until\":1.5,\"result\":\"pass\"}", A_VERDICT, false},
    {"{\"v\":1,\"until\":9223372036854775807,\"result\":\"pass\"}", A_VERDICT, false},
    {"{\"v\":1,\"until\":1e300,\"result\":\"pass\"}", A_VERDICT, false},
    {"{\"v\":1,\"until\":1,\"result\":\"pass\"", A_VERDICT, false},
    {"{\"v\":1,\"until\":1,\"result\":\"pass\"} x", A_VERDICT, false},
    {"[]", A_VERDICT, false},
    {"7", A_VERDICT, false},
    {" ", A_VERDICT, false},
    {"\xff", A_VERDICT, false},
    {"", A_SWITCH, true},
    {",\"who\":\"anna\",\"until\":1800000000000,\"before\":\"log-only\"", A_SWITCH, true},
    {",\"who\":7", A_SWITCH, false},
    {",\"who\":\"an\\u001bna\"", A_SWITCH, false},
    {",\"until\":\"soon\"", A_SWITCH, false},
    {",\"before\":\"dream\"", A_SWITCH, false},
    {"{\"v\":1,\"at\":1,\"host\":\"mx1\"}", A_SWITCH, true}, /* cleared */
    {"{\"v\":1,\"at\":1,\"host\":\"mx1\",\"until\":2}", A_SWITCH, false},
    {"{\"v\":1,\"at\":1,\"host\":\"mx1\",\"before\":\"off\"}", A_SWITCH, false},
    {"{\"v\":1,\"at\":1,\"host\":\"mx1\",\"mode\":null}", A_SWITCH, false},
    {"{\"v\":1,\"at\":1,\"host\":\"mx1\",\"mode\":\"OFF\"}", A_SWITCH, false},
    {"{\"v\":1,\"at\":1,\"mode\":\"off\"}", A_SWITCH, false},
    {"{\"v\":1,\"host\":\"mx1\",\"mode\":\"off\"}", A_SWITCH, false},
    {"{\"v\":1,\"at\":true,\"host\":\"mx1\",\"mode\":\"off\"}", A_SWITCH, false},
    {"", A_HOST, true},
    {",\"here\":true,\"stopped\":true,\"unsent\":true,\"double\":true", A_HOST, true},
    {",\"here\":\"yes\"", A_HOST, false},
    {",\"double\":null", A_HOST, false},
    {",\"mode\":\"on\"", A_HOST, false}, /* twice */
    {"{\"v\":1,\"host\":\"mx1\"}", A_HOST, false},
};

static char *text_of(const struct row *row)
{
    static const char *const frames[] = {VERDICT, SWITCH, HOST};
    GString *text;

    if (*row->name != '\0' && *row->name != ',')
        return g_strdup(row->name);
    text = g_string_new(frames[row->kind]);
    g_string_replace(text, "@", row->name, 0);
    return g_string_free(text, FALSE);
}

/* Reads text and writes it again; NULL: it was not read. */
static char *read_and_write(Kind kind, const char *text, gsize length)
{
    FleetVerdict verdict;
    FleetSwitch made;
    g_autoptr(FleetHost) host = NULL;
    char *again = NULL;

    switch (kind) {
    case A_VERDICT:
        if (fleet_verdict_parse(text, length, &verdict))
            again = fleet_verdict_text(&verdict);
        fleet_verdict_clear(&verdict);
        return again;
    case A_SWITCH:
        if (fleet_switch_parse(text, length, &made))
            again = fleet_switch_text(&made);
        fleet_switch_clear(&made);
        return again;
    case A_HOST:
        host = fleet_host_parse(text, length);
        return host != NULL ? fleet_host_text(host) : NULL;
    }
    return NULL;
}

/* What is read is written such that the same is read again. */
static void test_value(void **state)
{
    const struct row *row = *state;
    g_autofree char *text = text_of(row);
    g_autofree char *written = read_and_write(row->kind, text, strlen(text));
    g_autofree char *again = NULL;

    assert_int_equal(written != NULL, row->is_read);
    if (written == NULL)
        return;
    again = read_and_write(row->kind, written, strlen(written));
    assert_non_null(again);
    assert_string_equal(written, again);
}

/* A host that takes a verdict over does not ask for keys again. */
static void test_selector(void **state G_GNUC_UNUSED)
{
    static const struct row row = {",\"dkim\":\"lemniscus\"", A_VERDICT, true};
    g_autofree char *text = text_of(&row);
    g_autofree char *written = read_and_write(A_VERDICT, text, strlen(text));

    assert_non_null(written);
    assert_non_null(strstr(written, "\"dkim\":\"lemniscus\""));
}

/* Any part of a value, and any octet changed: read or not, but nothing breaks. */
static void test_damaged(void **state G_GNUC_UNUSED)
{
    static const char *const frames[] = {VERDICT, SWITCH, HOST};

    for (int kind = A_VERDICT; kind <= A_HOST; kind++) {
        g_autoptr(GString) text = g_string_new(frames[kind]);

        g_string_replace(text, "@", "", 0);
        for (gsize i = 0; i < text->len; i++) {
            g_autofree char *damaged = g_memdup2(text->str, text->len);

            assert_null(read_and_write((Kind)kind, text->str, i));
            damaged[i] ^= 0x41;
            g_free(read_and_write((Kind)kind, damaged, text->len));
        }
    }
}

static void test_long(void **state G_GNUC_UNUSED)
{
    g_autofree char *blanks = g_strnfill(FLEET_VALUE_MAX, ' ');
    g_autofree char *name = g_strnfill(513, 'x');
    g_autofree char *text = g_strconcat(blanks, "{\"v\":1,\"at\":1,\"host\":\"a\"}", NULL);
    g_autofree char *wide = g_strdup_printf("{\"v\":1,\"at\":1,\"host\":\"%s\"}", name);
    g_autofree char *widest = NULL;
    g_autofree char *again = NULL;

    assert_null(read_and_write(A_SWITCH, text, strlen(text)));
    assert_null(read_and_write(A_SWITCH, wide, strlen(wide)));
    name[512] = '\0'; /* the longest that is read stays whole */
    widest = g_strdup_printf("{\"at\":1,\"host\":\"%s\",\"v\":1}", name);
    again = read_and_write(A_SWITCH, widest, strlen(widest));
    assert_non_null(again);
    assert_string_equal(again, widest);
}

/* Whatever a user is called, other hosts read it. */
static void test_odd_name(void **state G_GNUC_UNUSED)
{
    g_autofree char *wide = g_strnfill(5000, 'x');
    const char *names[] = {"a\nb", "\xff", "\x1b[2J", wide};

    for (size_t i = 0; i < G_N_ELEMENTS(names); i++) {
        const FleetSwitch made = {
            .at = CLOCK_SECOND, .host = (char *)"mx1", .mode = MODE_OFF, .who = (char *)names[i]};
        g_autofree char *text = fleet_switch_text(&made);
        g_autofree char *again = read_and_write(A_SWITCH, text, strlen(text));

        assert_non_null(again);
        assert_string_equal(text, again);
    }
}

static void test_compare(void **state G_GNUC_UNUSED)
{
    const FleetSwitch early = {.at = 1, .host = (char *)"z"};
    const FleetSwitch late = {.at = 2, .host = (char *)"a"};
    const FleetSwitch tied = {.at = 2, .host = (char *)"b"};

    assert_true(fleet_switch_compare(&early, &late) < 0);
    assert_true(fleet_switch_compare(&late, &early) > 0);
    assert_true(fleet_switch_compare(&late, &tied) < 0);
    assert_true(fleet_switch_compare(&tied, &tied) == 0);
}

int main(void)
{
    GArray *tests = table_new();

    TABLE_ADD(tests, rows, test_value);
    table_add(tests, "the selector of DKIM", test_selector, NULL);
    table_add(tests, "damaged", test_damaged, NULL);
    table_add(tests, "too long", test_long, NULL);
    table_add(tests, "odd names", test_odd_name, NULL);
    table_add(tests, "which switch counts", test_compare, NULL);
    return table_run(tests, "fleet_values");
}
