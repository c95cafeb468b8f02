/*
 * What any milter costs, to compare ours with: without -e it lets every message pass, with -e it
 * makes the edits of our rewrite, always the same ones, without asking anything. It negotiates as
 * ours does (on_negotiate() in milter/daemon/session.c).
 *
 * Usage: null_milter [-e] SOCKET   (unix:PATH or inet:PORT@HOST)
 */
#include "config.h"

#include <libmilter/mfapi.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sysexits.h>
#include <unistd.h>

static const unsigned long unused_steps =
    SMFIP_NOHELO | SMFIP_NODATA | SMFIP_NOUNKNOWN | SMFIP_NOEOH | SMFIP_NOBODY;
static const unsigned long silent_steps =
    SMFIP_NR_CONN | SMFIP_NR_MAIL | SMFIP_NR_RCPT | SMFIP_NR_HDR;

static bool is_editing;

static sfsistat on_negotiate(SMFICTX *context, unsigned long actions, unsigned long steps,
                             unsigned long extra1, unsigned long extra2,
                             unsigned long *used_actions, unsigned long *used_steps,
                             unsigned long *used_extra1, unsigned long *used_extra2)
{
    (void)context, (void)extra1, (void)extra2;
    *used_actions = actions & (SMFIF_CHGHDRS | SMFIF_ADDHDRS | SMFIF_CHGFROM);
    *used_steps = steps & (unused_steps | silent_steps | SMFIP_HDR_LEADSPC);
    *used_extra1 = *used_extra2 = 0;
    return (steps & silent_steps) == silent_steps ? SMFIS_CONTINUE : SMFIS_REJECT;
}

static sfsistat on_connect(SMFICTX *context, char *host, _SOCK_ADDR *address)
{
    (void)context, (void)host, (void)address;
    return SMFIS_NOREPLY;
}

static sfsistat on_command(SMFICTX *context, char **arguments)
{
    (void)context, (void)arguments;
    return SMFIS_NOREPLY;
}

static sfsistat on_header(SMFICTX *context, char *name, char *value)
{
    (void)context, (void)name, (void)value;
    return SMFIS_NOREPLY;
}

static void edit(SMFICTX *context)
{
    static char from[] = "From", reply_to[] = "Reply-To", author[] = "Author";
    static char kept[] = "X-Original-From", trace[] = "X-SPFrom";
    static char fallback[] = " =?utf-8?Q?Praxis_Dr=2E_M=C3=BCller?= <noreply@lemniscus.de>";
    static char original[] = " =?utf-8?Q?Praxis_Dr=2E_M=C3=BCller?= <mueller@praxis-ohne.de>";
    static char reason[] = " rewritten; domain=praxis-ohne.de; spf=none; relay=192.0.2.25";
    static char sender[] = "noreply@lemniscus.de";

    smfi_chgheader(context, from, 1, fallback);
    smfi_addheader(context, reply_to, original);
    smfi_addheader(context, author, original);
    smfi_addheader(context, kept, original);
    smfi_insheader(context, 0, trace, reason);
    smfi_chgfrom(context, sender, NULL);
}

static sfsistat on_end_of_message(SMFICTX *context)
{
    if (is_editing)
        edit(context);
    return SMFIS_CONTINUE;
}

int main(int argc, char **argv)
{
    static char name[] = "null";
    struct smfiDesc description = {
        .xxfi_name = name,
        .xxfi_version = SMFI_VERSION,
        .xxfi_flags = SMFIF_CHGHDRS | SMFIF_ADDHDRS | SMFIF_CHGFROM,
        .xxfi_connect = on_connect,
        .xxfi_envfrom = on_command,
        .xxfi_envrcpt = on_command,
        .xxfi_header = on_header,
        .xxfi_eom = on_end_of_message,
        .xxfi_negotiate = on_negotiate,
    };

    is_editing = argc == 3 && strcmp(argv[1], "-e") == 0;
    if (argc != 2 + is_editing) {
        fprintf(stderr, "usage: null_milter [-e] SOCKET\n");
        return EX_USAGE;
    }
    umask(0);
    if (smfi_register(description) != MI_SUCCESS || smfi_setconn(argv[argc - 1]) != MI_SUCCESS)
        return EX_UNAVAILABLE;
    return smfi_main() == MI_SUCCESS ? EX_OK : EX_UNAVAILABLE;
}
