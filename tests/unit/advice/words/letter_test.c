#include "config.h"

#include "advice/words/letter.h"

#include <string.h>

#include "spf/dmarc.h"
#include "unit/advice/words/written_advice.h"

#define RECORD "v=spf1 include:amazonses.com ~all"

static char *letter_in(const char *code, const Advice *advice)
{
    g_autoptr(Language) language = written_language(code);

    return letter_new(language, advice, true);
}

static const struct letter_row {
    const char *name; /* of the language */
    AdviceKind kind;
    const char *subject;
    const char *parts[10]; /* what has to be in it, with line ends read as blanks */
} letter_rows[] = {
    {"en",
     ADVICE_PUBLISH,
     "Your domain praxis-mueller.de: a DNS record is missing",
     {"Dear customer, ", "spam folder", "Strato", "a new record", "itself", "noreply@lemniscus.de",
      "nslookup -type=TXT praxis-mueller.de", "macOS", "Kind regards Lemniscus"}},
    {"de",
     ADVICE_PUBLISH,
     "Ihre Domain praxis-mueller.de: ein DNS-Eintrag fehlt",
     {"Guten Tag, ", "Spam-Ordner", "Strato", "einen neuen Eintrag", "selbst",
      "noreply@lemniscus.de", "nslookup -type=TXT praxis-mueller.de",
      "Mit freundlichen Grüßen Lemniscus"}},
    {"en",
     ADVICE_EXTEND,
     "Your domain praxis-mueller.de: please change a DNS record",
     {"ours are not among them yet", "don't add a second", "| v=spf1 mx -all",
      "New in it is include:amazonses.com"}},
    {"de",
     ADVICE_EXTEND,
     "Ihre Domain praxis-mueller.de: bitte einen DNS-Eintrag anpassen",
     {"unsere sind dort noch nicht dabei", "keinen zweiten", "| v=spf1 mx -all",
      "Neu darin ist include:amazonses.com"}},
    {"en",
     ADVICE_MERGE,
     "Your domain praxis-mueller.de: please change a DNS record",
     {"2 SPF records, and only one", "| v=spf1 mx -all | v=spf1 ~all"}},
    {"de",
     ADVICE_MERGE,
     "Ihre Domain praxis-mueller.de: bitte einen DNS-Eintrag anpassen",
     {"2 SPF-Einträge, und nur einer", "| v=spf1 mx -all | v=spf1 ~all"}},
    {"en",
     ADVICE_REPAIR,
     "Your domain praxis-mueller.de: please change a DNS record",
     {"has an error"}},
    {"en",
     ADVICE_REDUCE,
     "Your domain praxis-mueller.de: please change a DNS record",
     {"no room for ours"}},
    {"en",
     ADVICE_PROVIDER,
     "Your sender address at praxis-mueller.de",
     {"belongs to your mail provider", "Stay with the fallback address", "Use a domain of your own",
      "noreply@lemniscus.de"}},
    {"de",
     ADVICE_PROVIDER,
     "Ihre Absenderadresse bei praxis-mueller.de",
     {"gehört Ihrem E-Mail-Anbieter", "Bei der Ersatzadresse bleiben",
      "Eine eigene Domain verwenden", "noreply@lemniscus.de"}},
    {"en",
     ADVICE_NODOMAIN,
     "Your sender address: praxis-mueller.de does not exist",
     {"check the spelling"}},
    {"de",
     ADVICE_NODOMAIN,
     "Ihre Absenderadresse: praxis-mueller.de gibt es nicht",
     {"prüfen Sie die Schreibweise"}},
    {"en", ADVICE_OK, "Your domain praxis-mueller.de: nothing to be done", {"our servers may"}},
    {"de", ADVICE_OK, "Ihre Domain praxis-mueller.de: nichts zu tun", {"erlaubt das unseren"}},
};

