#ifndef SPFROM_DOCTOR_POSTFIX_H
#define SPFROM_DOCTOR_POSTFIX_H

#include <glib.h>
#include <stdbool.h>

#include "doctor/findings.h"
#include "doctor/milter_address.h"

/* A service of master.cf. */
typedef struct {
    /* "smtp", "127.0.0.1:10025" */
    char *name;
    /* "inet", "unix", … */
    char *type;
    bool is_chrooted;
    /* "smtpd" */
    char *program;
    /* Its options -o: char * → char *. */
    GHashTable *overrides;
} PostfixService;

/* One Postfix, as postconf(1) shows it: values with their $names expanded. It does not change once
 * it is read. */
typedef struct {
    /* The path of the program. */
    char *postconf;
    /* The directory of its configuration; NULL for the default one. */
    char *directory;
    /* char * → char * */
    GHashTable *parameters;
    /* Of PostfixService. */
    GPtrArray *services;
    /* Of char *: what postconf warns of. */
    GPtrArray *complaints;
    /* Of all that is asked about it. */
    Deadline deadline;
} Postfix;

#define POSTFIX_ERROR (postfix_error_quark())
typedef enum { POSTFIX_ERROR_MISSING, POSTFIX_ERROR_POSTCONF } PostfixError;
GQuark postfix_error_quark(void);

/*
 * Reads the Postfix whose configuration is in directory, NULL for its default; changes nothing.
 *
 * postconf  the program; NULL to look for it
 * Returns a new value, freed with postfix_free(); NULL with error set, which is
 * POSTFIX_ERROR_MISSING if there is no Postfix.
 */
Postfix *postfix_read(const char *postconf, const char *directory, Deadline deadline,
                      GError **error);
void postfix_free(Postfix *postfix);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(Postfix, postfix_free)

/*
 * The pure part of it: makes a Postfix of what postconf prints.
 *
 * parameters  of "postconf -x"
 * services    of "postconf -M"
 * overrides   of "postconf -x -P"
 */
Postfix *postfix_parse(const char *parameters, const char *services, const char *overrides);

/* The value that counts for service (NULL for that of main.cf), "" if there is none. Borrowed. */
const char *postfix_value(const Postfix *postfix, const PostfixService *service, const char *name);
bool postfix_is_yes(const Postfix *postfix, const PostfixService *service, const char *name);

/* A time such as "30s" or "5m", in seconds; 0 if there is none. */
gint64 postfix_seconds(const Postfix *postfix, const PostfixService *service, const char *name);

/* The words of a value: commas and blanks part them, braces hold one together. Returns an array of
 * char *. */
GPtrArray *postfix_words(const char *value);

/* Is word one of the words of value? */
bool postfix_has_word(const char *value, const char *word);

/* The service of that name and type, or NULL. */
const PostfixService *postfix_service(const Postfix *postfix, const char *name, const char *type);

/* Does service run that program of Postfix: "smtpd", "pickup"? */
bool postfix_service_runs(const PostfixService *service, const char *program);

/*
 * The path of a unix socket as service sees it: below the queue if it is relative or service is
 * chrooted. Owned by the caller.
 */
char *postfix_path(const Postfix *postfix, const PostfixService *service, const char *path);

/* A command of Postfix with its configuration, quoted for a shell: "postconf", "postfix -c DIR".
 * Owned by the caller. */
char *postfix_command(const Postfix *postfix, const char *name);

/*
 * The command that gives a parameter a value, without the reload that has to follow.
 *
 * service  whose option -o it becomes; NULL for main.cf
 */
char *postfix_set_command(const Postfix *postfix, const PostfixService *service, const char *name,
                          const char *value);

/* Mends finding with that command and the reload. */
void postfix_mend(const Postfix *postfix, Finding *finding, const PostfixService *service,
                  const char *name, const char *value);

/*
 * Looks key up in a table such as "hash:/etc/postfix/generic", by postmap(1).
 * Returns what the table says, owned by the caller; NULL if it says nothing, or with error set if
 * the table can't be asked.
 */
char *postfix_lookup(const Postfix *postfix, const char *table, const char *key, GError **error);

/* Lists a table: a line "KEY<tab>VALUE" for each entry, owned by the caller; NULL with error set if
 * that can't be done (patterns, other servers). */
char *postfix_dump(const Postfix *postfix, const char *table, GError **error);

/* One entry of smtpd_milters or non_smtpd_milters: "inet:localhost:8891", or
 * "{ inet:localhost:8891, default_action=accept }". */
typedef struct {
    /* As it was written, braces included; its address in Postfix's form. */
    char *text;
    char *address_text;
    /* The address as it was written if Postfix can't read it, else NULL. */
    char *misread;
    /* NULL if it is not understood. */
    MilterAddress *address;
    /* The settings of this milter alone: char * → char *; may be empty. */
    GHashTable *settings;
} PostfixMilter;

/* Returns an array of PostfixMilter, in the order of value. Pure, as are the two below. */
GPtrArray *postfix_milters_parse(const char *value);

/* The milter's own setting, or NULL if the general one counts. Borrowed. */
const char *postfix_milter_setting(const PostfixMilter *milter, const char *name);

/*
 * The text of a list with entry put in and without our other entries. It has no blanks, so that it
 * can stand in an option of master.cf. Owned by the caller.
 *
 * is_ours   one for each of milters
 * position  in milters, before which entry goes; behind their end for nowhere, then entry may be
 *           NULL
 */
char *postfix_milters_with(const GPtrArray *milters, const bool *is_ours, const char *entry,
                           guint position);
#endif
