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
#include "policy/mechanism.h"
#include "policy/settings_parse.h"
#include "policy/settings_text.h"

#define PORT_MAX 65535
#define DAY 86400

static bool refuse(GError **error, const char *value, const char *instead)
{
    g_set_error(error, SETTINGS_ERROR, SETTINGS_ERROR_VALUE, "\"%s\" is not possible; write %s",
                value, instead);
    return false;
}

static void *field(struct Settings *settings, const SettingsKey *key)
{
    return (char *)settings + key->offset;
}

static void put_text(struct Settings *settings, const SettingsKey *key, const char *text)
{
    char **place = field(settings, key);

    g_free(*place);
    *place = g_strdup(text);
}

static void put_list(struct Settings *settings, const SettingsKey *key, const char *const *values)
{
    char ***place = field(settings, key);

    g_strfreev(*place);
    *place = g_strdupv((char **)values);
}

static bool set_text(struct Settings *settings, const SettingsKey *key, const char *const *values,
                     GError **error G_GNUC_UNUSED)
{
    put_text(settings, key, values[0][0] != '\0' ? values[0] : NULL);
    return true;
}

/* A path that does not begin with "/" is meant from the folder of the configuration. */
static bool set_path(struct Settings *settings, const SettingsKey *key, const char *const *values,
                     GError **error G_GNUC_UNUSED)
{
    g_autofree char *folder = g_path_get_dirname(settings->file != NULL ? settings->file : "/");
    g_autofree char *path = g_path_is_absolute(values[0])
                                ? g_strdup(values[0])
                                : g_build_filename(folder, values[0], NULL);

    put_text(settings, key, values[0][0] != '\0' ? path : NULL);
    return true;
}

/* Not given is NULL, none "": settings_parse() makes something of both. */
static bool set_ledger(struct Settings *settings, const SettingsKey *key, const char *const *values,
                       GError **error)
{
    if (values[0][0] != '\0')
        return set_path(settings, key, values, error);
    put_text(settings, key, "");
    return true;
}

static bool set_socket_path(struct Settings *settings, const SettingsKey *key,
                            const char *const *values, GError **error)
{
    if (!g_path_is_absolute(values[0]) ||
        strlen(values[0]) >= sizeof((struct sockaddr_un *)NULL)->sun_path)
        return refuse(error, values[0], "an absolute path of at most 107 octets");
    put_text(settings, key, values[0]);
    return true;
}

static bool set_span(struct Settings *settings, const SettingsKey *key, const char *const *values,
                     GError **error)
{
    gint64 seconds = clock_span_parse(values[0], error);

    if (seconds < 0)
        return false;
    if (seconds < key->min || seconds > key->max) {
        g_set_error(error, SETTINGS_ERROR, SETTINGS_ERROR_VALUE,
                    "\"%s\" is not possible; write a time from %us to %us", values[0], key->min,
                    key->max);
        return false;
    }
    *(guint *)field(settings, key) = (guint)seconds;
    return true;
}

static bool set_number(struct Settings *settings, const SettingsKey *key, const char *const *values,
                       GError **error)
{
    guint64 number = 0;

    if (!g_ascii_string_to_unsigned(values[0], 10, key->min, key->max, &number, NULL)) {
        g_set_error(error, SETTINGS_ERROR, SETTINGS_ERROR_VALUE,
                    "\"%s\" is not possible; write a number from %u to %u", values[0], key->min,
                    key->max);
        return false;
    }
    *(guint *)field(settings, key) = (guint)number;
    return true;
}

/* Looks text up in words; -1 with an error that lists them where it is none. */
static int word_index(const char *const *words, const char *text, GError **error)
{
    g_autofree char *all = NULL;

    for (int i = 0; words[i] != NULL; i++)
        if (strcmp(words[i], text) == 0)
            return i;
    all = g_strjoinv(", ", (char **)words);
    g_set_error(error, SETTINGS_ERROR, SETTINGS_ERROR_VALUE,
                "\"%s\" is not possible; write one of %s", text, all);
    return -1;
}