static void test_letter(void **state)
{
    const struct letter_row *row = *state;
    g_autoptr(Advice) advice = written_advice_usual(row->kind);
    g_autofree char *letter = letter_in(row->name, advice);
    g_auto(GStrv) words = g_strsplit_set(letter, " \n", -1);
    const char *label = strcmp(row->name, "de") == 0 ? "Betreff" : "Subject";
    g_autofree char *subject = g_strconcat(label, ": ", row->subject, "\n\n", NULL);
    g_autoptr(GString) text = g_string_new(NULL);

    assert_true(g_str_has_prefix(letter, subject));
    assert_true(g_str_is_ascii(row->subject));
    check_page(letter, advice->record);
    if (advice->record != NULL)
        assert_int_equal(count_lines(letter, advice->record), 1);
    for (char **word = words; *word != NULL; word++)
        if (**word != '\0')
            g_string_append_printf(text, "%s ", *word);
    for (const char *const *part = row->parts; *part != NULL; part++)
        if (strstr(text->str, *part) == NULL)
            fail_msg("not in the letter: %s\n%s", *part, letter);
}

static void test_unknown(void **state)
{
    g_autoptr(Advice) advice = written_advice_usual(ADVICE_UNKNOWN);

    (void)state;
    assert_null(letter_in("de", advice));
}

/* The owner is spared what the operator has to know; everything else is there. */
static void test_points(void **state)
{
    (void)state;
    for (PointKind kind = 0; kind < POINT_KINDS; kind++) {
        g_autoptr(Advice) advice = written_advice_usual(ADVICE_EXTEND);
        g_autofree char *before = letter_in("de", advice);
        g_autofree char *after = NULL;

        written_advice_add(advice, kind, "\nEVIL:\n1", "\nEVIL");
        after = letter_in("de", advice);
        check_page(after, advice->record);
        if (kind == POINT_PROVIDER_RELAY || kind == POINT_SEVERAL)
            assert_string_equal(before, after);
        else
            assert_true(strlen(after) > strlen(before));
    }
}

/* With blanks in the place of line ends. */
static char *one_line(const char *text)
{
    return g_strdelimit(g_strdup(text), "\n", ' ');
}

/* What each letter says to those who can't, or won't, do what it asks for. */
static const struct otherwise_row {
    const char *name;
    AdviceKind kind;
    bool is_rewriting;
    const char *wanted; /* NULL: nothing is said */
} otherwise_rows[] = {
    {"publish", ADVICE_PUBLISH, true,
     "If the domain is not yours, you need not do anything: we go on sending your mail as "
     "noreply@lemniscus.de."},
    {"extend", ADVICE_EXTEND, true, "The same happens if nobody publishes the record:"},
    {"merge", ADVICE_MERGE, true, "If the domain is not yours, you need not do anything: we"},
    {"repair", ADVICE_REPAIR, true, "If the domain is not yours, you need not do anything: we"},
    {"reduce", ADVICE_REDUCE, true, "If the domain is not yours, you need not do anything: we"},
    {"nothing is rewritten", ADVICE_PUBLISH, false,
     "If nobody publishes the record, everything stays as it is: many receivers go on taking"},
    {"a provider's", ADVICE_PROVIDER, true, "You need not do anything."},
    {"no domain", ADVICE_NODOMAIN, true,
     "If you do nothing, we go on sending your mail as noreply@lemniscus.de"},
    {"ok", ADVICE_OK, true, NULL},
};

static void test_otherwise(void **state)
{
    const struct otherwise_row *row = *state;
    g_autoptr(Advice) advice = written_advice_usual(row->kind);
    g_autofree char *letter = NULL;
    g_autofree char *text = NULL;

    advice->is_rewriting = row->is_rewriting;
    letter = letter_in("en", advice);
    text = one_line(letter);
    if (strstr(text, row->wanted != NULL ? row->wanted : "need not do anything") == NULL &&
        row->wanted != NULL)
        fail_msg("not in the letter: %s\n%s", row->wanted, letter);
    assert_true(row->wanted != NULL || strstr(text, "not yours") == NULL);
}

