"""A Prometheus of our own, unpacked from Debian's package and never installed: it scrapes and answers on loopback."""

import functools
import json
import subprocess
import urllib.error
import urllib.parse
import urllib.request

from lab import paths
from lab import processes
from lab import unpacked_package


@functools.cache
def _programs():
    return unpacked_package.unpack("prometheus", paths.UNPACKED) / "usr/bin"


def why_not():
    """Why Prometheus cannot run here, or None."""
    try:
        _programs()
    except unpacked_package.UnpackError as error:
        return str(error)
    return None


def promtool(*arguments, stdin=None):
    """Runs promtool. Returns (exit status, all its words)."""
    result = subprocess.run([_programs() / "promtool", *map(str, arguments)], input=stdin, text=True,
                            stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    return result.returncode, result.stdout


class QueryError(Exception):
    pass


class PrivatePrometheus(processes.Service):
    def __init__(self, directory, configuration):
        """configuration is a file; its relative names are read from its directory."""
        self._directory = directory
        self._configuration = configuration
        self.port = processes.free_port()

    def start(self):
        self._process = processes.start(
            [_programs() / "prometheus", "--config.file", self._configuration,
             "--storage.tsdb.path", self._directory / "tsdb", "--web.listen-address", f"127.0.0.1:{self.port}"],
            self._directory / "prometheus.log")
        processes.wait_until(self._is_ready, 60, "Prometheus", self._process)

    def _is_ready(self):
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{self.port}/-/ready", timeout=10) as answer:
                return answer.status == 200
        except OSError:
            return False

    def _get(self, path, **parameters):
        url = f"http://127.0.0.1:{self.port}/api/v1/{path}?{urllib.parse.urlencode(parameters)}"
        try:
            with urllib.request.urlopen(url, timeout=60) as answer:
                return json.load(answer)["data"]
        except urllib.error.HTTPError as error:
            raise QueryError(json.load(error)["error"]) from error

    def query(self, expression):
        """[(labels, number)] of now. QueryError where the expression does not parse."""
        return [(row["metric"], float(row["value"][1])) for row in self._get("query", query=expression)["result"]]

    def targets(self):
        return self._get("targets")["activeTargets"]

    def names(self):
        """Of all series that it has seen."""
        return set(self._get("label/__name__/values"))

    def alerts(self):
        """The names of the alerts that it knows by its rules."""
        return {rule["name"] for group in self._get("rules", type="alert")["groups"] for rule in group["rules"]}
