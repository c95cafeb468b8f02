#include "config.h"

#include "spf/check_host.h"

#include <stdarg.h>
#include <stdint.h>
#include <string.h>
#include <sys/socket.h>

#include "base/domain_name.h"
#include "spf/macro.h"
#include "spf/problem.h"

/* Terms of one record that are worth an alias: the 11th look-up is an error already. */
#define WRITTEN_MAX (CHECK_LOOKUPS_MAX + 2)

void check_init(Check *check, EvaluationContext *context, const EvaluationQuestion *question,
                const Network *network)
{
    CheckTerm root = {.name = g_strdup(question->domain)};

    memset(check, 0, sizeof *check);
    check->context = context;
    check->question = question;
    check->network = network;
    check->address = *network;
    check->address.length = network_bits(network);
    check->ttl = G_MAXUINT32;
    check->terms = g_array_new(FALSE, FALSE, sizeof(CheckTerm));
    g_array_append_val(check->terms, root);
}

void check_clear(Check *check)
{
    for (guint i = 0; i < check->terms->len; i++) {
        g_free(check_term(check, i)->name);
        g_clear_pointer(&check_term(check, i)->hosts, g_ptr_array_unref);
    }
    g_array_unref(check->terms);
    g_clear_pointer(&check->validated, g_ptr_array_unref);
    g_clear_pointer(&check->reason, g_free);
}

CheckTerm *check_term(const Check *check, guint index)
{
    return &g_array_index(check->terms, CheckTerm, index);
}

void check_force(Check *check, SpfResult result, const char *format, ...)
{
    va_list arguments;

    if (check->is_forced)
        return;
    check->is_forced = true;
    check->result = result;
    va_start(arguments, format);
    check->reason = g_strdup_vprintf(format, arguments);
    va_end(arguments);
}

/* The term and where it stands, for reasons. Owned by the caller. */
static char *describe(const Check *check, const CheckTerm *term)
{
    if (term->term == NULL)
        return g_strdup(check->question->domain);
    return problem_place(check_term(check, term->parent)->name, term->holder, term->term);
}

static bool has_many_addresses(const Check *check)
{
    return check->network->length < network_bits(check->network);
}

/* Ends the check since its result can't be carried over to the rest of the network. */
static void stop_at(Check *check, CheckReach reach, guint depending)
{
    if (check->is_forced)
        return;
    check->reach = reach;
    check->depending = depending;
    check_force(check, SPF_NEUTRAL, "%s", "");
}

static const DnsAnswer *note_answer(Check *check, const DnsAnswer *answer)
{
    guint32 ttl = answer->status != DNS_TROUBLE ? answer->ttl : CHECK_TROUBLE_TTL;

    check->ttl = MIN(check->ttl, ttl);
    return answer;
}

/* Returns whether one more question may be asked. */
static bool count_question(Check *check)
{
    if (check->is_forced)
        return false;
    if (++check->questions <= CHECK_QUESTIONS_MAX)
        return true;
    check_force(check, SPF_TEMPERROR, "the records of %s ask for more than %d names",
                check->question->domain, CHECK_QUESTIONS_MAX);
    return false;
}

static void count_void(Check *check, CheckTerm *term)
{
    g_autofree char *text = NULL;

    term->voids++;
    if (++check->voids <= CHECK_VOIDS_MAX)
        return;
    text = describe(check, term);
    check_force(check, SPF_PERMERROR,
                "more than %d look-ups find nothing; the last one is that of %s", CHECK_VOIDS_MAX,
                text);
}

/* Spends work on the evaluation. Returns false, with the check ended, if there is too much of
 * it. */
static bool spend(Check *check, gsize units)
{
    if (evaluation_context_spend(check->context, units))
        return true;
    stop_at(check, CHECK_TIRES, 0);
    return false;
}

/* Asks on behalf of term. Returns NULL if name can't be asked for, or if the check has no question
 * left. */
