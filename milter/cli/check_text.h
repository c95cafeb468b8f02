#ifndef SPFROM_CLI_CHECK_TEXT_H
#define SPFROM_CLI_CHECK_TEXT_H

#include "advice/advice.h"
#include "advice/domain_check.h"
#include "show/page.h"

/* Of an entry of relay_hosts with more networks than this, the networks are summed up. */
#define CHECK_TEXT_NETWORKS_MAX 4

/* Appends check for people: one clear line first, then what it rests on. */
void check_text_add(Page *page, const DomainCheck *check);

/* Appends what to publish: in short, and the record alone on its line, to be copied. */
void check_text_add_advice(Page *page, const Advice *advice);
#endif
