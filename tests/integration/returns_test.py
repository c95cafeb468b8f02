"""The way back: what return_socket answers to Postfix, Sendmail and strangers, and a store that fails and heals."""

import base64
import contextlib
import csv
import ctypes
import datetime
import hashlib
import io
import json
import os
import re
import smtplib
import socket
import sqlite3
import subprocess
import threading
import time
from types import SimpleNamespace

import pytest

from conftest import fill_disk
from conftest import need
from lab import paths
from lab import private_postfix
from lab import private_sendmail
from lab import processes
from lab.control_client import ask_control
from lab.metrics_read import metrics_of
from lab.milter_client import MilterClient
from lab.milter_client import ask as ask_milter
from lab.private_postfix import PrivatePostfix
from lab.private_sendmail import PrivateSendmail
from lab.private_web import PrivateWeb
from lab.refusing import refusing_server
from lab.sink import Sink
from lab.spfrom import Spfrom
from lab.zone import ZONE_FILE

pytestmark = pytest.mark.thread

PATIENCE = 60  # seconds until a test gives up
TODAY = (datetime.date.today() - datetime.date(1970, 1, 1)).days
TOKEN, QUOTED, ENDED, UNKNOWN = "k3vqj6mz2h7xw4ba", "abcdefghijklmnop", "eeeeeeeeeeeeeeee", "zzzzzzzzzzzzzzzz"
ROWS = [(TOKEN, "Mueller@praxis-mueller.de", TODAY), (QUOTED, '"a b"@praxis-mueller.de', TODAY - 3),
        (ENDED, "old@praxis-mueller.de", TODAY - 401)]
AUTHOR = ROWS[0][1]


def settings_of(place):
    return {"return_address": "bounce+%t@lemniscus.de", "fallback_address": "noreply+%t@lemniscus.de", "return_socket": place}


def store_of(daemon):
    return daemon.directory / "state" / "return.db"


def is_store_made(daemon):
    if not store_of(daemon).exists():
        return False
    with contextlib.closing(sqlite3.connect(store_of(daemon), timeout=20)) as database:
        return database.execute("PRAGMA user_version").fetchone() == (1,)


def add_rows(daemon):
    processes.wait_until(lambda: is_store_made(daemon), PATIENCE, "return.db")
    with contextlib.closing(sqlite3.connect(store_of(daemon), timeout=20)) as database, database:
        database.executemany("INSERT OR IGNORE INTO addresses VALUES (?, ?, ?)", ROWS)


def port_of(daemon):
    return int(re.match(r"inet:(\d+)@", daemon.settings["return_socket"])[1])


def connect(daemon):
    client = socket.create_connection(("127.0.0.1", port_of(daemon)), PATIENCE)
    return client


def netstring(text):
    octets = text if isinstance(text, bytes) else text.encode()
    return b"%d:%s," % (len(octets), octets)


def read_netstring(stream):
    """One answer, None at the end."""
    length = b""
    while (octet := stream.read(1)) not in (b":", b""):
        length += octet
    if octet == b"":
        return None
    text = stream.read(int(length) + 1)
    assert text.endswith(b",")
    return text[:-1].decode()


def ask(daemon, *keys):
    """Asks all at once; returns the answers."""
    with connect(daemon) as client, client.makefile("rb") as stream:
        client.sendall(b"".join(netstring(f"return {key}") for key in keys))
        return [read_netstring(stream) for _ in keys]


@pytest.fixture(scope="module")
def daemon(daemons):
    started = daemons.start(**settings_of(f"inet:{processes.free_port()}@127.0.0.1"))
    add_rows(started)
    return started


ANSWERS = [
    (f"bounce+{TOKEN}@lemniscus.de", AUTHOR),
    (f"noreply+{TOKEN}@lemniscus.de", AUTHOR),
    (f"Bounce+{TOKEN.upper()}@Lemniscus.DE", AUTHOR),
    (f"bounce+{QUOTED}@lemniscus.de", ROWS[1][1]),
    (f"bounce+{UNKNOWN}@lemniscus.de", None),
    (f"bounce+{ENDED}@lemniscus.de", None),
    (f"bounce+{TOKEN}@praxis-mueller.de", None),
    (f"bounce+{TOKEN}@sub.lemniscus.de", None),
    (f"other+{TOKEN}@lemniscus.de", None),
    (f"bounce+{TOKEN}x@lemniscus.de", None),
    (f"bounce+{TOKEN[:-1]}1@lemniscus.de", None),
    (f"bounce +{TOKEN}@lemniscus.de", None),
    (f"bounce+{TOKEN}", None),
    ("bounce+@lemniscus.de", None),
    ("noreply@lemniscus.de", None),
    ("bounce", None),
    ("@lemniscus.de", None),
    ("lemniscus.de", None),
    (AUTHOR, None),
]


