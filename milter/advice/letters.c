#include "config.h"

#include "advice/letters.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/random.h>

#include "advice/letter_mail.h"
#include "advice/submission.h"
#include "advice/words/letter.h"
#include "base/clock.h"
#include "base/domain_name.h"
#include "ledger/ledger_report.h"
#include "mail/printable.h"
#include "verdict/dkim_consent.h"

#define ADDRESSES_MAX (64 * 1024 * 1024) /* octets of a file of addresses */
#define QUOTED_MAX 200                   /* octets of a wrong word that are told */
#define SIGNATURE_MAX 8192               /* octets */
#define PIECE 1000                       /* authors that are read at once */

G_DEFINE_QUARK(spfrom_letters_error, letters_error)

static const struct {
    const char *name, *sentence;
} whys[] = {
    [LETTERS_DUE] = {"due", N_("a letter is due")},
    [LETTERS_OPTED_OUT] = {"opted-out", N_("letters = no")},
    [LETTERS_OFF] = {"off", N_("mode = off")},
    [LETTERS_IDLE] = {"idle", N_("none of its mail was rewritten lately")},
    [LETTERS_AUTHORISED] = {"authorised", N_("it is authorised by now")},
    [LETTERS_NOTHING] = {"nothing", N_("its owner can do nothing")},
    [LETTERS_UNPROVEN] = {"unproven", N_("no record could be proven")},
    [LETTERS_TROUBLE] = {"trouble",
                         N_("the DNS does not answer, or not all of our relays are known")},
    [LETTERS_NO_ADDRESS] = {"no-address", N_("no address of an author is known")},
    [LETTERS_BAD_ADDRESS] = {"bad-address", N_("no letter can be sent to this address")},
    [LETTERS_WAITS] = {"waits", N_("the last letter was not long ago")},
    [LETTERS_ENOUGH] = {"enough", N_("enough letters were sent")},
    [LETTERS_BOUNCED] = {"bounced", N_("a letter to this address came back")},
};

const char *letters_why_name(LettersWhy why)
{
    return whys[why].name;
}

const char *letters_why_sentence(LettersWhy why)
{
    return whys[why].sentence;
}

void letter_free(Letter *letter)
{
    g_free(letter->domain);
    g_free(letter->address);
    g_free(letter->asked);
    g_clear_pointer(&letter->advice, advice_free);
    g_free(letter);
}

static void free_letter(gpointer letter)
{
    letter_free(letter);
}

static Letter *letter_about(const char *domain, const char *address)
{
    Letter *letter = g_new0(Letter, 1);

    letter->domain = g_strdup(domain);
    letter->address = g_strdup(address);
    return letter;
}

/* Who writes from which domain. */
typedef struct {
    guint32 day;          /* on which it was used last */
    GPtrArray *addresses; /* of char *: of a provider all of them, else one */
} Authors;

static void authors_free(gpointer data)
{
    Authors *authors = data;

    g_ptr_array_unref(authors->addresses);
    g_free(authors);
}

static bool is_of_form(const ReturnForm *form, const char *address)
{
    return form != NULL && g_strcmp0(form->plain->addr_spec, address) == 0;
}

static Authors *authors_of(GHashTable *table, const char *domain)
{
    Authors *authors = g_hash_table_lookup(table, domain);

    if (authors != NULL)
        return authors;
    authors = g_new0(Authors, 1);
    authors->addresses = g_ptr_array_new_with_free_func(g_free);
    g_hash_table_insert(table, g_strdup(domain), authors);
    return authors;
}

static void note_author(const Letters *letters, GHashTable *table, const ReturnRow *row)
{
    const char *at = row->address != NULL ? strrchr(row->address, '@') : NULL;
    Authors *authors;

    if (at == NULL || is_of_form(letters->settings->letter_from, row->address) ||
        is_of_form(letters->settings->letter_reply_to, row->address))
        return;
    authors = authors_of(table, at + 1);
    if (lists_has_provider(letters->lists, at + 1)) {
        g_ptr_array_add(authors->addresses, g_strdup(row->address));
        return;
    }
    if (authors->addresses->len > 0 &&
        (row->day < authors->day ||
         (row->day == authors->day &&
          strcmp(row->address, g_ptr_array_index(authors->addresses, 0)) > 0)))
        return;
    authors->day = row->day;
    g_ptr_array_set_size(authors->addresses, 0);
    g_ptr_array_add(authors->addresses, g_strdup(row->address));
}

