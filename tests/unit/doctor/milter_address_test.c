/* Addresses of milters in the words of Postfix, Sendmail and libmilter, and what listens there. */
#include "config.h"

#include "doctor/milter_address.h"

#include "unit/table.h"

static const struct address_row {
    const char *name;
    const char *postfix;  /* as Postfix reads it, by milter_address_postfix(); NULL: it can't */
    const char *sendmail; /* as Sendmail does */
    const char *guess;    /* as it is meant */
} address_rows[] = {
    {"inet:127.0.0.1:8891", "inet:127.0.0.1:8891", NULL, "inet:127.0.0.1:8891"},
    {"inet:localhost:8891", "inet:localhost:8891", NULL, "inet:localhost:8891"},
    {"inet:LocalHost:8891", "inet:localhost:8891", NULL, "inet:localhost:8891"},
    {"inet:8891@localhost", NULL, "inet:localhost:8891", "inet:localhost:8891"},
    {"inet:8891@a@", NULL, NULL, NULL},
    {"inet6:8891@::1", NULL, "inet:[::1]:8891", "inet:[::1]:8891"},
    {"inet6:8891@[::1]", NULL, "inet:[::1]:8891", "inet:[::1]:8891"},
    {"inet:[::1]:8891", "inet:[::1]:8891", NULL, "inet:[::1]:8891"},
    {"inet6:[::1]:8891", NULL, NULL, "inet:[::1]:8891"},
    {"inet:8891", "inet:127.0.0.1:8891", "inet:127.0.0.1:8891", "inet:127.0.0.1:8891"},
    {"inet:8891@0.0.0.0", NULL, "inet:127.0.0.1:8891", "inet:127.0.0.1:8891"},
    {"inet:host:smtp", "inet:host:25", NULL, "inet:host:25"},
    {"INET:127.0.0.1:8891", NULL, NULL, "inet:127.0.0.1:8891"},
    {"127.0.0.1:8891", NULL, NULL, "inet:127.0.0.1:8891"},
    {"8891@127.0.0.1", NULL, NULL, "inet:127.0.0.1:8891"},
    {"unix:/run/a.sock", "unix:/run/a.sock", "unix:/run/a.sock", "unix:/run/a.sock"},
    {"UNIX:/run/a.sock", NULL, "unix:/run/a.sock", "unix:/run/a.sock"},
    {"local:/run/a.sock", "unix:/run/a.sock", "unix:/run/a.sock", "unix:/run/a.sock"},
    {"unix:spfrom/a.sock", "unix:spfrom/a.sock", "unix:spfrom/a.sock", "unix:spfrom/a.sock"},
    {"/run/a.sock", NULL, "unix:/run/a.sock", "unix:/run/a.sock"},
    {"inet:127.0.0.1", NULL, NULL, NULL},
    {"tcp:127.0.0.1:8891", NULL, NULL, NULL},
    {"{ inet:a:1", NULL, NULL, NULL},
    {"inet:host:0", NULL, NULL, NULL},
    {"inet:host:65536", NULL, NULL, NULL},
    {"inet:host:nonsense-port", NULL, NULL, NULL},
    {"inet:", NULL, NULL, NULL},
    {"unix:", NULL, NULL, NULL},
    {"", NULL, NULL, NULL},
};

static void check_address(MilterAddress *parsed, const char *wanted)
{
    g_autoptr(MilterAddress) address = parsed;
    g_autofree char *postfix = address != NULL ? milter_address_postfix(address) : NULL;

    if (wanted == NULL)
        assert_null(address);
    else
        assert_string_equal(postfix, wanted);
}

static void test_address(void **state)
{
    const struct address_row *row = *state;

    check_address(milter_address_parse_postfix(row->name), row->postfix);
    check_address(milter_address_parse_sendmail(row->name), row->sendmail);
    check_address(milter_address_guess(row->name), row->guess);
}

/* What we write for an MTA is what that MTA reads. */
static void test_forms(void **state)
{
    const struct address_row *row = *state;
    g_autoptr(MilterAddress) address = milter_address_guess(row->name);
    g_autofree char *sendmail = NULL;

    if (address == NULL)
        return;
    sendmail = milter_address_sendmail(address);
    check_address(milter_address_parse_sendmail(sendmail), row->guess);
    check_address(milter_address_parse_postfix(row->guess), row->guess);
}

static const struct reach_row {
    const char *name; /* the address that is asked for */
    const char *listening;
    bool reaches;
} reach_rows[] = {
    {"inet:127.0.0.1:8894", "inet:8894@127.0.0.1", true},
    {"inet:localhost:8894", "inet:8894@127.0.0.1", true},
    {"inet:127.0.0.1:8894", "inet:8894@localhost", true},
    {"inet:127.0.0.1:8894", "inet:8894@0.0.0.0", true},
    {"inet:127.0.0.2:8894", "inet:8894@127.0.0.1", false},
    {"inet:192.0.2.1:8894", "inet:8894@0.0.0.0", false},
    {"inet:[::1]:8894", "inet:8894@127.0.0.1", false},
    {"inet:[::1]:8894", "inet6:8894@::1", true},
    {"inet:127.0.0.1:8895", "inet:8894@127.0.0.1", false},
    {"unix:/run/a.sock", "unix:/run/a.sock", true},
    {"unix:/run/../run//a.sock", "unix:/run/a.sock", true},
    {"unix:/run/b.sock", "unix:/run/a.sock", false},
    {"unix:/run/a.sock", "inet:8894@127.0.0.1", false},
};

static void test_reach(void **state)
{
    const struct reach_row *row = *state;
    g_autoptr(MilterAddress) asked = milter_address_parse_postfix(row->name);
    g_autoptr(MilterAddress) listening = milter_address_guess(row->listening);

    assert_int_equal(milter_address_reaches(asked, listening), row->reaches);
}

static const struct known_row {
    const char *name; /* as the MTA has the address */
    const char *program;
    const char *known; /* NULL: not known */
    bool is_signer;
} known_rows[] = {
    {"inet:localhost:8891", NULL, "OpenDKIM", true},
    {"inet:localhost:8893", NULL, "OpenDMARC", false},
    {"inet:localhost:11332", NULL, "rspamd", true},
    {"unix:/run/opendkim/opendkim.sock", NULL, "OpenDKIM", true},
    {"unix:opendkim/opendkim.sock", NULL, "OpenDKIM", true},
    {"unix:/run/dkimpy-milter/dkimpy-milter.sock", NULL, "dkimpy-milter", true},
    {"inet:localhost:9999", NULL, NULL, false},
    {"inet:localhost:9999", "opendkim", "OpenDKIM", true},
    {"inet:localhost:9999", "rspamd", "rspamd", true},
    {"inet:localhost:8891", "my-milter", NULL,
     false}, /* what listens there says more than the port */
    {"nonsense", NULL, NULL, false},
};

static void test_known(void **state)
{
    const struct known_row *row = *state;
    g_autoptr(MilterAddress) address = milter_address_guess(row->name);
    const KnownMilter *known = milter_address_known(row->program, row->name, address);

    if (row->known == NULL) {
        assert_null(known);
        return;
    }
    assert_string_equal(known->name, row->known);
    assert_int_equal(known->is_signer, row->is_signer);
}

int main(void)
{
    GArray *tests = table_new();

    TABLE_ADD(tests, address_rows, test_address);
    TABLE_ADD(tests, address_rows, test_forms);
    TABLE_ADD(tests, reach_rows, test_reach);
    TABLE_ADD(tests, known_rows, test_known);
    return table_run(tests, "milter_address");
}
