#include "config.h"

#include "advice/advice.h"

#include <sysexits.h>

#include "base/domain_name.h"
#include "base/language.h"

/* Translated, all subjects are ASCII, but for the domain. */
static const char change_subject[] = N_("Your domain {domain}: please change a DNS record");

static const char error_reason[] =
    N_("You send mail through our servers with addresses of your domain {domain}. "
       "Which servers may do that is said by a record of the domain, its SPF "
       "record. That record has an error, so it counts for nothing, and many "
       "receivers put your mail into the spam folder.");

static const AdviceKindRow kind_rows[ADVICE_KINDS] = {
    [ADVICE_PROVIDER] =
        {
            .name = "provider",
            .exit_status = 1,
            .summary = N_("belongs to a mail provider, and its users can't publish an SPF record"),
            .subject = N_("Your sender address at {domain}"),
            .reason =
                N_("You send mail through our servers with an address at {domain}. That domain "
                   "belongs to your mail provider, which allows only its own servers to send "
                   "mail for it. Many receivers therefore take what comes from our servers for "
                   "forged and put it into the spam folder."),
            .sentences =
                {
                    {ADVICE_PIECE_INSTRUCTION, 0,
                     N_("Only the provider itself can say which servers may send mail for {domain}; "
                        "who has an address there can't. There are two ways:")},
                    {ADVICE_PIECE_ITEM, WHEN_FALLBACK,
                     N_("Stay with the fallback address: your mail is sent as {fallback}, your name "
                        "still shows, and replies go to your address at {domain}. You need not do "
                        "anything.")},
                    {ADVICE_PIECE_ITEM, WHEN_NO_FALLBACK,
                     N_("Stay with the fallback address: your name still shows, and replies go to "
                        "your address at {domain}. You need not do anything.")},
                    {ADVICE_PIECE_ITEM, 0,
                     N_("Use a domain of your own, such as practice-miller.example, from a web "
                        "hoster: for it an SPF record can be published, and your address stays even "
                        "when you change the provider.")},
                },
            .letter_end =
                N_("If you choose a domain of your own, just tell us: we then send you the "
                   "one record that has to be published for it."),
        },
    [ADVICE_UNKNOWN] =
        {
            .name = "unknown",
            .exit_status = EX_TEMPFAIL,
            .summary = N_("the DNS does not answer; please try again later"),
            .sentences =
                {
                    {ADVICE_PIECE_INSTRUCTION, WHEN_RELAYS_UNKNOWN,
                     N_("It is not known at the moment from which servers our mail leaves, so nothing "
                        "can be said of the record of {domain}.")},
                    {ADVICE_PIECE_INSTRUCTION, WHEN_RELAYS_KNOWN,
                     N_("The name servers of {domain}, or of a domain that its record refers to, gave "
                        "no answer that can be used. Nothing is known of the record until they do.")},
                },
        },
    [ADVICE_NODOMAIN] =
        {
            .name = "nodomain",
            .exit_status = 1,
            .summary = N_("this domain does not exist"),
            .subject = N_("Your sender address: {domain} does not exist"),
            .reason =
                N_("You send mail through our servers with an address at {domain}. This domain "
                   "does not exist, so receivers refuse such mail or put it into the spam "
                   "folder, and nobody can reply to you."),
            .sentences =
                {
                    {ADVICE_PIECE_INSTRUCTION, 0,
                     N_("Please check the spelling. If the domain was given up, no mail can reach its "
                        "addresses, and replies get lost.")},
                },
        },
    [ADVICE_MERGE] =
        {
            .name = "merge",
            .exit_status = 1,
            .shows_record = true,
            .summary =
                N_("has several SPF records, which counts as an error; one is to be published "
                   "in their place"),
            .subject = change_subject,
            .reason =
                N_("You send mail through our servers with addresses of your domain {domain}. "
                   "Which servers may do that is said by a record of the domain, its SPF "
                   "record. Only one is allowed, and the domain has several: so none of them "
                   "counts, and many receivers put your mail into the spam folder."),
        },
    [ADVICE_REPAIR] =
        {
            .name = "repair",
            .exit_status = 1,
            .shows_record = true,
            .summary = N_("has an SPF record with an error, which needs mending"),
            .subject = change_subject,
            .reason = error_reason,
        },
    [ADVICE_REDUCE] =
        {
            .name = "reduce",
            .exit_status = 1,
            .shows_record = true,
            .summary = N_("has an SPF record that is too costly: with our servers in it, it needs "
                          "more DNS look-ups than receivers make"),
            .subject = change_subject,
            .reason =
                N_("You send mail through our servers with addresses of your domain {domain}. "
                   "Which servers may do that is said by a record of the domain, its SPF "
                   "record. As it stands, it has no room for ours: receivers would have to look "
                   "up too much. Many of them therefore take such mail for forged and put it "
                   "into the spam folder."),
        },
    [ADVICE_OK] =
        {
            .name = "ok",
            .exit_status = 0,
            .summary = N_("allows our servers to send; nothing is to be done"),
            .subject = N_("Your domain {domain}: nothing to be done"),
            .reason =
                N_("You send mail through our servers with addresses of your domain {domain}. "
                   "We have checked the domain: it says that our servers may do that."),
            .sentences =
                {
                    {ADVICE_PIECE_INSTRUCTION, 0,
                     N_("Mail from {domain} is sent with its own address as the sender.")},
                },
        },
    [ADVICE_EXTEND] =
        {
            .name = "extend",
            .exit_status = 1,
            .shows_record = true,
            .tells_added = true,
            .summary = N_("has an SPF record that lacks our servers"),
            .subject = change_subject,
            .reason =
                N_("You send mail through our servers with addresses of your domain {domain}. "
                   "Which servers may do that is said by a record of the domain, its SPF "
                   "record, and ours are not among them yet. Many receivers therefore take such "
                   "mail for forged and put it into the spam folder."),
            .unprovable_summary =
                N_("has an SPF record that can't be proven to allow all of our servers"),
            .unprovable_reason =
                N_("You send mail through our servers with addresses of your domain {domain}. "
                   "Which servers may do that is said by a record of the domain, its SPF "
                   "record. As it stands, it can't be proven that it allows all of ours. "
                   "Receivers may therefore take such mail for forged and put it into the spam "
                   "folder."),
        },
    [ADVICE_PUBLISH] =
        {
            .name = "publish",
            .exit_status = 1,
            .shows_record = true,
            .summary = N_("has no SPF record; this one is to be published"),
            .subject = N_("Your domain {domain}: a DNS record is missing"),
            .reason =
                N_("You send mail through our servers with addresses of your domain {domain}. "
                   "So far nothing says that our servers may do that. Many receivers therefore "
                   "take such mail for forged and put it into the spam folder."),
        },
};

