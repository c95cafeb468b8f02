#ifndef SPFROM_TESTS_VERDICTS_FIXTURE_H
#define SPFROM_TESTS_VERDICTS_FIXTURE_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "unit/dns/scripted_dns.h"
#include "verdict/verdicts.h"

/* Verdicts over a scripted DNS, with a clock that stands where the test puts it. */
typedef struct {
    Dns *dns; /* owned by verdicts */
    Verdicts *verdicts;
} Fixture;

#define RELAYS "relay_hosts = { 192.0.2.25 }\n"
#define PASS "a.example.org TXT 60 v=spf1 ip4:192.0.2.25 -all"
#define FAIL "a.example.org TXT 60 v=spf1 -all"
#define ADDRESS                                                                                    \
    "a.example.org TXT 60 v=spf1 exists:%{l}.x.example.org -all\nu.x.example.org A 60 127.0.0.2"

/* keys of the configuration; the clock begins at 0. */
Fixture fixture_new(const char *keys, const char *zone);
/* Releases what DNS holds up, and frees. */
void fixture_clear(Fixture *fixture);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Fixture, fixture_clear)

void set_clock(gint64 seconds);

/* Asks for "local@domain". Returns what came, as "miss softfail 192.0.2.25 ~all", with " dkim=s1"
 * behind it where that is so; owned by the caller. */
char *ask(Verdicts *verdicts, const char *address);
/* want is that, or its beginning. */
void assert_ask(const Fixture *fixture, const char *address, const char *want);

VerdictsCounters counters_of(const Fixture *fixture);

/* For work in threads of verdicts: each waits until it is so, at most a minute. */
void await_evaluations(const Fixture *fixture, guint want);
void await_generation(const Fixture *fixture, guint want);
void await_entries_at_most(const Fixture *fixture, guint most);
#endif
