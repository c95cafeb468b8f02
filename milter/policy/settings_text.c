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

bool settings_text_blank_comments(char *text, GError **error)
{
    bool is_in_word = false;

    for (char *at = text; *at != '\0';) {
        Piece piece = piece_at(at, is_in_word);
        char *end = skip_piece(at, piece);

        if (end == NULL) {
            g_set_error(error, SETTINGS_ERROR, SETTINGS_ERROR_SYNTAX,
                        "%u: what begins here with %.*s has no end",
                        settings_text_line_at(text, at), piece == PIECE_QUOTED ? 1 : 2, at);
            return false;
        }
        if (piece == PIECE_LINE_COMMENT || piece == PIECE_COMMENT)
            blank(at, end);
        is_in_word = piece == PIECE_WORD;
        at = end;
    }
    return true;
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
