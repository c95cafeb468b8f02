#include "config.h"

#include "ledger/ledger_share.h"

#include <hiredis/hiredis.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/domain_name.h"

#define PIECE 200                     /* rows that are told in one go */
#define PAUSE (5 * CLOCK_MILLISECOND) /* between two pieces, so that messages go first */
#define CHANGED_MAX 20000             /* rows that wait; of more, their days are told as a whole */
#define PATIENCE 1                    /* seconds that one question takes at most */
#define STOP_TIME 2                   /* seconds for what waits at the end */
#define SWEEP_SPAN (3600 * CLOCK_SECOND) /* between two looks for ledgers that are gone */
#define SWEEP_MAX 500                    /* that are looked at in one go */
#define DAY_SECONDS 86400
#define NUMBER_MAX G_GINT64_CONSTANT(1000000000000000)

struct LedgerShare {
    Fleet *(*take_fleet)(void);
    pthread_t thread;
    pthread_mutex_t lock; /* guards what follows */
    pthread_cond_t woken;
    char *file;          /* NULL: none */
    guint days;          /* ledger_days */
    bool is_new;         /* the thread does not know the file yet */
    GHashTable *changed; /* "DAY RESULT ACTION DOMAIN": rows that are to be told */
    GHashTable *whole;   /* days (GUINT_TO_POINTER) that are to be told as a whole */
    GHashTable *totals;  /* day → guint64 *: its messages in the file */
    bool is_behind;      /* the last round could not tell all, or there was none yet */
    bool is_stopping;
    Deadline end; /* of the last round */
    /* The thread's own. */
    char *id;          /* of the file that totals are of */
    GHashTable *told;  /* day → guint64 *: what it said last that the store has */
    gint64 next_sweep; /* monotonic */
};

static const char *name_of(Fleet *fleet)
{
    return fleet_store_name(fleet_store(fleet));
}

/* --- a row in the store --- */

/* Reads a number and the blank, or end, behind it. */
static bool read_number(const char **text, gint64 max, gint64 *number)
{
    char *end;

    if (!g_ascii_isdigit(**text))
        return false;
    *number = g_ascii_strtoll(*text, &end, 10);
    if (*number > max || (*end != ' ' && *end != '\0'))
        return false;
    *text = *end == ' ' ? end + 1 : end;
    return true;
}

static bool is_domain(const char *text)
{
    g_autofree char *name = NULL;

    if (strcmp(text, LEDGER_NO_DOMAIN) == 0 || strcmp(text, LEDGER_OTHER_DOMAINS) == 0)
        return true;
    name = domain_name_parse(text, NULL);
    return name != NULL && strcmp(name, text) == 0;
}

bool ledger_share_parse(const char *field, const char *value, LedgerRow *row)
{
    gint64 result, action, version, messages, first, last;

    if (!read_number(&field, LEDGER_SHARE_RETURNED + RETURN_KINDS - 1, &result) ||
        (result >= LEDGER_RESULTS && result < LEDGER_SHARE_RETURNED) ||
        !read_number(&field, result < LEDGER_RESULTS ? LEDGER_ACTIONS - 1 : 0, &action) ||
        !is_domain(field) || !read_number(&value, 1, &version) || version != 1 ||
        !read_number(&value, NUMBER_MAX, &messages) || messages == 0 ||
        !read_number(&value, CLOCK_WALL_MAX / CLOCK_MILLISECOND, &first) ||
        !read_number(&value, CLOCK_WALL_MAX / CLOCK_MILLISECOND, &last) || *value != '\0' ||
        first > last)
        return false;
    *row = (LedgerRow){.domain = field,
                       .result = (guint)result,
                       .action = (MessageAction)action,
                       .messages = (guint64)messages,
                       .first = first * CLOCK_MILLISECOND,
                       .last = last * CLOCK_MILLISECOND};
    if (result >= LEDGER_SHARE_RETURNED) {
        row->result = LEDGER_UNCHECKED;
        row->returned = (guint)result - LEDGER_SHARE_RETURNED + 1;
    }
    return true;
}

/* --- what is to be told --- */

static GHashTable *changed_new(void)
{
    return g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
}

