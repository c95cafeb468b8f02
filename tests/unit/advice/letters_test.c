#include "config.h"

#include "advice/letters.h"

#include <glib/gstdio.h>
#include <string.h>

#include "base/clock.h"
#include "ledger/ledger_tally.h"
#include "mail/mailboxes.h"
#include "policy/settings_parse.h"

#include "unit/dns/memory_dns.h"
#include "unit/folder.h"
#include "unit/ledger/ledger_fixture.h"
#include "unit/table.h"

#define TODAY 20000

#define SIGNATURE_CONF "letter_signature = \"/nowhere/signature\"\n"

static const char *more_conf = ""; /* at the end of the configuration */
static const char *signature_conf = SIGNATURE_CONF;

static gboolean read_file(const char *file G_GNUC_UNUSED, char **text, gsize *length,
                          GError **error G_GNUC_UNUSED)
{
    *text = g_strconcat("fallback_address = \"Lemniscus <noreply@example.net>\"\n"
                        "letter_from = \"Office <office@example.net>\"\n"
                        "relay_hosts = 192.0.2.25\n"
                        "dkim_consent = { \"s1\" }\n"
                        "domain \"quiet.example\" { letters = no }\n"
                        "domain \"off.example\" { mode = off }\n"
                        "domain \"offdone.example\" { mode = off }\n"
                        "domain \"shown.example\" { mode = log-only }\n",
                        signature_conf, more_conf, NULL);
    *length = strlen(*text);
    return TRUE;
}

static const SettingsSource source = {read_file, "relay.example.net"};

/* Everything that letters are found in: today is TODAY, and it is noon. */
typedef struct {
    LedgerFixture *files;
    Settings *settings;
    Dns *dns;
    Lists *lists;
    Relays *relays;
    Letters letters;
} Scene;

static void scene_clear(Scene *scene)
{
    relays_free(scene->relays);
    lists_free(scene->lists);
    dns_free(scene->dns);
    settings_unref(scene->settings);
    g_clear_pointer(&scene->letters.rows, letter_rows_close);
    g_clear_pointer(&scene->letters.given, g_hash_table_unref);
    ledger_fixture_teardown((void **)&scene->files);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Scene, scene_clear)

static void scene_init(Scene *scene)
{
    g_autofree char *rows = NULL;

    memset(scene, 0, sizeof *scene);
    ledger_fixture_setup((void **)&scene->files);
    rows = g_build_filename(scene->files->folder, LETTER_ROWS_NAME, NULL);
    scene->settings = settings_parse("/spfrom.conf", &source, NULL);
    scene->dns = memory_dns_new();
    memory_dns_add(scene->dns, "new.example", DNS_A, "203.0.113.1");
    memory_dns_add(scene->dns, "quiet.example", DNS_A, "203.0.113.1");
    memory_dns_add(scene->dns, "off.example", DNS_A, "203.0.113.1");
    memory_dns_add(scene->dns, "offdone.example", DNS_TXT, "v=spf1 ip4:192.0.2.25 -all");
    memory_dns_add(scene->dns, "shown.example", DNS_A, "203.0.113.1");
    memory_dns_add(scene->dns, "mail.example", DNS_TXT, "v=spf1 -all");
    memory_dns_add(scene->dns, "done.example", DNS_TXT, "v=spf1 ip4:192.0.2.25 -all");
    memory_dns_add_timeouts(scene->dns, "dead.example");
    memory_dns_add_timeouts(scene->dns, "deadmail.example");
    memory_dns_add_timeout(scene->dns, "half.example", DNS_TXT);
    memory_dns_add(scene->dns, "half.example", DNS_A, "203.0.113.1");
    memory_dns_add(scene->dns, "s1._domainkey.key.example", DNS_TXT, "v=DKIM1; p=MFww");
    memory_dns_add(scene->dns, "nokey.example", DNS_A, "203.0.113.1");
    memory_dns_add(scene->dns, "s1._domainkey.example.net", DNS_TXT, "v=DKIM1; p=MFww");
    memory_dns_add_timeout(scene->dns, "s1._domainkey.nokey.example", DNS_TXT);
    scene->lists = lists_new();
    assert_true(
        lists_add(scene->lists, LISTS_PROVIDERS, "mail.example\ndeadmail.example", "list", NULL));
    scene->relays = relays_resolve(scene->settings, scene->dns, deadline_in(60), NULL);
    scene->letters = (Letters){.settings = scene->settings,
                               .mode = {.mode = scene->settings->mode},
                               .dns = scene->dns,
                               .lists = scene->lists,
                               .relays = scene->relays,
                               .rows = letter_rows_open(rows, NULL),
                               .now = ledger_fixture_time(TODAY, 0)};
    assert_non_null(scene->letters.rows);
}

