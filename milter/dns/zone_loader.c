#include "config.h"

#include "dns/zone_loader.h"

#include <arpa/inet.h>
#include <stdarg.h>
#include <string.h>

#define TEXT_MAX (64 * 1024 * 1024) /* octets of a zone file */
#define RECORDS_MAX 4096   /* of one name and type: a DNS message can't hold more addresses */
#define TXT_MAX 65535      /* octets of one record's RDATA (RFC 1035 section 3.2.1) */
#define STRING_MAX 255     /* octets of one character-string (RFC 1035 section 3.3) */
#define TTL_MAX 0x7fffffff /* RFC 2181 section 8 */
#define TTL_DEFAULT 3600   /* seconds */

/* The text of a zone file as entries of tokens (RFC 1035 section 5.1): what a token means is left
 * to the caller. */
typedef struct {
    GString *text; /* escapes are resolved; a NUL may stand inside */
    bool is_quoted;
    bool has_escape; /* an octet of text stood there as \. or \046: in a name it would part no
                        labels */
} ZoneToken;

typedef struct {
    guint line;        /* where it begins, from 1 */
    bool has_owner;    /* it begins without a blank: the first token is its owner, or a directive */
    GPtrArray *tokens; /* of ZoneToken; never empty */
} ZoneEntry;

typedef struct {
    const char *at;
    guint line;
    guint depth; /* of parentheses, in which a line's end is a blank */
    ZoneEntry entry;
} ZoneScanner;

#define ZONE_TOKENS_MAX 4096 /* of one entry */

static bool fail(GError **error, const char *format, ...) G_GNUC_PRINTF(2, 3);

static bool fail(GError **error, const char *format, ...)
{
    va_list arguments;

    va_start(arguments, format);
    if (error != NULL)
        *error = g_error_new_valist(DNS_ERROR, DNS_ERROR_FILE, format, arguments);
    va_end(arguments);
    return false;
}

static void token_free(gpointer data)
{
    ZoneToken *token = data;

    g_string_free(token->text, TRUE);
    g_free(token);
}

static void zone_scanner_init(ZoneScanner *scanner, const char *text)
{
    *scanner = (ZoneScanner){.at = text, .line = 1};
    scanner->entry.tokens = g_ptr_array_new_with_free_func(token_free);
}

static void zone_scanner_clear(ZoneScanner *scanner)
{
    g_clear_pointer(&scanner->entry.tokens, g_ptr_array_unref);
}

G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(ZoneScanner, zone_scanner_clear)

