"""A daemon of a fleet that is restarted in the middle of the load: what the fleet knows is not asked of DNS again (design
section 17). 2,000 domains, with --all 100,000."""

import contextlib
import datetime
import re
import threading
import time

import pytest

from conftest import need
from lab import private_store
from lab import processes
from lab.control_client import ask_control
from lab.faulty_dns import FaultyDns, Txt
from lab.milter_client import MilterClient
from lab.private_store import PrivateStore
from lab.spfrom import Spfrom

CONNECTIONS = 4  # to each host
PATIENCE = 60
TTL = "6h"  # nothing ends within the test
OURS, OTHERS = Txt(["v=spf1 ip4:192.0.2.25 -all"], 6 * 3600), Txt(["v=spf1 -all"], 6 * 3600)


@pytest.fixture(autouse=True)
def needs_store():
    need(private_store.why_not())


def name_of(number):
    return f"d{number}.example"


def is_authorised(number):
    return number % 2 == 1


class Load:
    """Messages to a host over several connections. Each is offered until it is taken, as an MTA does."""

    def __init__(self, host, numbers):
        self._host = host
        self._left = iter(numbers)
        self._lock = threading.Lock()  # guards what follows
        self.taken = []  # numbers of domains
        self.wrong = []
        self.refused = 0  # tempfail
        self._threads = [threading.Thread(target=self._work) for _ in range(CONNECTIONS)]

    def __enter__(self):
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *exception):
        for thread in self._threads:
            thread.join()

    def count(self):
        with self._lock:
            return len(self.taken)

    def _next(self):
        with self._lock:
            return next(self._left, None)

    def _work(self):
        number = self._next()
        while number is not None:
            try:
                with MilterClient(self._host.address) as client:
                    client.connect()
                    while number is not None and self._offer(client, number):
                        number = self._next()
            except (OSError, TypeError, ValueError):
                time.sleep(0.02)  # the daemon is being restarted: the message is offered once more

    def _offer(self, client, number):
        author = f"x@{name_of(number)}"
        outcome = client.message([("From", author)], author)
        with self._lock:
            if outcome.answer == "tempfail":  # it is about to stop
                self.refused += 1
                return False
            self.taken.append(number)
            if outcome.answer not in ("continue", "accept") or bool(outcome.edits) == is_authorised(number):
                self.wrong.append((number, outcome.answer, outcome.edits))
            return True


@contextlib.contextmanager
def fleet_of_two(directory, dns):
    directory.mkdir()
    with contextlib.ExitStack() as stack:
        store = stack.enter_context(PrivateStore(directory / "store"))
        hosts = [stack.enter_context(Spfrom(
            directory / f"mx{i}", fleet=[f"redis://127.0.0.1:{store.port}"], fleet_timeout="5s", hostname=f"mx{i}.example",
            dns_servers=[dns.server], cache_max_ttl=TTL, cache_retry_ttl=TTL, ledger="", log_level="warning")) for i in (1, 2)]
        for host in hosts:
            processes.wait_until(lambda: len(ask_control(host, "fleet")["hosts"]) == 2, PATIENCE, "both hosts")
        yield store, hosts


def verdicts_in(store):
    """How many the store has."""
    answer = store.talk("EVAL", "return #redis.call('KEYS', 'spfrom:verdict:*:d*.example')", 0)
    return int(re.fullmatch(rb":(\d+)\r\n", answer).group(1))


def lookups(host):
    lines = re.findall(r'^spfrom_cache_lookups_total\{outcome="(\w+)"\} (\d+)', host.tool("metrics").stdout, re.MULTILINE)
    return {outcome: int(number) for outcome, number in lines}


def stop(host):
    assert host.stop() == 0


def has_waited_in_vain(host):
    """Whether it may have begun without the store, for which it waits a second (times are whole ones): the machine was too slow."""
    status = processes.wait_until(lambda: (found := ask_control(host, "status"))["fleet"]["up"] and found, PATIENCE, "the store")
    since, started = (datetime.datetime.fromisoformat(text) for text in (status["fleet"]["since"], status["up_since"]))
    return (since - started).total_seconds() >= 1


def test_restart_under_load(directory, is_full_length):
    """A restart, once as it should be and once after a kill: no question goes out, no message is lost, each answer is right."""
    count = 100_000 if is_full_length else 2_000
    records = {name_of(i): OURS if is_authorised(i) else OTHERS for i in range(count)}
    with FaultyDns(records) as dns, fleet_of_two(directory / "fleet-restart", dns) as (store, (one, two)):
        def asked():
            return {name: asked for (name, _), asked in dict(dns.questions).items() if name in records}

        with Load(one, range(count // 2)) as first, Load(two, range(count // 2, count)) as second:
            pass
        assert not first.wrong + second.wrong and not first.refused + second.refused
        processes.wait_until(lambda: verdicts_in(store) == count, PATIENCE, "the verdicts in the store")
        before = asked()
        assert len(before) == count
        # The host that is restarted goes through all domains twice: before, and after it has forgotten them.
        in_vain = []
        begin = time.monotonic()
        with Load(one, range(count)) as first, Load(two, [*range(count), *range(count)]) as second:
            for goal, end in ((count, stop), (count * 3 // 2, Spfrom.kill)):
                processes.wait_until(lambda: second.count() >= goal, 600, f"{goal} messages")
                end(two)
                two.start()
                in_vain.append(has_waited_in_vain(two))
        found = lookups(two)
        print(f"\n{count} domains, {3 * count} messages in {time.monotonic() - begin:.1f} s; offered again {second.refused}; {found}")
        assert not first.wrong + second.wrong and not first.refused
        assert sorted(first.taken) == list(range(count)) and sorted(second.taken) == sorted([*range(count), *range(count)])
        assert asked() == before or any(in_vain)
        assert found["miss"] == 0 or in_vain[-1], found
