#include "config.h"

#include "advice/record/proposal.h"

#include <string.h>

#include "advice/consultation.h"
#include "advice/words/advice_text.h"
#include "base/clock.h"
#include "dns/dns_wrappers.h"
#include "policy/settings_parse.h"
#include "spf/evaluation.h"
#include "unit/table.h"

/*
 * What is proposed for a record with errors. A record that is mended must never be more open than
 * what was published: the last test holds that for random damage.
 */

#define OWNER "praxis.org"
#define DAMAGES 1500 /* unless SPFROM_DAMAGES says how many */

static const char zone[] =
    "amazonses.com. TXT \"v=spf1 ip4:54.240.0.0/18 -all\"\n"
    "spf.protection.outlook.com. TXT \"v=spf1 ip4:203.0.113.16/30 -all\"\n"
    "_spf.google.com. TXT \"v=spf1 ip4:203.0.113.32 -all\"\n"
    "_spf-eu.ionos.com. TXT \"v=spf1 ip4:203.0.113.48 ?all\"\n"
    "sendgrid.net. TXT \"v=spf1 ip4:203.0.113.64 ~all\"\n"
    "mail.hoster.org. A 203.0.113.80\n"
    "relay.hoster.org. A 203.0.113.81\n"
    "relay.hoster.org. AAAA 2001:db8:81::1\n"
    "praxis.org. A 203.0.113.96\n"
    "praxis.org. MX 10 mail.praxis.org.\n"
    "mail.praxis.org. A 203.0.113.97\n"
    "bad.hoster.org. TXT \"v=spf1 foo -all\"\n"
    "wide.hoster.org. TXT \"v=spf1 ip4:0.0.0.0/1 ip4:128.0.0.0/1 -all\"\n"
    /* Strangers, where damage may lead. */
    "gle.com. TXT \"v=spf1 ip4:100.64.0.1 -all\"\ngle.com. A 100.64.0.1\n"
    "ogle.com. TXT \"v=spf1 ip4:100.64.0.1 -all\"\nogle.com. A 100.64.0.1\n"
    "le.com. TXT \"v=spf1 ip4:100.64.0.1 -all\"\nle.com. A 100.64.0.1\n"
    "google.com. A 100.64.0.1\n"
    "outlook.com. A 100.64.0.1\n"
    "look.com. TXT \"v=spf1 ip4:100.64.0.1 -all\"\nlook.com. A 100.64.0.1\n"
    "tlook.com. TXT \"v=spf1 ip4:100.64.0.1 -all\"\ntlook.com. A 100.64.0.1\n"
    "grid.net. TXT \"v=spf1 ip4:100.64.0.1 -all\"\ngrid.net. A 100.64.0.1\n"
    "sendgrid.net. A 100.64.0.1\n"
    "onos.com. A 100.64.0.1\n"
    "ster.org. TXT \"v=spf1 ip4:100.64.0.1 -all\"\nster.org. A 100.64.0.1\n"
    "oster.org. TXT \"v=spf1 ip4:100.64.0.1 -all\"\noster.org. A 100.64.0.1\n"
    "ses.com. TXT \"v=spf1 ip4:100.64.0.1 -all\"\nses.com. A 100.64.0.1\n"
    "_spf.goo. TXT \"v=spf1 ip4:100.64.0.1 -all\"\n";

/* Those who may pass by terms of the records, pieces of their addresses, and strangers. */
#define SENDERS                                                                                    \
    "192.0.2.25, 203.0.113.16, 203.0.113.32, 203.0.113.48, 203.0.113.64, 203.0.113.80, "           \
    "203.0.113.81, 203.0.113.96, 203.0.113.97, 198.51.100.17, 198.51.100.1, 198.51.100.7, "        \
    "198.51.100.128, 203.0.113.11, 203.0.113.2, 100.64.0.1, 8.8.8.8, \"2001:db8::25\", "           \
    "\"2001:db8::2\", \"2001:db8:81::1\""

static const char *settings_text;

static gboolean read_file(const char *file G_GNUC_UNUSED, char **text, gsize *length,
                          GError **error G_GNUC_UNUSED)
{
    *text = g_strdup(settings_text);
    *length = strlen(*text);
    return TRUE;
}

static const SettingsSource source = {read_file, "relay.lemniscus.org"};

