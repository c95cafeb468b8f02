/* A form of return or fallback addresses, and an address that may be of it: two lines. */
#include "config.h"

#include "policy/return_address.h"

#include <string.h>

#include "fuzz/check.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define TOKEN "k3vqj6mz2h7xw4ba"

/* Is mailbox the address that form makes with token, but for case? */
static bool is_made(const ReturnForm *form, const Mailbox *mailbox, const char *token)
{
    g_autoptr(Mailbox) made = return_form_expand(form, token);

    return g_ascii_strcasecmp(made->local_part, mailbox->local_part) == 0 &&
           strcmp(made->domain_name, mailbox->domain_name) == 0;
}

/* What a form gives out is an envelope, fits, and is found again. */
static void check_expanded(const ReturnForm *form, GHashTable *forms)
{
    g_autoptr(Mailbox) made = return_form_expand(form, TOKEN);
    g_autofree char *path = g_strconcat("<", made->addr_spec, ">", NULL);
    g_autoptr(Mailbox) read = mailbox_parse_path(path);
    ReturnToken token = "";

    check(g_str_is_ascii(made->addr_spec) && strlen(made->local_part) <= 64);
    check(g_strcmp0(read->addr_spec, made->addr_spec) == 0);
    check(return_forms_find(forms, read, token) && is_made(form, read, token));
}

static void check_address(const ReturnForm *form, GHashTable *forms, const char *text)
{
    g_autoptr(Mailbox) mailbox = mailbox_parse_path(text);
    ReturnToken token = "";
    ReturnToken again;

    if (!return_forms_find(forms, mailbox, token))
        return;
    check(return_token_parse(token, again) && strcmp(token, again) == 0);
    check(is_made(form, mailbox, token));
}

/* What is kept under a token reads as the author that it was made of. */
static void check_kept(const GHmac *keyed, const Mailbox *author, const char *token)
{
    g_autoptr(Mailbox) kept = mailbox_parse_path(author->addr_spec);
    ReturnToken again;

    check(kept->domain_name != NULL && kept->addr_spec != NULL);
    return_token_make(keyed, kept, again);
    check(strcmp(again, token) == 0);
}

static void check_token(const Mailbox *author)
{
    static const guint8 key[RETURN_KEY_LENGTH] = {1, 2, 3};
    ReturnToken token;
    ReturnToken again;
    GHmac *keyed;

    if (author->domain_name == NULL)
        return;
    keyed = return_token_hmac(key);
    return_token_make(keyed, author, token);
    check(return_token_parse(token, again));
    if (author->addr_spec != NULL)
        check_kept(keyed, author, token);
    g_hmac_unref(keyed);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static bool is_ready;
    g_autofree char *text = g_strndup((const char *)data, size);
    char *end = strchr(text, '\n');
    const char *address = end != NULL ? end + 1 : "";
    g_autoptr(GHashTable) forms = return_forms_new();
    g_autoptr(Mailbox) author = NULL;
    g_autoptr(ReturnForm) form = NULL;
    g_autoptr(GError) error = NULL;

    if (!is_ready)
        mailboxes_init();
    is_ready = true;
    if (end != NULL)
        *end = '\0';
    author = mailbox_parse_path(address);
    check_token(author);
    form = return_form_parse(text, &error);
    check((form == NULL) == (error != NULL));
    if (form == NULL || !form->has_token)
        return 0;
    return_forms_add(forms, form);
    check_expanded(form, forms);
    check_address(form, forms, address);
    return 0;
}
