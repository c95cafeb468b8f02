#ifndef SPFROM_BASE_VISIBLE_TEXT_H
#define SPFROM_BASE_VISIBLE_TEXT_H

#include <glib.h>

/*
 * Returns text, owned by the caller, with everything in it made visible that could move a
 * terminal's cursor, hide text or turn its direction: controls as \x1b (a tab stays), other
 * invisible characters as \u202e, octets that are no UTF-8 as \xff. For terminals and pages alike.
 *
 * length  octets of text, NULs allowed; -1: up to its NUL
 */
char *visible_text(const char *text, gssize length);
#endif
