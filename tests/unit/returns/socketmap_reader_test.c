#include "config.h"

#include "returns/socketmap_reader.h"

#include <string.h>

#include "unit/table.h"

/* What comes out of octets: keys in brackets, "!" for what is broken, "+" for a request that has
 * begun. */
static const struct row {
    const char *name; /* what comes, in pieces of one octet and as a whole */
    const char *out;
} rows[] = {
    {"", ""},
    {"8:return a,", "[a]"},
    {"8:return a,8:return b,", "[a][b]"},
    {"8:return a,8:ret", "[a]+"},
    {"3:x a,", "[a]"},
    {"4:x a ,", "[a ]"},
    {"5:x a b,", "[a b]"},
    {"2:x ,", "[]"}, /* an empty key is one */
    {"1", "+"},
    {"1:", "+"},
    {"8:return a", "+"},
    {"3:x ,,", "[,]"},
    {"0:,", "!"},
    {"1: ,", "!"},
    {"2: a,", "!"}, /* no name */
    {"6:return,", "!"},
    {"03:x a,", "!"},
    {"00:,", "!"},
    {":x a,", "!"},
    {",", "!"},
    {"-3:x a,", "!"},
    {" 3:x a,", "!"},
    {"+3:x a,", "!"},
    {"3 :x a,", "!"},
    {"3:x a;", "!"},
    {"2:x a,", "!"}, /* shorter than it is */
    {"4:x a,", "+"}, /* longer */
    {"4:x a,4", "!"},
    {"9999999999:x", "!"},
    {"999999999:x", "+"},
    {"18446744073709551619:x a,", "!"},
    {"x", "!"},
    {"GET / HTTP/1.0\r\n\r\n", "!"},
    {"3:x a,\r\n3:x b,", "[a]!"},
    {"3:x a,!3:x b,", "[a]!"},
};

static void read_all(SocketmapReader *reader, const char *octets, gsize length, gsize piece,
                     GString *out)
{
    gsize at = 0;

    while (at < length) {
        gsize given = MIN(piece, length - at);
        SocketmapKey key = {0};
        gsize read = 0;
        SocketmapOutcome outcome = socketmap_reader_read(reader, octets + at, given, &read, &key);

        assert_in_range(read, 1, given);
        at += read;
        if (outcome == SOCKETMAP_BROKEN) {
            g_string_append_c(out, '!');
            return;
        }
        if (outcome == SOCKETMAP_REQUEST && key.octets == NULL)
            g_string_append_printf(out, "<%" G_GSIZE_FORMAT ">", key.length);
        else if (outcome == SOCKETMAP_REQUEST)
            g_string_append_printf(out, "[%.*s]", (int)key.length, key.octets);
    }
    if (socketmap_reader_has_part(reader))
        g_string_append_c(out, '+');
}

static void assert_out(const char *octets, gsize length, gsize piece, const char *wanted)
{
    g_autoptr(SocketmapReader) reader = socketmap_reader_new();
    g_autoptr(GString) out = g_string_new(NULL);

    read_all(reader, octets, length, piece, out);
    assert_string_equal(out->str, wanted);
}

static void test_row(void **state)
{
    const struct row *row = *state;

    assert_out(row->name, strlen(row->name), 1, row->out);
    assert_out(row->name, strlen(row->name), 4096, row->out);
}

static GString *request(gsize name, gsize key)
{
    GString *text = g_string_new(NULL);

    g_string_append_printf(text, "%" G_GSIZE_FORMAT ":", name + 1 + key);
    for (gsize i = 0; i < name; i++)
        g_string_append_c(text, 'n');
    g_string_append_c(text, ' ');
    for (gsize i = 0; i < key; i++)
        g_string_append_c(text, 'k');
    g_string_append(text, ",3:x b,");
    return text;
}

static void assert_long(gsize name, gsize key, const char *wanted)
{
    g_autoptr(GString) text = request(name, key);

    assert_out(text->str, text->len, 1, wanted);
    assert_out(text->str, text->len, 4096, wanted);
    assert_out(text->str, text->len, text->len, wanted);
}

/* A key that is too long is not found, and what follows is read. */
static void test_long(void **state)
{
    g_autofree char *longest = g_strnfill(1000, 'k');
    g_autofree char *wanted = g_strdup_printf("[%s][b]", longest);

    (void)state;
    assert_long(6, 1000, wanted);
    assert_long(1000, 1000, wanted);
    assert_long(6, 1001, "<1001>[b]");
    assert_long(1000, 1001, "<1001>[b]");
    assert_long(6, 1000000, "<1000000>[b]");
    assert_long(1001, 1, "!");
}

static void test_nul(void **state)
{
    const char octets[] = "4:x \0a,3:\0 b,";

    (void)state;
    assert_out(octets, sizeof octets - 1, 1, "[][b]");
}

int main(void)
{
    GArray *tests = table_new();

    TABLE_ADD(tests, rows, test_row);
    table_add(tests, "a key that is too long", test_long, NULL);
    table_add(tests, "NUL in a request", test_nul, NULL);
    return table_run(tests, "socketmap_reader_test");
}
