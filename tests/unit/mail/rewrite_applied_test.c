#include "config.h"

#include "mail/rewrite.h"

#include <string.h>

#include "unit/table.h"
#include "unit/mail/edits_applied.h"
#include "unit/mail/header_text.h"

/* What holds of every message that was rewritten, at every MTA. */

#define OTHERS                                                                                     \
    "Received: from x\n by y\nTo: =?utf-8?Q?x?= <x@y.example>,\n\tz@y.example\nSubject:  s "       \
    "\nX-Empty:\n"

static const char *const messages[] = {
    "From: a@b.example\n",
    "From: \"Praxis M\xc3\xbcller\" <mueller@b.example>\n",
    "From: Praxis M\xfcller <mueller@b.example>\n",
    OTHERS "From: Praxis Nord <a@b.example>\nCc: z@y.example\n",
    "From: Praxis Nord <a@b.example>\n" OTHERS "From: c@d.example\nfrom: e@f.example\n",
    OTHERS,
    "From:\n" OTHERS,
    "From: \n \n" OTHERS "From: a@b.example\n",
    "From: a@b@c.example\n" OTHERS,
    "From: <a@x.example> <b@y.example>\n" OTHERS,
    "From: M\xc3\xbcller, Dr. <a@b.example>\n" OTHERS,
    "From: g: a@b.example, X <c@d.example>;\n" OTHERS,
    "From: g:;\n" OTHERS,
    "From: a@b.example, c@d.example,\n e@f.example\n" OTHERS,
    "From: a@[192.0.2.1]\n",
    "From: \"unbalanced <a@b.example>\n",
    "From: (((((a@b.example\n",
    "From: =?utf-8?Q?=0D=0ABcc=3A_v=40w.example=0D=0A=0D=0A?= <a@b.example>\n",
    "From: =?utf-8?Q?=0D=0ABcc:_v@w.example=0D=0A?= <a@b.example>\n",
    "From: \"=?utf-8?Q?a=40b.example?=\" <a@b.example>\n",
    "From: =?x-unknown?B?AAAA?= <a@b.example>\n",
    "From: =?utf-8?Q?"
    "=E2=80=AE=E2=80=8B?= <a@b.example>\n",
    "From: \xe2\x80\xae\xe2\x81\xa6 M <a@b.example>\n",
    "From: j\xc3\xb6rg@m\xc3\xbcller.example\n",
    "From: \"a b\"@c.example\n",
    "From: M\n <a@\n b.example>\n",
    "Reply-To:\nFrom: a@b.example\nReply-To: \n \n",
    "Reply-To: r@r.example\nFrom: a@b.example\n",
    "Sender: s@b.example\nFrom: a@b.example\nSender: t@b.example\nReturn-Path: <a@b.example>\n",
    "X-SPFrom: forged\n" OTHERS "X-SPFrom: forged\nFrom: a@b.example\nAuthor: z@z.example\n",
    "DKIM-Signature: d=b.example\nFrom: a@b.example\nDKIM-Signature: d=ok.example\n"
    "DKIM-Signature: d=B.example;\nX-Original-From: z@z.example\n",
    "Resent-From: a@b.example\nResent-Sender: a@b.example\nFrom: a@b.example\n",
};

static const char *const touched[] = {"From",   "Reply-To",        "Sender",   "Return-Path",
                                      "Author", "X-Original-From", "X-SPFrom", "DKIM-Signature"};

static bool is_touched(const HeaderField *field)
{
    for (size_t i = 0; i < G_N_ELEMENTS(touched); i++)
        if (header_field_is_named(field, touched[i]))
            return true;
    return false;
}

/* The header as text; without the fields that a rewrite touches where untouched_only is set. */
static char *as_text(const HeaderFields *fields, bool untouched_only)
{
    GString *text = g_string_new(NULL);

    for (guint i = 0; i < header_fields_length(fields); i++) {
        const HeaderField *field = header_fields_at(fields, i);

        if (!untouched_only || !is_touched(field))
            g_string_append_printf(text, "%s: %s\n", field->name, field->value);
    }
    return g_string_free(text, FALSE);
}

static char *addresses_of(const Mailboxes *mailboxes)
{
    GString *text = g_string_new(NULL);

    for (guint i = 0; i < mailboxes->mailboxes->len; i++)
        g_string_append_printf(text, "%s\n", mailboxes_at(mailboxes, i)->addr_spec);
    return g_string_free(text, FALSE);
}

static Edits *rewrite(const HeaderFields *fields)
{
    static const char *const author_header[] = {"Author", "X-Original-From", NULL};
    static const char *const unauthorised[] = {"b.example", NULL};
    g_autoptr(Mailboxes) authors = mailboxes_parse(fields, "From");
    g_autoptr(Mailbox) fallback = mailbox_parse("noreply@fallback.example");
    const Rewrite what = {
        .authors = authors,
        .fallback = fallback,
        .display_name = "%n",
        .display_name_missing = "%l",
        .add_reply_to = true,
        .author_header = author_header,
        .remove_dkim_signatures = true,
        .unauthorised = unauthorised,
        .trace = "rewritten; domain=b.example; spf=softfail; relay=192.0.2.25",
    };
    ReplyToOutcome reply_to;

    return rewrite_edits(&what, fields, &reply_to);
}

