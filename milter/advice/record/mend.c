#include "config.h"

#include "advice/record/mend.h"

#include <glib/gi18n.h>
#include <string.h>
#include <sys/socket.h>

#include "advice/record/mend_term.h"
#include "advice/advice.h"
#include "base/network.h"
#include "spf/record.h"

#define VERSION "v=spf1"
#define QUALIFIERS "+-~?"
#define PREFIX_4_MIN 8 /* wider networks are nobody's own */
#define PREFIX_6_MIN 16
#define POINTS_MAX 30 /* nobody reads more */

#define ROUNDS_MAX 8 /* of mending what mending brought up */

/* A text without what word processors and web forms put in: hyphens and quotes of all kinds are
 * ASCII, blanks of all kinds are blanks. */
typedef struct {
    GString *text;
    GArray *places; /* of guint: the character of the original, from 1, for each octet of text */
} Clean;

static const struct {
    gunichar character;
    char ascii; /* '\0': left out */
} replacements[] = {
    {0x00a0, ' '},  {0x202f, ' '},  {0x2009, ' '},  {0x3000, ' '},  {0x2028, ' '},  {0x200b, '\0'},
    {0x200c, '\0'}, {0x200d, '\0'}, {0xfeff, '\0'}, {0x00ad, '\0'}, {0x2060, '\0'}, {0x2010, '-'},
    {0x2011, '-'},  {0x2012, '-'},  {0x2013, '-'},  {0x2014, '-'},  {0x2015, '-'},  {0x2212, '-'},
    {0xff0d, '-'},  {0xfe63, '-'},  {0x02dc, '~'},  {0x223c, '~'},  {0xff5e, '~'},  {0x201c, '"'},
    {0x201d, '"'},  {0x201e, '"'},  {0x00ab, '"'},  {0x00bb, '"'},  {0x2018, '\''}, {0x2019, '\''},
    {0xff1a, ':'},  {0xff1d, '='},  {0xff0c, ','},  {0xff1b, ';'},
};

static char ascii_of(gunichar character)
{
    if (character == '\t' || character == '\r' || character == '\n')
        return ' ';
    for (gsize i = 0; i < G_N_ELEMENTS(replacements); i++)
        if (replacements[i].character == character)
            return replacements[i].ascii;
    return character < 0x80 ? (char)character : '\x7f';
}

static void clean_init(Clean *clean, const char *text)
{
    g_autofree char *valid = g_utf8_make_valid(text, -1);
    guint place = 1;

    clean->text = g_string_new(NULL);
    clean->places = g_array_new(FALSE, FALSE, sizeof(guint));
    for (const char *at = valid; *at != '\0'; at = g_utf8_next_char(at), place++) {
        char octet = ascii_of(g_utf8_get_char(at));

        if (octet == '\0')
            continue;
        g_string_append_c(clean->text, octet);
        g_array_append_val(clean->places, place);
    }
}

static void clean_clear(Clean *clean)
{
    g_string_free(clean->text, TRUE);
    g_array_unref(clean->places);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Clean, clean_clear)

/* "spf", or with two letters swapped. */
static bool is_spf(const char *text)
{
    return g_ascii_strncasecmp(text, "spf", 3) == 0 || g_ascii_strncasecmp(text, "sfp", 3) == 0 ||
           g_ascii_strncasecmp(text, "psf", 3) == 0;
}

/* Skips a number such as "1", "2" or "1.0" of a version. NULL: none may begin here. */
static const char *skip_number(const char *at, bool *has_number)
{
    at += strspn(at, " ");
    *has_number = g_ascii_isdigit(*at);
    if (!*has_number)
        return at;
    at += MIN(strspn(at, "0123456789"), 2);
    if (*at == '.' && g_ascii_isdigit(at[1]))
        at += 2;
    return *at == '/' ? NULL : at; /* "spf2.0/pra" is Sender ID */
}

/* Returns the end of what was meant as "v=spf1" at the beginning of text, or NULL. */
static const char *skip_version(const char *text)
{
    const char *at = text + strspn(text, " \"'`\\(");
    bool has_letter = (*at == 'v' || *at == 'V') && !g_ascii_isalnum(at[1]);
    bool has_number;
    const char *end;

    if ((*at == 'v' || *at == 'V') && is_spf(at + 1))
        has_letter = true;
    at += has_letter ? 1 : 0;
    at += strspn(at, " =:-");
    if (!is_spf(at))
        return NULL;
    at += 3;
    end = skip_number(at + strspn(at, "=-_"), &has_number);
    if (end == NULL || (!has_letter && !has_number))
        return NULL;
    if (!has_number && *end != '\0' && strchr(" ;,.:\"'", *end) == NULL && end == at)
        return NULL;
    return end;
}

