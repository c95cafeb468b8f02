#include "config.h"

#include "web/fleet_page.h"

#include <string.h>

#include "base/clock.h"
#include "unit/table.h"

#define EVIL "<script>\"'&\xe2\x80\xae</script>"
#define NOW (G_GINT64_CONSTANT(1775000000) * CLOCK_SECOND)

/* A host that is well, but for what member says. value is taken. */
static json_t *host_with(const char *member, json_t *value)
{
    g_autofree char *seen = clock_rfc3339(NOW - 3 * CLOCK_SECOND);
    json_t *host =
        json_pack("{s:s, s:s, s:s, s:s, s:b, s:s, s:s, s:b, s:b, s:b, s:b, s:f, s:[]}", "host",
                  "mx1.example", "version", "1.2.3", "mode", "rewrite", "by", "configuration",
                  "here", 0, "up_since", "2026-03-01T12:00:00Z", "last_seen", seen, "seen", 1,
                  "stopped", 0, "unsent", 0, "double", 0, "messages_per_minute", 1234.0, "differs");

    assert_non_null(host);
    json_object_set_new(host, member, value);
    return host;
}

/* host is taken. */
static char *page_of(json_t *host, bool is_up, bool is_well)
{
    json_t *answer =
        json_pack("{s:b, s:b, s:[o], s:{s:b, s:s, s:f, s:s, s:s}}", "fleet", 1, "agree", is_well,
                  "hosts", host, "store", "up", is_up, "member", "redis://a:1", "round_trip_ms",
                  0.25, "since", "2026-03-01T12:00:00Z", "error", "no answer");
    const View view = {.now = NOW, .has_fleet = true};
    g_autoptr(Request) request = request_parse("/fleet");
    char *page;

    assert_non_null(answer);
    page = fleet_page(&view, request, answer, NULL);
    json_decref(answer);
    assert_true(g_str_has_suffix(page, "</body></html>\n"));
    return page;
}

static void test_well(void **state)
{
    static const char *const wanted[] = {
        "mx1.example",
        "1.2.3",
        "result good\">rewrite",
        "by the configuration",
        "3 s ago",
        "1,234",
        "no difference",
        "All hosts are there and agree.",
        "redis://a:1",
        "took 250 microseconds",
        "href=\"/fleet\" aria-current=\"page\"",
    };
    g_autofree char *page = page_of(host_with("unknown", json_null()), true, true);

    (void)state;
    for (size_t i = 0; i < G_N_ELEMENTS(wanted); i++)
        if (strstr(page, wanted[i]) == NULL)
            fail_msg("no %s in %s", wanted[i], page);
    assert_null(strstr(page, "notice bad"));
}

static const struct row {
    const char *member;
    const char *value; /* JSON */
    const char *wanted;
} rows[] = {
    {"differs", "[\"reply_to\", \"relay set\"]", "differ</span> reply_to, relay set"},
    {"seen", "false", "not seen for a minute"},
    {"seen", "false", "--forget"},
    {"stopped", "true", "stopped"},
    {"stopped", "true", "not compared"},
    {"double", "true", "another host has this name"},
    {"unsent", "true", "the store lacks something of it"},
    {"here", "true", ", for this host alone"},
    {"by", "\"switch\"", "by the switch"},
    {"by", "\"anna\"", "</span> anna"},
    {"mode", "\"log-only\"", "result doubtful\">log-only"},
    {"mode", "7", "result bad\">?"},
    {"last_seen", "\"never\"", ">?<"},
    {"last_seen", "\"2026-03-01T12:00:00Z\"", "1 Mar 2026"},
    {"messages_per_minute", "1e300", "1,000,000,000"},
    {"differs", "[7]", "differ</span> ?"},
    {"differs", "7", "no difference"},
};

static void test_host(void **state)
{
    const struct row *row = *state;
    json_t *value = json_loads(row->value, JSON_DECODE_ANY, NULL);
    g_autofree char *page = page_of(host_with(row->member, value), true, false);

    if (strstr(page, row->wanted) == NULL)
        fail_msg("no %s in %s", row->wanted, page);
}

/* Every text of the answer, which other hosts wrote. */
static void test_evil(void **state)
{
    static const char *const members[] = {"host", "version", "mode", "by", "differs"};

    (void)state;
    for (size_t i = 0; i < G_N_ELEMENTS(members); i++) {
        json_t *evil =
            strcmp(members[i], "differs") == 0 ? json_pack("[s]", EVIL) : json_string(EVIL);
        g_autofree char *page = page_of(host_with(members[i], evil), true, false);
        const char *script = strstr(page, "<script");

        assert_null(strstr(script + 1, "<script"));
        assert_null(strstr(page, "\xe2\x80\xae"));
        assert_non_null(strstr(page, "&lt;script&gt;"));
    }
}

static void test_store_away(void **state)
{
    g_autofree char *page = page_of(host_with("unknown", json_null()), false, false);

    (void)state;
    assert_non_null(strstr(page, "mail goes on without it"));
    assert_non_null(strstr(page, "no answer"));
    assert_null(strstr(page, "redis://a:1"));
}

static void test_no_answer(void **state)
{
    const View view = {.now = NOW};
    g_autoptr(Request) request = request_parse("/fleet");
    g_autofree char *absent = fleet_page(&view, request, NULL, "no socket");
    json_t *alone = json_pack("{s:b}", "fleet", 0);
    g_autofree char *page = fleet_page(&view, request, alone, NULL);

    (void)state;
    json_decref(alone);
    assert_non_null(strstr(absent, "no socket"));
    assert_non_null(strstr(page, "This host is alone"));
    assert_null(strstr(page, "href=\"/fleet\""));
}

int main(void)
{
    GArray *tests = table_new();

    table_add(tests, "a fleet that is well", test_well, NULL);
    for (size_t i = 0; i < G_N_ELEMENTS(rows); i++)
        table_add(tests, rows[i].wanted, test_host, &rows[i]);
    table_add(tests, "hostile texts", test_evil, NULL);
    table_add(tests, "the store is away", test_store_away, NULL);
    table_add(tests, "no answer, and no fleet", test_no_answer, NULL);
    return table_run(tests, "fleet_page");
}
