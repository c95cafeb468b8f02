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

/* The client of a message, as the MTA describes it. */
typedef struct {
    bool has_address;
    Network address; /* of the client; without one (local submission) the client is private */
    /* {auth_authen} or {auth_type} is set; never {auth_author}, which the client chooses */
    bool is_authenticated;
    const char *daemon_name; /* {daemon_name}; NULL if the MTA sends none */
} OutboundClient;

#define OUTBOUND_ERROR (outbound_error_quark())
typedef enum { OUTBOUND_ERROR_SYNTAX } OutboundError;
GQuark outbound_error_quark(void);

/* Reads one entry: authenticated, private, a network, daemon:NAME or all. NULL with error
 * (OUTBOUND_ERROR) set. */
OutboundRule *outbound_rule_parse(const char *text, GError **error);
void outbound_rule_free(OutboundRule *rule);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(OutboundRule, outbound_rule_free)

/* True if one of rules (of OutboundRule) matches client; else the message came from outside. */
bool outbound_is_ours(const GPtrArray *rules, const OutboundClient *client);

/*
 * True if mailer ({rcpt_mailer}, up to a ":") is in local_mailers. A message all of whose recipients
 * go to such a mailer does not leave the house. Only names in local_mailers count as local:
 * Postfix says "error" for addresses of a virtual alias domain, which may lead outside.
 */
bool outbound_is_local_mailer(const char *const *local_mailers, const char *mailer);
#endif
