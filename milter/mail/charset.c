#include "config.h"

#include "mail/charset.h"

#include <string.h>

#define LABEL_MAX 40
#define REPLACEMENT "\xef\xbf\xbd" /* U+FFFD */

/* How the octets of a charset are read. */
typedef enum {
    WAY_RAW,
    WAY_UTF_8,
    WAY_WINDOWS_1252,
    WAY_ONE,         /* by iconv; behind an invalid octet the next one is tried */
    WAY_TWO,         /* by iconv; an invalid pair of octets above 0x80 is skipped as one */
    WAY_UNITS,       /* by iconv, in units of two octets */
    WAY_ISO_2022_JP, /* by hand, since iconv lacks the vendors' characters; pairs as Shift JIS */
    WAY_HZ,          /* by hand (RFC 1843), pairs as GB 18030 */
} Way;

/* The labels of the WHATWG encoding standard, and some more that only mail knows. */
static const struct encoding {
    Way way;
    const char *iconv_name;
    const char *labels; /* each between two blanks */
} encodings[] = {
    {WAY_RAW, "", " ansi_x3.4-1968 ascii us-ascii unknown-8bit x-user-defined "},
    {WAY_UTF_8, "", " unicode-1-1-utf-8 unicode11utf8 unicode20utf8 utf8 utf-8 x-unicode20utf8 "},
    {WAY_ONE, "IBM866", " 866 cp866 csibm866 ibm866 "},
    {WAY_ONE, "ISO-8859-2",
     " csisolatin2 iso-8859-2 iso-ir-101 iso8859-2 iso88592 iso_8859-2 iso_8859-2:1987 l2"
     " latin2 "},
    {WAY_ONE, "ISO-8859-3",
     " csisolatin3 iso-8859-3 iso-ir-109 iso8859-3 iso88593 iso_8859-3 iso_8859-3:1988 l3"
     " latin3 "},
    {WAY_ONE, "ISO-8859-4",
     " csisolatin4 iso-8859-4 iso-ir-110 iso8859-4 iso88594 iso_8859-4 iso_8859-4:1988 l4"
     " latin4 "},
    {WAY_ONE, "ISO-8859-5",
     " csisolatincyrillic cyrillic iso-8859-5 iso-ir-144 iso8859-5 iso88595 iso_8859-5"
     " iso_8859-5:1988 "},
    {WAY_ONE, "ISO-8859-6",
     " arabic asmo-708 csiso88596e csiso88596i csisolatinarabic ecma-114 iso-8859-6"
     " iso-8859-6-e iso-8859-6-i iso-ir-127 iso8859-6 iso88596 iso_8859-6 iso_8859-6:1987 "},
    {WAY_ONE, "ISO-8859-7",
     " csisolatingreek ecma-118 elot_928 greek greek8 iso-8859-7 iso-ir-126 iso8859-7"
     " iso88597 iso_8859-7 iso_8859-7:1987 sun_eu_greek "},
    {WAY_ONE, "ISO-8859-8",
     " csiso88598e csisolatinhebrew hebrew iso-8859-8 iso-8859-8-e iso-ir-138 iso8859-8"
     " iso88598 iso_8859-8 iso_8859-8:1988 visual csiso88598i iso-8859-8-i logical "},
    {WAY_ONE, "ISO-8859-10", " csisolatin6 iso-8859-10 iso-ir-157 iso8859-10 iso885910 l6 latin6 "},
    {WAY_ONE, "ISO-8859-13", " iso-8859-13 iso8859-13 iso885913 "},
    {WAY_ONE, "ISO-8859-14", " iso-8859-14 iso8859-14 iso885914 "},
    {WAY_ONE, "ISO-8859-15", " csisolatin9 iso-8859-15 iso8859-15 iso885915 iso_8859-15 l9 "},
    {WAY_ONE, "ISO-8859-16", " iso-8859-16 "},
    {WAY_ONE, "KOI8-R", " cskoi8r koi koi8 koi8-r koi8_r "},
    {WAY_ONE, "KOI8-U", " koi8-ru koi8-u "},
    {WAY_ONE, "MACINTOSH", " csmacintosh mac macintosh x-mac-roman "},
    {WAY_ONE, "CP874", " dos-874 iso-8859-11 iso8859-11 iso885911 tis-620 windows-874 "},
    {WAY_ONE, "CP1250", " cp1250 windows-1250 x-cp1250 "},
    {WAY_ONE, "CP1251", " cp1251 windows-1251 x-cp1251 "},
    {WAY_WINDOWS_1252, "",
     " cp1252 cp819 csisolatin1 ibm819 iso-8859-1 iso-ir-100 iso8859-1 iso88591 iso_8859-1"
     " iso_8859-1:1987 l1 latin1 windows-1252 x-cp1252 "},
    {WAY_ONE, "CP1253", " cp1253 windows-1253 x-cp1253 "},
    {WAY_ONE, "CP1254",
     " cp1254 csisolatin5 iso-8859-9 iso-ir-148 iso8859-9 iso88599 iso_8859-9"
     " iso_8859-9:1989 l5 latin5 windows-1254 x-cp1254 "},
    {WAY_ONE, "CP1255", " cp1255 windows-1255 x-cp1255 "},
    {WAY_ONE, "CP1256", " cp1256 windows-1256 x-cp1256 "},
    {WAY_ONE, "CP1257", " cp1257 windows-1257 x-cp1257 "},
    {WAY_ONE, "CP1258", " cp1258 windows-1258 x-cp1258 "},
    {WAY_ONE, "MAC-UK", " x-mac-cyrillic x-mac-ukrainian "},
    {WAY_TWO, "GB18030",
     " gb18030 chinese csgb2312 csiso58gb231280 gb2312 gb_2312 gb_2312-80 gbk iso-ir-58"
     " x-gbk "},
    {WAY_TWO, "BIG5-HKSCS", " big5 big5-hkscs cn-big5 csbig5 x-x-big5 "},
    {WAY_TWO, "EUC-JP-MS", " cseucpkdfmtjapanese euc-jp x-euc-jp "},
    {WAY_ISO_2022_JP, "CP932", " csiso2022jp iso-2022-jp iso-2022-jp-ms cp50220 cp50221 cp50222 "},
    {WAY_ONE, "ISO-2022-JP-2", " iso-2022-jp-1 iso-2022-jp-2 "},
    {WAY_TWO, "CP932", " csshiftjis ms932 ms_kanji shift-jis shift_jis sjis windows-31j x-sjis "},
    {WAY_TWO, "CP949",
     " cseuckr csksc56011987 euc-kr iso-ir-149 korean ks_c_5601-1987 ks_c_5601-1989 ksc5601"
     " ksc_5601 windows-949 "},
    {WAY_UNITS, "UTF-16BE", " unicodefffe utf-16be "},
    {WAY_ONE, "ARRAYBUFFERVIEW", " ArrayBuffer "},
    {WAY_UNITS, "UTF-16LE", " unicodefeff utf-16le "},
    {WAY_UNITS, "UTF-16", " csunicode iso-10646-ucs-2 ucs-2 unicode utf-16 "},
    {WAY_HZ, "GB18030", " hz-gb-2312 hz "},
    {WAY_ONE, "ISO-2022-KR", " csiso2022kr iso-2022-kr "},
    {WAY_ONE, "ISO-2022-CN-EXT", " iso-2022-cn iso-2022-cn-ext "},
};

