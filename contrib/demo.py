#!/usr/bin/python3
"""The part of contrib/demo that sends and shows. It stands on the helpers of the integration tests."""

import contextlib
import difflib
import email.utils
import re
import signal
import sys
import time
from dataclasses import dataclass
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "tests"))

from lab import arrived  # noqa: E402
from lab import clients  # noqa: E402
from lab import private_postfix  # noqa: E402
from lab import processes  # noqa: E402
from lab.processes import PrivateDirectory  # noqa: E402
from lab.refusing import refusing_server  # noqa: E402
from lab.sink import Sink  # noqa: E402
from lab.spfrom import Spfrom  # noqa: E402
from lab.zone import FALLBACK, RECORDS, RELAY, ZONE_FILE  # noqa: E402

LOG_ONLY_DOMAIN = "praxis-versuch.de"
RETURN_DOMAIN = "praxis-zurueck.de"
SECTION = (f'domain "{LOG_ONLY_DOMAIN}" {{ mode = log-only }}\n'
           f'domain "{RETURN_DOMAIN}" {{ return_address = "bounce+%t@lemniscus.de" }}\n')
REFUSING_DOMAIN = "refusing.example"
LOG_KEYS = ("action", "domain", "spf", "mechanism")
CONTEXT = ("from", "reply-to")  # shown where they stay, too
KEPT, REWRITTEN = "kept, byte for byte", "rewritten"


@dataclass
class Mail:
    title: str
    sender: str         # envelope
    fields: tuple       # what the header holds besides To:, Subject:, Date: and Message-ID:
    outcome: str
    xclient: dict = None
    port: str = "smtp"


MUELLER = "mueller@praxis-mueller.de"
OHNE = "kontakt@praxis-ohne.de"

MAILS = [
    Mail("The author's domain authorises our relay", MUELLER, (f"From: Praxis Mueller <{MUELLER}>",), KEPT),
    Mail("The author's domain has no SPF record", OHNE, (f"From: Praxis Ohne <{OHNE}>",), REWRITTEN),
    Mail("A user of gmx.de, who can't publish a record", "anna.schmidt@gmx.de",
         ("From: Anna Schmidt <anna.schmidt@gmx.de>",), REWRITTEN),
    Mail("A name with umlauts, as gmail.com sends it", "joerg.muessig@gmail.com",
         ("From: =?utf-8?q?Praxis_f=C3=BCr_Psychotherapie_J=C3=B6rg_M=C3=BC=C3=9Fig?=\n <joerg.muessig@gmail.com>",),
         REWRITTEN),
    Mail("The author has set Reply-To, so it stays", OHNE,
         (f"From: Praxis Ohne <{OHNE}>", "Reply-To: Empfang <empfang@praxis-mueller.de>"), REWRITTEN),
    Mail("The null sender, as in an automatic reply, stays null", "", (f"From: Praxis Ohne <{OHNE}>",), REWRITTEN),
    Mail("A bounce address of ours stays the envelope sender", "bounce+42@lemniscus.de",
         (f"From: Praxis Ohne <{OHNE}>",), REWRITTEN),
    Mail("An envelope that is authorised, but not aligned with the new author", "liste@versand.example",
         (f"From: Praxis Ohne <{OHNE}>",), REWRITTEN),
    Mail("The author is authorised, the envelope is not: only that changes", "praxis@gmx.de",
         (f"From: Praxis Mueller <{MUELLER}>",), REWRITTEN),
    Mail("An author without a domain counts as not authorised", MUELLER, ("From: Praxis Mueller",), REWRITTEN,
         xclient=clients.AUTHENTICATED, port="submission"),
    Mail("A domain in log-only: the log tells what would be done", f"info@{LOG_ONLY_DOMAIN}",
         (f"From: Praxis Versuch <info@{LOG_ONLY_DOMAIN}>",), KEPT),
    Mail("Inbound, from a stranger's host: not ours to touch", "jemand@gmx.de", ("From: Jemand <jemand@gmx.de>",), KEPT,
         xclient=clients.OUTSIDE, port="submission"),
]


