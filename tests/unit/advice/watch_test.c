#include "config.h"

#include "advice/watch.h"

#include <string.h>

#include "base/clock.h"
#include "policy/settings_parse.h"
#include "spf/evaluation.h"
#include "unit/ledger/ledger_fixture.h"
#include "unit/table.h"

static gboolean read_file(const char *file G_GNUC_UNUSED, char **text, gsize *length,
                          GError **error G_GNUC_UNUSED)
{
    *text = g_strdup("fallback_address = \"Lemniscus <noreply@own.example>\"\n"
                     "relay_hosts = 192.0.2.25\n"
                     "dkim_consent = s1\n"
                     "mode = off\n"
                     "domain \"off.example\" { mode = off }\n"
                     "domain \"section.example\" { fallback_address = \"a@other.example\" }\n");
    *length = strlen(*text);
    return TRUE;
}

static const SettingsSource source = {read_file, "relay.own.example"};

#define OURS "own.example. TXT \"v=spf1 ip4:192.0.2.25 -all\"\n"
#define KEY "\"v=DKIM1; k=rsa; p=MIIBIjANBgkqhkiG9w0BAQEFAAOCAQ8A\"\n"
#define KEYS "s1._domainkey.own.example. TXT " KEY
#define A10 "aaaaaaaaaa"
#define A100 A10 A10 A10 A10 A10 A10 A10 A10 A10 A10
#define INCLUDES_8                                                                                 \
    "a:own.example a:own.example a:own.example a:own.example a:own.example a:own.example "         \
    "a:own.example a:own.example"

