#ifndef SPFROM_VERDICT_FLIGHTS_H
#define SPFROM_VERDICT_FLIGHTS_H

#include <glib.h>
#include <stdbool.h>

#include "base/deadline.h"
#include "policy/verdict.h"

/*
 * Single flight: of all who need the same verdict at one time, the first (the pilot) works it out,
 * and the others (passengers) wait for what it lands with.
 *
 * Lock protocol: one mutex inside guards the flights under way and their landings; a passenger
 * gives it up while it waits, and a pilot holds nothing while it works.
 */
typedef struct Flights Flights;
typedef struct Flight Flight;

typedef struct {
    Verdict *verdict; /* a reference */
    bool is_stale;
    bool is_per_address; /* it holds for the pilot's address only */
} Landing;

Flights *flights_new(void);
/* When no flight is under way. */
void flights_free(Flights *flights);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(Flights, flights_free)

/* Boards the flight of key. The pilot has to flights_land() it, a passenger to flights_wait() or
 * flights_leave(). */
Flight *flights_board(Flights *flights, const char *key, bool *is_pilot);

/* Hands a reference of landing's verdict to every passenger; who boards key from now on begins a
 * new flight. */
void flights_land(Flights *flights, Flight *flight, const Landing *landing);

/*
 * Waits for the landing at most until deadline, and leaves.
 * Returns whether landing was set; its verdict is then given back with verdict_unref().
 */
bool flights_wait(Flights *flights, Flight *flight, Deadline deadline, Landing *landing);
void flights_leave(Flights *flights, Flight *flight);
#endif
