/* What the log of an MTA says of the delivery of one message. */
#include "config.h"

#include "doctor/return_probe.h"

#include "unit/table.h"

#define TO "anna@praxis.example"
#define POSTFIX                                                                                    \
    "Nov 30 01:00:00 mx postfix/smtp[7]: 4fKx2n: to=<" TO ">, orig_to=<b+t@lemniscus.de>, "
#define SENDMAIL "Nov 30 01:00:00 mx sendmail[7]: 6AOKXo: to=<" TO ">, delay=00:00:01, "

static const struct delivery_row {
    const char *name; /* the log */
    const char *queue_id;
    ReturnDelivery delivery;
    const char *line; /* its begin */
} delivery_rows[] = {
    {"", "4fKx2n", RETURN_DELIVERY_UNSEEN, NULL},
    {POSTFIX "status=sent (250 ok)", "4fKx2n", RETURN_DELIVERY_SENT, "4fKx2n: to="},
    {POSTFIX "status=sent (250 ok)", "fKx2n", RETURN_DELIVERY_UNSEEN, NULL},
    {POSTFIX "status=sent (250 ok)", "4fKx2", RETURN_DELIVERY_UNSEEN, NULL},
    {"4fKx2n: to=<ANNA@praxis.example>, status=sent (250 ok)\n", "4fKx2n", RETURN_DELIVERY_SENT,
     "4fKx2n: to=<ANNA"},
    {POSTFIX "status=bounced (550 no)", "4fKx2n", RETURN_DELIVERY_REFUSED, "4fKx2n"},
    {POSTFIX "status=deferred (451 later)\n" POSTFIX "status=sent (250 ok)\n", "4fKx2n",
     RETURN_DELIVERY_SENT, "4fKx2n"},
    {POSTFIX "status=deferred (451 later)\n", "4fKx2n", RETURN_DELIVERY_DEFERRED, "4fKx2n"},
    {POSTFIX "stat", "4fKx2n", RETURN_DELIVERY_QUEUED, "4fKx2n"},
    {"x: 4fKx2n: from=<>, size=1 (queue active)\n", "4fKx2n", RETURN_DELIVERY_QUEUED, NULL},
    {"x: 4fKx2n: to=<b@praxis.example>, status=sent (250 ok)\n", "4fKx2n", RETURN_DELIVERY_QUEUED,
     NULL},
    {SENDMAIL "dsn=2.0.0, stat=Sent (ok)", "6AOKXo", RETURN_DELIVERY_SENT, "6AOKXo: to="},
    {SENDMAIL "dsn=4.0.0, stat=Deferred: Connection refused", "6AOKXo", RETURN_DELIVERY_DEFERRED,
     "6AOKXo"},
    {SENDMAIL "stat=queued", "6AOKXo", RETURN_DELIVERY_QUEUED, "6AOKXo"},
    {SENDMAIL "dsn=5.1.1, stat=User unknown", "6AOKXo", RETURN_DELIVERY_REFUSED, "6AOKXo"},
};

static void test_delivery(void **state)
{
    const struct delivery_row *row = *state;
    g_autofree char *line = NULL;

    assert_int_equal(return_probe_delivery(row->name, row->queue_id, TO, &line), row->delivery);
    assert_int_equal(line != NULL, row->line != NULL);
    assert_true(line == NULL || g_str_has_prefix(line, row->line));
}

int main(void)
{
    GArray *tests = table_new();

    TABLE_ADD(tests, delivery_rows, test_delivery);
    return table_run(tests, "return_probe");
}
