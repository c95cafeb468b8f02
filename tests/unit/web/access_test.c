#include "config.h"

#include "web/access.h"

#include <glib/gstdio.h>
#include <string.h>

#include "unit/table.h"

static const struct password_row {
    const char *name;
    const char *password;
    const char *scheme;
    const char *credentials; /* before base64 */
    bool is_right;
} password_rows[] = {
    {"name and password", "ops:secret", "Basic ", "ops:secret", true},
    {"lower-case scheme", "ops:secret", "basic ", "ops:secret", true},
    {"another name", "ops:secret", "Basic ", "root:secret", false},
    {"another password", "ops:secret", "Basic ", "ops:secreT", false},
    {"a beginning", "ops:secret", "Basic ", "ops:secre", false},
    {"more than it", "ops:secret", "Basic ", "ops:secrets", false},
    {"a colon in the password", "ops:se:cret", "Basic ", "ops:se:cret", true},
    {"any name", "secret", "Basic ", "whoever:secret", true},
    {"no name", "secret", "Basic ", ":secret", true},
    {"the name is not the password", "secret", "Basic ", "secret:", false},
    {"no colon", "secret", "Basic ", "secret", false},
    {"nothing", "secret", "Basic ", "", false},
    {"another scheme", "ops:secret", "Bearer ", "ops:secret", false},
};

static void test_password(void **state)
{
    const struct password_row *row = *state;
    g_autofree char *encoded =
        g_base64_encode((const guchar *)row->credentials, strlen(row->credentials));
    g_autofree char *field = g_strconcat(row->scheme, encoded, NULL);

    assert_int_equal(access_password_is_right(row->password, field), row->is_right);
}

static void test_no_field(void **state)
{
    g_autofree char *longest = g_strnfill(100000, 'A');
    g_autofree char *field = g_strconcat("Basic ", longest, NULL);

    (void)state;
    assert_false(access_password_is_right("secret", NULL));
    assert_false(access_password_is_right("secret", ""));
    assert_false(access_password_is_right("secret", "Basic ====%%%"));
    assert_false(access_password_is_right("secret", field));
}

static const struct file_row {
    const char *name;
    const char *content;
    int mode;
    const char *password; /* NULL: an error */
} file_rows[] = {
    {"one line", "ops:secret\n", 0600, "ops:secret"},
    {"without its end", "secret", 0640, "secret"},
    {"the first line counts", "secret\r\nmore\n", 0600, "secret"},
    {"everyone can read it", "secret\n", 0644, NULL},
    {"empty", "", 0600, NULL},
    {"an empty line", "\nsecret\n", 0600, NULL},
    {"no password", "ops:\n", 0600, NULL},
    {"no name", ":secret\n", 0600, NULL},
};

static void test_file(void **state)
{
    const struct file_row *row = *state;
    g_autofree char *folder = g_dir_make_tmp("password-XXXXXX", NULL);
    g_autofree char *file = g_build_filename(folder, "password", NULL);
    g_autoptr(GError) error = NULL;
    g_autofree char *password = NULL;

    assert_true(g_file_set_contents(file, row->content, -1, NULL));
    assert_int_equal(g_chmod(file, row->mode), 0);
    password = access_password_read(file, &error);
    g_unlink(file);
    g_rmdir(folder);
    assert_int_equal(password != NULL, row->password != NULL);
    assert_int_equal(error == NULL, row->password != NULL);
    if (row->password != NULL)
        assert_string_equal(password, row->password);
}

static void test_missing(void **state)
{
    g_autoptr(GError) error = NULL;

    (void)state;
    assert_null(access_password_read("/nonexistent/password", &error));
    assert_non_null(strstr(error->message, "No such file"));
}

static const struct host_row {
    const char *name; /* the Host field */
    const char *local;
    bool is_ours;
} host_rows[] = {
    {"localhost", "127.0.0.1", true},
    {"localhost:8895", "127.0.0.1", true},
    {"LOCALHOST.:1", "127.0.0.1", true},
    {"127.0.0.1:8895", "127.0.0.1", true},
    {"127.1.2.3", "127.0.0.1", true},
    {"[::1]:8895", "127.0.0.1", true},
    {"192.0.2.7:8895", "192.0.2.7", true},
    {"[2001:db8::7]:8895", "2001:db8::7", true},
    {"[2001:DB8:0::7]", "2001:db8::7", true},
    {"spfrom.example.org", "192.0.2.7", true},
    {"SPFrom.Example.ORG:443", "192.0.2.7", true},
    {"192.0.2.8", "192.0.2.7", false},
    {"evil.example", "127.0.0.1", false},
    {"localhost.evil.example", "127.0.0.1", false},
    {"evil.example:127.0.0.1", "127.0.0.1", false},
    {"127.0.0.1.evil.example", "127.0.0.1", false},
    {"xspfrom.example.org", "127.0.0.1", false},
    {"127.0.0.0/8", "127.0.0.1", false},
    {"[::1", "::1", false},
    {"[::1]x", "::1", false},
    {"2001:db8::7", "2001:db8::7", false},
    {"", "127.0.0.1", false},
    {":8895", "127.0.0.1", false},
    {".", "127.0.0.1", false},
    {"localhost:80x", "127.0.0.1", false},
    {"a@localhost", "127.0.0.1", false},
};

static void test_host(void **state)
{
    static const char *const names[] = {"other.example.org", "spfrom.example.org", NULL};
    const struct host_row *row = *state;

    assert_int_equal(access_host_is_ours(row->name, row->local, names), row->is_ours);
}

static void test_no_host(void **state)
{
    (void)state;
    assert_false(access_host_is_ours(NULL, "127.0.0.1", NULL));
    assert_true(access_host_is_ours("localhost", "127.0.0.1", NULL));
}

int main(void)
{
    GArray *tests = table_new();

    TABLE_ADD(tests, password_rows, test_password);
    TABLE_ADD(tests, file_rows, test_file);
    TABLE_ADD(tests, host_rows, test_host);
    table_add(tests, "no field, and what is none", test_no_field, NULL);
    table_add(tests, "no host", test_no_host, NULL);
    table_add(tests, "no file", test_missing, NULL);
    return table_run(tests, "access");
}
