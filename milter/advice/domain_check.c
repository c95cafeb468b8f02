#include "config.h"

#include "advice/domain_check.h"

#include <string.h>

#include "policy/standing.h"
#include "verdict/dkim_consent.h"

const Evaluation *domain_check_at(const DomainCheck *check, guint relay)
{
    return g_ptr_array_index(check->evaluations, relay);
}

static void evaluate(DomainCheck *check, Dns *dns, Deadline deadline)
{
    g_autoptr(EvaluationContext) context = evaluation_context_new(dns, deadline);
    EvaluationQuestion question = {.domain = check->subject->domain,
                                   .local_part = check->subject->local_part,
                                   .helo = check->relays->helo};

    check->ttl = G_MAXUINT32;
    for (guint i = 0; i < check->relays->networks->len; i++) {
        Evaluation *evaluation;

        question.relay = g_array_index(check->relays->networks, Network, i);
        evaluation = evaluation_run(context, &question);
        check->ttl = MIN(check->ttl, evaluation->ttl);
        g_ptr_array_add(check->evaluations, evaluation);
    }
    if (check->evaluations->len == 0)
        check->ttl = 0;
}

static SpfResult worst_of(const DomainCheck *check, guint first, guint end)
{
    SpfResult worst = SPF_PASS;

    for (guint i = first; i < end; i++)
        worst = spf_result_worse(worst, domain_check_at(check, i)->result);
    return worst;
}

static SpfResult decide_all(const DomainCheck *check, Settings *settings, bool *is_unknown)
{
    SpfResult worst = worst_of(check, 0, check->evaluations->len);

    if (relays_unknown(check->relays) == NULL ||
        spf_result_set_has(settings->rewrite_on | settings->tempfail_on, worst))
        return worst;
    *is_unknown = true;
    return SPF_TEMPERROR;
}

static SpfResult decide_any(const DomainCheck *check, bool *is_unknown)
{
    SpfResult worst = SPF_PASS;
    guint first = 0;

    for (guint entry = 0; entry < check->relays->names->len; entry++) {
        bool has_networks = first < check->evaluations->len &&
                            g_array_index(check->relays->entries, guint, first) == entry;
        guint end = has_networks ? relays_entry_end(check->relays, first) : first;
        SpfResult result = worst_of(check, first, end);

        if (result == SPF_PASS && g_ptr_array_index(check->relays->unknown, entry) != NULL) {
            result = SPF_TEMPERROR;
            *is_unknown = true;
        } else if (result == SPF_PASS && has_networks) {
            *is_unknown = false;
            return SPF_PASS;
        }
        worst = spf_result_worse(worst, result);
        first = end;
    }
    *is_unknown = *is_unknown && worst == SPF_TEMPERROR;
    return worst;
}

/* As for a message (verdict/relay_check.h). is_unknown is set if what is not known of the relays
 * decides. */
static SpfResult decide(const DomainCheck *check, Settings *settings, bool *is_unknown)
{
    *is_unknown = false;
    return settings->relay_policy == RELAY_POLICY_ALL ? decide_all(check, settings, is_unknown)
                                                      : decide_any(check, is_unknown);
}

static bool has_unproven(const DomainCheck *check)
{
    for (guint i = 0; i < check->evaluations->len; i++)
        if (domain_check_at(check, i)->is_unproven)
            return true;
    return false;
}

static const Evaluation *choose_shown(const DomainCheck *check)
{
    const Evaluation *shown = NULL;

    for (guint i = 0; i < check->evaluations->len; i++) {
        const Evaluation *evaluation = domain_check_at(check, i);

        if (evaluation->result != check->result)
            continue;
        if (shown == NULL || (check->result == SPF_PASS && evaluation->lookups > shown->lookups))
            shown = evaluation;
    }
    return shown;
}

static void note_free(gpointer data)
{
    DomainNote *note = data;

    g_free(note->value);
    g_free(note->more);
    g_free(note);
}

static void note(DomainCheck *check, const char *text, const char *value, const char *more)
{
    DomainNote *added = g_new0(DomainNote, 1);

    *added = (DomainNote){.text = text, .value = g_strdup(value), .more = g_strdup(more)};
    g_ptr_array_add(check->notes, added);
}

char *domain_check_note(const DomainCheck *check, guint position, const Language *language)
{
    const DomainNote *note = g_ptr_array_index(check->notes, position);

    return language_fill(language, note->text, "value", note->value != NULL ? note->value : "",
                         "more", note->more != NULL ? note->more : "", NULL);
}

/* What a mode other than rewrite means, by what gives it. */
static const char *mode_note(const Standing *standing, bool is_switched)
{
    bool is_off = standing->mode == MODE_OFF;

    if (is_switched)
        return is_off ? N_("the mode is {value} by the switch (spfrom mode): nothing is looked up "
                           "or rewritten")
                      : N_("the mode is {value} by the switch (spfrom mode): messages are not "
                           "touched, only logged");
    if (standing->has_own_mode)
        return is_off ? N_("the mode is {value} for this domain: nothing is looked up or rewritten")
                      : N_("the mode is {value} for this domain: messages are not touched, only "
                           "logged");
    return is_off ? N_("the mode is {value}: nothing is looked up or rewritten")
                  : N_("the mode is {value}: messages are not touched, only logged");
}

const char *const domain_check_others = N_(
    "the daemon has another version of the configuration or of domain_map in force, so it may treat "
    "mail otherwise; after a change: spfrom reload, and restart spfrom-web");

