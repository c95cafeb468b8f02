"""The control socket and the subcommands that use it: answers, refusals, hostile clients (design section 12)."""

import json
import re
import resource
import signal
import stat
import subprocess
import threading
from pathlib import Path

import pytest

from lab import paths
from lab import processes
from lab.cases import MUELLER, OHNE
from lab.control_client import ControlClient, ask_control
from lab.faulty_dns import FaultyDns, Held, Txt
from lab.milter_client import NO_STEPS, QUEUE_ID, MilterClient, ask
from lab.spfrom import Spfrom
from lab.zone import FALLBACK, ZONE_FILE

pytestmark = [pytest.mark.address, pytest.mark.thread]

NO, USAGE, UNAVAILABLE, CONFIGURATION = 1, 2, 69, 78
RFC3339 = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ")
IDLE = 500
OURS = ["v=spf1 ip4:192.0.2.25 -all"]
FOREIGN = ["v=spf1 ip4:198.51.100.1 -all"]


@pytest.fixture(scope="module")
def daemon(daemons):
    return daemons.start()


@pytest.fixture
def own(daemons):
    """A daemon whose configuration a test may change."""
    return daemons.start


def _is_rewriting(daemon):
    return ask(daemon.address, [("From", OHNE)], sender=OHNE).sender() == FALLBACK


def test_socket(daemon, needs_root):
    status = daemon.control_socket.stat()
    assert stat.S_ISSOCK(status.st_mode) and stat.S_IMODE(status.st_mode) == 0o660
    assert status.st_gid != 0


def test_status(own):
    daemon = own()
    for sender in (OHNE, MUELLER, MUELLER):
        ask(daemon.address, [("From", sender)], sender=sender)
    ask(daemon.address, [("From", OHNE)], sender=OHNE, client="203.0.113.9")
    answer = ask_control(daemon, "status")
    assert answer["ok"] is True and answer["pid"] == daemon.process.pid
    assert answer["mode"] == "rewrite" and answer["mode_by"] == "configuration" and answer["mode_until"] is None
    assert RFC3339.fullmatch(answer["up_since"]) and RFC3339.fullmatch(answer["mode_since"])
    assert answer["configuration"]["file"] == str(daemon.configuration_file) and answer["configuration"]["error"] is None
    assert answer["socket"] == daemon.milter and answer["control_socket"] == str(daemon.control_socket)
    assert answer["relay_set"] == {"networks": ["192.0.2.25"], "complete": True, "policy": "all", "problems": []}
    messages = {action: count for action, count in answer["messages"].items() if count}
    assert messages == {"rewrite": 1, "keep": 2, "inbound": 1}
    assert answer["cache"]["miss"] + answer["cache"]["hit"] == sum(answer["verdicts"].values())
    assert answer["dns"]["found"] > 0 and answer["dns"]["trouble"] == 0
    assert RFC3339.fullmatch(answer["dns"]["last_answer"]) and answer["dns"]["last_trouble"] is None


def test_status_of_the_fallback(daemon):
    def known():
        fallback = ask_control(daemon, "status")["fallback"]
        return fallback if fallback["checked"] else None
    fallback = processes.wait_until(known, 20, "the fallback's verdict")
    assert fallback["address"] == FALLBACK and fallback["authorised"] is True and fallback["result"] == "pass"


def test_fallback_that_does_not_authorise(own):
    daemon = own(fallback_address="noreply@gmx.de")
    processes.wait_until(lambda: ask_control(daemon, "status")["fallback"]["authorised"] is False, 20, "the verdict")
    assert "the fallback domain itself does not authorise the relays: fallback_address=noreply@gmx.de spf=fail" \
        in daemon.log()
    daemon.settings["fallback_address"] = FALLBACK
    daemon.write_configuration()
    assert ask_control(daemon, "reload")["ok"]
    processes.wait_until(lambda: ask_control(daemon, "status")["fallback"]["authorised"] is True, 20, "the verdict")


