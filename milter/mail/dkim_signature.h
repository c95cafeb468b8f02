#ifndef SPFROM_MAIL_DKIM_SIGNATURE_H
#define SPFROM_MAIL_DKIM_SIGNATURE_H

/*
 * Returns the domain of a DKIM-Signature: field (tag d=, RFC 6376 section 3.5) in the form of
 * base/domain_name.h, owned by the caller, or NULL where there is none that can be read. Blanks and
 * case are taken as they come.
 */
char *dkim_signature_domain(const char *value);
#endif
