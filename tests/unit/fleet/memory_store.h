#ifndef SPFROM_TESTS_UNIT_FLEET_MEMORY_STORE_H
#define SPFROM_TESTS_UNIT_FLEET_MEMORY_STORE_H

#include <glib.h>
#include <stdbool.h>

#include "fleet/fleet.h"

/*
 * A store in memory that speaks as much of Redis' protocol as a host's threads do: strings and
 * hashes, which never end. It serves one connection at a time at a Unix socket.
 */
typedef struct MemoryStore MemoryStore;

MemoryStore *memory_store_new(void);
/* After the last reference of its fleet is gone. */
void memory_store_free(MemoryStore *store);

/* From now on each command takes so many microseconds. */
void memory_store_slow_down(MemoryStore *store, gint time);

/* The fleet of the host relay.example.org, a new reference: for take_fleet of what is tested. There is
 * one store in a program. */
Fleet *memory_store_fleet(void);

/* field is NULL for the string of a key. */
void memory_store_put(MemoryStore *store, const char *key, const char *field, const char *value);
/* Owned by the caller; NULL: there is none. */
char *memory_store_get(MemoryStore *store, const char *key, const char *field);
#endif
