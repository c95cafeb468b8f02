#include "config.h"

#include "advice/words/advice_points.h"

#include "show/paragraph.h"
#include "spf/dmarc.h"

void advice_piece_add(GPtrArray *pieces, AdvicePieceKind kind, char *text)
{
    AdvicePiece *piece = g_new0(AdvicePiece, 1);

    piece->kind = kind;
    piece->text = text;
    g_ptr_array_add(pieces, piece);
}

/* A point while it is put in words: its texts as they may stand in a sentence. */
typedef struct {
    GPtrArray *pieces;
    const Language *language;
    const Advice *advice;
    const Point *point;
    const char *domain, *term, *text, *reason, *number, *limit;
} Words;

/* Appends text of kind, filled with what there is. */
static void say_as(const Words *words, AdvicePieceKind kind, const char *text)
{
    char *filled = language_fill(words->language, text, "domain", words->domain, "term",
                                 words->term, "text", words->text, "reason", words->reason,
                                 "number", words->number, "limit", words->limit, NULL);

    advice_piece_add(words->pieces, kind, filled);
}

static void say(const Words *words, const char *text)
{
    say_as(words, ADVICE_PIECE_REMARK, text);
}

/* "part" "part": as zone files and some pages want them. */
static void say_strings(const Words *words)
{
    GString *line = g_string_new(NULL);

    say(words, N_("The record has {number} characters. Most DNS pages take it as it is. One that "
                  "refuses more than 255 wants it in parts; then copy this line:"));
    for (char **part = words->point->texts; part != NULL && *part != NULL; part++) {
        g_autofree char *ascii = paragraph_ascii(*part);

        g_string_append_printf(line, "%s\"%s\"", line->len > 0 ? " " : "", ascii);
    }
    advice_piece_add(words->pieces, ADVICE_PIECE_RECORD, g_string_free(line, FALSE));
}

static void say_error(const Words *words)
{
    if (*words->reason == '\0' && *words->text == '\0')
        say(words, N_("\"{term}\" (at character {number}) is wrong and was left out."));
    else if (*words->reason == '\0')
        say(words, N_("\"{term}\" (at character {number}) is wrong; it became \"{text}\"."));
    else if (*words->text == '\0')
        say(words, N_("\"{term}\" (at character {number}) is wrong and was left out: {reason}."));
    else
        say(words, N_("\"{term}\" (at character {number}) is wrong: {reason}. It became "
                      "\"{text}\"."));
}

/* Does the point begin those of its kind? The sentence before their list is then due. */
static bool is_first(const Words *words)
{
    return words->point == advice_point(words->advice, words->point->kind);
}

static void say_cost(const Words *words)
{
    bool has_voids = words->point->limit > 0;
    bool is_one = words->point->number == 1;

    if (is_first(words))
        say(words, N_("This is what its parts cost. What is not needed any more can go; the first "
                      "frees most:"));
    if (has_voids && is_one)
        say_as(words, ADVICE_PIECE_ITEM, N_("{term}: 1 look-up, which finds nothing"));
    else if (has_voids)
        say_as(words, ADVICE_PIECE_ITEM,
               N_("{term}: {number} look-ups, {limit} of which find nothing"));
    else if (is_one)
        say_as(words, ADVICE_PIECE_ITEM, N_("{term}: 1 look-up"));
    else
        say_as(words, ADVICE_PIECE_ITEM, N_("{term}: {number} look-ups"));
}

/* A list of terms behind introduction. */
static void say_term(const Words *words, const char *introduction)
{
    if (is_first(words))
        say(words, introduction);
    advice_piece_add(words->pieces, ADVICE_PIECE_ITEM, g_strdup(words->term));
}

static void say_dmarc(const Words *words)
{
    if (words->point->number == DMARC_REJECT)
        say(words, N_("{domain} asks receivers by DMARC (p=reject) to refuse mail that is not "
                      "proven to come from it. Mail from our servers is proven by the SPF record "
                      "where its envelope sender is of {domain}, too; otherwise it needs a DKIM "
                      "signature of {domain}."));
    else
        say(words, N_("{domain} asks receivers by DMARC (p=quarantine) to put mail that is not "
                      "proven to come from it into the spam folder. Mail from our servers is "
                      "proven by the SPF record where its envelope sender is of {domain}, too; "
                      "otherwise it needs a DKIM signature of {domain}."));
}

static void say_unproven(const Words *words)
{
    say(words, N_("We found no record for {domain} that is certain to work, so we don't propose "
                  "one."));
    if (words->point->reason != NULL)
        say_as(words, ADVICE_PIECE_OPERATOR, N_("What was tried last failed: {reason}."));
}

static void say_provider_relay(const Words *words)
{
    say_as(words, ADVICE_PIECE_OPERATOR,
           N_("For the operator: mail leaves through {term}, which sends with an envelope domain "
              "of its own, unless a custom one (a custom MAIL FROM domain) is set up there. "
              "Receivers then ask that domain for SPF and not {domain}; what aligns for DMARC is a "
              "DKIM signature of {domain}, so {term} has to be set up to sign for it. A custom "
              "MAIL FROM domain is a subdomain with MX and TXT records of its own, which {term} "
              "names: they belong there, and not at {domain} itself."));
}

