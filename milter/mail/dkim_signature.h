#ifndef SPFROM_MAIL_DKIM_SIGNATURE_H
#define SPFROM_MAIL_DKIM_SIGNATURE_H

#include <glib.h>

/*
 * Returns the domain of a DKIM-Signature: field (tag d=, RFC 6376 section 3.5) in the form of
 * base/domain_name.h, owned by the caller, or NULL where there is none that can be read. Blanks and
 * case are taken as they come.
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
 * another: a blank, a control, or one of ; = " ( ). An i= is looked at decoded, and counts as it is
 * if it can't be decoded. A control in any tag's name gives NULL too: it may be read as such a tag.
 */
DkimSignature *dkim_signature_parse(const char *value);
void dkim_signature_free(DkimSignature *signature);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(DkimSignature, dkim_signature_free)
#endif
