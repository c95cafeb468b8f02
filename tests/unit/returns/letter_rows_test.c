#include "config.h"

#include "returns/letter_rows.h"

#include <glib/gstdio.h>
#include <string.h>
#include <sys/stat.h>

#include "base/clock.h"

#include "unit/folder.h"
#include "unit/table.h"

#define DAY (24 * 3600 * CLOCK_SECOND)
#define NOW (20000 * DAY)
#define DOMAIN "praxis.example"
#define ANNA "anna@praxis.example"
#define OTTO "otto@praxis.example"

static const struct Settings settings = {.letter_max = 2, .letter_repeat = 30 * 24 * 3600};

typedef struct {
    char *folder, *file;
    LetterRows *rows;
} Fixture;

static void fixture_clear(Fixture *fixture)
{
    g_clear_pointer(&fixture->rows, letter_rows_close);
    g_free(fixture->file);
    folder_remove(fixture->folder);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Fixture, fixture_clear)

static Fixture fixture_new(void)
{
    Fixture fixture = {.folder = g_dir_make_tmp("spfrom-XXXXXX", NULL)};
    g_autoptr(GError) error = NULL;

    fixture.file = g_build_filename(fixture.folder, LETTER_ROWS_NAME, NULL);
    fixture.rows = letter_rows_open(fixture.file, &error);
    assert_null(error);
    return fixture;
}

/* A letter that another run has noted. */
typedef struct {
    int days; /* ago; 0 ends a list */
    LetterKind kind;
    LetterState state;
    const char *address; /* NULL: ANNA */
    const char *domain;  /* NULL: DOMAIN */
    bool is_bounced;
} Past;

static LetterRow row_of(guint number, const Past *past)
{
    LetterRow row = {.domain = (char *)(uintptr_t)(past->domain != NULL ? past->domain : DOMAIN),
                     .address = (char *)(uintptr_t)(past->address != NULL ? past->address : ANNA),
                     .kind = past->kind,
                     .noted = NOW - past->days * DAY};

    g_snprintf(row.token, sizeof row.token, "aaaaaaaaaaaaaaa%c", (char)('a' + number));
    return row;
}

/* Notes what is due; it is an error of the test if it is not. */
static void note(const Fixture *fixture, guint number, const Past *past)
{
    LetterRow row = row_of(number, past);
    bool is_due = false;

    assert_true(letter_rows_note(fixture->rows, &settings, &row, &is_due, NULL));
    assert_true(is_due);
    if (past->state != LETTER_NOTED)
        assert_true(letter_rows_settle(fixture->rows, row.token, past->state, NULL));
    if (past->is_bounced)
        letter_rows_note_bounce(fixture->file, row.token, row.noted + DAY);
}

