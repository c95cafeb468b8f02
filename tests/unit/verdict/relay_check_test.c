#include "config.h"

#include "verdict/relay_check.h"

#include <string.h>

#include "policy/standing.h"
#include "unit/dns/scripted_dns.h"
#include "unit/verdict/settings_from.h"
#include "unit/table.h"

#define RELAYS "relay_hosts = { 192.0.2.25 }\n"

static const struct row {
    const char *name;
    const char *keys;
    const char *record; /* of a.example.org */
    const char *want;
} rows[] = {
    {"all: one passes", RELAYS, "v=spf1 ip4:192.0.2.25 -all", "pass 192.0.2.25 ip4:192.0.2.25"},
    {"all: every one passes", "relay_hosts = { 192.0.2.25, 192.0.2.26 }",
     "v=spf1 ip4:192.0.2.0/24 -all", "pass 192.0.2.25 ip4:192.0.2.0/24"},
    {"all: the second does not", "relay_hosts = { 192.0.2.25, 192.0.2.26 }",
     "v=spf1 ip4:192.0.2.25 ~all", "softfail 192.0.2.26 ~all"},
    {"all: the worst counts", "relay_hosts = { 192.0.2.25, 192.0.2.26, 192.0.2.27 }",
     "v=spf1 ip4:192.0.2.25 ?ip4:192.0.2.26 -all", "fail 192.0.2.27 -all"},
    {"all: the worst counts, wherever", "relay_hosts = { 192.0.2.27, 192.0.2.26, 192.0.2.25 }",
     "v=spf1 ip4:192.0.2.25 ?ip4:192.0.2.26 -all", "fail 192.0.2.27 -all"},
    {"all: of equals the first counts", "relay_hosts = { 192.0.2.27, 192.0.2.26 }", "v=spf1 -all",
     "fail 192.0.2.27 -all"},
    {"all: permerror counts most", "relay_hosts = { 192.0.2.25, 192.0.2.26 }",
     "v=spf1 -ip4:192.0.2.25 include:x.example.org", "permerror 192.0.2.26"},
    {"all: temperror before fail", "relay_hosts = { 192.0.2.25, 192.0.2.26 }",
     "v=spf1 -ip4:192.0.2.25 include:broken.example.org", "temperror 192.0.2.26"},
    {"all: a network", "relay_hosts = { 192.0.2.16/28 }", "v=spf1 ip4:192.0.2.0/24 -all",
     "pass 192.0.2.16/28 ip4:192.0.2.0/24"},
    {"all: half a network", "relay_hosts = { 192.0.2.16/28 }", "v=spf1 ip4:192.0.2.16/29 -all",
     "fail 192.0.2.24/29 -all"},
    {"any: the second passes", "relay_hosts = { 192.0.2.25, 192.0.2.26 }\nrelay_policy = any",
     "v=spf1 ip4:192.0.2.26 -all", "pass 192.0.2.26 ip4:192.0.2.26"},
    {"any: none passes", "relay_hosts = { 192.0.2.25, 192.0.2.26 }\nrelay_policy = any",
     "v=spf1 ?ip4:192.0.2.25 ~all", "softfail 192.0.2.26 ~all"},
    {"any: a permerror of one does not hide a pass of another",
     "relay_hosts = { 192.0.2.25, 192.0.2.26 }\nrelay_policy = any",
     "v=spf1 ip4:192.0.2.26 include:x.example.org", "pass 192.0.2.26 ip4:192.0.2.26"},
    {"any: half an entry is none", "relay_hosts = { mail.example.net }\nrelay_policy = any",
     "v=spf1 ip4:198.51.100.25 -all", "fail 2001:db8::25 -all"},
    {"any: a whole entry", "relay_hosts = { 192.0.2.1, mail.example.net }\nrelay_policy = any",
     "v=spf1 ip4:198.51.100.25 ip6:2001:db8::/32 -all", "pass 198.51.100.25 ip4:198.51.100.25"},
    {"any: a whole entry whose one address another network holds",
     "relay_hosts = { 198.51.100.0/24, mail.example.net }\nrelay_policy = any",
     "v=spf1 ip6:2001:db8::/32 -all", "fail 198.51.100.0/24 -all"},
    {"no record", RELAYS, "hello", "none 192.0.2.25 -"},
};

