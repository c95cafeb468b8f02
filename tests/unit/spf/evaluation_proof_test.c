/* The proof over a network against what each of its addresses gives by itself. */
#include "config.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <string.h>
#include <sys/socket.h>

#include "unit/dns/memory_dns.h"
#include "spf/evaluation.h"

#if defined __SANITIZE_ADDRESS__ || defined __SANITIZE_THREAD__
#define POLICIES 200
#endif
#if defined __has_feature && !defined POLICIES
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer) ||                         \
    __has_feature(memory_sanitizer)
#define POLICIES 200
#endif
#endif
#ifndef POLICIES
#define POLICIES 2000
#endif

#define GROUPS 8 /* tests that the policies are spread over: one TAP line each */
#define DOMAINS 5
#define HOSTS 6

static EvaluationQuestion question_for(const char *relay)
{
    EvaluationQuestion question = {
        .domain = "example.org", .local_part = "mueller", .helo = "mail.example.net"};

    assert_true(network_parse(relay, &question.relay, NULL));
    return question;
}

/* Single policies, with what comes out for a network. */
static const struct row {
    const char *record;
    const char *relay;
    const char *wanted; /* result, piece, mechanism; "unproven" for the result where it is that */
} rows[] = {
    {"ip4:54.240.0.0/16 -all", "54.240.0.0/18", "pass 54.240.0.0/18 ip4:54.240.0.0/16"},
    {"ip4:54.240.0.0/19 ip4:54.240.32.0/20 -all", "54.240.0.0/18", "fail 54.240.48.0/20 -all"},
    {"ip4:54.240.32.0/19 ~all", "54.240.0.0/18", "softfail 54.240.0.0/19 ~all"},
    {"ip4:54.240.0.0/19 ip4:54.240.32.0/19 -all", "54.240.0.0/18",
     "pass 54.240.0.0/18 ip4:54.240.0.0/19"},
    {"-all", "54.240.0.0/18", "fail 54.240.0.0/18 -all"},
    {"-ip4:54.240.63.255 +all", "54.240.0.0/18", "fail 54.240.63.255 -ip4:54.240.63.255"},
    {"exists:%{i}.x.org -all", "54.240.0.0/18", "unproven 54.240.0.0/18 exists:%{i}.x.org"},
    {"exists:%{i}.x.org +all", "54.240.0.0/18", "pass 54.240.0.0/18 +all"},
    {"ip4:54.240.0.0/16 exists:%{i}.x.org -all", "54.240.0.0/18",
     "pass 54.240.0.0/18 ip4:54.240.0.0/16"},
    {"ip4:54.240.0.0/19 ptr -all", "54.240.0.0/18", "unproven 54.240.32.0/19 ptr"},
    {"exists:%{l}.%{d}.%{v}.x.org +all", "54.240.0.0/18", "pass 54.240.0.0/18 +all"},
    {"a:%{p}.x.org -all", "192.0.2.0/23", "unproven 192.0.2.0/23 a:%{p}.x.org"},
    {"a:%{p}.x.org +all", "192.0.2.0/23", "pass 192.0.2.0/23 +all"},
    {"exists:%{i}.y.org -all", "192.0.2.0/24", "pass 192.0.2.0/24 exists:%{i}.y.org"},
    {"exists:%{i}.z.org -all", "192.0.2.0/24", "fail 192.0.2.4 -all"},
    {"exists:%{i}.y.org -all", "192.0.2.77", "pass 192.0.2.77 exists:%{i}.y.org"},
    {"exists:%{i}.y.org -all", "2001:db8::/120", "pass 2001:db8::/120 exists:%{i}.y.org"},
    {"exists:%{i}.y.org -all", "2001:db8::/64", "unproven 2001:db8::/64 exists:%{i}.y.org"},
    {"ip6:2001:db8::/32 -all", "2001:db8::/48", "pass 2001:db8::/48 ip6:2001:db8::/32"},
    {"ip6:2001:db8::/49 ip6:2001:db8:0:8000::/50 -all", "2001:db8::/48",
     "fail 2001:db8:0:c000::/50 -all"},
    {"-ip6:2001:db8::ffff:ffff:ffff:ffff +all", "2001:db8::/64",
     "fail 2001:db8::ffff:ffff:ffff:ffff -ip6:2001:db8::ffff:ffff:ffff:ffff"},
    {"a:h.org/25 a:h2.org/25 -all", "192.0.2.0/24", "pass 192.0.2.0/24 a:h.org/25"},
    {"a:h.org -all", "192.0.2.0/24", "fail 192.0.2.0 -all"},
    {"ip4:192.0.2.0/25 include:none.org -all", "192.0.2.0/24", "permerror 192.0.2.128/25 -"},
    {"include:none.org ip4:192.0.2.0/25 -all", "192.0.2.0/24", "permerror 192.0.2.0/24 -"},

    /* A term that depends on the address but can only give a pass: what if it does not match? */
    {"include:mx.ovh.com include:pool.org -all", "54.240.0.0/18",
     "pass 54.240.0.0/18 include:pool.org"},
    {"ptr include:pool.org -all", "54.240.0.0/18", "pass 54.240.0.0/18 include:pool.org"},
    {"exists:%{i}.x.org include:pool.org -all", "54.240.0.0/18",
     "pass 54.240.0.0/18 include:pool.org"},
    {"a:%{ir}.%{v}.x.org/24 include:pool.org -all", "54.240.0.0/18",
     "pass 54.240.0.0/18 include:pool.org"},
    {"exists:%{p}.x.org include:pool.org -all", "54.240.0.0/18",
     "pass 54.240.0.0/18 include:pool.org"},
    {"exists:%{i}.x.org ip6:2001:db8::/32 -all", "2001:db8::/48",
     "pass 2001:db8::/48 ip6:2001:db8::/32"},
    {"ptr ip4:54.240.0.0/19 ip4:54.240.32.0/19 -all", "54.240.0.0/18",
     "pass 54.240.0.0/18 ip4:54.240.0.0/19"},
    {"include:deep.org include:pool.org -all", "54.240.0.0/18",
     "pass 54.240.0.0/18 include:pool.org"},
    {"redirect=deep.org", "54.240.0.0/18", "unproven 54.240.0.0/18 exists:%{i}.x.org"},
    {"ptr redirect=pool.org", "54.240.0.0/18", "pass 54.240.0.0/18 ip4:54.240.0.0/18"},
    {"ptr +all", "54.240.0.0/18", "pass 54.240.0.0/18 +all"},
    {"exists:%{l}.%{i}.x.org include:pool.org -all", "54.240.0.0/18",
     "pass 54.240.0.0/18 include:pool.org"},

    /* What a match gives is no pass, or what happens otherwise is not known. */
    {"ptr -all", "54.240.0.0/18", "unproven 54.240.0.0/18 ptr"},
    {"ptr ?all", "54.240.0.0/18", "unproven 54.240.0.0/18 ptr"},
    {"include:mx.ovh.com -all", "54.240.0.0/18", "unproven 54.240.0.0/18 ptr:mail-out.ovh.net"},
    {"?ptr include:pool.org -all", "54.240.0.0/18", "unproven 54.240.0.0/18 ?ptr"},
    {"-exists:%{i}.x.org include:pool.org -all", "54.240.0.0/18",
     "unproven 54.240.0.0/18 -exists:%{i}.x.org"},
    {"~include:mx.ovh.com include:pool.org -all", "54.240.0.0/18",
     "unproven 54.240.0.0/18 ptr:mail-out.ovh.net"},
    {"?include:deeper.org include:pool.org -all", "54.240.0.0/18",
     "unproven 54.240.0.0/18 exists:%{i}.x.org"},
    {"include:minus.org include:pool.org -all", "54.240.0.0/18",
     "unproven 54.240.0.0/18 -exists:%{i}.x.org"},
    {"ptr -exists:%{i}.x.org include:pool.org -all", "54.240.0.0/18",
     "unproven 54.240.0.0/18 -exists:%{i}.x.org"},
    {"include:%{i}.x.org include:pool.org -all", "54.240.0.0/18",
     "unproven 54.240.0.0/18 include:%{i}.x.org"},
    {"mx:%{i}.x.org include:pool.org -all", "54.240.0.0/18",
     "unproven 54.240.0.0/18 mx:%{i}.x.org"},
    {"ptr include:none.org -all", "54.240.0.0/18", "unproven 54.240.0.0/18 ptr"},
    {"ptr include:late.org include:pool.org -all", "54.240.0.0/18", "temperror 54.240.0.0/18 -"},

    /* The limits: two void look-ups, ten look-ups. */
    {"ptr exists:%{i}.x.org include:pool.org -all", "54.240.0.0/18",
     "pass 54.240.0.0/18 include:pool.org"},
    {"ptr ptr:x.org exists:%{i}.x.org include:pool.org -all", "54.240.0.0/18",
     "unproven 54.240.0.0/18 ptr"},
    {"a:none.org a:none2.org ptr include:pool.org -all", "54.240.0.0/18",
     "unproven 54.240.0.0/18 ptr"},
    {"a:none.org ptr include:pool.org -all", "54.240.0.0/18",
     "pass 54.240.0.0/18 include:pool.org"},
    {"ptr include:pool.org a:none.org a:none2.org -all", "54.240.0.0/18",
     "pass 54.240.0.0/18 include:pool.org"},
    {"exists:%{p}.x.org ptr include:pool.org -all", "54.240.0.0/18",
     "unproven 54.240.0.0/18 exists:%{p}.x.org"},
    {"ptr a:h.org a:h.org a:h.org a:h.org a:h.org a:h.org a:h.org a:h.org include:pool.org -all",
     "54.240.0.0/18", "pass 54.240.0.0/18 include:pool.org"},
    {"ptr a:h.org a:h.org a:h.org a:h.org a:h.org a:h.org a:h.org a:h.org a:h.org include:pool.org "
     "-all",
     "54.240.0.0/18", "unproven 54.240.0.0/18 ptr"},

    /* Of a small network each address is tried if it has to be. */
    {"-exists:%{i}.z.org ip4:192.0.2.0/24 -all", "192.0.2.4/31",
     "fail 192.0.2.5 -exists:%{i}.z.org"},
    {"-exists:%{i}.w.org ip4:192.0.2.0/24 -all", "192.0.2.0/24",
     "fail 192.0.2.9 -exists:%{i}.w.org"},
    {"-exists:%{i}.x.org ip4:192.0.2.0/24 -all", "192.0.2.0/24",
     "pass 192.0.2.0/24 ip4:192.0.2.0/24"},
    {"exists:%{i}.w.org ip4:192.0.2.0/24 -all", "192.0.2.0/24",
     "pass 192.0.2.0/24 ip4:192.0.2.0/24"},
};

