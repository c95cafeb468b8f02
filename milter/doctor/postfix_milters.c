#include "config.h"

#include "doctor/postfix_milters.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "doctor/daemon.h"
#include "doctor/machine.h"
#include "doctor/postfix_list.h"
#include "policy/outbound.h"

/* The port of a service, without the host if it has one. */
static const char *port_of(const PostfixService *service)
{
    const char *colon = strrchr(service->name, ':');

    return colon != NULL ? colon + 1 : service->name;
}

/* Is service one to which people submit their own mail? */
static bool is_submission(const Postfix *postfix, const PostfixService *service)
{
    static const char *const ports[] = {"submission", "submissions", "smtps", "587", "465"};

    for (size_t i = 0; i < G_N_ELEMENTS(ports); i++)
        if (strcmp(port_of(service), ports[i]) == 0)
            return true;
    return postfix_is_yes(postfix, service, "smtpd_sasl_auth_enable");
}

/* Does mail that comes in at service go through a filter that gives it back at another one? */
static bool has_filter(const Postfix *postfix, const PostfixService *service)
{
    return *postfix_value(postfix, service, "content_filter") != '\0' ||
           *postfix_value(postfix, service, "smtpd_proxy_filter") != '\0';
}

/* Sets *address to that at which service listens. Returns false if it is neither loopback nor
 * private. */
static bool is_house_port(const PostfixService *service, Network *address)
{
    const char *port = port_of(service);
    g_autofree char *host = NULL;
    gsize length;

    if (port == service->name)
        return false;
    host = g_strndup(service->name, (gsize)(port - 1 - service->name));
    length = strlen(host);
    if (host[0] == '[' && length > 1 && host[length - 1] == ']') {
        host[length - 1] = '\0';
        memmove(host, host + 1, length - 1);
    }
    return network_parse(strcmp(host, "localhost") == 0 ? "127.0.0.1" : host, address, NULL) &&
           network_is_house(address);
}

/* Does service have options that are usual for mail that a filter gives back? */
static bool has_way_back_options(const PostfixService *service)
{
    static const char *const names[] = {"content_filter", "smtpd_proxy_filter",
                                        "receive_override_options",
                                        "smtpd_authorized_xforward_hosts"};

    for (size_t i = 0; i < G_N_ELEMENTS(names); i++)
        if (g_hash_table_contains(service->overrides, names[i]))
            return true;
    return strcmp(port_of(service), "10025") == 0; /* the port at which amavis gives mail back */
}

typedef enum { WAY_BACK_NO, WAY_BACK_PERHAPS, WAY_BACK_YES } WayBack;

/* Does a filter (amavis) give mail back at service that came in at another one? Sets *address to
 * that of service: all mail there then seems to come from it. */
static WayBack way_back(const Postfix *postfix, const PostfixService *service, Network *address)
{
    if (is_submission(postfix, service) || has_filter(postfix, service) ||
        !is_house_port(service, address))
        return WAY_BACK_NO;
    for (guint i = 0; i < postfix->services->len; i++) {
        const PostfixService *other = g_ptr_array_index(postfix->services, i);

        if ((postfix_service_runs(other, "smtpd") || postfix_service_runs(other, "pickup")) &&
            other != service && has_filter(postfix, other))
            return has_way_back_options(service) ? WAY_BACK_YES : WAY_BACK_PERHAPS;
    }
    return WAY_BACK_NO;
}

/* Adds the finding that strangers' mail comes from the filter's address, so that outbound takes it
 * for ours. */
static void add_trap(Doctor *doctor, const PostfixList *list, WayBack back)
{
    g_autofree char *others =
        postfix_milters_with(list->milters, list->is_ours, NULL, list->milters->len + 1);
    g_autofree char *set =
        postfix_set_command(list->postfix, list->reader, list->parameter, others);
    g_autofree char *postfix = postfix_command(list->postfix, "postfix");
    const char *name = list->reader->name;

    if (back == WAY_BACK_PERHAPS)
        finding_advise(findings_add(doctor, FINDING_UNKNOWN, "way-back",
                                    "a content filter is set; if it gives mail back at %s, that of "
                                    "strangers counts as ours there, and its authors are replaced",
                                    name),
                       "if it does: %s && %s reload", set, postfix);
    else {
        Finding *finding = findings_add(
            doctor, FINDING_ERROR, "way-back",
            "%s takes mail back from a content filter: all of it comes from the filter's address, "
            "so that outbound takes mail of strangers for ours, and its authors are replaced",
            name);

        finding_command(finding, "%s && %s reload", set, postfix);
        finding_advise(finding, "then restart the filter: amavis keeps a connection open, on which "
                                "all stays as it was");
    }
}

