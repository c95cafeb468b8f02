#include "config.h"

#include "advice/watch.h"

#include <string.h>

#include "advice/record/cost.h"
#include "base/domain_name.h"
#include "dns/dns_wrappers.h"
#include "ledger/ledger_report.h"
#include "ledger/ledger_tally.h"
#include "show/paragraph.h"
#include "spf/check_host.h"
#include "spf/dkim_key.h"
#include "verdict/dkim_consent.h"

#define DKIM_TERM "dkim=" /* before the selector, where a key of ours decided */
#define LOOKUPS_MANY (CHECK_LOOKUPS_MAX - 1)
#define OCTETS_MANY 450 /* of a record that fits into any answer (RFC 7208 section 3.4) */
#define INCLUDES_MAX 10 /* broken ones that are told of one record */

void watch_subject_free(WatchSubject *subject)
{
    watch_state_clear(&subject->before);
    watch_state_clear(&subject->after);
    g_clear_pointer(&subject->changes, g_ptr_array_unref);
    g_clear_pointer(&subject->untold, g_ptr_array_unref);
    g_free(subject->domain);
    g_free(subject->trouble);
    g_free(subject);
}

static void free_subject(gpointer subject)
{
    watch_subject_free(subject);
}

static void add_own(GHashTable *known, GPtrArray *subjects, const char *domain)
{
    WatchSubject *subject;

    if (g_hash_table_contains(known, domain))
        return;
    subject = g_new0(WatchSubject, 1);
    subject->domain = g_strdup(domain);
    subject->is_own = true;
    g_ptr_array_add(subjects, subject);
    g_hash_table_add(known, subject->domain);
}

static void add_own_of(GHashTable *sections, GHashTable *known, GPtrArray *subjects)
{
    GHashTableIter place;
    gpointer value;

    if (sections == NULL)
        return;
    g_hash_table_iter_init(&place, sections);
    while (g_hash_table_iter_next(&place, NULL, &value)) {
        const DomainSection *section = value;

        if (section->fallback != NULL)
            add_own(known, subjects, section->fallback->domain_name);
        if (section->return_in_force != NULL)
            add_own(known, subjects, section->return_in_force->plain->domain_name);
    }
}

static bool is_left_out(const Watch *watch, const char *domain)
{
    /* "mode = off" for all, or the daemon's switch, exempts no domain from being looked at */
    const ModeInForce mode = {.mode = MODE_REWRITE};
    const Standing standing = standing_of(watch->settings, mode, domain);

    return standing.mode == MODE_OFF || standing.authorised != STANDING_MAP_SILENT ||
           lists_has_provider(watch->lists, domain);
}

/* A name that can't be one, which a damaged ledger may hold, is as little as "other domains". */
static bool is_domain(const LedgerDomain *domain, gconstpointer data G_GNUC_UNUSED)
{
    g_autofree char *name = domain_name_parse(domain->name, NULL);

    return g_strcmp0(name, domain->name) == 0;
}

/* What the ledger's last result that says anything was, if there is one. */
static void take_ledger(const Watch *watch, const LedgerDomain *seen, WatchSubject *subject)
{
    const Settings *settings = watch->settings;
    bool is_result = seen->result < LEDGER_UNCHECKED && seen->result != SPF_TEMPERROR;
    bool is_authorised =
        seen->result == LEDGER_DKIM ||
        (is_result && !spf_result_set_has(settings->rewrite_on | settings->tempfail_on,
                                          (SpfResult)seen->result));

    subject->is_known =
        is_result || seen->result == LEDGER_DKIM || seen->is_authorised || seen->was_unauthorised;
    subject->before.is_authorised = is_authorised || seen->is_authorised;
    subject->before.result =
        seen->is_authorised || seen->result == LEDGER_DKIM ? SPF_PASS : seen->result;
}

