#include "config.h"

#include "spf/problem.h"

char *problem_place(const char *domain, const Record *record, const RecordTerm *term)
{
    g_autofree char *text = record_term_text(record, term);

    return g_strdup_printf("\"%s\" of %s", text, domain);
}

char *problem_no_answer(const char *name, DnsType type, const DnsAnswer *answer)
{
    return g_strdup_printf("no answer for %s (%s): %s", name, dns_type_text(type),
                           answer->trouble != NULL ? answer->trouble : "DNS trouble");
}

char *problem_of_record(const char *name, const FoundRecord *found)
{
    g_autofree char *wrong = NULL;

    if (found == NULL || found->count == 0)
        return g_strdup_printf("%s has no SPF record", name);
    if (found->count > 1)
        return g_strdup_printf("%s has %u SPF records", name, found->count);
    wrong = record_problem(found->record);
    return wrong != NULL ? g_strdup_printf("the record of %s is wrong: %s", name, wrong) : NULL;
}

char *problem_lookups(const char *place, guint max)
{
    return g_strdup_printf("more than %u terms need a look-up; the first that is too much is %s",
                           max, place);
}

char *problem_hosts(const char *name, guint max)
{
    return g_strdup_printf("%s has more than %u mail servers", name, max);
}
