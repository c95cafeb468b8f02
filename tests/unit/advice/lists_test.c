#include "config.h"

#include "advice/lists.h"

#include <string.h>
#include <unistd.h>

#include "base/domain_name.h"
#include "unit/table.h"

/* A list of conf/, as its lines. */
static char **kept_list_lines(const char *name)
{
    g_autofree char *file = g_build_filename(g_getenv("SPFROM_SRCDIR"), "conf", name, NULL);
    g_autofree char *text = NULL;
    g_autoptr(GError) error = NULL;

    g_file_get_contents(file, &text, NULL, &error);
    assert_null(error);
    assert_true(g_str_has_suffix(text, "\n"));
    return g_strsplit(text, "\n", -1);
}

/*
 * Are the entries, up to their first blank, in order within each group (a comment begins one), and
 * each only once? Returns how many there are; fails the test with the entry where they are not.
 */
static guint kept_list_check(char **lines)
{
    g_autoptr(GHashTable) seen = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
    const char *before = "";

    for (; *lines != NULL; lines++) {
        if (**lines == '#')
            before = "";
        if (**lines == '#' || **lines == '\0')
            continue;
        if (strcmp(before, *lines) >= 0)
            fail_msg("%s stands behind %s", *lines, before);
        if (!g_hash_table_add(seen, g_strndup(*lines, strcspn(*lines, " "))))
            fail_msg("%s is there twice", *lines);
        before = *lines;
    }
    return g_hash_table_size(seen);
}

/* Fails the test unless name is in the one form of base/domain_name.h. */
static void kept_list_check_name(const char *name)
{
    g_autoptr(GError) error = NULL;
    g_autofree char *parsed = domain_name_parse(name, &error);

    assert_null(error);
    assert_string_equal(parsed, name);
}
static const struct has_row {
    const char *name;
    const char *list;
    const char *domain;
    bool has;
} has_rows[] = {
    {"the name", "gmx.de\n", "gmx.de", true},
    {"without a line end", "gmx.de", "gmx.de", true},
    {"another name", "gmx.de\n", "web.de", false},
    {"a subdomain is another", "gmx.de\n", "praxis.gmx.de", false},
    {"the name in another", "gmx.de\n", "notgmx.de", false},
    {"the parent", "gmx.de\n", "de", false},
    {"subdomains", ".plus.com\n", "anna.plus.com", true},
    {"subdomains of subdomains", ".plus.com\n", "mail.anna.plus.com", true},
    {"subdomains without the name", ".plus.com\n", "plus.com", false},
    {"subdomains in another name", ".plus.com\n", "anna.notplus.com", false},
    {"a comment", "# gmx.de\n", "gmx.de", false},
    {"a comment behind the name", "gmx.de # free\n", "gmx.de", true},
    {"blanks and a CRLF", " \tgmx.de \r\n", "gmx.de", true},
    {"upper case and a dot", "GMX.De.\n", "gmx.de", true},
    {"an IDN", "müller.de\n", "xn--mller-kva.de", true},
    {"taken out", "gmx.de\n!gmx.de\n", "gmx.de", false},
    {"taken out and put in again", "!gmx.de\ngmx.de\n", "gmx.de", true},
    {"taken out, blanks or not", "gmx.de\n  !GMX.de # ours\n", "gmx.de", false},
    {"subdomains taken out", ".plus.com\n!.plus.com\n", "anna.plus.com", false},
    {"the name taken out, not its subdomains", ".plus.com\nplus.com\n!plus.com\n", "a.plus.com",
     true},
    {"what is not there, taken out", "!web.de\ngmx.de\n", "gmx.de", true},
    {"nothing", "", "gmx.de", false},
};

static void test_has(void **state)
{
    const struct has_row *row = *state;
    g_autoptr(GError) error = NULL;
    g_autoptr(Lists) lists = lists_new();

    assert_true(lists_add(lists, LISTS_PROVIDERS, row->list, "list", &error));
    assert_null(error);
    assert_int_equal(lists_has_provider(lists, row->domain), row->has);
}

static const struct provider_error_row {
    const char *name;
    const char *list;
    const char *message;
} provider_error_rows[] = {
    {"an address", "gmx.de\n\nanna@gmx.de\n",
     "list:3: \"anna@gmx.de\" is not a domain; write it like mail.example.net"},
    {"two names", "gmx.de web.de\n",
     "list:1: \"gmx.de web.de\" is not a domain; write it like mail.example.net"},
    {"an exclamation mark", "!\n", "list:1: \"\" is not a domain; write it like mail.example.net"},
    {"a star", "*.gmx.de\n",
     "list:1: \"*.gmx.de\" is not a domain; write it like mail.example.net"},
    {"no UTF-8", "gmx.de\nm\xfcller.de\n", "list:2: the line is not UTF-8; convert the file"},
};