/* What is known of a domain, what DNS has now, and what is told of it; texts of NULL: nothing. */
static const struct row {
    const char *name;
    const char *domain; /* own.example is our own */
    bool is_known;
    struct {
        bool is_authorised;
        SpfResult result;
        const char *record, *mechanism;
        guint dangers;
        gint64 run;
        const char *include;
    } before;
    const char *zone; /* besides OURS */
    int kind;         /* -1: nothing changed, -2: trouble */
    const char *term;
    const char *english, *german;
} rows[] = {
    {"authorised",
     "a.example",
     true,
     {.result = SPF_FAIL, .record = "v=spf1 -all", .mechanism = "-all"},
     "a.example. TXT \"v=spf1 include:own.example -all\"\n",
     WATCH_AUTHORISED,
     "include:own.example",
     "a.example now authorises our relays.\n"
     "    Before: v=spf1 -all\n"
     "    Now: v=spf1 include:own.example -all\n"
     "    The term that authorises them: include:own.example\n"
     "    Nothing to do.\n",
     "a.example autorisiert jetzt unsere Server.\n"
     "    Vorher: v=spf1 -all\n"
     "    Jetzt: v=spf1 include:own.example -all\n"
     "    Die Angabe, die sie autorisiert: include:own.example\n"
     "    Es ist nichts zu tun.\n"},
    {"broken",
     "a.example",
     true,
     {.is_authorised = true,
      .result = SPF_PASS,
      .record = "v=spf1 include:own.example -all",
      .mechanism = "include:own.example"},
     "a.example. TXT \"v=spf1 ip4:203.0.113.1 -all\"\n",
     WATCH_BROKEN,
     "-all",
     "a.example no longer authorises our relays (fail).\n"
     "    Before: v=spf1 include:own.example -all\n"
     "    Now: v=spf1 ip4:203.0.113.1 -all\n"
     "    The term that did it: -all\n"
     "    The term that authorised them before: include:own.example\n"
     "    Ask the owner to publish this record:\n"
     "v=spf1 ip4:203.0.113.1 ip4:192.0.2.25 -all\n",
     "a.example autorisiert unsere Server nicht mehr (fail).\n"
     "    Vorher: v=spf1 include:own.example -all\n"
     "    Jetzt: v=spf1 ip4:203.0.113.1 -all\n"
     "    Die Angabe, an der es liegt: -all\n"
     "    Die Angabe, die sie vorher autorisierte: include:own.example\n"
     "    Bitten Sie den Inhaber, diesen Eintrag zu veröffentlichen:\n"
     "v=spf1 ip4:203.0.113.1 ip4:192.0.2.25 -all\n"},
    {"the record is gone",
     "xn--mller-kva.example",
     true,
     {.is_authorised = true},
     "xn--mller-kva.example. A 192.0.2.9\n",
     WATCH_BROKEN,
     NULL,
     "müller.example no longer authorises our relays (none).\n"
     "    Now: no SPF record\n"
     "    Ask the owner to publish this record:\n"
     "v=spf1 ip4:192.0.2.25 ~all\n",
     "müller.example autorisiert unsere Server nicht mehr (none).\n"
     "    Jetzt: kein SPF-Eintrag\n"
     "    Bitten Sie den Inhaber, diesen Eintrag zu veröffentlichen:\n"
     "v=spf1 ip4:192.0.2.25 ~all\n"},
    {"two records",
     "a.example",
     true,
     {.is_authorised = true},
     "a.example. TXT \"v=spf1 ip4:192.0.2.25 -all\"\na.example. TXT \"v=spf1 -all\"\n",
     WATCH_BROKEN,
     NULL,
     "a.example no longer authorises our relays (permerror).\n"
     "    Now: several SPF records\n"
     "    Ask the owner to publish this record:\n"
     "v=spf1 ip4:192.0.2.25 -all\n",
     "a.example autorisiert unsere Server nicht mehr (permerror).\n"
     "    Jetzt: mehrere SPF-Einträge\n"
     "    Bitten Sie den Inhaber, diesen Eintrag zu veröffentlichen:\n"
     "v=spf1 ip4:192.0.2.25 -all\n"},
    {"a hostile record",
     "a.example",
     true,
     {.is_authorised = true},
     "a.example. TXT \"v=spf1 \\027[2J\\010ip4:192.0.2.25 \\226\\128\\174x -all\"\n",
     WATCH_BROKEN,
     "?[2J?ip4:192.0.2.25",
     "a.example no longer authorises our relays (permerror).\n"
     "    Now: v=spf1 \\x1b[2J\\x0aip4:192.0.2.25 \\xe2\\x80\\xaex -all\n"
     "    The term that did it: ?[2J?ip4:192.0.2.25\n"
     "    Ask the owner to publish this record:\n"
     "v=spf1 ip4:192.0.2.25 -all\n",
     NULL},
    {"our own breaks",
     "own.example",
     false,
     {0},
     "own.example. TXT \"v=spf1 -all\"\n",
     WATCH_OWN,
     NULL,
     "own.example, the domain of a fallback or return address, does not authorise\n"
     "  our relays (permerror): rewritten mail fails, too.\n"
     "    Now: several SPF records\n"
     "    Publish this record:\n"
     "v=spf1 ip4:192.0.2.25 -all\n",
     "own.example, die Domain einer Ersatz- oder Rückadresse, autorisiert unsere\n"
     "  Server nicht (permerror): Auch umgeschriebene E-Mails fallen durch.\n"
     "    Jetzt: mehrere SPF-Einträge\n"
     "    Veröffentlichen Sie diesen Eintrag:\n"
     "v=spf1 ip4:192.0.2.25 -all\n"},
    {"our own is right again",
     "own.example",
     true,
     {.result = SPF_NONE},
     "",
     WATCH_OWN,
     "ip4:192.0.2.25",
     "own.example, the domain of a fallback or return address, authorises our\n"
     "  relays again.\n"
     "    Now: v=spf1 ip4:192.0.2.25 -all\n"
     "    The term that authorises them: ip4:192.0.2.25\n"
     "    Nothing to do.\n",
     "own.example, die Domain einer Ersatz- oder Rückadresse, autorisiert unsere\n"
     "  Server wieder.\n"
     "    Jetzt: v=spf1 ip4:192.0.2.25 -all\n"
     "    Die Angabe, die sie autorisiert: ip4:192.0.2.25\n"
     "    Es ist nichts zu tun.\n"},
    {"our own was never in doubt", "own.example", false, {0}, "", -1, NULL, NULL, NULL},
    {"an include that is gone",
     "a.example",
     true,
     {.is_authorised = true},
     "a.example. TXT \"v=spf1 include:own.example include:gone.example -all\"\n",
     WATCH_ENDANGERED,
     "include:gone.example",
     "The record of a.example has include:gone.example, which leads to no valid\n"
     "  record any more.\n"
     "    Ask the owner to remove or correct include:gone.example.\n",
     "Im Eintrag von a.example steht include:gone.example, was zu keinem gültigen\n"
     "  Eintrag mehr führt.\n"
     "    Bitten Sie den Inhaber, include:gone.example zu entfernen oder zu\n"
     "      berichtigen.\n"},
    {"nine look-ups",
     "a.example",
     true,
     {.is_authorised = true},
     "own.example. A 192.0.2.9\n"
     "a.example. TXT \"v=spf1 ip4:192.0.2.25 include:own.example " INCLUDES_8 " -all\"\n",
     WATCH_ENDANGERED,
     NULL,
     "The record of a.example needs 9 DNS look-ups; SPF allows 10.\n"
     "    Ask the owner to reduce the look-ups: \"spfrom advise a.example\".\n",
     "Der Eintrag von a.example braucht 9 DNS-Abfragen; SPF erlaubt 10.\n"
     "    Bitten Sie den Inhaber, die Abfragen zu verringern: „spfrom advise\n"
     "      a.example“.\n"},
    {"eight look-ups",
     "a.example",
     true,
     {.is_authorised = true},
     "own.example. A 192.0.2.9\n"
     "a.example. TXT \"v=spf1 ip4:192.0.2.25 " INCLUDES_8 " -all\"\n",
     -1,
     NULL,
     NULL,
     NULL},
    {"450 octets",
     "a.example",
     true,
     {.is_authorised = true},
     "a.example. TXT \"v=spf1 ip4:192.0.2.25 x=" A100 A100 "\" \"" A100 A100 A10 A10 "a -all\"\n",
     WATCH_ENDANGERED,
     NULL,
     "The record of a.example has 450 octets; more than 450 may not reach\n"
     "  everybody.\n"
     "    Ask the owner to shorten the record.\n",
     "Der Eintrag von a.example hat 450 Oktette; mehr als 450 kommen womöglich\n"
     "  nicht bei allen an.\n"
     "    Bitten Sie den Inhaber, den Eintrag zu kürzen.\n"},
    {"a danger that is known",
     "a.example",
     true,
     {.is_authorised = true, .dangers = WATCH_DANGER_INCLUDE},
     "a.example. TXT \"v=spf1 include:own.example include:gone.example -all\"\n",
     -1,
     NULL,
     NULL,
     NULL},
    {"another broken include in the place of the one that is known",
     "a.example",
     true,
     {.is_authorised = true, .dangers = WATCH_DANGER_INCLUDE, .include = "include:gone.example"},
     "a.example. TXT \"v=spf1 include:own.example include:away.example -all\"\n",
     WATCH_ENDANGERED,
     "include:away.example",
     NULL,
     NULL},
    {"another broken include behind the one that is known",
     "a.example",
     true,
     {.is_authorised = true, .dangers = WATCH_DANGER_INCLUDE, .include = "include:gone.example"},
     "a.example. TXT \"v=spf1 include:own.example include:gone.example include:away.example"
     " include:away.example -all\"\n",
     WATCH_ENDANGERED,
     "include:away.example",
     NULL,
     NULL},
    {"one of two broken includes is mended",
     "a.example",
     true,
     {.is_authorised = true,
      .dangers = WATCH_DANGER_INCLUDE,
      .include = "include:gone.example include:away.example"},
     "a.example. TXT \"v=spf1 include:own.example include:away.example -all\"\n",
     -1,
     NULL,
     NULL,
     NULL},
    {"nothing was known",
     "a.example",
     false,
     {0},
     "a.example. TXT \"v=spf1 -all\"\n",
     -1,
     NULL,
     NULL,
     NULL},
    {"still not",
     "a.example",
     true,
     {.result = SPF_FAIL},
     "a.example. TXT \"v=spf1 ?all\"\n",
     -1,
     NULL,
     NULL,
     NULL},
    {"DKIM as consent",
     "a.example",
     true,
     {.result = SPF_NONE, .run = 1},
     KEYS "s1._domainkey.a.example. TXT " KEY,
     WATCH_AUTHORISED,
     "dkim=s1",
     "a.example now authorises our relays.\n"
     "    Now: no SPF record\n"
     "    The term that authorises them: dkim=s1\n"
     "    Nothing to do.\n",
     NULL},
    {"DKIM as consent since the ledger's last result",
     "a.example",
     true,
     {.result = SPF_NONE},
     KEYS "s1._domainkey.a.example. TXT " KEY,
     WATCH_AUTHORISED,
     "dkim=s1",
     "a.example now authorises our relays.\n"
     "    Now: no SPF record\n"
     "    The term that authorises them: dkim=s1\n"
     "    Nothing to do.\n",
     NULL},
    {"the alias for our key is gone",
     "a.example",
     true,
     {.is_authorised = true, .result = SPF_NONE, .mechanism = "dkim=s1"},
     KEYS "a.example. A 192.0.2.9\n",
     WATCH_BROKEN,
     NULL,
     "a.example no longer authorises our relays (none).\n"
     "    Now: no SPF record\n"
     "    The term that authorised them before: dkim=s1\n"
     "    Ask the owner to publish this record:\n"
     "s1._domainkey.a.example. CNAME s1._domainkey.own.example.\n",
     "a.example autorisiert unsere Server nicht mehr (none).\n"
     "    Jetzt: kein SPF-Eintrag\n"
     "    Die Angabe, die sie vorher autorisierte: dkim=s1\n"
     "    Bitten Sie den Inhaber, diesen Eintrag zu veröffentlichen:\n"
     "s1._domainkey.a.example. CNAME s1._domainkey.own.example.\n"},
    {"our key is gone, and the alias would not help",
     "a.example",
     true,
     {.is_authorised = true, .result = SPF_NONE, .mechanism = "dkim=s1"},
     "a.example. A 192.0.2.9\n",
     WATCH_BROKEN,
     NULL,
     "a.example no longer authorises our relays (none).\n"
     "    Now: no SPF record\n"
     "    The term that authorised them before: dkim=s1\n"
     "    Ask the owner to publish this record:\n"
     "v=spf1 ip4:192.0.2.25 ~all\n",
     NULL},
    {"the owner revoked our key",
     "a.example",
     true,
     {.is_authorised = true, .result = SPF_NONE, .mechanism = "dkim=s1"},
     KEYS "s1._domainkey.a.example. TXT \"v=DKIM1; p=\"\n",
     WATCH_BROKEN,
     NULL,
     "a.example no longer authorises our relays (none).\n"
     "    Now: no SPF record\n"
     "    The term that authorised them before: dkim=s1\n"
     "    Ask the owner to publish this record:\n"
     "v=spf1 ip4:192.0.2.25 ~all\n",
     NULL},
    {"DNS trouble",
     "a.example",
     true,
     {.is_authorised = true},
     "a.example. TROUBLE \"no answer\"\n",
     -2,
     NULL,
     NULL,
     NULL},
    {"DNS trouble at the key",
     "a.example",
     true,
     {.is_authorised = true},
     KEYS "s1._domainkey.a.example. TROUBLE \"no answer\"\n",
     -2,
     NULL,
     NULL,
     NULL},
    {"DNS trouble at an include",
     "a.example",
     true,
     {.is_authorised = true},
     "gone.example. TROUBLE \"no answer\"\n"
     "a.example. TXT \"v=spf1 include:own.example include:gone.example -all\"\n",
     -1,
     NULL,
     NULL,
     NULL},
};

