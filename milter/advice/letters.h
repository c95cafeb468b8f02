#ifndef SPFROM_ADVICE_LETTERS_H
#define SPFROM_ADVICE_LETTERS_H

#include <glib.h>
#include <stdbool.h>

#include "advice/consultation.h"
#include "ledger/ledger.h"
#include "returns/letter_rows.h"
#include "returns/return_rows.h"

/*
 * Who is to be written to, and what (design section 22). One thread; nothing is sent here.
 */
#define LETTERS_ERROR (letters_error_quark())
typedef enum { LETTERS_ERROR_FILE, LETTERS_ERROR_SYNTAX } LettersError;
GQuark letters_error_quark(void);

#define LETTERS_DAYS 30 /* whose mail was rewritten in so many days */

/* Why there is no letter today. */
typedef enum {
    LETTERS_DUE,
    LETTERS_OPTED_OUT,   /* letters = no */
    LETTERS_OFF,         /* its section or the map says mode = off */
    LETTERS_IDLE,        /* none of its mail was rewritten lately */
    LETTERS_AUTHORISED,  /* it is authorised by now */
    LETTERS_NOTHING,     /* its owner can do nothing */
    LETTERS_UNPROVEN,    /* no record could be proven */
    LETTERS_TROUBLE,     /* DNS trouble */
    LETTERS_NO_ADDRESS,  /* no author of it is known */
    LETTERS_BAD_ADDRESS, /* an author's address that no letter can be sent to */
    LETTERS_WAITS,
    LETTERS_ENOUGH,
    LETTERS_BOUNCED,
} LettersWhy;
const char *letters_why_name(LettersWhy why);     /* in JSON: "opted-out" … */
const char *letters_why_sentence(LettersWhy why); /* a msgid */

/* What letters are made of; all of it is borrowed. */
typedef struct {
    Settings *settings;
    ModeInForce mode;
    Dns *dns;
    const Lists *lists;
    const Relays *relays;
    LetterRows *rows;  /* NULL: nobody was written to yet */
    GHashTable *given; /* domain → address, of letters_read_addresses(); NULL: none */
    gint64 now;        /* wall time */
} Letters;

typedef struct {
    char *domain;
    char *address; /* NULL: none is known */
    bool is_rewritten;
    char *asked; /* the address that was asked last, if the domain was not thanked since; or NULL */
    bool is_looked_at;
    /* These are known once it was examined. */
    LetterKind kind;
    LettersWhy why;
    guint number;   /* which letter of that kind this is, from 1 */
    gint64 last;    /* the one before; 0: none */
    Advice *advice; /* NULL: nothing was asked of DNS */
} Letter;

/*
 * The letters that may be to be sent, as far as it can be told without DNS: of letters not examined
 * yet, those for the domains with most rewritten mail first.
 *
 * authors  NULL: no address is known
 * Returns an array of Letter, or NULL with error.
 */
GPtrArray *letters_find(const Letters *letters, Ledger *ledger, ReturnRows *authors,
                        GError **error);

/* Asks DNS about letter, which its examination does otherwise. Threads may do this at once for
 * several letters. */
void letters_look(const Letters *letters, Letter *letter);

/* Finds out whether letter is due today, and what it is. Returns false with error if letters.db
 * can't be read. */
bool letters_examine(const Letters *letters, Letter *letter, GError **error);

/* The letter about one domain, whether it is due or not; examined. NULL with error. */
Letter *letters_find_one(const Letters *letters, Ledger *ledger, ReturnRows *authors,
                         const char *domain, GError **error);
void letter_free(Letter *letter);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(Letter, letter_free)

/*
 * Reads lines of "DOMAIN ADDRESS"; empty ones and comments ("#") are left out.
 * Returns a table of both, or NULL with error, which begins with FILE:LINE.
 */
GHashTable *letters_parse_addresses(const char *text, gsize length, const char *file,
                                    GError **error);
GHashTable *letters_read_addresses(const char *file, GError **error);

/* The language for a domain, as a code. */
const char *letters_language(const char *domain);

/* A token that nobody has yet. */
void letters_make_token(ReturnToken token);

/* What stands below letters in that language, its lines ended by LF and without control characters;
 * "" if there is nothing, NULL with error. */
char *letters_signature(Settings *settings, const char *code, GError **error);

/* The message of letter, which has an address and advice; NULL: there is nothing to write. */
char *letters_message(const Letters *letters, const Letter *letter, const Language *language,
                      const char *signature, const char *token);
/* Its message-id, without "<>"; and who it is from. */
char *letters_message_id(const Letters *letters, const Letter *letter, const char *token);
const Mailbox *letters_from(const Letters *letters, const Letter *letter);

/* Did the operator say where answers go? The fallback address is mostly one that nobody reads. */
bool letters_take_replies(Settings *settings);
#endif
