#include "config.h"

#include "mail/edits.h"

struct Edits {
    GArray *list; /* of Edit */
    bool is_over;
};

static void edit_clear(gpointer data)
{
    Edit *edit = data;

    g_free(edit->name);
    g_free(edit->value);
}

Edits *edits_new(void)
{
    Edits *edits = g_new0(Edits, 1);

    edits->list = g_array_sized_new(FALSE, FALSE, sizeof(Edit), 8);
    g_array_set_clear_func(edits->list, edit_clear);
    return edits;
}

void edits_free(Edits *edits)
{
    if (edits == NULL)
        return;
    g_array_unref(edits->list);
    g_free(edits);
}

static void append(Edits *edits, EditKind kind, guint index, const char *name, const char *value)
{
    Edit edit = {.kind = kind, .index = index};

    edits->is_over |= edits->list->len >= EDITS_MAX;
    if (edits->is_over)
        return;
    edit.name = g_strdup(name);
    edit.value = g_strdup(value);
    g_array_append_val(edits->list, edit);
}

void edits_change(Edits *edits, const char *name, guint index, const char *value)
{
    append(edits, EDIT_CHANGE, index, name, value);
}

void edits_delete(Edits *edits, const char *name, guint index)
{
    append(edits, EDIT_DELETE, index, name, NULL);
}

void edits_add(Edits *edits, const char *name, const char *value)
{
    append(edits, EDIT_ADD, 0, name, value);
}

void edits_insert(Edits *edits, const char *name, const char *value)
{
    append(edits, EDIT_INSERT, 0, name, value);
}

/* Changes and deletions are one stage: they share the indices. */
static int stage(const Edit *edit)
{
    switch (edit->kind) {
    case EDIT_CHANGE:
    case EDIT_DELETE:
        return 0;
    case EDIT_ADD:
        return 1;
    case EDIT_INSERT:
        break;
    }
    return 2;
}

static gint compare(gconstpointer a, gconstpointer b)
{
    const Edit *first = a;
    const Edit *second = b;

    if (stage(first) != stage(second))
        return stage(first) - stage(second);
    return (first->index < second->index) - (first->index > second->index);
}

void edits_sort(Edits *edits)
{
    g_array_sort(edits->list, compare); /* stable: edits of one index keep the order of the calls */
}

bool edits_is_over(const Edits *edits)
{
    return edits->is_over;
}

guint edits_length(const Edits *edits)
{
    return edits->list->len;
}

const Edit *edits_at(const Edits *edits, guint position)
{
    return &g_array_index(edits->list, Edit, position);
}
