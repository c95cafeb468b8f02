"""A sender who writes every field as he likes, through Postfix: nobody's author leaves who should not, and Postfix
lives on."""

import itertools

import pytest

import clients
from arrived import mailboxes
from cases import MUELLER, OHNE, message
from conftest import Route
from zone import FALLBACK

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
