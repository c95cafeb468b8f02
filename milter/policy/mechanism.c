#include "config.h"

#include "policy/mechanism.h"

#include <glib.h>
#include <string.h>

#define LENGTH_MAX 300 /* octets: a name, a prefix length, and what stands before it */

static const struct {
    const char *name;
    bool needs_value;
} mechanisms[] = {
    {"include", true}, {"ip4", true}, {"ip6", true}, {"exists", true}, {"a", false}, {"mx", false},
};

static bool is_word(const char *text)
{
    const char *at = text;

    while (g_ascii_isgraph(*at))
        at++;
    return at > text && *at == '\0' && at - text <= LENGTH_MAX;
}

bool mechanism_is_authorising(const char *text)
{
    size_t length = strcspn(text, ":/");
    bool has_value = text[length] == ':' && text[length + 1] != '\0';

    if (!is_word(text))
        return false;
    for (size_t i = 0; i < G_N_ELEMENTS(mechanisms); i++)
        if (strlen(mechanisms[i].name) == length &&
            g_ascii_strncasecmp(text, mechanisms[i].name, length) == 0)
            return has_value || (!mechanisms[i].needs_value && text[length] != ':');
    return false;
}
