#include "config.h"

#include "verdict/relay_set.h"

#include <string.h>

#include "unit/dns/scripted_dns.h"
#include "unit/verdict/settings_from.h"
#include "spf/evaluation.h"
#include "unit/table.h"

#define FOREVER (-1)

/* A clock that stands where the test puts it. */
static gint64 seconds;

static gint64 test_monotonic(void *hook G_GNUC_UNUSED)
{
    return seconds * CLOCK_SECOND;
}

static const Clock test_clock = {test_monotonic, test_monotonic, NULL};

static const struct row {
    const char *name;
    const char *keys; /* of the configuration */
    const char *zone;
    const char *networks; /* with the index of their entry; NULL: an error */
    const char *problem;  /* stands in the first problem or in the error; NULL: there is none */
    int lifetime;         /* seconds */
} rows[] = {
    {"addresses and networks", "relay_hosts = { 192.0.2.25, 2001:db8::25, 198.51.100.0/28 }", "",
     "0:192.0.2.25 1:2001:db8::25 2:198.51.100.0/28", NULL, FOREVER},
    {"the order is that of relay_hosts", "relay_hosts = { 203.0.113.9, 192.0.2.25 }", "",
     "0:203.0.113.9 1:192.0.2.25", NULL, FOREVER},
    {"doubles", "relay_hosts = { 192.0.2.25, 192.0.2.25 }", "", "0:192.0.2.25", NULL, FOREVER},
    {"a mapped address is IPv4", "relay_hosts = { 192.0.2.25, \"::ffff:192.0.2.25\" }", "",
     "0:192.0.2.25", NULL, FOREVER},
    {"within others", "relay_hosts = { 192.0.2.25, 192.0.2.0/24, 192.0.2.128/25, 192.0.3.1 }", "",
     "1:192.0.2.0/24 3:192.0.3.1", NULL, FOREVER},
    {"any: an entry stays whole",
     "relay_hosts = { mail.example.net, 192.0.2.0/24 }\nrelay_policy = any",
     "mail.example.net A 60 192.0.2.25\nmail.example.net AAAA 60 2001:db8::25",
     "0:192.0.2.25 0:2001:db8::25 1:192.0.2.0/24", NULL, 60},
    {"private ones are left out", "relay_hosts = { 10.1.2.3, 192.0.2.25 }", "", "1:192.0.2.25",
     "10.1.2.3 is private", FOREVER},
    {"only private", "relay_hosts = { 10.1.2.3, fd00::/48 }", "", NULL,
     "relay_hosts: no public address found (10.1.2.3 is private: no receiver ever sees it; "
     "fd00::/48 is private: no receiver ever sees it); write the addresses your mail leaves from, "
     "such as relay_hosts = { \"192.0.2.25\" } or { \"spf:amazonses.com\" }",
     0},
    {"CGNAT is private", "relay_hosts = { 100.64.0.1 }", "", NULL, "100.64.0.1 is private", 0},
    {"a host", "relay_hosts = { mail.example.net }",
     "mail.example.net A 600 192.0.2.26\nmail.example.net A 600 192.0.2.25\n"
     "mail.example.net AAAA 300 2001:db8::25",
     "0:192.0.2.25 0:192.0.2.26 0:2001:db8::25", NULL, 300},
    {"a host without AAAA: its TTL is that of the SOA too", "relay_hosts = { mail.example.net }",
     "mail.example.net A 600 192.0.2.25\nmail.example.net AAAA 120", "0:192.0.2.25", NULL, 120},
    {"a host of private addresses beside others", "relay_hosts = { mail.example.net }",
     "mail.example.net A 600 10.0.0.5\nmail.example.net A 600 192.0.2.25", "0:192.0.2.25", NULL,
     300},
    {"a host of private addresses", "relay_hosts = { mail.example.net, 192.0.2.1 }",
     "mail.example.net A 600 10.0.0.5", NULL,
     "relay_hosts: mail.example.net has only 10.0.0.5; correct that entry or take it out", 0},
    {"a host that does not exist, beside others", "relay_hosts = { mail.example.net, 192.0.2.1 }",
     "", NULL, "relay_hosts: mail.example.net has no address; correct that entry", 0},
    {"a host without addresses, beside one in trouble",
     "relay_hosts = { mail.example.net, broken.example.net }", "broken.example.net ! 0", NULL,
     "relay_hosts: mail.example.net has no address; correct that entry", 0},
    {"any: a host that does not exist",
     "relay_hosts = { mail.example.net, 192.0.2.1 }\nrelay_policy = any", "", NULL,
     "mail.example.net has no address; correct that entry", 0},
    {"a host that does not exist", "relay_hosts = { mail.example.net }", "", NULL,
     "mail.example.net has no address", 0},
    {"a TTL of 0", "relay_hosts = { mail.example.net }", "mail.example.net A 0 192.0.2.25",
     "0:192.0.2.25", NULL, RELAY_SET_TTL_MIN},
    {"a short TTL, with short lives in the cache",
     "relay_hosts = { mail.example.net }\ncache_min_ttl = 2", "mail.example.net A 1 192.0.2.25",
     "0:192.0.2.25", NULL, 2},
    {"a long TTL", "relay_hosts = { mail.example.net }\ncache_max_ttl = 1d",
     "mail.example.net A 86400 192.0.2.25\nmail.example.net AAAA 86400", "0:192.0.2.25", NULL,
     RELAY_SET_TTL_MAX},
    {"a long TTL, with short lives in the cache",
     "relay_hosts = { mail.example.net }\ncache_max_ttl = 20m",
     "mail.example.net A 86400 192.0.2.25\nmail.example.net AAAA 86400", "0:192.0.2.25", NULL,
     1200},
    {"trouble: empty, and no error", "relay_hosts = { mail.example.net }", "!", "",
     "mail.example.net: A not known, DNS has trouble: SERVFAIL", RELAY_SET_RETRY_MIN},
    {"trouble with one of several", "relay_hosts = { mail.example.net, 192.0.2.1 }", "!",
     "1:192.0.2.1", "DNS has trouble", RELAY_SET_RETRY_MIN},
    {"trouble with one type", "relay_hosts = { mail.example.net }",
     "mail.example.net A 600 192.0.2.25\nmail.example.net !AAAA 0", "0:192.0.2.25",
     "mail.example.net: AAAA not known", RELAY_SET_RETRY_MIN},
    {"trouble does not wait longer than a TTL",
     "relay_hosts = { mail.example.net, broken.example.net }",
     "mail.example.net A 7 192.0.2.25\nbroken.example.net ! 0", "0:192.0.2.25", "DNS has trouble",
     7},
    {"a pool", "relay_hosts = { \"spf:pool.example.net\" }",
     "pool.example.net TXT 900 v=spf1 ip4:192.0.2.0/28 include:b.example.net ip6:2001:db8::/48 "
     "-all\n"
     "b.example.net TXT 400 v=spf1 ip4:198.51.100.7 ip4:10.0.0.0/8 ~all",
     "0:192.0.2.0/28 0:198.51.100.7 0:2001:db8::/48", NULL, 400},
    {"a pool with a term that is no network", "relay_hosts = { \"spf:pool.example.net\" }",
     "pool.example.net TXT 900 v=spf1 ip4:192.0.2.0/28 exists:%{i}.example.net -all",
     "0:192.0.2.0/28", "spf:pool.example.net: ", 900},
    {"a pool too wide", "relay_hosts = { \"spf:pool.example.net\" }",
     "pool.example.net TXT 900 v=spf1 ip4:192.0.0.0/7 ip4:198.51.100.1 -all", NULL,
     "spf:pool.example.net: permerror", 0},
    {"a pool without a record", "relay_hosts = { \"spf:pool.example.net\" }", "", NULL,
     "spf:pool.example.net: none", 0},
    {"a pool with a wrong record", "relay_hosts = { \"spf:pool.example.net\", 192.0.2.1 }",
     "pool.example.net TXT 900 v=spf1 ip4:x -all", NULL,
     "relay_hosts: spf:pool.example.net: permerror: the record of pool.example.net is wrong", 0},
    {"a pool that does not exist, beside others",
     "relay_hosts = { \"spf:pool.example.net\", 192.0.2.1 }", "", NULL,
     "relay_hosts: spf:pool.example.net: none: pool.example.net has no SPF record; correct that",
     0},
    {"a pool whose include does not exist", "relay_hosts = { \"spf:pool.example.net\", 192.0.2.1 }",
     "pool.example.net TXT 900 v=spf1 ip4:192.0.2.9 include:x.example.net -all", NULL,
     "x.example.net has no SPF record", 0},
    {"a pool that authorises nothing", "relay_hosts = { \"spf:pool.example.net\", 192.0.2.1 }",
     "pool.example.net TXT 900 v=spf1 -all", NULL, "its record authorises no public network", 0},
    {"a pool of private networks", "relay_hosts = { \"spf:pool.example.net\", 192.0.2.1 }",
     "pool.example.net TXT 900 v=spf1 ip4:10.0.0.0/8 -all", NULL,
     "its record authorises no public network", 0},
    {"a pool of terms that are no networks",
     "relay_hosts = { \"spf:pool.example.net\", 192.0.2.1 }",
     "pool.example.net TXT 900 v=spf1 exists:%{i}.example.net -all", NULL,
     "its record authorises no public network", 0},
    {"a pool that needs eleven look-ups", "relay_hosts = { \"spf:pool.example.net\", 192.0.2.1 }",
     "a.example.net A 60 192.0.2.9\n"
     "pool.example.net TXT 900 v=spf1 ip4:192.0.2.7 a:a.example.net a:a.example.net a:a.example.net "
     "a:a.example.net a:a.example.net a:a.example.net a:a.example.net a:a.example.net "
     "a:a.example.net a:a.example.net a:a.example.net -all",
     NULL, "more than 10 terms need a look-up", 0},
    {"a pool with trouble", "relay_hosts = { \"spf:pool.example.net\" }", "!", "",
     "spf:pool.example.net: temperror", RELAY_SET_RETRY_MIN},
};

