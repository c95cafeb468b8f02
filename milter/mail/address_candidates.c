#include "config.h"

#include "mail/address_candidates.h"

#include <stdbool.h>
#include <string.h>

#include "base/domain_name.h"
#include "mail/address_reader.h"
#include "mail/encoded_words.h"

#define CANDIDATES_MAX 64 /* more of them are no single author */

/* Where a candidate stands; a lower value counts before a higher one. */
typedef enum { PLACE_OUTSIDE, PLACE_COMMENT, PLACE_QUOTED, PLACES } Place;

typedef struct {
    const char *start; /* in the text */
    const char *end;
    Place place;
    bool is_in_angle;
    AddressRead *address; /* NULL: it may be read in several ways */
    char *domain_name;
} Candidate;

typedef struct {
    const char *text;
    const char *end;
    const char *inside; /* between these two an address may stand: in quotes, in a comment, … */
    const char *inside_end; /* … or in the whole text */
    const char *quote;      /* the quoted string read last: its first octet … */
    const char *quote_end;  /* … and what stands behind it */
    Place place;
    bool is_in_angle;
    bool has_sign[PLACES]; /* an "@" behind something, be it an address or not */
    GArray *found;         /* of Candidate */
} Scan;

static void candidate_clear(gpointer data)
{
    Candidate *candidate = data;

    address_read_free(candidate->address);
    g_free(candidate->domain_name);
}

static bool is_local_octet(char c)
{
    return g_ascii_isalnum(c) || (guchar)c >= 0x80 ||
           (c != '\0' && strchr("!#$%&'*+-/=?^_`{|}~.", c) != NULL);
}

static bool is_domain_octet(char c)
{
    return g_ascii_isalnum(c) || (guchar)c >= 0x80 || c == '.' || c == '-' || c == '_';
}

static const char *local_part_start(const Scan *scan, const char *sign)
{
    const char *start = sign;

    if (scan->quote != NULL && scan->quote_end == sign)
        return scan->quote;
    while (start > scan->text && is_local_octet(start[-1]))
        start--;
    return start;
}

static const char *domain_end(const Scan *scan, const char *sign)
{
    const char *end = sign + 1;

    while (end < scan->end && is_domain_octet(*end))
        end++;
    while (end > sign + 1 && (end[-1] == '.' || end[-1] == '-'))
        end--;
    return end;
}

/* Returns whether the octet beside a candidate makes it unclear where the candidate begins or
 * ends. */
static bool is_unclear_beside(char c)
{
    return c == '@' || c == '\\' || c == '"' || c == '\r' ||
           (g_ascii_iscntrl(c) && c != '\t' && c != '\n');
}

/*
 * Returns whether words stand between a "<" and the candidate: of "<er ika@x.de>" nobody knows whose
 * address it is. A scheme ("<mailto:erika@x.de>") and an apostrophe do not count.
 */
static bool has_words_before(const Scan *scan, const char *start)
{
    const char *open = start;

    while (open > scan->text && open[-1] != '<' && open[-1] != '>')
        open--;
    if (open == scan->text || open[-1] == '>')
        return false;
    while (start > open && strchr(" \t\r\n'", start[-1]) != NULL)
        start--;
    return start > open && start[-1] != ':';
}

/* Reads the span as an address with a domain that can be on the Internet. */
static void read_span(Candidate *candidate)
{
    gsize length = (gsize)(candidate->end - candidate->start);
    g_autofree char *span = g_strndup(candidate->start, length);

    candidate->address = address_reader_read_path(span);
    if (candidate->address != NULL)
        candidate->domain_name = domain_name_parse(candidate->address->domain, NULL);
}

/*
 * Returns whether it is unclear where the candidate begins or ends. An apostrophe belongs to it
 * only if there are two: then start moves behind the first.
 */
static bool is_unclear(const Scan *scan, Candidate *candidate)
{
    if (candidate->start > scan->inside && is_unclear_beside(candidate->start[-1]))
        return true;
    if (candidate->end == scan->inside_end)
        return false;
    if (*candidate->end != '\'')
        return is_unclear_beside(*candidate->end) ||
               strchr("!#$%&*+/=?^`{|}~", *candidate->end) != NULL;
    if (*candidate->start != '\'')
        return true;
    candidate->start++;
    return candidate->end + 1 < scan->inside_end && is_local_octet(candidate->end[1]);
}

