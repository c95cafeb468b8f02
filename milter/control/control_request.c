#include "config.h"

#include "control/control_request.h"

#include <string.h>

#include "base/clock.h"
#include "base/domain_name.h"
#include "mail/mailboxes.h"

#define WHO_MAX 64   /* octets of a user's name; what is longer is cut */
#define SHOWN_MAX 40 /* octets of a name that is told back */
#define MEMBERS_MAX 6

G_DEFINE_QUARK(spfrom_control_request_error, control_request_error)

typedef bool (*Reader)(const json_t *object, ControlRequest *request, GError **error);

static bool refuse(GError **error, const char *what)
{
    g_set_error_literal(error, CONTROL_REQUEST_ERROR, CONTROL_REQUEST_ERROR_MEMBER, what);
    return false;
}

/* A number of seconds, or text as in the configuration. */
static bool read_span(const json_t *value, gint64 *seconds, GError **error)
{
    g_autofree char *number = NULL;
    g_autoptr(GError) cause = NULL;

    if (json_is_integer(value))
        number = g_strdup_printf("%" JSON_INTEGER_FORMAT, json_integer_value(value));
    else if (!json_is_string(value))
        return refuse(error, "\"for\" is a time: \"2h\", or a number of seconds");
    *seconds = clock_span_parse(number != NULL ? number : json_string_value(value), &cause);
    if (*seconds > 0)
        return true;
    g_set_error(error, CONTROL_REQUEST_ERROR, CONTROL_REQUEST_ERROR_MEMBER, "\"for\": %s",
                cause != NULL ? cause->message : "at least 1 second");
    return false;
}

static bool read_switch(const json_t *object, ControlRequest *request, GError **error)
{
    const char *mode = json_string_value(json_object_get(object, "mode"));
    const json_t *span = json_object_get(object, "for");

    if (mode == NULL || !mode_parse(mode, &request->mode))
        return refuse(error, "\"mode\" is \"rewrite\", \"log-only\" or \"off\"");
    request->command = CONTROL_MODE_SET;
    return span == NULL || read_span(span, &request->seconds, error);
}

static bool read_mode(const json_t *object, ControlRequest *request, GError **error)
{
    const json_t *clear = json_object_get(object, "clear");
    const char *who = json_string_value(json_object_get(object, "who"));
    const json_t *here = json_object_get(object, "here");
    bool is_clear = json_is_true(clear);

    if (here != NULL && !json_is_boolean(here))
        return refuse(error, "\"here\" is true or false");
    request->is_here = json_is_true(here);
    if (clear != NULL && !json_is_boolean(clear))
        return refuse(error, "\"clear\" is true or false");
    request->who = g_strndup(who != NULL ? who : "", WHO_MAX);
    request->has_detail = json_is_true(json_object_get(object, "detail"));
    if (json_object_get(object, "mode") != NULL) {
        if (is_clear)
            return refuse(error, "\"mode\" and \"clear\" exclude each other");
        return read_switch(object, request, error);
    }
    if (json_object_get(object, "for") != NULL)
        return refuse(error, "\"for\" goes with \"mode\"");
    if (request->is_here && !is_clear)
        return refuse(error, "\"here\" goes with \"mode\" or \"clear\"");
    request->command = is_clear ? CONTROL_MODE_CLEAR : CONTROL_MODE;
    return true;
}

static bool read_flush(const json_t *object, ControlRequest *request, GError **error)
{
    const json_t *domain = json_object_get(object, "domain");

    if (domain == NULL)
        return true;
    if (json_is_string(domain))
        request->domain = domain_name_parse(json_string_value(domain), NULL);
    return request->domain != NULL ||
           refuse(error, request->command == CONTROL_FLUSH
                             ? "\"domain\" is a domain name; without it all is flushed"
                             : "\"domain\" is a domain name");
}

static bool read_metrics(const json_t *object, ControlRequest *request, GError **error)
{
    const json_t *format = json_object_get(object, "format");
    const char *text = json_string_value(format);

    if (format == NULL || g_strcmp0(text, "openmetrics") == 0)
        return true;
    request->is_prometheus = g_strcmp0(text, "prometheus") == 0;
    return request->is_prometheus ||
           refuse(error, "\"format\" is \"openmetrics\" or \"prometheus\"");
}

static bool read_find(const json_t *object, ControlRequest *request, GError **error)
{
    const json_t *queue_id = json_object_get(object, "queue_id");

    if (!json_is_string(queue_id))
        return refuse(error, "\"queue_id\" is the text by which the MTA knows a message");
    request->queue_id = g_strdup(json_string_value(queue_id));
    return true;
}

