#include "config.h"

#include "base/deadline.h"

#include "base/clock.h"
#include "unit/table.h"

static void test_shortened(void **state G_GNUC_UNUSED)
{
    Deadline deadline = deadline_in(100);

    assert_true(deadline_shortened(deadline, 200) == deadline);
    assert_true(deadline_shortened(deadline, 50) < deadline);
    assert_false(deadline_is_over(deadline_shortened(deadline, 50)));
    assert_true(deadline_is_over(deadline_shortened(deadline, 0)));
    assert_true(deadline_is_over(deadline_in(0)));
}

static void test_wait(void **state G_GNUC_UNUSED)
{
    pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
    pthread_cond_t changed;
    gint64 begin = clock_monotonic(&clock_system);
    Deadline deadline = begin + 20 * CLOCK_MILLISECOND;

    deadline_init_condition(&changed);
    pthread_mutex_lock(&lock);
    while (deadline_wait(deadline, &changed, &lock))
        continue;
    pthread_mutex_unlock(&lock);
    pthread_cond_destroy(&changed);
    assert_true(clock_monotonic(&clock_system) >= deadline);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_shortened),
        cmocka_unit_test(test_wait),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
