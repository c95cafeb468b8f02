#ifndef SPFROM_VERDICT_INTERFACES_H
#define SPFROM_VERDICT_INTERFACES_H

#include <glib.h>

/* Appends the addresses (Network) of this host's interfaces that are up and not loopback, private
 * ones too. */
void interfaces_addresses(GArray *addresses);
#endif
