/* settings_parse(): what stands before a line "---" is the configuration, what behind it its
 * domain_map. */
#include "config.h"

#include "policy/settings_examine.h"
#include "policy/settings_parse.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#define FILE_NAME "/etc/spfrom.conf"
#define BREAK "\n---\n"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const char *conf;
static gsize conf_length;
static const char *map;
static gsize map_length;

static void check(bool holds)
{
    if (!holds)
        abort();
}

static void split(const char *data, gsize size)
{
    const char *at = g_strstr_len(data, (gssize)size, BREAK);

    conf = data;
    conf_length = at != NULL ? (gsize)(at - data) : size;
    map = at != NULL ? at + strlen(BREAK) : data + size;
    map_length = (gsize)(data + size - map);
}

/* With a NUL at the end, as g_file_get_contents() gives it, and maybe others before it. */
static gboolean read_file(const char *file, char **text, gsize *length,
                          GError **error G_GNUC_UNUSED)
{
    bool is_conf = strcmp(file, FILE_NAME) == 0;

    *length = is_conf ? conf_length : map_length;
    *text = g_malloc0(*length + 1);
    memcpy(*text, is_conf ? conf : map, *length);
    return TRUE;
}

static guint count_lines(const char *text, gsize length)
{
    guint lines = 1;

    for (gsize i = 0; i < length; i++)
        lines += text[i] == '\n';
    return lines;
}

/* FILE:LINE of a line that is there, or FILE. */
static void check_error(const GError *error)
{
    const char *message = error->message;

    check(g_utf8_validate(message, -1, NULL));
    if (g_str_has_prefix(message, FILE_NAME ":"))
        check(g_ascii_strtoull(message + strlen(FILE_NAME ":"), NULL, 10) <=
              count_lines(conf, conf_length));
}

static void check_settings(Settings *settings)
{
    check(settings->fallback != NULL && g_str_is_ascii(settings->fallback->addr_spec));
    check(settings->fallback->domain_name != NULL);
    check(settings->relay_hosts->len > 0 && settings->outbound->len > 0);
    check(settings->cache_min_ttl <= settings->cache_max_ttl && settings->check_timeout > 0);
    check(settings->socket != NULL && settings->control_socket != NULL &&
          settings->hostname != NULL && settings->display_name != NULL);
    check(settings->author_header != NULL && settings->local_mailers != NULL &&
          settings->dns_servers != NULL);
    check(g_hash_table_contains(settings->fallbacks, settings->fallback->addr_spec));
    settings_section(settings, "www.example.org");
}

/* Comments become blanks: nothing moves. */
static void check_blanking(const char *data, gsize size)
{
    g_autofree char *text = g_strndup(data, size);
    gsize length = strlen(text);
    g_autoptr(GError) error = NULL;

    if (settings_parse_blank_comments(text, &error))
        check(error == NULL);
    else
        check(g_utf8_validate(error->message, -1, NULL));
    check(strlen(text) == length && count_lines(text, length) == count_lines(data, length));
}

/* Its errors are those of settings_parse(), and perhaps more. */
static void check_examination(const SettingsSource *source, const GError *error)
{
    g_autoptr(GPtrArray) problems = settings_problems_new();
    g_autoptr(Settings) settings = settings_examine(FILE_NAME, source, problems);

    check((problems->len > 0) == (error != NULL) && problems->len <= 2 * SETTINGS_PROBLEMS_MAX);
    check(problems->len > 0 || settings != NULL);
    for (guint i = 0; i < problems->len; i++) {
        const SettingsProblem *problem = g_ptr_array_index(problems, i);

        check(g_utf8_validate(problem->text, -1, NULL));
        check(problem->corrected == NULL || problem->line > 0);
    }
}

static void run(const char *data, gsize size)
{
    static const SettingsSource source = {read_file, "mail.example.net"};
    g_autoptr(GError) error = NULL;
    g_autoptr(Settings) settings = NULL;

    split(data, size);
    settings = settings_parse(FILE_NAME, &source, &error);
    check((settings == NULL) == (error != NULL));
    if (settings != NULL)
        check_settings(settings);
    else
        check_error(error);
    check_blanking(data, size);
    check_examination(&source, error);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static bool is_ready;

    if (!is_ready)
        mailboxes_init();
    is_ready = true;
    run((const char *)data, size);
    return 0;
}
