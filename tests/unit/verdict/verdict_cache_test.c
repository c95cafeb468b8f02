#include "config.h"

#include "verdict/verdict_cache.h"

#include <pthread.h>
#include <string.h>

#include "base/clock.h"
#include "unit/table.h"

/* One step of a life of a cache: what is done at a time, and what a get has to say. */
typedef enum {
    STEP_END,
    STEP_PUT,
    STEP_PUT_ADDRESS,
    STEP_PUT_OLD,
    STEP_GET,
    STEP_POSTPONE,
    STEP_FLUSH,
    STEP_COUNT,
} StepKind;

typedef struct {
    StepKind kind;
    guint at; /* seconds */
    const char *address;
    const char *text; /* PUT: the mechanism; GET: outcome, mechanism, flags; COUNT: the number */
    guint fresh, stale;
} Step;

#define PUT(at, address, text, fresh, stale)                                                       \
    {                                                                                              \
        STEP_PUT, at, address, text, fresh, stale                                                  \
    }
#define PUT_ADDRESS(at, address, text, fresh, stale)                                               \
    {                                                                                              \
        STEP_PUT_ADDRESS, at, address, text, fresh, stale                                          \
    }
#define PUT_OLD(at, address, text, fresh, stale)                                                   \
    {                                                                                              \
        STEP_PUT_OLD, at, address, text, fresh, stale                                              \
    }
#define GET(at, address, text)                                                                     \
    {                                                                                              \
        STEP_GET, at, address, text, 0, 0                                                          \
    }
#define POSTPONE(at, address)                                                                      \
    {                                                                                              \
        STEP_POSTPONE, at, address, NULL, 0, 0                                                     \
    }
#define FLUSH(at, domain)                                                                          \
    {                                                                                              \
        STEP_FLUSH, at, domain, NULL, 0, 0                                                         \
    }
#define COUNT(at, text)                                                                            \
    {                                                                                              \
        STEP_COUNT, at, NULL, text, 0, 0                                                           \
    }
#define STEPS_MAX 16

