#include "config.h"

#include "base/network.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <string.h>

#include "unit/table.h"

static const struct parse_row {
    const char *name; /* the text */
    const char *text; /* of the network; NULL: an error */
} parse_rows[] = {
    {"192.0.2.25", "192.0.2.25"},
    {"192.0.2.25/32", "192.0.2.25"},
    {"192.0.2.0/28", "192.0.2.0/28"},
    {"0.0.0.0/0", "0.0.0.0/0"},
    {"128.0.0.0/1", "128.0.0.0/1"},
    {"255.255.255.255", "255.255.255.255"},
    {"2001:db8::25", "2001:db8::25"},
    {"2001:DB8:0:0::25", "2001:db8::25"},
    {"2001:db8::/32", "2001:db8::/32"},
    {"2001:db8::/127", "2001:db8::/127"},
    {"::/0", "::/0"},
    {"::", "::"},
    {"ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff", "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff"},
    {"2001:db8::192.0.2.1", "2001:db8::c000:201"},
    /* IPv4-mapped */
    {"::ffff:192.0.2.25", "192.0.2.25"},
    {"::ffff:c000:219", "192.0.2.25"},
    {"::ffff:192.0.2.0/124", "192.0.2.0/28"},
    {"::ffff:0:0/96", "0.0.0.0/0"},
    {"::ffff:0:0/95", NULL},          /* its last bit is set */
    {"::192.0.2.25", "::192.0.2.25"}, /* IPv4-compatible is another thing */
    /* host bits */
    {"192.0.2.1/28", NULL},
    {"192.0.2.128/24", NULL},
    {"128.0.0.0/0", NULL},
    {"2001:db8::1/127", NULL},
    {"::ffff:192.0.2.1/124", NULL},
    /* lengths */
    {"192.0.2.0/33", NULL},
    {"2001:db8::/129", NULL},
    {"192.0.2.0/", NULL},
    {"192.0.2.0/-1", NULL},
    {"192.0.2.0/+24", NULL},
    {"192.0.2.0/ 24", NULL},
    {"192.0.2.0/024", NULL},
    {"192.0.2.0/00", NULL},
    {"192.0.2.0/4294967320", NULL},
    {"192.0.2.0/255.255.255.0", NULL},
    {"192.0.2.0/24/24", NULL},
    {"/24", NULL},
    /* addresses */
    {"", NULL},
    {" 192.0.2.1", NULL},
    {"192.0.2.1 ", NULL},
    {"192.0.2.1\n", NULL},
    {"192.0.2", NULL},
    {"192.0.2.1.", NULL},
    {"192.0.2.256", NULL},
    {"192.0.02.1", NULL}, /* some read that as octal */
    {"0xc0.0.2.1", NULL},
    {"3221225985", NULL},
    {"[2001:db8::25]", NULL},
    {"2001:db8::25::", NULL},
    {"2001:db8::12345", NULL},
    {"2001:db8:1:2:3:4:5:6:7", NULL},
    {"fe80::1%eth0", NULL},
    {"mail.example.net", NULL},
    {"\xff\xfe", NULL},
};

static void test_parse(void **state)
{
    const struct parse_row *row = *state;
    g_autoptr(GError) error = NULL;
    char text[NETWORK_TEXT_MAX];
    Network network;

    if (row->text == NULL) {
        assert_false(network_parse(row->name, &network, &error));
        assert_true(g_error_matches(error, NETWORK_ERROR, NETWORK_ERROR_SYNTAX));
        assert_true(g_utf8_validate(error->message, -1, NULL));
        return;
    }
    assert_true(network_parse(row->name, &network, &error));
    assert_null(error);
    assert_string_equal(network_text(&network, text), row->text);
}

static Network network_of(const char *text)
{
    Network network;

    assert_true(network_parse(text, &network, NULL));
    return network;
}

/* What network_text() writes is what network_parse() reads. */
static void test_round(void **state)
{
    const struct parse_row *row = *state;
    Network network, again;

    if (row->text == NULL)
        return;
    network = network_of(row->name);
    again = network_of(row->text);
    assert_true(network_is_equal(&network, &again));
    assert_memory_equal(&network, &again, sizeof network); /* nothing is left unset */
}

