#include "config.h"

#include "verdict/verdicts.h"
#include "dns/dns_wrappers.h"

#include <pthread.h>
#include <string.h>

#include "base/parallel.h"
#include "spf/dmarc.h"
#include "verdict/dkim_consent.h"
#include "verdict/flights.h"
#include "verdict/fresh_relays.h"
#include "verdict/relay_check.h"
#include "verdict/upkeep.h"
#include "verdict/verdict_cache.h"

G_STATIC_ASSERT(G_N_ELEMENTS(((VerdictsCounters *)NULL)->queries) == DNS_STATUSES);

/* What goes on over a reload. */
typedef struct {
    gint refs;
    VerdictsCounters counters; /* __atomic_*() only; what is about DNS and entries are not used */
    DnsCounts dns;
} Counted;

struct Verdicts {
    gint refs;
    Settings *settings;
    const Clock *clock; /* for TTLs; deadlines are clock_system's */
    Counted *counted;
    Dns *dns; /* made by dns_counted_new() */
    FreshRelays *relays;
    VerdictCache *cache;
    Flights *flights;
    Upkeep *upkeep;
    Fleet *fleet;                     /* NULL: this host is alone */
    char *zone_digest;                /* of dns_zone_file; "-" without one, NULL without a fleet */
    pthread_mutex_t fingerprint_lock; /* guards the next two */
    RelaySet *fingerprinted;          /* NULL: there was no fingerprint yet */
    char *fingerprint;                /* of that set; see fingerprint_new() */
    gint is_replaced;                 /* by verdicts_new_after(); g_atomic_int_*() only */
};

static void add_one(guint64 *counter)
{
    __atomic_fetch_add(counter, 1, __ATOMIC_RELAXED);
}

static guint64 read_one(const guint64 *counter)
{
    return __atomic_load_n(counter, __ATOMIC_RELAXED);
}

static gint64 read_time(const gint64 *time)
{
    return __atomic_load_n(time, __ATOMIC_RELAXED);
}

static Counted *counted_new(void)
{
    Counted *counted = g_new0(Counted, 1);

    counted->refs = 1;
    return counted;
}

static Counted *counted_ref(Counted *counted)
{
    g_atomic_int_inc(&counted->refs);
    return counted;
}

static void counted_unref(Counted *counted)
{
    if (g_atomic_int_dec_and_test(&counted->refs))
        g_free(counted);
}

/* Did DNS trouble keep it from being known whether the domain is authorised? */
static bool is_open(const RelayCheck *check)
{
    return check->verdict->dkim == NULL &&
           (check->verdict->result == SPF_TEMPERROR || check->lacks_keys);
}

static VerdictLife life_of(const Verdicts *verdicts, const RelayCheck *check, gint64 made)
{
    Settings *settings = verdicts->settings;
    guint fresh = MIN(MAX(check->ttl, settings->cache_min_ttl), settings->cache_max_ttl);

    if (is_open(check)) {
        fresh = MIN(MIN(VERDICT_CACHE_QUIET, settings->cache_retry_ttl), settings->cache_max_ttl);
        return (VerdictLife){clock_monotonic(verdicts->clock), fresh, 0};
    }
    if (check->verdict->result != SPF_PASS && check->verdict->dkim == NULL)
        fresh = MIN(fresh, settings->cache_retry_ttl);
    return (VerdictLife){made, fresh, settings->cache_stale};
}

/* A temperror may come before a term that asks for the sender: it then holds for as much as what
 * was known before. */
static bool holds_for_one_address(const RelayCheck *check, const VerdictCacheAnswer *before)
{
    return check->uses_sender ||
           (check->verdict->result == SPF_TEMPERROR && before->is_per_address);
}

