#include "config.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "advice/check_subject.h"
#include "base/clock.h"
#include "cli/configuration.h"
#include "cli/control.h"
#include "cli/subcommand.h"
#include "control/message_record.h"
#include "mail/mailboxes.h"
#include "show/message_story.h"
#include "show/page.h"
#include "show/paragraph.h"

#define SHOWN_DEFAULT 5
#define LINE_MAX_OCTETS 16384 /* of a log; a longer line is none of ours */

typedef struct {
    const char *log; /* a file; NULL: the daemon's memory, then the usual files */
    guint limit;
    bool is_json;
    const char *language;
    Language *told; /* what language names; NULL: English */
} Options;

static const Option option_rows[] = {
    {.name = "log",
     .argument = "FILE",
     .kind = OPTION_TEXT,
     .member = offsetof(Options, log),
     .files = FILES_ANY,
     .help = "search this log, and do not ask the daemon"},
    {.name = "limit",
     .argument = "N",
     .kind = OPTION_NUMBER,
     .member = offsetof(Options, limit),
     .min = 1,
     .max = CONTROL_RECENT_MAX,
     .help = "tell of at most so many messages, the newest first (default 5)"},
    {.name = "json",
     .kind = OPTION_FLAG,
     .member = offsetof(Options, is_json),
     .help = "print JSON, an array"},
    {.name = "lang",
     .argument = "de|en",
     .kind = OPTION_TEXT,
     .member = offsetof(Options, language),
     .words = "de en",
     .help = "the language of the sentences (default en)"},
};

/* What is asked for: each is one way to read the operand, or NULL. */
typedef struct {
    const char *queue_id;
    char *message_id;
    char *address;
    char *domain;
} Wanted;

static void wanted_clear(Wanted *wanted)
{
    g_free(wanted->message_id);
    g_free(wanted->address);
    g_free(wanted->domain);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Wanted, wanted_clear)

/* "<a@b>" and "a@b" may be a message id or an address; the rest is a queue id, or a domain. */
static void read_operand(const char *text, Wanted *wanted)
{
    g_autoptr(CheckSubject) subject = check_subject_parse(text);
    gsize length = strlen(text);
    bool is_bracketed = length > 2 && text[0] == '<' && text[length - 1] == '>';

    if (strchr(text, '@') == NULL) {
        wanted->queue_id = text;
        if (!subject->is_malformed && strchr(subject->domain, '.') != NULL)
            wanted->domain = g_strdup(subject->domain);
        return;
    }
    wanted->message_id = is_bracketed ? g_strndup(text + 1, length - 2) : g_strdup(text);
    if (!subject->is_malformed && subject->local_part != NULL) {
        g_autofree char *plain = g_strconcat(subject->local_part, "@", subject->domain, NULL);
        g_autoptr(Mailbox) mailbox = mailbox_parse_path(plain);

        wanted->address = g_strdup(mailbox->addr_spec);
    }
}

/* NULL with error: the daemon does not answer. */
static GPtrArray *ask_by(const char *socket, ControlRequest request, GError **error)
{
    request.command = CONTROL_RECENT;
    return control_client_recent(socket, &request, CONTROL_QUICK, error);
}

/* The daemon's messages, by the first reading of the operand that finds one. */
static GPtrArray *ask_daemon(const char *socket, const Options *options, const Wanted *wanted,
                             GError **error)
{
    const ControlRequest requests[] = {
        {.queue_id = (char *)wanted->queue_id, .limit = options->limit},
        {.message_id = wanted->message_id, .limit = options->limit},
        {.address = wanted->address, .limit = options->limit},
        {.domain = wanted->domain, .limit = options->limit},
    };
    GPtrArray *found = NULL;

    for (size_t i = 0; i < G_N_ELEMENTS(requests); i++) {
        if (requests[i].queue_id == NULL && requests[i].message_id == NULL &&
            requests[i].address == NULL && requests[i].domain == NULL)
            continue;
        g_clear_pointer(&found, g_ptr_array_unref);
        found = ask_by(socket, requests[i], error);
        if (found == NULL || found->len > 0)
            return found;
    }
    return found;
}

