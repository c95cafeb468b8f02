#ifndef SPFROM_POLICY_MESSAGE_ACTION_H
#define SPFROM_POLICY_MESSAGE_ACTION_H

/* What became of a message: log, metrics and ledger use the same words (design sections 13, 14). */
typedef enum {
    MESSAGE_ACTION_KEEP,
    MESSAGE_ACTION_REWRITE,
    MESSAGE_ACTION_WOULD_REWRITE, /* log-only */
    MESSAGE_ACTION_TEMPFAIL,
    MESSAGE_ACTION_WOULD_TEMPFAIL, /* log-only */
    MESSAGE_ACTION_ERROR,          /* refused, for it could not be treated as it should be */
    MESSAGE_ACTION_INBOUND,        /* not ours to touch */
    MESSAGE_ACTION_LOCAL,          /* does not leave the house */
    MESSAGE_ACTION_REJECT,         /* came back, and is not passed on */
    MESSAGE_ACTION_WOULD_REJECT,   /* log-only, off */
} MessageAction;

#define MESSAGE_ACTIONS (MESSAGE_ACTION_WOULD_REJECT + 1)

/* "keep", "would-rewrite" and so on. */
const char *message_action_text(MessageAction action);
#endif
