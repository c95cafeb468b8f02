#include "config.h"

#include "doctor/hop.h"

#include <string.h>

#include "base/clock.h"
#include "base/domain_name.h"
#include "doctor/dns.h"

static const struct {
    const char *host; /* where customers submit: this domain and below */
    const char *spf;  /* whose record has the hosts that deliver */
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

const char *doctor_hop_provider(const char *host)
{
    for (size_t i = 0; i < G_N_ELEMENTS(providers); i++)
        if (domain_name_is_within(host, providers[i].host))
            return providers[i].spf;
    return NULL;
}

/* A place that mail is handed to: "[mail.example.net]:587", "example.net" (by its MX). */
typedef struct {
    char *host;
    bool is_literal; /* in brackets: no MX */
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

static gint64 deadline_of(const Doctor *doctor)
{
    return clock_monotonic(&clock_system) + doctor->settings->dns_timeout * CLOCK_SECOND;
}

static void add_addresses(const Doctor *doctor, GArray *addresses, const char *host)
{
    static const DnsType types[] = {DNS_A, DNS_AAAA};

    for (size_t i = 0; i < G_N_ELEMENTS(types); i++) {
        g_autoptr(DnsAnswer) answer = dns_lookup(doctor->dns, host, types[i], deadline_of(doctor));

        for (guint at = 0; answer->status == DNS_FOUND && at < answer->records->len; at++) {
            Network network = network_from_octets(types[i] == DNS_A ? AF_INET : AF_INET6,
                                                  (const guint8 *)dns_answer_at(answer, at)->data);

            g_array_append_val(addresses, network);
        }
    }
}

/* The addresses that Postfix hands mail for hop to. */
static GArray *addresses_of(const Doctor *doctor, const NextHop *hop)
{
    GArray *addresses = g_array_new(FALSE, FALSE, sizeof(Network));
    g_autoptr(DnsAnswer) mx = NULL;
    Network network;

    if (network_parse(hop->host, &network, NULL)) {
        g_array_append_val(addresses, network);
        return addresses;
    }
    if (!hop->is_literal)
        mx = dns_lookup(doctor->dns, hop->host, DNS_MX, deadline_of(doctor));
    for (guint i = 0; mx != NULL && mx->status == DNS_FOUND && i < mx->records->len; i++)
        add_addresses(doctor, addresses, dns_answer_at(mx, i)->data);
    if (addresses->len == 0)
        add_addresses(doctor, addresses, hop->host);
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
    const char *provider = doctor_hop_provider(hop->host);

    return provider != NULL ? g_strdup_printf("{ \"spf:%s\" }", provider)
                            : g_strdup_printf("{ \"%s\" }", hop->host);
}

static void add_foreign_hop(Doctor *doctor, const char *parameter, const NextHop *hop)
{
    bool is_known = doctor_hop_provider(hop->host) != NULL;
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

void doctor_hop_examine(Doctor *doctor, const char *parameter, const char *text)
{
    g_auto(NextHop) hop = {0};
    g_autoptr(GArray) addresses = NULL;
    const char *provider;

    next_hop_parse(&hop, text);
    provider = doctor_hop_provider(hop.host);
    addresses = provider == NULL ? addresses_of(doctor, &hop) : NULL;
    if (provider != NULL ? has_spf_entry(doctor, provider)
                         : addresses->len > 0 && !is_outside(doctor, addresses))
        findings_add(doctor, FINDING_FINE, "relayhost", "%s is %s, which relay_hosts has",
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