/* A letter that comes from an address that nobody reads asks for no answer. */
static void test_no_replies(void **state)
{
    (void)state;
    for (size_t i = 0; language_codes[i] != NULL; i++)
        for (AdviceKind kind = 0; kind < ADVICE_KINDS; kind++) {
            g_autoptr(Language) language = written_language(language_codes[i]);
            g_autoptr(Advice) advice = written_advice_usual(kind);
            g_autofree char *letter = letter_new(language, advice, false);
            g_autofree char *text = letter != NULL ? one_line(letter) : g_strdup("");

            if (strstr(text, "reply to this") != NULL || strstr(text, "ntworten Sie") != NULL)
                fail_msg("it asks for an answer:\n%s", letter);
            if (letter != NULL)
                check_page(letter, advice->record);
            assert_true(advice->record == NULL || strstr(text, "nslookup") != NULL);
        }
}

/* Each of the two ways with the command that shows whether it was taken. */
static void test_dkim_command(void **state)
{
    (void)state;
    for (size_t i = 0; language_codes[i] != NULL; i++) {
        g_autoptr(Language) language = written_language(language_codes[i]);
        g_autoptr(Advice) advice = written_advice_usual(ADVICE_PUBLISH);
        g_autofree char *letter = NULL;

        advice->dkim_name = g_strdup("lemniscus._domainkey.praxis-mueller.de");
        advice->dkim_label = g_strdup("lemniscus._domainkey");
        advice->dkim_target = g_strdup("lemniscus._domainkey.lemniscus.de");
        letter = letter_new(language, advice, true);
        assert_int_equal(count_lines(letter, "  nslookup -type=TXT praxis-mueller.de"), 1);
        assert_int_equal(
            count_lines(letter, "  nslookup -type=CNAME lemniscus._domainkey.praxis-mueller.de"),
            1);
    }
}

/* A policy of DMARC in words for owners; what the operator needs is left out. */
static void test_dmarc(void **state)
{
    static const char *const musts[][2] = {
        {"Mehr als ihn zu veröffentlichen müssen Sie", "Darum müssen Sie sich nicht kümmern"},
        {"E-Mails abzulehnen", "E-Mails in den Spam-Ordner zu legen"}};

    (void)state;
    for (DmarcPolicy policy = DMARC_QUARANTINE; policy <= DMARC_REJECT; policy++)
        for (int is_ok = 0; is_ok <= 1; is_ok++) {
            g_autoptr(Advice) advice = written_advice_usual(is_ok ? ADVICE_OK : ADVICE_EXTEND);
            g_autofree char *letter = NULL;
            g_autofree char *text = NULL;

            point_add(advice->points, POINT_DMARC, NULL)->number = policy;
            letter = letter_in("de", advice);
            text = one_line(letter);
            assert_non_null(strstr(text, musts[0][is_ok]));
            assert_non_null(strstr(text, musts[1][policy == DMARC_QUARANTINE]));
            assert_null(strstr(text, "DKIM"));
            assert_null(strstr(text, "Umschlag"));
        }
}

/* "complete and unchanged": nothing in a letter tells owners to change the line. */
static void test_unchanged(void **state)
{
    (void)state;
    for (PointKind kind = 0; kind < POINT_KINDS; kind++) {
        g_autoptr(Advice) advice = written_advice_usual(ADVICE_EXTEND);
        g_autofree char *letter = NULL;
        g_autofree char *text = NULL;

        written_advice_add(advice, kind, "+all", "v=spf1 +all");
        letter = letter_in("en", advice);
        text = one_line(letter);
        assert_null(strstr(text, "in its place would"));
        assert_null(strstr(text, "can go"));
        assert_null(strstr(text, "should go"));
    }
}

/* The alias stands beside the record, in both languages. */
static void test_dkim(void **state)
{
    static const char *const languages[] = {"en", "de"};
    static const char *const words[] = {"one of the two is enough", "einer von beiden genügt"};

    (void)state;
    for (size_t i = 0; i < G_N_ELEMENTS(languages); i++) {
        g_autoptr(Advice) advice = written_advice_usual(ADVICE_PUBLISH);
        g_autofree char *letter = NULL;
        g_autofree char *text = NULL;

        advice->dkim_name = g_strdup("lemniscus._domainkey.praxis-mueller.de");
        advice->dkim_label = g_strdup("lemniscus._domainkey");
        advice->dkim_target = g_strdup("lemniscus._domainkey.lemniscus.de");
        letter = letter_in(languages[i], advice);
        text = one_line(letter);
        assert_non_null(strstr(text, words[i]));
        assert_int_equal(count_lines(letter, advice->record), 1);
        assert_int_equal(count_lines(letter, "lemniscus._domainkey.praxis-mueller.de. CNAME "
                                             "lemniscus._domainkey.lemniscus.de."),
                         1);
    }
}