/* The authors of the last days by domain; NULL with error. */
static GHashTable *read_authors(const Letters *letters, ReturnRows *rows, GError **error)
{
    guint32 oldest = ledger_period_of(letters->now, LETTERS_DAYS).from;
    g_autoptr(GHashTable) table =
        g_hash_table_new_full(g_str_hash, g_str_equal, g_free, authors_free);
    g_autofree char *token = g_strdup("");
    bool is_more = rows != NULL;

    while (is_more) {
        g_autoptr(GPtrArray) piece = return_rows_after(rows, token, PIECE, error);

        if (piece == NULL)
            return NULL;
        for (guint i = 0; i < piece->len; i++) {
            const ReturnRow *row = g_ptr_array_index(piece, i);

            if (row->day >= oldest)
                note_author(letters, table, row);
        }
        is_more = piece->len == PIECE;
        if (is_more) {
            g_free(token);
            token = g_strdup(((ReturnRow *)g_ptr_array_index(piece, PIECE - 1))->token);
        }
    }
    return g_steal_pointer(&table);
}

static bool was_rewritten(const LedgerDomain *domain, gconstpointer data G_GNUC_UNUSED)
{
    return domain->counts.by[MESSAGE_ACTION_REWRITE] > 0 &&
           strcmp(domain->name, LEDGER_NO_DOMAIN) != 0 &&
           strcmp(domain->name, LEDGER_OTHER_DOMAINS) != 0;
}

/* Adds the letters about one domain that was rewritten. */
static void add_domain(const Letters *letters, GHashTable *authors, const char *domain,
                       GPtrArray *found)
{
    const char *given = letters->given != NULL ? g_hash_table_lookup(letters->given, domain) : NULL;
    const Authors *known = g_hash_table_lookup(authors, domain);
    guint count = given == NULL && known != NULL ? known->addresses->len : 1;

    for (guint i = 0; i < count; i++) {
        Letter *letter = letter_about(
            domain, given != NULL
                        ? given
                        : (known != NULL ? g_ptr_array_index(known->addresses, i) : NULL));

        letter->is_rewritten = true;
        g_ptr_array_add(found, letter);
    }
}

/* Notes on the letters who was asked before, and adds the domains that were asked and not seen
 * since. */
static bool add_asked(const Letters *letters, GPtrArray *found, GError **error)
{
    g_autoptr(GPtrArray) asked =
        letters->rows != NULL ? letter_rows_asked(letters->rows, error) : g_ptr_array_new();
    g_autoptr(GHashTable) by_domain = g_hash_table_new(g_str_hash, g_str_equal);

    if (asked == NULL)
        return false;
    for (guint i = 0; i < found->len; i++)
        g_hash_table_insert(by_domain, ((Letter *)g_ptr_array_index(found, i))->domain,
                            g_ptr_array_index(found, i));
    for (guint i = 0; i < asked->len; i++) {
        const LetterRow *row = g_ptr_array_index(asked, i);
        Letter *letter = g_hash_table_lookup(by_domain, row->domain);

        if (letter == NULL) {
            letter = letter_about(row->domain, row->address);
            g_ptr_array_add(found, letter);
        }
        if (letter->asked == NULL)
            letter->asked = g_strdup(row->address);
    }
    return true;
}

GPtrArray *letters_find(const Letters *letters, Ledger *ledger, ReturnRows *authors, GError **error)
{
    const LedgerSearch search = {
        .wants = was_rewritten, .order = LEDGER_BY_REWRITTEN, .limit = LEDGER_ALL};
    g_autoptr(GPtrArray) found = g_ptr_array_new_with_free_func(free_letter);
    g_autoptr(GHashTable) known = read_authors(letters, authors, error);
    g_autoptr(LedgerFound) domains = NULL;

    if (known == NULL)
        return NULL;
    domains =
        ledger_report_search(ledger, ledger_period_of(letters->now, LETTERS_DAYS), &search, error);
    if (domains == NULL)
        return NULL;
    for (guint i = 0; i < domains->domains->len; i++)
        add_domain(letters, known, ((LedgerDomain *)g_ptr_array_index(domains->domains, i))->name,
                   found);
    return add_asked(letters, found, error) ? g_steal_pointer(&found) : NULL;
}