/* Examines a service at which a filter gives mail back. Returns false if service is none, and has
 * to be examined like the others. */
static bool examine_way_back(Doctor *doctor, const PostfixList *list)
{
    OutboundClient client = {.has_address = true};
    const char *name = list->reader->name;
    WayBack back = way_back(list->postfix, list->reader, &client.address);

    if (back == WAY_BACK_NO)
        return false;
    if (postfix_list_passage(list) == PASSAGE_CHROOTED)
        return false;
    if (postfix_list_passage(list) != PASSAGE_SEEN)
        findings_add(doctor, FINDING_FINE, "way-back",
                     "%s takes mail back from a content filter; spfrom belongs before the filter, "
                     "and does not see it again",
                     name);
    else if (!outbound_is_ours(doctor->settings->outbound, &client))
        findings_add(doctor, FINDING_FINE, "way-back",
                     "%s takes mail back from a content filter; what comes from the filter's "
                     "address is not outgoing for that alone",
                     name);
    else
        add_trap(doctor, list, back);
    return true;
}

static void add_off(Doctor *doctor, const PostfixList *list)
{
    const char *options = postfix_value(list->postfix, list->reader, "receive_override_options");
    g_autoptr(GPtrArray) words = postfix_words(options);
    g_autoptr(GString) left = g_string_new(NULL);
    bool is_own = g_hash_table_contains(list->reader->overrides, "receive_override_options");

    for (guint i = 0; i < words->len; i++)
        if (strcmp(g_ptr_array_index(words, i), "no_milters") != 0)
            g_string_append_printf(left, "%s%s", left->len > 0 ? "," : "",
                                   (const char *)g_ptr_array_index(words, i));
    postfix_mend(list->postfix,
                 findings_add(doctor, FINDING_ERROR, "no-milters",
                              "%s: receive_override_options has no_milters: mail from there "
                              "passes no milter",
                              list->reader->name),
                 is_own ? list->reader : NULL, "receive_override_options", left->str);
}

/* The filter of smtpd_proxy_filter in the words of content_filter; NULL if the SMTP client can't
 * reach it. */
static char *filter_after_queue(const char *proxy)
{
    const char *place = g_str_has_prefix(proxy, "inet:") ? proxy + strlen("inet:") : proxy;
    const char *colon = strrchr(place, ':');

    if (colon == NULL || g_str_has_prefix(place, "unix:"))
        return NULL;
    if (colon == place)
        return g_strdup_printf("smtp:[127.0.0.1]%s", colon);
    if (place[0] == '[')
        return g_strdup_printf("smtp:%s", place);
    return g_strdup_printf("smtp:[%.*s]%s", (int)(colon - place), place, colon);
}

/* If a filter works before the queue, milters see no header before it, and all mail comes from the
 * filter after it. The mend is a filter after the queue. */
static void add_blind(Doctor *doctor, const PostfixList *list)
{
    const char *proxy = postfix_value(list->postfix, list->reader, "smtpd_proxy_filter");
    g_autofree char *filter = filter_after_queue(proxy);
    Finding *finding = findings_add(
        doctor, FINDING_ERROR, "proxy-filter",
        "%s: smtpd_proxy_filter is set: milters see no header there and can change nothing",
        list->reader->name);

    finding_advise(finding,
                   "let the filter work after the queue (content_filter); it then has to discard "
                   "or mark what it refused before. Or let outgoing mail come in at a service of "
                   "its own without smtpd_proxy_filter. Do not put spfrom behind the filter: all "
                   "mail comes from the filter's address there");
    if (filter == NULL)
        return;
    g_autofree char *off =
        postfix_set_command(list->postfix, list->reader, "smtpd_proxy_filter", "");
    g_autofree char *on =
        postfix_set_command(list->postfix, list->reader, "content_filter", filter);
    g_autofree char *postfix = postfix_command(list->postfix, "postfix");

    finding_command(finding, "%s && %s && %s reload", off, on, postfix);
}

