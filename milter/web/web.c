#include "config.h"

#include "web/web.h"

#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include "base/log.h"
#include "verdict/setup.h"
#include "web/listen_address.h"
#include "web/access.h"
#include "web/server.h"
#include "web/site.h"

/* Mail comes first on a busy machine. */
#define NICENESS 5

static void ask_for_signals(sigset_t *signals)
{
    sigemptyset(signals);
    sigaddset(signals, SIGINT);
    sigaddset(signals, SIGTERM);
}

/* A second SIGINT ends the program at once, because a page may wait for DNS. */
static void wait_for_end(Server *server, int stop, const sigset_t *signals)
{
    struct signalfd_siginfo information;

    server_run(server, stop);
    if (read(stop, &information, sizeof information) < 0)
        log_write(LOG_DEBUG, "signalfd: %m");
    pthread_sigmask(SIG_UNBLOCK, signals, NULL);
}

static void announce(const Server *server, bool has_password)
{
    printf("spfrom web: %s\n", server_url(server));
    fflush(stdout);
    if (server_is_open_to_others(server) && !has_password)
        log_write(LOG_WARNING, "%s can be reached by others, without a password (--password-file)",
                  server_url(server));
}

static bool serve(const ServerOptions *options, Settings *settings, Dns *dns, bool is_here,
                  const sigset_t *signals, GError **error)
{
    g_autoptr(Site) site = site_new(settings, dns, is_here);
    const ServerSite functions = {
        .lane = site_lane, .answer = site_answer, .refuse = site_refuse, .site = site};
    g_autoptr(Server) server = server_new(options, &functions, error);
    int stop;

    if (server == NULL)
        return false;
    stop = signalfd(-1, signals, SFD_CLOEXEC | SFD_NONBLOCK);
    if (stop < 0) {
        g_set_error(error, SERVER_ERROR, SERVER_ERROR_LIBRARY, "signalfd: %m");
        return false;
    }
    announce(server, options->password != NULL);
    wait_for_end(server, stop, signals);
    close(stop);
    return true;
}

bool web_options_check(const WebOptions *options, GError **error)
{
    ListenAddress address;

    return listen_address_parse(options->listen != NULL ? options->listen : "", &address, error);
}

bool web_error_is_configuration(const GError *error)
{
    return error->domain == ACCESS_ERROR ||
           g_error_matches(error, SETUP_ERROR, SETUP_ERROR_CONFIGURATION);
}

bool web_run(const WebOptions *options, Settings *settings, GError **error)
{
    g_autofree char *password = NULL;
    ServerOptions server = {.listen = options->listen != NULL ? options->listen : "",
                            .hosts = options->hosts};
    g_autoptr(Dns) dns = NULL;
    sigset_t signals;

    if (options->password_file != NULL) {
        password = access_password_read(options->password_file, error);
        if (password == NULL)
            return false;
        server.password = password;
    }
    ask_for_signals(&signals);
    pthread_sigmask(SIG_BLOCK, &signals, NULL);
    signal(SIGPIPE, SIG_IGN);
    if (setpriority(PRIO_PROCESS, 0, NICENESS) != 0)
        log_write(LOG_DEBUG, "setpriority: %m");
    dns = setup_dns(settings, error);
    return dns != NULL && serve(&server, settings, dns, options->is_here, &signals, error);
}
