#include "config.h"

#include "show/reason.h"

#include <string.h>

#define PARTS_MAX 4
#define DEPTH_MAX 4 /* of reasons in reasons */

/* As the sources make them. What stands for {reason} and {place} is one of these again. */
static const char *const templates[] = {
    N_("the record of {name} is wrong: {reason}"),
    N_("the relay set is incomplete: {reason}"),
    N_("no answer for {name} ({type}): {reason}"),
    N_("\"{term}\" of {name}: {reason}"),
    N_("\"{term}\" at character {number}: {reason}"),
    N_("not provable for all of {network}: {place} depends on the address"),
    N_("more than {number} terms need a look-up; the first that is too much is {place}"),
    N_("more than {number} look-ups find nothing; the last one is that of {place}"),
    N_("the records of {name} ask for more than {number} names"),
    N_("the record of {name} has more than {number} networks"),
    N_("the record of {name} authorises every address (+all)"),
    N_("{place} authorises a network wider than /{number}"),
    N_("no verdict within {number} s"),
    N_("the time for this check is over"),
    N_("no time left to ask"),
    N_("too many questions"),
    N_("a malformed record"),
    N_("DNS trouble"),
    N_("{name} has no SPF record"),
    N_("{name} has {number} SPF records"),
    N_("{name} has more than {number} mail servers"),
    N_("{name} leads back to itself"),
    N_("\"{term}\" of {name}"),
    N_("no answer in time"),
    N_("{name}: {reason}"),
};

typedef struct {
    char *name, *value;
} Part;

static void part_clear(gpointer data)
{
    Part *part = data;

    g_free(part->name);
    g_free(part->value);
}

/* Cuts text into what stands for the names in template. Returns NULL if it was made of another. */
static GArray *parts_of(const char *template, const char *text)
{
    g_autoptr(GArray) parts = g_array_new(FALSE, FALSE, sizeof(Part));

    g_array_set_clear_func(parts, part_clear);
    while (*template != '\0') {
        const char *end = template + strcspn(template, "}");
        gsize length = strcspn(*template == '{' ? end + 1 : template, "{");
        g_autofree char *literal = NULL;
        const char *found;
        Part part;

        if (*template != '{') {
            if (strncmp(template, text, length) != 0)
                return NULL;
            template += length;
            text += length;
            continue;
        }
        literal = g_strndup(end + 1, length);
        found = *literal != '\0' ? strstr(text, literal) : text + strlen(text);
        if (found == NULL || found == text)
            return NULL;
        part = (Part){g_strndup(template + 1, (gsize)(end - template - 1)),
                      g_strndup(text, (gsize)(found - text))};
        g_array_append_val(parts, part);
        template = end + 1;
        text = found;
    }
    return *text == '\0' && parts->len <= PARTS_MAX ? g_steal_pointer(&parts) : NULL;
}

static char *translate(const Language *language, const char *english, guint depth);

static char *fill(const Language *language, const char *template, const GArray *parts, guint depth)
{
    const char *names[PARTS_MAX] = {NULL}, *values[PARTS_MAX] = {NULL};
    char *translated[PARTS_MAX] = {NULL};
    char *text;

    for (guint i = 0; i < parts->len; i++) {
        const Part *part = &g_array_index(parts, Part, i);

        names[i] = part->name;
        values[i] = part->value;
        if (strcmp(part->name, "reason") == 0 || strcmp(part->name, "place") == 0)
            values[i] = translated[i] = translate(language, part->value, depth + 1);
    }
    text = language_fill(language, template, names[0], values[0], names[1], values[1], names[2],
                         values[2], names[3], values[3], NULL);
    for (guint i = 0; i < parts->len; i++)
        g_free(translated[i]);
    return text;
}

static char *translate(const Language *language, const char *english, guint depth)
{
    const char *whole = language_text(language, english);

    if (whole != english)
        return g_strdup(whole);
    for (gsize i = 0; i < G_N_ELEMENTS(templates) && depth < DEPTH_MAX; i++) {
        g_autoptr(GArray) parts = parts_of(templates[i], english);

        if (parts != NULL)
            return fill(language, templates[i], parts, depth);
    }
    return g_strdup(english);
}

char *reason_in(const Language *language, const char *english)
{
    return translate(language, english, 0);
}
