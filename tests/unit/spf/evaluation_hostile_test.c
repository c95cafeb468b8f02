/* Records that strangers write to harm: each must end in a result, within bounds. */
#include "config.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "unit/dns/memory_dns.h"
#include "spf/evaluation.h"
#include "spf/libspf2.h"

#define QUESTIONS_MAX 122 /* of one evaluation */

/* libspf2's host name, which a test can take away. */
static bool is_nameless;

int gethostname(char *name, size_t length)
{
    if (is_nameless) {
        errno = ENAMETOOLONG;
        return -1;
    }
    g_strlcpy(name, "host.example.net", length);
    return 0;
}

/* Where libspf2 gives up, its memory is lost. */
const char *__lsan_default_suppressions(void);
const char *__lsan_default_suppressions(void)
{
    return "leak:SPF_server_new_dns\n";
}

static char *repeat(const char *before, const char *text, guint count, const char *after)
{
    GString *whole = g_string_new(before);

    for (guint i = 0; i < count; i++)
        g_string_append(whole, text);
    g_string_append(whole, after);
    return g_string_free(whole, FALSE);
}

static Evaluation *evaluate_from(Dns *dns, const char *relay, const char *local_part)
{
    g_autoptr(EvaluationContext) context = evaluation_context_new(dns, G_MAXINT64);
    EvaluationQuestion question = {
        .domain = "example.org", .local_part = local_part, .helo = "mail.example.net"};

    assert_true(network_parse(relay, &question.relay, NULL));
    return evaluation_run(context, &question);
}

static Evaluation *evaluate(Dns *dns)
{
    return evaluate_from(dns, "192.0.2.25", "mueller");
}

/* The result of one record, without other names. */
static SpfResult result_of(const char *record)
{
    g_autoptr(Dns) dns = memory_dns_new();
    g_autoptr(Evaluation) evaluation = NULL;

    memory_dns_add(dns, "example.org", DNS_TXT, record);
    evaluation = evaluate(dns);
    return evaluation->result;
}

/* These two smash the stack of libspf2 1.2.10 when it sees them (CVE-2023-42118). */
static void test_explanation_of_macros(void **state)
{
    g_autoptr(Dns) dns = memory_dns_new();
    g_autofree char *explanation = repeat("", "%{i}", 127, "x");
    g_autoptr(Evaluation) evaluation = NULL;

    (void)state;
    memory_dns_add(dns, "example.org", DNS_TXT, "v=spf1 exp=e.example.org -all");
    memory_dns_add(dns, "e.example.org", DNS_TXT, explanation);
    evaluation = evaluate(dns);
    assert_int_equal(evaluation->result, SPF_FAIL);
    assert_int_equal(memory_dns_questions(dns), 1);
}

static void test_name_of_macros(void **state)
{
    g_autofree char *letters = repeat("", "a", 4000, "");
    g_autofree char *no_domain = repeat("v=spf1 exists:", "%{i}", 127, letters);
    g_autofree char *domain = g_strconcat(no_domain, ".org -all", NULL);

    (void)state;
    assert_int_equal(result_of(no_domain), SPF_PERMERROR);
    assert_int_equal(result_of(domain), SPF_FAIL);
}

static void test_includes_of_includes(void **state)
{
    g_autoptr(Dns) dns = memory_dns_new();
    g_autoptr(Evaluation) evaluation = NULL;

    (void)state;
    memory_dns_add(dns, "example.org", DNS_TXT, "v=spf1 include:a.x.org include:b.x.org -all");
    memory_dns_add(
        dns, "*.x.org", DNS_TXT,
        "v=spf1 include:a.%{d} include:b.%{d} include:c.%{d} include:d.%{d} include:e.%{d} -all");
    evaluation = evaluate(dns);
    assert_int_equal(evaluation->result, SPF_PERMERROR);
    assert_int_equal(evaluation->lookups, 11);
    assert_int_equal(memory_dns_questions(dns), 11);
}

/* libspf2 by itself drops what exceeds 511 octets of compiled form, without a word. */
static void test_long_records(void **state)
{
    g_autofree char *ip4 = repeat("v=spf1", " ip4:198.51.100.1", 2000, " ip4:192.0.2.0/24 -all");
    g_autofree char *ip4_all = repeat("v=spf1", " ip4:198.51.100.1", 2000, " -all");
    g_autofree char *ip6 = repeat("v=spf1", " ip6:2001:db8::1", 500, " ip6:2001:db8:2::/48 -all");
    g_autoptr(Dns) dns = memory_dns_new();
    g_autoptr(Evaluation) evaluation = NULL;

    (void)state;
    assert_int_equal(result_of(ip4), SPF_PASS);
    assert_int_equal(result_of(ip4_all), SPF_FAIL);
    memory_dns_add(dns, "example.org", DNS_TXT, ip6);
    evaluation = evaluate_from(dns, "2001:db8:2::25", "mueller");
    assert_int_equal(evaluation->result, SPF_PASS);
}

