"""What a hostile or broken client, message or MTA can send: the safe decision, and the daemon goes on."""

import resource
import socket
import struct
import threading

import pytest

from lab import clients
from lab.arrived import mailboxes, values, without_transit
from lab.cases import MUELLER, OHNE, message
from lab.milter_client import NO_STEPS, POSTFIX_STEPS, LEADING_SPACE, MilterClient, ask
from lab.zone import FALLBACK

pytestmark = [pytest.mark.address, pytest.mark.thread]

CR_AND_NUL = (b"\r", b"\0")
IDLE_CONNECTIONS = 2000


@pytest.fixture(scope="module")
def daemon(daemons):
    return daemons.start()


@pytest.fixture(autouse=True)
def still_serves(daemon):
    """After every test here the same daemon still decides rightly."""
    yield
    assert daemon.is_running(), daemon.log()[-2000:]
    assert ask(daemon.address, [("From", OHNE)], sender=OHNE).sender() == FALLBACK
    assert not ask(daemon.address, [("From", MUELLER)], sender=MUELLER).edits


# From: fields, sent by a client whose envelope sender is authorised: none of them may pass for authorised.
UNREADABLE = {
    "none": [],
    "empty": [""],
    "blanks": [" \t "],
    "no-domain": ["mueller"],
    "only-a-name": ["Praxis Mueller"],
    "angle-open": ["Praxis <mueller@praxis-mueller.de"],
    "angle-twice": ["<a@gmx.de> <mueller@praxis-mueller.de>"],
    "two-ats": ["a@gmx.de@praxis-mueller.de"],
    "two-commas": ["mueller@praxis-mueller.de,,"],
    "mapped-domain": ["mueller@praxis\u00ad-mueller.de"],
    "mapped-dot": ["mueller@praxis-mueller\u3002de"],
    "full-width-domain": ["mueller@\uff50raxis-mueller.de"],
    "long-line": ["Praxis " * 143 + "<mueller@praxis-mueller.de>"],
    "fold-in-quotes": ['"a@gmx.de\n b" <mueller@praxis-mueller.de>'],
    "fold-before-quotes": ['"a\n b" <mueller@praxis-mueller.de>, "c@gmx.de" <mueller@praxis-mueller.de>'],
    "leading-comma": [", mueller@praxis-mueller.de"],
    "quote-open": ['"Praxis <mueller@praxis-mueller.de>'],
    "literal": ["mueller@[192.0.2.25]"],
    "route": ["<@gmx.de:mueller@praxis-mueller.de>"],
    "eight-bit-domain": [b"mueller@praxis-m\xfcller.de"],
    "eight-bit-local-part": [b"m\xfc@praxis-mueller.de\xff"],
    "nul-inside": [b"mueller@gmx.de\0@praxis-mueller.de"],
    "label-too-long": ["a@" + "x" * 64 + ".de"],
    "name-too-long": ["a@" + "x." * 130 + "de"],
    "empty-label": ["a@praxis..de"],
    "60-KiB": [MUELLER + ", " + "x" * 60000 + "@praxis-mueller.de"],
    "66-KiB-in-two-fields": [MUELLER + " (" + "x" * 33000 + ")"] * 2,
    "many-mailboxes": [", ".join([MUELLER] * 2000)],
    "deep-comment": ["(" * 20000 + ")" * 20000 + MUELLER],
    "open-comments": [MUELLER + "(" * 40000],
    "second-is-bad": [MUELLER, "a@b@c"],
    "many-fields": [MUELLER] * 490,
    "empty-group": ["undisclosed-recipients:;"],
    "encoded-address": ["=?utf-8?q?mueller=40praxis-mueller=2Ede?="],
}


@pytest.mark.parametrize("name", UNREADABLE)
def test_unreadable_author(daemon, name):
    fields = [("From", value) for value in UNREADABLE[name]] + [("To", "patient@example.net")]
    outcome = ask(daemon.address, fields, sender=MUELLER)
    assert outcome.answer == "continue"
    assert outcome.sender() == FALLBACK
    applied = outcome.applied(fields)
    authors = [value for field, value in applied if field.lower() == b"from"]
    assert len(authors) == 1 and FALLBACK.encode() in authors[0] and b"praxis-mueller" not in authors[0]
    for field, value in applied:
        assert not any(octet in value for octet in CR_AND_NUL) or (field.decode(), value) in fields
    for field, value in _written(outcome):
        assert b"@" in value or field not in (b"Reply-To", b"Author")


