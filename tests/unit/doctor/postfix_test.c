/* Lists of milters, and what postconf prints. */
#include "config.h"

#include "doctor/postfix.h"

#include <string.h>

#include "unit/table.h"

static const struct list_row {
    const char *name;    /* the value of smtpd_milters */
    const char *milters; /* address, then its own default_action, each milter after a blank */
    const char *with;    /* X put before the second, "inet:us:1" left out */
} list_rows[] = {
    {"", "", "X"},
    {"inet:a:1", "inet:a:1", "inet:a:1,X"},
    {"inet:a:1, inet:b:2", "inet:a:1 inet:b:2", "inet:a:1,X,inet:b:2"},
    {"inet:a:1 inet:us:1", "inet:a:1 inet:us:1", "inet:a:1,X"},
    {"inet:us:1,inet:a:1", "inet:us:1 inet:a:1", "X,inet:a:1"},
    {"{ inet:a:1, default_action=accept }, unix:/b", "inet:a:1=accept unix:/b",
     "{inet:a:1,default_action=accept},X,unix:/b"},
    {"{inet:a:1,{ default_action = accept }}", "inet:a:1=accept",
     "{inet:a:1,{ default_action = accept }},X"},
    {"{ inet:a:1 }", "inet:a:1", "{inet:a:1},X"},
    {"inet:1@a", "inet:a:1", "inet:a:1,X"}, /* Sendmail's form is corrected */
    {"{ inet6:1@::1, default_action=accept }", "inet:[::1]:1=accept",
     "{inet:[::1]:1,default_action=accept},X"},
    {"/run/a, inet:127.0.0.1", "unix:/run/a inet:127.0.0.1", "unix:/run/a,X,inet:127.0.0.1"},
    {"{}", "{}", "{},X"},
    {"{ , }", "{ , }", "{ , },X"},
    {"{ inet:a:1", "{ inet:a:1", "{ inet:a:1,X"},
};

static void test_list(void **state)
{
    const struct list_row *row = *state;
    g_autoptr(GPtrArray) milters = postfix_milters_parse(row->name);
    g_autoptr(GString) text = g_string_new(NULL);
    bool is_ours[8] = {false};
    g_autofree char *with = NULL;

    for (guint i = 0; i < milters->len; i++) {
        const PostfixMilter *milter = g_ptr_array_index(milters, i);
        const char *action = postfix_milter_setting(milter, "default_action");

        is_ours[i] = strcmp(milter->text, "inet:us:1") == 0;
        g_string_append_printf(text, "%s%s%s%s", i > 0 ? " " : "", milter->address_text,
                               action != NULL ? "=" : "", action != NULL ? action : "");
    }
    with = postfix_milters_with(milters, is_ours, "X", MIN(milters->len, 1));
    assert_string_equal(text->str, row->milters);
    assert_string_equal(with, row->with);
}

static const char parameters[] = "smtpd_milters = inet:a:1, inet:b:2\n"
                                 "milter_content_timeout = 300s\n"
                                 "queue_directory = /var/spool/postfix\n"
                                 "odd = a = b\n"
                                 "empty =\n"
                                 "no setting\n";
static const char services[] =
    "smtp       inet  n       -       y       -       -       smtpd\n"
    "submission inet  n       -       n       -       -       smtpd -o a=b\n"
    "    -o smtpd_milters=\n"
    "private/x  unix  -       -       -       -       -       smtp\n"
    "short inet n\n"
    "\n";
static const char overrides[] = "submission/inet/smtpd_milters = \n"
                                "private/x/unix/milter_content_timeout = 5m\n"
                                "gone/inet/smtpd_milters = inet:a:1\n"
                                "smtpd_milters = inet:a:1\n";

static const struct postfix_row {
    const char *name; /* of the service; "-": main.cf */
    const char *type;
    const char *parameter;
    const char *value;
    gint64 seconds;
    bool is_chrooted;
} postfix_rows[] = {
    {"-", "", "smtpd_milters", "inet:a:1, inet:b:2", 0, false},
    {"-", "", "odd", "a = b", 0, false},
    {"-", "", "empty", "", 0, false},
    {"-", "", "missing", "", 0, false},
    {"-", "", "milter_content_timeout", "300s", 300, false},
    {"smtp", "inet", "smtpd_milters", "inet:a:1, inet:b:2", 0, true},
    {"submission", "inet", "smtpd_milters", "", 0, false},
    {"private/x", "unix", "milter_content_timeout", "5m", 300, true},
};

