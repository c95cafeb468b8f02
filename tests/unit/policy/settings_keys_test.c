#include "config.h"

#include "policy/settings_keys.h"

#include <string.h>

#include "unit/table.h"
#include "policy/domain_map.h"
#include "policy/settings_parse.h"

#define FALLBACK "fallback_address = \"noreply@example.org\"\n"

static bool has(const SettingsKey *key, SettingsKeyFlags flag)
{
    return (key->flags & flag) != 0;
}

static const char *conf_text;

static gboolean read_file(const char *file, char **text, gsize *length,
                          GError **error G_GNUC_UNUSED)
{
    *text = g_strdup(g_str_has_suffix(file, ".conf") ? conf_text : "");
    *length = strlen(*text);
    return TRUE;
}

/* key  given with the value text; NULL: none */
static Settings *settings_with(const SettingsKey *key, const char *text)
{
    static const SettingsSource source = {read_file, "mail.example.net"};
    g_autofree char *line = key == NULL ? g_strdup("")
                            : has(key, SETTINGS_KEY_LIST)
                                ? g_strdup_printf("%s = { \"%s\" }\n", key->name, text)
                                : g_strdup_printf("%s = \"%s\"\n", key->name, text);
    g_autofree char *whole = key != NULL && strcmp(key->name, "fallback_address") == 0
                                 ? g_strdup(line)
                                 : g_strconcat(FALLBACK, line, NULL);
    g_autoptr(GError) error = NULL;
    Settings *settings;

    conf_text = whole;
    settings = settings_parse("/etc/spfrom/spfrom.conf", &source, &error);
    if (error != NULL)
        print_error("%s\n", error->message);
    assert_non_null(settings);
    return settings;
}

static const struct {
    const char *kind;
    const char *value; /* that is no key's default */
} examples[] = {
    {"address", "n@other.example"},
    {"addresses", "192.0.2.53"},
    {"domain", "other.example"},
    {"mechanisms", "ip4:192.0.2.1"},
    {"milliseconds", "77ms"},
    {"name", "other"},
    {"names", "X-Other"},
    {"number", "77"},
    {"path", "/other"},
    {"permissions", "0600"},
    {"relays", "192.0.2.1"},
    {"results", "pass"},
    {"plain-address", "office@other.example"},
    {"return-address", "bounce+%t@other.example"},
    {"return-kinds", "bounce"},
    {"rules", "all"},
    {"selectors", "other"},
    {"socket", "unix:/run/other"},
    {"stores", "unix:/run/other"},
    {"template", "%d"},
    {"text", "other"},
    {"texts", "other"},
    {"time", "77s"},
};

/* A value that is not the default of key. */
static const char *other_value(const SettingsKey *key)
{
    if (key->words != NULL)
        return key->default_text != NULL && strcmp(key->words[0], key->default_text) == 0
                   ? key->words[1]
                   : key->words[0];
    for (size_t i = 0; i < G_N_ELEMENTS(examples); i++)
        if (strcmp(examples[i].kind, key->kind->name) == 0)
            return examples[i].value;
    fail_msg("the kind %s has no example here", key->kind->name);
    return NULL;
}

/* A row that is wrong would be memory that is wrong. */
static void test_row(void **state)
{
    static const size_t sizes[] = {
        [SETTINGS_NUMBER] = sizeof(guint),         [SETTINGS_FLAG] = sizeof(bool),
        [SETTINGS_TEXT] = sizeof(char *),          [SETTINGS_TEXTS] = sizeof(char **),
        [SETTINGS_ADDRESS] = sizeof(ReturnForm *), [SETTINGS_ARRAY] = sizeof(GPtrArray *)};
    const SettingsKey *key = *state;
    SettingsMember member = key->kind->member;
    bool is_comparable = member != SETTINGS_ARRAY;

    assert_int_equal(key->size, sizes[member]);
    assert_true(is_comparable || !has(key, SETTINGS_KEY_RESTART | SETTINGS_KEY_VERDICTS));
    assert_true(member != SETTINGS_ADDRESS || !has(key, SETTINGS_KEY_RESTART));
    assert_true(!has(key, SETTINGS_KEY_FILE) || member == SETTINGS_TEXT);
    assert_int_equal(strcmp(key->kind->name, "choice") == 0, key->words != NULL);
    assert_int_equal(strcmp(key->kind->name, "number") == 0 ||
                         strcmp(key->kind->name, "time") == 0 ||
                         strcmp(key->kind->name, "milliseconds") == 0,
                     key->max > 0);
    if (has(key, SETTINGS_KEY_SECTION | SETTINGS_KEY_MAP)) {
        assert_true(key->section_offset > 0);
        assert_false(has(key, SETTINGS_KEY_LIST));
        assert_true(member != SETTINGS_FLAG); /* what is not given could not be told from false */
    } else {
        assert_int_equal(key->section_offset, 0);
    }
    for (const SettingsKey *other = settings_keys; other < key; other++) {
        assert_string_not_equal(other->name, key->name);
        assert_true(key->offset == 0 || other->offset != key->offset);
        assert_true(key->section_offset == 0 || other->section_offset != key->section_offset);
    }
}