static void test_row(void **state)
{
    const struct row *row = *state;
    g_autoptr(Dns) dns = memory_dns_new();
    g_autoptr(EvaluationContext) context = evaluation_context_new(dns, G_MAXINT64);
    EvaluationQuestion question = question_for(row->relay);
    g_autofree char *record = g_strconcat("v=spf1 ", row->record, NULL);
    g_autoptr(Evaluation) evaluation = NULL;
    g_autofree char *got = NULL;
    char piece[NETWORK_TEXT_MAX];

    memory_dns_add(dns, "example.org", DNS_TXT, record);
    memory_dns_add(dns, "*.y.org", DNS_A, "127.0.0.2");
    memory_dns_add(dns, "*.z.org", DNS_A, "127.0.0.2");
    memory_dns_add(dns, "192.0.2.4.z.org", DNS_TXT, "no address");
    memory_dns_add(dns, "h.org", DNS_A, "192.0.2.1");
    memory_dns_add(dns, "h2.org", DNS_A, "192.0.2.200");
    memory_dns_add(dns, "192.0.2.9.w.org", DNS_A, "127.0.0.2");
    memory_dns_add(dns, "pool.org", DNS_TXT, "v=spf1 ip4:54.240.0.0/18 -all");
    memory_dns_add(dns, "mx.ovh.com", DNS_TXT,
                   "v=spf1 ptr:mail-out.ovh.net ptr:mail.ovh.net ip4:8.33.137.105/32 "
                   "ip4:192.99.77.81/32 ?all");
    memory_dns_add(dns, "deep.org", DNS_TXT, "v=spf1 include:deeper.org -all");
    memory_dns_add(dns, "deeper.org", DNS_TXT, "v=spf1 exists:%{i}.x.org ?all");
    memory_dns_add(dns, "minus.org", DNS_TXT, "v=spf1 -exists:%{i}.x.org +all");
    memory_dns_add_timeouts(dns, "late.org");
    evaluation = evaluation_run(context, &question);
    got = g_strdup_printf(
        "%s %s %s", evaluation->is_unproven ? "unproven" : spf_result_text(evaluation->result),
        network_text(&evaluation->piece, piece),
        evaluation->mechanism != NULL ? evaluation->mechanism : "-");
    assert_string_equal(got, row->wanted);
    if (evaluation->is_unproven) {
        assert_int_equal(evaluation->result, SPF_NEUTRAL);
        assert_non_null(strstr(evaluation->reason, "depends on the address"));
        assert_non_null(strstr(evaluation->reason, evaluation->mechanism));
    }
}

