#include "config.h"

#include "ledger/ledger_union.h"

#include <hiredis/hiredis.h>
#include <string.h>

#include "base/clock.h"
#include "fleet/fleet.h"
#include "ledger/ledger_share.h"

#define PATIENCE 1       /* seconds that one question takes at most */
#define IDS_MAX 256      /* ledgers that are read */
#define ROWS_MAX 2000000 /* rows of others that are read */
#define SCAN 1000        /* fields that are asked for in one go */
#define READ_TIME 60     /* seconds that all of it takes at most */
#define CHUNK 20000      /* rows that are added in one transaction */

/* The rows of others while they are read. */
typedef struct {
    Fleet *fleet;
    Ledger *ledger;
    LedgerPeriod period;
    Deadline deadline;
    GPtrArray *rows; /* of LedgerRow with a domain of its own: not added yet */
    guint count;
    const char *trouble; /* NULL: all is well */
} Reading;

static void row_free(gpointer data)
{
    LedgerRow *row = data;

    g_free((char *)row->domain);
    g_free(row);
}

static const char *name_of(const Reading *reading)
{
    return fleet_store_name(fleet_store(reading->fleet));
}

static GPtrArray *ask(Reading *reading, FleetCommands *commands)
{
    GPtrArray *answers =
        fleet_store_ask(fleet_store(reading->fleet), commands, deadline_in(PATIENCE));

    if (answers == NULL)
        reading->trouble = "the store does not answer";
    return answers;
}

static bool flush(Reading *reading, GError **error)
{
    bool is_written =
        reading->rows->len == 0 || ledger_write(reading->ledger, reading->rows, error);

    g_ptr_array_set_size(reading->rows, 0);
    return is_written;
}

/* What no spfrom could have written is left out. */
static bool take_field(Reading *reading, guint32 day, const redisReply *field,
                       const redisReply *value, GError **error)
{
    LedgerRow row;
    LedgerRow *copy;

    if (!fleet_answer_is_text(field) || !fleet_answer_is_text(value) ||
        strlen(field->str) != field->len || strlen(value->str) != value->len ||
        !ledger_share_parse(field->str, value->str, &row))
        return true;
    copy = g_memdup2(&row, sizeof row);
    copy->domain = g_strdup(row.domain);
    copy->day = day;
    g_ptr_array_add(reading->rows, copy);
    reading->count++;
    return reading->rows->len < CHUNK || flush(reading, error);
}

static bool is_full(Reading *reading)
{
    if (reading->count >= ROWS_MAX)
        reading->trouble = "there is too much";
    else if (deadline_is_over(reading->deadline))
        reading->trouble = "it takes too long";
    return reading->trouble != NULL;
}

/* Reads one day of one ledger in pieces. */
static bool read_day(Reading *reading, const char *id, guint32 day, GError **error)
{
    g_autofree char *cursor = g_strdup("0");

    do {
        FleetCommands *commands = fleet_commands_new();
        g_autoptr(GPtrArray) answers = NULL;
        const redisReply *fields;

        fleet_commands_add(commands, "HSCAN %s:ledger:%s:%u %s COUNT %d", name_of(reading), id, day,
                           cursor, SCAN);
        answers = ask(reading, commands);
        if (answers == NULL)
            return true;
        if (fleet_answer_elements(fleet_answer_at(answers, 0)) != 2 ||
            !fleet_answer_is_text(fleet_answer_at(answers, 0)->element[0]))
            return true;
        fields = fleet_answer_at(answers, 0)->element[1];
        for (size_t i = 0; i + 1 < fleet_answer_elements(fields); i += 2)
            if (!take_field(reading, day, fields->element[i], fields->element[i + 1], error))
                return false;
        g_free(cursor);
        cursor = g_strdup(fleet_answer_at(answers, 0)->element[0]->str);
    } while (strcmp(cursor, "0") != 0 && !is_full(reading));
    return true;
}

