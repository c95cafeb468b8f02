#include "config.h"

#include "unit/verdict/verdicts_fixture.h"

#include <string.h>

#include "unit/verdict/settings_from.h"
#include "spf/evaluation.h"
#include "unit/fleet/memory_store.h"
#include "unit/table.h"

/* How long a verdict is kept. */
static const struct life_row {
    const char *name;
    const char *keys;
    const char *zone;
    guint seconds;
} life_rows[] = {
    {"pass: its TTL", RELAYS, "a.example.org TXT 600 v=spf1 ip4:192.0.2.25 -all", 600},
    {"pass: the smallest TTL", RELAYS,
     "a.example.org TXT 600 v=spf1 include:b.example.org -all\nb.example.org TXT 90 v=spf1 "
     "ip4:192.0.2.25",
     90},
    {"pass: the smallest TTL, of a name without address", RELAYS,
     "a.example.org TXT 600 v=spf1 a:c.example.org ip4:192.0.2.25 -all\nc.example.org - 70", 70},
    {"pass: at least cache_min_ttl", RELAYS, "a.example.org TXT 1 v=spf1 ip4:192.0.2.25 -all", 30},
    {"pass: at most cache_max_ttl", RELAYS, "a.example.org TXT 86400 v=spf1 ip4:192.0.2.25 -all",
     3600},
    {"pass: cache_min_ttl as configured", RELAYS "cache_min_ttl = 7",
     "a.example.org TXT 1 v=spf1 ip4:192.0.2.25 -all", 7},
    {"pass: cache_max_ttl as configured", RELAYS "cache_max_ttl = 2h",
     "a.example.org TXT 86400 v=spf1 ip4:192.0.2.25 -all", 7200},
    {"fail: at most cache_retry_ttl", RELAYS, "a.example.org TXT 3600 v=spf1 -all", 300},
    {"fail: its TTL where that is shorter", RELAYS, "a.example.org TXT 45 v=spf1 -all", 45},
    {"fail: cache_retry_ttl as configured", RELAYS "cache_retry_ttl = 50",
     "a.example.org TXT 3600 v=spf1 -all", 50},
    {"softfail: at most cache_retry_ttl", RELAYS, "a.example.org TXT 3600 v=spf1 ~all", 300},
    {"neutral: at most cache_retry_ttl", RELAYS, "a.example.org TXT 3600 v=spf1 ?all", 300},
    {"none: at most cache_retry_ttl", RELAYS, "a.example.org - 3600", 300},
    {"none: the TTL of the SOA", RELAYS, "a.example.org - 60", 60},
    {"permerror: at most cache_retry_ttl", RELAYS, "a.example.org TXT 3600 v=spf1 x", 300},
    {"our key: as a pass, the smallest TTL of all", RELAYS "dkim_consent = { s1, s2 }",
     "a.example.org TXT 900 v=spf1 ~all\ns1._domainkey.a.example.org TXT 800 p=MFww\ns2._domainkey.a.example.org - 850\ns2._domainkey.fallback.example - 860\ns1._domainkey.fallback.example TXT 700 p=MFww",
     700},
    {"another key: as without", RELAYS "dkim_consent = { s1, s2 }",
     "a.example.org TXT 900 v=spf1 ~all\ns1._domainkey.a.example.org TXT 800 p=MFwx\ns2._domainkey.a.example.org - 850\ns2._domainkey.fallback.example - 860\ns1._domainkey.fallback.example TXT 700 p=MFww",
     300},
    {"no answer about the key: 10 s", RELAYS "dkim_consent = { s1, s2 }",
     "a.example.org TXT 900 v=spf1 ~all\ns1._domainkey.a.example.org ! 0\ns2._domainkey.a.example.org - 850\ns2._domainkey.fallback.example - 860\ns1._domainkey.fallback.example TXT 700 p=MFww",
     10},
    {"no answer about our own key: 10 s", RELAYS "dkim_consent = { s1 }\ncache_min_ttl = 300",
     "a.example.org TXT 900 v=spf1 ~all\ns1._domainkey.a.example.org TXT 800 p=MFww\n"
     "s1._domainkey.fallback.example ! 0",
     10},
    {"no answer about our own key, which would not help", RELAYS "dkim_consent = { s1 }",
     "a.example.org TXT 900 v=spf1 ~all\ns1._domainkey.fallback.example ! 0", 30},
    {"temperror and our key: cache_min_ttl", RELAYS "dkim_consent = { s1, s2 }",
     "a.example.org TXT 900 v=spf1 include:b.example.org -all\nb.example.org ! 0\ns1._domainkey.a.example.org TXT 800 p=MFww\ns2._domainkey.a.example.org - 850\ns2._domainkey.fallback.example - 860\ns1._domainkey.fallback.example TXT 700 p=MFww",
     30},
    {"temperror: 10 s", RELAYS, "a.example.org ! 0", 10},
    {"temperror: 10 s, whatever other TTLs are", RELAYS,
     "a.example.org TXT 600 v=spf1 include:b.example.org -all\nb.example.org ! 0", 10},
};

