"""One deadline: a message, a subcommand and a page wait for DNS no longer than check_timeout (design section 8)."""

import json
import time

import pytest

from lab.faulty_dns import FaultyDns, Silence, Txt
from lab.milter_client import ask
from lab.private_web import PrivateWeb
from lab.spfrom import Spfrom
from lab.zone import FALLBACK

CHECK_TIMEOUT = 2  # seconds
SLACK = 0.5
AT_ONCE = 0.5  # seconds within which all questions are asked
OURS = "v=spf1 ip4:192.0.2.25 -all"
SIX = [f"still{number}.example" for number in range(6)]
MANY = [f"still{number}.example" for number in range(64)]


def _from(domains):
    return [("From", ", ".join(f"<anna@{domain}>" for domain in domains))]


@pytest.fixture
def faulty(directory, request):
    """Makes (daemon that is not started, dns) with these behaviours; what has none is silent."""
    running = []

    def make(behaviours, **settings):
        dns = FaultyDns(behaviours, otherwise=Silence()).__enter__()
        running.append(dns)
        daemon = Spfrom(directory / f"deadline-{request.node.name[:40]}", dns_servers=[dns.server], dns_timeout="60s",
                        dns_trust_anchor="", **{"check_timeout": f"{CHECK_TIMEOUT}s", **settings})
        daemon.write_configuration()
        return daemon, dns
    yield make
    for dns in running:
        dns.__exit__()


class Stopwatch:
    def __enter__(self):
        self._begin = time.monotonic()
        return self

    def __exit__(self, *exception):
        self.seconds = time.monotonic() - self._begin


def _assert_in_time(watch, seconds=CHECK_TIMEOUT):
    assert watch.seconds < seconds + SLACK


def _assert_asked_at_once(dns, names):
    times = [dns.first_asked[name] for name in names]  # KeyError: never asked
    assert max(times) - min(times) < AT_ONCE


@pytest.mark.parametrize("domains", [SIX, MANY], ids=["six authors", "64 authors"])
def test_message_of_silent_authors(faulty, domains):
    daemon, dns = faulty({})
    with daemon:
        with Stopwatch() as watch:
            outcome = ask(daemon.address, _from(domains), sender="erika@still-sender.example")
        assert outcome.sender() == FALLBACK
        assert daemon.wait_for_record(domain=domains[0])["spf"] == "temperror"
    _assert_in_time(watch)
    _assert_asked_at_once(dns, [*domains, "still-sender.example"])


def test_message_with_sender_field(faulty):
    """The domain in Sender: is asked with the others."""
    daemon, dns = faulty({})
    with daemon, Stopwatch() as watch:
        ask(daemon.address, [*_from(SIX), ("Sender", "<office@still-office.example>")], sender="erika@a.still.example")
    _assert_in_time(watch)
    _assert_asked_at_once(dns, [*SIX, "still-office.example", "a.still.example"])


def test_message_with_dmarc(faulty):
    """DMARC has what the verdicts left of the time."""
    slow = Txt([OURS], delay=1.5)
    daemon, dns = faulty({"slow.example": slow, "sender.example": slow}, align_envelope="dmarc")
    with daemon, Stopwatch() as watch:
        ask(daemon.address, _from(["slow.example"]), sender="erika@sender.example")
    _assert_in_time(watch)
    assert "_dmarc.slow.example" in dns.first_asked


def test_slow_domains_are_right(faulty):
    """Each domain needs 4 s, for its own record and the one that it includes."""
    domains = [f"slow{number}.example" for number in range(12)]
    behaviours = {domain: Txt([f"v=spf1 include:_spf.{domain} -all"], delay=2) for domain in domains}
    behaviours |= {f"_spf.{domain}": Txt([OURS], delay=2) for domain in domains}
    daemon, _ = faulty(behaviours, check_timeout="10s")
    with daemon:
        with Stopwatch() as watch:
            outcome = ask(daemon.address, _from(domains), sender=f"erika@{domains[0]}")
        assert outcome.edits == []
        assert daemon.wait_for_record(domain=domains[0])["spf"] == "pass"
    _assert_in_time(watch, seconds=5)


def test_silent_relay(faulty):
    """relay_hosts names a host that nobody knows: every tool has check_timeout for that and all the rest."""
    daemon, _ = faulty({}, relay_hosts=["relay-still.example"])
    for arguments in (["check", "still.example"], ["advise", "still.example"]):
        with Stopwatch() as watch:
            assert daemon.tool(*arguments).returncode == 75
        _assert_in_time(watch)


def test_check_of_silent_domains(faulty):
    daemon, dns = faulty({})
    with Stopwatch() as watch:
        done = daemon.tool("check", "--json", *SIX)
    assert done.returncode == 75
    assert [(check["domain"], check["result"]) for check in json.loads(done.stdout)] == \
        [(domain, "temperror") for domain in SIX]
    _assert_in_time(watch)
    _assert_asked_at_once(dns, SIX)


def test_check_of_many_domains(faulty):
    """What is checked later has its own time."""
    domains = [f"slow{number}.example" for number in range(40)]
    daemon, _ = faulty({name: Txt([OURS], delay=1 if name == domain else 0)
                        for domain in domains for name in (domain, f"_dmarc.{domain}")})
    done = daemon.tool("check", "--json", *domains)
    assert done.returncode == 0
    assert [check["domain"] for check in json.loads(done.stdout)] == domains


def test_test_of_silent_authors(faulty):
    daemon, dns = faulty({})
    message = f"From: {_from(SIX)[0][1]}\r\nSender: <office@still-office.example>\r\n\r\nGuten Tag\r\n"
    with Stopwatch() as watch:
        done = daemon.tool("test", "--json", input=message)
    assert json.loads(done.stdout)["result"] == "temperror"
    _assert_in_time(watch)
    _assert_asked_at_once(dns, SIX)


def test_test_with_silent_relay(faulty):
    daemon, _ = faulty({}, relay_hosts=["relay-still.example"])
    with Stopwatch() as watch:
        daemon.tool("test", input=f"From: {_from(SIX)[0][1]}\r\n\r\nGuten Tag\r\n")
    _assert_in_time(watch)


def test_page(faulty):
    daemon, _ = faulty({}, relay_hosts=["relay-still.example"])
    with PrivateWeb(daemon) as web:
        with Stopwatch() as watch:
            assert web.get("/domain/still.example").status == 200
    _assert_in_time(watch)
