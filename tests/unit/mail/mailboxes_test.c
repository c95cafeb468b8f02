#include "config.h"

#include "mail/mailboxes.h"

#include <string.h>

#include "unit/table.h"

/*
 * What was read, as "name|addr-spec" one after another, "-" for no name; "?" before it where there
 * was doubt.
 */
static char *as_text(const Mailboxes *mailboxes)
{
    GString *text = g_string_new(mailboxes->is_doubtful ? "?" : "");

    for (guint i = 0; i < mailboxes->mailboxes->len; i++) {
        const Mailbox *mailbox = mailboxes_at(mailboxes, i);

        if (text->len > 0)
            g_string_append_c(text, ' ');
        g_string_append_printf(text, "%s|%s",
                               mailbox->display_name != NULL ? mailbox->display_name : "-",
                               mailbox->addr_spec);
    }
    return g_string_free(text, FALSE);
}

static const struct row {
    const char *value;
    const char *read;
} rows[] = {
    /* Parsers take an "@" behind a quoted parenthesis, or in a comment behind a group, for an address. */
    {"(a \\) <x@bank.example>) <a@b.example>", "? a ) <x@bank.example>|a@b.example"},
    {"a@b.example (\\), x@bank.example, \\()", "? ), x@bank.example, (|a@b.example"},
    {"g: a@b.example; (x@bank.example)", "? -|a@b.example"},
    {"(a \\) b) <a@b.example>", "a ) b|a@b.example"},
    {"\"(x@y.example); z\" <a@b.example>", "(x@y.example); z|a@b.example"},
    {"\"z \\) x@y.example\" <a@b.example>", "z ) x@y.example|a@b.example"},
    {"(x@bank.example) \"a; \" <a@b.example>", "a; |a@b.example"},
    {"g: a@b.example; (x)", "-|a@b.example"},

    /* What everyone reads in one way. */
    {"mueller@praxis.example", "-|mueller@praxis.example"},
    {" mueller@praxis.example ", "-|mueller@praxis.example"},
    {"<mueller@praxis.example>", "-|mueller@praxis.example"},
    {"< mueller@praxis.example >", "-|mueller@praxis.example"},
    {"\n mueller@praxis.example", "-|mueller@praxis.example"},
    {"Praxis Nord <a@b.example>", "Praxis Nord|a@b.example"},
    {"Praxis\n Nord\n\t<a@b.example>", "Praxis Nord|a@b.example"},
    {"Praxis<a@b.example>", "Praxis|a@b.example"},
    {"\"M, x\" <a@b.example>", "M, x|a@b.example"},
    {"\"M\\\"x\\\\\" <a@b.example>", "M\"x\\|a@b.example"},
    {"\"M\n x\" <a@b.example>", "M x|a@b.example"},
    {"\"a@b.example\" <a@b.example>", "a@b.example|a@b.example"},
    {"\"<x@y.example>\" <a@b.example>", "<x@y.example>|a@b.example"},
    {"\"\" <a@b.example>", "-|a@b.example"},
    {"Dr. Nord <a@b.example>", "Dr. Nord|a@b.example"},
    {"\"A\" B \"C\" <a@b.example>", "A B C|a@b.example"},
    {"a@b.example (Praxis Nord)", "Praxis Nord|a@b.example"},
    {"Praxis <a@b.example> (Nord)", "Praxis|a@b.example"},
    {"Praxis (alt) Nord <a@b.example>", "Praxis Nord|a@b.example"},
    {"(Joe Muster) joe@b.example", "Joe Muster|joe@b.example"},
    {"(Joe Muster) <joe@b.example>", "Joe Muster|joe@b.example"},
    {"<joe@b.example> (Joe Muster)", "Joe Muster|joe@b.example"},
    {"(x) joe@b.example (Joe)", "Joe|joe@b.example"},
    {"(x) Joe <joe@b.example> (y)", "Joe|joe@b.example"},
    {"a@b.example (x), c@d.example", "x|a@b.example -|c@d.example"},
    {"(=?utf-8?Q?M=C3=BCller?=) a@b.example", "M\xc3\xbcller|a@b.example"},
    {"a@b.example (x (y))", "x (y)|a@b.example"},
    {"Praxis (x (y (z)) w) <a@b.example>", "Praxis|a@b.example"},
    {"a@b.example (c@d.example)", "c@d.example|a@b.example"},
    {"a@b.example (<c>)", "<c>|a@b.example"},
    {"(x) a@b.example (c@d.example)", "c@d.example|a@b.example"},
    {"a@b.example (x (c@d.example))", "x (c@d.example)|a@b.example"},
    {"a@b.example (x, (\"y;\") z)", "x, (\"y;\") z|a@b.example"},
    {"a@b.example ((x))", "(x)|a@b.example"},
    {"info@b.example <info@b.example>", "-|info@b.example"},
    {"Info@B.example <info@b.example>", "-|info@b.example"},
    {"info@b.example <info@b.example>, c@d.example", "? -|info@b.example -|c@d.example"},
    {"a@b.example,", "-|a@b.example"},
    {"X <a@b.example>,\n ", "X|a@b.example"},
    {"a@b.example, Praxis <c@d.example>", "-|a@b.example Praxis|c@d.example"},
    {"a@b.example,\n c@d.example", "-|a@b.example -|c@d.example"},
    {"a@B.EXAMPLE", "-|a@b.example"},
    {"A.b+c@b.example", "-|A.b+c@b.example"},
    {"\"a b\"@c.example", "-|\"a b\"@c.example"},
    {"\"ab\"@c.example", "-|ab@c.example"},
    {"\"a..b\"@c.example", "-|\"a..b\"@c.example"},
    {"a..b@c.example", "-|\"a..b\"@c.example"},
    {"a.@b.example", "-|\"a.\"@b.example"},
    {".a@b.example", "-|\".a\"@b.example"},
    {"\"X, y\" <a...b.@c.example>, .d@e.example", "X, y|\"a...b.\"@c.example -|\".d\"@e.example"},
    {"a@localhost", "-|a@localhost"},
    {"a@b_c.example", "-|a@b_c.example"},

    /* Names in any charset. */
    {"M\xc3\xbcller <a@b.example>", "M\xc3\xbcller|a@b.example"},
    {"M\xfcller <a@b.example>", "M\xc3\xbcller|a@b.example"},
    {"\"M\xfcller\" <a@b.example>", "M\xc3\xbcller|a@b.example"},
    {"a@b.example (M\xfcller)", "M\xc3\xbcller|a@b.example"},
    {"=?utf-8?Q?M=C3=BCller?= <a@b.example>", "M\xc3\xbcller|a@b.example"},
    {"\"=?utf-8?Q?M=C3=BCller?=\" <a@b.example>", "M\xc3\xbcller|a@b.example"},
    {"=?utf-8?Q?A?=\n =?iso-8859-1?Q?=FC?= B <a@b.example>", "A\xc3\xbc B|a@b.example"},
    {"=?utf-8?Q?a=40b.example?= <c@d.example>", "a@b.example|c@d.example"},
    {"=?x-unknown?Q?M=FCller?= <a@b.example>", "=?x-unknown?Q?M=FCller?=|a@b.example"},

    /* Other than ASCII in the address. */
    {"a@m\xc3\xbcller.example", "-|a@xn--mller-kva.example"},
    {"a@M\xc3\x9cLLER.example", "-|a@xn--mller-kva.example"},
    {"a@xn--mller-kva.example", "-|a@xn--mller-kva.example"},
    {"a@XN--Mller-KVA.Example", "-|a@xn--mller-kva.example"},
    {"a@xn--zz-invalid-.example", "-|a@xn--zz-invalid-.example"},
    {"j\xc3\xb6rg@b.example", "-|j\xc3\xb6rg@b.example"},
    {"a@BU\xcc\x88RO.example", "-|a@xn--bro-hoa.example"},
    {"a@stra\xc3\x9f"
     "e.example",
     "-|a@xn--strae-oqa.example"},
    {"a@b\xe3\x80\x82"
     "c.example",
     "? -|a@b.c.example"},
    {"a@bank.example\xe3\x80\x82"
     "evil.example",
     "? -|a@bank.example.evil.example"},
    {"a@ba\xc2\xadnk.example", "? -|a@bank.example"},
    {"a@ba\xe2\x80\x8bnk.example", "? -|a@bank.example"},
    {"a@\xef\xbd\x82"
     "ank.example",
     "? -|a@bank.example"},
    {"a@\xe2\x84\xa2.example", "? -|a@tm.example"},
    {"X <a@ba\xc2\xadnk.m\xc3\xbcller.example>", "? X|a@bank.xn--mller-kva.example"},
    {"a@m\xfcller.example", "?"},
    {"j\xf6rg@b.example", "?"},
    {"a\xe2\x80\xae@b.example", "?"},
    {"a\xc2\xa0@b.example", "?"},

    /* Groups. */
    {"g: a@b.example, X <c@d.example>;", "-|a@b.example X|c@d.example"},
    {"\"A, b\": a@b.example;", "-|a@b.example"},
    {"g: a@b.example;, c@d.example", "-|a@b.example -|c@d.example"},
    {"c@d.example, g: a@b.example;", "-|c@d.example -|a@b.example"},
    {"g:;", "?"},
    {"g: ;", "?"},
    {"g: (x);", "?"},
    {"g:;, a@b.example", "? -|a@b.example"},
    {"g: a@b.example", "? g|a@b.example"},
    {"Praxis: Nord <a@b.example>", "? Praxis: Nord|a@b.example"},
    {"=?utf-8?Q?Praxis:_M=C3=BCller?= <a@b.example>", "? Praxis: M\xc3\xbcller|a@b.example"},
    {"=?utf-8?Q?M=C3=BCller,_Dr.?= <a@b.example>", "? M\xc3\xbcller, Dr.|a@b.example"},
    {"g: a@b.example,;", "? -|a@b.example"},
    {"g: a@b.example; c@d.example", "? -|a@b.example -|c@d.example"},
    {"g: h: a@b.example;;", "? -|a@b.example"},
    {": a@b.example;", "? -|a@b.example"},
    {": a@b.example", "? -|a@b.example"},

    /* Legal, but not read by all in one way. */
    {"X <@a.example,@b.example:user@x.example>", "? X|user@x.example"},
    {"a . b @ x . example", "? -|a.b@x.example"},
    {"a@b .example", "? -|a@b.example"},
    {"<a@\n b.example>", "? -|a@b.example"},
    {"a(x)@b.example", "? x|a@b.example"},
    {"a@(x)b.example", "? x|a@b.example"},
    {"a@b.example (c@d.example\n x)", "? c@d.example x|a@b.example"},
    {"a@b.example (x\n c@d.example)", "? x c@d.example|a@b.example"},
    {"X <a@b.example (c@d.example)>", "? X|a@b.example"},
    {"X <(<c>) a@b.example>", "? X|a@b.example"},
    {"a@b.example (x) ('c@d.example(x)')", "? 'c@d.example(x)'|a@b.example"},
    {"a@b.example (c@d.example(x)) (y)", "? y|a@b.example"},
    {"a@b.example (x (y) <c>)", "? x (y) <c>|a@b.example"},
    {"a@b.example (x (y) c@d.example)", "? x (y) c@d.example|a@b.example"},
    {"a@b.example (x (y), z)", "? x (y), z|a@b.example"},
    {"a@b.example (x (y) \"z)", "? x (y) \"z|a@b.example"},
    {"\"a@x.example\"@y.example", "? -|\"a@x.example\"@y.example"},
    {"\"a\\\"b\"@c.example", "? -|\"a\\\"b\"@c.example"},
    {"\"M\x01\" <a@b.example>", "? M\x01|a@b.example"},
    {"a@b.example.", "? -|a@b.example"},

    /* A fold in quotes: where a parser ends them there, what is quoted behind is not. */
    {"\"x <c@d.example>\n y\" <a@b.example>", "? x <c@d.example> y|a@b.example"},
    {"\"x\n c@d.example\" <a@b.example>", "? x c@d.example|a@b.example"},
    {"\"x\n <y\" <a@b.example>", "? x <y|a@b.example"},
    {"\"x\n y\" <a@b.example>, \"c@d.example\" <e@f.example>",
     "? x y|a@b.example c@d.example|e@f.example"},
    {"\"c@d.example\" <e@f.example>, \"x\n y\" <a@b.example>",
     "? c@d.example|e@f.example x y|a@b.example"},
    {"(x\n \" y) \"c@d.example\" <a@b.example>", "? c@d.example|a@b.example"},
    {"\"c@d.example\"\n <a@b.example>", "c@d.example|a@b.example"},
    {"\"x\n y\" <a@b.example>", "x y|a@b.example"},
    {"\"c@d.example\" <a@b.example> (x\n y)", "c@d.example|a@b.example"},

    /* Not legal. */
    {"M&uuml;ller <a@b.example>", "? M&uuml;ller|a@b.example"},
    {"Praxis; Nord <a@b.example>", "? Praxis; Nord|a@b.example"},
    {"A,B;\n C <a@b.example>", "? A,B; C|a@b.example"},
    {"Praxis:Nord <a@b.example>", "? Praxis:Nord|a@b.example"},
    {"Praxis: M&uuml;ller <a@b.example>", "? M&uuml;ller|a@b.example"},
    {"Praxis M\xc3\xbcller, Dr. <a@b.example>", "? Praxis M\xc3\xbcller, Dr.|a@b.example"},
    {"a@b@c.example", "?"},
    {"X <a@b@c.example>", "?"},
    {"<a@x.example> <b@y.example>", "?"},
    {"<a@x.example> b@y.example", "?"},
    {"a@x.example <b@y.example>", "?"},

    {"a@x.example b@y.example", "?"},
    {"Praxis Nord a@b.example", "? Praxis Nord|a@b.example"},
    {"\"Praxis\" a@b.example", "? Praxis|a@b.example"},
    {"a@x.example\n b@y.example", "?"},
    {"<<a@b.example>>", "? -|a@b.example"},
    {"a@b c.example", "?"},
    {"X <a@b.example> foo", "? X|a@b.example"},
    {"X <a@b.example>>", "? X|a@b.example"},
    {"Praxis [Nord] <a@b.example>", "? Praxis [Nord]|a@b.example"},
    {". <a@b.example>", "? .|a@b.example"},
    {"a@b.example>", "? -|a@b.example"},
    {"a@b.example,,", "? -|a@b.example"},
    {"a@b.example, (x)", "? -|a@b.example"},
    {"a@b.example, c@d.example,", "? -|a@b.example -|c@d.example"},
    {"g: a@b.example;,", "? -|a@b.example"},
    {",a@b.example", "? -|a@b.example"},
    {"a@b.example,,c@d.example", "? -|a@b.example -|c@d.example"},
    {"a@b.example; c@d.example", "? -|a@b.example -|c@d.example"},
    {"a@b.example;", "? -|a@b.example"},
    {"a@[192.0.2.1]", "?"},
    {"a@[IPv6:2001:db8::1]", "?"},
    {"a@", "?"},
    {"@b.example", "?"},
    {"<@b.example>", "?"},
    {"a@.example", "?"},
    {"a@b..example", "?"},
    {"\"a\"b@c.example", "?"},
    {"mueller", "?"},
    {"Praxis Nord", "?"},
    {"<>", "?"},
    {"<mueller>", "?"},
    {"=?utf-8?Q?Erika_=3Ca=40b.example=3E?=", "? Erika|a@b.example"},
    {"=?utf-8?Q?a=40b.example?=", "? a@b.example|a@b.example"},
    {"=?utf-8?Q?a?=@b.example", "? -|=?utf-8?Q?a?=@b.example"},
    {"a@=?utf-8?Q?b?=.example", "?"},
    {"\"X <a@b.example>", "? X|a@b.example"},
    {"X\" <a@b.example>", "? X|a@b.example"},
    {"X <a@b.example", "? X|a@b.example"},
    {"X <a@b.example> (y", "? X|a@b.example"},
    {"(X <a@b.example>", "? X|a@b.example"},
    {"X) <a@b.example>", "? X)|a@b.example"},
    {"\\X <a@b.example>", "? \\X|a@b.example"},
    {"X <a@b.example>, \"y", "? X|a@b.example"},
    {"a\x01@b.example", "?"},
    {"a\x7f@b.example", "?"},
    {"a@b.example\r\n c", "?"},
    {"X\r\n <a@b.example>", "? X|a@b.example"},
    {"a@b.example\nc", "? c|a@b.example"},
    {"\"a\n\" <a@b.example>", "? a|a@b.example"},
    {"a@-.example!", "?"},
};

