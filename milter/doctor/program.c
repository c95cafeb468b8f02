#include "config.h"

#include "doctor/program.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/clock.h"

G_DEFINE_QUARK(spfrom_doctor_program_error, doctor_program_error)

#define PIECE 65536 /* octets read at once */

/* What comes out of one pipe. */
typedef struct {
    int fd; /* -1: at its end */
    GString *text;
} Stream;

static void stream_close(Stream *stream)
{
    if (stream->fd >= 0)
        close(stream->fd);
    stream->fd = -1;
}

/* Returns false where the stream is longer than it may be. */
static bool stream_read(Stream *stream)
{
    char piece[PIECE];
    ssize_t length = read(stream->fd, piece, sizeof piece);

    if (length < 0 && errno == EINTR)
        return true;
    if (length <= 0) {
        stream_close(stream);
        return true;
    }
    g_string_append_len(stream->text, piece, length);
    return stream->text->len <= DOCTOR_PROGRAM_OUTPUT_MAX;
}

static bool read_all(Stream streams[2], const char *name, GError **error)
{
    gint64 deadline = clock_monotonic(&clock_system) + DOCTOR_PROGRAM_SECONDS * CLOCK_SECOND;

    while (streams[0].fd >= 0 || streams[1].fd >= 0) {
        struct pollfd polled[2] = {{.fd = streams[0].fd, .events = POLLIN},
                                   {.fd = streams[1].fd, .events = POLLIN}};
        gint64 left = deadline - clock_monotonic(&clock_system);

        if (left <= 0 || poll(polled, 2, (int)(left / CLOCK_MILLISECOND) + 1) == 0) {
            g_set_error(error, DOCTOR_PROGRAM_ERROR, DOCTOR_PROGRAM_ERROR_LATE,
                        "%s does not end within %d s", name, DOCTOR_PROGRAM_SECONDS);
            return false;
        }
        for (int i = 0; i < 2; i++)
            if (polled[i].revents != 0 && !stream_read(&streams[i])) {
                g_set_error(error, DOCTOR_PROGRAM_ERROR, DOCTOR_PROGRAM_ERROR_LONG,
                            "%s says more than anybody would read", name);
                return false;
            }
    }
    return true;
}

static int wait_for(GPid pid, bool is_to_end)
{
    int status = 0;

    if (is_to_end)
        kill(pid, SIGKILL);
    while (waitpid(pid, &status, 0) < 0 && errno == EINTR)
        ;
    return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

DoctorProgram *doctor_program_run(const char *const *argv, GError **error)
{
    Stream streams[2] = {{.fd = -1}, {.fd = -1}};
    g_autoptr(GError) cause = NULL;
    DoctorProgram *program;
    bool is_read;
    int status;
    GPid pid;

    if (!g_spawn_async_with_pipes(NULL, (char **)argv, NULL, G_SPAWN_DO_NOT_REAP_CHILD, NULL, NULL,
                                  &pid, NULL, &streams[0].fd, &streams[1].fd, &cause)) {
        g_set_error_literal(error, DOCTOR_PROGRAM_ERROR, DOCTOR_PROGRAM_ERROR_START,
                            cause->message);
        return NULL;
    }
    for (int i = 0; i < 2; i++)
        streams[i].text = g_string_new(NULL);
    is_read = read_all(streams, argv[0], error);
    status = wait_for(pid, !is_read);
    program = g_new0(DoctorProgram, 1);
    program->status = status;
    for (int i = 0; i < 2; i++)
        stream_close(&streams[i]);
    program->output = g_string_free(streams[0].text, FALSE);
    program->complaints = g_string_free(streams[1].text, FALSE);
    if (is_read)
        return program;
    doctor_program_free(program);
    return NULL;
}

void doctor_program_free(DoctorProgram *program)
{
    g_free(program->output);
    g_free(program->complaints);
    g_free(program);
}

char *doctor_program_find(const char *name)
{
    static const char *const places[] = {"/usr/sbin", "/usr/local/sbin", "/sbin", "/usr/bin",
                                         "/usr/local/bin"};

    for (size_t i = 0; i < G_N_ELEMENTS(places); i++) {
        g_autofree char *path = g_build_filename(places[i], name, NULL);

        if (access(path, X_OK) == 0)
            return g_steal_pointer(&path);
    }
    return g_find_program_in_path(name);
}
