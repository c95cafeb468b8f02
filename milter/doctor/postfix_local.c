#include "config.h"

#include "doctor/postfix_local.h"

#include <pwd.h>
#include <string.h>
#include <unistd.h>

#include "doctor/milter_list.h"
#include "policy/outbound.h"

#define CHECK "local-mailers"
#define FORWARD_MAX 65536 /* octets of a .forward that are looked at */

/* One examination; is_fine until something is found. */
typedef struct {
    Doctor *doctor;
    const Postfix *postfix;
    GPtrArray *own_domains; /* of char *; tables are not among them */
    bool has_own_tables;    /* some of our domains stand in tables */
    bool is_fine;
} Case;

static const char *const *local_mailers(const Case *this)
{
    return (const char *const *)this->doctor->settings->local_mailers;
}

static void mend(Case *this, Finding *finding)
{
    this->is_fine = false;
    finding_mend_key(this->doctor, finding, "local_mailers", "{}");
}

static void add_own_domains(Case *this, const char *parameter)
{
    g_autoptr(GPtrArray) words = milter_list_words(postfix_value(this->postfix, NULL, parameter));

    for (guint i = 0; i < words->len; i++) {
        const char *word = g_ptr_array_index(words, i);

        if (strpbrk(word, ":/") != NULL)
            this->has_own_tables = true;
        else
            g_ptr_array_add(this->own_domains, g_ascii_strdown(word, -1));
    }
}

/* Is the domain behind the last @ of address one of this host? One without a domain is. */
static bool is_own(const Case *this, const char *address)
{
    const char *at = strrchr(address, '@');
    g_autofree char *domain = at != NULL ? g_ascii_strdown(at + 1, -1) : NULL;

    return domain == NULL ||
           g_ptr_array_find_with_equal_func(this->own_domains, domain, g_str_equal, NULL);
}

/* The first address outside of the house in the value of an alias; NULL: there is none. Owned by
 * the caller. */
static char *find_outside(const Case *this, const char *value)
{
    g_auto(GStrv) words = g_strsplit_set(value, ", \t\r\n<>\"", -1);

    for (guint i = 0; words[i] != NULL; i++)
        if (strchr(words[i], '@') != NULL && strpbrk(words[i], "|/:") == NULL &&
            !is_own(this, words[i]))
            return g_strdup(words[i]);
    return NULL;
}

/* Is key, of a table that all recipients are looked up in, about an address that a mailer of
 * local_mailers can have? Of a domain that may stand in a table: perhaps. */
static bool concerns_local(const Case *this, const char *key)
{
    return is_own(this, key) || this->has_own_tables;
}

static void examine_table(Case *this, const char *parameter, const char *table)
{
    g_autoptr(GError) error = NULL;
    g_autofree char *text = postfix_dump(this->postfix, table, &error);
    g_auto(GStrv) lines = g_strsplit(text != NULL ? text : "", "\n", -1);

    if (error != NULL)
        mend(this, findings_add(this->doctor, FINDING_UNKNOWN, CHECK,
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
        mend(this, findings_add(this->doctor, FINDING_ERROR, CHECK,
                                "%s (%s) sends mail for %s to %s: such mail counts as local "
                                "(local_mailers) and leaves with an author who may not authorise "
                                "the relays",
                                parameter, table, lines[i], outside));
        return; /* one example is enough */
    }
}

static void examine_tables(Case *this, const char *parameter)
{
    g_autoptr(GPtrArray) tables = milter_list_words(postfix_value(this->postfix, NULL, parameter));

    for (guint i = 0; i < tables->len; i++)
        examine_table(this, parameter, g_ptr_array_index(tables, i));
}

/* A parameter that names one address. */
static void examine_address(Case *this, const char *parameter)
{
    const char *value = postfix_value(this->postfix, NULL, parameter);
    g_autofree char *outside = find_outside(this, value);

    if (outside != NULL)
        mend(this, findings_add(this->doctor, FINDING_ERROR, CHECK,
                                "%s sends mail to %s: such mail counts as local (local_mailers) "
                                "and leaves with an author who may not authorise the relays",
                                parameter, outside));
}

static void examine_forward(Case *this, const char *home)
{
    g_autofree char *file = g_build_filename(home, ".forward", NULL);
    g_autofree char *text = NULL;
    g_autofree char *outside = NULL;
    gsize length = 0;

    if (!g_file_get_contents(file, &text, &length, NULL) || length > FORWARD_MAX)
        return;
    outside = find_outside(this, text);
    if (outside != NULL)
        mend(this, findings_add(this->doctor, FINDING_ERROR, CHECK,
                                "%s sends mail to %s: such mail counts as local (local_mailers) "
                                "and leaves with an author who may not authorise the relays",
                                file, outside));
}

static void examine_forwards(Case *this)
{
    const struct passwd *account;

    if (*postfix_value(this->postfix, NULL, "forward_path") == '\0')
        return;
    setpwent();
    while ((account = getpwent()) != NULL)
        examine_forward(this, account->pw_dir);
    endpwent();
}

/* Mailers that lead to other hosts. error is what accepted addresses of virtual alias domains
 * have. */
static void examine_mailers(Case *this)
{
    static const char *const outside[] = {"smtp", "relay", "error", "esmtp"};

    for (size_t i = 0; i < G_N_ELEMENTS(outside); i++)
        if (outbound_is_local_mailer(local_mailers(this), outside[i]))
            mend(this, findings_add(this->doctor, FINDING_ERROR, CHECK,
                                    "local_mailers has %s, which sends mail out of the house: it "
                                    "leaves with an author who may not authorise the relays",
                                    outside[i]));
}

void doctor_postfix_local(Doctor *doctor, const Postfix *postfix)
{
    static const char *const domains[] = {"myorigin", "mydestination", "virtual_mailbox_domains"};
    static const char *const tables[] = {"virtual_alias_maps", "recipient_canonical_maps",
                                         "canonical_maps", "recipient_bcc_maps", "sender_bcc_maps"};
    g_autoptr(GPtrArray) own_domains = g_ptr_array_new_with_free_func(g_free);
    Case this = {.doctor = doctor, .postfix = postfix, .own_domains = own_domains, .is_fine = true};

    if (*local_mailers(&this) == NULL)
        return;
    for (size_t i = 0; i < G_N_ELEMENTS(domains); i++)
        add_own_domains(&this, domains[i]);
    examine_mailers(&this);
    for (size_t i = 0; i < G_N_ELEMENTS(tables); i++)
        examine_tables(&this, tables[i]);
    examine_address(&this, "always_bcc");
    if (outbound_is_local_mailer(local_mailers(&this), "local")) {
        examine_tables(&this, "alias_maps");
        examine_address(&this, "luser_relay");
        examine_forwards(&this);
    }
    if (this.is_fine)
        findings_add(doctor, FINDING_FINE, CHECK,
                     "local_mailers: %s sends mail out of the house now; an entry in an alias, "
                     "virtual alias or copy table that does so later makes that untrue",
                     geteuid() == 0 ? "no table and no .forward" : "no table");
}
