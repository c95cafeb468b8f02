#include "config.h"

#include "advice/record/extend.h"

#include <string.h>

#include "policy/relay_entry.h"

#define MINIMISED_MAX 32 /* of more mechanisms, all are taken */
#define TRIALS_MAX 64    /* positions tried for one set of mechanisms */

/* Mechanisms that authorise the relays of an entry. */
typedef struct {
    GPtrArray *texts; /* of char * */
    bool is_missing;  /* the entry does not pass as a whole */
} EntryMechanisms;

static void entry_free(gpointer data)
{
    EntryMechanisms *entry = data;

    g_ptr_array_unref(entry->texts);
    g_free(entry);
}

static char *network_mechanism(const Network *network)
{
    char text[NETWORK_TEXT_MAX];

    return g_strdup_printf("%s:%s", network->family == AF_INET ? "ip4" : "ip6",
                           network_text(network, text));
}

static void add_networks(GPtrArray *texts, const Relays *relays, guint first, guint end)
{
    for (guint i = first; i < end; i++)
        g_ptr_array_add(texts, network_mechanism(&g_array_index(relays->networks, Network, i)));
}

static bool has_address(const DnsAnswer *answer, const Network *address)
{
    gsize length = address->family == AF_INET ? 4 : 16;

    for (guint i = 0; i < answer->records->len; i++) {
        const DnsRecord *record = dns_answer_at(answer, i);

        if (record->length == length && memcmp(record->data, address->octets, length) == 0)
            return true;
    }
    return false;
}

/* Are all addresses of the entry at first those of name? */
static bool is_host(const Ground *ground, const char *name, const Relays *relays, guint first,
                    guint end)
{
    g_autoptr(DnsAnswer) a = dns_lookup(ground->dns, name, DNS_A, ground->deadline);
    g_autoptr(DnsAnswer) aaaa = dns_lookup(ground->dns, name, DNS_AAAA, ground->deadline);

    for (guint i = first; i < end; i++) {
        const Network *network = &g_array_index(relays->networks, Network, i);

        if (!has_address(network->family == AF_INET ? a : aaaa, network))
            return false;
    }
    return true;
}

static GPtrArray *texts_of(const Ground *ground, const Relays *relays, guint first, guint end)
{
    const char *hostname = ground->settings->hostname;
    guint number = g_array_index(relays->entries, guint, first);
    g_autoptr(RelayEntry) entry = relay_entry_parse(g_ptr_array_index(relays->names, number), NULL);
    GPtrArray *texts = g_ptr_array_new_with_free_func(g_free);
    RelayEntryKind kind = entry != NULL ? entry->kind : RELAY_ENTRY_NETWORK;

    switch (kind) {
    case RELAY_ENTRY_SPF:
        g_ptr_array_add(texts, g_strconcat("include:", entry->domain, NULL));
        return texts;
    case RELAY_ENTRY_HOST:
        g_ptr_array_add(texts, g_strconcat("a:", entry->domain, NULL));
        return texts;
    case RELAY_ENTRY_AUTO:
        if (strchr(hostname, '.') == NULL || !is_host(ground, hostname, relays, first, end))
            break;
        g_ptr_array_add(texts, g_strconcat("a:", hostname, NULL));
        return texts;
    case RELAY_ENTRY_NETWORK:
        break;
    }
    add_networks(texts, relays, first, end);
    return texts;
}

static bool passes(const DomainCheck *check, guint first, guint end)
{
    for (guint i = first; i < end; i++)
        if (domain_check_at(check, i)->result != SPF_PASS)
            return false;
    return true;
}

/* One for each entry of check->relays that has networks, in their order: an array of
 * EntryMechanisms, given back with g_ptr_array_unref(). */
static GPtrArray *derive_mechanisms(const Ground *ground, const DomainCheck *check)
{
    GPtrArray *entries = g_ptr_array_new_with_free_func(entry_free);

    for (guint first = 0, end; first < check->evaluations->len; first = end) {
        EntryMechanisms *entry = g_new0(EntryMechanisms, 1);

        end = relays_entry_end(check->relays, first);
        entry->texts = texts_of(ground, check->relays, first, end);
        entry->is_missing = !passes(check, first, end);
        g_ptr_array_add(entries, entry);
    }
    return entries;
}

/* A try: mechanisms to be added, one set after the other, until one passes. */
typedef struct {
    const Ground *ground;
    const Draft *draft;
    const Proof *proof; /* of draft */
    Draft *over;        /* the first one that is only over the limits; NULL: none */
    Proof *failed;      /* of the last trial */
} Extension;

