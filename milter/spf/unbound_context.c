#include "config.h"

#include "spf/unbound_context.h"

#include <errno.h>
#include <pthread.h>
#include <stdbool.h>
#include <string.h>
#include <unistd.h>

#define RESOLV_CONF "/etc/resolv.conf"
#define DEBIAN_ROOT_KEY "/usr/share/dns/root.key" /* package dns-root-data */
#define PATIENCE_MAX 4000 /* milliseconds for one question, see set_patience() */
#define TRIES 2           /* libunbound's, of each server */

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
    /*
     * libunbound takes a name whose servers are silent for silence of the forwarder: it doubles its
     * patience with it, and before long calls it down for every name. So what it remembers of that
     * ends with the second (0), and a name is charged once only (1 retry).
     */
    {"infra-host-ttl:", "0"},
    {"outbound-msg-retry:", "1"},
    /* A silent name holds a socket all that time. With the default, 16, such names stop all. */
    {"outgoing-range:", "512"},
    {"outgoing-num-tcp:", "32"},
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

/* libunbound would read the port of "127.0.0.1@dns" as 0. */
static bool has_good_port(const char *server)
{
    const char *at = strchr(server, '@');

    return at == NULL || g_ascii_string_to_unsigned(at + 1, 10, 1, G_MAXUINT16, NULL, NULL);
}

static bool add_server(struct ub_ctx *context, const char *server)
{
    return has_good_port(server) && ub_ctx_set_fwd(context, server) == 0;
}

/* Returns how many servers were added; 0 with error set. */
static guint add_servers(struct ub_ctx *context, const char *const *servers, GError **error)
{
    guint count = 0;

    for (; servers[count] != NULL; count++) {
        if (add_server(context, servers[count]))
            continue;
        g_set_error(error, DNS_ERROR, DNS_ERROR_SERVER,
                    "\"%s\" is not a DNS server; write it like 192.0.2.53 or 127.0.0.1@5353",
                    servers[count]);
        return 0;
    }
    return count;
}

/* Returns the address on a line of resolv.conf, or NULL: "nameserver 192.0.2.53 # the router". */
static char *nameserver_of(const char *line)
{
    static const char keyword[] = "nameserver";
    const char *address = line + strlen(keyword);

    if (!g_str_has_prefix(line, keyword) || !g_ascii_isspace(*address))
        return NULL;
    address += strspn(address, " \t");
    return g_strndup(address, strcspn(address, " \t\r#;"));
}

/* ub_ctx_resolvconf() would ask 127.0.0.1 where the file names no server, and say nothing. */
static guint add_system_servers(struct ub_ctx *context, const char *file, GError **error)
{
    g_autoptr(GError) unreadable = NULL;
    g_autofree char *text = NULL;
    g_auto(GStrv) lines = NULL;
    guint count = 0;

    if (!g_file_get_contents(file, &text, NULL, &unreadable)) {
        g_set_error_literal(error, DNS_ERROR, DNS_ERROR_FILE, unreadable->message);
        return 0;
    }
    lines = g_strsplit(text, "\n", -1);
    for (guint i = 0; lines[i] != NULL; i++) {
        g_autofree char *server = nameserver_of(lines[i]);

        if (server != NULL && add_server(context, server))
            count++;
    }
    if (count == 0)
        g_set_error(error, DNS_ERROR, DNS_ERROR_SERVER,
                    "%s names no DNS server; write its address as dns_servers = { \"192.0.2.53\" }",
                    file);
    return count;
}

static bool is_empty(const char *const *list)
{
    return list == NULL || list[0] == NULL;
}

/*
 * libunbound asks one server twice before it asks the next, and throws an answer to an earlier try
 * away: so it is given long for each (a resolver with a cold cache easily takes 1 s), but not so
 * long that the time of one question ends before all servers had their turn. Nor 2.5 s or more: a
 * patience that doubles to 5 s lets libunbound leave out the second try and forget the above.
 *
 * Measured over 7.5 min, one server, 20 silent names under way at any time, 900 healthy ones asked
 * meanwhile: none failed with 2 s, 40 with 2.5 s; 23 with 2 s, infra-host-ttl 1 and 2 retries.
 */
static bool set_patience(struct ub_ctx *context, guint timeout, guint servers, GError **error)
{
    guint64 all = MIN((guint64)timeout * 1000, PATIENCE_MAX);

    return set_number(context, "infra-cache-min-rtt:", (guint)(all / TRIES / servers), error);
}

static bool add_forwarders(struct ub_ctx *context, const DnsUnboundOptions *options, GError **error)
{
    const char *resolv_conf = options->resolv_conf != NULL ? options->resolv_conf : RESOLV_CONF;
    guint count = is_empty(options->servers) ? add_system_servers(context, resolv_conf, error)
                                             : add_servers(context, options->servers, error);

    return count > 0 && set_patience(context, options->timeout, count, error);
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

static bool set_up(struct ub_ctx *context, const DnsUnboundOptions *options, GError **error)
{
    return set_options(context, options, error) && add_forwarders(context, options, error) &&
           add_trust_anchor(context, options, error) && remove_zones(context, options, error);
}

static struct ub_ctx *context_new(const DnsUnboundOptions *options, GError **error)
{
    struct ub_ctx *context = ub_ctx_create();

    if (context == NULL) {
        g_set_error(error, DNS_ERROR, DNS_ERROR_LIBRARY, "libunbound makes no context");
        return NULL;
    }
    if (set_up(context, options, error))
        return context;
    ub_ctx_delete(context);
    return NULL;
}

struct ub_ctx *unbound_context_new(const DnsUnboundOptions *options, GError **error)
{
    struct ub_ctx *context;

    pthread_mutex_lock(&lock);
    context = context_new(options, error);
    pthread_mutex_unlock(&lock);
    return context;
}

void unbound_context_free(struct ub_ctx *context)
{
    pthread_mutex_lock(&lock);
    ub_ctx_delete(context);
    pthread_mutex_unlock(&lock);
}
