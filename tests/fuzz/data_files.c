/* Files that come with the program or are an administrator's: '0' a catalogue of texts (.mo), '1'
 * mail-providers, '2' dns-hosters. */
#include "config.h"

#include "advice/lists.h"
#include "base/domain_name.h"
#include "base/language.h"

#include <string.h>

#include "check.h"

static void parse_catalogue(const char *text, size_t length)
{
    g_autoptr(GBytes) octets = g_bytes_new(text, length);
    g_autoptr(GError) error = NULL;
    g_autoptr(Language) language = language_from_catalogue("de", octets, "spfrom.mo", &error);
    g_autofree char *filled = NULL;

    check((language == NULL) == (error != NULL));
    if (language == NULL)
        return;
    filled = language_fill(language, "one {name}", "name", "{name}", NULL);
    check(g_utf8_validate(filled, -1, NULL));
    check(g_utf8_validate(language_text(language, "one"), -1, NULL));
}

static void check_error(const GError *error)
{
    check(g_utf8_validate(error->message, -1, NULL) && g_str_has_prefix(error->message, "list:"));
}

/* The last entry of a list, without blanks around it; "" where the list does not end in one. */
static char *last_entry(const char *list)
{
    const char *line = strrchr(list, '\n');
    char *entry = g_strdup(line != NULL ? line + 1 : list);

    entry[strcspn(entry, "#")] = '\0';
    return g_strstrip(entry);
}

static void check_provider(const Lists *lists, const char *entry)
{
    bool is_out = *entry == '!';
    const char *name = entry + is_out;
    g_autofree char *domain_name = domain_name_parse(name + (*name == '.'), NULL);
    g_autofree char *asked = g_strconcat(*name == '.' ? "a.b." : "", domain_name, NULL);

    if (!is_out)
        check(lists_has_provider(lists, asked));
}

static void parse_providers(const char *text, size_t length)
{
    g_autofree char *list = g_strndup(text, length);
    g_autofree char *entry = last_entry(list);
    g_autoptr(Lists) lists = lists_new();
    g_autoptr(GError) error = NULL;

    if (!lists_add(lists, LISTS_PROVIDERS, list, "list", &error))
        check_error(error);
    else if (*entry != '\0')
        check_provider(lists, entry);
}

/* The name server whose name is the entry's suffix has a hoster. */
static void check_hoster(const Lists *lists, const char *entry)
{
    g_autofree char *name = g_strndup(entry, strcspn(entry, " \t"));

    check(lists_hoster(lists, g_strdelimit(name, "*", '1')) != NULL);
}

static void parse_hosters(const char *text, size_t length)
{
    g_autofree char *list = g_strndup(text, length);
    g_autofree char *entry = last_entry(list);
    g_autoptr(Lists) lists = lists_new();
    g_autoptr(GError) error = NULL;

    if (!lists_add(lists, LISTS_HOSTERS, list, "list", &error))
        check_error(error);
    else if (*entry != '\0')
        check_hoster(lists, entry);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static FuzzParser *const parsers[] = {parse_catalogue, parse_providers, parse_hosters};

    run_one_of(parsers, G_N_ELEMENTS(parsers), data, size);
    return 0;
}