static const DnsAnswer *ask(Check *check, CheckTerm *term, const char *name, DnsType type)
{
    const DnsAnswer *answer;

    if (!macro_is_name(name) || !count_question(check))
        return NULL;
    answer = note_answer(check, evaluation_context_ask(check->context, name, type));
    if (!spend(check, EVALUATION_WORK_QUESTION + answer->records->len))
        return NULL;
    if (answer->status == DNS_NO_NAME || answer->status == DNS_NO_DATA)
        count_void(check, term);
    return answer;
}

static void force_trouble(Check *check, const CheckTerm *term, const char *name, DnsType type,
                          const DnsAnswer *answer)
{
    g_autofree char *text = describe(check, term);
    g_autofree char *trouble = problem_no_answer(name, type, answer);

    check_force(check, SPF_TEMPERROR, "%s: %s", text, trouble);
}

/* As ask(), but DNS trouble ends the check. Returns NULL then, and if nothing is found. */
static const DnsAnswer *find(Check *check, CheckTerm *term, const char *name, DnsType type)
{
    const DnsAnswer *answer = ask(check, term, name, type);

    if (answer == NULL || answer->status == DNS_FOUND)
        return answer;
    if (answer->status == DNS_TROUBLE)
        force_trouble(check, term, name, type, answer);
    return NULL;
}

static DnsType address_type(const Check *check)
{
    return check->address.family == AF_INET ? DNS_A : DNS_AAAA;
}

bool check_network_of(const DnsRecord *record, DnsType type, guint8 length, Network *network)
{
    Network whole = {.family = type == DNS_A ? AF_INET : AF_INET6};

    whole.length = network_bits(&whole);
    if (record->length != whole.length / 8u)
        return false;
    memcpy(whole.octets, record->data, record->length);
    *network = network_shortened(&whole, length);
    return true;
}

/* Returns whether network holds the relay. If it holds only a part of the network that is to be
 * proven, that network must be split. */
static bool compare(Check *check, const Network *network)
{
    if (network->length > check->network->length && network_contains(check->network, network))
        stop_at(check, CHECK_SPLITS, 0);
    return network_contains(network, &check->address);
}

/* Returns whether name has an address that, with the term's prefix length, holds the relay. */
static bool match_addresses(Check *check, CheckTerm *term, const char *name)
{
    guint8 length = check->address.family == AF_INET ? term->term->cidr4 : term->term->cidr6;
    const DnsAnswer *answer = find(check, term, name, address_type(check));
    bool is_match = false;

    for (guint i = 0; answer != NULL && i < answer->records->len && !is_match; i++) {
        Network network;

        if (check_network_of(dns_answer_at(answer, i), address_type(check), length, &network))
            is_match = compare(check, &network);
    }
    return is_match && !check->is_forced;
}

/* The name under which PTR records of the relay's address stand. */
static char *reverse_name(const Check *check)
{
    static const char spec4[] = "%{ir}.in-addr.arpa";
    static const char spec6[] = "%{ir}.ip6.arpa";
    MacroValues values = {.address = &check->address};

    if (check->address.family == AF_INET)
        return macro_expand(&values, spec4, strlen(spec4));
    return macro_expand(&values, spec6, strlen(spec6));
}

static bool has_relay_address(Check *check, CheckTerm *term, const char *name)
{
    const DnsAnswer *answer = ask(check, term, name, address_type(check));

    if (answer == NULL || answer->status != DNS_FOUND)
        return false; /* section 5.5: DNS trouble only means that this name doesn't count */
    for (guint i = 0; i < answer->records->len; i++) {
        Network network;

        if (check_network_of(dns_answer_at(answer, i), address_type(check),
                             network_bits(&check->address), &network) &&
            network_is_equal(&network, &check->address))
            return true;
    }
    return false;
}

/* The names of the relay's address that lead back to it (section 5.5). */
static GPtrArray *validate_names(Check *check, CheckTerm *term)
{
    g_autoptr(GPtrArray) names = g_ptr_array_new();
    g_autofree char *reverse = reverse_name(check);
    const DnsAnswer *answer = ask(check, term, reverse, DNS_PTR);

    if (answer == NULL || answer->status != DNS_FOUND)
        return g_steal_pointer(&names);
    for (guint i = 0; i < MIN(answer->records->len, CHECK_HOSTS_MAX); i++) {
        const char *name = dns_answer_at(answer, i)->data;

        if (has_relay_address(check, term, name))
            g_ptr_array_add(names, (gpointer)(uintptr_t)name);
    }
    return g_steal_pointer(&names);
}

