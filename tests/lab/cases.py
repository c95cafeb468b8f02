"""One table of messages and of what is to become of each (design sections 4 and 5). A new case is one entry."""

import re
from dataclasses import dataclass, field

from lab.clients import AUTHENTICATED
from lab.zone import FALLBACK

_TRAILER = b"""\
To: Patient <patient@example.net>
Subject: =?utf-8?q?Ihr_Termin?=  am   Montag
Date: Mon, 02 Mar 2026 09:00:00 +0100
Message-ID: <42@praxis.example>
X-Folded: one
\ttwo
  three
Mime-Version: 1.0
Content-Type: text/plain; charset=utf-8
Content-Transfer-Encoding: 8bit

Guten Tag,

. ein Punkt am Anfang, \xc3\xa4\xc3\xb6\xc3\xbc\xc3\x9f, und Leerzeichen am Ende:  \x20
.
Ende
"""


def message(*fields):
    """A message with CRLF line ends, these fields on top."""
    head = b"".join((text if isinstance(text, bytes) else text.encode()) + b"\n" for text in fields)
    return (head + _TRAILER).replace(b"\n", b"\r\n")


@dataclass
class Case:
    name: str
    sender: str
    fields: list                     # what stands above the fields that all messages have
    envelope: str = None             # the envelope sender on arrival; None: as sent
    author: list = None              # mailboxes of From: on arrival; None: the header stays byte for byte
    has: dict = field(default_factory=dict)    # name → mailboxes, or a pattern for the value
    lacks: tuple = ()                # names that are not there on arrival
    result: str = None               # the SPF result in the log
    parameters: tuple = ()           # of MAIL FROM
    xclient: dict = None             # then only by SMTP

    @property
    def is_rewritten(self):
        return self.author is not None

    @property
    def action(self):
        return "rewrite" if self.is_rewritten or self.envelope is not None else "keep"

    def message(self):
        return message(*self.fields)

    def __str__(self):
        return self.name


def _from_nobody_known(name, local, domain, result, **more):
    """Author and envelope of a domain that doesn't authorise the relay."""
    address = f"{local}@{domain}"
    original = [("Praxis", address)]
    return Case(name, address, [f"From: Praxis <{address}>"], envelope=FALLBACK, author=[("Praxis", FALLBACK)],
                has={"Reply-To": original, "Author": original, "X-Original-From": original,
                     "X-SPFrom": rf"rewritten; domain={re.escape(domain)}; spf={result}\b"}, result=result, **more)


MUELLER = "mueller@praxis-mueller.de"
OHNE = "ohne@praxis-ohne.de"

