"""SIGTERM: nobody connects any more, each message under way is answered, counted and logged as the MTA saw it."""

import collections
import contextlib
import itertools
import json
import signal
import smtplib
import sqlite3
import threading
import time

import pytest

from lab import clients
from lab import processes
from lab.cases import MUELLER, OHNE, message
from conftest import Route
from lab.faulty_dns import FaultyDns, Txt
from lab.milter_client import NO_STEPS, MilterClient
from lab.spfrom import Spfrom
from lab.zone import FALLBACK, ZONE_FILE

pytestmark = pytest.mark.thread

PATIENCE = 10
WORKERS = 8
STOPS = 10
STOPS_ALL = 80
LIFE = 0.4  # seconds between two stops


@pytest.fixture
def start(request):
    """Starts a daemon; kind is that of its socket."""
    started = []
    with processes.PrivateDirectory("stop") as directory:
        def make(kind="unix", zone=ZONE_FILE, **settings):
            if kind != "unix":
                host = "127.0.0.1" if kind == "inet" else "::1"
                settings["socket"] = f"{kind}:{processes.free_port()}@{host}"
            started.append(Spfrom(directory / str(len(started)), zone, **settings))
            started[-1].start()
            return started[-1]
        yield make
        for daemon in started:
            if daemon.is_running():
                daemon.kill()
            assert not daemon.complaints()


class UnderWay:
    """A message that has said MAIL, so that the daemon waits for it."""

    def __init__(self, daemon, author=OHNE):
        self._author = author
        self.client = MilterClient(daemon.address, NO_STEPS)  # each step is answered, so it has been taken
        self.client.connect()
        self.client.envelope(author)

    def finish(self):
        self.client.header("From", self._author)
        return self.client.eoh() or self.client.body(b"x") or self.client.eom()


def _count(daemon):
    """Messages that the daemon has counted, by action."""
    counts = json.loads(daemon.tool("status", "--json").stdout)["messages"]
    return {action: count for action, count in counts.items() if count}


@pytest.mark.parametrize("kind", ["unix", "inet", "inet6"])
def test_nobody_connects_any_more(start, kind):
    daemon = start(kind)
    message = UnderWay(daemon)
    daemon.process.send_signal(signal.SIGTERM)
    processes.wait_until(lambda: not processes.is_listening(daemon.address), PATIENCE, "the socket to close", daemon.process)
    assert not processes.is_listening(daemon.address)
    assert message.finish().sender() == FALLBACK
    assert daemon.process.wait(PATIENCE) == 0
    assert daemon.wait_for_record(action="rewrite")


def test_message_begun_after_the_stop_is_no_error(start):
    """On a connection from before. It is put off, as if the daemon were gone already."""
    daemon = start()
    first, idle = UnderWay(daemon), MilterClient(daemon.address)
    idle.connect()
    daemon.process.send_signal(signal.SIGTERM)
    processes.wait_until(lambda: not processes.is_listening(daemon.address), PATIENCE, "the socket to close", daemon.process)
    # the socket closes a moment before: a message that begins in that moment is one from before
    taken = sum(1 for _ in iter(lambda: idle.message([("From", OHNE)], OHNE).answer, "tempfail"))
    assert sum(_count(daemon).values()) == taken
    assert first.finish().sender() == FALLBACK
    assert daemon.process.wait(PATIENCE) == 0
    assert [record["action"] for record in daemon.records()] == ["rewrite"] * (1 + taken)


def test_next_step_ends_the_wait(start):
    """An answer is out when the connection goes on; otherwise the daemon gives it a second."""
    daemon = start()
    message = UnderWay(daemon)
    daemon.process.send_signal(signal.SIGTERM)
    message.finish()
    message.client.quit()
    begin = time.monotonic()
    processes.wait_until(lambda: "stopped" in daemon.log(), PATIENCE, "the end")
    assert time.monotonic() - begin < 1
    assert daemon.process.wait(PATIENCE) == 0


