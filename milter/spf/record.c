#include "config.h"

#include "spf/record.h"

#include <arpa/inet.h>
#include <glib/gi18n.h>
#include <string.h>

#include "spf/macro.h"

#define VERSION "v=spf1"
#define TEXT_MAX 65535 /* octets of a TXT record */

bool record_is_spf(const char *text, gsize length)
{
    gsize version = strlen(VERSION);

    if (length < version || g_ascii_strncasecmp(text, VERSION, version) != 0)
        return false;
    return length == version || text[version] == ' ';
}

/* What stands behind a mechanism's name. */
typedef enum {
    VALUE_NONE,
    VALUE_DOMAIN,       /* ":" domain-spec */
    VALUE_MAYBE_DOMAIN, /* [":" domain-spec] */
    VALUE_HOSTS,        /* [":" domain-spec] [dual-cidr-length] */
    VALUE_IP4,
    VALUE_IP6,
} Value;

static const struct mechanism {
    const char *name;
    RecordTermKind kind;
    Value value;
} mechanisms[] = {
    {"ip4", RECORD_IP4, VALUE_IP4},
    {"include", RECORD_INCLUDE, VALUE_DOMAIN},
    {"a", RECORD_A, VALUE_HOSTS},
    {"mx", RECORD_MX, VALUE_HOSTS},
    {"ip6", RECORD_IP6, VALUE_IP6},
    {"all", RECORD_ALL, VALUE_NONE},
    {"ptr", RECORD_PTR, VALUE_MAYBE_DOMAIN},
    {"exists", RECORD_EXISTS, VALUE_DOMAIN},
};

/* The octets from at to end: the part of a term that is still to be read. */
typedef struct {
    const char *at;
    const char *end;
} Span;

static gsize span_length(Span span)
{
    return (gsize)(span.end - span.at);
}

/* toplabel: letters, digits and inner hyphens, not digits alone. */
static bool is_top_label(Span label)
{
    bool has_other = false;

    if (span_length(label) == 0 || *label.at == '-' || label.end[-1] == '-')
        return false;
    for (; label.at < label.end; label.at++) {
        if (!g_ascii_isalnum(*label.at) && *label.at != '-')
            return false;
        has_other = has_other || !g_ascii_isdigit(*label.at);
    }
    return has_other;
}

/* domain-end, if no macro ends the domain-spec: "." toplabel ["."]. */
static bool ends_in_top_label(Span literal)
{
    const char *dot;

    if (literal.end[-1] == '.')
        literal.end--;
    dot = g_strrstr_len(literal.at, (gssize)span_length(literal), ".");
    return dot != NULL && is_top_label((Span){dot + 1, literal.end});
}

static const char *check_macro_string(Span text, bool is_explanation, Span *last_literal)
{
    MacroPiece piece;

    *last_literal = (Span){text.end, text.end};
    while (text.at < text.end) {
        const char *next = macro_scan(text.at, text.end, &piece);

        if (next == NULL)
            return N_("a \"%\" must be followed by \"%\", \"_\", \"-\" or a macro such as {i}");
        if (!is_explanation && piece.letter != '\0' && strchr("crt", piece.letter) != NULL)
            return N_("the macros c, r and t are allowed in explanations only");
        if (piece.letter == '\0' && next == text.end)
            *last_literal = text;
        text.at = next;
    }
    return NULL;
}

static const char *parse_domain_spec(Span text, bool is_explanation, const Record *record,
                                     RecordTerm *term)
{
    const char *problem;
    Span literal;

    if (span_length(text) == 0)
        return N_("a domain is missing");
    problem = check_macro_string(text, is_explanation, &literal);
    if (problem != NULL)
        return problem;
    if (span_length(literal) > 0 && !ends_in_top_label(literal))
        return N_("that is not a complete domain, such as example.org");
    term->spec_offset = (guint32)(text.at - record->text);
    term->spec_length = (guint32)span_length(text);
    return NULL;
}

/* Reads a prefix length without leading zeros. Returns -1 if it isn't one. */
static int parse_prefix_length(Span digits, int max)
{
    int value = 0;

    if (span_length(digits) == 0 || span_length(digits) > 3)
        return -1;
    if (*digits.at == '0' && span_length(digits) > 1)
        return -1;
    for (; digits.at < digits.end; digits.at++) {
        if (!g_ascii_isdigit(*digits.at))
            return -1;
        value = value * 10 + g_ascii_digit_value(*digits.at);
    }
    return value <= max ? value : -1;
}

/*
 * Cuts slashes ("/" or "//") and the digits behind them off the end of text. If there are none,
 * length stays as it is.
 */
static bool cut_prefix_length(Span *text, const char *slashes, int max, guint8 *length)
{
    gsize count = strlen(slashes);
    const char *digits = text->end;
    int value;

    while (digits > text->at && g_ascii_isdigit(digits[-1]))
        digits--;
    if (digits == text->end || (gsize)(digits - text->at) < count ||
        strncmp(digits - count, slashes, count) != 0)
        return true;
    value = parse_prefix_length((Span){digits, text->end}, max);
    if (value < 0)
        return false;
    *length = (guint8)value;
    text->end = digits - count;
    return true;
}

