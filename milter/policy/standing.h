#ifndef SPFROM_POLICY_STANDING_H
#define SPFROM_POLICY_STANDING_H

#include <stdbool.h>

#include "mail/mailboxes.h"
#include "policy/settings.h"
#include "policy/verdict.h"

/* What holds for one domain, and what its verdict comes to (design sections 4 and 10). */

/* The global mode in force: the configuration's, or that of the running daemon's switch, which caps
 * the sections. */
typedef struct {
    Mode mode;
    bool is_switch;
    /* The daemon has another version of the settings at hand in force. */
    bool is_of_others;
} ModeInForce;

typedef enum { STANDING_MAP_SILENT, STANDING_MAP_YES, STANDING_MAP_NO } StandingMapWord;

/* Everything in it is borrowed from the settings. */
typedef struct {
    Mode mode;
    bool has_own_mode;       /* a section or the map gives the mode */
    const Mailbox *fallback; /* without a token */
    const ReturnForm *fallback_form;
    const ReturnForm *return_form; /* NULL: the fallback is the return address */
    const char *display_name;
    const char *display_name_missing;
    bool add_reply_to;
    StandingMapWord authorised; /* domain_map decides in place of a verdict */
} Standing;

/* domain_name  see base/domain_name.h; NULL: a mailbox without one, for which no section holds */
Standing standing_of(Settings *settings, ModeInForce mode, const char *domain_name);

typedef enum {
    STANDING_EXEMPT, /* never rewritten */
    STANDING_AUTHORISED,
    STANDING_UNAUTHORISED,
    STANDING_TEMPFAIL,
    STANDING_OPEN, /* a verdict is needed and not known yet */
} StandingOutcome;

/*
 * What mailbox comes to.
 *
 * mailbox      NULL: unauthorised
 * verdict      on its domain; NULL: not known
 * has_consent  whether verdict->dkim counts: for an author whose mail we sign
 */
StandingOutcome standing_outcome(Settings *settings, ModeInForce mode, const Mailbox *mailbox,
                                 const Verdict *verdict, bool has_consent);

/* What the verdict alone comes to if tempfail_on does not apply: authorised or unauthorised. */
StandingOutcome standing_of_verdict(Settings *settings, const Verdict *verdict);

/*
 * True for a fallback address of any domain, and for any address of the form of one, or of that of a
 * return address: those that our rewrites leave behind.
 */
bool standing_is_own_address(Settings *settings, const Mailbox *mailbox);

/* Exempt or authorised. */
bool standing_is_authorised(StandingOutcome outcome);
#endif
