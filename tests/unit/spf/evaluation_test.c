#include "config.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <string.h>

#include "unit/dns/memory_dns.h"
#include "spf/check_host.h"
#include "spf/evaluation.h"

#define NEVER G_MAXINT64 /* no deadline */
#define TEXT(name, text) name " IN TXT \"v=spf1 " text "\"\n"
#define OWN(text) TEXT("example.org.", text)

/* mueller@example.org from relay, and what came out: result, mechanism, look-ups, void ones; "s":
 * uses_sender. */
static const struct row {
    const char *name;
    const char *zone; /* every TTL is 300 */
    const char *relay;
    const char *wanted;
} rows[] = {
    {"no record", "example.org. IN A 192.0.2.1\n", "192.0.2.25", "none - 0 0"},
    {"no name", "", "192.0.2.25", "none - 0 0"},
    {"other text", "example.org. IN TXT \"v=DMARC1\"\n", "192.0.2.25", "none - 0 0"},
    {"two records", OWN("-all") OWN("a"), "192.0.2.25", "permerror - 0 0"},
    {"all", OWN("~all"), "192.0.2.25", "softfail ~all 0 0"},
    {"end of the record", OWN("ip4:192.0.2.1"), "192.0.2.25", "neutral - 0 0"},
    {"nothing in it", OWN(""), "192.0.2.25", "neutral - 0 0"},
    {"ip4", OWN("ip4:192.0.2.0/28 ip4:192.0.2.16/28 -all"), "192.0.2.25",
     "pass ip4:192.0.2.16/28 0 0"},
    {"ip4 of a mapped address", OWN("ip4:192.0.2.25 -all"), "::ffff:192.0.2.25",
     "pass ip4:192.0.2.25 0 0"},
    {"ip6 of a mapped address", OWN("ip6:::ffff:192.0.2.25 -all"), "::ffff:192.0.2.25",
     "fail -all 0 0"},
    {"ip6", OWN("ip4:192.0.2.0/24 ?ip6:2001:db8::/32 -all"), "2001:db8::25",
     "neutral ?ip6:2001:db8::/32 0 0"},
    {"loopback has no free ride", OWN("-all"), "127.0.0.1", "fail -all 0 0"},
    {"loopback of IPv6", OWN("~all"), "::1", "softfail ~all 0 0"},
    {"a", OWN("a -all") "example.org. IN A 192.0.2.25\n", "192.0.2.25", "pass a 1 0"},
    {"a without match", OWN("a -all") "example.org. IN A 192.0.2.26\n", "192.0.2.25",
     "fail -all 1 0"},
    {"a with prefix length", OWN("a/24 -all") "example.org. IN A 192.0.2.26\n", "192.0.2.25",
     "pass a/24 1 0"},
    {"a /0", OWN("a/0 -all") "example.org. IN A 198.51.100.1\n", "192.0.2.25", "pass a/0 1 0"},
    {"a /0 of no address", OWN("a/0 -all"), "192.0.2.25", "fail -all 1 1"},
    {"a //64", OWN("a/32//64 -all") "example.org. IN AAAA 2001:db8::1\n", "2001:db8::25",
     "pass a/32//64 1 0"},
    {"aaaa that is mapped", OWN("a -all") "example.org. IN AAAA ::ffff:192.0.2.25\n", "192.0.2.25",
     "fail -all 1 1"},
    {"mx", OWN("mx -all") "example.org. IN MX 10 m.example.org.\nm.example.org. IN A 192.0.2.25\n",
     "192.0.2.25", "pass mx 1 0"},
    {"mx, second host",
     OWN("mx -all") "example.org. IN MX 10 m.example.org.\nexample.org. IN MX 20 n.example.org.\n"
                    "m.example.org. IN A 192.0.2.24\nn.example.org. IN A 192.0.2.25\n",
     "192.0.2.25", "pass mx 1 0"},
    /* Equal preferences: by name, in whatever order they come. */
    {"mx, four hosts, the one with an address first",
     OWN("mx -all") "example.org. IN MX 10 a.example.org.\nexample.org. IN MX 10 c.example.org.\n"
                    "example.org. IN MX 10 d.example.org.\nexample.org. IN MX 10 b.example.org.\n"
                    "a.example.org. IN A 192.0.2.25\n",
     "192.0.2.25", "pass mx 1 0"},
    {"mx, four hosts, the one with an address last",
     OWN("mx -all") "example.org. IN MX 10 d.example.org.\nexample.org. IN MX 10 c.example.org.\n"
                    "example.org. IN MX 10 b.example.org.\nexample.org. IN MX 10 a.example.org.\n"
                    "a.example.org. IN A 192.0.2.25\n",
     "192.0.2.25", "pass mx 1 0"},
    {"mx, four hosts, the one with an address is the last of them by name",
     OWN("mx -all") "example.org. IN MX 10 d.example.org.\nexample.org. IN MX 10 a.example.org.\n"
                    "example.org. IN MX 10 b.example.org.\nexample.org. IN MX 10 c.example.org.\n"
                    "d.example.org. IN A 192.0.2.25\n",
     "192.0.2.25", "permerror - 1 3"},
    {"mx, preferences go before names",
     OWN("mx -all") "example.org. IN MX 20 a.example.org.\nexample.org. IN MX 20 b.example.org.\n"
                    "example.org. IN MX 20 c.example.org.\nexample.org. IN MX 10 d.example.org.\n"
                    "d.example.org. IN A 192.0.2.25\n",
     "192.0.2.25", "pass mx 1 0"},
    {"%{p}, names of the relay in one order",
     OWN("exists:%{p}.y.org -all") "25.2.0.192.in-addr.arpa. IN PTR a.example.net.\n"
                                   "25.2.0.192.in-addr.arpa. IN PTR b.example.net.\n"
                                   "a.example.net. IN A 192.0.2.25\n"
                                   "b.example.net. IN A 192.0.2.25\n"
                                   "a.example.net.y.org. IN A 127.0.0.2\n",
     "192.0.2.25", "pass exists:%{p}.y.org 1 0"},
    {"%{p}, names of the relay in the other order",
     OWN("exists:%{p}.y.org -all") "25.2.0.192.in-addr.arpa. IN PTR b.example.net.\n"
                                   "25.2.0.192.in-addr.arpa. IN PTR a.example.net.\n"
                                   "a.example.net. IN A 192.0.2.25\n"
                                   "b.example.net. IN A 192.0.2.25\n"
                                   "a.example.net.y.org. IN A 127.0.0.2\n",
     "192.0.2.25", "pass exists:%{p}.y.org 1 0"},
    {"mx without hosts", OWN("mx -all"), "192.0.2.25", "fail -all 1 1"},
    {"mx whose host has no address", OWN("mx -all") "example.org. IN MX 10 m.example.org.\n",
     "192.0.2.25", "fail -all 1 1"},
    {"exists", OWN("exists:%{ir}.x.example.org -all") "25.2.0.192.x.example.org. IN A 127.0.0.2\n",
     "192.0.2.25", "pass exists:%{ir}.x.example.org 1 0"},
    {"exists asks for A with IPv6 too",
     OWN("exists:x.example.org -all") "x.example.org. IN A 127.0.0.2\n", "2001:db8::25",
     "pass exists:x.example.org 1 0"},
    {"ptr",
     OWN("ptr -all") "25.2.0.192.in-addr.arpa. IN PTR m.example.org.\nm.example.org. IN A "
                     "192.0.2.25\n",
     "192.0.2.25", "pass ptr 1 0"},
    {"ptr of another domain",
     OWN("ptr -all") "25.2.0.192.in-addr.arpa. IN PTR m.badexample.org.\nm.badexample.org. IN A "
                     "192.0.2.25\n",
     "192.0.2.25", "fail -all 1 0"},
    {"ptr that does not lead back",
     OWN("ptr -all") "25.2.0.192.in-addr.arpa. IN PTR m.example.org.\nm.example.org. IN A "
                     "192.0.2.26\n",
     "192.0.2.25", "fail -all 1 0"},
    {"include", OWN("include:amazonses.com -all") TEXT("amazonses.com.", "ip4:192.0.2.0/24 -all"),
     "192.0.2.25", "pass include:amazonses.com 1 0"},
    {"include that fails", OWN("include:amazonses.com ~all") TEXT("amazonses.com.", "-all"),
     "192.0.2.25", "softfail ~all 1 0"},
    {"include that is neutral", OWN("include:amazonses.com ~all") TEXT("amazonses.com.", "a:x.org"),
     "192.0.2.25", "softfail ~all 2 1"},
    {"include with another qualifier", OWN("-include:b.org ~all") TEXT("b.org.", "+all"),
     "192.0.2.25", "fail -include:b.org 1 0"},
    {"include of no record", OWN("include:b.org ~all"), "192.0.2.25", "permerror - 1 0"},
    {"include of two records", OWN("include:b.org ~all") TEXT("b.org.", "a") TEXT("b.org.", "mx"),
     "192.0.2.25", "permerror - 1 0"},
    {"include of a wrong record", OWN("include:b.org ~all") TEXT("b.org.", "foo"), "192.0.2.25",
     "permerror - 1 0"},
    {"include of itself", OWN("include:example.org -all"), "192.0.2.25", "permerror - 11 0"},
    {"include behind a match", OWN("ip4:192.0.2.25 include:b.org -all"), "192.0.2.25",
     "pass ip4:192.0.2.25 0 0"},
    {"redirect", OWN("redirect=b.org") TEXT("b.org.", "a:c.org ~all") "c.org. IN A 192.0.2.1\n",
     "192.0.2.25", "softfail ~all 2 0"},
    {"redirect in the middle", OWN("redirect=b.org ip4:192.0.2.25") TEXT("b.org.", "-all"),
     "192.0.2.25", "pass ip4:192.0.2.25 0 0"},
    {"redirect beside all", OWN("redirect=b.org ~all") TEXT("b.org.", "+all"), "192.0.2.25",
     "softfail ~all 0 0"},
    {"redirect beside all that follows a match", OWN("ip4:192.0.2.25 redirect=b.org -all"),
     "192.0.2.25", "pass ip4:192.0.2.25 0 0"},
    {"redirect to no record", OWN("redirect=b.org"), "192.0.2.25", "permerror - 1 0"},
    {"redirect inside an include",
     OWN("include:b.org -all") TEXT("b.org.", "redirect=c.org")
         TEXT("c.org.", "ip4:192.0.2.25 -all"),
     "192.0.2.25", "pass include:b.org 2 0"},
    {"redirect to a record that includes",
     OWN("redirect=b.org") TEXT("b.org.", "include:c.org -all") TEXT("c.org.", "ip4:192.0.2.25"),
     "192.0.2.25", "pass include:c.org 2 0"},
    {"redirect that ends without a match", OWN("redirect=b.org") TEXT("b.org.", "ip4:192.0.2.1"),
     "192.0.2.25", "neutral - 1 0"},
    {"exp is never asked for", OWN("-all exp=b.org"), "192.0.2.25", "fail -all 0 0"},
    {"unknown modifiers have no effect", OWN("x=%{s} ip4:192.0.2.25"), "192.0.2.25",
     "pass ip4:192.0.2.25 0 0"},
    {"a wrong term behind a match", OWN("ip4:192.0.2.25 foo -all"), "192.0.2.25",
     "permerror - 0 0"},
    {"prefix length of 2^32-255", OWN("ip4:198.51.100.0/4294967041 -all"), "192.0.2.25",
     "permerror - 0 0"},
    {"%{d2} of example.org", OWN("a:%{d2} -all") "example.org. IN A 192.0.2.25\n", "192.0.2.25",
     "pass a:%{d2} 1 0"},
    {"%{l}", OWN("exists:%{l}.x.org -all") "mueller.x.org. IN A 127.0.0.2\n", "192.0.2.25",
     "pass exists:%{l}.x.org 1 0 s"},
    {"%{l} that isn't reached", OWN("ip4:192.0.2.25 exists:%{l}.x.org -all"), "192.0.2.25",
     "pass ip4:192.0.2.25 0 0"},
    {"%{o} and %{d} below an include",
     OWN("include:b.org -all")
         TEXT("b.org.", "exists:%{o}.%{d}.x.org") "example.org.b.org.x.org. IN A 127.0.0.2\n",
     "192.0.2.25", "pass include:b.org 2 0"},
    {"%{h}", OWN("exists:%{h}.x.org -all") "mail.example.net.x.org. IN A 127.0.0.2\n", "192.0.2.25",
     "pass exists:%{h}.x.org 1 0"},
    {"%{p}",
     OWN("exists:%{p}.x.org -all") "m.example.org.x.org. IN A 127.0.0.2\n25.2.0.192.in-addr.arpa. "
                                   "IN PTR z.org.\n"
                                   "25.2.0.192.in-addr.arpa. IN PTR m.example.org.\nz.org. IN A "
                                   "192.0.2.25\n"
                                   "m.example.org. IN A 192.0.2.25\n",
     "192.0.2.25", "pass exists:%{p}.x.org 1 0"},
    {"%{p} unknown", OWN("exists:%{p}.x.org -all") "unknown.x.org. IN A 127.0.0.2\n", "192.0.2.25",
     "pass exists:%{p}.x.org 1 1"},
    {"two void look-ups", OWN("a:a.x.org a:b.x.org -all"), "192.0.2.25", "fail -all 2 2"},
    {"three void look-ups", OWN("a:a.x.org a:b.x.org exists:c.x.org +all"), "192.0.2.25",
     "permerror - 3 3"},
    {"a name that can't be asked for is not void", OWN("a:a..b.org a:b..b.org a:c..b.org -all"),
     "192.0.2.25", "fail -all 3 0"},
    {"ten look-ups", OWN("a a a a a a a a a a ~all") "example.org. IN A 192.0.2.1\n", "192.0.2.25",
     "softfail ~all 10 0"},
    {"eleven look-ups", OWN("a a a a a a a a a a mx ~all") "example.org. IN A 192.0.2.1\n",
     "192.0.2.25", "permerror - 11 0"},
    {"a match before the eleventh",
     OWN("a a a a a a a a a ip4:192.0.2.25 a a ~all") "example.org. IN A 192.0.2.1\n", "192.0.2.25",
     "pass ip4:192.0.2.25 9 0"},
    {"the limit spans includes",
     OWN("include:b.org include:b.org -all") TEXT("b.org.", "a a a a a") "b.org. IN A 192.0.2.1\n",
     "192.0.2.25", "permerror - 11 0"},
};