static void test_postfix(void **state)
{
    const struct postfix_row *row = *state;
    g_autofree char *level = g_strconcat("compatibility_level = 0\n", parameters, NULL);
    g_autoptr(Postfix) postfix = postfix_parse(level, services, overrides);
    const PostfixService *service =
        *row->type != '\0' ? postfix_service(postfix, row->name, row->type) : NULL;

    assert_int_equal(postfix->services->len, 3);
    assert_int_equal(service == NULL, *row->type == '\0');
    assert_string_equal(postfix_value(postfix, service, row->parameter), row->value);
    assert_int_equal(postfix_seconds(postfix, service, row->parameter), row->seconds);
    assert_int_equal(service != NULL && service->is_chrooted, row->is_chrooted);
}

static const struct path_row {
    const char *name;
    const char *service; /* of services, type inet; NULL: none */
    const char *seen;
} path_rows[] = {
    {"/run/a.sock", NULL, "/run/a.sock"},
    {"/run/a.sock", "submission", "/run/a.sock"},
    {"/run/a.sock", "smtp", "/var/spool/postfix/run/a.sock"},
    {"spfrom/a.sock", "submission", "/var/spool/postfix/spfrom/a.sock"},
};

static void test_path(void **state)
{
    const struct path_row *row = *state;
    g_autoptr(Postfix) postfix = postfix_parse(parameters, services, overrides);
    const PostfixService *service =
        row->service != NULL ? postfix_service(postfix, row->service, "inet") : NULL;
    g_autofree char *seen = postfix_path(postfix, service, row->name);

    assert_string_equal(seen, row->seen);
}

/* The default of the chroot column changed with compatibility_level 1. */
static const struct chroot_row {
    const char *name;
    bool is_chrooted;
} chroot_rows[] = {{"0", true}, {"0.9", false}, {"1", false}, {"2", false}, {"3.6", false}};

static void test_chroot(void **state)
{
    const struct chroot_row *row = *state;
    g_autofree char *level = g_strdup_printf("compatibility_level = %s\n", row->name);
    g_autoptr(Postfix) postfix = postfix_parse(level, services, overrides);

    assert_int_equal(postfix_service(postfix, "private/x", "unix")->is_chrooted, row->is_chrooted);
}

static const struct command_row {
    const char *name;
    const char *directory;
    const char *service;
    const char *value;
    const char *command;
} command_rows[] = {
    {"main.cf", NULL, NULL, "inet:a:1,inet:b:2", "postconf -e 'smtpd_milters=inet:a:1,inet:b:2'"},
    {"directory", "/etc/post fix", NULL, "x", "postconf -c '/etc/post fix' -e 'smtpd_milters=x'"},
    {"service", NULL, "submission", "x", "postconf -P 'submission/inet/smtpd_milters=x'"},
    {"reference", NULL, NULL, "$smtpd_milters", "postconf -e 'smtpd_milters=$smtpd_milters'"},
    {"quote", NULL, NULL, "x'; rm y", "postconf -e 'smtpd_milters=x'\\''; rm y'"},
};

static void test_command(void **state)
{
    const struct command_row *row = *state;
    g_autoptr(Postfix) postfix = postfix_parse(parameters, services, overrides);
    const PostfixService *service =
        row->service != NULL ? postfix_service(postfix, row->service, "inet") : NULL;
    g_autofree char *command = NULL;

    postfix->directory = g_strdup(row->directory);
    command = postfix_set_command(postfix, service, "smtpd_milters", row->value);
    assert_string_equal(command, row->command);
}

int main(void)
{
    GArray *tests = table_new();

    TABLE_ADD(tests, list_rows, test_list);
    TABLE_ADD(tests, postfix_rows, test_postfix);
    TABLE_ADD(tests, path_rows, test_path);
    TABLE_ADD(tests, chroot_rows, test_chroot);
    TABLE_ADD(tests, command_rows, test_command);
    return table_run(tests, "postfix");
}