/* %{p}: the domain itself before its subdomains before other names (section 7.3). Of two that are as
 * good, the order of the alphabet decides, as answers come in any order. */
static const char *best_validated(Check *check, CheckTerm *term, const char *domain)
{
    const char *best = NULL;
    bool is_within = false;

    if (check->validated == NULL) /* once for a check: a record may hold dozens of %{p} */
        check->validated = validate_names(check, term);
    for (guint i = 0; i < check->validated->len; i++) {
        const char *name = g_ptr_array_index(check->validated, i);

        if (strcmp(name, domain) == 0)
            return name;
        if (best != NULL &&
            (domain_name_is_within(name, domain) < is_within ||
             (domain_name_is_within(name, domain) == is_within && strcmp(name, best) > 0)))
            continue;
        best = name;
        is_within = domain_name_is_within(name, domain);
    }
    return best;
}

static const char *local_part_of(const EvaluationQuestion *question)
{
    if (question->local_part == NULL || question->local_part[0] == '\0')
        return "postmaster";
    return question->local_part;
}

static char *expand(Check *check, CheckTerm *term, guint uses)
{
    const char *domain = check_term(check, term->parent)->name;
    MacroValues values = {.local_part = local_part_of(check->question),
                          .sender = check->question->domain,
                          .domain = domain,
                          .helo = check->question->helo != NULL ? check->question->helo : "unknown",
                          .address = &check->address};

    if (term->term->spec_length == 0)
        return g_strdup(domain);
    if ((uses & MACRO_VALIDATED) != 0)
        values.validated = best_validated(check, term, domain);
    return macro_expand(&values, term->holder->text + term->term->spec_offset,
                        term->term->spec_length);
}

/* Returns whether the check passes as soon as the term matches. */
static bool can_only_pass(const Check *check, const CheckTerm *term)
{
    for (; term->term != NULL; term = check_term(check, term->parent))
        if (term->term->qualifier != '+')
            return false;
    return true;
}

/*
 * For some addresses of the network the term may match, for others not. If a match can only give a
 * pass, the result for the others is the one to be found: the term counts as no match, with as many
 * void look-ups as it may need. An include, a redirect and the hosts of an mx can end in an error
 * besides, and so can't be told.
 *
 * The names that an address has count as one look-up, void or not: there is rarely more than one,
 * and they are made by who runs the relay, not by the owner of the record.
 *
 * Returns whether the term counts as no match; else the result is not known.
 */
static bool assume_no_match(Check *check, guint index, guint uses)
{
    CheckTerm *term = check_term(check, index);
    RecordTermKind kind = term->term->kind;

    if (!check->assumes || !can_only_pass(check, term) ||
        (kind != RECORD_PTR && kind != RECORD_A && kind != RECORD_EXISTS))
        return false;
    if (check->assumed == 0)
        check->assumed = index;
    term->is_assumed = true;
    count_void(check, term);
    if ((uses & MACRO_VALIDATED) != 0 && !check->is_forced)
        count_void(check, term);
    return true;
}

/* Evaluation has come to this term: count it, and work out what it asks for. Returns false if there
 * is nothing to ask for: the check has ended, or the term counts as no match. */
