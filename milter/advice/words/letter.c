#include "config.h"

#include "advice/words/letter.h"

#include <string.h>

#include "show/paragraph.h"
#include "mail/printable.h"

#define SUBJECT "Subject: "
#define COMMAND "  nslookup -type=TXT "

/* A letter while it is written. */
typedef struct {
    GString *page;
    const Language *language;
    const Advice *advice;
    const char *domain; /* for a sentence, whatever was asked for */
    const char *name;   /* the same in ASCII, for what is no sentence */
} Letter;

/* Appends a paragraph and the blank line behind it. */
static void write_paragraph(const Letter *letter, const char *text)
{
    const char *fallback = letter->advice->fallback;
    g_autofree char *paragraph = language_fill(letter->language, text, "domain", letter->domain,
                                               "fallback", fallback != NULL ? fallback : "", NULL);

    paragraph_append(letter->page, paragraph, "", "");
    g_string_append_c(letter->page, '\n');
}

/* Translated, all of them are ASCII: a header field can't be anything else on every path. */
static const char *subject_of(AdviceKind kind)
{
    switch (kind) {
    case ADVICE_PROVIDER:
        return N_("Your sender address at {domain}");
    case ADVICE_NODOMAIN:
        return N_("Your sender address: {domain} does not exist");
    case ADVICE_OK:
        return N_("Your domain {domain}: nothing to be done");
    case ADVICE_PUBLISH:
        return N_("Your domain {domain}: a DNS record is missing");
    case ADVICE_UNKNOWN:
    case ADVICE_MERGE:
    case ADVICE_REPAIR:
    case ADVICE_REDUCE:
    case ADVICE_EXTEND:
        break;
    }
    return N_("Your domain {domain}: please change a DNS record");
}

/* One line that fits, so that it can be pasted into a mail program. */
static void write_subject(const Letter *letter)
{
    g_autofree char *subject = language_fill(letter->language, subject_of(letter->advice->kind),
                                             "domain", letter->name, NULL);

    if (strlen(SUBJECT) + strlen(subject) > PARAGRAPH_WIDTH) {
        g_free(subject);
        subject = g_strdup(language_text(letter->language, N_("Your sender address")));
    }
    g_string_append_printf(letter->page, SUBJECT "%s\n\n", subject);
}

/* Why it is written at all, in the words of somebody who never heard of SPF. */
static const char *reason_of(AdviceKind kind)
{
    switch (kind) {
    case ADVICE_PROVIDER:
        return N_("You send mail through our servers with an address at {domain}. That domain "
                  "belongs to your mail provider, which allows only its own servers to send mail "
                  "for it. Many receivers therefore take what comes from our servers for forged "
                  "and put it into the spam folder.");
    case ADVICE_NODOMAIN:
        return N_("You send mail through our servers with an address at {domain}. This domain does "
                  "not exist, so receivers refuse such mail or put it into the spam folder, and "
                  "nobody can reply to you.");
    case ADVICE_OK:
        return N_("You send mail through our servers with addresses of your domain {domain}. We "
                  "have checked the domain: it says that our servers may do that.");
    case ADVICE_PUBLISH:
        return N_("You send mail through our servers with addresses of your domain {domain}. So "
                  "far nothing says that our servers may do that. Many receivers therefore take "
                  "such mail for forged and put it into the spam folder.");
    case ADVICE_MERGE:
    case ADVICE_REPAIR:
        return N_("You send mail through our servers with addresses of your domain {domain}. Which "
                  "servers may do that is said by a record of the domain, its SPF record. That "
                  "record has an error, so it counts for nothing, and many receivers put your mail "
                  "into the spam folder.");
    case ADVICE_REDUCE:
        return N_("You send mail through our servers with addresses of your domain {domain}. Which "
                  "servers may do that is said by a record of the domain, its SPF record. As it "
                  "stands, it has no room for ours: receivers would have to look up too much. Many "
                  "of them therefore take such mail for forged and put it into the spam folder.");
    case ADVICE_UNKNOWN:
    case ADVICE_EXTEND:
        break;
    }
    return N_("You send mail through our servers with addresses of your domain {domain}. Which "
              "servers may do that is said by a record of the domain, its SPF record, and ours are "
              "not among them yet. Many receivers therefore take such mail for forged and put it "
              "into the spam folder.");
}

