#include "config.h"

#include "base/clock.h"

#include <string.h>

G_DEFINE_QUARK(spfrom_clock_error, clock_error)

#define SPAN_MAX (G_GINT64_CONSTANT(3650) * 86400) /* seconds */

static gint64 system_monotonic(void *hook G_GNUC_UNUSED)
{
    return g_get_monotonic_time();
}

static gint64 system_wall(void *hook G_GNUC_UNUSED)
{
    return g_get_real_time();
}

const Clock clock_system = {system_monotonic, system_wall, NULL};

gint64 clock_monotonic(const Clock *clock)
{
    return clock->monotonic(clock->hook);
}

gint64 clock_wall(const Clock *clock)
{
    return clock->wall(clock->hook);
}

/* Returns the seconds of a unit, or 0 if there is no such unit. */
static gint64 unit_seconds(const char *unit)
{
    static const struct {
        const char *unit;
        gint64 seconds;
    } units[] = {{"", 1}, {"s", 1}, {"m", 60}, {"h", 3600}, {"d", 86400}};

    for (size_t i = 0; i < G_N_ELEMENTS(units); i++)
        if (strcmp(unit, units[i].unit) == 0)
            return units[i].seconds;
    return 0;
}

gint64 clock_span_parse(const char *text, GError **error)
{
    size_t digits = strspn(text, "0123456789");
    gint64 seconds = unit_seconds(text + digits);
    gint64 number = g_ascii_strtoll(text, NULL, 10);

    if (digits == 0 || digits > 10 || seconds == 0 || number > SPAN_MAX / seconds) {
        g_set_error(error, CLOCK_ERROR, CLOCK_ERROR_SPAN,
                    "\"%s\" is not a time; write it like 10s, 5m, 2h or 1d", text);
        return -1;
    }
    return number * seconds;
}

char *clock_rfc3339(gint64 wall)
{
    g_autoptr(GDateTime) time =
        g_date_time_new_from_unix_utc(CLAMP(wall, 0, CLOCK_WALL_MAX) / CLOCK_SECOND);

    return g_date_time_format(time, "%Y-%m-%dT%H:%M:%SZ");
}

gint64 clock_rfc3339_parse(const char *text)
{
    g_autoptr(GTimeZone) utc = g_time_zone_new_utc();
    g_autoptr(GDateTime) time = text != NULL ? g_date_time_new_from_iso8601(text, utc) : NULL;
    gint64 wall = time != NULL ? g_date_time_to_unix(time) * CLOCK_SECOND : 0;

    return wall >= 0 && wall <= CLOCK_WALL_MAX ? wall : 0;
}
