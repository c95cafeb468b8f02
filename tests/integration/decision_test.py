"""Every row of the decision, in every mode, by every way in; and that what is not ours to touch stays as it was."""

import itertools
import re

import pytest

import arrived
import cases
import clients
from conftest import MODES

pytestmark = pytest.mark.usefixtures("needs_swaks")

# What a rewrite may change; everything else has to be as it would be without us.
_REWRITTEN_FIELDS = {"from", "reply-to", "author", "x-original-from", "x-spfrom", "sender", "return-path",
                     "dkim-signature"}
_numbers = itertools.count()


def _ways():
    for case in cases.ALL:
        programs = ("smtp",) if case.xclient or case.parameters else clients.PROGRAMS
        yield from ((case, program) for program in programs)


WAYS = list(_ways())
IDS = [f"{case.name}-{program}" for case, program in WAYS]


def _send(route, case, program):
    recipient = f"r{next(_numbers)}@example.net"
    options = {"parameters": case.parameters, "xclient": case.xclient} if program == "smtp" else {}
    if case.xclient:
        options["port"] = "submission"
    clients.PROGRAMS[program](route.postfix, case.sender, recipient, case.message(), **options)
    return route.sink.take(recipient)


@pytest.fixture(scope="module")
def untouched(bare_route):
    """(case, program) → the delivery without the milter, made once."""
    made = {}

    def of(case, program):
        key = case.name, program
        if key not in made:
            made[key] = _send(bare_route, case, program)
        return made[key]
    return of


def _assert_same(delivery, reference):
    assert arrived.without_transit(delivery.data) == arrived.without_transit(reference.data)
    assert delivery.sender == reference.sender
    assert _parameters(delivery) == _parameters(reference)


def _parameters(delivery):
    """SIZE counts the octets of Received:, whose queue id varies in length."""
    return [word for word in delivery.mail_parameters if not word.startswith("SIZE=")]


def _assert_mailboxes(found, wanted):
    assert len(found) == len(wanted), found
    for (name, address), (wanted_name, wanted_address) in zip(found, wanted):
        assert address == wanted_address
        if isinstance(wanted_name, re.Pattern):
            assert wanted_name.search(name), name
        else:
            assert name == wanted_name


def _assert_rest_is_same(data, reference):
    fields, body = arrived.split(arrived.without_transit(data))
    wanted_fields, wanted_body = arrived.split(arrived.without_transit(reference))
    assert body == wanted_body
    assert [raw for name, raw in fields if name not in _REWRITTEN_FIELDS] == \
           [raw for name, raw in wanted_fields if name not in _REWRITTEN_FIELDS]


def _assert_rewritten(delivery, case, reference):
    _assert_mailboxes(arrived.mailboxes(delivery.data, "From"), case.author)
    for name, wanted in case.has.items():
        if isinstance(wanted, str):
            assert re.search(wanted, arrived.value(delivery.data, name))
        else:
            _assert_mailboxes(arrived.mailboxes(delivery.data, name), wanted)
    for name in case.lacks:
        assert not arrived.values(delivery.data, name), name
    assert arrived.split(delivery.data)[0][0][0] in ("x-spfrom", "received")
    assert b"\r\r" not in delivery.data
    assert max(map(len, delivery.data.split(b"\r\n"))) <= 998
    _assert_rest_is_same(delivery.data, reference.data)


@pytest.mark.parametrize("case, program", WAYS, ids=IDS)
def test_rewrite(routes, untouched, case, program):
    delivery, reference = _send(routes["rewrite"], case, program), untouched(case, program)
    if case.action == "keep":
        _assert_same(delivery, reference)
        return
    assert delivery.sender == (reference.sender if case.envelope is None else case.envelope)
    assert _parameters(delivery) == _parameters(reference)
    if case.is_rewritten:
        _assert_rewritten(delivery, case, reference)
    else:
        assert arrived.without_transit(delivery.data) == arrived.without_transit(reference.data)


@pytest.mark.parametrize("case, program", WAYS, ids=IDS)
@pytest.mark.parametrize("mode", [mode for mode in MODES if mode != "rewrite"])
def test_untouched(routes, untouched, mode, case, program):
    _assert_same(_send(routes[mode], case, program), untouched(case, program))


@pytest.mark.parametrize("mode", ["rewrite", "log-only"])
@pytest.mark.parametrize("case", cases.ALL, ids=str)
def test_log(routes, mode, case):
    delivery = _send(routes[mode], case, "smtp")
    record = routes[mode].daemon.wait_for_record(id=arrived.queue_id(delivery.data))
    would = {"keep": "keep", "rewrite": "would-rewrite"}
    assert record["action"] == (case.action if mode == "rewrite" else would[case.action])
    assert record["sender"] == (case.sender or "<>")
    if case.result:
        assert record["spf"] == case.result


@pytest.mark.parametrize("case", [case for case in cases.ALL if case.is_rewritten], ids=str)
def test_once_more(routes, case):
    """A rewritten message that passes again is kept: f(f(m)) = f(m)."""
    once = _send(routes["rewrite"], case, "smtp")
    again = cases.Case(case.name, once.sender, [], parameters=case.parameters, xclient=case.xclient)
    again.message = lambda: once.data
    twice = _send(routes["rewrite"], again, "smtp")
    assert arrived.without_transit(twice.data) == once.data
    assert twice.sender == once.sender


def test_postfix_had_nothing_to_complain_about(routes):
    for route in routes.values():
        assert not route.postfix.warnings()
