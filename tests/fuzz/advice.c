#include "config.h"

#include <glib.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "advice/consultation.h"
#include "dns/dns_wrappers.h"
#include "advice/record/mend.h"
#include "base/clock.h"
#include "policy/settings_parse.h"
#include "spf/evaluation.h"

/*
 * Whatever a domain has as TXT records, what is advised is right, and nothing is left to be done
 * once it is published. Each line of the data is a record of example.org.
 */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define RECORDS_MAX 8

static const char conf[] = "fallback_address = \"noreply@example.org\"\n"
                           "relay_hosts = { 192.0.2.25, spf:x.org }\n"
                           "check_timeout = 300s\n";

/* What records of the seeds ask for. */
static const char zone[] = "x.org. TXT \"v=spf1 ip4:198.51.100.0/24 -all\"\n"
                           "y.org. TXT \"v=spf1 include:x.org a:x.org -all\"\n"
                           "z.org. TXT \"v=spf1 include:y.org include:y.org include:y.org -all\"\n"
                           "bad.org. TXT \"v=spf1 foo\"\n"
                           "loop.org. TXT \"v=spf1 include:loop.org\"\n"
                           "redirect.org. TXT \"v=spf1 redirect=y.org\"\n"
                           "x.org. A 203.0.113.1\nx.org. MX 10 x.org.\n"
                           "example.org. A 203.0.113.2\nexample.org. MX 10 x.org.\n";

static gboolean read_file(const char *file G_GNUC_UNUSED, char **text, gsize *length,
                          GError **error G_GNUC_UNUSED)
{
    *text = g_strdup(conf);
    *length = strlen(conf);
    return TRUE;
}

static const SettingsSource source = {read_file, "mail.example.net"};

static Settings *settings;
static Dns *base;

static void set_up(void)
{
    if (settings != NULL)
        return;
    if (!evaluation_init(NULL))
        abort();
    settings = settings_parse("/spfrom.conf", &source, NULL);
    base = dns_zone_file_new(zone, "zone", NULL);
}

static Advice *advise(Dns *dns)
{
    Deadline deadline = deadline_in(settings->check_timeout);
    g_autoptr(Relays) relays = relays_resolve(settings, dns, deadline, NULL);
    g_autoptr(CheckSubject) subject = check_subject_parse("example.org");
    g_autoptr(Consultation) consultation =
        consultation_new(settings, dns, NULL, relays, subject, deadline);

    return g_steal_pointer(&consultation->advice);
}

static void check_right(const char *text)
{
    g_autoptr(Record) record = record_parse(text, strlen(text));

    if (!record_is_spf(text, strlen(text)) || record->wrong != NULL)
        __builtin_trap();
}

static void check_published(const char *text)
{
    g_autoptr(DnsAnswer) answer = dns_answer_new(DNS_FOUND, 300);
    g_autoptr(Dns) dns = dns_overlay_new(base, "example.org", DNS_TXT, answer);
    g_autoptr(Advice) advice = NULL;

    dns_answer_add(answer, 0, text, strlen(text));
    advice = advise(dns);
    if (advice->kind != ADVICE_OK)
        __builtin_trap();
}

/* A point has no member that the row of its kind does not name: JSON would not show it. */
static void check_point(const Point *point)
{
    guint members =
        (point->term != NULL ? POINT_HAS_TERM : 0) | (point->text != NULL ? POINT_HAS_TEXT : 0) |
        (point->reason != NULL ? POINT_HAS_REASON : 0) |
        (point->texts != NULL ? POINT_HAS_TEXTS : 0) | (point->number != 0 ? POINT_HAS_NUMBER : 0) |
        (point->limit != 0 ? POINT_HAS_LIMIT : 0);

    if ((members & ~point_row(point->kind)->members) != 0)
        __builtin_trap();
}

/* Is it a term by which everybody passes, or more of the Internet than anybody has? */
static bool is_open(const DraftTerm *term)
{
    g_autofree char *alone = g_strconcat("v=spf1 ", term->text, NULL);
    g_autoptr(Record) record = record_parse(alone, strlen(alone));

    if (term->qualifier != '+')
        return false;
    if (term->kind == RECORD_IP4 || term->kind == RECORD_IP6)
        return record_at(record, 0)->network.length < (term->kind == RECORD_IP4 ? 8 : 16);
    return term->kind == RECORD_ALL;
}

static bool has_right_record(const DnsAnswer *answer)
{
    for (guint i = 0; i < answer->records->len; i++) {
        const DnsRecord *found = dns_answer_at(answer, i);
        g_autoptr(Record) record = record_parse(found->data, found->length);

        if (record_is_spf(found->data, found->length) && record->wrong == NULL)
            return true;
    }
    return false;
}

/* A record that lets nobody pass since it is an error does not begin to let everybody pass. */
static void check_not_open(const DnsAnswer *answer, const Advice *advice)
{
    g_autoptr(Draft) draft = draft_new(advice->record);
    guint all = draft_find_kind(draft, RECORD_ALL, 0);

    if ((advice->kind != ADVICE_REPAIR && advice->kind != ADVICE_MERGE) || has_right_record(answer))
        return;
    for (guint i = 0; i < draft->terms->len && i <= all; i++)
        if (is_open(draft_at(draft, i)))
            __builtin_trap();
}

static void check_advice(DnsAnswer *answer)
{
    g_autoptr(Dns) dns = dns_overlay_new(base, "example.org", DNS_TXT, answer);
    g_autoptr(Advice) advice = advise(dns);

    for (guint i = 0; i < advice->points->len; i++)
        check_point(advice_point_at(advice, i));
    if (advice->record == NULL)
        return;
    if (!g_str_is_ascii(advice->record))
        __builtin_trap();
    check_right(advice->record);
    check_not_open(answer, advice);
    check_published(advice->record);
}

static void check_united(const GPtrArray *drafts)
{
    g_autoptr(Draft) united = draft_unite(drafts);
    g_autofree char *text = draft_text(united);

    check_right(text);
}

/* A record that was mended has nothing more to be mended. */
static void check_mended(const char *text, GPtrArray *drafts)
{
    g_autoptr(GPtrArray) points = point_array_new();
    Draft *draft = mend_record(text, 0, points);
    g_autofree char *mended = draft_text(draft);
    g_autoptr(Draft) again = NULL;
    g_autofree char *twice = NULL;

    check_right(mended);
    again = mend_record(mended, 0, points);
    twice = draft_text(again);
    if (strcmp(mended, twice) != 0)
        __builtin_trap();
    g_ptr_array_add(drafts, draft);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    g_autoptr(DnsAnswer) answer = dns_answer_new(DNS_FOUND, 300);
    g_autoptr(GPtrArray) drafts = g_ptr_array_new_with_free_func((GDestroyNotify)draft_free);
    const char *at = (const char *)data;
    const char *end = at + size;

    set_up();
    while (at < end && drafts->len < RECORDS_MAX) {
        const char *line = memchr(at, '\n', (size_t)(end - at));
        size_t length = (size_t)((line != NULL ? line : end) - at);
        g_autofree char *text = g_strndup(at, length);

        dns_answer_add(answer, 0, at, length);
        check_mended(text, drafts);
        at += length + 1;
    }
    if (drafts->len > 0)
        check_united(drafts);
    check_advice(answer);
    return 0;
}
