#include "config.h"

#include "daemon/fleet_roll.h"

#include <string.h>

#define NAMES_MAX 1024 /* that are compared: a stranger could write any number */
#define RELAY_SET "relay set"
#define RETURN_KEY "return key"

struct FleetRoll {
    GPtrArray *hosts;  /* of FleetHost */
    GHashTable *signs; /* name → Sign */
};

/* When a host was seen. */
typedef struct {
    gint64 written; /* by the host's clock */
    gint64 seen;    /* monotonic, of this host */
} Sign;

static void free_host(gpointer host)
{
    fleet_host_free(host);
}

FleetRoll *fleet_roll_new(void)
{
    FleetRoll *roll = g_new0(FleetRoll, 1);

    roll->hosts = g_ptr_array_new_with_free_func(free_host);
    roll->signs = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, g_free);
    return roll;
}

void fleet_roll_free(FleetRoll *roll)
{
    if (roll == NULL)
        return;
    g_ptr_array_unref(roll->hosts);
    g_hash_table_unref(roll->signs);
    g_free(roll);
}

/* Of a host that is new, its own clock is all there is. */
static Sign *sign_of(GHashTable *before, const FleetHost *host, gint64 wall, gint64 monotonic)
{
    const Sign *last = g_hash_table_lookup(before, host->host);
    Sign *sign = g_new(Sign, 1);

    *sign = (Sign){.written = host->seen, .seen = monotonic};
    if (last == NULL)
        sign->seen = monotonic - MAX(wall - host->seen, 0);
    else if (last->written == host->seen)
        sign->seen = last->seen;
    return sign;
}

void fleet_roll_take(FleetRoll *roll, GPtrArray *hosts, gint64 wall, gint64 monotonic)
{
    GHashTable *signs = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, g_free);

    for (guint i = 0; i < hosts->len; i++) {
        const FleetHost *host = g_ptr_array_index(hosts, i);

        g_hash_table_insert(signs, g_strdup(host->host),
                            sign_of(roll->signs, host, wall, monotonic));
    }
    g_hash_table_unref(roll->signs);
    roll->signs = signs;
    g_ptr_array_unref(roll->hosts);
    roll->hosts = hosts;
}

static void row_free(gpointer data)
{
    FleetRollRow *row = data;

    g_ptr_array_unref(row->differs);
    g_free(row);
}

static FleetRollRow *row_new(const FleetRoll *roll, const FleetHost *host, gint64 monotonic)
{
    const Sign *sign = g_hash_table_lookup(roll->signs, host->host);
    FleetRollRow *row = g_new0(FleetRollRow, 1);

    row->host = host;
    row->age = MAX(monotonic - sign->seen, 0);
    row->is_seen = row->age < FLEET_ROLL_SEEN;
    row->differs = g_ptr_array_new_with_free_func(g_free);
    return row;
}

/* The digest that host has for what is called name; NULL: it says nothing of it. */
static const char *value_of(const FleetHost *host, const char *name)
{
    if (strcmp(name, RELAY_SET) == 0)
        return host->relays;
    if (strcmp(name, RETURN_KEY) == 0)
        return host->return_key;
    return g_hash_table_lookup(host->keys, name);
}

static bool is_compared(const FleetRollRow *row)
{
    return row->is_seen && !row->host->is_stopped;
}

static void compare(GPtrArray *rows, const char *name)
{
    g_autoptr(GHashTable) counts = g_hash_table_new(g_str_hash, g_str_equal); /* value → number */
    guint all = 0;

    for (guint i = 0; i < rows->len; i++) {
        const FleetRollRow *row = g_ptr_array_index(rows, i);
        const char *value = is_compared(row) ? value_of(row->host, name) : NULL;

        if (value == NULL)
            continue;
        g_hash_table_insert(
            counts, (gpointer)value,
            GUINT_TO_POINTER(GPOINTER_TO_UINT(g_hash_table_lookup(counts, value)) + 1));
        all++;
    }
    for (guint i = 0; i < rows->len && g_hash_table_size(counts) > 1; i++) {
        FleetRollRow *row = g_ptr_array_index(rows, i);
        const char *value = is_compared(row) ? value_of(row->host, name) : NULL;

        if (value != NULL && 2 * GPOINTER_TO_UINT(g_hash_table_lookup(counts, value)) <= all)
            g_ptr_array_add(row->differs, g_strdup(name));
    }
}

/* All that is told of any host: a sorted list of names, owned by the hosts. */
static GList *names_of(const GPtrArray *rows)
{
    g_autoptr(GHashTable) names = g_hash_table_new(g_str_hash, g_str_equal);

    g_hash_table_add(names, (gpointer)RELAY_SET);
    g_hash_table_add(names, (gpointer)RETURN_KEY);
    for (guint i = 0; i < rows->len; i++) {
        const FleetRollRow *row = g_ptr_array_index(rows, i);
        GHashTableIter iter;
        gpointer name;

        g_hash_table_iter_init(&iter, row->host->keys);
        while (g_hash_table_size(names) < NAMES_MAX && g_hash_table_iter_next(&iter, &name, NULL))
            g_hash_table_add(names, name);
    }
    return g_list_sort(g_hash_table_get_keys(names), (GCompareFunc)strcmp);
}

GPtrArray *fleet_roll_rows(const FleetRoll *roll, gint64 monotonic)
{
    GPtrArray *rows = g_ptr_array_new_with_free_func(row_free);
    g_autoptr(GList) names = NULL;

    for (guint i = 0; i < roll->hosts->len; i++)
        g_ptr_array_add(rows, row_new(roll, g_ptr_array_index(roll->hosts, i), monotonic));
    names = names_of(rows);
    for (GList *name = names; name != NULL; name = name->next)
        compare(rows, name->data);
    return rows;
}
