#ifndef SPFROM_POLICY_RELAY_ENTRY_H
#define SPFROM_POLICY_RELAY_ENTRY_H

#include <glib.h>

#include "base/network.h"

/* One entry of relay_hosts: a place from which our mail leaves. */
typedef enum {
    RELAY_ENTRY_NETWORK, /* an address is a network of full length */
    RELAY_ENTRY_HOST,    /* the A and AAAA records of domain */
    RELAY_ENTRY_SPF,     /* the networks that domain's SPF record authorises */
    RELAY_ENTRY_AUTO,    /* this host's public addresses */
} RelayEntryKind;

typedef struct {
    RelayEntryKind kind;
    Network network; /* RELAY_ENTRY_NETWORK only */
    char *domain;    /* RELAY_ENTRY_HOST and RELAY_ENTRY_SPF, else NULL; see base/domain_name.h */
} RelayEntry;

#define RELAY_ENTRY_ERROR (relay_entry_error_quark())
typedef enum {
    RELAY_ENTRY_ERROR_NETWORK,
    RELAY_ENTRY_ERROR_WIDE,
    RELAY_ENTRY_ERROR_DOMAIN
} RelayEntryError;
GQuark relay_entry_error_quark(void);

/*
 * Reads one entry of relay_hosts, for example "192.0.2.0/28", "2001:db8::25", "mail.example.net",
 * "spf:amazonses.com" or "auto". Looks nothing up.
 *
 * error   RELAY_ENTRY_ERROR; the message tells the operator what to write instead. A network wider
 * than /8 (IPv6 /16) is an error. Returns a new entry, freed with relay_entry_free(), or NULL with
 * error set.
 */
RelayEntry *relay_entry_parse(const char *text, GError **error);
void relay_entry_free(RelayEntry *entry);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(RelayEntry, relay_entry_free)

/* The entry as relay_entry_parse() reads it, owned by the caller. */
char *relay_entry_text(const RelayEntry *entry);
#endif
