#include "config.h"

#include "advice/record/reduce.h"

#include <string.h>

#include "advice/record/extend.h"
#include "advice/advice.h"
#include "base/clock.h"
#include "spf/check_host.h"

#define TERMS_MAX 60      /* with a look-up: a record with more is nobody's */
#define OCTETS_WANTED 450 /* of the record: fits into an answer by UDP */
#define OCTETS_MAX 1500   /* beyond that a name server may not take it */
#define OCTETS_BASE 8     /* makes a term that frees much count, even if it grows by nothing */

/* The record, measured. */
typedef struct {
    const Ground *ground;
    Draft *draft;
    GPtrArray *points;
    GArray *costs; /* of Cost, one for each term of draft */
    Cost sum;
} Reduction;

static Cost *cost_at(const Reduction *reduction, guint position)
{
    return &g_array_index(reduction->costs, Cost, position);
}

static guint voids_at(const Reduction *reduction, guint position)
{
    return cost_voids(&reduction->ground->meter, cost_at(reduction, position));
}

/* A term behind all costs nothing, a redirect beside it one look-up at most. */
static void measure(Reduction *reduction)
{
    g_autofree char *text = draft_text(reduction->draft);
    g_autoptr(Record) record = record_parse(text, strlen(text));
    const char *domain = reduction->ground->check->subject->domain;
    guint all = draft_find_kind(reduction->draft, RECORD_ALL, 0);

    g_array_set_size(reduction->costs, 0);
    for (guint i = 0; i < reduction->draft->terms->len; i++) {
        Cost cost = {0};

        if (i < all && i < record->terms->len &&
            (all == reduction->draft->terms->len || record_at(record, i)->kind != RECORD_REDIRECT))
            cost_term(&reduction->ground->meter, domain, record, record_at(record, i), &cost);
        g_array_append_val(reduction->costs, cost);
    }
    cost_clear(&reduction->sum);
    cost_record(&reduction->ground->meter, domain, record, &reduction->sum);
}

static bool is_over(const Reduction *reduction)
{
    return cost_is_over(&reduction->ground->meter, &reduction->sum);
}

static bool is_late(const Reduction *reduction)
{
    return clock_monotonic(&clock_system) >= reduction->ground->deadline;
}

static guint above(guint value, guint limit)
{
    return value > limit ? value - limit : 0;
}

/* How much nearer to the limits the record comes without the term. */
static guint gain_at(const Reduction *reduction, guint position)
{
    guint lookups = above(reduction->sum.lookups, CHECK_LOOKUPS_MAX);
    guint voids = above(cost_voids(&reduction->ground->meter, &reduction->sum), CHECK_VOIDS_MAX);

    return MIN(lookups, cost_at(reduction, position)->lookups) +
           MIN(voids, voids_at(reduction, position));
}

static Point *note(Reduction *reduction, PointKind kind, guint position)
{
    Point *point = point_add(reduction->points, kind, draft_at(reduction->draft, position)->text);

    point->number = cost_at(reduction, position)->lookups;
    return point;
}

static gint compare_costs(gconstpointer a, gconstpointer b)
{
    const Point *first = *(Point *const *)a;
    const Point *second = *(Point *const *)b;

    if (first->number != second->number)
        return first->number > second->number ? -1 : 1;
    return first->limit == second->limit ? 0 : first->limit > second->limit ? -1 : 1;
}

static void note_costs(Reduction *reduction)
{
    g_autoptr(GPtrArray) sorted = g_ptr_array_new();

    for (guint i = 0; i < reduction->costs->len; i++) {
        Point *point;

        if (cost_at(reduction, i)->lookups == 0)
            continue;
        point = note(reduction, POINT_COST, i);
        point->limit = voids_at(reduction, i);
        g_ptr_array_add(sorted, point);
    }
    g_ptr_array_sort(sorted, compare_costs);
    /* They are the last ones of points: in their new order. */
    memcpy(reduction->points->pdata + reduction->points->len - sorted->len, sorted->pdata,
           sorted->len * sizeof(gpointer));
}

static void note_limit(Reduction *reduction, PointKind kind, guint number, guint limit)
{
    Point *point;

    if (number <= limit)
        return;
    point = point_add(reduction->points, kind, NULL);
    point->number = number;
    point->limit = limit;
}

static bool is_noted(const GPtrArray *points)
{
    for (guint i = 0; i < points->len; i++)
        if (((const Point *)g_ptr_array_index(points, i))->kind == POINT_COST)
            return true;
    return false;
}

static void note_all(Reduction *reduction)
{
    if (is_noted(reduction->points))
        return;
    note_limit(reduction, POINT_LOOKUPS, reduction->sum.lookups, CHECK_LOOKUPS_MAX);
    note_limit(reduction, POINT_VOIDS, cost_voids(&reduction->ground->meter, &reduction->sum),
               CHECK_VOIDS_MAX);
    note_costs(reduction);
}

