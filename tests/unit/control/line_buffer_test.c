#include "config.h"

#include "control/line_buffer.h"

#include <string.h>

#include "unit/table.h"

#define LINE_MAX_OCTETS 4

/* What comes out of octets, in this order: lines in brackets, "!" for one that was too long, "+"
 * for a line that has begun. */
static const struct row {
    const char *name; /* what comes, in pieces of one octet and as a whole */
    bool is_ended;
    const char *out;
} rows[] = {
    {"", false, ""},
    {"", true, ""},
    {"ab", false, "+"},
    {"ab", true, "[ab]"},
    {"ab\n", false, "[ab]"},
    {"ab\r\n", false, "[ab]"},
    {"a\rb\n", false, "[a\rb]"},
    {"\n", false, "[]"},
    {"\r\n", false, "[]"},
    {"\r", true, "[]"},
    {"ab\ncd\n", false, "[ab][cd]"},
    {"ab\ncd", false, "[ab]+"},
    {"ab\ncd", true, "[ab][cd]"},
    {"abcd\n", false, "[abcd]"},
    {"abcd\r\n", false, "[abcd]"},
    {"abcd", true, "[abcd]"},
    {"abcde\n", false, "!"},
    {"abcde", false, "+"},
    {"abcde", true, "!"},
    {"abcdefghijkl", false, "+"},
    {"abcdefghijkl", true, "!"},
    {"abcdefghijkl\nab\n", false, "![ab]"},
    {"ab\nabcdefghijkl\ncd\n", false, "[ab]![cd]"},
    {"abcdefghijkl\nabcdefghijkl\n", false, "!!"},
};

static void drain(LineBuffer *buffer, bool is_ended, GString *out)
{
    g_autoptr(GString) line = g_string_new(NULL);
    LineBufferOutcome outcome;

    while ((outcome = line_buffer_take(buffer, is_ended, line)) != LINE_BUFFER_NONE) {
        if (outcome == LINE_BUFFER_LINE)
            g_string_append_printf(out, "[%s]", line->str);
        else
            g_string_append_c(out, '!');
    }
}

static char *read_in_pieces(const struct row *row, gsize piece)
{
    g_autoptr(GString) out = g_string_new(NULL);
    gsize length = strlen(row->name);
    LineBuffer buffer;

    line_buffer_init(&buffer, LINE_MAX_OCTETS);
    for (gsize at = 0; at < length; at += piece) {
        line_buffer_add(&buffer, row->name + at, MIN(piece, length - at));
        drain(&buffer, false, out);
        assert_true(buffer.octets->len <= LINE_MAX_OCTETS + 1);
    }
    drain(&buffer, row->is_ended, out);
    if (line_buffer_has_part(&buffer))
        g_string_append_c(out, '+');
    line_buffer_clear(&buffer);
    return g_string_free(g_steal_pointer(&out), FALSE);
}

static void test_lines(void **state)
{
    const struct row *row = *state;

    for (gsize piece = 1; piece <= MAX(strlen(row->name), 1); piece++) {
        g_autofree char *out = read_in_pieces(row, piece);

        assert_string_equal(out, row->out);
    }
}

static void test_nul(void **state G_GNUC_UNUSED)
{
    g_autoptr(GString) line = g_string_new(NULL);
    LineBuffer buffer;

    line_buffer_init(&buffer, LINE_MAX_OCTETS);
    line_buffer_add(&buffer, "a\0b\n", 4);
    assert_int_equal(line_buffer_take(&buffer, false, line), LINE_BUFFER_LINE);
    assert_int_equal(line->len, 3);
    assert_memory_equal(line->str, "a\0b", 3);
    line_buffer_clear(&buffer);
}

int main(void)
{
    GArray *tests = table_new();

    TABLE_ADD(tests, rows, test_lines);
    table_add(tests, "a NUL is an octet", test_nul, NULL);
    return table_run(tests, "line_buffer");
}
