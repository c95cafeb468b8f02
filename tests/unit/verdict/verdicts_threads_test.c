#include "config.h"

#include "unit/verdict/verdicts_fixture.h"

#include <pthread.h>
#include <sched.h>
#include <string.h>

#include "base/clock.h"
#include "fleet/fleet_store.h"
#include "spf/evaluation.h"
#include "unit/fleet/memory_store.h"
#include "unit/table.h"

#define THREADS 200

typedef struct {
    Verdicts *verdicts;
    const char *address;
    char *got;
} Asker;

static void *run_asker(void *data)
{
    Asker *asker = data;

    asker->got = ask(asker->verdicts, asker->address);
    return NULL;
}

static void start_askers(pthread_t *threads, Asker *askers, guint count, Verdicts *verdicts,
                         const char *const *addresses)
{
    for (guint i = 0; i < count; i++) {
        askers[i] = (Asker){verdicts, addresses[i % 2], NULL};
        assert_int_equal(pthread_create(&threads[i], NULL, run_asker, &askers[i]), 0);
    }
}

static guint join_askers(pthread_t *threads, Asker *askers, guint count, const char *want)
{
    guint wanted = 0;

    for (guint i = 0; i < count; i++) {
        pthread_join(threads[i], NULL);
        wanted += g_str_has_suffix(askers[i].got, want);
        g_free(askers[i].got);
    }
    return wanted;
}

static void test_single_flight(void **state G_GNUC_UNUSED)
{
    static const char *const addresses[] = {"u@a.example.org", "v@a.example.org"};
    g_auto(Fixture) fixture = fixture_new(RELAYS, PASS);
    pthread_t threads[THREADS];
    Asker askers[THREADS];

    scripted_dns_hold(fixture.dns, "a.example.org");
    start_askers(threads, askers, THREADS, fixture.verdicts, addresses);
    scripted_dns_await(fixture.dns, "a.example.org", 1);
    for (guint i = 0; i < 1000; i++)
        sched_yield(); /* more of them join */
    scripted_dns_release(fixture.dns, NULL);
    assert_int_equal(join_askers(threads, askers, THREADS, "pass 192.0.2.25 ip4:192.0.2.25"),
                     THREADS);
    VerdictsCounters counters = counters_of(&fixture);
    assert_int_equal(counters.evaluations, 1);
    assert_int_equal(counters.queries[DNS_FOUND], 1);
    assert_int_equal(counters.misses, 1);
    assert_int_equal(counters.misses + counters.hits + counters.waits, THREADS);
    assert_int_equal(counters.results[SPF_PASS], THREADS);
    assert_int_equal(counters.entries, 1);
}

/* Passengers of a verdict that turns out to be on one address don't take another's. */
static void test_single_flight_by_address(void **state G_GNUC_UNUSED)
{
    static const char *const addresses[] = {"u@a.example.org", "v@a.example.org"};
    g_auto(Fixture) fixture = fixture_new(RELAYS, ADDRESS);
    pthread_t threads[THREADS];
    Asker askers[THREADS];
    guint passed = 0;

    scripted_dns_hold(fixture.dns, "a.example.org");
    start_askers(threads, askers, THREADS, fixture.verdicts, addresses);
    scripted_dns_await(fixture.dns, "a.example.org", 1);
    scripted_dns_release(fixture.dns, NULL);
    for (guint i = 0; i < THREADS; i++) {
        pthread_join(threads[i], NULL);
        passed += strstr(askers[i].got, " pass ") != NULL;
        assert_true((strstr(askers[i].got, " pass ") != NULL) == (i % 2 == 0));
        g_free(askers[i].got);
    }
    assert_int_equal(passed, THREADS / 2);
    assert_int_equal(counters_of(&fixture).evaluations, 2);
    assert_int_equal(counters_of(&fixture).entries, 3);
}

static void test_slow_domain(void **state G_GNUC_UNUSED)
{
    static const char *const addresses[] = {"u@slow.example.org", "v@slow.example.org"};
    g_auto(Fixture) fixture = fixture_new(RELAYS, PASS);
    pthread_t threads[2];
    Asker askers[2];

    scripted_dns_hold(fixture.dns, "slow.example.org");
    start_askers(threads, askers, 2, fixture.verdicts, addresses);
    scripted_dns_await(fixture.dns, "slow.example.org", 1);
    assert_ask(&fixture, "u@a.example.org", "miss pass");
    assert_ask(&fixture, "u@a.example.org", "hit pass");
    scripted_dns_release(fixture.dns, NULL);
    assert_int_equal(join_askers(threads, askers, 2, "none 192.0.2.25 -"), 2);
}

