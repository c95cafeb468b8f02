#include "config.h"

#include <fcntl.h>
#include <getopt.h>
#include <glib.h>
#include <stdbool.h>
#include <stdio.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <sysexits.h>
#include <unistd.h>

#include "base/log.h"
#include "daemon/control.h"
#include "daemon/fallback_watch.h"
#include "daemon/fleet_agent.h"
#include "daemon/in_flight.h"
#include "daemon/ledger_writer.h"
#include "daemon/listener.h"
#include "daemon/live_settings.h"
#include "daemon/mode_switch.h"
#include "daemon/notify.h"
#include "daemon/privileges.h"
#include "daemon/reload.h"
#include "daemon/returns.h"
#include "daemon/session.h"
#include "daemon/signals.h"
#include "daemon/watchdog.h"
#include "mail/mailboxes.h"
#include "policy/settings_examine.h"
#include "spf/evaluation.h"
#include "verdict/setup.h"

#define PROGRAM "spfrom-milter"
#define DEFAULT_FILE "/etc/spfrom/spfrom.conf"
#define FILES_WANTED 65536 /* open ones: one a connection */
#define ANSWER_SECONDS 2   /* from a verdict to the end of the message */

static const char usage[] =
    "usage: " PROGRAM " [-f] [-c FILE] [-t] [-V] [-h]\n"
    "\n"
    "  -f       stay in the foreground\n"
    "  -c FILE  read the configuration from FILE (default " DEFAULT_FILE ")\n"
    "  -t       test the configuration and exit\n"
    "  -V       print the version and exit\n"
    "  -h       print this help and exit\n";

typedef struct {
    const char *file;
    bool is_foreground;
    bool is_test;
} Options;

/* What the daemon opens must never become one of these. */
static void open_standard_streams(void)
{
    int fd;

    do
        fd = open("/dev/null", O_RDWR);
    while (fd >= 0 && fd <= STDERR_FILENO);
    if (fd >= 0)
        close(fd);
}

/* Reads the command line. Returns -1 to go on, else the exit code. */
static int parse_options(int argc, char **argv, Options *options)
{
    int option;

    *options = (Options){.file = DEFAULT_FILE};
    while ((option = getopt(argc, argv, "c:ftVh")) != -1) {
        switch (option) {
        case 'c':
            options->file = optarg;
            break;
        case 'f':
            options->is_foreground = true;
            break;
        case 't':
            options->is_test = true;
            break;
        case 'V':
            puts(PROGRAM " " PACKAGE_VERSION);
            return EX_OK;
        case 'h':
            fputs(usage, stdout);
            return EX_OK;
        default:
            fputs(usage, stderr);
            return EX_USAGE;
        }
    }
    if (optind < argc) {
        fprintf(stderr, PROGRAM ": \"%s\" is not an option\n%s", argv[optind], usage);
        return EX_USAGE;
    }
    return -1;
}

/* Logs what went wrong at the start, once. Returns status. */
static int fail(int status, const GError *error)
{
    log_write(LOG_ERR, "%s", error->message);
    return status;
}

static void open_log(Settings *settings, bool is_foreground)
{
    bool is_stderr =
        settings->log == LOG_CHOICE_STDERR || (settings->log == LOG_CHOICE_AUTO && is_foreground);

    log_open(PROGRAM, is_stderr ? LOG_TARGET_STDERR : LOG_TARGET_SYSLOG, settings->log_level);
}

/* Each connection of the MTA takes a file descriptor. */
static void raise_file_limit(void)
{
    struct rlimit limit;

    if (getrlimit(RLIMIT_NOFILE, &limit) != 0 || limit.rlim_cur >= FILES_WANTED)
        return;
    limit.rlim_cur = MIN(limit.rlim_max, FILES_WANTED);
    setrlimit(RLIMIT_NOFILE, &limit);
}

/* The child's end of the pipe to the waiting parent; -1 in the foreground. Used by the main thread
 * only. */
static int ready_fd = -1;