static const PointRow point_rows[POINT_KINDS] = {
    [POINT_STRINGS] =
        {
            .name = "strings",
            .members = POINT_HAS_NUMBER | POINT_HAS_TEXTS,
            .sentences =
                {
                    {ADVICE_PIECE_REMARK, 0,
                     N_("The record has {number} characters. Most DNS pages take it as it is. One "
                        "that refuses more than 255 wants it in parts; then copy this line:")},
                    {ADVICE_PIECE_RECORD, 0, "{strings}"},
                },
        },
    [POINT_LONG] =
        {
            .name = "long",
            .members = POINT_HAS_NUMBER,
            .sentences =
                {
                    {ADVICE_PIECE_REMARK, 0,
                     N_("With {number} characters the record is very long; some receivers can't read "
                        "an answer of that size. If something in it is not needed any more, tell us: the "
                        "line then gets shorter.")},
                },
        },
    [POINT_ALL_PASS] =
        {
            .name = "all-pass",
            .members = POINT_HAS_TERM,
            .sentences =
                {
                    {ADVICE_PIECE_REMARK, 0,
                     N_("\"{term}\" in the record allows everybody to send mail as {domain}. We have "
                        "not changed that. If you want the domain to be protected, ask us for a line "
                        "that ends in \"~all\".")},
                },
        },
    [POINT_ALL_NEUTRAL] =
        {
            .name = "all-neutral",
            .members = POINT_HAS_TERM,
            .sentences =
                {
                    {ADVICE_PIECE_REMARK, 0,
                     N_("\"{term}\" in the record says nothing about other people's servers. We have "
                        "not changed that. If you want the domain to be protected, ask us for a line "
                        "that ends in \"~all\".")},
                },
        },
    [POINT_ALL_MISSING] =
        {
            .name = "all-missing",
            .members = 0,
            .sentences =
                {
                    {ADVICE_PIECE_REMARK, 0,
                     N_("The record lacks an end such as \"~all\" and so says nothing about other "
                        "people's servers. We have not changed that. If you want the domain to be "
                        "protected, ask us for a line that ends in \"~all\".")},
                },
        },
    [POINT_PTR] =
        {
            .name = "ptr",
            .members = POINT_HAS_TERM,
            .sentences =
                {
                    {ADVICE_PIECE_REMARK, 0,
                     N_("\"{term}\" is slow and unreliable, and the standard (RFC 7208) advises "
                        "against it. We have not changed that.")},
                },
        },
    [POINT_UNREACHED] =
        {
            .name = "unreached",
            .members = POINT_HAS_TERM,
            .sentences =
                {
                    {ADVICE_PIECE_REMARK, 0,
                     N_("\"{term}\" has no effect where it stands: what comes before it decides "
                        "everything. We have not changed that.")},
                },
        },
    [POINT_SECOND_VERSION] =
        {
            .name = "second-version",
            .members = POINT_HAS_TERM,
            .sentences =
                {
                    {ADVICE_PIECE_REMARK, 0,
                     N_("\"{term}\" stands in the middle of the record, too, where it has no effect: "
                        "two records may have grown together. We have not changed that.")},
                },
        },
    [POINT_WITHOUT_EFFECT] =
        {
            .name = "without-effect",
            .members = POINT_HAS_TERM,
            .sentences =
                {
                    {ADVICE_PIECE_REMARK, 0,
                     N_("\"{term}\" has no effect: a colon was meant in place of the equals sign. We "
                        "have not changed that.")},
                },
        },
    [POINT_FAULTY] =
        {
            .name = "faulty",
            .members = POINT_HAS_TERM | POINT_HAS_REASON,
            .sentences =
                {
                    {ADVICE_PIECE_REMARK, 0,
                     N_("\"{term}\" is an error for mail servers that come to it: {reason}. We have "
                        "not changed that.")},
                },
        },
    [POINT_ERROR] =
        {
            .name = "error",
            .members = POINT_HAS_TERM | POINT_HAS_TEXT | POINT_HAS_REASON | POINT_HAS_NUMBER,
            .sentences =
                {
                    {ADVICE_PIECE_REMARK, WHEN_NO_REASON | WHEN_NO_TEXT,
                     N_("\"{term}\" (at character {number}) is wrong and was left out.")},
                    {ADVICE_PIECE_REMARK, WHEN_NO_REASON | WHEN_TEXT,
                     N_("\"{term}\" (at character {number}) is wrong; it became \"{text}\".")},
                    {ADVICE_PIECE_REMARK, WHEN_REASON | WHEN_NO_TEXT,
                     N_("\"{term}\" (at character {number}) is wrong and was left out: {reason}.")},
                    {ADVICE_PIECE_REMARK, WHEN_REASON | WHEN_TEXT,
                     N_("\"{term}\" (at character {number}) is wrong: {reason}. It became \"{text}\".")},
                },
        },
    [POINT_UNREADABLE] =
        {
            .name = "unreadable",
            .members = POINT_HAS_TERM | POINT_HAS_REASON | POINT_HAS_NUMBER,
            .sentences =
                {
                    {ADVICE_PIECE_REMARK, WHEN_FIRST,
                     N_("Some errors in the record can't be corrected by guessing: a wrong guess could "
                        "let strangers send mail as {domain}. Please correct these:")},
                    {ADVICE_PIECE_ITEM, WHEN_REASON,
                     N_("\"{term}\" (at character {number}): {reason}.")},
                    {ADVICE_PIECE_ITEM, WHEN_NO_REASON, N_("\"{term}\" (at character {number})")},
                },
        },
    [POINT_VERSION] =
        {
            .name = "version",
            .members = POINT_HAS_TERM,
            .sentences =
                {
                    {ADVICE_PIECE_REMARK, 0,
                     N_("The record began with \"{term}\". Receivers take for an SPF record only what "
                        "begins with \"v=spf1\" and a blank.")},
                },
        },
    [POINT_BROKEN] =
        {
            .name = "broken",
            .members = POINT_HAS_TERM | POINT_HAS_TEXT | POINT_HAS_REASON,
            .sentences =
                {
                    {ADVICE_PIECE_REMARK, 0,
                     N_("\"{term}\" was left out: it refers to a domain without a usable SPF record, "
                        "and that makes all of the record invalid.")},
                },
        },
    [POINT_BROKEN_REFUSAL] =
        {
            .name = "broken-refusal",
            .members = POINT_HAS_TERM | POINT_HAS_REASON,
            .sentences =
                {
                    {ADVICE_PIECE_REMARK, 0,
                     N_("\"{term}\" refers to something that can't be looked up, and that makes all of "
                        "the record invalid. It was to refuse senders, and nobody can tell which: "
                        "without it they could send mail as {domain}. Please correct it, or take it "
                        "out of the record if it is not needed any more.")},
                },
        },
    [POINT_MANY_HOSTS] =
        {
            .name = "many-hosts",
            .members = POINT_HAS_TERM | POINT_HAS_TEXT | POINT_HAS_NUMBER,
            .sentences =
                {
                    {ADVICE_PIECE_REMARK, WHEN_TEXT,
                     N_("\"{term}\" stands for {number} mail servers. Receivers look up at most 10, "
                        "and with more take the record for faulty. In its place the record has the "
                        "addresses of these servers. That is a copy, and it ages: when a server is "
                        "added or gets another address, the record has to be changed, too.")},
                    {ADVICE_PIECE_REMARK, WHEN_NO_TEXT,
                     N_("\"{term}\" stands for {number} mail servers. Receivers look up at most 10, "
                        "and with more take the record for faulty, so it was left out. Please "
                        "publish the record only if no mail of {domain} comes from these servers.")},
                },
        },
    [POINT_CLOSED] =
        {
            .name = "closed",
            .members = POINT_HAS_TERM | POINT_HAS_TEXT,
            .sentences =
                {
                    {ADVICE_PIECE_REMARK, 0,
                     N_("\"{term}\" would allow everybody to send mail as {domain}, as soon as the "
                        "record is corrected; it became \"{text}\".")},
                },
        },
    [POINT_UNCOUNTED] =
        {
            .name = "uncounted",
            .members = POINT_HAS_TERM | POINT_HAS_TEXT,
            .sentences =
                {
                    {ADVICE_PIECE_REMARK, 0,
                     N_("\"{term}\" stood behind \"{text}\", where it never counted, and was left "
                        "out.")},
                },
        },
    [POINT_SIGN] =
        {
            .name = "sign",
            .members = POINT_HAS_TERM | POINT_HAS_TEXT,
            .sentences =
                {
                    {ADVICE_PIECE_REMARK, 0,
                     N_("\"{term}\" in the record did not allow our servers; it became "
                        "\"{text}\".")},
                },
        },
    [POINT_SEVERAL] =
        {
            .name = "several", .members = POINT_HAS_TEXTS | POINT_HAS_NUMBER,
            /* The instruction says it and quotes them. */
        },
    [POINT_LOOKUPS] =
        {
            .name = "lookups",
            .members = POINT_HAS_NUMBER | POINT_HAS_LIMIT,
            .sentences =
                {
                    {ADVICE_PIECE_REMARK, 0,
                     N_("Receivers would need {number} DNS look-ups for the record. They make at most "
                        "{limit}, and then take the record for faulty.")},
                },
        },
    [POINT_VOIDS] =
        {
            .name = "voids",
            .members = POINT_HAS_NUMBER | POINT_HAS_LIMIT,
            .sentences =
                {
                    {ADVICE_PIECE_REMARK, 0,
                     N_("{number} of the DNS look-ups for the record find nothing. With more than "
                        "{limit} receivers take the record for faulty.")},
                },
        },
    [POINT_COST] =
        {
            .name = "cost",
            .members = POINT_HAS_TERM | POINT_HAS_NUMBER | POINT_HAS_LIMIT,
            .sentences =
                {
                    {ADVICE_PIECE_REMARK, WHEN_FIRST,
                     N_("This is what the parts of today's record cost, the first one most. If you no "
                        "longer need one of them, tell us, and we work out a line without it:")},
                    {ADVICE_PIECE_ITEM, WHEN_VOID | WHEN_ONE,
                     N_("{term}: 1 look-up, which finds nothing")},
                    {ADVICE_PIECE_ITEM, WHEN_VOID | WHEN_MORE,
                     N_("{term}: {number} look-ups, {limit} of which find nothing")},
                    {ADVICE_PIECE_ITEM, WHEN_NOT_VOID | WHEN_ONE, N_("{term}: 1 look-up")},
                    {ADVICE_PIECE_ITEM, WHEN_NOT_VOID | WHEN_MORE, N_("{term}: {number} look-ups")},
                },
        },
    [POINT_FLATTENED] =
        {
            .name = "flattened",
            .members = POINT_HAS_TERM | POINT_HAS_TEXTS | POINT_HAS_NUMBER,
            .sentences =
                {
                    {ADVICE_PIECE_REMARK, WHEN_FIRST,
                     N_("In place of the following, the record has the addresses that these stand for "
                        "today. That is a copy, and it ages: when such a service changes its servers, "
                        "the record has to be changed, too. Please check it every few months:")},
                    {ADVICE_PIECE_ITEM, 0, "{term}"},
                },
        },
    [POINT_VOID] =
        {
            .name = "void",
            .members = POINT_HAS_TERM | POINT_HAS_NUMBER,
            .sentences =
                {
                    {ADVICE_PIECE_REMARK, 0,
                     N_("\"{term}\" was left out: it finds nothing and so allows nobody.")},
                },
        },
    [POINT_DOUBLE] =
        {
            .name = "double",
            .members = POINT_HAS_TERM | POINT_HAS_NUMBER,
            .sentences =
                {
                    {ADVICE_PIECE_REMARK, 0, N_("\"{term}\" was there twice; once is enough.")},
                },
        },
    [POINT_DROPPED] =
        {
            .name = "dropped",
            .members = POINT_HAS_TERM | POINT_HAS_NUMBER,
            .sentences =
                {
                    {ADVICE_PIECE_REMARK, WHEN_FIRST,
                     N_("The following was left out, as the record would be too costly with it. "
                        "Please publish the record only if no mail of {domain} comes from there any "
                        "more:")},
                    {ADVICE_PIECE_ITEM, 0, "{term}"},
                },
        },
    [POINT_MOVED] =
        {
            .name = "moved",
            .members = POINT_HAS_TERM | POINT_HAS_TEXT,
            .sentences =
                {
                    {ADVICE_PIECE_REMARK, 0,
                     N_("\"{term}\" was in the record already, but behind \"{text}\", which may "
                        "decide first. It stands before it now.")},
                },
        },
    [POINT_MISPLACED] =
        {
            .name = "misplaced",
            .members = POINT_HAS_TERM | POINT_TERM_IS_NAME | POINT_HAS_TEXT | POINT_HAS_NUMBER,
            .sentences =
                {
                    {ADVICE_PIECE_REMARK, WHEN_MORE,
                     N_("At {term} there is another SPF record: \"{text}\". It does not count for mail "
                        "from {domain}, but for mail from {term}, and for domains whose record "
                        "refers to it. Please leave it as it is.")},
                    {ADVICE_PIECE_REMARK, WHEN_ONE,
                     N_("At {term} there is also a TXT record that was meant for SPF: \"{text}\". It "
                        "does not begin with \"v=spf1\" and a blank, so receivers don't take it for "
                        "one.")},
                },
        },
    [POINT_WILDCARD] =
        {
            .name = "wildcard",
            .members = POINT_HAS_TERM | POINT_TERM_IS_NAME | POINT_HAS_TEXT,
            .sentences =
                {
                    {ADVICE_PIECE_REMARK, 0,
                     N_("Each name below {domain} that has no records of its own has the SPF record "
                        "\"{text}\". It does not count for mail from {domain} itself, but for mail "
                        "from those names. Please leave it as it is.")},
                },
        },
    [POINT_SPF_TYPE] =
        {
            .name = "spf-type",
            .members = POINT_HAS_TEXT,
            .sentences =
                {
                    {ADVICE_PIECE_REMARK, 0,
                     N_("At {domain} stands a record of the type SPF: \"{text}\". Receivers don't ask "
                        "for that type any more; the record has to be of type TXT.")},
                },
        },
    [POINT_NOT_INHERITED] =
        {
            .name = "not-inherited",
            .members = POINT_HAS_TERM | POINT_TERM_IS_NAME | POINT_HAS_TEXT,
            .sentences =
                {
                    {ADVICE_PIECE_REMARK, 0,
                     N_("The SPF record of {term} does not count for {domain}: each name needs its "
                        "own.")},
                },
        },
    [POINT_ALIAS] =
        {
            .name = "alias",
            .members = POINT_HAS_TERM | POINT_TERM_IS_NAME,
            .sentences =
                {
                    {ADVICE_PIECE_REMARK, 0,
                     N_("{domain} is an alias (CNAME) of {term}, and no other record can stand beside "
                        "an alias. The record belongs at {term}, if that is yours; otherwise the "
                        "alias has to be replaced first.")},
                },
        },
    [POINT_UNPROVABLE] =
        {
            .name = "unprovable",
            .members = POINT_HAS_TERM | POINT_HAS_TEXT,
            .sentences =
                {
                    {ADVICE_PIECE_REMARK, WHEN_TERM | WHEN_NO_TEXT,
                     N_("What \"{term}\" says of a server depends on the address of that server, so "
                        "it can't be proven that the record as it is allows all of ours.")},
                    {ADVICE_PIECE_REMARK, WHEN_TERM | WHEN_TEXT,
                     N_("\"{term}\" leads to \"{text}\". What that says of a server depends on the "
                        "address of that server, so it can't be proven that the record as it is "
                        "allows all of ours.")},
                    {ADVICE_PIECE_REMARK, WHEN_NO_TERM,
                     N_("The record as it is has too many parts to be compared with all of our "
                        "servers, so it can't be proven that it allows them.")},
                },
        },
    [POINT_DMARC] =
        {
            .name = "dmarc",
            .members = POINT_HAS_TEXT | POINT_HAS_NUMBER,
            .sentences =
                {
                    {ADVICE_PIECE_REMARK, WHEN_REJECT | WHEN_RECORD,
                     N_("{domain} asks receivers to refuse mail that is not proven to come from it "
                        "(DMARC with p=reject). Mail that we send with your own address would be "
                        "refused before the record above is published. Publishing it is all that "
                        "you, or whoever looks after your domain, have to do; the rest is our "
                        "task.")},
                    {ADVICE_PIECE_REMARK, WHEN_REJECT | WHEN_NO_RECORD,
                     N_("{domain} asks receivers to refuse mail that is not proven to come from it "
                        "(DMARC with p=reject). You need not do anything about that: to prove the "
                        "mail that we send is our task.")},
                    {ADVICE_PIECE_REMARK, WHEN_QUARANTINE | WHEN_RECORD,
                     N_("{domain} asks receivers to put mail that is not proven to come from it into "
                        "the spam folder (DMARC with p=quarantine). Mail that we send with your own "
                        "address would end up there before the record above is published. "
                        "Publishing it is all that you, or whoever looks after your domain, have to "
                        "do; the rest is our task.")},
                    {ADVICE_PIECE_REMARK, WHEN_QUARANTINE | WHEN_NO_RECORD,
                     N_("{domain} asks receivers to put mail that is not proven to come from it into "
                        "the spam folder (DMARC with p=quarantine). You need not do anything about "
                        "that: to prove the mail that we send is our task.")},
                    {ADVICE_PIECE_OPERATOR, 0,
                     N_("For the operator: by DMARC, mail of {domain} is proven by the SPF record "
                        "where its envelope sender is of {domain}, too; otherwise it needs a DKIM "
                        "signature of {domain}.")},
                },
        },
    [POINT_UNPROVEN] =
        {
            .name = "unproven",
            .members = POINT_HAS_REASON,
            .sentences =
                {
                    {ADVICE_PIECE_REMARK, 0,
                     N_("We found no record for {domain} that is certain to work, so we don't propose "
                        "one.")},
                    {ADVICE_PIECE_OPERATOR, WHEN_REASON,
                     N_("What was tried last failed: {reason}.")},
                },
        },
    [POINT_PROVIDER_RELAY] =
        {
            .name = "provider-relay",
            .members = POINT_HAS_TERM | POINT_TERM_IS_NAME,
            .sentences =
                {
                    {ADVICE_PIECE_OPERATOR, 0,
                     N_("For the operator: mail leaves through {term}, which sends with an envelope "
                        "domain of its own, unless a custom one (a custom MAIL FROM domain) is set up "
                        "there. Receivers then ask that domain for SPF and not {domain}; what aligns "
                        "for DMARC is a DKIM signature of {domain}, so {term} has to be set up to "
                        "sign for it. A custom MAIL FROM domain is a subdomain with MX and TXT "
                        "records of its own, which {term} names: they belong there, and not at "
                        "{domain} itself.")},
                },
        },
};

