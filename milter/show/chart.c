#include "config.h"

#include "show/chart.h"

#include <stdbool.h>

#define DAYS_MAX 120
#define WEEK 7
/* Units of the drawing, the gap included. */
#define BAR_WIDTH 10
#define BAR_GAP 2
#define HEIGHT 100
#define LABELS 4

static const char *const classes[CHART_SERIES] = {"kept", "rewritten", "would", "refused"};

static const char *series_text(const View *view, ChartSeries series)
{
    switch (series) {
    case CHART_KEPT:
        return view_say(view, "kept");
    case CHART_REWRITTEN:
        return view_say(view, "rewritten");
    case CHART_WOULD_REWRITE:
        return view_say(view, "would be rewritten");
    case CHART_REFUSED:
        break;
    }
    return view_say(view, "put off or failed");
}

static guint64 total_of(const ChartBar *bar)
{
    guint64 total = 0;

    for (int i = 0; i < CHART_SERIES; i++)
        total += bar->counts[i];
    return total;
}

/* Returns bars of span days each. The last one ends today, so the first may have fewer. */
static GArray *merge(const GArray *bars, guint span)
{
    GArray *merged = g_array_new(FALSE, TRUE, sizeof(ChartBar));
    guint first = bars->len % span;

    for (guint i = 0; i < bars->len; i++) {
        const ChartBar *bar = &g_array_index(bars, ChartBar, i);

        if (i == 0 || i % span == first) {
            g_array_append_vals(merged, bar, 1);
            continue;
        }
        for (int series = 0; series < CHART_SERIES; series++)
            g_array_index(merged, ChartBar, merged->len - 1).counts[series] += bar->counts[series];
    }
    return merged;
}

/* The smallest round number that is not below highest: the top of the drawing. */
static guint64 round_up(guint64 highest)
{
    static const guint64 steps[] = {1, 2, 3, 4, 5, 6, 8};

    for (guint64 power = 1; power < G_MAXUINT64 / 10; power *= 10)
        for (size_t i = 0; i < G_N_ELEMENTS(steps); i++)
            if (steps[i] * power >= highest)
                return steps[i] * power;
    return highest;
}

static guint64 top_of(const GArray *bars)
{
    guint64 highest = 1;

    for (guint i = 0; i < bars->len; i++)
        highest = MAX(highest, total_of(&g_array_index(bars, ChartBar, i)));
    return round_up(highest);
}

/* SVG wants a point in numbers, whatever the locale says. */
static void add_rectangle(Html *html, const char *class, double x, double y, double width,
                          double height)
{
    const double values[] = {x, y, width, height};
    char texts[G_N_ELEMENTS(values)][G_ASCII_DTOSTR_BUF_SIZE];

    for (size_t i = 0; i < G_N_ELEMENTS(values); i++)
        g_ascii_formatd(texts[i], sizeof texts[i], "%.2f", values[i]);
    html_empty(html, "rect", "class", class, "x", texts[0], "y", texts[1], "width", texts[2],
               "height", texts[3], NULL);
}

static char *bar_text(const View *view, const ChartBar *bar)
{
    g_autofree char *date = view_date(view, bar->from);
    GString *text = g_string_new(date);

    for (ChartSeries series = 0; series < CHART_SERIES; series++) {
        g_autofree char *number = view_number(view, bar->counts[series]);

        if (bar->counts[series] > 0)
            g_string_append_printf(text, ", %s %s", number, series_text(view, series));
    }
    return g_string_free(text, FALSE);
}

static void add_bar(Html *html, const View *view, const ChartBar *bar, guint position, guint64 top)
{
    g_autofree char *text = bar_text(view, bar);
    double x = position * BAR_WIDTH + BAR_GAP / 2.0;
    double y = HEIGHT;

    html_open(html, "g", NULL);
    html_element(html, "title", text, NULL);
    for (int series = 0; series < CHART_SERIES; series++) {
        double height = (double)bar->counts[series] * HEIGHT / (double)top;

        y -= height;
        if (height > 0)
            add_rectangle(html, classes[series], x, y, BAR_WIDTH - BAR_GAP, height);
    }
    html_close(html);
}