/* With the lock held. */
static void change(LedgerShare *share, const char *key, guint32 day)
{
    if (g_hash_table_size(share->changed) < CHANGED_MAX)
        g_hash_table_add(share->changed, g_strdup(key));
    else
        g_hash_table_add(share->whole, GUINT_TO_POINTER(day));
}

/* With the lock held. */
static guint64 *total_of(LedgerShare *share, guint32 day)
{
    guint64 *total = g_hash_table_lookup(share->totals, GUINT_TO_POINTER(day));

    if (total == NULL) {
        total = g_new0(guint64, 1);
        g_hash_table_insert(share->totals, GUINT_TO_POINTER(day), total);
    }
    return total;
}

void ledger_share_note(LedgerShare *share, const GPtrArray *rows)
{
    pthread_mutex_lock(&share->lock);
    /* A file that the thread does not know yet is looked through as a whole. */
    for (guint i = 0; i < rows->len && !share->is_new; i++) {
        const LedgerRow *row = g_ptr_array_index(rows, i);
        g_autofree char *key =
            row->returned > 0
                ? g_strdup_printf("%u %u 0 %s", row->day, LEDGER_SHARE_RETURNED + row->returned - 1,
                                  row->domain)
                : g_strdup_printf("%u %u %u %s", row->day, row->result, (guint)row->action,
                                  row->domain);

        *total_of(share, row->day) += row->messages;
        change(share, key, row->day);
    }
    pthread_mutex_unlock(&share->lock);
}

void ledger_share_set_file(LedgerShare *share, const char *file, guint days)
{
    pthread_mutex_lock(&share->lock);
    share->days = days;
    if (g_strcmp0(share->file, file) != 0) {
        g_free(share->file);
        share->file = g_strdup(file);
        share->is_new = true;
    }
    pthread_mutex_unlock(&share->lock);
}

bool ledger_share_is_unsent(LedgerShare *share)
{
    bool is_unsent;

    pthread_mutex_lock(&share->lock);
    is_unsent =
        share->file != NULL &&
        (share->is_behind || (share->is_stopping && (g_hash_table_size(share->changed) > 0 ||
                                                     g_hash_table_size(share->whole) > 0)));
    pthread_mutex_unlock(&share->lock);
    return is_unsent;
}

/* --- the thread --- */

/* One round: what was to be told when it began. */
typedef struct {
    LedgerShare *share;
    Fleet *fleet;
    char *file;
    Ledger *ledger;
    char *id;
    guint days;
    GHashTable *changed;
    GHashTable *whole;
    GHashTable *told;   /* days of which something was told */
    GHashTable *broken; /* days whose key is of another type */
    GHashTable *totals; /* day → guint64 *; of the days that are told */
} Round;

static GPtrArray *ask(Fleet *fleet, FleetCommands *commands)
{
    return fleet_store_ask(fleet_store(fleet), commands, deadline_in(PATIENCE));
}

static bool is_answered(const Round *round, FleetCommands *commands)
{
    g_autoptr(GPtrArray) answers = ask(round->fleet, commands);

    return answers != NULL;
}

/* Says that there is this ledger. */
static void add_id(const Round *round, FleetCommands *commands)
{
    fleet_commands_add(commands, "HSET %s:ledgers %s %lld", name_of(round->fleet), round->id,
                       (long long)(clock_wall(&clock_system) / CLOCK_MILLISECOND));
}

static bool is_over(LedgerShare *share)
{
    bool is_late;

    pthread_mutex_lock(&share->lock);
    is_late = share->is_stopping && deadline_is_over(share->end);
    pthread_mutex_unlock(&share->lock);
    return is_late;
}

/* Tells rows of one day. A key of another type is put away, and the day told anew. */
static bool tell(Round *round, guint32 day, FleetCommands *commands)
{
    g_autoptr(GPtrArray) answers = ask(round->fleet, commands);

    if (is_over(round->share))
        return false;
    if (answers == NULL)
        return false;
    for (guint i = 0; i < answers->len; i++)
        if (fleet_answer_at(answers, i) == NULL)
            g_hash_table_add(round->broken, GUINT_TO_POINTER(day));
    g_hash_table_add(round->told, GUINT_TO_POINTER(day));
    return true;
}

