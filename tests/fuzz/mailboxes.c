/* mailboxes_parse() and mailbox_parse_path() on the octets of one field. */
#include "config.h"

#include "mail/mailboxes.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check(bool holds)
{
    if (!holds)
        abort();
}

static void check_line(const char *text)
{
    check(g_utf8_validate(text, -1, NULL));
    check(strpbrk(text, "\r\n") == NULL);
}

/* What was read is a mailbox that everyone reads as we did. */
static void check_mailbox(const Mailbox *mailbox)
{
    g_autoptr(Mailbox) again = mailbox_parse_path(mailbox->addr_spec);

    check_line(mailbox->addr_spec);
    check_line(mailbox->local_part);
    check(mailbox->local_part[0] != '\0' && mailbox->domain_name != NULL);
    check(mailbox->display_name == NULL || g_utf8_validate(mailbox->display_name, -1, NULL));
    check(g_strcmp0(again->addr_spec, mailbox->addr_spec) == 0);
    check(strcmp(again->local_part, mailbox->local_part) == 0);
}

/* What is not in doubt has no line that an MTA would break. */
static void check_lines(const char *data, size_t size)
{
    size_t line = strlen("From: ");

    for (size_t i = 0; i < size; i++) {
        line = data[i] == '\n' ? 0 : line + 1;
        check(line <= 998);
    }
}

static void run(const char *data, size_t size)
{
    g_autoptr(HeaderFields) fields = header_fields_new();
    g_autoptr(Mailboxes) mailboxes = NULL;
    g_autoptr(Mailbox) path = NULL;
    g_autofree char *text = g_strndup(data, size);

    header_fields_append(fields, "From", data, (gssize)size);
    mailboxes = mailboxes_parse(fields, "From");
    check(mailboxes->is_doubtful || mailboxes->mailboxes->len > 0);
    check(mailboxes->mailboxes->len <= MAILBOXES_MAX);
    if (!mailboxes->is_doubtful)
        check_lines(data, size);
    for (guint i = 0; i < mailboxes->mailboxes->len; i++)
        check_mailbox(mailboxes_at(mailboxes, i));
    path = mailbox_parse_path(text);
    if (path->addr_spec != NULL)
        check_mailbox(path);
    check(mailbox_is_null_sender(path) == (text[0] == '\0' || strcmp(text, "<>") == 0));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static bool is_ready;

    if (!is_ready)
        mailboxes_init();
    is_ready = true;
    run((const char *)data, size);
    return 0;
}