/* A network in too many pieces. */
static void test_bound(void **state)
{
    g_autoptr(Dns) dns = memory_dns_new();
    g_autoptr(EvaluationContext) context = evaluation_context_new(dns, G_MAXINT64);
    EvaluationQuestion question = question_for("10.0.0.0/20");
    g_autoptr(GString) record = g_string_new("v=spf1");
    g_autoptr(Evaluation) evaluation = NULL;

    (void)state;
    for (int i = 0; i < EVALUATION_PIECES_MAX; i++)
        g_string_append_printf(record, " ip4:10.0.%d.%d", i / 32, i % 32 * 8);
    g_string_append(record, " +all");
    memory_dns_add(dns, "example.org", DNS_TXT, record->str);
    evaluation = evaluation_run(context, &question);
    assert_true(evaluation->is_unproven);
    assert_int_equal(evaluation->result, SPF_NEUTRAL);
    assert_non_null(strstr(evaluation->reason, "too many pieces"));
}

/* The sum of the pieces: the smallest TTL, and whether any of them holds for one address only. */
static void test_sums(void **state)
{
    g_autoptr(Dns) dns = memory_dns_new();
    g_autoptr(EvaluationContext) context = evaluation_context_new(dns, G_MAXINT64);
    EvaluationQuestion question = question_for("192.0.2.0/24");
    g_autoptr(Evaluation) evaluation = NULL;

    (void)state;
    memory_dns_add(dns, "example.org", DNS_TXT, "v=spf1 ip4:192.0.2.0/25 exists:%{l}.x.org -all");
    memory_dns_set_ttl(dns, 60);
    memory_dns_add(dns, "mueller.x.org", DNS_A, "127.0.0.2");
    evaluation = evaluation_run(context, &question);
    assert_int_equal(evaluation->result, SPF_PASS);
    assert_true(evaluation->uses_sender);
    assert_int_equal(evaluation->ttl, 60);
}

