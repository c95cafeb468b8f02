#include "config.h"

#include "advice/record/mend_term.h"

#include <string.h>

#include "advice/record/mend_value.h"
#include "spf/record.h"

#define QUALIFIERS "+-~?"
#define SEPARATORS ",;|\"'`\\<>()[]{}"
#define NOT_ASCII '\x7f' /* what mend.c has for a character that it doesn't know */
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

/* What a term can begin with where it is glued to the one before. */
static const char *const beginnings[] = {"include:",  "ip4:", "ip6:", "ipv4:", "ipv6:", "exists:",
                                         "redirect=", "mx:",  "ptr:", "a:",    "exp="};

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
    g_autofree char *network = mend_value_network(value);
    g_autofree char *domain = mend_value_domain(value);

    if (network != NULL)
        return g_steal_pointer(&network);
    if (domain == NULL || strcmp(domain, value) != 0)
        return NULL;
    return g_strdup_printf("%s:%s", strstr(domain, "spf") != NULL ? "include" : "a", domain);
}

bool mend_term_is_bare_value(const char *text)
{
    g_autofree char *network = mend_value_network(text);
    g_autofree char *domain = network == NULL ? mend_value_domain(text) : NULL;

    if (network != NULL)
        return true;
    return domain != NULL && strlen(domain) == strlen(text);
}

/* "/24", "//64" or "/24//64" at the end of a or mx, where they are possible; else "". */
static char *mend_lengths(const char *slash)
{
    g_autofree char *tried = g_strconcat("a", slash != NULL ? slash : "", NULL);

    return g_strdup(mend_term_is_right(tried) ? tried + 1 : "");
}

static char *mend_hosts(const char *name, const char *value)
{
    const char *slash = strchr(value, '/');
    g_autofree char *network = mend_value_network(value);
    g_autofree char *domain = mend_value_domain(value);
    g_autofree char *lengths = mend_lengths(slash);

    if (network != NULL)
        return g_steal_pointer(&network);
    if (value[strspn(value, ":=. ")] == '\0' || slash == value)
        return g_strconcat(name, lengths, NULL);
    return domain != NULL ? g_strconcat(name, ":", domain, lengths, NULL) : NULL;
}

static char *mend_named(const Name *name, const char *value)
{
    g_autofree char *network = mend_value_network(value);
    g_autofree char *domain = mend_value_domain(value);

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

/* "all" itself, whatever follows, or nearly so where a qualifier says that no host is meant. */
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
        qualifier = '~'; /* who mistypes all didn't mean to let everybody pass */
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
        return mend_value_network(name + length);
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

/* Splits text where one term ends and the next begins, the first of them right. */
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
