#include "config.h"

#include "advice/record/proposal.h"

#include <string.h>

#include "advice/record/draft.h"
#include "advice/record/extend.h"
#include "advice/record/mend.h"
#include "advice/record/mend_term.h"
#include "advice/record/reduce.h"

#define OCTETS_MAX 4096  /* of a record that is worked on */
#define ROUNDS_MAX 8     /* of reducing and extending, in turn */
#define EXTENSIONS_MAX 2 /* the second one if look-ups were reduced since the first */

typedef struct {
    const Ground *ground;
    Advice *advice;
    GPtrArray *found; /* of char *: SPF records; if there is none, texts meant as one */
    Draft *draft;
    bool is_doubtful; /* nobody knows what the owner meant: nothing is proposed */
    bool was_closed;  /* the record found is an error for strangers */
} Proposal;

static gint compare_texts(gconstpointer a, gconstpointer b)
{
    return strcmp(*(char *const *)a, *(char *const *)b);
}

/* In the order of their text: DNS answers come in any order. */
static void find_records(const GPtrArray *texts, GPtrArray *found)
{
    for (guint i = 0; i < texts->len; i++) {
        const char *text = g_ptr_array_index(texts, i);

        if (record_is_spf(text, strlen(text)))
            g_ptr_array_add(found, (gpointer)text);
    }
    for (guint i = 0; i < texts->len && found->len == 0; i++)
        if (mend_is_meant_as_spf(g_ptr_array_index(texts, i)))
            g_ptr_array_add(found, g_ptr_array_index(texts, i));
    g_ptr_array_sort(found, compare_texts);
}

static char **valid_texts(const GPtrArray *found)
{
    char **texts = g_new0(char *, found->len + 1);

    for (guint i = 0; i < found->len; i++)
        texts[i] = g_utf8_make_valid(g_ptr_array_index(found, i), -1);
    return texts;
}

static const char *first_found(const Proposal *proposal)
{
    return g_ptr_array_index(proposal->found, 0);
}

/* Does nobody get an answer who comes to the term at position: is it a name that was not meant? */
static bool is_nothing(const Proposal *proposal, const Record *record, guint position)
{
    g_auto(Cost) cost = {0};

    cost_term(&proposal->ground->meter, proposal->ground->check->subject->domain, record,
              record_at(record, position), &cost);
    return cost.broken != NULL || cost.is_void;
}

/* In "include:_spf.goo,gle.com" gle.com is nobody whom the owner meant: what stands before it is no
 * name that the DNS knows. */
static bool has_broken_name(const Proposal *proposal, const Draft *draft)
{
    g_autofree char *text = draft_text(draft);
    g_autoptr(Record) record = record_parse(text, strlen(text));

    for (guint i = 1; i < draft->terms->len; i++)
        if (draft_at(draft, i)->is_leaning && record_is_lookup(draft_at(draft, i - 1)->kind) &&
            is_nothing(proposal, record, i - 1))
            return true;
    return false;
}

/* What stands behind all is not united, as it never counted. */
static void tell_uncounted(const Draft *draft, guint index, GPtrArray *points)
{
    guint all = draft_find_kind(draft, RECORD_ALL, 0);

    for (guint i = all + 1; i < draft->terms->len; i++) {
        Point *point;

        if (!draft_is_mechanism(draft_at(draft, i)->kind))
            continue;
        point = point_add(points, POINT_UNCOUNTED, draft_at(draft, i)->text);
        point->text = g_strdup(draft_at(draft, all)->text);
        point->record = index;
    }
}

/* Mends all records that were found, and unites them. */
static void mend_found(Proposal *proposal)
{
    g_autoptr(GPtrArray) drafts = g_ptr_array_new_with_free_func((GDestroyNotify)draft_free);

    for (guint i = 0; i < proposal->found->len; i++)
        g_ptr_array_add(drafts, mend_record(g_ptr_array_index(proposal->found, i), i,
                                            proposal->advice->points));
    for (guint i = 0; i < drafts->len; i++) {
        const Draft *draft = g_ptr_array_index(drafts, i);

        proposal->is_doubtful |= draft->is_doubtful || has_broken_name(proposal, draft);
        if (drafts->len > 1)
            tell_uncounted(draft, i, proposal->advice->points);
    }
    if (drafts->len == 1) {
        proposal->draft = draft_copy(g_ptr_array_index(drafts, 0));
    } else {
        proposal->draft = draft_unite(drafts);
    }
}