static char *dump(const Evaluation *evaluation)
{
    return g_strdup_printf("%s %s %u %u%s", spf_result_text(evaluation->result),
                           evaluation->mechanism != NULL ? evaluation->mechanism : "-",
                           evaluation->lookups, evaluation->void_lookups,
                           evaluation->uses_sender ? " s" : "");
}

static Dns *zone(const char *text)
{
    g_autofree char *whole = g_strconcat("$TTL 300\n", text, NULL);
    g_autoptr(GError) error = NULL;
    Dns *dns = dns_zone_file_new(whole, "zone", &error);

    if (dns == NULL)
        fail_msg("%s", error->message);
    return dns;
}

static Evaluation *evaluate(Dns *dns, const char *relay, const char *local_part)
{
    g_autoptr(EvaluationContext) context = evaluation_context_new(dns, NEVER);
    EvaluationQuestion question = {
        .domain = "example.org", .local_part = local_part, .helo = "mail.example.net"};

    assert_true(network_parse(relay, &question.relay, NULL));
    return evaluation_run(context, &question);
}

static void test_row(void **state)
{
    const struct row *row = *state;
    g_autoptr(Dns) dns = zone(row->zone);
    g_autoptr(Evaluation) evaluation = evaluate(dns, row->relay, "mueller");
    g_autofree char *got = dump(evaluation);

    assert_string_equal(got, row->wanted);
    assert_int_equal(evaluation->reason != NULL, evaluation->result == SPF_PERMERROR);
    assert_int_equal(evaluation->ttl, 300);
}

