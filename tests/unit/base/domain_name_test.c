#include "config.h"

#include "base/domain_name.h"

#include <string.h>

#include "unit/table.h"

#define LABEL_63 "abcdefghijklmnopqrstuvwxyz-abcdefghijklmnopqrstuvwxyz-abcdefghi"
#define NAME_253 LABEL_63 "." LABEL_63 "." LABEL_63 "." LABEL_61
#define LABEL_61 "abcdefghijklmnopqrstuvwxyz-abcdefghijklmnopqrstuvwxyz-abcdefg"

static const struct parse_row {
    const char *name;
    const char *text;
    const char *parsed; /* NULL: an error */
} parse_rows[] = {
    {"as it is", "mail.example.net", "mail.example.net"},
    {"one label", "localhost", "localhost"},
    {"upper case", "MAIL.Example.NET", "mail.example.net"},
    {"a trailing dot", "example.net.", "example.net"},
    {"two trailing dots", "example.net..", NULL},
    {"the root", ".", NULL},
    {"nothing", "", NULL},
    {"a leading dot", ".example.net", NULL},
    {"an empty label", "mail..example.net", NULL},
    {"underscores", "_dmarc.example.net", "_dmarc.example.net"},
    {"digits and hyphens", "4-fun.example.net", "4-fun.example.net"},
    {"a label of 63", LABEL_63 ".example", LABEL_63 ".example"},
    {"a label of 64", "a" LABEL_63 ".example", NULL},
    {"253 octets", NAME_253, NAME_253},
    {"253 octets and a dot", NAME_253 ".", NAME_253},
    {"254 octets", "a." LABEL_63 "." LABEL_63 "." LABEL_63 "." LABEL_61, NULL},
    {"254 octets without an empty label", LABEL_63 "." LABEL_63 "." LABEL_63 "." LABEL_61 "a",
     NULL},
    {"a blank", "exam ple.net", NULL},
    {"a leading blank", " example.net", NULL},
    {"a line end", "example.net\n", NULL},
    {"a control", "exam\x01ple.net", NULL},
    {"an at", "a@example.net", NULL},
    {"a colon", "spf:example.net", NULL},
    {"an address literal", "[192.0.2.1]", NULL},
    {"a star", "*.example.net", NULL},
    {"an umlaut", "praxis-müller.de", "xn--praxis-mller-klb.de"},
    {"an upper-case umlaut", "PRAXIS-MÜLLER.DE", "xn--praxis-mller-klb.de"},
    {"a decomposed umlaut", "praxis-mu\xcc\x88ller.de", "xn--praxis-mller-klb.de"},
    {"an umlaut and a trailing dot", "müller.de.", "xn--mller-kva.de"},
    {"an umlaut and two trailing dots", "müller.de..", NULL},
    {"an umlaut and an empty label", "müller..de", NULL},
    {"an umlaut and a leading dot", ".müller.de", NULL},
    {"an umlaut beside an underscore", "_dmarc.müller.de", "_dmarc.xn--mller-kva.de"},
    {"sharp s stays one", "straße.de", "xn--strae-oqa.de"},
    {"an ideographic full stop", "müller。de", "xn--mller-kva.de"},
    {"full-width letters", "ｅxample.net", "example.net"},
    {"a full-width at", "a＠example.net", NULL},
    {"a full-width slash", "a／example.net", NULL},
    {"Cyrillic", "пример.рф", "xn--e1afmkfd.xn--p1ai"},
    {"a soft hyphen goes", "exam\xc2\xadple.net", "example.net"},
    {"a zero-width blank", "exam\xe2\x80\x8bple.net", "example.net"},
    {"a bidi override", "exam\xe2\x80\xaeple.net", NULL},
    {"an emoji", "\xf0\x9f\x98\x80.net", NULL},
    {"an A-label", "xn--mller-kva.de", "xn--mller-kva.de"},
    {"an upper-case A-label", "XN--MLLER-KVA.DE", "xn--mller-kva.de"},
    {"an A-label that stands for nothing", "xn--0.de", "xn--0.de"},
    {"no UTF-8", "m\xfcller.de", NULL},
    {"cut UTF-8", "m\xc3", NULL},
};

static void test_parse(void **state)
{
    const struct parse_row *row = *state;
    g_autoptr(GError) error = NULL;
    g_autofree char *parsed = domain_name_parse(row->text, &error);

    if (row->parsed == NULL) {
        assert_null(parsed);
        assert_true(g_error_matches(error, DOMAIN_NAME_ERROR, DOMAIN_NAME_ERROR_SYNTAX));
        assert_true(g_utf8_validate(error->message, -1, NULL));
        return;
    }
    assert_null(error);
    assert_string_equal(parsed, row->parsed);
}

/* What was parsed is parsed to itself. */
static void test_parse_again(void **state)
{
    const struct parse_row *row = *state;
    g_autofree char *again = row->parsed != NULL ? domain_name_parse(row->parsed, NULL) : NULL;

    if (row->parsed != NULL)
        assert_string_equal(again, row->parsed);
}

static void test_error(void **state G_GNUC_UNUSED)
{
    g_autoptr(GError) error = NULL;

    assert_null(domain_name_parse("a@b.example", &error));
    assert_string_equal(error->message,
                        "\"a@b.example\" is not a domain; write it like mail.example.net");
}

