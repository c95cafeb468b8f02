/* All that is wrong with a configuration in one go, and what was meant. */
#include "config.h"

#include "policy/settings_examine.h"

#include <string.h>

#include "unit/table.h"

#define FILE_NAME "/etc/spfrom/spfrom.conf"
#define FALLBACK "fallback_address = noreply@example.org\n"

static const char *file_text; /* of the row that is tested */

static gboolean read_file(const char *file, char **text, gsize *length, GError **error)
{
    if (strcmp(file, FILE_NAME) != 0 && strcmp(file, "/map") != 0) {
        g_set_error_literal(error, G_FILE_ERROR, G_FILE_ERROR_NOENT, "No such file");
        return FALSE;
    }
    *text = g_strdup(strcmp(file, "/map") == 0 ? "a.de mode=on\nb.de mode=off\nc.de mode=maybe\n"
                                               : file_text);
    *length = strlen(*text);
    return TRUE;
}

static const SettingsSource source = {.read = read_file, .hostname = "mail.example.net"};

/* Of each problem a line "LINE: what is wrong", then "LINE| the corrected line". */
static char *shown(const GPtrArray *problems)
{
    GString *text = g_string_new(NULL);

    for (guint i = 0; i < problems->len; i++) {
        const SettingsProblem *problem = g_ptr_array_index(problems, i);

        assert_true(g_str_has_prefix(problem->text, FILE_NAME ":") ||
                    g_str_has_prefix(problem->text, "/map:"));
        g_string_append_printf(text, "%s\n", strchr(problem->text, ':') + 1);
        if (problem->corrected != NULL)
            g_string_append_printf(text, "%u| %s\n", problem->line, problem->corrected);
    }
    return g_string_free(text, FALSE);
}

#define NOT_ADDRESS "; use an address such as noreply@example.org"
static const struct row {
    const char *name; /* the text */
    const char *problems;
} rows[] = {
    {FALLBACK, ""},
    {FALLBACK "relay_host = { auto }\n",
     "2: no such option 'relay_host'; did you mean relay_hosts?\n2| relay_hosts = { auto }\n"},
    {FALLBACK "relay-hosts = { auto }  # ours\n",
     "2: no such option 'relay-hosts'; did you mean relay_hosts?\n"
     "2| relay_hosts = { auto }  # ours\n"},
    {FALLBACK "Mode = off\n", "2: no such option 'Mode'; did you mean mode?\n2| mode = off\n"},
    {FALLBACK "colour = blue\n", "2: no such option 'colour'\n"},
    {FALLBACK "mode = rewrit\n", "2: mode: invalid value \"rewrit\"; use off, log-only or rewrite; "
                                 "did you mean rewrite?\n2| mode = rewrite\n"},
    {FALLBACK "mode = \"Log-Only\"\n",
     "2: mode: invalid value \"Log-Only\"; use off, log-only or rewrite; did you mean log-only?\n"
     "2| mode = \"log-only\"\n"},
    {FALLBACK "mode = on\n", "2: mode: invalid value \"on\"; use off, log-only or rewrite\n"},
    {"fallback_address = Praxis Mail <a@b.de>\n",
     "1: fallback_address: invalid value \"Praxis\"" NOT_ADDRESS
     "; a value of several words needs quotes: fallback_address = \"Praxis Mail <a@b.de>\"\n"
     "1| fallback_address = \"Praxis Mail <a@b.de>\"\n"},
    {"fallback_address = Praxis <a@b.de> # ours\n",
     "1: fallback_address: invalid value \"Praxis\"" NOT_ADDRESS
     "; a value of several words needs quotes: fallback_address = \"Praxis <a@b.de>\"\n"
     "1| fallback_address = \"Praxis <a@b.de>\" # ours\n"},
    {FALLBACK "display_name = %n via us\n",
     "2: no such option 'via'; a value of several words needs quotes: display_name = \"%n via "
     "us\"\n2| display_name = \"%n via us\"\n"},
    {FALLBACK "relay_hosts = { \"192.0.2.1\" \"192.0.2.2\" }\n",
     "2: unexpected token '192.0.2.2'; a comma is missing before \"192.0.2.2\"\n"
     "2| relay_hosts = { \"192.0.2.1\", \"192.0.2.2\" }\n"},
    {FALLBACK "outbound = { authenticated private }\n",
     "2: unexpected token 'private'; a comma is missing before \"private\"\n"
     "2| outbound = { authenticated, private }\n"},
    {FALLBACK "relay_hosts = {\n  \"192.0.2.1\" # one\n\n  \"192.0.2.2\"\n}\n",
     "5: unexpected token '192.0.2.2'; a comma is missing before \"192.0.2.2\"\n"
     "3|   \"192.0.2.1\", # one\n"},
    {FALLBACK "relay_hosts = 192.0.2.1, 192.0.2.2\n",
     "2: unexpected token ','; a list needs braces: relay_hosts = { 192.0.2.1, 192.0.2.2 }\n"
     "2| relay_hosts = { 192.0.2.1, 192.0.2.2 }\n"},
    {FALLBACK "domain \"a.de\" {\n  mod = off\n  relay_hosts = { auto }\n}\nlog = file\n",
     "3: no such option 'mod'; did you mean mode?\n3|   mode = off\n"
     "4: no such option 'relay_hosts'; it can't stand in a domain section\n"
     "6: log: invalid value \"file\"; use auto, stderr or syslog\n"},
    /* everything in one go */
    {"mode = on\nrelay_host = { auto }\ncheck_timeout = soon\nfallback_address = x\n",
     "1: mode: invalid value \"on\"; use off, log-only or rewrite\n"
     "2: no such option 'relay_host'; did you mean relay_hosts?\n2| relay_hosts = { auto }\n"
     "3: check_timeout: \"soon\" is not a time; write it like 10s, 5m, 2h or 1d\n"
     "4: fallback_address: invalid value \"x\"" NOT_ADDRESS "\n"},
    {"mode =\n" FALLBACK "log = file\n",
     "2: mode: invalid value \"fallback_address\"; use off, log-only or rewrite\n"
     "3: log: invalid value \"file\"; use auto, stderr or syslog\n"},
    {FALLBACK "rewrite_on = {\n  fail,\n  hardfail\n}\nmode = on\n",
     "4: rewrite_on: invalid value \"hardfail\"; use fail, softfail, neutral, none, permerror, "
     "temperror or pass\n6: mode: invalid value \"on\"; use off, log-only or rewrite\n"},
    {FALLBACK "domain \"a..de\" {\n  mode = off\n}\nmode = on\n",
     "4: domain: \"a..de\" is not a domain; write it like mail.example.net\n"
     "5: mode: invalid value \"on\"; use off, log-only or rewrite\n"},
    {FALLBACK "display_name = \"unfinished\nmode = on\n",
     "2: what begins here with \" has no end\n"
     "3: mode: invalid value \"on\"; use off, log-only or rewrite\n"},
    {"mode = on\n", "1: mode: invalid value \"on\"; use off, log-only or rewrite\n"
                    " fallback_address must be given; write fallback_address = "
                    "\"noreply@example.org\"\n"},
    {FALLBACK "mode = off\nmode = off\nlog = file\n",
     "3: mode: is given twice; leave one out\n4: log: invalid value \"file\"; use auto, stderr or "
     "syslog\n"},
    {FALLBACK "domain_map = /map\nmode = on\n",
     "3: mode: invalid value \"on\"; use off, log-only or rewrite\n"
     "1: mode: invalid value \"on\"; use off, log-only or rewrite\n"
     "3: mode: invalid value \"maybe\"; use off, log-only or rewrite\n"},
    {FALLBACK "cache_max_ttl = 10s\nmode = on\n",
     "3: mode: invalid value \"on\"; use off, log-only or rewrite\n"
     " cache_min_ttl is longer than cache_max_ttl; write a smaller one\n"},
};

