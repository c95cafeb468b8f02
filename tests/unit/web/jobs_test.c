#include "config.h"

#include "web/jobs.h"

#include <pthread.h>

#include "unit/table.h"

/* A job runs until gate is opened. */
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER; /* guards what follows */
static pthread_cond_t changed = PTHREAD_COND_INITIALIZER;
static bool is_open;
static guint running, most, done, given_up;

static void run(gpointer job G_GNUC_UNUSED)
{
    pthread_mutex_lock(&lock);
    running++;
    most = MAX(most, running);
    pthread_cond_broadcast(&changed);
    while (!is_open)
        pthread_cond_wait(&changed, &lock);
    running--;
    done++;
    pthread_cond_broadcast(&changed);
    pthread_mutex_unlock(&lock);
}

static void give_up(gpointer job G_GNUC_UNUSED)
{
    pthread_mutex_lock(&lock);
    given_up++;
    pthread_mutex_unlock(&lock);
}

static void wait_for(const guint *count, guint wanted)
{
    pthread_mutex_lock(&lock);
    while (*count < wanted)
        pthread_cond_wait(&changed, &lock);
    pthread_mutex_unlock(&lock);
}

static void open_gate(bool open)
{
    pthread_mutex_lock(&lock);
    is_open = open;
    pthread_cond_broadcast(&changed);
    pthread_mutex_unlock(&lock);
}

static Jobs *begin(guint threads, gint64 patience)
{
    Jobs *jobs = jobs_new("test", threads, patience, run, give_up, NULL);

    running = most = done = given_up = 0;
    open_gate(false);
    assert_non_null(jobs);
    return jobs;
}

static void test_no_more_at_once(void **state)
{
    g_autoptr(Jobs) jobs = begin(3, 100);

    (void)state;
    for (int i = 0; i < 20; i++)
        jobs_add(jobs, jobs, 0);
    wait_for(&running, 3);
    open_gate(true);
    wait_for(&done, 20);
    assert_int_equal(most, 3);
    assert_int_equal(given_up, 0);
}

static void test_patience(void **state)
{
    g_autoptr(Jobs) jobs = begin(1, 100);

    (void)state;
    jobs_add(jobs, jobs, 0);
    wait_for(&running, 1);
    jobs_add(jobs, jobs, 10);
    jobs_add(jobs, jobs, 11);
    jobs_expire(jobs, 110);
    assert_int_equal(given_up, 0);
    jobs_expire(jobs, 111);
    assert_int_equal(given_up, 1);
    open_gate(true);
    wait_for(&done, 2);
}

static void test_stop(void **state)
{
    g_autoptr(Jobs) jobs = begin(1, 100);

    (void)state;
    jobs_add(jobs, jobs, 0);
    wait_for(&running, 1);
    open_gate(true);
    jobs_stop(jobs);
    jobs_add(jobs, jobs, 0);
    assert_int_equal(done, 1);
    assert_int_equal(given_up, 1);
}

int main(void)
{
    GArray *tests = table_new();

    table_add(tests, "no more at once than threads", test_no_more_at_once, NULL);
    table_add(tests, "patience", test_patience, NULL);
    table_add(tests, "stop", test_stop, NULL);
    return table_run(tests, "jobs");
}
