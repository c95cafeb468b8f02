#include "config.h"

#include "verdict/flights.h"

#include <pthread.h>

#include "unit/table.h"

/* A landing with a verdict of its own. */
static Landing landing_new(const char *mechanism)
{
    return (Landing){verdict_new(SPF_PASS, NULL, mechanism, NULL), false, true};
}

static void test_one_pilot(void **state G_GNUC_UNUSED)
{
    g_autoptr(Flights) flights = flights_new();
    bool is_pilot[4];
    Flight *pilot = flights_board(flights, "a", &is_pilot[0]);
    Flight *passenger = flights_board(flights, "a", &is_pilot[1]);
    Flight *other = flights_board(flights, "b", &is_pilot[2]);
    Landing landed = landing_new("x");
    Landing got;

    assert_true(is_pilot[0] && !is_pilot[1] && is_pilot[2]);
    flights_land(flights, pilot, &landed);
    Flight *next = flights_board(flights, "a", &is_pilot[3]);
    assert_true(is_pilot[3]);
    assert_true(flights_wait(flights, passenger, 0, &got)); /* landed already: no deadline counts */
    assert_ptr_equal(got.verdict, landed.verdict);
    assert_true(got.is_per_address && !got.is_stale);
    verdict_unref(got.verdict);
    flights_land(flights, next, &landed);
    flights_land(flights, other, &landed);
    assert_int_equal(landed.verdict->refs, 1);
    verdict_unref(landed.verdict);
}

/* A passenger whose time is over leaves; the pilot lands without it. */
static void test_deadline(void **state G_GNUC_UNUSED)
{
    g_autoptr(Flights) flights = flights_new();
    bool is_pilot;
    Flight *pilot = flights_board(flights, "a", &is_pilot);
    Flight *passenger = flights_board(flights, "a", &is_pilot);
    Flight *leaver = flights_board(flights, "a", &is_pilot);
    Landing landed = landing_new("x");
    Landing got;

    assert_false(flights_wait(flights, passenger, g_get_monotonic_time(), &got));
    flights_leave(flights, leaver);
    flights_land(flights, pilot, &landed);
    verdict_unref(landed.verdict);
}

typedef struct {
    Flights *flights;
    Flight *flight;
    bool has_landed;
} Passenger;

static void *run_passenger(void *data)
{
    Passenger *passenger = data;
    Landing got;

    passenger->has_landed =
        flights_wait(passenger->flights, passenger->flight, G_MAXINT64 / 2, &got);
    if (passenger->has_landed)
        verdict_unref(got.verdict);
    return NULL;
}

static void test_all_wake(void **state G_GNUC_UNUSED)
{
    g_autoptr(Flights) flights = flights_new();
    bool is_pilot;
    Flight *pilot = flights_board(flights, "a", &is_pilot);
    Landing landed = landing_new("x");
    Passenger passengers[20];
    pthread_t threads[G_N_ELEMENTS(passengers)];

    for (size_t i = 0; i < G_N_ELEMENTS(passengers); i++) {
        passengers[i] = (Passenger){flights, flights_board(flights, "a", &is_pilot), false};
        assert_int_equal(pthread_create(&threads[i], NULL, run_passenger, &passengers[i]), 0);
    }
    flights_land(flights, pilot, &landed);
    for (size_t i = 0; i < G_N_ELEMENTS(passengers); i++) {
        pthread_join(threads[i], NULL);
        assert_true(passengers[i].has_landed);
    }
    assert_int_equal(landed.verdict->refs, 1);
    verdict_unref(landed.verdict);
}

int main(void)
{
    GArray *tests = table_new();

    table_add(tests, "one pilot a key, until it lands", test_one_pilot, NULL);
    table_add(tests, "a passenger waits until its deadline", test_deadline, NULL);
    table_add(tests, "a landing wakes all", test_all_wake, NULL);
    return table_run(tests, "flights_test");
}
