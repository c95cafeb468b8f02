#include "config.h"

#include <string.h>

#include "unit/dns/memory_dns.h"
#include "unit/table.h"
#include "spf/networks.h"

#define NETWORKS_MAX 4

/* Names that every row can use. */
static const struct {
    const char *name;
    DnsType type;
    const char *value;
} names[] = {
    {"a.org", DNS_A, "192.0.2.25"},
    {"a.org", DNS_AAAA, "2001:db8::25"},
    {"m.org", DNS_MX, "10 a.org"},
    {"m.org", DNS_MX, "20 b.org"},
    {"b.org", DNS_A, "192.0.2.24"},
    {"two.org", DNS_TXT, "v=spf1 a"},
    {"two.org", DNS_TXT, "v=spf1 mx"},
    {"pool.org", DNS_TXT, "v=spf1 ip4:203.0.113.0/28 -all"},
    {"partial.org", DNS_TXT, "v=spf1 -ip4:203.0.113.8/29 ip4:203.0.113.0/28 ?all"},
    {"everyone.org", DNS_TXT, "v=spf1 +all"},
    {"self.org", DNS_TXT, "v=spf1 ip4:203.0.113.0/28 include:self.org"},
    {"bad.org", DNS_TXT, "v=spf1 foo"},
};

static const struct row {
    const char *record; /* behind "v=spf1 "; NULL: none */
    const char *networks;
    SpfResult result;
    const char *said; /* a part of the reason, or of the one warning */
} rows[] = {
    {"-all", "", SPF_PASS, NULL},
    {"ip4:192.0.2.0/24 ip6:2001:db8::/32 -all", "192.0.2.0/24 2001:db8::/32", SPF_PASS, NULL},
    {"ip4:192.0.2.0/25 ip4:192.0.2.128/25 ip4:192.0.2.7", "192.0.2.0/24", SPF_PASS, NULL},
    {"-ip4:192.0.2.0/25 ip4:192.0.2.0/24 ~all", "192.0.2.128/25", SPF_PASS, NULL},
    {"ip4:192.0.2.0/24 -ip4:192.0.2.0/25", "192.0.2.0/24", SPF_PASS, NULL},
    {"ip4:192.0.2.1 ?all ip4:192.0.2.2", "192.0.2.1", SPF_PASS, NULL},
    {"a:a.org -all", "192.0.2.25 2001:db8::25", SPF_PASS, NULL},
    {"a:a.org/24//64 -all", "192.0.2.0/24 2001:db8::/64", SPF_PASS, NULL},
    {"a:none.org -all", "", SPF_PASS, NULL},
    {"mx:m.org -all", "192.0.2.24/31 2001:db8::25", SPF_PASS, NULL},
    {"include:pool.org -all", "203.0.113.0/28", SPF_PASS, NULL},
    {"include:partial.org -all", "203.0.113.0/29", SPF_PASS, NULL},
    {"include:partial.org ip4:203.0.113.8/29 -all", "203.0.113.0/28", SPF_PASS, NULL},
    {"-include:pool.org ip4:203.0.113.0/27 -all", "203.0.113.16/28", SPF_PASS, NULL},
    {"redirect=pool.org", "203.0.113.0/28", SPF_PASS, NULL},
    {"redirect=pool.org ip4:192.0.2.1", "192.0.2.1 203.0.113.0/28", SPF_PASS, NULL},
    {"redirect=pool.org -ip4:203.0.113.0",
     "203.0.113.1 203.0.113.2/31 203.0.113.4/30 203.0.113.8/29", SPF_PASS, NULL},
    {"redirect=pool.org ~all", "", SPF_PASS, NULL},
    {"include:%{d1}.org", "", SPF_PERMERROR, "org.org has no SPF record"},
    {"exists:%{i}.x.org ip4:192.0.2.1", "192.0.2.1", SPF_PASS,
     "\"exists:%{i}.x.org\" of example.org"},
    {"ptr ip4:192.0.2.1", "192.0.2.1", SPF_PASS, "\"ptr\" of example.org"},
    {"include:%{l}.x.org ip4:192.0.2.1", "192.0.2.1", SPF_PASS, "\"include:%{l}.x.org\""},
    {"a:%{o} ip4:192.0.2.1", "192.0.2.1", SPF_PASS, "\"a:%{o}\""},
    {NULL, "", SPF_NONE, "example.org has no SPF record"},
    {"foo", "", SPF_PERMERROR, "\"foo\" at character 8"},
    {"include:none.org", "", SPF_PERMERROR, "none.org has no SPF record"},
    {"include:two.org", "", SPF_PERMERROR, "two.org has 2 SPF records"},
    {"include:bad.org", "", SPF_PERMERROR, "the record of bad.org is wrong"},
    {"include:dead.org", "", SPF_TEMPERROR, "dead.org (TXT)"},
    {"a:dead.org", "", SPF_TEMPERROR, "dead.org (A)"},
    {"mx:dead.org", "", SPF_TEMPERROR, "dead.org (MX)"},
    {"+all", "", SPF_PERMERROR, "every address"},
    {"include:everyone.org -all", "", SPF_PERMERROR,
     "the record of everyone.org authorises every address"},
    {"ip4:10.0.0.0/8 -all", "10.0.0.0/8", SPF_PASS, NULL},
    {"ip4:10.0.0.0/7 -all", "", SPF_PERMERROR, "wider than /8"},
    {"ip6:2001::/16 -all", "2001::/16", SPF_PASS, NULL},
    {"ip6:2000::/15 -all", "", SPF_PERMERROR, "wider than /16"},
    {"a:a.org/0 -all", "", SPF_PERMERROR, "wider than /8"},
    {"?ip4:0.0.0.0/0 ip4:192.0.2.1 -all", "", SPF_PASS, NULL},
    {"include:self.org -all", "", SPF_PERMERROR, "more than 10 terms"},
    {"ip4:192.0.2.1 ip4:192.0.2.3 ip4:192.0.2.5 ip4:192.0.2.7",
     "192.0.2.1 192.0.2.3 192.0.2.5 192.0.2.7", SPF_PASS, NULL},
    {"ip4:192.0.2.1 ip4:192.0.2.3 ip4:192.0.2.5 ip4:192.0.2.7 ip4:192.0.2.9", "", SPF_PERMERROR,
     "more than 4 networks"},
};

