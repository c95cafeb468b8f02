#include "config.h"

#include "control/control_request.h"

#include <stdlib.h>
#include <string.h>

#include "unit/table.h"

static const struct row {
    const char *name; /* the line */
    int command;      /* -1: an error */
    const char *says; /* a part of the error */
    Mode mode;
    gint64 seconds;
    const char *domain;
    bool is_prometheus;
} rows[] = {
    {"{\"command\":\"status\"}", CONTROL_STATUS, NULL, 0, 0, NULL, false},
    {" { \"command\" : \"status\" } ", CONTROL_STATUS, NULL, 0, 0, NULL, false},
    {"{\"command\":\"mode\"}", CONTROL_MODE, NULL, 0, 0, NULL, false},
    {"{\"command\":\"mode\",\"clear\":true}", CONTROL_MODE_CLEAR, NULL, 0, 0, NULL, false},
    {"{\"command\":\"mode\",\"clear\":false}", CONTROL_MODE, NULL, 0, 0, NULL, false},
    {"{\"command\":\"mode\",\"mode\":\"off\"}", CONTROL_MODE_SET, NULL, MODE_OFF, 0, NULL, false},
    {"{\"mode\":\"log-only\",\"command\":\"mode\"}", CONTROL_MODE_SET, NULL, MODE_LOG_ONLY, 0, NULL,
     false},
    {"{\"command\":\"mode\",\"mode\":\"rewrite\",\"for\":\"2h\"}", CONTROL_MODE_SET, NULL,
     MODE_REWRITE, 7200, NULL, false},
    {"{\"command\":\"mode\",\"mode\":\"off\",\"for\":10}", CONTROL_MODE_SET, NULL, MODE_OFF, 10,
     NULL, false},
    {"{\"command\":\"mode\",\"mode\":\"off\",\"for\":\"10\",\"clear\":false}", CONTROL_MODE_SET,
     NULL, MODE_OFF, 10, NULL, false},
    {"{\"command\":\"reload\"}", CONTROL_RELOAD, NULL, 0, 0, NULL, false},
    {"{\"command\":\"flush\"}", CONTROL_FLUSH, NULL, 0, 0, NULL, false},
    {"{\"command\":\"flush\",\"domain\":\"Praxis.Example.\"}", CONTROL_FLUSH, NULL, 0, 0,
     "praxis.example", false},
    {"{\"command\":\"flush\",\"domain\":\"m\\u00fcller.example\"}", CONTROL_FLUSH, NULL, 0, 0,
     "xn--mller-kva.example", false},
    {"{\"command\":\"metrics\"}", CONTROL_METRICS, NULL, 0, 0, NULL, false},
    {"{\"command\":\"metrics\",\"format\":\"openmetrics\"}", CONTROL_METRICS, NULL, 0, 0, NULL,
     false},
    {"{\"command\":\"metrics\",\"format\":\"prometheus\"}", CONTROL_METRICS, NULL, 0, 0, NULL,
     true},

    {"{\"command\":\"find\",\"queue_id\":\"4fKx2n\"}", CONTROL_FIND, NULL, 0, 0, NULL, false},
    {"{\"command\":\"find\"}", -1, "\"queue_id\" is", 0, 0, NULL, false},
    {"{\"command\":\"find\",\"queue_id\":7}", -1, "\"queue_id\" is", 0, 0, NULL, false},

    {"{\"command\":\"recent\"}", CONTROL_RECENT, NULL, 0, 0, NULL, false},
    {"{\"command\":\"recent\",\"domain\":\"Praxis.example\",\"limit\":100}", CONTROL_RECENT, NULL,
     0, 0, "praxis.example", false},
    {"{\"command\":\"recent\",\"queue_id\":\"4fKx2n\",\"message_id\":\"1@x\"}", CONTROL_RECENT,
     NULL, 0, 0, NULL, false},
    {"{\"command\":\"recent\",\"address\":\"anna@praxis.example\"}", CONTROL_RECENT, NULL, 0, 0,
     NULL, false},
    {"{\"command\":\"recent\",\"domain\":\"a b\"}", -1, "\"domain\" is a domain name", 0, 0, NULL,
     false},
    {"{\"command\":\"recent\",\"address\":\"anna\"}", -1, "\"address\" is a mail address", 0, 0,
     NULL, false},
    {"{\"command\":\"recent\",\"address\":7}", -1, "\"address\" is a text", 0, 0, NULL, false},
    {"{\"command\":\"recent\",\"limit\":0}", -1, "\"limit\" is", 0, 0, NULL, false},
    {"{\"command\":\"recent\",\"limit\":101}", -1, "\"limit\" is", 0, 0, NULL, false},
    {"{\"command\":\"recent\",\"limit\":\"1\"}", -1, "\"limit\" is", 0, 0, NULL, false},

    {"{\"command\":\"fleet\"}", CONTROL_FLEET, NULL, 0, 0, NULL, false},
    {"{\"command\":\"fleet\",\"forget\":\"mx1\"}", CONTROL_FLEET, NULL, 0, 0, NULL, false},
    {"{\"command\":\"fleet\",\"forget\":7}", -1, "\"forget\" is a text", 0, 0, NULL, false},
    {"{\"command\":\"mode\",\"here\":true}", -1, "\"here\" goes with", 0, 0, NULL, false},
    {"{\"command\":\"mode\",\"mode\":\"off\",\"here\":1}", -1, "\"here\" is", 0, 0, NULL, false},
    {"{\"command\":\"mode\",\"mode\":\"off\",\"here\":true}", CONTROL_MODE_SET, NULL, MODE_OFF, 0,
     NULL, false},
    {"{\"command\":\"mode\",\"clear\":true,\"here\":true}", CONTROL_MODE_CLEAR, NULL, 0, 0, NULL,
     false},
    {"", -1, "not JSON", 0, 0, NULL, false},
    {" ", -1, "not JSON", 0, 0, NULL, false},
    {"status", -1, "not JSON", 0, 0, NULL, false},
    {"{\"command\":\"status\"", -1, "not JSON", 0, 0, NULL, false},
    {"{\"command\":\"status\"} {}", -1, "not JSON", 0, 0, NULL, false},
    {"{\"command\":\"status\",\"command\":\"reload\"}", -1, "duplicate", 0, 0, NULL, false},
    {"{\"command\":\"st\xff\"}", -1, "not JSON", 0, 0, NULL, false},
    {"{\"command\":\"m\\\xc3\xbc\"}", -1, "not JSON", 0, 0, NULL, false}, /* cut after \xc3 */
    {"{\"command\":\"status\\u0000\"}", -1, "not JSON", 0, 0, NULL, false},
    {"[\"status\"]", -1, "one JSON object", 0, 0, NULL, false},
    {"\"status\"", -1, "one JSON object", 0, 0, NULL, false},
    {"null", -1, "one JSON object", 0, 0, NULL, false},
    {"{}", -1, "\"command\" is missing", 0, 0, NULL, false},
    {"{\"command\":1}", -1, "\"command\" is missing or no text", 0, 0, NULL, false},
    {"{\"command\":null}", -1, "one of \"status\", \"mode\"", 0, 0, NULL, false},
    {"{\"command\":\"stop\"}", -1, "unknown command \"stop\"; known: \"status\"", 0, 0, NULL,
     false},
    {"{\"command\":\"STATUS\"}", -1, "unknown command", 0, 0, NULL, false},
    {"{\"command\":\"status\",\"mode\":\"off\"}", -1, "unknown member \"mode\"; known: \"command\"",
     0, 0, NULL, false},
    {"{\"command\":\"mode\",\"for \":1}", -1, "unknown member \"for \"", 0, 0, NULL, false},
    {"{\"command\":\"mode\",\"mode\":\"on\"}", -1, "\"rewrite\", \"log-only\" or \"off\"", 0, 0,
     NULL, false},
    {"{\"command\":\"mode\",\"mode\":\"\"}", -1, "\"mode\" is", 0, 0, NULL, false},
    {"{\"command\":\"mode\",\"mode\":null}", -1, "\"mode\" is", 0, 0, NULL, false},
    {"{\"command\":\"mode\",\"mode\":[\"off\"]}", -1, "\"mode\" is", 0, 0, NULL, false},
    {"{\"command\":\"mode\",\"mode\":\"off\",\"clear\":true}", -1, "exclude each other", 0, 0, NULL,
     false},
    {"{\"command\":\"mode\",\"clear\":1}", -1, "\"clear\" is", 0, 0, NULL, false},
    {"{\"command\":\"mode\",\"clear\":true,\"for\":1}", -1, "\"for\" goes with", 0, 0, NULL, false},
    {"{\"command\":\"mode\",\"for\":1}", -1, "\"for\" goes with", 0, 0, NULL, false},
    {"{\"command\":\"mode\",\"mode\":\"off\",\"for\":0}", -1, "at least 1", 0, 0, NULL, false},
    {"{\"command\":\"mode\",\"mode\":\"off\",\"for\":-5}", -1, "is not a time", 0, 0, NULL, false},
    {"{\"command\":\"mode\",\"mode\":\"off\",\"for\":1.5}", -1, "\"for\" is a time", 0, 0, NULL,
     false},
    {"{\"command\":\"mode\",\"mode\":\"off\",\"for\":null}", -1, "\"for\" is a time", 0, 0, NULL,
     false},
    {"{\"command\":\"mode\",\"mode\":\"off\",\"for\":9223372036854775807}", -1, "is not a time", 0,
     0, NULL, false},
    {"{\"command\":\"mode\",\"mode\":\"off\",\"for\":99999999999999999999}", -1, "not JSON", 0, 0,
     NULL, false},
    {"{\"command\":\"mode\",\"mode\":\"off\",\"for\":\"soon\"}", -1, "write it like 10s", 0, 0,
     NULL, false},
    {"{\"command\":\"flush\",\"domain\":\"a..b\"}", -1, "domain name", 0, 0, NULL, false},
    {"{\"command\":\"flush\",\"domain\":7}", -1, "domain name", 0, 0, NULL, false},
    {"{\"command\":\"flush\",\"domain\":null}", -1, "domain name", 0, 0, NULL, false},
    {"{\"command\":\"metrics\",\"format\":\"xml\"}", -1, "\"format\" is", 0, 0, NULL, false},
    {"{\"command\":\"metrics\",\"format\":1}", -1, "\"format\" is", 0, 0, NULL, false},
};

