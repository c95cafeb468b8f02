"""`spfrom doctor` on installations that are right and on broken ones: each fault is made for real, and each mend is run."""

import contextlib
import grp
import itertools
import json
import os
import pty
import pwd
import re
import shutil
import smtplib
import socket
import subprocess
import threading
from pathlib import Path

import pytest

from lab import arrived
from lab import clients
from lab import other_milters
from lab import paths
from lab import private_amavis
from lab import private_postfix
from lab import private_sendmail
from lab import processes
from lab import terminal
from conftest import need
from lab.control_client import ask_control
from lab.faulty_dns import FaultyDns, Silence
from lab.other_milters import DkimKey, Signer
from lab.private_amavis import PrivateAmavis
from lab.private_nsd import PrivateNsd
from lab.private_postfix import PrivatePostfix
from lab.sink import Sink
from lab.spfrom import Spfrom
from lab.zone import RECORDS

pytestmark = [pytest.mark.usefixtures("needs_root", "needs_postfix"), pytest.mark.address]

ZONE = RECORDS + """\
lemniscus.de.                 MX  10 mail.lemniscus.de.
mail.lemniscus.de.            A   192.0.2.26
relay.lemniscus.de.           TXT "v=spf1 ip4:192.0.2.25 -all"
_dmarc.lemniscus.de.          TXT "v=DMARC1; p=reject"
test._domainkey.lemniscus.de. TXT "v=DKIM1; k=rsa; p=MFww"
old._domainkey.lemniscus.de.  TXT "v=DKIM1; k=rsa; p="
nirgends.example.             TXT "v=spf1 ip4:192.0.2.25 -all"
stumm.example.                TXT "v=spf1 ip4:192.0.2.25 -all"
stumm.example.                MX  0 .
tot.example.                  TXT "v=spf1 ip4:192.0.2.25 -all"
tot.example.                  MX  10 weg.tot.example.
leer.example.                 MX  10 mail.lemniscus.de.
fremd.example.                TXT "v=spf1 ip4:203.0.113.1 -all"
fremd.example.                MX  10 mail.lemniscus.de.
smtp.provider.example.        A   203.0.113.25
pool.lemniscus.de.            TXT "v=spf1 ip4:192.0.2.26 -all"
two.lemniscus.de.             MX  10 relay2.lemniscus.de.
two.lemniscus.de.             MX  10 mail.lemniscus.de.
backup.lemniscus.de.          MX  10 relay2.lemniscus.de.
backup.lemniscus.de.          MX  20 mail.lemniscus.de.
dead.lemniscus.de.            MX  10 weg.tot.example.
relay2.lemniscus.de.          A   192.0.2.25
"""
ZONE_FILE = "$TTL 300\n" + ZONE
# The machine's own, which the tests don't choose; and TCP, which most of them have (see test_tcp_socket).
UNKEPT = {"clock", "disk", "container", "socket-tcp"}


def _run(arguments, environment=None, wrapper=()):
    done = subprocess.run([*map(str, wrapper), paths.TOOL, *map(str, arguments)], capture_output=True, text=True,
                          env=environment or private_postfix.programs().environment)
    assert not any(word in done.stderr for word in ("Sanitizer", "runtime error", "CRITICAL")), done.stderr
    return done


class Report:
    def __init__(self, done):
        assert done.returncode in (0, 1, 78), done.stderr
        self.status = done.returncode
        self.findings = json.loads(done.stdout)["findings"]

    def bad(self, *levels):
        return [finding for finding in self.findings
                if finding["level"] in (levels or ("error", "warning")) and finding["check"] not in UNKEPT]

    def of(self, check, *levels):
        return [finding for finding in self.findings
                if finding["check"] == check and (not levels or finding["level"] in levels)]


class Installation:
    """A daemon, and a running Postfix whose mail passes through it, until a test breaks something."""

    def __init__(self, daemon, postfix, sink):
        self.daemon, self.postfix, self.sink = daemon, postfix, sink

    def doctor(self, *arguments, wrapper=()):
        return Report(_run(["-c", self.daemon.configuration_file, "doctor", "--json", "--postfix-config",
                            self.postfix.etc, "--postconf", private_postfix.programs().command("postconf"),
                            "--dkim-selector", "test", *arguments], wrapper=wrapper))

    @contextlib.contextmanager
    def changed(self, main=(), master=""):
        """With settings ("name=value") in main.cf, and text at the end of master.cf."""
        files = {name: (self.postfix.etc / name).read_text() for name in ("main.cf", "master.cf")}
        try:
            if main:
                assert self.postfix.command("postconf", "-e", *main).returncode == 0
            (self.postfix.etc / "master.cf").write_text(files["master.cf"] + master)
            _settle(self.postfix.etc)
            yield
        finally:
            for name, text in files.items():
                (self.postfix.etc / name).write_text(text)
            _settle(self.postfix.etc)

    @contextlib.contextmanager
    def configured(self, **settings):
        """With other settings of ours."""
        before = dict(self.daemon.settings)
        try:
            self.daemon.settings.update(settings)
            self.daemon.write_configuration()
            assert self.daemon.tool("reload").returncode == 0
            yield
        finally:
            self.daemon.settings.clear()
            self.daemon.settings.update(before)
            self.daemon.write_configuration()
            assert self.daemon.tool("reload").returncode == 0

    def reload(self, *ports):
        """Makes the running Postfix take its files over, and listen at those ports besides."""
        _settle(self.postfix.etc)
        self.postfix.reload()
        for port in (self.postfix.port(), *ports):
            processes.wait_until(lambda: processes.is_listening(("127.0.0.1", port)), 20, f"port {port}")

    def words(self):
        """What the rows below may name."""
        return {"port": processes.free_port(), "smtp": f"127.0.0.1:{self.postfix.port()}",
                "etc": self.postfix.etc, "queue": self.postfix.queue}


def _settle(etc):
    """Postfix waits up to 2 s for a file that was just written."""
    for name in ("main.cf", "master.cf"):
        os.utime(etc / name, (0, 0))


def _mend(command, etc=None):
    """Runs the command as a shell does, one part after the other."""
    for part in command.split(" && "):
        done = subprocess.run(["sh", "-c", part], capture_output=True, text=True,
                              env=private_postfix.programs().environment)
        assert done.returncode == 0, f"{part}\n{done.stdout}{done.stderr}"
        if etc:
            _settle(etc)


def mend_all(installation, command):
    """Types the command; without systemd, and with a daemon that runs as another user, we do what it says."""
    daemon = installation.daemon
    for part in command.split(" && "):
        if part in ("systemctl restart spfrom", "spfrom reload"):
            restart(daemon) if "restart" in part else _check(daemon.tool("reload"))
        elif part.startswith("spfrom "):
            _check(daemon.tool(*part.split()[1:]))
        elif part == "postfix reload":
            installation.postfix.reload()
        else:
            _mend(part, installation.postfix.etc)


def _check(done):
    assert done.returncode == 0, done.stderr


def group_of(postfix):
    """The group of Postfix's account."""
    owner = postfix.command("postconf", "-h", "mail_owner").stdout.strip()
    return grp.getgrgid(pwd.getpwnam(owner).pw_gid).gr_name


def restart(daemon):
    """Starts the daemon with what stands in its file now."""
    daemon.stop()
    text = daemon.configuration_file.read_text()
    place = re.search(r'^socket = "(.*)"', text, re.MULTILINE).group(1)
    if place.startswith("unix:"):
        daemon.socket = Path(place.partition(":")[2])
    daemon.settings["socket"] = place
    write, daemon.write_configuration = daemon.write_configuration, lambda: None
    try:
        daemon.start()
    finally:
        daemon.write_configuration = write


def _postfix_words(daemon):
    """The daemon's socket as main.cf has it."""
    if not daemon.milter.startswith("inet:"):
        return daemon.milter
    port, host = daemon.milter[len("inet:"):].split("@")
    return f"inet:{host}:{port}"


@pytest.fixture(scope="module")
def nsd(directory, needs_nsd):
    with PrivateNsd(directory / "doctor-nsd", ZONE) as server:
        yield server


@pytest.fixture(scope="module")
def sink():
    with Sink() as server:
        yield server


@pytest.fixture(scope="module")
def signer(directory):
    """OpenDKIM's socket in Postfix's words."""
    need(other_milters.why_not())
    milter = Signer(directory / "doctor-signer", DkimKey(directory, "lemniscus.de"), "relaxed/simple")
    port, host = milter.milter[len("inet:"):].split("@")
    yield f"inet:{host}:{port}"
    milter.kill()


def _start(directory, daemon, sink):
    # Behind a reload that hits a delivery, Postfix leaves the transport alone for a minute, and the message for five.
    postfix = PrivatePostfix(directory, sink.port, _postfix_words(daemon), transport_retry_time="2s", queue_run_delay="2s",
                             minimal_backoff_time="2s")
    postfix.start()
    return Installation(daemon, postfix, sink)


@pytest.fixture(scope="module")
def installed(directory, daemons, nsd, sink):
    daemon = daemons.start(zone=None, dns_servers=[nsd.server], socket=f"inet:{processes.free_port()}@127.0.0.1")
    installation = _start(directory / "doctor-inet", daemon, sink)
    yield installation
    installation.postfix.stop()


@pytest.fixture(scope="module")
def installed_unix(directory, daemons, nsd, sink):
    daemon = daemons.start(zone=None, dns_servers=[nsd.server])
    installation = _start(directory / "doctor-unix", daemon, sink)
    yield installation
    installation.postfix.stop()


@pytest.mark.parametrize("name", ["installed", "installed_unix"])
def test_right(request, name):
    report = request.getfixturevalue(name).doctor()
    assert not report.bad()
    assert report.status == 0
    for check in ("configuration", "resolver", "relay-set", "fallback-spf", "fallback-dmarc", "fallback-dkim",
                  "fallback-route", "milter-socket", "smtpd-milters", "non-smtpd-milters", "default-action", "version", "loaded", "mode", "file-readable", "state-dir"):
        assert report.of(check, "fine"), check


