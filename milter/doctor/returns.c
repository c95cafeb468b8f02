#include "config.h"

#include "doctor/returns.h"

#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/network.h"
#include "control/control_client.h"
#include "doctor/dns.h"
#include "doctor/fallback.h"
#include "doctor/milter_address.h"
#include "returns/return_key.h"

#define DOMAINS_MAX 20 /* a map may have an address for each of thousands of domains */
#define HOSTS_MAX 10   /* of one MX */
#define NO_TOKEN "aaaaaaaaaaaaaaaa"
#define SOCKETMAP "socketmap:"

static bool is_used(const Doctor *doctor)
{
    return doctor->settings != NULL && settings_has_tokens(doctor->settings);
}

static void examine_key(Doctor *doctor)
{
    g_autoptr(GError) error = NULL;
    guint8 secret[RETURN_KEY_LENGTH];
    const char *file = doctor->settings->return_key_file;

    if (return_key_read(doctor->settings, secret, &error))
        findings_add(doctor, FINDING_FINE, "return-key", "return_key %s is right", file);
    else if (g_error_matches(error, RETURN_KEY_ERROR, RETURN_KEY_ERROR_MISSING))
        findings_add(doctor, FINDING_UNKNOWN, "return-key",
                     "there is no return_key %s yet; the daemon makes it", file);
    else if (geteuid() != 0 && access(file, R_OK) != 0)
        finding_command(findings_add(doctor, FINDING_UNKNOWN, "return-key",
                                     "return_key %s can't be read by this account", file),
                        "sudo spfrom doctor");
    else
        findings_add(doctor, FINDING_ERROR, "return-key", "%s", error->message);
}

static void examine_alignment(Doctor *doctor)
{
    Settings *settings = doctor->settings;
    const ReturnForm *form = settings->return_form;

    if (form != NULL && form->plain != NULL && settings->return_in_force == NULL)
        finding_advise(findings_add(doctor, FINDING_WARNING, "return-aligned",
                                    "return_address %s is not used: it is of another "
                                    "organizational domain than the fallback address %s",
                                    form->text, settings->fallback->addr_spec),
                       "give return_address a domain of the same organisation, such as "
                       "bounce+%%t@%s",
                       settings->fallback->domain_name);
}

static void add_domain(GPtrArray *domains, const ReturnForm *form)
{
    const char *domain = form != NULL && form->has_token ? strrchr(form->text, '@') + 1 : NULL;

    if (domain != NULL && domains->len < DOMAINS_MAX &&
        !g_ptr_array_find_with_equal_func(domains, domain, g_str_equal, NULL))
        g_ptr_array_add(domains, (char *)domain);
}

/* Those of the addresses that carry a token; of borrowed char *. */
static GPtrArray *domains_of(Settings *settings)
{
    GPtrArray *domains = g_ptr_array_new();
    GHashTableIter iterator;
    gpointer value;

    add_domain(domains, settings->return_in_force);
    add_domain(domains, settings->fallback_form);
    g_hash_table_iter_init(&iterator, settings->sections);
    while (g_hash_table_iter_next(&iterator, NULL, &value)) {
        const DomainSection *section = value;

        add_domain(domains, section->return_in_force);
        add_domain(domains, section->fallback_form);
    }
    return domains;
}

/* Where the mail of a domain goes. */
typedef enum { PLACE_HERE, PLACE_RELAY, PLACE_ELSEWHERE, PLACE_UNKNOWN, PLACE_NOWHERE } Place;

/* Is address one that relay_hosts names? The pool of a provider ("spf:DOMAIN") is not ours. */
static bool is_own_relay(const Relays *relays, const Network *address)
{
    for (guint i = 0; relays != NULL && i < relays->networks->len; i++) {
        const char *entry =
            g_ptr_array_index(relays->names, g_array_index(relays->entries, guint, i));

        if (!g_str_has_prefix(entry, "spf:") &&
            network_contains(&g_array_index(relays->networks, Network, i), address))
            return true;
    }
    return false;
}

static Place place_of(const Doctor *doctor, const Network *address)
{
    g_autoptr(GArray) own = g_array_new(FALSE, FALSE, sizeof(Network));

    network_add_interfaces(own);
    for (guint i = 0; i < own->len; i++)
        if (network_is_equal(&g_array_index(own, Network, i), address))
            return PLACE_HERE;
    return is_own_relay(doctor->relays, address) ? PLACE_RELAY : PLACE_ELSEWHERE;
}

