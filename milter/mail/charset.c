#include "config.h"

#include "mail/charset.h"

/* What windows-1252 has where ISO 8859-1 has control characters; 0: nothing. */
static const gunichar windows_1252[32] = {
    0x20ac, 0,      0x201a, 0x0192, 0x201e, 0x2026, 0x2020, 0x2021, 0x02c6, 0x2030, 0x0160,
    0x2039, 0x0152, 0,      0x017d, 0,      0,      0x2018, 0x2019, 0x201c, 0x201d, 0x2022,
    0x2013, 0x2014, 0x02dc, 0x2122, 0x0161, 0x203a, 0x0153, 0,      0x017e, 0x0178,
};

static bool is_one_of(const char *charset, const char *const *names)
{
    for (; *names != NULL; names++)
        if (g_ascii_strcasecmp(charset, *names) == 0)
            return true;
    return false;
}

static bool append_utf8(GString *text, const char *octets, gsize length, bool is_lossy)
{
    const char *end = octets + length;
    bool is_right = true;

    while (octets < end) {
        const char *valid;

        g_utf8_validate_len(octets, (gsize)(end - octets), &valid);
        g_string_append_len(text, octets, valid - octets);
        if (valid < end && *valid != '\0')
            is_right = false;
        if (!is_right && !is_lossy)
            return false;
        octets = valid + 1;
    }
    return is_right;
}

/*
 * By hand, since it is what most names that aren't UTF-8 are in, and glibc loads and unloads a
 * module for each use of iconv.
 */
static bool append_windows_1252(GString *text, const char *octets, gsize length, bool is_lossy)
{
    bool is_right = true;

    for (gsize i = 0; i < length && (is_right || is_lossy); i++) {
        guchar octet = (guchar)octets[i];
        gunichar c = octet >= 0x80 && octet < 0xa0 ? windows_1252[octet - 0x80] : octet;

        if (c != 0)
            g_string_append_unichar(text, c);
        else
            is_right &= octet == 0;
    }
    return is_right;
}

static void append_without_nuls(GString *text, const char *utf8, gsize length)
{
    for (gsize i = 0; i < length; i++)
        if (utf8[i] != '\0')
            g_string_append_c(text, utf8[i]);
}

static bool append_by_iconv(GString *text, const char *charset, const char *octets, gsize length,
                            bool is_lossy)
{
    GIConv converter = g_iconv_open("UTF-8", charset);
    gchar *in = (gchar *)octets;
    bool is_right = true;

    if (converter == (GIConv)-1)
        return false;
    while (length > 0 && (is_right || is_lossy)) {
        gchar buffer[512];
        gchar *out = buffer;
        gsize room = sizeof buffer;
        gsize status = g_iconv(converter, &in, &length, &out, &room);

        append_without_nuls(text, buffer, (gsize)(out - buffer));
        if (status != (gsize)-1 || out != buffer)
            continue;
        is_right = false;
        in++;
        length--;
    }
    g_iconv_close(converter);
    return is_right;
}

bool charset_append(GString *text, const char *charset, const char *octets, gsize length,
                    bool is_lossy)
{
    static const char *const utf8[] = {"utf-8", "us-ascii", "utf8", NULL};
    static const char *const latin[] = {"iso-8859-1", CHARSET_WINDOWS_1252, "cp1252", "latin1",
                                        NULL};

    if (is_one_of(charset, utf8))
        return append_utf8(text, octets, length, is_lossy);
    if (is_one_of(charset, latin))
        return append_windows_1252(text, octets, length, is_lossy);
    return append_by_iconv(text, charset, octets, length, is_lossy);
}
