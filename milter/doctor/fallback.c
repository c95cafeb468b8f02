#include "config.h"

#include "doctor/fallback.h"

#include <string.h>

#include "advice/consultation.h"
#include "advice/letters.h"
#include "base/deadline.h"
#include "base/domain_name.h"
#include "doctor/dns.h"

#define OPENDKIM_FILE "/etc/opendkim.conf"

static void add_once(GPtrArray *selectors, const char *selector)
{
    if (*selector != '\0' &&
        !g_ptr_array_find_with_equal_func(selectors, selector, g_str_equal, NULL))
        g_ptr_array_add(selectors, g_strdup(selector));
}

char *fallback_opendkim_value(const char *text, const char *key)
{
    g_auto(GStrv) lines = g_strsplit(text, "\n", -1);
    gsize length = strlen(key);

    for (guint i = 0; lines[i] != NULL; i++) {
        char *line = g_strchug(lines[i]);

        if (g_ascii_strncasecmp(line, key, length) != 0 || !g_ascii_isspace(line[length]))
            continue;
        line += length;
        line[strcspn(line, "#")] = '\0';
        return g_strdup(g_strstrip(line));
    }
    return NULL;
}

void fallback_key_table(const char *text, const char *domain, GPtrArray *selectors)
{
    g_auto(GStrv) lines = g_strsplit(text, "\n", -1);

    for (guint i = 0; lines[i] != NULL; i++) {
        char *line = g_strstrip(lines[i]);
        const char *row = line + strcspn(line, " \t=");
        g_auto(GStrv) parts = NULL;

        row += strspn(row, " \t=");
        parts = g_strsplit(row, ":", 3);
        if (*line != '#' && parts[0] != NULL && parts[1] != NULL &&
            (g_ascii_strcasecmp(parts[0], domain) == 0 || strcmp(parts[0], "%") == 0))
            add_once(selectors, parts[1]);
    }
}

/* A table in a file, by a path or "file:PATH"; refile: is no KeyTable. */
static void read_key_table(const char *table, const char *domain, GPtrArray *selectors)
{
    const char *path = g_str_has_prefix(table, "file:") ? table + strlen("file:") : table;
    g_autofree char *text = NULL;

    if (*path == '/' && g_file_get_contents(path, &text, NULL, NULL))
        fallback_key_table(text, domain, selectors);
}

static void read_single(const char *text, const char *domain, GPtrArray *selectors)
{
    g_autofree char *domains = fallback_opendkim_value(text, "Domain");
    g_autofree char *selector = fallback_opendkim_value(text, "Selector");
    g_auto(GStrv) names = NULL;

    if (domains == NULL || selector == NULL)
        return;
    names = g_strsplit_set(domains, ", ", -1);
    for (guint i = 0; names[i] != NULL; i++)
        if (g_ascii_strcasecmp(names[i], domain) == 0)
            add_once(selectors, selector);
}

/*
 * Appends the selectors (char *) with which OpenDKIM signs for domain: Domain and Selector of its
 * configuration, or the rows of its KeyTable. Appends nothing if the file can't be read.
 *
 * file  opendkim.conf(5); NULL for the one that Debian has
 */
static void opendkim_selectors(const char *file, const char *domain, GPtrArray *selectors)
{
    g_autofree char *text = NULL;
    g_autofree char *table = NULL;

    if (!g_file_get_contents(file != NULL ? file : OPENDKIM_FILE, &text, NULL, NULL))
        return;
    table = fallback_opendkim_value(text, "KeyTable");
    if (table != NULL)
        read_key_table(table, domain, selectors);
    else
        read_single(text, domain, selectors);
}

/* Mends finding for the domain of a mail provider, whose records are not the operator's: by another
 * fallback address. Returns false if domain is none. */
static bool advise_own_domain(const Doctor *doctor, Finding *finding, const char *domain)
{
    if (!lists_has_provider(doctor->lists, domain))
        return false;
    finding_advise(finding,
                   "%s belongs to a mail provider, and nobody else can publish there: in %s give "
                   "fallback_address an address of a domain of your own, then: spfrom reload",
                   domain, doctor->file);
    return true;
}