static void keep(Verdicts *verdicts, const VerdictKey *key, const RelayCheck *check,
                 const VerdictCacheAnswer *before, gint64 made)
{
    VerdictKey kept = *key;
    VerdictLife life = life_of(verdicts, check, made);

    if (g_atomic_int_get(&verdicts->is_replaced))
        return;
    if (!holds_for_one_address(check, before))
        kept.local_part = NULL;
    verdict_cache_put(verdicts->cache, &kept, check->verdict, &life, before->epoch);
}

/* Is there a verdict in answer that can serve while DNS has trouble? */
static bool has_older(const VerdictCacheAnswer *answer)
{
    return answer->verdict != NULL &&
           (answer->verdict->result != SPF_TEMPERROR || answer->verdict->dkim != NULL);
}

/* Is there one for what check left open? For keys that the DNS does not tell, the consent of before;
 * another result of SPF is as old as that, and not better. */
static bool has_older_for(const RelayCheck *check, const VerdictCacheAnswer *before)
{
    if (check->verdict->result == SPF_TEMPERROR)
        return has_older(before);
    return before->verdict != NULL && before->verdict->dkim != NULL;
}

/* Shortens deadline if answer has something to fall back on. */
static Deadline with_patience(Deadline deadline, const VerdictCacheAnswer *answer)
{
    return has_older(answer) ? deadline_shortened(deadline, VERDICTS_PATIENCE) : deadline;
}

/* Keeps what check found, or what was there before where DNS has trouble. Takes its verdict. */
static Landing settle(Verdicts *verdicts, const VerdictKey *key, const RelayCheck *check,
                      const VerdictCacheAnswer *before, gint64 made)
{
    if (!is_open(check) || !has_older_for(check, before)) {
        keep(verdicts, key, check, before, made);
        return (Landing){check->verdict, false, holds_for_one_address(check, before)};
    }
    verdict_unref(check->verdict);
    verdict_cache_postpone(verdicts->cache, key, clock_monotonic(verdicts->clock));
    return (Landing){verdict_ref(before->verdict), true, before->is_per_address};
}

static char *fingerprint_of(const Verdicts *verdicts, const RelaySet *set)
{
    Settings *settings = verdicts->settings;
    g_autoptr(GString) text = g_string_new(NULL);

    if (set->networks->len == 0 || !set->is_complete)
        return NULL;
    for (guint i = 0; i < set->networks->len; i++) {
        char network[NETWORK_TEXT_MAX];
        /* With relay_policy = any, what counts is which networks are of one entry. */
        guint entry =
            settings->relay_policy == RELAY_POLICY_ANY ? g_array_index(set->entries, guint, i) : 0;

        g_string_append_printf(text, "%s %u,",
                               network_text(&g_array_index(set->networks, Network, i), network),
                               entry);
    }
    g_string_append_printf(text, "|%u|%s|%s", settings->relay_policy,
                           settings->dns_trust_anchor != NULL ? settings->dns_trust_anchor : "-",
                           verdicts->zone_digest);
    for (char **selector = settings->dkim_consent; *selector != NULL; selector++)
        g_string_append_printf(text, "|%s", *selector);
    /* For which results DKIM is asked. */
    if (settings->dkim_consent[0] != NULL)
        g_string_append_printf(text, "|%u", settings->rewrite_on | settings->tempfail_on);
    return fleet_digest(text->str);
}

/* The fingerprint with the domain of the keys that count for domain: a section may give a fallback
 * address of its own. */
static char *with_key_domain(const Verdicts *verdicts, const char *fingerprint, const char *domain)
{
    g_autofree char *text = NULL;

    if (fingerprint == NULL || verdicts->settings->dkim_consent[0] == NULL)
        return g_strdup(fingerprint);
    text = g_strconcat(fingerprint, "|", dkim_consent_key_domain(verdicts->settings, domain), NULL);
    return fleet_digest(text);
}

/*
 * What makes two hosts come to the same verdict on domain with set. Returns NULL if the relay set is
 * not known: then nothing is shared. All but the domain's own part is made once for a relay set,
 * which may have a thousand networks.
 */
