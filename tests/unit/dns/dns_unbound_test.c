#include "config.h"

#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <glib/gstdio.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "unit/dns/dns_fault_server.h"
#include "dns/dns.h"

/* libunbound against a server with faults. What takes time here is what libunbound takes by design.
 */
#define THREADS 16
#define QUESTIONS 50 /* of each thread */
#define TIMEOUT 4    /* seconds */
#define SOON 1500    /* milliseconds: an answer that nothing holds up, on a busy machine */

static DnsFaultServer *server;
static Dns *dns;

static Dns *new_dns_of(const char *const *servers, const char *resolv_conf,
                       const char *trust_anchor, GError **error)
{
    DnsUnboundOptions options = {.servers = servers,
                                 .resolv_conf = resolv_conf,
                                 .timeout = TIMEOUT,
                                 .trust_anchor = trust_anchor,
                                 .max_ttl = 50,
                                 .max_negative_ttl = 20};

    return dns_unbound_new(&options, error);
}

static Dns *new_dns(const char *address, const char *resolv_conf, const char *trust_anchor,
                    GError **error)
{
    const char *servers[] = {address, NULL};

    return new_dns_of(servers, resolv_conf, trust_anchor, error);
}

static DnsAnswer *ask(Dns *asked, const char *name, DnsType type, gint64 milliseconds)
{
    return dns_lookup(asked, name, type,
                      clock_monotonic(&clock_system) + milliseconds * CLOCK_MILLISECOND);
}

static gint64 milliseconds_since(gint64 start)
{
    return (clock_monotonic(&clock_system) - start) / CLOCK_MILLISECOND;
}

static const struct row {
    const char *name;
    DnsType type;
    DnsStatus status;
    guint32 ttl;
    guint records;
    const char *first; /* record, as text; NULL: any */
} rows[] = {
    {"good.example.org", DNS_A, DNS_FOUND, 50, 1, "\300\0\2\1"}, /* 60 s, bounded by max_ttl */
    {"GOOD.Example.ORG", DNS_A, DNS_FOUND, 50, 1, "\300\0\2\1"},
    {"good.example.org", DNS_AAAA, DNS_NO_DATA, 20, 0,
     NULL}, /* 30 s, bounded by max_negative_ttl */
    {"nodata.example.org", DNS_TXT, DNS_NO_DATA, 20, 0, NULL},
    {"nx.example.org", DNS_TXT, DNS_NO_NAME, 20, 0, NULL},
    {"zero.example.org", DNS_A, DNS_FOUND, 0, 1, NULL},
    {"mx.example.org", DNS_MX, DNS_FOUND, 50, 2, "a.example.org"},
    {"null.example.org", DNS_MX, DNS_NO_DATA, 50, 0, NULL},
    {"big.example.org", DNS_A, DNS_FOUND, 50, 500, NULL},
    {"chain.example.org", DNS_A, DNS_FOUND, 35, 1, "\300\0\2\1"},
    {"loop.example.org", DNS_A, DNS_TROUBLE, 0, 0, NULL},
    {"servfail.example.org", DNS_TXT, DNS_TROUBLE, 0, 0, NULL},
    {"refused.example.org", DNS_TXT, DNS_TROUBLE, 0, 0, NULL},
    {"garbage.example.org", DNS_TXT, DNS_TROUBLE, 0, 0, NULL},
    {"wrong.example.org", DNS_A, DNS_TROUBLE, 0, 0, NULL},
    {"short.example.org", DNS_A, DNS_TROUBLE, 0, 0, NULL},
    {"odd.example.org", DNS_PTR, DNS_FOUND, 50, 1, "fine.org"},
    {"1.2.0.192.in-addr.arpa", DNS_PTR, DNS_FOUND, 50, 1, "host.example.org"},
    {"1.0.0.10.in-addr.arpa", DNS_PTR, DNS_FOUND, 50, 1, "host.example.org"},
    {"good.praxis.test", DNS_A, DNS_FOUND, 50, 1, NULL},
    {"good.a;b\"(c)@$'.example.org", DNS_A, DNS_FOUND, 50, 1, NULL},
    {"good.a b.example.org", DNS_A, DNS_NO_NAME, 86400, 0, NULL}, /* nobody is asked */
};

