#include "config.h"

#include "show/domains_csv.h"

#include <stdbool.h>
#include <string.h>

#include "base/clock.h"

const char *domains_csv_name(const LedgerDomain *domain)
{
    if (strcmp(domain->name, LEDGER_NO_DOMAIN) == 0)
        return "(no author domain)";
    if (strcmp(domain->name, LEDGER_OTHER_DOMAINS) == 0)
        return "(other domains)";
    return domain->name;
}

static const char csv_head[] =
    "domain,messages,kept,rewritten,would_rewrite,tempfailed,would_tempfail,errors,result,"
    "first_seen,last_seen,authorised_since";

static void add_text(GString *csv, const char *text)
{
    bool is_formula = text[0] != '\0' && strchr("=+-@\t\r", text[0]) != NULL;

    if (!is_formula && strpbrk(text, "\",\r\n") == NULL) {
        g_string_append(csv, text);
        return;
    }
    g_string_append(csv, is_formula ? "\"'" : "\"");
    for (; *text != '\0'; text++)
        g_string_append_printf(csv, *text == '"' ? "\"%c" : "%c", *text);
    g_string_append_c(csv, '"');
}

static void add_count(GString *csv, guint64 count)
{
    g_string_append_printf(csv, ",%" G_GUINT64_FORMAT, count);
}

static void add_time(GString *csv, gint64 wall)
{
    g_autofree char *text = wall != 0 ? clock_rfc3339(wall) : g_strdup("");

    g_string_append_printf(csv, ",%s", text);
}

static void add_domain(GString *csv, const LedgerDomain *domain, bool has_column)
{
    add_text(csv, domains_csv_name(domain));
    add_count(csv, ledger_counts_decided(&domain->counts));
    for (MessageAction action = 0; action < MESSAGE_ACTION_INBOUND; action++)
        add_count(csv, domain->counts.by[action]);
    g_string_append_printf(csv, ",%s", ledger_result_text(domain->result));
    add_time(csv, domain->first);
    add_time(csv, domain->last);
    add_time(csv, domain->authorised_since);
    if (has_column)
        add_count(csv, domain->returned);
    g_string_append(csv, "\r\n");
}

bool domains_csv_has_returned(const GPtrArray *domains)
{
    for (guint i = 0; i < domains->len; i++)
        if (((const LedgerDomain *)g_ptr_array_index(domains, i))->returned > 0)
            return true;
    return false;
}

char *domains_csv(const GPtrArray *domains)
{
    bool has_column = domains_csv_has_returned(domains);
    GString *csv = g_string_new(csv_head);

    g_string_append(csv, has_column ? ",returned\r\n" : "\r\n");
    for (guint i = 0; i < domains->len; i++)
        add_domain(csv, g_ptr_array_index(domains, i), has_column);
    return g_string_free(csv, FALSE);
}