static bool set_choice(struct Settings *settings, const SettingsKey *key, const char *const *values,
                       GError **error)
{
    int index = word_index(key->words, values[0], error);

    if (index < 0)
        return false;
    *(guint *)field(settings, key) = (guint)index; /* all our enums have the size of guint */
    return true;
}
G_STATIC_ASSERT(sizeof(Mode) == sizeof(guint) && sizeof(SenderHeader) == sizeof(guint) &&
                sizeof(LogChoice) == sizeof(guint));

/* A choice of two words, false and true. */
static bool set_flag(struct Settings *settings, const SettingsKey *key, const char *const *values,
                     GError **error)
{
    int index = word_index(key->words, values[0], error);

    if (index < 0)
        return false;
    *(bool *)field(settings, key) = index == 1;
    return true;
}

static bool set_results(struct Settings *settings, const SettingsKey *key,
                        const char *const *values, GError **error)
{
    SpfResultSet set = 0;

    for (; *values != NULL; values++) {
        SpfResult result;

        if (!spf_result_parse(*values, &result))
            return refuse(error, *values,
                          "fail, softfail, neutral, none, permerror, temperror or pass");
        set |= SPF_RESULT_SET(result);
    }
    *(SpfResultSet *)field(settings, key) = set;
    return true;
}

static bool set_template(struct Settings *settings, const SettingsKey *key,
                         const char *const *values, GError **error)
{
    if (!display_name_is_template(values[0]))
        return refuse(error, values[0], "text with %n, %l, %d or %%");
    put_text(settings, key, values[0]);
    return true;
}

static bool set_fallback(struct Settings *settings, const SettingsKey *key,
                         const char *const *values, GError **error)
{
    Mailbox *fallback = settings_fallback_parse(values[0]);
    Mailbox **place = field(settings, key);

    if (fallback == NULL)
        return refuse(error, values[0], "an address such as noreply@example.org");
    g_clear_pointer(place, mailbox_free);
    *place = fallback;
    return true;
}

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

static bool set_socket(struct Settings *settings, const SettingsKey *key, const char *const *values,
                       GError **error)
{
    if (!is_socket(values[0]))
        return refuse(error, values[0], "inet:PORT@HOST, inet6:PORT@HOST or unix:/PATH");
    put_text(settings, key, values[0]);
    return true;
}

static bool set_socket_mode(struct Settings *settings, const SettingsKey *key,
                            const char *const *values, GError **error)
{
    guint64 mode = 0;

    if (!g_ascii_string_to_unsigned(values[0], 8, 0, 0777, &mode, NULL))
        return refuse(error, values[0], "permissions such as 0660");
    *(guint *)field(settings, key) = (guint)mode;
    return true;
}

static bool set_hostname(struct Settings *settings, const SettingsKey *key,
                         const char *const *values, GError **error)
{
    g_autofree char *name = NULL;

    if (values[0][0] == '\0') {
        put_text(settings, key, NULL); /* the system's */
        return true;
    }
    name = domain_name_parse(values[0], error);
    if (name == NULL)
        return false;
    put_text(settings, key, name);
    return true;
}

static bool is_dns_server(const char *text)
{
    const char *at = strchr(text, '@');
    g_autofree char *address = at != NULL ? g_strndup(text, (gsize)(at - text)) : g_strdup(text);
    guint8 octets[16];

    if (inet_pton(AF_INET, address, octets) != 1 && inet_pton(AF_INET6, address, octets) != 1)
        return false;
    return at == NULL || is_port(at + 1, strlen(at + 1));
}

static bool set_dns_servers(struct Settings *settings, const SettingsKey *key,
                            const char *const *values, GError **error)
{
    for (size_t i = 0; values[i] != NULL; i++)
        if (!is_dns_server(values[i]))
            return refuse(error, values[i],
                          "an address such as 192.0.2.53, or 127.0.0.1@5353 with a port");
    put_list(settings, key, values);
    return true;
}

static bool set_list(struct Settings *settings, const SettingsKey *key, const char *const *values,
                     GError **error G_GNUC_UNUSED)
{
    put_list(settings, key, values);
    return true;
}

