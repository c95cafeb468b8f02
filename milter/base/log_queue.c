#include "config.h"

#include "base/log_queue.h"

#include <pthread.h>
#include <time.h>

#include "base/log_output.h"

#define PATIENCE 1000 /* milliseconds for a line without the thread, and for the end */
#define SETTLE_TRIES 40
#define SETTLE_PAUSE (5 * 1000 * 1000) /* nanoseconds */

typedef enum { QUEUE_NONE, QUEUE_RUNNING, QUEUE_STOPPING, QUEUE_ENDED, QUEUE_STUCK } QueueState;

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER; /* guards what follows but the counts */
static pthread_cond_t changed;                           /* a line came, or state changed */
static QueueState state;
static GQueue lines = G_QUEUE_INIT; /* of GBytes */
static gsize octets;

/* By __atomic_*() only. */
static guint64 lost;
static guint waiting; /* lines in the queue or being written */

static void count_losses(guint count)
{
    __atomic_fetch_add(&lost, count, __ATOMIC_RELAXED);
}

guint64 log_queue_lost(void)
{
    return __atomic_load_n(&lost, __ATOMIC_RELAXED);
}

static void count_waiting(int change)
{
    __atomic_fetch_add(&waiting, change, __ATOMIC_RELAXED);
}

static void append(GBytes *line)
{
    g_queue_push_tail(&lines, line);
    octets += g_bytes_get_size(line);
    count_waiting(1);
    pthread_cond_signal(&changed);
}

static bool fits(const GBytes *line)
{
    return state != QUEUE_STUCK && octets + g_bytes_get_size((GBytes *)line) <= LOG_QUEUE_MAX;
}

/* Takes line. Returns false if it is lost. */
static bool put(GBytes *line)
{
    g_autoptr(GBytes) owned = line;

    if (state == QUEUE_NONE || state == QUEUE_ENDED)
        return log_output_write(line, PATIENCE) == LOG_OUTPUT_WRITTEN;
    if (!fits(line))
        return false;
    append(g_steal_pointer(&owned));
    return true;
}

void log_queue_put(int level, const char *text)
{
    GBytes *line = log_output_line(level, text);

    pthread_mutex_lock(&lock);
    bool is_kept = put(line);
    pthread_mutex_unlock(&lock);
    if (!is_kept)
        count_losses(1);
}

static GBytes *pop(void)
{
    GBytes *line = g_queue_pop_head(&lines);

    if (line != NULL)
        octets -= g_bytes_get_size(line);
    return line;
}

/* Lines that are written at once. */
typedef struct {
    GBytes *text;
    guint lines; /* 0: there is none */
} Batch;

/* Takes the first line, and those behind it that may be written together with it. */
static Batch pop_batch(void)
{
    gsize left = log_output_join_max();
    Batch batch = {.text = pop()};
    GByteArray *joined;

    if (batch.text == NULL)
        return batch;
    batch.lines = 1;
    joined = g_bytes_unref_to_array(batch.text);
    for (GBytes *next;
         (next = g_queue_peek_head(&lines)) != NULL && joined->len + g_bytes_get_size(next) <= left;
         batch.lines++) {
        g_autoptr(GBytes) line = pop();

        g_byte_array_append(joined, g_bytes_get_data(line, NULL), (guint)g_bytes_get_size(line));
    }
    batch.text = g_byte_array_free_to_bytes(joined);
    return batch;
}

/* The next lines. is_patient: there are none only once the thread is to end. */
static Batch next_batch(bool is_patient)
{
    Batch batch;

    pthread_mutex_lock(&lock);
    while ((batch = pop_batch()).lines == 0 && state == QUEUE_RUNNING && is_patient)
        pthread_cond_wait(&changed, &lock);
    pthread_mutex_unlock(&lock);
    return batch;
}

static bool is_abandoned(void)
{
    pthread_mutex_lock(&lock);
    bool is_stuck = state == QUEUE_STUCK;
    pthread_mutex_unlock(&lock);
    return is_stuck;
}

/* Waits until somebody reads. Returns whether the text is out. */
static bool write_out(GBytes *text)
{
    return log_output_write(text, -1) == LOG_OUTPUT_WRITTEN;
}

/* Tells how many lines were dropped after those that told counts. Returns whether that is out. */
static bool tell_loss(guint64 *told)
{
    guint64 now = log_queue_lost();
    g_autofree char *text = g_strdup_printf(
        "log: %" G_GUINT64_FORMAT " lines were lost, since nobody took them in time", now - *told);
    g_autoptr(GBytes) line = log_output_line(LOG_WARNING, text);

    if (!write_out(line))
        return false;
    *told = now;
    return true;
}

static bool write_and_free(Batch batch)
{
    bool is_out = write_out(batch.text);

    if (!is_out)
        count_losses(batch.lines);
    count_waiting(-(int)batch.lines);
    g_bytes_unref(batch.text);
    return is_out;
}

static void mark_end(void)
{
    pthread_mutex_lock(&lock);
    if (state == QUEUE_STOPPING)
        state = QUEUE_ENDED;
    pthread_cond_broadcast(&changed);
    pthread_mutex_unlock(&lock);
}

static void *run(void *unused G_GNUC_UNUSED)
{
    bool is_working = true; /* the last line got out */
    guint64 told = 0;

    while (!is_abandoned()) {
        bool is_loss_news = is_working && log_queue_lost() != told;
        Batch batch = next_batch(!is_loss_news);

        if (batch.lines > 0)
            is_working = write_and_free(batch);
        else if (is_loss_news)
            is_working = tell_loss(&told);
        else
            break;
    }
    mark_end();
    return NULL;
}

/* A condition that waits by the monotonic clock, which PTHREAD_COND_INITIALIZER doesn't. */
static void init_changed(void)
{
    pthread_condattr_t attributes;

    pthread_condattr_init(&attributes);
    pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
    pthread_cond_init(&changed, &attributes);
    pthread_condattr_destroy(&attributes);
}

static void set_state(QueueState next)
{
    pthread_mutex_lock(&lock);
    state = next;
    pthread_mutex_unlock(&lock);
}

bool log_queue_start(void)
{
    pthread_t thread;

    init_changed();
    set_state(QUEUE_RUNNING);
    if (pthread_create(&thread, NULL, run, NULL) != 0) {
        set_state(QUEUE_NONE);
        return false;
    }
    pthread_setname_np(thread, "spfrom-log");
    pthread_detach(thread);
    return true;
}

void log_queue_stop(void)
{
    gint64 deadline = g_get_monotonic_time() + (gint64)PATIENCE * 1000;
    const struct timespec until = {.tv_sec = deadline / G_USEC_PER_SEC,
                                   .tv_nsec = deadline % G_USEC_PER_SEC * 1000};

    pthread_mutex_lock(&lock);
    if (state == QUEUE_RUNNING) {
        state = QUEUE_STOPPING;
        pthread_cond_broadcast(&changed);
        while (state == QUEUE_STOPPING)
            if (pthread_cond_timedwait(&changed, &lock, &until) != 0)
                break;
        if (state == QUEUE_STOPPING)
            state = QUEUE_STUCK;
    }
    pthread_mutex_unlock(&lock);
}

void log_queue_settle(void)
{
    const struct timespec pause = {.tv_nsec = SETTLE_PAUSE};

    for (int i = 0; i < SETTLE_TRIES && __atomic_load_n(&waiting, __ATOMIC_RELAXED) > 0; i++)
        nanosleep(&pause, NULL);
}
