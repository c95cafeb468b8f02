"""Which messages are ours to touch (design section 6)."""

import itertools

import pytest

from lab import clients
from lab.arrived import values
from lab.cases import OHNE, message
from conftest import Route
from lab.milter_client import MilterClient, ask
from lab.private_postfix import HOSTNAME
from lab.zone import FALLBACK

pytestmark = pytest.mark.address

FIELDS = [("From", OHNE), ("To", "patient@example.net")]
_numbers = itertools.count()


def _is_rewritten(daemon, **how):
    return ask(daemon.address, FIELDS, sender=OHNE, **how).sender() == FALLBACK


CLIENTS = [
    # client address, macros, outbound (None: the default), ours?
    ("127.0.0.1", None, None, True),
    ("10.0.0.7", None, None, True),
    ("192.168.1.1", None, None, True),
    ("172.16.0.1", None, None, True),
    ("172.32.0.1", None, None, False),
    ("169.254.9.9", None, None, True),
    ("fd00::1", None, None, True),
    ("fe80::1", None, None, True),
    ("::1", None, None, True),
    ("IPv6:::1", None, None, True),
    ("::ffff:10.0.0.7", None, None, True),
    ("::ffff:203.0.113.7", None, None, False),
    ("203.0.113.7", None, None, False),
    ("2001:db8::7", None, None, False),
    (None, None, None, True),
    ("203.0.113.7", {"{auth_authen}": "carol"}, None, True),
    ("203.0.113.7", {"{auth_type}": "PLAIN"}, None, True),
    ("203.0.113.7", {"{auth_author}": "carol@example.org"}, None, False),
    ("203.0.113.7", {"{auth_authen}": ""}, None, False),
    ("10.0.0.7", None, ["authenticated"], False),
    ("203.0.113.7", None, ["203.0.113.0/24"], True),
    ("203.0.114.7", None, ["203.0.113.0/24"], False),
    ("2001:db8::7", None, ["2001:db8::/32"], True),
    ("::ffff:203.0.113.7", None, ["203.0.113.0/24"], True),
    ("203.0.113.7", None, ["all"], True),
    ("203.0.113.7", {"{auth_authen}": "carol"}, ["private"], False),
]


@pytest.mark.parametrize("address, macros, outbound, ours", CLIENTS, ids=str)
def test_client(daemons, address, macros, outbound, ours):
    daemon = _daemon(daemons, outbound)
    assert _is_rewritten(daemon, client=address, macros=macros) is ours


_made = {}


def _daemon(daemons, outbound, local_mailers=None):
    """One daemon for each value of both; None: the default."""
    settings = {"outbound": outbound, "local_mailers": local_mailers}
    key = tuple(value and tuple(value) for value in settings.values())
    if key not in _made:
        _made[key] = daemons.start(**{key: value for key, value in settings.items() if value is not None})
    return _made[key]


@pytest.mark.parametrize("name, ours", [("SUBMISSION", True), ("relay.lemniscus.de", False), ("", False)])
def test_daemon_name(daemons, name, ours):
    daemon = _daemon(daemons, ["daemon:SUBMISSION"])
    with MilterClient(daemon.address) as client:
        client.connect(address="203.0.113.7", macros={"{daemon_name}": name})
        assert (client.message(FIELDS, OHNE).sender() == FALLBACK) is ours


LOCAL_MAILERS = ("local", "virtual", "lmtp")
MAILERS = [
    # {rcpt_mailer} of each recipient (None: not sent), does the message leave?
    ([None], True),
    (["smtp"], True),
    (["local"], False),
    (["virtual", "lmtp:unix:private/dovecot"], False),
    (["local", "smtp"], True),
    (["local", ""], True),
    (["local", "error"], True),
    (["local", "error:5.1.1 unknown"], True),
    (["error", "error"], True),
    (["localhost"], True),
]


