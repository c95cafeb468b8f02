#include "config.h"

#include "advice/consultation.h"
#include "dns/dns_wrappers.h"

#include <string.h>

#include "advice/proof.h"
#include "advice/record/draft.h"
#include "advice/record/mend.h"
#include "advice/record/mend_term.h"
#include "advice/record/proposal.h"
#include "base/clock.h"
#include "base/domain_name.h"
#include "ledger/ledger_report.h"
#include "policy/relay_entry.h"
#include "policy/standing.h"
#include "verdict/dkim_consent.h"

#define STRING_MAX 255    /* octets of one string (RFC 1035 section 3.3) */
#define RECORD_MAX 450    /* octets of a record that fits into any answer (RFC 7208 section 3.4) */
#define POINTS_MAX 100    /* nobody reads more */
#define REMARKED_MAX 4096 /* octets of a record whose terms are looked at */

/* The strings of a TXT record of text, each at most 255 octets, split behind a blank if there is
 * one. NULL-terminated, owned by the caller. */
static char **strings_of(const char *text)
{
    GPtrArray *strings = g_ptr_array_new();

    while (*text != '\0') {
        gsize length = strlen(text);

        if (length > STRING_MAX) {
            length = STRING_MAX;
            while (length > 1 && text[length - 1] != ' ')
                length--;
            if (length == 1)
                length = STRING_MAX;
        }
        g_ptr_array_add(strings, g_strndup(text, length));
        text += length;
    }
    g_ptr_array_add(strings, NULL);
    return (char **)g_ptr_array_free(strings, FALSE);
}

static void remark_length(const char *record, GPtrArray *points)
{
    guint length = (guint)strlen(record);
    Point *point;

    if (length > STRING_MAX) {
        point = point_add(points, POINT_STRINGS, NULL);
        point->number = length;
        point->texts = strings_of(record);
    }
    if (length > RECORD_MAX)
        point_add(points, POINT_LONG, NULL)->number = length;
}

static void remark_versions(const Draft *draft, GPtrArray *points)
{
    for (guint i = 0; i < draft->terms->len && points->len < POINTS_MAX; i++)
        if (strcmp(draft_at(draft, i)->key, "v=spf1") == 0)
            point_add(points, POINT_SECOND_VERSION, draft_at(draft, i)->text);
}

static void remark_all(const Draft *draft, GPtrArray *points)
{
    guint all = draft_find_kind(draft, RECORD_ALL, 0);
    bool has_redirect = draft_find_kind(draft, RECORD_REDIRECT, 0) < draft->terms->len;

    if (all == draft->terms->len) {
        if (!has_redirect)
            point_add(points, POINT_ALL_MISSING, NULL);
        return;
    }
    if (draft_at(draft, all)->qualifier == '+')
        point_add(points, POINT_ALL_PASS, draft_at(draft, all)->text);
    if (draft_at(draft, all)->qualifier == '?')
        point_add(points, POINT_ALL_NEUTRAL, draft_at(draft, all)->text);
    for (guint i = 0; i < draft->terms->len && points->len < POINTS_MAX; i++) {
        RecordTermKind kind = draft_at(draft, i)->kind;

        if (kind == RECORD_REDIRECT || (i > all && draft_is_mechanism(kind)))
            point_add(points, POINT_UNREACHED, draft_at(draft, i)->text);
    }
}

/* Is it told already why the term can't be left out? */
static bool is_told(const GPtrArray *points, const DraftTerm *term)
{
    for (guint i = 0; i < points->len; i++) {
        const Point *point = g_ptr_array_index(points, i);

        if (point->kind == POINT_BROKEN_REFUSAL && strcmp(point->term, term->text) == 0)
            return true;
    }
    return false;
}

static void remark_term(const Ground *ground, const Record *record, guint position,
                        const DraftTerm *term, GPtrArray *points)
{
    g_auto(Cost) cost = {0};

    if (term->kind == RECORD_PTR)
        point_add(points, POINT_PTR, term->text);
    if (term->kind == RECORD_MODIFIER && !mend_term_is_right(term->text))
        point_add(points, POINT_WITHOUT_EFFECT, term->text);
    if (!record_is_lookup(term->kind) || is_told(points, term))
        return;
    cost_term(&ground->meter, ground->check->subject->domain, record, record_at(record, position),
              &cost);
    if (cost.broken != NULL)
        point_add(points, POINT_FAULTY, term->text)->reason = g_steal_pointer(&cost.broken);
}

