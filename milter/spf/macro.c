#include "config.h"

#include "spf/macro.h"

#include <arpa/inet.h>
#include <string.h>

#include "base/domain_name.h"
#include "dns/dns.h"

#define VALUE_MAX 512 /* octets of what one macro stands for: local part, "@", domain */
#define PARTS_MAX 128 /* a name has no more labels */
/* Octets that are kept while expanding; only the last DOMAIN_NAME_MAX can count. */
#define EXPANSION_MAX 8192

static const char *scan_transformers(const char *at, const char *end, MacroPiece *piece)
{
    bool has_digits = at < end && g_ascii_isdigit(*at);

    for (piece->parts = 0; at < end && g_ascii_isdigit(*at); at++)
        piece->parts = MIN(piece->parts * 10 + (guint)g_ascii_digit_value(*at), PARTS_MAX);
    if (has_digits && piece->parts == 0)
        return NULL; /* section 7.1: must be nonzero */
    piece->is_reversed = at < end && g_ascii_tolower(*at) == 'r';
    return at + piece->is_reversed;
}

/* Reads a macro from the letter on, which stands behind "%{". */
static const char *scan_macro(const char *at, const char *end, MacroPiece *piece)
{
    if (at == end || strchr("slodiphcrtv", g_ascii_tolower(*at)) == NULL || *at == '\0')
        return NULL;
    piece->letter = g_ascii_tolower(*at);
    piece->is_escaped = g_ascii_isupper(*at);
    at = scan_transformers(at + 1, end, piece);
    if (at == NULL)
        return NULL;
    piece->text = at;
    while (at < end && *at != '\0' && strchr(".-+,/_=", *at) != NULL)
        at++;
    piece->length = (gsize)(at - piece->text);
    return at < end && *at == '}' ? at + 1 : NULL;
}

static const char *scan_literal(const char *at, const char *end, MacroPiece *piece)
{
    piece->text = at;
    while (at < end && *at != '%' && g_ascii_isgraph(*at))
        at++;
    piece->length = (gsize)(at - piece->text);
    return piece->length > 0 ? at : NULL;
}

const char *macro_scan(const char *text, const char *end, MacroPiece *piece)
{
    memset(piece, 0, sizeof *piece);
    if (*text != '%')
        return scan_literal(text, end, piece);
    if (text + 1 == end)
        return NULL;
    if (text[1] == '{')
        return scan_macro(text + 2, end, piece);
    if (text[1] != '%' && text[1] != '_' && text[1] != '-')
        return NULL;
    piece->letter = text[1];
    return text + 2;
}

static guint use_of(char letter)
{
    switch (letter) {
    case 's':
    case 'l':
        return MACRO_SENDER | MACRO_FOREIGN;
    case 'i':
        return MACRO_ADDRESS | MACRO_FOREIGN;
    case 'p':
        return MACRO_ADDRESS | MACRO_VALIDATED | MACRO_FOREIGN;
    case 'h':
        return MACRO_HOST | MACRO_FOREIGN;
    case 'o':
    case 'v':
        return MACRO_FOREIGN;
    default:
        return 0;
    }
}

guint macro_uses(const char *spec, gsize length)
{
    const char *end = spec + length;
    guint uses = 0;
    MacroPiece piece;

    if (memchr(spec, '%', length) == NULL)
        return 0;
    while (spec != NULL && spec < end) {
        spec = macro_scan(spec, end, &piece);
        if (spec != NULL)
            uses |= use_of(piece.letter);
    }
    return uses;
}

/* Writes the address as %{i} has it: IPv4 in decimal, IPv6 as 32 nibbles. */
static void address_text(const Network *address, char value[VALUE_MAX])
{
    char *at = value;

    if (address->family == AF_INET) {
        inet_ntop(AF_INET, address->octets, value, VALUE_MAX);
        return;
    }
    for (guint i = 0; i < sizeof address->octets; i++) {
        *at++ = "0123456789abcdef"[address->octets[i] >> 4];
        *at++ = '.';
        *at++ = "0123456789abcdef"[address->octets[i] & 15];
        *at++ = '.';
    }
    at[-1] = '\0';
}