static Mailboxes *parse(const char *value)
{
    g_autoptr(HeaderFields) fields = header_fields_new();

    header_fields_append(fields, "From", value, -1);
    return mailboxes_parse(fields, "From");
}

static void test_parse(void **state)
{
    const struct row *row = *state;
    g_autoptr(Mailboxes) mailboxes = parse(row->value);
    g_autofree char *text = as_text(mailboxes);

    assert_string_equal(text, row->read);
    assert_false(mailboxes->is_missing);
}

static void test_parts(void **state)
{
    g_autoptr(Mailboxes) mailboxes = parse("X <\"a b\"@M\xc3\xbcller.Example>");
    const Mailbox *mailbox = mailboxes_at(mailboxes, 0);

    (void)state;
    assert_string_equal(mailbox->display_name, "X");
    assert_string_equal(mailbox->local_part, "a b");
    assert_string_equal(mailbox->domain, "M\xc3\xbcller.Example");
    assert_string_equal(mailbox->domain_name, "xn--mller-kva.example");
    assert_string_equal(mailbox->addr_spec, "\"a b\"@xn--mller-kva.example");
}

static void test_unread_name(void **state)
{
    static const struct {
        const char *value;
        const char *name; /* NULL: none */
    } names[] = {
        {"Praxis Nord <a@b@c.example>", "Praxis Nord"},
        {"\"=?utf-8?Q?M=C3=BCller?=\" <a@[192.0.2.1]>", "M\xc3\xbcller"},
        {"X <mueller>", "X"},
        {"X <a@m\xfcller.example>", "X"},
        {"Praxis, Nord", "Praxis, Nord"},
        {"X <a@-b!.example>", "X"},
        {"\"unbalanced <a@b.example>", NULL},
        {"a@b@c.example", NULL},
        {"a@b@c.example (Praxis Nord)", "Praxis Nord"},
        {"M&uuml;ller; X", "M&uuml;ller; X"},
        {"X <a@b.example>", NULL},
    };

    (void)state;
    for (size_t i = 0; i < G_N_ELEMENTS(names); i++) {
        g_autoptr(Mailboxes) mailboxes = parse(names[i].value);

        if (names[i].name == NULL)
            assert_null(mailboxes->unread_name);
        else
            assert_string_equal(mailboxes->unread_name, names[i].name);
    }
}

