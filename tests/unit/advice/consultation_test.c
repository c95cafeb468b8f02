#include "config.h"

#include "advice/consultation.h"

#include <string.h>

#include "base/clock.h"
#include "policy/settings_parse.h"
#include "spf/evaluation.h"
#include "unit/table.h"

static const char *more = ""; /* of the configuration */

static gboolean read_file(const char *file G_GNUC_UNUSED, char **text, gsize *length,
                          GError **error G_GNUC_UNUSED)
{
    *text = g_strconcat("fallback_address = \"Lemniscus <noreply@example.net>\"\n"
                        "relay_hosts = 192.0.2.25\n"
                        "domain \"quiet.example\" { mode = log-only fallback_address = "
                        "\"post@example.org\" }\n",
                        more, NULL);
    *length = strlen(*text);
    return TRUE;
}

static const SettingsSource source = {read_file, "relay.example.net"};

static const char zone[] = "praxis.example. TXT \"v=spf1 mx -all\"\n"
                           "praxis.example. NS ns1.hoster.example.\n"
                           "quiet.example. TXT \"v=spf1 ip4:192.0.2.25 -all\"\n"
                           "host.praxis.example. A 192.0.2.1\n"
                           "mail.example. A 192.0.2.2\n";

/* What is asked, and what has to come of it. */
static const struct row {
    const char *name;
    const char *subject;
    gint64 seconds; /* until the deadline */
    bool has_lists;
    AdviceKind kind;
    SpfResult result;
    const char *record; /* NULL: none */
    const char *hoster; /* NULL: not known */
    const char *fallback;
    bool is_rewriting;
} rows[] = {
    {"a record is extended", "praxis.example", 60, true, ADVICE_EXTEND, SPF_FAIL,
     "v=spf1 mx ip4:192.0.2.25 -all", "Hoster", "noreply@example.net", true},
    {"without lists", "praxis.example", 60, false, ADVICE_EXTEND, SPF_FAIL,
     "v=spf1 mx ip4:192.0.2.25 -all", NULL, "noreply@example.net", true},
    {"a section has its own word", "quiet.example", 60, true, ADVICE_OK, SPF_PASS, NULL, NULL,
     "post@example.org", false},
    {"a subdomain", "anna@host.praxis.example", 60, true, ADVICE_PUBLISH, SPF_NONE,
     "v=spf1 ip4:192.0.2.25 ~all", "Hoster", "noreply@example.net", true},
    {"a provider", "mail.example", 60, true, ADVICE_PROVIDER, SPF_NONE, NULL, NULL,
     "noreply@example.net", true},
    {"the deadline is over", "praxis.example", -1, true, ADVICE_UNKNOWN, SPF_TEMPERROR, NULL, NULL,
     "noreply@example.net", true},
};

static Lists *lists_of_row(const struct row *row)
{
    Lists *lists = row->has_lists ? lists_new() : NULL;

    if (lists != NULL) {
        assert_true(lists_add(lists, LISTS_PROVIDERS, "mail.example", "list", NULL));
        assert_true(lists_add(lists, LISTS_HOSTERS, "hoster.example Hoster", "list", NULL));
    }
    return lists;
}

static void check_text(const char *got, const char *wanted)
{
    if (g_strcmp0(got, wanted) != 0)
        fail_msg("got %s, wanted %s", got, wanted);
}

static Advice *advice_on(const char *name)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(Settings) settings = settings_parse("/spfrom.conf", &source, &error);
    g_autoptr(Dns) file = dns_zone_file_new(zone, "zone", &error);
    g_autoptr(Relays) relays = relays_resolve(settings, file, deadline_in(60), &error);
    g_autoptr(CheckSubject) subject = check_subject_parse(name);
    g_autoptr(Consultation) consultation =
        consultation_new(settings, file, NULL, relays, subject, deadline_in(60));

    return g_steal_pointer(&consultation->advice);
}

