#include "config.h"

#include <string.h>

#include "unit/dns/memory_dns.h"
#include "unit/table.h"
#include "spf/walk.h"

/* Names that every row can use. */
static const struct {
    const char *name;
    DnsType type;
    const char *value;
} names[] = {
    {"a.org", DNS_A, "192.0.2.25"},
    {"a.org", DNS_AAAA, "2001:db8::25"},
    {"m.org", DNS_MX, "10 a.org"},
    {"m.org", DNS_MX, "20 b.org"},
    {"pool.org", DNS_TXT, "other text"},
    {"pool.org", DNS_TXT, "v=spf1 ip4:203.0.113.0/28 ?all ip4:192.0.2.1"},
    {"two.org", DNS_TXT, "v=spf1 a"},
    {"two.org", DNS_TXT, "v=spf1 mx"},
    {"bad.org", DNS_TXT, "v=spf1 foo"},
    {"deep.org", DNS_TXT, "v=spf1 include:pool.org redirect=bad.org"},
    {"self.org", DNS_TXT, "v=spf1 include:self.org"},
};

/*
 * What the visitor sees, in its order: a term that is reached as it is written, "TYPE" for each
 * answer ("-" before it: nothing found), "=NETWORK", "!RESULT: REASON", and ")" for the end of a
 * record that a term brings.
 */
static const struct row {
    const char *record; /* behind "v=spf1 "; NULL: none */
    const char *seen;
} rows[] = {
    {NULL, "-TXT !none: example.org has no SPF record"},
    {"foo", "TXT !permerror: the record of example.org is wrong: \"foo\" at character 8: there is "
            "no such mechanism"},
    {"ip4:192.0.2.1 -all a", "TXT ip4:192.0.2.1 =192.0.2.1 -all"},
    {"exp=x.org x=y -ip6:2001:db8::/32", "TXT exp=x.org x=y -ip6:2001:db8::/32 =2001:db8::/32"},
    {"a:a.org/24//64", "TXT a:a.org/24//64 A =192.0.2.0/24 AAAA =2001:db8::/64"},
    {"a", "TXT a -A -AAAA"},
    {"a:a..org", "TXT a:a..org -A -AAAA"}, /* no name that can be asked for */
    {"mx:m.org", "TXT mx:m.org MX A =192.0.2.25 AAAA =2001:db8::25 -A -AAAA"},
    {"exists:a.org ptr", "TXT exists:a.org A ptr"},
    {"exists:%{i}.org a:%{l}.org include:%{o}", /* they depend on the sender */
     "TXT exists:%{i}.org a:%{l}.org include:%{o} )"},
    {"include:%{d1}.org", "TXT include:%{d1}.org -TXT !permerror: org.org has no SPF record )"},
    {"include:pool.org a:a.org -all",
     "TXT include:pool.org TXT ip4:203.0.113.0/28 =203.0.113.0/28 ?all ) a:a.org A =192.0.2.25 AAAA "
     "=2001:db8::25 -all"},
    {"redirect=pool.org ip4:192.0.2.1", "TXT ip4:192.0.2.1 =192.0.2.1 redirect=pool.org TXT "
                                        "ip4:203.0.113.0/28 =203.0.113.0/28 ?all )"},
    {"redirect=pool.org ~all", "TXT ~all"},
    {"include:deep.org ip4:192.0.2.1",
     "TXT include:deep.org TXT include:pool.org TXT ip4:203.0.113.0/28 =203.0.113.0/28 ?all ) "
     "redirect=bad.org TXT !permerror: the record of bad.org is wrong: \"foo\" at character 8: "
     "there is no such mechanism ) ) ip4:192.0.2.1 =192.0.2.1"},
    {"include:two.org -all",
     "TXT include:two.org TXT !permerror: two.org has 2 SPF records ) -all"},
    {"include:dead.org -all", "TXT include:dead.org TXT !temperror: no answer for dead.org (TXT): "
                              "timed out ) -all"},
    {"a:dead.org",
     "TXT a:dead.org A !temperror: \"a:dead.org\" of example.org: no answer for "
     "dead.org (A): timed out AAAA !temperror: \"a:dead.org\" of example.org: no answer "
     "for dead.org (AAAA): timed out"},
    {"include:self.org",
     "TXT include:self.org TXT include:self.org TXT include:self.org TXT include:self.org TXT "
     "include:self.org ) ) ) )"}, /* the visitor ends it at the fifth look-up */
};

