#include "config.h"

#include "advice/record/mechanisms.h"

#include <string.h>

#include "advice/record/draft.h"
#include "policy/relay_entry.h"

static void entry_free(gpointer data)
{
    EntryMechanisms *entry = data;

    g_ptr_array_unref(entry->texts);
    g_free(entry);
}

static char *network_mechanism(const Network *network)
{
    char text[NETWORK_TEXT_MAX];

    return g_strdup_printf("%s:%s", network->family == AF_INET ? "ip4" : "ip6",
                           network_text(network, text));
}

static void add_networks(GPtrArray *texts, const Relays *relays, guint first, guint end)
{
    for (guint i = first; i < end; i++)
        g_ptr_array_add(texts, network_mechanism(&g_array_index(relays->networks, Network, i)));
}

static bool has_address(const DnsAnswer *answer, const Network *address)
{
    gsize length = address->family == AF_INET ? 4 : 16;

    for (guint i = 0; i < answer->records->len; i++) {
        const DnsRecord *record = dns_answer_at(answer, i);

        if (record->length == length && memcmp(record->data, address->octets, length) == 0)
            return true;
    }
    return false;
}

/* Are all addresses of the entry at first those of name? */
static bool is_host(Dns *dns, gint64 deadline, const char *name, const Relays *relays, guint first,
                    guint end)
{
    g_autoptr(DnsAnswer) a = dns_lookup(dns, name, DNS_A, deadline);
    g_autoptr(DnsAnswer) aaaa = dns_lookup(dns, name, DNS_AAAA, deadline);

    for (guint i = first; i < end; i++) {
        const Network *network = &g_array_index(relays->networks, Network, i);

        if (!has_address(network->family == AF_INET ? a : aaaa, network))
            return false;
    }
    return true;
}

static GPtrArray *texts_of(Settings *settings, Dns *dns, gint64 deadline, const Relays *relays,
                           guint first, guint end)
{
    guint number = g_array_index(relays->entries, guint, first);
    g_autoptr(RelayEntry) entry = relay_entry_parse(g_ptr_array_index(relays->names, number), NULL);
    GPtrArray *texts = g_ptr_array_new_with_free_func(g_free);
    RelayEntryKind kind = entry != NULL ? entry->kind : RELAY_ENTRY_NETWORK;

    switch (kind) {
    case RELAY_ENTRY_SPF:
        g_ptr_array_add(texts, g_strconcat("include:", entry->domain, NULL));
        return texts;
    case RELAY_ENTRY_HOST:
        g_ptr_array_add(texts, g_strconcat("a:", entry->domain, NULL));
        return texts;
    case RELAY_ENTRY_AUTO:
        if (strchr(settings->hostname, '.') == NULL ||
            !is_host(dns, deadline, settings->hostname, relays, first, end))
            break;
        g_ptr_array_add(texts, g_strconcat("a:", settings->hostname, NULL));
        return texts;
    case RELAY_ENTRY_NETWORK:
        break;
    }
    add_networks(texts, relays, first, end);
    return texts;
}

static bool passes(const DomainCheck *check, guint first, guint end)
{
    for (guint i = first; i < end; i++)
        if (domain_check_at(check, i)->result != SPF_PASS)
            return false;
    return true;
}

GPtrArray *mechanisms_derive(Settings *settings, Dns *dns, gint64 deadline,
                             const DomainCheck *check)
{
    GPtrArray *entries = g_ptr_array_new_with_free_func(entry_free);

    for (guint first = 0, end; first < check->evaluations->len; first = end) {
        EntryMechanisms *entry = g_new0(EntryMechanisms, 1);

        end = relays_entry_end(check->relays, first);
        entry->texts = texts_of(settings, dns, deadline, check->relays, first, end);
        entry->is_missing = !passes(check, first, end);
        g_ptr_array_add(entries, entry);
    }
    return entries;
}

static bool is_key_of(const char *key, const char *mechanism)
{
    g_autofree char *own = draft_key(mechanism);

    return strcmp(own, key) == 0;
}

/* The mechanism of an entry that is a name; NULL for others. */
static char *name_mechanism(const char *name)
{
    g_autoptr(RelayEntry) entry = relay_entry_parse(name, NULL);

    if (entry == NULL || entry->domain == NULL)
        return NULL;
    return g_strconcat(entry->kind == RELAY_ENTRY_SPF ? "include:" : "a:", entry->domain, NULL);
}

bool mechanisms_has(Settings *settings, const Relays *relays, const char *key)
{
    for (char **own = settings->advice_mechanisms; own != NULL && *own != NULL; own++)
        if (is_key_of(key, *own))
            return true;
    for (guint i = 0; i < relays->names->len; i++) {
        g_autofree char *own = name_mechanism(g_ptr_array_index(relays->names, i));

        if (own != NULL && is_key_of(key, own))
            return true;
    }
    return false;
}