/* No text that was written can start another header, and all of it fits into lines. */
static void check_values(const Edits *edits)
{
    for (guint i = 0; i < edits_length(edits); i++) {
        const char *value = edits_at(edits, i)->value;
        g_auto(GStrv) lines = g_strsplit(value != NULL ? value : "x", "\n", -1);

        assert_null(strchr(value != NULL ? value : "", '\r'));
        for (guint line = 0; lines[line] != NULL; line++) {
            assert_true(strlen(lines[line]) + strlen("X-Original-From: ") <= 998);
            assert_true(line == 0 || lines[line][0] == ' ');
            assert_true(lines[line][strspn(lines[line], " \t")] != '\0');
        }
    }
}

static void check_from(const HeaderFields *after)
{
    g_autoptr(Mailboxes) authors = mailboxes_parse(after, "From");

    assert_int_equal(header_fields_count(after, "From"), 1);
    assert_false(authors->is_doubtful);
    assert_int_equal(authors->mailboxes->len, 1);
    assert_string_equal(mailboxes_at(authors, 0)->addr_spec, "noreply@fallback.example");
    if (mailboxes_at(authors, 0)->display_name != NULL)
        assert_null(strchr(mailboxes_at(authors, 0)->display_name, '@'));
}

/* An own Reply-To: stays; else replies reach every author that could be read. */
static void check_reply_to(const HeaderFields *before, const HeaderFields *after)
{
    g_autoptr(Mailboxes) authors = mailboxes_parse(before, "From");
    g_autoptr(Mailboxes) own = mailboxes_parse(before, "Reply-To");
    g_autoptr(Mailboxes) reply_to = mailboxes_parse(after, "Reply-To");
    g_autofree char *wanted = addresses_of(own->is_missing ? authors : own);
    g_autofree char *got = addresses_of(reply_to);

    assert_string_equal(got, wanted);
    if (own->is_missing && authors->mailboxes->len > 0) {
        assert_int_equal(header_fields_count(after, "Reply-To"), 1);
        assert_false(reply_to->is_doubtful);
    }
}

static void check_others(const HeaderFields *before, const HeaderFields *after)
{
    g_autofree char *wanted = as_text(before, true);
    g_autofree char *got = as_text(after, true);

    assert_string_equal(got, wanted);
}

static void test_rewritten(void **state)
{
    g_autoptr(HeaderFields) before = header_text_parse(*state);
    g_autoptr(Edits) edits = rewrite(before);
    g_autoptr(HeaderFields) postfix = edits_applied(before, edits, MTA_POSTFIX);
    g_autoptr(HeaderFields) sendmail = edits_applied(before, edits, MTA_SENDMAIL);
    g_autofree char *at_postfix = as_text(postfix, false);
    g_autofree char *at_sendmail = as_text(sendmail, false);

    assert_string_equal(at_sendmail, at_postfix);
    check_values(edits);
    check_from(postfix);
    check_reply_to(before, postfix);
    check_others(before, postfix);
    assert_int_equal(header_fields_count(postfix, "Return-Path"), 0);
    assert_int_equal(header_fields_count(postfix, "Sender"), 0);
    assert_int_equal(header_fields_count(postfix, "X-SPFrom"), 1);
    assert_true(header_field_is_named(header_fields_at(postfix, 0), "X-SPFrom"));
}

/* The original can be read again: what is in Author is what was in From. */
static void test_original_is_kept(void **state)
{
    g_autoptr(HeaderFields) before = header_text_parse(*state);
    g_autoptr(Edits) edits = rewrite(before);
    g_autoptr(HeaderFields) after = edits_applied(before, edits, MTA_POSTFIX);
    g_autoptr(Mailboxes) wanted = mailboxes_parse(before, "From");
    g_autoptr(Mailboxes) got = mailboxes_parse(after, "Author");
    g_autofree char *wanted_addresses = addresses_of(wanted);
    g_autofree char *got_addresses = addresses_of(got);

    if (header_fields_count(before, "Author") > 0)
        return;
    assert_string_equal(got_addresses, wanted_addresses);
    if (!wanted->is_missing)
        assert_int_equal(header_fields_count(after, "X-Original-From"), 1);
}

int main(void)
{
    GArray *tests = table_new();

    for (size_t i = 0; i < G_N_ELEMENTS(messages); i++) {
        table_add(tests, messages[i], test_rewritten, messages[i]);
        table_add(tests, messages[i], test_original_is_kept, messages[i]);
    }
    mailboxes_init();
    return table_run(tests, "rewrite_applied");
}
