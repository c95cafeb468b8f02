"""Where the sources, the build and unpacked packages are."""

import os
from pathlib import Path

SRCDIR = Path(os.environ.get("SPFROM_SRCDIR") or Path(__file__).resolve().parents[2]).resolve()
BUILDDIR = Path(os.environ.get("SPFROM_BUILDDIR") or SRCDIR / "build").resolve()
UNPACKED = Path(os.environ.get("SPFROM_UNPACKED") or BUILDDIR / "unpacked").resolve()

MILTER = BUILDDIR / "spfrom-milter"
TOOL = BUILDDIR / "spfrom"
NULL_MILTER = BUILDDIR / "null_milter"
