#include "config.h"

#include "cli/report_text.h"

#include <string.h>

#define LABEL_WIDTH 16
#define NUMBER_WIDTH 10
#define PERCENT_WIDTH 9
#define BAR_WIDTH 24
#define DAY_WIDTH 12
#define DOMAIN_WIDTH_MIN 20
#define DOMAIN_WIDTH_MAX 44
#define RESULT_WIDTH 11
#define NEWLY_SHOWN_MAX 20

static void end_line(Page *page)
{
    page_raw(page, PAGE_PLAIN, "\n");
}

/* Right-aligned, with two blanks before the next column. */
static void add_right(Page *page, PageStyle style, const char *text, int width)
{
    page_printf(page, style, "%*s", width, text);
    page_raw(page, PAGE_PLAIN, "  ");
}

static void add_number(Page *page, PageStyle style, guint64 number)
{
    g_autofree char *text = report_data_number(number);

    add_right(page, number > 0 ? style : PAGE_FAINT, text, NUMBER_WIDTH);
}

/* A bar of part / whole, drawn to an eighth of a column; what is not 0 shows. */
static void add_bar(Page *page, PageStyle style, guint64 part, guint64 whole)
{
    static const char *const eighths[] = {"", "▏", "▎", "▍", "▌", "▋", "▊", "▉"};
    guint length = whole > 0 ? (guint)((double)part / (double)whole * BAR_WIDTH * 8 + 0.5) : 0;
    g_autoptr(GString) bar = g_string_new(NULL);

    if (part > 0)
        length = MAX(length, 1);
    for (guint i = 0; i < length / 8; i++)
        g_string_append(bar, "█");
    g_string_append(bar, eighths[length % 8]);
    page_raw(page, style, bar->str);
}

static PageStyle style_of(MessageAction action)
{
    switch (action) {
    case MESSAGE_ACTION_KEEP:
        return PAGE_GOOD;
    case MESSAGE_ACTION_REWRITE:
    case MESSAGE_ACTION_WOULD_REWRITE:
        return PAGE_DOUBTFUL;
    case MESSAGE_ACTION_TEMPFAIL:
    case MESSAGE_ACTION_WOULD_TEMPFAIL:
    case MESSAGE_ACTION_ERROR:
        return PAGE_BAD;
    case MESSAGE_ACTION_INBOUND:
    case MESSAGE_ACTION_LOCAL:
        return PAGE_PLAIN;
    }
    return PAGE_PLAIN;
}

static void add_headline(Page *page, const ReportData *data)
{
    g_autofree char *from = ledger_day_text(data->period.from);
    g_autofree char *to = ledger_day_text(data->period.to);
    g_autofree char *messages = report_data_number(ledger_counts_decided(&data->total));
    g_autofree char *domains = report_data_number(data->all_domains);
    guint days = data->days->len;

    page_printf(page, PAGE_STRONG, "%s to %s (%u day%s): %s outgoing messages, %s domains", from,
                to, days, days == 1 ? "" : "s", messages, domains);
    page_raw(page, PAGE_PLAIN, "\n\n");
}

static void add_actions(Page *page, const ReportData *data)
{
    guint64 decided = ledger_counts_decided(&data->total);

    for (MessageAction action = 0; action < MESSAGE_ACTION_INBOUND; action++) {
        guint64 count = data->total.by[action];
        g_autofree char *percent = g_strdup_printf("%.1f %%", report_data_percent(count, decided));

        if (count == 0 && action > MESSAGE_ACTION_REWRITE)
            continue;
        page_add_padded(page, PAGE_PLAIN, message_action_text(action), LABEL_WIDTH);
        add_number(page, PAGE_PLAIN, count);
        add_right(page, PAGE_PLAIN, percent, PERCENT_WIDTH);
        add_bar(page, style_of(action), count, decided);
        end_line(page);
    }
}

/* What was not ours to decide on. */
static void add_besides(Page *page, const ReportData *data)
{
    for (MessageAction action = MESSAGE_ACTION_INBOUND; action <= MESSAGE_ACTION_LOCAL; action++) {
        if (data->total.by[action] == 0)
            continue;
        page_add_padded(page, PAGE_FAINT, message_action_text(action), LABEL_WIDTH);
        add_number(page, PAGE_FAINT, data->total.by[action]);
        end_line(page);
    }
}

static guint64 busiest(const ReportData *data)
{
    guint64 most = 0;

    for (guint i = 0; i < data->days->len; i++)
        most = MAX(most, ledger_counts_decided(&g_array_index(data->days, LedgerDay, i).counts));
    return most;
}

static void add_day(Page *page, const LedgerDay *day, guint64 most)
{
    g_autofree char *text = ledger_day_text(day->day);
    guint64 decided = ledger_counts_decided(&day->counts);
    guint64 rewritten = ledger_counts_rewritten(&day->counts);

    page_add_padded(page, PAGE_PLAIN, text, DAY_WIDTH);
    add_number(page, PAGE_PLAIN, decided);
    add_number(page, PAGE_PLAIN, rewritten);
    add_bar(page, PAGE_PLAIN, decided, most);
    end_line(page);
}

