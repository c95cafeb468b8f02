#include "config.h"

#include "web/language_choice.h"

#include <glib.h>
#include <string.h>

#include "base/language.h"

#define COOKIE "spfrom_language"
#define COOKIE_SECONDS (365 * 24 * 60 * 60)

const char *language_choice_parse(const char *text)
{
    for (const char *const *code = language_codes; *code != NULL; code++) {
        size_t length = strlen(*code);

        if (g_ascii_strncasecmp(text, *code, length) == 0 &&
            (text[length] == '\0' || text[length] == '-'))
            return *code;
    }
    return NULL;
}

/* The weight of a range such as "de;q=0.8"; what is no number counts as 0. Cuts the range to its
 * tag. */
static double take_weight(char *range)
{
    char *parameter = strchr(range, ';');
    const char *value;

    if (parameter == NULL)
        return 1;
    *parameter++ = '\0';
    value = strstr(parameter, "q=");
    return value != NULL ? CLAMP(g_ascii_strtod(value + strlen("q="), NULL), 0, 1) : 1;
}

const char *language_choice_negotiate(const char *accepted)
{
    g_auto(GStrv) ranges = g_strsplit(accepted != NULL ? accepted : "", ",", 32);
    const char *best = LANGUAGE_ENGLISH;
    double best_weight = 0;

    for (char **range = ranges; *range != NULL; range++) {
        double weight = take_weight(*range);
        const char *language = language_choice_parse(g_strstrip(*range));

        if (language != NULL && weight > best_weight) {
            best = language;
            best_weight = weight;
        }
    }
    return best;
}

const char *language_choice_of_cookies(const char *cookies)
{
    g_auto(GStrv) pairs = g_strsplit(cookies != NULL ? cookies : "", ";", 32);

    for (char **pair = pairs; *pair != NULL; pair++) {
        const char *text = g_strstrip(*pair);

        if (g_str_has_prefix(text, COOKIE "="))
            return language_choice_parse(text + strlen(COOKIE "="));
    }
    return NULL;
}

char *language_choice_cookie(const char *code)
{
    return g_strdup_printf(COOKIE "=%s; Path=/; Max-Age=%d; HttpOnly; SameSite=Lax", code,
                           COOKIE_SECONDS);
}