static void test_life(void **state)
{
    const struct life_row *row = *state;
    g_auto(Fixture) fixture = fixture_new(row->keys, row->zone);
    guint asked;

    assert_ask(&fixture, "u@a.example.org", "miss");
    asked = scripted_dns_asked(fixture.dns, NULL);
    set_clock(row->seconds - 1);
    assert_ask(&fixture, "v@a.example.org", "hit");
    assert_int_equal(scripted_dns_asked(fixture.dns, NULL), asked);
    set_clock(row->seconds);
    assert_ask(&fixture, "u@a.example.org", "miss");
    assert_true(scripted_dns_asked(fixture.dns, NULL) > asked);
}

/* What is asked at which time, and how often DNS was evaluated by then. */
typedef struct {
    guint at;
    const char *zone; /* NULL: as before */
    const char *address;
    const char *want;
    guint evaluations;
} Step;

#define STEPS_MAX 10

static const struct story_row {
    const char *name;
    const char *keys;
    Step steps[STEPS_MAX];
} story_rows[] = {
    {"a change is noticed at the TTL",
     RELAYS,
     {{0, FAIL, "u@a.example.org", "miss fail", 1},
      {59, PASS, "u@a.example.org", "hit fail", 1},
      {60, NULL, "u@a.example.org", "miss pass", 2}}},
    {"domains are apart",
     RELAYS,
     {{0, PASS, "u@a.example.org", "miss pass", 1}, {0, NULL, "u@b.example.org", "miss none", 2}}},
    {"stale while DNS has trouble, and left alone for 10 s",
     RELAYS,
     {{0, PASS, "u@a.example.org", "miss pass", 1},
      {60, "!", "u@a.example.org", "stale pass", 2},
      {69, NULL, "u@a.example.org", "stale pass", 2},
      {70, NULL, "u@a.example.org", "stale pass", 3},
      {80, FAIL, "u@a.example.org", "miss fail", 4}}},
    {"stale: every result but temperror",
     RELAYS,
     {{0, FAIL, "u@a.example.org", "miss fail", 1}, {60, "!", "u@a.example.org", "stale fail", 2}}},
    {"stale: for cache_stale after the TTL",
     RELAYS "cache_stale = 100",
     {{0, PASS, "u@a.example.org", "miss pass", 1},
      {159, "!", "u@a.example.org", "stale pass", 2},
      {160, NULL, "u@a.example.org", "miss temperror", 3}}},
    {"stale: cache_stale = 0",
     RELAYS "cache_stale = 0",
     {{0, PASS, "u@a.example.org", "miss pass", 1},
      {60, "!", "u@a.example.org", "miss temperror", 2}}},
    {"temperror: never stale",
     RELAYS,
     {{0, "!", "u@a.example.org", "miss temperror", 1},
      {9, NULL, "u@a.example.org", "hit temperror", 1},
      {10, NULL, "u@a.example.org", "miss temperror", 2},
      {20, PASS, "u@a.example.org", "miss pass", 3}}},
    {"by address where the record asks for the sender",
     RELAYS,
     {{0, ADDRESS, "u@a.example.org", "miss pass", 1},
      {0, NULL, "v@a.example.org", "miss fail", 2},
      {1, NULL, "u@a.example.org", "hit pass", 2},
      {1, NULL, "v@a.example.org", "hit fail", 2},
      {60, NULL, "u@a.example.org", "miss pass", 3}}},
    {"by address: stale of each its own",
     RELAYS,
     {{0, ADDRESS, "u@a.example.org", "miss pass", 1},
      {0, NULL, "v@a.example.org", "miss fail", 2},
      {60, "!", "u@a.example.org", "stale pass", 3},
      {60, NULL, "v@a.example.org", "stale fail", 4},
      {60, NULL, "w@a.example.org", "miss temperror", 5},
      {61, NULL, "u@a.example.org", "stale pass", 5}}},
    {"by address: no more",
     RELAYS,
     {{0, ADDRESS, "u@a.example.org", "miss pass", 1},
      {1, FAIL, "v@a.example.org", "miss fail", 2},
      {2, NULL, "u@a.example.org", "hit fail", 2}}},
    {"by address: only where the term is reached",
     RELAYS,
     {{0, "a.example.org TXT 60 v=spf1 ip4:192.0.2.25 exists:%{l}.x.example.org -all",
       "u@a.example.org", "miss pass", 1},
      {0, NULL, "v@a.example.org", "hit pass", 1}}},
    {"the least recently used goes",
     RELAYS "cache_size = 2",
     {{0, PASS, "u@a.example.org", "miss pass", 1},
      {0, NULL, "u@b.example.org", "miss none", 2},
      {1, NULL, "u@a.example.org", "hit pass", 2},
      {1, NULL, "u@c.example.org", "miss none", 3},
      {1, NULL, "u@a.example.org", "hit pass", 3},
      {1, NULL, "u@b.example.org", "miss none", 4}}},
};