static Settings *settings_of(const char *text)
{
    settings_text = text;
    return settings_parse("/spfrom.conf", &source, NULL);
}

/* One asks for advice, the other who passes. */
static Settings *asking, *testing;
static Dns *base;

static int set_up(void **state G_GNUC_UNUSED)
{
    asking = settings_of("fallback_address = \"noreply@example.org\"\n"
                         "relay_hosts = { spf:amazonses.com }\ncheck_timeout = 300s\n");
    testing = settings_of("fallback_address = \"noreply@example.org\"\n"
                          "relay_hosts = { " SENDERS " }\ncheck_timeout = 300s\n");
    base = dns_zone_file_new(zone, "zone", NULL);
    return evaluation_init(NULL) && base != NULL ? 0 : -1;
}

static int tear_down(void **state G_GNUC_UNUSED)
{
    settings_unref(asking);
    settings_unref(testing);
    dns_free(base);
    return 0;
}

/* DNS with text as the only record of OWNER. */
static Dns *dns_with(const char *text, gsize length)
{
    g_autoptr(DnsAnswer) answer = dns_answer_new(DNS_FOUND, 300);

    dns_answer_add(answer, 0, text, length);
    return dns_overlay_new(base, OWNER, DNS_TXT, answer);
}

static Consultation *consult(const char *text, gsize length)
{
    g_autoptr(Dns) dns = dns_with(text, length);
    Deadline deadline = deadline_in(asking->check_timeout);
    g_autoptr(Relays) relays = relays_resolve(asking, dns, deadline, NULL);
    g_autoptr(CheckSubject) subject = check_subject_parse(OWNER);

    return consultation_new(asking, dns, NULL, relays, subject, deadline);
}

#define O "include:spf.protection.outlook.com"
#define SES "include:amazonses.com"

