#include "config.h"

#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "cli/configuration.h"
#include "cli/control.h"
#include "cli/subcommand.h"
#include "control/return_resolution.h"
#include "ledger/ledger_tally.h"
#include "returns/return_rows.h"
#include "verdict/setup.h"

typedef struct {
    bool is_json;
} Options;

static const Option option_rows[] = {
    {.name = "json",
     .kind = OPTION_FLAG,
     .member = offsetof(Options, is_json),
     .help = "print JSON"},
};

/* The files, if there is no daemon to ask. */
typedef struct {
    Settings *settings;
    ReturnRows *rows;
    GError *error; /* why there are no rows; NULL: nothing is wrong */
} Files;

static void files_clear(Files *files)
{
    g_clear_pointer(&files->rows, return_rows_close);
    g_clear_pointer(&files->settings, settings_unref);
    g_clear_error(&files->error);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Files, files_clear)

static ReturnStoreOutcome find(void *hook, const char *token, ReturnStoreRow *row)
{
    Files *files = hook;
    guint32 today = ledger_day_of(clock_wall(&clock_system));

    if (files->rows == NULL &&
        g_error_matches(files->error, DATABASE_FAILURE, DATABASE_FAILURE_MISSING))
        return RETURN_STORE_UNKNOWN;
    if (files->rows == NULL ||
        !return_rows_find(files->rows, token, &row->address, &row->last_used, NULL))
        return RETURN_STORE_TROUBLE;
    if (row->address == NULL)
        return RETURN_STORE_UNKNOWN;
    if (row->last_used >= today - MIN(today, files->settings->return_days))
        return RETURN_STORE_FOUND;
    return_store_row_clear(row);
    return RETURN_STORE_UNKNOWN;
}

static int open_files(Files *files, const CliContext *context)
{
    g_autoptr(GError) error = NULL;
    g_autofree char *file = NULL;

    files->settings = configuration_read(context, false, &error);
    if (files->settings == NULL)
        return subcommand_error(&resolve_subcommand, configuration_status(error), "%s",
                                error->message);
    setup_return_key(files->settings, SETUP_KEY_READ, NULL); /* asked for only if it is needed */
    file = g_build_filename(files->settings->state_dir, RETURN_STORE_NAME, NULL);
    files->rows = return_rows_open_read_only(file, &files->error);
    return SUBCOMMAND_GO_ON;
}

/* Asks the daemon; the files if there is none. Returns SUBCOMMAND_GO_ON with answer, or the exit
 * code. */
static int ask(const CliContext *context, Files *files, char *query, json_t **answer)
{
    const ControlRequest request = {.command = CONTROL_RESOLVE, .query = query};
    g_autofree char *warning = NULL;
    g_autofree char *path = configuration_control_socket(context, &warning, NULL);
    int status = SUBCOMMAND_GO_ON;

    *answer = NULL;
    if (path != NULL && files->settings == NULL)
        *answer = control_client_ask(path, &request, CONTROL_SLOW, NULL);
    if (*answer != NULL)
        return status;
    if (files->settings == NULL)
        status = open_files(files, context);
    if (status == SUBCOMMAND_GO_ON)
        *answer = return_resolution_new(files->settings, query, find, files);
    return status;
}

static char *list_of(const json_t *addresses)
{
    GString *text = g_string_new(NULL);
    size_t i;
    const json_t *address;

    json_array_foreach(addresses, i, address)
        g_string_append_printf(text, "%s%s", i > 0 ? ", " : "", json_string_value(address));
    return g_string_free(text, FALSE);
}

static void print_text(const json_t *answer)
{
    const char *query = control_text(answer, "query");
    const char *author = control_text(answer, "author");
    const char *day = control_text(answer, "last_used");
    g_autofree char *list = list_of(json_object_get(answer, "addresses"));
    g_autoptr(GString) line = g_string_new(query);

    if (day == NULL)
        g_string_append(line, ": not known");
    else
        g_string_append_printf(line, ": %s, last used %s", author, day);
    if (list[0] != '\0')
        g_string_append_printf(line, "\n  %s %s", day == NULL ? "would be" : "addresses:", list);
    puts(line->str);
}

/* Adds what is known of query to found. Returns SUBCOMMAND_GO_ON or the exit code. */
static int resolve(const CliContext *context, Files *files, char *query, json_t *found)
{
    json_t *answer;
    int status = ask(context, files, query, &answer);
    const char *refusal = answer != NULL ? control_client_refusal(answer) : NULL;

    if (refusal != NULL)
        status =
            subcommand_error(&resolve_subcommand,
                             g_str_has_suffix(refusal, "no token") ? CLI_USAGE : CLI_UNAVAILABLE,
                             "\"%s\": %s", query, refusal);
    if (status == SUBCOMMAND_GO_ON) {
        json_object_del(answer, "ok");
        json_array_append(found, answer);
    }
    json_decref(answer);
    return status;
}

static int print(const Options *options, const json_t *found)
{
    int status = CLI_YES;
    size_t i;
    const json_t *answer;

    json_array_foreach(found, i, answer)
    {
        if (!json_is_true(json_object_get(answer, "known")))
            status = CLI_NO;
        if (!options->is_json)
            print_text(answer);
    }
    if (options->is_json)
        control_print_json(json_array_size(found) == 1 ? json_array_get(found, 0) : found);
    return status;
}

static int run(int argc, char **argv, CliContext *context)
{
    Options options = {.is_json = false};
    g_auto(Files) files = {0};
    char **operands;
    json_t *found;
    int status = subcommand_parse(&resolve_subcommand, context, argc, argv, &options, &operands);

    if (status != SUBCOMMAND_GO_ON)
        return status;
    if (*operands == NULL)
        return subcommand_usage_error(&resolve_subcommand, "an address or a token is missing");
    found = json_array();
    for (; status == SUBCOMMAND_GO_ON && *operands != NULL; operands++)
        status = resolve(context, &files, *operands, found);
    if (status == SUBCOMMAND_GO_ON)
        status = print(&options, found);
    json_decref(found);
    return status;
}

const Subcommand resolve_subcommand = {
    .name = "resolve",
    .summary = "whose return address is this?",
    .operands = "ADDRESS|TOKEN...",
    .operand = "address",
    .description =
        "Of a return address or its token, tells which author it leads to, and when it was last "
        "used: by a message that was sent or by one that came back. Of an author, tells the "
        "addresses that his mail carries. Asks the daemon; without one, the files are read.",
    .options = option_rows,
    .options_count = G_N_ELEMENTS(option_rows),
    .exit_status = "0 all are known, 1 one is not, 2 wrong usage, 69 the addresses can't be read, "
                   "78 configuration",
    .examples = "spfrom resolve bounce+k3vqj6mz2h7xw4ba@example.org\n"
                "spfrom resolve mueller@praxis-mueller.example",
    .run = run,
};
