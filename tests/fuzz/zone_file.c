#include "config.h"

#include <glib.h>
#include <stddef.h>
#include <stdint.h>

#include "dns/dns.h"

/* Any text is a zone file or an error, and every question to it has an answer that is whole. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check(Dns *dns, const char *name, DnsType type)
{
    g_autoptr(DnsAnswer) answer = dns_lookup(dns, name, type, 0);

    if ((answer->status == DNS_FOUND) != (answer->records->len > 0))
        __builtin_trap();
    if ((answer->status == DNS_TROUBLE) != (answer->trouble != NULL))
        __builtin_trap();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const char *const names[] = {
        "a", "b.a", "c.b.a", "a.example.org", "x.w.example.org", "example.org"};
    g_autofree char *text = g_strndup((const char *)data, size);
    g_autoptr(GError) error = NULL;
    g_autoptr(Dns) dns = dns_zone_file_new(text, "zone", &error);

    if ((dns == NULL) != (error != NULL))
        __builtin_trap();
    for (size_t i = 0; dns != NULL && i < G_N_ELEMENTS(names); i++)
        for (DnsType type = DNS_A; type <= DNS_AAAA; type++)
            check(dns, names[i], type);
    return 0;
}