/* Ten terms with names of full length, then a match. */
static void test_long_names(void **state)
{
    g_autoptr(Dns) dns = memory_dns_new();
    g_autofree char *name =
        repeat("", "abcdefghijabcdefghijabcdefghijabcdefghijabcdefghij.", 4, "example.org");
    g_autofree char *term = g_strdup_printf(" a:%s", name);
    g_autofree char *record = repeat("v=spf1", term, 10, " ip4:192.0.2.25 -all");
    g_autoptr(Evaluation) evaluation = NULL;

    (void)state;
    memory_dns_add(dns, "example.org", DNS_TXT, record);
    memory_dns_add(dns, name, DNS_A, "198.51.100.1");
    evaluation = evaluate(dns);
    assert_int_equal(evaluation->result, SPF_PASS);
    assert_string_equal(evaluation->mechanism, "ip4:192.0.2.25");
}

/* The most that aliases can grow to: ten terms in each of ten records. */
static void test_many_terms_in_many_records(void **state)
{
    g_autoptr(Dns) dns = memory_dns_new();
    g_autoptr(Evaluation) evaluation = NULL;

    (void)state;
    memory_dns_add(dns, "example.org", DNS_TXT, "v=spf1 include:a.x.org -all");
    memory_dns_add(
        dns, "*.x.org", DNS_TXT,
        "v=spf1 -include:a.%{d} ?exists:%{d1} ~a mx ptr a mx a mx -a ?mx a a redirect=a.%{d}");
    memory_dns_add(dns, "a.a.a.a.a.a.a.a.a.x.org", DNS_TXT,
                   "v=spf1 ?exists:l.org ~a:l.org mx:l.org a:l.org mx:l.org a:l.org mx:l.org "
                   "-a:l.org ip4:192.0.2.25");
    memory_dns_add(dns, "l.org", DNS_A, "198.51.100.1");
    evaluation = evaluate(dns);
    assert_int_equal(evaluation->result, SPF_PERMERROR);
    assert_int_equal(evaluation->lookups, 11);
}

static void test_long_local_part(void **state)
{
    g_autoptr(Dns) dns = memory_dns_new();
    g_autofree char *local_part = repeat("", "abcdefgh", 131072, "");
    g_autofree char *record = repeat("v=spf1 exists:", "%{S}", 120, ".example.org -all");
    g_autoptr(Evaluation) evaluation = NULL;

    (void)state;
    memory_dns_add(dns, "example.org", DNS_TXT, record);
    evaluation = evaluate_from(dns, "192.0.2.25", local_part);
    assert_int_equal(evaluation->result, SPF_FAIL);
    assert_true(evaluation->uses_sender);
}

static void test_parentheses(void **state)
{
    g_autofree char *record = repeat("v=spf1 ", "(", 65000, "");
    g_autoptr(Dns) dns = memory_dns_new();
    g_autoptr(Evaluation) evaluation = NULL;

    (void)state;
    memory_dns_add(dns, "example.org", DNS_TXT, record);
    evaluation = evaluate(dns);
    assert_int_equal(evaluation->result, SPF_PERMERROR);
    assert_in_range(strlen(evaluation->reason), 1, 500);
}

static void test_text_of_64_kilobytes(void **state)
{
    g_autofree char *words = repeat("v=spf1", " ?ip4:1.2.3.4", 5000, " -all");
    g_autofree char *modifiers = repeat("v=spf1", " x=", 21000, " -all");
    g_autofree char *macros = repeat("v=spf1 exists:", "%{d1r.-+,/_=}", 5000, " -all");
    char *octets = g_malloc(65535);
    g_autoptr(Dns) dns = memory_dns_new();
    g_autoptr(Evaluation) evaluation = NULL;

    (void)state;
    assert_int_equal(result_of(words), SPF_FAIL);
    assert_int_equal(result_of(modifiers), SPF_FAIL);
    assert_int_equal(result_of(macros), SPF_FAIL);
    for (guint i = 0; i < 65535; i++)
        octets[i] = (char)(i * 7);
    memcpy(octets, "v=spf1 ", 7);
    memory_dns_add_data(dns, "example.org", DNS_TXT, 0, octets, 65535);
    g_free(octets);
    evaluation = evaluate(dns);
    assert_int_equal(evaluation->result, SPF_PERMERROR);
    assert_true(g_utf8_validate(evaluation->record, -1, NULL));
    assert_true(g_utf8_validate(evaluation->reason, -1, NULL));
}