static void note(Scene *scene, const char *domain, const char *address, LetterKind kind, int days)
{
    static guint number;
    LetterRow row = {.domain = (char *)(uintptr_t)domain,
                     .address = (char *)(uintptr_t)address,
                     .kind = kind,
                     .noted = ledger_fixture_time((guint32)(TODAY - days), 0)};
    bool is_due = false;

    g_snprintf(row.token, sizeof row.token, "aaaaaaaaaaaaaa%c%c", 'a' + (int)(number / 26 % 26),
               'a' + (int)(number % 26));
    number++;
    assert_true(letter_rows_note(scene->letters.rows, scene->settings, &row, &is_due, NULL));
    assert_true(is_due);
}

/* One letter, and what is said of it. days: ago, of a letter that asked; 0: nobody was asked. */
static const struct examined_row {
    const char *name;
    const char *domain, *address;
    bool is_rewritten;
    int days;
    LettersWhy why;
    LetterKind kind;
    guint number;
} examined_rows[] = {
    {"due", "new.example", "anna@new.example", true, 0, LETTERS_DUE, LETTER_ASKS, 1},
    {"due again", "new.example", "anna@new.example", true, 30, LETTERS_DUE, LETTER_ASKS, 2},
    {"it waits", "new.example", "anna@new.example", true, 29, LETTERS_WAITS, LETTER_ASKS, 2},
    {"nobody of a section's domain", "quiet.example", "anna@quiet.example", true, 0,
     LETTERS_OPTED_OUT, LETTER_ASKS, 0},
    {"nothing of a section's domain is rewritten", "off.example", "anna@off.example", true, 0,
     LETTERS_OFF, LETTER_ASKS, 0},
    {"nor is anybody thanked for it", "offdone.example", "anna@offdone.example", true, 40,
     LETTERS_OFF, LETTER_ASKS, 0},
    {"log-only is not off", "shown.example", "anna@shown.example", true, 0, LETTERS_DUE,
     LETTER_ASKS, 1},
    {"its mail was not rewritten", "new.example", "anna@new.example", false, 0, LETTERS_IDLE,
     LETTER_ASKS, 0},
    {"it is authorised", "done.example", "anna@done.example", true, 0, LETTERS_AUTHORISED,
     LETTER_ASKS, 0},
    {"it is authorised after a letter", "done.example", "otto@done.example", true, 1, LETTERS_DUE,
     LETTER_THANKS, 1},
    {"it is authorised after a letter, and not seen since", "done.example", NULL, false, 1,
     LETTERS_DUE, LETTER_THANKS, 1},
    {"no address", "new.example", NULL, true, 0, LETTERS_NO_ADDRESS, LETTER_ASKS, 0},
    {"no address that can be written to", "new.example", "a,b@new.example", true, 0,
     LETTERS_BAD_ADDRESS, LETTER_ASKS, 0},
    {"a provider's user", "mail.example", "anna@mail.example", true, 0, LETTERS_DUE,
     LETTER_PROVIDER, 1},
    {"DNS is dead", "dead.example", "anna@dead.example", true, 0, LETTERS_TROUBLE, LETTER_ASKS, 0},
    {"DNS is dead, and it was asked", "dead.example", "anna@dead.example", true, 40,
     LETTERS_TROUBLE, LETTER_ASKS, 0},
    {"its key is not known", "nokey.example", "anna@nokey.example", true, 0, LETTERS_TROUBLE,
     LETTER_ASKS, 0},
    {"a provider's user while DNS is dead", "deadmail.example", "anna@deadmail.example", true, 0,
     LETTERS_TROUBLE, LETTER_ASKS, 0},
    {"its key is ours", "key.example", "anna@key.example", true, 0, LETTERS_AUTHORISED, LETTER_ASKS,
     0},
    {"its record is not known", "half.example", "anna@half.example", true, 0, LETTERS_TROUBLE,
     LETTER_ASKS, 0},
};

