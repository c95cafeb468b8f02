#ifndef SPFROM_RETURNS_SOCKETMAP_READER_H
#define SPFROM_RETURNS_SOCKETMAP_READER_H

#include <glib.h>
#include <stdbool.h>

/*
 * Reads the requests of the socketmap protocol, which Postfix (socketmap_table(5)) and Sendmail
 * share: netstrings "LENGTH:NAME SP KEY,". However long one is, little of it is kept. Its own
 * memory only; no I/O.
 */
#define SOCKETMAP_KEY_MAX 1000  /* octets; a longer key is told apart, and not kept */
#define SOCKETMAP_NAME_MAX 1000 /* octets of a map's name */

typedef struct SocketmapReader SocketmapReader;

SocketmapReader *socketmap_reader_new(void);
void socketmap_reader_free(SocketmapReader *reader);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(SocketmapReader, socketmap_reader_free)

typedef enum {
    SOCKETMAP_MORE,    /* all octets are read, and no request is whole */
    SOCKETMAP_REQUEST, /* key is one */
    SOCKETMAP_BROKEN,  /* no netstring, or no NAME SP KEY; nothing can follow */
} SocketmapOutcome;

typedef struct {
    const char *octets; /* borrowed until the next read; NULL if there are too many */
    gsize length;
} SocketmapKey;

/* Reads from octets until a request is whole. read is set to how many octets were read. */
SocketmapOutcome socketmap_reader_read(SocketmapReader *reader, const char *octets, gsize length,
                                       gsize *read, SocketmapKey *key);

/* Has a request begun that is not whole? */
bool socketmap_reader_has_part(const SocketmapReader *reader);

/* Appends text as a netstring. */
void socketmap_append(GString *output, const char *text);
#endif
