#ifndef SPFROM_POLICY_DOMAIN_MAP_H
#define SPFROM_POLICY_DOMAIN_MAP_H

#include <glib.h>
#include <stdbool.h>

#include "policy/settings.h"
#include "policy/settings_keys.h"

/*
 * Domain sections by name, and domain_map: thousands of them, one a line, "NAME key=value …"
 * (design section 10). A value with a blank stands in double quotes, '"' and '\' in it escaped by
 * '\'.
 */
#define DOMAIN_MAP_ERROR (domain_map_error_quark())
typedef enum { DOMAIN_MAP_ERROR_SYNTAX } DomainMapError;
GQuark domain_map_error_quark(void);

/* A section without any key, for the domain in name, which may begin with a dot; NULL with error
 * if it is none. */
DomainSection *domain_section_new(const char *name, GError **error);
void domain_section_free(DomainSection *section);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(DomainSection, domain_section_free)

/* Sets what key, one with SETTINGS_KEY_SECTION or SETTINGS_KEY_MAP, says of the section's domain.
 * Returns false with error saying what to write. */
bool domain_section_set(DomainSection *section, const SettingsKey *key, const char *text,
                        GError **error);

/* A table of sections that domain_table_add() fills and domain_table_find() searches. */
GHashTable *domain_table_new(void);
/* Takes section. Returns false, with error set, if its name is there already. */
bool domain_table_add(GHashTable *table, DomainSection *section, GError **error);
/* The most specific section for a name: itself, or the longest parent whose subdomains have one;
 * else NULL. */
const DomainSection *domain_table_find(GHashTable *table, const char *domain_name);

/*
 * Reads a domain_map. text is UTF-8, file its name for FILE:LINE in errors.
 * Returns a table of sections, or NULL with error set.
 */
GHashTable *domain_map_parse(const char *text, const char *file, GError **error);
#endif