static void advise_record(Doctor *doctor, Finding *finding, const DomainCheck *check)
{
    if (advise_own_domain(doctor, finding, check->subject->domain))
        return;
    g_autoptr(Consultation) consultation =
        consultation_new(doctor->settings, doctor->dns, NULL, doctor->relays, check->subject,
                         findings_check_deadline(doctor));
    const char *record = consultation->advice->record;

    finding_advise(finding, "publish an SPF record for %s that authorises the relays",
                   check->subject->domain);
    if (record != NULL)
        finding_advise(finding, "publish in the DNS: %s. TXT \"%s\"", check->subject->domain,
                       record);
    finding_command(finding, "spfrom advise %s", check->subject->domain);
}

static void examine_verdict(Doctor *doctor, const DomainCheck *check)
{
    const char *domain = check->subject->domain;

    if (check->is_authorised)
        findings_add(doctor, FINDING_FINE, "fallback-spf", "%s authorises the relays (%s)", domain,
                     spf_result_text(check->result));
    else if (check->result == SPF_TEMPERROR)
        findings_add(doctor, FINDING_UNKNOWN, "fallback-spf",
                     "whether %s authorises the relays is not known: %s", domain, check->reason);
    else if (check->shown != NULL && check->shown->is_unproven)
        advise_record(doctor,
                      findings_add(doctor, FINDING_ERROR, "fallback-spf",
                                   "it can't be proven that %s authorises the relays (%s), so it "
                                   "counts as not authorised",
                                   domain, check->reason),
                      check);
    else
        advise_record(doctor,
                      findings_add(doctor, FINDING_ERROR, "fallback-spf",
                                   "%s does not authorise the relays (%s): rewritten mail is no "
                                   "better off than before",
                                   domain, spf_result_text(check->result)),
                      check);
}

static void examine_dmarc(Doctor *doctor, const DomainCheck *check)
{
    const char *domain = check->subject->domain;

    if (check->dmarc != NULL)
        findings_add(doctor, FINDING_FINE, "fallback-dmarc", "%s has DMARC (p=%s)", domain,
                     dmarc_policy_text(check->dmarc_policy));
    else if (check->dmarc_trouble != NULL)
        findings_add(doctor, FINDING_UNKNOWN, "fallback-dmarc",
                     "whether %s has a DMARC record is not known: %s", domain,
                     check->dmarc_trouble);
    else {
        Finding *finding =
            findings_add(doctor, FINDING_WARNING, "fallback-dmarc",
                         "%s has no DMARC record; large providers ask for one", domain);

        if (!advise_own_domain(doctor, finding, domain))
            finding_advise(finding, "publish in the DNS: _dmarc.%s. TXT \"v=DMARC1; p=none\"",
                           domain_name_organizational(domain));
    }
}

/* Does text have the tag p with a key in it (RFC 6376 section 3.6.1)? An empty one means that the
 * key is revoked. */
static bool has_key(const char *text)
{
    g_auto(GStrv) tags = g_strsplit(text, ";", -1);

    for (guint i = 0; tags[i] != NULL; i++) {
        const char *tag = g_strstrip(tags[i]);

        if (tag[0] == 'p' && tag[1 + strspn(tag + 1, " \t")] == '=')
            return *g_strchug(strchr(tags[i], '=') + 1) != '\0';
    }
    return false;
}

static void examine_selector(Doctor *doctor, const char *domain, const char *selector)
{
    g_autofree char *name = g_strdup_printf("%s._domainkey.%s", selector, domain);
    g_autoptr(DnsAnswer) answer = doctor_dns_lookup(doctor, name, DNS_TXT);

    if (answer->status == DNS_TROUBLE)
        findings_add(doctor, FINDING_UNKNOWN, "fallback-dkim", "%s: %s", name, answer->trouble);
    else if (answer->status != DNS_FOUND)
        finding_advise(findings_add(doctor, FINDING_ERROR, "fallback-dkim",
                                    "there is no DKIM key at %s: signatures with this selector "
                                    "can't be verified",
                                    name),
                       "publish the key that the signer uses as a TXT record at %s.", name);
    else if (!has_key(dns_answer_at(answer, 0)->data))
        findings_add(doctor, FINDING_ERROR, "fallback-dkim",
                     "the DKIM record at %s has no key: it is revoked", name);
    else
        findings_add(doctor, FINDING_FINE, "fallback-dkim", "%s has a DKIM key at %s", domain,
                     name);
}

