#include "config.h"

#include "advice/record/cost.h"

#include <string.h>

#include "spf/check_host.h"
#include "spf/macro.h"

/* The records that are open: from the domain's own to the one that is being read. */
typedef struct Opened Opened;
struct Opened {
    const Opened *by;
    const char *domain;
};

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

static void add(Cost *sum, Cost *cost)
{
    sum->lookups += cost->lookups;
    sum->voids4 += cost->voids4;
    sum->voids6 += cost->voids6;
    sum->has_trouble = sum->has_trouble || cost->has_trouble;
    if (sum->broken == NULL)
        sum->broken = g_steal_pointer(&cost->broken);
}

static void set_broken(Cost *cost, const char *format, ...) G_GNUC_PRINTF(2, 3);

static void set_broken(Cost *cost, const char *format, ...)
{
    va_list arguments;

    if (cost->broken != NULL)
        return;
    va_start(arguments, format);
    cost->broken = g_strdup_vprintf(format, arguments);
    va_end(arguments);
}

static DnsAnswer *ask(const CostMeter *meter, const char *name, DnsType type, Cost *cost)
{
    DnsAnswer *answer = dns_lookup(meter->dns, name, type, meter->deadline);

    cost->has_trouble = cost->has_trouble || answer->status == DNS_TROUBLE;
    return answer;
}

static bool is_nothing(const DnsAnswer *answer)
{
    return answer->status == DNS_NO_DATA || answer->status == DNS_NO_NAME;
}

/* Returns whether name has an address, as far as is known. */
static bool count_addresses(const CostMeter *meter, const char *name, Cost *cost)
{
    g_autoptr(DnsAnswer) a = ask(meter, name, DNS_A, cost);
    g_autoptr(DnsAnswer) aaaa = ask(meter, name, DNS_AAAA, cost);

    cost->voids4 += is_nothing(a) ? 1 : 0;
    cost->voids6 += is_nothing(aaaa) ? 1 : 0;
    return !is_nothing(a) || !is_nothing(aaaa);
}

static void count_hosts(const CostMeter *meter, const char *name, Cost *cost)
{
    g_autoptr(DnsAnswer) answer = ask(meter, name, DNS_MX, cost);

    cost->is_void = answer->status != DNS_TROUBLE;
    if (is_nothing(answer)) {
        cost->voids4++;
        cost->voids6++;
    }
    if (answer->records->len > CHECK_HOSTS_MAX)
        set_broken(cost, "%s has more than %d mail servers", name, CHECK_HOSTS_MAX);
    for (guint i = 0; i < MIN(answer->records->len, CHECK_HOSTS_MAX); i++)
        if (count_addresses(meter, dns_answer_at(answer, i)->data, cost))
            cost->is_void = false;
}

static void count_exists(const CostMeter *meter, const char *name, Cost *cost)
{
    g_autoptr(DnsAnswer) answer = ask(meter, name, DNS_A, cost);

    cost->is_void = is_nothing(answer);
    cost->voids4 += is_nothing(answer) ? 1 : 0;
    cost->voids6 += is_nothing(answer) ? 1 : 0;
}

static void walk_record(const CostMeter *meter, const Opened *opened, const Record *record,
                        Cost *cost);

static const DnsRecord *only_record(const char *name, const DnsAnswer *answer, Cost *cost)
{
    const DnsRecord *only = NULL;

    if (answer->status == DNS_TROUBLE)
        return NULL;
    for (guint i = 0; i < answer->records->len; i++) {
        const DnsRecord *record = dns_answer_at(answer, i);

        if (!record_is_spf(record->data, record->length))
            continue;
        if (only != NULL)
            set_broken(cost, "%s has several SPF records", name);
        only = record;
    }
    if (only == NULL)
        set_broken(cost, "%s has no SPF record", name);
    return only;
}

