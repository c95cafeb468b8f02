#include "config.h"

#include "advice/record/mend_term.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <string.h>

#include "base/domain_name.h"
#include "base/network.h"
#include "spf/record.h"

#define QUALIFIERS "+-~?"
#define SEPARATORS ",;|\"'`\\<>()[]{}"
#define NOT_ASCII '\x7f' /* what mend.c has for a character that it doesn't know */
#define LENGTH_MAX 320   /* octets of a value */
#define DEPTH_MAX 16     /* of terms glued to each other */

typedef struct {
    const char *name;
    RecordTermKind kind;
    guint typos; /* so many letters may be wrong, missing or too much */
} Name;

static const Name names[] = {
    {"ip4", RECORD_IP4, 1},
    {"ipv4", RECORD_IP4, 0},
    {"ip", RECORD_IP4, 0},
    {"ipv", RECORD_IP4, 0},
    {"ip-4", RECORD_IP4, 0},
    {"iv4", RECORD_IP4, 0},
    {"ip4v", RECORD_IP4, 0},
    {"i4", RECORD_IP4, 0},
    {"ip4address", RECORD_IP4, 0},
    {"ip6", RECORD_IP6, 0},
    {"ipv6", RECORD_IP6, 0},
    {"ip-6", RECORD_IP6, 0},
    {"ip6v", RECORD_IP6, 0},
    {"include", RECORD_INCLUDE, 2},
    {"exists", RECORD_EXISTS, 1},
    {"redirect", RECORD_REDIRECT, 2},
    {"a", RECORD_A, 0},
    {"aaaa", RECORD_A, 0},
    {"host", RECORD_A, 0},
    {"mx", RECORD_MX, 0},
    {"ptr", RECORD_PTR, 0},
    {"exp", RECORD_EXP, 0},
    {"all", RECORD_ALL, 1},
};

/* What a term can begin with if it is glued to the one before. */
static const char *const beginnings[] = {"include:",  "ip4:", "ip6:", "ipv4:", "ipv6:", "exists:",
                                         "redirect=", "mx:",  "ptr:", "a:",    "exp="};

/* Without what may stand around it. */
static char *trim(const char *text)
{
    const char *scheme = strstr(text, "://");
    gsize length;

    if (scheme != NULL)
        text = scheme + strlen("://");
    text += strspn(text, ":= \t[");
    length = strlen(text);
    while (length > 0 && strchr(":=./] \t", text[length - 1]) != NULL)
        length--;
    return length <= LENGTH_MAX ? g_strndup(text, length) : NULL;
}

/* Reads a number of at most three digits, with leading zeros; -1 if it is none. */
static int octet_of(const char *text)
{
    gsize length = strspn(text, "0123456789");
    guint64 value;

    if (length == 0 || length > 3 || text[length] != '\0')
        return -1;
    value = g_ascii_strtoull(text, NULL, 10);
    return value <= 255 ? (int)value : -1;
}

/* "192.0.2.1", or with stars at the end "192.0.2.*". bits: set to 32, or 8 less for each star. */
static bool read_ip4(const char *text, guint8 octets[4], guint *bits)
{
    g_auto(GStrv) parts = g_strsplit(text, ".", 5);

    *bits = 32;
    if (g_strv_length(parts) != 4)
        return false;
    for (guint i = 0; i < 4; i++) {
        int octet = octet_of(parts[i]);
        bool is_star = strcmp(parts[i], "*") == 0 || strcmp(parts[i], "x") == 0;

        if ((!is_star && (octet < 0 || *bits < 32)) || (is_star && i == 0))
            return false;
        *bits -= is_star ? 8 : 0;
        octets[i] = is_star ? 0 : (guint8)octet;
    }
    return true;
}

static guint32 number_of(const guint8 octets[4])
{
    return (guint32)octets[0] << 24 | (guint32)octets[1] << 16 | (guint32)octets[2] << 8 |
           octets[3];
}

/* The prefix length of "255.255.255.0"; -1 if it is no netmask. */
static int length_of_mask(const char *text)
{
    guint8 octets[4];
    guint bits;
    guint32 inverse;

    if (!read_ip4(text, octets, &bits) || bits != 32)
        return -1;
    inverse = ~number_of(octets);
    if ((inverse & (inverse + 1)) != 0)
        return -1;
    return inverse == 0 ? 32 : __builtin_clz(inverse);
}

