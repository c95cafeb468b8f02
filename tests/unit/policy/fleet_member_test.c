#include "config.h"

#include "policy/fleet_member.h"

#include <string.h>

#include "unit/table.h"

static const struct row {
    const char *text;
    const char *path; /* NULL, and host too: an error */
    const char *host;
    guint port;
    const char *user;
    guint database;
    bool is_tls;
} rows[] = {
    {"unix:/run/valkey/valkey.sock", "/run/valkey/valkey.sock", NULL, 0, NULL, 0, false},
    {"redis://store.example", NULL, "store.example", 6379, NULL, 0, false},
    {"redis://store.example/", NULL, "store.example", 6379, NULL, 0, false},
    {"redis://store.example:7000/3", NULL, "store.example", 7000, NULL, 3, false},
    {"rediss://spfrom@store.example/1", NULL, "store.example", 6379, "spfrom", 1, true},
    {"redis://[2001:db8::1]:7000", NULL, "2001:db8::1", 7000, NULL, 0, false},
    {"redis://192.0.2.1", NULL, "192.0.2.1", 6379, NULL, 0, false},
    {.text = ""},
    {.text = "store.example"},
    {.text = "unix:store.sock"},
    {.text = "http://store.example"},
    {.text = "redis://"},
    {.text = "redis:///0"},
    {.text = "redis://store.example:0"},
    {.text = "redis://store.example:65536"},
    {.text = "redis://store.example/x"},
    {.text = "redis://store.example/-1"},
    {.text = "redis://store.example/1/2"},
    {.text = "redis://store.example/99999"},
    {.text = "redis://store.example/?db=1"},
    {.text = "redis://store.example#1"},
};

static void test_parse(void **state)
{
    const struct row *row = *state;
    g_autoptr(GError) error = NULL;
    g_autoptr(FleetMember) member = fleet_member_parse(row->text, &error);
    g_autoptr(FleetMember) copy = NULL;

    if (row->path == NULL && row->host == NULL) {
        assert_null(member);
        assert_non_null(strstr(error->message, "redis://HOST"));
        return;
    }
    assert_non_null(member);
    copy = fleet_member_copy(member);
    assert_string_equal(copy->text, row->text);
    assert_int_equal(g_strcmp0(copy->path, row->path), 0);
    assert_int_equal(g_strcmp0(copy->host, row->host), 0);
    assert_int_equal(copy->port, row->port);
    assert_int_equal(g_strcmp0(copy->user, row->user), 0);
    assert_int_equal(copy->database, row->database);
    assert_int_equal(copy->is_tls, row->is_tls);
}

/* A password would be shown wherever the member is. */
static void test_password(void **state)
{
    g_autoptr(GError) error = NULL;

    (void)state;
    assert_null(fleet_member_parse("redis://spfrom:secret@store.example", &error));
    assert_null(strstr(error->message, "secret"));
    assert_non_null(strstr(error->message, "fleet_password_file"));
}

int main(void)
{
    GArray *tests = table_new();

    for (size_t i = 0; i < G_N_ELEMENTS(rows); i++)
        table_add(tests, rows[i].text, test_parse, &rows[i]);
    table_add(tests, "password", test_password, NULL);
    return table_run(tests, "fleet_member");
}
