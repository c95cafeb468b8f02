#include "config.h"

#include "mail/dkim.h"

#include "unit/table.h"

static const struct domain_row {
    const char *value;
    const char *domain; /* NULL: none */
} domain_rows[] = {
    {"v=1; a=rsa-sha256; d=example.org; s=x; b=abc", "example.org"},
    {"d=example.org", "example.org"},
    {"v=1;d=example.org;", "example.org"},
    {"v=1;\n\td \n = \n Example.ORG \n ; s=x", "example.org"},
    {"v=1; D=example.org", "example.org"},
    {"v=1; d=example.\n org", "example.org"},
    {"v=1; d=m\xc3\xbcller.example", "xn--mller-kva.example"},
    {"v=1; d=example.org; d=other.example", "example.org"},
    {"v=1; bh=d=other.example; b=ad=x; d=example.org", "example.org"},
    {"v=1; id=other.example; d=example.org", "example.org"},
    {"v=1; dd=other.example; d=example.org", "example.org"},
    {"v=1; a=b", NULL},
    {"", NULL},
    {";;;", NULL},
    {"d=", NULL},
    {"d", NULL},
    {"d=;", NULL},
    {"d=a b@c", NULL},
};

static void test_domain(void **state)
{
    const struct domain_row *row = *state;
    g_autofree char *domain = dkim_signature_domain(row->value);

    if (row->domain == NULL)
        assert_null(domain);
    else
        assert_string_equal(domain != NULL ? domain : "(none)", row->domain);
}

static void test_long_value(void **state)
{
    g_autofree char *filling = g_strnfill(100000, 'a');
    g_autofree char *value = g_strconcat("d=", filling, NULL);

    (void)state;
    assert_null(dkim_signature_domain(value));
}

/* What a verifier may copy. */
static const struct plain_row {
    const char *value;
    const char *domain; /* "-": the signature is refused */
    const char *signature;
} plain_rows[] = {
    {"v=1; a=rsa-sha256; c=relaxed/simple; d=a.example; s=k;\n\th=from : to; bh=QUI=;\n\tb=QU\n\t "
     "JD==",
     "a.example", "QUJD=="},
    {"d=a.example", "a.example", NULL},
    {"", NULL, NULL},
    {"d=@@; b=QUJD", NULL, "QUJD"},
    {"d=a.example;;\n", "a.example", NULL},
    {"d=a.example; i=x+y/z@sub.a.example", "a.example", NULL},
    {"d=a.example; i=\n\t@a.example\n\t", "a.example", NULL},
    {"d=a.example; i=x=2Cy=2c@a.example", "a.example", NULL},
    {"d=a.example; i=m\xc3\xbcller@a.example", "a.example", NULL},
    {"d=a.example; i=m=C3=BCller@a.example", "a.example", NULL},
    {"d=a.example; h=from:i; z=From:x=20y|i=3D(; x-i=( )", "a.example", NULL},
    /* An i= that ends a value. */
    {"d=a.example; i=x=20header.d=3Db.example=20y@a.example", "-", NULL},
    {"d=a.example; i=x=3B=20dkim=3Dpass=20header.d=3Db.example", "-", NULL},
    {"d=a.example; i=x=20y", "-", NULL},
    {"d=a.example; i=x=3By", "-", NULL},
    {"d=a.example; i=x=3by", "-", NULL},
    {"d=a.example; i=x=3Dy", "-", NULL},
    {"d=a.example; i=x=22y", "-", NULL},
    {"d=a.example; i=x=28y", "-", NULL},
    {"d=a.example; i=x=29y", "-", NULL},
    {"d=a.example; i=x=09y", "-", NULL},
    {"d=a.example; i=x=0Ay", "-", NULL},
    {"d=a.example; i=x=0d=0ay", "-", NULL},
    {"d=a.example; i=x=0By", "-", NULL},
    {"d=a.example; i=x=00y", "-", NULL},
    {"d=a.example; i=x=7Fy", "-", NULL},
    {"d=a.example; i=\"x y\"@a.example", "-", NULL},
    {"d=a.example; i=x(y)@a.example", "-", NULL},
    {"d=a.example; i=x\"y@a.example", "-", NULL},
    {"d=a.example; i=x y@a.example", "-", NULL},
    {"d=a.example; i=x\n\ty@a.example", "-", NULL},
    {"d=a.example; i=x=\n\t3By@a.example", "-", NULL},
    {"d=a.example; i=x=3\n\tBy@a.example", "-", NULL},
    {"d=a.example; i=x=", "-", NULL},
    {"d=a.example; i=x=2", "-", NULL},
    {"d=a.example; i=x=3D3By", "-", NULL},
    {"d=a.example; i=x=GGy", "-", NULL},
    {"d=a.example; I=x=20y", "-", NULL},
    {"d=a.example; \n i \n = x=20y", "-", NULL},
    {"d=a.example;\v\fi\v=x=20y", "-", NULL},
    {"d=a.example;\vi=@a.example", "-", NULL},
    {"d=a.example; h\n\ty=x", "-", NULL},
    {"d=\va.example", "-", NULL},
    {"d=a.example; i=\v@a.example", "-", NULL},
    {"i=x=20y; d=a.example", "-", NULL},
    {"d=a.example; i=@a.example; i=x=20y", "-", NULL},
    /* Others that are copied. */
    {"d=a.example; s=x header.d=b.example", "-", NULL},
    {"d=a.example; s=x\n\ty", "-", NULL},
    {"d=a.example; s=x(y", "-", NULL},
    {"d=a.example; s=x=3By", "-", NULL},
    {"d=a.example; a=rsa-sha256 header.d=b.example", "-", NULL},
    {"d=a.example header.d=b.example", "-", NULL},
    {"d=a=2Eexample", "-", NULL},
    {"d=\"a.example\"", "-", NULL},
    {"d=a.\n\texample", "-", NULL},
    {"d=a.example; b=QUJD=QUJD", "-", NULL},
    {"d=a.example; b=QU(JD", "-", NULL},
    {"d=a.example; b=QU\"JD", "-", NULL},
    {"d=a.example; b=QU header.d=b.example", "-", NULL},
    /* Which one counts? */
    {"d=a.example; d=a.example", "-", NULL},
    {"d=a.example; D=b.example", "-", NULL},
    {"d=a.example; b=QUJD; b=QUJD", "-", NULL},
    {"d=a.example; s=k; s=k", "-", NULL},
};

