#ifndef SPFROM_POLICY_SETTINGS_H
#define SPFROM_POLICY_SETTINGS_H

#include <glib.h>
#include <stdbool.h>

#include "mail/mailboxes.h"
#include "mail/rewrite.h"
#include "policy/outbound.h"
#include "policy/fleet_member.h"
#include "policy/relay_entry.h"
#include "policy/return_address.h"
#include "policy/verdict.h"

/* What is wrong with a configuration. */
#define SETTINGS_ERROR (settings_error_quark())
typedef enum { SETTINGS_ERROR_FILE, SETTINGS_ERROR_SYNTAX, SETTINGS_ERROR_VALUE } SettingsError;
GQuark settings_error_quark(void);

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
    ReturnForm *fallback_form;
    ReturnForm *return_form; /* one without an address: none for this domain */
    char *display_name;
    char *display_name_missing;
    guint reply_to;
    guint letters;    /* 0: nobody of this domain is written to */
    guint authorised; /* domain_map only: 0 for no, 1 for yes, in place of the verdict */
    /* These follow from the keys. */
    const Mailbox *fallback; /* of fallback_form, without a token */
    /* The return address that holds here: the section's own or the global one, if it is aligned with
     * the fallback that holds here; else NULL. */
    const ReturnForm *return_in_force;
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
    /* Of each key of settings_keys, its value as a file may have it; NULL: none. NULL-terminated by
     * settings_keys_length. */
    char **texts;

    char *socket; /* in libmilter's form: inet:PORT@HOST, inet6:PORT@HOST, unix:/PATH */
    guint socket_mode;
    char *socket_group; /* NULL: as it comes */

    ReturnForm *fallback_form;
    Mode mode;
    SpfResultSet rewrite_on;
    SpfResultSet tempfail_on;
    EnvelopeSenderChoice envelope_sender;
    AlignEnvelope align_envelope;
    bool null_sender_fallback; /* null_sender = fallback */
    char *exempt_dkim;         /* authserv-id; NULL: none */
    char **dkim_consent;       /* selectors; empty: none */
    char *dkim_consent_domain; /* NULL: that of the fallback in force */

    ReturnForm *return_form; /* return_address; without an address: none */
    char *return_key;        /* a file; NULL: not given */
    char *return_socket;     /* as socket; NULL: none */
    guint return_days;
    guint return_mail; /* what is passed on: bits, 1 << ReturnKind */

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

    guint letters;               /* 0 for no, 1 for yes: the owners of domains are written to */
    ReturnForm *letter_from;     /* NULL: the fallback address in force */
    ReturnForm *letter_reply_to; /* NULL: none */
    char *letter_signature;      /* a file, with the language behind it; NULL: none */
    guint letter_repeat;         /* seconds between two letters about one domain */
    guint letter_max;            /* letters about one domain */

    char *state_dir;
    char *ledger;      /* NULL: none is kept */
    guint ledger_days; /* that are kept */
    char *control_socket;
    char *user;
    char *group;

    LogChoice log;
    bool log_local_parts; /* log_addresses = full */
    int log_level;        /* as in syslog(3) */

    GPtrArray *fleet;          /* of FleetMember; empty: this host is alone */
    char *fleet_name;          /* begins every key in the store */
    guint fleet_timeout;       /* milliseconds */
    char *fleet_ca;            /* NULL: the system's authorities */
    char *fleet_password_file; /* NULL: no password */

    char *domain_map; /* NULL: none */

    /* These follow from the keys. */
    /* name (subdomains with a leading dot) → DomainSection of the configuration */
    GHashTable *sections;
    GHashTable *map;         /* the same of domain_map; NULL: none */
    char *map_digest;        /* of what stood in that file; NULL: none */
    char *text;              /* the configuration as it was read */
    const Mailbox *fallback; /* of fallback_form, without a token */
    /* The return address in force where no section says otherwise; NULL: none. */
    const ReturnForm *return_in_force;
    /* addr-specs of every fallback address there is, without a token, lower-case domain: a set */
    GHashTable *fallbacks;
    /* every form with a token that is in force somewhere: see return_forms_find() */
    GHashTable *return_forms;
    bool is_ledger_in_state_dir; /* the key is not given */
    char *return_key_file;       /* return_key, or that in state_dir; NULL: neither is given */
    bool has_return_secret;      /* return_secret is what stands in it */
    guint8 return_secret[RETURN_KEY_LENGTH];
    GHmac *return_hmac; /* makes tokens with it; NULL without it */
};

#define SETTINGS_LEDGER_NAME "ledger.db"      /* in state_dir, if ledger is not given */
#define SETTINGS_RETURN_KEY_NAME "return.key" /* in state_dir, if return_key is not given */

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

/* A digest of the configuration's text and of what stands in its domain_map: it tells one version
 * from another. Owned by the caller. */
char *settings_digest(Settings *settings);

/* True if some address carries a token: a return address, or a fallback address with "%t". */
bool settings_has_tokens(Settings *settings);

/* Puts what stands in return_key_file into settings; without it no message carries a token. Nobody else
 * may have a reference of settings yet. */
void settings_put_return_secret(Settings *settings, const guint8 secret[RETURN_KEY_LENGTH]);

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
