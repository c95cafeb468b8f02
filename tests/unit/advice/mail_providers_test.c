#include "config.h"

#include "advice/mail_providers.h"

#include <string.h>
#include <unistd.h>

#include "advice/list_file.h"
#include "unit/advice/kept_list.h"

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
    g_autoptr(MailProviders) providers = mail_providers_new();

    assert_true(mail_providers_add(providers, row->list, "list", &error));
    assert_null(error);
    assert_int_equal(mail_providers_has(providers, row->domain), row->has);
}

static const struct error_row {
    const char *name;
    const char *list;
    const char *message;
} error_rows[] = {
    {"an address", "gmx.de\n\nanna@gmx.de\n",
     "list:3: \"anna@gmx.de\" is not a domain; write it like mail.example.net"},
    {"two names", "gmx.de web.de\n",
     "list:1: \"gmx.de web.de\" is not a domain; write it like mail.example.net"},
    {"an exclamation mark", "!\n", "list:1: \"\" is not a domain; write it like mail.example.net"},
    {"a star", "*.gmx.de\n",
     "list:1: \"*.gmx.de\" is not a domain; write it like mail.example.net"},
    {"no UTF-8", "gmx.de\nm\xfcller.de\n", "list:2: the line is not UTF-8; convert the file"},
};

static void test_error(void **state)
{
    const struct error_row *row = *state;
    g_autoptr(GError) error = NULL;
    g_autoptr(MailProviders) providers = mail_providers_new();

    assert_false(mail_providers_add(providers, row->list, "list", &error));
    assert_string_equal(error->message, row->message);
}

/* The administrator's file, beside a configuration that need not be there, changes the list. */
static void test_administrators_file(void **state)
{
    g_autofree char *directory = g_dir_make_tmp(NULL, NULL);
    g_autofree char *configuration = g_build_filename(directory, "spfrom.conf", NULL);
    g_autofree char *file = g_build_filename(directory, "mail-providers", NULL);
    g_autoptr(GError) error = NULL;
    g_autoptr(MailProviders) before = mail_providers_read(configuration, &error);
    g_autoptr(MailProviders) after = NULL;

    (void)state;
    assert_null(error);
    assert_true(mail_providers_has(before, "gmx.de"));
    assert_false(mail_providers_has(before, "dorf-netz.example"));

    assert_true(g_file_set_contents(file, "dorf-netz.example\n!gmx.de\n", -1, NULL));
    after = mail_providers_read(configuration, &error);
    assert_null(error);
    assert_false(mail_providers_has(after, "gmx.de"));
    assert_true(mail_providers_has(after, "dorf-netz.example"));
    assert_true(mail_providers_has(after, "web.de"));

    assert_true(g_file_set_contents(file, "web.de\n?\n", -1, NULL));
    assert_null(mail_providers_read(configuration, &error));
    assert_true(g_str_has_prefix(error->message, file));
    assert_non_null(strstr(error->message, "mail-providers:2: \"?\" is not a domain"));
    unlink(file);
    rmdir(directory);
}

/* A file without end, or a directory in its place, is an error and takes no memory. */
static void test_odd_files(void **state)
{
    static const char *const files[] = {"/dev/zero", "/"};

    (void)state;
    for (gsize i = 0; i < G_N_ELEMENTS(files); i++) {
        g_autoptr(GError) error = NULL;

        assert_false(list_file_read(files[i], true, NULL, NULL, &error));
        assert_true(g_str_has_prefix(error->message, files[i]));
    }
    assert_true(list_file_read("/nowhere/list", true, NULL, NULL, NULL));
    assert_false(list_file_read("/nowhere/list", false, NULL, NULL, NULL));
}

static void test_kept_list(void **state)
{
    static const char *const musts[] = {"aon.at",    "bluewin.ch",  "freenet.de", "gmail.com",
                                        "gmx.at",    "gmx.ch",      "gmx.de",     "gmx.net",
                                        "hin.ch",    "icloud.com",  "me.com",     "outlook.de",
                                        "posteo.de", "t-online.de", "web.de",     "yahoo.de"};
    g_auto(GStrv) lines = kept_list_lines("mail-providers");
    g_autoptr(GError) error = NULL;
    g_autoptr(MailProviders) providers = mail_providers_read("none", &error);

    (void)state;
    assert_null(error);
    assert_true(kept_list_check(lines) >= 150);
    assert_int_equal(kept_list_check(lines), mail_providers_count(providers));
    for (char **line = lines; *line != NULL; line++)
        if (**line != '#' && **line != '\0')
            kept_list_check_name(**line == '.' ? *line + 1 : *line);
    for (gsize i = 0; i < G_N_ELEMENTS(musts); i++)
        assert_true(mail_providers_has(providers, musts[i]));
}

int main(void)
{
    GArray *tests = table_new();

    TABLE_ADD(tests, has_rows, test_has);
    TABLE_ADD(tests, error_rows, test_error);
    table_add(tests, "the administrator's file", test_administrators_file, NULL);
    table_add(tests, "a file without end", test_odd_files, NULL);
    table_add(tests, "conf/mail-providers is in order", test_kept_list, NULL);
    return table_run(tests, "mail_providers_test");
}
