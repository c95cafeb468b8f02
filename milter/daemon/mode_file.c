#include "config.h"

#include "daemon/mode_file.h"

#include <errno.h>
#include <fcntl.h>
#include <glib/gstdio.h>
#include <jansson.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"

#define FILE_LENGTH_MAX 4096 /* octets; what is written has about 100 */
#define FILE_MODE 0644

G_DEFINE_QUARK(spfrom_mode_file_error, mode_file_error)

static bool set_system_error(const char *file, int number, GError **error)
{
    g_set_error(error, MODE_FILE_ERROR,
                number == ENOENT ? MODE_FILE_ERROR_ABSENT : MODE_FILE_ERROR_SYSTEM, "%s: %s", file,
                g_strerror(number));
    return false;
}

/* Returns how many octets of file are in text, at most FILE_LENGTH_MAX; -1 with errno set. */
static ssize_t read_octets(const char *file, char text[FILE_LENGTH_MAX])
{
    int fd = open(file, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
    ssize_t length = fd < 0 ? -1 : read(fd, text, FILE_LENGTH_MAX);
    int number = errno;

    if (fd >= 0)
        close(fd);
    errno = number;
    return length;
}

/* Reads a time, which may be null where is_optional: 0. */
static bool read_time(const json_t *value, bool is_optional, gint64 *wall)
{
    *wall = clock_rfc3339_parse(json_string_value(value));
    return *wall > 0 || (is_optional && json_is_null(value));
}

/* Reads a mode, which may be null or left out: *is_there then is false. */
static bool read_before(const json_t *value, bool *is_there, Mode *mode)
{
    *is_there = value != NULL && !json_is_null(value);
    return !*is_there || (json_is_string(value) && mode_parse(json_string_value(value), mode));
}

static bool read_object(const json_t *json, KeptMode *kept)
{
    const char *mode = json_string_value(json_object_get(json, "mode"));

    return mode != NULL && mode_parse(mode, &kept->mode) &&
           read_before(json_object_get(json, "before"), &kept->has_before, &kept->before) &&
           read_time(json_object_get(json, "since"), false, &kept->since) &&
           read_time(json_object_get(json, "until"), true, &kept->until);
}

bool mode_file_parse(const char *text, gsize length, KeptMode *kept)
{
    json_t *json = json_loadb(text, length, JSON_REJECT_DUPLICATES, NULL);
    bool is_read = read_object(json, kept);

    json_decref(json);
    return is_read;
}

bool mode_file_read(const char *file, KeptMode *kept, GError **error)
{
    char text[FILE_LENGTH_MAX];
    ssize_t length = read_octets(file, text);

    if (length < 0)
        return set_system_error(file, errno, error);
    if (mode_file_parse(text, (gsize)length, kept))
        return true;
    g_set_error(error, MODE_FILE_ERROR, MODE_FILE_ERROR_CONTENT,
                "%s: this is not what spfrom-milter wrote", file);
    return false;
}

char *mode_file_text(const KeptMode *kept)
{
    g_autofree char *since = clock_rfc3339(kept->since);
    g_autofree char *until = kept->until != 0 ? clock_rfc3339(kept->until) : NULL;

    g_autoptr(GString) text = g_string_new("{");

    g_string_append_printf(text, "\"mode\":\"%s\",\"since\":\"%s\"", mode_text(kept->mode), since);
    if (until != NULL)
        g_string_append_printf(text, ",\"until\":\"%s\"", until);
    else
        g_string_append(text, ",\"until\":null");
    if (kept->has_before)
        g_string_append_printf(text, ",\"before\":\"%s\"", mode_text(kept->before));
    g_string_append(text, "}\n");
    return g_string_free(g_steal_pointer(&text), FALSE);
}

bool mode_file_write(const char *file, const KeptMode *kept, GError **error)
{
    g_autofree char *text = mode_file_text(kept);
    g_autoptr(GError) cause = NULL;

    if (g_file_set_contents_full(file, text, -1,
                                 G_FILE_SET_CONTENTS_CONSISTENT | G_FILE_SET_CONTENTS_DURABLE,
                                 FILE_MODE, &cause))
        return true;
    g_set_error_literal(error, MODE_FILE_ERROR, MODE_FILE_ERROR_SYSTEM, cause->message);
    return false;
}

/* A removal is on the disk when its folder is. */
static void sync_folder(const char *file)
{
    g_autofree char *folder = g_path_get_dirname(file);
    int fd = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

    if (fd < 0)
        return;
    fsync(fd);
    close(fd);
}

bool mode_file_remove(const char *file, GError **error)
{
    if (g_unlink(file) != 0)
        return errno == ENOENT || set_system_error(file, errno, error);
    sync_folder(file);
    return true;
}