/* The TTL may count down while the machine is busy. */
static void test_answer(void **state)
{
    const struct row *row = *state;
    g_autoptr(DnsAnswer) answer = ask(dns, row->name, row->type, 3000);

    assert_int_equal(answer->status, row->status);
    assert_int_equal(answer->records->len, row->records);
    assert_in_range(answer->ttl, row->ttl > 0 ? row->ttl - 1 : 0, row->ttl);
    assert_true((answer->trouble != NULL) == (row->status == DNS_TROUBLE));
    if (g_str_has_prefix(row->name, "chain."))
        assert_string_equal(answer->alias_of, "link5.example.org");
    else
        assert_null(answer->alias_of);
    if (row->first != NULL)
        assert_memory_equal(dns_answer_at(answer, 0)->data, row->first,
                            dns_answer_at(answer, 0)->length);
}

static void test_long_txt(void **state)
{
    (void)state;
    g_autoptr(DnsAnswer) answer = ask(dns, "txt.example.org", DNS_TXT, 3000);

    assert_int_equal(answer->status, DNS_FOUND);
    assert_int_equal(dns_answer_at(answer, 0)->length, 2550);
    for (guint i = 0; i < 2550; i++)
        assert_int_equal(dns_answer_at(answer, 0)->data[i], i % 255 == 0 ? '\0' : 'x');
}

static void test_mx_order(void **state)
{
    (void)state;
    g_autoptr(DnsAnswer) answer = ask(dns, "mx.example.org", DNS_MX, 3000);

    assert_int_equal(answer->records->len, 2);
    assert_int_equal(dns_answer_at(answer, 0)->preference, 0);
    assert_int_equal(dns_answer_at(answer, 1)->preference, 10);
    assert_string_equal(dns_answer_at(answer, 1)->data, "b.example.org");
}

static void test_cache_and_flush(void **state)
{
    (void)state;
    guint questions;

    dns_answer_unref(ask(dns, "good-cached.example.org", DNS_A, 3000));
    questions = dns_fault_server_questions(server);
    dns_answer_unref(ask(dns, "good-cached.example.org", DNS_A, 3000));
    assert_int_equal(dns_fault_server_questions(server), questions);
    dns_flush(dns, "example.org");
    dns_answer_unref(ask(dns, "good-cached.example.org", DNS_A, 3000));
    assert_int_equal(dns_fault_server_questions(server), questions + 1);
}

/* 1.5 s are longer than libunbound's own patience would be. */
static void test_late_answer(void **state)
{
    (void)state;
    gint64 start = clock_monotonic(&clock_system);
    g_autoptr(DnsAnswer) answer = ask(dns, "late.example.org", DNS_A, 3000);

    assert_int_equal(answer->status, DNS_FOUND);
    assert_in_range(milliseconds_since(start), 1500, 1500 + SOON);
}

static void test_deadline(void **state)
{
    (void)state;
    gint64 start = clock_monotonic(&clock_system);
    g_autoptr(DnsAnswer) answer = ask(dns, "silent-deadline.example.org", DNS_A, 300);

    assert_int_equal(answer->status, DNS_TROUBLE);
    assert_in_range(milliseconds_since(start), 300, 300 + SOON);
}

static void test_deadline_that_has_passed(void **state)
{
    (void)state;
    guint questions = dns_fault_server_questions(server);
    g_autoptr(DnsAnswer) answer = ask(dns, "good-passed.example.org", DNS_A, 0);

    assert_int_equal(answer->status, DNS_TROUBLE);
    assert_int_equal(dns_fault_server_questions(server), questions);
}

