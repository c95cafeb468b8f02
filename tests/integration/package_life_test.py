"""A package's life on a machine with a running Postfix, as its operator sees it: only with --all, it takes minutes.

What is typed and what is answered is written to build/package-session.txt.
"""

import json
import os
import re
import shutil
import subprocess

import pytest

from lab import booted_machine
from lab import paths
from lab import processes
from lab.booted_machine import BootedMachine
from conftest import need

HOSTNAME = "relay.lemniscus.de"
RELAY = "192.0.2.25"
SENDER = "anna.schmidt@gmx.de"
FALLBACK = "noreply@lemniscus.de"
ZONE = f"""$TTL 300
lemniscus.de.       TXT "v=spf1 ip4:{RELAY} -all"
lemniscus.de.       MX  10 mx.lemniscus.de.
mx.lemniscus.de.    A   192.0.2.26
{HOSTNAME}. A   {RELAY}
gmx.de.             TXT "v=spf1 ip4:213.165.64.0/23 -all"
"""
SINK = "/var/tmp/arrived"  # what Postfix has sent
PATIENCE = 60  # seconds


@pytest.fixture(scope="module")
def packages(is_full_length):
    """Two packages, the second one newer."""
    if not is_full_length:
        pytest.skip("only with --all")
    subprocess.run([paths.SRCDIR / "contrib/need-packages", "debootstrap", "systemd-container", "lintian"], check=True)
    need(booted_machine.why_not())
    with processes.PrivateDirectory("packages") as directory:
        yield [_build(directory, "0.1.0-1"), _build(directory, "0.1.0-2")]


def _build(directory, version):
    """Builds the package; of a later one only the version differs."""
    target = directory / f"spfrom_{version}.deb"
    first = next(iter(directory.glob("*.deb")), None)
    if first is None:
        environment = {key: value for key, value in os.environ.items() if not key.startswith("MAKE")}
        subprocess.run(["make", "-C", paths.BUILDDIR, "deb"], check=True, env=environment, stdout=subprocess.DEVNULL,
                       stderr=subprocess.STDOUT)
        made = [path for path in (paths.BUILDDIR / "deb").glob("spfrom_*.deb")]
        assert len(made) == 1 and f"_{version}_" in made[0].name
        shutil.copy(made[0], target)
        return target
    tree = directory / "tree"
    subprocess.run(["dpkg-deb", "-R", first, tree], check=True)
    control = tree / "DEBIAN/control"
    control.write_text(re.sub(r"(?m)^Version: .*$", f"Version: {version}", control.read_text()))
    subprocess.run(["dpkg-deb", "--root-owner-group", "-b", tree, target], check=True, stdout=subprocess.DEVNULL)
    return target


class Session:
    """What an operator types on the machine, and a Postfix there that sends to a sink."""

    def __init__(self, machine, record):
        self._machine = machine
        self._record = record
        self._sent = 0

    def note(self, text):
        self._record.write(f"\n# {text}\n")

    def type(self, command, status=0):
        """Runs command, which has to end with status, unless that is None. Returns what it says."""
        result = self._machine.run(command)
        text = re.sub(r"(?m)^\(Reading database.*\n?", "", result.stdout).rstrip()
        self._record.write(f"root@relay:~# {command}\n{text}{chr(10) if text else ''}")
        self._record.flush()
        assert status is None or result.returncode == status, f"{command}\n{result.stdout}"
        return result.stdout

    def wait_for(self, command, wanted):
        """Tries command again and again, unseen."""
        processes.wait_until(lambda: wanted in self._machine.run(command).stdout, PATIENCE, f"{wanted} by {command}")

    def findings(self):
        """Those of the doctor, unseen."""
        return json.loads(self._machine.run("spfrom doctor --json").stdout)["findings"]

    def names(self, command):
        """The lines that command prints, unseen."""
        return set(self._machine.run(command).stdout.splitlines())

    def _arrived(self, subject):
        for path in self._machine.file(SINK).glob("*"):
            text = path.read_text()
            if f"\nSubject: {subject}\n" in text:
                return text
        return None

    def send(self):
        """Sends a mail of SENDER's through the machine's Postfix. Returns the From: and MAIL FROM with which it leaves."""
        self._sent += 1
        subject = f"mail {self._sent}"
        self.type(f"printf 'From: Anna Schmidt <{SENDER}>\\nTo: p@example.net\\nSubject: {subject}\\n\\nHello\\n'"
                  f" | sendmail -f {SENDER} p@example.net")
        text = processes.wait_until(lambda: self._arrived(subject), PATIENCE, subject)
        self.type(f"grep -hE '^(X-Mail-Args|From|Reply-To|X-SPFrom):' $(grep -l '^Subject: {subject}$' {SINK}/*)")
        return (re.search(r"(?m)^From: .*<(.*)>$", text).group(1),
                re.search(r"(?m)^X-Mail-Args: <(.*?)>", text).group(1))


