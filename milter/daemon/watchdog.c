#include "config.h"

#include "daemon/watchdog.h"

#include <pthread.h>

#include "base/log.h"
#include "daemon/listener.h"
#include "daemon/live_settings.h"
#include "daemon/notify.h"
#include "daemon/self_probe.h"

#define MILLISECOND 1000 /* in microseconds */

/* Parts of the interval. A proof that failed is followed by another one before it is over. */
#define PAUSE_PART 2
#define PATIENCE_PART 8 /* spent twice at most: connecting, and the answer */

static bool is_probed; /* written before the thread starts */
static SelfProbe probe;

/* Whoever holds the lock for good stops this thread here, and so the word that all is well. */
static bool is_in_force(void)
{
    LiveSettings live = {0};
    bool is_taken = live_settings_take(&live);

    live_settings_release(&live);
    return is_taken;
}

static bool is_answering(guint64 patience)
{
    guint milliseconds = (guint)CLAMP(patience / MILLISECOND, 1, G_MAXINT);

    if (!is_probed || listener_is_closed() ||
        self_probe_ask(&probe, milliseconds) != SELF_PROBE_SILENT || listener_is_closed())
        return true;
    log_write(LOG_ERR, "watchdog: no answer on the milter's socket within %u ms", milliseconds);
    return false;
}

static void *watch(void *unused G_GNUC_UNUSED)
{
    const guint64 pause = notify_watchdog_interval() / PAUSE_PART;
    const guint64 patience = notify_watchdog_interval() / PATIENCE_PART;

    while (is_in_force()) {
        bool is_well = is_answering(patience);

        if (is_well)
            notify_alive();
        g_usleep(is_well ? pause : patience);
    }
    return NULL;
}

bool watchdog_start(Settings *settings)
{
    pthread_t thread;

    if (notify_watchdog_interval() == 0)
        return true;
    is_probed = self_probe_init(&probe, settings->socket);
    if (pthread_create(&thread, NULL, watch, NULL) != 0)
        return false;
    pthread_setname_np(thread, "spfrom-watchdog");
    pthread_detach(thread);
    return true;
}