/* Domains of one stranger stand together by name, and a dead server of his is not dead DNS. */
static void shuffle(GPtrArray *subjects, guint first)
{
    for (guint i = first; i + 1 < subjects->len; i++) {
        guint other = (guint)g_random_int_range((gint32)i, (gint32)subjects->len);
        gpointer subject = subjects->pdata[i];

        subjects->pdata[i] = subjects->pdata[other];
        subjects->pdata[other] = subject;
    }
}

GPtrArray *watch_find(const Watch *watch, Ledger *ledger, guint days, GError **error)
{
    const LedgerSearch search = {.wants = is_domain, .order = LEDGER_BY_NAME, .limit = LEDGER_ALL};
    g_autoptr(GPtrArray) subjects = g_ptr_array_new_with_free_func(free_subject);
    g_autoptr(GHashTable) known = g_hash_table_new(g_str_hash, g_str_equal);
    g_autoptr(LedgerFound) found =
        ledger_report_search(ledger, ledger_period_of(watch->now, days), &search, error);
    guint own;

    if (found == NULL)
        return NULL;
    add_own(known, subjects, watch->settings->fallback->domain_name);
    if (watch->settings->return_in_force != NULL)
        add_own(known, subjects, watch->settings->return_in_force->plain->domain_name);
    add_own_of(watch->settings->sections, known, subjects);
    add_own_of(watch->settings->map, known, subjects);
    own = subjects->len;
    for (guint i = 0; i < found->domains->len; i++) {
        const LedgerDomain *seen = g_ptr_array_index(found->domains, i);
        WatchSubject *subject;

        if (g_hash_table_contains(known, seen->name) || is_left_out(watch, seen->name))
            continue;
        subject = g_new0(WatchSubject, 1);
        subject->domain = g_strdup(seen->name);
        take_ledger(watch, seen, subject);
        g_ptr_array_add(subjects, subject);
    }
    shuffle(subjects, own);
    return g_steal_pointer(&subjects);
}

/* A danger that began, and was not told. */
static void take_danger_back(const WatchChange *change, WatchState *state)
{
    g_auto(GStrv) terms = NULL;
    g_autoptr(GPtrArray) left = g_ptr_array_new();

    if (change->danger != WATCH_DANGER_INCLUDE) {
        state->dangers &= ~change->danger;
        return;
    }
    terms = g_strsplit(state->include != NULL ? state->include : "", " ", -1);
    for (char **term = terms; *term != NULL; term++)
        if (g_strcmp0(*term, change->term) != 0)
            g_ptr_array_add(left, *term);
    if (left->len == 0)
        state->dangers &= ~WATCH_DANGER_INCLUDE;
    g_ptr_array_add(left, NULL);
    g_free(state->include);
    state->include = g_strjoinv(" ", (char **)left->pdata);
}

void watch_take_untold(WatchSubject *subject, GPtrArray *untold)
{
    WatchState *before = &subject->before;
    const WatchChange *first = NULL;

    for (guint i = 0; i < untold->len; i++) {
        const WatchChange *change = g_ptr_array_index(untold, i);

        if (change->kind == WATCH_ENDANGERED)
            take_danger_back(change, before);
        else if (first == NULL || change->id < first->id)
            first = change;
    }
    if (first != NULL) {
        g_free(before->record);
        g_free(before->mechanism);
        before->record = g_strdup(first->before);
        before->mechanism = g_strdup(first->passed);
        before->is_authorised = !first->is_authorised;
        subject->is_known = true;
    }
    subject->untold = untold;
}

/* The term of the domain's own record that ended an evaluation, for people, owned by the caller;
 * NULL: none did. */
static char *deciding_term(const Evaluation *evaluation)
{
    g_autoptr(Record) record = NULL;

    if (evaluation == NULL)
        return NULL;
    if (evaluation->mechanism != NULL)
        return paragraph_quoted(evaluation->mechanism);
    if (evaluation->result != SPF_PERMERROR || evaluation->record == NULL)
        return NULL;
    record = record_parse(evaluation->record, strlen(evaluation->record));
    if (record->wrong != NULL)
        return record_term_text(record, record->wrong);
    for (guint i = evaluation->terms->len; i-- > 0;) {
        const EvaluationTerm *term = g_ptr_array_index(evaluation->terms, i);

        if (term->depth == 0)
            return paragraph_quoted(term->term);
    }
    return NULL;
}