static void test_parse(void **state)
{
    const struct row *row = *state;
    g_auto(ControlRequest) request = {0};
    g_autoptr(GError) error = NULL;
    bool is_read = control_request_parse(row->name, strlen(row->name), &request, &error);

    assert_int_equal(is_read ? (int)request.command : -1, row->command);
    assert_true(is_read == (error == NULL));
    if (!is_read) {
        assert_true(g_utf8_validate(error->message, -1, NULL));
        if (strstr(error->message, row->says) == NULL)
            assert_string_equal(error->message, row->says);
        return;
    }
    if (request.command == CONTROL_MODE_SET)
        assert_int_equal(request.mode, row->mode);
    assert_int_equal(request.seconds, row->seconds);
    assert_string_equal(request.domain != NULL ? request.domain : "-",
                        row->domain != NULL ? row->domain : "-");
    assert_int_equal(request.is_prometheus, row->is_prometheus);
}

static void test_write(void **state)
{
    const struct row *row = *state;
    g_auto(ControlRequest) request = {0};
    g_auto(ControlRequest) again = {0};
    json_t *object;
    char *line;

    assert_true(control_request_parse(row->name, strlen(row->name), &request, NULL));
    object = control_request_write(&request);
    line = json_dumps(object, JSON_COMPACT);
    assert_true(control_request_parse(line, strlen(line), &again, NULL));
    assert_int_equal(again.command, request.command);
    assert_int_equal(again.mode, request.mode);
    assert_int_equal(again.seconds, request.seconds);
    assert_int_equal(g_strcmp0(again.domain, request.domain), 0);
    assert_int_equal(g_strcmp0(again.queue_id, request.queue_id), 0);
    assert_int_equal(g_strcmp0(again.message_id, request.message_id), 0);
    assert_int_equal(g_strcmp0(again.address, request.address), 0);
    assert_int_equal(again.limit, request.limit);
    assert_int_equal(g_strcmp0(again.queue_id, request.queue_id), 0);
    assert_int_equal(again.is_prometheus, request.is_prometheus);
    free(line);
    json_decref(object);
}

