"""The mistakes that operators make, on an installation as the package makes it: a Postfix, and the socket below its queue.

Of each, at least one of `spfrom-milter -t`, the log, `spfrom doctor` and `spfrom status` says it; the mend that doctor
prints, typed in, mends it; and then mail passes through spfrom again."""

import re
import shutil
import subprocess
import time

import pytest

from doctor_test import OURS, Installation, _mend, _sender_after, _settle, group_of, mend_all, nsd, restart, sink  # noqa: F401
from lab import paths, processes
from lab.private_postfix import PrivatePostfix

pytestmark = [pytest.mark.usefixtures("needs_root", "needs_postfix"), pytest.mark.address]


@pytest.fixture(scope="module")
def installed(directory, daemons, nsd, sink):  # noqa: F811
    postfix = PrivatePostfix(directory / "mistakes", sink.port, "unix:spfrom/milter.sock")
    postfix.start()
    folder = postfix.queue / "spfrom"
    folder.mkdir()
    shutil.chown(folder, "nobody", group_of(postfix))
    folder.chmod(0o2750)
    daemon = daemons.start(zone=None, dns_servers=[nsd.server])
    daemon.stop()
    daemon.directory.chmod(0o755)
    daemon.settings.update(socket=f"unix:{folder}/milter.sock", socket_mode="0660", outbound=["authenticated", "private"],
                           mode="rewrite")
    daemon.socket = folder / "milter.sock"
    daemon.start()
    yield Installation(daemon, postfix, sink)
    postfix.stop()


class Case:
    """One mistake, and everything put back behind it."""

    def __init__(self, installed):
        self.installed, self.daemon, self.postfix = installed, installed.daemon, installed.postfix
        self.file = installed.daemon.configuration_file

    def write(self, pattern, text, is_loaded=False):
        """Replaces a line of spfrom.conf."""
        before = self.file.read_text()
        self.file.write_text(re.sub(pattern, lambda _: text, before, flags=re.MULTILINE))
        assert self.file.read_text() != before
        if is_loaded:
            restart(self.daemon)

    def main(self, *settings):
        assert self.postfix.command("postconf", "-e", *settings).returncode == 0
        self.load()

    def load(self):
        _settle(self.postfix.etc)
        self.installed.reload()

    def said(self):
        """What each source says of the installation."""
        test = subprocess.run([paths.MILTER, "-t", "-c", self.file], capture_output=True, text=True)
        return {"-t": test.stderr, "log": self.daemon.log(), "status": self.daemon.tool("status").stdout,
                "doctor": "\n".join(finding["text"] for finding in self.installed.doctor().bad())}


@pytest.fixture
def case(installed):
    made = Case(installed)
    postfix, daemon = installed.postfix, installed.daemon
    files = {path: path.read_text() for path in (made.file, postfix.etc / "main.cf", postfix.etc / "master.cf")}
    yield made
    for path, text in files.items():
        path.write_text(text)
    made.file.chmod(0o644)
    restart(daemon)
    made.load()


def _not_reloaded(case):
    """The daemon tells when it has read the file in seconds."""
    begin = int(time.time())
    processes.wait_until(lambda: int(time.time()) > begin, 5, "the next second")
    case.write(r"^hostname = .*", 'hostname = "mx.lemniscus.de"')


def _reload_in_vain(case):
    case.write(r"^mode = .*", "mode = on")
    assert case.daemon.tool("reload").returncode == 78


def _outside_the_chroot(case):
    """As the manual of another milter says: a socket below /run, with smtpd in its chroot as on Debian."""
    folder = case.daemon.directory / "run"
    folder.mkdir(exist_ok=True)
    shutil.chown(folder, "nobody", group_of(case.postfix))
    case.write(r"^socket = .*", f'socket = "unix:{folder}/milter.sock"', is_loaded=True)
    master = case.postfix.etc / "master.cf"
    master.write_text(re.sub(r"^(127\.\S+ inet n - )n", r"\1y", master.read_text(), flags=re.MULTILINE))
    case.main(f"smtpd_milters=unix:{folder}/milter.sock", f"non_smtpd_milters=unix:{folder}/milter.sock")