/* What was sent, and whether a letter of kind to ANNA about DOMAIN is due. */
static const struct row {
    const char *name;
    Past pasts[4];
    LetterKind kind;
    LetterTurn turn;
    guint sent;
    int last; /* days ago; 0: there is none */
} rows[] = {
    {"nobody was written to", {{0}}, LETTER_ASKS, LETTER_DUE, 0, 0},
    {"yesterday", {{.days = 1, .state = LETTER_SENT}}, LETTER_ASKS, LETTER_WAITS, 1, 1},
    {"a day before the time",
     {{.days = 29, .state = LETTER_SENT}},
     LETTER_ASKS,
     LETTER_WAITS,
     1,
     29},
    {"the time is over", {{.days = 30, .state = LETTER_SENT}}, LETTER_ASKS, LETTER_DUE, 1, 30},
    {"a run was killed: it may have left", {{.days = 1}}, LETTER_ASKS, LETTER_WAITS, 1, 1},
    {"refused by the MTA", {{.days = 1, .state = LETTER_FAILED}}, LETTER_ASKS, LETTER_DUE, 0, 0},
    {"as many as allowed",
     {{.days = 90, .state = LETTER_SENT}, {.days = 40, .state = LETTER_SENT}},
     LETTER_ASKS,
     LETTER_ENOUGH,
     2,
     40},
    {"as many as allowed, to several",
     {{.days = 90, .state = LETTER_SENT}, {.days = 40, .state = LETTER_SENT, .address = OTTO}},
     LETTER_ASKS,
     LETTER_ENOUGH,
     2,
     40},
    {"one of two was refused",
     {{.days = 90, .state = LETTER_SENT}, {.days = 40, .state = LETTER_FAILED}},
     LETTER_ASKS,
     LETTER_DUE,
     1,
     90},
    {"another domain's",
     {{.days = 1,
       .state = LETTER_SENT,
       .address = "anna@other.example",
       .domain = "other.example"}},
     LETTER_ASKS,
     LETTER_DUE,
     0,
     0},
    {"it came back",
     {{.days = 90, .state = LETTER_SENT, .is_bounced = true}},
     LETTER_ASKS,
     LETTER_BOUNCED,
     1,
     90},
    {"it came back, and was about another domain",
     {{.days = 90, .state = LETTER_SENT, .is_bounced = true, .domain = "other.example"}},
     LETTER_ASKS,
     LETTER_BOUNCED,
     0,
     0},
    {"it came back from an address that is written in another way",
     {{.days = 90, .state = LETTER_SENT, .is_bounced = true, .address = "Anna@praxis.example"}},
     LETTER_ASKS,
     LETTER_BOUNCED,
     1,
     90},
    {"another address's came back",
     {{.days = 90, .state = LETTER_SENT, .is_bounced = true, .address = OTTO}},
     LETTER_ASKS,
     LETTER_DUE,
     1,
     90},
    {"thanks without a letter before", {{0}}, LETTER_THANKS, LETTER_ENOUGH, 0, 0},
    {"thanks", {{.days = 1, .state = LETTER_SENT}}, LETTER_THANKS, LETTER_DUE, 1, 1},
    {"thanks to an address that bounces",
     {{.days = 90, .state = LETTER_SENT, .is_bounced = true}},
     LETTER_THANKS,
     LETTER_BOUNCED,
     1,
     90},
    {"thanks are sent once",
     {{.days = 90, .state = LETTER_SENT},
      {.days = 80, .kind = LETTER_THANKS, .state = LETTER_SENT}},
     LETTER_THANKS,
     LETTER_ENOUGH,
     0,
     80},
    {"it begins anew after thanks",
     {{.days = 120, .state = LETTER_SENT},
      {.days = 90, .state = LETTER_SENT},
      {.days = 60, .kind = LETTER_THANKS, .state = LETTER_SENT}},
     LETTER_ASKS,
     LETTER_DUE,
     0,
     60},
    {"not at once after thanks",
     {{.days = 60, .state = LETTER_SENT}, {.days = 2, .kind = LETTER_THANKS, .state = LETTER_SENT}},
     LETTER_ASKS,
     LETTER_WAITS,
     0,
     2},
    {"a provider's user", {{0}}, LETTER_PROVIDER, LETTER_DUE, 0, 0},
    {"a provider's user is told once",
     {{.days = 900, .kind = LETTER_PROVIDER, .state = LETTER_SENT}},
     LETTER_PROVIDER,
     LETTER_ENOUGH,
     0,
     0},
    {"a provider's user who writes himself in another way",
     {{.days = 900,
       .kind = LETTER_PROVIDER,
       .state = LETTER_SENT,
       .address = "Anna@praxis.example"}},
     LETTER_PROVIDER,
     LETTER_ENOUGH,
     0,
     0},
    {"another user of the provider",
     {{.days = 1, .kind = LETTER_PROVIDER, .state = LETTER_SENT, .address = OTTO}},
     LETTER_PROVIDER,
     LETTER_DUE,
     0,
     0},
};

static void test_turn(void **state)
{
    const struct row *row = *state;
    g_auto(Fixture) fixture = fixture_new();
    LetterStanding standing;

    for (guint i = 0; i < G_N_ELEMENTS(row->pasts) && row->pasts[i].days > 0; i++)
        note(&fixture, i, &row->pasts[i]);
    assert_true(letter_rows_standing(fixture.rows, &settings, DOMAIN, ANNA, row->kind, NOW,
                                     &standing, NULL));
    assert_int_equal(standing.turn, row->turn);
    assert_int_equal(standing.sent, row->sent);
    assert_int_equal(standing.last, row->last > 0 ? NOW - row->last * DAY : 0);
}