UNTOUCHED, REWRITTEN = (SENDER, SENDER), (FALLBACK, FALLBACK)
ACCOUNTS = "getent passwd | cut -d: -f1; getent group | cut -d: -f1"
# But for what logs, apt, dpkg and running services change by themselves.
FILES = ("find /etc /home /opt /run /srv /tmp /usr/local /var -xdev \\( -path /run/systemd -o -path /var/cache -o -path /var/log"
         " -o -path /var/tmp -o -path /var/lib/apt -o -path /var/lib/dpkg -o -path /var/lib/systemd -o -path /var/lib/postfix"
         " -o -path '/var/spool/postfix/*/*' -o -path /run/log \\) -prune -o -print")


def _prepare(machine, packages):
    """The relay's address, a sink, a Postfix that sends there, and the libraries that the package brings along."""
    for package in packages:
        shutil.copy(package, machine.file("/root"))
    machine.file("/root/zone").write_text(ZONE)
    for command in (f"ip address add {RELAY}/32 dev lo", f"mkdir -m 0777 {SINK}",
                    f"systemd-run --collect -p WorkingDirectory={SINK} smtp-sink -u nobody -d '%s.' 127.0.0.1:2525 10",
                    f"postconf -e myhostname={HOSTNAME} 'relayhost=[127.0.0.1]:2525' mydestination=",
                    "systemctl restart postfix",
                    f"apt-get -q -y --no-install-recommends install $(dpkg-deb -f {packages[0].name} Depends"
                    " | tr , '\\n' | sed 's/[|(].*//')"):
        result = machine.run(command)
        assert result.returncode == 0, f"{command}\n{result.stdout}"


def _install(session):
    session.note("A relay with a running Postfix")
    assert "active" in session.type("systemctl is-active postfix")
    session.note("Install: it starts, in log-only, without a question")
    session.type("apt-get -q -y --no-install-recommends install ./spfrom_0.1.0-1.deb")
    assert "active (running)" in session.type("systemctl status spfrom")
    assert "log-only" in session.type("spfrom mode")


def _configure(session):
    session.note("This machine has no DNS, so a zone file stands for it; then Postfix is told")
    session.type("cp zone /etc/spfrom/zone")
    session.type("echo 'dns_zone_file = \"/etc/spfrom/zone\"' >>/etc/spfrom/spfrom.conf")
    session.type(f"echo 'relay_hosts = {{ \"{RELAY}\" }}' >relay"
                 " && sed -i -e '/^relay_hosts/{r relay' -e 'd}' /etc/spfrom/spfrom.conf")
    session.type("spfrom-milter -t")
    session.type("systemctl reload spfrom")
    session.type("postconf -e smtpd_milters=unix:spfrom/milter.sock 'non_smtpd_milters=$smtpd_milters'"
                 " milter_default_action=tempfail && systemctl reload postfix")
    assert FALLBACK in session.type("spfrom status")
    doctor = session.type("spfrom doctor")
    assert "healthy: " in doctor


