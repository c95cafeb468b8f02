/* Each question is asked once: dns_memo_new(). */
#include "config.h"

#include "dns/dns.h"

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