def test_status_for_people(daemon):
    result = daemon.tool("status")
    assert result.returncode == 0 and not result.stderr
    lines = dict(re.split(r"\s{2,}|(?<=socket) ", line.strip(), maxsplit=1) for line in result.stdout.splitlines())
    assert lines["mode"] == "rewrite" and lines["by"] == "configuration"
    assert lines["relay set"] == "192.0.2.25" and lines["fallback"] == FALLBACK
    assert re.fullmatch(RFC3339.pattern + r" \(\S+( \S+)? ago\)", lines["up since"])


def test_status_as_json(daemon):
    result = daemon.tool("status", "--json")
    assert json.loads(result.stdout)["pid"] == daemon.process.pid and result.returncode == 0 and not result.stderr


def test_metrics(own):
    daemon = own()
    ask(daemon.address, [("From", OHNE)], sender=OHNE)
    result = daemon.tool("metrics")
    assert result.returncode == 0 and not result.stderr and result.stdout.endswith("# EOF\n")
    assert 'spfrom_messages_total{action="rewrite"} 1\n' in result.stdout
    assert not ask_control(daemon, "metrics", format="prometheus")["text"].endswith("# EOF\n")


def test_recent_messages(own):
    daemon = own()
    ask(daemon.address, [("From", f"Anna <{OHNE}>"), ("Message-ID", "<1@app.example>")], sender="bounce@praxis-mueller.de")
    ask(daemon.address, [("From", MUELLER), ("Message-ID", "<2@app.example>")], sender=MUELLER)

    def ids(**wanted):
        return [message["message_id"] for message in ask_control(daemon, "recent", **wanted)["messages"]]
    both = ["2@app.example", "1@app.example"]
    assert ids() == ids(queue_id=QUEUE_ID) == both and ids(limit=1) == both[:1]
    assert ids(domain=OHNE.rpartition("@")[2]) == ids(address=OHNE) == ids(message_id=both[1]) == both[1:]
    assert ids(address="bounce@praxis-mueller.de") == both[1:] and ids(domain="praxis-fremd.de") == []
    message, = ask_control(daemon, "recent", address=OHNE)["messages"]
    assert message["queue_id"] == QUEUE_ID and RFC3339.fullmatch(message["time"])
    assert message["line"].startswith("action=rewrite author=")


def test_why(own):
    daemon = own(log_addresses="domain")
    ask(daemon.address, [("From", f"Anna <{OHNE}>"), ("Message-ID", "<1@app.example>")], sender=OHNE)
    for asked in (OHNE, OHNE.upper(), f"<{OHNE}>", "<1@app.example>", "1@app.example", QUEUE_ID, OHNE.rpartition("@")[2]):
        told = daemon.tool("why", asked)
        assert (told.returncode, told.stderr) == (0, "")
        assert "was replaced by the fallback address" in " ".join(told.stdout.split())
        assert "praxis-ohne.de has no SPF record." in " ".join(told.stdout.split())
    message, = json.loads(daemon.tool("why", "--json", QUEUE_ID).stdout)
    assert message["values"]["action"] == "rewrite" and message["message_id"] == "1@app.example"
    assert "has no SPF record" in message["text"]


LOG = """\
2026-11-29T12:00:00 mx postfix/cleanup[7]: 4AAAAA: message-id=<1@app.example>
2026-11-29T12:00:00 mx spfrom-milter[9]: 4AAAAA: action=rewrite author=a@x.de sender=b@y.de domain=x.de spf=fail ms=1.0
2026-11-29T12:00:01 mx spfrom-milter[9]: 4BBBBB: action=keep author=c@z.de sender=c@z.de domain=z.de spf=- why=map ms=0.1
2026-11-29T12:00:01 mx sm-mta[8]: 4BBBBB: from=<c@z.de>, size=1, msgid=<2@app.example>, relay=x
"""


@pytest.mark.parametrize("asked, queue_id", [("4AAAAA", "4AAAAA"), ("a@x.de", "4AAAAA"), ("B@Y.de", "4AAAAA"), ("z.de", "4BBBBB"),
                                             ("<1@app.example>", "4AAAAA"), ("2@app.example", "4BBBBB"), ("4CCCCC", None)])