static int length_of(const char *digits, int max)
{
    int mask = max == 32 ? length_of_mask(digits) : -1;
    int length = octet_of(digits);

    if (mask >= 0)
        return mask;
    return length >= 0 && length <= max ? length : -1;
}

/*
 * A mistyped length that stands for more than what one network has ("/0.0.0.0", "/03") is not
 * believed: then only the address is taken.
 */
static char *network_of(const char *prefix, const char *address, int length, int max)
{
    int least = max == 32 ? 8 : 16;

    return length >= least && length < max ? g_strdup_printf("%s:%s/%d", prefix, address, length)
                                           : g_strdup_printf("%s:%s", prefix, address);
}

static char *text_of_ip4(const guint8 octets[4])
{
    return g_strdup_printf("%d.%d.%d.%d", octets[0], octets[1], octets[2], octets[3]);
}

/* "192.0.2.0-192.0.2.255" or "192.0.2.0-255", if that is one network. */
static char *range_of(const char *text)
{
    const char *dash = strchr(text, '-');
    g_autofree char *low = dash != NULL ? g_strndup(text, (gsize)(dash - text)) : NULL;
    g_autofree char *address = NULL;
    guint8 first[4], last[4];
    guint bits, last_bits;
    guint32 differing;

    if (dash == NULL || !read_ip4(low, first, &bits) || bits != 32)
        return NULL;
    memcpy(last, first, sizeof last);
    if (octet_of(dash + 1) >= 0)
        last[3] = (guint8)octet_of(dash + 1);
    else if (!read_ip4(dash + 1, last, &last_bits) || last_bits != 32)
        return NULL;
    differing = number_of(first) ^ number_of(last);
    if ((differing & (differing + 1)) != 0 || (number_of(first) & differing) != 0)
        return NULL;
    address = text_of_ip4(first);
    return network_of("ip4", address, differing == 0 ? 32 : __builtin_clz(differing), 32);
}

static char *ip4_of(const char *text)
{
    const char *slash = strchr(text, '/');
    gsize length = slash != NULL ? (gsize)(slash - text) : strcspn(text, ":");
    g_autofree char *whole = g_strndup(text, length);
    g_autofree char *address = NULL;
    guint8 octets[4];
    guint bits;

    if (slash == NULL && text[length] == ':' &&
        text[length + 1 + strspn(text + length + 1, "0123456789")] != '\0')
        return NULL;
    if (!read_ip4(whole, octets, &bits))
        return NULL;
    address = text_of_ip4(octets);
    return network_of("ip4", address,
                      slash != NULL ? length_of(slash + 1 + strspn(slash + 1, "/"), 32) : (int)bits,
                      32);
}

static char *ip6_of(const char *text)
{
    g_autofree char *address = g_strndup(text, strcspn(text, "/]"));
    const char *slash = strchr(text, '/');
    guint8 octets[16];

    if (strchr(address, ':') == NULL || inet_pton(AF_INET6, address, octets) != 1)
        return NULL;
    return network_of("ip6", address,
                      slash != NULL ? length_of(slash + 1 + strspn(slash + 1, "/"), 128) : 128,
                      128);
}

/* An address may begin with colons, which trim() takes for ones too much: "::1" alone. */
/*
 * Reads what stands behind the name of a mechanism as it was meant: blanks, ":" and "=" too much,
 * "http://", "user@", brackets and ports are taken off. "192.0.2.1", "192.0.002.1/24",
 * "192.0.2.*", "192.0.2.0-192.0.2.255", "192.0.2.0/255.255.255.0", "[2001:db8::1]" … become
 * "ip4:…" or "ip6:…". An invalid prefix length is left out: the least that can be meant. NULL if
 * text is no network.
 */
static char *network_meant(const char *text)
{
    g_autofree char *trimmed = trim(text);
    char *network;

    if (trimmed == NULL || *trimmed == '\0')
        return NULL;
    network = range_of(trimmed);
    if (network == NULL)
        network = ip4_of(trimmed);
    return network != NULL ? network : ip6_of(trimmed);
}

static bool is_domain(const char *text)
{
    g_autofree char *term = g_strconcat("v=spf1 a:", text, NULL);
    g_autoptr(Record) record = record_parse(term, strlen(term));

    return record->terms->len == 1 && record_at(record, 0)->kind == RECORD_A &&
           record_at(record, 0)->spec_length == strlen(text);
}

/* The same for a domain with at least two labels; macros are taken as they are. NULL if text is no
 * domain. */
