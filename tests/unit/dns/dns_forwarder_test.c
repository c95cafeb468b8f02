#include "config.h"

#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <netinet/in.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/clock.h"
#include "unit/dns/dns_fault_server.h"
#include "dns/dns.h"
#include "dns/dns_forwarder.h"

/*
 * Bad weather between libunbound and its servers: packets that are lost, names that are slow,
 * servers that are dead, and many silent names at once. Every name that a server knows is found
 * within dns_timeout, and the questions for it are few, whatever the version of libunbound.
 */
#define TIMEOUT 5 /* seconds: the default of dns_timeout */
#define NAMES 20
#define SERVERS_MAX 3
#define SHARERS 600        /* sockets: one port of 50 */
#define FORWARDERS 300     /* of which five or so would hit one of them */
#define STACK (128 * 1024) /* octets, of each of many threads */
#define SOON 1000          /* milliseconds, on a busy machine */
#define BUSY 2             /* questions more where an answer comes late on it */

static Dns *new_dns(DnsFaultServer *const *servers, const Clock *clock)
{
    const char *texts[SERVERS_MAX + 1] = {NULL};
    DnsUnboundOptions options = {.servers = texts,
                                 .timeout = TIMEOUT,
                                 .max_ttl = 300,
                                 .max_negative_ttl = 300,
                                 .clock = clock};
    Dns *dns;

    for (guint i = 0; i < SERVERS_MAX && servers[i] != NULL; i++)
        texts[i] = dns_fault_server_text(servers[i]);
    dns = dns_unbound_new(&options, NULL);
    assert_non_null(dns);
    return dns;
}

static Dns *new_dns_of(DnsFaultServer *server)
{
    DnsFaultServer *servers[SERVERS_MAX] = {server};

    return new_dns(servers, NULL);
}

static DnsStatus ask(Dns *dns, const char *name, gint64 milliseconds)
{
    g_autoptr(DnsAnswer) answer = dns_lookup(
        dns, name, DNS_A, clock_monotonic(&clock_system) + milliseconds * CLOCK_MILLISECOND);

    return answer->status;
}

static gint64 milliseconds_since(gint64 start)
{
    return (clock_monotonic(&clock_system) - start) / CLOCK_MILLISECOND;
}

/* Many threads that each ask for one name, "PREFIXnumber.SUFFIX". */
typedef struct {
    Dns *dns;
    const char *prefix;
    const char *suffix;
    gint64 milliseconds;
    guint count;
    pthread_t *threads;
    gint number; /* atomic */
    gint found;  /* atomic */
} Crowd;

static void *ask_in_crowd(void *hook)
{
    Crowd *crowd = hook;
    g_autofree char *name = g_strdup_printf("%s%d.%s", crowd->prefix,
                                            g_atomic_int_add(&crowd->number, 1), crowd->suffix);

    if (ask(crowd->dns, name, crowd->milliseconds) == DNS_FOUND)
        g_atomic_int_inc(&crowd->found);
    return NULL;
}

static void crowd_start(Crowd *crowd)
{
    pthread_attr_t attributes;

    pthread_attr_init(&attributes);
    pthread_attr_setstacksize(&attributes, STACK);
    crowd->threads = g_new(pthread_t, crowd->count);
    for (guint i = 0; i < crowd->count; i++)
        assert_int_equal(pthread_create(&crowd->threads[i], &attributes, ask_in_crowd, crowd), 0);
    pthread_attr_destroy(&attributes);
}

/* Returns how many names were found. */
static guint crowd_join(Crowd *crowd)
{
    for (guint i = 0; i < crowd->count; i++)
        pthread_join(crowd->threads[i], NULL);
    g_free(crowd->threads);
    return (guint)crowd->found;
}

/* Begins to ask for NAMES or more names of ours. */
static Crowd *crowd_new(Dns *dns, guint count)
{
    Crowd *crowd = g_new0(Crowd, 1);

    *crowd = (Crowd){.dns = dns,
                     .prefix = "good",
                     .suffix = "example.org",
                     .milliseconds = 60000,
                     .count = count};
    crowd_start(crowd);
    return crowd;
}

#define DEAD 100 /* per cent of packets that are lost */
#define SERVFAIL 2
#define REFUSED 5

