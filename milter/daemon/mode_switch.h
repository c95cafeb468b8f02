#ifndef SPFROM_DAEMON_MODE_SWITCH_H
#define SPFROM_DAEMON_MODE_SWITCH_H

#include <glib.h>
#include <stdbool.h>

#include "base/clock.h"
#include "fleet/fleet_values.h"
#include "policy/plan.h"
#include "policy/settings.h"

/*
 * The runtime switch of the mode (design section 10): it takes the place of the configuration's
 * mode, at once, until it is cleared or its time is over, and it survives a restart. In a fleet
 * (section 17) it is that of all hosts; one for this host alone goes before it.
 *
 * Lock protocol: one lock inside guards the switch, another one orders what is written to the file;
 * the first is never held while the disk is waited for, so that a message never waits for it.
 */

#define MODE_SWITCH_WHO_MAX 65   /* octets with the NUL; a longer name is cut */
#define MODE_SWITCH_HOST_MAX 254 /* the same of a host's name */

/* Which mode is in force. */
typedef struct {
    Mode mode;
    bool is_switch;                /* set by the switch, else by the configuration */
    gint64 since;                  /* wall time */
    gint64 until;                  /* wall time; 0: without an end */
    Mode next;                     /* with an end: what comes then */
    char who[MODE_SWITCH_WHO_MAX]; /* the user who switched; "": not known */
    bool is_here;                  /* switched for this host alone */
    /* In a fleet: where it was switched, or whose configuration it is; "": there is no fleet. */
    char host[MODE_SWITCH_HOST_MAX];
} ModeStatus;

/*
 * Begins with what was kept in state_dir, and logs it; nothing is kept if that is NULL. A file
 * that can't be read is logged, and the configuration's mode counts. Call as the user that writes
 * there, before the first message. clock has to live as long.
 */
void mode_switch_start(const char *state_dir, Mode configured, const Clock *clock);

/* The configuration has been loaded anew. The switch stays. */
void mode_switch_configure(Mode configured);

/* The mode for a message that begins now, under a configuration that says configured. */
ModeInForce mode_switch_in_force(Mode configured);

void mode_switch_get(ModeStatus *status);

/*
 * Switches, in force when this returns, and logs it. mode_switch_save() has to follow.
 *
 * seconds  until the mode from before the switch returns: the last switch without an end, or the
 *          configuration's mode; 0: never
 * who      the user's name, for the log and status
 * status   set to what is in force now
 */
void mode_switch_set(Mode mode, gint64 seconds, const char *who, ModeStatus *status);

/* The same for the way back to the configuration's mode. */
void mode_switch_clear(const char *who, ModeStatus *status);

/* The same two for this host alone: they go before what holds for the fleet, until they are cleared
 * or over. */
void mode_switch_set_here(Mode mode, gint64 seconds, const char *who, ModeStatus *status);
void mode_switch_clear_here(const char *who, ModeStatus *status);

/*
 * From now on mode_switch_set() and mode_switch_clear() are of the fleet that knows this host by
 * name; NULL: it is alone. A switch from before is given to the fleet, as old as it is.
 */
void mode_switch_join(const char *name);

/* The last switch of the fleet that is known, cleared with fleet_switch_clear(). Returns false if
 * there is none. */
bool mode_switch_last(FleetSwitch *made);

/* Takes over a switch of the fleet if it is later than that, and logs what it changes. Returns whether
 * it did: mode_switch_save() has to follow. */
bool mode_switch_learn(const FleetSwitch *made);

#define MODE_SWITCH_ERROR (mode_switch_error_quark())
typedef enum {
    MODE_SWITCH_ERROR_ABSENT,
    MODE_SWITCH_ERROR_CONTENT,
    MODE_SWITCH_ERROR_SYSTEM
} ModeSwitchError;
GQuark mode_switch_error_quark(void);

/*
 * Writes what is in force to the file, which may take as long as a disk does. Returns false with
 * error (MODE_SWITCH_ERROR) set if it can't be kept: the mode is in force all the same, and it is
 * tried again by mode_switch_tend().
 */
bool mode_switch_save(GError **error);

/* Logs and forgets a switch whose time is over, and saves what could not be saved before. Returns
 * after how many microseconds it is to be called again. */
gint64 mode_switch_tend(void);

#define MODE_SWITCH_LAST_MAX 2048

/* What a file in state_dir keeps: one JSON object, times as RFC 3339 text. */
typedef struct {
    bool is_cleared; /* there is no switch, only last */
    Mode mode;
    gint64 since; /* wall time, whole seconds, as until */
    gint64 until; /* 0: without an end */
    bool has_before;
    Mode before;                   /* with an end: the switch without one that it interrupts */
    char who[MODE_SWITCH_WHO_MAX]; /* see ModeStatus */
    char before_who[MODE_SWITCH_WHO_MAX];
    char last[MODE_SWITCH_LAST_MAX]; /* fleet_switch_text() of mode_switch_last(); "": none */
} ModeSwitchKept;

/* The pure parts. Reads what a file holds, any octets; false if it is not one of ours. */
bool mode_switch_parse(const char *text, gsize length, ModeSwitchKept *kept);
/* What is written, owned by the caller. */
char *mode_switch_text(const ModeSwitchKept *kept);
#endif
