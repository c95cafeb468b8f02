#ifndef SPFROM_BASE_INSTALLATION_H
#define SPFROM_BASE_INSTALLATION_H

#include <glib.h>

/*
 * Where the files are that come with the programs. A program that runs from where it was built
 * finds them in share/ beside itself; an installed one in the places where `make install` put them.
 * The environment goes before both: SPFROM_DATADIR, SPFROM_LOCALEDIR.
 */

/* The path of a data file such as "mail-providers"; it need not exist. */
char *installation_data_file(const char *name);

/* The directory with LANGUAGE/LC_MESSAGES/spfrom.mo. */
char *installation_locale_directory(void);

/*
 * The path of an administrator's file of that name: beside the configuration if there is one,
 * else in the directory of the installed configuration; it need not exist.
 *
 * configuration  absolute path of the configuration in use; otherwise it doesn't count
 */
char *installation_administrators_file(const char *configuration, const char *name);
#endif
