#include "config.h"

#include "policy/plan.h"

#include <string.h>

#include "unit/table.h"
#include "policy/settings_parse.h"

/* What SPF says of the domains of these tests. One that is not here must not be asked for. */
static const struct {
    const char *domain;
    SpfResult result;
    bool is_dmarc_enforced;
    bool is_unproven;
    const char *dkim; /* the selector by which it agrees to our signature; NULL: it does not */
} world[] = {
    {"ok.example", SPF_PASS, false, false, NULL},
    {"ok2.example", SPF_PASS, false, false, NULL},
    {"sub.ok.example", SPF_PASS, false, false, NULL},
    {"strict.example", SPF_PASS, true, false, NULL},
    {"soft.example", SPF_SOFTFAIL, false, false, NULL},
    {"fail.example", SPF_FAIL, false, false, NULL},
    {"neutral.example", SPF_NEUTRAL, false, false, NULL},
    {"unproven.example", SPF_NEUTRAL, false, true, NULL},
    {"none.example", SPF_NONE, false, false, NULL},
    {"temp.example", SPF_TEMPERROR, false, false, NULL},
    {"perm.example", SPF_PERMERROR, false, false, NULL},
    {"mail.lemniscus.de", SPF_PASS, false, false, NULL},
    {"down.lemniscus.de", SPF_FAIL, false, false, NULL},
    {"mail.tenant.example", SPF_PASS, false, false, NULL},
    {"tenant.example", SPF_FAIL, false, false, NULL},
    {"xn--mller-kva.example", SPF_PASS, false, false, NULL},
    {"signed.example", SPF_SOFTFAIL, true, false, "lemniscus"},
    {"signed2.example", SPF_TEMPERROR, false, true, "other"},
};

