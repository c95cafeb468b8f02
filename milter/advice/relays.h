#ifndef SPFROM_ADVICE_RELAYS_H
#define SPFROM_ADVICE_RELAYS_H

#include <glib.h>
#include <stdbool.h>

#include "base/network.h"
#include "policy/settings.h"
#include "dns/dns.h"

/* The relays that a domain is checked for: the relay set, or those of the command line. */
typedef struct {
    GArray *networks; /* of Network */
    /* of guint: networks[i] came from names[entries[i]]; those of one entry stand together. */
    GArray *entries;
    /* of char *: entries of relay_hosts as text, or what --relay said. */
    GPtrArray *names;
    /* of char *, one for each of names: why it is not known whole; NULL: it is. What mail leaves
     * from is then incomplete (see verdict/relay_set.h). */
    GPtrArray *unknown;
    /* True if the command line gave them. */
    bool is_given;
    /* The name that they give in HELO, for %{h}. */
    char *helo;
    /* of char *: what could not be looked up, for people. */
    GPtrArray *problems;
} Relays;

/* No relays yet; helo is copied. Freed with relays_free(). */
Relays *relays_new(const char *helo);
void relays_free(Relays *relays);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(Relays, relays_free)

/* Adds an entry that is one address or network. Returns false with error (NETWORK_ERROR) set. */
bool relays_add(Relays *relays, const char *text, GError **error);

/* Resolves the relay set that settings ask for; helo is the hostname. NULL with error (RELAY_SET_ERROR) set, and FILE:LINE
 * in it. */
Relays *relays_resolve(Settings *settings, Dns *dns, Deadline deadline, GError **error);

/* The end of the networks that came from the same entry as the one at first. */
guint relays_entry_end(const Relays *relays, guint first);

/* The first reason for which relays are incomplete; NULL if they are complete. */
const char *relays_unknown(const Relays *relays);
#endif
