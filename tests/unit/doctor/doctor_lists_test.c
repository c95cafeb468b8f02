/* What `spfrom doctor` reads of other programs' configurations: addresses of milters, lists of
 * them, what postconf prints. */
#include "config.h"

#include "doctor/dns.h"
#include "doctor/findings.h"
#include "doctor/milter_address.h"
#include "doctor/postfix.h"
#include "doctor/fallback.h"
#include "doctor/sendmail.h"
#include "doctor/probe.h"

#include <string.h>

#include "unit/table.h"

static const struct address_row {
    const char *name;
    const char *postfix; /* as milter_address_postfix() writes it; NULL: none */
} address_rows[] = {
    {"inet:127.0.0.1:8891", "inet:127.0.0.1:8891"},
    {"inet:localhost:8891", "inet:localhost:8891"},
    {"inet:LocalHost:8891", "inet:localhost:8891"},
    {"inet:8891@localhost", "inet:localhost:8891"},
    {"inet6:8891@::1", "inet:[::1]:8891"},
    {"inet6:8891@[::1]", "inet:[::1]:8891"},
    {"inet:[::1]:8891", "inet:[::1]:8891"},
    {"inet:8891", "inet:127.0.0.1:8891"},
    {"inet:8891@0.0.0.0", "inet:127.0.0.1:8891"},
    {"inet:host:smtp", "inet:host:25"},
    {"unix:/run/a.sock", "unix:/run/a.sock"},
    {"local:/run/a.sock", "unix:/run/a.sock"},
    {"unix:spfrom/a.sock", "unix:spfrom/a.sock"},
    {"/run/a.sock", "unix:/run/a.sock"},
    {"inet:host:0", NULL},
    {"inet:host:65536", NULL},
    {"inet:host:nonsense-port", NULL},
    {"inet:", NULL},
    {"unix:", NULL},
    {"host:25", NULL},
    {"", NULL},
};

static void test_address(void **state)
{
    const struct address_row *row = *state;
    g_autoptr(MilterAddress) address = milter_address_parse(row->name);
    g_autofree char *postfix = address != NULL ? milter_address_postfix(address) : NULL;

    if (row->postfix == NULL)
        assert_null(address);
    else
        assert_string_equal(postfix, row->postfix);
}

static const struct reach_row {
    const char *name; /* the address that is asked for */
    const char *listening;
    bool reaches;
} reach_rows[] = {
    {"inet:127.0.0.1:8894", "inet:8894@127.0.0.1", true},
    {"inet:localhost:8894", "inet:8894@127.0.0.1", true},
    {"inet:127.0.0.1:8894", "inet:8894@localhost", true},
    {"inet:127.0.0.1:8894", "inet:8894@0.0.0.0", true},
    {"inet:127.0.0.2:8894", "inet:8894@127.0.0.1", false},
    {"inet:192.0.2.1:8894", "inet:8894@0.0.0.0", false},
    {"inet:[::1]:8894", "inet:8894@127.0.0.1", false},
    {"inet:[::1]:8894", "inet6:8894@::1", true},
    {"inet:127.0.0.1:8895", "inet:8894@127.0.0.1", false},
    {"unix:/run/a.sock", "unix:/run/a.sock", true},
    {"unix:/run/../run//a.sock", "unix:/run/a.sock", true},
    {"unix:/run/b.sock", "unix:/run/a.sock", false},
    {"unix:/run/a.sock", "inet:8894@127.0.0.1", false},
};

static void test_reach(void **state)
{
    const struct reach_row *row = *state;
    g_autoptr(MilterAddress) asked = milter_address_parse(row->name);
    g_autoptr(MilterAddress) listening = milter_address_parse(row->listening);

    assert_int_equal(milter_address_reaches(asked, listening), row->reaches);
}

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

static const struct known_row {
    const char *name; /* as the MTA has the address */
    const char *program;
    const char *known; /* NULL: not known */
    bool is_signer;
} known_rows[] = {
    {"inet:localhost:8891", NULL, "OpenDKIM", true},
    {"inet:localhost:8893", NULL, "OpenDMARC", false},
    {"inet:localhost:11332", NULL, "rspamd", true},
    {"unix:/run/opendkim/opendkim.sock", NULL, "OpenDKIM", true},
    {"unix:opendkim/opendkim.sock", NULL, "OpenDKIM", true},
    {"unix:/run/dkimpy-milter/dkimpy-milter.sock", NULL, "dkimpy-milter", true},
    {"inet:localhost:9999", NULL, NULL, false},
    {"inet:localhost:9999", "opendkim", "OpenDKIM", true},
    {"inet:localhost:9999", "rspamd", "rspamd", true},
    {"inet:localhost:8891", "my-milter", NULL,
     false}, /* what listens there says more than the port */
    {"nonsense", NULL, NULL, false},
};

