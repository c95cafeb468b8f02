"""The daemon's life: options, exit codes, sockets, privileges, start, stop and death (design section 3)."""

import contextlib
import grp
import os
import pwd
import shutil
import signal
import smtplib
import socket
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path

import pytest

from lab import clients
from lab import paths
from lab import processes
from lab.cases import MUELLER, OHNE, message
from conftest import Route
from lab.faulty_dns import FaultyDns, Txt
from lab.milter_client import NO_STEPS, MilterClient, ask
from lab.spfrom import UNPRIVILEGED, Spfrom
from lab.zone import FALLBACK, ZONE_FILE

pytestmark = [pytest.mark.address, pytest.mark.thread]

EX_USAGE, EX_UNAVAILABLE, EX_TEMPFAIL, EX_CONFIG = 64, 69, 75, 78


@pytest.fixture
def spfrom(tmp_path_factory, request):
    """Makes a daemon in a directory of its own, that is not started yet."""
    made = []
    with processes.PrivateDirectory("daemon") as directory:
        def make(**settings):
            made.append(Spfrom(directory / str(len(made)), ZONE_FILE, **settings))
            return made[-1]
        yield make
        for daemon in made:
            if daemon.is_running():
                daemon.kill()


def _run(*arguments):
    return subprocess.run([paths.MILTER, *map(str, arguments)], capture_output=True, text=True, timeout=30)


def _run_with(daemon, *arguments):
    """Runs the daemon with its configuration, which is expected to make it end."""
    daemon.write_configuration()
    return _run("-f", "-c", daemon.configuration_file, *arguments)


def test_version():
    result = _run("-V")
    assert result.returncode == 0 and result.stdout.startswith("spfrom-milter ")


def test_help_names_every_option():
    result = _run("-h")
    assert result.returncode == 0
    for option in ("-f", "-c", "-t", "-V", "-h"):
        assert option in result.stdout


@pytest.mark.parametrize("arguments", [["-x"], ["-c"], ["leftover"]], ids=str)
def test_usage(arguments):
    result = _run(*arguments)
    assert result.returncode == EX_USAGE and result.stderr


def test_configuration_is_right(spfrom):
    assert _run_with(spfrom(), "-t").returncode == 0


def test_configuration_is_missing(spfrom):
    result = _run("-f", "-c", spfrom().directory / "missing.conf")
    assert result.returncode == EX_CONFIG and "missing.conf" in result.stderr


WRONG = [
    # a setting, or text behind a right configuration; what the error names
    ({"mode": "rewrites"}, "mode"),
    ({"rewrite_on": ["fail", "hardfail"]}, "hardfail"),
    ({"relay_hosts": ["192.0.2.1/28"]}, "192.0.2.1/28"),
    ({"relay_hosts": ["10.0.0.1"]}, "relay_hosts"),
    ({"relay_hosts": []}, "relay_hosts"),
    ({"fallback_address": "nobody"}, "fallback_address"),
    ({"fallback_address": ""}, "fallback_address"),
    ({"check_timeout": "soon"}, "check_timeout"),
    ({"socket": "tcp:8894"}, "socket"),
    ({"outbound": ["everybody"]}, "everybody"),
    ({"display_name": "%x"}, "display_name"),
    ({"user": "no-such-user"}, "no-such-user"),
    ({"dns_zone_file": "/missing/zone"}, "/missing/zone"),
    ({"domain_map": "/missing/map"}, "/missing/map"),
    ("nonsense = 1", "nonsense"),
    ("mode = rewrite\nmode = off", "mode"),
    ("domain \"a..b\" { mode = off }", "a..b"),
    ("domain \"example.org\" { socket = x }", "socket"),
    ("display_name = \"unfinished", ""),
    ("domain \"praxis-ohne.de\" {\nmode = off", "what begins here with {"),
]


@pytest.mark.parametrize("wrong, named", WRONG, ids=str)
def test_configuration_is_wrong(spfrom, wrong, named):
    if "user" in wrong and os.geteuid() != 0:
        pytest.skip("user means nothing when not root")
    daemon = spfrom(**wrong) if isinstance(wrong, dict) else spfrom(extra=wrong + "\n")
    for arguments in ([], ["-t"]):
        result = _run_with(daemon, *arguments)
        assert result.returncode == EX_CONFIG
        assert named in result.stderr
        assert str(daemon.configuration_file) in result.stderr or "/missing/" in result.stderr


