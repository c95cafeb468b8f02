#ifndef SPFROM_BASE_DOMAIN_NAME_H
#define SPFROM_BASE_DOMAIN_NAME_H

#include <glib.h>
#include <stdbool.h>

/*
 * A domain name in the one form in which this program compares names: A-labels (RFC 5890
 * section 2.3.2.1), lower case, no trailing dot, labels of 1 to 63 octets, at most 253 octets in
 * all. Such a name is plain text: a char *.
 */
#define DOMAIN_NAME_MAX 253

#define DOMAIN_NAME_ERROR (domain_name_error_quark())
typedef enum { DOMAIN_NAME_ERROR_SYNTAX } DomainNameError;
GQuark domain_name_error_quark(void);

/*
 * Brings text into that form. U-labels become A-labels (IDNA 2008 with the mapping of UTS 46), one
 * trailing dot goes. Letters, digits, "-" and "_" are what a label may hold: "_" since records such
 * as _dmarc.example.org have it.
 *
 * text    UTF-8, of any length
 * Returns a new string, or NULL with error (DOMAIN_NAME_ERROR) set.
 */
char *domain_name_parse(const char *text, GError **error);

/*
 * Returns name, which is in that form, as people write it, a new string of UTF-8: A-labels as
 * U-labels, "praxis-müller.de". It stays as it is if a label is no A-label that could have been
 * made of letters, digits and hyphens of a script. NULL if name is not in that form.
 */
char *domain_name_shown(const char *name);

/* Returns whether name is the domain parent, or below it. Compares whole labels: notexample.org is
 * not within example.org. */
bool domain_name_is_within(const char *name, const char *parent);

/*
 * Returns the organizational domain of name by the Public Suffix List: praxis.co.uk for
 * mail.praxis.co.uk. A public suffix is its own. The result points into name.
 */
const char *domain_name_organizational(const char *name);

/* Returns whether label is a top-level domain that exists, by the Public Suffix List; lower case. */
bool domain_name_is_top_level(const char *label);

/* Returns whether both are of one organizational domain, as relaxed alignment asks (RFC 7489
 * section 3.1). */
bool domain_name_is_aligned(const char *a, const char *b);
#endif