/* Waits for the child's word, or for its end. */
static int parent_status(int fd, pid_t child)
{
    char word;
    int status = 0;

    if (read(fd, &word, 1) == 1)
        return EX_OK;
    if (waitpid(child, &status, 0) == child && WIFEXITED(status))
        return WEXITSTATUS(status);
    return EX_SOFTWARE;
}

/*
 * Leaves the terminal: forks, and the parent waits until the child is ready or has failed, so that
 * its own exit code tells how the start went. Call before any thread is started. Returns in the
 * child only; false if fork() failed.
 */
static bool enter_background(void)
{
    int ends[2];
    pid_t child;

    if (pipe2(ends, O_CLOEXEC) != 0)
        return false;
    child = fork();
    if (child < 0)
        return false;
    if (child > 0) {
        close(ends[1]);
        _exit(parent_status(ends[0], child));
    }
    close(ends[0]);
    ready_fd = ends[1];
    setsid();
    return true;
}

/* The child listens: the parent exits 0. Does nothing if enter_background() was not called. */
static void tell_parent(void)
{
    int null;

    if (ready_fd < 0)
        return;
    null = open("/dev/null", O_RDWR | O_CLOEXEC);
    if (null >= 0) {
        dup2(null, STDIN_FILENO);
        dup2(null, STDOUT_FILENO);
        dup2(null, STDERR_FILENO);
        close(null);
    }
    if (chdir("/") != 0 || write(ready_fd, "", 1) != 1)
        _exit(EX_OSERR);
    close(ready_fd);
    ready_fd = -1;
}

static int open_status(const GError *error)
{
    return g_error_matches(error, SETUP_ERROR, SETUP_ERROR_LIBRARY) ? EX_UNAVAILABLE : EX_CONFIG;
}

/* The same for an error that begins with the name of a key of settings. */
static int fail_at(Settings *settings, int status, GError *error)
{
    settings_locate(settings, &error);
    return fail(status, error);
}

/* Everything that needs root: folders, the socket; then root is given up. */
static int listen_and_drop(Settings *settings)
{
    g_autoptr(GError) error = NULL;
    Privileges privileges;

    if (!privileges_find(settings, &privileges, &error) || !privileges_check(settings, &error))
        return fail_at(settings, EX_CONFIG, error);
    if (!privileges_make_folders(settings, &privileges, &error))
        return fail_at(settings, EX_CONFIG, error);
    if (!session_register() || !listener_open(settings, &privileges, &error))
        return error != NULL ? fail_at(settings, EX_UNAVAILABLE, error) : EX_UNAVAILABLE;
    if (!control_open(settings, &privileges, &error)) {
        listener_close();
        return fail_at(settings, EX_UNAVAILABLE, error);
    }
    if (!returns_open(settings, &privileges, &error)) {
        control_close();
        listener_close();
        return fail_at(settings, EX_UNAVAILABLE, error);
    }
    if (!privileges_drop(&privileges, &error))
        return fail(EX_OSERR, error);
    return EX_OK;
}

static void tell_problems(const RelaySet *set)
{
    if (!set->is_complete)
        log_write(LOG_WARNING, RELAY_SET_INCOMPLETE);
    for (guint i = 0; i < set->problems->len; i++)
        log_write(LOG_WARNING, "relay_hosts: %s",
                  (const char *)g_ptr_array_index(set->problems, i));
}

/* Says how the fallback's own domain stands, if not well. */
static void tell_fallback(Settings *settings, Verdicts *verdicts, Deadline deadline)
{
    g_autoptr(Verdict) verdict = verdicts_get_uncounted(verdicts, settings->fallback, deadline);
    const char *domain = settings->fallback->domain_name;

    if (verdict->result == SPF_TEMPERROR)
        log_write(LOG_WARNING,
                  "fallback_address: %s can't be checked (%s); do the resolvers answer?", domain,
                  verdict->reason != NULL ? verdict->reason : "temperror");
    else if (verdict->is_unproven)
        log_write(LOG_WARNING,
                  "fallback_address: it can't be proven that %s authorises the relays (%s), so it "
                  "counts as not authorised",
                  domain, verdict->reason != NULL ? verdict->reason : "unproven");
    else if (verdict->result != SPF_PASS)
        log_write(LOG_WARNING,
                  "fallback_address: %s itself does not authorise the relays (%s): rewritten mail "
                  "is no better off; see spfrom advise %s",
                  domain, spf_result_text(verdict->result), domain);
}

