#ifndef SPFROM_DOCTOR_POSTFIX_H
#define SPFROM_DOCTOR_POSTFIX_H

#include <glib.h>
#include <stdbool.h>

/* A service of master.cf. */
typedef struct {
    char *name; /* "smtp", "127.0.0.1:10025" */
    char *type; /* "inet", "unix", … */
    bool is_chrooted;
    char *program;         /* "smtpd" */
    GHashTable *overrides; /* char * → char *: its options -o */
} PostfixService;

/* One Postfix, as postconf(1) shows it: values with their $names expanded. Immutable once read. */
typedef struct {
    char *postconf;         /* path of the program */
    char *directory;        /* of its configuration; NULL: the default one */
    GHashTable *parameters; /* char * → char * */
    GPtrArray *services;    /* of PostfixService */
    GPtrArray *complaints;  /* of char *: what postconf warns of */
} Postfix;

#define POSTFIX_ERROR (postfix_error_quark())
typedef enum { POSTFIX_ERROR_MISSING, POSTFIX_ERROR_POSTCONF } PostfixError;
GQuark postfix_error_quark(void);

/*
 * Reads the Postfix whose configuration is in directory, NULL for its default; changes nothing.
 *
 * postconf  the program; NULL: it is looked for
 * Returns a new value, freed with postfix_free(); NULL with error set: POSTFIX_ERROR_MISSING where
 * there is no Postfix.
 */
Postfix *postfix_read(const char *postconf, const char *directory, GError **error);
void postfix_free(Postfix *postfix);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(Postfix, postfix_free)

/*
 * The pure part: makes a Postfix of what postconf prints.
 *
 * parameters  of "postconf -x"
 * services    of "postconf -M"
 * overrides   of "postconf -x -P"
 */
Postfix *postfix_parse(const char *parameters, const char *services, const char *overrides);

/* The value that counts for service (NULL: that of main.cf), "" where there is none. Borrowed. */
const char *postfix_value(const Postfix *postfix, const PostfixService *service, const char *name);
bool postfix_is_yes(const Postfix *postfix, const PostfixService *service, const char *name);

/* A time such as "30s" or "5m", in seconds; 0 where there is none. */
gint64 postfix_seconds(const Postfix *postfix, const PostfixService *service, const char *name);

/* The service of that name and type, or NULL. */
const PostfixService *postfix_service(const Postfix *postfix, const char *name, const char *type);

/*
 * The path of a unix socket as service sees it: below the queue where it is relative or service is
 * chrooted. Owned by the caller.
 */
char *postfix_path(const Postfix *postfix, const PostfixService *service, const char *path);

/* A command of Postfix with its configuration, quoted for a shell: "postconf", "postfix -c DIR".
 * Owned by the caller. */
char *postfix_command(const Postfix *postfix, const char *name);

/*
 * The command that gives name the value, without the reload that has to follow.
 *
 * service  whose option -o it becomes; NULL: main.cf
 */
char *postfix_set_command(const Postfix *postfix, const PostfixService *service, const char *name,
                          const char *value);

/*
 * Looks key up in a table such as "hash:/etc/postfix/generic", by postmap(1).
 * Returns what the table says, owned by the caller; NULL where it says nothing, or with error set
 * where the table can't be asked.
 */
char *postfix_lookup(const Postfix *postfix, const char *table, const char *key, GError **error);

/* Lists a table: a line "KEY<tab>VALUE" for each entry, owned by the caller; NULL with error set
 * where that can't be done (patterns, other servers). */
char *postfix_dump(const Postfix *postfix, const char *table, GError **error);
#endif
