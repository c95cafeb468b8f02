#include "config.h"

#include "cli/advice_lists.h"

AdviceLists *advice_lists_read(const char *configuration, GError **error)
{
    g_autoptr(MailProviders) providers = mail_providers_read(configuration, error);
    g_autoptr(DnsHosters) hosters =
        providers != NULL ? dns_hosters_read(configuration, error) : NULL;
    AdviceLists *lists;

    if (hosters == NULL)
        return NULL;
    lists = g_new(AdviceLists, 1);
    lists->providers = g_steal_pointer(&providers);
    lists->hosters = g_steal_pointer(&hosters);
    return lists;
}

void advice_lists_free(AdviceLists *lists)
{
    mail_providers_free(lists->providers);
    dns_hosters_free(lists->hosters);
    g_free(lists);
}
