#include "config.h"

#include "advice/record/mend.h"

#include <string.h>

#include "advice/advice.h"
#include "unit/table.h"

/* A record, what it was meant as, and the points: "V" version, "place:term>became". */
static const struct row {
    const char *name;
    const char *meant;
    const char *points;
} rows[] = {
    {"v=spf1 a  mx -all", "v=spf1 a  mx -all", ""},
    {"V=SPF1 a ", "V=SPF1 a ", ""},
    {"v=spf1  ", "v=spf1  ", ""},
    {"v=spf1", "v=spf1", ""},
    {"v=spf1; a", "v=spf1 a", "V:v=spf1;"},
    {"\"v=spf1 a\"", "v=spf1 a", "V:\"v=spf1"},
    {"a mx -all", "v=spf1 a mx -all", "V:"},
    {"v=spf1\xc2\xa0\x61", "v=spf1 a", "V:v=spf1"},
    {"v=spf1 include: x.org -all", "v=spf1 include:x.org -all", "8:include: x.org>include:x.org"},
    {"v=spf1 ip4:198.51.100.0 /24 -all", "v=spf1 ip4:198.51.100.0/24 -all",
     "8:ip4:198.51.100.0 /24>ip4:198.51.100.0/24"},
    {"v=spf1 ip4:203.0.113.7 /0 -all", "v=spf1 ip4:203.0.113.7 -all", "24:/0>"},
    {"v=spf1 ip4:203.0.113.7 /1 -all", "v=spf1 ip4:203.0.113.7 -all", "24:/1>"},
    {"v=spf1 ip4:0.0.0.0 /0 -all", "v=spf1 ip4:0.0.0.0 -all", "20:/0>"},
    {"v=spf1 ip6:2001:db8::1 /0 -all", "v=spf1 ip6:2001:db8::1 -all", "24:/0>"},
    {"v=spf1 a /0 -all", "v=spf1 a -all", "10:/0>"},
    {"v=spf1  ip4 192.0.2.1 - all", "v=spf1  ip4:192.0.2.1 -all",
     "9:ip4 192.0.2.1>ip4:192.0.2.1 23:- all>-all"},
    {"v=spf1 a \xe2\x80\x93\x61ll foo", "v=spf1 a -all", "10:\xe2\x80\x93\x61ll>-all 15:foo>"},
    {"v=spf1 redirect=x.org redirect=X.org redirect=y.org", "v=spf1 redirect=x.org include:y.org",
     "23:redirect=X.org> 38:redirect=y.org>include:y.org"},
    {"v=spf1 exp=x.org exp=y.org foo= foo=", "v=spf1 exp=x.org foo=", "18:exp=y.org> 33:foo=>"},
    {"v=spf1 mx;v=spf1 a", "v=spf1 mx a", "8:mx;v=spf1>mx"},
    {"v=spf1 \xff -all", "v=spf1 -all", "8:\xef\xbf\xbd>"},
    {"v=spf1 ip 6:2001:db8::1 -all", "v=spf1 ip6:2001:db8::1 -all",
     "8:ip 6:2001:db8::1>ip6:2001:db8::1"},
    {"v=spf1 ip6:2001:db8::1 2001:db8::2 -all", "v=spf1 ip6:2001:db8::1 ip6:2001:db8::2 -all",
     "24:2001:db8::2>ip6:2001:db8::2"},

    /* What stands behind all is no error, and stays there. */
    {"v=spf1 a -all mx", "v=spf1 a -all mx", ""},
    {"v=spf1 ip4:203.0.113.7 -all ip4:0.0.0.0/0", "v=spf1 ip4:203.0.113.7 -all ip4:0.0.0.0/0", ""},
    {"v=spf1 ipv4:203.0.113.7 -all ip4:0.0.0.0/0", "v=spf1 ip4:203.0.113.7 -all ip4:0.0.0.0/0",
     "8:ipv4:203.0.113.7>ip4:203.0.113.7"},

    /* Nothing that was mended lets more pass than its owner can have meant. */
    {"v=spf1 ip4:192.0.2.0/2 4 -all", "v=spf1 ip4:192.0.2.0/24 -all",
     "8:ip4:192.0.2.0/2 4>ip4:192.0.2.0/24"},
    {"v=spf1 a/2 4 -all", "v=spf1 a/24 -all", "8:a/2 4>a/24"},
    {"v=spf1 ip4:192.0.2.0/24 4 -all", "v=spf1 ip4:192.0.2.0 -all",
     "8:ip4:192.0.2.0/24 4>ip4:192.0.2.0"},
    {"v=spf1 ip4:192.0.2.7/0.0.0.0 -all", "v=spf1 ip4:192.0.2.7 -all",
     "8:ip4:192.0.2.7/0.0.0.0>ip4:192.0.2.7"},
    {"v=spf1 ip4:192.0.2.7/00 -all", "v=spf1 ip4:192.0.2.7 -all",
     "8:ip4:192.0.2.7/00>ip4:192.0.2.7"},
    {"v=spf1 ip4:10.0.0.0/255.0.0.0 -all", "v=spf1 ip4:10.0.0.0/8 -all",
     "8:ip4:10.0.0.0/255.0.0.0>ip4:10.0.0.0/8"},
    {"v=spf1 exist:mail.x.org -all", "v=spf1 a:mail.x.org -all", "8:exist:mail.x.org>a:mail.x.org"},
    {"v=spf1 exists mail.x.org -all", "v=spf1 a:mail.x.org -all",
     "8:exists> 15:mail.x.org>a:mail.x.org"},
    {"v=spf1 exists: %{i}.x.org -all", "v=spf1 exists:%{i}.x.org -all",
     "8:exists: %{i}.x.org>exists:%{i}.x.org"},
    {"v=spf1all -all", "v=spf1 ~all -all", "V:v=spf1 7:all>~all"},
    {"v=spf1 a -'all", "v=spf1 a -all", "10:-'all>-all"},
    {"v=spf1 a'- all", "v=spf1 a -all", "10:- all>-all"},
    {"v=spf1 a (-)all", "v=spf1 a -all", "10:(-)all>-all"},
    {"v=spf1 a;-,all", "v=spf1 a -all", "10:-,all>-all"},
    {"v=spf1 a 'all", "v=spf1 a ~all", "10:'all>~all"},
    {"v=spf1 a foo all", "v=spf1 a ~all", "10:foo> 14:all>~all"},
    {"v=spf1 a foo -all +all", "v=spf1 a -all +all", "10:foo>"},
    {"v=spf1 a +all. mx -all", "v=spf1 a mx -all", "10:+all.>"},
    {"v=spf1 exists:%{i}-a.x.org foo -all", "v=spf1 exists:%{i}-a.x.org -all", "28:foo>"},
    {"v=spf1 mx v=spf1 a -all foo", "v=spf1 mx a -all", "11:v=spf1> 25:foo>"},
    {"v=spf1 +ip4:192.0.2.0/2{4 -all", "v=spf1 ip4:192.0.2.0 -all",
     "8:+ip4:192.0.2.0/2{4>ip4:192.0.2.0"},
    {"v=spf1 a +allmx:x.org", "v=spf1 a ~all mx:x.org", "10:+allmx:x.org>~all mx:x.org"},
    {"v=spf1 exists:x.org-ip4:192.0.2.1 -all", "v=spf1 a:x.org -ip4:192.0.2.1 -all",
     "8:exists:x.org-ip4:192.0.2.1>a:x.org -ip4:192.0.2.1"},
    {"v=spf1 a ++alle", "v=spf1 a ~all", "10:++alle>~all"},
    {"v=spf1 !ip4:192.0.2.1 \xe2\x9e\x96ip4:192.0.2.2 a", "v=spf1 ~ip4:192.0.2.1 -ip4:192.0.2.2 a",
     "8:!ip4:192.0.2.1>~ip4:192.0.2.1 23:\xe2\x9e\x96ip4:192.0.2.2>-ip4:192.0.2.2"},
    {"v=spf1 \xe2\x96\xa0ip4:192.0.2.1 a", "v=spf1 ~ip4:192.0.2.1 a",
     "8:\xe2\x96\xa0ip4:192.0.2.1>~ip4:192.0.2.1"},
};

