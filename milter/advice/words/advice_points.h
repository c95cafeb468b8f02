#ifndef SPFROM_ADVICE_WORDS_ADVICE_POINTS_H
#define SPFROM_ADVICE_WORDS_ADVICE_POINTS_H

#include "advice/words/advice_text.h"

/*
 * Appends what the points of advice say to pieces: remarks, some with a list, and nothing where the
 * kind of advice has said it already. Those of one kind stand together, in the place of the first.
 */
void advice_points_add(GPtrArray *pieces, const Language *language, const Advice *advice);

/* Appends one piece; takes text. */
void advice_piece_add(GPtrArray *pieces, AdvicePieceKind kind, char *text);
#endif
