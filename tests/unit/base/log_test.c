#include "config.h"

#include "base/log.h"

#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "unit/table.h"

static const struct pair_row {
    const char *name;
    const char *value;
    const char *shown; /* behind " key=" */
} pair_rows[] = {
    {"plain", "softfail", "softfail"},
    {"an address", "mueller@praxis-mueller.de", "mueller@praxis-mueller.de"},
    {"a mechanism", "~all", "~all"},
    {"the null sender", "<>", "<>"},
    {"empty", "", "\"\""},
    {"a blank", "a b", "\"a b\""},
    {"a quote", "a\"b", "\"a\\\"b\""},
    {"a backslash", "a\\b", "\"a\\\\b\""},
    {"an equals sign", "a=b", "\"a=b\""},
    {"a forged pair", "x spf=pass", "\"x spf=pass\""},
    {"a tab", "a\tb", "\"a\\x09b\""},
    {"a forged line", "a\nspfrom: b", "\"a\\x0aspfrom: b\""},
    {"a carriage return", "a\r", "\"a\\x0d\""},
    {"an escape sequence", "\x1b[2J", "\"\\x1b[2J\""},
    {"DEL", "\x7f", "\"\\x7f\""},
    {"an escaped escape", "\\x0a", "\"\\\\x0a\""},
    {"umlauts", "müller@müller.example", "müller@müller.example"},
    {"an emoji", "\xf0\x9f\x98\x80", "\xf0\x9f\x98\x80"},
    {"C1 as UTF-8", "a\xc2\x9b[2J", "\"a\\xc2\\x9b[2J\""},
    {"NEL", "a\xc2\x85 b", "\"a\\xc2\\x85 b\""},
    {"C1 raw", "a\x9b[2J", "\"a\\x9b[2J\""},
    {"a line separator", "a\xe2\x80\xa8", "\"a\\xe2\\x80\\xa8\""},
    {"a paragraph separator", "a\xe2\x80\xa9", "\"a\\xe2\\x80\\xa9\""},
    {"a bidi override",
     "a\xe2\x80\xae"
     "b",
     "\"a\\xe2\\x80\\xaeb\""},
    {"a bidi isolate", "a\xe2\x81\xa7", "\"a\\xe2\\x81\\xa7\""},
    {"a bidi mark", "a\xe2\x80\x8f", "\"a\\xe2\\x80\\x8f\""},
    {"an Arabic letter mark", "a\xd8\x9c", "\"a\\xd8\\x9c\""},
    {"a zero-width blank", "a\xe2\x80\x8b", "\"a\\xe2\\x80\\x8b\""},
    {"a zero-width joiner", "a\xe2\x80\x8d", "\"a\\xe2\\x80\\x8d\""},
    {"a byte order mark",
     "\xef\xbb\xbf"
     "a",
     "\"\\xef\\xbb\\xbfa\""},
    {"a tag character", "\xf3\xa0\x81\x81", "\"\\xf3\\xa0\\x81\\x81\""},
    {"a noncharacter", "\xef\xbf\xbf", "\"\\xef\\xbf\\xbf\""},
    {"a blank of no break",
     "a\xc2\xa0"
     "b",
     "\"a\xc2\xa0"
     "b\""},
    {"an ideographic blank",
     "a\xe3\x80\x80"
     "b",
     "\"a\xe3\x80\x80"
     "b\""},
    {"latin1", "m\xfcller", "\"m\\xfcller\""},
    {"a lone lead", "\xc3", "\"\\xc3\""},
    {"a lone trail", "\xa4x", "\"\\xa4x\""},
    {"overlong", "\xc0\x8a", "\"\\xc0\\x8a\""},
    {"a surrogate", "\xed\xa0\x80", "\"\\xed\\xa0\\x80\""},
    {"beyond Unicode", "\xf4\x90\x80\x80", "\"\\xf4\\x90\\x80\\x80\""},
};