static void test_provider_error(void **state)
{
    const struct provider_error_row *row = *state;
    g_autoptr(GError) error = NULL;
    g_autoptr(Lists) lists = lists_new();

    assert_false(lists_add(lists, LISTS_PROVIDERS, row->list, "list", &error));
    assert_string_equal(error->message, row->message);
}

/* The lists for a configuration; none of them has a problem. */
static Lists *lists_for(const char *configuration)
{
    g_autoptr(GPtrArray) problems = g_ptr_array_new_with_free_func(g_free);
    Lists *lists = lists_read(configuration, problems);

    for (guint i = 0; i < problems->len; i++)
        fail_msg("%s", (char *)g_ptr_array_index(problems, i));
    return lists;
}

/* The administrator's file, beside a configuration that need not be there, changes the list. */
static void test_administrators_file(void **state)
{
    g_autofree char *directory = g_dir_make_tmp(NULL, NULL);
    g_autofree char *configuration = g_build_filename(directory, "spfrom.conf", NULL);
    g_autofree char *file = g_build_filename(directory, "mail-providers", NULL);
    g_autoptr(GPtrArray) problems = g_ptr_array_new_with_free_func(g_free);
    g_autoptr(Lists) before = lists_for(configuration);
    g_autoptr(Lists) after = NULL;
    g_autoptr(Lists) broken = NULL;

    (void)state;
    assert_true(lists_has_provider(before, "gmx.de"));
    assert_false(lists_has_provider(before, "dorf-netz.example"));

    assert_true(g_file_set_contents(file, "dorf-netz.example\n!gmx.de\n", -1, NULL));
    after = lists_for(configuration);
    assert_false(lists_has_provider(after, "gmx.de"));
    assert_true(lists_has_provider(after, "dorf-netz.example"));
    assert_true(lists_has_provider(after, "web.de"));

    assert_true(g_file_set_contents(file, "web.de\n?\n", -1, NULL));
    broken = lists_read(configuration, problems);
    assert_int_equal(problems->len, 1);
    assert_true(g_str_has_prefix(g_ptr_array_index(problems, 0), file));
    assert_non_null(
        strstr(g_ptr_array_index(problems, 0), "mail-providers:2: \"?\" is not a domain"));
    assert_int_equal(lists_count(broken, LISTS_PROVIDERS), 0);
    assert_string_equal(lists_hoster(broken, "docks05.rzone.de"), "Strato");
    unlink(file);
    rmdir(directory);
}

/* A file without end, or a directory in its place, is an error and takes no memory. */
static void test_odd_files(void **state)
{
    static const char *const files[] = {"/dev/zero", "/"};
    g_autoptr(Lists) lists = lists_new();

    (void)state;
    for (gsize i = 0; i < G_N_ELEMENTS(files); i++) {
        g_autoptr(GError) error = NULL;

        assert_false(lists_add_file(lists, LISTS_PROVIDERS, files[i], true, &error));
        assert_true(g_str_has_prefix(error->message, files[i]));
    }
    assert_true(lists_add_file(lists, LISTS_PROVIDERS, "/nowhere/list", true, NULL));
    assert_false(lists_add_file(lists, LISTS_PROVIDERS, "/nowhere/list", false, NULL));
}

static void test_kept_providers(void **state)
{
    static const char *const musts[] = {"aon.at",    "bluewin.ch",  "freenet.de", "gmail.com",
                                        "gmx.at",    "gmx.ch",      "gmx.de",     "gmx.net",
                                        "hin.ch",    "icloud.com",  "me.com",     "outlook.de",
                                        "posteo.de", "t-online.de", "web.de",     "yahoo.de"};
    g_auto(GStrv) lines = kept_list_lines("mail-providers");
    g_autoptr(Lists) lists = lists_for("none");

    (void)state;
    assert_true(kept_list_check(lines) >= 150);
    assert_int_equal(kept_list_check(lines), lists_count(lists, LISTS_PROVIDERS));
    for (char **line = lines; *line != NULL; line++)
        if (**line != '#' && **line != '\0')
            kept_list_check_name(**line == '.' ? *line + 1 : *line);
    for (gsize i = 0; i < G_N_ELEMENTS(musts); i++)
        assert_true(lists_has_provider(lists, musts[i]));
}

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

static Lists *hosters_from(const char *list)
{
    g_autoptr(GError) error = NULL;
    Lists *lists = lists_new();

    assert_true(lists_add(lists, LISTS_HOSTERS, list, "list", &error));
    assert_null(error);
    return lists;
}

static void test_find(void **state)
{
    const struct find_row *row = *state;
    g_autoptr(Lists) lists = hosters_from(LIST);
    const char *found = lists_hoster(lists, row->name);

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
    g_autoptr(Lists) lists = hosters_from(LIST);
    const char *found = lists_hoster_of_all(lists, (char *const *)row->name_servers);

    if (row->hoster == NULL)
        assert_null(found);
    else
        assert_string_equal(found, row->hoster);
}

