#ifndef SPFROM_ADVICE_CHECK_SUBJECT_H
#define SPFROM_ADVICE_CHECK_SUBJECT_H

#include <glib.h>
#include <stdbool.h>

/* What somebody typed who asks for a domain: on a command line, in the search field of the pages, or
 * in the path of one. Pure. */
typedef struct {
    char *domain;      /* see base/domain_name.h */
    char *local_part;  /* NULL: a domain was given; else an address, whose local part counts too */
    bool is_malformed; /* domain is as it was given, and none that DNS could know */
    bool is_nothing; /* of these: no address that a message could have either; there is no answer */
    /* Set by callers whose domains are the ledger's: no other one was meant, and none is searched for. */
    bool is_of_ledger;
    /* Points into domain: "praxis.example" of "www.praxis.example", the domain that mail is more
     * likely from; NULL: domain does not begin so. */
    const char *without_www;
} CheckSubject;

/* What to say of a subject that is_nothing, a format for its domain. */
#define CHECK_SUBJECT_NOTHING                                                                      \
    "\"%s\" is not a domain; write it like praxis.example or anna@praxis.example"

/*
 * Reads "praxis.example", "anna@praxis.example" or "Anna <anna@praxis.example>"; U-labels are
 * taken. What people copy around a domain or an address goes: blanks, quotes, "<…>", a comma at the
 * end, "mailto:", the rest of a URL.
 *
 * Any other text is a subject, too. If it is LOCALPART@ and then something in the letters of host
 * names, or an address literal, its result is none, as for a message (RFC 7208 section 4.3); all
 * the rest is_nothing. Freed with check_subject_free(); never NULL.
 */
CheckSubject *check_subject_parse(const char *text);
void check_subject_free(CheckSubject *subject);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(CheckSubject, check_subject_free)
#endif
