#include "config.h"

#include "verdict/relay_lookup.h"

#include "spf/networks.h"

#define INTERFACES_TTL 300 /* seconds: nobody tells when an interface gets another address */
#define PRIVATE_SHOWN_MAX 3

static RelayLookup *lookup_new(void)
{
    RelayLookup *lookup = g_new0(RelayLookup, 1);

    lookup->networks = g_array_new(FALSE, FALSE, sizeof(Network));
    lookup->ttl = RELAY_LOOKUP_FOREVER;
    lookup->problems = g_ptr_array_new_with_free_func(g_free);
    return lookup;
}

void relay_lookup_free(RelayLookup *lookup)
{
    g_array_unref(lookup->networks);
    g_ptr_array_unref(lookup->problems);
    g_free(lookup);
}

static void add_problem(RelayLookup *lookup, const char *format, ...) G_GNUC_PRINTF(2, 3);

static void add_problem(RelayLookup *lookup, const char *format, ...)
{
    va_list arguments;

    va_start(arguments, format);
    g_ptr_array_add(lookup->problems, g_strdup_vprintf(format, arguments));
    va_end(arguments);
}

/* Takes the private ones out of networks. Returns the first of them as text, or NULL. */
static char *take_private(GArray *networks)
{
    g_autoptr(GString) shown = g_string_new(NULL);
    char text[NETWORK_TEXT_MAX];
    guint kept = 0;
    guint taken = 0;

    for (guint i = 0; i < networks->len; i++) {
        Network network = g_array_index(networks, Network, i);

        if (!network_is_private(&network))
            g_array_index(networks, Network, kept++) = network;
        else if (taken++ < PRIVATE_SHOWN_MAX)
            g_string_append_printf(shown, "%s%s", taken > 1 ? ", " : "",
                                   network_text(&network, text));
    }
    g_array_set_size(networks, kept);
    return taken > 0 ? g_strdup(shown->str) : NULL;
}

static void ask_address(RelayLookup *lookup, const char *name, DnsType type, Dns *dns,
                        Deadline deadline)
{
    g_autoptr(DnsAnswer) answer = dns_lookup(dns, name, type, deadline);
    int family = type == DNS_A ? AF_INET : AF_INET6;
    gsize length = type == DNS_A ? 4 : 16;

    if (answer->status == DNS_TROUBLE) {
        lookup->state = RELAY_LOOKUP_TROUBLE;
        add_problem(lookup, "%s: %s not known, DNS has trouble: %s", name, dns_type_text(type),
                    answer->trouble);
        return;
    }
    lookup->ttl = MIN(lookup->ttl, answer->ttl);
    for (guint i = 0; i < answer->records->len; i++) {
        const DnsRecord *record = dns_answer_at(answer, i);
        Network address;

        if (record->length != length)
            continue;
        address = network_from_octets(family, (const guint8 *)record->data);
        g_array_append_val(lookup->networks, address);
    }
}

static void ask_addresses(RelayLookup *lookup, const char *name, Dns *dns, Deadline deadline)
{
    ask_address(lookup, name, DNS_A, dns, deadline);
    ask_address(lookup, name, DNS_AAAA, dns, deadline);
}

static void find_network(RelayLookup *lookup, const RelayEntry *entry)
{
    g_autofree char *taken = NULL;

    g_array_append_val(lookup->networks, entry->network);
    taken = take_private(lookup->networks);
    if (taken != NULL)
        add_problem(lookup, "%s is private: no receiver ever sees it", taken);
}

static void find_host(RelayLookup *lookup, const RelayEntry *entry, Dns *dns, Deadline deadline)
{
    g_autofree char *taken = NULL;

    ask_addresses(lookup, entry->domain, dns, deadline);
    taken = take_private(lookup->networks);
    if (lookup->networks->len > 0 || lookup->state == RELAY_LOOKUP_TROUBLE)
        return;
    lookup->state = RELAY_LOOKUP_WRONG;
    if (taken != NULL)
        add_problem(lookup, "%s has only %s", entry->domain, taken);
    else
        add_problem(lookup, "%s has no address", entry->domain);
}

static void find_auto(RelayLookup *lookup, const char *hostname, Dns *dns, Deadline deadline)
{
    g_autofree char *taken = NULL;

    ask_addresses(lookup, hostname, dns, deadline);
    network_add_interfaces(lookup->networks);
    lookup->ttl = MIN(lookup->ttl, INTERFACES_TTL);
    taken = take_private(lookup->networks);
    if (lookup->networks->len > 0 || lookup->state == RELAY_LOOKUP_TROUBLE)
        return;
    lookup->state = RELAY_LOOKUP_WRONG;
    if (taken != NULL)
        add_problem(lookup, "auto: host name %s has only %s", hostname, taken);
    else
        add_problem(lookup, "auto: host name %s has no address", hostname);
}

static void find_spf(RelayLookup *lookup, const RelayEntry *entry, guint networks_max, Dns *dns,
                     Deadline deadline)
{
    g_autoptr(EvaluationContext) context = evaluation_context_new(dns, deadline);
    g_autoptr(Networks) found = networks_find(context, entry->domain, networks_max);
    g_autofree char *taken = NULL;

    lookup->ttl = found->ttl;
    for (guint i = 0; i < found->warnings->len; i++)
        add_problem(lookup, "spf:%s: %s", entry->domain,
                    (const char *)g_ptr_array_index(found->warnings, i));
    if (found->result != SPF_PASS) {
        lookup->state = RELAY_LOOKUP_WRONG;
        if (found->result == SPF_TEMPERROR) {
            lookup->state = RELAY_LOOKUP_TROUBLE;
            lookup->ttl = RELAY_LOOKUP_FOREVER; /* nothing is known that could end */
        }
        add_problem(lookup, "spf:%s: %s: %s", entry->domain, spf_result_text(found->result),
                    found->reason);
        return;
    }
    g_array_append_vals(lookup->networks, found->networks->data, found->networks->len);
    taken = take_private(lookup->networks);
    if (found->warnings->len > 0)
        lookup->state = RELAY_LOOKUP_PARTIAL;
    if (lookup->networks->len > 0)
        return;
    lookup->state = RELAY_LOOKUP_WRONG;
    add_problem(lookup, "spf:%s: its record authorises no public network", entry->domain);
}

static void find(RelayLookup *lookup, const RelayEntry *entry, const char *hostname,
                 guint networks_max, Dns *dns, Deadline deadline)
{
    switch (entry->kind) {
    case RELAY_ENTRY_NETWORK:
        find_network(lookup, entry);
        return;
    case RELAY_ENTRY_HOST:
        find_host(lookup, entry, dns, deadline);
        return;
    case RELAY_ENTRY_SPF:
        find_spf(lookup, entry, networks_max, dns, deadline);
        return;
    case RELAY_ENTRY_AUTO:
        find_auto(lookup, hostname, dns, deadline);
        return;
    }
}

RelayLookup *relay_lookup_run(const RelayEntry *entry, const char *hostname, guint networks_max,
                              Dns *dns, Deadline deadline)
{
    RelayLookup *lookup = lookup_new();

    find(lookup, entry, hostname, networks_max, dns, deadline);
    return lookup;
}