def _switch(session):
    session.note("Mail flows, untouched; the log says what would be done")
    assert session.send() == UNTOUCHED
    assert "action=would-rewrite" in session.type("journalctl -q -u spfrom -o cat -n 1")
    session.note("Switch it")
    session.type("spfrom mode rewrite")
    assert session.send() == REWRITTEN
    session.note("It dies, and comes back as it was")
    session.type("kill -SEGV $(systemctl show -P MainPID spfrom)")
    session.wait_for("systemctl is-active spfrom", "active\n")
    session.wait_for("systemctl show -P ActiveState spfrom; spfrom mode", "rewrite")
    assert "rewrite" in session.type("spfrom mode")
    log = session.type("journalctl -q -u spfrom -n 12")
    assert "Main process exited" in log and "crashed: signal SIGSEGV" in log
    assert session.send() == REWRITTEN
    session.note("Off for ten seconds")
    assert "off" in session.type("spfrom mode off --for 10s")
    assert session.send() == UNTOUCHED
    session.wait_for("spfrom mode --json", '"rewrite"')
    assert "rewrite" in session.type("spfrom mode")
    assert session.send() == REWRITTEN


CONFIGURATION = "/etc/spfrom/spfrom.conf"
POSTFIX = "systemctl reload postfix"


def _line(pattern, text):
    return f"sed -i 's#^{pattern}.*#{text}#' {CONFIGURATION}"


def _append(text):
    return f"printf '{text}\\n' >>{CONFIGURATION}"


# The mistake; who says it (command: words) besides doctor; doctor's words; its check, whose mend is typed in
MISTAKES = [
    (f"sed -i 's/^relay_hosts/relay_host/' {CONFIGURATION}", {"spfrom-milter -t": "did you mean relay_hosts?"},
     "did you mean relay_hosts?", "configuration"),
    (_line("fallback_address =", "fallback_address = Praxis Mail <noreply@lemniscus.de>"), {"spfrom-milter -t": "needs quotes"},
     "needs quotes", "configuration"),
    (_append("outbound = { authenticated private }"), {"spfrom-milter -t": "a comma is missing"}, "a comma is missing",
     "configuration"),
    (_line("mode =", "mode = rewrit"), {"spfrom-milter -t": "did you mean rewrite?"}, "did you mean rewrite?", "configuration"),
    (f"postconf -e smtpd_milters=/var/spool/postfix/spfrom/milter.sock && {POSTFIX}", {}, "which Postfix can't read",
     "milter-address"),
    (f"postconf -e non_smtpd_milters= && {POSTFIX}", {}, "non_smtpd_milters does not have spfrom", "non-smtpd-milters"),
    (f"postconf -e smtpd_milters= non_smtpd_milters= && {POSTFIX}", {}, "smtpd_milters does not have spfrom",
     ("smtpd-milters", "non-smtpd-milters")),
    (_line("socket =", 'socket = "unix:/run/spfrom/milter.sock"') + " && systemctl restart spfrom && postconf -F smtp/inet/chroot=y"
     f" && postconf -e smtpd_milters=unix:/run/spfrom/milter.sock 'non_smtpd_milters=$smtpd_milters' && {POSTFIX}", {},
     "runs chrooted", "chroot"),
    (_append('socket_mode = "0600"') + " && systemctl restart spfrom", {}, "may not connect to", "socket-reach"),
    (f"postconf -e milter_default_action=accept && {POSTFIX}", {}, "leaves without being rewritten", "default-action"),
    ("systemctl stop spfrom", {}, "nothing answers at", "milter-socket"),
    ("spfrom mode off", {"spfrom status": "off"}, "the mode is off", "mode"),
    (f"chmod 0600 {CONFIGURATION} && chown root:root {CONFIGURATION}", {}, "a reload will fail", "file-readable"),
]


def _mistakes(session):
    """Each is told, and what doctor prints, typed in, mends it."""
    session.note("What operators do wrong")
    session.type("cp -a /etc/spfrom/spfrom.conf /etc/postfix/main.cf /etc/postfix/master.cf . && chmod 0600 spfrom.conf")
    for command, said, words, checks in MISTAKES:
        session.type(command)
        for asked, heard in said.items():
            assert heard in session.type(asked, None)
        assert words in session.type("spfrom doctor", None)
        for check in (checks,) if isinstance(checks, str) else checks:
            session.type(next(finding["command"] for finding in session.findings() if finding["check"] == check
                              and finding["level"] in ("error", "warning")))
        if "configuration" in checks:
            session.type("spfrom reload")
        session.wait_for("spfrom mode", "rewrite")
        assert not [finding for finding in session.findings() if finding["level"] == "error"]
        assert session.send() == REWRITTEN
        session.type("cat spfrom.conf >/etc/spfrom/spfrom.conf && cp -a main.cf master.cf /etc/postfix/"
                     " && systemctl reset-failed && systemctl restart spfrom postfix && spfrom mode rewrite")


