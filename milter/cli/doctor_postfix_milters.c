#include "config.h"

#include "cli/doctor_postfix_milters.h"

#include <string.h>

#include "cli/doctor_postfix_list.h"

/* How mail that comes in at one smtpd meets us. */
typedef enum {
    PASSAGE_SEEN,
    PASSAGE_BLIND,    /* a proxy filter keeps the content from milters */
    PASSAGE_OFF,      /* receive_override_options = no_milters */
    PASSAGE_CHROOTED, /* it looks for our socket in its chroot */
    PASSAGE_NONE,
} Passage;

static bool has_word(const char *value, const char *word)
{
    g_autoptr(GPtrArray) words = milter_list_words(value);

    return g_ptr_array_find_with_equal_func(words, word, g_str_equal, NULL);
}

static bool is_smtpd(const PostfixService *service)
{
    return strcmp(service->program, "smtpd") == 0;
}

/* Does the list name our socket by the path that it has outside of the chroot? */
static bool names_outside(const PostfixList *list)
{
    for (guint i = 0; i < list->milters->len; i++) {
        const Milter *milter = g_ptr_array_index(list->milters, i);

        if (milter->address != NULL && milter_address_reaches(milter->address, list->address))
            return true;
    }
    return false;
}

static Passage passage_of(const PostfixList *list)
{
    const char *options = postfix_value(list->postfix, list->reader, "receive_override_options");

    if (list->first < 0)
        return list->reader->is_chrooted && names_outside(list) ? PASSAGE_CHROOTED : PASSAGE_NONE;
    if (has_word(options, "no_milters"))
        return PASSAGE_OFF;
    if (*postfix_value(list->postfix, list->reader, "smtpd_proxy_filter") != '\0')
        return PASSAGE_BLIND;
    return PASSAGE_SEEN;
}

/* The port of a service: what is behind the host, if there is one. */
static const char *port_of(const PostfixService *service)
{
    const char *colon = strrchr(service->name, ':');

    return colon != NULL ? colon + 1 : service->name;
}

/* Where people's own mail comes in. */
static bool is_submission(const Postfix *postfix, const PostfixService *service)
{
    static const char *const ports[] = {"submission", "submissions", "smtps", "587", "465"};

    for (size_t i = 0; i < G_N_ELEMENTS(ports); i++)
        if (strcmp(port_of(service), ports[i]) == 0)
            return true;
    return postfix_is_yes(postfix, service, "smtpd_sasl_auth_enable");
}

/* A port where a content filter gives back what has come in at another one before. */
static bool is_way_back(const Postfix *postfix, const PostfixService *service)
{
    static const char *const hosts[] = {"127.", "localhost:", "[::1]:"};
    bool is_loopback = false;

    for (size_t i = 0; i < G_N_ELEMENTS(hosts); i++)
        is_loopback = is_loopback || g_str_has_prefix(service->name, hosts[i]);
    if (!is_loopback)
        return false;
    for (guint i = 0; i < postfix->services->len; i++) {
        const PostfixService *other = g_ptr_array_index(postfix->services, i);

        if (is_smtpd(other) && other != service &&
            *postfix_value(postfix, other, "content_filter") != '\0')
            return true;
    }
    return false;
}

static void add_off(Doctor *doctor, const PostfixList *list)
{
    const char *options = postfix_value(list->postfix, list->reader, "receive_override_options");
    g_autoptr(GPtrArray) words = milter_list_words(options);
    g_autoptr(GString) left = g_string_new(NULL);
    g_autofree char *set = NULL;
    g_autofree char *postfix = postfix_command(list->postfix, "postfix");
    bool is_own = g_hash_table_contains(list->reader->overrides, "receive_override_options");

    for (guint i = 0; i < words->len; i++)
        if (strcmp(g_ptr_array_index(words, i), "no_milters") != 0)
            g_string_append_printf(left, "%s%s", left->len > 0 ? "," : "",
                                   (const char *)g_ptr_array_index(words, i));
    set = postfix_set_command(list->postfix, is_own ? list->reader : NULL,
                              "receive_override_options", left->str);
    finding_command(findings_add(&doctor->findings, FINDING_ERROR, "no-milters",
                                 "%s: receive_override_options has no_milters: mail from there "
                                 "passes no milter",
                                 list->reader->name),
                    "%s && %s reload", set, postfix);
}

