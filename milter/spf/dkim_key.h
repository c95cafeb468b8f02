#ifndef SPFROM_SPF_DKIM_KEY_H
#define SPFROM_SPF_DKIM_KEY_H

#include <glib.h>
#include <stdbool.h>

/* A public key for DKIM as it stands in DNS (RFC 6376 section 3.6.1). */
typedef struct {
    char *type; /* "rsa" or "ed25519" (RFC 8463) */
    GBytes *octets;
} DkimKey;

#define DKIM_KEY_RECORD_MAX 16384 /* octets of a record; a longer one is not read */

/*
 * Reads a TXT record, its strings put together. Returns NULL if mail can't be signed with that key for
 * certain: the record is wrong in any way, revoked (an empty p=), testing (t=y), for another hash than
 * SHA-256, another service than mail, or of a type that verifiers don't know.
 */
DkimKey *dkim_key_parse(const char *text, gsize length);
bool dkim_key_equal(const DkimKey *a, const DkimKey *b);
void dkim_key_free(DkimKey *key);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(DkimKey, dkim_key_free)
#endif