static const struct row {
    const char *name; /* the record found */
    const char *record;
} rows[] = {
    /* The sign stands somewhere else, or can't be read. */
    {"v=spf1 mx " O "- all", "v=spf1 mx " O " " SES " -all"},
    {"v=spf1 mx include:_spf-eu.ionos.com; all",
     "v=spf1 mx include:_spf-eu.ionos.com " SES " ~all"},
    {"v=spf1 mx " O " -;all", "v=spf1 mx " O " " SES " -all"},
    {"v=spf1 mx " O " -,all", "v=spf1 mx " O " " SES " -all"},
    {"v=spf1 mx " O " (-)all", "v=spf1 mx " O " " SES " -all"},
    {"v=spf1 mx " O " -\"all\"", "v=spf1 mx " O " " SES " -all"},
    {"v=spf1 mx " O " [~]all", "v=spf1 mx " O " " SES " ~all"},
    {"v=spf1 mx " O " \xe2\x80\x93\"all\"", "v=spf1 mx " O " " SES " -all"},
    {"v=spf1 mx " O "\xc2\xad all", "v=spf1 mx " O " " SES " ~all"},
    {"v=spf1 mx \xc2\xad\x61ll", "v=spf1 mx " SES " ~all"},
    {"v=spf1 mx " O "-; all", "v=spf1 mx " O " " SES " -all"},
    {"v=spf1 mx " O "~ all", "v=spf1 mx " O " " SES " ~all"},
    {"v=spf1 mx " O ",-,all", "v=spf1 mx " O " " SES " -all"},
    {"v=spf1 mx - . all", "v=spf1 mx " SES " -all"},
    {"v=spf1 mx -:all", "v=spf1 mx " SES " -all"},
    {"v=spf1 mx _all", "v=spf1 mx " SES " ~all"},
    {"v=spf1 mx /all", "v=spf1 mx " SES " ~all"},
    {"v=spf1 mx \xe2\x81\x83\x61ll", "v=spf1 mx " SES " -all"},
    {"v=spf1 mx \xe3\x80\x9c\x61ll", "v=spf1 mx " SES " ~all"},
    {"v=spf1 mx \xe2\x80\x9c-all\xe2\x80\x9d", "v=spf1 mx " SES " -all"},
    {"v=spf1 mx - a ll", "v=spf1 mx " SES " -all"},
    {"v=spf1 mx -a l l", "v=spf1 mx " SES " -all"},
    {"v=spf1 mx +all. -all", "v=spf1 mx " SES " -all"},
    {"v=spf1 mx foo +all", "v=spf1 mx " SES " ~all"},
    {"v=spf1 mx foo all", "v=spf1 mx " SES " ~all"},
    {"v=spf1 mx foo all -all", "v=spf1 mx " SES " -all"},
    {"v=spf1 mx &all", "v=spf1 mx " SES " ~all"},
    {"v=spf1 mx include:gone.example all", "v=spf1 mx " SES " ~all"},
    {"v=spf1 mx include:bad.hoster.org +all", "v=spf1 mx " SES " ~all"},
    {"v=spf1 mx- ip4:203.0.113.32 ip4:203.0.113.0/24 -all",
     "v=spf1 mx -ip4:203.0.113.32 ip4:203.0.113.0/24 " SES " -all"},
    {"v=spf1 -;ip4:203.0.113.32 ip4:203.0.113.0/24 -all",
     "v=spf1 -ip4:203.0.113.32 ip4:203.0.113.0/24 " SES " -all"},

    /* A value that stands there whole is read, whatever stands around it. */
    {"v=spf1 " O " -all", "v=spf1 " O " " SES " -all"},
    {"v=spf1 include:spf.protection.outlook .com -all", "v=spf1 " O " " SES " -all"},
    {"v=spf1 include:_spf. google.com -all", "v=spf1 include:_spf.google.com " SES " -all"},
    {"v=spf1 a:|mail.hoster.org -all", "v=spf1 a:mail.hoster.org " SES " -all"},
    {"v=spf1 include:\"sendgrid.net\" -all", "v=spf1 include:sendgrid.net " SES " -all"},
    {"v=spf1 include:[sendgrid.net] -all", "v=spf1 include:sendgrid.net " SES " -all"},
    {"v=spf1 include:(sendgrid.net) -all", "v=spf1 include:sendgrid.net " SES " -all"},
    {"v=spf1 include(sendgrid.net) -all", "v=spf1 include:sendgrid.net " SES " -all"},
    {"v=spf1 include:\xe2\x80\xb9sendgrid.net\xe2\x80\xba -all",
     "v=spf1 include:sendgrid.net " SES " -all"},
    {"v=spf1 include.spf.protection.outlook.com -all", "v=spf1 " O " " SES " -all"},
    {"v=spf1 include/spf.protection.outlook.com -all", "v=spf1 " O " " SES " -all"},
    {"v=spf1 include-spf.protection.outlook.com -all", "v=spf1 " O " " SES " -all"},
    {"v=spf1 inclde sendgrid.net -all", "v=spf1 include:sendgrid.net " SES " -all"},
    {"v=spf1 ip4-198.51.100.7 -all", "v=spf1 ip4:198.51.100.7 " SES " -all"},
    {"v=spf1 a.mail.hoster.org -all", "v=spf1 a:mail.hoster.org " SES " -all"},
    {"v=spf1 ip4:198.51.100.0\\24 -all", "v=spf1 ip4:198.51.100.0/24 " SES " -all"},
    {"v=spf1 ip4:198.51.100.7/ 24 -all", "v=spf1 ip4:198.51.100.7/24 " SES " -all"},
    {"v=spf1 ip4:198.51.100.0 / 24 -all", "v=spf1 ip4:198.51.100.0/24 " SES " -all"},
    {"v=spf1 include: \"sendgrid.net\" -all", "v=spf1 include:sendgrid.net " SES " -all"},
    {"v=spf1 include \"sendgrid.net\" -all", "v=spf1 include:sendgrid.net " SES " -all"},
    {"v=spf1 ip4:198.51.100.7/240 -all", "v=spf1 ip4:198.51.100.7 " SES " -all"},
    {"v=spf1 a:include:_spf.google.com -all", "v=spf1 include:_spf.google.com " SES " -all"},
    {"v=spf1+a+mx+include:_spf.google.com~all",
     "v=spf1 +a +mx +include:_spf.google.com " SES " ~all"},
    {"v=spf1%20mx%20-all", "v=spf1 mx " SES " -all"},
    {"v=spf1_a_mx", "v=spf1 a mx " SES},
    {"v=spf1_a_mx_include:_spf.google.com_~all",
     "v=spf1 a mx include:_spf.google.com " SES " ~all"},
    {"v=spf1_mx_-ip4:203.0.113.32_ip4:203.0.113.0/24_all",
     "v=spf1 mx -ip4:203.0.113.32 ip4:203.0.113.0/24 " SES " ~all"},
    {"v=spf1_mx/24 -all", "v=spf1 mx/24 " SES " -all"},
    {"v=spf1_include:x.my_mx.example.org_-all", "v=spf1 " SES " -all"},
    {"v=spf1 mx include.spf.protection.outlook.com -all", "v=spf1 mx " O " " SES " -all"},
    {"v=spf1 a mx include/sendgrid.net -all", "v=spf1 a mx include:sendgrid.net " SES " -all"},
    {"v=spf1 include:_spf.google.com,sendgrid.net -all",
     "v=spf1 include:_spf.google.com include:sendgrid.net " SES " -all"},

    /* A piece of a name is nobody. */
    {"v=spf1 include:_spf.goo gle.com -all", NULL},
    {"v=spf1 include:_spf.go,gle.com -all", NULL},
    {"v=spf1 include:_spf google.com -all", NULL},
    {"v=spf1 include->sendgrid.net -all", NULL},
    {"v=spf1 a: mail.hoster.orgmx:praxis.org -all", NULL},
    {"v=spf1 ip4:198.51.100.1)7-a -all", "v=spf1 " SES " -all"},
    {"v=spf1 a:-<mail.hoster.org> -all", "v=spf1 " SES " -all"},
    {"v=spf1 mx x-include:sendgrid.net -all", "v=spf1 mx -include:sendgrid.net " SES " -all"},
    {"v=spf1 ip4:198.51.100.1\\28 -all", "v=spf1 " SES " -all"},
    {"v=spf1 ip4:198.51.100.1\\28/25 -all", "v=spf1 " SES " -all"},
    {"v=spf1 a/mail.hoster.org -all", "v=spf1 " SES " -all"},
    {"v=spf1 include:_spf.google.c om -all", NULL},
    {"v=spf1 ip4:198.51.100.1 7 -all", NULL},
    {"v=spf1 ip6:2001:db8::2 5 -all", NULL},
    {"v=spf1 include:_spf.goo@gle.com -all", "v=spf1 " SES " -all"},
    {"v=spf1 include:_spf.goo/gle.com -all", "v=spf1 " SES " -all"},
    {"v=spf1 include:_spf.goo:gle.com -all", "v=spf1 " SES " -all"},
    {"v=spf1 include:_spf.goo\"gle.com -all", "v=spf1 " SES " -all"},
    {"v=spf1 ip4:198.51.100.1:7 -all", "v=spf1 " SES " -all"},
    {"v=spf1 ip4:198.51.100.2-3 -all", "v=spf1 " SES " -all"},
    {"v=spf1 ip4:198.51.100.1,7 -all", "v=spf1 " SES " -all"},
    {"v=spf1 ainclude:_spf.google.com -all", "v=spf1 include:_spf.google.com " SES " -all"},

    /* What refuses senders is not lost before those whom it is to be taken from. */
    {"v=spf1 -ip4:203.0.113.999 ip4:203.0.113.0/24 -all", NULL},
    {"v=spf1 -ip4:203.0.113.32/40 ip4:203.0.113.0/24 -all", NULL},
    {"v=spf1 -foo ip4:203.0.113.0/24 -all", NULL},
    {"v=spf1 ip4:203.0.113.32 -foo -all", "v=spf1 ip4:203.0.113.32 " SES " -all"},
    {"v=spf1 !ip4:203.0.113.32 ip4:203.0.113.0/24 -all",
     "v=spf1 ~ip4:203.0.113.32 ip4:203.0.113.0/24 " SES " -all"},
    {"v=spf1 foo ip4:203.0.113.0/2 -all", NULL},
    {"v=spf1 -include:gone.example ip4:203.0.113.0/24 -all", NULL},
    {"v=spf1 ~include:bad.hoster.org redirect=_spf.google.com", NULL},
    {"v=spf1 ?include:gone.example mx ~all", NULL},
    {"v=spf1 foo -include:bad.hoster.org mx ~all", NULL},
    {"v=spf1 mx -include:gone.example -all", "v=spf1 mx " SES " -all"},
    {"v=spf1 mx -include:gone.example -all a", "v=spf1 mx " SES " -all a"},

    /* Nobody passed while the record was an error, so it is not made to let everybody pass. */
    {"v=spf1 exists:sendgrid.net foo -all", "v=spf1 " SES " ?exists:sendgrid.net -all"},
    {"v=spf1 include:wide.hoster.org foo: -all", "v=spf1 " SES " ?include:wide.hoster.org -all"},
    {"v=spf1 +exists:sendgrid.net mx foo -all", "v=spf1 mx " SES " ?exists:sendgrid.net -all"},
    {"v=spf1 foo: redirect=wide.hoster.org", "v=spf1 " SES " ?all"},
    {"v=spf1 foo: -all exists:sendgrid.net", "v=spf1 " SES " -all exists:sendgrid.net"},

    /* A line that was pasted whole. */
    {"@ IN TXT \"v=spf1 mx -all\"", "v=spf1 mx " SES " -all"},
    {"praxis.org. 3600 IN TXT \"v=spf1 mx -all\"", "v=spf1 mx " SES " -all"},
    {"TXT v=spf1 mx -all", "v=spf1 mx " SES " -all"},
    {"Wert: v=spf1 mx -all", "v=spf1 mx " SES " -all"},
    {"SPF: \"v=spf1 mx all\"", "v=spf1 mx " SES " ~all"},
    {"v=DMARC1; p=none; rua=mailto:a@praxis.org", "v=spf1 " SES " ~all"},
    {"See our page on v=spf1 for more", "v=spf1 " SES " ~all"},

    /* A sign is changed, and not a second one added. */
    {"v=spf1 -include:amazonses.com mx -all", "v=spf1 " SES " mx -all"},
    {"v=spf1 mx ~include:AmazonSES.com. -all", "v=spf1 mx " SES " -all"},
    {"v=spf1 mx -all ?include:amazonses.com", "v=spf1 mx " SES " -all ?include:amazonses.com"},
};