static sqlite3_stmt *prepare(const Round *round, const char *sql)
{
    sqlite3_stmt *statement = NULL;

    sqlite3_prepare_v2(ledger_database(round->ledger)->handle, sql, -1, &statement, NULL);
    return statement;
}

/* messages, first, last are the columns from column on. */
static void add_row(const Round *round, FleetCommands *commands, guint32 day, const char *field,
                    sqlite3_stmt *statement, int column)
{
    g_autofree char *value =
        g_strdup_printf("1 %lld %lld %lld", (long long)sqlite3_column_int64(statement, column),
                        (long long)sqlite3_column_int64(statement, column + 1),
                        (long long)sqlite3_column_int64(statement, column + 2));

    fleet_commands_add(commands, "HSET %s:ledger:%s:%u %s %s", name_of(round->fleet), round->id,
                       day, field, value);
}

/* The rows of a table behind one of a day. */
static const char seen_sql[] =
    "SELECT s.domain, s.result, s.action, s.messages, s.first, s.last,"
    " (SELECT name FROM domains WHERE id = s.domain)"
    " FROM seen s WHERE s.day = ?1 AND (s.domain, s.result, s.action) > (?2, ?3, ?4)"
    " ORDER BY s.domain, s.result, s.action LIMIT ?5";
static const char returned_sql[] =
    "SELECT r.domain, r.kind + 100, 0, r.messages, 0, 0,"
    " (SELECT name FROM domains WHERE id = r.domain)"
    " FROM returned r WHERE r.day = ?1 AND (r.domain, r.kind + 100, 0) > (?2, ?3, ?4)"
    " ORDER BY r.domain, r.kind LIMIT ?5";
G_STATIC_ASSERT(LEDGER_SHARE_RETURNED == 100);

/* Tells those of a day, in pieces by domain, result and action. */
static bool tell_table(Round *round, guint32 day, const char *sql)
{
    sqlite3_stmt *statement = prepare(round, sql);
    sqlite3_int64 domain = -1;
    int result = -1;
    int action = -1;
    bool is_told = statement != NULL;
    int count = PIECE;

    while (is_told && count == PIECE) {
        FleetCommands *commands = fleet_commands_new();

        sqlite3_bind_int64(statement, 1, day);
        sqlite3_bind_int64(statement, 2, domain);
        sqlite3_bind_int(statement, 3, result);
        sqlite3_bind_int(statement, 4, action);
        sqlite3_bind_int(statement, 5, PIECE);
        for (count = 0; sqlite3_step(statement) == SQLITE_ROW; count++) {
            const char *name = (const char *)sqlite3_column_text(statement, 6);
            g_autofree char *field = NULL;

            domain = sqlite3_column_int64(statement, 0);
            result = sqlite3_column_int(statement, 1);
            action = sqlite3_column_int(statement, 2);
            field = g_strdup_printf("%d %d %s", result, action, name != NULL ? name : "");
            add_row(round, commands, day, field, statement, 3);
        }
        is_told = sqlite3_reset(statement) == SQLITE_OK;
        if (count == 0)
            fleet_commands_free(commands);
        else
            is_told = tell(round, day, commands) && is_told;
        g_usleep(PAUSE);
    }
    sqlite3_finalize(statement);
    return is_told;
}

/* Tells the rows with these keys, which are of one day. */
static bool tell_rows(Round *round, sqlite3_stmt *const statements[2], const GPtrArray *keys,
                      guint32 day)
{
    FleetCommands *commands = fleet_commands_new();

    for (guint i = 0; i < keys->len; i++) {
        const char *field = strchr(g_ptr_array_index(keys, i), ' ') + 1;
        sqlite3_stmt *statement;
        LedgerRow row;

        if (!ledger_share_parse(field, "1 1 0 0", &row))
            continue;
        statement = statements[row.returned > 0];
        sqlite3_bind_int64(statement, 1, day);
        sqlite3_bind_text(statement, 2, row.domain, -1, SQLITE_STATIC);
        sqlite3_bind_int(statement, 3, (int)(row.returned > 0 ? row.returned - 1 : row.result));
        sqlite3_bind_int(statement, 4, (int)row.action);
        if (sqlite3_step(statement) == SQLITE_ROW)
            add_row(round, commands, day, field, statement, 0);
        else /* it was one domain too many, and counts with LEDGER_OTHER_DOMAINS */
            g_hash_table_add(round->broken, GUINT_TO_POINTER(day));
        sqlite3_reset(statement);
    }
    add_id(round, commands);
    return tell(round, day, commands);
}

