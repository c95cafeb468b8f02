#ifndef SPFROM_MAIL_DKIM_H
#define SPFROM_MAIL_DKIM_H

#include <glib.h>

#include "mail/header_fields.h"

/*
 * What a message says about DKIM: its signatures, and the results that a verifier wrote. Nothing is
 * verified here.
 */

/*
 * Returns the domain of a DKIM-Signature: field (tag d=, RFC 6376 section 3.5) in the form of
 * base/domain_name.h, owned by the caller, or NULL if there is none that can be read. Upper case
 * and blanks inside of it are accepted.
 */
char *dkim_signature_domain(const char *value);

/* A signature by which a verifier's result can be told to be about it. */
typedef struct {
    char *domain;    /* as dkim_signature_domain(); NULL if it can't be read */
    char *signature; /* b=, base64 without blanks; NULL if there is none */
} DkimSignature;

/*
 * Verifiers copy a=, b=, d=, i= and s= into Authentication-Results, and not all of them quote what
 * they copy: OpenDKIM writes a decoded i= as it is. The sender of a message chooses these texts.
 *
 * Returns the signature, freed with dkim_signature_free(), or NULL if one of those tags stands
 * twice (RFC 6376 section 3.2), or has an octet that could end a value in that field and begin
 * another: a blank, a control, or one of ; = " ( ). An i= is decoded before it is looked at; if it
 * can't be decoded, it counts as it is. A control in any tag's name gives NULL too: it may be read
 * as such a tag.
 */
DkimSignature *dkim_signature_parse(const char *value);
void dkim_signature_free(DkimSignature *signature);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(DkimSignature, dkim_signature_free)

/*
 * The domains for which the topmost Authentication-Results field of authserv_id (RFC 8601) says
 * dkim=pass: the header.d of each such result, in the form of base/domain_name.h. The MTA has to
 * strip such fields of strangers, so that this one can be trusted.
 *
 * Even a field that our own verifier wrote holds texts that the sender chose. A pass counts only if
 * the message has a DKIM-Signature with that d=, and with a b= that begins with header.b if the
 * field has it. No pass counts at all if
 * - the field breaks RFC 8601's grammar anywhere, or a result has two header.d or two header.b,
 * - the field has more results for a domain than the message has signatures of it,
 * - dkim_signature_parse() refuses one of the signatures, one of them is not here whole, or there
 *   are more than 100.
 *
 * Returns a NULL-terminated list, freed with g_strfreev(); empty if there is no such field.
 */
char **dkim_passed_domains(const HeaderFields *fields, const char *authserv_id);
#endif
