"""A Debian or Ubuntu package unpacked into a directory of ours.

Installing an MTA or a DNS server would start it, and would take the place of the one that is there. Unpacked, neither
happens: nothing outside the directory changes.
"""

import fcntl
import os
import re
import shutil
import subprocess
import time
from pathlib import Path

_APT = ["apt-get", "-q", "-o", "APT::Sandbox::User=root"]
_PAUSES = (0, 5, 20)  # seconds


class UnpackError(Exception):
    pass


def _apt(arguments, directory=None):
    environment = dict(os.environ, DEBIAN_FRONTEND="noninteractive", LC_ALL="C")
    return subprocess.run(_APT + arguments, cwd=directory, env=environment, stdin=subprocess.DEVNULL,
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)


def _what_apt_would_install(package):
    """[name=version] of package and whatever of its needs the machine lacks, by a simulation."""
    result = _apt(["--simulate", "--no-install-recommends", "--reinstall", "install", package])
    if result.returncode != 0:
        return []
    return [f"{name}={version}" for name, version in
            re.findall(r"^Inst (\S+) (?:\[\S+\] )?\((\S+) ", result.stdout, re.MULTILINE)]


def _download(package, directory):
    names = _what_apt_would_install(package)
    return bool(names) and _apt(["download"] + names, directory).returncode == 0


def until_it_works(attempt, prepare=None):
    """Tries attempt() until it returns a true value: a mirror that does not answer gets more chances. False at the end."""
    for pause in _PAUSES:
        if attempt():
            return True
        time.sleep(pause)
        if prepare:
            prepare()
    return bool(attempt())


def _fill(package, directory):
    # The lists of a fresh machine are empty, and those of an old one name versions that are gone.
    if not until_it_works(lambda: _download(package, directory), lambda: _apt(["update"])):
        raise UnpackError(f"cannot download {package}: "
                          + _apt(["--simulate", "install", package]).stdout.strip())
    for archive in directory.glob("*.deb"):
        subprocess.run(["dpkg-deb", "-x", archive, directory], check=True)
        archive.unlink()


def unpack(package, parent):
    """Returns the directory below parent that holds package's files (usr/, etc/); the work is done once."""
    directory = Path(parent) / package
    if directory.is_dir():
        return directory
    if shutil.which("apt-get") is None:
        raise UnpackError(f"{package} is not here and there is no apt-get to get it with")
    Path(parent).mkdir(parents=True, exist_ok=True)
    with open(Path(parent) / "lock", "w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)  # other tests may be about to do the same
        if not directory.is_dir():
            _unpack_anew(package, directory)
    return directory


def _unpack_anew(package, directory):
    partial = directory.with_suffix(".partial")
    shutil.rmtree(partial, ignore_errors=True)
    partial.mkdir()
    _fill(package, partial)
    partial.rename(directory)


def library_path(directory):
    """The value of LD_LIBRARY_PATH with which the programs in directory find the libraries there."""
    places = {str(path.parent) for pattern in ("lib/*", "usr/lib/*", "usr/lib/*/*")
              for path in directory.glob(f"{pattern}/*.so*")}
    return ":".join(sorted(places))
