"""A Sendmail of our own: own directories, own ports, loopback only.

Its package is always unpacked (see unpacked_package.py), and no MTA on the machine is touched. The program is set-gid,
which keeps it from being preloaded, so a copy without the bit runs. Needs root, as Sendmail's daemon does.
"""

import functools
import os
import re
import shutil
import subprocess
from pathlib import Path

from lab import paths
from lab import processes
from lab import unpacked_package
from lab.compiled import CompileError, compile_c

HOSTNAME = "relay.lemniscus.de"
_PROGRAM_PLACES = ("usr/libexec/sendmail/sendmail", "usr/lib/sm.bin/sendmail")

# @WORD@ is filled in; m4's quotes and Sendmail's $ leave no room for another notation. After R comes a tab.
_COMMON_MC = """\
include(`@CF@m4/cf.m4')dnl
OSTYPE(`linux')dnl
define(`confDOMAIN_NAME', `@HOSTNAME@')dnl
define(`confSERVICE_SWITCH_FILE', `@DIR@/service.switch')dnl
define(`confCT_FILE', `-o @DIR@/empty')dnl
define(`confBIND_OPTS', `')dnl
define(`confDONT_PROBE_INTERFACES', `True')dnl
define(`confDONT_BLAME_SENDMAIL', `GroupWritableDirPathSafe,TrustStickyBit')dnl
define(`confLOG_LEVEL', `14')dnl
define(`confQUEUE_LA', `1000')define(`confREFUSE_LA', `1000')define(`confDELAY_LA', `1000')dnl
FEATURE(`nocanonify')dnl
"""
# Delivery comes before the 250: nothing to wait for, no queue to run.
_MTA_MC = _COMMON_MC + """\
define(`confCW_FILE', `-o @DIR@/empty')define(`confCR_FILE', `-o @DIR@/empty')dnl
define(`QUEUE_DIR', `@DIR@/queue')define(`STATUS_FILE', `@DIR@/statistics')dnl
define(`ALIAS_FILE', `@DIR@/aliases')define(`HELP_FILE', `')dnl
define(`confPID_FILE', `@DIR@/sendmail.pid')define(`confCONTROL_SOCKET_NAME', `')dnl
define(`confTO_IDENT', `0')define(`confDELIVERY_MODE', `interactive')define(`confSAFE_QUEUE', `interactive')dnl
define(`SMART_HOST', `esmtp:[127.0.0.1]')define(`ESMTP_MAILER_ARGS', `TCP $h @SINK_PORT@')dnl
define(`LOCAL_MAILER_PATH', `@DIR@/local-mailer')define(`LOCAL_MAILER_ARGS', `local-mailer $u')dnl
FEATURE(`accept_unresolvable_domains')FEATURE(`promiscuous_relay')FEATURE(`no_default_msa')dnl
DAEMON_OPTIONS(`Family=inet, Addr=127.0.0.1, Port=@SMTP_PORT@, Name=MTA')dnl
DAEMON_OPTIONS(`Family=inet, Addr=127.0.0.1, Port=@SUBMISSION_PORT@, Name=SUBMISSION')dnl
@EXTRA_MC@@MILTERS@MAILER(`local')MAILER(`smtp')dnl
LOCAL_CONFIG
Kstorage macro
LOCAL_RULESETS
SLocal_check_mail
R$*\t$: $1 $| $&{daemon_name}
R$* $| SUBMISSION\t$: $1 $(storage {auth_authen} $@ carol $)
R$* $| $*\t$: $1
"""
# "msp" sends on to @SMTP_PORT@. Sendmail refuses this for root.
_SUBMIT_MC = _COMMON_MC + """\
define(`MSP_QUEUE_DIR', `@DIR@/msp')define(`STATUS_FILE', `@DIR@/statistics')dnl
define(`confPID_FILE', `@DIR@/submit.pid')dnl
define(`confRUN_AS_USER', `nobody:nogroup')define(`RELAY_MAILER_ARGS', `TCP $h @SMTP_PORT@')dnl
FEATURE(`msp', `[127.0.0.1]')dnl
"""
# F=T: while the milter is down, mail stays with the client.
_MILTER_MC = "INPUT_MAIL_FILTER(`@NAME@', `S=@SOCKET@, @EQUATES@')dnl\n"
_EQUATES = "F=T, T=C:5s;S:10s;R:20s;E:60s"


def _fill(template, **words):
    text = re.sub("@([A-Z_]+)@", lambda match: str(words[match.group(1).lower()]), template)
    assert "@@" not in text
    return text


@functools.cache
def _package():
    return unpacked_package.unpack("sendmail-bin", paths.UNPACKED)


def why_not():
    """Why a private Sendmail cannot run here, or None."""
    if os.geteuid() != 0:
        return "Sendmail needs root"
    try:
        _package()
        _shim()
    except (unpacked_package.UnpackError, CompileError) as error:
        return str(error)
    return None


