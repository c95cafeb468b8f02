#include "config.h"

#include "dns/dns.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <string.h>
#include <unbound.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/log.h"
#include "dns/dns_message.h"
#include "dns/dns_forwarder.h"

#define DEBIAN_ROOT_KEY "/usr/share/dns/root.key" /* package dns-root-data */
#define RESERVE 2000 /* milliseconds between the forwarder's patience and libunbound's */
#define SOCKETS 4352
G_STATIC_ASSERT(SOCKETS > DNS_FORWARDER_QUESTIONS);

/*
 * Guards what libunbound shares between contexts without a lock of its own: setting one up and
 * freeing it makes and destroys locks of the whole process, which only a server would use.
 */
static pthread_mutex_t contexts_lock = PTHREAD_MUTEX_INITIALIZER;

static const struct option {
    const char *name;
    const char *value;
} fixed_options[] = {
    {"use-syslog:", "no"},
    {"do-not-query-localhost:", "no"},
    /* Slow names would make libunbound think that the forwarder is slow: it forgets that at once.
     */
    {"infra-host-ttl:", "0"},
    /* Another try after SERVFAIL is the forwarder's business. */
    {"outbound-msg-retry:", "1"},
    /* A name that is waited for holds a socket: there is one for each that the forwarder holds. */
    {"outgoing-range:", G_STRINGIFY(SOCKETS)},
    {"num-queries-per-thread:", "4096"},
    {"edns-buffer-size:", "1232"},
    /* The configured server may know the reverse zones of private and documentation networks. */
    {"unblock-lan-zones:", "yes"},
    {"insecure-lan-zones:", "yes"},
};

/* Zones that libunbound would answer by itself though the configured server may have them. */
static const char *const asked_zones[] = {"test.", "home.arpa."};

static bool set_option(struct ub_ctx *context, const char *name, const char *value, GError **error)
{
    int status = ub_ctx_set_option(context, name, value);

    if (status == 0)
        return true;
    g_set_error(error, DNS_ERROR, DNS_ERROR_LIBRARY, "libunbound does not take %s %s: %s", name,
                value, ub_strerror(status));
    return false;
}

static bool set_number(struct ub_ctx *context, const char *name, guint value, GError **error)
{
    g_autofree char *text = g_strdup_printf("%u", value);

    return set_option(context, name, text, error);
}

static bool set_options(struct ub_ctx *context, const DnsUnboundOptions *options, GError **error)
{
    ub_ctx_debugout(context, NULL);
    ub_ctx_debuglevel(context, 0);
    ub_ctx_async(context, 1);
    for (guint i = 0; i < G_N_ELEMENTS(fixed_options); i++)
        if (!set_option(context, fixed_options[i].name, fixed_options[i].value, error))
            return false;
    return set_number(context, "cache-max-ttl:", options->max_ttl, error) &&
           set_number(context, "cache-max-negative-ttl:", options->max_negative_ttl, error);
}

static bool is_empty(const char *const *list)
{
    return list == NULL || list[0] == NULL;
}

/*
 * The forwarder's answer always comes before libunbound's patience ends: so libunbound never asks
 * twice, and what its versions do then differently does not matter (1.17 asks again with smaller
 * packets, 1.26 gives up).
 */
static bool add_forwarder(struct ub_ctx *context, const DnsForwarder *forwarder, GError **error)
{
    int status = ub_ctx_set_fwd(context, dns_forwarder_address(forwarder));

    if (status == 0)
        return set_number(
            context, "infra-cache-min-rtt:", dns_forwarder_patience(forwarder) + RESERVE, error);
    g_set_error(error, DNS_ERROR, DNS_ERROR_LIBRARY, "libunbound does not take %s: %s",
                dns_forwarder_address(forwarder), ub_strerror(status));
    return false;
}

/*
 * An anchor that the operator names is meant: a resolver that leaves the signatures out then makes
 * all of the DNS bogus, and every result a temperror. Debian's, which comes with a package, is for
 * the forged answers that it can show, and gives way where the system's resolver doesn't do DNSSEC.
 */