/* The next keys, at most a piece of them, that are of one day; they leave the table. */
static GPtrArray *take_piece(GHashTable *changed, guint32 *day)
{
    GPtrArray *piece = g_ptr_array_new_with_free_func(g_free);
    GHashTableIter iter;
    gpointer key;

    g_hash_table_iter_init(&iter, changed);
    while (piece->len < PIECE && g_hash_table_iter_next(&iter, &key, NULL)) {
        guint32 of_key = (guint32)strtoul(key, NULL, 10);

        if (piece->len > 0 && of_key != *day)
            continue;
        *day = of_key;
        g_ptr_array_add(piece, key);
        g_hash_table_iter_steal(&iter);
    }
    return piece;
}

static bool tell_changed(Round *round)
{
    static const char sql[] = "SELECT messages, first, last FROM seen WHERE day = ?1 AND domain ="
                              " (SELECT id FROM domains WHERE name = ?2) AND result = ?3"
                              " AND action = ?4";
    static const char sql_of_returned[] =
        "SELECT messages, 0, 0 FROM returned WHERE day = ?1 AND domain ="
        " (SELECT id FROM domains WHERE name = ?2) AND kind = ?3 AND ?4 = 0";
    sqlite3_stmt *statements[] = {prepare(round, sql), prepare(round, sql_of_returned)};
    bool is_told = statements[0] != NULL && statements[1] != NULL;

    while (is_told && g_hash_table_size(round->changed) > 0) {
        guint32 day = 0;
        g_autoptr(GPtrArray) piece = take_piece(round->changed, &day);

        if (g_hash_table_contains(round->whole, GUINT_TO_POINTER(day)))
            continue;
        is_told = tell_rows(round, statements, piece, day);
        for (guint i = 0; i < piece->len && !is_told; i++)
            g_hash_table_add(round->changed, g_strdup(g_ptr_array_index(piece, i)));
        g_usleep(PAUSE);
    }
    sqlite3_finalize(statements[0]);
    sqlite3_finalize(statements[1]);
    return is_told;
}

static bool reopen(Round *round)
{
    g_clear_pointer(&round->ledger, ledger_close);
    round->ledger = ledger_open_read_only(round->file, NULL);
    return round->ledger != NULL;
}

/* Opened for each day: while a reader sees a ledger as it was, the writer's log grows. */
static bool tell_whole(Round *round)
{
    GHashTableIter iter;
    gpointer day;

    g_hash_table_iter_init(&iter, round->whole);
    while (g_hash_table_iter_next(&iter, &day, NULL))
        if (!reopen(round) || !tell_table(round, GPOINTER_TO_UINT(day), seen_sql) ||
            !tell_table(round, GPOINTER_TO_UINT(day), returned_sql))
            return false;
    return true;
}

static void note_told(const Round *round)
{
    GHashTableIter iter;
    gpointer day;

    g_hash_table_iter_init(&iter, round->told);
    while (g_hash_table_iter_next(&iter, &day, NULL)) {
        const guint64 *total = g_hash_table_lookup(round->totals, day);

        g_hash_table_insert(round->share->told, day,
                            g_memdup2(total != NULL ? total : &(guint64){0}, sizeof(guint64)));
    }
}

/* Says which messages of the days are told now, and how long the rows live. */
static bool close_days(Round *round)
{
    FleetCommands *commands = fleet_commands_new();
    GHashTableIter iter;
    gpointer day;

    add_id(round, commands);
    g_hash_table_iter_init(&iter, round->told);
    while (g_hash_table_iter_next(&iter, &day, NULL)) {
        const guint64 *total = g_hash_table_lookup(round->totals, day);
        guint number = GPOINTER_TO_UINT(day);
        gint64 end = ledger_day_begin(number + round->days + 1) / CLOCK_SECOND;

        if (g_hash_table_contains(round->broken, day)) {
            fleet_commands_add(commands, "DEL %s:ledger:%s:%u", name_of(round->fleet), round->id,
                               number);
            continue;
        }
        fleet_commands_add(commands, "HSET %s:ledger:%s %u %llu", name_of(round->fleet), round->id,
                           number, (unsigned long long)(total != NULL ? *total : 0));
        fleet_commands_add(commands, "EXPIREAT %s:ledger:%s:%u %lld", name_of(round->fleet),
                           round->id, number, (long long)end);
    }
    fleet_commands_add(commands, "EXPIRE %s:ledger:%s %lld", name_of(round->fleet), round->id,
                       (long long)(round->days + 1) * DAY_SECONDS);
    if (!is_answered(round, commands))
        return false;
    note_told(round);
    return true;
}