static const struct reason_row {
    const char *zone;
    const char *reason;
} reasons[] = {
    {OWN("a") OWN("mx"), "example.org has 2 SPF records"},
    {OWN("a:b"), "the record of example.org is wrong: \"a:b\" at character 8: that is not a "
                 "complete domain, such as "
                 "example.org"},
    {OWN("include:b.org"), "\"include:b.org\" of example.org: b.org has no SPF record"},
    {OWN("redirect=%{d1}.org"), "\"redirect=%{d1}.org\" of example.org: org.org has no SPF record"},
    {OWN("include:b.org") TEXT("b.org.", "include:c.org") TEXT("c.org.", "ip4:1"),
     "the record of c.org is wrong: \"ip4:1\" at character 8: that is not an IPv4 address"},
    {OWN("a:b.org a:c.org mx:d.org"),
     "more than 2 look-ups find nothing; the last one is that of \"mx:d.org\" of example.org"},
    {OWN("include:example.org"), "more than 10 terms need a look-up; the first that is too much is "
                                 "\"include:example.org\" of example.org"},
};

static void test_reason(void **state)
{
    const struct reason_row *row = *state;
    g_autoptr(Dns) dns = zone(row->zone);
    g_autoptr(Evaluation) evaluation = evaluate(dns, "192.0.2.25", NULL);

    assert_int_equal(evaluation->result, SPF_PERMERROR);
    assert_string_equal(evaluation->reason, row->reason);
}

