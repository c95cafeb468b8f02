#include "config.h"

#include "policy/settings_parse.h"

#include <pthread.h>
#include <string.h>
#include <syslog.h>

#include "unit/table.h"
#include "policy/domain_map.h"
#include "policy/settings_keys.h"

#define FILE_NAME "/etc/spfrom/spfrom.conf"
#define FALLBACK "fallback_address = \"noreply@example.org\"\n"

/* The files that there are: one test at a time. */
static const char *conf_text;
static gsize conf_length;
static const char *map_text; /* of /etc/spfrom/map; NULL: it is missing */

static gboolean read_file(const char *file, char **text, gsize *length, GError **error)
{
    if (strcmp(file, FILE_NAME) == 0) {
        *text = g_memdup2(conf_text, conf_length + 1);
        *length = conf_length;
        return TRUE;
    }
    if (strcmp(file, "/etc/spfrom/map") == 0 && map_text != NULL) {
        *text = g_strdup(map_text);
        *length = strlen(map_text);
        return TRUE;
    }
    g_set_error(error, G_FILE_ERROR, G_FILE_ERROR_NOENT, "No such file or directory");
    return FALSE;
}

static const SettingsSource source = {read_file, "Mail.Example.NET"};

static Settings *parse(const char *text, GError **error)
{
    conf_text = text;
    conf_length = strlen(text);
    return settings_parse(FILE_NAME, &source, error);
}

/* What most rows are about is another key. */
static Settings *parse_with_fallback(const char *text, GError **error)
{
    g_autofree char *whole = strstr(text, "fallback_address") == NULL
                                 ? g_strconcat(text, "\n" FALLBACK, NULL)
                                 : g_strdup(text);

    return parse(whole, error);
}

static void show(GString *shown, const char *key, const char *value)
{
    g_string_append_printf(shown, "%s = %s\n", key, value != NULL ? value : "(none)");
}

static void show_number(GString *shown, const char *key, guint value)
{
    g_string_append_printf(shown, "%s = %u\n", key, value);
}

static void show_list(GString *shown, const char *key, char **values)
{
    g_autofree char *joined = g_strjoinv(" ", values);

    show(shown, key, joined);
}

static void show_results(GString *shown, const char *key, SpfResultSet set)
{
    g_string_append_printf(shown, "%s =", key);
    for (int result = 0; result < SPF_RESULTS; result++)
        if (spf_result_set_has(set, (SpfResult)result))
            g_string_append_printf(shown, " %s", spf_result_text((SpfResult)result));
    g_string_append_c(shown, '\n');
}

static void show_outbound(GString *shown, const GPtrArray *rules)
{
    static const char *const kinds[] = {"authenticated", "private", "network", "daemon", "all"};
    char text[NETWORK_TEXT_MAX];

    g_string_append(shown, "outbound =");
    for (guint i = 0; i < rules->len; i++) {
        const OutboundRule *rule = g_ptr_array_index(rules, i);

        g_string_append_printf(shown, " %s", kinds[rule->kind]);
        if (rule->kind == OUTBOUND_NETWORK)
            g_string_append_printf(shown, ":%s", network_text(&rule->network, text));
        if (rule->kind == OUTBOUND_DAEMON)
            g_string_append_printf(shown, ":%s", rule->daemon);
    }
    g_string_append_c(shown, '\n');
}

static void show_members(GString *shown, const GPtrArray *members)
{
    g_string_append(shown, "fleet =");
    for (guint i = 0; i < members->len; i++)
        g_string_append_printf(shown, " %s",
                               ((const FleetMember *)g_ptr_array_index(members, i))->text);
    g_string_append_c(shown, '\n');
}

static void show_relays(GString *shown, const GPtrArray *entries)
{
    g_string_append(shown, "relay_hosts =");
    for (guint i = 0; i < entries->len; i++) {
        g_autofree char *text = relay_entry_text(g_ptr_array_index(entries, i));

        g_string_append_printf(shown, " %s", text);
    }
    g_string_append_c(shown, '\n');
}

static void show_message_keys(GString *shown, Settings *settings)
{
    static const char *const sender_headers[] = {"remove", "keep", "fallback"};
    static const char *const alignments[] = {"no", "dmarc", "yes"};

    show(shown, "fallback_address", settings->fallback->addr_spec);
    show(shown, "fallback_address name", settings->fallback->display_name);
    show(shown, "mode", mode_text(settings->mode));
    show_results(shown, "rewrite_on", settings->rewrite_on);
    show_results(shown, "tempfail_on", settings->tempfail_on);
    show(shown, "envelope_sender",
         settings->envelope_sender == ENVELOPE_SENDER_AUTHOR ? "author" : "fallback");
    show(shown, "align_envelope", alignments[settings->align_envelope]);
    show(shown, "null_sender", settings->null_sender_fallback ? "fallback" : "keep");
    show(shown, "exempt_dkim", settings->exempt_dkim);
    show(shown, "return_address", settings->return_form->text);
    show(shown, "return_key", settings->return_key_file);
    show(shown, "return_socket", settings->return_socket);
    show_number(shown, "return_days", settings->return_days);
    show_number(shown, "return_mail", settings->return_mail);
    show(shown, "display_name", settings->display_name);
    show(shown, "display_name_missing", settings->display_name_missing);
    show(shown, "reply_to", settings->reply_to ? "add" : "never");
    show_list(shown, "author_header", settings->author_header);
    show(shown, "sender_header", sender_headers[settings->sender_header]);
    show(shown, "dkim_signatures", settings->remove_dkim_signatures ? "remove" : "keep");
    show(shown, "trace_header", settings->trace_header ? "yes" : "no");
    show_outbound(shown, settings->outbound);
    show_list(shown, "local_mailers", settings->local_mailers);
}

static void show_daemon_keys(GString *shown, Settings *settings)
{
    static const char *const logs[] = {"auto", "stderr", "syslog"};

    show(shown, "socket", settings->socket);
    g_string_append_printf(shown, "socket_mode = %04o\n", settings->socket_mode);
    show(shown, "socket_group", settings->socket_group);
    show_relays(shown, settings->relay_hosts);
    show(shown, "relay_policy", settings->relay_policy == RELAY_POLICY_ALL ? "all" : "any");
    show(shown, "hostname", settings->hostname);
    show_number(shown, "check_timeout", settings->check_timeout);
    show_number(shown, "cache_size", settings->cache_size);
    show_number(shown, "cache_min_ttl", settings->cache_min_ttl);
    show_number(shown, "cache_max_ttl", settings->cache_max_ttl);
    show_number(shown, "cache_retry_ttl", settings->cache_retry_ttl);
    show_number(shown, "cache_stale", settings->cache_stale);
    show_list(shown, "dns_servers", settings->dns_servers);
    show_number(shown, "dns_timeout", settings->dns_timeout);
    show(shown, "dns_zone_file", settings->dns_zone_file);
    show(shown, "dns_trust_anchor", settings->dns_trust_anchor);
    show_list(shown, "advice_mechanisms", settings->advice_mechanisms);
    show(shown, "advice_policy", settings->advice_policy);
    show(shown, "letters", settings->letters ? "yes" : "no");
    show(shown, "letter_from", settings->letter_from != NULL ? settings->letter_from->text : NULL);
    show(shown, "letter_reply_to",
         settings->letter_reply_to != NULL ? settings->letter_reply_to->text : NULL);
    show(shown, "letter_signature", settings->letter_signature);
    show_number(shown, "letter_repeat", settings->letter_repeat);
    show_number(shown, "letter_max", settings->letter_max);
    show(shown, "state_dir", settings->state_dir);
    show(shown, "ledger", settings->ledger);
    show_number(shown, "ledger_days", settings->ledger_days);
    show(shown, "control_socket", settings->control_socket);
    show(shown, "user", settings->user);
    show(shown, "group", settings->group);
    show(shown, "log", logs[settings->log]);
    show(shown, "log_addresses", settings->log_local_parts ? "full" : "domain");
    show_number(shown, "log_level", (guint)settings->log_level);
    show_members(shown, settings->fleet);
    show(shown, "fleet_name", settings->fleet_name);
    show_number(shown, "fleet_timeout", settings->fleet_timeout);
    show(shown, "fleet_ca", settings->fleet_ca);
    show(shown, "fleet_password_file", settings->fleet_password_file);
    show(shown, "domain_map", settings->domain_map);
}

