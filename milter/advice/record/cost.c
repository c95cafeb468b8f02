#include "config.h"

#include "advice/record/cost.h"
#include "dns/dns_wrappers.h"

#include <string.h>

#include "spf/check_host.h"
#include "spf/networks.h"
#include "spf/walk.h"

/* The name of the record with the one term while it is read; it can't exist (RFC 6761). */
#define FLATTENED_NAME "flattened.spfrom.invalid"

void cost_clear(Cost *cost)
{
    g_clear_pointer(&cost->broken, g_free);
}

guint cost_voids(const CostMeter *meter, const Cost *cost)
{
    return MAX(meter->has_ip4 ? cost->voids4 : 0, meter->has_ip6 ? cost->voids6 : 0);
}

bool cost_is_over(const CostMeter *meter, const Cost *cost)
{
    return cost->lookups > CHECK_LOOKUPS_MAX || cost_voids(meter, cost) > CHECK_VOIDS_MAX;
}

static void set_broken(Cost *cost, const char *reason)
{
    if (cost->broken == NULL)
        cost->broken = g_strdup(reason);
}

/* Does the term lead back to a record that is open? */
static bool is_loop(const WalkTerm *term)
{
    for (const WalkTerm *open = term; open != NULL; open = open->opener)
        if (strcmp(open->domain, term->name) == 0)
            return true;
    return false;
}

static bool reach(Walk *walk, const WalkTerm *term)
{
    RecordTermKind kind = term->term->kind;
    Cost *cost = walk->data;

    if (walk->lookups > COST_LOOKUPS_MAX)
        walk->is_ended = true;
    if (walk->is_ended || !record_is_lookup(kind))
        return false;
    cost->lookups = walk->lookups;
    if (term->name == NULL)
        return false;
    if ((kind == RECORD_INCLUDE || kind == RECORD_REDIRECT) && is_loop(term)) {
        g_autofree char *reason = g_strdup_printf("%s leads back to itself", term->name);

        set_broken(cost, reason);
        return false;
    }
    if (term->opener == NULL)
        cost->is_void = kind == RECORD_A || kind == RECORD_MX || kind == RECORD_EXISTS;
    return true;
}

static bool is_nothing(const DnsAnswer *answer)
{
    return answer == NULL || answer->status == DNS_NO_DATA || answer->status == DNS_NO_NAME;
}

/* The answers on behalf of an mx are its hosts, and then the addresses of each of them. */
static void count_answer(Walk *walk, const WalkTerm *term, DnsType type, const DnsAnswer *answer)
{
    bool is_for_all = type == DNS_MX || (term != NULL && term->term->kind == RECORD_EXISTS);
    Cost *cost = walk->data;

    if (type == DNS_TXT)
        return;
    if (is_nothing(answer)) {
        cost->voids4 += is_for_all || type == DNS_A ? 1 : 0;
        cost->voids6 += is_for_all || type == DNS_AAAA ? 1 : 0;
    } else if (term->opener == NULL && (type != DNS_MX || answer->status == DNS_TROUBLE)) {
        cost->is_void = false;
    }
}

static void note_problem(Walk *walk, const WalkTerm *term, SpfResult result, const char *reason)
{
    Cost *cost = walk->data;

    (void)term;
    if (result == SPF_TEMPERROR)
        cost->has_trouble = true;
    else
        set_broken(cost, reason);
}

static const WalkVisitor visitor = {
    .reach = reach,
    .answer = count_answer,
    .problem = note_problem,
};

void cost_term(const CostMeter *meter, const char *domain, const Record *record,
               const RecordTerm *term, Cost *cost)
{
    g_autoptr(EvaluationContext) context = evaluation_context_new(meter->dns, meter->deadline);
    Walk walk;

    memset(cost, 0, sizeof *cost);
    walk_init(&walk, context, &visitor, cost);
    walk_term(&walk, domain, record, term);
}

void cost_record(const CostMeter *meter, const char *domain, const Record *record, Cost *cost)
{
    g_autoptr(EvaluationContext) context = evaluation_context_new(meter->dns, meter->deadline);
    Walk walk;

    memset(cost, 0, sizeof *cost);
    walk_init(&walk, context, &visitor, cost);
    walk_record(&walk, domain, record);
    cost->is_void = false; /* only a term is */
    if ((record->kinds & RECORD_KIND(RECORD_ALL)) != 0 &&
        (record->kinds & RECORD_KIND(RECORD_REDIRECT)) != 0)
        cost->lookups++;
}

/* The term as it reads in a record of another domain: "a" and "mx" with the domain that they mean.
 * NULL if its networks can't be told. */
