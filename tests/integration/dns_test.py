"""The verdict over real DNS: nsd through libunbound, and a server with faults (design sections 8 and 9)."""

import concurrent.futures
import contextlib
import re
import statistics
import struct
import threading
import time

import pytest

from lab import cases
from lab import paths
from lab import processes
from lab import signed_zone
from lab.cases import MUELLER, OHNE
from lab.compiled import compile_c
from lab.faulty_dns import Failure, FaultyDns, Garbage, LossyWay, Silence, Txt
from lab.milter_client import ask
from lab.private_nsd import PrivateNsd
from lab.zone import FALLBACK, RECORDS

pytestmark = [pytest.mark.address, pytest.mark.thread]

OURS = Txt(["v=spf1 ip4:192.0.2.25 -all"])


@pytest.fixture(scope="module")
def over_nsd(daemons, directory, needs_nsd):
    with PrivateNsd(directory / "nsd", RECORDS) as nsd:
        yield daemons.start(zone=None, dns_servers=[nsd.server])


DECIDED_BY_NSD = [case for case in cases.DECISION if case.result and case.result != "temperror" and not case.xclient
                  and case.fields]


@pytest.mark.parametrize("case", DECIDED_BY_NSD, ids=str)
def test_decision_over_nsd(over_nsd, case):
    fields = [tuple(text.split(": ", 1)) for text in case.fields]
    outcome = ask(over_nsd.address, fields, sender=case.sender)
    assert outcome.sender() == case.envelope
    assert bool(outcome.applied(fields) != [tuple(part.encode() for part in field) for field in fields]) \
        is case.is_rewritten


def test_servfail_from_nsd(over_nsd):
    assert ask(over_nsd.address, [("From", "a@b.broken.example")], sender=MUELLER).sender() == FALLBACK
    assert over_nsd.wait_for_record(domain="b.broken.example")["spf"] == "temperror"


@pytest.fixture
def faulty(daemons):
    """Makes (daemon, dns) with these behaviours; what has none authorises the relay."""
    running = []

    def make(behaviours, **settings):
        dns = FaultyDns(behaviours, otherwise=OURS)
        dns.__enter__()
        running.append(dns)
        return daemons.start(zone=None, dns_servers=[dns.server], dns_timeout="1s", check_timeout="2s", **settings), dns
    yield make
    for dns in running:
        dns.__exit__()


def _result(daemon, domain):
    # libmilter gives a connection to the next free thread, and may start a new one late
    ask(daemon.address, [("From", f"x@{domain}")], sender="", timeout=120)
    return daemon.wait_for_record(domain=domain)["spf"]


ANSWERS = [
    # name, behaviour, result
    ("one", OURS, "pass"),
    ("none", Txt([]), "none"),
    ("not-spf", Txt(["google-site-verification=x"]), "none"),
    ("two", Txt(["v=spf1 -all", "v=spf1 ~all"]), "permerror"),
    ("servfail", Failure(), "temperror"),
    ("silent", Silence(), "temperror"),
    ("garbage", Garbage(), "temperror"),
    ("short-garbage", Garbage(b""), "temperror"),
    ("many-strings-over-tcp", Txt(["v=spf1 " + "ip4:198.51.100.1 " * 100 + "ip4:192.0.2.25 -all"]), "pass"),
    ("many-records-over-tcp", Txt([f"verification={number:060}" for number in range(40)] + OURS.texts), "pass"),
    ("60-kb", Txt(["v=spf1 " + "ip4:198.51.100.1 " * 3500 + "ip4:192.0.2.25 -all"]), None),
    ("60-kb-of-nonsense", Txt(["v=spf1 " + "x" * 60000]), "permerror"),
    ("octets", Txt(["v=spf1 \xff\x00\x01 ip4:192.0.2.25 -all"]), "permerror"),
    ("itself", Txt(["v=spf1 include:itself.example -all"]), "permerror"),
    ("voids", Txt(["v=spf1 " + "".join(f"a:void{number}.example " for number in range(5)) + "-all"]), "permerror"),
    ("too-many", Txt(["v=spf1 " + "".join(f"include:inner{number}.example " for number in range(11)) + "-all"]),
     "permerror"),
]
INNER = {f"inner{number}.example": Txt(["v=spf1 ip4:198.51.100.1 -all"]) for number in range(11)}


@pytest.fixture(scope="module")
def answering(daemons):
    behaviours = {f"{name}.example": behaviour for name, behaviour, _ in ANSWERS} | INNER
    with FaultyDns(behaviours, otherwise=Txt([])) as dns:
        yield daemons.start(zone=None, dns_servers=[dns.server], dns_timeout="1s", check_timeout="4s",
                            relay_hosts=["192.0.2.25"])


