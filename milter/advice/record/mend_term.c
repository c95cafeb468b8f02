#include "config.h"

#include "advice/record/mend_term.h"

#include <stdio.h>
#include <string.h>

#include "advice/record/clean.h"
#include "advice/record/mend_value.h"
#include "base/domain_name.h"
#include "spf/record.h"

#define WRAPPERS "\"'`\\<>()[]{}" CLEAN_CONTROL
#define LISTERS ",;|" /* what parts the values of a list */
#define DEPTH_MAX 16  /* of terms glued to each other */

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

/* Does a term begin here? A sign before "a", "mx" and "ptr" must not be one that names have. */
static bool begins_term(const char *at)
{
    static const char *const hosts[] = {"a", "mx", "ptr"};
    gsize qualifiers = strspn(at, CLEAN_SIGNS);
    const char *name = at + qualifiers;

    if (qualifiers > 0 && g_ascii_strcasecmp(name, "all") == 0)
        return true;
    for (gsize i = 0; qualifiers > 0 && i < G_N_ELEMENTS(hosts); i++) {
        gsize length = strlen(hosts[i]);

        if (g_ascii_strncasecmp(name, hosts[i], length) != 0)
            continue;
        if (name[length] == '\0' || (*at != '-' && strchr("+~?-", name[length]) != NULL))
            return true;
    }
    for (gsize i = 0; i < G_N_ELEMENTS(beginnings); i++)
        if (g_ascii_strncasecmp(name, beginnings[i], strlen(beginnings[i])) == 0)
            return true;
    return false;
}

/* The length of a mechanism's name that value begins with, whatever stands behind it; 0: none. */
static gsize keyword_length(const char *value)
{
    static const char *const keywords[] = {"include", "redirect", "exists", "ip4",
                                           "ip6",     "ipv4",     "ipv6"};

    for (gsize i = 0; i < G_N_ELEMENTS(keywords); i++) {
        gsize length = strlen(keywords[i]);

        if (g_ascii_strncasecmp(value, keywords[i], length) == 0 && !g_ascii_isalnum(value[length]))
            return length;
    }
    return 0;
}

bool mend_term_may_begin(const char *text)
{
    static const char *const alone[] = {"a", "mx", "ptr", "all"};
    const char *name = text + strspn(text, CLEAN_SIGNS);
    gsize length = strcspn(name, "_/");

    for (gsize i = 0; i < G_N_ELEMENTS(alone); i++)
        if (length == strlen(alone[i]) && g_ascii_strncasecmp(name, alone[i], length) == 0)
            return true;
    return begins_term(text);
}

bool mend_term_is_include(const char *text)
{
    gsize length = strlen("include");

    return g_ascii_strncasecmp(text, "include", length) == 0 && text[length] != '\0' &&
           strchr(".-/", text[length]) != NULL && mend_value_count_labels(text + length + 1) > 0;
}

/* May value begin with the name of a mechanism whose colon is lost: "includex.org", "ip4x.org"? */
static bool begins_with_name(const char *value)
{
    static const char *const lost[] = {"redirect", "exists", "ip4", "ip6", "ipv4",
                                       "ipv6",     "incl",   "mx_", "a_"};

    for (gsize i = 0; i < G_N_ELEMENTS(lost); i++)
        if (g_ascii_strncasecmp(value, lost[i], strlen(lost[i])) == 0)
            return true;
    for (gsize length = strlen("include") - 1; length <= strlen("include") + 1; length++)
        if (strlen(value) > length && distance(value, length, "include", 2) <= 2)
            return true;
    return false;
}

/* A host or an address without a mechanism's name. */
static char *mend_bare(const char *value)
{
    g_autofree char *network = mend_value_network(value);
    g_autofree char *domain = mend_value_domain(value);

    if (network != NULL)
        return g_steal_pointer(&network);
    if (begins_with_name(value))
        return NULL;
    if (domain == NULL || strcmp(domain, value) != 0)
        return NULL;
    return g_strdup_printf("%s:%s", strstr(domain, "spf") != NULL ? "include" : "a", domain);
}