static bool is_open(const Opened *opened, const char *name)
{
    for (; opened != NULL; opened = opened->by)
        if (strcmp(opened->domain, name) == 0)
            return true;
    return false;
}

/* An include or redirect. */
static void open_record(const CostMeter *meter, const Opened *by, const char *name, Cost *cost)
{
    const Opened opened = {by, name};
    g_autoptr(DnsAnswer) answer = NULL;
    g_autoptr(Record) record = NULL;
    g_autofree char *problem = NULL;
    const DnsRecord *found;

    if (is_open(by, name)) {
        set_broken(cost, "%s leads back to itself", name);
        return;
    }
    answer = ask(meter, name, DNS_TXT, cost);
    found = only_record(name, answer, cost);
    if (found == NULL || cost->broken != NULL)
        return;
    record = record_parse(found->data, found->length);
    problem = record_problem(record);
    if (problem != NULL)
        set_broken(cost, "the record of %s is wrong: %s", name, problem);
    else
        walk_record(meter, &opened, record, cost);
}

/* What any sender's evaluation asks for; NULL where that depends on the sender. */
static char *name_of(const char *domain, const Record *record, const RecordTerm *term)
{
    const char *spec = record->text + term->spec_offset;
    MacroValues values = {.local_part = "", .sender = "", .helo = "", .domain = domain};

    if (term->spec_length == 0)
        return g_strdup(domain);
    if ((macro_uses(spec, term->spec_length) & MACRO_FOREIGN) != 0)
        return NULL;
    return macro_expand(&values, spec, term->spec_length);
}

static void walk_term(const CostMeter *meter, const Opened *opened, const Record *record,
                      const RecordTerm *term, Cost *cost)
{
    g_autofree char *name = NULL;

    if (!record_is_lookup(term->kind))
        return;
    cost->lookups++;
    name = name_of(opened->domain, record, term);
    if (name == NULL || term->kind == RECORD_PTR)
        return;
    if (term->kind == RECORD_INCLUDE || term->kind == RECORD_REDIRECT)
        open_record(meter, opened, name, cost);
    else if (term->kind == RECORD_MX)
        count_hosts(meter, name, cost);
    else if (term->kind == RECORD_EXISTS)
        count_exists(meter, name, cost);
    else
        cost->is_void = !count_addresses(meter, name, cost);
}

static void walk_record(const CostMeter *meter, const Opened *opened, const Record *record,
                        Cost *cost)
{
    const RecordTerm *redirect = NULL;

    for (guint i = 0; i < record->terms->len && cost->lookups < COST_LOOKUPS_MAX; i++) {
        const RecordTerm *term = record_at(record, i);
        Cost below = {.lookups = cost->lookups};

        if (term->kind == RECORD_ALL)
            return;
        if (term->kind == RECORD_REDIRECT) {
            redirect = term;
            continue;
        }
        walk_term(meter, opened, record, term, &below);
        below.lookups -= cost->lookups;
        add(cost, &below);
        cost_clear(&below);
    }
    if (redirect != NULL && (record->kinds & RECORD_KIND(RECORD_ALL)) == 0 &&
        cost->lookups < COST_LOOKUPS_MAX)
        walk_term(meter, opened, record, redirect, cost);
}

void cost_term(const CostMeter *meter, const char *domain, const Record *record,
               const RecordTerm *term, Cost *cost)
{
    const Opened opened = {NULL, domain};

    memset(cost, 0, sizeof *cost);
    walk_term(meter, &opened, record, term, cost);
}

void cost_record(const CostMeter *meter, const char *domain, const Record *record, Cost *cost)
{
    const Opened opened = {NULL, domain};

    memset(cost, 0, sizeof *cost);
    walk_record(meter, &opened, record, cost);
    if ((record->kinds & RECORD_KIND(RECORD_ALL)) != 0 &&
        (record->kinds & RECORD_KIND(RECORD_REDIRECT)) != 0)
        cost->lookups++;
}
