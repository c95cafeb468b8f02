"""The MTA's side of the milter protocol, version 6, for what Postfix can't be made to send.

A client goes through the steps of a message, keeps the edits that it is told to make, and can make them. Below that,
send() and send_raw() put anything on the wire: steps out of order, NUL bytes, lengths that lie.
"""

import socket
import struct
from dataclasses import dataclass, field

ALL_ACTIONS = 0x1FF
NO_REPLY = {"connect": 0x1000, "helo": 0x2000, "mail": 0x4000, "rcpt": 0x8000, "data": 0x10000,
            "unknown": 0x20000, "eoh": 0x40000, "body": 0x80000, "header": 0x80}
NOT_WANTED = {"connect": 0x1, "helo": 0x2, "mail": 0x4, "rcpt": 0x8, "body": 0x10, "header": 0x20,
              "eoh": 0x40, "unknown": 0x100, "data": 0x200}
LEADING_SPACE = 0x100000
POSTFIX_STEPS = sum(NO_REPLY.values()) + sum(NOT_WANTED.values()) + 0x400 + LEADING_SPACE
NO_STEPS = 0x400  # everything is sent and answered (0 would mean version 1 of the protocol)

_COMMANDS = {"connect": b"C", "helo": b"H", "mail": b"M", "rcpt": b"R", "data": b"T", "header": b"L",
             "eoh": b"N", "body": b"B", "eom": b"E", "abort": b"A", "quit": b"Q", "unknown": b"U",
             "negotiate": b"O", "macros": b"D"}
_ANSWERS = {b"c": "continue", b"a": "accept", b"d": "discard", b"r": "reject", b"t": "tempfail"}
_CHUNK = 65535
QUEUE_ID = "4fKx2n"


def _octets(text):
    return text if isinstance(text, bytes) else text.encode("utf-8", "surrogateescape")


@dataclass
class Outcome:
    """What the milter said: answer is continue, accept, discard, reject, tempfail or an SMTP reply's text."""

    answer: str
    edits: list = field(default_factory=list)

    def sender(self):
        """The new envelope sender, or None where it stays."""
        changes = [edit[1] for edit in self.edits if edit[0] == "chgfrom"]
        return changes[-1].decode().strip("<>") if changes else None

    def applied(self, fields):
        """fields, pairs of (name, value), after the edits as Postfix makes them."""
        fields = [(_octets(name), _octets(value)) for name, value in fields]
        for kind, *rest in self.edits:
            if kind == "change":
                _change(fields, *rest)
            if kind == "add":
                fields.append(tuple(rest))
            if kind == "insert":
                fields.insert(rest[0], tuple(rest[1:]))
        return fields


def _change(fields, index, name, value):
    places = [place for place, (other, _) in enumerate(fields) if other.lower() == name.lower()]
    if index > len(places):
        if value:
            fields.append((name, value))
        return
    place = places[index - 1]
    fields[place:place + 1] = [(fields[place][0], value)] if value else []


