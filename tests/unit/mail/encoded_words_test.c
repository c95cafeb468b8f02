#include "config.h"

#include "mail/encoded_words.h"

#include <string.h>

#include "../table.h"

static const struct row {
    const char *text;
    const char *decoded;
} rows[] = {
    {"Praxis Nord", "Praxis Nord"},
    {"M\xc3\xbcller", "M\xc3\xbcller"},
    {"M\xfcller", "M\xc3\xbcller"}, /* windows-1252 */
    {"\x84M\xfcller\x93", "\xe2\x80\x9eM\xc3\xbcller\xe2\x80\x9c"},
    {"a\x81"
     "b",
     "ab"}, /* not in windows-1252 either */
    {"=?utf-8?Q?M=C3=BCller?=", "M\xc3\xbcller"},
    {"=?UTF-8?q?M=c3=bcller?=", "M\xc3\xbcller"},
    {"=?utf-8?B?TcO8bGxlcg==?=", "M\xc3\xbcller"},
    {"=?utf-8?B?TcO8bGxlcg?=", "M\xc3\xbcller"}, /* padding is missing */
    {"=?iso-8859-1?Q?M=FCller?=", "M\xc3\xbcller"},
    {"=?iso-8859-1?Q?=84M=FCller=93?=", "\xe2\x80\x9eM\xc3\xbcller\xe2\x80\x9c"},
    {"=?iso-8859-15?Q?=A4?=", "\xe2\x82\xac"},
    {"=?windows-1251?B?z/Do4uXy?=", "\xd0\x9f\xd1\x80\xd0\xb8\xd0\xb2\xd0\xb5\xd1\x82"},
    {"=?iso-2022-jp?B?GyRCOzNFRBsoQg==?=", "\xe5\xb1\xb1\xe7\x94\xb0"},
    {"=?gb2312?B?1cU=?=", "\xe5\xbc\xa0"},
    {"=?utf-8*de?Q?M=C3=BCller?=", "M\xc3\xbcller"}, /* RFC 2231 section 5 */
    {"=?utf-8?Q?Praxis_M=C3=BCller?= Nord", "Praxis M\xc3\xbcller Nord"},
    {"Praxis =?utf-8?Q?M=C3=BCller?=", "Praxis M\xc3\xbcller"},
    {"=?utf-8?Q?a?= =?utf-8?Q?b?=", "ab"},
    {"=?utf-8?Q?a?=\n =?iso-8859-1?Q?=FC?=", "a\xc3\xbc"},
    {"=?utf-8?Q?a?= b =?utf-8?Q?c?=", "a b c"},
    {"=?utf-8?Q?a?==?utf-8?Q?b?=", "ab"},
    {"=?utf-8?Q?M=C3?= =?utf-8?Q?=BCller?=", "M\xc3\xbcller"}, /* a split character */
    {"=?utf-8?B?TcO?= =?utf-8?B?vGxsZXI=?=", "M\xc3\xbcller"},
    {"=?utf-8?Q?a b?=", "a b"},
    {"=?utf-8?Q?a?b?=", "a?b"},
    {"=?utf-8?Q?\?=", ""},
    {"=?utf-8?Q?=00a?=", "a"},
    {"=?utf-8?Q?=0D=0AFrom:_x?=", "\r\nFrom: x"}, /* decoded, not yet safe */
    {"=?utf-8?Q?=3D=3Futf-8=3FQ=3Fx=3F=3D?=", "=?utf-8?Q?x?="},

    /* What can't be decoded stays … */
    {"=?x-unknown?Q?M=FCller?=", "=?x-unknown?Q?M=FCller?="},
    {"Praxis =?x-unknown?Q?M=FCller?= Nord", "Praxis =?x-unknown?Q?M=FCller?= Nord"},
    {"=?utf-8?Q?a?= =?x-unknown?Q?b?=", "a=?x-unknown?Q?b?="},
    {"=?utf-8?Q?M=FCller?=", "=?utf-8?Q?M=FCller?="},
    {"=?us-ascii?Q?M=FCller?=", "=?us-ascii?Q?M=FCller?="},
    {"=?utf-8?Q?M=ZZ?=", "=?utf-8?Q?M=ZZ?="},
    {"=?utf-8?B?TcO8b?=", "=?utf-8?B?TcO8b?="},
    {"=?utf-8?B?T*O8?=", "=?utf-8?B?T*O8?="},
    {"=?utf-8?Q?M=C3=BC?= =?utf-8?Q?=FF?=", "M\xc3\xbc=?utf-8?Q?=FF?="},

    {"=?x-unknown?Q?Dr._M=FCller?=", "=?x-unknown?Q?Dr=2E_M=FCller?="},
    {"=?x-unknown?Q?a b?=", "=?x-unknown?Q?a_b?="},

    /* … but for what may be more than a name to a reader who knows better. */
    {"=?x-unknown?Q?boss=40bank.de?=", ""},
    {"=?x-unknown?B?Ym9zc0BiYW5rLmRl?=", ""},
    {"=?x-unknown?Q?a=0D=0AFrom:_b?=", ""},
    {"=?x-unknown?Q?=EF=BC=A0?=", ""},
    {"=?x-unknown?Q?=3D=3Futf-8?=", ""},
    {"=?utf-7?Q?+AEA-=FF?=", ""},
    {"=?utf-8?Q?boss=40bank.de=FF?=", ""},
    {"=?x(y)?Q?a?=", ""},
    {"=?x*(y)?Q?a?=", "=?x?Q?a?="},
    {"=?x-unknown?Q?a.=ZZ?=", ""},

    /* No encoded words. */
    {"=?utf-8?X?abc?=", "=?utf-8?X?abc?="},
    {"=?utf-8?Q?abc", "=?utf-8?Q?abc"},
    {"=?utf-8?Q?abc =?utf-8?Q?d?=", "=?utf-8?Q?abc d"},
    {"=??Q?abc?=", "=??Q?abc?="},
    {"=?utf-8?=", "=?utf-8?="},
    {"=?", "=?"},
    {"=?a/../b?Q?x?=", "=?a/../b?Q?x?="},
    {"=?utf-8//translit?Q?x?=", "=?utf-8//translit?Q?x?="},
};

