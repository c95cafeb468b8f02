#include "config.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "advice/words/advice_json.h"
#include "cli/configuration.h"
#include "cli/message_file.h"
#include "show/page.h"
#include "cli/subcommand.h"
#include "mail/header_fields.h"
#include "mail/mailboxes.h"
#include "verdict/decision.h"
#include "verdict/setup.h"

/* The octets of a body that are in memory at a time. */
#define CHUNK (64 * 1024)

typedef struct {
    /* "-" is stdin. */
    const char *file;
    const char *sender_text;
    GPtrArray *recipients;
    /* NULL for the first author. */
    Mailbox *sender;
    bool is_diff;
    bool is_json;
} Options;

/* The message: its start is in memory, the rest is still to be read. */
typedef struct {
    FILE *stream;
    char *text;
    gsize length;
    MessageFile *message;
    HeaderFields *fields;
} Input;

/* Returns a mailbox with a domain, or the null sender; NULL if text is neither. */
static Mailbox *parse_path(const char *text)
{
    g_autoptr(Mailbox) mailbox = mailbox_parse_path(text);

    if (mailbox->domain_name == NULL && !mailbox_is_null_sender(mailbox))
        return NULL;
    return g_steal_pointer(&mailbox);
}

static int parse_sender(Options *options, const char *text)
{
    options->sender = parse_path(text);
    if (options->sender != NULL)
        return SUBCOMMAND_GO_ON;
    return subcommand_usage_error(
        &test_subcommand,
        "--sender: \"%s\" is not an address; write it like anna@praxis.example, or <>", text);
}

static int check_recipient(const char *text)
{
    g_autoptr(Mailbox) recipient = parse_path(text);

    if (recipient != NULL && !mailbox_is_null_sender(recipient))
        return SUBCOMMAND_GO_ON;
    return subcommand_usage_error(
        &test_subcommand, "--rcpt: \"%s\" is not an address; write it like anna@praxis.example",
        text);
}

static const Option option_rows[] = {
    {.name = "sender",
     .argument = "ADDRESS",
     .kind = OPTION_TEXT,
     .member = offsetof(Options, sender_text),
     .help = "the envelope sender, <> for the null sender (default the first author)"},
    {.name = "rcpt",
     .argument = "ADDRESS",
     .kind = OPTION_TEXTS,
     .member = offsetof(Options, recipients),
     .help = "a recipient; again for more. Recipients never change the decision"},
    {.name = "diff",
     .kind = OPTION_FLAG,
     .member = offsetof(Options, is_diff),
     .group = 1,
     .help = "print only the lines that change: \"- \" as it came, \"+ \" as it leaves"},
    {.name = "json",
     .kind = OPTION_FLAG,
     .member = offsetof(Options, is_json),
     .group = 1,
     .help = "print JSON: the decision and its edits; envelope_sender is the one it leaves with"},
};

static int parse_options(Options *options, CliContext *context, int argc, char **argv)
{
    char **operands;
    int status = subcommand_parse(&test_subcommand, context, argc, argv, options, &operands);

    if (status == SUBCOMMAND_GO_ON && options->sender_text != NULL)
        status = parse_sender(options, options->sender_text);
    for (guint i = 0; status == SUBCOMMAND_GO_ON && i < options->recipients->len; i++)
        status = check_recipient(g_ptr_array_index(options->recipients, i));
    if (status == SUBCOMMAND_GO_ON && *operands != NULL)
        options->file = *operands;
    return status;
}

static void input_clear(Input *input)
{
    g_clear_pointer(&input->fields, header_fields_free);
    g_clear_pointer(&input->message, message_file_free);
    g_free(input->text);
    if (input->stream != NULL && input->stream != stdin)
        fclose(input->stream);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Input, input_clear)

static int read_error(const Options *options)
{
    return subcommand_error(&test_subcommand, CLI_USAGE, "%s: %s", options->file,
                            g_strerror(errno));
}