static void leave_out(Reduction *reduction, PointKind kind, guint position)
{
    note(reduction, kind, position);
    draft_remove(reduction->draft, position);
    measure(reduction);
}

/* In the order in which they are flattened: which copy is right longest? */
typedef enum {
    TERM_OF_OTHERS,
    TERM_OF_DOMAIN, /* "a" and "mx": a website moves, and nobody thinks of the record */
    TERM_OF_OURS,   /* our relays change with us, and the copy doesn't */
} TermOwner;

/* Does it stand for our relays? */
static bool is_ours(const Reduction *reduction, const DraftTerm *term)
{
    const Ground *ground = reduction->ground;

    return term->is_added ||
           extend_is_for_relays(ground->settings, ground->check->relays, term->key);
}

static TermOwner owner_of(const Reduction *reduction, const DraftTerm *term)
{
    if (is_ours(reduction, term))
        return TERM_OF_OURS;
    return strcmp(term->key, "a") == 0 || strcmp(term->key, "mx") == 0 ? TERM_OF_DOMAIN
                                                                       : TERM_OF_OTHERS;
}

/*
 * Would others pass without the term: does it refuse some before a later term lets them pass? Then
 * it has to stay.
 */
static bool is_guard(const Draft *draft, guint position)
{
    guint all = draft_find_kind(draft, RECORD_ALL, 0);

    if (draft_at(draft, position)->qualifier == '+' || position >= all)
        return false;
    for (guint i = position + 1; i < draft->terms->len && i <= all; i++)
        if (draft_is_mechanism(draft_at(draft, i)->kind) && draft_at(draft, i)->qualifier == '+')
            return true;
    return all == draft->terms->len && draft_find_kind(draft, RECORD_REDIRECT, 0) < all;
}

/* A redirect beside all never counts, but some receivers count its look-up. */
static void drop_redirect(Reduction *reduction)
{
    guint redirect = draft_find_kind(reduction->draft, RECORD_REDIRECT, 0);
    bool has_all = draft_find_kind(reduction->draft, RECORD_ALL, 0) < reduction->draft->terms->len;

    if (has_all && redirect < reduction->draft->terms->len && is_over(reduction))
        leave_out(reduction, POINT_VOID, redirect);
}

/* The next term of the key of the one at position that may go; the number of terms: none. */
static guint next_double(const Draft *draft, guint position)
{
    const char *key = draft_at(draft, position)->key;
    guint later = draft_find_key(draft, key, position + 1);

    while (later < draft->terms->len && draft_at(draft, later)->is_added)
        later = draft_find_key(draft, key, later + 1);
    return later;
}

static void drop_doubles(Reduction *reduction)
{
    Draft *draft = reduction->draft;

    for (guint i = 0; i < draft->terms->len && is_over(reduction); i++) {
        guint later;

        while (cost_at(reduction, i)->lookups > 0 &&
               (later = next_double(draft, i)) < draft->terms->len)
            leave_out(reduction, POINT_DOUBLE, later);
    }
}

static void drop_voids(Reduction *reduction)
{
    for (guint i = reduction->draft->terms->len; i-- > 0 && is_over(reduction);) {
        const DraftTerm *term = draft_at(reduction->draft, i);
        bool is_void = cost_at(reduction, i)->is_void && !cost_at(reduction, i)->has_trouble;

        if (is_void && term->kind != RECORD_REDIRECT && !is_ours(reduction, term))
            leave_out(reduction, POINT_VOID, i);
    }
}

/* A term whose networks may stand in its place. */
typedef struct {
    guint position;
    char **texts; /* NULL: none was found */
    double price; /* octets for what it frees */
} Candidate;

static guint octets_of(char **texts)
{
    guint octets = 0;

    for (; *texts != NULL; texts++)
        octets += (guint)strlen(*texts) + 1;
    return octets;
}

/* Makes the candidate at position the best one if it is cheaper and the record stays within max. */
static void consider(const Reduction *reduction, guint position, guint max, Candidate *best)
{
    const DraftTerm *term = draft_at(reduction->draft, position);
    guint gain = gain_at(reduction, position);
    g_auto(GStrv) texts = gain > 0 ? cost_flatten(&reduction->ground->meter,
                                                  reduction->ground->check->subject->domain, term)
                                   : NULL;
    g_autofree char *whole = draft_text(reduction->draft);
    guint taken = (guint)strlen(term->text) + 1;
    double price;

    if (texts == NULL || strlen(whole) + octets_of(texts) - taken > max)
        return;
    price = (double)(OCTETS_BASE + above(octets_of(texts), taken)) / gain;
    if (best->texts != NULL && price >= best->price)
        return;
    g_strfreev(best->texts);
    *best = (Candidate){position, g_steal_pointer(&texts), price};
}

