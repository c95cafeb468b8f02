#ifndef SPFROM_CLI_TEST_OUTPUT_H
#define SPFROM_CLI_TEST_OUTPUT_H

#include <jansson.h>

#include "cli/message_file.h"
#include "show/page.h"
#include "verdict/decision.h"

/* What `spfrom test` tells of a decision. Everything is borrowed. */
typedef struct {
    Settings *settings;
    const Decision *decision;
    const Mailbox *sender; /* of the envelope, as the message came */
} TestOutput;

/* Appends one line or two: what is done and why, and what becomes of the envelope sender. */
void test_output_add_summary(Page *page, const TestOutput *output);

/* Appends the lines that change, those of the envelope first: "- " as it came, "+ " as it leaves.
 */
void test_output_add_diff(Page *page, const TestOutput *output, const MessageFile *message);

/* As design section 12 has it, with more members; a new reference. */
json_t *test_output_json(const TestOutput *output);
#endif
