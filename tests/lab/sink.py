"""An SMTP server that keeps what it gets: the end of every path in the tests and in the demo."""

import contextlib
import socket
import socketserver
import threading
import time

EXTENSIONS = ("PIPELINING", "SIZE 104857600", "8BITMIME", "DSN", "SMTPUTF8")
_PATIENCE = 60  # seconds for one command


class Delivery:
    """One message as it arrived. data has CRLF line ends, its dots unstuffed."""

    def __init__(self, mail, recipients, data):
        self.mail = mail              # the words of MAIL FROM: the path, then its parameters
        self.recipients = recipients  # the same of every RCPT TO
        self.data = data

    @property
    def sender(self):
        return self.mail[0].strip("<>")

    @property
    def mail_parameters(self):
        return self.mail[1:]

    def addresses(self):
        return [words[0].strip("<>") for words in self.recipients]


def _words(line):
    return line.split(":", 1)[1].strip().split(" ")


class _Session(socketserver.StreamRequestHandler):
    timeout = _PATIENCE

    def _reply(self, text):
        self.wfile.write(text.encode() + b"\r\n")

    def _read_data(self):
        lines = []
        while True:
            line = self.rfile.readline()
            if not line:
                raise ConnectionError("the client went away inside DATA")
            if line == b".\r\n":
                return b"".join(lines)
            lines.append(line[1:] if line.startswith(b".") else line)

    def _greet(self):
        lines = ["sink", *self.server.extensions]
        for line in lines[:-1]:
            self._reply(f"250-{line}")
        self._reply(f"250 {lines[-1]}")

    def _obey(self, line):
        verb = line[:4].upper()
        if verb in ("EHLO", "HELO"):
            return self._greet()
        if verb == "MAIL":
            self._mail, self._recipients = _words(line), []
        if verb == "RCPT" and _words(line)[0].strip("<>") in self.server.refused:
            return self._reply("550 5.1.1 nobody of that name is here")
        if verb == "RCPT":
            self._recipients.append(_words(line))
        if verb == "DATA":
            self._reply("354 go on")
            self.server.keep(Delivery(self._mail, self._recipients, self._read_data()))
        return self._reply("250 ok")

    def handle(self):
        with contextlib.suppress(ConnectionError, TimeoutError):
            self._reply("220 sink ESMTP")
            for line in iter(self.rfile.readline, b""):
                text = line.decode("utf-8", "surrogateescape").strip()
                if text.upper() == "QUIT":
                    return self._reply("221 bye")
                self._obey(text)


class _Server(socketserver.ThreadingTCPServer):
    daemon_threads = True
    request_queue_size = 128

    def get_request(self):
        connection, address = super().get_request()
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        return connection, address


class Sink:
    def __init__(self, extensions=EXTENSIONS, refused=()):
        """refused: addresses for which RCPT is answered with 550."""
        self._arrived = threading.Condition()  # guards _deliveries
        self._deliveries = []
        self._server = _Server(("127.0.0.1", 0), _Session)
        self._server.extensions = extensions
        self._server.refused = refused
        self._server.keep = self._keep
        self.port = self._server.server_address[1]

    def _keep(self, delivery):
        with self._arrived:
            self._deliveries.append(delivery)
            self._arrived.notify_all()

    def __enter__(self):
        threading.Thread(target=self._server.serve_forever, args=(0.05,), daemon=True).start()
        return self

    def __exit__(self, *exception):
        self._server.shutdown()
        self._server.server_close()

    def refuse(self, *addresses):
        """In the place of those that are refused now."""
        self._server.refused = addresses

    def deliveries(self):
        with self._arrived:
            return list(self._deliveries)

    def to(self, recipient):
        return [delivery for delivery in self.deliveries() if recipient in delivery.addresses()]

    def take(self, recipient, seconds=20):
        """Waits for the one delivery to recipient."""
        deadline = time.monotonic() + seconds
        with self._arrived:
            while True:
                found = [delivery for delivery in self._deliveries if recipient in delivery.addresses()]
                if found:
                    return found[-1]
                if not self._arrived.wait(deadline - time.monotonic()):
                    raise TimeoutError(f"nothing arrived for {recipient} within {seconds} s")

    def wait_for_count(self, count, seconds):
        """Waits until count messages are here. Returns how many there are in the end."""
        deadline = time.monotonic() + seconds
        with self._arrived:
            while len(self._deliveries) < count:
                if not self._arrived.wait(deadline - time.monotonic()):
                    break
            return len(self._deliveries)