static void test_many_mail_servers(void **state)
{
    g_autoptr(Dns) dns = memory_dns_new();
    g_autoptr(Evaluation) evaluation = NULL;

    (void)state;
    memory_dns_add(dns, "example.org", DNS_TXT, "v=spf1 mx -all");
    memory_dns_add(dns, "*.x.org", DNS_A, "192.0.2.25");
    for (int i = 0; i < 500; i++) {
        g_autofree char *host = g_strdup_printf("10 h%d.x.org", i);

        memory_dns_add(dns, "example.org", DNS_MX, host);
    }
    evaluation = evaluate(dns);
    assert_int_equal(evaluation->result,
                     SPF_PERMERROR); /* though the first one matches: section 4.6.4 */
    assert_int_equal(memory_dns_questions(dns), 2);
}

static void add_names_of_the_relay(Dns *dns, guint count)
{
    for (guint i = 0; i < count; i++) {
        g_autofree char *host = g_strdup_printf("h%u.example.org", i);

        memory_dns_add(dns, "25.2.0.192.in-addr.arpa", DNS_PTR, host);
        memory_dns_add(dns, host, DNS_A, i < 10 ? "198.51.100.1" : "192.0.2.25");
    }
}

static void test_many_names(void **state)
{
    g_autoptr(Dns) dns = memory_dns_new();
    g_autoptr(Evaluation) evaluation = NULL;

    (void)state;
    memory_dns_add(dns, "example.org", DNS_TXT, "v=spf1 ptr -all");
    add_names_of_the_relay(dns, 500);
    evaluation = evaluate(dns);
    assert_int_equal(evaluation->result, SPF_FAIL); /* the names behind the tenth don't count */
    assert_int_equal(memory_dns_questions(dns), 1 + 1 + 10);
}

/* Each %{p} would cost eleven questions. */
static void test_many_validated_names(void **state)
{
    g_autoptr(Dns) dns = memory_dns_new();
    g_autofree char *record = repeat("v=spf1", " exists:%{p}.%{p}.%{p}.%{p}.x.org ptr", 5, " -all");
    g_autoptr(Evaluation) evaluation = NULL;

    (void)state;
    memory_dns_add(dns, "example.org", DNS_TXT, record);
    memory_dns_add(dns, "*.x.org", DNS_TXT, "not void");
    memory_dns_add(dns, "unknown.unknown.unknown.unknown.x.org", DNS_TXT, "");
    add_names_of_the_relay(dns, 10);
    evaluation = evaluate(dns);
    assert_int_equal(evaluation->result, SPF_PERMERROR); /* void look-ups */
    assert_in_range(memory_dns_questions(dns), 12, QUESTIONS_MAX);
}

/* The most that one evaluation may ask: ten mx with ten hosts each, and then the names of the
 * relay. */
static void test_most_questions(void **state)
{
    g_autoptr(Dns) dns = memory_dns_new();
    g_autoptr(GString) record = g_string_new("v=spf1");
    g_autoptr(Evaluation) evaluation = NULL;

    (void)state;
    for (int i = 0; i < 10; i++) {
        g_string_append_printf(record, " mx:m%d.%%{p2}", i);
        for (int j = 0; j < 10; j++) {
            g_autofree char *host = g_strdup_printf("10 h%d.m%d.org", j, i);
            g_autofree char *name = g_strdup_printf("m%d.example.org", i);

            memory_dns_add(dns, host + 3, DNS_A, "198.51.100.1");
            memory_dns_add(dns, name, DNS_MX, host);
        }
    }
    g_string_append(record, " ~all");
    memory_dns_add(dns, "example.org", DNS_TXT, record->str);
    for (guint i = 0; i < 10; i++) {
        g_autofree char *host = g_strdup_printf("r%u.example.org", i);

        memory_dns_add(dns, "25.2.0.192.in-addr.arpa", DNS_PTR, host);
        memory_dns_add(dns, host, DNS_A, "192.0.2.25");
    }
    evaluation = evaluate(dns);
    assert_int_equal(evaluation->result, SPF_SOFTFAIL);
    assert_int_equal(memory_dns_questions(dns), QUESTIONS_MAX);
}