static char *fingerprint_new(Verdicts *verdicts, RelaySet *set, const char *domain)
{
    char *fingerprint;

    pthread_mutex_lock(&verdicts->fingerprint_lock);
    if (verdicts->fingerprinted != set) {
        g_clear_pointer(&verdicts->fingerprinted, relay_set_unref);
        g_free(verdicts->fingerprint);
        verdicts->fingerprinted = relay_set_ref(set);
        verdicts->fingerprint = fingerprint_of(verdicts, set);
    }
    fingerprint = with_key_domain(verdicts, verdicts->fingerprint, domain);
    pthread_mutex_unlock(&verdicts->fingerprint_lock);
    return fingerprint;
}

/* Tells the fleet what check found with set, which may have been replaced meanwhile. mark is from
 * before DNS was asked. */
static void tell_fleet(Verdicts *verdicts, RelaySet *set, const VerdictKey *key,
                       const RelayCheck *check, const char *mark)
{
    VerdictLife life = life_of(verdicts, check, 0);
    FleetVerdict shared = {.verdict = check->verdict,
                           .until = clock_wall(verdicts->clock) + life.fresh * CLOCK_SECOND,
                           .after = (char *)mark};
    g_autofree char *fingerprint = NULL;

    if (check->verdict->result == SPF_TEMPERROR || check->lacks_keys || check->uses_host)
        return;
    fingerprint = fingerprint_new(verdicts, set, key->domain);
    if (fingerprint != NULL)
        fleet_verdict_put(verdicts->fleet, fingerprint, key->domain,
                          check->uses_sender ? key->local_part : NULL, &shared);
}

/* Does result leave it to DKIM? */
static bool asks_for_consent(Settings *settings, const Verdict *verdict)
{
    return verdict->is_unproven ||
           spf_result_set_has(settings->rewrite_on | settings->tempfail_on, verdict->result);
}

/* Where SPF authorised the domain lately, DKIM is most likely not wanted. */
static bool expects_consent(Settings *settings, const VerdictCacheAnswer *before)
{
    return before->verdict == NULL || asks_for_consent(settings, before->verdict);
}

/*
 * Evaluates key's domain, and whether it agrees by DKIM if it does not authorise the relays. The keys
 * are asked for beside SPF, so that a new domain waits no longer; who is authorised waits for none.
 */
static RelayCheck check_domain(Verdicts *verdicts, const RelaySet *set, const VerdictKey *key,
                               const VerdictCacheAnswer *before, Deadline deadline)
{
    Settings *settings = verdicts->settings;
    bool has_relays = set->networks->len > 0;
    g_autoptr(DkimConsent) consent = NULL;
    g_autoptr(EvaluationContext) context = evaluation_context_new(verdicts->dns, deadline);
    RelayCheck check;

    if (has_relays && expects_consent(settings, before))
        consent = dkim_consent_new(settings, verdicts->dns, key->domain, deadline);
    check = relay_check_run(context, settings, set, key->domain, key->local_part);
    if (!has_relays || !asks_for_consent(settings, check.verdict))
        return check;
    if (consent == NULL)
        consent = dkim_consent_new(settings, verdicts->dns, key->domain, deadline);
    if (consent != NULL)
        check.verdict->dkim =
            g_strdup(dkim_consent_selector(consent, &check.ttl, &check.lacks_keys));
    return check;
}

/*
 * Asks DNS as the pilot of flight, keeps what comes out, and lands. before is what the cache had
 * for key; its epoch is older than the relay set that is read here, so that no verdict on an old
 * set stays when the cache is flushed for a new one.
 */