static char *domain_meant(const char *text)
{
    g_autofree char *trimmed = trim(text);
    g_autofree char *name = NULL;
    const char *at;

    if (trimmed == NULL)
        return NULL;
    if (strchr(trimmed, '%') != NULL)
        return is_domain(trimmed) ? g_steal_pointer(&trimmed) : NULL;
    at = strrchr(trimmed, '@');
    at = at != NULL ? at + 1 : trimmed;
    name = g_strndup(at, strcspn(at, "/:,;?!"));
    if (strchr(name, '.') == NULL || !is_domain(name))
        return NULL;
    for (const char *octet = name; *octet != '\0'; octet++)
        if (!g_ascii_isalnum(*octet) && strchr("-_.", *octet) == NULL)
            return NULL;
    return g_steal_pointer(&name);
}

/* How many letters differ, up to max + 1. */
static guint distance(const char *a, gsize a_length, const char *b, guint max)
{
    guint row[16];
    gsize b_length = strlen(b);

    if (b_length >= G_N_ELEMENTS(row) || a_length > b_length + max || b_length > a_length + max)
        return max + 1;
    for (guint j = 0; j <= b_length; j++)
        row[j] = j;
    for (guint i = 1; i <= a_length; i++) {
        guint before = row[0];

        row[0] = i;
        for (guint j = 1; j <= b_length; j++) {
            guint replaced = before + (g_ascii_tolower(a[i - 1]) != b[j - 1] ? 1 : 0);

            before = row[j];
            row[j] = MIN(replaced, MIN(row[j], row[j - 1]) + 1);
        }
    }
    return row[b_length];
}

static const Name *find_name(const char *text, gsize length)
{
    for (guint typos = 0; typos <= 2; typos++)
        for (gsize i = 0; i < G_N_ELEMENTS(names); i++)
            if (names[i].typos >= typos && distance(text, length, names[i].name, typos) <= typos)
                return &names[i];
    return NULL;
}

static bool is_host_name(const char *text, gsize length)
{
    for (gsize i = 0; i < length; i++)
        if (!g_ascii_isalnum(text[i]) && strchr("-_.", text[i]) == NULL)
            return false;
    return true;
}

/* Is a domain-spec without macros one that DNS may know, and nothing glued to it? */
static bool is_plausible(const char *spec, gsize length)
{
    static const char *const ends[] = {"-all", "-all."};

    if (memchr(spec, '%', length) != NULL)
        return true;
    for (gsize i = 0; i < G_N_ELEMENTS(ends); i++)
        if (length > strlen(ends[i]) &&
            g_ascii_strncasecmp(spec + length - strlen(ends[i]), ends[i], strlen(ends[i])) == 0)
            return false;
    return is_host_name(spec, length);
}

static bool is_mistaken_modifier(const char *text)
{
    const Name *name = find_name(text, strcspn(text, "="));

    return name != NULL && name->kind != RECORD_REDIRECT && name->kind != RECORD_EXP;
}

static bool is_right_term(const char *text, const Record *record, const RecordTerm *term)
{
    switch (term->kind) {
    case RECORD_WRONG:
        return false;
    case RECORD_MODIFIER:
        return !is_mistaken_modifier(text);
    case RECORD_INCLUDE:
    case RECORD_A:
    case RECORD_MX:
    case RECORD_PTR:
    case RECORD_REDIRECT:
        return is_plausible(record->text + term->spec_offset, term->spec_length);
    case RECORD_ALL:
    case RECORD_IP4:
    case RECORD_IP6:
    case RECORD_EXISTS:
    case RECORD_EXP:
        return true;
    }
    return false;
}

bool mend_term_is_right(const char *text)
{
    g_autofree char *alone = g_strconcat("v=spf1 ", text, NULL);
    g_autoptr(Record) record = record_parse(alone, strlen(alone));

    return record->terms->len == 1 && is_right_term(text, record, record_at(record, 0));
}

/* The softest of several qualifiers in a row; '\0': none. "all" that lets pass was not meant by
 * "+-all". */
static char qualifier_of(const char *text, gsize count)
{
    static const char soft_first[] = "?~-+";

    for (const char *at = soft_first; *at != '\0'; at++)
        if (memchr(text, *at, count) != NULL)
            return *at;
    return '\0';
}

static char *with_qualifier(char qualifier, const char *text)
{
    return qualifier != '\0' ? g_strdup_printf("%c%s", qualifier, text) : g_strdup(text);
}

