#include "config.h"

#include "daemon/in_flight.h"

#include <pthread.h>
#include <time.h>

/* How long an answer may take from the callback to the MTA, if the MTA then stays silent. */
#define WRITING (1 * G_USEC_PER_SEC)

typedef enum { STOP_NONE, STOP_DRAINING, STOP_OVER } Stop;

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER; /* guards what follows */
static pthread_cond_t changed;                           /* a count has changed while draining */
static pthread_once_t changed_once = PTHREAD_ONCE_INIT;
static guint counts[IN_FLIGHT_ANSWERED + 1]; /* connections, by how far their message is */
static gint64 last_answer;                   /* monotonic */
static Stop stop;

/* A condition that waits by the monotonic clock, which PTHREAD_COND_INITIALIZER doesn't. */
static void init_changed(void)
{
    pthread_condattr_t attributes;

    pthread_condattr_init(&attributes);
    pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
    pthread_cond_init(&changed, &attributes);
    pthread_condattr_destroy(&attributes);
}

/* The lock is held. */
static void move(InFlight *message, InFlight next)
{
    if (*message != IN_FLIGHT_NONE)
        counts[*message]--;
    if (next != IN_FLIGHT_NONE)
        counts[next]++;
    *message = next;
    if (stop != STOP_NONE)
        pthread_cond_broadcast(&changed);
}

bool in_flight_begin(InFlight *message)
{
    pthread_mutex_lock(&lock);
    bool may_begin = stop == STOP_NONE;
    move(message, may_begin ? IN_FLIGHT_UNDER_WAY : IN_FLIGHT_NONE);
    pthread_mutex_unlock(&lock);
    return may_begin;
}

bool in_flight_answer(InFlight *message)
{
    pthread_mutex_lock(&lock);
    bool is_waited_for = *message == IN_FLIGHT_UNDER_WAY && stop != STOP_OVER;
    if (is_waited_for) {
        last_answer = g_get_monotonic_time();
        move(message, IN_FLIGHT_ANSWERED);
    }
    pthread_mutex_unlock(&lock);
    return is_waited_for;
}

void in_flight_end(InFlight *message)
{
    pthread_mutex_lock(&lock);
    move(message, IN_FLIGHT_NONE);
    pthread_mutex_unlock(&lock);
}

bool in_flight_is_draining(void)
{
    pthread_mutex_lock(&lock);
    bool is_draining = stop != STOP_NONE;
    pthread_mutex_unlock(&lock);
    return is_draining;
}

/* Waits for a change. Returns false if deadline has passed. */
static bool wait_for_change(gint64 deadline)
{
    const struct timespec until = {.tv_sec = deadline / G_USEC_PER_SEC,
                                   .tv_nsec = deadline % G_USEC_PER_SEC * 1000};

    return pthread_cond_timedwait(&changed, &lock, &until) == 0;
}

guint in_flight_drain(gint64 deadline)
{
    guint left;

    pthread_once(&changed_once, init_changed);
    pthread_mutex_lock(&lock);
    stop = STOP_DRAINING;
    while (counts[IN_FLIGHT_UNDER_WAY] > 0 && wait_for_change(deadline))
        continue;
    stop = STOP_OVER;
    left = counts[IN_FLIGHT_UNDER_WAY];
    while (counts[IN_FLIGHT_ANSWERED] > 0 && wait_for_change(last_answer + WRITING))
        continue;
    pthread_mutex_unlock(&lock);
    return left;
}
