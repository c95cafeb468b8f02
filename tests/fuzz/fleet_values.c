/* What stands in the store of a fleet, where strangers may write: '0' a verdict, '1' a switch, '2' a
 * sign of life, '3' a return address, '4' what a host says of these. What is read is written such
 * that the same is read again. */
#include "config.h"

#include "fleet/fleet_values.h"

#include <string.h>

#include "check.h"

static bool is_plain(const char *text)
{
    return text == NULL || (g_utf8_validate(text, -1, NULL) && strpbrk(text, "\r\n\x1b") == NULL);
}

static void check_verdict(const char *text, size_t length)
{
    FleetVerdict verdict;
    FleetVerdict again;
    g_autofree char *written = NULL;

    if (!fleet_verdict_parse(text, length, &verdict)) {
        check(verdict.verdict == NULL && verdict.after == NULL);
        return;
    }
    check(length <= FLEET_VALUE_MAX && verdict.until > 0);
    check(verdict.verdict->result != SPF_TEMPERROR && is_plain(verdict.verdict->reason));
    written = fleet_verdict_text(&verdict);
    check(fleet_verdict_parse(written, strlen(written), &again));
    check(again.until == verdict.until && again.verdict->result == verdict.verdict->result &&
          g_strcmp0(again.after, verdict.after) == 0);
    fleet_verdict_clear(&verdict);
    fleet_verdict_clear(&again);
}

static void check_switch(const char *text, size_t length)
{
    FleetSwitch made;
    FleetSwitch again;
    g_autofree char *written = NULL;

    if (!fleet_switch_parse(text, length, &made)) {
        check(made.host == NULL && made.who == NULL);
        return;
    }
    check(made.at > 0 && is_plain(made.host) && is_plain(made.who));
    written = fleet_switch_text(&made);
    check(fleet_switch_parse(written, strlen(written), &again));
    check(fleet_switch_compare(&made, &again) == 0 && made.is_cleared == again.is_cleared &&
          made.until == again.until && (made.is_cleared || made.mode == again.mode));
    fleet_switch_clear(&made);
    fleet_switch_clear(&again);
}

static void check_host(const char *text, size_t length)
{
    g_autoptr(FleetHost) host = fleet_host_parse(text, length);
    g_autoptr(FleetHost) again = NULL;
    g_autofree char *written = NULL;

    if (host == NULL)
        return;
    check(host->seen > 0 && host->per_minute >= 0 && is_plain(host->host) && is_plain(host->by));
    written = fleet_host_text(host);
    again = fleet_host_parse(written, strlen(written));
    check(again != NULL || strlen(written) > FLEET_VALUE_MAX);
    if (again != NULL)
        check(strcmp(again->host, host->host) == 0 &&
              g_hash_table_size(again->keys) == g_hash_table_size(host->keys));
}

static void check_return(const char *text, size_t length)
{
    FleetReturn row;
    FleetReturn again;
    g_autofree char *written = NULL;

    if (!fleet_return_parse(text, length, &row)) {
        check(row.address == NULL);
        return;
    }
    check(row.day > 0 && is_plain(row.address));
    written = fleet_return_text(&row);
    check(fleet_return_parse(written, strlen(written), &again));
    check(again.day == row.day && strcmp(again.address, row.address) == 0);
    fleet_return_clear(&row);
    fleet_return_clear(&again);
}

static void check_return_host(const char *text, size_t length)
{
    FleetReturnHost host;
    FleetReturnHost again;
    g_autofree char *written = NULL;

    if (!fleet_return_host_parse(text, length, &host))
        return;
    check(host.seen > 0);
    written = fleet_return_host_text(&host);
    check(fleet_return_host_parse(written, strlen(written), &again));
    check(again.seen == host.seen && again.is_whole == host.is_whole &&
          again.is_stopped == host.is_stopped);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static FuzzParser *const parsers[] = {check_verdict, check_switch, check_host, check_return,
                                          check_return_host};

    run_one_of(parsers, G_N_ELEMENTS(parsers), data, size);
    return 0;
}
