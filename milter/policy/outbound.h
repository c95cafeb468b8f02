#ifndef SPFROM_POLICY_OUTBOUND_H
#define SPFROM_POLICY_OUTBOUND_H

#include <glib.h>
#include <stdbool.h>

#include "base/network.h"

/* One entry of outbound (design section 6): whose messages are ours to touch. */
typedef enum {
    OUTBOUND_AUTHENTICATED,
    OUTBOUND_PRIVATE,
    OUTBOUND_NETWORK,
    OUTBOUND_DAEMON,
    OUTBOUND_ALL,
} OutboundKind;

typedef struct {
    OutboundKind kind;
    Network network; /* OUTBOUND_NETWORK only */
    char *daemon;    /* OUTBOUND_DAEMON only */
} OutboundRule;

/* What the MTA says of the client of a message. */
typedef struct {
    bool has_address;
    Network address;       /* of the client; without one (local submission) the client is private */
    bool is_authenticated; /* {auth_authen} or {auth_type} is set; never {auth_author}, which the
                              client chooses */
    const char *daemon_name; /* {daemon_name}; NULL where the MTA sends none */
} OutboundClient;

#define OUTBOUND_ERROR (outbound_error_quark())
typedef enum { OUTBOUND_ERROR_SYNTAX } OutboundError;
GQuark outbound_error_quark(void);

/* Reads one entry: authenticated, private, a network, daemon:NAME or all. NULL with error
 * (OUTBOUND_ERROR) set. */
OutboundRule *outbound_rule_parse(const char *text, GError **error);
void outbound_rule_free(OutboundRule *rule);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(OutboundRule, outbound_rule_free)

/* Does one of rules (of OutboundRule) match client? If not, the message came from outside. */
bool outbound_is_ours(const GPtrArray *rules, const OutboundClient *client);

/*
 * Is mailer ({rcpt_mailer}, up to a ":") in local_mailers? A message all of whose recipients go to
 * such a mailer does not leave the house. No other name stands for a recipient that stays: Postfix
 * gives "error" for every address of a virtual alias domain, and these expand to anything.
 */
bool outbound_is_local_mailer(const char *const *local_mailers, const char *mailer);
#endif