/* One line of ours in a log. */
typedef struct {
    char *when; /* what stands before the program's name */
    MessageRecord *record;
} Logged;

static void logged_free(Logged *logged)
{
    g_free(logged->when);
    message_record_free(logged->record);
    g_free(logged);
}

/* Of "Nov 29 12:00:00 host spfrom-milter[12]: 4fKx2n: action=…" what is behind the program's name,
 * and in when what is before it; NULL: the line is of another program. */
static const char *line_of(const char *line, const char *program, char **when)
{
    const char *found = strstr(line, program);
    const char *text = found != NULL ? strstr(found, ": ") : NULL;
    gsize length;

    if (text == NULL)
        return NULL;
    length = (gsize)(found - line);
    *when = g_strndup(line, length);
    g_strchomp(*when);
    return text + 2;
}

static bool is_mailbox(const MessageRecord *record, const char *address)
{
    const char *author = message_record_get(record, "author");
    const char *sender = message_record_get(record, "sender");

    return (author != NULL && g_ascii_strcasecmp(author, address) == 0) ||
           (sender != NULL && g_ascii_strcasecmp(sender, address) == 0);
}

/* ids: queue ids that the MTA logged with the message id. */
static bool is_wanted(const Wanted *wanted, GHashTable *ids, const MessageRecord *record)
{
    if (wanted->queue_id != NULL && strcmp(record->queue_id, wanted->queue_id) == 0)
        return true;
    if (wanted->address != NULL && is_mailbox(record, wanted->address))
        return true;
    if (wanted->domain != NULL &&
        g_strcmp0(message_record_get(record, "domain"), wanted->domain) == 0)
        return true;
    return g_hash_table_contains(ids, record->queue_id);
}

/* Postfix: "4fKx2n: message-id=<1@x>"; Sendmail: "4fKx2n: from=…, msgid=<1@x>, …". */
static void note_message_id(const Wanted *wanted, const char *line, GHashTable *ids)
{
    g_autofree char *named = g_strconcat("<", wanted->message_id, ">", NULL);
    const char *id = strstr(line, "]: ");
    const char *end = id != NULL ? strchr(id + 3, ':') : NULL;

    if (end != NULL && strstr(end, named) != NULL &&
        (strstr(end, "message-id=") != NULL || strstr(end, "msgid=") != NULL))
        g_hash_table_add(ids, g_strndup(id + 3, (gsize)(end - id) - 3));
}

static void note_line(const Wanted *wanted, const char *line, GHashTable *ids, GPtrArray *found)
{
    g_autofree char *when = NULL;
    g_autofree char *queue_id = NULL;
    const char *text = line_of(line, "spfrom-milter[", &when);
    const char *colon = text != NULL ? strstr(text, ": action=") : NULL;
    Logged *logged;

    if (colon == NULL) {
        if (wanted->message_id != NULL)
            note_message_id(wanted, line, ids);
        return;
    }
    queue_id = g_strndup(text, (gsize)(colon - text));
    logged = g_new0(Logged, 1);
    logged->record = message_record_new(0, queue_id, NULL, colon + 2);
    logged->when = g_steal_pointer(&when);
    g_ptr_array_add(found, logged);
    if (!is_wanted(wanted, ids, logged->record))
        g_ptr_array_set_size(found, (gint)found->len - 1);
}

static void read_lines(FILE *stream, const Wanted *wanted, GHashTable *ids, GPtrArray *found)
{
    g_autofree char *line = g_malloc(LINE_MAX_OCTETS);

    while (fgets(line, LINE_MAX_OCTETS, stream) != NULL) {
        line[strcspn(line, "\r\n")] = '\0';
        note_line(wanted, line, ids, found);
    }
}

static const char *const usual_logs[] = {"/var/log/mail.log", "/var/log/maillog",
                                         "/var/log/syslog"};

/* Sendmail logs the message id behind our line: then the log is read once more. Returns false if
 * there is no log. */