/* Every setting as a line, so that a row can say what it wants. */
static char *shown_settings(Settings *settings)
{
    g_autoptr(GString) shown = g_string_new("\n");

    show_message_keys(shown, settings);
    show_daemon_keys(shown, settings);
    return g_string_free(g_steal_pointer(&shown), FALSE);
}

static const char defaults[] = "\nfallback_address = noreply@example.org\n"
                               "fallback_address name = (none)\n"
                               "mode = rewrite\n"
                               "rewrite_on = none neutral fail softfail temperror permerror\n"
                               "tempfail_on =\n"
                               "envelope_sender = author\n"
                               "align_envelope = no\n"
                               "null_sender = keep\n"
                               "exempt_dkim = (none)\n"
                               "return_address = \n"
                               "return_key = /var/lib/spfrom/return.key\n"
                               "return_socket = inet:8896@127.0.0.1\n"
                               "return_days = 400\n"
                               "return_mail = 7\n"
                               "display_name = %n\n"
                               "display_name_missing = %l\n"
                               "reply_to = add\n"
                               "author_header = Author X-Original-From\n"
                               "sender_header = remove\n"
                               "dkim_signatures = remove\n"
                               "trace_header = yes\n"
                               "outbound = authenticated private\n"
                               "local_mailers = \n"
                               "socket = inet:8894@127.0.0.1\n"
                               "socket_mode = 0660\n"
                               "socket_group = (none)\n"
                               "relay_hosts = auto\n"
                               "relay_policy = all\n"
                               "hostname = mail.example.net\n"
                               "check_timeout = 10\n"
                               "cache_size = 100000\n"
                               "cache_min_ttl = 30\n"
                               "cache_max_ttl = 3600\n"
                               "cache_retry_ttl = 300\n"
                               "cache_stale = 86400\n"
                               "dns_servers = \n"
                               "dns_timeout = 5\n"
                               "dns_zone_file = (none)\n"
                               "dns_trust_anchor = (none)\n"
                               "advice_mechanisms = \n"
                               "advice_policy = ~all\n"
                               "letters = yes\n"
                               "letter_from = (none)\n"
                               "letter_reply_to = (none)\n"
                               "letter_signature = (none)\n"
                               "letter_repeat = 2592000\n"
                               "letter_max = 2\n"
                               "state_dir = /var/lib/spfrom\n"
                               "ledger = /var/lib/spfrom/ledger.db\n"
                               "ledger_days = 400\n"
                               "control_socket = /run/spfrom/control.sock\n"
                               "user = spfrom\n"
                               "group = spfrom\n"
                               "log = auto\n"
                               "log_addresses = full\n"
                               "log_level = 6\n"
                               "fleet =\n"
                               "fleet_name = spfrom\n"
                               "fleet_timeout = 50\n"
                               "fleet_ca = (none)\n"
                               "fleet_password_file = (none)\n"
                               "domain_map = (none)\n";

static void test_defaults(void **state G_GNUC_UNUSED)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(Settings) settings = parse(FALLBACK, &error);
    g_autofree char *shown = NULL;

    assert_null(error);
    shown = shown_settings(settings);
    assert_string_equal(shown, defaults);
    assert_null(settings->map);
    assert_string_equal(settings->file, FILE_NAME);
}

/* A list for a key that takes one value. */
static void test_scalars(void **state G_GNUC_UNUSED)
{
    for (size_t i = 0; i < settings_keys_length; i++) {
        const char *key = settings_keys[i].name;

        if ((settings_keys[i].flags & SETTINGS_KEY_MAP) != 0)
            continue;
        g_autofree char *text = g_strdup_printf("\n%s = { x }", key);
        g_autoptr(GError) error = NULL;
        g_autoptr(Settings) settings = parse(text, &error);

        assert_null(settings);
        if ((settings_keys[i].flags & SETTINGS_KEY_LIST) == 0)
            assert_string_equal(error->message, FILE_NAME ":2: unexpected token '{'");
        else
            assert_false(g_str_has_suffix(error->message, "unexpected token '{'"));
    }
}

/* 107 octets, the longest path of a socket. */
#define LONGEST_PATH                                                                               \
    "/0123456789012345678901234567890123456789012345678901234567890123456789012345678901234567890" \
    "123456789012345"

