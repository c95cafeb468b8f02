"""A private MTA, Postfix or Sendmail, with milters in an order, and its sink. A milter has a name and, in Sendmail's
words, a socket (its attribute milter)."""

import itertools

from lab import clients
from lab import private_postfix
from lab import private_sendmail
from lab.private_postfix import PrivatePostfix
from lab.private_sendmail import PrivateSendmail
from lab.sink import Sink

_numbers = itertools.count()


def _postfix_words(socket):
    """inet:PORT@HOST as Postfix wants it; unix: is the same in both."""
    kind, _, rest = socket.partition(":")
    port, at, host = rest.partition("@")
    return f"inet:{host}:{port}" if at else f"{kind}:{rest}"


def _postfix(directory, sink_port, milters):
    sockets = ", ".join(_postfix_words(milter.milter) for milter in milters)
    return PrivatePostfix(directory, sink_port, smtpd_milters=sockets, non_smtpd_milters=sockets)


def _sendmail(directory, sink_port, milters):
    return PrivateSendmail(directory, sink_port, [(milter.name, milter.milter) for milter in milters])


MTAS = {"postfix": (private_postfix, _postfix), "sendmail": (private_sendmail, _sendmail)}


def why_not(mta):
    """Why this MTA cannot run here, or None."""
    return MTAS[mta][0].why_not()


def for_sendmail(daemon):
    """A Spfrom that started, as a milter of a chain. Sendmail trusts no socket that anyone may replace."""
    daemon.name = "spfrom"
    daemon.directory.chmod(0o1777)
    return daemon


class MtaChain:
    def __init__(self, mta, directory, milters):
        self.sink = Sink()
        self._mta = MTAS[mta][1](directory, self.sink.port, milters)

    def __enter__(self):
        self.sink.__enter__()
        self._mta.start()
        return self

    def __exit__(self, *exception):
        self._mta.stop()
        self.sink.__exit__()

    def send(self, sender, data):
        """Returns the delivery."""
        recipient = f"m{next(_numbers)}@example.net"
        clients.send_smtp(self._mta, sender, recipient, data)
        return self.sink.take(recipient)