static bool is_all(const char *word)
{
    return g_ascii_strcasecmp(word + strspn(word, QUALIFIERS), "all") == 0;
}

/* Terms of SPF without a version: at least two, all right, the last of them all. */
static bool is_bare_record(const char *text)
{
    g_auto(GStrv) words = g_strsplit_set(text, " \"", -1);
    const char *last = NULL;
    guint count = 0;

    for (char **word = words; *word != NULL; word++) {
        if (**word == '\0')
            continue;
        if (!mend_term_is_right(*word))
            return false;
        last = *word;
        count++;
    }
    return count >= 2 && is_all(last);
}

bool mend_is_meant_as_spf(const char *text)
{
    g_auto(Clean) clean;

    clean_init(&clean, text);
    return skip_version(clean.text->str) != NULL || is_bare_record(clean.text->str);
}

/* What is being mended: words of the clean text, from which terms of draft are made. */
typedef struct {
    const Clean *clean;
    const char *source; /* the original */
    guint index;
    GPtrArray *points;
    Draft *draft;
} Mend;

/* One or several words that make one term, and where they stand in the clean text. */
typedef struct {
    gsize begin, end;
    char *text; /* put together */
} Word;

static const char *problem_of(const char *text)
{
    g_autofree char *alone = g_strconcat(VERSION " ", text, NULL);
    g_autoptr(Record) record = record_parse(alone, strlen(alone));

    if (record->wrong != NULL)
        return record->wrong->problem;
    return strchr(text, '=') != NULL ? N_("\":\" must stand in place of \"=\"")
                                     : N_("that is no domain; two terms may have grown together");
}

static char *source_part(const Mend *mend, gsize begin, gsize end)
{
    g_autofree char *valid = g_utf8_make_valid(mend->source, -1);
    guint first = g_array_index(mend->clean->places, guint, begin) - 1;
    guint last = g_array_index(mend->clean->places, guint, end - 1);

    return g_utf8_substring(valid, first, last);
}

static void note_error(const Mend *mend, const Word *word, const char *reason, char *became)
{
    g_autofree char *text = became;
    g_autofree char *found = NULL;
    Point *point;

    if (mend->points->len >= POINTS_MAX)
        return;
    found = source_part(mend, word->begin, word->end);
    point = point_add(mend->points, POINT_ERROR, found);
    point->number = g_array_index(mend->clean->places, guint, word->begin);
    point->text = g_steal_pointer(&text);
    point->reason = g_strdup(reason);
    point->record = mend->index;
}

/* A word that is right once it is put together, or its hyphens are ASCII. */
static void note_respelled(const Mend *mend, const Word *word)
{
    g_autofree char *found = source_part(mend, word->begin, word->end);
    bool is_joined = strchr(found, ' ') != NULL;

    if (strcmp(found, word->text) != 0)
        note_error(
            mend, word,
            is_joined
                ? N_("it must not have a blank inside")
                : N_("only printable ASCII characters are allowed, words separated by blanks"),
            g_strdup(word->text));
}

static void append(Draft *draft, const char *gap, gsize gap_length, const char *text)
{
    DraftTerm *term = draft_insert(draft, draft->terms->len, text);

    g_free(term->gap);
    term->gap = gap_length > 0 ? g_strndup(gap, gap_length) : g_strdup(" ");
}

/* A modifier that is there already; unknown ones too, though the standard lets them be, since some
 * receivers don't. */
static bool is_second(const Draft *draft, const char *text)
{
    gsize name = strcspn(text, "=:/") + 1;

    if (text[name - 1] != '=')
        return false;
    for (guint i = 0; i < draft->terms->len; i++)
        if (g_ascii_strncasecmp(draft_at(draft, i)->text, text, name) == 0)
            return true;
    return false;
}

