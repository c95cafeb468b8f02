#include "config.h"

#include "advice/dns_hosters.h"

#include <string.h>

#include "advice/list_file.h"
#include "base/domain_name.h"
#include "base/installation.h"

#define NAME "dns-hosters"

/* A suffix with a "*" in its first label. */
typedef struct {
    char *before;
    char *after; /* with the rest of the name */
    char *hoster;
} Pattern;

struct DnsHosters {
    GHashTable *names;   /* suffix → hoster, both char * */
    GPtrArray *patterns; /* of Pattern */
};

static void pattern_free(gpointer data)
{
    Pattern *pattern = data;

    g_free(pattern->before);
    g_free(pattern->after);
    g_free(pattern->hoster);
    g_free(pattern);
}

DnsHosters *dns_hosters_new(void)
{
    DnsHosters *hosters = g_new(DnsHosters, 1);

    hosters->names = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, g_free);
    hosters->patterns = g_ptr_array_new_with_free_func(pattern_free);
    return hosters;
}

void dns_hosters_free(DnsHosters *hosters)
{
    g_hash_table_unref(hosters->names);
    g_ptr_array_unref(hosters->patterns);
    g_free(hosters);
}

/* Where the one "*" of suffix stands in its first label, which has to be ASCII; -1: not so. */
static gssize star_place(const char *suffix)
{
    gsize label = strcspn(suffix, ".");
    const char *star = strchr(suffix, '*');
    g_autofree char *first = g_strndup(suffix, label);

    if (star > suffix + label || strchr(star + 1, '*') != NULL || !g_str_is_ascii(first))
        return -1;
    return star - suffix;
}

static bool add_pattern(DnsHosters *hosters, const char *suffix, const char *hoster, GError **error)
{
    g_autofree char *filled = g_strdelimit(g_strdup(suffix), "*", '0');
    g_autofree char *domain_name = domain_name_parse(filled, error);
    gssize star = star_place(suffix);
    Pattern *pattern;

    if (domain_name == NULL)
        return false;
    if (star < 0) {
        g_set_error(error, LIST_FILE_ERROR, LIST_FILE_ERROR_SYNTAX,
                    "\"%s\": one * may stand in the first label", suffix);
        return false;
    }
    pattern = g_new(Pattern, 1);
    pattern->before = g_strndup(domain_name, (gsize)star);
    pattern->after = g_strdup(domain_name + star + 1);
    pattern->hoster = g_strdup(hoster);
    g_ptr_array_add(hosters->patterns, pattern);
    return true;
}

static bool add_name(DnsHosters *hosters, const char *suffix, const char *hoster, GError **error)
{
    char *domain_name = domain_name_parse(suffix, error);

    if (domain_name == NULL)
        return false;
    g_hash_table_replace(hosters->names, domain_name, g_strdup(hoster));
    return true;
}

static bool take_entry(gpointer data, const char *entry, GError **error)
{
    gsize length = strcspn(entry, " \t");
    g_autofree char *suffix = g_strndup(entry, length);
    const char *hoster = entry + length + strspn(entry + length, " \t");

    if (*hoster == '\0') {
        g_set_error(error, LIST_FILE_ERROR, LIST_FILE_ERROR_SYNTAX,
                    "\"%s\" has no hoster; write it like rzone.de Strato", suffix);
        return false;
    }
    if (strchr(suffix, '*') != NULL)
        return add_pattern(data, suffix, hoster, error);
    return add_name(data, suffix, hoster, error);
}

bool dns_hosters_add(DnsHosters *hosters, const char *text, const char *file, GError **error)
{
    return list_file_parse(text, file, take_entry, hosters, error);
}

DnsHosters *dns_hosters_read(const char *configuration, GError **error)
{
    g_autoptr(DnsHosters) hosters = dns_hosters_new();
    g_autofree char *installed = installation_data_file(NAME);
    g_autofree char *added = installation_administrators_file(configuration, NAME);

    if (!list_file_read(installed, false, take_entry, hosters, error) ||
        !list_file_read(added, true, take_entry, hosters, error))
        return NULL;
    return g_steal_pointer(&hosters);
}

static bool is_match(const Pattern *pattern, const char *name)
{
    gsize before = strlen(pattern->before);
    gsize filled;

    if (strncmp(name, pattern->before, before) != 0)
        return false;
    filled = strcspn(name + before, ".");
    for (gsize i = 0; i <= filled; i++)
        if (strcmp(name + before + i, pattern->after) == 0)
            return true;
    return false;
}

/* The hoster whose suffix is the whole of name. The last pattern goes first, so that an
 * administrator's line counts. */
static const char *find_whole(const DnsHosters *hosters, const char *name)
{
    const char *hoster = g_hash_table_lookup(hosters->names, name);

    for (guint i = hosters->patterns->len; hoster == NULL && i > 0; i--) {
        const Pattern *pattern = g_ptr_array_index(hosters->patterns, i - 1);

        if (is_match(pattern, name))
            hoster = pattern->hoster;
    }
    return hoster;
}

const char *dns_hosters_find(const DnsHosters *hosters, const char *name_server)
{
    g_autofree char *name = domain_name_parse(name_server, NULL);
    const char *hoster = NULL;

    for (const char *at = name; at != NULL && hoster == NULL;) {
        const char *dot = strchr(at, '.');

        hoster = find_whole(hosters, at);
        at = dot != NULL ? dot + 1 : NULL;
    }
    return hoster;
}

const char *dns_hosters_of_all(const DnsHosters *hosters, const char *const *name_servers,
                               gsize count)
{
    const char *first = count > 0 ? dns_hosters_find(hosters, name_servers[0]) : NULL;

    for (gsize i = 1; i < count && first != NULL; i++)
        if (g_strcmp0(dns_hosters_find(hosters, name_servers[i]), first) != 0)
            return NULL;
    return first;
}

guint dns_hosters_count(const DnsHosters *hosters)
{
    return g_hash_table_size(hosters->names) + hosters->patterns->len;
}