static void remark_record(const Ground *ground, const char *text, GPtrArray *points)
{
    g_autoptr(Draft) draft = draft_new(text);
    g_autoptr(Record) record = record_parse(text, strlen(text));
    guint end = MIN(draft_find_kind(draft, RECORD_ALL, 0), record->terms->len);

    remark_length(text, points);
    remark_versions(draft, points);
    remark_all(draft, points);
    if (strlen(text) > REMARKED_MAX)
        return;
    for (guint i = 0; i < MIN(draft->terms->len, end) && points->len < POINTS_MAX; i++)
        remark_term(ground, record, i, draft_at(draft, i), points);
}

/* TXT records at the domain that were meant as SPF, beside one that is. */
static void remark_similar(const GPtrArray *texts, const Advice *advice)
{
    for (guint i = 0; i < texts->len; i++) {
        const char *text = g_ptr_array_index(texts, i);
        g_autofree char *valid = g_utf8_make_valid(text, -1);

        if (mend_is_meant_as_spf(text) &&
            !g_strv_contains((const char *const *)advice->found, valid)) {
            Point *point = point_add(advice->points, POINT_MISPLACED, advice->domain);

            point->text = g_steal_pointer(&valid);
            point->number = 1;
        }
    }
}

static char *spf_record_at(const Ground *ground, const char *name, DnsType type)
{
    g_autoptr(DnsAnswer) answer = dns_lookup(ground->dns, name, type, ground->deadline);

    for (guint i = 0; i < answer->records->len; i++)
        if (record_is_spf(dns_answer_at(answer, i)->data, dns_answer_at(answer, i)->length))
            return g_utf8_make_valid(dns_answer_at(answer, i)->data, -1);
    return NULL;
}

/* The SPF record that every name below the domain has, owned by the caller; NULL: there is none. */
static char *find_wildcard(const Ground *ground, const Advice *advice)
{
    g_autofree char *name =
        g_strdup_printf("x%08x%08x.%s", g_random_int(), g_random_int(), advice->domain);

    return spf_record_at(ground, name, DNS_TXT);
}

/* Names at which owners publish SPF, though it counts for nothing but them. */
static void remark_misplaced(const Ground *ground, const Advice *advice)
{
    static const char *const prefixes[] = {"_spf", "spf", "www", "@"};
    g_autofree char *wildcard = find_wildcard(ground, advice);
    g_autofree char *all = g_strconcat("*.", advice->domain, NULL);

    if (wildcard != NULL)
        point_add(advice->points, POINT_WILDCARD, all)->text = g_strdup(wildcard);
    for (gsize i = 0; i <= G_N_ELEMENTS(prefixes); i++) {
        const char *prefix = i < G_N_ELEMENTS(prefixes) ? prefixes[i] : advice->domain;
        g_autofree char *name = g_strconcat(prefix, ".", advice->domain, NULL);
        g_autofree char *text = spf_record_at(ground, name, DNS_TXT);

        if (text != NULL && g_strcmp0(text, wildcard) != 0)
            point_add(advice->points, POINT_MISPLACED, name)->text = g_steal_pointer(&text);
    }
}

static void remark_type(const Ground *ground, const Advice *advice)
{
    char *text = spf_record_at(ground, advice->domain, DNS_SPF);

    if (text != NULL)
        point_add(advice->points, POINT_SPF_TYPE, NULL)->text = text;
}

static void remark_parent(const Ground *ground, const Advice *advice)
{
    char *text =
        advice->is_subdomain ? spf_record_at(ground, advice->organizational, DNS_TXT) : NULL;

    if (text != NULL)
        point_add(advice->points, POINT_NOT_INHERITED, advice->organizational)->text = text;
}

static void remark_alias(const Ground *ground, const Advice *advice)
{
    g_autoptr(DnsAnswer) answer =
        dns_lookup(ground->dns, advice->domain, DNS_TXT, ground->deadline);

    if (answer->alias_of != NULL)
        point_add(advice->points, POINT_ALIAS, answer->alias_of);
}