/* A redirect counts last wherever it stands; what stands in its place has to be there. */
static guint move_redirect(Draft *draft, guint position)
{
    g_autofree char *text = g_strdup(draft_at(draft, position)->text);

    if (draft_at(draft, position)->kind != RECORD_REDIRECT)
        return position;
    draft_remove(draft, position);
    draft_insert(draft, draft->terms->len, text);
    return draft->terms->len - 1;
}

/* Without what stands before it already: there it counts first. */
static void put_networks(Draft *draft, guint position, char **texts)
{
    g_autoptr(GPtrArray) lacking = g_ptr_array_new();

    position = move_redirect(draft, position);
    for (; *texts != NULL; texts++) {
        g_autofree char *key = draft_key(*texts);

        if (draft_find_key(draft, key, 0) >= position)
            g_ptr_array_add(lacking, *texts);
    }
    g_ptr_array_add(lacking, NULL);
    draft_replace(draft, position, (const char *const *)lacking->pdata);
}

static bool flatten_one(Reduction *reduction, guint max, TermOwner owner)
{
    Candidate best = {0};
    Point *point;

    for (guint i = 0; i < reduction->draft->terms->len && !is_late(reduction); i++)
        if (owner_of(reduction, draft_at(reduction->draft, i)) == owner)
            consider(reduction, i, max, &best);
    if (best.texts == NULL)
        return false;
    point = note(reduction, POINT_FLATTENED, best.position);
    put_networks(reduction->draft, best.position, best.texts);
    point->texts = best.texts;
    measure(reduction);
    return true;
}

/* What is lost least: ptr, which nobody should rely on, then what frees most. */
static bool drop_one(Reduction *reduction)
{
    guint chosen = 0, most = 0;

    for (guint i = 0; i < reduction->draft->terms->len; i++) {
        const DraftTerm *term = draft_at(reduction->draft, i);
        guint gain = gain_at(reduction, i) * 2 + (term->kind == RECORD_PTR ? COST_LOOKUPS_MAX : 0);

        if (gain_at(reduction, i) == 0 || is_ours(reduction, term) || gain <= most ||
            is_guard(reduction->draft, i))
            continue;
        most = gain;
        chosen = i;
    }
    if (most == 0)
        return false;
    leave_out(reduction, POINT_DROPPED, chosen);
    return true;
}

/* A term that alone is over the limits, and whose networks can't be told, can't stay. */
static void drop_hopeless(Reduction *reduction)
{
    const CostMeter *meter = &reduction->ground->meter;

    for (guint i = reduction->draft->terms->len; i-- > 0;) {
        const DraftTerm *term = draft_at(reduction->draft, i);
        g_auto(GStrv) texts = NULL;

        if (!cost_is_over(meter, cost_at(reduction, i)) || is_ours(reduction, term) ||
            is_guard(reduction->draft, i))
            continue;
        texts = cost_flatten(&reduction->ground->meter, reduction->ground->check->subject->domain,
                             term);
        if (texts == NULL)
            leave_out(reduction, POINT_DROPPED, i);
    }
}

static guint count_lookup_terms(const Draft *draft)
{
    guint count = 0;

    for (guint i = 0; i < draft->terms->len; i++)
        count += record_is_lookup(draft_at(draft, i)->kind) ? 1 : 0;
    return count;
}

static void bring_within(Reduction *reduction)
{
    drop_redirect(reduction);
    drop_doubles(reduction);
    drop_voids(reduction);
    drop_hopeless(reduction);
    for (TermOwner owner = TERM_OF_OTHERS; owner <= TERM_OF_DOMAIN; owner++)
        while (is_over(reduction) && flatten_one(reduction, OCTETS_WANTED, owner))
            ;
    for (TermOwner owner = TERM_OF_OTHERS; owner <= TERM_OF_OURS; owner++)
        while (is_over(reduction) && flatten_one(reduction, OCTETS_MAX, owner))
            ;
    while (is_over(reduction) && !is_late(reduction) && drop_one(reduction))
        ;
}

bool reduce(const Ground *ground, Draft *draft, GPtrArray *points)
{
    Reduction reduction = {.ground = ground, .draft = draft, .points = points};
    bool is_within;

    if (count_lookup_terms(draft) > TERMS_MAX)
        return false;
    reduction.costs = g_array_new(FALSE, FALSE, sizeof(Cost));
    g_array_set_clear_func(reduction.costs, (GDestroyNotify)cost_clear);
    measure(&reduction);
    note_all(&reduction);
    bring_within(&reduction);
    is_within = !is_over(&reduction);
    g_array_unref(reduction.costs);
    cost_clear(&reduction.sum);
    return is_within;
}
