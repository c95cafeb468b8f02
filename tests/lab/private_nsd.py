"""nsd as the authority for a zone of ours, on loopback: what libunbound asks is then a real DNS server."""

import os
import shutil
from pathlib import Path

from lab import paths
from lab import processes
from lab import unpacked_package

_SOA = "@ 60 IN SOA ns.example. hostmaster.example. 1 3600 600 86400 60\n@ 60 IN NS ns.example.\n"
_CONFIGURATION = """\
server:
  ip-address: 127.0.0.1@{port}
  username: ""
  chroot: ""
  zonesdir: "{directory}"
  database: ""
  server-count: 1
  rrl-ratelimit: 0
  pidfile: "{directory}/nsd.pid"
  xfrdfile: "{directory}/xfrd.state"
  zonelistfile: "{directory}/zone.list"
remote-control:
  control-enable: no
zone:
  name: "."
  zonefile: root.zone
zone:
  name: broken.example
  zonefile: missing.zone
"""


def _program():
    """Returns (path of nsd, environment)."""
    installed = shutil.which("nsd", path="/usr/sbin:/usr/local/sbin")
    if installed and not os.environ.get("SPFROM_UNPACK"):
        return Path(installed), dict(os.environ)
    top = unpacked_package.unpack("nsd", paths.UNPACKED)
    return top / "usr/sbin/nsd", dict(os.environ, LD_LIBRARY_PATH=unpacked_package.library_path(top))


def why_not():
    """Why nsd cannot run here, or None."""
    try:
        _program()
    except unpacked_package.UnpackError as error:
        return str(error)
    return None


class PrivateNsd(processes.Service):
    """Answers for every name from records (a zone file's text, names complete); below broken.example with SERVFAIL. zones
    are others: name → zone file's text."""

    def __init__(self, directory, records, zones=()):
        self._directory = Path(directory)
        self._records = records
        self._zones = dict(zones)
        self.port = processes.free_port()

    @property
    def server(self):
        """As dns_servers wants it."""
        return f"127.0.0.1@{self.port}"

    def start(self):
        self._directory.mkdir(exist_ok=True)
        (self._directory / "root.zone").write_text("$ORIGIN .\n$TTL 60\n" + _SOA + self._records)
        text = _CONFIGURATION.format(port=self.port, directory=self._directory)
        for name, zone in self._zones.items():
            (self._directory / f"{name}.zone").write_text(zone)
            text += f"zone:\n  name: {name}\n  zonefile: {name}.zone\n"
        configuration = self._directory / "nsd.conf"
        configuration.write_text(text)
        program, environment = _program()
        self._process = processes.start([program, "-d", "-c", configuration], self._directory / "nsd.log",
                                        environment)
        processes.wait_until(lambda: processes.is_listening(("127.0.0.1", self.port)), 10, "nsd",
                             self._process)