/* The timeout of one question holds where the deadline is further away. */
static void test_timeout(void **state)
{
    (void)state;
    gint64 start = clock_monotonic(&clock_system);
    g_autoptr(DnsAnswer) answer = ask(dns, "silent-timeout.example.org", DNS_A, 60000);

    assert_int_equal(answer->status, DNS_TROUBLE);
    assert_in_range(milliseconds_since(start), TIMEOUT * 1000 - 10, TIMEOUT * 1000 + SOON);
}

static void *ask_silent(void *hook)
{
    g_autofree char *name = g_strdup_printf("silent%u.example.org", GPOINTER_TO_UINT(hook));
    g_autoptr(DnsAnswer) answer = ask(dns, name, DNS_A, 400);

    return GUINT_TO_POINTER(answer->status);
}

/* More silent names than libunbound has sockets by default; a healthy name is answered all the
 * same, during and after. */
static void test_silent_names(void **state)
{
    (void)state;
    pthread_t threads[40];
    gint64 start;

    for (guint i = 0; i < G_N_ELEMENTS(threads); i++)
        pthread_create(&threads[i], NULL, ask_silent, GUINT_TO_POINTER(i));
    start = clock_monotonic(&clock_system);
    g_autoptr(DnsAnswer) during = ask(dns, "good-during.example.org", DNS_A, 3000);
    assert_int_equal(during->status, DNS_FOUND);
    for (guint i = 0; i < G_N_ELEMENTS(threads); i++) {
        void *status;

        pthread_join(threads[i], &status);
        assert_int_equal(GPOINTER_TO_UINT(status), DNS_TROUBLE);
    }
    g_autoptr(DnsAnswer) after = ask(dns, "good-after.example.org", DNS_A, 3000);
    assert_int_equal(after->status, DNS_FOUND);
    assert_in_range(milliseconds_since(start), 0, 400 + 2 * SOON);
}

/* While the server is dead each question ends at its deadline; once it is back, the next is
 * answered. */
static void test_dead_server(void **state)
{
    (void)state;
    gint64 start = clock_monotonic(&clock_system);

    dns_fault_server_set_dead(server, true);
    for (guint i = 0; i < 5; i++) {
        g_autofree char *name = g_strdup_printf("good-dead%u.example.org", i);
        g_autoptr(DnsAnswer) answer = ask(dns, name, DNS_A, 500);

        assert_int_equal(answer->status, DNS_TROUBLE);
        assert_in_range(milliseconds_since(start), (i + 1) * 500, (i + 1) * 500 + SOON);
    }
    dns_fault_server_set_dead(server, false);
    start = clock_monotonic(&clock_system);
    g_autoptr(DnsAnswer) answer = ask(dns, "good-back.example.org", DNS_A, 3000);
    assert_int_equal(answer->status, DNS_FOUND);
    assert_in_range(milliseconds_since(start), 0, SOON);
}

static void *ask_good(void *hook)
{
    static guint number;
    g_autofree char *name =
        g_strdup_printf("good-two%u.example.org", __atomic_add_fetch(&number, 1, __ATOMIC_RELAXED));
    g_autoptr(DnsAnswer) answer = ask(hook, name, DNS_A, TIMEOUT * 1000);

    return GUINT_TO_POINTER(answer->status);
}

/* A question that goes to the dead one of two servers first has its answer from the other in time.
 */
static void test_second_server(void **state)
{
    g_autoptr(DnsFaultServer) dead = dns_fault_server_new();
    const char *servers[] = {dns_fault_server_text(dead), dns_fault_server_text(server), NULL};
    g_autoptr(Dns) both = new_dns_of(servers, NULL, NULL, NULL);
    pthread_t threads[10];

    (void)state;
    dns_fault_server_set_dead(dead, true);
    for (guint i = 0; i < G_N_ELEMENTS(threads); i++)
        pthread_create(&threads[i], NULL, ask_good, both);
    for (guint i = 0; i < G_N_ELEMENTS(threads); i++) {
        void *status;

        pthread_join(threads[i], &status);
        assert_int_equal(GPOINTER_TO_UINT(status), DNS_FOUND);
    }
}

