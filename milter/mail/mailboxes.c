#include "config.h"

#include "mail/mailboxes.h"

#include <gmime/gmime.h>
#include <string.h>

#include "base/domain_name.h"
#include "mail/address_candidates.h"
#include "mail/address_reader.h"
#include "mail/encoded_words.h"

static GMimeParserOptions *strict_options; /* set once by mailboxes_init(), only read after that */

void mailboxes_init(void)
{
    g_mime_init();
    strict_options = g_mime_parser_options_new();
    g_mime_parser_options_set_address_compliance_mode(strict_options, GMIME_RFC_COMPLIANCE_STRICT);
}

void mailbox_free(Mailbox *mailbox)
{
    if (mailbox == NULL)
        return;
    g_free(mailbox->display_name);
    g_free(mailbox->local_part);
    g_free(mailbox->domain);
    g_free(mailbox->domain_name);
    g_free(mailbox->addr_spec);
    g_free(mailbox);
}

static void mailbox_destroy(gpointer data)
{
    mailbox_free(data);
}

static void address_destroy(gpointer data)
{
    address_read_free(data);
}

/* Returns whether local_part holds characters that can only stand in quotes. */
static bool is_special(const char *local_part)
{
    return local_part[0] == '\0' || strpbrk(local_part, " \t\"(),:;<>@[\\]") != NULL;
}

/* A local part that isn't a dot-atom (RFC 5322 section 3.2.3) needs quotes. */
static bool needs_quotes(const char *local_part)
{
    return is_special(local_part) || local_part[0] == '.' || g_str_has_suffix(local_part, ".") ||
           strstr(local_part, "..") != NULL;
}

static char *addr_spec_new(const char *local_part, const char *domain_name)
{
    GString *addr_spec;

    if (!needs_quotes(local_part))
        return g_strconcat(local_part, "@", domain_name, NULL);
    addr_spec = g_string_new("\"");
    for (; *local_part != '\0'; local_part++) {
        if (*local_part == '"' || *local_part == '\\')
            g_string_append_c(addr_spec, '\\');
        g_string_append_c(addr_spec, *local_part);
    }
    g_string_append_printf(addr_spec, "\"@%s", domain_name);
    return g_string_free(addr_spec, FALSE);
}

Mailbox *mailbox_new(const char *display_name, const char *local_part, const char *domain_name)
{
    Mailbox *mailbox = g_new0(Mailbox, 1);

    mailbox->display_name = g_strdup(display_name);
    mailbox->local_part = g_strdup(local_part);
    mailbox->domain = g_strdup(domain_name);
    mailbox->domain_name = g_strdup(domain_name);
    if (local_part[0] != '\0')
        mailbox->addr_spec = addr_spec_new(local_part, domain_name);
    return mailbox;
}

/* Takes what address holds. */
static Mailbox *mailbox_take(AddressRead *address)
{
    Mailbox *mailbox = g_new0(Mailbox, 1);

    if (address->phrase != NULL)
        mailbox->display_name = encoded_words_decode(address->phrase, strlen(address->phrase));
    mailbox->local_part = g_steal_pointer(&address->local_part);
    mailbox->domain = g_steal_pointer(&address->domain);
    mailbox->domain_name = domain_name_parse(mailbox->domain, NULL);
    if (mailbox->domain_name != NULL)
        mailbox->addr_spec = addr_spec_new(mailbox->local_part, mailbox->domain_name);
    return mailbox;
}

/* Returns whether GMime refuses the dot in a local part: it is first, last or doubled. */
static bool is_odd_dot(const char *text, const char *dot)
{
    return dot == text || strchr(" \t\n<,:", dot[-1]) != NULL || dot[1] == '.' || dot[1] == '@';
}

/* Where a text stands: in a quoted string, in so many comments, or in neither. */
typedef struct {
    bool is_quoted;
    guint depth; /* of comments */
} Nesting;

/* Takes in the octet at text. Returns the number of octets behind it that it quotes: 1 for a backslash. */
static gsize nesting_take(Nesting *nesting, const char *text)
{
    if (*text == '\\' && text[1] != '\0')
        return 1;
    if (*text == '"' && nesting->depth == 0)
        nesting->is_quoted = !nesting->is_quoted;
    else if (*text == '(' && !nesting->is_quoted)
        nesting->depth++;
    else if (*text == ')' && nesting->depth > 0)
        nesting->depth--;
    return 0;
}

static bool is_nested(const Nesting *nesting)
{
    return nesting->is_quoted || nesting->depth > 0;
}

