#include "config.h"

#include "unit/advice/words/written_advice.h"

#include <string.h>

Advice *written_advice(AdviceKind kind, const char *domain, const char *record, const char *found)
{
    Advice *advice = advice_new(domain);

    g_free(advice->organizational);
    g_free(advice->label);
    g_strfreev(advice->added);
    g_strfreev(advice->found);
    advice->kind = kind;
    advice->organizational = g_strdup(domain);
    advice->label = g_strdup("@");
    advice->is_subdomain = false;
    advice->record = g_strdup(record);
    advice->added = g_strsplit(kind == ADVICE_EXTEND ? "include:amazonses.com" : "", " ", -1);
    advice->found = g_strsplit(found != NULL ? found : "", "\n", -1);
    advice->fallback = g_strdup("noreply@lemniscus.de");
    advice->sender = g_strdup("Lemniscus");
    advice->hoster = g_strdup("Strato");
    advice->is_rewriting = true;
    advice->keeps_others = kind == ADVICE_EXTEND;
    return advice;
}

void written_advice_forget(Advice *advice)
{
    g_clear_pointer(&advice->fallback, g_free);
    g_clear_pointer(&advice->sender, g_free);
    g_clear_pointer(&advice->hoster, g_free);
    advice->is_rewriting = false;
}

Advice *written_advice_usual(AdviceKind kind)
{
    static const struct {
        const char *record, *found;
    } usual[] = {
        [ADVICE_MERGE] = {"v=spf1 mx include:amazonses.com ~all", "v=spf1 mx -all\nv=spf1 ~all"},
        [ADVICE_REPAIR] = {"v=spf1 include:amazonses.com ~all", "v=spf1 inlude:amazonses.com ~all"},
        [ADVICE_REDUCE] = {"v=spf1 ip4:192.0.2.1 include:amazonses.com ~all",
                           "v=spf1 include:a.example ~all"},
        [ADVICE_EXTEND] = {"v=spf1 mx include:amazonses.com -all", "v=spf1 mx -all"},
        [ADVICE_PUBLISH] = {"v=spf1 include:amazonses.com ~all", NULL},
    };

    return written_advice(kind, "praxis-mueller.de", usual[kind].record, usual[kind].found);
}

void written_advice_add(Advice *advice, PointKind kind, const char *term, const char *text)
{
    Point *point = g_new0(Point, 1);

    point->kind = kind;
    point->term = g_strdup(term);
    point->text = g_strdup(text);
    point->reason = g_strdup("a domain is missing");
    point->texts = g_strsplit("v=spf1 one| two ~all", "|", -1);
    point->number = 12;
    point->limit = 2;
    g_ptr_array_add(advice->points, point);
}

Language *written_language(const char *code)
{
    g_autoptr(GError) error = NULL;
    Language *language = language_new(code, &error);

    if (language == NULL)
        fail_msg("%s", error->message);
    return language;
}

static void check_line(const char *line, const char *record)
{
    if (g_str_has_prefix(line, "EVIL") || strpbrk(line, "{}") != NULL)
        fail_msg("a line that should not be there: %s", line);
    if (g_utf8_strlen(line, -1) > 76 && g_strcmp0(line, record) != 0)
        fail_msg("too long: %s", line);
    for (const char *at = line; *at != '\0'; at = g_utf8_next_char(at)) {
        GUnicodeType type = g_unichar_type(g_utf8_get_char(at));

        if (type == G_UNICODE_CONTROL || type == G_UNICODE_FORMAT ||
            type == G_UNICODE_LINE_SEPARATOR)
            fail_msg("a control: %s", line);
    }
}

void check_page(const char *text, const char *record)
{
    g_auto(GStrv) lines = g_strsplit(text, "\n", -1);

    assert_true(g_utf8_validate(text, -1, NULL));
    assert_true(g_str_has_suffix(text, "\n"));
    for (char **line = lines; *line != NULL; line++)
        check_line(*line, record);
}

guint count_lines(const char *text, const char *line)
{
    g_auto(GStrv) lines = g_strsplit(text, "\n", -1);
    guint count = 0;

    for (char **one = lines; *one != NULL; one++)
        count += strcmp(*one, line) == 0;
    return count;
}