static bool add_trust_anchor(struct ub_ctx *context, const DnsUnboundOptions *options,
                             GError **error)
{
    const char *file = options->trust_anchor;

    if (file == NULL) {
        file = DEBIAN_ROOT_KEY;
        if (!is_empty(options->servers) || access(file, R_OK) != 0)
            return true;
        if (!set_option(context, "harden-dnssec-stripped:", "no", error))
            return false;
    }
    if (*file == '\0')
        return true;
    if (access(file, R_OK) == 0 && ub_ctx_add_ta_file(context, file) == 0)
        return true;
    g_set_error(error, DNS_ERROR, DNS_ERROR_FILE, "%s: the trust anchor can't be read: %s", file,
                g_strerror(errno));
    return false;
}

/* With the first zone, libunbound looks at all that it was given; nothing can be set after that. */
static bool remove_zones(struct ub_ctx *context, const DnsUnboundOptions *options, GError **error)
{
    int status = 0;

    for (guint i = 0; status == 0 && i < G_N_ELEMENTS(asked_zones); i++)
        status = ub_ctx_zone_remove(context, asked_zones[i]);
    if (status == 0)
        return true;
    if (options->trust_anchor != NULL && *options->trust_anchor != '\0')
        g_set_error(error, DNS_ERROR, DNS_ERROR_FILE,
                    "%s: not a file of DS or DNSKEY records that libunbound takes",
                    options->trust_anchor);
    else
        g_set_error(error, DNS_ERROR, DNS_ERROR_LIBRARY, "libunbound does not begin: %s",
                    ub_strerror(status));
    return false;
}

static bool set_up(struct ub_ctx *context, const DnsUnboundOptions *options,
                   const DnsForwarder *forwarder, GError **error)
{
    return set_options(context, options, error) && add_forwarder(context, forwarder, error) &&
           add_trust_anchor(context, options, error) && remove_zones(context, options, error);
}

static struct ub_ctx *context_new(const DnsUnboundOptions *options, const DnsForwarder *forwarder,
                                  GError **error)
{
    struct ub_ctx *context = ub_ctx_create();

    if (context == NULL) {
        g_set_error(error, DNS_ERROR, DNS_ERROR_LIBRARY, "libunbound makes no context");
        return NULL;
    }
    if (set_up(context, options, forwarder, error))
        return context;
    ub_ctx_delete(context);
    return NULL;
}

/*
 * A libunbound context, set up for asynchronous questions to forwarder as its only server; none of
 * it can be changed later. The bounds on TTLs are of the whole process in libunbound: those of the
 * newest context hold for all. Returns it, to be given back with unbound_context_free(); NULL with
 * error (DNS_ERROR) set.
 */
static struct ub_ctx *unbound_context_new(const DnsUnboundOptions *options,
                                          const DnsForwarder *forwarder, GError **error)
{
    struct ub_ctx *context;

    pthread_mutex_lock(&contexts_lock);
    context = context_new(options, forwarder, error);
    pthread_mutex_unlock(&contexts_lock);
    return context;
}

/* Not while another thread is in a function of libunbound with it. context may be NULL. */
static void unbound_context_free(struct ub_ctx *context)
{
    pthread_mutex_lock(&contexts_lock);
    ub_ctx_delete(context);
    pthread_mutex_unlock(&contexts_lock);
}

#define CLASS_IN 1
#define PROCESS_PAUSE 100       /* milliseconds after libunbound could not be read from */
#define JUMP (2 * CLOCK_SECOND) /* of the wall clock; less is how long an answer may be too old */

/*
 * One libunbound context with its cache, its resolver thread, and the dispatcher: the thread that
 * takes answers from it and wakes who asked, and that serves the forwarder, which libunbound asks.
 * ub_resolve() is never called: it has no deadline, and makes a worker for each question.
 */
typedef struct {
    gint refs;               /* of the DnsUnbound, and of each question under way */
    DnsForwarder *forwarder; /* the dispatcher's own */
    struct ub_ctx *context;
    int wake_in;  /* closing it ends the dispatcher, */
    int wake_out; /* which polls this one */
    pthread_t dispatcher;
} Resolver;

