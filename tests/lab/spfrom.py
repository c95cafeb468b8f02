"""The daemon under test: its configuration, its life, its log."""

import os
import re
import signal
import subprocess
import threading
import time
from pathlib import Path

from lab import paths
from lab import processes

UNPRIVILEGED = {"user": "nobody", "group": "nogroup"}  # on every machine, unlike the user spfrom
_SANITIZER_REPORTS = ("AddressSanitizer", "ThreadSanitizer", "LeakSanitizer", "runtime error:", "GLib-CRITICAL",
                      "GLib-GObject-CRITICAL", "GLib-WARNING")


def configuration(settings):
    """The text of a configuration. Strings are quoted, lists put in braces; other values stand as they are."""
    def value_text(value):
        if isinstance(value, (list, tuple)):
            return "{" + ", ".join(value_text(item) for item in value) + "}"
        if isinstance(value, (str, Path)):
            return '"' + str(value).replace("\\", "\\\\").replace('"', '\\"') + '"'
        return str(value)
    return "".join(f"{key} = {value_text(value)}\n" for key, value in settings.items())


def _plain(value):
    """A value of the log without its quotes and escapes (design section 13)."""
    if not value.startswith('"'):
        return value
    return re.sub(r'\\(x[0-9A-Fa-f]{2}|.)', lambda found: _unescaped(found.group(1)), value[1:-1])


def _unescaped(text):
    return chr(int(text[1:], 16)) if len(text) == 3 else text


def _read_line(line):
    """A log line's "QUEUE-ID: key=value …" as a dict, the id under "id"; None for other lines."""
    head, _, rest = line.partition(": action=")
    if not rest:
        return None
    pairs = re.findall(r'(\w+)=("(?:[^"\\]|\\.)*"|\S*)', "action=" + rest)
    return {"id": head.split()[-1], **{key: _plain(value) for key, value in pairs}}


class Spfrom:
    """spfrom-milter on a unix socket in directory, DNS from a zone file unless settings name another source."""

    def __init__(self, directory, zone=None, extra="", program=None, **settings):
        """extra is appended to the configuration (domain sections)."""
        self.directory = Path(directory)
        self.directory.mkdir(exist_ok=True)
        self.socket = self.directory / "milter.sock"
        self.control_socket = self.directory / "control.sock"
        self.configuration_file = self.directory / "spfrom.conf"
        self.log_file = self.directory / "spfrom.log"
        self.extra = extra
        self.settings = {
            "socket": f"unix:{self.socket}", "socket_mode": "0666",
            "fallback_address": "noreply@lemniscus.de", "relay_hosts": ["192.0.2.25"],
            "hostname": "relay.lemniscus.de", "state_dir": self.directory / "state",
            "control_socket": self.control_socket, "log": "stderr", "log_level": "debug",
        }
        if os.geteuid() == 0:
            self.settings.update(UNPRIVILEGED)
        if zone is not None:
            zone_file = self.directory / "zone"
            zone_file.write_text(zone)
            self.settings["dns_zone_file"] = zone_file
        self.settings.update(settings)
        self._program = program or paths.MILTER
        self._reading = threading.Lock()  # guards _records and _read
        self._records = []
        self._read = 0  # octets of the log that _records holds
        self.process = None

    @property
    def milter(self):
        """The socket in Postfix's words."""
        return self.settings["socket"]

    @property
    def address(self):
        """Where a MilterClient connects."""
        kind, _, place = self.milter.partition(":")
        if kind != "unix":
            port, host = place.split("@")
            return (host, int(port))
        return self.socket

    def write_configuration(self):
        self.configuration_file.write_text(configuration(self.settings) + self.extra)

    def start(self):
        self.write_configuration()
        if isinstance(self.address, Path):
            self.directory.chmod(0o777)  # the daemon makes its directories and sockets here as nobody
        self.process = processes.start([self._program, "-f", "-c", self.configuration_file], self.log_file)
        try:
            for address in (self.address, self.control_socket):
                processes.wait_until(lambda: processes.is_listening(address), 20, "spfrom-milter", self.process)
        except (RuntimeError, TimeoutError) as error:
            raise RuntimeError(f"{error}\n{self.log()}") from error

    def stop(self):
        """Returns the exit status, 0 for a clean stop."""
        if self.process is None:
            return 0
        status = processes.stop(self.process)
        self.process = None
        return status

    def kill(self):
        self.process.send_signal(signal.SIGKILL)
        self.process.wait()

    def is_running(self):
        return self.process is not None and self.process.poll() is None

    def __enter__(self):
        self.start()
        return self

    def __exit__(self, kind, *rest):
        status = self.stop()
        if kind is None:
            assert status == 0, f"spfrom-milter ended with {status}\n{self.log()}"
            assert not self.complaints(), "\n".join(self.complaints())

    def log(self):
        """What has been logged. A line may follow the answer that it is about: waits until no more comes."""
        text, last = self._log_text(), None
        while text != last and self.is_running():
            time.sleep(0.03)
            text, last = self._log_text(), text
        return text

    def _log_text(self):
        return self.log_file.read_text(errors="replace") if self.log_file.exists() else ""

    def complaints(self):
        """Lines of sanitizers and of GLib."""
        return [line for line in self.log().splitlines() if any(word in line for word in _SANITIZER_REPORTS)]

    def records(self):
        """The lines of messages, as dicts."""
        with self._reading, open(self.log_file, "rb") as log:
            log.seek(self._read)
            new = log.read().rpartition(b"\n")[0]
            self._read += len(new) + 1 if new else 0
            self._records += filter(None, map(_read_line, new.decode("utf-8", "replace").splitlines()))
            return list(self._records)

    def wait_for_line(self, words, seconds=30):
        """Until a line with words has been logged: the log's thread writes it after what it is about."""
        processes.wait_until(lambda: words in self._log_text(), seconds, f"a log line with {words}")

    def wait_for_record(self, seconds=30, **wanted):
        """The first message line with these values."""
        def find():
            for record in self.records():
                if all(record.get(key) == value for key, value in wanted.items()):
                    return record
            return None
        return processes.wait_until(find, seconds, f"a log line with {wanted}")

    def memory(self):
        """Resident set in KiB."""
        status = Path(f"/proc/{self.process.pid}/status").read_text()
        return int(status.split("VmRSS:")[1].split()[0])

    def tool(self, *arguments, **options):
        """Runs `spfrom` with this configuration."""
        return subprocess.run([paths.TOOL, "-c", self.configuration_file, *map(str, arguments)],
                              capture_output=True, text=True, **options)
