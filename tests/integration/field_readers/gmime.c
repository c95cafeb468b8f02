/*
 * Reads From: fields as GMime does: a line of base64 on stdin is the value of one field, a line of
 * JSON on stdout its mailboxes, [[name, address], …].
 */
#include <glib.h>
#include <gmime/gmime.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>

static json_t *text_of(const char *text)
{
    g_autofree char *valid = g_utf8_make_valid(text != NULL ? text : "", -1);

    return json_string(valid);
}

static void append(json_t *mailboxes, InternetAddressList *list)
{
    for (int i = 0; i < internet_address_list_length(list); i++) {
        InternetAddress *address = internet_address_list_get_address(list, i);

        if (INTERNET_ADDRESS_IS_GROUP(address)) {
            append(mailboxes, internet_address_group_get_members(INTERNET_ADDRESS_GROUP(address)));
            continue;
        }
        const char *mailbox = internet_address_mailbox_get_addr(INTERNET_ADDRESS_MAILBOX(address));
        json_array_append_new(
            mailboxes,
            json_pack("[o, o]", text_of(internet_address_get_name(address)), text_of(mailbox)));
    }
}

static json_t *read_message(const char *octets, gsize length)
{
    GMimeStream *stream = g_mime_stream_mem_new_with_buffer(octets, length);
    GMimeParser *parser = g_mime_parser_new_with_stream(stream);
    GMimeMessage *message = g_mime_parser_construct_message(parser, NULL);
    json_t *mailboxes = json_array();

    if (message != NULL) {
        append(mailboxes, g_mime_message_get_addresses(message, GMIME_ADDRESS_TYPE_FROM));
        g_object_unref(message);
    }
    g_object_unref(parser);
    g_object_unref(stream);
    return mailboxes;
}

int main(void)
{
    char *line = NULL;
    size_t size = 0;

    g_mime_init();
    while (getline(&line, &size, stdin) > 0) {
        gsize length;
        g_autofree guchar *value = g_base64_decode(line, &length);
        g_autoptr(GString) message = g_string_new("From: ");

        g_string_append_len(message, (const char *)value, (gssize)length);
        g_string_append(message, "\r\n\r\n");
        json_t *mailboxes = read_message(message->str, message->len);

        json_dumpf(mailboxes, stdout, JSON_ENSURE_ASCII);
        putchar('\n');
        fflush(stdout);
        json_decref(mailboxes);
    }
    free(line);
    return 0;
}
