#include "config.h"

#include "mail/composer.h"

#include <string.h>

#include "unit/table.h"
#include "mail/display_name.h"
#include "mail/encoded_words.h"
#include "mail/mailboxes.h"

#define LINE_WANTED 78
#define LINE_WITH_WORD 76 /* RFC 2047 section 2 */
#define LINE_MOST 998

/* What holds for every value, whatever went in. */
static void check_value(const char *field_name, const char *value)
{
    g_autofree char *field = g_strconcat(field_name, ": ", value, NULL);
    g_auto(GStrv) lines = g_strsplit(field, "\n", -1);

    for (guint i = 0; lines[i] != NULL; i++) {
        assert_true(strlen(lines[i]) <= LINE_MOST);
        assert_null(strchr(lines[i], '\r'));
        if (strstr(lines[i], "=?utf-8?") != NULL)
            assert_true(strlen(lines[i]) <= LINE_WITH_WORD);
        if (i == 0)
            continue;
        assert_true(lines[i][0] == ' ' || lines[i][0] == '\t');
        assert_true(lines[i][strspn(lines[i], " \t")] != '\0');
    }
}

static gsize longest_line(const char *field_name, const char *value)
{
    g_autofree char *field = g_strconcat(field_name, ": ", value, NULL);
    g_auto(GStrv) lines = g_strsplit(field, "\n", -1);
    gsize longest = 0;

    for (guint i = 0; lines[i] != NULL; i++)
        longest = MAX(longest, strlen(lines[i]));
    return longest;
}

static char *compose(const char *field_name, const char *name, const char *addr_spec)
{
    Composer composer;

    composer_init(&composer, field_name);
    composer_append_mailbox(&composer, name, addr_spec);
    return composer_take(&composer);
}

static const struct row {
    const char *name;
    const char *value;
} rows[] = {
    {"Praxis Nord", "Praxis Nord <a@b.example>"},
    {"", "a@b.example"},
    {" \t", "a@b.example"},
    {"\xe2\x80\x8b", "a@b.example"},
    {"Dr. Nord", "\"Dr. Nord\" <a@b.example>"},
    {"Nord, Dr.", "\"Nord, Dr.\" <a@b.example>"},
    {"a \"b\" \\c", "\"a \\\"b\\\" \\\\c\" <a@b.example>"},
    {"a@b.example", "\"a@b.example\" <a@b.example>"},
    {"M\xc3\xbcller", "=?utf-8?Q?M=C3=BCller?= <a@b.example>"},
    {"Praxis M\xc3\xbcller", "Praxis =?utf-8?Q?M=C3=BCller?= <a@b.example>"},
    {"Praxis M\xc3\xbcller Nord", "Praxis =?utf-8?Q?M=C3=BCller?= Nord <a@b.example>"},
    {"M\xc3\xbcller A M\xc3\xbcller", "=?utf-8?B?TcO8bGxlciBBIE3DvGxsZXI=?= <a@b.example>"},
    {"Dr. M\xc3\xbcller", "=?utf-8?B?RHIuIE3DvGxsZXI=?= <a@b.example>"},
    {"\xe5\xb1\xb1\xe7\x94\xb0", "=?utf-8?B?5bGx55Sw?= <a@b.example>"},
    {"a\r\nFrom: b", "\"a From: b\" <a@b.example>"},
    {"a\tb", "a b <a@b.example>"},
    {"a\xe2\x80\xae"
     "b",
     "ab <a@b.example>"},
    {"\xff"
     "a",
     "a <a@b.example>"},
    {"=?utf-8?Q?x?=",
     "=?utf-8?B?PT91dGYtOD9RP3g/PQ==?= <a@b.example>"}, /* as a text, not as a word */
    /* GMime puts words of "B" together before it decodes: no padding inside, so the first is "Q" */
    {"\xf0\x9f\x8c\xbb\xe5\xb1\xb1\xe5\xb1\xb1\xe5\xb1\xb1\xe5\xb1\xb1\xe5\xb1\xb1\xe5\xb1\xb1\xe5"
     "\xb1\xb1"
     "\xe5\xb1\xb1\xe5\xb1\xb1\xe5\xb1\xb1\xe5\xb1\xb1\xe5\xb1\xb1\xe5\xb1\xb1\xe5\xb1\xb1",
     "=?utf-8?Q?=F0=9F=8C=BB=E5=B1=B1=E5=B1=B1=E5=B1=B1=E5=B1=B1=E5=B1=B1?=\n"
     " =?utf-8?B?5bGx5bGx5bGx5bGx5bGx5bGx5bGx5bGx5bGx?= <a@b.example>"},
    {"=?utf-8?X?x?=", "=?utf-8?B?PT91dGYtOD9YP3g/PQ==?= <a@b.example>"},
    {"=?x-unknown?Q?x?=", "=?x-unknown?Q?x?= <a@b.example>"},
    {"Praxis =?x-unknown?Q?x?= Nord", "Praxis =?x-unknown?Q?x?= Nord <a@b.example>"},
    {"M\xc3\xbc=?x-unknown?Q?x?=", "=?utf-8?B?TcO8?= =?x-unknown?Q?x?= <a@b.example>"},
    {"\xc3\xbc =?x-unknown?Q?x?=", "=?utf-8?B?w7wg?= =?x-unknown?Q?x?= <a@b.example>"},
};

