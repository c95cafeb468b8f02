#include "config.h"

#include "daemon/apply.h"

#include <glib.h>

static bool apply_edit(SMFICTX *context, const Edit *edit, const char *value)
{
    char *name = edit->name;
    char *text = (char *)value; /* libmilter takes char * and changes nothing */

    switch (edit->kind) {
    case EDIT_CHANGE:
        return smfi_chgheader(context, name, (int)edit->index, text) == MI_SUCCESS;
    case EDIT_DELETE:
        return smfi_chgheader(context, name, (int)edit->index, NULL) == MI_SUCCESS;
    case EDIT_ADD:
        return smfi_addheader(context, name, text) == MI_SUCCESS;
    case EDIT_INSERT:
        return smfi_insheader(context, 0, name, text) == MI_SUCCESS;
    }
    return false;
}

static bool apply_edits(SMFICTX *context, const Edits *edits, bool is_leading_space)
{
    for (guint i = 0; i < edits_length(edits); i++) {
        const Edit *edit = edits_at(edits, i);
        g_autofree char *value = edit->value != NULL
                                     ? g_strconcat(is_leading_space ? " " : "", edit->value, NULL)
                                     : NULL;

        if (!apply_edit(context, edit, value))
            return false;
    }
    return true;
}

bool apply_plan(SMFICTX *context, const Plan *plan, const Edits *edits, bool is_leading_space)
{
    g_autofree char *path = NULL;

    if (edits != NULL && !apply_edits(context, edits, is_leading_space))
        return false;
    if (plan->envelope_sender == NULL)
        return true;
    path = g_strconcat("<", plan->envelope_sender, ">", NULL);
    return smfi_chgfrom(context, path, NULL) == MI_SUCCESS;
}