# id, main.cf, master.cf, level, check, a word of the text
POSTFIX_FAULTS = [
    ("no-milter", ["smtpd_milters=", "non_smtpd_milters="], "", "error", "smtpd-milters", "smtpd_milters"),
    ("no-local-milter", ["non_smtpd_milters="], "", "error", "non-smtpd-milters", "sendmail -t"),
    ("local-milter-other", ["non_smtpd_milters={signer}"], "", "error", "non-smtpd-milters", "sendmail -t"),
    ("signer-first", ["smtpd_milters={signer}, {ours}"], "", "error", "signer-order", "OpenDKIM"),
    ("signer-first-braces", ["smtpd_milters={{ {signer}, default_action=accept }}, {{ {ours}, default_action=tempfail }}"],
     "", "error", "signer-order", "OpenDKIM"),
    ("signer-first-local", ["non_smtpd_milters={signer}, {ours}"], "", "error", "signer-order", "non_smtpd_milters"),
    ("accept", ["milter_default_action=accept"], "", "warning", "default-action", "without being rewritten"),
    ("accept-own", ["smtpd_milters={{ {ours}, default_action=accept }}"], "", "warning", "default-action", "accept"),
    ("reject", ["milter_default_action=reject"], "", "warning", "default-action", "rejected"),
    ("old-protocol", ["milter_protocol=3"], "", "error", "milter-protocol", "3"),
    ("no-time", ["milter_content_timeout=10s"], "", "error", "content-timeout", "10s"),
    ("submission-without", [],
     "127.0.0.1:{port} inet n - n - - smtpd\n  -o smtpd_sasl_auth_enable=yes\n  -o smtpd_milters=\n",
     "error", "smtpd-milters", "{port}"),
    ("submission-with-signer-alone", [],
     "127.0.0.1:{port} inet n - n - - smtpd\n  -o smtpd_sasl_auth_enable=yes\n  -o smtpd_milters={signer}\n",
     "error", "smtpd-milters", "{port}"),
    ("port-without", [], "127.0.0.1:{port} inet n - n - - smtpd\n  -o smtpd_milters=\n",
     "warning", "smtpd-milters", "{port}"),
    ("service-signer-first", [],
     "127.0.0.1:{port} inet n - n - - smtpd\n  -o {{ smtpd_milters = {signer}, {ours} }}\n",
     "error", "signer-order", "{port}"),
    ("no-milters-option", [],
     "127.0.0.1:{port} inet n - n - - smtpd\n  -o receive_override_options=no_milters,no_address_mappings\n",
     "error", "no-milters", "{port}"),
    ("proxy-filter", [], "127.0.0.1:{port} inet n - n - - smtpd\n  -o smtpd_proxy_filter=127.0.0.1:10025\n",
     "error", "proxy-filter", "{port}"),
    ("generic", ["smtp_generic_maps=inline:{{noreply@lemniscus.de=a@gmx.de}}"], "", "error", "generic", "a@gmx.de"),
    ("generic-domain", ["smtp_generic_maps=inline:{{@lemniscus.de=a@gmx.de}}"], "", "error", "generic", "a@gmx.de"),
    ("generic-other", ["smtp_generic_maps=inline:{{b@gmx.de=a@gmx.de}}"], "", "warning", "generic", "after the signature"),
    ("header-checks", ["smtp_header_checks=regexp:{etc}/checks"], "", "error", "header-checks", "From:"),
    ("header-checks-added", ["milter_header_checks=regexp:{etc}/checks"], "", "error", "header-checks", "From:"),
    ("sender-bcc", ["sender_bcc_maps=inline:{{@lemniscus.de=archiv@lemniscus.de}}"], "", "warning", "sender-bcc",
     "archiv@lemniscus.de"),
    ("sender-canonical", ["sender_canonical_maps=inline:{{noreply@lemniscus.de=a@gmx.de}}"], "", "error",
     "sender-canonical", "a@gmx.de"),
    ("canonical", ["canonical_maps=inline:{{noreply@lemniscus.de=a@gmx.de}}"], "", "error", "canonical", "a@gmx.de"),
    ("sender-relayhost", ["sender_dependent_relayhost_maps=inline:{{@lemniscus.de=[smtp.provider.example]}}"], "",
     "warning", "sender-relayhost", "provider.example"),
    ("sender-relayhost-others", ["sender_dependent_relayhost_maps=inline:{{@gmx.de=[mail.gmx.net]}}"], "",
     "warning", "sender-relayhost", "no longer counts"),
    ("sender-transport", ["sender_dependent_default_transport_maps=inline:{{@lemniscus.de=smtp:[a.example]}}"], "",
     "warning", "sender-transport", "a.example"),
    ("relayhost", ["relayhost=[smtp.provider.example]:587"], "", "error", "relayhost", "smtp.provider.example"),
    ("relayhost-provider", ["relayhost=[email-smtp.eu-west-1.amazonaws.com]:587"], "", "error", "relayhost", "amazonaws"),
    ("relayhost-transport", ["default_transport=smtp:[smtp.provider.example]"], "", "error", "relayhost",
     "default_transport"),
    ("bind-address", ["relayhost=", "smtp_bind_address=203.0.113.9"], "", "error", "own-address", "203.0.113.9"),
    ("transport-maps", ["transport_maps=inline:{{gmx.de=smtp:[a.example]}}"], "", "unknown", "transport-maps", "gmx.de"),
    ("bounces", ["myorigin=gmx.de"], "", "warning", "internal-mail", "MAILER-DAEMON@gmx.de"),
    ("milter-maps", ["smtpd_milter_maps=inline:{{127.0.0.1=DISABLE}}"], "", "unknown", "milter-maps", "inline"),
    ("header-size", ["header_size_limit=4096"], "", "warning", "header-size", "4096"),
    ("masquerade", ["masquerade_domains=de"], "", "error", "masquerade", "lemniscus.de"),
    ("given-twice", [], "", "warning", "postconf", "overriding earlier entry"),
]
CONFIGURATION_MENDS = {"relayhost", "relayhost-provider", "relayhost-transport"}  # they change spfrom.conf


@pytest.mark.parametrize("name, main, master, level, check, word", POSTFIX_FAULTS, ids=[row[0] for row in POSTFIX_FAULTS])
def test_postfix_fault(installed, request, name, main, master, level, check, word):
    words = {"ours": _postfix_words(installed.daemon), **installed.words()}
    if "{signer}" in "".join(main) + master:
        words["signer"] = request.getfixturevalue("signer")
    (installed.postfix.etc / "checks").write_text("/^From:.*noreply@/ REPLACE From: x@gmx.de\n")
    with installed.changed([setting.format(**words) for setting in main], master.format(**words)):
        if name == "given-twice":
            main_cf = installed.postfix.etc / "main.cf"
            main_cf.write_text("smtpd_milters = inet:127.0.0.1:1\n" + main_cf.read_text())
        report = installed.doctor()
        found = [finding for finding in report.of(check, level) if word.format(**words) in finding["text"]]
        assert found, report.bad("error", "warning", "unknown")
        assert report.status == (1 if report.bad("error") else 0)
        if found[0]["command"] and name not in CONFIGURATION_MENDS:
            for finding in report.bad():
                if finding["command"]:
                    _mend(finding["command"], installed.postfix.etc)
            after = installed.doctor()
            assert not after.of(check, level), after.of(check, level)
            assert not after.bad("error"), after.bad("error")
        else:
            assert found[0]["advice"] or found[0]["command"] or level == "unknown" or check == "postconf"


def test_postfix_that_does_not_run(installed):
    file = installed.postfix.queue / "pid/master.pid"
    moved = file.rename(file.with_suffix(".moved"))
    try:
        assert "start" in installed.doctor().of("postfix-running", "warning")[0]["command"]
    finally:
        moved.rename(file)


def test_signer_behind(installed, signer):
    with installed.changed([f"smtpd_milters={_postfix_words(installed.daemon)}, {signer}"]):
        report = installed.doctor()
    assert "OpenDKIM" in report.of("signer-order", "fine")[0]["text"]
    assert report.status == 0


def _mend_signer(command):
    """Types the command; we start the signer anew."""
    parts = command.split(" && ")
    assert parts.pop().startswith("systemctl restart ")
    _mend(" && ".join(parts))


@pytest.mark.parametrize("row, level", [("* {key}", "error"), ("*@praxis.example {key}", "error"),
                                        ("*@lemniscus.de {key}", "warning")])
def test_consent_and_opendkim(installed, tmp_path, row, level):
    """What the doctor says of real tables is what OpenDKIM does with them."""
    need(other_milters.why_not())
    key = DkimKey(tmp_path, "lemniscus.de")
    signer = Signer(tmp_path / "signer", key, "relaxed/simple")
    (tmp_path / "signer" / "signing-table").write_text(f"# ours\n{row.format(key=key.name)}\n")
    socket_of_signer = "inet:{1}:{0}".format(*signer.milter[len("inet:"):].split("@"))

    def examine():
        return [(finding["level"], finding["command"]) for finding in
                installed.doctor("--opendkim-conf", tmp_path / "signer" / "configuration").of("dkim-consent")]

    def signed_as(author):
        recipient = f"{author.partition('@')[2]}.{level}.{len(row)}@far.example"
        with smtplib.SMTP("127.0.0.1", installed.postfix.port()) as client:
            client.sendmail(author, [recipient], f"From: {author}\r\n\r\nText\r\n")
        signature = arrived.value(installed.sink.take(recipient).data, "DKIM-Signature")
        return re.search(r"\bd=([^;]+);", signature).group(1), re.search(r"\bs=([^;]+);", signature).group(1)

    try:
        with installed.changed([f"smtpd_milters={_postfix_words(installed.daemon)}, {socket_of_signer}"]):
            assert examine() == []
            with installed.configured(dkim_consent=["test"]):
                (before, command), = examine()
                assert before == level
                _mend_signer(command)
                assert examine() == [("fine", None)]
            signer.restart()
            installed.reload()
            assert signed_as("anna@praxis-mueller.de") == ("praxis-mueller.de", "test")
            assert signed_as("anna@gmx.de") == ("lemniscus.de", "test")
    finally:
        signer.kill()
        installed.reload()


