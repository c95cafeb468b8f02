/* The fields that exempt_dkim and dkim_signatures go by: '0' those of Authentication-Results, '1'
 * one of DKIM-Signature. */
#include "config.h"

#include "mail/authentication_results.h"
#include "mail/dkim_signature.h"

#include <string.h>

#include "base/domain_name.h"
#include "check.h"

#define FIELD "Authentication-Results"
#define FIELDS_MAX 8
#define PASSES_MAX 32

static void check_domain(const char *domain)
{
    g_autofree char *again = domain_name_parse(domain, NULL);

    check(g_strcmp0(again, domain) == 0);
}

static void append_parts(HeaderFields *fields, const char *text, size_t length)
{
    g_autofree char *copy = g_strndup(text, length);
    g_auto(GStrv) parts = g_strsplit(copy, "\f", FIELDS_MAX);

    for (guint i = 0; parts[i] != NULL; i++)
        header_fields_append(fields, FIELD, parts[i], -1);
}

/* A form feed ends a field. What another id says on top of them changes nothing. */
static void parse_results(const char *text, size_t length)
{
    g_autoptr(HeaderFields) fields = header_fields_new();
    g_autoptr(HeaderFields) more = header_fields_new();
    g_auto(GStrv) passes = NULL;
    g_auto(GStrv) passes_of_more = NULL;

    header_fields_append(more, FIELD, "mx2.example; dkim=pass header.d=praxis.example", -1);
    append_parts(fields, text, length);
    append_parts(more, text, length);
    passes = authentication_results_dkim_passes(fields, "mx.example");
    passes_of_more = authentication_results_dkim_passes(more, "mx.example");
    check(g_strv_equal((const char *const *)passes, (const char *const *)passes_of_more));
    check(g_strv_length(passes) <= PASSES_MAX);
    for (guint i = 0; passes[i] != NULL; i++)
        check_domain(passes[i]);
}

static void parse_signature(const char *text, size_t length)
{
    g_autofree char *value = g_strndup(text, length);
    g_autofree char *domain = dkim_signature_domain(value);

    if (domain != NULL)
        check_domain(domain);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static FuzzParser *const parsers[] = {parse_results, parse_signature};

    run_one_of(parsers, G_N_ELEMENTS(parsers), data, size);
    return 0;
}