static void say_point(const Words *words)
{
    switch (words->point->kind) {
    case POINT_STRINGS:
        return say_strings(words);
    case POINT_LONG:
        return say(words, N_("With {number} characters the record is very long; some receivers "
                             "can't read an answer of that size. What is not needed any more "
                             "should go."));
    case POINT_ALL_PASS:
        return say(words, N_("\"{term}\" in the record allows everybody to send mail as {domain}. "
                             "We have not changed that; \"~all\" in its place would protect the "
                             "domain."));
    case POINT_ALL_NEUTRAL:
        return say(words, N_("\"{term}\" in the record says nothing about other people's servers. "
                             "We have not changed that; \"~all\" in its place would protect the "
                             "domain."));
    case POINT_ALL_MISSING:
        return say(words, N_("The record lacks an end such as \"~all\" and so says nothing about "
                             "other people's servers. We have not changed that; \"~all\" would "
                             "protect the domain."));
    case POINT_PTR:
        return say(words, N_("\"{term}\" is slow and unreliable, and the standard (RFC 7208) "
                             "advises against it. We have not changed that."));
    case POINT_UNREACHED:
        return say(words, N_("\"{term}\" has no effect where it stands: what comes before it "
                             "decides everything. We have not changed that."));
    case POINT_WITHOUT_EFFECT:
        return say(words, N_("\"{term}\" has no effect: a colon was meant in place of the equals "
                             "sign. We have not changed that."));
    case POINT_FAULTY:
        return say(words,
                   N_("\"{term}\" is an error for mail servers that come to it: {reason}. We "
                      "have not changed that."));
    case POINT_ERROR:
        return say_error(words);
    case POINT_VERSION:
        return say(words, N_("The record began with \"{term}\". Receivers take for an SPF record "
                             "only what begins with \"v=spf1\" and a blank."));
    case POINT_BROKEN:
        return say(words, N_("\"{term}\" was left out: it refers to a domain without a usable SPF "
                             "record, and that makes all of the record invalid."));
    case POINT_SEVERAL:
        return; /* the instruction says it and quotes them */
    case POINT_LOOKUPS:
        return say(words, N_("Receivers would need {number} DNS look-ups for the record. They make "
                             "at most {limit}, and then take the record for faulty."));
    case POINT_VOIDS:
        return say(words, N_("{number} of the DNS look-ups for the record find nothing. With more "
                             "than {limit} receivers take the record for faulty."));
    case POINT_COST:
        return say_cost(words);
    case POINT_FLATTENED:
        return say_term(words, N_("In place of the following, the record has the addresses that "
                                  "these stand for today. That is a copy, and it ages: when such "
                                  "a service changes its servers, the record has to be changed, "
                                  "too. Please check it every few months:"));
    case POINT_VOID:
        return say(words, N_("\"{term}\" was left out: it finds nothing and so allows nobody."));
    case POINT_DOUBLE:
        return say(words, N_("\"{term}\" was there twice; once is enough."));
    case POINT_DROPPED:
        return say_term(words, N_("The following was left out, as the record would be too costly "
                                  "with it. Please publish the record only if no mail of {domain} "
                                  "comes from there any more:"));
    case POINT_MISPLACED:
        return say(words, N_("At {term} there is a TXT record that was meant for SPF. Receivers "
                             "don't look for it there, and it can go: {text}"));
    case POINT_SPF_TYPE:
        return say(words,
                   N_("At {domain} stands a record of the type SPF: \"{text}\". Receivers don't "
                      "ask for that type any more; the record has to be of type TXT."));
    case POINT_NOT_INHERITED:
        return say(words, N_("The SPF record of {term} does not count for {domain}: each name "
                             "needs its own."));
    case POINT_ALIAS:
        return say(words, N_("{domain} is an alias (CNAME) of {term}, and no other record can "
                             "stand beside an alias. The record belongs at {term}, if that is "
                             "yours; otherwise the alias has to be replaced first."));
    case POINT_DMARC:
        return say_dmarc(words);
    case POINT_UNPROVEN:
        return say_unproven(words);
    case POINT_PROVIDER_RELAY:
        return say_provider_relay(words);
    }
}

/* A reason of ours in language; one that was made of foreign data stays English. */
static char *reason_text(const Language *language, const char *reason)
{
    const char *translated = reason != NULL ? language_text(language, reason) : NULL;

    return translated != reason ? g_strdup(translated) : paragraph_quoted(reason);
}

static void add_point(GPtrArray *pieces, const Language *language, const Advice *advice,
                      const Point *point)
{
    g_autofree char *domain = paragraph_domain(advice->domain);
    g_autofree char *term = paragraph_quoted(point->term);
    g_autofree char *text = paragraph_quoted(point->text);
    g_autofree char *reason = reason_text(language, point->reason);
    g_autofree char *number = g_strdup_printf("%u", point->number);
    g_autofree char *limit = g_strdup_printf("%u", point->limit);
    const Words words = {.pieces = pieces,
                         .language = language,
                         .advice = advice,
                         .point = point,
                         .domain = domain,
                         .term = term,
                         .text = text,
                         .reason = reason,
                         .number = number,
                         .limit = limit};

    say_point(&words);
}

void advice_points_add(GPtrArray *pieces, const Language *language, const Advice *advice)
{
    for (guint i = 0; i < advice->points->len; i++) {
        const Point *first = advice_point_at(advice, i);

        if (advice_point(advice, first->kind) != first)
            continue;
        for (guint j = i; j < advice->points->len; j++)
            if (advice_point_at(advice, j)->kind == first->kind)
                add_point(pieces, language, advice, advice_point_at(advice, j));
    }
}