static Dns *zone(const char *record)
{
    Dns *dns = memory_dns_new();

    for (size_t i = 0; i < G_N_ELEMENTS(names); i++)
        memory_dns_add(dns, names[i].name, names[i].type, names[i].value);
    memory_dns_add_timeouts(dns, "dead.org");
    if (record != NULL) {
        g_autofree char *text = g_strconcat("v=spf1 ", record, NULL);

        memory_dns_set_ttl(dns, 200);
        memory_dns_add(dns, "example.org", DNS_TXT, text);
        memory_dns_set_ttl(dns, 300);
    }
    return dns;
}

static char *text_of(const GArray *networks)
{
    GString *text = g_string_new(NULL);
    char network[NETWORK_TEXT_MAX];

    for (guint i = 0; i < networks->len; i++)
        g_string_append_printf(text, "%s%s", i > 0 ? " " : "",
                               network_text(&g_array_index(networks, Network, i), network));
    return g_string_free(text, FALSE);
}

static void test_row(void **state)
{
    const struct row *row = *state;
    g_autoptr(Dns) dns = zone(row->record);
    g_autoptr(EvaluationContext) context = evaluation_context_new(dns, G_MAXINT64);
    g_autoptr(Networks) found = networks_find(context, "example.org", NETWORKS_MAX);
    g_autofree char *got = text_of(found->networks);

    assert_int_equal(found->result, row->result);
    assert_string_equal(got, row->networks);
    assert_int_equal(found->reason != NULL, row->result != SPF_PASS);
    assert_int_equal(found->warnings->len, row->result == SPF_PASS && row->said != NULL ? 1 : 0);
    if (row->said != NULL)
        assert_non_null(
            strstr(found->reason != NULL ? found->reason : g_ptr_array_index(found->warnings, 0),
                   row->said));
    assert_int_equal(found->ttl, row->record != NULL ? 200 : 300);
}

/* More networks than can be left once they are merged, at last, end the walk early. */
static void test_bound(void **state)
{
    g_autoptr(GString) record = g_string_new("v=spf1");
    g_autoptr(Dns) dns = memory_dns_new();
    g_autoptr(EvaluationContext) context = evaluation_context_new(dns, G_MAXINT64);
    g_autoptr(Networks) found = NULL;

    (void)state;
    for (int i = 0; i < 4000; i++)
        g_string_append_printf(record, " ip4:10.%d.%d.1", i / 256, i % 256);
    memory_dns_add(dns, "example.org", DNS_TXT, record->str);
    found = networks_find(context, "example.org", 1000);
    assert_int_equal(found->result, SPF_PERMERROR);
    assert_string_equal(found->reason, "the record of example.org has more than 1000 networks");
}

static const struct all_row {
    const char *record;
    char all;
} alls[] = {
    {"a:a.org -all", '-'},
    {"a:a.org ?all", '?'},
    {"a:a.org", '\0'},
    {"redirect=pool.org", '-'},
    {"redirect=partial.org ~all", '~'},
    {"redirect=partial.org", '?'},
    {"redirect=none.org", '\0'},
    {"include:pool.org", '\0'},
    {"include:pool.org redirect=partial.org", '?'},
};