/* --- what the store has --- */

/* day → messages, as a table of guint64. */
static GHashTable *totals_new(void)
{
    return g_hash_table_new_full(NULL, NULL, NULL, g_free);
}

/* Reads the messages of each day, once for a file. */
static bool read_totals(Round *round)
{
    sqlite3_stmt *statement =
        prepare(round, "SELECT day, sum(messages) FROM (SELECT day, messages FROM seen UNION ALL"
                       " SELECT day, messages FROM returned) GROUP BY day");
    bool is_read = statement != NULL;

    pthread_mutex_lock(&round->share->lock);
    g_hash_table_remove_all(round->share->totals);
    while (is_read && sqlite3_step(statement) == SQLITE_ROW)
        *total_of(round->share, (guint32)sqlite3_column_int64(statement, 0)) =
            (guint64)sqlite3_column_int64(statement, 1);
    pthread_mutex_unlock(&round->share->lock);
    return sqlite3_finalize(statement) == SQLITE_OK && is_read;
}

/* With the lock held. Days of which the store has other messages than it was told, or than the file
 * has if this process told it nothing of them, are told anew. */
static void compare_totals(Round *round, const redisReply *told)
{
    LedgerShare *share = round->share;
    g_autoptr(GHashTable) known = totals_new();
    guint32 oldest = ledger_day_of(clock_wall(&clock_system));
    GHashTableIter iter;
    gpointer day, total;

    oldest -= MIN(oldest, share->days);
    for (size_t i = 0; i + 1 < fleet_answer_elements(told); i += 2)
        if (fleet_answer_is_text(told->element[i]) && fleet_answer_is_text(told->element[i + 1]))
            g_hash_table_insert(
                known, GUINT_TO_POINTER(strtoul(told->element[i]->str, NULL, 10)),
                g_memdup2(&(guint64){g_ascii_strtoull(told->element[i + 1]->str, NULL, 10)},
                          sizeof(guint64)));
    g_hash_table_iter_init(&iter, share->totals);
    while (g_hash_table_iter_next(&iter, &day, &total)) {
        const guint64 *in_store = g_hash_table_lookup(known, day);
        const guint64 *expected = g_hash_table_lookup(share->told, day);

        if (GPOINTER_TO_UINT(day) < oldest)
            g_hash_table_iter_remove(&iter);
        else if (in_store == NULL ||
                 *in_store != (expected != NULL ? *expected : *(const guint64 *)total))
            g_hash_table_add(share->whole, day);
    }
}

/* Asks for the messages that the store has. */
static bool check(Round *round)
{
    LedgerShare *share = round->share;
    FleetCommands *commands = fleet_commands_new();
    g_autoptr(GPtrArray) answers = NULL;

    fleet_commands_add(commands, "HGETALL %s:ledger:%s", name_of(round->fleet), round->id);
    fleet_commands_add(commands, "HGET %s:ledgers %s", name_of(round->fleet), round->id);
    answers = ask(round->fleet, commands);
    if (answers == NULL)
        return false;
    pthread_mutex_lock(&share->lock);
    compare_totals(round, fleet_answer_at(answers, 0));
    pthread_mutex_unlock(&share->lock);
    if (fleet_answer_is_text(fleet_answer_at(answers, 1)) && fleet_answer_at(answers, 0) != NULL)
        return true;
    commands = fleet_commands_new();
    if (fleet_answer_at(answers, 0) == NULL)
        fleet_commands_add(commands, "DEL %s:ledger:%s", name_of(round->fleet), round->id);
    if (fleet_answer_at(answers, 1) == NULL)
        fleet_commands_add(commands, "DEL %s:ledgers", name_of(round->fleet));
    add_id(round, commands);
    return is_answered(round, commands);
}

