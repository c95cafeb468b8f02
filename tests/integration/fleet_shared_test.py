"""What the hosts of a fleet tell each other besides the mode and verdicts: return addresses and their ledgers (design
sections 16, 17 and 19), with a real store."""

import base64
import contextlib
import datetime
import hashlib
import hmac
import json
import os
import re
import signal
import socket
import sqlite3
import time

import pytest

from conftest import need
from lab import paths
from lab import private_store
from lab import processes
from lab.cases import OHNE
from lab.control_client import ask_control
from lab.milter_client import MilterClient
from lab.private_store import PrivateStore
from lab.private_web import PrivateWeb
from lab.spfrom import Spfrom
from lab.zone import ZONE_FILE

PATIENCE = 60  # the minute within which all hosts agree again
KEY = bytes(range(32))
PASSWORD = "geheim"
TODAY = (datetime.date.today() - datetime.date(1970, 1, 1)).days
ANNA, BERT = "Anna@praxis-mueller.de", '"b t"@praxis-mueller.de'


def token_of(author):
    plain = author.replace('"', "").lower()
    return base64.b32encode(hmac.digest(KEY, plain.encode(), hashlib.sha256)[:10]).decode().lower()


UNKNOWN = token_of("nobody@praxis-mueller.de")


@pytest.fixture(scope="module", autouse=True)
def needs_store():
    need(private_store.why_not())


def rights():
    """The store's user, as the README has it."""
    [line] = re.findall("^    (user spfrom on .*)$", (paths.SRCDIR / "README.md").read_text(), re.MULTILINE)
    return line.replace("PASSWORD", PASSWORD)


class Fleet:
    """A store and two daemons with one return.key, which have no rights but those that they need."""

    def __init__(self, directory):
        directory.mkdir()
        self.store = PrivateStore(directory / "store", rights())
        self._password_file = directory / "password"
        self._password_file.write_text(PASSWORD + "\n")
        self._password_file.chmod(0o600)
        if os.geteuid() == 0:
            os.chown(self._password_file, 65534, 65534)
        self.hosts = [self._host(directory / f"mx{i}", f"mx{i}.example") for i in (1, 2)]

    def _host(self, directory, name):
        host = Spfrom(directory, ZONE_FILE, fleet=[f"redis://spfrom@127.0.0.1:{self.store.port}"], fleet_timeout="2s",
                      fleet_password_file=self._password_file, hostname=name, return_address="bounce+%t@lemniscus.de",
                      return_socket=f"inet:{processes.free_port()}@127.0.0.1")
        state = host.directory / "state"
        state.mkdir()
        (state / "return.key").write_bytes(KEY)
        (state / "return.key").chmod(0o600)
        if os.geteuid() == 0:
            for path in (state, state / "return.key"):
                os.chown(path, 65534, 65534)
        return host

    def __enter__(self):
        with contextlib.ExitStack() as stack:
            stack.enter_context(self.store)
            for host in self.hosts:
                stack.enter_context(host)
            self._stack = stack.pop_all()
        return self

    def __exit__(self, *exception):
        return self._stack.__exit__(*exception)


@pytest.fixture(scope="module")
def fleet(directory):
    with Fleet(directory / "shared") as fleet:
        for host in fleet.hosts:
            processes.wait_until(lambda: host.tool("report", "--here").returncode == 0, PATIENCE, "a ledger")
        yield fleet


def is_made(file):
    if not file.exists():
        return False
    with contextlib.closing(sqlite3.connect(file, timeout=20)) as database:
        return database.execute("PRAGMA user_version").fetchone() == (1,)


def add_row(host, author):
    """Past the daemon, which finds it when it looks through all rows."""
    file = host.directory / "state" / "return.db"
    processes.wait_until(lambda: is_made(file), PATIENCE, "return.db")
    with contextlib.closing(sqlite3.connect(file, timeout=20)) as database, database:
        database.execute("INSERT OR IGNORE INTO addresses VALUES (?, ?, ?)", (token_of(author), author, TODAY))


def look_up(host, token):
    """What return_socket answers."""
    port = int(host.settings["return_socket"].partition("@")[0].partition(":")[2])
    question = f"return bounce+{token}@lemniscus.de".encode()
    with socket.create_connection(("127.0.0.1", port), PATIENCE) as client:
        client.sendall(b"%d:%s," % (len(question), question))
        return client.recv(1000).decode().partition(":")[2].rstrip(",")


