/* The header of a message that came back: its kind, and whether it goes in circles. */
#include "config.h"

#include "mail/returned.h"

#include <string.h>

#include "fuzz/check.h"
#include "fuzz/fields.h"
#include "mail/rewrite.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const char *const names[] = {"X-SPFrom", "Auto-Submitted", "Precedence", "Content-Type",
                                    "From"};

static bool has_mark(const HeaderFields *fields)
{
    for (guint i = 0; i < header_fields_length(fields); i++)
        if (returned_is_mark(header_fields_at(fields, i)))
            return true;
    return false;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static char token[] = "k3vqj6mz2h7xw4ba";
    static char other[] = "zzzzzzzzzzzzzzzz";
    g_autoptr(HeaderFields) fields =
        read_fields((const char *)data, size, names, G_N_ELEMENTS(names));
    g_autoptr(GPtrArray) tokens = g_ptr_array_new();
    bool was_loop;

    g_ptr_array_add(tokens, other);
    g_ptr_array_add(tokens, token);
    check(returned_kind(fields, true) != RETURN_REPLY);
    check(returned_kind(fields, false) != RETURN_BOUNCE);
    was_loop = returned_is_loop(fields, tokens);
    check(!was_loop || has_mark(fields));
    if (header_fields_is_cut(fields))
        return 0;
    header_fields_append(fields, REWRITE_TRACE_HEADER,
                         "returned; kind=reply; token=aaaaaaaaaaaaaaaa,k3vqj6mz2h7xw4ba", -1);
    check(has_mark(fields) && returned_is_loop(fields, tokens));
    return 0;
}