/* One question under way, as libunbound and who asks share it. */
typedef struct {
    gint refs; /* who asked; and libunbound, until it has called back or ub_cancel() succeeded */
    pthread_mutex_t lock; /* guards what is below */
    pthread_cond_t answered;
    bool is_answered;
    int error;
    struct ub_result *result; /* NULL where error is set */
} Query;

typedef struct {
    Dns dns;
    char **servers;
    char *resolv_conf;
    char *trust_anchor;
    DnsUnboundOptions options; /* its texts are the three above */
    gint is_closed;            /* g_atomic_int_*() only */
    pthread_mutex_t lock;      /* guards what is below */
    gint64 wall_offset;        /* wall time less monotonic time, when current was made */
    Resolver *current;         /* flush puts another in its place */
} DnsUnbound;

static void query_unref(Query *query)
{
    if (!g_atomic_int_dec_and_test(&query->refs))
        return;
    ub_resolve_free(query->result);
    pthread_cond_destroy(&query->answered);
    pthread_mutex_destroy(&query->lock);
    g_free(query);
}

/* Returns a query with two references: the caller's and libunbound's. */
static Query *query_new(void)
{
    Query *query = g_new0(Query, 1);

    query->refs = 2;
    pthread_mutex_init(&query->lock, NULL);
    deadline_init_condition(&query->answered);
    return query;
}

/* libunbound's callback, on the dispatcher: nothing of libunbound may be called here. */
static void query_answer(void *hook, int error, struct ub_result *result)
{
    Query *query = hook;

    pthread_mutex_lock(&query->lock);
    query->is_answered = true;
    query->error = error;
    query->result = result;
    pthread_cond_signal(&query->answered);
    pthread_mutex_unlock(&query->lock);
    query_unref(query);
}

/* Returns whether the answer came by until. Looks at is_closed once a second. */
static bool query_wait(Query *query, Deadline until, const gint *is_closed)
{
    bool is_answered;

    pthread_mutex_lock(&query->lock);
    while (!query->is_answered && !deadline_is_over(until) && !g_atomic_int_get(is_closed))
        deadline_wait(deadline_shortened(until, 1), &query->answered, &query->lock);
    is_answered = query->is_answered;
    pthread_mutex_unlock(&query->lock);
    return is_answered;
}

static DnsAnswer *records_to_answer(const struct ub_result *result, DnsType type, guint32 ttl)
{
    g_autoptr(DnsAnswer) answer = dns_answer_new(DNS_FOUND, ttl);

    for (guint i = 0; result->data[i] != NULL; i++)
        if (!dns_message_add_rdata(answer, type, (const guint8 *)result->data[i],
                                   (gsize)result->len[i]))
            return dns_answer_new_trouble("a malformed record");
    if (answer->records->len == 0) {
        answer->status = DNS_NO_DATA; /* a null MX, or names that nobody can have */
        answer->takes_no_mail = type == DNS_MX;
    }
    return g_steal_pointer(&answer);
}

static DnsAnswer *bogus_to_answer(const struct ub_result *result)
{
    const char *why = result->why_bogus != NULL ? result->why_bogus : "bogus";
    g_autofree char *trouble = g_strdup_printf("DNSSEC: %.200s", why);

    return dns_answer_new_trouble(trouble);
}

/* A name without its trailing dot, in lower case, owned by the caller. */
static char *plain_name(const char *name)
{
    char *plain = g_ascii_strdown(name, -1);

    if (g_str_has_suffix(plain, "."))
        plain[strlen(plain) - 1] = '\0';
    return plain;
}

static DnsAnswer *with_alias(DnsAnswer *answer, const struct ub_result *result)
{
    g_autofree char *asked = plain_name(result->qname);
    g_autofree char *canonical = result->canonname != NULL ? plain_name(result->canonname) : NULL;

    if (answer->status != DNS_TROUBLE && canonical != NULL && strcmp(canonical, asked) != 0)
        answer->alias_of = g_steal_pointer(&canonical);
    return answer;
}

