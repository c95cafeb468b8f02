#include "config.h"

#include "mail/rewrite.h"

#include <string.h>

#include "unit/table.h"
#include "unit/mail/header_text.h"
#include "mail/composer.h"

static const char *const default_author_header[] = {"Author", "X-Original-From", NULL};
static const char *const no_author_header[] = {NULL};
static const char *const unauthorised[] = {"b.example", "d.example", NULL};

/* A rewrite with the defaults of the configuration, but for what the row says otherwise. */
static const struct row {
    const char *name;
    const char *header;
    const char *edits; /* a line each: kind, name, index where it has one, value */
    const char *fallback;
    const char *template;
    const char *missing;
    const char *const *author_header;
    bool no_reply_to;
    SenderHeader sender_header;
    bool is_sender_authorised;
    bool keep_signatures;
    const char *trace;
    gsize mailbox_max;
    ReplyToOutcome reply_to;
} rows[] = {
    {.name = "one author",
     .header = "To: x@y.example\nFrom: M <a@b.example>\nSubject: s\n",
     .edits = "change From 1 M <f@f.example>\n"
              "add Reply-To M <a@b.example>\n"
              "add Author M <a@b.example>\n"
              "add X-Original-From M <a@b.example>\n"
              "insert X-SPFrom rewritten; domain=b.example\n",
     .trace = "rewritten; domain=b.example"},
    {.name = "no trace, no author header, no Reply-To",
     .header = "From: M <a@b.example>\n",
     .edits = "change From 1 M <f@f.example>\n",
     .author_header = no_author_header,
     .no_reply_to = true,
     .reply_to = REPLY_TO_NONE},

    /* The name. */
    {.name = "no name",
     .header = "From: a@b.example\n",
     .edits = "change From 1 a <f@f.example>\n",
     .author_header = no_author_header,
     .no_reply_to = true,
     .reply_to = REPLY_TO_NONE},
    {.name = "a template",
     .header = "From: M <a@b.example>\n",
     .edits = "change From 1 \"M, a, b.example\" <f@f.example>\n",
     .template = "%n, %l, %d",
     .author_header = no_author_header,
     .no_reply_to = true,
     .reply_to = REPLY_TO_NONE},
    {.name = "the fallback's name where the author has none",
     .header = "From: a@b.example\n",
     .edits = "change From 1 Fallback <f@f.example>\n",
     .fallback = "Fallback <f@f.example>",
     .missing = "",
     .author_header = no_author_header,
     .no_reply_to = true,
     .reply_to = REPLY_TO_NONE},
    {.name = "the fallback's name where no author could be read",
     .header = "From: a@b@c.example\n",
     .edits = "change From 1 Fallback <f@f.example>\n",
     .fallback = "Fallback <f@f.example>",
     .template = "%n via X",
     .author_header = no_author_header,
     .reply_to = REPLY_TO_NONE},
    {.name = "the author's name all the same where it has one",
     .header = "From: M <a@b.example>\n",
     .edits = "change From 1 M <f@f.example>\n",
     .fallback = "Fallback <f@f.example>",
     .author_header = no_author_header,
     .no_reply_to = true,
     .reply_to = REPLY_TO_NONE},
    {.name = "the name of an author that could not be read",
     .header = "From: M <a@b@c.example>\n",
     .edits = "change From 1 M <f@f.example>\nadd X-Original-From M <a@b@c.example>\n",
     .fallback = "Fallback <f@f.example>",
     .reply_to = REPLY_TO_NONE},

    /* From: there is exactly one in the end. */
    {.name = "no From",
     .header = "To: x@y.example\n",
     .edits = "add From f@f.example\n",
     .reply_to = REPLY_TO_NONE},
    {.name = "an empty From",
     .header = "From:\n",
     .edits = "change From 1 f@f.example\n",
     .reply_to = REPLY_TO_NONE},
    {.name = "three From",
     .header = "From: M <a@b.example>\nTo: x@y.example\nfrom: c@d.example\nFROM: e@f.example\n",
     .edits = "delete From 3\n"
              "delete From 2\n"
              "change From 1 M <f@f.example>\n"
              "add Reply-To M <a@b.example>, c@d.example, e@f.example\n",
     .author_header = no_author_header},
    {.name = "two authors",
     .header = "From: M <a@b.example>, N <c@d.example>\n",
     .edits = "change From 1 M <f@f.example>\n"
              "add Reply-To M <a@b.example>, N <c@d.example>\n"
              "add Author M <a@b.example>, N <c@d.example>\n"
              "add X-Original-From M <a@b.example>, N <c@d.example>\n"},
    {.name = "a group",
     .header = "From: Praxis: M <a@b.example>, c@d.example;\n",
     .edits = "change From 1 M <f@f.example>\n"
              "add Reply-To M <a@b.example>, c@d.example\n"
              "add Author M <a@b.example>, c@d.example\n"
              "add X-Original-From M <a@b.example>, c@d.example\n"},

    /* A field that shows some readers one more From:. */
    {.name = "From behind a bare CR",
     .header = "From: M <a@b.example>\nX: y\nX: s\rFrom: e@bank.example\nSubject: x\r y\n",
     .edits = "change X 2 s_From: e@bank.example\n"
              "change From 1 M <f@f.example>\n"
              "add Reply-To M <a@b.example>\n",
     .author_header = no_author_header},
    {.name = "From behind a bare CR of a field that goes",
     .header = "From: M <a@b.example>\nSender: s\rFROM : e@bank.example\n",
     .edits = "change From 1 M <f@f.example>\n"
              "delete Sender 1\n"
              "add Reply-To M <a@b.example>\n",
     .author_header = no_author_header},

    /* What could not be parsed, or only in part. */
    {.name = "in part",
     .header = "From: Praxis M\xc3\xbcller, Dr. <a@b.example>\n",
     .edits = "change From 1 Praxis =?utf-8?B?TcO8bGxlciwgRHIu?= <f@f.example>\n"
              "add Reply-To Praxis =?utf-8?B?TcO8bGxlciwgRHIu?= <a@b.example>\n"
              "add Author Praxis =?utf-8?B?TcO8bGxlciwgRHIu?= <a@b.example>\n"
              "add X-Original-From Praxis =?utf-8?B?TcO8bGxlciw=?= Dr. <a@b.example>\n"},
    {.name = "not at all",
     .header = "From: a@b@c.example,\n x\n",
     .edits = "change From 1 x <f@f.example>\nadd X-Original-From a@b@c.example, x\n",
     .reply_to = REPLY_TO_NONE},
    {.name = "in doubt, and yet of one author",
     .header = "From: Erika <erika@b.example\n",
     .edits = "change From 1 Erika <f@f.example>\n"
              "add Reply-To Erika <erika@b.example>\n"
              "add Author Erika <erika@b.example>\n"
              "add X-Original-From Erika <erika@b.example\n"},
    {.name = "a local part that needs quotes",
     .header = "From: Erika <e..m.@b.example\n",
     .edits = "change From 1 Erika <f@f.example>\nadd Reply-To Erika <\"e..m.\"@b.example>\n",
     .author_header = no_author_header},
    {.name = "the comment is the name",
     .header = "From: (Joe Muster) joe@b.example\n",
     .edits = "change From 1 Joe Muster <f@f.example>\n"
              "add Reply-To Joe Muster <joe@b.example>\n",
     .author_header = no_author_header},
    {.name = "a semicolon in the name",
     .header = "From: M&uuml;ller <a@b.example>\n",
     .edits = "change From 1 \"M&uuml;ller\" <f@f.example>\n"
              "add Reply-To \"M&uuml;ller\" <a@b.example>\n",
     .author_header = no_author_header},
    {.name = "not at all, in two fields",
     .header = "From: <a@b> <c@d>\nFrom:\nFrom: x@\n",
     .edits = "delete From 3\n"
              "delete From 2\n"
              "change From 1 f@f.example\n"
              "add X-Original-From <a@b> <c@d>, x@\n",
     .reply_to = REPLY_TO_NONE},
    {.name = "only Author is wanted",
     .header = "From: a@b@c.example\n",
     .edits = "change From 1 f@f.example\n",
     .author_header = (const char *const[]){"Author", NULL},
     .reply_to = REPLY_TO_NONE},
    {.name = "a new header in an encoded word",
     .header = "From: =?utf-8?Q?=0D=0AFrom=3A_x=40y.example?= <a@b.example>\n",
     .edits = "change From 1 \"From: x\" <f@f.example>\n"
              "add Reply-To \"From: x@y.example\" <a@b.example>\n",
     .author_header = no_author_header},

    {.name = "a name that is too long for the MTA",
     .header = "From: Praxis fuer Psychotherapie <a@b.example>\nSender: s@b.example\n",
     .edits = "change From 1 Praxis fuer Ps <f@f.example>\n"
              "change Sender 1 Fallback of a <f@f.example>\n"
              "add Reply-To Praxis fuer Ps <a@b.example>\n"
              "add Author Praxis fuer Psychotherapie <a@b.example>\n"
              "add X-Original-From Praxis fuer Psychotherapie <a@b.example>\n",
     .fallback = "Fallback of a practice <f@f.example>",
     .sender_header = SENDER_HEADER_FALLBACK,
     .mailbox_max = 28},

    /* Reply-To. */
    {.name = "a Reply-To stays",
     .header = "From: M <a@b.example>\nReply-To: r@r.example\n",
     .edits = "change From 1 M <f@f.example>\n",
     .author_header = no_author_header,
     .reply_to = REPLY_TO_KEPT},
    {.name = "a Reply-To stays, whatever it says of a mailbox",
     .header = "From: M <a@b.example>\nReply-To: r@r@r.example\nReply-To:\n",
     .edits = "change From 1 M <f@f.example>\n",
     .author_header = no_author_header,
     .reply_to = REPLY_TO_KEPT},
    {.name = "a Reply-To in an encoded word stays",
     .header = "From: M <a@b.example>\nReply-To: =?utf-8?Q?r=40r.example?=\n",
     .edits = "change From 1 M <f@f.example>\n",
     .author_header = no_author_header,
     .reply_to = REPLY_TO_KEPT},
    {.name = "a Reply-To without a mailbox is none",
     .header = "From: M <a@b.example>\nReply-To: <>\nReply-To:\nReply-To: undisclosed:;\n"
               "Reply-To: Praxis Nord\nReply-To: noreply\nReply-To: <@>\nReply-To: @, x\n",
     .edits = "delete Reply-To 7\n"
              "delete Reply-To 6\n"
              "delete Reply-To 5\n"
              "delete Reply-To 4\n"
              "delete Reply-To 3\n"
              "delete Reply-To 2\n"
              "change From 1 M <f@f.example>\n"
              "change Reply-To 1 M <a@b.example>\n",
     .author_header = no_author_header},
    {.name = "a Reply-To without a mailbox beside one with",
     .header = "From: M <a@b.example>\nReply-To: <>\nReply-To: r@r.example\n",
     .edits = "change From 1 M <f@f.example>\n",
     .author_header = no_author_header,
     .reply_to = REPLY_TO_KEPT},
    {.name = "an empty Reply-To is none",
     .header = "From: M <a@b.example>\nReply-To: \n",
     .edits = "change From 1 M <f@f.example>\nchange Reply-To 1 M <a@b.example>\n",
     .author_header = no_author_header},
    {.name = "two empty Reply-To are none",
     .header = "Reply-To:\nFrom: M <a@b.example>\nReply-To:\n\t\n",
     .edits = "delete Reply-To 2\n"
              "change From 1 M <f@f.example>\n"
              "change Reply-To 1 M <a@b.example>\n",
     .author_header = no_author_header},
    {.name = "an empty Reply-To stays where none is wanted",
     .header = "From: M <a@b.example>\nReply-To:\n",
     .edits = "change From 1 M <f@f.example>\n",
     .author_header = no_author_header,
     .no_reply_to = true,
     .reply_to = REPLY_TO_NONE},

    /* Fields that keep the original. */
    {.name = "an Author stays",
     .header = "From: M <a@b.example>\nAuthor: z@z.example\nReply-To: r@r.example\n",
     .edits = "change From 1 M <f@f.example>\nadd X-Original-From M <a@b.example>\n",
     .reply_to = REPLY_TO_KEPT},
    {.name = "a name that is listed twice",
     .header = "From: M <a@b.example>\nReply-To: r@r.example\n",
     .edits = "change From 1 M <f@f.example>\nadd Author M <a@b.example>\n",
     .author_header = (const char *const[]){"Author", "author", NULL},
     .reply_to = REPLY_TO_KEPT},

    /* Sender, Return-Path. */
    {.name = "a Sender goes",
     .header = "From: M <a@b.example>\nSender: s@b.example\nsender: t@b.example\n",
     .edits = "delete Sender 2\nchange From 1 M <f@f.example>\ndelete Sender 1\n"
              "add Reply-To M <a@b.example>\n",
     .author_header = no_author_header},
    {.name = "an authorised Sender stays",
     .header = "From: M <a@b.example>\nSender: s@s.example\n",
     .edits = "change From 1 M <f@f.example>\nadd Reply-To M <a@b.example>\n",
     .is_sender_authorised = true,
     .author_header = no_author_header},
    {.name = "a Sender is kept",
     .header = "From: M <a@b.example>\nSender: s@b.example\n",
     .edits = "change From 1 M <f@f.example>\nadd Reply-To M <a@b.example>\n",
     .sender_header = SENDER_HEADER_KEEP,
     .author_header = no_author_header},
    {.name = "a Sender becomes the fallback",
     .header = "From: M <a@b.example>\nSender: s@b.example\nSender: t@b.example\n",
     .edits = "delete Sender 2\nchange From 1 M <f@f.example>\nchange Sender 1 f@f.example\n"
              "add Reply-To M <a@b.example>\n",
     .sender_header = SENDER_HEADER_FALLBACK,
     .author_header = no_author_header},
    {.name = "no Sender is added",
     .header = "From: M <a@b.example>\n",
     .edits = "change From 1 M <f@f.example>\nadd Reply-To M <a@b.example>\n",
     .sender_header = SENDER_HEADER_FALLBACK,
     .author_header = no_author_header},
    {.name = "a Return-Path goes, Resent fields stay",
     .header = "Return-Path: <a@b.example>\nFrom: M <a@b.example>\nResent-From: a@b.example\n"
               "Resent-Sender: a@b.example\n",
     .edits = "change From 1 M <f@f.example>\ndelete Return-Path 1\nadd Reply-To M <a@b.example>\n",
     .author_header = no_author_header},

    /* Signatures. */
    {.name = "signatures of unauthorised authors go",
     .header = "DKIM-Signature: v=1; d=b.example; s=x\nDKIM-Signature: v=1; d=ok.example\n"
               "From: M <a@b.example>\nDKIM-Signature: v=1; d = D.Example;\nDKIM-Signature: v=1\n"
               "DKIM-Signature: d=sub.b.example\n",
     .edits = "delete DKIM-Signature 3\ndelete DKIM-Signature 1\nchange From 1 M <f@f.example>\n"
              "add Reply-To M <a@b.example>\n",
     .author_header = no_author_header},
    {.name = "signatures are kept",
     .header = "DKIM-Signature: v=1; d=b.example\nFrom: M <a@b.example>\n",
     .edits = "change From 1 M <f@f.example>\nadd Reply-To M <a@b.example>\n",
     .keep_signatures = true,
     .author_header = no_author_header},

    /* X-SPFrom. */
    {.name = "an X-SPFrom that came goes",
     .header = "X-SPFrom: forged\nFrom: M <a@b.example>\nx-spfrom: forged\n",
     .edits = "delete X-SPFrom 2\nchange From 1 M <f@f.example>\ndelete X-SPFrom 1\n"
              "add Reply-To M <a@b.example>\n",
     .author_header = no_author_header},
    {.name = "the mark of a return stays",
     .header = "X-SPFrom: returned; kind=reply; token=a\nX-SPFrom: forged\nFrom: M <a@b.example>\n"
               "X-SPFrom: RETURNED ; x\nX-SPFrom: returnedx\n",
     .edits = "delete X-SPFrom 4\ndelete X-SPFrom 2\nchange From 1 M <f@f.example>\n"
              "add Reply-To M <a@b.example>\n",
     .author_header = no_author_header},
    {.name = "and is replaced",
     .header = "X-SPFrom: forged\nFrom: M <a@b.example>\n",
     .edits = "change From 1 M <f@f.example>\ndelete X-SPFrom 1\nadd Reply-To M <a@b.example>\n"
              "insert X-SPFrom rewritten\n",
     .author_header = no_author_header,
     .trace = "rewritten"},
};

