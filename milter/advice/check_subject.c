#include "config.h"

#include "advice/check_subject.h"

#include <gio/gio.h>
#include <string.h>

#include "base/domain_name.h"
#include "mail/mailboxes.h"

#define WWW "www."
#define ROUNDS_MAX 8 /* how often something around the text is taken off */

static CheckSubject *subject_new(const char *domain, const char *local_part)
{
    CheckSubject *subject = g_new0(CheckSubject, 1);

    subject->domain = g_strdup(domain);
    subject->local_part = g_strdup(local_part);
    if (g_str_has_prefix(domain, WWW) && strchr(domain + strlen(WWW), '.') != NULL)
        subject->without_www = subject->domain + strlen(WWW);
    return subject;
}

void check_subject_free(CheckSubject *subject)
{
    g_free(subject->domain);
    g_free(subject->local_part);
    g_free(subject);
}

/* Could a message have the address local_part@text, although DNS can't know text? */
static bool is_address(const char *local_part, const char *text)
{
    if (*local_part == '\0' || *text == '\0' || strpbrk(local_part, " \t\r\n,;<>()@") != NULL)
        return false;
    if (text[0] == '[')
        return text[strlen(text) - 1] == ']' && strpbrk(text, " \t\r\n") == NULL;
    for (; *text != '\0'; text++)
        if (!g_ascii_isalnum(*text) && strchr("-_.", *text) == NULL)
            return false;
    return true;
}

static CheckSubject *malformed_new(const char *text)
{
    const char *at = strrchr(text, '@');
    g_autofree char *local_part = at != NULL ? g_utf8_make_valid(text, at - text) : NULL;
    g_autofree char *domain = g_utf8_make_valid(at != NULL ? at + 1 : text, -1);
    CheckSubject *subject = subject_new(domain, local_part);

    subject->without_www = NULL;
    subject->is_malformed = true;
    subject->is_nothing = at == NULL || !is_address(local_part, domain);
    return subject;
}

/* NULL: text is no address. */
static CheckSubject *parse_address(const char *text)
{
    g_autoptr(Mailbox) path = mailbox_parse_path(text);
    g_autoptr(Mailbox) mailbox = NULL;

    if (path->domain_name != NULL)
        return subject_new(path->domain_name, path->local_part);
    mailbox = mailbox_parse(text);
    if (mailbox != NULL && mailbox->domain_name != NULL)
        return subject_new(mailbox->domain_name, mailbox->local_part);
    return NULL;
}

/* NULL: text is no domain. The address of a host is none, though it has the form of one. */
static CheckSubject *parse_domain(const char *text)
{
    g_autofree char *domain = domain_name_parse(text, NULL);

    if (domain == NULL || g_hostname_is_ip_address(domain))
        return NULL;
    return subject_new(domain, NULL);
}

static CheckSubject *parse_plain(const char *text)
{
    return strchr(text, '@') != NULL ? parse_address(text) : parse_domain(text);
}

/* Blanks of any script, and those without a width. A mark that turns the text is none of them. */
static bool is_blank(gunichar character)
{
    return g_unichar_isspace(character) || character == 0x200b || character == 0xfeff;
}

static bool is_one_of(const char *characters, gunichar character)
{
    return character != 0 && g_utf8_strchr(characters, -1, character) != NULL;
}

/* Takes blanks, quotes and brackets off both ends of text, and from its end what ends a sentence or
 * separates the entries of a list. Brackets are taken one by one, so that half a pair goes, too. */
static void take_wrapping(char **text)
{
    const char *begin = *text;
    const char *end = begin + strlen(begin);
    char *bare;

    while (*begin != '\0' && (is_blank(g_utf8_get_char(begin)) ||
                              is_one_of("\"'`´<(‹›«»„“”‚‘’", g_utf8_get_char(begin))))
        begin = g_utf8_next_char(begin);
    while (end > begin) {
        const char *last = g_utf8_prev_char(end);
        gunichar character = g_utf8_get_char(last);

        if (!is_blank(character) && !is_one_of("\"'`´>)‹›«»„“”‚‘’,;.!?", character))
            break;
        end = last;
    }
    bare = g_strndup(begin, (gsize)(end - begin));
    g_free(*text);
    *text = bare;
}

static bool has_prefix(const char *text, const char *prefix)
{
    return g_ascii_strncasecmp(text, prefix, strlen(prefix)) == 0;
}

/* Leaves of "mailto:anna%40praxis.example?subject=…" the address (RFC 6068 section 2). */
static void take_mailto(char **text)
{
    const char *address = *text + strlen("mailto:");
    g_autofree char *escaped = g_strndup(address, strcspn(address, "?#"));
    char *plain = g_uri_unescape_string(escaped, NULL);

    if (plain == NULL || !g_utf8_validate(plain, -1, NULL)) {
        g_free(plain);
        plain = g_strdup(escaped);
    }
    g_free(*text);
    *text = plain;
}

/* Cuts a port: ":8080". */
static void take_port(char *host)
{
    char *colon = strrchr(host, ':');

    if (colon != NULL && colon[1 + strspn(colon + 1, "0123456789")] == '\0')
        *colon = '\0';
}

/* Leaves of what stands behind "https://" the host (RFC 3986 section 3.2). */
static void take_url(char **text, const char *authority)
{
    g_autofree char *whole = g_strndup(authority, strcspn(authority, "/?#\\"));
    const char *at = strrchr(whole, '@');
    char *host = g_strdup(at != NULL ? at + 1 : whole);

    take_port(host);
    g_free(*text);
    *text = host;
}

/* Of "praxis.example/contact" or "praxis.example:443", what nobody calls a URL. */
static void take_path(char *text)
{
    if (strchr(text, '@') == NULL && strpbrk(text, " \t\r\n") == NULL) {
        text[strcspn(text, "/?#")] = '\0';
        take_port(text);
    }
}

/* Where the authority of a URL begins; NULL: text is none. */
static const char *authority_in(const char *text)
{
    gsize scheme = 0;

    while (g_ascii_isalnum(text[scheme]) ||
           (scheme > 0 && strchr("+-.", text[scheme]) != NULL && text[scheme] != '\0'))
        scheme++;
    if (scheme > 0 && g_str_has_prefix(text + scheme, "://"))
        return text + scheme + strlen("://");
    return g_str_has_prefix(text, "//") ? text + strlen("//") : NULL;
}

/* Takes off what stands around the domain or address. */
static void take_around(char **text)
{
    const char *authority;

    take_wrapping(text);
    authority = authority_in(*text);
    if (has_prefix(*text, "mailto:"))
        take_mailto(text);
    else if (authority != NULL)
        take_url(text, authority);
    else if ((*text)[0] == '@')
        memmove(*text, *text + 1, strlen(*text));
    else
        take_path(*text);
}

CheckSubject *check_subject_parse(const char *text)
{
    g_autofree char *bare = g_utf8_make_valid(text, -1);
    CheckSubject *subject = has_prefix(bare, "mailto:") ? NULL : parse_plain(bare);

    for (int i = 0; subject == NULL && i < ROUNDS_MAX; i++) {
        g_autofree char *before = g_strdup(bare);

        take_around(&bare);
        if (strcmp(before, bare) == 0)
            break;
        subject = parse_plain(bare);
    }
    return subject != NULL ? subject : malformed_new(text);
}
