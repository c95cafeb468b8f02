#include "config.h"

#include "base/installation.h"

#include <unistd.h>

/* share/NAME beside the program, NULL if there is none. */
static char *beside_program(const char *name)
{
    g_autofree char *program = g_file_read_link("/proc/self/exe", NULL);
    g_autofree char *directory = program != NULL ? g_path_get_dirname(program) : NULL;
    g_autofree char *found =
        directory != NULL ? g_build_filename(directory, "share", name, NULL) : NULL;

    if (found == NULL || !g_file_test(found, G_FILE_TEST_IS_DIR))
        return NULL;
    return g_steal_pointer(&found);
}

static char *directory_of(const char *variable, const char *name, const char *installed)
{
    const char *given = g_getenv(variable);
    char *built;

    if (given != NULL && *given != '\0')
        return g_strdup(given);
    built = beside_program(name);
    return built != NULL ? built : g_strdup(installed);
}

char *installation_data_file(const char *name)
{
    g_autofree char *directory = directory_of("SPFROM_DATADIR", "spfrom", INSTALLED_DATADIR);

    return g_build_filename(directory, name, NULL);
}

char *installation_locale_directory(void)
{
    return directory_of("SPFROM_LOCALEDIR", "locale", INSTALLED_LOCALEDIR);
}

char *installation_administrators_file(const char *configuration, const char *name)
{
    g_autofree char *directory =
        g_path_is_absolute(configuration) ? g_path_get_dirname(configuration) : NULL;
    g_autofree char *beside = directory != NULL ? g_build_filename(directory, name, NULL) : NULL;

    if (beside != NULL && access(beside, F_OK) == 0)
        return g_steal_pointer(&beside);
    return g_build_filename(INSTALLED_SYSCONFDIR, "spfrom", name, NULL);
}
