#include "config.h"

#include "advice/words/advice_text.h"

#include <string.h>

#include "show/paragraph.h"
#include "show/reason.h"
#include "spf/dmarc.h"

static void piece_free(gpointer data)
{
    AdvicePiece *piece = data;

    g_free(piece->label);
    g_free(piece->text);
    g_free(piece);
}

/* Advice, or one of its points, while it is put in words: all texts as they may stand in a
 * sentence. */
typedef struct {
    GPtrArray *pieces;
    const Language *language;
    const Advice *advice;
    /* of AdviceWhen: what holds */
    guint holds;
    /* Of the advice. */
    const char *domain, *zone;
    /* Of the point; for the advice itself, number is that of the records found. */
    const char *term, *text, *reason, *number, *limit, *strings;
} Words;

static const char *or_empty(const char *text)
{
    return text != NULL ? text : "";
}

static void add_piece(GPtrArray *pieces, AdvicePieceKind kind, char *text)
{
    AdvicePiece *piece = g_new0(AdvicePiece, 1);

    piece->kind = kind;
    piece->text = text;
    g_ptr_array_add(pieces, piece);
}

/* Appends text of kind, filled with what there is. */
static void say(const Words *words, AdvicePieceKind kind, const char *text)
{
    const Advice *advice = words->advice;
    char *filled =
        language_fill(words->language, text, "domain", words->domain, "zone", words->zone,
                      "fallback", or_empty(advice->fallback), "hoster", or_empty(advice->hoster),
                      "term", words->term, "text", words->text, "reason", words->reason, "number",
                      words->number, "limit", words->limit, "strings", words->strings, NULL);

    add_piece(words->pieces, kind, filled);
}

static void say_sentences(const Words *words, const AdviceSentence *sentences)
{
    for (; sentences->text != NULL; sentences++)
        if ((sentences->when & ~words->holds) == 0)
            say(words, sentences->piece, sentences->text);
}

const char *advice_text_summary(const Language *language, const Advice *advice)
{
    return language_text(language, advice_summary(advice));
}

static void say_summary(const Words *words)
{
    const char *summary = advice_text_summary(words->language, words->advice);
    g_autofree char *name = paragraph_quoted(words->advice->domain);
    bool is_as_asked = strcmp(name, words->domain) == 0;

    add_piece(words->pieces, ADVICE_PIECE_SUMMARY,
              is_as_asked ? g_strconcat(name, ": ", summary, NULL)
                          : g_strconcat(words->domain, " (", name, "): ", summary, NULL));
}

static void say_place(const Words *words)
{
    if (words->advice->hoster != NULL)
        say(words, ADVICE_PIECE_INSTRUCTION,
            N_("Please log in to {hoster}, where the DNS records of {zone} are kept, and open the "
               "DNS settings of {zone}."));
    else
        say(words, ADVICE_PIECE_INSTRUCTION,
            N_("Please log in to the company that keeps the DNS records of {zone} (mostly the web "
               "hoster, or where the domain was bought), and open the DNS settings of {zone}."));
}

static void say_found(const Words *words)
{
    for (char **record = words->advice->found; *record != NULL; record++)
        add_piece(words->pieces, ADVICE_PIECE_QUOTE, paragraph_record(*record));
}

static void say_change(const Words *words)
{
    if (words->advice->found[0] == NULL) {
        say(words, ADVICE_PIECE_INSTRUCTION, N_("Add a new record there:"));
        return;
    }
    if (words->advice->found[1] == NULL)
        say(words, ADVICE_PIECE_INSTRUCTION,
            N_("An SPF record is there already. Replace its value by the new one below; please "
               "don't add a second SPF record, as two of them count as an error. Today it "
               "reads:"));
    else
        say(words, ADVICE_PIECE_INSTRUCTION,
            N_("There are {number} SPF records, and only one is allowed. Delete these, and publish "
               "the new one below in their place:"));
    say_found(words);
    say(words, ADVICE_PIECE_INSTRUCTION, N_("The new record:"));
}

