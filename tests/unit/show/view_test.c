#include "config.h"

#include "show/view.h"

#include "base/clock.h"

#include "unit/table.h"

/* No language is English. A catalogue is not needed for numbers and dates, but for words. */
static Language *language_of(const char *code)
{
    Language *language = code != NULL ? language_new(code, NULL) : NULL;

    assert_true(code == NULL || language != NULL);
    return language;
}

static const struct number_row {
    const char *name;
    guint64 number, whole;
    const char *percent;
    const char *language;
} number_rows[] = {
    {"0", 0, 0, "0.0\u00a0%", "en"},
    {"7", 7, 7, "100.0\u00a0%", "en"},
    {"999", 999, 2000, "50.0\u00a0%", "en"},
    {"1,000", 1000, 3000, "33.3\u00a0%", "en"},
    {"12,345,678", 12345678, G_MAXUINT64, "0.0\u00a0%", "en"},
    {"1,000", 1000, 3000, "33.3\u00a0%", NULL},
    {"1.000", 1000, 3000, "33,3\u00a0%", "de"},
    {"12.345.678", 12345678, 12345678, "100,0\u00a0%", "de"},
};

static void test_number(void **state)
{
    const struct number_row *row = *state;
    g_autoptr(Language) language = language_of(row->language);
    const View view = {.language = language};
    g_autofree char *number = view_number(&view, row->number);
    g_autofree char *percent = view_percent(&view, row->number, row->whole);

    assert_string_equal(number, row->name);
    assert_string_equal(percent, row->percent);
}

static const struct date_row {
    const char *name; /* the date */
    const char *language;
    const char *day, *time, *word;
} date_rows[] = {
    {"9 Mar 2024", "en", "9 Mar", "9 Mar 2024, 07:05", "Kept"},
    {"9 Mar 2024", NULL, "9 Mar", "9 Mar 2024, 07:05", "Kept"},
    {"09.03.2024", "de", "09.03.", "09.03.2024, 07:05", "Unverändert"},
};

static void test_date(void **state)
{
    const struct date_row *row = *state;
    g_autoptr(Language) language = language_of(row->language);
    g_autoptr(GDateTime) local = g_date_time_new_local(2024, 3, 9, 7, 5, 0);
    gint64 wall = g_date_time_to_unix(local) * CLOCK_SECOND;
    const View view = {.language = language};
    g_autofree char *date = view_date(&view, wall);
    g_autofree char *day = view_day(&view, wall);
    g_autofree char *time = view_time(&view, wall);

    assert_string_equal(date, row->name);
    assert_string_equal(day, row->day);
    assert_string_equal(time, row->time);
    assert_string_equal(view_say(&view, "Kept"), row->word);
}

int main(void)
{
    GArray *tests = table_new();

    TABLE_ADD(tests, number_rows, test_number);
    TABLE_ADD(tests, date_rows, test_date);
    return table_run(tests, "view");
}