static const struct row {
    const char *name;
    guint size;
    Step steps[STEPS_MAX];
} rows[] = {
    {"empty", 9, {GET(0, "u@a.example", "miss")}},
    {"fresh for its TTL, to the second",
     9,
     {PUT(100, "u@a.example", "x", 60, 0), GET(100, "v@a.example", "fresh x"),
      GET(159, "u@a.example", "fresh x renew"), GET(160, "u@a.example", "miss")}},
    {"stale after it, then forgotten",
     9,
     {PUT(0, "u@a.example", "x", 60, 40), GET(60, "u@a.example", "miss x"),
      GET(99, "u@a.example", "miss x"), GET(100, "u@a.example", "miss")}},
    {"a new verdict takes the place of the old",
     9,
     {PUT(0, "u@a.example", "x", 60, 40), PUT(70, "u@a.example", "y", 60, 40),
      GET(71, "u@a.example", "fresh y"), COUNT(71, "1")}},
    {"domains are apart",
     9,
     {PUT(0, "u@a.example", "x", 60, 0), GET(1, "u@b.a.example", "miss"),
      GET(1, "u@example", "miss")}},
    {"postponed: serves stale without being asked for",
     9,
     {PUT(0, "u@a.example", "x", 60, 1000), POSTPONE(100, "u@a.example"),
      GET(100, "u@a.example", "stale x"), GET(103, "u@a.example", "stale x"),
      GET(110, "u@a.example", "miss x")}},
    {"postponed: not beyond its stale time",
     9,
     {PUT(0, "u@a.example", "x", 60, 45), POSTPONE(100, "u@a.example"),
      GET(104, "u@a.example", "stale x"), GET(105, "u@a.example", "miss")}},
    {"postponed while fresh: stays fresh",
     9,
     {PUT(0, "u@a.example", "x", 60, 1000), POSTPONE(58, "u@a.example"),
      GET(59, "u@a.example", "fresh x"), GET(60, "u@a.example", "stale x"),
      GET(68, "u@a.example", "miss x")}},
    {"postponed: renewed in the quiet time where it is hot",
     9,
     {PUT(0, "u@a.example", "x", 60, 1000), POSTPONE(100, "u@a.example"),
      GET(101, "u@a.example", "stale x"), GET(103, "u@a.example", "stale x"),
      GET(104, "u@a.example", "stale x renew"), GET(105, "u@a.example", "stale x")}},
    {"postponing what is not there does nothing",
     9,
     {POSTPONE(0, "u@a.example"), GET(1, "u@a.example", "miss"), COUNT(1, "0")}},
    {"renewal: in the last tenth, of a hot one, said once",
     9,
     {PUT(0, "u@a.example", "x", 1000, 0), GET(1, "u@a.example", "fresh x"),
      GET(899, "u@a.example", "fresh x"), GET(900, "u@a.example", "fresh x renew"),
      GET(901, "u@a.example", "fresh x")}},
    {"renewal: not of a cold one",
     9,
     {PUT(0, "u@a.example", "x", 1000, 0), GET(999, "u@a.example", "fresh x")}},
    {"renewal: the last 5 s of a short one",
     9,
     {PUT(0, "u@a.example", "x", 30, 0), GET(1, "u@a.example", "fresh x"),
      GET(24, "u@a.example", "fresh x"), GET(25, "u@a.example", "fresh x renew")}},
    {"renewal: the last half of a very short one",
     9,
     {PUT(0, "u@a.example", "x", 6, 0), GET(1, "u@a.example", "fresh x"),
      GET(2, "u@a.example", "fresh x"), GET(3, "u@a.example", "fresh x renew")}},
    {"renewal: hits begin anew with each verdict",
     9,
     {PUT(0, "u@a.example", "x", 10, 0), GET(1, "u@a.example", "fresh x"),
      GET(2, "u@a.example", "fresh x"), PUT(3, "u@a.example", "y", 10, 0),
      GET(12, "u@a.example", "fresh y")}},
    {"the least recently used goes",
     3,
     {PUT(0, "u@a.example", "a", 60, 0), PUT(0, "u@b.example", "b", 60, 0),
      PUT(0, "u@c.example", "c", 60, 0), GET(1, "u@a.example", "fresh a"),
      PUT(2, "u@d.example", "d", 60, 0), COUNT(3, "3"), GET(3, "u@b.example", "miss"),
      GET(3, "u@a.example", "fresh a"), GET(3, "u@c.example", "fresh c"),
      GET(3, "u@d.example", "fresh d")}},
    {"replacing drops no other",
     2,
     {PUT(0, "u@a.example", "a", 60, 0), PUT(0, "u@b.example", "b", 60, 0),
      PUT(1, "u@b.example", "c", 60, 0), GET(2, "u@a.example", "fresh a"),
      GET(2, "u@b.example", "fresh c")}},
    {"by address",
     9,
     {PUT_ADDRESS(0, "u@a.example", "x", 60, 0), GET(1, "u@a.example", "fresh x address"),
      GET(1, "v@a.example", "miss address"), PUT_ADDRESS(2, "v@a.example", "y", 60, 0),
      GET(3, "u@a.example", "fresh x address"), GET(3, "v@a.example", "fresh y address"),
      COUNT(3, "3")}},
    {"by address: an older one serves stale",
     9,
     {PUT_ADDRESS(0, "u@a.example", "x", 60, 1000), GET(60, "u@a.example", "miss x address"),
      POSTPONE(60, "u@a.example"), GET(61, "u@a.example", "stale x address"),
      GET(61, "v@a.example", "miss address")}},
    {"by address: the record asks no more",
     9,
     {PUT_ADDRESS(0, "u@a.example", "x", 60, 0), PUT(2, "u@a.example", "y", 60, 0),
      GET(3, "u@a.example", "fresh y"), GET(3, "v@a.example", "fresh y")}},
    {"by address: the record asks now",
     9,
     {PUT(0, "u@a.example", "x", 60, 0), PUT_ADDRESS(1, "v@a.example", "y", 60, 0),
      GET(2, "u@a.example", "miss address"), GET(2, "v@a.example", "fresh y address")}},
    {"by address: letters of a local part count",
     9,
     {PUT_ADDRESS(0, "u@a.example", "x", 60, 0), GET(1, "U@a.example", "miss address")}},
    {"by address: an @ in the local part",
     9,
     {PUT_ADDRESS(0, "u@b.example@a.example", "x", 60, 0),
      GET(1, "u@b.example@a.example", "fresh x address"), GET(1, "u@b.example", "miss"),
      FLUSH(2, "b.example"), GET(3, "u@b.example@a.example", "fresh x address")}},
    {"by address: flushed with its domain",
     9,
     {PUT_ADDRESS(0, "u@b.example@a.example", "x", 60, 0), FLUSH(2, "a.example"), COUNT(3, "0")}},
    {"by address: every letter counts",
     9,
     {PUT_ADDRESS(0, "user1@a.example", "x", 60, 0), GET(1, "user2@a.example", "miss address"),
      GET(1, "user1@a.example", "fresh x address")}},
    {"by address: the empty local part",
     9,
     {PUT_ADDRESS(0, "@a.example", "x", 60, 0), GET(1, "@a.example", "fresh x address"),
      GET(1, "u@a.example", "miss address")}},
    {"by address: the domain stays as long as one of its addresses is used",
     3,
     {PUT_ADDRESS(0, "u@a.example", "x", 60, 0), PUT(1, "u@b.example", "b", 60, 0),
      GET(2, "u@a.example", "fresh x address"), PUT(3, "u@c.example", "c", 60, 0),
      GET(4, "u@a.example", "fresh x address"), GET(4, "u@b.example", "miss")}},
    {"flush: all",
     9,
     {PUT(0, "u@a.example", "x", 60, 1000), PUT_ADDRESS(0, "u@b.example", "y", 60, 1000),
      FLUSH(1, NULL), GET(2, "u@a.example", "miss"), GET(2, "u@b.example", "miss"), COUNT(2, "0"),
      PUT(3, "u@a.example", "z", 60, 0), GET(4, "u@a.example", "fresh z")}},
    {"flush: a domain and what is below it",
     9,
     {PUT(0, "u@a.example", "x", 60, 1000), PUT(0, "u@b.a.example", "y", 60, 1000),
      PUT_ADDRESS(0, "u@c.a.example", "y", 60, 1000), PUT(0, "u@ba.example", "z", 60, 1000),
      FLUSH(1, "a.example"), GET(2, "u@a.example", "miss"), GET(2, "u@b.a.example", "miss"),
      GET(2, "u@c.a.example", "miss"), GET(2, "u@ba.example", "fresh z"), COUNT(2, "1")}},
    {"flush: what was evaluated before it is not kept",
     9,
     {FLUSH(1, "b.example"), PUT_OLD(2, "u@a.example", "x", 60, 0), GET(3, "u@a.example", "miss")}},
};