/* The text of a member differs if its value does. */
static void assert_text_differs(const SettingsKey *key, const void *a, const void *b)
{
    g_autofree char *of_a = settings_key_text(key, a);
    g_autofree char *again = settings_key_text(key, a);
    g_autofree char *of_b = settings_key_text(key, b);

    assert_string_equal(of_a, again);
    assert_string_not_equal(of_a, of_b);
}

/* A reload names each key that needs a restart and differs, and keeps what runs; it names no
 * other. */
static void test_restart(void **state)
{
    const SettingsKey *key = *state;
    g_autoptr(Settings) running = settings_with(NULL, NULL);
    g_autoptr(Settings) next = settings_with(key, other_value(key));
    g_autoptr(GPtrArray) changed = g_ptr_array_new();
    const void *place = settings_key_member((struct Settings *)next, key);
    const void *old = settings_key_member((struct Settings *)running, key);

    assert_false(settings_key_is_same(key, place, old));
    assert_text_differs(key, place, old);
    settings_keep(next, running, changed);
    assert_int_equal(changed->len, has(key, SETTINGS_KEY_RESTART));
    if (changed->len > 0)
        assert_string_equal(g_ptr_array_index(changed, 0), key->name);
    assert_int_equal(settings_key_is_same(key, place, old), has(key, SETTINGS_KEY_RESTART));
}

static void test_verdicts(void **state)
{
    const SettingsKey *key = *state;
    g_autoptr(Settings) before = settings_with(NULL, NULL);
    g_autoptr(Settings) after = settings_with(key, other_value(key));
    g_autoptr(Settings) same = settings_with(key, other_value(key));

    assert_int_equal(settings_verdicts_survive(before, after), !has(key, SETTINGS_KEY_VERDICTS));
    /* a file of the same name may hold something else by now */
    assert_int_equal(settings_verdicts_survive(after, same), !has(key, SETTINGS_KEY_FILE));
}

/* With dkim_consent, verdicts hang on what DKIM is asked for, and on whose keys count. */
static const struct consent_row {
    const char *name; /* besides dkim_consent, before */
    const char *after;
    bool survives;
} consent_rows[] = {
    {"", "", true},
    {"dkim_consent_domain = k.example\n", "dkim_consent_domain = k.example\nmode = off\n", true},
    {"dkim_consent_domain = k.example\n", "dkim_consent_domain = l.example\n", false},
    {"dkim_consent_domain = k.example\nrewrite_on = { fail }\n",
     "dkim_consent_domain = k.example\nrewrite_on = { fail, softfail }\n", false},
    {"dkim_consent_domain = k.example\nrewrite_on = { fail }\n",
     "dkim_consent_domain = k.example\nrewrite_on = { fail }\ntempfail_on = { none }\n", false},
    {"domain a.example { fallback_address = \"n@b.example\" }\n",
     "domain a.example { fallback_address = \"n@c.example\" }\n", false},
    {"", "domain a.example { fallback_address = \"n@c.example\" }\n", false},
};

static Settings *settings_with_consent(const char *text)
{
    static const SettingsSource source = {read_file, "mail.example.net"};
    g_autofree char *whole = g_strconcat(FALLBACK, "dkim_consent = { s1 }\n", text, NULL);
    Settings *settings;

    conf_text = whole;
    settings = settings_parse("/etc/spfrom/spfrom.conf", &source, NULL);
    assert_non_null(settings);
    return settings;
}

static void test_consent(void **state)
{
    const struct consent_row *row = *state;
    g_autoptr(Settings) before = settings_with_consent(row->name);
    g_autoptr(Settings) after = settings_with_consent(row->after);

    assert_int_equal(settings_verdicts_survive(before, after), row->survives);
}

/* In a section and in domain_map: each key that may stand there, once, and no other. */
static void test_section(void **state)
{
    const SettingsKey *key = *state;
    g_autofree char *once = g_strdup_printf("a.example %s=%s", key->name, other_value(key));
    g_autofree char *twice = g_strdup_printf("%s %s=%s", once, key->name, other_value(key));
    g_autofree char *message =
        g_strdup_printf("map:1: %s: is given twice; leave one out", key->name);
    g_autoptr(GHashTable) table = domain_map_parse(once, "map", NULL);
    g_autoptr(GHashTable) none = NULL;
    g_autoptr(GError) error = NULL;

    if (!has(key, SETTINGS_KEY_SECTION | SETTINGS_KEY_MAP)) {
        assert_null(table);
        return;
    }
    assert_non_null(table);
    none = domain_map_parse(twice, "map", &error);
    assert_string_equal(error->message, message);
}

int main(void)
{
    GArray *tests = table_new();

    mailboxes_init();
    for (size_t i = 0; i < settings_keys_length; i++) {
        const SettingsKey *key = &settings_keys[i];

        table_add(tests, key->name, test_row, key);
        table_add(tests, key->name, test_section, key);
        if (has(key, SETTINGS_KEY_MAP))
            continue;
        table_add(tests, key->name, test_verdicts, key);
        if (key->kind->member != SETTINGS_ARRAY)
            table_add(tests, key->name, test_restart, key);
    }
    TABLE_ADD(tests, consent_rows, test_consent);
    return table_run(tests, "settings_keys");
}
