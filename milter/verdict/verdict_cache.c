#include "config.h"

#include "verdict/verdict_cache.h"

#include <pthread.h>
#include <string.h>

#include "base/clock.h"
#include "base/domain_name.h"

#define HITS_HOT 2                            /* fewer are not worth a renewal */
#define RENEWAL_SPAN_MIN (5 * CLOCK_SECOND)   /* before the end: what a slow evaluation takes */
#define QUIET_RENEWAL_SPAN (6 * CLOCK_SECOND) /* the same before the end of a quiet time */

/* "local@domain"; a domain name holds no "@", a local part may */
#define KEY_TEXT_MAX (VERDICT_KEY_LOCAL_PART_MAX + 1 + DOMAIN_NAME_MAX + 1)

typedef struct {
    GList link; /* in cache->recent */
    gint64 fresh_until;
    gint64 stale_until;
    gint64 quiet_until; /* 0: DNS had no trouble since this was made */
    gint64 renew_at;    /* G_MAXINT64: never, or said already */
    Verdict *verdict;   /* NULL: a marker, verdicts on this domain are found by address */
    guint hits;
    char key[];
} Entry;

struct VerdictCache {
    gint refs;
    guint size;
    pthread_mutex_t lock; /* guards what follows */
    GHashTable *keys;     /* a set of Entry.key */
    GQueue recent;        /* of Entry, the last used one first */
    guint epoch;
};

/* Secret, so that nobody can choose domains that collide. */
static guint64 hash_basis;
static guint64 hash_multiplier;
static pthread_once_t hash_once = PTHREAD_ONCE_INIT;

static guint64 random_64(void)
{
    return (guint64)g_random_int() << 32 | g_random_int();
}

static void hash_init(void)
{
    hash_basis = random_64();
    hash_multiplier = random_64() | 1;
}

static guint key_hash(gconstpointer key)
{
    guint64 hash = hash_basis;

    for (const guint8 *at = key; *at != '\0'; at++)
        hash = (hash ^ *at) * hash_multiplier;
    return (guint)(hash >> 32);
}

static Entry *entry_of(const char *key)
{
    return (Entry *)(void *)(key - G_STRUCT_OFFSET(Entry, key));
}

static Entry *entry_new(const char *key, Verdict *verdict)
{
    gsize length = strlen(key) + 1;
    Entry *entry = g_malloc0(sizeof *entry + length);

    memcpy(entry->key, key, length);
    entry->link.data = entry;
    entry->verdict = verdict != NULL ? verdict_ref(verdict) : NULL;
    return entry;
}

static void entry_free(Entry *entry)
{
    if (entry->verdict != NULL)
        verdict_unref(entry->verdict);
    g_free(entry);
}

static void key_text(char text[KEY_TEXT_MAX], const VerdictKey *key)
{
    g_snprintf(text, KEY_TEXT_MAX, "%.*s@%s", VERDICT_KEY_LOCAL_PART_MAX, key->local_part,
               key->domain);
}

VerdictCache *verdict_cache_new(guint size)
{
    VerdictCache *cache = g_new0(VerdictCache, 1);

    pthread_once(&hash_once, hash_init);
    cache->refs = 1;
    cache->size = MAX(size, 2);
    pthread_mutex_init(&cache->lock, NULL);
    cache->keys = g_hash_table_new(key_hash, g_str_equal);
    g_queue_init(&cache->recent);
    return cache;
}

static void free_entries(GQueue *entries)
{
    for (GList *link = entries->head, *next; link != NULL; link = next) {
        next = link->next;
        entry_free(link->data);
    }
}

VerdictCache *verdict_cache_ref(VerdictCache *cache)
{
    g_atomic_int_inc(&cache->refs);
    return cache;
}

void verdict_cache_unref(VerdictCache *cache)
{
    if (!g_atomic_int_dec_and_test(&cache->refs))
        return;
    g_hash_table_unref(cache->keys);
    free_entries(&cache->recent);
    pthread_mutex_destroy(&cache->lock);
    g_free(cache);
}

static void remove_entry(VerdictCache *cache, Entry *entry)
{
    g_hash_table_remove(cache->keys, entry->key);
    g_queue_unlink(&cache->recent, &entry->link);
    entry_free(entry);
}

/* Finds the entry of key and marks it as used; NULL where there is none. */
static Entry *use(VerdictCache *cache, const char *key)
{
    const char *found = g_hash_table_lookup(cache->keys, key);

    if (found == NULL)
        return NULL;
    Entry *entry = entry_of(found);
    g_queue_unlink(&cache->recent, &entry->link);
    g_queue_push_head_link(&cache->recent, &entry->link);
    return entry;
}

static Entry *add(VerdictCache *cache, const char *key, Verdict *verdict)
{
    Entry *entry = use(cache, key);

    if (entry != NULL)
        remove_entry(cache, entry);
    else if (cache->recent.length == cache->size)
        remove_entry(cache, cache->recent.tail->data);
    entry = entry_new(key, verdict);
    g_hash_table_add(cache->keys, entry->key);
    g_queue_push_head_link(&cache->recent, &entry->link);
    return entry;
}

