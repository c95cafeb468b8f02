#include "config.h"

#include "unit/dns/scripted_dns.h"

#include <arpa/inet.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/clock.h"

#define NEGATIVE_TTL 300 /* seconds */
#define AWAIT_MAX 60     /* seconds */

typedef struct {
    Dns dns;
    pthread_mutex_t lock; /* guards what follows */
    pthread_cond_t change;
    char **lines;
    GPtrArray *asked; /* of char *: the names, in order */
    GHashTable *held; /* names */
    guint flushes;
    gint64 deadline; /* of the last question */
} ScriptedDns;

/* Adds the record of words[3] where it is of type. */
static void add_record(DnsAnswer *answer, DnsType type, const char *type_text, const char *value)
{
    guint8 octets[16];

    if (strcmp(type_text, dns_type_text(type)) != 0)
        return;
    answer->status = DNS_FOUND;
    if (type == DNS_TXT) {
        dns_answer_add(answer, 0, value, strlen(value));
        return;
    }
    inet_pton(type == DNS_A ? AF_INET : AF_INET6, value, octets);
    dns_answer_add(answer, 0, octets, type == DNS_A ? 4 : 16);
}

/* Is word "!" or, say, "!AAAA"? */
static gboolean is_trouble(const char *word, DnsType type)
{
    return word[0] == '!' && (word[1] == '\0' || strcmp(word + 1, dns_type_text(type)) == 0);
}

/* Called with the lock held. */
static DnsAnswer *answer_for(ScriptedDns *scripted, const char *name, DnsType type)
{
    DnsAnswer *answer = dns_answer_new(DNS_NO_NAME, NEGATIVE_TTL);

    for (char **line = scripted->lines; *line != NULL; line++) {
        g_auto(GStrv) words = g_strsplit(*line, " ", 4);
        guint count = g_strv_length(words);

        if (count == 0 || (strcmp(words[0], "!") != 0 && strcmp(words[0], name) != 0))
            continue;
        if (count == 1 || is_trouble(words[1], type)) {
            dns_answer_unref(answer);
            return dns_answer_new_trouble("SERVFAIL");
        }
        if (answer->status == DNS_NO_NAME)
            answer->status = DNS_NO_DATA;
        if (strcmp(words[1], "-") == 0)
            answer->status = DNS_NO_NAME;
        if (strcmp(words[1], "-") == 0 || strcmp(words[1], dns_type_text(type)) == 0)
            answer->ttl = (guint32)atoi(words[2]);
        if (count == 4)
            add_record(answer, type, words[1], words[3]);
    }
    return answer;
}

static struct timespec timespec_of(gint64 monotonic)
{
    return (struct timespec){.tv_sec = (time_t)(monotonic / CLOCK_SECOND),
                             .tv_nsec = (long)(monotonic % CLOCK_SECOND) * 1000};
}

/* A question under way. */
typedef struct {
    char *name;
    DnsType type;
    gint64 deadline;
} Begun;

static gpointer scripted_begin(Dns *dns, const char *name, DnsType type, gint64 deadline)
{
    ScriptedDns *scripted = (ScriptedDns *)dns;
    Begun *begun = g_new(Begun, 1);

    *begun = (Begun){g_strdup(name), type, deadline};
    pthread_mutex_lock(&scripted->lock);
    g_ptr_array_add(scripted->asked, g_strdup(name));
    scripted->deadline = deadline;
    pthread_cond_broadcast(&scripted->change);
    pthread_mutex_unlock(&scripted->lock);
    return begun;
}

static DnsAnswer *wait_for_answer(ScriptedDns *scripted, const char *name, DnsType type,
                                  gint64 deadline)
{
    struct timespec until = timespec_of(deadline);
    DnsAnswer *answer;
    int status = 0;

    pthread_mutex_lock(&scripted->lock);
    while (status == 0 && g_hash_table_contains(scripted->held, name))
        status = pthread_cond_timedwait(&scripted->change, &scripted->lock, &until);
    answer = status == 0 ? answer_for(scripted, name, type) : dns_answer_new_trouble("no answer");
    pthread_mutex_unlock(&scripted->lock);
    return answer;
}

static DnsAnswer *scripted_finish(Dns *dns, gpointer hook, bool is_wanted)
{
    Begun *begun = hook;
    DnsAnswer *answer = NULL;

    if (is_wanted)
        answer = wait_for_answer((ScriptedDns *)dns, begun->name, begun->type, begun->deadline);
    g_free(begun->name);
    g_free(begun);
    return answer;
}