static Landing evaluate(Verdicts *verdicts, Flight *flight, const VerdictKey *key,
                        const VerdictCacheAnswer *before, Deadline deadline)
{
    g_autoptr(RelaySet) set = fresh_relays_get(verdicts->relays);
    gint64 made = clock_monotonic(verdicts->clock);
    bool has_relays = set->networks->len > 0;
    g_autofree char *mark = verdicts->fleet != NULL ? fleet_mark(verdicts->fleet) : NULL;
    RelayCheck check;
    Landing landing = {.verdict = NULL};

    if (fresh_relays_is_due(verdicts->relays))
        upkeep_wake(verdicts->upkeep);
    deadline = with_patience(deadline, before);
    check = check_domain(verdicts, set, key, before, deadline);
    landing.verdict = check.verdict;
    if (has_relays && verdicts->fleet != NULL)
        tell_fleet(verdicts, set, key, &check, mark);
    if (has_relays)
        landing = settle(verdicts, key, &check, before, made);
    flights_land(verdicts->flights, flight, &landing);
    if (has_relays)
        add_one(&verdicts->counted->counters.evaluations);
    return landing;
}

/* Keeps what another host has found. */
static Landing take_over(Verdicts *verdicts, const VerdictKey *key, const FleetVerdict *shared,
                         bool is_per_address, guint epoch)
{
    VerdictKey kept = *key;
    gint64 left = (shared->until - clock_wall(verdicts->clock)) / CLOCK_SECOND;
    guint ttl = (guint)CLAMP(left, 1, verdicts->settings->cache_max_ttl);

    if (shared->verdict->result != SPF_PASS && shared->verdict->dkim == NULL)
        ttl = MIN(ttl, verdicts->settings->cache_retry_ttl);
    if (!is_per_address)
        kept.local_part = NULL;
    if (!g_atomic_int_get(&verdicts->is_replaced)) {
        VerdictLife life = {clock_monotonic(verdicts->clock), ttl, verdicts->settings->cache_stale};

        verdict_cache_put(verdicts->cache, &kept, shared->verdict, &life, epoch);
    }
    return (Landing){verdict_ref(shared->verdict), false, is_per_address};
}

/* Asks the fleet as the pilot of flight, and lands if it knows what lasts so long (microseconds). */
static bool ask_fleet(Verdicts *verdicts, Flight *flight, const VerdictKey *key, guint epoch,
                      gint64 lasting, Deadline deadline, Landing *landing)
{
    g_autoptr(RelaySet) set = fresh_relays_get(verdicts->relays);
    g_autofree char *fingerprint =
        verdicts->fleet != NULL ? fingerprint_new(verdicts, set, key->domain) : NULL;
    FleetVerdict shared;
    bool is_per_address;

    if (fingerprint == NULL ||
        !fleet_verdict_get(verdicts->fleet, fingerprint, key->domain, key->local_part, deadline,
                           &shared, &is_per_address))
        return false;
    if (shared.until - clock_wall(verdicts->clock) < lasting) {
        fleet_verdict_clear(&shared);
        return false;
    }
    *landing = take_over(verdicts, key, &shared, is_per_address, epoch);
    fleet_verdict_clear(&shared);
    flights_land(verdicts->flights, flight, landing);
    return true;
}

/* Boards the flight of those who would evaluate the same, and since the same flush. */
static Flight *board(Verdicts *verdicts, const VerdictKey *key, const VerdictCacheAnswer *answer,
                     bool *is_pilot)
{
    g_autofree char *text =
        answer->is_per_address
            ? g_strdup_printf("%u %s@%s", answer->epoch, key->local_part, key->domain)
            : g_strdup_printf("%u %s", answer->epoch, key->domain);

    return flights_board(verdicts->flights, text, is_pilot);
}

static VerdictSource cache_source(const VerdictCacheAnswer *answer)
{
    return answer->outcome == VERDICT_CACHE_STALE ? VERDICT_SOURCE_STALE : VERDICT_SOURCE_HIT;
}

/* What the cache had after all: another flight landed while this one was boarded. */
static Landing land_from_cache(Verdicts *verdicts, Flight *flight, const VerdictCacheAnswer *answer)
{
    Landing landing = {verdict_ref(answer->verdict), answer->outcome == VERDICT_CACHE_STALE,
                       answer->is_per_address};

    flights_land(verdicts->flights, flight, &landing);
    return landing;
}