static void test_mailbox(void **state)
{
    const struct row *row = *state;
    g_autofree char *value = compose("From", row->name, "a@b.example");

    assert_string_equal(value, row->value);
}

static char *compose_text(const char *text)
{
    Composer composer;

    composer_init(&composer, "X-Original-From");
    composer_append_text(&composer, text);
    return composer_take(&composer);
}

static void test_no_name(void **state)
{
    g_autofree char *value = compose("From", NULL, "a@b.example");

    (void)state;
    assert_string_equal(value, "a@b.example");
}

static void test_quoted_local_part(void **state)
{
    g_autofree char *bare = compose("From", NULL, "\"a@b.example\"@c.example");
    g_autofree char *named = compose("From", "A", "\"a@b.example\"@c.example");

    (void)state;
    assert_string_equal(bare, "<\"a@b.example\"@c.example>");
    assert_string_equal(named, "A <\"a@b.example\"@c.example>");
}

static void test_folding(void **state)
{
    g_autofree char *value = compose(
        "X-Original-From", "Gemeinschaftspraxis f\xc3\xbcr Psychotherapie und Psychosomatik",
        "praxis.psychotherapie@gemeinschaftspraxis.example");

    (void)state;
    assert_string_equal(
        value, "Gemeinschaftspraxis =?utf-8?Q?f=C3=BCr?= Psychotherapie und\n Psychosomatik "
               "<praxis.psychotherapie@gemeinschaftspraxis.example>");
}

/* What fits into one encoded word on a line of its own is not cut, however much stands before it.
 */
static void test_words_are_whole(void **state)
{
    (void)state;
    for (gsize before = 1; before < 70; before++) {
        for (gsize length = 1; length <= 22; length++) {
            g_autoptr(GString) name = g_string_new(NULL);
            g_autofree char *value = NULL;
            g_autofree char *text = NULL;

            for (gsize i = 0; i < before; i++)
                g_string_append_c(name, i % 9 == 8 && i + 1 < before ? ' ' : 'x');
            g_string_append_c(name, ' ');
            for (gsize i = 0; i < length; i++)
                g_string_append(name, "\xc3\xbc");
            value = compose("X-Original-From", name->str, "a@b.example");
            check_value("X-Original-From", value);
            assert_ptr_equal(strstr(value, "=?"), g_strrstr(value, "=?utf-8"));
            text = compose_text(name->str);
            assert_ptr_equal(strstr(text, "=?"), g_strrstr(text, "=?utf-8"));
        }
    }
}

static void test_list(void **state)
{
    Composer composer;
    g_autofree char *value = NULL;

    (void)state;
    composer_init(&composer, "Reply-To");
    composer_append_mailbox(&composer, "A", "a@b.example");
    composer_append_mailbox(&composer, NULL, "c@d.example");
    composer_append_mailbox(&composer, "Dr. E", "practice-with-a-long-name@one.example");
    value = composer_take(&composer);
    assert_string_equal(
        value, "A <a@b.example>, c@d.example, \"Dr. E\"\n <practice-with-a-long-name@one.example>");
}

/* A quoted string has no fold: where it would need one, the name is encoded. */
static void test_long_quoted_name(void **state)
{
    static const char *const names[] = {
        "Muster, Erika, Praxis fuer Psychotherapie am Alten Markt <e@x.example> in B",
        "Muster, Erika, Praxis fuer Psychotherapie am Alten Markt <e@x.example> in Bonn am Rhein",
    };

    (void)state;
    for (size_t i = 0; i < G_N_ELEMENTS(names); i++) {
        g_autofree char *first = compose("From", names[i], "a@b.example");
        g_autofree char *long_field = compose("X-Original-From", names[i], "a@b.example");
        g_autoptr(Mailbox) read = mailbox_parse(long_field);

        assert_true(strchr(first, '"') == NULL || strstr(first, "Bonn") == NULL);
        for (const char *at = strchr(first, '"'); at != NULL && at[1] != '"'; at++)
            assert_int_not_equal(at[1], '\n');
        assert_null(strchr(long_field, '"'));
        assert_string_equal(read->display_name, names[i]);
    }
}