static const struct value_row {
    const char *name; /* the text */
    const char *shown;
} value_rows[] = {
    {"fallback_address = noreply@lemniscus.de", "fallback_address = noreply@lemniscus.de"},
    {"fallback_address = 'Praxis <n@lemniscus.de>'", "fallback_address name = Praxis"},
    {"fallback_address = \"\\\"Dr. A\\\" <n@a.de>\"", "fallback_address name = Dr. A"},
    {"fallback_address = \"n@Müller.DE\"", "fallback_address = n@xn--mller-kva.de"},
    {"mode = off", "mode = off"},
    {"mode = log-only", "mode = log-only"},
    {"mode = \"rewrite\"", "mode = rewrite"},
    {"rewrite_on = { fail }", "rewrite_on = fail"},
    {"rewrite_on = {fail,none}", "rewrite_on = none fail"},
    {"rewrite_on = { fail, fail, }", "rewrite_on = fail"},
    {"rewrite_on = {}", "rewrite_on ="},
    {"rewrite_on = fail", "rewrite_on = fail"}, /* a list of one */
    {"rewrite_on += { pass }", "rewrite_on = none neutral pass fail softfail temperror permerror"},
    {"rewrite_on = { fail } rewrite_on += { none }", "rewrite_on = none fail"},
    {"tempfail_on = { temperror, permerror }", "tempfail_on = temperror permerror"},
    {"envelope_sender = fallback", "envelope_sender = fallback"},
    {"align_envelope = dmarc", "align_envelope = dmarc"},
    {"align_envelope = yes", "align_envelope = yes"},
    {"null_sender = fallback", "null_sender = fallback"},
    {"exempt_dkim = mx.lemniscus.de", "exempt_dkim = mx.lemniscus.de"},
    {"exempt_dkim = \"\"", "exempt_dkim = (none)"},
    {"return_address = \"bounce+%t@Lemniscus.de\"", "return_address = bounce+%t@lemniscus.de"},
    {"return_address = \"%t@bounce.lemniscus.de\"", "return_address = %t@bounce.lemniscus.de"},
    {"return_address = \"\"", "return_address = "},
    {"fallback_address = \"noreply+%t@lemniscus.de\"", "fallback_address = noreply@lemniscus.de"},
    {"fallback_address = \"a%%b@lemniscus.de\"", "fallback_address = a%b@lemniscus.de"},
    {"state_dir = /s", "return_key = /s/return.key"},
    {"state_dir = /s return_key = /k", "return_key = /k"},
    {"state_dir = \"\"", "return_key = (none)"},
    {"return_socket = \"\"", "return_socket = (none)"},
    {"return_socket = unix:/run/returns", "return_socket = unix:/run/returns"},
    {"return_mail = { reply, bounce }", "return_mail = 5"},
    {"return_mail = {}", "return_mail = 0"},
    {"display_name = \"%n (%d) 100%%\"", "display_name = %n (%d) 100%%"},
    {"display_name = \"\"", "display_name = "},
    {"display_name = \"5$ a{b} %n\"", "display_name = 5$ a{b} %n"},
    {"display_name_missing = 'Praxis'", "display_name_missing = Praxis"},
    {"reply_to = never", "reply_to = never"},
    {"letter_repeat = 14d", "letter_repeat = 1209600"},
    {"letter_max = 3", "letter_max = 3"},
    {"letters = no", "letters = no"},
    {"letter_from = 'Office <office@lemniscus.de>'", "letter_from = office@lemniscus.de"},
    {"letter_reply_to = 'help@lemniscus.de'", "letter_reply_to = help@lemniscus.de"},
    {"letter_signature = sig", "letter_signature = /etc/spfrom/sig"},
    {"author_header = {}", "author_header = "},
    {"author_header = { X-Author }", "author_header = X-Author"},
    {"sender_header = keep", "sender_header = keep"},
    {"sender_header = fallback", "sender_header = fallback"},
    {"dkim_signatures = keep", "dkim_signatures = keep"},
    {"trace_header = no", "trace_header = no"},
    {"outbound = { all }", "outbound = all"},
    {"outbound += { \"203.0.113.0/24\", daemon:submission }",
     "outbound = authenticated private network:203.0.113.0/24 daemon:submission"},
    {"local_mailers = {}", "local_mailers = "},
    {"local_mailers = { dovecot }", "local_mailers = dovecot"},
    {"socket = inet:8894@localhost", "socket = inet:8894@localhost"},
    {"socket = \"inet6:8894@::1\"", "socket = inet6:8894@::1"},
    {"socket = \"inet:127.0.0.1:8894\"", "socket = inet:8894@127.0.0.1"}, /* Postfix's form */
    {"socket = inet:localhost:8894", "socket = inet:8894@localhost"},
    {"socket = \"inet:[2001:db8::1]:8894\"", "socket = inet6:8894@2001:db8::1"},
    {"socket = unix:/run/spfrom/milter.sock", "socket = unix:/run/spfrom/milter.sock"},
    {"socket = unix:/run//spfrom", "socket = unix:/run//spfrom"}, /* no comment */
    {"socket_mode = 0600", "socket_mode = 0600"},
    {"socket_mode = 666", "socket_mode = 0666"},
    {"socket_group = postfix", "socket_group = postfix"},
    {"relay_hosts = { \"192.0.2.25\", mail.example.net, spf:amazonses.com }",
     "relay_hosts = 192.0.2.25 mail.example.net spf:amazonses.com"},
    {"relay_hosts += { 192.0.2.0/28 }", "relay_hosts = auto 192.0.2.0/28"},
    {"relay_hosts = { # ours\n 192.0.2.25, // and\n /* Amazon's */ spf:amazonses.com\n}",
     "relay_hosts = 192.0.2.25 spf:amazonses.com"},
    {"relay_policy = any", "relay_policy = any"},
    {"advice_mechanisms = { include:spf.example.org, \"a\", mx/24, ip6:2001:db8::1 }",
     "advice_mechanisms = include:spf.example.org a mx/24 ip6:2001:db8::1"},
    {"advice_policy = -all", "advice_policy = -all"},
    {"hostname = MX.Example.org.", "hostname = mx.example.org"},
    {"hostname = \"\"", "hostname = mail.example.net"}, /* the system's */
    {"check_timeout = 1m", "check_timeout = 60"},
    {"check_timeout = 300", "check_timeout = 300"},
    {"cache_size = 1", "cache_size = 1"},
    {"cache_min_ttl = 0", "cache_min_ttl = 0"},
    {"cache_min_ttl = 1h", "cache_min_ttl = 3600"}, /* as cache_max_ttl */
    {"cache_max_ttl = 7d", "cache_max_ttl = 604800"},
    {"cache_retry_ttl = 1", "cache_retry_ttl = 1"},
    {"cache_stale = 0s", "cache_stale = 0"},
    {"dns_servers = { 192.0.2.53, \"127.0.0.1@5353\", \"2001:db8::53@53\" }",
     "dns_servers = 192.0.2.53 127.0.0.1@5353 2001:db8::53@53"},
    {"dns_timeout = 300s", "dns_timeout = 300"},
    {"dns_zone_file = /srv/zone", "dns_zone_file = /srv/zone"},
    {"dns_zone_file = zone", "dns_zone_file = /etc/spfrom/zone"},
    {"dns_zone_file = \"\"", "dns_zone_file = (none)"},
    {"dns_trust_anchor = root.key", "dns_trust_anchor = /etc/spfrom/root.key"},
    {"dns_trust_anchor = \"\"", "dns_trust_anchor = (none)"},
    {"state_dir = /srv/spfrom", "state_dir = /srv/spfrom"},
    {"state_dir = /srv/spfrom", "ledger = /srv/spfrom/ledger.db"},
    {"state_dir = \"\"", "ledger = (none)"},
    {"ledger = \"\"", "ledger = (none)"},
    {"ledger = ledger.db", "ledger = /etc/spfrom/ledger.db"},
    {"ledger = /srv/l.db state_dir = /srv/spfrom", "ledger = /srv/l.db"},
    {"ledger_days = 1", "ledger_days = 1"},
    {"fleet = \"redis://store.example:7000/1\"", "fleet = redis://store.example:7000/1"},
    {"fleet = { \"unix:/a\", \"unix:/b\" }", "fleet = unix:/a unix:/b"},
    {"fleet_name = spfrom-2.x", "fleet_name = spfrom-2.x"},
    {"fleet_timeout = 5ms", "fleet_timeout = 5"},
    {"fleet_timeout = 10s", "fleet_timeout = 10000"},
    {"fleet_ca = ca.pem", "fleet_ca = /etc/spfrom/ca.pem"},
    {"fleet_password_file = \"\"", "fleet_password_file = (none)"},
    {"control_socket = /run/x.sock", "control_socket = /run/x.sock"},
    {"control_socket = " LONGEST_PATH, "control_socket = " LONGEST_PATH},
    {"socket = unix:" LONGEST_PATH, "socket = unix:" LONGEST_PATH},
    {"user = nobody", "user = nobody"},
    {"group = nogroup", "group = nogroup"},
    {"log = syslog", "log = syslog"},
    {"log = stderr", "log = stderr"},
    {"log_addresses = domain", "log_addresses = domain"},
    {"log_level = error", "log_level = 3"},
    {"log_level = warning", "log_level = 4"},
    {"log_level = notice", "log_level = 5"},
    {"log_level = debug", "log_level = 7"},
    {"domain_map = \"\"", "domain_map = (none)"},
    {"domain_map = map", "domain_map = /etc/spfrom/map"},
    /* the syntax */
    {"mode=off", "mode = off"},
    {"mode\n=\noff", "mode = off"},
    {"mode = off\r\n", "mode = off"},
    {"\"mode\" = 'off'", "mode = off"},
    {"\xef\xbb\xbfmode = off", "mode = off"}, /* a byte order mark */
    {"# mode = off", "mode = rewrite"},
    {"// mode = off", "mode = rewrite"},
    {"/* mode = off */", "mode = rewrite"},
    {"/* \" */ mode = off /* ' */", "mode = off"},
    {"mode = off # it's \"fine\"", "mode = off"},
    {"mode = off# comment", "mode = off"},
    {"#\n#\n\nmode = off\n#", "mode = off"},
    {"display_name = \"# %n // /* */\"", "display_name = # %n // /* */"},
    {"display_name = '# \"%n\" /*'", "display_name = # \"%n\" /*"},
    {"display_name = 'it\\'s # %n'", "display_name = it's # %n"},
    {"display_name = \"\\\"%n\\\" # \\\\\"", "display_name = \"%n\" # \\"},
    {"display_name = \"%n\\\n #x\"", "display_name = %n #x"},
    {"display_name = \"${SPFROM_TEST_NAME}\"", "display_name = #x"},
    {"display_name = ${SPFROM_TEST_NAME}", "display_name = #x"},
    {"display_name = \"${SPFROM_TEST_NONE:-\"# %n\"}\"", "display_name = \"# %n\""},
    {"display_name = '${SPFROM_TEST_NAME}'", "display_name = ${SPFROM_TEST_NAME}"},
};

static void test_value(void **state)
{
    const struct value_row *row = *state;
    g_autoptr(GError) error = NULL;
    g_autofree char *wanted = g_strdup_printf("\n%s\n", row->shown);
    g_autofree char *shown = NULL;
    g_autoptr(Settings) settings = NULL;

    map_text = "";
    settings = parse_with_fallback(row->name, &error);
    assert_null(error);
    shown = shown_settings(settings);
    if (strstr(shown, wanted) == NULL)
        assert_string_equal(shown, wanted); /* fails, and shows both */
}