static void test_known(void **state)
{
    const struct known_row *row = *state;
    g_autoptr(MilterAddress) address = milter_address_parse(row->name);
    const KnownMilter *known = milter_address_known(row->program, row->name, address);

    if (row->known == NULL) {
        assert_null(known);
        return;
    }
    assert_string_equal(known->name, row->known);
    assert_int_equal(known->is_signer, row->is_signer);
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

static const struct mend_row {
    const char *name;
    const char *text;
    const char *command; /* NULL: none */
} mend_rows[] = {
    {"replaces the setting", "a = 1\nkey = { x }\n", "sed -i '2c\\key = { y }' '/etc/s.conf'"},
    {"with blanks", "a = 1\n  key={ x }\n", "sed -i '2c\\key = { y }' '/etc/s.conf'"},
    {"adds to the default", "key += { x }\n", "sed -i '1c\\key = { y }' '/etc/s.conf'"},
    {"takes the place of the default", "# key is\n# key = { x }\n# key = { z }\n",
     "sed -i '2c\\key = { y }' '/etc/s.conf'"},
    {"the setting, not the default", "# key = { x }\nkey = { z }\n",
     "sed -i '2c\\key = { y }' '/etc/s.conf'"},
    {"not in a section", "domain \"a\" {\nkey = x\n}\n", "echo 'key = { y }' >>'/etc/s.conf'"},
    {"after a section in one line", "domain \"a\" { key = x }\nkey = z\n",
     "sed -i '2c\\key = { y }' '/etc/s.conf'"},
    {"another key", "key_2 = x\nmy key = x\n", "echo 'key = { y }' >>'/etc/s.conf'"},
    {"nothing there", "", "echo 'key = { y }' >>'/etc/s.conf'"},
    {"several lines", "key = {\n x\n}\n", NULL},
};

static void test_mend(void **state)
{
    const struct mend_row *row = *state;
    g_autofree char *command = findings_key_command("/etc/s.conf", row->text, "key", "{ y }");

    if (row->command == NULL)
        assert_null(command);
    else
        assert_string_equal(command, row->command);
}

static const struct provider_row {
    const char *name;
    const char *spf; /* NULL: no provider */
} provider_rows[] = {
    {"email-smtp.eu-west-1.amazonaws.com", "amazonses.com"},
    {"smtp.sendgrid.net", "sendgrid.net"},
    {"sendgrid.net", "sendgrid.net"},
    {"notsendgrid.net", NULL},
    {"mail.example.net", NULL},
};

static void test_provider(void **state)
{
    const struct provider_row *row = *state;
    const char *spf = doctor_dns_provider(row->name);

    if (row->spf == NULL)
        assert_null(spf);
    else
        assert_string_equal(spf, row->spf);
}

static const struct key_table_row {
    const char *name;
    const char *text;
    const char *selectors;
} key_table_rows[] = {
    {"a row", "key example.org:s1:/k\n", "s1"},
    {"others", "key example.net:s1:/k\n#key example.org:s2:/k\n\nnonsense\n", ""},
    {"any domain", "key %:s1:/k\n", "s1"},
    {"once each", "a example.org:s1:/k\nb Example.ORG:s1:/l\nc example.org:s2:/m\n", "s1 s2"},
    {"equals sign", "key=example.org:s1:/k\n", "s1"},
};

static void test_key_table(void **state)
{
    const struct key_table_row *row = *state;
    g_autoptr(GPtrArray) selectors = g_ptr_array_new_with_free_func(g_free);
    g_autofree char *text = NULL;

    fallback_key_table(row->text, "example.org", selectors);
    g_ptr_array_add(selectors, NULL);
    text = g_strjoinv(" ", (char **)selectors->pdata);
    assert_string_equal(text, row->selectors);
}

static const struct cf_row {
    const char *name;
    const char *text;
    const char *milters; /* NAME:FLAG:R:E of each */
    const char *filters;
    const char *daemons; /* NAME=FILTERS of each; "-" for the general list */
} cf_rows[] = {
    {"as m4 makes it",
     "O InputMailFilters=spfrom,dkim\nXspfrom, S=unix:/a, F=T, T=C:5s;S:10s;R:20s;E:60s\n"
     "Xdkim, S=inet:8891@localhost\n",
     "spfrom:T:20:60 dkim:-:10:300", "spfrom dkim", ""},
    {"folded", "Xspfrom, S=unix:/a,\n\tF=R\n", "spfrom:R:10:300", "", ""},
    {"minutes", "Xspfrom, S=unix:/a, T=R:2m;E:x\n", "spfrom:-:120:300", "", ""},
    {"commented out", "#O InputMailFilters=a\n#Xa, S=unix:/a\n", "", "", ""},
    {"daemons",
     "O DaemonPortOptions=Name=MTA, Port=25\nO DaemonPortOptions=Port=587, Name=MSA, "
     "InputMailFilters=a;b\nO DaemonPortOptions=Port=2525, I=\n",
     "", "", "MTA=- MSA=a,b MTA="},
    {"the last list counts", "O InputMailFilters=a\nO InputMailFilters= b , c\n", "", "b c", ""},
    {"odd lines", "\nX\nX,\nXa,S,F=,T=;\nO\nO InputMailFilters\n", ":-:10:300 :-:10:300 a:-:10:300",
     "", ""},
};

static char *joined(const GPtrArray *names, const char *separator)
{
    g_autoptr(GPtrArray) all = g_ptr_array_new();

    for (guint i = 0; i < names->len; i++)
        g_ptr_array_add(all, g_ptr_array_index(names, i));
    g_ptr_array_add(all, NULL);
    return g_strjoinv(separator, (char **)all->pdata);
}

static void test_cf(void **state)
{
    const struct cf_row *row = *state;
    g_autoptr(SendmailCf) cf = sendmail_cf_parse(row->text);
    g_autoptr(GString) milters = g_string_new(NULL);
    g_autoptr(GString) daemons = g_string_new(NULL);
    g_autofree char *filters = joined(cf->filters, " ");

    for (guint i = 0; i < cf->milters->len; i++) {
        const SendmailMilter *milter = g_ptr_array_index(cf->milters, i);

        g_string_append_printf(milters, "%s%s:%c:%d:%d", i > 0 ? " " : "", milter->name,
                               milter->flag != '\0' ? milter->flag : '-', (int)milter->read_time,
                               (int)milter->end_time);
    }
    for (guint i = 0; i < cf->daemons->len; i++) {
        const SendmailDaemon *daemon = g_ptr_array_index(cf->daemons, i);
        g_autofree char *own = daemon->filters != NULL ? joined(daemon->filters, ",") : NULL;

        g_string_append_printf(daemons, "%s%s=%s", i > 0 ? " " : "", daemon->name,
                               own != NULL ? own : "-");
    }
    assert_string_equal(milters->str, row->milters);
    assert_string_equal(filters, row->filters);
    assert_string_equal(daemons->str, row->daemons);
}

static const struct host_row {
    const char *name; /* a line of sendmail.cf */
    const char *smart_host;
    const char *mta_host;
} host_rows[] = {
    {"DSesmtp:[mail.example.net]", "[mail.example.net]", NULL},
    {"DS[mail.example.net]", "[mail.example.net]", NULL},
    {"DSmail.example.net", "mail.example.net", NULL},
    {"DS", NULL, NULL},
    {"D{MTAHost}[127.0.0.1]", NULL, "[127.0.0.1]"},
};

static void test_host(void **state)
{
    const struct host_row *row = *state;
    g_autoptr(SendmailCf) cf = sendmail_cf_parse(row->name);

    assert_int_equal(g_strcmp0(cf->smart_host, row->smart_host), 0);
    assert_int_equal(g_strcmp0(cf->mta_host, row->mta_host), 0);
}

static const struct queue_id_row {
    const char *name; /* the answer */
    const char *queue_id;
} queue_id_rows[] = {
    {"250 2.0.0 Ok: queued as 4fKx2n", "4fKx2n"},
    {"250-more\r\n250 2.0.0 Ok: queued as 4fKx2n", "4fKx2n"},
    {"250 2.0.0 6AOKXome024804 Message accepted for delivery", "6AOKXome024804"},
    {"250 2.0.0 Ok", NULL},
    {"250 Message accepted", NULL},
    {"Message accepted", NULL},
    {"", NULL},
};

static void test_queue_id(void **state)
{
    const struct queue_id_row *row = *state;
    g_autofree char *queue_id = probe_queue_id(row->name);

    assert_int_equal(g_strcmp0(queue_id, row->queue_id), 0);
}

int main(void)
{
    GArray *tests = table_new();

    TABLE_ADD(tests, address_rows, test_address);
    TABLE_ADD(tests, reach_rows, test_reach);
    TABLE_ADD(tests, list_rows, test_list);
    TABLE_ADD(tests, known_rows, test_known);
    TABLE_ADD(tests, postfix_rows, test_postfix);
    TABLE_ADD(tests, path_rows, test_path);
    TABLE_ADD(tests, chroot_rows, test_chroot);
    TABLE_ADD(tests, command_rows, test_command);
    TABLE_ADD(tests, mend_rows, test_mend);
    TABLE_ADD(tests, provider_rows, test_provider);
    TABLE_ADD(tests, key_table_rows, test_key_table);
    TABLE_ADD(tests, cf_rows, test_cf);
    TABLE_ADD(tests, host_rows, test_host);
    TABLE_ADD(tests, queue_id_rows, test_queue_id);
    return table_run(tests, "doctor_lists");
}