#define RELAYS_PART "relay_hosts = { 192.0.2.25, \"spf:part.example.org\" }"
#define PARTIAL "relay_hosts = { \"spf:partial.example.org\" }"

/* An incomplete relay set vouches for nobody: part.example.org is in trouble, partial.example.org
 * has 192.0.2.25 and a term that is no network. */
static const struct incomplete_row {
    const char *name;
    const char *keys;
    const char *record;
    const char *want;
    bool is_authorised;
} incomplete_rows[] = {
    {"incomplete, all: what is known passes", RELAYS_PART, "v=spf1 ip4:192.0.2.25 -all",
     "temperror - -", false},
    {"incomplete, all: everybody passes", RELAYS_PART, "v=spf1 +all", "temperror - -", false},
    {"incomplete, all: a relay fails", RELAYS_PART, "v=spf1 ~all", "softfail 192.0.2.25 ~all",
     false},
    {"incomplete, all: no record", RELAYS_PART, "hello", "none 192.0.2.25 -", false},
    {"incomplete, all: a result that counts as authorised", RELAYS_PART "\nrewrite_on = { fail }",
     "v=spf1 ?all", "temperror - -", false},
    {"incomplete, all: temperror counts as authorised", RELAYS_PART "\nrewrite_on = { fail }",
     "v=spf1 +all", "temperror - -", false},
    {"incomplete, all: nothing is known", "relay_hosts = { \"spf:part.example.org\" }",
     "v=spf1 +all", "temperror - -", false},
    {"incomplete, all: a host of which only A is known", "relay_hosts = { half.example.org }",
     "v=spf1 ip4:192.0.2.25 -all", "temperror - -", false},
    {"incomplete, all: a pool with a term that is no network", PARTIAL,
     "v=spf1 ip4:192.0.2.25 -all", "temperror - -", false},
    {"incomplete, all: also if that is included", PARTIAL,
     "v=spf1 include:partial.example.org -all", "temperror - -", false},
    {"incomplete, any: an entry that is known passes", RELAYS_PART "\nrelay_policy = any",
     "v=spf1 ip4:192.0.2.25 -all", "pass 192.0.2.25 ip4:192.0.2.25", true},
    {"incomplete, any: what is known fails", RELAYS_PART "\nrelay_policy = any", "v=spf1 -all",
     "temperror - -", false},
    {"incomplete, any: a part of an entry passes", PARTIAL "\nrelay_policy = any",
     "v=spf1 ip4:192.0.2.25 -all", "temperror - -", false},
    {"incomplete, any: a part of an entry fails", PARTIAL "\nrelay_policy = any", "v=spf1 -all",
     "fail 192.0.2.25 -all", false},
    {"incomplete, any: temperror counts as authorised",
     RELAYS_PART "\nrelay_policy = any\nrewrite_on = { fail }", "v=spf1 ~all", "temperror - -",
     false},
};

static RelayCheck check(const char *keys, Dns *dns, const char *local_part)
{
    g_autoptr(Settings) settings = settings_from(keys);
    g_autoptr(RelaySet) set = relay_set_resolve(settings, dns, NULL, &clock_system, IN_TIME, NULL);
    g_autoptr(EvaluationContext) context = evaluation_context_new(dns, G_MAXINT64);

    return relay_check_run(context, settings, set, "a.example.org", local_part);
}

static char *verdict_text(const Verdict *verdict)
{
    return g_strdup_printf("%s %s %s", spf_result_text(verdict->result),
                           verdict->relay != NULL ? verdict->relay : "-",
                           verdict->mechanism != NULL ? verdict->mechanism : "-");
}

static bool is_authorised(const char *keys, const Verdict *verdict)
{
    g_autoptr(Settings) settings = settings_from(keys);
    g_autoptr(Mailbox) author = mailbox_parse("u@a.example.org");

    return standing_is_authorised(
        standing_outcome(settings, (ModeInForce){.mode = MODE_REWRITE}, author, verdict, true));
}