static void remark_dmarc(const DomainCheck *check, GPtrArray *points)
{
    Point *point;

    if (check->dmarc_policy == DMARC_NONE)
        return;
    point = point_add(points, POINT_DMARC, NULL);
    point->number = check->dmarc_policy;
    point->text = check->dmarc != NULL ? g_utf8_make_valid(check->dmarc, -1) : NULL;
}

static void remark_relays(const Relays *relays, GPtrArray *points)
{
    for (guint i = 0; i < relays->names->len; i++) {
        g_autoptr(RelayEntry) entry = relay_entry_parse(g_ptr_array_index(relays->names, i), NULL);

        if (entry != NULL && entry->kind == RELAY_ENTRY_SPF)
            point_add(points, POINT_PROVIDER_RELAY, entry->domain);
    }
}

static void remark_unprovable(const DomainCheck *check, GPtrArray *points)
{
    const Evaluation *shown = check->shown;
    const EvaluationTerm *own = shown != NULL ? evaluation_last_own_term(shown) : NULL;
    Point *point;

    if (shown == NULL || !shown->is_unproven)
        return;
    if (shown->mechanism == NULL || own == NULL) {
        point_add(points, POINT_UNPROVABLE, NULL);
        return;
    }
    point = point_add(points, POINT_UNPROVABLE, own->term);
    if (strcmp(own->term, shown->mechanism) != 0)
        point->text = g_strdup(shown->mechanism);
}

/* Adds the points that say something and change nothing: on the record, the domain, the relays. */
static void add_remarks(const Ground *ground, const GPtrArray *texts, Advice *advice)
{
    const char *text = advice->record != NULL ? advice->record : advice->found[0];

    remark_unprovable(ground->check, advice->points);
    if (text != NULL && (advice->record != NULL || record_is_spf(text, strlen(text))))
        remark_record(ground, text, advice->points);
    remark_similar(texts, advice);
    if (advice->kind != ADVICE_OK)
        remark_alias(ground, advice);
    if (advice->found[0] == NULL) {
        remark_type(ground, advice);
        remark_misplaced(ground, advice);
        remark_parent(ground, advice);
    }
    remark_dmarc(ground->check, advice->points);
    remark_relays(ground->check->relays, advice->points);
}

static bool has_family(const Relays *relays, int family)
{
    for (guint i = 0; i < relays->networks->len; i++)
        if (g_array_index(relays->networks, Network, i).family == family)
            return true;
    return false;
}

/* The records as texts. A NUL becomes another control character, which is just as wrong there. */
static GPtrArray *texts_of(const DnsAnswer *answer)
{
    GPtrArray *texts = g_ptr_array_new_with_free_func(g_free);

    for (guint i = 0; i < answer->records->len; i++) {
        const DnsRecord *record = dns_answer_at(answer, i);
        char *text = g_memdup2(record->data, record->length + 1);

        for (gsize octet = 0; octet < record->length; octet++)
            if (text[octet] == '\0')
                text[octet] = '\x01';
        g_ptr_array_add(texts, text);
    }
    return texts;
}