/* What the second redirect of a record becomes: an include if it is a different one, else NULL. */
static char *second_redirect(const Draft *draft, const char *text)
{
    g_autofree char *key = draft_key(text);

    if (!g_str_has_prefix(key, "redirect=") || draft_find_key(draft, key, 0) < draft->terms->len)
        return NULL;
    return g_strconcat("include:", text + strlen("redirect="), NULL);
}

static bool is_version(const char *word)
{
    return g_ascii_strcasecmp(word, VERSION) == 0;
}

/* Appends the terms that text was meant as, without modifiers that stand there twice. Returns them
 * as text, owned by the caller. */
static char *append_meant(Draft *draft, const char *gap, gsize gap_length, const char *text)
{
    g_auto(GStrv) terms = mend_term(text);
    g_autoptr(GString) meant = g_string_new(NULL);

    for (char **term = terms; *term != NULL; term++) {
        g_autofree char *kept =
            is_second(draft, *term) ? second_redirect(draft, *term) : g_strdup(*term);

        if (kept == NULL || is_version(kept))
            continue;
        append(draft, gap, meant->len == 0 ? gap_length : 0, kept);
        g_string_append_printf(meant, "%s%s", meant->len > 0 ? " " : "", kept);
    }
    return g_strdup(meant->str);
}

static void mend_word(const Mend *mend, const char *gap, gsize gap_length, const Word *word)
{
    const char *reason = N_("that may stand in a record only once");

    if (word->text[strspn(word->text, ",;|\"'`\\")] == '\0' || is_version(word->text)) {
        note_error(mend, word, N_("that is no term"), g_strdup(""));
        return;
    }
    if (gap_length == 0 && is_all(word->text) && strchr("-~?", *word->text) == NULL) {
        append(mend->draft, gap, gap_length, "~all"); /* "v=spf1all" */
        note_error(mend, word, N_("that is no domain; two terms may have grown together"),
                   g_strdup("~all"));
        return;
    }
    if (mend_term_is_right(word->text) && !is_second(mend->draft, word->text)) {
        append(mend->draft, gap, gap_length, word->text);
        note_respelled(mend, word);
        return;
    }
    if (!mend_term_is_right(word->text))
        reason = problem_of(word->text);
    note_error(mend, word, reason, append_meant(mend->draft, gap, gap_length, word->text));
}

/* A host or an address, maybe with a separator behind it. */
static bool is_value(const char *word)
{
    g_autofree char *value = g_strndup(word, strcspn(word, ",;"));

    return mend_term_is_bare_value(value);
}

/* "ip4:192.0.2.0/2" may have lost a digit, and stand for a quarter of the Internet. */
static bool ends_in_length(const char *word)
{
    const char *slash = strrchr(word, '/');

    return slash != NULL && g_ascii_isdigit(slash[1]) &&
           slash[1 + strspn(slash + 1, "0123456789")] == '\0';
}

/* "exists:x.org", without a macro, lets everybody pass: nobody means that. */
static bool lets_all_pass(const char *word, const char *next)
{
    return g_ascii_strncasecmp(word, "exists", strlen("exists")) == 0 && strchr(next, '%') == NULL;
}

/*
 * Returns whether a prefix length behind a blank belongs to the address before it. It does only if
 * both make a network: of "ip4:203.0.113.7 /0" nobody knows what was meant, and the whole Internet
 * would pass.
 */
static bool is_prefix_of(const char *word, const char *prefix)
{
    const char *value = strchr(word, ':');
    g_autofree char *text = value != NULL ? g_strconcat(value + 1, prefix, NULL) : NULL;
    Network network;

    if (text == NULL || *prefix != '/' || !network_parse(text, &network, NULL))
        return false;
    return network.length >= (network.family == AF_INET ? PREFIX_4_MIN : PREFIX_6_MIN);
}

/* Does the word at end need the next one: "include: x.org", "~ all", "ip4 192.0.2.1"? */
static const char *joint(const char *word, const char *next)
{
    static const char *const needy[] = {"include",  "ip4",  "ip6", "exists",
                                        "redirect", "ipv4", "ipv6"};
    gsize length = strlen(word);
    gsize qualifiers = strspn(word, QUALIFIERS);

    if (qualifiers == length)
        return g_ascii_isalnum(*next) ? "" : NULL;
    if (lets_all_pass(word + qualifiers, next))
        return NULL;
    if (ends_in_length(word) && next[strspn(next, "0123456789")] == '\0')
        return "";
    if (*next == '/')
        return is_prefix_of(word, next) ? "" : NULL;
    if (strchr(":=", *next) != NULL)
        return "";
    if (!is_value(next))
        return NULL;
    if (strchr(":=", word[length - 1]) != NULL && !is_version(word))
        return "";
    for (gsize i = 0; i < G_N_ELEMENTS(needy); i++)
        if (g_ascii_strcasecmp(word + qualifiers, needy[i]) == 0)
            return i == 4 ? "=" : ":";
    return NULL;
}