#define NOT_TEMPLATE "; use text with %n, %l, %d or %%"
#define NOT_MECHANISM "; use mechanisms of SPF such as include:spf.example.org or ip4:192.0.2.25"
#define NOT_SOCKET "; use inet:PORT@HOST, inet6:PORT@HOST or unix:/PATH"
#define NOT_RESULT "; use fail, softfail, neutral, none, permerror, temperror or pass"
#define NOT_FORM "; use %t once at most, and %% for a percent sign"
#define NOT_FALLBACK "; use an address such as noreply@example.org"
#define NOT_FIELD "; use names of header fields such as Author or X-Original-From"
#define NOT_SERVER "; use an address such as 192.0.2.53, or 127.0.0.1@5353 with a port"
#define NOT_TIME " is not a time; write it like 10s, 5m, 2h or 1d"
#define NOT_TEXT ": the value has a control character or is not UTF-8; write plain text"
#define TWICE ": is given twice; leave one out"
static const struct error_row {
    const char *name; /* the text */
    const char *error;
} error_rows[] = {
    /* values */
    {"fallback_address = noreply", ":1: fallback_address: invalid value \"noreply\"" NOT_FALLBACK},
    {"fallback_address = \"\"", ":1: fallback_address: invalid value \"\"" NOT_FALLBACK},
    {"fallback_address = \"<>\"", ":1: fallback_address: invalid value \"<>\"" NOT_FALLBACK},
    {"fallback_address = \"a@b.de, c@d.de\"",
     ":1: fallback_address: invalid value \"a@b.de, c@d.de\"" NOT_FALLBACK},
    {"fallback_address = \"a@[192.0.2.1]\"",
     ":1: fallback_address: invalid value \"a@[192.0.2.1]\"" NOT_FALLBACK},
    {"fallback_address = \"müller@b.de\"",
     ":1: fallback_address: invalid value \"müller@b.de\"" NOT_FALLBACK},
    {"mode = on", ":1: mode: invalid value \"on\"; use off, log-only or rewrite"},
    {"mode = Off", ":1: mode: invalid value \"Off\"; use off, log-only or rewrite"},
    {"mode = \"\"", ":1: mode: invalid value \"\"; use off, log-only or rewrite"},
    {"rewrite_on = { hardfail }", ":1: rewrite_on: invalid value \"hardfail\"" NOT_RESULT},
    {"rewrite_on = { fail,\n none,\n maybe,\n pass }",
     ":3: rewrite_on: invalid value \"maybe\"" NOT_RESULT},
    {"tempfail_on = { \"\" }", ":1: tempfail_on: invalid value \"\"" NOT_RESULT},
    {"envelope_sender = keep",
     ":1: envelope_sender: invalid value \"keep\"; use author or fallback"},
    {"align_envelope = maybe", ":1: align_envelope: invalid value \"maybe\"; use no, dmarc or yes"},
    {"null_sender = author", ":1: null_sender: invalid value \"author\"; use keep or fallback"},
    {"\nreturn_address = \"bounce@b.de\"",
     ":2: return_address: invalid value \"bounce@b.de\"; use an address with %t before the \"@\", "
     "such as bounce+%t@example.org"},
    {"return_address = \"b+%t@%t.de\"",
     ":1: return_address: invalid value \"b+%t@%t.de\"; use %t before the \"@\" only"},
    {"return_address = \"%t+%t@b.de\"",
     ":1: return_address: invalid value \"%t+%t@b.de\"" NOT_FORM},
    {"return_address = \"b%x+%t@b.de\"",
     ":1: return_address: invalid value \"b%x+%t@b.de\"" NOT_FORM},
    {"return_address = \"0123456789abcdef0123456789abcdef0123456789abcdefg%t@b.de\"",
     ":1: return_address: invalid value \"0123456789abcdef0123456789abcdef0123456789abcdefg%t@b.de\"; "
     "use at most 48 octets before the \"@\" besides %t, which stands for 16"},
    {"fallback_address = \"%t@b.de\"",
     ":1: fallback_address: invalid value \"%t@b.de\"; use an address of which something is left "
     "without %t, such as noreply+%t@example.org"},
    {"fallback_address = \"a%b@b.de\"",
     ":1: fallback_address: invalid value \"a%b@b.de\"" NOT_FORM},
    {"fallback_address = \"a@%t.de\"",
     ":1: fallback_address: invalid value \"a@%t.de\"; use %t before the \"@\" only"},
    {"domain a.de {\n return_address = x\n}",
     ":2: return_address: invalid value \"x\"; use an address such as noreply@example.org"},
    {"return_mail = { bounces }",
     ":1: return_mail: invalid value \"bounces\"; use bounce, auto-reply or reply"},
    {"return_socket = 8896", ":1: return_socket: invalid value \"8896\"" NOT_SOCKET},
    {"display_name = \"%x\"", ":1: display_name: invalid value \"%x\"" NOT_TEMPLATE},
    {"display_name = \"100%\"", ":1: display_name: invalid value \"100%\"" NOT_TEMPLATE},
    {"display_name_missing = %N", ":1: display_name_missing: invalid value \"%N\"" NOT_TEMPLATE},
    {"letter_from = 'a+%t@lemniscus.de'",
     ":1: letter_from: invalid value \"a+%t@lemniscus.de\"; use an address such as office@example.org"},
    {"letter_reply_to = office",
     ":1: letter_reply_to: invalid value \"office\"; use an address such as noreply@example.org"},
    {"letter_repeat = 59s",
     ":1: letter_repeat: invalid value \"59s\"; use a time from 60s to 315360000s"},
    {"letter_max = 0", ":1: letter_max: invalid value \"0\"; use a number from 1 to 100"},
    {"letters = maybe", ":1: letters: invalid value \"maybe\"; use no or yes"},
    {"reply_to = yes", ":1: reply_to: invalid value \"yes\"; use never or add"},
    {"author_header = { From }", ":1: author_header: invalid value \"From\"" NOT_FIELD},
    {"author_header = { reply-to }", ":1: author_header: invalid value \"reply-to\"" NOT_FIELD},
    {"author_header = { \"X Y\" }", ":1: author_header: invalid value \"X Y\"" NOT_FIELD},
    {"author_header = { X: }", ":1: author_header: invalid value \"X:\"" NOT_FIELD},
    {"author_header = { \"\" }", ":1: author_header: invalid value \"\"" NOT_FIELD},
    {"author_header = { Autör }", ":1: author_header: invalid value \"Autör\"" NOT_FIELD},
    {"\nauthor_header = { Author, X-A,\n author }",
     ":2: author_header: \"author\" is there twice; leave one out"},
    {"sender_header = drop",
     ":1: sender_header: invalid value \"drop\"; use remove, keep or fallback"},
    {"dkim_signatures = no", ":1: dkim_signatures: invalid value \"no\"; use keep or remove"},
    {"trace_header = true", ":1: trace_header: invalid value \"true\"; use no or yes"},
    {"outbound = { everyone }",
     ":1: outbound: \"everyone\" says of no message that it is outgoing; write authenticated, "
     "private, all, daemon:NAME or a network like 203.0.113.0/24"},
    {"mode = off\noutbound = {}",
     ":2: outbound: invalid value \"{}\"; use which messages are outgoing, such as { authenticated, private }"},
    {"socket = 8894", ":1: socket: invalid value \"8894\"" NOT_SOCKET},
    {"socket = inet:8894", ":1: socket: invalid value \"inet:8894\"" NOT_SOCKET},
    {"socket = inet:0@127.0.0.1", ":1: socket: invalid value \"inet:0@127.0.0.1\"" NOT_SOCKET},
    {"socket = inet:65536@127.0.0.1",
     ":1: socket: invalid value \"inet:65536@127.0.0.1\"" NOT_SOCKET},
    {"socket = inet:milter@127.0.0.1",
     ":1: socket: invalid value \"inet:milter@127.0.0.1\"" NOT_SOCKET},
    {"socket = inet::8894", ":1: socket: invalid value \"inet::8894\"" NOT_SOCKET},
    {"socket = inet:::1:8894", ":1: socket: invalid value \"inet:::1:8894\"" NOT_SOCKET},
    {"socket = inet:localhost:0", ":1: socket: invalid value \"inet:localhost:0\"" NOT_SOCKET},
    {"socket = inet6:localhost:8894",
     ":1: socket: invalid value \"inet6:localhost:8894\"" NOT_SOCKET},
    {"socket = inet:8894@", ":1: socket: invalid value \"inet:8894@\"" NOT_SOCKET},
    {"socket = inet:@127.0.0.1", ":1: socket: invalid value \"inet:@127.0.0.1\"" NOT_SOCKET},
    {"socket = unix:milter.sock", ":1: socket: invalid value \"unix:milter.sock\"" NOT_SOCKET},
    {"socket = unix:" LONGEST_PATH "x", ":1: socket: invalid value \"unix:" LONGEST_PATH "x"
                                        "\"" NOT_SOCKET},
    {"socket = \"\"", ":1: socket: invalid value \"\"" NOT_SOCKET},
    {"socket_mode = rw", ":1: socket_mode: invalid value \"rw\"; use permissions such as 0660"},
    {"socket_mode = 0800", ":1: socket_mode: invalid value \"0800\"; use permissions such as 0660"},
    {"socket_mode = 1777", ":1: socket_mode: invalid value \"1777\"; use permissions such as 0660"},
    {"relay_hosts = { \"192.0.2.1/28\" }",
     ":1: relay_hosts: \"192.0.2.1/28\" is not a network; write it like 192.0.2.0/28"},
    {"\n\nrelay_hosts = {}",
     ":3: relay_hosts: invalid value \"{}\"; use the addresses that your mail leaves from, such as { \"192.0.2.25\" }, or { auto }"},
    {"relay_hosts = {}\ndisplay_name = 'of relay_hosts'",
     ":1: relay_hosts: invalid value \"{}\"; use the addresses that your mail leaves from, such as { \"192.0.2.25\" }, or { auto }"},
    {"outbound = {}\nexempt_dkim = 'inoutbound = {}'",
     ":1: outbound: invalid value \"{}\"; use which messages are outgoing, such as { authenticated, private }"},
    {"relay_hosts = { 0.0.0.0/0 }",
     ":1: relay_hosts: \"0.0.0.0/0\" is too wide for a relay; write a network of at least /8"},
    {"relay_policy = some", ":1: relay_policy: invalid value \"some\"; use all or any"},
    {"advice_mechanisms = { include }",
     ":1: advice_mechanisms: invalid value \"include\"" NOT_MECHANISM},
    {"advice_mechanisms = { \"-a\" }", ":1: advice_mechanisms: invalid value \"-a\"" NOT_MECHANISM},
    {"advice_mechanisms = { all }", ":1: advice_mechanisms: invalid value \"all\"" NOT_MECHANISM},
    {"advice_mechanisms = { \"a mx\" }",
     ":1: advice_mechanisms: invalid value \"a mx\"" NOT_MECHANISM},
    {"advice_mechanisms = { \"a:\" }", ":1: advice_mechanisms: invalid value \"a:\"" NOT_MECHANISM},
    {"advice_mechanisms = { mx, MX }",
     ":1: advice_mechanisms: \"MX\" is there twice; leave one out"},
    {"advice_policy = \"+all\"",
     ":1: advice_policy: invalid value \"+all\"; use ~all, -all or ?all"},
    {"hostname = a..b", ":1: hostname: \"a..b\" is not a domain; write it like mail.example.net"},
    {"check_timeout = soon", ":1: check_timeout: \"soon\"" NOT_TIME},
    {"check_timeout = 0", ":1: check_timeout: invalid value \"0\"; use a time from 1s to 300s"},
    {"check_timeout = 6m", ":1: check_timeout: invalid value \"6m\"; use a time from 1s to 300s"},
    {"fleet = { valkey }",
     ":1: fleet: \"valkey\" is not the address of a store; write redis://HOST:PORT/DB, "
     "rediss://HOST:PORT/DB for TLS, or unix:PATH"},
    {"fleet_name = \"a:b\"",
     ":1: fleet_name: invalid value \"a:b\"; use 1 to 64 letters, digits, \".\", \"_\" or \"-\""},
    {"fleet_timeout = 0", ":1: fleet_timeout: invalid value \"0\"; use a time from 1ms to 10s"},
    {"fleet_timeout = 11s", ":1: fleet_timeout: invalid value \"11s\"; use a time from 1ms to 10s"},
    {"fleet_timeout = xms", ":1: fleet_timeout: invalid value \"xms\"; use a time from 1ms to 10s"},
    {"ledger_days = 0", ":1: ledger_days: invalid value \"0\"; use a number from 1 to 36500"},
    {"cache_size = 0", ":1: cache_size: invalid value \"0\"; use a number from 1 to 100000000"},
    {"cache_size = 1e5", ":1: cache_size: invalid value \"1e5\"; use a number from 1 to 100000000"},
    {"cache_size = -1", ":1: cache_size: invalid value \"-1\"; use a number from 1 to 100000000"},
    {"cache_min_ttl = 2d", ":1: cache_min_ttl: invalid value \"2d\"; use a time from 0s to 86400s"},
    {"cache_max_ttl = 8d",
     ":1: cache_max_ttl: invalid value \"8d\"; use a time from 1s to 604800s"},
    {"cache_retry_ttl = 0",
     ":1: cache_retry_ttl: invalid value \"0\"; use a time from 1s to 86400s"},
    {"cache_stale = 31d", ":1: cache_stale: invalid value \"31d\"; use a time from 0s to 2592000s"},
    {"cache_max_ttl = 1m\ncache_min_ttl = 2m",
     ":2: cache_min_ttl is longer than cache_max_ttl; write a smaller one"},
    {"cache_max_ttl = 10s", ": cache_min_ttl is longer than cache_max_ttl; write a smaller one"},
    {"dns_servers = { resolver.example }",
     ":1: dns_servers: invalid value \"resolver.example\"" NOT_SERVER},
    {"dns_servers = { 192.0.2.53:53 }",
     ":1: dns_servers: invalid value \"192.0.2.53:53\"" NOT_SERVER},
    {"dns_servers = { 192.0.2.53@ }", ":1: dns_servers: invalid value \"192.0.2.53@\"" NOT_SERVER},
    {"dns_servers = { 192.0.2.53@0 }",
     ":1: dns_servers: invalid value \"192.0.2.53@0\"" NOT_SERVER},
    {"dns_servers = { 192.0.2.53@65536 }",
     ":1: dns_servers: invalid value \"192.0.2.53@65536\"" NOT_SERVER},
    {"dns_timeout = 0", ":1: dns_timeout: invalid value \"0\"; use a time from 1s to 300s"},
    {"control_socket = control.sock",
     ":1: control_socket: invalid value \"control.sock\"; use an absolute path of at most 107 octets"},
    {"control_socket = \"\"",
     ":1: control_socket: invalid value \"\"; use an absolute path of at most 107 octets"},
    {"control_socket = " LONGEST_PATH "x", ":1: control_socket: invalid value \"" LONGEST_PATH "x"
                                           "\"; use an absolute path of at most 107 octets"},
    {"log = file", ":1: log: invalid value \"file\"; use auto, stderr or syslog"},
    {"log_addresses = none", ":1: log_addresses: invalid value \"none\"; use domain or full"},
    {"log_level = loud",
     ":1: log_level: invalid value \"loud\"; use error, warning, notice, info or debug"},
    {"display_name = \"a\\nb\"", ":1: display_name" NOT_TEXT},
    {"user = \"a\\x7f\"", ":1: user" NOT_TEXT},
    {"exempt_dkim = \"\\xc2\\x85\"", ":1: exempt_dkim" NOT_TEXT},
    {"exempt_dkim = \"\\xff\"", ":1: exempt_dkim" NOT_TEXT},
    {"local_mailers = { local, \"a\nb\" }", ":2: local_mailers" NOT_TEXT},
    /* what must be given */
    {"# fallback_address = noreply@example.org",
     ": fallback_address must be given; write fallback_address = \"noreply@example.org\""},
    /* the syntax */
    {"colour = blue", ":1: no such option 'colour'"},
    {"Mode = off", ":1: no such option 'Mode'"},
    {"mode = off\n\ncolour = blue", ":3: no such option 'colour'"},
    {"mode = off\nmode = rewrite", ":2: mode" TWICE},
    {"mode = off\nmode = off", ":2: mode" TWICE},
    {"outbound = { all }\noutbound = { private }", ":2: outbound" TWICE},
    {"outbound += { all }\noutbound = { private }", ":2: outbound" TWICE},
    {"outbound = all\noutbound = { private }", ":2: outbound" TWICE},
    {"mode = { off }", ":1: unexpected token '{'"},
    {"mode += off", ":1: attempt to append to non-list option 'mode'"},
    {"mode off", ":1: missing equal sign after option 'mode'"},
    {"mode =", ":2: mode: invalid value \"fallback_address\"; use off, log-only or rewrite"},
    {"mode = off off", ":1: no such option 'off'"},
    {"mode = off;", ":1: mode: invalid value \"off;\"; use off, log-only or rewrite"},
    {"rewrite_on = { fail none }", ":1: unexpected token 'none'"},
    {"rewrite_on = { fail,\n none", ":3: unexpected token 'fallback_address'"},
    {"}", ":1: unexpected closing brace"},
    {"\n= off", ":2: unexpected token '='"},
    {"\"\" = off", ":1: the syntax is wrong"},
    {"\"M\\xfcller\" = off", ":1: no such option 'M\xef\xbf\xbdller'"},
    {"include(\"/etc/spfrom/map\")", ":1: no such option 'include'"},
    {"mode = off\ninclude(\"/etc/passwd\")", ":2: no such option 'include'"},
    {"# 1\n\n# 3\n/* 4\n5 */ /* 5 */\n// 6\nmode = on # 7\n",
     ":7: mode: invalid value \"on\"; use off, log-only or rewrite"},
    {"\n# fallback_address\nmode = \"off", ":3: what begins here with \" has no end"},
    {"mode = 'off", ":1: what begins here with ' has no end"},
    {"# fallback_address\nmode = \"off\\\"", ":2: what begins here with \" has no end"},
    {"# fallback_address\nmode = \"off\\", ":2: what begins here with \" has no end"},
    {"mode = \"${off\"", ":1: what begins here with \" has no end"},
    {"mode = ${off", ":1: what begins here with ${ has no end"},
    {"\n\n/* mode = off", ":3: what begins here with /* has no end"},
    {"/*/ mode = off", ":1: what begins here with /* has no end"},
    {"domain \"a.de\" {\nmode = off", ":1: what begins here with { has no end"},
    {"# {\ndomain \"a.de\" { mode = off }\n\ndomain \"b.de\" {\nmode = off\n\nreply_to = never\n",
     ":4: what begins here with { has no end"},
    {"domain \"a.de\" {\nmode = off\ndomain \"b.de\" {\nmode = off\n}\n",
     ":1: what begins here with { has no end"},
    {"domain \"a.de\" {\nmode = off\nrewrite_on = { fail }",
     ":1: what begins here with { has no end"},
    {"domain \"a.de\" {", ":1: what begins here with { has no end"},
    {"domain \"a.de\" { display_name = \"}\"", ":1: what begins here with { has no end"},
    {"domain \"a.de\" { mode = off # }", ":1: what begins here with { has no end"},
    {"domain \"a.de\" { mode = off rewrite_on = { fail", ":1: no such option 'rewrite_on'"},
    {"domain \"a.de\" { mode = off } }", ":1: unexpected closing brace"},
    /* sections */
    {"domain \"a..de\" { mode = off }",
     ":1: domain: \"a..de\" is not a domain; write it like mail.example.net"},
    {"domain \"\" { mode = off }",
     ":1: domain: \"\" is not a domain; write it like mail.example.net"},
    {"domain \".\" { mode = off }",
     ":1: domain: \"\" is not a domain; write it like mail.example.net"},
    {"domain { mode = off }", ":1: missing title for section 'domain'"},
    {"domain \"a.de\" mode = off", ":1: missing opening brace for section 'domain'"},
    {"domain \"a.de\" { mode = off }\ndomain \"a.de\" { mode = off }",
     ":2: found duplicate title 'a.de'"},
    {"domain \"a.de\" { mode = off }\ndomain \"A.de.\" { mode = off }",
     ":2: \"a.de\" is there twice; leave one out"},
    {"domain \"a.de\" {\n mode = on\n}",
     ":2: mode: invalid value \"on\"; use off, log-only or rewrite"},
    {"domain \"a.de\" {\n\n fallback_address = x\n}",
     ":3: fallback_address: invalid value \"x\"" NOT_FALLBACK},
    {"domain \"a.de\" { display_name = \"%q\" }",
     ":1: display_name: invalid value \"%q\"" NOT_TEMPLATE},
    {"domain \"a.de\" { reply_to = yes }", ":1: reply_to: invalid value \"yes\"; use never or add"},
    {"domain \"a.de\" {\n mode = off\n mode = off\n}", ":3: mode" TWICE},
    {"domain \"a.de\" { display_name = \"\\x01\" }", ":1: display_name" NOT_TEXT},
    {"domain \"a.de\" { relay_hosts = { auto } }", ":1: no such option 'relay_hosts'"},
    {"domain \"a.de\" {\n authorised = yes }", ":2: no such option 'authorised'"},
    {"# 1\ndomain \"a.de\" { # 2\n # 3\n mode = off # 4\n}\ncolour = blue",
     ":6: no such option 'colour'"},
};

