"""A sender who writes every field as he likes, through Postfix: nobody's author leaves who should not, and Postfix
lives on."""

import itertools

import pytest

from lab import clients
from lab.arrived import mailboxes
from lab.cases import MUELLER, OHNE, message
from conftest import Route
from lab.zone import FALLBACK

pytestmark = pytest.mark.address

GMX = "praxis@gmx.de"
PILOT = f'domain "{OHNE.partition("@")[2]}" {{ mode = log-only }}\n'
_numbers = itertools.count()


@pytest.fixture(scope="module")
def pilot(directory, daemons, needs_postfix):
    with Route(directory / "pilot", daemons.start(extra=PILOT)) as route:
        yield route


# name, From: fields, the author leaves as he came
AUTHORS = [
    ("alone", [OHNE], True),
    ("twice", [OHNE, OHNE], True),
    ("second-field", [OHNE, GMX], False),
    ("first-field", [GMX, OHNE], False),
    ("second-field-kept", [OHNE, MUELLER], False),
    ("one-field", [f"{OHNE}, {GMX}"], False),
    ("a-group", [f"Praxis: {OHNE}, {GMX};"], False),
    ("unreadable", [OHNE, "Praxis"], False),
]


@pytest.mark.parametrize("name, authors, is_let_through", AUTHORS, ids=[row[0] for row in AUTHORS])
def test_log_only_section(pilot, name, authors, is_let_through):
    """A log-only section is no way round for others."""
    recipient = f"pilot{next(_numbers)}@example.net"
    clients.send_smtp(pilot.postfix, OHNE, recipient, message(*(f"From: {author}" for author in authors)))
    delivery = pilot.sink.take(recipient)
    assert delivery.sender == (OHNE if is_let_through else FALLBACK)
    if not is_let_through:
        assert [address for _, address in mailboxes(delivery.data, "From")] == [FALLBACK]


@pytest.fixture(scope="module")
def route(directory, daemons, needs_postfix):
    """One of its own, since its Postfix is to be broken."""
    with Route(directory / "hostile", daemons.start(exempt_dkim="mx.lemniscus.de")) as made:
        yield made


FROM, SIGNATURE, OTHER = f"From: {OHNE}", "DKIM-Signature: d=praxis-ohne.de", "X: y"
RESULT = "Authentication-Results: mx.lemniscus.de; dkim=fail header.d=praxis-ohne.de"
# name, fields on top, is the message taken?
MANY = [
    ("from-490", [FROM] * 490, True),
    ("from-501", [FROM] * 501, False),
    ("from-8000", [FROM] * 8000, False),
    ("from-10100", [FROM] * 10100, False),
    ("signature-490", [SIGNATURE] * 490, True),
    ("signature-8000", [SIGNATURE] * 8000, False),
    ("signature-10100", [SIGNATURE] * 10100, False),
    ("signature-10100-with-a-result", [RESULT] + [SIGNATURE] * 10100, False),
    ("sender-10100", ["Sender: a@gmx.de"] * 10100, False),
    ("reply-to-10100", ["Reply-To:"] * 10100, False),
    ("return-path-10100", ["Return-Path: <a@gmx.de>"] * 10100, True),  # Postfix takes them off itself
    ("trace-10100", ["X-SPFrom: x"] * 10100, False),
    ("signature-490-behind-others", [OTHER] * 3000 + [SIGNATURE] * 490, True),
    ("others-10100", [OTHER] * 10100, True),
]


@pytest.mark.parametrize("name, fields, is_taken", MANY, ids=[row[0] for row in MANY])
def test_many_fields(route, name, fields, is_taken):
    """A rewrite that would break Postfix's cleanup is refused, and the next message is served at once."""
    data = message(*fields, FROM)
    if is_taken:
        clients.send_smtp(route.postfix, OHNE, f"{name}@example.net", data)
        assert [address for _, address in mailboxes(route.sink.take(f"{name}@example.net").data, "From")] == [FALLBACK]
    else:
        with pytest.raises(clients.smtplib.SMTPDataError) as caught:
            clients.send_smtp(route.postfix, OHNE, f"{name}@example.net", data)
        assert caught.value.smtp_code == 550 and caught.value.smtp_error.startswith(b"5.6.0")
    clients.send_smtp(route.postfix, OHNE, f"behind-{name}@example.net", message(FROM))
    assert route.sink.take(f"behind-{name}@example.net").sender == FALLBACK
    assert not [line for line in route.postfix.warnings() if "panic" in line or "killed" in line]
