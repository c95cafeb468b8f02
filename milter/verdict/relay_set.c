#include "config.h"

#include "verdict/relay_set.h"

#include <string.h>

#include "spf/networks.h"

#define SHARE_MIN CLOCK_SECOND /* of the time left, for one entry */
#define PROBLEMS_SHOWN_MAX 5
#define INTERFACES_TTL 300 /* seconds: nobody tells when an interface gets another address */
#define PRIVATE_SHOWN_MAX 3
#define FOREVER G_MAXUINT32

G_DEFINE_QUARK(spfrom_relay_set_error, relay_set_error)

/* What one entry of relay_hosts stands for now. */
typedef struct {
    /* Of Network, public ones only. If state is not RELAY_SET_WHOLE, those that are known. */
    GArray *networks;
    RelaySetState state;
    guint32 ttl; /* seconds, or FOREVER */
    /* Of char *, for people. There is at least one if networks is empty, or state is not
     * RELAY_SET_WHOLE. */
    GPtrArray *problems;
} RelayLookup;

static RelayLookup *lookup_new(void)
{
    RelayLookup *lookup = g_new0(RelayLookup, 1);

    lookup->networks = g_array_new(FALSE, FALSE, sizeof(Network));
    lookup->ttl = FOREVER;
    lookup->problems = g_ptr_array_new_with_free_func(g_free);
    return lookup;
}

static void relay_lookup_free(RelayLookup *lookup)
{
    g_array_unref(lookup->networks);
    g_ptr_array_unref(lookup->problems);
    g_free(lookup);
}

G_DEFINE_AUTOPTR_CLEANUP_FUNC(RelayLookup, relay_lookup_free)

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
        lookup->state = RELAY_SET_TROUBLE;
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
    if (lookup->networks->len > 0 || lookup->state == RELAY_SET_TROUBLE)
        return;
    lookup->state = RELAY_SET_WRONG;
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
    if (lookup->networks->len > 0 || lookup->state == RELAY_SET_TROUBLE)
        return;
    lookup->state = RELAY_SET_WRONG;
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
        lookup->state = RELAY_SET_WRONG;
        if (found->result == SPF_TEMPERROR) {
            lookup->state = RELAY_SET_TROUBLE;
            lookup->ttl = FOREVER; /* nothing is known that could end */
        }
        add_problem(lookup, "spf:%s: %s: %s", entry->domain, spf_result_text(found->result),
                    found->reason);
        return;
    }
    g_array_append_vals(lookup->networks, found->networks->data, found->networks->len);
    taken = take_private(lookup->networks);
    if (found->warnings->len > 0)
        lookup->state = RELAY_SET_PARTIAL;
    if (lookup->networks->len > 0)
        return;
    lookup->state = RELAY_SET_WRONG;
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

/*
 * Looks entry up (design section 7), with at most networks_max networks. A private address or
 * network that is written out is left out, and the entry is WHOLE: no mail reaches a receiver from
 * there. A name or a pool that has only such addresses is WRONG: we don't know from where its mail
 * does.
 *
 * hostname  the host whose addresses "auto" stands for, besides those of the interfaces
 * Returns a new value, freed with relay_lookup_free(); never NULL.
 */
static RelayLookup *relay_lookup_run(const RelayEntry *entry, const char *hostname,
                                     guint networks_max, Dns *dns, Deadline deadline)
{
    RelayLookup *lookup = lookup_new();

    find(lookup, entry, hostname, networks_max, dns, deadline);
    return lookup;
}

/* The making of a set. */
typedef struct {
    RelaySet *set;
    RelaySet *last;  /* may be NULL */
    bool is_renewal; /* relay_set_renew(): a wrong entry may keep what it was too */
    bool has_trouble;
} Making;

/* A network on its way into the set. */
typedef struct {
    Network network;
    guint entry;
} Item;