/* What windows-1252 has instead of the control characters of ISO 8859-1; 0: nothing. */
static const gunichar windows_1252[32] = {
    0x20ac, 0,      0x201a, 0x0192, 0x201e, 0x2026, 0x2020, 0x2021, 0x02c6, 0x2030, 0x0160,
    0x2039, 0x0152, 0,      0x017d, 0,      0,      0x2018, 0x2019, 0x201c, 0x201d, 0x2022,
    0x2013, 0x2014, 0x02dc, 0x2122, 0x0161, 0x203a, 0x0153, 0,      0x017e, 0x0178,
};

typedef struct {
    char label[LABEL_MAX + 1];
    Way way;
    GIConv converter; /* (GIConv)-1: none is needed */
} Charset;

struct Charsets {
    Charset opened[CHARSETS_MAX];
    guint length;
};

Charsets *charsets_new(void)
{
    return g_new0(Charsets, 1);
}

void charsets_free(Charsets *charsets)
{
    if (charsets == NULL)
        return;
    for (guint i = 0; i < charsets->length; i++)
        if (charsets->opened[i].converter != (GIConv)-1)
            g_iconv_close(charsets->opened[i].converter);
    g_free(charsets);
}

static const struct encoding *encoding_of(const char *label)
{
    char word[LABEL_MAX + 3];

    g_snprintf(word, sizeof word, " %s ", label);
    for (char *at = word; *at != '\0'; at++)
        *at = g_ascii_tolower(*at);
    for (gsize i = 0; i < G_N_ELEMENTS(encodings); i++)
        if (strstr(encodings[i].labels, word) != NULL)
            return &encodings[i];
    return NULL;
}