def wait_for(host, token, wanted):
    processes.wait_until(lambda: look_up(host, token).startswith(wanted), PATIENCE,
                         f"{wanted} for {token}, not {look_up(host, token)}")


@pytest.mark.address
@pytest.mark.thread
def test_every_host_finds_the_author(fleet):
    one, two = fleet.hosts
    for author in (ANNA, BERT):
        add_row(one, author)
    fleet.store.talk("FLUSHALL")  # so that it is filled again with all rows
    for author in (ANNA, BERT):
        wait_for(two, token_of(author), f"OK {author}")
    assert int(fleet.store.talk("TTL", f"spfrom:return:{token_of(ANNA)}").strip()[1:]) > 399 * 86400
    wait_for(two, UNKNOWN, "NOTFOUND")
    assert json.loads(two.tool("resolve", "--json", token_of(ANNA)).stdout)["author"] == ANNA


@pytest.mark.address
@pytest.mark.parametrize("value", [
    json.dumps({"v": 1, "address": "eve@evil.example", "day": TODAY}),
    json.dumps({"v": 1, "address": "anna@praxis-mueller.de, eve@evil.example", "day": TODAY}),
    json.dumps({"v": 2, "address": "nobody@praxis-mueller.de", "day": TODAY}),
    json.dumps({"v": 1, "address": "nobody@praxis-mueller.de"}),
    "nobody@praxis-mueller.de", b"\xff\0\r\n", "{" * 20000,
], ids=["other", "two", "version", "day", "text", "octets", "long"])
def test_nobody_else_leads_an_address_anywhere(fleet, value):
    """Only an address that the token is of counts; anything else is as if nothing were there."""
    fleet.store.talk("SET", f"spfrom:return:{UNKNOWN}", value)
    wait_for(fleet.hosts[1], UNKNOWN, "NOTFOUND")
    fleet.store.talk("SET", f"spfrom:return:{UNKNOWN}", json.dumps({"v": 1, "address": "nobody@praxis-mueller.de", "day": TODAY}))
    wait_for(fleet.hosts[1], UNKNOWN, "OK nobody@praxis-mueller.de")
    fleet.store.talk("DEL", f"spfrom:return:{UNKNOWN}")


@pytest.mark.address
def test_a_key_of_another_type(fleet):
    fleet.store.talk("DEL", "spfrom:returns")
    fleet.store.talk("SET", "spfrom:returns", "x")
    fleet.store.talk("LPUSH", f"spfrom:return:{UNKNOWN}", "x")
    wait_for(fleet.hosts[1], UNKNOWN, "NOTFOUND")
    fleet.store.talk("DEL", f"spfrom:return:{UNKNOWN}")


def has_told_all(host, name):
    """As another host sees it."""
    return [each["unsent"] for each in ask_control(host, "fleet")["hosts"] if each["host"] == name] == [False]


def test_trouble_is_temporary(fleet):
    """While the store, or a host, can't be asked, nobody knows that a token was never given out."""
    one, two = fleet.hosts
    add_row(one, ANNA)
    processes.wait_until(lambda: has_told_all(two, "mx1.example"), PATIENCE, "both hosts to be seen")
    fleet.store.signal(signal.SIGSTOP)
    begin = time.monotonic()
    assert look_up(two, UNKNOWN).startswith("TEMP ")
    assert look_up(two, UNKNOWN).startswith("TEMP ")
    assert time.monotonic() - begin < 15
    assert look_up(one, token_of(ANNA)) == f"OK {ANNA}"
    fleet.store.signal(signal.SIGCONT)
    wait_for(two, UNKNOWN, "NOTFOUND")
    fleet.store.talk("FLUSHALL")
    assert look_up(two, UNKNOWN).startswith("TEMP ")
    wait_for(two, UNKNOWN, "NOTFOUND")
    processes.wait_until(lambda: has_told_all(two, "mx1.example"), PATIENCE, "mx1 to have told all")
    one.kill()
    wait_for(two, UNKNOWN, "TEMP ")
    assert look_up(two, token_of(ANNA)) == f"OK {ANNA}"
    assert two.tool("fleet", "--forget", "mx1.example").returncode == 0
    wait_for(two, UNKNOWN, "NOTFOUND")
    one.start()
    processes.wait_until(lambda: has_told_all(two, "mx1.example"), PATIENCE, "mx1 to have told all")
    one.kill()
    wait_for(two, UNKNOWN, "TEMP ")
    fleet.store.talk("HDEL", "spfrom:hosts", "mx1.example")  # nothing of it is left in the store, and two waits for it
    fleet.store.talk("HDEL", "spfrom:returns", "mx1.example")
    assert two.tool("fleet", "--forget", "mx1.example").returncode == 0
    wait_for(two, UNKNOWN, "NOTFOUND")
    one.start()
    processes.wait_until(lambda: has_told_all(two, "mx1.example"), PATIENCE, "mx1 to have told all")
    wait_for(two, UNKNOWN, "NOTFOUND")
    assert one.stop() == 0
    time.sleep(6)  # by then a host that says nothing has trouble, unless it stopped as it was told to
    wait_for(two, UNKNOWN, "NOTFOUND")
    one.start()