/* What the configuration says of this domain, whatever SPF does. */
static void note_section(DomainCheck *check, Settings *settings, ModeInForce mode)
{
    const char *domain = check->subject->domain;
    const Standing standing = standing_of(settings, mode, domain);
    bool is_switched = mode.is_switch && standing.mode == mode.mode;

    if (mode.is_of_others)
        note(check, domain_check_others, NULL, NULL);
    if (strcmp(domain, standing.fallback->domain_name) == 0)
        note(check, N_("this is the domain of the fallback address: it is never rewritten"), NULL,
             NULL);
    if (standing.authorised != STANDING_MAP_SILENT)
        note(check, N_("domain_map says authorised={value}, which counts in place of SPF"),
             standing.authorised == STANDING_MAP_YES ? "yes" : "no", NULL);
    if (standing.mode != MODE_REWRITE)
        note(check, mode_note(&standing, is_switched), mode_text(standing.mode), NULL);
}

static void note_result(DomainCheck *check, Settings *settings)
{
    if (check->result != SPF_PASS && check->is_authorised && check->dkim == NULL)
        note(check, N_("{value} is not in rewrite_on or tempfail_on, so it counts as authorised"),
             spf_result_text(check->result), NULL);
    if (!check->is_authorised && spf_result_set_has(settings->tempfail_on, check->result))
        note(check, N_("{value} is in tempfail_on: the client is told to try again later"),
             spf_result_text(check->result), NULL);
    if (check->relays->names->len > 1 && settings->relay_policy == RELAY_POLICY_ANY)
        note(check, N_("relay_policy is any: one entry that passes as a whole is enough"), NULL,
             NULL);
    if (check->shown != NULL && check->shown->uses_sender)
        note(check, N_("the record asks for the local part: this holds for {value}@{more} alone"),
             check->subject->local_part != NULL ? check->subject->local_part : "postmaster",
             check->subject->domain);
    for (guint i = 0; i < check->relays->problems->len; i++)
        note(check, "relay_hosts: {value}", g_ptr_array_index(check->relays->problems, i), NULL);
}

/* Does the domain agree by DKIM, since it does not by SPF? */
static void find_consent(DomainCheck *check, Settings *settings, Dns *dns, Deadline deadline)
{
    check->has_dkim_consent = settings->dkim_consent[0] != NULL;
    if (check->is_authorised || check->subject->is_malformed)
        return;
    check->dkim = dkim_consent_find(settings, dns, check->subject->domain, deadline, &check->ttl,
                                    &check->lacks_keys);
    if (check->dkim == NULL)
        return;
    check->is_authorised = true;
    note(check,
         N_("its DKIM key {value} is ours, which counts in place of SPF (dkim_consent); the "
            "envelope becomes an address of ours"),
         check->dkim, NULL);
}

/* A domain without a record, and one that isn't there, are both "none". The answer is in the cache
 * of dns. */
static void note_missing(DomainCheck *check, Dns *dns, Deadline deadline)
{
    g_autoptr(DnsAnswer) answer = NULL;

    if (check->subject->is_malformed) {
        note(check, N_("\"{value}\" is not a domain; write it like praxis.example"),
             check->subject->domain, NULL);
        return;
    }
    if (check->result != SPF_NONE)
        return;
    answer = dns_lookup(dns, check->subject->domain, DNS_TXT, deadline);
    if (answer->status == DNS_NO_NAME)
        note(check, N_("the domain does not exist"), NULL, NULL);
}

DomainCheck *domain_check_evaluate(Settings *settings, Dns *dns, const Relays *relays,
                                   const CheckSubject *subject, Deadline deadline)
{
    DomainCheck *check = g_new0(DomainCheck, 1);
    bool is_unknown;

    check->subject = subject;
    check->relays = relays;
    check->evaluations = g_ptr_array_new_with_free_func((GDestroyNotify)evaluation_free);
    check->notes = g_ptr_array_new_with_free_func(note_free);
    evaluate(check, dns, deadline);
    check->result = decide(check, settings, &is_unknown);
    check->is_authorised =
        !is_unknown &&
        !spf_result_set_has(settings->rewrite_on | settings->tempfail_on, check->result) &&
        (check->result == SPF_PASS || !has_unproven(check));
    check->shown = choose_shown(check);
    if (is_unknown)
        check->unknown = g_strdup_printf("the relay set is incomplete: %s", relays_unknown(relays));
    check->reason = check->shown != NULL ? check->shown->reason : check->unknown;
    return check;
}

DomainCheck *domain_check_run(Settings *settings, Dns *dns, const Relays *relays,
                              const CheckSubject *subject, Deadline deadline)
{
    return domain_check_run_in(settings, (ModeInForce){.mode = settings->mode}, dns, relays,
                               subject, deadline);
}

DomainCheck *domain_check_run_in(Settings *settings, ModeInForce mode, Dns *dns,
                                 const Relays *relays, const CheckSubject *subject,
                                 Deadline deadline)
{
    DomainCheck *check = domain_check_evaluate(settings, dns, relays, subject, deadline);

    check->dmarc_policy =
        dmarc_policy_find(dns, subject->domain, deadline, &check->dmarc, &check->dmarc_trouble);
    find_consent(check, settings, dns, deadline);
    note_missing(check, dns, deadline);
    note_section(check, settings, mode);
    note_result(check, settings);
    return check;
}

void domain_check_free(DomainCheck *check)
{
    g_ptr_array_unref(check->evaluations);
    g_ptr_array_unref(check->notes);
    g_free(check->unknown);
    g_free(check->dmarc);
    g_free(check->dmarc_trouble);
    g_free(check);
}