static void examine_dkim(Doctor *doctor, const char *domain)
{
    g_autoptr(GPtrArray) selectors = g_ptr_array_new_with_free_func(g_free);

    if (doctor->options.dkim_selector != NULL)
        g_ptr_array_add(selectors, g_strdup(doctor->options.dkim_selector));
    else
        opendkim_selectors(doctor->options.opendkim_file, domain, selectors);
    for (guint i = 0; i < selectors->len; i++)
        examine_selector(doctor, domain, g_ptr_array_index(selectors, i));
    if (selectors->len == 0)
        finding_command(findings_add(doctor, FINDING_UNKNOWN, "fallback-dkim",
                                     "whether mail from %s is signed (DKIM), and by which key, is "
                                     "not to be seen here",
                                     domain),
                        "spfrom doctor --dkim-selector NAME");
}

/* Has one of several hosts an address? */
typedef enum { ADDRESS_NONE, ADDRESS_UNKNOWN, ADDRESS_FOUND } AddressState;

static AddressState address_of(Doctor *doctor, const char *host)
{
    g_autoptr(DnsAnswer) a = doctor_dns_lookup(doctor, host, DNS_A);
    g_autoptr(DnsAnswer) aaaa = NULL;

    if (a->status == DNS_FOUND)
        return ADDRESS_FOUND;
    aaaa = doctor_dns_lookup(doctor, host, DNS_AAAA);
    if (aaaa->status == DNS_FOUND)
        return ADDRESS_FOUND;
    return a->status == DNS_TROUBLE || aaaa->status == DNS_TROUBLE ? ADDRESS_UNKNOWN : ADDRESS_NONE;
}

static AddressState address_of_any(Doctor *doctor, const DnsAnswer *mx)
{
    AddressState best = ADDRESS_NONE;

    for (guint i = 0; i < mx->records->len && best != ADDRESS_FOUND; i++)
        best = MAX(best, address_of(doctor, dns_answer_at(mx, i)->data));
    return best;
}

static Finding *add_no_route(Doctor *doctor, const char *address, const char *why)
{
    const char *domain = strrchr(address, '@') + 1;
    Finding *finding =
        findings_add(doctor, FINDING_ERROR, "fallback-route",
                     "no mail reaches %s: %s; bounces and answers of those who don't heed Reply-To "
                     "are lost",
                     address, why);

    if (!advise_own_domain(doctor, finding, domain))
        finding_advise(finding, "publish in the DNS: %s. MX 10 HOST., the host that takes its mail",
                       domain);
    return finding;
}

/* RFC 5321 section 5.1, RFC 7505. */
static void examine_route(Doctor *doctor, const char *address)
{
    const char *domain = strrchr(address, '@') + 1;
    g_autoptr(DnsAnswer) mx = doctor_dns_lookup(doctor, domain, DNS_MX);
    AddressState address_state = ADDRESS_UNKNOWN;

    if (mx->status != DNS_TROUBLE && !mx->takes_no_mail)
        address_state =
            mx->status == DNS_FOUND ? address_of_any(doctor, mx) : address_of(doctor, domain);
    if (mx->status == DNS_TROUBLE)
        findings_add(doctor, FINDING_UNKNOWN, "fallback-route", "MX of %s: %s", domain,
                     mx->trouble);
    else if (mx->takes_no_mail)
        add_no_route(doctor, address, "its MX record says that the domain takes no mail");
    else if (address_state == ADDRESS_UNKNOWN)
        findings_add(doctor, FINDING_UNKNOWN, "fallback-route",
                     "whether mail to %s has a route is not known: no answer about the address of "
                     "%s",
                     address, mx->status == DNS_FOUND ? dns_answer_at(mx, 0)->data : domain);
    else if (mx->status == DNS_FOUND && address_state == ADDRESS_NONE)
        add_no_route(doctor, address, "no host of its MX record has an address");
    else if (address_state == ADDRESS_NONE)
        add_no_route(doctor, address, "the domain has neither an MX record nor an address");
    else
        findings_add(doctor, FINDING_FINE, "fallback-route",
                     "mail to %s has a route (%s); somebody should read it", address,
                     mx->status == DNS_FOUND ? dns_answer_at(mx, 0)->data : domain);
}

