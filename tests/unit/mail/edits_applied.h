#ifndef SPFROM_TESTS_UNIT_MAIL_EDITS_APPLIED_H
#define SPFROM_TESTS_UNIT_MAIL_EDITS_APPLIED_H

#include "mail/edits.h"
#include "mail/header_fields.h"

/*
 * Carries out edits as an MTA does that got them through libmilter. The two count in different
 * ways: after a deletion Postfix renumbers the fields behind it, Sendmail does not; and Sendmail
 * adds a field whose name is there already before the first of that name, Postfix at the end.
 */
typedef enum { MTA_POSTFIX, MTA_SENDMAIL } Mta;

typedef struct {
    char *name;
    char *value; /* NULL: deleted */
} Slot;

static inline void slot_clear(gpointer data)
{
    Slot *slot = data;

    g_free(slot->name);
    g_free(slot->value);
}

/* The position of the index-th field of name, or the number of slots. */
static inline guint slot_find(const GArray *slots, const char *name, guint index)
{
    guint position;

    for (position = 0; position < slots->len; position++)
        if (g_ascii_strcasecmp(g_array_index(slots, Slot, position).name, name) == 0 &&
            --index == 0)
            break;
    return position;
}

static inline void slot_insert(GArray *slots, guint position, const Edit *edit)
{
    Slot slot = {.name = g_strdup(edit->name), .value = g_strdup(edit->value)};

    g_array_insert_val(slots, position, slot);
}

static inline void slot_change(GArray *slots, Mta mta, const Edit *edit)
{
    guint position = slot_find(slots, edit->name, edit->index);

    if (position == slots->len) { /* past the end */
        if (edit->kind == EDIT_CHANGE)
            slot_insert(slots, mta == MTA_POSTFIX ? slots->len : slot_find(slots, edit->name, 1),
                        edit);
        return;
    }
    if (edit->kind == EDIT_DELETE && mta == MTA_POSTFIX) {
        g_array_remove_index(slots, position);
        return;
    }
    g_free(g_array_index(slots, Slot, position).value);
    g_array_index(slots, Slot, position).value = g_strdup(edit->value);
}

/* Returns the header after edits, freed with header_fields_free(). */
static inline HeaderFields *edits_applied(const HeaderFields *fields, const Edits *edits, Mta mta)
{
    g_autoptr(GArray) slots = g_array_new(FALSE, FALSE, sizeof(Slot));
    HeaderFields *result = header_fields_new();

    g_array_set_clear_func(slots, slot_clear);
    for (guint i = 0; i < header_fields_length(fields); i++) {
        const HeaderField *field = header_fields_at(fields, i);
        Slot slot = {.name = g_strdup(field->name), .value = g_strdup(field->value)};

        g_array_append_val(slots, slot);
    }
    for (guint i = 0; i < edits_length(edits); i++) {
        const Edit *edit = edits_at(edits, i);

        if (edit->kind == EDIT_INSERT)
            slot_insert(slots, 0, edit);
        else if (edit->kind == EDIT_ADD)
            slot_insert(slots, mta == MTA_POSTFIX ? slots->len : slot_find(slots, edit->name, 1),
                        edit);
        else
            slot_change(slots, mta, edit);
    }
    for (guint i = 0; i < slots->len; i++) {
        const Slot *slot = &g_array_index(slots, Slot, i);

        if (slot->value != NULL)
            header_fields_append(result, slot->name, slot->value, -1);
    }
    return result;
}
#endif
