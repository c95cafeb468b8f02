#ifndef SPFROM_DOCTOR_RETURN_PROBE_H
#define SPFROM_DOCTOR_RETURN_PROBE_H

#include "control/message_record.h"
#include "doctor/findings.h"
#include "doctor/milter_address.h"

/*
 * Sends one bounce to the return address that a probe has left with, and looks whether it finds the
 * author (design section 19). Nothing else is sent.
 *
 * server     the MTA that has taken the probe
 * author     of the probe, an addr-spec
 * recipient  of the probe, an addr-spec
 * sent       what became of the probe
 */
void doctor_return_probe(Doctor *doctor, const MilterAddress *server, const char *author,
                         const char *recipient, const MessageRecord *sent);

typedef enum {
    /* The log says nothing of the message. */
    RETURN_DELIVERY_UNSEEN,
    /* It is under way. */
    RETURN_DELIVERY_QUEUED,
    RETURN_DELIVERY_SENT,
    RETURN_DELIVERY_DEFERRED,
    RETURN_DELIVERY_REFUSED,
} ReturnDelivery;

/*
 * What the log of Postfix or Sendmail says last of the delivery of a message to recipient. Pure.
 *
 * log   lines; the last one may be cut
 * line  gets that line from the queue id on, owned by the caller; NULL if there is none
 */
ReturnDelivery return_probe_delivery(const char *log, const char *queue_id, const char *recipient,
                                     char **line);
#endif
