#include "config.h"

#include "advice/words/advice_json.h"

#include "advice/words/check_json.h"

static json_t *texts_json(char *const *texts)
{
    json_t *json = json_array();

    for (; texts != NULL && *texts != NULL; texts++)
        json_array_append_new(json, check_json_text(*texts));
    return json;
}

static json_t *point_json(const Point *point)
{
    const PointRow *row = point_row(point->kind);
    json_t *json = json_object();

    json_object_set_new(json, "kind", json_string(row->name));
    if ((row->members & POINT_HAS_TERM) != 0 && point->term != NULL)
        json_object_set_new(json, "term", check_json_text(point->term));
    if ((row->members & POINT_HAS_TEXT) != 0 && point->text != NULL)
        json_object_set_new(json, "text", check_json_text(point->text));
    if ((row->members & POINT_HAS_REASON) != 0 && point->reason != NULL)
        json_object_set_new(json, "reason", check_json_text(point->reason));
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

json_t *advice_json(const Language *language, const Advice *advice)
{
    g_autofree char *text = advice_text(language, advice);
    json_t *json = json_object();

    json_object_set_new(json, "kind", json_string(advice_kind_row(advice->kind)->name));
    json_object_set_new(json, "record", check_json_text(advice->record));
    json_object_set_new(json, "text", check_json_text(text));
    json_object_set_new(json, "language", json_string(language_code(language)));
    json_object_set_new(json, "zone", check_json_text(advice->organizational));
    json_object_set_new(json, "name", check_json_text(advice->label));
    json_object_set_new(json, "hoster", check_json_text(advice->hoster));
    json_object_set_new(json, "name_servers", texts_json(advice->name_servers));
    json_object_set_new(json, "found", texts_json(advice->found));
    json_object_set_new(json, "added", texts_json(advice->added));
    json_object_set_new(json, "points", points_json(advice));
    return json;
}