/* "0:192.0.2.25 1:…", the order as it is. */
static char *set_text(const RelaySet *set)
{
    GString *text = g_string_new(NULL);
    char network[NETWORK_TEXT_MAX];

    for (guint i = 0; i < set->networks->len; i++)
        g_string_append_printf(text, "%s%u:%s", i > 0 ? " " : "",
                               g_array_index(set->entries, guint, i),
                               network_text(&g_array_index(set->networks, Network, i), network));
    return g_string_free(text, FALSE);
}

static void assert_problem(const char *got, const char *want)
{
    if (want == NULL) {
        assert_null(got);
        return;
    }
    assert_non_null(got);
    if (strstr(got, want) == NULL)
        assert_string_equal(got, want);
}

static void test_resolve(void **state)
{
    const struct row *row = *state;
    g_autoptr(Settings) settings = settings_from(row->keys);
    g_autoptr(Dns) dns = scripted_dns_new();
    g_autoptr(GError) error = NULL;
    g_autoptr(RelaySet) set = NULL;
    g_autofree char *got = NULL;

    seconds = 1000;
    scripted_dns_set(dns, row->zone);
    set = relay_set_resolve(settings, dns, NULL, &test_clock, IN_TIME, &error);
    assert_true((set == NULL) == (error != NULL));
    assert_true((set == NULL) == (row->networks == NULL));
    if (set == NULL) {
        assert_problem(error->message, row->problem);
        return;
    }
    got = set_text(set);
    assert_string_equal(got, row->networks);
    assert_problem(set->problems->len > 0 ? g_ptr_array_index(set->problems, 0) : NULL,
                   row->problem);
    assert_int_equal(set->expires,
                     row->lifetime == FOREVER ? G_MAXINT64 : (1000 + row->lifetime) * CLOCK_SECOND);
}

