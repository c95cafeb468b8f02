#ifndef SPFROM_ADVICE_WATCH_H
#define SPFROM_ADVICE_WATCH_H

#include <glib.h>
#include <stdbool.h>

#include "advice/consultation.h"
#include "advice/watch_rows.h"
#include "base/language.h"
#include "ledger/ledger.h"

/* What `spfrom watch` finds out (design section 21): which domains it looks at, what changed there, and
 * what is to be done. Nothing is written or sent here. */

/* What looking needs; all of it is borrowed, and any number of threads may look. */
typedef struct {
    Settings *settings;
    ModeInForce mode;
    Dns *dns;
    const Lists *lists;
    const Relays *relays;
    gint64 now; /* wall time */
} Watch;

/* One domain. */
typedef struct {
    char *domain;
    bool is_own;   /* of a fallback or return address */
    bool is_known; /* before is what was found last; else nothing is known */
    WatchState before;
    GPtrArray *untold; /* of WatchChange: found since, and not told; NULL: nothing */
    /* Set by watch_look(): */
    WatchState after;   /* not if trouble */
    GPtrArray *changes; /* of WatchChange */
    char *trouble;      /* why it can't be known now; NULL: it is */
    bool lacks_relays;  /* trouble: it depends on relays that are not known */
} WatchSubject;
void watch_subject_free(WatchSubject *subject);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(WatchSubject, watch_subject_free)

/*
 * The domains to look at, our own ones first: those that the ledger has seen in the last days, but none that
 * is exempt, that domain_map decides, or that is a provider's. Those stand in no order. before is the
 * ledger's last result.
 * Returns an array of WatchSubject, or NULL with error.
 */
GPtrArray *watch_find(const Watch *watch, Ledger *ledger, guint days, GError **error);

/* Takes untold over, changes of subject that runs found and did not tell. It is then compared with what
 * was told last. */
void watch_take_untold(WatchSubject *subject, GPtrArray *untold);

/* Looks at subject now, and compares. */
void watch_look(const Watch *watch, WatchSubject *subject);

/* What to do about change, with the record (of SPF, or the alias for our DKIM key) that is to be published, and what it is, each a sentence
 * in language on one line; owned by the caller. */
char *watch_next(const Language *language, const WatchChange *change);
char *watch_sentence(const Language *language, const WatchChange *change);

/* The same in parts: what to do, owned by the caller, and the record to publish, borrowed; NULL: none
 * is shown. */
char *watch_step(const Language *language, const WatchChange *change);
const char *watch_step_record(const WatchChange *change);

/* What stood and stands in the DNS, and the terms that did it: lines in language, NULL at the end.
 * Freed with g_strfreev(). */
char **watch_records(const Language *language, const WatchChange *change);

/* All changes in words, lines of at most 76 columns; but records, which people copy, are never
 * broken. After max octets it ends, with how many changes are left out: an MTA refuses a mail that
 * is too long. Owned by the caller. */
char *watch_digest(const Language *language, const GPtrArray *changes, gsize max);
#endif
