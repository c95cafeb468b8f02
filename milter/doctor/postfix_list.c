#include "config.h"

#include "doctor/postfix_list.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"

static const PostfixMilter *milter_at(const PostfixList *list, guint position)
{
    return g_ptr_array_index(list->milters, position);
}

/* The milter's address as its reader sees it; NULL if it is not understood. */
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
    list->milters = postfix_milters_parse(postfix_value(postfix, reader, parameter));
    list->address = milter_address_parse_sendmail(doctor->settings->socket);
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

gint postfix_list_meant(const PostfixList *list)
{
    if (list->first >= 0)
        return list->first;
    for (guint i = 0; i < list->milters->len; i++) {
        const PostfixMilter *milter = g_ptr_array_index(list->milters, i);

        if (milter->address != NULL && milter_address_reaches(milter->address, list->address))
            return (gint)i;
    }
    return -1;
}

static bool has_misread(const PostfixList *list)
{
    for (guint i = 0; i < list->milters->len; i++)
        if (milter_at(list, i)->misread != NULL)
            return true;
    return false;
}

PostfixPassage postfix_list_passage(const PostfixList *list)
{
    const char *options = postfix_value(list->postfix, list->reader, "receive_override_options");

    if (list->first < 0) {
        gint meant = list->reader->is_chrooted ? postfix_list_meant(list) : -1;

        if (meant < 0)
            return PASSAGE_NONE;
        return milter_at(list, (guint)meant)->misread != NULL ? PASSAGE_MISREAD : PASSAGE_CHROOTED;
    }
    if (postfix_has_word(options, "no_milters"))
        return PASSAGE_OFF;
    if (has_misread(list))
        return PASSAGE_MISREAD;
    if (*postfix_value(list->postfix, list->reader, "smtpd_proxy_filter") != '\0')
        return PASSAGE_BLIND;
    return PASSAGE_SEEN;
}

char *postfix_list_name(const PostfixList *list)
{
    if (list->owner == NULL)
        return g_strdup(list->parameter);
    return g_strdup_printf("%s of %s/%s", list->parameter, list->owner->name, list->owner->type);
}

/* The setting of the milter at position, its own or the general one. Borrowed. */
static const char *list_setting(const PostfixList *list, guint position, const char *own,
                                const char *general)
{
    const char *value = postfix_milter_setting(milter_at(list, position), own);

    return value != NULL ? value : postfix_value(list->postfix, list->reader, general);
}

static const KnownMilter *known_milter(const PostfixList *list, guint position, char **program)
{
    g_autoptr(MilterAddress) seen = seen_address(list, position);

    *program = seen != NULL ? milter_address_program(seen, list->postfix->deadline) : NULL;
    return milter_address_known(*program, milter_at(list, position)->address_text, seen);
}

/* The milter at position by its address and, if it is known, its name: "inet:127.0.0.1:8891
 * (OpenDKIM)". Owned by the caller. known may be NULL. */
static char *milter_name(const PostfixList *list, guint position, const KnownMilter **known)
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

/* The position of the first milter that signs, or the end. */
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

/* Our socket as a chrooted reader has to have it, by a path below the queue, which is right out of
 * the chroot, too. NULL: it isn't chrooted, or the socket is elsewhere. Owned by the caller. */
static char *chrooted_place(const PostfixList *list)
{
    const char *queue = postfix_value(list->postfix, NULL, "queue_directory");
    const char *path = list->address->path;

    if (!list->address->is_unix || list->reader == NULL || !list->reader->is_chrooted ||
        !g_str_has_prefix(path, queue) || path[strlen(queue)] != '/')
        return NULL;
    return g_strconcat("unix:", path + strlen(queue) + 1, NULL);
}

/* Our entry as the reader has to have it. */
static char *entry_of(const PostfixList *list)
{
    char *place = NULL;

    if (list->first >= 0)
        return g_strdup(milter_at(list, (guint)list->first)->text);
    place = chrooted_place(list);
    return place != NULL ? place : milter_address_postfix(list->address);
}

