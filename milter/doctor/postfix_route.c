#include "config.h"

#include "doctor/postfix_route.h"

#include <pwd.h>
#include <string.h>
#include <unistd.h>

#include "advice/domain_check.h"
#include "base/deadline.h"
#include "doctor/dns.h"
#include "doctor/fallback.h"
#include "policy/outbound.h"
#include "base/network.h"

#define LOCAL_CHECK "local-mailers"
/* The longest .forward that is read, in octets. */
#define FORWARD_MAX 65536

/* What the examination of local_mailers has to know. */
typedef struct {
    Doctor *doctor;
    const Postfix *postfix;
    /* Of char *; domains in tables are not among them. */
    GPtrArray *own_domains;
    /* Some of our domains are in tables. */
    bool has_own_tables;
    bool is_fine;
} LocalCase;

static const char *const *local_mailers(const LocalCase *this)
{
    return (const char *const *)this->doctor->settings->local_mailers;
}

static void mend_local(LocalCase *this, Finding *finding)
{
    this->is_fine = false;
    finding_mend_key(this->doctor, finding, "local_mailers", "{}");
}

static void add_own_domains(LocalCase *this, const char *parameter)
{
    g_autoptr(GPtrArray) words = postfix_words(postfix_value(this->postfix, NULL, parameter));

    for (guint i = 0; i < words->len; i++) {
        const char *word = g_ptr_array_index(words, i);

        if (strpbrk(word, ":/") != NULL)
            this->has_own_tables = true;
        else
            g_ptr_array_add(this->own_domains, g_ascii_strdown(word, -1));
    }
}

/* Is the domain of address one of this host? An address without a domain is. */
static bool is_own(const LocalCase *this, const char *address)
{
    const char *at = strrchr(address, '@');
    g_autofree char *domain = at != NULL ? g_ascii_strdown(at + 1, -1) : NULL;

    return domain == NULL ||
           g_ptr_array_find_with_equal_func(this->own_domains, domain, g_str_equal, NULL);
}

/* The first address outside of the house in the value of an alias; NULL if there is none. Owned by
 * the caller. */
static char *find_outside(const LocalCase *this, const char *value)
{
    g_auto(GStrv) words = g_strsplit_set(value, ", \t\r\n<>\"", -1);

    for (guint i = 0; words[i] != NULL; i++)
        if (strchr(words[i], '@') != NULL && strpbrk(words[i], "|/:") == NULL &&
            !is_own(this, words[i]))
            return g_strdup(words[i]);
    return NULL;
}

/* Can the key of a table be an address that a mailer of local_mailers takes? If our domains are in
 * tables, assume so. */
static bool concerns_local(const LocalCase *this, const char *key)
{
    return is_own(this, key) || this->has_own_tables;
}

static void examine_table(LocalCase *this, const char *parameter, const char *table)
{
    g_autoptr(GError) error = NULL;
    g_autofree char *text = postfix_dump(this->postfix, table, &error);
    g_auto(GStrv) lines = g_strsplit(text != NULL ? text : "", "\n", -1);

    if (error != NULL)
        mend_local(this,
                   findings_add(this->doctor, FINDING_UNKNOWN, LOCAL_CHECK,
                                "local_mailers is set, and %s (%s) can't be listed: what it sends "
                                "out of the house counts as local and leaves as it is",
                                parameter, table));
    for (guint i = 0; lines[i] != NULL; i++) {
        char *tab = strchr(lines[i], '\t');
        g_autofree char *outside = NULL;

        if (tab == NULL)
            continue;
        *tab = '\0';
        outside = concerns_local(this, lines[i]) ? find_outside(this, tab + 1) : NULL;
        if (outside == NULL)
            continue;
        mend_local(this,
                   findings_add(this->doctor, FINDING_ERROR, LOCAL_CHECK,
                                "%s (%s) sends mail for %s to %s: such mail counts as local "
                                "(local_mailers) and leaves with an author who may not authorise "
                                "the relays",
                                parameter, table, lines[i], outside));
        return; /* one example is enough */
    }
}

static void examine_tables(LocalCase *this, const char *parameter)
{
    g_autoptr(GPtrArray) tables = postfix_words(postfix_value(this->postfix, NULL, parameter));

    for (guint i = 0; i < tables->len; i++)
        examine_table(this, parameter, g_ptr_array_index(tables, i));
}

