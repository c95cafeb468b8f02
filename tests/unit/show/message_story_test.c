#include "config.h"

#include "show/message_story.h"

#include <string.h>

#include "unit/table.h"

static const struct row {
    const char *name;
    const char *line;
    const char *says; /* a part of the story */
} rows[] = {
    {"kept", "action=keep domain=x.de spf=pass mechanism=mx relay=192.0.2.25",
     "was left as it is. x.de authorises our relays: its SPF record gives pass by \"mx\" for "
     "192.0.2.25."},
    {"rewritten",
     "action=rewrite author=a@x.de domain=x.de spf=softfail mechanism=~all reply_to=added",
     "The author a@x.de was replaced by the fallback address. x.de does not authorise our relays: "
     "its SPF record gives softfail by \"~all\". Replies go to the author: Reply-To: was added."},
    {"another fallback", "action=rewrite author=a@x.de domain=x.de spf=none fallback=n@t.de",
     "by the fallback address n@t.de. x.de has no SPF record."},
    {"the envelope alone",
     "action=rewrite author=a@x.de sender=b@y.de domain=y.de spf=fail "
     "envelope=changed",
     "The author stayed. The envelope sender b@y.de was replaced. y.de does not authorise"},
    {"log-only", "action=would-rewrite author=a@x.de domain=x.de spf=fail",
     "was not touched, since the mode was log-only. What follows would have happened"},
    {"unreadable", "action=rewrite spf=none", "From: has no domain that could authorise"},
    {"trouble", "action=tempfail domain=x.de spf=temperror reason=\"no answer\"",
     "was put off: its client was told to try again later (tempfail_on). Whether x.de authorises our "
     "relays could not be found out, since the DNS had trouble (no answer)."},
    {"an error", "action=rewrite domain=x.de spf=permerror reason=\"two records\"",
     "its SPF record has an error (two records)."},
    {"off", "action=keep domain=x.de spf=- why=off", "since the mode was off."},
    {"map", "action=keep domain=x.de spf=- why=map", "domain_map says of x.de"},
    {"exempt", "action=keep domain=x.de spf=- why=exempt", "(exempt_dkim)."},
    {"by DKIM", "action=keep domain=x.de spf=softfail dkim=s1",
     "x.de does not authorise our relays: its SPF record gives softfail. The author stayed for a "
     "DKIM key of ours, s1, which the author's domain publishes (dkim_consent)."},
    {"fallback", "action=keep domain=x.de spf=- why=fallback", "x.de is the fallback's own domain"},
    {"inbound", "action=inbound sender=a@x.de", "it came from outside"},
    {"local", "action=local sender=a@x.de", "does not leave the house"},
    {"stale", "action=keep domain=x.de spf=pass cache=stale", "an older verdict"},
    {"another line", "returned=yes", "returned=yes"},
};

static void test_story(void **state)
{
    const struct row *row = *state;
    g_autoptr(MessageRecord) record = message_record_new(0, "-", NULL, row->line);
    g_auto(GStrv) sentences = message_story(record);
    g_autofree char *text = g_strjoinv(" ", sentences);

    if (strstr(text, row->says) == NULL)
        fail_msg("\"%s\" is not in \"%s\"", row->says, text);
}

static const struct row german_rows[] = {
    {"in German: rewritten",
     "action=rewrite author=a@x.de domain=x.de spf=softfail mechanism=~all relay=192.0.2.25 "
     "fallback=n@t.de reply_to=added",
     "Die Absenderadresse a@x.de wurde durch die Ersatzadresse n@t.de ersetzt. x.de autorisiert unsere "
     "Server nicht: Der SPF-Eintrag ergibt softfail durch „~all“ für 192.0.2.25. Antworten gehen an "
     "den Absender: Reply-To: wurde ergänzt."},
    {"in German: an error",
     "action=keep domain=x.de spf=permerror reason=\"x.de has 2 SPF records\"",
     "Der SPF-Eintrag ist fehlerhaft (x.de hat 2 SPF-Einträge)."},
    {"in German: map", "action=keep domain=x.de spf=- why=map",
     "Es wurde nichts nachgeschlagen: domain_map legt für x.de fest"},
};

static void test_german(void **state)
{
    const struct row *row = *state;
    g_autoptr(Language) german = language_new("de", NULL);
    g_autoptr(MessageRecord) record = message_record_new(0, "-", NULL, row->line);
    g_auto(GStrv) sentences = message_story_in(german, record);
    g_autofree char *text = g_strjoinv(" ", sentences);

    if (strstr(text, row->says) == NULL)
        fail_msg("\"%s\" is not in \"%s\"", row->says, text);
}

int main(void)
{
    GArray *tests = table_new();

    TABLE_ADD(tests, german_rows, test_german);
    TABLE_ADD(tests, rows, test_story);
    return table_run(tests, "message_story_test");
}
