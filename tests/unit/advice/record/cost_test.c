#include "config.h"

#include <string.h>

#include "advice/record/cost.h"
#include "unit/dns/memory_dns.h"
#include "unit/table.h"

/* Names that every row can use. */
static const struct {
    const char *name;
    DnsType type;
    const char *value;
} names[] = {
    {"a.org", DNS_A, "192.0.2.25"},
    {"a.org", DNS_AAAA, "2001:db8::25"},
    {"four.org", DNS_A, "192.0.2.25"},
    {"m.org", DNS_MX, "10 a.org"},
    {"m.org", DNS_MX, "20 four.org"},
    {"m.org", DNS_MX, "30 none.org"},
    {"lost.org", DNS_MX, "10 none.org"},
    {"plain.org", DNS_TXT, "other text"},
    {"pool.org", DNS_TXT, "v=spf1 ip4:203.0.113.0/28 -all"},
    {"two.org", DNS_TXT, "v=spf1 a"},
    {"two.org", DNS_TXT, "v=spf1 mx"},
    {"bad.org", DNS_TXT, "v=spf1 foo"},
    {"self.org", DNS_TXT, "v=spf1 include:self.org a:none.org"},
    {"ring.org", DNS_TXT, "v=spf1 include:rang.org"},
    {"rang.org", DNS_TXT, "v=spf1 a:a.org include:ring.org mx:m.org"},
    {"deep.org", DNS_TXT, "v=spf1 include:pool.org a mx:m.org redirect=pool.org"},
    {"bomb.org", DNS_TXT, "v=spf1 include:b1.org include:b1.org include:b1.org include:b1.org"},
    {"b1.org", DNS_TXT, "v=spf1 include:b2.org include:b2.org include:b2.org include:b2.org"},
    {"b2.org", DNS_TXT, "v=spf1 include:b3.org include:b3.org include:b3.org include:b3.org"},
    {"b3.org", DNS_TXT, "v=spf1 a:none.org a:none.org a:none.org a:none.org a:none.org"},
};

static const struct row {
    const char *record; /* behind "v=spf1 " */
    guint lookups, voids4, voids6;
    bool has_trouble;
    const char *broken;
    const char *voids; /* a digit for each term: 1 if it finds nothing */
} rows[] = {
    {"-all", 0, 0, 0, false, NULL, "0"},
    {"ip4:192.0.2.1 ip6:2001:db8::1 exp=x.org -all", 0, 0, 0, false, NULL, "0000"},
    {"a:a.org a:four.org a:none.org -all", 3, 1, 2, false, NULL, "0010"},
    {"a -all", 1, 1, 1, false, NULL, "10"},
    {"-all a:none.org", 0, 0, 0, false, NULL, "01"},
    {"mx:m.org mx:lost.org mx:none.org", 3, 3, 4, false, NULL, "011"},
    {"exists:a.org exists:none.org", 2, 1, 1, false, NULL, "01"},
    {"ptr ptr:a.org exists:%{i}.none.org include:%{l}.org", 4, 0, 0, false, NULL, "0000"},
    {"a:%{d} a:a..org", 2, 2, 2, false, NULL, "11"},
    {"include:pool.org -all", 1, 0, 0, false, NULL, "00"},
    {"include:deep.org", 5, 2, 3, false, NULL, "0"},
    {"redirect=deep.org a:a.org", 6, 2, 3, false, NULL, "00"},
    {"redirect=deep.org ~all", 1, 0, 0, false, NULL, "00"}, /* some receivers count it */
    {"foo a:none.org", 1, 1, 1, false, NULL, "01"},
    {"a:dead.org mx:dead.org exists:dead.org", 3, 0, 0, true, NULL, "000"},
    {"include:dead.org a:a.org", 2, 0, 0, true, NULL, "00"},
    {"include:none.org a:none.org", 2, 1, 1, false, "none.org has no SPF record", "01"},
    {"include:plain.org", 1, 0, 0, false, "plain.org has no SPF record", "0"},
    {"include:a..org", 1, 0, 0, false, "a..org has no SPF record", "0"},
    {"include:two.org include:none.org", 2, 0, 0, false, "two.org has 2 SPF records", "00"},
    {"redirect=bad.org", 1, 0, 0, false,
     "the record of bad.org is wrong: \"foo\" at character 8: there is no such mechanism", "0"},
    {"include:self.org", 3, 1, 1, false, "self.org leads back to itself", "0"},
    {"include:ring.org", 5, 1, 2, false, "ring.org leads back to itself", "0"},
    {"include:example.org", 1, 0, 0, false, "example.org leads back to itself", "0"},
    {"mx:many.org", 1, 10, 10, false, "many.org has more than 10 mail servers", "1"},
    {"include:bomb.org", COST_LOOKUPS_MAX, 78, 78, false, NULL, "0"},
};

