#include "config.h"

#include "ledger/ledger_tally.h"

#include <string.h>

#include "unit/table.h"

static void add(LedgerTally *tally, const char *domain, guint32 day, guint result,
                MessageAction action, guint64 messages, gint64 first, gint64 last)
{
    const LedgerRow row = {.domain = domain,
                           .day = day,
                           .result = result,
                           .action = action,
                           .messages = messages,
                           .first = first,
                           .last = last};

    ledger_tally_add(tally, &row);
}

/* The row of domain and action, which has to be there. */
static const LedgerRow *row_of(GPtrArray *rows, const char *domain, MessageAction action)
{
    for (guint i = 0; i < rows->len; i++) {
        const LedgerRow *row = g_ptr_array_index(rows, i);

        if (strcmp(row->domain, domain) == 0 && row->action == action)
            return row;
    }
    fail_msg("no row of \"%s\" and %s", domain, message_action_text(action));
    return NULL;
}

static void test_rows_add_up(void **state G_GNUC_UNUSED)
{
    g_autoptr(LedgerTally) tally = ledger_tally_new();
    g_autofree char *domain = g_strdup("a.example");
    g_autoptr(GPtrArray) rows = NULL;

    add(tally, domain, 1, SPF_PASS, MESSAGE_ACTION_KEEP, 1, 50, 50);
    add(tally, domain, 1, SPF_PASS, MESSAGE_ACTION_KEEP, 2, 40, 90);
    memset(domain, 'x', strlen(domain)); /* it has a copy */
    add(tally, "a.example", 2, SPF_PASS, MESSAGE_ACTION_REWRITE, 1, 60, 60);
    add(tally, "a.example", 2, SPF_FAIL, MESSAGE_ACTION_TEMPFAIL, 1, 60, 60);
    add(tally, "b.example", 2, SPF_FAIL, MESSAGE_ACTION_TEMPFAIL, 1, 60, 60);
    rows = ledger_tally_rows(tally);
    assert_int_equal(rows->len, 4);
    assert_int_equal(ledger_tally_messages(tally), 6);
    assert_int_equal(row_of(rows, "a.example", MESSAGE_ACTION_KEEP)->messages, 3);
    assert_int_equal(row_of(rows, "a.example", MESSAGE_ACTION_KEEP)->first, 40);
    assert_int_equal(row_of(rows, "a.example", MESSAGE_ACTION_KEEP)->last, 90);
}

static void fill(LedgerTally *tally)
{
    char name[32];

    for (guint i = 0; i < LEDGER_TALLY_ROWS_MAX; i++) {
        g_snprintf(name, sizeof name, "d%u.example", i);
        add(tally, name, 1, SPF_PASS, MESSAGE_ACTION_KEEP, 1, 1, 1);
    }
}

static void test_too_many_domains(void **state G_GNUC_UNUSED)
{
    g_autoptr(LedgerTally) tally = ledger_tally_new();
    g_autoptr(GPtrArray) rows = NULL;

    fill(tally);
    assert_int_equal(ledger_tally_others(tally), 0);
    add(tally, "more.example", 1, SPF_PASS, MESSAGE_ACTION_KEEP, 2, 1, 1);
    add(tally, "still-more.example", 1, SPF_PASS, MESSAGE_ACTION_KEEP, 3, 1, 9);
    add(tally, "still-more.example", 1, SPF_FAIL, MESSAGE_ACTION_REWRITE, 4, 1, 1);
    add(tally, "d7.example", 1, SPF_PASS, MESSAGE_ACTION_KEEP, 10, 1, 1);
    rows = ledger_tally_rows(tally);
    assert_int_equal(rows->len, LEDGER_TALLY_ROWS_MAX + 2);
    assert_int_equal(row_of(rows, LEDGER_OTHER_DOMAINS, MESSAGE_ACTION_KEEP)->messages, 5);
    assert_int_equal(row_of(rows, LEDGER_OTHER_DOMAINS, MESSAGE_ACTION_REWRITE)->messages, 4);
    assert_int_equal(row_of(rows, "d7.example", MESSAGE_ACTION_KEEP)->messages, 11);
    assert_int_equal(ledger_tally_others(tally), 9);
    assert_int_equal(ledger_tally_messages(tally), LEDGER_TALLY_ROWS_MAX + 19);
}

static void test_one_into_another(void **state G_GNUC_UNUSED)
{
    g_autoptr(LedgerTally) tally = ledger_tally_new();
    g_autoptr(LedgerTally) from = ledger_tally_new();
    g_autoptr(GPtrArray) rows = NULL;

    fill(tally);
    add(from, "d7.example", 1, SPF_PASS, MESSAGE_ACTION_KEEP, 1, 0, 5);
    add(from, "more.example", 1, SPF_PASS, MESSAGE_ACTION_KEEP, 1, 0, 5);
    add(from, LEDGER_OTHER_DOMAINS, 1, SPF_PASS, MESSAGE_ACTION_KEEP, 1, 0, 5);
    ledger_tally_add_all(tally, from);
    rows = ledger_tally_rows(tally);
    assert_int_equal(row_of(rows, "d7.example", MESSAGE_ACTION_KEEP)->messages, 2);
    assert_int_equal(row_of(rows, LEDGER_OTHER_DOMAINS, MESSAGE_ACTION_KEEP)->messages, 2);
    assert_int_equal(ledger_tally_others(tally), 2);
    assert_int_equal(ledger_tally_messages(tally), LEDGER_TALLY_ROWS_MAX + 3);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_rows_add_up),
        cmocka_unit_test(test_too_many_domains),
        cmocka_unit_test(test_one_into_another),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