static const struct row {
    const char *name;
    const char *conf;   /* besides the fallback address, noreply@lemniscus.de */
    const char *from;   /* values of From: fields, "|" between two; NULL: none */
    const char *sender; /* of the envelope */
    const char *wanted; /* as plan_text() writes it */
    const char *map;    /* domain_map; NULL: none */
    const char *dkim;   /* domains that passed, " " between two; NULL: none */
    int mode_switch;    /* a Mode + 1; 0: none */
    bool is_smtputf8;
    const char
        *why; /* nothing was looked up of what decided; NULL: it was, or there is no domain */
} rows[] = {
    /* The table of design section 4. */
    {"authorised, authorised", "", "a@ok.example", "<a@ok.example>",
     .wanted = "keep domain=ok.example spf=pass aligned asked: ok.example sender=ok.example"},
    {"authorised, authorised elsewhere", "", "a@ok.example", "<b@ok2.example>",
     .wanted = "keep domain=ok.example spf=pass asked: ok.example sender=ok2.example"},
    {"authorised, null", "", "a@ok.example", "<>",
     .wanted = "keep domain=ok.example spf=pass aligned asked: ok.example"},
    {"all of them authorised, authorised", "", "a@ok.example, b@ok2.example", "<a@ok.example>",
     .wanted =
         "keep domain=ok.example spf=pass aligned asked: ok.example ok2.example sender=ok.example"},
    {"not authorised, not authorised", "", "a@soft.example", "<a@soft.example>",
     .wanted =
         "rewrite author envelope=noreply@lemniscus.de domain=soft.example spf=softfail aligned "
         "unauthorised=soft.example asked: soft.example"},
    {"not authorised, authorised elsewhere", "", "a@soft.example", "<b@ok.example>",
     .wanted =
         "rewrite author envelope=noreply@lemniscus.de domain=soft.example spf=softfail aligned "
         "unauthorised=soft.example asked: soft.example"},
    {"not authorised, of the fallback's domain", "", "a@soft.example", "<bounce+42@lemniscus.de>",
     .wanted =
         "rewrite author domain=soft.example spf=softfail aligned unauthorised=soft.example asked: "
         "soft.example"},
    {"not authorised, authorised and aligned with the fallback", "", "a@soft.example",
     "<bounce+42@mail.lemniscus.de>",
     .wanted =
         "rewrite author domain=soft.example spf=softfail aligned unauthorised=soft.example asked: "
         "soft.example sender=mail.lemniscus.de"},
    {"not authorised, aligned with the fallback and not authorised", "", "a@soft.example",
     "<bounce+42@down.lemniscus.de>",
     .wanted =
         "rewrite author envelope=noreply@lemniscus.de domain=soft.example spf=softfail aligned "
         "unauthorised=soft.example asked: soft.example sender=down.lemniscus.de"},
    {"not authorised, null", "", "a@soft.example", "<>",
     .wanted =
         "rewrite author domain=soft.example spf=softfail aligned unauthorised=soft.example asked: "
         "soft.example"},
    {"not authorised, no domain", "", "a@soft.example", "<root>",
     .wanted =
         "rewrite author envelope=noreply@lemniscus.de domain=soft.example spf=softfail aligned "
         "unauthorised=soft.example asked: soft.example"},
    {"authorised, not authorised", "", "a@ok.example", "<b@soft.example>",
     .wanted =
         "rewrite envelope=a@ok.example domain=soft.example spf=softfail aligned asked: ok.example "
         "sender=soft.example"},
    {"authorised, not authorised, envelope_sender = fallback", "envelope_sender = fallback",
     "a@ok.example", "<b@soft.example>",
     .wanted =
         "rewrite envelope=noreply@lemniscus.de domain=soft.example spf=softfail asked: ok.example "
         "sender=soft.example"},
    {"authorised, no domain", "", "a@ok.example", "<root>",
     .wanted = "rewrite envelope=a@ok.example domain=- spf=none aligned asked: ok.example"},
    {"no From:, authorised", "", NULL, "<a@ok.example>",
     .wanted = "rewrite author envelope=noreply@lemniscus.de domain=- spf=none aligned asked:"},
    {"no From:, null", "", NULL, "<>", .wanted = "rewrite author domain=- spf=none aligned asked:"},
    {"no From:, of the fallback's domain", "", NULL, "<bounce@lemniscus.de>",
     .wanted = "rewrite author domain=- spf=none aligned asked:"},
    {"an empty From:", "", "", "<a@ok.example>",
     .wanted = "rewrite author envelope=noreply@lemniscus.de domain=- spf=none aligned asked:"},
    {"no domain in From:", "", "Praxis", "<a@ok.example>",
     .wanted = "rewrite author envelope=noreply@lemniscus.de domain=- spf=none aligned asked:"},
    {"an address literal in From:", "", "a@[192.0.2.1]", "<a@ok.example>",
     .wanted = "rewrite author envelope=noreply@lemniscus.de domain=- spf=none aligned asked:"},
    {"an empty group", "", "Praxis:;", "<a@ok.example>",
     .wanted = "rewrite author envelope=noreply@lemniscus.de domain=- spf=none aligned asked:"},
    {"a group", "", "Praxis: a@ok.example, b@soft.example;", "<>",
     .wanted =
         "rewrite author domain=soft.example spf=softfail aligned unauthorised=soft.example asked: "
         "ok.example soft.example"},
    {"two addresses in one", "", "a@b@ok.example", "<a@ok.example>",
     .wanted = "rewrite author envelope=noreply@lemniscus.de domain=- spf=none aligned asked:"},

    /* Several authors. */
    {"the first one not authorised", "", "a@soft.example, b@ok.example", "<a@soft.example>",
     .wanted =
         "rewrite author envelope=noreply@lemniscus.de domain=soft.example spf=softfail aligned "
         "unauthorised=soft.example asked: soft.example ok.example"},
    {"the last one not authorised", "", "a@ok.example, b@soft.example", "<a@ok.example>",
     .wanted =
         "rewrite author envelope=noreply@lemniscus.de domain=soft.example spf=softfail aligned "
         "unauthorised=soft.example asked: ok.example soft.example"},
    {"two not authorised", "", "a@fail.example, b@ok.example, c@soft.example", "<>",
     .wanted = "rewrite author domain=fail.example spf=fail aligned "
               "unauthorised=fail.example,soft.example "
               "asked: fail.example ok.example soft.example"},
    {"two From: fields", "", "a@ok.example|b@soft.example", "<a@ok.example>",
     .wanted =
         "rewrite author envelope=noreply@lemniscus.de domain=soft.example spf=softfail aligned "
         "unauthorised=soft.example asked: ok.example soft.example"},
    {"a From: that can be read in part", "", "a@ok.example|Praxis", "<a@ok.example>",
     .wanted = "rewrite author envelope=noreply@lemniscus.de domain=- spf=none aligned asked: "
               "ok.example"},
    {"one that can be read in part, not authorised", "", "a@soft.example|Praxis", "<>",
     .wanted =
         "rewrite author domain=soft.example spf=softfail aligned unauthorised=soft.example asked: "
         "soft.example"},

    /* dkim_consent: the author stays, and is no envelope. */
    {"by DKIM, its own envelope", "", "a@signed.example", "<a@signed.example>",
     .wanted = "rewrite envelope=noreply@lemniscus.de domain=signed.example spf=softfail "
               "dkim=lemniscus asked: signed.example sender=signed.example"},
    {"by DKIM, an authorised envelope", "", "a@signed.example", "<b@ok.example>",
     .wanted = "keep domain=signed.example spf=softfail dkim=lemniscus asked: signed.example "
               "sender=ok.example"},
    {"by DKIM, of the fallback's domain", "", "a@signed.example", "<bounce@lemniscus.de>",
     .wanted = "keep domain=signed.example spf=softfail dkim=lemniscus asked: signed.example"},
    {"by DKIM, null", "", "a@signed.example", "<>",
     .wanted = "keep domain=signed.example spf=softfail dkim=lemniscus aligned asked: "
               "signed.example"},
    {"by DKIM, null, null_sender = fallback", "null_sender = fallback align_envelope = yes",
     "a@signed.example", "<>",
     .wanted = "rewrite envelope=noreply@lemniscus.de domain=signed.example spf=softfail "
               "dkim=lemniscus asked: signed.example"},
    {"by DKIM, align_envelope", "align_envelope = yes", "a@signed.example", "<b@ok.example>",
     .wanted = "keep domain=signed.example spf=softfail dkim=lemniscus asked: signed.example "
               "sender=ok.example"},
    {"by DKIM, align_envelope by DMARC", "align_envelope = dmarc", "a@signed.example",
     "<a@signed.example>",
     .wanted = "rewrite envelope=noreply@lemniscus.de domain=signed.example spf=softfail "
               "dkim=lemniscus asked: signed.example sender=signed.example"},
    {"by DKIM, before tempfail_on", "tempfail_on = { softfail, temperror }", "a@signed.example",
     "<a@signed.example>",
     .wanted = "rewrite envelope=noreply@lemniscus.de domain=signed.example spf=softfail "
               "dkim=lemniscus asked: signed.example sender=signed.example"},
    {"by DKIM, though it is not proven", "", "a@signed2.example", "<>",
     .wanted = "keep domain=signed2.example spf=temperror dkim=other aligned asked: "
               "signed2.example"},
    {"by DKIM, the second author", "", "a@ok.example, b@signed.example", "<a@ok.example>",
     .wanted = "keep domain=ok.example spf=pass dkim=lemniscus aligned asked: ok.example "
               "signed.example sender=ok.example"},
    {"by DKIM, beside one who is not authorised", "", "a@signed.example, b@soft.example", "<>",
     .wanted = "rewrite author domain=soft.example spf=softfail aligned unauthorised=soft.example "
               "asked: signed.example soft.example"},
    {"by DKIM, the envelope alone", "", "a@ok.example", "<b@signed.example>",
     .wanted = "rewrite envelope=a@ok.example domain=signed.example spf=softfail aligned asked: "
               "ok.example sender=signed.example"},
    {"by DKIM, domain_map says no", "", "a@signed.example", "<>",
     .wanted = "rewrite author domain=signed.example spf=none aligned "
               "unauthorised=signed.example asked:",
     .map = "signed.example authorised=no\n", .why = "map"},

    /* rewrite_on and tempfail_on. */
    {"fail", "", "a@fail.example", "<>",
     .wanted =
         "rewrite author domain=fail.example spf=fail aligned unauthorised=fail.example asked: "
         "fail.example"},
    {"neutral", "", "a@neutral.example", "<>",
     .wanted =
         "rewrite author domain=neutral.example spf=neutral aligned unauthorised=neutral.example "
         "asked: neutral.example"},
    {"none", "", "a@none.example", "<>",
     .wanted =
         "rewrite author domain=none.example spf=none aligned unauthorised=none.example asked: "
         "none.example"},
    {"permerror", "", "a@perm.example", "<>",
     .wanted = "rewrite author domain=perm.example spf=permerror aligned unauthorised=perm.example "
               "asked: "
               "perm.example"},
    {"temperror", "", "a@temp.example", "<>",
     .wanted = "rewrite author domain=temp.example spf=temperror aligned unauthorised=temp.example "
               "asked: "
               "temp.example"},
    {"a result in neither list", "rewrite_on = { fail }", "a@soft.example", "<b@neutral.example>",
     .wanted = "keep domain=soft.example spf=softfail asked: soft.example sender=neutral.example"},
    {"unproven, whatever rewrite_on says", "rewrite_on = { fail }", "a@unproven.example", "<>",
     .wanted = "rewrite author domain=unproven.example spf=neutral aligned "
               "unauthorised=unproven.example asked: unproven.example"},
    {"a result in rewrite_on alone", "rewrite_on = { fail }", "a@fail.example", "<>",
     .wanted =
         "rewrite author domain=fail.example spf=fail aligned unauthorised=fail.example asked: "
         "fail.example"},
    {"pass in rewrite_on", "rewrite_on = { pass }", "a@ok.example", "<>",
     .wanted = "rewrite author domain=ok.example spf=pass aligned unauthorised=ok.example asked: "
               "ok.example"},
    {"nothing in rewrite_on", "rewrite_on = {}", "a@fail.example", "<b@fail.example>",
     .wanted = "keep domain=fail.example spf=fail aligned asked: fail.example sender=fail.example"},
    {"nothing in rewrite_on, no From:", "rewrite_on = {}", NULL, "<>",
     .wanted = "rewrite author domain=- spf=none aligned asked:"},
    {"tempfail_on, the author's", "tempfail_on = { temperror }", "a@temp.example", "<b@ok.example>",
     .wanted = "tempfail domain=temp.example spf=temperror asked: temp.example"},
    {"tempfail_on, in no other list", "rewrite_on = {} tempfail_on = { temperror }",
     "a@temp.example", "<>",
     .wanted = "tempfail domain=temp.example spf=temperror aligned asked: "
               "temp.example"},
    {"tempfail_on, the second author's", "tempfail_on = { temperror }",
     "a@soft.example, b@temp.example", "<>",
     .wanted =
         "tempfail domain=temp.example spf=temperror aligned asked: soft.example temp.example"},
    {"tempfail_on, another result", "tempfail_on = { permerror }", "a@temp.example", "<>",
     .wanted = "rewrite author domain=temp.example spf=temperror aligned unauthorised=temp.example "
               "asked: "
               "temp.example"},
    {"tempfail_on, the envelope's, the author authorised", "tempfail_on = { temperror }",
     "a@ok.example", "<b@temp.example>",
     .wanted = "tempfail domain=temp.example spf=temperror asked: ok.example sender=temp.example"},
    {"tempfail_on, the envelope's, the author not", "tempfail_on = { temperror }", "a@soft.example",
     "<b@temp.example>",
     .wanted =
         "rewrite author envelope=noreply@lemniscus.de domain=soft.example spf=softfail aligned "
         "unauthorised=soft.example asked: soft.example"},
    {"tempfail_on, the aligned envelope's, the author not", "tempfail_on = { fail }",
     "a@soft.example", "<b@down.lemniscus.de>",
     .wanted =
         "rewrite author envelope=noreply@lemniscus.de domain=soft.example spf=softfail aligned "
         "unauthorised=soft.example asked: soft.example sender=down.lemniscus.de"},
    {"tempfail_on, no From:", "tempfail_on = { none }", NULL, "<>",
     .wanted = "rewrite author domain=- spf=none aligned asked:"},
    {"tempfail_on, a From: that can be read in part", "tempfail_on = { temperror }",
     "a@temp.example|Praxis", "<>",
     .wanted = "rewrite author domain=temp.example spf=temperror aligned unauthorised=temp.example "
               "asked: temp.example"},
    {"tempfail_on, in no other list, and a From: that can be read in part",
     "rewrite_on = { fail } tempfail_on = { temperror }", "a@temp.example|Praxis", "<>",
     .wanted = "rewrite author domain=- spf=none aligned asked: temp.example"},
    {"tempfail_on, unproven, and a From: that can be read in part",
     "rewrite_on = { fail } tempfail_on = { neutral }", "a@unproven.example|Praxis", "<>",
     .wanted = "rewrite author domain=unproven.example spf=neutral aligned "
               "unauthorised=unproven.example asked: unproven.example"},
    {"tempfail_on, unproven", "tempfail_on = { neutral }", "a@unproven.example", "<>",
     .wanted = "tempfail domain=unproven.example spf=neutral aligned asked: unproven.example"},
    {"tempfail_on, the envelope's, and a From: that can't be read", "tempfail_on = { temperror }",
     "Praxis", "<b@temp.example>",
     .wanted = "rewrite author envelope=noreply@lemniscus.de domain=- spf=none aligned asked:"},

    /* align_envelope. */
    {"no: not aligned", "align_envelope = no", "a@strict.example", "<b@ok.example>",
     .wanted = "keep domain=strict.example spf=pass asked: strict.example sender=ok.example"},
    {"yes: not aligned", "align_envelope = yes", "a@ok.example", "<b@ok2.example>",
     .wanted =
         "rewrite envelope=a@ok.example domain=ok2.example spf=pass aligned asked: ok.example "
         "sender=ok2.example"},
    {"yes: aligned", "align_envelope = yes", "a@ok.example", "<b@sub.ok.example>",
     .wanted = "keep domain=ok.example spf=pass aligned asked: ok.example sender=sub.ok.example"},
    {"yes: of the fallback's domain", "align_envelope = yes", "a@ok.example",
     "<bounce@lemniscus.de>",
     .wanted =
         "rewrite envelope=a@ok.example domain=lemniscus.de spf=pass aligned asked: ok.example",
     .why = "fallback"},
    {"yes: a null sender", "align_envelope = yes", "a@ok.example", "<>",
     .wanted = "keep domain=ok.example spf=pass aligned asked: ok.example"},
    {"yes: the author not authorised", "align_envelope = yes", "a@soft.example",
     "<b@mail.lemniscus.de>",
     .wanted =
         "rewrite author domain=soft.example spf=softfail aligned unauthorised=soft.example asked: "
         "soft.example sender=mail.lemniscus.de"},
    {"yes: the envelope not authorised", "align_envelope = yes", "a@ok.example", "<b@soft.example>",
     .wanted =
         "rewrite envelope=a@ok.example domain=soft.example spf=softfail aligned asked: ok.example "
         "sender=soft.example"},
    {"yes: the first of two authors", "align_envelope = yes", "a@ok.example, b@ok2.example",
     "<b@ok2.example>",
     .wanted =
         "rewrite envelope=a@ok.example domain=ok2.example spf=pass aligned asked: ok.example "
         "ok2.example sender=ok2.example"},
    {"yes, against envelope_sender = fallback", "align_envelope = yes envelope_sender = fallback",
     "a@ok.example", "<b@soft.example>",
     .wanted =
         "rewrite envelope=a@ok.example domain=soft.example spf=softfail aligned asked: ok.example "
         "sender=soft.example"},
    {"yes, against null_sender = fallback", "align_envelope = yes null_sender = fallback",
     "a@ok.example", "<>",
     .wanted =
         "rewrite envelope=a@ok.example domain=ok.example spf=pass aligned asked: ok.example"},
    {"dmarc: enforced", "align_envelope = dmarc", "a@strict.example", "<b@ok.example>",
     .wanted = "rewrite envelope=a@strict.example domain=ok.example spf=pass aligned asked: "
               "strict.example "
               "sender=ok.example dmarc=strict.example"},
    {"dmarc: not enforced", "align_envelope = dmarc", "a@ok.example", "<b@ok2.example>",
     .wanted =
         "keep domain=ok.example spf=pass asked: ok.example sender=ok2.example dmarc=ok.example"},
    {"dmarc: aligned", "align_envelope = dmarc", "a@strict.example", "<b@strict.example>",
     .wanted =
         "keep domain=strict.example spf=pass aligned asked: strict.example sender=strict.example"},
    {"dmarc: a null sender", "align_envelope = dmarc", "a@strict.example", "<>",
     .wanted = "keep domain=strict.example spf=pass aligned asked: strict.example"},
    {"dmarc: the author not authorised", "align_envelope = dmarc", "a@soft.example", "<>",
     .wanted =
         "rewrite author domain=soft.example spf=softfail aligned unauthorised=soft.example asked: "
         "soft.example"},
    {"dmarc: the author not authorised, another envelope", "align_envelope = dmarc",
     "a@soft.example", "<b@mail.lemniscus.de>",
     .wanted = "rewrite author domain=soft.example spf=softfail aligned unauthorised=soft.example "
               "asked: soft.example sender=mail.lemniscus.de"},
    {"dmarc: no From:", "align_envelope = dmarc", NULL, "<b@ok.example>",
     .wanted = "rewrite author envelope=noreply@lemniscus.de domain=- spf=none aligned asked:"},
    {"dmarc: the envelope not authorised", "align_envelope = dmarc", "a@strict.example",
     "<b@soft.example>",
     .wanted = "rewrite envelope=a@strict.example domain=soft.example spf=softfail aligned asked: "
               "strict.example sender=soft.example"},
    {"dmarc: the envelope is put off", "align_envelope = dmarc tempfail_on = { temperror }",
     "a@strict.example", "<b@temp.example>",
     .wanted =
         "tempfail domain=temp.example spf=temperror asked: strict.example sender=temp.example"},
    {"dmarc: the author is put off", "align_envelope = dmarc tempfail_on = { temperror }",
     "a@temp.example", "<b@ok.example>",
     .wanted = "tempfail domain=temp.example spf=temperror asked: temp.example"},
    {"dmarc, against envelope_sender = fallback",
     "align_envelope = dmarc envelope_sender = fallback", "a@strict.example", "<b@soft.example>",
     .wanted = "rewrite envelope=a@strict.example domain=soft.example spf=softfail aligned asked: "
               "strict.example sender=soft.example dmarc=strict.example"},
    {"dmarc not enforced, and envelope_sender = fallback",
     "align_envelope = dmarc envelope_sender = fallback", "a@ok.example", "<b@soft.example>",
     .wanted =
         "rewrite envelope=noreply@lemniscus.de domain=soft.example spf=softfail asked: ok.example "
         "sender=soft.example dmarc=ok.example"},
    {"dmarc, against null_sender = fallback", "align_envelope = dmarc null_sender = fallback",
     "a@strict.example", "<>",
     .wanted = "rewrite envelope=a@strict.example domain=strict.example spf=pass aligned asked: "
               "strict.example dmarc=strict.example"},

    /* null_sender. */
    {"fallback: authorised", "null_sender = fallback", "a@ok.example", "<>",
     .wanted =
         "rewrite envelope=noreply@lemniscus.de domain=ok.example spf=pass asked: ok.example"},
    {"fallback: not authorised", "null_sender = fallback", "a@soft.example", "<>",
     .wanted =
         "rewrite author envelope=noreply@lemniscus.de domain=soft.example spf=softfail aligned "
         "unauthorised=soft.example asked: soft.example"},
    {"fallback: another sender", "null_sender = fallback", "a@ok.example", "<a@ok.example>",
     .wanted = "keep domain=ok.example spf=pass aligned asked: ok.example sender=ok.example"},

    /* The author's address as envelope. */
    {"the first of two authors", "", "a@ok.example, b@ok2.example", "<b@soft.example>",
     .wanted =
         "rewrite envelope=a@ok.example domain=soft.example spf=softfail aligned asked: ok.example "
         "ok2.example sender=soft.example"},
    {"its domain as A-labels", "", "a@müller.example", "<b@soft.example>",
     .wanted =
         "rewrite envelope=a@xn--mller-kva.example domain=soft.example spf=softfail aligned asked: "
         "xn--mller-kva.example sender=soft.example"},
    {"its local part in quotes", "", "\"a b\"@ok.example", "<b@soft.example>",
     .wanted =
         "rewrite envelope=\"a b\"@ok.example domain=soft.example spf=softfail aligned asked: "
         "ok.example sender=soft.example"},
    {"its local part not ASCII, without SMTPUTF8", "", "müller@ok.example", "<b@soft.example>",
     .wanted =
         "rewrite envelope=noreply@lemniscus.de domain=soft.example spf=softfail asked: ok.example "
         "sender=soft.example"},
    {"its local part not ASCII, with SMTPUTF8", "", "müller@ok.example", "<b@soft.example>",
     .wanted = "rewrite envelope=müller@ok.example domain=soft.example spf=softfail aligned asked: "
               "ok.example sender=soft.example",
     .is_smtputf8 = true},
    {"its local part not ASCII, align_envelope", "align_envelope = yes", "müller@ok.example",
     "<b@ok2.example>",
     .wanted =
         "rewrite envelope=noreply@lemniscus.de domain=ok2.example spf=pass asked: ok.example "
         "sender=ok2.example"},
    {"not aligned, and nothing better there", "align_envelope = yes", "müller@ok.example",
     "<noreply@lemniscus.de>", .wanted = "keep domain=ok.example spf=pass asked: ok.example"},

    /* Who is never rewritten. */
    {"the fallback's domain", "", "a@lemniscus.de", "<b@lemniscus.de>",
     .wanted = "keep domain=lemniscus.de spf=pass aligned asked:", .why = "fallback"},
    {"the fallback itself, in other case", "", "NoReply@Lemniscus.DE", "<noreply@lemniscus.de>",
     .wanted = "keep domain=lemniscus.de spf=pass aligned asked:", .why = "fallback"},
    {"a subdomain of the fallback's", "", "a@down.lemniscus.de", "<>",
     .wanted =
         "rewrite author domain=down.lemniscus.de spf=fail aligned unauthorised=down.lemniscus.de "
         "asked: down.lemniscus.de"},
    {"the fallback's domain, the envelope not authorised", "", "a@lemniscus.de", "<b@soft.example>",
     .wanted = "rewrite envelope=a@lemniscus.de domain=soft.example spf=softfail aligned asked: "
               "sender=soft.example"},
    {"the fallback's domain beside one not authorised", "", "a@lemniscus.de, b@soft.example", "<>",
     .wanted =
         "rewrite author domain=soft.example spf=softfail aligned unauthorised=soft.example asked: "
         "soft.example"},
    {"a section's fallback address",
     "domain soft.example { fallback_address = \"box@fail.example\" }", "box@fail.example",
     "<box@fail.example>",
     .wanted = "keep domain=fail.example spf=pass aligned asked:", .why = "fallback"},
    {"another address of its domain",
     "domain soft.example { fallback_address = \"box@fail.example\" }", "a@fail.example", "<>",
     .wanted =
         "rewrite author domain=fail.example spf=fail aligned unauthorised=fail.example asked: "
         "fail.example"},
    {"the fallback address, whose domain has another",
     "domain lemniscus.de { fallback_address = \"box@tenant.example\" }", "noreply@lemniscus.de",
     "<noreply@lemniscus.de>",
     .wanted = "keep domain=lemniscus.de spf=pass aligned asked:", .why = "fallback"},
    {"a subdomain of its domain, which has another",
     "domain lemniscus.de { fallback_address = \"box@tenant.example\" }", "a@down.lemniscus.de",
     "<>",
     .wanted =
         "rewrite author domain=down.lemniscus.de spf=fail aligned unauthorised=down.lemniscus.de "
         "asked: down.lemniscus.de"},
    {"a subdomain of a section's fallback address",
     "domain soft.example { fallback_address = \"box@lemniscus.de\" }", "box@down.lemniscus.de",
     "<>",
     .wanted =
         "rewrite author domain=down.lemniscus.de spf=fail aligned unauthorised=down.lemniscus.de "
         "asked: down.lemniscus.de"},
    {"a map line's fallback address", "", "box@fail.example", "<>",
     .wanted = "keep domain=fail.example spf=pass aligned asked:",
     .map = "soft.example fallback_address=box@fail.example", .why = "fallback"},
    {"a section's fallback address as envelope",
     "domain soft.example { fallback_address = \"box@fail.example\" }", "a@ok.example",
     "<box@fail.example>", .wanted = "keep domain=ok.example spf=pass asked: ok.example"},
    {"a domain whose mode is off", "domain soft.example { mode = off }", "a@soft.example",
     "<b@ok.example>", .wanted = "keep domain=soft.example spf=pass asked:", .why = "off"},
    {"beside one not authorised", "domain soft.example { mode = off }",
     "a@soft.example, b@fail.example", "<>",
     .wanted =
         "rewrite author domain=fail.example spf=fail aligned unauthorised=fail.example asked: "
         "fail.example"},
    {"second, beside one authorised", "domain soft.example { mode = off }",
     "a@ok.example, b@soft.example", "<b@fail.example>",
     .wanted =
         "rewrite envelope=a@ok.example domain=fail.example spf=fail aligned asked: ok.example "
         "sender=fail.example"},
    {"an envelope whose mode is off", "domain soft.example { mode = off }", "a@ok.example",
     "<b@soft.example>", .wanted = "keep domain=ok.example spf=pass asked: ok.example"},
    {"subdomains whose mode is off", "domain .lemniscus.de { mode = off }", "a@down.lemniscus.de",
     "<>", .wanted = "keep domain=down.lemniscus.de spf=pass aligned asked:", .why = "off"},

    /* Fallback addresses of sections. */
    {"the section's fallback", "domain soft.example { fallback_address = \"n@tenant.example\" }",
     "a@soft.example", "<a@soft.example>",
     .wanted = "rewrite author envelope=n@tenant.example domain=soft.example spf=softfail aligned "
               "unauthorised=soft.example asked: soft.example"},
    {"the section's fallback is the section's domain",
     "domain tenant.example { fallback_address = \"n@tenant.example\" }", "a@tenant.example",
     "<b@tenant.example>",
     .wanted = "keep domain=tenant.example spf=pass aligned asked:", .why = "fallback"},
    {"an envelope of the section's fallback's domain",
     "domain soft.example { fallback_address = \"n@tenant.example\" }", "a@soft.example",
     "<bounce@tenant.example>",
     .wanted =
         "rewrite author domain=soft.example spf=softfail aligned unauthorised=soft.example asked: "
         "soft.example"},
    {"an envelope aligned with the section's fallback",
     "domain soft.example { fallback_address = \"n@tenant.example\" }", "a@soft.example",
     "<bounce@mail.tenant.example>",
     .wanted =
         "rewrite author domain=soft.example spf=softfail aligned unauthorised=soft.example asked: "
         "soft.example sender=mail.tenant.example"},
    {"an envelope of the global fallback's domain",
     "domain soft.example { fallback_address = \"n@tenant.example\" }", "a@soft.example",
     "<bounce@lemniscus.de>",
     .wanted = "rewrite author envelope=n@tenant.example domain=soft.example spf=softfail aligned "
               "unauthorised=soft.example asked: soft.example"},
    {"the section's fallback for the envelope alone",
     "envelope_sender = fallback domain ok.example { fallback_address = \"n@tenant.example\" }",
     "a@ok.example", "<b@soft.example>",
     .wanted =
         "rewrite envelope=n@tenant.example domain=soft.example spf=softfail asked: ok.example "
         "sender=soft.example"},
    {"the section's fallback for the null sender",
     "null_sender = fallback domain ok.example { fallback_address = \"n@tenant.example\" }",
     "a@ok.example", "<>",
     .wanted = "rewrite envelope=n@tenant.example domain=ok.example spf=pass asked: ok.example"},

    /* Modes. */
    {"log-only: would rewrite", "mode = log-only", "a@soft.example", "<a@soft.example>",
     .wanted = "would-rewrite author envelope=noreply@lemniscus.de domain=soft.example "
               "spf=softfail aligned "
               "unauthorised=soft.example asked: soft.example"},
    {"log-only: the envelope alone", "mode = log-only", "a@ok.example", "<b@soft.example>",
     .wanted =
         "would-rewrite envelope=a@ok.example domain=soft.example spf=softfail aligned asked: "
         "ok.example sender=soft.example"},
    {"log-only: would tempfail", "mode = log-only tempfail_on = { temperror }", "a@temp.example",
     "<>",
     .wanted = "would-tempfail domain=temp.example spf=temperror aligned asked: temp.example"},
    {"log-only: the envelope would tempfail", "mode = log-only tempfail_on = { temperror }",
     "a@ok.example", "<b@temp.example>",
     .wanted =
         "would-tempfail domain=temp.example spf=temperror asked: ok.example sender=temp.example"},
    {"log-only: keep", "mode = log-only", "a@ok.example", "<>",
     .wanted = "keep domain=ok.example spf=pass aligned asked: ok.example"},
    {"log-only: no From:", "mode = log-only", NULL, "<>",
     .wanted = "would-rewrite author domain=- spf=none aligned asked:"},
    {"off", "mode = off align_envelope = dmarc null_sender = fallback", "a@soft.example",
     "<b@fail.example>", .wanted = "keep domain=soft.example spf=pass asked:", .why = "off"},
    {"off: a null sender", "mode = off align_envelope = dmarc null_sender = fallback",
     "a@soft.example", "<>",
     .wanted = "keep domain=soft.example spf=pass aligned asked:", .why = "off"},
    {"off: no From:", "mode = off", NULL, "<b@fail.example>",
     .wanted = "keep domain=- spf=none asked:", .why = "off"},
    {"off: a From: that can be read in part", "mode = off", "a@soft.example|Praxis", "<>",
     .wanted = "keep domain=soft.example spf=pass aligned asked:", .why = "off"},
    {"a section is more active", "mode = log-only domain soft.example { mode = rewrite }",
     "a@soft.example", "<>",
     .wanted =
         "rewrite author domain=soft.example spf=softfail aligned unauthorised=soft.example asked: "
         "soft.example"},
    {"a section alone is active", "mode = off domain soft.example { mode = rewrite }",
     "a@soft.example", "<b@ok.example>",
     .wanted =
         "rewrite author envelope=noreply@lemniscus.de domain=soft.example spf=softfail aligned "
         "unauthorised=soft.example asked: soft.example"},
    {"a section is less active", "domain soft.example { mode = log-only }", "a@soft.example", "<>",
     .wanted =
         "would-rewrite author domain=soft.example spf=softfail aligned unauthorised=soft.example "
         "asked: soft.example"},
    {"the most active section of all",
     "domain soft.example { mode = log-only } domain ok.example { mode = rewrite }",
     "a@ok.example, b@soft.example, c@fail.example", "<>",
     .wanted =
         "rewrite author domain=soft.example spf=softfail aligned "
         "unauthorised=soft.example,fail.example asked: ok.example soft.example fail.example"},
    {"two sections that are log-only",
     "domain soft.example { mode = log-only } domain fail.example { mode = log-only }",
     "b@soft.example, c@fail.example", "<>",
     .wanted = "would-rewrite author domain=soft.example spf=softfail aligned "
               "unauthorised=soft.example,fail.example asked: soft.example fail.example"},
    {"a log-only section before one without a section", "domain soft.example { mode = log-only }",
     "a@soft.example|b@fail.example", "<>",
     .wanted = "rewrite author domain=soft.example spf=softfail aligned "
               "unauthorised=soft.example,fail.example asked: soft.example fail.example"},
    {"a log-only section beside one authorised", "domain soft.example { mode = log-only }",
     "a@soft.example, b@ok.example", "<>",
     .wanted = "rewrite author domain=soft.example spf=softfail aligned unauthorised=soft.example "
               "asked: soft.example ok.example"},
    {"a log-only section beside what can't be read", "domain soft.example { mode = log-only }",
     "a@soft.example|Praxis", "<>",
     .wanted = "rewrite author domain=soft.example spf=softfail aligned unauthorised=soft.example "
               "asked: soft.example"},
    {"a log-only map line before a section that rewrites",
     "mode = log-only domain fail.example { mode = rewrite }", "a@soft.example, b@fail.example",
     "<>",
     .wanted = "rewrite author domain=soft.example spf=softfail aligned "
               "unauthorised=soft.example,fail.example asked: soft.example fail.example",
     .map = "soft.example mode=log-only"},
    {"a log-only section beside one that is off",
     "domain soft.example { mode = log-only } domain ok.example { mode = off }",
     "a@ok.example, b@soft.example", "<>",
     .wanted = "would-rewrite author domain=soft.example spf=softfail aligned "
               "unauthorised=soft.example asked: soft.example"},
    {"all sections off", "domain soft.example { mode = off } domain fail.example { mode = off }",
     "a@soft.example, b@fail.example", "<c@none.example>",
     .wanted = "keep domain=soft.example spf=pass asked:", .why = "off"},
    {"the first one off, the envelope alone", "domain soft.example { mode = off }",
     "a@soft.example, b@ok.example", "<c@fail.example>",
     .wanted = "rewrite envelope=a@soft.example domain=fail.example spf=fail aligned asked: "
               "ok.example sender=fail.example"},
    {"a log-only section alone", "domain soft.example { mode = log-only }",
     "a@soft.example|b@soft.example", "<>",
     .wanted = "would-rewrite author domain=soft.example spf=softfail aligned "
               "unauthorised=soft.example,soft.example asked: soft.example soft.example"},
    {"and not of a later one", "domain soft.example { mode = log-only }",
     "a@fail.example, b@soft.example", "<>",
     .wanted = "rewrite author domain=fail.example spf=fail aligned "
               "unauthorised=fail.example,soft.example asked: fail.example soft.example"},
    {"the envelope alone: not only of the first author", "domain ok.example { mode = log-only }",
     "a@ok.example, b@ok2.example", "<c@soft.example>",
     .wanted = "rewrite envelope=a@ok.example domain=soft.example spf=softfail aligned asked: "
               "ok.example ok2.example sender=soft.example"},
    {"the envelope alone: not of a later one", "domain ok2.example { mode = log-only }",
     "a@ok.example, b@ok2.example", "<c@soft.example>",
     .wanted =
         "rewrite envelope=a@ok.example domain=soft.example spf=softfail aligned asked: ok.example "
         "ok2.example sender=soft.example"},
    {"the envelope alone: not of the envelope", "domain soft.example { mode = log-only }",
     "a@ok.example", "<c@soft.example>",
     .wanted =
         "rewrite envelope=a@ok.example domain=soft.example spf=softfail aligned asked: ok.example "
         "sender=soft.example"},
    {"a From: that can't be read has no section", "domain ok.example { mode = log-only }",
     "a@ok.example|Praxis", "<>",
     .wanted = "rewrite author domain=- spf=none aligned asked: ok.example"},
    {"a log-only section of the one that is put off",
     "tempfail_on = { temperror } domain temp.example { mode = log-only }",
     "a@soft.example, b@temp.example", "<>",
     .wanted = "tempfail domain=temp.example spf=temperror aligned asked: soft.example "
               "temp.example"},

    /* The running daemon's switch. */
    {"switched to log-only", "", "a@soft.example", "<>",
     .wanted =
         "would-rewrite author domain=soft.example spf=softfail aligned unauthorised=soft.example "
         "asked: soft.example",
     .mode_switch = 1 + MODE_LOG_ONLY},
    {"switched to rewrite", "mode = off", "a@soft.example", "<>",
     .wanted =
         "rewrite author domain=soft.example spf=softfail aligned unauthorised=soft.example asked: "
         "soft.example",
     .mode_switch = 1 + MODE_REWRITE},
    {"switched off", "", "a@soft.example", "<>",
     .wanted = "keep domain=soft.example spf=pass aligned asked:", .mode_switch = 1 + MODE_OFF,
     .why = "off"},
    {"switched off, a more active section", "domain soft.example { mode = rewrite }",
     "a@soft.example", "<>", .wanted = "keep domain=soft.example spf=pass aligned asked:",
     .mode_switch = 1 + MODE_OFF, .why = "off"},
    {"switched to log-only, a more active section", "domain soft.example { mode = rewrite }",
     "a@soft.example", "<>",
     .wanted =
         "would-rewrite author domain=soft.example spf=softfail aligned unauthorised=soft.example "
         "asked: soft.example",
     .mode_switch = 1 + MODE_LOG_ONLY},
    {"switched to rewrite, a less active section", "domain soft.example { mode = log-only }",
     "a@soft.example", "<>",
     .wanted =
         "would-rewrite author domain=soft.example spf=softfail aligned unauthorised=soft.example "
         "asked: soft.example",
     .mode_switch = 1 + MODE_REWRITE},
    {"switched to rewrite, a section that is off", "domain soft.example { mode = off }",
     "a@soft.example", "<>", .wanted = "keep domain=soft.example spf=pass aligned asked:",
     .mode_switch = 1 + MODE_REWRITE, .why = "off"},
    {"switched to log-only, a map line that rewrites", "", "a@soft.example", "<>",
     .wanted =
         "would-rewrite author domain=soft.example spf=softfail aligned unauthorised=soft.example "
         "asked: soft.example",
     .map = "soft.example mode=rewrite", .mode_switch = 1 + MODE_LOG_ONLY},

    /* domain_map's authorised. */
    {"authorised by the map", "", "a@soft.example", "<b@soft.example>",
     .wanted = "keep domain=soft.example spf=pass aligned asked:",
     .map = "soft.example authorised=yes", .why = "map"},
    {"not authorised by the map", "", "a@ok.example", "<b@ok.example>",
     .wanted = "rewrite author envelope=noreply@lemniscus.de domain=ok.example spf=none aligned "
               "unauthorised=ok.example asked:",
     .map = "ok.example authorised=no", .why = "map"},
    {"an envelope authorised by the map", "", "a@ok.example", "<b@soft.example>",
     .wanted = "keep domain=ok.example spf=pass asked: ok.example",
     .map = "soft.example authorised=yes"},
    {"an envelope not authorised by the map", "", "a@ok.example", "<b@ok2.example>",
     .wanted =
         "rewrite envelope=a@ok.example domain=ok2.example spf=none aligned asked: ok.example",
     .map = "ok2.example authorised=no", .why = "map"},
    {"no result of the map's is put off", "tempfail_on = { none }", "a@ok.example", "<>",
     .wanted = "rewrite author domain=ok.example spf=none aligned unauthorised=ok.example asked:",
     .map = "ok.example authorised=no", .why = "map"},
    {"a section goes before the map", "domain soft.example { reply_to = never }", "a@soft.example",
     "<>",
     .wanted =
         "rewrite author domain=soft.example spf=softfail aligned unauthorised=soft.example asked: "
         "soft.example",
     .map = "soft.example authorised=yes"},
    {"subdomains authorised by the map", "", "a@down.lemniscus.de", "<>",
     .wanted = "keep domain=down.lemniscus.de spf=pass aligned asked:",
     .map = ".lemniscus.de authorised=yes", .why = "map"},

    /* exempt_dkim. */
    {"DKIM vouches", "exempt_dkim = mx.example", "a@soft.example", "<b@fail.example>",
     .wanted = "keep domain=soft.example spf=pass dkim asked:", .dkim = "soft.example",
     .why = "exempt"},
    {"DKIM vouches, of one organization", "exempt_dkim = mx.example", "a@down.lemniscus.de", "<>",
     .wanted = "keep domain=down.lemniscus.de spf=pass aligned dkim asked:", .dkim = "lemniscus.de",
     .why = "exempt"},
    {"DKIM vouches for another", "exempt_dkim = mx.example", "a@soft.example", "<>",
     .wanted =
         "rewrite author domain=soft.example spf=softfail aligned unauthorised=soft.example asked: "
         "soft.example",
     .dkim = "fail.example"},
    {"DKIM vouches for one of two", "exempt_dkim = mx.example", "a@soft.example, b@fail.example",
     "<>",
     .wanted = "rewrite author domain=soft.example spf=softfail aligned "
               "unauthorised=soft.example,fail.example asked: soft.example fail.example",
     .dkim = "soft.example"},
    {"DKIM vouches for both", "exempt_dkim = mx.example", "a@soft.example, b@fail.example", "<>",
     .wanted = "keep domain=soft.example spf=pass aligned dkim asked:",
     .dkim = "fail.example soft.example", .why = "exempt"},
    {"DKIM vouches before tempfail_on", "exempt_dkim = mx.example tempfail_on = { temperror }",
     "a@temp.example", "<>", .wanted = "keep domain=temp.example spf=pass aligned dkim asked:",
     .dkim = "temp.example", .why = "exempt"},
    {"DKIM vouches, and the null sender stays", "exempt_dkim = mx.example null_sender = fallback",
     "a@soft.example", "<>", .wanted = "keep domain=soft.example spf=pass aligned dkim asked:",
     .dkim = "soft.example", .why = "exempt"},
    {"DKIM vouches beside an envelope sender with =", "exempt_dkim = mx.example", "a@soft.example",
     "<b=c=fail.example@ok.example>", .wanted = "keep domain=soft.example spf=pass dkim asked:",
     .dkim = "soft.example", .why = "exempt"},
    {"a verifier may have copied this envelope sender", "exempt_dkim = mx.example",
     "a@soft.example", "<\"x; dkim=pass header.d=soft.example header.q=y\"@ok.example>",
     .wanted = "rewrite author envelope=noreply@lemniscus.de domain=soft.example spf=softfail "
               "aligned unauthorised=soft.example asked: soft.example",
     .dkim = "soft.example"},
    {"a verifier may have copied this text without a domain", "exempt_dkim = mx.example",
     "a@soft.example", "<x;dkim=pass(x)header.d=soft.example>",
     .wanted = "rewrite author envelope=noreply@lemniscus.de domain=soft.example spf=softfail "
               "aligned unauthorised=soft.example asked: soft.example",
     .dkim = "soft.example"},
    {"DKIM vouches for nobody who can't be read", "exempt_dkim = mx.example",
     "a@soft.example|Praxis", "<>",
     .wanted =
         "rewrite author domain=soft.example spf=softfail aligned unauthorised=soft.example asked: "
         "soft.example",
     .dkim = "soft.example"},
    {"DKIM vouches for no author", "exempt_dkim = mx.example", NULL, "<>",
     .wanted = "rewrite author domain=- spf=none aligned asked:", .dkim = "soft.example"},
    {"DKIM is not asked", "", "a@soft.example", "<>",
     .wanted =
         "rewrite author domain=soft.example spf=softfail aligned unauthorised=soft.example asked: "
         "soft.example",
     .dkim = "soft.example"},
};

