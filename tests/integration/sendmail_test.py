"""What decision_test.py sends through Postfix goes through Sendmail here. Where Sendmail can't, or gets there another
way, DIFFERENCES says it."""

import dataclasses
import itertools
import re

import pytest

from lab import arrived
from lab import cases
from lab import clients
from lab import private_sendmail
from lab.cases import OHNE, message
from conftest import MODES, need
from lab.expected import assert_as_in_case, assert_same, comparable
from lab.private_sendmail import HOSTNAME, PrivateSendmail
from lab.sink import Sink
from lab.zone import FALLBACK

pytest_plugins = ("mta_table",)
pytestmark = pytest.mark.usefixtures("needs_swaks")

# (name of the case, way in or None for all) → a reason to skip it, or what is expected instead.
DIFFERENCES = {
    ("smtputf8-survives", None): "Sendmail as Debian builds it has no SMTPUTF8",
    ("authorised-sender-stays", "sendmail"): "with Resent-* fields sendmail -t takes Resent-Bcc: alone",
    # Sendmail adds a From: that is missing after the milter, Postfix before it. The submission program adds it itself.
    ("no-from-postfix-adds-one", None): {"author": [("", FALLBACK)]},
    ("no-from-postfix-adds-one", "sendmail"): {"author": [(re.compile("^(ohne|root)$"), FALLBACK)]},
}
_PROGRAMS = [name for name in clients.PROGRAMS if name != "smtp-source"]  # that one is Postfix's own
_numbers = itertools.count()


def _difference(case, program):
    return DIFFERENCES.get((case.name, program), DIFFERENCES.get((case.name, None), {}))


def _param(case, program, name):
    difference = _difference(case, program)
    if isinstance(difference, str):
        return pytest.param(case, program, id=name, marks=pytest.mark.skip(reason=difference))
    return pytest.param(dataclasses.replace(case, **difference), program, id=name)


def _by_smtp(wanted=lambda case: True):
    return [_param(case, "smtp", case.name) for case in cases.ALL if wanted(case)]


def _by_all_ways():
    for case in cases.ALL:
        programs = ("smtp",) if case.xclient or case.parameters else _PROGRAMS
        yield from (_param(case, program, f"{case.name}-{program}") for program in programs)


class Route:
    """A Sendmail with its sink, and the daemon in front of it, if any."""

    def __init__(self, directory, daemon=None, extra_mc=""):
        self.daemon = daemon
        self.sink = Sink()
        milters = [("spfrom", daemon.milter)] if daemon else []
        self.sendmail = PrivateSendmail(directory, self.sink.port, milters, extra_mc)
        self._sent = {}

    def __enter__(self):
        self.sink.__enter__()
        if self.daemon:
            self.daemon.directory.chmod(0o1777)  # Sendmail trusts no socket where all may replace it
        self.sendmail.start()
        return self

    def __exit__(self, *exception):
        self.sendmail.stop()
        self.sink.__exit__()

    def send(self, case, program="smtp"):
        """Sends the message of case once. Returns its delivery."""
        key = case.name, program
        if key not in self._sent:
            recipient = f"r{next(_numbers)}@example.net"
            options = {"parameters": case.parameters} if case.parameters else {}
            if case.xclient:
                options["port"] = "submission"
            clients.PROGRAMS[program](self.sendmail, case.sender, recipient, case.message(), **options)
            self._sent[key] = self.sink.take(recipient)
        return self._sent[key]


@pytest.fixture(scope="module")
def needs_sendmail():
    need(private_sendmail.why_not())


@pytest.fixture(scope="module")
def bare(directory, needs_sendmail):
    """The same Sendmail without the milter: Date:, Message-Id: and From: that it adds, addresses that it completes."""
    with Route(directory / "sendmail-bare") as route:
        yield route


@pytest.fixture(scope="module")
def routes(directory, daemons, needs_sendmail):
    """mode → Route."""
    made = {}
    try:
        for mode in MODES:
            made[mode] = Route(directory / f"sendmail-{mode}", daemons.start(mode=mode, local_mailers=["local"])).__enter__()
        yield made
    finally:
        for route in made.values():
            route.__exit__()


@pytest.mark.parametrize("case, program", _by_all_ways())
def test_rewrite(routes, bare, case, program):
    assert_as_in_case(routes["rewrite"].send(case, program), case, bare.send(case, program))


@pytest.mark.parametrize("case, program", _by_smtp())
@pytest.mark.parametrize("mode", [mode for mode in MODES if mode != "rewrite"])
def test_untouched(routes, bare, mode, case, program):
    assert_same(routes[mode].send(case, program), bare.send(case, program))


@pytest.mark.parametrize("case, program", _by_smtp())
@pytest.mark.parametrize("mode", ["rewrite", "log-only"])
def test_log(routes, mode, case, program):
    delivery = routes[mode].send(case, program)
    record = routes[mode].daemon.wait_for_record(id=arrived.queue_id(delivery.data))
    would = {"keep": "keep", "rewrite": "would-rewrite"}
    assert record["action"] == (case.action if mode == "rewrite" else would[case.action])
    assert record["sender"] == (case.sender or "<>")
    if case.result:
        assert record["spf"] == case.result


