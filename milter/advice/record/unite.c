#include "config.h"

#include "advice/record/unite.h"

#include <string.h>

static const char soft_first[] = "+?~-";

static char softer(char a, char b)
{
    return strchr(soft_first, a) < strchr(soft_first, b) ? a : b;
}

/* The softest all of those that count; '\0' where no record has one. */
static char softest_all(const GPtrArray *drafts)
{
    char softest = '\0';

    for (guint i = 0; i < drafts->len; i++) {
        const Draft *draft = g_ptr_array_index(drafts, i);
        guint all = draft_find_kind(draft, RECORD_ALL, 0);

        if (all == draft->terms->len)
            continue;
        softest = softest == '\0' ? draft_at(draft, all)->qualifier
                                  : softer(softest, draft_at(draft, all)->qualifier);
    }
    return softest == '+' ? '?' : softest;
}

/* The last redirect that stays one: where no record has all, the first one. */
static const DraftTerm *kept_redirect(const GPtrArray *drafts, char all)
{
    for (guint i = 0; i < drafts->len && all == '\0'; i++) {
        const Draft *draft = g_ptr_array_index(drafts, i);
        guint redirect = draft_find_kind(draft, RECORD_REDIRECT, 0);

        if (redirect < draft->terms->len)
            return draft_at(draft, redirect);
    }
    return NULL;
}

/* Of mechanisms that are equal but for their qualifiers the first one counts, as in one record. */
static void add_mechanism(Draft *united, const char *text)
{
    g_autofree char *key = draft_key(text);

    if (draft_find_key(united, key, 0) == united->terms->len)
        draft_insert(united, united->terms->len, text);
}

/* Of modifiers of one name the first one stays. */
static void add_modifier(Draft *united, const DraftTerm *term)
{
    gsize name = strcspn(term->key, "=") + 1;

    for (guint i = 0; i < united->terms->len; i++)
        if (strncmp(draft_at(united, i)->key, term->key, name) == 0)
            return;
    draft_insert(united, united->terms->len, term->text);
}

/* A redirect beside all never counted, and goes. */
static void add_redirect(Draft *united, const Draft *draft, const DraftTerm *term,
                         const DraftTerm *kept)
{
    g_autofree char *include = g_strconcat("include:", term->text + strlen("redirect="), NULL);

    if (draft_find_kind(draft, RECORD_ALL, 0) < draft->terms->len)
        return;
    if (kept == NULL || strcmp(kept->key, term->key) != 0)
        add_mechanism(united, include);
}

/*
 * Adds the terms of draft, in their order, but a redirect behind the mechanisms, where it counts.
 * Mechanisms behind all never counted and must not begin to.
 */
static void add_draft(Draft *united, const Draft *draft, const DraftTerm *redirect)
{
    guint all = draft_find_kind(draft, RECORD_ALL, 0);

    for (guint i = 0; i < draft->terms->len; i++) {
        const DraftTerm *term = draft_at(draft, i);

        if (i >= all && draft_is_mechanism(term->kind))
            continue;
        if (draft_is_mechanism(term->kind))
            add_mechanism(united, term->text);
        else if (term->kind != RECORD_REDIRECT)
            add_modifier(united, term);
    }
    for (guint i = 0; i < draft->terms->len; i++)
        if (draft_at(draft, i)->kind == RECORD_REDIRECT)
            add_redirect(united, draft, draft_at(draft, i), redirect);
}

/* How many mechanisms of the draft, all aside, can decide for something else than a pass. */
static guint count_refusals(const Draft *draft)
{
    guint all = draft_find_kind(draft, RECORD_ALL, 0);
    guint count = 0;

    for (guint i = 0; i < all; i++)
        count += draft_at(draft, i)->qualifier != '+' ? 1 : 0;
    return count;
}

/*
 * The drafts that refuse nobody first, so that a pass counts before another result of another
 * record. A record is kept together: what it refuses before it lets others pass stays before it.
 */
static GPtrArray *sorted(const GPtrArray *drafts)
{
    GPtrArray *order = g_ptr_array_new();

    for (guint i = 0; i < drafts->len; i++) {
        Draft *draft = g_ptr_array_index(drafts, i);
        guint place = order->len;

        while (place > 0 &&
               count_refusals(g_ptr_array_index(order, place - 1)) > count_refusals(draft))
            place--;
        g_ptr_array_insert(order, (int)place, draft);
    }
    return order;
}

Draft *unite(const GPtrArray *records)
{
    g_autoptr(GPtrArray) drafts = sorted(records);
    Draft *united = draft_new("v=spf1");
    char all = softest_all(drafts);
    const DraftTerm *redirect = kept_redirect(drafts, all);
    char text[] = "?all";

    for (guint i = 0; i < drafts->len; i++)
        add_draft(united, g_ptr_array_index(drafts, i), redirect);
    text[0] = all;
    if (all != '\0')
        draft_insert(united, draft_behind_mechanisms(united), text);
    if (redirect != NULL)
        draft_insert(united, draft_behind_mechanisms(united), redirect->text);
    return united;
}
