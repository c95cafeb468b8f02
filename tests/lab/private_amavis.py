"""An amavis of our own: Debian's configuration with a last file of ours, laid over /usr and /etc for it alone.

Its package is unpacked (see unpacked_package.py) and no service of the machine is touched. Needs root and overlayfs.
"""

import os
import re
from pathlib import Path

from lab import paths
from lab import processes
from lab import unpacked_package

_UID = 54320  # of nobody else
_LAST_FILE = """\
use strict;
$MYHOME = '@HOME@'; $TEMPBASE = '@HOME@/tmp'; $ENV{TMPDIR} = $TEMPBASE; $db_home = '@HOME@/db'; $QUARANTINEDIR = undef;
$pid_file = '@HOME@/amavisd.pid'; $lock_file = '@HOME@/amavisd.lock';
$myhostname = 'relay.lemniscus.de'; $mydomain = 'lemniscus.de';
$DO_SYSLOG = 0; $LOGFILE = '@HOME@/log'; $max_servers = 1; $enable_db = 0; $enable_zmq = 0; $unix_socketname = undef;
$inet_socket_port = @PORT@;
$forward_method = 'smtp:[127.0.0.1]:@BACK@'; $notify_method = $forward_method;
1;
"""
_OVERLAY = """\
mount -t overlay none -o ro,lowerdir="$0/usr":/usr /usr && mount -t overlay none -o ro,lowerdir="$1":"$0/etc":/etc /etc &&
exec /usr/sbin/amavisd foreground"""


def why_not():
    """Why it cannot run here, or None."""
    if os.geteuid() != 0:
        return "amavis needs root"
    try:
        unpacked_package.unpack("amavisd-new", paths.UNPACKED)
    except unpacked_package.UnpackError as error:
        return str(error)
    return None


def _with(file, name, line):
    """The machine's file without its lines for name, and with line."""
    return re.sub(rf"^{name}:.*\n", "", Path(file).read_text(), flags=re.MULTILINE) + line


class PrivateAmavis(processes.Service):
    """Takes mail at .port, and gives it back at the port way_back."""

    def __init__(self, directory, way_back):
        self._top = unpacked_package.unpack("amavisd-new", paths.UNPACKED)
        self._directory = Path(directory)
        self._way_back = way_back
        self.port = processes.free_port()

    def start(self):
        home, etc = self._directory / "home", self._directory / "etc"
        for folder in (home, home / "tmp", home / "db"):
            folder.mkdir(parents=True, exist_ok=True)
            os.chown(folder, _UID, _UID)
        (etc / "amavis/conf.d").mkdir(parents=True, exist_ok=True)
        (etc / "passwd").write_text(_with("/etc/passwd", "amavis", f"amavis:x:{_UID}:{_UID}::{home}:/bin/sh\n"))
        (etc / "group").write_text(_with("/etc/group", "amavis", f"amavis:x:{_UID}:\n"))
        (etc / "mailname").write_text("relay.lemniscus.de\n")
        words = {"HOME": home, "PORT": self.port, "BACK": self._way_back}
        (etc / "amavis/conf.d/50-user").write_text(
            re.sub(r"@([A-Z]+)@", lambda found: str(words[found.group(1)]), _LAST_FILE))
        self._process = processes.start(["unshare", "-m", "sh", "-c", _OVERLAY, self._top, etc], self._directory / "out")
        processes.wait_until(lambda: processes.is_listening(("127.0.0.1", self.port)), 60, "amavis", self._process)
