#include "config.h"

#include "policy/settings_keys.h"

#include <arpa/inet.h>
#include <string.h>
#include <sys/un.h>
#include <syslog.h>

#include "base/clock.h"
#include "base/domain_name.h"
#include "base/network.h"
#include "mail/display_name.h"
#include "mail/returned.h"

#define PORT_MAX 65535
#define DAY 86400
#define FLEET_NAME_MAX 64
#define HEADER_NAME_MAX 64 /* octets */
#define MECHANISM_MAX 300  /* octets: a name, a prefix length, and what stands before it */

static bool refuse(const SettingsKey *key, const char *value, const char *instead, GError **error)
{
    g_set_error(error, SETTINGS_ERROR, SETTINGS_ERROR_VALUE, "%s: invalid value \"%s\"; use %s",
                key->name, value, instead);
    return false;
}

static void put_text(void *place, const char *text)
{
    char **member = place;

    g_free(*member);
    *member = g_strdup(text);
}

static void put_list(void *place, const char *const *values)
{
    char ***member = place;

    g_strfreev(*member);
    *member = g_strdupv((char **)values);
}

static void put_array(void *place, GPtrArray *array)
{
    GPtrArray **member = place;

    g_clear_pointer(member, g_ptr_array_unref);
    *member = array;
}

static bool read_text(void *place, const SettingsGiven *given, GError **error G_GNUC_UNUSED)
{
    put_text(place, given->values[0][0] != '\0' ? given->values[0] : NULL);
    return true;
}
static const SettingsKind kind_text = {"text", SETTINGS_TEXT, read_text};

/* A path that does not begin with "/" is relative to the folder of the configuration. */
static bool read_path(void *place, const SettingsGiven *given, GError **error G_GNUC_UNUSED)
{
    const char *text = given->values[0];
    g_autofree char *folder = g_path_get_dirname(given->file != NULL ? given->file : "/");
    g_autofree char *path =
        g_path_is_absolute(text) ? g_strdup(text) : g_build_filename(folder, text, NULL);

    put_text(place, text[0] != '\0' ? path : NULL);
    return true;
}
static const SettingsKind kind_path = {"path", SETTINGS_TEXT, read_path};

/* NULL if the key is not given, "" for no ledger: settings_parse() makes something of both. */
static bool read_ledger(void *place, const SettingsGiven *given, GError **error)
{
    if (given->values[0][0] != '\0')
        return read_path(place, given, error);
    put_text(place, "");
    return true;
}
static const SettingsKind kind_ledger = {"path", SETTINGS_TEXT, read_ledger};

static bool read_socket_path(void *place, const SettingsGiven *given, GError **error)
{
    const char *text = given->values[0];

    if (!g_path_is_absolute(text) || strlen(text) >= sizeof((struct sockaddr_un *)NULL)->sun_path)
        return refuse(given->key, text, "an absolute path of at most 107 octets", error);
    put_text(place, text);
    return true;
}
static const SettingsKind kind_socket_path = {"path", SETTINGS_TEXT, read_socket_path};

static bool read_time(void *place, const SettingsGiven *given, GError **error)
{
    const SettingsKey *key = given->key;
    gint64 seconds = clock_span_parse(given->values[0], error);
    g_autofree char *range = g_strdup_printf("a time from %us to %us", key->min, key->max);

    if (seconds < 0) {
        g_prefix_error(error, "%s: ", key->name);
        return false;
    }
    if (seconds < key->min || seconds > key->max)
        return refuse(key, given->values[0], range, error);
    *(guint *)place = (guint)seconds;
    return true;
}
static const SettingsKind kind_time = {"time", SETTINGS_NUMBER, read_time};

static bool read_number(void *place, const SettingsGiven *given, GError **error)
{
    const SettingsKey *key = given->key;
    g_autofree char *range = g_strdup_printf("a number from %u to %u", key->min, key->max);
    guint64 number = 0;

    if (!g_ascii_string_to_unsigned(given->values[0], 10, key->min, key->max, &number, NULL))
        return refuse(key, given->values[0], range, error);
    *(guint *)place = (guint)number;
    return true;
}
static const SettingsKind kind_number = {"number", SETTINGS_NUMBER, read_number};

static bool read_permissions(void *place, const SettingsGiven *given, GError **error)
{
    guint64 mode = 0;

    if (!g_ascii_string_to_unsigned(given->values[0], 8, 0, 0777, &mode, NULL))
        return refuse(given->key, given->values[0], "permissions such as 0660", error);
    *(guint *)place = (guint)mode;
    return true;
}
static const SettingsKind kind_permissions = {"permissions", SETTINGS_NUMBER, read_permissions};

