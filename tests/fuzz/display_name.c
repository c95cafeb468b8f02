/* A name from raw octets through decoding, the template and the composer, and back. */
#include "config.h"

#include "mail/display_name.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "mail/composer.h"
#include "mail/encoded_words.h"
#include "mail/printable.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check(bool holds)
{
    if (!holds)
        abort();
}

/*
 * Lines of 78 at most (an encoded word that was passed on may stand behind the field's name), each
 * with something to see, each but the first begun by a blank; no other control.
 */
static void check_value(const char *value)
{
    g_auto(GStrv) lines = g_strsplit(value, "\n", -1);

    for (guint i = 0; lines[i] != NULL; i++) {
        check(strlen(lines[i]) + (i == 0 ? strlen("From: ") : 0) <=
              (i == 0 ? strlen("From: ") + ENCODED_WORD_MAX : 78));
        check((lines[i][0] == ' ') == (i > 0));
        check(lines[i][strspn(lines[i], " ")] != '\0');
        for (const char *at = lines[i]; *at != '\0'; at++)
            check(*at >= ' ' && *at <= '~');
    }
}

/* Composes a mailbox of that name and reads it again. Returns the name, "" where there is none. */
static char *round_trip(const char *name)
{
    g_autofree char *value = NULL;
    g_autoptr(Mailbox) read = NULL;
    Composer composer;

    composer_init(&composer, "From");
    composer_append_mailbox(&composer, name, "a@b.example");
    value = composer_take(&composer);
    check_value(value);
    read = mailbox_parse(value);
    check(read != NULL && strcmp(read->addr_spec, "a@b.example") == 0);
    return g_strdup(read->display_name != NULL ? read->display_name : "");
}

static void run(const char *data, size_t size)
{
    g_autofree char *decoded = encoded_words_decode(data, size);
    Mailbox author = {.display_name = decoded, .local_part = decoded, .domain = decoded};
    g_autofree char *expanded = display_name_expand("%n", "%l", &author);
    g_autofree char *filled = display_name_expand("%n%l@%d=?utf-8?Q?%n?=", "", &author);
    g_autofree char *written = round_trip(expanded);
    g_autofree char *again = NULL;

    check(g_utf8_validate(expanded, -1, NULL) && strlen(expanded) <= DISPLAY_NAME_MAX);
    check(strpbrk(expanded, "@\r\n") == NULL && strpbrk(filled, "@\r\n") == NULL);
    check(strstr(expanded, "\xef\xbc\xa0") == NULL && strstr(expanded, "\xef\xb9\xab") == NULL);
    check(expanded[0] == '\0' || !printable_is_blank(expanded));
    check(strcmp(written, expanded) == 0);
    author.display_name = written;
    again = display_name_expand("%n", "", &author);
    check(strcmp(again, expanded) == 0);
    g_free(round_trip(decoded)); /* as in Reply-To:, not made safe */
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static bool is_ready;

    if (!is_ready)
        mailboxes_init();
    is_ready = true;
    run((const char *)data, size);
    return 0;
}