def test_answers(daemon):
    answers = ask(daemon, *(key for key, _ in ANSWERS))
    assert answers == [f"OK {author}" if author else "NOTFOUND " for _, author in ANSWERS]


def test_postmap(daemon, needs_postfix, directory):
    """What Postfix makes of the answers: nothing of them is an error to it."""
    postfix = PrivatePostfix(directory / "postfix-map", 1)
    postfix._make_directories()
    postfix._write_configuration()
    where = f"socketmap:inet:127.0.0.1:{port_of(daemon)}:return"
    for key, author in ANSWERS:
        found = postfix.command("postmap", "-q", key, where)
        assert (found.returncode, found.stdout, found.stderr) == ((0, author + "\n", "") if author else (1, "", "")), key


def test_sendmail_map(daemon, directory):
    need(private_sendmail.why_not())
    sendmail = PrivateSendmail(directory / "sendmail-map", 1,
                               extra_mc=f"LOCAL_CONFIG\nKreturn socket -T<TMPF> inet:{port_of(daemon)}@127.0.0.1\n")
    sendmail.configure()
    keys = "".join(f"/map return {key}\n" for key, _ in ANSWERS if " " not in key)
    answer = sendmail.sendmail(keys.encode(), "-C", sendmail.directory / "sendmail.cf", "-bt").stdout.decode()
    found = re.findall(r"map_lookup: return \(.*?\) (?:returns (.*) \(0\)|(no match) \(\d+\))", answer)
    assert [author or None for author, _ in found] == [author for key, author in ANSWERS if " " not in key], answer


def test_status_and_metrics(daemon):
    before = ask_control(daemon, "status")["returns"]
    ask(daemon, f"bounce+{TOKEN}@lemniscus.de", f"bounce+{UNKNOWN}@lemniscus.de", "x")
    after = ask_control(daemon, "status")["returns"]
    assert after["found"] - before["found"] == 1 and after["unknown"] - before["unknown"] == 2
    assert after["address"] == "bounce+%t@lemniscus.de" and after["socket"] == daemon.settings["return_socket"]
    assert after["file"] == str(store_of(daemon)) and after["error"] is None
    assert processes.wait_until(lambda: ask_control(daemon, "status")["returns"]["authorised"], PATIENCE, "the verdict") is True
    text = daemon.tool("status").stdout
    assert re.search(r"way back +bounce\+%t@lemniscus.de\n +addresses +\d+\n +socket +inet:\d+@127.0.0.1; asked: \d+ found, \d+ unknown\n",
                     text), text
    metrics = metrics_of(daemon)
    assert metrics["spfrom_return_lookups_total"]["found"] >= after["found"]
    assert metrics["spfrom_return_lookups_total"]["unknown"] >= after["unknown"]
    assert "spfrom_return_addresses" in metrics


def resolve(daemon, *arguments):
    answer = daemon.tool("resolve", *arguments)
    return answer.returncode, answer.stdout, answer.stderr


def test_resolve(daemon):
    """By the daemon, and by the files once it is gone, with the same words."""
    address = f"bounce+{TOKEN}@lemniscus.de"
    today = (datetime.date(1970, 1, 1) + datetime.timedelta(TODAY)).isoformat()
    known = {"query": address, "known": True, "author": AUTHOR, "token": TOKEN, "last_used": today,
             "addresses": [address, f"noreply+{TOKEN}@lemniscus.de"]}
    for where in (daemon, SimpleNamespace(tool=lambda *words: without_daemon(daemon, *words))):
        status, text, _ = resolve(where, "--json", address)
        assert (status, json.loads(text)) == (0, known)
        status, text, _ = resolve(where, "--json", TOKEN.upper(), f"bounce+{UNKNOWN}@lemniscus.de")
        assert status == 1 and json.loads(text) == [
            {**known, "query": TOKEN.upper()},
            {"query": f"bounce+{UNKNOWN}@lemniscus.de", "known": False, "author": None, "token": UNKNOWN, "last_used": None,
             "addresses": []}]
        assert resolve(where, address) == (
            0, f"{address}: {AUTHOR}, last used {today}\n  addresses: {address}, noreply+{TOKEN}@lemniscus.de\n", "")
        status, text, _ = resolve(where, "--json", "anna@praxis-mueller.de")
        found = json.loads(text)
        assert status == 1 and not found["known"] and found["author"] == "anna@praxis-mueller.de"
        assert found["addresses"] == [f"{name}+{found['token']}@lemniscus.de" for name in ("bounce", "noreply")]
        assert resolve(where, f"bounce+{ENDED}@lemniscus.de")[0] == 1
        assert resolve(where, "x y")[0] == resolve(where)[0] == 2