/* Appends the command that puts place into our entry of the list, if the list has us. */
static void move_entry(const PostfixList *list, const char *place, GString *commands)
{
    gint position = postfix_list_meant(list);
    const PostfixMilter *ours;
    g_auto(GStrv) parts = NULL;
    g_autofree char *entry = NULL;
    g_autofree char *value = NULL;
    g_autofree char *set = NULL;

    if (position < 0)
        return;
    ours = g_ptr_array_index(list->milters, (guint)position);
    parts = g_strsplit(ours->text, ours->address_text, 2);
    entry = g_strjoinv(place, parts);
    list->is_ours[position] = true;
    value = postfix_milters_with(list->milters, list->is_ours, entry, (guint)position);
    set = postfix_set_command(list->postfix, list->owner, list->parameter, value);
    g_string_append_printf(commands, " && %s", set);
}

#define SOCKET_FOLDER "spfrom"
#define SOCKET_PLACE                                                                               \
    "unix:" SOCKET_FOLDER                                                                          \
    "/milter.sock" /* Postfix looks for it below its queue, chrooted or not. */

/* Appends the commands that put the socket below the queue into every list. */
static void move_entries(const Doctor *doctor, const Postfix *postfix, GString *commands)
{
    static const char *const parameters[] = {"smtpd_milters", "non_smtpd_milters"};

    for (size_t i = 0; i < G_N_ELEMENTS(parameters); i++) {
        g_autoptr(PostfixList) general = postfix_list_new(doctor, postfix, NULL, parameters[i]);

        move_entry(general, SOCKET_PLACE, commands);
        for (guint at = 0; at < postfix->services->len; at++) {
            const PostfixService *service = g_ptr_array_index(postfix->services, at);
            g_autoptr(PostfixList) list = postfix_list_new(doctor, postfix, service, parameters[i]);

            if (list->owner != NULL)
                move_entry(list, SOCKET_PLACE, commands);
        }
    }
}

/* Mends finding by a unix socket below the queue, in our configuration and in every list: Postfix
 * finds it there in its chroot and out of it, and nobody else enters the folder. */
static void mend_by_moving(Doctor *doctor, const Postfix *postfix, Finding *finding)
{
    const char *owner = postfix_value(postfix, NULL, "mail_owner");
    g_autoptr(MachineAccount) account = machine_account_find(owner, NULL);
    g_autofree char *folder =
        g_build_filename(postfix_value(postfix, NULL, "queue_directory"), SOCKET_FOLDER, NULL);
    g_autofree char *quoted = g_shell_quote(folder);
    g_autofree char *reload = postfix_command(postfix, "postfix");
    g_autofree char *place = g_strdup_printf("unix:%s/milter.sock", folder);
    g_autofree char *value = g_strdup_printf("\"%s\"", place);
    g_autofree char *key = findings_key_command(doctor->file, doctor->text, "socket", value);
    g_autoptr(GString) lists = g_string_new(NULL);

    move_entries(doctor, postfix, lists);
    if (strcmp(doctor->settings->socket, place) == 0 && lists->len > 0)
        finding_command(finding, "%s && %s reload", lists->str + strlen(" && "), reload);
    else if (account != NULL && key != NULL && lists->len > 0)
        finding_command(finding,
                        "install -d -o %s -g %u -m 2750 %s && %s && systemctl restart spfrom%s && "
                        "%s reload",
                        doctor->settings->user, (guint)account->gid, quoted, key, lists->str,
                        reload);
    else
        finding_advise(finding, "in %s write socket = %s, and " SOCKET_PLACE " in smtpd_milters",
                       doctor->file, value);
}

static void add_chrooted(Doctor *doctor, const PostfixList *list)
{
    g_autofree char *seen = postfix_path(list->postfix, list->reader, list->address->path);

    mend_by_moving(doctor, list->postfix,
                   findings_add(doctor, FINDING_ERROR, "chroot",
                                "%s runs chrooted: it looks for the socket at %s, and it is at %s",
                                list->reader->name, seen, list->address->path));
}

/* Adds the finding that mail of this service is not seen, while that of others is. */
static void add_missed(Doctor *doctor, const PostfixList *list)
{
    g_autofree char *name = postfix_list_name(list);
    FindingLevel level =
        is_submission(list->postfix, list->reader) ? FINDING_ERROR : FINDING_WARNING;

    postfix_list_mend(
        list, findings_add(doctor, level, "smtpd-milters",
                           "%s does not have spfrom: mail that comes in at %s is not seen by it",
                           name, list->reader->name));
}

