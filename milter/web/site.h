#ifndef SPFROM_WEB_SITE_H
#define SPFROM_WEB_SITE_H

#include <glib.h>

#include "policy/settings.h"
#include "dns/dns.h"
#include "web/server.h"

/*
 * What the pages are made from: settings, DNS, and, opened for each page and closed at once, the
 * daemon's ledger and control socket. Any thread may ask.
 */
typedef struct Site Site;

/* Takes a reference of settings; dns has to live as long. */
Site *site_new(Settings *settings, Dns *dns);
void site_free(Site *site);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(Site, site_free)

/* The functions for ServerSite. */
ServerLane site_lane(gpointer site, const Request *request);
Reply *site_answer(gpointer site, const Request *request, const char *language);
Reply *site_refuse(gpointer site, guint status, const char *language);
#endif
