#ifndef SPFROM_SPF_RECORD_H
#define SPFROM_SPF_RECORD_H

#include <glib.h>
#include <stdbool.h>

#include "base/network.h"

/*
 * An SPF record read strictly by the grammar of RFC 7208 section 12: its terms and where each
 * stands in the text. Pure: looks nothing up.
 */
typedef enum {
    RECORD_ALL,
    RECORD_INCLUDE,
    RECORD_A,
    RECORD_MX,
    RECORD_PTR,
    RECORD_IP4,
    RECORD_IP6,
    RECORD_EXISTS,
    RECORD_REDIRECT,
    RECORD_EXP,
    RECORD_MODIFIER, /* an unknown modifier: allowed, and without effect */
    RECORD_WRONG,    /* not by the grammar, see problem */
} RecordTermKind;

#define RECORD_KIND(kind) (1u << (kind))

typedef struct {
    RecordTermKind kind;
    char qualifier;      /* '+', '-', '~' or '?'; '+' by default, and of a modifier */
    guint8 cidr4, cidr6; /* RECORD_A, RECORD_MX: by default 32 and 128 */
    guint32 offset;      /* of the whole term in the text, in octets */
    guint32 length;
    guint32 spec_offset; /* its domain-spec (of an unknown modifier the macro-string) */
    guint32 spec_length; /* 0: none, which means the domain of the record itself */
    Network network;     /* RECORD_IP4, RECORD_IP6 (never unmapped); host bits are cleared */
    /* RECORD_WRONG: what is wrong, a sentence for the owner, for gettext(); else NULL. */
    const char *problem;
} RecordTerm;

typedef struct {
    char *text;    /* as given, a NUL behind it */
    gsize length;  /* octets of text */
    GArray *terms; /* of RecordTerm, in the order of the text */
    guint kinds;   /* which kinds of terms it has: a set of RECORD_KIND(kind) */
    /* The first wrong term, which makes the record a permerror; NULL if there is none. */
    const RecordTerm *wrong;
} Record;

/* Returns whether text (one TXT record) is an SPF record: "v=spf1", alone or with a blank behind it
 * (RFC 7208 section 4.5). */
bool record_is_spf(const char *text, gsize length);

/*
 * Reads one SPF record, of up to 65535 octets (a longer one is cut), with any octets in it. Goes on
 * behind a wrong term, so that all of them can be shown and mended.
 *
 * Returns a new record, freed with record_free(); never NULL.
 */
Record *record_parse(const char *text, gsize length);
void record_free(Record *record);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(Record, record_free)

const RecordTerm *record_at(const Record *record, guint position);

/* The redirect, or NULL if there is none, or none that counts since there is an
 * "all" (RFC 7208 section 6.1). */
const RecordTerm *record_redirect(const Record *record);

/*
 * The term as it stands in the text, for people: at most RECORD_SHOWN_MAX octets of it, with "?"
 * for octets that are not printable ASCII. Owned by the caller.
 */
#define RECORD_SHOWN_MAX 300
char *record_term_text(const Record *record, const RecordTerm *term);

/*
 * What is wrong with the record, for people: the term, where it stands (characters are counted from
 * 1) and why. Owned by the caller; NULL if nothing is wrong.
 */
char *record_problem(const Record *record);

/* Returns whether such a term costs one of the ten look-ups of RFC 7208 section 4.6.4. */
bool record_is_lookup(RecordTermKind kind);
#endif
