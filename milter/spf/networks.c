#include "config.h"

#include "spf/networks.h"

#include <stdarg.h>
#include <string.h>
#include <sys/socket.h>

#include "spf/check_host.h"
#include "spf/problem.h"
#include "spf/walk.h"

#define WIDEST4 8 /* prefix length: a wider network authorises strangers */
#define WIDEST6 16
/* Times as many networks may be found as may be left once they are merged. */
#define UNMERGED_MAX 8

bool networks_add_without(GArray *networks, const Network *network, const GArray *holes, guint max)
{
    bool is_split = false;
    Network halves[2];

    for (guint i = 0; i < holes->len; i++) {
        const Network *hole = &g_array_index(holes, Network, i);

        if (network_contains(hole, network))
            return true;
        is_split = is_split || network_contains(network, hole);
    }
    if (is_split) {
        network_split(network, halves);
        return networks_add_without(networks, &halves[0], holes, max) &&
               networks_add_without(networks, &halves[1], holes, max);
    }
    if (networks->len >= max)
        return false;
    g_array_append_val(networks, *network);
    return true;
}

/* By family, address, and from wide to narrow: what lies in a network follows it. */
static gint compare(gconstpointer a, gconstpointer b)
{
    const Network *left = a;
    const Network *right = b;
    int order = memcmp(left->octets, right->octets, sizeof left->octets);

    if (left->family != right->family)
        return left->family == AF_INET ? -1 : 1;
    return order != 0 ? order : (gint)left->length - (gint)right->length;
}

/* Returns whether these are the two halves of one network, and sets whole to that network. */
static bool join(const Network *lower, const Network *upper, Network *whole)
{
    Network both;
    Network halves[2];

    if (lower->family != upper->family || lower->length != upper->length || lower->length == 0)
        return false;
    both = network_shortened(lower, (guint8)(lower->length - 1));
    network_split(&both, halves);
    if (!network_is_equal(&halves[0], lower) || !network_is_equal(&halves[1], upper))
        return false;
    *whole = both;
    return true;
}

/*
 * The networks before kept are merged, and each next one is put behind them. Joining two networks
 * may make a half of a larger one; its other half then stands right before it.
 */
void networks_merge(GArray *networks)
{
    Network *list = (Network *)(gpointer)networks->data;
    guint kept = 0;

    g_array_sort(networks, compare);
    for (guint i = 0; i < networks->len; i++) {
        Network network = list[i];

        if (kept > 0 && network_contains(&list[kept - 1], &network))
            continue;
        while (kept > 0 && join(&list[kept - 1], &network, &network))
            kept--;
        list[kept++] = network;
    }
    g_array_set_size(networks, kept);
}

/* What the terms of a record, and of those that it redirects to, have decided so far: the first
 * term that matches an address counts. */
typedef struct Decided Decided;
struct Decided {
    GArray *authorised; /* of Network */
    GArray *others;     /* of Network: neutral, softfail, fail */
    Decided *includer;  /* of the record that includes this one; NULL: of the domain itself */
};

typedef struct {
    Networks *found;
    Decided *decided; /* of the record that the walk is in */
    guint networks_max;
} Search;

static void enter(Search *search)
{
    Decided *decided = g_new0(Decided, 1);

    decided->authorised = g_array_new(FALSE, FALSE, sizeof(Network));
    decided->others = g_array_new(FALSE, FALSE, sizeof(Network));
    decided->includer = search->decided;
    search->decided = decided;
}

/* Returns the networks that the record authorises, given back with g_array_unref(). */
static GArray *leave(Search *search)
{
    Decided *decided = search->decided;
    GArray *authorised = decided->authorised;

    search->decided = decided->includer;
    g_array_unref(decided->others);
    g_free(decided);
    return authorised;
}

G_GNUC_PRINTF(3, 4) static void stop(Walk *walk, SpfResult result, const char *format, ...)
{
    Networks *found = ((Search *)walk->data)->found;
    va_list arguments;

    if (walk->is_ended)
        return;
    walk->is_ended = true;
    found->result = result;
    va_start(arguments, format);
    found->reason = g_strdup_vprintf(format, arguments);
    va_end(arguments);
}