def test_wrong_line_is_named(spfrom):
    daemon = spfrom(extra="# a comment\nrelay_policy = most\n")
    lines = len(daemon.settings)
    assert f"{daemon.configuration_file}:{lines + 2}: " in _run_with(daemon).stderr


# Errors that show only once the file is read: settings (a key with its value, and others), what is said of that key.
# The first key is the one that is wrong.
LATE = {
    "private-relays": ({"relay_hosts": ["10.0.0.1"]}, "no public address found"),
    "relay-that-does-not-exist": ({"relay_hosts": ["192.0.2.25", "missing.example"]}, "missing.example has no address"),
    "pool-that-does-not-exist": ({"relay_hosts": ["192.0.2.25", "spf:missing.example"]}, "spf:missing.example: none"),
    "zone-file-missing": ({"dns_zone_file": "/missing/zone"}, "/missing/zone"),
    "zone-file-is-a-folder": ({"dns_zone_file": "/usr"}, "/usr"),
    "trust-anchor-missing": ({"dns_trust_anchor": "/missing/key", "dns_servers": ["127.0.0.1"]}, "/missing/key: "),
    "trust-anchor-of-nonsense": ({"dns_trust_anchor": "/etc/hostname", "dns_servers": ["127.0.0.1"]}, "/etc/hostname: "),
    "user": ({"user": "no-such-user"}, 'there is no "no-such-user"'),
    "user-empty": ({"user": ""}, "is empty"),
    "group": ({"group": "no-such-group"}, 'there is no "no-such-group"'),
    "socket_group": ({"socket_group": "no-such-group"}, 'there is no "no-such-group"'),
    "state_dir": ({"state_dir": "/missing/folder/state"}, "/missing/folder/state: can't be made"),
    "control_socket": ({"control_socket": "/missing/folder/control.sock"}, "/missing/folder: can't be made"),
    "domain_map": ({"domain_map": "/missing/map"}, "/missing/map"),
}
WHEN_STARTED = ("state_dir", "control_socket")  # a reload takes no notice


def _place(daemon, key):
    return f"{daemon.configuration_file}:{list(daemon.settings).index(key) + 1}: {key}: "


@pytest.mark.parametrize("name", LATE)
def test_late_errors_name_file_line_and_key(spfrom, name):
    settings, said = LATE[name]
    key = next(iter(settings))
    if key in ("user", "group") and os.geteuid() != 0:
        pytest.skip(f"{key} means nothing when not root")
    daemon = spfrom(**settings)
    if key == "dns_trust_anchor":
        del daemon.settings["dns_zone_file"]
    for arguments in ([], ["-t"]):
        result = _run_with(daemon, *arguments)
        assert result.returncode == EX_CONFIG
        assert result.stderr.startswith("spfrom-milter: " + _place(daemon, key)) and said in result.stderr


# What keeps a start from listening, and a test finds: the setting, what is said of it
PLACES = [
    ("unix:/missing/folder/milter.sock", "/missing/folder: can't be made: No such file or directory"),
    ("unix:/etc/hostname/milter.sock", "/etc/hostname: can't be used: Not a directory"),
    ("unix:/etc/hostname", "/etc/hostname: a file that is no socket is there"),
    ("inet:8894@203.0.113.77", "this host does not have that address"),
    ("inet:203.0.113.77:8894", "this host does not have that address"),
    ("inet6:8894@2001:db8::77", "this host does not have that address"),
]


@pytest.mark.parametrize("place, said", PLACES, ids=[row[0] for row in PLACES])
def test_place_where_the_daemon_cannot_listen(spfrom, place, said):
    daemon = spfrom(socket=place)
    result = _run_with(daemon, "-t")
    assert result.returncode == EX_CONFIG
    assert result.stderr.startswith("spfrom-milter: " + _place(daemon, "socket")) and said in result.stderr


