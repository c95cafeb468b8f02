#ifndef SPFROM_DAEMON_MODE_FILE_H
#define SPFROM_DAEMON_MODE_FILE_H

#include <glib.h>
#include <stdbool.h>

#include "policy/settings.h"

/* The file in state_dir that keeps the runtime switch over a restart: one JSON object, times as
 * RFC 3339 text. */
typedef struct {
    Mode mode;
    gint64 since; /* wall time, whole seconds, as until */
    gint64 until; /* 0: without an end */
    bool has_before;
    Mode before; /* with an end: the switch without one that it interrupts */
} KeptMode;

#define MODE_FILE_ERROR (mode_file_error_quark())
typedef enum {
    MODE_FILE_ERROR_ABSENT,
    MODE_FILE_ERROR_CONTENT,
    MODE_FILE_ERROR_SYSTEM
} ModeFileError;
GQuark mode_file_error_quark(void);

/* Returns false with error (MODE_FILE_ERROR) set: ABSENT where there is no file. */
bool mode_file_read(const char *file, KeptMode *kept, GError **error);

/* Puts kept in the place of what was there: all of it, and on the disk, or nothing of it and error
 * (MODE_FILE_ERROR_SYSTEM). */
bool mode_file_write(const char *file, const KeptMode *kept, GError **error);

/* Removes the file, if there is one. */
bool mode_file_remove(const char *file, GError **error);

/* The pure parts: reads what a file holds (any octets); false where it is none of ours … */
bool mode_file_parse(const char *text, gsize length, KeptMode *kept);
/* … and what is written, owned by the caller. */
char *mode_file_text(const KeptMode *kept);
#endif
