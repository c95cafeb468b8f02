#include "config.h"

#include "mail/header_fields.h"

#include <string.h>

#include "unit/table.h"

static void test_nth_and_count(void **state)
{
    g_autoptr(HeaderFields) fields = header_fields_new();

    (void)state;
    assert_true(header_fields_append(fields, "From", "a@b.example", -1));
    assert_true(header_fields_append(fields, "To", "x@y.example", -1));
    assert_true(header_fields_append(fields, "FROM", "c@d.example", -1));
    assert_int_equal(header_fields_length(fields), 3);
    assert_int_equal(header_fields_count(fields, "from"), 2);
    assert_int_equal(header_fields_count(fields, "Subject"), 0);
    assert_string_equal(header_fields_nth(fields, "from", 1)->value, "a@b.example");
    assert_string_equal(header_fields_nth(fields, "from", 2)->value, "c@d.example");
    assert_string_equal(header_fields_nth(fields, "from", 2)->name, "FROM");
    assert_null(header_fields_nth(fields, "from", 3));
    assert_null(header_fields_nth(fields, "from", 0));
    assert_string_equal(header_fields_at(fields, 1)->name, "To");
    assert_false(header_fields_is_cut(fields));
}

/* Readers take "From : x" for a From: too. */
static void test_blank_before_the_colon(void **state)
{
    g_autoptr(HeaderFields) fields = header_fields_new();

    (void)state;
    header_fields_append(fields, "From \t", "a@b.example", -1);
    header_fields_append(fields, " From", "a@b.example", -1);
    assert_int_equal(header_fields_count(fields, "From"), 1);
}

static void test_hides(void **state)
{
    static const struct {
        const char *value;
        bool hides;
    } rows[] = {
        {"x\rFrom: a@b.example", true},
        {"x\r\r\nfROM \t: a@b.example", true},
        {"\rFrom:", true},
        {"x\r From: a@b.example", false},
        {"x\rFrom a@b.example", false},
        {"x\rFroms: a@b.example", false},
        {"x\n From: a@b.example", false},
        {"From: a@b.example", false},
        {"x\rFrom", false},
        {"x\r", false},
        {"", false},
    };

    (void)state;
    for (size_t i = 0; i < G_N_ELEMENTS(rows); i++) {
        g_autoptr(HeaderFields) fields = header_fields_new();

        header_fields_append(fields, "Subject", rows[i].value, -1);
        assert_int_equal(header_field_hides(header_fields_at(fields, 0), "From"), rows[i].hides);
    }
}

static void test_copies(void **state)
{
    g_autoptr(HeaderFields) fields = header_fields_new();
    char name[] = "Subject";
    char value[] = "one\n two";

    (void)state;
    header_fields_append(fields, name, value, -1);
    memset(name, 'x', strlen(name));
    memset(value, 'x', strlen(value));
    assert_string_equal(header_fields_nth(fields, "Subject", 1)->value, "one\n two");
}

static void test_nul_inside(void **state)
{
    g_autoptr(HeaderFields) fields = header_fields_new();

    (void)state;
    header_fields_append(fields, "From", "a\0b", 3);
    assert_int_equal(header_fields_at(fields, 0)->length, 3);
    assert_memory_equal(header_fields_at(fields, 0)->value, "a\0b", 4);
}

static void test_blank(void **state)
{
    static const struct {
        const char *value;
        gssize length;
        bool is_blank;
    } rows[] = {
        {"", -1, true},    {" \t\n ", -1, true}, {" a", -1, false},
        {"()", -1, false}, {"\0", 1, false},     {" \0", 2, false},
    };

    (void)state;
    for (size_t i = 0; i < G_N_ELEMENTS(rows); i++) {
        g_autoptr(HeaderFields) fields = header_fields_new();

        header_fields_append(fields, "From", rows[i].value, rows[i].length);
        assert_int_equal(header_field_is_blank(header_fields_at(fields, 0)), rows[i].is_blank);
    }
}

