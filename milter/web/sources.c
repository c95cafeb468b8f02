#include "config.h"

#include "web/sources.h"

#include "control/control_client.h"

G_DEFINE_AUTOPTR_CLEANUP_FUNC(json_t, json_decref)

DaemonStatus *sources_daemon(Settings *settings, GError **error)
{
    return control_client_status(settings->control_socket, SOURCES_DAEMON_TIME, error);
}

char *sources_metrics(Settings *settings, bool is_prometheus, GError **error)
{
    g_autoptr(json_t) request = json_pack("{s:s, s:s}", "command", "metrics", "format",
                                          is_prometheus ? "prometheus" : "openmetrics");
    g_autoptr(json_t) answer =
        control_client_ask(settings->control_socket, request, SOURCES_DAEMON_TIME, error);
    const char *refusal = answer != NULL ? control_client_refusal(answer) : NULL;
    const char *text;

    if (answer == NULL)
        return NULL;
    text = json_string_value(json_object_get(answer, "text"));
    if (text != NULL)
        return g_strdup(text);
    g_set_error_literal(error, CONTROL_CLIENT_ERROR, CONTROL_CLIENT_ERROR_ANSWER,
                        refusal != NULL ? refusal : "the daemon's answer has no metrics");
    return NULL;
}

static Ledger *open_ledger(Settings *settings, GError **error)
{
    if (settings->ledger != NULL)
        return ledger_open_read_only(settings->ledger, error);
    g_set_error_literal(error, ledger_failure_quark(), LEDGER_FAILURE_MISSING,
                        "the configuration has ledger = \"\"");
    return NULL;
}

static LedgerReport *read_report(Settings *settings, LedgerPeriod period, GError **error)
{
    static const LedgerLimits limits = {.by_messages = OVERVIEW_LIST_MAX,
                                        .by_rewritten = OVERVIEW_DOMAINS_MAX,
                                        .newly_authorised = OVERVIEW_AUTHORISED_MAX};
    g_autoptr(Ledger) ledger = open_ledger(settings, error);

    return ledger != NULL ? ledger_report_read(ledger, period, &limits, error) : NULL;
}

Overview *sources_overview(Settings *settings, gint64 now, guint days)
{
    Overview *overview = overview_new();
    g_autoptr(GError) trouble = NULL;
    g_autoptr(GError) error = NULL;

    overview->daemon = sources_daemon(settings, &trouble);
    if (trouble != NULL)
        overview->daemon_problem = g_strdup(trouble->message);
    overview->ledger = read_report(settings, ledger_period_of(now, days), &error);
    if (overview->ledger == NULL)
        overview->ledger_problem = g_strdup(error->message);
    return overview;
}

static bool read_domain(SourcesDomain *read, Settings *settings, const char *domain, GError **error)
{
    g_autoptr(Ledger) ledger = open_ledger(settings, error);
    GError *cause = NULL;

    if (ledger == NULL)
        return false;
    read->history = ledger_report_history(ledger, domain, read->period, error);
    if (read->history == NULL)
        return false;
    read->seen = ledger_report_domain(ledger, domain, read->period, &cause);
    if (cause == NULL)
        return true;
    g_propagate_error(error, cause);
    return false;
}

void sources_domain_read(Settings *settings, const char *domain, gint64 now, guint days,
                         SourcesDomain *read)
{
    g_autoptr(GError) error = NULL;

    *read = (SourcesDomain){.period = ledger_period_of(now, days)};
    if (!read_domain(read, settings, domain, &error))
        read->problem = g_strdup(error->message);
}

void sources_domain_clear(SourcesDomain *read)
{
    g_free(read->problem);
    g_clear_pointer(&read->seen, ledger_domain_free);
    g_clear_pointer(&read->history, g_array_unref);
}