/* The best place that an address of host leads to; text gets that address. */
static Place place_of_host(const Doctor *doctor, const char *host, char text[NETWORK_TEXT_MAX])
{
    static const DnsType types[] = {DNS_A, DNS_AAAA};
    Place best = PLACE_NOWHERE;

    for (size_t t = 0; t < G_N_ELEMENTS(types); t++) {
        g_autoptr(DnsAnswer) answer = doctor_dns_lookup(doctor, host, types[t]);

        if (answer->status == DNS_TROUBLE)
            best = MIN(best, PLACE_UNKNOWN);
        for (guint i = 0; answer->status == DNS_FOUND && i < answer->records->len; i++) {
            Network address = network_from_octets(types[t] == DNS_A ? AF_INET : AF_INET6,
                                                  (const guint8 *)dns_answer_at(answer, i)->data);
            Place place = place_of(doctor, &address);

            if (place < best)
                network_text(&address, text);
            best = MIN(best, place);
        }
    }
    return best;
}

static void add_place(Doctor *doctor, const char *domain, const char *host, Place place,
                      const char *address)
{
    switch (place) {
    case PLACE_HERE:
        findings_add(doctor, FINDING_FINE, "return-mx",
                     "mail to %s goes to %s (%s), which is this host", domain, host, address);
        return;
    case PLACE_RELAY:
        findings_add(doctor, FINDING_FINE, "return-mx",
                     "mail to %s goes to %s (%s), a relay of ours; that has to be an MTA that asks "
                     "spfrom",
                     domain, host, address);
        return;
    case PLACE_ELSEWHERE:
        finding_advise(findings_add(doctor, FINDING_UNKNOWN, "return-mx",
                                    "mail to %s goes to %s (%s), which is neither this host nor in "
                                    "relay_hosts: whether it gets to an MTA that asks spfrom can't "
                                    "be seen from here",
                                    domain, host, address),
                       "have %s hand the mail of %s to an MTA that asks spfrom", host, domain);
        return;
    case PLACE_UNKNOWN:
        findings_add(doctor, FINDING_UNKNOWN, "return-mx",
                     "mail to %s goes to %s, whose address could not be looked up", domain, host);
        return;
    case PLACE_NOWHERE:
        finding_advise(findings_add(doctor, FINDING_ERROR, "return-mx",
                                    "mail to %s goes to %s, which has no address: bounces can't "
                                    "come back",
                                    domain, host),
                       "give %s an address in the DNS, or %s another MX", host, domain);
        return;
    }
}

/* Of the hosts that are asked first, the worst counts: mail goes to each of them. */
static void examine_hosts(Doctor *doctor, const char *domain, const DnsAnswer *mx)
{
    guint16 first = dns_answer_at(mx, 0)->preference;
    char address[NETWORK_TEXT_MAX] = "";
    const char *host = NULL;
    Place worst = PLACE_HERE;

    for (guint i = 0; i < MIN(mx->records->len, HOSTS_MAX); i++) {
        const DnsRecord *record = dns_answer_at(mx, i);
        char text[NETWORK_TEXT_MAX] = "";
        Place place;

        if (record->preference != first)
            break;
        place = place_of_host(doctor, record->data, text);
        if (host != NULL && place <= worst)
            continue;
        host = record->data;
        worst = place;
        g_strlcpy(address, text, sizeof address);
    }
    add_place(doctor, domain, host, worst, address);
}

static void examine_mx(Doctor *doctor, const char *domain)
{
    g_autoptr(DnsAnswer) mx = doctor_dns_lookup(doctor, domain, DNS_MX);

    if (mx->status == DNS_TROUBLE)
        findings_add(doctor, FINDING_UNKNOWN, "return-mx", "MX of %s: %s", domain, mx->trouble);
    else if (mx->status == DNS_FOUND && !mx->takes_no_mail)
        examine_hosts(doctor, domain, mx);
    else
        finding_advise(findings_add(doctor, FINDING_ERROR, "return-mx",
                                    "%s has no MX record: bounces can't come back", domain),
                       "publish in the DNS: %s. MX 10 HOST., this host or one that hands its mail "
                       "to it",
                       domain);
}

