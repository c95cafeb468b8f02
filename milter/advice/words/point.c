#include "config.h"

#include "advice/words/point.h"

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