static void test_pair(void **state)
{
    const struct pair_row *row = *state;
    g_autoptr(GString) line = g_string_new("action=keep");
    g_autoptr(GString) alone = g_string_new(NULL);
    g_autofree char *wanted = g_strconcat("action=keep key=", row->shown, NULL);

    log_pair(line, "key", row->value);
    assert_string_equal(line->str, wanted);
    log_value(alone, row->value);
    assert_string_equal(alone->str, row->shown);
}

/* Whatever one or two octets a stranger sends, one line of UTF-8 comes out, with an even number of
 * quotes. */
static void test_pair_all(void **state G_GNUC_UNUSED)
{
    for (guint first = 1; first < 256; first++) {
        for (guint second = 0; second < 256; second++) {
            const char value[] = {(char)first, (char)second, '\0'};
            g_autoptr(GString) line = g_string_new(NULL);

            log_pair(line, "k", value);
            assert_true(g_utf8_validate(line->str, -1, NULL));
            for (const char *at = line->str; *at != '\0'; at = g_utf8_next_char(at))
                assert_false(g_unichar_iscntrl(g_utf8_get_char(at)));
            assert_true(strstr(line->str, "=\"") == NULL || g_str_has_suffix(line->str, "\""));
        }
    }
}

static const struct cut_row {
    const char *name;
    const char *unit; /* of which the value is made */
    guint before;     /* single octets before the units */
    guint shown;      /* octets of the value that are */
} cut_rows[] = {
    {"ASCII", "x", 0, LOG_VALUE_MAX},
    {"two octets, even", "ü", 0, LOG_VALUE_MAX},
    {"two octets, odd", "ü", 1, LOG_VALUE_MAX - 1},
    {"three octets", "€", 0, LOG_VALUE_MAX - 2},
    {"three octets, one before", "€", 1, LOG_VALUE_MAX - 1},
    {"four octets, three before", "\xf0\x9f\x98\x80", 3, LOG_VALUE_MAX - 1},
};

static void test_cut(void **state)
{
    const struct cut_row *row = *state;
    g_autoptr(GString) value = g_string_new(NULL);
    g_autoptr(GString) line = g_string_new(NULL);

    for (guint i = 0; i < row->before; i++)
        g_string_append_c(value, 'x');
    while (value->len < 2 * LOG_VALUE_MAX)
        g_string_append(value, row->unit);
    log_pair(line, "k", value->str);
    assert_int_equal(line->len, strlen(" k=") + row->shown);
    assert_true(g_utf8_validate(line->str, -1, NULL));
    assert_memory_equal(line->str + strlen(" k="), value->str, row->shown);
}

/* A megabyte of trail octets is neither slow nor shown. */
static void test_cut_invalid(void **state G_GNUC_UNUSED)
{
    g_autofree char *value = g_strnfill(1000000, '\x80');
    g_autoptr(GString) line = g_string_new(NULL);

    log_pair(line, "k", value);
    assert_int_equal(line->len, strlen(" k=\"\"") + LOG_VALUE_MAX * strlen("\\x80"));
}

/* Makes stderr a pipe, whose reading end is returned. saved keeps what stderr was. */
static int stderr_take(int *saved)
{
    int ends[2];

    *saved = dup(STDERR_FILENO);
    assert_int_equal(pipe(ends), 0);
    dup2(ends[1], STDERR_FILENO);
    close(ends[1]);
    return ends[0];
}

/* Gives stderr back. Returns what was written to the pipe, owned by the caller. */
static char *stderr_give_back(int saved, int fd)
{
    char line[LOG_LINE_MAX + 100];
    ssize_t length = 0;

    dup2(saved, STDERR_FILENO); /* the last writing end is closed by that */
    close(saved);
    length = read(fd, line, sizeof line - 1);
    close(fd);
    return g_strndup(line, (gsize)MAX(length, 0));
}

