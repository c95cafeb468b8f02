#include "config.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "spf/network_list.h"

static GArray *list(const char *text)
{
    GArray *networks = g_array_new(FALSE, FALSE, sizeof(Network));
    g_auto(GStrv) words = g_strsplit(text, " ", -1);

    for (char **word = words; *word != NULL && **word != '\0'; word++) {
        Network network;

        assert_true(network_parse(*word, &network, NULL));
        g_array_append_val(networks, network);
    }
    return networks;
}

static char *text_of(const GArray *networks)
{
    GString *text = g_string_new(NULL);
    char network[NETWORK_TEXT_MAX];

    for (guint i = 0; i < networks->len; i++)
        g_string_append_printf(text, "%s%s", i > 0 ? " " : "",
                               network_text(&g_array_index(networks, Network, i), network));
    return g_string_free(text, FALSE);
}

static const struct merge_row {
    const char *networks;
    const char *merged;
} merges[] = {
    {"", ""},
    {"192.0.2.1", "192.0.2.1"},
    {"192.0.2.1 192.0.2.1", "192.0.2.1"},
    {"192.0.2.1 192.0.2.0", "192.0.2.0/31"},
    {"192.0.2.1 192.0.2.2",
     "192.0.2.1 192.0.2.2"}, /* adjacent, but not the halves of one network */
    {"192.0.2.3 192.0.2.1 192.0.2.0 192.0.2.2", "192.0.2.0/30"},
    {"192.0.2.0/25 192.0.2.128/26 192.0.2.192/27 192.0.2.224/27", "192.0.2.0/24"},
    {"192.0.2.77 192.0.2.0/24 192.0.2.128/25", "192.0.2.0/24"},
    {"0.0.0.0/1 128.0.0.0/1", "0.0.0.0/0"},
    {"0.0.0.0/0 192.0.2.1", "0.0.0.0/0"},
    {"2001:db8::/33 192.0.2.0/24 2001:db8:8000::/33", "192.0.2.0/24 2001:db8::/32"},
    {"::/128 0.0.0.0", "0.0.0.0 ::"},
};

static void test_merge(void **state)
{
    const struct merge_row *row = *state;
    g_autoptr(GArray) networks = list(row->networks);
    g_autofree char *got = NULL;

    network_list_merge(networks);
    got = text_of(networks);
    assert_string_equal(got, row->merged);
}

static const struct without_row {
    const char *network;
    const char *holes;
    const char *rest; /* NULL: does not fit in three */
} withouts[] = {
    {"192.0.2.0/24", "", "192.0.2.0/24"},
    {"192.0.2.0/24", "198.51.100.0/24 2001:db8::/32", "192.0.2.0/24"},
    {"192.0.2.0/24", "192.0.2.0/24", ""},
    {"192.0.2.0/24", "192.0.0.0/16", ""},
    {"192.0.2.0/24", "192.0.2.0/25", "192.0.2.128/25"},
    {"192.0.2.0/30", "192.0.2.1", "192.0.2.0 192.0.2.2/31"},
    {"192.0.2.0/30", "192.0.2.1 192.0.2.2", "192.0.2.0 192.0.2.3"},
    {"192.0.2.0/28", "192.0.2.1", NULL},
};

static void test_without(void **state)
{
    const struct without_row *row = *state;
    g_autoptr(GArray) holes = list(row->holes);
    g_autoptr(GArray) rest = list("");
    g_autofree char *got = NULL;
    Network network;
    bool fits;

    assert_true(network_parse(row->network, &network, NULL));
    fits = network_list_add_without(rest, &network, holes, 3);
    assert_int_equal(fits, row->rest != NULL);
    if (!fits)
        return;
    got = text_of(rest);
    assert_string_equal(got, row->rest);
}

int main(void)
{
    struct CMUnitTest tests[G_N_ELEMENTS(merges) + G_N_ELEMENTS(withouts)];

    for (size_t i = 0; i < G_N_ELEMENTS(merges); i++)
        tests[i] = (struct CMUnitTest){.name = merges[i].networks,
                                       .test_func = test_merge,
                                       .initial_state = (void *)&merges[i]};
    for (size_t i = 0; i < G_N_ELEMENTS(withouts); i++)
        tests[G_N_ELEMENTS(merges) + i] =
            (struct CMUnitTest){.name = withouts[i].holes,
                                .test_func = test_without,
                                .initial_state = (void *)&withouts[i]};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