/* Looks the relays up. Returns the exit code. */
static int test_relays(Settings *settings, bool has_fallback)
{
    Deadline deadline = deadline_in(settings->check_timeout);
    g_autoptr(GError) error = NULL;
    g_autoptr(Verdicts) verdicts = setup_verdicts(settings, deadline, &error);
    g_autoptr(RelaySet) set = NULL;

    if (verdicts == NULL)
        return fail(open_status(error), error);
    set = verdicts_relay_set(verdicts);
    tell_problems(set);
    if (has_fallback)
        tell_fallback(settings, verdicts, deadline);
    return EX_OK;
}

/* What a start would need besides the right text. Returns the number of errors. */
static guint test_start(Settings *settings)
{
    g_autoptr(GPtrArray) errors = g_ptr_array_new_with_free_func((GDestroyNotify)g_error_free);
    GError *of_socket = NULL;
    g_autoptr(GError) of_key = NULL;
    g_autoptr(GError) of_fleet = NULL;

    privileges_examine(settings, errors);
    if (!listener_check(settings, &of_socket))
        g_ptr_array_add(errors, of_socket);
    for (guint i = 0; i < errors->len; i++) {
        GError **error = (GError **)&g_ptr_array_index(errors, i);

        settings_locate(settings, error);
        log_write(LOG_ERR, "%s", (*error)->message);
    }
    if (!fleet_agent_check(settings, &of_fleet))
        log_write(LOG_ERR, "%s", of_fleet->message);
    if (!setup_return_key(settings, SETUP_KEY_READ, &of_key))
        log_write(LOG_ERR, "%s", of_key->message);
    return errors->len + (of_fleet != NULL) + (of_key != NULL);
}

/* Says all that is wrong with the configuration in file, and what a start would need. */
static int test_configuration(const char *file)
{
    g_autoptr(GPtrArray) problems = settings_problems_new();
    g_autoptr(Settings) settings = setup_examine(file, problems);
    bool is_right = problems->len == 0;
    int status = EX_OK;

    for (guint i = 0; i < problems->len; i++)
        log_write(LOG_ERR, "%s", ((const SettingsProblem *)g_ptr_array_index(problems, i))->text);
    if (settings == NULL)
        return EX_CONFIG;
    is_right = test_start(settings) == 0 && is_right;
    if (!settings_problems_have(problems, "relay_hosts") &&
        !settings_problems_have(problems, "dns_zone_file") &&
        !settings_problems_have(problems, "dns_servers"))
        status = test_relays(settings, !settings_problems_have(problems, "fallback_address"));
    if (!is_right)
        return EX_CONFIG;
    if (status == EX_OK)
        printf("%s: the configuration is right\n", file);
    return status;
}

static void on_reload(void)
{
    g_autoptr(GPtrArray) warnings = g_ptr_array_new_with_free_func(g_free);

    reload_run(warnings, NULL);
}

static Settings *settings_in_force(void)
{
    LiveSettings live = {0};
    Settings *settings = live_settings_take(&live) ? settings_ref(live.settings) : NULL;

    live_settings_release(&live);
    return settings;
}

static void log_ready(Settings *settings, Verdicts *verdicts)
{
    g_autoptr(RelaySet) set = verdicts_relay_set(verdicts);
    g_autoptr(GString) line = g_string_new("ready:");

    log_pair(line, "version", PACKAGE_VERSION);
    log_pair(line, "socket", settings->socket);
    log_pair(line, "mode", mode_text(mode_switch_in_force(settings->mode).mode));
    log_pair(line, "fallback_address", settings->fallback->addr_spec);
    g_string_append_printf(line, " relays=%u", set->networks->len);
    log_write(LOG_NOTICE, "%s", line->str);
    tell_problems(set);
}

