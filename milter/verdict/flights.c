#include "config.h"

#include "verdict/flights.h"

#include <pthread.h>

struct Flight {
    guint aboard; /* the pilot and the passengers */
    char *key;
    pthread_cond_t landed;
    Landing landing; /* verdict is NULL while it is under way */
};

struct Flights {
    pthread_mutex_t lock; /* guards the table and every flight */
    GHashTable *table;    /* key → Flight under way, not owned */
};

Flights *flights_new(void)
{
    Flights *flights = g_new0(Flights, 1);

    pthread_mutex_init(&flights->lock, NULL);
    flights->table = g_hash_table_new(g_str_hash, g_str_equal);
    return flights;
}

void flights_free(Flights *flights)
{
    g_hash_table_unref(flights->table);
    pthread_mutex_destroy(&flights->lock);
    g_free(flights);
}

static Flight *flight_new(const char *key)
{
    Flight *flight = g_new0(Flight, 1);

    flight->key = g_strdup(key);
    deadline_init_condition(&flight->landed);
    return flight;
}

/* Called with the lock held. */
static void leave(Flight *flight)
{
    if (--flight->aboard > 0)
        return;
    if (flight->landing.verdict != NULL)
        verdict_unref(flight->landing.verdict);
    pthread_cond_destroy(&flight->landed);
    g_free(flight->key);
    g_free(flight);
}

Flight *flights_board(Flights *flights, const char *key, bool *is_pilot)
{
    pthread_mutex_lock(&flights->lock);
    Flight *flight = g_hash_table_lookup(flights->table, key);
    *is_pilot = flight == NULL;
    if (flight == NULL) {
        flight = flight_new(key);
        g_hash_table_insert(flights->table, flight->key, flight);
    }
    flight->aboard++;
    pthread_mutex_unlock(&flights->lock);
    return flight;
}

void flights_land(Flights *flights, Flight *flight, const Landing *landing)
{
    pthread_mutex_lock(&flights->lock);
    g_hash_table_remove(flights->table, flight->key);
    flight->landing = *landing;
    verdict_ref(landing->verdict);
    pthread_cond_broadcast(&flight->landed);
    leave(flight);
    pthread_mutex_unlock(&flights->lock);
}

bool flights_wait(Flights *flights, Flight *flight, Deadline deadline, Landing *landing)
{
    bool has_time = true;

    pthread_mutex_lock(&flights->lock);
    while (flight->landing.verdict == NULL && has_time)
        has_time = deadline_wait(deadline, &flight->landed, &flights->lock);
    bool has_landed = flight->landing.verdict != NULL;
    if (has_landed) {
        *landing = flight->landing;
        verdict_ref(landing->verdict);
    }
    leave(flight);
    pthread_mutex_unlock(&flights->lock);
    return has_landed;
}

void flights_leave(Flights *flights, Flight *flight)
{
    pthread_mutex_lock(&flights->lock);
    leave(flight);
    pthread_mutex_unlock(&flights->lock);
}
