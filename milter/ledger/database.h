#ifndef SPFROM_LEDGER_DATABASE_H
#define SPFROM_LEDGER_DATABASE_H

#include <glib.h>
#include <sqlite3.h>
#include <stdbool.h>
#include <sys/types.h>

/*
 * An SQLite file of ours, in WAL mode: one writer, any number of readers. Opening it makes it,
 * brings an older one up to date, and refuses another program's. Belongs to one thread.
 */
#define DATABASE_FAILURE (database_failure_quark())
typedef enum {
    DATABASE_FAILURE_MISSING, /* no such file, or nothing in it yet, for a reader */
    DATABASE_FAILURE_CORRUPT,
    DATABASE_FAILURE_FOREIGN, /* another program's database */
    DATABASE_FAILURE_VERSION, /* a newer spfrom's; for a reader, an older one's too */
    DATABASE_FAILURE_BUSY,    /* somebody else holds it */
    DATABASE_FAILURE_SYSTEM,  /* disk full, read-only, no permission */
} DatabaseFailure;
GQuark database_failure_quark(void);

/*
 * What tells one kind of file from another. The version is the database's user_version; scripts[n]
 * makes version n + 1 of version n, and a new file goes through all of them. A script that was
 * released is never changed.
 */
typedef struct {
    int application_id;
    int version;
    const char *const *scripts;
    const char *pragmas; /* of the writer, besides WAL */
    mode_t mode;         /* of a new file */
    int patience;        /* milliseconds that a lock of another process is waited for */
    bool is_checked; /* look through the whole file when a writer opens it: some seconds at most */
    const char *remedy; /* what to do if the file is another program's */
} DatabaseKind;

typedef struct {
    sqlite3 *handle;
    char *file;
    const DatabaseKind *kind;
} Database;

/* For the one writer. */
Database *database_open(const DatabaseKind *kind, const char *file, GError **error);

/*
 * For reading. If is_snapshot, the reader sees the file as it was at this moment until it closes
 * it, so that what it asks for fits together; it closes it soon, since the writer's log grows
 * meanwhile.
 */
Database *database_open_read_only(const DatabaseKind *kind, const char *file, bool is_snapshot,
                                  GError **error);

/* A new one that only this handle sees, and that goes when it is closed; what does not fit into its
 * small memory is in a file without a name. */
Database *database_open_temporary(const DatabaseKind *kind, GError **error);

/* Makes file readable as the schema `other` of database, until database_detach(). */
bool database_attach(Database *database, const char *file, GError **error);
void database_detach(Database *database);

void database_close(Database *database);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(Database, database_close)

/* Sets error to what SQLite says, with the file. Returns false. */
bool database_fail(Database *database, GError **error);

/* Runs statements that give no rows. */
bool database_run(Database *database, const char *sql, GError **error);

/* Ends a transaction: commits it if is_done. Returns is_done, or false if it can't be committed. */
bool database_end(Database *database, bool is_done, GError **error);

/*
 * Returns sql, prepared and with nothing bound; NULL with error. The statement is kept in slot, and
 * whoever has slot finalises it before the database is closed.
 */
sqlite3_stmt *database_statement(Database *database, sqlite3_stmt **slot, const char *sql,
                                 GError **error);

/* Runs a statement that gives no row, and resets it. */
bool database_finish(Database *database, sqlite3_stmt *statement, GError **error);

/* Runs sql, which takes one number and gives at most one row of one, 0 if it gives none. */
bool database_ask(Database *database, const char *sql, gint64 given, gint64 *number,
                  GError **error);

/* Is there another file, or none, in the place of the one that is open? */
bool database_is_moved(Database *database);

/*
 * Renames the file, which nobody has open for writing, to FILE.corrupt-DATE, with what SQLite keeps
 * beside it. A second one of a day gets a number, a tenth is an error.
 *
 * now      wall time
 * Returns the new name, owned by the caller, or NULL with error.
 */
char *database_move_aside(const char *file, gint64 now, GError **error);
#endif
