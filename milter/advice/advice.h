#ifndef SPFROM_ADVICE_ADVICE_H
#define SPFROM_ADVICE_ADVICE_H

#include <glib.h>
#include <stdbool.h>

/*
 * What the owner of a domain should publish (design section 15): its kind, the record, and points
 * that are said besides. What letters and pages say of each kind of advice and of each kind of
 * point is one row of a table.
 */

/* The kinds in their order: if several are right, the first one counts. */
typedef enum {
    ADVICE_PROVIDER, /* a mail provider's domain: its users can't publish */
    ADVICE_UNKNOWN,  /* DNS trouble: try again */
    ADVICE_NODOMAIN, /* the domain does not exist */
    ADVICE_MERGE,    /* several SPF records, united */
    ADVICE_REPAIR,   /* an error in the record, mended */
    ADVICE_REDUCE,   /* too many look-ups, as it is or once extended */
    ADVICE_OK,       /* nothing to do */
    ADVICE_EXTEND,   /* one record, to which mechanisms are added */
    ADVICE_PUBLISH,  /* no record */
} AdviceKind;
#define ADVICE_KINDS (ADVICE_PUBLISH + 1)

/* The pieces that advice in words consists of. */
typedef enum {
    ADVICE_PIECE_SUMMARY,     /* one sentence: what is the matter */
    ADVICE_PIECE_INSTRUCTION, /* a paragraph: what to do */
    ADVICE_PIECE_FIELD,       /* what to enter: label "Type", text "TXT" */
    ADVICE_PIECE_RECORD,      /* to be copied: stands alone on its line, with nothing around it */
    ADVICE_PIECE_QUOTE,       /* a record as it stands in DNS now */
    ADVICE_PIECE_ITEM,        /* one of a list that the piece before began */
    ADVICE_PIECE_REMARK,      /* a paragraph: what to know besides */
    ADVICE_PIECE_OUTCOME,     /* a paragraph: what happens then */
    ADVICE_PIECE_OPERATOR,    /* a paragraph for the operator, not for the owner */
} AdvicePieceKind;

/* A sentence is said if everything holds that its row names. */
typedef enum {
    WHEN_FALLBACK = 1 << 0, /* the fallback address is known */
    WHEN_NO_FALLBACK = 1 << 1,
    WHEN_RELAYS_UNKNOWN = 1 << 2, /* Advice.has_unknown_relays */
    WHEN_RELAYS_KNOWN = 1 << 3,
    WHEN_RECORD = 1 << 15, /* a record is shown to be published */
    WHEN_NO_RECORD = 1 << 16,

    /* Of a point: */
    WHEN_FIRST = 1 << 4,  /* the first of its kind: a sentence before a list */
    WHEN_REASON = 1 << 5, /* it has a reason */
    WHEN_NO_REASON = 1 << 6,
    WHEN_TEXT = 1 << 7, /* its text is not empty */
    WHEN_NO_TEXT = 1 << 8,
    WHEN_ONE = 1 << 9, /* its number is 1 */
    WHEN_MORE = 1 << 10,
    WHEN_VOID = 1 << 11, /* its limit, the number of void look-ups, is not 0 */
    WHEN_NOT_VOID = 1 << 12,
    WHEN_REJECT = 1 << 13, /* its number is DMARC_REJECT */
    WHEN_QUARANTINE = 1 << 14,
    WHEN_TERM = 1 << 17,
    WHEN_NO_TERM = 1 << 18,
} AdviceWhen;

typedef struct {
    AdvicePieceKind piece;
    guint when; /* of AdviceWhen */
    /*
     * A msgid. {domain}, {zone}, {fallback}, {hoster}, and for a point {term}, {text}, {reason},
     * {number}, {limit} and {strings} are filled in. NULL ends the sentences of a row.
     */
    const char *text;
} AdviceSentence;

/* What is known of a kind of advice. */
typedef struct {
    /* In JSON, as in design section 15. */
    const char *name;
    /* Of `spfrom advise`: 0 nothing is to be done, 1 something is, 75 nothing is known. */
    int exit_status;
    /* The owner can publish something: Advice.record, unless nothing could be proven. */
    bool shows_record;
    /* The mechanisms in Advice.added are named. */
    bool tells_added;
    /* A msgid: the headline without the domain before it. */
    const char *summary;
    /* msgids of the letter: its subject, and why we write it, for a reader who has never heard of
     * SPF. NULL: no letter is written. */
    const char *subject, *reason;
    /* msgids in place of summary and reason for advice with POINT_UNPROVABLE; NULL: the same. */
    const char *unprovable_summary, *unprovable_reason;
    /* What to do; the record is not among them. */
    AdviceSentence sentences[5];
    /* A msgid: the letter's last paragraph but one; NULL: none. */
    const char *letter_end;
} AdviceKindRow;

const AdviceKindRow *advice_kind_row(AdviceKind kind);

