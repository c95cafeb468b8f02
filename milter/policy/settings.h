#ifndef SPFROM_POLICY_SETTINGS_H
#define SPFROM_POLICY_SETTINGS_H

#include <glib.h>
#include <stdbool.h>

#include "mail/mailboxes.h"
#include "mail/rewrite.h"
#include "policy/outbound.h"
#include "policy/relay_entry.h"
#include "policy/verdict.h"

/* The order counts: a domain section is never more active than the switch (design section 10). */
typedef enum { MODE_OFF, MODE_LOG_ONLY, MODE_REWRITE } Mode;
const char *mode_text(Mode mode);
bool mode_parse(const char *text, Mode *mode);

typedef enum { ENVELOPE_SENDER_AUTHOR, ENVELOPE_SENDER_FALLBACK } EnvelopeSenderChoice;
typedef enum { ALIGN_ENVELOPE_NO, ALIGN_ENVELOPE_DMARC, ALIGN_ENVELOPE_YES } AlignEnvelope;
typedef enum { RELAY_POLICY_ALL, RELAY_POLICY_ANY } RelayPolicy;
typedef enum { LOG_CHOICE_AUTO, LOG_CHOICE_STDERR, LOG_CHOICE_SYSLOG } LogChoice;

#define SECTION_OPEN G_MAXUINT

/* A domain section, or a line of domain_map. A key that it does not give is SECTION_OPEN or NULL: as
 * in the configuration. */
typedef struct {
    char *name;         /* see base/domain_name.h; for subdomains without its leading dot */
    bool is_subdomains; /* written with a leading dot: the domain's subdomains, at any depth */
    guint mode;         /* of Mode */
    Mailbox *fallback;
    char *display_name;
    char *display_name_missing;
    guint reply_to;
    guint authorised; /* domain_map only: 0 for no, 1 for yes, in place of the verdict */
} DomainSection;

/*
 * The configuration as one immutable value (design section 11), counted by reference: a message
 * takes a reference at its start and keeps it to its end. Only the parser writes its members, which
 * policy/settings_keys.c has as a table.
 */
typedef const struct Settings Settings;
struct Settings {
    gint refs; /* settings_ref() and settings_unref() only */
    char *file;

    char *socket; /* in libmilter's form: inet:PORT@HOST, inet6:PORT@HOST, unix:/PATH */
    guint socket_mode;
    char *socket_group; /* NULL: as it comes */

    Mailbox *fallback;
    Mode mode;
    SpfResultSet rewrite_on;
    SpfResultSet tempfail_on;
    EnvelopeSenderChoice envelope_sender;
    AlignEnvelope align_envelope;
    bool null_sender_fallback; /* null_sender = fallback */
    char *exempt_dkim;         /* authserv-id; NULL: none */

    char *display_name;
    char *display_name_missing;
    guint reply_to;       /* 0: never, 1: add */
    char **author_header; /* NULL-terminated */
    SenderHeader sender_header;
    bool remove_dkim_signatures;
    bool trace_header;

    GPtrArray *outbound; /* of OutboundRule */
    char **local_mailers;

    GPtrArray *relay_hosts; /* of RelayEntry */
    RelayPolicy relay_policy;
    char *hostname; /* the HELO name, and what "auto" looks up */

    guint check_timeout; /* seconds, as all times here */
    guint cache_size;
    guint cache_min_ttl;
    guint cache_max_ttl;
    guint cache_retry_ttl;
    guint cache_stale;

    char **dns_servers; /* "IP" or "IP@PORT"; empty: the system's */
    guint dns_timeout;
    char *dns_zone_file;    /* NULL: none */
    char *dns_trust_anchor; /* NULL: the default */

    char **advice_mechanisms; /* what owners are told to add; empty: derived from relay_hosts */
    char *advice_policy;      /* the all of a record that is new */

    char *state_dir;
    char *ledger;      /* NULL: none is kept */
    guint ledger_days; /* that are kept */
    char *control_socket;
    char *user;
    char *group;

    LogChoice log;
    bool log_local_parts; /* log_addresses = full */
    int log_level;        /* as in syslog(3) */

    char *domain_map; /* NULL: none */

    /* These follow from the keys. */
    /* name (subdomains with a leading dot) → DomainSection of the configuration */
    GHashTable *sections;
    GHashTable *map;  /* the same of domain_map; NULL: none */
    char *map_digest; /* of what stood in that file; NULL: none */
    char *text;       /* the configuration as it was read */
    /* addr-specs of every fallback address there is, lower-case domain: a set */
    GHashTable *fallbacks;
    bool is_ledger_in_state_dir; /* the key is not given */
};

#define SETTINGS_LEDGER_NAME "ledger.db" /* in state_dir, if ledger is not given */

/* Empty settings, for settings_parse() and its like to fill. file may be NULL. */
struct Settings *settings_new(const char *file);
Settings *settings_ref(Settings *settings);
void settings_unref(Settings *settings);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(Settings, settings_unref)

/*
 * Copies the keys that need a restart, and what follows from them, from running into next. Nobody
 * else may have a reference of next yet.
 *
 * changed  of const char *: the names of those that next had otherwise are added; NULL: not wanted
 */
void settings_keep(Settings *next, Settings *running, GPtrArray *changed);

/* True if cached verdicts that were made under a hold under b too. The relay set is not looked at. */
bool settings_verdicts_survive(Settings *a, Settings *b);

/*
 * Reads a fallback address, "a@b" or "Name" <a@b>. It has to do as an envelope sender in any
 * message, so its local part is ASCII. Freed with mailbox_free(); NULL if text is none.
 */
Mailbox *settings_fallback_parse(const char *text);

/*
 * What the configuration says of one domain: the most specific section that matches it, else the
 * most specific line of domain_map, else NULL. The exact name comes before subdomains, a longer
 * name before a shorter one.
 */
const DomainSection *settings_section(Settings *settings, const char *domain_name);
#endif
