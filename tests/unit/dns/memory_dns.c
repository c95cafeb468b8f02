#include "config.h"

#include "unit/dns/memory_dns.h"

#include <arpa/inet.h>
#include <stdlib.h>
#include <string.h>

typedef struct {
    char *target; /* CNAME */
    DnsAnswer *answers[DNS_TYPES];
    gboolean times_out[DNS_TYPES];
    gboolean others_time_out;
} Node;

typedef struct {
    Dns dns;
    GHashTable *nodes; /* name → Node */
    guint32 ttl;
    guint questions;
} MemoryDns;

static void node_free(gpointer data)
{
    Node *node = data;

    for (guint i = 0; i < G_N_ELEMENTS(node->answers); i++)
        g_clear_pointer(&node->answers[i], dns_answer_unref);
    g_free(node->target);
    g_free(node);
}

static Node *node_at(Dns *dns, const char *name)
{
    MemoryDns *memory = (MemoryDns *)dns;
    Node *node = g_hash_table_lookup(memory->nodes, name);

    if (node == NULL) {
        node = g_new0(Node, 1);
        g_hash_table_insert(memory->nodes, g_strdup(name), node);
    }
    return node;
}

static Node *find(MemoryDns *memory, const char *name)
{
    Node *node = g_hash_table_lookup(memory->nodes, name);

    for (const char *dot = strchr(name, '.'); node == NULL && dot != NULL;
         dot = strchr(dot + 1, '.')) {
        g_autofree char *wildcard = g_strconcat("*", dot, NULL);

        node = g_hash_table_lookup(memory->nodes, wildcard);
    }
    return node;
}

static DnsAnswer *lookup(Dns *dns, const char *name, DnsType type, gint64 deadline)
{
    MemoryDns *memory = (MemoryDns *)dns;
    Node *node = find(memory, name);

    (void)deadline;
    memory->questions++;
    for (guint hops = 0; node != NULL && node->target != NULL; hops++) {
        if (hops == 8)
            return dns_answer_new_trouble("CNAME loop");
        node = find(memory, node->target);
    }
    if (node == NULL)
        return dns_answer_new(DNS_NO_NAME, memory->ttl);
    if (node->answers[type] != NULL)
        return dns_answer_ref(node->answers[type]);
    if (node->times_out[type] || node->others_time_out)
        return dns_answer_new_trouble("timed out");
    return dns_answer_new(DNS_NO_DATA, memory->ttl);
}

static void memory_free(Dns *dns)
{
    MemoryDns *memory = (MemoryDns *)dns;

    g_hash_table_unref(memory->nodes);
    g_free(memory);
}

Dns *memory_dns_new(void)
{
    MemoryDns *memory = g_new0(MemoryDns, 1);

    memory->dns.lookup = lookup;
    memory->dns.free = memory_free;
    memory->ttl = 300;
    memory->nodes = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, node_free);
    return &memory->dns;
}

void memory_dns_add_data(Dns *dns, const char *name, DnsType type, guint16 preference,
                         const void *data, gsize length)
{
    Node *node = node_at(dns, name);

    if (node->answers[type] == NULL)
        node->answers[type] = dns_answer_new(DNS_FOUND, ((MemoryDns *)dns)->ttl);
    dns_answer_add(node->answers[type], preference, data, length);
}

void memory_dns_add(Dns *dns, const char *name, DnsType type, const char *value)
{
    guint8 octets[16] = {0};
    char *rest = NULL;
    gulong preference;

    switch (type) {
    case DNS_A:
    case DNS_AAAA:
        inet_pton(type == DNS_A ? AF_INET : AF_INET6, value, octets);
        memory_dns_add_data(dns, name, type, 0, octets, type == DNS_A ? 4 : 16);
        return;
    case DNS_MX:
        preference = strtoul(value, &rest, 10);
        memory_dns_add_data(dns, name, type, (guint16)preference, rest + 1, strlen(rest + 1));
        return;
    case DNS_NS:
    case DNS_PTR:
    case DNS_TXT:
    case DNS_SPF:
        memory_dns_add_data(dns, name, type, 0, value, strlen(value));
        return;
    }
}

void memory_dns_add_alias(Dns *dns, const char *name, const char *target)
{
    node_at(dns, name)->target = g_strdup(target);
}

void memory_dns_add_timeout(Dns *dns, const char *name, DnsType type)
{
    node_at(dns, name)->times_out[type] = TRUE;
}

void memory_dns_add_timeouts(Dns *dns, const char *name)
{
    node_at(dns, name)->others_time_out = TRUE;
}

void memory_dns_set_ttl(Dns *dns, guint32 ttl)
{
    ((MemoryDns *)dns)->ttl = ttl;
}

guint memory_dns_questions(const Dns *dns)
{
    return ((const MemoryDns *)dns)->questions;
}
