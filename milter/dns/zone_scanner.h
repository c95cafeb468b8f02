#ifndef SPFROM_DNS_ZONE_SCANNER_H
#define SPFROM_DNS_ZONE_SCANNER_H

#include <glib.h>
#include <stdbool.h>

/* The text of a zone file as entries of tokens (RFC 1035 section 5.1): what a token means is left
 * to the caller. */
typedef struct {
    GString *text; /* escapes are resolved; a NUL may stand inside */
    bool is_quoted;
    bool has_escape; /* an octet of text stood there as \. or \046: in a name it would part no
                        labels */
} ZoneToken;

typedef struct {
    guint line;        /* where it begins, from 1 */
    bool has_owner;    /* it begins without a blank: the first token is its owner, or a directive */
    GPtrArray *tokens; /* of ZoneToken; never empty */
} ZoneEntry;

typedef struct {
    const char *at;
    guint line;
    guint depth; /* of parentheses, in which a line's end is a blank */
    ZoneEntry entry;
} ZoneScanner;

#define ZONE_TOKENS_MAX 4096 /* of one entry */

/* text stays the caller's. scanner is given back with zone_scanner_clear(). */
void zone_scanner_init(ZoneScanner *scanner, const char *text);
void zone_scanner_clear(ZoneScanner *scanner);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(ZoneScanner, zone_scanner_clear)

/*
 * Goes to the next entry, scanner->entry. Returns false at the end, or with error (DNS_ERROR_FILE)
 * set where the text of that entry can't be one; its line is in scanner->entry.line.
 */
bool zone_scanner_next(ZoneScanner *scanner, GError **error);

const ZoneToken *zone_entry_at(const ZoneEntry *entry, guint position);
#endif
