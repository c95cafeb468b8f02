#include "config.h"

#include "daemon/background.h"

#include <fcntl.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <sysexits.h>
#include <unistd.h>

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

bool background_enter(void)
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

void background_ready(void)
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
