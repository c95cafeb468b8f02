#include "config.h"

#include "advice/record/flatten.h"

#include <string.h>

#include "spf/networks.h"

/* Where the record with the one term stands while it is read; no such name can be (RFC 6761). */
#define NAME "flattened.spfrom.invalid"

/* The term as it reads in a record of another domain: "a" and "mx" with the domain that they mean.
 * NULL if its networks can't be told. */
static char *alone(const Ground *ground, const DraftTerm *term)
{
    const char *domain = ground->check->subject->domain;
    const char *text = term->text + (strchr("+-~?", *term->text) != NULL ? 1 : 0);
    gsize name = strcspn(text, ":/");

    if (strchr(text, '%') != NULL)
        return NULL;
    switch (term->kind) {
    case RECORD_REDIRECT:
    case RECORD_INCLUDE:
        return g_strdup(text);
    case RECORD_A:
    case RECORD_MX:
        return text[name] == ':'
                   ? g_strdup(text)
                   : g_strdup_printf("%.*s:%s%s", (int)name, text, domain, text + name);
    case RECORD_ALL:
    case RECORD_PTR:
    case RECORD_IP4:
    case RECORD_IP6:
    case RECORD_EXISTS:
    case RECORD_EXP:
    case RECORD_MODIFIER:
    case RECORD_WRONG:
        return NULL;
    }
    return NULL;
}

static Networks *find_networks(const Ground *ground, const char *term)
{
    g_autofree char *text = g_strconcat("v=spf1 ", term, NULL);
    g_autoptr(DnsAnswer) answer = dns_answer_new(DNS_FOUND, 0);
    g_autoptr(Dns) dns = dns_overlay_new(ground->dns, NAME, DNS_TXT, answer);
    g_autoptr(EvaluationContext) context = evaluation_context_new(dns, ground->deadline);

    dns_answer_add(answer, 0, text, strlen(text));
    return networks_find(context, NAME, FLATTEN_NETWORKS_MAX);
}

char **flatten_term(const Ground *ground, const DraftTerm *term)
{
    g_autofree char *text = alone(ground, term);
    g_autoptr(Networks) found = text != NULL ? find_networks(ground, text) : NULL;
    g_autoptr(GPtrArray) texts = g_ptr_array_new();
    char qualifier[] = "+";

    if (found == NULL || found->result != SPF_PASS || found->warnings->len > 0)
        return NULL;
    qualifier[0] = term->qualifier != '+' ? term->qualifier : '\0';
    for (guint i = 0; i < found->networks->len; i++) {
        const Network *network = &g_array_index(found->networks, Network, i);
        char address[NETWORK_TEXT_MAX];

        g_ptr_array_add(texts, g_strdup_printf("%s%s:%s", qualifier,
                                               network->family == AF_INET ? "ip4" : "ip6",
                                               network_text(network, address)));
    }
    if (found->all != '\0')
        g_ptr_array_add(texts, g_strdup_printf("%call", found->all));
    g_ptr_array_add(texts, NULL);
    return (char **)g_ptr_array_free(g_steal_pointer(&texts), FALSE);
}