static void test_several_fields(void **state)
{
    g_autoptr(HeaderFields) fields = header_fields_new();
    g_autoptr(Mailboxes) mailboxes = NULL;
    g_autofree char *text = NULL;

    (void)state;
    header_fields_append(fields, "From", "a@b.example", -1);
    header_fields_append(fields, "To", "x@y.example", -1);
    header_fields_append(fields, "from", "c@d.example", -1);
    mailboxes = mailboxes_parse(fields, "From");
    text = as_text(mailboxes);
    assert_string_equal(text, "-|a@b.example -|c@d.example");
}

static void test_missing(void **state)
{
    static const char *const values[] = {NULL, "", " \n\t"};

    (void)state;
    for (size_t i = 0; i < G_N_ELEMENTS(values); i++) {
        g_autoptr(HeaderFields) fields = header_fields_new();
        g_autoptr(Mailboxes) mailboxes = NULL;

        header_fields_append(fields, "To", "x@y.example", -1);
        if (values[i] != NULL)
            header_fields_append(fields, "From", values[i], -1);
        mailboxes = mailboxes_parse(fields, "From");
        assert_true(mailboxes->is_missing);
        assert_true(mailboxes->is_doubtful);
        assert_int_equal(mailboxes->mailboxes->len, 0);
    }
}