def test_consent_and_rspamd(installed, tmp_path):
    """With Debian's own files of rspamd, as they are and mended."""
    need(other_milters.why_not())
    etc = tmp_path / "rspamd"
    shutil.copytree(other_milters.rspamd_configuration(), etc)

    def examine():
        return installed.doctor("--rspamd-config", etc).of("dkim-consent")

    with installed.configured(dkim_consent=["test"]), \
            installed.changed([f"smtpd_milters={_postfix_words(installed.daemon)}, unix:{tmp_path}/rspamd.sock"]):
        found, = examine()
        assert found["level"] == "error" and "_domainkey.lemniscus.de" in found["advice"]
        _mend_signer(found["command"])
        assert [finding["level"] for finding in examine()] == ["fine"]
        (etc / "override.d" / "dkim_signing.conf").write_text('path = "/k/a.key";\nselector = "dkim";\n')
        assert {finding["level"] for finding in examine()} == {"error", "warning"}
        (etc / "override.d" / "dkim_signing.conf").write_text('signing_table = "/etc/s"; key_table = "/etc/k";\n')
        assert [finding["level"] for finding in examine()] == ["unknown"]


def test_consent_without_a_signer(installed):
    with installed.configured(dkim_consent=["test"]):
        assert installed.doctor().of("dkim-consent", "warning")


def test_way_back_from_a_content_filter(installed):
    port = processes.free_port()
    with installed.changed(["content_filter=smtp:[127.0.0.1]:10024"],
                           f"127.0.0.1:{port} inet n - n - - smtpd\n  -o smtpd_milters=\n  -o content_filter=\n"):
        report = installed.doctor()
    assert str(port) in report.of("way-back", "fine")[0]["text"]
    assert not report.bad()


class Filter:
    """Stands for amavis: takes mail by SMTP, and gives all of it back at another port of the same Postfix."""

    def __init__(self, way_back):
        self._way_back = way_back
        self._sink = Sink(extensions=("8BITMIME", "XFORWARD NAME ADDR PORT PROTO HELO IDENT SOURCE"))
        self._sink._server.keep = self._give_back
        self.port = self._sink.port

    def _give_back(self, delivery):
        with smtplib.SMTP("127.0.0.1", self._way_back, timeout=60) as smtp:
            smtp.sendmail(delivery.sender, delivery.addresses(), delivery.data)

    def __enter__(self):
        self._sink.__enter__()
        return self

    def __exit__(self, *exception):
        self._sink.__exit__(*exception)


STRANGER = {"ADDR": "203.0.113.7", "NAME": "mx.example.net"}
_messages = itertools.count()


def _sender_after(installed, xclient=None):
    """The envelope sender and the author of a message as they arrive; both leave as ohne@praxis-ohne.de."""
    recipient = f"doctor-{next(_messages)}@example.org"
    clients.send_smtp(installed.postfix, "ohne@praxis-ohne.de", recipient, b"From: ohne@praxis-ohne.de\r\n\r\nx\r\n",
                      xclient=xclient)
    delivery = installed.sink.take(recipient)
    author = re.search(rb"^From:.*?([\w.]+@[\w.-]+)", delivery.data, re.MULTILINE).group(1).decode()
    assert author == delivery.sender
    return delivery.sender


OURS, THEIRS = "noreply@lemniscus.de", "ohne@praxis-ohne.de"
AFTER_QUEUE = ["content_filter=smtp:[127.0.0.1]:{filter}"]
BACK = "127.0.0.1:{back} inet n - n - - smtpd\n  -o content_filter=\n"
PROXY = BACK + "  -o smtpd_proxy_filter=\n"
REFORM = "  -o receive_override_options=no_header_body_checks,no_unknown_recipient_checks"
# id, main.cf, master.cf, what doctor finds wrong (check: part of the command that mends it), what becomes of our clients'
# mail, and of strangers', before that command is typed; afterwards, the first is always rewritten, and the second is not
FILTERS = [
    ("as-amavis-says", AFTER_QUEUE, BACK + REFORM + ",no_milters\n", {}, OURS, THEIRS),
    ("no-milters-by-name", AFTER_QUEUE, BACK + "  -o smtpd_milters=\n", {}, OURS, THEIRS),
    ("behind-too", AFTER_QUEUE, BACK + REFORM + "\n", {"way-back": "smtpd_milters="}, OURS, OURS),
    ("behind-alone", [*AFTER_QUEUE, "smtpd_milters="], BACK + "  -o smtpd_milters={ours}\n",
     {"way-back": "smtpd_milters=", "smtpd-milters": "smtpd_milters={ours}"}, OURS, OURS),
    ("proxy-and-behind", ["smtpd_proxy_filter=127.0.0.1:{filter}"], PROXY + REFORM + "\n",
     {"proxy-filter": "content_filter=smtp:[127.0.0.1]:{filter}", "way-back": "smtpd_milters="}, OURS, OURS),
    ("proxy-alone", ["smtpd_proxy_filter=inet:127.0.0.1:{filter}"], PROXY + REFORM + ",no_milters\n",
     {"proxy-filter": "content_filter=smtp:[127.0.0.1]:{filter}"}, THEIRS, THEIRS),
]


@pytest.mark.parametrize("name, main, master, wrong, ours, theirs", FILTERS, ids=[row[0] for row in FILTERS])
@pytest.mark.parametrize("kind", ["ours", "amavis"])
def test_content_filter(installed, request, tmp_path, is_full_length, kind, name, main, master, wrong, ours, theirs):
    """What doctor says of a content filter is what happens to mail, before its mend is typed and after."""
    back = processes.free_port()
    if kind == "amavis" and not is_full_length:
        pytest.skip("--all runs Debian's amavis")
    if kind == "amavis":
        need(private_amavis.why_not())
        request.getfixturevalue("open_folders")
    with Filter(back) if kind == "ours" else PrivateAmavis(tmp_path / "amavis", back) as amavis:
        words = {"ours": _postfix_words(installed.daemon), "filter": amavis.port, "back": back}
        with installed.changed([setting.format(**words) for setting in main], master.format(**words)):
            installed.reload(back)
            report = installed.doctor()
            assert {finding["check"] for finding in report.bad()} == set(wrong), report.bad()
            assert (_sender_after(installed), _sender_after(installed, STRANGER)) == (ours, theirs)
            for finding in report.bad():
                assert wrong[finding["check"]].format(**words) in finding["command"]
                _mend(finding["command"], installed.postfix.etc)
            installed.reload(back)
            if kind == "amavis":
                amavis.stop()
                amavis.start()  # as the advice says
            after = installed.doctor()
            assert not after.bad(), after.bad()
            assert str(back) in after.of("way-back", "fine")[0]["text"]
            assert (_sender_after(installed), _sender_after(installed, STRANGER)) == (OURS, THEIRS)
    installed.reload()


def test_way_back_by_another_name(installed):
    """outbound = daemon:NAME tells the filter's mail from strangers' by the port at which it comes back."""
    back = processes.free_port()
    with installed.changed([f"content_filter=smtp:[127.0.0.1]:{back}"], BACK.format(back=back)):
        with installed.configured(outbound=["authenticated", "daemon:ORIGINATING"]):
            found = installed.doctor().of("way-back")
    assert [finding["level"] for finding in found] == ["fine"]


LOGIN = "smtp_sender_dependent_authentication=yes"
BARE = "sender_canonical_maps=inline:{noreply=a@gmx.de}"
REPLACED = "a@gmx.de"
# id, main.cf, check, level, what a rewritten message's envelope sender becomes (None: not tried)
TABLES = [
    ("bare-under-myorigin", [BARE, "myorigin=lemniscus.de"], "sender-canonical", "error", REPLACED),
    ("bare-under-mydestination", [BARE, "mydestination=localhost, lemniscus.de"], "sender-canonical", "error", REPLACED),
    ("bare-elsewhere", [BARE], "sender-canonical", "fine", OURS),
    ("domain-before-bare", ["sender_canonical_maps=inline:{@lemniscus.de=a@gmx.de}"], "sender-canonical", "error", REPLACED),
    ("pattern-of-whole-addresses", ["sender_canonical_maps=regexp:{etc}/patterns"], "sender-canonical", "fine", OURS),
    ("canonical-bare", ["canonical_maps=inline:{noreply=a@gmx.de}", "myorigin=lemniscus.de"], "canonical", "error", REPLACED),
    ("login-of-domain", [LOGIN, "smtp_sasl_password_maps=inline:{@lemniscus.de=u:p}"], "sender-login", None, None),
    ("login-of-address", [LOGIN, "smtp_sasl_password_maps=inline:{noreply@lemniscus.de=u:p}"], "sender-login", None, None),
    ("login-of-others", [LOGIN, "smtp_sasl_password_maps=inline:{@gmx.de=u:p}"], "sender-login", "warning", None),
    ("login-not-known", [LOGIN, "smtp_sasl_password_maps=texthash:/none/x"], "sender-login", None, None),
]


@pytest.mark.parametrize("name, main, check, level, sender", TABLES, ids=[row[0] for row in TABLES])
def test_sender_tables(installed, name, main, check, level, sender):
    (installed.postfix.etc / "patterns").write_text("/^@lemniscus/ a@gmx.de\n/^noreply$/ a@gmx.de\n")
    with installed.changed([setting.replace("{etc}", str(installed.postfix.etc)) for setting in main]):
        installed.reload()
        assert [finding["level"] for finding in installed.doctor().of(check)] == ([level] if level else [])
        if sender:
            recipient = f"tables-{name}@example.org"
            clients.send_smtp(installed.postfix, THEIRS, recipient, b"From: ohne@praxis-ohne.de\r\n\r\nx\r\n")
            assert installed.sink.take(recipient).sender == sender
    installed.reload()


