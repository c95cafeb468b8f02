#include "config.h"

#include "mail/dkim.h"

#include <stdbool.h>
#include <string.h>

#include "base/domain_name.h"

#define FIELD "Authentication-Results"
#define SIGNATURE_FIELD "DKIM-Signature"
#define DOMAIN_TEXT_MAX 512
#define SIGNATURES_MAX 100 /* no verifier looks at more of them */
#define PASSES_MAX 32      /* each one costs a walk through all results and signatures */
#define BLANKS " \t\r\n"

/* Returns the value of the tag that begins at tag, if its name is d; else NULL. */
static const char *domain_tag_value(const char *tag)
{
    tag += strspn(tag, BLANKS);
    if (*tag != 'd' && *tag != 'D')
        return NULL;
    tag++;
    tag += strspn(tag, BLANKS);
    return *tag == '=' ? tag + 1 : NULL;
}

/* Returns the domain in a tag's value, which ends at ";" or the end. */
static char *parse_domain(const char *value)
{
    gsize length = strcspn(value, ";");
    g_autoptr(GString) domain = NULL;

    if (length > DOMAIN_TEXT_MAX)
        return NULL;
    domain = g_string_sized_new(length + 1);
    for (gsize i = 0; i < length; i++)
        if (strchr(BLANKS, value[i]) == NULL)
            g_string_append_c(domain, value[i]);
    return domain_name_parse(domain->str, NULL);
}

char *dkim_signature_domain(const char *value)
{
    for (const char *tag = value; tag != NULL; tag = strchr(tag, ';')) {
        const char *domain;

        tag += *tag == ';';
        domain = domain_tag_value(tag);
        if (domain != NULL)
            return parse_domain(domain);
    }
    return NULL;
}

/* One tag of the list: both texts end where their length says. */
typedef struct {
    const char *name;
    gsize name_length;
    const char *value;
    gsize value_length;
} Tag;

static bool is_blank(char c)
{
    return c != '\0' && strchr(BLANKS, c) != NULL;
}

static void strip(const char **text, gsize *length)
{
    while (*length > 0 && is_blank(**text)) {
        (*text)++;
        (*length)--;
    }
    while (*length > 0 && is_blank((*text)[*length - 1]))
        (*length)--;
}

/* Reads the tag at text. Returns what follows its ";", or NULL at the end of the list. */
static const char *read_tag(const char *text, Tag *tag)
{
    gsize length = strcspn(text, ";");
    const char *equals = memchr(text, '=', length);

    tag->name = text;
    tag->name_length = equals != NULL ? (gsize)(equals - text) : length;
    tag->value = text + tag->name_length + (equals != NULL);
    tag->value_length = (gsize)(text + length - tag->value);
    strip(&tag->name, &tag->name_length);
    strip(&tag->value, &tag->value_length);
    return text[length] == ';' ? text + length + 1 : NULL;
}

/* No verifier agrees with another on what a name with a control in it is. */
static bool has_plain_name(const Tag *tag)
{
    for (gsize i = 0; i < tag->name_length; i++)
        if (g_ascii_iscntrl(tag->name[i]))
            return false;
    return true;
}

/* The tag's name, if it is one that verifiers copy, else '\0'. */
static char copied_name(const Tag *tag)
{
    char name = tag->name_length == 1 ? g_ascii_tolower(*tag->name) : '\0';

    return name != '\0' && strchr("abdis", name) != NULL ? name : '\0';
}

/* Returns whether c can stand in a value of Authentication-Results without ending it. */
static bool is_plain_octet(char c)
{
    return !g_ascii_iscntrl(c) && strchr(" ;=\"()", c) == NULL;
}

static bool is_plain(const Tag *tag)
{
    for (gsize i = 0; i < tag->value_length; i++)
        if (!is_plain_octet(tag->value[i]))
            return false;
    return true;
}

/* As is_plain(), of what dkim-quoted-printable (RFC 6376 section 2.11) comes to. */
static bool is_plain_decoded(const Tag *tag)
{
    for (gsize i = 0; i < tag->value_length; i++) {
        const char *at = tag->value + i;
        char c = *at;

        if (c == '=' && i + 2 < tag->value_length && g_ascii_isxdigit(at[1]) &&
            g_ascii_isxdigit(at[2])) {
            c = (char)(g_ascii_xdigit_value(at[1]) << 4 | g_ascii_xdigit_value(at[2]));
            i += 2;
        }
        if (!is_plain_octet(c))
            return false;
    }
    return true;
}

/* Returns the base64 in the value of b= without its blanks, or NULL if there is anything else. */
static char *read_base64(const Tag *tag)
{
    g_autoptr(GString) text = g_string_sized_new(tag->value_length + 1);
    gsize padding;

    for (gsize i = 0; i < tag->value_length; i++)
        if (!is_blank(tag->value[i]))
            g_string_append_c(text, tag->value[i]);
    for (padding = 0; padding < text->len && text->str[text->len - 1 - padding] == '='; padding++)
        ;
    for (gsize i = 0; i < text->len - padding; i++)
        if (!g_ascii_isalnum(text->str[i]) && text->str[i] != '+' && text->str[i] != '/')
            return NULL;
    return g_string_free(g_steal_pointer(&text), FALSE);
}

/* Notes a tag that verifiers copy. Returns false if it is not plain. */
static bool take_tag(DkimSignature *signature, char name, const Tag *tag)
{
    switch (name) {
    case 'b':
        signature->signature = read_base64(tag);
        return signature->signature != NULL;
    case 'd':
        signature->domain = parse_domain(tag->value);
        return is_plain(tag);
    case 'i':
        return is_plain_decoded(tag);
    default:
        return is_plain(tag);
    }
}

DkimSignature *dkim_signature_parse(const char *value)
{
    g_autoptr(DkimSignature) signature = g_new0(DkimSignature, 1);
    char seen[sizeof "abdis"] = "";
    Tag tag;

    for (const char *at = value; at != NULL;) {
        char name;

        at = read_tag(at, &tag);
        if (!has_plain_name(&tag))
            return NULL;
        name = copied_name(&tag);
        if (name == '\0')
            continue;
        if (strchr(seen, name) != NULL || !take_tag(signature, name, &tag))
            return NULL;
        seen[strlen(seen)] = name;
    }
    return g_steal_pointer(&signature);
}

void dkim_signature_free(DkimSignature *signature)
{
    g_free(signature->domain);
    g_free(signature->signature);
    g_free(signature);
}

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

/* Returns whether the field begins with authserv_id. Leaves the scanner behind it. */
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

/* Returns whether the field's whole value is here. */
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

/* Returns whether the message has a signature that this result can be about. A verifier writes one
 * result for each signature: if there are more, somebody else wrote one. */
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

char **dkim_passed_domains(const HeaderFields *fields, const char *authserv_id)
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