/* Which entries are known whole. */
static const struct state_row {
    const char *name;
    const char *keys;
    const char *zone;
    const char *states;  /* a letter for each entry: Whole, Trouble, Partial */
    const char *unknown; /* stands in what is said of the first that is not whole; NULL: all are */
} state_rows[] = {
    {"whole: addresses and a host", "relay_hosts = { 192.0.2.25, mail.example.net }",
     "mail.example.net A 600 192.0.2.26", "WW", NULL},
    {"whole: a private address is left out", "relay_hosts = { 192.0.2.25, 10.1.2.3 }", "", "WW",
     NULL},
    {"whole: a host that has private addresses too", "relay_hosts = { mail.example.net }",
     "mail.example.net A 600 192.0.2.26\nmail.example.net A 600 10.0.0.5", "W", NULL},
    {"incomplete: a host in trouble", "relay_hosts = { 192.0.2.25, mail.example.net }",
     "mail.example.net ! 0", "WT", "mail.example.net: A not known, DNS has trouble"},
    {"incomplete: a host of which only A is known", "relay_hosts = { mail.example.net }",
     "mail.example.net A 600 192.0.2.26\nmail.example.net !AAAA 0", "T",
     "mail.example.net: AAAA not known"},
    {"incomplete: a pool in trouble", "relay_hosts = { 192.0.2.25, \"spf:pool.example.net\" }",
     "pool.example.net ! 0", "WT", "spf:pool.example.net: temperror"},
    {"incomplete: an include of a pool in trouble",
     "relay_hosts = { \"spf:pool.example.net\", 192.0.2.25 }",
     "pool.example.net TXT 900 v=spf1 ip4:192.0.2.9 include:x.example.net -all\n"
     "x.example.net ! 0",
     "TW", "x.example.net (TXT)"},
    {"incomplete: a pool with a term that is no network",
     "relay_hosts = { 192.0.2.25, \"spf:pool.example.net\" }",
     "pool.example.net TXT 900 v=spf1 ip4:192.0.2.0/28 exists:%{i}.example.net -all", "WP",
     "\"exists:%{i}.example.net\" of pool.example.net can't be told as networks"},
    {"incomplete: ptr in an include of a pool", "relay_hosts = { \"spf:pool.example.net\" }",
     "pool.example.net TXT 900 v=spf1 ip4:192.0.2.0/28 include:x.example.net -all\n"
     "x.example.net TXT 900 v=spf1 ptr -all",
     "P", "\"ptr\" of x.example.net"},
};

