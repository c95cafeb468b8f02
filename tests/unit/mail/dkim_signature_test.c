#include "config.h"

#include "mail/dkim_signature.h"

#include "../table.h"

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

int main(void)
{
    GArray *tests = table_new();

    for (size_t i = 0; i < G_N_ELEMENTS(rows); i++)
        table_add(tests, rows[i].value, test_domain, &rows[i]);
    table_add(tests, "long value", test_long_value, NULL);
    return table_run(tests, "dkim_signature");
}