/* Of text, the domain's own record. The dangers that before has stay where DNS does not say. */
static void find_dangers(const Watch *watch, const char *text, WatchSubject *subject,
                         Deadline deadline)
{
    WatchState *after = &subject->after;
    g_autoptr(Dns) memo = dns_memo_new(watch->dns);
    const CostMeter meter = {.dns = memo, .deadline = deadline, .has_ip4 = true, .has_ip6 = true};
    g_autoptr(Record) record = record_parse(text, strlen(text));
    g_autoptr(GPtrArray) broken = g_ptr_array_new_with_free_func(g_free);
    g_auto(Cost) whole = {0};

    after->octets = (guint)strlen(text);
    if (after->octets >= OCTETS_MANY)
        after->dangers |= WATCH_DANGER_OCTETS;
    cost_record(&meter, subject->domain, record, &whole);
    after->lookups = whole.lookups;
    if (whole.has_trouble) {
        after->dangers |= subject->before.dangers & (WATCH_DANGER_LOOKUPS | WATCH_DANGER_INCLUDE);
        after->include = g_strdup(subject->before.include);
        return;
    }
    if (whole.lookups >= LOOKUPS_MANY)
        after->dangers |= WATCH_DANGER_LOOKUPS;
    for (guint i = 0; i < record->terms->len && whole.broken != NULL && broken->len < INCLUDES_MAX;
         i++) {
        const RecordTerm *term = record_at(record, i);
        g_autofree char *name = NULL;
        g_auto(Cost) cost = {0};

        if (term->kind != RECORD_INCLUDE && term->kind != RECORD_REDIRECT)
            continue;
        cost_term(&meter, subject->domain, record, term, &cost);
        if (cost.broken == NULL || cost.has_trouble)
            continue;
        name = record_term_text(record, term);
        if (!g_ptr_array_find_with_equal_func(broken, name, g_str_equal, NULL))
            g_ptr_array_add(broken, g_steal_pointer(&name));
    }
    if (broken->len == 0)
        return;
    after->dangers |= WATCH_DANGER_INCLUDE;
    g_ptr_array_add(broken, NULL);
    after->include = g_strjoinv(" ", (char **)broken->pdata);
}

static WatchChange *add_change(const Watch *watch, WatchSubject *subject, WatchKind kind)
{
    WatchChange *change = g_new0(WatchChange, 1);

    change->found = watch->now;
    change->domain = g_strdup(subject->domain);
    change->kind = kind;
    change->is_authorised = subject->after.is_authorised;
    change->result = subject->after.result;
    change->before = g_strdup(subject->before.record);
    change->after = g_strdup(subject->after.record);
    g_ptr_array_add(subject->changes, change);
    return change;
}

/* The record that is proven to let the relays pass, owned by the caller; NULL: none is known. */
static char *advised_record(const Watch *watch, const CheckSubject *asked)
{
    g_autoptr(Consultation) consultation =
        consultation_new_in(watch->settings, watch->mode, watch->dns, watch->lists, watch->relays,
                            asked, deadline_in(watch->settings->check_timeout));

    return consultation->advice->record != NULL ? paragraph_ascii(consultation->advice->record)
                                                : NULL;
}

/*
 * The alias by which the domain let our DKIM key count until now, as the line of a zone file, owned
 * by the caller; NULL: it did not, or to publish it again would not help for certain.
 */