static char *describe(const WalkTerm *term)
{
    return problem_place(term->domain, term->record, term->term);
}

static bool is_too_wide(const Network *network)
{
    return network->length < (network->family == AF_INET ? WIDEST4 : WIDEST6);
}

static void add_network(Walk *walk, const WalkTerm *term, const Network *network)
{
    const Search *search = walk->data;
    Decided *decided = search->decided;
    guint max = search->networks_max * UNMERGED_MAX;
    bool has_room = decided->others->len < max;

    if (walk->is_ended)
        return;
    if (term->term->qualifier == '+' && is_too_wide(network)) {
        g_autofree char *text = describe(term);

        stop(walk, SPF_PERMERROR, "%s authorises a network wider than /%d", text,
             network->family == AF_INET ? WIDEST4 : WIDEST6);
        return;
    }
    if (term->term->qualifier != '+')
        g_array_append_val(decided->others, *network);
    else
        has_room = networks_add_without(decided->authorised, network, decided->others, max);
    if (!has_room)
        stop(walk, SPF_PERMERROR, "the record of %s has more than %u networks", term->domain, max);
}

static void add_all(Walk *walk, const WalkTerm *term)
{
    const Search *search = walk->data;

    if (search->decided->includer == NULL)
        search->found->all = term->term->qualifier;
    if (term->term->qualifier == '+')
        stop(walk, SPF_PERMERROR, "the record of %s authorises every address (+all)", term->domain);
}

static bool reach_lookup(Walk *walk, const WalkTerm *term)
{
    Search *search = walk->data;
    g_autofree char *text = describe(term);

    if (walk->lookups > CHECK_LOOKUPS_MAX) {
        g_autofree char *reason = problem_lookups(text, CHECK_LOOKUPS_MAX);

        stop(walk, SPF_PERMERROR, "%s", reason);
        return false;
    }
    if (term->term->kind == RECORD_EXISTS || term->term->kind == RECORD_PTR || term->name == NULL) {
        g_ptr_array_add(search->found->warnings,
                        g_strdup_printf("%s can't be told as networks and is left out", text));
        return false;
    }
    if (term->term->kind == RECORD_INCLUDE)
        enter(search);
    return true;
}

static bool reach(Walk *walk, const WalkTerm *term)
{
    if (term->term->kind == RECORD_ALL)
        add_all(walk, term);
    return !record_is_lookup(term->term->kind) || reach_lookup(walk, term);
}

/* What the other record does not let pass is not decided by an include (RFC 7208 section 5.2). */
static void leave_record(Walk *walk, const WalkTerm *term)
{
    g_autoptr(GArray) included = NULL;

    if (term->term->kind != RECORD_INCLUDE)
        return;
    included = leave(walk->data);
    for (guint i = 0; i < included->len; i++)
        add_network(walk, term, &g_array_index(included, Network, i));
}

static void end_with_problem(Walk *walk, const WalkTerm *term, SpfResult result, const char *reason)
{
    (void)term;
    stop(walk, result, "%s", reason);
}

static const WalkVisitor visitor = {
    .reach = reach,
    .network = add_network,
    .problem = end_with_problem,
    .leave = leave_record,
};

Networks *networks_find(EvaluationContext *context, const char *domain, guint networks_max)
{
    Networks *found = g_new0(Networks, 1);
    Search search = {.found = found, .networks_max = networks_max};
    Walk walk;

    found->result = SPF_PASS;
    found->warnings = g_ptr_array_new_with_free_func(g_free);
    walk_init(&walk, context, &visitor, &search);
    enter(&search);
    walk_domain(&walk, domain);
    found->networks = leave(&search);
    networks_merge(found->networks);
    if (found->networks->len > networks_max)
        stop(&walk, SPF_PERMERROR, "the record of %s has more than %u networks", domain,
             networks_max);
    if (found->result != SPF_PASS)
        g_array_set_size(found->networks, 0);
    found->ttl = walk.ttl != G_MAXUINT32 ? walk.ttl : 0;
    return found;
}

void networks_free(Networks *networks)
{
    g_array_unref(networks->networks);
    g_ptr_array_unref(networks->warnings);
    g_free(networks->reason);
    g_free(networks);
}
