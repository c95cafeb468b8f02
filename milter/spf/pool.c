/* The networks that a domain's SPF record authorises: evaluation_networks(). */
#include "config.h"

#include "spf/evaluation.h"

#include <stdarg.h>
#include <string.h>
#include <sys/socket.h>

#include "spf/check_host.h"
#include "spf/evaluation_context.h"
#include "spf/macro.h"
#include "spf/network_list.h"
#include "spf/record.h"

#define WIDEST4 8 /* prefix length: a wider network authorises strangers */
#define WIDEST6 16
#define UNMERGED_MAX                                                                               \
    8 /* times as many networks may be found as may be left once they are merged                   \
       */

typedef struct {
    EvaluationContext *context;
    GPtrArray *warnings;
    guint networks_max;
    guint lookups;
    guint32 ttl;
    SpfResult result; /* SPF_PASS until something ends the walk */
    char *reason;
} Pool;

/* What the terms of a record have decided so far: the first one that matches an address counts. */
typedef struct {
    GArray *authorised; /* of Network */
    GArray *others;     /* of Network: neutral, softfail, fail */
} Decided;

static void decided_init(Decided *decided)
{
    decided->authorised = g_array_new(FALSE, FALSE, sizeof(Network));
    decided->others = g_array_new(FALSE, FALSE, sizeof(Network));
}

static void decided_clear(Decided *decided)
{
    g_array_unref(decided->authorised);
    g_array_unref(decided->others);
}

/* A term, with the record that it stands in and that record's domain. */
typedef struct {
    const char *domain;
    const Record *record;
    const RecordTerm *term;
} Place;

static char *describe(const Place *place)
{
    g_autofree char *text = record_term_text(place->record, place->term);

    return g_strdup_printf("\"%s\" of %s", text, place->domain);
}

G_GNUC_PRINTF(3, 4) static void stop(Pool *pool, SpfResult result, const char *format, ...)
{
    va_list arguments;

    if (pool->result != SPF_PASS)
        return;
    pool->result = result;
    va_start(arguments, format);
    pool->reason = g_strdup_vprintf(format, arguments);
    va_end(arguments);
}

static bool is_too_wide(const Network *network)
{
    return network->length < (network->family == AF_INET ? WIDEST4 : WIDEST6);
}

static void add_network(Pool *pool, const Place *place, const Network *network, Decided *decided)
{
    guint max = pool->networks_max * UNMERGED_MAX;
    bool has_room = decided->others->len < max;

    if (place->term->qualifier == '+' && is_too_wide(network)) {
        g_autofree char *text = describe(place);

        stop(pool, SPF_PERMERROR, "%s authorises a network wider than /%d", text,
             network->family == AF_INET ? WIDEST4 : WIDEST6);
        return;
    }
    if (place->term->qualifier != '+')
        g_array_append_val(decided->others, *network);
    else
        has_room = network_list_add_without(decided->authorised, network, decided->others, max);
    if (!has_room)
        stop(pool, SPF_PERMERROR, "the record of %s has more than %u networks", place->domain, max);
}

static const DnsAnswer *find(Pool *pool, const Place *place, const char *name, DnsType type)
{
    const DnsAnswer *answer;

    if (pool->result != SPF_PASS || !macro_is_name(name))
        return NULL;
    answer = evaluation_context_ask(pool->context, name, type);
    if (answer->status == DNS_TROUBLE) {
        g_autofree char *text = describe(place);

        stop(pool, SPF_TEMPERROR, "%s: no answer for %s (%s): %s", text, name, dns_type_text(type),
             answer->trouble != NULL ? answer->trouble : "DNS trouble");
        return NULL;
    }
    pool->ttl = MIN(pool->ttl, answer->ttl);
    return answer->status == DNS_FOUND ? answer : NULL;
}

static void add_addresses_of_type(Pool *pool, const Place *place, const char *name, DnsType type,
                                  Decided *decided)
{
    const DnsAnswer *answer = find(pool, place, name, type);
    gsize length = type == DNS_A ? 4 : 16;

    for (guint i = 0; answer != NULL && i < answer->records->len; i++) {
        const DnsRecord *record = dns_answer_at(answer, i);
        Network whole = {.family = type == DNS_A ? AF_INET : AF_INET6,
                         .length = (guint8)(8 * length)};
        Network network;

        if (record->length != length)
            continue;
        memcpy(whole.octets, record->data, length);
        network =
            network_shortened(&whole, type == DNS_A ? place->term->cidr4 : place->term->cidr6);
        add_network(pool, place, &network, decided);
    }
}

static void add_addresses(Pool *pool, const Place *place, const char *name, Decided *decided)
{
    add_addresses_of_type(pool, place, name, DNS_A, decided);
    add_addresses_of_type(pool, place, name, DNS_AAAA, decided);
}

static void add_hosts(Pool *pool, const Place *place, const char *name, Decided *decided)
{
    const DnsAnswer *answer = find(pool, place, name, DNS_MX);

    if (answer != NULL && answer->records->len > CHECK_HOSTS_MAX) {
        stop(pool, SPF_PERMERROR, "%s has more than %d mail servers", name, CHECK_HOSTS_MAX);
        return;
    }
    for (guint i = 0; answer != NULL && i < answer->records->len; i++)
        add_addresses(pool, place, dns_answer_at(answer, i)->data, decided);
}

static void walk(Pool *pool, const char *domain, Decided *decided);