/* Opens what reads label. Returns whether there is such a thing. */
static bool open_charset(Charset *charset, const char *label)
{
    const struct encoding *encoding = encoding_of(label);

    g_strlcpy(charset->label, label, sizeof charset->label);
    charset->way = encoding != NULL ? encoding->way : WAY_ONE;
    charset->converter = (GIConv)-1;
    if (charset->way < WAY_ONE)
        return true;
    charset->converter = g_iconv_open("UTF-8", encoding != NULL ? encoding->iconv_name : label);
    return charset->converter != (GIConv)-1;
}

/*
 * Finds charset among those that are open, or opens it while there is room. *is_full tells that
 * there is none.
 */
static const Charset *find_charset(Charsets *charsets, const char *label, bool *is_full)
{
    Charset *next;

    *is_full = false;
    for (guint i = 0; i < charsets->length; i++)
        if (g_ascii_strcasecmp(charsets->opened[i].label, label) == 0)
            return &charsets->opened[i];
    if (label[0] == '\0' || strlen(label) > LABEL_MAX)
        return NULL;
    *is_full = charsets->length == CHARSETS_MAX;
    if (*is_full)
        return NULL;
    next = &charsets->opened[charsets->length];
    if (!open_charset(next, label))
        return NULL;
    charsets->length++;
    return next;
}

bool charsets_is_known(Charsets *charsets, const char *charset)
{
    bool is_full;

    return find_charset(charsets, charset, &is_full) != NULL || is_full;
}

/*
 * The octets of the defect at text, which is no valid UTF-8: one, or those of a character that was
 * cut off (what Unicode section 3.9 calls a maximal subpart).
 */
static gsize utf8_defect(const guchar *text, gsize length)
{
    guchar lead = text[0];
    guchar first = lead == 0xe0 ? 0xa0 : lead == 0xf0 ? 0x90 : 0x80;
    guchar last = lead == 0xed ? 0x9f : lead == 0xf4 ? 0x8f : 0xbf;
    gsize most = lead < 0xe0 || lead > 0xf4 ? 1 : lead < 0xf0 ? 2 : 3;
    gsize defect = 1;

    if (most == 1 || length < 2 || text[1] < first || text[1] > last)
        return 1;
    while (defect < most && defect < length && (text[defect] & 0xc0) == 0x80)
        defect++;
    return defect;
}

static guint append_utf8(GString *text, const char *octets, gsize length)
{
    const char *end = octets + length;
    guint replaced = 0;

    while (octets < end) {
        const char *valid;

        g_utf8_validate_len(octets, (gsize)(end - octets), &valid);
        g_string_append_len(text, octets, valid - octets);
        octets = valid;
        if (octets == end)
            break;
        if (*octets == '\0') {
            octets++;
            continue;
        }
        g_string_append(text, REPLACEMENT);
        replaced++;
        octets += utf8_defect((const guchar *)octets, (gsize)(end - octets));
    }
    return replaced;
}

/*
 * By hand, since it is what most names that aren't UTF-8 are in, and glibc loads and unloads a
 * module for each use of iconv.
 */
static void append_windows_1252(GString *text, const char *octets, gsize length)
{
    for (gsize i = 0; i < length; i++) {
        guchar octet = (guchar)octets[i];
        gunichar c = octet >= 0x80 && octet < 0xa0 ? windows_1252[octet - 0x80] : octet;

        if (c != 0)
            g_string_append_unichar(text, c);
    }
}

static void append_without_nuls(GString *text, const char *utf8, gsize length)
{
    for (gsize i = 0; i < length; i++)
        if (utf8[i] != '\0')
            g_string_append_c(text, utf8[i]);
}

/* Converts until it is done or stands before something invalid; false then. */
static bool convert(const Charset *charset, GString *text, gchar **in, gsize *length)
{
    gsize status;

    do {
        gchar buffer[512];
        gchar *out = buffer;
        gsize room = sizeof buffer;

        status = g_iconv(charset->converter, in, length, &out, &room);
        append_without_nuls(text, buffer, (gsize)(out - buffer));
        if (status == (gsize)-1 && out == buffer)
            return false;
    } while (*length > 0 || status == (gsize)-1);
    return true;
}