def test_why_from_a_log(tmp_path, asked, queue_id):
    file = tmp_path / "mail.log"
    file.write_text(LOG)
    told = subprocess.run([paths.TOOL, "why", "--log", file, asked], capture_output=True, text=True)
    if queue_id is None:
        assert told.returncode == NO and not told.stdout and asked in told.stderr
    else:
        assert told.returncode == 0 and told.stdout.startswith(f"{queue_id}, 2026-11-29T12:00:0")


@pytest.mark.parametrize("arguments, named", [
    (["status", "x"], '"x"'), (["status", "--verbose"], "--verbose"), (["mode", "on"], "off, log-only or rewrite"),
    (["mode", "off", "rewrite"], '"rewrite"'), (["mode", "--for", "2h"], "--for"), (["mode", "off", "--for", "soon"], "2h"),
    (["mode", "off", "--for", "0"], "--for"), (["mode", "off", "--for"], "--for"), (["mode", "off", "--clear"], "--clear"),
    (["reload", "x"], '"x"'), (["flush", "a", "b"], '"b"'), (["flush", "a..b"], "a..b"), (["metrics", "x"], '"x"'),
], ids=str)
def test_usage(daemon, arguments, named):
    result = daemon.tool(*arguments)
    assert result.returncode == USAGE and named in result.stderr and not result.stdout
    assert ask_control(daemon, "mode")["by"] == "configuration"


@pytest.mark.parametrize("name", ["status", "mode", "reload", "flush", "metrics"])
def test_help(daemon, name):
    result = daemon.tool(name, "--help")
    assert result.returncode == 0 and result.stdout.startswith(f"usage: spfrom {name}")
    assert name in daemon.tool("help").stdout


@pytest.mark.parametrize("arguments", [["status"], ["mode", "off"], ["reload"], ["flush"], ["metrics"]], ids=str)
def test_no_daemon(directory, arguments):
    daemon = Spfrom(directory / "no-daemon", ZONE_FILE)
    daemon.write_configuration()
    result = daemon.tool(*arguments)
    assert result.returncode == UNAVAILABLE and not result.stdout
    assert str(daemon.control_socket) in result.stderr and "start it" in result.stderr


def test_no_permission(daemon, needs_root):
    """The socket's mode refuses, and the tool says who may."""
    result = subprocess.run(["setpriv", "--reuid", "4242", "--regid", "4242", "--clear-groups",
                             paths.TOOL, "-c", daemon.configuration_file, "status"], capture_output=True, text=True)
    assert result.returncode == UNAVAILABLE
    assert "permission denied" in result.stderr and '"nogroup"' in result.stderr
    group = subprocess.run(["setpriv", "--reuid", "4242", "--regid", "4242", "--groups", "nogroup",
                            paths.TOOL, "-c", daemon.configuration_file, "status"], capture_output=True, text=True)
    assert group.returncode == 0


REFUSED = [
    b"", b" ", b"status", b"[]", b"null", b"{}", b"{", b'{"command":1}', b'{"command":"stop"}',
    b'{"command":"status","x":1}', b'{"command":"mode","mode":"on"}', b'{"command":"mode","mode":"off","for":true}',
    b'{"command":"status"} {"command":"status"}', b'{"command":"stat\0us"}', b"\0", b'{"command":"stat\xffus"}',
    b"\xff\xfe", b"[" * 8000, b'{"command":"' + b"x" * 8000 + b'"}', b"x" * 9000, b"x" * (1 << 20),
]


def test_refusals(daemon):
    """Each says what to write, and the connection goes on."""
    with ControlClient(daemon.control_socket) as client:
        for line in REFUSED:
            client.send(line + b"\n")
            answer = client.receive()
            assert set(answer) == {"ok", "error"} and answer["ok"] is False and answer["error"], line[:80]
        assert client.ask("mode")["mode"] == "rewrite"


def test_lines_in_pieces_and_in_a_row(daemon):
    with ControlClient(daemon.control_socket) as client:
        for octet in b'{"command":"mode"}\r\n':
            client.send(bytes([octet]))
        assert client.receive()["mode"] == "rewrite"
        client.send(b'{"command":"mode"}\n' * 100 + b'{"command":"mode"}')
        client.end()
        assert all(client.receive()["mode"] == "rewrite" for _ in range(101))
        assert client.receive() is None


