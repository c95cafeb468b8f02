#include "config.h"

#include "web/listen_address.h"

#include <unistd.h>

#include "unit/table.h"

static const struct row {
    const char *name;
    const char *url; /* NULL: an error */
    bool is_loopback;
} rows[] = {
    {"", "http://127.0.0.1:8895/", true},
    {"8080", "http://127.0.0.1:8080/", true},
    {":8080", "http://127.0.0.1:8080/", true},
    {"localhost:8080", "http://127.0.0.1:8080/", true},
    {"192.0.2.7", "http://192.0.2.7:8895/", false},
    {"192.0.2.7:80", "http://192.0.2.7:80/", false},
    {"[::1]:8080", "http://[::1]:8080/", true},
    {"[::1]", "http://[::1]:8895/", true},
    {"::1", "http://[::1]:8895/", true},
    {"2001:db8::7", "http://[2001:db8::7]:8895/", false},
    {"*:80", "http://0.0.0.0:80/", false},
    {"0.0.0.0", "http://0.0.0.0:8895/", false},
    {"127.0.0.1:65536", NULL, false},
    {"127.0.0.1:", NULL, false},
    {"127.0.0.1:http", NULL, false},
    {"127.0.0.1:-1", NULL, false},
    {"[::1]8080", NULL, false},
    {"[::1", NULL, false},
    {"mail.example.org:80", NULL, false},
    {"127.0.0.256", NULL, false},
    {"-8080", NULL, false},
};

static void test_parse(void **state)
{
    const struct row *row = *state;
    g_autoptr(GError) error = NULL;
    ListenAddress address;
    g_autofree char *url = NULL;

    assert_int_equal(listen_address_parse(row->name, &address, &error), row->url != NULL);
    assert_int_equal(error == NULL, row->url != NULL);
    if (row->url == NULL)
        return;
    url = listen_address_url(&address);
    assert_string_equal(url, row->url);
    assert_int_equal(listen_address_is_loopback(&address), row->is_loopback);
}

static void test_open(void **state)
{
    g_autoptr(GError) error = NULL;
    ListenAddress wanted, given;
    g_autofree char *host = NULL;
    int listener;

    (void)state;
    assert_true(listen_address_parse("0", &wanted, NULL));
    listener = listen_address_open(&wanted, &error);
    assert_true(listener >= 0);
    assert_true(listen_address_of(listener, &given));
    host = listen_address_host(&given);
    assert_string_equal(host, "127.0.0.1");
    assert_int_equal(listen_address_open(&given, &error), -1);
    assert_non_null(error);
    close(listener);
}

int main(void)
{
    GArray *tests = table_new();

    TABLE_ADD(tests, rows, test_parse);
    table_add(tests, "a free port, once", test_open, NULL);
    return table_run(tests, "listen_address");
}
