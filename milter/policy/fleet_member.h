#ifndef SPFROM_POLICY_FLEET_MEMBER_H
#define SPFROM_POLICY_FLEET_MEMBER_H

#include <glib.h>
#include <stdbool.h>

/* One entry of fleet: a Redis or Valkey server (design section 17). */
typedef struct {
    char *text; /* as it was written: it holds no password */
    char *path; /* of a Unix socket; NULL: host and port */
    char *host; /* a name or an address without brackets */
    guint16 port;
    char *user; /* NULL: the server's default user */
    guint database;
    bool is_tls;
} FleetMember;

#define FLEET_MEMBER_ERROR (fleet_member_error_quark())
typedef enum { FLEET_MEMBER_ERROR_SYNTAX } FleetMemberError;
GQuark fleet_member_error_quark(void);

/*
 * Reads "redis://[USER@]HOST[:PORT][/DB]", the same with "rediss://" (TLS), or "unix:PATH". Looks
 * nothing up.
 *
 * error   FLEET_MEMBER_ERROR; the message tells the operator what to write instead.
 * Returns a new member, freed with fleet_member_free(), or NULL with error set.
 */
FleetMember *fleet_member_parse(const char *text, GError **error);
FleetMember *fleet_member_copy(const FleetMember *member);
void fleet_member_free(FleetMember *member);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(FleetMember, fleet_member_free)
#endif