/* What looking needs. */
typedef struct {
    Settings *settings;
    Dns *dns;
    Lists *lists;
    Relays *relays;
    Watch watch;
} Ground;

static void ground_init(Ground *ground, const char *more)
{
    g_autoptr(GError) error = NULL;
    g_autofree char *zone = g_strconcat(OURS, more, NULL);

    ground->settings = settings_parse("/spfrom.conf", &source, &error);
    assert_null(error);
    ground->dns = dns_zone_file_new(zone, "zone", &error);
    assert_null(error);
    ground->lists = lists_new();
    assert_true(lists_add(ground->lists, LISTS_PROVIDERS, "mail.example", "list", NULL));
    ground->relays = relays_resolve(ground->settings, ground->dns, deadline_in(60), &error);
    assert_null(error);
    ground->watch = (Watch){.settings = ground->settings,
                            .mode = {.mode = MODE_OFF},
                            .dns = ground->dns,
                            .lists = ground->lists,
                            .relays = ground->relays,
                            .now = 1796000000 * CLOCK_SECOND};
}

static void ground_clear(Ground *ground)
{
    relays_free(ground->relays);
    lists_free(ground->lists);
    dns_free(ground->dns);
    settings_unref(ground->settings);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Ground, ground_clear)

static void check_text(const char *got, const char *wanted)
{
    if (g_strcmp0(got, wanted) != 0)
        fail_msg("got:\n%s\nwanted:\n%s", got != NULL ? got : "nothing",
                 wanted != NULL ? wanted : "nothing");
}

