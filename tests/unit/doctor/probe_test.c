/* The queue id in an MTA's answer, and what its log says of the delivery of one message. */
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

#define TO "anna@praxis.example"
#define POSTFIX                                                                                    \
    "Nov 30 01:00:00 mx postfix/smtp[7]: 4fKx2n: to=<" TO ">, orig_to=<b+t@lemniscus.de>, "
#define SENDMAIL "Nov 30 01:00:00 mx sendmail[7]: 6AOKXo: to=<" TO ">, delay=00:00:01, "

static const struct delivery_row {
    const char *name; /* the log */
    const char *queue_id;
    ProbeDelivery delivery;
    const char *line; /* its begin */
} delivery_rows[] = {
    {"", "4fKx2n", PROBE_DELIVERY_UNSEEN, NULL},
    {POSTFIX "status=sent (250 ok)", "4fKx2n", PROBE_DELIVERY_SENT, "4fKx2n: to="},
    {POSTFIX "status=sent (250 ok)", "fKx2n", PROBE_DELIVERY_UNSEEN, NULL},
    {POSTFIX "status=sent (250 ok)", "4fKx2", PROBE_DELIVERY_UNSEEN, NULL},
    {"4fKx2n: to=<ANNA@praxis.example>, status=sent (250 ok)\n", "4fKx2n", PROBE_DELIVERY_SENT,
     "4fKx2n: to=<ANNA"},
    {POSTFIX "status=bounced (550 no)", "4fKx2n", PROBE_DELIVERY_REFUSED, "4fKx2n"},
    {POSTFIX "status=deferred (451 later)\n" POSTFIX "status=sent (250 ok)\n", "4fKx2n",
     PROBE_DELIVERY_SENT, "4fKx2n"},
    {POSTFIX "status=deferred (451 later)\n", "4fKx2n", PROBE_DELIVERY_DEFERRED, "4fKx2n"},
    {POSTFIX "stat", "4fKx2n", PROBE_DELIVERY_QUEUED, "4fKx2n"},
    {"x: 4fKx2n: from=<>, size=1 (queue active)\n", "4fKx2n", PROBE_DELIVERY_QUEUED, NULL},
    {"x: 4fKx2n: to=<b@praxis.example>, status=sent (250 ok)\n", "4fKx2n", PROBE_DELIVERY_QUEUED,
     NULL},
    {SENDMAIL "dsn=2.0.0, stat=Sent (ok)", "6AOKXo", PROBE_DELIVERY_SENT, "6AOKXo: to="},
    {SENDMAIL "dsn=4.0.0, stat=Deferred: Connection refused", "6AOKXo", PROBE_DELIVERY_DEFERRED,
     "6AOKXo"},
    {SENDMAIL "stat=queued", "6AOKXo", PROBE_DELIVERY_QUEUED, "6AOKXo"},
    {SENDMAIL "dsn=5.1.1, stat=User unknown", "6AOKXo", PROBE_DELIVERY_REFUSED, "6AOKXo"},
};

static void test_delivery(void **state)
{
    const struct delivery_row *row = *state;
    g_autofree char *line = NULL;

    assert_int_equal(probe_delivery(row->name, row->queue_id, TO, &line), row->delivery);
    assert_int_equal(line != NULL, row->line != NULL);
    assert_true(line == NULL || g_str_has_prefix(line, row->line));
}

int main(void)
{
    GArray *tests = table_new();

    TABLE_ADD(tests, queue_id_rows, test_queue_id);
    TABLE_ADD(tests, delivery_rows, test_delivery);
    return table_run(tests, "probe");
}
