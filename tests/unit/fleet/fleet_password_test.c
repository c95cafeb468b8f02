#include "config.h"

#include "fleet/fleet_password.h"

#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <glib/gstdio.h>

#include "unit/table.h"

static const struct row {
    const char *name;
    const char *text; /* NULL: there is no such file */
    int mode;
    const char *problem; /* its first words; NULL: there is none */
    const char *password;
} rows[] = {
    {"one line", "secret\n", 0600, NULL, "secret"},
    {"no line end, and the group reads it", "secret", 0640, NULL, "secret"},
    {"the first line counts", "first\r\nsecond\n", 0600, NULL, "first"},
    {"blanks belong to it", " a b \n", 0600, NULL, " a b "},
    {"open to others", "secret\n", 0604, "is open to others", "secret"},
    {"empty", "", 0600, "is empty", NULL},
    {"an empty first line", "\nsecret\n", 0600, "is empty", NULL},
    {"missing", NULL, 0600, "can't be read", NULL},
};

static void test_file(void **state)
{
    const struct row *row = *state;
    g_autofree char *folder = g_dir_make_tmp("spfrom-password-XXXXXX", NULL);
    g_autofree char *file = g_build_filename(folder, "password", NULL);
    g_autofree char *problem = NULL;
    g_autofree char *password = NULL;
    g_autoptr(GError) error = NULL;

    if (row->text != NULL) {
        assert_true(g_file_set_contents(file, row->text, -1, NULL));
        assert_int_equal(chmod(file, (mode_t)row->mode), 0);
    }
    problem = fleet_password_problem(file);
    password = fleet_password_read(file, &error);
    g_unlink(file);
    g_rmdir(folder);
    if (row->problem == NULL)
        assert_null(problem);
    else
        assert_true(problem != NULL && g_str_has_prefix(problem, row->problem));
    assert_true((password == NULL) == (error != NULL));
    if (row->password == NULL)
        assert_null(password);
    else
        assert_string_equal(password, row->password);
}

static void test_length(void **state G_GNUC_UNUSED)
{
    g_autofree char *longest = g_strnfill(1024, 'x');
    g_autofree char *longer = g_strnfill(1025, 'x');
    const struct row longest_row = {NULL, longest, 0600, NULL, longest};
    const struct row longer_row = {NULL, longer, 0600, "has no password", NULL};
    void *longest_state = (void *)(uintptr_t)&longest_row;
    void *longer_state = (void *)(uintptr_t)&longer_row;

    test_file(&longest_state);
    test_file(&longer_state);
}

static void test_folder(void **state G_GNUC_UNUSED)
{
    g_autofree char *problem = fleet_password_problem("/");

    assert_true(g_str_has_prefix(problem, "is not a file"));
}

int main(void)
{
    GArray *tests = table_new();

    TABLE_ADD(tests, rows, test_file);
    table_add(tests, "as long as it may be, and longer", test_length, NULL);
    table_add(tests, "a folder", test_folder, NULL);
    return table_run(tests, "fleet_password");
}