static void test_plain(void **state)
{
    const struct plain_row *row = *state;
    g_autoptr(DkimSignature) signature = dkim_signature_parse(row->value);

    if (g_strcmp0(row->domain, "-") == 0) {
        assert_null(signature);
        return;
    }
    assert_non_null(signature);
    assert_string_equal(signature->domain != NULL ? signature->domain : "(none)",
                        row->domain != NULL ? row->domain : "(none)");
    assert_string_equal(signature->signature != NULL ? signature->signature : "(none)",
                        row->signature != NULL ? row->signature : "(none)");
}

/* Fields are separated by "|"; the authserv-id that is asked for is mx.example. The message has the
 * signatures below. */
static const struct pass_row {
    const char *name;
    const char *fields;
    const char *passes; /* joined by " " */
} pass_rows[] = {
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
    {"nothing behind the id, above a pass", "mx.example|mx.example; dkim=pass header.d=a.example",
     ""},
    {"two words behind the id, above a pass",
     "mx.example 1 2; none|mx.example; dkim=pass header.d=a.example", ""},
    {"an end with a semicolon", "mx.example; dkim=pass header.d=a.example;", "a.example"},
    {"none beside a pass", "mx.example; none; dkim=pass header.d=a.example", "a.example"},
    {"a word that is no result", "mx.example; done; dkim=pass header.d=a.example", ""},
    {"a word behind a result", "mx.example; dkim=pass header.d=a.example; spf=pass word", ""},
    {"a value in quotes", "mx.example; dkim=pass header.d=\"a.example\"", "a.example"},
    {"a local part in quotes",
     "mx.example; spf=pass smtp.mailfrom=\"a b; c\"@x.example; dkim=pass "
     "header.d=a.example",
     "a.example"},
    {"an equals sign in a value",
     "mx.example; spf=pass smtp.mailfrom=b=header.d=b.example@x.example; dkim=pass "
     "header.d=a.example",
     "a.example"},
    {"a domain in a value", "mx.example; dkim=pass header.i=x=header.d=a.example", ""},
    {"no value", "mx.example; dkim=pass header.d=a.example header.i=", ""},
    {"no value, then one", "mx.example; dkim=pass header.i= header.d=a.example", ""},
    {"an open quote", "mx.example; dkim=pass header.d=a.example reason=\"x", ""},
    {"an open quote at the end", "mx.example; dkim=pass header.d=a.example; x=\"none", ""},
    {"a quoted parenthesis at the end", "mx.example; dkim=pass header.d=a.example (\\)", ""},
    {"OpenDKIM's",
     "mx.example;\n\tdkim=pass (2048-bit key; unprotected) header.d=a.example header.i=@a.example "
     "header.a=rsa-sha256 header.s=k header.b=QUJD;\n\tdkim-atps=neutral",
     "a.example"},
    {"rspamd's",
     "mx.example;\n\tdkim=pass header.d=a.example header.s=k header.b=QUJD;\n\tspf=pass "
     "(mx.example: "
     "domain of \"b c\"@a.example designates 192.0.2.1 as permitted sender) "
     "smtp.mailfrom=\"b c\"@a.example;\n\tdmarc=pass (policy=none) header.from=a.example",
     "a.example"},
};

