#include "config.h"

#include <glib.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "web/access.h"
#include "web/request.h"

/* Any octets are a target, and any other field that a browser sends. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* A link that we write leads to where it should. */
static void check_target(const Request *request)
{
    g_autofree char *target = request_target(request, "de", request->days);
    g_autoptr(Request) again = NULL;

    if (request->route == ROUTE_NOTHING)
        return;
    if (target[0] != '/' || strpbrk(target, " \"'<>\\\r\n") != NULL || !g_str_is_ascii(target))
        __builtin_trap();
    again = request_parse(target);
    if (again->route != request->route || again->days != request->days ||
        g_strcmp0(again->subject, request->subject) != 0)
        __builtin_trap();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    g_autofree char *text = g_strndup((const char *)data, size);
    g_autoptr(Request) request = request_parse(text);
    g_autofree char *host = access_host_parse(text);
    const char *cookie = request_language_of_cookies(text);

    check_target(request);
    request_note_accept(request, text);
    access_host_is_ours(text, "127.0.0.1", NULL);
    if (request_language_negotiate(text) == NULL || (cookie != NULL && strlen(cookie) != 2))
        __builtin_trap();
    access_password_is_right("secret", text);
    return 0;
}