static void examine_domains(Doctor *doctor)
{
    g_autoptr(GPtrArray) domains = domains_of(doctor->settings);

    for (guint i = 0; doctor->dns != NULL && i < domains->len; i++) {
        const char *domain = g_ptr_array_index(domains, i);

        if (g_strcmp0(domain, doctor->settings->fallback->domain_name) != 0)
            doctor_fallback_domain(doctor, domain);
        examine_mx(doctor, domain);
    }
}

static void examine_daemon(Doctor *doctor)
{
    Settings *settings = doctor->settings;
    g_autoptr(DaemonStatus) status =
        control_client_status(settings->control_socket, CONTROL_QUICK, NULL);

    if (status == NULL || status->returns.file == NULL)
        return; /* what is wrong with the daemon is another finding */
    if (status->returns.error != NULL)
        findings_add(doctor, FINDING_ERROR, "return-store",
                     "new return addresses can't be kept, mail leaves without: %s",
                     status->returns.error);
    else
        findings_add(doctor, FINDING_FINE, "return-store",
                     "%s holds the addresses of %" G_GINT64_FORMAT " authors", status->returns.file,
                     status->returns.addresses);
    if (status->returns.socket == NULL && settings->return_socket != NULL)
        finding_command(findings_add(doctor, FINDING_ERROR, "return-socket",
                                     "nobody listens at return_socket %s: the log says why",
                                     settings->return_socket),
                        "systemctl restart spfrom");
}

void doctor_returns(Doctor *doctor)
{
    if (doctor->settings == NULL)
        return;
    examine_alignment(doctor);
    if (!is_used(doctor))
        return;
    examine_key(doctor);
    examine_domains(doctor);
    if (*doctor->settings->control_socket != '\0')
        examine_daemon(doctor);
}

/* The address in "socketmap:inet:127.0.0.1:8896:return", or NULL. */
static MilterAddress *address_in(const char *table)
{
    const char *end = strrchr(table, ':');
    g_autofree char *address = NULL;

    if (!g_str_has_prefix(table, SOCKETMAP) || end <= table + strlen(SOCKETMAP))
        return NULL;
    address = g_strndup(table + strlen(SOCKETMAP), (gsize)(end - table) - strlen(SOCKETMAP));
    return milter_address_parse_postfix(address);
}

/* What our socket is for Postfix, as virtual_alias_maps has it. Owned by the caller. */
static char *table_of(const MilterAddress *ours)
{
    g_autofree char *address = milter_address_postfix(ours);

    return g_strdup_printf(SOCKETMAP "%s:return", address);
}

/* The path of a unix socket as a chrooted service sees it. */
static bool is_reached(const Postfix *postfix, const PostfixService *service,
                       const MilterAddress *asked, const MilterAddress *ours)
{
    MilterAddress seen = *asked;
    g_autofree char *path =
        asked->is_unix && service != NULL ? postfix_path(postfix, service, asked->path) : NULL;

    if (path != NULL)
        seen.path = path;
    return milter_address_reaches(&seen, ours);
}

/* Those that ask virtual_alias_maps. */
static void examine_chroot(Doctor *doctor, const Postfix *postfix, const MilterAddress *asked,
                           const MilterAddress *ours)
{
    for (guint i = 0; i < postfix->services->len; i++) {
        const PostfixService *service = g_ptr_array_index(postfix->services, i);

        if (!postfix_service_runs(service, "cleanup") && !postfix_service_runs(service, "smtpd"))
            continue;
        if (is_reached(postfix, service, asked, ours))
            continue;
        finding_advise(findings_add(doctor, FINDING_ERROR, "return-chroot",
                                    "%s runs in a chroot and does not see the socket %s: mail is "
                                    "put off",
                                    service->name, asked->path),
                       "set return_socket to a path below the queue directory, such as "
                       "unix:/var/spool/postfix/spfrom/return.sock, and write it relative to that "
                       "directory in virtual_alias_maps: socketmap:unix:spfrom/return.sock:return");
        return;
    }
}