/* One field, and the signatures of the message separated by "|". */
static const struct signed_row {
    const char *name;
    const char *field;
    const char *signatures;
    const char *passes;
} signed_rows[] = {
    {"no signature", "dkim=pass header.d=a.example", NULL, ""},
    {"of another domain", "dkim=pass header.d=a.example", "d=b.example", ""},
    {"of a parent", "dkim=pass header.d=sub.a.example", "d=a.example", ""},
    {"case and dot", "dkim=pass header.d=A.example.", "d=a.EXAMPLE", "a.example"},
    {"the second one", "dkim=pass header.d=a.example", "d=b.example|v=1; d=a.example", "a.example"},
    {"header.b begins b=", "dkim=pass header.d=a.example header.b=QUJD",
     "d=a.example; b=QU\n\tJDREVG==", "a.example"},
    {"header.b is b=", "dkim=pass header.d=a.example header.b=\"QUI=\"",
     "d=a.example; b=QUI=", "a.example"},
    {"header.b of another", "dkim=pass header.d=a.example header.b=QUJE",
     "d=a.example; b=QUJDREVG|d=b.example; b=QUJE", ""},
    {"header.b in another case", "dkim=pass header.d=a.example header.b=qujd",
     "d=a.example; b=QUJDREVG", ""},
    {"header.b goes on", "dkim=pass header.d=a.example header.b=QUJDREVG", "d=a.example; b=QUJD",
     ""},
    {"header.b of nothing", "dkim=pass header.d=a.example header.b=\"\"", "d=a.example; b=QUJD",
     ""},
    {"header.b without b=", "dkim=pass header.d=a.example header.b=QUJD", "d=a.example", ""},
    {"header.b of the second", "dkim=pass header.d=a.example header.b=QUJD",
     "d=a.example; b=AAAA|d=a.example; b=QUJDREVG", "a.example"},
    {"two header.b", "dkim=pass header.d=a.example header.b=QUJD header.b=QUJD",
     "d=a.example; b=QUJDREVG", ""},
    {"two header.d", "dkim=pass header.d=a.example header.i=x header.d=b.example y@a.example",
     "d=a.example|d=b.example", ""},
    {"two header.d, well-formed", "dkim=pass header.d=a.example header.d=b.example",
     "d=a.example|d=b.example", ""},
    {"two header.d that are the same", "dkim=pass header.d=a.example HEADER.D=a.example",
     "d=a.example", ""},
    {"two header.d, the first unreadable", "dkim=pass header.d=@ header.d=a.example", "d=a.example",
     ""},
    {"two header.d in a result that is no pass",
     "dkim=pass header.d=a.example; dkim=fail header.d=b.example header.d=c.example", "d=a.example",
     ""},
    {"two header.d in another method",
     "dkim=pass header.d=a.example; spf=pass header.d=b.example header.d=c.example", "d=a.example",
     ""},
    {"more results than signatures",
     "dkim=pass header.d=a.example; dkim=fail header.d=b.example; spf=pass smtp.mailfrom=x; "
     "dkim=pass "
     "header.d=b.example",
     "d=a.example|d=b.example", "a.example"},
    {"as many results as signatures", "dkim=fail header.d=a.example; dkim=pass header.d=a.example",
     "d=a.example|d=a.example", "a.example"},
    /* x@a.example signs, and writes what it likes. */
    {"a blank in i=", "dkim=pass header.d=a.example",
     "d=a.example; i=x=20header.d=3Db.example=20y@a.example", ""},
    {"a result in i=",
     "dkim=pass header.d=a.example header.i=x; dkim=pass header.d=b.example header.q=y@a.example",
     "d=a.example; "
     "i=x=3B=20dkim=3Dpass=20header.d=3Db.example=20header.q=3Dy@a.example|d=b.example",
     ""},
    {"in i= of a signature that is not asked for", "dkim=pass header.d=a.example",
     "d=a.example|d=b.example; i=x=20y@b.example", ""},
    {"a signature that is cut by NUL's octet", "dkim=pass header.d=a.example",
     "d=a.example; i=x=00@a.example", ""},
};

static const char *const signatures[] = {"v=1; d=praxis.example; b=Zm9v", "v=1; d=b.example",
                                         "v=1; a=rsa-sha256; d=a.example; s=k; b=QUJDREVG"};

static void assert_passes(const HeaderFields *fields, const char *wanted)
{
    g_auto(GStrv) passes = dkim_passed_domains(fields, "mx.example");
    g_autofree char *joined = g_strjoinv(" ", passes);

    assert_string_equal(joined, wanted);
}