/* Fields that a rewrite or a reader gives another meaning can't keep the original author. */
static bool is_keeping_header(const char *name)
{
    static const char *const taken[] = {"From",
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
                                        "Content-Transfer-Encoding"};

    for (size_t i = 0; i < G_N_ELEMENTS(taken); i++)
        if (g_ascii_strcasecmp(name, taken[i]) == 0)
            return false;
    for (const char *at = name; *at != '\0'; at++)
        if (!g_ascii_isgraph(*at) || *at == ':')
            return false;
    return name[0] != '\0' && strlen(name) <= 64;
}

/* Is the i-th of values, but for case, one of those before it? */
static bool is_before(const char *const *values, size_t i)
{
    for (size_t before = 0; before < i; before++)
        if (g_ascii_strcasecmp(values[before], values[i]) == 0)
            return true;
    return false;
}

static bool set_author_header(struct Settings *settings, const SettingsKey *key,
                              const char *const *values, GError **error)
{
    for (size_t i = 0; values[i] != NULL; i++) {
        if (!is_keeping_header(values[i]))
            return refuse(error, values[i],
                          "names of header fields such as Author or X-Original-From");
        if (is_before(values, i))
            return refuse(error, values[i], "each name once");
    }
    put_list(settings, key, values);
    return true;
}

static void put_array(struct Settings *settings, const SettingsKey *key, GPtrArray *array)
{
    GPtrArray **place = field(settings, key);

    g_clear_pointer(place, g_ptr_array_unref);
    *place = array;
}

static bool set_relay_hosts(struct Settings *settings, const SettingsKey *key,
                            const char *const *values, GError **error)
{
    g_autoptr(GPtrArray) entries = g_ptr_array_new_with_free_func((GDestroyNotify)relay_entry_free);

    if (values[0] == NULL)
        return refuse(
            error, "{}",
            "the addresses that your mail leaves from, such as { \"192.0.2.25\" }, or { auto }");
    for (size_t i = 0; values[i] != NULL; i++) {
        RelayEntry *entry = relay_entry_parse(values[i], error);

        if (entry == NULL)
            return false;
        g_ptr_array_add(entries, entry);
    }
    put_array(settings, key, g_steal_pointer(&entries));
    return true;
}

static bool set_outbound(struct Settings *settings, const SettingsKey *key,
                         const char *const *values, GError **error)
{
    g_autoptr(GPtrArray) rules = g_ptr_array_new_with_free_func((GDestroyNotify)outbound_rule_free);

    if (values[0] == NULL)
        return refuse(error, "{}",
                      "which messages are outgoing, such as { authenticated, private }");
    for (size_t i = 0; values[i] != NULL; i++) {
        OutboundRule *rule = outbound_rule_parse(values[i], error);

        if (rule == NULL)
            return false;
        g_ptr_array_add(rules, rule);
    }
    put_array(settings, key, g_steal_pointer(&rules));
    return true;
}

static bool set_mechanisms(struct Settings *settings, const SettingsKey *key,
                           const char *const *values, GError **error)
{
    for (size_t i = 0; values[i] != NULL; i++) {
        if (!mechanism_is_authorising(values[i]))
            return refuse(error, values[i],
                          "mechanisms of SPF such as include:spf.example.org or ip4:192.0.2.25");
        if (is_before(values, i))
            return refuse(error, values[i], "each mechanism once");
    }
    put_list(settings, key, values);
    return true;
}

static bool set_word(struct Settings *settings, const SettingsKey *key, const char *const *values,
                     GError **error)
{
    if (word_index(key->words, values[0], error) < 0)
        return false;
    put_text(settings, key, values[0]);
    return true;
}

static bool set_log_level(struct Settings *settings, const SettingsKey *key,
                          const char *const *values, GError **error)
{
    static const int levels[] = {LOG_ERR, LOG_WARNING, LOG_NOTICE, LOG_INFO, LOG_DEBUG};
    int index = word_index(key->words, values[0], error);

    if (index < 0)
        return false;
    *(int *)field(settings, key) = levels[index];
    return true;
}

#define WORDS(...) ((const char *const[]){__VA_ARGS__, NULL})
#define FIELD(name) offsetof(struct Settings, name)

