#include "config.h"

#include "advice/record/flatten.h"
#include "unit/dns/memory_dns.h"
#include "unit/table.h"

/* Names that every row can use. */
static const struct {
    const char *name;
    DnsType type;
    const char *value;
} names[] = {
    {"example.org", DNS_A, "192.0.2.1"},
    {"example.org", DNS_MX, "10 a.org"},
    {"a.org", DNS_A, "192.0.2.25"},
    {"a.org", DNS_AAAA, "2001:db8::25"},
    {"pool.org", DNS_TXT, "v=spf1 ip4:203.0.113.0/28 -all"},
    {"open.org", DNS_TXT, "v=spf1 a:a.org"},
    {"soft.org", DNS_TXT, "v=spf1 -ip4:203.0.113.0/29 include:pool.org ~all"},
    {"r1.org", DNS_TXT, "v=spf1 ip4:192.0.2.1 redirect=r2.org"},
    {"r2.org", DNS_TXT, "v=spf1 redirect=r3.org"},
    {"r3.org", DNS_TXT, "v=spf1 redirect=r4.%{d2}"},
    {"r4.r3.org", DNS_TXT, "v=spf1 redirect=r5.org"},
    {"r5.org", DNS_TXT, "v=spf1 redirect=r6.org"},
    {"r6.org", DNS_TXT, "v=spf1 redirect=pool.org"},
    {"guess.org", DNS_TXT, "v=spf1 exists:%{i}.guess.org a:a.org -all"},
    {"everyone.org", DNS_TXT, "v=spf1 +all"},
    {"self.org", DNS_TXT, "v=spf1 redirect=self.org"},
};

static const struct row {
    const char *term;
    const char *texts; /* NULL: can't be told */
} rows[] = {
    {"a", "ip4:192.0.2.1"},
    {"a:a.org", "ip4:192.0.2.25 ip6:2001:db8::25"},
    {"~a:a.org/24//64", "~ip4:192.0.2.0/24 ~ip6:2001:db8::/64"},
    {"mx/31", "ip4:192.0.2.24/31 ip6:2001:db8::25"},
    {"?mx:a.org", ""},
    {"include:pool.org", "ip4:203.0.113.0/28"},
    {"-include:soft.org", "-ip4:203.0.113.8/29"},
    {"redirect=pool.org", "ip4:203.0.113.0/28 -all"},
    {"redirect=soft.org", "ip4:203.0.113.8/29 ~all"},
    {"redirect=open.org", "ip4:192.0.2.25 ip6:2001:db8::25"},
    {"redirect=r1.org",
     "ip4:192.0.2.1 ip4:203.0.113.0/28 -all"}, /* its all is six redirects away */
    {"redirect=self.org", NULL},
    {"redirect=none.org", NULL},
    {"redirect=dead.org", NULL},
    {"include:guess.org", NULL},
    {"include:everyone.org", NULL},
    {"include:%{d}", NULL},
    {"ip4:192.0.2.1", NULL},
    {"ptr", NULL},
    {"exists:a.org", NULL},
    {"-all", NULL},
};

static void test_flatten_term(void **state)
{
    const struct row *row = *state;
    g_autoptr(Dns) dns = memory_dns_new();
    g_autoptr(CheckSubject) subject = check_subject_parse("example.org");
    const DomainCheck check = {.subject = subject};
    const Ground ground = {.dns = dns, .deadline = G_MAXINT64, .check = &check};
    g_autofree char *record = g_strconcat("v=spf1 ", row->term, NULL);
    g_autoptr(Draft) draft = draft_new(record);
    g_auto(GStrv) texts = NULL;
    g_autofree char *got = NULL;

    for (size_t i = 0; i < G_N_ELEMENTS(names); i++)
        memory_dns_add(dns, names[i].name, names[i].type, names[i].value);
    memory_dns_add_timeouts(dns, "dead.org");
    texts = flatten_term(&ground, draft_at(draft, 0));
    assert_int_equal(texts != NULL, row->texts != NULL);
    if (texts == NULL)
        return;
    got = g_strjoinv(" ", texts);
    assert_string_equal(got, row->texts);
}

int main(void)
{
    GArray *tests = table_new();

    for (size_t i = 0; i < G_N_ELEMENTS(rows); i++)
        table_add(tests, rows[i].term, test_flatten_term, &rows[i]);
    return table_run(tests, "flatten");
}