@pytest.mark.parametrize("name, behaviour, result", ANSWERS, ids=[row[0] for row in ANSWERS])
def test_answer(answering, name, behaviour, result):
    found = _result(answering, f"{name}.example")
    assert found == result if result else found in ("pass", "permerror")


def test_resolver_that_never_answers(daemons):
    """Every mail gets its answer in time, the safe one."""
    with FaultyDns({}, otherwise=Silence()) as dns:
        daemon = daemons.start(zone=None, dns_servers=[dns.server], dns_timeout="1s", check_timeout="2s")
        begin = time.monotonic()
        assert ask(daemon.address, [("From", MUELLER)], sender=MUELLER).sender() == FALLBACK
        assert time.monotonic() - begin < 2 + 3
        assert daemon.wait_for_record(domain="praxis-mueller.de")["spf"] == "temperror"


def test_no_resolver_at_all(daemons):
    daemon = daemons.start(zone=None, dns_servers=[f"127.0.0.1@{processes.free_port()}"], dns_timeout="1s",
                           check_timeout="2s")
    assert ask(daemon.address, [("From", MUELLER)], sender=MUELLER).sender() == FALLBACK


def test_a_silent_name_does_not_hold_up_others(faulty):
    """Nor does it change their answers. (One message may wait for one of libmilter's workers; most must not.)"""
    daemon, _ = faulty({f"silent{number}.example": Silence() for number in range(20)})
    waiting = [threading.Thread(target=_result, args=(daemon, f"silent{number}.example")) for number in range(20)]
    for thread in waiting:
        thread.start()
    times = []
    for number in range(50):
        begin = time.monotonic()
        assert _result(daemon, f"good{number}.example") == "pass"
        times.append(time.monotonic() - begin)
    for thread in waiting:
        thread.join()
    assert statistics.median(times) < 0.5
    assert _result(daemon, "good-after.example") == "pass"


def _records(daemon, domain, count):
    """The log lines on domain, once there are so many: a line is written after the answer."""
    def find():
        found = [record for record in daemon.records() if record.get("domain") == domain]
        return found if len(found) >= count else None
    return processes.wait_until(find, 10, f"{count} records of {domain}")


def _results(daemon, domains):
    """Asks for all of them at once."""
    with concurrent.futures.ThreadPoolExecutor(len(domains)) as pool:
        return list(pool.map(lambda domain: _result(daemon, domain), domains))


WEATHER = [
    # what, servers, most questions for a name
    ("first packet lost", [{"lost": 1}], 2),
    ("first packets lost, two servers", [{"lost": 1}, {"lost": 1}], 3),
    ("two packets lost", [{"lost": 2}], 3),
    ("2.0 s, three servers", [{"otherwise": Txt(OURS.texts, delay=2.0)}] * 3, 4),
    ("3.0 s, two servers", [{"otherwise": Txt(OURS.texts, delay=3.0)}] * 2, 5),
    ("4.5 s", [{"otherwise": Txt(OURS.texts, delay=4.5)}], 6),
    ("one of three dead", [{"otherwise": Silence()}, {}, {}], 3),
    ("SERVFAIL, then good", [{"otherwise": Failure()}, {}], 2),
]
BUSY = 2  # questions more on a busy machine, where an answer comes late


@pytest.mark.parametrize("weather, most", [row[1:] for row in WEATHER], ids=[row[0] for row in WEATHER])
def test_weather(daemons, weather, most):
    """Who authorises us is kept, with the time-outs that are the default; and the questions are few."""
    domains = [f"weather{number}.example" for number in range(20)]
    with contextlib.ExitStack() as stack:
        servers = [stack.enter_context(FaultyDns({}, **{"otherwise": OURS, **settings})) for settings in weather]
        daemon = daemons.start(zone=None, dns_servers=[dns.server for dns in servers], relay_hosts=["192.0.2.25"])
        assert _results(daemon, domains) == ["pass"] * len(domains)
        asked = [sum(dns.count(domain) for dns in servers) for domain in domains]
        assert max(asked) <= most + BUSY


def test_cold_start_with_slow_names(daemons):
    """Nobody has asked for these domains yet, and each takes 2.5 s."""
    with FaultyDns({}, otherwise=Txt(OURS.texts, delay=2.5)) as dns:
        daemon = daemons.start(zone=None, dns_servers=[dns.server], relay_hosts=["192.0.2.25"])
        assert _results(daemon, [f"cold{number}.example" for number in range(100)]) == ["pass"] * 100


SIGNED = """\
good TXT "v=spf1 ip4:192.0.2.25 -all"
forged TXT "v=spf1 ip4:203.0.113.1 -all"
"""


