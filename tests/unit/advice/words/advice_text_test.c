#include "config.h"

#include "advice/words/advice_text.h"

#include <string.h>

#include "unit/advice/words/written_advice.h"

#define HOSTILE "x\nEVIL: 1\r\nEVIL \x1b[31m\xe2\x80\xae\xff {domain}"

static const AdvicePiece *piece_at(GPtrArray *pieces, guint position)
{
    return g_ptr_array_index(pieces, position);
}

/* Is it a sentence of ours, and not a record, a term of one, or what has to be entered? */
static bool is_ours(const AdvicePiece *piece)
{
    return piece->kind != ADVICE_PIECE_RECORD && piece->kind != ADVICE_PIECE_QUOTE &&
           strchr(piece->text, ' ') != NULL;
}

/* Every piece in German differs from the English one, and has no English words left. */
static void compare(GPtrArray *english, GPtrArray *german)
{
    assert_int_equal(english->len, german->len);
    for (guint i = 0; i < english->len; i++) {
        const AdvicePiece *one = piece_at(english, i);
        const AdvicePiece *other = piece_at(german, i);
        g_autofree char *padded = g_strconcat(" ", other->text, " ", NULL);

        assert_int_equal(one->kind, other->kind);
        assert_true(*one->text != '\0');
        if (!is_ours(one))
            assert_string_equal(one->text, other->text);
        else if (strcmp(one->text, other->text) == 0)
            fail_msg("not translated: %s", one->text);
        for (const char *const *word =
                 (const char *const[]){" the ", " is ", " and ", " to ", NULL};
             is_ours(other) && *word != NULL; word++)
            if (strstr(padded, *word) != NULL)
                fail_msg("English words in German: %s", other->text);
    }
}

static void check_both(const Advice *advice)
{
    g_autoptr(Language) english = written_language("en");
    g_autoptr(Language) german = written_language("de");
    g_autoptr(GPtrArray) english_pieces = advice_text_pieces(english, advice);
    g_autoptr(GPtrArray) german_pieces = advice_text_pieces(german, advice);
    g_autofree char *english_text = advice_text(english, advice);
    g_autofree char *german_text = advice_text(german, advice);

    assert_int_equal(piece_at(english_pieces, 0)->kind, ADVICE_PIECE_SUMMARY);
    compare(english_pieces, german_pieces);
    check_page(english_text, advice->record);
    check_page(german_text, advice->record);
    if (advice->record == NULL || advice->kind == ADVICE_OK)
        return;
    assert_int_equal(count_lines(english_text, advice->record), 1);
    assert_int_equal(count_lines(german_text, advice->record), 1);
}

static void test_kinds(void **state)
{
    (void)state;
    for (AdviceKind kind = 0; kind < ADVICE_KINDS; kind++) {
        g_autoptr(Advice) advice = written_advice_usual(kind);

        check_both(advice);
        written_advice_forget(advice);
        check_both(advice);
    }
}

/* Every point says something, but for the one that the kind has said. */
static void test_points(void **state)
{
    (void)state;
    for (PointKind kind = 0; kind < POINT_KINDS; kind++) {
        g_autoptr(Advice) without = written_advice_usual(ADVICE_REPAIR);
        g_autoptr(Advice) with = written_advice_usual(ADVICE_REPAIR);
        g_autoptr(Language) english = written_language("en");
        g_autofree char *before = advice_text(english, without);
        g_autofree char *after = NULL;

        written_advice_add(with, kind, "include:old.example", "include:new.example");
        after = advice_text(english, with);
        if (kind != POINT_SEVERAL)
            assert_true(strlen(after) > strlen(before) + 20);
        check_both(with);
        written_advice_add(with, kind, NULL, "");
        g_free(after);
        after = advice_text(english, with);
        check_page(after, with->record);
    }
}

/* Text of strangers stays within its line, and is not read as a placeholder. */
static void test_hostile(void **state)
{
    g_autoptr(Language) german = written_language("de");

    (void)state;
    for (PointKind kind = 0; kind < POINT_KINDS; kind++) {
        g_autoptr(Advice) advice = written_advice(ADVICE_EXTEND, "praxis-mueller.de",
                                                  "v=spf1 mx include:amazonses.com -all", NULL);
        g_autofree char *text = NULL;
        g_autofree char *shown = NULL;

        g_strfreev(advice->found);
        advice->found = g_strsplit(HOSTILE, "|", -1);
        written_advice_add(advice, kind, HOSTILE, HOSTILE);
        text = advice_text(german, advice);
        shown = g_strdelimit(g_strdup(text), "{}", '_'); /* the stranger's braces stay */
        check_page(shown, advice->record);
        assert_int_equal(count_lines(text, "v=spf1 mx include:amazonses.com -all"), 1);
        assert_non_null(strstr(text, "x\\x0aEVIL: 1\\x0d\\x0aEVIL \\x1b[31m\\xe2\\x80\\xae\\xff"));
    }
}

