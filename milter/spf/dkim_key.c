#include "config.h"

#include "spf/dkim_key.h"

#include <string.h>

#define BLANKS " \t\r\n"

/* The tags that count. */
typedef enum { TAG_VERSION, TAG_HASHES, TAG_TYPE, TAG_KEY, TAG_SERVICES, TAG_FLAGS, TAGS } Tag;
static const char *const tag_names[TAGS] = {"v", "h", "k", "p", "s", "t"};

static bool is_name(const char *name)
{
    if (!g_ascii_isalpha(*name))
        return false;
    while (g_ascii_isalnum(*name) || *name == '_')
        name++;
    return *name == '\0';
}

/* Splits a tag-list (RFC 6376 section 3.2) into values, which point into tags; those that are not
 * there are NULL. Returns false if it is none, or names a tag twice. */
static bool read_tags(char **tags, const char *values[TAGS])
{
    g_autoptr(GHashTable) seen = g_hash_table_new(g_str_hash, g_str_equal);

    for (guint i = 0; tags[i] != NULL; i++) {
        char *equals = strchr(tags[i], '=');
        char *name;

        if (tags[i][strspn(tags[i], BLANKS)] == '\0' && tags[i + 1] == NULL && i > 0)
            return true; /* behind the last ";" */
        if (equals == NULL)
            return false;
        *equals = '\0';
        name = g_strstrip(tags[i]);
        if (!is_name(name) || !g_hash_table_add(seen, name))
            return false;
        for (Tag tag = 0; tag < TAGS; tag++)
            if (strcmp(name, tag_names[tag]) == 0)
                values[tag] = g_strstrip(equals + 1);
        if (values[TAG_VERSION] != NULL && i > 0 && strcmp(name, "v") == 0)
            return false; /* it has to come first */
    }
    return true;
}

/* Is word in a list whose parts stand between colons? */
static bool has_word(const char *list, const char *word)
{
    g_auto(GStrv) words = g_strsplit(list, ":", -1);

    for (guint i = 0; words[i] != NULL; i++)
        if (g_ascii_strcasecmp(g_strstrip(words[i]), word) == 0)
            return true;
    return false;
}

/* Decodes base64 with blanks in it; NULL if it is none, or empty. */
static GBytes *decode(const char *text)
{
    g_autoptr(GString) base64 = g_string_new(NULL);
    gsize length;
    guchar *octets;

    for (; *text != '\0'; text++)
        if (strchr(BLANKS, *text) == NULL)
            g_string_append_c(base64, *text);
    length = base64->len;
    while (length > 0 && base64->len - length < 2 && base64->str[length - 1] == '=')
        length--;
    for (gsize i = 0; i < length; i++)
        if (!g_ascii_isalnum(base64->str[i]) && base64->str[i] != '+' && base64->str[i] != '/')
            return NULL;
    if (length == 0 || base64->len % 4 != 0)
        return NULL;
    octets = g_base64_decode(base64->str, &length);
    return g_bytes_new_take(octets, length);
}

static bool is_usable(const char *const values[TAGS])
{
    if (values[TAG_VERSION] != NULL && strcmp(values[TAG_VERSION], "DKIM1") != 0)
        return false;
    if (values[TAG_HASHES] != NULL && !has_word(values[TAG_HASHES], "sha256"))
        return false;
    if (values[TAG_SERVICES] != NULL && !has_word(values[TAG_SERVICES], "*") &&
        !has_word(values[TAG_SERVICES], "email"))
        return false;
    return values[TAG_FLAGS] == NULL || !has_word(values[TAG_FLAGS], "y");
}

DkimKey *dkim_key_parse(const char *text, gsize length)
{
    g_auto(GStrv) tags = NULL;
    const char *values[TAGS] = {NULL};
    const char *type;
    GBytes *octets;
    DkimKey *key;

    if (length > DKIM_KEY_RECORD_MAX || memchr(text, '\0', length) != NULL)
        return NULL;
    tags = g_strsplit(text, ";", -1);
    if (!read_tags(tags, values) || !is_usable(values) || values[TAG_KEY] == NULL)
        return NULL;
    type = values[TAG_TYPE] != NULL ? values[TAG_TYPE] : "rsa";
    if (strcmp(type, "rsa") != 0 && strcmp(type, "ed25519") != 0)
        return NULL;
    octets = decode(values[TAG_KEY]);
    if (octets == NULL)
        return NULL;
    key = g_new0(DkimKey, 1);
    key->type = g_strdup(type);
    key->octets = octets;
    return key;
}

bool dkim_key_equal(const DkimKey *a, const DkimKey *b)
{
    return strcmp(a->type, b->type) == 0 && g_bytes_equal(a->octets, b->octets);
}

void dkim_key_free(DkimKey *key)
{
    if (key == NULL)
        return;
    g_free(key->type);
    g_bytes_unref(key->octets);
    g_free(key);
}