DECISION = [
    Case("authorised", MUELLER, ["From: Praxis =?utf-8?q?M=C3=BCller?= <mueller@praxis-mueller.de>"], result="pass"),
    Case("authorised-null-sender", "", [f"From: <{MUELLER}>"], result="pass"),
    Case("authorised-two-authors", MUELLER, [f"From: {MUELLER}, Klinik <info@klinik-nord.de>", f"Sender: {MUELLER}"]),
    Case("authorised-idn", "info@xn--praxis-mller-klb.de", ["From: info@xn--praxis-mller-klb.de"], result="pass"),
    Case("authorised-domain-in-capitals", MUELLER, ["From: Mueller@Praxis-MUELLER.De"], result="pass"),
    Case("authorised-for-this-local-part", "anna@makros.example", ["From: anna@makros.example"], result="pass"),
    Case("fallback-itself", FALLBACK, [f"From: {FALLBACK}"]),
    Case("fallback-domain", "info@lemniscus.de", ["From: info@lemniscus.de"]),
    _from_nobody_known("no-record", "ohne", "praxis-ohne.de", "none"),
    _from_nobody_known("no-such-domain", "wer", "gibt-es-nicht.example", "none"),
    _from_nobody_known("fail-gmx", "anna.schmidt", "gmx.de", "fail"),
    _from_nobody_known("fail-web", "anna.schmidt", "web.de", "fail"),
    _from_nobody_known("softfail-gmail", "anna.schmidt", "gmail.com", "softfail"),
    _from_nobody_known("neutral", "praxis", "praxis-neutral.de", "neutral"),
    _from_nobody_known("permerror-two-records", "praxis", "praxis-doppelt.de", "permerror"),
    _from_nobody_known("temperror", "praxis", "praxis-langsam.de", "temperror"),
    _from_nobody_known("other-local-part", "berta", "makros.example", "fail"),
    _from_nobody_known("subdomain-of-authorised", "x", "sub.praxis-mueller.de", "none"),
    _from_nobody_known("ends-like-authorised", "x", "nicht-praxis-mueller.de", "none"),
    _from_nobody_known("subdomain-of-fallback", "x", "tenant.lemniscus.de", "none"),
    Case("author-not-envelope-other", "liste@versand.example", [f"From: {OHNE}"], envelope=FALLBACK,
         author=[("ohne", FALLBACK)], has={"Reply-To": [("", OHNE)]}, result="none"),
    Case("author-not-envelope-aligned", "bounce+42@lemniscus.de", [f"From: {OHNE}"],
         author=[("ohne", FALLBACK)], has={"Reply-To": [("", OHNE)]}, result="none"),
    Case("author-not-envelope-aligned-subdomain", "bounce+42@mail.lemniscus.de", [f"From: {OHNE}"],
         author=[("ohne", FALLBACK)], has={"Reply-To": [("", OHNE)]}, result="none"),
    Case("author-not-null-sender", "", [f"From: {OHNE}"], author=[("ohne", FALLBACK)],
         has={"Reply-To": [("", OHNE)]}, result="none"),
    Case("envelope-only", "praxis@gmx.de", [f"From: Praxis <{MUELLER}>"], envelope=MUELLER, result="fail"),
    Case("envelope-only-no-record", OHNE, [f"From: Praxis <{MUELLER}>"], envelope=MUELLER, result="none"),
    Case("one-of-two-authors", OHNE, [f"From: Mueller <{MUELLER}>, Ohne <{OHNE}>", f"Sender: {OHNE}"],
         envelope=FALLBACK, author=[("Mueller", FALLBACK)],
         has={"Reply-To": [("Mueller", MUELLER), ("Ohne", OHNE)]}, lacks=("Sender",), result="none"),
    Case("two-from-fields", OHNE, [f"From: Mueller <{MUELLER}>", f"From: Ohne <{OHNE}>"], envelope=FALLBACK,
         author=[("Mueller", FALLBACK)], has={"Reply-To": [("Mueller", MUELLER), ("Ohne", OHNE)]}, result="none"),
    Case("group", OHNE, [f"From: Praxis: Ohne <{OHNE}>;"], envelope=FALLBACK, author=[("Ohne", FALLBACK)],
         has={"Reply-To": [("Ohne", OHNE)]}, result="none"),
    Case("empty-group", OHNE, ["From: undisclosed:;"], envelope=FALLBACK, author=[("", FALLBACK)],
         lacks=("Reply-To", "Author"), result="none"),
    Case("no-from-postfix-adds-one", OHNE, [], envelope=FALLBACK, author=[(re.compile("^(ohne|root)$"), FALLBACK)],
         result="none"),
    Case("no-from", MUELLER, [], envelope=FALLBACK, author=[("", FALLBACK)], lacks=("Reply-To", "Author"),
         result="none", xclient=AUTHENTICATED),
    Case("no-domain", MUELLER, ["From: mueller"], envelope=FALLBACK, author=[("mueller", FALLBACK)],
         lacks=("Reply-To", "Author"), result="none", xclient=AUTHENTICATED),
    Case("two-ats", MUELLER, ["From: <a@b@praxis-mueller.de>"], envelope=FALLBACK, author=[("", FALLBACK)],
         lacks=("Reply-To", "Author"), result="none", xclient=AUTHENTICATED),
    Case("address-literal", MUELLER, ["From: mueller@[192.0.2.1]"], envelope=FALLBACK, author=[("", FALLBACK)],
         lacks=("Reply-To", "Author"), result="none", xclient=AUTHENTICATED),
    # Where readers see, or may see, another domain than the one that authorises us.
    Case("mapped-dot", MUELLER, ["From: a@praxis-mueller\u3002de"], envelope=FALLBACK, author=[("a", FALLBACK)],
         has={"Reply-To": [("", "a@praxis-mueller.de")]}, result="none", xclient=AUTHENTICATED),
    Case("soft-hyphen", MUELLER, ["From: a@praxis\u00ad-mueller.de"], envelope=FALLBACK, author=[("a", FALLBACK)],
         has={"Reply-To": [("", "a@praxis-mueller.de")]}, result="none", xclient=AUTHENTICATED),
    Case("long-line", MUELLER, ["From: " + "Praxis " * 150 + f"<{MUELLER}>"], envelope=FALLBACK,
         author=[(re.compile("^Praxis Praxis"), FALLBACK)], has={"Reply-To": [(re.compile("^Praxis"), MUELLER)]},
         result="none", xclient=AUTHENTICATED),
    Case("fold-in-quotes", MUELLER, [f'From: "x@gmx.de\n y" <{MUELLER}>'], envelope=FALLBACK,
         author=[("x y", FALLBACK)], has={"Reply-To": [("x@gmx.de y", MUELLER)]}, result="none", xclient=AUTHENTICATED),
    # Odd, and one author for all.
    *(Case(f"clear-{name}", MUELLER, [f"From: {value}"], xclient=AUTHENTICATED) for name, value in {
        "repeated": f"{MUELLER} <{MUELLER}>", "nested-comment": f"{MUELLER} (Praxis (Nord))", "comma": f"{MUELLER},",
        "double-dot": "m..x@praxis-mueller.de", "last-dot": "Praxis <m.@praxis-mueller.de>"}.items()),
]

