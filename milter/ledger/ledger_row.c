#include "config.h"

#include "ledger/ledger_row.h"

#include <time.h>

#include "base/clock.h"

#define JULIAN_1970 719163 /* GDate's number of 1970-01-01 */
#define DAY_MAX 1000000    /* in the year 4707 */

const char *ledger_result_text(guint result)
{
    return result < SPF_RESULTS ? spf_result_text((SpfResult)result) : "unchecked";
}

guint32 ledger_day_of(gint64 wall)
{
    time_t seconds = (time_t)(wall / CLOCK_SECOND);
    struct tm local = {0};
    GDate date;

    localtime_r(&seconds, &local);
    g_date_clear(&date, 1);
    g_date_set_dmy(&date, (GDateDay)local.tm_mday, (GDateMonth)(local.tm_mon + 1),
                   (GDateYear)(local.tm_year + 1900));
    return g_date_get_julian(&date) - JULIAN_1970;
}

static void day_to_tm(guint32 day, struct tm *tm)
{
    GDate date;

    g_date_clear(&date, 1);
    g_date_set_julian(&date, MIN(day, DAY_MAX) + JULIAN_1970);
    g_date_to_struct_tm(&date, tm);
}

gint64 ledger_day_begin(guint32 day)
{
    struct tm local;

    day_to_tm(day, &local);
    local.tm_isdst = -1;
    return (gint64)mktime(&local) * CLOCK_SECOND;
}

char *ledger_day_text(guint32 day)
{
    struct tm tm;

    day_to_tm(day, &tm);
    return g_strdup_printf("%04d-%02d-%02d", tm.tm_year + 1900, tm.tm_mon + 1, tm.tm_mday);
}