/* Two runs find that the same letter is due; what one has noted, the other one finds when it notes. */
static const struct race_row {
    const char *name;
    Past before, first, second;
    bool is_due; /* the second one */
} race_rows[] = {
    {"two runs: the same letter", {0}, {0}, {0}, false},
    {"two runs: two authors of a domain", {0}, {0}, {.address = OTTO}, false},
    {"two runs: thanks",
     {.days = 40, .state = LETTER_SENT},
     {.kind = LETTER_THANKS},
     {.kind = LETTER_THANKS},
     false},
    {"two runs: a provider's user",
     {0},
     {.kind = LETTER_PROVIDER},
     {.kind = LETTER_PROVIDER},
     false},
    {"two runs: two users of a provider",
     {0},
     {.kind = LETTER_PROVIDER},
     {.kind = LETTER_PROVIDER, .address = OTTO},
     true},
};

static void test_race(void **state)
{
    const struct race_row *row = *state;
    g_auto(Fixture) fixture = fixture_new();
    g_autoptr(LetterRows) other = letter_rows_open(fixture.file, NULL);
    LetterRow first = row_of(0, &row->first), second = row_of(1, &row->second);
    g_autoptr(GPtrArray) letters = NULL;
    guint before = row->before.days > 0;
    LetterStanding standing;
    bool is_due = false;

    if (before)
        note(&fixture, 2, &row->before);
    assert_true(letter_rows_standing(other, &settings, DOMAIN, second.address, second.kind, NOW,
                                     &standing, NULL));
    assert_int_equal(standing.turn, LETTER_DUE);
    assert_true(letter_rows_note(fixture.rows, &settings, &first, &is_due, NULL));
    assert_true(is_due);
    assert_true(letter_rows_note(other, &settings, &second, &is_due, NULL));
    assert_int_equal(is_due, row->is_due);
    letters = letter_rows_latest(other, 10, NULL);
    assert_int_equal(letters->len, before + 1 + row->is_due);
}

static void test_none(void **state G_GNUC_UNUSED)
{
    g_autofree char *folder = g_dir_make_tmp("spfrom-XXXXXX", NULL);
    g_autofree char *file = g_build_filename(folder, LETTER_ROWS_NAME, NULL);
    g_autoptr(GError) error = NULL;
    LetterStanding standing;

    assert_null(letter_rows_open_read_only(file, &error));
    assert_null(error);
    letter_rows_note_bounce(file, "aaaaaaaaaaaaaaaa", NOW);
    assert_false(g_file_test(file, G_FILE_TEST_EXISTS));
    assert_true(
        letter_rows_standing(NULL, &settings, DOMAIN, ANNA, LETTER_ASKS, NOW, &standing, NULL));
    assert_int_equal(standing.turn, LETTER_DUE);
    assert_true(
        letter_rows_standing(NULL, &settings, DOMAIN, ANNA, LETTER_THANKS, NOW, &standing, NULL));
    assert_int_equal(standing.turn, LETTER_ENOUGH);
    g_rmdir(folder);
}

static void test_file(void **state G_GNUC_UNUSED)
{
    g_auto(Fixture) fixture = fixture_new();
    g_autoptr(GError) error = NULL;
    struct stat status;

    assert_int_equal(stat(fixture.file, &status), 0);
    assert_int_equal(status.st_mode & 07777, 0640);
    g_clear_pointer(&fixture.rows, letter_rows_close);
    assert_true(
        g_file_set_contents(fixture.file, "no database, but a text that is long enough", -1, NULL));
    assert_null(letter_rows_open(fixture.file, &error));
    assert_non_null(strstr(error->message, LETTER_ROWS_NAME));
    g_clear_error(&error);
    assert_null(letter_rows_open_read_only(fixture.file, &error));
    assert_non_null(error);
}

/* The first bounce counts, and one for a token that is no letter's is nobody's. */
#define AT_ONCE 4
#define ROUNDS 30

static void *open_rows(void *file)
{
    g_autoptr(GError) error = NULL;
    LetterRows *opened = letter_rows_open(file, &error);

    g_clear_pointer(&opened, letter_rows_close);
    return error != NULL ? g_strdup(error->message) : NULL;
}

