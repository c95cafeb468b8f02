#include "config.h"

#include "policy/relay_entry.h"

#include <stdbool.h>
#include <string.h>

#include "base/domain_name.h"

#define WIDEST_IPV4 8 /* shorter prefixes can't be what somebody's mail leaves from */
#define WIDEST_IPV6 16

G_DEFINE_QUARK(spfrom_relay_entry_error, relay_entry_error)

static RelayEntry *relay_entry_new(RelayEntryKind kind)
{
    RelayEntry *entry = g_new0(RelayEntry, 1);

    entry->kind = kind;
    return entry;
}

void relay_entry_free(RelayEntry *entry)
{
    g_free(entry->domain);
    g_free(entry);
}

/* No domain ends in a label of digits only (RFC 3696 section 2). */
static bool is_network(const char *text)
{
    const char *dot = strrchr(text, '.');
    const char *label = dot != NULL ? dot + 1 : text;
    size_t digits = strspn(label, "0123456789");

    return strpbrk(text, ":/") != NULL || (digits > 0 && label[digits] == '\0');
}

static RelayEntry *parse_network(const char *text, GError **error)
{
    g_autoptr(RelayEntry) entry = relay_entry_new(RELAY_ENTRY_NETWORK);
    g_autoptr(GError) cause = NULL;
    guint8 widest;

    if (!network_parse(text, &entry->network, &cause)) {
        g_set_error_literal(error, RELAY_ENTRY_ERROR, RELAY_ENTRY_ERROR_NETWORK, cause->message);
        return NULL;
    }
    widest = network_bits(&entry->network) == 32 ? WIDEST_IPV4 : WIDEST_IPV6;
    if (entry->network.length < widest) {
        g_set_error(error, RELAY_ENTRY_ERROR, RELAY_ENTRY_ERROR_WIDE,
                    "\"%s\" is too wide for a relay; write a network of at least /%u", text,
                    widest);
        return NULL;
    }
    return g_steal_pointer(&entry);
}

static RelayEntry *parse_domain(RelayEntryKind kind, const char *text, GError **error)
{
    g_autoptr(RelayEntry) entry = relay_entry_new(kind);
    g_autoptr(GError) cause = NULL;

    entry->domain = domain_name_parse(text, &cause);
    if (entry->domain == NULL) {
        g_set_error_literal(error, RELAY_ENTRY_ERROR, RELAY_ENTRY_ERROR_DOMAIN, cause->message);
        return NULL;
    }
    return g_steal_pointer(&entry);
}

RelayEntry *relay_entry_parse(const char *text, GError **error)
{
    if (strcmp(text, "auto") == 0)
        return relay_entry_new(RELAY_ENTRY_AUTO);
    if (g_str_has_prefix(text, "spf:"))
        return parse_domain(RELAY_ENTRY_SPF, text + strlen("spf:"), error);
    if (is_network(text))
        return parse_network(text, error);
    return parse_domain(RELAY_ENTRY_HOST, text, error);
}

char *relay_entry_text(const RelayEntry *entry)
{
    char text[NETWORK_TEXT_MAX];

    switch (entry->kind) {
    case RELAY_ENTRY_NETWORK:
        return g_strdup(network_text(&entry->network, text));
    case RELAY_ENTRY_HOST:
        return g_strdup(entry->domain);
    case RELAY_ENTRY_SPF:
        return g_strconcat("spf:", entry->domain, NULL);
    case RELAY_ENTRY_AUTO:
        return g_strdup("auto");
    }
    return NULL;
}
