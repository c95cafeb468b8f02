#include "config.h"

#include "control/daemon_status.h"

#include <stdlib.h>
#include <string.h>

#include "base/clock.h"

#include "unit/table.h"

/* All members as the daemon sends them, in their order, each with another value. */
static const char whole[] =
    "{\"ok\":true,\"version\":\"1.0\",\"pid\":4711,\"up_since\":\"2026-01-31T23:59:01Z\","
    "\"socket\":\"inet:8894@127.0.0.1\",\"control_socket\":\"/run/c\",\"state_dir\":\"/var/s\","
    "\"mode\":\"log-only\",\"mode_since\":\"2026-01-31T23:59:02Z\",\"mode_by\":\"switch\","
    "\"mode_until\":\"2026-01-31T23:59:03Z\",\"mode_who\":\"anna\",\"mode_next\":\"off\","
    "\"mode_host\":\"mx1\",\"mode_here\":true,\"mode_configured\":\"rewrite\","
    "\"configuration\":{\"file\":\"/etc/f\",\"loaded\":\"2026-01-31T23:59:04Z\",\"error\":\"x:1: y\"},"
    "\"relay_set\":{\"networks\":[\"192.0.2.25\",\"2001:db8::/32\"],\"complete\":false,"
    "\"policy\":\"all\",\"problems\":[\"no such host\"]},"
    "\"fallback\":{\"address\":\"a@b.example\",\"authorised\":true,\"result\":\"pass\","
    "\"relay\":\"192.0.2.26\",\"mechanism\":\"ip4\",\"reason\":\"because\","
    "\"checked\":\"2026-01-31T23:59:05Z\"},"
    "\"other_fallbacks\":{\"watched\":3,\"unauthorised\":1,\"list\":[\"a@b.de (fail)\"]},"
    "\"connections\":3,"
    "\"messages\":{\"keep\":11,\"rewrite\":12,\"would-rewrite\":13,\"tempfail\":14,"
    "\"would-tempfail\":15,\"error\":16,\"inbound\":17,\"local\":18,\"reject\":19,"
    "\"would-reject\":20},\"ledger_errors\":4,"
    "\"ledger\":{\"file\":\"/l\",\"error\":\"full\",\"written\":5,\"waiting\":6,"
    "\"written_at\":\"2026-01-31T23:59:06Z\"},"
    "\"verdicts\":{\"none\":21,\"neutral\":22,\"pass\":23,\"fail\":24,\"softfail\":25,"
    "\"temperror\":26,\"permerror\":27},"
    "\"cache\":{\"entries\":31,\"size\":32,\"hit\":33,\"miss\":34,\"wait\":35,\"stale\":36,"
    "\"evaluations\":37},"
    "\"dns\":{\"source\":\"1.1.1.1\",\"found\":41,\"no_data\":42,\"no_name\":43,\"trouble\":44,"
    "\"last_answer\":\"2026-01-31T23:59:07Z\",\"last_trouble\":\"2026-01-31T23:59:08Z\"},"
    "\"returns\":{\"address\":\"bounce+%t@b.example\",\"authorised\":false,"
    "\"socket\":\"inet:8896@127.0.0.1\",\"file\":\"/r\",\"error\":\"locked\",\"addresses\":51,"
    "\"found\":52,\"unknown\":53,\"trouble\":54},"
    "\"fleet\":{\"up\":false,\"store\":\"unix:/s\",\"since\":\"2026-01-31T23:59:09Z\",\"error\":\"gone\","
    "\"hosts\":61,\"unseen\":[\"mx2\"],\"differing\":[\"mx3\"],\"doubled\":[\"mx4\"]}}";

static const char whole_mode[] = "{\"ok\":true,\"mode\":\"off\",\"since\":\"2026-01-31T23:59:01Z\","
                                 "\"by\":\"switch\",\"until\":\"2026-01-31T23:59:02Z\"}";

/* The text of json, which is taken; owned by the caller. */
static char *text_of(json_t *json)
{
    char *text = json_dumps(json, JSON_COMPACT);

    json_decref(json);
    assert_non_null(text);
    return text;
}

static DaemonStatus *status_of(const char *text)
{
    json_t *answer = json_loads(text, 0, NULL);
    DaemonStatus *status = daemon_status_read(answer);

    assert_non_null(answer);
    json_decref(answer);
    return status;
}

static void test_whole(void **state G_GNUC_UNUSED)
{
    g_autoptr(DaemonStatus) status = status_of(whole);
    char *text = text_of(daemon_status_write(status));

    assert_string_equal(text, whole);
    free(text);
}

static void test_members(void **state G_GNUC_UNUSED)
{
    g_autoptr(DaemonStatus) status = status_of(whole);

    assert_int_equal(status->up_since, G_GINT64_CONSTANT(1769903941) * CLOCK_SECOND);
    assert_string_equal(status->mode.mode, "log-only");
    assert_string_equal(status->relay_set.networks[1], "2001:db8::/32");
    assert_null(status->relay_set.networks[2]);
    assert_int_equal(status->relay_set.complete, DAEMON_STATUS_NO);
    assert_int_equal(status->fallback.authorised, DAEMON_STATUS_YES);
    assert_int_equal(status->messages[MESSAGE_ACTION_LOCAL], 18);
    assert_int_equal(status->verdicts[SPF_SOFTFAIL], 25);
    assert_int_equal(status->dns.trouble, 44);
}