/* "a, b or c" */
static char *alternatives(const char *const *words)
{
    GString *text = g_string_new(words[0]);

    for (size_t i = 1; words[i] != NULL; i++)
        g_string_append_printf(text, "%s%s", words[i + 1] != NULL ? ", " : " or ", words[i]);
    return g_string_free(text, FALSE);
}

/* The position of the value in the key's words; -1 with error set. */
static int word_index(const SettingsGiven *given, GError **error)
{
    const char *const *words = given->key->words;
    g_autofree char *all = NULL;

    for (int i = 0; words[i] != NULL; i++)
        if (strcmp(words[i], given->values[0]) == 0)
            return i;
    all = alternatives(words);
    refuse(given->key, given->values[0], all, error);
    return -1;
}

static bool read_choice(void *place, const SettingsGiven *given, GError **error)
{
    int index = word_index(given, error);

    if (index < 0)
        return false;
    *(guint *)place = (guint)index; /* all our enums have the size of guint */
    return true;
}
static const SettingsKind kind_choice = {"choice", SETTINGS_NUMBER, read_choice};

/* One of two words, false and true. */
static bool read_flag(void *place, const SettingsGiven *given, GError **error)
{
    int index = word_index(given, error);

    if (index < 0)
        return false;
    *(bool *)place = index == 1;
    return true;
}
static const SettingsKind kind_flag = {"choice", SETTINGS_FLAG, read_flag};

static bool read_log_level(void *place, const SettingsGiven *given, GError **error)
{
    static const int levels[] = {LOG_ERR, LOG_WARNING, LOG_NOTICE, LOG_INFO, LOG_DEBUG};
    int index = word_index(given, error);

    if (index < 0)
        return false;
    *(int *)place = levels[index];
    return true;
}
static const SettingsKind kind_log_level = {"choice", SETTINGS_NUMBER, read_log_level};

static bool read_word(void *place, const SettingsGiven *given, GError **error)
{
    if (word_index(given, error) < 0)
        return false;
    put_text(place, given->values[0]);
    return true;
}
static const SettingsKind kind_word = {"choice", SETTINGS_TEXT, read_word};

static bool read_results(void *place, const SettingsGiven *given, GError **error)
{
    SpfResultSet set = 0;

    for (size_t i = 0; given->values[i] != NULL; i++) {
        SpfResult result;

        if (!spf_result_parse(given->values[i], &result))
            return refuse(given->key, given->values[i],
                          "fail, softfail, neutral, none, permerror, temperror or pass", error);
        set |= SPF_RESULT_SET(result);
    }
    *(SpfResultSet *)place = set;
    return true;
}
static const SettingsKind kind_results = {"results", SETTINGS_NUMBER, read_results};

static bool read_template(void *place, const SettingsGiven *given, GError **error)
{
    if (!display_name_is_template(given->values[0]))
        return refuse(given->key, given->values[0], "text with %n, %l, %d or %%", error);
    put_text(place, given->values[0]);
    return true;
}
static const SettingsKind kind_template = {"template", SETTINGS_TEXT, read_template};

/* Reads a form of an address; NULL with error set. */
static ReturnForm *read_form(const SettingsGiven *given, GError **error)
{
    g_autoptr(GError) cause = NULL;
    ReturnForm *form = return_form_parse(given->values[0], &cause);

    if (form == NULL)
        refuse(given->key, given->values[0], cause->message, error);
    return form;
}

static void put_form(void *place, ReturnForm *form)
{
    ReturnForm **member = place;

    g_clear_pointer(member, return_form_free);
    *member = form;
}

static bool read_address(void *place, const SettingsGiven *given, GError **error)
{
    g_autoptr(ReturnForm) form = read_form(given, error);

    if (form == NULL)
        return false;
    if (form->plain == NULL || form->plain->addr_spec == NULL)
        return refuse(given->key, given->values[0],
                      form->plain == NULL
                          ? "an address such as noreply@example.org"
                          : "an address of which something is left without %t, such as "
                            "noreply+%t@example.org",
                      error);
    put_form(place, g_steal_pointer(&form));
    return true;
}
static const SettingsKind kind_address = {"address", SETTINGS_ADDRESS, read_address};

/* An empty one: none. */
static bool read_return_address(void *place, const SettingsGiven *given, GError **error)
{
    g_autoptr(ReturnForm) form = read_form(given, error);

    if (form == NULL)
        return false;
    if (form->plain != NULL && !form->has_token)
        return refuse(given->key, given->values[0],
                      "an address with %t before the \"@\", such as bounce+%t@example.org", error);
    put_form(place, g_steal_pointer(&form));
    return true;
}
static const SettingsKind kind_return_address = {"return-address", SETTINGS_ADDRESS,
                                                 read_return_address};

