#include "config.h"

#include "doctor/sendmail_cf.h"

#include <string.h>

#include "base/clock.h"

/* Where the line "X" names no other. */
#define READ_TIME 10 /* seconds */
#define END_TIME 300

static void milter_free(SendmailMilter *milter)
{
    g_free(milter->name);
    g_free(milter->socket);
    g_clear_pointer(&milter->address, milter_address_free);
    g_free(milter);
}

static void daemon_free(SendmailDaemon *daemon)
{
    g_free(daemon->name);
    g_clear_pointer(&daemon->filters, g_ptr_array_unref);
    g_free(daemon);
}

void sendmail_cf_free(SendmailCf *cf)
{
    g_ptr_array_unref(cf->milters);
    g_ptr_array_unref(cf->filters);
    g_ptr_array_unref(cf->daemons);
    g_free(cf->smart_host);
    g_free(cf->mta_host);
    g_free(cf);
}

/* The names in text, without blanks, of char *. */
static GPtrArray *names_in(const char *text)
{
    GPtrArray *names = g_ptr_array_new_with_free_func(g_free);
    g_auto(GStrv) parts = g_strsplit_set(text, ",; \t", -1);

    for (guint i = 0; parts[i] != NULL; i++)
        if (*parts[i] != '\0')
            g_ptr_array_add(names, g_strdup(parts[i]));
    return names;
}

/* A time without a unit is in seconds here. */
static gint64 parse_time(const char *text, gint64 otherwise)
{
    gint64 seconds = clock_span_parse(text, NULL);

    return seconds >= 0 ? seconds : otherwise;
}

/* "C:5s;S:10s;R:20s;E:60s" */
static void parse_times(SendmailMilter *milter, const char *text)
{
    g_auto(GStrv) parts = g_strsplit(text, ";", -1);

    for (guint i = 0; parts[i] != NULL; i++) {
        const char *part = g_strstrip(parts[i]);

        if (g_str_has_prefix(part, "R:"))
            milter->read_time = parse_time(part + 2, milter->read_time);
        else if (g_str_has_prefix(part, "E:"))
            milter->end_time = parse_time(part + 2, milter->end_time);
    }
}

static void parse_equate(SendmailMilter *milter, const char *equate)
{
    const char *value = equate[0] != '\0' && equate[1] == '=' ? equate + 2 : "";

    switch (g_ascii_toupper(equate[0])) {
    case 'S':
        g_free(milter->socket);
        milter->socket = g_strdup(value);
        break;
    case 'F':
        milter->flag = value[0];
        break;
    case 'T':
        parse_times(milter, value);
        break;
    default:
        break;
    }
}

static void parse_milter(SendmailCf *cf, const char *line)
{
    g_auto(GStrv) parts = g_strsplit(line + 1, ",", -1);
    SendmailMilter *milter = g_new0(SendmailMilter, 1);

    milter->name = g_strstrip(g_strdup(parts[0] != NULL ? parts[0] : ""));
    milter->read_time = READ_TIME;
    milter->end_time = END_TIME;
    for (guint i = 1; parts[0] != NULL && parts[i] != NULL; i++)
        parse_equate(milter, g_strstrip(parts[i]));
    if (milter->socket == NULL)
        milter->socket = g_strdup("");
    milter->address = milter_address_parse(milter->socket);
    g_ptr_array_add(cf->milters, milter);
}

static void parse_daemon(SendmailCf *cf, const char *options)
{
    g_auto(GStrv) parts = g_strsplit(options, ",", -1);
    SendmailDaemon *daemon = g_new0(SendmailDaemon, 1);

    daemon->name = g_strdup("MTA");
    for (guint i = 0; parts[i] != NULL; i++) {
        const char *option = g_strstrip(parts[i]);
        const char *value = strchr(option, '=');

        if (value == NULL)
            continue;
        if (g_ascii_toupper(option[0]) == 'N') {
            g_free(daemon->name);
            daemon->name = g_strdup(value + 1);
        } else if (g_ascii_toupper(option[0]) == 'I') {
            g_clear_pointer(&daemon->filters, g_ptr_array_unref);
            daemon->filters = names_in(value + 1);
        }
    }
    g_ptr_array_add(cf->daemons, daemon);
}

/* The value of line where it is "O name=value". */
static const char *option_value(const char *line, const char *name)
{
    const char *at;

    if (line[0] != 'O')
        return NULL;
    at = line + 1 + strspn(line + 1, " \t");
    if (g_ascii_strncasecmp(at, name, strlen(name)) != 0)
        return NULL;
    at += strlen(name);
    return *at == '=' ? at + 1 : NULL;
}

static char *host_of(const char *text)
{
    const char *colon = *text != '[' ? strchr(text, ':') : NULL; /* "esmtp:[host]" */

    text = colon != NULL ? colon + 1 : text;
    return *text != '\0' ? g_strdup(text) : NULL;
}

static void parse_line(SendmailCf *cf, const char *line)
{
    const char *value;

    if (line[0] == 'X') {
        parse_milter(cf, line);
    } else if ((value = option_value(line, "InputMailFilters")) != NULL) {
        g_ptr_array_unref(cf->filters);
        cf->filters = names_in(value);
    } else if ((value = option_value(line, "DaemonPortOptions")) != NULL) {
        parse_daemon(cf, value);
    } else if (g_str_has_prefix(line, "DS")) {
        g_free(cf->smart_host);
        cf->smart_host = host_of(line + 2);
    } else if (g_str_has_prefix(line, "D{MTAHost}")) {
        g_free(cf->mta_host);
        cf->mta_host = host_of(line + strlen("D{MTAHost}"));
    } else if (g_str_has_prefix(line, "Kgenerics ")) {
        cf->has_generics = true;
    }
}

SendmailCf *sendmail_cf_parse(const char *text)
{
    SendmailCf *cf = g_new0(SendmailCf, 1);
    g_autoptr(GString) whole = g_string_new(text);
    g_auto(GStrv) lines = NULL;

    cf->milters = g_ptr_array_new_with_free_func((GDestroyNotify)milter_free);
    cf->filters = g_ptr_array_new_with_free_func(g_free);
    cf->daemons = g_ptr_array_new_with_free_func((GDestroyNotify)daemon_free);
    g_string_replace(whole, "\n\t", " ", 0); /* a line goes on after a blank */
    g_string_replace(whole, "\n ", " ", 0);
    lines = g_strsplit(whole->str, "\n", -1);
    for (guint i = 0; lines[i] != NULL; i++)
        parse_line(cf, g_strchomp(lines[i]));
    return cf;
}

const SendmailMilter *sendmail_cf_milter(const SendmailCf *cf, const char *name)
{
    for (guint i = 0; i < cf->milters->len; i++) {
        const SendmailMilter *milter = g_ptr_array_index(cf->milters, i);

        if (strcmp(milter->name, name) == 0)
            return milter;
    }
    return NULL;
}
