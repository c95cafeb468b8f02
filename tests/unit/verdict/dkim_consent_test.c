#include "config.h"

#include "verdict/dkim_consent.h"

#include <string.h>

#include "unit/table.h"
#include "unit/verdict/settings_from.h"

static const char zone[] =
    "$TTL 300\n"
    "s1._domainkey.fallback.example. TXT \"v=DKIM1; p=MFww\"\n"
    "s2._domainkey.fallback.example. TXT \"v=DKIM1; p=BBBB\"\n"
    "s3._domainkey.fallback.example. TXT \"v=DKIM1; t=y; p=CCCC\"\n"
    "s1._domainkey.keys.example. TXT \"p=DDDD\"\n"
    "s1._domainkey.alias.example. 60 CNAME s1._domainkey.fallback.example.\n"
    "s1._domainkey.pieces.example. TXT \"v=DKIM1; p=M\" \"F\" \"ww\"\n"
    "s1._domainkey.other.example. TXT \"v=DKIM1; p=AAAA\"\n"
    "s1._domainkey.revoked.example. TXT \"v=DKIM1; p=\"\n"
    "s1._domainkey.testing.example. TXT \"v=DKIM1; t=y; p=MFww\"\n"
    "s1._domainkey.two.example. TXT \"v=DKIM1; p=MFww\"\n"
    "s1._domainkey.two.example. TXT \"v=DKIM1; p=AAAA\"\n"
    "s1._domainkey.trouble.example. TROUBLE \"no answer\"\n"
    "s2._domainkey.second.example. TXT \"v=DKIM1; p=BBBB\"\n"
    "s2._domainkey.swapped.example. TXT \"v=DKIM1; p=MFww\"\n"
    "s3._domainkey.alias3.example. CNAME s3._domainkey.fallback.example.\n"
    "s1._domainkey.keyed.example. CNAME s1._domainkey.keys.example.\n"
    "s1._domainkey.tenant.example. TXT \"p=EEEE\"\n"
    "s1._domainkey.served.example. TXT \"p=EEEE\"\n"
    "s1._domainkey.loop.example. CNAME s1._domainkey.loop2.example.\n"
    "s1._domainkey.loop2.example. CNAME s1._domainkey.loop.example.\n"
    "s1._domainkey.kind.example. TXT \"v=DKIM1; k=ed25519; p=MFww\"\n"
    "s1._domainkey.host.sub.example. CNAME s1._domainkey.fallback.example.\n";

#define CONSENT "dkim_consent = { s1, s2, s3 }\n"

static const struct row {
    const char *name; /* the domain */
    const char *conf;
    const char *selector; /* NULL: none */
    guint32 ttl;          /* from 400 */
} rows[] = {
    {"alias.example", CONSENT, "s1", 60},
    {"pieces.example", CONSENT, "s1", 300},
    {"second.example", CONSENT, "s2", 300},
    {"alias.example", "", NULL, 400},
    {"alias.example", "dkim_consent = { s2 }\n", NULL, 300},
    {"other.example", CONSENT, NULL, 300},
    {"revoked.example", CONSENT, NULL, 300},
    {"testing.example", CONSENT, NULL, 300},
    {"two.example", CONSENT, NULL, 300},
    {"swapped.example", CONSENT, NULL, 300},
    {"alias3.example", CONSENT, NULL, 300}, /* our own is testing */
    {"trouble.example", CONSENT, NULL, 0},
    {"loop.example", CONSENT, NULL, 0},
    {"kind.example", CONSENT, NULL, 300},
    {"host.sub.example", CONSENT, "s1", 300},
    {"sub.example", CONSENT, NULL, 300}, /* its subdomain's key is not its own */
    {"nothing.example", CONSENT, NULL, 300},
    {"fallback.example", CONSENT, NULL, 400}, /* nobody agrees to himself */
    {"keyed.example", CONSENT "dkim_consent_domain = keys.example\n", "s1", 300},
    {"keyed.example", CONSENT, NULL, 300},
    {"served.example",
     CONSENT "domain served.example { fallback_address = \"n@tenant.example\" }\n", "s1", 300},
    {"served.example", CONSENT, NULL, 300},
};

static void test_find(void **state)
{
    const struct row *row = *state;
    g_autoptr(Dns) dns = dns_zone_file_new(zone, "zone", NULL);
    Settings *settings = settings_from(row->conf);
    guint32 ttl = 400;
    bool is_unknown;
    const char *selector = dkim_consent_find(settings, dns, row->name, IN_TIME, &ttl, &is_unknown);

    assert_string_equal(selector != NULL ? selector : "none",
                        row->selector != NULL ? row->selector : "none");
    assert_int_equal(ttl, row->ttl);
    assert_int_equal(is_unknown, row->ttl == 0); /* DNS did not say */
    settings_unref(settings);
}

int main(void)
{
    GArray *tests = table_new();

    TABLE_ADD(tests, rows, test_find);
    return table_run(tests, "dkim_consent");
}