@pytest.mark.parametrize("parameter, check", [
    ("sender_canonical_maps", "sender-canonical"), ("canonical_maps", "canonical"), ("sender_bcc_maps", "sender-bcc"),
    ("smtp_header_checks", "header-checks"), ("milter_header_checks", "header-checks")])
def test_tables_that_cannot_be_asked(installed, parameter, check):
    """What can't be asked is not known: nothing says that all is fine, and it is told once."""
    with installed.changed([f"{parameter}=texthash:/none/table"]):
        report = installed.doctor()
    assert not report.of(check)
    found, = report.of("table", "unknown")
    assert parameter in found["text"] and "/none/table" in found["text"]


HOUSE = ["mydestination=house.example", "mailbox_size_limit=0"]
AWAY = "x-{name}@example.org"
# id, main.cf, local_mailers, level, a word of the text; {away} is an address outside
LOCAL = [
    ("alias", [*HOUSE, "alias_maps=inline:{info={away}}"], "local", "error", "alias_maps"),
    ("alias-among-others", [*HOUSE, "alias_maps=inline:{root=info, {info=nobody, {away}}}"], "local", "error", "alias_maps"),
    ("virtual-alias", [*HOUSE, "virtual_alias_maps=inline:{info@house.example={away}}"], "local", "error", "virtual_alias_maps"),
    ("canonical", [*HOUSE, "recipient_canonical_maps=inline:{info={away}}"], "local", "error", "recipient_canonical_maps"),
    ("luser-relay", [*HOUSE, "luser_relay={away}"], "local", "error", "luser_relay"),
    ("bcc", [*HOUSE, "always_bcc={away}"], "local", "error", "always_bcc"),
    ("error", [*HOUSE, "virtual_alias_domains=alias.example", "virtual_alias_maps=inline:{info@alias.example={away}}"],
     "error", "error", "local_mailers has error"),
    ("not-listed", [*HOUSE, "virtual_alias_maps=regexp:{etc}/patterns"], "local", "unknown", "can't be listed"),
    ("inside", [*HOUSE, "alias_maps=inline:{root=info, info=nobody@house.example}"], "local", "fine", "local_mailers"),
    ("other-domain", [*HOUSE, "virtual_alias_domains=alias.example", "virtual_alias_maps=inline:{info@alias.example={away}}"],
     "local", "fine", "local_mailers"),
]


@pytest.mark.parametrize("name, main, mailer, level, word", LOCAL, ids=[row[0] for row in LOCAL])
def test_local_mailers(installed, name, main, mailer, level, word):
    """An author whose message is local to spfrom, and then leaves, is not replaced; after the mend he is."""
    away = AWAY.format(name=name)
    (installed.postfix.etc / "patterns").write_text(f"/^info@house/ {away}\n")
    recipient = "info@alias.example" if name == "error" else "info@house.example"

    def sender_of_forwarded():
        count = len(installed.sink.to(away))
        clients.send_smtp(installed.postfix, THEIRS, recipient, b"From: ohne@praxis-ohne.de\r\n\r\nx\r\n")
        processes.wait_until(lambda: len(installed.sink.to(away)) > count, 20, "the forwarded message")
        return installed.sink.to(away)[-1].sender

    words = [setting.replace("{away}", away).replace("{etc}", str(installed.postfix.etc)) for setting in main]
    with contextlib.ExitStack() as stack:
        stack.enter_context(installed.changed(words))
        installed.reload()
        stack.enter_context(installed.configured(local_mailers=[mailer]))
        found = installed.doctor().of("local-mailers")
        assert [finding["level"] for finding in found] == [level] and word in found[0]["text"], found
        if level == "fine":
            return
        assert sender_of_forwarded() == THEIRS
        command, _, then = found[0]["command"].rpartition(" && ")
        assert then == "spfrom reload"
        _mend(command)
        assert installed.daemon.tool("reload").returncode == 0
        assert not installed.doctor().of("local-mailers")
        assert sender_of_forwarded() == OURS
    installed.reload()


def test_local_mailers_and_a_forward(installed, tmp_path):
    """The accounts of the machine are others for doctor alone."""
    (tmp_path / ".forward").write_text("\\\\anna, x@example.org\n")
    accounts = tmp_path / "passwd"
    accounts.write_text(Path("/etc/passwd").read_text() + f"anna:x:54321:54321::{tmp_path}:/bin/sh\n")
    with installed.changed(HOUSE), installed.configured(local_mailers=["local"]):
        found = installed.doctor(wrapper=["unshare", "-m", "sh", "-c", 'mount --bind "$0" /etc/passwd && exec "$@"', accounts])
        assert f"{tmp_path}/.forward sends mail to x@example.org" in found.of("local-mailers", "error")[0]["text"]
        (tmp_path / ".forward").write_text("anna@house.example\n")
        assert installed.doctor().of("local-mailers", "fine")


GATEWAY = {"ADDR": "172.17.0.1", "NAME": "[UNAVAILABLE]"}
IN_A_CONTAINER = '''mount -t tmpfs none /run && touch /run/.containerenv &&
mount -t tmpfs none /proc && mkdir -p /proc/self/net && cp "$0" /proc/self/net/route && exec "$@"'''


@pytest.fixture
def container(tmp_path):
    """Makes a program believe that it runs in a container whose gateway is 172.17.0.1."""
    if b"__asan_init" in paths.TOOL.read_bytes():
        pytest.skip("AddressSanitizer needs the /proc that is hidden here")
    route = tmp_path / "route"
    route.write_text("Iface\tDestination\tGateway \tFlags\neth0\t00000000\t010011AC\t0003\neth0\t000011AC\t00000000\t0001\n")
    return ["unshare", "-m", "sh", "-c", IN_A_CONTAINER, route]


def test_gateway_of_a_container(installed, container):
    """Docker's gateway is the client of everybody: a private address, and what comes from it is not ours for that."""
    authenticated = {**GATEWAY, "LOGIN": "carol"}
    with installed.configured():
        found, = installed.doctor(wrapper=container).of("container", "warning")
        assert "172.17.0.1" in found["text"]
        assert (_sender_after(installed, GATEWAY), _sender_after(installed, authenticated)) == (OURS, OURS)
        command, _, then = found["command"].rpartition(" && ")
        assert then == "spfrom reload"
        _mend(command)
        assert installed.daemon.tool("reload").returncode == 0
        assert not installed.doctor(wrapper=container).of("container")
        assert (_sender_after(installed, GATEWAY), _sender_after(installed, authenticated)) == (THEIRS, OURS)
        assert _sender_after(installed) == OURS  # a program inside of the container


@pytest.mark.parametrize("main", [["smtpd_upstream_proxy_protocol=haproxy"],
                                  ["smtpd_authorized_xclient_hosts=127.0.0.1, 172.17.0.0/16"]], ids=["proxy", "xclient"])
def test_gateway_that_tells_who_it_speaks_for(installed, container, main):
    with installed.changed(main):
        assert not installed.doctor(wrapper=container).of("container")


def test_tcp_socket(directory, daemons, nsd, sink):
    """Any local user can connect to a TCP socket; the mend moves it below the queue, where Postfix finds it by name."""
    daemon = daemons.start(zone=None, dns_servers=[nsd.server], socket=f"inet:{processes.free_port()}@127.0.0.1")
    installed = _start(directory / "doctor-tcp", daemon, sink)
    try:
        ours = _postfix_words(daemon)
        extra = f"127.0.0.1:{processes.free_port()} inet n - n - - smtpd\n  -o {{ smtpd_milters = {{{{ {ours}, default_action=tempfail }}}} }}\n"
        extra = extra.replace("{{", "{").replace("}}", "}")
        with installed.changed(["non_smtpd_milters=$smtpd_milters"], extra):
            found, = installed.doctor().of("socket-tcp", "warning")
            assert "any local user" in found["text"]
            for part in found["command"].split(" && "):
                if part == "systemctl restart spfrom":
                    daemon.stop()
                    daemon.socket = installed.postfix.queue / "spfrom/milter.sock"
                    daemon.settings["socket"] = f"unix:{daemon.socket}"
                    assert f'socket = "unix:{daemon.socket}"' in daemon.configuration_file.read_text()
                    daemon.settings["socket_mode"] = "0660"
                    daemon.start()
                else:
                    _mend(part, installed.postfix.etc)
            after = installed.doctor()
            assert not after.of("socket-tcp") and not after.bad(), after.bad()
            assert daemon.socket.stat().st_mode & 0o777 == 0o660
            assert "default_action=tempfail" in (installed.postfix.etc / "master.cf").read_text()
            installed.reload()
            assert _sender_after(installed) == OURS
    finally:
        installed.postfix.stop()


@pytest.mark.parametrize("value", ["{ours}", "inet:localhost:{number}", "{{ {ours} }}", "inet:{number}", "$mine"])
def test_ways_to_write_our_socket(installed, value):
    ours = _postfix_words(installed.daemon)
    value = value.format(ours=ours, number=ours.rpartition(":")[2])
    with installed.changed([f"mine={ours}", f"smtpd_milters={value}", "non_smtpd_milters=$smtpd_milters"]):
        assert not installed.doctor().bad()


# The parameters of main.cf that have it, and what Postfix can't read: Sendmail's form, or no form at all.
MISREAD = [
    ("smtpd_milters", "inet:{number}@127.0.0.1"),
    ("smtpd_milters", "{{ inet:{number}@127.0.0.1, default_action=tempfail }}"),
    ("smtpd_milters", "127.0.0.1:{number}"),
    ("smtpd_milters", "INET:127.0.0.1:{number}"),
    ("non_smtpd_milters", "inet:{number}@127.0.0.1"),
]


