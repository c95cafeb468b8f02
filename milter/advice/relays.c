#include "config.h"

#include "advice/relays.h"

#include "base/clock.h"
#include "policy/relay_entry.h"
#include "policy/settings_parse.h"
#include "verdict/relay_set.h"

Relays *relays_new(const char *helo)
{
    Relays *relays = g_new0(Relays, 1);

    relays->networks = g_array_new(FALSE, FALSE, sizeof(Network));
    relays->entries = g_array_new(FALSE, FALSE, sizeof(guint));
    relays->names = g_ptr_array_new_with_free_func(g_free);
    relays->unknown = g_ptr_array_new_with_free_func(g_free);
    relays->problems = g_ptr_array_new_with_free_func(g_free);
    relays->helo = g_strdup(helo);
    return relays;
}

void relays_free(Relays *relays)
{
    g_array_unref(relays->networks);
    g_array_unref(relays->entries);
    g_ptr_array_unref(relays->names);
    g_ptr_array_unref(relays->unknown);
    g_ptr_array_unref(relays->problems);
    g_free(relays->helo);
    g_free(relays);
}

bool relays_add(Relays *relays, const char *text, GError **error)
{
    guint entry = relays->names->len;
    Network network;

    if (!network_parse(text, &network, error))
        return false;
    relays->is_given = true;
    g_array_append_val(relays->networks, network);
    g_array_append_val(relays->entries, entry);
    g_ptr_array_add(relays->names, g_strdup(text));
    g_ptr_array_add(relays->unknown, NULL);
    return true;
}

static char *copy(gconstpointer text, gpointer unused G_GNUC_UNUSED)
{
    return g_strdup(text);
}

Relays *relays_resolve(Settings *settings, Dns *dns, Deadline deadline, GError **error)
{
    g_autoptr(GError) cause = NULL;
    g_autoptr(RelaySet) set =
        relay_set_resolve(settings, dns, NULL, &clock_system, deadline, &cause);
    Relays *relays;

    if (set == NULL) {
        settings_locate(settings, &cause);
        g_propagate_error(error, g_steal_pointer(&cause));
        return NULL;
    }
    relays = relays_new(settings->hostname);
    g_array_append_vals(relays->networks, set->networks->data, set->networks->len);
    g_array_append_vals(relays->entries, set->entries->data, set->entries->len);
    for (guint i = 0; i < settings->relay_hosts->len; i++) {
        g_ptr_array_add(relays->names,
                        relay_entry_text(g_ptr_array_index(settings->relay_hosts, i)));
        g_ptr_array_add(relays->unknown, g_strdup(relay_set_unknown(set, i, i + 1)));
    }
    g_ptr_array_extend(relays->problems, set->problems, (GCopyFunc)copy, NULL);
    return relays;
}

guint relays_entry_end(const Relays *relays, guint first)
{
    guint entry = g_array_index(relays->entries, guint, first);
    guint end = first;

    while (end < relays->networks->len && g_array_index(relays->entries, guint, end) == entry)
        end++;
    return end;
}

const char *relays_unknown(const Relays *relays)
{
    for (guint i = 0; i < relays->unknown->len; i++)
        if (g_ptr_array_index(relays->unknown, i) != NULL)
            return g_ptr_array_index(relays->unknown, i);
    return NULL;
}