def test_folder_in_which_the_account_may_not_write(spfrom, needs_root):
    daemon = spfrom()
    folder = daemon.directory / "others"
    folder.mkdir()
    os.chown(folder, 12345, 12345)
    daemon.settings["socket"] = f"unix:{folder}/milter.sock"
    daemon.directory.chmod(0o777)
    result = _run_with(daemon, "-t")
    assert result.returncode == EX_CONFIG and f"socket: {folder}: can't be used: Permission denied" in result.stderr
    assert _run_with(daemon).returncode == EX_UNAVAILABLE  # as the start itself finds
    os.chown(folder, pwd.getpwnam(daemon.settings["user"]).pw_uid, -1)
    assert _run_with(daemon, "-t").returncode == 0


def test_all_errors_in_one_run(spfrom):
    """Of the text, with what was meant, and of what a start needs; and nothing is made."""
    daemon = spfrom(mode="rewrit", extra="relay_host = { auto }\nsender_header = loud\n",
                    state_dir="/missing/folder/state", socket="inet:8894@203.0.113.77", socket_group="no-such-group")
    result = _run_with(daemon, "-t")
    assert result.returncode == EX_CONFIG and not result.stdout
    lines = result.stderr.splitlines()
    for said in ("did you mean rewrite?", "did you mean relay_hosts?", 'sender_header: invalid value "loud"',
                 "state_dir: /missing/folder/state: can't be made", "this host does not have that address"):
        assert sum(said in line for line in lines) == 1, "\n".join([said, *lines])
    assert len(lines) == 5, "\n".join(lines)


def test_configuration_is_right_beside_a_running_daemon(spfrom):
    daemon = spfrom()
    daemon.start()
    assert _run_with(daemon, "-t").returncode == 0
    assert ask(daemon.address, [("From", OHNE)], sender=OHNE).sender() == FALLBACK


@pytest.mark.parametrize("settings, said", [
    ({"fallback_address": "noreply@praxis-ohne.de"}, "praxis-ohne.de itself does not authorise the relays (none)"),
    ({"dns_zone_file": None, "dns_servers": ["127.0.0.1@1"], "dns_timeout": "1s", "check_timeout": "2s"},
     "do the resolvers answer?")], ids=["fallback", "resolvers"])
def test_warnings_of_a_right_configuration(spfrom, settings, said):
    daemon = spfrom(**{key: value for key, value in settings.items() if value})
    for key, value in settings.items():
        if not value:
            del daemon.settings[key]
    result = _run_with(daemon, "-t")
    assert result.returncode == 0 and "the configuration is right" in result.stdout
    assert said in result.stderr


# What stands in the configuration, what is written in its place, and what a start and a reload take it for
MEANT = [
    ("socket_mode = ", "mode = rewrit\nsocket_mode = ", "did you mean rewrite?"),
    ("relay_hosts", "relay_host", "did you mean relay_hosts?"),
    ("fallback_address = ", "fallback_address = Praxis Mail <noreply@lemniscus.de> # ", "needs quotes"),
    ("socket_mode = ", "outbound = { private authenticated }\nsocket_mode = ", "a comma is missing"),
]


def test_what_was_meant_by_a_start_and_a_reload(spfrom):
    daemon = spfrom()
    daemon.start()
    right = daemon.configuration_file.read_text()
    for written, wrong, said in MEANT:
        assert right.count(written) == 1
        daemon.configuration_file.write_text(right.replace(written, wrong))
        for result in (_run("-f", "-c", daemon.configuration_file), daemon.tool("reload")):
            assert result.returncode == EX_CONFIG and said in result.stderr
        processes.wait_until(lambda: said in daemon.log(), 10, "a line in the log")


@pytest.mark.parametrize("name", [name for name in LATE if name not in WHEN_STARTED])
def test_late_errors_of_a_reload(spfrom, name):
    """The same words, and the old configuration stays: also of accounts, which only root can change to."""
    settings, said = LATE[name]
    key = next(iter(settings))
    if key in ("user", "group") and os.geteuid() != 0:
        pytest.skip(f"{key} means nothing when not root")
    daemon = spfrom()
    daemon.start()
    daemon.settings.update(settings)
    if key == "dns_trust_anchor":
        del daemon.settings["dns_zone_file"]
    daemon.write_configuration()
    result = daemon.tool("reload")
    assert result.returncode == EX_CONFIG and said in result.stderr
    assert _place(daemon, key) in result.stderr
    processes.wait_until(lambda: said in daemon.log(), 10, "a line in the log")
    assert ask(daemon.address, [("From", OHNE)], sender=OHNE).sender() == FALLBACK


