"""Switches and reloads while mail flows: each message is treated wholly by one configuration and one mode."""

import collections
import threading

import pytest

from lab import processes
from lab.cases import MUELLER, OHNE
from lab.control_client import ControlClient, ask_control
from lab.milter_client import MilterClient, ask
from lab.zone import FALLBACK

pytestmark = pytest.mark.thread

CONNECTIONS = 64
SWITCHES = 1000
RELOADS = 60


class Load:
    """Connections that send message after message, until the with-block ends. outcomes has what became of each."""

    def __init__(self, daemon, connections, author=OHNE):
        self._daemon = daemon
        self._author = author
        self._is_over = threading.Event()
        self._threads = [threading.Thread(target=self._send) for _ in range(connections)]
        self.outcomes = collections.Counter()
        self.failures = []
        self._lock = threading.Lock()  # guards the two above

    def _send(self):
        outcomes = collections.Counter()
        try:
            with MilterClient(self._daemon.address) as client:
                client.connect()
                while not self._is_over.is_set():
                    outcome = client.message([("From", f"Praxis <{self._author}>")], self._author)
                    outcomes[outcome.answer, tuple(outcome.edits)] += 1
        except OSError as error:  # no answer in time, or a connection that was cut
            with self._lock:
                self.failures.append(error)
        with self._lock:
            self.outcomes += outcomes

    def __enter__(self):
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *exception):
        self._is_over.set()
        for thread in self._threads:
            thread.join()
        assert not self.failures

    @property
    def count(self):
        return sum(self.outcomes.values())


def _edits(daemon, author=OHNE):
    """What becomes of a message now, as Load.outcomes has it."""
    outcome = ask(daemon.address, [("From", f"Praxis <{author}>")], sender=author)
    return outcome.answer, tuple(outcome.edits)


def _messages(daemon):
    """The daemon's own count."""
    return {action: count for action, count in ask_control(daemon, "status")["messages"].items() if count}


def test_a_thousand_switches(daemons):
    daemon = daemons.start()
    rewritten = _edits(daemon)
    assert rewritten[1]
    wrong = []
    with Load(daemon, 16) as load, ControlClient(daemon.control_socket) as control:
        for number in range(SWITCHES):
            mode = ("log-only", "rewrite", "off")[number % 3]
            assert control.ask("mode", mode=mode)["mode"] == mode
            if number % 10 == 0 and (_edits(daemon) == rewritten) != (mode == "rewrite"):
                wrong.append(number)  # a message that begins after the switch is under it
    assert not wrong
    assert set(load.outcomes) == {rewritten, ("continue", ())}
    asked = 1 + SWITCHES // 10
    messages = _messages(daemon)
    assert set(messages) == {"keep", "rewrite", "would-rewrite"}
    assert sum(messages.values()) == load.count + asked
    by_log = collections.Counter(record["action"] for record in daemon.records())
    assert messages == by_log
    own = len([number for number in range(0, SWITCHES, 10) if number % 3 == 1])
    assert messages["rewrite"] == load.outcomes[rewritten] + 1 + own


def _configure(daemon, letter, extra=""):
    """A configuration whose letter shows in two places of a rewritten message."""
    daemon.settings["fallback_address"] = f"{letter}@lemniscus.de"
    daemon.settings["display_name"] = f"%n {letter}"
    daemon.extra = extra
    daemon.write_configuration()


@pytest.mark.parametrize("wrong, named", [("nonsense = 1\n", "spfrom.conf:"), ("hostname = \"unfinished", "spfrom.conf:"),
                                          ('domain_map = "/missing/map"\n', "/missing/map")], ids=["key", "quote", "file"])
def test_wrong_reloads_under_load(daemons, wrong, named):
    """Not one message sees any of it, none is delayed beyond its client's patience."""
    daemon = daemons.start()
    _configure(daemon, "a")
    assert ask_control(daemon, "reload")["ok"]
    known = _edits(daemon)
    before = sum(_messages(daemon).values())
    with Load(daemon, CONNECTIONS) as load, ControlClient(daemon.control_socket) as control:
        _configure(daemon, "b", extra=wrong)
        for _ in range(RELOADS):
            answer = control.ask("reload")
            assert answer["ok"] is False and named in answer["error"]
    assert set(load.outcomes) == {known} and b"a@lemniscus.de" in repr(known).encode()
    assert sum(_messages(daemon).values()) == before + load.count


def test_reloads_under_load(daemons):
    """Right and wrong ones in turn: each message is of one configuration, no connection is cut."""
    daemon = daemons.start()
    known = {}
    for letter in "ab":
        _configure(daemon, letter)
        assert ask_control(daemon, "reload")["ok"]
        known[letter] = _edits(daemon)
    with Load(daemon, CONNECTIONS) as load, ControlClient(daemon.control_socket) as control:
        for number in range(RELOADS):
            letter = "ab"[number % 2]
            _configure(daemon, letter)
            assert control.ask("reload")["ok"]
            assert _edits(daemon) == known[letter]
            _configure(daemon, "c", extra="nonsense = 1\n")
            assert not control.ask("reload")["ok"]
    assert set(load.outcomes) == set(known.values())
    assert ask_control(daemon, "status")["messages"]["error"] == 0


def test_expiry_under_load(daemons):
    daemon = daemons.start()
    with Load(daemon, 8) as load:
        ask_control(daemon, "mode", mode="off", **{"for": "1s"})
        processes.wait_until(lambda: ask_control(daemon, "mode")["by"] == "configuration", 30, "the way back")
        assert ask(daemon.address, [("From", OHNE)], sender=OHNE).sender() == FALLBACK
    assert len(load.outcomes) == 2


def test_everything_at_once(daemons):
    """Commands of many clients while mail flows: each gets its own answer."""
    daemon = daemons.start(cache_size=10)
    answers = []

    def command(name, **members):
        with ControlClient(daemon.control_socket) as control:
            for _ in range(20):
                answers.append((name, control.ask(name, **members)))
    commands = [("status", {}), ("mode", {}), ("mode", {"mode": "log-only"}), ("mode", {"clear": True}), ("reload", {}),
                ("flush", {}), ("flush", {"domain": "praxis-ohne.de"}), ("metrics", {})]
    threads = [threading.Thread(target=command, args=(name,), kwargs=members) for name, members in commands * 2]
    with Load(daemon, 8), Load(daemon, 8, author=MUELLER) as kept:
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    members = {"status": "pid", "mode": "since", "reload": "warnings", "flush": "domain", "metrics": "text"}
    assert len(answers) == 20 * len(threads)
    assert all(answer["ok"] and members[name] in answer for name, answer in answers)
    assert set(kept.outcomes) == {("continue", ())}