/* What the owner has to correct, as we don't. */
static void say_unreadable(const Words *words)
{
    say(words, ADVICE_PIECE_INSTRUCTION, N_("At {domain} stands today:"));
    say_found(words);
}

static void say_field(const Words *words, const char *label, const char *text)
{
    AdvicePiece *piece;

    say(words, ADVICE_PIECE_FIELD, text);
    piece = g_ptr_array_index(words->pieces, words->pieces->len - 1);
    piece->label = g_strdup(language_text(words->language, label));
}

static void say_record(const Words *words)
{
    const Advice *advice = words->advice;

    if (advice->is_subdomain)
        say_field(words, N_("Name (host)"), advice->label);
    else
        say_field(words, N_("Name (host)"), N_("@, or empty: the domain {domain} itself"));
    say_field(words, N_("Type"), "TXT");
    say_field(words, N_("Value"), N_("this line, complete and unchanged:"));
    add_piece(words->pieces, ADVICE_PIECE_RECORD, paragraph_ascii(advice->record));
}

static void say_alternative(const Words *words)
{
    if (words->advice->alternative == NULL)
        return;
    say(words, ADVICE_PIECE_INSTRUCTION,
        N_("If you also send mail from {domain} in another way, with your own mail program or from "
           "your website, take this line instead of the one above (never both):"));
    add_piece(words->pieces, ADVICE_PIECE_RECORD, paragraph_ascii(words->advice->alternative));
}

/* The way without SPF: our DKIM key counts as the domain's. */
static void say_dkim(const Words *words)
{
    const Advice *advice = words->advice;

    if (!advice_shows_dkim(advice))
        return;
    if (advice->record != NULL)
        say(words, ADVICE_PIECE_INSTRUCTION,
            N_("If you would rather not touch the SPF record, there is another way, and one of the "
               "two is enough: the record below lets our servers sign mail from {domain} (DKIM), "
               "and receivers then accept it as yours."));
    else
        say(words, ADVICE_PIECE_INSTRUCTION,
            N_("There is a way that needs no SPF record: the record below lets our servers sign "
               "mail from {domain} (DKIM), and receivers then accept it as yours."));
    say_field(words, N_("Name (host)"), advice->dkim_label);
    say_field(words, N_("Type"), "CNAME");
    say_field(words, N_("Value"), advice->dkim_target);
    say(words, ADVICE_PIECE_INSTRUCTION,
        N_("If the form there puts {zone} behind a value without a dot at its end, end the value "
           "with a dot."));
    say(words, ADVICE_PIECE_INSTRUCTION,
        N_("If the records of {zone} are kept in a zone file, this is the line for it:"));
    add_piece(words->pieces, ADVICE_PIECE_RECORD, advice_dkim_line(advice));
}

/* A term whose sign was changed is told by its point. */
static void say_what_was_added(const Words *words)
{
    g_autofree char *added = g_strjoinv(" ", words->advice->added);

    if (!advice_kind_row(words->advice->kind)->tells_added || *added == '\0' ||
        advice_point(words->advice, POINT_SIGN) != NULL)
        return;
    add_piece(words->pieces, ADVICE_PIECE_REMARK,
              language_fill(words->language, N_("New in it is {added}; all else stays as it was."),
                            "added", added, NULL));
}

static void say_outcome(const Words *words)
{
    if (words->advice->keeps_others)
        say(words, ADVICE_PIECE_OUTCOME,
            N_("The change takes effect by itself, mostly within an hour, at some hosters after a "
               "day. Receivers then see that our servers may send mail for {domain}. Mail that is "
               "sent or received in other ways is not affected."));
    else
        say(words, ADVICE_PIECE_OUTCOME,
            N_("The change takes effect by itself, mostly within an hour, at some hosters after a "
               "day. Receivers then see that our servers may send mail for {domain}, and they "
               "check all mail of {domain} against the record, however it is sent. If you also "
               "send mail through servers that it does not name, such as those of a newsletter "
               "service, please ask us first: that mail could end up in the spam folder. Nothing "
               "changes for the mail that you receive."));
    if (words->advice->is_rewriting && words->advice->fallback != NULL)
        say(words, ADVICE_PIECE_OUTCOME,
            N_("From then on mail from {domain} keeps its own address as the sender, and "
               "{fallback} is no longer put in its place."));
}