/* A host or an address without a mechanism's name. */
static char *mend_bare(const char *value)
{
    g_autofree char *network = network_meant(value);
    g_autofree char *domain = domain_meant(value);

    if (network != NULL)
        return g_steal_pointer(&network);
    if (domain == NULL || strcmp(domain, value) != 0)
        return NULL;
    return g_strdup_printf("%s:%s", strstr(domain, "spf") != NULL ? "include" : "a", domain);
}

bool mend_term_is_bare_value(const char *text)
{
    g_autofree char *network = network_meant(text);
    g_autofree char *domain = network == NULL ? domain_meant(text) : NULL;

    if (network != NULL)
        return true;
    return domain != NULL && strlen(domain) == strlen(text);
}

/* "/24", "//64" or "/24//64" at the end of a or mx, if they are possible; else "". */
static char *mend_lengths(const char *slash)
{
    g_autofree char *tried = g_strconcat("a", slash != NULL ? slash : "", NULL);

    return g_strdup(mend_term_is_right(tried) ? tried + 1 : "");
}

static char *mend_hosts(const char *name, const char *value)
{
    const char *slash = strchr(value, '/');
    g_autofree char *network = network_meant(value);
    g_autofree char *domain = domain_meant(value);
    g_autofree char *lengths = mend_lengths(slash);

    if (network != NULL)
        return g_steal_pointer(&network);
    if (value[strspn(value, ":=. ")] == '\0' || slash == value)
        return g_strconcat(name, lengths, NULL);
    return domain != NULL ? g_strconcat(name, ":", domain, lengths, NULL) : NULL;
}

static char *mend_named(const Name *name, const char *value)
{
    g_autofree char *network = network_meant(value);
    g_autofree char *domain = domain_meant(value);

    switch (name->kind) {
    case RECORD_IP4:
    case RECORD_IP6:
        if (network != NULL)
            return g_steal_pointer(&network);
        return domain != NULL ? g_strconcat("a:", domain, NULL) : NULL;
    case RECORD_INCLUDE:
    case RECORD_EXISTS:
        if (network != NULL)
            return g_steal_pointer(&network);
        if (name->kind == RECORD_EXISTS && domain != NULL && strchr(domain, '%') == NULL)
            return g_strconcat("a:", domain, NULL); /* exists would let everybody pass */
        return domain != NULL ? g_strconcat(name->name, ":", domain, NULL) : NULL;
    case RECORD_REDIRECT:
    case RECORD_EXP:
        return domain != NULL ? g_strconcat(name->name, "=", domain, NULL) : NULL;
    case RECORD_A:
        return mend_hosts("a", value);
    case RECORD_MX:
    case RECORD_PTR:
        return mend_hosts(name->name, value);
    case RECORD_ALL:
        return g_strdup("all");
    case RECORD_MODIFIER:
    case RECORD_WRONG:
        return NULL;
    }
    return NULL;
}

/* "all" itself, whatever follows; or nearly "all", if a qualifier says that no host is meant. */
static bool may_be_all(const char *text, gsize length, char qualifier)
{
    if (length == strlen("all") && g_ascii_strncasecmp(text, "all", length) == 0)
        return text[length] != '.' || text[length + 1] == '\0';
    return qualifier != '\0' && text[length] == '\0';
}

/* One term of text, or NULL; it may not be right. */
static char *mend_single(const char *text)
{
    gsize qualifiers = strspn(text, QUALIFIERS);
    char qualifier = qualifier_of(text, qualifiers);
    const char *rest = text + qualifiers;
    gsize length = strcspn(rest, ":=/.!*~+?");
    const Name *name = find_name(rest, length);
    g_autofree char *mended = NULL;

    if (*rest == '!' || *rest == NOT_ASCII)
        return NULL; /* it may have been meant as "-" */
    if (name != NULL && name->kind == RECORD_ALL) {
        if (may_be_all(rest, length, qualifier))
            mended = g_strdup("all");
    } else if (name != NULL && rest[length] != '.') {
        mended = mend_named(name, rest + length);
    }
    if (mended == NULL && (name == NULL || rest[length] != ':'))
        mended = mend_bare(rest);
    if (mended == NULL)
        return NULL;
    if (name != NULL && (name->kind == RECORD_REDIRECT || name->kind == RECORD_EXP))
        qualifier = '\0';
    if ((qualifier == '\0' || qualifier == '+') && strcmp(mended, "all") == 0)
        qualifier = '~'; /* somebody who mistypes all didn't mean to let everybody pass */
    return with_qualifier(qualifier, mended);
}

/*
 * A right term that was found in a wrong word may be the beginning of another one: where it lets
 * everybody pass, or half of them ("192.0.2.0/2{4"), it is made what its owner can have meant.
 */