/* Random policies. The seed is fixed, so that a difference can be looked at again. */
typedef struct {
    GRand *rand;
    Dns *dns;
    bool is_ip6;
} Maker;

static guint roll(Maker *maker, guint sides)
{
    return (guint)g_rand_int_range(maker->rand, 0, (gint)sides);
}

/* An address in or near the network, 192.0.2.0/24 or 2001:db8::/120. */
static char *random_address(Maker *maker)
{
    guint near = roll(maker, 8) == 0 ? 1 : 0;

    if (maker->is_ip6)
        return g_strdup_printf("2001:db8::%x%02x", near, roll(maker, 256));
    return g_strdup_printf("192.0.%u.%u", 2 + near, roll(maker, 256));
}

static char *random_length(Maker *maker)
{
    static const guint lengths[] = {0, 16, 22, 23, 24, 25, 25, 26, 26, 27, 28, 29, 30, 31, 32, 32};
    guint length = lengths[roll(maker, G_N_ELEMENTS(lengths))];

    if (roll(maker, 3) == 0)
        return g_strdup("");
    return maker->is_ip6 ? g_strdup_printf("//%u", length == 0 ? 0 : length + 96)
                         : g_strdup_printf("/%u", length);
}

static char *random_network(Maker *maker)
{
    g_autofree char *address = random_address(maker);
    g_autofree char *length = random_length(maker);

    if (maker->is_ip6)
        return g_strdup_printf("ip6:%s%s", address, length[0] == '/' ? length + 1 : "");
    return g_strdup_printf("ip4:%s%s", address, length);
}