/* Some charsets (Big5-HKSCS) keep a character back until they see what follows it. */
static void convert_end(const Charset *charset, GString *text)
{
    gchar buffer[64];
    gchar *out = buffer;
    gsize room = sizeof buffer;

    g_iconv(charset->converter, NULL, NULL, &out, &room);
    append_without_nuls(text, buffer, (gsize)(out - buffer));
}

static gsize defect_length(Way way, const guchar *in, gsize length)
{
    bool is_pair = way == WAY_TWO && in[0] > 0x80 && in[0] < 0xff;

    if (way == WAY_UNITS || (is_pair && length > 1 && in[1] >= 0x80))
        return MIN(2, length);
    return 1;
}

static guint append_by_iconv(const Charset *charset, GString *text, const char *octets,
                             gsize length)
{
    gchar *in = (gchar *)octets;
    guint replaced = 0;

    g_iconv(charset->converter, NULL, NULL, NULL, NULL); /* to its first state */
    while (length > 0 && !convert(charset, text, &in, &length)) {
        gsize defect = defect_length(charset->way, (const guchar *)in, length);

        g_string_append(text, REPLACEMENT);
        replaced++;
        in += defect;
        length -= defect;
    }
    convert_end(charset, text);
    return replaced;
}

/* Appends pairs of 7 bits as what they are with the 8th bit set. */
static guint append_pairs(const Charset *charset, GString *text, const char *octets, gsize length)
{
    g_autofree char *pairs = g_malloc(length + 1);
    const Charset euc = {.way = WAY_TWO, .converter = charset->converter};

    for (gsize i = 0; i < length; i++)
        pairs[i] = (char)(octets[i] | 0x80);
    return append_by_iconv(&euc, text, pairs, length);
}

/*
 * Appends pairs of JIS X 0208 by way of Shift JIS, since iconv knows the vendors' rows 13 and 89 to
 * 92 there too (JIS X 0208, annex 1).
 */
static guint append_jis_x_0208(const Charset *charset, GString *text, const char *octets,
                               gsize length)
{
    g_autofree char *pairs = g_malloc(length + 1);
    const Charset shift_jis = {.way = WAY_TWO, .converter = charset->converter};

    for (gsize i = 0; i + 1 < length; i += 2) {
        guchar row = (guchar)octets[i];
        guchar cell = (guchar)octets[i + 1];
        bool is_valid = row >= 0x21 && row <= 0x7e && cell >= 0x21 && cell <= 0x7e;

        pairs[i] = (char)((row + 1) / 2 + (row < 0x5f ? 0x70 : 0xb0));
        pairs[i + 1] = (char)(row % 2 != 0 ? cell + (cell < 0x60 ? 0x1f : 0x20) : cell + 0x7e);
        if (!is_valid)
            pairs[i] = pairs[i + 1] = (char)0xff;
    }
    if (length % 2 != 0)
        pairs[length - 1] = (char)0xff;
    return append_by_iconv(&shift_jis, text, pairs, length);
}

/* JIS X 0201: half-width katakana from U+FF61 on. */
static guint append_katakana(GString *text, const char *octets, gsize length)
{
    guint replaced = 0;

    for (gsize i = 0; i < length; i++) {
        bool is_valid = octets[i] >= 0x21 && octets[i] <= 0x5f;

        g_string_append_unichar(text, is_valid ? 0xff61 + (gunichar)octets[i] - 0x21 : 0xfffd);
        replaced += !is_valid;
    }
    return replaced;
}

/* JIS X 0201: ASCII but for two characters. */
static guint append_roman(GString *text, const char *octets, gsize length)
{
    guint replaced = 0;

    for (gsize i = 0; i < length; i++) {
        if (octets[i] == '\\')
            g_string_append(text, "\xc2\xa5"); /* yen sign */
        else if (octets[i] == '~')
            g_string_append(text, "\xe2\x80\xbe"); /* overline */
        else
            replaced += append_utf8(text, octets + i, 1);
    }
    return replaced;
}

typedef enum { JIS_ASCII, JIS_ROMAN, JIS_KATAKANA, JIS_X_0208 } JisSet;

static guint append_jis(const Charset *charset, GString *text, JisSet set, const char *octets,
                        gsize length)
{
    switch (set) {
    case JIS_ASCII:
        break;
    case JIS_ROMAN:
        return append_roman(text, octets, length);
    case JIS_KATAKANA:
        return append_katakana(text, octets, length);
    case JIS_X_0208:
        return append_jis_x_0208(charset, text, octets, length);
    }
    return append_utf8(text, octets, length);
}

