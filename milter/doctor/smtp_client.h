#ifndef SPFROM_DOCTOR_SMTP_CLIENT_H
#define SPFROM_DOCTOR_SMTP_CLIENT_H

#include <glib.h>

#include "base/deadline.h"
#include "base/network.h"
#include "doctor/milter_address.h"

/* One message that an MTA is given by SMTP (RFC 5321), as a client of the house gives it: without
 * TLS and without a log-in. */
typedef struct {
    const char *helo;
    /* An addr-spec; "" for the null sender. */
    const char *sender;
    /* An addr-spec. */
    const char *recipient;
    /* The message, with CRLF as line ends; no line begins with a dot. */
    const char *text;
} SmtpMessage;

/* Why a server did not take the message. The text of SMTP_CLIENT_ERROR_REFUSED is the server's
 * answer. */
#define SMTP_CLIENT_ERROR (smtp_client_error_quark())
typedef enum {
    SMTP_CLIENT_ERROR_CONNECT,
    SMTP_CLIENT_ERROR_SILENT,
    SMTP_CLIENT_ERROR_REFUSED,
} SmtpClientError;
GQuark smtp_client_error_quark(void);

/*
 * Gives the server one message.
 *
 * source   the address of this host that the server is to see; NULL for any
 * seconds  for each answer of the server
 * Returns the server's last answer, to the end of the message, owned by the caller; NULL with error
 * (SMTP_CLIENT_ERROR) set.
 */
char *smtp_client_send(const MilterAddress *server, const Network *source,
                       const SmtpMessage *message, guint seconds, Deadline deadline,
                       GError **error);

/* The time now (RFC 5322 section 3.3), in words that no locale changes; owned by the caller. */
char *smtp_client_date(void);

/* How long an MTA may take for an answer besides the check, in seconds. */
#define SMTP_CLIENT_PATIENCE 30
#endif
