"""What the README's Migration says of Postfix's own ways to change an author, with spfrom beside them."""

import pytest

from lab import clients
from lab.arrived import mailboxes, values
from lab.cases import OHNE, message
from conftest import Route
from lab.zone import FALLBACK

MAP = f"inline:{{{{{OHNE}={FALLBACK}}}}}"


@pytest.fixture(scope="module")
def arrival(directory, daemons, needs_postfix):
    """(mode, Postfix's settings) → (the delivery, spfrom's log line) of one message by an author who is not authorised."""
    made = []

    def send(mode, **settings):
        daemon = daemons.start(mode=mode)
        with Route(directory / f"migration-{len(made)}", daemon, **settings) as route:
            made.append(route)
            clients.send_smtp(route.postfix, OHNE, "patient@example.net", message(f"From: Otto <{OHNE}>"))
            return route.sink.take("patient@example.net"), daemon.records()[-1]
    return send


def test_generic_maps_and_log_only(arrival):
    """They act when mail leaves: spfrom sees the true author, readers see what they saw before."""
    delivery, record = arrival("log-only", smtp_generic_maps=MAP)
    assert (record["action"], record["domain"]) == ("would-rewrite", "praxis-ohne.de")
    assert delivery.sender == FALLBACK and mailboxes(delivery.data, "From") == [("Otto", FALLBACK)]
    assert values(delivery.data, "Reply-To") == []


def test_generic_maps_and_rewrite(arrival):
    """They change the new Reply-To too, so that no reply reaches the author: they have to go."""
    delivery, _ = arrival("rewrite", smtp_generic_maps=MAP)
    assert mailboxes(delivery.data, "Reply-To") == [("Otto", FALLBACK)]


def test_canonical_maps_and_log_only(arrival):
    """They act before: the author is gone, but the envelope sender still tells the domain."""
    delivery, record = arrival("log-only", sender_canonical_maps=MAP)
    assert (record["action"], record["author"], record["domain"]) == ("would-rewrite", FALLBACK, "praxis-ohne.de")
    assert mailboxes(delivery.data, "From") == [("Otto", FALLBACK)]


def test_canonical_maps_and_rewrite(arrival):
    """The author was gone before: no Reply-To."""
    delivery, _ = arrival("rewrite", sender_canonical_maps=MAP)
    assert values(delivery.data, "Reply-To") == []


def test_without_them(arrival):
    delivery, record = arrival("rewrite")
    assert record["action"] == "rewrite"
    assert delivery.sender == FALLBACK and mailboxes(delivery.data, "From") == [("Otto", FALLBACK)]
    assert mailboxes(delivery.data, "Reply-To") == [("Otto", OHNE)]
