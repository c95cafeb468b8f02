#include "config.h"

#include "policy/standing.h"

#include <string.h>

static Mode effective_mode(ModeInForce mode, const DomainSection *section)
{
    if (section == NULL || section->mode == SECTION_OPEN)
        return mode.mode;
    return mode.is_switch ? MIN((Mode)section->mode, mode.mode) : (Mode)section->mode;
}

Standing standing_of(Settings *settings, ModeInForce mode, const char *domain_name)
{
    const DomainSection *section =
        domain_name != NULL ? settings_section(settings, domain_name) : NULL;
    Standing standing = {.mode = effective_mode(mode, section),
                         .fallback = settings->fallback,
                         .fallback_form = settings->fallback_form,
                         .return_form = settings->return_in_force,
                         .display_name = settings->display_name,
                         .display_name_missing = settings->display_name_missing,
                         .add_reply_to = settings->reply_to,
                         .authorised = STANDING_MAP_SILENT};

    if (section == NULL)
        return standing;
    standing.has_own_mode = section->mode != SECTION_OPEN;
    standing.return_form = section->return_in_force;
    if (section->fallback_form != NULL) {
        standing.fallback = section->fallback;
        standing.fallback_form = section->fallback_form;
    }
    if (section->display_name != NULL)
        standing.display_name = section->display_name;
    if (section->display_name_missing != NULL)
        standing.display_name_missing = section->display_name_missing;
    if (section->reply_to != SECTION_OPEN)
        standing.add_reply_to = section->reply_to;
    if (section->authorised != SECTION_OPEN)
        standing.authorised = section->authorised == 1 ? STANDING_MAP_YES : STANDING_MAP_NO;
    return standing;
}

bool standing_is_own_address(Settings *settings, const Mailbox *mailbox)
{
    ReturnToken token;

    return mailbox->addr_spec != NULL &&
           (g_hash_table_contains(settings->fallbacks, mailbox->addr_spec) ||
            return_forms_find(settings->return_forms, mailbox, token));
}

/*
 * True for a mailbox that is never rewritten: of the domain of the fallback or of the return
 * address, a fallback or return address of anyone, or of a domain whose mode is off. By all but the
 * last, a message that passes twice is kept: f(f(m)) = f(m).
 */
static bool is_exempt(Settings *settings, const Standing *standing, const Mailbox *mailbox)
{
    if (standing->mode == MODE_OFF)
        return true;
    if (mailbox->domain_name == NULL)
        return false;
    if (strcmp(mailbox->domain_name, standing->fallback->domain_name) == 0)
        return true;
    if (standing->return_form != NULL &&
        strcmp(mailbox->domain_name, standing->return_form->plain->domain_name) == 0)
        return true;
    return standing_is_own_address(settings, mailbox);
}

StandingOutcome standing_of_verdict(Settings *settings, const Verdict *verdict)
{
    if (verdict->is_unproven || spf_result_set_has(settings->rewrite_on, verdict->result))
        return STANDING_UNAUTHORISED;
    return STANDING_AUTHORISED;
}

StandingOutcome standing_outcome(Settings *settings, ModeInForce mode, const Mailbox *mailbox,
                                 const Verdict *verdict, bool has_consent)
{
    Standing standing;

    if (mailbox == NULL)
        return STANDING_UNAUTHORISED;
    standing = standing_of(settings, mode, mailbox->domain_name);
    if (is_exempt(settings, &standing, mailbox))
        return STANDING_EXEMPT;
    if (standing.authorised != STANDING_MAP_SILENT)
        return standing.authorised == STANDING_MAP_YES ? STANDING_AUTHORISED
                                                       : STANDING_UNAUTHORISED;
    if (mailbox->domain_name == NULL)
        return STANDING_UNAUTHORISED;
    if (verdict == NULL)
        return STANDING_OPEN;
    if (has_consent && verdict->dkim != NULL)
        return STANDING_AUTHORISED;
    if (spf_result_set_has(settings->tempfail_on, verdict->result))
        return STANDING_TEMPFAIL;
    return standing_of_verdict(settings, verdict);
}

bool standing_is_authorised(StandingOutcome outcome)
{
    return outcome == STANDING_EXEMPT || outcome == STANDING_AUTHORISED;
}