/* Why an evaluation that reaches the term ends in an error, owned by the caller; NULL if it
 * doesn't. */
static char *broken_at(const Proposal *proposal, const Record *record, guint position)
{
    g_auto(Cost) cost = {0};

    if (position < record->terms->len)
        cost_term(&proposal->ground->meter, proposal->ground->check->subject->domain, record,
                  record_at(record, position), &cost);
    return g_steal_pointer(&cost.broken);
}

/* A term that is broken and refuses senders, nobody knows which: without it they could pass. */
static bool is_needed(const Draft *draft, guint position)
{
    return draft_at(draft, position)->qualifier != '+' && draft_passes_from(draft, position + 1);
}

/* Puts the addresses of more mail servers than allowed in the place of their term. Returns false if
 * it is no such term. */
static bool replace_many_hosts(Proposal *proposal, guint position)
{
    const Ground *ground = proposal->ground;
    const DraftTerm *term = draft_at(proposal->draft, position);
    guint hosts;
    g_auto(GStrv) texts =
        cost_flatten_many_hosts(&ground->meter, ground->check->subject->domain, term, &hosts);
    Point *point;

    if (texts == NULL || (*texts == NULL && is_needed(proposal->draft, position)))
        return false;
    point = point_add(proposal->advice->points, POINT_MANY_HOSTS, term->text);
    point->text = g_strjoinv(" ", texts);
    point->number = hosts;
    draft_replace(proposal->draft, position, (const char *const *)texts);
    return true;
}

/* While the record was an error, nobody passed by an all that lets everybody pass. */
static void close_all(Proposal *proposal)
{
    guint all = draft_find_kind(proposal->draft, RECORD_ALL, 0);
    Point *point;

    if (all == proposal->draft->terms->len || draft_at(proposal->draft, all)->qualifier != '+')
        return;
    point = point_add(proposal->advice->points, POINT_CLOSED, draft_at(proposal->draft, all)->text);
    point->text = g_strdup("~all");
    draft_replace(proposal->draft, all, (const char *const[]){"~all", NULL});
}

/* Leaves the terms out that make the record an error. A redirect leaves its place to all. */
static void drop_broken(Proposal *proposal)
{
    Draft *draft = proposal->draft;
    const char *all = proposal->ground->settings->advice_policy;
    g_autofree char *text = draft_text(draft);
    g_autoptr(Record) record = record_parse(text, strlen(text));

    for (guint i = draft->terms->len; i-- > 0;) {
        char *reason = broken_at(proposal, record, i);
        bool is_redirect = draft_at(draft, i)->kind == RECORD_REDIRECT;
        Point *point;

        if (reason == NULL)
            continue;
        if (replace_many_hosts(proposal, i)) {
            g_free(reason);
            continue;
        }
        if (is_needed(draft, i)) {
            point =
                point_add(proposal->advice->points, POINT_BROKEN_REFUSAL, draft_at(draft, i)->text);
            point->reason = reason;
            proposal->is_doubtful = true;
            continue;
        }
        point = point_add(proposal->advice->points, POINT_BROKEN, draft_at(draft, i)->text);
        point->reason = reason;
        draft_remove(draft, i);
        if (is_redirect && draft_find_kind(draft, RECORD_ALL, 0) == draft->terms->len) {
            point->text = g_strdup(all);
            draft_insert(draft, draft_behind_mechanisms(draft), all);
        }
    }
    close_all(proposal);
}

static bool has_mistake(const Draft *draft)
{
    for (guint i = 0; i < draft->terms->len; i++)
        if (!mend_term_is_right(draft_at(draft, i)->text))
            return true;
    return false;
}

static void set_unproven(Proposal *proposal, const char *reason)
{
    point_add(proposal->advice->points, POINT_UNPROVEN, NULL)->reason = g_strdup(reason);
}

static void set_several(Proposal *proposal)
{
    Point *point = point_add(proposal->advice->points, POINT_SEVERAL, NULL);

    point->texts = valid_texts(proposal->found);
    point->number = proposal->found->len;
}