Letter *letters_find_one(const Letters *letters, Ledger *ledger, ReturnRows *authors,
                         const char *domain, GError **error)
{
    g_autoptr(GPtrArray) found = letters_find(letters, ledger, authors, error);
    g_autoptr(Letter) letter = NULL;

    if (found == NULL)
        return NULL;
    for (guint i = 0; i < found->len && letter == NULL; i++)
        if (strcmp(((Letter *)g_ptr_array_index(found, i))->domain, domain) == 0)
            letter = g_ptr_array_steal_index(found, i);
    if (letter == NULL) {
        const char *given =
            letters->given != NULL ? g_hash_table_lookup(letters->given, domain) : NULL;

        letter = letter_about(domain, given);
    }
    return letters_examine(letters, letter, error) ? g_steal_pointer(&letter) : NULL;
}

static bool is_opted_out(Settings *settings, const char *domain)
{
    const DomainSection *section = settings_section(settings, domain);

    if (section != NULL && section->letters != SECTION_OPEN)
        return section->letters == 0;
    return settings->letters == 0;
}

/* Is nothing of the domain's mail rewritten any more, by its section or the map? "mode = off" for all,
 * or the daemon's switch, is no word about an owner. */
static bool is_off(Settings *settings, const char *domain)
{
    return standing_of(settings, (ModeInForce){.mode = MODE_REWRITE}, domain).mode == MODE_OFF;
}

static LettersWhy why_of_turn(LetterTurn turn)
{
    switch (turn) {
    case LETTER_DUE:
        break;
    case LETTER_WAITS:
        return LETTERS_WAITS;
    case LETTER_ENOUGH:
        return LETTERS_ENOUGH;
    case LETTER_BOUNCED:
        return LETTERS_BOUNCED;
    }
    return LETTERS_DUE;
}

/* What DNS says: sets the advice, and the kind of the letter. */
static LettersWhy consult(const Letters *letters, Letter *letter)
{
    Deadline deadline = deadline_in(letters->settings->check_timeout);
    g_autoptr(CheckSubject) subject = check_subject_parse(letter->domain);
    g_autoptr(Consultation) consultation = NULL;
    const Standing standing = standing_of(letters->settings, letters->mode, letter->domain);
    bool is_authorised;
    AdviceKind kind;

    subject->is_of_ledger = true;
    consultation = consultation_new_in(letters->settings, letters->mode, letters->dns,
                                       letters->lists, letters->relays, subject, deadline);
    is_authorised = consultation->check->is_authorised;
    kind = consultation->advice->kind;
    letter->advice = g_steal_pointer(&consultation->advice);
    letter->kind = kind == ADVICE_PROVIDER ? LETTER_PROVIDER : LETTER_ASKS;
    if (kind == ADVICE_UNKNOWN ||
        (consultation->check->result == SPF_TEMPERROR && !is_authorised) ||
        consultation->check->lacks_keys)
        return LETTERS_TROUBLE;
    if (is_authorised && letter->asked != NULL &&
        (consultation->check->result == SPF_PASS || consultation->check->dkim != NULL)) {
        letter->kind = LETTER_THANKS;
        g_free(letter->address);
        letter->address = g_strdup(letter->asked);
        return LETTERS_DUE;
    }
    if (is_authorised || standing.authorised == STANDING_MAP_YES)
        return LETTERS_AUTHORISED;
    if (!letter->is_rewritten)
        return LETTERS_IDLE;
    if (kind == ADVICE_PROVIDER)
        return LETTERS_DUE;
    if (!advice_kind_row(kind)->shows_record)
        return LETTERS_NOTHING;
    return letter->advice->record != NULL ? LETTERS_DUE : LETTERS_UNPROVEN;
}

static LettersWhy why_of_address(const char *address)
{
    if (address == NULL)
        return LETTERS_NO_ADDRESS;
    return submission_is_address(address) ? LETTERS_DUE : LETTERS_BAD_ADDRESS;
}

void letters_look(const Letters *letters, Letter *letter)
{
    if (is_opted_out(letters->settings, letter->domain))
        letter->why = LETTERS_OPTED_OUT;
    else if (is_off(letters->settings, letter->domain))
        letter->why = LETTERS_OFF;
    else
        letter->why = consult(letters, letter);
    letter->is_looked_at = true;
}

bool letters_examine(const Letters *letters, Letter *letter, GError **error)
{
    LetterStanding standing;

    if (!letter->is_looked_at)
        letters_look(letters, letter);
    if (letter->why != LETTERS_DUE)
        return true;
    letter->why = why_of_address(letter->address);
    if (letter->why != LETTERS_DUE)
        return true;
    if (!letter_rows_standing(letters->rows, letters->settings, letter->domain, letter->address,
                              letter->kind, letters->now, &standing, error))
        return false;
    letter->number = letter->kind == LETTER_ASKS ? standing.sent + 1 : 1;
    letter->last = standing.last;
    letter->why = why_of_turn(standing.turn);
    return true;
}