def without_daemon(daemon, *words):
    """Runs the tool with a control socket that nobody listens on."""
    file = daemon.directory / "without.conf"
    file.write_text(daemon.configuration_file.read_text().replace(str(daemon.control_socket), str(daemon.directory / "none.sock")))
    return subprocess.run([paths.TOOL, "-c", file, *words], capture_output=True, text=True)


def test_domains_that_do_not_fit(daemons):
    """A return domain that authorises nobody, and one that is not aligned, are told in the log and the status."""
    place = f"inet:{processes.free_port()}@127.0.0.1"
    daemon = daemons.start(return_address="%t@bounce.lemniscus.de", return_socket=place)
    processes.wait_until(lambda: ask_control(daemon, "status")["returns"]["authorised"] is False, PATIENCE, "the verdict")
    daemon.wait_for_line("the return domain itself does not authorise the relays: return_address=%t@bounce.lemniscus.de spf=none")
    assert re.search("\n  its domain +NOT authorised", daemon.tool("status").stdout)
    daemon.settings["return_address"] = "bounce+%t@praxis-mueller.de"
    daemon.write_configuration()
    assert daemon.tool("reload").returncode == 0
    daemon.wait_for_line("return_address: bounce+%t@praxis-mueller.de is of another domain than the fallback address")


def refusals(port, *recipients):
    """The codes that recipients get at RCPT."""
    with smtplib.SMTP("127.0.0.1", port, timeout=PATIENCE) as client:
        client.ehlo()
        client.mail("")
        return [client.rcpt(recipient)[0] for recipient in recipients]


def send_bounce(port, recipient):
    with smtplib.SMTP("127.0.0.1", port, timeout=PATIENCE) as client:
        client.sendmail("", [recipient], "From: MAILER-DAEMON@elsewhere.example\r\nSubject: Undelivered\r\n\r\nNo.\r\n")


def test_through_postfix(daemon, directory, needs_postfix):
    """As the README has it: a subdomain of its own. What we gave out arrives at its author, the rest is refused at RCPT."""
    daemon.settings["return_address"] = "%t@bounce.lemniscus.de"
    daemon.write_configuration()
    assert daemon.tool("reload").returncode == 0
    socketmap = f"socketmap:inet:127.0.0.1:{port_of(daemon)}:return"
    known, unknown = (f"{token}@bounce.lemniscus.de" for token in (TOKEN, UNKNOWN))
    try:
        with Sink() as sink, PrivatePostfix(directory / "postfix-back", sink.port, virtual_alias_maps=socketmap,
                                            virtual_alias_domains="bounce.lemniscus.de") as postfix:
            assert refusals(postfix.port(), known, unknown, "anybody@elsewhere.example") == [250, 550, 250]
            send_bounce(postfix.port(), known)
            delivery = sink.take(AUTHOR, PATIENCE)
            assert delivery.sender == "" and delivery.addresses() == [AUTHOR]
    finally:
        daemon.settings["return_address"] = "bounce+%t@lemniscus.de"
        daemon.write_configuration()
        assert daemon.tool("reload").returncode == 0


def test_through_sendmail(daemon, directory):
    need(private_sendmail.why_not())
    map_line = f"LOCAL_DOMAIN(`lemniscus.de')dnl\nFEATURE(`virtusertable', `socket -T<TMPF> inet:{port_of(daemon)}@127.0.0.1')dnl\n"
    known, unknown = (f"bounce+{token}@lemniscus.de" for token in (TOKEN, UNKNOWN))
    with Sink() as sink, PrivateSendmail(directory / "sendmail-back", sink.port, extra_mc=map_line) as sendmail:
        assert refusals(sendmail.port(), known, unknown) == [250, 550]
        send_bounce(sendmail.port(), known)
        delivery = sink.take(AUTHOR, PATIENCE)
        assert delivery.sender == "" and delivery.addresses() == [AUTHOR]