def send(host, count):
    with MilterClient(host.address) as client:
        client.connect()
        for _ in range(count):
            assert client.message([("From", OHNE)]).answer == "continue"


def rows_of(host):
    return json.loads(host.tool("report", "--json").stdout)["domains"]


def total(host, *arguments):
    """Waits for a report that has all hosts in it: a busy store may be late."""
    def report():
        answer = host.tool("report", "--json", *arguments)
        assert answer.returncode == 0, answer.stderr
        return None if answer.stderr else answer.stdout
    return json.loads(processes.wait_until(report, PATIENCE, "a report with all hosts"))["total"]["messages"]


def agree(fleet, wanted):
    seen = []

    def is_seen():
        seen[:] = [total(host) for host in fleet.hosts]
        return seen == [wanted, wanted]
    with contextlib.suppress(TimeoutError):
        processes.wait_until(is_seen, PATIENCE, "the same report")
    assert seen == [wanted, wanted], [(total(host, "--here"), fleet.store.talk("HGETALL", f"spfrom:ledger:{number_of(host)}"),
                                       fleet.store.talk("HGETALL", f"spfrom:ledger:{number_of(host)}:{TODAY}"))
                                      for host in fleet.hosts]


def number_of(host):
    """The ledger's, by which the store keeps its rows."""
    with contextlib.closing(sqlite3.connect(host.directory / "state" / "ledger.db", timeout=20)) as database:
        return database.execute("SELECT id FROM identity").fetchone()[0]


@pytest.mark.address
@pytest.mark.thread
def test_report_over_all(fleet):
    """The exact sum on either host, also after an outage and a store that was emptied; --here is this host."""
    one, two = fleet.hosts
    send(one, 7)
    send(two, 5)
    agree(fleet, 12)
    assert (total(one, "--here"), total(two, "--here")) == (7, 5)
    [row] = json.loads(one.tool("report", "--json").stdout)["domains"]
    assert (row["domain"], row["rewritten"]) == ("praxis-ohne.de", 12)
    with PrivateWeb(one, "--here") as web:
        assert "praxis-ohne.de,7,0,7," in web.get("/domains.csv").text
    fleet.store.kill()
    send(one, 3)
    away = two.tool("report", "--json")
    assert json.loads(away.stdout)["total"]["messages"] == 5
    assert away.returncode == 0 and "not all of the fleet is in it" in away.stderr
    fleet.store.start()
    agree(fleet, 15)
    fleet.store.talk("FLUSHALL")
    agree(fleet, 15)


def test_sums_after_a_kill(fleet):
    """Nothing is counted twice, or lost; ledgers without rows leave the list."""
    one, _ = fleet.hosts
    before = total(one)
    fleet.store.talk("HSET", "spfrom:ledgers", "fedcba9876543210", "1", "no ledger", "1", *(x for i in range(600) for x in (i, 1)))
    send(one, 2)
    processes.wait_until(lambda: ask_control(one, "status")["ledger"]["waiting"] == 0, PATIENCE, "the ledger")
    one.kill()
    one.start()
    agree(fleet, before + 2)
    # Those that it looked at first; the rest an hour later.
    processes.wait_until(lambda: len(ledgers(fleet)) < 200, PATIENCE, "ledgers that are gone to leave the list")
    fleet.store.talk("HDEL", "spfrom:ledgers", "fedcba9876543210", "no ledger", *range(600))
    processes.wait_until(lambda: len(ledgers(fleet)) == 2, PATIENCE, "the two ledgers")
    assert total(one) == before + 2


def ledgers(fleet):
    return re.findall(rb"\$\d+\r\n([^\r]*)", fleet.store.talk("HKEYS", "spfrom:ledgers"))


