/* `spfrom status` for people, of answers that no daemon of ours gives. */
#include "config.h"

#include "cli/status.h"

#include <string.h>

#include "unit/table.h"

static const struct row {
    const char *name;
    const char *answer;
    const char *shows; /* a part of it */
} rows[] = {
    {"nothing", "{}", "connections    0\n"},
    {"numbers that no sum has room for",
     "{\"cache\":{\"hit\":9223372036854775807,\"miss\":9223372036854775807},"
     "\"dns\":{\"trouble\":9223372036854775807,\"found\":9223372036854775807}}",
     "50.0 % of 1,152,921,504,606,846,974 look-ups were hits"},
    {"negative numbers", "{\"connections\":-100}", "connections    0\n"},
    {"other types", "{\"relay_set\":{\"networks\":[7,{}]},\"dns\":[1]}", "relay set      ?, ?"},
};

static void test_shown(void **state)
{
    const struct row *row = *state;
    json_t *answer = json_loads(row->answer, 0, NULL);
    g_autoptr(DaemonStatus) status = daemon_status_read(answer);
    g_auto(Page) page;

    json_decref(answer);
    page_init(&page, false);
    status_add(&page, status, 1769904000);
    if (strstr(page.text->str, row->shows) == NULL)
        assert_string_equal(page.text->str, row->shows);
}

int main(void)
{
    GArray *tests = table_new();

    TABLE_ADD(tests, rows, test_shown);
    return table_run(tests, "status");
}