static void add_drawing(Html *html, const View *view, const char *title, const GArray *bars)
{
    guint64 top = top_of(bars);
    g_autofree char *box = g_strdup_printf("0 0 %u %d", bars->len * BAR_WIDTH, HEIGHT);
    g_autofree char *highest = view_number(view, top);
    g_autofree char *half = top % 2 == 0 ? view_number(view, top / 2) : g_strdup("");

    html_open(html, "div", "class", "plot", NULL);
    html_open(html, "div", "class", "scale", "aria-hidden", "true", NULL);
    html_element(html, "span", highest, NULL);
    html_element(html, "span", half, NULL);
    html_element(html, "span", "0", NULL);
    html_close(html);
    html_open(html, "svg", "class", "bars", "viewBox", box, "preserveAspectRatio", "none", "role",
              "img", "aria-label", title, NULL);
    for (guint i = 0; i < bars->len; i++)
        add_bar(html, view, &g_array_index(bars, ChartBar, i), i, top);
    html_close(html);
    html_close(html);
}

/* The first and the last date and some between, under the bars. */
static void add_dates(Html *html, const View *view, const GArray *bars)
{
    guint labels = MIN(LABELS, bars->len);

    html_open(html, "div", "class", "dates", "aria-hidden", "true", NULL);
    for (guint i = 0; i < labels; i++) {
        guint position = labels > 1 ? i * (bars->len - 1) / (labels - 1) : 0;
        g_autofree char *date = view_day(view, g_array_index(bars, ChartBar, position).from);

        html_element(html, "span", date, NULL);
    }
    html_close(html);
}

static bool is_used(const GArray *bars, ChartSeries series)
{
    for (guint i = 0; i < bars->len; i++)
        if (g_array_index(bars, ChartBar, i).counts[series] > 0)
            return true;
    return false;
}

static void add_legend(Html *html, const View *view, const GArray *bars)
{
    html_open(html, "ul", "class", "legend", NULL);
    for (ChartSeries series = 0; series < CHART_SERIES; series++) {
        if (!is_used(bars, series))
            continue;
        html_open(html, "li", NULL);
        html_open(html, "svg", "class", "key", "viewBox", "0 0 10 10", "aria-hidden", "true", NULL);
        add_rectangle(html, classes[series], 0, 0, 10, 10);
        html_close(html);
        html_text(html, series_text(view, series));
        html_close(html);
    }
    html_close(html);
}

static void add_row(Html *html, const View *view, const GArray *bars, const ChartBar *bar)
{
    g_autofree char *date = view_date(view, bar->from);

    html_open(html, "tr", NULL);
    html_element(html, "th", date, "scope", "row", NULL);
    for (ChartSeries series = 0; series < CHART_SERIES; series++) {
        g_autofree char *number = view_number(view, bar->counts[series]);

        if (is_used(bars, series))
            html_element(html, "td", number, "class", "number", NULL);
    }
    html_close(html);
}

static void add_numbers(Html *html, const View *view, const GArray *bars, bool is_weeks)
{
    html_open(html, "details", NULL);
    html_element(html, "summary", view_say(view, "The numbers"), NULL);
    html_open(html, "div", "class", "scroll", "tabindex", "0", "role", "region", "aria-label",
              view_say(view, "The numbers"), NULL);
    html_open(html, "table", NULL);
    html_open(html, "thead", NULL);
    html_open(html, "tr", NULL);
    html_element(html, "th", is_weeks ? view_say(view, "Week from") : view_say(view, "Day"),
                 "scope", "col", NULL);
    for (ChartSeries series = 0; series < CHART_SERIES; series++)
        if (is_used(bars, series))
            html_element(html, "th", series_text(view, series), "scope", "col", "class", "number",
                         NULL);
    html_close(html);
    html_close(html);
    html_open(html, "tbody", NULL);
    for (guint i = bars->len; i > 0; i--)
        if (total_of(&g_array_index(bars, ChartBar, i - 1)) > 0)
            add_row(html, view, bars, &g_array_index(bars, ChartBar, i - 1));
    html_close(html);
    html_close(html);
    html_close(html);
    html_close(html);
}

void chart_add(Html *html, const View *view, const char *title, const GArray *bars)
{
    bool is_weeks = bars->len > DAYS_MAX;
    g_autoptr(GArray) shown = merge(bars, is_weeks ? WEEK : 1);

    html_open(html, "figure", "class", "chart", NULL);
    html_element(html, "figcaption", title, NULL);
    add_legend(html, view, shown);
    add_drawing(html, view, title, shown);
    add_dates(html, view, shown);
    add_numbers(html, view, shown, is_weeks);
    html_close(html);
}

void chart_add_share(Html *html, guint64 part, guint64 whole)
{
    double width = whole > 0 ? (double)part * 100 / (double)whole : 0;

    html_open(html, "svg", "class", "share", "viewBox", "0 0 100 10", "preserveAspectRatio", "none",
              "aria-hidden", "true", NULL);
    add_rectangle(html, "ground", 0, 0, 100, 10);
    add_rectangle(html, "rewritten", 0, 0, width, 10);
    html_close(html);
}
