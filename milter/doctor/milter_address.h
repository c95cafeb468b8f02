#ifndef SPFROM_DOCTOR_MILTER_ADDRESS_H
#define SPFROM_DOCTOR_MILTER_ADDRESS_H

#include <glib.h>
#include <stdbool.h>

#include "base/deadline.h"
#include "base/network.h"

/*
 * Where a milter listens, and what listens there. There are two ways to write it, and each MTA knows
 * its own alone: Postfix "inet:HOST:PORT", "inet:[::1]:PORT", "unix:PATH", "local:PATH"; Sendmail,
 * libmilter and our settings "inet:PORT@HOST", "inet6:PORT@HOST", "local:PATH", "unix:PATH", "/PATH".
 */
typedef struct {
    bool is_unix;
    /* Of a unix socket, as it was written; it may be relative. */
    char *path;
    /* Of a TCP socket, in lower case and without brackets; NULL for any address. */
    char *host;
    guint16 port;
} MilterAddress;

/* Each reads one of the two, as that MTA does. Returns a new value, freed with
 * milter_address_free(), or NULL if that MTA can't read text. */
MilterAddress *milter_address_parse_postfix(const char *text);
MilterAddress *milter_address_parse_sendmail(const char *text);

/* Reads what is meant, in whatever form: for text that its own MTA can't read. */
MilterAddress *milter_address_guess(const char *text);
void milter_address_free(MilterAddress *address);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(MilterAddress, milter_address_free)

/* The address in Postfix's form and in Sendmail's, owned by the caller. A milter that listens on any
 * address is reached at 127.0.0.1. */
char *milter_address_postfix(const MilterAddress *address);
char *milter_address_sendmail(const MilterAddress *address);

/*
 * Does a client that connects to asked reach the milter that listens at listening? Host names are
 * looked up; paths have to lead to the same file.
 */
bool milter_address_reaches(const MilterAddress *asked, const MilterAddress *listening);

/* How long a milter that lives may take for its answer. */
#define MILTER_ADDRESS_SECONDS 5

/* Returns a socket that is connected and does not block, or -1 with errno set (EHOSTUNREACH if the
 * host can't be looked up). */
int milter_address_connect(const MilterAddress *address, Deadline deadline);

/* The same over TCP from source, an address of this host; NULL for any. */
int milter_address_connect_from(const MilterAddress *address, const Network *source,
                                Deadline deadline);

/*
 * Begins a conversation with the milter on the socket fd and ends it: version and steps of the
 * milter protocol, no message. Returns false if no milter answers.
 */
bool milter_address_negotiate(int fd, Deadline deadline);

/*
 * The program that listens at address on this machine: the name of its process ("opendkim"), or of
 * the script that an interpreter runs. Owned by the caller. NULL if it can't be seen: nothing
 * listens, it is on another machine, or we are not root.
 */
char *milter_address_program(const MilterAddress *address, Deadline deadline);

/* A milter that operators run beside ours. */
typedef struct {
    /* "OpenDKIM" */
    const char *name;
    /* What it signs must not change after it. */
    bool is_signer;
} KnownMilter;

/*
 * Recognises a milter by its program, else by its path or its usual port.
 *
 * program       what milter_address_program() found; may be NULL
 * address_text  the address as the MTA's configuration has it
 * address       the same, parsed; NULL if that failed
 * Returns NULL for a milter that is not known.
 */
const KnownMilter *milter_address_known(const char *program, const char *address_text,
                                        const MilterAddress *address);
#endif