RecordTermKind mend_term_kind(const char *word)
{
    gsize length = strcspn(word, ":=");
    const Name *name =
        word[length] == '\0' || word[length + 1] == '\0' ? find_name(word, length) : NULL;

    return name != NULL ? name->kind : RECORD_WRONG;
}

/* What stands behind the name of a mechanism for addresses, or the word itself. */
static const char *address_begun(const char *word)
{
    gsize length = strcspn(word, ":=");
    const Name *name = find_name(word, length);

    if (name == NULL || (name->kind != RECORD_IP4 && name->kind != RECORD_IP6))
        return mend_term_is_right(word) ? "" : word;
    return word + length + strspn(word + length, ":=" CLEAN_SIGNS);
}

bool mend_term_goes_on(const char *before, const char *text)
{
    static const char outer[] = CLEAN_SIGNS WRAPPERS LISTERS;
    static const char *const joints[] = {"", ":", "."};
    const char *next = text + strspn(text, outer);
    g_autofree char *word = g_strdup(before + strspn(before, outer));
    g_autofree char *rest = g_strndup(next, strcspn(next, WRAPPERS LISTERS));
    const char *begun;
    gsize length = strlen(word), begun_length;

    while (length > 0 && strchr(outer, word[length - 1]) != NULL)
        word[--length] = '\0';
    begun = address_begun(word);
    begun_length = strspn(begun, "0123456789abcdefABCDEF:.");
    if (g_ascii_strncasecmp(word, "ip", 2) == 0 && *begun == '\0' && strchr("46", *rest) != NULL)
        return rest[0] != '\0' && strchr(":=", rest[1]) != NULL; /* "ip" and "6:2001:db8::1" */
    if (begun_length == 0 || begun[begun_length] == '/')
        return false;
    for (gsize i = 0; i < G_N_ELEMENTS(joints); i++) {
        g_autofree char *joined =
            g_strdup_printf("%.*s%s%s", (int)begun_length, begun, joints[i], rest);
        g_autofree char *network = mend_value_network(joined);

        if (network != NULL)
            return true;
    }
    return false;
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
    g_autofree char *network = mend_value_network(value);
    g_autofree char *domain = mend_value_domain(value);
    g_autofree char *lengths = mend_lengths(slash);

    if (network != NULL)
        return g_steal_pointer(&network);
    if (value[strspn(value, ":=. ")] == '\0' ||
        (slash == value && value[strspn(value, "/.0123456789")] == '\0'))
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
        if (domain != NULL && domain[strspn(domain, "0123456789")] == '.')
            return NULL; /* "ip4:192.0.2.a1" is no name */
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

/*
 * The length of the name at the beginning of text, and of what stands between it and its value if
 * that isn't ":" or "=": "include.x.org", "ip4-192.0.2.1", "include/x.org". "a.x.org" is a host,
 * "a.mail.x.org" more likely "a:mail.x.org".
 */
static gsize name_length(const char *text, gsize *gap)
{
    gsize length = keyword_length(text);

    *gap = length > 0 ? strspn(text + length, ".-/|" WRAPPERS) : 0;
    if (*gap > 0)
        return length;
    if (g_ascii_strncasecmp(text, "a.", 2) == 0 && mend_value_count_labels(text + 2) > 2) {
        *gap = 1;
        return 1;
    }
    return strcspn(text, ":=/.!*~+?");
}

/*
 * Skips the sign of a term. Sets qualifier to the one that stands there; to '~' if something does
 * that may have been one and can't be read; to '\0' if there is nothing.
 */
static const char *skip_sign(const char *text, char *qualifier)
{
    gsize count = strspn(text, CLEAN_SIGNS "!*^#=:/." CLEAN_UNKNOWN);

    if (text[count] == '_' && begins_term(text + count + 1))
        count++;
    *qualifier = qualifier_of(text, count);
    if (count > 0 && *qualifier == '\0')
        *qualifier = '~';
    return text + count;
}

/* A value that is a term by itself: "a:include:x.org". NULL: it isn't. */
static const char *nested(const char *value)
{
    static const char *const beginners[] = {"include:", "ip4:", "ip6:"};

    value += strspn(value, ":= ");
    for (gsize i = 0; i < G_N_ELEMENTS(beginners); i++)
        if (g_ascii_strncasecmp(value, beginners[i], strlen(beginners[i])) == 0)
            return value;
    return NULL;
}

/* The sign of a term that has something before it: "x-include:x.org". NULL: there is none. */
static const char *sign_inside(const char *text)
{
    for (gsize i = 1; i <= 2 && text[i - 1] != '\0'; i++)
        if (text[i] != '\0' && strchr("-~?", text[i]) != NULL && begins_term(text + i))
            return text + i;
    return NULL;
}

/* One term of text, or NULL; it may not be right. */
static char *mend_single(const char *text)
{
    const char *sign = sign_inside(text);
    char qualifier;
    const char *rest = skip_sign(text, &qualifier);
    gsize gap;
    gsize length = name_length(rest, &gap);
    const Name *name = find_name(rest, length);
    g_autofree char *mended = NULL;

    if (sign != NULL)
        return mend_single(sign);
    if (name != NULL && nested(rest + length) != NULL)
        mended = mend_single(nested(rest + length));
    else if (name != NULL && name->kind == RECORD_ALL) {
        if (may_be_all(rest, length, qualifier))
            mended = g_strdup("all");
    } else if (name != NULL && (gap > 0 || rest[length] != '.')) {
        mended = mend_named(name, rest + length + gap);
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
    gsize qualifiers = strspn(text, CLEAN_SIGNS);
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

/* The terms that a word was meant as. */
typedef struct {
    GPtrArray *terms;
    bool has_lost;   /* something that may refuse senders can't be read for certain */
    bool has_unread; /* nothing could be made of a part */
} Meant;

static void add_part(Meant *meant, const char *text)
{
    char *narrow = narrowed(text);

    g_ptr_array_add(meant->terms, narrow != NULL ? narrow : g_strdup(text));
}

static void mend_into(Meant *meant, const char *text, guint depth);

/* May text refuse senders, in whole or in part? */
static bool may_refuse(const char *text)
{
    char qualifier;

    skip_sign(text, &qualifier);
    if (qualifier != '\0' && qualifier != '+')
        return true;
    for (const char *at = text; *at != '\0'; at++)
        if (strchr("-~?", *at) != NULL && begins_term(at))
            return true;
    return false;
}

/* Of "2001:db8::a:1" what stands before "a:" is no address of its own; of "include:spf.ma:x.org"
 * "spf.m" is no name. */
static bool may_end(const char *first, const char *next)
{
    bool is_hexadecimal = g_ascii_strncasecmp(next, "a:", 2) == 0;
    const char *dot = strrchr(first, '.');
    g_autofree char *label = dot != NULL ? g_ascii_strdown(dot + 1, -1) : g_strdup("");

    if (is_hexadecimal && *label != '\0' && !g_ascii_isdigit(*label) &&
        !domain_name_is_top_level(label))
        return false;

    if (strchr(":=" CLEAN_SIGNS, first[strlen(first) - 1]) != NULL)
        return false;
    return !is_hexadecimal || strstr(first, "ip6") == NULL;
}

/* Splits text between one term, which is right, and the next. */
static bool mend_glued(Meant *meant, const char *text, guint depth)
{
    for (gsize i = 1; text[i] != '\0'; i++) {
        g_autofree char *first = NULL;
        g_autofree char *mended = NULL;

        if (!begins_term(text + i))
            continue;
        first = g_strndup(text, i);
        if (!may_end(first, text + i))
            continue;
        if (!mend_term_is_right(first))
            mended = mend_single(first);
        if (mended == NULL ? !mend_term_is_right(first) : !mend_term_is_right(mended))
            continue;
        /* "ainclude:x.org" has a letter too much; "a" may not be meant. */
        if (strcmp(first + strspn(first, CLEAN_SIGNS), "a") == 0 &&
            strchr(CLEAN_SIGNS, text[i]) == NULL) {
            g_autofree char *signed_rest =
                g_strdup_printf("%.*s%s", (int)strspn(first, CLEAN_SIGNS), first, text + i);

            mend_into(meant, signed_rest, depth + 1);
            return true;
        }
        add_part(meant, mended != NULL ? mended : first);
        mend_into(meant, text + i, depth + 1);
        return true;
    }
    return false;
}

static bool has_value(const char *term)
{
    return strpbrk(term, ":=") != NULL;
}

/*
 * What a part of a list was meant as: "192.0.2.2" in "ip4:192.0.2.1,192.0.2.2" goes on with the
 * mechanism before it. NULL if it may be a piece of the value before it: of a host without a
 * mechanism's name behind a quote nobody knows.
 */
static char *part_meant(const Meant *list, const char *part, bool is_listed)
{
    const char *last =
        list->terms->len > 0 ? g_ptr_array_index(list->terms, list->terms->len - 1) : NULL;
    const char *colon = last != NULL ? strchr(last, ':') : NULL;
    g_autofree char *network = mend_value_network(part);

    if (network != NULL || !mend_value_is_bare(part))
        return g_strdup(part);
    if (last == NULL)
        return list->has_unread ? NULL : g_strdup(part);
    if (colon == NULL) /* "mx,x.org" may have been "mx:x.org" */
        return NULL;
    if (!is_listed || list->has_unread || g_ascii_strncasecmp(last, "ip", 2) == 0)
        return NULL;
    return g_strdup_printf("%.*s:%s", (int)(colon - last), last, part);
}

/* Adds what part was meant as. Returns false if it may be a piece of what stands before it: then
 * that is not whole, either. */
static bool mend_part(Meant *list, const char *part, bool is_listed, bool was_length, guint depth)
{
    guint before = list->terms->len;
    const char *last = before > 0 ? g_ptr_array_index(list->terms, before - 1) : "";
    g_autofree char *whole = part_meant(list, part, is_listed);

    if (has_value(last) && g_ascii_isdigit(*part) && !was_length && !mend_value_is_bare(part))
        return false;
    if (whole != NULL)
        mend_into(list, whole, depth + 1);
    if (list->terms->len > before)
        return true;
    if (was_length && g_ascii_isdigit(*part))
        return true; /* of "192.0.2.0/2{4" the length was not believed */
    list->has_unread = true;
    if (!has_value(last) && !mend_value_is_bare(part))
        return true;
    return !g_ascii_isalnum(*part) && strchr("._-/", *part) == NULL;
}

static void take_list(Meant *meant, const Meant *list)
{
    for (guint i = 0; i < list->terms->len; i++)
        g_ptr_array_add(meant->terms, g_strdup(g_ptr_array_index(list->terms, i)));
    meant->has_lost |= list->has_lost;
}

static bool mend_list(Meant *meant, const char *text, guint depth)
{
    g_autoptr(GPtrArray) terms = g_ptr_array_new_with_free_func(g_free);
    Meant list = {.terms = terms};
    bool is_listed = true, was_length = false;
    g_autofree char *before = g_strdup("");

    if (strpbrk(text, LISTERS WRAPPERS) == NULL)
        return false;
    for (const char *at = text; *at != '\0';) {
        gsize length = strcspn(at, LISTERS WRAPPERS);
        g_autofree char *part = g_strndup(at, length);

        if (length > 0 && (mend_term_goes_on(before, part) ||
                           !mend_part(&list, part, is_listed, was_length, depth))) {
            meant->has_lost |= may_refuse(text);
            return true;
        }
        if (length > 0) {
            g_free(before);
            before = g_strdup(part);
        }
        at += length;
        length = strspn(at, LISTERS WRAPPERS);
        is_listed = strcspn(at, WRAPPERS) >= length;
        was_length = strchr(part, '/') != NULL;
        at += length;
    }
    take_list(meant, &list);
    return true;
}

static bool is_of_name(char octet)
{
    return g_ascii_isalnum(octet) || (octet != '\0' && strchr("-_.", octet) != NULL);
}

/* Without quotes and brackets, but for those between two parts of names; nor anything else that
 * parts words beside the colon of a term. */
static char *unwrapped(const char *text)
{
    GString *bare = g_string_new(NULL);

    while (*text != '\0') {
        char before = bare->len > 0 ? bare->str[bare->len - 1] : '\0';
        gsize listers = strspn(text, WRAPPERS LISTERS);
        bool is_beside = (before != '\0' && strchr(":=", before) != NULL) ||
                         (text[listers] != '\0' && strchr(":=", text[listers]) != NULL);
        gsize run = is_beside ? listers : strspn(text, WRAPPERS);
        bool is_inside = is_of_name(before) && is_of_name(text[run]);

        if (run == 0)
            g_string_append_c(bare, *text++);
        else if (is_inside)
            g_string_append_len(bare, text, (gssize)run);
        text += run;
    }
    return g_string_free(bare, FALSE);
}

/* A term that refuses senders and lost its prefix length refuses fewer. */
static bool refuses_less(const char *text, const char *mended)
{
    return strchr("-~?", *mended) != NULL && strpbrk(text, "/*") != NULL &&
           strchr(mended, '/') == NULL && strstr(mended, "all") == NULL;
}

static void mend_alone(Meant *meant, const char *text)
{
    g_autofree char *mended = mend_single(text);

    if (mended == NULL || !mend_term_is_right(mended)) {
        meant->has_lost |= may_refuse(text);
        return;
    }
    meant->has_lost |= refuses_less(text, mended);
    g_ptr_array_add(meant->terms, g_steal_pointer(&mended));
}

/* "include(x.org" */
static bool is_wrapped_value(const char *text)
{
    char qualifier;
    const char *rest = skip_sign(text, &qualifier);
    gsize length = keyword_length(rest);
    gsize gap = strspn(rest + length, WRAPPERS);

    return length > 0 && gap > 0 && strpbrk(rest + length + gap, LISTERS WRAPPERS) == NULL;
}

static void mend_into(Meant *meant, const char *text, guint depth)
{
    bool has_macro = strchr(text, '%') != NULL;
    g_autofree char *bare = has_macro ? NULL : unwrapped(text);

    if (depth > DEPTH_MAX) {
        meant->has_lost = true;
        return;
    }
    if (*text == '\0')
        return;
    if (mend_term_is_right(text)) {
        add_part(meant, text);
        return;
    }
    if (bare != NULL && strcmp(bare, text) != 0) {
        mend_into(meant, bare, depth + 1);
        return;
    }
    if (!has_macro && !is_wrapped_value(text) && mend_list(meant, text, depth))
        return;
    if (!mend_glued(meant, text, depth))
        mend_alone(meant, text);
}

char **mend_term(const char *text, bool *has_lost)
{
    g_autoptr(GPtrArray) terms = g_ptr_array_new();
    Meant meant = {.terms = terms, .has_lost = strlen(text) > MEND_TERM_MAX};

    if (!meant.has_lost)
        mend_into(&meant, text, 0);
    *has_lost = meant.has_lost;
    g_ptr_array_add(terms, NULL);
    return (char **)g_ptr_array_free(g_steal_pointer(&terms), FALSE);
}