static void test_all(void **state)
{
    const struct all_row *row = *state;
    g_autoptr(Dns) dns = zone(row->record);
    g_autoptr(EvaluationContext) context = evaluation_context_new(dns, G_MAXINT64);
    g_autoptr(Networks) found = networks_find(context, "example.org", NETWORKS_MAX);

    assert_int_equal(found->all, row->all);
}

static GArray *list(const char *text)
{
    GArray *networks = g_array_new(FALSE, FALSE, sizeof(Network));
    g_auto(GStrv) words = g_strsplit(text, " ", -1);

    for (char **word = words; *word != NULL && **word != '\0'; word++) {
        Network network;

        assert_true(network_parse(*word, &network, NULL));
        g_array_append_val(networks, network);
    }
    return networks;
}

static const struct merge_row {
    const char *networks;
    const char *merged;
} merges[] = {
    {"", ""},
    {"192.0.2.1", "192.0.2.1"},
    {"192.0.2.1 192.0.2.1", "192.0.2.1"},
    {"192.0.2.1 192.0.2.0", "192.0.2.0/31"},
    {"192.0.2.1 192.0.2.2",
     "192.0.2.1 192.0.2.2"}, /* adjacent, but not the halves of one network */
    {"192.0.2.3 192.0.2.1 192.0.2.0 192.0.2.2", "192.0.2.0/30"},
    {"192.0.2.0/25 192.0.2.128/26 192.0.2.192/27 192.0.2.224/27", "192.0.2.0/24"},
    {"192.0.2.77 192.0.2.0/24 192.0.2.128/25", "192.0.2.0/24"},
    {"0.0.0.0/1 128.0.0.0/1", "0.0.0.0/0"},
    {"0.0.0.0/0 192.0.2.1", "0.0.0.0/0"},
    {"2001:db8::/33 192.0.2.0/24 2001:db8:8000::/33", "192.0.2.0/24 2001:db8::/32"},
    {"::/128 0.0.0.0", "0.0.0.0 ::"},
};

static void test_merge(void **state)
{
    const struct merge_row *row = *state;
    g_autoptr(GArray) networks = list(row->networks);
    g_autofree char *got = NULL;

    networks_merge(networks);
    got = text_of(networks);
    assert_string_equal(got, row->merged);
}

static const struct without_row {
    const char *network;
    const char *holes;
    const char *rest; /* NULL: does not fit in three */
} withouts[] = {
    {"192.0.2.0/24", "", "192.0.2.0/24"},
    {"192.0.2.0/24", "198.51.100.0/24 2001:db8::/32", "192.0.2.0/24"},
    {"192.0.2.0/24", "192.0.2.0/24", ""},
    {"192.0.2.0/24", "192.0.0.0/16", ""},
    {"192.0.2.0/24", "192.0.2.0/25", "192.0.2.128/25"},
    {"192.0.2.0/30", "192.0.2.1", "192.0.2.0 192.0.2.2/31"},
    {"192.0.2.0/30", "192.0.2.1 192.0.2.2", "192.0.2.0 192.0.2.3"},
    {"192.0.2.0/28", "192.0.2.1", NULL},
};

static void test_without(void **state)
{
    const struct without_row *row = *state;
    g_autoptr(GArray) holes = list(row->holes);
    g_autoptr(GArray) rest = list("");
    g_autofree char *got = NULL;
    Network network;
    bool fits;

    assert_true(network_parse(row->network, &network, NULL));
    fits = networks_add_without(rest, &network, holes, 3);
    assert_int_equal(fits, row->rest != NULL);
    if (!fits)
        return;
    got = text_of(rest);
    assert_string_equal(got, row->rest);
}

int main(void)
{
    GArray *tests = table_new();

    for (size_t i = 0; i < G_N_ELEMENTS(rows); i++)
        table_add(tests, rows[i].record != NULL ? rows[i].record : "no record", test_row, &rows[i]);
    table_add(tests, "too many before they are merged", test_bound, NULL);
    for (size_t i = 0; i < G_N_ELEMENTS(alls); i++)
        table_add(tests, alls[i].record, test_all, &alls[i]);
    for (size_t i = 0; i < G_N_ELEMENTS(merges); i++)
        table_add(tests, merges[i].networks, test_merge, &merges[i]);
    for (size_t i = 0; i < G_N_ELEMENTS(withouts); i++)
        table_add(tests, withouts[i].holes, test_without, &withouts[i]);
    return table_run(tests, "networks");
}
