#ifndef SPFROM_WEB_SITE_H
#define SPFROM_WEB_SITE_H

#include <glib.h>
#include <stdbool.h>

#include "policy/settings.h"
#include "dns/dns.h"
#include "web/server.h"

/*
 * The pages, made from settings, DNS, the daemon's ledger and its control socket. The last two are
 * opened for each page and closed at once. Any thread may ask.
 */
typedef struct Site Site;

/* Takes a reference of settings. dns has to live as long as the site. is_here: of a fleet only what
 * this host's ledger has is shown. */
Site *site_new(Settings *settings, Dns *dns, bool is_here);
void site_free(Site *site);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(Site, site_free)

/* The functions for ServerSite. */
ServerLane site_lane(gpointer site, const Request *request);
ServerReply *site_answer(gpointer site, const Request *request, const char *language);
ServerReply *site_refuse(gpointer site, guint status, const char *language);
#endif