#define SOFTFAIL "a.example.org TXT 60 v=spf1 ~all\n"
#define THEIRS "s1._domainkey.a.example.org TXT 60 p=MFww\n"
#define OURS "s1._domainkey.fallback.example TXT 60 p=MFww\n"
#define CONSENT RELAYS "dkim_consent = { s1 }\n"

static const struct story_row consent_rows[] = {
    {"consent: stale while the DNS does not tell the key",
     CONSENT,
     {{0, SOFTFAIL THEIRS OURS, "u@a.example.org", "miss softfail 192.0.2.25 ~all dkim=s1", 1},
      {60, SOFTFAIL OURS "s1._domainkey.a.example.org ! 0", "u@a.example.org",
       "stale softfail 192.0.2.25 ~all dkim=s1", 2},
      {69, NULL, "u@a.example.org", "stale softfail 192.0.2.25 ~all dkim=s1", 2},
      {70, SOFTFAIL THEIRS "s1._domainkey.fallback.example ! 0", "u@a.example.org",
       "stale softfail 192.0.2.25 ~all dkim=s1", 3},
      {80, SOFTFAIL OURS, "u@a.example.org", "miss softfail 192.0.2.25 ~all", 4}}},
    {"consent: trouble is no answer for long",
     CONSENT "cache_min_ttl = 300",
     {{0, SOFTFAIL OURS "s1._domainkey.a.example.org ! 0", "u@a.example.org",
       "miss softfail 192.0.2.25 ~all", 1},
      {9, SOFTFAIL OURS THEIRS, "u@a.example.org", "hit softfail 192.0.2.25 ~all", 1},
      {10, NULL, "u@a.example.org", "miss softfail 192.0.2.25 ~all dkim=s1", 2}}},
};

static void test_story(void **state)
{
    const struct story_row *row = *state;
    g_auto(Fixture) fixture = fixture_new(row->keys, "");

    for (const Step *step = row->steps; step->address != NULL; step++) {
        set_clock(step->at);
        if (step->zone != NULL)
            scripted_dns_set(fixture.dns, step->zone);
        assert_ask(&fixture, step->address, step->want);
        assert_int_equal(counters_of(&fixture).evaluations, step->evaluations);
    }
}

/* Asks as soon as the answer before is over, until the fleet has one. */
static void await_fleet(const Fixture *fixture, const char *address, const char *want)
{
    gint64 end = g_get_monotonic_time() + 60 * CLOCK_SECOND;
    g_autofree char *got = ask(fixture->verdicts, address);

    for (gint64 i = 1; !g_str_has_prefix(got, "fleet") && g_get_monotonic_time() < end; i++) {
        g_usleep(1000);
        set_clock(clock_wall(&clock_system) / CLOCK_SECOND + 10 * i);
        g_free(got);
        got = ask(fixture->verdicts, address);
    }
    assert_string_equal(got, want);
}