/* Returns what log_write() writes to stderr, owned by the caller. */
static char *written(int level, const char *text)
{
    int saved, fd = stderr_take(&saved);

    log_write(level, "%s", text);
    return stderr_give_back(saved, fd);
}

static const struct write_row {
    const char *name;
    const char *text;
    const char *line;
} write_rows[] = {
    {"plain", "spfrom started", "test: spfrom started\n"},
    {"umlauts", "Müller", "test: Müller\n"},
    {"a line end", "a\nb", "test: a?b\n"},
    {"an escape sequence", "\x1b[2J", "test: ?[2J\n"},
    {"C1 as UTF-8", "a\xc2\x9b[2J", "test: a??[2J\n"},
    {"a bidi override", "a\xe2\x80\xae", "test: a???\n"},
    {"latin1", "M\xfcller", "test: M?ller\n"},
};

static void test_write(void **state)
{
    const struct write_row *row = *state;
    g_autofree char *line = written(LOG_INFO, row->text);

    assert_string_equal(line, row->line);
}

/* Is stderr the stream that $JOURNAL_STREAM names, or another one? */
static const struct journal_row {
    const char *name;
    guint off; /* by so much the inode's number is wrong */
    const char *line;
} journal_rows[] = {
    {"the journal", 0, "<4>spfrom: x\n"},
    {"not the journal", 1, "test: spfrom: x\n"},
};

static void test_write_journal(void **state)
{
    const struct journal_row *row = *state;
    int saved, fd = stderr_take(&saved);
    g_autofree char *stream = NULL;
    g_autofree char *line = NULL;
    struct stat status;

    assert_int_equal(fstat(STDERR_FILENO, &status), 0);
    stream = g_strdup_printf("%lu:%lu", (gulong)status.st_dev, (gulong)status.st_ino + row->off);
    g_setenv("JOURNAL_STREAM", stream, TRUE);
    log_open("test", LOG_TARGET_STDERR, LOG_INFO);
    log_write(LOG_WARNING, "spfrom: x");
    line = stderr_give_back(saved, fd);
    g_unsetenv("JOURNAL_STREAM");
    log_open("test", LOG_TARGET_STDERR, LOG_INFO);
    assert_string_equal(line, row->line);
}

static void test_write_long(void **state G_GNUC_UNUSED)
{
    g_autoptr(GString) text = g_string_new(NULL);
    g_autofree char *line = NULL;

    while (text->len < 2 * LOG_LINE_MAX)
        g_string_append(text, "ü");
    line = written(LOG_INFO, text->str);
    assert_int_equal(strlen(line), strlen("test: ") + LOG_LINE_MAX - 1 + strlen("\n"));
    assert_true(g_utf8_validate(line, -1, NULL)); /* though it ends inside of a character */
}

static void test_level(void **state G_GNUC_UNUSED)
{
    g_autofree char *debug = written(LOG_DEBUG, "x");
    g_autofree char *info = NULL;

    assert_string_equal(debug, "");
    assert_false(log_is_enabled(LOG_DEBUG));
    log_set_level(LOG_ERR);
    info = written(LOG_INFO, "x");
    assert_string_equal(info, "");
    assert_true(log_is_enabled(LOG_ERR));
    log_set_level(LOG_INFO);
}

int main(void)
{
    GArray *tests = table_new();

    log_open("test", LOG_TARGET_STDERR, LOG_INFO);
    TABLE_ADD(tests, pair_rows, test_pair);
    table_add(tests, "all values of two octets", test_pair_all, NULL);
    TABLE_ADD(tests, cut_rows, test_cut);
    table_add(tests, "cut where nothing is UTF-8", test_cut_invalid, NULL);
    TABLE_ADD(tests, write_rows, test_write);
    TABLE_ADD(tests, journal_rows, test_write_journal);
    table_add(tests, "a line that is too long", test_write_long, NULL);
    table_add(tests, "levels", test_level, NULL);
    return table_run(tests, "log");
}
