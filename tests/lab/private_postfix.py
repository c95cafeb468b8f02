"""A Postfix of our own: own directories, own ports, loopback only.

The machine's Postfix and its port 25 are never touched. Where the package is not installed, it is unpacked (see
unpacked_package.py). Needs root, as Postfix's master does.
"""

import contextlib
import functools
import os
import re
import shutil
import signal
import subprocess
from pathlib import Path

from lab import paths
from lab import processes
from lab import unpacked_package

HOSTNAME = "relay.lemniscus.de"
_STOCK_ACCOUNTS = {"mail_owner": "news", "setgid_group": "uucp"}  # without the package there is no postfix, no postdrop
_QUEUES = ("active bounce corrupt defer deferred flush hold incoming saved trace private").split()
_SERVICES = """\
postlog unix-dgram n - n - 1 postlogd
pickup unix n - n 60 1 pickup
qmgr unix n - n 300 1 qmgr
cleanup unix n - n - 0 cleanup
showq unix n - n - - showq
flush unix n - n 1000? 0 flush
rewrite unix - - n - - trivial-rewrite
bounce unix - - n - 0 bounce
defer unix - - n - 0 bounce
trace unix - - n - 0 bounce
proxymap unix - - n - - proxymap
smtp unix - - n - - smtp
relay unix - - n - - smtp
error unix - - n - - error
retry unix - - n - - error
discard unix - - n - - discard
local unix - n n - - local
anvil unix - - n - 1 anvil
scache unix - - n - 1 scache
"""


class Programs:
    """Postfix's programs, the machine's or unpacked ones, and the settings that these need."""

    def __init__(self, daemon_directory, command_directory, sendmail, environment, settings):
        self.daemon_directory = Path(daemon_directory)
        self.command_directory = Path(command_directory)
        self.sendmail = Path(sendmail)
        self.environment = environment
        self.settings = settings

    def command(self, name):
        return self.command_directory / name


def _defaults_of(postconf, *names):
    result = subprocess.run([postconf, "-d", "-h", *names], capture_output=True, text=True, check=True)
    return result.stdout.split("\n")[:len(names)]


def _installed_programs():
    postconf = shutil.which("postconf", path="/usr/sbin:/usr/local/sbin:/sbin")
    if postconf is None or os.environ.get("SPFROM_UNPACK"):
        return None
    daemons, commands, sendmail, owner, group = _defaults_of(
        postconf, "daemon_directory", "command_directory", "sendmail_path", "mail_owner", "setgid_group")
    if not (Path(daemons) / "master").exists():
        return None
    return Programs(daemons, commands, sendmail, dict(os.environ),
                    {"mail_owner": owner, "setgid_group": group})


def _unpacked_programs():
    top = unpacked_package.unpack("postfix", paths.UNPACKED)
    libraries = unpacked_package.library_path(top)
    keep = "TZ MAIL_CONFIG LANG LD_LIBRARY_PATH"  # master and sendmail clean the environment of their children
    settings = dict(_STOCK_ACCOUNTS,
                    daemon_directory=top / "usr/lib/postfix/sbin", command_directory=top / "usr/sbin",
                    shlib_directory=top / "usr/lib/postfix", meta_directory=top / "etc/postfix",
                    sendmail_path=top / "usr/sbin/sendmail", mailq_path=top / "usr/bin/mailq",
                    newaliases_path=top / "usr/bin/newaliases", export_environment=keep,
                    import_environment=f"{keep} MAIL_DEBUG MAIL_LOGTAG POSTLOG_SERVICE POSTLOG_HOSTNAME")
    return Programs(top / "usr/lib/postfix/sbin", top / "usr/sbin", top / "usr/sbin/sendmail",
                    dict(os.environ, LD_LIBRARY_PATH=libraries), settings)


@functools.cache
def programs():
    return _installed_programs() or _unpacked_programs()


def why_not():
    """Why a private Postfix cannot run here, or None."""
    if os.geteuid() != 0:
        return "Postfix needs root"
    try:
        programs()
    except unpacked_package.UnpackError as error:
        return str(error)
    return None