static Dns *zone(const char *record)
{
    Dns *dns = memory_dns_new();

    for (size_t i = 0; i < G_N_ELEMENTS(names); i++)
        memory_dns_add(dns, names[i].name, names[i].type, names[i].value);
    memory_dns_add_timeouts(dns, "dead.org");
    if (record != NULL) {
        g_autofree char *text = g_strconcat("v=spf1 ", record, NULL);

        memory_dns_add(dns, "example.org", DNS_TXT, text);
    }
    return dns;
}

static bool reach(Walk *walk, const WalkTerm *term)
{
    g_autofree char *text = record_term_text(term->record, term->term);

    g_string_append_printf(walk->data, " %s", text);
    if (walk->lookups == 5)
        walk->is_ended = true;
    return !walk->is_ended;
}

static void see_network(Walk *walk, const WalkTerm *term, const Network *network)
{
    char text[NETWORK_TEXT_MAX];

    assert_non_null(term);
    g_string_append_printf(walk->data, " =%s", network_text(network, text));
}

static void see_answer(Walk *walk, const WalkTerm *term, DnsType type, const DnsAnswer *answer)
{
    bool is_nothing =
        answer == NULL || answer->status == DNS_NO_NAME || answer->status == DNS_NO_DATA;

    (void)term;
    g_string_append_printf(walk->data, " %s%s", is_nothing ? "-" : "", dns_type_text(type));
}

static void see_problem(Walk *walk, const WalkTerm *term, SpfResult result, const char *reason)
{
    (void)term;
    g_string_append_printf(walk->data, " !%s: %s", spf_result_text(result), reason);
}

static void see_end(Walk *walk, const WalkTerm *term)
{
    assert_true(term->term->kind == RECORD_INCLUDE || term->term->kind == RECORD_REDIRECT);
    g_string_append(walk->data, " )");
}

static const WalkVisitor visitor = {reach, see_network, see_answer, see_problem, see_end};

static void test_walk_domain(void **state)
{
    const struct row *row = *state;
    g_autoptr(Dns) dns = zone(row->record);
    g_autoptr(EvaluationContext) context = evaluation_context_new(dns, G_MAXINT64);
    g_autoptr(GString) seen = g_string_new(NULL);
    Walk walk;

    walk_init(&walk, context, &visitor, seen);
    walk_domain(&walk, "example.org");
    assert_string_equal(seen->str + 1, row->seen);
}

/* A record that isn't published, of which a wrong term is passed over. */
static void test_walk_record(void **state)
{
    static const char text[] = "v=spf1 foo a:a.org -all";
    g_autoptr(Dns) dns = zone(NULL);
    g_autoptr(EvaluationContext) context = evaluation_context_new(dns, G_MAXINT64);
    g_autoptr(Record) record = record_parse(text, strlen(text));
    g_autoptr(GString) seen = g_string_new(NULL);
    Walk walk;

    (void)state;
    walk_init(&walk, context, &visitor, seen);
    walk_record(&walk, "example.org", record);
    assert_string_equal(seen->str, " foo a:a.org A =192.0.2.25 AAAA =2001:db8::25 -all");
    assert_int_equal(walk.lookups, 1);
    g_string_truncate(seen, 0);
    walk_term(&walk, "example.org", record, record_at(record, 2));
    assert_string_equal(seen->str, " -all");
}

int main(void)
{
    GArray *tests = table_new();

    for (size_t i = 0; i < G_N_ELEMENTS(rows); i++)
        table_add(tests, rows[i].record != NULL ? rows[i].record : "no record", test_walk_domain,
                  &rows[i]);
    table_add(tests, "walk_record", test_walk_record, NULL);
    return table_run(tests, "walk");
}
