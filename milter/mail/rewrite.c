#include "config.h"

#include "mail/rewrite.h"

#include <string.h>

#include "mail/composer.h"
#include "mail/display_name.h"
#include "mail/dkim.h"
#include "mail/encoded_words.h"

/*
 * The rewrite under way. Numbers of fields are counted in one pass: 10,000 of one name cost no more
 * than others.
 */
typedef struct {
    const Rewrite *rewrite;
    const HeaderFields *fields;
    Edits *edits;
    guint froms;
    guint reply_tos;
    guint senders;
    guint return_paths;
    guint signatures;
    guint traces;
    bool has_reply_to; /* one that leads anywhere */
} Work;

/* Returns the fallback address under that name, as the value of a field that the MTA reads. */
static char *compose_fallback(const Rewrite *rewrite, const char *field_name, const char *name)
{
    Composer composer;

    composer_init(&composer, field_name);
    composer.mailbox_max = rewrite->mailbox_max;
    composer_append_mailbox(&composer, name, rewrite->fallback->addr_spec);
    return composer_take(&composer);
}

/*
 * Returns all authors that could be read, as the value of a field of that name, or NULL if there
 * are none.
 */
static char *compose_authors(const Mailboxes *authors, const char *field_name, gsize mailbox_max)
{
    Composer composer;

    if (authors->mailboxes->len == 0)
        return NULL;
    composer_init(&composer, field_name);
    composer.mailbox_max = mailbox_max;
    for (guint i = 0; i < authors->mailboxes->len; i++) {
        const Mailbox *author = mailboxes_at(authors, i);

        composer_append_mailbox(&composer, author->display_name, author->addr_spec);
    }
    return composer_take(&composer);
}

/* Returns the text of all From: fields as one line, or NULL if none of it can be seen. */
static char *compose_original_text(const HeaderFields *fields, const char *field_name)
{
    g_autoptr(GString) text = g_string_new(NULL);
    Composer composer;
    char *value;

    for (guint i = 0; i < header_fields_length(fields) && text->len < COMPOSER_TEXT_MAX; i++) {
        const HeaderField *field = header_fields_at(fields, i);

        if (!header_field_is_named(field, "From") || header_field_is_blank(field) ||
            field->length == 0)
            continue;
        if (text->len > 0)
            g_string_append(text, ", ");
        for (gsize at = 0; at < field->length; at++) /* NULs end no text here */
            if (field->value[at] != '\0')
                g_string_append_c(text, field->value[at]);
    }
    composer_init(&composer, field_name);
    composer_append_text(&composer, text->str);
    value = composer_take(&composer);
    if (value[0] != '\0')
        return value;
    g_free(value);
    return NULL;
}

/*
 * The display name of the new From:. If the author could not be read but has a name, the name is
 * shown.
 */
static char *fallback_name(const Rewrite *rewrite)
{
    const Mailboxes *authors = rewrite->authors;
    const Mailbox unread = {.display_name = authors->unread_name};
    const Mailbox *author = authors->unread_name != NULL ? &unread : NULL;
    g_autofree char *name = NULL;

    if (authors->mailboxes->len > 0)
        author = mailboxes_at(authors, 0);
    if (author == NULL && rewrite->fallback->display_name != NULL)
        return g_strdup(rewrite->fallback->display_name);
    name = display_name_expand(rewrite->display_name, rewrite->display_name_missing, author);
    if (name[0] != '\0' || rewrite->fallback->display_name == NULL)
        return g_steal_pointer(&name);
    return g_strdup(rewrite->fallback->display_name);
}

static void rewrite_from(const Work *work)
{
    g_autofree char *name = fallback_name(work->rewrite);
    g_autofree char *value = compose_fallback(work->rewrite, "From", name);

    if (work->froms == 0)
        edits_add(work->edits, "From", value);
    else
        edits_change(work->edits, "From", 1, value);
    for (guint index = 2; index <= work->froms; index++)
        edits_delete(work->edits, "From", index);
}

/* A Reply-To: without a mailbox is changed and not added to: one field has to be left. */
static ReplyToOutcome rewrite_reply_to(const Work *work)
{
    g_autofree char *value = NULL;

    if (work->has_reply_to || !header_fields_is_whole(work->fields, "Reply-To"))
        return REPLY_TO_KEPT;
    if (work->rewrite->add_reply_to)
        value = compose_authors(work->rewrite->authors, "Reply-To", work->rewrite->mailbox_max);
    if (value == NULL)
        return REPLY_TO_NONE;
    if (work->reply_tos == 0)
        edits_add(work->edits, "Reply-To", value);
    else
        edits_change(work->edits, "Reply-To", 1, value);
    for (guint index = 2; index <= work->reply_tos; index++)
        edits_delete(work->edits, "Reply-To", index);
    return REPLY_TO_ADDED;
}

static bool is_listed_before(const char *const *names, const char *const *name)
{
    for (; names < name; names++)
        if (g_ascii_strcasecmp(*names, *name) == 0)
            return true;
    return false;
}

/* Adds the fields that keep the original, if the message doesn't have them. */
static void add_author_headers(const Work *work)
{
    const char *const *names = work->rewrite->author_header;
    const Mailboxes *authors = work->rewrite->authors;

    for (const char *const *name = names; *name != NULL; name++) {
        bool is_text =
            authors->is_doubtful && g_ascii_strcasecmp(*name, REWRITE_ORIGINAL_HEADER) == 0;
        g_autofree char *value = NULL;

        if (is_listed_before(names, name) || header_fields_count(work->fields, *name) > 0)
            continue;
        value = is_text ? compose_original_text(work->fields, *name)
                        : compose_authors(authors, *name, 0);
        if (value != NULL)
            edits_add(work->edits, *name, value);
    }
}