static void test_an_empty_field_beside_another(void **state)
{
    g_autoptr(HeaderFields) fields = header_fields_new();
    g_autoptr(Mailboxes) mailboxes = NULL;

    (void)state;
    header_fields_append(fields, "From", "", -1);
    header_fields_append(fields, "From", "a@b.example", -1);
    mailboxes = mailboxes_parse(fields, "From");
    assert_true(mailboxes->is_doubtful);
    assert_false(mailboxes->is_missing);
    assert_int_equal(mailboxes->mailboxes->len, 1);
}

static void test_nul(void **state)
{
    g_autoptr(HeaderFields) fields = header_fields_new();
    g_autoptr(Mailboxes) mailboxes = NULL;

    (void)state;
    header_fields_append(fields, "From", "a@b.example\0x", 13);
    mailboxes = mailboxes_parse(fields, "From");
    assert_true(mailboxes->is_doubtful);
    assert_int_equal(mailboxes->mailboxes->len, 0);
}

/* Parses two From: of a name of that many octets, each in lines of less than 80. */
static bool is_doubtful_of_length(gsize each)
{
    g_autoptr(HeaderFields) fields = header_fields_new();
    g_autoptr(Mailboxes) mailboxes = NULL;
    g_autofree char *value = g_strnfill(each, 'x');

    for (gsize at = 70; at + 70 < each; at += 70)
        memcpy(value + at, "\n ", 2);
    memcpy(value + each - strlen(" <a@b.example>"), " <a@b.example>", strlen(" <a@b.example>"));
    header_fields_append(fields, "From", value, -1);
    header_fields_append(fields, "From", value, -1);
    mailboxes = mailboxes_parse(fields, "From");
    assert_int_equal(mailboxes->mailboxes->len, mailboxes->is_doubtful ? 0 : 2);
    return mailboxes->is_doubtful;
}