/* Who comes after a flush joins nothing that began before it, and what began before it is not kept.
 */
static void test_flush_amid(void **state G_GNUC_UNUSED)
{
    static const char *const addresses[] = {"u@a.example.org", "v@a.example.org"};
    g_auto(Fixture) fixture = fixture_new(RELAYS, PASS);
    pthread_t threads[2];
    Asker askers[2];

    scripted_dns_hold(fixture.dns, "a.example.org");
    start_askers(threads, askers, 1, fixture.verdicts, addresses);
    scripted_dns_await(fixture.dns, "a.example.org", 1);
    verdicts_flush(fixture.verdicts, "example.org");
    assert_int_equal(scripted_dns_flushes(fixture.dns), 1);
    start_askers(threads + 1, askers + 1, 1, fixture.verdicts, addresses);
    scripted_dns_await(fixture.dns, "a.example.org", 2);
    verdicts_flush(fixture.verdicts, "example.org");
    scripted_dns_release(fixture.dns, NULL);
    assert_int_equal(join_askers(threads, askers, 2, "pass 192.0.2.25 ip4:192.0.2.25"), 2);
    assert_int_equal(counters_of(&fixture).entries, 0);
}

/* A verdict that is asked for often is renewed before it ends: nobody waits for it. */
static void test_renewal(void **state G_GNUC_UNUSED)
{
    g_auto(Fixture) fixture = fixture_new(RELAYS, PASS);

    assert_ask(&fixture, "u@a.example.org", "miss pass");
    assert_ask(&fixture, "u@a.example.org", "hit pass");
    scripted_dns_set(fixture.dns, FAIL);
    set_clock(55);
    assert_ask(&fixture, "u@a.example.org", "hit pass");
    await_evaluations(&fixture, 2);
    set_clock(60);
    assert_ask(&fixture, "u@a.example.org", "hit fail");
    assert_int_equal(counters_of(&fixture).evaluations, 2);
}

/* The same while DNS has trouble. */
static void test_renewal_stale(void **state G_GNUC_UNUSED)
{
    g_auto(Fixture) fixture = fixture_new(RELAYS, PASS);

    assert_ask(&fixture, "u@a.example.org", "miss pass");
    assert_ask(&fixture, "u@a.example.org", "hit pass");
    scripted_dns_set(fixture.dns, "!");
    set_clock(55);
    assert_ask(&fixture, "u@a.example.org", "hit pass");
    await_evaluations(&fixture, 2);
    set_clock(64);
    assert_ask(&fixture, "u@a.example.org", "stale pass");
    await_evaluations(&fixture, 3);
    set_clock(73);
    assert_ask(&fixture, "u@a.example.org", "stale pass");
    await_evaluations(&fixture, 4);
}

/* And where there was only trouble so far. */
static void test_renewal_temperror(void **state G_GNUC_UNUSED)
{
    g_auto(Fixture) fixture = fixture_new(RELAYS, "!");

    assert_ask(&fixture, "u@a.example.org", "miss temperror");
    assert_ask(&fixture, "u@a.example.org", "hit temperror");
    set_clock(6);
    assert_ask(&fixture, "u@a.example.org", "hit temperror");
    await_evaluations(&fixture, 2);
    set_clock(11);
    assert_ask(&fixture, "u@a.example.org", "hit temperror");
}

/* A renewal that DNS holds up delays neither other renewals nor messages. */
static void test_renewal_slow(void **state G_GNUC_UNUSED)
{
    g_auto(Fixture) fixture =
        fixture_new(RELAYS, PASS "\nslow.example.org TXT 60 v=spf1 ip4:192.0.2.25 -all");

    for (guint i = 0; i < 2; i++) {
        assert_ask(&fixture, "u@a.example.org", i == 0 ? "miss pass" : "hit pass");
        assert_ask(&fixture, "u@slow.example.org", i == 0 ? "miss pass" : "hit pass");
    }
    scripted_dns_hold(fixture.dns, "slow.example.org");
    set_clock(55);
    assert_ask(&fixture, "u@slow.example.org", "hit pass");
    scripted_dns_await(fixture.dns, "slow.example.org", 2);
    assert_ask(&fixture, "u@a.example.org", "hit pass");
    await_evaluations(&fixture, 3);
    set_clock(60);
    assert_ask(&fixture, "u@a.example.org", "hit pass");
}

