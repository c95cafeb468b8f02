#ifndef SPFROM_FLEET_FLEET_VALUES_H
#define SPFROM_FLEET_FLEET_VALUES_H

#include <glib.h>
#include <stdbool.h>

#include "policy/settings.h"
#include "policy/verdict.h"

/*
 * What stands in the store, as JSON objects of a version. Pure.
 *
 * Anybody who can write into the store can write these: a value is taken whole or not at all, and
 * what no spfrom could have written (another version, a missing or odd member, a text with a
 * control, more than FLEET_VALUE_MAX octets) is as if it were not there. Members that are not known
 * are left alone, so that a later version may add some.
 */
#define FLEET_VALUE_MAX 16384

/* A verdict that one host made for all with the same relays. */
typedef struct {
    Verdict *verdict; /* never a temperror */
    gint64 until;     /* wall time */
    /* The flush (fleet.h) that was the last one known when DNS was asked: the verdict is older than
     * those after it. */
    char *after;
} FleetVerdict;

char *fleet_verdict_text(const FleetVerdict *verdict);
bool fleet_verdict_parse(const char *text, gsize length, FleetVerdict *verdict);
void fleet_verdict_clear(FleetVerdict *verdict);

/* A switch of the mode, as the host with this name knows it to be the last one. */
typedef struct {
    gint64 at;       /* wall time in whole milliseconds: which of two is the later one */
    char *host;      /* where it was made; of two of one time the greater name counts */
    bool is_cleared; /* the configuration counts */
    Mode mode;
    gint64 until; /* wall time; 0: without an end */
    bool has_before;
    Mode before; /* with an end: the switch without one that it interrupts */
    char *who;   /* who made it */
} FleetSwitch;

char *fleet_switch_text(const FleetSwitch *made);
bool fleet_switch_parse(const char *text, gsize length, FleetSwitch *made);
void fleet_switch_clear(FleetSwitch *made);
/* Returns fewer than 0, 0 or more: whether a was made before b, is the same one, or came after. */
int fleet_switch_compare(const FleetSwitch *a, const FleetSwitch *b);

/* A host's sign of life. */
typedef struct {
    char *host;
    char *id;          /* random, of this run of the daemon: two hosts of one name differ in it */
    char *version;     /* of spfrom */
    gint64 seen;       /* wall time, by the host's own clock */
    gint64 up_since;   /* wall time */
    Mode mode;         /* in force */
    char *by;          /* "configuration", or who switched */
    double per_minute; /* messages, lately */
    bool is_here;      /* its mode was switched for it alone */
    bool is_stopped;   /* it ended as it was told to */
    bool is_unsent;    /* it has something that the store does not */
    bool is_double;    /* another host has the same name */
    char *relays;      /* digest of the relay set */
    char *return_key;  /* digest of the key; "" without one */
    GHashTable *keys;  /* name of a key → digest of its value */
} FleetHost;

char *fleet_host_text(const FleetHost *host);
FleetHost *fleet_host_parse(const char *text, gsize length);
void fleet_host_free(FleetHost *host);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(FleetHost, fleet_host_free)

/* An author's address, as the host that gave it out has it (design section 19). Whether it belongs
 * to the token that it stands under is for whoever has the key to say. */
typedef struct {
    char *address; /* addr-spec, not looked at */
    guint32 day;   /* of last use */
} FleetReturn;

char *fleet_return_text(const FleetReturn *row);
bool fleet_return_parse(const char *text, gsize length, FleetReturn *row);
void fleet_return_clear(FleetReturn *row);

/* What a host says of the return addresses that it gave out. */
typedef struct {
    gint64 seen;     /* wall time, by the host's own clock */
    bool is_whole;   /* the store has them all */
    bool is_stopped; /* there will be no more for now */
} FleetReturnHost;

char *fleet_return_host_text(const FleetReturnHost *host);
bool fleet_return_host_parse(const char *text, gsize length, FleetReturnHost *host);

/* Returns the first 16 hex digits of SHA-256 of text, owned by the caller. */
char *fleet_digest(const char *text);
#endif
