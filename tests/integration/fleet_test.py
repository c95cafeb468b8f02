"""Hosts of a fleet with a real store: what one is told, all know; and each is right by itself (design section 17)."""

import contextlib
import json
import os
import re
import struct
import subprocess
import threading
import time

import pytest

from conftest import need
from lab import paths
from lab import private_store
from lab import processes
from lab.cases import OHNE
from lab.compiled import compile_c
from lab.control_client import ControlClient, ask_control
from lab.faulty_dns import FaultyDns, Txt
from lab.milter_client import ask
from lab.private_store import PrivateStore
from lab.private_web import PrivateWeb
from lab.spfrom import Spfrom
from lab.zone import ZONE_FILE

pytestmark = [pytest.mark.address, pytest.mark.thread]
OURS = Txt(["v=spf1 ip4:192.0.2.25 -all"])


@pytest.fixture(scope="module", autouse=True)
def needs_store():
    need(private_store.why_not())


class Fleet:
    """A store and daemons at it."""

    def __init__(self, directory, count=2, zone=ZONE_FILE, **settings):
        directory.mkdir()
        self.store = PrivateStore(directory / "store")
        self.hosts = [Spfrom(directory / f"mx{i}", zone, fleet=[f"redis://127.0.0.1:{self.store.port}"], fleet_timeout="5s",
                             hostname=f"mx{i}.example", ledger="", **settings) for i in range(1, count + 1)]

    def __enter__(self):
        with contextlib.ExitStack() as stack:
            stack.enter_context(self.store)
            for host in self.hosts:
                stack.enter_context(host)
            self._stack = stack.pop_all()
        self.wait_for_hosts()
        return self

    def __exit__(self, *exception):
        return self._stack.__exit__(*exception)

    def wait_for_hosts(self):
        for host in self.hosts:
            processes.wait_until(lambda: len(roll(host)["hosts"]) == len(self.hosts), 30, "all hosts to be known")

    def wait_for_store(self):
        for host in self.hosts:
            processes.wait_until(lambda: ask_control(host, "status")["fleet"]["up"], 60, "the store to be back")

    def modes(self):
        return [state(host) for host in self.hosts]

    def agree(self, wanted, seconds=30):
        """Until all hosts say so: (mode, by, host)."""
        processes.wait_until(lambda: self.modes() == [wanted] * len(self.hosts), seconds, f"{wanted}, not {self.modes()}")


def roll(host):
    return ask_control(host, "fleet")


def state(host):
    answer = ask_control(host, "mode")
    return answer["mode"], answer["by"], answer["here"]


@pytest.fixture
def fleet(directory):
    with Fleet(directory / f"fleet-{time.monotonic_ns()}") as fleet:
        yield fleet


def test_switch(fleet):
    """In under a second, either way; who and where are told."""
    one, two = fleet.hosts
    result = one.tool("mode", "log-only", env={**os.environ, "SUDO_USER": "anna"})
    assert result.returncode == 0 and not result.stderr and re.search("^for +the fleet$", result.stdout, re.MULTILINE)
    fleet.agree(("log-only", "switch", False))
    told = ask_control(two, "mode", detail=True)
    assert told["who"] == "anna" and told["host"] == "mx1.example"
    two.wait_for_line("mode changed: mode=log-only by=switch who=anna host=mx1.example")
    assert not ask(two.address, [("From", OHNE)], sender=OHNE).edits
    assert two.tool("mode", "--clear").returncode == 0
    fleet.agree(("rewrite", "configuration", False))
    status = json.loads(one.tool("status", "--json").stdout)
    assert status["mode_host"] == "mx1.example" and status["mode_here"] is False
    one.tool("mode", "off", "--for", "3s")
    for host in fleet.hosts:
        host.wait_for_line("mode changed: mode=off by=switch", 30)
    fleet.agree(("rewrite", "configuration", False))


def test_here(fleet):
    one, two = fleet.hosts
    assert one.tool("mode", "--here").returncode == 2
    assert one.tool("mode", "off", "--here").returncode == 0
    assert state(one) == ("off", "switch", True) and state(two) == ("rewrite", "configuration", False)
    result = two.tool("mode", "log-only")
    assert not result.stderr
    processes.wait_until(lambda: state(two)[0] == "log-only", 30, "the other")
    result = one.tool("mode", "log-only")
    assert "this host stays as it was switched for it alone" in result.stderr and result.returncode == 0
    time.sleep(0.6)
    assert state(one) == ("off", "switch", True)
    one.kill()
    one.start()
    assert state(one) == ("off", "switch", True)
    assert one.tool("mode", "--clear", "--here").returncode == 0
    fleet.agree(("log-only", "switch", False))
    assert [host["here"] for host in roll(two)["hosts"]] in ([True, False], [False, False])


