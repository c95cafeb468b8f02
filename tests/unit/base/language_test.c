#include "config.h"

#include "base/language.h"

#include <stdlib.h>
#include <string.h>

#include "unit/table.h"

/* What catalogue_new() writes; a row of the tests changes a number of it. */
enum { MAGIC, REVISION, COUNT, ORIGINALS, TRANSLATIONS, HASHES, HASHES_AT, NUMBERS = 7 + 8 };

/* A .mo file with two texts, in this machine's byte order or the other. */
static GByteArray *catalogue_new(bool is_swapped)
{
    static const char strings[] = "one\0two\0eins\0zw\xc3\xb6";
    enum { TABLES = 7 * 4, STRINGS = NUMBERS * 4 };
    guint32 numbers[NUMBERS] = {0x950412de, 0, 2, TABLES, TABLES + 16, 0, STRINGS,
                                /* length and place of the originals, then of the translations */
                                3, STRINGS, 3, STRINGS + 4, 4, STRINGS + 8, 4, STRINGS + 13};
    GByteArray *octets = g_byte_array_new();

    for (gsize i = 0; i < NUMBERS; i++)
        if (is_swapped)
            numbers[i] = GUINT32_SWAP_LE_BE(numbers[i]);
    g_byte_array_append(octets, (const guint8 *)numbers, sizeof numbers);
    g_byte_array_append(octets, (const guint8 *)strings, sizeof strings);
    return octets;
}

static Language *language_of(GByteArray *octets, GError **error)
{
    g_autoptr(GBytes) catalogue = g_byte_array_free_to_bytes(octets);

    return language_from_catalogue("de", catalogue, "texts.mo", error);
}

static void test_catalogue(void **state)
{
    for (int is_swapped = 0; is_swapped < 2; is_swapped++) {
        g_autoptr(GError) error = NULL;
        g_autoptr(Language) language = language_of(catalogue_new(is_swapped), &error);

        assert_null(error);
        assert_string_equal(language_code(language), "de");
        assert_string_equal(language_text(language, "one"), "eins");
        assert_string_equal(language_text(language, "two"), "zwö");
        assert_string_equal(language_text(language, "three"), "three");
    }
    (void)state;
}

/* Rows that all name one text: no work without an end for a file of some size. */
static void test_shared(void **state G_GNUC_UNUSED)
{
    enum { ROWS = 20000, HEADER = 7 * 4, TEXT = HEADER + 8 * ROWS, LENGTH = 800000 };
    const guint32 header[7] = {0x950412de, 0, ROWS, HEADER, HEADER, 0, 0};
    const guint32 row[2] = {LENGTH, TEXT};
    g_autofree char *text = g_strnfill(LENGTH, 'a');
    GByteArray *octets = g_byte_array_new();
    g_autoptr(GError) error = NULL;

    g_byte_array_append(octets, (const guint8 *)header, sizeof header);
    for (int i = 0; i < ROWS; i++)
        g_byte_array_append(octets, (const guint8 *)row, sizeof row);
    g_byte_array_append(octets, (const guint8 *)text, LENGTH + 1);
    assert_null(language_of(octets, &error));
    assert_non_null(error);
}

static const struct broken_row {
    const char *name;
    gsize number; /* of NUMBERS, that becomes value */
    guint32 value;
} broken_rows[] = {
    {"another magic number", MAGIC, 0x950412df},
    {"a revision of the future", REVISION, 0x20000},
    {"more texts than there are", COUNT, 3},
    {"a great many texts", COUNT, 0xffffffff},
    {"originals behind the end", ORIGINALS, 0xfffffff8},
    {"translations behind the end", TRANSLATIONS, 1000},
    {"a length beyond the end", 7, 1000},
    {"a length that wraps", 7, 0xffffffff},
    {"a place beyond the end", 8, 0xffffffff},
    {"a text without its NUL", 9, 2},
    {"no UTF-8", 14, NUMBERS * 4 + 16},
};

static void test_broken(void **state)
{
    const struct broken_row *row = *state;
    GByteArray *octets = catalogue_new(false);
    g_autoptr(GError) error = NULL;

    memcpy(octets->data + row->number * 4, &row->value, sizeof row->value);
    assert_null(language_of(octets, &error));
    assert_string_equal(error->message, "texts.mo: is no catalogue of texts that msgfmt has made");
}

/* Cut at any place, a catalogue is refused, and read no further. */
static void test_cut(void **state)
{
    g_autoptr(GByteArray) whole = catalogue_new(false);

    for (guint length = 0; length < whole->len; length++) {
        g_autofree guint8 *part = g_memdup2(whole->data, length);
        g_autoptr(GBytes) catalogue = g_bytes_new_static(part, length);

        assert_null(language_from_catalogue("de", catalogue, "texts.mo", NULL));
    }
    (void)state;
}

