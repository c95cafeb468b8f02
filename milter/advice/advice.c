#include "config.h"

#include "advice/advice.h"

#include <string.h>

#include "advice/proof.h"
#include "advice/record/proposal.h"
#include "advice/remarks.h"
#include "base/clock.h"
#include "base/domain_name.h"

const char *advice_kind_text(AdviceKind kind)
{
    static const char *const texts[] = {"provider", "unknown", "nodomain", "merge",  "repair",
                                        "reduce",   "ok",      "extend",   "publish"};

    return texts[kind];
}

static Advice *create(const DomainCheck *check)
{
    const char *domain = check->subject->domain;
    const char *organizational = domain_name_organizational(domain);
    Advice *advice = g_new0(Advice, 1);

    advice->domain = g_strdup(domain);
    advice->organizational = g_strdup(organizational);
    advice->is_subdomain = organizational != domain;
    advice->label = advice->is_subdomain ? g_strndup(domain, (gsize)(organizational - domain - 1))
                                         : g_strdup("@");
    advice->points = point_array_new();
    advice->added = g_new0(char *, 1);
    advice->found = g_new0(char *, 1);
    advice->name_servers = g_new0(char *, 1);
    return advice;
}

void advice_free(Advice *advice)
{
    g_free(advice->domain);
    g_free(advice->organizational);
    g_free(advice->label);
    g_free(advice->record);
    g_strfreev(advice->added);
    g_strfreev(advice->found);
    g_ptr_array_unref(advice->points);
    g_strfreev(advice->name_servers);
    g_free(advice);
}

static bool has_family(const Relays *relays, int family)
{
    for (guint i = 0; i < relays->networks->len; i++)
        if (g_array_index(relays->networks, Network, i).family == family)
            return true;
    return false;
}

/* As texts: a NUL in one becomes a blank, which is wrong there as well. */
static GPtrArray *texts_of(const DnsAnswer *answer)
{
    GPtrArray *texts = g_ptr_array_new_with_free_func(g_free);

    for (guint i = 0; i < answer->records->len; i++) {
        const DnsRecord *record = dns_answer_at(answer, i);
        char *text = g_memdup2(record->data, record->length + 1);

        for (gsize octet = 0; octet < record->length; octet++)
            if (text[octet] == '\0')
                text[octet] = ' ';
        g_ptr_array_add(texts, text);
    }
    return texts;
}

static gint compare_names(gconstpointer a, gconstpointer b)
{
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

static void find_name_servers(const Ground *ground, Advice *advice)
{
    g_autoptr(DnsAnswer) answer =
        dns_lookup(ground->dns, advice->organizational, DNS_NS, ground->deadline);
    GPtrArray *names = g_ptr_array_new();

    for (guint i = 0; i < answer->records->len; i++)
        g_ptr_array_add(names, g_strdup(dns_answer_at(answer, i)->data));
    g_ptr_array_sort(names, compare_names);
    g_ptr_array_add(names, NULL);
    g_strfreev(advice->name_servers);
    advice->name_servers = (char **)g_ptr_array_free(names, FALSE);
}

/* What can be said before any record is looked at. */
static bool is_settled(const Ground *ground, const DnsAnswer *answer,
                       const MailProviders *providers, Advice *advice)
{
    const DomainCheck *check = ground->check;
    bool is_provider = providers != NULL && !check->subject->is_malformed &&
                       mail_providers_has(providers, advice->domain);
    bool is_all = ground->settings->relay_policy == RELAY_POLICY_ALL;
    bool has_unknown = check->unknown != NULL || (is_all && relays_unknown(check->relays) != NULL);
    bool has_trouble =
        has_unknown || check->result == SPF_TEMPERROR || answer->status == DNS_TROUBLE;
    bool is_missing = check->subject->is_malformed || answer->status == DNS_NO_NAME ||
                      strchr(advice->domain, '.') == NULL;

    advice->has_unknown_relays = has_unknown;
    if (is_provider)
        advice->kind = ADVICE_PROVIDER;
    else if (has_trouble && !check->subject->is_malformed)
        advice->kind = ADVICE_UNKNOWN;
    else if (is_missing)
        advice->kind = ADVICE_NODOMAIN;
    return is_provider || has_trouble || is_missing;
}

static void advise(const Ground *ground, const MailProviders *providers, Advice *advice)
{
    g_autoptr(DnsAnswer) answer =
        dns_lookup(ground->dns, advice->domain, DNS_TXT, ground->deadline);
    g_autoptr(GPtrArray) texts = texts_of(answer);

    if (is_settled(ground, answer, providers, advice))
        return;
    proposal_make(ground, texts, advice);
    if (advice->kind == ADVICE_UNKNOWN) {
        g_ptr_array_set_size(advice->points, 0);
        return;
    }
    remarks_add(ground, texts, advice);
    find_name_servers(ground, advice);
}

Advice *advice_new(Settings *settings, Dns *dns, const DomainCheck *check,
                   const MailProviders *providers)
{
    Advice *advice = create(check);
    g_autoptr(Dns) memo = dns_memo_new(dns);
    Ground ground = {
        .settings = settings,
        .dns = memo,
        .deadline = clock_monotonic(&clock_system) + settings->check_timeout * CLOCK_SECOND,
        .check = check,
    };

    ground.meter = (CostMeter){.dns = memo,
                               .deadline = ground.deadline,
                               .has_ip4 = has_family(check->relays, AF_INET),
                               .has_ip6 = has_family(check->relays, AF_INET6)};
    advise(&ground, providers, advice);
    return advice;
}

const Point *advice_point_at(const Advice *advice, guint position)
{
    return g_ptr_array_index(advice->points, position);
}

const Point *advice_point(const Advice *advice, PointKind kind)
{
    for (guint i = 0; i < advice->points->len; i++)
        if (advice_point_at(advice, i)->kind == kind)
            return advice_point_at(advice, i);
    return NULL;
}
