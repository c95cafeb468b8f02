#include "config.h"

#include "policy/outbound.h"

#include <string.h>

G_DEFINE_QUARK(spfrom_outbound_error, outbound_error)

static OutboundRule *rule_new(OutboundKind kind)
{
    OutboundRule *rule = g_new0(OutboundRule, 1);

    rule->kind = kind;
    return rule;
}

void outbound_rule_free(OutboundRule *rule)
{
    g_free(rule->daemon);
    g_free(rule);
}

OutboundRule *outbound_rule_parse(const char *text, GError **error)
{
    static const char daemon_prefix[] = "daemon:";
    g_autoptr(OutboundRule) rule = NULL;

    if (strcmp(text, "authenticated") == 0)
        return rule_new(OUTBOUND_AUTHENTICATED);
    if (strcmp(text, "private") == 0)
        return rule_new(OUTBOUND_PRIVATE);
    if (strcmp(text, "all") == 0)
        return rule_new(OUTBOUND_ALL);
    if (g_str_has_prefix(text, daemon_prefix) && text[strlen(daemon_prefix)] != '\0') {
        rule = rule_new(OUTBOUND_DAEMON);
        rule->daemon = g_strdup(text + strlen(daemon_prefix));
        return g_steal_pointer(&rule);
    }
    rule = rule_new(OUTBOUND_NETWORK);
    if (network_parse(text, &rule->network, NULL))
        return g_steal_pointer(&rule);
    g_set_error(error, OUTBOUND_ERROR, OUTBOUND_ERROR_SYNTAX,
                "\"%s\" says of no message that it is outgoing; write authenticated, private, all, "
                "daemon:NAME or a network like 203.0.113.0/24",
                text);
    return NULL;
}

/* A client without an address is a program on this machine. CGNAT is shared with strangers: not
 * private here. */
static bool is_private(const OutboundClient *client)
{
    return !client->has_address || network_is_house(&client->address);
}

static bool rule_matches(const OutboundRule *rule, const OutboundClient *client)
{
    switch (rule->kind) {
    case OUTBOUND_AUTHENTICATED:
        return client->is_authenticated;
    case OUTBOUND_PRIVATE:
        return is_private(client);
    case OUTBOUND_NETWORK:
        return client->has_address && network_contains(&rule->network, &client->address);
    case OUTBOUND_DAEMON:
        return client->daemon_name != NULL && strcmp(client->daemon_name, rule->daemon) == 0;
    case OUTBOUND_ALL:
        return true;
    }
    return false;
}

bool outbound_is_ours(const GPtrArray *rules, const OutboundClient *client)
{
    for (guint i = 0; i < rules->len; i++)
        if (rule_matches(g_ptr_array_index(rules, i), client))
            return true;
    return false;
}

bool outbound_is_local_mailer(const char *const *local_mailers, const char *mailer)
{
    size_t length = strcspn(mailer, ":");

    for (; *local_mailers != NULL; local_mailers++)
        if (strlen(*local_mailers) == length && strncmp(*local_mailers, mailer, length) == 0)
            return true;
    return false;
}
