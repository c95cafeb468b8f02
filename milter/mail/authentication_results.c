#include "config.h"

#include "mail/authentication_results.h"

#include <string.h>

#include "base/domain_name.h"
#include "mail/dkim_signature.h"

#define FIELD "Authentication-Results"
#define SIGNATURE_FIELD "DKIM-Signature"
#define PASSES_MAX 32      /* of these, each costs a walk through all results and signatures */
#define SIGNATURES_MAX 100 /* no verifier looks at more of them */
#define BLANKS " \t\r\n"

/* What a result "dkim=…" says. */
typedef struct {
    bool is_pass;
    char *domain;    /* header.d; NULL if there is none, or none that can be read */
    char *signature; /* header.b, the beginning of b=; NULL if there is none */
} DkimResult;

/* A place in the field's text; word holds what was read last. */
typedef struct {
    const char *at;
    GString *word;
} Scanner;

static void dkim_result_free(DkimResult *result)
{
    g_free(result->domain);
    g_free(result->signature);
    g_free(result);
}
G_DEFINE_AUTOPTR_CLEANUP_FUNC(DkimResult, dkim_result_free)

/* Skips a comment, which may hold others. Returns NULL if it is not closed. */
static const char *skip_comment(const char *at)
{
    guint depth = 0;

    for (; *at != '\0'; at++) {
        if (*at == '\\' && at[1] != '\0')
            at++;
        else if (*at == '(')
            depth++;
        else if (*at == ')' && --depth == 0)
            return at + 1;
    }
    return NULL;
}

/* Skips blanks and comments. Returns false if a comment is not closed. */
static bool skip_blanks(Scanner *scanner)
{
    for (;;) {
        const char *behind;

        scanner->at += strspn(scanner->at, BLANKS);
        if (*scanner->at != '(')
            return true;
        behind = skip_comment(scanner->at);
        if (behind == NULL)
            return false;
        scanner->at = behind;
    }
}

/* Appends a quoted string to word. Returns false if it is not closed. */
static bool read_quoted(Scanner *scanner)
{
    for (scanner->at++; *scanner->at != '\0' && *scanner->at != '"'; scanner->at++) {
        if (*scanner->at == '\\' && scanner->at[1] != '\0')
            scanner->at++;
        g_string_append_c(scanner->word, *scanner->at);
    }
    if (*scanner->at != '"')
        return false;
    scanner->at++;
    return true;
}

/* Reads a word that ends at a blank, a comment or one of ends, and the blanks behind it. A quoted
 * string in it is read as what it says. Returns false if there is none. */
static bool read_word(Scanner *scanner, const char *ends)
{
    const char *begin = scanner->at;

    g_string_truncate(scanner->word, 0);
    for (;;) {
        gsize length = strcspn(scanner->at, ends);

        g_string_append_len(scanner->word, scanner->at, (gssize)length);
        scanner->at += length;
        if (*scanner->at != '"')
            break;
        if (!read_quoted(scanner))
            return false;
    }
    return scanner->at > begin && skip_blanks(scanner);
}

/* A value may have a "=" in it: the local part of an address, or base64. */
static bool read_value(Scanner *scanner)
{
    return read_word(scanner, BLANKS "();\"");
}

static bool read_name(Scanner *scanner)
{
    return *scanner->at != '"' && read_word(scanner, BLANKS "();=\"");
}

/* Reads `= value` behind a name, which is in word. Leaves the value there, and returns the name, or
 * NULL if there is no such thing. */
static char *read_pair(Scanner *scanner)
{
    g_autofree char *name = g_ascii_strdown(scanner->word->str, -1);

    if (*scanner->at != '=')
        return NULL;
    scanner->at++;
    return skip_blanks(scanner) && read_value(scanner) ? g_steal_pointer(&name) : NULL;
}

static bool is_at_end(const Scanner *scanner)
{
    return *scanner->at == '\0' || *scanner->at == ';';
}

/* Notes one property of a result. Returns false if it has that one already. */
static bool take_property(DkimResult *result, bool *has_domain, const char *name, const char *value)
{
    if (strcmp(name, "header.d") == 0) {
        if (*has_domain)
            return false;
        *has_domain = true;
        result->domain = domain_name_parse(value, NULL);
    } else if (strcmp(name, "header.b") == 0) {
        if (result->signature != NULL)
            return false;
        result->signature = g_strdup(value);
    }
    return true;
}

/* Reads one result up to its ";" or the end, and adds it to results if it is about DKIM. Returns
 * false if it breaks the grammar. */
static bool read_result(Scanner *scanner, GPtrArray *results)
{
    g_autoptr(DkimResult) result = g_new0(DkimResult, 1);
    g_autofree char *method = NULL;
    bool has_domain = false;

    if (!read_name(scanner))
        return false;
    if (is_at_end(scanner))
        return g_ascii_strcasecmp(scanner->word->str, "none") == 0;
    method = read_pair(scanner);
    if (method == NULL)
        return false;
    result->is_pass = g_ascii_strcasecmp(scanner->word->str, "pass") == 0;
    while (!is_at_end(scanner)) {
        g_autofree char *name = read_name(scanner) ? read_pair(scanner) : NULL;

        if (name == NULL || !take_property(result, &has_domain, name, scanner->word->str))
            return false;
    }
    if (strcmp(method, "dkim") == 0 || strcmp(method, "dkim/1") == 0)
        g_ptr_array_add(results, g_steal_pointer(&result));
    return true;
}