static void add_passage(Doctor *doctor, const PostfixList *list)
{
    if (examine_way_back(doctor, list))
        return;
    switch (postfix_list_passage(list)) {
    case PASSAGE_SEEN:
    case PASSAGE_MISREAD: /* postfix_list_try() has said so */
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
        Network address;

        if (postfix_list_passage(list) == PASSAGE_SEEN &&
            way_back(list->postfix, list->reader, &address) != WAY_BACK_YES)
            g_string_append_printf(names, "%s%s", names->len > 0 ? ", " : "", list->reader->name);
    }
    if (names->len > 0)
        findings_add(doctor, FINDING_FINE, "smtpd-milters",
                     "mail that comes in at %s passes through spfrom", names->str);
}

/* Adds the findings if no smtpd has us: one for all that read main.cf, and one for each that has an
 * option of its own. */
static void add_absent(Doctor *doctor, const GPtrArray *lists)
{
    const PostfixList *general = NULL;

    for (guint i = 0; i < lists->len; i++) {
        const PostfixList *list = g_ptr_array_index(lists, i);

        if (list->owner != NULL)
            add_missed(doctor, list);
        else if (general == NULL)
            general = list;
    }
    if (general != NULL)
        postfix_list_mend(general,
                          findings_add(doctor, FINDING_ERROR, "smtpd-milters",
                                       "smtpd_milters does not have spfrom (%s): no mail that "
                                       "comes in by SMTP passes through it",
                                       doctor->settings->socket));
}

static bool is_any_seen(const GPtrArray *lists)
{
    for (guint i = 0; i < lists->len; i++)
        if (postfix_list_passage(g_ptr_array_index(lists, i)) != PASSAGE_NONE)
            return true;
    return false;
}

/* Since Postfix 3.2, some clients can have other milters. */
static void examine_maps(Doctor *doctor, const Postfix *postfix, const PostfixService *service)
{
    const char *maps = postfix_value(postfix, service, "smtpd_milter_maps");

    if (*maps != '\0')
        finding_advise(findings_add(doctor, FINDING_UNKNOWN, "milter-maps",
                                    "%s: smtpd_milter_maps (%s) gives some clients other milters",
                                    service->name, maps),
                       "see that those whose mail is ours have spfrom there, too");
}

/* Calls examine for each list once, however many services read it from main.cf. */
static void for_each_once(Doctor *doctor, const GPtrArray *lists,
                          void (*examine)(Doctor *doctor, const PostfixList *list))
{
    bool is_main_done = false;

    for (guint i = 0; i < lists->len; i++) {
        const PostfixList *list = g_ptr_array_index(lists, i);

        if (list->owner == NULL && is_main_done)
            continue;
        is_main_done = is_main_done || list->owner == NULL;
        examine(doctor, list);
    }
}

static void examine_if_ours(Doctor *doctor, const PostfixList *list)
{
    if (list->first >= 0)
        postfix_list_examine(doctor, list);
}

static GPtrArray *smtpd_lists(const Doctor *doctor, const Postfix *postfix)
{
    GPtrArray *lists = g_ptr_array_new_with_free_func((GDestroyNotify)postfix_list_free);

    for (guint i = 0; i < postfix->services->len; i++) {
        const PostfixService *service = g_ptr_array_index(postfix->services, i);

        if (postfix_service_runs(service, "smtpd"))
            g_ptr_array_add(lists, postfix_list_new(doctor, postfix, service, "smtpd_milters"));
    }
    return lists;
}

static void examine_smtpd(Doctor *doctor, const Postfix *postfix)
{
    g_autoptr(GPtrArray) lists = smtpd_lists(doctor, postfix);

    if (lists->len == 0) {
        findings_add(doctor, FINDING_UNKNOWN, "smtpd-milters",
                     "master.cf has no smtpd: no mail comes in by SMTP");
        return;
    }
    for_each_once(doctor, lists, postfix_list_try);
    if (!is_any_seen(lists)) {
        add_absent(doctor, lists);
        return;
    }
    add_seen(doctor, lists);
    for (guint i = 0; i < lists->len; i++) {
        add_passage(doctor, g_ptr_array_index(lists, i));
        examine_maps(doctor, postfix, ((const PostfixList *)g_ptr_array_index(lists, i))->reader);
    }
    for_each_once(doctor, lists, examine_if_ours);
}

