#include "config.h"

#include "advice/record/draft.h"

#include <string.h>

#define VERSION "v=spf1"

static void term_free(gpointer data)
{
    DraftTerm *term = data;

    g_free(term->gap);
    g_free(term->text);
    g_free(term->key);
    g_free(term->origin);
    g_free(term->was);
    g_free(term);
}

char *draft_key(const char *text)
{
    char *key = g_ascii_strdown(text + (strchr("+-~?", *text) != NULL && *text != '\0'), -1);
    gsize length = strlen(key);

    for (char *at = key; (at = strstr(at, "%{")) != NULL; at += 2)
        if (at[2] != '\0') /* %{S} is not %{s} (RFC 7208 section 7.3) */
            at[2] = text[strlen(text) - strlen(at) + 2];
    if (length > 1 && key[length - 1] == '.')
        key[length - 1] = '\0';
    if (g_str_has_prefix(key, "ip4:") && g_str_has_suffix(key, "/32"))
        key[strlen(key) - strlen("/32")] = '\0';
    if (g_str_has_prefix(key, "ip6:") && g_str_has_suffix(key, "/128"))
        key[strlen(key) - strlen("/128")] = '\0';
    return key;
}

static DraftTerm *term_new(const char *gap, gsize gap_length, const char *text, gsize length)
{
    DraftTerm *term = g_new0(DraftTerm, 1);
    g_autoptr(GString) alone = g_string_new(VERSION " ");
    g_autoptr(Record) record = NULL;

    term->gap = g_strndup(gap, gap_length);
    term->text = g_strndup(text, length);
    term->key = draft_key(term->text);
    g_string_append(alone, term->text);
    record = record_parse(alone->str, alone->len);
    term->kind = RECORD_WRONG;
    term->qualifier = '+';
    if (record->terms->len == 1) {
        term->kind = record_at(record, 0)->kind;
        term->qualifier = record_at(record, 0)->qualifier;
    }
    return term;
}

Draft *draft_new(const char *text)
{
    Draft *draft = g_new0(Draft, 1);
    const char *at = text + MIN(strlen(text), strlen(VERSION));

    draft->version = g_strndup(text, (gsize)(at - text));
    draft->terms = g_ptr_array_new_with_free_func(term_free);
    for (;;) {
        gsize blanks = strspn(at, " ");
        gsize length = strcspn(at + blanks, " ");

        if (length == 0)
            break;
        g_ptr_array_add(draft->terms, term_new(at, blanks, at + blanks, length));
        at += blanks + length;
    }
    draft->tail = g_strdup(at);
    return draft;
}

Draft *draft_copy(const Draft *draft)
{
    g_autofree char *text = draft_text(draft);
    Draft *copy = draft_new(text);

    copy->is_doubtful = draft->is_doubtful;
    for (guint i = 0; i < copy->terms->len; i++) {
        draft_at(copy, i)->is_added = draft_at(draft, i)->is_added;
        draft_at(copy, i)->origin = g_strdup(draft_at(draft, i)->origin);
        draft_at(copy, i)->is_moved = draft_at(draft, i)->is_moved;
        draft_at(copy, i)->was = g_strdup(draft_at(draft, i)->was);
        draft_at(copy, i)->is_leaning = draft_at(draft, i)->is_leaning;
    }
    return copy;
}

void draft_free(Draft *draft)
{
    g_free(draft->version);
    g_ptr_array_unref(draft->terms);
    g_free(draft->tail);
    g_free(draft);
}

DraftTerm *draft_at(const Draft *draft, guint position)
{
    return g_ptr_array_index(draft->terms, position);
}

char *draft_text(const Draft *draft)
{
    GString *text = g_string_new(draft->version);

    for (guint i = 0; i < draft->terms->len; i++) {
        g_string_append(text, draft_at(draft, i)->gap);
        g_string_append(text, draft_at(draft, i)->text);
    }
    g_string_append(text, draft->tail);
    return g_string_free(text, FALSE);
}

