#include "config.h"

#include "doctor/milter_list.h"

#include <string.h>

static void milter_free(Milter *milter)
{
    g_free(milter->text);
    g_free(milter->address_text);
    g_clear_pointer(&milter->address, milter_address_free);
    g_hash_table_unref(milter->settings);
    g_free(milter);
}

static bool is_separator(char octet)
{
    return octet == ',' || g_ascii_isspace(octet);
}

/* The end of the word that begins at text. */
static const char *word_end(const char *text)
{
    guint depth = 0;

    for (; *text != '\0'; text++) {
        if (*text == '{')
            depth++;
        else if (*text == '}' && depth > 0)
            depth--;
        else if (depth == 0 && is_separator(*text))
            break;
    }
    return text;
}

GPtrArray *milter_list_words(const char *text)
{
    GPtrArray *words = g_ptr_array_new_with_free_func(g_free);

    while (true) {
        const char *end;

        while (is_separator(*text))
            text++;
        if (*text == '\0')
            return words;
        end = word_end(text);
        g_ptr_array_add(words, g_strndup(text, (gsize)(end - text)));
        text = end;
    }
}

/* What stands between the braces of word; NULL where it has none. */
static char *inside(const char *word)
{
    gsize length = strlen(word);

    if (length < 2 || word[0] != '{' || word[length - 1] != '}')
        return NULL;
    return g_strstrip(g_strndup(word + 1, length - 2));
}

static void read_setting(Milter *milter, const char *word)
{
    g_autofree char *inner = inside(word); /* { name = value } */
    const char *text = inner != NULL ? inner : word;
    const char *equals = strchr(text, '=');

    if (equals != NULL)
        g_hash_table_insert(milter->settings, g_strstrip(g_strndup(text, (gsize)(equals - text))),
                            g_strstrip(g_strdup(equals + 1)));
}

static void read_settings(Milter *milter, const char *text)
{
    g_autoptr(GPtrArray) words = milter_list_words(text);

    if (words->len == 0)
        return;
    g_free(milter->address_text);
    milter->address_text = g_strdup(g_ptr_array_index(words, 0));
    for (guint i = 1; i < words->len; i++)
        read_setting(milter, g_ptr_array_index(words, i));
}

static Milter *parse_milter(const char *word)
{
    Milter *milter = g_new0(Milter, 1);
    g_autofree char *inner = inside(word);

    milter->text = g_strdup(word);
    milter->address_text = g_strdup(word);
    milter->settings = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, g_free);
    if (inner != NULL)
        read_settings(milter, inner);
    milter->address = milter_address_parse(milter->address_text);
    return milter;
}

GPtrArray *milter_list_parse(const char *text)
{
    GPtrArray *milters = g_ptr_array_new_with_free_func((GDestroyNotify)milter_free);
    g_autoptr(GPtrArray) words = milter_list_words(text);

    for (guint i = 0; i < words->len; i++)
        g_ptr_array_add(milters, parse_milter(g_ptr_array_index(words, i)));
    return milters;
}

const char *milter_setting(const Milter *milter, const char *name)
{
    return g_hash_table_lookup(milter->settings, name);
}

static void append_entry(GString *list, const char *entry)
{
    g_autofree char *inner = inside(entry);
    g_autoptr(GPtrArray) words = milter_list_words(inner != NULL ? inner : "");

    if (list->len > 0)
        g_string_append_c(list, ',');
    if (words->len == 0) {
        g_string_append(list, entry);
        return;
    }
    for (guint i = 0; i < words->len; i++)
        g_string_append_printf(list, "%s%s", i == 0 ? "{" : ",",
                               (const char *)g_ptr_array_index(words, i));
    g_string_append_c(list, '}');
}

char *milter_list_with(const GPtrArray *milters, const bool *is_ours, const char *entry,
                       guint position)
{
    GString *list = g_string_new(NULL);

    for (guint i = 0; i <= milters->len; i++) {
        if (i == position)
            append_entry(list, entry);
        if (i < milters->len && !is_ours[i])
            append_entry(list, ((const Milter *)g_ptr_array_index(milters, i))->text);
    }
    return g_string_free(list, FALSE);
}
