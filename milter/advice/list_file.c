#include "config.h"

#include "advice/list_file.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

G_DEFINE_QUARK(spfrom_list_file_error, list_file_error)

static bool take_line(char *line, ListFileEntry *take, gpointer data, GError **error)
{
    char *comment = strchr(line, '#');

    if (!g_utf8_validate(line, -1, NULL)) {
        g_set_error_literal(error, LIST_FILE_ERROR, LIST_FILE_ERROR_SYNTAX,
                            "the line is not UTF-8; convert the file");
        return false;
    }
    if (comment != NULL)
        *comment = '\0';
    g_strstrip(line);
    return *line == '\0' || take(data, line, error);
}

bool list_file_parse(const char *text, const char *file, ListFileEntry *take, gpointer data,
                     GError **error)
{
    guint number = 1;

    for (const char *end; *text != '\0'; text = *end != '\0' ? end + 1 : end, number++) {
        g_autofree char *line = NULL;

        end = strchrnul(text, '\n');
        line = g_strndup(text, (gsize)(end - text));
        if (!take_line(line, take, data, error)) {
            g_prefix_error(error, "%s:%u: ", file, number);
            return false;
        }
    }
    return true;
}

static void set_file_error(const char *file, const char *what, GError **error)
{
    g_set_error(error, LIST_FILE_ERROR, LIST_FILE_ERROR_FILE, "%s: %s", file, what);
}

/* What the file holds, NUL-terminated; NULL with error set. Closes stream. */
static char *contents(FILE *stream, const char *file, GError **error)
{
    g_autofree char *text = g_malloc(LIST_FILE_MAX + 1);
    gsize length = fread(text, 1, LIST_FILE_MAX + 1, stream);
    int number = ferror(stream) ? errno : 0;

    fclose(stream);
    if (number != 0) {
        set_file_error(file, g_strerror(number), error);
        return NULL;
    }
    if (length > LIST_FILE_MAX) {
        set_file_error(file, "is longer than 1 MiB", error);
        return NULL;
    }
    if (memchr(text, '\0', length) != NULL) {
        set_file_error(file, "is no text: there is a NUL in it", error);
        return NULL;
    }
    text[length] = '\0';
    return g_steal_pointer(&text);
}

bool list_file_read(const char *file, bool is_optional, ListFileEntry *take, gpointer data,
                    GError **error)
{
    FILE *stream = fopen(file, "re");
    g_autofree char *text = NULL;

    if (stream == NULL && is_optional && errno == ENOENT)
        return true;
    if (stream == NULL) {
        g_autofree char *what = g_strconcat("can't be read: ", g_strerror(errno), NULL);

        set_file_error(file, what, error);
        return false;
    }
    text = contents(stream, file, error);
    return text != NULL && list_file_parse(text, file, take, data, error);
}
