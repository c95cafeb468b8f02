#include "config.h"

#include "advice/lists.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/domain_name.h"
#include "base/installation.h"

G_DEFINE_QUARK(spfrom_lists_error, lists_error)

typedef struct {
    char *name;
    char *spf; /* the domain whose SPF record names its customers' mail servers; NULL: not known */
} Hoster;

/* A suffix with a "*" in its first label. */
typedef struct {
    char *before;
    char *after; /* with the rest of the name */
    Hoster *hoster;
} Pattern;

struct Lists {
    /* A set of char *; those for subdomains begin with a dot. */
    GHashTable *providers;
    /* From suffix, a char *, to Hoster. */
    GHashTable *suffixes;
    GPtrArray *patterns; /* of Pattern */
};

static void hoster_free(gpointer data)
{
    Hoster *hoster = data;

    g_free(hoster->name);
    g_free(hoster->spf);
    g_free(hoster);
}

G_DEFINE_AUTOPTR_CLEANUP_FUNC(Hoster, hoster_free)

static void pattern_free(gpointer data)
{
    Pattern *pattern = data;

    g_free(pattern->before);
    g_free(pattern->after);
    hoster_free(pattern->hoster);
    g_free(pattern);
}

Lists *lists_new(void)
{
    Lists *lists = g_new(Lists, 1);

    lists->providers = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
    lists->suffixes = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, hoster_free);
    lists->patterns = g_ptr_array_new_with_free_func(pattern_free);
    return lists;
}

void lists_free(Lists *lists)
{
    g_hash_table_unref(lists->providers);
    g_hash_table_unref(lists->suffixes);
    g_ptr_array_unref(lists->patterns);
    g_free(lists);
}

static bool add_provider(Lists *lists, const char *entry, GError **error)
{
    bool is_out = *entry == '!';
    const char *name = is_out ? entry + 1 : entry;
    bool is_subdomains = *name == '.';
    g_autofree char *domain_name = domain_name_parse(is_subdomains ? name + 1 : name, error);
    g_autofree char *key = NULL;

    if (domain_name == NULL)
        return false;
    key = g_strconcat(is_subdomains ? "." : "", domain_name, NULL);
    if (is_out)
        g_hash_table_remove(lists->providers, key);
    else
        g_hash_table_add(lists->providers, g_steal_pointer(&key));
    return true;
}

/* The place of the one "*" of suffix, which stands in a first label of ASCII; otherwise -1. */
static gssize star_place(const char *suffix)
{
    gsize label = strcspn(suffix, ".");
    const char *star = strchr(suffix, '*');
    g_autofree char *first = g_strndup(suffix, label);

    if (star > suffix + label || strchr(star + 1, '*') != NULL || !g_str_is_ascii(first))
        return -1;
    return star - suffix;
}

/* Takes hoster. */
static bool add_pattern(Lists *lists, const char *suffix, Hoster *hoster, GError **error)
{
    g_autoptr(Hoster) owned = hoster;
    g_autofree char *filled = g_strdelimit(g_strdup(suffix), "*", '0');
    g_autofree char *domain_name = domain_name_parse(filled, error);
    gssize star = star_place(suffix);
    Pattern *pattern;

    if (domain_name == NULL)
        return false;
    if (star < 0) {
        g_set_error(error, LISTS_ERROR, LISTS_ERROR_SYNTAX,
                    "\"%s\": one * may stand in the first label", suffix);
        return false;
    }
    pattern = g_new(Pattern, 1);
    pattern->before = g_strndup(domain_name, (gsize)star);
    pattern->after = g_strdup(domain_name + star + 1);
    pattern->hoster = g_steal_pointer(&owned);
    g_ptr_array_add(lists->patterns, pattern);
    return true;
}

/* Takes hoster. */
static bool add_suffix(Lists *lists, const char *suffix, Hoster *hoster, GError **error)
{
    g_autoptr(Hoster) owned = hoster;
    char *domain_name = domain_name_parse(suffix, error);

    if (domain_name == NULL)
        return false;
    g_hash_table_replace(lists->suffixes, domain_name, g_steal_pointer(&owned));
    return true;
}