/* Is there something that the owner can change? */
static bool has_change(const Letter *letter)
{
    switch (letter->advice->kind) {
    case ADVICE_PROVIDER:
    case ADVICE_UNKNOWN:
    case ADVICE_NODOMAIN:
    case ADVICE_OK:
        return false;
    case ADVICE_MERGE:
    case ADVICE_REPAIR:
    case ADVICE_REDUCE:
    case ADVICE_EXTEND:
    case ADVICE_PUBLISH:
        break;
    }
    return true;
}

/* What we do meanwhile; a provider's users hear it as one of their two ways. */
static void write_meanwhile(const Letter *letter)
{
    if (!letter->advice->is_rewriting || letter->advice->fallback == NULL || !has_change(letter))
        return;
    write_paragraph(letter,
                    N_("So that your mail arrives nevertheless, we send it as {fallback} for now. "
                       "Your name still shows, and the address for replies is still yours."));
}

static void write_beginning(const Letter *letter)
{
    write_subject(letter);
    write_paragraph(letter, N_("Dear customer,"));
    write_paragraph(letter, reason_of(letter->advice->kind));
    write_meanwhile(letter);
    if (has_change(letter) && letter->advice->record != NULL)
        write_paragraph(letter, N_("You can put that right with one change in the DNS of your "
                                   "domain. It takes a few minutes, and if somebody else looks "
                                   "after your domain or your website, please pass this letter on: "
                                   "everything that is needed stands in it."));
}

/* What the owner is to know of it: the summary is in the reason, the rest is the operator's. */
static void write_advice(const Letter *letter)
{
    g_autoptr(GPtrArray) pieces = advice_text_pieces(letter->language, letter->advice);

    for (guint i = pieces->len; i > 0; i--) {
        const AdvicePiece *piece = g_ptr_array_index(pieces, i - 1);

        if (piece->kind == ADVICE_PIECE_OPERATOR)
            g_ptr_array_remove_index(pieces, i - 1);
    }
    advice_text_append(letter->page, pieces);
    g_string_append_c(letter->page, '\n');
}

static void write_check(const Letter *letter)
{
    bool has_room = strlen(COMMAND) + strlen(letter->name) <= PARAGRAPH_WIDTH;

    if (!has_change(letter) || letter->advice->record == NULL)
        return;
    write_paragraph(letter, N_("To see whether it worked, just reply to this letter when it is "
                               "done: we then check it."));
    if (!has_room)
        return;
    write_paragraph(letter, N_("Or ask for yourself: the Windows command prompt answers this "
                               "command with the record above."));
    g_string_append_printf(letter->page, COMMAND "%s\n\n", letter->name);
}

static void write_end(const Letter *letter)
{
    g_autofree char *name =
        letter->advice->sender != NULL ? printable_line(letter->advice->sender) : NULL;

    if (letter->advice->kind == ADVICE_PROVIDER)
        write_paragraph(letter, N_("If you choose a domain of your own, just tell us: we then send "
                                   "you the one record that has to be published for it."));
    if (!has_change(letter) || letter->advice->record == NULL)
        write_paragraph(letter, N_("If anything is unclear, just reply to this letter."));
    paragraph_append(letter->page, language_text(letter->language, N_("Kind regards")), "", "");
    if (name != NULL)
        paragraph_append(letter->page, name, "", "");
}

char *letter_new(const Language *language, const Advice *advice)
{
    g_autofree char *domain = paragraph_domain(advice->domain);
    g_autofree char *name = paragraph_quoted(advice->domain);
    const Letter letter = {.page = g_string_new(NULL),
                           .language = language,
                           .advice = advice,
                           .domain = domain,
                           .name = name};

    if (advice->kind == ADVICE_UNKNOWN)
        return g_string_free(letter.page, TRUE);
    write_beginning(&letter);
    write_advice(&letter);
    write_check(&letter);
    write_end(&letter);
    return g_string_free(letter.page, FALSE);
}