/* From the first day with mail on: what came before that says nothing. */
static void add_days(Page *page, const ReportData *data)
{
    guint64 most = busiest(data);
    bool has_begun = false;

    if (most == 0)
        return;
    page_raw(page, PAGE_PLAIN, "\n");
    page_add_padded(page, PAGE_FAINT, "DAY", DAY_WIDTH);
    add_right(page, PAGE_FAINT, "MESSAGES", NUMBER_WIDTH);
    add_right(page, PAGE_FAINT, "REWRITTEN", NUMBER_WIDTH);
    end_line(page);
    for (guint i = 0; i < data->days->len; i++) {
        const LedgerDay *day = &g_array_index(data->days, LedgerDay, i);

        has_begun = has_begun || ledger_counts_decided(&day->counts) > 0;
        if (has_begun)
            add_day(page, day, most);
    }
}

static guint domain_width(const ReportData *data)
{
    gsize width = DOMAIN_WIDTH_MIN;

    for (guint i = 0; i < data->domains->len; i++)
        width = MAX(width, strlen(report_data_domain(g_ptr_array_index(data->domains, i))) + 2);
    return (guint)MIN(width, DOMAIN_WIDTH_MAX);
}

static PageStyle style_of_result(guint result)
{
    if (result == SPF_PASS)
        return PAGE_GOOD;
    if (result == LEDGER_UNCHECKED)
        return PAGE_FAINT;
    return result == SPF_TEMPERROR ? PAGE_DOUBTFUL : PAGE_BAD;
}

static void add_domain(Page *page, const LedgerDomain *domain, guint width)
{
    g_autofree char *first = report_data_day(domain->first);
    g_autofree char *last = report_data_day(domain->last);
    g_autofree char *since = report_data_day(domain->authorised_since);

    page_add_padded(page, PAGE_PLAIN, report_data_domain(domain), width);
    add_number(page, PAGE_PLAIN, ledger_counts_decided(&domain->counts));
    add_number(page, PAGE_PLAIN, ledger_counts_rewritten(&domain->counts));
    add_number(page, PAGE_PLAIN, domain->counts.by[MESSAGE_ACTION_KEEP]);
    page_add_padded(page, style_of_result(domain->result), ledger_result_text(domain->result),
                    RESULT_WIDTH);
    page_add_padded(page, PAGE_PLAIN, first, DAY_WIDTH);
    page_add_padded(page, PAGE_PLAIN, last, DAY_WIDTH);
    page_add(page, PAGE_PLAIN, domain->is_authorised ? since : "-");
    end_line(page);
}

static void add_domains(Page *page, const ReportData *data)
{
    guint width = domain_width(data);

    if (data->domains->len == 0)
        return;
    page_raw(page, PAGE_PLAIN, "\n");
    page_add_padded(page, PAGE_FAINT, "DOMAIN", width);
    add_right(page, PAGE_FAINT, "MESSAGES", NUMBER_WIDTH);
    add_right(page, PAGE_FAINT, "REWRITTEN", NUMBER_WIDTH);
    add_right(page, PAGE_FAINT, "KEPT", NUMBER_WIDTH);
    page_add_padded(page, PAGE_FAINT, "RESULT", RESULT_WIDTH);
    page_add_padded(page, PAGE_FAINT, "FIRST SEEN", DAY_WIDTH);
    page_add_padded(page, PAGE_FAINT, "LAST SEEN", DAY_WIDTH);
    page_raw(page, PAGE_FAINT, "AUTHORISED SINCE");
    end_line(page);
    for (guint i = 0; i < data->domains->len; i++)
        add_domain(page, g_ptr_array_index(data->domains, i), width);
    if (data->all_domains > data->domains->len) {
        page_printf(page, PAGE_FAINT, "and %" G_GUINT64_FORMAT " more: --limit 0 shows all",
                    data->all_domains - data->domains->len);
        end_line(page);
    }
}

static void add_newly(Page *page, const ReportData *data)
{
    if (data->newly->len == 0)
        return;
    page_raw(page, PAGE_PLAIN, "\nNewly authorised\n");
    for (guint i = 0; i < MIN(data->newly->len, NEWLY_SHOWN_MAX); i++) {
        const LedgerDomain *domain = g_ptr_array_index(data->newly, i);
        g_autofree char *since = report_data_day(domain->authorised_since);

        page_add_padded(page, PAGE_PLAIN, since, DAY_WIDTH);
        page_add(page, PAGE_GOOD, report_data_domain(domain));
        end_line(page);
    }
    if (data->newly->len > NEWLY_SHOWN_MAX) {
        page_printf(page, PAGE_FAINT, "and %u more", data->newly->len - NEWLY_SHOWN_MAX);
        end_line(page);
    }
}

void report_text_add(Page *page, const ReportData *data)
{
    add_headline(page, data);
    add_actions(page, data);
    add_besides(page, data);
    add_days(page, data);
    add_domains(page, data);
    add_newly(page, data);
}