static void assert_refused(const char *line, gsize length)
{
    g_auto(ControlRequest) request = {0};
    g_autoptr(GError) error = NULL;

    assert_false(control_request_parse(line, length, &request, &error));
    assert_non_null(error);
    assert_true(strlen(error->message) < 400);
}

static void test_nul(void **state G_GNUC_UNUSED)
{
    static const char line[] = "{\"command\":\"status\"}\0";

    assert_refused(line, sizeof line - 1);
    assert_refused("\0", 1);
}

/* Neither memory nor the stack goes with what a stranger writes. */
static void test_deep(void **state G_GNUC_UNUSED)
{
    g_autofree char *brackets = g_strnfill(8192, '[');
    g_autofree char *member = g_strnfill(8000, 'x');
    g_autofree char *line = g_strdup_printf("{\"command\":\"mode\",\"%s\":1}", member);

    assert_refused(brackets, 8192);
    assert_refused(line, strlen(line));
}

/* What a client writes of a request is read as the same. */
static void add_written(GArray *tests)
{
    for (size_t i = 0; i < G_N_ELEMENTS(rows); i++) {
        g_autofree char *name = g_strconcat("written: ", rows[i].name, NULL);

        if (rows[i].command >= 0)
            table_add(tests, name, test_write, &rows[i]);
    }
}

int main(void)
{
    GArray *tests = table_new();

    TABLE_ADD(tests, rows, test_parse);
    add_written(tests);
    table_add(tests, "a NUL", test_nul, NULL);
    table_add(tests, "deep and long", test_deep, NULL);
    return table_run(tests, "control_request");
}
