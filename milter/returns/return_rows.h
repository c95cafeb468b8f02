#ifndef SPFROM_RETURNS_RETURN_ROWS_H
#define SPFROM_RETURNS_RETURN_ROWS_H

#include <glib.h>
#include <stdbool.h>

#include "ledger/database.h"

/*
 * The rows of return.db: token, address, day of last use (as ledger_day_of() counts). What a commit
 * has written survives a power cut. A row that damage made none of ours is as if it were not there.
 * Belongs to one thread; errors are DATABASE_FAILURE.
 */
typedef struct ReturnRows ReturnRows;

typedef struct {
    const char *token;
    const char *address; /* NULL: only a row that is there already is noted as used */
    guint32 day;
} ReturnRow;

/* Opens file for the one writer, or makes it (0600). is_suspect: looks through the whole file
 * first. */
ReturnRows *return_rows_open(const char *file, bool is_suspect, GError **error);
ReturnRows *return_rows_open_read_only(const char *file, GError **error);
void return_rows_close(ReturnRows *rows);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(ReturnRows, return_rows_close)

/*
 * Writes all of written (of ReturnRow), or none and error. An address that is there stays if it is the
 * same but for the case, and so does a later day; a damaged row is written anew.
 *
 * added   set to the number of rows that are new
 */
bool return_rows_write(ReturnRows *rows, const GPtrArray *written, guint *added, GError **error);

/* Sets address to the token's, owned by the caller, NULL if there is no such row. */
bool return_rows_find(ReturnRows *rows, const char *token, char **address, guint32 *day,
                      GError **error);

/* Returns the next count rows behind token, by token, as an array of ReturnRow with its own texts; a
 * shorter one at the end, NULL with error. */
GPtrArray *return_rows_after(ReturnRows *rows, const char *token, guint count, GError **error);

bool return_rows_count(ReturnRows *rows, guint64 *count, GError **error);

/* The latest day before day on which a row was used; 0 if there is none. */
bool return_rows_last_day(ReturnRows *rows, guint32 day, guint32 *last, GError **error);

/* Deletes rows that were last used before oldest: RETURN_ROWS_PIECE at most. ended is set to their
 * number. */
#define RETURN_ROWS_PIECE 50
bool return_rows_expire(ReturnRows *rows, guint32 oldest, guint *ended, GError **error);

/* Copies what can be read of a damaged file; takes some seconds at most. Returns the number of
 * rows. */
guint return_rows_rescue(ReturnRows *rows, const char *damaged);

bool return_rows_is_moved(ReturnRows *rows);
#endif
