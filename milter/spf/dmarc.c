#include "config.h"

#include "spf/dmarc.h"

#include <string.h>

#include "base/domain_name.h"
#include "spf/problem.h"

#define PREFIX "_dmarc."

static const char *const policy_texts[] = {"none", "quarantine", "reject"};

const char *dmarc_policy_text(DmarcPolicy policy)
{
    return policy_texts[policy];
}

/* Splits a tag ("sp = reject") into name and value, both without blanks around. Returns false if
 * the tag has no "=". */
static bool split_tag(char *tag, char **name, char **value)
{
    char *equals = strchr(tag, '=');

    if (equals == NULL)
        return false;
    *equals = '\0';
    *name = g_strstrip(tag);
    *value = g_strstrip(equals + 1);
    return true;
}

/* Returns whether tag is the version, which has to come first. Its value is case-sensitive (RFC
 * 7489 section 6.4). */
static bool is_version(const char *tag)
{
    g_autofree char *copy = g_strdup(tag);
    char *name;
    char *value;

    return split_tag(copy, &name, &value) && g_ascii_strcasecmp(name, "v") == 0 &&
           strcmp(value, "DMARC1") == 0;
}

static bool is_record(const DnsRecord *record)
{
    g_autofree char *version = NULL;

    if (strlen(record->data) != record->length)
        return false;
    version = g_strndup(record->data, strcspn(record->data, ";"));
    return is_version(version);
}

/* An unknown word counts as the policy "none". */
static DmarcPolicy policy_of(const char *text)
{
    for (size_t i = 0; i < G_N_ELEMENTS(policy_texts); i++)
        if (g_ascii_strcasecmp(text, policy_texts[i]) == 0)
            return (DmarcPolicy)i;
    return DMARC_NONE;
}

DmarcPolicy dmarc_policy_parse(const char *record, bool is_subdomain)
{
    g_auto(GStrv) tags = g_strsplit(record, ";", -1);
    const char *p = NULL;
    const char *sp = NULL;

    if (tags[0] == NULL || !is_version(tags[0]))
        return DMARC_NONE;
    for (char **tag = tags + 1; *tag != NULL; tag++) {
        char *name;
        char *value;

        if (!split_tag(*tag, &name, &value))
            continue;
        if (p == NULL && g_ascii_strcasecmp(name, "p") == 0)
            p = value;
        else if (sp == NULL && g_ascii_strcasecmp(name, "sp") == 0)
            sp = value;
    }
    if (is_subdomain && sp != NULL)
        return policy_of(sp);
    return p != NULL ? policy_of(p) : DMARC_NONE;
}

/*
 * Returns whether the search ends here: *record is then the only record, or NULL if there are
 * several, or DNS trouble, which count as no record. Of DNS trouble, *trouble says what it is.
 */
static bool find_record(Dns *dns, const char *domain, Deadline deadline, char **record,
                        char **trouble)
{
    g_autofree char *name = g_strconcat(PREFIX, domain, NULL);
    g_autoptr(DnsAnswer) answer = dns_lookup(dns, name, DNS_TXT, deadline);
    guint records = 0;

    *record = NULL;
    for (guint i = 0; i < answer->records->len; i++) {
        const DnsRecord *found = dns_answer_at(answer, i);

        if (!is_record(found))
            continue;
        if (records++ == 0)
            *record = g_strdup(found->data);
    }
    if (records > 1)
        g_clear_pointer(record, g_free);
    if (answer->status == DNS_TROUBLE)
        *trouble = problem_no_answer(name, DNS_TXT, answer);
    return records > 0 || answer->status == DNS_TROUBLE;
}

DmarcPolicy dmarc_policy_find(Dns *dns, const char *domain, Deadline deadline, char **record,
                              char **trouble)
{
    g_autofree char *found = NULL;
    const char *organizational = domain_name_organizational(domain);
    bool is_subdomain = strcmp(organizational, domain) != 0;
    DmarcPolicy policy;
    bool is_own;

    *trouble = NULL;
    is_own = find_record(dns, domain, deadline, &found, trouble);
    if (!is_own && is_subdomain)
        find_record(dns, organizational, deadline, &found, trouble);
    policy = found != NULL ? dmarc_policy_parse(found, is_subdomain && !is_own) : DMARC_NONE;
    if (record != NULL)
        *record = g_steal_pointer(&found);
    return policy;
}

DmarcPolicy dmarc_policy_lookup(Dns *dns, const char *domain, Deadline deadline, char **record)
{
    g_autofree char *trouble = NULL;

    return dmarc_policy_find(dns, domain, deadline, record, &trouble);
}
