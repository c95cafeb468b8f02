#ifndef SPFROM_MAIL_AUTHENTICATION_RESULTS_H
#define SPFROM_MAIL_AUTHENTICATION_RESULTS_H

#include "mail/header_fields.h"

/*
 * The domains for which the topmost Authentication-Results field of authserv_id (RFC 8601) says
 * dkim=pass: the header.d of each such result, in the form of base/domain_name.h. Whether that
 * field is to be trusted is the MTA's matter, which has to strip those of strangers.
 *
 * Even a field that our own verifier wrote holds texts that the sender chose (see
 * mail/dkim_signature.h). A pass counts only if the message has a DKIM-Signature with that d=, and
 * with a b= that begins with header.b if the field has it. No pass counts at all if
 * - the field breaks RFC 8601's grammar anywhere, or a result has two header.d or two header.b,
 * - the field has more results for a domain than the message has signatures of it,
 * - dkim_signature_parse() refuses one of the signatures, one of them is not here whole, or there
 *   are more than 100.
 *
 * Returns a NULL-terminated list, freed with g_strfreev(); empty where there is no such field.
 */
char **authentication_results_dkim_passes(const HeaderFields *fields, const char *authserv_id);
#endif