static void test_length(void **state)
{
    (void)state;
    assert_false(is_doubtful_of_length(MAILBOXES_TEXT_MAX / 2));
    assert_true(is_doubtful_of_length(MAILBOXES_TEXT_MAX / 2 + 1));
}

/* Parses a From: of lines of that many octets, "From: " included. */
static bool is_doubtful_with_lines(gsize first, gsize second)
{
    g_autofree char *filling = g_strnfill(first - strlen("From: "), 'x');
    g_autofree char *more = g_strnfill(second - strlen(" <a@b.example>"), 'y');
    g_autofree char *value = g_strconcat(filling, "\n ", more, "<a@b.example>", NULL);
    g_autoptr(Mailboxes) mailboxes = parse(value);

    assert_int_equal(mailboxes->mailboxes->len, 1);
    return mailboxes->is_doubtful;
}

/* An MTA breaks longer lines, where the sender wants it. */
static void test_long_line(void **state)
{
    (void)state;
    assert_false(is_doubtful_with_lines(998, 998));
    assert_true(is_doubtful_with_lines(999, 20));
    assert_true(is_doubtful_with_lines(20, 999));
}

static void test_cut_field(void **state)
{
    g_autoptr(HeaderFields) fields = header_fields_new();
    g_autoptr(Mailboxes) mailboxes = NULL;
    g_autofree char *value = g_strnfill(HEADER_FIELDS_VALUE_MAX, 'x');

    (void)state;
    for (gsize kept = 0; kept < HEADER_FIELDS_VALUES_MAX; kept += HEADER_FIELDS_VALUE_MAX)
        header_fields_append(fields, "To", value, -1);
    header_fields_append(fields, "From", "a@b.example", -1);
    mailboxes = mailboxes_parse(fields, "From");
    assert_true(mailboxes->is_doubtful);
    assert_false(mailboxes->is_missing);
    assert_int_equal(mailboxes->mailboxes->len, 0);
}