static const char *conf_text;
static const char *map_text;

static gboolean read_file(const char *file, char **text, gsize *length, GError **error)
{
    const char *found = g_str_has_suffix(file, ".conf") ? conf_text : map_text;

    (void)error;
    *text = g_strdup(found);
    *length = strlen(found);
    return TRUE;
}

static Settings *settings_of_text(const char *text, const char *map)
{
    static const SettingsSource source = {read_file, "mail.example.net"};
    g_autoptr(GError) error = NULL;
    Settings *settings;

    conf_text = text;
    map_text = map;
    settings = settings_parse("/etc/spfrom.conf", &source, &error);
    if (error != NULL)
        print_error("%s\n", error->message);
    assert_non_null(settings);
    return settings;
}

static Settings *settings_of(const char *conf, const char *map)
{
    g_autofree char *text = g_strconcat("fallback_address = \"noreply@lemniscus.de\"\n",
                                        map != NULL ? "domain_map = map\n" : "", conf, NULL);

    return settings_of_text(text, map);
}

static Mailboxes *authors_of(const char *from)
{
    g_autoptr(HeaderFields) fields = header_fields_new();
    g_auto(GStrv) values = from != NULL ? g_strsplit(from, "|", -1) : NULL;

    for (guint i = 0; values != NULL && values[i] != NULL; i++)
        header_fields_append(fields, "From", values[i], -1);
    if (from != NULL && from[0] == '\0')
        header_fields_append(fields, "From", "", -1);
    return mailboxes_parse(fields, "From");
}

