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

/* A term comes back in the place of its networks, wherever they have got to. */
static void test_restore(void **state)
{
    g_autoptr(Draft) draft = draft_new("v=spf1 a  mx ip4:192.0.2.1 -all");
    g_autoptr(Draft) copy = NULL;
    g_autofree char *text = NULL;
    g_autofree char *without = NULL;

    (void)state;
    draft_replace(draft, 1, (const char *const[]){"ip4:192.0.2.2", "ip4:192.0.2.3", NULL});
    draft_insert(draft, 2, "include:x.org");
    copy = draft_copy(draft);
    draft_restore(copy, "mx");
    text = draft_text(copy);
    assert_string_equal(text, "v=spf1 a  mx include:x.org ip4:192.0.2.1 -all");
    draft_replace(draft, 0, (const char *const[]){NULL});
    draft_restore(draft, "a");
    without = draft_text(draft);
    assert_string_equal(without,
                        "v=spf1  ip4:192.0.2.2 include:x.org ip4:192.0.2.3 ip4:192.0.2.1 a -all");
}

static const struct unite_row {
    const char *name; /* records, parted by "|" */
    const char *united;
} unite_rows[] = {
    {"v=spf1 a -all", "v=spf1 a -all"},
    {"v=spf1 a -all|v=spf1 mx ~all", "v=spf1 a mx ~all"},
    {"v=spf1 a ~all|v=spf1 mx ?all|v=spf1 -all", "v=spf1 a mx ?all"},
    {"v=spf1 a|v=spf1 mx -all", "v=spf1 a mx -all"},
    {"v=spf1 a|v=spf1 mx", "v=spf1 a mx"},
    {"v=spf1 a +all|v=spf1 mx -all", "v=spf1 a mx ?all"},
    {"v=spf1 a mx -all|v=spf1 MX +a ptr -all", "v=spf1 a mx ptr -all"},
    {"v=spf1 ?a -all|v=spf1 a -all", "v=spf1 a -all"},
    {"v=spf1 a -all|v=spf1 -a -all", "v=spf1 a -all"},

    /* What never counted doesn't begin to. */
    {"v=spf1 a -all ip4:0.0.0.0/0|v=spf1 mx -all", "v=spf1 a mx -all"},
    {"v=spf1 a +all mx|v=spf1 ptr ~all +include:x.org exp=y.org", "v=spf1 a ptr ?all exp=y.org"},
    /* What a record refuses first, it goes on to. */
    {"v=spf1 ~include:x.org -all|v=spf1 -ip4:192.0.2.1 include:x.org -all",
     "v=spf1 ~include:x.org -ip4:192.0.2.1 -all"},
    {"v=spf1 -ip4:192.0.2.1 ip4:192.0.2.0/24 -all|v=spf1 ip4:192.0.2.1 a -all",
     "v=spf1 ip4:192.0.2.1 a ip4:192.0.2.0/24 -all"},
    {"v=spf1 redirect=x.org -a|v=spf1 ?mx ?ptr -all", "v=spf1 -a include:x.org ?mx ?ptr -all"},
    {"v=spf1 exists:%{S}.x.org -all|v=spf1 -exists:%{s}.x.org a -all",
     "v=spf1 exists:%{S}.x.org -exists:%{s}.x.org a -all"},
    {"v=spf1 redirect=x.org|v=spf1 a", "v=spf1 a redirect=x.org"},
    {"v=spf1 redirect=x.org|v=spf1 a -all", "v=spf1 include:x.org a -all"},
    {"v=spf1 redirect=x.org|v=spf1 redirect=y.org", "v=spf1 include:y.org redirect=x.org"},
    {"v=spf1 redirect=x.org|v=spf1 redirect=X.org.", "v=spf1 redirect=x.org"},
    {"v=spf1 redirect=x.org -all|v=spf1 a -all", "v=spf1 a -all"},
    {"v=spf1 a exp=x.org foo=1 -all|v=spf1 exp=y.org foo=2 bar=3",
     "v=spf1 a -all exp=x.org foo=1 bar=3"},
};

static void test_unite(void **state)
{
    const struct unite_row *row = *state;
    g_auto(GStrv) texts = g_strsplit(row->name, "|", -1);
    g_autoptr(GPtrArray) drafts = g_ptr_array_new_with_free_func((GDestroyNotify)draft_free);
    g_autoptr(Draft) united = NULL;
    g_autofree char *text = NULL;

    for (char **each = texts; *each != NULL; each++)
        g_ptr_array_add(drafts, draft_new(*each));
    united = draft_unite(drafts);
    text = draft_text(united);
    assert_string_equal(text, row->united);
}

int main(void)
{
    GArray *tests = table_new();

    TABLE_ADD(tests, rows, test_places);
    TABLE_ADD(tests, key_rows, test_key);
    TABLE_ADD(tests, unite_rows, test_unite);
    table_add(tests, "replace", test_replace, NULL);
    table_add(tests, "restore", test_restore, NULL);
    return table_run(tests, "draft");
}
