#ifndef SPFROM_ADVICE_WORDS_CHECK_JSON_H
#define SPFROM_ADVICE_WORDS_CHECK_JSON_H

#include <jansson.h>

#include "advice/domain_check.h"

/* check as design section 12 has it, with more members; a new reference. */
json_t *check_json(const DomainCheck *check);

/* text as a JSON string, octets that are no UTF-8 replaced; null for NULL. A new reference. */
json_t *check_json_text(const char *text);
#endif
