#include "config.h"

#include "advice/dns_hosters.h"

#include <string.h>

#include "unit/advice/kept_list.h"

#define LIST                                                                                       \
    "# a group\n"                                                                                  \
    "rzone.de Strato\n"                                                                            \
    "hetzner.com  \tHetzner Online\n"                                                              \
    "robot.hetzner.com Robot # longer\n"                                                           \
    "awsdns-*.com Amazon Route 53\n"                                                               \
    "awsdns-*.co.uk Amazon Route 53\n"                                                             \
    "NS*.müller.example. Müller\n"

static const struct find_row {
    const char *name; /* of the name server */
    const char *hoster;
} find_rows[] = {
    {"docks05.rzone.de", "Strato"},
    {"rzone.de", "Strato"},
    {"DOCKS05.RZone.De.", "Strato"},
    {"docks05.notrzone.de", NULL},
    {"rzone.de.example", NULL},
    {"hydrogen.ns.hetzner.com", "Hetzner Online"},
    {"a.robot.hetzner.com", "Robot"},
    {"ns-1.awsdns-15.com", "Amazon Route 53"},
    {"ns-1.awsdns-.com", "Amazon Route 53"},
    {"ns-2014.awsdns-59.co.uk", "Amazon Route 53"},
    {"ns-1.awsdns-15.evil.com", NULL},
    {"ns-1.awsdns-15.com.example", NULL},
    {"ns-1.xawsdns-15.com", NULL},
    {"a.ns7.xn--mller-kva.example", "Müller"},
    {"ns7.müller.example.", "Müller"},
    {"com", NULL},
    {"", NULL},
    {"..", NULL},
    {"ns 1.rzone.de", NULL},
};

static DnsHosters *hosters_from(const char *list)
{
    g_autoptr(GError) error = NULL;
    DnsHosters *hosters = dns_hosters_new();

    assert_true(dns_hosters_add(hosters, list, "list", &error));
    assert_null(error);
    return hosters;
}

static void test_find(void **state)
{
    const struct find_row *row = *state;
    g_autoptr(DnsHosters) hosters = hosters_from(LIST);
    const char *found = dns_hosters_find(hosters, row->name);

    if (row->hoster == NULL)
        assert_null(found);
    else
        assert_string_equal(found, row->hoster);
}

static const struct of_all_row {
    const char *name;
    const char *name_servers[4];
    const char *hoster;
} of_all_rows[] = {
    {"one", {"a.rzone.de"}, "Strato"},
    {"two of one", {"a.rzone.de", "b.rzone.de"}, "Strato"},
    {"of several suffixes", {"ns-1.awsdns-1.com", "ns-2.awsdns-9.co.uk"}, "Amazon Route 53"},
    {"of two hosters", {"a.rzone.de", "a.hetzner.com"}, NULL},
    {"one is not known", {"a.rzone.de", "ns.praxis.example"}, NULL},
    {"the first is not known", {"ns.praxis.example", "a.rzone.de"}, NULL},
    {"none", {NULL}, NULL},
};

static void test_of_all(void **state)
{
    const struct of_all_row *row = *state;
    g_autoptr(DnsHosters) hosters = hosters_from(LIST);
    gsize count = 0;
    const char *found;

    while (row->name_servers[count] != NULL)
        count++;
    found = dns_hosters_of_all(hosters, row->name_servers, count);
    if (row->hoster == NULL)
        assert_null(found);
    else
        assert_string_equal(found, row->hoster);
}

static void test_later_line(void **state)
{
    g_autoptr(DnsHosters) hosters =
        hosters_from(LIST "rzone.de STRATO AG\nawsdns-*.com Our Amazon\n");

    (void)state;
    assert_string_equal(dns_hosters_find(hosters, "a.rzone.de"), "STRATO AG");
    assert_string_equal(dns_hosters_find(hosters, "a.awsdns-1.com"), "Our Amazon");
}

static const struct error_row {
    const char *name;
    const char *list;
    const char *message;
} error_rows[] = {
    {"no hoster", "# x\nrzone.de\n",
     "list:2: \"rzone.de\" has no hoster; write it like rzone.de Strato"},
    {"no suffix", "a..b Strato\n",
     "list:1: \"a..b\" is not a domain; write it like mail.example.net"},
    {"two stars", "a*b*.de X\n", "list:1: \"a*b*.de\": one * may stand in the first label"},
    {"a star beside a U-label", "ü*.de X\n",
     "list:1: \"ü*.de\": one * may stand in the first label"},
    {"a star behind", "a.b*.de X\n", "list:1: \"a.b*.de\": one * may stand in the first label"},
};

static void test_error(void **state)
{
    const struct error_row *row = *state;
    g_autoptr(GError) error = NULL;
    g_autoptr(DnsHosters) hosters = dns_hosters_new();

    assert_false(dns_hosters_add(hosters, row->list, "list", &error));
    assert_string_equal(error->message, row->message);
}

static const char *const kept_rows[][2] = {
    {"docks05.rzone.de", "Strato"},
    {"ns1045.ui-dns.de", "IONOS"},
    {"hydrogen.ns.hetzner.com", "Hetzner"},
    {"helium.ns.hetzner.de", "Hetzner"},
    {"ns5.kasserver.com", "ALL-INKL.COM"},
    {"root-dns.netcup.net", "netcup"},
    {"ns-371.awsdns-46.com", "Amazon Route 53"},
    {"ns-1665.awsdns-16.co.uk", "Amazon Route 53"},
    {"monroe.ns.cloudflare.com", "Cloudflare"},
    {"ns.udag.org", "united-domains"},
    {"ns2.hostpoint.ch", "Hostpoint"},
    {"nsany1.infomaniak.com", "Infomaniak"},
    {"ns1.world4you.at", "World4You"},
    {"ns17.domaincontrol.com", "GoDaddy"},
};

static void test_kept_list(void **state)
{
    g_auto(GStrv) lines = kept_list_lines("dns-hosters");
    g_autoptr(GError) error = NULL;
    g_autoptr(DnsHosters) hosters = dns_hosters_read("none", &error);

    (void)state;
    assert_null(error);
    assert_true(kept_list_check(lines) >= 60);
    assert_int_equal(kept_list_check(lines), dns_hosters_count(hosters));
    for (char **line = lines; *line != NULL; line++) {
        g_autofree char *suffix = g_strndup(*line, strcspn(*line, " "));

        if (**line != '#' && **line != '\0' && strchr(suffix, '*') == NULL)
            kept_list_check_name(suffix);
    }
    for (gsize i = 0; i < G_N_ELEMENTS(kept_rows); i++)
        assert_string_equal(dns_hosters_find(hosters, kept_rows[i][0]), kept_rows[i][1]);
}

int main(void)
{
    GArray *tests = table_new();

    TABLE_ADD(tests, find_rows, test_find);
    TABLE_ADD(tests, of_all_rows, test_of_all);
    TABLE_ADD(tests, error_rows, test_error);
    table_add(tests, "a later line counts", test_later_line, NULL);
    table_add(tests, "conf/dns-hosters is in order", test_kept_list, NULL);
    return table_run(tests, "dns_hosters_test");
}
