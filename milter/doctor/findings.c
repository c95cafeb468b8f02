#include "config.h"

#include "doctor/findings.h"

#include <stdarg.h>
#include <string.h>

#include "advice/words/check_json.h"

static const struct {
    const char *text;
    PageStyle style;
} levels[] = {
    [FINDING_FINE] = {"fine", PAGE_GOOD},
    [FINDING_UNKNOWN] = {"unknown", PAGE_FAINT},
    [FINDING_WARNING] = {"warning", PAGE_DOUBTFUL},
    [FINDING_ERROR] = {"error", PAGE_BAD},
};

#define LEVEL_WIDTH 8 /* columns */

const char *finding_level_text(FindingLevel level)
{
    return levels[level].text;
}

static void finding_free(Finding *finding)
{
    g_free(finding->area);
    g_free(finding->check);
    g_free(finding->text);
    g_free(finding->command);
    g_free(finding->advice);
    g_free(finding);
}

void findings_init(Findings *findings)
{
    findings->all = g_ptr_array_new_with_free_func((GDestroyNotify)finding_free);
    findings->area = "";
}

void findings_clear(Findings *findings)
{
    g_ptr_array_unref(findings->all);
}

Finding *findings_add(Findings *findings, FindingLevel level, const char *check, const char *format,
                      ...)
{
    Finding *finding = g_new0(Finding, 1);
    va_list arguments;

    va_start(arguments, format);
    finding->text = g_strdup_vprintf(format, arguments);
    va_end(arguments);
    finding->level = level;
    finding->area = g_strdup(findings->area);
    finding->check = g_strdup(check);
    g_ptr_array_add(findings->all, finding);
    return finding;
}

void finding_command(Finding *finding, const char *format, ...)
{
    va_list arguments;

    g_free(finding->command);
    va_start(arguments, format);
    finding->command = g_strdup_vprintf(format, arguments);
    va_end(arguments);
}

void finding_advise(Finding *finding, const char *format, ...)
{
    va_list arguments;

    g_free(finding->advice);
    va_start(arguments, format);
    finding->advice = g_strdup_vprintf(format, arguments);
    va_end(arguments);
}

static const Finding *finding_at(const Findings *findings, guint position)
{
    return g_ptr_array_index(findings->all, position);
}

guint findings_count(const Findings *findings, FindingLevel level)
{
    guint count = 0;

    for (guint i = 0; i < findings->all->len; i++)
        count += finding_at(findings, i)->level == level;
    return count;
}

static guint area_width(const Findings *findings)
{
    glong width = 0;

    for (guint i = 0; i < findings->all->len; i++)
        width = MAX(width, g_utf8_strlen(finding_at(findings, i)->area, -1));
    return (guint)width + 2;
}

static void add_mend(Page *page, const char *label, const char *mend)
{
    if (mend == NULL)
        return;
    page_add_padded(page, PAGE_PLAIN, "", LEVEL_WIDTH + 1);
    page_raw(page, PAGE_PLAIN, label);
    page_add(page, PAGE_STRONG, mend);
    page_raw(page, PAGE_PLAIN, "\n");
}

static void add_count(GString *sum, guint count, const char *one, const char *many)
{
    if (count == 0)
        return;
    g_string_append_printf(sum, "%s%u %s", sum->len > 0 ? ", " : "", count,
                           count == 1 ? one : many);
}

static void add_sum(const Findings *findings, Page *page)
{
    g_autoptr(GString) sum = g_string_new(NULL);
    bool is_healthy = findings_count(findings, FINDING_ERROR) == 0;

    add_count(sum, findings_count(findings, FINDING_ERROR), "error", "errors");
    add_count(sum, findings_count(findings, FINDING_WARNING), "warning", "warnings");
    add_count(sum, findings_count(findings, FINDING_UNKNOWN), "unknown", "unknown");
    page_raw(page, is_healthy ? PAGE_GOOD : PAGE_BAD, is_healthy ? "healthy" : "not healthy");
    page_printf(page, PAGE_PLAIN, "%s%s", sum->len > 0 ? ": " : "", sum->str);
    page_raw(page, PAGE_PLAIN, "\n");
}

void findings_add_text(const Findings *findings, Page *page)
{
    guint width = area_width(findings);

    for (guint i = 0; i < findings->all->len; i++) {
        const Finding *finding = finding_at(findings, i);

        page_add_padded(page, levels[finding->level].style, levels[finding->level].text,
                        LEVEL_WIDTH + 1);
        page_add_padded(page, PAGE_PLAIN, finding->area, width);
        page_add(page, PAGE_PLAIN, finding->text);
        page_raw(page, PAGE_PLAIN, "\n");
        add_mend(page, "mend: ", finding->command);
        add_mend(page, "do: ", finding->advice);
    }
    page_raw(page, PAGE_PLAIN, "\n");
    add_sum(findings, page);
}

static json_t *finding_json(const Finding *finding)
{
    json_t *object = json_object();

    json_object_set_new(object, "level", json_string(levels[finding->level].text));
    json_object_set_new(object, "area", check_json_text(finding->area));
    json_object_set_new(object, "check", check_json_text(finding->check));
    json_object_set_new(object, "text", check_json_text(finding->text));
    json_object_set_new(object, "command", check_json_text(finding->command));
    json_object_set_new(object, "advice", check_json_text(finding->advice));
    return object;
}

json_t *findings_json(const Findings *findings)
{
    json_t *object = json_object();
    json_t *all = json_array();

    for (guint i = 0; i < findings->all->len; i++)
        json_array_append_new(all, finding_json(finding_at(findings, i)));
    json_object_set_new(object, "healthy",
                        json_boolean(findings_count(findings, FINDING_ERROR) == 0));
    json_object_set_new(object, "errors", json_integer(findings_count(findings, FINDING_ERROR)));
    json_object_set_new(object, "warnings",
                        json_integer(findings_count(findings, FINDING_WARNING)));
    json_object_set_new(object, "unknown", json_integer(findings_count(findings, FINDING_UNKNOWN)));
    json_object_set_new(object, "findings", all);
    return object;
}