const SettingsKey settings_keys[] = {
    {"socket", KEY_RESTART, "inet:8894@127.0.0.1", set_socket, FIELD(socket), 0, 0, NULL},
    {"socket_mode", KEY_RESTART, "0660", set_socket_mode, FIELD(socket_mode), 0, 0, NULL},
    {"socket_group", KEY_RESTART, NULL, set_text, FIELD(socket_group), 0, 0, NULL},
    {"fallback_address", KEY_ONE, NULL, set_fallback, FIELD(fallback), 0, 0, NULL},
    {"mode", KEY_ONE, "rewrite", set_choice, FIELD(mode), 0, 0,
     WORDS("off", "log-only", "rewrite")},
    {"rewrite_on", KEY_LIST, "{fail, softfail, neutral, none, permerror, temperror}", set_results,
     FIELD(rewrite_on), 0, 0, NULL},
    {"tempfail_on", KEY_LIST, "{}", set_results, FIELD(tempfail_on), 0, 0, NULL},
    {"envelope_sender", KEY_ONE, "author", set_choice, FIELD(envelope_sender), 0, 0,
     WORDS("author", "fallback")},
    {"align_envelope", KEY_ONE, "no", set_choice, FIELD(align_envelope), 0, 0,
     WORDS("no", "dmarc", "yes")},
    {"null_sender", KEY_ONE, "keep", set_flag, FIELD(null_sender_fallback), 0, 0,
     WORDS("keep", "fallback")},
    {"exempt_dkim", KEY_ONE, NULL, set_text, FIELD(exempt_dkim), 0, 0, NULL},
    {"display_name", KEY_ONE, "%n", set_template, FIELD(display_name), 0, 0, NULL},
    {"display_name_missing", KEY_ONE, "%l", set_template, FIELD(display_name_missing), 0, 0, NULL},
    {"reply_to", KEY_ONE, "add", set_flag, FIELD(reply_to), 0, 0, WORDS("never", "add")},
    {"author_header", KEY_LIST, "{Author, X-Original-From}", set_author_header,
     FIELD(author_header), 0, 0, NULL},
    {"sender_header", KEY_ONE, "remove", set_choice, FIELD(sender_header), 0, 0,
     WORDS("remove", "keep", "fallback")},
    {"dkim_signatures", KEY_ONE, "remove", set_flag, FIELD(remove_dkim_signatures), 0, 0,
     WORDS("keep", "remove")},
    {"trace_header", KEY_ONE, "yes", set_flag, FIELD(trace_header), 0, 0, WORDS("no", "yes")},
    {"outbound", KEY_LIST, "{authenticated, private}", set_outbound, FIELD(outbound), 0, 0, NULL},
    {"local_mailers", KEY_LIST, "{}", set_list, FIELD(local_mailers), 0, 0, NULL},
    {"relay_hosts", KEY_LIST, "{auto}", set_relay_hosts, FIELD(relay_hosts), 0, 0, NULL},
    {"relay_policy", KEY_ONE, "all", set_choice, FIELD(relay_policy), 0, 0, WORDS("all", "any")},
    {"hostname", KEY_ONE, NULL, set_hostname, FIELD(hostname), 0, 0, NULL},
    {"check_timeout", KEY_ONE, "10s", set_span, FIELD(check_timeout), 1, 300, NULL},
    {"cache_size", KEY_ONE, "100000", set_number, FIELD(cache_size), 1, 100000000, NULL},
    {"cache_min_ttl", KEY_ONE, "30s", set_span, FIELD(cache_min_ttl), 0, DAY, NULL},
    {"cache_max_ttl", KEY_ONE, "1h", set_span, FIELD(cache_max_ttl), 1, 7 * DAY, NULL},
    {"cache_retry_ttl", KEY_ONE, "300s", set_span, FIELD(cache_retry_ttl), 1, DAY, NULL},
    {"cache_stale", KEY_ONE, "24h", set_span, FIELD(cache_stale), 0, 30 * DAY, NULL},
    {"dns_servers", KEY_LIST, "{}", set_dns_servers, FIELD(dns_servers), 0, 0, NULL},
    {"dns_timeout", KEY_ONE, "5s", set_span, FIELD(dns_timeout), 1, 300, NULL},
    {"dns_zone_file", KEY_ONE, NULL, set_path, FIELD(dns_zone_file), 0, 0, NULL},
    {"dns_trust_anchor", KEY_ONE, NULL, set_path, FIELD(dns_trust_anchor), 0, 0, NULL},
    {"advice_mechanisms", KEY_LIST, "{}", set_mechanisms, FIELD(advice_mechanisms), 0, 0, NULL},
    {"advice_policy", KEY_ONE, "~all", set_word, FIELD(advice_policy), 0, 0,
     WORDS("~all", "-all", "?all")},
    {"state_dir", KEY_RESTART, "/var/lib/spfrom", set_path, FIELD(state_dir), 0, 0, NULL},
    {"ledger", KEY_ONE, NULL, set_ledger, FIELD(ledger), 0, 0, NULL},
    {"ledger_days", KEY_ONE, "400", set_number, FIELD(ledger_days), 1, 36500, NULL},
    {"control_socket", KEY_RESTART, "/run/spfrom/control.sock", set_socket_path,
     FIELD(control_socket), 0, 0, NULL},
    {"user", KEY_RESTART, "spfrom", set_text, FIELD(user), 0, 0, NULL},
    {"group", KEY_RESTART, "spfrom", set_text, FIELD(group), 0, 0, NULL},
    {"log", KEY_RESTART, "auto", set_choice, FIELD(log), 0, 0, WORDS("auto", "stderr", "syslog")},
    {"log_addresses", KEY_ONE, "full", set_flag, FIELD(log_local_parts), 0, 0,
     WORDS("domain", "full")},
    {"log_level", KEY_ONE, "info", set_log_level, FIELD(log_level), 0, 0,
     WORDS("error", "warning", "notice", "info", "debug")},
    {"domain_map", KEY_ONE, NULL, set_path, FIELD(domain_map), 0, 0, NULL},
};
const size_t settings_keys_length = G_N_ELEMENTS(settings_keys);