@pytest.mark.parametrize("case, program", _by_smtp(lambda case: case.is_rewritten))
def test_once_more(routes, case, program):
    """A rewritten message that passes again is kept: f(f(m)) = f(m)."""
    once = routes["rewrite"].send(case, program)
    again = dataclasses.replace(case, name=f"{case.name}, again", sender=once.sender)
    again.message = lambda: once.data
    twice = routes["rewrite"].send(again, program)
    assert comparable(twice.data) == comparable(once.data)
    assert twice.sender == once.sender


# Lists of an operator who needed other macros: they lack all of ours, for which the daemon asks itself.
_OTHER_MACROS = "".join(f"define(`confMILTER_MACROS_{step}', `j')dnl\n"
                        for step in ("CONNECT", "HELO", "ENVFROM", "ENVRCPT", "DATA", "EOH", "EOM"))


class _Outbound:
    """Daemons with an outbound of their own."""

    def __init__(self, directory, daemons):
        self._directory, self._daemons, self._routes = directory, daemons, {}

    def route(self, *outbound):
        if outbound not in self._routes:
            directory = self._directory / f"sendmail-outbound-{len(self._routes)}"
            self._routes[outbound] = Route(directory, self._daemons.start(outbound=list(outbound)),
                                           _OTHER_MACROS).__enter__()
        return self._routes[outbound]

    def stop(self):
        for route in self._routes.values():
            route.__exit__()


@pytest.fixture(scope="module")
def outbound(directory, daemons, needs_sendmail):
    made = _Outbound(directory, daemons)
    yield made
    made.stop()


# outbound, port, parameters of MAIL, ours? The client is always 127.0.0.1; on the port submission it is logged in.
OUTBOUND = [
    (("authenticated",), "submission", (), True),
    (("authenticated",), "smtp", (), False),
    (("authenticated",), "smtp", ("AUTH=carol@lemniscus.de",), False),  # whatever the client likes to say
    (("daemon:SUBMISSION",), "submission", (), True),
    (("daemon:SUBMISSION",), "smtp", (), False),
]


@pytest.mark.parametrize("wanted, port, parameters, ours", OUTBOUND, ids=str)
def test_outbound(outbound, wanted, port, parameters, ours):
    route, recipient = outbound.route(*wanted), f"outbound{next(_numbers)}@example.net"
    clients.send_smtp(route.sendmail, OHNE, recipient, message(f"From: {OHNE}"), parameters=parameters, port=port)
    delivery = route.sink.take(recipient)
    assert (delivery.sender == FALLBACK) is ours
    assert not ours or route.daemon.wait_for_record(id=arrived.queue_id(delivery.data))


def test_local_recipient(routes):
    """{rcpt_mailer} is local: the message stays in the house, and as it is."""
    sendmail = routes["rewrite"].sendmail
    clients.send_smtp(sendmail, OHNE, f"root@{HOSTNAME}", message(f"From: {OHNE}", "X-Case: local"))
    assert f"From: {OHNE}\n" in sendmail.mailbox.read_text()


def test_dsn_of_submission_survives(routes):
    route = routes["rewrite"]
    result = route.sendmail.sendmail(b"Bcc: dsn@example.net\n" + message(f"From: {OHNE}").replace(b"\r\n", b"\n"),
                                     "-i", "-t", "-f", OHNE, "-N", "success,failure", "-R", "hdrs", "-V", "QQ314159")
    assert result.returncode == 0, result.stderr
    delivery = route.sink.take("dsn@example.net")
    assert delivery.sender == FALLBACK
    assert {"RET=HDRS", "ENVID=QQ314159"} <= set(delivery.mail_parameters)
    assert "NOTIFY=SUCCESS,FAILURE" in " ".join(delivery.recipients[0])


def test_milter_down_is_a_tempfail(directory, needs_sendmail):
    """F=T: the client keeps the message."""
    with Sink() as sink, PrivateSendmail(directory / "sendmail-down", sink.port,
                                         [("spfrom", f"unix:{directory}/nobody-listens")]) as sendmail:
        with pytest.raises(clients.smtplib.SMTPResponseException) as caught:
            clients.send_smtp(sendmail, OHNE, "down@example.net", message(f"From: {OHNE}"))
        assert 400 <= caught.value.smtp_code < 500
        assert not sink.deliveries()


def test_header_over_32_kib_is_sendmails_to_refuse(routes):
    """Postfix takes more. Sendmail says so to its client before we are asked anything."""
    fields = [f"From: {OHNE}"] + [f"X-Long-{number}: {'x' * 900}" for number in range(40)]
    with pytest.raises(clients.smtplib.SMTPResponseException) as caught:
        clients.send_smtp(routes["rewrite"].sendmail, OHNE, "large@example.net", message(*fields))
    assert caught.value.smtp_code == 552


def test_sendmail_had_nothing_to_complain_about(routes):
    for route in routes.values():
        assert not route.sendmail.warnings()
