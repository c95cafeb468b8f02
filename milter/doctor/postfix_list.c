#include "config.h"

#include "doctor/postfix_list.h"

#include <stdlib.h>
#include <string.h>

#include "base/clock.h"

static const Milter *milter_at(const PostfixList *list, guint position)
{
    return g_ptr_array_index(list->milters, position);
}

/* The milter's address as its reader sees it; NULL where it is not understood. */
static MilterAddress *seen_address(const PostfixList *list, guint position)
{
    const MilterAddress *address = milter_at(list, position)->address;
    MilterAddress *seen;

    if (address == NULL)
        return NULL;
    seen = g_new0(MilterAddress, 1);
    *seen = (MilterAddress){
        .is_unix = address->is_unix,
        .path = address->is_unix ? postfix_path(list->postfix, list->reader, address->path) : NULL,
        .host = g_strdup(address->host),
        .port = address->port};
    return seen;
}

static void find_ours(PostfixList *list)
{
    list->is_ours = g_new0(bool, list->milters->len + 1);
    list->first = -1;
    for (guint i = 0; i < list->milters->len; i++) {
        g_autoptr(MilterAddress) seen = seen_address(list, i);

        list->is_ours[i] = seen != NULL && milter_address_reaches(seen, list->address);
        if (list->is_ours[i] && list->first < 0)
            list->first = (gint)i;
    }
}

PostfixList *postfix_list_new(const Doctor *doctor, const Postfix *postfix,
                              const PostfixService *reader, const char *parameter)
{
    PostfixList *list = g_new0(PostfixList, 1);
    bool is_own = reader != NULL && g_hash_table_contains(reader->overrides, parameter);

    list->postfix = postfix;
    list->reader = reader;
    list->owner = is_own ? reader : NULL;
    list->parameter = parameter;
    list->milters = milter_list_parse(postfix_value(postfix, reader, parameter));
    list->address = milter_address_parse(doctor->settings->socket);
    find_ours(list);
    return list;
}

void postfix_list_free(PostfixList *list)
{
    g_ptr_array_unref(list->milters);
    g_free(list->is_ours);
    milter_address_free(list->address);
    g_free(list);
}

char *postfix_list_name(const PostfixList *list)
{
    if (list->owner == NULL)
        return g_strdup(list->parameter);
    return g_strdup_printf("%s of %s/%s", list->parameter, list->owner->name, list->owner->type);
}

const char *postfix_list_setting(const PostfixList *list, guint position, const char *own,
                                 const char *general)
{
    const char *value = milter_setting(milter_at(list, position), own);

    return value != NULL ? value : postfix_value(list->postfix, list->reader, general);
}

static const KnownMilter *known_milter(const PostfixList *list, guint position, char **program)
{
    g_autoptr(MilterAddress) seen = seen_address(list, position);

    *program = seen != NULL ? milter_address_program(seen) : NULL;
    return milter_address_known(*program, milter_at(list, position)->address_text, seen);
}

char *postfix_list_milter_name(const PostfixList *list, guint position, const KnownMilter **known)
{
    g_autofree char *program = NULL;
    const KnownMilter *milter = known_milter(list, position, &program);
    const char *name = milter != NULL ? milter->name : program;

    if (known != NULL)
        *known = milter;
    if (name == NULL)
        return g_strdup(milter_at(list, position)->address_text);
    return g_strdup_printf("%s (%s)", milter_at(list, position)->address_text, name);
}

/* The place of the first milter that signs, or the end. */
static guint first_signer(const PostfixList *list)
{
    for (guint i = 0; i < list->milters->len; i++) {
        g_autofree char *program = NULL;
        const KnownMilter *known = list->is_ours[i] ? NULL : known_milter(list, i, &program);

        if (known != NULL && known->is_signer)
            return i;
    }
    return list->milters->len;
}

/* Ours as reader has to write it: in a chroot a path begins at the queue. */
static char *entry_of(const PostfixList *list)
{
    const char *queue = postfix_value(list->postfix, NULL, "queue_directory");
    const char *path = list->address->path;

    if (list->first >= 0)
        return g_strdup(milter_at(list, (guint)list->first)->text);
    if (list->address->is_unix && list->reader != NULL && list->reader->is_chrooted &&
        g_str_has_prefix(path, queue) && path[strlen(queue)] == '/')
        return g_strconcat("unix:", path + strlen(queue), NULL);
    return milter_address_postfix(list->address);
}

static char *with_reload(const PostfixList *list, const char *value)
{
    g_autofree char *set = postfix_set_command(list->postfix, list->owner, list->parameter, value);
    g_autofree char *postfix = postfix_command(list->postfix, "postfix");

    return g_strdup_printf("%s && %s reload", set, postfix);
}

char *postfix_list_mend(const PostfixList *list)
{
    g_autofree char *entry = entry_of(list);
    g_autofree char *value =
        milter_list_with(list->milters, list->is_ours, entry, first_signer(list));

    return with_reload(list, value);
}

/* The command that gives our own entry other settings, or every milter where the general one
 * counts. */
