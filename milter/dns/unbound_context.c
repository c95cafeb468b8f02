#include "config.h"

#include "dns/unbound_context.h"

#include <errno.h>
#include <pthread.h>
#include <stdbool.h>
#include <string.h>
#include <unistd.h>

#define DEBIAN_ROOT_KEY "/usr/share/dns/root.key" /* package dns-root-data */
#define RESERVE 2000 /* milliseconds between the forwarder's patience and libunbound's */
#define SOCKETS 4352
G_STATIC_ASSERT(SOCKETS > DNS_FORWARDER_QUESTIONS);

/*
 * Guards what libunbound shares between contexts without a lock of its own: setting one up and
 * freeing it makes and destroys locks of the whole process, which only a server would use.
 */
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;

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

struct ub_ctx *unbound_context_new(const DnsUnboundOptions *options, const DnsForwarder *forwarder,
                                   GError **error)
{
    struct ub_ctx *context;

    pthread_mutex_lock(&lock);
    context = context_new(options, forwarder, error);
    pthread_mutex_unlock(&lock);
    return context;
}

void unbound_context_free(struct ub_ctx *context)
{
    pthread_mutex_lock(&lock);
    ub_ctx_delete(context);
    pthread_mutex_unlock(&lock);
}
