"""Processes that end with us, ports nobody has, and waiting without guessing how long."""

import ctypes
import os
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from pathlib import Path

from lab import paths

PR_SET_PDEATHSIG = 1
_libc = ctypes.CDLL(None, use_errno=True)


def _die_with_parent():
    _libc.prctl(PR_SET_PDEATHSIG, signal.SIGTERM)


def start(argv, output, environment=None, stdin=subprocess.DEVNULL):
    """
    Starts argv in the foreground, stdout and stderr to the file output. It gets SIGTERM when we die. Sanitizers can't
    see into GLib's own allocator of slices, so it is left out.
    """
    environment = {**(os.environ if environment is None else environment), "G_SLICE": "always-malloc",
                   "TSAN_OPTIONS": f"suppressions={paths.SRCDIR / 'tests' / 'tsan.supp'}"}
    with open(output, "ab") as stream:
        return subprocess.Popen([str(word) for word in argv], stdin=stdin, stdout=stream,
                                stderr=stream, env=environment, preexec_fn=_die_with_parent)


def stop(process, seconds=20, signal_number=signal.SIGTERM):
    """Ends process, by force after seconds. Returns its exit status."""
    if process.poll() is None:
        process.send_signal(signal_number)
    try:
        return process.wait(seconds)
    except subprocess.TimeoutExpired:
        process.kill()
        return process.wait()


class Service:
    """A process that start() of the subclass puts into self._process; with-statements end it."""

    _process = None

    def start(self):
        raise NotImplementedError

    def stop(self):
        if self._process is not None:
            stop(self._process)
            self._process = None

    def __enter__(self):
        self.start()
        return self

    def __exit__(self, *exception):
        self.stop()


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def wait_until(predicate, seconds, what, process=None):
    """Returns the first true value of predicate(). Gives up when seconds are over or process has ended."""
    deadline = time.monotonic() + seconds
    while True:
        value = predicate()
        if value:
            return value
        if process is not None and process.poll() is not None:
            raise RuntimeError(f"{what}: the process ended with status {process.returncode}")
        if time.monotonic() > deadline:
            raise TimeoutError(f"{what}: not within {seconds} s")
        time.sleep(0.005)


def is_listening(address):
    """address is a path or (host, port)."""
    family = socket.AF_UNIX
    if isinstance(address, tuple):
        family = socket.AF_INET6 if ":" in address[0] else socket.AF_INET
    with socket.socket(family) as probe:
        return probe.connect_ex(address if isinstance(address, tuple) else str(address)) == 0


class PrivateDirectory:
    """A directory that any user may pass through (mkdtemp's 0700 stops Postfix), gone at the end."""

    def __init__(self, name):
        self.path = Path(tempfile.mkdtemp(prefix=f"spfrom-{name}-", dir="/tmp"))
        os.chmod(self.path, 0o755)

    def __enter__(self):
        return self.path

    def __exit__(self, *exception):
        shutil.rmtree(self.path, ignore_errors=True)
