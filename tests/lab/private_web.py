"""`spfrom web` under test."""

import itertools
import re
import urllib.error
import urllib.request

from lab import paths
from lab import processes


class Answer:
    def __init__(self, response):
        self.status = response.status
        self.headers = response.headers
        self.body = response.read()

    @property
    def text(self):
        return self.body.decode()


class _NoRedirect(urllib.request.HTTPRedirectHandler):
    def redirect_request(self, *arguments):
        return None


_numbers = itertools.count()
_opener = urllib.request.build_opener(_NoRedirect)


class PrivateWeb(processes.Service):
    """The pages of the daemon daemon (a Spfrom, which may not run), on a free port. before is a command that runs another."""

    def __init__(self, daemon, *arguments, environment=None, before=()):
        self.daemon = daemon
        self._arguments = arguments
        self._environment = environment
        self._before = before
        self._log = daemon.directory / f"web-{next(_numbers)}.log"
        self.url = None
        self.last_status = None

    def start(self):
        self._process = processes.start(
            [*self._before, paths.TOOL, "-c", self.daemon.configuration_file, "web", "--listen", "127.0.0.1:0", *self._arguments],
            self._log, self._environment)
        self.url = processes.wait_until(self._announced, 20, "spfrom web", self._process)

    def _announced(self):
        found = re.search(r"^spfrom web: (http://\S+/)$", self.log(), re.MULTILINE)
        return found and found.group(1)

    def stop(self):
        if self._process is not None:
            self.last_status = processes.stop(self._process)
            self._process = None

    @property
    def port(self):
        return int(self.url.rsplit(":", 1)[1].rstrip("/"))

    @property
    def process(self):
        return self._process

    def log(self):
        return self._log.read_text(errors="replace") if self._log.exists() else ""

    def get(self, target="/", method="GET", timeout=60, **headers):
        """Asks for target as it stands; underscores in names of headers are hyphens."""
        request = urllib.request.Request(self.url.rstrip("/") + target, method=method,
                                         headers={name.replace("_", "-"): value for name, value in headers.items()})
        try:
            with _opener.open(request, timeout=timeout) as response:
                return Answer(response)
        except urllib.error.HTTPError as error:
            with error:
                return Answer(error)
