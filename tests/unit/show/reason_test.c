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
    {"\"include:y.org\" of x.org: y.org has no SPF record"},
    {"\"a\" of x.org: no answer for x.org (A): no answer in time"},
    {"more than 2 look-ups find nothing; the last one is that of \"a\" of x.org"},
    {"\"include:y.org\" of x.org authorises a network wider than /8"},
    {"no verdict within 10 s"},
    {"libspf2 and the terms of the record disagree"},
};

static void test_reason(void **state)
{
    const struct reason_row *row = *state;
    g_autofree char *text = reason_in(NULL, row->name);

    assert_string_equal(text, row->name);
}

static const struct german_row {
    const char *name;
    const char *german;
} german_rows[] = {
    {"\"include:y.org\" of x.org: y.org has no SPF record",
     "„include:y.org“ von x.org: y.org hat keinen SPF-Eintrag"},
    {"\"a\" of x.org: no answer for x.org (A): no answer in time",
     "„a“ von x.org: keine Antwort auf die Frage nach x.org (A): keine Antwort innerhalb der Zeit"},
    {"more than 2 look-ups find nothing; the last one is that of \"a\" of x.org",
     "mehr als 2 DNS-Abfragen finden nichts; die letzte ist die von „a“ von x.org"},
    {"the record of x.org has more than 100 networks",
     "der Eintrag von x.org hat mehr als 100 Netze"},
    {"\"include:y.org\" of x.org authorises a network wider than /8",
     "„include:y.org“ von x.org autorisiert ein Netz, das größer als /8 ist"},
    {"no verdict within 10 s", "kein Ergebnis innerhalb von 10 s"},
};

static void test_german(void **state)
{
    const struct german_row *row = *state;
    g_autoptr(Language) german = language_new("de", NULL);
    g_autofree char *text = reason_in(german, row->name);

    assert_string_equal(text, row->german);
}

int main(void)
{
    GArray *tests = table_new();

    TABLE_ADD(tests, german_rows, test_german);
    TABLE_ADD(tests, reason_rows, test_reason);
    return table_run(tests, "reason_test");
}