#define LONG_PASS "a.example.org TXT 3600 v=spf1 ip4:192.0.2.25 -all"

/* Waits until the store has answered so many. */
static void await_requests(Fleet *fleet, guint want)
{
    gint64 end = g_get_monotonic_time() + 60 * CLOCK_SECOND;
    guint64 answered = 0;

    while (answered < want && g_get_monotonic_time() < end) {
        FleetStoreState state;

        fleet_store_state(fleet_store(fleet), &state);
        answered = state.requests[FLEET_OUTCOME_OK];
        fleet_store_state_clear(&state);
        g_usleep(1000);
    }
    assert_int_equal(answered, want);
}

/* The first host of a fleet renews it, and the others take that over. */
static void test_renewal_in_a_fleet(void **state G_GNUC_UNUSED)
{
    gint64 now = clock_wall(&clock_system) / CLOCK_SECOND;
    MemoryStore *store = memory_store_new();
    g_autoptr(Fleet) fleet = memory_store_fleet();

    {
        g_auto(Fixture) one = fixture_new(RELAYS, PASS);
        g_auto(Fixture) other = fixture_new(RELAYS, FAIL);
        gint64 end = g_get_monotonic_time() + 60 * CLOCK_SECOND;
        g_autofree char *got = NULL;

        verdicts_share(one.verdicts, fleet);
        verdicts_share(other.verdicts, fleet);
        set_clock(now);
        assert_ask(&one, "u@a.example.org", "miss pass");
        await_requests(fleet, 2); /* whether there is one, and what was found */
        assert_ask(&other, "u@a.example.org", "fleet pass");
        for (guint i = 0; i < 2; i++) {
            assert_ask(&one, "u@a.example.org", "hit pass");
            assert_ask(&other, "u@a.example.org", "hit pass");
        }
        set_clock(now + 55);
        assert_ask(&one, "u@a.example.org", "hit pass");
        await_evaluations(&one, 2);
        await_requests(fleet, 5);
        assert_ask(&other, "u@a.example.org", "hit pass");
        await_requests(fleet, 6);
        set_clock(now + 61);
        do { /* it is answered, and kept a moment later */
            g_free(got);
            got = ask(other.verdicts, "u@a.example.org");
        } while (!g_str_has_prefix(got, "hit pass") && g_get_monotonic_time() < end);
        assert_int_equal(counters_of(&other).evaluations, 0);
        assert_int_equal(counters_of(&one).evaluations, 2);
    }
    g_clear_pointer(&fleet, fleet_unref);
    memory_store_free(store);
}

static void test_relay_set_changes(void **state G_GNUC_UNUSED)
{
    g_auto(Fixture) fixture =
        fixture_new("relay_hosts = { mail.example.net }",
                    "mail.example.net A 600 192.0.2.25\nmail.example.net AAAA 600\n" LONG_PASS);

    assert_ask(&fixture, "u@a.example.org", "miss pass");
    set_clock(599);
    scripted_dns_set(fixture.dns,
                     "mail.example.net A 600 192.0.2.26\nmail.example.net AAAA 600\n" LONG_PASS);
    assert_ask(&fixture, "u@b.example.org", "miss none");
    assert_ask(&fixture, "u@a.example.org", "hit pass");
    set_clock(600);
    assert_ask(&fixture, "u@c.example.org", "miss none"); /* sees that the set is due */
    await_generation(&fixture, 2);
    await_entries_at_most(&fixture, 1);
    assert_ask(&fixture, "u@a.example.org", "miss fail 192.0.2.26 -all");
}

/* A set that is replaced amid an evaluation: the others learn the verdict as one on the set that was
 * evaluated. */
