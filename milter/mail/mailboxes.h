#ifndef SPFROM_MAIL_MAILBOXES_H
#define SPFROM_MAIL_MAILBOXES_H

#include <glib.h>
#include <stdbool.h>

#include "mail/header_fields.h"

/*
 * One mailbox (RFC 5322 section 3.4), or an envelope sender, which has no display name. All text is
 * UTF-8; a missing part is NULL.
 */
typedef struct {
    char *display_name; /* decoded (RFC 2047), else as it came: still to be made safe */
    char *local_part;   /* without quotes; "" only in the null sender */
    char *domain;       /* as it was written */
    char *domain_name;  /* domain in the form of base/domain_name.h; NULL if it can't be */
    char *addr_spec;    /* local part, quoted if it needs that, "@" domain_name */
} Mailbox;

/*
 * The mailboxes of all fields of one name together, the members of groups (RFC 6854) included.
 *
 * If a receiver might read another address than we do, is_doubtful is set and mailboxes holds only
 * those that were read without doubt (maybe none). Doubtful are: no field at all, an empty one,
 * a syntax error, a mailbox without a domain or with an address literal, an empty group,
 * "a@b@c", a stray comma, a NUL, fields of more than MAILBOXES_TEXT_MAX octets together, more than
 * MAILBOXES_MAX mailboxes (design section 4).
 */
#define MAILBOXES_TEXT_MAX (64 * 1024)
#define MAILBOXES_MAX 64

typedef struct {
    GPtrArray *mailboxes; /* of Mailbox */
    bool is_doubtful;
    /* No mailbox could be read: those here were searched, to write back to, and vouch for
     * nothing. */
    bool is_searched;
    bool is_missing;   /* there is no field of that name, or only empty ones */
    char *unread_name; /* the name of the first mailbox that could not be read; NULL: none */
} Mailboxes;

/* Call once before any other function of this module, before there are threads: GMime's tables. */
void mailboxes_init(void);

/* Reads all fields of name. Never fails: see is_doubtful. Freed with mailboxes_free(). */
Mailboxes *mailboxes_parse(const HeaderFields *fields, const char *name);
void mailboxes_free(Mailboxes *mailboxes);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(Mailboxes, mailboxes_free)

/* The position-th mailbox, from 0. */
const Mailbox *mailboxes_at(const Mailboxes *mailboxes, guint position);

/*
 * Reads an envelope sender as an MTA hands it over: "<a@b>", "a@b", or "<>" and "" for the null
 * sender (RFC 5321 section 4.1.2). Any other text becomes a mailbox without a domain. Freed
 * with mailbox_free().
 */
Mailbox *mailbox_parse_path(const char *path);

/*
 * Reads a configured address: "a@b" or "Name" <a@b>; one mailbox without doubt, or NULL. Freed with
 * mailbox_free().
 */
Mailbox *mailbox_parse(const char *text);

/* A mailbox of these parts: the local part unquoted, the domain as in Mailbox. An empty local part
 * makes none that could be written: addr_spec is NULL. Freed with mailbox_free(). */
Mailbox *mailbox_new(const char *display_name, const char *local_part, const char *domain_name);
void mailbox_free(Mailbox *mailbox);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(Mailbox, mailbox_free)

/* Returns whether this is the null sender, "<>". */
bool mailbox_is_null_sender(const Mailbox *mailbox);
#endif