def _password(session, fetch):
    session.note("With a password, as the README says")
    session.type("install -m 640 -g spfrom /dev/null /etc/spfrom/web && echo praxis:geheim >/etc/spfrom/web")
    session.type("mkdir /run/systemd/system/spfrom-web.service.d && printf '[Service]\\n"
                 "Environment=\"OPTIONS=--password-file /etc/spfrom/web\"\\n'"
                 " >/run/systemd/system/spfrom-web.service.d/password.conf"
                 " && systemctl daemon-reload && systemctl restart spfrom-web && systemctl status spfrom-web")
    session.wait_for(f"{fetch}/healthz /dev/null", "Get:1")
    assert "401" in session.type(f"{fetch}/ closed", 100)
    session.type(f"{fetch.replace('//', '//praxis:geheim@')}/ opened && grep -c gmx.de opened")
    session.type("rm -r /run/systemd/system/spfrom-web.service.d /etc/spfrom/web"
                 " && systemctl daemon-reload && systemctl restart spfrom-web")


def _sandbox(session):
    session.note("As it runs")
    assert re.search(r"exposure level .* [01]\.[0-9]", session.type("systemd-analyze security --no-pager spfrom | tail -1"))
    session.note("The socket is Postfix's alone, whose smtpd runs in a chroot here")
    session.type("postconf -F smtp/inet/chroot=y && systemctl reload postfix")
    assert "srw-rw---- 1 spfrom postfix" in session.type("ls -l /var/spool/postfix/spfrom")
    assert session.send() == REWRITTEN
    session.note("The pages in the browser")
    assert "disabled" in session.type("systemctl is-enabled spfrom-web", 1)
    session.type("systemctl start spfrom-web && systemctl status spfrom-web")
    url = "http://127.0.0.1:8895"
    fetch = "/usr/lib/apt/apt-helper download-file"
    session.wait_for(f"{fetch} {url}/healthz /dev/null", "Get:1")
    session.type(f"{fetch} {url}/metrics metrics")
    assert "spfrom_messages_total" in session.type("grep '^spfrom_messages_total' metrics")
    session.wait_for(f"{fetch} {url}/ page; cat page", "gmx.de")  # the ledger is written in batches
    _password(session, f"{fetch} {url}")
    session.note("It stands still, and the watchdog starts it anew")
    session.type("mkdir /run/systemd/system/spfrom.service.d && printf '[Service]\\nWatchdogSec=5s\\n'"
                 " >/run/systemd/system/spfrom.service.d/soon.conf && systemctl daemon-reload && systemctl restart spfrom")
    session.type("kill -STOP $(systemctl show -P MainPID spfrom)")
    session.wait_for("journalctl -q -u spfrom -n 20", "Watchdog timeout")
    session.wait_for("systemctl is-active spfrom; spfrom mode", "active\nmode   rewrite")
    assert session.send() == REWRITTEN
    session.type("rm -r /run/systemd/system/spfrom.service.d && systemctl daemon-reload && systemctl restart spfrom")


def _letters(session):
    session.note("A letter goes out as the timer sends it: with the unit as it is installed, through this Postfix")
    session.type(_append('return_address = "bounce+%%t@lemniscus.de"') + " && systemctl reload spfrom")
    assert "disabled" in session.type("systemctl is-enabled spfrom-letters.timer", 1)
    session.type("systemctl enable --now spfrom-letters.timer && systemctl list-timers --no-pager spfrom-letters.timer")
    session.send()
    session.wait_for("spfrom letters --json", f'"address": "{SENDER}"')  # the ledger is written in batches
    session.type("systemctl start spfrom-letters && journalctl -q -u spfrom-letters -o cat")
    session.wait_for(f"grep -l '^To: {SENDER}$' {SINK}/*", SINK)
    letter = session.type(f"cat $(grep -l '^To: {SENDER}$' {SINK}/*)")
    assert "X-Mail-Args: <bounce+" in letter and "Auto-Submitted: auto-generated" in letter
    session.note("Nobody gets it twice")
    session.type("systemctl start spfrom-letters")
    assert "enough letters were sent" in session.type("spfrom letters")
    assert "Result=success" in session.type("systemctl show -p Result -p ExecMainStatus spfrom-letters")
    assert "-rw-r----- 1 spfrom spfrom" in session.type("ls -l /var/lib/spfrom/letters.db")
    assert session.type("grep -l 'spfrom-letter[.]' " + SINK + "/* | wc -l") == "1\n"
    session.type("systemctl disable --now spfrom-letters.timer && sed -i '/^return_address/d' /etc/spfrom/spfrom.conf"
                 " && systemctl reload spfrom")