/* Opens the message and reads its header. Returns SUBCOMMAND_GO_ON or the exit code. */
static int read_head(Input *input, const Options *options)
{
    g_autoptr(GError) error = NULL;

    input->stream = strcmp(options->file, "-") == 0 ? stdin : fopen(options->file, "rb");
    if (input->stream == NULL)
        return read_error(options);
    input->text = g_malloc(MESSAGE_FILE_HEAD_MAX);
    input->length = fread(input->text, 1, MESSAGE_FILE_HEAD_MAX, input->stream);
    if (ferror(input->stream))
        return read_error(options);
    input->message = message_file_parse(input->text, input->length,
                                        input->length < MESSAGE_FILE_HEAD_MAX, &error);
    if (input->message == NULL)
        return subcommand_error(&test_subcommand, CLI_USAGE, "%s: %s", options->file,
                                error->message);
    input->fields = message_file_fields(input->message);
    return SUBCOMMAND_GO_ON;
}

/* The first author as envelope sender; the null sender if no author can be read. */
static Mailbox *author_as_sender(const HeaderFields *fields)
{
    g_autoptr(Mailboxes) authors = mailboxes_parse(fields, "From");
    const Mailbox *first = authors->mailboxes->len > 0 ? mailboxes_at(authors, 0) : NULL;
    Mailbox *sender =
        first != NULL && first->addr_spec != NULL ? parse_path(first->addr_spec) : NULL;

    return sender != NULL ? sender : mailbox_parse_path("<>");
}

/* What the output is made of. Everything is borrowed. */
typedef struct {
    Settings *settings;
    const Decision *decision;
    /* The envelope sender with which the message came. */
    const Mailbox *sender;
} TestOutput;

/* "<>" is the null sender. Borrowed from mailbox. */
static const char *sender_text(const Mailbox *mailbox)
{
    return mailbox_is_null_sender(mailbox) ? "<>" : mailbox->addr_spec;
}

static bool is_authorised(const TestOutput *output)
{
    const Plan *plan = output->decision->plan;
    const SpfResultSet refused = output->settings->rewrite_on | output->settings->tempfail_on;

    if (plan->dkim != NULL && plan->identity != PLAN_SENDER)
        return true;
    return !spf_result_set_has(refused, plan->result);
}

static void add_verdict(Page *page, const TestOutput *output)
{
    const Plan *plan = output->decision->plan;
    const Verdict *verdict = plan->verdict;

    page_printf(page, PAGE_PLAIN, "%s is %s (%s", plan->domain,
                is_authorised(output) ? "authorised" : "not authorised",
                spf_result_text(plan->result));
    if (verdict->mechanism != NULL)
        page_printf(page, PAGE_PLAIN, " by %s", verdict->mechanism);
    if (verdict->relay != NULL)
        page_printf(page, PAGE_PLAIN, " for %s", verdict->relay);
    page_raw(page, PAGE_PLAIN, ")");
    if (verdict->reason != NULL)
        page_printf(page, PAGE_PLAIN, ", %s", verdict->reason);
    if (plan->dkim != NULL)
        page_printf(page, PAGE_PLAIN, "; the author stays for the DKIM key %s", plan->dkim);
}

static const char *why_sentence(PlanWhy why)
{
    switch (why) {
    case PLAN_WHY_OFF:
        return "the mode is off";
    case PLAN_WHY_MAP:
        return "authorised= of domain_map counts in place of SPF";
    case PLAN_WHY_FALLBACK:
        return "it is the domain of the fallback address, or the address is one";
    case PLAN_WHY_EXEMPT:
    case PLAN_WHY_NONE:
        break;
    }
    return "no result could change anything";
}

static void add_cause(Page *page, const TestOutput *output)
{
    const Plan *plan = output->decision->plan;

    if (output->decision->is_dkim_exempt)
        page_raw(page, PAGE_PLAIN, "DKIM vouches for every author (exempt_dkim)");
    else if (plan->domain == NULL)
        page_raw(page, PAGE_PLAIN, "From: has no domain that could authorise our relays");
    else if (plan->verdict != NULL)
        add_verdict(page, output);
    else
        page_printf(page, PAGE_PLAIN,
                    "%s is settled by the configuration, nothing was looked up: %s", plan->domain,
                    why_sentence(plan->why));
}