/* What one host found goes to the others, but for what the DNS did not tell. */
static void test_consent_in_a_fleet(void **state G_GNUC_UNUSED)
{
    MemoryStore *store = memory_store_new();
    g_autoptr(Fleet) fleet = memory_store_fleet();

    {
        g_auto(Fixture) one =
            fixture_new(CONSENT, SOFTFAIL THEIRS "s1._domainkey.fallback.example ! 0");
        g_auto(Fixture) other = fixture_new(CONSENT, SOFTFAIL THEIRS OURS);

        set_clock(clock_wall(&clock_system) / CLOCK_SECOND);
        verdicts_share(one.verdicts, fleet);
        verdicts_share(other.verdicts, fleet);
        assert_ask(&one, "u@a.example.org", "miss softfail 192.0.2.25 ~all");
        assert_ask(&other, "u@a.example.org", "miss softfail 192.0.2.25 ~all dkim=s1");
        await_fleet(&one, "u@a.example.org", "fleet softfail 192.0.2.25 ~all dkim=s1");
    }
    g_clear_pointer(&fleet, fleet_unref);
    memory_store_free(store);
}

static void test_no_domain(void **state G_GNUC_UNUSED)
{
    g_auto(Fixture) fixture = fixture_new(RELAYS, "");
    const Mailbox mailbox = {.local_part = (char *)"u"};
    VerdictSource source;
    g_autoptr(Verdict) verdict = verdicts_get(fixture.verdicts, &mailbox, IN_TIME, &source);

    assert_int_equal(verdict->result, SPF_NONE);
    assert_int_equal(source, VERDICT_SOURCE_NONE);
    assert_int_equal(counters_of(&fixture).results[SPF_NONE], 1);
}

/* Where there is an older verdict to fall back on, a silent DNS is not waited for as long. */
static void test_patience(void **state G_GNUC_UNUSED)
{
    g_auto(Fixture) fixture = fixture_new(RELAYS "check_timeout = 100s", PASS);
    gint64 start = g_get_monotonic_time();

    assert_ask(&fixture, "u@a.example.org", "miss pass");
    assert_true(scripted_dns_deadline(fixture.dns) >= start + 100 * CLOCK_SECOND);
    set_clock(60);
    assert_ask(&fixture, "u@a.example.org", "miss pass");
    assert_true(scripted_dns_deadline(fixture.dns) <=
                g_get_monotonic_time() + VERDICTS_PATIENCE * CLOCK_SECOND);
    assert_false(verdicts_is_dmarc_enforced(fixture.verdicts, "a.example.org", IN_TIME));
    assert_true(scripted_dns_deadline(fixture.dns) <=
                g_get_monotonic_time() + VERDICTS_PATIENCE * CLOCK_SECOND);
}

static void test_flush(void **state G_GNUC_UNUSED)
{
    g_auto(Fixture) fixture = fixture_new(RELAYS, PASS);

    assert_ask(&fixture, "u@a.example.org", "miss pass");
    verdicts_flush(fixture.verdicts, "b.example.org");
    assert_ask(&fixture, "u@a.example.org", "hit pass");
    verdicts_flush(fixture.verdicts, "example.org");
    assert_ask(&fixture, "u@a.example.org", "miss pass");
    verdicts_flush(fixture.verdicts, NULL);
    assert_ask(&fixture, "u@a.example.org", "miss pass");
    assert_int_equal(scripted_dns_flushes(fixture.dns), 3);
}

static void test_no_public_relay(void **state G_GNUC_UNUSED)
{
    g_autoptr(Settings) settings = settings_from("relay_hosts = { 10.0.0.1 }");
    g_autoptr(GError) error = NULL;

    assert_null(verdicts_new(settings, scripted_dns_new(), &clock_system, IN_TIME, &error));
    assert_int_equal(error->domain, RELAY_SET_ERROR);
}

