#ifndef SPFROM_DOCTOR_SENDMAIL_H
#define SPFROM_DOCTOR_SENDMAIL_H

#include "doctor/findings.h"
#include "doctor/milter_address.h"

#define DOCTOR_SENDMAIL_CF "/etc/mail/sendmail.cf"

/*
 * Does every message that Sendmail takes pass through us, before any milter that signs it, with the
 * time that we need? Looks at sendmail.cf in file, and at submit.cf beside it.
 */
void doctor_sendmail(Doctor *doctor, const char *file);

/* A line "Xname, S=socket, F=T, T=C:5s;R:10s" of sendmail.cf (Sendmail Installation and Operation
 * Guide, section 5.11). */
typedef struct {
    char *name;
    char *socket;
    /* NULL if socket is not understood. */
    MilterAddress *address;
    /* Sendmail can't read socket; address is what it means. */
    bool is_misread;
    /* 'T' and '4' tempfail, 'R' rejects; NUL lets mail go on without the milter. */
    char flag;
    /* Seconds that Sendmail waits for one answer, the last one included. */
    gint64 read_time;
    /* Seconds from the end of the message to the last answer. */
    gint64 end_time;
} SendmailMilter;

/* A line "O DaemonPortOptions=…". */
typedef struct {
    char *name;
    /* Of char *; NULL if the general list counts. */
    GPtrArray *filters;
} SendmailDaemon;

/* What sendmail.cf says of milters, and where mail goes. */
typedef struct {
    /* Of SendmailMilter. */
    GPtrArray *milters;
    /* Of char *: InputMailFilters, in the order in which they are asked. */
    GPtrArray *filters;
    /* Of SendmailDaemon. */
    GPtrArray *daemons;
    /* "[mail.example.net]"; NULL if there is none. */
    char *smart_host;
    /* In submit.cf: the host that gets mail of local programs; NULL if there is none. */
    char *mta_host;
    /* FEATURE(genericstable) */
    bool has_generics;
} SendmailCf;

/* Pure. Returns a new value, freed with sendmail_cf_free(). */
SendmailCf *sendmail_cf_parse(const char *text);
void sendmail_cf_free(SendmailCf *cf);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(SendmailCf, sendmail_cf_free)

/* The milter of that name, or NULL. */
const SendmailMilter *sendmail_cf_milter(const SendmailCf *cf, const char *name);
#endif