/* What the other record does not let pass is not decided by an include (RFC 7208 section 5.2). */
static void add_include(Pool *pool, const Place *place, const char *name, Decided *decided)
{
    Decided included;

    decided_init(&included);
    walk(pool, name, &included);
    for (guint i = 0; i < included.authorised->len && pool->result == SPF_PASS; i++)
        add_network(pool, place, &g_array_index(included.authorised, Network, i), decided);
    decided_clear(&included);
}

static void warn(Pool *pool, const Place *place)
{
    g_autofree char *text = describe(place);

    g_ptr_array_add(pool->warnings,
                    g_strdup_printf("%s can't be told as networks and is left out", text));
}

static bool count_lookup(Pool *pool, const Place *place)
{
    g_autofree char *text = NULL;

    if (++pool->lookups <= CHECK_LOOKUPS_MAX)
        return true;
    text = describe(place);
    stop(pool, SPF_PERMERROR, "more than %d terms need a look-up; the first that is too much is %s",
         CHECK_LOOKUPS_MAX, text);
    return false;
}

/* Adds what a term with a look-up decides. */
static void add_lookup(Pool *pool, const Place *place, Decided *decided)
{
    const char *spec = place->record->text + place->term->spec_offset;
    MacroValues values = {.local_part = "", .sender = "", .helo = "", .domain = place->domain};
    g_autofree char *name = NULL;

    if (!count_lookup(pool, place))
        return;
    if (place->term->kind == RECORD_EXISTS || place->term->kind == RECORD_PTR ||
        (macro_uses(spec, place->term->spec_length) & MACRO_FOREIGN) != 0) {
        warn(pool, place);
        return;
    }
    name = place->term->spec_length > 0 ? macro_expand(&values, spec, place->term->spec_length)
                                        : g_strdup(place->domain);
    if (place->term->kind == RECORD_INCLUDE)
        add_include(pool, place, name, decided);
    else if (place->term->kind == RECORD_REDIRECT)
        walk(pool, name, decided);
    else if (place->term->kind == RECORD_A)
        add_addresses(pool, place, name, decided);
    else
        add_hosts(pool, place, name, decided);
}

/* Returns whether the term decides for all addresses. */
static bool add_term(Pool *pool, const Place *place, Decided *decided)
{
    switch (place->term->kind) {
    case RECORD_ALL:
        if (place->term->qualifier == '+')
            stop(pool, SPF_PERMERROR, "the record of %s authorises every address (+all)",
                 place->domain);
        return true;
    case RECORD_IP4:
    case RECORD_IP6:
        add_network(pool, place, &place->term->network, decided);
        return false;
    case RECORD_INCLUDE:
    case RECORD_A:
    case RECORD_MX:
    case RECORD_PTR:
    case RECORD_EXISTS:
        add_lookup(pool, place, decided);
        return false;
    case RECORD_REDIRECT:
    case RECORD_EXP:
    case RECORD_MODIFIER:
    case RECORD_WRONG:
        return false;
    }
    return false;
}

static void add_terms(Pool *pool, const char *domain, const Record *record, Decided *decided)
{
    Place redirect = {domain, record, NULL};

    for (guint i = 0; i < record->terms->len && pool->result == SPF_PASS; i++) {
        Place place = {domain, record, record_at(record, i)};

        if (place.term->kind == RECORD_REDIRECT)
            redirect.term = place.term;
        if (add_term(pool, &place, decided))
            return;
    }
    if (redirect.term != NULL && pool->result == SPF_PASS)
        add_lookup(pool, &redirect, decided);
}

static void walk(Pool *pool, const char *domain, Decided *decided)
{
    const FoundRecord *found =
        macro_is_name(domain) ? evaluation_context_record(pool->context, domain) : NULL;
    g_autofree char *problem = NULL;

    if (found != NULL && found->answer->status == DNS_TROUBLE) {
        stop(pool, SPF_TEMPERROR, "no answer for %s (TXT): %s", domain,
             found->answer->trouble != NULL ? found->answer->trouble : "DNS trouble");
        return;
    }
    if (found != NULL)
        pool->ttl = MIN(pool->ttl, found->answer->ttl);
    if (found == NULL || found->count == 0) {
        stop(pool, pool->lookups == 0 ? SPF_NONE : SPF_PERMERROR, "%s has no SPF record", domain);
        return;
    }
    if (found->count > 1) {
        stop(pool, SPF_PERMERROR, "%s has %u SPF records", domain, found->count);
        return;
    }
    problem = record_problem(found->record);
    if (problem != NULL)
        stop(pool, SPF_PERMERROR, "the record of %s is wrong: %s", domain, problem);
    else
        add_terms(pool, domain, found->record, decided);
}

SpfResult evaluation_networks(EvaluationContext *context, const char *domain, guint networks_max,
                              GArray *networks, GPtrArray *warnings, guint32 *ttl, char **reason)
{
    Pool pool = {.context = context,
                 .warnings = warnings,
                 .networks_max = networks_max,
                 .ttl = G_MAXUINT32,
                 .result = SPF_PASS};
    Decided decided;

    decided_init(&decided);
    walk(&pool, domain, &decided);
    network_list_merge(decided.authorised);
    if (decided.authorised->len > networks_max)
        stop(&pool, SPF_PERMERROR, "the record of %s has more than %u networks", domain,
             networks_max);
    g_array_set_size(networks, 0);
    if (pool.result == SPF_PASS)
        g_array_append_vals(networks, decided.authorised->data, decided.authorised->len);
    decided_clear(&decided);
    *ttl = pool.ttl != G_MAXUINT32 ? pool.ttl : 0;
    *reason = pool.reason;
    return pool.result;
}
