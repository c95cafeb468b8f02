/*
 * What a verdict costs: evaluated (DNS answers at once), out of the cache with one thread and with
 * many, and the memory that a cache full of domains takes. As a table, or as JSON with --json.
 */
#include "config.h"

#include "verdict/verdicts.h"

#include <malloc.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "unit/verdict/settings_from.h"
#include "spf/evaluation.h"

#define DOMAINS 100000
#define GETS 1000000 /* of each thread */
#define THREADS 16

/* Made once, as the daemon has the time at which a message ended. */
static Deadline in_time;

/* Every domain includes one record; nothing is locked, so that only the code above DNS is measured.
 */
static DnsAnswer *own_record;
static DnsAnswer *included_record;

static DnsAnswer *bench_lookup(Dns *dns G_GNUC_UNUSED, const char *name, DnsType type G_GNUC_UNUSED,
                               gint64 deadline G_GNUC_UNUSED)
{
    return dns_answer_ref(name[0] == 'd' ? own_record : included_record);
}

static void bench_free(Dns *dns G_GNUC_UNUSED)
{
}

static Dns bench_dns = {.lookup = bench_lookup, .free = bench_free};

static DnsAnswer *record_new(const char *text)
{
    DnsAnswer *answer = dns_answer_new(DNS_FOUND, 3600);

    dns_answer_add(answer, 0, text, strlen(text));
    return answer;
}

static double seconds_now(void)
{
    return (double)g_get_monotonic_time() / 1e6;
}

/* Octets of this process in memory. */
static double resident(void)
{
    unsigned long size = 0;
    unsigned long pages = 0;
    FILE *file = fopen("/proc/self/statm", "r");

    malloc_trim(0);
    if (file == NULL || fscanf(file, "%lu %lu", &size, &pages) != 2)
        pages = 0;
    if (file != NULL)
        fclose(file);
    return (double)pages * (double)sysconf(_SC_PAGESIZE);
}

static void get(Verdicts *verdicts, unsigned domain)
{
    char name[64];
    const Mailbox mailbox = {.local_part = (char *)"praxis", .domain_name = name};
    VerdictSource source;

    g_snprintf(name, sizeof name, "d%u.praxis-example.org", domain);
    verdict_unref(verdicts_get(verdicts, &mailbox, in_time, &source));
}

static void *run_gets(void *data)
{
    unsigned domain = 0;

    for (unsigned i = 0; i < GETS; i++) {
        domain = (domain + 7919) % DOMAINS;
        get(data, domain);
    }
    return NULL;
}

/* Returns the microseconds of CPU and waiting that one get takes one thread of so many. */
static double warm(Verdicts *verdicts, unsigned count)
{
    pthread_t threads[THREADS];
    double start = seconds_now();

    for (unsigned i = 0; i < count; i++)
        if (pthread_create(&threads[i], NULL, run_gets, verdicts) != 0)
            exit(1);
    for (unsigned i = 0; i < count; i++)
        pthread_join(threads[i], NULL);
    return (seconds_now() - start) * 1e6 / GETS / count;
}

static double cold(Verdicts *verdicts)
{
    double start = seconds_now();

    for (unsigned i = 0; i < DOMAINS; i++)
        get(verdicts, i);
    return (seconds_now() - start) * 1e6 / DOMAINS;
}

static void print_table(double cold_us, double warm_us, double warm_many_us, double before,
                        double after)
{
    printf("%-42s %10.2f us\n", "cold verdict, 2 relays, 2 look-ups", cold_us);
    printf("%-42s %10.2f us  (1/%.0f of cold)\n", "warm verdict, 1 thread", warm_us,
           cold_us / warm_us);
    printf("%-42s %10.2f us  (%.1f times 1 thread)\n", "warm verdict, 16 threads, machine time",
           warm_many_us, warm_many_us / warm_us);
    printf("%-42s %10.0f octets\n", "memory of a cached domain", (after - before) / DOMAINS);
    printf("%-42s %10.1f MiB\n", "process with 100,000 domains", after / 1048576);
}

static void print_json(double cold_us, double warm_us, double warm_many_us, double before,
                       double after)
{
    printf("{\"cold_us\":%.3f,\"warm_us\":%.3f,\"warm_16_threads_us\":%.3f,\"cold_per_warm\":%.1f,"
           "\"octets_per_domain\":%.0f,\"resident_mib\":%.1f}\n",
           cold_us, warm_us, warm_many_us, cold_us / warm_us, (after - before) / DOMAINS,
           after / 1048576);
}

int main(int argc, char **argv)
{
    bool is_json = argc > 1 && strcmp(argv[1], "--json") == 0;
    g_autoptr(Settings) settings = settings_from("relay_hosts = { 192.0.2.25, 2001:db8::25 }");
    g_autoptr(Verdicts) verdicts = NULL;
    double before;
    double after;
    double cold_us;
    double warm_us;

    in_time = deadline_in(3600);
    own_record = record_new("v=spf1 include:spf.example.net ~all");
    included_record = record_new("v=spf1 ip4:192.0.2.0/24 ip6:2001:db8::/32 -all");
    if (!evaluation_init(NULL))
        return 1;
    verdicts = verdicts_new(settings, &bench_dns, &clock_system, IN_TIME, NULL);
    if (verdicts == NULL)
        return 1;
    before = resident();
    cold_us = cold(verdicts);
    after = resident();
    warm_us = warm(verdicts, 1);
    (is_json ? print_json : print_table)(cold_us, warm_us, warm(verdicts, THREADS), before, after);
    return 0;
}
