#include "config.h"

#include "cli/test_output.h"

#include <string.h>

#include "advice/words/advice_json.h"

/* "<>" is the null sender. Borrowed from mailbox. */
static const char *sender_text(const Mailbox *mailbox)
{
    return mailbox_is_null_sender(mailbox) ? "<>" : mailbox->addr_spec;
}

static bool is_authorised(const TestOutput *output)
{
    const SpfResultSet refused = output->settings->rewrite_on | output->settings->tempfail_on;

    return !spf_result_set_has(refused, output->decision->plan->result);
}

static void add_verdict(Page *page, const TestOutput *output)
{
    const Plan *plan = output->decision->plan;
    const Verdict *verdict = plan->verdict;

    page_printf(page, PAGE_PLAIN, "%s is %s (%s", plan->domain,
                is_authorised(output) ? "authorised" : "not authorised",
                spf_result_text(plan->result));
    if (verdict->mechanism != NULL)
        page_printf(page, PAGE_PLAIN, " by %s", verdict->mechanism);
    if (verdict->relay != NULL)
        page_printf(page, PAGE_PLAIN, " for %s", verdict->relay);
    page_raw(page, PAGE_PLAIN, ")");
    if (verdict->reason != NULL)
        page_printf(page, PAGE_PLAIN, ", %s", verdict->reason);
}

static void add_cause(Page *page, const TestOutput *output)
{
    const Plan *plan = output->decision->plan;

    if (output->decision->is_dkim_exempt)
        page_raw(page, PAGE_PLAIN, "DKIM vouches for every author (exempt_dkim)");
    else if (plan->domain == NULL)
        page_raw(page, PAGE_PLAIN, "From: has no domain that could authorise our relays");
    else if (plan->verdict != NULL)
        add_verdict(page, output);
    else
        page_printf(page, PAGE_PLAIN, "%s is settled by the configuration, nothing was looked up",
                    plan->domain);
}

/* As the daemon logs it. */
static const char *action_text(const TestOutput *output)
{
    const Decision *decision = output->decision;

    return decision->is_refused && !decision->plan->is_log_only
               ? message_action_text(MESSAGE_ACTION_ERROR)
               : plan_action_text(decision->plan);
}

void test_output_add_summary(Page *page, const TestOutput *output)
{
    const Plan *plan = output->decision->plan;

    page_add(page, plan->action == PLAN_KEEP ? PAGE_GOOD : PAGE_DOUBTFUL, action_text(output));
    page_raw(page, PAGE_PLAIN, ": ");
    add_cause(page, output);
    page_raw(page, PAGE_PLAIN, "\n");
    if (output->decision->is_refused) {
        page_printf(
            page, PAGE_BAD,
            "a rewrite would need more than %d edits: the message is refused with 550 5.6.0",
            EDITS_MAX);
        page_raw(page, PAGE_PLAIN, "\n");
        return;
    }
    if (plan->envelope_sender == NULL)
        return;
    page_printf(page, PAGE_PLAIN, "envelope sender: %s becomes %s", sender_text(output->sender),
                plan->envelope_sender);
    page_raw(page, PAGE_PLAIN, "\n");
}

static void add_lines(Page *page, PageStyle style, const char *mark, const char *text, gsize length)
{
    const char *end = text + length;

    while (text < end) {
        const char *line_end = memchr(text, '\n', (gsize)(end - text));
        const char *stop = line_end != NULL ? line_end : end;
        g_autofree char *safe = NULL;
        g_autofree char *line = NULL;

        if (line_end != NULL && stop > text && stop[-1] == '\r')
            stop--;
        safe = page_safe(text, stop - text);
        line = g_strconcat(mark, safe, NULL);
        page_raw(page, style, line);
        page_raw(page, PAGE_PLAIN, "\n");
        text = line_end != NULL ? line_end + 1 : end;
    }
}

static void add_envelope_diff(Page *page, const TestOutput *output)
{
    const char *new_sender = output->decision->plan->envelope_sender;

    if (new_sender == NULL)
        return;
    page_printf(page, PAGE_BAD, "- MAIL FROM:<%s>",
                mailbox_is_null_sender(output->sender) ? "" : output->sender->addr_spec);
    page_raw(page, PAGE_PLAIN, "\n");
    page_printf(page, PAGE_GOOD, "+ MAIL FROM:<%s>", new_sender);
    page_raw(page, PAGE_PLAIN, "\n");
}

void test_output_add_diff(Page *page, const TestOutput *output, const MessageFile *message)
{
    g_autoptr(GPtrArray) pieces = NULL;

    if (output->decision->is_refused)
        return;
    pieces = message_file_apply(message, output->decision->edits);
    add_envelope_diff(page, output);
    for (guint i = 0; i < pieces->len; i++) {
        const MessagePiece *piece = g_ptr_array_index(pieces, i);

        if (piece->new_text == NULL)
            continue;
        add_lines(page, PAGE_BAD, "- ", piece->old_text, piece->old_length);
        add_lines(page, PAGE_GOOD, "+ ", piece->new_text, strlen(piece->new_text));
    }
}

static const char *kind_text(EditKind kind)
{
    switch (kind) {
    case EDIT_CHANGE:
        return "change";
    case EDIT_DELETE:
        return "delete";
    case EDIT_ADD:
        return "add";
    case EDIT_INSERT:
        break;
    }
    return "insert";
}

static json_t *edit_json(const Edit *edit)
{
    json_t *json = json_object();

    json_object_set_new(json, "kind", json_string(kind_text(edit->kind)));
    json_object_set_new(json, "name", advice_json_text(edit->name));
    json_object_set_new(json, "index", json_integer(edit->index));
    json_object_set_new(json, "value", advice_json_text(edit->value));
    return json;
}

static json_t *edits_json(const Edits *edits)
{
    json_t *list = json_array();

    for (guint i = 0; edits != NULL && i < edits_length(edits); i++)
        json_array_append_new(list, edit_json(edits_at(edits, i)));
    return list;
}

/* The members that a verdict gives; null where none was looked up. */
static void set_verdict(json_t *json, const Verdict *verdict)
{
    json_object_set_new(json, "relay", advice_json_text(verdict != NULL ? verdict->relay : NULL));
    json_object_set_new(json, "mechanism",
                        advice_json_text(verdict != NULL ? verdict->mechanism : NULL));
    json_object_set_new(json, "reason", advice_json_text(verdict != NULL ? verdict->reason : NULL));
}

json_t *test_output_json(const TestOutput *output)
{
    const Plan *plan = output->decision->plan;
    const char *sender = sender_text(output->sender);
    json_t *json = json_object();

    json_object_set_new(json, "action", json_string(action_text(output)));
    json_object_set_new(json, "author",
                        advice_json_text(plan->author != NULL ? plan->author->addr_spec : NULL));
    json_object_set_new(json, "domain", advice_json_text(plan->domain));
    json_object_set_new(json, "result", json_string(spf_result_text(plan->result)));
    json_object_set_new(
        json, "envelope_sender",
        advice_json_text(plan->envelope_sender != NULL ? plan->envelope_sender : sender));
    json_object_set_new(json, "edits",
                        edits_json(output->decision->is_refused ? NULL : output->decision->edits));
    json_object_set_new(json, "sender", advice_json_text(sender));
    set_verdict(json, plan->verdict);
    json_object_set_new(json, "aligned", json_boolean(plan->is_aligned));
    return json;
}