/*
 * Hides from GMime the commas and semicolons of quoted strings and comments. Behind an address that
 * it can't read it goes on at the next one, wherever that stands, and loses memory with what it
 * meets there.
 */
static void hide_false_separators(char *text)
{
    Nesting nesting = {0};

    for (char *at = text; *at != '\0'; at++) {
        at += nesting_take(&nesting, at);
        if (is_nested(&nesting) && (*at == ',' || *at == ';'))
            *at = '_';
    }
}

/*
 * Hides from GMime what it would decode: it keeps the name of every charset that it meets for ever,
 * and shows A-labels as U-labels. Hides dots too that it is alone to stumble over. The letters that
 * take their place are as good in an atom.
 */
static void hide_oddities(char *text)
{
    for (char *at = text; (at = strpbrk(at, "=n.")) != NULL; at++) {
        if (at[0] == '=' && at[1] == '?')
            at[1] = '_';
        if (at[0] == 'n' && at[1] == '-' && at[2] == '-')
            at[2] = '_';
        if (at[0] == '.' && is_odd_dot(text, at))
            at[0] = '_';
    }
}

/*
 * Returns whether GMime's addr-spec names the same mailbox. Local parts that need quotes may be
 * spelled in several ways.
 */
static bool is_same_address(const char *addr, const AddressRead *address)
{
    const char *at = addr != NULL ? strrchr(addr, '@') : NULL;
    g_autofree char *own = NULL;

    if (at == NULL)
        return false;
    if (memchr(addr, '"', (gsize)(at - addr)) != NULL || is_special(address->local_part)) {
        own = g_strdup(address->domain);
        addr = at + 1;
    } else {
        own = g_strconcat(address->local_part, "@", address->domain, NULL);
    }
    hide_oddities(own);
    return strcmp(addr, own) == 0;
}

static bool is_same_member(InternetAddress *parsed, const GPtrArray *addresses, guint *position)
{
    const char *addr;

    if (!INTERNET_ADDRESS_IS_MAILBOX(parsed) || *position >= addresses->len)
        return false;
    addr = internet_address_mailbox_get_addr(INTERNET_ADDRESS_MAILBOX(parsed));
    return is_same_address(addr, g_ptr_array_index(addresses, (*position)++));
}

/*
 * Returns whether parsed, or each member if it is a group, equals the address at position in
 * addresses. Moves position on behind it.
 */
static bool is_same(InternetAddress *parsed, const GPtrArray *addresses, guint *position)
{
    InternetAddressList *members;

    if (!INTERNET_ADDRESS_IS_GROUP(parsed))
        return is_same_member(parsed, addresses, position);
    members = internet_address_group_get_members(INTERNET_ADDRESS_GROUP(parsed));
    for (int i = 0; i < internet_address_list_length(members); i++)
        if (!is_same_member(internet_address_list_get_address(members, i), addresses, position))
            return false;
    return true;
}

#define LINE_MAX_OCTETS 998 /* RFC 5322 section 2.1.1 */
#define LETTERS_AND_DIGITS "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"

/*
 * Returns whether text, of which our reader had no doubt, is of the plainest form: an addr-spec of
 * ordinary characters, alone or in "<>" behind a phrase of atoms, or behind itself once more (which
 * GMime does not take). Readers can't differ there, and GMime would take a third of the time that a
 * message costs.
 */
static bool is_plain(const char *text)
{
    static const char phrase[] = LETTERS_AND_DIGITS "!#$%&'*+-./=?@^_`{|}~ ";
    static const char ordinary[] = LETTERS_AND_DIGITS "+-._";
    const char *open = text + strspn(text, phrase);
    const char *address = *open == '<' ? open + 1 : text;
    const char *at = address + strspn(address, ordinary);
    const char *end = *at == '@' ? at + 1 + strspn(at + 1, ordinary) : at;

    return at > address && end > at + 1 && strcmp(end, *open == '<' ? ">" : "") == 0;
}

/*
 * Returns whether an address stands before a "<": "a@b <a@b>". GMime does not take that form, and
 * loses memory with it.
 */
static bool has_address_before_angle(const char *text)
{
    Nesting nesting = {0};
    bool has_sign = false;

    for (; *text != '\0'; text++) {
        text += nesting_take(&nesting, text);
        if (is_nested(&nesting))
            continue;
        if (*text == '<' && has_sign)
            return true;
        has_sign = *text == '@' || (has_sign && *text != ',');
    }
    return false;
}

/*
 * Returns whether GMime reads the same addresses. It only gets text of which our reader had no
 * doubt, so that its recursion and leniency don't matter.
 */