/* The cleanup that pickup hands mail to; it reads non_smtpd_milters. */
static const PostfixService *local_cleanup(const Postfix *postfix, const PostfixService *pickup)
{
    const char *name = postfix_value(postfix, pickup, "cleanup_service_name");

    return postfix_service(postfix, *name != '\0' ? name : "cleanup", "unix");
}

static const PostfixService *find_pickup(const Postfix *postfix)
{
    for (guint i = 0; i < postfix->services->len; i++) {
        const PostfixService *service = g_ptr_array_index(postfix->services, i);

        if (postfix_service_runs(service, "pickup"))
            return service;
    }
    return NULL;
}

/* If smtpd_milters has us, non_smtpd_milters had best follow it. */
static void mend_local(const Doctor *doctor, const PostfixList *list, Finding *finding)
{
    g_autoptr(PostfixList) smtpd = postfix_list_new(doctor, list->postfix, NULL, "smtpd_milters");

    if (list->milters->len > 0 || list->owner != NULL || smtpd->first < 0)
        postfix_list_mend(list, finding);
    else
        postfix_mend(list->postfix, finding, NULL, "non_smtpd_milters", "$smtpd_milters");
}

static void examine_local(Doctor *doctor, const Postfix *postfix)
{
    const PostfixService *pickup = find_pickup(postfix);
    const PostfixService *cleanup = pickup != NULL ? local_cleanup(postfix, pickup) : NULL;
    g_autoptr(PostfixList) list = NULL;

    if (cleanup == NULL)
        return;
    list = postfix_list_new(doctor, postfix, cleanup, "non_smtpd_milters");
    if (list->owner != NULL || strcmp(postfix_value(postfix, NULL, "smtpd_milters"),
                                      postfix_value(postfix, NULL, "non_smtpd_milters")) != 0)
        postfix_list_try(doctor, list);
    if (postfix_list_passage(list) == PASSAGE_CHROOTED) {
        add_chrooted(doctor, list);
        return;
    }
    if (list->first < 0 && postfix_list_passage(list) == PASSAGE_MISREAD)
        return;
    if (list->first < 0) {
        mend_local(doctor, list,
                   findings_add(doctor, FINDING_ERROR, "non-smtpd-milters",
                                "non_smtpd_milters does not have spfrom: mail of local programs "
                                "(sendmail -t) does not pass through it"));
        return;
    }
    if (postfix_has_word(postfix_value(postfix, pickup, "receive_override_options"),
                         "no_milters")) {
        list->reader = pickup;
        add_off(doctor, list);
        return;
    }
    if (postfix_list_passage(list) != PASSAGE_MISREAD)
        findings_add(doctor, FINDING_FINE, "non-smtpd-milters",
                     "mail of local programs (sendmail -t) passes through spfrom");
    postfix_list_examine(doctor, list);
}

static bool has_daemon_name(const Postfix *postfix, const char *name)
{
    for (guint i = 0; i < postfix->services->len; i++) {
        const PostfixService *service = g_ptr_array_index(postfix->services, i);

        if (postfix_service_runs(service, "smtpd") &&
            strcmp(postfix_value(postfix, service, "milter_macro_daemon_name"), name) == 0)
            return true;
    }
    return false;
}