static void test_proposal(void **state)
{
    const struct row *row = *state;
    g_autoptr(Consultation) consultation = consult(row->name, strlen(row->name));
    const char *record = consultation->advice->record;

    assert_string_equal(record != NULL ? record : "none",
                        row->record != NULL ? row->record : "none");
    assert_int_equal(row->record == NULL,
                     advice_point(consultation->advice, POINT_UNPROVEN) != NULL);
}

/* What is said besides. */
static const struct point_row {
    const char *name;
    PointKind kind;
    const char *term, *text;
} point_rows[] = {
    {"v=spf1 -include:amazonses.com -all", POINT_SIGN, "-include:amazonses.com",
     "include:amazonses.com"},
    {"v=spf1 mx include:gone.example all", POINT_CLOSED, "all", "~all"},
    {"v=spf1 -include:gone.example mx all", POINT_BROKEN_REFUSAL, "-include:gone.example", NULL},
    {"v=spf1 v=spf1 include:amazonses.com -all", POINT_SECOND_VERSION, "v=spf1", NULL},
    {"v=spf1 mx -all v=spf1 a -all", POINT_SECOND_VERSION, "v=spf1", NULL},
    {"v=spf1 mx -all v=spf1 a -all", POINT_UNREACHED, "a", NULL},
    {"v=spf1 mx - all include:_spf.google.com -all", POINT_UNREACHED, "include:_spf.google.com",
     NULL},
    {"v=spf1 include:_spf.goo gle.com -all", POINT_UNREADABLE, "gle.com", NULL},
    {"TXT v=spf1 mx -all", POINT_VERSION, "TXT v=spf1", NULL},
};

