#include "config.h"

#include "mail/dkim_signature.h"

#include <stdbool.h>
#include <string.h>

#include "base/domain_name.h"

#define DOMAIN_TEXT_MAX 512
#define BLANKS " \t\r\n"

/* Does a tag of the list begin at tag, named d? Returns its value, else NULL. */
static const char *domain_tag_value(const char *tag)
{
    tag += strspn(tag, BLANKS);
    if (*tag != 'd' && *tag != 'D')
        return NULL;
    tag++;
    tag += strspn(tag, BLANKS);
    return *tag == '=' ? tag + 1 : NULL;
}

/* Returns the domain in a tag's value, which ends at ";" or the end. */
static char *parse_domain(const char *value)
{
    gsize length = strcspn(value, ";");
    g_autoptr(GString) domain = NULL;

    if (length > DOMAIN_TEXT_MAX)
        return NULL;
    domain = g_string_sized_new(length + 1);
    for (gsize i = 0; i < length; i++)
        if (strchr(BLANKS, value[i]) == NULL)
            g_string_append_c(domain, value[i]);
    return domain_name_parse(domain->str, NULL);
}

char *dkim_signature_domain(const char *value)
{
    for (const char *tag = value; tag != NULL; tag = strchr(tag, ';')) {
        const char *domain;

        tag += *tag == ';';
        domain = domain_tag_value(tag);
        if (domain != NULL)
            return parse_domain(domain);
    }
    return NULL;
}

/* One tag of the list: both texts end where their length says. */
typedef struct {
    const char *name;
    gsize name_length;
    const char *value;
    gsize value_length;
} Tag;

static bool is_blank(char c)
{
    return c != '\0' && strchr(BLANKS, c) != NULL;
}

static void strip(const char **text, gsize *length)
{
    while (*length > 0 && is_blank(**text)) {
        (*text)++;
        (*length)--;
    }
    while (*length > 0 && is_blank((*text)[*length - 1]))
        (*length)--;
}

/* Reads the tag at text. Returns what follows its ";", or NULL at the end of the list. */
static const char *read_tag(const char *text, Tag *tag)
{
    gsize length = strcspn(text, ";");
    const char *equals = memchr(text, '=', length);

    tag->name = text;
    tag->name_length = equals != NULL ? (gsize)(equals - text) : length;
    tag->value = text + tag->name_length + (equals != NULL);
    tag->value_length = (gsize)(text + length - tag->value);
    strip(&tag->name, &tag->name_length);
    strip(&tag->value, &tag->value_length);
    return text[length] == ';' ? text + length + 1 : NULL;
}

/* No verifier agrees with another on what a name with a control in it is. */
static bool has_plain_name(const Tag *tag)
{
    for (gsize i = 0; i < tag->name_length; i++)
        if (g_ascii_iscntrl(tag->name[i]))
            return false;
    return true;
}

/* The tag's name, if it is one that verifiers copy, else '\0'. */
static char copied_name(const Tag *tag)
{
    char name = tag->name_length == 1 ? g_ascii_tolower(*tag->name) : '\0';

    return name != '\0' && strchr("abdis", name) != NULL ? name : '\0';
}

/* Can c stand in a value of Authentication-Results without ending it? */
static bool is_plain_octet(char c)
{
    return !g_ascii_iscntrl(c) && strchr(" ;=\"()", c) == NULL;
}

static bool is_plain(const Tag *tag)
{
    for (gsize i = 0; i < tag->value_length; i++)
        if (!is_plain_octet(tag->value[i]))
            return false;
    return true;
}

/* As is_plain(), of what dkim-quoted-printable (RFC 6376 section 2.11) comes to. */
static bool is_plain_decoded(const Tag *tag)
{
    for (gsize i = 0; i < tag->value_length; i++) {
        const char *at = tag->value + i;
        char c = *at;

        if (c == '=' && i + 2 < tag->value_length && g_ascii_isxdigit(at[1]) &&
            g_ascii_isxdigit(at[2])) {
            c = (char)(g_ascii_xdigit_value(at[1]) << 4 | g_ascii_xdigit_value(at[2]));
            i += 2;
        }
        if (!is_plain_octet(c))
            return false;
    }
    return true;
}

/* Returns the base64 in the value of b= without its blanks, or NULL if there is anything else. */
static char *read_base64(const Tag *tag)
{
    g_autoptr(GString) text = g_string_sized_new(tag->value_length + 1);
    gsize padding;

    for (gsize i = 0; i < tag->value_length; i++)
        if (!is_blank(tag->value[i]))
            g_string_append_c(text, tag->value[i]);
    for (padding = 0; padding < text->len && text->str[text->len - 1 - padding] == '='; padding++)
        ;
    for (gsize i = 0; i < text->len - padding; i++)
        if (!g_ascii_isalnum(text->str[i]) && text->str[i] != '+' && text->str[i] != '/')
            return NULL;
    return g_string_free(g_steal_pointer(&text), FALSE);
}

/* Notes a tag that verifiers copy. Returns false if it is not plain. */
static bool take_tag(DkimSignature *signature, char name, const Tag *tag)
{
    switch (name) {
    case 'b':
        signature->signature = read_base64(tag);
        return signature->signature != NULL;
    case 'd':
        signature->domain = parse_domain(tag->value);
        return is_plain(tag);
    case 'i':
        return is_plain_decoded(tag);
    default:
        return is_plain(tag);
    }
}

DkimSignature *dkim_signature_parse(const char *value)
{
    g_autoptr(DkimSignature) signature = g_new0(DkimSignature, 1);
    char seen[sizeof "abdis"] = "";
    Tag tag;

    for (const char *at = value; at != NULL;) {
        char name;

        at = read_tag(at, &tag);
        if (!has_plain_name(&tag))
            return NULL;
        name = copied_name(&tag);
        if (name == '\0')
            continue;
        if (strchr(seen, name) != NULL || !take_tag(signature, name, &tag))
            return NULL;
        seen[strlen(seen)] = name;
    }
    return g_steal_pointer(&signature);
}

void dkim_signature_free(DkimSignature *signature)
{
    g_free(signature->domain);
    g_free(signature->signature);
    g_free(signature);
}
