#include "config.h"

#include "advice/preview.h"

#include <string.h>

#include "policy/settings_parse.h"
#include "unit/table.h"

static gboolean read_file(const char *file G_GNUC_UNUSED, char **text, gsize *length,
                          GError **error G_GNUC_UNUSED)
{
    *text = g_strdup("fallback_address = \"noreply@example.net\"\n"
                     "relay_hosts = 192.0.2.25\n"
                     "mode = rewrite\n"
                     "tempfail_on = { temperror }\n"
                     "display_name = \"%n über Lemniscus\"\n"
                     "domain \"quiet.example\" { mode = log-only }\n"
                     "domain \"off.example\" { mode = off }\n"
                     "domain \"tenant.example\" { fallback_address = \"post@tenant.example\" }\n");
    *length = strlen(*text);
    return TRUE;
}

static const SettingsSource source = {read_file, "relay.example.net"};

#define BEFORE(domain) "Anna Example <anna@" domain ">"
#define AFTER "Anna Example über Lemniscus <noreply@example.net>"

static const struct row {
    const char *name;
    const char *domain;
    const char *local_part; /* that was asked for; NULL: none */
    SpfResult result;
    ModeInForce mode;
    MessageAction action;
    const char *from;
    const char *reply_to; /* NULL: none */
} rows[] = {
    {"authorised",
     "x.example",
     NULL,
     SPF_PASS,
     {.mode = MODE_REWRITE},
     MESSAGE_ACTION_KEEP,
     BEFORE("x.example"),
     NULL},
    {"rewritten",
     "x.example",
     NULL,
     SPF_FAIL,
     {.mode = MODE_REWRITE},
     MESSAGE_ACTION_REWRITE,
     AFTER,
     BEFORE("x.example")},
    {"an address",
     "x.example",
     "berta",
     SPF_FAIL,
     {.mode = MODE_REWRITE},
     MESSAGE_ACTION_REWRITE,
     AFTER,
     "Anna Example <berta@x.example>"},
    {"the switch says log-only",
     "x.example",
     NULL,
     SPF_NONE,
     {.mode = MODE_LOG_ONLY, .is_switch = true},
     MESSAGE_ACTION_WOULD_REWRITE,
     AFTER,
     BEFORE("x.example")},
    {"the section says log-only",
     "quiet.example",
     NULL,
     SPF_NONE,
     {.mode = MODE_REWRITE},
     MESSAGE_ACTION_WOULD_REWRITE,
     AFTER,
     BEFORE("quiet.example")},
    {"the section says off",
     "off.example",
     NULL,
     SPF_NONE,
     {.mode = MODE_REWRITE},
     MESSAGE_ACTION_KEEP,
     BEFORE("off.example"),
     NULL},
    {"the fallback's own domain",
     "example.net",
     NULL,
     SPF_NONE,
     {.mode = MODE_REWRITE},
     MESSAGE_ACTION_KEEP,
     BEFORE("example.net"),
     NULL},
    {"a tenant's fallback",
     "tenant.example",
     NULL,
     SPF_PERMERROR,
     {.mode = MODE_REWRITE},
     MESSAGE_ACTION_KEEP,
     BEFORE("tenant.example"),
     NULL},
    {"put off",
     "x.example",
     NULL,
     SPF_TEMPERROR,
     {.mode = MODE_REWRITE},
     MESSAGE_ACTION_TEMPFAIL,
     BEFORE("x.example"),
     NULL},
};

static void test_preview(void **state)
{
    const struct row *row = *state;
    g_autoptr(GError) error = NULL;
    g_autoptr(Settings) settings = settings_parse("/spfrom.conf", &source, &error);
    CheckSubject subject = {.domain = (char *)row->domain, .local_part = (char *)row->local_part};
    g_autoptr(GPtrArray) evaluations = g_ptr_array_new();
    const DomainCheck check = {
        .subject = &subject, .result = row->result, .evaluations = evaluations};
    g_autoptr(Preview) preview = NULL;

    if (settings == NULL)
        fail_msg("%s", error->message);
    preview = preview_new(settings, row->mode, &check, "Anna Example", "anna");
    assert_int_equal(preview->action, row->action);
    assert_string_equal(preview->from_after, row->from);
    assert_int_equal(preview->reply_to == NULL, row->reply_to == NULL);
    if (row->reply_to != NULL)
        assert_string_equal(preview->reply_to, row->reply_to);
    assert_int_equal(preview->is_off, strcmp(row->domain, "off.example") == 0);
}

int main(void)
{
    GArray *tests = table_new();

    mailboxes_init();
    TABLE_ADD(tests, rows, test_preview);
    return table_run(tests, "preview");
}