static void test_point(void **state)
{
    const struct point_row *row = *state;
    g_autoptr(Consultation) consultation = consult(row->name, strlen(row->name));
    const Point *point = advice_point(consultation->advice, row->kind);

    assert_non_null(point);
    assert_string_equal(point->term, row->term);
    if (row->text != NULL)
        assert_string_equal(point->text, row->text);
    else
        assert_null(point->text);
}

/* Verdict and advice judge the same octets. */
static void test_nul(void **state G_GNUC_UNUSED)
{
    static const struct {
        const char *text;
        gsize length;
    } records[] = {
        {"v=spf1 include:amazonses.com -all\0", 34},
        {"v=spf1\0include:amazonses.com -all", 33},
        {"v=spf1 include:amazonses.com\0-all", 33},
        {"v=spf1 \0include:amazonses.com -all", 34},
    };

    for (gsize i = 0; i < G_N_ELEMENTS(records); i++) {
        g_autoptr(Consultation) consultation = consult(records[i].text, records[i].length);

        assert_int_not_equal(consultation->check->result, SPF_PASS);
        assert_int_equal(consultation->advice->kind, ADVICE_REPAIR);
        assert_string_equal(consultation->advice->record, "v=spf1 include:amazonses.com -all");
    }
}

static void test_unite(void **state G_GNUC_UNUSED)
{
    g_autoptr(DnsAnswer) answer = dns_answer_new(DNS_FOUND, 300);
    g_autoptr(Dns) dns = NULL;
    g_autoptr(Relays) relays = NULL;
    g_autoptr(CheckSubject) subject = check_subject_parse(OWNER);
    g_autoptr(Consultation) consultation = NULL;
    Deadline deadline = deadline_in(asking->check_timeout);
    const Point *point;

    dns_answer_add(answer, 0, "v=spf1 a ~all mx", strlen("v=spf1 a ~all mx"));
    dns_answer_add(answer, 0, "v=spf1 include:sendgrid.net -all",
                   strlen("v=spf1 include:sendgrid.net -all"));
    dns = dns_overlay_new(base, OWNER, DNS_TXT, answer);
    relays = relays_resolve(asking, dns, deadline, NULL);
    consultation = consultation_new(asking, dns, NULL, relays, subject, deadline);
    point = advice_point(consultation->advice, POINT_UNCOUNTED);
    assert_non_null(point);
    assert_string_equal(point->term, "mx");
    assert_string_equal(point->text, "~all");
}

