#include "config.h"

#include "advice/advice.h"

#include <string.h>

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

static Advice *create(const DomainCheck *check)
{
    const char *domain = check->subject->domain;
    const char *organizational = domain_name_organizational(domain);
    Advice *advice = g_new0(Advice, 1);

    advice->domain = g_strdup(domain);
    advice->organizational = g_strdup(organizational);
    advice->is_subdomain = organizational != domain;
    advice->label = advice->is_subdomain ? g_strndup(domain, (gsize)(organizational - domain - 1))
                                         : g_strdup("@");
    advice->points = g_ptr_array_new_with_free_func(point_free);
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
    g_free(advice);
}

Advice *advice_new(Settings *settings G_GNUC_UNUSED, Dns *dns G_GNUC_UNUSED,
                   const DomainCheck *check, const MailProviders *providers G_GNUC_UNUSED)
{
    Advice *advice = create(check);

    advice->kind = check->result == SPF_PASS ? ADVICE_OK : ADVICE_UNKNOWN;
    advice->added = g_new0(char *, 1);
    advice->found = g_new0(char *, 1);
    advice->name_servers = g_new0(char *, 1);
    return advice;
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
