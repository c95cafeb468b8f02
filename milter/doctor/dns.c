#include "config.h"

#include "doctor/dns.h"

#include <string.h>
#include <unistd.h>

#include "base/clock.h"

#define RESOLV_CONF "/etc/resolv.conf"
#define ROOT_KEY "/usr/share/dns/root.key" /* package dns-root-data */
#define SLOW_MILLISECONDS 1000

/* Returns how long an answer about name took, in milliseconds; -1 where none came. */
static gint64 time_of_answer(Dns *dns, const char *name, guint seconds)
{
    gint64 begin = clock_monotonic(&clock_system);
    g_autoptr(DnsAnswer) answer = dns_lookup(dns, name, DNS_NS, begin + seconds * CLOCK_SECOND);

    if (answer->status == DNS_TROUBLE)
        return -1;
    return (clock_monotonic(&clock_system) - begin) / CLOCK_MILLISECOND;
}

static void add_time(Doctor *doctor, const char *server, gint64 milliseconds)
{
    if (milliseconds < 0)
        findings_add(doctor, FINDING_ERROR, "resolver",
                     "%s does not answer within %u s (dns_timeout)", server,
                     doctor->settings->dns_timeout);
    else if (milliseconds > SLOW_MILLISECONDS)
        findings_add(doctor, FINDING_WARNING, "resolver",
                     "%s answers, but only after %" G_GINT64_FORMAT " ms", server, milliseconds);
    else
        findings_add(doctor, FINDING_FINE, "resolver", "%s answers, in %" G_GINT64_FORMAT " ms",
                     server, milliseconds);
}

static void examine_server(Doctor *doctor, const char *server)
{
    const char *const servers[] = {server, NULL};
    const DnsUnboundOptions options = {.servers = servers,
                                       .timeout = doctor->settings->dns_timeout,
                                       .trust_anchor = "",
                                       .max_ttl = 1,
                                       .max_negative_ttl = 1};
    g_autoptr(GError) error = NULL;
    g_autoptr(Dns) dns = dns_unbound_new(&options, &error);

    if (dns == NULL)
        findings_add(doctor, FINDING_ERROR, "resolver", "%s: %s", server, error->message);
    else
        add_time(doctor, server,
                 time_of_answer(dns, doctor->settings->fallback->domain_name,
                                doctor->settings->dns_timeout));
}

/* The servers that resolv.conf names, of char *. */
static GPtrArray *system_servers(void)
{
    GPtrArray *servers = g_ptr_array_new_with_free_func(g_free);
    g_autofree char *text = NULL;
    g_auto(GStrv) lines = NULL;

    if (!g_file_get_contents(RESOLV_CONF, &text, NULL, NULL))
        return servers;
    lines = g_strsplit(text, "\n", -1);
    for (guint i = 0; lines[i] != NULL; i++) {
        char *line = g_strstrip(lines[i]);

        if (g_str_has_prefix(line, "nameserver") && g_ascii_isspace(line[strlen("nameserver")]))
            g_ptr_array_add(servers, g_strdup(g_strstrip(line + strlen("nameserver"))));
    }
    return servers;
}

static void examine_servers(Doctor *doctor)
{
    g_autoptr(GPtrArray) servers = NULL;

    if (doctor->settings->dns_servers[0] != NULL) {
        for (guint i = 0; doctor->settings->dns_servers[i] != NULL; i++)
            examine_server(doctor, doctor->settings->dns_servers[i]);
        return;
    }
    servers = system_servers();
    if (servers->len == 0)
        findings_add(doctor, FINDING_ERROR, "resolver", RESOLV_CONF " names no nameserver");
    for (guint i = 0; i < servers->len; i++)
        examine_server(doctor, g_ptr_array_index(servers, i));
}

static void examine_anchor(Doctor *doctor)
{
    const char *file = doctor->settings->dns_trust_anchor;
    bool is_default = file == NULL;

    if (is_default && doctor->settings->dns_servers[0] != NULL)
        return;
    if (!is_default && *file == '\0')
        return;
    file = is_default ? ROOT_KEY : file;
    if (access(file, R_OK) == 0)
        findings_add(doctor, FINDING_FINE, "trust-anchor", "DNSSEC is validated with %s", file);
    else if (is_default)
        finding_command(findings_add(doctor, FINDING_WARNING, "trust-anchor",
                                     "DNSSEC is not validated here: there is no %s", file),
                        "apt-get install dns-root-data");
    else
        findings_add(doctor, FINDING_ERROR, "trust-anchor", "dns_trust_anchor: %s can't be read",
                     file);
}

void doctor_dns(Doctor *doctor)
{
    const char *zone_file = doctor->settings->dns_zone_file;

    if (zone_file != NULL) {
        findings_add(
            doctor, FINDING_WARNING, "zone-file",
            "dns_zone_file: answers come from %s, not from the DNS: right for a trial only",
            zone_file);
        return;
    }
    examine_servers(doctor);
    examine_anchor(doctor);
}

static void add_networks(Doctor *doctor)
{
    const GArray *networks = doctor->relays->networks;
    g_autoptr(GString) text = g_string_new(NULL);
    const guint shown = 6;

    for (guint i = 0; i < MIN(networks->len, shown); i++) {
        char network[NETWORK_TEXT_MAX];

        g_string_append_printf(text, "%s%s", i > 0 ? ", " : "",
                               network_text(&g_array_index(networks, Network, i), network));
    }
    if (networks->len > shown)
        g_string_append_printf(text, " and %u more", networks->len - shown);
    findings_add(doctor, FINDING_FINE, "relay-set", "mail leaves from %s", text->str);
}

/* What it means that a relay host is not known. */
static void add_incompleteness(Doctor *doctor)
{
    if (relays_unknown(doctor->relays) == NULL)
        return;
    if (doctor->relays->networks->len == 0)
        findings_add(doctor, FINDING_ERROR, "relay-set",
                     "relay_hosts can't be looked up: every verdict is temperror");
    else if (doctor->settings->relay_policy == RELAY_POLICY_ALL)
        findings_add(doctor, FINDING_ERROR, "relay-set",
                     "the relay set is incomplete: no domain is vouched for, all of them are "
                     "rewritten");
    else
        findings_add(doctor, FINDING_ERROR, "relay-set",
                     "the relay set is incomplete: entries of relay_hosts that are not known "
                     "authorise no domain");
}

void doctor_relays(Doctor *doctor)
{
    g_autoptr(GError) error = NULL;

    if (doctor->dns == NULL)
        return;
    doctor->relays = relays_resolve(doctor->settings, doctor->dns, &error);
    if (doctor->relays == NULL) {
        finding_advise(findings_add(doctor, FINDING_ERROR, "relay-set", "%s", error->message),
                       "in %s write relay_hosts = { \"ADDRESS\" } with the address that receivers "
                       "see, or { \"spf:DOMAIN\" } for a provider, then: spfrom reload",
                       doctor->file);
        return;
    }
    if (doctor->relays->networks->len > 0)
        add_networks(doctor);
    add_incompleteness(doctor);
    for (guint i = 0; i < doctor->relays->problems->len; i++)
        findings_add(doctor, FINDING_WARNING, "relay-set", "relay_hosts: %s",
                     (const char *)g_ptr_array_index(doctor->relays->problems, i));
}

bool doctor_dns_has_relay(const Doctor *doctor, const Network *network)
{
    for (guint i = 0; doctor->relays != NULL && i < doctor->relays->networks->len; i++)
        if (network_contains(&g_array_index(doctor->relays->networks, Network, i), network))
            return true;
    return false;
}
