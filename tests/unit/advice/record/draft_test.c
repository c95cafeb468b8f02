#include "config.h"

#include "advice/record/draft.h"

#include <string.h>

#include "unit/table.h"

static const struct row {
    const char *name; /* the record */
    const char *last; /* with "mx:x.org" where it counts last */
    const char *all;  /* with "?all" behind the mechanisms */
} rows[] = {
    {"v=spf1", "v=spf1 mx:x.org", "v=spf1 ?all"},
    {"v=spf1 ", "v=spf1 mx:x.org ", "v=spf1 ?all "},
    {"v=spf1 a", "v=spf1 a mx:x.org", "v=spf1 a ?all"},
    {"V=SPF1  a   -all  ", "V=SPF1  a mx:x.org   -all  ", "V=SPF1  a   -all ?all  "},
    {"v=spf1 redirect=x.org", "v=spf1 mx:x.org redirect=x.org", "v=spf1 ?all redirect=x.org"},
    {"v=spf1 redirect=x.org a", "v=spf1 mx:x.org redirect=x.org a", "v=spf1 redirect=x.org a ?all"},
    {"v=spf1 a exp=x.org foo=", "v=spf1 a mx:x.org exp=x.org foo=", "v=spf1 a ?all exp=x.org foo="},
    {"v=spf1 ~all a -all", "v=spf1 mx:x.org ~all a -all", "v=spf1 ~all a -all ?all"},
};

static void test_places(void **state)
{
    const struct row *row = *state;
    g_autoptr(Draft) last = draft_new(row->name);
    g_autoptr(Draft) all = draft_copy(last);
    g_autofree char *unchanged = draft_text(last);
    g_autofree char *text = NULL;
    g_autofree char *text_all = NULL;

    assert_string_equal(unchanged, row->name);
    draft_insert(last, draft_end(last), "mx:x.org");
    text = draft_text(last);
    assert_string_equal(text, row->last);
    draft_insert(all, draft_behind_mechanisms(all), "?all");
    text_all = draft_text(all);
    assert_string_equal(text_all, row->all);
}

static const struct key_row {
    const char *name;
    const char *key;
} key_rows[] = {
    {"a", "a"},
    {"+a", "a"},
    {"~ALL", "all"},
    {"include:X.org.", "include:x.org"},
    {"ip4:192.0.2.1/32", "ip4:192.0.2.1"},
    {"ip4:192.0.2.0/24", "ip4:192.0.2.0/24"},
    {"-ip6:2001:DB8::1/128", "ip6:2001:db8::1"},
    {"-Exists:%{Ir}.%{l}.X.%{D}.", "exists:%{Ir}.%{l}.x.%{D}"},
    {"a:%{", "a:%{"},
    {"", ""},
};

static void test_key(void **state)
{
    const struct key_row *row = *state;
    g_autofree char *key = draft_key(row->name);

    assert_string_equal(key, row->key);
}

static void test_replace(void **state G_GNUC_UNUSED)
{
    g_autoptr(Draft) draft = draft_new("v=spf1  a  mx -all");
    g_autofree char *text = NULL;

    draft_replace(draft, 1, (const char *const[]){"ip4:192.0.2.1", "ip4:192.0.2.2", NULL});
    draft_replace(draft, 0, (const char *const[]){NULL});
    text = draft_text(draft);
    assert_string_equal(text, "v=spf1  ip4:192.0.2.1 ip4:192.0.2.2 -all");
    assert_int_equal(draft_at(draft, 1)->kind, RECORD_IP4);
    assert_int_equal(draft_find_kind(draft, RECORD_MX, 0), draft->terms->len);
}

int main(void)
{
    GArray *tests = table_new();

    TABLE_ADD(tests, rows, test_places);
    TABLE_ADD(tests, key_rows, test_key);
    table_add(tests, "replace", test_replace, NULL);
    return table_run(tests, "draft");
}
