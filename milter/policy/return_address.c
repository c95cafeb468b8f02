#include "config.h"

#include "policy/return_address.h"

#include <string.h>

#define LOCAL_PART_MAX 64 /* octets (RFC 5321 section 4.5.3.1.1) */
#define TOKEN_OCTETS 10   /* of the digest */

G_DEFINE_QUARK(spfrom_return_address_error, return_address_error)

static void refuse(GError **error, const char *instead)
{
    g_set_error_literal(error, RETURN_ADDRESS_ERROR, RETURN_ADDRESS_ERROR_SYNTAX, instead);
}

void return_form_free(ReturnForm *form)
{
    g_free(form->text);
    g_free(form->before);
    g_free(form->after);
    g_clear_pointer(&form->plain, mailbox_free);
    g_free(form);
}

const char *return_form_shown(const ReturnForm *form)
{
    return form->has_token ? form->text : form->plain->addr_spec;
}

/* Splits local_part at its "%t". Returns false with error if another "%" is in it. */
static bool split(ReturnForm *form, const char *local_part, GError **error)
{
    g_autoptr(GString) part = g_string_new(NULL);

    for (const char *at = local_part; *at != '\0'; at++) {
        if (*at == '%' && at[1] == 't' && !form->has_token) {
            form->has_token = true;
            form->before = g_strdup(part->str);
            g_string_truncate(part, 0);
            at++;
            continue;
        }
        if (*at == '%' && *++at != '%') {
            refuse(error, "%t once at most, and %% for a percent sign");
            return false;
        }
        g_string_append_c(part, *at);
    }
    if (form->has_token)
        form->after = g_strdup(part->str);
    else
        form->before = g_strdup(part->str);
    return true;
}

static char *plain_local_part(const ReturnForm *form)
{
    gsize length = strlen(form->before);

    if (!form->has_token)
        return g_strdup(form->before);
    if (length > 0 && strchr("+-=._", form->before[length - 1]) != NULL)
        length--;
    return g_strdup_printf("%.*s%s", (int)length, form->before, form->after);
}

static void append_escaped(GString *text, const char *part)
{
    for (; *part != '\0'; part++) {
        if (*part == '%')
            g_string_append_c(text, '%');
        g_string_append_c(text, *part);
    }
}

/* The form as text, its "%" escaped. */
static char *compose(const char *before, const char *after, bool has_token, const char *domain_name)
{
    GString *text = g_string_new(NULL);

    append_escaped(text, before);
    if (has_token)
        g_string_append(text, "%t");
    append_escaped(text, after);
    g_string_append_printf(text, "@%s", domain_name);
    return g_string_free(text, FALSE);
}

static bool fill(ReturnForm *form, const Mailbox *given, GError **error)
{
    g_autofree char *plain = NULL;

    if (!split(form, given->local_part, error))
        return false;
    if (form->after == NULL)
        form->after = g_strdup("");
    if (form->has_token &&
        strlen(form->before) + RETURN_TOKEN_LENGTH + strlen(form->after) > LOCAL_PART_MAX) {
        refuse(error, "at most 48 octets before the \"@\" besides %t, which stands for 16");
        return false;
    }
    plain = plain_local_part(form);
    form->plain = mailbox_new(given->display_name, plain, given->domain_name);
    form->text = compose(form->before, form->after, form->has_token, given->domain_name);
    return true;
}

ReturnForm *return_form_parse(const char *text, GError **error)
{
    g_autoptr(ReturnForm) form = g_new0(ReturnForm, 1);
    g_autoptr(Mailbox) given = NULL;
    const char *at = strrchr(text, '@');

    if (text[0] == '\0') {
        form->text = g_strdup("");
        form->before = g_strdup("");
        form->after = g_strdup("");
        return g_steal_pointer(&form);
    }
    if (at != NULL && strchr(at, '%') != NULL) {
        refuse(error, "%t before the \"@\" only");
        return NULL;
    }
    given = mailbox_parse(text);
    if (given == NULL || given->addr_spec == NULL || !g_str_is_ascii(given->addr_spec)) {
        refuse(error, "an address such as noreply@example.org");
        return NULL;
    }
    return fill(form, given, error) ? g_steal_pointer(&form) : NULL;
}