/* text: what is wrong, as it stands in the line; NULL: all of it. */
static bool refuse(GError **error, const char *file, guint line, const char *what, const char *text)
{
    g_autofree char *quoted = text != NULL ? printable_line(text) : g_strdup("");

    quoted[printable_cut(quoted, strlen(quoted), QUOTED_MAX)] = '\0';
    g_set_error(error, LETTERS_ERROR, LETTERS_ERROR_SYNTAX, "%s:%u: %s%s%s%s", file, line, what,
                text != NULL ? " \"" : "", quoted, text != NULL ? "\"" : "");
    return false;
}

/* Ends the next word of a line at *rest, and moves *rest behind it; NULL: there is none before the
 * line's end or a comment. */
static char *next_word(char **rest)
{
    static const char blanks[] = " \t\r\v\f";
    char *word = *rest + strspn(*rest, blanks);
    char *end = word + strcspn(word, blanks);

    if (*word == '\0' || *word == '#')
        return NULL;
    *rest = *end != '\0' ? end + 1 : end;
    *end = '\0';
    return word;
}

static bool read_line(GHashTable *table, char *line, const char *file, guint number, GError **error)
{
    char *name = next_word(&line);
    char *address = name != NULL ? next_word(&line) : NULL;
    g_autofree char *domain = NULL;

    if (name == NULL)
        return true;
    if (address == NULL || next_word(&line) != NULL)
        return refuse(error, file, number, "write it like praxis.example anna@praxis.example",
                      NULL);
    domain = domain_name_parse(name, NULL);
    if (domain == NULL)
        return refuse(error, file, number, "this is no domain:", name);
    if (!submission_is_address(address))
        return refuse(error, file, number, "no letter can be sent to this address:", address);
    if (g_hash_table_contains(table, domain))
        return refuse(error, file, number, "this domain is there twice:", domain);
    g_hash_table_insert(table, g_steal_pointer(&domain), g_strdup(address));
    return true;
}

GHashTable *letters_parse_addresses(const char *text, gsize length, const char *file,
                                    GError **error)
{
    g_autoptr(GHashTable) table = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, g_free);
    const char *end = text + length;
    guint number = 0;

    for (const char *begin = text; begin < end;) {
        const char *stop = memchr(begin, '\n', (size_t)(end - begin));
        gsize octets = (gsize)((stop != NULL ? stop : end) - begin);
        g_autofree char *line = NULL;

        number++;
        /* a NUL is not UTF-8 for it either */
        if (!g_utf8_validate(begin, (gssize)octets, NULL)) {
            refuse(error, file, number, "the line is not UTF-8", NULL);
            return NULL;
        }
        line = g_strndup(begin, octets);
        if (!read_line(table, line, file, number, error))
            return NULL;
        begin += octets + 1;
    }
    return g_steal_pointer(&table);
}

/* Reads file, which may have no end, as far as max octets and one more. NULL with error, an errno's
 * text. */
static GString *read_file(const char *file, gsize max, GError **error)
{
    g_autoptr(GString) text = g_string_new(NULL);
    FILE *stream = fopen(file, "re");
    char piece[8192];
    size_t length = 1;
    bool is_read = stream != NULL;

    while (is_read && length > 0 && text->len <= max) {
        length = fread(piece, 1, sizeof piece, stream);
        g_string_append_len(text, piece, (gssize)length);
        is_read = ferror(stream) == 0;
    }
    if (!is_read)
        g_set_error(error, LETTERS_ERROR, LETTERS_ERROR_FILE, "%s: %s", file, g_strerror(errno));
    if (stream != NULL)
        fclose(stream);
    return is_read ? g_string_truncate(g_steal_pointer(&text), max + 1) : NULL;
}

GHashTable *letters_read_addresses(const char *file, GError **error)
{
    GString *text = read_file(file, ADDRESSES_MAX, error);
    GHashTable *table = NULL;

    if (text == NULL)
        return NULL;
    if (text->len > ADDRESSES_MAX)
        g_set_error(error, LETTERS_ERROR, LETTERS_ERROR_FILE,
                    "%s: is too long: it is no file of addresses", file);
    else
        table = letters_parse_addresses(text->str, text->len, file, error);
    g_string_free(text, TRUE);
    return table;
}

