#ifndef SPFROM_DOCTOR_PROBE_H
#define SPFROM_DOCTOR_PROBE_H

#include "doctor/findings.h"

#define DOCTOR_PROBE_SERVER "127.0.0.1:25"

/*
 * Sends one message through the MTA by SMTP, as the options say, and asks the daemon what it did with
 * it. If it left with a return address, one bounce is sent to that, to see whether it finds the author
 * (design section 19).
 */
void doctor_probe(Doctor *doctor);

/*
 * The queue id in an MTA's answer to the end of a message: "250 2.0.0 Ok: queued as 4fKx2n" of
 * Postfix, "250 2.0.0 6AOKXome024804 Message accepted for delivery" of Sendmail. Owned by the
 * caller; NULL if there is none. Pure.
 */
char *probe_queue_id(const char *answer);

typedef enum {
    /* The log says nothing of the message. */
    PROBE_DELIVERY_UNSEEN,
    /* It is under way. */
    PROBE_DELIVERY_QUEUED,
    PROBE_DELIVERY_SENT,
    PROBE_DELIVERY_DEFERRED,
    PROBE_DELIVERY_REFUSED,
} ProbeDelivery;

/*
 * What the log of Postfix or Sendmail says last of the delivery of a message to recipient. Pure.
 *
 * log   lines; the last one may be cut
 * line  gets that line from the queue id on, owned by the caller; NULL if there is none
 */
ProbeDelivery probe_delivery(const char *log, const char *queue_id, const char *recipient,
                             char **line);
#endif