/* Looks for an address outside of the house in value, which is the content of place. */
static void examine_value(LocalCase *this, const char *place, const char *value)
{
    g_autofree char *outside = find_outside(this, value);

    if (outside != NULL)
        mend_local(this, findings_add(this->doctor, FINDING_ERROR, LOCAL_CHECK,
                                      "%s sends mail to %s: such mail counts as local "
                                      "(local_mailers) and leaves with an author who may not "
                                      "authorise the relays",
                                      place, outside));
}

static void examine_forward(LocalCase *this, const char *home)
{
    g_autofree char *file = g_build_filename(home, ".forward", NULL);
    g_autofree char *text = NULL;
    gsize length = 0;

    if (g_file_get_contents(file, &text, &length, NULL) && length <= FORWARD_MAX)
        examine_value(this, file, text);
}

static void examine_forwards(LocalCase *this)
{
    const struct passwd *account;

    if (*postfix_value(this->postfix, NULL, "forward_path") == '\0')
        return;
    setpwent();
    while ((account = getpwent()) != NULL)
        examine_forward(this, account->pw_dir);
    endpwent();
}

/* Looks for mailers that lead to other hosts. Postfix names error for accepted addresses of virtual
 * alias domains. */
static void examine_mailers(LocalCase *this)
{
    static const char *const outside[] = {"smtp", "relay", "error", "esmtp"};

    for (size_t i = 0; i < G_N_ELEMENTS(outside); i++)
        if (outbound_is_local_mailer(local_mailers(this), outside[i]))
            mend_local(this,
                       findings_add(this->doctor, FINDING_ERROR, LOCAL_CHECK,
                                    "local_mailers has %s, which sends mail out of the house: it "
                                    "leaves with an author who may not authorise the relays",
                                    outside[i]));
}

static void examine_local_mailers(Doctor *doctor, const Postfix *postfix)
{
    static const char *const domains[] = {"myorigin", "mydestination", "virtual_mailbox_domains"};
    static const char *const tables[] = {"virtual_alias_maps", "recipient_canonical_maps",
                                         "canonical_maps", "recipient_bcc_maps", "sender_bcc_maps"};
    g_autoptr(GPtrArray) own_domains = g_ptr_array_new_with_free_func(g_free);
    LocalCase this = {
        .doctor = doctor, .postfix = postfix, .own_domains = own_domains, .is_fine = true};

    if (*local_mailers(&this) == NULL)
        return;
    for (size_t i = 0; i < G_N_ELEMENTS(domains); i++)
        add_own_domains(&this, domains[i]);
    examine_mailers(&this);
    for (size_t i = 0; i < G_N_ELEMENTS(tables); i++)
        examine_tables(&this, tables[i]);
    examine_value(&this, "always_bcc", postfix_value(postfix, NULL, "always_bcc"));
    if (outbound_is_local_mailer(local_mailers(&this), "local")) {
        examine_tables(&this, "alias_maps");
        examine_value(&this, "luser_relay", postfix_value(postfix, NULL, "luser_relay"));
        examine_forwards(&this);
    }
    if (this.is_fine)
        findings_add(doctor, FINDING_FINE, LOCAL_CHECK,
                     "local_mailers: %s sends mail out of the house now; an entry in an alias, "
                     "virtual alias or copy table that does so later makes that untrue",
                     geteuid() == 0 ? "no table and no .forward" : "no table");
}

/* Tables that one parameter names, while they are asked. */
typedef struct {
    Doctor *doctor;
    const Postfix *postfix;
    /* The name of the parameter, for people. */
    const char *parameter;
    const char *tables;
    /* One of the tables could not be asked, and a finding says so. */
    bool is_unknown;
} Lookup;

/* Postfix asks tables of patterns only for whole addresses. */
static bool has_patterns(const char *table)
{
    static const char *const types[] = {"regexp:", "pcre:", "cidr:"};

    for (size_t i = 0; i < G_N_ELEMENTS(types); i++)
        if (strstr(table, types[i]) != NULL)
            return true;
    return false;
}