const AdviceKindRow *advice_kind_row(AdviceKind kind)
{
    return &kind_rows[kind];
}

const PointRow *point_row(PointKind kind)
{
    return &point_rows[kind];
}

const char *advice_summary(const Advice *advice)
{
    const AdviceKindRow *row = advice_kind_row(advice->kind);

    if (row->unprovable_summary != NULL && advice_point(advice, POINT_UNPROVABLE) != NULL)
        return row->unprovable_summary;
    return row->summary;
}

const char *advice_reason(const Advice *advice)
{
    const AdviceKindRow *row = advice_kind_row(advice->kind);

    if (row->unprovable_reason != NULL && advice_point(advice, POINT_UNPROVABLE) != NULL)
        return row->unprovable_reason;
    return row->reason;
}

void advice_find(Advice *advice, AdviceKind kind)
{
    advice->kind = MIN(advice->kind, kind);
}

static void point_free(gpointer data)
{
    Point *point = data;

    g_free(point->term);
    g_free(point->text);
    g_free(point->reason);
    g_strfreev(point->texts);
    g_free(point);
}

GPtrArray *point_array_new(void)
{
    return g_ptr_array_new_with_free_func(point_free);
}

Point *point_add(GPtrArray *points, PointKind kind, const char *term)
{
    Point *point = g_new0(Point, 1);

    point->kind = kind;
    point->term = g_strdup(term);
    g_ptr_array_add(points, point);
    return point;
}