static RelaySet *set_new(Settings *settings)
{
    RelaySet *set = g_new0(RelaySet, 1);

    set->refs = 1;
    set->networks = g_array_new(FALSE, FALSE, sizeof(Network));
    set->entries = g_array_new(FALSE, FALSE, sizeof(guint));
    set->states = g_array_new(FALSE, FALSE, sizeof(RelaySetState));
    set->is_complete = true;
    set->problems = g_ptr_array_new_with_free_func(g_free);
    set->settings = settings_ref(settings);
    set->found = g_ptr_array_new_with_free_func((GDestroyNotify)g_array_unref);
    set->unknown = g_ptr_array_new_with_free_func(g_free);
    return set;
}

RelaySet *relay_set_ref(RelaySet *set)
{
    g_atomic_int_inc(&set->refs);
    return set;
}

void relay_set_unref(RelaySet *set)
{
    if (!g_atomic_int_dec_and_test(&set->refs))
        return;
    g_array_unref(set->networks);
    g_array_unref(set->entries);
    g_array_unref(set->states);
    g_ptr_array_unref(set->problems);
    g_ptr_array_unref(set->found);
    g_ptr_array_unref(set->unknown);
    settings_unref(set->settings);
    g_free(set);
}

static const RelayEntry *entry_at(Settings *settings, guint position)
{
    return g_ptr_array_index(settings->relay_hosts, position);
}

/* Do two entries ask the same? */
static bool is_same(Settings *a_settings, const RelayEntry *a, Settings *b_settings,
                    const RelayEntry *b)
{
    if (a->kind != b->kind)
        return false;
    if (a->kind == RELAY_ENTRY_AUTO)
        return strcmp(a_settings->hostname, b_settings->hostname) == 0;
    return a->domain != NULL && strcmp(a->domain, b->domain) == 0;
}

/* The whole of what entry stood for in last; NULL if last did not know. */
static GArray *found_before(RelaySet *last, Settings *settings, const RelayEntry *entry)
{
    for (guint i = 0; last != NULL && i < last->found->len; i++)
        if (g_array_index(last->states, RelaySetState, i) == RELAY_SET_WHOLE &&
            is_same(settings, entry, last->settings, entry_at(last->settings, i)))
            return g_ptr_array_index(last->found, i);
    return NULL;
}

/* Joins problems, of which there may be many. */
static char *join_problems(const GPtrArray *problems)
{
    GString *text = g_string_new(NULL);

    for (guint i = 0; i < MIN(problems->len, PROBLEMS_SHOWN_MAX); i++)
        g_string_append_printf(text, "%s%s", i > 0 ? "; " : "",
                               (const char *)g_ptr_array_index(problems, i));
    return g_string_free(text, FALSE);
}

static void add_problems(RelaySet *set, const RelayLookup *lookup, const char *consequence)
{
    for (guint i = 0; i < lookup->problems->len; i++)
        g_ptr_array_add(set->problems,
                        g_strconcat(g_ptr_array_index(lookup->problems, i), consequence, NULL));
}

/* Puts what lookup found for entry, or what the last set knew, into the new one. */
static void add_found(Making *making, RelayLookup *lookup, const RelayEntry *entry)
{
    RelaySet *set = making->set;
    RelaySetState state = lookup->state;
    GArray *before = NULL;

    making->has_trouble |= state == RELAY_SET_TROUBLE;
    if (state != RELAY_SET_WHOLE && (state != RELAY_SET_WRONG || making->is_renewal))
        before = found_before(making->last, set->settings, entry);
    if (before != NULL)
        state = RELAY_SET_WHOLE;
    set->is_complete &= state == RELAY_SET_WHOLE;
    g_array_append_val(set->states, state);
    g_ptr_array_add(set->unknown,
                    state != RELAY_SET_WHOLE ? join_problems(lookup->problems) : NULL);
    g_ptr_array_add(set->found, g_array_ref(before != NULL ? before : lookup->networks));
    add_problems(set, lookup, before != NULL ? "; its last addresses stay" : "");
}

/* The end of the time of the entry at position: its share of what is left. */
static Deadline share_end(Deadline deadline, guint position, guint entries)
{
    gint64 now = clock_monotonic(&clock_system);
    gint64 share = (deadline - now) / (entries - position);

    return MIN(deadline, now + MAX(share, SHARE_MIN));
}