static gint compare_names(gconstpointer a, gconstpointer b)
{
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

/* The names in an answer, sorted; NULL-terminated, owned by the caller. */
static char **names_of(const DnsAnswer *answer)
{
    GPtrArray *names = g_ptr_array_new();

    for (guint i = 0; i < answer->records->len; i++)
        g_ptr_array_add(names, g_strdup(dns_answer_at(answer, i)->data));
    g_ptr_array_sort(names, compare_names);
    g_ptr_array_add(names, NULL);
    return (char **)g_ptr_array_free(names, FALSE);
}

static void find_name_servers(const Ground *ground, Advice *advice)
{
    g_autoptr(DnsAnswer) answer =
        dns_lookup(ground->dns, advice->organizational, DNS_NS, ground->deadline);

    g_strfreev(advice->name_servers);
    advice->name_servers = names_of(answer);
}

/* Does mx let anybody pass? */
static bool has_mail_hosts(const Ground *ground)
{
    static const char text[] = "v=spf1 mx";
    g_autoptr(Record) record = record_parse(text, strlen(text));
    g_auto(Cost) cost = {0};

    cost_term(&ground->meter, ground->check->subject->domain, record, record_at(record, 0), &cost);
    return !cost.is_void && !cost.has_trouble;
}

/* Puts a term that is not there yet before the one at position. Returns the place behind it. */
static guint put_new(Draft *draft, guint position, const char *text)
{
    g_autofree char *key = draft_key(text);

    if (draft_find_key(draft, key, 0) == draft->terms->len)
        draft_insert(draft, position++, text);
    return position;
}

/* The record with mx, and with the include of spf, if that is proven to work; else NULL. */
static char *with_owners_servers(const Ground *ground, const char *record, bool has_mx,
                                 const char *spf)
{
    g_autoptr(Draft) draft = draft_new(record);
    guint position = has_mx ? put_new(draft, 0, "mx") : 0;
    g_autofree char *include = g_strconcat("include:", spf, NULL);
    g_autofree char *text = NULL;
    g_autoptr(Proof) proof = NULL;

    if (spf != NULL)
        position = put_new(draft, position, include);
    if (position == 0)
        return NULL;
    text = draft_text(draft);
    proof = proof_run(ground, text);
    return proof->outcome == PROOF_PASSES ? g_steal_pointer(&text) : NULL;
}

/* The mail program of an owner sends through whoever takes the domain's mail, mostly the hoster. */
static void find_alternative(const Ground *ground, const Lists *lists, Advice *advice)
{
    g_autoptr(DnsAnswer) answer = dns_lookup(ground->dns, advice->domain, DNS_MX, ground->deadline);
    g_auto(GStrv) hosts = names_of(answer);
    const char *spf = lists != NULL ? lists_spf_of_all(lists, hosts) : NULL;
    bool has_mx = *hosts != NULL && has_mail_hosts(ground);

    if (spf == NULL && lists != NULL)
        spf = lists_spf_of_all(lists, advice->name_servers);
    advice->alternative = with_owners_servers(ground, advice->record, has_mx, spf);
    if (advice->alternative == NULL && spf != NULL)
        advice->alternative = with_owners_servers(ground, advice->record, false, spf);
    if (advice->alternative == NULL && has_mx)
        advice->alternative = with_owners_servers(ground, advice->record, true, NULL);
}

/* Finds the kinds that do not depend on a record. Returns true if there is one. */
static bool is_settled(const Ground *ground, const DnsAnswer *answer, const Lists *lists,
                       Advice *advice)
{
    const DomainCheck *check = ground->check;
    bool is_provider =
        lists != NULL && !check->subject->is_malformed && lists_has_provider(lists, advice->domain);
    bool is_all = ground->settings->relay_policy == RELAY_POLICY_ALL;
    bool has_unknown = check->unknown != NULL || (is_all && relays_unknown(check->relays) != NULL);
    bool has_trouble =
        has_unknown || check->result == SPF_TEMPERROR || answer->status == DNS_TROUBLE;
    bool is_missing = check->subject->is_malformed || answer->status == DNS_NO_NAME ||
                      strchr(advice->domain, '.') == NULL;

    advice->has_unknown_relays = has_unknown;
    if (is_provider)
        advice_find(advice, ADVICE_PROVIDER);
    if (has_trouble && !check->subject->is_malformed)
        advice_find(advice, ADVICE_UNKNOWN);
    if (is_missing)
        advice_find(advice, ADVICE_NODOMAIN);
    return is_provider || has_trouble || is_missing;
}

static void advise(const Ground *ground, const Lists *lists, Advice *advice)
{
    g_autoptr(DnsAnswer) answer =
        dns_lookup(ground->dns, advice->domain, DNS_TXT, ground->deadline);
    g_autoptr(GPtrArray) texts = texts_of(answer);

    if (is_settled(ground, answer, lists, advice))
        return;
    proposal_make(ground, texts, advice);
    if (advice->kind == ADVICE_UNKNOWN) {
        g_ptr_array_set_size(advice->points, 0);
        return;
    }
    add_remarks(ground, texts, advice);
    find_name_servers(ground, advice);
    if (advice->kind == ADVICE_PUBLISH && advice->record != NULL)
        find_alternative(ground, lists, advice);
}

/* The alias by which the owner can let our DKIM key count, with the first selector. */
static void add_dkim(Settings *settings, Advice *advice)
{
    const char *selector = settings->dkim_consent[0];
    const char *key_domain = dkim_consent_key_domain(settings, advice->domain);

    if (selector == NULL || strcmp(advice->domain, key_domain) == 0)
        return;
    advice->dkim_name = g_strdup_printf("%s._domainkey.%s", selector, advice->domain);
    advice->dkim_label = advice->is_subdomain
                             ? g_strdup_printf("%s._domainkey.%s", selector, advice->label)
                             : g_strdup_printf("%s._domainkey", selector);
    advice->dkim_target = g_strdup_printf("%s._domainkey.%s", selector, key_domain);
}

/* What settings and the name servers say of the domain. */
static void add_circumstances(Settings *settings, ModeInForce mode, const Lists *lists,
                              Advice *advice)
{
    const Standing standing = standing_of(settings, mode, advice->domain);
    const Mailbox *fallback = standing.fallback;

    /* Mail of other domains stays as it is, whatever their records are. */
    advice->is_rewriting = standing.mode == MODE_REWRITE &&
                           standing.authorised != STANDING_MAP_YES &&
                           strcmp(advice->domain, fallback->domain_name) != 0;
    if (!domain_name_is_within(fallback->domain_name, "invalid")) { /* else no configuration */
        advice->fallback = g_strdup(fallback->addr_spec);
        advice->sender = g_strdup(fallback->display_name != NULL ? fallback->display_name
                                                                 : fallback->domain_name);
        add_dkim(settings, advice);
    }
    if (lists != NULL)
        advice->hoster = g_strdup(lists_hoster_of_all(lists, advice->name_servers));
}

static Advice *advise_on(Settings *settings, ModeInForce mode, Dns *dns, const Lists *lists,
                         const DomainCheck *check, Deadline deadline)
{
    Advice *advice = advice_new(check->subject->domain);
    g_autoptr(Dns) memo = dns_memo_new(dns);
    const Ground ground = {.settings = settings,
                           .dns = memo,
                           .deadline = deadline,
                           .check = check,
                           .meter = {.dns = memo,
                                     .deadline = deadline,
                                     .has_ip4 = has_family(check->relays, AF_INET),
                                     .has_ip6 = has_family(check->relays, AF_INET6)}};

    advise(&ground, lists, advice);
    add_circumstances(settings, mode, lists, advice);
    return advice;
}

/* See Consultation; a ledger that can't be read knows none. */
static char *find_meant(Settings *settings, const DomainCheck *check)
{
    g_autoptr(Ledger) ledger = NULL;

    if (check->subject->is_of_ledger)
        return NULL;
    if (check->subject->without_www != NULL)
        return g_strdup(check->subject->without_www);
    if (check->is_authorised || check->subject->is_malformed || settings->ledger == NULL)
        return NULL;
    ledger = ledger_open_read_only(settings->ledger, NULL);
    return ledger != NULL ? ledger_report_similar(ledger, check->subject->domain, NULL) : NULL;
}

Consultation *consultation_new(Settings *settings, Dns *dns, const Lists *lists,
                               const Relays *relays, const CheckSubject *subject, Deadline deadline)
{
    return consultation_new_in(settings, (ModeInForce){.mode = settings->mode}, dns, lists, relays,
                               subject, deadline);
}

Consultation *consultation_new_in(Settings *settings, ModeInForce mode, Dns *dns,
                                  const Lists *lists, const Relays *relays,
                                  const CheckSubject *subject, Deadline deadline)
{
    Consultation *consultation = g_new(Consultation, 1);

    consultation->check = domain_check_run_in(settings, mode, dns, relays, subject, deadline);
    consultation->advice = advise_on(settings, mode, dns, lists, consultation->check, deadline);
    consultation->meant = find_meant(settings, consultation->check);
    return consultation;
}

void consultation_free(Consultation *consultation)
{
    domain_check_free(consultation->check);
    g_clear_pointer(&consultation->advice, advice_free);
    g_free(consultation->meant);
    g_free(consultation);
}
