#include "config.h"

#include "advice/words/check_json.h"

#include <string.h>

json_t *check_json_text(const char *text)
{
    g_autofree char *valid = NULL;

    if (text == NULL)
        return json_null();
    valid = g_utf8_make_valid(text, -1);
    return json_string(valid);
}

static json_t *relay_json(const Network *relay, const Evaluation *evaluation)
{
    json_t *json = json_object();
    char text[NETWORK_TEXT_MAX];

    json_object_set_new(json, "relay", json_string(network_text(relay, text)));
    json_object_set_new(json, "result", json_string(spf_result_text(evaluation->result)));
    json_object_set_new(json, "mechanism", check_json_text(evaluation->mechanism));
    json_object_set_new(json, "reason", check_json_text(evaluation->reason));
    json_object_set_new(json, "piece", json_string(network_text(&evaluation->piece, text)));
    return json;
}

static json_t *relays_json(const DomainCheck *check)
{
    json_t *relays = json_array();

    for (guint i = 0; i < check->evaluations->len; i++)
        json_array_append_new(relays,
                              relay_json(&g_array_index(check->relays->networks, Network, i),
                                         domain_check_at(check, i)));
    return relays;
}

static json_t *term_json(const EvaluationTerm *term)
{
    json_t *json = json_object();

    json_object_set_new(json, "depth", json_integer(term->depth));
    json_object_set_new(json, "term", check_json_text(term->term));
    json_object_set_new(json, "name", check_json_text(term->name));
    json_object_set_new(json, "record", check_json_text(term->record));
    json_object_set_new(json, "lookups", json_integer(term->lookups));
    json_object_set_new(json, "void_lookups", json_integer(term->voids));
    json_object_set_new(json, "match", json_boolean(term->is_match));
    return json;
}

static json_t *tree_json(const Evaluation *evaluation)
{
    json_t *tree = json_array();

    for (guint i = 0; evaluation != NULL && i < evaluation->terms->len; i++)
        json_array_append_new(tree, term_json(g_ptr_array_index(evaluation->terms, i)));
    return tree;
}

static json_t *notes_json(const DomainCheck *check)
{
    json_t *notes = json_array();

    for (guint i = 0; i < check->notes->len; i++)
        json_array_append_new(notes, check_json_text(g_ptr_array_index(check->notes, i)));
    return notes;
}

/* The members of the evaluation that is shown. */
static void set_shown(json_t *json, const Evaluation *shown)
{
    json_object_set_new(json, "record", check_json_text(shown != NULL ? shown->record : NULL));
    json_object_set_new(json, "lookups", json_integer(shown != NULL ? shown->lookups : 0));
    json_object_set_new(json, "void_lookups",
                        json_integer(shown != NULL ? shown->void_lookups : 0));
}

json_t *check_json(const DomainCheck *check)
{
    json_t *json = json_object();

    json_object_set_new(json, "domain", json_string(check->subject->domain));
    json_object_set_new(json, "authorised", json_boolean(check->is_authorised));
    json_object_set_new(json, "result", json_string(spf_result_text(check->result)));
    json_object_set_new(json, "relays", relays_json(check));
    set_shown(json, check->shown);
    json_object_set_new(json, "ttl", json_integer(check->ttl));
    json_object_set_new(json, "dmarc", check_json_text(check->dmarc));
    json_object_set_new(json, "advice", json_null());
    json_object_set_new(json, "local_part", check_json_text(check->subject->local_part));
    json_object_set_new(json, "reason", check_json_text(check->reason));
    json_object_set_new(json, "dmarc_policy", json_string(dmarc_policy_text(check->dmarc_policy)));
    json_object_set_new(json, "tree", tree_json(check->shown));
    json_object_set_new(json, "notes", notes_json(check));
    return json;
}