static void test_error(void **state)
{
    const struct error_row *row = *state;
    g_autoptr(GError) error = NULL;
    g_autofree char *wanted = g_strconcat(FILE_NAME, row->error, NULL);

    assert_null(parse_with_fallback(row->name, &error));
    assert_true(g_utf8_validate(error->message, -1, NULL));
    assert_string_equal(error->message, wanted);
}

/* What is wrong with a file as a whole. */
static const struct file_row {
    const char *name;
    const char *text;
    gsize length; /* 0: up to the NUL */
    const char *error;
} file_rows[] = {
    {"a NUL", "mode\0= off\n" FALLBACK, sizeof "mode\0= off\n" FALLBACK - 1,
     FILE_NAME ":1: is not UTF-8 text; convert the file"},
    {"a NUL in a comment", "mode = off\n# \0\n", 15,
     FILE_NAME ":2: is not UTF-8 text; convert the file"},
    {"latin1", "\n\ndisplay_name = \"M\xfcller\"\n" FALLBACK, 0,
     FILE_NAME ":3: is not UTF-8 text; convert the file"},
    {"UTF-16", "\xff\xfem\0o\0", 6, FILE_NAME ":1: is not UTF-8 text; convert the file"},
    {"empty", "", 0,
     FILE_NAME
     ": fallback_address must be given; write fallback_address = \"noreply@example.org\""},
    {"a missing domain_map", FALLBACK "domain_map = nowhere", 0,
     FILE_NAME ":2: domain_map: /etc/spfrom/nowhere: can't be read: No such file or directory"},
    {"a wrong line of a domain_map", FALLBACK "domain_map = map", 0,
     "/etc/spfrom/map:3: mode: invalid value \"on\"; use off, log-only or rewrite"},
};

