#include "config.h"

#include "mail/encoded_words.h"

#include <string.h>

#include "unit/table.h"

#define GAP "\xef\xbf\xbd" /* U+FFFD */

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
    {"=?x-unknown?Q?a=2E=ZZ?=", "=?x-unknown?Q?a=2E=ZZ?="},
    {"=?x-unknown?Q?a.=ZZ?=", "=?x-unknown?Q?a=2E=3DZZ?="},

    {"=?x-unknown?Q?Dr._M=FCller?=", "=?x-unknown?Q?Dr=2E_M=FCller?="},
    {"=?x-unknown?Q?a b?=", "=?x-unknown?Q?a_b?="},

    /* … but for what may be more than a name to a reader who knows better. */
    {"=?x-unknown?Q?boss=40bank.de?=", ""},
    {"=?x-unknown?B?Ym9zc0BiYW5rLmRl?=", ""},
    {"=?x-unknown?Q?a=0D=0AFrom:_b?=", ""},
    {"=?x-unknown?Q?=EF=BC=A0?=", ""},
    {"=?x-unknown?Q?=3D=3Futf-8?=", ""},
    {"=?x(y)?Q?a?=", ""},
    {"=?x*(y)?Q?a?=", "=?x?Q?a?="},

    /* … and what is only too long is read as raw text. */
    {"=?x-unknown?Q?M=FCller_und_S=F6hne,_Praxis_f=FCr_alles,_was_lang_genug_ist_f=FCr_75_Octets?=",
     "M\xc3\xbcller und S\xc3\xb6hne, Praxis f\xc3\xbcr alles, was lang genug ist f\xc3\xbcr 75 "
     "Octets"},
    {"=?x-unknown?Q?M=C3=BCller_und_S=C3=B6hne,_Praxis_f=C3=BCr_alles,_was_lang_genug_ist?=",
     "M\xc3\xbcller und S\xc3\xb6hne, Praxis f\xc3\xbcr alles, was lang genug ist"},

    /* What is damaged is read as far as it goes. */
    {"=?utf-8?Q?M=FCller?=", "M" GAP "ller"},
    {"=?us-ascii?Q?M=FCller?=", "M\xc3\xbcller"},
    {"=?unknown-8bit?Q?M=FCller?=", "M\xc3\xbcller"},
    {"=?utf-8?Q?M=ZZ?=", "M=ZZ"},
    {"=?utf-8?Q?M=?=", "M="},
    {"=?utf-8?B?TcO8b?=", "M\xc3\xbc"},
    {"=?utf-8?B?TcO8bG*xlcg==?=", "M\xc3\xbcller"},
    {"=?utf-8?B?TcO8 bGxl cg==?=", "M\xc3\xbcller"}, /* blanks in it */
    {"=?utf-8?B?TcO8\n bGxlcg==?=", "M\xc3\xbcller"},
    {"=?utf-8?Q?M=C3=BC?= =?utf-8?Q?=FF?=", "M\xc3\xbc" GAP},
    {"=?utf-8?Q?Praxisgemeinschaft_f=C3=BCr_Psychotherapie_und_Psychosomatische_Medizin_M=C3?=",
     "Praxisgemeinschaft f\xc3\xbcr Psychotherapie und Psychosomatische Medizin M" GAP},
    {"=?UTF-8?B?5bGx55Sw5aSq6YOO5bGx55Sw5aSq6YOO5bGx55Sw5aSq6YOO5bGx55Sw5aSq6YOO5bGx55Sw5aQ=?=",
     "\xe5\xb1\xb1\xe7\x94\xb0\xe5\xa4\xaa\xe9\x83\x8e\xe5\xb1\xb1\xe7\x94\xb0\xe5\xa4\xaa\xe9\x83"
     "\x8e\xe5\xb1\xb1\xe7\x94\xb0\xe5\xa4\xaa\xe9\x83\x8e\xe5\xb1\xb1\xe7\x94\xb0\xe5\xa4\xaa\xe9"
     "\x83\x8e\xe5\xb1\xb1\xe7\x94\xb0" GAP},
    {"=?utf-8?Q?boss=40bank.de=FF?=", "boss@bank.de" GAP}, /* decoded, not yet safe */
    {"=?utf-7?Q?+AEA-=FF?=", "@" GAP},
    {"=?euc-kr?Q?=B1?= =?euc-kr?Q?=E8=B1=E8?=", "\xea\xb9\x80\xea\xb9\x80"}, /* joined */
    {"=?euc-kr?Q?a=B1?= =?euc-kr?Q?=B1=E8=B1=E8?=",
     "a" GAP "\xea\xb9\x80\xea\xb9\x80"}, /* better one by one */

    /* 8-bit octets inside of a word: of its charset, but for what is UTF-8. */
    {"=?utf-8?Q?M\xc3\xbcller?=", "M\xc3\xbcller"},
    {"=?iso-8859-1?Q?M\xfcller_=FC?=", "M\xc3\xbcller \xc3\xbc"},
    {"=?iso-8859-1?Q?M\xc3\xbcller?=", "M\xc3\xbcller"},
    {"=?gb2312?Q?\xd5\xc5?=", "\xe5\xbc\xa0"},
    {"=?utf-8?Q?M\xfcller?=", "M" GAP "ller"},
    {"M\xfcller =?utf-8?Q?M=C3=BCller?= M\xfcller", "M\xc3\xbcller M\xc3\xbcller M\xc3\xbcller"},

    /* Labels as browsers know them. */
    {"=?ks_c_5601-1987?B?sei/tcij?=", "\xea\xb9\x80\xec\x98\x81\xed\x98\xb8"},
    {"=?x-sjis?B?jlKTYw==?=", "\xe5\xb1\xb1\xe7\x94\xb0"},
    {"=?gb2312?Q?=96=7C?=", "\xe6\x9d\xb1"}, /* GBK */
    {"=?iso-8859-8-i?Q?=F9=EC=E5=ED?=", "\xd7\xa9\xd7\x9c\xd7\x95\xd7\x9d"},
    {"=?ISO-2022-JP?B?GyRCfGItIRsoQg==?=", "\xe9\xab\x99\xe2\x91\xa0"}, /* vendors' characters */

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

    g_autoptr(Charsets) charsets = charsets_new();

    (void)state;
    assert_int_equal(encoded_words_opaque("=?x-unknown?Q?b?= c", charsets),
                     strlen("=?x-unknown?Q?b?="));
    assert_int_equal(encoded_words_opaque("a =?x-unknown?Q?b?=", charsets), 0);
    assert_int_equal(encoded_words_opaque("=?utf-8?Q?b?=", charsets),
                     0); /* that one can be decoded */
    assert_int_equal(encoded_words_opaque("=?x-unknown?Q?b=40c?=", charsets), 0);
    assert_int_equal(encoded_words_opaque(longest, charsets), strlen(longest) - 3);
    assert_int_equal(encoded_words_opaque(too_long, charsets), 0);
}