/* Takes a text member, if there is one. */
static bool read_text(const json_t *object, const char *member, char **text, GError **error)
{
    const json_t *value = json_object_get(object, member);

    if (value == NULL)
        return true;
    *text = g_strdup(json_string_value(value));
    if (*text != NULL)
        return true;
    g_set_error(error, CONTROL_REQUEST_ERROR, CONTROL_REQUEST_ERROR_MEMBER, "\"%s\" is a text",
                member);
    return false;
}

static bool read_resolve(const json_t *object, ControlRequest *request, GError **error)
{
    return read_text(object, "query", &request->query, error) &&
           (request->query != NULL || refuse(error, "\"query\" is an address or a token"));
}

static bool read_fleet(const json_t *object, ControlRequest *request, GError **error)
{
    return read_text(object, "forget", &request->forget, error);
}

static bool read_address(ControlRequest *request, GError **error)
{
    g_autoptr(Mailbox) mailbox = mailbox_parse_path(request->address);

    if (mailbox->addr_spec == NULL)
        return refuse(error, "\"address\" is a mail address: \"anna@praxis.example\"");
    g_free(request->address);
    request->address = g_strdup(mailbox->addr_spec);
    return true;
}

static bool read_recent(const json_t *object, ControlRequest *request, GError **error)
{
    const json_t *limit = json_object_get(object, "limit");

    if (limit != NULL &&
        (json_integer_value(limit) < 1 || json_integer_value(limit) > CONTROL_RECENT_MAX))
        return refuse(error, "\"limit\" is a number from 1 to 100");
    request->limit = (guint)json_integer_value(limit);
    return read_flush(object, request, error) &&
           read_text(object, "queue_id", &request->queue_id, error) &&
           read_text(object, "message_id", &request->message_id, error) &&
           read_text(object, "address", &request->address, error) &&
           (request->address == NULL || read_address(request, error));
}

static const struct command {
    const char *name;
    ControlCommand command;
    const char *members[MEMBERS_MAX]; /* besides "command" */
    Reader read;                      /* NULL: there is nothing to read */
} commands[] = {
    {"status", CONTROL_STATUS, {NULL}, NULL},
    {"mode", CONTROL_MODE, {"mode", "for", "clear", "here", "who", "detail"}, read_mode},
    {"reload", CONTROL_RELOAD, {NULL}, NULL},
    {"flush", CONTROL_FLUSH, {"domain"}, read_flush},
    {"metrics", CONTROL_METRICS, {"format"}, read_metrics},
    {"find", CONTROL_FIND, {"queue_id"}, read_find},
    {"resolve", CONTROL_RESOLVE, {"query"}, read_resolve},
    {"config", CONTROL_CONFIG, {NULL}, NULL},
    {"fleet", CONTROL_FLEET, {"forget"}, read_fleet},
    {"recent",
     CONTROL_RECENT,
     {"domain", "queue_id", "message_id", "address", "limit"},
     read_recent},
};

static const struct command *find_command(const char *name)
{
    for (size_t i = 0; i < G_N_ELEMENTS(commands); i++)
        if (strcmp(commands[i].name, name) == 0)
            return &commands[i];
    return NULL;
}

static char *known_commands(void)
{
    g_autoptr(GString) names = g_string_new(NULL);

    for (size_t i = 0; i < G_N_ELEMENTS(commands); i++)
        g_string_append_printf(names, "%s\"%s\"", i > 0 ? ", " : "", commands[i].name);
    return g_string_free(g_steal_pointer(&names), FALSE);
}

/* Names the unknown name, if it is short enough, and those that are known. */
static void set_unknown(const char *kind, const char *name, const char *known, GError **error)
{
    if (strlen(name) <= SHOWN_MAX)
        g_set_error(error, CONTROL_REQUEST_ERROR, CONTROL_REQUEST_ERROR_MEMBER,
                    "unknown %s \"%s\"; known: %s", kind, name, known);
    else
        g_set_error(error, CONTROL_REQUEST_ERROR, CONTROL_REQUEST_ERROR_MEMBER,
                    "unknown %s; known: %s", kind, known);
}

static bool takes(const struct command *command, const char *member)
{
    if (strcmp(member, "command") == 0)
        return true;
    for (size_t i = 0; i < MEMBERS_MAX && command->members[i] != NULL; i++)
        if (strcmp(command->members[i], member) == 0)
            return true;
    return false;
}