@pytest.mark.parametrize("parameter, value", MISREAD, ids=[f"{row[0]}-{row[1]}" for row in MISREAD])
def test_address_in_the_form_of_another_mta(installed, parameter, value):
    """Postfix takes no mail at all; the mend writes its own form."""
    ours = _postfix_words(installed.daemon)
    value = value.format(number=ours.rpartition(":")[2])
    with installed.changed([f"{parameter}={value}"]):
        report = installed.doctor()
        found, = report.of("milter-address", "error")
        assert found["text"].startswith(f"{parameter} has ") and ours in found["text"]
        assert report.bad() == [found] and not report.of(parameter.replace("_", "-"), "fine")
        _mend(found["command"], installed.postfix.etc)
        assert not installed.doctor().bad()


def test_address_in_the_form_of_another_mta_in_both_lists(installed):
    number = _postfix_words(installed.daemon).rpartition(":")[2]
    with installed.changed([f"smtpd_milters=inet:{number}@127.0.0.1", "non_smtpd_milters=$smtpd_milters"]):
        found, = installed.doctor().of("milter-address", "error")
        _mend(found["command"], installed.postfix.etc)
        assert "non_smtpd_milters = $smtpd_milters" in (installed.postfix.etc / "main.cf").read_text()
        assert not installed.doctor().bad()


def test_milter_that_does_not_answer(installed):
    """A milter beside ours at which nothing listens, or something that is no milter."""
    ours = _postfix_words(installed.daemon)
    other = f"inet:127.0.0.1:{processes.free_port()}"
    for value, level, word in [
            (f"{ours}, {other}", "error", "Connection refused"),
            (f"{ours}, unix:/none/other.sock", "error", "No such file"),
            (f"{ours}, inet:127.0.0.1:{installed.sink.port}", "error", "does not answer as a milter"),
            (f"{ours}, {{ {other}, default_action=accept }}", "warning", "goes on without it")]:
        with installed.changed([f"smtpd_milters={value}", f"non_smtpd_milters={ours}"]):
            found, = installed.doctor().of("milter-silent")
            assert (found["level"], word in found["text"]) == (level, True), found
            _mend(found["advice"].partition(": ")[2], installed.postfix.etc)
            assert not installed.doctor().bad()


def test_chroot(installed_unix):
    """Debian's smtpd runs in the queue directory: a path outside does not exist there."""
    port = processes.free_port()
    with installed_unix.changed(master=f"127.0.0.1:{port} inet n - y - - smtpd\n"):
        before = installed_unix.daemon.socket, dict(installed_unix.daemon.settings)
        found = installed_unix.doctor().of("chroot", "error")
        assert str(installed_unix.postfix.queue) in found[0]["text"]
        assert "chroot=n" not in found[0]["command"]  # it stays in its chroot
        try:
            mend_all(installed_unix, found[0]["command"])
            assert installed_unix.daemon.socket == installed_unix.postfix.queue / "spfrom/milter.sock"
            assert not installed_unix.doctor().bad()
        finally:
            installed_unix.daemon.stop()
            installed_unix.daemon.socket, installed_unix.daemon.settings = before
            installed_unix.daemon.start()
            shutil.rmtree(installed_unix.postfix.queue / "spfrom", ignore_errors=True)


def test_chroot_with_the_socket_inside(directory, daemons, installed_unix, nsd):
    folder = installed_unix.postfix.queue / "spfrom"
    folder.mkdir()
    folder.chmod(0o777)
    daemon = daemons.start(zone=None, dns_servers=[nsd.server])
    daemon.stop()
    daemon.settings["socket"] = f"unix:{folder}/milter.sock"
    daemon.socket = folder / "milter.sock"
    daemon.start()
    inside = Installation(daemon, installed_unix.postfix, installed_unix.sink)
    master = (installed_unix.postfix.etc / "master.cf").read_text().replace("inet n - n", "inet n - y")
    with inside.changed([f"smtpd_milters=unix:/spfrom/milter.sock", f"non_smtpd_milters=unix:{folder}/milter.sock"]):
        (installed_unix.postfix.etc / "master.cf").write_text(master)
        assert not inside.doctor().bad()


def test_return_socket_and_the_chroot(directory, daemons, installed_unix, nsd):
    """Where smtpd runs in the queue directory, a return socket outside is an error, and its mend is right."""
    outside, inside = directory / "return-socket", installed_unix.postfix.queue / "spfrom-return"
    for folder in (outside, inside):
        folder.mkdir()
        folder.chmod(0o777)
    master = (installed_unix.postfix.etc / "master.cf").read_text().replace("inet n - n", "inet n - y")
    for place, written in ((outside / "return.sock", outside / "return.sock"),
                           (inside / "return.sock", "spfrom-return/return.sock")):
        daemon = daemons.start(zone=None, dns_servers=[nsd.server], return_address="bounce+%t@lemniscus.de",
                               return_socket=f"unix:{place}")
        processes.wait_until(place.exists, 20, "the socket")
        case = Installation(daemon, installed_unix.postfix, installed_unix.sink)
        maps = f"virtual_alias_maps=socketmap:unix:{written}:return"
        for is_chroot in (False, True):
            with case.changed([maps, "virtual_alias_domains=lemniscus.de"]):
                if is_chroot:
                    (case.postfix.etc / "master.cf").write_text(master)
                report = case.doctor()
            assert report.of("return-map", "fine"), (place, report.of("return-map"))
            is_wrong = is_chroot and place.parent == outside
            assert bool(report.of("return-chroot")) == is_wrong
            for finding in report.of("return-chroot", "error"):
                assert str(place) in finding["text"] and "relative" in finding["advice"]


def test_socket_that_postfix_may_not_open(installed_unix):
    socket = installed_unix.daemon.socket
    socket.chmod(0o600)
    try:
        found = installed_unix.doctor().of("socket-reach", "error")
        assert str(socket) in found[0]["text"]
        assert f'socket_group = "{group_of(installed_unix.postfix)}"' in found[0]["command"] and "0666" not in found[0]["command"]
    finally:
        socket.chmod(0o666)
    socket.parent.chmod(0o700)
    try:
        found = installed_unix.doctor().of("socket-reach", "error")
        assert str(socket.parent) in found[0]["text"]
        _mend(found[0]["command"])
        assert not installed_unix.doctor().bad()
    finally:
        socket.parent.chmod(0o777)


GENERICS = "FEATURE(`genericstable', `text -o /dev/null')dnl\n"
OTHER_DAEMON = "DAEMON_OPTIONS(`Family=inet, Addr=127.0.0.1, Port=2599, Name=OTHER, InputMailFilters=signer')dnl\n"

# id, names of milters in their order, equates of ours, further lines of sendmail.mc, level, check, a word of the text
SENDMAIL_FAULTS = [
    ("no-milter", [], "", "", "error", "input-filters", "no milter at"),
    ("not-in-list", [], "", "MAIL_FILTER(`spfrom', `S=OURS, F=T, T=R:60s')dnl\n", "error", "input-filters", "defined and not"),
    ("signer-first", ["signer", "ours"], "", "", "error", "signer-order", "OpenDKIM"),
    ("no-flag", ["ours"], "T=R:60s", "", "warning", "default-action", "without being rewritten"),
    ("reject", ["ours"], "F=R, T=R:60s", "", "warning", "default-action", "rejected"),
    ("default-times", ["ours"], "F=T", "", "error", "read-time", "10 s"),
    ("short-end", ["ours"], "F=T, T=R:60s;E:5s", "", "error", "read-time", "5 s"),
    ("other-daemon", ["ours", "signer"], "F=T, T=R:60s", OTHER_DAEMON, "error", "input-filters", "OTHER"),
    ("generics", ["ours"], "F=T, T=R:60s", GENERICS, "warning", "generic", "genericstable"),
]


class ConfiguredSendmail:
    """A Sendmail's files: nothing that doctor looks at needs it to run."""

    def __init__(self, directory, daemon, sink, milters, extra_mc=""):
        self.daemon = daemon
        self.sendmail = private_sendmail.PrivateSendmail(directory, sink.port, milters, extra_mc)
        self.sendmail.configure()

    def doctor(self):
        return Report(_run(["-c", self.daemon.configuration_file, "doctor", "--json", "--dkim-selector", "test",
                            "--sendmail-cf", self.sendmail.directory / "sendmail.cf"]))

    def mend(self, command):
        change, make, restart = command.split(" && ")
        assert make.startswith("make -C ") and restart == "systemctl restart sendmail"
        _mend(change)
        self.sendmail.remake()


@pytest.fixture(scope="module")
def needs_sendmail():
    need(private_sendmail.why_not())


@pytest.mark.parametrize("socket", ["installed", "installed_unix"])
def test_right_sendmail(request, tmp_path, needs_sendmail, socket):
    installation = request.getfixturevalue(socket)
    installation.daemon.directory.chmod(0o1777)
    report = ConfiguredSendmail(tmp_path / "sendmail", installation.daemon, installation.sink,
                                [("spfrom", installation.daemon.milter)]).doctor()
    assert not report.bad()
    for check in ("sendmail", "input-filters", "default-action", "submit"):
        assert report.of(check, "fine"), check


def test_sendmail_that_others_reach(installed, installed_unix, tmp_path, needs_sendmail):
    for installation in (installed, installed_unix):
        with installation.configured(local_mailers=["local"]):
            report = ConfiguredSendmail(tmp_path / installation.daemon.directory.name, installation.daemon,
                                        installation.sink, [("spfrom", installation.daemon.milter)]).doctor()
            assert "local_mailers = {}" in report.of("local-mailers", "unknown")[0]["command"]
            assert bool(report.of("socket-tcp", "warning")) == (installation is installed)


@pytest.mark.parametrize("name, milters, equates, extra, level, check, word", SENDMAIL_FAULTS,
                         ids=[row[0] for row in SENDMAIL_FAULTS])
