#ifndef SPFROM_DAEMON_NOTIFY_H
#define SPFROM_DAEMON_NOTIFY_H

#include <glib.h>

/*
 * What the service manager is told: the protocol of sd_notify(3), datagrams to the socket that
 * $NOTIFY_SOCKET names. It is a path or, after "@", a name in Linux's abstract namespace. If
 * there is none, or nobody reads it, nothing happens: no mail waits for a service manager. After
 * notify_open() any thread may call the others.
 */

/* Reads and removes the variables. Call it once, before there are threads. */
void notify_open(void);
void notify_close(void);

/* The daemon listens; status as below. */
void notify_ready(const char *status);

/* One line for people, shown by "systemctl status". */
void notify_status(const char *status);

/* The daemon was asked to end, and has begun to. */
void notify_stopping(void);

/* The daemon is well. Said at least once in each interval, or the service manager ends it. */
void notify_alive(void);

/* That interval in microseconds; 0 if nobody waits for it. */
guint64 notify_watchdog_interval(void);
#endif