static char *random_term(Maker *maker)
{
    static const char qualifiers[] = {'+', '+', '+', '-', '~', '?'};
    g_autofree char *network = random_network(maker);
    g_autofree char *length = random_length(maker);
    char qualifier = qualifiers[roll(maker, sizeof qualifiers)];

    switch (roll(maker, 12)) {
    case 0:
    case 1:
        return g_strdup_printf(" %cinclude:d%u.org", qualifier, roll(maker, DOMAINS));
    case 2:
    case 3:
        return g_strdup_printf(" %ca:h%u.org%s", qualifier, roll(maker, HOSTS), length);
    case 4:
        return g_strdup_printf(" %cmx:d%u.org%s", qualifier, roll(maker, DOMAINS), length);
    case 5:
        return g_strdup_printf(" %cexists:h%u.org", qualifier, roll(maker, HOSTS + 1));
    case 6:
        return roll(maker, 4) == 0 ? g_strdup_printf(" %cexists:%%{i}.x.org", qualifier)
                                   : g_strdup("");
    case 7:
        return roll(maker, 4) == 0 ? g_strdup_printf(" %cptr:x.org", qualifier) : g_strdup("");
    default:
        return g_strdup_printf(" %c%s", qualifier, network);
    }
}

static char *random_record(Maker *maker)
{
    static const char *const ends[] = {" -all", " ~all", " ?all", " +all", "", " redirect=d4.org"};
    GString *record = g_string_new("v=spf1");
    guint terms = roll(maker, 6);

    for (guint i = 0; i < terms; i++) {
        g_autofree char *term = random_term(maker);

        g_string_append(record, term);
    }
    g_string_append(record, ends[roll(maker, G_N_ELEMENTS(ends))]);
    return g_string_free(record, FALSE);
}

static void add_hosts(Maker *maker)
{
    for (guint i = 0; i < HOSTS; i++) {
        g_autofree char *name = g_strdup_printf("h%u.org", i);
        g_autofree char *domain = g_strdup_printf("d%u.org", roll(maker, DOMAINS));
        g_autofree char *host = g_strdup_printf("10 %s", name);

        for (guint addresses = roll(maker, 3); addresses > 0; addresses--) {
            g_autofree char *address = random_address(maker);

            memory_dns_add(maker->dns, name, maker->is_ip6 ? DNS_AAAA : DNS_A, address);
        }
        if (roll(maker, 8) == 0)
            memory_dns_add_timeouts(maker->dns, name);
        memory_dns_add(maker->dns, domain, DNS_MX, host);
    }
}

/* Some addresses are known by name, and lead back or not. */
static void add_reverse(Maker *maker)
{
    for (guint i = 0; i < 256; i += 1 + roll(maker, 40)) {
        g_autofree char *name = g_strdup_printf("%u.2.0.192.in-addr.arpa", i);
        g_autofree char *exists = g_strdup_printf("192.0.2.%u.x.org", i);
        g_autofree char *host = g_strdup_printf("r%u.x.org", i);
        g_autofree char *address = g_strdup_printf("192.0.2.%u", i / 2 * 2);

        memory_dns_add(maker->dns, name, DNS_PTR, host);
        memory_dns_add(maker->dns, host, DNS_A, address);
        memory_dns_add(maker->dns, exists, DNS_A, "127.0.0.2");
    }
}

