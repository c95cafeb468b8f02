#include "config.h"

#include <glib.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "spf/macro.h"
#include "spf/record.h"

/* Any octets are a record with terms in their places; what is right can be expanded to a name. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_expansion(const Record *record, const RecordTerm *term)
{
    Network address;
    MacroValues values = {.local_part = "strong-bad",
                          .sender = "example.org",
                          .domain = "d.example.org",
                          .helo = "mail.example.net",
                          .address = &address};
    const char *spec = record->text + term->spec_offset;
    g_autofree char *name = NULL;

    network_parse(record->length % 2 == 0 ? "192.0.2.25" : "2001:db8::25", &address, NULL);
    name = macro_expand(&values, spec, term->spec_length);
    if (macro_is_name(name) && strlen(name) > 253)
        __builtin_trap();
    macro_uses(spec, term->spec_length);
}

static void check_term(const Record *record, const RecordTerm *term, gsize *end)
{
    g_autofree char *text = record_term_text(record, term);

    if (term->length == 0 || term->offset < *end || term->offset + term->length > record->length)
        __builtin_trap();
    if (memchr(record->text + term->offset, ' ', term->length) != NULL)
        __builtin_trap();
    if ((term->kind == RECORD_WRONG) != (term->problem != NULL))
        __builtin_trap();
    if (!g_str_is_ascii(text) || strlen(text) > RECORD_SHOWN_MAX)
        __builtin_trap();
    *end = term->offset + term->length;
    if (term->kind == RECORD_WRONG)
        return;
    if (term->spec_length > 0 &&
        (term->spec_offset <= term->offset || term->spec_offset + term->spec_length > *end))
        __builtin_trap();
    check_expansion(record, term);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    g_autoptr(Record) record = record_parse((const char *)data, size);
    g_autofree char *problem = record_problem(record);
    gsize end = 0;

    if ((problem != NULL) != (record->wrong != NULL))
        __builtin_trap();
    for (guint i = 0; i < record->terms->len; i++)
        check_term(record, record_at(record, i), &end);
    return 0;
}