/* Looks every entry up. Returns the smallest TTL. */
static guint32 find_all(Making *making, Dns *dns, Deadline deadline)
{
    Settings *settings = making->set->settings;
    guint entries = settings->relay_hosts->len;
    guint32 ttl = FOREVER;

    for (guint i = 0; i < entries; i++) {
        const RelayEntry *entry = entry_at(settings, i);
        g_autoptr(RelayLookup) lookup =
            relay_lookup_run(entry, settings->hostname, RELAY_SET_NETWORKS_MAX, dns,
                             share_end(deadline, i, entries));

        ttl = MIN(ttl, lookup->ttl);
        add_found(making, lookup, entry);
    }
    return ttl;
}

/* By family, address and length: a network stands before those that it holds. */
static gint compare(const Network *a, const Network *b)
{
    int order = memcmp(a->octets, b->octets, sizeof a->octets);

    if (a->family != b->family)
        return a->family == AF_INET ? -1 : 1;
    return order != 0 ? order : a->length - b->length;
}

static gint compare_networks(gconstpointer a, gconstpointer b)
{
    const Item *left = a;
    const Item *right = b;
    gint order = compare(&left->network, &right->network);

    return order != 0 ? order : (gint)left->entry - (gint)right->entry;
}

static gint compare_entries(gconstpointer a, gconstpointer b)
{
    const Item *left = a;
    const Item *right = b;

    if (left->entry != right->entry)
        return (gint)left->entry - (gint)right->entry;
    return compare(&left->network, &right->network);
}

/* Takes out of sorted items each that an earlier one holds: networks nest or are apart, so the last
 * kept one tells. */
static void drop_held(GArray *items, bool is_across_entries)
{
    guint kept = 0;

    for (guint i = 0; i < items->len; i++) {
        Item item = g_array_index(items, Item, i);
        const Item *before = kept > 0 ? &g_array_index(items, Item, kept - 1) : NULL;

        if (before != NULL && (is_across_entries || before->entry == item.entry) &&
            network_contains(&before->network, &item.network))
            continue;
        g_array_index(items, Item, kept++) = item;
    }
    g_array_set_size(items, kept);
}

static void merge(RelaySet *set)
{
    bool is_across_entries = set->settings->relay_policy == RELAY_POLICY_ALL;
    g_autoptr(GArray) items = g_array_new(FALSE, FALSE, sizeof(Item));

    for (guint entry = 0; entry < set->found->len; entry++) {
        GArray *networks = g_ptr_array_index(set->found, entry);

        for (guint i = 0; i < networks->len; i++) {
            Item item = {.network = g_array_index(networks, Network, i), .entry = entry};

            g_array_append_val(items, item);
        }
    }
    g_array_sort(items, is_across_entries ? compare_networks : compare_entries);
    drop_held(items, is_across_entries);
    g_array_sort(items, compare_entries);
    for (guint i = 0; i < items->len; i++) {
        const Item *item = &g_array_index(items, Item, i);

        g_array_append_val(set->networks, item->network);
        g_array_append_val(set->entries, item->entry);
    }
}

static bool has_networks_of(const RelaySet *set, const RelaySet *other)
{
    if (set->networks->len != other->networks->len)
        return false;
    for (guint i = 0; i < set->networks->len; i++) {
        if (!network_is_equal(&g_array_index(set->networks, Network, i),
                              &g_array_index(other->networks, Network, i)))
            return false;
        if (g_array_index(set->entries, guint, i) != g_array_index(other->entries, guint, i))
            return false;
    }
    return true;
}

static bool has_states_of(const RelaySet *set, const RelaySet *other)
{
    if (set->states->len != other->states->len)
        return set->is_complete && other->is_complete;
    for (guint i = 0; i < set->states->len; i++)
        if ((g_array_index(set->states, RelaySetState, i) == RELAY_SET_WHOLE) !=
            (g_array_index(other->states, RelaySetState, i) == RELAY_SET_WHOLE))
            return false;
    return true;
}

static guint generation_of(const RelaySet *set, const RelaySet *last)
{
    if (last == NULL)
        return 1;
    return last->generation + (has_networks_of(set, last) && has_states_of(set, last) ? 0 : 1);
}