def test_idle_clients(own):
    """500 of them, some with half a line, disturb neither commands nor mail."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (min(hard, 4096), hard))
    daemon = own()
    clients = [ControlClient(daemon.control_socket) for _ in range(IDLE)]
    try:
        for client in clients[::3]:
            client.send(b'{"command":"mode","mode":"off"')
        for client in clients[1::3]:
            client.send(b"x" * 100000)
        assert _is_rewriting(daemon)
        assert ask_control(daemon, "status")["mode"] == "rewrite"
        assert ask_control(daemon, "reload")["ok"]
        assert all(client.ask("mode")["mode"] == "rewrite" for client in clients[2::3])
        assert _thread_names(daemon).count("spfrom-control") == 1
    finally:
        for client in clients:
            client.close()
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
    assert ask_control(daemon, "mode")["mode"] == "rewrite"


def _thread_names(daemon):
    return [entry.read_text().strip() for entry in Path(f"/proc/{daemon.process.pid}/task").glob("*/comm")]


def test_reload(own):
    daemon = own()
    assert _is_rewriting(daemon)
    daemon.settings["mode"] = "log-only"
    daemon.write_configuration()
    result = daemon.tool("reload")
    assert result.returncode == 0 and not result.stderr
    assert not _is_rewriting(daemon)
    assert json.loads(daemon.tool("mode", "--json").stdout)["mode"] == "log-only"


def test_reload_of_a_wrong_configuration(own):
    daemon = own()
    daemon.settings["mode"] = "nonsense"
    daemon.write_configuration()
    line = list(daemon.settings).index("mode") + 1
    result = daemon.tool("reload")
    assert result.returncode == CONFIGURATION
    assert result.stderr.startswith(f"spfrom reload: {daemon.configuration_file}:{line}: mode: ")
    assert _is_rewriting(daemon)
    assert f"{daemon.configuration_file}:{line}: " in ask_control(daemon, "status")["configuration"]["error"]
    assert f"{daemon.configuration_file}:{line}: " in daemon.log()


def test_reload_that_finds_no_relay(own):
    """Wrong only once the names were looked up."""
    daemon = own()
    daemon.settings["relay_hosts"] = ["10.0.0.1"]
    daemon.write_configuration()
    result = daemon.tool("reload")
    assert result.returncode == CONFIGURATION and "relay_hosts" in result.stderr
    assert ask_control(daemon, "status")["relay_set"]["networks"] == ["192.0.2.25"]


def test_reload_names_what_needs_a_restart(own):
    daemon = own()
    daemon.settings["socket"] = "inet:1@127.0.0.1"
    daemon.settings["state_dir"] = daemon.directory / "elsewhere"
    daemon.write_configuration()
    result = daemon.tool("reload")
    assert result.returncode == 0
    assert re.findall(r"warning: (\w+) has changed", result.stderr) == ["socket", "state_dir"]
    assert ask_control(daemon, "status")["socket"] == f"unix:{daemon.socket}"


# A value of each kind that is not the default; "daemon" is an account and a group of every Debian.
OTHER = {"path": "/nonexistent/other", "permissions": "0600", "socket": "inet:1@127.0.0.1", "text": "daemon"}


def _restarted():
    """Each key that needs a restart, with another value, of the program's table."""
    table = subprocess.run([paths.BUILDDIR / "settings_keys_print"], capture_output=True, text=True, check=True).stdout
    for name, kind, default, _, _, words, flags in (row.split("\t") for row in table.splitlines()):
        if "restart" in flags.split():
            yield name, next((word for word in reversed(words.split()) if word != default), None) or OTHER[kind]


