#ifndef SPFROM_DOCTOR_CONTEXT_H
#define SPFROM_DOCTOR_CONTEXT_H

#include <stdbool.h>

#include "doctor/findings.h"
#include "advice/relays.h"
#include "policy/settings.h"
#include "dns/dns.h"

/* What `spfrom doctor` was asked for; all borrowed, NULL where not given. */
typedef struct {
    bool is_json;
    const char *postconf;
    const char *postfix_directory;
    const char *sendmail_cf;
    const char *dkim_selector;
    const char *opendkim_file;
    const char *probe; /* the recipient */
    const char *from;  /* of the probe */
    const char *smtp;  /* HOST:PORT that takes the probe */
} DoctorOptions;

/* What the examinations share. */
typedef struct {
    DoctorOptions options;
    Findings findings;
    const char *file;   /* of the configuration, absolute */
    char *text;         /* of file; NULL: can't be read */
    Settings *settings; /* NULL: wrong; then only what needs none is examined */
    Dns *dns;           /* NULL: can't be opened */
    Relays *relays;     /* NULL: can't be resolved */
} Doctor;

/* When finding is mended by a key of our configuration: says the command, and what makes the daemon
 * take it over. */
void doctor_mend_key(const Doctor *doctor, Finding *finding, const char *key, const char *value);

/* Is address (one address, or a network) within the relay set? False where that is not known. */
bool doctor_has_relay(const Doctor *doctor, const Network *network);
#endif