def test_store_away_and_back(fleet):
    """A switch and a flush while it is away are ok, and the others learn of them; mail goes on."""
    one, two = fleet.hosts
    fleet.store.kill()
    for host in fleet.hosts:
        processes.wait_until(lambda: ask_control(host, "status")["fleet"]["up"] is False, 30, "the store to be missed")
    result = one.tool("mode", "off")
    assert result.returncode == 0 and "the other hosts will learn of this" in result.stderr
    assert json.loads(one.tool("mode", "--json").stdout)["mode"] == "off" and state(two)[0] == "rewrite"
    result = two.tool("flush")
    assert result.returncode == 0 and "the other hosts will learn of this" in result.stderr
    assert ask(two.address, [("From", OHNE)], sender=OHNE).edits
    result = one.tool("fleet")
    assert result.returncode == 1 and "store: AWAY" in result.stdout
    assert "the store of the fleet can't be used" in one.tool("doctor").stdout
    assert "spfrom_fleet_up 0" in one.tool("metrics").stdout
    fleet.store.start()
    fleet.agree(("off", "switch", False), 60)
    processes.wait_until(lambda: "verdicts flushed: all, as another host was told" in one.log(), 30, "the flush")


def test_emptied(fleet):
    """Whole again soon, with the switch."""
    one, two = fleet.hosts
    one.tool("mode", "log-only")
    fleet.agree(("log-only", "switch", False))
    fleet.store.talk("FLUSHALL")
    processes.wait_until(lambda: b"log-only" in fleet.store.talk("HVALS", "spfrom:mode"), 30, "the switch")
    fleet.wait_for_hosts()
    assert one.tool("fleet").returncode == 0
    assert fleet.modes() == [("log-only", "switch", False)] * 2


GARBAGE = [b"", b"{", b"\xff\0", b'{"v":1}', b'{"v":2,"at":9,"host":"x"}', b'{"v":0,"at":9,"host":"x","mode":"off"}',
           b'{"v":1,"at":1e300,"host":"x","mode":"off"}',
           b'{"v":1,"at":9999999999999999,"host":"x","mode":"off"}', b'{"v":1,"at":99999999999999,"host":"x","mode":"dream"}', b"[" * 20000]


def test_garbage_and_wrong_types(fleet):
    one, two = fleet.hosts
    for i, octets in enumerate(GARBAGE):
        fleet.store.talk("HSET", "spfrom:mode", f"evil{i}", octets)
        fleet.store.talk("HSET", "spfrom:hosts", f"evil{i}", octets)
    fleet.store.talk("XADD", "spfrom:flush", "*", "nothing", "x")
    fleet.store.talk("XADD", "spfrom:flush", "*", "domain", "x" * 3000, "host", "\xff")
    one.tool("mode", "log-only")
    fleet.agree(("log-only", "switch", False))
    assert one.tool("fleet").returncode == 0
    for key in ("mode", "hosts", "flush"):
        fleet.store.talk("DEL", f"spfrom:{key}")
        fleet.store.talk("LPUSH", f"spfrom:{key}", "x")
    result = two.tool("mode", "off")
    assert result.returncode == 0 and not result.stderr
    fleet.agree(("off", "switch", False))
    assert not two.tool("flush", "praxis-ohne.de").stderr
    processes.wait_until(lambda: "verdicts flushed: domain=praxis-ohne.de, as another host was told" in one.log(), 30, "the flush")
    fleet.wait_for_hosts()
    assert ask_control(one, "status")["fleet"]["up"] is True