/* Several who begin at once, and there is no file yet. */
static void test_made_at_once(void **state G_GNUC_UNUSED)
{
    for (int round = 0; round < ROUNDS; round++) {
        char *folder = g_dir_make_tmp("spfrom-XXXXXX", NULL);
        g_autofree char *file = g_build_filename(folder, LETTER_ROWS_NAME, NULL);
        GThread *threads[AT_ONCE];

        for (int i = 0; i < AT_ONCE; i++)
            threads[i] = g_thread_new("rows", open_rows, file);
        for (int i = 0; i < AT_ONCE; i++) {
            g_autofree char *problem = g_thread_join(threads[i]);

            assert_string_equal(problem != NULL ? problem : "", "");
        }
        folder_remove(folder);
    }
}

static void test_bounce(void **state G_GNUC_UNUSED)
{
    g_auto(Fixture) fixture = fixture_new();
    g_autoptr(GPtrArray) letters = NULL;
    const LetterRow *letter;

    note(&fixture, 0, &(Past){.days = 9, .state = LETTER_SENT});
    letter_rows_note_bounce(fixture.file, "bbbbbbbbbbbbbbbb", NOW - 7 * DAY);
    letters = letter_rows_latest(fixture.rows, 10, NULL);
    letter = g_ptr_array_index(letters, 0);
    assert_int_equal(letter->bounced, 0);
    g_ptr_array_unref(letters);
    letter_rows_note_bounce(fixture.file, "aaaaaaaaaaaaaaaa", NOW - 6 * DAY);
    letter_rows_note_bounce(fixture.file, "aaaaaaaaaaaaaaaa", NOW - 5 * DAY);
    letters = letter_rows_latest(fixture.rows, 10, NULL);
    letter = g_ptr_array_index(letters, 0);
    assert_int_equal(letter->bounced, NOW - 6 * DAY);
    assert_string_equal(letter->domain, DOMAIN);
    assert_string_equal(letter->address, ANNA);
    assert_string_equal(letter->token, "aaaaaaaaaaaaaaaa");
    assert_int_equal(letter->state, LETTER_SENT);
}

static void test_lists(void **state G_GNUC_UNUSED)
{
    static const Past pasts[] = {
        {.days = 90, .state = LETTER_SENT},
        {.days = 40, .state = LETTER_SENT, .address = OTTO},
        {.days = 39, .kind = LETTER_PROVIDER, .state = LETTER_SENT, .domain = "mail.example"},
        {.days = 38, .state = LETTER_SENT, .domain = "done.example"},
        {.days = 37, .kind = LETTER_THANKS, .state = LETTER_SENT, .domain = "done.example"},
        {.days = 36, .state = LETTER_FAILED, .domain = "failed.example"},
    };
    g_auto(Fixture) fixture = fixture_new();
    g_autoptr(GPtrArray) asked = NULL;
    g_autoptr(GPtrArray) latest = NULL;

    for (guint i = 0; i < G_N_ELEMENTS(pasts); i++)
        note(&fixture, i, &pasts[i]);
    asked = letter_rows_asked(fixture.rows, NULL);
    assert_int_equal(asked->len, 1);
    assert_string_equal(((LetterRow *)g_ptr_array_index(asked, 0))->address, OTTO);
    latest = letter_rows_latest(fixture.rows, 2, NULL);
    assert_int_equal(latest->len, 2);
    assert_string_equal(((LetterRow *)g_ptr_array_index(latest, 0))->domain, "failed.example");
    assert_int_equal(((LetterRow *)g_ptr_array_index(latest, 1))->kind, LETTER_THANKS);
}

int main(void)
{
    GArray *tests = table_new();

    TABLE_ADD(tests, rows, test_turn);
    TABLE_ADD(tests, race_rows, test_race);
    table_add(tests, "no file", test_none, NULL);
    table_add(tests, "file", test_file, NULL);
    table_add(tests, "made at once", test_made_at_once, NULL);
    table_add(tests, "bounce", test_bounce, NULL);
    table_add(tests, "lists", test_lists, NULL);
    return table_run(tests, "letter_rows");
}