static const char *parse_hosts(Span text, const Record *record, RecordTerm *term)
{
    if (!cut_prefix_length(&text, "//", 128, &term->cidr6))
        return N_("the number behind \"//\" must be 0 to 128");
    if (!cut_prefix_length(&text, "/", 32, &term->cidr4))
        return N_("the number behind \"/\" must be 0 to 32");
    if (span_length(text) == 0)
        return NULL;
    if (*text.at != ':')
        return N_("only \":\" and a domain, or \"/\" and a number may follow");
    return parse_domain_spec((Span){text.at + 1, text.end}, false, record, term);
}

/* Splits "network/length" and reads the length, by default bits. */
static const char *cut_network_length(Span *text, int bits, int *length)
{
    const char *slash = memchr(text->at, '/', span_length(*text));

    *length = bits;
    if (slash == NULL)
        return NULL;
    *length = parse_prefix_length((Span){slash + 1, text->end}, bits);
    text->end = slash;
    if (*length >= 0)
        return NULL;
    return bits == 32 ? N_("the number behind \"/\" must be 0 to 32")
                      : N_("the number behind \"/\" must be 0 to 128");
}

static bool parse_ip4_address(Span text, guint8 octets[4])
{
    for (int i = 0; i < 4; i++) {
        const char *dot = i < 3 ? memchr(text.at, '.', span_length(text)) : text.end;
        int value;

        if (dot == NULL)
            return false;
        value = parse_prefix_length((Span){text.at, dot}, 255);
        if (value < 0)
            return false;
        octets[i] = (guint8)value;
        text.at = i < 3 ? dot + 1 : dot;
    }
    return true;
}

static bool parse_ip6_address(Span text, guint8 octets[16])
{
    char address[INET6_ADDRSTRLEN] = "";

    if (span_length(text) >= sizeof address)
        return false;
    memcpy(address, text.at, span_length(text));
    return inet_pton(AF_INET6, address, octets) == 1;
}

static const char *parse_network(Span text, int family, RecordTerm *term)
{
    Network whole = {.family = (guint8)family, .length = family == AF_INET ? 32 : 128};
    const char *problem;
    int length;

    if (span_length(text) == 0 || *text.at != ':')
        return N_("\":\" and an address are missing");
    text.at++;
    problem = cut_network_length(&text, whole.length, &length);
    if (problem != NULL)
        return problem;
    if (family == AF_INET && !parse_ip4_address(text, whole.octets))
        return N_("that is not an IPv4 address");
    if (family == AF_INET6 && !parse_ip6_address(text, whole.octets))
        return N_("that is not an IPv6 address");
    term->network = network_shortened(&whole, (guint8)length);
    return NULL;
}

static const char *parse_value(Value value, Span text, const Record *record, RecordTerm *term)
{
    switch (value) {
    case VALUE_NONE:
        return span_length(text) == 0 ? NULL : N_("nothing may follow \"all\"");
    case VALUE_MAYBE_DOMAIN:
        if (span_length(text) == 0)
            return NULL;
        G_GNUC_FALLTHROUGH;
    case VALUE_DOMAIN:
        if (span_length(text) == 0 || *text.at != ':')
            return N_("\":\" and a domain are missing");
        return parse_domain_spec((Span){text.at + 1, text.end}, false, record, term);
    case VALUE_HOSTS:
        return parse_hosts(text, record, term);
    case VALUE_IP4:
        return parse_network(text, AF_INET, term);
    case VALUE_IP6:
        return parse_network(text, AF_INET6, term);
    }
    return NULL;
}

static const char *parse_mechanism(Span text, const Record *record, RecordTerm *term)
{
    const char *name = text.at;

    while (text.at < text.end && *text.at != ':' && *text.at != '/')
        text.at++;
    for (gsize i = 0; i < G_N_ELEMENTS(mechanisms); i++) {
        gsize length = strlen(mechanisms[i].name);

        if ((gsize)(text.at - name) != length ||
            g_ascii_strncasecmp(name, mechanisms[i].name, length) != 0)
            continue;
        term->kind = mechanisms[i].kind;
        return parse_value(mechanisms[i].value, text, record, term);
    }
    return N_("there is no such mechanism");
}

static bool is_named(Span name, const char *wanted)
{
    return span_length(name) == strlen(wanted) &&
           g_ascii_strncasecmp(name.at, wanted, strlen(wanted)) == 0;
}

