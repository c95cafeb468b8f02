"""The rules of the verdict cache (design section 8), each by the questions that a real DNS server gets."""

import time

import pytest

from lab import processes
from lab.faulty_dns import Failure, FaultyDns, Txt
from lab.milter_client import ask

pytestmark = pytest.mark.thread

OURS = ["v=spf1 ip4:192.0.2.25 -all"]
FOREIGN = ["v=spf1 ip4:198.51.100.1 -all"]
SES = ["54.240.0.0/18", "69.169.224.0/20", "23.249.208.0/20", "23.251.224.0/19", "76.223.176.0/20"]


@pytest.fixture
def faulty(daemons):
    """(behaviours, settings) → (daemon, server), with short TTLs as they come."""
    servers = []

    def make(behaviours, **settings):
        dns = FaultyDns(behaviours)
        servers.append(dns.__enter__())
        return daemons.start(**{"zone": None, "dns_servers": [dns.server], "dns_timeout": "1s", "check_timeout": "2s",
                                "cache_min_ttl": "0s", **settings}), dns
    yield make
    for dns in servers:
        dns.__exit__()


def _result(daemon, domain, local="x"):
    """The log's word on a new message of that author."""
    known = len(daemon.records())
    ask(daemon.address, [("From", f"{local}@{domain}")], sender="")
    return processes.wait_until(lambda: daemon.records()[known:], 10, "the log line")[0]


def test_ttl_of_the_chain(faulty):
    """The shortest TTL on the way counts, not that of the domain's own record."""
    daemon, dns = faulty({"a.example": Txt(["v=spf1 include:b.example -all"], ttl=600), "b.example": Txt(OURS, ttl=2)})
    assert _result(daemon, "a.example")["cache"] == "miss"
    assert _result(daemon, "a.example")["cache"] == "hit"
    assert (dns.count("a.example"), dns.count("b.example")) == (1, 1)
    time.sleep(3.2)  # libunbound knows whole seconds: 2 of them may be almost 3
    _result(daemon, "a.example")
    assert (dns.count("a.example"), dns.count("b.example")) == (1, 2)


def test_max_ttl(faulty):
    daemon, dns = faulty({"a.example": Txt(OURS, ttl=86400)}, cache_max_ttl="1s")
    _result(daemon, "a.example")
    time.sleep(2.5)
    _result(daemon, "a.example")
    assert dns.count("a.example") == 2


def test_min_ttl(faulty):
    daemon, dns = faulty({"a.example": Txt(OURS, ttl=0)}, cache_min_ttl="60s")
    for _ in range(5):
        _result(daemon, "a.example")
    assert dns.count("a.example") == 1


def test_a_record_just_published_counts_soon(faulty):
    """libunbound's cache, which knows whole seconds, keeps to cache_retry_ttl too."""
    daemon, dns = faulty({"a.example": Txt(FOREIGN, ttl=3600)}, cache_retry_ttl="1s")
    assert _result(daemon, "a.example")["spf"] == "fail"
    dns.behaviours["a.example"] = Txt(OURS, ttl=3600)
    time.sleep(2.5)
    assert _result(daemon, "a.example")["spf"] == "pass"


def test_bound(faulty):
    """Of three domains in a cache for two, the one that was used least recently goes."""
    names = [f"{letter}.example" for letter in "abc"]
    daemon, _ = faulty({name: Txt(OURS, ttl=600) for name in names}, cache_size=2)
    for name in (*names[:2], names[0], names[2]):
        _result(daemon, name)
    assert _result(daemon, names[0])["cache"] == "hit"
    assert _result(daemon, names[1])["cache"] == "miss"


def test_stale(faulty):
    """While DNS has trouble an older verdict serves, and DNS is left alone for a while."""
    daemon, dns = faulty({"a.example": Txt(OURS, ttl=1)})
    assert _result(daemon, "a.example")["spf"] == "pass"
    dns.behaviours["a.example"] = Failure()
    time.sleep(2.5)
    record = _result(daemon, "a.example")
    assert (record["spf"], record["cache"]) == ("pass", "stale")
    asked = dns.count("a.example")
    assert _result(daemon, "a.example")["cache"] == "stale"
    assert dns.count("a.example") == asked


def test_without_an_older_verdict_it_is_temperror(faulty):
    daemon, _ = faulty({"a.example": Failure()})
    assert _result(daemon, "a.example")["spf"] == "temperror"


def test_a_verdict_on_one_address(faulty):
    daemon, dns = faulty({"a.example": Txt(["v=spf1 exists:%{l}.b.example include:c.example -all"], ttl=600),
                          "c.example": Txt(FOREIGN, ttl=600)})
    for _ in range(2):
        for local in ("anna", "bert"):
            assert _result(daemon, "a.example", local)["spf"] == "fail"
    assert (dns.count("anna.b.example", "A"), dns.count("bert.b.example", "A")) == (1, 1)
    assert dns.count("a.example") == 1


def test_a_hot_verdict_is_renewed_before_it_ends(faulty):
    daemon, _ = faulty({"a.example": Txt(OURS, ttl=3)}, cache_min_ttl="3s")
    assert _result(daemon, "a.example")["cache"] == "miss"
    end = time.monotonic() + 8
    caches = set()
    while time.monotonic() < end:
        caches.add(_result(daemon, "a.example")["cache"])
        time.sleep(0.05)
    assert caches == {"hit"}


def _pool(networks):
    return Txt(["v=spf1 " + " ".join(f"ip4:{network}" for network in networks) + " -all"], ttl=1)


def test_pool_of_a_provider(faulty):
    """Of amazonses.com's shape: its include passes, one of its networks is not enough, and it is looked up again."""
    daemon, dns = faulty({"amazonses.example": _pool(SES), "all.example": Txt(["v=spf1 include:amazonses.example ~all"]),
                          "one.example": Txt([f"v=spf1 ip4:{SES[0]} ~all"])},
                         relay_hosts=["spf:amazonses.example"], cache_max_ttl="1s")
    assert _result(daemon, "all.example")["spf"] == "pass"
    record = _result(daemon, "one.example")
    assert (record["spf"], record["relay"]) == ("softfail", sorted(SES)[0])
    dns.behaviours["amazonses.example"] = _pool(SES[:1])
    processes.wait_until(lambda: _result(daemon, "one.example")["spf"] == "pass", 30, "the smaller pool")
