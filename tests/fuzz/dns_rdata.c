#include "config.h"

#include "dns/dns_message.h"

#include <stddef.h>
#include <stdint.h>
#include <string.h>

/* The first octet chooses the type, the rest is RDATA. What is added has the form that dns.h
 * promises. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check(const DnsRecord *record, DnsType type)
{
    if (record->data[record->length] != '\0')
        __builtin_trap();
    if (type == DNS_A && record->length != 4)
        __builtin_trap();
    if (type == DNS_AAAA && record->length != 16)
        __builtin_trap();
    if ((type == DNS_NS || type == DNS_PTR || type == DNS_MX) &&
        (strlen(record->data) != record->length || !dns_is_name(record->data)))
        __builtin_trap();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    g_autoptr(DnsAnswer) answer = dns_answer_new(DNS_FOUND, 60);
    DnsType type;

    if (size == 0)
        return 0;
    type = (DnsType)(data[0] % (DNS_TYPES));
    if (!dns_message_add_rdata(answer, type, data + 1, size - 1) && answer->records->len > 0)
        __builtin_trap();
    for (guint i = 0; i < answer->records->len; i++)
        check(dns_answer_at(answer, i), type);
    return 0;
}
