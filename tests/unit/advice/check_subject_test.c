#include "config.h"

#include "advice/check_subject.h"

#include "mail/mailboxes.h"
#include "unit/table.h"

static const struct row {
    const char *name; /* the text */
    const char *domain;
    const char *local_part;
    const char *without_www;
} rows[] = {
    {"x.de", "x.de", NULL, NULL},
    {"X.DE.", "x.de", NULL, NULL},
    {"praxis-m\u00fcller.de", "xn--praxis-mller-klb.de", NULL, NULL},
    {"anna@x.de", "x.de", "anna", NULL},
    {"Anna <anna@x.de>", "x.de", "anna", NULL},
    {"\"a b\"@x.de", "x.de", "a b", NULL},

    {"x.de,", "x.de", NULL, NULL},
    {"x.de ,", "x.de", NULL, NULL},
    {"x.de;", "x.de", NULL, NULL},
    {" x.de ", "x.de", NULL, NULL},
    {"\tx.de\n", "x.de", NULL, NULL},
    {"\u00a0x.de\u200b", "x.de", NULL, NULL},
    {"<x.de>", "x.de", NULL, NULL},
    {"<anna@x.de>", "x.de", "anna", NULL},
    {"<anna@x.de>,", "x.de", "anna", NULL},
    {"anna@x.de,", "x.de", "anna", NULL},
    {" anna@x.de. ", "x.de", "anna", NULL},
    {"\"x.de\"", "x.de", NULL, NULL},
    {"'x.de'", "x.de", NULL, NULL},
    {"\u201ex.de\u201c", "x.de", NULL, NULL},
    {"\u00bbanna@x.de\u00ab", "x.de", "anna", NULL},
    {"(x.de)", "x.de", NULL, NULL},
    {"\"<anna@x.de>\"", "x.de", "anna", NULL},
    {"@x.de", "x.de", NULL, NULL},

    {"https://x.de", "x.de", NULL, NULL},
    {"https://x.de/", "x.de", NULL, NULL},
    {"HTTPS://X.de/kontakt?a=b#c", "x.de", NULL, NULL},
    {"http://x.de:8080/", "x.de", NULL, NULL},
    {"https://anna:geheim@x.de/", "x.de", NULL, NULL},
    {"<https://x.de/>,", "x.de", NULL, NULL},
    {"https://praxis-m\u00fcller.de/", "xn--praxis-mller-klb.de", NULL, NULL},
    {"//x.de/", "x.de", NULL, NULL},
    {"x.de/", "x.de", NULL, NULL},
    {"x.de/kontakt", "x.de", NULL, NULL},
    {"x.de:443", "x.de", NULL, NULL},
    {"mailto:anna@x.de", "x.de", "anna", NULL},
    {"MAILTO:anna%40x.de?subject=Hallo%20du", "x.de", "anna", NULL},
    {"<mailto:anna@x.de>", "x.de", "anna", NULL},

    {"www.x.de", "www.x.de", NULL, "x.de"},
    {"https://www.x.de/", "www.x.de", NULL, "x.de"},
    {"anna@www.x.de", "www.x.de", "anna", "x.de"},
    {"www.de", "www.de", NULL, NULL},
    {"wwww.x.de", "wwww.x.de", NULL, NULL},
};

static void test_understood(void **state)
{
    const struct row *row = *state;
    g_autoptr(CheckSubject) subject = check_subject_parse(row->name);

    assert_string_equal(subject->domain, row->domain);
    assert_false(subject->is_malformed);
    assert_string_equal(subject->local_part != NULL ? subject->local_part : "(none)",
                        row->local_part != NULL ? row->local_part : "(none)");
    assert_string_equal(subject->without_www != NULL ? subject->without_www : "(none)",
                        row->without_www != NULL ? row->without_www : "(none)");
}

static const struct nothing {
    const char *name;
    bool is_address; /* a message could have it: its result is none */
} nothings[] = {
    {"", false},
    {" ", false},
    {",", false},
    {"@", false},
    {"a b", false},
    {"not a domain", false},
    {"x.de y.de", false},
    {"a..b", false},
    {"https://", false},
    {"https:///kontakt", false},
    {"mailto:", false},
    {"a@x.de, b@y.de", false},
    {"a@x.de b@y.de", false},
    {"Anna anna@x.de", false},
    {"a@", false},
    {"192.0.2.1", false},
    {"https://192.0.2.1/", false},
    {"2001:db8::1", false},
    {"[192.0.2.1]", false},
    {"\033[31m.de", false},
    {"\u202ex.de", false},
    {"v=spf1 mx -all", false},
    {"\xff.de", false},

    {"anna@a..example", true},
    {"anna@[192.0.2.1]", true},
};

static void test_nothing(void **state)
{
    const struct nothing *row = *state;
    g_autoptr(CheckSubject) subject = check_subject_parse(row->name);

    assert_true(subject->is_malformed);
    assert_int_equal(subject->is_nothing, !row->is_address);
    assert_null(subject->without_www);
    assert_true(g_utf8_validate(subject->domain, -1, NULL));
}

int main(void)
{
    GArray *tests = table_new();

    mailboxes_init();
    TABLE_ADD(tests, rows, test_understood);
    TABLE_ADD(tests, nothings, test_nothing);
    return table_run(tests, "check_subject_test");
}