static bool read_log(const char *file, const Wanted *wanted, GPtrArray *found)
{
    g_autoptr(GHashTable) ids = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
    FILE *stream = fopen(file, "re");

    if (stream == NULL)
        return false;
    read_lines(stream, wanted, ids, found);
    if (found->len == 0 && g_hash_table_size(ids) > 0 && fseek(stream, 0, SEEK_SET) == 0)
        read_lines(stream, wanted, ids, found);
    fclose(stream);
    return true;
}

/* The usual files; if none of them can be read, the journal. */
static bool read_logs(const Wanted *wanted, GPtrArray *found)
{
    bool is_read = false;
    FILE *journal;

    for (size_t i = 0; i < G_N_ELEMENTS(usual_logs) && found->len == 0; i++)
        is_read = read_log(usual_logs[i], wanted, found) || is_read;
    if (found->len > 0)
        return true;
    journal = access("/run/systemd/journal", F_OK) == 0
                  ? popen("exec journalctl -q --no-pager -o short-iso -t spfrom-milter -t "
                          "postfix/cleanup -t sm-mta -t sendmail 2>/dev/null",
                          "re")
                  : NULL;
    if (journal != NULL) {
        g_autoptr(GHashTable) ids = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);

        read_lines(journal, wanted, ids, found);
        is_read = pclose(journal) == 0 || is_read;
    }
    return is_read;
}

static void add_story(Page *page, const Language *language, const MessageRecord *record,
                      const char *when)
{
    g_auto(GStrv) sentences = message_story_in(language, record);
    g_autofree char *joined = g_strjoinv(" ", sentences);
    g_autofree char *safe = page_safe(joined, -1);
    g_autoptr(GString) text = g_string_new(NULL);

    page_add(page, PAGE_STRONG, record->queue_id);
    if (when != NULL)
        page_printf(page, PAGE_PLAIN, ", %s", when);
    page_raw(page, PAGE_PLAIN, "\n");
    paragraph_append(text, safe, "  ", "  ");
    page_raw(page, PAGE_PLAIN, text->str);
}

static json_t *record_json(const Language *language, const MessageRecord *record, const char *when)
{
    json_t *json = message_record_write(record);
    g_auto(GStrv) sentences = message_story_in(language, record);
    g_autofree char *text = g_strjoinv(" ", sentences);
    json_t *values = json_object();
    GHashTableIter iterator;
    gpointer key;
    gpointer value;

    g_hash_table_iter_init(&iterator, record->values);
    while (g_hash_table_iter_next(&iterator, &key, &value))
        json_object_set_new(values, key, json_string(value));
    json_object_set_new(json, "values", values);
    json_object_set_new(json, "text", json_string(text));
    if (when != NULL)
        json_object_set_new(json, "logged", json_string(when));
    return json;
}

/* The time of a record, for people; owned by the caller. */
static char *when_of(const MessageRecord *record)
{
    g_autofree char *time = record->time != 0 ? clock_rfc3339(record->time) : NULL;

    return time != NULL ? page_relative_time(time, clock_wall(&clock_system) / CLOCK_SECOND) : NULL;
}

/* Tells of all in records, of MessageRecord or Logged, newest first. */
static void tell(const Options *options, const GPtrArray *records, const GPtrArray *logged)
{
    guint count = records != NULL ? records->len : MIN(logged->len, options->limit);
    json_t *json = json_array();
    g_auto(Page) page;

    page_init(&page, page_wants_colour(stdout));
    for (guint i = 0; i < count; i++) {
        const Logged *line =
            records != NULL ? NULL : g_ptr_array_index(logged, logged->len - 1 - i);
        const MessageRecord *record = line != NULL ? line->record : g_ptr_array_index(records, i);
        g_autofree char *when = line != NULL ? g_strdup(line->when) : when_of(record);

        if (options->is_json)
            json_array_append_new(
                json, record_json(options->told, record, line != NULL ? line->when : NULL));
        else
            add_story(&page, options->told, record, when);
    }
    if (options->is_json)
        control_print_json(json);
    else
        page_print(&page, stdout);
    json_decref(json);
}

