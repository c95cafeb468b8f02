#ifndef SPFROM_ADVICE_RECORD_DRAFT_H
#define SPFROM_ADVICE_RECORD_DRAFT_H

#include <glib.h>
#include <stdbool.h>

#include "spf/record.h"

/*
 * An SPF record that is being changed: its terms, each with the blanks before it, so that what is
 * not changed stays octet for octet. Pure.
 */
typedef struct {
    char *gap;  /* the blanks before it */
    char *text; /* the term as it stands */
    char *key;  /* what it means: without its qualifier, lower case, without a trailing dot */
    RecordTermKind kind;
    char qualifier; /* as in RecordTerm */
    bool is_added;  /* one of those that authorise the relays, not there before */
    char *origin;   /* one of the networks that take the place of this term; else NULL */
    bool is_moved;  /* is_added, but it was there before, further behind */
    char *was;      /* what it was before its sign was changed to let the relays pass; else NULL */
    /* Made of a name without a mechanism, as part of a list: it is only a name of its own if the
     * term before it is one, too. */
    bool is_leaning;
} DraftTerm;

typedef struct {
    char *version;    /* "v=spf1" in the case that it was found in */
    GPtrArray *terms; /* of DraftTerm */
    char *tail;       /* blanks at the end */
    /* Nobody knows what its owner meant: a term that refuses senders, or a name, can't be read for
     * certain. Such a draft is not to be published. */
    bool is_doubtful;
} Draft;

/* The draft of a record, which may have wrong terms. text: "v=spf1", alone or with a blank behind
 * it. Freed with draft_free(); never NULL. */
Draft *draft_new(const char *text);
Draft *draft_copy(const Draft *draft);
void draft_free(Draft *draft);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(Draft, draft_free)

/* The record, owned by the caller. */
char *draft_text(const Draft *draft);

DraftTerm *draft_at(const Draft *draft, guint position);

/* Puts a term before the one at position, or at the end, one blank before it. Returns it. */
DraftTerm *draft_insert(Draft *draft, guint position, const char *text);
/* Takes a term out, with the blanks before it. */
void draft_remove(Draft *draft, guint position);
/* Puts terms in the place of one, which becomes their origin; none: takes it out. */
void draft_replace(Draft *draft, guint position, const char *const *texts);
/* Puts origin back in the place of all that took it, or as the last mechanism if there is none. */
void draft_restore(Draft *draft, const char *origin);

/* The first term of that kind from position on, or the number of terms. */
guint draft_find_kind(const Draft *draft, RecordTermKind kind, guint position);
/* The first term of that key from position on, or the number of terms. */
guint draft_find_key(const Draft *draft, const char *key, guint position);

/* The place of a mechanism that counts last: before all or redirect, else behind the last
 * mechanism. */
guint draft_end(const Draft *draft);
/* The place of all: behind the last mechanism, before modifiers. */
guint draft_behind_mechanisms(const Draft *draft);

/* Is it a mechanism, and not a modifier? */
bool draft_is_mechanism(RecordTermKind kind);

/* Does a term from position on let senders pass, whom one before it may have refused? */
bool draft_passes_from(const Draft *draft, guint position);

/* The key of a term, owned by the caller. */
char *draft_key(const char *text);

/*
 * One record of several, which lets nobody pass that none of them does: the terms of the first that
 * refuses nobody, then what the others have besides, in their order, nothing from behind an all;
 * the softest all at the end. "+all", which would let everybody pass, counts as "?all" here. If one
 * has a redirect and another has all, or another redirect, the redirect becomes an include. Of two
 * exp the first stays. Pure.
 *
 * records  of Draft, at least one, without wrong terms
 * Returns a new draft, freed with draft_free().
 */
Draft *draft_unite(const GPtrArray *records);
#endif