/* Works a verdict out as the pilot of flight. */
static Verdict *fly(Verdicts *verdicts, Flight *flight, const VerdictKey *key, Deadline deadline,
                    VerdictSource *source)
{
    VerdictCacheAnswer answer =
        verdict_cache_get(verdicts->cache, key, clock_monotonic(verdicts->clock));
    Landing landing;

    if (answer.outcome == VERDICT_CACHE_MISS &&
        ask_fleet(verdicts, flight, key, answer.epoch, 0, deadline, &landing)) {
        *source = VERDICT_SOURCE_FLEET;
    } else if (answer.outcome == VERDICT_CACHE_MISS) {
        landing = evaluate(verdicts, flight, key, &answer, deadline);
        *source = landing.is_stale ? VERDICT_SOURCE_STALE : VERDICT_SOURCE_MISS;
    } else {
        landing = land_from_cache(verdicts, flight, &answer);
        *source = cache_source(&answer);
    }
    g_clear_pointer(&answer.verdict, verdict_unref);
    return landing.verdict;
}

/* What a passenger gets whose time is over before the pilot lands. */
static Verdict *overdue(Verdicts *verdicts, const VerdictCacheAnswer *answer, VerdictSource *source)
{
    g_autofree char *reason = NULL;

    if (answer->verdict != NULL) {
        *source = VERDICT_SOURCE_STALE;
        return verdict_ref(answer->verdict);
    }
    reason = g_strdup_printf("no verdict within %u s", verdicts->settings->check_timeout);
    *source = VERDICT_SOURCE_WAIT;
    return verdict_new(SPF_TEMPERROR, NULL, NULL, reason);
}

/*
 * Joins or begins the evaluation of what the cache does not have. Returns NULL where the passenger
 * learned only that the verdict was on another address, and has to ask anew.
 */
static Verdict *join(Verdicts *verdicts, const VerdictKey *key, const VerdictCacheAnswer *answer,
                     Deadline deadline, VerdictSource *source)
{
    bool is_pilot;
    Flight *flight = board(verdicts, key, answer, &is_pilot);
    Landing landing;

    if (is_pilot)
        return fly(verdicts, flight, key, deadline, source);
    if (!flights_wait(verdicts->flights, flight, with_patience(deadline, answer), &landing))
        return overdue(verdicts, answer, source);
    if (landing.is_per_address && !answer->is_per_address) {
        verdict_unref(landing.verdict);
        return NULL;
    }
    *source = landing.is_stale ? VERDICT_SOURCE_STALE : VERDICT_SOURCE_WAIT;
    return landing.verdict;
}

/* A verdict that the cache may have, or that has to be worked out. */
typedef struct {
    VerdictWanted *wanted;
    VerdictKey key;
    char local_part[VERDICT_KEY_LOCAL_PART_MAX + 1];
    VerdictCacheAnswer answer; /* what the cache has */
} Search;

/* Searches that are made at the same time. */
typedef struct {
    Verdicts *verdicts;
    Deadline deadline;
    Search searches[VERDICTS_WANTED_MAX];
    guint count;
} Round;

/* Returns whether the cache has it. */
static bool find_cached(Verdicts *verdicts, Search *search)
{
    VerdictCacheAnswer *answer = &search->answer;

    *answer = verdict_cache_get(verdicts->cache, &search->key, clock_monotonic(verdicts->clock));
    if (answer->should_renew)
        upkeep_renew(verdicts->upkeep, &search->key);
    if (answer->outcome == VERDICT_CACHE_MISS)
        return false;
    search->wanted->verdict = answer->verdict;
    search->wanted->source = cache_source(answer);
    return true;
}