class Screen:
    """Colours on a terminal, plain text elsewhere."""

    def __init__(self):
        self._codes = {"bold": "1", "dim": "2", "red": "31", "green": "32"} if sys.stdout.isatty() else {}

    def line(self, text="", style=None):
        code = self._codes.get(style)
        print(f"\033[{code}m{text}\033[0m" if code else text, flush=True)

    def field(self, sign, raw, style):
        """One header field, below it what a reader sees where the field is encoded."""
        text = raw.decode("utf-8", "replace")
        for number, part in enumerate(text.split("\r\n")):
            self.line(f"    {sign if number == 0 else ' '} {part.expandtabs(4)}", style)
        if "=?" in text:
            self.line(f"        reads: {_readable(text)}", "dim")


def _readable(text):
    return arrived.decoded(re.sub(r"\s+", " ", text.partition(":")[2]).strip())


def octets(mail, number):
    lines = (*mail.fields, "To: Patientin <patientin@example.net>", "Subject: Ihr Termin",
             f"Date: {email.utils.formatdate(localtime=True)}", f"Message-ID: <demo.{number}@praxis.example>")
    return ("\n".join(lines) + "\n\nGuten Tag, bis Montag!\n").replace("\n", "\r\n").encode()


def _records(mail):
    """What the domains of author and envelope publish, a line each."""
    addresses = (mail.fields[0].partition("<")[2].rstrip(">"), mail.sender)
    domains = dict.fromkeys(address.partition("@")[2] for address in addresses)  # each once, in this order
    for domain in filter(None, domains):
        found = re.search(rf'^{re.escape(domain)}\. +TXT +("v=spf1[^"]*")', RECORDS, re.MULTILINE)
        yield f"{domain} publishes {found.group(1) if found else 'no SPF record'}"


def _show_envelope(screen, sender, arrived_sender):
    if arrived_sender == sender:
        screen.line(f"      MAIL FROM:<{sender}>")
        return
    screen.line(f"    - MAIL FROM:<{sender}>", "red")
    screen.line(f"    + MAIL FROM:<{arrived_sender}>", "green")


def _show_header(screen, sent, delivered):
    before, after = arrived.split(sent)[0], arrived.split(arrived.without_transit(delivered))[0]
    for kind, a, b, c, d in difflib.SequenceMatcher(None, before, after, False).get_opcodes():
        for name, raw in before[a:b]:
            if kind != "equal":
                screen.field("-", raw, "red")
            elif name in CONTEXT:
                screen.field(" ", raw, None)
        for _, raw in after[c:d] if kind != "equal" else ():
            screen.field("+", raw, "green")


def _log_line(daemon, delivery):
    record = daemon.wait_for_record(id=arrived.queue_id(delivery.data))
    return " ".join(f"{key}={record[key]}" for key in LOG_KEYS if key in record)


def _outcome(sent, delivery, sender):
    same = arrived.without_transit(delivery.data) == sent and delivery.sender == sender
    return KEPT if same else REWRITTEN


def show(screen, number, mail, route):
    """Sends one mail and shows what arrived. Returns the outcome."""
    postfix, sink, daemon, _ = route
    sent, recipient = octets(mail, number), f"patientin{number}@example.net"
    clients.send_smtp(postfix, mail.sender, recipient, sent, xclient=mail.xclient, port=mail.port)
    delivery = sink.take(recipient)
    outcome = _outcome(sent, delivery, mail.sender)
    screen.line()
    screen.line(f"{number:2}  {mail.title}", "bold")
    for text in _records(mail):
        screen.line(f"    {text}", "dim")
    _show_envelope(screen, mail.sender, delivery.sender)
    _show_header(screen, sent, delivery.data)
    screen.line(f"    = {outcome}" + ("" if outcome == mail.outcome else f", but it should have been {mail.outcome}"),
                "bold")
    screen.line(f"    log: {_log_line(daemon, delivery)}", "dim")
    return outcome


