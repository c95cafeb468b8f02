#include "config.h"

#include "advice/submission.h"

#include <glib/gstdio.h>
#include <string.h>
#include <sys/stat.h>

#include "mail/mailboxes.h"
#include "unit/table.h"

#define LONG 60 /* seconds that no test here needs */

/* A program in the place of sendmail(1): a script in a folder of its own. */
typedef struct {
    char *folder, *program, *seen;
} Stand;

static void stand_clear(Stand *stand)
{
    g_unlink(stand->program);
    g_unlink(stand->seen);
    g_rmdir(stand->folder);
    g_free(stand->program);
    g_free(stand->seen);
    g_free(stand->folder);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Stand, stand_clear)

/* commands: {seen} is a file that the test reads. */
static Stand stand_new(const char *commands)
{
    Stand stand = {.folder = g_dir_make_tmp("spfrom-XXXXXX", NULL)};
    g_autoptr(GString) script = g_string_new("#!/bin/sh\n");

    stand.program = g_build_filename(stand.folder, "sendmail", NULL);
    stand.seen = g_build_filename(stand.folder, "seen", NULL);
    g_string_append(script, commands);
    g_string_replace(script, "{seen}", stand.seen, 0);
    assert_true(g_file_set_contents(stand.program, script->str, -1, NULL));
    assert_int_equal(g_chmod(stand.program, 0700), 0);
    return stand;
}

static void test_sent(void **state G_GNUC_UNUSED)
{
    g_auto(Stand) stand =
        stand_new("exec >{seen}\nfor word; do echo \"[$word]\"; done\ncat\necho noise >&2\n");
    g_autofree char *seen = NULL;
    g_autoptr(GError) error = NULL;

    assert_true(submission_send(stand.program, "noreply@lemniscus.de", "anna@praxis.example",
                                "Subject: x\n\n.\nend\n", deadline_in(LONG), &error));
    assert_true(g_file_get_contents(stand.seen, &seen, NULL, NULL));
    assert_string_equal(seen, "[-i]\n[-f]\n[noreply@lemniscus.de]\n[--]\n[anna@praxis.example]\n"
                              "Subject: x\n\n.\nend\n");
}

static void test_null_sender(void **state G_GNUC_UNUSED)
{
    g_auto(Stand) stand = stand_new("echo \"$3\" >{seen}\n");
    g_autofree char *seen = NULL;

    assert_true(
        submission_send(stand.program, "", "anna@praxis.example", "x\n", deadline_in(LONG), NULL));
    assert_true(g_file_get_contents(stand.seen, &seen, NULL, NULL));
    assert_string_equal(seen, "<>\n");
}

/* The program leaves the message unread and says more than anybody wants to know. */
static void test_refused(void **state G_GNUC_UNUSED)
{
    g_auto(Stand) stand = stand_new("echo 'no such user' >&2\n"
                                    "head -c 200000 /dev/zero | tr '\\0' x >&2\nexit 67\n");
    g_autofree char *message = g_strnfill(1000000, 'x');
    g_autoptr(GError) error = NULL;

    assert_false(submission_send(stand.program, "", "anna@praxis.example", message,
                                 deadline_in(LONG), &error));
    assert_true(g_error_matches(error, SUBMISSION_ERROR, SUBMISSION_ERROR_REFUSED));
    assert_non_null(strstr(error->message, "status 67: no such user x"));
    assert_true(strlen(error->message) < 1200);
}

static void test_late(void **state G_GNUC_UNUSED)
{
    g_auto(Stand) stand = stand_new("exec sleep 1000\n");
    g_autoptr(GError) error = NULL;

    assert_false(
        submission_send(stand.program, "", "anna@praxis.example", "x\n", deadline_in(0), &error));
    assert_true(g_error_matches(error, SUBMISSION_ERROR, SUBMISSION_ERROR_LATE));
}

/* What the program leaves behind keeps stderr open: for half a minute, or until the test is over. */
static void test_left_behind(void **state G_GNUC_UNUSED)
{
    g_auto(Stand) stand =
        stand_new("echo told >&2\n"
                  "(n=0; while [ -e \"$0\" ] && [ $n -lt 300 ]; do\n"
                  "sleep 0.1; n=$((n + 1)); done; echo late >{seen}) &\nexit 67\n");
    g_autoptr(GError) error = NULL;

    assert_false(submission_send(stand.program, "", "anna@praxis.example", "x\n", deadline_in(LONG),
                                 &error));
    assert_true(g_error_matches(error, SUBMISSION_ERROR, SUBMISSION_ERROR_REFUSED));
    assert_non_null(strstr(error->message, "status 67: told"));
    assert_false(g_file_test(stand.seen, G_FILE_TEST_EXISTS));
}