static void test_relay_set_changes_in_a_fleet(void **state G_GNUC_UNUSED)
{
    static const char *const addresses[] = {"u@a.example.org"};
    MemoryStore *store = memory_store_new();
    g_autoptr(Fleet) fleet = memory_store_fleet();

    {
        g_auto(Fixture) one = fixture_new("relay_hosts = { mail.example.net }",
                                          "mail.example.net A 40 192.0.2.25\n" LONG_PASS);
        g_auto(Fixture) other = fixture_new("relay_hosts = { 192.0.2.26 }", LONG_PASS);
        pthread_t thread;
        Asker asker;

        verdicts_share(one.verdicts, fleet);
        verdicts_share(other.verdicts, fleet);
        scripted_dns_set(one.dns, "mail.example.net A 40 192.0.2.26\n" LONG_PASS);
        scripted_dns_hold(one.dns, "mail.example.net");
        scripted_dns_hold(one.dns, "a.example.org");
        set_clock(clock_wall(&clock_system) / CLOCK_SECOND);
        start_askers(&thread, &asker, 1, one.verdicts, addresses);
        scripted_dns_await(one.dns, "a.example.org", 1);
        scripted_dns_release(one.dns, "mail.example.net");
        await_generation(&one, 2);
        scripted_dns_release(one.dns, NULL);
        assert_int_equal(join_askers(&thread, &asker, 1, "pass 192.0.2.25 ip4:192.0.2.25"), 1);
        await_requests(fleet, 2); /* whether there is one, and what was found */
        assert_ask(&other, "u@a.example.org", "miss fail 192.0.2.26 -all");
    }
    g_clear_pointer(&fleet, fleet_unref);
    memory_store_free(store);
}

/* Not as stale ones either: they are on other relays. */
static void test_relay_set_changes_in_trouble(void **state G_GNUC_UNUSED)
{
    g_auto(Fixture) fixture = fixture_new("relay_hosts = { mail.example.net }",
                                          "mail.example.net A 40 192.0.2.25\n" PASS);

    assert_ask(&fixture, "u@a.example.org", "miss pass");
    assert_ask(&fixture, "u@b.example.org", "miss none");
    set_clock(60);
    scripted_dns_set(fixture.dns, "mail.example.net A 40 192.0.2.26\na.example.org ! 0");
    assert_ask(&fixture, "u@c.example.org", "miss none");
    await_generation(&fixture, 2);
    await_entries_at_most(&fixture, 1);
    assert_ask(&fixture, "u@a.example.org", "miss temperror");
}

static void test_same_relay_set_keeps_verdicts(void **state G_GNUC_UNUSED)
{
    g_auto(Fixture) fixture = fixture_new("relay_hosts = { mail.example.net }",
                                          "mail.example.net A 40 192.0.2.25\n" PASS);

    assert_ask(&fixture, "u@a.example.org", "miss pass");
    set_clock(40);
    assert_ask(&fixture, "u@c.example.org", "miss none");
    scripted_dns_await(fixture.dns, "mail.example.net", 4); /* A and AAAA, twice */
    assert_ask(&fixture, "u@a.example.org", "hit pass");
}

static void test_dns_down_at_start(void **state G_GNUC_UNUSED)
{
    g_auto(Fixture) fixture = fixture_new("relay_hosts = { mail.example.net }", "!");

    assert_ask(&fixture, "u@a.example.org", "miss temperror - -");
    assert_ask(&fixture, "u@a.example.org", "miss temperror - -");
    assert_int_equal(counters_of(&fixture).entries, 0);
    scripted_dns_set(fixture.dns, "mail.example.net A 40 192.0.2.25\n" PASS);
    set_clock(RELAY_SET_RETRY_MIN);
    assert_ask(&fixture, "u@a.example.org", "miss temperror - -");
    await_generation(&fixture, 2);
    assert_ask(&fixture, "u@a.example.org", "miss pass 192.0.2.25");
}

/* Flushing all looks the relay set up too. */
static void test_flush_relay_set(void **state G_GNUC_UNUSED)
{
    g_auto(Fixture) fixture =
        fixture_new("relay_hosts = { mail.example.net }",
                    "mail.example.net A 600 192.0.2.25\nmail.example.net AAAA 600");

    scripted_dns_set(fixture.dns, "mail.example.net A 600 192.0.2.26");
    verdicts_flush(fixture.verdicts, NULL);
    await_generation(&fixture, 2);
}

