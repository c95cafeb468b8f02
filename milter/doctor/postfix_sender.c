#include "config.h"

#include "doctor/postfix_sender.h"

#include <string.h>

#include "doctor/milter_list.h"

/* One parameter that names tables, while they are asked. */
typedef struct {
    Doctor *doctor;
    const Postfix *postfix;
    const char *parameter; /* as it is told */
    const char *tables;
    bool is_unknown; /* one of them could not be asked; that was told */
} Lookup;

/* Postfix asks tables of patterns for whole addresses only. */
static bool has_patterns(const char *table)
{
    static const char *const types[] = {"regexp:", "pcre:", "cidr:"};

    for (size_t i = 0; i < G_N_ELEMENTS(types); i++)
        if (strstr(table, types[i]) != NULL)
            return true;
    return false;
}

/* Returns what the first of the tables that knows key says, NULL where none does. */
static char *look_up(Lookup *lookup, const char *key, bool is_part)
{
    g_autoptr(GPtrArray) words = milter_list_words(lookup->tables);

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

/* Does Postfix look addresses of domain up by their local part alone? The host's own addresses are
 * left out: nobody's fallback address is in a domain literal. */
static bool is_own_domain(const Postfix *postfix, const char *domain)
{
    g_autoptr(GPtrArray) words = milter_list_words(postfix_value(postfix, NULL, "mydestination"));

    g_ptr_array_add(words, g_strdup(postfix_value(postfix, NULL, "myorigin")));
    for (guint i = 0; i < words->len; i++)
        if (g_ascii_strcasecmp(g_ptr_array_index(words, i), domain) == 0)
            return true;
    return false;
}

/* Asks the tables for address as Postfix does (mail_addr_find()): whole, without its extension,
 * its local part where the domain is ours, then its domain. */
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

/* A table that is asked for the envelope sender. */
typedef struct {
    const char *parameter;
    const char *check;
    FindingLevel level; /* where it knows a fallback address */
    const char *hit;    /* with the fallback address, and what the table says */
    const char *advice;
    const char *set_only; /* said where it is set and knows none; NULL: that is fine */
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

/* Does the class of addresses that canonical_maps looks at hold the envelope sender? */
static bool counts(const Postfix *postfix, const SenderTable *table)
{
    g_autoptr(GPtrArray) classes = NULL;

    if (strcmp(table->parameter, "canonical_maps") != 0)
        return true;
    classes = milter_list_words(postfix_value(postfix, NULL, "canonical_classes"));
    return g_ptr_array_find_with_equal_func(classes, "envelope_sender", g_str_equal, NULL);
}

static void examine_table(Doctor *doctor, const Postfix *postfix, const SenderTable *table)
{
    Lookup lookup = {.doctor = doctor,
                     .postfix = postfix,
                     .parameter = table->parameter,
                     .tables = postfix_value(postfix, NULL, table->parameter)};
    guint hits = 0;
    GHashTableIter iterator;
    gpointer address;

    if (*lookup.tables == '\0' || !counts(postfix, table))
        return;
    g_hash_table_iter_init(&iterator, doctor->settings->fallbacks);
    while (g_hash_table_iter_next(&iterator, &address, NULL)) {
        g_autofree char *found = look_up_address(&lookup, address);

        if (found == NULL || g_ascii_strcasecmp(found, address) == 0)
            continue;
        examine_hit(doctor, table, address, found);
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

/* With smtp_sender_dependent_authentication the login of the next hop hangs on the sender. */
static void examine_login(Doctor *doctor, const Postfix *postfix)
{
    Lookup lookup = {.doctor = doctor,
                     .postfix = postfix,
                     .parameter = "smtp_sasl_password_maps",
                     .tables = postfix_value(postfix, NULL, "smtp_sasl_password_maps")};
    GHashTableIter iterator;
    gpointer address;

    if (!postfix_is_yes(postfix, NULL, "smtp_sender_dependent_authentication") ||
        *lookup.tables == '\0')
        return;
    g_hash_table_iter_init(&iterator, doctor->settings->fallbacks);
    while (g_hash_table_iter_next(&iterator, &address, NULL)) {
        g_autofree char *found = look_up_address(&lookup, address);

        if (found == NULL && !lookup.is_unknown)
            findings_add(doctor, FINDING_WARNING, "sender-login",
                         "smtp_sender_dependent_authentication is on, and smtp_sasl_password_maps "
                         "has no entry for %s: rewritten mail logs in with the relay's own",
                         (const char *)address);
    }
}

/* masquerade_domains strips subdomains of the envelope sender, ours too. */
static void examine_masquerade(Doctor *doctor, const Postfix *postfix)
{
    g_autoptr(GPtrArray) domains =
        milter_list_words(postfix_value(postfix, NULL, "masquerade_domains"));
    const char *classes = postfix_value(postfix, NULL, "masquerade_classes");
    GHashTableIter iterator;
    gpointer address;

    if (strstr(classes, "envelope_sender") == NULL)
        return;
    g_hash_table_iter_init(&iterator, doctor->settings->fallbacks);
    while (g_hash_table_iter_next(&iterator, &address, NULL)) {
        const char *domain = strrchr(address, '@') + 1;

        for (guint i = 0; i < domains->len; i++) {
            const char *parent = g_ptr_array_index(domains, i);
            g_autofree char *suffix = g_strconcat(".", parent, NULL);

            if (g_str_has_suffix(domain, suffix))
                finding_advise(findings_add(doctor, FINDING_ERROR, "masquerade",
                                            "masquerade_domains makes %s of the domain of the "
                                            "fallback address %s in the envelope",
                                            parent, (const char *)address),
                               "write !%s before %s in masquerade_domains", domain, parent);
        }
    }
}

static bool is_smtp_client(const PostfixService *service)
{
    return strcmp(service->program, "smtp") == 0;
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

        if (is_smtp_client(service) && own != NULL)
            examine(doctor, postfix, name, own);
    }
}

static void examine_generic(Doctor *doctor, const Postfix *postfix, const char *name,
                            const char *tables)
{
    Lookup lookup = {.doctor = doctor, .postfix = postfix, .parameter = name, .tables = tables};
    guint hits = 0;
    GHashTableIter iterator;
    gpointer address;

    if (*tables == '\0')
        return;
    g_hash_table_iter_init(&iterator, doctor->settings->fallbacks);
    while (g_hash_table_iter_next(&iterator, &address, NULL)) {
        g_autofree char *found = look_up_address(&lookup, address);

        if (found == NULL || g_ascii_strcasecmp(found, address) == 0)
            continue;
        finding_advise(findings_add(doctor, FINDING_ERROR, "generic",
                                    "%s replaces the fallback address %s by %s, in From: and in "
                                    "the envelope, after spfrom and after the signature",
                                    name, (const char *)address, found),
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

/* The lines that a rewritten message has, as header_checks(5) are asked for them. */
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

#define HEADER_SIZE_LOW 32768 /* octets; below, Postfix cuts fields that mail has in practice */

static void examine_header_size(Doctor *doctor, const Postfix *postfix)
{
    const char *limit = postfix_value(postfix, NULL, "header_size_limit");
    guint64 octets = 0;
    g_autofree char *set = NULL;
    g_autofree char *reload = NULL;

    if (!g_ascii_string_to_unsigned(limit, 10, 0, G_MAXINT64, &octets, NULL) ||
        octets >= HEADER_SIZE_LOW)
        return;
    set = postfix_set_command(postfix, NULL, "header_size_limit", "102400");
    reload = postfix_command(postfix, "postfix");
    finding_command(findings_add(doctor, FINDING_WARNING, "header-size",
                                 "header_size_limit is %s: Postfix cuts longer fields off without "
                                 "a word",
                                 limit),
                    "%s && %s reload", set, reload);
}

void doctor_postfix_sender(Doctor *doctor, const Postfix *postfix)
{
    for (size_t i = 0; i < G_N_ELEMENTS(sender_tables); i++)
        examine_table(doctor, postfix, &sender_tables[i]);
    examine_login(doctor, postfix);
    examine_masquerade(doctor, postfix);
    for_each_client(doctor, postfix, "smtp_generic_maps", examine_generic);
    for_each_client(doctor, postfix, "smtp_header_checks", examine_header_checks);
    examine_header_checks(doctor, postfix, "milter_header_checks",
                          postfix_value(postfix, NULL, "milter_header_checks"));
    examine_header_size(doctor, postfix);
}