/* Works out what the cache does not have. */
static void search_one(void *hook, guint position)
{
    Round *round = hook;
    Search *search = &round->searches[position];
    VerdictWanted *wanted = search->wanted;

    do {
        wanted->verdict =
            join(round->verdicts, &search->key, &search->answer, round->deadline, &wanted->source);
        g_clear_pointer(&search->answer.verdict, verdict_unref);
    } while (wanted->verdict == NULL && !find_cached(round->verdicts, search));
}

/* Is search the same as one of round, so that its verdict is in the cache once that one is made? */
static bool is_in_round(const Round *round, const Search *search)
{
    for (guint i = 0; i < round->count; i++) {
        const VerdictKey *other = &round->searches[i].key;

        if (strcmp(other->domain, search->key.domain) == 0 &&
            (!search->answer.is_per_address ||
             strcmp(other->local_part, search->key.local_part) == 0))
            return true;
    }
    return false;
}

/* Answers wanted from the cache, or adds a search for it to round unless that has the same one
 * already. Returns whether wanted was answered. */
static bool answer_or_add(Round *round, VerdictWanted *wanted)
{
    Search *search = &round->searches[round->count];
    const Mailbox *mailbox = wanted->mailbox;

    if (mailbox->domain_name == NULL) {
        wanted->verdict = verdict_new(SPF_NONE, NULL, NULL, NULL);
        return true;
    }
    /* Cut here, so that what is evaluated is what the cache keeps it for. */
    g_strlcpy(search->local_part, mailbox->local_part != NULL ? mailbox->local_part : "",
              sizeof search->local_part);
    search->key = (VerdictKey){mailbox->domain_name, search->local_part};
    search->wanted = wanted;
    if (find_cached(round->verdicts, search))
        return true;
    if (is_in_round(round, search))
        g_clear_pointer(&search->answer.verdict, verdict_unref);
    else
        round->count++;
    return false;
}

/* Of the first sure of wanted all are answered; of the rest, if one of those is to be waited for. */
static void get_all(Verdicts *verdicts, VerdictWanted *wanted, guint sure, guint count,
                    Deadline deadline)
{
    guint end = sure;
    guint open;
    Round round;

    for (guint i = 0; i < count; i++) {
        wanted[i].verdict = NULL;
        wanted[i].source = VERDICT_SOURCE_NONE;
    }
    round.verdicts = verdicts;
    round.deadline = deadline;
    do {
        open = 0;
        round.count = 0;
        for (guint i = 0; i < end; i++) {
            if (wanted[i].verdict != NULL || answer_or_add(&round, &wanted[i]))
                continue;
            open++;
            end = count;
        }
        parallel_run(round.count, search_one, &round);
    } while (open > round.count);
}

/*
 * UpkeepWork.renew: evaluates key before its verdict ends, so that no message waits for that. In a
 * fleet the first host does that; the others see that the store's verdict lasts far longer than
 * theirs.
 */
static void renew(void *hook, const VerdictKey *key)
{
    Verdicts *verdicts = hook;
    gint64 now = clock_monotonic(verdicts->clock);
    VerdictCacheAnswer before = verdict_cache_get(verdicts->cache, key, now);
    gint64 lasting = 2 * MAX(0, before.fresh_until - now) + CLOCK_SECOND;
    bool is_pilot;
    Flight *flight = board(verdicts, key, &before, &is_pilot);

    if (is_pilot) {
        Deadline deadline = deadline_in(verdicts->settings->check_timeout);
        Landing landing;

        if (!ask_fleet(verdicts, flight, key, before.epoch, lasting, deadline, &landing))
            landing = evaluate(verdicts, flight, key, &before, deadline);
        verdict_unref(landing.verdict);
    } else {
        flights_leave(verdicts->flights, flight);
    }
    g_clear_pointer(&before.verdict, verdict_unref);
}

