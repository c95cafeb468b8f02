#include "config.h"

#include "advice/record/mend.h"

#include <glib/gi18n.h>
#include <string.h>
#include <sys/socket.h>

#include "advice/advice.h"
#include "advice/record/clean.h"
#include "advice/record/mend_term.h"
#include "advice/record/mend_value.h"
#include "base/domain_name.h"
#include "base/network.h"
#include "spf/record.h"

#define VERSION "v=spf1"
#define PREFIX_4_MIN 8 /* wider networks are nobody's own */
#define PREFIX_6_MIN 16
#define POINTS_MAX 30 /* nobody reads more */

#define ROUNDS_MAX 8 /* of mending what mending brought up */

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

#define LABEL_MAX 120 /* octets before the record in a line that was pasted whole */

/*
 * The place of "v=spf1" in a line that was pasted whole: "@ IN TXT \"v=spf1 …\"", "Value: v=spf1 …".
 * A right term has to follow, and it is no record of another kind ("v=DMARC1; …"). -1: none.
 */
static gssize find_pasted(const char *text)
{
    const char *at = strcasestr(text, VERSION);
    gsize length = at != NULL ? (gsize)(at - text) : 0;
    g_auto(GStrv) words = NULL;

    if (length == 0 || length > LABEL_MAX || g_ascii_isalnum(at[-1]) || at[-1] == '_' ||
        strchr(" ;:,\"'", at[strlen(VERSION)]) == NULL || at[strlen(VERSION)] == '\0' ||
        g_ascii_strncasecmp(text, "v=", 2) == 0)
        return -1;
    words = g_strsplit_set(at + strlen(VERSION), " ;,\"'", -1);
    for (char **word = words; *word != NULL; word++)
        if (**word != '\0' && mend_term_is_right(*word))
            return (gssize)length;
    return -1;
}

static bool is_all(const char *word)
{
    return g_ascii_strcasecmp(word + strspn(word, CLEAN_SIGNS), "all") == 0;
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
        if (!mend_term_is_right(*word) || g_ascii_strncasecmp(*word, "v=", 2) == 0)
            return false;
        last = *word;
        count++;
    }
    return count >= 2 && is_all(last);
}

/* The end of a version that was mistyped ("v=xspf1", "v=s;pf1"), with terms of SPF behind it; NULL:
 * there is none. */
static const char *skip_mistyped(const char *text)
{
    gsize length = strcspn(text, " ");

    if (g_ascii_strncasecmp(text, "v=", 2) != 0 || length > strlen(VERSION) + 2 ||
        memchr(text, '1', length) == NULL || g_ascii_strncasecmp(text, "v=DMARC", 7) == 0 ||
        g_ascii_strncasecmp(text, "v=DKIM", 6) == 0 || strcspn(text + 2, "+-~?:") < length - 2)
        return NULL;
    return is_bare_record(text + length) ? text + length : NULL;
}

/* Where the terms of a record begin that was meant as SPF; NULL: it wasn't, or has no version. */
static const char *version_end(const char *text)
{
    gssize pasted = find_pasted(text);
    const char *end = skip_version(pasted >= 0 ? text + pasted : text);

    return end != NULL ? end : skip_mistyped(text);
}

bool mend_is_meant_as_spf(const char *text)
{
    g_auto(Clean) clean;

    clean_init(&clean, text);
    return version_end(clean.text->str) != NULL || is_bare_record(clean.text->str);
}

/* What a word may be a piece of. */
typedef enum {
    BEFORE_OTHER,
    BEFORE_NAME,
    BEFORE_HOSTS, /* "a" or "mx" without a domain */
    BEFORE_OPEN,  /* something that ends in ":" or "=" */
    BEFORE_IP4,
    BEFORE_IP6,
    BEFORE_LOST,   /* nothing that could be read */
    BEFORE_EXISTS, /* "exists" without a macro, which is not believed */
} Before;