static const struct {
    const char *name;
    DnsType type;
    DnsStatus status;
} mix[] = {
    {"good%u.example.org", DNS_A, DNS_FOUND},
    {"nx%u.example.org", DNS_TXT, DNS_NO_NAME},
    {"servfail%u.example.org", DNS_TXT, DNS_TROUBLE},
    {"silent-mix%u.example.org", DNS_A, DNS_TROUBLE},
    {"nodata%u.example.org", DNS_AAAA, DNS_NO_DATA},
    {"txt%u.example.org", DNS_TXT, DNS_FOUND},
    {"good-same.example.org", DNS_A, DNS_FOUND},
    {"chain.example.org", DNS_A, DNS_FOUND},
    {"1.2.0.192.in-addr.arpa", DNS_PTR, DNS_FOUND},
    {"mx%u.example.org", DNS_MX, DNS_FOUND},
};

/* Returns how many answers were wrong. The deadlines of silent names are short, so that cancels
 * meet answers; each question is given up besides, before its answer or after it. */
static void *ask_mix(void *hook)
{
    guint seed = GPOINTER_TO_UINT(hook);
    guint wrong = 0;

    for (guint i = 0; i < QUESTIONS; i++) {
        guint chosen = (seed * 7 + i) % G_N_ELEMENTS(mix);
        bool is_silent = mix[chosen].status == DNS_TROUBLE;
        char number[16];
        g_auto(GStrv) parts = g_strsplit(mix[chosen].name, "%u", 2);

        g_snprintf(number, sizeof number, "%u", i * THREADS + seed);
        g_autofree char *name = g_strjoinv(number, parts);
        g_autoptr(DnsQuestion) given_up =
            dns_question_new(dns, name, mix[chosen].type, deadline_in(3));
        if (i % 2 == 0)
            dns_question_free(g_steal_pointer(&given_up));
        g_autoptr(DnsAnswer) answer = ask(dns, name, mix[chosen].type, is_silent ? 20 : 30000);
        wrong += answer->status != mix[chosen].status;
    }
    return GUINT_TO_POINTER(wrong);
}

static void test_threads(void **state)
{
    (void)state;
    pthread_t threads[THREADS];

    for (guint i = 0; i < THREADS; i++)
        pthread_create(&threads[i], NULL, ask_mix, GUINT_TO_POINTER(i));
    for (guint i = 0; i < 5; i++)
        dns_flush(dns, NULL);
    for (guint i = 0; i < THREADS; i++) {
        void *wrong;

        pthread_join(threads[i], &wrong);
        assert_int_equal(GPOINTER_TO_UINT(wrong), 0);
    }
}

/* Deadlines about as long as an answer takes: often the answer comes while ub_cancel() is called.
 */
static void test_cancel_race(void **state)
{
    (void)state;

    for (guint i = 0; i < 2000; i++) {
        gint64 deadline = clock_monotonic(&clock_system) + 20 + i % 100;
        g_autoptr(DnsAnswer) answer = dns_lookup(dns, "good-race.example.org", DNS_A, deadline);

        assert_true(answer->status == DNS_FOUND || answer->status == DNS_TROUBLE);
    }
}