/* Does the field begin with authserv_id? Leaves the scanner behind it. */
static bool is_of(Scanner *scanner, const char *authserv_id)
{
    return skip_blanks(scanner) && read_value(scanner) &&
           g_ascii_strcasecmp(scanner->word->str, authserv_id) == 0;
}

/* Reads what follows the authserv-id: an optional version, and the results. Returns false if it
 * breaks the grammar. */
static bool read_results(Scanner *scanner, GPtrArray *results)
{
    if (!is_at_end(scanner) && !read_name(scanner))
        return false;
    if (!is_at_end(scanner))
        return false;
    while (*scanner->at == ';') {
        scanner->at++;
        if (!skip_blanks(scanner))
            return false;
        if (!is_at_end(scanner) && !read_result(scanner, results))
            return false;
    }
    return true;
}

/* Is the field's value here as it came? */
static bool is_whole(const HeaderField *field)
{
    return !field->is_cut && strlen(field->value) == field->length;
}

/* Returns the results about DKIM (of DkimResult) in the topmost field of authserv_id; none if that
 * field can't be believed. */
static GPtrArray *results_of(const HeaderFields *fields, const char *authserv_id)
{
    GPtrArray *results = g_ptr_array_new_with_free_func((GDestroyNotify)dkim_result_free);
    g_autoptr(GString) word = g_string_new(NULL);

    for (guint i = 0; i < header_fields_length(fields); i++) {
        const HeaderField *field = header_fields_at(fields, i);
        Scanner scanner = {.at = field->value, .word = word};

        if (!header_field_is_named(field, FIELD) || !is_of(&scanner, authserv_id))
            continue;
        if (!is_whole(field) || !read_results(&scanner, results))
            g_ptr_array_set_size(results, 0);
        break;
    }
    return results;
}

/* Returns the signatures of the message (of DkimSignature); NULL if there are too many, or one by
 * which its sender could have written into the field of a verifier. */
static GPtrArray *signatures_of(const HeaderFields *fields)
{
    g_autoptr(GPtrArray) signatures =
        g_ptr_array_new_with_free_func((GDestroyNotify)dkim_signature_free);

    if (!header_fields_is_whole(fields, SIGNATURE_FIELD))
        return NULL;
    for (guint i = 0; i < header_fields_length(fields); i++) {
        const HeaderField *field = header_fields_at(fields, i);
        DkimSignature *signature;

        if (!header_field_is_named(field, SIGNATURE_FIELD))
            continue;
        if (!is_whole(field) || signatures->len >= SIGNATURES_MAX)
            return NULL;
        signature = dkim_signature_parse(field->value);
        if (signature == NULL)
            return NULL;
        g_ptr_array_add(signatures, signature);
    }
    return g_steal_pointer(&signatures);
}

static guint count_results(const GPtrArray *results, const char *domain)
{
    guint count = 0;

    for (guint i = 0; i < results->len; i++)
        count += g_strcmp0(((const DkimResult *)results->pdata[i])->domain, domain) == 0;
    return count;
}

/* Has the message a signature that this result can be about? A verifier writes one result for each
 * signature: if there are more, somebody else wrote one. */
static bool is_believed(const DkimResult *result, const GPtrArray *results,
                        const GPtrArray *signatures)
{
    guint count = 0;
    bool is_found = false;

    for (guint i = 0; i < signatures->len; i++) {
        const DkimSignature *signature = signatures->pdata[i];

        if (g_strcmp0(signature->domain, result->domain) != 0)
            continue;
        count++;
        is_found |= result->signature == NULL ||
                    (result->signature[0] != '\0' && signature->signature != NULL &&
                     g_str_has_prefix(signature->signature, result->signature));
    }
    return is_found && count_results(results, result->domain) <= count;
}

char **authentication_results_dkim_passes(const HeaderFields *fields, const char *authserv_id)
{
    GPtrArray *passes = g_ptr_array_new();
    g_autoptr(GPtrArray) results = results_of(fields, authserv_id);
    g_autoptr(GPtrArray) signatures = results->len > 0 ? signatures_of(fields) : NULL;
    guint asked = 0;

    for (guint i = 0; signatures != NULL && i < results->len && asked < PASSES_MAX; i++) {
        const DkimResult *result = results->pdata[i];

        if (!result->is_pass || result->domain == NULL)
            continue;
        asked++;
        if (is_believed(result, results, signatures))
            g_ptr_array_add(passes, g_strdup(result->domain));
    }
    g_ptr_array_add(passes, NULL);
    return (char **)g_ptr_array_free(passes, FALSE);
}