/* What is looked up for one message, and in which order. */
typedef struct {
    GString *asked;
    GPtrArray *verdicts;
} Inquiry;

static size_t place_in_world(const char *domain)
{
    for (size_t i = 0; i < G_N_ELEMENTS(world); i++)
        if (strcmp(world[i].domain, domain) == 0)
            return i;
    fail_msg("%s was asked for", domain);
    return 0;
}

static Verdict *ask(Inquiry *inquiry, const char *what, const char *domain)
{
    size_t place = place_in_world(domain);
    Verdict *verdict = verdict_new(world[place].result, "192.0.2.25", "~all", NULL);

    verdict->is_unproven = world[place].is_unproven;
    verdict->dkim = g_strdup(world[place].dkim);
    g_string_append_printf(inquiry->asked, " %s%s", what, domain);
    g_ptr_array_add(inquiry->verdicts, verdict);
    return verdict;
}

/* Asks for all of needs at once, or for the authors before the others: what the plan needs at
 * least. */
static void ask_round(const Identities *identities, const PlanNeeds *needs, PlanVerdicts *known,
                      Inquiry *inquiry, bool is_at_once)
{
    static const char *const others[] = {"sender=", "header="};
    bool has_asked = false;

    for (int i = 0; i < PLAN_IDENTITIES && (is_at_once || !has_asked || i < PLAN_SENDER); i++) {
        const char *what = i >= PLAN_SENDER ? others[i - PLAN_SENDER] : "";

        if (!needs->of[i])
            continue;
        known->of[i] = ask(inquiry, what, plan_mailbox(identities, i)->domain_name);
        has_asked = true;
    }
    if (needs->dmarc) {
        const char *domain = plan_mailbox(identities, 0)->domain_name;

        g_string_append_printf(inquiry->asked, " dmarc=%s", domain);
        known->dmarc =
            world[place_in_world(domain)].is_dmarc_enforced ? PLAN_DMARC_ENFORCED : PLAN_DMARC_NONE;
    }
}

