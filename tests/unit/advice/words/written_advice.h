#ifndef SPFROM_TESTS_UNIT_ADVICE_WRITTEN_ADVICE_H
#define SPFROM_TESTS_UNIT_ADVICE_WRITTEN_ADVICE_H

#include <glib.h>

#include "advice/words/letter.h"

#include "unit/table.h"

/* Advice that no DNS was asked for: every kind and every point, as the engine could give it. */

/* Strato keeps the records, and mail is rewritten. Freed with advice_free(). found is what stands in DNS, one record or two with a line end between
 * them, or NULL. */
Advice *written_advice(AdviceKind kind, const char *domain, const char *record, const char *found);

/* The usual advice of that kind on praxis-mueller.de. */
Advice *written_advice_usual(AdviceKind kind);

/* Adds a point of that kind with every member set: term and text are of strangers. */
void written_advice_add(Advice *advice, PointKind kind, const char *term, const char *text);

/* Takes out what is known besides: the fallback address, the hoster, and that mail is rewritten. */
void written_advice_forget(Advice *advice);

/* Opens the texts; a test without them fails. */
Language *written_language(const char *code);

/*
 * Checks text, a letter or a page: UTF-8 without controls, nothing in braces, no line that begins
 * with a word of hostile text ("EVIL"), and no line of more than 76 columns but for those that are
 * record.
 */
void check_page(const char *text, const char *record);

/* How many lines of text are line, and nothing else. */
guint count_lines(const char *text, const char *line);
#endif
