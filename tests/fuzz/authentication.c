/*
 * The fields that exempt_dkim and dkim_signatures go by: '0' those of Authentication-Results and
 * DKIM-Signature, '1' one of DKIM-Signature, '2' the signatures of a message of which a verifier
 * writes a field.
 */
#include "config.h"

#include "mail/dkim.h"

#include <string.h>

#include "base/domain_name.h"
#include "check.h"

#define FIELD "Authentication-Results"
#define SIGNATURE_FIELD "DKIM-Signature"
#define EVIL "evil.example"
#define FIELDS_MAX 8
#define PASSES_MAX 32

static void check_domain(const char *domain)
{
    g_autofree char *again = domain_name_parse(domain, NULL);

    check(g_strcmp0(again, domain) == 0);
}

/* A form feed ends a field; one that begins with "D:" is a signature. */
static void append_parts(HeaderFields *fields, const char *text, size_t length)
{
    g_autofree char *copy = g_strndup(text, length);
    g_auto(GStrv) parts = g_strsplit(copy, "\f", FIELDS_MAX);

    for (guint i = 0; parts[i] != NULL; i++)
        if (g_str_has_prefix(parts[i], "D:"))
            header_fields_append(fields, SIGNATURE_FIELD, parts[i] + 2, -1);
        else
            header_fields_append(fields, FIELD, parts[i], -1);
}

static bool has_signature_of(const HeaderFields *fields, const char *domain)
{
    for (guint i = 0; i < header_fields_length(fields); i++) {
        const HeaderField *field = header_fields_at(fields, i);
        g_autofree char *signer = header_field_is_named(field, SIGNATURE_FIELD)
                                      ? dkim_signature_domain(field->value)
                                      : NULL;

        if (g_strcmp0(signer, domain) == 0)
            return true;
    }
    return false;
}

/* What another id says on top of them changes nothing. */
static void parse_results(const char *text, size_t length)
{
    g_autoptr(HeaderFields) fields = header_fields_new();
    g_autoptr(HeaderFields) more = header_fields_new();
    g_auto(GStrv) passes = NULL;
    g_auto(GStrv) passes_of_more = NULL;

    header_fields_append(more, FIELD, "mx2.example; dkim=pass header.d=praxis.example", -1);
    append_parts(fields, text, length);
    append_parts(more, text, length);
    passes = dkim_passed_domains(fields, "mx.example");
    passes_of_more = dkim_passed_domains(more, "mx.example");
    check(g_strv_equal((const char *const *)passes, (const char *const *)passes_of_more));
    check(g_strv_length(passes) <= PASSES_MAX);
    for (guint i = 0; passes[i] != NULL; i++) {
        check_domain(passes[i]);
        check(has_signature_of(fields, passes[i]));
    }
}

/* As OpenDKIM's: "=" and two digits are an octet, and everything else is what it is. */
static void append_decoded(GString *text, const char *value)
{
    for (; *value != '\0'; value++) {
        char c = *value;

        if (c == '=' && g_ascii_isxdigit(value[1]) && g_ascii_isxdigit(value[2])) {
            c = (char)(g_ascii_xdigit_value(value[1]) << 4 | g_ascii_xdigit_value(value[2]));
            value += 2;
        }
        if (c != '\0')
            g_string_append_c(text, c);
    }
}

/* A verifier's own idea of a signature: the first or the last tag of a name counts. Returns "" if
 * there is none. */
static const char *tag_of(char **tags, const char *name, bool is_last)
{
    const char *value = "";

    for (; *tags != NULL; tags++) {
        const char *equals = strchr(*tags, '=');
        g_autofree char *named = equals != NULL ? g_strndup(*tags, (gsize)(equals - *tags)) : NULL;

        if (named == NULL || g_ascii_strcasecmp(g_strstrip(named), name) != 0)
            continue;
        value = equals + 1;
        if (!is_last)
            break;
    }
    return value;
}

/* Writes one result. Only the signatures of evil.example pass. */
static void append_result(GString *results, const char *signature, bool is_last)
{
    g_auto(GStrv) tags = g_strsplit(signature, ";", -1);
    g_autofree char *d = g_strstrip(g_strdup(tag_of(tags, "d", is_last)));
    g_autofree char *domain = domain_name_parse(d, NULL);

    g_string_append_printf(results, ";\n\tdkim=%s header.d=%s header.i=",
                           g_strcmp0(domain, EVIL) == 0 ? "pass" : "fail", d);
    append_decoded(results, tag_of(tags, "i", is_last));
    g_string_append_printf(results, " header.a=%s header.s=%s header.b=%.8s",
                           tag_of(tags, "a", is_last), tag_of(tags, "s", is_last),
                           tag_of(tags, "b", is_last));
}

static void check_smuggled(char **signatures, bool is_last)
{
    g_autoptr(HeaderFields) fields = header_fields_new();
    g_autoptr(GString) results = g_string_new("mx.example");
    g_auto(GStrv) passes = NULL;

    for (guint i = 0; signatures[i] != NULL; i++)
        append_result(results, signatures[i], is_last);
    header_fields_append(fields, FIELD, results->str, -1);
    for (guint i = 0; signatures[i] != NULL; i++)
        header_fields_append(fields, SIGNATURE_FIELD, signatures[i], -1);
    passes = dkim_passed_domains(fields, "mx.example");
    for (guint i = 0; passes[i] != NULL; i++)
        check(strcmp(passes[i], EVIL) == 0);
}

/* A form feed ends a signature. Whatever is in them, nobody vouches but the one whose passes. */
static void write_results(const char *text, size_t length)
{
    g_autofree char *copy = g_strndup(text, length);
    g_auto(GStrv) signatures = g_strsplit(copy, "\f", FIELDS_MAX);

    check_smuggled(signatures, false);
    check_smuggled(signatures, true);
}

static void parse_signature(const char *text, size_t length)
{
    g_autofree char *value = g_strndup(text, length);
    g_autofree char *domain = dkim_signature_domain(value);
    g_autoptr(DkimSignature) signature = dkim_signature_parse(value);

    if (domain != NULL)
        check_domain(domain);
    if (signature != NULL)
        check(g_strcmp0(signature->domain, domain) == 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static FuzzParser *const parsers[] = {parse_results, parse_signature, write_results};

    run_one_of(parsers, G_N_ELEMENTS(parsers), data, size);
    return 0;
}