static Plan *plan_of(Settings *settings, ModeInForce mode, const Identities *identities,
                     Inquiry *inquiry)
{
    PlanVerdicts known = {.dmarc = PLAN_DMARC_UNKNOWN};
    PlanNeeds needs = plan_needs(settings, mode, identities, &known);

    while (needs.count > 0) {
        ask_round(identities, &needs, &known, inquiry, false);
        needs = plan_needs(settings, mode, identities, &known);
    }
    return plan_new(settings, mode, identities, &known);
}

static char *plan_text(const Plan *plan, const char *asked)
{
    g_autoptr(GString) text = g_string_new(plan_action_text(plan));

    if (plan->rewrite_author)
        g_string_append(text, " author");
    if (plan->envelope_sender != NULL)
        g_string_append_printf(text, " envelope=%s", plan->envelope_sender);
    g_string_append_printf(text, " domain=%s", plan->domain != NULL ? plan->domain : "-");
    g_string_append_printf(text, " spf=%s", spf_result_text(plan->result));
    if (plan->dkim != NULL)
        g_string_append_printf(text, " dkim=%s", plan->dkim);
    if (plan->is_aligned)
        g_string_append(text, " aligned");
    for (guint i = 0; g_ptr_array_index(plan->unauthorised, i) != NULL; i++)
        g_string_append_printf(text, "%s%s", i == 0 ? " unauthorised=" : ",",
                               (const char *)g_ptr_array_index(plan->unauthorised, i));
    if (plan->is_dkim_exempt)
        g_string_append(text, " dkim");
    g_string_append_printf(text, " asked:%s", asked);
    return g_string_free(g_steal_pointer(&text), FALSE);
}