static char *as_text(const Edits *edits)
{
    static const char *const kinds[] = {"change", "delete", "add", "insert"};
    GString *text = g_string_new(NULL);

    for (guint i = 0; i < edits_length(edits); i++) {
        const Edit *edit = edits_at(edits, i);

        g_string_append_printf(text, "%s %s", kinds[edit->kind], edit->name);
        if (edit->index > 0)
            g_string_append_printf(text, " %u", edit->index);
        if (edit->value != NULL)
            g_string_append_printf(text, " %s", edit->value);
        g_string_append_c(text, '\n');
    }
    return g_string_free(text, FALSE);
}

static void test_edits(void **state)
{
    const struct row *row = *state;
    g_autoptr(HeaderFields) fields = header_text_parse(row->header);
    g_autoptr(Mailboxes) authors = mailboxes_parse(fields, "From");
    g_autoptr(Mailbox) fallback =
        mailbox_parse(row->fallback != NULL ? row->fallback : "f@f.example");
    const Rewrite rewrite = {
        .authors = authors,
        .fallback = fallback,
        .display_name = row->template != NULL ? row->template : "%n",
        .display_name_missing = row->missing != NULL ? row->missing : "%l",
        .add_reply_to = !row->no_reply_to,
        .author_header = row->author_header != NULL ? row->author_header : default_author_header,
        .sender_header = row->sender_header,
        .is_sender_authorised = row->is_sender_authorised,
        .remove_dkim_signatures = !row->keep_signatures,
        .unauthorised = unauthorised,
        .trace = row->trace,
        .mailbox_max = row->mailbox_max,
    };
    ReplyToOutcome reply_to;
    g_autoptr(Edits) edits = rewrite_edits(&rewrite, fields, &reply_to);
    g_autofree char *text = as_text(edits);

    assert_string_equal(text, row->edits);
    assert_int_equal(reply_to, row->reply_to);
}

