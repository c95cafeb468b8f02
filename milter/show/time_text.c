#include "config.h"

#include "show/time_text.h"

#include "base/clock.h"

char *time_text_span(gint64 seconds)
{
    static const struct {
        gint64 seconds;
        const char *name;
    } units[] = {{86400, "d"}, {3600, "h"}, {60, "m"}, {1, "s"}};
    size_t first = 0;
    gint64 left = MAX(seconds, 0);
    gint64 second;

    while (first + 1 < G_N_ELEMENTS(units) && left < units[first].seconds)
        first++;
    if (first + 1 == G_N_ELEMENTS(units))
        return g_strdup_printf("%" G_GINT64_FORMAT "s", left);
    second = left % units[first].seconds / units[first + 1].seconds;
    left /= units[first].seconds;
    if (second == 0)
        return g_strdup_printf("%" G_GINT64_FORMAT "%s", left, units[first].name);
    return g_strdup_printf("%" G_GINT64_FORMAT "%s %" G_GINT64_FORMAT "%s", left, units[first].name,
                           second, units[first + 1].name);
}

char *time_text_relative(const char *text, gint64 now)
{
    gint64 time = clock_rfc3339_parse(text) / CLOCK_SECOND;
    g_autofree char *span = time_text_span(ABS(now - time));

    if (time == 0)
        return g_strdup(text != NULL ? text : "-");
    return time > now ? g_strdup_printf("%s (in %s)", text, span)
                      : g_strdup_printf("%s (%s ago)", text, span);
}
