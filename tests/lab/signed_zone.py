"""A zone that is signed (DNSSEC), made by ldns's tools."""

import os
import subprocess
from pathlib import Path

from lab import paths
from lab import unpacked_package


def _run(program, arguments, directory):
    top = unpacked_package.unpack("ldnsutils", paths.UNPACKED)
    environment = dict(os.environ, LD_LIBRARY_PATH=unpacked_package.library_path(top))
    return subprocess.run([top / "usr/bin" / program, *arguments], cwd=directory, env=environment, check=True,
                          capture_output=True, text=True).stdout.strip()


def why_not():
    """Why nothing can be signed here, or None."""
    try:
        unpacked_package.unpack("ldnsutils", paths.UNPACKED)
    except unpacked_package.UnpackError as error:
        return str(error)
    return None


def sign(directory, name, records):
    """Returns (zone file's text, file with the trust anchor) of the zone name with these records (names relative)."""
    directory = Path(directory)
    directory.mkdir(exist_ok=True)
    key = _run("ldns-keygen", ["-r", "/dev/urandom", "-a", "ECDSAP256SHA256", "-k", name], directory)
    soa = f"@ 60 IN SOA ns.{name}. hostmaster.{name}. 1 3600 600 86400 60\n@ 60 IN NS ns.{name}.\n"
    (directory / "zone").write_text(f"$ORIGIN {name}.\n$TTL 60\n{soa}{records}")
    _run("ldns-signzone", ["-o", name, "-f", "zone.signed", "zone", key], directory)
    return (directory / "zone.signed").read_text(), directory / f"{key}.ds"
