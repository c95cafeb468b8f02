/* What `spfrom doctor` reads of other programs: '0' a list of milters, '1' what postconf prints,
 * '2' sendmail.cf, '3' OpenDKIM's files, '4' our own configuration as lines, '5' an MTA's answer.
 */
#include "config.h"

#include "doctor/dns.h"
#include "doctor/findings.h"
#include "doctor/postfix.h"
#include "doctor/fallback.h"
#include "doctor/sendmail.h"
#include "doctor/signer.h"
#include "doctor/probe.h"

#include <stdlib.h>
#include <string.h>

#include "check.h"

#define OURS "inet:127.0.0.1:8894"

static const PostfixMilter *milter_at(const GPtrArray *milters, guint position)
{
    return g_ptr_array_index(milters, position);
}

static bool is_host(const char *text)
{
    return text == NULL || text[strspn(text, "abcdefghijklmnopqrstuvwxyz0123456789.-")] == '\0';
}

/* In Postfix's words it is the same address. */
static void check_address(const MilterAddress *address)
{
    g_autofree char *text = milter_address_postfix(address);
    g_autoptr(MilterAddress) again = NULL;

    check(address->is_unix ? *address->path != '\0' : address->port != 0);
    if (!is_host(address->host))
        return;
    again = milter_address_parse_postfix(text);
    check(again != NULL && again->is_unix == address->is_unix && again->port == address->port);
    check(g_strcmp0(again->path, address->path) == 0);
    check(address->host == NULL || g_strcmp0(again->host, address->host) == 0);
}

static bool is_balanced(const char *text)
{
    int depth = 0;

    for (; *text != '\0' && depth >= 0; text++)
        depth += (*text == '{') - (*text == '}');
    return depth == 0;
}

/* Ours comes where it was wanted, and the others are who they were. */
static void check_with(const GPtrArray *milters, guint position)
{
    g_autofree bool *is_ours = g_new0(bool, milters->len + 1);
    g_autofree char *text = postfix_milters_with(milters, is_ours, OURS, position);
    g_autoptr(GPtrArray) with = postfix_milters_parse(text);

    check(with->len == milters->len + 1 && strcmp(milter_at(with, position)->text, OURS) == 0);
    for (guint i = 0; i < milters->len; i++) {
        const PostfixMilter *before = milter_at(milters, i);
        const PostfixMilter *after = milter_at(with, i < position ? i : i + 1);

        check(strcmp(before->address_text, after->address_text) == 0);
        check(g_hash_table_size(before->settings) == g_hash_table_size(after->settings));
    }
}

static void parse_list(const char *text, size_t length)
{
    g_autofree char *value = g_strndup(text, length);
    g_autoptr(GPtrArray) milters = postfix_milters_parse(value);

    for (guint i = 0; i < milters->len; i++)
        if (milter_at(milters, i)->address != NULL)
            check_address(milter_at(milters, i)->address);
    if (is_balanced(value))
        check_with(milters, (guint)length % (milters->len + 1));
}

/* The command is one for a shell, and sets what it should. */
static void check_command(const Postfix *postfix, const PostfixService *service)
{
    const char *value = postfix_value(postfix, service, "smtpd_milters");
    g_autofree char *command = postfix_set_command(postfix, service, "smtpd_milters", value);
    g_autofree char *wanted = service != NULL ? g_strdup_printf("%s/%s/smtpd_milters=%s",
                                                                service->name, service->type, value)
                                              : g_strdup_printf("smtpd_milters=%s", value);
    g_auto(GStrv) words = NULL;

    check(g_shell_parse_argv(command, NULL, &words, NULL));
    check(g_strv_length(words) == 3 && strcmp(words[2], wanted) == 0);
}

static void parse_postfix(const char *text, size_t length)
{
    g_autofree char *whole = g_strndup(text, length);
    g_auto(GStrv) parts = g_strsplit(whole, "\n---\n", 3);
    guint count = g_strv_length(parts);
    g_autoptr(Postfix) postfix = postfix_parse(count > 0 ? parts[0] : "", count > 1 ? parts[1] : "",
                                               count > 2 ? parts[2] : "");

    check_command(postfix, NULL);
    for (guint i = 0; i < postfix->services->len; i++) {
        const PostfixService *service = g_ptr_array_index(postfix->services, i);
        g_autofree char *path = postfix_path(postfix, service, "spfrom/a.sock");

        check(postfix_service(postfix, service->name, service->type) != NULL);
        check(g_str_has_suffix(path, "spfrom/a.sock"));
        check(postfix_seconds(postfix, service, "milter_content_timeout") >= 0);
        check_command(postfix, service);
    }
}