class MilterClient:
    def __init__(self, address, steps=POSTFIX_STEPS, actions=ALL_ACTIONS, timeout=20):
        """address is a path or (host, port). Connects and negotiates."""
        family = socket.AF_UNIX
        if isinstance(address, tuple):
            family = socket.AF_INET6 if ":" in address[0] else socket.AF_INET
        self._socket = socket.socket(family)
        self._socket.settimeout(timeout)
        self._socket.connect(address if isinstance(address, tuple) else str(address))
        self._input = self._socket.makefile("rb")
        self.send("negotiate", struct.pack(">III", 6, actions, steps))
        _, payload = self.receive()
        _, self.actions, self.steps = struct.unpack(">III", payload[:12])

    def __enter__(self):
        return self

    def __exit__(self, *exception):
        self.vanish()

    def vanish(self):
        """The connection ends without a word."""
        self._input.close()
        self._socket.close()

    def send_raw(self, octets):
        self._socket.sendall(octets)

    @staticmethod
    def packet(command, payload=b""):
        command = _COMMANDS.get(command, command)
        return struct.pack(">I", len(payload) + 1) + command + payload

    def send(self, command, payload=b""):
        self.send_raw(self.packet(command, payload))

    def receive(self):
        """Returns (command, payload). ConnectionError when the milter has closed."""
        header = self._input.read(4)
        if len(header) < 4:
            raise ConnectionError("the milter closed the connection")
        length, = struct.unpack(">I", header)
        octets = self._input.read(length)
        if len(octets) < length:
            raise ConnectionError("the milter closed the connection inside a reply")
        return octets[:1], octets[1:]

    def is_closed(self):
        """Whether the milter has closed its side; waits for that."""
        try:
            self.receive()
        except ConnectionError:
            return True
        except TimeoutError:
            return False
        return False

    def wants(self, step):
        return not self.steps & NOT_WANTED.get(step, 0)

    def answers(self, step):
        return not self.steps & NO_REPLY.get(step, 0)

    def _step(self, step, payload=b"", macros=None):
        """Returns None where all is well, else the Outcome that ends the message."""
        if not self.wants(step):
            return None
        if macros:
            self.macros(step, macros)
        self.send(step, payload)
        if not self.answers(step):
            return None
        outcome = self._outcome()
        return None if outcome.answer == "continue" else outcome

    def _outcome(self):
        edits = []
        while True:
            command, payload = self.receive()
            if command in _ANSWERS:
                return Outcome(_ANSWERS[command], edits)
            if command == b"y":
                return Outcome(payload.rstrip(b"\0").decode(), edits)
            if command == b"s":
                return Outcome("continue", edits)
            if command != b"p":
                edits.append(_edit(command, payload))

    def macros(self, step, values):
        words = b"".join(_octets(name) + b"\0" + _octets(value) + b"\0" for name, value in values.items())
        self.send("macros", _COMMANDS[step] + words)

    def connect(self, host="client.example", address="10.0.0.7", macros=None):
        """address None: unknown, as Sendmail says it of local submission."""
        if address is None:
            return self._step("connect", _octets(host) + b"\0U", macros)
        kind = b"6" if ":" in address else b"4"
        payload = _octets(host) + b"\0" + kind + struct.pack(">H", 2525) + address.encode() + b"\0"
        return self._step("connect", payload, macros)

    def helo(self, name="client.example"):
        return self._step("helo", _octets(name) + b"\0")

    def mail(self, sender, *parameters, macros=None):
        words = [b"<" + _octets(sender) + b">", *map(_octets, parameters)]
        return self._step("mail", b"\0".join(words) + b"\0", macros)

    def rcpt(self, recipient, *parameters, macros=None):
        words = [b"<" + _octets(recipient) + b">", *map(_octets, parameters)]
        return self._step("rcpt", b"\0".join(words) + b"\0", macros)

    def data(self):
        return self._step("data", macros={"i": QUEUE_ID})

    def header(self, name, value):
        blank = b" " if self.steps & LEADING_SPACE else b""
        return self._step("header", _octets(name) + b"\0" + blank + _octets(value) + b"\0")

    def eoh(self):
        return self._step("eoh")

    def body(self, octets):
        for start in range(0, len(octets), _CHUNK):
            outcome = self._step("body", octets[start:start + _CHUNK])
            if outcome:
                return outcome
        return None

    def eom(self):
        self.macros("eom", {"i": QUEUE_ID})
        self.send("eom")
        return self._outcome()

    def abort(self):
        self.send("abort")

    def quit(self):
        self.send("quit")
        self.vanish()

    def envelope(self, sender, parameters=(), recipients=("patient@example.net",), mail_macros=None, rcpt_macros=None):
        """MAIL, RCPT and DATA. rcpt_macros are those of every recipient, or a list with one entry for each."""
        outcome = self.mail(sender, *parameters, macros=mail_macros)
        if not isinstance(rcpt_macros, list):
            rcpt_macros = [rcpt_macros] * len(recipients)
        for recipient, macros in zip(recipients, rcpt_macros):
            outcome = outcome or self.rcpt(recipient, macros=macros)
        return outcome or self.data()

    def message(self, fields, sender="mueller@praxis-ohne.de", body=b"Guten Tag\r\n", **envelope):
        """One whole message on a connection that has said connect. Returns its Outcome."""
        outcome = self.envelope(sender, **envelope)
        for name, value in fields:
            outcome = outcome or self.header(name, value)
        return outcome or self.eoh() or self.body(body) or self.eom()


def ask(address, fields, sender="mueller@praxis-ohne.de", client="10.0.0.7", macros=None, timeout=20, **message):
    """One message on a connection of its own, from a client in a private network. Returns its Outcome."""
    with MilterClient(address, timeout=timeout) as connection:
        outcome = connection.connect(address=client) or connection.helo()
        return outcome or connection.message(fields, sender, mail_macros=macros, **message)


def _edit(command, payload):
    if command == b"e":
        return ("chgfrom", payload.split(b"\0")[0])
    if command == b"h":
        name, value = payload.split(b"\0")[:2]
        return ("add", name, value)
    if command in (b"m", b"i"):
        index, = struct.unpack(">I", payload[:4])
        name, value = payload[4:].split(b"\0")[:2]
        return ("change" if command == b"m" else "insert", index, name, value)
    return (command.decode(), payload)
