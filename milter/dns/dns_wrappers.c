#include "config.h"

#include "dns/dns_wrappers.h"

#include <string.h>

#include "base/clock.h"

typedef struct {
    Dns dns;
    Dns *under; /* not owned */
    char *name; /* lower case */
    DnsType type;
    DnsAnswer *answer;
} Overlay;

static DnsAnswer *overlay_lookup(Dns *dns, const char *name, DnsType type, Deadline deadline)
{
    Overlay *overlay = (Overlay *)dns;

    if (type == overlay->type && strcmp(name, overlay->name) == 0)
        return dns_answer_ref(overlay->answer);
    return overlay->under->lookup(overlay->under, name, type, deadline);
}

static void overlay_flush(Dns *dns, const char *domain)
{
    dns_flush(((Overlay *)dns)->under, domain);
}

static void overlay_free(Dns *dns)
{
    Overlay *overlay = (Overlay *)dns;

    g_free(overlay->name);
    dns_answer_unref(overlay->answer);
    g_free(overlay);
}

Dns *dns_overlay_new(Dns *under, const char *name, DnsType type, DnsAnswer *answer)
{
    Overlay *overlay = g_new0(Overlay, 1);

    overlay->dns = (Dns){.lookup = overlay_lookup, .flush = overlay_flush, .free = overlay_free};
    overlay->under = under;
    overlay->name = g_ascii_strdown(name, -1);
    overlay->type = type;
    overlay->answer = dns_answer_ref(answer);
    return &overlay->dns;
}

typedef struct {
    Dns dns;
    Dns *under;          /* not owned */
    GHashTable *answers; /* "TYPE NAME" → DnsAnswer */
} Memo;

static DnsAnswer *memo_lookup(Dns *dns, const char *name, DnsType type, Deadline deadline)
{
    Memo *memo = (Memo *)dns;
    g_autofree char *key = g_strdup_printf("%d %s", type, name);
    DnsAnswer *answer = g_hash_table_lookup(memo->answers, key);

    if (answer == NULL && g_hash_table_size(memo->answers) >= DNS_MEMO_MAX)
        return dns_answer_new_trouble("too many questions");
    if (answer == NULL) {
        answer = memo->under->lookup(memo->under, name, type, deadline);
        g_hash_table_insert(memo->answers, g_steal_pointer(&key), answer);
    }
    return dns_answer_ref(answer);
}

static void memo_flush(Dns *dns, const char *domain)
{
    Memo *memo = (Memo *)dns;

    g_hash_table_remove_all(memo->answers);
    dns_flush(memo->under, domain);
}

static void memo_free(Dns *dns)
{
    Memo *memo = (Memo *)dns;

    g_hash_table_unref(memo->answers);
    g_free(memo);
}

Dns *dns_memo_new(Dns *under)
{
    Memo *memo = g_new0(Memo, 1);

    memo->dns = (Dns){.lookup = memo_lookup, .flush = memo_flush, .free = memo_free};
    memo->under = under;
    memo->answers =
        g_hash_table_new_full(g_str_hash, g_str_equal, g_free, (GDestroyNotify)dns_answer_unref);
    return &memo->dns;
}

typedef struct {
    Dns dns;
    Dns *under;
    DnsCounts *counts;
    gint is_closed; /* g_atomic_int_*() only */
} DnsCounted;

static void count(DnsCounts *counts, DnsStatus status)
{
    gint64 *last = status == DNS_TROUBLE ? &counts->troubled : &counts->answered;

    __atomic_fetch_add(&counts->outcomes[status], 1, __ATOMIC_RELAXED);
    __atomic_store_n(last, clock_monotonic(&clock_system), __ATOMIC_RELAXED);
}

static DnsAnswer *counted_lookup(Dns *dns, const char *name, DnsType type, Deadline deadline)
{
    DnsCounted *counted = (DnsCounted *)dns;
    DnsAnswer *answer;

    if (g_atomic_int_get(&counted->is_closed))
        return dns_answer_new_trouble("not asked: the program stops");
    answer = dns_lookup(counted->under, name, type, deadline);
    count(counted->counts, answer->status);
    return answer;
}

/* The question to what is under, which counts once its answer is wanted; NULL once it is closed, so
 * that counted_lookup() answers. */
static gpointer counted_begin(Dns *dns, const char *name, DnsType type, Deadline deadline)
{
    DnsCounted *counted = (DnsCounted *)dns;

    return g_atomic_int_get(&counted->is_closed)
               ? NULL
               : dns_question_new(counted->under, name, type, deadline);
}

static DnsAnswer *counted_finish(Dns *dns, gpointer begun, bool is_wanted)
{
    g_autoptr(DnsQuestion) question = begun;
    const DnsAnswer *answer;

    if (!is_wanted)
        return NULL;
    answer = dns_question_answer(question);
    count(((DnsCounted *)dns)->counts, answer->status);
    return dns_answer_ref((DnsAnswer *)answer);
}

static void counted_flush(Dns *dns, const char *domain)
{
    dns_flush(((DnsCounted *)dns)->under, domain);
}

static void counted_close(Dns *dns)
{
    DnsCounted *counted = (DnsCounted *)dns;

    g_atomic_int_set(&counted->is_closed, 1);
    dns_close(counted->under);
}

static void counted_free(Dns *dns)
{
    DnsCounted *counted = (DnsCounted *)dns;

    dns_free(counted->under);
    g_free(counted);
}

Dns *dns_counted_new(Dns *under, DnsCounts *counts)
{
    DnsCounted *counted = g_new0(DnsCounted, 1);

    counted->dns = (Dns){.lookup = counted_lookup,
                         .begin = counted_begin,
                         .finish = counted_finish,
                         .flush = counted_flush,
                         .close = counted_close,
                         .free = counted_free};
    counted->under = under;
    counted->counts = counts;
    return &counted->dns;
}