#define CONSENT RELAYS "dkim_consent = { s1 }\n"
#define KEYS                                                                                       \
    "\ns1._domainkey.a.example.org TXT 60 p=MFww\ns1._domainkey.fallback.example TXT 60 p=MFww"
#define THEIR_KEY "s1._domainkey.a.example.org"
#define OUR_KEY "s1._domainkey.fallback.example"

static const char *const consent_addresses[] = {"u@a.example.org", "v@a.example.org"};

/* The keys are asked for while SPF waits, and once for many messages. */
static void test_keys_beside_spf(void **state G_GNUC_UNUSED)
{
    g_auto(Fixture) fixture = fixture_new(CONSENT, FAIL KEYS);
    pthread_t threads[20];
    Asker askers[20];

    scripted_dns_hold(fixture.dns, "a.example.org");
    start_askers(threads, askers, 20, fixture.verdicts, consent_addresses);
    scripted_dns_await(fixture.dns, "a.example.org", 1);
    scripted_dns_await(fixture.dns, THEIR_KEY, 1);
    scripted_dns_await(fixture.dns, OUR_KEY, 1);
    scripted_dns_release(fixture.dns, NULL);
    assert_int_equal(join_askers(threads, askers, 20, "fail 192.0.2.25 -all dkim=s1"), 20);
    assert_ask(&fixture, "u@a.example.org", "hit fail 192.0.2.25 -all dkim=s1");
    assert_int_equal(scripted_dns_asked(fixture.dns, NULL), 3);
    assert_int_equal(counters_of(&fixture).evaluations, 1);
}

/* Who is authorised waits for no key, and is renewed without asking for one. */
static void test_pass_waits_for_no_key(void **state G_GNUC_UNUSED)
{
    g_auto(Fixture) fixture = fixture_new(CONSENT, PASS KEYS);

    scripted_dns_hold(fixture.dns, THEIR_KEY);
    scripted_dns_hold(fixture.dns, OUR_KEY);
    assert_ask(&fixture, "u@a.example.org", "miss pass");
    assert_int_equal(scripted_dns_asked(fixture.dns, THEIR_KEY), 1);
    set_clock(60);
    assert_ask(&fixture, "u@a.example.org", "miss pass");
    assert_int_equal(scripted_dns_asked(fixture.dns, THEIR_KEY), 1);
    scripted_dns_release(fixture.dns, NULL);
    scripted_dns_set(fixture.dns, FAIL KEYS);
    set_clock(120);
    assert_ask(&fixture, "u@a.example.org", "miss fail 192.0.2.25 -all dkim=s1");
}

#define TOGETHER_MAX VERDICTS_WANTED_MAX

/*
 * Asks for addresses, parted by blanks, together. Returns "SOURCE RESULT" of each, "-" for one that
 * was not asked for, parted by commas, owned by the caller.
 */
static char *ask_together(Verdicts *verdicts, const char *addresses, guint sure, Deadline deadline)
{
    g_auto(GStrv) texts = g_strsplit(addresses, " ", -1);
    g_autoptr(GPtrArray) mailboxes = g_ptr_array_new_with_free_func((GDestroyNotify)mailbox_free);
    g_autoptr(GString) got = g_string_new(NULL);
    VerdictWanted wanted[TOGETHER_MAX];

    for (guint i = 0; texts[i] != NULL; i++) {
        g_ptr_array_add(mailboxes, mailbox_parse_path(texts[i]));
        wanted[i].mailbox = g_ptr_array_index(mailboxes, i);
    }
    verdicts_get_all(verdicts, wanted, sure, mailboxes->len, deadline);
    for (guint i = 0; i < mailboxes->len; i++) {
        g_string_append_printf(got, "%s%s", i > 0 ? ", " : "",
                               wanted[i].verdict == NULL ? "-" : "");
        if (wanted[i].verdict == NULL)
            continue;
        g_string_append_printf(got, "%s %s", verdict_source_text(wanted[i].source),
                               spf_result_text(wanted[i].verdict->result));
        verdict_unref(wanted[i].verdict);
    }
    return g_string_free(g_steal_pointer(&got), FALSE);
}