static void add_blind(Doctor *doctor, const PostfixList *list)
{
    finding_advise(findings_add(&doctor->findings, FINDING_ERROR, "proxy-filter",
                                "%s: smtpd_proxy_filter is set: milters see no header there and "
                                "can change nothing",
                                list->reader->name),
                   "put %s into smtpd_milters of the service that takes mail back from the filter: "
                   "postconf -P 'NAME/inet/smtpd_milters=…'",
                   doctor->settings->socket);
}

static void add_chrooted(Doctor *doctor, const PostfixList *list)
{
    g_autofree char *seen = postfix_path(list->postfix, list->reader, list->address->path);
    g_autofree char *postconf = postfix_command(list->postfix, "postconf");
    g_autofree char *postfix = postfix_command(list->postfix, "postfix");
    g_autofree char *field =
        g_strdup_printf("%s/%s/chroot=n", list->reader->name, list->reader->type);
    g_autofree char *quoted = g_shell_quote(field);

    finding_command(findings_add(&doctor->findings, FINDING_ERROR, "chroot",
                                 "%s runs chrooted: it looks for the socket at %s, and it is at %s",
                                 list->reader->name, seen, list->address->path),
                    "%s -F %s && %s reload", postconf, quoted, postfix);
}

/* Mail that comes in here is not seen, while that of other services is. */
static void add_missed(Doctor *doctor, const PostfixList *list)
{
    g_autofree char *name = postfix_list_name(list);
    g_autofree char *mend = NULL;
    Finding *finding;

    if (!is_submission(list->postfix, list->reader) && is_way_back(list->postfix, list->reader)) {
        findings_add(&doctor->findings, FINDING_FINE, "way-back",
                     "%s takes mail back from a content filter; it has passed spfrom before",
                     list->reader->name);
        return;
    }
    mend = postfix_list_mend(list);
    finding =
        findings_add(&doctor->findings,
                     is_submission(list->postfix, list->reader) ? FINDING_ERROR : FINDING_WARNING,
                     "smtpd-milters",
                     "%s does not have spfrom: mail that comes in at %s is "
                     "not seen by it",
                     name, list->reader->name);
    finding_command(finding, "%s", mend);
}

static void add_passage(Doctor *doctor, const PostfixList *list)
{
    switch (passage_of(list)) {
    case PASSAGE_SEEN:
        break;
    case PASSAGE_BLIND:
        add_blind(doctor, list);
        break;
    case PASSAGE_OFF:
        add_off(doctor, list);
        break;
    case PASSAGE_CHROOTED:
        add_chrooted(doctor, list);
        break;
    case PASSAGE_NONE:
        add_missed(doctor, list);
        break;
    }
}

static void add_seen(Doctor *doctor, const GPtrArray *lists)
{
    g_autoptr(GString) names = g_string_new(NULL);

    for (guint i = 0; i < lists->len; i++) {
        const PostfixList *list = g_ptr_array_index(lists, i);

        if (passage_of(list) == PASSAGE_SEEN)
            g_string_append_printf(names, "%s%s", names->len > 0 ? ", " : "", list->reader->name);
    }
    if (names->len > 0)
        findings_add(&doctor->findings, FINDING_FINE, "smtpd-milters",
                     "mail that comes in at %s passes through spfrom", names->str);
}

/* No smtpd has us: one finding for all that read main.cf, one for each that has an option of its
 * own. */
