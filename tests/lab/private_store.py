"""Redis or Valkey on a Unix socket and a loopback port of ours, as the store of a fleet."""

import os
import shutil
import socket
import subprocess
from pathlib import Path

from lab import paths
from lab import processes
from lab import unpacked_package


def _program():
    """Returns (path of the server, environment)."""
    for name in ("valkey-server", "redis-server"):
        installed = shutil.which(name)
        if installed and not os.environ.get("SPFROM_UNPACK"):
            return Path(installed), dict(os.environ)
    top = unpacked_package.unpack("redis-server", paths.UNPACKED)
    return top / "usr/bin/redis-server", dict(os.environ, LD_LIBRARY_PATH=unpacked_package.library_path(top))


def why_not():
    """Why no store can run here, or None."""
    try:
        program, environment = _program()
        subprocess.run([program, "--version"], env=environment, check=True, capture_output=True)
    except (unpacked_package.UnpackError, OSError, subprocess.CalledProcessError) as error:
        return str(error)
    return None


class PrivateStore(processes.Service):
    """Nothing is kept over a restart. More lines of its configuration may be given."""

    def __init__(self, directory, *lines):
        self.directory = Path(directory)
        self.socket = self.directory / "store.sock"
        self.port = processes.free_port()
        self._lines = lines

    @property
    def member(self):
        """As fleet wants it."""
        return f"unix:{self.socket}"

    def start(self):
        self.directory.mkdir(parents=True, exist_ok=True)
        configuration = self.directory / "store.conf"
        configuration.write_text("\n".join([
            f"port {self.port}", "bind 127.0.0.1", f"unixsocket {self.socket}", "save \"\"", "appendonly no",
            f"dir {self.directory}", "daemonize no", *self._lines]) + "\n")
        program, environment = _program()
        self._process = processes.start([program, configuration], self.directory / "store.log", environment)
        processes.wait_until(self._answers, 10, "the store", self._process)

    def signal(self, number):
        self._process.send_signal(number)

    def kill(self):
        self._process.kill()
        self._process.wait()
        self._process = None
        self.socket.unlink(missing_ok=True)

    def _answers(self):
        try:
            return self.talk("PING") is not None
        except OSError:
            return False

    def talk(self, *words):
        """Sends one command past spfrom; returns the answer's octets as far as they come at once."""
        with socket.socket(socket.AF_UNIX) as connection:
            connection.settimeout(5)
            connection.connect(str(self.socket))
            octets = [word if isinstance(word, bytes) else str(word).encode() for word in words]
            connection.sendall(b"*%d\r\n" % len(octets) + b"".join(b"$%d\r\n%s\r\n" % (len(word), word) for word in octets))
            return connection.recv(1 << 20)