static void say_record_change(const Words *words)
{
    say_place(words);
    say_change(words);
    say_record(words);
    say_alternative(words);
    say_what_was_added(words);
}

/* A reason of ours in language, without a stranger's octets. */
static char *reason_text(const Language *language, const char *reason)
{
    g_autofree char *quoted = paragraph_quoted(reason);

    return reason_in(language, quoted);
}

/* "part" "part": as zone files and some pages want them. */
static char *strings_of(char *const *texts)
{
    GString *line = g_string_new(NULL);

    for (; texts != NULL && *texts != NULL; texts++) {
        g_autofree char *ascii = paragraph_ascii(*texts);

        g_string_append_printf(line, "%s\"%s\"", line->len > 0 ? " " : "", ascii);
    }
    return g_string_free(line, FALSE);
}

static guint one_of(bool holds, AdviceWhen when, AdviceWhen otherwise)
{
    return holds ? when : otherwise;
}

static void say_point(const Words *words, const Point *point)
{
    bool is_name = (point_row(point->kind)->members & POINT_TERM_IS_NAME) != 0;
    g_autofree char *term = is_name && point->term != NULL ? paragraph_domain(point->term)
                                                           : paragraph_quoted(point->term);
    g_autofree char *text = paragraph_quoted(point->text);
    g_autofree char *reason = reason_text(words->language, point->reason);
    g_autofree char *number = g_strdup_printf("%u", point->number);
    g_autofree char *limit = g_strdup_printf("%u", point->limit);
    g_autofree char *strings = strings_of(point->texts);
    Words of_point = *words;

    of_point.term = term;
    of_point.text = text;
    of_point.reason = reason;
    of_point.number = number;
    of_point.limit = limit;
    of_point.strings = strings;
    of_point.holds |= one_of(point == advice_point(words->advice, point->kind), WHEN_FIRST, 0) |
                      one_of(*term != '\0', WHEN_TERM, WHEN_NO_TERM) |
                      one_of(*reason != '\0', WHEN_REASON, WHEN_NO_REASON) |
                      one_of(*text != '\0', WHEN_TEXT, WHEN_NO_TEXT) |
                      one_of(point->number == 1, WHEN_ONE, WHEN_MORE) |
                      one_of(point->limit > 0, WHEN_VOID, WHEN_NOT_VOID) |
                      one_of(point->number == DMARC_REJECT, WHEN_REJECT, WHEN_QUARANTINE);
    say_sentences(&of_point, point_row(point->kind)->sentences);
}

/* Points of one kind stand together, in the place of the first. */
static void say_points(const Words *words)
{
    const Advice *advice = words->advice;

    for (guint i = 0; i < advice->points->len; i++) {
        const Point *first = advice_point_at(advice, i);

        if (advice_point(advice, first->kind) != first)
            continue;
        for (guint j = i; j < advice->points->len; j++)
            if (advice_point_at(advice, j)->kind == first->kind)
                say_point(words, advice_point_at(advice, j));
    }
}

/* Moves what is for the operator to the end. */
static void move_operators(GPtrArray *pieces)
{
    guint end = pieces->len;

    for (guint i = 0; i < end;) {
        const AdvicePiece *piece = g_ptr_array_index(pieces, i);

        if (piece->kind != ADVICE_PIECE_OPERATOR) {
            i++;
            continue;
        }
        g_ptr_array_add(pieces, g_ptr_array_steal_index(pieces, i));
        end--;
    }
}

