#include "config.h"

#include "dns/dns_message.h"

#include <stddef.h>
#include <stdint.h>
#include <string.h>

/* The first octet is the length of a question, behind which stands what is said to be the answer. A
 * SERVFAIL made for any question is one. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    g_autoptr(GByteArray) failure = g_byte_array_new();
    char name[DNS_NAME_MAX + 1];
    size_t length;

    if (size == 0)
        return 0;
    length = MIN((size_t)data[0], size - 1);
    if (!dns_message_is_question(data + 1, length, name))
        return 0;
    if (strlen(name) > DNS_NAME_MAX)
        __builtin_trap();
    dns_message_kind(data + 1 + length, size - 1 - length, data + 1, length);
    dns_message_fail(failure, data + 1, length);
    if (dns_message_kind(failure->data, failure->len, data + 1, length) != DNS_MESSAGE_FAILURE)
        __builtin_trap();
    return 0;
}