/* Our table in virtual_alias_maps, borrowed from words; NULL if it is not there. */
static const char *find_table(const Postfix *postfix, const GPtrArray *words,
                              const MilterAddress *ours, MilterAddress **asked)
{
    for (guint i = 0; i < words->len; i++) {
        const char *word = g_ptr_array_index(words, i);
        g_autoptr(MilterAddress) address = address_in(word);
        g_autofree char *path =
            address != NULL && address->is_unix ? postfix_path(postfix, NULL, address->path) : NULL;

        if (address == NULL)
            continue;
        if (path != NULL) {
            g_free(address->path);
            address->path = g_strdup(path);
        }
        if (!milter_address_reaches(address, ours))
            continue;
        *asked = address_in(word);
        return word;
    }
    return NULL;
}

static void mend_maps(const Postfix *postfix, Finding *finding, const MilterAddress *ours)
{
    const char *before = postfix_value(postfix, NULL, "virtual_alias_maps");
    g_autofree char *table = table_of(ours);
    g_autofree char *value = g_strconcat(before, *before != '\0' ? ", " : "", table, NULL);

    postfix_mend(postfix, finding, NULL, "virtual_alias_maps", value);
}

/* Does Postfix get an answer? It is asked for an address that nobody has. */
static void try_table(Doctor *doctor, const Postfix *postfix, const char *table, const char *domain)
{
    g_autofree char *key = g_strdup_printf("%s@%s", NO_TOKEN, domain);
    g_autoptr(GError) error = NULL;
    g_autofree char *found = postfix_lookup(postfix, table, key, &error);

    if (error != NULL)
        finding_command(findings_add(doctor, FINDING_ERROR, "return-map",
                                     "%s does not answer, so Postfix puts mail off: %s", table,
                                     error->message),
                        "systemctl restart spfrom");
    else if (found == NULL)
        findings_add(doctor, FINDING_FINE, "return-map", "Postfix asks us by %s", table);
}

/* Does a list of Postfix, of names and tables, have domain? */
static bool has_domain(const Postfix *postfix, const char *parameter, const char *domain)
{
    g_autoptr(GPtrArray) words = postfix_words(postfix_value(postfix, NULL, parameter));

    for (guint i = 0; i < words->len; i++) {
        const char *word = g_ptr_array_index(words, i);
        g_autofree char *found = NULL;

        if (g_ascii_strcasecmp(word, domain) == 0)
            return true;
        if (strchr(word, ':') != NULL)
            found = postfix_lookup(postfix, word, domain, NULL);
        if (found != NULL)
            return true;
    }
    return false;
}

/* The classes of domains (ADDRESS_CLASS_README), each with the table of its recipients. */
static const struct {
    const char *domains;
    const char *recipients; /* NULL: Postfix always knows them */
} classes[] = {
    {"virtual_alias_domains", NULL},
    {"mydestination", "local_recipient_maps"},
    {"virtual_mailbox_domains", "virtual_mailbox_maps"},
    {"relay_domains", "relay_recipient_maps"},
};

static void examine_class(Doctor *doctor, const Postfix *postfix, const char *domain, guint which)
{
    const char *recipients = classes[which].recipients;
    bool is_known = recipients == NULL || *postfix_value(postfix, NULL, recipients) != '\0';

    if (is_known && postfix_is_yes(postfix, NULL, "smtpd_reject_unlisted_recipient"))
        findings_add(doctor, FINDING_FINE, "return-refused",
                     "unknown addresses at %s are refused at RCPT (%s)", domain,
                     classes[which].domains);
    else if (is_known)
        postfix_mend(postfix,
                     findings_add(doctor, FINDING_WARNING, "return-refused",
                                  "unknown addresses at %s are taken, and bounced later: "
                                  "smtpd_reject_unlisted_recipient is no",
                                  domain),
                     NULL, "smtpd_reject_unlisted_recipient", "yes");
    else
        finding_advise(findings_add(doctor, FINDING_WARNING, "return-refused",
                                    "unknown addresses at %s are not refused at RCPT: the domain "
                                    "is in %s, and %s is empty",
                                    domain, classes[which].domains, recipients),
                       "take a subdomain for return_address that is in virtual_alias_domains "
                       "alone, or fill %s",
                       recipients);
}

/* Does domain have fallback addresses, which are no return addresses? */
static bool has_fallback(Settings *settings, const char *domain)
{
    GHashTableIter iter;
    gpointer address;

    g_hash_table_iter_init(&iter, settings->fallbacks);
    while (g_hash_table_iter_next(&iter, &address, NULL))
        if (g_ascii_strcasecmp(strrchr(address, '@') + 1, domain) == 0)
            return true;
    return false;
}

