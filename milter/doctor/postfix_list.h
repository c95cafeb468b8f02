#ifndef SPFROM_DOCTOR_POSTFIX_LIST_H
#define SPFROM_DOCTOR_POSTFIX_LIST_H

#include "doctor/findings.h"
#include "doctor/postfix.h"

/* The milters that one service of Postfix asks, and our place among them. */
typedef struct {
    const Postfix *postfix;
    /* The smtpd or cleanup that reads the list; NULL for main.cf. */
    const PostfixService *reader;
    /* The reader if its option -o sets the list; NULL if main.cf does. */
    const PostfixService *owner;
    /* "smtpd_milters" or "non_smtpd_milters" */
    const char *parameter;
    /* Of PostfixMilter. */
    GPtrArray *milters;
    /* One for each milter. */
    bool *is_ours;
    /* The position of our first entry; -1 if there is none. */
    gint first;
    /* Our socket. */
    MilterAddress *address;
} PostfixList;

PostfixList *postfix_list_new(const Doctor *doctor, const Postfix *postfix,
                              const PostfixService *reader, const char *parameter);
void postfix_list_free(PostfixList *list);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(PostfixList, postfix_list_free)

/* How mail that comes in at the reader of a list meets us. */
typedef enum {
    PASSAGE_SEEN,
    /* A proxy filter keeps the content from milters. */
    PASSAGE_BLIND,
    /* receive_override_options = no_milters */
    PASSAGE_OFF,
    /* The list has an address that Postfix can't read: mail does not even come in. */
    PASSAGE_MISREAD,
    /* The reader looks for our socket in its chroot. */
    PASSAGE_CHROOTED,
    PASSAGE_NONE,
} PostfixPassage;

PostfixPassage postfix_list_passage(const PostfixList *list);

/* The position of the entry that is ours, or that names our socket by its path outside of the chroot in
 * which the reader looks for it; -1 if there is none. */
gint postfix_list_meant(const PostfixList *list);

/* "smtpd_milters", or "smtpd_milters of submission/inet". Owned by the caller. */
char *postfix_list_name(const PostfixList *list);

/* Mends finding with the commands that put us into the list, before the first milter that signs,
 * and reload Postfix. */
void postfix_list_mend(const PostfixList *list, Finding *finding);

/*
 * Can Postfix read the addresses of a list, and does a milter answer at each? Ours is examined
 * elsewhere. Without an answer, mail is put off or goes on unseen by that milter.
 */
void postfix_list_try(Doctor *doctor, const PostfixList *list);

/*
 * Looks at a list that has us: which milters stand before us, what happens while we don't answer,
 * and whether we get the time that we need.
 */
void postfix_list_examine(Doctor *doctor, const PostfixList *list);
#endif