/* Notes what stands around the "@" at sign, if it is an addr-spec or may be taken for one. */
static void note_candidate(Scan *scan, const char *sign)
{
    Candidate candidate = {.start = local_part_start(scan, sign),
                           .end = domain_end(scan, sign),
                           .place = scan->place,
                           .is_in_angle = scan->is_in_angle};
    bool is_open;

    if (candidate.start == sign)
        return;
    scan->has_sign[scan->place] = true;
    is_open = is_unclear(scan, &candidate);
    read_span(&candidate);
    if (candidate.domain_name == NULL || strchr(candidate.domain_name, '.') == NULL) {
        candidate_clear(&candidate);
        return;
    }
    if (is_open || has_words_before(scan, candidate.start))
        g_clear_pointer(&candidate.address, address_read_free);
    g_array_append_val(scan->found, candidate);
}

/* Returns where the quoted string or comment that begins at start closes; NULL if it doesn't. */
static const char *find_close(const Scan *scan, const char *start)
{
    bool is_comment = *start == '(';
    guint depth = 1;

    for (const char *at = start + 1; at < scan->end; at++) {
        if (*at == '\\')
            at++;
        else if (is_comment && *at == '(')
            depth++;
        else if (*at == (is_comment ? ')' : '"') && --depth == 0)
            return at;
    }
    return NULL;
}

static void scan_inside(Scan *scan, const char *start, const char *close)
{
    scan->place = *start == '(' ? PLACE_COMMENT : PLACE_QUOTED;
    scan->inside = start + 1;
    scan->inside_end = close;
    for (const char *at = start + 1; at < close && scan->found->len < CANDIDATES_MAX; at++)
        if (*at == '@')
            note_candidate(scan, at);
    scan->place = PLACE_OUTSIDE;
    scan->inside = scan->text;
    scan->inside_end = scan->end;
    if (*start == '"') {
        scan->quote = start;
        scan->quote_end = close + 1;
    }
}

/*
 * Returns the last octet of the encoded word (RFC 2047 section 2) that begins at start; NULL if none
 * does. An "@" in it is looked at only after decoding.
 */
static const char *encoded_word_end(const Scan *scan, const char *start)
{
    const char *at = start + 2;

    if (scan->end - start < 8 || start[0] != '=' || start[1] != '?')
        return NULL;
    while (g_ascii_isalnum(*at) || *at == '-' || *at == '_' || *at == '*' || *at == '.')
        at++;
    if (at == start + 2 || at[0] != '?' || at[1] == '\0' || strchr("bBqQ", at[1]) == NULL ||
        at[2] != '?')
        return NULL;
    for (at += 3; at < scan->end && g_ascii_isgraph(*at) && *at != '?'; at++)
        ;
    return at + 1 < scan->end && at[0] == '?' && at[1] == '=' ? at + 1 : NULL;
}

/* A quote or parenthesis that nothing closes is an ordinary character, and so are all behind it. */
static void scan_text(Scan *scan)
{
    bool is_closed[2] = {true, true}; /* of quoted strings, of comments */

    for (const char *at = scan->text; at < scan->end && scan->found->len < CANDIDATES_MAX; at++) {
        bool is_comment = *at == '(';
        const char *word_end = encoded_word_end(scan, at);

        if (word_end != NULL)
            at = word_end;
        else if ((is_comment || *at == '"') && is_closed[is_comment]) {
            const char *close = find_close(scan, at);

            is_closed[is_comment] = close != NULL;
            if (close != NULL) {
                scan_inside(scan, at, close);
                at = close;
            }
        } else if (*at == '@') {
            note_candidate(scan, at);
        } else if (*at != '\0' && strchr("<>,;", *at) != NULL) {
            scan->is_in_angle = *at == '<';
        }
    }
}

static bool is_same_address(const Candidate *a, const Candidate *b)
{
    return strcmp(a->domain_name, b->domain_name) == 0 &&
           g_ascii_strcasecmp(a->address->local_part, b->address->local_part) == 0;
}

static Candidate *candidate_at(const Scan *scan, guint position)
{
    return &g_array_index(scan->found, Candidate, position);
}