static const struct fill_row {
    const char *name; /* the text */
    const char *filled;
} fill_rows[] = {
    {"{domain}", "a.de"},
    {"{domain} at {relay}, {domain}", "a.de at {domain}, a.de"},
    {"{other} {domain", "{other} {domain"},
    {"{} {{domain}}", "{} {a.de}"},
    {"{domainx} {doma}", "{domainx} {doma}"},
    {"100 %s %n", "100 %s %n"},
    {"", ""},
};

static void test_fill(void **state)
{
    const struct fill_row *row = *state;
    g_autoptr(Language) english = language_new("en", NULL);
    g_autofree char *filled =
        language_fill(english, row->name, "domain", "a.de", "relay", "{domain}", NULL);

    assert_string_equal(filled, row->filled);
}

static const struct environment_row {
    const char *name;
    const char *lc_all, *lc_messages, *lang, *language;
    const char *code;
} environment_rows[] = {
    {"nothing", NULL, NULL, NULL, NULL, "en"},
    {"LANG", NULL, NULL, "de_DE.UTF-8", NULL, "de"},
    {"LANG alone", NULL, NULL, "de", NULL, "de"},
    {"with a modifier", NULL, NULL, "de@euro", NULL, "de"},
    {"Austria", NULL, NULL, "de_AT", NULL, "de"},
    {"another language", NULL, NULL, "fr_FR.UTF-8", NULL, "en"},
    {"a longer code", NULL, NULL, "deu_DE", NULL, "en"},
    {"LC_ALL before LANG", "en_GB.UTF-8", NULL, "de_DE", NULL, "en"},
    {"an empty LC_ALL", "", "", "de_DE", NULL, "de"},
    {"LC_MESSAGES before LANG", NULL, "de_DE", "en_US", NULL, "de"},
    {"C", "C", NULL, "de_DE", "de", "en"},
    {"LANGUAGE first", NULL, NULL, "en_US.UTF-8", "de", "de"},
    {"LANGUAGE with C.UTF-8", NULL, NULL, "C.UTF-8", "de", "de"},
    {"LANGUAGE is a list", NULL, NULL, "en_US.UTF-8", "fr:nl:de:en", "de"},
    {"LANGUAGE without a locale", NULL, NULL, NULL, "de", "en"},
    {"LANGUAGE without one that is there", NULL, NULL, "de_DE", "fr", "de"},
};

static void put(const char *variable, const char *value)
{
    if (value != NULL)
        setenv(variable, value, 1);
    else
        unsetenv(variable);
}

static void test_environment(void **state)
{
    const struct environment_row *row = *state;

    put("LC_ALL", row->lc_all);
    put("LC_MESSAGES", row->lc_messages);
    put("LANG", row->lang);
    put("LANGUAGE", row->language);
    assert_string_equal(language_code_of_environment(), row->code);
}

/* German where no locale is set, in the process of an English text. */
static void test_german(void **state)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(Language) german = language_new("de", &error);
    g_autoptr(Language) english = language_new("en", &error);

    (void)state;
    assert_null(error);
    assert_string_equal(language_text(german, "a domain is missing"), "es fehlt eine Domain");
    assert_string_equal(language_text(english, "a domain is missing"), "a domain is missing");
}

static void test_errors(void **state)
{
    g_autoptr(GError) unknown = NULL;
    g_autoptr(GError) missing = NULL;

    (void)state;
    assert_null(language_new("fr", &unknown));
    assert_true(g_error_matches(unknown, LANGUAGE_ERROR, LANGUAGE_ERROR_UNKNOWN));
    assert_string_equal(unknown->message, "there are no texts in \"fr\"; write en or de");
    setenv("SPFROM_LOCALEDIR", "/nowhere", 1);
    assert_null(language_new("de", &missing));
    assert_true(g_error_matches(missing, LANGUAGE_ERROR, LANGUAGE_ERROR_CATALOGUE));
    assert_non_null(strstr(missing->message, "/nowhere/de/LC_MESSAGES/spfrom.mo"));
    unsetenv("SPFROM_LOCALEDIR");
}

int main(void)
{
    GArray *tests = table_new();

    table_add(tests, "a catalogue in either byte order", test_catalogue, NULL);
    table_add(tests, "many rows that name one text", test_shared, NULL);
    TABLE_ADD(tests, broken_rows, test_broken);
    table_add(tests, "a catalogue that is cut", test_cut, NULL);
    TABLE_ADD(tests, fill_rows, test_fill);
    TABLE_ADD(tests, environment_rows, test_environment);
    table_add(tests, "German beside English", test_german, NULL);
    table_add(tests, "languages that are not there", test_errors, NULL);
    return table_run(tests, "language_test");
}
