#ifndef SPFROM_WEB_WEB_H
#define SPFROM_WEB_WEB_H

#include <glib.h>
#include <stdbool.h>

#include "policy/settings.h"

typedef struct {
    /* See listen_address_parse(); NULL: the default. */
    const char *listen;
    /* Names by which browsers may ask; NULL-terminated. */
    const char *const *hosts;
    /* NULL: none. */
    const char *password_file;
    /* In a fleet: this host's ledger alone. */
    bool is_here;
} WebOptions;

/* True if options can be right at all, else false with error (LISTEN_ADDRESS_ERROR) set. */
bool web_options_check(const WebOptions *options, GError **error);

/*
 * Prints the URL on stdout and serves the pages until SIGINT or SIGTERM. To be called before there
 * are threads. Returns false with error (SERVER_ERROR, LISTEN_ADDRESS_ERROR, ACCESS_ERROR,
 * SETUP_ERROR) set if it can't.
 */
bool web_run(const WebOptions *options, Settings *settings, GError **error);

/* True if the cause of that error is the configuration or the password file, not this machine. */
bool web_error_is_configuration(const GError *error);
#endif
