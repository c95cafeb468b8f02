#include "config.h"

#include "daemon/fleet_digests.h"

#include <string.h>

#include "unit/table.h"
#include "unit/verdict/settings_from.h"

static const struct row {
    const char *name; /* the one configuration */
    const char *other;
    const char *differing; /* the key in which they differ; NULL: in none */
} rows[] = {
    {"", "", NULL},
    {"reply_to = never", "reply_to = add", "reply_to"},
    {"cache_max_ttl = 2h", "cache_max_ttl = 120m", NULL},
    {"hostname = \"a.example\"", "hostname = \"b.example\"", NULL},
    {"log_level = debug", "log_level = info", NULL},
    {"domain x.example { mode = off }", "", "domain"},
    {"domain x.example { mode = off }", "domain x.example { mode = log-only }", "domain"},
    {"domain x.example { mode = off }", "domain .x.example { mode = off }", "domain"},
};

static void test_differs(void **state)
{
    const struct row *row = *state;
    g_autoptr(GHashTable) one = NULL;
    g_autoptr(GHashTable) other = NULL;
    g_autoptr(GString) differing = g_string_new(NULL);
    Settings *settings = settings_from(row->name);
    GHashTableIter iter;
    gpointer name, digest;

    one = fleet_digests_new(settings);
    settings_unref(settings);
    settings = settings_from(row->other);
    other = fleet_digests_new(settings);
    settings_unref(settings);
    assert_int_equal(g_hash_table_size(one), g_hash_table_size(other));
    g_hash_table_iter_init(&iter, one);
    while (g_hash_table_iter_next(&iter, &name, &digest))
        if (strcmp(digest, g_hash_table_lookup(other, name)) != 0)
            g_string_append(differing, name);
    assert_string_equal(differing->str, row->differing != NULL ? row->differing : "");
}

static void test_no_return_key(void **state G_GNUC_UNUSED)
{
    Settings *settings = settings_from("");
    g_autofree char *digest = fleet_digests_return_key(settings);

    assert_string_equal(digest, "");
    settings_unref(settings);
}

int main(void)
{
    GArray *tests = table_new();

    TABLE_ADD(tests, rows, test_differs);
    table_add(tests, "no return key", test_no_return_key, NULL);
    return table_run(tests, "fleet_digests");
}