static void delete_all(const Work *work, const char *name, guint first, guint last)
{
    for (guint index = first; index <= last; index++)
        edits_delete(work->edits, name, index);
}

static void rewrite_sender(const Work *work)
{
    g_autofree char *value = NULL;

    if (work->senders == 0 || work->rewrite->is_sender_authorised)
        return;
    switch (work->rewrite->sender_header) {
    case SENDER_HEADER_KEEP:
        return;
    case SENDER_HEADER_REMOVE:
        delete_all(work, "Sender", 1, work->senders);
        return;
    case SENDER_HEADER_FALLBACK:
        break;
    }
    value = compose_fallback(work->rewrite, "Sender", work->rewrite->fallback->display_name);
    edits_change(work->edits, "Sender", 1, value);
    delete_all(work, "Sender", 2, work->senders);
}

static bool is_unauthorised(const Rewrite *rewrite, const char *domain_name)
{
    return domain_name != NULL && rewrite->unauthorised != NULL &&
           g_strv_contains(rewrite->unauthorised, domain_name);
}

static void note_signature(Work *work, const HeaderField *field)
{
    g_autofree char *domain_name = NULL;

    work->signatures++;
    if (!work->rewrite->remove_dkim_signatures || edits_is_over(work->edits))
        return;
    domain_name = dkim_signature_domain(field->value);
    if (is_unauthorised(work->rewrite, domain_name))
        edits_delete(work->edits, "DKIM-Signature", work->signatures);
}

/*
 * Returns whether a Reply-To: holds anything that some reader may take for a mailbox, encoded words
 * included. An address without a domain, "<>" and an empty group lead nowhere.
 */
static bool has_mailbox(const HeaderField *field)
{
    g_autofree char *text = encoded_words_decode(field->value, field->length);

    for (const char *at = strchr(text, '@'); at != NULL; at = strchr(at + 1, '@'))
        if (at > text && strchr(" \t\n<>,;:", at[-1]) == NULL &&
            strchr(" \t\n<>,;:@", at[1]) == NULL)
            return true;
    return false;
}

static void note_field(Work *work, const HeaderField *field)
{
    if (header_field_is_named(field, "From")) {
        work->froms++;
    } else if (header_field_is_named(field, "Reply-To")) {
        work->reply_tos++;
        work->has_reply_to |= field->is_cut || has_mailbox(field);
    } else if (header_field_is_named(field, "Sender")) {
        work->senders++;
    } else if (header_field_is_named(field, "Return-Path")) {
        work->return_paths++;
    } else if (header_field_is_named(field, REWRITE_TRACE_HEADER)) {
        work->traces++;
    } else if (header_field_is_named(field, "DKIM-Signature")) {
        note_signature(work, field);
    }
}

static bool has_edit(const Edits *edits, const char *name, guint index)
{
    for (guint i = 0; i < edits_length(edits); i++) {
        const Edit *edit = edits_at(edits, i);

        if (edit->index == index && g_ascii_strcasecmp(edit->name, name) == 0)
            return true;
    }
    return false;
}

/*
 * A bare CR in another field may show some readers a second From:. A visible octet takes its place:
 * a blank could leave a line of nothing but blanks, which ends the header for others.
 */
static void uncover_from(const Work *work, guint position)
{
    const HeaderField *field = header_fields_at(work->fields, position);
    g_autofree char *value = NULL;
    guint index = 1;

    for (guint i = 0; i < position; i++)
        if (header_field_is_named(header_fields_at(work->fields, i), field->name))
            index++;
    if (has_edit(work->edits, field->name, index))
        return;
    value = g_strdelimit(g_strdup(field->value), "\r", '_');
    edits_change(work->edits, field->name, index, value);
}

static void uncover_froms(const Work *work)
{
    for (guint i = 0; i < header_fields_length(work->fields) && !edits_is_over(work->edits); i++) {
        const HeaderField *field = header_fields_at(work->fields, i);

        if (!header_field_is_named(field, "From") && header_field_hides(field, "From"))
            uncover_from(work, i);
    }
}

/* A mark of a return stays: by it a loop is found. */
static void delete_traces(const Work *work)
{
    guint index = 0;

    for (guint i = 0; i < header_fields_length(work->fields) && index < work->traces; i++) {
        const HeaderField *field = header_fields_at(work->fields, i);

        if (!header_field_is_named(field, REWRITE_TRACE_HEADER))
            continue;
        index++;
        if (!returned_is_mark(field))
            edits_delete(work->edits, REWRITE_TRACE_HEADER, index);
    }
}

static void insert_trace(const Work *work)
{
    g_autofree char *value = NULL;
    Composer composer;

    if (work->rewrite->trace == NULL)
        return;
    composer_init(&composer, REWRITE_TRACE_HEADER);
    composer_append_text(&composer, work->rewrite->trace);
    value = composer_take(&composer);
    edits_insert(work->edits, REWRITE_TRACE_HEADER, value);
}

Edits *rewrite_edits(const Rewrite *rewrite, const HeaderFields *fields, ReplyToOutcome *reply_to)
{
    Work work = {.rewrite = rewrite, .fields = fields, .edits = edits_new()};

    for (guint i = 0; i < header_fields_length(fields); i++)
        note_field(&work, header_fields_at(fields, i));
    rewrite_from(&work);
    *reply_to = rewrite_reply_to(&work);
    add_author_headers(&work);
    rewrite_sender(&work);
    delete_all(&work, "Return-Path", 1, work.return_paths);
    delete_traces(&work);
    uncover_froms(&work);
    insert_trace(&work);
    edits_sort(work.edits);
    return work.edits;
}
