#include "config.h"

#include "daemon/in_flight.h"

#include <pthread.h>
#include <time.h>

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER; /* guards count and is_draining */
static pthread_cond_t changed; /* count has come down to 0 while draining */
static pthread_once_t changed_once = PTHREAD_ONCE_INIT;
static guint count;
static bool is_draining;

/* A condition that waits by the monotonic clock, which PTHREAD_COND_INITIALIZER doesn't. */
static void init_changed(void)
{
    pthread_condattr_t attributes;

    pthread_condattr_init(&attributes);
    pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
    pthread_cond_init(&changed, &attributes);
    pthread_condattr_destroy(&attributes);
}

bool in_flight_begin(void)
{
    bool is_waited_for;

    pthread_mutex_lock(&lock);
    is_waited_for = !is_draining;
    if (is_waited_for)
        count++;
    pthread_mutex_unlock(&lock);
    return is_waited_for;
}

void in_flight_end(void)
{
    pthread_once(&changed_once, init_changed);
    pthread_mutex_lock(&lock);
    if (--count == 0 && is_draining)
        pthread_cond_broadcast(&changed);
    pthread_mutex_unlock(&lock);
}

guint in_flight_drain(gint64 deadline)
{
    const struct timespec until = {.tv_sec = deadline / G_USEC_PER_SEC,
                                   .tv_nsec = deadline % G_USEC_PER_SEC * 1000};
    guint left;

    pthread_once(&changed_once, init_changed);
    pthread_mutex_lock(&lock);
    is_draining = true;
    while (count > 0)
        if (pthread_cond_timedwait(&changed, &lock, &until) != 0)
            break;
    left = count;
    pthread_mutex_unlock(&lock);
    return left;
}