/* Returns what the first table that knows key says; NULL if none does. */
static char *look_up(Lookup *lookup, const char *key, bool is_part)
{
    g_autoptr(GPtrArray) words = postfix_words(lookup->tables);

    for (guint i = 0; i < words->len; i++) {
        const char *table = g_ptr_array_index(words, i);
        g_autoptr(GError) error = NULL;
        char *found = NULL;

        if (is_part && has_patterns(table))
            continue;
        found = postfix_lookup(lookup->postfix, table, key, &error);
        if (found != NULL)
            return found;
        if (error != NULL && !lookup->is_unknown)
            findings_add(lookup->doctor, FINDING_UNKNOWN, "table", "%s: %s can't be asked: %s",
                         lookup->parameter, table, error->message);
        lookup->is_unknown = lookup->is_unknown || error != NULL;
    }
    return NULL;
}

/* Does Postfix look addresses of domain up by their local part alone? Domain literals are left out,
 * as no fallback address has one. */
static bool is_own_domain(const Postfix *postfix, const char *domain)
{
    g_autoptr(GPtrArray) words = postfix_words(postfix_value(postfix, NULL, "mydestination"));

    g_ptr_array_add(words, g_strdup(postfix_value(postfix, NULL, "myorigin")));
    for (guint i = 0; i < words->len; i++)
        if (g_ascii_strcasecmp(g_ptr_array_index(words, i), domain) == 0)
            return true;
    return false;
}

/* Asks the tables for address as Postfix does (mail_addr_find()): for the whole address, without
 * its extension, for its local part if the domain is ours, then for its domain. */
static char *look_up_address(Lookup *lookup, const char *address)
{
    const char *delimiters = postfix_value(lookup->postfix, NULL, "recipient_delimiter");
    const char *at = strrchr(address, '@');
    g_autofree char *local = at != NULL ? g_strndup(address, (gsize)(at - address)) : NULL;
    g_autofree char *bare = NULL;
    g_autofree char *whole = NULL;
    char *found = look_up(lookup, address, false);
    gsize length;

    if (found != NULL || at == NULL)
        return found;
    length = strcspn(local, delimiters);
    if (length > 0 && local[length] != '\0')
        bare = g_strndup(local, length);
    whole = bare != NULL ? g_strconcat(bare, at, NULL) : NULL;
    if (whole != NULL)
        found = look_up(lookup, whole, true);
    if (found == NULL && is_own_domain(lookup->postfix, at + 1)) {
        found = look_up(lookup, local, true);
        if (found == NULL && bare != NULL)
            found = look_up(lookup, bare, true);
    }
    return found != NULL ? found : look_up(lookup, at, true);
}

/* All fallback addresses, NULL-terminated; the caller frees the array alone. */
static const char **fallback_addresses(const Doctor *doctor)
{
    return (const char **)g_hash_table_get_keys_as_array(doctor->settings->fallbacks, NULL);
}

/* A parameter whose tables Postfix asks for the envelope sender. */
typedef struct {
    const char *parameter;
    const char *check;
    /* The level if a table knows a fallback address. */
    FindingLevel level;
    /* What the table does then, with the fallback address and what the table says. */
    const char *hit;
    const char *advice;
    /* What to say if the parameter is set and no table knows a fallback address; NULL if that is
     * fine. */
    const char *set_only;
} SenderTable;

static const SenderTable sender_tables[] = {
    {"sender_canonical_maps", "sender-canonical", FINDING_ERROR,
     "replaces the envelope sender %s, which spfrom has put in, by %s",
     "leave the fallback address out of the table", NULL},
    {"canonical_maps", "canonical", FINDING_ERROR,
     "replaces the envelope sender %s, which spfrom has put in, by %s",
     "leave the fallback address out of the table", NULL},
    {"sender_bcc_maps", "sender-bcc", FINDING_WARNING,
     "makes a copy of mail of %s: every rewritten message goes to %s, and once more where its "
     "author has an entry too",
     "leave the fallback address out of the table, unless the copy is wanted", NULL},
    {"sender_dependent_relayhost_maps", "sender-relayhost", FINDING_WARNING,
     "routes by envelope sender: mail of %s leaves through %s", "that has to be in relay_hosts",
     "routes by envelope sender, which is the fallback address once a message is rewritten: the "
     "author's own route no longer counts"},
    {"sender_dependent_default_transport_maps", "sender-transport", FINDING_WARNING,
     "chooses the transport by envelope sender: mail of %s takes %s",
     "where that leads has to be in relay_hosts",
     "chooses the transport by envelope sender, which is the fallback address once a message is "
     "rewritten: the author's own no longer counts"},
};

