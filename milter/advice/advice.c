#include "config.h"

#include "advice/advice.h"

#include "base/domain_name.h"

const char *advice_kind_text(AdviceKind kind)
{
    static const char *const texts[] = {"provider", "unknown", "nodomain", "merge",  "repair",
                                        "reduce",   "ok",      "extend",   "publish"};

    return texts[kind];
}

static void point_free(gpointer data)
{
    Point *point = data;

    g_free(point->term);
    g_free(point->text);
    g_free(point->reason);
    g_strfreev(point->texts);
    g_free(point);
}

GPtrArray *point_array_new(void)
{
    return g_ptr_array_new_with_free_func(point_free);
}

Point *point_add(GPtrArray *points, PointKind kind, const char *term)
{
    Point *point = g_new0(Point, 1);

    point->kind = kind;
    point->term = g_strdup(term);
    g_ptr_array_add(points, point);
    return point;
}

Advice *advice_new(const char *domain)
{
    const char *organizational = domain_name_organizational(domain);
    Advice *advice = g_new0(Advice, 1);

    advice->domain = g_strdup(domain);
    advice->organizational = g_strdup(organizational);
    advice->is_subdomain = organizational != domain;
    advice->label = advice->is_subdomain ? g_strndup(domain, (gsize)(organizational - domain - 1))
                                         : g_strdup("@");
    advice->points = point_array_new();
    advice->added = g_new0(char *, 1);
    advice->found = g_new0(char *, 1);
    advice->name_servers = g_new0(char *, 1);
    return advice;
}

void advice_free(Advice *advice)
{
    g_free(advice->domain);
    g_free(advice->organizational);
    g_free(advice->label);
    g_free(advice->record);
    g_strfreev(advice->added);
    g_strfreev(advice->found);
    g_ptr_array_unref(advice->points);
    g_strfreev(advice->name_servers);
    g_free(advice->fallback);
    g_free(advice->sender);
    g_free(advice->hoster);
    g_free(advice);
}

const Point *advice_point_at(const Advice *advice, guint position)
{
    return g_ptr_array_index(advice->points, position);
}

const Point *advice_point(const Advice *advice, PointKind kind)
{
    for (guint i = 0; i < advice->points->len; i++)
        if (advice_point_at(advice, i)->kind == kind)
            return advice_point_at(advice, i);
    return NULL;
}
