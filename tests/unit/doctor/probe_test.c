/* The queue id in an MTA's answer. */
#include "config.h"

#include "doctor/probe.h"

#include "unit/table.h"

static const struct queue_id_row {
    const char *name; /* the answer */
    const char *queue_id;
} queue_id_rows[] = {
    {"250 2.0.0 Ok: queued as 4fKx2n", "4fKx2n"},
    {"250-more\r\n250 2.0.0 Ok: queued as 4fKx2n", "4fKx2n"},
    {"250 2.0.0 6AOKXome024804 Message accepted for delivery", "6AOKXome024804"},
    {"250 2.0.0 Ok", NULL},
    {"250 Message accepted", NULL},
    {"Message accepted", NULL},
    {"", NULL},
};

static void test_queue_id(void **state)
{
    const struct queue_id_row *row = *state;
    g_autofree char *queue_id = probe_queue_id(row->name);

    assert_int_equal(g_strcmp0(queue_id, row->queue_id), 0);
}

int main(void)
{
    GArray *tests = table_new();

    TABLE_ADD(tests, queue_id_rows, test_queue_id);
    return table_run(tests, "probe");
}