/* Neither time nor the message grows with what a stranger sends. */
static void test_long(void **state G_GNUC_UNUSED)
{
    g_autoptr(GString) text = g_string_new(NULL);
    g_autoptr(GError) error = NULL;

    for (guint i = 0; i < 1000000; i++)
        g_string_append(text, "ü.");
    assert_null(domain_name_parse(text->str, &error));
    assert_true(strlen(error->message) < 200);
    assert_true(g_utf8_validate(error->message, -1, NULL));
}

static const struct within_row {
    const char *name; /* the domain */
    const char *parent;
    bool is_within;
} within_rows[] = {
    {"example.org", "example.org", true},
    {"mail.example.org", "example.org", true},
    {"a.b.example.org", "example.org", true},
    {"notexample.org", "example.org", false},
    {"example.org", "mail.example.org", false},
    {"example.org.evil.example", "example.org", false},
    {"example.org", "org", true},
    {"example.org", "g", false},
    {"example.org", "", false},
    {"", "example.org", false},
};

static void test_within(void **state)
{
    const struct within_row *row = *state;

    assert_int_equal(domain_name_is_within(row->name, row->parent), row->is_within);
}

static const struct organizational_row {
    const char *name; /* the domain */
    const char *organizational;
} organizational_rows[] = {
    {"praxis-mueller.de", "praxis-mueller.de"},
    {"mail.praxis-mueller.de", "praxis-mueller.de"},
    {"a.b.praxis.co.uk", "praxis.co.uk"},
    {"praxis.co.uk", "praxis.co.uk"},
    {"co.uk", "co.uk"},
    {"de", "de"},
    {"localhost", "localhost"},
    {"mail.praxis.example", "praxis.example"},
    {"a.example.github.io", "example.github.io"},
    {"www.xn--85x722f.xn--55qx5d.cn", "xn--85x722f.xn--55qx5d.cn"},
    {"_dmarc.praxis-mueller.de", "praxis-mueller.de"},
};

static void test_organizational(void **state)
{
    const struct organizational_row *row = *state;
    const char *organizational = domain_name_organizational(row->name);

    assert_string_equal(organizational, row->organizational);
    assert_true(organizational >= row->name &&
                organizational <= row->name + strlen(row->name)); /* it points into name */
}

static const struct aligned_row {
    const char *name;
    const char *a;
    const char *b;
    bool is_aligned;
} aligned_rows[] = {
    {"the same", "praxis.de", "praxis.de", true},
    {"a subdomain", "mail.praxis.de", "praxis.de", true},
    {"two subdomains", "mail.praxis.de", "bounce.praxis.de", true},
    {"two of one suffix", "a.de", "b.de", false},
    {"two of one suffix of two labels", "a.co.uk", "b.co.uk", false},
    {"an ending alone", "notpraxis.de", "praxis.de", false},
    {"a suffix and a domain of it", "co.uk", "a.co.uk", false},
    {"a suffix and itself", "co.uk", "co.uk", true},
    {"two subdomains below a suffix of two labels", "a.b.praxis.co.uk", "c.praxis.co.uk", true},
    {"one label and itself", "localhost", "localhost", true},
    {"one label and a domain of it", "de", "praxis.de", false},
};

static void test_aligned(void **state)
{
    const struct aligned_row *row = *state;

    assert_int_equal(domain_name_is_aligned(row->a, row->b), row->is_aligned);
    assert_int_equal(domain_name_is_aligned(row->b, row->a), row->is_aligned);
}

static const struct shown_row {
    const char *name; /* the domain */
    const char *shown;
} shown_rows[] = {
    {"praxis-mueller.de", "praxis-mueller.de"},
    {"xn--praxis-mller-klb.de", "praxis-müller.de"},
    {"mail.xn--praxis-mller-klb.de", "mail.praxis-müller.de"},
    {"xn--strae-oqa.de", "straße.de"},
    {"xn--e1afmkfd.xn--p1ai", "пример.рф"},
    {"_spf.xn--mller-kva.de", "_spf.müller.de"},
    {"xn--", "xn--"},                           /* of nothing */
    {"xn--99999999", "xn--99999999"},           /* of no characters */
    {"xn--mller-kva-.de", "xn--mller-kva-.de"}, /* wrong */
    {"xn--a-ugn.de", "xn--a-ugn.de"},           /* with a joiner, U+200D */
    {"xn--i-7iq.ws", "xn--i-7iq.ws"},           /* a symbol, not a letter */
    {"xn--www-mdc.de", "xn--www-mdc.de"},       /* "www" and an accent, not composed */
    {"a..b", NULL},
    {"x\ny", NULL},
    {"", NULL},
};

static void test_shown(void **state)
{
    const struct shown_row *row = *state;
    g_autofree char *shown = domain_name_shown(row->name);

    if (row->shown == NULL)
        assert_null(shown);
    else
        assert_string_equal(shown, row->shown);
}

int main(void)
{
    GArray *tests = table_new();

    TABLE_ADD(tests, parse_rows, test_parse);
    TABLE_ADD(tests, parse_rows, test_parse_again);
    TABLE_ADD(tests, within_rows, test_within);
    TABLE_ADD(tests, organizational_rows, test_organizational);
    TABLE_ADD(tests, aligned_rows, test_aligned);
    TABLE_ADD(tests, shown_rows, test_shown);
    table_add(tests, "the error says what to write", test_error, NULL);
    table_add(tests, "2 MB of labels", test_long, NULL);
    return table_run(tests, "domain_name");
}
