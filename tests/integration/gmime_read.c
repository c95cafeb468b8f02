/* Prints the mailboxes of fields of the message on stdin as GMime reads them: JSON, field → [[name or "", address]…]. */
#include <glib.h>
#include <gmime/gmime.h>
#include <jansson.h>
#include <stdio.h>

static const char *const names[] = {"From", "Reply-To", "Author", "X-Original-From"};

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

static json_t *read_field(GMimeObject *message, const char *name)
{
    json_t *mailboxes = json_array();
    const char *value = g_mime_header_list_contains(message->headers, name)
                            ? g_mime_header_get_raw_value(g_mime_header_list_get_header(message->headers, name))
                            : NULL;
    InternetAddressList *list = value != NULL ? internet_address_list_parse(NULL, value) : NULL;

    if (list != NULL) {
        append(mailboxes, list);
        g_object_unref(list);
    }
    return mailboxes;
}

int main(void)
{
    g_mime_init();

    GMimeStream *stream = g_mime_stream_file_new(stdin);
    GMimeParser *parser = g_mime_parser_new_with_stream(stream);
    GMimeMessage *message = g_mime_parser_construct_message(parser, NULL);
    json_t *fields = json_object();

    if (message == NULL)
        return 1;
    for (size_t i = 0; i < G_N_ELEMENTS(names); i++)
        json_object_set_new(fields, names[i], read_field(GMIME_OBJECT(message), names[i]));
    json_dumpf(fields, stdout, JSON_ENSURE_ASCII);
    json_decref(fields);
    g_object_unref(message);
    g_object_unref(parser);
    g_object_unref(stream);
    return 0;
}