static char *lost_alias(const Watch *watch, const WatchSubject *subject)
{
    const char *mechanism = subject->before.mechanism;
    const char *selector = mechanism != NULL && g_str_has_prefix(mechanism, DKIM_TERM)
                               ? mechanism + strlen(DKIM_TERM)
                               : "";
    const char *key_domain = dkim_consent_key_domain(watch->settings, subject->domain);
    Deadline deadline = deadline_in(watch->settings->check_timeout);
    g_autoptr(Advice) advice = advice_new(subject->domain);
    g_autoptr(DnsAnswer) theirs = NULL;
    g_autoptr(DnsAnswer) ours = NULL;
    g_autoptr(DkimKey) key = NULL;

    if (!g_strv_contains((const char *const *)watch->settings->dkim_consent, selector))
        return NULL;
    advice->dkim_name = g_strdup_printf("%s._domainkey.%s", selector, subject->domain);
    advice->dkim_target = g_strdup_printf("%s._domainkey.%s", selector, key_domain);
    theirs = dns_lookup(watch->dns, advice->dkim_name, DNS_TXT, deadline);
    ours = dns_lookup(watch->dns, advice->dkim_target, DNS_TXT, deadline);
    if (theirs->status != DNS_NO_NAME && theirs->status != DNS_NO_DATA)
        return NULL;
    if (ours->status == DNS_FOUND && ours->records->len == 1)
        key = dkim_key_parse(dns_answer_at(ours, 0)->data, dns_answer_at(ours, 0)->length);
    return key != NULL ? advice_dkim_line(advice) : NULL;
}

/* Adds what endangers the record now, and did not before. */
static void add_dangers(const Watch *watch, WatchSubject *subject)
{
    const WatchState *before = &subject->before, *after = &subject->after;
    guint begun = after->dangers & ~before->dangers;
    g_auto(GStrv) now = g_strsplit(after->include != NULL ? after->include : "", " ", -1);
    g_auto(GStrv) known = g_strsplit(before->include != NULL ? before->include : "", " ", -1);
    bool is_unknown = (before->dangers & WATCH_DANGER_INCLUDE) != 0 && before->include == NULL;

    for (guint danger = WATCH_DANGER_LOOKUPS; danger <= WATCH_DANGER_OCTETS; danger <<= 1) {
        WatchChange *change;

        if ((begun & danger) == 0)
            continue;
        change = add_change(watch, subject, WATCH_ENDANGERED);
        change->danger = danger;
        change->number = danger == WATCH_DANGER_LOOKUPS ? after->lookups : after->octets;
    }
    for (char **term = now; *term != NULL && !is_unknown; term++) {
        WatchChange *change;

        if (g_strv_contains((const char *const *)known, *term))
            continue;
        change = add_change(watch, subject, WATCH_ENDANGERED);
        change->danger = WATCH_DANGER_INCLUDE;
        change->number = after->octets;
        change->term = g_strdup(*term);
    }
}

/* What is found again was found when it was found first. */
static void keep_days(const WatchSubject *subject)
{
    for (guint i = 0; subject->untold != NULL && i < subject->changes->len; i++) {
        WatchChange *change = g_ptr_array_index(subject->changes, i);

        for (guint j = 0; j < subject->untold->len; j++) {
            const WatchChange *earlier = g_ptr_array_index(subject->untold, j);

            if (earlier->kind == change->kind && earlier->is_authorised == change->is_authorised &&
                earlier->danger == change->danger &&
                (change->kind != WATCH_ENDANGERED || g_strcmp0(earlier->term, change->term) == 0))
                change->found = MIN(change->found, earlier->found);
        }
    }
}

static void compare(const Watch *watch, const DomainCheck *check, WatchSubject *subject)
{
    const WatchState *before = &subject->before, *after = &subject->after;
    /* of our own domains nobody expects anything but a pass */
    bool was_authorised = subject->is_known ? before->is_authorised : subject->is_own;
    bool is_comparable = subject->is_known || subject->is_own;

    if (is_comparable && was_authorised != after->is_authorised) {
        WatchChange *change = add_change(watch, subject,
                                         subject->is_own        ? WATCH_OWN
                                         : after->is_authorised ? WATCH_AUTHORISED
                                                                : WATCH_BROKEN);

        change->term = g_strdup(after->mechanism);
        change->passed = g_strdup(before->mechanism);
        if (!after->is_authorised)
            change->advised = lost_alias(watch, subject);
        if (!after->is_authorised && change->advised == NULL)
            change->advised = advised_record(watch, check->subject);
    }
    add_dangers(watch, subject);
    keep_days(subject);
}