static const struct row {
    const char *name;
    DnsWeather servers[SERVERS_MAX];
    guint count;
    guint most; /* questions for one name, at all servers */
} rows[] = {
    {"fine", {{0}}, 1, 1},
    {"first packet lost", {{.loses_first = true}}, 1, 2},
    {"first packets lost, two servers", {{.loses_first = true}, {.loses_first = true}}, 2, 3},
    {"30 % lost", {{.loss = 30}}, 1, 6},
    {"30 % lost, two servers", {{.loss = 30}, {.loss = 30, .seed = 1}}, 2, 6},
    {"30 % lost, three servers",
     {{.loss = 30}, {.loss = 30, .seed = 1}, {.loss = 30, .seed = 2}},
     3,
     6},
    {"1.5 s", {{.delay = 1500}}, 1, 3},
    {"2.0 s, three servers", {{.delay = 2000}, {.delay = 2000}, {.delay = 2000}}, 3, 4},
    {"2.5 s", {{.delay = 2500}}, 1, 4},
    {"3.0 s, two servers", {{.delay = 3000}, {.delay = 3000}}, 2, 5},
    {"4.5 s", {{.delay = 4500}}, 1, 6},
    {"4.5 s, three servers", {{.delay = 4500}, {.delay = 4500}, {.delay = 4500}}, 3, 6},
    {"the first of three dead", {{.loss = DEAD}, {0}, {0}}, 3, 3},
    {"the second of three dead", {{0}, {.loss = DEAD}, {0}}, 3, 2},
    {"two of three dead", {{.loss = DEAD}, {.loss = DEAD}, {0}}, 3, 4},
    {"one dead, the other slow", {{.loss = DEAD}, {.delay = 2500}}, 2, 5},
    {"SERVFAIL, the next good", {{.rcode = SERVFAIL}, {0}}, 2, 2},
    {"REFUSED, the next slow", {{.rcode = REFUSED}, {.delay = 3000}}, 2, 6},
};

/* Returns how often all servers together were asked for one of the names of ask_many(), at most. */
static guint most_asked(DnsFaultServer *const *servers, guint count, guint names)
{
    guint most = 0;

    for (guint number = 0; number < names; number++) {
        g_autofree char *name = g_strdup_printf("good%u.example.org", number);
        guint asked = 0;

        for (guint i = 0; i < count; i++)
            asked += dns_fault_server_asked(servers[i], name);
        most = MAX(most, asked);
    }
    return most;
}

/* What becomes of a row. All rows wait at the same time. */
static struct trial {
    DnsFaultServer *servers[SERVERS_MAX];
    Dns *dns;
    Crowd *crowd;
} trials[G_N_ELEMENTS(rows)];

static int start_trials(void **state)
{
    (void)state;
    for (guint i = 0; i < G_N_ELEMENTS(rows); i++) {
        for (guint j = 0; j < rows[i].count; j++) {
            trials[i].servers[j] = dns_fault_server_new();
            dns_fault_server_set_weather(trials[i].servers[j], &rows[i].servers[j]);
        }
        trials[i].dns = new_dns(trials[i].servers, NULL);
        trials[i].crowd = crowd_new(trials[i].dns, NAMES);
    }
    return 0;
}

static int end_trials(void **state)
{
    (void)state;
    for (guint i = 0; i < G_N_ELEMENTS(rows); i++) {
        g_free(trials[i].crowd);
        dns_free(trials[i].dns);
        for (guint j = 0; j < rows[i].count; j++)
            dns_fault_server_free(trials[i].servers[j]);
    }
    return 0;
}

static void test_weather(void **state)
{
    const struct row *row = *state;
    const struct trial *trial = &trials[row - rows];

    assert_int_equal(crowd_join(trial->crowd), NAMES);
    assert_in_range(most_asked(trial->servers, row->count, NAMES), 1, row->most + BUSY);
}

/* A thousand domains that nobody has asked for yet, each of which takes 2.5 s. */
static void test_cold_start(void **state)
{
    g_autoptr(DnsFaultServer) server = dns_fault_server_new();
    g_autoptr(Dns) dns = new_dns_of(server);
    g_autofree Crowd *crowd = NULL;

    (void)state;
    dns_fault_server_set_weather(server, &(DnsWeather){.delay = 2500});
    crowd = crowd_new(dns, 1000);
    assert_int_equal(crowd_join(crowd), 1000);
    assert_in_range(most_asked(&server, 1, 1000), 1, 4 + BUSY);
}