static void test_incomplete(void **state)
{
    const struct incomplete_row *row = *state;
    g_autofree char *zone = g_strconcat("part.example.org ! 0\n"
                                        "partial.example.org TXT 300 v=spf1 ip4:192.0.2.25 "
                                        "exists:%{i}.example.net -all\n"
                                        "half.example.org A 60 192.0.2.25\n"
                                        "half.example.org !AAAA 0\n"
                                        "a.example.org TXT 300 ",
                                        row->record, NULL);
    g_autoptr(Dns) dns = scripted_dns_new();
    g_autofree char *got = NULL;

    scripted_dns_set(dns, zone);
    RelayCheck result = check(row->keys, dns, "u");
    got = verdict_text(result.verdict);
    assert_string_equal(got, row->want);
    assert_int_equal(is_authorised(row->keys, result.verdict), row->is_authorised);
    if (g_str_has_prefix(row->want, "temperror"))
        assert_non_null(strstr(result.verdict->reason, "the relay set is incomplete: "));
    verdict_unref(result.verdict);
}

static void test_policy(void **state)
{
    const struct row *row = *state;
    g_autofree char *zone = g_strconcat("mail.example.net A 60 198.51.100.25\n"
                                        "mail.example.net AAAA 60 2001:db8::25\n"
                                        "broken.example.org ! 0\n"
                                        "a.example.org TXT 300 ",
                                        row->record, NULL);
    g_autoptr(Dns) dns = scripted_dns_new();
    g_autofree char *got = NULL;

    scripted_dns_set(dns, zone);
    RelayCheck result = check(row->keys, dns, "u");
    got = verdict_text(result.verdict);
    verdict_unref(result.verdict);
    if (!g_str_has_prefix(got, row->want))
        assert_string_equal(got, row->want);
}

/* How far a verdict holds comes from the evaluations of all relays. */
static void test_reach(void **state G_GNUC_UNUSED)
{
    g_autoptr(Dns) dns = scripted_dns_new();
    RelayCheck result;

    scripted_dns_set(dns,
                     "a.example.org TXT 600 v=spf1 ip4:192.0.2.26 exists:%{l}.example.org -all\n"
                     "u.example.org A 90 127.0.0.2");
    result = check("relay_hosts = { 192.0.2.25, 192.0.2.26 }", dns, "u");
    assert_int_equal(result.verdict->result, SPF_PASS);
    assert_int_equal(result.ttl, 90);
    assert_true(result.uses_sender);
    verdict_unref(result.verdict);
    result = check("relay_hosts = { 192.0.2.26 }", dns, "u");
    assert_int_equal(result.ttl, 600);
    assert_false(result.uses_sender);
    verdict_unref(result.verdict);
}

static const struct masked_row {
    const char *name;
    const char *zone;
    const char *masked; /* NULL: nothing is to be masked */
} masked_rows[] = {
    {"exists",
     "a.example.org TXT 60 v=spf1 exists:%{l}.x.org -all\n"
     "joe.roe.x.org !A",
     "\"exists:%{l}.x.org\" of a.example.org: no answer for %{l}.x.org (A): SERVFAIL"},
    {"a, turned around",
     "a.example.org TXT 60 v=spf1 ~A:%{l1r-}.%{lr}.x.org -all\n"
     "joe.roe.roe.joe.x.org !A",
     "\"~A:%{l1r-}.%{lr}.x.org\" of a.example.org: no answer for %{l1r-}.%{lr}.x.org (A): "
     "SERVFAIL"},
    {"include", "a.example.org TXT 60 v=spf1 include:%{l}.x.org -all",
     "not shown, since the record depends on the local part"},
    {"redirect", "a.example.org TXT 60 v=spf1 redirect=%{s}",
     "not shown, since the record depends on the local part"},
    {"mx",
     "a.example.org TXT 60 v=spf1 mx:%{l}.x.org -all\n"
     "joe.roe.x.org !",
     "not shown, since the record depends on the local part"},
    {"below an include",
     "a.example.org TXT 60 v=spf1 include:b.example.org -all\n"
     "b.example.org TXT 60 v=spf1 exists:%{l}.x.org -all\n"
     "joe.roe.x.org !A",
     "\"exists:%{l}.x.org\" of b.example.org: no answer for %{l}.x.org (A): SERVFAIL"},
    {"the local part plays no part", "a.example.org TXT 60 v=spf1 include:x.org exists:%{l}.y.org",
     NULL},
    {"no reason", "a.example.org TXT 60 v=spf1 exists:%{l}.y.org -all", NULL},
};

