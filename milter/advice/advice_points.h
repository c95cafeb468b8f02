#ifndef SPFROM_ADVICE_ADVICE_POINTS_H
#define SPFROM_ADVICE_ADVICE_POINTS_H

#include "advice/advice_text.h"

/* Appends what point says to pieces: a remark, items of a list, or nothing where the kind of advice
 * has said it already. */
void advice_points_add(GPtrArray *pieces, const Language *language, const Advice *advice,
                       const Point *point);

/* Appends one piece; takes text. */
void advice_piece_add(GPtrArray *pieces, AdvicePieceKind kind, char *text);
#endif