static bool is_confirmed(const char *text, const GPtrArray *addresses)
{
    g_autofree char *shown = g_strdup(text);
    InternetAddressList *list;
    guint position = 0;
    bool is_equal = true;

    if (has_address_before_angle(text))
        return false;
    hide_false_separators(shown);
    hide_oddities(shown);
    list = internet_address_list_parse(strict_options, shown);
    if (list == NULL)
        return false;
    for (int i = 0; i < internet_address_list_length(list) && is_equal; i++)
        is_equal = is_same(internet_address_list_get_address(list, i), addresses, &position);
    g_object_unref(list);
    return is_equal && position == addresses->len;
}

/*
 * Returns whether the A-labels of domain_name, which was made of domain, lead back to domain,
 * normalised and in lower case. If only the mapping of IDNA makes a name of domain ("a\u3002b",
 * full-width letters, invisible characters), others may look up what is written.
 */
static bool is_domain_to_the_letter(const char *domain, const char *domain_name)
{
    g_autofree char *normalised = NULL;
    g_autofree char *lower = NULL;
    g_auto(GStrv) labels = NULL;
    g_auto(GStrv) a_labels = NULL;

    if (g_str_is_ascii(domain))
        return true;
    normalised = g_utf8_normalize(domain, -1, G_NORMALIZE_NFC);
    lower = g_utf8_strdown(normalised, -1);
    labels = g_strsplit(lower, ".", -1);
    a_labels = g_strsplit(domain_name, ".", -1);
    if (g_strv_length(labels) != g_strv_length(a_labels))
        return false;
    for (guint i = 0; labels[i] != NULL; i++) {
        g_autofree char *shown = domain_name_shown(a_labels[i]);

        if (strcmp(labels[i], a_labels[i]) != 0 && g_strcmp0(labels[i], shown) != 0)
            return false;
    }
    return true;
}

/* Keeps the name of the first mailbox that could not be read. */
static void note_name(Mailboxes *mailboxes, const char *phrase)
{
    if (mailboxes->unread_name == NULL && phrase != NULL)
        mailboxes->unread_name = encoded_words_decode(phrase, strlen(phrase));
}

/* Takes one address. Returns whether it is a mailbox with a domain that is the same for all. */
static bool take_address(Mailboxes *mailboxes, AddressRead *address)
{
    Mailbox *mailbox;

    if (address->domain == NULL || mailboxes->mailboxes->len >= MAILBOXES_MAX) {
        note_name(mailboxes, address->phrase);
        return false;
    }
    mailbox = mailbox_take(address);
    if (mailbox->domain_name != NULL) {
        g_ptr_array_add(mailboxes->mailboxes, mailbox);
        return is_domain_to_the_letter(mailbox->domain, mailbox->domain_name);
    }
    note_name(mailboxes, address->phrase);
    mailbox_free(mailbox);
    return false;
}

/*
 * Returns whether deployed parsers take an "@" in a comment for an address: if a parenthesis is
 * quoted by a backslash, or if there is a group.
 */
static bool has_treacherous_comment(const char *text)
{
    bool is_treacherous = false; /* such a parenthesis, or a group, is there */
    bool has_sign = false;       /* in a comment */
    Nesting nesting = {0};

    if (strchr(text, '(') == NULL)
        return false;
    for (; *text != '\0'; text++) {
        gsize quoted = nesting_take(&nesting, text);

        text += quoted;
        if (quoted > 0)
            is_treacherous |= *text == '(' || *text == ')';
        else if (nesting.depth > 0)
            has_sign |= *text == '@';
        else if (!nesting.is_quoted)
            is_treacherous |= *text == ';';
    }
    return is_treacherous && has_sign;
}

/* Reads one field. Returns whether there was no doubt. */
static bool read_field(Mailboxes *mailboxes, const char *text, gsize length)
{
    g_autoptr(GPtrArray) addresses = g_ptr_array_new_with_free_func(address_destroy);
    bool is_clear = address_reader_read(text, length, addresses);

    if (is_clear && !is_plain(text) && !is_confirmed(text, addresses)) {
        for (guint i = 0; i < addresses->len; i++)
            note_name(mailboxes, ((AddressRead *)g_ptr_array_index(addresses, i))->phrase);
        return false;
    }
    is_clear &= !has_treacherous_comment(text);
    for (guint i = 0; i < addresses->len; i++)
        is_clear &= take_address(mailboxes, g_ptr_array_index(addresses, i));
    return is_clear;
}

static Mailboxes *mailboxes_new(void)
{
    Mailboxes *mailboxes = g_new0(Mailboxes, 1);

    mailboxes->mailboxes = g_ptr_array_new_with_free_func(mailbox_destroy);
    return mailboxes;
}

