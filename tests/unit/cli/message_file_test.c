#include "config.h"

#include "cli/message_file.h"

#include <string.h>

#include "unit/table.h"

/* fields: each "name=value" with its length and "|" behind it; head: the text up to the end of the
 * header. */
static const struct fields_row {
    const char *name;
    const char *text;
    gssize length; /* -1: up to the NUL */
    const char *fields;
    gsize head_end;
} fields_rows[] = {
    {"LF", "A: b\nC:d\n\nx\n", -1, "A=b(1)|C=d(1)|", 9},
    {"CRLF", "A: b\r\nC:d\r\n\r\nx\r\n", -1, "A=b(1)|C=d(1)|", 11},
    {"one blank goes", "A:  b \n\n", -1, "A= b (3)|", 7},
    {"a tab stays", "A:\tb\n\n", -1, "A=\tb(2)|", 5},
    {"fold", "A: b\n c\n\td\n\n", -1, "A=b\n c\n\td(7)|", 11},
    {"fold with CRLF", "A: b\r\n c\r\n\r\n", -1, "A=b\n c(4)|", 10},
    {"fold at once", "A:\n b\n\n", -1, "A=\n b(3)|", 6},
    {"fold of blanks", "A: b\n \n\nx", -1, "A=b\n (3)|", 7},
    {"blank before the colon", "A \t: b\n\n", -1, "A=b(1)|", 7},
    {"empty value", "A:\nB: \n\n", -1, "A=(0)|B=(0)|", 7},
    {"empty", "", -1, "", 0},
    {"no header", "\nA: b\n", -1, "", 0},
    {"no body", "A: b\n", -1, "A=b(1)|", 5},
    {"no line end", "A: b", -1, "A=b(1)|", 4},
    {"no value, no line end", "A:", -1, "A=(0)|", 2},
    {"line that is no field", "A: b\nGuten Tag\nC: d\n\n", -1, "A=b(1)|", 5},
    {"begins with a fold", " a: b\nC: d\n\n", -1, "", 0},
    {"no name", ": a\n\n", -1, "", 0},
    {"name that isn't ASCII", "\xc3\xbc: a\n\n", -1, "", 0},
    {"mailbox file", "From a@b Mon\nA: b\n\n", -1, "A=b(1)|", 18},
    {"mailbox file only once", "From a\nFrom b\nA: b\n\n", -1, "", 7},
    {"mailbox file's line alone", "From a", -1, "", 6},
    {"From: with blank before the colon", "From : b\n\n", -1, "From=b(1)|", 9},
    {"From with a blank and a colon later", "From a: b\nA: b\n\n", -1, "A=b(1)|", 15},
    {"bare CR", "A: b\rc\r\r\n\r\n", -1, "A=b\rc\r(4)|", 9},
    {"NUL", "A: b\0c\n\n", 8, "A=b(3)|", 7},
    {"NUL in a name", "A\0: b\n\n", 7, "", 0},
};

static char *fields_text(const MessageFile *message)
{
    g_autoptr(HeaderFields) fields = message_file_fields(message);
    GString *text = g_string_new(NULL);

    for (guint i = 0; i < header_fields_length(fields); i++) {
        const HeaderField *field = header_fields_at(fields, i);

        g_string_append_printf(text, "%s=%s(%zu)|", field->name, field->value, field->length);
    }
    return g_string_free(text, FALSE);
}

/* In memory of exactly that size, so that a sanitizer sees every octet read behind it. */
static char *copied(const char *text, gssize *length)
{
    if (*length < 0)
        *length = (gssize)strlen(text);
    return g_memdup2(text, (gsize)*length);
}

static void test_fields(void **state)
{
    const struct fields_row *row = *state;
    gssize length = row->length;
    g_autofree char *text = copied(row->text, &length);
    g_autoptr(MessageFile) message = message_file_parse(text, (gsize)length, true, NULL);
    g_autofree char *fields = fields_text(message);

    assert_string_equal(fields, row->fields);
    assert_int_equal(message_file_head_end(message), row->head_end);
}