def test_zone_file_is_wrong(spfrom):
    daemon = spfrom()
    Path(daemon.settings["dns_zone_file"]).write_text("lemniscus.de. TXT unfinished \"\n")
    result = _run_with(daemon)
    assert result.returncode == EX_CONFIG
    assert f"{_place(daemon, 'dns_zone_file')}{daemon.settings['dns_zone_file']}:1" in result.stderr


def test_stale_socket_is_taken_over(spfrom):
    daemon = spfrom()
    daemon.start()
    daemon.kill()
    assert daemon.socket.exists()
    daemon.start()
    assert ask(daemon.address, [("From", OHNE)], sender=OHNE).sender() == FALLBACK


def test_socket_that_is_in_use(spfrom):
    daemon = spfrom()
    daemon.start()
    result = _run_with(daemon)
    assert result.returncode == EX_UNAVAILABLE and str(daemon.socket) in result.stderr
    assert ask(daemon.address, [("From", OHNE)], sender=OHNE).sender() == FALLBACK


def test_port_that_is_in_use(spfrom):
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        daemon = spfrom(socket=f"inet:{other.getsockname()[1]}@127.0.0.1")
        assert _run_with(daemon).returncode == EX_UNAVAILABLE


def test_file_in_place_of_the_socket(spfrom):
    daemon = spfrom()
    daemon.socket.write_text("precious")
    result = _run_with(daemon)
    assert result.returncode == EX_UNAVAILABLE and str(daemon.socket) in result.stderr
    assert daemon.socket.read_text() == "precious"


def test_directories(spfrom):
    """A missing one is made, its missing parent is not."""
    daemon = spfrom()
    daemon.settings["socket"] = f"unix:{daemon.directory}/new/milter.sock"
    daemon.socket = daemon.directory / "new" / "milter.sock"
    daemon.start()
    assert (daemon.directory / "state").is_dir()
    other = spfrom()
    other.settings["socket"] = f"unix:{other.directory}/a/b/milter.sock"
    result = _run_with(other)
    assert result.returncode in (EX_CONFIG, EX_UNAVAILABLE) and f"{other.directory}/a" in result.stderr


def test_host_name_of_ipv6(spfrom):
    """libmilter looks names up for IPv4 only."""
    try:
        socket.getaddrinfo("localhost", None, socket.AF_INET6)
        socket.create_server(("::1", 0), family=socket.AF_INET6).close()
    except OSError:
        pytest.skip("no IPv6")
    daemon = spfrom()
    daemon.settings["socket"] = f"inet6:{processes.free_port()}@localhost"
    port = int(daemon.settings["socket"].split(":")[1].split("@")[0])
    assert _run_with(daemon, "-t").returncode == 0
    daemon.write_configuration()
    process = processes.start([paths.MILTER, "-f", "-c", daemon.configuration_file], daemon.log_file)
    try:
        processes.wait_until(lambda: processes.is_listening(("::1", port)), 20, "IPv6", process)
    finally:
        processes.stop(process)


@pytest.mark.parametrize("kind, family", [("inet", "IPv4"), ("inet6", "IPv6")])
def test_host_without_an_address(spfrom, kind, family):
    """At the start and before it, with the cause."""
    daemon = spfrom(socket=f"{kind}:8894@nowhere.invalid")
    for arguments, status in ([], EX_UNAVAILABLE), (["-t"], EX_CONFIG):
        result = _run_with(daemon, *arguments)
        assert result.returncode == status
        assert f'{kind}:8894@nowhere.invalid: no {family} address of "nowhere.invalid" is known' in result.stderr


def test_cause_of_a_port_that_is_in_use(spfrom):
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        result = _run_with(spfrom(socket=f"inet:{other.getsockname()[1]}@127.0.0.1"))
    assert result.returncode == EX_UNAVAILABLE and "Address already in use" in result.stderr


def test_tcp_socket(spfrom):
    port = processes.free_port()
    daemon = spfrom(socket=f"inet:{port}@127.0.0.1")
    daemon.start()
    assert ask(daemon.address, [("From", OHNE)], sender=OHNE).sender() == FALLBACK