/* Two records are an error; united they must not let everybody pass whom one of them would. */
static void test_unite_open(void **state G_GNUC_UNUSED)
{
    static const char *const open[] = {
        "v=spf1 ip4:0.0.0.0/0 -all", "v=spf1 exists:sendgrid.net ~all",
        "v=spf1 a:sendgrid.net/1 ?all", "v=spf1 include:wide.hoster.org -all"};

    for (gsize i = 0; i < G_N_ELEMENTS(open); i++) {
        g_autoptr(DnsAnswer) answer = dns_answer_new(DNS_FOUND, 300);
        g_autoptr(Dns) dns = NULL;
        g_autoptr(Relays) relays = NULL;
        g_autoptr(CheckSubject) subject = check_subject_parse(OWNER);
        g_autoptr(Consultation) consultation = NULL;
        Deadline deadline = deadline_in(asking->check_timeout);

        dns_answer_add(answer, 0, "v=spf1 mx -all", strlen("v=spf1 mx -all"));
        dns_answer_add(answer, 0, open[i], strlen(open[i]));
        dns = dns_overlay_new(base, OWNER, DNS_TXT, answer);
        relays = relays_resolve(asking, dns, deadline, NULL);
        consultation = consultation_new(asking, dns, NULL, relays, subject, deadline);
        assert_int_equal(consultation->advice->kind, ADVICE_MERGE);
        assert_non_null(strstr(consultation->advice->record, " ?"));
        assert_non_null(advice_point(consultation->advice, POINT_CLOSED));
    }
}

/* The owner sees what is to be corrected, and no record that could be copied. */
static void test_unreadable_is_quoted(void **state G_GNUC_UNUSED)
{
    static const char record[] = "v=spf1 include:_spf.goo gle.com -all";
    g_autoptr(Consultation) consultation = consult(record, strlen(record));
    g_autoptr(Language) language = language_new(LANGUAGE_ENGLISH, NULL);
    g_autoptr(GPtrArray) pieces = advice_text_pieces(language, consultation->advice);
    bool is_quoted = false;

    for (guint i = 0; i < pieces->len; i++) {
        const AdvicePiece *piece = g_ptr_array_index(pieces, i);

        assert_int_not_equal(piece->kind, ADVICE_PIECE_RECORD);
        is_quoted |= piece->kind == ADVICE_PIECE_QUOTE && strcmp(piece->text, record) == 0;
    }
    assert_true(is_quoted);
}

/* --- Random damage --- */

