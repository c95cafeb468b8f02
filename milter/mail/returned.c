#include "config.h"

#include "mail/returned.h"

#include <string.h>

static const char *const kind_texts[RETURN_KINDS] = {
    [RETURN_BOUNCE] = "bounce", [RETURN_AUTO_REPLY] = "auto-reply", [RETURN_REPLY] = "reply"};

const char *return_kind_text(ReturnKind kind)
{
    return kind_texts[kind];
}

bool return_kind_parse(const char *text, ReturnKind *kind)
{
    for (guint i = 0; i < RETURN_KINDS; i++)
        if (strcmp(kind_texts[i], text) == 0) {
            *kind = (ReturnKind)i;
            return true;
        }
    return false;
}

/* Returns the place behind blanks and comments (RFC 5322 section 3.2.2). */
static const char *skip_blanks(const char *at)
{
    guint depth = 0;

    for (; *at != '\0'; at++) {
        if (*at == '\\' && depth > 0 && at[1] != '\0')
            at++;
        else if (*at == '(')
            depth++;
        else if (*at == ')' && depth > 0)
            depth--;
        else if (depth == 0 && strchr(" \t\r\n", *at) == NULL)
            break;
    }
    return at;
}

/* Returns whether the first word of value, up to a blank, ";" or comment, is word, in any case. */
static bool is_word(const char *value, const char *word)
{
    const char *at = skip_blanks(value);
    gsize length = strcspn(at, " \t\r\n;(");

    return length == strlen(word) && g_ascii_strncasecmp(at, word, length) == 0;
}

static bool is_word_of(const HeaderField *field, const char *const *words)
{
    for (; *words != NULL; words++)
        if (is_word(field->value, *words))
            return true;
    return false;
}

/* What the fields say that tells the kind. */
typedef struct {
    bool is_auto_replied; /* Auto-Submitted: auto-replied */
    bool is_automatic;    /* Auto-Submitted: other than no; or Precedence: of a program */
    bool is_report;       /* Content-Type: multipart/report */
} Signs;

static void note_field(Signs *signs, const HeaderField *field)
{
    static const char *const precedences[] = {"auto_reply", "bulk", "junk", NULL};

    if (header_field_is_named(field, "Auto-Submitted")) {
        signs->is_auto_replied |= is_word(field->value, "auto-replied");
        signs->is_automatic |= !is_word(field->value, "no") && !is_word(field->value, "");
    } else if (header_field_is_named(field, "Precedence")) {
        signs->is_automatic |= is_word_of(field, precedences);
    } else if (header_field_is_named(field, "Content-Type")) {
        signs->is_report |= is_word(field->value, "multipart/report");
    }
}

ReturnKind returned_kind(const HeaderFields *fields, bool has_null_sender)
{
    Signs signs = {false, false, false};

    for (guint i = 0; i < header_fields_length(fields); i++)
        note_field(&signs, header_fields_at(fields, i));
    if (has_null_sender)
        return signs.is_auto_replied && !signs.is_report ? RETURN_AUTO_REPLY : RETURN_BOUNCE;
    return signs.is_automatic ? RETURN_AUTO_REPLY : RETURN_REPLY;
}

static bool is_subject_of_delay(const char *subject)
{
    static const struct {
        const char *begin, *more;
    } subjects[] = {
        {"Delayed Mail (still being retried)", ""},       /* Postfix */
        {"Warning: could not send message for past", ""}, /* Sendmail */
        {"Warning: message ", " delayed "},               /* Exim */
        {"Delivery Status Notification (Delay)", ""},     /* Google, Exchange */
        {"Delivery delayed:", ""},                        /* Exchange */
    };

    subject += strspn(subject, " \t\r\n");
    for (size_t i = 0; i < G_N_ELEMENTS(subjects); i++)
        if (g_ascii_strncasecmp(subject, subjects[i].begin, strlen(subjects[i].begin)) == 0 &&
            strstr(subject, subjects[i].more) != NULL)
            return true;
    return false;
}

bool returned_is_delay(const HeaderFields *fields)
{
    const HeaderField *subject = header_fields_nth(fields, "Subject", 1);

    return subject != NULL && is_subject_of_delay(subject->value);
}

bool returned_is_mark(const HeaderField *field)
{
    return header_field_is_named(field, RETURNED_MARK_HEADER) && is_word(field->value, "returned");
}

/* Returns whether a list of tokens, "a,b" and maybe folds between, names one of the set tokens. */
static bool names_token(const char *list, GHashTable *tokens)
{
    while (*list != '\0' && *list != ';') {
        gsize length = strcspn(list, ",; \t\r\n");
        g_autofree char *token = g_ascii_strdown(list, (gssize)length);

        if (g_hash_table_contains(tokens, token))
            return true;
        list += length;
        list += strspn(list, ", \t\r\n");
    }
    return false;
}

static bool is_loop_mark(const HeaderField *field, GHashTable *tokens)
{
    const char *at = field->value;

    while ((at = strchr(at, ';')) != NULL) {
        at = skip_blanks(at + 1);
        if (g_ascii_strncasecmp(at, "token=", strlen("token=")) == 0 &&
            names_token(at + strlen("token="), tokens))
            return true;
    }
    return false;
}

bool returned_is_loop(const HeaderFields *fields, const GPtrArray *tokens)
{
    g_autoptr(GHashTable) set = g_hash_table_new(g_str_hash, g_str_equal);

    for (guint i = 0; i < tokens->len; i++)
        g_hash_table_add(set, g_ptr_array_index(tokens, i));
    for (guint i = 0; i < header_fields_length(fields); i++) {
        const HeaderField *field = header_fields_at(fields, i);

        if (returned_is_mark(field) && is_loop_mark(field, set))
            return true;
    }
    return false;
}
