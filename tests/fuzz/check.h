#ifndef SPFROM_TESTS_FUZZ_CHECK_H
#define SPFROM_TESTS_FUZZ_CHECK_H

#include <glib.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static inline void check(bool holds)
{
    if (!holds)
        __builtin_trap();
}

/* A target of several parsers: the first octet, a digit in the seeds, says which gets the rest. */
typedef void FuzzParser(const char *text, size_t length);

static inline void run_one_of(FuzzParser *const *parsers, size_t count, const uint8_t *data,
                              size_t size)
{
    if (size > 0)
        parsers[(uint8_t)(data[0] - '0') % count]((const char *)data + 1, size - 1);
}
#endif