static const char *const records[] = {
    "v=spf1 mx include:spf.protection.outlook.com -all",
    "v=spf1 a mx include:_spf.google.com ~all",
    "v=spf1 ip4:198.51.100.17 include:_spf-eu.ionos.com -all",
    "v=spf1 -ip4:203.0.113.32 include:_spf.google.com ip4:198.51.100.128/25 -all",
    "v=spf1 a:mail.hoster.org mx:praxis.org ip6:2001:db8::25 ?all",
    "v=spf1 ~a:relay.hoster.org include:sendgrid.net a:mail.hoster.org -all",
    "v=spf1 ip4:203.0.113.112/28 -include:sendgrid.net mx redirect=_spf.google.com",
    "v=spf1 ?mx ip4:198.51.100.17 -a +include:spf.protection.outlook.com ~all",
};

typedef struct {
    GRand *random;
    GString *text;
} Damage;

static gsize any_place(const Damage *damage)
{
    return (gsize)g_rand_int_range(damage->random, 0, (int)damage->text->len);
}

static const char *any_of(const Damage *damage, const char *const *choices, gsize count)
{
    return choices[g_rand_int_range(damage->random, 0, (int)count)];
}

static const char *const marks[] = {
    " ",  ",",  ";",  ":",    "=",        "/",        ".",           "-",   "~",   "+",
    "?",  "!",  "\"", "'",    "(",        ")",        "[",           "]",   "<",   ">",
    "|",  "\\", "_",  "*",    "@",        "%",        "x",           "com", "%20", "  ",
    ", ", "\t", "\n", "\x01", "\xc2\xa0", "\xc2\xad", "\xe2\x80\x93"};

/* Puts marks around a word, or around what stands behind its colon. */
static void wrap(const Damage *damage)
{
    static const char *const pairs[][2] = {{"\"", "\""}, {"(", ")"}, {"[", "]"}, {"<", ">"},
                                           {"'", "'"},   {"-", ""},  {"", "-"},  {"", ";"},
                                           {"", ","},    {" ", ""}};
    GString *text = damage->text;
    const char *const *pair = pairs[g_rand_int_range(damage->random, 0, G_N_ELEMENTS(pairs))];
    gsize begin = any_place(damage);
    gsize end;

    while (begin > 0 && strchr(" :", text->str[begin - 1]) == NULL)
        begin--;
    end = begin + strcspn(text->str + begin, " ");
    g_string_insert(text, (gssize)end, pair[1]);
    g_string_insert(text, (gssize)begin, pair[0]);
}

/* A sign goes away from its word. */
static void move_sign(const Damage *damage)
{
    GString *text = damage->text;
    gsize at = any_place(damage);
    gsize sign = at + strcspn(text->str + at, "-~?+");

    if (sign == text->len || sign == 0)
        return;
    if (text->str[sign - 1] == ' ')
        text->str[sign - 1] = text->str[sign];
    text->str[sign] = ' ';
}

/* A digit that is missing or stands there twice makes another address, and nobody can see that. */
static gsize any_but_digit(const Damage *damage)
{
    gsize at = any_place(damage);

    while (at > 0 && g_ascii_isdigit(damage->text->str[at]))
        at--;
    return at;
}

static void damage_once(const Damage *damage)
{
    GString *text = damage->text;
    gsize at = any_but_digit(damage);
    const char *mark = any_of(damage, marks, G_N_ELEMENTS(marks));

    switch (g_rand_int_range(damage->random, 0, 9)) {
    case 0:
        g_string_erase(text, (gssize)at, 1);
        return;
    case 1:
    case 2:
        at = any_place(damage);
        g_string_insert(text, (gssize)at, mark);
        return;
    case 3:
        g_string_erase(text, (gssize)at, 1);
        g_string_insert(text, (gssize)at, mark);
        return;
    case 4:
        at += strcspn(text->str + at, " ");
        g_string_erase(text, (gssize)at, at < text->len ? 1 : 0);
        return;
    case 5:
        g_string_insert_c(text, (gssize)at, text->str[at]);
        return;
    case 6:
        wrap(damage);
        return;
    case 7:
        move_sign(damage);
        return;
    default:
        at += strcspn(text->str + at, " :-");
        g_string_insert(text, (gssize)at, mark);
    }
}

/* Evaluates text for all senders: an array of SpfResult in the order of SENDERS. */
static DomainCheck *evaluate(const char *text, const Relays *senders, const CheckSubject *subject)
{
    g_autoptr(Dns) dns = dns_with(text, strlen(text));

    return domain_check_evaluate(testing, dns, senders, subject,
                                 deadline_in(testing->check_timeout));
}