void watch_look(const Watch *watch, WatchSubject *subject)
{
    Deadline deadline = deadline_in(watch->settings->check_timeout);
    g_autoptr(CheckSubject) asked = check_subject_parse(subject->domain);
    g_autoptr(DomainCheck) check = domain_check_run_in(watch->settings, watch->mode, watch->dns,
                                                       watch->relays, asked, deadline);
    const Evaluation *shown = check->shown;

    asked->is_of_ledger = true;
    subject->changes = watch_changes_new();
    if (check->result == SPF_TEMPERROR && check->dkim == NULL) {
        subject->trouble = g_strdup(check->reason != NULL ? check->reason : "DNS did not answer");
        /* a relay that is known and did not pass is shown */
        subject->lacks_relays = check->unknown != NULL && check->shown == NULL;
        return;
    }
    if (check->lacks_keys) {
        subject->trouble = g_strdup("DNS did not answer for a DKIM key");
        return;
    }
    subject->after.is_authorised = check->is_authorised;
    subject->after.result = check->result;
    subject->after.mechanism = check->dkim != NULL && check->result != SPF_PASS
                                   ? g_strconcat(DKIM_TERM, check->dkim, NULL)
                                   : deciding_term(shown);
    if (shown != NULL && shown->record != NULL)
        subject->after.record = paragraph_record(shown->record);
    if (check->result == SPF_PASS && subject->after.record != NULL)
        find_dangers(watch, shown->record, subject, deadline);
    compare(watch, check, subject);
}

static bool shows_record(const WatchChange *change)
{
    return change->kind != WATCH_ENDANGERED && !change->is_authorised && change->advised != NULL;
}

/* Without the record, which follows it if shows_record(). */
static const char *next_of(const WatchChange *change)
{
    if (change->kind == WATCH_ENDANGERED && change->danger == WATCH_DANGER_INCLUDE)
        return N_("Ask the owner to remove or correct {term}.");
    if (change->kind == WATCH_ENDANGERED && change->danger == WATCH_DANGER_LOOKUPS)
        return N_("Ask the owner to reduce the look-ups: \"spfrom advise {domain}\".");
    if (change->kind == WATCH_ENDANGERED)
        return N_("Ask the owner to shorten the record.");
    if (change->is_authorised)
        return N_("Nothing to do.");
    if (change->advised == NULL)
        return N_("What to publish: \"spfrom advise {domain}\".");
    return change->kind == WATCH_OWN ? N_("Publish this record:")
                                     : N_("Ask the owner to publish this record:");
}

static const char *danger_sentence(guint danger)
{
    switch (danger) {
    case WATCH_DANGER_LOOKUPS:
        return N_("The record of {domain} needs {number} DNS look-ups; SPF allows 10.");
    case WATCH_DANGER_OCTETS:
        return N_("The record of {domain} has {number} octets; more than 450 may not reach "
                  "everybody.");
    default:
        return N_("The record of {domain} has {term}, which leads to no valid record any more.");
    }
}

/* Does SPF, or a key, say so? Otherwise the result is one that rewrite_on leaves alone. */
static bool is_consent(const WatchChange *change)
{
    return change->result == SPF_PASS ||
           (change->term != NULL && g_str_has_prefix(change->term, DKIM_TERM));
}