static Edits *rewrite_by_default(const HeaderFields *fields, ReplyToOutcome *reply_to)
{
    g_autoptr(Mailboxes) authors = mailboxes_parse(fields, "From");
    g_autoptr(Mailbox) fallback = mailbox_parse("f@f.example");
    const Rewrite rewrite = {
        .authors = authors,
        .fallback = fallback,
        .display_name = "%n",
        .display_name_missing = "%l",
        .add_reply_to = true,
        .author_header = default_author_header,
        .remove_dkim_signatures = true,
        .unauthorised = unauthorised,
    };

    return rewrite_edits(&rewrite, fields, reply_to);
}

/* Behind the cut only the number of fields is known: what may be there counts as there. */
static void test_fields_that_are_cut(void **state)
{
    static const char *const names[] = {"From", "Reply-To", "Sender", "Return-Path", "X-SPFrom"};
    g_autoptr(HeaderFields) fields = header_fields_new();
    g_autoptr(Edits) edits = NULL;
    g_autofree char *text = NULL;
    ReplyToOutcome reply_to;

    (void)state;
    header_fields_append(fields, "From", "a@b.example", -1);
    for (guint i = 1; i < HEADER_FIELDS_MAX; i++)
        header_fields_append(fields, "X", "y", -1);
    for (guint i = 0; i < G_N_ELEMENTS(names); i++)
        header_fields_append(fields, names[i], "e@f.example", -1);
    edits = rewrite_by_default(fields, &reply_to);
    text = as_text(edits);
    assert_string_equal(text, "delete From 2\nchange From 1 a <f@f.example>\ndelete Sender 1\n"
                              "delete Return-Path 1\ndelete X-SPFrom 1\n"
                              "add Author a@b.example\nadd X-Original-From a@b.example\n");
    assert_int_equal(reply_to, REPLY_TO_KEPT);
}