def test_privileges_are_dropped(spfrom, needs_root):
    daemon = spfrom()
    daemon.start()
    processes.wait_until(lambda: "ready:" in daemon.log(), 20, "the daemon to be ready", daemon.process)
    status = Path(f"/proc/{daemon.process.pid}/status").read_text()
    fields = dict(line.split(":", 1) for line in status.splitlines())
    assert "0" not in fields["Uid"].split() and "0" not in fields["Gid"].split()
    assert "0" not in fields["Groups"].split()
    assert int(fields["CapEff"], 16) == 0 and int(fields["CapPrm"], 16) == 0
    assert (daemon.directory / "state").stat().st_uid == int(fields["Uid"].split()[0])


RACES = 40
ATTACK = """
import ctypes, os, sys
folder, name, victim = sys.argv[1:]
os.chdir(folder)
os.symlink(victim, "link")
libc = ctypes.CDLL(None)
AT_FDCWD, EXCHANGE = -100, 2
print("ready", flush=True)
while True:
    if libc.renameat2(AT_FDCWD, b"link", AT_FDCWD, name.encode(), EXCHANGE) == 0:
        os.read(0, 1)
"""


def _race(daemon, name, victim):
    """Starts the daemon while its account, in its own folder, puts a link to victim in the place of name."""
    for path in ("control.sock", "milter.sock", "state", "link"):
        with contextlib.suppress(OSError):
            os.unlink(daemon.directory / path)
    shutil.rmtree(daemon.directory / "state", ignore_errors=True)
    shutil.rmtree(daemon.directory / "link", ignore_errors=True)
    argv = [sys.executable, "-s", "-c", ATTACK, daemon.directory, name, victim]
    attacker = subprocess.Popen(list(map(str, argv)), user=UNPRIVILEGED["user"], stdin=subprocess.PIPE,
                                stdout=subprocess.PIPE)
    try:
        assert attacker.stdout.readline()
        process = processes.start([paths.MILTER, "-f", "-c", daemon.configuration_file], daemon.log_file)
        processes.wait_until(lambda: process.poll() is not None or processes.is_listening(daemon.control_socket)
                             or (daemon.directory / name).is_symlink() and time.sleep(0.1) is None, 20, "a start")
        process.kill()
        process.wait()
    finally:
        attacker.kill()
        attacker.communicate()


@pytest.mark.parametrize("name", ["control.sock", "milter.sock", "state"])
def test_root_gives_nothing_away(spfrom, needs_root, name):
    """Started as root, with its files in a folder of its account, which exchanges one for a link to a file of root's."""
    daemon = spfrom()
    daemon.write_configuration()
    shutil.chown(daemon.directory, UNPRIVILEGED["user"])
    with tempfile.TemporaryDirectory() as directory:
        victim = Path(directory) / "victim"
        victim.mkdir() if name == "state" else victim.touch()
        before = victim.stat()
        for _ in range(RACES):
            _race(daemon, name, victim)
            after = victim.stat()
            assert (after.st_uid, after.st_gid, after.st_mode) == (before.st_uid, before.st_gid, before.st_mode)


def test_socket_in_a_folder_of_root(spfrom, needs_root):
    """Nobody else can write there, so root makes it: for its account, and for the group that may connect."""
    daemon = spfrom(socket_mode="0660", socket_group="uucp")
    folder = daemon.directory / "of-root"
    folder.mkdir(mode=0o755)
    daemon.socket, daemon.control_socket = folder / "milter.sock", folder / "control.sock"
    daemon.settings.update(socket=f"unix:{daemon.socket}", control_socket=daemon.control_socket)
    daemon.write_configuration()
    daemon.process = processes.start([paths.MILTER, "-f", "-c", daemon.configuration_file], daemon.log_file)
    processes.wait_until(lambda: processes.is_listening(daemon.control_socket), 20, "the daemon", daemon.process)
    milter, control = daemon.socket.stat(), daemon.control_socket.stat()
    assert (milter.st_mode & 0o777, milter.st_gid) == (0o660, grp.getgrnam("uucp").gr_gid)
    assert (control.st_mode & 0o777, control.st_uid) == (0o660, pwd.getpwnam(UNPRIVILEGED["user"]).pw_uid)
    assert control.st_gid == grp.getgrnam(UNPRIVILEGED["group"]).gr_gid