/* As the daemon logs it. */
static const char *action_text(const TestOutput *output)
{
    const Decision *decision = output->decision;

    return decision->is_refused && !decision->plan->is_log_only
               ? message_action_text(MESSAGE_ACTION_ERROR)
               : plan_action_text(decision->plan);
}

/* Appends one line or two: what is done and why, and what becomes of the envelope sender. */
static void add_summary(Page *page, const TestOutput *output)
{
    const Plan *plan = output->decision->plan;

    page_add(page, plan->action == PLAN_KEEP ? PAGE_GOOD : PAGE_DOUBTFUL, action_text(output));
    page_raw(page, PAGE_PLAIN, ": ");
    add_cause(page, output);
    page_raw(page, PAGE_PLAIN, "\n");
    if (output->decision->is_refused) {
        page_printf(
            page, PAGE_BAD,
            "a rewrite would need more than %d edits: the message is refused with 550 5.6.0",
            EDITS_MAX);
        page_raw(page, PAGE_PLAIN, "\n");
        return;
    }
    if (plan->envelope_sender == NULL)
        return;
    page_printf(page, PAGE_PLAIN, "envelope sender: %s becomes %s", sender_text(output->sender),
                plan->envelope_sender);
    page_raw(page, PAGE_PLAIN, "\n");
}

static void add_lines(Page *page, PageStyle style, const char *mark, const char *text, gsize length)
{
    const char *end = text + length;

    while (text < end) {
        const char *line_end = memchr(text, '\n', (gsize)(end - text));
        const char *stop = line_end != NULL ? line_end : end;
        g_autofree char *safe = NULL;
        g_autofree char *line = NULL;

        if (line_end != NULL && stop > text && stop[-1] == '\r')
            stop--;
        safe = page_safe(text, stop - text);
        line = g_strconcat(mark, safe, NULL);
        page_raw(page, style, line);
        page_raw(page, PAGE_PLAIN, "\n");
        text = line_end != NULL ? line_end + 1 : end;
    }
}

static void add_envelope_diff(Page *page, const TestOutput *output)
{
    const char *new_sender = output->decision->plan->envelope_sender;

    if (new_sender == NULL)
        return;
    page_printf(page, PAGE_BAD, "- MAIL FROM:<%s>",
                mailbox_is_null_sender(output->sender) ? "" : output->sender->addr_spec);
    page_raw(page, PAGE_PLAIN, "\n");
    page_printf(page, PAGE_GOOD, "+ MAIL FROM:<%s>", new_sender);
    page_raw(page, PAGE_PLAIN, "\n");
}

/* Appends the lines that change, the envelope first: "- " as it came, "+ " as it leaves. */
static void add_diff(Page *page, const TestOutput *output, const MessageFile *message)
{
    g_autoptr(GPtrArray) pieces = NULL;

    if (output->decision->is_refused)
        return;
    pieces = message_file_apply(message, output->decision->edits);
    add_envelope_diff(page, output);
    for (guint i = 0; i < pieces->len; i++) {
        const MessagePiece *piece = g_ptr_array_index(pieces, i);

        if (piece->new_text == NULL)
            continue;
        add_lines(page, PAGE_BAD, "- ", piece->old_text, piece->old_length);
        add_lines(page, PAGE_GOOD, "+ ", piece->new_text, strlen(piece->new_text));
    }
}

static const char *kind_text(EditKind kind)
{
    switch (kind) {
    case EDIT_CHANGE:
        return "change";
    case EDIT_DELETE:
        return "delete";
    case EDIT_ADD:
        return "add";
    case EDIT_INSERT:
        break;
    }
    return "insert";
}

static json_t *edit_json(const Edit *edit)
{
    json_t *json = json_object();

    json_object_set_new(json, "kind", json_string(kind_text(edit->kind)));
    json_object_set_new(json, "name", advice_json_text(edit->name));
    json_object_set_new(json, "index", json_integer(edit->index));
    json_object_set_new(json, "value", advice_json_text(edit->value));
    return json;
}

static json_t *edits_json(const Edits *edits)
{
    json_t *list = json_array();

    for (guint i = 0; edits != NULL && i < edits_length(edits); i++)
        json_array_append_new(list, edit_json(edits_at(edits, i)));
    return list;
}

