#include "config.h"

#include "mail/dkim_signature.h"

#include <glib.h>
#include <stdbool.h>
#include <string.h>

#include "base/domain_name.h"

#define DOMAIN_TEXT_MAX 512
#define BLANKS " \t\r\n"

/* Does a tag of the list begin at tag, named d? Returns its value, else NULL. */
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
