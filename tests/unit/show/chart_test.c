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

int main(void)
{
    GArray *tests = table_new();

    TABLE_ADD(tests, chart_rows, test_chart);
    return table_run(tests, "chart");
}
