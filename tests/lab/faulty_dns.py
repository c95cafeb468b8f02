"""A DNS server that misbehaves on demand: what nsd can't be made to do.

    with FaultyDns({"slow.example": Silence(), "gone.example": Failure()}) as dns: ...

What it has no behaviour for does not exist. It counts the questions that it gets.
"""

import collections
import contextlib
import socket
import socketserver
import struct
import threading
import time
from dataclasses import dataclass, field

_NOERROR, _SERVFAIL, _NXDOMAIN = 0, 2, 3
_SOA, _TXT = 6, 16
_TYPES = {1: "A", 2: "NS", 5: "CNAME", 6: "SOA", 12: "PTR", 15: "MX", 16: "TXT", 28: "AAAA", 99: "SPF"}


@dataclass
class Silence:
    """No answer, ever."""


@dataclass
class Failure:
    """SERVFAIL, the first count times (None: always), then what `after` says."""

    count: int = None
    after: object = None


@dataclass
class Txt:
    """TXT records, after a delay of seconds; longer ones only by TCP, the UDP answer is truncated."""

    texts: list = field(default_factory=list)
    ttl: int = 60
    delay: float = 0


@dataclass
class Held(Txt):
    """The same, once the gate is open."""

    gate: threading.Event = field(default_factory=threading.Event)


@dataclass
class Garbage:
    """Octets that are no answer, after the right id."""

    octets: bytes = b"\xff" * 40


def _read_question(octets):
    """Returns (id, name, type, question section) of a query."""
    labels, position = [], 12
    while octets[position]:
        length = octets[position]
        labels.append(octets[position + 1:position + 1 + length].decode("latin-1").lower())
        position += length + 1
    kind, = struct.unpack(">H", octets[position + 1:position + 3])
    return octets[:2], ".".join(labels), _TYPES.get(kind, str(kind)), octets[12:position + 5]


def _txt_data(text):
    octets = text.encode("latin-1")
    strings = [octets[start:start + 255] for start in range(0, len(octets), 255)] or [b""]
    return b"".join(bytes([len(string)]) + string for string in strings)


def _answer(identity, question, code, records=(), authority=(), truncated=False):
    flags = 0x8580 | code | (0x0200 if truncated else 0)
    header = identity + struct.pack(">HHHHH", flags, 1, len(records), len(authority), 0)
    return header + question + b"".join([*records, *authority])


def _negative(identity, question, code, ttl):
    """libunbound takes the word of a server that there is nothing only with the SOA of the zone, here the root."""
    data = b"\0\0" + struct.pack(">IIIII", 1, 3600, 600, 86400, ttl)
    soa = b"\0" + struct.pack(">HHIH", _SOA, 1, ttl, len(data)) + data
    return _answer(identity, question, code, authority=[soa])


class LossyWay:
    """The way to a server of 127.0.0.1, by UDP, that loses the first packet of each question."""

    def __init__(self, port):
        self._upstream = ("127.0.0.1", port)
        self._asked = collections.Counter()
        self._udp = _UdpServer(("127.0.0.1", 0), _UdpQuestion)
        self._udp.dns = self

    @property
    def server(self):
        return f"127.0.0.1@{self._udp.server_address[1]}"

    def __enter__(self):
        threading.Thread(target=self._udp.serve_forever, args=(0.05,), daemon=True).start()
        return self

    def __exit__(self, *exception):
        self._udp.shutdown()
        self._udp.server_close()

    def answer(self, query, limit):
        _, name, kind, _ = _read_question(query)
        self._asked[name, kind] += 1
        if self._asked[name, kind] == 1:
            return None
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as way:
            way.settimeout(5)
            way.sendto(query, self._upstream)
            return way.recv(65535)


class FaultyDns:
    def __init__(self, behaviours, otherwise=None, lost=0):
        """behaviours: name → behaviour. otherwise answers for every other name. Of each question the first packets get
        lost, as many as `lost` says."""
        self.behaviours = behaviours
        self.otherwise = otherwise
        self._lost = lost
        self._lock = threading.Lock()  # guards what follows
        self.questions = collections.Counter()
        self.first_asked = {}  # name → monotonic time
        self._tcp, self._udp = _servers_on_one_port()
        self.port = self._tcp.server_address[1]
        self._tcp.dns = self._udp.dns = self

    @property
    def server(self):
        return f"127.0.0.1@{self.port}"

    def __enter__(self):
        for server in (self._tcp, self._udp):
            threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True).start()
        return self

    def __exit__(self, *exception):
        for server in (self._tcp, self._udp):
            server.shutdown()
            server.server_close()

    def count(self, name, kind="TXT"):
        with self._lock:
            return self.questions[name, kind]

    def _behaviour(self, name, kind):
        with self._lock:
            self.questions[name, kind] += 1
            self.first_asked.setdefault(name, time.monotonic())
            asked = self.questions[name, kind]
        if asked <= self._lost:
            return Silence()
        behaviour = self.behaviours.get(name, self.otherwise)
        if isinstance(behaviour, Failure) and behaviour.count is not None and asked > behaviour.count:
            return behaviour.after
        return behaviour

    def answer(self, query, limit):
        """The octets to send back, at most limit of them; None for silence."""
        identity, name, kind, question = _read_question(query)
        behaviour = self._behaviour(name, kind)
        if isinstance(behaviour, Silence):
            return None
        if isinstance(behaviour, Failure):
            return _answer(identity, question, _SERVFAIL)
        if isinstance(behaviour, Garbage):
            return identity + behaviour.octets
        if not isinstance(behaviour, Txt):
            return _negative(identity, question, _NXDOMAIN, Txt.ttl)
        return self._txt_answer(behaviour, identity, question, kind, limit)

    @staticmethod
    def _txt_answer(behaviour, identity, question, kind, limit):
        time.sleep(behaviour.delay)
        if isinstance(behaviour, Held):
            behaviour.gate.wait()
        records = []
        for text in behaviour.texts if kind == "TXT" else []:
            data = _txt_data(text)
            records.append(struct.pack(">HHHIH", 0xC00C, _TXT, 1, behaviour.ttl, len(data)) + data)
        if not records:
            return _negative(identity, question, _NOERROR, behaviour.ttl)
        whole = _answer(identity, question, _NOERROR, records)
        return whole if len(whole) <= limit else _answer(identity, question, _NOERROR, truncated=True)


class _UdpServer(socketserver.ThreadingUDPServer):
    daemon_threads = True


class _TcpServer(socketserver.ThreadingTCPServer):
    daemon_threads = True


def _servers_on_one_port(attempts=20):
    """A port that is free for TCP may be taken for UDP."""
    for _ in range(attempts):
        tcp = _TcpServer(("127.0.0.1", 0), _TcpQuestion)
        try:
            return tcp, _UdpServer(tcp.server_address, _UdpQuestion)
        except OSError:
            tcp.server_close()
    raise RuntimeError("no port is free for both TCP and UDP")


class _UdpQuestion(socketserver.BaseRequestHandler):
    def handle(self):
        query, connection = self.request
        reply = self.server.dns.answer(query, 512)
        if reply is not None:
            with contextlib.suppress(OSError):  # the server is gone
                connection.sendto(reply, self.client_address)


class _TcpQuestion(socketserver.StreamRequestHandler):
    def handle(self):
        with contextlib.suppress(ConnectionError):
            while len(header := self.rfile.read(2)) == 2:
                reply = self.server.dns.answer(self.rfile.read(struct.unpack(">H", header)[0]), 65535)
                if reply is not None:
                    self.wfile.write(struct.pack(">H", len(reply)) + reply)
