#include "config.h"

#include "policy/settings_text.h"

#include <string.h>

#include "policy/settings_parse.h"

/* What stands at a place of the text, by libconfuse's rules. */
typedef enum {
    PIECE_WORD,
    PIECE_OTHER, /* a blank, a brace and the like */
    PIECE_QUOTED,
    PIECE_VARIABLE,
    PIECE_LINE_COMMENT,
    PIECE_COMMENT,
} Piece;

static bool is_word(char c)
{
    return c != '\0' && strchr(" #\"'\t\n\r={}()+,*", c) == NULL;
}

/* "//", "/" with "*" and "${" are special only where no word goes on: inet:8894@host//x is one
 * word. */
static Piece piece_at(const char *at, bool is_in_word)
{
    if (*at == '#')
        return PIECE_LINE_COMMENT;
    if (*at == '"' || *at == '\'')
        return PIECE_QUOTED;
    if (!is_in_word && at[0] == '/' && at[1] == '/')
        return PIECE_LINE_COMMENT;
    if (!is_in_word && at[0] == '/' && at[1] == '*')
        return PIECE_COMMENT;
    if (!is_in_word && at[0] == '$' && at[1] == '{')
        return PIECE_VARIABLE;
    return is_word(*at) ? PIECE_WORD : PIECE_OTHER;
}

/* Returns the place behind "${…}", which may hold quotes, at at; NULL where it has no end. */
static char *skip_variable(char *at)
{
    char *end = strchr(at, '}');

    return end != NULL ? end + 1 : NULL;
}

/* Returns the place behind the quotes at at; NULL where they have no end. */
static char *skip_quoted(char *at)
{
    const char quote = *at++;

    while (*at != quote) {
        if (*at == '\0')
            return NULL;
        if (quote == '"' && at[0] == '$' && at[1] == '{') {
            at = skip_variable(at);
            if (at == NULL)
                return NULL;
            continue;
        }
        at += at[0] == '\\' && at[1] != '\0' ? 2 : 1;
    }
    return at + 1;
}

static char *skip_comment(char *at)
{
    char *end = strstr(at + 2, "*/");

    return end != NULL ? end + 2 : NULL;
}

/* Returns the place behind the piece at at; NULL where it has no end. */
static char *skip_piece(char *at, Piece piece)
{
    switch (piece) {
    case PIECE_WORD:
    case PIECE_OTHER:
        return at + 1;
    case PIECE_QUOTED:
        return skip_quoted(at);
    case PIECE_VARIABLE:
        return skip_variable(at);
    case PIECE_LINE_COMMENT:
        return at + strcspn(at, "\n");
    case PIECE_COMMENT:
        return skip_comment(at);
    }
    return NULL;
}

static void blank(char *from, const char *end)
{
    for (; from < end; from++)
        if (*from != '\n')
            *from = ' ';
}

guint settings_text_line_at(const char *text, const char *at)
{
    guint line = 1;

    for (; text < at; text++)
        line += *text == '\n';
    return line;
}

static bool refuse_open(const char *text, const char *at, int length, GError **error)
{
    g_set_error(error, SETTINGS_ERROR, SETTINGS_ERROR_SYNTAX,
                "%u: what begins here with %.*s has no end", settings_text_line_at(text, at),
                length, at);
    return false;
}

/* Keeps the places of the braces that are open in open, of char *. */
static void note_brace(GPtrArray *open, char *at)
{
    if (*at == '{')
        g_ptr_array_add(open, at);
    else if (*at == '}' && open->len > 0)
        g_ptr_array_set_size(open, (gint)open->len - 1);
}

/* Does the brace at at begin a list, and not a section? libconfuse misses the end of a list. */
static bool begins_list(const char *text, const char *at)
{
    while (at > text && g_ascii_isspace(at[-1]))
        at--;
    return at > text && at[-1] == '=';
}

bool settings_text_blank_comments(char *text, GError **error)
{
    g_autoptr(GPtrArray) open = g_ptr_array_new();
    bool is_in_word = false;

    for (char *at = text; *at != '\0';) {
        Piece piece = piece_at(at, is_in_word);
        char *end = skip_piece(at, piece);

        if (end == NULL)
            return refuse_open(text, at, piece == PIECE_QUOTED ? 1 : 2, error);
        if (piece == PIECE_LINE_COMMENT || piece == PIECE_COMMENT)
            blank(at, end);
        if (piece == PIECE_OTHER)
            note_brace(open, at);
        is_in_word = piece == PIECE_WORD;
        at = end;
    }
    if (open->len == 0 || begins_list(text, g_ptr_array_index(open, open->len - 1)))
        return true;
    return refuse_open(text, g_ptr_array_index(open, open->len - 1), 1, error);
}

guint settings_text_line_of(const char *text, const char *key)
{
    size_t length = strlen(key);
    guint line = 0;

    for (const char *at = strstr(text, key); at != NULL; at = strstr(at + length, key)) {
        const char *behind = at + length + strspn(at + length, " \t\r\n");

        if ((at == text || !is_word(at[-1])) && (*behind == '=' || *behind == '+'))
            line = settings_text_line_at(text, at);
    }
    return line;
}

bool settings_text_is_value(const char *value)
{
    if (!g_utf8_validate(value, -1, NULL))
        return false;
    for (; *value != '\0'; value = g_utf8_next_char(value))
        if (g_unichar_iscntrl(g_utf8_get_char(value)))
            return false;
    return true;
}