def _show_return(screen, number, route):
    """A message that the next host refuses, and the bounce that comes of it. Returns whether it found its author."""
    postfix, sink, _, refusing = route
    author, recipient = f"rechnung@{RETURN_DOMAIN}", f"patientin{number}@{REFUSING_DOMAIN}"
    mail = Mail("The next host refuses a message: its bounce finds the author", author, (f"From: Praxis <{author}>",), REWRITTEN)
    clients.send_smtp(postfix, author, recipient, octets(mail, number))
    bounce = sink.take(author)
    is_found = bounce.sender == "" and b"multipart/report" in bounce.data
    screen.line()
    screen.line(f"{number:2}  {mail.title}", "bold")
    screen.line(f"    return_address = bounce+%t@lemniscus.de for {RETURN_DOMAIN}", "dim")
    screen.line(f"    it left as MAIL FROM:<{refusing.senders[-1]}>, and was refused with 550")
    screen.line(f"    its bounce arrived as MAIL FROM:<{bounce.sender}> RCPT TO:<{bounce.addresses()[0]}>")
    screen.line("    = it found its author" if is_found else "    = it should have found its author", "bold")
    return is_found


def _show_all(screen, route):
    """Returns whether every mail became what it should."""
    screen.line()
    screen.line(f"Our relay is {RELAY}, the fallback address {FALLBACK}, DNS a zone file.")
    screen.line(f"Each mail goes through a private Postfix (port {route[0].port()}) with the milter, and is")
    screen.line('shown as the next host received it: "-" is what was sent, "+" what arrived.')
    outcomes = [show(screen, number, mail, route) for number, mail in enumerate(MAILS, 1)]
    wrong = sum(outcome != mail.outcome for outcome, mail in zip(outcomes, MAILS))
    is_found = _show_return(screen, len(MAILS) + 1, route)
    screen.line()
    screen.line(f"{len(MAILS)} mails: {outcomes.count(KEPT)} kept, {outcomes.count(REWRITTEN)} rewritten, "
                f"{wrong or 'none'} otherwise than it should be.", "bold")
    return wrong == 0 and is_found


def _keep(screen, route):
    postfix, sink, daemon, _ = route
    port, shown = postfix.port(), len(sink.deliveries())
    screen.line()
    screen.line(f"Postfix takes mail on 127.0.0.1 port {port}, for example:")
    screen.line(f"  swaks --server 127.0.0.1:{port} --from you@gmx.de --to somebody@example.net")
    screen.line(f"What arrives is shown here. Logs: {daemon.log_file} and {postfix.log_file}. Ctrl-C ends it.")
    while True:
        sink.wait_for_count(shown + 1, 3600)
        for delivery in sink.deliveries()[shown:]:
            shown += 1
            screen.line()
            screen.line(f"    MAIL FROM:<{delivery.sender}>", "bold")
            for _, raw in arrived.split(delivery.data)[0]:
                screen.field(" ", raw, None)


@contextlib.contextmanager
def _route(directory):
    """(Postfix, sink, daemon, refusing server), running. The daemon is asked to stop first: libmilter takes seconds to notice."""
    port = processes.free_port()
    daemon = Spfrom(directory / "spfrom", ZONE_FILE, extra=SECTION, return_socket=f"inet:{port}@127.0.0.1")
    with daemon, Sink() as sink, refusing_server() as refusing, private_postfix.PrivatePostfix(
            directory / "postfix", sink.port, daemon.milter,
            virtual_alias_maps=f"socketmap:inet:127.0.0.1:{port}:return",
            transport_maps=f"inline:{{{REFUSING_DOMAIN}=smtp:[127.0.0.1]:{refusing.port}}}") as postfix:
        yield postfix, sink, daemon, refusing
        daemon.process.send_signal(signal.SIGTERM)


def main():
    screen = Screen()
    reason = private_postfix.why_not()
    if reason:
        sys.exit(f"contrib/demo: {reason}")
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(128 + signal.SIGTERM))
    begin = time.monotonic()
    with PrivateDirectory("demo") as directory:
        with contextlib.suppress(KeyboardInterrupt), _route(directory) as route:
            all_right = _show_all(screen, route)
            screen.line(f"That took {time.monotonic() - begin:.1f} s.", "dim")
            if "--keep" in sys.argv:
                _keep(screen, route)
    screen.line("Everything is stopped and removed."
                + ("" if "--keep" in sys.argv else " contrib/demo --keep stays, and takes your mail."))
    return 0 if all_right else 1


if __name__ == "__main__":
    sys.exit(main())