void doctor_fallback_domain(Doctor *doctor, const char *domain)
{
    g_autoptr(CheckSubject) subject = check_subject_parse(domain);
    g_autoptr(DomainCheck) check = NULL;

    if (doctor->relays != NULL) {
        check = domain_check_run(doctor->settings, doctor->dns, doctor->relays, subject,
                                 findings_check_deadline(doctor));
        examine_verdict(doctor, check);
        examine_dmarc(doctor, check);
    }
    examine_dkim(doctor, domain);
}

static gint compare(gconstpointer a, gconstpointer b)
{
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

/* The fallback addresses, sorted; of borrowed char *. */
static GPtrArray *sorted_addresses(Settings *settings)
{
    GPtrArray *addresses = g_ptr_array_new();
    GHashTableIter iterator;
    gpointer address;

    g_hash_table_iter_init(&iterator, settings->fallbacks);
    while (g_hash_table_iter_next(&iterator, &address, NULL))
        g_ptr_array_add(addresses, address);
    g_ptr_array_sort(addresses, compare);
    return addresses;
}

#define LETTERS_TIMER "/etc/systemd/system/timers.target.wants/spfrom-letters.timer"

bool doctor_sends_letters(const Doctor *doctor)
{
    g_autofree char *rows = letter_rows_file(doctor->settings);

    return (rows != NULL && g_file_test(rows, G_FILE_TEST_EXISTS)) ||
           g_file_test(LETTERS_TIMER, G_FILE_TEST_IS_SYMLINK);
}

/* Is it known where the answers to letters go? Says nothing if none are sent. */
static void examine_letters(Doctor *doctor)
{
    Settings *settings = doctor->settings;

    if (!doctor_sends_letters(doctor))
        return;
    if (letters_take_replies(settings))
        findings_add(doctor, FINDING_FINE, "letter-replies",
                     "answers to letters go to %s; somebody should read it",
                     settings->letter_reply_to != NULL ? settings->letter_reply_to->plain->addr_spec
                                                       : settings->letter_from->plain->addr_spec);
    else
        finding_advise(findings_add(doctor, FINDING_WARNING, "letter-replies",
                                    "letters ask for no answers, and those that come all the same "
                                    "go to the fallback address: letter_reply_to is empty"),
                       "in %s write letter_reply_to = ADDRESS, one that somebody reads",
                       doctor->file);
}

#define ADDRESSES_MAX 20 /* a map may have an address for each of thousands of domains */

void doctor_fallback(Doctor *doctor)
{
    g_autoptr(GHashTable) seen = g_hash_table_new(g_str_hash, g_str_equal); /* domains */
    g_autoptr(GPtrArray) addresses = NULL;
    g_autoptr(GPtrArray) problems = g_ptr_array_new_with_free_func(g_free);

    if (doctor->dns == NULL)
        return;
    doctor->lists = lists_read(doctor->file, problems);
    addresses = sorted_addresses(doctor->settings);
    for (guint i = 0; i < MIN(addresses->len, ADDRESSES_MAX); i++) {
        const char *address = g_ptr_array_index(addresses, i);

        if (g_hash_table_add(seen, (char *)strrchr(address, '@') + 1))
            doctor_fallback_domain(doctor, strrchr(address, '@') + 1);
        examine_route(doctor, address);
    }
    if (addresses->len > ADDRESSES_MAX)
        findings_add(doctor, FINDING_UNKNOWN, "fallback",
                     "%u more fallback addresses were not looked at",
                     addresses->len - ADDRESSES_MAX);
    if (findings_is_known(doctor, "letter_reply_to") && findings_is_known(doctor, "letter_from"))
        examine_letters(doctor);
}
