/* What clients send to return_socket: pieces of any length come out as the whole does. */
#include "config.h"

#include "returns/socketmap_reader.h"

#include <string.h>

#include "check.h"

/* The keys that come out, each with its length, and how it ended. */
static void read_in_pieces(const char *octets, size_t length, size_t piece, GString *out)
{
    g_autoptr(SocketmapReader) reader = socketmap_reader_new();
    size_t at = 0;

    while (at < length) {
        size_t given = MIN(piece, length - at);
        SocketmapKey key = {0};
        gsize read = 0;
        SocketmapOutcome outcome = socketmap_reader_read(reader, octets + at, given, &read, &key);

        check(read > 0 && read <= given);
        check(outcome != SOCKETMAP_MORE || read == given);
        at += read;
        if (outcome == SOCKETMAP_REQUEST) {
            check((key.octets == NULL) == (key.length > SOCKETMAP_KEY_MAX));
            g_string_append_printf(out, "%" G_GSIZE_FORMAT ":", key.length);
            g_string_append_len(out, key.octets, key.octets != NULL ? (gssize)key.length : 0);
        }
        if (outcome == SOCKETMAP_BROKEN) {
            g_string_append(out, "!");
            return;
        }
    }
    g_string_append(out, socketmap_reader_has_part(reader) ? "+" : ".");
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    g_autoptr(GString) whole = g_string_new(NULL);
    g_autoptr(GString) pieces = g_string_new(NULL);
    size_t piece = size > 0 ? 1 + data[0] % 16 : 1;

    if (size == 0)
        return 0;
    read_in_pieces((const char *)data + 1, size - 1, size, whole);
    read_in_pieces((const char *)data + 1, size - 1, piece, pieces);
    check(g_string_equal(whole, pieces));
    return 0;
}
