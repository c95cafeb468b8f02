#ifndef SPFROM_TESTS_UNIT_FOLDER_H
#define SPFROM_TESTS_UNIT_FOLDER_H

#include <glib.h>
#include <glib/gstdio.h>

/* Removes a folder that a test has made and all files in it, and frees its name. */
static inline void folder_remove(char *folder)
{
    GDir *open = g_dir_open(folder, 0, NULL);
    const char *name;

    while (open != NULL && (name = g_dir_read_name(open)) != NULL) {
        g_autofree char *path = g_build_filename(folder, name, NULL);

        g_remove(path);
    }
    g_clear_pointer(&open, g_dir_close);
    g_rmdir(folder);
    g_free(folder);
}
#endif