void postfix_list_mend(const PostfixList *list, Finding *finding)
{
    g_autofree char *entry = entry_of(list);
    g_autofree char *value =
        postfix_milters_with(list->milters, list->is_ours, entry, first_signer(list));

    postfix_mend(list->postfix, finding, list->owner, list->parameter, value);
}

/* The list as it is written, without the slips that postfix_milters_parse() corrects, and our own
 * socket where a chrooted reader finds it. Owned by the caller. */
static char *corrected(const PostfixList *list)
{
    g_autofree bool *moved = g_new0(bool, list->milters->len + 1);
    gint meant = list->first < 0 ? postfix_list_meant(list) : -1;
    g_autofree char *place = meant >= 0 ? chrooted_place(list) : NULL;
    const PostfixMilter *ours = place != NULL ? milter_at(list, (guint)meant) : NULL;
    g_auto(GStrv) parts = ours != NULL ? g_strsplit(ours->text, ours->address_text, 2) : NULL;
    g_autofree char *entry = ours != NULL ? g_strjoinv(place, parts) : NULL;

    if (ours == NULL)
        return postfix_milters_with(list->milters, moved, NULL, list->milters->len + 1);
    moved[meant] = true;
    return postfix_milters_with(list->milters, moved, entry, (guint)meant);
}

/* Mends finding with the command that puts the list's addresses into Postfix's form; in
 * non_smtpd_milters, too, if it says the same. */
static void mend_addresses(const PostfixList *list, Finding *finding)
{
    static const char local[] = "non_smtpd_milters";
    const char *value = postfix_value(list->postfix, NULL, list->parameter);
    bool is_both = list->owner == NULL && strcmp(list->parameter, local) != 0 &&
                   strcmp(value, postfix_value(list->postfix, NULL, local)) == 0;
    g_autofree char *text = corrected(list);
    g_autofree char *set = postfix_set_command(list->postfix, list->owner, list->parameter, text);
    g_autofree char *same = postfix_set_command(list->postfix, NULL, local, "$smtpd_milters");
    g_autofree char *reload = postfix_command(list->postfix, "postfix");

    finding_command(finding, "%s%s%s && %s reload", set, is_both ? " && " : "", is_both ? same : "",
                    reload);
    finding_advise(finding, "Postfix starts a program that has ended so again after a minute");
}

static void add_misread(Doctor *doctor, const PostfixList *list, const PostfixMilter *milter)
{
    g_autofree char *name = postfix_list_name(list);

    if (milter->address == NULL)
        finding_advise(findings_add(doctor, FINDING_ERROR, "milter-address",
                                    "%s has \"%s\", which is not an address of a milter: Postfix "
                                    "takes no mail",
                                    name, milter->misread),
                       "write unix:PATH or inet:HOST:PORT");
    else
        mend_addresses(list, findings_add(doctor, FINDING_ERROR, "milter-address",
                                          "%s has %s, which Postfix can't read: it takes no mail; "
                                          "its form is %s",
                                          name, milter->misread, milter->address_text));
}

/* Adds the finding that no milter answers at position, and why. */
static void add_silent(Doctor *doctor, const PostfixList *list, guint position, const char *why)
{
    const PostfixMilter *milter = milter_at(list, position);
    const char *action = list_setting(list, position, "default_action", "milter_default_action");
    bool is_let_through = g_ascii_strcasecmp(action, "accept") == 0;
    g_autofree bool *is_gone = g_new0(bool, list->milters->len + 1);
    g_autofree char *name = postfix_list_name(list);
    g_autofree char *without = NULL;
    g_autofree char *set = NULL;
    g_autofree char *reload = postfix_command(list->postfix, "postfix");

    is_gone[position] = true;
    without = postfix_milters_with(list->milters, is_gone, NULL, list->milters->len + 1);
    set = postfix_set_command(list->postfix, list->owner, list->parameter, without);
    finding_advise(findings_add(doctor, is_let_through ? FINDING_WARNING : FINDING_ERROR,
                                "milter-silent", "%s has %s, and %s: mail %s (default_action %s)",
                                name, milter->address_text, why,
                                is_let_through ? "goes on without it" : "does not go on", action),
                   "start that milter, or take it out: %s && %s reload", set, reload);
}

