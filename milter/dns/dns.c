#include "config.h"

#include "dns/dns.h"

#include <string.h>

#define LABEL_MAX 63
#define NOT_ASKED_TTL (24 * 60 * 60) /* seconds: a name that can't be asked for never can */

G_DEFINE_QUARK(spfrom_dns_error, dns_error)

const char *dns_type_text(DnsType type)
{
    switch (type) {
    case DNS_A:
        return "A";
    case DNS_NS:
        return "NS";
    case DNS_PTR:
        return "PTR";
    case DNS_MX:
        return "MX";
    case DNS_TXT:
        return "TXT";
    case DNS_AAAA:
        return "AAAA";
    case DNS_SPF:
        return "SPF";
    }
    return "?";
}

static void record_free(gpointer data)
{
    DnsRecord *record = data;

    g_free(record->data);
    g_free(record);
}

DnsAnswer *dns_answer_new(DnsStatus status, guint32 ttl)
{
    DnsAnswer *answer = g_new0(DnsAnswer, 1);

    answer->refs = 1;
    answer->status = status;
    answer->ttl = ttl;
    answer->records = g_ptr_array_new_with_free_func(record_free);
    return answer;
}

DnsAnswer *dns_answer_new_trouble(const char *trouble)
{
    DnsAnswer *answer = dns_answer_new(DNS_TROUBLE, 0);

    answer->trouble = g_strdup(trouble);
    return answer;
}

/* data is as long as its octets and a NUL. */
static char *octets_copy(const void *data, gsize length)
{
    char *copy = g_malloc(length + 1);

    if (length > 0)
        memcpy(copy, data, length);
    copy[length] = '\0';
    return copy;
}

void dns_answer_add(DnsAnswer *answer, guint16 preference, const void *data, gsize length)
{
    DnsRecord *record = g_new0(DnsRecord, 1);
    guint position = answer->records->len;

    record->preference = preference;
    record->length = length;
    record->data = octets_copy(data, length);
    while (position > 0 && dns_answer_at(answer, position - 1)->preference > preference)
        position--;
    g_ptr_array_insert(answer->records, (gint)position, record);
}

DnsAnswer *dns_answer_ref(DnsAnswer *answer)
{
    g_atomic_int_inc(&answer->refs);
    return answer;
}

void dns_answer_unref(DnsAnswer *answer)
{
    if (!g_atomic_int_dec_and_test(&answer->refs))
        return;
    g_ptr_array_unref(answer->records);
    g_free(answer->alias_of);
    g_free(answer->trouble);
    g_free(answer);
}

const DnsRecord *dns_answer_at(const DnsAnswer *answer, guint position)
{
    return g_ptr_array_index(answer->records, position);
}

bool dns_is_name(const char *text)
{
    size_t label = 0;
    size_t length = 0;

    for (; text[length] != '\0'; length++) {
        if (length == DNS_NAME_MAX)
            return false;
        if (text[length] == '.') {
            if (label == 0)
                return false;
            label = 0;
            continue;
        }
        if (!g_ascii_isgraph(text[length]) || text[length] == '\\' || ++label > LABEL_MAX)
            return false;
    }
    return label > 0;
}

/* Writes name as it is asked for; returns false if it can't be. */
static bool to_lower(const char *name, char lower[DNS_NAME_MAX + 1])
{
    size_t length = 0;

    if (!dns_is_name(name))
        return false;
    for (; name[length] != '\0'; length++)
        lower[length] = g_ascii_tolower(name[length]);
    lower[length] = '\0';
    return true;
}

DnsAnswer *dns_lookup(Dns *dns, const char *name, DnsType type, Deadline deadline)
{
    char lower[DNS_NAME_MAX + 1];

    if (!to_lower(name, lower))
        return dns_answer_new(DNS_NO_NAME, NOT_ASKED_TTL);
    return dns->lookup(dns, lower, type, deadline);
}

struct DnsQuestion {
    Dns *dns;
    char name[DNS_NAME_MAX + 1];
    DnsType type;
    Deadline deadline;
    gpointer begun;    /* NULL: not, or not any more */
    DnsAnswer *answer; /* NULL: not yet wanted */
};

DnsQuestion *dns_question_new(Dns *dns, const char *name, DnsType type, Deadline deadline)
{
    DnsQuestion *question = g_new0(DnsQuestion, 1);

    question->dns = dns;
    question->type = type;
    question->deadline = deadline;
    if (!to_lower(name, question->name))
        question->answer = dns_answer_new(DNS_NO_NAME, NOT_ASKED_TTL);
    else if (dns->begin != NULL)
        question->begun = dns->begin(dns, question->name, type, deadline);
    return question;
}

const DnsAnswer *dns_question_answer(DnsQuestion *question)
{
    Dns *dns = question->dns;

    if (question->begun != NULL)
        question->answer = dns->finish(dns, g_steal_pointer(&question->begun), true);
    else if (question->answer == NULL)
        question->answer = dns->lookup(dns, question->name, question->type, question->deadline);
    return question->answer;
}

void dns_question_free(DnsQuestion *question)
{
    if (question->begun != NULL)
        question->dns->finish(question->dns, question->begun, false);
    if (question->answer != NULL)
        dns_answer_unref(question->answer);
    g_free(question);
}

void dns_flush(Dns *dns, const char *domain)
{
    if (dns->flush != NULL)
        dns->flush(dns, domain);
}

void dns_close(Dns *dns)
{
    if (dns->close != NULL)
        dns->close(dns);
}

void dns_free(Dns *dns)
{
    if (dns != NULL)
        dns->free(dns);
}