def findings(daemon, *arguments):
    done = subprocess.run([paths.TOOL, "-c", daemon.configuration_file, "doctor", "--json", *map(str, arguments)],
                          capture_output=True, text=True, env=private_postfix.programs().environment)
    return {finding["check"]: finding for finding in json.loads(done.stdout)["findings"] if finding["check"].startswith("return")}


def levels(found):
    return {check: finding["level"] for check, finding in found.items()}


def test_doctor_and_postfix(daemon, needs_postfix, directory):
    """What is missing in main.cf is told with the command that mends it, and the mended one is right."""
    postfix = PrivatePostfix(directory / "postfix-doctor", 1)
    postfix._make_directories()
    postfix._write_configuration()
    postconf = private_postfix.programs().command("postconf")
    arguments = ("--postfix-config", postfix.etc, "--postconf", postconf)
    found = findings(daemon, *arguments)
    assert levels(found) == {"return-key": "fine", "return-mx": "error", "return-store": "fine", "return-map": "error",
                             "return-refused": "error"}
    assert found["return-refused"]["command"] is None  # as a virtual alias domain it would lose its other addresses
    own_domain = daemon.directory / "own-domain.conf"
    own_domain.write_text(daemon.configuration_file.read_text().replace("bounce+%t@", "%t@bounce.").replace("noreply+%t@", "noreply@"))
    own = findings(SimpleNamespace(configuration_file=own_domain), *arguments)
    assert "virtual_alias_domains=bounce.lemniscus.de" in own["return-refused"]["command"]
    mend = found["return-map"]["command"].split(" && ")[0]
    subprocess.run(["sh", "-c", mend], check=True, env=private_postfix.programs().environment)
    postfix.command("postconf", "-e", "virtual_alias_domains=lemniscus.de")
    os.utime(postfix.etc / "main.cf", (0, 0))
    found = findings(daemon, *arguments)
    assert levels(found) == {"return-key": "fine", "return-mx": "error", "return-store": "fine", "return-map": "fine",
                             "return-refused": "fine"}
    assert found["return-map"]["text"] == f"Postfix asks us by socketmap:inet:127.0.0.1:{port_of(daemon)}:return"
    postfix.command("postconf", "-e", "virtual_alias_domains=", "relay_domains=lemniscus.de")
    os.utime(postfix.etc / "main.cf", (0, 0))
    found = findings(daemon, *arguments)
    assert found["return-refused"]["level"] == "warning" and "relay_recipient_maps is empty" in found["return-refused"]["text"]


def test_doctor_and_sendmail(daemon, directory):
    need(private_sendmail.why_not())
    for name, line, level in (("with", f"FEATURE(`virtusertable', `socket -T<TMPF> inet:{port_of(daemon)}@127.0.0.1')dnl\n", "fine"),
                              ("without", "", "error")):
        sendmail = PrivateSendmail(directory / f"sendmail-doctor-{name}", 1, extra_mc=line)
        sendmail.configure()
        assert levels(findings(daemon, "--sendmail-cf", sendmail.directory / "sendmail.cf"))["return-map"] == level


def test_doctor_and_the_key(daemon):
    key = daemon.directory / "state" / "return.key"
    whole = key.read_bytes()
    assert len(whole) == 32
    try:
        key.write_bytes(whole[:31])
        found = findings(daemon)["return-key"]
        assert found["level"] == "error" and "is not 32 octets" in found["text"]
        key.write_bytes(whole)
        key.chmod(0o644)
        found = findings(daemon)["return-key"]
        assert found["level"] == "error" and "is open to others" in found["text"]
    finally:
        key.write_bytes(whole)
        key.chmod(0o600)


