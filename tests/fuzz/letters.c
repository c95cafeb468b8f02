/* The file of addresses that `spfrom letters --to` gets. */
#include "config.h"

#include "advice/letters.h"
#include "advice/submission.h"
#include "base/domain_name.h"
#include "mail/mailboxes.h"

#include <string.h>

#include "check.h"

/* Each address can be handed to sendmail(1), each domain is one as everybody else writes it. */
static void check_table(GHashTable *table)
{
    GHashTableIter iterator;
    gpointer domain, address;

    g_hash_table_iter_init(&iterator, table);
    while (g_hash_table_iter_next(&iterator, &domain, &address)) {
        g_autofree char *again = domain_name_parse(domain, NULL);

        check(g_strcmp0(again, domain) == 0);
        check(submission_is_address(address) && strpbrk(address, " \t\r\n,") == NULL);
    }
}

static void check_error(const GError *error)
{
    check(g_str_has_prefix(error->message, "file:") && g_ascii_isdigit(error->message[5]));
    check(g_utf8_validate(error->message, -1, NULL) && strlen(error->message) < 500);
    for (const char *at = error->message; *at != '\0'; at++)
        check(!g_ascii_iscntrl(*at));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static bool is_ready;
    g_autoptr(GError) error = NULL;
    g_autoptr(GHashTable) table = NULL;

    if (!is_ready)
        mailboxes_init();
    is_ready = true;
    table = letters_parse_addresses((const char *)data, size, "file", &error);
    check((table == NULL) == (error != NULL));
    if (table != NULL)
        check_table(table);
    else
        check_error(error);
    return 0;
}
