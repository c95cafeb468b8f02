#include "config.h"

#include "control/return_resolution.h"

#include "control/control_server.h"
#include "ledger/ledger_tally.h"
#include "policy/standing.h"

static json_t *text_of(const char *text)
{
    g_autofree char *valid = text != NULL ? g_utf8_make_valid(text, -1) : NULL;

    return valid != NULL ? json_string(valid) : json_null();
}

static void append_address(json_t *addresses, const ReturnForm *form, const char *token)
{
    g_autoptr(Mailbox) mailbox = NULL;

    if (form == NULL || !form->has_token)
        return;
    mailbox = return_form_expand(form, token);
    json_array_append_new(addresses, text_of(mailbox->addr_spec));
}

/* Those that the mail of author carries. */
static json_t *addresses_of(Settings *settings, const Mailbox *author, const char *token)
{
    const ModeInForce mode = {.mode = settings->mode};
    Standing standing = standing_of(settings, mode, author->domain_name);
    json_t *addresses = json_array();

    append_address(addresses, standing.return_form, token);
    append_address(addresses, standing.fallback_form, token);
    return addresses;
}

static json_t *answer_of(Settings *settings, const char *query, const Mailbox *author,
                         const char *token, const ReturnStoreRow *row)
{
    bool is_known = row->address != NULL;
    g_autofree char *day = is_known ? ledger_day_text(row->last_used) : NULL;
    json_t *answer = json_object();

    json_object_set_new(answer, "ok", json_true());
    json_object_set_new(answer, "query", text_of(query));
    json_object_set_new(answer, "known", json_boolean(is_known));
    json_object_set_new(answer, "author",
                        text_of(is_known         ? row->address
                                : author != NULL ? author->addr_spec
                                                 : NULL));
    json_object_set_new(answer, "token", text_of(token));
    json_object_set_new(answer, "last_used", text_of(day));
    json_object_set_new(answer, "addresses",
                        author != NULL ? addresses_of(settings, author, token) : json_array());
    return answer;
}

/* Sets token to that of an address of ours, or to a token itself. */
static bool is_ours(Settings *settings, const char *query, const Mailbox *mailbox,
                    ReturnToken token)
{
    return return_token_parse(query, token) ||
           (mailbox->domain_name != NULL &&
            return_forms_find(settings->return_forms, mailbox, token));
}

json_t *return_resolution_new(Settings *settings, const char *query, ReturnResolutionFinder find,
                              void *hook)
{
    g_autoptr(Mailbox) author = mailbox_parse_path(query);
    g_auto(ReturnStoreRow) row = {0};
    ReturnToken token;
    bool is_own = is_ours(settings, query, author, token);

    if (!is_own && author->addr_spec == NULL)
        return control_server_refusal("is no address and no token");
    if (!is_own && !settings->has_return_secret)
        return control_server_refusal(settings_has_tokens(settings)
                                          ? "return_key can't be read here; ask as root"
                                          : "no address carries a token: there is no "
                                            "return_address and no %t in fallback_address");
    if (!is_own)
        return_token_make(settings->return_hmac, author, token);
    if (find(hook, token, &row) == RETURN_STORE_TROUBLE)
        return control_server_refusal("the return addresses can't be read now");
    if (is_own) {
        mailbox_free(author);
        author = row.address != NULL ? mailbox_parse_path(row.address) : NULL;
    }
    return answer_of(settings, query, author, token, &row);
}