static DnsAnswer *scripted_lookup(Dns *dns, const char *name, DnsType type, gint64 deadline)
{
    return scripted_finish(dns, scripted_begin(dns, name, type, deadline), true);
}

static void scripted_flush(Dns *dns, const char *domain G_GNUC_UNUSED)
{
    ScriptedDns *scripted = (ScriptedDns *)dns;

    pthread_mutex_lock(&scripted->lock);
    scripted->flushes++;
    pthread_mutex_unlock(&scripted->lock);
}

static void scripted_free(Dns *dns)
{
    ScriptedDns *scripted = (ScriptedDns *)dns;

    g_strfreev(scripted->lines);
    g_ptr_array_unref(scripted->asked);
    g_hash_table_unref(scripted->held);
    pthread_cond_destroy(&scripted->change);
    pthread_mutex_destroy(&scripted->lock);
    g_free(scripted);
}

Dns *scripted_dns_new(void)
{
    ScriptedDns *scripted = g_new0(ScriptedDns, 1);
    pthread_condattr_t attributes;

    scripted->dns = (Dns){.lookup = scripted_lookup,
                          .begin = scripted_begin,
                          .finish = scripted_finish,
                          .flush = scripted_flush,
                          .free = scripted_free};
    pthread_mutex_init(&scripted->lock, NULL);
    pthread_condattr_init(&attributes);
    pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
    pthread_cond_init(&scripted->change, &attributes);
    pthread_condattr_destroy(&attributes);
    scripted->lines = g_new0(char *, 1);
    scripted->asked = g_ptr_array_new_with_free_func(g_free);
    scripted->held = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
    return &scripted->dns;
}

void scripted_dns_set(Dns *dns, const char *zone)
{
    ScriptedDns *scripted = (ScriptedDns *)dns;

    pthread_mutex_lock(&scripted->lock);
    g_strfreev(scripted->lines);
    scripted->lines = g_strsplit(zone, "\n", -1);
    pthread_mutex_unlock(&scripted->lock);
}

/* Called with the lock held. */
static guint count_asked(ScriptedDns *scripted, const char *name)
{
    guint count = 0;

    if (name == NULL)
        return scripted->asked->len;
    for (guint i = 0; i < scripted->asked->len; i++)
        if (strcmp(g_ptr_array_index(scripted->asked, i), name) == 0)
            count++;
    return count;
}

guint scripted_dns_asked(Dns *dns, const char *name)
{
    ScriptedDns *scripted = (ScriptedDns *)dns;

    pthread_mutex_lock(&scripted->lock);
    guint count = count_asked(scripted, name);
    pthread_mutex_unlock(&scripted->lock);
    return count;
}

gint64 scripted_dns_deadline(Dns *dns)
{
    ScriptedDns *scripted = (ScriptedDns *)dns;

    pthread_mutex_lock(&scripted->lock);
    gint64 deadline = scripted->deadline;
    pthread_mutex_unlock(&scripted->lock);
    return deadline;
}

void scripted_dns_await(Dns *dns, const char *name, guint questions)
{
    ScriptedDns *scripted = (ScriptedDns *)dns;
    struct timespec until = timespec_of(clock_monotonic(&clock_system) + AWAIT_MAX * CLOCK_SECOND);
    int status = 0;

    pthread_mutex_lock(&scripted->lock);
    while (status == 0 && count_asked(scripted, name) < questions)
        status = pthread_cond_timedwait(&scripted->change, &scripted->lock, &until);
    pthread_mutex_unlock(&scripted->lock);
    if (status == 0)
        return;
    g_printerr("nobody asked for %s\n", name);
    exit(1);
}

void scripted_dns_hold(Dns *dns, const char *name)
{
    ScriptedDns *scripted = (ScriptedDns *)dns;

    pthread_mutex_lock(&scripted->lock);
    g_hash_table_add(scripted->held, g_strdup(name));
    pthread_mutex_unlock(&scripted->lock);
}

void scripted_dns_release(Dns *dns, const char *name)
{
    ScriptedDns *scripted = (ScriptedDns *)dns;

    pthread_mutex_lock(&scripted->lock);
    if (name != NULL)
        g_hash_table_remove(scripted->held, name);
    else
        g_hash_table_remove_all(scripted->held);
    pthread_cond_broadcast(&scripted->change);
    pthread_mutex_unlock(&scripted->lock);
}

guint scripted_dns_flushes(Dns *dns)
{
    ScriptedDns *scripted = (ScriptedDns *)dns;

    pthread_mutex_lock(&scripted->lock);
    guint flushes = scripted->flushes;
    pthread_mutex_unlock(&scripted->lock);
    return flushes;
}