static char *alone(const char *domain, const DraftTerm *term)
{
    const char *text = term->text + (strchr("+-~?", *term->text) != NULL ? 1 : 0);
    gsize name = strcspn(text, ":/");

    if (strchr(text, '%') != NULL)
        return NULL;
    switch (term->kind) {
    case RECORD_REDIRECT:
    case RECORD_INCLUDE:
        return g_strdup(text);
    case RECORD_A:
    case RECORD_MX:
        return text[name] == ':'
                   ? g_strdup(text)
                   : g_strdup_printf("%.*s:%s%s", (int)name, text, domain, text + name);
    case RECORD_ALL:
    case RECORD_PTR:
    case RECORD_IP4:
    case RECORD_IP6:
    case RECORD_EXISTS:
    case RECORD_EXP:
    case RECORD_MODIFIER:
    case RECORD_WRONG:
        return NULL;
    }
    return NULL;
}

static Networks *find_networks(const CostMeter *meter, const char *term)
{
    g_autofree char *text = g_strconcat("v=spf1 ", term, NULL);
    g_autoptr(DnsAnswer) answer = dns_answer_new(DNS_FOUND, 0);
    g_autoptr(Dns) dns = dns_overlay_new(meter->dns, FLATTENED_NAME, DNS_TXT, answer);
    g_autoptr(EvaluationContext) context = evaluation_context_new(dns, meter->deadline);

    dns_answer_add(answer, 0, text, strlen(text));
    return networks_find(context, FLATTENED_NAME, COST_NETWORKS_MAX);
}

/* Networks as terms, behind which more may be put. */
static GPtrArray *terms_of(const GArray *networks, char qualifier)
{
    const char sign[] = {qualifier != '+' ? qualifier : '\0', '\0'};
    GPtrArray *texts = g_ptr_array_new();

    for (guint i = 0; i < networks->len; i++) {
        const Network *network = &g_array_index(networks, Network, i);
        char address[NETWORK_TEXT_MAX];

        g_ptr_array_add(texts,
                        g_strdup_printf("%s%s:%s", sign, network->family == AF_INET ? "ip4" : "ip6",
                                        network_text(network, address)));
    }
    return texts;
}

char **cost_flatten(const CostMeter *meter, const char *domain, const DraftTerm *term)
{
    g_autofree char *text = alone(domain, term);
    g_autoptr(Networks) found = text != NULL ? find_networks(meter, text) : NULL;
    GPtrArray *texts;

    if (found == NULL || found->result != SPF_PASS || found->warnings->len > 0)
        return NULL;
    texts = terms_of(found->networks, term->qualifier);
    if (found->all != '\0')
        g_ptr_array_add(texts, g_strdup_printf("%call", found->all));
    g_ptr_array_add(texts, NULL);
    return (char **)g_ptr_array_free(texts, FALSE);
}

/* Returns whether DNS told the host's addresses of that type. */
static bool add_host(const CostMeter *meter, const char *host, DnsType type, guint8 cidr,
                     GArray *networks)
{
    g_autoptr(DnsAnswer) answer = dns_lookup(meter->dns, host, type, meter->deadline);

    for (guint i = 0; i < answer->records->len; i++) {
        Network network;

        if (check_network_of(dns_answer_at(answer, i), type, cidr, &network))
            g_array_append_val(networks, network);
    }
    return answer->status != DNS_TROUBLE;
}

/* The networks of hosts, which are answers to MX; empty if they can't be told. */
static GArray *networks_of_hosts(const CostMeter *meter, const DnsAnswer *hosts,
                                 const RecordTerm *mx)
{
    GArray *networks = g_array_new(FALSE, FALSE, sizeof(Network));
    bool is_known = hosts->records->len <= COST_NETWORKS_MAX;

    for (guint i = 0; i < hosts->records->len && is_known; i++) {
        const char *host = dns_answer_at(hosts, i)->data;

        is_known = add_host(meter, host, DNS_A, mx->cidr4, networks) &&
                   add_host(meter, host, DNS_AAAA, mx->cidr6, networks);
    }
    networks_merge(networks);
    if (!is_known || networks->len > COST_NETWORKS_MAX)
        g_array_set_size(networks, 0);
    return networks;
}

char **cost_flatten_many_hosts(const CostMeter *meter, const char *domain, const DraftTerm *term,
                               guint *hosts)
{
    g_autofree char *text = term->kind == RECORD_MX ? alone(domain, term) : NULL;
    g_autofree char *whole = g_strconcat("v=spf1 ", text, NULL);
    g_autoptr(Record) record = record_parse(whole, strlen(whole));
    g_autoptr(DnsAnswer) answer = NULL;
    g_autoptr(GArray) networks = NULL;
    g_autofree char *name = NULL;
    const RecordTerm *mx;
    GPtrArray *texts;

    if (text == NULL)
        return NULL;
    mx = record_at(record, 0);
    name = g_ascii_strdown(record->text + mx->spec_offset, (gssize)mx->spec_length);
    answer = dns_lookup(meter->dns, name, DNS_MX, meter->deadline);
    *hosts = answer->records->len;
    if (*hosts <= CHECK_HOSTS_MAX)
        return NULL;
    networks = networks_of_hosts(meter, answer, mx);
    texts = terms_of(networks, term->qualifier);
    g_ptr_array_add(texts, NULL);
    return (char **)g_ptr_array_free(texts, FALSE);
}