@pytest.mark.parametrize("listed", [LOCAL_MAILERS, None], ids=["listed", "default"])
@pytest.mark.parametrize("mailers, leaves", MAILERS, ids=str)
def test_local_mailers(daemons, mailers, leaves, listed):
    """By default none is local: at RCPT nobody knows what an address expands to."""
    macros = [None if mailer is None else {"{rcpt_mailer}": mailer} for mailer in mailers]
    recipients = [f"r{number}@example.net" for number in range(len(mailers))]
    daemon = _daemon(daemons, None, listed)
    assert _is_rewritten(daemon, recipients=recipients, rcpt_macros=macros) is (leaves or listed is None)


@pytest.fixture(scope="module", params=[LOCAL_MAILERS, None], ids=["listed", "default"])
def house(request, directory, daemons, needs_postfix):
    """A Postfix with mailboxes of its own, and addresses that expand to others."""
    name = "listed" if request.param else "default"
    with Route(directory / f"house-{name}", _daemon(daemons, None, request.param),
               mydestination=HOSTNAME, alias_maps="inline:{ away=away@example.net }", mailbox_transport="discard",
               mailbox_size_limit="0", virtual_alias_domains="alias.example",
               virtual_alias_maps="inline:{ info@alias.example=info@example.net, box@alias.example=box@example.net }"
               ) as route:
        yield route, request.param is not None


# recipients, one that the sink gets, where mailers are listed: does it leave as it came?
EXPANDED = [
    ("alias-domain", ["info@alias.example"], "info@example.net", False),
    ("alias-domain-beside-a-local-one", [f"root@{HOSTNAME}", "box@alias.example"], "box@example.net", False),
    ("local-alias", [f"away@{HOSTNAME}"], "away@example.net", True),  # an operator who lists it has been told
    ("elsewhere-beside-a-local-one", [f"root@{HOSTNAME}", "other@example.net"], "other@example.net", False),
]


@pytest.mark.parametrize("name, recipients, outside, is_let_through", EXPANDED, ids=[row[0] for row in EXPANDED])
def test_expanded_recipients(house, name, recipients, outside, is_let_through):
    """What an address expands to is not known at RCPT."""
    route, is_listed = house
    with clients.connection(route.postfix.port()) as smtp:
        smtp.sendmail(OHNE, recipients, message(f"From: {OHNE}"))
    assert route.sink.take(outside).sender == (OHNE if is_let_through and is_listed else FALLBACK)


THROUGH_POSTFIX = [
    ("loopback", None, "smtp", True),
    ("outside", clients.OUTSIDE, "smtp", False),
    ("authenticated", clients.AUTHENTICATED, "smtp", True),
    ("outside-submission", clients.OUTSIDE, "submission", False),
]


@pytest.mark.parametrize("name, xclient, port, ours", THROUGH_POSTFIX, ids=[row[0] for row in THROUGH_POSTFIX])
def test_through_postfix(routes, name, xclient, port, ours):
    recipient = f"outbound{next(_numbers)}@example.net"
    route = routes["rewrite"]
    clients.send_smtp(route.postfix, OHNE, recipient, message(f"From: {OHNE}"), xclient=xclient, port=port)
    delivery = route.sink.take(recipient)
    assert (delivery.sender == FALLBACK) is ours
    assert bool(values(delivery.data, "X-SPFrom")) is ours


def test_auth_parameter_proves_nothing(routes):
    """MAIL … AUTH= is what the client likes to say; Postfix hands it over as {auth_author}."""
    route = routes["rewrite"]
    with clients.connection(route.postfix.port(), clients.OUTSIDE) as smtp:
        smtp.sendmail(OHNE, ["liar@example.net"], message(f"From: {OHNE}"), mail_options=["AUTH=carol@lemniscus.de"])
    assert route.sink.take("liar@example.net").sender == OHNE


def test_local_submission(routes):
    route = routes["rewrite"]
    clients.send_sendmail(route.postfix, OHNE, "submitted@example.net", message(f"From: {OHNE}"))
    assert route.sink.take("submitted@example.net").sender == FALLBACK
