/* What sendmail.cf says of milters, and where mail goes. */
#include "config.h"

#include "doctor/sendmail.h"

#include "unit/table.h"

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

int main(void)
{
    GArray *tests = table_new();

    TABLE_ADD(tests, cf_rows, test_cf);
    TABLE_ADD(tests, host_rows, test_host);
    return table_run(tests, "sendmail");
}