/* An address that stays the same in every message; an empty one: none. */
static bool read_plain_address(void *place, const SettingsGiven *given, GError **error)
{
    g_autoptr(ReturnForm) form = read_form(given, error);

    if (form == NULL)
        return false;
    if (form->has_token)
        return refuse(given->key, given->values[0], "an address such as office@example.org", error);
    put_form(place, form->plain != NULL ? g_steal_pointer(&form) : NULL);
    return true;
}
static const SettingsKind kind_plain_address = {"plain-address", SETTINGS_ADDRESS,
                                                read_plain_address};

static bool read_return_kinds(void *place, const SettingsGiven *given, GError **error)
{
    guint kinds = 0;

    for (size_t i = 0; given->values[i] != NULL; i++) {
        ReturnKind kind;

        if (!return_kind_parse(given->values[i], &kind))
            return refuse(given->key, given->values[i], "bounce, auto-reply or reply", error);
        kinds |= 1u << kind;
    }
    *(guint *)place = kinds;
    return true;
}
static const SettingsKind kind_return_kinds = {"return-kinds", SETTINGS_NUMBER, read_return_kinds};

static bool is_port(const char *text, size_t length)
{
    g_autofree char *digits = g_strndup(text, length);

    return g_ascii_string_to_unsigned(digits, 10, 1, PORT_MAX, NULL, NULL);
}

static bool is_socket(const char *text)
{
    const char *colon = strchr(text, ':');
    const char *at;

    if (g_str_has_prefix(text, "unix:"))
        return colon[1] == '/' && strlen(colon + 1) < sizeof((struct sockaddr_un *)NULL)->sun_path;
    if (!g_str_has_prefix(text, "inet:") && !g_str_has_prefix(text, "inet6:"))
        return false;
    at = strchr(colon, '@');
    return at != NULL && at[1] != '\0' && is_port(colon + 1, (size_t)(at - colon - 1));
}

/* Postfix's "inet:HOST:PORT" and "inet:[IPV6]:PORT" in libmilter's form, owned by the caller; NULL
 * if text is something else. */
static char *from_postfix_socket(const char *text)
{
    const char *host = text + strlen("inet:");
    const char *colon = strrchr(text, ':');
    bool is_ipv6;

    if (!g_str_has_prefix(text, "inet:") || colon <= host || strpbrk(host, "@ ") != NULL ||
        !is_port(colon + 1, strlen(colon + 1)))
        return NULL;
    is_ipv6 = host[0] == '[' && colon[-1] == ']';
    if (!is_ipv6 && memchr(host, ':', (size_t)(colon - host)) != NULL)
        return NULL;
    if (!is_ipv6)
        return g_strdup_printf("inet:%s@%.*s", colon + 1, (int)(colon - host), host);
    return g_strdup_printf("inet6:%s@%.*s", colon + 1, (int)(colon - host - 2), host + 1);
}

/* There are two dialects, Sendmail's (which is libmilter's) and Postfix's. The settings hold the
 * former. */
static bool read_socket(void *place, const SettingsGiven *given, GError **error)
{
    const char *text = given->values[0];
    g_autofree char *translated = from_postfix_socket(text);

    if (!is_socket(translated != NULL ? translated : text))
        return refuse(given->key, text, "inet:PORT@HOST, inet6:PORT@HOST or unix:/PATH", error);
    put_text(place, translated != NULL ? translated : text);
    return true;
}
static const SettingsKind kind_socket = {"socket", SETTINGS_TEXT, read_socket};

/* An empty one: none. */
static bool read_socket_or_none(void *place, const SettingsGiven *given, GError **error)
{
    if (given->values[0][0] != '\0')
        return read_socket(place, given, error);
    put_text(place, NULL);
    return true;
}
static const SettingsKind kind_socket_or_none = {"socket", SETTINGS_TEXT, read_socket_or_none};

/* An empty one is the system's. */
static bool read_hostname(void *place, const SettingsGiven *given, GError **error)
{
    g_autofree char *name = NULL;

    if (given->values[0][0] != '\0') {
        name = domain_name_parse(given->values[0], error);
        if (name == NULL) {
            g_prefix_error(error, "%s: ", given->key->name);
            return false;
        }
    }
    put_text(place, name);
    return true;
}
static const SettingsKind kind_hostname = {"domain", SETTINGS_TEXT, read_hostname};

static bool read_list(void *place, const SettingsGiven *given, GError **error G_GNUC_UNUSED)
{
    put_list(place, given->values);
    return true;
}
static const SettingsKind kind_list = {"texts", SETTINGS_TEXTS, read_list};

#define SELECTORS_MAX 8 /* each is two questions */