static bool are_texts(const char *const *values)
{
    for (; *values != NULL; values++)
        if (!settings_text_is_value(*values))
            return false;
    return true;
}

bool settings_key_set(struct Settings *settings, const SettingsKey *key, const char *const *values,
                      GError **error)
{
    if (key->kind != KEY_LIST && values[0] == NULL) {
        g_set_error(error, SETTINGS_ERROR, SETTINGS_ERROR_VALUE, "%s: has no value", key->name);
        return false;
    }
    if (!are_texts(values)) {
        g_set_error(error, SETTINGS_ERROR, SETTINGS_ERROR_VALUE,
                    "%s: a control character or what is no UTF-8 is not possible; leave it out",
                    key->name);
        return false;
    }
    if (key->set(settings, key, values, error))
        return true;
    g_prefix_error(error, "%s: ", key->name);
    return false;
}

bool settings_key_is_valid(const char *name, const char *const *values, GError **error)
{
    const SettingsKey *key = settings_keys;
    struct Settings *scratch = settings_new(NULL);
    bool is_valid;

    while (strcmp(key->name, name) != 0)
        key++;
    is_valid = settings_key_set(scratch, key, values, error);
    settings_unref(scratch);
    return is_valid;
}

/* Of the keys that need a restart: a text, else a number. */
static bool holds_text(const SettingsKey *key)
{
    return key->set != set_choice && key->set != set_socket_mode;
}

static bool is_same(const SettingsKey *key, struct Settings *a, struct Settings *b)
{
    if (holds_text(key))
        return g_strcmp0(*(char **)field(a, key), *(char **)field(b, key)) == 0;
    return *(guint *)field(a, key) == *(guint *)field(b, key);
}

static void copy(const SettingsKey *key, struct Settings *to, struct Settings *from)
{
    if (holds_text(key))
        put_text(to, key, *(char **)field(from, key));
    else
        *(guint *)field(to, key) = *(guint *)field(from, key);
}

void settings_keys_keep(struct Settings *next, Settings *running, GPtrArray *changed)
{
    struct Settings *from = (struct Settings *)running;

    for (size_t i = 0; i < settings_keys_length; i++) {
        const SettingsKey *key = &settings_keys[i];

        if (key->kind != KEY_RESTART || is_same(key, next, from))
            continue;
        if (changed != NULL)
            g_ptr_array_add(changed, (char *)key->name);
        copy(key, next, from);
    }
}