static int answer_from_log(const Options *options, const Wanted *wanted, const char *text,
                           const GError *trouble)
{
    g_autoptr(GPtrArray) found = g_ptr_array_new_with_free_func((GDestroyNotify)logged_free);
    bool is_read =
        options->log != NULL ? read_log(options->log, wanted, found) : read_logs(wanted, found);

    if (found->len > 0) {
        tell(options, NULL, found);
        return CLI_YES;
    }
    if (trouble != NULL)
        subcommand_error(&why_subcommand, CLI_UNAVAILABLE, "%s", trouble->message);
    if (!is_read && options->log != NULL)
        return subcommand_error(&why_subcommand, CLI_USAGE, "%s can't be read", options->log);
    if (options->is_json)
        tell(options, NULL, found);
    if (!is_read && trouble != NULL)
        return subcommand_error(&why_subcommand, CLI_UNAVAILABLE,
                                "there is no log to be read, either");
    return subcommand_error(&why_subcommand, CLI_NO, "no message of \"%s\" is known%s", text,
                            is_read ? ""
                                    : "; the daemon remembers the last 1,000, and there is no "
                                      "log to be read (--log FILE)");
}

static int answer(const Options *options, const CliContext *context, const char *text)
{
    g_auto(Wanted) wanted = {0};
    g_autofree char *warning = NULL;
    g_autofree char *socket = NULL;
    g_autoptr(GError) error = NULL;
    g_autoptr(GPtrArray) found = NULL;

    read_operand(text, &wanted);
    if (options->log == NULL) {
        socket = configuration_control_socket(context, &warning, &error);
        if (socket != NULL)
            found = ask_daemon(socket, options, &wanted, &error);
    }
    if (found == NULL || found->len == 0)
        return answer_from_log(options, &wanted, text, error);
    tell(options, found, NULL);
    return CLI_YES;
}

static int run(int argc, char **argv, CliContext *context)
{
    Options options = {.limit = SHOWN_DEFAULT};
    g_autoptr(GError) error = NULL;
    char **operands;
    int status = subcommand_parse(&why_subcommand, context, argc, argv, &options, &operands);

    if (status != SUBCOMMAND_GO_ON)
        return status;
    if (*operands == NULL || **operands == '\0')
        return subcommand_usage_error(&why_subcommand,
                                      "name a queue id, a message id or an address");
    options.told = options.language != NULL ? language_choose(options.language, &error) : NULL;
    if (g_error_matches(error, LANGUAGE_ERROR, LANGUAGE_ERROR_UNKNOWN))
        return subcommand_usage_error(&why_subcommand, "--lang: %s", error->message);
    if (error != NULL)
        return subcommand_error(&why_subcommand, CLI_CONFIGURATION, "%s", error->message);
    status = answer(&options, context, *operands);
    g_clear_pointer(&options.told, language_free);
    return status;
}

const Subcommand why_subcommand = {
    .name = "why",
    .summary = "what became of a message, and why?",
    .operands = "QUEUE-ID|MESSAGE-ID|ADDRESS",
    .operand = "message",
    .operands_max = 1,
    .asks_daemon = true,
    .description =
        "Tells in sentences what became of a message and why. The daemon remembers the last 1,000; "
        "older ones are searched in the log: /var/log/mail.log, /var/log/maillog, /var/log/syslog, "
        "else the journal. Of an address, or a domain, the newest messages are told.",
    .options = option_rows,
    .options_count = G_N_ELEMENTS(option_rows),
    .notes = "A message id is found in a log by the line with it that the MTA wrote. With "
             "log_addresses = domain, an address is found in the daemon's memory alone.",
    .exit_status =
        "0 told, 1 no such message is known, 2 wrong usage, 69 neither the daemon nor a log "
        "can be read, 78 no such language is installed",
    .examples = "spfrom why 4fKx2n\nspfrom why erika@praxis-mustermann.de",
    .run = run,
};