static void test_decode(void **state)
{
    const struct row *row = *state;
    g_autofree char *decoded = encoded_words_decode(row->text, strlen(row->text));

    assert_string_equal(decoded, row->decoded);
    assert_true(g_utf8_validate(decoded, -1, NULL));
}

static void test_opaque(void **state)
{
    g_autofree char *filling = g_strnfill(60, 'a');
    g_autofree char *longest = g_strconcat("=?x-u?Q?aaa", filling, "?=xyz", NULL);
    g_autofree char *too_long = g_strconcat("=?x-u?Q?aaaaaa", filling, "?=xyz", NULL);

    (void)state;
    assert_int_equal(encoded_words_opaque("=?x-unknown?Q?b?= c"), strlen("=?x-unknown?Q?b?="));
    assert_int_equal(encoded_words_opaque("a =?x-unknown?Q?b?="), 0);
    assert_int_equal(encoded_words_opaque("=?utf-8?Q?b?="), 0); /* that one can be decoded */
    assert_int_equal(encoded_words_opaque("=?x-unknown?Q?b=40c?="), 0);
    assert_int_equal(encoded_words_opaque(longest), strlen(longest) - 3);
    assert_int_equal(encoded_words_opaque(too_long), 0);
}

static void test_without_controls(void **state)
{
    g_autofree char *text = encoded_words_without_controls(
        "a =?utf-8?Q?=0D=0AFrom:_x?= =?utf-8?Q?M=C3=BC?= =?x-u?Q?=00b?= =?utf-8?Q?");

    (void)state;
    assert_string_equal(text, "a From: x =?utf-8?Q?M=C3=BC?= b =?utf-8?Q?");
}

