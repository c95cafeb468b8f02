#ifndef SPFROM_SPF_PROBLEM_H
#define SPFROM_SPF_PROBLEM_H

#include "dns/dns.h"
#include "spf/evaluation_context.h"
#include "spf/record.h"

/*
 * The sentences for what ends the evaluation of an SPF record, or makes it an error: English, for
 * people. Each one is owned by the caller.
 */

/* A term and where it stands: "include:x.org" of example.org. */
char *problem_place(const char *domain, const Record *record, const RecordTerm *term);

/* DNS did not answer the question for name and type. */
char *problem_no_answer(const char *name, DnsType type, const DnsAnswer *answer);

/*
 * Why there is no SPF record at name to go on with: it has none, it has several, or the one is
 * wrong. NULL if there is a right one.
 *
 * found  what stands at name; NULL if name can't be asked for
 */
char *problem_of_record(const char *name, const FoundRecord *found);

/* There are more terms with a look-up than max; the first one too many is at place. */
char *problem_lookups(const char *place, guint max);

/* An mx term finds more hosts at name than max. */
char *problem_hosts(const char *name, guint max);
#endif