def test_socket_in_a_folder_of_the_account(spfrom, needs_root):
    daemon = spfrom(socket_mode="0660", socket_group="uucp")
    shutil.chown(daemon.directory, UNPRIVILEGED["user"])
    daemon.start()
    status = daemon.socket.stat()
    assert (status.st_mode & 0o777, status.st_gid) == (0o660, grp.getgrnam("uucp").gr_gid)
    assert status.st_uid == pwd.getpwnam(UNPRIVILEGED["user"]).pw_uid


def test_socket_takes_the_group_of_its_folder(spfrom, needs_root):
    """That is how the packaged unit makes the socket Postfix's: the folder is set-gid."""
    daemon = spfrom(socket_mode="0660")
    daemon.directory.chmod(0o777)
    folder = daemon.directory / "set-gid"
    folder.mkdir()
    shutil.chown(folder, UNPRIVILEGED["user"], "uucp")
    folder.chmod(0o2750)
    daemon.socket = folder / "milter.sock"
    daemon.settings["socket"] = f"unix:{daemon.socket}"
    daemon.start()
    assert daemon.socket.stat().st_gid == grp.getgrnam("uucp").gr_gid


def test_folder_below_one_that_others_write_to(spfrom, needs_root):
    """Root makes nothing there; the account has to be able to."""
    daemon = spfrom()
    daemon.settings["state_dir"] = daemon.directory / "theirs" / "state"
    (daemon.directory / "theirs").mkdir()
    shutil.chown(daemon.directory / "theirs", "uucp")
    result = _run_with(daemon)
    assert result.returncode == EX_CONFIG and "theirs/state: can't be made" in result.stderr


def test_socket_mode(spfrom):
    daemon = spfrom(socket_mode="0660")
    daemon.start()
    assert daemon.socket.stat().st_mode & 0o777 == 0o660


def test_clean_stop(spfrom):
    daemon = spfrom()
    daemon.start()
    idle = MilterClient(daemon.address)
    idle.connect()
    begin = time.monotonic()
    assert daemon.stop() == 0
    assert time.monotonic() - begin < 15
    assert idle.is_closed()
    assert not daemon.socket.exists()


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_stop_signals(spfrom, number):
    daemon = spfrom()
    daemon.start()
    assert processes.stop(daemon.process, 15, number) == 0


def test_message_in_flight_gets_its_answer(spfrom):
    """SIGTERM arrives while DNS is being waited for."""
    record = Txt(["v=spf1 -all"], delay=1)
    with FaultyDns({"praxis-ohne.de": record}, otherwise=Txt(["v=spf1 ip4:192.0.2.25 -all"])) as dns:
        daemon = spfrom(dns_servers=[dns.server])
        del daemon.settings["dns_zone_file"]
        daemon.start()
        outcomes = []
        thread = threading.Thread(
            target=lambda: outcomes.append(ask(daemon.address, [("From", OHNE)], sender=OHNE)))
        thread.start()
        processes.wait_until(lambda: dns.count("praxis-ohne.de"), 5, "the question")
        assert daemon.stop() == 0
        thread.join(5)
    assert [outcome.sender() for outcome in outcomes] == [FALLBACK]


def test_message_that_never_ends_does_not_stop_the_stop(spfrom):
    daemon = spfrom(check_timeout="2s")
    daemon.start()
    client = MilterClient(daemon.address)
    client.connect()
    client.mail(OHNE)
    begin = time.monotonic()
    assert daemon.stop() == 0
    assert time.monotonic() - begin < 2 + 5 + 1


def _hang_up(daemon):
    daemon.write_configuration()
    daemon.process.send_signal(signal.SIGHUP)


def test_stop_that_comes_early(spfrom):
    """While the daemon starts, or as soon as it listens."""
    for _ in range(20):
        daemon = spfrom()
        daemon.start()
        assert daemon.stop() == 0, daemon.log()


def _is_rewriting(daemon):
    return ask(daemon.address, [("From", OHNE)], sender=OHNE).sender() == FALLBACK


def test_hangup_reloads(spfrom):
    daemon = spfrom()
    daemon.start()
    assert _is_rewriting(daemon)
    daemon.settings["mode"] = "log-only"
    _hang_up(daemon)
    processes.wait_until(lambda: not _is_rewriting(daemon), 5, "the new mode", daemon.process)