/* What a daemon that has just started knows nothing of is null, 0 or an empty list. */
static void test_nothing_known(void **state G_GNUC_UNUSED)
{
    const DaemonStatus status = {.pid = 1};
    char *text = text_of(daemon_status_write(&status));

    assert_true(
        g_str_has_prefix(text, "{\"ok\":true,\"version\":null,\"pid\":1,\"up_since\":null,"));
    assert_non_null(strstr(text, "\"relay_set\":{\"networks\":[],\"complete\":null,\"policy\":null,"
                                 "\"problems\":[]}"));
    assert_non_null(strstr(text, "\"authorised\":null"));
    assert_non_null(strstr(text, "\"messages\":{\"keep\":0,"));
    free(text);
}

static void test_not_utf8(void **state G_GNUC_UNUSED)
{
    char *problems[] = {(char *)"a\xff", NULL};
    const DaemonStatus status = {.version = problems[0], .relay_set.problems = problems};
    char *text = text_of(daemon_status_write(&status));

    assert_non_null(strstr(text, "\"version\":\"a\xef\xbf\xbd\""));
    assert_non_null(strstr(text, "\"problems\":[\"a\xef\xbf\xbd\"]"));
    free(text);
}

/* Answers of other versions and of strangers. */
static const struct row {
    const char *name;
    const char *mode; /* NULL: not known */
    gint64 since;
    gint64 hits;
    guint networks;
} rows[] = {
    {"{}", NULL, 0, 0, 0},
    {"{\"mode\":\"rewrite\",\"mode_since\":\"1970-01-01T00:00:07Z\"}", "rewrite", 7 * CLOCK_SECOND,
     0, 0},
    {"{\"mode\":\"dream\",\"future\":{\"a\":[1]},\"cache\":{\"hit\":2,\"new\":3}}", "dream", 0, 2,
     0},
    {"{\"mode\":7,\"mode_since\":\"yesterday\",\"relay_set\":[],\"fallback\":null}", NULL, 0, 0, 0},
    {"{\"mode\":null,\"messages\":[1],\"verdicts\":7,\"cache\":\"x\",\"dns\":false}", NULL, 0, 0,
     0},
    {"{\"cache\":{\"hit\":-1}}", NULL, 0, 0, 0},
    {"{\"cache\":{\"hit\":9223372036854775807}}", NULL, 0, DAEMON_STATUS_COUNT_MAX, 0},
    {"{\"cache\":{\"hit\":1.5}}", NULL, 0, 0, 0},
    {"{\"relay_set\":{\"networks\":[7,{},\"192.0.2.1\"]}}", NULL, 0, 0, 3},
    {"[]", NULL, 0, 0, 0},
};

static void test_read(void **state)
{
    const struct row *row = *state;
    g_autoptr(DaemonStatus) status = status_of(row->name);
    char **networks = status->relay_set.networks;

    assert_int_equal(g_strcmp0(status->mode.mode, row->mode), 0);
    assert_int_equal(status->mode.since, row->since);
    assert_int_equal(status->cache.hit, row->hits);
    assert_int_equal(networks != NULL ? g_strv_length(networks) : 0, row->networks);
    assert_int_equal(status->fallback.authorised, DAEMON_STATUS_UNKNOWN);
}

static void test_mode(void **state G_GNUC_UNUSED)
{
    json_t *answer = json_loads(whole_mode, 0, NULL);
    g_autoptr(DaemonStatusMode) mode = daemon_status_mode_read(answer);
    char *text = text_of(daemon_status_mode_write(mode, false));

    json_decref(answer);
    assert_string_equal(text, whole_mode);
    free(text);
}

static void test_detail(void **state G_GNUC_UNUSED)
{
    json_t *answer = json_loads("{\"who\":\"anna\",\"next\":\"off\",\"digest\":\"5c1\"}", 0, NULL);
    g_autoptr(DaemonStatusMode) mode = daemon_status_mode_read(answer);
    char *text = text_of(daemon_status_mode_write(mode, true));

    json_decref(answer);
    assert_non_null(strstr(text, "\"who\":\"anna\",\"next\":\"off\",\"digest\":\"5c1\"}"));
    free(text);
}

int main(void)
{
    GArray *tests = table_new();

    table_add(tests, "what is read is written, in the same order", test_whole, NULL);
    table_add(tests, "members are read by their kind", test_members, NULL);
    table_add(tests, "nothing known yet", test_nothing_known, NULL);
    table_add(tests, "text that is not UTF-8", test_not_utf8, NULL);
    table_add(tests, "the mode", test_mode, NULL);
    table_add(tests, "the mode's detail", test_detail, NULL);
    TABLE_ADD(tests, rows, test_read);
    return table_run(tests, "daemon_status");
}