def test_signatures_are_checked(daemons, directory, needs_nsd, needs_signed_zone):
    """A forged record is a temperror, a signed one counts, and what is below no anchor too; though packets get lost."""
    zone, anchor = signed_zone.sign(directory / "signed", "signed.example", SIGNED)
    zones = {"signed.example": zone.replace("203.0.113.1", "192.0.2.25")}
    with PrivateNsd(directory / "signed-nsd", RECORDS, zones) as nsd, LossyWay(nsd.port) as way:
        daemon = daemons.start(zone=None, dns_servers=[way.server], dns_trust_anchor=str(anchor),
                               relay_hosts=["192.0.2.25"])
        assert _result(daemon, "good.signed.example") == "pass"
        assert _result(daemon, "forged.signed.example") == "temperror"
        assert _result(daemon, "none.signed.example") == "none"
        assert _result(daemon, "praxis-mueller.de") == "pass"


def test_wall_clock_goes_back(faulty, directory, monkeypatch):
    """By an hour. What was published since is seen when the verdict's time is over, not an hour later."""
    if re.search(b"__[at]san_init", (paths.BUILDDIR / "spfrom-milter").read_bytes()):
        pytest.skip("a sanitizer stands between the program and its clock")
    ahead = directory / "wall_clock"
    ahead.write_bytes(struct.pack("=q", 0))
    shim = compile_c(paths.SRCDIR / "tests/integration/wall_clock_shim.c", directory / "wall_clock_shim.so",
                     "-fPIC", "-shared")
    monkeypatch.setenv("LD_PRELOAD", str(shim))
    monkeypatch.setenv("WALL_CLOCK_FILE", str(ahead))
    daemon, dns = faulty({"changes.example": Txt(OURS.texts, ttl=3)}, cache_min_ttl=1)
    monkeypatch.undo()
    assert _result(daemon, "changes.example") == "pass"
    with ahead.open("r+b") as file:
        file.write(struct.pack("=q", -3600))
    dns.behaviours["changes.example"] = Txt(["v=spf1 -all"], ttl=3)
    processes.wait_until(lambda: ask(daemon.address, [("From", "x@changes.example")], sender="").edits, 15, "a fail")
    processes.wait_until(lambda: "the wall clock went back by 3600 s" in daemon.log(), 30, "a word in the log")
    # The kernel's clock did not go back, so that libmilter's threads would spin until the daemon ends.
    with ahead.open("r+b") as file:
        file.write(struct.pack("=q", 0))


def test_one_question_for_many_messages(faulty):
    """50 messages at once of a domain nobody has asked for: one evaluation (single flight)."""
    daemon, dns = faulty({"new.example": Txt(OURS.texts, delay=0.3)})
    threads = [threading.Thread(target=_result, args=(daemon, "new.example")) for _ in range(50)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert dns.count("new.example") == 1
    assert [record["spf"] for record in _records(daemon, "new.example", 50)] == ["pass"] * 50


def test_verdicts_are_cached(faulty):
    daemon, dns = faulty({})
    for _ in range(10):
        assert _result(daemon, "cached.example") == "pass"
    assert dns.count("cached.example") == 1
    assert [record["cache"] for record in _records(daemon, "cached.example", 10)] == ["miss"] + ["hit"] * 9


def test_names_differ_in_case_only(faulty):
    daemon, dns = faulty({})
    _result(daemon, "case.example")
    ask(daemon.address, [("From", "x@CASE.Example")], sender="")
    assert dns.count("case.example") == 1


def test_trouble_passes(faulty):
    """A temperror is not held for longer than 10 s; the record that comes then counts."""
    daemon, dns = faulty({"flaky.example": Failure()})
    assert _result(daemon, "flaky.example") == "temperror"
    dns.behaviours["flaky.example"] = OURS
    processes.wait_until(lambda: not ask(daemon.address, [("From", "x@flaky.example")], sender="").edits, 15, "a pass")


def test_tempfail_on_trouble(faulty):
    daemon, _ = faulty({"flaky.example": Failure()}, tempfail_on=["temperror"])
    assert ask(daemon.address, [("From", "x@flaky.example")], sender="").answer.startswith("451 4.7.24")


def test_relay_set_waits_for_dns(daemons):
    """A set that is empty only because DNS does not answer is none: temperror, and again until it answers."""
    behaviours = {"pool.example": Failure()}
    with FaultyDns(behaviours, otherwise=OURS) as dns:
        daemon = daemons.start(zone=None, dns_servers=[dns.server], dns_timeout="1s", check_timeout="2s",
                               relay_hosts=["spf:pool.example"])
        assert ask(daemon.address, [("From", OHNE)], sender=OHNE).sender() == FALLBACK
        assert daemon.wait_for_record(domain="praxis-ohne.de")["spf"] == "temperror"
        behaviours["pool.example"] = OURS
        processes.wait_until(lambda: not ask(daemon.address, [("From", OHNE)], sender=OHNE).edits, 60, "the relay set")