/* Names that are long, or made of what is hard to fold: lines of 78, and the name survives. */
static void test_long_names(void **state)
{
    static const char *const pieces[] = {
        "x",
        "xy ",
        "\xc3\xbc",
        "\xc3\xbc ",
        "a\xcc\x88",
        "\"",
        "\\",
        "\" ",
        "@",
        ".",
        "=?",
        "=",
        "?=",
        "\xe5\xb1\xb1",
        "\xf0\x9f\x91\xa9\xe2\x80\x8d\xf0\x9f\x92\xbb",
        "xxxxxxxxx x\xc3\xbc ",
        "\xcc\x88",
        "=?x-unknown?Q?x?= ",
        "=?x-unknown?Q?x?=\xc3\xbc",
    };

    (void)state;
    for (size_t i = 0; i < G_N_ELEMENTS(pieces); i++) {
        for (gsize length = 1; length < DISPLAY_NAME_MAX; length += 1 + length / 2) {
            g_autoptr(GString) name = g_string_new("x");
            g_autofree char *value = NULL;
            g_autoptr(Mailbox) read = NULL;

            while (name->len + strlen(pieces[i]) <= length)
                g_string_append(name, pieces[i]);
            g_strchomp(name->str);
            value = compose("X-Original-From", name->str, "mueller@praxis.example");
            check_value("X-Original-From", value);
            assert_true(longest_line("X-Original-From", value) <= LINE_WANTED);
            read = mailbox_parse(value);
            assert_non_null(read);
            assert_string_equal(read->display_name, name->str);
        }
    }
}

static void test_name_that_is_too_long(void **state)
{
    g_autofree char *filling = g_strnfill(DISPLAY_NAME_MAX, 'x');
    g_autofree char *name = g_strconcat(filling, "y", NULL);
    g_autofree char *value = compose("From", name, "a@b.example");
    g_autoptr(Mailbox) read = mailbox_parse(value);

    (void)state;
    assert_string_equal(read->display_name, filling);
}

static void test_long_address(void **state)
{
    g_autofree char *local_part = g_strnfill(64, 'x');
    g_autofree char *addr_spec =
        g_strconcat(local_part, "@", local_part, ".", local_part, ".example", NULL);
    g_autofree char *value = compose("From", "Praxis", addr_spec);
    g_autofree char *wanted = g_strconcat("Praxis\n <", addr_spec, ">", NULL);

    (void)state;
    assert_string_equal(value, wanted);
}

/* Names are cut for an MTA that reads no longer mailbox; the address stays whole. */
static void test_mailbox_max(void **state)
{
    static const char *const pieces[] = {"x",         "xy ", "\xc3\xbc", "\xc3\xbc ",
                                         "a\xcc\x88", "\"",  ".",        "\xe5\xb1\xb1"};

    (void)state;
    for (size_t i = 0; i < G_N_ELEMENTS(pieces); i++) {
        for (gsize max = 10; max < 300; max += 7) {
            g_autoptr(GString) name = g_string_new("x");
            g_autofree char *value = NULL;
            g_autoptr(Mailbox) read = NULL;
            Composer composer;

            while (name->len < DISPLAY_NAME_MAX / 2)
                g_string_append(name, pieces[i]);
            composer_init(&composer, "From");
            composer.mailbox_max = max;
            composer_append_mailbox(&composer, name->str, "a@b.example");
            value = composer_take(&composer);
            check_value("From", value);
            assert_true(strlen(value) <= MAX(max, strlen("a@b.example")));
            read = mailbox_parse(value);
            assert_string_equal(read->addr_spec, "a@b.example");
            if (read->display_name != NULL)
                assert_true(g_str_has_prefix(name->str, read->display_name));
            assert_true(max < 200 || strlen(read->display_name) > 75);
        }
    }
}

/* The comma behind an address belongs to its line. */
static void test_commas(void **state)
{
    (void)state;
    for (int length = 1; length < 60; length++) {
        g_autofree char *name = g_strnfill((gsize)length, 'x');
        g_autofree char *value = NULL;
        Composer composer;

        composer_init(&composer, "Reply-To");
        composer_append_mailbox(&composer, name, "mueller@praxis.example");
        composer_append_mailbox(&composer, "\xc3\xbc", "a@b.example");
        composer_append_mailbox(&composer, NULL, name);
        composer_append_mailbox(&composer, NULL, "a@b.example");
        value = composer_take(&composer);
        check_value("Reply-To", value);
        assert_true(longest_line("Reply-To", value) <= LINE_WANTED);
    }
}

/* What follows an encoded word on its line, too. */
static void test_lines_with_words(void **state)
{
    (void)state;
    for (int length = 1; length < 60; length++) {
        g_autofree char *filling = g_strnfill((gsize)length, 'x');
        g_autofree char *name = g_strconcat("\xc3\xbc ", filling, NULL);
        g_autofree char *value = compose("From", name, "a@b.example");

        check_value("From", value);
    }
}