/* Returns the seconds until set is to be looked up again. */
static guint lifetime(Settings *settings, guint32 ttl, guint failures)
{
    guint shortest = MIN(RELAY_SET_TTL_MIN, MAX(settings->cache_min_ttl, 1));
    guint longest = MAX(MIN(RELAY_SET_TTL_MAX, settings->cache_max_ttl), shortest);
    guint seconds = CLAMP(ttl, shortest, longest);

    if (failures == 0)
        return seconds;
    return MIN(seconds,
               MIN((guint)RELAY_SET_RETRY_MIN << MIN(failures - 1, 8), RELAY_SET_RETRY_MAX));
}

static bool is_small(const RelaySet *set, GError **error)
{
    if (set->networks->len <= RELAY_SET_NETWORKS_MAX)
        return true;
    g_set_error(error, RELAY_SET_ERROR, RELAY_SET_ERROR_LARGE,
                "relay_hosts: %u networks, %d are the most; write wider networks in place of "
                "single addresses",
                set->networks->len, RELAY_SET_NETWORKS_MAX);
    return false;
}

/* What is wrong with the entries that are: of const char *. */
static GPtrArray *find_wrong(const RelaySet *set)
{
    GPtrArray *wrong = g_ptr_array_new();

    for (guint i = 0; i < set->states->len; i++)
        if (g_array_index(set->states, RelaySetState, i) == RELAY_SET_WRONG)
            g_ptr_array_add(wrong, g_ptr_array_index(set->unknown, i));
    return wrong;
}

/* Can a configuration that gives set be taken? */
static bool is_right(const RelaySet *set, bool has_trouble, GError **error)
{
    g_autoptr(GPtrArray) wrong = find_wrong(set);
    g_autofree char *why = NULL;

    if (set->networks->len == 0 && !has_trouble) {
        why = join_problems(set->problems);
        g_set_error(error, RELAY_SET_ERROR, RELAY_SET_ERROR_EMPTY,
                    "relay_hosts: no public address found (%s); write the addresses your mail "
                    "leaves from, such as "
                    "relay_hosts = { \"192.0.2.25\" } or { \"spf:amazonses.com\" }",
                    why);
        return false;
    }
    if (wrong->len == 0)
        return true;
    why = join_problems(wrong);
    g_set_error(error, RELAY_SET_ERROR, RELAY_SET_ERROR_ENTRY,
                "relay_hosts: %s; correct %s or take %s out", why,
                wrong->len > 1 ? "these entries" : "that entry", wrong->len > 1 ? "them" : "it");
    return false;
}

/* Looks everything up and merges it. */
static void make(Making *making, Dns *dns, const Clock *clock, Deadline deadline)
{
    RelaySet *set = making->set;
    RelaySet *last = making->last;
    gint64 now = clock_monotonic(clock);
    guint32 ttl = find_all(making, dns, deadline);

    merge(set);
    set->generation = generation_of(set, last);
    set->failures = !making->has_trouble ? 0 : last != NULL ? last->failures + 1 : 1;
    set->expires = G_MAXINT64;
    if (making->has_trouble || ttl != FOREVER)
        set->expires = now + lifetime(set->settings, ttl, set->failures) * CLOCK_SECOND;
}

RelaySet *relay_set_resolve(Settings *settings, Dns *dns, RelaySet *last, const Clock *clock,
                            Deadline deadline, GError **error)
{
    g_autoptr(RelaySet) set = set_new(settings);
    Making making = {.set = set, .last = last};

    make(&making, dns, clock, deadline);
    if (!is_right(set, making.has_trouble, error) || !is_small(set, error))
        return NULL;
    return g_steal_pointer(&set);
}

RelaySet *relay_set_renew(RelaySet *last, Dns *dns, const Clock *clock, Deadline deadline,
                          GError **error)
{
    g_autoptr(RelaySet) set = set_new(last->settings);
    Making making = {.set = set, .last = last, .is_renewal = true};

    make(&making, dns, clock, deadline);
    return is_small(set, error) ? g_steal_pointer(&set) : NULL;
}

const char *relay_set_unknown(const RelaySet *set, guint position, guint end)
{
    for (; position < end; position++)
        if (g_ptr_array_index(set->unknown, position) != NULL)
            return g_ptr_array_index(set->unknown, position);
    return NULL;
}
