#ifndef SPFROM_ADVICE_WORDS_ADVICE_TEXT_H
#define SPFROM_ADVICE_WORDS_ADVICE_TEXT_H

#include <glib.h>

#include "advice/advice.h"
#include "base/language.h"

/*
 * Advice in words, as pieces in the order in which they are read. The text of each is one line of
 * valid UTF-8, whatever a stranger has put into DNS: without controls and line ends.
 */
typedef struct {
    AdvicePieceKind kind;
    char *label; /* ADVICE_PIECE_FIELD, else NULL */
    char *text;
} AdvicePiece;

/* The summary without the domain before it: "has no SPF record; …". */
const char *advice_text_summary(const Language *language, const Advice *advice);

/* Returns the pieces, a GPtrArray of AdvicePiece, never empty, freed with g_ptr_array_unref(). */
GPtrArray *advice_text_pieces(const Language *language, const Advice *advice);

/*
 * Appends the pieces as lines of at most 76 columns, a blank line between paragraphs; only a record
 * can be longer. The summary is left out: the caller shows it.
 */
void advice_text_append(GString *page, GPtrArray *pieces);

/* All of advice as text, the summary included, owned by the caller. */
char *advice_text(const Language *language, const Advice *advice);
#endif
