"""The other side of the control socket: JSON lines, and octets that are none."""

import json
import socket


class ControlClient:
    def __init__(self, path, timeout=30):
        self._socket = socket.socket(socket.AF_UNIX)
        self._socket.settimeout(timeout)
        self._socket.connect(str(path))
        self._input = self._socket.makefile("rb")

    def __enter__(self):
        return self

    def __exit__(self, *exception):
        self.close()

    def close(self):
        self._input.close()
        self._socket.close()

    def send(self, octets):
        self._socket.sendall(octets)

    def end(self):
        """Nothing more will be sent."""
        self._socket.shutdown(socket.SHUT_WR)

    def receive(self):
        """The next answer; None where the daemon has closed."""
        try:
            line = self._input.readline()
        except ConnectionError:
            return None
        return json.loads(line) if line else None

    def ask(self, command, **members):
        self.send(json.dumps({"command": command, **members}).encode() + b"\n")
        return self.receive()


def ask_control(daemon, command, **members):
    """One command on a connection of its own."""
    with ControlClient(daemon.control_socket) as client:
        return client.ask(command, **members)
