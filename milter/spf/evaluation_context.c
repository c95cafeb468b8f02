#include "config.h"

#include "spf/evaluation_context.h"

#include <string.h>

#include "base/clock.h"
#include "base/domain_name.h"

/* One question that was asked. */
typedef struct {
    char *key;
    DnsAnswer *answer;
    FoundRecord *found; /* of a TXT question, made when it is first wanted */
} Known;

struct EvaluationContext {
    Dns *dns;
    gint64 deadline;
    GHashTable *known; /* key → Known */
    gsize octets;      /* of all answers */
    gsize work;        /* units spent */
};

static void found_record_free(FoundRecord *found)
{
    g_clear_pointer(&found->record, record_free);
    g_free(found);
}

static void known_free(gpointer data)
{
    Known *known = data;

    g_clear_pointer(&known->found, found_record_free);
    dns_answer_unref(known->answer);
    g_free(known->key);
    g_free(known);
}

EvaluationContext *evaluation_context_new(Dns *dns, gint64 deadline)
{
    EvaluationContext *context = g_new0(EvaluationContext, 1);

    context->dns = dns;
    context->deadline = deadline;
    context->known = g_hash_table_new_full(g_str_hash, g_str_equal, NULL, known_free);
    return context;
}

void evaluation_context_free(EvaluationContext *context)
{
    g_hash_table_unref(context->known);
    g_free(context);
}

bool evaluation_context_is_late(const EvaluationContext *context)
{
    return clock_monotonic(&clock_system) >= context->deadline;
}

bool evaluation_context_spend(EvaluationContext *context, gsize units)
{
    context->work = MIN(context->work + units, EVALUATION_WORK_MAX + 1);
    return context->work <= EVALUATION_WORK_MAX;
}

static gsize octets_of(const DnsAnswer *answer)
{
    gsize octets = 0;

    for (guint i = 0; i < answer->records->len; i++)
        octets += dns_answer_at(answer, i)->length;
    return octets;
}

static DnsAnswer *ask(EvaluationContext *context, const char *name, DnsType type)
{
    if (evaluation_context_is_late(context))
        return dns_answer_new_trouble("the time for this check is over");
    if (g_hash_table_size(context->known) >= EVALUATION_QUESTIONS_MAX)
        return dns_answer_new_trouble("too many different questions for one check");
    if (context->octets >= EVALUATION_OCTETS_MAX)
        return dns_answer_new_trouble("too long answers for one check");
    return context->dns->lookup(context->dns, name, type,
                                context->deadline); /* dns_lookup() would refuse a blank */
}

static Known *find(EvaluationContext *context, const char *name, DnsType type)
{
    char key[DOMAIN_NAME_MAX + 3];
    Known *known;

    key[0] = (char)('0' + type);
    g_strlcpy(key + 1, name, sizeof key - 1);
    known = g_hash_table_lookup(context->known, key);
    if (known != NULL)
        return known;
    known = g_new0(Known, 1);
    known->answer = ask(context, name, type);
    known->key = g_strdup(key);
    context->octets += octets_of(known->answer);
    g_hash_table_insert(context->known, known->key, known);
    return known;
}

const DnsAnswer *evaluation_context_ask(EvaluationContext *context, const char *name, DnsType type)
{
    return find(context, name, type)->answer;
}

static FoundRecord *found_record_new(const DnsAnswer *answer)
{
    FoundRecord *found = g_new0(FoundRecord, 1);
    const DnsRecord *only = NULL;

    found->answer = answer;
    for (guint i = 0; i < answer->records->len; i++) {
        const DnsRecord *record = dns_answer_at(answer, i);

        if (!record_is_spf(record->data, record->length))
            continue;
        found->count++;
        only = record;
    }
    if (found->count == 1)
        found->record = record_parse(only->data, only->length);
    return found;
}

const FoundRecord *evaluation_context_record(EvaluationContext *context, const char *name)
{
    Known *known = find(context, name, DNS_TXT);

    if (known->found == NULL) {
        known->found = found_record_new(known->answer);
        if (known->found->record != NULL) /* the next step notices if that was too much */
            evaluation_context_spend(context, known->found->record->length);
    }
    return known->found;
}
