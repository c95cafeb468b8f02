#include "config.h"

#include "advice/letter_mail.h"

#include <stdlib.h>
#include <string.h>

#include "base/clock.h"

#include "unit/table.h"

#define NOON (G_GINT64_CONSTANT(1772366400) * CLOCK_SECOND) /* 2026-03-01 12:00 UTC */

/* The message with that subject and body. */
static char *mail_of(const char *subject, const char *body, const Mailbox *reply_to)
{
    g_autoptr(Mailbox) from = mailbox_parse("noreply@lemniscus.de");

    from->display_name = g_strdup("B\xc3\xbcro");
    return letter_mail_text(&(LetterMail){.from = from,
                                          .reply_to = reply_to,
                                          .to = "anna@praxis.example",
                                          .subject = subject,
                                          .body = body,
                                          .message_id = "x@lemniscus.de",
                                          .now = NOON});
}

static void test_whole(void **state G_GNUC_UNUSED)
{
    g_autoptr(Mailbox) reply_to = mailbox_parse("office@lemniscus.de");
    g_autofree char *mail = mail_of("praxis.example: a record is missing", "Hello\n", reply_to);

    assert_string_equal(mail, "Date: Sun, 1 Mar 2026 12:00:00 +0000\n"
                              "From: =?utf-8?B?QsO8cm8=?= <noreply@lemniscus.de>\n"
                              "Reply-To: office@lemniscus.de\n"
                              "To: anna@praxis.example\n"
                              "Subject: praxis.example: a record is missing\n"
                              "Message-ID: <x@lemniscus.de>\n"
                              "Auto-Submitted: auto-generated\n"
                              "MIME-Version: 1.0\n"
                              "Content-Type: text/plain; charset=utf-8\n"
                              "Content-Transfer-Encoding: 7bit\n"
                              "\n"
                              "Hello\n");
}

/* How a body is encoded. */
static const struct row {
    const char *name;
    const char *body;
    const char *encoded;
    bool is_quoted;
} rows[] = {
    {"no line end", "Hello", "Hello\n", false},
    {"empty", "", "", false},
    {"a dot alone", "a\n.\nb\n", "a\n.\nb\n", false},
    {"not ASCII",
     "Gr\xc3\xbc\xc3\x9f"
     "e\n",
     "Gr=C3=BC=C3=9Fe\n", true},
    {"an equals sign stays", "v=spf1\n", "v=spf1\n", false},
    {"an equals sign of a text that is not ASCII", "\xc3\xbc v=spf1\n", "=C3=BC v=3Dspf1\n", true},
    {"a blank at the end of a line", "-- \n\xc3\xbc\n", "--=20\n=C3=BC\n", true},
};

static void test_body(void **state)
{
    const struct row *row = *state;
    g_autofree char *mail = mail_of("x", row->body, NULL);
    const char *body = strstr(mail, "\n\n") + strlen("\n\n");

    assert_string_equal(body, row->encoded);
    assert_int_equal(strstr(mail, "quoted-printable") != NULL, row->is_quoted);
    assert_null(strstr(mail, "Reply-To"));
}

/* A record of any length: no line is longer than RFC 5322 section 2.1.1 has it. */
static void test_long(void **state G_GNUC_UNUSED)
{
    g_autofree char *record = g_strnfill(5000, 'x');
    g_autofree char *mail = mail_of("x", record, NULL);
    g_auto(GStrv) lines = g_strsplit(mail, "\n", -1);

    for (guint i = 0; lines[i] != NULL; i++)
        assert_true(strlen(lines[i]) <= 998);
    assert_non_null(strstr(mail, "quoted-printable"));
}

/* What a stranger's domain puts into the subject makes no field. */
static void test_subject(void **state G_GNUC_UNUSED)
{
    g_autofree char *mail = mail_of("x\r\nBcc: eve@evil.example\r\n\r\nevil", "Hello\n", NULL);

    assert_null(strstr(mail, "\nBcc:"));
    assert_true(g_str_has_suffix(mail, "quoted-printable\n\nHello\n") ||
                g_str_has_suffix(mail, "7bit\n\nHello\n"));
    assert_null(strchr(mail, '\r'));
}

static const struct zone_row {
    const char *name; /* as TZ has it */
    const char *date;
} zone_rows[] = {
    {"UTC", "Date: Sun, 1 Mar 2026 12:00:00 +0000\n"},
    {"XXX-5:30", "Date: Sun, 1 Mar 2026 17:30:00 +0530\n"},
    {"XXX3:30", "Date: Sun, 1 Mar 2026 08:30:00 -0330\n"},
};

static void test_zone(void **state)
{
    const struct zone_row *row = *state;
    g_autofree char *mail = NULL;

    setenv("TZ", row->name, 1);
    mail = mail_of("x", "Hello\n", NULL);
    setenv("TZ", "UTC", 1);
    assert_true(g_str_has_prefix(mail, row->date));
}

int main(void)
{
    GArray *tests = table_new();

    setenv("TZ", "UTC", 1);
    mailboxes_init();
    TABLE_ADD(tests, rows, test_body);
    TABLE_ADD(tests, zone_rows, test_zone);
    table_add(tests, "whole", test_whole, NULL);
    table_add(tests, "a line of any length", test_long, NULL);
    table_add(tests, "subject", test_subject, NULL);
    return table_run(tests, "letter_mail");
}