/* What is being mended: words of the clean text, from which terms of draft are made. */
typedef struct {
    const Clean *clean;
    const char *source; /* the original */
    bool is_wrong;      /* the original is no SPF record, or one with an error */
    guint index;
    GPtrArray *points;
    Draft *draft;
    /* What stands before the next word, and its text. */
    Before before;
    char *word_before;
    /* The first position of draft that stands behind a lost term which may have refused senders. */
    guint lost;
    /* The position of an all without a sign that was to be read, and its point. */
    guint guessed_all;
    Point *guess;
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

static Point *note_error(const Mend *mend, const Word *word, const char *reason, char *became)
{
    g_autofree char *text = became;
    g_autofree char *found = NULL;
    Point *point;

    if (mend->points->len >= POINTS_MAX)
        return NULL;
    found = source_part(mend, word->begin, word->end);
    point = point_add(mend->points, POINT_ERROR, found);
    point->number = g_array_index(mend->clean->places, guint, word->begin);
    point->text = g_steal_pointer(&text);
    point->reason = g_strdup(reason);
    point->record = mend->index;
    return point;
}

/* A word that is right once it is put together, or its hyphens are ASCII. */
static void note_respelled(const Mend *mend, const Word *word)
{
    g_autofree char *found = source_part(mend, word->begin, word->end);
    const char *reason =
        N_("only printable ASCII characters are allowed, words separated by blanks");

    if (strcmp(found, word->text) == 0)
        return;
    if (strchr(found, ' ') != NULL)
        reason = N_("it must not have a blank inside");
    else if (g_str_is_ascii(found))
        reason = N_("nothing may stand between the sign and the word");
    note_error(mend, word, reason, g_strdup(word->text));
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

/* Was a term that text was meant as made of a name that has no mechanism there? */
static bool is_leaning(const char *text, const char *term)
{
    g_autofree char *in = g_ascii_strdown(text, -1);
    g_autofree char *key = draft_key(term);

    return strstr(in, key) == NULL;
}

/* Appends the terms that word was meant as, without modifiers that stand there twice. Returns them
 * as text, owned by the caller. */
static char *append_meant(Mend *mend, const char *gap, gsize gap_length, const char *text)
{
    Draft *draft = mend->draft;
    bool has_lost;
    g_auto(GStrv) terms = mend_term(text, &has_lost);
    g_autoptr(GString) meant = g_string_new(NULL);

    if (has_lost)
        mend->lost = MIN(mend->lost, draft->terms->len);
    for (char **term = terms; *term != NULL; term++) {
        g_autofree char *kept =
            is_second(draft, *term) ? second_redirect(draft, *term) : g_strdup(*term);

        if (kept == NULL || is_version(kept))
            continue;
        append(draft, gap, meant->len == 0 ? gap_length : 0, kept);
        draft_at(draft, draft->terms->len - 1)->is_leaning =
            meant->len > 0 && is_leaning(text, kept);
        g_string_append_printf(meant, "%s%s", meant->len > 0 ? " " : "", kept);
    }
    return g_strdup(meant->str);
}

static bool is_junk(const char *word)
{
    return word[strspn(word, ".-" CLEAN_SEPARATORS)] == '\0';
}

/* Is it a term by which everybody passes, or a large part of the Internet? */
static bool is_wide(const DraftTerm *term)
{
    g_autofree char *alone = g_strconcat(VERSION " ", term->text, NULL);
    g_autoptr(Record) record = record_parse(alone, strlen(alone));
    const RecordTerm *read = record_at(record, 0);

    if (term->qualifier != '+')
        return false;
    if (term->kind == RECORD_IP4 || term->kind == RECORD_IP6)
        return read->network.length < (term->kind == RECORD_IP4 ? PREFIX_4_MIN : PREFIX_6_MIN);
    return (term->kind == RECORD_A || term->kind == RECORD_MX) &&
           (read->cidr4 < PREFIX_4_MIN || read->cidr6 < PREFIX_6_MIN);
}

/* An all that let everybody pass, or had no sign. */
static void remember_guess(Mend *mend, const char *text, Point *point)
{
    guint last = mend->draft->terms->len - 1;

    if (mend->guess == NULL && point != NULL && strcmp(point->text, "~all") == 0 &&
        strchr("-~?", *text) == NULL) {
        mend->guessed_all = last;
        mend->guess = point;
    }
}

/* A record with an error lets nobody pass, so no term of it may let everybody pass. */
static void close_word(Mend *mend, const Word *word)
{
    Draft *draft = mend->draft;
    guint last = draft->terms->len - 1;
    const DraftTerm *term = draft_at(draft, last);

    if (!mend->is_wrong || draft_find_kind(draft, RECORD_ALL, 0) < last)
        return;
    if (term->kind == RECORD_ALL && term->qualifier == '+') {
        draft_replace(draft, last, (const char *const[]){"~all", NULL});
        remember_guess(mend, "+",
                       note_error(mend, word, N_("it would let everybody send as this domain"),
                                  g_strdup("~all")));
    } else if (is_wide(term)) {
        draft->is_doubtful = true;
        note_error(mend, word,
                   N_("that is a large part of the Internet; a digit of the length may be missing"),
                   g_strdup(term->text));
    }
}

static const char *last_label(const char *text, gsize length)
{
    const char *dot = g_strrstr_len(text, (gssize)length, ".");

    return dot != NULL ? dot + 1 : text;
}

/* May a word without a dot be the end of the name before it ("x.co m")? It is not if what is before
 * it ends in a top-level domain, and both together don't. */
static bool may_end_name(const Draft *draft, const char *word)
{
    const char *key = draft_at(draft, draft->terms->len - 1)->key;
    g_autofree char *joined = g_strconcat(last_label(key, strlen(key)), word, NULL);
    g_autofree char *lower = g_ascii_strdown(joined, -1);

    if (word[strspn(word, "-_" G_CSET_a_2_z G_CSET_A_2_Z G_CSET_DIGITS)] != '\0')
        return false;
    return domain_name_is_top_level(lower) ||
           !domain_name_is_top_level(last_label(key, strlen(key)));
}

static bool is_bare_host(const char *text)
{
    const char *word = text + strspn(text, CLEAN_SIGNS);
    g_autofree char *host = g_strndup(word, strcspn(word, CLEAN_SEPARATORS));

    return strchr(host, '/') == NULL && host[strspn(host, "0123456789.")] != '\0' &&
           mend_value_is_bare(host);
}

static bool is_value_begin(char octet)
{
    return g_ascii_isalnum(octet) || octet == '_' || octet == '-' || octet == '.';
}

/* May a word that is no term be a piece of what stands before it? Then neither is whole. */
static bool is_piece(const Mend *mend, const char *text)
{
    g_autofree char *word = g_strdup(text + strspn(text, CLEAN_SEPARATORS));

    word[strcspn(word, CLEAN_SEPARATORS)] = '\0';
    if (mend->word_before != NULL && mend_term_goes_on(mend->word_before, text))
        return true;
    if (mend->before == BEFORE_HOSTS && mend_term_is_include(word))
        return false; /* behind "mx", which needs no domain */
    switch (mend->before) {
    case BEFORE_OTHER:
    case BEFORE_EXISTS:
        return false;
    case BEFORE_NAME:
        return is_bare_host(word) || *word == '.' || may_end_name(mend->draft, word);
    case BEFORE_IP4:
        return g_ascii_isdigit(*word) && !mend_value_is_bare(word);
    case BEFORE_IP6:
        return *word != '/' && *word != '\0' &&
               word[strspn(word, "0123456789abcdefABCDEF:./")] == '\0' && !mend_value_is_bare(word);
    case BEFORE_OPEN:
        return is_value_begin(*word) && mend_term_kind(word) == RECORD_WRONG;
    case BEFORE_HOSTS:
    case BEFORE_LOST:
        return is_bare_host(word);
    }
    return false;
}

static Before before_of(const Mend *mend, const Word *word, guint first)
{
    const DraftTerm *last =
        mend->draft->terms->len > first ? draft_at(mend->draft, mend->draft->terms->len - 1) : NULL;

    if (last == NULL && is_junk(word->text))
        return mend->before;
    if (strchr(":=", word->text[strlen(word->text) - 1]) != NULL &&
        mend_term_kind(word->text) != RECORD_EXISTS)
        return BEFORE_OPEN;
    if (last == NULL)
        return mend_term_kind(word->text) == RECORD_EXISTS ? BEFORE_EXISTS : BEFORE_LOST;
    if (last->kind == RECORD_IP4)
        return BEFORE_IP4;
    if (last->kind == RECORD_IP6)
        return BEFORE_IP6;
    if (strpbrk(last->text, ":=") != NULL)
        return BEFORE_NAME;
    return last->kind == RECORD_ALL ? BEFORE_OTHER : BEFORE_HOSTS;
}

static void mend_word(Mend *mend, const char *gap, gsize gap_length, const Word *word)
{
    const char *reason = N_("that may stand in a record only once");
    bool is_right = mend_term_is_right(word->text);

    if (is_junk(word->text)) {
        note_error(mend, word, N_("that is no term"), g_strdup(""));
        return;
    }
    if (is_version(word->text)) {
        note_error(mend, word,
                   N_("that may stand only at the beginning; two records may have grown together"),
                   g_strdup(""));
        return;
    }
    if (gap_length == 0 && is_all(word->text) && strchr("-~?", *word->text) == NULL) {
        append(mend->draft, gap, gap_length, "~all"); /* "v=spf1all" */
        note_error(mend, word, N_("that is no domain; two terms may have grown together"),
                   g_strdup("~all"));
        return;
    }
    if (is_right && !is_second(mend->draft, word->text)) {
        append(mend->draft, gap, gap_length, word->text);
        note_respelled(mend, word);
        close_word(mend, word);
        return;
    }
    if (!is_right && is_piece(mend, word->text)) {
        mend->draft->is_doubtful = true;
        note_error(mend, word, N_("it may be a piece of what stands before it"), g_strdup(""));
        return;
    }
    if (!is_right)
        reason = problem_of(word->text);
    remember_guess(mend, word->text,
                   note_error(mend, word, reason, append_meant(mend, gap, gap_length, word->text)));
}

/* A host or an address, maybe with a separator behind it. */
static bool is_value(const char *word)
{
    const char *begin = word + strspn(word, CLEAN_SEPARATORS);
    bool has_macro = strchr(word, '%') != NULL; /* with braces */
    g_autofree char *value = g_strndup(begin, strcspn(begin, has_macro ? ",;" : CLEAN_SEPARATORS));

    return mend_value_is_bare(value);
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

/* The same of "/" at the end of word and a number behind a blank. A number that is no prefix length
 * is left out then. */
static bool has_prefix(const char *word, const char *number)
{
    g_autofree char *joined = g_strconcat(word, number, NULL);
    bool is_ip6 = g_ascii_strncasecmp(word + strspn(word, CLEAN_SIGNS), "ip6", 3) == 0;

    if (number[strspn(number, "0123456789")] != '\0' || !mend_term_is_right(joined))
        return true;
    return g_ascii_strtoull(number, NULL, 10) >= (is_ip6 ? PREFIX_6_MIN : PREFIX_4_MIN);
}

/* Was the blank typed at a dot of a name or an address: "include:x .org", "ip4:192.0. 2.1"? */
static bool is_dot_seam(const char *word, const char *next)
{
    bool is_address = next[strspn(next, "0123456789./")] == '\0';

    if (strpbrk(word, ":=") == NULL)
        return false;
    if (*next == '.' && g_ascii_isalnum(next[1]))
        return g_ascii_isalnum(word[strlen(word) - 1]);
    return word[strlen(word) - 1] == '.' && (is_address || is_value(next));
}

/* What joins a word that is a mechanism's name alone to its value; NULL: it is none. */
static const char *joint_of_name(const char *name)
{
    switch (mend_term_kind(name)) {
    case RECORD_INCLUDE:
    case RECORD_IP4:
    case RECORD_IP6:
    case RECORD_EXISTS:
        return ":";
    case RECORD_REDIRECT:
        return "=";
    case RECORD_ALL:
    case RECORD_A:
    case RECORD_MX:
    case RECORD_PTR:
    case RECORD_EXP:
    case RECORD_MODIFIER:
    case RECORD_WRONG:
        return NULL;
    }
    return NULL;
}

/* Does the word at end need the next one: "include: x.org", "~ all", "ip4 192.0.2.1"? */
static const char *joint(const char *word, const char *next)
{
    gsize length = strlen(word);
    gsize qualifiers = strspn(word, CLEAN_SIGNS);

    if (qualifiers == length)
        return g_ascii_isalnum(*next) ? "" : NULL;
    if (lets_all_pass(word + qualifiers, next))
        return NULL;
    if (ends_in_length(word) && next[strspn(next, "0123456789")] == '\0')
        return "";
    if (is_dot_seam(word, next))
        return "";
    if (*next == '/')
        return next[1] == '\0' || is_prefix_of(word, next) ? "" : NULL;
    if (word[length - 1] == '/' && g_ascii_isdigit(*next))
        return has_prefix(word, next) ? "" : NULL;
    if (strchr(":=", *next) != NULL)
        return "";
    if (mend_term_kind(word + qualifiers) == RECORD_IP4 && strchr("46", *next) != NULL &&
        strchr(":=", next[1]) != NULL)
        return ""; /* "ip 6:2001:db8::1" */
    if (!is_value(next))
        return NULL;
    if (strchr(":=", word[length - 1]) != NULL && !is_version(word))
        return "";
    return joint_of_name(word + qualifiers);
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
    if (is_dot_seam(word, next) && *next == '.')
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

/* An all with its sign counts, and not one before it whose sign was guessed. */
static void settle_guess(const Mend *mend)
{
    Draft *draft = mend->draft;

    if (mend->guess == NULL || mend->guessed_all + 1 >= draft->terms->len ||
        draft_find_kind(draft, RECORD_ALL, mend->guessed_all + 1) == draft->terms->len)
        return;
    draft_remove(draft, mend->guessed_all);
    g_free(mend->guess->text);
    mend->guess->text = g_strdup("");
}

static void mend_words(Mend *mend, gsize at)
{
    const char *text = mend->clean->text->str;

    while (text[at + strspn(text + at, " ")] != '\0') {
        guint first = mend->draft->terms->len;
        Word word;

        read_word(text, at, &word);
        mend_word(mend, text + at, strspn(text + at, " "), &word);
        mend->before = before_of(mend, &word, first);
        at = word.end;
        if (is_junk(word.text)) {
            g_free(word.text);
            continue;
        }
        g_free(mend->word_before);
        mend->word_before = word.text;
    }
    g_clear_pointer(&mend->word_before, g_free);
    g_free(mend->draft->tail);
    mend->draft->tail = g_strdup(text + at);
    settle_guess(mend);
    if (draft_passes_from(mend->draft, mend->lost))
        mend->draft->is_doubtful = true;
}

/* Begins the draft with the version. Returns the place at which its terms begin. */
static gsize mend_version(Mend *mend)
{
    const char *text = mend->clean->text->str;
    const char *end = version_end(text);
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

static bool is_wrong(const char *text)
{
    g_autoptr(Record) record = record_parse(text, strlen(text));

    return record->wrong != NULL || !record_is_spf(text, strlen(text));
}

/*
 * "_" in the place of blanks: "v=spf1_a_mx_-all". It may stand in names, so it is only taken for a blank
 * if every word between two of them is a right term then.
 */
static void part_underscores(Clean *clean, gsize begin)
{
    char *text = clean->text->str + begin;
    g_autofree char *parted = g_strndup(text, strcspn(text, " "));
    g_auto(GStrv) words = NULL;

    if (*text != '_')
        return;
    for (char *at = parted; *at != '\0'; at++)
        if (*at == '_' && mend_term_may_begin(at + 1))
            *at = ' ';
    words = g_strsplit(parted, " ", -1);
    for (char **word = words; *word != NULL; word++)
        if (**word != '\0' && !mend_term_is_right(*word))
            return;
    memcpy(text, parted, strlen(parted));
}

static Draft *mend_once(const char *text, guint index, GPtrArray *points)
{
    g_auto(Clean) clean;
    Mend mend = {.clean = &clean,
                 .source = text,
                 .is_wrong = is_wrong(text),
                 .index = index,
                 .points = points,
                 .lost = G_MAXUINT};
    gsize begin;

    clean_init(&clean, text);
    trim_quotes(&clean);
    begin = mend_version(&mend);
    part_underscores(&clean, begin);
    clean_settle_signs(&clean, begin);
    mend_words(&mend, begin);
    return mend.draft;
}

/* What one error was mended to may show another one: its point would name text that the owner never
 * wrote. */
Draft *mend_record(const char *text, guint index, GPtrArray *points)
{
    Draft *draft = mend_once(text, index, points);

    for (guint round = 0; round < ROUNDS_MAX; round++) {
        g_autoptr(GPtrArray) unsaid = point_array_new();
        g_autofree char *before = draft_text(draft);
        Draft *next = mend_once(before, index, unsaid);
        g_autofree char *after = draft_text(next);

        next->is_doubtful |= draft->is_doubtful;
        if (strcmp(before, after) == 0) { /* the one that knows what leans */
            draft_free(next);
            break;
        }
        draft_free(draft);
        draft = next;
    }
    return draft;
}
