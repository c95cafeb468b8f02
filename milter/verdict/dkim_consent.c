#include "config.h"

#include "verdict/dkim_consent.h"

#include <string.h>

#include "base/parallel.h"
#include "policy/standing.h"
#include "spf/dkim_key.h"

/* The questions of one domain: of each selector that of the domain and ours. */
typedef struct {
    Dns *dns;
    Deadline deadline;
    char *const *selectors;
    const char *domains[2];
    GPtrArray *answers; /* of DnsAnswer */
} Questions;

const char *dkim_consent_key_domain(Settings *settings, const char *domain)
{
    if (settings->dkim_consent_domain != NULL)
        return settings->dkim_consent_domain;
    return standing_of(settings, (ModeInForce){.mode = settings->mode}, domain)
        .fallback->domain_name;
}

static void ask(void *hook, guint position)
{
    const Questions *questions = hook;
    g_autofree char *name = g_strdup_printf("%s._domainkey.%s", questions->selectors[position / 2],
                                            questions->domains[position % 2]);

    questions->answers->pdata[position] =
        dns_lookup(questions->dns, name, DNS_TXT, questions->deadline);
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

static void note_ttl(const GPtrArray *answers, guint32 *ttl)
{
    for (guint i = 0; i < answers->len; i++)
        *ttl = MIN(*ttl, ((const DnsAnswer *)g_ptr_array_index(answers, i))->ttl);
}

const char *dkim_consent_find(Settings *settings, Dns *dns, const char *domain, Deadline deadline,
                              guint32 *ttl)
{
    guint selectors = g_strv_length(settings->dkim_consent);
    Questions questions = {.dns = dns, .deadline = deadline, .selectors = settings->dkim_consent};
    g_autoptr(GPtrArray) answers = NULL;

    if (selectors == 0)
        return NULL;
    questions.domains[0] = domain;
    questions.domains[1] = dkim_consent_key_domain(settings, domain);
    if (strcmp(questions.domains[1], domain) == 0)
        return NULL;
    answers = g_ptr_array_new_with_free_func((GDestroyNotify)dns_answer_unref);
    g_ptr_array_set_size(answers, (gint)(2 * selectors));
    questions.answers = answers;
    parallel_run(2 * selectors, ask, &questions);
    note_ttl(answers, ttl);
    for (guint i = 0; i < selectors; i++)
        if (is_same_key(g_ptr_array_index(answers, 2 * i), g_ptr_array_index(answers, 2 * i + 1)))
            return settings->dkim_consent[i];
    return NULL;
}