/* Of three servers the first is dead; before long nobody waits for it any more. */
static void test_dead_server_comes_last(void **state)
{
    DnsFaultServer *servers[SERVERS_MAX] = {dns_fault_server_new(), dns_fault_server_new()};

    (void)state;
    dns_fault_server_set_dead(servers[0], true);
    {
        g_autoptr(Dns) dns = new_dns(servers, NULL);
        gint64 start;

        for (guint i = 0; i < 3; i++) {
            g_autofree char *name = g_strdup_printf("good-first%u.example.org", i);

            assert_int_equal(ask(dns, name, 3000), DNS_FOUND);
        }
        start = clock_monotonic(&clock_system);
        assert_int_equal(ask(dns, "good-then.example.org", 3000), DNS_FOUND);
        assert_in_range(milliseconds_since(start), 0, 400);
    }
    dns_fault_server_free(servers[0]);
    dns_fault_server_free(servers[1]);
}

/* No failure is said before all servers had their turn, and then none is asked again. */
static void test_failure_of_all(void **state)
{
    DnsFaultServer *servers[SERVERS_MAX] = {dns_fault_server_new(), dns_fault_server_new()};
    gint64 start = clock_monotonic(&clock_system);

    (void)state;
    {
        g_autoptr(Dns) dns = new_dns(servers, NULL);

        assert_int_equal(ask(dns, "servfail.example.org", 3000), DNS_TROUBLE);
        assert_int_equal(dns_fault_server_asked(servers[0], "servfail.example.org"), 1);
        assert_int_equal(dns_fault_server_asked(servers[1], "servfail.example.org"), 1);
        assert_in_range(milliseconds_since(start), 0, SOON);
    }
    dns_fault_server_free(servers[0]);
    dns_fault_server_free(servers[1]);
}

/* 1,800 silent names of one domain are under way; another domain's answers come as ever. */
static void test_silent_crowd(void **state)
{
    g_autoptr(DnsFaultServer) server = dns_fault_server_new();
    g_autoptr(Dns) dns = new_dns_of(server);
    Crowd crowd = {.dns = dns,
                   .prefix = "silent",
                   .suffix = "evil.example",
                   .milliseconds = 3000,
                   .count = 1800};
    gint64 start;

    (void)state;
    crowd_start(&crowd);
    start = clock_monotonic(&clock_system);
    for (guint i = 0; milliseconds_since(start) < 3500; i++) {
        g_autofree char *name = g_strdup_printf("good%u.example.org", i);
        gint64 asked = clock_monotonic(&clock_system);

        assert_int_equal(ask(dns, name, TIMEOUT * 1000), DNS_FOUND);
        assert_in_range(milliseconds_since(asked), 0, 2 * SOON);
        usleep(20000);
    }
    assert_int_equal(crowd_join(&crowd), 0);
}

/* More silent names than there is room for, though nobody waits for them any more: one domain's
 * leave room for others. */
static void test_silent_flood(void **state)
{
    g_autoptr(DnsFaultServer) server = dns_fault_server_new();
    g_autoptr(Dns) dns = new_dns_of(server);

    (void)state;
    for (guint round = 0; round < 10; round++) {
        g_autofree char *suffix = g_strdup_printf("r%u.evil.example", round);
        g_autofree char *name = g_strdup_printf("good-round%u.example.org", round);
        Crowd crowd = {
            .dns = dns, .prefix = "silent", .suffix = suffix, .milliseconds = 100, .count = 600};

        crowd_start(&crowd);
        assert_int_equal(ask(dns, name, TIMEOUT * 1000), DNS_FOUND);
        assert_int_equal(crowd_join(&crowd), 0);
    }
}

static void *ask_later_server(void *hook)
{
    return GUINT_TO_POINTER(ask(hook, "good-restart.example.org", TIMEOUT * 1000));
}

/* The server's port is closed when it is asked; a second later the server is there. */
static void test_restart(void **state)
{
    DnsFaultServer *server = dns_fault_server_new();
    guint port = dns_fault_server_port(server);
    g_autoptr(Dns) dns = new_dns_of(server);
    pthread_t thread;
    void *status;

    (void)state;
    dns_fault_server_free(server);
    pthread_create(&thread, NULL, ask_later_server, dns);
    usleep(800000);
    server = dns_fault_server_new_at(port);
    pthread_join(thread, &status);
    assert_int_equal(GPOINTER_TO_UINT(status), DNS_FOUND);
    assert_int_equal(ask(dns, "good-after.example.org", 3 * SOON), DNS_FOUND);
    dns_fault_server_free(server);
}