static Dns *zone(void)
{
    Dns *dns = memory_dns_new();

    for (size_t i = 0; i < G_N_ELEMENTS(names); i++)
        memory_dns_add(dns, names[i].name, names[i].type, names[i].value);
    for (int i = 0; i < 11; i++) {
        g_autofree char *host = g_strdup_printf("10 none%d.org", i);

        memory_dns_add(dns, "many.org", DNS_MX, host);
    }
    memory_dns_add_timeouts(dns, "dead.org");
    return dns;
}

static void test_cost(void **state)
{
    const struct row *row = *state;
    g_autoptr(Dns) dns = zone();
    const CostMeter meter = {.dns = dns, .deadline = G_MAXINT64, .has_ip4 = true, .has_ip6 = true};
    g_autofree char *text = g_strconcat("v=spf1 ", row->record, NULL);
    g_autoptr(Record) record = record_parse(text, strlen(text));
    g_autoptr(GString) voids = g_string_new(NULL);
    g_auto(Cost) cost = {0};

    cost_record(&meter, "example.org", record, &cost);
    assert_int_equal(cost.lookups, row->lookups);
    assert_int_equal(cost.voids4, row->voids4);
    assert_int_equal(cost.voids6, row->voids6);
    assert_int_equal(cost.has_trouble, row->has_trouble);
    assert_false(cost.is_void);
    assert_int_equal(cost.broken != NULL, row->broken != NULL);
    if (row->broken != NULL)
        assert_string_equal(cost.broken, row->broken);
    for (guint i = 0; i < record->terms->len; i++) {
        g_auto(Cost) alone = {0};

        cost_term(&meter, "example.org", record, record_at(record, i), &alone);
        g_string_append_c(voids, alone.is_void ? '1' : '0');
    }
    assert_string_equal(voids->str, row->voids);
}

/* Only the void look-ups of the families that send count. */
static void test_voids(void **state)
{
    CostMeter meter = {.has_ip4 = true};
    Cost cost = {.lookups = 10, .voids4 = 1, .voids6 = 3};

    (void)state;
    assert_int_equal(cost_voids(&meter, &cost), 1);
    assert_false(cost_is_over(&meter, &cost));
    meter.has_ip6 = true;
    assert_int_equal(cost_voids(&meter, &cost), 3);
    assert_true(cost_is_over(&meter, &cost));
    cost.voids6 = 2;
    assert_false(cost_is_over(&meter, &cost));
    cost.lookups = 11;
    assert_true(cost_is_over(&meter, &cost));
}

/* Names that every row of what follows can use. */
static const struct {
    const char *name;
    DnsType type;
    const char *value;
} flatten_names[] = {
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

static const struct flatten_row {
    const char *term;
    const char *texts; /* NULL: can't be told */
} flatten_rows[] = {
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

static void test_flatten(void **state)
{
    const struct flatten_row *row = *state;
    g_autoptr(Dns) dns = memory_dns_new();
    const CostMeter meter = {.dns = dns, .deadline = G_MAXINT64};
    g_autofree char *record = g_strconcat("v=spf1 ", row->term, NULL);
    g_autoptr(Draft) draft = draft_new(record);
    g_auto(GStrv) texts = NULL;
    g_autofree char *got = NULL;

    for (size_t i = 0; i < G_N_ELEMENTS(flatten_names); i++)
        memory_dns_add(dns, flatten_names[i].name, flatten_names[i].type, flatten_names[i].value);
    memory_dns_add_timeouts(dns, "dead.org");
    texts = cost_flatten(&meter, "example.org", draft_at(draft, 0));
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
        table_add(tests, rows[i].record, test_cost, &rows[i]);
    for (size_t i = 0; i < G_N_ELEMENTS(flatten_rows); i++)
        table_add(tests, flatten_rows[i].term, test_flatten, &flatten_rows[i]);
    table_add(tests, "void look-ups of a family", test_voids, NULL);
    return table_run(tests, "cost");
}
