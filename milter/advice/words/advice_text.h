#ifndef SPFROM_ADVICE_WORDS_ADVICE_TEXT_H
#define SPFROM_ADVICE_WORDS_ADVICE_TEXT_H

#include <glib.h>

#include "advice/advice.h"
#include "base/language.h"

/*
 * Advice in words, as pieces in the order in which they are read. The text of each is one line of
 * valid UTF-8, whatever a stranger has put into DNS: without controls and line ends.
 */
typedef enum {
    ADVICE_PIECE_SUMMARY,     /* one sentence: what is the matter */
    ADVICE_PIECE_INSTRUCTION, /* a paragraph: what to do */
    ADVICE_PIECE_FIELD,       /* what to enter: label "Type", text "TXT" */
    ADVICE_PIECE_RECORD,      /* to be copied: stands alone on its line, with nothing around it */
    ADVICE_PIECE_QUOTE,       /* a record as it stands in DNS now */
    ADVICE_PIECE_ITEM,        /* one of a list that the piece before began */
    ADVICE_PIECE_REMARK,      /* a paragraph: what to know besides */
    ADVICE_PIECE_OUTCOME,     /* a paragraph: what happens then */
    ADVICE_PIECE_OPERATOR,    /* a paragraph for who runs the relays, not for the owner */
} AdvicePieceKind;

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
 * can be longer. The summary is left out: where it stands, and how it looks, is the caller's.
 */
void advice_text_append(GString *page, GPtrArray *pieces);

/* All of advice as text, the summary included, owned by the caller. */
char *advice_text(const Language *language, const Advice *advice);
#endif
