#include "config.h"

#include <hiredis/hiredis.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/log.h"
#include "fleet/fleet_store.h"

/*
 * Talks to a store as the daemon does, for tests.
 *
 * Usage: fleet_talk [--ca FILE] [--password FILE] TIMEOUT MEMBER...
 *
 * TIMEOUT is fleet_timeout in milliseconds. Each line of stdin is a command, or "wait SECONDS" for
 * the store to be there, or "state". The answer is one line: the milliseconds that it took and the
 * value; "-" if there is none, "none" if the store was not asked.
 */
static void print_answer(const redisReply *answer)
{
    if (answer == NULL || answer->type == REDIS_REPLY_NIL)
        printf("-");
    else if (answer->type == REDIS_REPLY_INTEGER)
        printf("%lld", answer->integer);
    else
        printf("%s", answer->str != NULL ? answer->str : "?");
}

static void ask(FleetStore *store, const char *line, guint timeout)
{
    FleetCommands *commands = fleet_commands_new();
    gint64 begin = clock_monotonic(&clock_system);
    g_autoptr(GPtrArray) answers = NULL;

    fleet_commands_add(commands, line);
    answers = fleet_store_ask(store, commands, begin + timeout * CLOCK_MILLISECOND);
    printf("%" G_GINT64_FORMAT " ", (clock_monotonic(&clock_system) - begin) / CLOCK_MILLISECOND);
    if (answers == NULL)
        printf("none");
    else
        print_answer(g_ptr_array_index(answers, 0));
}

static void show_state(FleetStore *store)
{
    FleetStoreState state;

    fleet_store_state(store, &state);
    printf("%s %s", state.is_up ? "up" : "down", state.member);
    for (guint i = 0; i < FLEET_OUTCOMES; i++)
        printf(" %s=%" G_GUINT64_FORMAT, fleet_outcome_text(i), state.requests[i]);
    printf(" %s", state.trouble != NULL ? state.trouble : "");
    fleet_store_state_clear(&state);
}

static void serve(FleetStore *store, guint timeout)
{
    char line[1024];

    while (fgets(line, sizeof line, stdin) != NULL) {
        line[strcspn(line, "\n")] = '\0';
        if (g_str_has_prefix(line, "wait "))
            printf("%s",
                   fleet_store_wait(store, deadline_in((guint)atoi(line + 5))) ? "up" : "down");
        else if (strcmp(line, "state") == 0)
            show_state(store);
        else
            ask(store, line, timeout);
        printf("\n");
        fflush(stdout);
    }
}

static void free_member(gpointer member)
{
    fleet_member_free(member);
}

int main(int argc, char **argv)
{
    g_autoptr(GPtrArray) members = g_ptr_array_new_with_free_func(free_member);
    FleetStoreOptions options = {.members = members, .host = "mx1.example", .name = "spfrom"};
    FleetStore *store;
    int at = 1;

    for (; at + 1 < argc && g_str_has_prefix(argv[at], "--"); at += 2) {
        if (strcmp(argv[at], "--ca") == 0)
            options.ca = argv[at + 1];
        else
            options.password_file = argv[at + 1];
    }
    if (at + 1 >= argc)
        return 64;
    log_open("fleet_talk", LOG_TARGET_STDERR, LOG_INFO);
    options.timeout = (guint)atoi(argv[at]);
    for (at++; at < argc; at++) {
        g_autoptr(GError) error = NULL;
        FleetMember *member = fleet_member_parse(argv[at], &error);

        if (member == NULL) {
            fprintf(stderr, "%s\n", error->message);
            return 64;
        }
        g_ptr_array_add(members, member);
    }
    store = fleet_store_new(&options);
    serve(store, options.timeout);
    fleet_store_free(store);
    return 0;
}
