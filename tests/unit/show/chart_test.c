#include "config.h"

#include "show/chart.h"

#include <string.h>

#include "base/clock.h"

#include "unit/table.h"

static Language *english(void)
{
    Language *language = language_new(LANGUAGE_ENGLISH, NULL);

    assert_non_null(language);
    return language;
}

static const struct chart_row {
    const char *name;
    guint days;
    const char *wanted; /* in the drawing */
} chart_rows[] = {
    {"no day", 0, "viewBox=\"0 0 0 100\""},
    {"one day", 1, "viewBox=\"0 0 10 100\""},
    {"days", 120, "viewBox=\"0 0 1200 100\""},
    {"weeks", 365, "viewBox=\"0 0 530 100\""},
};

static void test_chart(void **state)
{
    const struct chart_row *row = *state;
    g_autoptr(Language) language = english();
    g_autoptr(GArray) bars = g_array_new(FALSE, TRUE, sizeof(ChartBar));
    const View view = {.language = language};
    g_autofree char *page = NULL;
    g_auto(Html) html;

    for (guint i = 0; i < row->days; i++) {
        ChartBar bar = {.from = i * 86400 * CLOCK_SECOND, .counts = {[CHART_KEPT] = i}};

        g_array_append_val(bars, bar);
    }
    html_init(&html);
    chart_add(&html, &view, "title", bars);
    page = html_finish(&html);
    assert_non_null(strstr(page, row->wanted));
}

/* The top of the scale, and whether a bar is as high as it should be. */
static const struct scale_row {
    const char *name;
    guint64 kept, rewritten;
    const char *top;
    const char *bar; /* of what was kept */
} scale_rows[] = {
    {"one message", 1, 0, "<span>1</span>", "y=\"0.00\" width=\"8.00\" height=\"100.00\""},
    {"full", 60, 20, "<span>80</span>", "y=\"25.00\" width=\"8.00\" height=\"75.00\""},
    {"100", 100, 0, "<span>100</span>", "y=\"0.00\" width=\"8.00\" height=\"100.00\""},
    {"101", 60, 41, "<span>200</span>", "y=\"70.00\" width=\"8.00\" height=\"30.00\""},
    {"a million and one", 1000000, 1, "<span>2,000,000</span>",
     "y=\"50.00\" width=\"8.00\" height=\"50.00\""},
};

static void test_scale(void **state)
{
    const struct scale_row *row = *state;
    g_autoptr(GArray) bars = g_array_new(FALSE, TRUE, sizeof(ChartBar));
    const ChartBar bar = {.counts = {[CHART_KEPT] = row->kept, [CHART_REWRITTEN] = row->rewritten}};
    const View view = {0};
    g_autofree char *page = NULL;
    g_auto(Html) html;

    g_array_append_val(bars, bar);
    html_init(&html);
    chart_add(&html, &view, "title", bars);
    page = html_finish(&html);
    if (strstr(page, row->top) == NULL || strstr(page, row->bar) == NULL)
        fail_msg("no %s or %s in %s", row->top, row->bar, page);
}

int main(void)
{
    GArray *tests = table_new();

    TABLE_ADD(tests, chart_rows, test_chart);
    TABLE_ADD(tests, scale_rows, test_scale);
    return table_run(tests, "chart");
}