def _upgrade(session):
    session.note("Upgrade: configuration and mode stay")
    session.type("apt-get -q -y install ./spfrom_0.1.0-2.deb")
    assert "active" in session.type("systemctl is-active spfrom spfrom-web")
    assert "rewrite" in session.type("spfrom mode")
    assert session.send() == REWRITTEN
    session.note("A configuration that can't run does not break apt; it says what to do")
    session.type("cp /etc/spfrom/spfrom.conf right.conf")
    session.type("sed -i 's/^relay_hosts.*/relay_hosts = { \"10.0.0.1\" }/' /etc/spfrom/spfrom.conf")
    assert "service spfrom start" in session.type("apt-get -q -y reinstall ./spfrom_0.1.0-2.deb")
    session.type("cp right.conf /etc/spfrom/spfrom.conf && systemctl restart spfrom")
    assert session.send() == REWRITTEN


def _without_systemd(session):
    session.note("The init script, as where there is no systemd")
    session.type("systemctl stop spfrom")
    script = "SYSTEMCTL_SKIP_REDIRECT=1 /etc/init.d/spfrom"
    session.type(f"{script} status", 3)
    assert session.type(f"{script} start").endswith("done\n")
    session.type(f"{script} status")
    session.type("ps -o user,args -C spfrom-milter")
    for verb in ("reload", "restart"):
        session.type(f"{script} {verb}")
        assert session.send() == REWRITTEN
    session.type(f"{script} stop")
    session.type("pgrep -x spfrom-milter", 1)
    session.type("systemctl start spfrom")


def _leave(session, before):
    session.note("Remove: configuration and state stay, nothing runs")
    session.type("postconf -e smtpd_milters= && systemctl reload postfix")
    session.type("apt-get -q -y remove spfrom")
    session.type("pgrep -l spfrom", 1)
    assert "spfrom.conf" in session.type("ls /etc/spfrom /var/lib/spfrom")
    session.note("Purge: nothing stays but the logs")
    session.type("rm /etc/spfrom/zone && apt-get -q -y purge spfrom")
    assert session.type("find / /run -xdev -name '*spfrom*' ! -path '/root/*' ! -path '/var/log/*'") == ""
    for command, names in before.items():
        assert session.names(command) - names == set()
    session.type("getent passwd spfrom", 2)
    session.type("getent group spfrom", 2)
    assert "would-rewrite" in session.type("journalctl -q -t spfrom-milter -o cat | grep -m 1 would-rewrite")
    assert session.send() == UNTOUCHED


def test_life_of_a_package(packages):
    root = booted_machine.make_root(packages[0])
    with processes.PrivateDirectory("machine") as directory, \
            open(paths.BUILDDIR / "package-session.txt", "w", encoding="utf-8") as record, \
            BootedMachine(root, HOSTNAME, directory) as machine:
        _prepare(machine, packages)
        session = Session(machine, record)
        before = {command: session.names(command) for command in (ACCOUNTS, FILES)}
        _install(session)
        _configure(session)
        _switch(session)
        _mistakes(session)
        _sandbox(session)
        _letters(session)
        _upgrade(session)
        _without_systemd(session)
        _leave(session, before)


def test_package_is_clean(packages):
    changes = next((paths.BUILDDIR / "deb").glob("*.changes"))
    result = subprocess.run(["lintian", "--allow-root", "-EviI", "--pedantic", "--fail-on", "error,warning,info", changes],
                            capture_output=True, text=True)
    assert result.returncode == 0, result.stdout