# From: fields that look odd and that everyone reads as one mailbox.
READABLE = ["mueller@praxis-mueller.de,", "mueller@praxis-mueller.de <mueller@praxis-mueller.de>", "m..x@praxis-mueller.de",
            "m.@praxis-mueller.de", "Praxis (alt (neu)) <mueller@praxis-mueller.de>", "(Praxis) mueller@praxis-mueller.de",
            "mueller@praxis-mueller.de (a@gmx.de)", '"a@gmx.de" <mueller@praxis-mueller.de>']


@pytest.mark.parametrize("value", READABLE)
def test_odd_author_that_is_clear(daemon, value):
    assert not ask(daemon.address, [("From", value)], sender=MUELLER).edits


def _written(outcome):
    return [(edit[-2], edit[-1]) for edit in outcome.edits if edit[0] != "chgfrom"]


NAMES = [
    b"=?utf-8?b?" + b"QUFB" * 15000 + b"?=",
    b"=?x-unknown?q?abc?=",
    b"=?utf-8?q?=FF=FE=00=0D=0A=0A=20Evil:_1?=",
    b"=?utf-8?q?unfinished",
    b"\xff\xfe\xfd" * 500,
    b"a\r\nEvil: 1",
    b"a\nEvil: 1",
    "\u202eedoc\u2066".encode(),
    b'"' + b"\\" * 999 + b'x"',
    b"x" * 60000,
]


@pytest.mark.parametrize("name", NAMES, ids=[str(number) for number in range(len(NAMES))])
def test_display_name(daemon, name):
    """Whatever the name decodes to, no new field begins, and lines keep within their limit."""
    fields = [("From", name + b" <" + OHNE.encode() + b">")]
    outcome = ask(daemon.address, fields, sender=OHNE)
    assert outcome.sender() == FALLBACK
    for _, value in _written(outcome):
        assert not any(octet in value for octet in CR_AND_NUL)
        lines = value.split(b"\n")
        assert all(line.startswith((b" ", b"\t")) and line.strip() for line in lines[1:])
        assert max(map(len, lines)) <= 998


@pytest.mark.parametrize("sender", ["", "x", "@", "a@", "@gmx.de", "a@b@gmx.de", "a@[127.0.0.1]", "ü@gmx.de", b"\xff@gmx.de",
                                    "a" * 60000 + "@gmx.de", "a@" + "b." * 30000, '"a b"@gmx.de', "a@gmx.de\r\nX: y"])
def test_envelope_sender(daemon, sender):
    outcome = ask(daemon.address, [("From", MUELLER)], sender=sender)
    assert outcome.answer == "continue"
    assert outcome.sender() == (None if sender == "" else MUELLER)


def test_old_mta_that_wants_every_answer(daemon):
    outcome = None
    with MilterClient(daemon.address, steps=NO_STEPS) as client:
        assert not client.steps
        assert client.connect() is None and client.helo() is None
        outcome = client.message([("From", OHNE)], OHNE)
    assert outcome.sender() == FALLBACK


def test_leading_space_not_offered(daemon):
    with MilterClient(daemon.address, steps=POSTFIX_STEPS & ~LEADING_SPACE) as client:
        client.connect()
        outcome = client.message([("From", OHNE)], OHNE)
    assert all(not value.startswith(b" ") for _, value in _written(outcome))


@pytest.mark.parametrize("actions", [0, 0x3F])
def test_mta_that_allows_no_edits(daemon, actions):
    """Without the right to change the envelope we can't do our work, and don't pretend to."""
    with pytest.raises((ConnectionError, AssertionError)):
        with MilterClient(daemon.address, actions=actions) as client:
            client.connect()
            assert client.message([("From", OHNE)], OHNE).answer == "continue"


STEPS = ["connect", "mail", "rcpt", "header", "eom-half"]


@pytest.mark.parametrize("last", STEPS)
def test_mta_vanishes(daemon, last):
    for _ in range(20):
        client = MilterClient(daemon.address)
        client.connect()
        if last != "connect":
            client.mail(OHNE)
        if last in ("rcpt", "header", "eom-half"):
            client.rcpt("patient@example.net")
        if last in ("header", "eom-half"):
            client.header("From", OHNE)
        if last == "eom-half":
            client.send_raw(client.packet("eom")[:3])
        client.vanish()


