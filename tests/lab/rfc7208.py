#!/usr/bin/python3
"""The conformance suite of RFC 7208, out of Debian's source package of pyspf. Prints where it is."""

import os
import sys
import tarfile
from pathlib import Path

if __name__ == "__main__":
    sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from lab import paths, source_package  # noqa: E402

_NAME = "rfc7208-tests.yml"


def _extract(archive, target):
    with tarfile.open(archive) as tar:
        for member in tar:
            if member.isfile() and member.name.endswith(f"/test/{_NAME}"):
                partial = target.with_suffix(f".{os.getpid()}")
                partial.write_bytes(tar.extractfile(member).read())
                partial.rename(target)
                return True
    return False


def suite():
    """Returns the file, fetched once; SPFROM_RFC7208 names another one. Raises SourceError where it can't be had."""
    given = os.environ.get("SPFROM_RFC7208")
    if given:
        return Path(given)
    target = paths.UNPACKED.parent / _NAME
    if target.exists():
        return target
    archives = source_package.fetch(["pyspf"], paths.UNPACKED.parent / "pyspf")["pyspf"]
    if not any(_extract(archive, target) for archive in archives):
        raise source_package.SourceError(f"no {_NAME} in the source package of pyspf")
    return target


if __name__ == "__main__":
    try:
        print(suite())
    except source_package.SourceError as error:
        sys.exit(f"rfc7208: {error}")