def test_every_key_that_needs_a_restart(own):
    """They are compared with what runs: said at each reload as long as they differ, and no longer."""
    restarted = dict(_restarted())
    assert {"socket", "socket_mode", "socket_group", "log"} <= set(restarted)
    daemon = own()
    before = dict(daemon.settings)
    daemon.settings.update(restarted)
    ledger = processes.wait_until(lambda: ask_control(daemon, "status")["ledger"]["file"], 20, "the ledger's thread")
    for _ in range(2):
        daemon.write_configuration()
        answer = ask_control(daemon, "reload")
        assert {warning.split()[0] for warning in answer["warnings"]} == set(restarted)
        assert all("when the daemon is restarted" in warning for warning in answer["warnings"])
    logged = re.findall(r"(\w+) has changed; that takes effect when the daemon is restarted", daemon.log())
    assert sorted(logged) == sorted(2 * list(restarted))
    status = ask_control(daemon, "status")
    assert status["socket"] == f"unix:{daemon.socket}" and status["ledger"]["file"] == ledger
    daemon.settings = before
    daemon.write_configuration()
    assert ask_control(daemon, "reload")["warnings"] == []
    assert _is_rewriting(daemon)


def test_keys_that_need_a_restart_survive_a_new_map(own, directory):
    """domain_map is read anew from the same text, in which such a key may differ from what runs."""
    file = directory / "map-and-restart"
    file.write_text("gmx.de mode=log-only\n")
    file.chmod(0o644)
    daemon = own(domain_map=file)
    before = daemon.settings["state_dir"]
    daemon.settings["state_dir"] = "/nonexistent/elsewhere"
    daemon.write_configuration()
    assert ask_control(daemon, "reload")["warnings"]
    file.write_text("gmx.de mode=off\n")
    processes.wait_until(lambda: "domain_map read anew" in daemon.log(), 20, "the new map")
    daemon.settings["state_dir"] = before
    daemon.write_configuration()
    assert ask_control(daemon, "reload")["warnings"] == []


def test_wrong_configuration_keeps_nobody_from_the_daemon(own):
    daemon = own()
    daemon.extra = "nonsense = 1\n"
    daemon.write_configuration()
    result = daemon.tool("mode", "off")
    assert result.returncode == 0 and "nonsense" in result.stderr
    assert not _is_rewriting(daemon)
    missing = subprocess.run([paths.TOOL, "-c", "/missing.conf", "mode"], capture_output=True, text=True)
    assert missing.returncode == CONFIGURATION and "/missing.conf" in missing.stderr


def test_slow_reload_blocks_nobody(own):
    """The relay set can't be looked up until the gate opens: till then status, switch and mail go on."""
    held = Held(OURS)
    with FaultyDns({"held.example": held}, otherwise=Txt(FOREIGN)) as dns:
        daemon = own(zone=None, dns_servers=[dns.server], dns_timeout="60s", check_timeout="60s")
        daemon.settings["relay_hosts"] = ["192.0.2.25", "spf:held.example"]
        daemon.write_configuration()
        results = []
        thread = threading.Thread(target=lambda: results.append(daemon.tool("reload")))
        thread.start()
        try:
            processes.wait_until(lambda: dns.count("held.example"), 20, "the question for the relay host")
            assert _is_rewriting(daemon)
            assert ask_control(daemon, "status")["relay_set"]["networks"] == ["192.0.2.25"]
            assert ask_control(daemon, "mode", mode="off")["mode"] == "off"
            assert not _is_rewriting(daemon)
            assert thread.is_alive()
        finally:
            held.gate.set()
            thread.join()
    assert results[0].returncode == 0
    assert ask_control(daemon, "mode")["mode"] == "off"


def test_stop_waits_for_no_relay_host(own):
    """A relay host that is looked up while the daemon ends: its DNS may be silent for as long as it likes."""
    held = Held(OURS)
    held.gate.set()
    with FaultyDns({"held.example": held}, otherwise=Txt(FOREIGN)) as dns:
        daemon = own(zone=None, dns_servers=[dns.server], dns_timeout="60s", check_timeout="60s",
                     relay_hosts=["192.0.2.25", "spf:held.example"])
        processes.wait_until(lambda: ask_control(daemon, "status")["ok"], 20, "the first relay set")
        asked = dns.count("held.example")
        held.gate.clear()
        try:
            assert ask_control(daemon, "flush")["ok"]
            processes.wait_until(lambda: dns.count("held.example") > asked, 20, "the question for the relay host")
            daemon.process.send_signal(signal.SIGTERM)
            assert daemon.process.wait(15) == 0
        finally:
            held.gate.set()