def test_abort_between_and_twice(daemon):
    with MilterClient(daemon.address) as client:
        client.connect()
        for _ in range(3):
            client.envelope(OHNE)
            client.header("From", OHNE)
            client.abort()
            client.abort()
        assert client.message([("From", OHNE)], OHNE).sender() == FALLBACK
        client.abort()
        assert not client.message([("From", MUELLER)], MUELLER).edits


def test_message_state_does_not_leak_into_the_next(daemon):
    with MilterClient(daemon.address) as client:
        client.connect()
        client.mail(OHNE)
        client.header("From", OHNE)
        client.abort()
        assert not client.message([("From", MUELLER)], MUELLER).edits


GARBAGE = {
    "zeros": b"\0" * 64,
    "http": b"GET / HTTP/1.0\r\n\r\n",
    "length-4-GiB": struct.pack(">I", 0xFFFFFFFF) + b"O",
    "length-0": struct.pack(">I", 0),
    "unknown-command": MilterClient.packet(b"\x7f", b"x"),
    "short-negotiation": MilterClient.packet("negotiate", b"\0\0"),
    "mail-first": MilterClient.packet("mail", b"<a@b>\0"),
    "half-a-header": b"\0\0",
    "nothing": b"",
}


@pytest.mark.parametrize("name", GARBAGE)
def test_garbage_instead_of_negotiation(daemon, name):
    with socket.socket(socket.AF_UNIX) as connection:
        connection.connect(str(daemon.address))
        connection.sendall(GARBAGE[name])


OUT_OF_ORDER = {
    "header-first": [("header", b"From\0a@b\0")],
    "eom-first": [("eom", b"")],
    "connect-twice": [("connect", b"h\0U"), ("connect", b"h\0U")],
    "mail-twice": [("mail", b"<a@b>\0"), ("mail", b"<c@d>\0")],
    "rcpt-first": [("rcpt", b"<a@b>\0")],
    "empty-mail": [("mail", b"")],
    "mail-without-nul": [("mail", b"<a@b>")],
    "header-without-value": [("header", b"From\0")],
    "header-without-nul": [("header", b"From")],
    "header-over-64-KiB": [("mail", b"<a@b>\0"), ("header", b"From\0" + b"x" * 70000 + b"\0")],
    "odd-macros": [("macros", b"M{auth_authen}\0")],
    "connect-cut": [("connect", b"h\0" + b"4")],
    "connect-bad-address": [("connect", b"h\0" + b"4\x09\xddnonsense\0")],
    "connect-no-nul": [("connect", b"h\0" + b"4\x09\xdd127.0.0.1")],
}


@pytest.mark.parametrize("name", OUT_OF_ORDER)
def test_out_of_order(daemon, name):
    client = MilterClient(daemon.address, timeout=0.3)
    for command, payload in OUT_OF_ORDER[name]:
        try:
            client.send(command, payload)
        except ConnectionError:
            break
    client.is_closed()
    client.vanish()


def test_header_of_many_megabytes(daemon):
    """More than we keep is let through to the MTA, and the message counts as one whose author we can't vouch for."""
    fields = [("X-Filler", "x" * 60000)] * 200 + [("From", MUELLER)]
    before = daemon.memory()
    outcome = ask(daemon.address, fields, sender=MUELLER)
    assert outcome.answer == "continue"
    assert daemon.memory() - before < 64 * 1024


def test_author_behind_what_is_kept_of_the_header(daemon):
    fields = [("From", MUELLER)] + [("X-Filler", "x" * 60000)] * 200 + [("From", OHNE)]
    outcome = ask(daemon.address, fields, sender=MUELLER)
    assert outcome.answer != "continue" or outcome.edits


def test_many_recipients(daemon):
    recipients = [f"r{number}@example.net" for number in range(2000)]
    assert ask(daemon.address, [("From", OHNE)], sender=OHNE, recipients=recipients).sender() == FALLBACK


def test_many_idle_connections(daemon):
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (max(soft, min(hard, 8192)), hard))
    idle = [MilterClient(daemon.address) for _ in range(IDLE_CONNECTIONS)]
    for client in idle:
        client.connect()
    assert ask(daemon.address, [("From", OHNE)], sender=OHNE).sender() == FALLBACK
    for client in idle:
        client.vanish()