@pytest.mark.address
def test_rows_that_nobody_wrote(fleet):
    """Garbage under our keys counts for nothing, and a key of another type is made anew."""
    before = total(fleet.hosts[0])
    other = "0123456789abcdef"
    fleet.store.talk("HSET", "spfrom:ledgers", other, "1", "nonsense", "1", "0" * 5000, "1")
    fleet.store.talk("HSET", f"spfrom:ledger:{other}", str(TODAY), "9", "x", "1", "-1", "1")
    fleet.store.talk("HSET", f"spfrom:ledger:{other}:{TODAY}", "4 1 a.example", "2 1 1 1", "4 1 b.example", "1 -5 1 1",
                     "99 1 c.example", "1 1 1 1", "4 99 d.example", "1 1 1 1", "4 1 e e.example", "1 1 1 1", "4 1 F.example", "1 1 1 1",
                     "4 1 g.example", "1 1 9 1", "4 1 h.example", "1 1 1", "4 1 i.example", "1 1 1 1 1", "x", "y", b"\xff\0", b"\0",
                     "4 1 j.example", "1 99999999999999999999 1 1")
    assert total(fleet.hosts[0]) == before
    now = int(time.time() * 1000)
    fleet.store.talk("HSET", f"spfrom:ledger:{other}:{TODAY}", "4 1 k.example", f"1 4 {now} {now}")
    assert total(fleet.hosts[0]) == before + 4
    fleet.store.talk("DEL", f"spfrom:ledger:{other}:{TODAY}", "spfrom:ledgers")
    fleet.store.talk("SET", "spfrom:ledgers", "x")
    agree(fleet, before)
    number = number_of(fleet.hosts[0])
    fleet.store.talk("SET", f"spfrom:ledger:{number}:{TODAY}", "x")  # before the sum goes, by which the host sees that it is to look
    fleet.store.talk("DEL", f"spfrom:ledger:{number}")
    agree(fleet, before)


@pytest.mark.address
@pytest.mark.thread
def test_made_by_a_message(fleet):
    """Told at once; what was made while the store was away, once it is back."""
    one, two = fleet.hosts
    before = total(one)
    send(one, 1)
    wait_for(two, token_of(OHNE), f"OK {OHNE}")
    fleet.store.kill()
    with MilterClient(one.address) as client:
        client.connect()
        client.message([("From", "andere@praxis-ohne.de")], "andere@praxis-ohne.de")
    assert look_up(one, token_of("andere@praxis-ohne.de")) == "OK andere@praxis-ohne.de"
    assert look_up(two, token_of("andere@praxis-ohne.de")).startswith("TEMP ")
    fleet.store.start()
    wait_for(two, token_of("andere@praxis-ohne.de"), "OK andere@praxis-ohne.de")
    agree(fleet, before + 2)


def test_what_came_back_is_counted(fleet):
    """A bounce through a host that did not give the address out."""
    one, two = fleet.hosts
    send(one, 1)
    wait_for(two, token_of(OHNE), f"OK {OHNE}")
    with MilterClient(two.address) as client:
        client.connect(address="203.0.113.7")
        client.message([("From", "MAILER-DAEMON@gmx.de")], "", recipients=(f"bounce+{token_of(OHNE)}@lemniscus.de",))
    processes.wait_until(lambda: [row["returned"] for row in rows_of(one) if row["domain"] == "praxis-ohne.de"] == [1], PATIENCE,
                         "the bounce in the other host's report")


@pytest.mark.address
@pytest.mark.thread
def test_rights_that_are_needed(fleet):
    """What else a host does with the store; nothing was refused to it in all of these tests."""
    one, two = fleet.hosts
    assert not one.tool("mode", "log-only").stderr
    processes.wait_until(lambda: ask_control(two, "mode")["mode"] == "log-only", PATIENCE, "the switch")
    assert not two.tool("mode", "--clear").stderr
    assert not one.tool("flush").stderr and not one.tool("flush", "praxis-ohne.de").stderr
    send(two, 1)
    assert two.tool("fleet").returncode in (0, 1)
    fleet.store.talk("SET", "spfrom:mode", "x")  # a poisoned key is made anew
    fleet.store.talk("SET", "spfrom:flush", "x")
    fleet.store.talk("SET", "spfrom:hosts", "x")
    assert not one.tool("mode", "off").stderr
    processes.wait_until(lambda: ask_control(two, "mode")["mode"] == "off", PATIENCE, "the switch")
    one.tool("mode", "--clear")
    assert fleet.store.talk("ACL", "LOG") == b"*0\r\n", fleet.store.talk("ACL", "LOG")
