#include "config.h"

#include "advice/record/extend.h"

#include <string.h>

#include "advice/record/mechanisms.h"

#define MINIMISED_MAX 32 /* of more mechanisms, all are taken */
#define TRIALS_MAX 64    /* positions tried for one set of mechanisms */

/* A try: mechanisms to be added, one set after the other, until one passes. */
typedef struct {
    const Ground *ground;
    const Draft *draft;
    const Proof *proof; /* of draft */
    Draft *over;        /* the first one that is only over the limits; NULL: none */
    Proof *failed;      /* of the last trial */
} Extension;

/* The last term of the record itself that evaluation came to, or NULL. */
static const EvaluationTerm *last_term(const Evaluation *evaluation)
{
    const EvaluationTerm *last = NULL;

    for (guint i = 0; i < evaluation->terms->len; i++) {
        const EvaluationTerm *term = g_ptr_array_index(evaluation->terms, i);

        if (term->depth == 0)
            last = term;
    }
    return last;
}

static guint find_text(const Draft *draft, const char *text)
{
    guint position = 0;

    while (position < draft->terms->len && strcmp(draft_at(draft, position)->text, text) != 0)
        position++;
    return position;
}

/* Where the term stands that decides against a relay; at most end. */
static guint deciding_position(const Draft *draft, const DomainCheck *check, guint end)
{
    guint position = end;

    for (guint i = 0; i < check->evaluations->len; i++) {
        const Evaluation *evaluation = domain_check_at(check, i);
        const EvaluationTerm *term = last_term(evaluation);

        if (evaluation->result == SPF_PASS || term == NULL)
            continue;
        if (term->is_match || evaluation->is_unproven)
            position = MIN(position, find_text(draft, term->term));
    }
    return position;
}

/* A copy of draft with texts put in before position. */
static Draft *with_texts(const Draft *draft, guint position, const GPtrArray *texts)
{
    Draft *extended = draft_copy(draft);

    for (guint i = 0; i < texts->len; i++)
        draft_insert(extended, position++, g_ptr_array_index(texts, i))->is_added = true;
    return extended;
}

static ProofOutcome attempt(Extension *extension, const Draft *draft)
{
    g_autofree char *text = draft_text(draft);
    Proof *proof = proof_run(extension->ground, text);
    ProofOutcome outcome = proof->outcome;

    g_clear_pointer(&extension->failed, proof_free);
    extension->failed = proof;
    return outcome;
}

static void add_texts(GPtrArray *texts, const GPtrArray *more)
{
    for (guint i = 0; i < more->len; i++)
        g_ptr_array_add(texts, g_ptr_array_index(more, i));
}

/* Takes those of texts out that are not needed, the last ones first. Returns draft, or the draft
 * with what is left. */
static Draft *minimise(Extension *extension, Draft *draft, guint position, const GPtrArray *texts)
{
    g_autoptr(GPtrArray) left = g_ptr_array_new();

    add_texts(left, texts);
    for (guint i = left->len; i-- > 0 && left->len > 1;) {
        gpointer taken = g_ptr_array_steal_index(left, i);
        g_autoptr(Draft) smaller = with_texts(extension->draft, position, left);

        if (attempt(extension, smaller) != PROOF_PASSES) {
            g_ptr_array_insert(left, (int)i, taken);
            continue;
        }
        draft_free(draft);
        draft = g_steal_pointer(&smaller);
    }
    return draft;
}

/* The place before: one at which something else than a pass may be decided, else the beginning. */
static guint earlier(const Draft *draft, guint position)
{
    while (position > 0 && draft_at(draft, --position)->qualifier == '+')
        ;
    return position;
}

/* Puts texts in where they work. Returns NULL where they don't. */
static Draft *place(Extension *extension, const GPtrArray *texts)
{
    guint position =
        deciding_position(extension->draft, extension->proof->check, draft_end(extension->draft));

    for (guint trials = 0; trials < TRIALS_MAX; trials++) {
        g_autoptr(Draft) draft = with_texts(extension->draft, position, texts);
        ProofOutcome outcome = attempt(extension, draft);

        if (outcome == PROOF_PASSES)
            return texts->len <= MINIMISED_MAX
                       ? minimise(extension, g_steal_pointer(&draft), position, texts)
                       : g_steal_pointer(&draft);
        if (outcome == PROOF_OVER && extension->over == NULL)
            extension->over = g_steal_pointer(&draft);
        if (outcome != PROOF_FAILS || position == 0)
            return NULL;
        position = earlier(extension->draft, position);
    }
    return NULL;
}

static Draft *place_configured(Extension *extension)
{
    g_autoptr(GPtrArray) texts = g_ptr_array_new();
    char **mechanisms = extension->ground->settings->advice_mechanisms;

    for (; mechanisms != NULL && *mechanisms != NULL; mechanisms++)
        g_ptr_array_add(texts, *mechanisms);
    return texts->len > 0 ? place(extension, texts) : NULL;
}

static Draft *place_all(Extension *extension, const GPtrArray *entries)
{
    g_autoptr(GPtrArray) texts = g_ptr_array_new();

    for (guint i = 0; i < entries->len; i++) {
        const EntryMechanisms *entry = g_ptr_array_index(entries, i);

        if (entry->is_missing)
            add_texts(texts, entry->texts);
    }
    return texts->len > 0 ? place(extension, texts) : NULL;
}

/* The first entry that can be made to pass is enough. */
static Draft *place_any(Extension *extension, const GPtrArray *entries)
{
    Draft *draft = NULL;

    for (guint i = 0; i < entries->len && draft == NULL; i++) {
        const EntryMechanisms *entry = g_ptr_array_index(entries, i);

        draft = place(extension, entry->texts);
    }
    return draft;
}

static Draft *place_derived(Extension *extension)
{
    const Ground *ground = extension->ground;
    g_autoptr(GPtrArray) entries =
        mechanisms_derive(ground->settings, ground->dns, ground->deadline, extension->proof->check);

    return ground->settings->relay_policy == RELAY_POLICY_ANY ? place_any(extension, entries)
                                                              : place_all(extension, entries);
}

Draft *extend(const Ground *ground, const Draft *draft, const Proof *proof, Proof **failed)
{
    Extension extension = {.ground = ground, .draft = draft, .proof = proof};
    bool is_configured = ground->settings->advice_mechanisms != NULL &&
                         ground->settings->advice_mechanisms[0] != NULL;
    Draft *extended = place_configured(&extension);

    if (extended == NULL && (!is_configured || ground->check->relays->is_given))
        extended = place_derived(&extension);
    if (extended == NULL)
        extended = g_steal_pointer(&extension.over);
    g_clear_pointer(&extension.over, draft_free);
    if (extended == NULL)
        *failed = g_steal_pointer(&extension.failed);
    g_clear_pointer(&extension.failed, proof_free);
    return extended;
}
