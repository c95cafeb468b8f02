#include "config.h"

#include "show/reason.h"

#include <string.h>

#include "unit/table.h"

/* In English a reason stays as it is, whatever it is made of; German is in advise_test.py. */
static const struct reason_row {
    const char *name;
} reason_rows[] = {
    {""},
    {"x.org has no SPF record"},
    {" has no SPF record"},
    {"x.org has no SPF record has no SPF record"},
    {"x.org has 2 SPF records"},
    {"x.org has more than 10 mail servers"},
    {"x.org leads back to itself"},
    {"x.org: no answer for x.org (TXT): no answer in time"},
    {"spf:x.org: temperror: no answer in time"},
    {"the record of x.org is wrong: \"foo\" at character 8: there is no such mechanism"},
    {"the record of  is wrong: "},
    {"the relay set is incomplete: no answer for x.org (TXT): time-out"},
    {"no answer for {reason} (TXT): {name}"},
    {"more than 10 terms need a look-up; the first that is too much is \"a\" of x.org"},
    {"not provable for all of 192.0.2.0/24: \"-ptr\" of x.org depends on the address"},
    {"\"\" at character 8: \"\" at character 8: \"\" at character 8: \"\" at character 8: x"},
    {"libspf2 and the terms of the record disagree"},
};

static void test_reason(void **state)
{
    const struct reason_row *row = *state;
    g_autofree char *text = reason_in(NULL, row->name);

    assert_string_equal(text, row->name);
}

int main(void)
{
    GArray *tests = table_new();

    TABLE_ADD(tests, reason_rows, test_reason);
    return table_run(tests, "reason_test");
}