/*
 * What is said besides, each with what it is about. Members that the row of a kind does not name
 * are NULL or 0. "term" is text of a record as it stands there; "the record" is the proposed one,
 * or the one that was found if none is proposed.
 */
typedef enum {
    /* About the record that is to be published. Longer than 255 octets: number: its octets; texts:
     * the strings of the TXT record, in order */
    POINT_STRINGS,
    /* Longer than 450 octets: may not fit into an answer by UDP. number: its octets */
    POINT_LONG,
    /* "+all" or "all": everybody may send as this domain. term: as it stands there */
    POINT_ALL_PASS,
    /* "?all": decides nothing. term */
    POINT_ALL_NEUTRAL,
    /* Neither all nor redirect: what no term matches is neutral */
    POINT_ALL_MISSING,
    /* ptr is slow and unreliable (RFC 7208 section 5.5 says: don't). term */
    POINT_PTR,
    /* A term behind all, or a redirect beside it, never counts. term */
    POINT_UNREACHED,
    /* "v=spf1" in the middle of the record, where it has no effect. term */
    POINT_SECOND_VERSION,
    /* "include=example.org": without effect, ":" was meant, and nothing was changed. term */
    POINT_WITHOUT_EFFECT,
    /* Who comes to this term gets an error, and nothing was changed. term; reason: English, made of
     * foreign data, no msgid */
    POINT_FAULTY,

    /* What was done to the record found (merge, repair, reduce). An error in it: term: the text
     * that is wrong; number: its place, characters counted from 1; text: what it became ("" if
     * it was left out); reason: what is wrong, English, a msgid for gettext(), or NULL. record: the
     * index in Advice.found */
    POINT_ERROR,
    /* The same if no record is proposed, since something in it can't be read for certain: a wrong
     * guess could let strangers pass. term, number, reason, record as of POINT_ERROR */
    POINT_UNREADABLE,
    /* What begins the record is not "v=spf1". term: what stands there */
    POINT_VERSION,
    /* An include or redirect of a domain that has no usable record, which makes all of this one an
     * error; left out. term; reason: English, made of foreign data, no msgid */
    POINT_BROKEN,
    POINT_BROKEN_REFUSAL,
    /* "mx" of more mail servers than receivers look up, which makes the record an error; it was
     * replaced by their addresses, or left out. term; text: the addresses as terms ("" if it was
     * left out); number: how many servers */
    POINT_MANY_HOSTS,
    /* An all that let everybody pass, had the record not been an error. term; text: what it became
     */
    POINT_CLOSED,
    /* A mechanism behind all in one of several records: it never counted, and was left out. term;
     * text: the all; record: the index in Advice.found */
    POINT_UNCOUNTED,
    /* A term refused our relays; its sign was changed. term; text: what it became */
    POINT_SIGN,
    /* Several SPF records. texts: all of them, as found; number: how many */
    POINT_SEVERAL,
    /* More look-ups than allowed. number: as it is; limit: 10 */
    POINT_LOOKUPS,
    /* More void look-ups than allowed. number: as it is; limit: 2 */
    POINT_VOIDS,
    /* What one term costs, the one that frees most first. term; number: look-ups, with all below
     * it; limit: void ones among them */
    POINT_COST,
    /* A term was replaced by the networks that it stands for today: a copy that ages. term; texts:
     * what stands in its place; number: look-ups freed */
    POINT_FLATTENED,
    /* A term was left out that can never match: it finds nothing. term; number: look-ups freed */
    POINT_VOID,
    /* A term was left out that stands there twice. term; number: look-ups freed */
    POINT_DOUBLE,
    /* A term was left out as nothing else gets the record within the limits. The owner has to agree
     * that nobody sends from there. term; number: look-ups freed */
    POINT_DROPPED,
    /* A term that lets our relays pass was there already, but too far behind. term; text: the term
     * that it stands before now */
    POINT_MOVED,

    /* About the domain. SPF at another name, which counts for that name alone (number is 0), or, at
     * the domain, a TXT record that was meant as SPF and is none (number is 1). term: the name at
     * which it stands; text: the record */
    POINT_MISPLACED,
    /* SPF at every name below the domain. term: "*." and the domain; text: the record */
    POINT_WILDCARD,
    /* A record of the type SPF, which receivers don't ask for: TXT is. text: the record */
    POINT_SPF_TYPE,
    /* The parent has a record; it doesn't count for subdomains. term: the parent; text: its record
     */
    POINT_NOT_INHERITED,
    /* The name is an alias (CNAME): no record of its own can stand there. term: what it leads to.
     * The record belongs there, if that name is the owner's */
    POINT_ALIAS,
    /* It can't be proven that the record found allows all of our relays. term: the term of the
     * record that leads to what depends on the address; text: that term, if it stands in another
     * record. Both NULL: there is too much to compare */
    POINT_UNPROVABLE,
    /* DMARC asks receivers to quarantine or reject. number: a DmarcPolicy; text: the record */
    POINT_DMARC,
    /* No record could be found that is proven to work (record is NULL). reason: English, what the
     * last one failed on; NULL if nothing could be tried */
    POINT_UNPROVEN,

    /* For the operator. A relay that is a provider's ("spf:amazonses.com"): it may send with an
     * envelope domain of its own, and then SPF of the author's domain is not what receivers ask;
     * DKIM, or a custom MAIL FROM domain, is. term: the provider's domain */
    POINT_PROVIDER_RELAY,
} PointKind;