static void add_absent(Doctor *doctor, const GPtrArray *lists)
{
    const PostfixList *general = NULL;
    g_autofree char *mend = NULL;

    for (guint i = 0; i < lists->len; i++) {
        const PostfixList *list = g_ptr_array_index(lists, i);

        if (list->owner != NULL)
            add_missed(doctor, list);
        else if (general == NULL)
            general = list;
    }
    if (general == NULL)
        return;
    mend = postfix_list_mend(general);
    finding_command(findings_add(&doctor->findings, FINDING_ERROR, "smtpd-milters",
                                 "smtpd_milters does not have spfrom (%s): no mail that comes in "
                                 "by SMTP passes through it",
                                 doctor->settings->socket),
                    "%s", mend);
}

static bool is_any_seen(const GPtrArray *lists)
{
    for (guint i = 0; i < lists->len; i++)
        if (passage_of(g_ptr_array_index(lists, i)) != PASSAGE_NONE)
            return true;
    return false;
}

/* Since Postfix 3.2, single clients can have other milters. */
static void examine_maps(Doctor *doctor, const Postfix *postfix, const PostfixService *service)
{
    const char *maps = postfix_value(postfix, service, "smtpd_milter_maps");

    if (*maps != '\0')
        finding_advise(findings_add(&doctor->findings, FINDING_UNKNOWN, "milter-maps",
                                    "%s: smtpd_milter_maps (%s) gives some clients other milters",
                                    service->name, maps),
                       "see that those whose mail is ours have spfrom there, too");
}

/* Each list once, however many services read it from main.cf. */
static void examine_once(Doctor *doctor, const PostfixList *list, bool *is_main_done)
{
    if (list->first < 0 || (list->owner == NULL && *is_main_done))
        return;
    *is_main_done = *is_main_done || list->owner == NULL;
    postfix_list_examine(doctor, list);
}

static GPtrArray *smtpd_lists(const Doctor *doctor, const Postfix *postfix)
{
    GPtrArray *lists = g_ptr_array_new_with_free_func((GDestroyNotify)postfix_list_free);

    for (guint i = 0; i < postfix->services->len; i++) {
        const PostfixService *service = g_ptr_array_index(postfix->services, i);

        if (is_smtpd(service))
            g_ptr_array_add(lists, postfix_list_new(doctor, postfix, service, "smtpd_milters"));
    }
    return lists;
}

static void examine_smtpd(Doctor *doctor, const Postfix *postfix)
{
    g_autoptr(GPtrArray) lists = smtpd_lists(doctor, postfix);
    bool is_main_done = false;

    if (lists->len == 0) {
        findings_add(&doctor->findings, FINDING_UNKNOWN, "smtpd-milters",
                     "master.cf has no smtpd: no mail comes in by SMTP");
        return;
    }
    if (!is_any_seen(lists)) {
        add_absent(doctor, lists);
        return;
    }
    add_seen(doctor, lists);
    for (guint i = 0; i < lists->len; i++) {
        add_passage(doctor, g_ptr_array_index(lists, i));
        examine_maps(doctor, postfix, ((const PostfixList *)g_ptr_array_index(lists, i))->reader);
        examine_once(doctor, g_ptr_array_index(lists, i), &is_main_done);
    }
}

/* The cleanup that gets what pickup has found; it reads non_smtpd_milters. */
static const PostfixService *local_cleanup(const Postfix *postfix, const PostfixService *pickup)
{
    const char *name = postfix_value(postfix, pickup, "cleanup_service_name");

    return postfix_service(postfix, *name != '\0' ? name : "cleanup", "unix");
}

static const PostfixService *find_pickup(const Postfix *postfix)
{
    for (guint i = 0; i < postfix->services->len; i++) {
        const PostfixService *service = g_ptr_array_index(postfix->services, i);

        if (strcmp(service->program, "pickup") == 0)
            return service;
    }
    return NULL;
}

