#ifndef SPFROM_MAIL_HEADER_FIELDS_H
#define SPFROM_MAIL_HEADER_FIELDS_H

#include <glib.h>
#include <stdbool.h>

/*
 * The header fields of one message as the MTA gave them, in their order. Names are compared without
 * case and without the blanks that may stand before the colon ("From : x", RFC 5322 section 4.5).
 *
 * Strangers choose number and size, so both are bounded: HEADER_FIELDS_VALUE_MAX octets of one
 * value are kept, HEADER_FIELDS_VALUES_MAX of all together, and HEADER_FIELDS_MAX fields. Behind
 * these, fields of the names that a rewrite has to count (From, Reply-To, Sender, Return-Path,
 * X-SPFrom) are kept without value, as many again.
 */
#define HEADER_FIELDS_VALUE_MAX (80 * 1024)
#define HEADER_FIELDS_VALUES_MAX (256 * 1024)
#define HEADER_FIELDS_MAX 16384
#define HEADER_FIELDS_NAME_MAX 128 /* octets of a name that are kept */

typedef struct {
    const char *name;
    const char *value; /* NUL-terminated; a fold is "\n" and a blank, as libmilter gives it */
    gsize length;      /* of value: a NUL inside shows as length > strlen(value) */
    bool is_cut;       /* value is only the beginning */
} HeaderField;

typedef struct HeaderFields HeaderFields;

HeaderFields *header_fields_new(void);
void header_fields_free(HeaderFields *fields);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(HeaderFields, header_fields_free)

/*
 * Copies one field. length is that of value, or -1 if value has no NUL inside. Returns false
 * if it was cut.
 */
bool header_fields_append(HeaderFields *fields, const char *name, const char *value, gssize length);

/* Returns whether any field is missing here, or any value cut. */
bool header_fields_is_cut(const HeaderFields *fields);

/* Returns whether every field of that name is here, with its whole value. */
bool header_fields_is_whole(const HeaderFields *fields, const char *name);

/* Returns whether all fields of the names that a rewrite counts are here, be it without a value. */
bool header_fields_is_countable(const HeaderFields *fields);

/*
 * The number of fields, and the one at a position from 0; it lives until the next append, its texts
 * as long as fields.
 */
guint header_fields_length(const HeaderFields *fields);
const HeaderField *header_fields_at(const HeaderFields *fields, guint position);

/* Returns whether field has that name. */
bool header_field_is_named(const HeaderField *field, const char *name);

/* Returns whether the value has only blanks and folds. A value that was cut is not blank. */
bool header_field_is_blank(const HeaderField *field);

/*
 * Returns whether the value holds a bare CR and then name and a colon: readers that take a CR for a
 * line end see one more field of that name.
 */
bool header_field_hides(const HeaderField *field, const char *name);

/*
 * The number of fields of a name, and the index-th of them, from 1 as libmilter counts; NULL behind
 * the last. Each call looks through all fields: to see all of a name, go through the positions
 * once.
 */
guint header_fields_count(const HeaderFields *fields, const char *name);
const HeaderField *header_fields_nth(const HeaderFields *fields, const char *name, guint index);
#endif