static void inquiry_begin(Inquiry *inquiry)
{
    inquiry->asked = g_string_new(NULL);
    inquiry->verdicts = g_ptr_array_new_with_free_func((GDestroyNotify)verdict_unref);
}

static void inquiry_end(Inquiry *inquiry)
{
    g_string_free(inquiry->asked, TRUE);
    g_ptr_array_unref(inquiry->verdicts);
}

/* f(f(m)) = f(m): the message as it leaves is kept when it comes once more. */
static void check_again(Settings *settings, ModeInForce mode, const Identities *identities,
                        const Plan *plan)
{
    g_autoptr(Mailboxes) authors = authors_of(plan->fallback->addr_spec);
    g_autoptr(Mailbox) sender =
        plan->envelope_sender != NULL ? mailbox_parse_path(plan->envelope_sender) : NULL;
    const Identities again = {.authors = plan->rewrite_author ? authors : identities->authors,
                              .sender = sender != NULL ? sender : identities->sender,
                              .is_smtputf8 = identities->is_smtputf8,
                              .is_returned = identities->is_returned};
    g_autoptr(Plan) second = NULL;
    Inquiry inquiry;

    inquiry_begin(&inquiry);
    second = plan_of(settings, mode, &again, &inquiry);
    assert_string_equal(plan_action_text(second), "keep");
    assert_true(plan->envelope_sender == NULL || plan->is_aligned == second->is_aligned);
    inquiry_end(&inquiry);
}

static void test_row(void **state)
{
    const struct row *row = *state;
    g_autoptr(Settings) settings = settings_of(row->conf, row->map);
    g_autoptr(Mailboxes) authors = authors_of(row->from);
    g_autoptr(Mailbox) sender = mailbox_parse_path(row->sender);
    g_auto(GStrv) passes = row->dkim != NULL ? g_strsplit(row->dkim, " ", -1) : NULL;
    const Identities identities = {.authors = authors,
                                   .sender = sender,
                                   .is_smtputf8 = row->is_smtputf8,
                                   .dkim_passes = (const char *const *)passes};
    ModeInForce mode = {.mode = settings->mode};
    g_autoptr(Plan) plan = NULL;
    g_autofree char *text = NULL;
    const char *why;
    Inquiry inquiry;

    if (row->mode_switch != 0)
        mode = (ModeInForce){.mode = (Mode)(row->mode_switch - 1), .is_switch = true};
    inquiry_begin(&inquiry);
    plan = plan_of(settings, mode, &identities, &inquiry);
    text = plan_text(plan, inquiry.asked->str);
    assert_string_equal(text, row->wanted);
    why = plan_why_text(plan->why);
    assert_string_equal(why != NULL ? why : "-", row->why != NULL ? row->why : "-");
    if (plan->action == PLAN_REWRITE)
        check_again(settings, mode, &identities, plan);
    inquiry_end(&inquiry);
}

/* The rest of a plan: what is in force for the message. */
static const struct force_row {
    const char *name;
    const char *from;
    const char *wanted; /* fallback, templates, reply_to, author */
} force_rows[] = {
    {"no section", "a@soft.example", "noreply@lemniscus.de %n|%l|never a@soft.example"},
    {"a section", "a@fail.example", "n@tenant.example %n via T|Praxis|add a@fail.example"},
    {"the deciding author's", "a@soft.example, b@fail.example",
     "noreply@lemniscus.de %n|%l|never a@soft.example"},
    {"the other way round", "b@fail.example, a@soft.example",
     "n@tenant.example %n via T|Praxis|add b@fail.example"},
    {"the first author's where all are authorised", "a@ok.example, b@ok2.example",
     "noreply@lemniscus.de %d|%l|never a@ok.example"},
    {"of nobody who can't be read", "Praxis", "noreply@lemniscus.de %n|%l|never -"},
    {"of the author who can be read", "Praxis|b@fail.example",
     "n@tenant.example %n via T|Praxis|add b@fail.example"},
};

