#ifndef SPFROM_WEB_WEB_H
#define SPFROM_WEB_WEB_H

#include <glib.h>
#include <stdbool.h>

#include "policy/settings.h"

typedef struct {
    const char *listen;        /* see web/listen_address.h; NULL: the default */
    const char *const *hosts;  /* names by which it may be called; NULL-terminated */
    const char *password_file; /* NULL: none */
} WebOptions;

/* Can options be right at all? Returns false with error (LISTEN_ADDRESS_ERROR) set. */
bool web_options_check(const WebOptions *options, GError **error);

/*
 * Serves the pages until SIGINT or SIGTERM; says on stdout where. To be called before there are
 * threads. Returns false with error (SERVER_ERROR, LISTEN_ADDRESS_ERROR, ACCESS_ERROR,
 * SETUP_ERROR) set where it can't.
 */
bool web_run(const WebOptions *options, Settings *settings, GError **error);

/* Is the cause of that error the configuration or the password file, and not this machine? */
bool web_error_is_configuration(const GError *error);
#endif