class PrivatePostfix(processes.Service):
    """Ports by name:

    smtp        Postfix completes the header of local clients: a From: that is missing, a domain that is
    submission  leaves the header as it is; {daemon_name} is SUBMISSION, elsewhere the host name

    Clients are in 127.0.0.0/8; XCLIENT makes them others. All mail goes to the sink.
    """

    PORTS = {"smtp": {},
             "submission": {"milter_macro_daemon_name": "SUBMISSION", "local_header_rewrite_clients": ""}}

    def __init__(self, directory, sink_port, milter=None, **settings):
        """milter is what smtpd_milters gets ("unix:/…", "inet:127.0.0.1:8894"); settings go into main.cf."""
        self.directory = Path(directory)
        self.etc = self.directory / "etc"
        self.queue = self.directory / "queue"
        self.log_file = self.directory / "mail.log"
        self._programs = programs()
        self._ports = {name: processes.free_port() for name in self.PORTS}
        self._settings = self._main_cf(sink_port, milter, settings)

    def _main_cf(self, sink_port, milter, settings):
        main_cf = {
            "compatibility_level": "3.6", "config_directory": self.etc, "queue_directory": self.queue,
            "data_directory": self.directory / "data", "maillog_file": self.log_file,
            "maillog_file_prefixes": self.directory, "myhostname": HOSTNAME, "mydomain": "lemniscus.de",
            "myorigin": HOSTNAME, "mydestination": "", "local_recipient_maps": "", "alias_maps": "",
            "alias_database": "", "inet_interfaces": "loopback-only", "inet_protocols": "ipv4",
            "mynetworks": "0.0.0.0/0", "smtpd_relay_restrictions": "permit_mynetworks, reject",
            "smtpd_recipient_restrictions": "", "smtpd_peername_lookup": "no",
            "smtp_host_lookup": "native", "smtp_dns_support_level": "disabled",
            "relayhost": f"[127.0.0.1]:{sink_port}", "smtpd_authorized_xclient_hosts": "127.0.0.1",
            "smtpd_client_connection_count_limit": "0", "message_size_limit": "104857600",
            "milter_default_action": "tempfail", "in_flow_delay": "0",
        }
        if milter:
            main_cf.update(smtpd_milters=milter, non_smtpd_milters=milter)
        main_cf.update(self._programs.settings)
        main_cf.update(settings)
        return main_cf

    def _make_directories(self):
        owner, group = self._settings["mail_owner"], self._settings["setgid_group"]
        for path in (self.etc, self.queue, self.queue / "pid"):
            path.mkdir(parents=True, mode=0o755)
        for path in [self.directory / "data", *(self.queue / name for name in _QUEUES)]:
            path.mkdir(mode=0o700)
            shutil.chown(path, owner)
        for name, mode in (("maildrop", 0o1730), ("public", 0o2710)):
            path = self.queue / name
            path.mkdir()
            shutil.chown(path, owner, group)
            path.chmod(mode)

    def _write_configuration(self):
        main_cf = self.etc / "main.cf"
        main_cf.write_text("".join(f"{key} = {value}\n" for key, value in self._settings.items()))
        os.utime(main_cf, (0, 0))  # Postfix waits up to 2 s for a file that was just written to settle
        lines = []
        for name, overrides in self.PORTS.items():
            lines.append(f"127.0.0.1:{self._ports[name]} inet n - n - - smtpd")
            lines += [f"  -o {key}={value}" for key, value in overrides.items()]
        (self.etc / "master.cf").write_text("\n".join(lines) + "\n" + _SERVICES)

    def start(self):
        self._make_directories()
        self._write_configuration()
        self._run_master()

    def _run_master(self):
        master = self._programs.daemon_directory / "master"
        self._process = processes.start([master, "-c", self.etc, "-s"], self.directory / "master.out",
                                       self._programs.environment)
        processes.wait_until(lambda: all(processes.is_listening(("127.0.0.1", port))
                                         for port in self._ports.values()),
                             20, "Postfix", self._process)

    def port(self, name="smtp"):
        return self._ports[name]

    def sendmail(self, message, *arguments):
        """Runs Postfix's sendmail with message on stdin; it comes in through pickup and non_smtpd_milters."""
        return subprocess.run([self._programs.sendmail, "-C", self.etc, *arguments], input=message,
                              capture_output=True, env=self._programs.environment)

    def command(self, name, *arguments, **options):
        """Runs one of Postfix's commands (postqueue, postkick, smtp-source …)."""
        environment = dict(self._programs.environment, MAIL_CONFIG=str(self.etc))
        return subprocess.run([self._programs.command(name), *map(str, arguments)], env=environment,
                              capture_output=True, text=True, **options)

    def _processes(self, *names):
        """Those of ours that run, with these names if there are any: process ids."""
        found = set()
        for cwd in Path("/proc").glob("[0-9]*/cwd"):
            with contextlib.suppress(OSError):
                if cwd.readlink() == self.queue and (not names or (cwd.parent / "comm").read_text().strip() in names):
                    found.add(int(cwd.parent.name))
        return found

    def reload(self):
        """
        Makes Postfix take its files over, and waits for it: master is only told, and until it has listened, who takes in
        a message is a process that has read the old ones. postlogd waits for itself for ever if ten lines wait for it at
        its start, and with it whatever logs: then all of it is started anew.
        """
        names = ("smtpd", "cleanup", "trivial-rewrite", "pickup", "qmgr")
        old = self._processes(*names)
        try:
            assert self.command("postfix", "reload", timeout=20).returncode == 0
            processes.wait_until(lambda: not old & self._processes(*names), 30, "the end of Postfix's old processes",
                                 self._process)
        except (subprocess.TimeoutExpired, TimeoutError):
            self.stop()
            for pid in self._processes():
                with contextlib.suppress(OSError):
                    os.kill(pid, signal.SIGKILL)
            self._run_master()

    def log(self):
        try:
            return self.log_file.read_text(errors="replace")
        except FileNotFoundError:
            return ""

    def is_queue_empty(self):
        """Nothing is left in any queue, that of sendmail included."""
        return not any(path.is_file() for name in ("maildrop", "incoming", "active", "deferred")
                       for path in (self.queue / name).rglob("*"))

    def warnings(self):
        """What Postfix had to complain about, apart from programs that are not set-gid (root needs no bit) and the machine's clock."""
        known = "not set-gid|file system clock|resetting file time stamps"
        return [line for line in self.log().splitlines()
                if re.search(r": (warning|error|fatal|panic): ", line) and not re.search(known, line)]
