"""Which messages are ours to touch (design section 6)."""

import itertools

import pytest

import clients
from arrived import values
from cases import OHNE, message
from milter_client import MilterClient, ask
from zone import FALLBACK

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


def _daemon(daemons, outbound):
    """One daemon for each value of outbound."""
    key = None if outbound is None else tuple(outbound)
    if key not in _made:
        _made[key] = daemons.start(**({} if outbound is None else {"outbound": outbound}))
    return _made[key]


@pytest.mark.parametrize("name, ours", [("SUBMISSION", True), ("relay.lemniscus.de", False), ("", False)])
def test_daemon_name(daemons, name, ours):
    daemon = _daemon(daemons, ["daemon:SUBMISSION"])
    with MilterClient(daemon.address) as client:
        client.connect(address="203.0.113.7", macros={"{daemon_name}": name})
        assert (client.message(FIELDS, OHNE).sender() == FALLBACK) is ours


MAILERS = [
    # {rcpt_mailer} of each recipient (None: not sent), does the message leave?
    ([None], True),
    (["smtp"], True),
    (["local"], False),
    (["virtual", "lmtp:unix:private/dovecot"], False),
    (["local", "smtp"], True),
    (["local", "error"], False),
    (["error", "error"], True),
    (["localhost"], True),
]


@pytest.mark.parametrize("mailers, leaves", MAILERS, ids=str)
def test_local_mailers(daemons, mailers, leaves):
    macros = [None if mailer is None else {"{rcpt_mailer}": mailer} for mailer in mailers]
    recipients = [f"r{number}@example.net" for number in range(len(mailers))]
    daemon = _daemon(daemons, None)
    assert _is_rewritten(daemon, recipients=recipients, rcpt_macros=macros) is leaves


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
