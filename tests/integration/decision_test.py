"""Every row of the decision, in every mode, by every way in; and that what is not ours to touch stays as it was."""

import itertools

import pytest

from lab import arrived
from lab import cases
from lab import clients
from conftest import MODES
from lab.expected import assert_as_in_case, assert_same

pytestmark = [pytest.mark.usefixtures("needs_swaks"), pytest.mark.address]

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


@pytest.mark.parametrize("case, program", WAYS, ids=IDS)
def test_rewrite(routes, untouched, case, program):
    assert_as_in_case(_send(routes["rewrite"], case, program), case, untouched(case, program))


@pytest.mark.parametrize("case, program", WAYS, ids=IDS)
@pytest.mark.parametrize("mode", [mode for mode in MODES if mode != "rewrite"])
def test_untouched(routes, untouched, mode, case, program):
    assert_same(_send(routes[mode], case, program), untouched(case, program))


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
