#include "config.h"

#include "base/language.h"

#include <stdarg.h>
#include <stdint.h>
#include <string.h>

#include "base/installation.h"

#define CATALOGUE_MAX (1024 * 1024) /* octets */
#define PLACEHOLDERS_MAX 16

G_DEFINE_QUARK(spfrom_language_error, language_error)

const char *const language_codes[] = {LANGUAGE_ENGLISH, LANGUAGE_GERMAN, NULL};

struct Language {
    char *code;
    GBytes *catalogue; /* NULL: English */
    GHashTable *texts; /* English → language, both point into catalogue */
};

/* The header of a .mo file, in the byte order of the machine that made it (GNU gettext manual, "The
 * Format of GNU MO Files"). */
#define MAGIC 0x950412deu

enum { HEADER_MAGIC, HEADER_REVISION, HEADER_COUNT, HEADER_ORIGINALS, HEADER_TRANSLATIONS };

typedef struct {
    const guint8 *octets;
    gsize length;
    bool is_swapped;
} Reader;

static bool read_number(const Reader *reader, gsize at, uint32_t *number)
{
    if (at > reader->length || reader->length - at < sizeof *number)
        return false;
    memcpy(number, reader->octets + at, sizeof *number);
    if (reader->is_swapped)
        *number = GUINT32_SWAP_LE_BE(*number);
    return true;
}

/* The string of row index in the table at table; NULL if it is not within the file. */
static const char *read_string(const Reader *reader, uint32_t table, uint32_t index)
{
    gsize row = (gsize)table + (gsize)index * 2 * sizeof(uint32_t);
    uint32_t length = 0;
    uint32_t offset = 0;

    if (!read_number(reader, row, &length) || !read_number(reader, row + sizeof length, &offset))
        return NULL;
    if (offset >= reader->length || reader->length - offset <= length)
        return NULL;
    if (reader->octets[offset + length] != '\0')
        return NULL;
    return (const char *)reader->octets + offset;
}

static bool read_header(Reader *reader, uint32_t header[HEADER_TRANSLATIONS + 1])
{
    if (!read_number(reader, 0, &header[HEADER_MAGIC]))
        return false;
    reader->is_swapped = header[HEADER_MAGIC] != MAGIC;
    for (gsize i = 0; i <= HEADER_TRANSLATIONS; i++)
        if (!read_number(reader, i * sizeof *header, &header[i]))
            return false;
    return header[HEADER_MAGIC] == MAGIC && header[HEADER_REVISION] >> 16 == 0;
}

/* Each octet belongs to one text; else a small file could hold any number of long ones. */
static bool read_texts(Language *language)
{
    Reader reader = {0};
    uint32_t header[HEADER_TRANSLATIONS + 1];
    gsize total = 0;

    reader.octets = g_bytes_get_data(language->catalogue, &reader.length);
    if (reader.length > CATALOGUE_MAX || !read_header(&reader, header))
        return false;
    for (uint32_t i = 0; i < header[HEADER_COUNT]; i++) {
        const char *original = read_string(&reader, header[HEADER_ORIGINALS], i);
        const char *translation = read_string(&reader, header[HEADER_TRANSLATIONS], i);

        if (original == NULL || translation == NULL || !g_utf8_validate(translation, -1, NULL))
            return false;
        total += strlen(original) + strlen(translation);
        if (total > reader.length)
            return false;
        if (*translation != '\0')
            g_hash_table_insert(language->texts, (gpointer)original, (gpointer)translation);
    }
    return true;
}

static Language *language_alloc(const char *code)
{
    Language *language = g_new0(Language, 1);

    language->code = g_strdup(code);
    language->texts = g_hash_table_new(g_str_hash, g_str_equal);
    return language;
}

void language_free(Language *language)
{
    g_free(language->code);
    g_hash_table_unref(language->texts);
    if (language->catalogue != NULL)
        g_bytes_unref(language->catalogue);
    g_free(language);
}

Language *language_from_catalogue(const char *code, GBytes *catalogue, const char *name,
                                  GError **error)
{
    g_autoptr(Language) language = language_alloc(code);

    language->catalogue = g_bytes_ref(catalogue);
    if (!read_texts(language)) {
        g_set_error(error, LANGUAGE_ERROR, LANGUAGE_ERROR_CATALOGUE,
                    "%s: is no catalogue of texts that msgfmt has made", name);
        return NULL;
    }
    return g_steal_pointer(&language);
}