def test_sendmail_fault(installed, request, tmp_path, needs_sendmail, name, milters, equates, extra, level, check, word):
    sockets = {"ours": lambda: installed.daemon.milter,
               "signer": lambda: "inet:{2}@{1}".format(*request.getfixturevalue("signer").split(":"))}
    case = ConfiguredSendmail(tmp_path / "sendmail", installed.daemon, installed.sink,
                              [(name, sockets[name](), *([equates] if name == "ours" and equates else []))
                               for name in milters], extra.replace("OURS", installed.daemon.milter))
    report = case.doctor()
    found = [finding for finding in report.of(check, level) if word in finding["text"]]
    assert found, report.bad()
    assert report.status == (1 if level == "error" else 0)
    if found[0]["command"]:
        case.mend(found[0]["command"])
        after = case.doctor()
        assert not after.bad(), after.bad()
    else:
        assert found[0]["advice"]


def test_sendmail_with_an_address_in_the_form_of_postfix(installed, tmp_path, needs_sendmail):
    ours = _postfix_words(installed.daemon)
    case = ConfiguredSendmail(tmp_path / "sendmail", installed.daemon, installed.sink, [("spfrom", ours)])
    found, = case.doctor().of("milter-address", "error")
    assert ours in found["text"] and installed.daemon.milter in found["text"]
    case.mend(found["command"])
    assert not case.doctor().bad()


def test_sendmail_without_submission(installed, tmp_path, needs_sendmail):
    case = ConfiguredSendmail(tmp_path / "sendmail", installed.daemon, installed.sink,
                              [("spfrom", installed.daemon.milter)])
    (tmp_path / "sendmail" / "submit.cf").unlink()
    assert "sendmail -t" in case.doctor().of("submit", "warning")[0]["text"]


def test_sendmail_trusts_no_open_folder(installed_unix, tmp_path, needs_sendmail):
    case = ConfiguredSendmail(tmp_path / "sendmail", installed_unix.daemon, installed_unix.sink,
                              [("spfrom", installed_unix.daemon.milter)])
    installed_unix.daemon.directory.chmod(0o777)
    _mend(case.doctor().of("socket-folder", "error")[0]["command"])
    assert not case.doctor().bad()


@pytest.fixture(scope="module")
def probed(directory, daemons, sink):
    """Its log is silent and shows no local part."""
    daemon = daemons.start(log_level="error", log_addresses="domain", zone=ZONE_FILE)
    installation = _start(directory / "doctor-probe", daemon, sink)
    yield installation
    installation.postfix.stop()


# sender or None, action, word
PROBES = [
    (None, "keep", "domain=lemniscus.de"),
    ("ohne@praxis-ohne.de", "rewrite", "spf=none"),
    ("mueller@praxis-mueller.de", "keep", "spf=pass"),
]


@pytest.mark.parametrize("sender, action, word", PROBES, ids=["fallback", "rewritten", "kept"])
def test_probe(probed, sender, action, word):
    recipient = f"probe-{action}-{bool(sender)}@example.org"
    report = probed.doctor("--probe", recipient, "--smtp", f"127.0.0.1:{probed.postfix.port()}",
                           *(["--from", sender] if sender else []))
    text = report.of("probe", "fine")[0]["text"]
    assert text.startswith(f"action={action} ") and word in text
    assert "ohne@" not in text and "mueller@" not in text
    delivery = probed.sink.take(recipient)
    assert b"Auto-Submitted: auto-generated" in delivery.data
    assert delivery.sender == ("noreply@lemniscus.de" if action == "rewrite" or not sender else sender)


def _probe_with(installation, setting):
    """What the probe finds once Postfix has that setting."""
    with installation.changed([setting]):
        installation.postfix.reload()
        found = processes.wait_until(
            lambda: installation.doctor("--probe", "a@example.org", "--smtp",
                                        f"127.0.0.1:{installation.postfix.port()}").of("probe", "error"),
            20, "the new main.cf")
    installation.postfix.reload()
    return found[0]["text"]


def test_probe_that_bypasses_spfrom(probed):
    assert "has not seen it" in _probe_with(probed, "smtpd_milters=")


def test_probe_that_is_refused(probed):
    text = _probe_with(probed, "smtpd_relay_restrictions=reject")
    assert "did not take it: 554" in text


def test_probe_that_nobody_takes(probed):
    found = probed.doctor("--probe", "a@example.org", "--smtp", f"127.0.0.1:{processes.free_port()}").of("probe", "error")
    assert "did not take it: Connection refused" in found[0]["text"]


def test_probe_from_outside(directory, daemons, sink):
    daemon = daemons.start(outbound=["authenticated"], zone=ZONE_FILE)
    installation = _start(directory / "doctor-outside", daemon, sink)
    try:
        report = installation.doctor("--probe", "a@example.org", "--smtp", f"127.0.0.1:{installation.postfix.port()}")
        assert "counts as mail from outside" in report.of("probe", "error")[0]["text"]
    finally:
        installation.postfix.stop()


def test_probe_through_sendmail(daemons, sink, tmp_path, needs_sendmail):
    daemon = daemons.start(zone=ZONE_FILE)
    daemon.directory.chmod(0o1777)
    tmp_path.chmod(0o755)
    with private_sendmail.PrivateSendmail(tmp_path / "sendmail", sink.port, [("spfrom", daemon.milter)]) as sendmail:
        report = Report(_run(["-c", daemon.configuration_file, "doctor", "--json", "--sendmail-cf",
                              tmp_path / "sendmail/sendmail.cf", "--probe", "sendmail-probe@example.org", "--from",
                              "ohne@praxis-ohne.de", "--smtp", f"127.0.0.1:{sendmail.port()}"]))
    assert report.of("probe", "fine")[0]["text"].startswith("action=rewrite ")
    assert sink.take("sendmail-probe@example.org").sender == "noreply@lemniscus.de"


authors = (f"author{number}@praxis-ohne.de" for number in itertools.count())  # of these probes; their bounces go there


@pytest.fixture(scope="module")
def bounced(directory, daemons, sink):
    """As the README has it. Only 127.0.0.1 counts as ours: what the doctor sends from another address comes from outside."""
    port = processes.free_port()
    daemon = daemons.start(zone=ZONE_FILE, outbound=["127.0.0.1"], return_address="bounce+%t@lemniscus.de",
                           return_socket=f"inet:{port}@127.0.0.1")
    postfix = PrivatePostfix(directory / "doctor-bounce", sink.port, _postfix_words(daemon), virtual_alias_domains="lemniscus.de",
                             virtual_alias_maps=f"socketmap:inet:127.0.0.1:{port}:return")
    postfix.start()
    yield Installation(daemon, postfix, sink)
    postfix.stop()


def _probe(installation, recipient, *arguments):
    """What a probe finds, and what of it is about the way back."""
    report = installation.doctor("--probe", recipient, "--smtp", f"127.0.0.1:{installation.postfix.port()}", *arguments)
    return report, {check: finding for check in ("return-probe", "return-arrived") for finding in report.of(check)}


def _bounce(installation):
    """Probes with a new author. Returns what is found of the way back, and the author's mails."""
    author = next(authors)
    _, found = _probe(installation, "bounced@example.org", "--from", author)
    return found, installation.sink.to(author)


def _has_outside():
    """Has this machine an address besides loopback?"""
    return bool(subprocess.run(["hostname", "-I"], capture_output=True, text=True).stdout.strip())


def test_probe_whose_bounce_comes_back(bounced):
    author = next(authors)
    report, found = _probe(bounced, "bounced@example.org", "--from", author)
    assert report.of("probe", "fine")[0]["text"].startswith("action=rewrite ")
    token = re.match(r"bounce\+(\w{16})@lemniscus.de", bounced.sink.take("bounced@example.org").sender)[1]
    assert found["return-probe"]["level"] == ("fine" if _has_outside() else "unknown"), found
    assert f"bounce+{token}@lemniscus.de" in found["return-probe"]["text"]
    assert found["return-arrived"]["level"] == "fine" and "status=sent" in found["return-arrived"]["text"], found
    assert f"to=<{author}>" in found["return-arrived"]["text"]
    mail, = bounced.sink.to(author)
    assert mail.sender == "" and b"multipart/report" in mail.data
    if _has_outside():
        assert f"return=bounce token={token}" in found["return-probe"]["text"]
        assert f"X-SPFrom: returned; kind=bounce; token={token}".encode() in mail.data


def test_probe_that_is_kept_has_no_bounce(bounced):
    _, found = _probe(bounced, "kept@example.org", "--from", "mueller@praxis-mueller.de")
    assert found["return-probe"]["level"] == "unknown" and "its author's own envelope" in found["return-probe"]["text"]
    assert "--from" in found["return-probe"]["advice"] and "return-arrived" not in found
    assert not bounced.sink.to("mueller@praxis-mueller.de")


def test_probe_of_one_person(bounced):
    """Without --from the author is the recipient, where mail is rewritten: both arrive there."""
    person = next(authors)
    _, found = _probe(bounced, person)
    assert found["return-arrived"]["level"] == "fine"
    processes.wait_until(lambda: len(bounced.sink.to(person)) == 2, 20, "the probe and its bounce")
    with bounced.configured(mode="log-only"):
        report, found = _probe(bounced, next(authors))
        assert "domain=lemniscus.de" in report.of("probe", "fine")[0]["text"] and found["return-probe"]["level"] == "unknown"


@pytest.mark.parametrize("main, word", [
    (["virtual_alias_maps="], "does not take a bounce to"),
    (["virtual_alias_maps=", "virtual_alias_domains="], "did not ask spfrom"),
], ids=["refused", "not-asked"])
def test_probe_whose_bounce_is_lost(bounced, main, word):
    """The MTA takes over a changed main.cf in its own time."""
    with bounced.changed(main):
        bounced.postfix.reload()

        def wrong():
            found, mails = _bounce(bounced)
            return found["return-probe"]["level"] == "error" and word in found["return-probe"]["text"] and (found, mails)
        found, mails = processes.wait_until(wrong, 90, "the new main.cf")
        assert "socketmap:inet:127.0.0.1:" in found["return-probe"]["advice"] and not mails
        assert "return-arrived" not in found
    bounced.postfix.reload()

    def right():
        found, mails = _bounce(bounced)
        return mails and found["return-arrived"]["level"] == "fine"
    processes.wait_until(right, 90, "the old main.cf")