DraftTerm *draft_insert(Draft *draft, guint position, const char *text)
{
    DraftTerm *term = term_new(" ", 1, text, strlen(text));

    g_ptr_array_insert(draft->terms, (int)position, term);
    return term;
}

void draft_remove(Draft *draft, guint position)
{
    g_ptr_array_remove_index(draft->terms, position);
}

void draft_replace(Draft *draft, guint position, const char *const *texts)
{
    g_autofree char *gap = g_strdup(draft_at(draft, position)->gap);
    g_autofree char *origin = g_strdup(draft_at(draft, position)->text);
    bool is_added = draft_at(draft, position)->is_added;

    draft_remove(draft, position);
    for (guint i = 0; texts[i] != NULL; i++) {
        DraftTerm *term = draft_insert(draft, position + i, texts[i]);

        term->is_added = is_added;
        term->origin = g_strdup(origin);
        if (i == 0) {
            g_free(term->gap);
            term->gap = g_steal_pointer(&gap);
        }
    }
}

void draft_restore(Draft *draft, const char *origin)
{
    g_autofree char *gap = g_strdup(" ");
    guint position = draft_end(draft);
    bool is_added = false;
    DraftTerm *term;

    for (guint i = draft->terms->len; i-- > 0;) {
        if (g_strcmp0(draft_at(draft, i)->origin, origin) != 0)
            continue;
        g_free(gap);
        gap = g_strdup(draft_at(draft, i)->gap);
        is_added = draft_at(draft, i)->is_added;
        position = i;
        draft_remove(draft, i);
    }
    term = draft_insert(draft, position, origin);
    term->is_added = is_added;
    g_free(term->gap);
    term->gap = g_steal_pointer(&gap);
}

guint draft_find_kind(const Draft *draft, RecordTermKind kind, guint position)
{
    while (position < draft->terms->len && draft_at(draft, position)->kind != kind)
        position++;
    return MIN(position, draft->terms->len);
}

guint draft_find_key(const Draft *draft, const char *key, guint position)
{
    while (position < draft->terms->len && strcmp(draft_at(draft, position)->key, key) != 0)
        position++;
    return MIN(position, draft->terms->len);
}

bool draft_is_mechanism(RecordTermKind kind)
{
    switch (kind) {
    case RECORD_ALL:
    case RECORD_INCLUDE:
    case RECORD_A:
    case RECORD_MX:
    case RECORD_PTR:
    case RECORD_IP4:
    case RECORD_IP6:
    case RECORD_EXISTS:
        return true;
    case RECORD_REDIRECT:
    case RECORD_EXP:
    case RECORD_MODIFIER:
    case RECORD_WRONG:
        return false;
    }
    return false;
}

bool draft_passes_from(const Draft *draft, guint position)
{
    guint all = draft_find_kind(draft, RECORD_ALL, 0);

    for (; position < draft->terms->len; position++) {
        const DraftTerm *term = draft_at(draft, position);

        if (term->kind == RECORD_REDIRECT && all == draft->terms->len)
            return true;
        if (draft_is_mechanism(term->kind) && position < all && term->qualifier == '+')
            return true;
    }
    return false;
}

guint draft_behind_mechanisms(const Draft *draft)
{
    guint end = draft->terms->len;

    while (end > 0 && !draft_is_mechanism(draft_at(draft, end - 1)->kind))
        end--;
    return end;
}

guint draft_end(const Draft *draft)
{
    guint end =
        MIN(draft_find_kind(draft, RECORD_ALL, 0), draft_find_kind(draft, RECORD_REDIRECT, 0));

    return end < draft->terms->len ? end : draft_behind_mechanisms(draft);
}

static const char soft_first[] = "+?~-";

static char softer(char a, char b)
{
    return strchr(soft_first, a) < strchr(soft_first, b) ? a : b;
}

/* The softest all of those that count; '\0' if no record has one. */
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

/* The redirect that stays one: the first, if no record has all; else NULL. */
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

/* If two mechanisms differ in their qualifiers only, the first one counts, as in one record. */
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
 * Adds the terms of draft in their order. A redirect goes behind the mechanisms: it counts last.
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

Draft *draft_unite(const GPtrArray *records)
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