static Language *open_catalogue(const char *code, GError **error)
{
    g_autofree char *directory = installation_locale_directory();
    g_autofree char *file = g_build_filename(directory, code, "LC_MESSAGES", "spfrom.mo", NULL);
    g_autoptr(GError) cause = NULL;
    g_autoptr(GBytes) octets = NULL;
    char *contents = NULL;
    gsize length = 0;

    if (!g_file_get_contents(file, &contents, &length, &cause)) {
        g_set_error(error, LANGUAGE_ERROR, LANGUAGE_ERROR_CATALOGUE, "no texts in \"%s\": %s", code,
                    cause->message);
        return NULL;
    }
    octets = g_bytes_new_take(contents, length);
    return language_from_catalogue(code, octets, file, error);
}

static const char *known_code(const char *code)
{
    for (gsize i = 0; language_codes[i] != NULL; i++)
        if (strcmp(language_codes[i], code) == 0)
            return language_codes[i];
    return NULL;
}

Language *language_new(const char *code, GError **error)
{
    if (strcmp(code, LANGUAGE_ENGLISH) == 0)
        return language_alloc(code);
    if (known_code(code) == NULL) {
        g_autofree char *shown = g_utf8_make_valid(code, (gssize)strnlen(code, 20));
        g_autofree char *codes = g_strjoinv(" or ", (char **)language_codes);

        g_set_error(error, LANGUAGE_ERROR, LANGUAGE_ERROR_UNKNOWN,
                    "there are no texts in \"%s\"; write %s", shown, codes);
        return NULL;
    }
    return open_catalogue(code, error);
}

/* The code of a locale name such as de_AT.UTF-8@euro. */
static const char *code_of_locale(const char *locale)
{
    g_autofree char *code = g_strndup(locale, strcspn(locale, "_.@"));

    return known_code(code);
}

const char *language_code_of_environment(void)
{
    static const char *const variables[] = {"LC_ALL", "LC_MESSAGES", "LANG"};
    const char *locale = NULL;
    const char *code = NULL;
    g_auto(GStrv) wanted = NULL;

    for (gsize i = 0; i < G_N_ELEMENTS(variables) && (locale == NULL || *locale == '\0'); i++)
        locale = g_getenv(variables[i]);
    if (locale == NULL || *locale == '\0' || strcmp(locale, "C") == 0 ||
        strcmp(locale, "POSIX") == 0)
        return LANGUAGE_ENGLISH;
    wanted = g_strsplit(g_getenv("LANGUAGE") != NULL ? g_getenv("LANGUAGE") : "", ":", -1);
    for (char **one = wanted; *one != NULL && code == NULL; one++)
        code = code_of_locale(*one);
    if (code == NULL)
        code = code_of_locale(locale);
    return code != NULL ? code : LANGUAGE_ENGLISH;
}

Language *language_choose(const char *code, GError **error)
{
    Language *language;

    if (code != NULL)
        return language_new(code, error);
    language = language_new(language_code_of_environment(), NULL);
    return language != NULL ? language : language_new(LANGUAGE_ENGLISH, error);
}

const char *language_code(const Language *language)
{
    return language != NULL ? language->code : LANGUAGE_ENGLISH;
}

const char *language_text(const Language *language, const char *text)
{
    const char *translation = language != NULL ? g_hash_table_lookup(language->texts, text) : NULL;

    return translation != NULL ? translation : text;
}

typedef struct {
    const char *name;
    const char *value;
} Placeholder;

/* The value for "{name}" at text, and the octets that it takes; NULL if none begins there. */
static const char *value_at(const char *text, const Placeholder *placeholders, gsize count,
                            gsize *octets)
{
    for (gsize i = 0; i < count; i++) {
        gsize length = strlen(placeholders[i].name);

        if (strncmp(text + 1, placeholders[i].name, length) == 0 && text[length + 1] == '}') {
            *octets = length + 2;
            return placeholders[i].value;
        }
    }
    return NULL;
}

char *language_fill(const Language *language, const char *text, ...)
{
    Placeholder placeholders[PLACEHOLDERS_MAX];
    gsize count = 0;
    GString *filled = g_string_new(NULL);
    const char *name;
    va_list arguments;

    va_start(arguments, text);
    while ((name = va_arg(arguments, const char *)) != NULL) {
        const char *value = va_arg(arguments, const char *);

        if (count < PLACEHOLDERS_MAX)
            placeholders[count++] = (Placeholder){name, value};
    }
    va_end(arguments);
    for (const char *at = language_text(language, text); *at != '\0';) {
        gsize octets = 1;
        const char *value = *at == '{' ? value_at(at, placeholders, count, &octets) : NULL;

        if (value != NULL)
            g_string_append(filled, value);
        else
            g_string_append_c(filled, *at);
        at += octets;
    }
    return g_string_free(filled, FALSE);
}
