#include "config.h"

#include "doctor/postfix_reach.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "doctor/machine.h"
#include "doctor/findings.h"
#include "doctor/postfix_list.h"
#include "policy/outbound.h"

/* What becomes of one list when the socket moves: sets *command to what makes it say place. */
static void move_entry(const PostfixList *list, const char *place, GString *commands)
{
    const Milter *ours;
    g_auto(GStrv) parts = NULL;
    g_autofree char *entry = NULL;
    g_autofree char *value = NULL;
    g_autofree char *set = NULL;

    if (list->first < 0)
        return;
    ours = g_ptr_array_index(list->milters, (guint)list->first);
    parts = g_strsplit(ours->text, ours->address_text, 2);
    entry = g_strjoinv(place, parts);
    value = milter_list_with(list->milters, list->is_ours, entry, (guint)list->first);
    set = postfix_set_command(list->postfix, list->owner, list->parameter, value);
    g_string_append_printf(commands, " && %s", set);
}

#define SOCKET_FOLDER "spfrom"
#define SOCKET_PLACE "unix:" SOCKET_FOLDER "/milter.sock" /* below the queue, chrooted or not */

/* The commands that make every list name the socket below the queue. */
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

/* Who can connect to a milter's socket can say that any message passes, and libmilter believes
 * packets that end it: a unix socket keeps others out, a port does not. */
static void examine_port(Doctor *doctor, const Postfix *postfix)
{
    const char *socket = doctor->settings->socket;
    const char *owner = postfix_value(postfix, NULL, "mail_owner");
    g_autoptr(MachineAccount) account = machine_account_find(owner, NULL);
    g_autofree char *folder =
        g_build_filename(postfix_value(postfix, NULL, "queue_directory"), SOCKET_FOLDER, NULL);
    g_autofree char *quoted = g_shell_quote(folder);
    g_autofree char *reload = postfix_command(postfix, "postfix");
    g_autofree char *value = g_strdup_printf("\"unix:%s/milter.sock\"", folder);
    g_autofree char *key = NULL;
    g_autoptr(GString) lists = g_string_new(NULL);
    Finding *finding;

    if (g_str_has_prefix(socket, "unix:"))
        return;
    finding = findings_add(doctor, FINDING_WARNING, "socket-tcp",
                           "socket is %s: any local user, and whoever else reaches that port, can "
                           "write log lines and ledger rows under any queue id, and end the daemon",
                           socket);
    key = findings_key_command(doctor->file, doctor->text, "socket", value);
    move_entries(doctor, postfix, lists);
    if (account != NULL && key != NULL && lists->len > 0)
        finding_command(finding,
                        "install -d -o %s -g %u -m 2750 %s && %s && systemctl restart spfrom%s && "
                        "%s reload",
                        doctor->settings->user, (guint)account->gid, quoted, key, lists->str,
                        reload);
    else
        finding_advise(finding, "in %s write socket = %s, and " SOCKET_PLACE " in smtpd_milters",
                       doctor->file, value);
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

/* Does every client of service that comes through the gateway have an address of its own? */
static bool tells_clients(const Postfix *postfix, const PostfixService *service,
                          const Network *gateway)
{
    g_autoptr(GPtrArray) trusted =
        milter_list_words(postfix_value(postfix, service, "smtpd_authorized_xclient_hosts"));

    for (guint i = 0; i < trusted->len; i++) {
        Network network;

        if (network_parse(g_ptr_array_index(trusted, i), &network, NULL) &&
            network_contains(&network, gateway))
            return true;
    }
    return *postfix_value(postfix, service, "smtpd_upstream_proxy_protocol") != '\0';
}

/* Does mail pass us whose clients we only know as the gateway? */
static bool is_any_untold(const Doctor *doctor, const Postfix *postfix, const Network *gateway)
{
    for (guint i = 0; i < postfix->services->len; i++) {
        const PostfixService *service = g_ptr_array_index(postfix->services, i);
        g_autoptr(PostfixList) list = postfix_list_new(doctor, postfix, service, "smtpd_milters");

        if (strcmp(service->program, "smtpd") == 0 && list->first >= 0 &&
            !tells_clients(postfix, service, gateway))
            return true;
    }
    return false;
}

/* outbound without what takes the gateway for ours; programs in the container stay ours. */
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

/* Ports that Docker publishes get the whole Internet's mail from the container's gateway. */
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

void doctor_postfix_reach(Doctor *doctor, const Postfix *postfix)
{
    examine_port(doctor, postfix);
    examine_container(doctor, postfix);
}
