#include "config.h"

#include "base/log.h"

#include <errno.h>
#include <limits.h>
#include <poll.h>
#include <pthread.h>
#include <stdarg.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/deadline.h"

#define SYSLOG_SOCKET "/dev/log"
#define PATIENCE 1000 /* milliseconds for a line without the thread, and for the end */
#define SETTLE_TRIES 40
#define SETTLE_PAUSE (5 * 1000 * 1000) /* nanoseconds */
#define GATHER_TIME 4                  /* milliseconds from one line's writing to the next one's */

/* The target: stderr, which may be the journal, or the syslog daemon. */

/* Set by log_open() before there are threads. */
static const char *program_name = "spfrom";
static LogTarget log_target = LOG_TARGET_STDERR;
static bool is_journal;

/* Used by write_to_target() and, to write only, by log_write_crash(). */
static int syslog_fd = -1;
static bool is_syslog_stream; /* a line then ends with a NUL */

/*
 * Returns whether stderr is the journal's stream. The journal takes a line's level from "<N>"
 * before it, and adds the program's name itself (sd-daemon(3), systemd.exec(5): JOURNAL_STREAM).
 */
static bool stderr_is_journal(void)
{
    const char *stream = g_getenv("JOURNAL_STREAM");
    g_autofree char *own = NULL;
    struct stat status;

    if (stream == NULL || fstat(STDERR_FILENO, &status) != 0)
        return false;
    own = g_strdup_printf("%lu:%lu", (gulong)status.st_dev, (gulong)status.st_ino);
    return strcmp(own, stream) == 0;
}

static void close_syslog(void)
{
    if (syslog_fd >= 0)
        close(syslog_fd);
    syslog_fd = -1;
}