static void test_problems(void **state)
{
    const struct row *row = *state;
    g_autoptr(GPtrArray) problems = settings_problems_new();
    g_autoptr(Settings) settings = NULL;
    g_autoptr(GError) error = NULL;
    g_autoptr(Settings) plain = NULL;
    g_autofree char *text = NULL;

    file_text = row->name;
    settings = settings_examine(FILE_NAME, &source, problems);
    assert_non_null(settings);
    text = shown(problems);
    assert_string_equal(text, row->problems);
    plain = settings_parse(FILE_NAME, &source, &error);
    assert_int_equal(plain == NULL, problems->len > 0);
}

/* The corrected line is right. */
static void test_corrected(void **state)
{
    const struct row *row = *state;
    g_autoptr(GPtrArray) problems = settings_problems_new();
    g_autoptr(GPtrArray) left = settings_problems_new();
    g_auto(GStrv) lines = g_strsplit(row->name, "\n", -1);
    g_autofree char *text = NULL;
    g_autoptr(Settings) first = NULL;
    g_autoptr(Settings) second = NULL;
    guint corrected = 0;

    file_text = row->name;
    first = settings_examine(FILE_NAME, &source, problems);
    for (guint i = 0; i < problems->len; i++) {
        const SettingsProblem *problem = g_ptr_array_index(problems, i);

        if (problem->corrected == NULL)
            continue;
        corrected++;
        g_free(lines[problem->line - 1]);
        lines[problem->line - 1] = g_strdup(problem->corrected);
    }
    text = g_strjoinv("\n", lines);
    file_text = text;
    second = settings_examine(FILE_NAME, &source, left);
    assert_int_equal(left->len, problems->len - corrected);
}

int main(void)
{
    GArray *tests = table_new();

    TABLE_ADD(tests, rows, test_problems);
    TABLE_ADD(tests, rows, test_corrected);
    return table_run(tests, "settings_examine");
}
