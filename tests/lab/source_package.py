"""Source packages of Debian, fetched from the mirror that this machine uses; nothing of them is kept in the tree."""

import re
import subprocess
from pathlib import Path

from lab.unpacked_package import until_it_works


class SourceError(Exception):
    pass


def _apt(place, directory, *arguments):
    options = ["-o", f"Dir::State::Lists={place / 'lists'}", "-o", "Dir::Etc::SourceList=/dev/null",
               "-o", f"Dir::Etc::SourceParts={place / 'parts'}", "-o", "APT::Sandbox::User=root", "-q"]
    return subprocess.run(["apt-get", *options, *arguments], cwd=directory, stdin=subprocess.DEVNULL,
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)


def _write_source_list(place):
    """The machine's own package sources, as sources of sources; the machine's lists stay as they are."""
    parts = place / "parts"
    parts.mkdir(exist_ok=True)
    (place / "lists" / "partial").mkdir(parents=True, exist_ok=True)
    for file in Path("/etc/apt/sources.list.d").glob("*.sources"):
        (parts / file.name).write_text(re.sub(r"(?m)^Types:.*$", "Types: deb-src", file.read_text()))
    lines = [file.read_text() for file in [Path("/etc/apt/sources.list"), *Path("/etc/apt/sources.list.d").glob("*.list")]
             if file.exists()]
    (parts / "own.list").write_text(re.sub(r"(?m)^deb[ \t]", "deb-src ", "\n".join(lines)))


def _archives(directory):
    return [file for file in sorted(directory.glob("*.tar.*")) if not file.name.endswith((".asc", ".sig"))]


def fetch(packages, place):
    """Returns {package: [archive]}, fetched into place once; a package that no mirror has gives an empty list.

    Raises SourceError where the lists can't be had.
    """
    place.mkdir(parents=True, exist_ok=True)
    done = place / "complete"
    if not done.exists():
        _write_source_list(place)
        if not until_it_works(lambda: _apt(place, place, "update").returncode == 0):
            raise SourceError("no source packages to be had: " + _apt(place, place, "update").stdout.strip()[-200:])
        for package in packages:
            (place / package).mkdir(exist_ok=True)
            _apt(place, place / package, "source", "--download-only", package)
        done.touch()
    return {package: _archives(place / package) for package in packages}