static void try_milter(Doctor *doctor, const PostfixList *list, guint position)
{
    g_autoptr(MilterAddress) seen = seen_address(list, position);
    Deadline deadline = deadline_shortened(doctor->deadline, MILTER_ADDRESS_SECONDS);
    g_autofree char *why = NULL;
    int fd;

    if (seen == NULL || list->is_ours[position] || (gint)position == postfix_list_meant(list))
        return;
    fd = milter_address_connect(seen, deadline);
    if (fd < 0 && errno == EACCES)
        return;
    if (fd < 0)
        why = g_strdup_printf("nothing answers there (%s)", g_strerror(errno));
    else if (!milter_address_negotiate(fd, deadline))
        why = g_strdup("what listens there does not answer as a milter");
    if (fd >= 0)
        close(fd);
    if (why != NULL)
        add_silent(doctor, list, position, why);
}

void postfix_list_try(Doctor *doctor, const PostfixList *list)
{
    for (guint i = 0; i < list->milters->len; i++) {
        const PostfixMilter *milter = milter_at(list, i);

        if (milter->misread != NULL)
            add_misread(doctor, list, milter);
        try_milter(doctor, list, i);
    }
}

/* Mends finding with the command that gives our entry another setting; it is given to every milter
 * if our entry has none of its own. */
static void mend_setting(const PostfixList *list, Finding *finding, const char *own,
                         const char *general, const char *value)
{
    const PostfixMilter *ours = milter_at(list, (guint)list->first);
    bool is_own = list->reader != NULL && g_hash_table_contains(list->reader->overrides, general);

    if (postfix_milter_setting(ours, own) == NULL) {
        postfix_mend(list->postfix, finding, is_own ? list->reader : NULL, general, value);
        return;
    }
    g_autofree char *entry = g_strdup_printf("{%s,%s=%s}", ours->address_text, own, value);
    g_autofree char *text =
        postfix_milters_with(list->milters, list->is_ours, entry, (guint)list->first);

    postfix_mend(list->postfix, finding, list->owner, list->parameter, text);
}

static void examine_order(Doctor *doctor, const PostfixList *list, const char *name)
{
    for (guint i = 0; i < (guint)list->first; i++) {
        const KnownMilter *known;
        g_autofree char *before = milter_name(list, i, &known);

        if (known != NULL && !known->is_signer)
            continue;
        if (known != NULL)
            postfix_list_mend(list,
                              findings_add(doctor, FINDING_ERROR, "signer-order",
                                           "%s has %s before spfrom: its signature covers the old "
                                           "From: and is broken by the rewrite",
                                           name, before));
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
        g_autofree char *after = list->is_ours[i] ? NULL : milter_name(list, i, &known);

        if (list->is_ours[i])
            finding_advise(findings_add(doctor, FINDING_WARNING, "milter-twice",
                                        "%s has spfrom twice; the second time finds nothing to do",
                                        name),
                           "leave one out");
        else if (known != NULL && known->is_signer) {
            findings_add(doctor, FINDING_FINE, "signer-order",
                         "%s has %s after spfrom: it signs what spfrom made", name, after);
            findings_note_signer(doctor, known->name);
        }
    }
}

static void examine_action(Doctor *doctor, const PostfixList *list, const char *name)
{
    const char *action =
        list_setting(list, (guint)list->first, "default_action", "milter_default_action");
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
        g_autofree char *milter = list->is_ours[i] ? NULL : milter_name(list, i, NULL);

        if (!list->is_ours[i])
            findings_add(doctor, FINDING_FINE, "other-milter", "%s: %s has default_action %s", name,
                         milter, list_setting(list, i, "default_action", "milter_default_action"));
    }
}

/* The first version in which a milter may change the envelope sender. */
#define PROTOCOL_NEEDED 6

static void examine_protocol(Doctor *doctor, const PostfixList *list, const char *name)
{
    const char *protocol = list_setting(list, (guint)list->first, "protocol", "milter_protocol");

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
        list_setting(list, (guint)list->first, "content_timeout", "milter_content_timeout");
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
