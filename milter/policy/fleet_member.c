#include "config.h"

#include "policy/fleet_member.h"

#include <string.h>

#define PORT 6379
#define DATABASE_MAX 65535

G_DEFINE_QUARK(spfrom_fleet_member_error, fleet_member_error)

static FleetMember *fail(const char *text, const char *what, GError **error)
{
    g_set_error(
        error, FLEET_MEMBER_ERROR, FLEET_MEMBER_ERROR_SYNTAX,
        "\"%s\" %s; write redis://HOST:PORT/DB, rediss://HOST:PORT/DB for TLS, or unix:PATH", text,
        what);
    return NULL;
}

/* "" and "/" are the database 0. */
static bool read_database(const char *path, guint *database)
{
    guint64 number = 0;

    if (strcmp(path, "") != 0 && strcmp(path, "/") != 0 &&
        !g_ascii_string_to_unsigned(path + 1, 10, 0, DATABASE_MAX, &number, NULL))
        return false;
    *database = (guint)number;
    return true;
}

static FleetMember *parse_uri(const char *text, GError **error)
{
    g_autoptr(GUri) uri = g_uri_parse(text, G_URI_FLAGS_NON_DNS, NULL);
    g_autoptr(FleetMember) member = g_new0(FleetMember, 1);
    const char *user;

    if (uri == NULL)
        return fail(text, "is not the address of a store", error);
    if (strcmp(g_uri_get_scheme(uri), "redis") != 0 && strcmp(g_uri_get_scheme(uri), "rediss") != 0)
        return fail(text, "is not the address of a store", error);
    user = g_uri_get_userinfo(uri);
    if (user != NULL && strchr(user, ':') != NULL) {
        g_set_error(error, FLEET_MEMBER_ERROR, FLEET_MEMBER_ERROR_SYNTAX,
                    "%s://…@%s: a password does not stand in the address; put it into a file and "
                    "name that in fleet_password_file",
                    g_uri_get_scheme(uri), g_uri_get_host(uri));
        return NULL;
    }
    if (g_uri_get_query(uri) != NULL || g_uri_get_fragment(uri) != NULL)
        return fail(text, "has something behind the database", error);
    if (g_uri_get_host(uri) == NULL || *g_uri_get_host(uri) == '\0')
        return fail(text, "has no host", error);
    if (g_uri_get_port(uri) == 0)
        return fail(text, "has no port from 1 to 65535", error);
    if (!read_database(g_uri_get_path(uri), &member->database))
        return fail(text, "has no number of a database behind the \"/\"", error);
    member->text = g_strdup(text);
    member->host = g_strdup(g_uri_get_host(uri));
    member->port = g_uri_get_port(uri) > 0 ? (guint16)g_uri_get_port(uri) : PORT;
    member->user = user != NULL && *user != '\0' ? g_strdup(user) : NULL;
    member->is_tls = strcmp(g_uri_get_scheme(uri), "rediss") == 0;
    return g_steal_pointer(&member);
}

FleetMember *fleet_member_parse(const char *text, GError **error)
{
    FleetMember *member;

    if (!g_str_has_prefix(text, "unix:"))
        return parse_uri(text, error);
    if (text[strlen("unix:")] != '/')
        return fail(text, "has no path that begins with \"/\"", error);
    member = g_new0(FleetMember, 1);
    member->text = g_strdup(text);
    member->path = g_strdup(text + strlen("unix:"));
    return member;
}

FleetMember *fleet_member_copy(const FleetMember *member)
{
    FleetMember *copy = g_memdup2(member, sizeof *member);

    copy->text = g_strdup(member->text);
    copy->path = g_strdup(member->path);
    copy->host = g_strdup(member->host);
    copy->user = g_strdup(member->user);
    return copy;
}

void fleet_member_free(FleetMember *member)
{
    if (member == NULL)
        return;
    g_free(member->text);
    g_free(member->path);
    g_free(member->host);
    g_free(member->user);
    g_free(member);
}