/* The entry that speaks for key, a marker followed. */
static Entry *find(VerdictCache *cache, const VerdictKey *key, bool *is_per_address)
{
    char text[KEY_TEXT_MAX];
    Entry *entry = use(cache, key->domain);

    *is_per_address = entry != NULL && entry->verdict == NULL;
    if (!*is_per_address)
        return entry;
    key_text(text, key);
    return use(cache, text);
}

static VerdictCacheOutcome outcome_at(const Entry *entry, gint64 now)
{
    if (now < entry->fresh_until)
        return VERDICT_CACHE_FRESH;
    if (now < MIN(entry->quiet_until, entry->stale_until))
        return VERDICT_CACHE_STALE;
    return VERDICT_CACHE_MISS;
}

static void read_entry(Entry *entry, gint64 now, VerdictCacheAnswer *answer)
{
    answer->outcome = outcome_at(entry, now);
    answer->fresh_until = entry->fresh_until;
    if (answer->outcome != VERDICT_CACHE_MISS || now < entry->stale_until)
        answer->verdict = verdict_ref(entry->verdict);
    if (answer->outcome == VERDICT_CACHE_MISS || ++entry->hits < HITS_HOT || now < entry->renew_at)
        return;
    answer->should_renew = true;
    entry->renew_at = G_MAXINT64;
}

VerdictCacheAnswer verdict_cache_get(VerdictCache *cache, const VerdictKey *key, gint64 now)
{
    VerdictCacheAnswer answer = {.outcome = VERDICT_CACHE_MISS};

    pthread_mutex_lock(&cache->lock);
    Entry *entry = find(cache, key, &answer.is_per_address);
    if (entry != NULL)
        read_entry(entry, now, &answer);
    answer.epoch = cache->epoch;
    pthread_mutex_unlock(&cache->lock);
    return answer;
}

/* A renewal begins in the last tenth of a life, early enough for a slow one, but not in the first
 * half. */
static gint64 renewal_time(const VerdictLife *life)
{
    gint64 span = life->fresh * CLOCK_SECOND;

    return life->made + span - MIN(MAX(span / 10, RENEWAL_SPAN_MIN), span / 2);
}

static void put(VerdictCache *cache, const char *key, Verdict *verdict, const VerdictLife *life)
{
    Entry *entry = add(cache, key, verdict);

    entry->fresh_until = life->made + life->fresh * CLOCK_SECOND;
    entry->stale_until = entry->fresh_until + life->stale * CLOCK_SECOND;
    entry->renew_at = renewal_time(life);
}

void verdict_cache_put(VerdictCache *cache, const VerdictKey *key, Verdict *verdict,
                       const VerdictLife *life, guint epoch)
{
    char text[KEY_TEXT_MAX];

    if (key->local_part != NULL)
        key_text(text, key);
    pthread_mutex_lock(&cache->lock);
    if (epoch == cache->epoch) {
        if (key->local_part != NULL) {
            add(cache, key->domain, NULL);
            put(cache, text, verdict, life);
        } else {
            put(cache, key->domain, verdict, life);
        }
    }
    pthread_mutex_unlock(&cache->lock);
}

void verdict_cache_postpone(VerdictCache *cache, const VerdictKey *key, gint64 now)
{
    bool is_per_address;

    pthread_mutex_lock(&cache->lock);
    Entry *entry = find(cache, key, &is_per_address);
    if (entry != NULL) {
        entry->quiet_until = now + VERDICT_CACHE_QUIET * CLOCK_SECOND;
        entry->renew_at = entry->quiet_until - QUIET_RENEWAL_SPAN;
    }
    pthread_mutex_unlock(&cache->lock);
}

static void flush_all(VerdictCache *cache)
{
    GHashTable *keys = g_hash_table_new(key_hash, g_str_equal);

    pthread_mutex_lock(&cache->lock);
    GHashTable *old_keys = cache->keys;
    GQueue old = cache->recent;
    cache->keys = keys;
    g_queue_init(&cache->recent);
    cache->epoch++;
    pthread_mutex_unlock(&cache->lock);
    g_hash_table_unref(old_keys); /* takes milliseconds, hence after the lock */
    free_entries(&old);
}

static const char *domain_of(const char *key)
{
    const char *at = strrchr(key, '@');

    return at != NULL ? at + 1 : key;
}

void verdict_cache_flush(VerdictCache *cache, const char *domain)
{
    if (domain == NULL) {
        flush_all(cache);
        return;
    }
    pthread_mutex_lock(&cache->lock);
    for (GList *link = cache->recent.head, *next; link != NULL; link = next) {
        Entry *entry = link->data;

        next = link->next;
        if (domain_name_is_within(domain_of(entry->key), domain))
            remove_entry(cache, entry);
    }
    cache->epoch++;
    pthread_mutex_unlock(&cache->lock);
}

guint verdict_cache_count(VerdictCache *cache)
{
    pthread_mutex_lock(&cache->lock);
    guint count = cache->recent.length;
    pthread_mutex_unlock(&cache->lock);
    return count;
}