static void mend_setting(const PostfixList *list, Finding *finding, const char *own,
                         const char *general, const char *value)
{
    const Milter *ours = milter_at(list, (guint)list->first);
    g_autofree char *set = NULL;
    g_autofree char *postfix = postfix_command(list->postfix, "postfix");
    bool is_own = list->reader != NULL && g_hash_table_contains(list->reader->overrides, general);

    if (milter_setting(ours, own) == NULL) {
        set = postfix_set_command(list->postfix, is_own ? list->reader : NULL, general, value);
        finding_command(finding, "%s && %s reload", set, postfix);
        return;
    }
    g_autofree char *entry = g_strdup_printf("{%s,%s=%s}", ours->address_text, own, value);
    g_autofree char *text =
        milter_list_with(list->milters, list->is_ours, entry, (guint)list->first);
    g_autofree char *command = with_reload(list, text);

    finding_command(finding, "%s", command);
}

static void examine_order(Doctor *doctor, const PostfixList *list, const char *name)
{
    for (guint i = 0; i < (guint)list->first; i++) {
        const KnownMilter *known;
        g_autofree char *before = postfix_list_milter_name(list, i, &known);
        g_autofree char *mend = NULL;

        if (known != NULL && !known->is_signer)
            continue;
        mend = postfix_list_mend(list);
        if (known != NULL)
            finding_command(findings_add(doctor, FINDING_ERROR, "signer-order",
                                         "%s has %s before spfrom: its signature covers the old "
                                         "From: and is broken by the rewrite",
                                         name, before),
                            "%s", mend);
        else
            finding_advise(findings_add(doctor, FINDING_UNKNOWN, "signer-order",
                                        "%s has %s before spfrom; is it one that signs (DKIM)?",
                                        name, before),
                           "if it signs, put spfrom before it in %s", list->parameter);
    }
}

static void examine_later(Doctor *doctor, const PostfixList *list, const char *name)
{
    for (guint i = (guint)list->first + 1; i < list->milters->len; i++) {
        const KnownMilter *known = NULL;
        g_autofree char *after =
            list->is_ours[i] ? NULL : postfix_list_milter_name(list, i, &known);

        if (list->is_ours[i])
            finding_advise(findings_add(doctor, FINDING_WARNING, "milter-twice",
                                        "%s has spfrom twice; the second time finds nothing to do",
                                        name),
                           "leave one out");
        else if (known != NULL && known->is_signer)
            findings_add(doctor, FINDING_FINE, "signer-order",
                         "%s has %s after spfrom: it signs what spfrom made", name, after);
    }
}

static void examine_action(Doctor *doctor, const PostfixList *list, const char *name)
{
    const char *action =
        postfix_list_setting(list, (guint)list->first, "default_action", "milter_default_action");
    Finding *finding;

    if (g_ascii_strcasecmp(action, "tempfail") == 0 ||
        g_ascii_strcasecmp(action, "shutdown") == 0) {
        findings_add(doctor, FINDING_FINE, "default-action",
                     "%s: while spfrom does not answer, clients keep their mail and try again (%s)",
                     name, action);
        return;
    }
    finding =
        findings_add(doctor, FINDING_WARNING, "default-action",
                     "%s: while spfrom does not answer, mail %s (default_action %s)", name,
                     g_ascii_strcasecmp(action, "accept") == 0   ? "leaves without being rewritten"
                     : g_ascii_strcasecmp(action, "reject") == 0 ? "is rejected for good"
                                                                 : "is held or lost",
                     action);
    mend_setting(list, finding, "default_action", "milter_default_action", "tempfail");
}

static void examine_others(Doctor *doctor, const PostfixList *list, const char *name)
{
    for (guint i = 0; i < list->milters->len; i++) {
        g_autofree char *milter = list->is_ours[i] ? NULL : postfix_list_milter_name(list, i, NULL);

        if (!list->is_ours[i])
            findings_add(doctor, FINDING_FINE, "other-milter", "%s: %s has default_action %s", name,
                         milter,
                         postfix_list_setting(list, i, "default_action", "milter_default_action"));
    }
}

#define PROTOCOL_NEEDED 6 /* from which on a milter may change the envelope sender */

static void examine_protocol(Doctor *doctor, const PostfixList *list, const char *name)
{
    const char *protocol =
        postfix_list_setting(list, (guint)list->first, "protocol", "milter_protocol");

    if (atoi(protocol) < PROTOCOL_NEEDED)
        mend_setting(list,
                     findings_add(doctor, FINDING_ERROR, "milter-protocol",
                                  "%s: milter protocol %s has no way to change the envelope sender",
                                  name, protocol),
                     "protocol", "milter_protocol", "6");
}

static void examine_time(Doctor *doctor, const PostfixList *list, const char *name)
{
    const char *text =
        postfix_list_setting(list, (guint)list->first, "content_timeout", "milter_content_timeout");
    gint64 seconds = clock_span_parse(text, NULL);
    gint64 needed = doctor->settings->check_timeout;

    if (seconds < 0 || seconds > needed)
        return;
    mend_setting(list,
                 findings_add(doctor, FINDING_ERROR, "content-timeout",
                              "%s: Postfix waits %s for the end of a message, and a check may take "
                              "%u s (check_timeout)",
                              name, text, doctor->settings->check_timeout),
                 "content_timeout", "milter_content_timeout", "300s");
}

void postfix_list_examine(Doctor *doctor, const PostfixList *list)
{
    g_autofree char *name = postfix_list_name(list);

    examine_order(doctor, list, name);
    examine_later(doctor, list, name);
    examine_action(doctor, list, name);
    examine_others(doctor, list, name);
    examine_protocol(doctor, list, name);
    examine_time(doctor, list, name);
}