static char *shown(const GPtrArray *points)
{
    GString *text = g_string_new(NULL);

    for (guint i = 0; i < points->len; i++) {
        const Point *point = g_ptr_array_index(points, i);

        g_string_append(text, i > 0 ? " " : "");
        if (point->kind == POINT_VERSION)
            g_string_append_printf(text, "V:%s", point->term);
        else
            g_string_append_printf(text, "%u:%s>%s", point->number, point->term, point->text);
    }
    return g_string_free(text, FALSE);
}

static void test_mend(void **state)
{
    const struct row *row = *state;
    g_autoptr(GPtrArray) points = point_array_new();
    g_autoptr(Draft) draft = mend_record(row->name, 0, points);
    g_autofree char *text = draft_text(draft);
    g_autofree char *said = shown(points);

    assert_string_equal(text, row->meant);
    assert_string_equal(said, row->points);
}

static const struct meant_row {
    const char *name;
    bool is_meant;
} meant_rows[] = {
    {"v=spf1 -all", true},
    {"v=spf1", true},
    {"v=spf1;-all", true},
    {" v=spf1 a", true},
    {"v=SPF2 a", true},
    {"spf1 a", true},
    {"v:spf1 a", true},
    {"v=sfp1 a", true},
    {"v=spf1.0 a", true},
    {"include:x.org ~all", true},
    {"spf2.0/pra -all", false},
    {"v=spf2.0/mfrom", false},
    {"v=DMARC1; p=none", false},
    {"v=DKIM1; p=", false},
    {"spf.x.org", false},
    {"v=xspf1 mx -all", true},
    {"v=s;pf1 mx -all", true},
    {"v=DKIM1 mx -all", false},
    {"v=STSv1; id=1", false},
    {"TXT \"v=spf1 mx -all\"", true},
    {"Value: v=spf1 -all", true},
    {"@ IN TXT v=DMARC1; p=none", false},
    {"see v=spf1 records", false},
    {"google-site-verification=x", false},
    {"all", false},
    {"", false},
    {"v=", false},
    {"v", false},
    {"MS=ms1", false},
};

static void test_meant(void **state)
{
    const struct meant_row *row = *state;

    assert_int_equal(mend_is_meant_as_spf(row->name), row->is_meant);
}

int main(void)
{
    GArray *tests = table_new();

    TABLE_ADD(tests, rows, test_mend);
    TABLE_ADD(tests, meant_rows, test_meant);
    return table_run(tests, "mend");
}