/* In virtual_alias_domains, a domain has no other addresses than those in virtual_alias_maps. */
static void mend_class(Doctor *doctor, const Postfix *postfix, Finding *finding, const char *domain)
{
    const char *before = postfix_value(postfix, NULL, "virtual_alias_domains");
    g_autofree char *value = g_strconcat(before, *before != '\0' ? ", " : "", domain, NULL);

    if (!has_fallback(doctor->settings, domain))
        return postfix_mend(postfix, finding, NULL, "virtual_alias_domains", value);
    finding_advise(
        finding,
        "if its mail is elsewhere, take %%t out of fallback_address, and a subdomain for "
        "return_address whose MX is this host, in virtual_alias_domains alone: there, "
        "%s would lose its other addresses",
        domain);
}

static void examine_refusal(Doctor *doctor, const Postfix *postfix, const char *domain)
{
    for (guint i = 0; i < G_N_ELEMENTS(classes); i++)
        if (has_domain(postfix, classes[i].domains, domain))
            return examine_class(doctor, postfix, domain, i);
    mend_class(doctor, postfix,
               findings_add(doctor, FINDING_ERROR, "return-refused",
                            "Postfix takes no mail for %s: bounces can't come back", domain),
               domain);
}

void doctor_returns_postfix(Doctor *doctor, const Postfix *postfix)
{
    g_autoptr(GPtrArray) words = postfix_words(postfix_value(postfix, NULL, "virtual_alias_maps"));
    g_autoptr(GPtrArray) domains = NULL;
    g_autoptr(MilterAddress) ours = NULL;
    g_autoptr(MilterAddress) asked = NULL;
    const char *table;

    if (!is_used(doctor) || doctor->settings->return_socket == NULL)
        return;
    ours = milter_address_parse_sendmail(doctor->settings->return_socket);
    if (ours == NULL)
        return;
    domains = domains_of(doctor->settings);
    table = find_table(postfix, words, ours, &asked);
    if (table == NULL)
        mend_maps(postfix,
                  findings_add(doctor, FINDING_ERROR, "return-map",
                               "Postfix does not ask us where return addresses lead: "
                               "virtual_alias_maps has no socketmap at %s",
                               doctor->settings->return_socket),
                  ours);
    else if (domains->len > 0)
        try_table(doctor, postfix, table, g_ptr_array_index(domains, 0));
    if (asked != NULL && asked->is_unix)
        examine_chroot(doctor, postfix, asked, ours);
    for (guint i = 0; i < domains->len; i++)
        examine_refusal(doctor, postfix, g_ptr_array_index(domains, i));
}

/* Does a line "Kvirtuser socket -T<TMPF> inet:8896@127.0.0.1" name our socket? */
static bool asks_us(const char *line, const MilterAddress *ours)
{
    const char *place = strrchr(line, ' ');
    g_autoptr(MilterAddress) asked = NULL;

    if (!g_str_has_prefix(line, "Kvirtuser socket ") || place == NULL)
        return false;
    asked = milter_address_parse_sendmail(place + 1);
    return asked != NULL && milter_address_reaches(asked, ours);
}

void doctor_returns_sendmail(Doctor *doctor, const char *text)
{
    g_auto(GStrv) lines = NULL;
    g_autoptr(MilterAddress) ours = NULL;

    if (!is_used(doctor) || doctor->settings->return_socket == NULL)
        return;
    ours = milter_address_parse_sendmail(doctor->settings->return_socket);
    lines = g_strsplit(text, "\n", -1);
    for (guint i = 0; ours != NULL && lines[i] != NULL; i++)
        if (asks_us(g_strchomp(lines[i]), ours)) {
            findings_add(doctor, FINDING_FINE, "return-map",
                         "Sendmail asks us by its virtusertable");
            return;
        }
    finding_advise(findings_add(doctor, FINDING_ERROR, "return-map",
                                "Sendmail does not ask us where return addresses lead"),
                   "write into sendmail.mc: FEATURE(`virtusertable', `socket -T<TMPF> %s')dnl",
                   doctor->settings->return_socket);
}