/* Answers of many addresses and hosts that are none. */
static void test_odd_answers(void **state)
{
    g_autoptr(Dns) dns = memory_dns_new();
    g_autoptr(Evaluation) evaluation = NULL;

    (void)state;
    memory_dns_add(dns, "example.org", DNS_TXT, "v=spf1 a mx:x.org a:b.org -all");
    for (int i = 0; i < 3000; i++)
        memory_dns_add(dns, "example.org", DNS_A, "198.51.100.1");
    memory_dns_add_data(dns, "x.org", DNS_MX, 10, "", 0);
    memory_dns_add_data(dns, "x.org", DNS_MX, 10, "a..b", 4);
    memory_dns_add_data(dns, "x.org", DNS_MX, 10, "h0.t1._spfrom", 13);
    memory_dns_add_data(dns, "b.org", DNS_A, 0, "abc", 3);
    memory_dns_add_data(dns, "b.org", DNS_A, 0, "", 0);
    memory_dns_add_data(dns, "b.org", DNS_A, 0, "\xc0\x00\x02\x19zzzz", 8);
    evaluation = evaluate(dns);
    assert_int_equal(evaluation->result, SPF_FAIL);
}

/* Records that use the names that libspf2 is given. */
static void test_aliases(void **state)
{
    (void)state;
    assert_int_equal(result_of("v=spf1 include:t0._spfrom -all"), SPF_PERMERROR);
    assert_int_equal(result_of("v=spf1 a:t1._spfrom -all"),
                     SPF_PERMERROR); /* "_spfrom" is no top label */
    assert_int_equal(result_of("v=spf1 exists:%{d}.t0._spfrom.org -all"), SPF_FAIL);
}

/* A context doesn't keep more than so much, whatever the number of relays. */
static void test_octets_of_a_context(void **state)
{
    g_autoptr(Dns) dns = memory_dns_new();
    g_autofree char *text = repeat("", "abcdefgh", 8000, "");
    g_autoptr(EvaluationContext) context = evaluation_context_new(dns, G_MAXINT64);
    EvaluationQuestion question = {.domain = "example.org", .helo = "mail.example.net"};
    bool is_over = false;

    (void)state;
    memory_dns_add(dns, "example.org", DNS_TXT, "v=spf1 exists:%{i}.x.org include:%{i}.y.org -all");
    memory_dns_add(dns, "*.x.org", DNS_MX, "10 a.org");
    memory_dns_add(dns, "*.y.org", DNS_TXT, "v=spf1 -all");
    memory_dns_add(dns, "*.y.org", DNS_TXT, text);
    for (int i = 0; i < 512 && !is_over; i++) {
        g_autofree char *relay = g_strdup_printf("192.0.%d.%d", i / 256, i % 256);
        g_autoptr(Evaluation) evaluation = NULL;

        assert_true(network_parse(relay, &question.relay, NULL));
        evaluation = evaluation_run(context, &question);
        is_over = evaluation->result == SPF_TEMPERROR;
        assert_true(is_over || evaluation->result == SPF_FAIL);
    }
    assert_true(is_over);
    assert_in_range(memory_dns_questions(dns), 400, 600);
}

/* Where libspf2 would end the process, the message is deferred to the result temperror. */
static void test_libspf2_gives_up(void **state)
{
    g_autoptr(Dns) dns = memory_dns_new();
    g_autoptr(Evaluation) evaluation = NULL;
    g_autoptr(Evaluation) after = NULL;
    guint failures = libspf2_failures();

    (void)state;
    memory_dns_add(dns, "example.org", DNS_TXT, "v=spf1 +all");
    is_nameless = true;
    evaluation = evaluate(dns);
    assert_false(evaluation_init(NULL));
    is_nameless = false;
    after = evaluate(dns);
    assert_int_equal(evaluation->result, SPF_TEMPERROR);
    assert_string_equal(evaluation->reason, "libspf2 gave up");
    assert_int_equal(after->result, SPF_PASS);
    assert_int_equal(libspf2_failures(), failures + 1);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_explanation_of_macros),
        cmocka_unit_test(test_name_of_macros),
        cmocka_unit_test(test_includes_of_includes),
        cmocka_unit_test(test_long_records),
        cmocka_unit_test(test_long_names),
        cmocka_unit_test(test_many_terms_in_many_records),
        cmocka_unit_test(test_long_local_part),
        cmocka_unit_test(test_parentheses),
        cmocka_unit_test(test_text_of_64_kilobytes),
        cmocka_unit_test(test_many_mail_servers),
        cmocka_unit_test(test_many_names),
        cmocka_unit_test(test_many_validated_names),
        cmocka_unit_test(test_most_questions),
        cmocka_unit_test(test_odd_answers),
        cmocka_unit_test(test_aliases),
        cmocka_unit_test(test_octets_of_a_context),
        cmocka_unit_test(test_libspf2_gives_up),
    };

    if (!evaluation_init(NULL))
        return 1;
    return cmocka_run_group_tests(tests, NULL, NULL);
}