/* Questions wait side by side, also over a flush: one after the other they would take 3 s. */
static void test_questions(void **state G_GNUC_UNUSED)
{
    Deadline deadline = clock_monotonic(&clock_system) + 2900 * CLOCK_MILLISECOND;
    g_autoptr(DnsQuestion) late = dns_question_new(dns, "late-one.example.org", DNS_A, deadline);
    g_autoptr(DnsQuestion) other = dns_question_new(dns, "late-two.example.org", DNS_A, deadline);
    g_autoptr(DnsQuestion) passed = dns_question_new(dns, "good-late.example.org", DNS_A, 0);

    dns_flush(dns, NULL);
    assert_int_equal(dns_question_answer(late)->status, DNS_FOUND);
    assert_int_equal(dns_question_answer(other)->status, DNS_FOUND);
    assert_int_equal(dns_question_answer(passed)->status, DNS_TROUBLE);
}

/* libunbound still works on what its askers gave up. */
static void test_free_with_questions_under_way(void **state)
{
    (void)state;
    g_autoptr(Dns) other = new_dns(dns_fault_server_text(server), NULL, NULL, NULL);
    gint64 start = clock_monotonic(&clock_system);

    for (guint i = 0; i < 10; i++) {
        g_autofree char *name = g_strdup_printf("silent-free%u.example.org", i);

        dns_answer_unref(ask(other, name, DNS_A, 10));
    }
    dns_free(g_steal_pointer(&other));
    assert_in_range(milliseconds_since(start), 100, 100 + SOON);
}

/* A file with text, to be removed. */
static char *write_file(const char *text)
{
    char *name = NULL;
    int file = g_file_open_tmp("spfrom-XXXXXX", &name, NULL);

    assert_true(file >= 0);
    close(file);
    assert_true(g_file_set_contents(name, text, -1, NULL));
    return name;
}

/* A server without DNSSEC below an anchor for the root: all is bogus. */
static void test_bogus(void **state)
{
    (void)state;
    g_autofree char *file = write_file(
        ". IN DS 20326 8 2 E06D44B80B8F1D39A95C0B0D7C65D08458E880409BBC683457104237C7F8EC8D\n");
    g_autoptr(Dns) validating = new_dns(dns_fault_server_text(server), NULL, file, NULL);
    g_autoptr(DnsAnswer) answer = ask(validating, "good.example.org", DNS_A, 3000);

    assert_int_equal(answer->status, DNS_TROUBLE);
    assert_true(g_str_has_prefix(answer->trouble, "DNSSEC: "));
    g_unlink(file);
}

static const struct server_row {
    const char *text;
    int error; /* -1: none */
} server_rows[] = {
    {"127.0.0.1", -1},
    {"127.0.0.1@5353", -1},
    {"::1", -1},
    {"2001:db8::1@53", -1},
    {"dns.example.org", DNS_ERROR_SERVER},
    {"127.0.0.1@", DNS_ERROR_SERVER},
    {"127.0.0.1@0", DNS_ERROR_SERVER},
    {"127.0.0.1@65536", DNS_ERROR_SERVER},
    {"127.0.0.1@dns", DNS_ERROR_SERVER},
    {"127.0.0.1:53", DNS_ERROR_SERVER},
    {"", DNS_ERROR_SERVER},
};

static void check_error(const Dns *made, const GError *error, int wanted)
{
    assert_true((made == NULL) == (error != NULL));
    assert_int_equal(error != NULL ? error->code : -1, wanted);
    if (error != NULL)
        assert_int_equal(error->domain, DNS_ERROR);
}

static void test_server(void **state)
{
    const struct server_row *row = *state;
    g_autoptr(GError) error = NULL;
    g_autoptr(Dns) made = new_dns(row->text, NULL, NULL, &error);

    check_error(made, error, row->error);
}

static const struct resolv_row {
    const char *text;
    int error;
} resolv_rows[] = {
    {"nameserver 127.0.0.1\n", -1},
    {"# none\nsearch example.org\nnameserver\t::1 # this one\noptions edns0", -1},
    {"nameserver dns.example.org\nnameserver 127.0.0.1", -1},
    {"", DNS_ERROR_SERVER},
    {"#nameserver 127.0.0.1\nnameservers 127.0.0.1\n", DNS_ERROR_SERVER},
};