/* What it leaves behind talks without end. */
static void test_left_talking(void **state G_GNUC_UNUSED)
{
    g_auto(Stand) stand = stand_new("yes >&2 &\nexit 0\n");
    g_autoptr(GError) error = NULL;

    assert_true(submission_send(stand.program, "", "anna@praxis.example", "x\n", deadline_in(LONG),
                                &error));
}

/* It closes stderr and goes on: its end is waited for, and for no longer than until the deadline. */
static void test_silent(void **state G_GNUC_UNUSED)
{
    g_auto(Stand) stand = stand_new("exec 2>&-\nsleep 0.3\necho x >{seen}\nexit 68\n");
    g_auto(Stand) lasting = stand_new("exec 2>&-\nexec sleep 1000\n");
    g_autoptr(GError) error = NULL;

    assert_false(submission_send(stand.program, "", "anna@praxis.example", "x\n", deadline_in(LONG),
                                 &error));
    assert_true(g_error_matches(error, SUBMISSION_ERROR, SUBMISSION_ERROR_REFUSED));
    assert_true(g_file_test(stand.seen, G_FILE_TEST_EXISTS));
    g_clear_error(&error);
    assert_false(
        submission_send(lasting.program, "", "anna@praxis.example", "x\n", deadline_in(1), &error));
    assert_true(g_error_matches(error, SUBMISSION_ERROR, SUBMISSION_ERROR_LATE));
}

static void test_missing(void **state G_GNUC_UNUSED)
{
    g_autoptr(GError) error = NULL;

    assert_false(submission_send("/nowhere/sendmail", "", "anna@praxis.example", "x\n",
                                 deadline_in(LONG), &error));
    assert_true(g_error_matches(error, SUBMISSION_ERROR, SUBMISSION_ERROR_START));
}

static const struct address_row {
    const char *name; /* the address */
    bool is_right;
} address_rows[] = {
    {"anna@praxis.example", true},
    {"o'hara+x=y@praxis.example", true},
    {"-oQ/tmp@praxis.example", true}, /* behind "--" */
    {"anna@xn--mller-kva.example", true},
    {"", false},
    {"anna", false},
    {"anna@", false},
    {"anna@PRAXIS.example", false},
    {"anna@praxis.example,eve@evil.example", false},
    {"anna@praxis.example eve@evil.example", false},
    {"Anna <anna@praxis.example>", false},
    {"<anna@praxis.example>", false},
    {"anna@praxis.example (x)", false},
    {"anna@praxis.example\nBcc: eve@evil.example", false},
    {"\"anna eve\"@praxis.example", false},
    {"\"|sh\"@praxis.example", false},
    {"m\xc3\xbcller@praxis.example", false},
    {"anna@[192.0.2.1]", false},
    {":include:/etc/passwd@praxis.example", false},
};

static void test_address(void **state)
{
    const struct address_row *row = *state;
    g_autoptr(GError) error = NULL;

    assert_int_equal(submission_is_address(row->name), row->is_right);
    if (row->is_right)
        return;
    assert_false(submission_send("/bin/true", "", row->name, "x\n", deadline_in(LONG), &error));
    assert_true(g_error_matches(error, SUBMISSION_ERROR, SUBMISSION_ERROR_ADDRESS));
}

int main(void)
{
    GArray *tests = table_new();

    mailboxes_init();
    TABLE_ADD(tests, address_rows, test_address);
    table_add(tests, "sent", test_sent, NULL);
    table_add(tests, "null sender", test_null_sender, NULL);
    table_add(tests, "refused", test_refused, NULL);
    table_add(tests, "late", test_late, NULL);
    table_add(tests, "left behind", test_left_behind, NULL);
    table_add(tests, "left talking", test_left_talking, NULL);
    table_add(tests, "silent", test_silent, NULL);
    table_add(tests, "missing", test_missing, NULL);
    return table_run(tests, "submission");
}
