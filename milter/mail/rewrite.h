#ifndef SPFROM_MAIL_REWRITE_H
#define SPFROM_MAIL_REWRITE_H

#include <glib.h>
#include <stdbool.h>

#include "mail/edits.h"
#include "mail/header_fields.h"
#include "mail/mailboxes.h"
#include "mail/returned.h"

typedef enum { SENDER_HEADER_REMOVE, SENDER_HEADER_KEEP, SENDER_HEADER_FALLBACK } SenderHeader;

/* What a rewrite of the author is to do (design section 5). Everything is borrowed. */
typedef struct {
    const Mailboxes *authors; /* of the From: fields */
    const Mailbox *fallback;  /* its own name is used if the templates give none */
    const char *display_name; /* templates, see mail/display_name.h */
    const char *display_name_missing;
    bool add_reply_to;                /* if the message has none, or none with a mailbox */
    const char *const *author_header; /* fields that keep the original; NULL-terminated */
    SenderHeader sender_header;       /* for a Sender: that is not is_sender_authorised */
    bool is_sender_authorised;        /* its domain is; false also if it has none */
    bool remove_dkim_signatures;      /* those whose d= is in unauthorised */
    const char *const *unauthorised;  /* author domains, canonical; NULL-terminated */
    const char *trace;                /* value of the new X-SPFrom:; NULL: none */
    gsize mailbox_max;                /* octets of a mailbox that the MTA can read; 0: any */
} Rewrite;

/*
 * Sendmail reads From:, Reply-To: and Sender: anew on their way out. A mailbox of more than 255
 * octets loses its name there, or the end of its address; so names are cut before. The fields of
 * author_header keep them whole.
 */
#define REWRITE_MAILBOX_MAX_SENDMAIL 250

/* One that came with the message goes, unless it is the mark of a return. */
#define REWRITE_TRACE_HEADER RETURNED_MARK_HEADER
#define REWRITE_ORIGINAL_HEADER "X-Original-From"

typedef enum { REPLY_TO_ADDED, REPLY_TO_KEPT, REPLY_TO_NONE } ReplyToOutcome;

/*
 * Turns a rewrite into the edits that carry it out, in the order of sending. Pure. The plan
 * makes sure that f(f(m)) = f(m), since the fallback address is never rewritten.
 *
 * If header_fields_is_cut(), assume that a field that is not there exists: a second From: is
 * deleted, and a Reply-To: is the author's own.
 *
 * reply_to   set to what becomes of Reply-To:, for the log
 * Returns the edits, freed with edits_free(). If edits_is_over(), there is no rewrite.
 */
Edits *rewrite_edits(const Rewrite *rewrite, const HeaderFields *fields, ReplyToOutcome *reply_to);
#endif
