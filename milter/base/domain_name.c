#include "config.h"

#include "base/domain_name.h"

#include <idn2.h>
#include <libpsl.h>
#include <string.h>

#define LABEL_MAX 63
#define TEXT_MAX 2048 /* octets of a name before its U-labels are converted */

G_DEFINE_QUARK(spfrom_domain_name_error, domain_name_error)

/* Returns whether text's labels are of 1 to 63 letters, digits, "-" and "_". */
static bool is_canonical(const char *text)
{
    size_t length = strlen(text);
    size_t label = 0;

    if (length == 0 || length > DOMAIN_NAME_MAX)
        return false;
    for (const char *at = text; *at != '\0'; at++) {
        if (*at == '.') {
            if (label == 0)
                return false;
            label = 0;
            continue;
        }
        if (!g_ascii_isalnum(*at) && *at != '-' && *at != '_')
            return false;
        if (++label > LABEL_MAX)
            return false;
    }
    return label > 0;
}

/* Returns text with its U-labels as A-labels, or NULL if IDNA 2008 does not allow them. */
static char *convert_to_a_labels(const char *text)
{
    uint8_t *converted = NULL;
    int status = idn2_to_ascii_8z(text, (char **)&converted, IDN2_NONTRANSITIONAL | IDN2_NFC_INPUT);
    char *name = status == IDN2_OK ? g_strdup((const char *)converted) : NULL;

    idn2_free(converted);
    return name;
}

static char *canonical_new(const char *text)
{
    g_autofree char *name = NULL;

    if (strlen(text) > TEXT_MAX)
        return NULL;
    name = g_str_is_ascii(text) ? g_strdup(text) : convert_to_a_labels(text);
    if (name == NULL)
        return NULL;
    if (g_str_has_suffix(name, "."))
        name[strlen(name) - 1] = '\0';
    if (!is_canonical(name))
        return NULL;
    for (char *at = name; *at != '\0'; at++)
        *at = g_ascii_tolower(*at);
    return g_steal_pointer(&name);
}

char *domain_name_parse(const char *text, GError **error)
{
    char *name = canonical_new(text);

    if (name == NULL) {
        g_autofree char *shown = g_utf8_make_valid(text, (gssize)strnlen(text, 100));

        g_set_error(error, DOMAIN_NAME_ERROR, DOMAIN_NAME_ERROR_SYNTAX,
                    "\"%s\" is not a domain; write it like mail.example.net", shown);
    }
    return name;
}

/* Nothing invisible, nothing that looks like more than a name. */
static bool is_shown_as_name(const char *text)
{
    for (; *text != '\0'; text = g_utf8_next_char(text)) {
        gunichar character = g_utf8_get_char(text);

        if (!g_unichar_isalnum(character) && !g_unichar_ismark(character) &&
            (character > 0x7f || strchr("-._", (int)character) == NULL))
            return false;
    }
    return true;
}

/* Returns the U-labels of name; NULL if they don't lead back to it. */
static char *convert_to_u_labels(const char *name)
{
    char *converted = NULL;
    int status = idn2_to_unicode_8z8z(name, &converted, 0);
    g_autofree char *shown = status == IDN2_OK ? g_strdup(converted) : NULL;
    g_autofree char *back = NULL;

    idn2_free(converted);
    if (shown == NULL || !g_utf8_validate(shown, -1, NULL) || !is_shown_as_name(shown))
        return NULL;
    back = canonical_new(shown);
    return g_strcmp0(back, name) == 0 ? g_steal_pointer(&shown) : NULL;
}

char *domain_name_shown(const char *name)
{
    char *shown;

    if (!is_canonical(name))
        return NULL;
    shown = convert_to_u_labels(name);
    return shown != NULL ? shown : g_strdup(name);
}

bool domain_name_is_within(const char *name, const char *parent)
{
    size_t name_length = strlen(name);
    size_t parent_length = strlen(parent);

    if (name_length < parent_length)
        return false;
    if (strcmp(name + name_length - parent_length, parent) != 0)
        return false;
    return name_length == parent_length || name[name_length - parent_length - 1] == '.';
}

const char *domain_name_organizational(const char *name)
{
    const char *organizational = psl_registrable_domain(psl_builtin(), name);

    return organizational != NULL ? organizational : name;
}

static const char *last_two_labels(const char *name)
{
    const char *at = name + strlen(name);

    for (int dots = 0; at > name; at--)
        if (at[-1] == '.' && ++dots == 2)
            break;
    return at;
}

bool domain_name_is_top_level(const char *label)
{
    return strchr(label, '.') == NULL &&
           psl_is_public_suffix2(psl_builtin(), label, PSL_TYPE_ANY | PSL_TYPE_NO_STAR_RULE) != 0;
}

/*
 * The list takes microseconds to ask, mostly in vain: the names are the same, or differ in their
 * last two labels. An organizational domain has at least these, and so has every name in it.
 */
bool domain_name_is_aligned(const char *a, const char *b)
{
    if (strcmp(a, b) == 0)
        return true;
    if (strcmp(last_two_labels(a), last_two_labels(b)) != 0)
        return false;
    return strcmp(domain_name_organizational(a), domain_name_organizational(b)) == 0;
}