static void examine_hit(Doctor *doctor, const SenderTable *table, const char *address,
                        const char *found)
{
    g_auto(GStrv) parts = g_strsplit(table->hit, "%s", 3);
    g_autofree char *text =
        g_strconcat(parts[0], address, parts[1], found, parts[2] != NULL ? parts[2] : "", NULL);

    finding_advise(
        findings_add(doctor, table->level, table->check, "%s %s", table->parameter, text), "%s",
        table->advice);
}

/* Is the envelope sender one of the addresses to which the table applies? */
static bool counts(const Postfix *postfix, const SenderTable *table)
{
    return strcmp(table->parameter, "canonical_maps") != 0 ||
           postfix_has_word(postfix_value(postfix, NULL, "canonical_classes"), "envelope_sender");
}

static void examine_sender_table(Doctor *doctor, const Postfix *postfix, const SenderTable *table)
{
    Lookup lookup = {.doctor = doctor,
                     .postfix = postfix,
                     .parameter = table->parameter,
                     .tables = postfix_value(postfix, NULL, table->parameter)};
    guint hits = 0;
    g_autofree const char **addresses = fallback_addresses(doctor);

    if (*lookup.tables == '\0' || !counts(postfix, table))
        return;
    for (guint i = 0; addresses[i] != NULL; i++) {
        g_autofree char *found = look_up_address(&lookup, addresses[i]);

        if (found == NULL || g_ascii_strcasecmp(found, addresses[i]) == 0)
            continue;
        examine_hit(doctor, table, addresses[i], found);
        hits++;
    }
    if (hits > 0)
        return;
    if (table->set_only != NULL)
        finding_advise(findings_add(doctor, FINDING_WARNING, table->check, "%s (%s) %s",
                                    table->parameter, lookup.tables, table->set_only),
                       "give the table an entry for the fallback address, or see that the general "
                       "route takes its mail");
    else if (!lookup.is_unknown)
        findings_add(doctor, FINDING_FINE, table->check,
                     "%s (%s) says nothing of the fallback address", table->parameter,
                     lookup.tables);
}

/* With smtp_sender_dependent_authentication the login at the next hop depends on the sender. */
static void examine_login(Doctor *doctor, const Postfix *postfix)
{
    Lookup lookup = {.doctor = doctor,
                     .postfix = postfix,
                     .parameter = "smtp_sasl_password_maps",
                     .tables = postfix_value(postfix, NULL, "smtp_sasl_password_maps")};
    g_autofree const char **addresses = fallback_addresses(doctor);

    if (!postfix_is_yes(postfix, NULL, "smtp_sender_dependent_authentication") ||
        *lookup.tables == '\0')
        return;
    for (guint i = 0; addresses[i] != NULL; i++) {
        g_autofree char *found = look_up_address(&lookup, addresses[i]);

        if (found == NULL && !lookup.is_unknown)
            findings_add(doctor, FINDING_WARNING, "sender-login",
                         "smtp_sender_dependent_authentication is on, and smtp_sasl_password_maps "
                         "has no entry for %s: rewritten mail logs in with the relay's own",
                         addresses[i]);
    }
}

/* masquerade_domains strips subdomains of the envelope sender, and so of the fallback address. */
static void examine_masquerade(Doctor *doctor, const Postfix *postfix)
{
    g_autoptr(GPtrArray) domains =
        postfix_words(postfix_value(postfix, NULL, "masquerade_domains"));
    const char *classes = postfix_value(postfix, NULL, "masquerade_classes");
    g_autofree const char **addresses = fallback_addresses(doctor);

    if (strstr(classes, "envelope_sender") == NULL)
        return;
    for (guint i = 0; addresses[i] != NULL; i++) {
        const char *domain = strrchr(addresses[i], '@') + 1;

        for (guint at = 0; at < domains->len; at++) {
            const char *parent = g_ptr_array_index(domains, at);
            g_autofree char *suffix = g_strconcat(".", parent, NULL);

            if (g_str_has_suffix(domain, suffix))
                finding_advise(findings_add(doctor, FINDING_ERROR, "masquerade",
                                            "masquerade_domains makes %s of the domain of the "
                                            "fallback address %s in the envelope",
                                            parent, addresses[i]),
                               "write !%s before %s in masquerade_domains", domain, parent);
        }
    }
}