static void test_number(void **state)
{
    g_autoptr(GString) value = g_string_new("a@b.example");
    g_autoptr(Mailboxes) most = NULL;
    g_autoptr(Mailboxes) too_many = NULL;

    (void)state;
    for (int i = 1; i < MAILBOXES_MAX; i++)
        g_string_append(value, ", a@b.example");
    most = parse(value->str);
    assert_false(most->is_doubtful);
    assert_int_equal(most->mailboxes->len, MAILBOXES_MAX);
    g_string_append(value, ", a@b.example");
    too_many = parse(value->str);
    assert_true(too_many->is_doubtful);
    assert_int_equal(too_many->mailboxes->len, MAILBOXES_MAX);
}

static void test_number_in_several_fields(void **state)
{
    g_autoptr(HeaderFields) fields = header_fields_new();
    g_autoptr(Mailboxes) mailboxes = NULL;

    (void)state;
    for (int i = 0; i < MAILBOXES_MAX + 1; i++)
        header_fields_append(fields, "From", "a@b.example", -1);
    mailboxes = mailboxes_parse(fields, "From");
    assert_true(mailboxes->is_doubtful);
    assert_int_equal(mailboxes->mailboxes->len, MAILBOXES_MAX);
}

static void test_depth(void **state)
{
    static const char *const pieces[] = {"(",    "((",   "g:", "<", "\"", "[",
                                         "(\\(", "<@a:", "\\", ",", ";",  "@"};

    (void)state;
    for (size_t i = 0; i < G_N_ELEMENTS(pieces); i++) {
        g_autoptr(GString) value = g_string_new("a@b.example ");
        g_autoptr(Mailboxes) mailboxes = NULL;

        while (value->len < MAILBOXES_TEXT_MAX - 10)
            g_string_append(value, pieces[i]);
        mailboxes = parse(value->str);
        assert_true(mailboxes->is_doubtful);
    }
}