/* Selectors for DKIM (RFC 6376 section 3.1), names below _domainkey. */
static bool read_selectors(void *place, const SettingsGiven *given, GError **error)
{
    for (size_t i = 0; given->values[i] != NULL; i++) {
        const char *selector = given->values[i];
        g_autofree char *name = g_strconcat(selector, ".example", NULL);

        g_autofree char *parsed = domain_name_parse(name, NULL);

        if (parsed == NULL || g_ascii_strcasecmp(parsed, name) != 0)
            return refuse(given->key, selector, "a selector such as spfrom2026", error);
        if (i >= SELECTORS_MAX)
            return refuse(given->key, selector, "8 selectors at most", error);
    }
    put_list(place, given->values);
    return true;
}
static const SettingsKind kind_selectors = {"selectors", SETTINGS_TEXTS, read_selectors};

static bool is_dns_server(const char *text)
{
    const char *at = strchr(text, '@');
    g_autofree char *address = at != NULL ? g_strndup(text, (gsize)(at - text)) : g_strdup(text);
    guint8 octets[16];

    if (inet_pton(AF_INET, address, octets) != 1 && inet_pton(AF_INET6, address, octets) != 1)
        return false;
    return at == NULL || is_port(at + 1, strlen(at + 1));
}

static bool read_dns_servers(void *place, const SettingsGiven *given, GError **error)
{
    for (size_t i = 0; given->values[i] != NULL; i++)
        if (!is_dns_server(given->values[i]))
            return refuse(given->key, given->values[i],
                          "an address such as 192.0.2.53, or 127.0.0.1@5353 with a port", error);
    return read_list(place, given, error);
}
static const SettingsKind kind_dns_servers = {"addresses", SETTINGS_TEXTS, read_dns_servers};

/* False for fields to which a rewrite or a reader gives another meaning: they can't keep the
 * original author. */
static bool is_keeping_header(const char *name)
{
    static const char *const taken[] = {
        "From",
        "Reply-To",
        "Sender",
        "Return-Path",
        "DKIM-Signature",
        "X-SPFrom",
        "To",
        "Cc",
        "Bcc",
        "Date",
        "Subject",
        "Message-ID",
        "Received",
        "MIME-Version",
        "Content-Type",
        "Content-Transfer-Encoding",
    };

    for (size_t i = 0; i < G_N_ELEMENTS(taken); i++)
        if (g_ascii_strcasecmp(name, taken[i]) == 0)
            return false;
    for (const char *at = name; *at != '\0'; at++)
        if (!g_ascii_isgraph(*at) || *at == ':')
            return false;
    return name[0] != '\0' && strlen(name) <= HEADER_NAME_MAX;
}

/* No two values may differ in case only. */
static bool has_each_once(const SettingsGiven *given, GError **error)
{
    for (size_t i = 0; given->values[i] != NULL; i++)
        for (size_t before = 0; before < i; before++)
            if (g_ascii_strcasecmp(given->values[before], given->values[i]) == 0) {
                g_set_error(error, SETTINGS_ERROR, SETTINGS_ERROR_VALUE,
                            "%s: \"%s\" is there twice; leave one out", given->key->name,
                            given->values[i]);
                return false;
            }
    return true;
}

static bool read_header_names(void *place, const SettingsGiven *given, GError **error)
{
    for (size_t i = 0; given->values[i] != NULL; i++)
        if (!is_keeping_header(given->values[i]))
            return refuse(given->key, given->values[i],
                          "names of header fields such as Author or X-Original-From", error);
    return has_each_once(given, error) && read_list(place, given, error);
}
static const SettingsKind kind_header_names = {"names", SETTINGS_TEXTS, read_header_names};

static bool is_word(const char *text)
{
    const char *at = text;

    while (g_ascii_isgraph(*at))
        at++;
    return at > text && *at == '\0' && at - text <= MECHANISM_MAX;
}

/*
 * True for a term of an SPF record that authorises hosts, as text: the name of a mechanism and the
 * value that it needs, without a qualifier, and not "all". Whether it works is known only once it is
 * evaluated.
 */
static bool is_authorising(const char *text)
{
    static const struct {
        const char *name;
        bool needs_value;
    } mechanisms[] = {{"include", true}, {"ip4", true}, {"ip6", true},
                      {"exists", true},  {"a", false},  {"mx", false}};
    size_t length = strcspn(text, ":/");
    bool has_value = text[length] == ':' && text[length + 1] != '\0';

    if (!is_word(text))
        return false;
    for (size_t i = 0; i < G_N_ELEMENTS(mechanisms); i++)
        if (strlen(mechanisms[i].name) == length &&
            g_ascii_strncasecmp(text, mechanisms[i].name, length) == 0)
            return has_value || (!mechanisms[i].needs_value && text[length] != ':');
    return false;
}

static bool read_mechanisms(void *place, const SettingsGiven *given, GError **error)
{
    for (size_t i = 0; given->values[i] != NULL; i++)
        if (!is_authorising(given->values[i]))
            return refuse(given->key, given->values[i],
                          "mechanisms of SPF such as include:spf.example.org or ip4:192.0.2.25",
                          error);
    return has_each_once(given, error) && read_list(place, given, error);
}
static const SettingsKind kind_mechanisms = {"mechanisms", SETTINGS_TEXTS, read_mechanisms};