/* Leaves only the candidates of the first place that has any, be they no addresses. */
static void keep_first_place(Scan *scan)
{
    Place first = PLACE_OUTSIDE;

    while (first < PLACES && !scan->has_sign[first])
        first++;
    for (guint i = scan->found->len; i-- > 0;)
        if (candidate_at(scan, i)->place != first)
            g_array_remove_index(scan->found, i);
}

/* Returns whether all are of one domain, and none may be read in another way. */
static bool is_of_one_domain(const Scan *scan)
{
    for (guint i = 0; i < scan->found->len; i++) {
        const Candidate *candidate = candidate_at(scan, i);

        if (candidate->address == NULL ||
            strcmp(candidate->domain_name, candidate_at(scan, 0)->domain_name) != 0)
            return false;
    }
    return scan->found->len < CANDIDATES_MAX;
}

/* Returns the address if all are the same, or if only one is in "<>"; NULL if there are several. */
static Candidate *single(const Scan *scan, bool is_in_angle)
{
    Candidate *only = NULL;

    for (guint i = 0; i < scan->found->len; i++) {
        Candidate *candidate = candidate_at(scan, i);

        if (is_in_angle && !candidate->is_in_angle)
            continue;
        if (only != NULL && !is_same_address(only, candidate))
            return NULL;
        if (only == NULL)
            only = candidate;
    }
    return only;
}

/* Returns what can be a name in the text between start and end; NULL if there is none. */
static char *name_between(const char *start, const char *end)
{
    const char *opening = memchr(start, ')', (gsize)(end - start)) != NULL ? "" : "(";
    GString *name = g_string_new(NULL);

    while (start < end && *start != '\0' &&
           (strchr(" \t\n<>)[]\"',;:-", *start) != NULL || *start == *opening))
        start++;
    while (end > start && end[-1] != '\0' && strchr(" \t\n<([\"',;:-", end[-1]) != NULL)
        end--;
    for (; start < end; start++)
        if (*start != '\0' && strchr("\"\\\r\n", *start) == NULL)
            g_string_append_c(name, *start);
    return g_string_free(name, name->len == 0);
}

static void take(Candidate *candidate, GPtrArray *addresses)
{
    g_ptr_array_add(addresses, g_steal_pointer(&candidate->address));
}

static void take_named(const Scan *scan, Candidate *candidate, GPtrArray *addresses)
{
    const Candidate *last = candidate_at(scan, scan->found->len - 1);
    char *name = name_between(scan->text, candidate->start);

    if (name == NULL)
        name = name_between(last->end, scan->end);
    candidate->address->phrase = name;
    take(candidate, addresses);
}

static void take_each(const Scan *scan, GPtrArray *addresses)
{
    for (guint i = scan->found->len; i-- > 0;) {
        bool is_known = false;

        for (guint j = 0; j < i && !is_known; j++)
            is_known = is_same_address(candidate_at(scan, i), candidate_at(scan, j));
        if (is_known)
            g_array_remove_index(scan->found, i);
    }
    for (guint i = 0; i < scan->found->len; i++)
        take(candidate_at(scan, i), addresses);
}

/* Returns whether there was anything with an "@", be it no address. */
static bool find(const char *text, gsize length, GPtrArray *addresses)
{
    g_autoptr(GArray) found = g_array_new(FALSE, FALSE, sizeof(Candidate));
    Scan scan = {.text = text,
                 .end = text + length,
                 .inside = text,
                 .inside_end = text + length,
                 .found = found};
    bool has_sign = false;
    Candidate *only;

    g_array_set_clear_func(found, candidate_clear);
    scan_text(&scan);
    for (int i = 0; i < PLACES; i++)
        has_sign |= scan.has_sign[i];
    keep_first_place(&scan);
    if (found->len == 0 || !is_of_one_domain(&scan))
        return has_sign;
    only = single(&scan, false);
    if (only == NULL)
        only = single(&scan, true);
    if (only != NULL)
        take_named(&scan, only, addresses);
    else
        take_each(&scan, addresses);
    return true;
}

void address_candidates_find(const char *text, gsize length, GPtrArray *addresses)
{
    g_autofree char *decoded = NULL;

    if (find(text, length, addresses) || g_strstr_len(text, (gssize)length, "=?") == NULL)
        return;
    decoded = encoded_words_decode(text, length);
    find(decoded, strlen(decoded), addresses);
}