/* What one record, without an error that the grammar knows, needs. */
static void judge(Proposal *proposal, const Proof *proof)
{
    Advice *advice = proposal->advice;
    bool passes = proof->check->result == SPF_PASS;
    bool has_mistakes = !passes && has_mistake(proposal->draft);

    advice_find(advice, ADVICE_EXTEND);
    if (has_mistakes) {
        draft_free(proposal->draft);
        mend_found(proposal);
    }
    if (has_mistakes || (!passes && proof->cost.broken != NULL)) {
        advice_find(advice, ADVICE_REPAIR);
        drop_broken(proposal);
        return;
    }
    if (cost_is_over(&proposal->ground->meter, &proof->cost)) {
        advice_find(advice, ADVICE_REDUCE);
        drop_broken(proposal);
    } else if (passes) {
        advice_find(advice, ADVICE_OK);
    }
}

/* A record that is too long to be anybody's is told to pass or not, and no more. */
static void judge_long(Proposal *proposal)
{
    g_autoptr(Record) record = record_parse(first_found(proposal), strlen(first_found(proposal)));
    g_autoptr(Proof) proof = proof_run(proposal->ground, first_found(proposal));

    advice_find(proposal->advice, ADVICE_EXTEND);
    if (proposal->found->len > 1)
        advice_find(proposal->advice, ADVICE_MERGE);
    if (record->wrong != NULL || !record_is_spf(record->text, record->length))
        advice_find(proposal->advice, ADVICE_REPAIR);
    if (proof->outcome == PROOF_OVER)
        advice_find(proposal->advice, ADVICE_REDUCE);
    if (proof->outcome == PROOF_PASSES)
        advice_find(proposal->advice, ADVICE_OK);
    if (proposal->advice->kind != ADVICE_OK)
        set_unproven(proposal, "the record is longer than any that can be of use");
}

static bool has_long(const GPtrArray *found)
{
    for (guint i = 0; i < found->len; i++)
        if (strlen(g_ptr_array_index(found, i)) > OCTETS_MAX)
            return true;
    return false;
}

static void begin_new(Proposal *proposal)
{
    proposal->draft = draft_new("v=spf1");
    draft_insert(proposal->draft, 0, proposal->ground->settings->advice_policy);
}

static void begin_one(Proposal *proposal)
{
    g_autoptr(Record) record = record_parse(first_found(proposal), strlen(first_found(proposal)));
    g_autoptr(Proof) proof = NULL;

    if (record->wrong != NULL || !record_is_spf(record->text, record->length)) {
        advice_find(proposal->advice, ADVICE_REPAIR);
        mend_found(proposal);
        drop_broken(proposal);
        return;
    }
    proposal->draft = draft_new(first_found(proposal));
    proof = proof_run(proposal->ground, first_found(proposal));
    judge(proposal, proof);
}

/* Finds the kinds that are right, and sets the draft to the record found, without its errors. */
static void begin(Proposal *proposal)
{
    const char *first = proposal->found->len > 0 ? first_found(proposal) : NULL;

    if (first == NULL) {
        begin_new(proposal);
        return;
    }
    if (proposal->found->len == 1) {
        begin_one(proposal);
        return;
    }
    advice_find(proposal->advice,
                record_is_spf(first, strlen(first)) ? ADVICE_MERGE : ADVICE_REPAIR);
    set_several(proposal);
    mend_found(proposal);
    drop_broken(proposal);
}

/*
 * Is everybody but our relays judged as before? Neutral is as good as no record (RFC 7208 section
 * 2.6.2). Terms that let more pass, put into a record that worked, change nothing for those whom
 * they don't match; records that were mended, united or reduced were an error to some before.
 */
static bool keeps_others(const Proposal *proposal)
{
    guint all = draft_find_kind(proposal->draft, RECORD_ALL, 0);

    if (proposal->advice->kind == ADVICE_PUBLISH)
        return draft_at(proposal->draft, all)->qualifier == '?';
    return proposal->advice->kind == ADVICE_EXTEND;
}

/* The term at position was there before, further behind. */
static void set_moved(Proposal *proposal, guint position)
{
    const Draft *draft = proposal->draft;
    Point *point =
        point_add(proposal->advice->points, POINT_MOVED, draft_at(draft, position)->text);

    while (++position < draft->terms->len && draft_at(draft, position)->is_added)
        ;
    if (position < draft->terms->len)
        point->text = g_strdup(draft_at(draft, position)->text);
}