static void test_list_is_bounded(void **state)
{
    g_autofree char *name = g_strnfill(DISPLAY_NAME_MAX, '.');
    g_autofree char *value = NULL;
    Composer composer;

    (void)state;
    composer_init(&composer, "Reply-To");
    for (int i = 0; i < MAILBOXES_MAX; i++)
        composer_append_mailbox(&composer, name, "a@b.example");
    value = composer_take(&composer);
    check_value("Reply-To", value);
    assert_true(strlen(value) < 40000);
    assert_true(g_str_has_suffix(value, " a@b.example"));
}

static const struct text_row {
    const char *text;
    const char *value;
} text_rows[] = {
    {"rewritten; domain=praxis.example", "rewritten; domain=praxis.example"},
    {"a@b@c.example", "a@b@c.example"},
    {"\n a\n\tb ", "a b"},
    {"a\r\nBcc: x@y.example", "a Bcc: x@y.example"},
    {"a\n\n \nb", "a b"},
    {"a\x01"
     "b",
     "ab"},
    {"", ""},
    {"\n \n", ""},
    {"Praxis M\xc3\xbcller, Dr. <a@b.example>",
     "Praxis =?utf-8?B?TcO8bGxlciw=?= Dr. <a@b.example>"},
    {"M\xfcller, Dr.", "=?utf-8?B?TcO8bGxlciw=?= Dr."},
    {"M\xc3\xbcller M\xc3\xbcller", "=?utf-8?B?TcO8bGxlciBNw7xsbGVy?="},
    {"=?utf-8?Q?a?= <a@b@c.example>", "=?utf-8?Q?a?= <a@b@c.example>"},
    {"=?utf-8?Q?a?= \xc3\xbc =?utf-8?Q?b?=", "=?utf-8?Q?a?= =?utf-8?Q?_=C3=BC_?= =?utf-8?Q?b?="},
    {"=?utf-8?Q?=0D=0AFrom:_x?=, b", "From: x, b"},
    {"=?iso-8859-1?Q?M\xfcller?=, b", "=?utf-8?B?TcO8bGxlciw=?= b"},
    {"=?utf-8?B?TcO8 bGxlcg==?= <a", "=?utf-8?Q?M=C3=BCller?= <a"},
};

static void test_text(void **state)
{
    const struct text_row *row = *state;
    g_autofree char *value = compose_text(row->text);

    assert_string_equal(value, row->value);
}

static void test_long_texts(void **state)
{
    static const char *const pieces[] = {
        "x",   "x ", "\xc3\xbc", "\xc3\xbc ",     "=?",
        "\n ", "\r", "\xff",     "=?utf-8?Q?a?=", "=?utf-8?Q?a?= "};

    (void)state;
    for (size_t i = 0; i < G_N_ELEMENTS(pieces); i++) {
        g_autoptr(GString) text = g_string_new(NULL);
        g_autofree char *value = NULL;
        Composer composer;

        while (text->len < 100000)
            g_string_append(text, pieces[i]);
        composer_init(&composer, "X-Original-From");
        composer_append_text(&composer, text->str);
        value = composer_take(&composer);
        check_value("X-Original-From", value);
        assert_true(longest_line("X-Original-From", value) <=
                    LINE_WANTED + strlen("X-Original-From: "));
        assert_true(strlen(value) <= 4 * COMPOSER_TEXT_MAX);
    }
}

int main(void)
{
    GArray *tests = table_new();

    for (size_t i = 0; i < G_N_ELEMENTS(rows); i++)
        table_add(tests, rows[i].value, test_mailbox, &rows[i]);
    for (size_t i = 0; i < G_N_ELEMENTS(text_rows); i++)
        table_add(tests, text_rows[i].text, test_text, &text_rows[i]);
    table_add(tests, "no name", test_no_name, NULL);
    table_add(tests, "quoted local part", test_quoted_local_part, NULL);
    table_add(tests, "folding", test_folding, NULL);
    table_add(tests, "words are whole", test_words_are_whole, NULL);
    table_add(tests, "list", test_list, NULL);
    table_add(tests, "long names", test_long_names, NULL);
    table_add(tests, "long quoted name", test_long_quoted_name, NULL);
    table_add(tests, "name that is too long", test_name_that_is_too_long, NULL);
    table_add(tests, "long address", test_long_address, NULL);
    table_add(tests, "mailbox max", test_mailbox_max, NULL);
    table_add(tests, "commas", test_commas, NULL);
    table_add(tests, "lines with words", test_lines_with_words, NULL);
    table_add(tests, "list is bounded", test_list_is_bounded, NULL);
    table_add(tests, "long texts", test_long_texts, NULL);
    mailboxes_init();
    return table_run(tests, "composer");
}