static const struct tame_row {
    const char *text;
    const char *tame;
} tame_rows[] = {
    {"a =?utf-8?Q?=0D=0AFrom:_x?= =?utf-8?Q?M=C3=BC?= =?x-u?Q?=00b?= =?utf-8?Q?",
     "a From: x =?utf-8?Q?M=C3=BC?= b =?utf-8?Q?"},
    {"=?utf-8?Q?M=FCller?= <", "=?utf-8?Q?M=FCller?= <"}, /* damaged, but nothing to fear */
    {"=?utf-8?B?TcO8 bGxlcg==?= <", "M\xc3\xbcller <"},
    {"=?iso-8859-1?Q?M\xfcller?= \xfc", "M\xc3\xbcller \xc3\xbc"},
    {"=?utf-8?Q?M=C3=BCller_und_S=C3=B6hne=2C_Praxis_f=C3=BCr_alles=2C_was_lang_genug_i?=",
     "M\xc3\xbcller und S\xc3\xb6hne, Praxis f\xc3\xbcr alles, was lang genug i"},
    {"=?utf-8?Q?=0D=3D=3Fa=3FQ=3F=0D=3F=3D?=", " ?a?Q? ?="}, /* no word within the word */
    {"=?cp850?Q?a?= =?cp851?Q?a?= =?cp852?Q?a?= =?cp855?Q?a?= =?cp857?Q?a?= =?cp860?Q?a?= "
     "=?cp861?Q?a?= =?cp862?Q?a?= =?utf-7?Q?+AA0-?=",
     "=?cp850?Q?a?= =?cp851?Q?a?= =?cp852?Q?a?= =?cp855?Q?a?= =?cp857?Q?a?= =?cp860?Q?a?= "
     "=?cp861?Q?a?= =?cp862?Q?a?= "}, /* more charsets than we open */
};

static void test_tame(void **state)
{
    const struct tame_row *row = *state;
    g_autofree char *tame = encoded_words_tame(row->text, strlen(row->text));

    assert_string_equal(tame, row->tame);
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
    assert_int_equal(strlen(decoded), ENCODED_WORDS_DECODED_MAX);
    assert_true(g_str_has_prefix(text->str, decoded));
}

/* What nobody would see of a name is not decoded, and no character is cut. */
static void test_bounded(void **state)
{
    g_autoptr(GString) text = g_string_new("a");
    g_autofree char *decoded = NULL;

    (void)state;
    for (int i = 0; i < 4000; i++)
        g_string_append(text, "=?UHC?Q?=FF?= =?GBK?Q?=FF?= ");
    decoded = encoded_words_decode(text->str, text->len);
    assert_in_range(strlen(decoded), ENCODED_WORDS_DECODED_MAX - 2, ENCODED_WORDS_DECODED_MAX);
    assert_true(g_utf8_validate(decoded, -1, NULL));
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
    for (size_t i = 0; i < G_N_ELEMENTS(tame_rows); i++)
        table_add(tests, tame_rows[i].text, test_tame, &tame_rows[i]);
    table_add(tests, "bounded", test_bounded, NULL);
    table_add(tests, "many beginnings", test_many_beginnings, NULL);
    table_add(tests, "round trip", test_round_trip, NULL);
    table_add(tests, "marks stay with their letter", test_marks_stay_with_their_letter, NULL);
    table_add(tests, "shorter", test_shorter, NULL);
    return table_run(tests, "encoded_words");
}
