/* A DKIM key record of any octets; the same record is always the same key. */
#include "config.h"

#include "spf/dkim_key.h"

#include <string.h>

#include "fuzz/check.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    g_autofree char *text = g_malloc(size + 1);
    g_autoptr(DkimKey) key = NULL;
    g_autoptr(DkimKey) again = NULL;

    memcpy(text, data, size);
    text[size] = '\0';
    key = dkim_key_parse(text, size);
    again = dkim_key_parse(text, size);
    check((key != NULL) == (again != NULL));
    check(key == NULL || dkim_key_equal(key, again));
    check(key == NULL || g_bytes_get_size(key->octets) > 0);
    return 0;
}