static void test_examine(void **state)
{
    const struct examined_row *row = *state;
    g_auto(Scene) scene;
    g_autoptr(Letter) letter = g_new0(Letter, 1);
    g_autoptr(GError) error = NULL;

    scene_init(&scene);
    letter->domain = g_strdup(row->domain);
    letter->address = g_strdup(row->address);
    letter->is_rewritten = row->is_rewritten;
    if (row->days > 0) {
        letter->asked = g_strconcat("anna@", row->domain, NULL);
        note(&scene, row->domain, letter->asked, LETTER_ASKS, row->days);
    }
    assert_true(letters_examine(&scene.letters, letter, &error));
    assert_string_equal(letters_why_name(letter->why), letters_why_name(row->why));
    if (row->why != LETTERS_DUE && row->why != LETTERS_WAITS)
        return;
    assert_int_equal(letter->kind, row->kind);
    assert_int_equal(letter->number, row->number);
    if (row->kind == LETTER_THANKS) /* goes to who was asked */
        assert_string_equal(letter->address, "anna@done.example");
}

/* A result that rewrite_on leaves alone is nothing to give thanks for. */
static void test_no_thanks_without_a_pass(void **state)
{
    g_auto(Scene) scene;
    g_autoptr(Letter) letter = g_new0(Letter, 1);

    (void)state;
    more_conf = "rewrite_on = { fail }\n";
    scene_init(&scene);
    more_conf = "";
    letter->domain = g_strdup("new.example");
    letter->address = g_strdup("anna@new.example");
    letter->asked = g_strdup(letter->address);
    letter->is_rewritten = true;
    note(&scene, letter->domain, letter->asked, LETTER_ASKS, 40);
    assert_true(letters_examine(&scene.letters, letter, NULL));
    assert_string_equal(letters_why_name(letter->why), letters_why_name(LETTERS_AUTHORISED));
}

/* The mode of all, or the daemon's switch, says nothing of an owner. */
static void test_off_for_all(void **state G_GNUC_UNUSED)
{
    g_auto(Scene) scene;
    g_autoptr(Letter) letter = g_new0(Letter, 1);

    scene_init(&scene);
    scene.letters.mode = (ModeInForce){.mode = MODE_OFF, .is_switch = true};
    letter->domain = g_strdup("new.example");
    letter->address = g_strdup("anna@new.example");
    letter->is_rewritten = true;
    assert_true(letters_examine(&scene.letters, letter, NULL));
    assert_string_equal(letters_why_name(letter->why), letters_why_name(LETTERS_DUE));
}

/* Authors as return.db keeps them; the file is made anew. */
static ReturnRows *authors_new(const Scene *scene, const ReturnRow *authors, guint count)
{
    g_autofree char *file = g_build_filename(scene->files->folder, "return.db", NULL);
    g_autoptr(GPtrArray) written = g_ptr_array_new();
    ReturnRows *rows = return_rows_open(file, false, NULL);
    guint added;

    for (guint i = 0; i < count; i++)
        g_ptr_array_add(written, (gpointer)(uintptr_t)&authors[i]);
    assert_true(return_rows_write(rows, written, &added, NULL));
    return rows;
}

/* "domain address" of each letter, in their order. */
static char *texts_of(const GPtrArray *found)
{
    g_autoptr(GString) text = g_string_new(NULL);

    for (guint i = 0; i < found->len; i++) {
        const Letter *letter = g_ptr_array_index(found, i);

        g_string_append_printf(
            text, "%s %s%s%s\n", letter->domain, letter->address != NULL ? letter->address : "-",
            letter->is_rewritten ? "" : " not seen", letter->asked != NULL ? " asked" : "");
    }
    return g_string_free(g_steal_pointer(&text), FALSE);
}

static void see(Ledger *ledger, const char *domain, int days, MessageAction action,
                guint64 messages)
{
    ledger_fixture_write(ledger, domain, (guint32)(TODAY - days), SPF_NONE, action, messages, 0, 1);
}