Advice *advice_new(const char *domain)
{
    const char *organizational = domain_name_organizational(domain);
    Advice *advice = g_new0(Advice, 1);

    advice->kind = ADVICE_PUBLISH;
    advice->domain = g_strdup(domain);
    advice->organizational = g_strdup(organizational);
    advice->is_subdomain = organizational != domain;
    advice->label = advice->is_subdomain ? g_strndup(domain, (gsize)(organizational - domain - 1))
                                         : g_strdup("@");
    advice->points = point_array_new();
    advice->added = g_new0(char *, 1);
    advice->found = g_new0(char *, 1);
    advice->name_servers = g_new0(char *, 1);
    return advice;
}

void advice_free(Advice *advice)
{
    g_free(advice->domain);
    g_free(advice->organizational);
    g_free(advice->label);
    g_free(advice->record);
    g_free(advice->alternative);
    g_free(advice->dkim_name);
    g_free(advice->dkim_label);
    g_free(advice->dkim_target);
    g_strfreev(advice->added);
    g_strfreev(advice->found);
    g_ptr_array_unref(advice->points);
    g_strfreev(advice->name_servers);
    g_free(advice->fallback);
    g_free(advice->sender);
    g_free(advice->hoster);
    g_free(advice);
}

bool advice_shows_dkim(const Advice *advice)
{
    return advice->dkim_name != NULL && advice_kind_row(advice->kind)->shows_record;
}

char *advice_dkim_line(const Advice *advice)
{
    return g_strdup_printf("%s. CNAME %s.", advice->dkim_name, advice->dkim_target);
}

const Point *advice_point_at(const Advice *advice, guint position)
{
    return g_ptr_array_index(advice->points, position);
}

const Point *advice_point(const Advice *advice, PointKind kind)
{
    for (guint i = 0; i < advice->points->len; i++)
        if (advice_point_at(advice, i)->kind == kind)
            return advice_point_at(advice, i);
    return NULL;
}