static void check_digest(const char *code, const GPtrArray *changes, const char *wanted)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(Language) language = language_new(code, &error);
    g_autofree char *digest = NULL;

    assert_null(error);
    digest = watch_digest(language, changes, G_MAXSIZE);
    if (wanted != NULL)
        check_text(digest, wanted);
}

static void test_look(void **state)
{
    const struct row *row = *state;
    g_auto(Ground) ground;
    g_autoptr(WatchSubject) subject = g_new0(WatchSubject, 1);
    const WatchChange *change;

    ground_init(&ground, row->zone);
    subject->domain = g_strdup(row->domain);
    subject->is_own = g_str_equal(row->domain, "own.example");
    subject->is_known = row->is_known;
    subject->before = (WatchState){.is_authorised = row->before.is_authorised,
                                   .result = row->before.result,
                                   .record = g_strdup(row->before.record),
                                   .mechanism = g_strdup(row->before.mechanism),
                                   .dangers = row->before.dangers,
                                   .include = g_strdup(row->before.include),
                                   .run = row->before.run};
    watch_look(&ground.watch, subject);
    if (row->kind != -2)
        check_text(subject->trouble, NULL);
    else
        assert_non_null(subject->trouble);
    assert_int_equal(subject->changes->len, row->kind >= 0);
    if (row->kind < 0)
        return;
    change = g_ptr_array_index(subject->changes, 0);
    check_text(watch_kind_text(change->kind), watch_kind_text((WatchKind)row->kind));
    check_text(change->term, row->term);
    check_digest("en", subject->changes, row->english);
    check_digest("de", subject->changes, row->german);
}