/* Does a mechanism of the undamaged record, whose sign is gone, stand there without one? */
static bool lost_its_sign(const char *undamaged, const char *damaged)
{
    g_auto(GStrv) terms = g_strsplit(undamaged, " ", -1);

    for (char **term = terms; *term != NULL; term++) {
        const char *at;

        if (strchr("-~?", **term) == NULL || strstr(*term, "all") != NULL)
            continue;
        at = strstr(damaged, *term);
        if (at == NULL)
            return true;
    }
    return false;
}

typedef struct {
    const Relays *senders;
    const CheckSubject *subject;
    guint mended, refused, opened;
} Tally;

/* Nobody passes after mending who did not pass before, but for our relays and the senders of the
 * undamaged record. Returns whom it would, or NULL. */
static const Network *opened_for(const Tally *tally, const char *undamaged, const char *damaged,
                                 const Advice *advice)
{
    g_autoptr(DomainCheck) after = evaluate(advice->record, tally->senders, tally->subject);
    g_autoptr(DomainCheck) meant = evaluate(undamaged, tally->senders, tally->subject);
    g_autoptr(DomainCheck) before = evaluate(damaged, tally->senders, tally->subject);

    for (guint i = 0; i < after->evaluations->len; i++)
        if (domain_check_at(after, i)->result == SPF_PASS &&
            domain_check_at(meant, i)->result != SPF_PASS &&
            domain_check_at(before, i)->result != SPF_PASS)
            return &g_array_index(tally->senders->networks, Network, i);
    return NULL;
}

static void try_damage(Tally *tally, const char *undamaged, const char *damaged)
{
    g_autoptr(Consultation) consultation = consult(damaged, strlen(damaged));
    const Advice *advice = consultation->advice;
    const Network *opened = NULL;
    char text[NETWORK_TEXT_MAX];

    if (advice->kind != ADVICE_REPAIR && advice->kind != ADVICE_MERGE)
        return;
    if (advice->record == NULL) {
        tally->refused++;
        return;
    }
    tally->mended++;
    if (!lost_its_sign(undamaged, damaged))
        opened = opened_for(tally, undamaged, damaged, advice);
    if (opened == NULL)
        return;
    tally->opened++;
    print_message("# \"%s\" became \"%s\", and %s passes\n", damaged, advice->record,
                  network_text(opened, text));
}

static void test_damage(void **state G_GNUC_UNUSED)
{
    const char *wanted = g_getenv("SPFROM_DAMAGES");
    guint count = wanted != NULL ? (guint)g_ascii_strtoull(wanted, NULL, 10) : DAMAGES;
    g_autoptr(Relays) senders =
        relays_resolve(testing, base, deadline_in(testing->check_timeout), NULL);
    g_autoptr(CheckSubject) subject = check_subject_parse(OWNER);
    Tally tally = {.senders = senders, .subject = subject};
    GRand *random = g_rand_new_with_seed(14);

    for (guint i = 0; i < count; i++) {
        const char *undamaged = records[i % G_N_ELEMENTS(records)];
        g_autoptr(GString) text = g_string_new(undamaged);
        Damage damage = {.random = random, .text = text};

        damage_once(&damage);
        if (g_rand_int_range(random, 0, 4) == 0)
            damage_once(&damage);
        try_damage(&tally, undamaged, text->str);
    }
    g_rand_free(random);
    print_message("# %u records damaged, %u mended, %u not, %u more open\n", count, tally.mended,
                  tally.refused, tally.opened);
    assert_int_equal(tally.opened, 0);
    assert_true(tally.mended > count / 4);
}

int main(void)
{
    GArray *tests = table_new();

    set_up(NULL);
    TABLE_ADD(tests, rows, test_proposal);
    TABLE_ADD(tests, point_rows, test_point);
    table_add(tests, "NUL", test_nul, NULL);
    table_add(tests, "what never counted is told", test_unite, NULL);
    table_add(tests, "several that would be open", test_unite_open, NULL);
    table_add(tests, "what can't be read is quoted", test_unreadable_is_quoted, NULL);
    table_add(tests, "random damage", test_damage, NULL);
    int failed = table_run(tests, "proposal");
    tear_down(NULL);
    return failed;
}