/* "Strato include:_spf.strato.com": the name, and behind it, if it is known, the domain of the SPF
 * record. */
static Hoster *hoster_parse(const char *text, GError **error)
{
    static const char mark[] = "include:";
    const char *last = text + strlen(text);
    g_autofree char *spf = NULL;
    Hoster *hoster;

    while (last > text && !g_ascii_isspace(last[-1]))
        last--;
    if (!g_str_has_prefix(last, mark) || last == text)
        last = text + strlen(text);
    else if ((spf = domain_name_parse(last + strlen(mark), error)) == NULL)
        return NULL;
    hoster = g_new(Hoster, 1);
    hoster->name = g_strchomp(g_strndup(text, (gsize)(last - text)));
    hoster->spf = g_steal_pointer(&spf);
    return hoster;
}

static bool add_hoster(Lists *lists, const char *entry, GError **error)
{
    gsize length = strcspn(entry, " \t");
    g_autofree char *suffix = g_strndup(entry, length);
    const char *text = entry + length + strspn(entry + length, " \t");
    Hoster *hoster;

    if (*text == '\0') {
        g_set_error(error, LISTS_ERROR, LISTS_ERROR_SYNTAX,
                    "\"%s\" has no hoster; write it like rzone.de Strato", suffix);
        return false;
    }
    hoster = hoster_parse(text, error);
    if (hoster == NULL)
        return false;
    if (strchr(suffix, '*') != NULL)
        return add_pattern(lists, suffix, hoster, error);
    return add_suffix(lists, suffix, hoster, error);
}

static const struct {
    /* of the file */
    const char *name;
    /* Takes one entry, without blanks around it. The error has no FILE:LINE. */
    bool (*add)(Lists *lists, const char *entry, GError **error);
} kinds[] = {
    [LISTS_PROVIDERS] = {"mail-providers", add_provider},
    [LISTS_HOSTERS] = {"dns-hosters", add_hoster},
};

static bool add_line(Lists *lists, ListsKind kind, char *line, GError **error)
{
    char *comment = strchr(line, '#');

    if (!g_utf8_validate(line, -1, NULL)) {
        g_set_error_literal(error, LISTS_ERROR, LISTS_ERROR_SYNTAX,
                            "the line is not UTF-8; convert the file");
        return false;
    }
    if (comment != NULL)
        *comment = '\0';
    g_strstrip(line);
    return *line == '\0' || kinds[kind].add(lists, line, error);
}

bool lists_add(Lists *lists, ListsKind kind, const char *text, const char *file, GError **error)
{
    guint number = 1;

    for (const char *end; *text != '\0'; text = *end != '\0' ? end + 1 : end, number++) {
        g_autofree char *line = NULL;

        end = strchrnul(text, '\n');
        line = g_strndup(text, (gsize)(end - text));
        if (!add_line(lists, kind, line, error)) {
            g_prefix_error(error, "%s:%u: ", file, number);
            return false;
        }
    }
    return true;
}

static void set_file_error(const char *file, const char *what, GError **error)
{
    g_set_error(error, LISTS_ERROR, LISTS_ERROR_FILE, "%s: %s", file, what);
}

/* What the file holds, NUL-terminated; NULL with error set. Closes stream. */
static char *contents(FILE *stream, const char *file, GError **error)
{
    g_autofree char *text = g_malloc(LISTS_FILE_MAX + 1);
    gsize length = fread(text, 1, LISTS_FILE_MAX + 1, stream);
    int number = ferror(stream) ? errno : 0;

    fclose(stream);
    if (number != 0) {
        set_file_error(file, g_strerror(number), error);
        return NULL;
    }
    if (length > LISTS_FILE_MAX) {
        set_file_error(file, "is longer than 1 MiB", error);
        return NULL;
    }
    if (memchr(text, '\0', length) != NULL) {
        set_file_error(file, "is no text: there is a NUL in it", error);
        return NULL;
    }
    text[length] = '\0';
    return g_steal_pointer(&text);
}