static void count_one(Counted *counted, VerdictSource source, SpfResult result)
{
    VerdictsCounters *counters = &counted->counters;

    add_one(&counters->results[result]);
    switch (source) {
    case VERDICT_SOURCE_HIT:
        add_one(&counters->hits);
        return;
    case VERDICT_SOURCE_MISS:
        add_one(&counters->misses);
        return;
    case VERDICT_SOURCE_WAIT:
        add_one(&counters->waits);
        return;
    case VERDICT_SOURCE_STALE:
        add_one(&counters->stales);
        return;
    case VERDICT_SOURCE_FLEET:
        add_one(&counters->fleets);
        return;
    case VERDICT_SOURCE_NONE:
        return;
    }
}

void verdicts_get_all(Verdicts *verdicts, VerdictWanted *wanted, guint sure, guint count,
                      Deadline deadline)
{
    get_all(verdicts, wanted, sure, count, deadline);
    for (guint i = 0; i < count; i++)
        if (wanted[i].verdict != NULL)
            count_one(verdicts->counted, wanted[i].source, wanted[i].verdict->result);
}

Verdict *verdicts_get(Verdicts *verdicts, const Mailbox *mailbox, Deadline deadline,
                      VerdictSource *source)
{
    VerdictWanted wanted = {.mailbox = mailbox};

    verdicts_get_all(verdicts, &wanted, 1, 1, deadline);
    *source = wanted.source;
    return wanted.verdict;
}

Verdict *verdicts_get_uncounted(Verdicts *verdicts, const Mailbox *mailbox, Deadline deadline)
{
    VerdictWanted wanted = {.mailbox = mailbox};

    get_all(verdicts, &wanted, 1, 1, deadline);
    return wanted.verdict;
}

/* UpkeepWork.refresh. The cache is flushed after the change: see evaluate(). */
static gint64 refresh(void *hook)
{
    Verdicts *verdicts = hook;
    bool has_changed;
    gint64 span = fresh_relays_refresh(verdicts->relays, &has_changed);

    if (has_changed && !g_atomic_int_get(&verdicts->is_replaced))
        verdict_cache_flush(verdicts->cache, NULL);
    return span;
}

void verdicts_share(Verdicts *verdicts, Fleet *fleet)
{
    g_autofree char *text = NULL;
    gsize length = 0;

    if (verdicts->settings->dns_zone_file != NULL)
        g_file_get_contents(verdicts->settings->dns_zone_file, &text, &length, NULL);
    g_free(verdicts->zone_digest);
    verdicts->zone_digest = text != NULL ? fleet_digest(text) : g_strdup("-");
    verdicts->fleet = fleet_ref(fleet);
}

RelaySet *verdicts_relay_set(Verdicts *verdicts)
{
    return fresh_relays_get(verdicts->relays);
}

void verdicts_flush(Verdicts *verdicts, const char *domain)
{
    /* In this order: no verdict on old answers is kept once the cache is flushed. */
    dns_flush(verdicts->dns, domain);
    verdict_cache_flush(verdicts->cache, domain);
    if (domain != NULL)
        return;
    fresh_relays_expire(verdicts->relays);
    upkeep_wake(verdicts->upkeep);
}

void verdicts_counters(Verdicts *verdicts, VerdictsCounters *counters)
{
    VerdictsCounters *counted = &verdicts->counted->counters;

    counters->hits = read_one(&counted->hits);
    counters->misses = read_one(&counted->misses);
    counters->waits = read_one(&counted->waits);
    counters->stales = read_one(&counted->stales);
    counters->fleets = read_one(&counted->fleets);
    counters->evaluations = read_one(&counted->evaluations);
    for (int i = 0; i < SPF_RESULTS; i++)
        counters->results[i] = read_one(&counted->results[i]);
    for (int i = 0; i < DNS_STATUSES; i++)
        counters->queries[i] = read_one(&verdicts->counted->dns.outcomes[i]);
    counters->dns_answered = read_time(&verdicts->counted->dns.answered);
    counters->dns_troubled = read_time(&verdicts->counted->dns.troubled);
    counters->entries = verdict_cache_count(verdicts->cache);
}