static WatchChange *add_untold(GPtrArray *untold, WatchKind kind, gint64 id)
{
    WatchChange *change = g_new0(WatchChange, 1);

    change->id = change->found = id;
    change->kind = kind;
    change->is_authorised = kind != WATCH_BROKEN;
    g_ptr_array_add(untold, change);
    return change;
}

/* Compared is what was told last, and what is found again keeps its day. */
static void test_untold(void **state G_GNUC_UNUSED)
{
    g_auto(Ground) ground;
    g_autoptr(WatchSubject) subject = g_new0(WatchSubject, 1);
    GPtrArray *untold = watch_changes_new();
    WatchChange *change;

    ground_init(&ground, "a.example. TXT \"v=spf1 include:own.example include:gone.example"
                         " include:away.example -all\"\n");
    subject->domain = g_strdup("a.example");
    subject->is_known = true;
    subject->before =
        (WatchState){.is_authorised = true,
                     .dangers = WATCH_DANGER_INCLUDE | WATCH_DANGER_LOOKUPS,
                     .include = g_strdup("include:gone.example include:away.example")};
    change = add_untold(untold, WATCH_ENDANGERED, 1);
    change->danger = WATCH_DANGER_INCLUDE;
    change->term = g_strdup("include:gone.example");
    add_untold(untold, WATCH_ENDANGERED, 2)->danger = WATCH_DANGER_LOOKUPS;
    add_untold(untold, WATCH_AUTHORISED, 4);
    change = add_untold(untold, WATCH_BROKEN, 3);
    change->before = g_strdup("v=spf1 ip4:192.0.2.25");
    change->passed = g_strdup("ip4:192.0.2.25");
    watch_take_untold(subject, untold);
    assert_true(subject->before.is_authorised);
    check_text(subject->before.record, "v=spf1 ip4:192.0.2.25");
    check_text(subject->before.mechanism, "ip4:192.0.2.25");
    check_text(subject->before.include, "include:away.example");
    assert_int_equal(subject->before.dangers, WATCH_DANGER_INCLUDE);
    watch_look(&ground.watch, subject);
    assert_int_equal(subject->changes->len, 1);
    change = g_ptr_array_index(subject->changes, 0);
    check_text(change->term, "include:gone.example");
    assert_int_equal(change->found, 1);
}

