"""A long test of a fleet, only with --all: killed at random."""

import collections
import contextlib
import json
import random
import threading
import time

import pytest

from conftest import need
from lab import private_store
from lab import processes
from lab.control_client import ask_control
from lab.milter_client import MilterClient
from lab.private_store import PrivateStore
from lab.spfrom import Spfrom

MESSAGES = 100_000
KILLS = 50
DOMAINS = 1_000
WORKERS = 4
PAUSE = 0.005  # seconds between two messages of a worker, so that two kills are some seconds apart
UNWRITTEN = 1  # seconds of messages that a daemon may not have in its ledger yet
ANSWERS = ("continue", "accept")


@pytest.fixture(autouse=True)
def only_at_full_length(is_full_length):
    if not is_full_length:
        pytest.skip("only with --all")
    need(private_store.why_not())


def zone(count):
    """Of two domains one authorises the relay."""
    return "$TTL 3600\n" + "".join(f'd{i}.example. TXT "v=spf1 {"ip4:192.0.2.25" if i % 2 else ""} -all"\n' for i in range(count))


@contextlib.contextmanager
def fleet_of_two(directory, count):
    directory.mkdir()
    with contextlib.ExitStack() as stack:
        store = stack.enter_context(PrivateStore(directory / "store"))
        hosts = [stack.enter_context(Spfrom(
            directory / f"mx{i}", zone(count), fleet=[f"redis://127.0.0.1:{store.port}"], hostname=f"mx{i}.example",
            fleet_timeout="500ms", log_level="warning")) for i in (1, 2)]
        for host in hosts:
            processes.wait_until(lambda: len(ask_control(host, "fleet")["hosts"]) == 2, 30, "both hosts")
        yield store, hosts


class Traffic:
    """Messages that are offered until a host answers, as an MTA does; each with a domain of its own turn."""

    def __init__(self, hosts, messages):
        self._hosts = hosts
        self._left = iter(range(messages))
        self._lock = threading.Lock()  # guards what follows
        self.answered = [[] for _ in hosts]  # host → when
        self.broken = 0  # messages that a host took and did not answer
        self.wrong = []
        self._threads = [threading.Thread(target=self._work, args=(random.Random(i),)) for i in range(WORKERS)]

    def __enter__(self):
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *exception):
        for thread in self._threads:
            thread.join()

    def count(self):
        with self._lock:
            return sum(map(len, self.answered))

    def _next(self):
        with self._lock:
            return next(self._left, None)

    def _work(self, chance):
        number = self._next()
        while number is not None:
            host = chance.randrange(len(self._hosts))
            try:
                with MilterClient(self._hosts[host].address) as client:
                    client.connect()
                    while number is not None and chance.random() > 0.02:
                        self._send(client, host, number)
                        number = self._next()
            except (OSError, EOFError, AssertionError, TypeError, ValueError):
                time.sleep(0.02)  # it was killed: the message is offered once more

    def _send(self, client, host, number):
        domain = f"d{number % DOMAINS}.example"
        with self._lock:
            self.broken += 1
        outcome = client.message([("From", f"x@{domain}")], f"x@{domain}")
        time.sleep(PAUSE)
        with self._lock:
            self.broken -= 1
            self.answered[host].append(time.monotonic() - PAUSE)
            if outcome.answer not in ANSWERS or bool(outcome.edits) == (number % DOMAINS % 2 == 1):
                self.wrong.append((number, outcome.answer, outcome.edits))


def total(host, *arguments):
    """The messages of a report; None if not all hosts are in it."""
    answer = host.tool("report", "--json", *arguments)
    return json.loads(answer.stdout)["total"]["messages"] if answer.returncode == 0 and not answer.stderr else None


def test_killed_at_random(directory):
    """A daemon, the store, or both: each message is answered, and rightly; the sums lack what was not written at most."""
    chance = random.Random(4711)
    with fleet_of_two(directory / "fleet-kill", DOMAINS) as (store, hosts):
        killed = collections.defaultdict(list)  # host → when
        with Traffic(hosts, MESSAGES) as traffic:
            for turn in range(KILLS):
                goal = (turn + chance.random()) * MESSAGES / KILLS
                processes.wait_until(lambda: traffic.count() >= goal, 600, f"{goal} messages")
                what = chance.choice(("daemon", "store", "both"))
                host = chance.randrange(2)
                if what != "store":
                    killed[host].append(time.monotonic())
                    hosts[host].kill()
                if what != "daemon":
                    store.kill()
                time.sleep(chance.random() / 2)
                if what != "daemon":
                    store.start()
                if what != "store":
                    hosts[host].start()
        assert not traffic.wrong, traffic.wrong[:5]
        assert traffic.count() == MESSAGES
        lost = [sum(any(-0.2 < kill - at < UNWRITTEN for kill in killed[host]) for at in traffic.answered[host]) for host in (0, 1)]

        def sums():
            return total(hosts[0]), total(hosts[1]), total(hosts[0], "--here"), total(hosts[1], "--here")

        def is_exact():
            one, two, here, there = sums()
            return None not in (one, two, here, there) and one == two == here + there and (one, two, here, there)
        for host in hosts:
            processes.wait_until(lambda: ask_control(host, "status")["ledger"]["waiting"] == 0, 60, "the ledger")
        found = processes.wait_until(is_exact, 120, "the same sum on both")
        print(f"\n{MESSAGES} messages, killed: daemons {sum(map(len, killed.values()))}, in all {KILLS}; sums {found}, answered "
              f"{[len(times) for times in traffic.answered]}, not answered {traffic.broken}, not written at most {lost}")
        for host in (0, 1):
            answered = len(traffic.answered[host])
            assert answered - lost[host] <= found[2 + host] <= answered + traffic.broken, (found, lost, traffic.broken)