static void set_record(Proposal *proposal, char *text)
{
    GPtrArray *added = g_ptr_array_new();

    for (guint i = 0; i < proposal->draft->terms->len; i++) {
        const DraftTerm *term = draft_at(proposal->draft, i);

        if (term->is_moved)
            set_moved(proposal, i);
        else if (term->is_added)
            g_ptr_array_add(added, g_strdup(term->text));
        if (term->was != NULL)
            point_add(proposal->advice->points, POINT_SIGN, term->was)->text = g_strdup(term->text);
    }
    g_ptr_array_add(added, NULL);
    proposal->advice->record = text;
    proposal->advice->keeps_others = keeps_others(proposal);
    g_strfreev(proposal->advice->added);
    proposal->advice->added = (char **)g_ptr_array_free(added, FALSE);
}

/* Too many look-ups, now that the record is extended. */
static bool reduce_more(Proposal *proposal, const Proof *proof)
{
    if (proposal->found->len > 0)
        advice_find(proposal->advice, ADVICE_REDUCE);
    if (reduce(proposal->ground, proposal->draft, proposal->advice->points))
        return true;
    set_unproven(proposal, proof->reason);
    return false;
}

static bool extend_more(Proposal *proposal, const Proof *proof)
{
    g_autoptr(Proof) failed = NULL;
    Draft *extended = proof->cost.broken == NULL || proof->check->result != SPF_PASS
                          ? extend(proposal->ground, proposal->draft, proof, &failed)
                          : NULL;

    if (extended == NULL) {
        if (failed != NULL && failed->outcome == PROOF_TROUBLE)
            advice_find(proposal->advice, ADVICE_UNKNOWN);
        else
            set_unproven(proposal, failed != NULL ? failed->reason : proof->reason);
        return false;
    }
    draft_free(proposal->draft);
    proposal->draft = extended;
    return true;
}

/* Puts origin back in the place of its networks. Returns false, without a change, if the record
 * does not pass then. */
static bool restore(Proposal *proposal, const char *origin)
{
    g_autoptr(Draft) draft = draft_copy(proposal->draft);
    g_autofree char *text = NULL;
    g_autoptr(Proof) proof = NULL;

    draft_restore(draft, origin);
    text = draft_text(draft);
    proof = proof_run(proposal->ground, text);
    if (proof->outcome != PROOF_PASSES)
        return false;
    draft_free(proposal->draft);
    proposal->draft = g_steal_pointer(&draft);
    return true;
}

static gint compare_numbers(gconstpointer a, gconstpointer b)
{
    const Point *first = *(Point *const *)a;
    const Point *second = *(Point *const *)b;

    return first->number < second->number ? -1 : first->number > second->number ? 1 : 0;
}

/*
 * Puts each flattened term back that need not be: one that was flattened before it was known what
 * else has to be. Those that free least come first, so that as many as possible stay as they were.
 */
static void restore_flattened(Proposal *proposal)
{
    GPtrArray *points = proposal->advice->points;
    g_autoptr(GPtrArray) flattened = g_ptr_array_new();

    for (guint i = 0; i < points->len; i++)
        if (((const Point *)g_ptr_array_index(points, i))->kind == POINT_FLATTENED)
            g_ptr_array_add(flattened, g_ptr_array_index(points, i));
    g_ptr_array_sort(flattened, compare_numbers);
    for (guint i = 0; i < flattened->len; i++) {
        Point *point = g_ptr_array_index(flattened, i);

        if (restore(proposal, point->term))
            g_ptr_array_remove(points, point);
    }
}

/* Takes what was added out again, so that it may find another place. Was there anything? */
static bool take_back(Draft *draft)
{
    bool is_taken = false;

    for (guint i = draft->terms->len; i-- > 0;) {
        g_autofree char *was = g_strdup(draft_at(draft, i)->was);

        if (!draft_at(draft, i)->is_added || draft_at(draft, i)->is_moved)
            continue;
        draft_remove(draft, i);
        if (was != NULL)
            draft_insert(draft, i, was);
        is_taken = true;
    }
    return is_taken;
}

/* Does a point tell what became of the record that is not proposed? */
static bool tells_change(PointKind kind)
{
    return kind == POINT_BROKEN || kind == POINT_CLOSED || kind == POINT_UNCOUNTED ||
           kind == POINT_MANY_HOSTS || kind == POINT_FLATTENED || kind == POINT_DROPPED;
}

