#include "config.h"

#include "doctor/dns.h"

#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/deadline.h"
#include "base/domain_name.h"

#define RESOLV_CONF "/etc/resolv.conf"
#define ROOT_KEY "/usr/share/dns/root.key" /* package dns-root-data */
#define SLOW_MILLISECONDS 1000

/* Returns how long an answer about name took, in milliseconds; -1 if none came. */
static gint64 time_of_answer(Dns *dns, const char *name, Deadline deadline)
{
    gint64 begin = clock_monotonic(&clock_system);
    g_autoptr(DnsAnswer) answer = dns_lookup(dns, name, DNS_NS, deadline);

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
        add_time(
            doctor, server,
            time_of_answer(dns, doctor->settings->fallback->domain_name,
                           deadline_shortened(doctor->deadline, doctor->settings->dns_timeout)));
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

/* Adds what it means that a relay host is not known. */
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

void doctor_dns_relays(Doctor *doctor)
{
    g_autoptr(GError) error = NULL;

    if (doctor->dns == NULL)
        return;
    doctor->relays =
        relays_resolve(doctor->settings, doctor->dns, findings_check_deadline(doctor), &error);
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

static const struct {
    /* The domain below which customers submit their mail, and itself. */
    const char *host;
    /* The domain whose SPF record has the hosts that deliver. */
    const char *spf;
} providers[] = {
    {"amazonaws.com", "amazonses.com"},
    {"sendgrid.net", "sendgrid.net"},
    {"mailgun.org", "mailgun.org"},
    {"mailjet.com", "spf.mailjet.com"},
    {"brevo.com", "spf.brevo.com"},
    {"sendinblue.com", "spf.brevo.com"},
    {"postmarkapp.com", "spf.mtasv.net"},
    {"sparkpostmail.com", "sparkpostmail.com"},
    {"smtp2go.com", "spf.smtp2go.com"},
    {"gmail.com", "_spf.google.com"},
    {"office365.com", "spf.protection.outlook.com"},
    {"mail.protection.outlook.com", "spf.protection.outlook.com"},
};

const char *doctor_dns_provider(const char *host)
{
    for (size_t i = 0; i < G_N_ELEMENTS(providers); i++)
        if (domain_name_is_within(host, providers[i].host))
            return providers[i].spf;
    return NULL;
}

/* A place that mail is handed to: "[mail.example.net]:587", "example.net" (by its MX). */
typedef struct {
    char *host;
    /* It was in brackets, which means that MX records do not count. */
    bool is_literal;
} NextHop;

static void next_hop_clear(NextHop *hop)
{
    g_free(hop->host);
}

G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(NextHop, next_hop_clear)

static void next_hop_parse(NextHop *hop, const char *text)
{
    const char *end;

    hop->is_literal = *text == '[';
    text += hop->is_literal;
    end = text + strcspn(text, hop->is_literal ? "]" : ":");
    if (g_ascii_strncasecmp(text, "ipv6:", 5) == 0)
        text += 5;
    hop->host = g_ascii_strdown(text, end - text);
}

DnsAnswer *doctor_dns_lookup(const Doctor *doctor, const char *name, DnsType type)
{
    return dns_lookup(doctor->dns, name, type,
                      deadline_shortened(doctor->deadline, doctor->settings->dns_timeout));
}

/* has_trouble is set if DNS did not answer: there may be more. */
static void add_addresses(const Doctor *doctor, GArray *addresses, const char *host,
                          bool *has_trouble)
{
    static const DnsType types[] = {DNS_A, DNS_AAAA};

    for (size_t i = 0; i < G_N_ELEMENTS(types); i++) {
        g_autoptr(DnsAnswer) answer = doctor_dns_lookup(doctor, host, types[i]);

        *has_trouble |= answer->status == DNS_TROUBLE;

        for (guint at = 0; answer->status == DNS_FOUND && at < answer->records->len; at++) {
            Network network = network_from_octets(types[i] == DNS_A ? AF_INET : AF_INET6,
                                                  (const guint8 *)dns_answer_at(answer, at)->data);

            g_array_append_val(addresses, network);
        }
    }
}

/* The addresses to which an MTA hands mail for hop. */
static GArray *addresses_of(const Doctor *doctor, const NextHop *hop, bool *has_trouble)
{
    GArray *addresses = g_array_new(FALSE, FALSE, sizeof(Network));
    g_autoptr(DnsAnswer) mx = NULL;
    Network network;

    if (network_parse(hop->host, &network, NULL)) {
        g_array_append_val(addresses, network);
        return addresses;
    }
    if (!hop->is_literal)
        mx = doctor_dns_lookup(doctor, hop->host, DNS_MX);
    *has_trouble = mx != NULL && mx->status == DNS_TROUBLE;
    for (guint i = 0; mx != NULL && mx->status == DNS_FOUND && i < mx->records->len; i++)
        add_addresses(doctor, addresses, dns_answer_at(mx, i)->data, has_trouble);
    if (addresses->len == 0)
        add_addresses(doctor, addresses, hop->host, has_trouble);
    return addresses;
}

static bool has_spf_entry(const Doctor *doctor, const char *domain)
{
    const GPtrArray *entries = doctor->settings->relay_hosts;

    for (guint i = 0; i < entries->len; i++) {
        const RelayEntry *entry = g_ptr_array_index(entries, i);

        if (entry->kind == RELAY_ENTRY_SPF &&
            (domain == NULL || strcmp(entry->domain, domain) == 0))
            return true;
    }
    return false;
}

static bool is_outside(const Doctor *doctor, const GArray *addresses)
{
    for (guint i = 0; i < addresses->len; i++) {
        const Network *network = &g_array_index(addresses, Network, i);

        if (!doctor_dns_has_relay(doctor, network))
            return true;
    }
    return false;
}

static bool is_all_private(const GArray *addresses)
{
    for (guint i = 0; i < addresses->len; i++)
        if (!network_is_private(&g_array_index(addresses, Network, i)))
            return false;
    return addresses->len > 0;
}

/* The entry that relay_hosts lacks; owned by the caller. */
static char *wanted_entry(const NextHop *hop)
{
    const char *provider = doctor_dns_provider(hop->host);

    return provider != NULL ? g_strdup_printf("{ \"spf:%s\" }", provider)
                            : g_strdup_printf("{ \"%s\" }", hop->host);
}

static void add_foreign_hop(Doctor *doctor, const char *parameter, const NextHop *hop)
{
    bool is_known = doctor_dns_provider(hop->host) != NULL;
    g_autofree char *entry = wanted_entry(hop);
    Finding *finding;

    if (!is_known && has_spf_entry(doctor, NULL)) {
        findings_add(doctor, FINDING_UNKNOWN, "relayhost",
                     "%s is %s; whether what delivers behind it is what relay_hosts has, can't be "
                     "seen from here",
                     parameter, hop->host);
        return;
    }
    finding = findings_add(doctor, FINDING_ERROR, "relayhost",
                           "mail leaves through %s (%s), which is not in relay_hosts: verdicts are "
                           "about hosts that don't deliver it",
                           hop->host, parameter);
    finding_mend_key(doctor, finding, "relay_hosts", entry);
    if (!is_known)
        finding_advise(finding, "if other hosts than this one deliver behind it, name those: "
                                "relay_hosts = { \"spf:DOMAIN\" } for a provider");
}

void doctor_dns_next_hop(Doctor *doctor, const char *parameter, const char *text)
{
    g_auto(NextHop) hop = {0};
    g_autoptr(GArray) addresses = NULL;
    bool has_trouble = false;
    const char *provider;

    next_hop_parse(&hop, text);
    provider = doctor_dns_provider(hop.host);
    addresses = provider == NULL ? addresses_of(doctor, &hop, &has_trouble) : NULL;
    if (provider == NULL && addresses->len > 0 && is_outside(doctor, addresses))
        has_trouble |= doctor->relays != NULL && relays_unknown(doctor->relays) != NULL;
    if (provider != NULL ? has_spf_entry(doctor, provider)
                         : addresses->len > 0 && !has_trouble && !is_outside(doctor, addresses))
        findings_add(doctor, FINDING_FINE, "relayhost", "%s is %s, which relay_hosts has",
                     parameter, hop.host);
    else if (has_trouble)
        findings_add(doctor, FINDING_UNKNOWN, "relayhost",
                     "%s is %s; whether relay_hosts has its addresses is not known, as the DNS "
                     "gives no answer",
                     parameter, hop.host);
    else if (addresses != NULL && addresses->len == 0)
        findings_add(doctor, FINDING_UNKNOWN, "relayhost",
                     "%s is %s, which has no address in the DNS", parameter, hop.host);
    else if (addresses != NULL && is_all_private(addresses))
        findings_add(doctor, FINDING_UNKNOWN, "relayhost",
                     "%s is %s, a host of this house; relay_hosts has to name the addresses that "
                     "it delivers from",
                     parameter, hop.host);
    else
        add_foreign_hop(doctor, parameter, &hop);
}
