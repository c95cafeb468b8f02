#ifndef SPFROM_DOCTOR_SMTP_H
#define SPFROM_DOCTOR_SMTP_H

#include <glib.h>

#include "doctor/milter_address.h"

/* One message handed to an MTA by SMTP (RFC 5321), as a client of the house does: no TLS, no
 * log-in. */
#define DOCTOR_SMTP_ERROR (doctor_smtp_error_quark())
typedef enum {
    DOCTOR_SMTP_ERROR_CONNECT,
    DOCTOR_SMTP_ERROR_SILENT,
    DOCTOR_SMTP_ERROR_REFUSED /* the message says what the server said */
} DoctorSmtpError;
GQuark doctor_smtp_error_quark(void);

typedef struct {
    const char *helo;
    const char *sender;    /* addr-spec */
    const char *recipient; /* addr-spec */
    const char *text;      /* the message, CRLF line ends, no line begins with a dot */
} DoctorSmtpMessage;

/*
 * seconds  for each answer of the server
 * Returns the server's last answer, to the end of the message, owned by the caller; NULL with error
 * set.
 */
char *doctor_smtp_send(const MilterAddress *server, const DoctorSmtpMessage *message, guint seconds,
                       GError **error);

/*
 * The queue id in that answer: "250 2.0.0 Ok: queued as 4fKx2n" of Postfix, "250 2.0.0
 * 6AOKXome024804 Message accepted for delivery" of Sendmail. Owned by the caller; NULL where there
 * is none. Pure.
 */
char *doctor_smtp_queue_id(const char *answer);
#endif