static const struct together_row {
    const char *name;
    const char *zone;
    const char *known; /* asked for before; NULL: nothing */
    const char *addresses;
    guint sure;
    const char *want;
    guint evaluations; /* with those before */
} together_rows[] = {
    {"together: domains apart", PASS, NULL, "<u@a.example.org> <u@b.example.org>", 2,
     "miss pass, miss none", 2},
    {"together: one domain is evaluated once", PASS, NULL,
     "<u@a.example.org> <v@a.example.org> <u@a.example.org>", 3, "miss pass, hit pass, hit pass",
     1},
    {"together: one domain, verdicts by address", ADDRESS, NULL,
     "<u@a.example.org> <v@a.example.org> <w@a.example.org> <v@a.example.org>", 4,
     "miss pass, miss fail, miss fail, hit fail", 3},
    {"together: some are known", PASS, "<u@a.example.org>", "<v@a.example.org> <u@b.example.org>",
     2, "hit pass, miss none", 2},
    {"together: no domain", PASS, NULL, "<> <u@a.example.org>", 2, "none none, miss pass", 1},
    {"together: what may be needed is not asked for if the rest is known", PASS,
     "<u@a.example.org>", "<v@a.example.org> <u@b.example.org>", 1, "hit pass, -", 1},
    {"together: what may be needed is asked for if the rest is not known", PASS, NULL,
     "<v@a.example.org> <u@b.example.org>", 1, "miss pass, miss none", 2},
    {"together: DNS trouble of one", "a.example.org ! 0\nb.example.org TXT 60 v=spf1 -all", NULL,
     "<u@a.example.org> <u@b.example.org>", 2, "miss temperror, miss fail", 2},
};

static void test_together(void **state)
{
    const struct together_row *row = *state;
    g_auto(Fixture) fixture = fixture_new(RELAYS, row->zone);
    g_autofree char *got = NULL;

    if (row->known != NULL)
        g_free(ask_together(fixture.verdicts, row->known, 1, deadline_in(60)));
    got = ask_together(fixture.verdicts, row->addresses, row->sure, deadline_in(60));
    assert_string_equal(got, row->want);
    assert_int_equal(counters_of(&fixture).evaluations, row->evaluations);
}

static char *crowd(void)
{
    GString *addresses = g_string_new(NULL);

    for (guint i = 0; i < TOGETHER_MAX; i++)
        g_string_append_printf(addresses, "%s<u@d%u.example.org>", i > 0 ? " " : "", i);
    return g_string_free(addresses, FALSE);
}

static void *run_crowd(void *data)
{
    Fixture *fixture = data;
    g_autofree char *addresses = crowd();

    return ask_together(fixture->verdicts, addresses, MAILBOXES_MAX, deadline_in(60));
}

/* The DNS answers nobody until everybody has asked. */
static void test_crowd(void **state G_GNUC_UNUSED)
{
    g_autoptr(GString) zone = g_string_new(NULL);
    g_autoptr(GString) want = g_string_new(NULL);
    pthread_t thread;
    void *got;

    for (guint i = 0; i < TOGETHER_MAX; i++) {
        g_string_append_printf(zone, "d%u.example.org TXT 60 v=spf1 ip4:192.0.2.25 -all\n", i);
        g_string_append_printf(want, "%smiss pass", i > 0 ? ", " : "");
    }
    g_auto(Fixture) fixture = fixture_new(RELAYS, zone->str);
    for (guint i = 0; i < TOGETHER_MAX; i++) {
        g_autofree char *name = g_strdup_printf("d%u.example.org", i);

        scripted_dns_hold(fixture.dns, name);
    }
    assert_int_equal(pthread_create(&thread, NULL, run_crowd, &fixture), 0);
    scripted_dns_await(fixture.dns, NULL, TOGETHER_MAX);
    scripted_dns_release(fixture.dns, NULL);
    pthread_join(thread, &got);
    assert_string_equal(got, want->str);
    g_free(got);
    assert_int_equal(counters_of(&fixture).misses, TOGETHER_MAX);
}

