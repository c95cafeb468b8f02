"""What the tests share. Everything that is started here ends with the run."""

import contextlib
import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
from lab import paths  # noqa: E402
from lab import private_nsd  # noqa: E402
from lab import private_postfix  # noqa: E402
from lab import signed_zone  # noqa: E402
from lab.private_postfix import PrivatePostfix  # noqa: E402
from lab.processes import PrivateDirectory  # noqa: E402
from lab.sink import Sink  # noqa: E402
from lab.spfrom import Spfrom  # noqa: E402
from lab.zone import ZONE_FILE  # noqa: E402

MODES = ("rewrite", "log-only", "off")


def need(trouble):
    """trouble says why the test can't have what it needs; None if it can. contrib/check installs all, and runs as root."""
    if trouble and os.geteuid() != 0:
        pytest.skip(trouble)
    if trouble:
        pytest.fail(trouble, pytrace=False)


def need_program(name):
    """Returns the path of a program."""
    path = shutil.which(name, path=os.environ["PATH"] + ":/usr/sbin:/sbin")
    need(None if path else f"{name} is not installed")
    return path


def fill_disk(place):
    """Writes place / "filler" until the disk is full."""
    with open(place / "filler", "wb", buffering=0) as filler, contextlib.suppress(OSError):
        while True:
            filler.write(b"x" * 4096)


def pytest_configure(config):
    config.addinivalue_line("markers", "address: runs with AddressSanitizer too: what strangers send, what programs are asked")
    config.addinivalue_line("markers", "thread: runs with ThreadSanitizer too: where threads meet")


def pytest_addoption(parser):
    parser.addoption("--all", action="store_true", help="more generated and collected messages")
    parser.addoption("--browser", action="store_true", help="the pages in Chromium too, as with --all")


@pytest.fixture(scope="session")
def is_full_length(request):
    return request.config.getoption("--all")


@pytest.fixture(scope="session")
def is_browser_wanted(request):
    return request.config.getoption("--all") or request.config.getoption("--browser")


@pytest.fixture(scope="session")
def directory():
    with PrivateDirectory("tests") as path:
        yield path


@pytest.fixture(scope="session")
def needs_postfix():
    need(private_postfix.why_not())


@pytest.fixture(scope="session")
def needs_nsd():
    need(private_nsd.why_not())


@pytest.fixture(scope="session")
def needs_signed_zone():
    need(signed_zone.why_not())


@pytest.fixture(scope="session")
def needs_swaks():
    need_program("swaks")


@pytest.fixture(scope="session")
def needs_root():
    need("not root" if os.geteuid() != 0 else None)


@pytest.fixture
def small_disk(directory, needs_root):
    """A file system of a megabyte."""
    place = Path(tempfile.mkdtemp(prefix="small-", dir=directory))
    done = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=1m,mode=0777", "spfrom-test", str(place)],
                          capture_output=True, text=True)
    need(f"no file system can be mounted here: {done.stderr.strip()}" if done.returncode != 0 else None)
    yield place
    subprocess.run(["umount", str(place)], check=True)


@pytest.fixture(scope="session", autouse=True)
def needs_daemon():
    if not paths.MILTER.exists():
        pytest.exit(f"{paths.MILTER} is missing: contrib/build makes it", returncode=2)


class DaemonPark:
    """Starts daemons and ends them all together: libmilter takes seconds to notice that it is to stop."""

    def __init__(self, directory):
        self._directory = directory
        self._daemons = []

    def start(self, zone=ZONE_FILE, **settings):
        daemon = Spfrom(self._directory / f"spfrom-{len(self._daemons)}", zone, **settings)
        daemon.start()
        self._daemons.append(daemon)
        return daemon

    def stop(self):
        """Returns what went wrong."""
        running = [daemon for daemon in self._daemons if daemon.process is not None]
        for daemon in running:
            daemon.process.terminate()
        return [f"{daemon.directory.name} ended with {status}: {daemon.complaints() or daemon.log()[-2000:]}"
                for daemon in running if (status := daemon.stop()) != 0 or daemon.complaints()]


@pytest.fixture(scope="session")
def daemons(directory):
    park = DaemonPark(directory)
    yield park
    troubles = park.stop()
    assert not troubles, "\n".join(troubles)


class Route:
    """A Postfix with its sink, and the daemon in front of it, if any."""

    def __init__(self, directory, daemon=None, **settings):
        self.daemon = daemon
        self.sink = Sink()
        self.postfix = PrivatePostfix(directory, self.sink.port, daemon and daemon.milter, **settings)

    def __enter__(self):
        self.sink.__enter__()
        self.postfix.start()
        return self

    def __exit__(self, *exception):
        self.postfix.stop()
        self.sink.__exit__()


@pytest.fixture(scope="session")
def bare_route(directory, needs_postfix):
    """The same Postfix without the milter: what a message looks like that nobody touched."""
    with Route(directory / "bare") as route:
        yield route


@pytest.fixture(scope="session")
def routes(directory, daemons, needs_postfix):
    """mode → Route."""
    made = {}
    try:
        for mode in MODES:
            route = Route(directory / f"postfix-{mode}", daemons.start(mode=mode))
            made[mode] = route.__enter__()
        yield made
    finally:
        for route in made.values():
            route.__exit__()
