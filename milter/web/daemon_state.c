#include "config.h"

#include "web/daemon_state.h"

#include <string.h>

#include "base/clock.h"

static char *text_of(const json_t *object, const char *key)
{
    return g_strdup(json_string_value(json_object_get(object, key)));
}

static gint64 time_of(const json_t *object, const char *key)
{
    const char *text = json_string_value(json_object_get(object, key));
    g_autoptr(GDateTime) time = text != NULL ? g_date_time_new_from_iso8601(text, NULL) : NULL;

    return time != NULL ? g_date_time_to_unix(time) * CLOCK_SECOND : 0;
}

static void read_fallback(DaemonState *state, const json_t *fallback)
{
    const json_t *authorised = json_object_get(fallback, "authorised");

    state->fallback_address = text_of(fallback, "address");
    state->fallback_result = text_of(fallback, "result");
    state->has_fallback_verdict = json_is_boolean(authorised);
    state->is_fallback_authorised = json_is_true(authorised);
}

static void read_problems(DaemonState *state, const json_t *problems)
{
    for (size_t i = 0; i < json_array_size(problems); i++) {
        const char *problem = json_string_value(json_array_get(problems, i));

        if (problem != NULL)
            g_ptr_array_add(state->relay_problems, g_strdup(problem));
    }
}

DaemonState *daemon_state_parse(const json_t *status)
{
    DaemonState *state = daemon_state_new_problem(NULL);
    const char *by = json_string_value(json_object_get(status, "mode_by"));
    const json_t *relay_set = json_object_get(status, "relay_set");

    state->version = text_of(status, "version");
    state->mode = text_of(status, "mode");
    state->up_since = time_of(status, "up_since");
    state->mode_since = time_of(status, "mode_since");
    state->mode_until = time_of(status, "mode_until");
    state->is_switched = by != NULL && strcmp(by, "switch") == 0;
    state->configuration_error = text_of(json_object_get(status, "configuration"), "error");
    state->ledger_errors = (guint64)json_integer_value(json_object_get(status, "ledger_errors"));
    read_fallback(state, json_object_get(status, "fallback"));
    state->is_relay_set_incomplete = json_is_false(json_object_get(relay_set, "complete"));
    read_problems(state, json_object_get(relay_set, "problems"));
    return state;
}

DaemonState *daemon_state_new_problem(const char *problem)
{
    DaemonState *state = g_new0(DaemonState, 1);

    state->problem = g_strdup(problem);
    state->relay_problems = g_ptr_array_new_with_free_func(g_free);
    return state;
}

void daemon_state_free(DaemonState *state)
{
    g_free(state->problem);
    g_free(state->version);
    g_free(state->mode);
    g_free(state->configuration_error);
    g_free(state->fallback_address);
    g_free(state->fallback_result);
    g_ptr_array_unref(state->relay_problems);
    g_free(state);
}
