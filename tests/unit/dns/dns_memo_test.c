#include "config.h"

#include "dns/dns.h"

#include "unit/table.h"

/* The Dns below counts what it is asked, and has trouble the first time. */
static guint asked;

static DnsAnswer *under_lookup(Dns *dns G_GNUC_UNUSED, const char *name G_GNUC_UNUSED,
                               DnsType type G_GNUC_UNUSED, gint64 deadline G_GNUC_UNUSED)
{
    return asked++ == 0 ? dns_answer_new_trouble("first") : dns_answer_new(DNS_NO_NAME, 30);
}

static Dns under = {.lookup = under_lookup};

static DnsStatus status_of(Dns *memo, const char *name, DnsType type)
{
    g_autoptr(DnsAnswer) answer = dns_lookup(memo, name, type, 0);

    return answer->status;
}

static void test_asks_once(void **state G_GNUC_UNUSED)
{
    g_autoptr(Dns) memo = dns_memo_new(&under);

    asked = 0;
    assert_int_equal(status_of(memo, "a.example.org", DNS_A), DNS_TROUBLE);
    assert_int_equal(status_of(memo, "A.example.org", DNS_A), DNS_TROUBLE); /* kept, too */
    assert_int_equal(status_of(memo, "a.example.org", DNS_TXT), DNS_NO_NAME);
    assert_int_equal(status_of(memo, "b.example.org", DNS_A), DNS_NO_NAME);
    assert_int_equal(asked, 3);
    dns_flush(memo, NULL);
    assert_int_equal(status_of(memo, "a.example.org", DNS_A), DNS_NO_NAME);
    assert_int_equal(asked, 4);
}

static void test_is_bounded(void **state G_GNUC_UNUSED)
{
    g_autoptr(Dns) memo = dns_memo_new(&under);

    asked = 0;
    for (guint i = 0; i < DNS_MEMO_MAX + 10; i++) {
        g_autofree char *name = g_strdup_printf("a%u.example.org", i);

        status_of(memo, name, DNS_A);
    }
    assert_int_equal(asked, DNS_MEMO_MAX);
    assert_int_equal(status_of(memo, "a1.example.org", DNS_A), DNS_NO_NAME);
    assert_int_equal(status_of(memo, "new.example.org", DNS_A), DNS_TROUBLE);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_asks_once),
        cmocka_unit_test(test_is_bounded),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
