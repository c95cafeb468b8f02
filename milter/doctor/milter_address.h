#ifndef SPFROM_DOCTOR_MILTER_ADDRESS_H
#define SPFROM_DOCTOR_MILTER_ADDRESS_H

#include <glib.h>
#include <stdbool.h>
#include <sys/socket.h>

/*
 * Where a milter listens, in the words of Postfix ("inet:HOST:PORT", "inet:[::1]:PORT",
 * "unix:PATH"), and of Sendmail, libmilter and our socket ("inet:PORT@HOST", "inet6:PORT@HOST",
 * "local:PATH", "/PATH").
 */
typedef struct {
    bool is_unix;
    char *path;   /* is_unix: as it stands; may be relative */
    char *host;   /* else: lower case, without brackets; NULL: any */
    guint16 port; /* else */
} MilterAddress;

/* Returns a new value, freed with milter_address_free(); NULL where text is none. */
MilterAddress *milter_address_parse(const char *text);
void milter_address_free(MilterAddress *address);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(MilterAddress, milter_address_free)

/* address in Postfix's words, owned by the caller. A port that listens on any address is reached by
 * 127.0.0.1. */
char *milter_address_postfix(const MilterAddress *address);

/*
 * Does a client that is told to connect to asked reach who listens at listening? Host names are
 * looked up; paths have to be the same file.
 */
bool milter_address_reaches(const MilterAddress *asked, const MilterAddress *listening);

/*
 * Connects within milliseconds. Returns a socket that does not block, or -1 with errno set (an
 * address that can't be looked up is EHOSTUNREACH).
 */
int milter_address_connect(const MilterAddress *address, guint milliseconds);
#endif
