#include "config.h"

#include "show/report_data.h"

#include <string.h>

void report_data_free(ReportData *data)
{
    g_clear_pointer(&data->days, g_array_unref);
    g_clear_pointer(&data->domains, g_ptr_array_unref);
    g_clear_pointer(&data->newly, g_ptr_array_unref);
    g_free(data);
}

static void add_up(ReportData *data)
{
    for (guint i = 0; i < data->days->len; i++)
        for (int action = 0; action < MESSAGE_ACTIONS; action++)
            data->total.by[action] += g_array_index(data->days, LedgerDay, i).counts.by[action];
}

ReportData *report_data_new(const char *file, gint64 now, guint days, guint domains_max,
                            GError **error)
{
    g_autoptr(Ledger) ledger = ledger_open_read_only(file, error);
    const LedgerLimits limits = {.by_messages = domains_max > 0 ? domains_max : LEDGER_ALL,
                                 .newly_authorised = LEDGER_ALL};
    g_autoptr(LedgerReport) report = NULL;
    g_autoptr(ReportData) data = NULL;

    if (ledger == NULL)
        return NULL;
    data = g_new0(ReportData, 1);
    data->now = now;
    data->period = ledger_period_of(now, days);
    report = ledger_report_read(ledger, data->period, &limits, error);
    if (report == NULL)
        return NULL;
    data->days = g_steal_pointer(&report->days);
    data->domains = g_steal_pointer(&report->by_messages);
    data->newly = g_steal_pointer(&report->newly_authorised);
    data->all_domains = report->domains;
    add_up(data);
    return g_steal_pointer(&data);
}

double report_data_percent(guint64 part, guint64 whole)
{
    return whole > 0 ? 100.0 * (double)part / (double)whole : 0;
}

const char *report_data_domain(const LedgerDomain *domain)
{
    if (strcmp(domain->name, LEDGER_NO_DOMAIN) == 0)
        return "(no author domain)";
    if (strcmp(domain->name, LEDGER_OTHER_DOMAINS) == 0)
        return "(other domains)";
    return domain->name;
}

char *report_data_day(gint64 wall)
{
    return wall != 0 ? ledger_day_text(ledger_day_of(wall)) : g_strdup("");
}

char *report_data_number(guint64 number)
{
    GString *text = g_string_new(NULL);

    g_string_printf(text, "%" G_GUINT64_FORMAT, number);
    for (gssize at = (gssize)text->len - 3; at > 0; at -= 3)
        g_string_insert_c(text, at, ',');
    return g_string_free(text, FALSE);
}
