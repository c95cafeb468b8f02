#include "config.h"

#include "mail/dkim_signature.h"

#include "unit/table.h"

static const struct row {
    const char *value;
    const char *domain; /* NULL: none */
} rows[] = {
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
    const struct row *row = *state;
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

int main(void)
{
    GArray *tests = table_new();

    for (size_t i = 0; i < G_N_ELEMENTS(rows); i++)
        table_add(tests, rows[i].value, test_domain, &rows[i]);
    for (size_t i = 0; i < G_N_ELEMENTS(plain_rows); i++)
        table_add(tests, plain_rows[i].value, test_plain, &plain_rows[i]);
    table_add(tests, "long value", test_long_value, NULL);
    return table_run(tests, "dkim_signature");
}
