#ifndef SPFROM_SPF_CHECK_REPORT_H
#define SPFROM_SPF_CHECK_REPORT_H

#include "spf/check_host.h"

/*
 * What came out of a check that libspf2 has run, with the tree of the terms that it reached.
 * libspf2 doesn't tell which term decided; that follows from what the terms were answered. Where
 * this leads to another result than libspf2 found, one of both is wrong: temperror, which is
 * logged.
 *
 * May set check->reach. Returns a new evaluation, freed with evaluation_free().
 */
Evaluation *check_report(Check *check, SpfResult result);
#endif