static Ledger *ledger_of(const Scene *scene)
{
    g_autoptr(Ledger) ledger = ledger_open(scene->files->file, NULL);

    see(ledger, "new.example", 0, MESSAGE_ACTION_REWRITE, 5);
    see(ledger, "mail.example", 1, MESSAGE_ACTION_REWRITE, 4);
    see(ledger, "unknown.example", 29, MESSAGE_ACTION_REWRITE, 3);
    see(ledger, "kept.example", 0, MESSAGE_ACTION_KEEP, 9);
    see(ledger, "before.example", 31, MESSAGE_ACTION_REWRITE, 9);
    see(ledger, LEDGER_NO_DOMAIN, 0, MESSAGE_ACTION_REWRITE, 9);
    see(ledger, LEDGER_OTHER_DOMAINS, 0, MESSAGE_ACTION_REWRITE, 9);
    return ledger_open_read_only(scene->files->file, NULL);
}

static void test_find(void **state G_GNUC_UNUSED)
{
    static const ReturnRow rows[] = {
        {"aaaaaaaaaaaaaaaa", "zoe@new.example", TODAY - 1},
        {"aaaaaaaaaaaaaaab", "otto@new.example", TODAY - 1},
        {"aaaaaaaaaaaaaaac", "anna@new.example", TODAY - 2},
        {"aaaaaaaaaaaaaaad", "anna@mail.example", TODAY - 1},
        {"aaaaaaaaaaaaaaae", "otto@mail.example", TODAY - 20},
        {"aaaaaaaaaaaaaaaf", "old@mail.example", TODAY - 40},
        {"aaaaaaaaaaaaaaag", "no address", TODAY},
        {"aaaaaaaaaaaaaaah", "office@example.net", TODAY},
    };
    g_auto(Scene) scene;
    g_autoptr(Ledger) ledger = NULL;
    g_autoptr(ReturnRows) authors = NULL;
    g_autoptr(GPtrArray) found = NULL;
    g_autofree char *texts = NULL;

    scene_init(&scene);
    ledger = ledger_of(&scene);
    authors = authors_new(&scene, rows, G_N_ELEMENTS(rows));
    note(&scene, "new.example", "otto@new.example", LETTER_ASKS, 10);
    note(&scene, "before.example", "anna@before.example", LETTER_ASKS, 35);
    found = letters_find(&scene.letters, ledger, authors, NULL);
    texts = texts_of(found);
    assert_string_equal(texts, "new.example otto@new.example asked\n"
                               "mail.example anna@mail.example\n"
                               "mail.example otto@mail.example\n"
                               "unknown.example -\n"
                               "before.example anna@before.example not seen asked\n");
}

/* Addresses of a file go before those of authors, and make nobody a letter's reader who has no reason. */
static void test_find_given(void **state G_GNUC_UNUSED)
{
    static const char text[] =
        "unknown.example by@hand.example\nmail.example one@mail.example\n"
        "kept.example anna@kept.example\nstrange.example x@strange.example\n";
    g_auto(Scene) scene;
    g_autoptr(Ledger) ledger = NULL;
    g_autoptr(GPtrArray) found = NULL;
    g_autofree char *texts = NULL;

    scene_init(&scene);
    ledger = ledger_of(&scene);
    scene.letters.given = letters_parse_addresses(text, strlen(text), "file", NULL);
    found = letters_find(&scene.letters, ledger, NULL, NULL);
    texts = texts_of(found);
    assert_string_equal(texts, "new.example -\n"
                               "mail.example one@mail.example\n"
                               "unknown.example by@hand.example\n");
}

/* A file of addresses whose second line is text, and what is said of it; NULL: it is right. */
static const struct line_row {
    const char *name, *text, *error;
} line_rows[] = {
    {"right", "new.example anna@new.example", NULL},
    {"right, with blanks", " \tNEW.example \t anna@new.example \r", NULL},
    {"right, with a comment", "new.example anna@new.example#x # why",
     "file:2: no letter can be sent to this address: \"anna@new.example#x\""},
    {"comment", "# new.example", NULL},
    {"empty", "", NULL},
    {"one word", "new.example", "file:2: write it like praxis.example anna@praxis.example"},
    {"no address but a comment", "new.example # anna@new.example",
     "file:2: write it like praxis.example anna@praxis.example"},
    {"three words", "new.example anna@new.example x",
     "file:2: write it like praxis.example anna@praxis.example"},
    {"no domain", "new..example anna@new.example", "file:2: this is no domain: \"new..example\""},
    {"the other way round", "anna@new.example new.example",
     "file:2: this is no domain: \"anna@new.example\""},
    {"no address", "new.example anna", "file:2: no letter can be sent to this address: \"anna\""},
    {"two addresses", "new.example anna@new.example,eve@evil.example",
     "file:2: no letter can be sent to this address: \"anna@new.example,eve@evil.example\""},
    {"a terminal's words", "new\x1b[31m.example anna@new.example",
     "file:2: this is no domain: \"new[31m.example\""},
    {"not UTF-8", "new.example m\xfcller@new.example", "file:2: the line is not UTF-8"},
    {"twice", "First.example. anna@new.example",
     "file:2: this domain is there twice: \"first.example\""},
};