static const ZoneToken *zone_entry_at(const ZoneEntry *entry, guint position)
{
    return g_ptr_array_index(entry->tokens, position);
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

/*
 * Goes to the next entry, scanner->entry. Returns false at the end, or with error (DNS_ERROR_FILE)
 * set where the text of that entry can't be one; its line is in scanner->entry.line.
 */
static bool zone_scanner_next(ZoneScanner *scanner, GError **error)
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

/* What is known while the file is read; the last four are of the record at hand. */
typedef struct {
    GHashTable *zone;
    char *origin; /* of relative names */
    char *owner;  /* of the last record; NULL before the first */
    guint32 default_ttl;
    const ZoneEntry *entry;
    guint rdata; /* position of its first token */
    guint32 ttl;
    ZoneNode *node;
} Loader;

static void node_free(gpointer data)
{
    ZoneNode *node = data;

    for (guint type = 0; type < G_N_ELEMENTS(node->answers); type++)
        g_clear_pointer(&node->answers[type], dns_answer_unref);
    g_free(node->cname);
    g_free(node->trouble);
    g_free(node);
}

const char *zone_parent(const char *name)
{
    const char *dot = strchr(name, '.');

    return dot != NULL ? dot + 1 : "";
}

static bool fail_token(GError **error, const ZoneToken *token, const char *wanted)
{
    g_autofree char *shown =
        g_utf8_make_valid(token->text->str, (gssize)MIN(token->text->len, 100));

    return fail(error, "\"%s\" is not %s", shown, wanted);
}

static bool token_is(const ZoneToken *token, const char *word)
{
    return !token->is_quoted && g_ascii_strcasecmp(token->text->str, word) == 0;
}

/* Reads seconds, or numbers with the units w, d, h, m and s: "1h30m". */
static bool parse_ttl(const ZoneToken *token, guint32 *ttl, GError **error)
{
    static const struct {
        char letter;
        guint seconds;
    } units[] = {{'w', 604800}, {'d', 86400}, {'h', 3600}, {'m', 60}, {'s', 1}, {'\0', 1}};
    const char *at = token->text->str;
    guint64 sum = 0;

    do {
        char *end;
        guint64 number = g_ascii_strtoull(at, &end, 10);
        guint unit = 0;

        while (unit < G_N_ELEMENTS(units) && units[unit].letter != g_ascii_tolower(*end))
            unit++;
        if (!g_ascii_isdigit(*at) || unit == G_N_ELEMENTS(units) || number > TTL_MAX)
            return fail_token(error, token, "a TTL; write it like 3600 or 1h");
        sum += number * units[unit].seconds;
        at = *end != '\0' ? end + 1 : end;
    } while (*at != '\0' && sum <= TTL_MAX);
    if (sum > TTL_MAX)
        return fail_token(error, token, "a TTL; it is too large");
    *ttl = (guint32)sum;
    return true;
}

/* Returns a name as lookups have it, "" for the root; NULL with error set. */
static char *parse_name(const Loader *loader, const ZoneToken *token, GError **error)
{
    const char *text = token->text->str;
    g_autofree char *written = NULL;
    g_autofree char *name = NULL;

    if (token_is(token, "@"))
        return g_strdup(loader->origin);
    if (token_is(token, "."))
        return g_strdup("");
    if (g_str_has_suffix(text, "."))
        written = g_strndup(text, strlen(text) - 1);
    else
        written = g_strjoin(*loader->origin != '\0' ? "." : "", text, loader->origin, NULL);
    name = g_ascii_strdown(written, -1);
    if (token->is_quoted || token->has_escape || !dns_is_name(name)) {
        fail_token(error, token, "a name that can be asked for");
        return NULL;
    }
    return g_steal_pointer(&name);
}

/* The node of name, made where it isn't there, and so are its ancestors. */
static ZoneNode *node_of(GHashTable *zone, const char *name)
{
    ZoneNode *node = g_hash_table_lookup(zone, name);

    if (node != NULL)
        return node;
    node = g_new0(ZoneNode, 1);
    g_hash_table_insert(zone, g_strdup(name), node);
    for (name = zone_parent(name); !g_hash_table_contains(zone, name); name = zone_parent(name))
        g_hash_table_insert(zone, g_strdup(name), g_new0(ZoneNode, 1));
    return node;
}

static const ZoneToken *rdata_at(const Loader *loader, guint position)
{
    return zone_entry_at(loader->entry, loader->rdata + position);
}

static guint rdata_count(const Loader *loader)
{
    return loader->entry->tokens->len - loader->rdata;
}

static bool has_record(const DnsAnswer *answer, guint16 preference, const void *data, gsize length)
{
    for (guint i = 0; i < answer->records->len; i++) {
        const DnsRecord *record = dns_answer_at(answer, i);

        if (record->preference == preference && record->length == length &&
            memcmp(record->data, data, length) == 0)
            return true;
    }
    return false;
}

/* The answer that records of type are added to; NULL with error set where the name can't have them.
 */
static DnsAnswer *answer_of(const Loader *loader, DnsType type, GError **error)
{
    DnsAnswer **answer = &loader->node->answers[type];

    if (loader->node->cname != NULL) {
        fail(error, "%s has a CNAME already, and nothing may stand beside it", loader->owner);
        return NULL;
    }
    if (*answer == NULL)
        *answer = dns_answer_new(DNS_NO_DATA, loader->ttl);
    (*answer)->takes_no_mail = type == DNS_MX && (*answer)->records->len == 0;
    (*answer)->ttl = MIN((*answer)->ttl, loader->ttl);
    return *answer;
}

static bool add_record(const Loader *loader, DnsType type, guint16 preference, const void *data,
                       gsize length, GError **error)
{
    DnsAnswer *answer = answer_of(loader, type, error);

    if (answer == NULL)
        return false;
    if (has_record(answer, preference, data, length))
        return true;
    if (answer->records->len == RECORDS_MAX)
        return fail(error, "%s has more than %d records of type %s", loader->owner, RECORDS_MAX,
                    dns_type_text(type));
    answer->status = DNS_FOUND;
    answer->takes_no_mail = false;
    dns_answer_add(answer, preference, data, length);
    return true;
}

/* The root as a target stands for no host at all (RFC 7505): the record is there, but holds no
 * name. */
static bool add_name(const Loader *loader, DnsType type, guint16 preference, const char *name,
                     GError **error)
{
    if (*name == '\0')
        return answer_of(loader, type, error) != NULL;
    return add_record(loader, type, preference, name, strlen(name), error);
}

static bool load_address(Loader *loader, DnsType type, int family, gsize length, GError **error)
{
    guint8 octets[16];

    if (inet_pton(family, rdata_at(loader, 0)->text->str, octets) != 1)
        return fail_token(error, rdata_at(loader, 0),
                          family == AF_INET ? "an IPv4 address" : "an IPv6 address");
    return add_record(loader, type, 0, octets, length, error);
}

static bool load_a(Loader *loader, GError **error)
{
    return load_address(loader, DNS_A, AF_INET, 4, error);
}

static bool load_aaaa(Loader *loader, GError **error)
{
    return load_address(loader, DNS_AAAA, AF_INET6, 16, error);
}

static bool load_mx(Loader *loader, GError **error)
{
    const char *number = rdata_at(loader, 0)->text->str;
    guint64 preference;
    g_autofree char *name = NULL;

    if (!g_ascii_string_to_unsigned(number, 10, 0, G_MAXUINT16, &preference, NULL))
        return fail_token(error, rdata_at(loader, 0), "a preference from 0 to 65535");
    name = parse_name(loader, rdata_at(loader, 1), error);
    return name != NULL && add_name(loader, DNS_MX, (guint16)preference, name, error);
}

static bool load_name(Loader *loader, DnsType type, GError **error)
{
    g_autofree char *name = parse_name(loader, rdata_at(loader, 0), error);

    return name != NULL && add_name(loader, type, 0, name, error);
}

static bool load_ptr(Loader *loader, GError **error)
{
    return load_name(loader, DNS_PTR, error);
}

static bool load_ns(Loader *loader, GError **error)
{
    return load_name(loader, DNS_NS, error);
}

static bool load_strings(Loader *loader, DnsType type, GError **error)
{
    g_autoptr(GString) whole = g_string_new(NULL);

    for (guint i = 0; i < rdata_count(loader); i++) {
        const GString *string = rdata_at(loader, i)->text;

        if (string->len > STRING_MAX)
            return fail(error,
                        "a string of %zu octets; put strings of at most %d behind each other",
                        string->len, STRING_MAX);
        if (whole->len + string->len > TXT_MAX)
            return fail(error, "a TXT record of more than %d octets", TXT_MAX);
        g_string_append_len(whole, string->str, (gssize)string->len);
    }
    return add_record(loader, type, 0, whole->str, whole->len, error);
}

static bool load_txt(Loader *loader, GError **error)
{
    return load_strings(loader, DNS_TXT, error);
}

static bool load_spf(Loader *loader, GError **error)
{
    return load_strings(loader, DNS_SPF, error);
}

static bool has_data(const ZoneNode *node)
{
    for (guint type = 0; type < G_N_ELEMENTS(node->answers); type++)
        if (node->answers[type] != NULL)
            return true;
    return node->cname != NULL || node->trouble != NULL;
}

static bool load_cname(Loader *loader, GError **error)
{
    g_autofree char *name = parse_name(loader, rdata_at(loader, 0), error);

    if (name == NULL)
        return false;
    if (*name == '\0' || has_data(loader->node))
        return fail(error, "%s can't have this CNAME: it is to the root, or not the only record",
                    loader->owner);
    loader->node->cname = g_steal_pointer(&name);
    loader->node->cname_ttl = loader->ttl;
    return true;
}

static bool load_soa(Loader *loader, GError **error)
{
    guint32 minimum;

    if (!parse_ttl(rdata_at(loader, 6), &minimum, error))
        return false;
    loader->node->has_soa = true;
    loader->node->negative_ttl = MIN(minimum, loader->ttl);
    return true;
}

static bool load_trouble(Loader *loader, GError **error)
{
    const ZoneToken *text = rdata_at(loader, 0);

    if (loader->node->cname != NULL || loader->node->trouble != NULL)
        return fail(error, "%s has a CNAME or TROUBLE already", loader->owner);
    loader->node->trouble =
        g_utf8_make_valid(text->text->str, (gssize)MIN(text->text->len, STRING_MAX));
    return true;
}

/* A type that nobody asks for: the owner's name exists, and that is all. */
static bool load_nothing(Loader *loader, GError **error)
{
    (void)loader;
    (void)error;
    return true;
}

static const struct type {
    const char *name;
    guint least, most; /* tokens of RDATA */
    bool (*load)(Loader *loader, GError **error);
} types[] = {
    {"A", 1, 1, load_a},
    {"AAAA", 1, 1, load_aaaa},
    {"MX", 2, 2, load_mx},
    {"TXT", 1, ZONE_TOKENS_MAX, load_txt},
    {"SPF", 1, ZONE_TOKENS_MAX, load_spf},
    {"PTR", 1, 1, load_ptr},
    {"NS", 1, 1, load_ns},
    {"CNAME", 1, 1, load_cname},
    {"SOA", 7, 7, load_soa},
    {"TROUBLE", 1, 1, load_trouble},
    {"CAA", 1, ZONE_TOKENS_MAX, load_nothing},
    {"CDNSKEY", 1, ZONE_TOKENS_MAX, load_nothing},
    {"CDS", 1, ZONE_TOKENS_MAX, load_nothing},
    {"DNSKEY", 1, ZONE_TOKENS_MAX, load_nothing},
    {"DS", 1, ZONE_TOKENS_MAX, load_nothing},
    {"HINFO", 1, ZONE_TOKENS_MAX, load_nothing},
    {"HTTPS", 1, ZONE_TOKENS_MAX, load_nothing},
    {"NAPTR", 1, ZONE_TOKENS_MAX, load_nothing},
    {"NSEC", 1, ZONE_TOKENS_MAX, load_nothing},
    {"NSEC3", 1, ZONE_TOKENS_MAX, load_nothing},
    {"NSEC3PARAM", 1, ZONE_TOKENS_MAX, load_nothing},
    {"RRSIG", 1, ZONE_TOKENS_MAX, load_nothing},
    {"SRV", 1, ZONE_TOKENS_MAX, load_nothing},
    {"SSHFP", 1, ZONE_TOKENS_MAX, load_nothing},
    {"SVCB", 1, ZONE_TOKENS_MAX, load_nothing},
    {"TLSA", 1, ZONE_TOKENS_MAX, load_nothing},
};

/* "TYPE65400" (RFC 3597 section 5) */
static const struct type numbered_type = {"TYPE", 1, ZONE_TOKENS_MAX, load_nothing};

static bool is_numbered_type(const ZoneToken *token)
{
    const char *text = token->text->str;

    return g_ascii_strncasecmp(text, numbered_type.name, strlen(numbered_type.name)) == 0 &&
           g_ascii_string_to_unsigned(text + strlen(numbered_type.name), 10, 0, G_MAXUINT16, NULL,
                                      NULL);
}

static const struct type *find_type(const ZoneToken *token)
{
    for (guint i = 0; i < G_N_ELEMENTS(types); i++)
        if (token_is(token, types[i].name))
            return &types[i];
    return is_numbered_type(token) ? &numbered_type : NULL;
}

static bool load_directive(Loader *loader, GError **error)
{
    const ZoneToken *token = zone_entry_at(loader->entry, 0);
    char *origin;

    if (loader->entry->tokens->len != 2)
        return fail(error, "$ORIGIN and $TTL have one value");
    if (token_is(token, "$TTL"))
        return parse_ttl(zone_entry_at(loader->entry, 1), &loader->default_ttl, error);
    if (!token_is(token, "$ORIGIN"))
        return fail_token(error, token, "known; only $ORIGIN and $TTL are");
    origin = parse_name(loader, zone_entry_at(loader->entry, 1), error);
    if (origin == NULL)
        return false;
    g_free(loader->origin);
    loader->origin = origin;
    return true;
}

static bool load_owner(Loader *loader, GError **error)
{
    char *owner;

    if (!loader->entry->has_owner)
        return loader->owner != NULL ||
               fail(error, "no record stands before it whose owner it could have");
    owner = parse_name(loader, zone_entry_at(loader->entry, 0), error);
    if (owner == NULL)
        return false;
    g_free(loader->owner);
    loader->owner = owner;
    return true;
}

/* Goes over TTL and class, which may stand in either order or not at all, to the type. */
static bool load_ttl(Loader *loader, guint *position, GError **error)
{
    loader->ttl = loader->default_ttl;
    *position = loader->entry->has_owner ? 1 : 0;
    for (; *position < loader->entry->tokens->len; ++*position) {
        const ZoneToken *token = zone_entry_at(loader->entry, *position);

        if (token_is(token, "IN"))
            continue;
        if (!g_ascii_isdigit(token->text->str[0]))
            return true;
        if (!parse_ttl(token, &loader->ttl, error))
            return false;
    }
    return fail(error, "a record without a type");
}

static bool load_record(Loader *loader, GError **error)
{
    guint position;
    const struct type *type;

    if (!load_owner(loader, error) || !load_ttl(loader, &position, error))
        return false;
    type = find_type(zone_entry_at(loader->entry, position));
    if (type == NULL)
        return fail_token(error, zone_entry_at(loader->entry, position), "a known type of record");
    loader->rdata = position + 1;
    if (rdata_count(loader) < type->least || rdata_count(loader) > type->most)
        return fail(error, "%s has the wrong number of values", type->name);
    loader->node = node_of(loader->zone, loader->owner);
    return type->load(loader, error);
}

static bool load_entry(Loader *loader, GError **error)
{
    const ZoneToken *first = zone_entry_at(loader->entry, 0);

    if (loader->entry->has_owner && first->text->str[0] == '$')
        return load_directive(loader, error);
    return load_record(loader, error);
}

static bool load_text(GHashTable *zone, const char *text, guint *line, GError **error)
{
    g_auto(ZoneScanner) scanner = {0};
    Loader loader = {
        .zone = zone, .origin = g_strdup(""), .default_ttl = TTL_DEFAULT, .entry = &scanner.entry};
    GError *problem = NULL;

    zone_scanner_init(&scanner, text);
    while (zone_scanner_next(&scanner, &problem) && load_entry(&loader, &problem))
        ;
    *line = scanner.entry.line;
    g_free(loader.origin);
    g_free(loader.owner);
    if (problem == NULL)
        return true;
    g_propagate_error(error, problem);
    return false;
}

GHashTable *zone_load(const char *text, const char *file, GError **error)
{
    g_autoptr(GHashTable) zone = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, node_free);
    guint line = 1;

    if (strlen(text) > TEXT_MAX) {
        fail(error, "%s: a zone file has at most %d MiB", file, TEXT_MAX / 1024 / 1024);
        return NULL;
    }
    g_hash_table_insert(zone, g_strdup(""), g_new0(ZoneNode, 1));
    if (!load_text(zone, text, &line, error)) {
        g_prefix_error(error, "%s:%u: ", file, line);
        return NULL;
    }
    return g_steal_pointer(&zone);
}
