#include "config.h"

#include "verdict/dkim_consent.h"

#include <string.h>

#include "policy/standing.h"
#include "spf/dkim_key.h"

struct DkimConsent {
    Settings *settings;   /* not owned */
    GPtrArray *questions; /* of DnsQuestion: of each selector that of the domain and ours */
};

const char *dkim_consent_key_domain(Settings *settings, const char *domain)
{
    if (settings->dkim_consent_domain != NULL)
        return settings->dkim_consent_domain;
    return standing_of(settings, (ModeInForce){.mode = settings->mode}, domain)
        .fallback->domain_name;
}

static DnsQuestion *ask(Dns *dns, const char *selector, const char *domain, Deadline deadline)
{
    g_autofree char *name = g_strdup_printf("%s._domainkey.%s", selector, domain);

    return dns_question_new(dns, name, DNS_TXT, deadline);
}

DkimConsent *dkim_consent_new(Settings *settings, Dns *dns, const char *domain, Deadline deadline)
{
    char *const *selectors = settings->dkim_consent;
    const char *key_domain;
    DkimConsent *consent;

    if (selectors[0] == NULL)
        return NULL;
    key_domain = dkim_consent_key_domain(settings, domain);
    if (strcmp(key_domain, domain) == 0)
        return NULL;
    consent = g_new(DkimConsent, 1);
    consent->settings = settings;
    consent->questions = g_ptr_array_new_with_free_func((GDestroyNotify)dns_question_free);
    for (; *selectors != NULL; selectors++) {
        g_ptr_array_add(consent->questions, ask(dns, *selectors, domain, deadline));
        g_ptr_array_add(consent->questions, ask(dns, *selectors, key_domain, deadline));
    }
    return consent;
}

void dkim_consent_free(DkimConsent *consent)
{
    g_ptr_array_unref(consent->questions);
    g_free(consent);
}

/* NULL if there is no key, or more than one record. */
static DkimKey *key_of(const DnsAnswer *answer)
{
    const DnsRecord *record;

    if (answer->status != DNS_FOUND || answer->records->len != 1)
        return NULL;
    record = dns_answer_at(answer, 0);
    return dkim_key_parse(record->data, record->length);
}

static bool is_same_key(const DnsAnswer *a, const DnsAnswer *b)
{
    g_autoptr(DkimKey) of_a = key_of(a);
    g_autoptr(DkimKey) of_b = key_of(b);

    return of_a != NULL && of_b != NULL && dkim_key_equal(of_a, of_b);
}

static bool has_key(const DnsAnswer *answer)
{
    g_autoptr(DkimKey) key = key_of(answer);

    return key != NULL;
}

/* Would the one that has trouble decide? */
static bool is_open(const DnsAnswer *a, const DnsAnswer *b)
{
    if (a->status == DNS_TROUBLE)
        return b->status == DNS_TROUBLE || has_key(b);
    return b->status == DNS_TROUBLE && has_key(a);
}

const char *dkim_consent_selector(DkimConsent *consent, guint32 *ttl, bool *is_unknown)
{
    char *const *selectors = consent->settings->dkim_consent;
    gpointer *questions = consent->questions->pdata;
    const char *found = NULL;

    *is_unknown = false;
    for (guint i = 0; selectors[i] != NULL; i++) {
        const DnsAnswer *theirs = dns_question_answer(questions[2 * i]);
        const DnsAnswer *ours = dns_question_answer(questions[2 * i + 1]);

        *ttl = MIN(*ttl, MIN(theirs->ttl, ours->ttl));
        if (found == NULL && is_same_key(theirs, ours))
            found = selectors[i];
        *is_unknown |= is_open(theirs, ours);
    }
    *is_unknown &= found == NULL;
    return found;
}

const char *dkim_consent_find(Settings *settings, Dns *dns, const char *domain, Deadline deadline,
                              guint32 *ttl, bool *is_unknown)
{
    g_autoptr(DkimConsent) consent = dkim_consent_new(settings, dns, domain, deadline);

    *is_unknown = false;
    return consent != NULL ? dkim_consent_selector(consent, ttl, is_unknown) : NULL;
}