/*
 * Takes ledgers off the list whose rows have all ended, and what is no ledger: only the list itself
 * lives for ever. One that has no rows yet says once more that it is there.
 */
static void sweep(Round *round)
{
    FleetCommands *commands = fleet_commands_new();
    g_autoptr(GPtrArray) ids = NULL;
    g_autoptr(GPtrArray) types = NULL;
    const redisReply *list;
    size_t count;

    fleet_commands_add(commands, "HKEYS %s:ledgers", name_of(round->fleet));
    ids = ask(round->fleet, commands);
    list = ids != NULL ? fleet_answer_at(ids, 0) : NULL;
    count = MIN(fleet_answer_elements(list), SWEEP_MAX);
    if (count == 0)
        return;
    commands = fleet_commands_new();
    for (size_t i = 0; i < count; i++)
        fleet_commands_add(commands, "TYPE %s:ledger:%b", name_of(round->fleet),
                           list->element[i]->str, list->element[i]->len);
    types = ask(round->fleet, commands);
    commands = fleet_commands_new();
    for (guint i = 0; types != NULL && i < types->len; i++) {
        const redisReply *type = fleet_answer_at(types, i);

        if (type != NULL && type->type == REDIS_REPLY_STATUS && strcmp(type->str, "none") == 0)
            fleet_commands_add(commands, "HDEL %s:ledgers %b", name_of(round->fleet),
                               list->element[i]->str, list->element[i]->len);
    }
    add_id(round, commands);
    is_answered(round, commands);
}

static void sweep_at_times(Round *round)
{
    gint64 now = clock_monotonic(&clock_system);

    if (now < round->share->next_sweep)
        return;
    round->share->next_sweep = now + SWEEP_SPAN;
    sweep(round);
}

/* Moves what is to be told into the round, with the sums that the file then has. */
static void take(Round *round)
{
    LedgerShare *share = round->share;
    GHashTableIter iter;
    gpointer day, total;

    pthread_mutex_lock(&share->lock);
    round->changed = share->changed;
    round->whole = share->whole;
    share->changed = changed_new();
    share->whole = g_hash_table_new(NULL, NULL);
    g_hash_table_iter_init(&iter, share->totals);
    while (g_hash_table_iter_next(&iter, &day, &total))
        g_hash_table_insert(round->totals, day, g_memdup2(total, sizeof(guint64)));
    pthread_mutex_unlock(&share->lock);
}

/* What was not told waits on. */
static void put_back(Round *round)
{
    GHashTableIter iter;
    gpointer key;

    pthread_mutex_lock(&round->share->lock);
    g_hash_table_iter_init(&iter, round->changed);
    while (g_hash_table_iter_next(&iter, &key, NULL))
        change(round->share, key, (guint32)strtoul(key, NULL, 10));
    g_hash_table_iter_init(&iter, round->whole);
    while (g_hash_table_iter_next(&iter, &key, NULL))
        g_hash_table_add(round->share->whole, key);
    g_hash_table_iter_init(&iter, round->told);
    while (g_hash_table_iter_next(&iter, &key, NULL))
        g_hash_table_add(round->share->whole, key);
    pthread_mutex_unlock(&round->share->lock);
}

/* The next round tells them anew. */
static void note_broken(Round *round)
{
    GHashTableIter iter;
    gpointer day;

    pthread_mutex_lock(&round->share->lock);
    g_hash_table_iter_init(&iter, round->broken);
    while (g_hash_table_iter_next(&iter, &day, NULL))
        g_hash_table_add(round->share->whole, day);
    pthread_mutex_unlock(&round->share->lock);
}

