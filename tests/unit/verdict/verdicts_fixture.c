#include "config.h"

#include "unit/verdict/verdicts_fixture.h"

#include <sched.h>
#include <string.h>

#include "unit/verdict/settings_from.h"

#define AWAIT_MAX (60 * CLOCK_SECOND)

static gint64 clock_seconds;
static guint check_timeout; /* of the last fixture */

static gint64 test_monotonic(void *hook G_GNUC_UNUSED)
{
    return __atomic_load_n(&clock_seconds, __ATOMIC_RELAXED) * CLOCK_SECOND;
}

static const Clock test_clock = {test_monotonic, test_monotonic, NULL};

void set_clock(gint64 seconds)
{
    __atomic_store_n(&clock_seconds, seconds, __ATOMIC_RELAXED);
}

Fixture fixture_new(const char *keys, const char *zone)
{
    g_autoptr(Settings) settings = settings_from(keys);
    g_autoptr(GError) error = NULL;
    Fixture fixture = {.dns = scripted_dns_new()};

    set_clock(0);
    scripted_dns_set(fixture.dns, zone);
    check_timeout = settings->check_timeout;
    fixture.verdicts =
        verdicts_new(settings, fixture.dns, &test_clock, deadline_in(check_timeout), &error);
    if (fixture.verdicts == NULL)
        fail_msg("%s", error->message);
    return fixture;
}

void fixture_clear(Fixture *fixture)
{
    scripted_dns_release(fixture->dns, NULL);
    g_clear_pointer(&fixture->verdicts, verdicts_unref);
}

char *ask(Verdicts *verdicts, const char *address)
{
    g_auto(GStrv) parts = g_strsplit(address, "@", 2);
    Mailbox mailbox = {.local_part = parts[0], .domain_name = parts[1]};
    VerdictSource source;
    g_autoptr(Verdict) verdict =
        verdicts_get(verdicts, &mailbox, deadline_in(check_timeout), &source);

    return g_strdup_printf(
        "%s %s %s %s%s%s", verdict_source_text(source), spf_result_text(verdict->result),
        verdict->relay != NULL ? verdict->relay : "-",
        verdict->mechanism != NULL ? verdict->mechanism : "-",
        verdict->dkim != NULL ? " dkim=" : "", verdict->dkim != NULL ? verdict->dkim : "");
}

void assert_ask(const Fixture *fixture, const char *address, const char *want)
{
    g_autofree char *got = ask(fixture->verdicts, address);

    if (!g_str_has_prefix(got, want))
        assert_string_equal(got, want);
}

VerdictsCounters counters_of(const Fixture *fixture)
{
    VerdictsCounters counters;

    verdicts_counters(fixture->verdicts, &counters);
    return counters;
}

void await_evaluations(const Fixture *fixture, guint want)
{
    gint64 end = g_get_monotonic_time() + AWAIT_MAX;

    while (counters_of(fixture).evaluations < want && g_get_monotonic_time() < end)
        sched_yield();
    assert_int_equal(counters_of(fixture).evaluations, want);
}

void await_generation(const Fixture *fixture, guint want)
{
    gint64 end = g_get_monotonic_time() + AWAIT_MAX;
    guint generation = 0;

    while (generation != want && g_get_monotonic_time() < end) {
        g_autoptr(RelaySet) set = verdicts_relay_set(fixture->verdicts);

        generation = set->generation;
        sched_yield();
    }
    assert_int_equal(generation, want);
}

void await_entries_at_most(const Fixture *fixture, guint most)
{
    gint64 end = g_get_monotonic_time() + AWAIT_MAX;

    while (counters_of(fixture).entries > most && g_get_monotonic_time() < end)
        sched_yield();
    assert_true(counters_of(fixture).entries <= most);
}