/* What ends in DNS trouble where, and what reaches a match before it. */
static const struct trouble_row {
    const char *record;
    SpfResult result;
    guint32 ttl; /* of the names that answer it is 300 */
} troubles[] = {
    {"a:dead.org -all", SPF_TEMPERROR, CHECK_TROUBLE_TTL},
    {"mx:dead.org -all", SPF_TEMPERROR, CHECK_TROUBLE_TTL},
    {"mx:halfdead.org -all", SPF_TEMPERROR, CHECK_TROUBLE_TTL},
    {"exists:dead.org -all", SPF_TEMPERROR, CHECK_TROUBLE_TTL},
    {"include:dead.org -all", SPF_TEMPERROR, CHECK_TROUBLE_TTL},
    {"redirect=dead.org", SPF_TEMPERROR, CHECK_TROUBLE_TTL},
    {"ip4:192.0.2.25 a:dead.org -all", SPF_PASS, 300},
    {"ptr -all", SPF_FAIL, CHECK_TROUBLE_TTL}, /* section 5.5 */
    {"-ptr +all", SPF_PASS, CHECK_TROUBLE_TTL},
    {"a:dead.org foo", SPF_PERMERROR, 300},
};

static void add_dead_names(Dns *dns)
{
    memory_dns_add_timeouts(dns, "dead.org");
    memory_dns_add_timeouts(dns, "25.2.0.192.in-addr.arpa");
    memory_dns_add(dns, "halfdead.org", DNS_MX, "10 dead.org");
}

