#include "config.h"

#include "base/deadline.h"

#include <time.h>

#include "base/clock.h"

Deadline deadline_in(guint seconds)
{
    return deadline_after(clock_monotonic(&clock_system), seconds);
}

Deadline deadline_after(gint64 begin, guint seconds)
{
    return begin + seconds * CLOCK_SECOND;
}

Deadline deadline_shortened(Deadline deadline, guint seconds)
{
    return MIN(deadline, deadline_in(seconds));
}

bool deadline_is_over(Deadline deadline)
{
    return clock_monotonic(&clock_system) >= deadline;
}

void deadline_init_condition(pthread_cond_t *changed)
{
    pthread_condattr_t attributes;

    pthread_condattr_init(&attributes);
    pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
    pthread_cond_init(changed, &attributes);
    pthread_condattr_destroy(&attributes);
}

bool deadline_wait(Deadline deadline, pthread_cond_t *changed, pthread_mutex_t *lock)
{
    const struct timespec until = {.tv_sec = (time_t)(deadline / CLOCK_SECOND),
                                   .tv_nsec = (long)(deadline % CLOCK_SECOND) * 1000};

    return pthread_cond_timedwait(changed, lock, &until) == 0;
}