static char *known_members(const struct command *command)
{
    g_autoptr(GString) names = g_string_new("\"command\"");

    for (size_t i = 0; i < MEMBERS_MAX && command->members[i] != NULL; i++)
        g_string_append_printf(names, ", \"%s\"", command->members[i]);
    return g_string_free(g_steal_pointer(&names), FALSE);
}

static bool check_members(const struct command *command, json_t *object, GError **error)
{
    const char *member;
    json_t *value;

    json_object_foreach(object, member, value)
    {
        if (!takes(command, member)) {
            g_autofree char *known = known_members(command);

            set_unknown("member", member, known, error);
            return false;
        }
    }
    return true;
}

static bool read_object(json_t *object, ControlRequest *request, GError **error)
{
    const char *name = json_string_value(json_object_get(object, "command"));
    const struct command *command = name != NULL ? find_command(name) : NULL;
    g_autofree char *known = known_commands();

    if (!json_is_object(object))
        return refuse(error, "a line is one JSON object: {\"command\":\"status\"}");
    if (name == NULL) {
        g_set_error(error, CONTROL_REQUEST_ERROR, CONTROL_REQUEST_ERROR_MEMBER,
                    "\"command\" is missing or no text; it is one of %s", known);
        return false;
    }
    if (command == NULL) {
        set_unknown("command", name, known, error);
        return false;
    }
    request->command = command->command;
    return check_members(command, object, error) &&
           (command->read == NULL || command->read(object, request, error));
}

static void set_json_error(const json_error_t *where, GError **error)
{
    g_autofree char *what = g_utf8_make_valid(where->text, -1); /* it may cut what it quotes */

    g_set_error(error, CONTROL_REQUEST_ERROR, CONTROL_REQUEST_ERROR_JSON,
                "not JSON: %s, at octet %d; write one object a line: {\"command\":\"status\"}",
                what, where->position);
}

bool control_request_parse(const char *line, gsize length, ControlRequest *request, GError **error)
{
    json_error_t where;
    json_t *object = json_loadb(line, length, JSON_REJECT_DUPLICATES | JSON_DECODE_ANY, &where);
    bool is_read;

    *request = (ControlRequest){.domain = NULL};
    if (object == NULL) {
        set_json_error(&where, error);
        return false;
    }
    is_read = read_object(object, request, error);
    json_decref(object);
    if (!is_read)
        control_request_clear(request);
    return is_read;
}

/* CONTROL_MODE_SET and CONTROL_MODE_CLEAR have the name of CONTROL_MODE. */
static const char *command_name(ControlCommand command)
{
    for (size_t i = 0; i < G_N_ELEMENTS(commands); i++)
        if (commands[i].command == command)
            return commands[i].name;
    return "mode";
}

json_t *control_request_write(const ControlRequest *request)
{
    json_t *object = json_object();

    json_object_set_new(object, "command", json_string(command_name(request->command)));
    if (request->command == CONTROL_MODE_SET)
        json_object_set_new(object, "mode", json_string(mode_text(request->mode)));
    if (request->seconds > 0)
        json_object_set_new(object, "for", json_integer(request->seconds));
    if (request->command == CONTROL_MODE_CLEAR)
        json_object_set_new(object, "clear", json_true());
    if (request->is_here)
        json_object_set_new(object, "here", json_true());
    if (request->forget != NULL)
        json_object_set_new(object, "forget", json_string(request->forget));
    if (request->who != NULL && *request->who != '\0')
        json_object_set_new(object, "who", json_string(request->who));
    if (request->has_detail)
        json_object_set_new(object, "detail", json_true());
    if (request->domain != NULL)
        json_object_set_new(object, "domain", json_string(request->domain));
    if (request->queue_id != NULL)
        json_object_set_new(object, "queue_id", json_string(request->queue_id));
    if (request->message_id != NULL)
        json_object_set_new(object, "message_id", json_string(request->message_id));
    if (request->address != NULL)
        json_object_set_new(object, "address", json_string(request->address));
    if (request->query != NULL)
        json_object_set_new(object, "query", json_string(request->query));
    if (request->limit > 0)
        json_object_set_new(object, "limit", json_integer(request->limit));
    if (request->is_prometheus)
        json_object_set_new(object, "format", json_string("prometheus"));
    return object;
}

void control_request_clear(ControlRequest *request)
{
    g_clear_pointer(&request->domain, g_free);
    g_clear_pointer(&request->who, g_free);
    g_clear_pointer(&request->forget, g_free);
    g_clear_pointer(&request->queue_id, g_free);
    g_clear_pointer(&request->message_id, g_free);
    g_clear_pointer(&request->address, g_free);
    g_clear_pointer(&request->query, g_free);
}