static bool begin(Check *check, guint index)
{
    CheckTerm *term = check_term(check, index);
    guint uses;

    if (check->is_forced)
        return false;
    term->is_begun = true;
    check->begun = index;
    if (term->term == NULL)
        return true;
    if (++check->lookups > CHECK_LOOKUPS_MAX) {
        g_autofree char *text = describe(check, term);
        g_autofree char *reason = problem_lookups(text, CHECK_LOOKUPS_MAX);

        check_force(check, SPF_PERMERROR, "%s", reason);
        return false;
    }
    uses = macro_uses(term->holder->text + term->term->spec_offset, term->term->spec_length);
    if (((uses & MACRO_ADDRESS) != 0 || term->term->kind == RECORD_PTR) &&
        has_many_addresses(check)) {
        if (assume_no_match(check, index, uses))
            return false;
        stop_at(check, CHECK_DEPENDS, index);
    }
    check->uses_sender = check->uses_sender || (uses & MACRO_SENDER) != 0;
    check->uses_host = check->uses_host || (uses & MACRO_HOST) != 0;
    if (!check->is_forced)
        term->name = expand(check, term, uses);
    return !check->is_forced;
}

/* The SPF record at the name of an include, a redirect or the question. Returns NULL if there is
 * none to go on with; the check has then ended, unless the result is none. */
static const Record *find_record(Check *check, CheckTerm *term)
{
    g_autofree char *problem = NULL;

    if (evaluation_context_is_late(check->context))
        check_force(check, SPF_TEMPERROR, "the time for this check is over");
    if (macro_is_name(term->name) && count_question(check)) {
        term->found = evaluation_context_record(check->context, term->name);
        note_answer(check, term->found->answer);
    }
    if (check->is_forced)
        return NULL;
    if (term->found != NULL && term->found->answer->status == DNS_TROUBLE) {
        force_trouble(check, term, term->name, DNS_TXT, term->found->answer);
        return NULL;
    }
    problem = problem_of_record(term->name, term->found);
    if (problem == NULL)
        return term->found->record;
    if (term->found != NULL && term->found->count > 0) {
        check_force(check, SPF_PERMERROR, "%s", problem);
    } else if (term->term != NULL) { /* else the result is none */
        g_autofree char *text = describe(check, term);

        check_force(check, SPF_PERMERROR, "%s: %s", text, problem);
    }
    return NULL;
}

/* The terms of a record are compared twice: for libspf2, and to know how far the result reaches
 * (evaluation.c), which copies its text besides. */
static gsize work_of(const Record *record)
{
    return EVALUATION_WORK_RECORD + 2 * record->terms->len +
           record->length / EVALUATION_WORK_OCTETS;
}

static guint add_term(Check *check, const Record *holder, const RecordTerm *record_term,
                      guint parent)
{
    CheckTerm term = {.holder = holder, .term = record_term, .parent = parent};

    g_array_append_val(check->terms, term);
    return check->terms->len - 1;
}

/* The mechanism that asks libspf2 to look the term up. */
static const char *mechanism_name(RecordTermKind kind)
{
    if (kind == RECORD_INCLUDE)
        return "include";
    if (kind == RECORD_A)
        return "a";
    if (kind == RECORD_MX)
        return "mx";
    /* For ptr too: libspf2 would ask for the names of the address and not tell for which term. */
    return "exists";
}

/* Writes one term. Returns whether it decides regardless of what follows. */
static bool write_term(Check *check, const Record *record, const RecordTerm *term, guint parent,
                       GString *text)
{
    switch (term->kind) {
    case RECORD_IP4:
    case RECORD_IP6:
        if (!network_contains(&term->network, &check->address))
            return false;
        G_GNUC_FALLTHROUGH;
    case RECORD_ALL:
        add_term(check, record, term, parent);
        g_string_append_printf(text, " %call", term->qualifier);
        return true;
    case RECORD_INCLUDE:
    case RECORD_A:
    case RECORD_MX:
    case RECORD_PTR:
    case RECORD_EXISTS:
        g_string_append_printf(text, " %c%s:t%u._spfrom", term->qualifier,
                               mechanism_name(term->kind), add_term(check, record, term, parent));
        return false;
    case RECORD_REDIRECT:
    case RECORD_EXP:
    case RECORD_MODIFIER:
    case RECORD_WRONG:
        return false;
    }
    return false;
}

/*
 * Writes a record for libspf2 and numbers its terms: only qualifiers, mechanism names and aliases
 * ("t7._spfrom" for the check's term 7). Networks are compared with the relay here, so that a
 * record of any length fits: those that don't hold it are left out, and the first one that does is
 * written as "all", which ends the record. Modifiers other than redirect are dropped, and a
 * redirect stands last.
 *
 * opener  the term that brought the record; its first and count are set
 * record  one without a wrong term
 * Returns the canonical record, owned by the caller.
 */