/* More fields than can be counted: a Reply-To: may be among the lost ones. */
static void test_fields_that_are_lost(void **state)
{
    g_autoptr(HeaderFields) fields = header_fields_new();
    g_autoptr(Edits) edits = NULL;
    ReplyToOutcome reply_to;

    (void)state;
    for (guint i = 0; i <= 2 * HEADER_FIELDS_MAX; i++)
        header_fields_append(fields, "Sender", "", -1);
    edits = rewrite_by_default(fields, &reply_to);
    assert_int_equal(reply_to, REPLY_TO_KEPT);
    assert_true(edits_is_over(edits));
}

static void test_text_with_nul(void **state)
{
    g_autoptr(HeaderFields) fields = header_fields_new();
    g_autoptr(Edits) edits = NULL;
    g_autofree char *text = NULL;
    ReplyToOutcome reply_to;

    (void)state;
    header_fields_append(fields, "From", "a@b.example\0, c@d.example", 25);
    edits = rewrite_by_default(fields, &reply_to);
    text = as_text(edits);
    assert_string_equal(text, "change From 1 f@f.example\n"
                              "add X-Original-From a@b.example, c@d.example\n");
}

static const struct many_row {
    const char *name; /* of the fields */
    const char *value;
    guint edits; /* besides those of the fields */
} many_rows[] = {
    {"From", "a", 1},    /* X-Original-From */
    {"Reply-To", "", 3}, /* From, Author, X-Original-From */
    {"Sender", "s@b.example", 4},
    {"Return-Path", "<r@b.example>", 4},
    {"X-SPFrom", "x", 4},
    {"DKIM-Signature", "d=b.example", 4},
};