def test_hangup_with_a_wrong_configuration_changes_nothing(spfrom):
    daemon = spfrom()
    daemon.start()
    assert _is_rewriting(daemon)
    daemon.settings["mode"] = "nonsense"
    _hang_up(daemon)
    processes.wait_until(lambda: "nonsense" in daemon.log(), 5, "the error in the log", daemon.process)
    assert _is_rewriting(daemon)


def test_message_keeps_the_settings_that_it_began_with(spfrom):
    daemon = spfrom()
    daemon.start()
    with MilterClient(daemon.address, NO_STEPS) as client:  # MAIL is answered: the message has begun
        client.connect()
        client.envelope(OHNE)
        assert _is_rewriting(daemon)
        daemon.settings["mode"] = "log-only"
        _hang_up(daemon)
        processes.wait_until(lambda: not _is_rewriting(daemon), 5, "the new mode", daemon.process)
        client.header("From", OHNE)
        assert (client.eoh() or client.body(b"x") or client.eom()).sender() == FALLBACK
        assert not client.message([("From", OHNE)], OHNE).edits


def test_log_line(spfrom):
    daemon = spfrom()
    daemon.start()
    ask(daemon.address, [("From", f"Praxis <{OHNE}>")], sender="praxis@gmx.de")
    record = daemon.wait_for_record(id="4fKx2n")
    wanted = {"action": "rewrite", "author": OHNE, "sender": "praxis@gmx.de", "domain": "praxis-ohne.de", "spf": "none",
              "reply_to": "added", "client": "10.0.0.7"}
    assert {key: record.get(key) for key in wanted} == wanted
    assert float(record["ms"]) >= 0


def test_log_without_local_parts(spfrom):
    daemon = spfrom(log_addresses="domain")
    daemon.start()
    ask(daemon.address, [("From", "geheim@praxis-ohne.de")], sender="verborgen@gmx.de")
    daemon.wait_for_record(action="rewrite")
    assert "praxis-ohne.de" in daemon.log()
    assert "geheim" not in daemon.log() and "verborgen" not in daemon.log()


@pytest.mark.parametrize("record", ["exists:%{l}.a.example exists:%{l}.b.example exists:%{l}.c.example", "include:%{l}.a.example",
                                    "include:%{lr-}.a.example", "redirect=%{l}.a.example", "mx:%{l}.a.example",
                                    "include:b.example", "a:%{L}.broken.example"])
def test_no_local_part_in_a_reason(spfrom, record):
    daemon = spfrom(log_addresses="domain")
    daemon.settings["dns_zone_file"].write_text(f'a.example. TXT "v=spf1 {record} -all"\n'
                                'b.example. TXT "v=spf1 include:%{l}.b.example -all"\n')
    daemon.start()
    ask(daemon.address, [("From", "geheim-verborgen@a.example")], sender="geheim-verborgen@a.example")
    daemon.wait_for_record(action="rewrite")
    assert "geheim" not in daemon.log() and "verborgen" not in daemon.log()


@pytest.mark.parametrize("sender, shown", [("a..b@gmx.de", '"a..b"@gmx.de'), ("a.@gmx.de", '"a."@gmx.de'), ("postmaster", "postmaster"),
                                           ("a@b@gmx.de", "a@b@gmx.de"), ("", "<>"), ("a@gmx.de", "a@gmx.de")])
def test_log_of_odd_senders(spfrom, sender, shown):
    daemon = spfrom()
    daemon.start()
    ask(daemon.address, [("From", OHNE)], sender=sender)
    logged = daemon.wait_for_record(action="rewrite")["sender"]
    assert logged in (shown, sender or "<>")


@pytest.mark.parametrize("queue_id, shown", [("x: action=keep", '"x: action=keep"'), ("x\x1b", '"x\\x1b"'), ("4fKx2n", "4fKx2n")])
def test_queue_id_is_quoted(spfrom, queue_id, shown):
    daemon = spfrom()
    daemon.start()
    with MilterClient(daemon.address) as client:
        client.connect(address="10.0.0.7")
        client.envelope("a@gmx.de")
        client.header("From", OHNE)
        client.eoh()
        client.macros("eom", {"i": queue_id})
        client.send("eom")
        client._outcome()
    daemon.wait_for_record(action="rewrite")
    assert f" {shown}: action=rewrite author=" in daemon.log()
    assert daemon.tool("status").returncode == 0


