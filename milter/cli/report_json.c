#include "config.h"

#include "cli/report_json.h"

#include <string.h>

#include "base/clock.h"

static void set_count(json_t *json, const char *key, guint64 count)
{
    json_object_set_new(json, key, json_integer((json_int_t)count));
}

static void set_day(json_t *json, const char *key, guint32 day)
{
    g_autofree char *text = ledger_day_text(day);

    json_object_set_new(json, key, json_string(text));
}

static void set_time(json_t *json, const char *key, gint64 wall)
{
    g_autofree char *text = wall != 0 ? clock_rfc3339(wall) : NULL;

    json_object_set_new(json, key, text != NULL ? json_string(text) : json_null());
}

/* messages are those that a decision was made for. */
static json_t *counts_json(const LedgerCounts *counts)
{
    json_t *json = json_object();

    set_count(json, "messages", ledger_counts_decided(counts));
    for (int action = 0; action < MESSAGE_ACTIONS; action++)
        set_count(json, message_action_text((MessageAction)action), counts->by[action]);
    return json;
}

static json_t *days_json(const GArray *days)
{
    json_t *json = json_array();

    for (guint i = 0; i < days->len; i++) {
        const LedgerDay *day = &g_array_index(days, LedgerDay, i);
        json_t *row = counts_json(&day->counts);

        set_day(row, "day", day->day);
        json_array_append_new(json, row);
    }
    return json;
}

static json_t *domain_json(const LedgerDomain *domain)
{
    json_t *json = json_object();
    bool has_name = strcmp(domain->name, LEDGER_NO_DOMAIN) != 0;

    json_object_set_new(json, "domain", has_name ? json_string(domain->name) : json_null());
    json_object_set_new(json, "result", json_string(ledger_result_text(domain->result)));
    set_count(json, "messages", ledger_counts_decided(&domain->counts));
    set_count(json, "rewritten", ledger_counts_rewritten(&domain->counts));
    set_count(json, "kept", domain->counts.by[MESSAGE_ACTION_KEEP]);
    json_object_set_new(json, "actions", counts_json(&domain->counts));
    set_time(json, "first_seen", domain->first);
    set_time(json, "last_seen", domain->last);
    json_object_set_new(json, "authorised", json_boolean(domain->is_authorised));
    set_time(json, "authorised_since", domain->authorised_since);
    json_object_set_new(json, "was_unauthorised", json_boolean(domain->was_unauthorised));
    return json;
}

static json_t *domains_json(const GPtrArray *domains)
{
    json_t *json = json_array();

    for (guint i = 0; i < domains->len; i++)
        json_array_append_new(json, domain_json(g_ptr_array_index(domains, i)));
    return json;
}

json_t *report_json(const ReportData *data)
{
    json_t *json = json_object();

    set_day(json, "from", data->period.from);
    set_day(json, "to", data->period.to);
    set_time(json, "generated", data->now);
    json_object_set_new(json, "total", counts_json(&data->total));
    set_count(json, "domains_seen", data->all_domains);
    json_object_set_new(json, "days", days_json(data->days));
    json_object_set_new(json, "domains", domains_json(data->domains));
    json_object_set_new(json, "newly_authorised", domains_json(data->newly));
    return json;
}
