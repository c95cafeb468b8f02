"""What the daemon tells the service manager: ready, alive only while it answers, stopping (sd_notify(3))."""

import os
import signal
import socket

import pytest

from lab import processes
from lab.spfrom import Spfrom
from lab.zone import ZONE_FILE

PATIENCE = 30  # seconds, for a machine under load
INTERVAL = 2  # seconds, of the watchdog


class Manager:
    """A service manager that listens at address: a path, or "@name" in the abstract namespace."""

    def __init__(self, address):
        self.address = str(address)
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self._socket.bind("\0" + self.address[1:] if self.address.startswith("@") else self.address)
        if not self.address.startswith("@"):
            os.chmod(self.address, 0o777)  # the daemon is nobody by then
        self._socket.settimeout(PATIENCE)

    def close(self):
        self._socket.close()

    def next(self):
        """The next datagram, as lines."""
        return self._socket.recv(4096).decode().split("\n")

    def heard(self):
        """All that has arrived so far."""
        self._socket.settimeout(0)
        lines = []
        try:
            while True:
                lines += self.next()
        except BlockingIOError:
            return lines
        finally:
            self._socket.settimeout(PATIENCE)

    def wait_for(self, line):
        while line not in self.next():
            pass


@pytest.fixture
def managed(monkeypatch):
    """Starts a daemon under a Manager; returns both."""
    started = []

    with processes.PrivateDirectory("notify") as directory:
        def start(address=None, watchdog=None, **settings):
            manager = Manager(address or directory / "notify")
            monkeypatch.setenv("NOTIFY_SOCKET", manager.address)
            if watchdog is not None:
                monkeypatch.setenv("WATCHDOG_USEC", str(watchdog * 1_000_000))
            daemon = Spfrom(directory / "daemon", ZONE_FILE, **settings)
            started.append((daemon, manager))
            daemon.start()
            return daemon, manager
        yield start
        for daemon, manager in started:
            if daemon.is_running():
                daemon.kill()
            manager.close()


@pytest.mark.parametrize("address", [None, f"@spfrom-test-{os.getpid()}"], ids=["path", "abstract"])
def test_ready_and_stopping(managed, address):
    daemon, manager = managed(address, mode="log-only")
    first = manager.next()
    assert first[0] == "READY=1" and first[1].startswith("STATUS=log-only")
    daemon.process.send_signal(signal.SIGTERM)
    manager.wait_for("STOPPING=1")
    assert daemon.stop() == 0


def test_ready_comes_when_the_daemon_listens(managed):
    daemon, manager = managed()
    manager.wait_for("READY=1")
    assert "ready:" in daemon.log() and processes.is_listening(daemon.address)


def test_nothing_is_said_where_the_start_fails(managed):
    with pytest.raises(RuntimeError):
        managed(mode="nonsense")


def test_no_watchdog_where_none_is_asked_for(managed):
    daemon, manager = managed()
    manager.wait_for("READY=1")
    assert daemon.stop() == 0
    assert "WATCHDOG=1" not in manager.heard()


@pytest.mark.parametrize("kind", ["unix", "inet", "inet6"])
def test_watchdog(managed, kind):
    """Alive, again and again, and in time."""
    settings = {}
    if kind != "unix":
        host = "127.0.0.1" if kind == "inet" else "::1"
        settings["socket"] = f"{kind}:{processes.free_port()}@{host}"
    if kind == "inet6":
        try:
            socket.create_server(("::1", 0), family=socket.AF_INET6).close()
        except OSError:
            pytest.skip("no IPv6")
    daemon, manager = managed(watchdog=INTERVAL, **settings)
    for _ in range(3):
        manager.wait_for("WATCHDOG=1")
    assert daemon.stop() == 0
    assert "watchdog" not in daemon.log()


def test_watchdog_of_a_daemon_that_no_mta_reaches(managed):
    """Its socket is gone: it says why, and never again that it is well."""
    daemon, manager = managed(watchdog=INTERVAL)
    manager.wait_for("WATCHDOG=1")
    daemon.socket.unlink()
    processes.wait_until(lambda: "watchdog: no answer" in daemon.log(), PATIENCE, "the complaint", daemon.process)
    manager.heard()
    processes.wait_until(lambda: daemon.log().count("watchdog: no answer") > 2, PATIENCE, "more", daemon.process)
    assert "WATCHDOG=1" not in manager.heard()