static void test_passes(void **state)
{
    const struct pass_row *row = *state;
    g_autoptr(HeaderFields) fields = header_fields_new();
    g_auto(GStrv) values = row->fields != NULL ? g_strsplit(row->fields, "|", -1) : NULL;

    for (guint i = 0; values != NULL && values[i] != NULL; i++)
        header_fields_append(fields, "Authentication-Results", values[i], -1);
    for (guint i = 0; i < G_N_ELEMENTS(signatures); i++)
        header_fields_append(fields, "DKIM-Signature", signatures[i], -1);
    assert_passes(fields, row->passes);
}

static void test_signed(void **state)
{
    const struct signed_row *row = *state;
    g_autoptr(HeaderFields) fields = header_fields_new();
    g_auto(GStrv) values = g_strsplit(row->signatures != NULL ? row->signatures : "", "|", -1);
    g_autofree char *field = g_strconcat("mx.example; ", row->field, NULL);

    header_fields_append(fields, "Authentication-Results", field, -1);
    for (guint i = 0; values[i] != NULL; i++)
        header_fields_append(fields, "dkim-signature ", values[i], -1);
    assert_passes(fields, row->passes);
}

/* A field or a signature that came with a NUL in it, or is too long to be kept. */
static void test_not_whole(void **state G_GNUC_UNUSED)
{
    static const char result[] = "mx.example; dkim=pass header.d=a.example";
    static const char nul[] = "mx.example; dkim=pass header.d=a.example\0x";
    static const char nul_in_signature[] = "d=a.example\0; i=x=20y";
    g_autofree char *blanks = g_strnfill(HEADER_FIELDS_VALUE_MAX, ' ');
    g_autofree char *long_result = g_strconcat(result, blanks, NULL);
    g_autofree char *long_signature = g_strconcat("d=a.example;", blanks, "i=x=20y", NULL);
    const struct {
        const char *field;
        gssize field_length;
        const char *signature;
        gssize signature_length;
        const char *passes;
    } cases[] = {
        {result, -1, "d=a.example", -1, "a.example"},
        {nul, sizeof nul - 1, "d=a.example", -1, ""},
        {result, -1, nul_in_signature, sizeof nul_in_signature - 1, ""},
        {long_result, -1, "d=a.example", -1, ""},
        {result, -1, long_signature, -1, ""},
    };

    for (guint i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autoptr(HeaderFields) fields = header_fields_new();

        header_fields_append(fields, "Authentication-Results", cases[i].field,
                             cases[i].field_length);
        header_fields_append(fields, "DKIM-Signature", cases[i].signature,
                             cases[i].signature_length);
        assert_passes(fields, cases[i].passes);
    }
}

/* As many as are kept: each is looked at once. */
static void test_many(void **state G_GNUC_UNUSED)
{
    g_autoptr(HeaderFields) fields = header_fields_new();

    header_fields_append(fields, "DKIM-Signature", "d=a.example", -1);
    for (guint i = 2; i < HEADER_FIELDS_MAX; i++)
        header_fields_append(fields, "Authentication-Results", "x", -1);
    header_fields_append(fields, "Authentication-Results",
                         "mx.example; dkim=pass header.d=a.example", -1);
    assert_passes(fields, "a.example");
}

/* A sender may write any number of signatures, and a verifier as many results. */
static void test_many_signatures(void **state G_GNUC_UNUSED)
{
    const struct {
        guint signatures;
        const char *passes;
    } cases[] = {{100, "a.example"}, {101, ""}, {10100, ""}};

    for (guint i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autoptr(HeaderFields) fields = header_fields_new();

        header_fields_append(fields, "Authentication-Results",
                             "mx.example; dkim=pass header.d=a.example", -1);
        for (guint j = 0; j < cases[i].signatures; j++)
            header_fields_append(fields, "DKIM-Signature", "d=a.example", -1);
        assert_passes(fields, cases[i].passes);
    }
}

int main(void)
{
    GArray *tests = table_new();

    for (size_t i = 0; i < G_N_ELEMENTS(domain_rows); i++)
        table_add(tests, domain_rows[i].value, test_domain, &domain_rows[i]);
    for (size_t i = 0; i < G_N_ELEMENTS(plain_rows); i++)
        table_add(tests, plain_rows[i].value, test_plain, &plain_rows[i]);
    table_add(tests, "long value", test_long_value, NULL);
    TABLE_ADD(tests, pass_rows, test_passes);
    TABLE_ADD(tests, signed_rows, test_signed);
    table_add(tests, "a signature or field that is not whole", test_not_whole, NULL);
    table_add(tests, "a great many signatures", test_many_signatures, NULL);
    table_add(tests, "a great many fields of others", test_many, NULL);
    return table_run(tests, "dkim");
}