GPtrArray *advice_text_pieces(const Language *language, const Advice *advice)
{
    g_autofree char *domain = paragraph_domain(advice->domain);
    g_autofree char *zone = paragraph_domain(advice->organizational);
    g_autofree char *count = g_strdup_printf("%u", g_strv_length(advice->found));
    const AdviceKindRow *row = advice_kind_row(advice->kind);
    bool has_record = row->shows_record && advice->record != NULL;
    const Words words = {
        .pieces = g_ptr_array_new_with_free_func(piece_free),
        .language = language,
        .advice = advice,
        .holds = one_of(advice->fallback != NULL, WHEN_FALLBACK, WHEN_NO_FALLBACK) |
                 one_of(advice->has_unknown_relays, WHEN_RELAYS_UNKNOWN, WHEN_RELAYS_KNOWN) |
                 one_of(has_record, WHEN_RECORD, WHEN_NO_RECORD),
        .domain = domain,
        .zone = zone,
        .term = "",
        .text = "",
        .reason = "",
        .number = count,
        .limit = "",
        .strings = "",
    };

    say_summary(&words);
    say_sentences(&words, row->sentences);
    if (has_record)
        say_record_change(&words);
    else if (advice_point(advice, POINT_UNREADABLE) != NULL ||
             advice_point(advice, POINT_BROKEN_REFUSAL) != NULL)
        say_unreadable(&words);
    say_points(&words);
    if (has_record)
        say_outcome(&words);
    say_dkim(&words);
    move_operators(words.pieces);
    return words.pieces;
}

/* Is a blank line wanted between the two? Fields, quotes and items of a list stand together. */
static bool is_apart(const AdvicePiece *before, const AdvicePiece *piece)
{
    switch (piece->kind) {
    case ADVICE_PIECE_FIELD:
    case ADVICE_PIECE_QUOTE:
    case ADVICE_PIECE_ITEM:
        return before->kind != piece->kind;
    case ADVICE_PIECE_SUMMARY:
    case ADVICE_PIECE_INSTRUCTION:
    case ADVICE_PIECE_RECORD:
    case ADVICE_PIECE_REMARK:
    case ADVICE_PIECE_OUTCOME:
    case ADVICE_PIECE_OPERATOR:
        break;
    }
    return true;
}

#define LABEL_WIDTH 14

static void append_field(GString *page, const AdvicePiece *piece)
{
    static const char blanks[] = "                ";
    g_autofree char *label = g_strconcat(piece->label, ":", NULL);
    glong width = g_utf8_strlen(label, -1);
    g_autofree char *first =
        g_strdup_printf("  %s%*s", label, width < LABEL_WIDTH ? (int)(LABEL_WIDTH - width) : 1, "");

    paragraph_append(page, piece->text, first, blanks);
}

static void append_piece(GString *page, const AdvicePiece *piece)
{
    switch (piece->kind) {
    case ADVICE_PIECE_FIELD:
        return append_field(page, piece);
    case ADVICE_PIECE_RECORD:
        g_string_append_printf(page, "%s\n", piece->text);
        return;
    case ADVICE_PIECE_QUOTE:
        return paragraph_append(page, piece->text, "  | ", "  | ");
    case ADVICE_PIECE_ITEM:
        return paragraph_append(page, piece->text, "  - ", "    ");
    case ADVICE_PIECE_SUMMARY:
    case ADVICE_PIECE_INSTRUCTION:
    case ADVICE_PIECE_REMARK:
    case ADVICE_PIECE_OUTCOME:
    case ADVICE_PIECE_OPERATOR:
        break;
    }
    paragraph_append(page, piece->text, "", "");
}

void advice_text_append(GString *page, GPtrArray *pieces)
{
    const AdvicePiece *before = NULL;

    for (guint i = 0; i < pieces->len; i++) {
        const AdvicePiece *piece = g_ptr_array_index(pieces, i);

        if (piece->kind == ADVICE_PIECE_SUMMARY)
            continue;
        if (before != NULL && is_apart(before, piece))
            g_string_append_c(page, '\n');
        append_piece(page, piece);
        before = piece;
    }
}

char *advice_text(const Language *language, const Advice *advice)
{
    g_autoptr(GPtrArray) pieces = advice_text_pieces(language, advice);
    const AdvicePiece *summary = g_ptr_array_index(pieces, 0);
    GString *page = g_string_new(NULL);

    paragraph_append(page, summary->text, "", "");
    g_string_append_c(page, '\n');
    advice_text_append(page, pieces);
    return g_string_free(page, FALSE);
}