bool lists_add_file(Lists *lists, ListsKind kind, const char *file, bool is_optional,
                    GError **error)
{
    FILE *stream = fopen(file, "re");
    g_autofree char *text = NULL;

    if (stream == NULL && is_optional && errno == ENOENT)
        return true;
    if (stream == NULL) {
        g_autofree char *what = g_strconcat("can't be read: ", g_strerror(errno), NULL);

        set_file_error(file, what, error);
        return false;
    }
    text = contents(stream, file, error);
    return text != NULL && lists_add(lists, kind, text, file, error);
}

/* Adds the list as it is installed, and the administrator's. */
static bool add_files(Lists *lists, ListsKind kind, const char *configuration, GError **error)
{
    g_autofree char *installed = installation_data_file(kinds[kind].name);
    g_autofree char *added = installation_administrators_file(configuration, kinds[kind].name);

    return lists_add_file(lists, kind, installed, false, error) &&
           lists_add_file(lists, kind, added, true, error);
}

static void clear(Lists *lists, ListsKind kind)
{
    switch (kind) {
    case LISTS_PROVIDERS:
        g_hash_table_remove_all(lists->providers);
        return;
    case LISTS_HOSTERS:
        g_hash_table_remove_all(lists->suffixes);
        g_ptr_array_set_size(lists->patterns, 0);
        return;
    }
}

Lists *lists_read(const char *configuration, GPtrArray *problems)
{
    Lists *lists = lists_new();

    for (ListsKind kind = 0; kind < G_N_ELEMENTS(kinds); kind++) {
        g_autoptr(GError) error = NULL;

        if (add_files(lists, kind, configuration, &error))
            continue;
        g_ptr_array_add(problems, g_strdup(error->message));
        clear(lists, kind);
    }
    return lists;
}

guint lists_count(const Lists *lists, ListsKind kind)
{
    switch (kind) {
    case LISTS_PROVIDERS:
        return g_hash_table_size(lists->providers);
    case LISTS_HOSTERS:
        return g_hash_table_size(lists->suffixes) + lists->patterns->len;
    }
    return 0;
}

bool lists_has_provider(const Lists *lists, const char *domain_name)
{
    if (g_hash_table_contains(lists->providers, domain_name))
        return true;
    for (const char *dot = strchr(domain_name, '.'); dot != NULL; dot = strchr(dot + 1, '.'))
        if (g_hash_table_contains(lists->providers, dot))
            return true;
    return false;
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

/* The hoster whose suffix is the whole name. The last pattern comes first, so that an
 * administrator's line counts. */
static const Hoster *find_whole(const Lists *lists, const char *name)
{
    const Hoster *hoster = g_hash_table_lookup(lists->suffixes, name);

    for (guint i = lists->patterns->len; hoster == NULL && i > 0; i--) {
        const Pattern *pattern = g_ptr_array_index(lists->patterns, i - 1);

        if (is_match(pattern, name))
            hoster = pattern->hoster;
    }
    return hoster;
}

static const Hoster *find(const Lists *lists, const char *server)
{
    g_autofree char *name = domain_name_parse(server, NULL);
    const Hoster *hoster = NULL;

    for (const char *at = name; at != NULL && hoster == NULL;) {
        const char *dot = strchr(at, '.');

        hoster = find_whole(lists, at);
        at = dot != NULL ? dot + 1 : NULL;
    }
    return hoster;
}

const char *lists_hoster(const Lists *lists, const char *name_server)
{
    const Hoster *hoster = find(lists, name_server);

    return hoster != NULL ? hoster->name : NULL;
}

/* NULL if one of the servers is unknown, or they are several hosters'. */
static const Hoster *find_of_all(const Lists *lists, char *const *servers)
{
    const Hoster *first = *servers != NULL ? find(lists, *servers) : NULL;

    for (; *servers != NULL && first != NULL; servers++) {
        const Hoster *hoster = find(lists, *servers);

        if (hoster == NULL || strcmp(hoster->name, first->name) != 0)
            return NULL;
    }
    return first;
}

const char *lists_hoster_of_all(const Lists *lists, char *const *name_servers)
{
    const Hoster *hoster = find_of_all(lists, name_servers);

    return hoster != NULL ? hoster->name : NULL;
}

const char *lists_spf_of_all(const Lists *lists, char *const *servers)
{
    const Hoster *hoster = find_of_all(lists, servers);

    return hoster != NULL ? hoster->spf : NULL;
}