@functools.cache
def _shim():
    return compile_c(paths.SRCDIR / "tests/lab/sendmail_shim.c", paths.UNPACKED / "sendmail_shim.so",
                     "-shared", "-fPIC")


class PrivateSendmail(processes.Service):
    """Ports by name: smtp, and submission, where the client counts as authenticated ({auth_authen} is carol) and
    {daemon_name} is SUBMISSION. Mail for HOSTNAME goes into the file mailbox, all other mail to the sink.
    """

    def __init__(self, directory, sink_port, milters=(), extra_mc=""):
        """milters are pairs of a name and a socket ("unix:/…", "inet:8894@127.0.0.1"), in their order, each maybe with
        equates as a third; extra_mc are lines of sendmail.mc."""
        self.directory = Path(directory)
        self.log_file = self.directory / "mail.log"
        self.mailbox = self.directory / "mailbox"
        self._ports = {name: processes.free_port() for name in ("smtp", "submission")}
        self._sink_port = sink_port
        self._milters = milters
        self._extra_mc = extra_mc

    def _make_directories(self):
        for path in (self.directory, self.directory / "queue", self.directory / "msp"):
            path.mkdir(parents=True, mode=0o755)
        (self.directory / "queue").chmod(0o700)
        (self.directory / "msp").chmod(0o770)
        shutil.chown(self.directory / "msp", "nobody", "nogroup")

    def _write_configuration(self):
        cf = _package() / "usr/share/sendmail/cf"
        milters = "".join(_fill(_MILTER_MC, name=name, socket=socket, equates="".join(equates) or _EQUATES)
                          for name, socket, *equates in self._milters)
        words = {"cf": f"{cf}/", "dir": self.directory, "hostname": HOSTNAME, "sink_port": self._sink_port,
                 "smtp_port": self._ports["smtp"], "submission_port": self._ports["submission"], "milters": milters,
                 "extra_mc": self._extra_mc}
        self._compile_mc("sendmail", _fill(_MTA_MC, **words), cf)
        self._compile_mc("submit", _fill(_SUBMIT_MC, **words), cf)

    def _compile_mc(self, name, text, cf):
        source, output = self.directory / f"{name}.mc", self.directory / f"{name}.cf"
        source.write_text(text)
        path = f"{os.environ['PATH']}:{_package()}/usr/bin"
        result = subprocess.run([shutil.which("m4", path=path) or "m4", f"-D_CF_DIR_={cf}/", source],
                                capture_output=True, text=True, check=True)
        output.write_text(result.stdout)

    def _write_files(self):
        (self.directory / "service.switch").write_text("hosts files\naliases files\n")
        for name in ("empty", "aliases", "statistics", "mail.log"):
            (self.directory / name).touch()
        for name in ("statistics", "mail.log"):
            (self.directory / name).chmod(0o666)  # the submission program runs as nobody
        mailer = self.directory / "local-mailer"
        mailer.write_text(f"#!/bin/sh\nexec cat >>{self.mailbox}\n")
        mailer.chmod(0o755)
        program = next(_package() / place for place in _PROGRAM_PLACES if (_package() / place).exists())
        shutil.copyfile(program, self._program)
        self._program.chmod(0o755)

    @property
    def _program(self):
        return self.directory / "sendmail"

    def _environment(self):
        return {"PATH": os.environ["PATH"], "LD_LIBRARY_PATH": unpacked_package.library_path(_package()),
                "LD_PRELOAD": str(_shim()), "SHIM_HOST_NAME": HOSTNAME, "SHIM_LOG_FILE": str(self.log_file)}

    def configure(self):
        """All that start() needs."""
        self._make_directories()
        self._write_configuration()
        self._write_files()

    def remake(self):
        """Makes sendmail.cf of a sendmail.mc that was changed, as make -C does where Sendmail is installed."""
        self._compile_mc("sendmail", (self.directory / "sendmail.mc").read_text(),
                         _package() / "usr/share/sendmail/cf")

    def start(self):
        self.configure()
        self._process = processes.start([self._program, "-C", self.directory / "sendmail.cf", "-bD"],
                                        self.directory / "sendmail.out", self._environment())
        processes.wait_until(lambda: all(processes.is_listening(("127.0.0.1", port))
                                         for port in self._ports.values()),
                             20, "Sendmail", self._process)

    def port(self, name="smtp"):
        return self._ports[name]

    def sendmail(self, message, *arguments):
        """Runs the submission program with message on stdin; it passes it on by SMTP."""
        return subprocess.run([self._program, "-C", self.directory / "submit.cf", *arguments], input=message,
                              capture_output=True, env=self._environment())

    def log(self):
        return self.log_file.read_text(errors="replace")

    def warnings(self):
        """What Sendmail had to complain about in its log: about a milter, or itself."""
        return [line for line in self.log().splitlines()
                if re.search(r"SYSERR|Milter \([^)]*\): (?!init success)", line)]
