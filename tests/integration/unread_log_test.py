"""A log that nobody reads, a full pipe or a syslog daemon that stands still, stops no mail and no stop."""

import fcntl
import os
import signal
import socket
import time

import pytest

from lab import clients
from lab import paths
from lab import processes
from lab.cases import OHNE, message
from conftest import Route
from lab.milter_client import MilterClient, ask
from lab.spfrom import Spfrom
from lab.zone import FALLBACK, ZONE_FILE

pytestmark = pytest.mark.thread

MAILS = 60
PATIENCE = 5  # seconds for a mail; the MTA's own is minutes
PIPE_OCTETS = 4096
QUEUE_OCTETS = 4 << 20
LONG = "x" * 60 + "@" + ".".join(["y" * 60] * 3) + ".example"

# A /dev of its own, whose log is ours: nothing of this machine's /dev changes.
WITH_DEV_LOG = """#!/bin/sh
exec unshare --mount sh -c '
set -e
mount -t tmpfs none {directory}/dev
for name in null zero full random urandom; do
    touch {directory}/dev/$name
    mount --bind /dev/$name {directory}/dev/$name
done
ln -s {directory}/log {directory}/dev/log
mount --bind {directory}/dev /dev
exec "$@"' sh {milter} "$@"
"""


class Pipe:
    """stderr: a pipe that is read when asked."""

    def __init__(self, directory):
        self.daemon = Spfrom(directory / "pipe", ZONE_FILE, log_level="info")
        os.mkfifo(self.daemon.log_file)
        self._reader = os.open(self.daemon.log_file, os.O_RDONLY | os.O_NONBLOCK)
        fcntl.fcntl(self._reader, fcntl.F_SETPIPE_SZ, PIPE_OCTETS)

    def read(self):
        try:
            return os.read(self._reader, 1 << 16)
        except BlockingIOError:
            return b""

    def close(self):
        os.close(self._reader)


class DevLog:
    """syslog: a socket at /dev/log that is read when asked."""

    def __init__(self, directory):
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self._socket.bind(str(directory / "log"))
        os.chmod(directory / "log", 0o666)
        (directory / "dev").mkdir()
        program = directory / "with-dev-log"
        program.write_text(WITH_DEV_LOG.format(directory=directory, milter=paths.MILTER))
        program.chmod(0o755)
        self.daemon = Spfrom(directory / "syslog", ZONE_FILE, program=program, log="syslog", log_level="info")

    def read(self):
        try:
            return self._socket.recv(1 << 16, socket.MSG_DONTWAIT) + b"\n"
        except BlockingIOError:
            return b""

    def close(self):
        self._socket.close()


@pytest.fixture(params=[Pipe, DevLog], ids=["stderr", "dev-log"])
def unread(request, needs_root):
    with processes.PrivateDirectory("unread") as directory:
        target = request.param(directory)
        target.daemon.start()
        yield target
        if target.daemon.is_running():
            target.daemon.kill()
        target.close()


def _read_until(target, word):
    """All that comes until word does."""
    text = b""

    def is_there():
        nonlocal text
        while octets := target.read():
            text += octets
        return word.encode() in text
    processes.wait_until(is_there, 30, word, target.daemon.process)
    return text.decode()


def test_mail_flows(unread, needs_postfix):
    with Route(unread.daemon.directory / "postfix", unread.daemon) as route:
        slowest = 0
        for number in range(MAILS):
            begin = time.monotonic()
            clients.send_smtp(route.postfix, OHNE, f"m{number}@example.net", message(f"From: {OHNE}", f"X-Long: {LONG}"))
            slowest = max(slowest, time.monotonic() - begin)
        for number in range(MAILS):
            assert route.sink.take(f"m{number}@example.net").sender == FALLBACK
        assert slowest < PATIENCE
        assert "lines were lost" not in _read_until(unread, "action=rewrite")
    assert unread.daemon.stop() == 0


def test_sigterm_ends_it(unread):
    for _ in range(200):
        ask(unread.daemon.address, [("From", LONG)], sender=LONG)
    begin = time.monotonic()
    assert unread.daemon.stop() == 0
    assert time.monotonic() - begin < PATIENCE


def _flood(daemon):
    """More lines than the queue takes. Returns how many."""
    count = QUEUE_OCTETS * 3 // 2 // 700
    with MilterClient(daemon.address) as client:
        client.connect()
        for _ in range(count):
            assert client.message([("From", LONG)], LONG).sender() == FALLBACK
    return count


def _metric(daemon, name):
    text = daemon.tool("metrics").stdout
    return int(next(line for line in text.splitlines() if line.startswith(name + " ")).split()[1])


def test_lines_that_do_not_fit_are_counted(unread):
    written = _flood(unread.daemon)
    lost = _metric(unread.daemon, "spfrom_log_lines_lost_total")
    assert 0 < lost < written
    text = _read_until(unread, "lines were lost")
    assert f"log: {lost} lines were lost" in text
    assert text.count("action=rewrite") == written - lost
    ask(unread.daemon.address, [("From", OHNE)], sender=OHNE)
    assert "lines were lost" not in _read_until(unread, f"author={OHNE}")


def test_last_lines_are_written(unread):
    for _ in range(50):
        ask(unread.daemon.address, [("From", OHNE)], sender=OHNE)
    unread.daemon.process.send_signal(signal.SIGTERM)
    text = b""
    while unread.daemon.is_running():
        text += unread.read()
    while octets := unread.read():
        text += octets
    assert text.count(b"action=rewrite") == 50 and b"stopped" in text.splitlines()[-1]
    assert unread.daemon.process.returncode == 0