static char *word_at(const char *text, gsize *begin, gsize *end)
{
    *begin += strspn(text + *begin, " ");
    *end = *begin + strcspn(text + *begin, " ");
    return g_strndup(text + *begin, *end - *begin);
}

/* Is the word whole without what stands behind it? */
static bool is_whole(const char *word, const char *behind)
{
    const char *next = behind + strspn(behind, " ");

    if (*next != '\0' && strchr(":=/", *next) != NULL)
        return false;
    if (ends_in_length(word) && g_ascii_isdigit(*next))
        return false;
    return mend_term_is_right(word);
}

/* The word at begin, with those behind it that it needs. */
static void read_word(const char *text, gsize begin, Word *word)
{
    word->begin = begin;
    word->text = word_at(text, &word->begin, &word->end);
    while (word->text[0] != '\0' && !is_whole(word->text, text + word->end)) {
        gsize next_begin = word->end, next_end;
        g_autofree char *next = word_at(text, &next_begin, &next_end);
        const char *glue = *next != '\0' ? joint(word->text, next) : NULL;
        char *joined;

        if (glue == NULL)
            return;
        joined = g_strconcat(word->text, glue, next, NULL);
        g_free(word->text);
        word->text = joined;
        word->end = next_end;
    }
}

static void mend_words(const Mend *mend, gsize at)
{
    const char *text = mend->clean->text->str;

    while (text[at + strspn(text + at, " ")] != '\0') {
        Word word;

        read_word(text, at, &word);
        mend_word(mend, text + at, strspn(text + at, " "), &word);
        at = word.end;
        g_free(word.text);
    }
    g_free(mend->draft->tail);
    mend->draft->tail = g_strdup(text + at);
}

/* Begins the draft with the version. Returns the place at which its terms begin. */
static gsize mend_version(Mend *mend)
{
    const char *text = mend->clean->text->str;
    const char *end = skip_version(text);
    gsize length = end != NULL ? (gsize)(end - text) : 0;
    g_autofree char *version = g_strndup(text, strlen(VERSION));
    Point *point;

    if (record_is_spf(mend->source, strlen(mend->source))) {
        mend->draft = draft_new(version);
        return strlen(VERSION);
    }
    mend->draft = draft_new(VERSION);
    length += end != NULL ? strspn(text + length, ";,.:\"'`\\") : 0;
    point = point_add(mend->points, POINT_VERSION, NULL);
    point->term = length > 0 ? source_part(mend, 0, length) : g_strdup("");
    point->record = mend->index;
    return length;
}

/* Quotes around the whole record. */
static void trim_quotes(Clean *clean)
{
    while (clean->text->len > 0 &&
           strchr("\"'`\\)", clean->text->str[clean->text->len - 1]) != NULL)
        g_string_truncate(clean->text, clean->text->len - 1);
}

static Draft *mend_once(const char *text, guint index, GPtrArray *points)
{
    g_auto(Clean) clean;
    Mend mend = {.clean = &clean, .source = text, .index = index, .points = points};
    gsize begin;

    clean_init(&clean, text);
    trim_quotes(&clean);
    begin = mend_version(&mend);
    mend_words(&mend, begin);
    return mend.draft;
}

/* What one error was mended to may show another one: its point would name text that the owner never
 * wrote. */
Draft *mend_record(const char *text, guint index, GPtrArray *points)
{
    Draft *draft = mend_once(text, index, points);
    bool is_settled = false;

    for (guint round = 0; round < ROUNDS_MAX && !is_settled; round++) {
        g_autoptr(GPtrArray) unsaid = point_array_new();
        g_autofree char *before = draft_text(draft);
        Draft *next = mend_once(before, index, unsaid);
        g_autofree char *after = draft_text(next);

        is_settled = strcmp(before, after) == 0;
        draft_free(draft);
        draft = next;
    }
    return draft;
}