/* outbound = daemon:NAME needs a macro that Postfix only sends if it is configured. */
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
        finding = findings_add(doctor, FINDING_ERROR, "daemon-name",
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

static void examine_port(Doctor *doctor, const Postfix *postfix)
{
    Finding *finding = doctor_daemon_port(doctor);

    if (finding != NULL)
        mend_by_moving(doctor, postfix, finding);
}

/* The default gateway of a container's network; false if this is no container. */
static bool find_gateway(Network *gateway)
{
    g_autofree char *text = NULL;
    g_auto(GStrv) lines = NULL;

    if ((access("/.dockerenv", F_OK) != 0 && access("/run/.containerenv", F_OK) != 0) ||
        !g_file_get_contents("/proc/self/net/route", &text, NULL, NULL))
        return false;
    lines = g_strsplit(text, "\n", -1);
    for (guint i = 0; lines[i] != NULL; i++) {
        char address[INET_ADDRSTRLEN];
        guint32 target, octets; /* in the network's order */

        if (sscanf(lines[i], "%*s %x %x", &target, &octets) == 2 && target == 0 && octets != 0)
            return inet_ntop(AF_INET, &octets, address, sizeof address) != NULL &&
                   network_parse(address, gateway, NULL);
    }
    return false;
}

/* Does service learn the addresses of clients that come through the gateway? */
static bool tells_clients(const Postfix *postfix, const PostfixService *service,
                          const Network *gateway)
{
    g_autoptr(GPtrArray) trusted =
        postfix_words(postfix_value(postfix, service, "smtpd_authorized_xclient_hosts"));

    for (guint i = 0; i < trusted->len; i++) {
        Network network;

        if (network_parse(g_ptr_array_index(trusted, i), &network, NULL) &&
            network_contains(&network, gateway))
            return true;
    }
    return *postfix_value(postfix, service, "smtpd_upstream_proxy_protocol") != '\0';
}

/* Do we get mail from clients that we only know by the gateway's address? */
static bool is_any_untold(const Doctor *doctor, const Postfix *postfix, const Network *gateway)
{
    for (guint i = 0; i < postfix->services->len; i++) {
        const PostfixService *service = g_ptr_array_index(postfix->services, i);
        g_autoptr(PostfixList) list = postfix_list_new(doctor, postfix, service, "smtpd_milters");

        if (postfix_service_runs(service, "smtpd") && list->first >= 0 &&
            !tells_clients(postfix, service, gateway))
            return true;
    }
    return false;
}

/* The value of outbound without the rules that take the gateway for ours; programs in the container
 * stay ours. Owned by the caller. */
static char *outbound_without(const GPtrArray *rules, const Network *gateway)
{
    GString *value = g_string_new("{ ");

    for (guint i = 0; i < rules->len; i++) {
        const OutboundRule *rule = g_ptr_array_index(rules, i);
        char text[NETWORK_TEXT_MAX];

        if (rule->kind == OUTBOUND_NETWORK && network_contains(&rule->network, gateway))
            continue;
        if (value->len > strlen("{ "))
            g_string_append(value, ", ");
        switch (rule->kind) {
        case OUTBOUND_AUTHENTICATED:
            g_string_append(value, "authenticated");
            break;
        case OUTBOUND_PRIVATE:
            g_string_append(value, "\"127.0.0.0/8\", \"::1\"");
            break;
        case OUTBOUND_NETWORK:
            network_text(&rule->network, text);
            g_string_append_printf(value, "\"%s\"", text);
            break;
        case OUTBOUND_DAEMON:
            g_string_append_printf(value, "\"daemon:%s\"", rule->daemon);
            break;
        case OUTBOUND_ALL:
            g_string_append(value, "all");
            break;
        }
    }
    g_string_append(value, " }");
    return g_string_free(value, FALSE);
}

static bool has_all(const GPtrArray *rules)
{
    for (guint i = 0; i < rules->len; i++)
        if (((const OutboundRule *)g_ptr_array_index(rules, i))->kind == OUTBOUND_ALL)
            return true;
    return false;
}

/* If Docker publishes a port, mail of the whole Internet comes from the container's gateway. */
static void examine_container(Doctor *doctor, const Postfix *postfix)
{
    const GPtrArray *rules = doctor->settings->outbound;
    OutboundClient client = {.has_address = true};
    g_autofree char *value = NULL;
    char gateway[NETWORK_TEXT_MAX];

    if (!find_gateway(&client.address) || has_all(rules) || !outbound_is_ours(rules, &client) ||
        !is_any_untold(doctor, postfix, &client.address))
        return;
    network_text(&client.address, gateway);
    value = outbound_without(rules, &client.address);
    Finding *finding = findings_add(
        doctor, FINDING_WARNING, "container",
        "this is a container: if Docker publishes its ports, everybody's mail comes from its "
        "gateway, %s, and outbound takes that of strangers for ours",
        gateway);

    finding_mend_key(doctor, finding, "outbound", value);
    finding_advise(finding,
                   "or let what stands before Postfix tell who the client is: "
                   "smtpd_upstream_proxy_protocol, or XCLIENT with smtpd_authorized_xclient_hosts");
}

void doctor_postfix_milters(Doctor *doctor, const Postfix *postfix)
{
    examine_smtpd(doctor, postfix);
    examine_local(doctor, postfix);
    examine_daemon_names(doctor, postfix);
    doctor_daemon_reach(doctor, "postfix", postfix_value(postfix, NULL, "mail_owner"));
    examine_port(doctor, postfix);
    examine_container(doctor, postfix);
}