static void test_masked(void **state)
{
    const struct masked_row *row = *state;
    g_autoptr(Dns) dns = scripted_dns_new();
    RelayCheck result;

    scripted_dns_set(dns, row->zone);
    result = check(RELAYS, dns, "joe.roe");
    if (row->masked != NULL)
        assert_string_equal(result.verdict->masked_reason, row->masked);
    else
        assert_null(result.verdict->masked_reason);
    verdict_unref(result.verdict);
}

/* A network of which one address passes by a macro can't be proven, also where another relay fails.
 */
static void test_unproven(void **state G_GNUC_UNUSED)
{
    g_autoptr(Dns) dns = scripted_dns_new();
    RelayCheck alone;
    RelayCheck both;

    scripted_dns_set(dns, "a.example.org TXT 60 "
                          "v=spf1 -ip4:192.0.2.25 exists:%{i}.x.example.org ~all");
    alone = check("relay_hosts = { 198.51.0.0/16 }", dns, NULL);
    both = check("relay_hosts = { 192.0.2.25, 198.51.0.0/16 }", dns, NULL);
    assert_true(alone.verdict->is_unproven);
    assert_int_equal(alone.verdict->result, SPF_NEUTRAL);
    assert_true(both.verdict->is_unproven);
    assert_int_equal(both.verdict->result, SPF_FAIL);
    verdict_unref(alone.verdict);
    verdict_unref(both.verdict);
}

/* The nets that 13 relay networks of a provider stand for, by their first three octets. */
static const char *const pool[] = {"192.0.2",     "198.51.100", "203.0.113",  "199.255.192",
                                   "199.127.232", "54.240.0",   "69.169.224", "23.249.208",
                                   "23.251.224",  "76.223.176", "54.240.64",  "54.240.96",
                                   "76.223.128"};

static char *pool_keys(void)
{
    GString *keys = g_string_new("relay_hosts = { ");

    for (size_t i = 0; i < G_N_ELEMENTS(pool); i++)
        g_string_append_printf(keys, "%s.0/24, ", pool[i]);
    g_string_append_c(keys, '}');
    return g_string_free(keys, FALSE);
}

/* A term of 64 KiB of networks that lie inside of the relays', so that each of those falls into
 * pieces. */
static void append_long_record(GString *zone, guint number)
{
    gsize begin = zone->len;

    g_string_append_printf(zone, "i%u.example.org TXT 60 v=spf1", number);
    for (guint i = 0; zone->len - begin < 65000; i++)
        g_string_append_printf(zone, " ?ip4:%s.%u", pool[i % G_N_ELEMENTS(pool)],
                               i / (guint)G_N_ELEMENTS(pool) % 256);
    g_string_append(zone, " -all\n");
}

/* Records that are too long to be compared with all pieces of all relays are unproven, after a
 * bounded amount of work: a whole check_timeout of CPU before. */
static void test_too_much_work(void **state G_GNUC_UNUSED)
{
    g_autoptr(GString) zone = g_string_new("a.example.org TXT 60 v=spf1");
    g_autofree char *keys = pool_keys();
    g_autoptr(Dns) dns = scripted_dns_new();
    RelayCheck result;

    for (guint i = 0; i < 10; i++)
        g_string_append_printf(zone, " -include:i%u.example.org", i);
    g_string_append(zone, " +all\n");
    for (guint i = 0; i < 10; i++)
        append_long_record(zone, i);
    scripted_dns_set(dns, zone->str);
    result = check(keys, dns, NULL);
    assert_true(result.verdict->is_unproven);
    assert_int_equal(result.verdict->result, SPF_NEUTRAL);
    assert_string_equal(result.verdict->reason, "not provable: the records of a.example.org are "
                                                "too long to be compared with all relays");
    assert_false(is_authorised(keys, result.verdict));
    verdict_unref(result.verdict);
}