static gint64 now_of(void *hook)
{
    (void)hook;
    return clock_monotonic(&clock_system);
}

/* Wall time that hook is ahead. */
static gint64 shifted_wall(void *hook)
{
    return clock_wall(&clock_system) + *(const gint64 *)hook;
}

/* An answer of before the wall clock was set is asked for again. */
static void test_clock_jump(void **state)
{
    static const gint64 jumps[] = {-3600, 3 * 365 * 86400, -3, 86400};
    gint64 shift = 0;
    const Clock clock = {.monotonic = now_of, .wall = shifted_wall, .hook = &shift};
    g_autoptr(DnsFaultServer) server = dns_fault_server_new();
    DnsFaultServer *servers[SERVERS_MAX] = {server};
    g_autoptr(Dns) dns = new_dns(servers, &clock);

    (void)state;
    for (guint i = 0; i < G_N_ELEMENTS(jumps); i++) {
        assert_int_equal(ask(dns, "good-jump.example.org", 3000), DNS_FOUND);
        assert_int_equal(ask(dns, "good-jump.example.org", 3000), DNS_FOUND);
        assert_int_equal(dns_fault_server_questions(server), i + 1);
        shift += jumps[i] * CLOCK_SECOND;
    }
}

/* Opens a socket as another forwarder of this account has it. Returns its port. */
static guint share_a_port(int *fd)
{
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t size = sizeof address;
    const int yes = 1;

    *fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    assert_true(*fd >= 0);
    assert_int_equal(bind(*fd, (struct sockaddr *)&address, sizeof address), 0);
    assert_int_equal(getsockname(*fd, (struct sockaddr *)&address, &size), 0);
    assert_int_equal(setsockopt(*fd, SOL_SOCKET, SO_REUSEPORT, &yes, sizeof yes), 0);
    return ntohs(address.sin_port);
}

static guint port_of(const DnsForwarder *forwarder)
{
    return (guint)g_ascii_strtoull(strchr(dns_forwarder_address(forwarder), '@') + 1, NULL, 10);
}

/* A forwarder never gets the port of another: they would take each other's questions. */
static void test_port_of_its_own(void **state)
{
    int fds[SHARERS];
    bool is_taken[G_MAXUINT16 + 1] = {false};

    (void)state;
    for (guint i = 0; i < SHARERS; i++)
        is_taken[share_a_port(&fds[i])] = true;
    for (guint i = 0; i < FORWARDERS; i++) {
        GArray *servers = g_array_set_size(g_array_new(FALSE, TRUE, sizeof(DnsServer)), 1);
        DnsForwarder *forwarder = dns_forwarder_new(servers, TIMEOUT, NULL);

        assert_non_null(forwarder);
        assert_false(is_taken[port_of(forwarder)]);
        dns_forwarder_free(forwarder);
    }
    for (guint i = 0; i < SHARERS; i++)
        close(fds[i]);
}

static const struct CMUnitTest single_tests[] = {
    cmocka_unit_test(test_cold_start),     cmocka_unit_test(test_dead_server_comes_last),
    cmocka_unit_test(test_failure_of_all), cmocka_unit_test(test_silent_crowd),
    cmocka_unit_test(test_silent_flood),   cmocka_unit_test(test_restart),
    cmocka_unit_test(test_clock_jump),     cmocka_unit_test(test_port_of_its_own),
};

int main(void)
{
    g_autoptr(GArray) tests = g_array_new(FALSE, FALSE, sizeof(struct CMUnitTest));

    for (guint i = 0; i < G_N_ELEMENTS(rows); i++) {
        struct CMUnitTest test = {
            .name = rows[i].name, .test_func = test_weather, .initial_state = (void *)&rows[i]};

        g_array_append_val(tests, test);
    }
    g_array_append_vals(tests, single_tests, G_N_ELEMENTS(single_tests));
    return _cmocka_run_group_tests("dns_forwarder", (const struct CMUnitTest *)(void *)tests->data,
                                   tests->len, start_trials, end_trials);
}