def test_no_watchdog_alarm_while_it_ends(start, monkeypatch, tmp_path):
    monkeypatch.setenv("NOTIFY_SOCKET", str(tmp_path / "nobody"))
    monkeypatch.setenv("WATCHDOG_USEC", "400000")
    daemon = start()
    message = UnderWay(daemon)
    daemon.process.send_signal(signal.SIGTERM)
    time.sleep(1.5)
    assert message.finish().sender() == FALLBACK
    assert daemon.process.wait(PATIENCE) == 0
    assert "watchdog" not in daemon.log()


def test_slow_decision_is_out_before_the_end(start):
    """DNS answers at the last moment; what was counted has reached the MTA."""
    record = Txt(["v=spf1 -all"], delay=1.9)
    with FaultyDns({"praxis-ohne.de": record}, otherwise=Txt(["v=spf1 ip4:192.0.2.25 -all"])) as dns:
        daemon = start(zone=None, dns_servers=[dns.server], check_timeout="2s")
        outcomes = []
        message = UnderWay(daemon)
        thread = threading.Thread(target=lambda: outcomes.append(message.finish()))
        thread.start()
        processes.wait_until(lambda: dns.count("praxis-ohne.de"), 5, "the question")
        assert daemon.stop() == 0
        thread.join(5)
    assert [outcome.sender() for outcome in outcomes] == [FALLBACK]


class Load:
    """Clients of Postfix that send without end. Each try has an author of its own, so that a log line belongs to one."""

    def __init__(self, postfix):
        self._postfix = postfix
        self._is_over = threading.Event()
        self._numbers = itertools.count()
        self.taken = set()  # authors whose message Postfix took
        self.refused = collections.Counter()  # replies to the others
        self._threads = [threading.Thread(target=self._work, args=(number,)) for number in range(WORKERS)]

    def __enter__(self):
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *exception):
        self._is_over.set()
        for thread in self._threads:
            thread.join()

    def _work(self, worker):
        while not self._is_over.is_set():
            try:
                with clients.connection(self._postfix.port()) as smtp:
                    while not self._is_over.is_set():
                        self._send(smtp, worker)
            except (smtplib.SMTPException, OSError) as error:
                self.refused[str(getattr(error, "smtp_code", type(error).__name__))] += 1
                time.sleep(0.02)

    def _send(self, smtp, worker):
        number = next(self._numbers)
        author = f"m{number}@{(OHNE, MUELLER)[number % 2].split('@')[1]}"
        smtp.sendmail(author, [f"p{number}@example.net"], message(f"From: {author}"))
        self.taken.add(author)


def _written(ledger):
    """Messages in the ledger."""
    with contextlib.closing(sqlite3.connect(f"file:{ledger}?mode=ro", uri=True)) as database:
        return database.execute("SELECT sum(messages) FROM seen").fetchone()[0]


def test_stops_under_load(needs_postfix, is_full_length):
    """Each message that the daemon decided on was answered, and each that was taken was decided, whenever SIGTERM came."""
    stops = STOPS_ALL if is_full_length else STOPS
    with processes.PrivateDirectory("stops") as directory:
        daemon = Spfrom(directory / "spfrom", ZONE_FILE, log_level="info", ledger=directory / "spfrom" / "state" / "ledger.db")
        daemon.start()
        with Route(directory / "postfix", daemon) as route, Load(route.postfix) as load:
            for _ in range(stops):
                time.sleep(LIFE)
                assert daemon.stop() == 0
                daemon.start()
        assert daemon.stop() == 0 and not daemon.complaints()
        decided = collections.Counter(record["author"] for record in daemon.records())
        assert load.taken and load.refused
        assert set(decided) - load.taken == set(), "decided, and the MTA never heard"
        assert load.taken - set(decided) == set(), "taken without the daemon"
        assert {record["action"] for record in daemon.records()} == {"keep", "rewrite"}
        assert max(decided.values()) == 1
        assert _written(directory / "spfrom" / "state" / "ledger.db") == len(decided)
        print(f"{stops} stops: {len(load.taken)} taken, refused: {dict(load.refused)}")