/* Where smtpd_milters has us, non_smtpd_milters best follows it. */
static void mend_local(const Doctor *doctor, const PostfixList *list, Finding *finding)
{
    g_autoptr(PostfixList) smtpd = postfix_list_new(doctor, list->postfix, NULL, "smtpd_milters");
    g_autofree char *set = NULL;
    g_autofree char *postfix = postfix_command(list->postfix, "postfix");
    g_autofree char *mend = NULL;

    if (list->milters->len > 0 || list->owner != NULL || smtpd->first < 0) {
        mend = postfix_list_mend(list);
        finding_command(finding, "%s", mend);
        return;
    }
    set = postfix_set_command(list->postfix, NULL, "non_smtpd_milters", "$smtpd_milters");
    finding_command(finding, "%s && %s reload", set, postfix);
}

static void examine_local(Doctor *doctor, const Postfix *postfix)
{
    const PostfixService *pickup = find_pickup(postfix);
    const PostfixService *cleanup = pickup != NULL ? local_cleanup(postfix, pickup) : NULL;
    g_autoptr(PostfixList) list = NULL;

    if (cleanup == NULL)
        return;
    list = postfix_list_new(doctor, postfix, cleanup, "non_smtpd_milters");
    if (list->first < 0 && cleanup->is_chrooted && names_outside(list)) {
        add_chrooted(doctor, list);
        return;
    }
    if (list->first < 0) {
        mend_local(doctor, list,
                   findings_add(&doctor->findings, FINDING_ERROR, "non-smtpd-milters",
                                "non_smtpd_milters does not have spfrom: mail of local programs "
                                "(sendmail -t) does not pass through it"));
        return;
    }
    if (has_word(postfix_value(postfix, pickup, "receive_override_options"), "no_milters")) {
        list->reader = pickup;
        add_off(doctor, list);
        return;
    }
    findings_add(&doctor->findings, FINDING_FINE, "non-smtpd-milters",
                 "mail of local programs (sendmail -t) passes through spfrom");
    postfix_list_examine(doctor, list);
}

static bool has_daemon_name(const Postfix *postfix, const char *name)
{
    for (guint i = 0; i < postfix->services->len; i++) {
        const PostfixService *service = g_ptr_array_index(postfix->services, i);

        if (is_smtpd(service) &&
            strcmp(postfix_value(postfix, service, "milter_macro_daemon_name"), name) == 0)
            return true;
    }
    return false;
}

/* outbound = daemon:NAME waits for a macro that Postfix has to be told of. */
static void examine_daemon_names(Doctor *doctor, const Postfix *postfix)
{
    const GPtrArray *rules = doctor->settings->outbound;
    g_autofree char *postconf = postfix_command(postfix, "postconf");
    g_autofree char *reload = postfix_command(postfix, "postfix");

    for (guint i = 0; i < rules->len; i++) {
        const OutboundRule *rule = g_ptr_array_index(rules, i);
        Finding *finding;

        if (rule->kind != OUTBOUND_DAEMON || has_daemon_name(postfix, rule->daemon))
            continue;
        finding = findings_add(&doctor->findings, FINDING_ERROR, "daemon-name",
                               "outbound has daemon:%s, and no smtpd has "
                               "milter_macro_daemon_name = %s",
                               rule->daemon, rule->daemon);
        if (postfix_service(postfix, "submission", "inet") != NULL)
            finding_command(finding,
                            "%s -P 'submission/inet/milter_macro_daemon_name=%s' && %s reload",
                            postconf, rule->daemon, reload);
        else
            finding_advise(finding,
                           "%s -P 'NAME/inet/milter_macro_daemon_name=%s', with the NAME "
                           "of the service in master.cf",
                           postconf, rule->daemon);
    }
}

void doctor_postfix_milters(Doctor *doctor, const Postfix *postfix)
{
    examine_smtpd(doctor, postfix);
    examine_local(doctor, postfix);
    examine_daemon_names(doctor, postfix);
}