/* Calls examine with the value of parameter, once for main.cf and once for each client that has its
 * own. */
static void for_each_client(Doctor *doctor, const Postfix *postfix, const char *parameter,
                            void (*examine)(Doctor *doctor, const Postfix *postfix,
                                            const char *name, const char *tables))
{
    examine(doctor, postfix, parameter, postfix_value(postfix, NULL, parameter));
    for (guint i = 0; i < postfix->services->len; i++) {
        const PostfixService *service = g_ptr_array_index(postfix->services, i);
        const char *own = g_hash_table_lookup(service->overrides, parameter);
        g_autofree char *name = g_strdup_printf("%s of %s", parameter, service->name);

        if (postfix_service_runs(service, "smtp") && own != NULL)
            examine(doctor, postfix, name, own);
    }
}

static void examine_generic(Doctor *doctor, const Postfix *postfix, const char *name,
                            const char *tables)
{
    Lookup lookup = {.doctor = doctor, .postfix = postfix, .parameter = name, .tables = tables};
    guint hits = 0;
    g_autofree const char **addresses = fallback_addresses(doctor);

    if (*tables == '\0')
        return;
    for (guint i = 0; addresses[i] != NULL; i++) {
        g_autofree char *found = look_up_address(&lookup, addresses[i]);

        if (found == NULL || g_ascii_strcasecmp(found, addresses[i]) == 0)
            continue;
        finding_advise(findings_add(doctor, FINDING_ERROR, "generic",
                                    "%s replaces the fallback address %s by %s, in From: and in "
                                    "the envelope, after spfrom and after the signature",
                                    name, addresses[i], found),
                       "leave the fallback address out of the table");
        hits++;
    }
    if (hits == 0)
        finding_advise(findings_add(doctor, FINDING_WARNING, "generic",
                                    "%s (%s) replaces addresses after spfrom and after the "
                                    "signature",
                                    name, tables),
                       "if it is there to replace authors, spfrom does that now: empty it");
}

/* The lines of a rewritten message for which header_checks(5) are asked. */
static GPtrArray *header_lines(Settings *settings)
{
    const char *address = settings->fallback->addr_spec;
    GPtrArray *lines = g_ptr_array_new_with_free_func(g_free);

    g_ptr_array_add(lines, g_strdup_printf("From: Praxis Example <%s>", address));
    g_ptr_array_add(lines, g_strdup("Reply-To: Praxis Example <praxis@praxis.example>"));
    g_ptr_array_add(lines, g_strdup("X-SPFrom: rewritten; domain=praxis.example; spf=fail"));
    for (guint i = 0; settings->author_header[i] != NULL; i++)
        g_ptr_array_add(lines, g_strdup_printf("%s: Praxis Example <praxis@praxis.example>",
                                               settings->author_header[i]));
    return lines;
}

static bool is_harmless(const char *action)
{
    static const char *const harmless[] = {"WARN", "INFO", "DUNNO", "OK", "PASS"};

    for (size_t i = 0; i < G_N_ELEMENTS(harmless); i++)
        if (g_ascii_strncasecmp(action, harmless[i], strlen(harmless[i])) == 0)
            return true;
    return false;
}

static void examine_header_checks(Doctor *doctor, const Postfix *postfix, const char *name,
                                  const char *tables)
{
    g_autoptr(GPtrArray) lines = header_lines(doctor->settings);
    Lookup lookup = {.doctor = doctor, .postfix = postfix, .parameter = name, .tables = tables};
    guint hits = 0;

    if (*tables == '\0')
        return;
    for (guint i = 0; i < lines->len; i++) {
        const char *line = g_ptr_array_index(lines, i);
        g_autofree char *action = look_up(&lookup, line, false);

        if (action == NULL || is_harmless(action))
            continue;
        finding_advise(findings_add(doctor, FINDING_ERROR, "header-checks",
                                    "%s changes what spfrom has written: \"%s\" meets %s", name,
                                    line, action),
                       "take the pattern out, or let it spare that field");
        hits++;
    }
    if (hits == 0 && !lookup.is_unknown)
        findings_add(doctor, FINDING_FINE, "header-checks",
                     "%s (%s) leaves alone what spfrom writes", name, tables);
}

