#!/usr/bin/python3
"""Sends messages to a milter as fast as it takes them, over the milter protocol, without an MTA.

    tests/bench/milter_load.py SOCKET [MESSAGES [CONNECTIONS]]

SOCKET is a path or HOST:PORT. Every second author authorises the relay where the milter uses the tests' zone file.
"""

import sys
import threading
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))
from lab.milter_client import QUEUE_ID, MilterClient  # noqa: E402

AUTHORS = ("mueller@praxis-mueller.de", "ohne@praxis-ohne.de")
PER_CONNECTION = 10
_FIELDS = [("To", "Patient <patient@example.net>"), ("Subject", "Ihr Termin"), ("MIME-Version", "1.0"),
           ("Content-Type", "text/plain; charset=utf-8"), ("Content-Transfer-Encoding", "8bit"),
           ("Date", "Mon, 02 Mar 2026 09:00:00 +0100"), ("Message-ID", "<42@praxis.example>"),
           ("Received", "from a by b;\n\tMon, 02 Mar 2026 09:00:00 +0100"), ("X-Mailer", "Praxis 1.0"),
           ("List-Unsubscribe", "<https://praxis.example/u>"), ("Precedence", "bulk")]


class _Recorder(MilterClient):
    """Collects the octets of a message up to its end, so that they go out in one piece."""

    def record(self, author):
        self.recorded = []
        self.send_raw = self.recorded.append
        self.envelope(author)
        for name, value in [("From", f"Praxis <{author}>")] + _FIELDS:
            self.header(name, value)
        self.eoh() or self.body(b"x" * 2000)
        self.macros("eom", {"i": QUEUE_ID})
        self.send("eom")
        del self.send_raw
        return b"".join(self.recorded)


def script(address, author):
    """One message as octets, and how many of its steps are answered."""
    with _Recorder(address) as client:
        answered = []
        client._outcome = lambda: answered.append(1) or _Continue
        octets = client.record(author)
        return octets, len(answered)


class _Continue:
    answer = "continue"


def _run(address, scripts, connections, count):
    """count() says whether one more connection is wanted."""
    while count():
        with MilterClient(address) as client:
            client.connect()
            for number in range(PER_CONNECTION):
                octets, answered = scripts[number % len(scripts)]
                client.send_raw(octets)
                for _ in range(answered):
                    client._outcome()
                outcome = client._outcome()
                if outcome.answer not in ("continue", "accept"):
                    raise RuntimeError(f"the milter answered {outcome.answer}")
            client.quit()


def load(address, messages, connections=8):
    """Returns messages per second."""
    scripts = [script(address, author) for author in AUTHORS]
    left = [messages // PER_CONNECTION]
    lock = threading.Lock()  # guards left
    troubles = []

    def count():
        with lock:
            left[0] -= 1
            return left[0] >= 0 and not troubles

    def work():
        try:
            _run(address, scripts, connections, count)
        except Exception as error:  # a thread's exception would be lost
            troubles.append(error)
    threads = [threading.Thread(target=work) for _ in range(connections)]
    begin = time.monotonic()
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    if troubles:
        raise troubles[0]
    return messages / (time.monotonic() - begin)


def main():
    if len(sys.argv) not in (2, 3, 4):
        sys.exit(__doc__)
    host, _, port = sys.argv[1].rpartition(":")
    address = (host, int(port)) if port.isdigit() else sys.argv[1]
    numbers = [int(word) for word in sys.argv[2:]]
    print(f"{load(address, *(numbers or [10000])):.0f} messages/s")


if __name__ == "__main__":
    main()
