#include "config.h"

#include "policy/standing.h"

#include <string.h>

#include "unit/table.h"
#include "policy/settings_parse.h"

static const char conf_text[] =
    "fallback_address = noreply@lemniscus.de\n"
    "rewrite_on = { fail, softfail } tempfail_on = { temperror } reply_to = never\n"
    "domain_map = map\n"
    "domain tenant.example { mode = rewrite fallback_address = \"n@tenant.example\"\n"
    "  display_name = \"%n via T\" display_name_missing = Praxis reply_to = add }\n"
    "domain .tenant.example { mode = log-only }\n";
static const char map_text[] = "off.example mode=off\n"
                               "yes.example authorised=yes\n"
                               "no.example authorised=no\n"
                               "tenant.example authorised=yes\n";

static gboolean read_file(const char *file, char **text, gsize *length,
                          GError **error G_GNUC_UNUSED)
{
    *text = g_strdup(g_str_has_suffix(file, "map") ? map_text : conf_text);
    *length = strlen(*text);
    return TRUE;
}

static Settings *settings_here(void)
{
    static const SettingsSource source = {read_file, "mail.example.net"};
    g_autoptr(GError) error = NULL;
    Settings *settings = settings_parse("/etc/spfrom.conf", &source, &error);

    if (error != NULL)
        print_error("%s\n", error->message);
    assert_non_null(settings);
    return settings;
}

static const struct authorised_row {
    const char *name; /* the address */
    int result;       /* of its verdict; -1: none */
    bool is_authorised;
} authorised_rows[] = {
    {"a@ok.example", SPF_PASS, true},
    {"a@ok.example", SPF_NEUTRAL, true}, /* in neither list */
    {"a@ok.example", SPF_SOFTFAIL, false},
    {"a@ok.example", SPF_TEMPERROR, false}, /* in tempfail_on */
    {"a@ok.example", -1, false},
    {"a@lemniscus.de", -1, true},
    {"a@off.example", -1, true},
    {"a@yes.example", -1, true},
    {"a@no.example", -1, false},
    {"root", -1, false},
};

static void test_authorised(void **state)
{
    const struct authorised_row *row = *state;
    g_autoptr(Settings) settings = settings_here();
    g_autoptr(Mailbox) mailbox = mailbox_parse_path(row->name);
    g_autoptr(Verdict) verdict =
        row->result >= 0 ? verdict_new((SpfResult)row->result, NULL, NULL, NULL) : NULL;

    assert_int_equal(standing_is_authorised(standing_outcome(
                         settings, (ModeInForce){.mode = MODE_REWRITE}, mailbox, verdict, true)),
                     row->is_authorised);
}

static const struct outcome_row {
    const char *name; /* the address; "": no mailbox at all */
    int result;       /* of its verdict; -1: not known */
    StandingOutcome outcome;
} outcome_rows[] = {
    {"a@ok.example", -1, STANDING_OPEN},
    {"a@ok.example", SPF_TEMPERROR, STANDING_TEMPFAIL},
    {"a@ok.example", SPF_FAIL, STANDING_UNAUTHORISED},
    {"noreply@lemniscus.de", SPF_FAIL, STANDING_EXEMPT},
    {"N@tenant.example", SPF_FAIL, STANDING_EXEMPT},
    {"a@off.example", SPF_FAIL, STANDING_EXEMPT},
    {"root", -1, STANDING_UNAUTHORISED},
    {"", -1, STANDING_UNAUTHORISED},
};

static void test_outcome(void **state)
{
    const struct outcome_row *row = *state;
    g_autoptr(Settings) settings = settings_here();
    g_autoptr(Mailbox) mailbox = row->name[0] != '\0' ? mailbox_parse_path(row->name) : NULL;
    g_autoptr(Verdict) verdict =
        row->result >= 0 ? verdict_new((SpfResult)row->result, NULL, NULL, NULL) : NULL;

    assert_int_equal(
        standing_outcome(settings, (ModeInForce){.mode = MODE_REWRITE}, mailbox, verdict, true),
        row->outcome);
}

/* The owner's DKIM key counts for an author, before tempfail_on, and for nobody else. */
static void test_dkim(void **state)
{
    static const SpfResult results[] = {SPF_FAIL, SPF_TEMPERROR};
    const ModeInForce mode = {.mode = MODE_REWRITE};
    g_autoptr(Settings) settings = settings_here();
    g_autoptr(Mailbox) mailbox = mailbox_parse_path("a@ok.example");

    (void)state;
    for (size_t i = 0; i < G_N_ELEMENTS(results); i++) {
        g_autoptr(Verdict) verdict = verdict_new(results[i], NULL, NULL, NULL);
        StandingOutcome without = standing_outcome(settings, mode, mailbox, verdict, true);

        verdict->dkim = g_strdup("lemniscus");
        assert_int_equal(standing_outcome(settings, mode, mailbox, verdict, true),
                         STANDING_AUTHORISED);
        assert_int_equal(standing_outcome(settings, mode, mailbox, verdict, false), without);
        assert_int_not_equal(without, STANDING_AUTHORISED);
    }
}

/* What holds for a domain: mode, fallback, names, Reply-To:, and the map's word. */
static const struct row {
    const char *name; /* the domain; "": none */
    Mode mode;        /* in force */
    bool is_switch;
    const char *wanted;
} rows[] = {
    {"", MODE_REWRITE, false, "rewrite noreply@lemniscus.de %n|%l|never"},
    {"ok.example", MODE_LOG_ONLY, false, "log-only noreply@lemniscus.de %n|%l|never"},
    {"tenant.example", MODE_LOG_ONLY, false, "rewrite own n@tenant.example %n via T|Praxis|add"},
    {"tenant.example", MODE_LOG_ONLY, true, "log-only own n@tenant.example %n via T|Praxis|add"},
    {"tenant.example", MODE_OFF, true, "off own n@tenant.example %n via T|Praxis|add"},
    {"a.tenant.example", MODE_REWRITE, true, "log-only own noreply@lemniscus.de %n|%l|never"},
    {"off.example", MODE_REWRITE, true, "off own noreply@lemniscus.de %n|%l|never"},
    {"yes.example", MODE_REWRITE, false, "rewrite noreply@lemniscus.de %n|%l|never yes"},
    {"no.example", MODE_REWRITE, false, "rewrite noreply@lemniscus.de %n|%l|never no"},
};

static void test_standing(void **state)
{
    static const char *const words[] = {"", " yes", " no"};
    const struct row *row = *state;
    g_autoptr(Settings) settings = settings_here();
    Standing standing =
        standing_of(settings, (ModeInForce){.mode = row->mode, .is_switch = row->is_switch},
                    row->name[0] != '\0' ? row->name : NULL);
    g_autofree char *text = g_strdup_printf(
        "%s%s %s %s|%s|%s%s", mode_text(standing.mode), standing.has_own_mode ? " own" : "",
        standing.fallback->addr_spec, standing.display_name, standing.display_name_missing,
        standing.add_reply_to ? "add" : "never", words[standing.authorised]);

    assert_string_equal(text, row->wanted);
}

int main(void)
{
    GArray *tests = table_new();

    mailboxes_init();
    TABLE_ADD(tests, rows, test_standing);
    table_add(tests, "a key for DKIM", test_dkim, NULL);
    TABLE_ADD(tests, outcome_rows, test_outcome);
    TABLE_ADD(tests, authorised_rows, test_authorised);
    return table_run(tests, "standing");
}
