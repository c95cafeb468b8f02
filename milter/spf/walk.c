#include "config.h"

#include "spf/walk.h"

#include <string.h>
#include <sys/socket.h>

#include "spf/check_host.h"
#include "spf/macro.h"
#include "spf/problem.h"

void walk_init(Walk *walk, EvaluationContext *context, const WalkVisitor *visitor, gpointer data)
{
    *walk = (Walk){.context = context, .visitor = visitor, .data = data, .ttl = G_MAXUINT32};
}

static void note_answer(Walk *walk, const WalkTerm *term, DnsType type, const DnsAnswer *answer)
{
    if (answer != NULL && answer->status != DNS_TROUBLE)
        walk->ttl = MIN(walk->ttl, answer->ttl);
    if (walk->visitor->answer != NULL)
        walk->visitor->answer(walk, term, type, answer);
}

/* Asks for hosts on behalf of term. Returns NULL if there is none. */
static const DnsAnswer *ask(Walk *walk, const WalkTerm *term, const char *name, DnsType type)
{
    const DnsAnswer *answer = NULL;

    if (walk->is_ended)
        return NULL;
    if (macro_is_name(name))
        answer = evaluation_context_ask(walk->context, name, type);
    note_answer(walk, term, type, answer);
    if (answer != NULL && answer->status == DNS_TROUBLE) {
        g_autofree char *place = problem_place(term->domain, term->record, term->term);
        g_autofree char *trouble = problem_no_answer(name, type, answer);
        g_autofree char *reason = g_strdup_printf("%s: %s", place, trouble);

        walk->visitor->problem(walk, term, SPF_TEMPERROR, reason);
    }
    return answer != NULL && answer->status == DNS_FOUND ? answer : NULL;
}

static void add_addresses_of_type(Walk *walk, const WalkTerm *term, const char *name, DnsType type)
{
    const DnsAnswer *answer = ask(walk, term, name, type);
    guint8 length = type == DNS_A ? term->term->cidr4 : term->term->cidr6;

    if (walk->visitor->network == NULL)
        return;
    for (guint i = 0; answer != NULL && i < answer->records->len; i++) {
        Network network;

        if (check_network_of(dns_answer_at(answer, i), type, length, &network))
            walk->visitor->network(walk, term, &network);
    }
}

static void add_addresses(Walk *walk, const WalkTerm *term, const char *name)
{
    add_addresses_of_type(walk, term, name, DNS_A);
    add_addresses_of_type(walk, term, name, DNS_AAAA);
}

static void add_hosts(Walk *walk, const WalkTerm *term)
{
    const DnsAnswer *answer = ask(walk, term, term->name, DNS_MX);

    if (answer == NULL)
        return;
    if (answer->records->len > CHECK_HOSTS_MAX) {
        g_autofree char *reason = problem_hosts(term->name, CHECK_HOSTS_MAX);

        walk->visitor->problem(walk, term, SPF_PERMERROR, reason);
    }
    for (guint i = 0; i < MIN(answer->records->len, CHECK_HOSTS_MAX); i++)
        add_addresses(walk, term, dns_answer_at(answer, i)->data);
}

/* The name that the evaluation of any sender asks for; NULL if it depends on the sender. */
static char *name_of(const WalkTerm *term)
{
    const char *spec = term->record->text + term->term->spec_offset;
    gsize length = term->term->spec_length;
    MacroValues values = {.local_part = "", .sender = "", .helo = "", .domain = term->domain};

    if (length == 0)
        return g_strdup(term->domain);
    if ((macro_uses(spec, length) & MACRO_FOREIGN) != 0)
        return NULL;
    return macro_expand(&values, spec, length);
}

static void open_record(Walk *walk, const WalkTerm *opener, const char *domain);

static void visit_term(Walk *walk, const WalkTerm *opener, const char *domain, const Record *record,
                       const RecordTerm *record_term)
{
    g_autofree char *name = NULL;
    WalkTerm term = {opener, domain, record, record_term, NULL};

    if (record_is_lookup(record_term->kind)) {
        walk->lookups++;
        term.name = name = name_of(&term);
    }
    if (!walk->visitor->reach(walk, &term))
        return;
    switch (record_term->kind) {
    case RECORD_IP4:
    case RECORD_IP6:
        if (walk->visitor->network != NULL)
            walk->visitor->network(walk, &term, &record_term->network);
        return;
    case RECORD_A:
        if (name != NULL)
            add_addresses(walk, &term, name);
        return;
    case RECORD_MX:
        if (name != NULL)
            add_hosts(walk, &term);
        return;
    case RECORD_EXISTS:
        if (name != NULL)
            ask(walk, &term, name, DNS_A);
        return;
    case RECORD_INCLUDE:
    case RECORD_REDIRECT:
        if (name != NULL)
            open_record(walk, &term, name);
        if (walk->visitor->leave != NULL)
            walk->visitor->leave(walk, &term);
        return;
    case RECORD_ALL:
    case RECORD_PTR:
    case RECORD_EXP:
    case RECORD_MODIFIER:
    case RECORD_WRONG:
        return;
    }
}

static void visit_record(Walk *walk, const WalkTerm *opener, const char *domain,
                         const Record *record)
{
    const RecordTerm *redirect = record_redirect(record);

    for (guint i = 0; i < record->terms->len && !walk->is_ended; i++) {
        const RecordTerm *term = record_at(record, i);

        if (term->kind != RECORD_REDIRECT)
            visit_term(walk, opener, domain, record, term);
        if (term->kind == RECORD_ALL)
            return;
    }
    if (redirect != NULL && !walk->is_ended)
        visit_term(walk, opener, domain, record, redirect);
}

/* Walks over the record of domain, which opener (NULL: the question) names. */
static void open_record(Walk *walk, const WalkTerm *opener, const char *domain)
{
    const FoundRecord *found = NULL;
    g_autofree char *reason = NULL;
    SpfResult result = SPF_PERMERROR;

    if (macro_is_name(domain))
        found = evaluation_context_record(walk->context, domain);
    note_answer(walk, opener, DNS_TXT, found != NULL ? found->answer : NULL);
    if (found != NULL && found->answer->status == DNS_TROUBLE) {
        reason = problem_no_answer(domain, DNS_TXT, found->answer);
        result = SPF_TEMPERROR;
    } else {
        reason = problem_of_record(domain, found);
        if (opener == NULL && (found == NULL || found->count == 0))
            result = SPF_NONE;
    }
    if (reason != NULL)
        walk->visitor->problem(walk, opener, result, reason);
    else
        visit_record(walk, opener, domain, found->record);
}

void walk_domain(Walk *walk, const char *domain)
{
    open_record(walk, NULL, domain);
}

void walk_record(Walk *walk, const char *domain, const Record *record)
{
    visit_record(walk, NULL, domain, record);
}

void walk_term(Walk *walk, const char *domain, const Record *record, const RecordTerm *term)
{
    visit_term(walk, NULL, domain, record, term);
}