/* The record that is to be published, which people copy, stands whole in its own line. */
static void test_long_record(void **state G_GNUC_UNUSED)
{
    g_autoptr(GPtrArray) changes = watch_changes_new();
    WatchChange *change = g_new0(WatchChange, 1);
    g_autofree char *digest = NULL;
    g_autofree char *next = NULL;

    change->domain = g_strdup("a.example");
    change->kind = WATCH_BROKEN;
    change->result = SPF_SOFTFAIL;
    change->before = g_strdup("v=spf1 x=" A100 " " A100 " ~all");
    change->advised = g_strdup("v=spf1 ip4:192.0.2.25 x=" A100 " " A100 " ~all");
    g_ptr_array_add(changes, change);
    digest = watch_digest(NULL, changes, G_MAXSIZE);
    assert_non_null(strstr(digest, "\n    Before: v=spf1 x=" A100 " " A100 " ~all\n"));
    assert_non_null(strstr(digest, "\nv=spf1 ip4:192.0.2.25 x=" A100 " " A100 " ~all\n"));
    next = watch_next(NULL, change);
    check_text(next, "Ask the owner to publish this record: v=spf1 ip4:192.0.2.25 x=" A100 " " A100
                     " ~all");
}

/* When all domains change at once, the mail has those that matter most, which come first. */
static void test_digest_is_bounded(void **state G_GNUC_UNUSED)
{
    g_autoptr(GPtrArray) changes = watch_changes_new();
    g_autofree char *digest = NULL;
    g_autofree char *left = NULL;
    g_auto(GStrv) shown = NULL;

    for (guint i = 0; i < 1000; i++) {
        WatchChange *change = g_new0(WatchChange, 1);

        change->domain = g_strdup_printf("d%u.example", i);
        change->kind = WATCH_AUTHORISED;
        change->is_authorised = true;
        change->result = SPF_PASS;
        change->after = g_strdup("v=spf1 x=" A100);
        g_ptr_array_add(changes, change);
    }
    digest = watch_digest(NULL, changes, 1000);
    assert_true(strlen(digest) < 1500);
    assert_non_null(strstr(digest, "d0.example now"));
    shown = g_strsplit(digest, " now authorises our relays.\n", -1);
    left = g_strdup_printf("\n\n%u more are not in this mail; ", 1000 - (g_strv_length(shown) - 1));
    assert_true(g_strv_length(shown) > 2);
    assert_non_null(strstr(digest, left));
}

