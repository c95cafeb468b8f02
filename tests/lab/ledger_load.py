"""Messages of many domains over the milter protocol, as fast as they are taken, each answer counted."""

import sys
import threading
import time

from lab import paths

sys.path.insert(0, str(paths.SRCDIR / "tests" / "bench"))
from lab.milter_client import MilterClient  # noqa: E402
from milter_load import script  # noqa: E402

PER_CONNECTION = 20


def zone(domains):
    """Every second one of them authorises the relay."""
    return "$TTL 3600\nlemniscus.de. TXT \"v=spf1 ip4:192.0.2.25 -all\"\n" + "".join(
        f'd{number}.load.example. TXT "v=spf1 ip4:192.0.2.25 -all"\n' for number in range(0, domains, 2))


class Load:
    """count messages of domains in turn. A milter that is away is asked again until it is back."""

    def __init__(self, daemon, count, domains, connections=8):
        self.answered = 0
        self.unanswered = 0  # the connection ended before the answer came
        self._daemon = daemon
        self._count = count
        self._domains = domains
        self._scripts = [script(daemon.address, f"info@d{number}.load.example") for number in range(domains)]
        self._lock = threading.Lock()  # guards answered, unanswered and _taken
        self._taken = 0
        self._troubles = []
        self._threads = [threading.Thread(target=self._work) for _ in range(connections)]

    def _next(self):
        with self._lock:
            if self._taken >= self._count or self._troubles:
                return None
            self._taken += 1
            return self._taken - 1

    def _note(self, is_answered):
        with self._lock:
            if is_answered:
                self.answered += 1
            else:
                self.unanswered += 1

    def _send(self, client, number):
        octets, answers = self._scripts[number % self._domains]
        client.send_raw(octets)
        for _ in range(answers):
            client._outcome()
        return client._outcome()

    def _connection(self, number):
        """Sends that one and some more. Returns the one that had no answer, or None."""
        with MilterClient(self._daemon.address, timeout=60) as client:
            client.connect()
            for _ in range(PER_CONNECTION):
                try:
                    outcome = self._send(client, number)
                except OSError:
                    self._note(False)
                    return number
                if outcome.answer not in ("continue", "accept"):
                    raise RuntimeError(f"the milter answered {outcome.answer}")
                self._note(True)
                number = self._next()
                if number is None:
                    return None
            return number

    def _work(self):
        number = self._next()
        while number is not None and not self._troubles:
            try:
                number = self._connection(number)
            except (ConnectionError, FileNotFoundError):
                time.sleep(0.01)
            except Exception as error:  # a thread's exception would be lost
                self._troubles.append(error)

    def start(self):
        for thread in self._threads:
            thread.start()

    def join(self):
        for thread in self._threads:
            thread.join()
        if self._troubles:
            raise self._troubles[0]

    def run(self):
        self.start()
        self.join()
        return self