/* Bogus comes first: a forged answer has data. After an error the TTL means nothing. */
static DnsAnswer *result_to_answer(const struct ub_result *result, DnsType type)
{
    guint32 ttl = (guint32)MAX(result->ttl, 0);

    if (result->bogus)
        return bogus_to_answer(result);
    if (result->nxdomain)
        return dns_answer_new(DNS_NO_NAME, ttl);
    if (result->rcode != 0)
        return dns_answer_new_trouble("SERVFAIL"); /* what REFUSED and garbage become, too */
    if (!result->havedata)
        return dns_answer_new(DNS_NO_DATA, ttl);
    return records_to_answer(result, type, ttl);
}

/* What who asks has of a question under way. */
typedef struct {
    Query *query;       /* NULL: it was not asked */
    const char *why;    /* then: why not; static */
    Resolver *resolver; /* a reference; NULL if it was not asked */
    int id;
    DnsType type;
    Deadline until;
} Asked;

/*
 * Where ub_cancel() fails, the callback has run or is running, and gives libunbound's reference
 * back itself: then there may even be an answer, at the last moment.
 */
static void asked_give_up(const Asked *asked)
{
    if (ub_cancel(asked->resolver->context, asked->id) == 0)
        query_unref(asked->query);
}

static DnsAnswer *asked_wait(const Asked *asked, const gint *is_closed)
{
    const Query *query = asked->query;

    if (!query_wait(asked->query, asked->until, is_closed))
        asked_give_up(asked);
    if (!query_wait(asked->query, 0, is_closed))
        return dns_answer_new_trouble("no answer in time");
    if (query->result == NULL)
        return dns_answer_new_trouble(ub_strerror(query->error));
    return with_alias(result_to_answer(query->result, asked->type), query->result);
}

/* Takes the reference of resolver. */
static void asked_begin(Asked *asked, Resolver *resolver, const char *name)
{
    int error;

    asked->resolver = resolver;
    asked->query = query_new();
    error = ub_resolve_async(resolver->context, name, dns_message_type(asked->type), CLASS_IN,
                             asked->query, query_answer, &asked->id);
    if (error == 0)
        return;
    query_unref(asked->query);
    query_unref(g_steal_pointer(&asked->query));
    asked->why = ub_strerror(error);
}

/* Where libunbound can't be read from, the next try waits. */
static void take_answers(const Resolver *resolver, struct pollfd *wake)
{
    int error = ub_process(resolver->context);

    if (error == 0)
        return;
    log_write(LOG_ERR, "libunbound: %s", ub_strerror(error));
    poll(wake, 1, PROCESS_PAUSE);
}

/* Rounded up; -1 for never. */
static int milliseconds_until(gint64 due)
{
    gint64 rest;

    if (due == G_MAXINT64)
        return -1;
    rest = MAX(due - clock_monotonic(&clock_system), 0);
    return (int)((rest + CLOCK_MILLISECOND - 1) / CLOCK_MILLISECOND);
}

static void *dispatch(void *hook)
{
    Resolver *resolver = hook;
    struct pollfd polled[] = {{.fd = resolver->wake_out},
                              {.fd = ub_fd(resolver->context), .events = POLLIN},
                              {.fd = dns_forwarder_fd(resolver->forwarder), .events = POLLIN}};
    gint64 due = G_MAXINT64;

    pthread_setname_np(pthread_self(), "spfrom-dns");
    for (;;) {
        poll(polled, G_N_ELEMENTS(polled), milliseconds_until(due));
        if (polled[0].revents != 0)
            return NULL;
        if (polled[1].revents != 0)
            take_answers(resolver, &polled[0]);
        if (polled[2].revents != 0 || milliseconds_until(due) == 0)
            due = dns_forwarder_serve(resolver->forwarder);
    }
}

static void resolver_free(Resolver *resolver)
{
    if (resolver->wake_in >= 0) {
        close(resolver->wake_in);
        pthread_join(resolver->dispatcher, NULL);
        close(resolver->wake_out);
    }
    unbound_context_free(resolver->context);
    dns_forwarder_free(resolver->forwarder);
    g_free(resolver);
}