/* What the ledger has seen: domain, result, and what watch_find() makes of it. */
static const struct {
    const char *name;
    guint result;
    bool is_found, is_own, is_known, is_authorised;
} seen[] = {
    {"own.example", SPF_PASS, true, true, false, false},
    {"other.example", SPF_FAIL, true, true, false, false}, /* the fallback of a section */
    {"pass.example", SPF_PASS, true, false, true, true},
    {"fail.example", SPF_FAIL, true, false, true, false},
    {"trouble.example", SPF_TEMPERROR, true, false, false, false},
    {"unchecked.example", LEDGER_UNCHECKED, true, false, false, false},
    {"section.example", SPF_NONE, true, false, true, false},
    {"off.example", SPF_FAIL, false, false, false, false},
    {"mail.example", SPF_FAIL, false, false, false, false}, /* a provider's */
    {"evil\nBcc: eve@evil.example", SPF_FAIL, false, false, false, false},
    {LEDGER_NO_DOMAIN, LEDGER_UNCHECKED, false, false, false, false},
    {LEDGER_OTHER_DOMAINS, SPF_FAIL, false, false, false, false},
};

static const WatchSubject *subject_of(const GPtrArray *subjects, const char *name)
{
    for (guint i = 0; i < subjects->len; i++) {
        const WatchSubject *subject = g_ptr_array_index(subjects, i);

        if (g_str_equal(subject->domain, name))
            return subject;
    }
    return NULL;
}

static void test_find(void **state)
{
    const LedgerFixture *files = *state;
    g_autoptr(GError) error = NULL;
    g_autoptr(Ledger) ledger = ledger_open(files->file, &error);
    g_autoptr(GPtrArray) subjects = NULL;
    guint32 today;
    guint found = 0;
    g_auto(Ground) ground;

    assert_null(error);
    ground_init(&ground, "");
    today = ledger_day_of(ground.watch.now);
    for (size_t i = 0; i < G_N_ELEMENTS(seen); i++)
        ledger_fixture_write(ledger, seen[i].name, today, seen[i].result, MESSAGE_ACTION_KEEP, 1, 0,
                             0);
    ledger_fixture_write(ledger, "old.example", today - 30, SPF_FAIL, MESSAGE_ACTION_KEEP, 1, 0, 0);
    subjects = watch_find(&ground.watch, ledger, 30, &error);
    assert_null(error);
    assert_true(((WatchSubject *)g_ptr_array_index(subjects, 0))->is_own);
    for (size_t i = 0; i < G_N_ELEMENTS(seen); i++) {
        const WatchSubject *subject = subject_of(subjects, seen[i].name);

        if ((subject != NULL) != seen[i].is_found)
            fail_msg("\"%s\": found: %d", seen[i].name, subject != NULL);
        if (subject == NULL)
            continue;
        found++;
        if (subject->is_own != seen[i].is_own || subject->is_known != seen[i].is_known ||
            subject->before.is_authorised != seen[i].is_authorised)
            fail_msg("%s: own %d, known %d, authorised %d", subject->domain, subject->is_own,
                     subject->is_known, subject->before.is_authorised);
    }
    assert_int_equal(subjects->len, found);
    subjects = (g_ptr_array_unref(subjects), watch_find(&ground.watch, ledger, 31, &error));
    assert_non_null(subject_of(subjects, "old.example"));
}

int main(void)
{
    const struct CMUnitTest find_test = {
        .name = g_strdup("the domains of the ledger that are looked at"),
        .test_func = test_find,
        .setup_func = ledger_fixture_setup,
        .teardown_func = ledger_fixture_teardown,
    };
    GArray *tests = table_new();

    if (!evaluation_init(NULL))
        return 1;
    TABLE_ADD(tests, rows, test_look);
    table_add(tests, "what was found and not told", test_untold, NULL);
    table_add(tests, "a record in its own line", test_long_record, NULL);
    table_add(tests, "a digest is bounded", test_digest_is_bounded, NULL);
    g_array_append_val(tests, find_test);
    return table_run(tests, "watch_test");
}