static void test_force(void **state)
{
    const struct force_row *row = *state;
    g_autoptr(Settings) settings = settings_of("reply_to = never\n"
                                               "domain fail.example { fallback_address = "
                                               "\"n@tenant.example\" display_name = \"%n via T\"\n"
                                               "  display_name_missing = Praxis reply_to = add }\n"
                                               "domain ok.example { display_name = '%d' }",
                                               NULL);
    g_autoptr(Mailboxes) authors = authors_of(row->from);
    g_autoptr(Mailbox) sender = mailbox_parse_path("<>");
    const Identities identities = {.authors = authors, .sender = sender};
    g_autoptr(Plan) plan = NULL;
    g_autofree char *text = NULL;
    Inquiry inquiry;

    inquiry_begin(&inquiry);
    plan = plan_of(settings, (ModeInForce){.mode = MODE_REWRITE}, &identities, &inquiry);
    text = g_strdup_printf("%s %s|%s|%s %s", plan->fallback->addr_spec, plan->display_name,
                           plan->display_name_missing, plan->add_reply_to ? "add" : "never",
                           plan->author != NULL ? plan->author->addr_spec : "-");
    assert_string_equal(text, row->wanted);
    inquiry_end(&inquiry);
}

/* For log and trace: whose verdict decided. */
static void test_verdict(void **state G_GNUC_UNUSED)
{
    g_autoptr(Settings) settings = settings_of("", NULL);
    g_autoptr(Mailboxes) authors = authors_of("a@ok.example");
    g_autoptr(Mailbox) sender = mailbox_parse_path("<b@soft.example>");
    const Identities identities = {.authors = authors, .sender = sender};
    g_autoptr(Plan) plan = NULL;
    Inquiry inquiry;

    inquiry_begin(&inquiry);
    plan = plan_of(settings, (ModeInForce){.mode = MODE_REWRITE}, &identities, &inquiry);
    assert_ptr_equal(plan->verdict, g_ptr_array_index(inquiry.verdicts, 1));
    assert_string_equal(plan->author->addr_spec, "a@ok.example");
    inquiry_end(&inquiry);
}

/* Asking for all that may matter at once takes three rounds at most, and leads to the same plan. */
static void test_at_once(void **state)
{
    const struct row *row = *state;
    g_autoptr(Settings) settings = settings_of(row->conf, row->map);
    g_autoptr(Mailboxes) authors = authors_of(row->from);
    g_autoptr(Mailbox) sender = mailbox_parse_path(row->sender);
    g_auto(GStrv) passes = row->dkim != NULL ? g_strsplit(row->dkim, " ", -1) : NULL;
    const Identities identities = {.authors = authors,
                                   .sender = sender,
                                   .is_smtputf8 = row->is_smtputf8,
                                   .dkim_passes = (const char *const *)passes};
    ModeInForce mode = {.mode = settings->mode};
    PlanVerdicts known = {.dmarc = PLAN_DMARC_UNKNOWN};
    g_autoptr(Plan) plan = NULL;
    g_autofree char *text = NULL;
    PlanNeeds needs;
    Inquiry inquiry;
    int rounds = 0;

    if (row->mode_switch != 0)
        mode = (ModeInForce){.mode = (Mode)(row->mode_switch - 1), .is_switch = true};
    inquiry_begin(&inquiry);
    for (needs = plan_needs(settings, mode, &identities, &known); needs.count > 0; rounds++) {
        ask_round(&identities, &needs, &known, &inquiry, true);
        needs = plan_needs(settings, mode, &identities, &known);
    }
    assert_true(rounds <= 3);
    plan = plan_new(settings, mode, &identities, &known);
    text = plan_text(plan, "");
    assert_memory_equal(text, row->wanted, strlen(text));
    inquiry_end(&inquiry);
}

/* What is asked for: rounds of all that may matter, "|" between two. */
static const struct needs_row {
    const char *name;
    const char *conf;
    const char *from;
    const char *sender;
    const char *sender_header; /* NULL: none */
    const char *wanted;
    bool is_sender_header_authorised;
} needs_rows[] = {
    {"authors, sender and Sender: at once", "", "a@ok.example, b@fail.example", "<c@ok2.example>",
     "d@soft.example", " ok.example fail.example sender=ok2.example header=soft.example |", false},
    {"Sender: that is authorised", "", "a@fail.example", "<c@ok2.example>", "d@ok.example",
     " fail.example sender=ok2.example header=ok.example |", true},
    {"Sender: stays anyhow", "sender_header = keep", "a@fail.example", "<c@ok2.example>",
     "d@ok.example", " fail.example sender=ok2.example |", false},
    {"Sender: of the fallback's domain", "", "a@fail.example", "<>", "d@lemniscus.de",
     " fail.example |", true},
    {"Sender: without a domain", "", "a@fail.example", "<>", "root", " fail.example |", false},
    {"no Sender:", "", "a@fail.example", "<>", NULL, " fail.example |", false},
    {"a From: that can't be read", "", "Praxis", "<c@ok2.example>", "d@ok.example",
     " header=ok.example |", true},
    {"DMARC once the verdicts are known", "align_envelope = dmarc", "a@strict.example",
     "<b@ok.example>", NULL, " strict.example sender=ok.example | dmarc=strict.example |", false},
    {"no DMARC if an author goes", "align_envelope = dmarc", "a@fail.example", "<b@ok.example>",
     NULL, " fail.example sender=ok.example |", false},
    {"Sender: does not matter if every author stays", "", "a@lemniscus.de", "<c@ok2.example>",
     "d@ok.example", " sender=ok2.example |", false},
    {"the author who decides is not known yet", "", "a@ok.example|Praxis", "<c@ok2.example>", NULL,
     " ok.example sender=ok2.example |", false},
    {"nothing, for a mode that is off", "mode = off", "a@fail.example", "<b@ok.example>",
     "d@ok.example", "", false},
};

static void test_needs(void **state)
{
    const struct needs_row *row = *state;
    g_autoptr(Settings) settings = settings_of(row->conf, NULL);
    g_autoptr(Mailboxes) authors = authors_of(row->from);
    g_autoptr(Mailbox) sender = mailbox_parse_path(row->sender);
    g_autoptr(Mailbox) header =
        row->sender_header != NULL ? mailbox_parse_path(row->sender_header) : NULL;
    const Identities identities = {.authors = authors, .sender = sender, .sender_header = header};
    const ModeInForce mode = {.mode = settings->mode};
    PlanVerdicts known = {.dmarc = PLAN_DMARC_UNKNOWN};
    g_autoptr(Plan) plan = NULL;
    PlanNeeds needs;
    Inquiry inquiry;

    inquiry_begin(&inquiry);
    for (needs = plan_needs(settings, mode, &identities, &known); needs.count > 0;
         needs = plan_needs(settings, mode, &identities, &known)) {
        ask_round(&identities, &needs, &known, &inquiry, true);
        g_string_append(inquiry.asked, " |");
    }
    plan = plan_new(settings, mode, &identities, &known);
    assert_string_equal(inquiry.asked->str, row->wanted);
    assert_int_equal(plan->is_sender_header_authorised, row->is_sender_header_authorised);
    inquiry_end(&inquiry);
}

/* Messages with tokens: what From:, envelope and log carry. The key is all zeros. */
#define RETURNS "return_address = \"bounce+%t@lemniscus.de\"\n"
#define RETURNS_BELOW "return_address = \"%t@bounce.lemniscus.de\"\n"
#define RETURNS_AND_FROM RETURNS "fallback_address = \"noreply+%t@lemniscus.de\"\n"
#define FROM_ALONE "fallback_address = \"noreply+%t@lemniscus.de\"\n"
#define SOFT "chnlsvn6sred367u" /* a@soft.example's token */
#define FAIL "wcgwkddzxxck4h42" /* b@fail.example's */
#define OK "rkpuqc67g7pb53lp"   /* a@ok.example's */
#define NONE "whs55gt5pshw2kla" /* erika@none.example's */