static void add_policy(Maker *maker)
{
    for (guint i = 0; i <= DOMAINS; i++) {
        g_autofree char *name =
            i < DOMAINS ? g_strdup_printf("d%u.org", i) : g_strdup("example.org");
        g_autofree char *record = random_record(maker);

        if (i == DOMAINS || roll(maker, 12) > 0)
            memory_dns_add(maker->dns, name, DNS_TXT, record);
    }
    add_hosts(maker);
    if (!maker->is_ip6)
        add_reverse(maker);
}

/* The address of network at that place. */
static Network address_at(const Network *network, guint place)
{
    Network address = *network;

    address.length = network_bits(network);
    address.octets[address.length / 8 - 1] =
        (guint8)(address.octets[address.length / 8 - 1] + place);
    return address;
}

/* Is it the same for one address of the piece that was proven? All before it have to pass. */
static bool agrees(const Evaluation *proven, const Evaluation *single, const Network *address)
{
    if (proven->result == SPF_PASS ||
        memcmp(address->octets, proven->piece.octets, sizeof address->octets) < 0)
        return single->result == SPF_PASS;
    if (!network_contains(&proven->piece, address))
        return true;
    return single->result == proven->result && single->lookups == proven->lookups &&
           single->void_lookups == proven->void_lookups &&
           g_strcmp0(single->mechanism, proven->mechanism) == 0;
}

static void compare(Maker *maker, guint policy)
{
    g_autoptr(EvaluationContext) context = evaluation_context_new(maker->dns, G_MAXINT64);
    EvaluationQuestion question = question_for(maker->is_ip6 ? "2001:db8::/120" : "192.0.2.0/24");
    Network network = question.relay;
    g_autoptr(Evaluation) proven = evaluation_run(context, &question);

    assert_false(proven->is_unproven);
    for (guint i = 0; i < 256; i++) {
        g_autoptr(Evaluation) single = NULL;
        char text[NETWORK_TEXT_MAX];

        question.relay = address_at(&network, i);
        single = evaluation_run(context, &question);
        if (!agrees(proven, single, &question.relay))
            fail_msg("policy %u, %s: %s by itself, %s by the proof for %s; %s", policy,
                     network_text(&question.relay, text), spf_result_text(single->result),
                     spf_result_text(proven->result),
                     network_text(&proven->piece, (char[NETWORK_TEXT_MAX]){0}), proven->record);
    }
}

static void test_random(void **state)
{
    guint group = *(const guint *)*state;

    for (guint policy = group; policy < POLICIES; policy += GROUPS) {
        Maker maker = {.rand = g_rand_new_with_seed(policy),
                       .dns = memory_dns_new(),
                       .is_ip6 = group % 2 == 1};

        add_policy(&maker);
        compare(&maker, policy);
        dns_free(maker.dns);
        g_rand_free(maker.rand);
    }
}

int main(void)
{
    static guint groups[GROUPS];
    struct CMUnitTest tests[G_N_ELEMENTS(rows) + 2 + GROUPS];
    struct CMUnitTest *test = tests;

    for (size_t i = 0; i < G_N_ELEMENTS(rows); i++)
        *test++ = (struct CMUnitTest){
            .name = rows[i].record, .test_func = test_row, .initial_state = (void *)&rows[i]};
    *test++ = (struct CMUnitTest)cmocka_unit_test(test_bound);
    *test++ = (struct CMUnitTest)cmocka_unit_test(test_sums);
    for (guint i = 0; i < GROUPS; i++) {
        groups[i] = i;
        *test++ = (struct CMUnitTest){
            .name = "random policies", .test_func = test_random, .initial_state = &groups[i]};
    }
    if (!evaluation_init(NULL))
        return 1;
    return cmocka_run_group_tests(tests, NULL, NULL);
}
