/* A row of a ledger as it stands in the store of a fleet: the field in the first line, its value in the
 * second one. What is read stays in the bounds that a report counts on. */
#include "config.h"

#include "ledger/ledger_share.h"

#include <string.h>

#include "base/clock.h"
#include "check.h"

#define MESSAGES_MAX G_GUINT64_CONSTANT(1000000000000000)

static void check_row(const LedgerRow *row, const char *field)
{
    check(row->messages > 0 && row->messages <= MESSAGES_MAX);
    check(row->first >= 0 && row->first <= row->last && row->last <= CLOCK_WALL_MAX);
    check(row->result < LEDGER_RESULTS && row->action < LEDGER_ACTIONS);
    check(row->returned <= RETURN_KINDS);
    check(row->domain >= field && row->domain <= field + strlen(field));
    check(strlen(row->domain) <= 253 && strpbrk(row->domain, " \r\n\x1b") == NULL);
}

/* What spfrom writes of the row is the same row. */
static void check_again(const LedgerRow *row)
{
    g_autofree char *field = g_strdup_printf(
        "%u %u %s", row->returned > 0 ? LEDGER_SHARE_RETURNED + row->returned - 1 : row->result,
        (guint)row->action, row->domain);
    g_autofree char *value = g_strdup_printf(
        "1 %" G_GUINT64_FORMAT " %" G_GINT64_FORMAT " %" G_GINT64_FORMAT, row->messages,
        row->first / CLOCK_MILLISECOND, row->last / CLOCK_MILLISECOND);
    LedgerRow again;

    check(ledger_share_parse(field, value, &again));
    check(again.result == row->result && again.action == row->action &&
          again.returned == row->returned && again.messages == row->messages &&
          again.first == row->first && again.last == row->last &&
          strcmp(again.domain, row->domain) == 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    g_autofree char *text = g_strndup((const char *)data, size);
    char *value = strchr(text, '\n');
    LedgerRow row;

    if (value != NULL)
        *value++ = '\0';
    if (ledger_share_parse(text, value != NULL ? value : "", &row)) {
        check_row(&row, text);
        check_again(&row);
    }
    return 0;
}
