/* domain_map_parse() on the octets of a file. */
#include "config.h"

#include "policy/domain_map.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/domain_name.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check(bool holds)
{
    if (!holds)
        abort();
}

/* Is name the one form in which names are compared, so that a message's domain can match it? */
static void check_name(const char *name)
{
    g_autofree char *again = domain_name_parse(name, NULL);

    check(g_strcmp0(again, name) == 0);
}

static void check_section(GHashTable *table, const DomainSection *section)
{
    g_autofree char *below = g_strconcat("www.", section->name, NULL);

    check_name(section->name);
    check(domain_table_find(table, section->is_subdomains ? below : section->name) == section ||
          (section->is_subdomains && g_hash_table_contains(table, below)));
    if (section->fallback != NULL)
        check(g_str_is_ascii(section->fallback->addr_spec));
}

static void check_table(GHashTable *table)
{
    GHashTableIter iter;
    gpointer section;

    g_hash_table_iter_init(&iter, table);
    while (g_hash_table_iter_next(&iter, NULL, &section))
        check_section(table, section);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static bool is_ready;
    g_autofree char *text = g_strndup((const char *)data, size);
    g_autoptr(GError) error = NULL;
    g_autoptr(GHashTable) table = NULL;

    if (!is_ready)
        mailboxes_init();
    is_ready = true;
    table = domain_map_parse(text, "map", &error);
    check((table == NULL) == (error != NULL));
    if (table != NULL)
        check_table(table);
    else
        check(g_str_has_prefix(error->message, "map:") &&
              g_utf8_validate(error->message, -1, NULL));
    return 0;
}