static void test_resolv_conf(void **state)
{
    const struct resolv_row *row = *state;
    g_autoptr(GError) error = NULL;
    g_autofree char *file = write_file(row->text);
    g_autoptr(Dns) made = new_dns(NULL, file, "", &error);

    check_error(made, error, row->error);
    g_unlink(file);
}

static void test_missing_files(void **state)
{
    (void)state;
    g_autoptr(GError) no_resolv_conf = NULL;
    g_autoptr(GError) no_anchor = NULL;
    g_autoptr(Dns) first = new_dns(NULL, "/nonexistent/resolv.conf", "", &no_resolv_conf);
    g_autoptr(Dns) second = new_dns("127.0.0.1", NULL, "/nonexistent/root.key", &no_anchor);

    check_error(first, no_resolv_conf, DNS_ERROR_FILE);
    check_error(second, no_anchor, DNS_ERROR_FILE);
    assert_non_null(strstr(no_resolv_conf->message, "/nonexistent/resolv.conf"));
    assert_non_null(strstr(no_anchor->message, "/nonexistent/root.key"));
}

static void test_anchor_that_is_none(void **state)
{
    (void)state;
    g_autoptr(GError) error = NULL;
    g_autofree char *file = write_file("not an anchor\n");
    g_autoptr(Dns) made = new_dns("127.0.0.1", NULL, file, &error);

    check_error(made, error, DNS_ERROR_FILE);
    g_unlink(file);
}

static int set_up(void **state)
{
    (void)state;
    server = dns_fault_server_new();
    dns = new_dns(dns_fault_server_text(server), NULL, NULL, NULL);
    return dns != NULL ? 0 : -1;
}

static int tear_down(void **state)
{
    (void)state;
    dns_free(dns);
    dns_fault_server_free(server);
    return 0;
}

static const struct CMUnitTest single_tests[] = {
    cmocka_unit_test(test_long_txt),
    cmocka_unit_test(test_mx_order),
    cmocka_unit_test(test_cache_and_flush),
    cmocka_unit_test(test_late_answer),
    cmocka_unit_test(test_deadline),
    cmocka_unit_test(test_deadline_that_has_passed),
    cmocka_unit_test(test_timeout),
    cmocka_unit_test(test_silent_names),
    cmocka_unit_test(test_dead_server),
    cmocka_unit_test(test_second_server),
    cmocka_unit_test(test_threads),
    cmocka_unit_test(test_cancel_race),
    cmocka_unit_test(test_questions),
    cmocka_unit_test(test_free_with_questions_under_way),
    cmocka_unit_test(test_bogus),
    cmocka_unit_test(test_missing_files),
    cmocka_unit_test(test_anchor_that_is_none),
};

static void add_row(GArray *tests, const char *name, CMUnitTestFunction function, const void *row)
{
    struct CMUnitTest test = {.name = name, .test_func = function, .initial_state = (void *)row};

    g_array_append_val(tests, test);
}

int main(void)
{
    g_autoptr(GArray) tests = g_array_new(FALSE, FALSE, sizeof(struct CMUnitTest));

    for (guint i = 0; i < G_N_ELEMENTS(rows); i++)
        add_row(tests, rows[i].name, test_answer, &rows[i]);
    for (guint i = 0; i < G_N_ELEMENTS(server_rows); i++)
        add_row(tests, *server_rows[i].text != '\0' ? server_rows[i].text : "(empty)", test_server,
                &server_rows[i]);
    for (guint i = 0; i < G_N_ELEMENTS(resolv_rows); i++)
        add_row(tests, "resolv.conf", test_resolv_conf, &resolv_rows[i]);
    g_array_append_vals(tests, single_tests, G_N_ELEMENTS(single_tests));
    return _cmocka_run_group_tests("dns_unbound", (const struct CMUnitTest *)(void *)tests->data,
                                   tests->len, set_up, tear_down);
}
