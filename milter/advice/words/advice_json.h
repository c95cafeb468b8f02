#ifndef SPFROM_ADVICE_WORDS_ADVICE_JSON_H
#define SPFROM_ADVICE_WORDS_ADVICE_JSON_H

#include <jansson.h>

#include "advice/advice.h"
#include "advice/domain_check.h"
#include "base/language.h"

/* check as design section 12 has it, with more members; a new reference. */
json_t *advice_json_check(const DomainCheck *check);

/*
 * The member "advice" of `spfrom check --json` (design section 12), with more members: kind,
 * record, text in language, and what else advice.h has. A new reference.
 */
json_t *advice_json(const Language *language, const Advice *advice);

/* text as a JSON string, in which octets that are no UTF-8 are replaced; null for NULL. A new
 * reference. */
json_t *advice_json_text(const char *text);
#endif