static char *states_text(const RelaySet *set)
{
    GString *text = g_string_new(NULL);

    for (guint i = 0; i < set->states->len; i++)
        g_string_append_c(text, "WTPX"[g_array_index(set->states, RelaySetState, i)]);
    return g_string_free(text, FALSE);
}

static void test_states(void **state)
{
    const struct state_row *row = *state;
    g_autoptr(Settings) settings = settings_from(row->keys);
    g_autoptr(Dns) dns = scripted_dns_new();
    g_autofree char *got = NULL;

    scripted_dns_set(dns, row->zone);
    g_autoptr(RelaySet) set = relay_set_resolve(settings, dns, NULL, &test_clock, IN_TIME, NULL);
    assert_non_null(set);
    got = states_text(set);
    assert_string_equal(got, row->states);
    assert_int_equal(set->is_complete, row->unknown == NULL);
    assert_problem(relay_set_unknown(set, 0, set->states->len), row->unknown);
}

/* What a set becomes when it is looked up again. */
static const struct step_row {
    const char *name;
    const char *keys;
    const char *zone; /* of the second time */
    const char *networks;
    guint generation;
    guint failures;
    const char *problem;
} step_rows[] = {
    {"the same", "relay_hosts = { mail.example.net, 192.0.2.1 }",
     "mail.example.net A 60 192.0.2.26\nmail.example.net A 60 192.0.2.25",
     "0:192.0.2.25 0:192.0.2.26 1:192.0.2.1", 1, 0, NULL},
    {"one came", "relay_hosts = { mail.example.net, 192.0.2.1 }",
     "mail.example.net A 60 192.0.2.25\nmail.example.net A 60 192.0.2.26\nmail.example.net AAAA 60 "
     "2001:db8::1",
     "0:192.0.2.25 0:192.0.2.26 0:2001:db8::1 1:192.0.2.1", 2, 0, NULL},
    {"one went", "relay_hosts = { mail.example.net, 192.0.2.1 }",
     "mail.example.net A 60 192.0.2.25", "0:192.0.2.25 1:192.0.2.1", 2, 0, NULL},
    {"trouble: the last ones stay", "relay_hosts = { mail.example.net, 192.0.2.1 }", "!",
     "0:192.0.2.25 0:192.0.2.26 1:192.0.2.1", 1, 1, "its last addresses stay"},
    {"trouble with AAAA alone: the last ones stay", "relay_hosts = { mail.example.net, 192.0.2.1 }",
     "mail.example.net A 60 192.0.2.77\nmail.example.net !AAAA 0",
     "0:192.0.2.25 0:192.0.2.26 1:192.0.2.1", 1, 1, "its last"},
    {"gone from DNS: the last ones stay", "relay_hosts = { mail.example.net, 192.0.2.1 }", "",
     "0:192.0.2.25 0:192.0.2.26 1:192.0.2.1", 1, 0, "mail.example.net has no address; its last"},
    {"only private now: the last ones stay", "relay_hosts = { mail.example.net, 192.0.2.1 }",
     "mail.example.net A 60 10.0.0.1", "0:192.0.2.25 0:192.0.2.26 1:192.0.2.1", 1, 0, "its last"},
    {"reload, trouble: the last ones stay", "relay_hosts = { mail.example.net, 192.0.2.1 }", "!",
     "0:192.0.2.25 0:192.0.2.26 1:192.0.2.1", 1, 1, "its last addresses stay"},
    {"reload, gone from DNS: an error", "relay_hosts = { mail.example.net, 192.0.2.1 }", "", NULL,
     0, 0, NULL},
    {"reload, trouble: entries are found again", "relay_hosts = { 192.0.2.9, mail.example.net }",
     "!", "0:192.0.2.9 1:192.0.2.25 1:192.0.2.26", 2, 1, "its last"},
    {"reload: what is not configured is gone", "relay_hosts = { 192.0.2.9 }", "!", "0:192.0.2.9", 2,
     0, NULL},
};