static HeaderFields *many_fields(const struct many_row *row, guint count)
{
    HeaderFields *fields = header_fields_new();

    if (strcmp(row->name, "From") != 0)
        header_fields_append(fields, "From", "a@b.example", -1);
    for (guint i = 0; i < count; i++)
        header_fields_append(fields, row->name, row->value, -1);
    return fields;
}

/* As many fields of one name as edits can take off, one more, and 10,100. */
static void test_many_fields(void **state)
{
    const struct many_row *row = *state;
    const guint most = EDITS_MAX - row->edits;
    const guint counts[] = {most, most + 1, 10100};

    for (guint i = 0; i < G_N_ELEMENTS(counts); i++) {
        g_autoptr(HeaderFields) fields = many_fields(row, counts[i]);
        ReplyToOutcome reply_to;
        g_autoptr(Edits) edits = rewrite_by_default(fields, &reply_to);

        assert_int_equal(edits_is_over(edits), counts[i] > most);
        assert_int_equal(edits_length(edits), EDITS_MAX);
        for (guint j = 0; counts[i] == most && j < most; j++)
            assert_int_equal(edits_at(edits, j)->index, most - j);
    }
}

int main(void)
{
    GArray *tests = table_new();

    TABLE_ADD(tests, rows, test_edits);
    table_add(tests, "fields that are cut", test_fields_that_are_cut, NULL);
    table_add(tests, "fields that are lost", test_fields_that_are_lost, NULL);
    table_add(tests, "text with nul", test_text_with_nul, NULL);
    for (size_t i = 0; i < G_N_ELEMENTS(many_rows); i++)
        table_add(tests, many_rows[i].name, test_many_fields, &many_rows[i]);
    mailboxes_init();
    return table_run(tests, "rewrite");
}
