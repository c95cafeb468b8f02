#include "config.h"

#include "advice/preview.h"

#include <string.h>

#include "base/domain_name.h"
#include "mail/encoded_words.h"
#include "mail/header_fields.h"
#include "mail/rewrite.h"

/* An author's name and address as readers show them. */
static char *shown(const char *value)
{
    g_autofree char *unfolded = g_strdup(value);
    g_autofree char *decoded = NULL;
    char *end = unfolded;

    for (const char *at = unfolded; *at != '\0'; at++)
        if (*at != '\n')
            *end++ = *at;
    *end = '\0';
    decoded = encoded_words_decode(unfolded, strlen(unfolded));
    return g_utf8_make_valid(decoded, -1);
}

static Verdict *verdict_of(const DomainCheck *check)
{
    Verdict *verdict = verdict_new(check->result, NULL, NULL, NULL);

    for (guint i = 0; i < check->evaluations->len; i++)
        if (domain_check_at(check, i)->is_unproven)
            verdict->is_unproven = true;
    verdict->dkim = g_strdup(check->dkim);
    return verdict;
}

static void rewrite(Preview *preview, Settings *settings, const Plan *plan,
                    const Mailboxes *authors, const HeaderFields *fields)
{
    const Rewrite wanted = {
        .authors = authors,
        .fallback = plan->fallback,
        .display_name = plan->display_name,
        .display_name_missing = plan->display_name_missing,
        .add_reply_to = plan->add_reply_to,
        .author_header = (const char *const *)settings->author_header,
        .sender_header = settings->sender_header,
        .unauthorised = (const char *const *)plan->unauthorised->pdata,
    };
    ReplyToOutcome reply_to;
    g_autoptr(Edits) edits = rewrite_edits(&wanted, fields, &reply_to);

    for (guint i = 0; i < edits_length(edits); i++) {
        const Edit *edit = edits_at(edits, i);

        if (edit->value == NULL)
            continue;
        if (g_ascii_strcasecmp(edit->name, "From") == 0) {
            g_free(preview->from_after);
            preview->from_after = shown(edit->value);
        } else if (g_ascii_strcasecmp(edit->name, "Reply-To") == 0) {
            g_free(preview->reply_to);
            preview->reply_to = shown(edit->value);
        }
    }
}

Preview *preview_new(Settings *settings, ModeInForce mode, const DomainCheck *check,
                     const char *name, const char *local_part)
{
    const CheckSubject *subject = check->subject;
    const char *local = subject->local_part != NULL ? subject->local_part : local_part;
    Preview *preview = g_new0(Preview, 1);
    g_autoptr(HeaderFields) fields = header_fields_new();
    g_autoptr(Mailboxes) authors = NULL;
    g_autoptr(Verdict) verdict = verdict_of(check);
    g_autoptr(Plan) plan = NULL;
    PlanVerdicts verdicts = {.dmarc = PLAN_DMARC_NONE};
    Identities identities = {0};

    preview->from_before = g_strdup_printf("%s <%s@%s>", name, local, subject->domain);
    preview->from_after = g_strdup(preview->from_before);
    header_fields_append(fields, "From", preview->from_before, -1);
    authors = mailboxes_parse(fields, "From");
    if (authors->mailboxes->len == 0)
        return preview; /* MESSAGE_ACTION_KEEP: no such address can be written */
    identities.authors = authors;
    identities.sender = mailboxes_at(authors, 0);
    verdicts.of[0] = verdict;
    verdicts.of[PLAN_SENDER] = verdict;
    plan = plan_new(settings, mode, &identities, &verdicts);
    preview->action = plan_message_action(plan);
    preview->is_off = standing_of(settings, mode, subject->domain).mode == MODE_OFF;
    if (plan->rewrite_author)
        rewrite(preview, settings, plan, authors, fields);
    return preview;
}

void preview_free(Preview *preview)
{
    g_free(preview->from_before);
    g_free(preview->from_after);
    g_free(preview->reply_to);
    g_free(preview);
}