bool verdicts_is_dmarc_enforced(Verdicts *verdicts, const char *domain, Deadline deadline)
{
    return dmarc_policy_lookup(verdicts->dns, domain,
                               deadline_shortened(deadline, VERDICTS_PATIENCE), NULL) != DMARC_NONE;
}

static VerdictCache *cache_for(Verdicts *before, Settings *settings, const RelaySet *last,
                               const RelaySet *set)
{
    if (before == NULL || last->generation != set->generation ||
        !settings_verdicts_survive(before->settings, settings))
        return verdict_cache_new(settings->cache_size);
    return verdict_cache_ref(before->cache);
}

void verdicts_free(Verdicts *verdicts)
{
    dns_close(verdicts->dns);
    g_clear_pointer(&verdicts->upkeep, upkeep_free);
    g_clear_pointer(&verdicts->relays, fresh_relays_free);
    g_clear_pointer(&verdicts->cache, verdict_cache_unref);
    g_clear_pointer(&verdicts->flights, flights_free);
    dns_free(verdicts->dns);
    fleet_unref(verdicts->fleet);
    g_free(verdicts->zone_digest);
    g_clear_pointer(&verdicts->fingerprinted, relay_set_unref);
    g_free(verdicts->fingerprint);
    pthread_mutex_destroy(&verdicts->fingerprint_lock);
    counted_unref(verdicts->counted);
    settings_unref(verdicts->settings);
    g_free(verdicts);
}

/* Fills in what can fail: the relay set and the threads. */
static bool start(Verdicts *verdicts, Verdicts *before, Deadline deadline, GError **error)
{
    UpkeepWork work = {refresh, renew, verdicts};
    g_autoptr(RelaySet) last = before != NULL ? verdicts_relay_set(before) : NULL;
    g_autoptr(RelaySet) set = NULL;

    verdicts->relays =
        fresh_relays_new(verdicts->settings, verdicts->dns, last, verdicts->clock, deadline, error);
    if (verdicts->relays == NULL)
        return false;
    set = verdicts_relay_set(verdicts);
    verdicts->cache = cache_for(before, verdicts->settings, last, set);
    verdicts->upkeep = upkeep_new(&work, error);
    if (verdicts->upkeep == NULL)
        return false;
    if (before != NULL && verdicts->cache == before->cache)
        g_atomic_int_set(&before->is_replaced, 1);
    return true;
}

static Verdicts *make(Verdicts *before, Settings *settings, Dns *dns, const Clock *clock,
                      Deadline deadline, GError **error)
{
    Verdicts *verdicts = g_new0(Verdicts, 1);

    verdicts->refs = 1;
    pthread_mutex_init(&verdicts->fingerprint_lock, NULL);
    verdicts->settings = settings_ref(settings);
    verdicts->clock = clock;
    verdicts->counted = before != NULL ? counted_ref(before->counted) : counted_new();
    verdicts->dns = dns_counted_new(dns, &verdicts->counted->dns);
    verdicts->flights = flights_new();
    if (!start(verdicts, before, deadline, error))
        g_clear_pointer(&verdicts, verdicts_free);
    return verdicts;
}

Verdicts *verdicts_new(Settings *settings, Dns *dns, const Clock *clock, Deadline deadline,
                       GError **error)
{
    return make(NULL, settings, dns, clock, deadline, error);
}

Verdicts *verdicts_new_after(Verdicts *before, Settings *settings, Dns *dns, Deadline deadline,
                             GError **error)
{
    return make(before, settings, dns, before->clock, deadline, error);
}

Verdicts *verdicts_ref(Verdicts *verdicts)
{
    g_atomic_int_inc(&verdicts->refs);
    return verdicts;
}

bool verdicts_drop(Verdicts *verdicts)
{
    return g_atomic_int_dec_and_test(&verdicts->refs);
}

void verdicts_unref(Verdicts *verdicts)
{
    if (verdicts_drop(verdicts))
        verdicts_free(verdicts);
}
