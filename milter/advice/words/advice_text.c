#include "config.h"

#include "advice/words/advice_text.h"

#include <string.h>

#include "advice/words/advice_points.h"
#include "show/paragraph.h"

static void piece_free(gpointer data)
{
    AdvicePiece *piece = data;

    g_free(piece->label);
    g_free(piece->text);
    g_free(piece);
}

/* Advice while it is put in words. */
typedef struct {
    GPtrArray *pieces;
    const Language *language;
    const Advice *advice;
    const char *domain; /* for a sentence, whatever was asked for */
    const char *zone;   /* the same of advice->organizational */
    const char *count;  /* of the records found */
} Words;

static void say(const Words *words, AdvicePieceKind kind, const char *text)
{
    const Advice *advice = words->advice;
    char *filled =
        language_fill(words->language, text, "domain", words->domain, "zone", words->zone,
                      "fallback", advice->fallback != NULL ? advice->fallback : "", "hoster",
                      advice->hoster != NULL ? advice->hoster : "", "number", words->count, NULL);

    advice_piece_add(words->pieces, kind, filled);
}

static const char *summary_of(AdviceKind kind)
{
    switch (kind) {
    case ADVICE_PROVIDER:
        return N_("belongs to a mail provider, and its users can't publish an SPF record");
    case ADVICE_UNKNOWN:
        return N_("the DNS does not answer; please try again later");
    case ADVICE_NODOMAIN:
        return N_("this domain does not exist");
    case ADVICE_MERGE:
        return N_("has several SPF records, which counts as an error; one is to be published in "
                  "their place");
    case ADVICE_REPAIR:
        return N_("has an SPF record with an error, which needs mending");
    case ADVICE_REDUCE:
        return N_("has an SPF record that is too costly: with our servers in it, it needs more DNS "
                  "look-ups than receivers make");
    case ADVICE_OK:
        return N_("allows our servers to send; nothing is to be done");
    case ADVICE_EXTEND:
        return N_("has an SPF record that lacks our servers");
    case ADVICE_PUBLISH:
        return N_("has no SPF record; this one is to be published");
    }
    return "";
}

const char *advice_text_summary(const Language *language, const Advice *advice)
{
    return language_text(language, summary_of(advice->kind));
}

static void say_summary(const Words *words)
{
    const char *summary = advice_text_summary(words->language, words->advice);
    g_autofree char *name = paragraph_quoted(words->advice->domain);
    bool is_as_asked = strcmp(name, words->domain) == 0;

    advice_piece_add(words->pieces, ADVICE_PIECE_SUMMARY,
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
        advice_piece_add(words->pieces, ADVICE_PIECE_QUOTE, paragraph_record(*record));
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
    advice_piece_add(words->pieces, ADVICE_PIECE_RECORD, paragraph_ascii(advice->record));
}

static void say_what_was_added(const Words *words)
{
    g_autofree char *added = g_strjoinv(" ", words->advice->added);

    if (words->advice->kind != ADVICE_EXTEND || *added == '\0')
        return;
    advice_piece_add(words->pieces, ADVICE_PIECE_REMARK,
                     language_fill(words->language,
                                   N_("New in it is {added}; all else stays as it was."), "added",
                                   added, NULL));
}

static void say_outcome(const Words *words)
{
    say(words, ADVICE_PIECE_OUTCOME,
        N_("The change takes effect by itself, mostly within an hour, at some hosters after a day. "
           "Receivers then see that our servers may send mail for {domain}. Mail that is sent or "
           "received in other ways is not affected."));
    if (words->advice->is_rewriting && words->advice->fallback != NULL)
        say(words, ADVICE_PIECE_OUTCOME,
            N_("From then on mail from {domain} keeps its own address as the sender, and "
               "{fallback} is no longer put in its place."));
}

static void say_provider(const Words *words)
{
    say(words, ADVICE_PIECE_INSTRUCTION,
        N_("Only the provider itself can say which servers may send mail for {domain}; who has an "
           "address there can't. There are two ways:"));
    if (words->advice->fallback != NULL)
        say(words, ADVICE_PIECE_ITEM,
            N_("Stay with the fallback address: your mail is sent as {fallback}, your name still "
               "shows, and replies go to your address at {domain}. You need not do anything."));
    else
        say(words, ADVICE_PIECE_ITEM,
            N_("Stay with the fallback address: your name still shows, and replies go to your "
               "address at {domain}. You need not do anything."));
    say(words, ADVICE_PIECE_ITEM,
        N_("Use a domain of your own, such as practice-miller.example, from a web hoster: for it "
           "an SPF record can be published, and your address stays even when you change the "
           "provider."));
}

static void say_what_to_do(const Words *words)
{
    switch (words->advice->kind) {
    case ADVICE_PROVIDER:
        return say_provider(words);
    case ADVICE_UNKNOWN:
        if (words->advice->has_unknown_relays)
            return say(words, ADVICE_PIECE_INSTRUCTION,
                       N_("It is not known at the moment from which servers our mail leaves, so "
                          "nothing can be said of the record of {domain}."));
        return say(words, ADVICE_PIECE_INSTRUCTION,
                   N_("The name servers of {domain}, or of a domain that its record refers to, "
                      "gave no answer that can be used. Nothing is known of the record until they "
                      "do."));
    case ADVICE_NODOMAIN:
        return say(words, ADVICE_PIECE_INSTRUCTION,
                   N_("Please check the spelling. If the domain was given up, no mail can reach "
                      "its addresses, and replies get lost."));
    case ADVICE_OK:
        return say(words, ADVICE_PIECE_INSTRUCTION,
                   N_("Mail from {domain} is sent with its own address as the sender."));
    case ADVICE_MERGE:
    case ADVICE_REPAIR:
    case ADVICE_REDUCE:
    case ADVICE_EXTEND:
    case ADVICE_PUBLISH:
        break;
    }
    if (words->advice->record == NULL)
        return;
    say_place(words);
    say_change(words);
    say_record(words);
    say_what_was_added(words);
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
    Words words = {.pieces = g_ptr_array_new_with_free_func(piece_free),
                   .language = language,
                   .advice = advice,
                   .domain = domain,
                   .zone = zone,
                   .count = count};

    say_summary(&words);
    say_what_to_do(&words);
    advice_points_add(words.pieces, language, advice);
    if (advice->record != NULL && advice->kind != ADVICE_OK)
        say_outcome(&words);
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