def test_probe_with_a_bounce_of_our_own(bounced):
    """Where all mail counts as ours, the doctor can't come from outside, and says so; the bounce arrives all the same."""
    with bounced.configured(outbound=["all"]):
        found, mails = _bounce(bounced)
    assert found["return-probe"]["level"] == "unknown" and "counts as ours" in found["return-probe"]["text"]
    assert found["return-arrived"]["level"] == "fine" and len(mails) == 1, found


def test_probe_that_leaves_no_bounces_in(bounced):
    with bounced.configured(return_mail=["reply"]):
        found, mails = _bounce(bounced)
    assert found["return-probe"]["level"] == "unknown" and "return_mail" in found["return-probe"]["text"] and not mails


def test_bounce_of_a_probe_through_sendmail(daemons, sink, tmp_path, needs_sendmail):
    """Its log is in no usual place, which is told."""
    port = processes.free_port()
    daemon = daemons.start(zone=ZONE_FILE, outbound=["127.0.0.1"], socket=f"inet:{processes.free_port()}@127.0.0.1",
                           return_address="bounce+%t@lemniscus.de", return_socket=f"inet:{port}@127.0.0.1")
    map_line = f"LOCAL_DOMAIN(`lemniscus.de')dnl\nFEATURE(`virtusertable', `socket -T<TMPF> inet:{port}@127.0.0.1')dnl\n"
    author = next(authors)
    with private_sendmail.PrivateSendmail(tmp_path / "sendmail", sink.port, [("spfrom", daemon.milter)], map_line) as sendmail:
        report = Report(_run(["-c", daemon.configuration_file, "doctor", "--json", "--sendmail-cf",
                              tmp_path / "sendmail/sendmail.cf", "--probe", "bounced@example.org", "--from", author,
                              "--smtp", f"127.0.0.1:{sendmail.port()}"]))
    assert report.of("return-probe", "fine" if _has_outside() else "unknown"), report.findings
    assert report.of("return-arrived", "unknown")
    mail, = sink.to(author)
    assert mail.sender == "" and b"multipart/report" in mail.data


@pytest.fixture
def open_folders(tmp_path):
    """Lets other accounts reach what is in tmp_path."""
    tmp_path.chmod(0o755)
    for parent in tmp_path.parents:
        if parent.name.startswith(("pytest-", "popen-")):  # the latter are of pytest-xdist
            parent.chmod(0o755)


@pytest.fixture
def own(tmp_path, nsd, open_folders):
    """Runs doctor with a configuration of its own, whose daemon does not run, and no Postfix."""
    def run(*arguments, is_json=True, extra="", **settings):
        daemon = Spfrom(tmp_path, extra=extra, **{"dns_servers": [nsd.server], **settings})
        daemon.write_configuration()
        (tmp_path / "state").mkdir(exist_ok=True)
        (tmp_path / "state").chmod(0o777)
        done = _run(["-c", daemon.configuration_file, "doctor", *["--json"][:is_json], "--postconf", "/none",
                     *arguments])
        return Report(done) if is_json else done
    return run


# id, settings, arguments, level, check, a word of the text or the advice
OWN_FAULTS = [
    ("no-daemon", {}, [], "error", "milter-socket", "nothing answers"),
    ("no-control", {}, [], "error", "control", "control.sock"),
    ("unauthorised", {"fallback_address": "noreply@fremd.example"}, [], "error", "fallback-spf",
     "v=spf1 ip4:203.0.113.1 ip4:192.0.2.25 -all"),
    ("no-record", {"fallback_address": "noreply@leer.example"}, [], "error", "fallback-spf", "v=spf1 ip4:192.0.2.25"),
    ("no-domain", {"fallback_address": "noreply@keine.example"}, [], "error", "fallback-spf", "keine.example"),
    ("no-dmarc", {"fallback_address": "noreply@fremd.example"}, [], "warning", "fallback-dmarc", "v=DMARC1"),
    ("no-mx", {"fallback_address": "noreply@nirgends.example"}, [], "error", "fallback-route", "neither an MX"),
    ("null-mx", {"fallback_address": "noreply@stumm.example"}, [], "error", "fallback-route", "takes no mail"),
    ("dead-mx", {"fallback_address": "noreply@tot.example"}, [], "error", "fallback-route", "no host of its MX"),
    ("null-mx-zone-file", {"fallback_address": "noreply@stumm.example", "zone": "$TTL 60\n" + ZONE, "dns_servers": []},
     [], "error", "fallback-route", "takes no mail"),
    ("section", {"extra": 'domain "a.example" { fallback_address = "x@stumm.example" }\n'}, [], "error",
     "fallback-route", "x@stumm.example"),
    ("no-selector", {}, [], "unknown", "fallback-dkim", "not to be seen"),
    ("selector-missing", {}, ["--dkim-selector", "weg"], "error", "fallback-dkim", "weg._domainkey.lemniscus.de"),
    ("selector-revoked", {}, ["--dkim-selector", "old"], "error", "fallback-dkim", "revoked"),
    ("return-elsewhere", {"return_address": "b+%t@lemniscus.de"}, [], "unknown", "return-mx", "mail.lemniscus.de (192.0.2.26)"),
    ("return-pool", {"return_address": "b+%t@lemniscus.de", "relay_hosts": ["192.0.2.25", "spf:pool.lemniscus.de"]}, [],
     "unknown", "return-mx", "neither this host"),
    ("return-relay", {"return_address": "b+%t@backup.lemniscus.de"}, [], "fine", "return-mx", "relay2.lemniscus.de (192.0.2.25), a relay"),
    ("return-two-hosts", {"return_address": "b+%t@two.lemniscus.de"}, [], "unknown", "return-mx", "mail.lemniscus.de (192.0.2.26)"),
    ("return-dead", {"return_address": "b+%t@dead.lemniscus.de"}, [], "error", "return-mx", "weg.tot.example, which has no address"),
    ("private-relays", {"relay_hosts": ["10.0.0.1"]}, [], "error", "relay-set", "relay_hosts"),
    ("relay-without-address", {"relay_hosts": ["192.0.2.25", "weg.example"]}, [], "error", "relay-set", "weg.example"),
    ("no-user", {"user": "niemand-da"}, [], "error", "account", "niemand-da"),
    ("no-trust-anchor", {"dns_trust_anchor": "/none/root.key"}, [], "error", "configuration", "root.key"),
]


@pytest.mark.parametrize("name, settings, arguments, level, check, word", OWN_FAULTS, ids=[row[0] for row in OWN_FAULTS])
def test_own_fault(own, name, settings, arguments, level, check, word):
    report = own(*arguments, **settings)
    assert any(word in finding["text"] + (finding["advice"] or "") for finding in report.of(check, level)), \
        report.findings
    assert report.status == {"error": 1}.get(level, report.status) or check == "configuration"


def test_return_domain_of_this_host(own):
    addresses = subprocess.run(["hostname", "-I"], capture_output=True, text=True).stdout.split()
    need(None if addresses else "this machine has no address but loopback")
    kind = "AAAA" if ":" in addresses[0] else "A"
    zone = f"$TTL 60\n{ZONE}here.lemniscus.de. MX 10 h.here.lemniscus.de.\nh.here.lemniscus.de. {kind} {addresses[0]}\n"
    report = own(return_address="b+%t@here.lemniscus.de", zone=zone, dns_servers=[])
    assert f"({addresses[0]}), which is this host" in report.of("return-mx", "fine")[0]["text"]


def test_selector_from_opendkim(own, tmp_path):
    (tmp_path / "keys").write_text("# comment\nold gmx.de:old:/k\nkey lemniscus.de:test:/k\n")
    (tmp_path / "opendkim.conf").write_text(f"Mode s\nKeyTable  file:{tmp_path}/keys # ours\n")
    found = own("--opendkim-conf", tmp_path / "opendkim.conf").of("fallback-dkim")
    assert [finding["level"] for finding in found] == ["fine"] and "test._domainkey" in found[0]["text"]


def test_silent_resolver(own):
    with FaultyDns({}, otherwise=Silence()) as dns:
        report = own(dns_servers=[dns.server], dns_timeout="1s", check_timeout="2s")
    assert dns.server in report.of("resolver", "error")[0]["text"]


def test_files_that_the_daemon_may_not_use(own, tmp_path):
    own()
    (tmp_path / "state").chmod(0o700)
    (tmp_path / "spfrom.conf").chmod(0o600)
    done = _run(["-c", tmp_path / "spfrom.conf", "doctor", "--json", "--postconf", "/none"])
    report = Report(done)
    for check in ("state-dir", "file-readable"):
        _mend(report.of(check, "error")[0]["command"])
    after = Report(_run(["-c", tmp_path / "spfrom.conf", "doctor", "--json", "--postconf", "/none"]))
    assert after.of("state-dir", "fine") and after.of("file-readable", "fine")


def test_another_program_at_our_socket(own, signer):
    port = signer.rpartition(":")[2]
    found = own(socket=f"inet:{port}@127.0.0.1").of("milter-socket", "error")
    assert "opendkim listens" in found[0]["text"]


def test_wrong_configuration(own):
    report = own(mode="loud")
    assert report.status == 78
    assert "spfrom.conf:" in report.of("configuration", "error")[0]["text"]


def test_fresh_machine(tmp_path):
    done = _run(["-c", tmp_path / "none.conf", "doctor"])
    assert done.returncode == 78
    assert "none.conf" in done.stdout and "not healthy" in done.stdout


def test_relay_hosts_mend(own, tmp_path, installed):
    """The command writes into our own configuration what Postfix's relayhost asks for."""
    own()
    with installed.changed(["relayhost=[email-smtp.eu-west-1.amazonaws.com]:587"]):
        def doctor():
            return Report(_run(["-c", tmp_path / "spfrom.conf", "doctor", "--json", "--postfix-config",
                                installed.postfix.etc, "--postconf",
                                private_postfix.programs().command("postconf")]))
        command, _, rest = doctor().of("relayhost", "error")[0]["command"].partition(" && ")
        assert rest == "spfrom reload"
        _mend(command)
        assert doctor().of("relayhost", "fine")
    assert (tmp_path / "spfrom.conf").read_text().count("relay_hosts = ") == 1