/* Where nothing is rewritten, nothing is said about it. */
static void test_log_only(void **state)
{
    g_autoptr(Advice) advice = written_advice_usual(ADVICE_PUBLISH);
    g_autofree char *letter = NULL;

    (void)state;
    advice->is_rewriting = false;
    letter = letter_in("en", advice);
    assert_null(strstr(letter, "noreply@lemniscus.de"));
}

/* People write their domain with its umlaut; a command can't. */
static void test_umlaut(void **state)
{
    g_autoptr(Advice) advice =
        written_advice(ADVICE_PUBLISH, "xn--praxis-mller-klb.de", RECORD, NULL);
    g_autofree char *letter = letter_in("de", advice);

    (void)state;
    assert_true(g_str_has_prefix(letter, "Betreff: Ihre Domain praxis-müller.de: ein"));
    assert_non_null(strstr(letter, "praxis-müller.de"));
    assert_int_equal(count_lines(letter, "  nslookup -type=TXT xn--praxis-mller-klb.de"), 1);
    written_advice_add(advice, POINT_NOT_INHERITED, "xn--praxis-mller-klb.de", "v=spf1 -all");
    g_free(letter);
    letter = letter_in("de", advice);
    assert_ptr_equal(strstr(letter, "xn--"), strstr(letter, "xn--praxis-mller-klb.de\n"));
    check_page(letter, RECORD);
}

/* Names of strangers and of ours that are longer than a line, or try to begin one. */
static const struct odd_row {
    const char *name;
    const char *domain;
    const char *sender;
} odd_rows[] = {
    {"a long domain",
     "praxis-fuer-physiotherapie-und-osteopathie-mueller-und-partner.berlin.example", "Lemniscus"},
    {"a very long domain",
     "aaaaaaaaaabbbbbbbbbbccccccccccddddddddddeeeeeeeeeeffffffffffg."
     "aaaaaaaaaabbbbbbbbbbccccccccccdd"
     "ddddddddeeeeeeeeeeffffffffffg.aaaaaaaaaabbbbbbbbbbccccccccccddddddddddeeeeeeeeeeffffffffffg."
     "de",
     "Lemniscus"},
    {"what is no domain", "x\nEVIL: 1\r\nEVIL", "Lemniscus"},
    {"a name with line ends", "a.de", "Lemniscus\r\nEVIL: 1"},
    {"a name with controls", "a.de", "\x1b[31mLemniscus\xe2\x80\xae"},
};

static void test_odd(void **state)
{
    const struct odd_row *row = *state;

    for (AdviceKind kind = 0; kind < ADVICE_KINDS; kind++) {
        g_autoptr(Advice) advice =
            written_advice(kind, row->domain, kind >= ADVICE_MERGE ? RECORD : NULL, NULL);
        g_autofree char *letter = NULL;

        g_free(advice->sender);
        advice->sender = g_strdup(row->sender);
        letter = letter_in("de", advice);
        if (letter != NULL)
            check_page(letter, RECORD);
    }
}

int main(void)
{
    GArray *tests = table_new();

    TABLE_ADD(tests, letter_rows, test_letter);
    TABLE_ADD(tests, odd_rows, test_odd);
    TABLE_ADD(tests, otherwise_rows, test_otherwise);
    table_add(tests, "policies of DMARC", test_dmarc, NULL);
    table_add(tests, "complete and unchanged", test_unchanged, NULL);
    table_add(tests, "a domain with an umlaut", test_umlaut, NULL);
    table_add(tests, "unknown: no letter", test_unknown, NULL);
    table_add(tests, "every point", test_points, NULL);
    table_add(tests, "nothing is rewritten", test_log_only, NULL);
    table_add(tests, "the way by DKIM", test_dkim, NULL);
    table_add(tests, "nobody reads answers", test_no_replies, NULL);
    table_add(tests, "how to see that DKIM works", test_dkim_command, NULL);
    return table_run(tests, "letter_test");
}