static void free_member(gpointer member)
{
    fleet_member_free(member);
}

static bool read_members(void *place, const SettingsGiven *given, GError **error)
{
    g_autoptr(GPtrArray) members = g_ptr_array_new_with_free_func(free_member);

    for (size_t i = 0; given->values[i] != NULL; i++) {
        FleetMember *member = fleet_member_parse(given->values[i], error);

        if (member == NULL) {
            g_prefix_error(error, "%s: ", given->key->name);
            return false;
        }
        g_ptr_array_add(members, member);
    }
    put_array(place, g_steal_pointer(&members));
    return true;
}
static const SettingsKind kind_members = {"stores", SETTINGS_ARRAY, read_members};

/* It stands in keys of the store, between colons. */
static bool read_fleet_name(void *place, const SettingsGiven *given, GError **error)
{
    const char *text = given->values[0];
    size_t length =
        strspn(text, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-");

    if (length == 0 || text[length] != '\0' || length > FLEET_NAME_MAX)
        return refuse(given->key, text, "1 to 64 letters, digits, \".\", \"_\" or \"-\"", error);
    put_text(place, text);
    return true;
}
static const SettingsKind kind_fleet_name = {"name", SETTINGS_TEXT, read_fleet_name};

/* "50ms", or a time as read_time() takes it; in milliseconds. */
static bool read_milliseconds(void *place, const SettingsGiven *given, GError **error)
{
    const SettingsKey *key = given->key;
    const char *text = given->values[0];
    g_autofree char *range = g_strdup_printf("a time from %ums to %us", key->min, key->max / 1000);
    guint64 number = 0;

    if (g_str_has_suffix(text, "ms")) {
        g_autofree char *digits = g_strndup(text, strlen(text) - strlen("ms"));

        if (!g_ascii_string_to_unsigned(digits, 10, key->min, key->max, &number, NULL))
            return refuse(key, text, range, error);
    } else {
        gint64 seconds = clock_span_parse(text, NULL);

        if (seconds < 0 || seconds * 1000 < key->min || seconds * 1000 > key->max)
            return refuse(key, text, range, error);
        number = (guint64)seconds * 1000;
    }
    *(guint *)place = (guint)number;
    return true;
}
static const SettingsKind kind_milliseconds = {"milliseconds", SETTINGS_NUMBER, read_milliseconds};

static bool read_relays(void *place, const SettingsGiven *given, GError **error)
{
    g_autoptr(GPtrArray) entries = g_ptr_array_new_with_free_func((GDestroyNotify)relay_entry_free);

    if (given->values[0] == NULL)
        return refuse(given->key, "{}",
                      "the addresses that your mail leaves from, such as { \"192.0.2.25\" }, "
                      "or { auto }",
                      error);
    for (size_t i = 0; given->values[i] != NULL; i++) {
        RelayEntry *entry = relay_entry_parse(given->values[i], error);

        if (entry == NULL) {
            g_prefix_error(error, "%s: ", given->key->name);
            return false;
        }
        g_ptr_array_add(entries, entry);
    }
    put_array(place, g_steal_pointer(&entries));
    return true;
}
static const SettingsKind kind_relays = {"relays", SETTINGS_ARRAY, read_relays};

static bool read_rules(void *place, const SettingsGiven *given, GError **error)
{
    g_autoptr(GPtrArray) rules = g_ptr_array_new_with_free_func((GDestroyNotify)outbound_rule_free);

    if (given->values[0] == NULL)
        return refuse(given->key, "{}",
                      "which messages are outgoing, such as { authenticated, private }", error);
    for (size_t i = 0; given->values[i] != NULL; i++) {
        OutboundRule *rule = outbound_rule_parse(given->values[i], error);

        if (rule == NULL) {
            g_prefix_error(error, "%s: ", given->key->name);
            return false;
        }
        g_ptr_array_add(rules, rule);
    }
    put_array(place, g_steal_pointer(&rules));
    return true;
}
static const SettingsKind kind_rules = {"rules", SETTINGS_ARRAY, read_rules};

#define LIST SETTINGS_KEY_LIST
#define RESTART SETTINGS_KEY_RESTART
#define VERDICTS SETTINGS_KEY_VERDICTS
#define FILE_KEY SETTINGS_KEY_FILE
#define SECTION SETTINGS_KEY_SECTION
#define MAP SETTINGS_KEY_MAP

#define WORDS(...)                                                                                 \
    .words = (const char *const[])                                                                 \
    {                                                                                              \
        __VA_ARGS__, NULL                                                                          \
    }
#define RANGE(from, to) .min = (from), .max = (to)
#define IN_SECTION(m)                                                                              \
    .section_offset = offsetof(DomainSection, m), .size = sizeof(((DomainSection *)NULL)->m)
#define IN(m) .offset = offsetof(struct Settings, m), .size = sizeof(((struct Settings *)NULL)->m)
#define IN_BOTH(m) IN(m), .section_offset = offsetof(DomainSection, m)

/* clang-format off */
const SettingsKey settings_keys[] = {
    {"socket", &kind_socket, "inet:8894@127.0.0.1", RESTART, IN(socket)},
    {"socket_mode", &kind_permissions, "0660", RESTART, IN(socket_mode)},
    {"socket_group", &kind_text, NULL, RESTART, IN(socket_group)},
    {"mode", &kind_choice, "rewrite", SECTION, IN_BOTH(mode), WORDS("off", "log-only", "rewrite")},
    {"fallback_address", &kind_address, NULL, SECTION, IN_BOTH(fallback_form)},
    {"rewrite_on", &kind_results, "{fail, softfail, neutral, none, permerror, temperror}",
     LIST, IN(rewrite_on)},
    {"tempfail_on", &kind_results, "{}", LIST, IN(tempfail_on)},
    {"envelope_sender", &kind_choice, "author", 0, IN(envelope_sender),
     WORDS("author", "fallback")},
    {"align_envelope", &kind_choice, "no", 0, IN(align_envelope), WORDS("no", "dmarc", "yes")},
    {"null_sender", &kind_flag, "keep", 0, IN(null_sender_fallback), WORDS("keep", "fallback")},
    {"exempt_dkim", &kind_text, NULL, 0, IN(exempt_dkim)},
    {"dkim_consent", &kind_selectors, "{}", LIST | VERDICTS, IN(dkim_consent)},
    {"dkim_consent_domain", &kind_hostname, NULL, VERDICTS, IN(dkim_consent_domain)},
    {"return_address", &kind_return_address, "", SECTION, IN_BOTH(return_form)},
    {"return_key", &kind_path, NULL, RESTART, IN(return_key)},
    {"return_socket", &kind_socket_or_none, "inet:8896@127.0.0.1", RESTART, IN(return_socket)},
    {"return_days", &kind_number, "400", 0, IN(return_days), RANGE(1, 36500)},
    {"return_mail", &kind_return_kinds, "{bounce, auto-reply, reply}", LIST, IN(return_mail)},
    {"display_name", &kind_template, "%n", SECTION, IN_BOTH(display_name)},
    {"display_name_missing", &kind_template, "%l", SECTION, IN_BOTH(display_name_missing)},
    {"reply_to", &kind_choice, "add", SECTION, IN_BOTH(reply_to), WORDS("never", "add")},
    {"author_header", &kind_header_names, "{Author, X-Original-From}", LIST, IN(author_header)},
    {"sender_header", &kind_choice, "remove", 0, IN(sender_header),
     WORDS("remove", "keep", "fallback")},
    {"dkim_signatures", &kind_flag, "remove", 0, IN(remove_dkim_signatures),
     WORDS("keep", "remove")},
    {"trace_header", &kind_flag, "yes", 0, IN(trace_header), WORDS("no", "yes")},
    {"outbound", &kind_rules, "{authenticated, private}", LIST, IN(outbound)},
    {"local_mailers", &kind_list, "{}", LIST, IN(local_mailers)},
    {"relay_hosts", &kind_relays, "{auto}", LIST, IN(relay_hosts)}, /* verdicts: by the relay set */
    {"relay_policy", &kind_choice, "all", VERDICTS, IN(relay_policy), WORDS("all", "any")},
    {"hostname", &kind_hostname, NULL, VERDICTS, IN(hostname)},
    {"check_timeout", &kind_time, "10s", 0, IN(check_timeout), RANGE(1, 300)},
    {"cache_size", &kind_number, "100000", VERDICTS, IN(cache_size), RANGE(1, 100000000)},
    {"cache_min_ttl", &kind_time, "30s", VERDICTS, IN(cache_min_ttl), RANGE(0, DAY)},
    {"cache_max_ttl", &kind_time, "1h", VERDICTS, IN(cache_max_ttl), RANGE(1, 7 * DAY)},
    {"cache_retry_ttl", &kind_time, "300s", VERDICTS, IN(cache_retry_ttl), RANGE(1, DAY)},
    {"cache_stale", &kind_time, "24h", VERDICTS, IN(cache_stale), RANGE(0, 30 * DAY)},
    {"dns_servers", &kind_dns_servers, "{}", LIST | VERDICTS, IN(dns_servers)},
    {"dns_timeout", &kind_time, "5s", 0, IN(dns_timeout), RANGE(1, 300)},
    {"dns_zone_file", &kind_path, NULL, VERDICTS | FILE_KEY, IN(dns_zone_file)},
    {"dns_trust_anchor", &kind_path, NULL, VERDICTS, IN(dns_trust_anchor)},
    {"advice_mechanisms", &kind_mechanisms, "{}", LIST, IN(advice_mechanisms)},
    {"advice_policy", &kind_word, "~all", 0, IN(advice_policy), WORDS("~all", "-all", "?all")},
    {"letters", &kind_choice, "yes", SECTION, IN_BOTH(letters), WORDS("no", "yes")},
    {"letter_from", &kind_plain_address, NULL, 0, IN(letter_from)},
    {"letter_reply_to", &kind_plain_address, NULL, 0, IN(letter_reply_to)},
    {"letter_signature", &kind_path, NULL, 0, IN(letter_signature)},
    {"letter_repeat", &kind_time, "30d", 0, IN(letter_repeat), RANGE(60, 3650u * DAY)},
    {"letter_max", &kind_number, "2", 0, IN(letter_max), RANGE(1, 100)},
    {"state_dir", &kind_path, "/var/lib/spfrom", RESTART, IN(state_dir)},
    {"ledger", &kind_ledger, NULL, 0, IN(ledger)},
    {"ledger_days", &kind_number, "400", 0, IN(ledger_days), RANGE(1, 36500)},
    {"control_socket", &kind_socket_path, "/run/spfrom/control.sock", RESTART, IN(control_socket)},
    {"user", &kind_text, "spfrom", RESTART, IN(user)},
    {"group", &kind_text, "spfrom", RESTART, IN(group)},
    {"log", &kind_choice, "auto", RESTART, IN(log), WORDS("auto", "stderr", "syslog")},
    {"log_addresses", &kind_flag, "full", 0, IN(log_local_parts), WORDS("domain", "full")},
    {"log_level", &kind_log_level, "info", 0, IN(log_level),
     WORDS("error", "warning", "notice", "info", "debug")},
    {"fleet", &kind_members, "{}", LIST, IN(fleet)},
    {"fleet_name", &kind_fleet_name, "spfrom", 0, IN(fleet_name)},
    {"fleet_timeout", &kind_milliseconds, "50ms", 0, IN(fleet_timeout), RANGE(1, 10000)},
    {"fleet_ca", &kind_path, NULL, 0, IN(fleet_ca)},
    {"fleet_password_file", &kind_path, NULL, 0, IN(fleet_password_file)},
    {"domain_map", &kind_path, NULL, 0, IN(domain_map)},
    {"authorised", &kind_choice, NULL, MAP, IN_SECTION(authorised), WORDS("no", "yes")},
};
/* clang-format on */
const size_t settings_keys_length = G_N_ELEMENTS(settings_keys);

const SettingsKey *settings_key_find(const char *name)
{
    for (size_t i = 0; i < settings_keys_length; i++)
        if (strcmp(settings_keys[i].name, name) == 0)
            return &settings_keys[i];
    return NULL;
}

void *settings_key_member(struct Settings *settings, const SettingsKey *key)
{
    return (char *)settings + key->offset;
}

void *settings_key_section_member(DomainSection *section, const SettingsKey *key)
{
    return (char *)section + key->section_offset;
}

/* True for UTF-8 without a control character. No key needs one, and what reads a value later (a
 * header, the log, JSON) is spared the question. */
static bool is_text(const char *value)
{
    if (!g_utf8_validate(value, -1, NULL))
        return false;
    for (; *value != '\0'; value = g_utf8_next_char(value))
        if (g_unichar_iscntrl(g_utf8_get_char(value)))
            return false;
    return true;
}

bool settings_key_read(const SettingsKey *key, void *place, const char *const *values,
                       const char *file, GError **error)
{
    const SettingsGiven given = {key, values, file};

    if ((key->flags & SETTINGS_KEY_LIST) == 0 && values[0] == NULL) {
        g_set_error(error, SETTINGS_ERROR, SETTINGS_ERROR_VALUE, "%s: has no value", key->name);
        return false;
    }
    for (size_t i = 0; values[i] != NULL; i++)
        if (!is_text(values[i])) {
            g_set_error(error, SETTINGS_ERROR, SETTINGS_ERROR_VALUE,
                        "%s: the value has a control character or is not UTF-8; write plain text",
                        key->name);
            return false;
        }
    return key->kind->read(place, &given, error);
}

bool settings_key_is_valid(const SettingsKey *key, const char *const *values, GError **error)
{
    gpointer scratch = NULL; /* room for any member */
    bool is_valid = settings_key_read(key, &scratch, values, NULL, error);

    settings_key_clear(key, &scratch);
    return is_valid;
}
G_STATIC_ASSERT(sizeof(gpointer) >= sizeof(guint) && sizeof(Mode) == sizeof(guint) &&
                sizeof(SenderHeader) == sizeof(guint) && sizeof(LogChoice) == sizeof(guint));

void settings_key_clear(const SettingsKey *key, void *place)
{
    switch (key->kind->member) {
    case SETTINGS_NUMBER:
    case SETTINGS_FLAG:
        return;
    case SETTINGS_TEXT:
        g_clear_pointer((char **)place, g_free);
        return;
    case SETTINGS_TEXTS:
        g_clear_pointer((char ***)place, g_strfreev);
        return;
    case SETTINGS_ADDRESS:
        g_clear_pointer((ReturnForm **)place, return_form_free);
        return;
    case SETTINGS_ARRAY:
        g_clear_pointer((GPtrArray **)place, g_ptr_array_unref);
        return;
    }
}

static bool is_same_form(const ReturnForm *a, const ReturnForm *b)
{
    if (a == NULL || b == NULL || a->plain == NULL || b->plain == NULL)
        return a == b;
    return strcmp(a->text, b->text) == 0 &&
           g_strcmp0(a->plain->display_name, b->plain->display_name) == 0;
}

bool settings_key_is_same(const SettingsKey *key, const void *a, const void *b)
{
    switch (key->kind->member) {
    case SETTINGS_NUMBER:
        return *(const guint *)a == *(const guint *)b;
    case SETTINGS_FLAG:
        return *(const bool *)a == *(const bool *)b;
    case SETTINGS_TEXT:
        return g_strcmp0(*(char *const *)a, *(char *const *)b) == 0;
    case SETTINGS_TEXTS:
        return g_strv_equal(*(const char *const *const *)a, *(const char *const *const *)b);
    case SETTINGS_ADDRESS:
        return is_same_form(*(ReturnForm *const *)a, *(ReturnForm *const *)b);
    case SETTINGS_ARRAY:
        return false;
    }
    return false;
}

static void append_rule(GString *text, const OutboundRule *rule)
{
    char network[NETWORK_TEXT_MAX] = "";

    if (rule->kind == OUTBOUND_NETWORK)
        network_text(&rule->network, network);
    g_string_append_printf(text, "%u %s %s\n", rule->kind, network,
                           rule->daemon != NULL ? rule->daemon : "");
}

static void append_relay(GString *text, const RelayEntry *entry)
{
    char network[NETWORK_TEXT_MAX] = "";

    if (entry->kind == RELAY_ENTRY_NETWORK)
        network_text(&entry->network, network);
    g_string_append_printf(text, "%u %s %s\n", entry->kind, network,
                           entry->domain != NULL ? entry->domain : "");
}

static void append_elements(GString *text, const SettingsKind *kind, const GPtrArray *array)
{
    for (guint i = 0; array != NULL && i < array->len; i++) {
        const void *element = g_ptr_array_index(array, i);

        if (kind == &kind_rules)
            append_rule(text, element);
        else if (kind == &kind_relays)
            append_relay(text, element);
        else if (kind == &kind_members)
            g_string_append_printf(text, "%s\n", ((const FleetMember *)element)->text);
    }
}

static void append_form(GString *text, const ReturnForm *form)
{
    if (form == NULL)
        return;
    g_string_append_printf(text, "=%s", form->text != NULL ? form->text : "");
    if (form->plain != NULL && form->plain->display_name != NULL)
        g_string_append_printf(text, "\n%s", form->plain->display_name);
}

char *settings_key_text(const SettingsKey *key, const void *place)
{
    GString *text = g_string_new(NULL);
    const char *value;

    switch (key->kind->member) {
    case SETTINGS_NUMBER:
        g_string_printf(text, "%u", *(const guint *)place);
        break;
    case SETTINGS_FLAG:
        g_string_printf(text, "%d", *(const bool *)place);
        break;
    case SETTINGS_TEXT:
        value = *(char *const *)place;
        if (value != NULL)
            g_string_printf(text, "=%s", value);
        break;
    case SETTINGS_TEXTS:
        for (char *const *at = *(char **const *)place; at != NULL && *at != NULL; at++)
            g_string_append_printf(text, "%s\n", *at);
        break;
    case SETTINGS_ADDRESS:
        append_form(text, *(ReturnForm *const *)place);
        break;
    case SETTINGS_ARRAY:
        append_elements(text, key->kind, *(GPtrArray *const *)place);
        break;
    }
    return g_string_free(text, FALSE);
}

void settings_key_copy(const SettingsKey *key, void *to, const void *from)
{
    switch (key->kind->member) {
    case SETTINGS_NUMBER:
        *(guint *)to = *(const guint *)from;
        return;
    case SETTINGS_FLAG:
        *(bool *)to = *(const bool *)from;
        return;
    case SETTINGS_TEXT:
        put_text(to, *(char *const *)from);
        return;
    case SETTINGS_TEXTS:
        put_list(to, *(const char *const *const *)from);
        return;
    case SETTINGS_ADDRESS:
    case SETTINGS_ARRAY:
        return;
    }
}