static void test_long_value_is_cut(void **state)
{
    g_autoptr(HeaderFields) fields = header_fields_new();
    g_autofree char *value = g_strnfill(HEADER_FIELDS_VALUE_MAX + 1, 'x');

    (void)state;
    assert_false(header_fields_append(fields, "To", value, -1));
    assert_true(header_fields_append(fields, "From", "a@b.example", -1));
    assert_int_equal(header_fields_at(fields, 0)->length, HEADER_FIELDS_VALUE_MAX);
    assert_int_equal(strlen(header_fields_at(fields, 0)->value), HEADER_FIELDS_VALUE_MAX);
    assert_true(header_fields_at(fields, 0)->is_cut);
    assert_true(header_fields_is_cut(fields));
    assert_false(header_fields_is_whole(fields, "to"));
    assert_true(header_fields_is_whole(fields, "From"));
}

static void test_values_together_are_bounded(void **state)
{
    g_autoptr(HeaderFields) fields = header_fields_new();
    g_autofree char *value = g_strnfill(HEADER_FIELDS_VALUE_MAX, 'x');
    gsize kept = 0;

    (void)state;
    for (int i = 0; i < 100; i++)
        header_fields_append(fields, "X-Long", value, -1);
    assert_false(header_fields_append(fields, "From", "a@b.example", -1));
    for (guint i = 0; i < header_fields_length(fields); i++)
        kept += header_fields_at(fields, i)->length;
    assert_int_equal(kept, HEADER_FIELDS_VALUES_MAX);
    assert_int_equal(header_fields_count(fields, "From"), 1);
    assert_false(header_fields_is_whole(fields, "From"));
    assert_true(header_fields_append(fields, "From", "", -1)); /* nothing of it is missing */
}

static void test_number_is_bounded(void **state)
{
    g_autoptr(HeaderFields) fields = header_fields_new();

    (void)state;
    for (guint i = 0; i < 2 * HEADER_FIELDS_MAX; i++)
        header_fields_append(fields, "X", "y", -1);
    assert_int_equal(header_fields_length(fields), HEADER_FIELDS_MAX);
    assert_true(header_fields_is_cut(fields));
    assert_false(header_fields_is_whole(fields, "X"));
    assert_true(header_fields_is_whole(fields, "From"));
    assert_true(header_fields_is_countable(fields));

    /* A From: behind the end has to be deleted, so it still counts; what it says is lost. */
    assert_false(header_fields_append(fields, "From ", "a@b.example", -1));
    assert_int_equal(header_fields_count(fields, "From"), 1);
    assert_false(header_fields_is_whole(fields, "From"));
    assert_string_equal(header_fields_nth(fields, "From", 1)->value, "");
    assert_false(header_field_is_blank(header_fields_nth(fields, "From", 1)));
}

static void test_counted_fields_are_bounded(void **state)
{
    g_autoptr(HeaderFields) fields = header_fields_new();

    (void)state;
    for (guint i = 0; i < 3 * HEADER_FIELDS_MAX; i++)
        header_fields_append(fields, "sender", "", -1);
    assert_int_equal(header_fields_length(fields), 2 * HEADER_FIELDS_MAX);
    assert_false(header_fields_is_whole(fields, "From"));
    assert_false(header_fields_is_countable(fields));
}

static void test_long_name_is_cut(void **state)
{
    g_autoptr(HeaderFields) fields = header_fields_new();
    g_autofree char *name = g_strnfill(100000, 'x');

    (void)state;
    header_fields_append(fields, name, "", -1);
    assert_int_equal(strlen(header_fields_at(fields, 0)->name), HEADER_FIELDS_NAME_MAX);
}

int main(void)
{
    GArray *tests = table_new();

    table_add(tests, "nth and count", test_nth_and_count, NULL);
    table_add(tests, "blank before the colon", test_blank_before_the_colon, NULL);
    table_add(tests, "hides", test_hides, NULL);
    table_add(tests, "copies", test_copies, NULL);
    table_add(tests, "nul inside", test_nul_inside, NULL);
    table_add(tests, "blank", test_blank, NULL);
    table_add(tests, "long value is cut", test_long_value_is_cut, NULL);
    table_add(tests, "values together are bounded", test_values_together_are_bounded, NULL);
    table_add(tests, "number is bounded", test_number_is_bounded, NULL);
    table_add(tests, "counted fields are bounded", test_counted_fields_are_bounded, NULL);
    table_add(tests, "long name is cut", test_long_name_is_cut, NULL);
    return table_run(tests, "header_fields");
}
