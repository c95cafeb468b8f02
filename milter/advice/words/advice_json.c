#include "config.h"

#include "advice/words/advice_json.h"

#include "advice/words/check_json.h"

static const char *point_name(PointKind kind)
{
    switch (kind) {
    case POINT_STRINGS:
        return "strings";
    case POINT_LONG:
        return "long";
    case POINT_ALL_PASS:
        return "all-pass";
    case POINT_ALL_NEUTRAL:
        return "all-neutral";
    case POINT_ALL_MISSING:
        return "all-missing";
    case POINT_PTR:
        return "ptr";
    case POINT_UNREACHED:
        return "unreached";
    case POINT_WITHOUT_EFFECT:
        return "without-effect";
    case POINT_FAULTY:
        return "faulty";
    case POINT_ERROR:
        return "error";
    case POINT_VERSION:
        return "version";
    case POINT_BROKEN:
        return "broken";
    case POINT_SEVERAL:
        return "several";
    case POINT_LOOKUPS:
        return "lookups";
    case POINT_VOIDS:
        return "voids";
    case POINT_COST:
        return "cost";
    case POINT_FLATTENED:
        return "flattened";
    case POINT_VOID:
        return "void";
    case POINT_DOUBLE:
        return "double";
    case POINT_DROPPED:
        return "dropped";
    case POINT_MISPLACED:
        return "misplaced";
    case POINT_SPF_TYPE:
        return "spf-type";
    case POINT_NOT_INHERITED:
        return "not-inherited";
    case POINT_ALIAS:
        return "alias";
    case POINT_DMARC:
        return "dmarc";
    case POINT_UNPROVEN:
        return "unproven";
    case POINT_PROVIDER_RELAY:
        return "provider-relay";
    }
    return "";
}

static json_t *texts_json(char *const *texts)
{
    json_t *json = json_array();

    for (; texts != NULL && *texts != NULL; texts++)
        json_array_append_new(json, check_json_text(*texts));
    return json;
}

static json_t *point_json(const Point *point)
{
    json_t *json = json_object();

    json_object_set_new(json, "kind", json_string(point_name(point->kind)));
    if (point->term != NULL)
        json_object_set_new(json, "term", check_json_text(point->term));
    if (point->text != NULL)
        json_object_set_new(json, "text", check_json_text(point->text));
    if (point->reason != NULL)
        json_object_set_new(json, "reason", check_json_text(point->reason));
    if (point->texts != NULL)
        json_object_set_new(json, "texts", texts_json(point->texts));
    if (point->number > 0)
        json_object_set_new(json, "number", json_integer(point->number));
    if (point->limit > 0)
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

    json_object_set_new(json, "kind", json_string(advice_kind_text(advice->kind)));
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
