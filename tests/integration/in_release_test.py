"""contrib/in-release: a command in a fresh machine, of which nothing stays. Only with --all: debootstrap takes a minute."""

import os
import re
import signal
import subprocess
from pathlib import Path

import pytest

from lab import paths
from lab import processes

SCRIPT = paths.SRCDIR / "contrib" / "in-release"


@pytest.fixture(scope="module")
def machines(is_full_length, needs_root):
    """The folder of the releases."""
    if not is_full_length:
        pytest.skip("only with --all")
    if not (paths.SRCDIR / ".git").exists():
        pytest.skip("not a git repository")
    with processes.PrivateDirectory("releases") as directory:
        yield directory


def _release():
    return re.search(r"(?m)^VERSION_CODENAME=(\w+)", Path("/etc/os-release").read_text()).group(1)


def _start(machines, command):
    """With SIGHUP as a login has it: a shell under nohup ignores it, and so would the script."""
    return subprocess.Popen([SCRIPT, _release(), "sh", "-c", command], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                            stderr=subprocess.STDOUT, text=True, env={**os.environ, "SPFROM_RELEASES": str(machines)},
                            preexec_fn=lambda: signal.signal(signal.SIGHUP, signal.SIG_DFL))


def _run(machines, command):
    process = _start(machines, command)
    output, _ = process.communicate()
    return process.returncode, output


def _left(machines):
    """Of all that was made, the base and its packages may stay."""
    return {path.name for path in machines.iterdir()} - {_release() + end for end in ("", ".lock", ".log", ".packages")}


def test_command(machines):
    before = Path("/proc/mounts").read_text()
    status, output = _run(machines, "test -x contrib/check && touch /only-there && mount -t tmpfs none /opt && ls -d /proc/1"
                                    " && ps=$(ls -d /proc/[0-9]* | wc -l) && [ $ps -lt 10 ] && exit 42")
    assert status == 42, output
    assert _left(machines) == set()
    assert not Path("/only-there").exists()
    assert not (machines / _release() / "only-there").exists()
    assert Path("/proc/mounts").read_text() == before


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP], ids=str)
def test_it_is_stopped(machines, number):
    """With a process that left its parent and would go on for ever."""
    name = f"go{int(number)}-{os.getpid()}"
    process = _start(machines, f"cp /bin/sleep /tmp/{name}; setsid /tmp/{name} 1000 & sleep 1000")
    processes.wait_until(lambda: _is_running(name), 600, "the command", process)
    process.send_signal(number)
    assert process.wait(60) == 128 + number
    process.stdout.close()
    assert not _is_running(name) and _left(machines) == set()


def _is_running(name):
    for comm in Path("/proc").glob("[0-9]*/comm"):
        try:
            if comm.read_text().strip() == name:
                return True
        except (FileNotFoundError, ProcessLookupError):
            continue
    return False


@pytest.mark.parametrize("arguments", [[], ["trixie"], ["../etc", "true"], ["-x", "true"]], ids=str)
def test_usage(arguments):
    assert subprocess.run([SCRIPT, *arguments], capture_output=True).returncode == 64


def test_no_such_release(machines):
    result = subprocess.run([SCRIPT, "nosuchrelease", "true"], capture_output=True, text=True,
                            env={**os.environ, "SPFROM_RELEASES": str(machines)})
    assert result.returncode == 75 and "debootstrap" in result.stderr