def _form_of_sendmail_in_a_chroot(case):
    """One mend has to do: the form, and the path as smtpd sees it."""
    master = case.postfix.etc / "master.cf"
    master.write_text(re.sub(r"^(127\.\S+ inet n - )n", r"\1y", master.read_text(), flags=re.MULTILINE))
    case.main(f"smtpd_milters={case.postfix.queue}/spfrom/milter.sock")


# id; what is done wrong; where it is said (source: words); the check of doctor whose mend is typed in
MISTAKES = [
    ("typo-in-a-key", lambda case: case.write(r"^relay_hosts =", "relay_host ="),
     {"-t": "did you mean relay_hosts?", "doctor": "did you mean relay_hosts?"}, "configuration"),
    ("name-without-quotes", lambda case: case.write(r"^fallback_address = .*", "fallback_address = Praxis Mail <noreply@lemniscus.de>"),
     {"-t": "needs quotes", "doctor": "needs quotes"}, "configuration"),
    ("missing-comma", lambda case: case.write(r"^outbound = .*", "outbound = { authenticated private }"),
     {"-t": "a comma is missing", "doctor": "a comma is missing"}, "configuration"),
    ("typo-in-a-value", lambda case: case.write(r"^mode = .*", "mode = rewrit"),
     {"-t": "did you mean rewrite?", "doctor": "did you mean rewrite?"}, "configuration"),
    ("not-reloaded", _not_reloaded,
     {"doctor": "has changed since the daemon read it"}, "loaded"),
    ("reloaded-in-vain", _reload_in_vain,
     {"-t": "mode: invalid value", "log": "mode: invalid value", "status": "mode: invalid value",
      "doctor": "the last reload failed"}, None),
    ("form-of-sendmail", lambda case: case.main(f"smtpd_milters={case.postfix.queue}/spfrom/milter.sock"),
     {"doctor": "which Postfix can't read"}, "milter-address"),
    ("form-of-sendmail-in-a-chroot", _form_of_sendmail_in_a_chroot, {"doctor": "which Postfix can't read"}, "milter-address"),
    ("not-for-local-programs", lambda case: case.main("non_smtpd_milters="),
     {"doctor": "non_smtpd_milters does not have spfrom"}, "non-smtpd-milters"),
    ("not-in-main-cf", lambda case: case.main("smtpd_milters=", "non_smtpd_milters="),
     {"doctor": "smtpd_milters does not have spfrom"}, ("smtpd-milters", "non-smtpd-milters")),
    ("outside-the-chroot", _outside_the_chroot, {"doctor": "runs chrooted"}, "chroot"),
    ("socket-for-nobody", lambda case: case.write(r"^socket_mode = .*", 'socket_mode = "0600"', is_loaded=True),
     {"doctor": "may not connect to"}, "socket-reach"),
    ("mail-goes-on-without-it", lambda case: case.main("milter_default_action=accept"),
     {"doctor": "leaves without being rewritten"}, "default-action"),
    ("does-not-run", lambda case: case.daemon.stop(),
     {"doctor": "nothing answers at"}, "milter-socket"),
    ("left-off", lambda case: case.daemon.tool("mode", "off"),
     {"status": "off", "doctor": "the mode is off"}, "mode"),
    ("unreadable-for-the-daemon", lambda case: case.file.chmod(0o600),
     {"doctor": "a reload will fail"}, "file-readable"),
]


@pytest.mark.parametrize("name, make, said, check", MISTAKES, ids=[row[0] for row in MISTAKES])
def test_mistake(case, name, make, said, check):
    make(case)
    heard = case.said()
    for source, words in said.items():
        assert words in heard[source], (source, heard[source])
    if check is None:  # doctor gives no command: mode = on may mean any of them
        case.write(r"^mode = .*", "mode = rewrite")
        mend_all(case.installed, "spfrom reload")
    for one in (check,) if isinstance(check, str) else check or ():
        found = [finding for finding in case.installed.doctor().bad() if finding["check"] == one]
        assert found and found[0]["command"], found
        mend_all(case.installed, found[0]["command"])
    if check == "configuration":
        mend_all(case.installed, "spfrom reload")
    left = case.installed.doctor().bad()
    assert not left, left
    if not name.startswith("form-of-sendmail"):  # Postfix waits a minute before it starts an smtpd again
        case.installed.reload()
        assert _sender_after(case.installed) == OURS
