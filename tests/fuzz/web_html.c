#include "config.h"

#include <glib.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "show/html.h"

/* Whatever octets stand in a page, what we wrote around them is all the markup that is in it. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static guint count(const char *page, char octet)
{
    guint found = 0;

    for (; *page != '\0'; page++)
        found += *page == octet;
    return found;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    g_autofree char *text = g_strndup((const char *)data, size);
    g_autofree char *page = NULL;
    g_auto(Html) html;

    html_init(&html);
    html_open(&html, "p", "title", text, NULL);
    html_text(&html, text);
    html_lines(&html, text);
    html_printf(&html, "%s", text);
    html_empty(&html, "input", "value", text, NULL);
    html_element(&html, "code", text, NULL);
    page = html_finish(&html);
    if (!g_utf8_validate(page, -1, NULL))
        __builtin_trap();
    /* <!DOCTYPE>, <p>, </p>, <input/>, <code>, </code> */
    if (count(page, '<') != 6 || count(page, '>') != 6 || count(page, '"') != 4 ||
        count(page, '\'') != 0)
        __builtin_trap();
    for (const char *at = page; *at != '\0'; at++)
        if ((guchar)*at < ' ' && *at != '\n' && *at != '\t')
            __builtin_trap();
    return 0;
}
