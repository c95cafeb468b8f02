#include "config.h"

#include "advice/letter_mail.h"

#include <gmime/gmime.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "mail/composer.h"

#define LINE_MAX_7BIT 900 /* octets; RFC 5322 section 2.1.1 has 998 */

static void append_field(GString *text, const char *name, const char *value)
{
    g_string_append_printf(text, "%s: %s\n", name, value);
}

static void append_mailbox(GString *text, const char *name, const Mailbox *mailbox)
{
    Composer composer;
    g_autofree char *value = NULL;

    composer_init(&composer, name);
    composer_append_mailbox(&composer, mailbox->display_name, mailbox->addr_spec);
    value = composer_take(&composer);
    append_field(text, name, value);
}

static void append_subject(GString *text, const char *subject)
{
    Composer composer;
    g_autofree char *value = NULL;

    composer_init(&composer, "Subject");
    composer_append_text(&composer, subject);
    value = composer_take(&composer);
    append_field(text, "Subject", value);
}

/* RFC 5322 section 3.3, in English whatever the locale is. */
static void append_date(GString *text, gint64 now)
{
    static const char *const days[] = {"Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"};
    static const char *const months[] = {"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                         "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
    g_autoptr(GDateTime) time = g_date_time_new_from_unix_local(now / CLOCK_SECOND);
    int minutes = (int)(g_date_time_get_utc_offset(time) / G_TIME_SPAN_MINUTE);

    g_string_append_printf(
        text, "Date: %s, %d %s %d %02d:%02d:%02d %c%02d%02d\n",
        days[g_date_time_get_day_of_week(time) - 1], g_date_time_get_day_of_month(time),
        months[g_date_time_get_month(time) - 1], g_date_time_get_year(time),
        g_date_time_get_hour(time), g_date_time_get_minute(time), g_date_time_get_second(time),
        minutes < 0 ? '-' : '+', abs(minutes) / 60, abs(minutes) % 60);
}

static bool is_7bit(const char *body)
{
    for (const char *line = body; *line != '\0';) {
        size_t length = strcspn(line, "\n");

        if (length > LINE_MAX_7BIT)
            return false;
        line += length + (line[length] == '\n');
    }
    return g_str_is_ascii(body);
}

static void append_quoted_printable(GString *text, const char *body)
{
    GMimeEncoding encoding;
    size_t length = strlen(body);
    g_autofree char *encoded = NULL;
    size_t used;

    g_mime_encoding_init_encode(&encoding, GMIME_CONTENT_ENCODING_QUOTEDPRINTABLE);
    encoded = g_malloc(g_mime_encoding_outlen(&encoding, length));
    used = g_mime_encoding_flush(&encoding, body, length, encoded);
    g_string_append_len(text, encoded, (gssize)used);
}

char *letter_mail_text(const LetterMail *mail)
{
    GString *text = g_string_new(NULL);
    bool is_plain = is_7bit(mail->body);

    append_date(text, mail->now);
    append_mailbox(text, "From", mail->from);
    if (mail->reply_to != NULL)
        append_mailbox(text, "Reply-To", mail->reply_to);
    append_field(text, "To", mail->to);
    append_subject(text, mail->subject);
    g_string_append_printf(text, "Message-ID: <%s>\n", mail->message_id);
    append_field(text, "Auto-Submitted", "auto-generated"); /* RFC 3834 section 5 */
    append_field(text, "MIME-Version", "1.0");
    append_field(text, "Content-Type", "text/plain; charset=utf-8");
    append_field(text, "Content-Transfer-Encoding", is_plain ? "7bit" : "quoted-printable");
    g_string_append_c(text, '\n');
    if (is_plain)
        g_string_append(text, mail->body);
    else
        append_quoted_printable(text, mail->body);
    if (text->str[text->len - 1] != '\n')
        g_string_append_c(text, '\n');
    return g_string_free(text, FALSE);
}