static void test_trouble(void **state)
{
    const struct trouble_row *row = *state;
    g_autoptr(Dns) dns = memory_dns_new();
    g_autofree char *record = g_strconcat("v=spf1 ", row->record, NULL);
    g_autoptr(Evaluation) evaluation = NULL;

    add_dead_names(dns);
    memory_dns_add(dns, "example.org", DNS_TXT, record);
    evaluation = evaluate(dns, "192.0.2.25", NULL);
    assert_int_equal(evaluation->result, row->result);
    assert_int_equal(evaluation->ttl, row->ttl);
    if (row->result == SPF_TEMPERROR)
        assert_non_null(strstr(evaluation->reason, "dead.org"));
}

static void test_trouble_of_the_domain(void **state)
{
    g_autoptr(Dns) dns = memory_dns_new();
    g_autoptr(Evaluation) evaluation = NULL;

    (void)state;
    memory_dns_add_timeouts(dns, "example.org");
    evaluation = evaluate(dns, "192.0.2.25", NULL);
    assert_int_equal(evaluation->result, SPF_TEMPERROR);
    assert_int_equal(evaluation->ttl, CHECK_TROUBLE_TTL);
    assert_string_equal(evaluation->reason,
                        "example.org: no answer for example.org (TXT): timed out");
}

static void test_deadline(void **state)
{
    g_autoptr(Dns) dns = zone(OWN("+all"));
    g_autoptr(EvaluationContext) context = evaluation_context_new(dns, 0);
    EvaluationQuestion question = {.domain = "example.org", .helo = "mail.example.net"};
    g_autoptr(Evaluation) evaluation = NULL;

    (void)state;
    assert_true(network_parse("192.0.2.25", &question.relay, NULL));
    evaluation = evaluation_run(context, &question);
    assert_int_equal(evaluation->result, SPF_TEMPERROR);
    assert_string_equal(evaluation->reason, "the time for this check is over");
}

