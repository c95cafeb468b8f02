#include "config.h"

#include "mail/display_name.h"

#include <string.h>

#include "mail/encoded_words.h"
#include "mail/printable.h"

#define NESTED_MAX 4 /* encoded words that decode to encoded words … */

bool display_name_is_template(const char *template)
{
    if (!g_utf8_validate(template, -1, NULL))
        return false;
    for (; *template != '\0'; template ++) {
        if (*template != '%')
            continue;
        template ++;
        if (*template == '\0' || strchr("nld%", *template) == NULL)
            return false;
    }
    return true;
}

/* The octets of the "@" or of what looks like it (U+FE6B, U+FF20) at text, else 0. */
static gsize at_sign_length(const char *text)
{
    if (*text == '@')
        return 1;
    return g_str_has_prefix(text, "\xef\xb9\xab") || g_str_has_prefix(text, "\xef\xbc\xa0") ? 3 : 0;
}

static bool ends_address(const char *text)
{
    return *text == '\0' || strchr(" ,;<>()\"", *text) != NULL;
}

/*
 * Returns line without at signs: of "mueller@x.de" the local part is left, an at sign that stands
 * apart just goes.
 */
static char *without_addresses(const char *line)
{
    GString *text;

    if (strpbrk(line, "@\xef") == NULL)
        return g_strdup(line);
    text = g_string_sized_new(strlen(line) + 1);
    while (*line != '\0') {
        gsize sign = at_sign_length(line);

        if (sign == 0) {
            g_string_append_c(text, *line++);
            continue;
        }
        line += sign;
        if (text->len == 0 || ends_address(text->str + text->len - 1))
            continue;
        while (!ends_address(line))
            line++;
    }
    return g_string_free(text, FALSE);
}

/*
 * One pass over name. What goes may join what stood apart, so a word may decode that was none
 * before.
 */
static char *clean_once(const char *name)
{
    g_autofree char *decoded = encoded_words_decode(name, strlen(name));
    g_autofree char *line = printable_line(decoded);
    g_autofree char *bare = without_addresses(line);

    return printable_line(bare);
}

/*
 * Decodes words within words too, as some readers do: what is left has none, but for such as nobody
 * can decode.
 */
static char *clean(const char *name)
{
    g_autofree char *cleaned = clean_once(name);

    for (int depth = 0; strstr(cleaned, "=?") != NULL; depth++) {
        g_autofree char *before = g_steal_pointer(&cleaned);

        if (depth == NESTED_MAX)
            return g_strdup("");
        cleaned = clean_once(before);
        if (strcmp(cleaned, before) == 0)
            break;
    }
    return g_steal_pointer(&cleaned);
}

/* Returns name as it may stand in From:, "" if nothing of it can be seen. */
static char *make_safe(const char *name)
{
    char *safe = clean(name);

    safe[printable_cut(safe, strlen(safe), DISPLAY_NAME_MAX)] = '\0';
    g_strchomp(safe);
    if (printable_is_blank(safe))
        safe[0] = '\0';
    return safe;
}

static char *fill_in(const char *template, const char *name, const Mailbox *author)
{
    const char *local_part = author != NULL ? author->local_part : NULL;
    const char *domain = author != NULL ? author->domain : NULL;
    GString *text = g_string_new(NULL);

    for (; *template != '\0'; template ++) {
        if (*template != '%') {
            g_string_append_c(text, *template);
            continue;
        }
        template ++;
        if (*template == 'n')
            g_string_append(text, name);
        else if (*template == 'l' && local_part != NULL)
            g_string_append(text, local_part);
        else if (*template == 'd' && domain != NULL)
            g_string_append(text, domain);
        else if (*template == '%')
            g_string_append_c(text, '%');
        else if (*template == '\0')
            break;
    }
    return g_string_free(text, FALSE);
}

static char *expand(const char *template, const char *name, const Mailbox *author)
{
    g_autofree char *text = fill_in(template, name, author);

    return make_safe(text);
}

char *display_name_expand(const char *template, const char *missing, const Mailbox *author)
{
    g_autofree char *name = NULL;
    char *expanded;

    name = make_safe(author != NULL && author->display_name != NULL ? author->display_name : "");
    if (author != NULL && name[0] == '\0')
        return expand(missing, "", author);
    expanded = expand(template, name, author);
    if (expanded[0] != '\0')
        return expanded;
    g_free(expanded);
    return expand(missing, name, author);
}