static void test_again(void **state)
{
    const struct step_row *row = *state;
    g_autoptr(Settings) first = settings_from("relay_hosts = { mail.example.net, 192.0.2.1 }");
    g_autoptr(Settings) settings = settings_from(row->keys);
    g_autoptr(Dns) dns = scripted_dns_new();
    g_autofree char *got = NULL;

    scripted_dns_set(dns, "mail.example.net A 60 192.0.2.25\nmail.example.net A 60 192.0.2.26");
    g_autoptr(RelaySet) last = relay_set_resolve(first, dns, NULL, &test_clock, IN_TIME, NULL);
    scripted_dns_set(dns, row->zone);
    g_autoptr(RelaySet) set =
        g_str_has_prefix(row->name, "reload")
            ? relay_set_resolve(settings, dns, last, &test_clock, IN_TIME, NULL)
            : relay_set_renew(last, dns, &test_clock, IN_TIME, NULL);
    assert_int_equal(set != NULL, row->networks != NULL);
    if (set == NULL)
        return;
    got = set_text(set);
    assert_string_equal(got, row->networks);
    assert_true(set->is_complete);
    assert_int_equal(set->generation, row->generation);
    assert_int_equal(set->failures, row->failures);
    assert_problem(set->problems->len > 0 ? g_ptr_array_index(set->problems, 0) : NULL,
                   row->problem);
}

/* A set that is kept over several failures, then known again; and how long each waits. */
static void test_retries(void **state G_GNUC_UNUSED)
{
    static const guint waits[] = {10, 20, 40, 60, 60};
    g_autoptr(Settings) settings = settings_from("relay_hosts = { mail.example.net }");
    g_autoptr(Dns) dns = scripted_dns_new();
    g_autoptr(RelaySet) set = NULL;
    g_autofree char *got = NULL;

    scripted_dns_set(dns, "!");
    for (size_t i = 0; i < G_N_ELEMENTS(waits); i++) {
        RelaySet *next = relay_set_resolve(settings, dns, set, &test_clock, IN_TIME, NULL);

        g_clear_pointer(&set, relay_set_unref);
        set = next;
        assert_int_equal(set->networks->len, 0);
        assert_int_equal(set->generation, 1);
        assert_int_equal(set->expires, (seconds + waits[i]) * CLOCK_SECOND);
    }
    scripted_dns_set(dns, "mail.example.net A 60 192.0.2.25");
    g_autoptr(RelaySet) known = relay_set_resolve(settings, dns, set, &test_clock, IN_TIME, NULL);
    got = set_text(known);
    assert_string_equal(got, "0:192.0.2.25");
    assert_int_equal(known->generation, 2);
    assert_int_equal(known->failures, 0);
}

/* A set becomes complete without a change of networks; that is another generation. What was whole
 * stays whole, and a wrong entry that never was keeps the set incomplete. */
static void test_completion(void **state G_GNUC_UNUSED)
{
    static const struct {
        const char *zone;
        bool is_complete;
        guint generation;
    } steps[] = {
        {"!", false, 1},
        {"", false, 1},
        {"mail.example.net A 60 192.0.2.5\nmail.example.net !AAAA 0", false, 1},
        {"mail.example.net A 60 192.0.2.5", true, 2},
        {"mail.example.net ! 0", true, 2},
        {"", true, 2},
    };
    g_autoptr(Settings) settings =
        settings_from("relay_hosts = { 192.0.2.0/24, mail.example.net }");
    g_autoptr(Dns) dns = scripted_dns_new();
    g_autoptr(RelaySet) set = NULL;

    for (size_t i = 0; i < G_N_ELEMENTS(steps); i++) {
        g_autoptr(RelaySet) last = g_steal_pointer(&set);

        scripted_dns_set(dns, steps[i].zone);
        set = last == NULL ? relay_set_resolve(settings, dns, NULL, &test_clock, IN_TIME, NULL)
                           : relay_set_renew(last, dns, &test_clock, IN_TIME, NULL);
        assert_non_null(set);
        assert_int_equal(set->networks->len, 1);
        assert_int_equal(set->is_complete, steps[i].is_complete);
        assert_int_equal(set->generation, steps[i].generation);
    }
}

