#ifndef SPFROM_DOCTOR_SIGNER_H
#define SPFROM_DOCTOR_SIGNER_H

#include <stdbool.h>

#include "doctor/findings.h"

/*
 * Does the milter behind us that signs use d= of the author's domain, and a selector of dkim_consent?
 * Otherwise the owner's consent by DKIM is worth nothing (design section 20). It reads the tables of
 * OpenDKIM and the dkim_signing module of rspamd. Adds nothing if dkim_consent is empty.
 */
void doctor_signer(Doctor *doctor);

/* Whose mail is signed as the author's own domain. */
typedef enum {
    SIGNER_NOBODY,
    SIGNER_SOME,           /* that of some domains */
    SIGNER_OTHER_SELECTOR, /* everybody's, but with another selector */
    SIGNER_EVERYBODY,
} SignerReach;

typedef struct {
    SignerReach reach;
    char *domain;    /* SIGNER_SOME: the first of them */
    guint domains;   /* SIGNER_SOME: how many there are */
    char *selector;  /* SIGNER_OTHER_SELECTOR: that one */
    guint everybody; /* the line of the SigningTable that is for everybody, from 1; 0: none */
    char *key;       /* the file of a key with a selector of dkim_consent; NULL: none is known */
} SignerTables;

/*
 * Reads the texts of OpenDKIM's KeyTable and SigningTable (opendkim.conf(5)). Pure.
 *
 * is_pattern  the SigningTable is a "refile:", whose patterns are matched against the whole address
 * selectors   those of dkim_consent
 */
void signer_tables_read(SignerTables *tables, const char *key_table, const char *signing_table,
                        bool is_pattern, const char *const *selectors);
void signer_tables_clear(SignerTables *tables);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(SignerTables, signer_tables_clear)

/* The value of a key in the text of rspamd's dkim_signing.conf, owned by the caller; NULL if it has
 * none. What stands in a section, but for "dkim_signing" itself, does not count. Pure. */
char *signer_rspamd_value(const char *text, const char *key);
#endif
