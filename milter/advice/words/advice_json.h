#ifndef SPFROM_ADVICE_WORDS_ADVICE_JSON_H
#define SPFROM_ADVICE_WORDS_ADVICE_JSON_H

#include <jansson.h>

#include "advice/words/advice_text.h"

/*
 * The member "advice" of `spfrom check --json` (design section 12), with more members: kind,
 * record, text in language, and what else advice.h has. A new reference.
 */
json_t *advice_json(const Language *language, const Advice *advice);
#endif
