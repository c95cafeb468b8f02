#include "config.h"

#include "mail/authentication_results.h"

#include <string.h>

#include "base/domain_name.h"

#define FIELD "Authentication-Results"
#define PASSES_MAX 32

/* A place in the field's text; word holds the token read last. */
typedef struct {
    const char *at;
    GString *word;
} Scanner;

typedef enum { TOKEN_END, TOKEN_WORD, TOKEN_EQUALS, TOKEN_SEMICOLON } Token;

/* Skips a comment, which may hold others; to the text's end where it is not closed. */
static const char *skip_comment(const char *at)
{
    guint depth = 0;

    for (; *at != '\0'; at++) {
        if (*at == '\\' && at[1] != '\0')
            at++;
        else if (*at == '(')
            depth++;
        else if (*at == ')' && --depth == 0)
            return at + 1;
    }
    return at;
}

static void skip_blanks(Scanner *scanner)
{
    for (;;) {
        if (*scanner->at == '(')
            scanner->at = skip_comment(scanner->at);
        else if (*scanner->at != '\0' && strchr(" \t\r\n", *scanner->at) != NULL)
            scanner->at++;
        else
            return;
    }
}

static void read_quoted(Scanner *scanner)
{
    for (scanner->at++; *scanner->at != '\0' && *scanner->at != '"'; scanner->at++) {
        if (*scanner->at == '\\' && scanner->at[1] != '\0')
            scanner->at++;
        g_string_append_c(scanner->word, *scanner->at);
    }
    if (*scanner->at == '"')
        scanner->at++;
}

static Token next_token(Scanner *scanner)
{
    size_t length;

    skip_blanks(scanner);
    g_string_truncate(scanner->word, 0);
    switch (*scanner->at) {
    case '\0':
        return TOKEN_END;
    case '=':
        scanner->at++;
        return TOKEN_EQUALS;
    case ';':
        scanner->at++;
        return TOKEN_SEMICOLON;
    case '"':
        read_quoted(scanner);
        return TOKEN_WORD;
    default:
        length = strcspn(scanner->at, " \t\r\n();=\"");
        if (length == 0) { /* a ")" without its "(" */
            scanner->at = "";
            return TOKEN_END;
        }
        g_string_append_len(scanner->word, scanner->at, (gssize)length);
        scanner->at += length;
        return TOKEN_WORD;
    }
}

/* Reads `name = value` behind name, which stands in scanner->word; value may be the same word.
 * Returns the next token. */
static Token read_pair(Scanner *scanner, char **name, char **value)
{
    Token token;

    *name = g_ascii_strdown(scanner->word->str, -1);
    *value = NULL;
    token = next_token(scanner);
    if (token != TOKEN_EQUALS)
        return token;
    token = next_token(scanner);
    if (token != TOKEN_WORD)
        return token;
    *value = g_strdup(scanner->word->str);
    return next_token(scanner);
}

/* Reads one result, up to its ";", and notes header.d where it is dkim=pass. Returns the token at
 * its end. */
static Token read_result(Scanner *scanner, GPtrArray *passes)
{
    Token token = next_token(scanner);
    bool is_pass = false;
    bool is_first = true;

    while (token == TOKEN_WORD || token == TOKEN_EQUALS) {
        g_autofree char *name = NULL;
        g_autofree char *value = NULL;
        char *domain;

        token = read_pair(scanner, &name, &value);
        if (is_first)
            is_pass = value != NULL && (strcmp(name, "dkim") == 0 || strcmp(name, "dkim/1") == 0) &&
                      g_ascii_strcasecmp(value, "pass") == 0;
        is_first = false;
        if (!is_pass || value == NULL || strcmp(name, "header.d") != 0 || passes->len >= PASSES_MAX)
            continue;
        domain = domain_name_parse(value, NULL);
        if (domain != NULL)
            g_ptr_array_add(passes, domain);
    }
    return token;
}

/* Does the field begin with authserv_id, and an optional version? Leaves the scanner behind its
 * ";". */
static bool is_of(Scanner *scanner, const char *authserv_id)
{
    Token token = next_token(scanner);

    if (token != TOKEN_WORD || g_ascii_strcasecmp(scanner->word->str, authserv_id) != 0)
        return false;
    token = next_token(scanner);
    if (token == TOKEN_WORD)
        token = next_token(scanner);
    return token == TOKEN_SEMICOLON;
}

char **authentication_results_dkim_passes(const HeaderFields *fields, const char *authserv_id)
{
    GPtrArray *passes = g_ptr_array_new();
    g_autoptr(GString) word = g_string_new(NULL);

    for (guint i = 0; i < header_fields_length(fields); i++) {
        const HeaderField *field = header_fields_at(fields, i);
        Scanner scanner = {.at = field->value, .word = word};

        if (!header_field_is_named(field, FIELD) || !is_of(&scanner, authserv_id))
            continue;
        while (read_result(&scanner, passes) == TOKEN_SEMICOLON)
            ;
        break;
    }
    g_ptr_array_add(passes, NULL);
    return (char **)g_ptr_array_free(passes, FALSE);
}
