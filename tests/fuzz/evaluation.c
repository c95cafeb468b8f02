#include "config.h"

#include <glib.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <sys/socket.h>

#include "spf/evaluation.h"
#include "spf/libspf2.h"
#include "spf/networks.h"

/*
 * Any DNS gives a result within the bounds, which libspf2 and the terms of the records agree on.
 * The first two octets choose relay and answers; behind them each line is a TXT record. The first
 * one is that of example.org; what else stands at a name follows from a hash of it.
 */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define QUESTIONS_MAX 122

typedef struct {
    Dns dns;
    const char *text;
    size_t size;
    guint lines;
    guint salt;
    guint questions;
} FuzzDns;

/* The line at that place, not NUL-terminated. */
static const char *line_at(const FuzzDns *fuzz, guint place, size_t *length)
{
    const char *line = fuzz->text;
    const char *end = fuzz->text + fuzz->size;

    for (;; place--) {
        const char *next = memchr(line, '\n', (size_t)(end - line));

        *length = (size_t)((next != NULL ? next : end) - line);
        if (place == 0 || next == NULL)
            return line;
        line = next + 1;
    }
}

static void add_text(const FuzzDns *fuzz, DnsAnswer *answer, guint place)
{
    size_t length;
    const char *line = line_at(fuzz, place % fuzz->lines, &length);

    dns_answer_add(answer, 0, line, length);
}

static void add_addresses(DnsAnswer *answer, gsize length, guint hash)
{
    static const guint8 relays[][16] = {{192, 0, 2, 25}, {0x20, 0x01, 0x0d, 0xb8, [15] = 25}};

    for (guint i = 0; i <= hash % 3; i++) {
        guint8 address[16];

        memcpy(address, relays[length == 16], sizeof address);
        address[length - 1] = (guint8)(address[length - 1] ^ (hash >> (8 * i) & 0x11));
        dns_answer_add(answer, 0, address, length);
    }
}

static void add_names(DnsAnswer *answer, guint hash)
{
    for (guint i = 0; i <= hash % 12; i++) {
        g_autofree char *name = g_strdup_printf("h%u.example.org", hash / 12 % 50 + i);

        dns_answer_add(answer, (guint16)(hash % 30), name, strlen(name));
    }
}

static DnsAnswer *lookup(Dns *dns, const char *name, DnsType type, gint64 deadline)
{
    FuzzDns *fuzz = (FuzzDns *)dns;
    bool is_first = type == DNS_TXT && strcmp(name, "example.org") == 0;
    guint hash = g_str_hash(name) * 31 + (guint)type + fuzz->salt;
    DnsAnswer *answer;

    (void)deadline;
    fuzz->questions++;
    if (!is_first && hash % 16 == 0)
        return dns_answer_new(DNS_NO_NAME, hash % 1000);
    if (!is_first && hash % 16 == 1)
        return dns_answer_new_trouble("no answer");
    answer = dns_answer_new(DNS_FOUND, hash % 1000);
    if (type == DNS_TXT)
        add_text(fuzz, answer, is_first ? 0 : hash);
    else if (type == DNS_MX || type == DNS_PTR)
        add_names(answer, hash / 16);
    else
        add_addresses(answer, type == DNS_A ? 4 : 16, hash / 16);
    return answer;
}

static bool is_error(SpfResult result)
{
    return result == SPF_TEMPERROR || result == SPF_PERMERROR;
}

static void check(const Evaluation *evaluation)
{
    if (libspf2_failures() > 0)
        __builtin_trap();
    if (evaluation->lookups > 11 || evaluation->void_lookups > 3)
        __builtin_trap();
    if (is_error(evaluation->result) != (evaluation->reason != NULL) && !evaluation->is_unproven)
        __builtin_trap();
    if (evaluation->reason != NULL && (g_str_has_prefix(evaluation->reason, "libspf2") ||
                                       !g_utf8_validate(evaluation->reason, -1, NULL)))
        __builtin_trap();
    if (evaluation->result == SPF_PASS &&
        (evaluation->mechanism == NULL || evaluation->terms->len == 0))
        __builtin_trap();
    if (evaluation->record != NULL && !g_utf8_validate(evaluation->record, -1, NULL))
        __builtin_trap();
}

static void check_networks(Dns *dns)
{
    g_autoptr(EvaluationContext) context = evaluation_context_new(dns, G_MAXINT64);
    g_autoptr(Networks) found = networks_find(context, "example.org", 100);

    if ((found->result == SPF_PASS) != (found->reason == NULL) || found->networks->len > 100 ||
        (found->result != SPF_PASS && found->networks->len > 0))
        __builtin_trap();
}

static guint count_lines(const char *text, size_t size)
{
    guint lines = 1;

    for (size_t i = 0; i < size; i++)
        lines += text[i] == '\n';
    return lines;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const char *const relays[] = {"192.0.2.25",     "2001:db8::25", "192.0.2.16/28",
                                         "2001:db8::/126", "192.0.0.0/16", "2001:db8::/32",
                                         "192.0.2.0/23",   "192.0.2.24/31"};
    static bool is_ready;
    FuzzDns fuzz = {.dns = {.lookup = lookup}};
    EvaluationQuestion question = {
        .domain = "example.org", .local_part = "strong-bad", .helo = "mail.example.net"};
    g_autoptr(EvaluationContext) context = evaluation_context_new(&fuzz.dns, G_MAXINT64);
    g_autoptr(Evaluation) evaluation = NULL;

    if (size < 2 || (!is_ready && !evaluation_init(NULL)))
        return 0;
    is_ready = true;
    fuzz.text = (const char *)data + 2;
    fuzz.size = size - 2;
    fuzz.lines = count_lines(fuzz.text, fuzz.size);
    fuzz.salt = data[1];
    network_parse(relays[data[0] % G_N_ELEMENTS(relays)], &question.relay, NULL);
    evaluation = evaluation_run(context, &question);
    check(evaluation);
    if (question.relay.length == network_bits(&question.relay) && fuzz.questions > QUESTIONS_MAX)
        __builtin_trap();
    check_networks(&fuzz.dns);
    return 0;
}