/* The largest relay set there can be, and a record that authorises it in a list as long: that is
 * not too much. */
static void test_large_pool(void **state G_GNUC_UNUSED)
{
    g_autoptr(GString) zone = g_string_new("a.example.org TXT 60 v=spf1 a:h.example.org "
                                           "include:first.example.org include:pool.example.org "
                                           "-all\n"
                                           "h.example.org A 60 203.0.113.1\n"
                                           "first.example.org TXT 60 v=spf1 ip4:203.0.113.9 -all\n"
                                           "pool.example.org TXT 60 v=spf1");
    g_autoptr(Dns) dns = scripted_dns_new();
    RelayCheck result;

    for (guint i = 0; i < RELAY_SET_NETWORKS_MAX; i++)
        g_string_append_printf(zone, " ip4:20.%u.%u.0/24", i / 128, i % 128 * 2);
    g_string_append(zone, " -all\n");
    scripted_dns_set(dns, zone->str);
    result = check("relay_hosts = { \"spf:pool.example.org\" }", dns, NULL);
    assert_int_equal(result.verdict->result, SPF_PASS);
    assert_false(result.verdict->is_unproven);
    verdict_unref(result.verdict);
}

static void test_empty_set(void **state G_GNUC_UNUSED)
{
    g_autoptr(Dns) dns = scripted_dns_new();
    RelayCheck result;

    scripted_dns_set(dns, "!");
    result = check("relay_hosts = { mail.example.net }", dns, "u");
    assert_int_equal(result.verdict->result, SPF_TEMPERROR);
    assert_non_null(result.verdict->reason);
    verdict_unref(result.verdict);
}

/* A stranger chooses these; the cache keeps them. */
static void test_long_texts(void **state G_GNUC_UNUSED)
{
    g_autofree char *name = g_strnfill(4000, 'x');
    g_autofree char *zone = g_strconcat("a.example.org TXT 60 v=spf1 -", name, NULL);
    g_autofree char *matching =
        g_strconcat("a.example.org TXT 60 v=spf1 a:%{d0", name, "}.example.org -all", NULL);
    g_autofree char *long_match = g_strconcat("a.example.org TXT 60 v=spf1 exists:%{d}.%{d}.%{d}",
                                              name, ".example.org -all", NULL);
    const char *const zones[] = {zone, matching, long_match};

    for (size_t i = 0; i < G_N_ELEMENTS(zones); i++) {
        g_autoptr(Dns) dns = scripted_dns_new();

        scripted_dns_set(dns, zones[i]);
        RelayCheck result = check(RELAYS, dns, name);
        assert_true(strlen(result.verdict->reason != NULL ? result.verdict->reason : "") <=
                    RELAY_CHECK_TEXT_MAX);
        assert_true(strlen(result.verdict->mechanism != NULL ? result.verdict->mechanism : "") <=
                    RELAY_CHECK_TEXT_MAX);
        verdict_unref(result.verdict);
    }
}

int main(void)
{
    GArray *tests = table_new();

    if (!evaluation_init(NULL))
        return 1;
    table_add(tests, "how far a verdict holds", test_reach, NULL);
    table_add(tests, "a network that can't be proven", test_unproven, NULL);
    table_add(tests, "records that are too much work", test_too_much_work, NULL);
    table_add(tests, "the largest pool", test_large_pool, NULL);
    table_add(tests, "an empty relay set", test_empty_set, NULL);
    table_add(tests, "long texts are cut", test_long_texts, NULL);
    TABLE_ADD(tests, rows, test_policy);
    TABLE_ADD(tests, masked_rows, test_masked);
    TABLE_ADD(tests, incomplete_rows, test_incomplete);
    return table_run(tests, "relay_check_test");
}
