#include "config.h"

#include "advice/record/unite.h"

#include "unit/table.h"

static const struct row {
    const char *name; /* records, parted by "|" */
    const char *united;
} rows[] = {
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
    const struct row *row = *state;
    g_auto(GStrv) texts = g_strsplit(row->name, "|", -1);
    g_autoptr(GPtrArray) drafts = g_ptr_array_new_with_free_func((GDestroyNotify)draft_free);
    g_autoptr(Draft) united = NULL;
    g_autofree char *text = NULL;

    for (char **each = texts; *each != NULL; each++)
        g_ptr_array_add(drafts, draft_new(*each));
    united = unite(drafts);
    text = draft_text(united);
    assert_string_equal(text, row->united);
}

int main(void)
{
    GArray *tests = table_new();

    TABLE_ADD(tests, rows, test_unite);
    return table_run(tests, "unite");
}
