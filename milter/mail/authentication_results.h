#ifndef SPFROM_MAIL_AUTHENTICATION_RESULTS_H
#define SPFROM_MAIL_AUTHENTICATION_RESULTS_H

#include "mail/header_fields.h"

/*
 * The domains for which the topmost Authentication-Results field of authserv_id (RFC 8601) says
 * dkim=pass: the header.d of each such result, in the form of base/domain_name.h. What can't be
 * read is left out: it vouches for nobody. Whether that field is to be trusted is the MTA's matter,
 * which has to strip those of strangers.
 *
 * Returns a NULL-terminated list, freed with g_strfreev(); empty where there is no such field.
 */
char **authentication_results_dkim_passes(const HeaderFields *fields, const char *authserv_id);
#endif