@pytest.mark.address
def test_netstrings_that_lie(daemon):
    known = netstring(f"return bounce+{TOKEN}@lemniscus.de")
    for wrong in (b"x", b"07:return ,", b"9999999999:", b"6:return,", b"7: return,", b"3:x y;", b"\0", b"GET / HTTP/1.1\r\n\r\n"):
        with connect(daemon) as client, client.makefile("rb") as stream:
            client.sendall(known + wrong)
            assert read_netstring(stream) == f"OK {AUTHOR}", wrong
            assert read_netstring(stream) is None, wrong
    with connect(daemon) as client, client.makefile("rb") as stream:
        client.sendall(netstring(b"return " + b"k" * 1000000) + netstring(b"return a\0b") + netstring(b"return \xff\xfe@\xff") + known)
        assert [read_netstring(stream) for _ in range(4)] == ["NOTFOUND ", "NOTFOUND ", "NOTFOUND ", f"OK {AUTHOR}"]
    assert daemon.is_running()


def test_slow_clients(daemon):
    """200 that stop in the middle of a request hold nobody up, and cost little."""
    before = daemon.memory()
    with contextlib.ExitStack() as stack:
        slow = [stack.enter_context(connect(daemon)) for _ in range(200)]
        for client in slow:
            client.sendall(b"40:return bou")
        begin = time.monotonic()
        assert ask(daemon, f"bounce+{TOKEN}@lemniscus.de") == [f"OK {AUTHOR}"]
        assert time.monotonic() - begin < 10
        assert daemon.memory() - before < 16 * 1024


def test_unix_socket_and_reload(daemons, directory):
    """The socket comes with the first token, by a reload too, and goes with the last one."""
    folder = directory / "return-socket-of-a-daemon"
    folder.mkdir()
    folder.chmod(0o777)
    place = folder / "return.sock"
    daemon = daemons.start(return_socket=f"unix:{place}")
    assert not place.exists() and not store_of(daemon).exists()
    configuration = daemon.configuration_file.read_text()
    daemon.configuration_file.write_text(configuration + 'return_address = "bounce+%t@lemniscus.de"\n')
    assert daemon.tool("reload").returncode == 0
    add_rows(daemon)
    with socket.socket(socket.AF_UNIX) as client:
        client.connect(str(place))
        client.settimeout(PATIENCE)
        client.sendall(netstring(f"x bounce+{TOKEN}@lemniscus.de"))
        assert read_netstring(client.makefile("rb")) == f"OK {AUTHOR}"
    daemon.configuration_file.write_text(configuration)
    assert daemon.tool("reload").returncode == 0
    with socket.socket(socket.AF_UNIX) as client, pytest.raises(ConnectionRefusedError):
        client.connect(str(place))


def test_a_store_that_is_gone(daemons):
    """Deleted, or no database: what is known is lost, and nothing else."""
    daemon = daemons.start(**settings_of(f"inet:{processes.free_port()}@127.0.0.1"))
    key = f"bounce+{TOKEN}@lemniscus.de"
    add_rows(daemon)
    assert ask(daemon, key) == [f"OK {AUTHOR}"]
    for path in store_of(daemon).parent.glob("return.db*"):
        path.unlink()
    processes.wait_until(store_of(daemon).exists, PATIENCE, "a new return.db")
    processes.wait_until(lambda: ask(daemon, key) == ["NOTFOUND "], PATIENCE, "a store that is empty")
    add_rows(daemon)
    assert ask(daemon, key) == [f"OK {AUTHOR}"]


def unauthorised(number):
    return f"a{number}@praxis-ohne.de"


def first_messages(daemon, numbers, seen):
    """Sends the first message of each author; seen gets those that were answered, with their envelope sender."""
    with contextlib.suppress(OSError, EOFError, AssertionError, ConnectionError), MilterClient(daemon.address) as client:
        client.connect()
        for number in numbers:
            begin = time.monotonic()
            outcome = client.message([("From", unauthorised(number))], unauthorised(number))
            seen[number] = (outcome.answer, outcome.sender(), time.monotonic() - begin)


def send_firsts(daemon, count, connections):
    seen = {}
    threads = [threading.Thread(target=first_messages, args=(daemon, range(first, count, connections), seen))
               for first in range(connections)]
    for thread in threads:
        thread.start()
    return seen, threads


def rows_of(daemon):
    with contextlib.closing(sqlite3.connect(f"file:{store_of(daemon)}?mode=ro", uri=True, timeout=20)) as database:
        return dict(database.execute("SELECT token, address FROM addresses"))