def test_clock_of_the_store_behind(fleet):
    """As after a fail-over to a member that lacks the last flushes and whose clock is behind: one that is made now is seen."""
    one, two = fleet.hosts
    later = int(time.time() * 1000) + 3600_000
    fleet.store.talk("XADD", "spfrom:flush", f"{later}-0", "domain", "spaeter.example", "host", "mx3.example")
    for host in fleet.hosts:
        host.wait_for_line("verdicts flushed: domain=spaeter.example", 30)
    fleet.store.talk("DEL", "spfrom:flush")
    assert not one.tool("flush", "praxis-ohne.de").stderr
    two.wait_for_line("verdicts flushed: domain=praxis-ohne.de", 30)
    assert not two.tool("flush", "praxis-mueller.de").stderr
    one.wait_for_line("verdicts flushed: domain=praxis-mueller.de", 30)


def shared(store, domain):
    """The verdict on domain that the store has, as text; empty without one."""
    keys = re.findall(rb"spfrom:verdict:\S+", store.talk("KEYS", f"spfrom:verdict:*:{domain}"))
    return store.talk("GET", keys[0]).decode() if keys else ""


def test_flush_and_one_question(directory):
    """A domain is asked for once in a fleet; once it is flushed, it is asked for anew, by whichever host."""
    with FaultyDns({f"d{i}.example": OURS for i in range(20)}) as dns, \
            Fleet(directory / "fleet-dns", zone=None, dns_servers=[dns.server]) as fleet:
        one, two = fleet.hosts

        def send(host, domain):
            ask(host.address, [("From", f"x@{domain}")], sender=f"x@{domain}")
        for i in range(20):
            send(fleet.hosts[i % 2], f"d{i}.example")
        # What DNS gave is written there without anybody waiting.
        processes.wait_until(lambda: all(shared(fleet.store, f"d{i}.example") for i in range(20)), 30, "the verdicts")
        for i in range(20):
            send(fleet.hosts[1 - i % 2], f"d{i}.example")
        assert [dns.count(f"d{i}.example") for i in range(20)] == [1] * 20
        assert two.wait_for_record(domain="d0.example")["cache"] == "fleet"
        assert not one.tool("flush", "d0.example").stderr
        processes.wait_until(lambda: "verdicts flushed: domain=d0.example" in two.log(), 30, "the flush")
        dns.behaviours["d0.example"] = Txt(["v=spf1 -all"])
        assert ask(two.address, [("From", "x@d0.example")], sender="x@d0.example").edits
        processes.wait_until(lambda: '"fail"' in shared(fleet.store, "d0.example"), 30, "the new verdict")
        send(one, "d0.example")
        assert dns.count("d0.example") == 2
        two.kill()
        two.start()
        fleet.wait_for_store()  # the daemon itself waits for a second only
        for i in range(20):
            send(two, f"d{i}.example")
        assert sum(dns.count(f"d{i}.example") for i in range(20)) == 21


UNLIKE = [  # settings, and whether the record below authorises a host with them
    ({"relay_hosts": ["192.0.2.25"]}, True),
    ({"relay_hosts": ["192.0.2.26"]}, False),
    ({"relay_hosts": ["192.0.2.25", "192.0.2.26"]}, False),
    ({"relay_hosts": ["192.0.2.25", "192.0.2.26"], "relay_policy": "any"}, True),
]


