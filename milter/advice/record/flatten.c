#include "config.h"

#include "advice/record/flatten.h"

#include <string.h>

#include "spf/evaluation.h"

/* Where the record with the one term stands while it is read; no such name can be (RFC 6761). */
#define NAME "flattened.spfrom.invalid"
#define REDIRECTS_MAX 5

/* "include:x.org" of "redirect=x.org"; "a" and "mx" with the domain they mean. NULL: can't be told.
 */
static char *alone(const Ground *ground, const DraftTerm *term)
{
    const char *domain = ground->check->subject->domain;
    const char *text = term->text + (strchr("+-~?", *term->text) != NULL ? 1 : 0);
    gsize name = strcspn(text, ":/");

    if (strchr(text, '%') != NULL)
        return NULL;
    switch (term->kind) {
    case RECORD_REDIRECT:
        return g_strconcat("include:", text + strlen("redirect="), NULL);
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

static bool find_networks(const Ground *ground, const char *term, GArray *networks)
{
    g_autofree char *text = g_strconcat("v=spf1 ", term, " -all", NULL);
    g_autoptr(DnsAnswer) answer = dns_answer_new(DNS_FOUND, 0);
    g_autoptr(Dns) dns = dns_overlay_new(ground->dns, NAME, DNS_TXT, answer);
    g_autoptr(EvaluationContext) context = evaluation_context_new(dns, ground->deadline);
    g_autoptr(GPtrArray) warnings = g_ptr_array_new_with_free_func(g_free);
    g_autofree char *reason = NULL;
    guint32 ttl;

    dns_answer_add(answer, 0, text, strlen(text));
    return evaluation_networks(context, NAME, FLATTEN_NETWORKS_MAX, networks, warnings, &ttl,
                               &reason) == SPF_PASS &&
           warnings->len == 0;
}

/* The qualifier of the all that decides at the end of name's record; '\0': there is none. */
static char all_of(const Ground *ground, const char *name, guint depth)
{
    g_autoptr(DnsAnswer) answer = dns_lookup(ground->dns, name, DNS_TXT, ground->deadline);

    for (guint i = 0; i < answer->records->len && depth < REDIRECTS_MAX; i++) {
        const DnsRecord *found = dns_answer_at(answer, i);
        g_autoptr(Draft) draft =
            record_is_spf(found->data, found->length) ? draft_new(found->data) : NULL;
        guint all = draft != NULL ? draft_find_kind(draft, RECORD_ALL, 0) : 0;
        guint redirect = draft != NULL ? draft_find_kind(draft, RECORD_REDIRECT, 0) : 0;

        if (draft == NULL)
            continue;
        if (all < draft->terms->len)
            return draft_at(draft, all)->qualifier;
        if (redirect < draft->terms->len)
            return all_of(ground, draft_at(draft, redirect)->key + strlen("redirect="), depth + 1);
    }
    return '\0';
}

static void add_all(const Ground *ground, const DraftTerm *term, GPtrArray *texts)
{
    char all = '\0';

    if (term->kind == RECORD_REDIRECT)
        all = all_of(ground, term->key + strlen("redirect="), 0);
    if (all != '\0')
        g_ptr_array_add(texts, g_strdup_printf("%call", all));
}

char **flatten_term(const Ground *ground, const DraftTerm *term)
{
    g_autofree char *text = alone(ground, term);
    g_autoptr(GArray) networks = g_array_new(FALSE, FALSE, sizeof(Network));
    g_autoptr(GPtrArray) texts = g_ptr_array_new();
    char qualifier[] = "+";

    if (text == NULL || !find_networks(ground, text, networks))
        return NULL;
    qualifier[0] = term->qualifier != '+' ? term->qualifier : '\0';
    for (guint i = 0; i < networks->len; i++) {
        const Network *network = &g_array_index(networks, Network, i);
        char address[NETWORK_TEXT_MAX];

        g_ptr_array_add(texts, g_strdup_printf("%s%s:%s", qualifier,
                                               network->family == AF_INET ? "ip4" : "ip6",
                                               network_text(network, address)));
    }
    add_all(ground, term, texts);
    g_ptr_array_add(texts, NULL);
    return (char **)g_ptr_array_free(g_steal_pointer(&texts), FALSE);
}
