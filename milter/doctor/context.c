#include "config.h"

#include "doctor/context.h"

#include <string.h>

#include "doctor/key_mend.h"

/* Design section 11: what a reload leaves as it was. */
static bool needs_restart(const char *key)
{
    static const char *const keys[] = {"socket", "socket_mode", "socket_group",  "user",
                                       "group",  "state_dir",   "control_socket"};

    for (size_t i = 0; i < G_N_ELEMENTS(keys); i++)
        if (strcmp(keys[i], key) == 0)
            return true;
    return false;
}

void doctor_mend_key(const Doctor *doctor, Finding *finding, const char *key, const char *value)
{
    const char *then = needs_restart(key) ? "systemctl restart spfrom" : "spfrom reload";
    g_autofree char *command = doctor_key_mend(doctor->file, doctor->text, key, value);

    if (command != NULL)
        finding_command(finding, "%s && %s", command, then);
    else
        finding_advise(finding, "in %s write %s = %s, then: %s", doctor->file, key, value, then);
}

bool doctor_has_relay(const Doctor *doctor, const Network *network)
{
    for (guint i = 0; doctor->relays != NULL && i < doctor->relays->networks->len; i++)
        if (network_contains(&g_array_index(doctor->relays->networks, Network, i), network))
            return true;
    return false;
}