/* Hostile text takes time in proportion to its length: no second look at what was read. */
static void test_many_beginnings(void **state)
{
    g_autoptr(GString) text = g_string_new(NULL);
    g_autofree char *decoded = NULL;

    (void)state;
    for (int i = 0; i < 6000; i++)
        g_string_append(text, "=?utf-8?Q?");
    decoded = encoded_words_decode(text->str, text->len);
    assert_string_equal(decoded, text->str);
}

/* Encodes text word by word and decodes it again. */
static void check_round_trip(const char *text, bool is_base64, gsize room)
{
    g_autoptr(GString) encoded = g_string_new(NULL);
    g_autofree char *decoded = NULL;
    gsize length = strlen(text);

    for (gsize done = 0; done < length;) {
        gsize before = encoded->len;
        gsize taken = encoded_words_append(encoded, text + done, length - done, is_base64, room);

        assert_true(taken > 0);
        assert_true(encoded->len - before <= MIN(room, ENCODED_WORD_MAX));
        assert_true(g_utf8_validate_len(text + done, taken, NULL)); /* no split character */
        done += taken;
        g_string_append_c(encoded, ' ');
    }
    g_string_truncate(encoded, encoded->len - 1);
    decoded = encoded_words_decode(encoded->str, encoded->len);
    assert_string_equal(decoded, text);
}

static void test_round_trip(void **state)
{
    static const char *const texts[] = {
        "M\xc3\xbcller",
        " a b ",
        "?=_.@\"()<>,;:\\",
        "\xe5\xb1\xb1\xe7\x94\xb0\xe5\xa4\xaa\xe9\x83\x8e\xe5\xb1\xb1\xe7\x94\xb0\xe5\xa4\xaa\xe9"
        "\x83\x8e",
        "\xf0\x9f\x91\xa9\xe2\x80\x8d\xf0\x9f\x92\xbb\xf0\x9f\x91\xa9\xe2\x80\x8d\xf0\x9f\x92\xbb"
        "\xf0\x9f\x91\xa9\xe2\x80\x8d\xf0\x9f\x92\xbb\xf0\x9f\x91\xa9\xe2\x80\x8d\xf0\x9f\x92\xbb",
        "Dr. med. M\xc3\xbcller-L\xc3\xbc"
        "denscheidt, Facharzt f\xc3\xbcr Psychosomatische Medizin und Psychotherapie",
    };

    (void)state;
    for (size_t i = 0; i < G_N_ELEMENTS(texts); i++)
        for (gsize room = ENCODED_WORD_ROOM_MIN; room <= ENCODED_WORD_MAX + 5; room++) {
            check_round_trip(texts[i], false, room);
            check_round_trip(texts[i], true, room);
        }
}

static void test_marks_stay_with_their_letter(void **state)
{
    g_autoptr(GString) text = g_string_new(NULL);
    g_autoptr(GString) encoded = g_string_new(NULL);

    (void)state;
    for (int i = 0; i < 30; i++)
        g_string_append(text, "a\xcc\x88");
    assert_int_equal(encoded_words_append(encoded, text->str, text->len, false, 75) % 3, 0);
    assert_int_equal(encoded_words_append(encoded, text->str, text->len, true, 74) % 3, 0);
}

static void test_shorter(void **state)
{
    (void)state;
    assert_false(encoded_words_is_base64_shorter("M\xc3\xbcller-L\xc3\xbc"
                                                 "denscheid",
                                                 20));
    assert_true(encoded_words_is_base64_shorter("\xe5\xb1\xb1\xe7\x94\xb0", 6));
}

int main(void)
{
    GArray *tests = table_new();

    for (size_t i = 0; i < G_N_ELEMENTS(rows); i++)
        table_add(tests, rows[i].text, test_decode, &rows[i]);
    table_add(tests, "opaque", test_opaque, NULL);
    table_add(tests, "without controls", test_without_controls, NULL);
    table_add(tests, "many beginnings", test_many_beginnings, NULL);
    table_add(tests, "round trip", test_round_trip, NULL);
    table_add(tests, "marks stay with their letter", test_marks_stay_with_their_letter, NULL);
    table_add(tests, "shorter", test_shorter, NULL);
    return table_run(tests, "encoded_words");
}
