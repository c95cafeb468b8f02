#ifndef SPFROM_DOCTOR_MILTER_LIST_H
#define SPFROM_DOCTOR_MILTER_LIST_H

#include <glib.h>
#include <stdbool.h>

#include "doctor/milter_address.h"

/* The value of smtpd_milters or non_smtpd_milters (postconf(5)). Pure. */

/* One of its entries: "inet:localhost:8891", or "{ inet:localhost:8891, default_action=accept }".
 */
typedef struct {
    char *text; /* as it stands, braces included */
    char *address_text;
    MilterAddress *address; /* NULL: not understood */
    GHashTable *settings;   /* char * → char *, of this milter alone; may be empty */
} Milter;

/* Returns an array of Milter, in the order of text. */
GPtrArray *milter_list_parse(const char *text);

/* The milter's own setting, or NULL where the general one counts. Borrowed. */
const char *milter_setting(const Milter *milter, const char *name);

/*
 * The words of a value of main.cf: parted by commas and blanks, what stands in braces is one word.
 * Returns an array of char *.
 */
GPtrArray *milter_list_words(const char *text);

/*
 * The text of a list with address at position, and without the entries of it for which is_ours is
 * set. Without blanks, so that it can stand in an option of master.cf. Owned by the caller.
 *
 * is_ours   one for each of milters
 * entry     what to put in
 * position  in milters, before which it goes; behind the end: nowhere, entry may be NULL
 */
char *milter_list_with(const GPtrArray *milters, const bool *is_ours, const char *entry,
                       guint position);
#endif
