#ifndef SPFROM_MAIL_EDITS_H
#define SPFROM_MAIL_EDITS_H

#include <glib.h>
#include <stdbool.h>

/*
 * A rewrite as a list of edits of the header, in the order in which they are to be sent: changes
 * and deletions from the highest index to the lowest (Postfix renumbers after a deletion, Sendmail
 * does not), then additions, then the insertion on top (design section 5). Values have no blank
 * after the colon; the sender of the edits knows whether the MTA wants one (SMFIP_HDR_LEADSPC). A
 * fold is "\n" and a blank.
 */
typedef enum {
    EDIT_CHANGE, /* the index-th field of name gets value */
    EDIT_DELETE, /* the index-th field of name goes */
    EDIT_ADD,    /* name: value at the end of the header */
    EDIT_INSERT, /* name: value on top */
} EditKind;

typedef struct {
    EditKind kind;
    guint index; /* from 1, among the fields of that name, as they came; 0 for additions */
    char *name;
    char *value; /* NULL for EDIT_DELETE */
} Edit;

typedef struct Edits Edits;

/*
 * More are not kept: Postfix's cleanup looks for each field from the header's beginning, takes
 * seconds for 8,000 edits and does not survive 10,000.
 */
#define EDITS_MAX 500

Edits *edits_new(void);
void edits_free(Edits *edits);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(Edits, edits_free)

/* Notes one edit; the order of the calls is free, edits_sort() brings them into that of sending. */
void edits_change(Edits *edits, const char *name, guint index, const char *value);
void edits_delete(Edits *edits, const char *name, guint index);
void edits_add(Edits *edits, const char *name, const char *value);
void edits_insert(Edits *edits, const char *name, const char *value);
void edits_sort(Edits *edits);

/* Returns whether there were more than EDITS_MAX. The list is then not complete. */
bool edits_is_over(const Edits *edits);

guint edits_length(const Edits *edits);
const Edit *edits_at(const Edits *edits, guint position);
#endif
