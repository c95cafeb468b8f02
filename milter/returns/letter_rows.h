#ifndef SPFROM_RETURNS_LETTER_ROWS_H
#define SPFROM_RETURNS_LETTER_ROWS_H

#include <glib.h>
#include <stdbool.h>

#include "ledger/database.h"
#include "policy/return_address.h"
#include "policy/settings.h"

/*
 * letters.db beside the ledger: which letters went to whom (design section 22). A letter is noted
 * before it is handed over, so that a run that is killed in between sends no second copy; what one
 * run has noted, another one sees. The daemon notes those that bounced. Belongs to one thread;
 * errors are DATABASE_FAILURE. Times are wall time in microseconds.
 */
#define LETTER_ROWS_NAME "letters.db"
typedef Database LetterRows;

typedef enum {
    LETTER_ASKS,     /* the owner is shown what to publish */
    LETTER_PROVIDER, /* a user of a mail provider's domain is told of his two ways */
    LETTER_THANKS,   /* the domain is authorised after a letter */
} LetterKind;
const char *letter_kind_text(LetterKind kind); /* "record", "provider", "authorised" */

typedef enum {
    LETTER_NOTED, /* not known whether it was handed over: the run was killed, or the MTA was late */
    LETTER_SENT,
    LETTER_FAILED, /* certainly not handed over: it doesn't count */
} LetterState;

typedef struct {
    ReturnToken token; /* also in its message-id */
    char *domain, *address;
    LetterKind kind;
    LetterState state;
    gint64 noted;
    gint64 bounced; /* 0: it did not come back */
} LetterRow;
void letter_row_free(LetterRow *row);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(LetterRow, letter_row_free)

/* The path for the ledger that settings name; NULL: there is no ledger. */
char *letter_rows_file(Settings *settings);

/* Opens file for a run that sends, or makes it (0640), which belongs to the owner of its folder. */
LetterRows *letter_rows_open(const char *file, GError **error);
/* NULL without error: there is none yet. */
LetterRows *letter_rows_open_read_only(const char *file, GError **error);
void letter_rows_close(LetterRows *rows);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(LetterRows, letter_rows_close)

typedef enum {
    LETTER_DUE,
    LETTER_WAITS,   /* the last one is not letter_repeat ago */
    LETTER_ENOUGH,  /* letter_max were sent, or the one that is sent once */
    LETTER_BOUNCED, /* one to this address, in whatever case it is written, came back */
} LetterTurn;

/* What holds for a letter to address about domain. rows may be NULL: nobody was written to. */
typedef struct {
    LetterTurn turn;
    guint sent;  /* letters that asked, since the domain was authorised after one */
    gint64 last; /* the last letter about the domain; 0: none */
} LetterStanding;
bool letter_rows_standing(LetterRows *rows, Settings *settings, const char *domain,
                          const char *address, LetterKind kind, gint64 now,
                          LetterStanding *standing, GError **error);

/*
 * Notes row, unless another run was faster and it is not due any more. It is on the disk when this
 * returns.
 *
 * is_due  set to whether it was noted
 */
bool letter_rows_note(LetterRows *rows, Settings *settings, const LetterRow *row, bool *is_due,
                      GError **error);
bool letter_rows_settle(LetterRows *rows, const char *token, LetterState state, GError **error);

/* The domains that were asked and not thanked since, each with its last letter. Of LetterRow. */
GPtrArray *letter_rows_asked(LetterRows *rows, GError **error);

/* The last limit letters, the latest first. Of LetterRow. */
GPtrArray *letter_rows_latest(LetterRows *rows, guint limit, GError **error);

/* A letter with token came back; nothing happens if file has none with it. */
void letter_rows_note_bounce(const char *file, const char *token, gint64 now);
#endif
