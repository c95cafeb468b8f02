/*
 * Prints the authors of the message on stdin and whom a reply reaches, as GMime reads them: JSON,
 * field → [[name, address], …].
 */
#include <glib.h>
#include <gmime/gmime.h>
#include <jansson.h>
#include <stdio.h>
#include <unistd.h>

static void append(json_t *mailboxes, InternetAddressList *list)
{
    for (int i = 0; i < internet_address_list_length(list); i++) {
        InternetAddress *address = internet_address_list_get_address(list, i);
        const char *name = internet_address_get_name(address);

        if (INTERNET_ADDRESS_IS_GROUP(address)) {
            append(mailboxes, internet_address_group_get_members(INTERNET_ADDRESS_GROUP(address)));
            continue;
        }
        const char *mailbox = internet_address_mailbox_get_addr(INTERNET_ADDRESS_MAILBOX(address));
        json_array_append_new(mailboxes, json_pack("[s, s]", name != NULL ? name : "", mailbox));
    }
}

static json_t *mailboxes_of(GMimeMessage *message, GMimeAddressType type)
{
    json_t *mailboxes = json_array();

    append(mailboxes, g_mime_message_get_addresses(message, type));
    return mailboxes;
}

int main(void)
{
    g_mime_init();

    GMimeStream *stream = g_mime_stream_pipe_new(STDIN_FILENO);
    GMimeParser *parser = g_mime_parser_new_with_stream(stream);
    GMimeMessage *message = g_mime_parser_construct_message(parser, NULL);

    if (message == NULL)
        return 1;

    json_t *fields =
        json_pack("{s: o, s: o}", "From", mailboxes_of(message, GMIME_ADDRESS_TYPE_FROM),
                  "Reply-To", mailboxes_of(message, GMIME_ADDRESS_TYPE_REPLY_TO));

    json_dumpf(fields, stdout, JSON_ENSURE_ASCII);
    json_decref(fields);
    g_object_unref(message);
    g_object_unref(parser);
    g_object_unref(stream);
    return 0;
}