/* All of them have one deadline, also those that are still to be asked when it comes. */
static void test_crowd_silent(void **state G_GNUC_UNUSED)
{
    g_auto(Fixture) fixture = fixture_new(RELAYS, "");
    g_autofree char *addresses = crowd();
    g_autofree char *got = NULL;
    gint64 begin = g_get_monotonic_time();

    for (guint i = 0; i < TOGETHER_MAX; i++) {
        g_autofree char *name = g_strdup_printf("d%u.example.org", i);

        scripted_dns_hold(fixture.dns, name);
    }
    got = ask_together(fixture.verdicts, addresses, MAILBOXES_MAX, deadline_in(1));
    assert_true(g_get_monotonic_time() - begin < 10 * CLOCK_SECOND);
    assert_int_equal(counters_of(&fixture).results[SPF_TEMPERROR], TOGETHER_MAX);
}

/* For the sanitizers: everything at once, and the sums are exact. */
static void *run_mix(void *data)
{
    Fixture *fixture = data;

    for (guint i = 0; i < 300; i++) {
        g_autofree char *address = g_strdup_printf("u%u@d%u.example.org", i % 3, i % 40);

        g_free(ask(fixture->verdicts, address));
        if (i % 50 == 0)
            verdicts_flush(fixture->verdicts, i % 100 == 0 ? NULL : "example.org");
        set_clock(i);
    }
    return NULL;
}

static void test_mix(void **state G_GNUC_UNUSED)
{
    g_autoptr(GString) zone = g_string_new("mail.example.net A 9 192.0.2.25\n");
    pthread_t threads[8];

    for (guint i = 0; i < 40; i++)
        g_string_append_printf(zone, "d%u.example.org TXT 30 v=spf1 %s ~all\n", i,
                               i % 4 == 0 ? "exists:%{l}.x.example.org" : "ip4:192.0.2.25");
    g_auto(Fixture) fixture = fixture_new(
        "relay_hosts = { mail.example.net }\ncache_size = 30\ndkim_consent = { s1 }", zone->str);
    for (guint i = 0; i < G_N_ELEMENTS(threads); i++)
        assert_int_equal(pthread_create(&threads[i], NULL, run_mix, &fixture), 0);
    for (guint i = 0; i < G_N_ELEMENTS(threads); i++)
        pthread_join(threads[i], NULL);
    VerdictsCounters counters = counters_of(&fixture);
    assert_int_equal(counters.hits + counters.misses + counters.waits + counters.stales, 8 * 300);
    assert_int_equal(counters.results[SPF_PASS] + counters.results[SPF_SOFTFAIL], 8 * 300);
    assert_true(counters.entries <= 30);
}

int main(void)
{
    GArray *tests = table_new();

    if (!evaluation_init(NULL))
        return 1;
    table_add(tests, "single flight", test_single_flight, NULL);
    table_add(tests, "single flight, verdicts by address", test_single_flight_by_address, NULL);
    table_add(tests, "keys are asked for beside SPF, once", test_keys_beside_spf, NULL);
    table_add(tests, "a pass waits for no key", test_pass_waits_for_no_key, NULL);
    table_add(tests, "a slow domain delays no other", test_slow_domain, NULL);
    table_add(tests, "a flush amid an evaluation", test_flush_amid, NULL);
    table_add(tests, "a flush looks the relay set up", test_flush_relay_set, NULL);
    table_add(tests, "renewal", test_renewal, NULL);
    table_add(tests, "renewal while DNS has trouble", test_renewal_stale, NULL);
    table_add(tests, "renewal of a temperror", test_renewal_temperror, NULL);
    table_add(tests, "a slow renewal delays no other", test_renewal_slow, NULL);
    table_add(tests, "renewal in a fleet", test_renewal_in_a_fleet, NULL);
    table_add(tests, "the relay set changes", test_relay_set_changes, NULL);
    table_add(tests, "the relay set changes, DNS has trouble", test_relay_set_changes_in_trouble,
              NULL);
    table_add(tests, "the relay set changes, in a fleet", test_relay_set_changes_in_a_fleet, NULL);
    table_add(tests, "the relay set stays the same", test_same_relay_set_keeps_verdicts, NULL);
    table_add(tests, "DNS is down at the start", test_dns_down_at_start, NULL);
    TABLE_ADD(tests, together_rows, test_together);
    table_add(tests, "together: as many as there can be", test_crowd, NULL);
    table_add(tests, "together: silent, until the deadline", test_crowd_silent, NULL);
    table_add(tests, "everything at once", test_mix, NULL);
    return table_run(tests, "verdicts_threads_test");
}
