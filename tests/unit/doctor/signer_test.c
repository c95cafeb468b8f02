#include "config.h"

#include "doctor/signer.h"

#include <string.h>

#include "unit/table.h"

static const char *const selectors[] = {"lemniscus", "second", NULL};

#define KEYS                                                                                       \
    "# NAME DOMAIN:SELECTOR:KEY\n"                                                                 \
    "any %:lemniscus:/k/any\n"                                                                     \
    "other %:dkim:/k/other\n"                                                                      \
    "fixed lemniscus.de:lemniscus:/k/fixed\n"                                                      \
    "one\tpraxis.example:second:/k/one\n"                                                          \
    "short %:lemniscus\n"

static const struct row {
    const char *name; /* the SigningTable */
    bool is_pattern;
    SignerReach reach;
    const char *what; /* the domain or the selector */
    guint domains;
} rows[] = {
    {"*@* any\n", true, SIGNER_EVERYBODY, NULL, 0},
    {"* any", true, SIGNER_EVERYBODY, NULL, 0},
    {"* any", false, SIGNER_EVERYBODY, NULL, 0},
    {"*@* any", false, SIGNER_NOBODY, NULL, 0}, /* a file is not asked for patterns */
    {"*@*\tany:%\n", true, SIGNER_EVERYBODY, NULL, 0},
    {"*@* other\n", true, SIGNER_OTHER_SELECTOR, "dkim", 0},
    {"*@* fixed\n", true, SIGNER_NOBODY, NULL, 0},
    {"*@* fixed\n*@* any\n", true, SIGNER_NOBODY, NULL, 0}, /* the first one counts */
    {"*@lemniscus.de fixed\n*@* any\n", true, SIGNER_EVERYBODY, NULL, 1},
    {"# *@* any\n", true, SIGNER_NOBODY, NULL, 0},
    {"*@praxis.example one\n", true, SIGNER_SOME, "praxis.example", 1},
    {"praxis.example one\na.example any\n", false, SIGNER_SOME, "praxis.example", 2},
    {"praxis.example fixed\n", false, SIGNER_NOBODY, NULL, 0},
    {"anna@praxis.example one\n", false, SIGNER_NOBODY, NULL, 0},
    {"*@* nothing\n", true, SIGNER_NOBODY, NULL, 0},
    {"*@* short\n", true, SIGNER_NOBODY, NULL, 0},
    {"*@*\n", true, SIGNER_NOBODY, NULL, 0},
    {"", true, SIGNER_NOBODY, NULL, 0},
};

static void test_tables(void **state)
{
    const struct row *row = *state;
    g_auto(SignerTables) tables = {0};
    const char *what;

    signer_tables_read(&tables, KEYS, row->name, row->is_pattern, selectors);
    what = tables.reach == SIGNER_SOME ? tables.domain : tables.selector;
    assert_int_equal(tables.reach, row->reach);
    assert_string_equal(what != NULL ? what : "none", row->what != NULL ? row->what : "none");
    assert_int_equal(tables.domains, row->domains);
    assert_string_equal(tables.key, "/k/one");
}

static void test_no_key(void **state G_GNUC_UNUSED)
{
    g_auto(SignerTables) tables = {0};

    signer_tables_read(&tables, "any %:lemniscus:/k/%.key\nb %:dkim:/k/b\n", "* any", true,
                       selectors);
    assert_null(tables.key);
}

/* As in rspamd's own file. */
#define RSPAMD                                                                                       \
    "# Please don't modify this file; selector = \"no\";\n"                                          \
    "dkim_signing {\n"                                                                               \
    "  # Default path to key, can include '$domain' and '$selector' variables\n"                     \
    "  #path = \"/var/lib/rspamd/dkim/$domain.$selector.key\";\n"                                    \
    "  allow_envfrom_empty = true;\n"                                                                \
    "  selector = \"dkim\";\n"                                                                       \
    "  use_domain = \"header\";\n"                                                                   \
    "  use_esld = true;\n"                                                                           \
    "  .include(try=true,priority=1,duplicate=merge) \"$LOCAL_CONFDIR/local.d/dkim_signing.conf\"\n" \
    "}\n"

static const struct rspamd_row {
    const char *name; /* the text */
    const char *key;
    const char *value;
} rspamd_rows[] = {
    {RSPAMD, "selector", "dkim"},
    {RSPAMD, "use_esld", "true"},
    {RSPAMD, "path", NULL},
    {RSPAMD, "allow_envfrom_empty", "true"},
    {"selector: lemniscus", "selector", "lemniscus"},
    {"selector lemniscus;", "selector", "lemniscus"},
    {"selector = 'lemniscus', path = /k/a.key\n", "path", "/k/a.key"},
    {"selector = a;\nselector = \"b\";\n", "selector", "b"},
    {"domain { x.org { selectors [ { selector = \"ds\"; } ] } }\n", "selector", NULL},
    {"domain x.org { selector = \"ds\"; }\nselector = \"s\";", "selector", "s"},
    {"domain {\n # }\n x { path = \"}\"; }\n}\npath = \"/k\";", "path", "/k"},
    {"/* selector = \"a\"; */ selector = \"b\"", "selector", "b"},
    {"selector = \"a # b\"; # c", "selector", "a # b"},
    {"selector = \"never ends", "selector", "never ends"},
    {"sign_networks [\n\"192.0.2.0/24\",\n]\nuse_esld = false\n", "use_esld", "false"},
    {"}}]] = { selector", "selector", NULL},
    {"= ;", "selector", NULL},
    {"", "selector", NULL},
};

static void test_rspamd(void **state)
{
    const struct rspamd_row *row = *state;
    g_autofree char *value = signer_rspamd_value(row->name, row->key);

    assert_string_equal(value != NULL ? value : "none", row->value != NULL ? row->value : "none");
}

int main(void)
{
    GArray *tests = table_new();

    TABLE_ADD(tests, rows, test_tables);
    table_add(tests, "no key of ours", test_no_key, NULL);
    TABLE_ADD(tests, rspamd_rows, test_rspamd);
    return table_run(tests, "signer");
}
