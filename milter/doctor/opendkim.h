#ifndef SPFROM_DOCTOR_OPENDKIM_H
#define SPFROM_DOCTOR_OPENDKIM_H

#include <glib.h>

#define DOCTOR_OPENDKIM_FILE "/etc/opendkim.conf"

/*
 * Appends the selectors (char *) with which OpenDKIM signs for domain: Domain and Selector of its
 * configuration, or the rows of its KeyTable.
 *
 * file  opendkim.conf(5); NULL: where Debian has it. Nothing is appended where it can't be read
 */
void doctor_opendkim_selectors(const char *file, const char *domain, GPtrArray *selectors);

/* The pure parts: the value of a key in text, owned by the caller, or NULL … */
char *doctor_opendkim_value(const char *text, const char *key);
/* … and the rows "NAME DOMAIN:SELECTOR:KEY" of a KeyTable. */
void doctor_opendkim_key_table(const char *text, const char *domain, GPtrArray *selectors);
#endif
