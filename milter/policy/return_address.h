#ifndef SPFROM_POLICY_RETURN_ADDRESS_H
#define SPFROM_POLICY_RETURN_ADDRESS_H

#include <glib.h>
#include <stdbool.h>

#include "mail/mailboxes.h"

/*
 * Addresses that lead back to an author (design section 19): the configured form, such as
 * "bounce+%t@lemniscus.de", and the token that takes the place of "%t". Pure.
 */
#define RETURN_KEY_LENGTH 32   /* octets */
#define RETURN_TOKEN_LENGTH 16 /* of a-z2-7: base32 of ten octets */
typedef char ReturnToken[RETURN_TOKEN_LENGTH + 1];

#define RETURN_ADDRESS_ERROR (return_address_error_quark())
typedef enum { RETURN_ADDRESS_ERROR_SYNTAX } ReturnAddressError;
GQuark return_address_error_quark(void);

/* A configured address: of return_address, or of fallback_address, which may have no "%t". */
typedef struct {
    char *text;   /* with "%t", its local part unquoted, "%" as "%%", A-label domain; for people */
    char *before; /* of the local part, unquoted; without "%t" all of it */
    char *after;  /* behind "%t" */
    bool has_token; /* "%t" is in it */
    Mailbox *plain; /* without "%t" and one "+", "-", "=", "." or "_" before it; its local part may
                        be empty: then addr_spec is NULL */
} ReturnForm;

/*
 * Reads "bounce+%t@example.org", "Name" <noreply+%t@example.org> or an address without "%t". "%%" is
 * a percent sign. An empty text is a form without an address, whose plain is NULL: none is wanted.
 *
 * Returns NULL with error (RETURN_ADDRESS_ERROR) set, whose message says what to write instead.
 */
ReturnForm *return_form_parse(const char *text, GError **error);
void return_form_free(ReturnForm *form);

/* As it is told: with "%t"; an address without a token as it is. */
const char *return_form_shown(const ReturnForm *form);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(ReturnForm, return_form_free)

/* The address of form with token, and its display name. Freed with mailbox_free(). */
Mailbox *return_form_expand(const ReturnForm *form, const char *token);

/* What tokens are made with: key, and the work on it that is the same for each of them. Freed with
 * g_hmac_unref(). */
GHmac *return_token_hmac(const guint8 key[RETURN_KEY_LENGTH]);

/* The token of an author whose domain could be read. Any number of threads may use one keyed hmac. */
void return_token_make(const GHmac *keyed, const Mailbox *author, ReturnToken token);

/* Returns whether text is a token, in any case; token gets it in lower case. */
bool return_token_parse(const char *text, ReturnToken token);

/*
 * A set of forms that have a token: any number of them costs the same look-up. The forms must
 * outlive it. Freed with g_hash_table_unref().
 */
GHashTable *return_forms_new(void);
void return_forms_add(GHashTable *forms, const ReturnForm *form);

/* Returns whether mailbox is an address of one of forms; token gets what stands for "%t", in lower
 * case. The local part is read without regard to case. */
bool return_forms_find(GHashTable *forms, const Mailbox *mailbox, ReturnToken token);
#endif
