/*
 * Stands in for libFuzzer in `make check`: runs a fuzz target over its seeds, one TAP line for
 * each. The target's name is that of the program without "fuzz_"; its seeds are in
 * tests/fuzz/seeds/NAME below the source folder.
 */
#include "config.h"

#include <glib.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void run_seed(const char *folder, const char *name, unsigned number)
{
    g_autofree char *path = g_build_filename(folder, name, NULL);
    g_autofree char *content = NULL;
    gsize length = 0;

    if (!g_file_get_contents(path, &content, &length, NULL)) {
        printf("not ok %u - %s: can't be read\n", number, name);
        return;
    }
    LLVMFuzzerTestOneInput((const uint8_t *)content, length);
    printf("ok %u - %s\n", number, name);
}

int main(int argc G_GNUC_UNUSED, char **argv)
{
    g_autofree char *program = g_path_get_basename(argv[0]);
    const char *target = g_str_has_prefix(program, "fuzz_") ? program + strlen("fuzz_") : program;
    const char *source = g_getenv("SPFROM_SRCDIR");
    g_autofree char *folder =
        g_build_filename(source != NULL ? source : ".", "tests", "fuzz", "seeds", target, NULL);
    g_autoptr(GDir) seeds = g_dir_open(folder, 0, NULL);
    unsigned number = 0;

    for (const char *name = seeds != NULL ? g_dir_read_name(seeds) : NULL; name != NULL;
         name = g_dir_read_name(seeds))
        run_seed(folder, name, ++number);
    if (number == 0)
        printf("not ok %u - no seeds in %s\n", ++number, folder);
    printf("1..%u\n", number);
    return 0;
}