/* Domains that no record can be asked for (section 4.3). */
static void test_no_domain(void **state)
{
    static const char *const domains[] = {
        "localhost", "", "a..org", "[192.0.2.1]", ".example.org", "example.org."};
    g_autoptr(Dns) dns = memory_dns_new();

    (void)state;
    for (size_t i = 0; i < G_N_ELEMENTS(domains); i++) {
        g_autoptr(EvaluationContext) context = evaluation_context_new(dns, NEVER);
        EvaluationQuestion question = {.domain = domains[i], .helo = "mail.example.net"};
        g_autoptr(Evaluation) evaluation = NULL;

        network_parse("192.0.2.25", &question.relay, NULL);
        evaluation = evaluation_run(context, &question);
        assert_int_equal(evaluation->result, SPF_NONE);
    }
    assert_int_equal(memory_dns_questions(dns), 1); /* "[192.0.2.1]" has labels like any name */
}

/* The smallest TTL of all answers counts, that of negative ones too. */
static void test_ttl(void **state)
{
    g_autoptr(Dns) dns = memory_dns_new();
    g_autoptr(Evaluation) evaluation = NULL;

    (void)state;
    memory_dns_set_ttl(dns, 600);
    memory_dns_add(dns, "example.org", DNS_TXT, "v=spf1 a:a.org include:b.org a:none.org -all");
    memory_dns_set_ttl(dns, 77);
    memory_dns_add(dns, "a.org", DNS_A, "192.0.2.1");
    memory_dns_set_ttl(dns, 99);
    memory_dns_add(dns, "b.org", DNS_TXT, "v=spf1 -all");
    evaluation = evaluate(dns, "192.0.2.25", NULL);
    assert_int_equal(evaluation->ttl, 77);
    g_clear_pointer(&evaluation, evaluation_free);
    memory_dns_set_ttl(dns, 5);
    evaluation = evaluate(dns, "192.0.2.25", NULL);
    assert_int_equal(evaluation->ttl, 5);
}

/* Each name is asked once in a context, and counted in each evaluation. */
static void test_context(void **state)
{
    g_autoptr(Dns) dns = memory_dns_new();
    g_autoptr(EvaluationContext) context = evaluation_context_new(dns, NEVER);
    EvaluationQuestion question = {.domain = "example.org", .helo = "mail.example.net"};

    (void)state;
    memory_dns_add(dns, "example.org", DNS_TXT, "v=spf1 a:a.org a:a.org include:b.org -all");
    memory_dns_add(dns, "b.org", DNS_TXT, "v=spf1 a:a.org a:none.org -all");
    memory_dns_add(dns, "a.org", DNS_A, "192.0.2.1");
    for (int i = 1; i <= 3; i++) {
        g_autofree char *relay = g_strdup_printf("192.0.2.%d", i);
        g_autoptr(Evaluation) evaluation = NULL;

        assert_true(network_parse(relay, &question.relay, NULL));
        evaluation = evaluation_run(context, &question);
        assert_int_equal(evaluation->result, i == 1 ? SPF_PASS : SPF_FAIL);
        assert_int_equal(evaluation->lookups, i == 1 ? 1 : 5);
        assert_int_equal(evaluation->void_lookups, i == 1 ? 0 : 1);
    }
    assert_int_equal(memory_dns_questions(dns), 4);
}

/* The tree that `spfrom check` prints. */
static void test_terms(void **state)
{
    static const char wanted[] = "0 include:b.org=b.org [v=spf1 a:%{d} include:c.org -all] 3 1\n"
                                 "1 a:%{d}=b.org 1 1\n"
                                 "1 include:c.org=c.org [v=spf1 ?all] 1 0\n"
                                 "2 ?all 0 0 match\n"
                                 "1 -all 0 0 match\n"
                                 "0 mx:m.org=m.org 1 0 match\n";
    g_autoptr(Dns) dns =
        zone(OWN("ip4:192.0.2.1 include:b.org mx:m.org a -all")
                 TEXT("b.org.", "a:%{d} include:c.org -all")
                     TEXT("c.org.", "?all") "m.org. IN MX 10 x.m.org.\nx.m.org. IN A 192.0.2.25\n");
    g_autoptr(Evaluation) evaluation = evaluate(dns, "192.0.2.25", NULL);
    g_autoptr(GString) text = g_string_new(NULL);

    (void)state;
    for (guint i = 0; i < evaluation->terms->len; i++) {
        const EvaluationTerm *term = g_ptr_array_index(evaluation->terms, i);

        g_string_append_printf(text, "%u %s%s%s", term->depth, term->term,
                               term->name != NULL ? "=" : "", term->name != NULL ? term->name : "");
        if (term->record != NULL)
            g_string_append_printf(text, " [%s]", term->record);
        g_string_append_printf(text, " %u %u%s\n", term->lookups, term->voids,
                               term->is_match ? " match" : "");
    }
    assert_string_equal(text->str, wanted);
    assert_string_equal(evaluation->mechanism, "mx:m.org");
    assert_string_equal(evaluation->record, "v=spf1 ip4:192.0.2.1 include:b.org mx:m.org a -all");
}