static void resolver_unref(Resolver *resolver)
{
    if (g_atomic_int_dec_and_test(&resolver->refs))
        resolver_free(resolver);
}

G_DEFINE_AUTOPTR_CLEANUP_FUNC(Resolver, resolver_unref)

static void discard_answer(void *hook, int error, struct ub_result *result)
{
    (void)hook;
    (void)error;
    ub_resolve_free(result);
}

/* The first question makes libunbound's thread: one that it answers by itself. */
static bool start_threads(Resolver *resolver, GError **error)
{
    int wake[2];
    int status = ub_resolve_async(resolver->context, "localhost", dns_message_type(DNS_A), CLASS_IN,
                                  NULL, discard_answer, NULL);

    if (status != 0) {
        g_set_error(error, DNS_ERROR, DNS_ERROR_LIBRARY, "libunbound does not begin: %s",
                    ub_strerror(status));
        return false;
    }
    if (pipe2(wake, O_CLOEXEC) != 0) {
        g_set_error(error, DNS_ERROR, DNS_ERROR_LIBRARY, "no pipe: %s", g_strerror(errno));
        return false;
    }
    resolver->wake_out = wake[0];
    status = pthread_create(&resolver->dispatcher, NULL, dispatch, resolver);
    if (status != 0) {
        close(wake[0]);
        close(wake[1]);
        g_set_error(error, DNS_ERROR, DNS_ERROR_LIBRARY, "no thread: %s", g_strerror(status));
        return false;
    }
    resolver->wake_in = wake[1];
    return true;
}

/* Signals are for the program's own threads. */
static bool start_without_signals(Resolver *resolver, GError **error)
{
    sigset_t all;
    sigset_t before;
    bool is_started;

    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    is_started = start_threads(resolver, error);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    return is_started;
}

static Resolver *resolver_new(const DnsUnboundOptions *options, GError **error)
{
    g_autoptr(Resolver) resolver = g_new0(Resolver, 1);
    GArray *servers;

    resolver->refs = 1;
    resolver->wake_in = -1;
    servers = dns_servers_read(options, error);
    if (servers == NULL)
        return NULL;
    resolver->forwarder = dns_forwarder_new(servers, options->timeout, error);
    if (resolver->forwarder == NULL)
        return NULL;
    resolver->context = unbound_context_new(options, resolver->forwarder, error);
    if (resolver->context == NULL || !start_without_signals(resolver, error))
        return NULL;
    return g_steal_pointer(&resolver);
}

/* Returns a reference: a flush may put another in place while this one is asked. */
static Resolver *current_resolver(DnsUnbound *unbound)
{
    Resolver *resolver;

    pthread_mutex_lock(&unbound->lock);
    resolver = unbound->current;
    g_atomic_int_inc(&resolver->refs);
    pthread_mutex_unlock(&unbound->lock);
    return resolver;
}

/*
 * libunbound's cache can't be emptied from outside: a new context takes its place, and the last
 * question that is still under way frees the old one.
 */
static void unbound_flush(Dns *dns, const char *domain)
{
    DnsUnbound *unbound = (DnsUnbound *)dns;
    g_autoptr(GError) error = NULL;
    Resolver *fresh = resolver_new(&unbound->options, &error);
    g_autoptr(Resolver) old = NULL;

    (void)domain; /* forgetting more is slower, not wrong */
    if (fresh == NULL) {
        log_write(LOG_ERR, "DNS cache not flushed: %s", error->message);
        return;
    }
    pthread_mutex_lock(&unbound->lock);
    old = unbound->current;
    unbound->current = fresh;
    pthread_mutex_unlock(&unbound->lock);
}

/* Returns by how much the wall clock has jumped since the last call, 0 where it goes like the
 * other. */