/* In octets; with less, Postfix cuts fields that occur in practice. */
#define HEADER_SIZE_LOW 32768

static void examine_header_size(Doctor *doctor, const Postfix *postfix)
{
    const char *limit = postfix_value(postfix, NULL, "header_size_limit");
    guint64 octets = 0;

    if (!g_ascii_string_to_unsigned(limit, 10, 0, G_MAXINT64, &octets, NULL) ||
        octets >= HEADER_SIZE_LOW)
        return;
    postfix_mend(postfix,
                 findings_add(doctor, FINDING_WARNING, "header-size",
                              "header_size_limit is %s: Postfix cuts longer fields off without "
                              "a word",
                              limit),
                 NULL, "header_size_limit", "102400");
}

static void examine_sender_tables(Doctor *doctor, const Postfix *postfix)
{
    for (size_t i = 0; i < G_N_ELEMENTS(sender_tables); i++)
        examine_sender_table(doctor, postfix, &sender_tables[i]);
    examine_login(doctor, postfix);
    examine_masquerade(doctor, postfix);
    for_each_client(doctor, postfix, "smtp_generic_maps", examine_generic);
    for_each_client(doctor, postfix, "smtp_header_checks", examine_header_checks);
    examine_header_checks(doctor, postfix, "milter_header_checks",
                          postfix_value(postfix, NULL, "milter_header_checks"));
    examine_header_size(doctor, postfix);
}

/* The next hop in "smtp:[host]:port"; "" if it has none. */
static const char *hop_in_transport(const char *text)
{
    const char *colon = strchr(text, ':');

    return colon != NULL ? colon + 1 : "";
}

/* Returns whether a next hop is set for all mail. */
static bool examine_hops(Doctor *doctor, const Postfix *postfix)
{
    g_autoptr(GPtrArray) fallbacks =
        postfix_words(postfix_value(postfix, NULL, "smtp_fallback_relay"));
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

/* Without a relayhost, this host delivers from its own addresses. */
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

    network_add_interfaces(own);
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

/* Mail that Postfix itself writes passes no milter, unless internal_mail_filter_classes says so. */
static void examine_own_mail(Doctor *doctor, const Postfix *postfix)
{
    const char *classes = postfix_value(postfix, NULL, "internal_mail_filter_classes");
    const char *origin = postfix_value(postfix, NULL, "myorigin");
    g_autoptr(CheckSubject) subject = check_subject_parse(origin);
    g_autoptr(DomainCheck) check = NULL;
    Finding *finding;

    if (strstr(classes, "bounce") != NULL)
        return;
    if (doctor_sends_letters(doctor) && g_hash_table_size(doctor->settings->return_forms) > 0) {
        finding =
            findings_add(doctor, FINDING_WARNING, "letter-bounces",
                         "bounces that Postfix writes pass no milter, so that an address that "
                         "refuses a letter gets the next one, too");
        postfix_mend(postfix, finding, NULL, "internal_mail_filter_classes", "bounce,notify");
    }
    if (doctor->relays == NULL)
        return;
    check = domain_check_run(doctor->settings, doctor->dns, doctor->relays, subject,
                             findings_check_deadline(doctor));
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
    postfix_mend(postfix, finding, NULL, "internal_mail_filter_classes", "bounce,notify");
}

void doctor_postfix_route(Doctor *doctor, const Postfix *postfix)
{
    examine_local_mailers(doctor, postfix);
    examine_sender_tables(doctor, postfix);
    if (doctor->dns == NULL)
        return;
    if (!examine_hops(doctor, postfix) && doctor->relays != NULL)
        examine_own(doctor, postfix);
    examine_transport_maps(doctor, postfix);
    examine_own_mail(doctor, postfix);
}