/* The alias of a domain, its place in the zone, and where it leads. */
static const struct dkim_row {
    const char *name;
    const char *domain;
    const char *more;
    const char *alias, *label, *target; /* NULL: none */
} dkim_rows[] = {
    {"no selector", "praxis.example", "", NULL, NULL, NULL},
    {"the domain of the fallback", "praxis.example", "dkim_consent = { \"s1\", \"s2\" }\n",
     "s1._domainkey.praxis.example", "s1._domainkey", "s1._domainkey.example.net"},
    {"that of a section", "quiet.example", "dkim_consent = { \"s1\" }\n",
     "s1._domainkey.quiet.example", "s1._domainkey", "s1._domainkey.example.org"},
    {"another domain", "host.praxis.example",
     "dkim_consent = { \"s1\" }\ndkim_consent_domain = \"keys.example\"\n",
     "s1._domainkey.host.praxis.example", "s1._domainkey.host", "s1._domainkey.keys.example"},
    {"the domain of the key", "praxis.example",
     "dkim_consent = { \"s1\" }\ndkim_consent_domain = \"praxis.example\"\n", NULL, NULL, NULL},
};

static void test_dkim(void **state)
{
    const struct dkim_row *row = *state;
    g_autoptr(Advice) advice = NULL;

    more = row->more;
    advice = advice_on(row->domain);
    more = "";
    check_text(advice->dkim_name, row->alias);
    check_text(advice->dkim_label, row->label);
    check_text(advice->dkim_target, row->target);
}

static void test_row(void **state)
{
    const struct row *row = *state;
    g_autoptr(GError) error = NULL;
    g_autoptr(Settings) settings = settings_parse("/spfrom.conf", &source, &error);
    g_autoptr(Dns) file = dns_zone_file_new(zone, "zone", &error);
    g_autoptr(Relays) relays = NULL;
    g_autoptr(CheckSubject) subject = check_subject_parse(row->subject);
    g_autoptr(Lists) lists = lists_of_row(row);
    Deadline deadline = clock_monotonic(&clock_system) + row->seconds * CLOCK_SECOND;
    g_autoptr(Consultation) consultation = NULL;
    const Advice *advice;

    assert_null(error);
    relays = relays_resolve(settings, file, deadline_in(60), &error);
    assert_null(error);
    consultation = consultation_new(settings, file, lists, relays, subject, deadline);
    advice = consultation->advice;
    check_text(advice_kind_row(advice->kind)->name, advice_kind_row(row->kind)->name);
    assert_int_equal(consultation->check->result, row->result);
    check_text(advice->record, row->record);
    check_text(advice->hoster, row->hoster);
    check_text(advice->fallback, row->fallback);
    if (row->is_rewriting)
        check_text(advice->sender, "Lemniscus");
    assert_int_equal(advice->is_rewriting, row->is_rewriting);
}

/* For each of 100,000 domains of a ledger, nobody looks for another one in it. */
static void test_of_ledger(void **state G_GNUC_UNUSED)
{
    g_autoptr(Settings) settings = settings_parse("/spfrom.conf", &source, NULL);
    g_autoptr(Dns) file = dns_zone_file_new(zone, "zone", NULL);
    g_autoptr(Relays) relays = relays_resolve(settings, file, deadline_in(60), NULL);
    g_autoptr(CheckSubject) subject = check_subject_parse("www.praxis.example");

    for (guint i = 0; i < 2; i++) {
        g_autoptr(Consultation) consultation = NULL;

        subject->is_of_ledger = i > 0;
        consultation = consultation_new(settings, file, NULL, relays, subject, deadline_in(60));
        check_text(consultation->meant, i > 0 ? NULL : "praxis.example");
    }
}

int main(void)
{
    GArray *tests = table_new();

    if (!evaluation_init(NULL))
        return 1;
    TABLE_ADD(tests, rows, test_row);
    TABLE_ADD(tests, dkim_rows, test_dkim);
    table_add(tests, "a domain of the ledger", test_of_ledger, NULL);
    return table_run(tests, "consultation_test");
}