/* Splits the address of a step; local_part holds its local part, owned by the caller. */
static VerdictKey key_of(const char *address, char **local_part)
{
    const char *at = strrchr(address, '@');

    *local_part = g_strndup(address, (gsize)(at - address));
    return (VerdictKey){at + 1, *local_part};
}

static char *answer_text(const VerdictCacheAnswer *answer)
{
    static const char *const outcomes[] = {"miss", "fresh", "stale"};

    return g_strconcat(outcomes[answer->outcome], answer->verdict != NULL ? " " : "",
                       answer->verdict != NULL ? answer->verdict->mechanism : "",
                       answer->should_renew ? " renew" : "",
                       answer->is_per_address ? " address" : "", NULL);
}

static void put(VerdictCache *cache, const Step *step, VerdictKey key, guint epoch)
{
    g_autoptr(Verdict) verdict = verdict_new(SPF_PASS, NULL, step->text, NULL);
    VerdictLife life = {step->at * CLOCK_SECOND, step->fresh, step->stale};

    if (step->kind != STEP_PUT_ADDRESS)
        key.local_part = NULL;
    verdict_cache_put(cache, &key, verdict, &life, epoch);
}

static guint epoch_of(VerdictCache *cache)
{
    VerdictKey key = {"epoch.example", ""};

    return verdict_cache_get(cache, &key, 0).epoch;
}

