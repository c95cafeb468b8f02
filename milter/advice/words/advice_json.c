#include "config.h"

#include "advice/words/advice_json.h"

#include "advice/words/advice_text.h"

json_t *advice_json_text(const char *text)
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
    json_object_set_new(json, "mechanism", advice_json_text(evaluation->mechanism));
    json_object_set_new(json, "reason", advice_json_text(evaluation->reason));
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
    json_object_set_new(json, "term", advice_json_text(term->term));
    json_object_set_new(json, "name", advice_json_text(term->name));
    json_object_set_new(json, "record", advice_json_text(term->record));
    json_object_set_new(json, "lookups", json_integer(term->lookups));
    json_object_set_new(json, "void_lookups", json_integer(term->voids));
    json_object_set_new(json, "match", json_boolean(term->is_match));
    if (term->is_assumed)
        json_object_set_new(json, "depends_on_address", json_true());
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

    for (guint i = 0; i < check->notes->len; i++) {
        g_autofree char *note = domain_check_note(check, i, NULL);

        json_array_append_new(notes, advice_json_text(note));
    }
    return notes;
}

/* The members of the evaluation that is shown. */
static void set_shown(json_t *json, const Evaluation *shown)
{
    json_object_set_new(json, "record", advice_json_text(shown != NULL ? shown->record : NULL));
    json_object_set_new(json, "lookups", json_integer(shown != NULL ? shown->lookups : 0));
    json_object_set_new(json, "void_lookups",
                        json_integer(shown != NULL ? shown->void_lookups : 0));
}

json_t *advice_json_check(const DomainCheck *check)
{
    json_t *json = json_object();

    json_object_set_new(json, "domain", json_string(check->subject->domain));
    json_object_set_new(json, "authorised", json_boolean(check->is_authorised));
    json_object_set_new(json, "result", json_string(spf_result_text(check->result)));
    json_object_set_new(json, "relays", relays_json(check));
    set_shown(json, check->shown);
    json_object_set_new(json, "ttl", json_integer(check->ttl));
    json_object_set_new(json, "dmarc", advice_json_text(check->dmarc));
    json_object_set_new(json, "advice", json_null());
    json_object_set_new(json, "local_part", advice_json_text(check->subject->local_part));
    json_object_set_new(json, "reason", advice_json_text(check->reason));
    json_object_set_new(json, "dmarc_policy",
                        json_string(check->dmarc_trouble != NULL
                                        ? "unknown"
                                        : dmarc_policy_text(check->dmarc_policy)));
    if (check->dmarc_trouble != NULL)
        json_object_set_new(json, "dmarc_trouble", advice_json_text(check->dmarc_trouble));
    json_object_set_new(json, "tree", tree_json(check->shown));
    json_object_set_new(json, "notes", notes_json(check));
    if (check->has_dkim_consent)
        json_object_set_new(json, "dkim", advice_json_text(check->dkim));
    return json;
}

static json_t *texts_json(char *const *texts)
{
    json_t *json = json_array();

    for (; texts != NULL && *texts != NULL; texts++)
        json_array_append_new(json, advice_json_text(*texts));
    return json;
}

static json_t *point_json(const Point *point)
{
    const PointRow *row = point_row(point->kind);
    json_t *json = json_object();

    json_object_set_new(json, "kind", json_string(row->name));
    if ((row->members & POINT_HAS_TERM) != 0 && point->term != NULL)
        json_object_set_new(json, "term", advice_json_text(point->term));
    if ((row->members & POINT_HAS_TEXT) != 0 && point->text != NULL)
        json_object_set_new(json, "text", advice_json_text(point->text));
    if ((row->members & POINT_HAS_REASON) != 0 && point->reason != NULL)
        json_object_set_new(json, "reason", advice_json_text(point->reason));
    if ((row->members & POINT_HAS_TEXTS) != 0 && point->texts != NULL)
        json_object_set_new(json, "texts", texts_json(point->texts));
    if ((row->members & POINT_HAS_NUMBER) != 0 && point->number > 0)
        json_object_set_new(json, "number", json_integer(point->number));
    if ((row->members & POINT_HAS_LIMIT) != 0 && point->limit > 0)
        json_object_set_new(json, "limit", json_integer(point->limit));
    return json;
}

static json_t *points_json(const Advice *advice)
{
    json_t *json = json_array();

    for (guint i = 0; i < advice->points->len; i++)
        json_array_append_new(json, point_json(advice_point_at(advice, i)));
    return json;
}

static json_t *dkim_json(const Advice *advice)
{
    json_t *json = json_object();
    g_autofree char *line = advice_dkim_line(advice);

    json_object_set_new(json, "name", json_string(advice->dkim_name));
    json_object_set_new(json, "label", json_string(advice->dkim_label));
    json_object_set_new(json, "value", json_string(advice->dkim_target));
    json_object_set_new(json, "line", json_string(line));
    return json;
}

json_t *advice_json(const Language *language, const Advice *advice)
{
    g_autofree char *text = advice_text(language, advice);
    json_t *json = json_object();

    json_object_set_new(json, "kind", json_string(advice_kind_row(advice->kind)->name));
    json_object_set_new(json, "record", advice_json_text(advice->record));
    json_object_set_new(json, "text", advice_json_text(text));
    json_object_set_new(json, "language", json_string(language_code(language)));
    json_object_set_new(json, "zone", advice_json_text(advice->organizational));
    json_object_set_new(json, "name", advice_json_text(advice->label));
    json_object_set_new(json, "hoster", advice_json_text(advice->hoster));
    json_object_set_new(json, "name_servers", texts_json(advice->name_servers));
    json_object_set_new(json, "found", texts_json(advice->found));
    json_object_set_new(json, "added", texts_json(advice->added));
    json_object_set_new(json, "points", points_json(advice));
    json_object_set_new(json, "alternative", advice_json_text(advice->alternative));
    if (advice_shows_dkim(advice))
        json_object_set_new(json, "dkim", dkim_json(advice));
    return json;
}
