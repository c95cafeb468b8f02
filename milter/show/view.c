#include "config.h"

#include "show/view.h"

#include <stdbool.h>
#include <string.h>

#include "base/clock.h"

const char *view_say(const View *view, const char *text)
{
    return language_text(view->language, text);
}

static bool is_german(const View *view)
{
    return view->language != NULL && strcmp(language_code(view->language), LANGUAGE_GERMAN) == 0;
}

char *view_number(const View *view, guint64 number)
{
    g_autofree char *digits = g_strdup_printf("%" G_GUINT64_FORMAT, number);
    GString *text = g_string_new(NULL);

    for (size_t i = 0, length = strlen(digits); i < length; i++) {
        if (i > 0 && (length - i) % 3 == 0)
            g_string_append_c(text, is_german(view) ? '.' : ',');
        g_string_append_c(text, digits[i]);
    }
    return g_string_free(text, FALSE);
}

char *view_percent(const View *view, guint64 part, guint64 whole)
{
    guint64 tenths = whole > 0 ? (guint64)((double)part * 1000 / (double)whole + 0.5) : 0;

    return g_strdup_printf("%" G_GUINT64_FORMAT "%c%" G_GUINT64_FORMAT "\u00a0%%", tenths / 10,
                           is_german(view) ? ',' : '.', tenths % 10);
}

/* The names of months are English in any locale, so they do not come from the C library. */
static char *day_of(const View *view, GDateTime *time)
{
    static const char months[][4] = {"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                     "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
    gint year, month, day;

    g_date_time_get_ymd(time, &year, &month, &day);
    if (is_german(view))
        return g_strdup_printf("%02d.%02d.", day, month);
    return g_strdup_printf("%d %s", day, months[month - 1]);
}

static char *date_of(const View *view, GDateTime *time)
{
    g_autofree char *day = day_of(view, time);

    return g_strdup_printf("%s%s%d", day, is_german(view) ? "" : " ", g_date_time_get_year(time));
}

static GDateTime *local_time(gint64 wall)
{
    GDateTime *time = g_date_time_new_from_unix_local(wall / CLOCK_SECOND);

    return time != NULL ? time : g_date_time_new_from_unix_utc(0);
}

char *view_date(const View *view, gint64 wall)
{
    g_autoptr(GDateTime) time = local_time(wall);

    return date_of(view, time);
}

char *view_day(const View *view, gint64 wall)
{
    g_autoptr(GDateTime) time = local_time(wall);

    return day_of(view, time);
}

char *view_time(const View *view, gint64 wall)
{
    g_autoptr(GDateTime) time = local_time(wall);
    g_autofree char *date = date_of(view, time);

    return g_strdup_printf("%s, %02d:%02d", date, g_date_time_get_hour(time),
                           g_date_time_get_minute(time));
}
