#ifndef SPFROM_DOCTOR_SENDMAIL_CF_H
#define SPFROM_DOCTOR_SENDMAIL_CF_H

#include <glib.h>
#include <stdbool.h>

#include "doctor/milter_address.h"

/* What sendmail.cf says of milters (Sendmail Installation and Operation Guide,
 * sections 5.10, 5.11). */

/* A line "Xname, S=socket, F=T, T=C:5s;R:10s". */
typedef struct {
    char *name;
    char *socket;
    MilterAddress *address; /* NULL: not understood */
    char flag;              /* 'T' tempfail, 'R' reject, '4'; NUL: mail goes on without it */
    gint64 read_time;       /* seconds that it waits for one answer, the last one too */
    gint64 end_time;        /* seconds from the end of the message to the last answer */
} SendmailMilter;

/* A line "O DaemonPortOptions=…". */
typedef struct {
    char *name;
    GPtrArray *filters; /* of char *; NULL: the general list counts */
} SendmailDaemon;

typedef struct {
    GPtrArray *milters; /* of SendmailMilter */
    GPtrArray *filters; /* of char *: InputMailFilters, in the order in which they are asked */
    GPtrArray *daemons; /* of SendmailDaemon */
    char *smart_host;   /* "[mail.example.net]"; NULL: none */
    char *mta_host;     /* of submit.cf: where mail of local programs goes; NULL: none */
    bool has_generics;  /* FEATURE(genericstable) */
} SendmailCf;

/* Pure. Returns a new value, freed with sendmail_cf_free(). */
SendmailCf *sendmail_cf_parse(const char *text);
void sendmail_cf_free(SendmailCf *cf);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(SendmailCf, sendmail_cf_free)

/* The milter of that name, or NULL. */
const SendmailMilter *sendmail_cf_milter(const SendmailCf *cf, const char *name);
#endif