/*
 * Waits for the end. After SIGTERM nobody connects any more, and messages under way get their
 * answer: at most for as long as one check may take, and a little to write it. The program then ends without smfi_stop(), which libmilter's loop notices only
 * every five seconds, and which pulls its listener away under that loop: what is still connected
 * is between two messages, and closed by the kernel.
 */
static int serve(void)
{
    g_autoptr(Settings) settings = NULL;
    guint left;

    if (signals_wait() == SIGNALS_ENDED) {
        log_write(LOG_ERR, "stopped without being asked: libmilter has returned");
        return EX_TEMPFAIL;
    }
    notify_stopping();
    listener_close();
    settings = settings_in_force();
    left = in_flight_drain(g_get_monotonic_time() +
                           ((gint64)settings->check_timeout + ANSWER_SECONDS) * G_USEC_PER_SEC);
    log_write(LOG_NOTICE, "stopped%s",
              left > 0 ? "; messages without an answer are tempfailed by the MTA" : "");
    return EX_OK;
}

static int run(Settings *settings, const Options *options)
{
    g_autoptr(GError) error = NULL;
    Verdicts *verdicts;
    int status;

    if (!options->is_foreground && !enter_background()) {
        log_write(LOG_ERR, "can't go to the background; try -f");
        return EX_OSERR;
    }
    raise_file_limit();
    status = listen_and_drop(settings);
    if (status != EX_OK)
        return status;
    if (!fleet_agent_check(settings, &error) ||
        !setup_return_key(settings, SETUP_KEY_MAKE, &error)) {
        control_close();
        listener_close();
        return fail(EX_CONFIG, error);
    }
    verdicts = setup_verdicts(settings, deadline_in(settings->check_timeout), &error);
    if (verdicts == NULL) {
        control_close();
        listener_close();
        return fail(open_status(error), error);
    }
    mode_switch_start(settings->state_dir, settings->mode, &clock_system);
    reload_note_start();
    if (!fleet_agent_configure(settings)) {
        log_write(LOG_ERR, "can't start a thread");
        return EX_OSERR;
    }
    fleet_agent_share(verdicts);
    log_ready(settings, verdicts);
    live_settings_put(settings_ref(settings), verdicts);
    if (!options->is_foreground)
        open_log(settings, false);
    ledger_writer_share(fleet_agent_fleet);
    returns_share(fleet_agent_fleet);
    if (!log_queue_start() || !fleet_agent_start() || !fallback_watch_start() ||
        !control_start(settings) || !returns_start(settings) || !signals_start(on_reload) ||
        !reload_watch_map() || !ledger_writer_start(settings_in_force) || !listener_start() ||
        !watchdog_start(settings)) {
        log_write(LOG_ERR, "can't start a thread");
        return EX_OSERR;
    }
    tell_parent();
    notify_ready(mode_text(mode_switch_in_force(settings->mode).mode));
    status = serve();
    ledger_writer_stop();
    returns_stop();
    fleet_agent_stop();
    control_close();
    listener_close();
    live_settings_clear();
    return status;
}

int main(int argc, char **argv)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(Settings) settings = NULL;
    g_autofree char *file = NULL;
    Options options;
    int status;

    open_standard_streams();
    status = parse_options(argc, argv, &options);
    if (status >= 0)
        return status;
    log_open(PROGRAM, LOG_TARGET_STDERR, LOG_INFO);
    signals_block();
    signals_report_crashes();
    notify_open();
    mailboxes_init();
    if (!evaluation_init(&error))
        return fail(EX_UNAVAILABLE, error);
    file = g_canonicalize_filename(options.file, NULL);
    if (options.is_test)
        return test_configuration(file);
    settings = setup_read(file, &error);
    if (settings == NULL || !fleet_agent_check(settings, &error) ||
        !setup_return_key(settings, SETUP_KEY_READ, &error))
        return fail(EX_CONFIG, error);
    if (options.is_foreground)
        open_log(settings, true);
    status = run(settings, &options);
    log_queue_stop();
    return status;
}