def test_kill_9_in_the_middle_of_first_messages(directory, is_full_length):
    """A message that has its answer has its row, whenever the daemon ends."""
    count, connections = (10000, 64) if is_full_length else (400, 16)
    daemon = Spfrom(directory / "returns-kill", ZONE_FILE, log_level="warning",
                    **settings_of(f"inet:{processes.free_port()}@127.0.0.1"))
    daemon.start()
    seen, threads = send_firsts(daemon, count, connections)
    processes.wait_until(lambda: len(seen) > count // 3, 600, "a third of the messages")
    daemon.kill()
    for thread in threads:
        thread.join()
    kept = rows_of(daemon)
    carried = {re.fullmatch(r"<?bounce\+(\w{16})@lemniscus\.de>?", sender)[1]: unauthorised(number)
               for number, (answer, sender, _) in seen.items() if sender and "+" in sender}
    assert len(carried) > count // 10
    assert {token: kept.get(token) for token in carried} == carried


def cpu_seconds(daemon):
    clock = ctypes.c_int()
    assert ctypes.CDLL(None).clock_getcpuclockid(daemon.process.pid, ctypes.byref(clock)) == 0
    return time.clock_gettime(clock.value)


def test_many_rows(directory, is_full_length):
    """A look-up stays cheap and the daemon small, and while a tenth of the rows ends, first messages have their tokens."""
    count = 1000000 if is_full_length else 10000
    daemon = Spfrom(directory / "returns-many", ZONE_FILE, log_level="warning", return_days=100,
                    **settings_of(f"inet:{processes.free_port()}@127.0.0.1"))
    with daemon:
        processes.wait_until(lambda: is_store_made(daemon), PATIENCE, "return.db")
    tokens = [base64.b32encode(hashlib.sha256(b"%d" % number).digest()[:10]).decode().lower() for number in range(count)]
    with contextlib.closing(sqlite3.connect(store_of(daemon))) as database, database:
        database.executemany("INSERT INTO addresses VALUES (?, ?, ?)",
                             ((token, f"a{number}@gmx.de", TODAY - (101 if number % 10 == 0 else number % 10))
                              for number, token in enumerate(tokens)))
    with daemon:
        processes.wait_until(lambda: ask_control(daemon, "status")["returns"]["addresses"], PATIENCE, "the store")
        memory = daemon.memory()
        seen, threads = send_firsts(daemon, 100, 2)
        for thread in threads:
            thread.join()
        assert len(seen) == 100 and all("+" in sender for _, sender, _ in seen.values()), seen
        processes.wait_until(lambda: ask_control(daemon, "status")["returns"]["addresses"] == count - count // 10 + 100, 600, "the end")
        keys = [f"bounce+{tokens[number]}@lemniscus.de" for number in range(1, count, count // 500) if number % 10]
        before = cpu_seconds(daemon)
        assert all(answer.startswith("OK a") for first in range(0, len(keys), 50) for answer in ask(daemon, *keys[first:first + 50]))
        assert (cpu_seconds(daemon) - before) / len(keys) < 0.0002
        assert ask(daemon, f"bounce+{tokens[0]}@lemniscus.de") == ["NOTFOUND "]
        assert daemon.memory() - memory < 32 * 1024


@pytest.mark.address
def test_a_full_disk(directory, small_disk):
    """Every message leaves, with the plain fallback if need be, and with tokens once there is room again."""
    daemon = Spfrom(directory / "returns-full", ZONE_FILE, state_dir=small_disk / "state", ledger="",
                    **settings_of(f"inet:{processes.free_port()}@127.0.0.1"))
    with daemon:
        seen, threads = send_firsts(daemon, 4, 1)
        threads[0].join()
        assert all("+" in sender for _, sender, _ in seen.values()), seen
        fill_disk(small_disk)
        seen, threads = send_firsts(daemon, 600, 8)
        for thread in threads:
            thread.join()
        assert len(seen) == 600 and {answer for answer, _, _ in seen.values()} == {"continue"}
        plain = [number for number, (_, sender, _) in seen.items() if "+" not in sender]
        assert plain and not set(plain) & set(range(4))  # those that were known keep their tokens
        assert daemon.wait_for_record(PATIENCE, author=unauthorised(plain[0]))["return"] == "unavailable"
        assert ask_control(daemon, "status")["returns"]["error"]
        (small_disk / "filler").unlink()
        processes.wait_until(lambda: ask_control(daemon, "status")["returns"]["error"] is None, PATIENCE, "room")
        seen, threads = send_firsts(daemon, 4, 1)
        threads[0].join()
        assert all("+" in sender for _, sender, _ in seen.values()), seen


def test_a_read_only_state_directory(directory):
    """No message is held up, and tokens come by themselves once the directory can be written."""
    daemon = Spfrom(directory / "returns-read-only", ZONE_FILE, ledger="",
                    **settings_of(f"inet:{processes.free_port()}@127.0.0.1"))
    with daemon:
        processes.wait_until(lambda: is_store_made(daemon), PATIENCE, "return.db")
    folder = store_of(daemon).parent
    store_of(daemon).chmod(0o444)
    folder.chmod(0o555)
    with daemon:
        for number in range(20):
            outcome = ask_milter(daemon.address, [("From", unauthorised(number))], unauthorised(number))
            assert (outcome.answer, outcome.sender()) == ("continue", "noreply@lemniscus.de")
        assert daemon.wait_for_record(PATIENCE, author=unauthorised(0))["return"] == "unavailable"
        folder.chmod(0o755)
        store_of(daemon).chmod(0o600)
        processes.wait_until(lambda: ask_control(daemon, "status")["returns"]["error"] is None, PATIENCE, "a store")
        outcome = ask_milter(daemon.address, [("From", unauthorised(0))], unauthorised(0))
        assert re.fullmatch(r"bounce\+\w{16}@lemniscus.de", outcome.sender())


def test_report_and_page_of_what_came_back(daemon):
    """The author's domain has it in the report and on its page, by day and kind; before there is no such column."""
    assert ask_milter(daemon.address, [("From", unauthorised(1))]).answer == "continue"
    processes.wait_until(lambda: json.loads(daemon.tool("report", "--json").stdout)["domains"], PATIENCE, "the ledger's first domain")
    assert "returned" not in daemon.tool("report", "--csv").stdout and "RETURNED" not in daemon.tool("report").stdout
    for sender, fields in (("", []), ("", []), ("anna@elsewhere.example", [("Auto-Submitted", "auto-replied")])):
        outcome = ask_milter(daemon.address, [("From", "anna@elsewhere.example"), *fields], sender, client="198.51.100.7",
                             recipients=[f"bounce+{TOKEN}@lemniscus.de"])
        assert outcome.answer == "continue"
    assert ask_milter(daemon.address, [("From", AUTHOR)], AUTHOR).answer == "continue"

    def row():
        rows = {row["domain"]: row for row in json.loads(daemon.tool("report", "--json").stdout)["domains"]}
        return rows.get("praxis-mueller.de", {}).get("returned") == 3 and rows
    rows = processes.wait_until(row, PATIENCE, "what came back")
    assert rows["praxis-ohne.de"]["returned"] == 0
    table = list(csv.DictReader(io.StringIO(daemon.tool("report", "--csv").stdout)))
    assert {line["domain"]: line["returned"] for line in table}["praxis-mueller.de"] == "3"
    assert re.search(r" KEPT +RETURNED +RESULT", daemon.tool("report").stdout)
    with PrivateWeb(daemon) as web:
        page = web.get("/domain/praxis-mueller.de").text
        assert "What came back" in page and "Automatic replies" in page
        assert ">Returned<" in web.get("/domains").text


def test_a_bounce_finds_its_author(directory, daemons, needs_postfix):
    """The whole way: the next hop refuses a message after it was queued, and Postfix's own bounce arrives at the author."""
    daemon = daemons.start(**settings_of(f"inet:{processes.free_port()}@127.0.0.1"))
    socketmap = f"socketmap:inet:127.0.0.1:{port_of(daemon)}:return"
    with Sink() as sink, refusing_server() as refusing, PrivatePostfix(
            directory / "postfix-bounce", sink.port, daemon.milter, virtual_alias_maps=socketmap,
            transport_maps=f"inline:{{refusing.example=smtp:[127.0.0.1]:{refusing.port}}}") as postfix:
        with smtplib.SMTP("127.0.0.1", postfix.port(), timeout=PATIENCE) as client:
            client.sendmail(unauthorised(1), ["anna@refusing.example"],
                            f"From: Praxis <{unauthorised(1)}>\r\nTo: anna@refusing.example\r\nSubject: Rechnung\r\n\r\nHallo\r\n")
        delivery = sink.take(unauthorised(1), PATIENCE)
        assert delivery.sender == "" and b"multipart/report" in delivery.data
        assert re.search(rb"^Subject: Rechnung", delivery.data, re.M), delivery.data