static guint find_text(const Draft *draft, const char *text)
{
    guint position = 0;

    while (position < draft->terms->len && strcmp(draft_at(draft, position)->text, text) != 0)
        position++;
    return position;
}

/* The place of the term that decides against a relay; at most end. */
static guint deciding_position(const Draft *draft, const DomainCheck *check, guint end)
{
    guint position = end;

    for (guint i = 0; i < check->evaluations->len; i++) {
        const Evaluation *evaluation = domain_check_at(check, i);
        const EvaluationTerm *term = evaluation_last_own_term(evaluation);

        if (evaluation->result == SPF_PASS || term == NULL)
            continue;
        if (term->is_match || evaluation->is_unproven)
            position = MIN(position, find_text(draft, term->term));
    }
    return position;
}

/*
 * Takes a term out that stands behind position and lets the same pass as text, but of which it can't
 * be proven that evaluation comes to it. Behind an all it stays: that is the owner's to see. Was
 * there one?
 */
static bool take_out(const Extension *extension, Draft *draft, guint position, const char *text)
{
    const Evaluation *shown = extension->proof->check->shown;
    g_autofree char *key = draft_key(text);
    guint found = draft_find_key(draft, key, position);

    if (shown == NULL || !shown->is_unproven || found > draft_end(draft) ||
        found == draft->terms->len || draft_at(draft, found)->qualifier != '+')
        return false;
    draft_remove(draft, found);
    return true;
}

/* Takes a term out that refuses the very senders whom text lets pass. Returns it as text, or NULL;
 * position stays before the same term. */
static char *take_refusing(Draft *draft, const char *text, guint *position)
{
    g_autofree char *key = draft_key(text);
    guint at = draft_find_key(draft, key, 0);
    char *taken;

    while (at < draft->terms->len && draft_at(draft, at)->qualifier == '+')
        at = draft_find_key(draft, key, at + 1);
    if (at == draft->terms->len || at > draft_end(draft))
        return NULL;
    taken = g_strdup(draft_at(draft, at)->text);
    draft_remove(draft, at);
    *position -= at < *position ? 1 : 0;
    return taken;
}

/* A copy of the draft with texts put in before position, or moved there. Of a term that is there with
 * another sign only the sign changes. */
static Draft *with_texts(const Extension *extension, guint position, const GPtrArray *texts)
{
    Draft *extended = draft_copy(extension->draft);

    for (guint i = 0; i < texts->len; i++) {
        const char *text = g_ptr_array_index(texts, i);
        bool is_moved = take_out(extension, extended, position, text);
        char *was = take_refusing(extended, text, &position);
        DraftTerm *term = draft_insert(extended, position++, text);

        term->is_added = true;
        term->is_moved = is_moved;
        term->was = was;
    }
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
        g_autoptr(Draft) smaller = with_texts(extension, position, left);

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

/* Puts texts in at a place at which they work. Returns NULL if there is none. */
static Draft *place(Extension *extension, const GPtrArray *texts)
{
    guint position =
        deciding_position(extension->draft, extension->proof->check, draft_end(extension->draft));

    for (guint trials = 0; trials < TRIALS_MAX; trials++) {
        g_autoptr(Draft) draft = with_texts(extension, position, texts);
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
    g_autoptr(GPtrArray) entries = derive_mechanisms(ground, extension->proof->check);

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

static bool is_key_of(const char *key, const char *mechanism)
{
    g_autofree char *own = draft_key(mechanism);

    return strcmp(own, key) == 0;
}

/* The mechanism of an entry that is a name; NULL for others. */
static char *name_mechanism(const char *name)
{
    g_autoptr(RelayEntry) entry = relay_entry_parse(name, NULL);

    if (entry == NULL || entry->domain == NULL)
        return NULL;
    return g_strconcat(entry->kind == RELAY_ENTRY_SPF ? "include:" : "a:", entry->domain, NULL);
}

bool extend_is_for_relays(Settings *settings, const Relays *relays, const char *key)
{
    for (char **own = settings->advice_mechanisms; own != NULL && *own != NULL; own++)
        if (is_key_of(key, *own))
            return true;
    for (guint i = 0; i < relays->names->len; i++) {
        g_autofree char *own = name_mechanism(g_ptr_array_index(relays->names, i));

        if (own != NULL && is_key_of(key, own))
            return true;
    }
    return false;
}