/* Sets the members that a verdict gives; they are null if none was looked up. */
static void set_verdict(json_t *json, const Verdict *verdict)
{
    json_object_set_new(json, "relay", advice_json_text(verdict != NULL ? verdict->relay : NULL));
    json_object_set_new(json, "mechanism",
                        advice_json_text(verdict != NULL ? verdict->mechanism : NULL));
    json_object_set_new(json, "reason", advice_json_text(verdict != NULL ? verdict->reason : NULL));
}

/* The result as design section 12 has it, with more members; a new reference. */
static json_t *output_json(const TestOutput *output)
{
    const Plan *plan = output->decision->plan;
    const char *sender = sender_text(output->sender);
    const ReturnForm *fallback = plan_other_fallback(plan, output->settings);
    json_t *json = json_object();

    json_object_set_new(json, "action", json_string(action_text(output)));
    json_object_set_new(json, "author",
                        advice_json_text(plan->author != NULL ? plan->author->addr_spec : NULL));
    json_object_set_new(json, "domain", advice_json_text(plan->domain));
    json_object_set_new(json, "result", advice_json_text(plan_result_text(plan)));
    if (plan->why != PLAN_WHY_NONE)
        json_object_set_new(json, "why", json_string(plan_why_text(plan->why)));
    json_object_set_new(
        json, "envelope_sender",
        advice_json_text(plan->envelope_sender != NULL ? plan->envelope_sender : sender));
    json_object_set_new(json, "edits",
                        edits_json(output->decision->is_refused ? NULL : output->decision->edits));
    json_object_set_new(json, "sender", advice_json_text(sender));
    if (fallback != NULL)
        json_object_set_new(json, "fallback", advice_json_text(return_form_shown(fallback)));
    set_verdict(json, plan->verdict);
    json_object_set_new(json, "aligned", json_boolean(plan->is_aligned));
    if (output->settings->dkim_consent[0] != NULL)
        json_object_set_new(json, "dkim", advice_json_text(plan->dkim));
    return json;
}

static void print_head(const Input *input, const Edits *edits)
{
    g_autoptr(GPtrArray) pieces = message_file_apply(input->message, edits);

    for (guint i = 0; i < pieces->len; i++) {
        const MessagePiece *piece = g_ptr_array_index(pieces, i);

        if (piece->new_text != NULL)
            page_write_octets(stdout, piece->new_text, strlen(piece->new_text));
        else
            page_write_octets(stdout, piece->old_text, piece->old_length);
    }
}

static int print_rest(const Input *input, const Options *options)
{
    g_autofree char *chunk = g_malloc(CHUNK);
    gsize head_end = message_file_head_end(input->message);
    gsize length;

    page_write_octets(stdout, input->text + head_end, input->length - head_end);
    while (!ferror(stdout) && (length = fread(chunk, 1, CHUNK, input->stream)) > 0)
        page_write_octets(stdout, chunk, length);
    return ferror(input->stream) ? read_error(options) : SUBCOMMAND_GO_ON;
}

static int print_message(const TestOutput *output, const Input *input, const Options *options)
{
    const Plan *plan = output->decision->plan;

    if ((plan->action == PLAN_TEMPFAIL && !plan->is_log_only) || output->decision->is_refused)
        return SUBCOMMAND_GO_ON;
    print_head(input, output->decision->edits);
    return print_rest(input, options);
}

static void print_json(const TestOutput *output)
{
    json_t *json = output_json(output);

    json_dumpf(json, stdout, 0);
    putchar('\n');
    json_decref(json);
}

static void print_summary(const TestOutput *output)
{
    g_auto(Page) page;

    page_init(&page, page_wants_colour(stderr));
    add_summary(&page, output);
    page_print(&page, stderr);
}

static void print_diff(const TestOutput *output, const MessageFile *message)
{
    g_auto(Page) page;

    page_init(&page, page_wants_colour(stdout));
    add_diff(&page, output, message);
    fwrite(page.text->str, 1, page.text->len, stdout);
}

static int print(const TestOutput *output, const Input *input, const Options *options)
{
    if (options->is_json) {
        print_json(output);
        return SUBCOMMAND_GO_ON;
    }
    print_summary(output);
    if (!options->is_diff)
        return print_message(output, input, options);
    print_diff(output, input->message);
    return SUBCOMMAND_GO_ON;
}

