#include "config.h"

#include "advice/words/letter.h"

#include <string.h>

#include "show/paragraph.h"
#include "mail/printable.h"

#define COMMAND "  nslookup -type=TXT "
#define COMMAND_DKIM "  nslookup -type=CNAME "

/* A letter while it is written. */
typedef struct {
    GString *page;
    const Language *language;
    const Advice *advice;
    const AdviceKindRow *row;
    const char *domain; /* for a sentence, whatever was asked for */
    const char *name;   /* the same in ASCII, for what is no sentence */
    bool takes_replies;
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

/* One line that fits, so that it can be pasted into a mail program. */
static void write_subject(const Letter *letter, const char *text)
{
    const char *label = language_text(letter->language, N_("Subject"));
    g_autofree char *subject =
        language_fill(letter->language, text, "domain", letter->domain, NULL);
    glong width = g_utf8_strlen(label, -1) + g_utf8_strlen(subject, -1) + (glong)strlen(": ");

    if (width > PARAGRAPH_WIDTH) {
        g_free(subject);
        subject = g_strdup(language_text(letter->language, N_("Your sender address")));
    }
    g_string_append_printf(letter->page, "%s: %s\n\n", label, subject);
}

/* What we do meanwhile; a provider's users hear it as one of their two ways. */
static void write_meanwhile(const Letter *letter)
{
    if (!letter->advice->is_rewriting || letter->advice->fallback == NULL ||
        !letter->row->shows_record)
        return;
    write_paragraph(letter,
                    N_("So that your mail arrives nevertheless, we send it as {fallback} for now. "
                       "Your name still shows, and the address for replies is still yours."));
}

static void write_beginning(const Letter *letter)
{
    write_subject(letter, letter->row->subject);
    write_paragraph(letter, N_("Dear customer,"));
    write_paragraph(letter, advice_reason(letter->advice));
    write_meanwhile(letter);
    if (letter->row->shows_record && letter->advice->record != NULL)
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

    if (!letter->row->shows_record || letter->advice->record == NULL)
        return;
    if (letter->takes_replies)
        write_paragraph(letter, N_("To see whether it worked, just reply to this letter when it is "
                                   "done: we then check it."));
    if (!has_room)
        return;
    if (letter->takes_replies)
        write_paragraph(letter, N_("Or look for yourself: on Windows (command prompt) and on macOS "
                                   "(Terminal), this command answers with the line that you "
                                   "published."));
    else
        write_paragraph(letter, N_("To see whether it worked, look for yourself: on Windows "
                                   "(command prompt) and on macOS (Terminal), this command answers "
                                   "with the line that you published."));
    g_string_append_printf(letter->page, COMMAND "%s\n\n", letter->name);
    if (!advice_shows_dkim(letter->advice) ||
        strlen(COMMAND_DKIM) + strlen(letter->advice->dkim_name) > PARAGRAPH_WIDTH)
        return;
    write_paragraph(letter, N_("For the other way, the CNAME, it is this one:"));
    g_string_append_printf(letter->page, COMMAND_DKIM "%s\n\n", letter->advice->dkim_name);
}

/* What happens if nobody does anything, which is right for whoever doesn't own the domain. */
static void write_otherwise(const Letter *letter)
{
    bool is_replaced = letter->advice->is_rewriting && letter->advice->fallback != NULL;

    if (letter->advice->kind == ADVICE_NODOMAIN && is_replaced)
        write_paragraph(letter, N_("If you do nothing, we go on sending your mail as {fallback}, "
                                   "and replies can't reach you."));
    if (letter->advice->record == NULL && is_replaced && letter->row->shows_record)
        write_paragraph(letter, N_("If the domain is not yours, you need not do anything: we go on "
                                   "sending your mail as {fallback}. The same happens if nobody "
                                   "changes anything."));
    if (!letter->row->shows_record || letter->advice->record == NULL)
        return;
    if (is_replaced)
        write_paragraph(letter, N_("If the domain is not yours, you need not do anything: we go on "
                                   "sending your mail as {fallback}. The same happens if nobody "
                                   "publishes the record: your mail arrives and shows your name, "
                                   "replies go to your address, but the sender's address is not "
                                   "yours."));
    else
        write_paragraph(letter,
                        N_("If the domain is not yours, you need not do anything. If nobody "
                           "publishes the record, everything stays as it is: many receivers "
                           "go on taking your mail for forged."));
}

static void write_regards(const Letter *letter)
{
    g_autofree char *name =
        letter->advice->sender != NULL ? printable_line(letter->advice->sender) : NULL;

    paragraph_append(letter->page, language_text(letter->language, N_("Kind regards")), "", "");
    if (name != NULL)
        paragraph_append(letter->page, name, "", "");
}

static void write_end(const Letter *letter)
{
    if (letter->row->letter_end != NULL)
        write_paragraph(letter, letter->row->letter_end);
    if (letter->takes_replies && (!letter->row->shows_record || letter->advice->record == NULL))
        write_paragraph(letter, N_("If anything is unclear, just reply to this letter."));
    write_regards(letter);
}

char *letter_new(const Language *language, const Advice *advice, bool takes_replies)
{
    g_autofree char *domain = paragraph_domain(advice->domain);
    g_autofree char *quoted = paragraph_quoted(advice->domain);
    g_autofree char *name = paragraph_ascii(quoted);
    const Letter letter = {.page = g_string_new(NULL),
                           .language = language,
                           .advice = advice,
                           .row = advice_kind_row(advice->kind),
                           .domain = domain,
                           .name = name,
                           .takes_replies = takes_replies};

    if (letter.row->reason == NULL)
        return g_string_free(letter.page, TRUE);
    write_beginning(&letter);
    write_advice(&letter);
    write_check(&letter);
    write_otherwise(&letter);
    write_end(&letter);
    return g_string_free(letter.page, FALSE);
}

char *letter_thanks_new(const Language *language, const Advice *advice)
{
    g_autofree char *domain = paragraph_domain(advice->domain);
    const Letter letter = {.page = g_string_new(NULL),
                           .language = language,
                           .advice = advice,
                           .row = advice_kind_row(advice->kind),
                           .domain = domain};

    write_subject(&letter, N_("Your domain {domain}: done, thank you"));
    write_paragraph(&letter, N_("Dear customer,"));
    write_paragraph(&letter, N_("The DNS of your domain {domain} now says that our servers may "
                                "send its mail. Thank you!"));
    write_paragraph(&letter, N_("From now on your mail goes out under your own address again. "
                                "Nothing else is to be done; please leave the record as it is."));
    write_regards(&letter);
    return g_string_free(letter.page, FALSE);
}