static bool read_ledger(Reading *reading, const char *id, GError **error)
{
    FleetCommands *commands = fleet_commands_new();
    g_autoptr(GPtrArray) answers = NULL;
    const redisReply *days;

    fleet_commands_add(commands, "HKEYS %s:ledger:%s", name_of(reading), id);
    answers = ask(reading, commands);
    if (answers == NULL)
        return true;
    days = fleet_answer_at(answers, 0);
    for (size_t i = 0; i < fleet_answer_elements(days) && reading->trouble == NULL; i++) {
        guint64 day;

        if (fleet_answer_is_text(days->element[i]) &&
            g_ascii_string_to_unsigned(days->element[i]->str, 10, reading->period.from,
                                       reading->period.to, &day, NULL) &&
            !read_day(reading, id, (guint32)day, error))
            return false;
    }
    return true;
}

static bool is_id(const redisReply *answer)
{
    return fleet_answer_is_text(answer) && answer->len == strspn(answer->str, "0123456789abcdef") &&
           answer->len == 16;
}

/* Adds the rows of all ledgers but that with the id own. */
static bool read_others(Reading *reading, const char *own, GError **error)
{
    FleetCommands *commands = fleet_commands_new();
    g_autoptr(GPtrArray) answers = NULL;
    const redisReply *ids;

    fleet_commands_add(commands, "HKEYS %s:ledgers", name_of(reading));
    answers = ask(reading, commands);
    if (answers == NULL)
        return true;
    ids = fleet_answer_at(answers, 0);
    for (size_t i = 0; i < MIN(fleet_answer_elements(ids), IDS_MAX) && reading->trouble == NULL;
         i++)
        if (is_id(ids->element[i]) && g_strcmp0(ids->element[i]->str, own) != 0 &&
            !read_ledger(reading, ids->element[i]->str, error))
            return false;
    return flush(reading, error);
}

/* Waits until the store is there. Returns why it is not, or NULL. */
static char *wait_for_store(Fleet *fleet)
{
    Deadline deadline = deadline_in(PATIENCE);
    char *trouble = NULL;

    while (!fleet_store_wait(fleet_store(fleet),
                             clock_monotonic(&clock_system) + 20 * CLOCK_MILLISECOND)) {
        FleetStoreState state;

        fleet_store_state(fleet_store(fleet), &state);
        trouble = g_strdup(state.trouble);
        fleet_store_state_clear(&state);
        if (trouble != NULL || deadline_is_over(deadline))
            return trouble != NULL ? trouble : g_strdup("no answer in time");
    }
    return NULL;
}

/* A copy of own with the rows of the others; NULL if there can be none. */
static Ledger *unite(Fleet *fleet, Ledger *own, const char *file, LedgerPeriod period,
                     char **trouble, GError **error)
{
    g_autofree char *id = ledger_id(own, error);
    g_autoptr(Ledger) ledger = ledger_copy(file, period.from, period.to, error);
    g_autoptr(GPtrArray) rows = g_ptr_array_new_with_free_func(row_free);
    Reading reading = {.fleet = fleet,
                       .ledger = ledger,
                       .period = period,
                       .deadline = deadline_in(READ_TIME),
                       .rows = rows};

    if (ledger == NULL || !read_others(&reading, id, error))
        return NULL;
    *trouble = g_strdup(reading.trouble);
    return g_steal_pointer(&ledger);
}

Ledger *ledger_union_open(Settings *settings, LedgerPeriod period, char **trouble, GError **error)
{
    g_autoptr(Ledger) own = ledger_open_read_only(settings->ledger, error);
    g_autoptr(Fleet) fleet = NULL;
    g_autoptr(GError) cause = NULL;
    Ledger *united;

    *trouble = NULL;
    if (own == NULL)
        return NULL;
    fleet = fleet_new(settings);
    if (fleet == NULL)
        return g_steal_pointer(&own);
    *trouble = wait_for_store(fleet);
    if (*trouble != NULL)
        return g_steal_pointer(&own);
    united = unite(fleet, own, settings->ledger, period, trouble, &cause);
    if (united != NULL)
        return united;
    *trouble = g_strdup(cause != NULL ? cause->message : "unknown");
    return g_steal_pointer(&own);
}