static const struct spf_row {
    const char *name; /* of the line */
    const char *list;
    const char *hoster;
    const char *spf;
} spf_rows[] = {
    {"with its include", "rzone.de Strato include:_spf.strato.com\n", "Strato", "_spf.strato.com"},
    {"a name of several words", "rzone.de Strato AG \t include:_SPF.strato.com. # x\n", "Strato AG",
     "_spf.strato.com"},
    {"a pattern", "rz*.de Strato include:_spf.strato.com\n", "Strato", "_spf.strato.com"},
    {"without", "rzone.de Strato\n", "Strato", NULL},
    {"a name that begins like one", "rzone.de include:x.example\n", "include:x.example", NULL},
    {"it does not stand last", "rzone.de Strato include:x.example AG\n",
     "Strato include:x.example AG", NULL},
    {"a later line", "rzone.de Strato include:_spf.strato.com\nrzone.de Strato\n", "Strato", NULL},
};

static void test_spf(void **state)
{
    const struct spf_row *row = *state;
    static const char *const servers[] = {"a.rzone.de", "b.rzone.de", NULL};
    static const char *const others[] = {"a.rzone.de", "b.example", NULL};
    g_autoptr(Lists) lists = hosters_from(row->list);

    assert_string_equal(lists_hoster_of_all(lists, (char *const *)servers), row->hoster);
    assert_int_equal(g_strcmp0(lists_spf_of_all(lists, (char *const *)servers), row->spf), 0);
    assert_null(lists_spf_of_all(lists, (char *const *)others));
}

static void test_later_line(void **state)
{
    g_autoptr(Lists) lists = hosters_from(LIST "rzone.de STRATO AG\nawsdns-*.com Our Amazon\n");

    (void)state;
    assert_string_equal(lists_hoster(lists, "a.rzone.de"), "STRATO AG");
    assert_string_equal(lists_hoster(lists, "a.awsdns-1.com"), "Our Amazon");
}

static const struct hoster_error_row {
    const char *name;
    const char *list;
    const char *message;
} hoster_error_rows[] = {
    {"no hoster", "# x\nrzone.de\n",
     "list:2: \"rzone.de\" has no hoster; write it like rzone.de Strato"},
    {"no suffix", "a..b Strato\n",
     "list:1: \"a..b\" is not a domain; write it like mail.example.net"},
    {"an include of nothing", "rzone.de Strato include:\n",
     "list:1: \"\" is not a domain; write it like mail.example.net"},
    {"two stars", "a*b*.de X\n", "list:1: \"a*b*.de\": one * may stand in the first label"},
    {"a star beside a U-label", "ü*.de X\n",
     "list:1: \"ü*.de\": one * may stand in the first label"},
    {"a star behind", "a.b*.de X\n", "list:1: \"a.b*.de\": one * may stand in the first label"},
};

static void test_hoster_error(void **state)
{
    const struct hoster_error_row *row = *state;
    g_autoptr(GError) error = NULL;
    g_autoptr(Lists) lists = lists_new();

    assert_false(lists_add(lists, LISTS_HOSTERS, row->list, "list", &error));
    assert_string_equal(error->message, row->message);
}

static const char *const kept_hoster_rows[][2] = {
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

static void test_kept_hosters(void **state)
{
    static const char *const strato[] = {"docks05.rzone.de", NULL};
    g_auto(GStrv) lines = kept_list_lines("dns-hosters");
    g_autoptr(Lists) lists = lists_for("none");

    (void)state;
    assert_true(kept_list_check(lines) >= 60);
    assert_int_equal(kept_list_check(lines), lists_count(lists, LISTS_HOSTERS));
    for (char **line = lines; *line != NULL; line++) {
        g_autofree char *suffix = g_strndup(*line, strcspn(*line, " "));

        if (**line != '#' && **line != '\0' && strchr(suffix, '*') == NULL)
            kept_list_check_name(suffix);
    }
    assert_string_equal(lists_spf_of_all(lists, (char *const *)strato), "_spf.strato.com");
    for (gsize i = 0; i < G_N_ELEMENTS(kept_hoster_rows); i++)
        assert_string_equal(lists_hoster(lists, kept_hoster_rows[i][0]), kept_hoster_rows[i][1]);
}

int main(void)
{
    GArray *tests = table_new();

    TABLE_ADD(tests, has_rows, test_has);
    TABLE_ADD(tests, provider_error_rows, test_provider_error);
    table_add(tests, "the administrator's file", test_administrators_file, NULL);
    table_add(tests, "a file without end", test_odd_files, NULL);
    table_add(tests, "conf/mail-providers is in order", test_kept_providers, NULL);
    TABLE_ADD(tests, find_rows, test_find);
    TABLE_ADD(tests, of_all_rows, test_of_all);
    TABLE_ADD(tests, spf_rows, test_spf);
    TABLE_ADD(tests, hoster_error_rows, test_hoster_error);
    table_add(tests, "a later line counts", test_later_line, NULL);
    table_add(tests, "conf/dns-hosters is in order", test_kept_hosters, NULL);
    return table_run(tests, "lists_test");
}