def test_many_at_once(daemon):
    wrong = []

    def work():
        for number in range(50):
            author = (MUELLER, OHNE)[number % 2]
            sender = ask(daemon.address, [("From", author)], sender=author).sender()
            if sender != (None, FALLBACK)[number % 2]:
                wrong.append((author, sender))
    threads = [threading.Thread(target=work) for _ in range(32)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not wrong


# Through Postfix

def test_body_of_50_megabytes(routes, bare_route):
    body = b"0123456789abcdef" * 4 + b"\r\n"
    large = message(f"From: {OHNE}") + body * (50 * 1024 * 1024 // len(body))
    clients.send_smtp(routes["rewrite"].postfix, OHNE, "large@example.net", large)
    delivery = routes["rewrite"].sink.take("large@example.net", 60)
    assert delivery.sender == FALLBACK
    assert delivery.data.partition(b"\r\n\r\n")[2] == large.partition(b"\r\n\r\n")[2]


def test_from_of_64_kilobytes(routes):
    name = "Praxis " * 9000
    clients.send_smtp(routes["rewrite"].postfix, OHNE, "long@example.net", message(f"From: {name}\n <{OHNE}>"))
    delivery = routes["rewrite"].sink.take("long@example.net")
    assert delivery.sender == FALLBACK
    assert [address for _, address in mailboxes(delivery.data, "From")] == [FALLBACK]


def test_nul_and_eight_bit_octets(routes, bare_route):
    odd = message(f"From: {MUELLER}", b"X-Odd: a\0b\xff\xfe", "Subject: x") + b"body \0 \xff\r\n"
    for route in (routes["rewrite"], bare_route):
        clients.send_smtp(route.postfix, MUELLER, "odd@example.net", odd)
    kept, reference = routes["rewrite"].sink.take("odd@example.net"), bare_route.sink.take("odd@example.net")
    assert without_transit(kept.data) == without_transit(reference.data)


def test_client_vanishes_inside_data(routes):
    route = routes["rewrite"]
    with clients.connection(route.postfix.port()) as smtp:
        smtp.mail(OHNE)
        smtp.rcpt("never@example.net")
        smtp.docmd("DATA")
        smtp.sock.sendall(f"From: {OHNE}\r\nTo: x\r\n\r\nhalf".encode())
        smtp.sock.shutdown(socket.SHUT_RDWR)
    clients.send_smtp(route.postfix, OHNE, "after@example.net", message(f"From: {OHNE}"))
    assert route.sink.take("after@example.net").sender == FALLBACK
    assert not route.sink.to("never@example.net")


def test_several_messages_on_one_connection(routes):
    route = routes["rewrite"]
    with clients.connection(route.postfix.port()) as smtp:
        for number in range(10):
            author = (OHNE, MUELLER)[number % 2]
            smtp.sendmail(author, [f"series{number}@example.net"], message(f"From: {author}"))
    for number in range(10):
        delivery = route.sink.take(f"series{number}@example.net")
        assert delivery.sender == (FALLBACK, MUELLER)[number % 2]
        assert bool(values(delivery.data, "X-SPFrom")) is (number % 2 == 0)


def _many_from(address, number):
    """A message with that many From: fields, sent at once; an unauthorised one is the first."""
    with MilterClient(address, timeout=60) as client:
        assert not client.connect() and not client.envelope(OHNE)
        client.send_raw(client.packet("header", b"From\0 " + OHNE.encode() + b"\0"))
        client.send_raw(client.packet("header", b"From\0 a@gmx.de\0") * (number - 1))
        client.eoh()
        return client.eom()


def test_more_from_fields_than_can_be_taken_off(daemon):
    """A From: that stays behind would be the one that readers see."""
    outcome = _many_from(daemon.address, 490)
    assert outcome.sender() == FALLBACK
    assert len([edit for edit in outcome.edits if edit[0] == "change" and edit[2].lower() == b"from"]) == 490
    for number in (501, 10100, 32769):
        outcome = _many_from(daemon.address, number)
        assert outcome.answer.startswith("550 5.6.0") and not outcome.edits
    daemon.wait_for_record(action="error")
