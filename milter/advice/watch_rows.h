#ifndef SPFROM_ADVICE_WATCH_ROWS_H
#define SPFROM_ADVICE_WATCH_ROWS_H

#include <glib.h>
#include <stdbool.h>

#include "ledger/database.h"

/*
 * What `spfrom watch` knows (design section 21), in watch.db beside the ledger: of each domain what
 * it found last, the changes it found, and its runs. Belongs to one thread at a time; errors are
 * DATABASE_FAILURE. Times are wall time in microseconds.
 */
#define WATCH_ROWS_NAME "watch.db"
#define WATCH_ROWS_LOCK_NAME "watch.lock"

/* In the order in which they are told. */
typedef enum {
    WATCH_OWN,        /* a domain of a fallback or return address: it broke, or is right again */
    WATCH_BROKEN,     /* it authorised the relays, and does not any more */
    WATCH_ENDANGERED, /* it authorises them, and will not for long */
    WATCH_AUTHORISED, /* it did not, and does now */
} WatchKind;
#define WATCH_KINDS (WATCH_AUTHORISED + 1)
const char *watch_kind_text(WatchKind kind);

/* What endangers a record: bits. */
typedef enum {
    WATCH_DANGER_LOOKUPS = 1 << 0, /* nearly as many look-ups as are allowed */
    WATCH_DANGER_OCTETS = 1 << 1,  /* as long as fits into one answer */
    WATCH_DANGER_INCLUDE = 1 << 2, /* it includes domains that have no record */
} WatchDanger;

/* What was found at a domain. */
typedef struct {
    bool is_authorised;
    guint result;    /* SpfResult */
    char *record;    /* as paragraph_record() makes it; NULL: there is none, or several */
    char *mechanism; /* the term that decided; NULL: none */
    guint dangers;   /* of WatchDanger; 0 unless is_authorised */
    guint lookups;   /* of the whole record */
    guint octets;
    char *include; /* WATCH_DANGER_INCLUDE: the terms, a blank between two */
    gint64 run;    /* the run that looked last */
} WatchState;
void watch_state_clear(WatchState *state);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(WatchState, watch_state_clear)

typedef struct {
    gint64 id;
    gint64 found;
    char *domain;
    WatchKind kind;
    bool is_authorised;
    guint result; /* SpfResult */
    guint danger; /* WATCH_ENDANGERED: one WatchDanger */
    guint number; /* look-ups or octets */
    char *before; /* the record; NULL: there was none, or it is not known */
    char *after;  /* NULL: there is none, or several */
    char *term;   /* that did it; NULL: none did */
    char *passed; /* the term that let the relays pass before; NULL: not known */
    /* The record that is proven to work, or the alias for our DKIM key as the line of a zone file;
     * NULL: none was found, or none is needed. */
    char *advised;
} WatchChange;
void watch_change_free(WatchChange *change);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(WatchChange, watch_change_free)

/* An array of WatchChange, freed with g_ptr_array_unref(). */
GPtrArray *watch_changes_new(void);

/* A domain that broke counts as broken lately for so many days. */
#define WATCH_BROKEN_DAYS 7

/* What the last run that ended saw. */
typedef struct {
    gint64 ended; /* 0: no run has ended yet */
    guint64 authorised, unauthorised, unknown;
    guint64 endangered;
    guint64 own_unauthorised;
    guint64 broken; /* since the time that was asked for, and not authorised since */
} WatchSummary;

typedef struct WatchRows WatchRows;

/* The paths of watch.db and of the lock, beside the ledger; owned by the caller. */
char *watch_rows_file(const char *ledger);

/*
 * Takes the lock beside file, which watch_rows_close() gives back; DATABASE_FAILURE_BUSY: another
 * run has it. Then opens the file, or makes it (0640), as the ledger's owner's if root does.
 */
WatchRows *watch_rows_open(const char *file, const char *ledger, GError **error);
WatchRows *watch_rows_open_read_only(const char *file, GError **error);
void watch_rows_close(WatchRows *rows);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(WatchRows, watch_rows_close)

/* Goes on with a run that was interrupted while it looked and began less than a day before now, or
 * begins one. */
bool watch_rows_begin(WatchRows *rows, gint64 now, gint64 *run, GError **error);

/* What is known of domain. is_known is set to whether anything is; else state is all 0. */
bool watch_rows_get(WatchRows *rows, const char *domain, WatchState *state, bool *is_known,
                    GError **error);

/* Writes what was found at domain, with the changes that this is, in the place of untold, changes
 * that no run has told (NULL: none): all of it, or nothing. */
bool watch_rows_put(WatchRows *rows, const char *domain, const WatchState *state,
                    const GPtrArray *changes, const GPtrArray *untold, GError **error);

/* The run has looked at all domains. If it does not get to telling, no other goes on with it: what it
 * found is then no longer news. */
bool watch_rows_looked(WatchRows *rows, gint64 run, GError **error);

/* The changes that no run has told yet, by kind and name. NULL with error. */
GPtrArray *watch_rows_untold(WatchRows *rows, GError **error);

/* The dangers that the run found, old ones too, as changes found now. NULL with error. */
GPtrArray *watch_rows_endangered(WatchRows *rows, gint64 run, gint64 now, GError **error);

/*
 * The run has ended and told changes (of watch_rows_untold()). Changes and domains of before
 * oldest are forgotten.
 */
bool watch_rows_end(WatchRows *rows, gint64 run, const GPtrArray *changes,
                    const WatchSummary *summary, gint64 oldest, GError **error);

/* The latest changes of the time since since, at most limit of them, the latest first. NULL with
 * error. */
GPtrArray *watch_rows_latest(WatchRows *rows, gint64 since, guint limit, GError **error);

/* broken_since  for WatchSummary.broken */
bool watch_rows_summary(WatchRows *rows, gint64 broken_since, WatchSummary *summary,
                        GError **error);
#endif
