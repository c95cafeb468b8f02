#ifndef SPFROM_CLI_ADVICE_LISTS_H
#define SPFROM_CLI_ADVICE_LISTS_H

#include "advice/dns_hosters.h"
#include "advice/mail_providers.h"

/* What advice needs to know besides DNS. */
typedef struct {
    MailProviders *providers;
    DnsHosters *hosters;
} AdviceLists;

/* Reads the lists as installed, and the administrator's beside configuration (its path). Returns
 * NULL with error, which names the file, set. Freed with advice_lists_free(). */
AdviceLists *advice_lists_read(const char *configuration, GError **error);
void advice_lists_free(AdviceLists *lists);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(AdviceLists, advice_lists_free)
#endif