REWRITE = [
    Case("umlaut-encoded", OHNE, [f"From: Praxis =?utf-8?q?M=C3=BCller?= <{OHNE}>"], envelope=FALLBACK,
         author=[("Praxis Müller", FALLBACK)], has={"Reply-To": [("Praxis Müller", OHNE)]}),
    Case("umlaut-base64-latin1", OHNE, [f"From: =?iso-8859-1?B?UHJheGlzIE38bGxlcg==?= <{OHNE}>"], envelope=FALLBACK,
         author=[("Praxis Müller", FALLBACK)], has={"Author": [("Praxis Müller", OHNE)]}),
    Case("umlaut-raw-utf8", OHNE, [f"From: Praxis Müller <{OHNE}>"], envelope=FALLBACK,
         author=[("Praxis Müller", FALLBACK)], has={"X-Original-From": [("Praxis Müller", OHNE)]}),
    Case("umlaut-raw-windows-1252", OHNE, [b"From: Praxis M\xfcller <ohne@praxis-ohne.de>"], envelope=FALLBACK,
         author=[("Praxis Müller", FALLBACK)], has={"Reply-To": [("Praxis Müller", OHNE)]}),
    Case("quoted-with-comma", OHNE, [f'From: "Ohne, Dr. Otto" <{OHNE}>'], envelope=FALLBACK,
         author=[("Ohne, Dr. Otto", FALLBACK)], has={"Reply-To": [("Ohne, Dr. Otto", OHNE)]}),
    Case("long-name-is-folded", OHNE, ["From: " + "Psychotherapeutische Praxisgemeinschaft am Großen Garten " * 3
                                       + f"\n <{OHNE}>"], envelope=FALLBACK,
         author=[(("Psychotherapeutische Praxisgemeinschaft am Großen Garten " * 3).strip(), FALLBACK)]),
    Case("no-name", OHNE, [f"From: {OHNE}"], envelope=FALLBACK, author=[("ohne", FALLBACK)]),
    Case("address-as-name", OHNE, [f'From: "{OHNE}" <{OHNE}>'], envelope=FALLBACK, author=[("ohne", FALLBACK)]),
    Case("name-hides-a-header", OHNE, [f"From: =?utf-8?q?x=0D=0AEvil=3A_1?= <{OHNE}>"], envelope=FALLBACK,
         author=[(re.compile(r"x\W*Evil: 1"), FALLBACK)], lacks=("Evil",)),
    Case("reply-to-stays", OHNE, [f"From: {OHNE}", "Reply-To: empfang@klinik-nord.de"], envelope=FALLBACK,
         author=[("ohne", FALLBACK)], has={"Reply-To": [("", "empfang@klinik-nord.de")], "Author": [("", OHNE)]}),
    Case("reply-to-empty", OHNE, [f"From: {OHNE}", "Reply-To: "], envelope=FALLBACK, author=[("ohne", FALLBACK)],
         has={"Reply-To": [("", OHNE)]}),
    Case("author-and-original-stay", OHNE, [f"From: {OHNE}", "Author: a@klinik-nord.de",
                                            "X-Original-From: b@klinik-nord.de"], envelope=FALLBACK,
         author=[("ohne", FALLBACK)], has={"Author": [("", "a@klinik-nord.de")],
                                           "X-Original-From": [("", "b@klinik-nord.de")]}),
    Case("sender-goes", OHNE, [f"From: {OHNE}", "Sender: x@gmx.de", "Return-Path: <x@gmx.de>"], envelope=FALLBACK,
         author=[("ohne", FALLBACK)], lacks=("Sender", "Return-Path")),
    Case("authorised-sender-stays", OHNE, [f"From: {OHNE}", f"Sender: {MUELLER}", f"Resent-From: {OHNE}",
                                          "Resent-Date: Mon, 02 Mar 2026 10:00:00 +0100", "Resent-Message-ID: <43@praxis.example>"],
         envelope=FALLBACK, author=[("ohne", FALLBACK)],
         has={"Sender": [("", MUELLER)], "Resent-From": [("", OHNE)]}),
    Case("own-signature-goes", OHNE, [f"From: {OHNE}", "DKIM-Signature: v=1; d=praxis-ohne.de; s=a; b=AAAA",
                                      "DKIM-Signature: v=1; d=versand.example; s=b; b=BBBB"], envelope=FALLBACK,
         author=[("ohne", FALLBACK)], has={"DKIM-Signature": r"d=versand\.example"}),
    Case("foreign-trace-goes", OHNE, ["X-SPFrom: forged", f"From: {OHNE}", "X-SPFrom: forged twice"],
         envelope=FALLBACK, author=[("ohne", FALLBACK)], has={"X-SPFrom": r"rewritten; domain=praxis-ohne\.de"}),
    Case("foreign-trace-of-a-kept-one-stays", MUELLER, ["X-SPFrom: forged", f"From: {MUELLER}"]),
    Case("kept-header-is-odd", MUELLER, ["From:\tPraxis\n\t <mueller@praxis-mueller.de>\t", "X-Empty:", "X-Tabs:\ta\t b ",
                                         b"X-Eight-Bit: \xff\xfe"]),
    Case("rewritten-header-is-odd", OHNE, [f"From: {OHNE}", "X-Empty:", "X-Tabs:\ta\t b ", b"X-Eight-Bit: \xff\xfe"],
         envelope=FALLBACK, author=[("ohne", FALLBACK)]),
    Case("idn-unauthorised", "info@xn--mller-kva.example", ["From: Info <info@müller.example>"], envelope=FALLBACK,
         author=[("Info", FALLBACK)], has={"Reply-To": [("Info", "info@xn--mller-kva.example")]}),
    Case("dsn-and-8bitmime-survive", OHNE, [f"From: {OHNE}"], envelope=FALLBACK, author=[("ohne", FALLBACK)],
         parameters=("BODY=8BITMIME", "RET=HDRS", "ENVID=QQ314159"), xclient=AUTHENTICATED),
    Case("smtputf8-survives", "müller@praxis-ohne.de", ["From: Müller <müller@praxis-ohne.de>"], envelope=FALLBACK,
         author=[("Müller", FALLBACK)], has={"Reply-To": r"müller@praxis-ohne\.de"},
         parameters=("SMTPUTF8", "BODY=8BITMIME"), xclient=AUTHENTICATED),
    Case("reply-to-without-a-mailbox", OHNE, [f"From: {OHNE}", "Reply-To: <>"], envelope=FALLBACK, author=[("ohne", FALLBACK)],
         has={"Reply-To": [("", OHNE)]}, xclient=AUTHENTICATED),
    *(Case(f"way-back-{name}", OHNE, [f"From: {value}"], envelope=FALLBACK, author=[("Erika", FALLBACK)],
           has={"Reply-To": [("Erika", OHNE)]}, result="none", xclient=AUTHENTICATED) for name, value in {
        "open": f"Erika <{OHNE}", "comment": f"Erika ({OHNE})", "bare": f"Erika {OHNE}",
        "encoded": "=?utf-8?q?Erika_=3Cohne=40praxis-ohne.de=3E?="}.items()),
    Case("way-back-semicolon", OHNE, [f"From: M&uuml;ller; X <{OHNE}>"], envelope=FALLBACK,
         author=[("M&uuml;ller; X", FALLBACK)], has={"Reply-To": [("M&uuml;ller; X", OHNE)]}, result="none",
         xclient=AUTHENTICATED),
    Case("way-back-other-name", OHNE, [f"From: info@praxis-ohne.de <{OHNE}>"], envelope=FALLBACK, author=[("info", FALLBACK)],
         has={"Reply-To": [("info@praxis-ohne.de", OHNE)]}, result="none", xclient=AUTHENTICATED),
    Case("way-back-home", OHNE, [f"From: Erika@Home <{OHNE}>"], envelope=FALLBACK, author=[("Erika", FALLBACK)],
         has={"Reply-To": [("Erika@Home", OHNE)]}, result="none", xclient=AUTHENTICATED),
    Case("part-of-it-readable", OHNE, [f"From: Praxis Ohne, Dr. <{OHNE}>"], envelope=FALLBACK,
         author=[(re.compile(""), FALLBACK)], has={"X-Original-From": r"Praxis Ohne, Dr\."}, result="none",
         xclient=AUTHENTICATED),
]

ALL = DECISION + REWRITE
assert len({case.name for case in ALL}) == len(ALL)
