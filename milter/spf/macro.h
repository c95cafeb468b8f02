#ifndef SPFROM_SPF_MACRO_H
#define SPFROM_SPF_MACRO_H

#include <glib.h>
#include <stdbool.h>

#include "base/network.h"

/* Macros of SPF records (RFC 7208 section 7). Pure: the values for which they stand are given. */

/* One piece of a macro-string. */
typedef struct {
    /* Of a macro, in lower case; '%', '_' or '-' for "%%", "%_", "%-"; '\0' for literal text. */
    char letter;
    bool is_escaped;  /* an upper case letter: URL escaping */
    bool is_reversed; /* the transformer "r" */
    guint parts;      /* how many of the right-hand parts count; 0: all */
    const char *text; /* of literal text itself, of a macro its delimiters */
    gsize length;
} MacroPiece;

/*
 * Reads the piece of a macro-string that begins at text, which is not at end. Letters that are
 * allowed in explanations only (c, r, t) are read too.
 *
 * Returns where the next piece begins, or NULL if the grammar does not allow what stands at text.
 */
const char *macro_scan(const char *text, const char *end, MacroPiece *piece);

/* The macros that a domain-spec has, as a set of these. */
enum {
    MACRO_SENDER = 1 << 0,    /* %{s}, %{l}: differ from address to address of a domain */
    MACRO_ADDRESS = 1 << 1,   /* %{i}, %{p}: depend on the relay's address */
    MACRO_VALIDATED = 1 << 2, /* %{p} */
    MACRO_FOREIGN = 1 << 3,   /* any but %{d} */
    MACRO_HOST = 1 << 4,      /* %{h}: depends on the host that asks */
};
guint macro_uses(const char *spec, gsize length);

#define MACRO_LOCAL_PART_MAX 64 /* octets: RFC 5321 section 4.5.3.1.1 */

typedef struct {
    const char *local_part; /* %{l}; its first MACRO_LOCAL_PART_MAX octets count */
    const char *sender;     /* %{o}: the domain of the address */
    const char *domain;     /* %{d}: the domain of the record */
    const char *helo;       /* %{h} */
    const char *validated;  /* %{p}; NULL: "unknown" */
    const Network *address; /* %{i}, %{v} */
} MacroValues;

/*
 * Expands a domain-spec that record_parse() found right, to a name: lower case, without trailing
 * dot, shortened to 253 octets by whole labels from the left (RFC 7208 section 7.3). The result
 * need not be a DNS name: see macro_is_name().
 *
 * Returns a new string. Time and memory are bounded for all values.
 */
char *macro_expand(const MacroValues *values, const char *spec, gsize length);

/*
 * Returns whether DNS can be asked for name. As dns_is_name(), but with blanks: "%_" makes them,
 * and the conformance suite asks for such a name.
 */
bool macro_is_name(const char *name);
#endif