/* Reads a file that is not known yet, or that took another's place. */
static bool learn(Round *round)
{
    LedgerShare *share = round->share;
    bool is_new;

    pthread_mutex_lock(&share->lock);
    is_new = share->is_new || g_strcmp0(share->id, round->id) != 0;
    if (is_new) {
        share->is_new = false; /* from here on rows are noted */
        g_hash_table_remove_all(share->changed);
        g_hash_table_remove_all(share->whole);
    }
    pthread_mutex_unlock(&share->lock);
    if (!is_new)
        return true;
    g_hash_table_remove_all(share->told);
    if (reopen(round) && read_totals(round)) {
        g_free(share->id);
        share->id = g_strdup(round->id);
        return true;
    }
    pthread_mutex_lock(&share->lock);
    share->is_new = true;
    pthread_mutex_unlock(&share->lock);
    return false;
}

static bool tell_all(Round *round)
{
    bool is_told;

    if (!check(round))
        return false;
    take(round);
    /* The file as it is now has at least what is to be told. */
    is_told = g_hash_table_size(round->changed) == 0 && g_hash_table_size(round->whole) == 0;
    if (!is_told) {
        is_told = tell_whole(round) && reopen(round) && tell_changed(round) && close_days(round);
        if (!is_told)
            put_back(round);
        note_broken(round);
    }
    if (is_told)
        sweep_at_times(round);
    return is_told;
}

static void go_round(LedgerShare *share)
{
    g_autoptr(Fleet) fleet = share->take_fleet();
    Round round = {.share = share, .fleet = fleet};
    bool is_told;

    pthread_mutex_lock(&share->lock);
    round.file = fleet != NULL ? g_strdup(share->file) : NULL;
    round.days = share->days;
    pthread_mutex_unlock(&share->lock);
    if (round.file == NULL)
        return;
    round.told = g_hash_table_new(NULL, NULL);
    round.broken = g_hash_table_new(NULL, NULL);
    round.totals = totals_new();
    is_told = reopen(&round) && (round.id = ledger_id(round.ledger, NULL)) != NULL &&
              learn(&round) && tell_all(&round);
    pthread_mutex_lock(&share->lock);
    share->is_behind = !is_told;
    pthread_mutex_unlock(&share->lock);
    g_clear_pointer(&round.ledger, ledger_close);
    g_clear_pointer(&round.changed, g_hash_table_unref);
    g_clear_pointer(&round.whole, g_hash_table_unref);
    g_hash_table_unref(round.told);
    g_hash_table_unref(round.broken);
    g_hash_table_unref(round.totals);
    g_free(round.id);
    g_free(round.file);
}

static void *run(void *data)
{
    LedgerShare *share = data;
    bool is_stopping = false;

    pthread_setname_np(pthread_self(), "spfrom-sums");
    while (!is_stopping) {
        Deadline next = deadline_in(LEDGER_SHARE_SECONDS);

        go_round(share);
        pthread_mutex_lock(&share->lock);
        while (!share->is_stopping && deadline_wait(next, &share->woken, &share->lock))
            ;
        is_stopping = share->is_stopping;
        pthread_mutex_unlock(&share->lock);
    }
    go_round(share);
    return NULL;
}

static void share_free(LedgerShare *share)
{
    g_hash_table_unref(share->changed);
    g_hash_table_unref(share->whole);
    g_hash_table_unref(share->totals);
    g_hash_table_unref(share->told);
    g_free(share->id);
    pthread_cond_destroy(&share->woken);
    pthread_mutex_destroy(&share->lock);
    g_free(share->file);
    g_free(share);
}

LedgerShare *ledger_share_start(Fleet *(*take_fleet)(void))
{
    LedgerShare *share = g_new0(LedgerShare, 1);

    share->take_fleet = take_fleet;
    share->is_behind = true;
    share->changed = changed_new();
    share->whole = g_hash_table_new(NULL, NULL);
    share->totals = totals_new();
    share->told = totals_new();
    pthread_mutex_init(&share->lock, NULL);
    deadline_init_condition(&share->woken);
    if (pthread_create(&share->thread, NULL, run, share) == 0)
        return share;
    share_free(share);
    return NULL;
}

bool ledger_share_stop(LedgerShare *share)
{
    bool is_unsent;

    pthread_mutex_lock(&share->lock);
    share->is_stopping = true;
    share->end = deadline_in(STOP_TIME);
    pthread_cond_signal(&share->woken);
    pthread_mutex_unlock(&share->lock);
    pthread_join(share->thread, NULL);
    is_unsent = ledger_share_is_unsent(share);
    share_free(share);
    return is_unsent;
}
