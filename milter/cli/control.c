#include "config.h"

#include "cli/control.h"

#include <stdio.h>

#include "control/control_client.h"
#include "cli/configuration.h"

static int ask_at(const Subcommand *subcommand, const char *path, const ControlRequest *request,
                  guint seconds, json_t **answer)
{
    g_autoptr(GError) error = NULL;

    *answer = control_client_ask(path, request, seconds, &error);
    if (*answer != NULL)
        return SUBCOMMAND_GO_ON;
    return subcommand_error(subcommand, CLI_UNAVAILABLE, "%s", error->message);
}

/* warning is owned by the caller, or NULL. */
static int ask(const Subcommand *subcommand, const CliContext *context,
               const ControlRequest *request, guint seconds, json_t **answer, char **warning)
{
    g_autoptr(GError) error = NULL;
    g_autofree char *path = configuration_control_socket(context, warning, &error);
    int status;

    *answer = NULL;
    if (path != NULL)
        status = ask_at(subcommand, path, request, seconds, answer);
    else
        status = subcommand_error(subcommand, configuration_status(error), "%s", error->message);
    return status;
}

int control_ask(const Subcommand *subcommand, const CliContext *context,
                const ControlRequest *request, guint seconds, json_t **answer)
{
    g_autofree char *warning = NULL;

    return ask(subcommand, context, request, seconds, answer, &warning);
}

int control_order(const Subcommand *subcommand, const CliContext *context,
                  const ControlRequest *request, guint seconds, json_t **answer)
{
    g_autofree char *warning = NULL;
    int status = ask(subcommand, context, request, seconds, answer, &warning);
    const char *refusal = status == SUBCOMMAND_GO_ON ? control_client_refusal(*answer) : NULL;

    if (warning != NULL)
        subcommand_error(subcommand, CLI_YES, "warning: %s", warning);
    if (refusal == NULL)
        return status;
    status = subcommand_error(subcommand, CLI_NO, "%s", refusal);
    json_decref(*answer);
    *answer = NULL;
    return status;
}

void control_print_json(const json_t *answer)
{
    json_dumpf(answer, stdout, 0);
    putchar('\n');
}