/* What the machine that runs the test has is part of "auto"; at least the host name's addresses are
 * there. */
static void test_auto(void **state G_GNUC_UNUSED)
{
    g_autoptr(Settings) settings = settings_from("relay_hosts = { auto }");
    g_autoptr(Dns) dns = scripted_dns_new();
    g_autofree char *got = NULL;

    scripted_dns_set(dns, "relay.example.org A 3000 192.0.2.25\nrelay.example.org AAAA 3000");
    g_autoptr(RelaySet) set = relay_set_resolve(settings, dns, NULL, &test_clock, IN_TIME, NULL);
    assert_non_null(set);
    got = set_text(set);
    assert_non_null(strstr(got, "0:192.0.2.25"));
    assert_int_equal(set->expires, (seconds + 300) * CLOCK_SECOND);
}

static bool is_public_machine(void)
{
    g_autoptr(GArray) interfaces = g_array_new(FALSE, FALSE, sizeof(Network));

    network_add_interfaces(interfaces);
    for (guint i = 0; i < interfaces->len; i++)
        if (!network_is_private(&g_array_index(interfaces, Network, i)))
            return true;
    return false;
}

/* Where this machine has a public address, that alone is the set. */
static void test_auto_private(void **state G_GNUC_UNUSED)
{
    g_autoptr(Settings) settings = settings_from("relay_hosts = { auto }");
    g_autoptr(Dns) dns = scripted_dns_new();
    g_autoptr(GError) error = NULL;

    scripted_dns_set(dns, "relay.example.org A 3000 10.0.0.5");
    g_autoptr(RelaySet) set = relay_set_resolve(settings, dns, NULL, &test_clock, IN_TIME, &error);
    if (is_public_machine()) {
        g_autofree char *got = set_text(set);

        assert_null(strstr(got, "10.0.0.5"));
        return;
    }
    assert_null(set);
    assert_problem(error->message, "relay_hosts: no public address found (auto: host name "
                                   "relay.example.org has only 10.0.0.5");
}

static void test_large(void **state G_GNUC_UNUSED)
{
    g_autoptr(GString) zone = g_string_new(NULL);
    g_autoptr(Settings) settings = settings_from("relay_hosts = { mail.example.net }");
    g_autoptr(Dns) dns = scripted_dns_new();
    g_autoptr(GError) error = NULL;

    for (guint i = 0; i < RELAY_SET_NETWORKS_MAX; i++)
        g_string_append_printf(zone, "mail.example.net A 60 198.18.%u.%u\n", i / 256, i % 256);
    scripted_dns_set(dns, zone->str);
    g_autoptr(RelaySet) set = relay_set_resolve(settings, dns, NULL, &test_clock, IN_TIME, NULL);
    assert_non_null(set);
    assert_int_equal(set->networks->len, RELAY_SET_NETWORKS_MAX);
    g_string_append(zone, "mail.example.net AAAA 60 2001:db8::1\n");
    scripted_dns_set(dns, zone->str);
    assert_null(relay_set_resolve(settings, dns, NULL, &test_clock, IN_TIME, &error));
    assert_int_equal(error->code, RELAY_SET_ERROR_LARGE);
}

int main(void)
{
    GArray *tests = table_new();

    if (!evaluation_init(NULL))
        return 1;
    table_add(tests, "trouble: how long each set waits", test_retries, NULL);
    table_add(tests, "from incomplete to complete", test_completion, NULL);
    table_add(tests, "auto", test_auto, NULL);
    table_add(tests, "auto: only private", test_auto_private, NULL);
    table_add(tests, "more networks than fit", test_large, NULL);
    TABLE_ADD(tests, rows, test_resolve);
    TABLE_ADD(tests, state_rows, test_states);
    TABLE_ADD(tests, step_rows, test_again);
    return table_run(tests, "relay_set_test");
}