static void test_file(void **state)
{
    const struct file_row *row = *state;
    g_autoptr(GError) error = NULL;

    map_text = "a.de\n\nb.de mode=on\n";
    conf_text = row->text;
    conf_length = row->length > 0 ? row->length : strlen(row->text);
    assert_null(settings_parse(FILE_NAME, &source, &error));
    assert_string_equal(error->message, row->error);
    assert_true(error->domain == SETTINGS_ERROR || error->domain == DOMAIN_MAP_ERROR);
}

static void test_missing(void **state G_GNUC_UNUSED)
{
    g_autoptr(GError) error = NULL;

    assert_null(settings_parse("/nowhere/spfrom.conf", &source, &error));
    assert_string_equal(error->message,
                        "/nowhere/spfrom.conf: can't be read: No such file or directory");
    assert_true(g_error_matches(error, SETTINGS_ERROR, SETTINGS_ERROR_FILE));
}

/* A configuration of length octets, most of them a comment. */
static char *text_of_length(gsize length)
{
    g_autofree char *comment = g_strnfill(length - strlen(FALLBACK "#"), 'x');

    return g_strconcat(FALLBACK "#", comment, NULL);
}

static void test_long(void **state G_GNUC_UNUSED)
{
    g_autofree char *longest = text_of_length(SETTINGS_FILE_MAX);
    g_autofree char *longer = text_of_length(SETTINGS_FILE_MAX + 1);
    g_autoptr(Settings) settings = parse(longest, NULL);
    g_autoptr(GError) error = NULL;

    assert_non_null(settings);
    assert_null(parse(longer, &error));
    assert_string_equal(error->message,
                        FILE_NAME ": is longer than 1048576 octets; write a shorter one");
}

