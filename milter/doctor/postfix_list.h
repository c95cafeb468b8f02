#ifndef SPFROM_DOCTOR_POSTFIX_LIST_H
#define SPFROM_DOCTOR_POSTFIX_LIST_H

#include "doctor/findings.h"
#include "doctor/milter_address.h"
#include "doctor/milter_list.h"
#include "doctor/postfix.h"

/* The milters that one service of Postfix asks, and our place among them. */
typedef struct {
    const Postfix *postfix;
    const PostfixService *reader; /* the smtpd or cleanup that reads the list */
    const PostfixService *owner;  /* reader where its option -o sets it; NULL: main.cf does */
    const char *parameter;        /* smtpd_milters, non_smtpd_milters */
    GPtrArray *milters;           /* of Milter */
    bool *is_ours;                /* one for each */
    gint first;                   /* of ours; -1: none */
    MilterAddress *address;       /* ours */
} PostfixList;

PostfixList *postfix_list_new(const Doctor *doctor, const Postfix *postfix,
                              const PostfixService *reader, const char *parameter);
void postfix_list_free(PostfixList *list);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(PostfixList, postfix_list_free)

/* "smtpd_milters", or "smtpd_milters of submission/inet". Owned by the caller. */
char *postfix_list_name(const PostfixList *list);

/* The setting of the milter at position, its own or the general one. Borrowed. */
const char *postfix_list_setting(const PostfixList *list, guint position, const char *own,
                                 const char *general);

/* Who is the milter at position? "inet:127.0.0.1:8891 (OpenDKIM)", owned by the caller. known may
 * be NULL. */
char *postfix_list_milter_name(const PostfixList *list, guint position, const KnownMilter **known);

/* The commands that put us into the list, before the first milter that signs, and reload Postfix.
 */
char *postfix_list_mend(const PostfixList *list);

/*
 * Looks at a list with us in it: who stands before us, what happens while we don't answer, whether
 * we get the time that we need.
 */
void postfix_list_examine(Doctor *doctor, const PostfixList *list);
#endif