def test_message_of_an_old_configuration_waits_for_nobody(own):
    """It ends last of all that used the old one, of which a thread still waits for DNS."""
    held = Held(OURS)
    held.gate.set()
    with FaultyDns({"held.example": held}, otherwise=Txt(FOREIGN)) as dns:
        daemon = own(zone=None, dns_servers=[dns.server], dns_timeout="60s", check_timeout="60s",
                     relay_hosts=["192.0.2.25", "spf:held.example"])
        processes.wait_until(lambda: ask_control(daemon, "status")["ok"], 20, "the first relay set")
        asked = dns.count("held.example")
        held.gate.clear()
        try:
            with MilterClient(daemon.address, NO_STEPS) as client:
                client.connect()
                client.envelope(OHNE)
                assert ask_control(daemon, "flush")["ok"]
                processes.wait_until(lambda: dns.count("held.example") > asked, 20, "the question for the relay host")
                daemon.settings["relay_hosts"] = ["192.0.2.25"]
                daemon.write_configuration()
                assert ask_control(daemon, "reload")["ok"]
                client.header("From", OHNE)
                assert (client.eoh() or client.body(b"x") or client.eom()).sender() == FALLBACK
                assert "relay set:" not in daemon.log()  # the thread still waits
        finally:
            held.gate.set()


def test_flush(own):
    """A record that was just published counts with the next message; that of another domain is not asked anew."""
    with FaultyDns({"a.example": Txt(FOREIGN), "b.example": Txt(FOREIGN)}, otherwise=Txt(OURS)) as dns:
        daemon = own(zone=None, dns_servers=[dns.server])

        def is_kept(domain):
            return not ask(daemon.address, [("From", f"x@{domain}")], sender="").edits
        assert not is_kept("a.example") and not is_kept("b.example")
        dns.behaviours = {}
        assert not is_kept("a.example")
        assert daemon.tool("flush", "A.Example").returncode == 0
        assert is_kept("a.example") and not is_kept("b.example")
        assert daemon.tool("flush").returncode == 0
        assert is_kept("b.example")


def test_socket_is_replaced_after_a_crash(own):
    daemon = own()
    daemon.kill()
    assert daemon.control_socket.exists()
    daemon.start()
    assert ask_control(daemon, "status")["ok"]


def test_socket_that_is_in_use(own, directory):
    daemon = own()
    other = Spfrom(directory / "same-control-socket", ZONE_FILE, control_socket=daemon.control_socket)
    other.write_configuration()
    other.directory.chmod(0o777)
    result = subprocess.run([paths.MILTER, "-f", "-c", other.configuration_file], capture_output=True, text=True)
    assert result.returncode == UNAVAILABLE and str(daemon.control_socket) in result.stderr
    assert not other.socket.exists()
    assert ask_control(daemon, "status")["pid"] == daemon.process.pid


def test_stop_removes_the_socket(own):
    daemon = own()
    with ControlClient(daemon.control_socket) as client:
        assert client.ask("mode")["ok"]
        assert daemon.stop() == 0
        assert client.receive() is None
    assert not daemon.control_socket.exists()


def test_config(own):
    daemon = own(trace_header="no", rewrite_on=["fail", "none"])
    told = daemon.tool("config").stdout.splitlines()
    assert {'trace_header = "no"', 'rewrite_on = { "fail", "none" }', 'check_timeout = "10s"', "tempfail_on = {}"} <= set(told)
    changed = daemon.tool("config", "-n").stdout.splitlines()
    assert 'trace_header = "no"' in changed and not any(line.startswith("check_timeout") for line in changed)
    text = daemon.configuration_file.read_text()
    daemon.configuration_file.write_text(text.replace("trace_header", "#"))
    assert 'trace_header = "no"' in daemon.tool("config", "-n").stdout
    daemon.stop()
    assert 'trace_header = "yes"' in daemon.tool("config").stdout