static void test_line(void **state)
{
    const struct line_row *row = *state;
    g_autofree char *text = g_strconcat("first.example a@first.example\n", row->text, "\n\n", NULL);
    g_autoptr(GError) error = NULL;
    g_autoptr(GHashTable) table = letters_parse_addresses(text, strlen(text), "file", &error);

    if (g_strcmp0(error != NULL ? error->message : NULL, row->error) != 0)
        fail_msg("%s", error != NULL ? error->message : "no error");
    if (row->error != NULL) {
        assert_null(table);
        return;
    }
    assert_string_equal(g_hash_table_lookup(table, "first.example"), "a@first.example");
    if (strchr(row->text, '@') != NULL)
        assert_string_equal(g_hash_table_lookup(table, "new.example"), "anna@new.example");
}

static void test_lines(void **state G_GNUC_UNUSED)
{
    static const char nul[] = "a.example x@a.example\nb.example x\0@b.example\n";
    g_autofree char *blank = g_strnfill(1000000, '\n');
    g_autofree char *long_word = g_strnfill(1000000, 'x');
    g_autoptr(GError) error = NULL;
    g_autoptr(GHashTable) table = letters_parse_addresses(blank, 1000000, "file", &error);

    assert_int_equal(g_hash_table_size(table), 0);
    assert_null(letters_parse_addresses(nul, sizeof nul - 1, "file", &error));
    assert_string_equal(error->message, "file:2: the line is not UTF-8");
    g_clear_error(&error);
    long_word[500] = ' ';
    assert_null(letters_parse_addresses(long_word, 1000000, "file", &error));
    assert_true(g_str_has_prefix(error->message, "file:1: ") && strlen(error->message) < 400);
    g_clear_error(&error);
    assert_null(letters_read_addresses("/nowhere/addresses", &error));
    assert_true(g_error_matches(error, LETTERS_ERROR, LETTERS_ERROR_FILE));
}

static const struct language_row {
    const char *name, *code;
} language_rows[] = {
    {"praxis.de", "de"},         {"praxis.at", "de"}, {"praxis.ch", "de"}, {"praxis.com", "en"},
    {"praxis.de.example", "en"}, {"de", "en"},        {"praxisde", "en"},
};

static void test_language(void **state)
{
    const struct language_row *row = *state;

    assert_string_equal(letters_language(row->name), row->code);
}

static void test_message(void **state G_GNUC_UNUSED)
{
    g_auto(Scene) scene;
    g_autoptr(Letter) letter = g_new0(Letter, 1);
    g_autoptr(Language) english = language_new("en", NULL);
    g_autofree char *message = NULL;
    g_autoptr(GError) error = NULL;

    scene_init(&scene);
    letter->domain = g_strdup("new.example");
    letter->address = g_strdup("anna@new.example");
    letter->is_rewritten = true;
    assert_true(letters_examine(&scene.letters, letter, NULL));
    message = letters_message(&scene.letters, letter, english, "Office\n", "aaaaaaaaaaaaaaaa");
    assert_non_null(strstr(message, "From: Office <office@example.net>\n"));
    assert_non_null(strstr(message, "To: anna@new.example\n"));
    assert_non_null(strstr(message, "Message-ID: <spfrom-letter.aaaaaaaaaaaaaaaa@example.net>\n"));
    assert_non_null(strstr(message, "v=spf1 ip4:192.0.2.25 ~all\n"));
    assert_true(g_str_has_suffix(message, "\n-- \nOffice\n"));
    assert_null(letters_signature(scene.settings, "de", &error));
    assert_non_null(strstr(error->message, "/nowhere/signature.de"));
}