static void test_long_addr_spec(void **state)
{
    g_autofree char *filling = g_strnfill(308, 'x');
    g_autofree char *longest = g_strconcat(filling, "@", "abc.example", NULL);
    g_autofree char *too_long = g_strconcat("x", longest, NULL);
    g_autoptr(Mailboxes) read = parse(longest);
    g_autoptr(Mailboxes) not_read = parse(too_long);

    (void)state;
    assert_false(read->is_doubtful);
    assert_true(not_read->is_doubtful);
    assert_int_equal(not_read->mailboxes->len, 0);
}

static const struct path_row {
    const char *path;
    const char *addr_spec; /* NULL: a mailbox without a domain */
    const char *local_part;
} path_rows[] = {
    {"<a@b.example>", "a@b.example", "a"},
    {"a@b.example", "a@b.example", "a"},
    {"<A@B.Example>", "A@b.example", "A"},
    {"<a@b.example.>", "a@b.example", "a"},
    {"<\"a b\"@c.example>", "\"a b\"@c.example", "a b"},
    {"<\"a@x.example\"@c.example>", "\"a@x.example\"@c.example", "a@x.example"},
    {"<@a.example,@b.example:user@x.example>", "user@x.example", "user"},
    {"<j\xc3\xb6rg@m\xc3\xbcller.example>", "j\xc3\xb6rg@xn--mller-kva.example", "j\xc3\xb6rg"},
    {"<a=b#c@d.example>", "a=b#c@d.example", "a=b#c"},
    {"<prvs=1234=a@b.example>", "prvs=1234=a@b.example", "prvs=1234=a"},
    {"<>", NULL, ""},
    {"", NULL, ""},
    {"<postmaster>", NULL, "<postmaster>"},
    {"a@b@c.example", NULL, "a@b@c.example"},
    {"<a@[192.0.2.1]>", NULL, "<a@[192.0.2.1]>"},
    {"<a@b.example", NULL, "<a@b.example"},
    {"a@b.example>", NULL, "a@b.example>"},
    {"<a@b.example> x", NULL, "<a@b.example> x"},
    {"<a @b.example>", NULL, "<a @b.example>"},
    {"<a@b.example (x)>", NULL, "<a@b.example (x)>"},
    {"<@>", NULL, "<@>"},
    {"< >", NULL, "< >"},
    {"<.>", NULL, "<.>"},
    {"<a@b.example,c@d.example>", NULL, "<a@b.example,c@d.example>"},
    {"<a\n @b.example>", NULL, "<a\n @b.example>"},
};

