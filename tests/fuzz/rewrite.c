/* A header of any octets, rewritten, at both MTAs. */
#include "config.h"

#include "mail/returned.h"
#include "mail/rewrite.h"

#include <stdint.h>
#include <string.h>

#include "fuzz/check.h"
#include "fuzz/fields.h"
#include "unit/mail/edits_applied.h"

static Mailbox *fallback;

static void prepare(void)
{
    if (fallback != NULL)
        return;
    mailboxes_init();
    fallback = mailbox_parse("noreply@fallback.example");
}

static const char *const names[] = {"From", "Reply-To", "Sender",   "X-Original-From",
                                    "To",   "Author",   "X-SPFrom", "DKIM-Signature"};

static void check_value(const char *value)
{
    g_auto(GStrv) lines = g_strsplit(value, "\n", -1);

    check(g_utf8_validate(value, -1, NULL) && strchr(value, '\r') == NULL);
    for (guint i = 0; lines[i] != NULL; i++) {
        check(strlen(lines[i]) + strlen("X-Original-From: ") <= 998);
        check(i == 0 || lines[i][0] == ' ');
        check(lines[i][strspn(lines[i], " \t")] != '\0');
    }
}

/* No quoted string of ours goes over a line end; in a local part it is as the author wrote it. */
static void check_quotes(const char *value)
{
    bool is_quoted = false;

    for (; *value != '\0'; value++) {
        if (*value == '\\' && value[1] != '\0')
            value++;
        else if (*value == '"')
            is_quoted = !is_quoted;
        check(!is_quoted || *value != '\n');
    }
    check(!is_quoted);
}

/* Those that are no marks of a return, which stay. */
static guint count_traces(const HeaderFields *fields)
{
    guint count = 0;

    for (guint i = 0; i < header_fields_length(fields); i++)
        count += header_field_is_named(header_fields_at(fields, i), REWRITE_TRACE_HEADER) &&
                 !returned_is_mark(header_fields_at(fields, i));
    return count;
}

static void check_header(const HeaderFields *after)
{
    g_autoptr(Mailboxes) authors = mailboxes_parse(after, "From");

    check(header_fields_count(after, "From") == 1 && count_traces(after) == 1);
    check(!authors->is_doubtful && authors->mailboxes->len == 1);
    check_quotes(header_fields_nth(after, "From", 1)->value);
    check(strcmp(mailboxes_at(authors, 0)->addr_spec, fallback->addr_spec) == 0);
}

/* Quotes with more than blanks in them, and "=?", are doubtful in a local part. */
static bool has_odd_local_part(const Mailboxes *authors)
{
    for (guint i = 0; i < authors->mailboxes->len; i++) {
        const char *local_part = mailboxes_at(authors, i)->local_part;

        if (strpbrk(local_part, "@<>,;:\"\\()") != NULL || strstr(local_part, "=?") != NULL)
            return true;
    }
    return false;
}

static void check_reply_to(const Mailboxes *authors, const HeaderFields *after,
                           ReplyToOutcome outcome)
{
    g_autoptr(Mailboxes) reply_to = mailboxes_parse(after, "Reply-To");
    const char *value;

    if (outcome != REPLY_TO_ADDED)
        return;
    value = header_fields_nth(after, "Reply-To", 1)->value;
    check(header_fields_count(after, "Reply-To") == 1);
    check(reply_to->mailboxes->len == authors->mailboxes->len);
    check(!reply_to->is_doubtful || has_odd_local_part(authors));
    check_quotes(value);
    for (guint i = 0; i < reply_to->mailboxes->len; i++)
        check(strcmp(mailboxes_at(reply_to, i)->addr_spec, mailboxes_at(authors, i)->addr_spec) ==
              0);
}

static void run(const char *data, size_t size)
{
    static const char *const author_header[] = {"Author", "X-Original-From", NULL};
    static const char *const unauthorised[] = {"b.example", NULL};
    g_autoptr(HeaderFields) fields = read_fields(data, size, names, G_N_ELEMENTS(names));
    g_autoptr(Mailboxes) authors = mailboxes_parse(fields, "From");
    const Rewrite rewrite = {.authors = authors,
                             .fallback = fallback,
                             .display_name = "%n",
                             .display_name_missing = "%l",
                             .add_reply_to = true,
                             .author_header = author_header,
                             .sender_header =
                                 size % 2 ? SENDER_HEADER_REMOVE : SENDER_HEADER_FALLBACK,
                             .remove_dkim_signatures = true,
                             .unauthorised = unauthorised,
                             .trace = "rewritten"};
    ReplyToOutcome outcome;
    g_autoptr(Edits) edits = rewrite_edits(&rewrite, fields, &outcome);
    g_autoptr(HeaderFields) postfix = edits_applied(fields, edits, MTA_POSTFIX);
    g_autoptr(HeaderFields) sendmail = edits_applied(fields, edits, MTA_SENDMAIL);

    check(edits_length(edits) <= EDITS_MAX);
    if (edits_is_over(edits))
        return;
    for (guint i = 0; i < edits_length(edits); i++)
        if (edits_at(edits, i)->value != NULL)
            check_value(edits_at(edits, i)->value);
    check_header(postfix);
    check_header(sendmail);
    check_reply_to(authors, postfix, outcome);
    check(header_fields_length(postfix) == header_fields_length(sendmail));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    prepare();
    run((const char *)data, size);
    return 0;
}