static gint64 take_jump(DnsUnbound *unbound)
{
    const Clock *clock = unbound->options.clock;
    gint64 offset = clock_wall(clock) - clock_monotonic(clock);
    gint64 jump;

    pthread_mutex_lock(&unbound->lock);
    jump = offset - unbound->wall_offset;
    if (ABS(jump) < JUMP)
        jump = 0;
    else
        unbound->wall_offset = offset;
    pthread_mutex_unlock(&unbound->lock);
    return jump;
}

/*
 * libunbound's cache goes by the wall clock: when that goes back, an answer lives longer by as
 * much. (Monotonic time stands still while the machine sleeps: waking up is a jump too.)
 */
static void forget_after_jump(DnsUnbound *unbound)
{
    gint64 jump = take_jump(unbound);

    if (jump == 0)
        return;
    log_write(LOG_NOTICE,
              "the wall clock went %s by %" G_GINT64_FORMAT " s: DNS answers are forgotten",
              jump < 0 ? "back" : "forward", (ABS(jump) + CLOCK_SECOND / 2) / CLOCK_SECOND);
    unbound_flush(&unbound->dns, NULL);
}

static gpointer unbound_begin(Dns *dns, const char *name, DnsType type, Deadline deadline)
{
    DnsUnbound *unbound = (DnsUnbound *)dns;
    Asked *asked = g_new0(Asked, 1);

    asked->type = type;
    asked->until = deadline_shortened(deadline, unbound->options.timeout);
    if (deadline_is_over(asked->until)) {
        asked->why = "no time left to ask";
        return asked;
    }
    forget_after_jump(unbound);
    asked_begin(asked, current_resolver(unbound), name);
    return asked;
}

static DnsAnswer *unbound_finish(Dns *dns, gpointer begun, bool is_wanted)
{
    Asked *asked = begun;
    DnsAnswer *answer = NULL;

    if (is_wanted)
        answer = asked->query != NULL ? asked_wait(asked, &((DnsUnbound *)dns)->is_closed)
                                      : dns_answer_new_trouble(asked->why);
    else if (asked->query != NULL)
        asked_give_up(asked);
    g_clear_pointer(&asked->query, query_unref);
    g_clear_pointer(&asked->resolver, resolver_unref);
    g_free(asked);
    return answer;
}

static DnsAnswer *unbound_lookup(Dns *dns, const char *name, DnsType type, Deadline deadline)
{
    return unbound_finish(dns, unbound_begin(dns, name, type, deadline), true);
}

static void unbound_close(Dns *dns)
{
    g_atomic_int_set(&((DnsUnbound *)dns)->is_closed, 1);
}

static void unbound_free(Dns *dns)
{
    DnsUnbound *unbound = (DnsUnbound *)dns;

    if (unbound->current != NULL)
        resolver_unref(unbound->current);
    pthread_mutex_destroy(&unbound->lock);
    g_strfreev(unbound->servers);
    g_free(unbound->resolv_conf);
    g_free(unbound->trust_anchor);
    g_free(unbound);
}

Dns *dns_unbound_new(const DnsUnboundOptions *options, GError **error)
{
    DnsUnbound *unbound = g_new0(DnsUnbound, 1);

    unbound->dns = (Dns){.lookup = unbound_lookup,
                         .begin = unbound_begin,
                         .finish = unbound_finish,
                         .flush = unbound_flush,
                         .close = unbound_close,
                         .free = unbound_free};
    unbound->servers = g_strdupv((char **)options->servers);
    unbound->resolv_conf = g_strdup(options->resolv_conf);
    unbound->trust_anchor = g_strdup(options->trust_anchor);
    unbound->options = *options;
    unbound->options.servers = (const char *const *)unbound->servers;
    unbound->options.resolv_conf = unbound->resolv_conf;
    unbound->options.trust_anchor = unbound->trust_anchor;
    if (unbound->options.clock == NULL)
        unbound->options.clock = &clock_system;
    pthread_mutex_init(&unbound->lock, NULL);
    take_jump(unbound);
    unbound->current = resolver_new(&unbound->options, error);
    if (unbound->current != NULL)
        return &unbound->dns;
    unbound_free(&unbound->dns);
    return NULL;
}
