#ifndef SPFROM_ADVICE_LISTS_H
#define SPFROM_ADVICE_LISTS_H

#include <glib.h>
#include <stdbool.h>

/*
 * What advice knows besides DNS: lists that people keep. They are UTF-8 with one entry a line, empty
 * lines, and comments that begin with "#". Once read, they do not change: any thread may ask.
 */
typedef struct Lists Lists;

typedef enum {
    /*
     * conf/mail-providers: the domains of mail providers, whose users can't publish an SPF record.
     * An entry is "example.net" for that name, ".example.net" for its subdomains, and "!example.net"
     * or "!.example.net" to take such an entry out.
     */
    LISTS_PROVIDERS,
    /*
     * conf/dns-hosters: who keeps a domain's records, as its name servers tell it. An entry is a
     * suffix of name servers' names and the name of the hoster: "rzone.de Strato". One "*" in a
     * suffix stands for letters, digits and hyphens: "awsdns-*.com Amazon Route 53". Behind the name
     * may stand what includes the hoster's mail servers: "rzone.de Strato include:_spf.strato.com".
     * A later entry replaces an earlier one with the same suffix.
     */
    LISTS_HOSTERS,
} ListsKind;

#define LISTS_ERROR (lists_error_quark())
typedef enum { LISTS_ERROR_SYNTAX, LISTS_ERROR_FILE } ListsError;
GQuark lists_error_quark(void);

#define LISTS_FILE_MAX (1024 * 1024) /* octets */

/* New lists without entries, freed with lists_free(). */
Lists *lists_new(void);
void lists_free(Lists *lists);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(Lists, lists_free)

/*
 * Reads each list as it is installed, then the administrator's file of that name (see
 * base/installation.h), if there is one. A list that can't be read stays empty.
 *
 * configuration  the path of the configuration file
 * problems       of char *: one message, with FILE or FILE:LINE, for each list that can't be read
 * Returns new lists, freed with lists_free(); never NULL.
 */
Lists *lists_read(const char *configuration, GPtrArray *problems);

/* Adds the entries of text. Returns false with error (LISTS_ERROR, DOMAIN_NAME_ERROR) set; the
 * message begins with FILE:LINE. */
bool lists_add(Lists *lists, ListsKind kind, const char *text, const char *file, GError **error);

/* Adds the entries of a file. If is_optional, the file need not exist. Errors as of lists_add(). */
bool lists_add_file(Lists *lists, ListsKind kind, const char *file, bool is_optional,
                    GError **error);

guint lists_count(const Lists *lists, ListsKind kind);

/* True if domain_name (see base/domain_name.h) belongs to a mail provider. */
bool lists_has_provider(const Lists *lists, const char *domain_name);

/*
 * The hoster with the longest suffix of name_server, on whole labels, or NULL. Case and a trailing
 * dot don't matter. The result belongs to lists.
 */
const char *lists_hoster(const Lists *lists, const char *name_server);

/* The hoster of all name_servers, which are NULL-terminated. NULL if one of them is unknown, they
 * belong to several hosters, or there is no name server. */
const char *lists_hoster_of_all(const Lists *lists, char *const *name_servers);

/* The domain whose SPF record names the mail servers of the hoster of all servers, which are name
 * servers or the hosts of MX records, NULL-terminated; NULL if it is not known. */
const char *lists_spf_of_all(const Lists *lists, char *const *servers);
#endif