static const char *sentence_of(const WatchChange *change)
{
    switch (change->kind) {
    case WATCH_OWN:
        return change->is_authorised
                   ? N_("{domain}, the domain of a fallback or return address, "
                        "authorises our relays again.")
                   : N_("{domain}, the domain of a fallback or return address, does not "
                        "authorise our relays ({result}): rewritten mail fails, too.");
    case WATCH_BROKEN:
        return N_("{domain} no longer authorises our relays ({result}).");
    case WATCH_ENDANGERED:
        return danger_sentence(change->danger);
    case WATCH_AUTHORISED:
        break;
    }
    return is_consent(change) ? N_("{domain} now authorises our relays.")
                              : N_("Mail of {domain} is no longer rewritten ({result}).");
}

/* Owned by the caller. */
static char *fill(const Language *language, const char *text, const WatchChange *change)
{
    g_autofree char *number = g_strdup_printf("%u", change->number);
    g_autofree char *domain = paragraph_domain(change->domain);

    return language_fill(language, text, "domain", domain, "number", number, "result",
                         spf_result_text((SpfResult)MIN(change->result, SPF_PERMERROR)), "term",
                         change->term != NULL ? change->term : "", NULL);
}

char *watch_step(const Language *language, const WatchChange *change)
{
    return fill(language, next_of(change), change);
}

const char *watch_step_record(const WatchChange *change)
{
    return shows_record(change) ? change->advised : NULL;
}

char *watch_next(const Language *language, const WatchChange *change)
{
    const char *record = watch_step_record(change);
    g_autofree char *step = watch_step(language, change);

    return record != NULL ? g_strconcat(step, " ", record, NULL) : g_steal_pointer(&step);
}

char *watch_sentence(const Language *language, const WatchChange *change)
{
    return fill(language, sentence_of(change), change);
}

static void add_line(GStrvBuilder *lines, const Language *language, const char *text,
                     const char *value)
{
    g_autofree char *line =
        value != NULL ? language_fill(language, text, "value", value, NULL) : NULL;

    if (line != NULL)
        g_strv_builder_add(lines, line);
}

char **watch_records(const Language *language, const WatchChange *change)
{
    g_autoptr(GStrvBuilder) lines = g_strv_builder_new();

    if (change->kind == WATCH_ENDANGERED)
        return g_strv_builder_end(lines);
    add_line(lines, language, N_("Before: {value}"), change->before);
    add_line(lines, language, N_("Now: {value}"), change->after);
    if (change->after == NULL && change->result == SPF_NONE)
        add_line(lines, language, N_("Now: no SPF record"), "");
    if (change->after == NULL && change->result == SPF_PERMERROR)
        add_line(lines, language, N_("Now: several SPF records"), "");
    add_line(lines, language,
             change->is_authorised && is_consent(change)
                 ? N_("The term that authorises them: {value}")
                 : N_("The term that did it: {value}"),
             change->term);
    if (!change->is_authorised)
        add_line(lines, language, N_("The term that authorised them before: {value}"),
                 change->passed);
    return g_strv_builder_end(lines);
}

char *watch_digest(const Language *language, const GPtrArray *changes, gsize max)
{
    GString *page = g_string_new(NULL);
    guint i;

    for (i = 0; i < changes->len && page->len < max; i++) {
        const WatchChange *change = g_ptr_array_index(changes, i);
        g_autofree char *sentence = watch_sentence(language, change);
        g_autofree char *step = watch_step(language, change);
        g_auto(GStrv) records = watch_records(language, change);

        if (i > 0)
            g_string_append_c(page, '\n');
        paragraph_append(page, sentence, "", "  ");
        /* never broken: what stands in them is there to be copied */
        for (char **line = records; *line != NULL; line++)
            g_string_append_printf(page, "    %s\n", *line);
        paragraph_append(page, step, "    ", "      ");
        if (shows_record(change))
            g_string_append_printf(page, "%s\n", change->advised);
    }
    if (i < changes->len) {
        g_autofree char *number = g_strdup_printf("%u", changes->len - i);
        g_autofree char *sentence =
            language_fill(language,
                          N_("{number} more are not in this mail; what \"spfrom watch\" printed "
                             "has all of them."),
                          "number", number, NULL);

        paragraph_append(page, sentence, "\n", "");
    }
    return g_string_free(page, FALSE);
}