/* Records behind OWN(…), and what each term of the tree comes to: "-" passed over, "v" in vain, "m"
 * matches, "D" decides. */
static const struct outcome_row {
    const char *own;
    const char *outcomes;
} outcome_rows[] = {
    {OWN("include:b.org mx:m.org a -all"), "---vvD"}, /* b.org: a:%{d}, include:c.org, ?all, -all */
    {OWN("include:c.org include:d.org -all"), "-vDm"},
    {OWN("include:c.org include:e.org -all"), "-vDmm"},
    {OWN("include:c.org redirect=d.org"), "-v-D"},
    {OWN("include:f.org -all"), "D-m"},
    {OWN("include:c.org -all"), "-vD"},
    {OWN("-ip4:192.0.2.25 all"), "D"},
};

static void test_outcomes(void **state)
{
    static const char letters[] = "-vmD";

    (void)state;
    for (size_t i = 0; i < G_N_ELEMENTS(outcome_rows); i++) {
        g_autofree char *text = g_strconcat(
            outcome_rows[i].own,
            TEXT("b.org.", "a:%{d} include:c.org -all") TEXT("c.org.", "?all")
                TEXT("d.org.", "ip4:192.0.2.25 -all") TEXT("e.org.", "include:d.org")
                    TEXT("f.org.",
                         "redirect=d.org") "m.org. IN MX 10 x.m.org.\nx.m.org. IN A 192.0.2.25\n",
            NULL);
        g_autoptr(Dns) dns = zone(text);
        g_autoptr(Evaluation) evaluation = evaluate(dns, "192.0.2.25", NULL);
        g_autoptr(GString) outcomes = g_string_new(NULL);

        for (guint at = 0; at < evaluation->terms->len; at++)
            g_string_append_c(outcomes, letters[evaluation_term_outcome(evaluation, at)]);
        assert_string_equal(outcomes->str, outcome_rows[i].outcomes);
    }
}

int main(void)
{
    static const struct CMUnitTest others[] = {
        cmocka_unit_test(test_trouble_of_the_domain),
        cmocka_unit_test(test_deadline),
        cmocka_unit_test(test_no_domain),
        cmocka_unit_test(test_ttl),
        cmocka_unit_test(test_context),
        cmocka_unit_test(test_terms),
        cmocka_unit_test(test_outcomes),
    };
    struct CMUnitTest tests[G_N_ELEMENTS(rows) + G_N_ELEMENTS(reasons) + G_N_ELEMENTS(troubles) +
                            G_N_ELEMENTS(others)];
    struct CMUnitTest *test = tests;

    for (size_t i = 0; i < G_N_ELEMENTS(rows); i++)
        *test++ = (struct CMUnitTest){
            .name = rows[i].name, .test_func = test_row, .initial_state = (void *)&rows[i]};
    for (size_t i = 0; i < G_N_ELEMENTS(reasons); i++)
        *test++ = (struct CMUnitTest){.name = reasons[i].reason,
                                      .test_func = test_reason,
                                      .initial_state = (void *)&reasons[i]};
    for (size_t i = 0; i < G_N_ELEMENTS(troubles); i++)
        *test++ = (struct CMUnitTest){.name = troubles[i].record,
                                      .test_func = test_trouble,
                                      .initial_state = (void *)&troubles[i]};
    memcpy(test, others, sizeof others);
    if (!evaluation_init(NULL))
        return 1;
    return cmocka_run_group_tests(tests, NULL, NULL);
}
