#include "config.h"

#include "daemon/in_flight.h"

#include "unit/table.h"

#define MILLISECOND 1000
#define PATIENCE (2000 * MILLISECOND) /* of the stop: a busy machine runs the other thread late */

typedef struct {
    InFlight *message;
    bool is_answered;
} Step;

/* A message that gets its answer, and then the connection goes on. */
static void *go_on(void *data)
{
    Step *step = data;

    while (!in_flight_is_draining())
        g_usleep(MILLISECOND);
    step->is_answered = in_flight_answer(step->message);
    g_usleep(50 * MILLISECOND);
    in_flight_end(step->message);
    return NULL;
}

/* The first message is answered while the stop waits; the second one never is. */
static void test_stop(void **state G_GNUC_UNUSED)
{
    InFlight first = IN_FLIGHT_NONE;
    InFlight second = IN_FLIGHT_NONE;
    InFlight late = IN_FLIGHT_NONE;
    Step step = {.message = &first};
    gint64 begin = g_get_monotonic_time();
    GThread *thread;

    assert_false(in_flight_is_draining());
    assert_true(in_flight_begin(&first));
    assert_true(in_flight_answer(&first));
    assert_false(in_flight_answer(&first)); /* it has one */
    assert_true(in_flight_begin(&first));   /* the next message is a next step */
    assert_true(in_flight_begin(&second));

    thread = g_thread_new("step", go_on, &step);
    assert_int_equal(in_flight_drain(begin + PATIENCE), 1);
    assert_in_range(g_get_monotonic_time() - begin, PATIENCE, 10 * PATIENCE);
    g_thread_join(thread);
    assert_true(step.is_answered);

    assert_true(in_flight_is_draining());
    assert_false(in_flight_answer(&second)); /* too late: the MTA will not hear it */
    assert_false(in_flight_begin(&late));
    assert_false(in_flight_answer(&late));
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_stop)};

    return cmocka_run_group_tests(tests, NULL, NULL);
}