const char *letters_language(const char *domain)
{
    static const char *const german[] = {".de", ".at", ".ch"};

    for (size_t i = 0; i < G_N_ELEMENTS(german); i++)
        if (g_str_has_suffix(domain, german[i]))
            return LANGUAGE_GERMAN;
    return LANGUAGE_ENGLISH;
}

void letters_make_token(ReturnToken token)
{
    static const char letters[] = "abcdefghijklmnopqrstuvwxyz234567";
    guint8 octets[RETURN_TOKEN_LENGTH];

    while (getrandom(octets, sizeof octets, 0) != (ssize_t)sizeof octets)
        ;
    for (size_t i = 0; i < sizeof octets; i++)
        token[i] = letters[octets[i] % 32];
    token[RETURN_TOKEN_LENGTH] = '\0';
}

/* Makes of text what may stand in a letter: a byte order mark goes, and lines end with LF alone.
 * Returns false with error at another control character than a tab. */
static bool clean_signature(GString *text, const char *file, GError **error)
{
    static const char byte_order_mark[] = "\xef\xbb\xbf";
    guint line = 1;

    if (g_str_has_prefix(text->str, byte_order_mark))
        g_string_erase(text, 0, (gssize)strlen(byte_order_mark));
    g_string_replace(text, "\r\n", "\n", 0);
    for (const char *at = text->str; *at != '\0'; at = g_utf8_next_char(at)) {
        gunichar character = g_utf8_get_char(at);

        if (g_unichar_iscntrl(character) && character != '\n' && character != '\t') {
            g_set_error(error, LETTERS_ERROR, LETTERS_ERROR_FILE,
                        "letter_signature: %s:%u: has the control character U+%04X", file, line,
                        character);
            return false;
        }
        line += character == '\n';
    }
    return true;
}

char *letters_signature(Settings *settings, const char *code, GError **error)
{
    g_autofree char *file = NULL;
    g_autoptr(GString) text = NULL;

    if (settings->letter_signature == NULL)
        return g_strdup("");
    file = g_strconcat(settings->letter_signature, ".", code, NULL);
    text = read_file(file, SIGNATURE_MAX, error);
    if (text == NULL) {
        g_prefix_error(error, "letter_signature: ");
        return NULL;
    }
    /* a NUL is not UTF-8 for it either */
    if (text->len > SIGNATURE_MAX || !g_utf8_validate(text->str, (gssize)text->len, NULL)) {
        g_set_error(error, LETTERS_ERROR, LETTERS_ERROR_FILE,
                    "letter_signature: %s: is longer than %d octets, or not UTF-8", file,
                    SIGNATURE_MAX);
        return NULL;
    }
    return clean_signature(text, file, error) ? g_string_free(g_steal_pointer(&text), FALSE) : NULL;
}

const Mailbox *letters_from(const Letters *letters, const Letter *letter)
{
    if (letters->settings->letter_from != NULL)
        return letters->settings->letter_from->plain;
    return standing_of(letters->settings, letters->mode, letter->domain).fallback;
}

bool letters_take_replies(Settings *settings)
{
    return settings->letter_reply_to != NULL || settings->letter_from != NULL;
}

char *letters_message_id(const Letters *letters, const Letter *letter, const char *token)
{
    return g_strdup_printf("spfrom-letter.%s@%s", token,
                           letters_from(letters, letter)->domain_name);
}

char *letters_message(const Letters *letters, const Letter *letter, const Language *language,
                      const char *signature, const char *token)
{
    Settings *settings = letters->settings;
    g_autofree char *text =
        letter->kind == LETTER_THANKS
            ? letter_thanks_new(language, letter->advice)
            : letter_new(language, letter->advice, letters_take_replies(settings));
    char *body = text != NULL ? strstr(text, "\n\n") : NULL;
    g_autofree char *whole = NULL;
    g_autofree char *id = letters_message_id(letters, letter, token);
    char *subject;

    if (body == NULL)
        return NULL;
    *body = '\0';
    subject = strchr(text, ':');
    whole =
        g_strconcat(body + strlen("\n\n"), *signature != '\0' ? "\n-- \n" : "", signature, NULL);
    return letter_mail_text(&(LetterMail){
        .from = letters_from(letters, letter),
        .reply_to = settings->letter_reply_to != NULL ? settings->letter_reply_to->plain : NULL,
        .to = letter->address,
        .subject = subject != NULL ? subject + strlen(": ") : text,
        .body = whole,
        .message_id = id,
        .now = letters->now});
}