def test_verdicts_of_unlike_hosts(directory):
    """Hosts with other relays or another policy share a store, a mode and a report, but no verdict; like ones do."""
    zone = "".join(f'd{i}.example. 3600 TXT "v=spf1 ip4:192.0.2.25 -all"\n' for i in range(len(UNLIKE)))
    fleet = Fleet(directory / "fleet-unlike", count=2 * len(UNLIKE), zone=zone)
    for i, host in enumerate(fleet.hosts):
        host.settings.update(UNLIKE[i % len(UNLIKE)][0])
    with fleet:
        for first in range(len(UNLIKE)):
            domain = f"d{first}.example"
            for turn in range(len(fleet.hosts)):
                kind = (first + turn) % len(UNLIKE)
                host = fleet.hosts[kind + turn // len(UNLIKE) * len(UNLIKE)]
                is_authorised = not ask(host.address, [("From", f"x@{domain}")], sender=f"x@{domain}").edits
                assert is_authorised == UNLIKE[kind][1], (domain, host.settings)
                assert host.wait_for_record(domain=domain)["cache"] == ("miss" if turn < len(UNLIKE) else "fleet")
                wanted = b"*%d\r\n" % min(turn + 1, len(UNLIKE))
                processes.wait_until(lambda: fleet.store.talk("KEYS", f"spfrom:verdict:*:{domain}").startswith(wanted), 30, "the verdict")


def test_clock_ahead(directory, monkeypatch):
    """By 10 minutes: the others can switch back all the same, and are seen."""
    if re.search(b"__[at]san_init", (paths.BUILDDIR / "spfrom-milter").read_bytes()):
        pytest.skip("a sanitizer stands between the program and its clock")
    ahead = directory / "fleet_clock"
    ahead.write_bytes(struct.pack("=q", 600))
    shim = compile_c(paths.SRCDIR / "tests/integration/wall_clock_shim.c", directory / "fleet_clock_shim.so", "-fPIC", "-shared")
    fleet = Fleet(directory / "fleet-clock")
    one, two = fleet.hosts
    start = one.start

    def start_ahead():
        monkeypatch.setenv("LD_PRELOAD", str(shim))
        monkeypatch.setenv("WALL_CLOCK_FILE", str(ahead))
        start()
        monkeypatch.undo()
    one.start = start_ahead
    with fleet:
        one.tool("mode", "off")
        fleet.agree(("off", "switch", False))
        two.tool("mode", "log-only")
        fleet.agree(("log-only", "switch", False))
        two.tool("mode", "--clear")
        fleet.agree(("rewrite", "configuration", False))
        for host in fleet.hosts:
            processes.wait_until(lambda: roll(host)["agree"], 30, "all to be seen")


def test_many_switches(directory, is_full_length):
    """From three hosts at once: the same state on all afterwards."""
    count = 1000 if is_full_length else 100
    with Fleet(directory / "fleet-many", count=3) as fleet:
        def switch(host, number):
            with ControlClient(host.control_socket) as client:
                for i in range(count // 3 + 1):
                    mode = ("off", "log-only", "rewrite", None)[(i + number) % 4]
                    answer = client.ask("mode", **({"mode": mode} if mode else {"clear": True}))
                    assert answer["ok"], answer
        threads = [threading.Thread(target=switch, args=(host, i)) for i, host in enumerate(fleet.hosts)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()

        def last():
            modes = [ask_control(host, "mode", detail=True) for host in fleet.hosts]
            wanted = {key: modes[0][key] for key in ("mode", "by", "until", "since")}
            return all({key: mode[key] for key in wanted} == wanted for mode in modes)

        def kept():
            files = [host.directory / "state" / "mode.json" for host in fleet.hosts]
            return len({file.exists() and json.dumps(json.loads(file.read_text())["last"], sort_keys=True) for file in files}) == 1
        processes.wait_until(lambda: last() and kept(), 30, "the same state, and the same on the disk")


def test_what_was_missed(fleet):
    """A host that was down takes over what it missed, and keeps what is later."""
    one, two = fleet.hosts
    two.tool("mode", "off")
    fleet.agree(("off", "switch", False))
    two.stop()
    processes.wait_until(lambda: any(host["stopped"] for host in roll(one)["hosts"]), 30, "the clean stop")
    one.tool("mode", "log-only")
    two.start()
    fleet.agree(("log-only", "switch", False))
    one.stop()
    fleet.store.talk("FLUSHALL")
    two.tool("mode", "--clear")
    one.start()
    fleet.agree(("rewrite", "configuration", False))


def test_roll(directory):
    """Who differs, and in what; who is gone; who shares a name."""
    with Fleet(directory / "fleet-roll", count=3) as fleet:
        one, two, three = fleet.hosts
        result = one.tool("fleet")
        assert result.returncode == 0, result.stdout
        assert result.stdout.count(" messages a minute") == 3 and "store: redis://127.0.0.1" in result.stdout
        two.settings.update(reply_to="never", relay_hosts=["192.0.2.26"], log_level="info")
        two.write_configuration()
        assert two.tool("reload").returncode == 0
        differs = [[], ["relay set", "relay_hosts", "reply_to"], []]
        processes.wait_until(lambda: [host["differs"] for host in roll(one)["hosts"]] == differs, 30, "the difference")
        answer = json.loads(one.tool("fleet", "--json").stdout)
        assert [host["differs"] for host in answer["hosts"]] == differs
        assert answer["store"]["up"] and answer["store"]["round_trip_ms"] > 0
        assert "DIFFERS: relay set" in one.tool("fleet").stdout
        with PrivateWeb(one) as web:
            page = web.get("/fleet").text
            assert all(f"mx{i}.example" in page for i in (1, 2, 3)) and "differ</span> relay set, relay_hosts, reply_to" in page
            assert "abweichend</span> relay set" in web.get("/fleet?lang=de").text
            overview = web.get("/").text
            assert "Hosts of the fleet differ from the others." in overview and "mx2.example" in overview
        processes.wait_until(lambda: ask_control(one, "status")["fleet"]["differing"] == ["mx2.example"], 30, "the status")
        assert "hosts of the fleet that differ: mx2.example" in one.tool("doctor").stdout
        assert "mx2.example" in one.tool("status").stdout
        assert 'spfrom_fleet_requests_total{outcome="ok"}' in one.tool("metrics").stdout
        three.kill()
        three.process = None
        unknown = one.tool("fleet", "--forget", "nobody")
        assert unknown.returncode == 1 and 'no host "nobody" is in the fleet' in unknown.stderr and not unknown.stdout
        assert one.tool("fleet", "--forget", "mx3.example").returncode == 0
        assert len(roll(one)["hosts"]) == 2
        three.settings["hostname"] = "mx1.example"
        three.start()
        processes.wait_until(lambda: "another host has the name mx1.example too" in one.log() + three.log(), 30, "the two")
        processes.wait_until(lambda: any(host["double"] for host in roll(two)["hosts"]), 30, "the two in the list")
        assert "TWO HOSTS" in two.tool("fleet").stdout
    assert one.tool("fleet").returncode == 69


def test_alone(daemons):
    daemon = daemons.start()
    result = daemon.tool("fleet")
    assert result.returncode == 0 and "alone" in result.stdout
    assert "here" not in ask_control(daemon, "mode")
    assert "spfrom_fleet" not in daemon.tool("metrics").stdout
    assert daemon.tool("mode", "off", "--here").returncode == 0
    assert ask_control(daemon, "mode")["here"] is True
    daemon.tool("mode", "--clear")
    assert ask_control(daemon, "mode")["mode"] == "off"
    daemon.tool("mode", "--clear", "--here")
    assert ask_control(daemon, "mode")["mode"] == "rewrite" and not list((daemon.directory / "state").glob("mode*"))


def test_reload(fleet):
    """The same store goes on, another one is taken, none lets this host be alone."""
    one, two = fleet.hosts
    one.tool("mode", "off")
    fleet.agree(("off", "switch", False))
    assert one.tool("reload").returncode == 0
    since = ask_control(one, "status")["fleet"]["since"]
    assert ask_control(one, "status")["fleet"]["up"] is True
    one.settings["fleet_name"] = "other"
    one.write_configuration()
    assert one.tool("reload").returncode == 0
    processes.wait_until(lambda: ask_control(one, "status")["fleet"]["hosts"] == 1, 30, "the other fleet")
    assert ask_control(one, "status")["fleet"]["since"] >= since
    assert b"off" in fleet.store.talk("HVALS", "other:mode")
    one.settings["fleet"] = []
    one.write_configuration()
    assert one.tool("reload").returncode == 0
    assert ask_control(one, "status")["fleet"]["up"] is None and "host" not in ask_control(one, "mode")


@pytest.mark.parametrize("text, mode, word", [
    (None, 0o600, "can't be read: No such file"),
    ("secret\n", 0o644, "is open to others"),
    ("\n", 0o600, "is empty"),
], ids=["missing", "open", "empty"])
def test_password_file(directory, text, mode, word):
    """A configuration error, with its place, at -t, at the start and on a reload."""
    file = directory / f"password-{mode:o}-{text is None}-{len(text or '')}"
    if text is not None:
        file.write_text(text)
        file.chmod(mode)
    daemon = Spfrom(directory / f"{file.name}.d", ZONE_FILE, fleet=["unix:/nowhere"], fleet_password_file=file)
    daemon.write_configuration()
    place = rf"spfrom.conf:\d+: fleet_password_file: {re.escape(str(file))} .*{re.escape(word)}"
    for options in (["-t"], ["-f"]):
        result = subprocess.run([paths.MILTER, *options, "-c", daemon.configuration_file], capture_output=True, text=True,
                                timeout=30, check=False)
        assert result.returncode == 78 and re.search(place, result.stderr), result.stderr
    assert "secret" not in result.stderr