static const char *parse_modifier(Span name, Span value, const Record *record, RecordTerm *term)
{
    Span ignored;

    term->kind = RECORD_MODIFIER;
    if (is_named(name, "redirect"))
        term->kind = RECORD_REDIRECT;
    if (is_named(name, "exp"))
        term->kind = RECORD_EXP;
    if (term->kind != RECORD_MODIFIER) {
        if ((record->kinds & RECORD_KIND(term->kind)) != 0)
            return N_("that may stand in a record only once");
        return parse_domain_spec(value, false, record, term);
    }
    term->spec_offset = (guint32)(value.at - record->text);
    term->spec_length = (guint32)span_length(value);
    return check_macro_string(value, true, &ignored);
}

static bool has_only_allowed_octets(Span text)
{
    for (; text.at < text.end; text.at++)
        if (!g_ascii_isgraph(*text.at))
            return false;
    return true;
}

/* Returns where the modifier's "=" stands, or NULL if the term is a mechanism. */
static const char *find_modifier(Span text)
{
    const char *at = text.at;

    if (!g_ascii_isalpha(*at))
        return NULL;
    while (at < text.end && (g_ascii_isalnum(*at) || strchr("-_.", *at) != NULL))
        at++;
    return at < text.end && *at == '=' ? at : NULL;
}

static const char *parse_term(Span text, const Record *record, RecordTerm *term)
{
    const char *equals;

    if (!has_only_allowed_octets(text))
        return N_("only printable ASCII characters are allowed, words separated by blanks");
    equals = find_modifier(text);
    if (equals != NULL)
        return parse_modifier((Span){text.at, equals}, (Span){equals + 1, text.end}, record, term);
    if (strchr("+-~?", *text.at) != NULL)
        term->qualifier = *text.at++;
    return parse_mechanism(text, record, term);
}

static void add_term(Record *record, Span text)
{
    RecordTerm term = {.qualifier = '+',
                       .cidr4 = 32,
                       .cidr6 = 128,
                       .offset = (guint32)(text.at - record->text),
                       .length = (guint32)span_length(text)};

    term.problem = parse_term(text, record, &term);
    record->kinds |= RECORD_KIND(term.kind);
    if (term.problem != NULL)
        term.kind = RECORD_WRONG;
    g_array_append_val(record->terms, term);
}

static const RecordTerm *find_wrong(const Record *record)
{
    for (guint i = 0; i < record->terms->len; i++)
        if (record_at(record, i)->kind == RECORD_WRONG)
            return record_at(record, i);
    return NULL;
}

Record *record_parse(const char *text, gsize length)
{
    Record *record = g_new0(Record, 1);
    const char *at, *end;

    record->length = MIN(length, TEXT_MAX);
    record->text = g_malloc(record->length + 1);
    memcpy(record->text, text, record->length);
    record->text[record->length] = '\0';
    record->terms = g_array_new(FALSE, FALSE, sizeof(RecordTerm));
    at = record->text + (record_is_spf(text, length) ? strlen(VERSION) : 0);
    end = record->text + record->length;
    while (at < end) {
        const char *blank;

        if (*at == ' ') {
            at++;
            continue;
        }
        blank = memchr(at, ' ', (gsize)(end - at));
        if (blank == NULL)
            blank = end;
        add_term(record, (Span){at, blank});
        at = blank;
    }
    record->wrong = find_wrong(record);
    return record;
}

void record_free(Record *record)
{
    g_array_unref(record->terms);
    g_free(record->text);
    g_free(record);
}

const RecordTerm *record_at(const Record *record, guint position)
{
    return &g_array_index(record->terms, RecordTerm, position);
}

const RecordTerm *record_redirect(const Record *record)
{
    if ((record->kinds & RECORD_KIND(RECORD_REDIRECT)) == 0 ||
        (record->kinds & RECORD_KIND(RECORD_ALL)) != 0)
        return NULL;
    for (guint i = 0; i < record->terms->len; i++)
        if (record_at(record, i)->kind == RECORD_REDIRECT)
            return record_at(record, i);
    return NULL;
}

char *record_term_text(const Record *record, const RecordTerm *term)
{
    gsize length = MIN(term->length, RECORD_SHOWN_MAX);
    char *text = g_strndup(record->text + term->offset, length);

    for (gsize i = 0; i < length; i++)
        if (!g_ascii_isprint(record->text[term->offset + i]))
            text[i] = '?';
    return text;
}

char *record_problem(const Record *record)
{
    g_autofree char *text = NULL;

    if (record->wrong == NULL)
        return NULL;
    text = record_term_text(record, record->wrong);
    return g_strdup_printf("\"%s\" at character %u: %s", text, record->wrong->offset + 1,
                           record->wrong->problem);
}

bool record_is_lookup(RecordTermKind kind)
{
    switch (kind) {
    case RECORD_INCLUDE:
    case RECORD_A:
    case RECORD_MX:
    case RECORD_PTR:
    case RECORD_EXISTS:
    case RECORD_REDIRECT:
        return true;
    case RECORD_ALL:
    case RECORD_IP4:
    case RECORD_IP6:
    case RECORD_EXP:
    case RECORD_MODIFIER:
    case RECORD_WRONG:
        return false;
    }
    return false;
}