Mailbox *return_form_expand(const ReturnForm *form, const char *token)
{
    g_autofree char *local_part = g_strconcat(form->before, token, form->after, NULL);

    return mailbox_new(form->plain->display_name, local_part, form->plain->domain_name);
}

/* RFC 4648 section 6, in lower case. Five octets are eight characters. */
static void encode_base32(const guint8 octets[TOKEN_OCTETS], ReturnToken token)
{
    static const char alphabet[] = "abcdefghijklmnopqrstuvwxyz234567";
    guint32 bits = 0;
    guint count = 0;
    char *end = token;

    for (guint i = 0; i < TOKEN_OCTETS; i++) {
        bits = bits << 8 | octets[i];
        for (count += 8; count >= 5; count -= 5)
            *end++ = alphabet[bits >> (count - 5) & 31];
    }
    *end = '\0';
}

GHmac *return_token_hmac(const guint8 key[RETURN_KEY_LENGTH])
{
    return g_hmac_new(G_CHECKSUM_SHA256, key, RETURN_KEY_LENGTH);
}

void return_token_make(const GHmac *keyed, const Mailbox *author, ReturnToken token)
{
    GHmac *hmac = g_hmac_copy(keyed);
    g_autofree char *local_part = g_ascii_strdown(author->local_part, -1);
    guint8 digest[32];
    gsize length = sizeof digest;

    g_hmac_update(hmac, (const guchar *)local_part, -1);
    g_hmac_update(hmac, (const guchar *)"@", 1);
    g_hmac_update(hmac, (const guchar *)author->domain_name, -1);
    g_hmac_get_digest(hmac, digest, &length);
    g_hmac_unref(hmac);
    encode_base32(digest, token);
}

/* Reads a token at text, of which more may follow. */
static bool read_token(const char *text, ReturnToken token)
{
    for (guint i = 0; i < RETURN_TOKEN_LENGTH; i++) {
        token[i] = g_ascii_tolower(text[i]);
        if (!(token[i] >= 'a' && token[i] <= 'z') && !(token[i] >= '2' && token[i] <= '7'))
            return false;
    }
    token[RETURN_TOKEN_LENGTH] = '\0';
    return true;
}

bool return_token_parse(const char *text, ReturnToken token)
{
    return read_token(text, token) && text[RETURN_TOKEN_LENGTH] == '\0';
}

GHashTable *return_forms_new(void)
{
    return g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
}

void return_forms_add(GHashTable *forms, const ReturnForm *form)
{
    if (form->has_token)
        g_hash_table_add(forms, g_ascii_strdown(form->text, -1));
}

/* Returns whether the token at place makes the form of mailbox one of forms. */
static bool is_form(GHashTable *forms, const Mailbox *mailbox, gsize place)
{
    g_autofree char *before = g_ascii_strdown(mailbox->local_part, (gssize)place);
    g_autofree char *after = g_ascii_strdown(mailbox->local_part + place + RETURN_TOKEN_LENGTH, -1);
    g_autofree char *text = compose(before, after, true, mailbox->domain_name);

    return g_hash_table_contains(forms, text);
}

bool return_forms_find(GHashTable *forms, const Mailbox *mailbox, ReturnToken token)
{
    gsize length;

    if (g_hash_table_size(forms) == 0 || mailbox->domain_name == NULL)
        return false;
    length = strlen(mailbox->local_part);
    if (length > LOCAL_PART_MAX)
        return false;
    for (gsize place = 0; place + RETURN_TOKEN_LENGTH <= length; place++)
        if (read_token(mailbox->local_part + place, token) && is_form(forms, mailbox, place))
            return true;
    return false;
}
