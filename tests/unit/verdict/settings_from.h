#ifndef SPFROM_TESTS_SETTINGS_FROM_H
#define SPFROM_TESTS_SETTINGS_FROM_H

#include "base/deadline.h"
#include "policy/settings.h"

/*
 * Settings from the text of a configuration, to which fallback_address is added; hostname is
 * relay.example.org. Ends the test program where the text is wrong.
 */
Settings *settings_from(const char *text);

/* A deadline that check_timeout's default gives. */
#define IN_TIME deadline_in(10)
#endif