static int connect_syslog(int type)
{
    const struct sockaddr_un address = {.sun_family = AF_UNIX, .sun_path = SYSLOG_SOCKET};
    int fd = socket(AF_UNIX, type | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

    if (fd < 0 || connect(fd, (const struct sockaddr *)&address, sizeof address) == 0)
        return fd;
    int error = errno;
    close(fd);
    errno = error;
    return -1;
}

/* Returns whether there is a syslog daemon to write to. */
static bool open_syslog(void)
{
    if (syslog_fd >= 0)
        return true;
    is_syslog_stream = false;
    syslog_fd = connect_syslog(SOCK_DGRAM);
    if (syslog_fd < 0 && errno == EPROTOTYPE) {
        is_syslog_stream = true;
        syslog_fd = connect_syslog(SOCK_STREAM);
    }
    return syslog_fd >= 0;
}

static void open_target(const char *program, LogTarget target)
{
    program_name = program;
    log_target = target;
    is_journal = stderr_is_journal();
    close_syslog();
    if (target == LOG_TARGET_SYSLOG)
        open_syslog();
}

/* The head of RFC 3164 section 4.1, in local time, as syslog(3) writes it. */
static char *syslog_line(int level, const char *text)
{
    static const char months[][4] = {"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                     "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
    time_t now = time(NULL);
    struct tm local = {0};

    localtime_r(&now, &local);
    return g_strdup_printf("<%d>%s %2d %02d:%02d:%02d %s[%d]: %s", LOG_MAIL | level,
                           months[local.tm_mon], local.tm_mday, local.tm_hour, local.tm_min,
                           local.tm_sec, program_name, (int)getpid(), text);
}

/* A new line as it is written: text with what the target wants before and behind it. */
static GBytes *make_line(int level, const char *text)
{
    char *line;

    if (log_target == LOG_TARGET_SYSLOG)
        line = syslog_line(level, text);
    else if (is_journal)
        line = g_strdup_printf("<%d>%s\n", level, text);
    else
        line = g_strdup_printf("%s: %s\n", program_name, text);
    return g_bytes_new_take(line, strlen(line));
}

typedef enum {
    WRITE_DONE,
    WRITE_BUSY,   /* nobody reads */
    WRITE_FAILED, /* there is nothing to write to */
} WriteResult;

static WriteResult result_of(ssize_t written)
{
    if (written >= 0)
        return WRITE_DONE;
    return errno == EAGAIN ? WRITE_BUSY : WRITE_FAILED;
}

static bool is_writable(int fd, int patience)
{
    struct pollfd polled = {.fd = fd, .events = POLLOUT};

    return poll(&polled, 1, patience) > 0;
}

/* Writes the whole line at once, if it can, so that it does not mix with lines of other
 * processes. */
static WriteResult write_stderr(const char *line, gsize length, int patience)
{
    bool is_ready = patience < 0; /* then write() may wait */

    while (length > 0) {
        if (!is_ready && !is_writable(STDERR_FILENO, patience))
            return WRITE_BUSY;
        ssize_t octets = write(STDERR_FILENO, line, length);
        if (octets < 0 && result_of(octets) != WRITE_BUSY)
            return WRITE_FAILED;
        is_ready = octets > 0 && patience < 0;
        line += MAX(octets, 0);
        length -= (gsize)MAX(octets, 0);
    }
    return WRITE_DONE;
}

static WriteResult send_syslog(const char *line, gsize length)
{
    return result_of(
        send(syslog_fd, line, length + (is_syslog_stream ? 1 : 0), MSG_NOSIGNAL | MSG_DONTWAIT));
}

/* The daemon may have been started anew since the last line: a second try is on a new socket. */
static WriteResult write_syslog(const char *line, gsize length, int patience)
{
    WriteResult result = WRITE_FAILED;

    for (int try = 0; try < 2 && result == WRITE_FAILED && open_syslog(); try++) {
        do
            result = send_syslog(line, length);
        while (result == WRITE_BUSY && is_writable(syslog_fd, patience));
        if (result == WRITE_FAILED)
            close_syslog();
    }
    return result;
}

/*
 * Waits up to patience milliseconds for a reader; -1: as long as it takes, so that the result is
 * never WRITE_BUSY. One thread at a time may call it.
 */
static WriteResult write_to_target(GBytes *line, int patience)
{
    gsize length;
    const char *octets = g_bytes_get_data(line, &length);

    return log_target == LOG_TARGET_SYSLOG ? write_syslog(octets, length, patience)
                                           : write_stderr(octets, length, patience);
}

/* How many octets several lines may have that are written as one; 0 if each is written alone. A
 * pipe takes that many at once, or none of them. A datagram is one line. */
static gsize join_max(void)
{
    return log_target == LOG_TARGET_SYSLOG ? 0 : PIPE_BUF;
}

static struct iovec part(const char *text)
{
    return (struct iovec){.iov_base = (char *)text, .iov_len = strlen(text)};
}

void log_write_crash(const char *text)
{
    const char syslog_level[] = {'<', '0' + (LOG_MAIL | LOG_CRIT) / 10,
                                 '0' + (LOG_MAIL | LOG_CRIT) % 10, '>', '\0'};
    const char journal_level[] = {'<', '0' + LOG_CRIT, '>', '\0'};
    bool is_syslog = log_target == LOG_TARGET_SYSLOG;
    const struct iovec line[] = {part(is_syslog    ? syslog_level
                                      : is_journal ? journal_level
                                                   : ""),
                                 part(is_journal && !is_syslog ? "" : program_name),
                                 part(is_journal && !is_syslog ? "" : ": "), part(text),
                                 part(is_syslog ? "" : "\n")};
    int fd = is_syslog ? syslog_fd : STDERR_FILENO;

    if (is_writable(fd, 0) && writev(fd, line, G_N_ELEMENTS(line)) < 0)
        return; /* there is nowhere left to report it */
}

/* Lines on their way to the target. */

typedef enum { QUEUE_NONE, QUEUE_RUNNING, QUEUE_STOPPING, QUEUE_ENDED, QUEUE_STUCK } QueueState;

/* queue_lock guards what follows, but for the counts. */
static pthread_mutex_t queue_lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t queue_changed; /* a line came while is_idle, or queue_state is another */
static QueueState queue_state;
static bool is_idle;                 /* the thread sleeps until a line comes */
static GQueue queued = G_QUEUE_INIT; /* of GBytes */
static gsize queued_octets;

/* By __atomic_*() only. */
static guint64 lost_lines;
static guint waiting; /* lines in the queue or being written */

static void count_losses(guint count)
{
    __atomic_fetch_add(&lost_lines, count, __ATOMIC_RELAXED);
}

guint64 log_queue_lost(void)
{
    return __atomic_load_n(&lost_lines, __ATOMIC_RELAXED);
}

static void count_waiting(int change)
{
    __atomic_fetch_add(&waiting, change, __ATOMIC_RELAXED);
}

static void append(GBytes *line)
{
    g_queue_push_tail(&queued, line);
    queued_octets += g_bytes_get_size(line);
    count_waiting(1);
    if (is_idle)
        pthread_cond_signal(&queue_changed);
}

static bool fits(const GBytes *line)
{
    return queue_state != QUEUE_STUCK &&
           queued_octets + g_bytes_get_size((GBytes *)line) <= LOG_QUEUE_MAX;
}

/* Takes line. Returns false if it is lost. */
static bool put(GBytes *line)
{
    g_autoptr(GBytes) owned = line;

    if (queue_state == QUEUE_NONE || queue_state == QUEUE_ENDED)
        return write_to_target(line, PATIENCE) == WRITE_DONE;
    if (!fits(line))
        return false;
    append(g_steal_pointer(&owned));
    return true;
}

static void enqueue(int level, const char *text)
{
    GBytes *line = make_line(level, text);

    pthread_mutex_lock(&queue_lock);
    bool is_kept = put(line);
    pthread_mutex_unlock(&queue_lock);
    if (!is_kept)
        count_losses(1);
}

static GBytes *pop(void)
{
    GBytes *line = g_queue_pop_head(&queued);

    if (line != NULL)
        queued_octets -= g_bytes_get_size(line);
    return line;
}

/* Lines that are written at once. */
typedef struct {
    GBytes *text;
    guint lines; /* 0: there is none */
} Batch;

/* Takes the first line, and those behind it that may be written together with it. */
static Batch pop_batch(void)
{
    gsize left = join_max();
    Batch batch = {.text = pop()};
    GByteArray *joined;

    if (batch.text == NULL)
        return batch;
    batch.lines = 1;
    joined = g_bytes_unref_to_array(batch.text);
    for (GBytes *next; (next = g_queue_peek_head(&queued)) != NULL &&
                       joined->len + g_bytes_get_size(next) <= left;
         batch.lines++) {
        g_autoptr(GBytes) line = pop();

        g_byte_array_append(joined, g_bytes_get_data(line, NULL), (guint)g_bytes_get_size(line));
    }
    batch.text = g_byte_array_free_to_bytes(joined);
    return batch;
}

/* The next lines. is_patient: waits for them, unless the thread is to end. */
static Batch next_batch(bool is_patient)
{
    Batch batch;

    pthread_mutex_lock(&queue_lock);
    while ((batch = pop_batch()).lines == 0 && queue_state == QUEUE_RUNNING && is_patient) {
        is_idle = true;
        pthread_cond_wait(&queue_changed, &queue_lock);
        is_idle = false;
    }
    pthread_mutex_unlock(&queue_lock);
    return batch;
}

/*
 * If no line waits, lets some come, so that a busy daemon wakes this thread, and writes, once for
 * many: a wake-up for each costs a message on an idle processor a fifth of its time.
 */
static void gather(void)
{
    const Deadline end = clock_monotonic(&clock_system) + GATHER_TIME * CLOCK_MILLISECOND;

    pthread_mutex_lock(&queue_lock);
    if (g_queue_is_empty(&queued))
        while (queue_state == QUEUE_RUNNING && deadline_wait(end, &queue_changed, &queue_lock))
            continue;
    pthread_mutex_unlock(&queue_lock);
}

static bool is_abandoned(void)
{
    pthread_mutex_lock(&queue_lock);
    bool is_stuck = queue_state == QUEUE_STUCK;
    pthread_mutex_unlock(&queue_lock);
    return is_stuck;
}

/* Waits until somebody reads. Returns whether the text is out. */
static bool write_out(GBytes *text)
{
    return write_to_target(text, -1) == WRITE_DONE;
}

/* Tells how many lines were dropped after those that told counts. Returns whether that is out. */
static bool tell_loss(guint64 *told)
{
    guint64 now = log_queue_lost();
    g_autofree char *text = g_strdup_printf(
        "log: %" G_GUINT64_FORMAT " lines were lost, since nobody took them in time", now - *told);
    g_autoptr(GBytes) line = make_line(LOG_WARNING, text);

    if (!write_out(line))
        return false;
    *told = now;
    return true;
}

static bool write_and_free(Batch batch)
{
    bool is_out = write_out(batch.text);

    if (!is_out)
        count_losses(batch.lines);
    count_waiting(-(int)batch.lines);
    g_bytes_unref(batch.text);
    return is_out;
}

static void mark_end(void)
{
    pthread_mutex_lock(&queue_lock);
    if (queue_state == QUEUE_STOPPING)
        queue_state = QUEUE_ENDED;
    pthread_cond_broadcast(&queue_changed);
    pthread_mutex_unlock(&queue_lock);
}

static void *run(void *unused G_GNUC_UNUSED)
{
    bool is_working = true; /* the last line got out */
    guint64 told = 0;

    while (!is_abandoned()) {
        bool is_loss_news = is_working && log_queue_lost() != told;
        Batch batch = next_batch(!is_loss_news);

        if (batch.lines > 0) {
            is_working = write_and_free(batch);
            gather();
        } else if (is_loss_news)
            is_working = tell_loss(&told);
        else
            break;
    }
    mark_end();
    return NULL;
}

static void set_state(QueueState next)
{
    pthread_mutex_lock(&queue_lock);
    queue_state = next;
    pthread_mutex_unlock(&queue_lock);
}

bool log_queue_start(void)
{
    pthread_t thread;

    deadline_init_condition(&queue_changed);
    set_state(QUEUE_RUNNING);
    if (pthread_create(&thread, NULL, run, NULL) != 0) {
        set_state(QUEUE_NONE);
        return false;
    }
    pthread_setname_np(thread, "spfrom-log");
    pthread_detach(thread);
    return true;
}

void log_queue_stop(void)
{
    const Deadline deadline = clock_monotonic(&clock_system) + PATIENCE * CLOCK_MILLISECOND;

    pthread_mutex_lock(&queue_lock);
    if (queue_state == QUEUE_RUNNING) {
        queue_state = QUEUE_STOPPING;
        pthread_cond_broadcast(&queue_changed);
        while (queue_state == QUEUE_STOPPING)
            if (!deadline_wait(deadline, &queue_changed, &queue_lock))
                break;
        if (queue_state == QUEUE_STOPPING)
            queue_state = QUEUE_STUCK;
    }
    pthread_mutex_unlock(&queue_lock);
}

void log_queue_settle(void)
{
    const struct timespec pause = {.tv_nsec = SETTLE_PAUSE};

    for (int i = 0; i < SETTLE_TRIES && __atomic_load_n(&waiting, __ATOMIC_RELAXED) > 0; i++)
        nanosleep(&pause, NULL);
}

/* What is written. */

static gint log_level = LOG_INFO; /* by g_atomic_int_*() only */

void log_open(const char *program, LogTarget target, int level)
{
    open_target(program, target);
    log_set_level(level);
}

void log_set_level(int level)
{
    g_atomic_int_set(&log_level, level);
}

bool log_is_enabled(int level)
{
    return level <= g_atomic_int_get(&log_level);
}

/*
 * Returns whether character, written as it is, would change how a reader sees the rest of the line:
 * controls (C0, DEL, C1), line and paragraph separators, and invisible characters (zero-width, bidi
 * marks and overrides).
 */
static bool is_control(gunichar character)
{
    switch (g_unichar_type(character)) {
    case G_UNICODE_CONTROL:
    case G_UNICODE_FORMAT:
    case G_UNICODE_LINE_SEPARATOR:
    case G_UNICODE_PARAGRAPH_SEPARATOR:
    case G_UNICODE_UNASSIGNED:
        return true;
    default:
        return false;
    }
}

/*
 * The number of octets of the character at text, which is not empty, of which left are there; 0
 * if it is not UTF-8, or a control.
 */
static gsize shown_octets(const char *text, gsize left)
{
    gunichar character;

    if (g_ascii_isprint(*text))
        return 1;
    character = g_utf8_get_char_validated(text, (gssize)left);
    if (character == (gunichar)-1 || character == (gunichar)-2 || is_control(character))
        return 0;
    return (gsize)(g_utf8_next_char(text) - text);
}

/* Puts a "?" in place of each octet that can't be shown, and of a character that was cut at the
 * end. */
static void mask_controls(char *text)
{
    gsize left = strlen(text);

    while (left > 0) {
        gsize octets = shown_octets(text, left);

        if (octets == 0) {
            *text = '?';
            octets = 1;
        }
        text += octets;
        left -= octets;
    }
}

G_GNUC_PRINTF(2, 0) static void write_line(int level, const char *format, va_list arguments)
{
    char text[LOG_LINE_MAX];

    if (!log_is_enabled(level))
        return;
    g_vsnprintf(text, sizeof text, format, arguments);
    mask_controls(text);
    enqueue(level, text);
}

void log_write(int level, const char *format, ...)
{
    va_list arguments;

    va_start(arguments, format);
    write_line(level, format, arguments);
    va_end(arguments);
}

/*
 * libmilter and other libraries log by syslog(3), which waits for a daemon that does not read.
 * These two take the place of the C library's functions, since names of the program go before those
 * of libraries.
 */
void log_write_library(int priority, const char *format, ...) __asm__("syslog") G_GNUC_PRINTF(2, 3);
void log_write_library_checked(int priority, int flag, const char *format,
                               ...) __asm__("__syslog_chk") G_GNUC_PRINTF(3, 4);

G_GNUC_PRINTF(2, 0)
static void write_library_line(int priority, const char *format, va_list arguments)
{
    int error = errno;

    write_line(LOG_PRI(priority), format, arguments);
    errno = error;
}

void log_write_library(int priority, const char *format, ...)
{
    va_list arguments;

    va_start(arguments, format);
    write_library_line(priority, format, arguments);
    va_end(arguments);
}

void log_write_library_checked(int priority, int flag G_GNUC_UNUSED, const char *format, ...)
{
    va_list arguments;

    va_start(arguments, format);
    write_library_line(priority, format, arguments);
    va_end(arguments);
}

/* Returns whether the character at text, of so many octets, would end a value that is not quoted,
 * or look like part of the line's own syntax. */
static bool is_syntax(const char *text, gsize octets)
{
    if (octets > 1)
        return g_unichar_isspace(g_utf8_get_char(text));
    switch (*text) {
    case ' ':
    case '"':
    case '=':
    case '\\':
        return true;
    default:
        return false;
    }
}

static bool needs_quotes(const char *value, gsize length)
{
    if (length == 0)
        return true;
    for (gsize at = 0; at < length;) {
        gsize octets = shown_octets(value + at, length - at);

        if (octets == 0 || is_syntax(value + at, octets))
            return true;
        at += octets;
    }
    return false;
}

/* Appends the character at value, quoted. Returns how many octets it took. */
static gsize append_quoted(GString *line, const char *value, gsize left)
{
    gsize octets = shown_octets(value, left);

    if (octets == 0) {
        g_string_append_printf(line, "\\x%02x", (guchar)*value);
        return 1;
    }
    if (*value == '"' || *value == '\\')
        g_string_append_c(line, '\\');
    g_string_append_len(line, value, (gssize)octets);
    return octets;
}

/* The length of value, or of its first LOG_VALUE_MAX octets without a character that is cut. */
static gsize shown_length(const char *value)
{
    gsize length = strnlen(value, LOG_VALUE_MAX + 1);
    const char *start;

    if (length <= LOG_VALUE_MAX)
        return length;
    start = g_utf8_find_prev_char(value, value + LOG_VALUE_MAX);
    if (start != NULL && start + g_utf8_skip[(guchar)*start] > value + LOG_VALUE_MAX)
        return (gsize)(start - value);
    return LOG_VALUE_MAX;
}

void log_value(GString *line, const char *value)
{
    gsize length = shown_length(value);

    if (!needs_quotes(value, length)) {
        g_string_append_len(line, value, (gssize)length);
        return;
    }
    g_string_append_c(line, '"');
    for (gsize at = 0; at < length;)
        at += append_quoted(line, value + at, length - at);
    g_string_append_c(line, '"');
}

void log_pair(GString *line, const char *key, const char *value)
{
    g_string_append_c(line, ' ');
    g_string_append(line, key);
    g_string_append_c(line, '=');
    log_value(line, value);
}