def test_log_has_no_control_characters(spfrom):
    daemon = spfrom()
    daemon.start()
    with MilterClient(daemon.address) as client:
        client.connect()
        client.mail(b"a\x1b[31m\rQQ: action=keep\t\"x@gmx.de")
        client.rcpt("patient@example.net")
        client.header("From", b"<b\x1b[0m\nZZ: action=keep@gmx.de>")
        client.eoh() or client.eom()
    daemon.wait_for_record(spf="none")
    assert not any(ord(character) < 32 for line in daemon.log().splitlines() for character in line)
    assert not any(line.split(" ")[0] in ("QQ:", "ZZ:") for line in daemon.log().splitlines())


def test_background(spfrom):
    """Without -f the caller waits until the daemon listens, and gets its exit code where it doesn't."""
    daemon = spfrom()
    daemon.write_configuration()
    daemon.directory.chmod(0o777)
    with open(daemon.log_file, "wb") as log:
        status = subprocess.run([paths.MILTER, "-c", daemon.configuration_file], stdout=log, stderr=log, timeout=20)
    assert status.returncode == 0
    assert ask(daemon.address, [("From", OHNE)], sender=OHNE).sender() == FALLBACK
    os.kill(_pid_of(daemon), signal.SIGTERM)
    processes.wait_until(lambda: not processes.is_listening(daemon.address), 15, "the end")


def _pid_of(daemon):
    wanted = str(daemon.configuration_file).encode()
    for entry in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            if wanted in entry.read_bytes():
                return int(entry.parent.name)
        except OSError:
            continue
    raise AssertionError("no such process")


@pytest.mark.parametrize("closed", [(0, 1, 2), (0,), (1, 2), (2,)], ids=str)
@pytest.mark.parametrize("options", [[], ["-f"]], ids=["background", "foreground"])
def test_closed_descriptors(spfrom, closed, options):
    """What the daemon opens does not become its stdin, stdout or stderr."""
    daemon = spfrom()
    daemon.write_configuration()
    daemon.directory.chmod(0o777)
    words = " ".join(f"{number}>&-" for number in closed)
    command = ["sh", "-c", f'exec "$@" {words}', "sh", paths.MILTER, *options, "-c", daemon.configuration_file]
    with open(daemon.log_file, "wb") as log:
        process = subprocess.Popen(list(map(str, command)), stdout=log, stderr=log)
        if not options:
            assert process.wait(20) == 0
    processes.wait_until(lambda: daemon.socket.exists() and processes.is_listening(daemon.address), 20, "the daemon")
    assert ask(daemon.address, [("From", OHNE)], sender=OHNE).sender() == FALLBACK
    os.kill(_pid_of(daemon), signal.SIGTERM)
    processes.wait_until(lambda: not processes.is_listening(daemon.address), 15, "the end")
    process.wait(15)


def test_background_that_fails(spfrom):
    daemon = spfrom()
    daemon.socket.write_text("precious")
    daemon.write_configuration()
    assert _run("-c", daemon.configuration_file).returncode == EX_UNAVAILABLE


@pytest.mark.parametrize("number", [signal.SIGSEGV, signal.SIGABRT], ids=["SEGV", "ABRT"])
def test_crash_is_in_the_log(spfrom, number):
    """With what was logged before it. A sanitizer says it in its own words."""
    daemon = spfrom()
    daemon.start()
    for _ in range(20):
        ask(daemon.address, [("From", OHNE)], sender=OHNE)
    daemon.process.send_signal(number)
    assert daemon.process.wait(20) != 0
    assert number.name[3:] in daemon.log().splitlines()[-1] or daemon.complaints()
    assert daemon.log().count("action=rewrite") == 20


def test_no_mail_through_a_dead_milter(spfrom, needs_postfix):
    """milter_default_action = tempfail: the client keeps the message."""
    daemon = spfrom()
    daemon.start()
    with Route(daemon.directory / "postfix", daemon) as route:
        daemon.kill()
        with pytest.raises(smtplib.SMTPException) as refused:
            clients.send_smtp(route.postfix, OHNE, "dead@example.net", message(f"From: {OHNE}"))
        assert "451" in str(refused.value)
        daemon.start()
        clients.send_smtp(route.postfix, MUELLER, "alive@example.net", message(f"From: {MUELLER}"))
        assert route.sink.take("alive@example.net").sender == MUELLER
        assert not route.sink.to("dead@example.net")
