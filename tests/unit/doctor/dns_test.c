/* The SPF records of hosts that take submitted mail. */
#include "config.h"

#include "doctor/dns.h"

#include "unit/table.h"

static const struct provider_row {
    const char *name;
    const char *spf; /* NULL: no provider */
} provider_rows[] = {
    {"email-smtp.eu-west-1.amazonaws.com", "amazonses.com"},
    {"smtp.sendgrid.net", "sendgrid.net"},
    {"sendgrid.net", "sendgrid.net"},
    {"notsendgrid.net", NULL},
    {"mail.example.net", NULL},
};

static void test_provider(void **state)
{
    const struct provider_row *row = *state;
    const char *spf = doctor_dns_provider(row->name);

    if (row->spf == NULL)
        assert_null(spf);
    else
        assert_string_equal(spf, row->spf);
}

int main(void)
{
    GArray *tests = table_new();

    TABLE_ADD(tests, provider_rows, test_provider);
    return table_run(tests, "doctor_dns");
}