#define POINT_KINDS (POINT_PROVIDER_RELAY + 1)

typedef struct {
    PointKind kind;
    char *term;
    char *text;
    char *reason;
    char **texts; /* NULL-terminated; NULL if there is none */
    guint number, limit;
    guint record;
} Point;

/* Which members of a point are set, or may be. */
typedef enum {
    POINT_HAS_TERM = 1 << 0,
    POINT_HAS_TEXT = 1 << 1,
    POINT_HAS_REASON = 1 << 2,
    POINT_HAS_TEXTS = 1 << 3,
    POINT_HAS_NUMBER = 1 << 4,
    POINT_HAS_LIMIT = 1 << 5,
    POINT_TERM_IS_NAME = 1 << 6, /* term is a domain name, shown as people write it */
} PointMember;

/* What is known of a kind of point. */
typedef struct {
    const char *name; /* in JSON */
    guint members;    /* of PointMember */
    AdviceSentence sentences[6];
} PointRow;

const PointRow *point_row(PointKind kind);

/* Adds a point of that kind to points, which is a new array of point_array_new(). Returns it, to be
 * filled: term is copied, NULL is taken. */
GPtrArray *point_array_new(void);
Point *point_add(GPtrArray *points, PointKind kind, const char *term);

typedef struct {
    AdviceKind kind;
    /* ADVICE_UNKNOWN: it is our relays that are not known. */
    bool has_unknown_relays;
    /* As in DomainCheck; A-label. */
    char *domain;
    /* The domain that somebody registered: domain, or a parent of it. */
    char *organizational;
    /* The name in the zone of organizational: "@", or "mail" of mail.example.org. */
    char *label;
    /* domain and organizational differ. */
    bool is_subdomain;
    /*
     * The record to publish, ASCII: proven, it passes for the whole relay set within the limits.
     * NULL: nothing is to be published, or nothing could be proven (POINT_UNPROVEN).
     */
    char *record;
    /*
     * ADVICE_PUBLISH: the record for an owner who also sends from a mail program, through the
     * hosts that take the domain's mail or the hoster's servers: proven like record, and it lets
     * those pass, too. NULL: neither is known, or nothing could be proven.
     */
    char *alternative;
    /*
     * The other way, for an owner who may publish something (shows_record of the kind): the alias by
     * which our DKIM key counts as this domain's (design section 20). Its name in DNS, the same in
     * the zone of organizational, and what it leads to; A-labels without the dot at the end. NULL:
     * dkim_consent is empty, or the domain is that of the key.
     */
    char *dkim_name, *dkim_label, *dkim_target;
    /* Proven: with record, mail that is not sent through our relays is judged as before. */
    bool keeps_others;
    /* The mechanisms in record that were not there before, in its order; NULL-terminated, never
     * NULL. */
    char **added;
    /* The SPF records as found, made valid UTF-8; NULL-terminated, never NULL. */
    char **found;
    /* of Point */
    GPtrArray *points;
    /* Of organizational, lower case, sorted; NULL-terminated, never NULL. */
    char **name_servers;

    /* The fallback address of this domain; NULL: there is no configuration. */
    char *fallback;
    /* Whose mail it is, for the end of a letter; NULL: not known. */
    char *sender;
    /* Who keeps the domain's records; NULL: not known. */
    char *hoster;
    /* True if the author of this domain's mail is replaced today. A mode that was switched while
     * the daemon runs does not count. */
    bool is_rewriting;
} Advice;

/* New advice on domain (see base/domain_name.h), without record and points: ADVICE_PUBLISH.
 * Freed with advice_free(). */
Advice *advice_new(const char *domain);
void advice_free(Advice *advice);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(Advice, advice_free)

/* Another kind is right, too: the first one counts. */
void advice_find(Advice *advice, AdviceKind kind);

/* msgids, those of its kind: the headline without the domain before it, and why we write a letter
 * (NULL: none is written). */
const char *advice_summary(const Advice *advice);
const char *advice_reason(const Advice *advice);

/* The first point of that kind, or NULL. */
const Point *advice_point(const Advice *advice, PointKind kind);

/* Is the alias of dkim_name shown? */
bool advice_shows_dkim(const Advice *advice);

/* The alias as a line of a zone file, owned by the caller. */
char *advice_dkim_line(const Advice *advice);

const Point *advice_point_at(const Advice *advice, guint position);
#endif