/* Reads an escape sequence behind its ESC. Returns its length, 0 if it is none that we know. */
static gsize jis_escape(const char *text, gsize length, JisSet *set)
{
    static const struct {
        const char *sequence;
        JisSet set;
    } escapes[] = {{"(B", JIS_ASCII},  {"(J", JIS_ROMAN},  {"(H", JIS_ROMAN},  {"(I", JIS_KATAKANA},
                   {"$@", JIS_X_0208}, {"$B", JIS_X_0208}, {"$(B", JIS_X_0208}};

    for (gsize i = 0; i < G_N_ELEMENTS(escapes); i++) {
        gsize size = strlen(escapes[i].sequence);

        if (length < size || memcmp(text, escapes[i].sequence, size) != 0)
            continue;
        *set = escapes[i].set;
        return size;
    }
    return 0;
}

static guint append_iso_2022_jp(const Charset *charset, GString *text, const char *octets,
                                gsize length)
{
    const char *end = octets + length;
    JisSet set = JIS_ASCII;
    guint replaced = 0;

    while (octets < end) {
        const char *escape = memchr(octets, '\x1b', (gsize)(end - octets));
        gsize size;

        if (escape == NULL)
            escape = end;
        replaced += append_jis(charset, text, set, octets, (gsize)(escape - octets));
        if (escape == end)
            break;
        octets = escape + 1;
        size = jis_escape(octets, (gsize)(end - octets), &set);
        octets += size;
        if (size > 0)
            continue;
        g_string_append(text, REPLACEMENT);
        replaced++;
    }
    return replaced;
}

static guint append_hz(const Charset *charset, GString *text, const char *octets, gsize length)
{
    const char *end = octets + length;
    bool is_pairs = false;
    guint replaced = 0;

    while (octets < end) {
        const char *tilde = memchr(octets, '~', (gsize)(end - octets));
        gsize size = (gsize)((tilde != NULL ? tilde : end) - octets);

        replaced +=
            is_pairs ? append_pairs(charset, text, octets, size) : append_utf8(text, octets, size);
        octets += size + 2;
        if (tilde == NULL || octets > end)
            break;
        if (tilde[1] == '~')
            g_string_append_c(text, '~');
        else if (tilde[1] != '\n')
            is_pairs = tilde[1] == '{';
    }
    return replaced;
}

static guint append_by_way(const Charset *charset, GString *text, const char *octets, gsize length)
{
    switch (charset->way) {
    case WAY_RAW:
        charset_append_raw(text, octets, length);
        return 0;
    case WAY_UTF_8:
        return append_utf8(text, octets, length);
    case WAY_WINDOWS_1252:
        append_windows_1252(text, octets, length);
        return 0;
    case WAY_ISO_2022_JP:
        return append_iso_2022_jp(charset, text, octets, length);
    case WAY_HZ:
        return append_hz(charset, text, octets, length);
    case WAY_ONE:
    case WAY_TWO:
    case WAY_UNITS:
        break;
    }
    return append_by_iconv(charset, text, octets, length);
}

guint charsets_append(Charsets *charsets, GString *text, const char *charset, const char *octets,
                      gsize length)
{
    bool is_full;
    const Charset *found = find_charset(charsets, charset, &is_full);

    return found != NULL ? append_by_way(found, text, octets, length) : CHARSETS_NO_ROOM;
}

/* Returns whether text is UTF-8 but for single octets and cut characters, each between valid
 * ones. */
static bool is_nearly_utf8(const char *text, gsize length)
{
    const char *end = text + length;
    bool has_character = false;

    for (bool is_first = true; text < end; is_first = false) {
        const char *valid;

        g_utf8_validate_len(text, (gsize)(end - text), &valid);
        if (valid == text && !is_first)
            return false;
        for (; text < valid; text++)
            has_character |= (guchar)*text >= 0x80;
        if (text < end)
            text += *text == '\0' ? 1 : utf8_defect((const guchar *)text, (gsize)(end - text));
    }
    return has_character;
}

void charset_append_raw(GString *text, const char *octets, gsize length)
{
    if (is_nearly_utf8(octets, length))
        append_utf8(text, octets, length);
    else
        append_windows_1252(text, octets, length);
}