/* What a reload keeps, and what it can't. */
static const struct reload_row {
    const char *name;
    const char *keys;
    const char *zone;
    const char *want;
} reload_rows[] = {
    {"the same settings", "relay_hosts = { mail.example.net }", NULL, "hit pass 192.0.2.25"},
    {"other settings that don't matter", "relay_hosts = { mail.example.net }\nmode = log-only",
     NULL, "hit pass 192.0.2.25"},
    {"the same relay by another name", "relay_hosts = { 192.0.2.25 }", NULL, "hit pass 192.0.2.25"},
    {"other relays", "relay_hosts = { 192.0.2.26 }", NULL, "miss fail 192.0.2.26"},
    {"another host name", "relay_hosts = { mail.example.net }\nhostname = b.example.org", NULL,
     "miss pass 192.0.2.25"},
    {"another policy", "relay_hosts = { mail.example.net }\nrelay_policy = any", NULL,
     "miss pass 192.0.2.25"},
    {"other lives", "relay_hosts = { mail.example.net }\ncache_max_ttl = 50", NULL,
     "miss pass 192.0.2.25"},
    {"another DNS", "relay_hosts = { mail.example.net }\ndns_servers = { 192.0.2.53 }", NULL,
     "miss pass 192.0.2.25"},
    {"DNS has trouble: the relays stay", "relay_hosts = { mail.example.net }", "!",
     "hit pass 192.0.2.25"},
};

static void test_reload(void **state)
{
    const struct reload_row *row = *state;
    static const char zone[] = "mail.example.net A 600 192.0.2.25\n" PASS;
    g_auto(Fixture) before = fixture_new("relay_hosts = { mail.example.net }", zone);
    g_autoptr(Settings) settings = settings_from(row->keys);
    g_auto(Fixture) after = {.dns = scripted_dns_new()};

    assert_ask(&before, "u@a.example.org", "miss pass");
    scripted_dns_set(after.dns, row->zone != NULL ? row->zone : zone);
    after.verdicts = verdicts_new_after(before.verdicts, settings, after.dns, IN_TIME, NULL);
    assert_non_null(after.verdicts);
    assert_ask(&after, "u@a.example.org", row->want);
    assert_int_equal(counters_of(&after).results[SPF_PASS] + counters_of(&after).results[SPF_FAIL],
                     2);
    if (g_str_has_prefix(row->want, "hit")) {
        guint entries = counters_of(&after).entries;

        assert_ask(&before, "u@b.example.org", "miss none");
        assert_int_equal(counters_of(&after).entries, entries);
    }
}

static void test_dmarc(void **state G_GNUC_UNUSED)
{
    g_auto(Fixture) fixture =
        fixture_new(RELAYS, "_dmarc.a.example.org TXT 60 v=DMARC1; p=quarantine\n"
                            "_dmarc.b.example.org TXT 60 v=DMARC1; p=none");

    assert_true(verdicts_is_dmarc_enforced(fixture.verdicts, "a.example.org", IN_TIME));
    assert_false(verdicts_is_dmarc_enforced(fixture.verdicts, "b.example.org", IN_TIME));
    assert_false(verdicts_is_dmarc_enforced(fixture.verdicts, "c.example.org", IN_TIME));
    scripted_dns_set(fixture.dns, "!");
    assert_false(verdicts_is_dmarc_enforced(fixture.verdicts, "a.example.org", IN_TIME));
}

int main(void)
{
    GArray *tests = table_new();

    if (!evaluation_init(NULL))
        return 1;
    table_add(tests, "no domain", test_no_domain, NULL);
    table_add(tests, "how long DNS is waited for", test_patience, NULL);
    table_add(tests, "flush", test_flush, NULL);
    table_add(tests, "no public relay", test_no_public_relay, NULL);
    table_add(tests, "DMARC", test_dmarc, NULL);
    TABLE_ADD(tests, life_rows, test_life);
    TABLE_ADD(tests, story_rows, test_story);
    TABLE_ADD(tests, consent_rows, test_story);
    table_add(tests, "consent in a fleet", test_consent_in_a_fleet, NULL);
    TABLE_ADD(tests, reload_rows, test_reload);
    return table_run(tests, "verdicts_test");
}