static void test_long_texts(void **state)
{
    g_autofree char *term = g_strnfill(5000, 'a');
    g_autofree char *record = g_strconcat("v=spf1 a:", term, " ~all", NULL);
    g_autoptr(Advice) advice =
        written_advice(ADVICE_EXTEND, "praxis-mueller.de", record, "v=spf1 ~all");

    (void)state;
    written_advice_add(advice, POINT_PTR, term, term);
    check_both(advice);
}

static char *english_text_of(const Advice *advice)
{
    g_autoptr(Language) english = written_language("en");

    return advice_text(english, advice);
}

/* Which name gets the record: the question that support hears most. */
static void test_name(void **state)
{
    g_autoptr(Advice) advice = written_advice_usual(ADVICE_PUBLISH);
    g_autofree char *whole = english_text_of(advice);
    g_autofree char *part = NULL;

    (void)state;
    assert_int_equal(
        count_lines(whole, "  Name (host):  @, or empty: the domain praxis-mueller.de itself"), 1);
    assert_int_equal(count_lines(whole, "  Type:         TXT"), 1);

    advice->is_subdomain = true;
    g_free(advice->label);
    advice->label = g_strdup("mail");
    part = english_text_of(advice);
    assert_int_equal(count_lines(part, "  Name (host):  mail"), 1);
}

static void test_hoster(void **state)
{
    g_autoptr(Advice) advice = written_advice_usual(ADVICE_PUBLISH);
    g_autofree char *known = english_text_of(advice);
    g_autofree char *unknown = NULL;

    (void)state;
    written_advice_forget(advice);
    unknown = english_text_of(advice);
    assert_non_null(strstr(known, "Please log in to Strato, where"));
    assert_null(strstr(unknown, "Strato"));
    assert_non_null(strstr(unknown, "Please log in to the company that keeps"));
}

/* The pieces of a record come quoted, in one line, as a zone file has them. */
static void test_strings(void **state)
{
    g_autoptr(Advice) advice = written_advice_usual(ADVICE_PUBLISH);
    g_autofree char *text = NULL;

    (void)state;
    written_advice_add(advice, POINT_STRINGS, NULL, NULL);
    text = english_text_of(advice);
    assert_int_equal(count_lines(text, "\"v=spf1 one\" \" two ~all\""), 1);
}

/* The way without SPF stands behind what is said of the record, if the owner can publish anything. */
static void test_dkim(void **state)
{
    static const char line[] =
        "lemniscus._domainkey.praxis-mueller.de. CNAME lemniscus._domainkey.lemniscus.de.";

    (void)state;
    for (AdviceKind kind = 0; kind < ADVICE_KINDS; kind++) {
        g_autoptr(Advice) advice = written_advice_usual(kind);
        g_autofree char *before = english_text_of(advice);
        g_autofree char *text = NULL;
        bool is_shown = advice_kind_row(kind)->shows_record;

        assert_null(strstr(before, "CNAME"));
        advice->dkim_name = g_strdup("lemniscus._domainkey.praxis-mueller.de");
        advice->dkim_label = g_strdup("lemniscus._domainkey");
        advice->dkim_target = g_strdup("lemniscus._domainkey.lemniscus.de");
        text = english_text_of(advice);
        assert_true(g_str_has_prefix(text, before));
        assert_int_equal(count_lines(text, "  Name (host):  lemniscus._domainkey"), is_shown);
        assert_int_equal(count_lines(text, "  Type:         CNAME"), is_shown);
        assert_int_equal(count_lines(text, line), is_shown);
        assert_int_equal(strstr(text, "end the value with a dot.") != NULL, is_shown);
        assert_int_equal(strstr(text, "\nIf you would rather not touch the SPF record") != NULL,
                         is_shown && advice->record != NULL);
    }
}

int main(void)
{
    GArray *tests = table_new();

    table_add(tests, "every kind in both languages", test_kinds, NULL);
    table_add(tests, "every point in both languages", test_points, NULL);
    table_add(tests, "text of strangers", test_hostile, NULL);
    table_add(tests, "long text", test_long_texts, NULL);
    table_add(tests, "which name gets the record", test_name, NULL);
    table_add(tests, "who keeps the records", test_hoster, NULL);
    table_add(tests, "a record in parts", test_strings, NULL);
    table_add(tests, "the way by DKIM", test_dkim, NULL);
    return table_run(tests, "advice_text_test");
}
