#ifndef SPFROM_CLI_REPORT_JSON_H
#define SPFROM_CLI_REPORT_JSON_H

#include <jansson.h>

#include "show/report_data.h"

/* What `spfrom report --json` prints; a new object. */
json_t *report_json(const ReportData *data);
#endif