/*
 * libConfuse makes a list longer by one value at a time. The C library does so in place, the sanitizers copy all: theirs
 * is a shorter list.
 */
#if defined __SANITIZE_ADDRESS__ || defined __SANITIZE_THREAD__
#define LONG_LIST 10000
#else
#define LONG_LIST 100000
#endif

/* A list of many values takes no longer than it has to. */
static void test_long_list(void **state G_GNUC_UNUSED)
{
    g_autoptr(GString) text = g_string_new(FALLBACK "local_mailers = {");
    g_autoptr(Settings) settings = NULL;

    for (guint i = 0; i < LONG_LIST; i++)
        g_string_append(text, "local,");
    g_string_append_c(text, '}');
    settings = parse(text->str, NULL);
    assert_int_equal(g_strv_length(settings->local_mailers), LONG_LIST);
}

static void test_no_hostname(void **state G_GNUC_UNUSED)
{
    const SettingsSource nameless = {read_file, "no host name"};
    g_autoptr(Settings) settings = NULL;

    conf_text = FALLBACK;
    conf_length = strlen(FALLBACK);
    settings = settings_parse(FILE_NAME, &nameless, NULL);
    assert_string_equal(settings->hostname, "localhost");
}

static char *keep(const char *running_keys, const char *next_keys, char **changed_keys)
{
    g_autofree char *running_text = g_strconcat(FALLBACK, running_keys, NULL);
    g_autofree char *next_text = g_strconcat(FALLBACK, next_keys, NULL);
    g_autoptr(Settings) running = parse(running_text, NULL);
    g_autoptr(Settings) next = parse(next_text, NULL);
    g_autoptr(GPtrArray) changed = g_ptr_array_new();

    settings_keep(next, running, changed);
    g_ptr_array_add(changed, NULL);
    *changed_keys = g_strjoinv(" ", (char **)changed->pdata);
    return shown_settings(next);
}

/* What a reload can't change stays, each of those keys and no other, and so does what follows from
 * it: the ledger in state_dir. */
static void test_keep(void **state G_GNUC_UNUSED)
{
    static const char others[] = "socket = \"unix:/run/other.sock\"\nsocket_mode = 0600\n"
                                 "socket_group = mail\nstate_dir = /other\n"
                                 "control_socket = /run/other-control.sock\nuser = other\n"
                                 "group = \"\"\nlog = syslog\nmode = off\n";
    g_autofree char *changed = NULL;
    g_autofree char *same = NULL;
    g_autofree char *kept = keep("mode = off", others, &changed);
    g_autofree char *other = keep(others, others, &same);
    g_auto(GStrv) lines = g_strsplit(defaults, "\n", -1);

    assert_string_equal(changed, "socket socket_mode socket_group state_dir control_socket user "
                                 "group log");
    for (guint i = 0; lines[i] != NULL; i++)
        assert_true(strstr(kept, lines[i]) != NULL || strcmp(lines[i], "mode = rewrite") == 0);
    assert_string_equal(same, "");
    assert_non_null(strstr(other, "ledger = /other/ledger.db\n"));
}

static void test_locate(void **state G_GNUC_UNUSED)
{
    static const char *const messages[][2] = {
        {"user: is empty", FILE_NAME ":4: user: is empty"},
        {"group: is empty", FILE_NAME ": group: is empty"},
        {"no key", FILE_NAME ": no key"},
    };
    g_autoptr(Settings) settings = parse(FALLBACK "# user = x\n\nuser = \"\"\n", NULL);

    for (size_t i = 0; i < G_N_ELEMENTS(messages); i++) {
        g_autoptr(GError) error = g_error_new_literal(SETTINGS_ERROR, 0, messages[i][0]);

        settings_locate(settings, &error);
        assert_string_equal(error->message, messages[i][1]);
    }
}

static void test_references(void **state G_GNUC_UNUSED)
{
    Settings *settings = parse(FALLBACK, NULL);
    Settings *other = settings_ref(settings);

    settings_unref(settings);
    assert_int_equal(other->mode, MODE_REWRITE);
    settings_unref(other);
}

/* A section of the configuration goes before a line of the map, the more specific one before the
 * other. */
static const struct section_row {
    const char *name;     /* the domain */
    const char *fallback; /* the local part of its section's fallback address; NULL: no section */
} section_rows[] = {
    {"a.example", "conf-a"},
    {"sub.a.example", "conf-dot-a"},
    {"b.sub.a.example", "conf-dot-a"},
    {"b.example", "map-b"},
    {"sub.b.example", "map-dot-b"},
    {"deep.b.example", "conf-deep"},
    {"sub.deep.b.example", "map-dot-b"},
    {"c.example", NULL},
    {"xa.example", NULL},
    {"example", NULL},
};

static Settings *parse_sections(void)
{
    map_text = "a.example fallback_address=map-a@x.example\n"
               "sub.a.example fallback_address=map-sub@x.example\n"
               "b.example fallback_address=map-b@x.example\n"
               ".b.example fallback_address=map-dot-b@x.example authorised=yes\n"
               "deep.b.example fallback_address=map-deep@x.example\n";
    return parse(FALLBACK "domain_map = map\n"
                          "domain \"A.example.\" { fallback_address = \"conf-a@x.example\" }\n"
                          "domain .a.example { fallback_address = \"conf-dot-a@x.example\" }\n"
                          "domain deep.b.example { fallback_address = \"conf-deep@x.example\"\n"
                          "  mode = log-only display_name = '%n via us'\n"
                          "  display_name_missing = '%d' reply_to = never }\n",
                 NULL);
}

static void test_section(void **state)
{
    const struct section_row *row = *state;
    g_autoptr(Settings) settings = parse_sections();
    const DomainSection *section = settings_section(settings, row->name);

    if (row->fallback == NULL)
        assert_null(section);
    else
        assert_string_equal(section->fallback->local_part, row->fallback);
}

static void test_section_keys(void **state G_GNUC_UNUSED)
{
    g_autoptr(Settings) settings = parse_sections();
    const DomainSection *section = settings_section(settings, "deep.b.example");

    assert_true(section->mode != SECTION_OPEN);
    assert_int_equal(section->mode, MODE_LOG_ONLY);
    assert_string_equal(section->display_name, "%n via us");
    assert_string_equal(section->display_name_missing, "%d");
    assert_true(section->reply_to != SECTION_OPEN);
    assert_false(section->reply_to);
    assert_false(section->authorised != SECTION_OPEN);
    section = settings_section(settings, "a.example");
    assert_false(section->mode != SECTION_OPEN);
    assert_false(section->reply_to != SECTION_OPEN);
    assert_null(section->display_name);
    assert_true(settings_section(settings, "sub.b.example")->authorised);
}

static void test_fallbacks(void **state G_GNUC_UNUSED)
{
    g_autoptr(Settings) settings = parse_sections();

    assert_int_equal(g_hash_table_size(settings->fallbacks), 9);
    assert_true(g_hash_table_contains(settings->fallbacks, "noreply@example.org"));
    assert_true(g_hash_table_contains(settings->fallbacks, "conf-dot-a@x.example"));
    assert_true(g_hash_table_contains(settings->fallbacks, "map-sub@x.example"));
    assert_false(g_hash_table_contains(settings->fallbacks, "x.example"));
}

static void test_long_map(void **state G_GNUC_UNUSED)
{
    g_autoptr(GString) map = g_string_new(NULL);
    g_autoptr(Settings) settings = NULL;
    g_autoptr(GError) error = NULL;

    for (guint i = 0; i < 100000; i++)
        g_string_append_printf(map, "praxis-%u.example mode=log-only\n", i);
    map_text = map->str;
    settings = parse(FALLBACK "domain_map = map\n", NULL);
    assert_int_equal(g_hash_table_size(settings->map), 100000);
    g_string_append(map, "praxis.example mode=loud\n");
    map_text = map->str;
    assert_null(parse(FALLBACK "domain_map = map\n", &error));
    assert_string_equal(error->message, "/etc/spfrom/map:100001: mode: invalid value \"loud\"; "
                                        "use off, log-only or rewrite");
}