static void test_error(void **state G_GNUC_UNUSED)
{
    g_autoptr(GError) error = NULL;
    Network network;

    assert_false(network_parse("192.0.2.1/28", &network, &error));
    assert_string_equal(error->message,
                        "\"192.0.2.1/28\" is not a network; write it like 192.0.2.0/28");
}

/* A long text is shown cut between two characters. */
static void test_long(void **state G_GNUC_UNUSED)
{
    g_autoptr(GString) text = g_string_new("x");
    g_autoptr(GError) error = NULL;
    Network network;

    for (guint i = 0; i < 1000; i++)
        g_string_append(text, "ü");
    assert_false(network_parse(text->str, &network, &error));
    assert_true(g_utf8_validate(error->message, -1, NULL));
    assert_true(strlen(error->message) < 120);
}

static const struct contains_row {
    const char *name;
    const char *outer;
    const char *inner;
    bool contains;
} contains_rows[] = {
    {"an address and itself", "192.0.2.1", "192.0.2.1", true},
    {"an address and its neighbour", "192.0.2.1", "192.0.2.0", false},
    {"a network and its first address", "192.0.2.16/28", "192.0.2.16", true},
    {"a network and its last address", "192.0.2.16/28", "192.0.2.31", true},
    {"a network and the address before it", "192.0.2.16/28", "192.0.2.15", false},
    {"a network and the address behind it", "192.0.2.16/28", "192.0.2.32", false},
    {"a network and its half", "192.0.2.0/24", "192.0.2.128/25", true},
    {"a half and its network", "192.0.2.128/25", "192.0.2.0/24", false},
    {"the whole and anything", "0.0.0.0/0", "203.0.113.0/24", true},
    {"IPv6 at an octet", "2001:db8::/32", "2001:db8:ffff::/48", true},
    {"IPv6 inside of an octet", "2001:db8:8000::/33", "2001:db8:7fff::1", false},
    {"the IPv4 whole and IPv6", "0.0.0.0/0", "::", false},
    {"the IPv6 whole and IPv4", "::/0", "0.0.0.0", false},
    {"a mapped address is IPv4", "192.0.2.0/24", "::ffff:192.0.2.7", true},
};

static void test_contains(void **state)
{
    const struct contains_row *row = *state;
    Network outer = network_of(row->outer);
    Network inner = network_of(row->inner);

    assert_int_equal(network_contains(&outer, &inner), row->contains);
}

typedef enum { PUBLIC, PRIVATE, HOUSE } Place;

static const struct place_row {
    const char *name; /* the network */
    Place place;
} place_rows[] = {
    {"10.0.0.0", HOUSE},
    {"10.255.255.255", HOUSE},
    {"10.0.0.0/8", HOUSE},
    {"10.0.0.0/7", PUBLIC}, /* not all of it */
    {"9.255.255.255", PUBLIC},
    {"11.0.0.0", PUBLIC},
    {"127.0.0.1", HOUSE},
    {"169.254.1.1", HOUSE},
    {"172.15.255.255", PUBLIC},
    {"172.16.0.0", HOUSE},
    {"172.31.255.255", HOUSE},
    {"172.32.0.0", PUBLIC},
    {"192.168.0.0/16", HOUSE},
    {"192.167.255.255", PUBLIC},
    {"::ffff:10.0.0.1", HOUSE},
    {"100.64.0.0", PRIVATE}, /* CGNAT: shared with strangers */
    {"100.127.255.255", PRIVATE},
    {"100.63.255.255", PUBLIC},
    {"100.128.0.0", PUBLIC},
    {"0.0.0.0", PRIVATE},
    {"0.0.0.0/0", PUBLIC},
    {"192.0.2.1", PUBLIC}, /* documentation */
    {"198.51.100.0/24", PUBLIC},
    {"203.0.113.1", PUBLIC},
    {"8.8.8.8", PUBLIC},
    {"::", PRIVATE},
    {"::1", HOUSE},
    {"::2", PUBLIC},
    {"fc00::1", HOUSE},
    {"fdff::1", HOUSE},
    {"fe00::1", PUBLIC},
    {"fe80::1", HOUSE},
    {"febf::1", HOUSE},
    {"fec0::1", PUBLIC},
    {"2001:db8::25", PUBLIC}, /* documentation */
    {"2a00:1450::1", PUBLIC},
};

