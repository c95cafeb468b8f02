#include "config.h"

#include "dns/zone_scanner.h"

#include <string.h>

#include "dns/dns.h"

static void token_free(gpointer data)
{
    ZoneToken *token = data;

    g_string_free(token->text, TRUE);
    g_free(token);
}

void zone_scanner_init(ZoneScanner *scanner, const char *text)
{
    *scanner = (ZoneScanner){.at = text, .line = 1};
    scanner->entry.tokens = g_ptr_array_new_with_free_func(token_free);
}

void zone_scanner_clear(ZoneScanner *scanner)
{
    g_clear_pointer(&scanner->entry.tokens, g_ptr_array_unref);
}

const ZoneToken *zone_entry_at(const ZoneEntry *entry, guint position)
{
    return g_ptr_array_index(entry->tokens, position);
}

static bool fail(GError **error, const char *what)
{
    g_set_error_literal(error, DNS_ERROR, DNS_ERROR_FILE, what);
    return false;
}

static bool is_blank(char c)
{
    return c == ' ' || c == '\t' || c == '\r';
}

static bool ends_word(char c)
{
    return c == '\0' || is_blank(c) || strchr("\n;()\"", c) != NULL;
}

/* Reads what stands behind a backslash: three digits, or the octet itself. */
static bool scan_escape(ZoneScanner *scanner, ZoneToken *token, GError **error)
{
    const char *at = scanner->at;
    guint value;

    token->has_escape = true;
    if (*at == '\0' || *at == '\n')
        return fail(error, "a backslash ends the line");
    if (!g_ascii_isdigit(*at)) {
        g_string_append_c(token->text, *at);
        scanner->at++;
        return true;
    }
    if (!g_ascii_isdigit(at[1]) || !g_ascii_isdigit(at[2]))
        return fail(error, "a backslash and a digit need three digits");
    value = (guint)(at[0] - '0') * 100 + (guint)(at[1] - '0') * 10 + (guint)(at[2] - '0');
    if (value > 255)
        return fail(error, "a backslash is followed by more than 255");
    g_string_append_c(token->text, (char)value);
    scanner->at += 3;
    return true;
}

/* Reads one octet of a token, which may be an escaped one. */
static bool scan_octet(ZoneScanner *scanner, ZoneToken *token, GError **error)
{
    char c = *scanner->at++;

    if (c == '\\')
        return scan_escape(scanner, token, error);
    g_string_append_c(token->text, c);
    return true;
}

static bool scan_quoted(ZoneScanner *scanner, ZoneToken *token, GError **error)
{
    token->is_quoted = true;
    scanner->at++;
    while (*scanner->at != '"') {
        if (*scanner->at == '\0' || *scanner->at == '\n')
            return fail(error, "a quote is not closed on its line");
        if (!scan_octet(scanner, token, error))
            return false;
    }
    scanner->at++;
    return true;
}

static bool scan_word(ZoneScanner *scanner, ZoneToken *token, GError **error)
{
    while (!ends_word(*scanner->at))
        if (!scan_octet(scanner, token, error))
            return false;
    return true;
}

static bool scan_token(ZoneScanner *scanner, GError **error)
{
    ZoneToken *token = g_new0(ZoneToken, 1);

    token->text = g_string_new(NULL);
    g_ptr_array_add(scanner->entry.tokens, token);
    if (scanner->entry.tokens->len > ZONE_TOKENS_MAX)
        return fail(error, "too many words in one entry");
    return *scanner->at == '"' ? scan_quoted(scanner, token, error)
                               : scan_word(scanner, token, error);
}

/* Goes over blanks and a comment, and over the ends of lines in parentheses. */
static bool skip_blanks(ZoneScanner *scanner, GError **error)
{
    for (;; scanner->at++) {
        if (*scanner->at == ';')
            scanner->at += strcspn(scanner->at, "\n");
        if (*scanner->at == '(')
            scanner->depth++;
        if (*scanner->at == ')') {
            if (scanner->depth == 0)
                return fail(error, "\")\" without \"(\"");
            scanner->depth--;
        }
        if (*scanner->at == '\n') {
            if (scanner->depth == 0)
                return true;
            scanner->line++;
            continue;
        }
        if (!is_blank(*scanner->at) && *scanner->at != '(' && *scanner->at != ')')
            return true;
    }
}

/* Reads one line, or the lines that parentheses make one. */
static bool scan_line(ZoneScanner *scanner, GError **error)
{
    scanner->entry.line = scanner->line;
    scanner->entry.has_owner = !is_blank(*scanner->at);
    for (;;) {
        if (!skip_blanks(scanner, error))
            return false;
        if (*scanner->at == '\n' || *scanner->at == '\0')
            break;
        if (!scan_token(scanner, error))
            return false;
    }
    if (scanner->depth > 0)
        return fail(error, "\"(\" is not closed");
    if (*scanner->at == '\n') {
        scanner->at++;
        scanner->line++;
    }
    return true;
}

bool zone_scanner_next(ZoneScanner *scanner, GError **error)
{
    g_ptr_array_set_size(scanner->entry.tokens, 0);
    while (scanner->entry.tokens->len == 0) {
        if (*scanner->at == '\0')
            return false;
        if (!scan_line(scanner, error))
            return false;
    }
    return true;
}
