#include "config.h"

#include "web/server_headers.h"

#include "web/language_choice.h"

static const struct {
    const char *name;
    const char *value;
} always[] = {
    {"Content-Security-Policy",
     "default-src 'none'; style-src 'self'; script-src 'self'; img-src 'self'; form-action 'self'; "
     "base-uri 'none'; frame-ancestors 'none'"},
    {"X-Content-Type-Options", "nosniff"},
    {"X-Frame-Options", "DENY"}, /* browsers that don't know frame-ancestors */
    {"Referrer-Policy", "no-referrer"},
    {"Cross-Origin-Resource-Policy", "same-origin"},
    {"X-Robots-Tag", "noindex, nofollow"},
};

static void add_number(struct MHD_Response *response, const char *name, guint number)
{
    g_autofree char *text = g_strdup_printf("%u", number);

    MHD_add_response_header(response, name, text);
}

static void add_language(struct MHD_Response *response, const Reply *reply,
                         const char *chosen_language)
{
    g_autofree char *cookie = NULL;

    if (reply->language == NULL)
        return;
    MHD_add_response_header(response, MHD_HTTP_HEADER_CONTENT_LANGUAGE, reply->language);
    MHD_add_response_header(response, MHD_HTTP_HEADER_VARY, "Accept-Language, Cookie");
    if (chosen_language == NULL)
        return;
    cookie = language_choice_cookie(chosen_language);
    MHD_add_response_header(response, MHD_HTTP_HEADER_SET_COOKIE, cookie);
}

void server_headers_add(struct MHD_Response *response, const Reply *reply,
                        const char *chosen_language)
{
    for (size_t i = 0; i < G_N_ELEMENTS(always); i++)
        MHD_add_response_header(response, always[i].name, always[i].value);
    MHD_add_response_header(response, MHD_HTTP_HEADER_CONTENT_TYPE, reply->type);
    MHD_add_response_header(response, MHD_HTTP_HEADER_CACHE_CONTROL,
                            reply->is_kept ? "private, max-age=300" : "no-store");
    add_language(response, reply, chosen_language);
    if (reply->location != NULL)
        MHD_add_response_header(response, MHD_HTTP_HEADER_LOCATION, reply->location);
    if (reply->retry_after > 0)
        add_number(response, MHD_HTTP_HEADER_RETRY_AFTER, reply->retry_after);
    if (reply->status == MHD_HTTP_METHOD_NOT_ALLOWED)
        MHD_add_response_header(response, MHD_HTTP_HEADER_ALLOW, "GET, HEAD");
    if (reply->status == MHD_HTTP_UNAUTHORIZED)
        MHD_add_response_header(response, MHD_HTTP_HEADER_WWW_AUTHENTICATE,
                                "Basic realm=\"spfrom\", charset=\"UTF-8\"");
}