static void parse_sendmail_cf(const char *text, size_t length)
{
    g_autofree char *whole = g_strndup(text, length);
    g_autoptr(SendmailCf) cf = sendmail_cf_parse(whole);

    for (guint i = 0; i < cf->milters->len; i++) {
        const SendmailMilter *milter = g_ptr_array_index(cf->milters, i);

        check(milter->read_time >= 0 && milter->end_time >= 0);
        check(sendmail_cf_milter(cf, milter->name) != NULL);
        if (milter->address != NULL)
            check_address(milter->address);
    }
    for (guint i = 0; i < cf->daemons->len; i++)
        check(((const SendmailDaemon *)g_ptr_array_index(cf->daemons, i))->name != NULL);
    check(cf->smart_host == NULL || *cf->smart_host != '\0');
}

static void parse_opendkim(const char *text, size_t length)
{
    g_autofree char *whole = g_strndup(text, length);
    g_autofree char *value = fallback_opendkim_value(whole, "KeyTable");
    g_autoptr(GPtrArray) selectors = g_ptr_array_new_with_free_func(g_free);

    fallback_key_table(whole, "example.org", selectors);
    for (guint i = 0; i < selectors->len; i++)
        check(*(const char *)g_ptr_array_index(selectors, i) != '\0');
    check(value == NULL || strpbrk(value, "#\n") == NULL);
}

static void parse_signing_tables(const char *text, size_t length)
{
    static const char *const selectors[] = {"lemniscus", NULL};
    g_autofree char *whole = g_strndup(text, length);
    char *second = strstr(whole, "\n\n"); /* what parts the two tables */
    g_auto(SignerTables) tables = {0};

    signer_tables_read(&tables, whole, second != NULL ? second : "", length % 2 == 0, selectors);
    check((tables.domains > 0) == (tables.domain != NULL));
    check((tables.reach == SIGNER_OTHER_SELECTOR) == (tables.selector != NULL));
    check(tables.reach != SIGNER_SOME || tables.domains > 0);
}

static void parse_rspamd(const char *text, size_t length)
{
    g_autofree char *whole = g_strndup(text, length);
    g_autofree char *value = signer_rspamd_value(whole, "selector");

    check(value == NULL || strstr(whole, "selector") != NULL);
}

/* The line that sed is to change is there. */
static void parse_configuration(const char *text, size_t length)
{
    g_autofree char *whole = g_strndup(text, length);
    g_autofree char *command = findings_key_command("/s.conf", whole, "mode", "off");
    g_auto(GStrv) lines = g_strsplit(whole, "\n", -1);
    g_auto(GStrv) words = NULL;

    if (command == NULL)
        return;
    check(g_shell_parse_argv(command, NULL, &words, NULL));
    if (strcmp(words[0], "sed") == 0) {
        guint64 line = g_ascii_strtoull(words[2], NULL, 10);

        check(line >= 1 && line <= g_strv_length(lines));
        check(strstr(lines[line - 1], "mode") != NULL);
    }
}

static void parse_smtp_answer(const char *text, size_t length)
{
    g_autofree char *answer = g_strndup(text, length);
    g_autofree char *queue_id = probe_queue_id(answer);

    check(queue_id == NULL || strpbrk(queue_id, " ") == NULL);
    doctor_dns_provider(answer);
}

static void parse_mail_log(const char *text, size_t length)
{
    g_autofree char *log = g_strndup(text, length);
    g_autofree char *line = NULL;
    ProbeDelivery delivery = probe_delivery(log, "4fKx2n", "a@b.example", &line);

    check(line == NULL || g_str_has_prefix(line, "4fKx2n: "));
    check(line != NULL || delivery <= PROBE_DELIVERY_QUEUED);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static FuzzParser *const parsers[] = {parse_list,     parse_postfix,        parse_sendmail_cf,
                                          parse_opendkim, parse_configuration,  parse_smtp_answer,
                                          parse_mail_log, parse_signing_tables, parse_rspamd};

    run_one_of(parsers, G_N_ELEMENTS(parsers), data, size);
    return 0;
}
