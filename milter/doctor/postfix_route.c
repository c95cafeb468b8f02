#include "config.h"

#include "doctor/postfix_route.h"

#include <string.h>

#include "doctor/dns.h"
#include "doctor/milter_list.h"
#include "advice/domain_check.h"
#include "verdict/interfaces.h"

/* What follows the transport in "smtp:[host]:port". */
static const char *hop_in_transport(const char *text)
{
    const char *colon = strchr(text, ':');

    return colon != NULL ? colon + 1 : "";
}

/* Returns whether any is set. */
static bool examine_hops(Doctor *doctor, const Postfix *postfix)
{
    g_autoptr(GPtrArray) fallbacks =
        milter_list_words(postfix_value(postfix, NULL, "smtp_fallback_relay"));
    const char *relayhost = postfix_value(postfix, NULL, "relayhost");
    const char *transport = hop_in_transport(postfix_value(postfix, NULL, "default_transport"));

    if (*transport != '\0')
        doctor_dns_next_hop(doctor, "default_transport", transport);
    else if (*relayhost != '\0')
        doctor_dns_next_hop(doctor, "relayhost", relayhost);
    for (guint i = 0; i < fallbacks->len; i++)
        doctor_dns_next_hop(doctor, "smtp_fallback_relay", g_ptr_array_index(fallbacks, i));
    return *transport != '\0' || *relayhost != '\0';
}

static void add_missing_own(Doctor *doctor, const char *what, const Network *network)
{
    char text[NETWORK_TEXT_MAX];

    network_text(network, text);
    finding_advise(
        findings_add(doctor, FINDING_ERROR, "own-address",
                     "mail leaves from %s (%s), which is not in relay_hosts", text, what),
        "in %s write relay_hosts += { \"%s\" }, then: spfrom reload", doctor->file, text);
}

/* Without a relayhost this host delivers itself. */
static void examine_own(Doctor *doctor, const Postfix *postfix)
{
    static const char *const parameters[] = {"smtp_bind_address", "smtp_bind_address6"};
    bool is_bound = false;

    for (size_t i = 0; i < G_N_ELEMENTS(parameters); i++) {
        const char *text = postfix_value(postfix, NULL, parameters[i]);
        Network network;

        if (!network_parse(text, &network, NULL))
            continue;
        is_bound = true;
        if (!network_is_private(&network) && !doctor_dns_has_relay(doctor, &network))
            add_missing_own(doctor, parameters[i], &network);
    }
    if (is_bound)
        return;
    g_autoptr(GArray) own = g_array_new(FALSE, FALSE, sizeof(Network));

    interfaces_addresses(own);
    for (guint i = 0; i < own->len; i++) {
        const Network *network = &g_array_index(own, Network, i);

        if (!network_is_private(network) && !doctor_dns_has_relay(doctor, network))
            add_missing_own(doctor, "an address of this host", network);
    }
}

static void examine_transport_maps(Doctor *doctor, const Postfix *postfix)
{
    const char *maps = postfix_value(postfix, NULL, "transport_maps");

    if (*maps != '\0')
        findings_add(doctor, FINDING_UNKNOWN, "transport-maps",
                     "transport_maps (%s) may send mail through other relays; all of them have to "
                     "be in relay_hosts",
                     maps);
}

/* What Postfix itself writes passes no milter, unless internal_mail_filter_classes says so. */
static void examine_own_mail(Doctor *doctor, const Postfix *postfix)
{
    const char *classes = postfix_value(postfix, NULL, "internal_mail_filter_classes");
    const char *origin = postfix_value(postfix, NULL, "myorigin");
    g_autoptr(CheckSubject) subject = check_subject_parse(origin);
    g_autoptr(DomainCheck) check = NULL;
    Finding *finding;

    if (doctor->relays == NULL || strstr(classes, "bounce") != NULL)
        return;
    check = domain_check_run(doctor->settings, doctor->dns, doctor->relays, subject,
                             clock_monotonic(&clock_system) +
                                 doctor->settings->check_timeout * CLOCK_SECOND);
    if (check->is_authorised) {
        findings_add(doctor, FINDING_FINE, "internal-mail",
                     "bounces that Postfix writes pass no milter; %s, which they come from, "
                     "authorises the relays",
                     origin);
        return;
    }
    finding = findings_add(doctor, FINDING_WARNING, "internal-mail",
                           "bounces that Postfix writes come from MAILER-DAEMON@%s, which does not "
                           "authorise the relays (%s), and pass no milter",
                           origin, spf_result_text(check->result));
    g_autofree char *set =
        postfix_set_command(postfix, NULL, "internal_mail_filter_classes", "bounce,notify");
    g_autofree char *reload = postfix_command(postfix, "postfix");

    finding_command(finding, "%s && %s reload", set, reload);
}

void doctor_postfix_route(Doctor *doctor, const Postfix *postfix)
{
    if (doctor->dns == NULL)
        return;
    if (!examine_hops(doctor, postfix) && doctor->relays != NULL)
        examine_own(doctor, postfix);
    examine_transport_maps(doctor, postfix);
    examine_own_mail(doctor, postfix);
}
