"""An SMTP server that takes no recipient: what Postfix hands it comes back as Postfix's own bounce."""

import contextlib
import socketserver
import threading


class _Session(socketserver.StreamRequestHandler):
    def handle(self):
        self.wfile.write(b"220 refusing\r\n")
        for line in self.rfile:
            verb = line[:4].upper()
            if verb == b"MAIL":
                self.server.senders.append(line.decode().split("<", 1)[1].split(">")[0])
            answers = {b"RCPT": b"550 5.1.1 nobody of that name\r\n", b"QUIT": b"221 bye\r\n"}
            self.wfile.write(answers.get(verb, b"250 ok\r\n"))
            if verb == b"QUIT":
                return


class _Server(socketserver.ThreadingTCPServer):
    daemon_threads = True

    def __init__(self):
        super().__init__(("127.0.0.1", 0), _Session)
        self.senders = []  # of MAIL FROM, in their order


@contextlib.contextmanager
def refusing_server():
    """Yields the server: its port, and the envelope senders that it has seen."""
    with _Server() as server:
        server.port = server.server_address[1]
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        try:
            yield server
        finally:
            server.shutdown()
            thread.join()