static void value_of(const MacroValues *values, char letter, char value[VALUE_MAX])
{
    value[0] = '\0';
    switch (letter) {
    case 's':
        g_snprintf(value, VALUE_MAX, "%.*s@%s", MACRO_LOCAL_PART_MAX, values->local_part,
                   values->sender);
        break;
    case 'l':
        g_snprintf(value, VALUE_MAX, "%.*s", MACRO_LOCAL_PART_MAX, values->local_part);
        break;
    case 'o':
        g_strlcpy(value, values->sender, VALUE_MAX);
        break;
    case 'd':
        g_strlcpy(value, values->domain, VALUE_MAX);
        break;
    case 'i':
        address_text(values->address, value);
        break;
    case 'p':
        g_strlcpy(value, values->validated != NULL ? values->validated : "unknown", VALUE_MAX);
        break;
    case 'h':
        g_strlcpy(value, values->helo, VALUE_MAX);
        break;
    case 'v':
        g_strlcpy(value, values->address->family == AF_INET ? "in-addr" : "ip6", VALUE_MAX);
        break;
    }
}

/* Appends text; if the macro asks for escaping, octets other than RFC 3986's unreserved ones are
 * written as %XX. */
static void append_escaped(GString *out, const char *text, gsize length, bool is_escaped)
{
    if (!is_escaped) {
        g_string_append_len(out, text, (gssize)length);
        return;
    }
    for (gsize i = 0; i < length; i++) {
        if (g_ascii_isalnum(text[i]) || strchr("-._~", text[i]) != NULL)
            g_string_append_c(out, text[i]);
        else
            g_string_append_printf(out, "%%%02X", (guchar)text[i]);
    }
}

typedef struct {
    const char *text;
    gsize length;
} Part;

/* Splits value at each of the delimiters. Returns how many parts there are. */
static guint split(const char *value, const char *delimiters, gsize count, Part parts[VALUE_MAX])
{
    guint found = 0;
    const char *start = value;

    for (const char *at = value;; at++) {
        if (*at != '\0' && memchr(delimiters, *at, count) == NULL)
            continue;
        parts[found++] = (Part){start, (gsize)(at - start)};
        start = at + 1;
        if (*at == '\0')
            return found;
    }
}

static void append_macro(GString *out, const MacroValues *values, const MacroPiece *piece)
{
    char value[VALUE_MAX];
    Part parts[VALUE_MAX];
    guint count, first;

    value_of(values, piece->letter, value);
    if (piece->parts == 0 && !piece->is_reversed && piece->length == 0) {
        append_escaped(out, value, strlen(value), piece->is_escaped);
        return;
    }
    count = piece->length > 0 ? split(value, piece->text, piece->length, parts)
                              : split(value, ".", 1, parts);
    first = piece->parts > 0 && piece->parts < count ? count - piece->parts : 0;
    for (guint i = first; i < count; i++) {
        /* Reversed first, then the right-hand ones: those are the left-hand ones of the value. */
        const Part *part = &parts[piece->is_reversed ? count - 1 - i : i];

        if (i > first)
            append_escaped(out, ".", 1, piece->is_escaped);
        append_escaped(out, part->text, part->length, piece->is_escaped);
    }
}

static void append_piece(GString *out, const MacroValues *values, const MacroPiece *piece)
{
    switch (piece->letter) {
    case '\0':
        g_string_append_len(out, piece->text, (gssize)piece->length);
        break;
    case '%':
        g_string_append_c(out, '%');
        break;
    case '_':
        g_string_append_c(out, ' ');
        break;
    case '-':
        g_string_append(out, "%20");
        break;
    default:
        append_macro(out, values, piece);
    }
    if (out->len > EXPANSION_MAX) /* the beginning can't count any more */
        g_string_erase(out, 0, (gssize)(out->len - EXPANSION_MAX / 2));
}

/* Cuts labels off the left until the name is short enough. */
static char *shorten(const char *name, gsize length)
{
    const char *start = name;

    if (length > 0 && name[length - 1] == '.')
        length--;
    while (length > DOMAIN_NAME_MAX) {
        const char *dot = memchr(start, '.', length);

        if (dot == NULL)
            break;
        length -= (gsize)(dot + 1 - start);
        start = dot + 1;
    }
    return g_ascii_strdown(start, (gssize)length);
}

char *macro_expand(const MacroValues *values, const char *spec, gsize length)
{
    const char *end = spec + length;
    g_autoptr(GString) out = NULL;
    MacroPiece piece;

    if (memchr(spec, '%', length) == NULL)
        return shorten(spec, length);
    out = g_string_sized_new(256);
    while (spec != NULL && spec < end) {
        spec = macro_scan(spec, end, &piece);
        if (spec != NULL)
            append_piece(out, values, &piece);
    }
    return shorten(out->str, out->len);
}

bool macro_is_name(const char *name)
{
    g_autofree char *text = g_strdelimit(g_strdup(name), " ", '_');

    return dns_is_name(text);
}