static int status_of(const Plan *plan)
{
    switch (plan->action) {
    case PLAN_KEEP:
        return CLI_YES;
    case PLAN_REWRITE:
        return CLI_NO;
    case PLAN_TEMPFAIL:
        break;
    }
    return CLI_TROUBLE;
}

static int decide(const Options *options, const Input *input, Settings *settings,
                  Verdicts *verdicts, Deadline deadline)
{
    g_autoptr(Mailbox) author = options->sender == NULL ? author_as_sender(input->fields) : NULL;
    const Mailbox *sender = author != NULL ? author : options->sender;
    const ModeInForce mode = {.mode = settings->mode};
    const DecisionMessage message = {.fields = input->fields,
                                     .sender = sender,
                                     .is_smtputf8 = !g_str_is_ascii(sender->local_part),
                                     .is_trial = true,
                                     .deadline = deadline};
    g_autoptr(Decision) decision = decision_new(settings, mode, verdicts, &message);
    const TestOutput output = {.settings = settings, .decision = decision, .sender = sender};
    int status = print(&output, input, options);

    return status != SUBCOMMAND_GO_ON ? status : status_of(decision->plan);
}

/* The key of tokens; who may not read it sees the addresses without a token, and is told so. */
static void read_key(Settings *settings)
{
    g_autoptr(GError) error = NULL;

    if (!setup_return_key(settings, SETUP_KEY_READ, &error))
        fprintf(stderr, "spfrom test: warning: %s; addresses are shown without their token\n",
                error->message);
}

static int test_message(const Options *options, const CliContext *context)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(Settings) settings = configuration_read(context, false, &error);
    g_autoptr(Verdicts) verdicts = NULL;
    g_auto(Input) input = {0};
    Deadline deadline;
    int status;

    if (settings == NULL)
        return subcommand_error(&test_subcommand, configuration_status(error), "%s",
                                error->message);
    status = read_head(&input, options);
    if (status != SUBCOMMAND_GO_ON)
        return status;
    read_key(settings);
    deadline = deadline_in(settings->check_timeout);
    verdicts = setup_verdicts(settings, deadline, &error);
    if (verdicts == NULL)
        return subcommand_error(&test_subcommand, configuration_status(error), "%s",
                                error->message);
    return decide(options, &input, settings, verdicts, deadline);
}

static int run(int argc, char **argv, CliContext *context)
{
    g_autoptr(GPtrArray) recipients = g_ptr_array_new();
    Options options = {.file = "-", .recipients = recipients};
    int status = parse_options(&options, context, argc, argv);

    if (status == SUBCOMMAND_GO_ON)
        status = test_message(&options, context);
    g_clear_pointer(&options.sender, mailbox_free);
    return status;
}

const Subcommand test_subcommand = {
    .name = "test",
    .summary = "what becomes of a message?",
    .operands = "[FILE]",
    .operand = "message",
    .operands_max = 1,
    .operand_files = FILES_ANY,
    .description =
        "Runs one message, from FILE or stdin, through the decision that the daemon takes, and "
        "prints it as it leaves. Nothing is sent, no daemon is needed. The message counts as "
        "outgoing, whatever outbound and local_mailers say. What is done and why, and a new "
        "envelope sender, are told on stderr.",
    .options = option_rows,
    .options_count = G_N_ELEMENTS(option_rows),
    .notes =
        "The mode is that of the configuration. In log-only the action is would-rewrite or "
        "would-tempfail, and what is printed is the message that rewrite would make of it. A "
        "message that is tempfailed, or refused since it would need more than 500 edits, is not "
        "printed. Line ends stay as they came (LF or CRLF), and so does every octet that no edit "
        "names; on a terminal control characters are made visible.",
    .exit_status =
        "0 keep, 1 it would be changed, 2 wrong usage or no message, 69 no DNS library, 75 "
        "tempfail, 78 configuration",
    .examples = "spfrom test --diff mail.eml\n"
                "spfrom test --sender bounce@praxis.example --json < mail.eml",
    .run = run,
};