static void run_step(VerdictCache *cache, const Step *step)
{
    bool has_key = step->address != NULL && step->kind != STEP_FLUSH;
    g_autofree char *local_part = NULL;
    VerdictKey key = has_key ? key_of(step->address, &local_part) : (VerdictKey){NULL, NULL};
    g_autofree char *got = NULL;
    VerdictCacheAnswer answer;

    switch (step->kind) {
    case STEP_PUT:
    case STEP_PUT_ADDRESS:
        put(cache, step, key, epoch_of(cache));
        return;
    case STEP_PUT_OLD:
        put(cache, step, key, epoch_of(cache) - 1);
        return;
    case STEP_POSTPONE:
        verdict_cache_postpone(cache, &key, step->at * CLOCK_SECOND);
        return;
    case STEP_FLUSH:
        verdict_cache_flush(cache, step->address);
        return;
    case STEP_COUNT:
        got = g_strdup_printf("%u", verdict_cache_count(cache));
        assert_string_equal(got, step->text);
        return;
    case STEP_GET:
        answer = verdict_cache_get(cache, &key, step->at * CLOCK_SECOND);
        got = answer_text(&answer);
        g_clear_pointer(&answer.verdict, verdict_unref);
        assert_string_equal(got, step->text);
        return;
    case STEP_END:
        return;
    }
}

static void test_life(void **state)
{
    const struct row *row = *state;
    g_autoptr(VerdictCache) cache = verdict_cache_new(row->size);

    for (size_t i = 0; i < STEPS_MAX && row->steps[i].kind != STEP_END; i++)
        run_step(cache, &row->steps[i]);
}

/* A local part longer than what counts is the same as its beginning. */
static void test_long_local_part(void **state G_GNUC_UNUSED)
{
    g_autoptr(VerdictCache) cache = verdict_cache_new(9);
    g_autofree char *longest = g_strnfill(VERDICT_KEY_LOCAL_PART_MAX, 'x');
    g_autofree char *longer = g_strnfill(100000, 'x');
    Step put_step = PUT_ADDRESS(0, NULL, "x", 60, 0);
    VerdictKey key = {"a.example", longer};
    VerdictKey short_key = {"a.example", longest};

    put(cache, &put_step, key, 0);
    VerdictCacheAnswer answer = verdict_cache_get(cache, &short_key, 0);
    assert_int_equal(answer.outcome, VERDICT_CACHE_FRESH);
    verdict_unref(answer.verdict);
}

#define THREADS 8
#define ROUNDS 20000

static void *hammer(void *data)
{
    VerdictCache *cache = data;
    g_autoptr(Verdict) verdict = verdict_new(SPF_PASS, NULL, "x", NULL);
    VerdictLife life = {0, 60, 0};

    for (guint i = 0; i < ROUNDS; i++) {
        char domain[32];
        VerdictKey key = {domain, i % 7 == 0 ? "u" : NULL};

        g_snprintf(domain, sizeof domain, "d%u.example", i % 150);
        verdict_cache_put(cache, &key, verdict, &life, 0);
        key.local_part = "u";
        VerdictCacheAnswer answer = verdict_cache_get(cache, &key, i % 100 * CLOCK_SECOND);
        g_clear_pointer(&answer.verdict, verdict_unref);
        verdict_cache_postpone(cache, &key, 0);
    }
    return NULL;
}

/* For the sanitizers; and the bound holds. */
static void test_threads(void **state G_GNUC_UNUSED)
{
    g_autoptr(VerdictCache) cache = verdict_cache_new(100);
    pthread_t threads[THREADS];

    for (guint i = 0; i < THREADS; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, hammer, cache), 0);
    for (guint i = 0; i < THREADS; i++)
        pthread_join(threads[i], NULL);
    assert_int_equal(verdict_cache_count(cache), 100);
}

int main(void)
{
    GArray *tests = table_new();

    table_add(tests, "a long local part", test_long_local_part, NULL);
    table_add(tests, "threads", test_threads, NULL);
    TABLE_ADD(tests, rows, test_life);
    return table_run(tests, "verdict_cache_test");
}
