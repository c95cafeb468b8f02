#ifndef SPFROM_DOCTOR_PROGRAM_H
#define SPFROM_DOCTOR_PROGRAM_H

#include <glib.h>

/* Another program, run to its end: postconf, postmap. No shell, no input, bounds on time and
 * output. */
#define DOCTOR_PROGRAM_SECONDS 10
#define DOCTOR_PROGRAM_OUTPUT_MAX (4 * 1024 * 1024) /* octets of stdout, and of stderr */

typedef struct {
    int status; /* as it exited; -1: by a signal */
    char *output;
    char *complaints; /* stderr */
} DoctorProgram;

#define DOCTOR_PROGRAM_ERROR (doctor_program_error_quark())
typedef enum {
    DOCTOR_PROGRAM_ERROR_START,
    DOCTOR_PROGRAM_ERROR_LATE,
    DOCTOR_PROGRAM_ERROR_LONG
} DoctorProgramError;
GQuark doctor_program_error_quark(void);

/*
 * argv  NULL-terminated; argv[0] is a path
 * Returns what came of it, freed with doctor_program_free(), or NULL with error set.
 */
DoctorProgram *doctor_program_run(const char *const *argv, GError **error);
void doctor_program_free(DoctorProgram *program);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(DoctorProgram, doctor_program_free)

/* Where name is, in the directories of system programs and in PATH; NULL: nowhere. */
char *doctor_program_find(const char *name);
#endif
