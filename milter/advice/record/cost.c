#include "config.h"

#include "advice/record/cost.h"

#include <string.h>

#include "spf/check_host.h"
#include "spf/walk.h"

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