static const struct token_row {
    const char *name;
    const char *conf;
    const char *from;
    const char *sender;
    const char *wanted; /* From:'s address, envelope's, token's author */
    bool is_returned;
    bool has_no_tokens;
} token_rows[] = {
    {"the envelope", RETURNS, "a@soft.example", "<a@soft.example>",
     .wanted = "noreply@lemniscus.de bounce+" SOFT "@lemniscus.de a@soft.example"},
    {"upper case", RETURNS, "A@Soft.EXAMPLE", "<a@soft.example>",
     .wanted = "noreply@lemniscus.de bounce+" SOFT "@lemniscus.de A@soft.example"},
    {"a subdomain", RETURNS_BELOW, "a@soft.example", "<a@soft.example>",
     .wanted = "noreply@lemniscus.de " SOFT "@bounce.lemniscus.de a@soft.example"},
    {"envelope and From:", RETURNS_AND_FROM, "a@soft.example", "<a@soft.example>",
     .wanted = "noreply+" SOFT "@lemniscus.de bounce+" SOFT "@lemniscus.de a@soft.example"},
    {"From: alone", FROM_ALONE, "a@soft.example", "<a@soft.example>",
     .wanted = "noreply+" SOFT "@lemniscus.de noreply+" SOFT "@lemniscus.de a@soft.example"},
    {"null sender", RETURNS_AND_FROM, "a@soft.example", "<>",
     .wanted = "noreply+" SOFT "@lemniscus.de - a@soft.example"},
    {"null sender, and nothing in From:", RETURNS, "a@soft.example", "<>",
     .wanted = "noreply@lemniscus.de - -"},
    {"null_sender = fallback", RETURNS_AND_FROM "null_sender = fallback", "a@soft.example", "<>",
     .wanted = "noreply+" SOFT "@lemniscus.de noreply@lemniscus.de a@soft.example"},
    {"the application's bounce address", RETURNS, "a@soft.example", "<bounce+42@lemniscus.de>",
     .wanted = "noreply@lemniscus.de - -"},
    {"an address of ours stays", RETURNS, "a@soft.example", "<bounce+" SOFT "@lemniscus.de>",
     .wanted = "noreply@lemniscus.de - -"},
    {"one of the return address's domain", RETURNS_BELOW, "a@soft.example",
     "<x@bounce.lemniscus.de>", .wanted = "noreply@lemniscus.de - -"},
    {"several authors", RETURNS, "b@fail.example, a@soft.example", "<x@soft.example>",
     .wanted = "noreply@lemniscus.de bounce+" FAIL "@lemniscus.de b@fail.example"},
    {"the first, though another decides", RETURNS, "a@ok.example, a@soft.example",
     "<x@soft.example>", .wanted = "noreply@lemniscus.de bounce+" OK "@lemniscus.de a@ok.example"},
    {"not one of the fallback's domain", RETURNS, "x@lemniscus.de, a@soft.example",
     "<x@soft.example>",
     .wanted = "noreply@lemniscus.de bounce+" SOFT "@lemniscus.de a@soft.example"},
    {"no author", RETURNS_AND_FROM, "Praxis", "<a@soft.example>",
     .wanted = "noreply@lemniscus.de noreply@lemniscus.de -"},
    {"no From:", RETURNS_AND_FROM, NULL, "<a@soft.example>",
     .wanted = "noreply@lemniscus.de noreply@lemniscus.de -"},
    {"read in part", RETURNS, "Praxis|a@soft.example", "<a@soft.example>",
     .wanted = "noreply@lemniscus.de bounce+" SOFT "@lemniscus.de a@soft.example"},
    {"searched", RETURNS, "Erika <erika@none.example", "<x@soft.example>",
     .wanted = "noreply@lemniscus.de bounce+" NONE "@lemniscus.de erika@none.example"},
    {"the envelope alone", RETURNS_AND_FROM "envelope_sender = fallback", "a@ok.example",
     "<x@soft.example>", .wanted = "- bounce+" OK "@lemniscus.de a@ok.example"},
    {"the envelope alone, From: has one", FROM_ALONE "envelope_sender = fallback", "a@ok.example",
     "<x@soft.example>", .wanted = "- noreply+" OK "@lemniscus.de a@ok.example"},
    {"the author as envelope", RETURNS_AND_FROM, "a@ok.example", "<x@soft.example>",
     .wanted = "- a@ok.example -"},
    {"of the fallback's domain, the envelope alone", RETURNS "envelope_sender = fallback",
     "x@lemniscus.de", "<x@soft.example>", .wanted = "- noreply@lemniscus.de -"},
    {"kept", RETURNS_AND_FROM, "a@ok.example", "<a@ok.example>", .wanted = "- - -"},
    {"not aligned with the fallback", "return_address = \"%t@other.example\"", "a@soft.example",
     "<a@soft.example>", .wanted = "noreply@lemniscus.de noreply@lemniscus.de -"},
    {"a section's own", RETURNS "domain soft.example { return_address = \"x.%t@lemniscus.de\" }",
     "a@soft.example", "<a@soft.example>",
     .wanted = "noreply@lemniscus.de x." SOFT "@lemniscus.de a@soft.example"},
    {"a section's none", RETURNS "domain soft.example { return_address = \"\" }", "a@soft.example",
     "<a@soft.example>", .wanted = "noreply@lemniscus.de noreply@lemniscus.de -"},
    {"a section's fallback, with which it does not align",
     RETURNS "domain soft.example { fallback_address = \"n@tenant.example\" }", "a@soft.example",
     "<a@soft.example>", .wanted = "n@tenant.example n@tenant.example -"},
    {"a section's both",
     RETURNS "domain soft.example { fallback_address = \"n-%t@tenant.example\" "
             "return_address = \"%t@b.tenant.example\" }",
     "a@soft.example", "<a@soft.example>",
     .wanted = "n-" SOFT "@tenant.example " SOFT "@b.tenant.example a@soft.example"},
    {"returned", RETURNS_AND_FROM, "a@soft.example", "<a@soft.example>",
     .wanted = "noreply@lemniscus.de noreply@lemniscus.de -", .is_returned = true},
    {"returned, null sender", RETURNS "null_sender = fallback", "a@soft.example", "<>",
     .wanted = "noreply@lemniscus.de - -", .is_returned = true},
    {"returned, authorised, null sender", RETURNS "null_sender = fallback", "a@ok.example", "<>",
     .wanted = "- - -", .is_returned = true},
    {"returned, of our domain", RETURNS_AND_FROM, "ceo@lemniscus.de", "<x@soft.example>",
     .wanted = "noreply@lemniscus.de noreply@lemniscus.de -", .is_returned = true},
    {"returned, From: and envelope of our domain", RETURNS_AND_FROM, "ceo@lemniscus.de",
     "<ceo@lemniscus.de>", .wanted = "noreply@lemniscus.de noreply@lemniscus.de -",
     .is_returned = true},
    {"returned, of the return address's domain", RETURNS_BELOW, "x@bounce.lemniscus.de", "<>",
     .wanted = "noreply@lemniscus.de - -", .is_returned = true},
    {"returned, of our form", RETURNS_AND_FROM, "noreply+" SOFT "@lemniscus.de",
     "<bounce+" SOFT "@lemniscus.de>", .wanted = "noreply@lemniscus.de noreply@lemniscus.de -",
     .is_returned = true},
    {"returned, the envelope of our form", RETURNS_AND_FROM, "a@soft.example",
     "<bounce+" SOFT "@lemniscus.de>", .wanted = "noreply@lemniscus.de noreply@lemniscus.de -",
     .is_returned = true},
    {"returned, the envelope of our form, authorised", RETURNS_AND_FROM, "a@ok.example",
     "<bounce+" SOFT "@lemniscus.de>", .wanted = "- a@ok.example -", .is_returned = true},
    {"returned, by DKIM, which we don't sign", RETURNS_AND_FROM, "a@signed.example", "<>",
     .wanted = "noreply@lemniscus.de - -", .is_returned = true},
    {"returned, from the fallback address", RETURNS_AND_FROM, "noreply@lemniscus.de",
     "<noreply@lemniscus.de>", .wanted = "- - -", .is_returned = true},
    {"returned, a section that is off", RETURNS "domain lemniscus.de { mode = off }",
     "x@lemniscus.de", "<x@lemniscus.de>", .wanted = "- - -", .is_returned = true},
    {"not kept", RETURNS_AND_FROM, "a@soft.example", "<a@soft.example>",
     .wanted = "noreply@lemniscus.de noreply@lemniscus.de -", .has_no_tokens = true},
};

static Settings *settings_with_key(const char *conf, guint8 octet)
{
    Settings *settings = settings_of_text(conf, NULL);
    guint8 secret[RETURN_KEY_LENGTH];

    memset(secret, octet, sizeof secret);
    settings_put_return_secret(settings, secret);
    return settings;
}

static void test_token(void **state)
{
    const struct token_row *row = *state;
    g_autofree char *conf =
        strstr(row->conf, "\nfallback_address") != NULL ||
                g_str_has_prefix(row->conf, "fallback_address")
            ? g_strdup(row->conf)
            : g_strconcat("fallback_address = \"noreply@lemniscus.de\"\n", row->conf, NULL);
    g_autoptr(Settings) settings = settings_with_key(conf, 0);
    g_autoptr(Settings) other = settings_with_key(conf, 1); /* of a second host */
    g_autoptr(Mailboxes) authors = authors_of(row->from);
    g_autoptr(Mailbox) sender = mailbox_parse_path(row->sender);
    const Identities identities = {.authors = authors,
                                   .sender = sender,
                                   .is_returned = row->is_returned,
                                   .has_no_tokens = row->has_no_tokens};
    const ModeInForce mode = {.mode = settings->mode};
    g_autoptr(Plan) plan = NULL;
    g_autofree char *text = NULL;
    Inquiry inquiry;

    inquiry_begin(&inquiry);
    plan = plan_of(settings, mode, &identities, &inquiry);
    text = g_strdup_printf("%s %s %s", plan->rewrite_author ? plan->fallback->addr_spec : "-",
                           plan->envelope_sender != NULL ? plan->envelope_sender : "-",
                           plan->token_author != NULL ? plan->token_author->addr_spec : "-");
    assert_string_equal(text, row->wanted);
    assert_int_equal(plan->token[0] != '\0', plan->token_author != NULL);
    if (plan->action == PLAN_REWRITE) {
        check_again(settings, mode, &identities, plan);
        check_again(other, mode, &identities, plan);
    }
    inquiry_end(&inquiry);
}

int main(void)
{
    GArray *tests = table_new();

    mailboxes_init();
    TABLE_ADD(tests, rows, test_row);
    TABLE_ADD(tests, force_rows, test_force);
    TABLE_ADD(tests, rows, test_at_once);
    TABLE_ADD(tests, needs_rows, test_needs);
    TABLE_ADD(tests, token_rows, test_token);
    table_add(tests, "the verdict that decided", test_verdict, NULL);
    return table_run(tests, "plan");
}
