#include "config.h"

#include "spf/dmarc.h"

#include <string.h>

#include "unit/dns/scripted_dns.h"
#include "unit/table.h"

static const struct parse_row {
    const char *name; /* the record */
    DmarcPolicy own, subdomain;
} parse_rows[] = {
    {"v=DMARC1; p=none", DMARC_NONE, DMARC_NONE},
    {"v=DMARC1; p=quarantine", DMARC_QUARANTINE, DMARC_QUARANTINE},
    {"v=DMARC1; p=reject; rua=mailto:d@example.org", DMARC_REJECT, DMARC_REJECT},
    {"v=DMARC1; p=none; sp=reject", DMARC_NONE, DMARC_REJECT},
    {"v=DMARC1; sp=none; p=reject", DMARC_REJECT, DMARC_NONE},
    {"v=DMARC1;p=reject", DMARC_REJECT, DMARC_REJECT},
    {"  v = DMARC1 ;; P = Reject ; ", DMARC_REJECT, DMARC_REJECT},
    {"v=DMARC1\t;\tp=reject\t", DMARC_REJECT, DMARC_REJECT},
    {"v=DMARC1; p=reject; p=none", DMARC_REJECT, DMARC_REJECT},
    {"v=DMARC1; pct=0; adkim=s; p=reject", DMARC_REJECT, DMARC_REJECT},
    {"v=DMARC1; p=refuse", DMARC_NONE, DMARC_NONE},
    {"v=DMARC1; p=reject; sp=refuse", DMARC_REJECT, DMARC_NONE},
    {"v=DMARC1; p=", DMARC_NONE, DMARC_NONE},
    {"v=DMARC1; reject", DMARC_NONE, DMARC_NONE},
    {"v=DMARC1", DMARC_NONE, DMARC_NONE},
    {"v=dmarc1; p=reject", DMARC_NONE, DMARC_NONE},
    {"v=DMARC10; p=reject", DMARC_NONE, DMARC_NONE},
    {"p=reject; v=DMARC1", DMARC_NONE, DMARC_NONE},
    {"p=reject", DMARC_NONE, DMARC_NONE},
    {"", DMARC_NONE, DMARC_NONE},
};

static void test_parse(void **state)
{
    const struct parse_row *row = *state;

    assert_string_equal(dmarc_policy_text(dmarc_policy_parse(row->name, false)),
                        dmarc_policy_text(row->own));
    assert_string_equal(dmarc_policy_text(dmarc_policy_parse(row->name, true)),
                        dmarc_policy_text(row->subdomain));
}

static const struct lookup_row {
    const char *name;
    const char *zone;
    const char *domain;
    DmarcPolicy policy;
    const char *record;
    guint questions;
} lookup_rows[] = {
    {"own record", "_dmarc.example.org TXT 60 v=DMARC1; p=reject", "example.org", DMARC_REJECT,
     "v=DMARC1; p=reject", 1},
    {"no record", "example.org TXT 60 v=spf1 -all", "example.org", DMARC_NONE, NULL, 1},
    {"a subdomain's own record",
     "_dmarc.a.example.org TXT 60 v=DMARC1; p=none\n"
     "_dmarc.example.org TXT 60 v=DMARC1; p=reject",
     "a.example.org", DMARC_NONE, "v=DMARC1; p=none", 1},
    {"a subdomain's own record: its sp is for those below",
     "_dmarc.a.example.org TXT 60 v=DMARC1; p=none; sp=reject", "a.example.org", DMARC_NONE,
     "v=DMARC1; p=none; sp=reject", 1},
    {"sp of the organizational domain", "_dmarc.example.org TXT 60 v=DMARC1; p=none; sp=quarantine",
     "b.a.example.org", DMARC_QUARANTINE, "v=DMARC1; p=none; sp=quarantine", 2},
    {"p of the organizational domain", "_dmarc.example.org TXT 60 v=DMARC1; p=reject",
     "a.example.org", DMARC_REJECT, "v=DMARC1; p=reject", 2},
    {"a domain between counts not",
     "_dmarc.a.example.org TXT 60 v=DMARC1; p=reject\n"
     "_dmarc.example.org TXT 60 v=DMARC1; p=none",
     "b.a.example.org", DMARC_NONE, "v=DMARC1; p=none", 2},
    {"a public suffix counts not", "_dmarc.co.uk TXT 60 v=DMARC1; p=reject", "praxis.co.uk",
     DMARC_NONE, NULL, 1},
    {"other texts at the name",
     "_dmarc.example.org TXT 60 hello\n"
     "_dmarc.example.org TXT 60 v=DMARC1; p=reject",
     "example.org", DMARC_REJECT, "v=DMARC1; p=reject", 1},
    {"several records",
     "_dmarc.example.org TXT 60 v=DMARC1; p=reject\n"
     "_dmarc.example.org TXT 60 v=DMARC1; p=reject",
     "example.org", DMARC_NONE, NULL, 1},
    {"several records of a subdomain",
     "_dmarc.a.example.org TXT 60 v=DMARC1; p=reject\n"
     "_dmarc.a.example.org TXT 60 v=DMARC1; p=none\n"
     "_dmarc.example.org TXT 60 v=DMARC1; p=reject",
     "a.example.org", DMARC_NONE, NULL, 1},
    {"trouble", "_dmarc.example.org ! 0", "example.org", DMARC_NONE, NULL, 1},
    {"trouble at a subdomain",
     "_dmarc.a.example.org ! 0\n"
     "_dmarc.example.org TXT 60 v=DMARC1; p=reject",
     "a.example.org", DMARC_NONE, NULL, 1},
    {"trouble at the organizational domain", "_dmarc.example.org ! 0", "a.example.org", DMARC_NONE,
     NULL, 2},
};

static void test_lookup(void **state)
{
    const struct lookup_row *row = *state;
    g_autoptr(Dns) dns = scripted_dns_new();
    g_autofree char *record = NULL;
    DmarcPolicy policy;

    scripted_dns_set(dns, row->zone);
    policy = dmarc_policy_lookup(dns, row->domain, G_MAXINT64, &record);
    assert_string_equal(dmarc_policy_text(policy), dmarc_policy_text(row->policy));
    assert_int_equal(g_strcmp0(record, row->record), 0);
    assert_int_equal(scripted_dns_asked(dns, NULL), row->questions);
    assert_int_equal(dmarc_policy_lookup(dns, row->domain, G_MAXINT64, NULL), policy);
}

static DnsAnswer *nul_lookup(Dns *dns G_GNUC_UNUSED, const char *name G_GNUC_UNUSED,
                             DnsType type G_GNUC_UNUSED, gint64 deadline G_GNUC_UNUSED)
{
    static const char text[] = "v=DMARC1; p=reject\0; sp=none";
    DnsAnswer *answer = dns_answer_new(DNS_FOUND, 60);

    dns_answer_add(answer, 0, text, sizeof text - 1);
    return answer;
}

/* A receiver may read on behind a NUL, or not. */
static void test_nul(void **state G_GNUC_UNUSED)
{
    Dns dns = {.lookup = nul_lookup};

    assert_int_equal(dmarc_policy_lookup(&dns, "example.org", G_MAXINT64, NULL), DMARC_NONE);
}

int main(void)
{
    GArray *tests = table_new();

    table_add(tests, "a NUL in the record", test_nul, NULL);
    TABLE_ADD(tests, parse_rows, test_parse);
    TABLE_ADD(tests, lookup_rows, test_lookup);
    return table_run(tests, "dmarc_test");
}