static char *write_canonical(Check *check, guint opener, const Record *record)
{
    g_autoptr(GString) text = g_string_new("v=spf1");
    const RecordTerm *redirect = record_redirect(record);
    guint first = check->terms->len;
    bool is_decided = false;

    for (guint i = 0; i < record->terms->len && !is_decided; i++) {
        is_decided = write_term(check, record, record_at(record, i), opener, text);
        if (check->terms->len - first == WRITTEN_MAX)
            break;
    }
    if (!is_decided && redirect != NULL)
        g_string_append_printf(text, " redirect=t%u._spfrom",
                               add_term(check, record, redirect, opener));
    check_term(check, opener)->first = first;
    check_term(check, opener)->count = check->terms->len - first;
    return g_string_free(g_steal_pointer(&text), FALSE);
}

char *check_open_record(Check *check, guint index)
{
    const Record *record;

    if (!begin(check, index))
        return NULL;
    record = find_record(check, check_term(check, index));
    if (record == NULL || !spend(check, work_of(record)))
        return NULL;
    return write_canonical(check, index, record);
}

static bool match_ptr(Check *check, CheckTerm *term)
{
    g_autoptr(GPtrArray) names = validate_names(check, term);

    for (guint i = 0; i < names->len; i++)
        if (domain_name_is_within(g_ptr_array_index(names, i), term->name))
            return true;
    return false;
}

bool check_match(Check *check, guint index)
{
    CheckTerm *term = check_term(check, index);

    if (!begin(check, index))
        return false;
    if (term->term->kind == RECORD_A)
        term->is_match = match_addresses(check, term, term->name);
    else if (term->term->kind == RECORD_PTR)
        term->is_match = match_ptr(check, term);
    else
        term->is_match = find(check, term, term->name, DNS_A) != NULL;
    term->is_match = term->is_match && !check->is_forced;
    return term->is_match;
}

static gint compare_hosts(gconstpointer a, gconstpointer b)
{
    const DnsRecord *first = *(const DnsRecord *const *)a;
    const DnsRecord *second = *(const DnsRecord *const *)b;

    if (first->preference != second->preference)
        return first->preference < second->preference ? -1 : 1;
    return strcmp(first->data, second->data);
}

/* The records of an MX answer, borrowed from it, by preference and then by name: answers come in any
 * order, and the host that is asked for first may decide. */
static GPtrArray *hosts_of(const DnsAnswer *answer)
{
    GPtrArray *hosts = g_ptr_array_sized_new(answer->records->len);

    for (guint i = 0; i < answer->records->len; i++)
        g_ptr_array_add(hosts, g_ptr_array_index(answer->records, i));
    g_ptr_array_sort(hosts, compare_hosts);
    return hosts;
}

guint check_hosts(Check *check, guint index)
{
    CheckTerm *term = check_term(check, index);
    const DnsAnswer *answer;
    g_autofree char *text = NULL;
    g_autofree char *problem = NULL;

    if (!begin(check, index))
        return 0;
    answer = find(check, term, term->name, DNS_MX);
    if (answer == NULL || check->is_forced)
        return 0;
    if (answer->records->len <= CHECK_HOSTS_MAX) {
        term->hosts = hosts_of(answer);
        return term->hosts->len;
    }
    text = describe(check, term);
    problem = problem_hosts(term->name, CHECK_HOSTS_MAX);
    check_force(check, SPF_PERMERROR, "%s: %s", text, problem);
    return 0;
}

bool check_match_host(Check *check, guint index, guint host)
{
    CheckTerm *term = check_term(check, index);
    const DnsRecord *record;

    if (check->is_forced || term->hosts == NULL || host >= term->hosts->len)
        return false;
    record = g_ptr_array_index(term->hosts, host);
    term->is_match = match_addresses(check, term, record->data);
    return term->is_match;
}
