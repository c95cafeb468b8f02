#include "config.h"

#include "show/report_chart.h"

#include "ledger/ledger_report.h"
#include "show/report_data.h"

#define HEIGHT 100.0 /* in the SVG's own units; a day is DAY_WIDTH wide */
#define DAY_WIDTH 10
#define COLUMN_WIDTH 8
#define LABELS 4 /* spaces between the lines of the scale */

/* SVG's numbers have a point, whatever the locale says. */
static void add_rectangle(GString *html, const char *class, double x, double y, double width,
                          double height)
{
    const double values[] = {x, y, width, height};
    static const char *const names[] = {"x", "y", "width", "height"};
    char text[G_ASCII_DTOSTR_BUF_SIZE];

    if (width <= 0 || height <= 0)
        return;
    g_string_append_printf(html, "<rect class=\"%s\"", class);
    for (size_t i = 0; i < G_N_ELEMENTS(values); i++)
        g_string_append_printf(html, " %s=\"%s\"", names[i],
                               g_ascii_formatd(text, sizeof text, "%.2f", values[i]));
    g_string_append(html, "/>");
}

/* The next of 4, 8, 12, 20, 40, 60, 80, 100, 120, 200, 400 …: its quarters are whole. */
static guint64 round_up(guint64 most)
{
    static const guint64 steps[] = {4, 8, 12, 20, 40, 60, 80, 100};
    guint64 unit = 1;

    for (;; unit *= 10)
        for (size_t i = 0; i < G_N_ELEMENTS(steps); i++)
            if (most <= steps[i] * unit)
                return steps[i] * unit;
}

static guint64 scale_of(const GArray *days)
{
    guint64 most = 0;

    for (guint i = 0; i < days->len; i++)
        most = MAX(most, ledger_counts_decided(&g_array_index(days, LedgerDay, i).counts));
    return round_up(most);
}

static void add_title(GString *html, const LedgerDay *day)
{
    g_autofree char *text = ledger_day_text(day->day);
    guint64 decided = ledger_counts_decided(&day->counts);
    guint64 rewritten = ledger_counts_rewritten(&day->counts);

    g_string_append_printf(
        html, "<title>%s: %" G_GUINT64_FORMAT " messages, %" G_GUINT64_FORMAT " rewritten</title>",
        text, decided, rewritten);
}

static void add_column(GString *html, const LedgerDay *day, guint position, guint64 scale)
{
    guint64 decided = ledger_counts_decided(&day->counts);
    guint64 rewritten = ledger_counts_rewritten(&day->counts);
    guint64 kept = day->counts.by[MESSAGE_ACTION_KEEP];
    const struct {
        const char *class;
        guint64 count;
    } parts[] = {{"kept", kept}, {"rewritten", rewritten}, {"refused", decided - kept - rewritten}};
    double x = position * (double)DAY_WIDTH;
    double y = HEIGHT;

    g_string_append(html, "<g>");
    add_title(html, day);
    add_rectangle(html, "day", x, 0, DAY_WIDTH, HEIGHT);
    for (size_t i = 0; i < G_N_ELEMENTS(parts); i++) {
        double height = HEIGHT * (double)parts[i].count / (double)scale;

        y -= height;
        add_rectangle(html, parts[i].class, x + (DAY_WIDTH - COLUMN_WIDTH) / 2.0, y, COLUMN_WIDTH,
                      height);
    }
    g_string_append(html, "</g>\n");
}

static void add_lines(GString *html, guint width)
{
    for (int i = 0; i <= LABELS; i++)
        g_string_append_printf(html,
                               "<line class=\"grid\" x1=\"0\" x2=\"%u\" y1=\"%d\" y2=\"%d\"/>\n",
                               width, (int)HEIGHT * i / LABELS, (int)HEIGHT * i / LABELS);
}

static void add_scale(GString *html, guint64 scale)
{
    g_string_append(html, "<div class=\"scale\" aria-hidden=\"true\">");
    for (guint i = LABELS + 1; i-- > 0;) {
        g_autofree char *text = report_data_number(scale * i / LABELS);

        g_string_append_printf(html, "<span>%s</span>", text);
    }
    g_string_append(html, "</div>\n");
}

/* The first day, the last, and one between. */
static void add_dates(GString *html, const GArray *days)
{
    const guint places[] = {0, (days->len - 1) / 2, days->len - 1};

    g_string_append(html, "<div class=\"dates\">");
    for (size_t i = 0; i < G_N_ELEMENTS(places); i++) {
        g_autofree char *text = ledger_day_text(g_array_index(days, LedgerDay, places[i]).day);

        if (i == 0 || places[i] != places[i - 1])
            g_string_append_printf(html, "<span>%s</span>", text);
    }
    g_string_append(html, "</div>\n");
}

void report_chart_days(GString *html, const GArray *days)
{
    guint64 scale = scale_of(days);
    guint width = days->len * DAY_WIDTH;

    g_string_append(html, "<h2>Messages a day</h2>\n<figure>\n<figcaption><span class=\"kept\">kept"
                          "</span><span class=\"rewritten\">rewritten</span>"
                          "<span class=\"refused\">put off or refused</span></figcaption>\n"
                          "<div class=\"plot\">\n");
    add_scale(html, scale);
    g_string_append_printf(html,
                           "<svg viewBox=\"0 0 %u %d\" preserveAspectRatio=\"none\" role=\"img\" "
                           "aria-label=\"Messages a day\">\n",
                           width, (int)HEIGHT);
    add_lines(html, width);
    for (guint i = 0; i < days->len; i++)
        add_column(html, &g_array_index(days, LedgerDay, i), i, scale);
    g_string_append(html, "</svg>\n");
    add_dates(html, days);
    g_string_append(html, "</div>\n</figure>\n");
}

void report_chart_bar(GString *html, guint64 kept, guint64 rewritten, guint64 refused,
                      guint64 whole)
{
    const struct {
        const char *class;
        guint64 count;
    } parts[] = {{"kept", kept}, {"rewritten", rewritten}, {"refused", refused}};
    double x = 0;

    g_string_append(html, "<svg viewBox=\"0 0 100 1\" preserveAspectRatio=\"none\" "
                          "aria-hidden=\"true\">");
    for (size_t i = 0; i < G_N_ELEMENTS(parts); i++) {
        double width = whole > 0 ? 100.0 * (double)parts[i].count / (double)whole : 0;

        add_rectangle(html, parts[i].class, x, 0, width, 1);
        x += width;
    }
    g_string_append(html, "</svg>");
}