static const struct apply_row {
    const char *name;
    const char *text;
    const char
        *edits; /* "C name index value", D, A and I, one a line; a "~" in a value is a fold */
    const char *wanted;
} apply_rows[] = {
    {"nothing", "A: b\n\nx", "", "A: b\n"},
    {"change", "A: b\nC: d\n\nx", "C A 1 e", "A: e\nC: d\n"},
    {"change by another case", "FROM: b\n\n", "C From 1 e", "From: e\n"},
    {"change of the second", "A: b\na: c\nA: d\n\n", "C A 2 e", "A: b\nA: e\nA: d\n"},
    {"deletions from the last", "A: b\nA: c\nA: d\n\n", "D A 3\nD A 1", "A: c\n"},
    {"indices are those of the message", "A: b\nA: c\n\n", "C A 2 e\nD A 1", "A: e\n"},
    {"a fold goes with its field", "A: b\n c\nD: e\n\n", "D A 1", "D: e\n"},
    {"index that isn't there", "A: b\n\n", "D A 2\nC B 1 e", "A: b\n"},
    {"additions", "A: b\n\n", "A X 0 y\nA Z 0 u", "A: b\nX: y\nZ: u\n"},
    {"insertion", "A: b\n\n", "I X 0 y", "X: y\nA: b\n"},
    {"insertion below the mailbox file's line", "From a\nA: b\n\n", "I X 0 y",
     "From a\nX: y\nA: b\n"},
    {"all", "A: b\nC: d\n\n", "C C 1 e\nD A 1\nA X 0 y\nI T 0 u", "T: u\nC: e\nX: y\n"},
    {"CRLF", "A: b\r\nC: d\r\n\r\n", "C A 1 e~f\nA X 0 y", "A: e\r\n f\r\nC: d\r\nX: y\r\n"},
    {"fold", "A: b\n\n", "C A 1 e~f", "A: e\n f\n"},
    {"other fields keep their octets", "a :  b\t\r\nC: d\n\n", "D C 1", "a :  b\t\r\n"},
    {"no line end", "A: b", "A X 0 y", "A: b\nX: y\n"},
    {"no line end, changed", "A: b", "C A 1 e\nA X 0 y", "A: e\nX: y\n"},
    {"no line end, deleted", "A: b\nC: d", "D C 1\nA X 0 y", "A: b\nX: y\n"},
    {"mailbox file's line alone", "From a", "I X 0 y", "From a\nX: y\n"},
    {"empty", "", "A X 0 y", "X: y\n"},
    {"no header", "\nx", "A X 0 y", "X: y\n"},
    {"no empty line before the body", "A: b\nGuten Tag\n", "A X 0 y", "A: b\nX: y\n\n"},
};

static Edits *edits_from(const char *text)
{
    g_auto(GStrv) lines = g_strsplit(text, "\n", -1);
    Edits *edits = edits_new();

    for (char **line = lines; *line != NULL; line++) {
        g_auto(GStrv) words = g_strsplit(*line, " ", 4);
        guint index = (guint)g_ascii_strtoull(words[2], NULL, 10);
        g_auto(GStrv) folds = g_strsplit(words[3] != NULL ? words[3] : "", "~", -1);
        g_autofree char *value = g_strjoinv("\n ", folds);

        if (words[0][0] == 'C')
            edits_change(edits, words[1], index, value);
        if (words[0][0] == 'D')
            edits_delete(edits, words[1], index);
        if (words[0][0] == 'A')
            edits_add(edits, words[1], value);
        if (words[0][0] == 'I')
            edits_insert(edits, words[1], value);
    }
    edits_sort(edits);
    return edits;
}

static char *joined(const GPtrArray *pieces)
{
    GString *text = g_string_new(NULL);

    for (guint i = 0; i < pieces->len; i++) {
        const MessagePiece *piece = g_ptr_array_index(pieces, i);

        if (piece->new_text != NULL)
            g_string_append(text, piece->new_text);
        else
            g_string_append_len(text, piece->old_text, (gssize)piece->old_length);
    }
    return g_string_free(text, FALSE);
}

static void test_apply(void **state)
{
    const struct apply_row *row = *state;
    gssize length = -1;
    g_autofree char *text = copied(row->text, &length);
    g_autoptr(MessageFile) message = message_file_parse(text, (gsize)length, true, NULL);
    g_autoptr(Edits) edits = *row->edits != '\0' ? edits_from(row->edits) : NULL;
    g_autoptr(GPtrArray) pieces = message_file_apply(message, edits);
    g_autofree char *got = joined(pieces);

    assert_string_equal(got, row->wanted);
}

/* The text is only the beginning of the message: is the end of the header in it? */
static const struct part_row {
    const char *name;
    const char *text;
    bool is_enough;
} part_rows[] = {
    {"an empty line", "A: b\n\nx", true},
    {"nothing behind it", "A: b\n\n", true},
    {"a line that is no field", "A: b\nGuten Tag\n", true},
    {"the header may go on", "A: b\n", false},
    {"the line may go on", "A: b\n\r", false},
    {"the name may go on", "A: b\nCon", false},
};

static void test_part(void **state)
{
    const struct part_row *row = *state;
    g_autoptr(GError) error = NULL;
    g_autoptr(MessageFile) message =
        message_file_parse(row->text, strlen(row->text), false, &error);

    assert_int_equal(message != NULL, row->is_enough);
    assert_int_equal(error == NULL, row->is_enough);
}

int main(void)
{
    GArray *tests = table_new();

    TABLE_ADD(tests, fields_rows, test_fields);
    TABLE_ADD(tests, apply_rows, test_apply);
    TABLE_ADD(tests, part_rows, test_part);
    return table_run(tests, "message_file");
}
