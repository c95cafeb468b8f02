#ifndef SPFROM_SHOW_REASON_H
#define SPFROM_SHOW_REASON_H

#include "base/language.h"

/*
 * Returns in language why a verdict is not what it could be, a sentence without its full stop: one
 * that stands in the sources, or one that was made of a domain's data (spf/problem.h, for example
 * "x.org has no SPF record"). What nobody translated stays English. Owned by the caller.
 */
char *reason_in(const Language *language, const char *english);
#endif