static void test_place(void **state)
{
    const struct place_row *row = *state;
    Network network = network_of(row->name);

    assert_int_equal(network_is_private(&network), row->place != PUBLIC);
    assert_int_equal(network_is_house(&network), row->place == HOUSE);
}

static const struct shorten_row {
    const char *name; /* the network */
    guint8 length;
    const char *shortened;
} shorten_rows[] = {
    {"192.0.2.255", 24, "192.0.2.0/24"}, {"192.0.2.255", 28, "192.0.2.240/28"},
    {"192.0.2.255", 0, "0.0.0.0/0"},     {"192.0.2.0/24", 28, "192.0.2.0/24"},
    {"192.0.2.255", 32, "192.0.2.255"},  {"2001:db8:ffff::1", 33, "2001:db8:8000::/33"},
};

static void test_shorten(void **state)
{
    const struct shorten_row *row = *state;
    Network network = network_of(row->name);
    Network shortened = network_shortened(&network, row->length);
    char text[NETWORK_TEXT_MAX];

    assert_string_equal(network_text(&shortened, text), row->shortened);
}

static const struct split_row {
    const char *name; /* the network */
    const char *lower;
    const char *upper;
} split_rows[] = {
    {"0.0.0.0/0", "0.0.0.0/1", "128.0.0.0/1"},
    {"192.0.2.0/24", "192.0.2.0/25", "192.0.2.128/25"},
    {"192.0.2.8/31", "192.0.2.8", "192.0.2.9"},
    {"::/0", "::/1", "8000::/1"},
    {"2001:db8::/64", "2001:db8::/65", "2001:db8:0:0:8000::/65"},
    {"2001:db8::/127", "2001:db8::", "2001:db8::1"},
};

static void test_split(void **state)
{
    const struct split_row *row = *state;
    Network network = network_of(row->name);
    char text[NETWORK_TEXT_MAX];
    Network halves[2];

    network_split(&network, halves);
    assert_string_equal(network_text(&halves[0], text), row->lower);
    assert_string_equal(network_text(&halves[1], text), row->upper);
}

static void test_sockaddr(void **state G_GNUC_UNUSED)
{
    struct sockaddr_in in = {.sin_family = AF_INET};
    struct sockaddr_in6 in6 = {.sin6_family = AF_INET6};
    const struct sockaddr local = {.sa_family = AF_UNIX};
    char text[NETWORK_TEXT_MAX];
    Network network;

    assert_int_equal(inet_pton(AF_INET, "192.0.2.25", &in.sin_addr), 1);
    assert_true(network_from_sockaddr((const struct sockaddr *)(const void *)&in, &network));
    assert_string_equal(network_text(&network, text), "192.0.2.25");

    assert_int_equal(inet_pton(AF_INET6, "2001:db8::25", &in6.sin6_addr), 1);
    assert_true(network_from_sockaddr((const struct sockaddr *)(const void *)&in6, &network));
    assert_string_equal(network_text(&network, text), "2001:db8::25");

    assert_int_equal(inet_pton(AF_INET6, "::ffff:192.0.2.25", &in6.sin6_addr), 1);
    assert_true(network_from_sockaddr((const struct sockaddr *)(const void *)&in6, &network));
    assert_string_equal(network_text(&network, text), "192.0.2.25");
    assert_int_equal(network_bits(&network), 32);

    assert_false(network_from_sockaddr(&local, &network));
}

int main(void)
{
    GArray *tests = table_new();

    TABLE_ADD(tests, parse_rows, test_parse);
    TABLE_ADD(tests, parse_rows, test_round);
    TABLE_ADD(tests, contains_rows, test_contains);
    TABLE_ADD(tests, place_rows, test_place);
    TABLE_ADD(tests, shorten_rows, test_shorten);
    TABLE_ADD(tests, split_rows, test_split);
    table_add(tests, "the error says what to write", test_error, NULL);
    table_add(tests, "2 KB of no network", test_long, NULL);
    table_add(tests, "addresses of sockets", test_sockaddr, NULL);
    return table_run(tests, "network");
}