/* What is wrong is said, and not what it could have become. */
static void give_up(Proposal *proposal, const char *reason)
{
    GPtrArray *points = proposal->advice->points;

    for (guint i = points->len; i-- > 0;) {
        Point *point = g_ptr_array_index(points, i);

        if (tells_change(point->kind)) {
            g_ptr_array_remove_index(points, i);
        } else if (point->kind == POINT_ERROR) {
            point->kind = POINT_UNREADABLE;
            g_clear_pointer(&point->text, g_free);
        }
    }
    set_unproven(proposal, reason);
}

/* Does the record found let nobody pass by what it says of everybody, since it is an error? */
static bool was_closed(const Proposal *proposal)
{
    bool is_changed = proposal->advice->kind == ADVICE_REPAIR ||
                      proposal->advice->kind == ADVICE_MERGE ||
                      proposal->advice->kind == ADVICE_REDUCE;

    return is_changed &&
           (proposal->found->len > 1 || !proof_is_open(proposal->ground, first_found(proposal)));
}

/* Does the term alone let everybody pass: "exists:x.org", half of the Internet, an include of such?
 */
static bool is_open_term(const Proposal *proposal, const DraftTerm *term)
{
    bool is_redirect = term->kind == RECORD_REDIRECT;
    g_autofree char *text = g_strconcat("v=spf1 ", term->text, is_redirect ? "" : " -all", NULL);

    if (!is_redirect && (!draft_is_mechanism(term->kind) || term->qualifier != '+' ||
                         term->kind == RECORD_ALL || term->kind == RECORD_PTR))
        return false;
    return proof_is_open(proposal->ground, text);
}

/* A term that would let everybody pass, once the record counts, says nothing of them then, and stands
 * last: nobody gets past it. */
static void close_terms(Proposal *proposal)
{
    Draft *draft = proposal->draft;
    guint all = draft_find_kind(draft, RECORD_ALL, 0);

    for (guint i = MIN(all, draft->terms->len); i-- > 0;) {
        const DraftTerm *term = draft_at(draft, i);
        bool is_redirect = term->kind == RECORD_REDIRECT;
        Point *point;

        if (!is_open_term(proposal, term))
            continue;
        point = point_add(proposal->advice->points, POINT_CLOSED, term->text);
        point->text = is_redirect ? g_strdup("?all")
                                  : g_strconcat("?", term->text + strspn(term->text, "+"), NULL);
        draft_remove(draft, i);
        draft_insert(draft, is_redirect ? draft_behind_mechanisms(draft) : draft_end(draft),
                     point->text);
    }
}

/* One step towards a record that passes. Returns whether there is more to do. */
static bool step(Proposal *proposal, guint *extensions)
{
    g_autofree char *text = draft_text(proposal->draft);
    g_autoptr(Proof) proof = proof_run(proposal->ground, text);

    switch (proof->outcome) {
    case PROOF_PASSES:
        if (proposal->was_closed && proof_is_open(proposal->ground, text)) {
            give_up(proposal, N_("it would let everybody send as this domain"));
            return false;
        }
        restore_flattened(proposal);
        set_record(proposal, draft_text(proposal->draft));
        return false;
    case PROOF_TROUBLE:
        advice_find(proposal->advice, ADVICE_UNKNOWN);
        return false;
    case PROOF_OVER:
        return reduce_more(proposal, proof);
    case PROOF_FAILS:
        if (take_back(proposal->draft))
            return true;
        if ((*extensions)++ < EXTENSIONS_MAX)
            return extend_more(proposal, proof);
        set_unproven(proposal, proof->reason);
        return false;
    }
    return false;
}

static void finish(Proposal *proposal)
{
    guint extensions = 0;
    guint rounds = 0;

    while (rounds < ROUNDS_MAX && step(proposal, &extensions))
        rounds++;
    if (rounds == ROUNDS_MAX)
        set_unproven(proposal, NULL);
}

void proposal_make(const Ground *ground, const GPtrArray *texts, Advice *advice)
{
    g_autoptr(GPtrArray) found = g_ptr_array_new();
    Proposal proposal = {.ground = ground, .advice = advice, .found = found};

    find_records(texts, found);
    g_strfreev(advice->found);
    advice->found = valid_texts(found);
    if (has_long(found)) {
        judge_long(&proposal);
        return;
    }
    begin(&proposal);
    proposal.was_closed = was_closed(&proposal);
    if (proposal.was_closed && !proposal.is_doubtful)
        close_terms(&proposal);
    if (proposal.is_doubtful)
        give_up(&proposal, NULL);
    else if (advice->kind != ADVICE_OK)
        finish(&proposal);
    draft_free(proposal.draft);
}