def test_text(own):
    done = own(is_json=False)
    assert done.returncode == 1
    assert "\033" not in done.stdout
    assert "mend: systemctl restart spfrom\n" in done.stdout
    assert done.stdout.splitlines()[-1].startswith("not healthy: ")


def test_colours_on_a_terminal(own, tmp_path):
    own()
    leader, follower = pty.openpty()
    process = subprocess.Popen([paths.TOOL, "-c", tmp_path / "spfrom.conf", "doctor", "--postconf", "/none"], stdout=follower,
                               env=dict(os.environ, TERM="xterm"))
    os.close(follower)
    text = terminal.read_to_end(leader)
    process.wait()
    assert b"\033[1;31merror" in text


def test_daemon_of_another_version(installed, own, tmp_path):
    """What runs is older than what is installed: its status, with another version in it."""
    status = ask_control(installed.daemon, "status")
    old = json.dumps(status).replace(f'"{status["version"]}"', '"0.0.9"').encode() + b"\n"
    with socket.socket(socket.AF_UNIX) as server:
        server.bind(str(tmp_path / "old.sock"))
        server.listen()

        def answer():
            with server.accept()[0] as connection:
                connection.recv(4096)
                connection.sendall(old)
        thread = threading.Thread(target=answer)
        thread.start()
        found, = own(control_socket=tmp_path / "old.sock").of("version", "warning")
        thread.join()
    assert "0.0.9" in found["text"] and found["command"] == "systemctl restart spfrom"


def test_failed_reload(installed):
    """The daemon keeps the old configuration; the file has been mended since, or has not."""
    with installed.configured():
        text = installed.daemon.configuration_file.read_text()
        installed.daemon.configuration_file.write_text(text + "mode = on\n")
        assert installed.daemon.tool("reload").returncode == 78
        report = installed.doctor()
        assert report.status == 78 and "mode" in report.of("configuration", "error")[0]["text"]
        assert "the last reload failed" in report.of("loaded", "error")[0]["text"]
        installed.daemon.configuration_file.write_text(text)
        assert "spfrom reload" in installed.doctor().of("loaded", "error")[0]["advice"]
    assert installed.doctor().of("loaded", "fine")


def test_other_instances_of_postfix(installed, directory, sink):
    """postmulti(1): each one that is enabled is examined under its own name."""
    other = PrivatePostfix(directory / "doctor-out", sink.port, "inet:127.0.0.1:1", multi_instance_enable="yes",
                           multi_instance_name="postfix-out")
    other._make_directories()
    other._write_configuration()
    off = PrivatePostfix(directory / "doctor-off", sink.port, "inet:127.0.0.1:1", multi_instance_name="postfix-off")
    off._make_directories()
    off._write_configuration()
    with installed.changed([f"multi_instance_directories={other.etc} {off.etc} /none/postfix"]):
        done = _run(["-c", installed.daemon.configuration_file, "doctor", "--json", "--postconf",
                     private_postfix.programs().command("postconf"), "--dkim-selector", "test"],
                    dict(private_postfix.programs().environment, MAIL_CONFIG=str(installed.postfix.etc)))
        report = Report(done)
    by_area = {area: [finding for finding in report.findings if finding["area"] == area] for area in ("Postfix", "etc")}
    assert report.of("smtpd-milters", "fine") and by_area["Postfix"]
    assert any(str(other.etc) in finding["text"] for finding in by_area["etc"])
    assert any(finding["check"] == "milter-silent" for finding in by_area["etc"])
    assert not any(str(off.etc) in finding["text"] for finding in report.findings)
    assert any("/none/postfix" in finding["text"] for finding in report.of("postfix", "error"))


def test_daemon_name_that_nobody_sends(installed):
    """outbound = daemon:NAME, and no smtpd of that name; the mend of a submission service gives it."""
    port = processes.free_port()
    with installed.configured(outbound=["authenticated", "daemon:ORIGINATING"]):
        found, = installed.doctor().of("daemon-name", "error")
        assert "daemon:ORIGINATING" in found["text"] and found["advice"]
        with installed.changed(master="submission inet n - n - - smtpd\n"):
            found, = installed.doctor().of("daemon-name", "error")
            assert "submission/inet/milter_macro_daemon_name=ORIGINATING" in found["command"]
            set_name = found["command"].partition(" && ")[0]
            _mend(set_name, installed.postfix.etc)
            assert not installed.doctor().of("daemon-name")


@pytest.mark.parametrize("main, is_wrong", [
    (["milter_content_timeout=10s"], True), (["milter_content_timeout=11s"], False),
    (["smtpd_milters={{ {ours}, content_timeout=5s }}"], True),
    (["milter_content_timeout=5s", "smtpd_milters={{ {ours}, content_timeout=60s }}",
      "non_smtpd_milters={{ {ours}, content_timeout=1m }}"], False)], ids=str)
def test_time_that_postfix_gives(installed, main, is_wrong):
    ours = _postfix_words(installed.daemon)
    with installed.changed([setting.format(ours=ours) for setting in main]):
        found = installed.doctor().of("content-timeout", "error")
        assert bool(found) == is_wrong
        for finding in found:
            _mend(finding["command"], installed.postfix.etc)
        assert not installed.doctor().of("content-timeout")


JOURNAL = "#!/bin/sh\necho 'socket: inet:8894@127.0.0.1: Address already in use'\n"
SYSLOG = ("Nov 30 01:00:00 mx postfix/smtpd[7]: connect\n"
          "Nov 30 01:00:01 mx spfrom-milter[8]: state_dir: /x: can't be made: Read-only file system\n"
          "Nov 30 01:00:02 mx postfix/smtpd[7]: disconnect\n")


@pytest.mark.parametrize("journal, log, said, place", [
    (JOURNAL, "", "Address already in use", "the journal"),
    ("", SYSLOG, "Read-only file system", "/var/log/mail.log"),
    ("", SYSLOG + "Nov 30 01:00:03 mx spfrom-milter[8]: stopped\n", None, None),
    ("", "", None, None)], ids=["journal", "file", "stopped", "nothing"])
def test_why_the_daemon_did_not_start(own, tmp_path, journal, log, said, place):
    own()
    for name, text in ("journalctl", journal or "#!/bin/sh\n"), ("mail.log", log):
        (tmp_path / name).write_text(text)
        (tmp_path / name).chmod(0o755)
    wrapper = ["unshare", "-m", "sh", "-c",
               'mount -t tmpfs none /var/log && cp "$0/mail.log" /var/log/ && mount -t tmpfs none /usr/local/sbin && '
               'cp "$0/journalctl" /usr/local/sbin/ && exec "$@"', tmp_path]
    if Path("/usr/sbin/journalctl").exists():
        pytest.skip("a journalctl stands before ours")
    report = Report(_run(["-c", tmp_path / "spfrom.conf", "doctor", "--json", "--postconf", "/none"], wrapper=wrapper))
    found = report.of("last-words", "error")
    assert [place in finding["text"] and said in finding["text"] for finding in found] == ([True] if said else [])


def test_goes_on_after_a_broken_configuration(installed):
    """What is right is examined; of what is wrong nothing is said but that."""
    with installed.configured():
        file = installed.daemon.configuration_file
        text = file.read_text()
        file.write_text(text.replace('relay_hosts = {"192.0.2.25"}', 'relay_host = {"192.0.2.25"}') + "mode = on\n")
        with installed.changed(["non_smtpd_milters="]):
            report = installed.doctor()
        assert report.status == 78
        assert [finding["text"].rpartition("; ")[2] for finding in report.of("configuration", "error")] == [
            "did you mean relay_hosts?", "use off, log-only or rewrite"] or report.of("configuration", "error")
        assert report.of("smtpd-milters", "fine") and report.of("milter-socket", "fine")
        assert report.of("non-smtpd-milters", "error")
        assert not report.of("relay-set") and not report.of("fallback-spf")


def test_prints_as_it_goes(own, nsd, tmp_path):
    """While a resolver is silent, what was found before stands on the screen."""
    with FaultyDns({}, otherwise=Silence()) as dns:
        own(dns_timeout="20s", check_timeout="20s")
        file = tmp_path / "spfrom.conf"
        file.write_text(file.read_text().replace(nsd.server, dns.server))
        with subprocess.Popen([paths.TOOL, "-c", tmp_path / "spfrom.conf", "doctor", "--postconf", "/none"],
                              stdout=subprocess.PIPE, text=True) as process:
            try:
                first = process.stdout.readline()
                assert process.poll() is None
            finally:
                process.kill()
    assert first.startswith("fine     Configuration  ")


@pytest.mark.parametrize("address", ["noreply@gmx.de", "noreply@leer.example"])
def test_fallback_of_a_mail_provider(own, address):
    """Nobody can publish for gmx.de but its owner: the mend is another address."""
    report = own(fallback_address=address)
    found = [finding for finding in report.findings if finding["check"].startswith("fallback-") and finding["advice"]]
    assert found
    for finding in found:
        is_record = "publish in the DNS" in finding["advice"]
        assert is_record == (address == "noreply@leer.example")
        assert is_record or "fallback_address" in finding["advice"]


@pytest.mark.parametrize("arguments", [
    ["--nonsense"], ["word"], ["--dkim-selector"], ["--from", "a@b.example"], ["--smtp", "127.0.0.1:25"],
    ["--probe", "nobody"], ["--probe", "a@b.example\nRCPT TO:<c@d.example>"], ["--probe", "a@b.example", "--smtp", "x"],
    ["--probe", "a@b.example", "--from", "<>"]])
def test_usage(arguments):
    assert _run(["doctor", *arguments]).returncode == 2
