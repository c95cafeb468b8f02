#include "config.h"

#include "spf/canonical.h"

#define WRITTEN_MAX                                                                                \
    (CHECK_LOOKUPS_MAX +                                                                           \
     2) /* terms of one record that are worth an alias: the 11th is an error   \
                             */

static guint add_term(Check *check, const Record *holder, const RecordTerm *record_term,
                      guint parent)
{
    CheckTerm term = {.holder = holder, .term = record_term, .parent = parent};

    g_array_append_val(check->terms, term);
    return check->terms->len - 1;
}

/* The mechanism that asks libspf2 to look the term up. */
static const char *mechanism_name(RecordTermKind kind)
{
    if (kind == RECORD_INCLUDE)
        return "include";
    if (kind == RECORD_A)
        return "a";
    if (kind == RECORD_MX)
        return "mx";
    return "exists"; /* for ptr too: libspf2 would ask for the address' names and not tell for which
                        term */
}

/* Writes one term. Returns whether it decides, whatever follows. */
static bool write_term(Check *check, const Record *record, const RecordTerm *term, guint parent,
                       GString *text)
{
    switch (term->kind) {
    case RECORD_IP4:
    case RECORD_IP6:
        if (!network_contains(&term->network, &check->address))
            return false;
        G_GNUC_FALLTHROUGH;
    case RECORD_ALL:
        add_term(check, record, term, parent);
        g_string_append_printf(text, " %call", term->qualifier);
        return true;
    case RECORD_INCLUDE:
    case RECORD_A:
    case RECORD_MX:
    case RECORD_PTR:
    case RECORD_EXISTS:
        g_string_append_printf(text, " %c%s:t%u._spfrom", term->qualifier,
                               mechanism_name(term->kind), add_term(check, record, term, parent));
        return false;
    case RECORD_REDIRECT:
    case RECORD_EXP:
    case RECORD_MODIFIER:
    case RECORD_WRONG:
        return false;
    }
    return false;
}

char *canonical_write(Check *check, guint opener, const Record *record)
{
    g_autoptr(GString) text = g_string_new("v=spf1");
    const RecordTerm *redirect = record_redirect(record);
    guint first = check->terms->len;
    bool is_decided = false;

    for (guint i = 0; i < record->terms->len && !is_decided; i++) {
        is_decided = write_term(check, record, record_at(record, i), opener, text);
        if (check->terms->len - first == WRITTEN_MAX)
            break;
    }
    if (!is_decided && redirect != NULL)
        g_string_append_printf(text, " redirect=t%u._spfrom",
                               add_term(check, record, redirect, opener));
    check_term(check, opener)->first = first;
    check_term(check, opener)->count = check->terms->len - first;
    return g_string_free(g_steal_pointer(&text), FALSE);
}
