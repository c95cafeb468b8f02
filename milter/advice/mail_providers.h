#ifndef SPFROM_ADVICE_MAIL_PROVIDERS_H
#define SPFROM_ADVICE_MAIL_PROVIDERS_H

#include <glib.h>
#include <stdbool.h>

/*
 * The domains of mail providers, whose users can't publish an SPF record. A line of the list is
 * "example.net" for that name, ".example.net" for its subdomains, and "!example.net" or
 * "!.example.net" to take such an entry out. Once read, it is only read, from any thread.
 */
typedef struct MailProviders MailProviders;

MailProviders *mail_providers_new(void);
void mail_providers_free(MailProviders *providers);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(MailProviders, mail_providers_free)

/* Adds the lines of text. Returns false with error (LIST_FILE_ERROR, DOMAIN_NAME_ERROR) set, its
 * message with FILE:LINE. */
bool mail_providers_add(MailProviders *providers, const char *text, const char *file,
                        GError **error);

/*
 * Reads conf/mail-providers as it is installed, then the administrator's file of that name (see
 * base/installation.h), if there is one. Returns NULL with error set.
 */
MailProviders *mail_providers_read(const char *configuration, GError **error);

/* Is it a provider's domain? domain_name as of base/domain_name.h. */
bool mail_providers_has(const MailProviders *providers, const char *domain_name);

guint mail_providers_count(const MailProviders *providers);
#endif