/*
 * Returns whether field has a line that an MTA would break, at a place that the sender chose (RFC
 * 5322 section 2.1.1).
 */
static bool has_long_line(const HeaderField *field)
{
    gsize line = strlen(field->name) + strlen(": ");

    for (gsize i = 0; i < field->length; i++) {
        line = field->value[i] == '\n' ? 0 : line + 1;
        if (line > LINE_MAX_OCTETS)
            return true;
    }
    return false;
}

/* Reads one field that isn't blank. Returns whether there was no doubt. */
static bool take_field(Mailboxes *mailboxes, const HeaderField *field)
{
    bool is_clear = read_field(mailboxes, field->value, field->length);

    return is_clear && !has_long_line(field);
}

/* The name that was read is the better one, unless it is the whole mailbox (in an encoded word). */
static void take_unread_name(Mailboxes *mailboxes, Mailbox *mailbox)
{
    const char *name = mailboxes->unread_name;

    if (name == NULL || (mailbox->display_name != NULL && strchr(name, '@') != NULL))
        return;
    g_free(mailbox->display_name);
    mailbox->display_name = g_steal_pointer(&mailboxes->unread_name);
}

/* Of a field that could not be read at all: takes the address that can only be the author's. */
static void take_candidates(Mailboxes *mailboxes, const HeaderField *field)
{
    g_autoptr(GPtrArray) addresses = g_ptr_array_new_with_free_func(address_destroy);

    address_candidates_find(field->value, field->length, addresses);
    mailboxes->is_searched = true;
    for (guint i = 0; i < addresses->len; i++)
        take_address(mailboxes, g_ptr_array_index(addresses, i));
    if (mailboxes->mailboxes->len == 1)
        take_unread_name(mailboxes, g_ptr_array_index(mailboxes->mailboxes, 0));
}

Mailboxes *mailboxes_parse(const HeaderFields *fields, const char *name)
{
    Mailboxes *mailboxes = mailboxes_new();
    const HeaderField *only = NULL; /* the one that isn't blank */
    guint count = 0;
    gsize length = 0;

    mailboxes->is_doubtful = !header_fields_is_whole(fields, name);
    for (guint i = 0; i < header_fields_length(fields); i++) {
        const HeaderField *field = header_fields_at(fields, i);

        if (!header_field_is_named(field, name)) {
            mailboxes->is_doubtful |= header_field_hides(field, name);
            continue;
        }
        if (header_field_is_blank(field)) {
            mailboxes->is_doubtful = true;
            continue;
        }
        only = field;
        count++;
        length += field->length;
        if (length > MAILBOXES_TEXT_MAX || field->is_cut)
            mailboxes->is_doubtful = true;
        else if (!take_field(mailboxes, field))
            mailboxes->is_doubtful = true;
    }
    mailboxes->is_missing = count == 0;
    mailboxes->is_doubtful |= mailboxes->is_missing;
    if (length > MAILBOXES_TEXT_MAX)
        g_ptr_array_set_size(mailboxes->mailboxes, 0);
    else if (count == 1 && mailboxes->mailboxes->len == 0 && !only->is_cut)
        take_candidates(mailboxes, only);
    return mailboxes;
}

void mailboxes_free(Mailboxes *mailboxes)
{
    if (mailboxes == NULL)
        return;
    g_ptr_array_unref(mailboxes->mailboxes);
    g_free(mailboxes->unread_name);
    g_free(mailboxes);
}

const Mailbox *mailboxes_at(const Mailboxes *mailboxes, guint position)
{
    return g_ptr_array_index(mailboxes->mailboxes, position);
}

Mailbox *mailbox_parse_path(const char *path)
{
    AddressRead *address = address_reader_read_path(path);
    Mailbox *mailbox;

    if (address != NULL) {
        mailbox = mailbox_take(address);
        address_read_free(address);
        return mailbox;
    }
    mailbox = g_new0(Mailbox, 1);
    mailbox->local_part = g_strdup(strcmp(path, "<>") == 0 ? "" : path);
    return mailbox;
}

Mailbox *mailbox_parse(const char *text)
{
    g_autoptr(Mailboxes) mailboxes = mailboxes_new();

    if (strlen(text) > MAILBOXES_TEXT_MAX || !read_field(mailboxes, text, strlen(text)))
        return NULL;
    return mailboxes->mailboxes->len == 1 ? g_ptr_array_steal_index(mailboxes->mailboxes, 0) : NULL;
}

bool mailbox_is_null_sender(const Mailbox *mailbox)
{
    return mailbox->local_part[0] == '\0' && mailbox->domain == NULL;
}
