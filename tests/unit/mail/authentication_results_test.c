#include "config.h"

#include "mail/authentication_results.h"

#include "../table.h"

/* Fields are separated by "|"; the authserv-id that is asked for is mx.example. */
static const struct row {
    const char *name;
    const char *fields;
    const char *passes; /* joined by " " */
} rows[] = {
    {"a pass", "mx.example; dkim=pass header.d=praxis.example", "praxis.example"},
    {"a fail", "mx.example; dkim=fail header.d=praxis.example", ""},
    {"another method", "mx.example; spf=pass header.d=praxis.example", ""},
    {"another id", "mx.other; dkim=pass header.d=praxis.example", ""},
    {"an id that only ends so", "evilmx.example; dkim=pass header.d=praxis.example", ""},
    {"the id in upper case", "MX.Example; dkim=pass header.d=praxis.example", "praxis.example"},
    {"a version", "mx.example 1; dkim=pass header.d=praxis.example", "praxis.example"},
    {"two results", "mx.example; dkim=fail header.d=a.example; dkim=pass header.d=b.example",
     "b.example"},
    {"two passes", "mx.example; dkim=pass header.d=a.example; dkim=pass header.d=b.example",
     "a.example b.example"},
    {"a reason and other properties",
     "mx.example; dkim=pass (2048 bit; x=y) reason=\"good; really\" header.i=@x.example "
     "header.d=a.example header.s=k",
     "a.example"},
    {"folds and blanks", "mx.example;\n\tdkim = pass\n header.d = a.example", "a.example"},
    {"blanks round the dot are left out", "mx.example; dkim=pass header . d=a.example", ""},
    {"no result", "mx.example; none", ""},
    {"nothing behind the id", "mx.example", ""},
    {"only the topmost field of the id",
     "mx.example; none|mx.example; dkim=pass header.d=a.example", ""},
    {"below one of another id", "mx.other; none|mx.example; dkim=pass header.d=a.example",
     "a.example"},
    {"the domain as written", "mx.example; dkim=pass header.d=PRAXIS.Example.", "praxis.example"},
    {"no domain", "mx.example; dkim=pass header.d=@@", ""},
    {"a pass inside of quotes", "mx.example; spf=fail reason=\"; dkim=pass header.d=a.example\"",
     ""},
    {"a pass inside of a comment", "mx.example; spf=fail (; dkim=pass header.d=a.example)", ""},
    {"an open comment", "mx.example; dkim=pass (header.d=a.example", ""},
    {"a stray parenthesis", "mx.example; ) dkim=pass header.d=a.example", ""},
    {"dkim is not the method", "mx.example; spf=fail dkim=pass header.d=a.example", ""},
    {"no field", NULL, ""},
};

static void test_passes(void **state)
{
    const struct row *row = *state;
    g_autoptr(HeaderFields) fields = header_fields_new();
    g_auto(GStrv) values = row->fields != NULL ? g_strsplit(row->fields, "|", -1) : NULL;
    g_auto(GStrv) passes = NULL;
    g_autofree char *joined = NULL;

    for (guint i = 0; values != NULL && values[i] != NULL; i++)
        header_fields_append(fields, "Authentication-Results", values[i], -1);
    passes = authentication_results_dkim_passes(fields, "mx.example");
    joined = g_strjoinv(" ", passes);
    assert_string_equal(joined, row->passes);
}

/* As many as are kept: each is looked at once. */
static void test_many(void **state G_GNUC_UNUSED)
{
    g_autoptr(HeaderFields) fields = header_fields_new();
    g_auto(GStrv) passes = NULL;

    for (guint i = 1; i < HEADER_FIELDS_MAX; i++)
        header_fields_append(fields, "Authentication-Results", "x", -1);
    header_fields_append(fields, "Authentication-Results",
                         "mx.example; dkim=pass header.d=a.example", -1);
    passes = authentication_results_dkim_passes(fields, "mx.example");
    assert_int_equal(g_strv_length(passes), 1);
}

int main(void)
{
    GArray *tests = table_new();

    TABLE_ADD(tests, rows, test_passes);
    table_add(tests, "a great many fields of others", test_many, NULL);
    return table_run(tests, "authentication_results");
}