static void test_path(void **state)
{
    const struct path_row *row = *state;
    g_autoptr(Mailbox) mailbox = mailbox_parse_path(row->path);

    assert_string_equal(mailbox->local_part, row->local_part);
    assert_null(mailbox->display_name);
    assert_int_equal(mailbox_is_null_sender(mailbox), row->local_part[0] == '\0');
    if (row->addr_spec != NULL) {
        assert_string_equal(mailbox->addr_spec != NULL ? mailbox->addr_spec : "(none)",
                            row->addr_spec);
        return;
    }
    assert_null(mailbox->domain);
    assert_null(mailbox->domain_name);
    assert_null(mailbox->addr_spec);
}

static void test_configured_address(void **state)
{
    g_autoptr(Mailbox) plain = mailbox_parse("noreply@lemniscus.de");
    g_autoptr(Mailbox) named = mailbox_parse("\"Lemniscus GmbH\" <noreply@Lemniscus.de>");

    (void)state;
    assert_non_null(plain);
    assert_null(plain->display_name);
    assert_string_equal(plain->addr_spec, "noreply@lemniscus.de");
    assert_non_null(named);
    assert_string_equal(named->display_name, "Lemniscus GmbH");
    assert_string_equal(named->addr_spec, "noreply@lemniscus.de");
    assert_null(mailbox_parse(""));
    assert_null(mailbox_parse("noreply"));
    assert_null(mailbox_parse("a@b.example, c@d.example"));
    assert_null(mailbox_parse("a@b@c.example"));
    assert_null(mailbox_parse("X <a@b.example"));
}

/* A reader that takes a CR for a line end sees one more From:. */
static void test_hidden_field(void **state G_GNUC_UNUSED)
{
    static const struct {
        const char *value;
        bool is_doubtful;
    } others[] = {
        {"y\rFrom: a@bank.example", true},
        {"y\r\rfrom : a@bank.example", true},
        {"y\r\nFROM:a@bank.example", true},
        {"y\r From: a@bank.example", false},
        {"y From: a@bank.example", false},
        {"y\rFromage: a@bank.example", false},
        {"y\r", false},
        {"", false},
    };

    for (gsize i = 0; i < G_N_ELEMENTS(others); i++) {
        g_autoptr(HeaderFields) fields = header_fields_new();
        g_autoptr(Mailboxes) mailboxes = NULL;

        header_fields_append(fields, "X-Other", others[i].value, -1);
        header_fields_append(fields, "From", "a@b.example", -1);
        mailboxes = mailboxes_parse(fields, "From");
        assert_int_equal(mailboxes->is_doubtful, others[i].is_doubtful);
        assert_int_equal(mailboxes->mailboxes->len, 1);
    }
}

int main(void)
{
    GArray *tests = table_new();

    for (size_t i = 0; i < G_N_ELEMENTS(rows); i++)
        table_add(tests, rows[i].value, test_parse, &rows[i]);
    for (size_t i = 0; i < G_N_ELEMENTS(path_rows); i++)
        table_add(tests, path_rows[i].path, test_path, &path_rows[i]);
    table_add(tests, "parts", test_parts, NULL);
    table_add(tests, "unread name", test_unread_name, NULL);
    table_add(tests, "several fields", test_several_fields, NULL);
    table_add(tests, "missing", test_missing, NULL);
    table_add(tests, "an empty field beside another", test_an_empty_field_beside_another, NULL);
    table_add(tests, "nul", test_nul, NULL);
    table_add(tests, "length", test_length, NULL);
    table_add(tests, "long line", test_long_line, NULL);
    table_add(tests, "cut field", test_cut_field, NULL);
    table_add(tests, "number", test_number, NULL);
    table_add(tests, "number in several fields", test_number_in_several_fields, NULL);
    table_add(tests, "depth", test_depth, NULL);
    table_add(tests, "long addr spec", test_long_addr_spec, NULL);
    table_add(tests, "configured address", test_configured_address, NULL);
    table_add(tests, "hidden field", test_hidden_field, NULL);
    mailboxes_init();
    return table_run(tests, "mailboxes");
}