/* A signature's file, and what of it stands below letters; NULL: the error ends with text. */
static const struct signature_row {
    const char *name, *octets, *signature, *error;
} signature_rows[] = {
    {"plain", "Office\n\tPhone 1\n", "Office\n\tPhone 1\n", NULL},
    {"no line's end", "B\xc3\xbcro", "B\xc3\xbcro", NULL},
    {"empty", "", "", NULL},
    {"of another system", "\xef\xbb\xbfOffice\r\nPhone 1\r\n", "Office\nPhone 1\n", NULL},
    {"a byte order mark alone", "\xef\xbb\xbf", "", NULL},
    {"a CR alone", "Office\rPhone", NULL, ".de:1: has the control character U+000D"},
    {"two CRs", "Office\r\r\n", NULL, ".de:1: has the control character U+000D"},
    {"a terminal's words", "Office\n\n\x1b[31mPhone\n", NULL,
     ".de:3: has the control character U+001B"},
    {"C1", "Office\n\xc2\x9b", NULL, ".de:2: has the control character U+009B"},
    {"DEL", "\x7f", NULL, ".de:1: has the control character U+007F"},
    {"not UTF-8", "B\xfcro\n", NULL, ".de: is longer than 8192 octets, or not UTF-8"},
};

/* Reads a signature whose file has these octets; NULL: it is a folder. */
static char *read_signature(const char *octets, gssize length, GError **error)
{
    char *folder = g_dir_make_tmp("spfrom-XXXXXX", NULL);
    g_autofree char *conf = g_strdup_printf("letter_signature = \"%s/signature\"\n", folder);
    g_autofree char *file = g_build_filename(folder, "signature.de", NULL);
    g_auto(Scene) scene;
    char *text;

    signature_conf = conf;
    scene_init(&scene);
    signature_conf = SIGNATURE_CONF;
    if (octets != NULL)
        assert_true(g_file_set_contents(file, octets, length, NULL));
    else
        assert_int_equal(g_mkdir(file, 0700), 0);
    text = letters_signature(scene.settings, "de", error);
    folder_remove(folder);
    return text;
}

static void test_signature(void **state)
{
    const struct signature_row *row = *state;
    g_autoptr(GError) error = NULL;
    g_autofree char *text = read_signature(row->octets, -1, &error);

    if (g_strcmp0(text, row->signature) != 0)
        fail_msg("%s", text != NULL ? text : error->message);
    if (text != NULL)
        return;
    assert_true(g_error_matches(error, LETTERS_ERROR, LETTERS_ERROR_FILE));
    if (!g_str_has_suffix(error->message, row->error))
        fail_msg("%s", error->message);
}

/* Files that can't be read, or are no texts. */
static void test_signature_files(void **state G_GNUC_UNUSED)
{
    g_autofree char *octets = g_strnfill(8193, 'x');
    g_autofree char *text = read_signature(octets, 8192, NULL);
    g_autoptr(GError) error = NULL;

    assert_int_equal(strlen(text), 8192);
    assert_null(read_signature(octets, 8193, NULL));
    assert_null(read_signature("Office\0hidden\n", 14, NULL));
    assert_null(read_signature(NULL, 0, &error));
    assert_non_null(strstr(error->message, "signature.de: Is a directory"));
}

/* A file that never ends is read as far as its bound. */
static void test_endless_addresses(void **state G_GNUC_UNUSED)
{
    g_autoptr(GError) error = NULL;

    assert_null(letters_read_addresses("/dev/zero", &error));
    assert_string_equal(error->message, "/dev/zero: is too long: it is no file of addresses");
}

int main(void)
{
    GArray *tests = table_new();

    mailboxes_init();
    TABLE_ADD(tests, examined_rows, test_examine);
    TABLE_ADD(tests, line_rows, test_line);
    TABLE_ADD(tests, language_rows, test_language);
    table_add(tests, "no thanks without a pass", test_no_thanks_without_a_pass, NULL);
    table_add(tests, "off for all", test_off_for_all, NULL);
    table_add(tests, "found", test_find, NULL);
    table_add(tests, "found, with a file of addresses", test_find_given, NULL);
    table_add(tests, "lines", test_lines, NULL);
    table_add(tests, "message", test_message, NULL);
    TABLE_ADD(tests, signature_rows, test_signature);
    table_add(tests, "files of signatures", test_signature_files, NULL);
    table_add(tests, "addresses without end", test_endless_addresses, NULL);
    return table_run(tests, "letters");
}
