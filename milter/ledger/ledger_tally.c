#include "config.h"

#include "ledger/ledger_tally.h"

#include <string.h>
#include <time.h>

#include "base/clock.h"

#define JULIAN_1970 719163 /* GDate's number of 1970-01-01 */
#define DAY_MAX 1000000    /* in the year 4707 */

const char *ledger_result_text(guint result)
{
    if (result == LEDGER_DKIM)
        return "dkim";
    return result < SPF_RESULTS ? spf_result_text((SpfResult)result) : "unchecked";
}

guint32 ledger_day_of(gint64 wall)
{
    time_t seconds = (time_t)(wall / CLOCK_SECOND);
    struct tm local = {0};
    GDate date;

    localtime_r(&seconds, &local);
    g_date_clear(&date, 1);
    g_date_set_dmy(&date, (GDateDay)local.tm_mday, (GDateMonth)(local.tm_mon + 1),
                   (GDateYear)(local.tm_year + 1900));
    return g_date_get_julian(&date) - JULIAN_1970;
}

static void day_to_tm(guint32 day, struct tm *tm)
{
    GDate date;

    g_date_clear(&date, 1);
    g_date_set_julian(&date, MIN(day, DAY_MAX) + JULIAN_1970);
    g_date_to_struct_tm(&date, tm);
}

gint64 ledger_day_begin(guint32 day)
{
    struct tm local;

    day_to_tm(day, &local);
    local.tm_isdst = -1;
    return (gint64)mktime(&local) * CLOCK_SECOND;
}

char *ledger_day_text(guint32 day)
{
    struct tm tm;

    day_to_tm(day, &tm);
    return g_strdup_printf("%04d-%02d-%02d", tm.tm_year + 1900, tm.tm_mon + 1, tm.tm_mday);
}

/* The keys of the table; row.domain points to name. */
typedef struct {
    LedgerRow row;
    char name[];
} Entry;

struct LedgerTally {
    GHashTable *entries; /* a set */
    guint64 messages;
    guint64 others;
};

static guint hash(gconstpointer key)
{
    const LedgerRow *row = key;

    return g_str_hash(row->domain) ^
           (row->day << 8 | row->returned << 12 | row->result << 4 | row->action);
}

static gboolean is_equal(gconstpointer a, gconstpointer b)
{
    const LedgerRow *row_a = a;
    const LedgerRow *row_b = b;

    return row_a->day == row_b->day && row_a->result == row_b->result &&
           row_a->action == row_b->action && row_a->returned == row_b->returned &&
           strcmp(row_a->domain, row_b->domain) == 0;
}

LedgerTally *ledger_tally_new(void)
{
    LedgerTally *tally = g_new0(LedgerTally, 1);

    tally->entries = g_hash_table_new_full(hash, is_equal, g_free, NULL);
    return tally;
}

void ledger_tally_free(LedgerTally *tally)
{
    g_hash_table_unref(tally->entries);
    g_free(tally);
}

static Entry *entry_new(const LedgerRow *row)
{
    gsize size = strlen(row->domain) + 1;
    Entry *entry = g_malloc(sizeof(Entry) + size);

    entry->row = *row;
    entry->row.domain = memcpy(entry->name, row->domain, size);
    return entry;
}

static void add_to_entry(LedgerTally *tally, const LedgerRow *row)
{
    Entry *entry = g_hash_table_lookup(tally->entries, row);

    if (entry == NULL) {
        entry = entry_new(row);
        g_hash_table_add(tally->entries, entry);
        return;
    }
    entry->row.messages += row->messages;
    entry->row.first = MIN(entry->row.first, row->first);
    entry->row.last = MAX(entry->row.last, row->last);
}

void ledger_tally_add(LedgerTally *tally, const LedgerRow *row)
{
    LedgerRow counted = *row;

    if (g_hash_table_size(tally->entries) >= LEDGER_TALLY_ROWS_MAX &&
        !g_hash_table_contains(tally->entries, row))
        counted.domain = LEDGER_OTHER_DOMAINS;
    if (strcmp(counted.domain, LEDGER_OTHER_DOMAINS) == 0)
        tally->others += row->messages;
    add_to_entry(tally, &counted);
    tally->messages += row->messages;
}

void ledger_tally_add_all(LedgerTally *tally, const LedgerTally *from)
{
    GHashTableIter iter;
    gpointer entry;

    g_hash_table_iter_init(&iter, from->entries);
    while (g_hash_table_iter_next(&iter, &entry, NULL))
        ledger_tally_add(tally, &((const Entry *)entry)->row);
}

guint64 ledger_tally_messages(const LedgerTally *tally)
{
    return tally->messages;
}

guint64 ledger_tally_others(const LedgerTally *tally)
{
    return tally->others;
}

GPtrArray *ledger_tally_rows(const LedgerTally *tally)
{
    GPtrArray *rows = g_ptr_array_sized_new(g_hash_table_size(tally->entries));
    GHashTableIter iter;
    gpointer entry;

    g_hash_table_iter_init(&iter, tally->entries);
    while (g_hash_table_iter_next(&iter, &entry, NULL))
        g_ptr_array_add(rows, &((Entry *)entry)->row);
    return rows;
}