static void test_map_anew(void **state G_GNUC_UNUSED)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(Settings) first = NULL;
    g_autoptr(Settings) same = NULL;
    g_autoptr(Settings) next = NULL;

    map_text = "a.example mode=off\n";
    first = parse("\xef\xbb\xbf" FALLBACK "# a comment\ndomain_map = map\nmode = log-only\n"
                  "domain b.example { mode = rewrite }\n",
                  NULL);
    conf_text = FALLBACK "mode = off\n"; /* edited since: not what is asked for */
    conf_length = strlen(conf_text);
    same = settings_parse_map(first, &source, NULL);
    assert_ptr_equal(same, first);
    map_text = "a.example mode=rewrite\nc.example fallback_address=c@c.example\n";
    next = settings_parse_map(first, &source, NULL);
    assert_int_equal(next->mode, MODE_LOG_ONLY);
    assert_int_equal(settings_section(next, "a.example")->mode, MODE_REWRITE);
    assert_int_equal(settings_section(first, "a.example")->mode, MODE_OFF);
    assert_non_null(settings_section(next, "b.example"));
    assert_true(g_hash_table_contains(next->fallbacks, "c@c.example"));
    assert_string_equal(next->hostname, first->hostname);
    map_text = "a.example\na.example\n";
    assert_null(settings_parse_map(next, &source, &error));
    assert_non_null(strstr(error->message, "/etc/spfrom/map:2: "));
    map_text = NULL;
    assert_null(settings_parse_map(next, &source, NULL));
}

/* What is wrong in one parse is forgotten in the next. */
static void test_after_error(void **state G_GNUC_UNUSED)
{
    static const char *const wrong[] = {"mode = \"off",      "mode = on",     "rewrite_on = { fail",
                                        "domain \"a.de\" {", "colour = blue", "mode = 'off"};

    for (size_t i = 0; i < G_N_ELEMENTS(wrong); i++) {
        g_autoptr(GError) error = NULL;
        g_autofree char *shown = NULL;
        g_autoptr(Settings) settings = parse(wrong[i], &error);

        assert_null(settings);
        settings = parse(FALLBACK, NULL);
        shown = shown_settings(settings);
        assert_string_equal(shown, defaults);
    }
}

static void *parse_often(void *count)
{
    for (guint i = 0; i < 50; i++) {
        g_autoptr(GError) error = NULL;
        g_autoptr(Settings) settings = settings_parse(FILE_NAME, &source, &error);

        if (settings != NULL && strcmp(settings->fallback->addr_spec, "noreply@example.org") == 0)
            g_atomic_int_inc((gint *)count);
    }
    return NULL;
}

static void test_threads(void **state G_GNUC_UNUSED)
{
    pthread_t threads[4];
    gint count = 0;

    conf_text = FALLBACK "domain \"a.de\" { mode = off }";
    conf_length = strlen(conf_text);
    for (size_t i = 0; i < G_N_ELEMENTS(threads); i++)
        assert_int_equal(pthread_create(&threads[i], NULL, parse_often, &count), 0);
    for (size_t i = 0; i < G_N_ELEMENTS(threads); i++)
        pthread_join(threads[i], NULL);
    assert_int_equal(count, 200);
}

/* The file that is installed, with the fallback address of these tests; NULL where it is not there.
 */
static char *installed_text(void)
{
    const char *folder = g_getenv("SPFROM_SRCDIR");
    g_autofree char *path =
        g_build_filename(folder != NULL ? folder : ".", "conf", "spfrom.conf.in", NULL);
    g_autofree char *text = NULL;
    g_autoptr(GString) installed = NULL;

    if (!g_file_get_contents(path, &text, NULL, NULL))
        return NULL;
    installed = g_string_new(text);
    g_string_replace(installed, "@FALLBACK_ADDRESS@", "noreply@example.org", 0);
    return g_string_free(g_steal_pointer(&installed), FALSE);
}

/* Does line give key, where prefix stands before it? */
static bool is_line_of(const char *line, const char *prefix, const char *key)
{
    return g_str_has_prefix(line, prefix) && g_str_has_prefix(line + strlen(prefix), key) &&
           g_str_has_prefix(line + strlen(prefix) + strlen(key), " = ");
}

static guint count_lines(char **lines, const char *prefix, const char *key)
{
    guint count = 0;

    for (; *lines != NULL; lines++)
        count += is_line_of(*lines, prefix, key);
    return count;
}

/* What a first installation needs, in the place of the program's own defaults. */
static void put_first_installation(GString *shown)
{
    g_string_replace(shown, "\nmode = rewrite\n", "\nmode = log-only\n", 1);
    g_string_replace(shown, "socket = inet:8894@127.0.0.1\n",
                     "socket = unix:/var/spool/postfix/spfrom/milter.sock\n", 1);
}

/* What it gives is what its comments say: the defaults, but for what a first installation needs. */
static void test_installed(void **state G_GNUC_UNUSED)
{
    g_autofree char *text = installed_text();
    g_autoptr(GError) error = NULL;
    g_autoptr(Settings) settings = NULL;
    g_autofree char *shown = NULL;
    g_autoptr(GString) wanted = g_string_new(defaults);

    if (text == NULL)
        skip();
    settings = parse(text, &error);
    assert_null(error);
    shown = shown_settings(settings);
    put_first_installation(wanted);
    assert_string_equal(shown, wanted->str);
}

/* Every key stands there once, and every commented line that gives one gives its default. */
static void test_installed_defaults(void **state G_GNUC_UNUSED)
{
    g_autofree char *text = installed_text();
    g_auto(GStrv) lines = NULL;
    g_autoptr(GString) uncommented = NULL;
    g_autoptr(GError) error = NULL;
    g_autoptr(Settings) settings = NULL;
    g_autofree char *shown = NULL;
    g_autoptr(GString) wanted = g_string_new(defaults);

    if (text == NULL)
        skip();
    lines = g_strsplit(text, "\n", -1);
    uncommented = g_string_new(text);
    for (size_t i = 0; i < settings_keys_length; i++) {
        const char *key = settings_keys[i].name;

        if ((settings_keys[i].flags & SETTINGS_KEY_MAP) != 0)
            continue;
        g_autofree char *commented = g_strdup_printf("\n# %s = ", key);
        g_autofree char *given = g_strdup_printf("\n%s = ", key);

        if (count_lines(lines, "", key) == 1)
            continue; /* commented lines of such a key are examples */
        print_message("# %s\n", key);
        assert_int_equal(count_lines(lines, "# ", key), 1);
        g_string_replace(uncommented, commented, given, 0);
    }
    settings = parse(uncommented->str, &error);
    assert_null(error);
    shown = shown_settings(settings);
    put_first_installation(wanted);
    assert_string_equal(shown, wanted->str);
}

int main(void)
{
    GArray *tests = table_new();

    g_setenv("SPFROM_TEST_NAME", "#x", TRUE);
    mailboxes_init();
    table_add(tests, "defaults", test_defaults, NULL);
    TABLE_ADD(tests, value_rows, test_value);
    TABLE_ADD(tests, error_rows, test_error);
    TABLE_ADD(tests, file_rows, test_file);
    TABLE_ADD(tests, section_rows, test_section);
    table_add(tests, "a list where one value is meant", test_scalars, NULL);
    table_add(tests, "all keys of a section", test_section_keys, NULL);
    table_add(tests, "the fallback addresses of all sections", test_fallbacks, NULL);
    table_add(tests, "no file", test_missing, NULL);
    table_add(tests, "1 MiB and one octet more", test_long, NULL);
    table_add(tests, "a list of 100,000", test_long_list, NULL);
    table_add(tests, "a domain_map of 100,000 lines", test_long_map, NULL);
    table_add(tests, "a domain_map read anew", test_map_anew, NULL);
    table_add(tests, "a system without a host name", test_no_hostname, NULL);
    table_add(tests, "keys that need a restart stay", test_keep, NULL);
    table_add(tests, "where a key stands", test_locate, NULL);
    table_add(tests, "references", test_references, NULL);
    table_add(tests, "after an error", test_after_error, NULL);
    table_add(tests, "four threads", test_threads, NULL);
    table_add(tests, "spfrom.conf as installed", test_installed, NULL);
    table_add(tests, "spfrom.conf names each key with its default", test_installed_defaults, NULL);
    return table_run(tests, "settings_parse");
}