static char *narrowed(const char *text)
{
    gsize qualifiers = strspn(text, QUALIFIERS);
    const char *name = text + qualifiers;
    const char *slash = strrchr(name, '/');
    gsize length = strcspn(name, ":=/");

    if (qualifiers > 0 && *text != '+')
        return g_strdup(text);
    if (g_ascii_strcasecmp(name, "all") == 0)
        return g_strdup("~all");
    if (length == strlen("exists") && strchr(name, '%') == NULL &&
        g_ascii_strncasecmp(name, "exists", length) == 0)
        return g_strconcat("a", name + length, NULL);
    if (g_ascii_strncasecmp(name, "ip", 2) == 0 && slash != NULL)
        return network_meant(name + length);
    return g_strdup(text);
}

static void add_part(GPtrArray *terms, const char *text)
{
    char *narrow = narrowed(text);

    g_ptr_array_add(terms, narrow != NULL ? narrow : g_strdup(text));
}

static void mend_into(GPtrArray *terms, const char *text, guint depth);

static bool begins_term(const char *at)
{
    gsize qualifiers = strspn(at, QUALIFIERS);

    if (qualifiers > 0 && g_ascii_strcasecmp(at + qualifiers, "all") == 0)
        return true;
    if (qualifiers > 0 && (g_ascii_strcasecmp(at + qualifiers, "mx") == 0 ||
                           g_ascii_strcasecmp(at + qualifiers, "a") == 0))
        return true;
    for (gsize i = 0; i < G_N_ELEMENTS(beginnings); i++)
        if (g_ascii_strncasecmp(at + qualifiers, beginnings[i], strlen(beginnings[i])) == 0)
            return true;
    return false;
}

/* Splits text between one term, which is right, and the next. */
static bool mend_glued(GPtrArray *terms, const char *text, guint depth)
{
    for (gsize i = 1; text[i] != '\0'; i++) {
        g_autofree char *first = NULL;
        g_autofree char *mended = NULL;

        if (!begins_term(text + i))
            continue;
        first = g_strndup(text, i);
        if (!mend_term_is_right(first))
            mended = mend_single(first);
        if (mended == NULL ? !mend_term_is_right(first) : !mend_term_is_right(mended))
            continue;
        add_part(terms, mended != NULL ? mended : first);
        mend_into(terms, text + i, depth + 1);
        return true;
    }
    return false;
}

/* The mechanism's name that a list such as "ip4:192.0.2.1,192.0.2.2" goes on with. */
static char *continue_list(const GPtrArray *terms, const char *part)
{
    const char *last = terms->len > 0 ? g_ptr_array_index(terms, terms->len - 1) : NULL;
    const char *colon = last != NULL ? strchr(last, ':') : NULL;

    if (colon == NULL || !mend_term_is_bare_value(part) || g_ascii_strncasecmp(last, "ip", 2) == 0)
        return g_strdup(part);
    return g_strdup_printf("%.*s:%s", (int)(colon - last), last, part);
}

static bool mend_list(GPtrArray *terms, const char *text, guint depth)
{
    g_auto(GStrv) parts = g_strsplit_set(text, SEPARATORS, -1);
    bool has_separator = parts[0] != NULL && parts[1] != NULL;

    for (char **part = parts; has_separator && *part != NULL; part++) {
        g_autofree char *whole = **part != '\0' ? continue_list(terms, *part) : NULL;

        if (whole != NULL)
            mend_into(terms, whole, depth + 1);
    }
    return has_separator;
}

static void mend_into(GPtrArray *terms, const char *text, guint depth)
{
    g_autofree char *mended = NULL;

    if (depth > DEPTH_MAX || *text == '\0')
        return;
    if (mend_term_is_right(text)) {
        add_part(terms, text);
        return;
    }
    if (strchr(text, '%') == NULL && mend_list(terms, text, depth))
        return;
    if (mend_glued(terms, text, depth))
        return;
    mended = mend_single(text);
    if (mended != NULL && mend_term_is_right(mended))
        g_ptr_array_add(terms, g_steal_pointer(&mended));
}

char **mend_term(const char *text)
{
    g_autoptr(GPtrArray) terms = g_ptr_array_new();

    if (strlen(text) <= MEND_TERM_MAX)
        mend_into(terms, text, 0);
    g_ptr_array_add(terms, NULL);
    return (char **)g_ptr_array_free(g_steal_pointer(&terms), FALSE);
}
