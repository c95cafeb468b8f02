"""What comes back to an author (design section 19): through the milter alone, Postfix and Sendmail."""

import os
import re
import shutil
import sqlite3
import subprocess
import threading
import time

import pytest

from conftest import need
from lab import clients
from lab import paths
from lab import private_postfix
from lab import private_sendmail
from lab import processes
from lab.arrived import split, value, values
from lab.metrics_read import metrics_of
from lab.milter_client import MilterClient, ask
from lab.private_postfix import PrivatePostfix
from lab.private_sendmail import PrivateSendmail
from lab.return_token import token_of
from lab.sink import Sink
from lab.spfrom import Spfrom
from lab.zone import FALLBACK, ZONE_FILE

pytestmark = pytest.mark.thread

AUTHOR = "mueller@praxis-ohne.de"
STRANGER = "patient@strict.example"
OUTSIDE = "203.0.113.7"
ZONE = ZONE_FILE + 'strict.example. TXT "v=spf1 -all"\n_dmarc.strict.example. TXT "v=DMARC1; p=reject"\n'
FIELDS = [("From", f"Praxis <{AUTHOR}>"), ("To", "patient@example.net")]
ANSWER = [("From", f"Patient <{STRANGER}>"), ("To", "x"), ("Subject", "Re: Rechnung")]


def settings_of(**more):
    return {"return_address": "bounce+%t@lemniscus.de", "fallback_address": "noreply+%t@lemniscus.de",
            "return_socket": f"inet:{processes.free_port()}@127.0.0.1"} | more


@pytest.fixture(scope="module")
def daemon(daemons):
    return daemons.start(zone=ZONE, **settings_of())


@pytest.fixture(scope="module")
def token(daemon):
    """AUTHOR's, known since a message left with it."""
    wait_for_store(daemon)
    outcome = ask(daemon.address, FIELDS)
    token = token_of(daemon, AUTHOR)
    assert outcome.sender() == f"bounce+{token}@lemniscus.de"
    return token


def last_record(daemon, **wanted):
    """The last line of the log, once it has these values: the answer comes before the line."""
    def find():
        record = daemon.records()[-1]
        return record if all(record.get(key) == value for key, value in wanted.items()) else None
    return processes.wait_until(find, 20, f"a line with {wanted}")


def wait_for_store(daemon):
    processes.wait_until(lambda: (daemon.directory / "state" / "return.db").exists(), 20, "return.db")


def applied(outcome, fields):
    """The fields after outcome, without the blank after the colon, which the milter may bring along."""
    return [(name.decode(), text.removeprefix(b" ").decode("utf-8", "replace")) for name, text in outcome.applied(fields)]


def field(outcome, fields, name):
    """The values of the fields of that name after outcome."""
    return [text for other, text in applied(outcome, fields) if other.lower() == name.lower()]


def come_back(daemon, recipients, sender, fields, client=OUTSIDE, **how):
    return ask(daemon.address, fields, sender=sender, client=client, recipients=recipients, **how)


def test_outgoing(daemon, token):
    fields = [("From", f"Praxis <{AUTHOR}>"), ("To", "patient@example.net")]
    outcome = ask(daemon.address, fields)
    assert outcome.sender() == f"bounce+{token}@lemniscus.de"
    assert field(outcome, fields, "From") == [f"Praxis <noreply+{token}@lemniscus.de>"]
    assert field(outcome, fields, "Reply-To") == [f"Praxis <{AUTHOR}>"]


KINDS = [  # sender, fields, kind
    ("", [("Content-Type", "multipart/report; boundary=x")], "bounce"),
    ("", [("Auto-Submitted", "auto-replied")], "auto-reply"),
    (STRANGER, [("Auto-Submitted", "auto-replied (vacation)")], "auto-reply"),
    (STRANGER, [("Precedence", "bulk")], "auto-reply"),
    (STRANGER, [], "reply"),
]


@pytest.mark.parametrize("hidden", ['"bounce+{}{}"', '"bounce+{}\\{}"', '"\\bounce+{}{}"'])
def test_a_quoted_recipient(daemon, token, hidden):
    """Quotes and backslashes change nothing of an address."""
    come_back(daemon, [hidden.format(token[:5], token[5:]) + "@lemniscus.de"], STRANGER, ANSWER)
    last_record(daemon, action="rewrite", token=token)


@pytest.mark.parametrize("sender, more, kind", KINDS)
@pytest.mark.parametrize("local_part", ["bounce+{}", "NOREPLY+{}"])
def test_kinds(daemon, token, sender, more, kind, local_part):
    address = local_part.format(token.upper() if "NO" in local_part else token) + "@lemniscus.de"
    fields = ANSWER + more
    before = metrics_of(daemon)
    outcome = come_back(daemon, [address], sender, fields)
    assert outcome.answer == "continue"
    assert outcome.sender() == (FALLBACK if sender else None)
    assert field(outcome, fields, "From") == [f"Patient <{FALLBACK}>"]
    assert field(outcome, fields, "Reply-To") == [f"Patient <{STRANGER}>"]
    mark = f"returned; kind={kind}; token={token}; domain=strict.example; spf=fail; relay=192.0.2.25"
    name, text = applied(outcome, fields)[0]
    assert (name, text.replace("\n ", " ")) == ("X-SPFrom", mark)
    record = last_record(daemon, action="rewrite", token=token, **{"return": kind})
    assert AUTHOR not in str(record)
    assert metrics_of(daemon)["spfrom_returned_total"][kind] == before["spfrom_returned_total"][kind] + 1


def test_authorised_stranger(daemon, token):
    """Kept but for the mark, whatever trace_header says."""
    fields = [("From", "anna@klinik-nord.de"), ("X-SPFrom", "returned; token=aaaaaaaaaaaaaaaa")]
    outcome = come_back(daemon, [f"bounce+{token}@lemniscus.de"], "anna@klinik-nord.de", fields)
    assert outcome.sender() is None
    assert applied(outcome, fields) == [("X-SPFrom", f"returned; kind=reply; token={token}"), *fields]
    last_record(daemon, action="keep", token=token)


@pytest.mark.parametrize("sender", [STRANGER, "ceo@lemniscus.de", "bounce+aaaaaaaaaaaaaaaa@lemniscus.de"])
@pytest.mark.parametrize("author", ["ceo@lemniscus.de", "noreply+aaaaaaaaaaaaaaaa@lemniscus.de"])
def test_a_stranger_with_an_address_of_ours(daemon, token, sender, author):
    """Anybody can write it: it leaves neither as From: nor as envelope sender."""
    fields = [("From", f"Chef <{author}>")]
    outcome = come_back(daemon, [f"bounce+{token}@lemniscus.de"], sender, fields)
    assert outcome.sender() == FALLBACK
    assert field(outcome, fields, "From") == [f"Chef <{FALLBACK}>"]
    assert field(outcome, fields, "Reply-To") == [f"Chef <{author}>"]
    last_record(daemon, action="rewrite", token=token, why="fallback")


def test_loop(daemon, token):
    fields = ANSWER + [("X-SPFrom", f"returned; kind=reply; token=aaaaaaaaaaaaaaaa,{token.upper()}")]
    outcome = come_back(daemon, [f"bounce+{token}@lemniscus.de"], STRANGER, fields)
    assert outcome.answer.startswith("554 5.4.6 ") and "@" not in outcome.answer
    last_record(daemon, action="reject", loop="yes")


def test_marks_survive_a_rewrite(daemon):
    """Also of what the author's own forwarding sends out again."""
    fields = FIELDS + [("X-SPFrom", "returned; token=aaaaaaaaaaaaaaaa"), ("X-SPFrom", "rewritten")]
    outcome = ask(daemon.address, fields)
    marks = field(outcome, fields, "X-SPFrom")
    assert len(marks) == 2 and marks[0].startswith("rewritten; domain=") and marks[1] == "returned; token=aaaaaaaaaaaaaaaa"


UNTOUCHED = [
    ["bounce+aaaaaaaaaaaaaaaa@lemniscus.de"],
    ["bounce+{}@lemniscus.de", "other@lemniscus.de"],
    ["other@lemniscus.de", "bounce+{}@lemniscus.de"],
    ["bounce+{}@lemniscus.de", "bounce+aaaaaaaaaaaaaaaa@lemniscus.de"],
    ["bounce+{}@other.example"],
    ["bounce@lemniscus.de"],
    ["noreply@lemniscus.de"],
]


@pytest.mark.parametrize("recipients", UNTOUCHED)
def test_inbound(daemon, token, recipients):
    outcome = come_back(daemon, [text.format(token) for text in recipients], STRANGER, ANSWER)
    assert outcome.answer == "continue" and outcome.edits == []
    last_record(daemon, action="inbound")


def test_several_recipients(daemon, token):
    """Both authors' tokens in one mark; an address given twice counts once; {rcpt_mailer} means nothing."""
    ask(daemon.address, [("From", "anna@gmx.de")], sender="anna@gmx.de")
    other = token_of(daemon, "anna@gmx.de")
    recipients = [f"bounce+{token}@lemniscus.de", f"noreply+{token}@lemniscus.de", f"bounce+{other}@lemniscus.de"]
    outcome = come_back(daemon, recipients, STRANGER, ANSWER, rcpt_macros={"{rcpt_mailer}": "error"})
    mark = re.sub(r"\n ", " ", field(outcome, ANSWER, "X-SPFrom")[0])
    assert mark.startswith(f"returned; kind=reply; token={token},{other}; domain=")
    again = ANSWER + [("X-SPFrom", mark)]
    assert come_back(daemon, [f"bounce+{other}@lemniscus.de"], STRANGER, again).answer.startswith("554 ")


def test_many_recipients(daemon, token):
    """More tokens than one field has are in several."""
    authors = [f"a{number}@gmx.de" for number in range(45)]
    with MilterClient(daemon.address) as client:
        client.connect()
        for author in authors:
            client.message([("From", author)], author)
    tokens = [token_of(daemon, author) for author in authors]
    outcome = come_back(daemon, [f"bounce+{one}@lemniscus.de" for one in tokens], STRANGER, ANSWER)
    marks = field(outcome, ANSWER, "X-SPFrom")
    assert len(marks) == 12 and all(len(line) <= 78 for mark in marks for line in mark.split("\n"))
    for one in (tokens[0], tokens[20], tokens[44]):
        looped = come_back(daemon, [f"bounce+{one}@lemniscus.de"], STRANGER, ANSWER + [("X-SPFrom", mark) for mark in marks])
        assert looped.answer.startswith("554 5.4.6 ")


def test_returned_mail_makes_no_row(daemon, token):
    """A stranger is no author of ours, whatever way the message takes."""
    come_back(daemon, [f"bounce+{token}@lemniscus.de"], STRANGER, ANSWER)
    with sqlite3.connect(daemon.directory / "state" / "return.db") as database:
        assert database.execute("SELECT count(*) FROM addresses WHERE address LIKE '%strict.example'").fetchone() == (0,)


@pytest.mark.address
def test_hostile_headers(daemon, token):
    for fields in ([], [("From", b"\xff\xfe <\x80@x>")], [("X-SPFrom", "returned; token=" + "a," * 20000)],
                   [("Auto-Submitted", "(" * 5000)], [("From", "")]):
        outcome = come_back(daemon, [f"bounce+{token}@lemniscus.de"], "", fields)
        assert outcome.answer == "continue" and outcome.sender() is None
        name, text = applied(outcome, fields)[0]
        assert name == "X-SPFrom" and text.startswith("returned; kind=bounce")


def test_a_storm_of_bounces(daemon, token, is_full_length):
    """Each is passed on and counted once, the daemon does not grow, and mail that leaves does not wait for them."""
    count, connections = (10000, 64) if is_full_length else (240, 8)
    before, memory = metrics_of(daemon)["spfrom_returned_total"]["bounce"], daemon.memory()
    answers = []

    def bounce():
        with MilterClient(daemon.address, timeout=60) as client:
            client.connect(address=OUTSIDE)
            for _ in range(count // connections):
                outcome = client.message(ANSWER, "", recipients=[f"bounce+{token}@lemniscus.de"])
                answers.append((outcome.answer, outcome.sender()))
    threads = [threading.Thread(target=bounce) for _ in range(connections)]
    for thread in threads:
        thread.start()
    assert ask(daemon.address, FIELDS).sender() == f"bounce+{token}@lemniscus.de"
    for thread in threads:
        thread.join()
    passed = count // connections * connections
    assert answers == [("continue", None)] * passed
    assert metrics_of(daemon)["spfrom_returned_total"]["bounce"] == before + passed
    is_sanitized = re.search(b"__[at]san_init", paths.MILTER.read_bytes())
    assert daemon.memory() - memory < (64 if is_sanitized else 16) * 1024


def test_a_message_of_ours_is_no_return(daemon, token):
    """From a client of the house, an address with a token is like any other recipient."""
    outcome = ask(daemon.address, FIELDS, recipients=[f"bounce+{token}@lemniscus.de"])
    assert outcome.sender() == f"bounce+{token}@lemniscus.de"
    assert "return" not in last_record(daemon, action="rewrite", author=AUTHOR)


def test_the_ledger_counts_for_the_author(daemon, token):
    come_back(daemon, [f"bounce+{token}@lemniscus.de"], "", ANSWER)

    def count(sql):
        with sqlite3.connect(daemon.directory / "state" / "ledger.db") as database:
            return database.execute(sql).fetchone()[0]
    processes.wait_until(lambda: count("SELECT ifnull(sum(messages), 0) FROM returned JOIN domains ON id = domain"
                                       " WHERE name = 'praxis-ohne.de' AND kind = 0") > 0, 20, "the ledger")
    assert count("SELECT count(*) FROM domains WHERE name = 'strict.example'") == 0


@pytest.fixture(scope="module")
def choosy(daemons):
    """Passes on bounces alone; knows AUTHOR, and keeps the null sender though its provider does not."""
    daemon = daemons.start(zone=ZONE, **settings_of(return_mail=["bounce"], null_sender="fallback", trace_header="no"))
    wait_for_store(daemon)
    ask(daemon.address, FIELDS)
    return daemon


def test_unwanted_kind(choosy):
    address = f"bounce+{token_of(choosy, AUTHOR)}@lemniscus.de"
    outcome = come_back(choosy, [address], STRANGER, ANSWER)
    assert outcome.answer.startswith("550 5.7.1 ") and "Reply-To" in outcome.answer and "@" not in outcome.answer
    last_record(choosy, action="reject")
    bounce = come_back(choosy, [address], "", ANSWER)
    assert bounce.answer == "continue" and bounce.sender() is None
    assert field(bounce, ANSWER, "X-SPFrom")[0].startswith("returned; kind=bounce")


@pytest.mark.parametrize("mode", ["log-only", "off"])
def test_other_modes(choosy, mode):
    """Nothing is touched, nothing refused."""
    address = f"bounce+{token_of(choosy, AUTHOR)}@lemniscus.de"
    try:
        assert choosy.tool("mode", mode).returncode == 0
        outcome = come_back(choosy, [address], STRANGER, ANSWER)
        assert (outcome.answer, outcome.edits) == ("continue", [])
        last_record(choosy, action="would-reject")
        outcome = come_back(choosy, [address], "", ANSWER)
        assert (outcome.answer, outcome.edits) == ("continue", [])
        last_record(choosy, action={"log-only": "would-rewrite", "off": "keep"}[mode])
    finally:
        choosy.tool("mode", "--clear")


def test_store_that_fails(daemons, directory):
    """A new author's message leaves with the plain fallback, within a second; a known author's with the token."""
    daemon = daemons.start(zone=ZONE, **settings_of())
    wait_for_store(daemon)
    ask(daemon.address, FIELDS)
    store = daemon.directory / "state" / "return.db"
    holder = sqlite3.connect(store, isolation_level=None, timeout=20)
    holder.execute("BEGIN EXCLUSIVE")
    try:
        begin = time.monotonic()
        outcome = ask(daemon.address, [("From", "new@gmx.de")], sender="new@gmx.de")
        assert time.monotonic() - begin < 10  # 1 s, and what a busy machine adds
        assert outcome.sender() == FALLBACK
        last_record(daemon, action="rewrite", **{"return": "unavailable"})
        assert ask(daemon.address, FIELDS).sender() == f"bounce+{token_of(daemon, AUTHOR)}@lemniscus.de"
    finally:
        holder.close()
    token = token_of(daemon, "later@gmx.de")
    processes.wait_until(lambda: ask(daemon.address, [("From", "later@gmx.de")], sender="later@gmx.de").sender() ==
                         f"bounce+{token}@lemniscus.de", 20, "tokens again")


def test_twice_is_once(daemon, daemons, token):
    """f(f(m)) = f(m), on a host with the same key and on one with another."""
    second = daemons.start(zone=ZONE, **settings_of())
    outcome = ask(daemon.address, FIELDS)
    fields = outcome.applied(FIELDS)
    for host in (daemon, second):
        again = ask(host.address, fields, sender=outcome.sender())
        assert (again.answer, again.edits) == ("continue", [])


WRONG_KEYS = [  # what becomes of the key of a daemon that has used it, and a word of the error
    (lambda key: key.write_bytes(bytes(31)), "is not 32 octets"),
    (lambda key: key.write_bytes(bytes(2 ** 20)), "is not 32 octets"),
    (lambda key: key.chmod(0o640), "is open to others"),
    (lambda key: key.unlink(), "is missing, but it was there before"),
    (lambda key: (key.unlink(), key.mkdir()), "is not a file"),
    (lambda key: os.chown(key, 2, 2), "belongs to another user"),
]


def test_wrong_keys(directory, needs_root):
    """Each is an error of the configuration at a start; a daemon that runs keeps the key that it has."""
    with Spfrom(directory / "keys", ZONE, **settings_of()) as daemon:
        wait_for_store(daemon)
        token = token_of(daemon, AUTHOR)
        key = daemon.directory / "state" / "return.key"
        assert key.stat().st_mode & 0o777 == 0o600 and len(key.read_bytes()) == 32
        good = key.read_bytes()
        key.unlink()
        assert daemon.tool("reload").returncode == 0
        assert ask(daemon.address, FIELDS).sender() == f"bounce+{token}@lemniscus.de"
    for spoil, word in WRONG_KEYS:
        key.write_bytes(good)
        key.chmod(0o600)
        spoil(key)
        done = subprocess.run([paths.MILTER, "-t", "-c", daemon.configuration_file], capture_output=True, text=True)
        assert done.returncode == 78 and word in done.stderr and f"{daemon.configuration_file}" in done.stderr
        (shutil.rmtree if key.is_dir() else lambda path: path.unlink(missing_ok=True))(key)


REFUSED = "unknown@example.net"
REPORT = b"""\
--b
Content-Type: text/plain; charset=us-ascii

   This is the mail system.  Caf\xe9 is closed.
--b
Content-Type: message/delivery-status

Reporting-MTA: dns; mx.strict.example
Final-Recipient: rfc822; patient@strict.example
Action: failed
Status: 5.1.1

--b--
""".replace(b"\n", b"\r\n")


class Way:
    """An MTA with the daemon before it, and the next hop, which refuses REFUSED. As the MTA's manual says, addresses with
    unknown tokens are refused at RCPT."""

    def __init__(self, directory, make_mta, port="smtp", xclient=None, has_inet=False, **settings):
        """port: where our own clients connect; xclient: what makes a client on port smtp a stranger; has_inet: the MTA
        takes no socket in a folder that anybody can write to."""
        directory.mkdir()
        self._port, self._xclient = port, xclient
        if has_inet:
            settings["socket"] = f"inet:{processes.free_port()}@127.0.0.1"
        self.daemon = Spfrom(directory / "spfrom", ZONE, **settings_of(**settings))
        self.sink = Sink(refused=(REFUSED,))
        port = re.match(r"inet:(\d+)", self.daemon.settings["return_socket"])[1]
        self.mta = make_mta(directory / "mta", self.sink.port, self.daemon, port)

    def __enter__(self):
        self.sink.__enter__()
        self.daemon.__enter__()
        self.mta.start()
        wait_for_store(self.daemon)
        self.send(AUTHOR, "patient@example.net", f"From: {AUTHOR}\nTo: patient@example.net\n\nGuten Tag\n".encode())
        assert self.sink.take("patient@example.net").sender == f"bounce+{self.token()}@lemniscus.de"
        return self

    def __exit__(self, *exception):
        self.mta.stop()
        self.daemon.__exit__(*exception)
        self.sink.__exit__()

    def send(self, sender, recipient, message):
        clients.send_smtp(self.mta, sender, recipient, re.sub(b"\r?\n", b"\r\n", message), port=self._port)

    def stranger(self):
        return clients.connection(self.mta.port(), self._xclient)

    def come_back(self, sender, recipient, message):
        with self.stranger() as smtp:
            smtp.sendmail(sender, [recipient], re.sub(b"\r?\n", b"\r\n", message))

    def token(self):
        return token_of(self.daemon, AUTHOR)


def _postfix(directory, sink_port, daemon, port):
    return PrivatePostfix(directory, sink_port, daemon.milter, virtual_alias_domains="lemniscus.de",
                          virtual_alias_maps="inline:{noreply@lemniscus.de=office@example.net}, "
                                             f"socketmap:inet:127.0.0.1:{port}:return")


def _sendmail(directory, sink_port, daemon, port):
    return PrivateSendmail(directory, sink_port, [("spfrom", daemon.milter)], extra_mc=f"""\
LOCAL_DOMAIN(`lemniscus.de')dnl
FEATURE(`virtusertable', `socket -T<TMPF> inet:{port}@127.0.0.1')dnl
""")


# Sendmail has no XCLIENT: there, who has not logged in is a stranger.
MTAS = {"postfix": (private_postfix.why_not, _postfix, {"xclient": clients.OUTSIDE}),
        "sendmail": (private_sendmail.why_not, _sendmail, {"port": "submission", "has_inet": True, "outbound": ["authenticated"]})}


@pytest.fixture(scope="module", params=MTAS)
def way(directory, request):
    why_not, make_mta, how = MTAS[request.param]
    need(why_not())
    with Way(directory / f"way-{request.param}", make_mta, **how) as way:
        yield way


def arrived(way, subject):
    """What the author got with that subject: once."""
    def found():
        return [one for one in way.sink.to(AUTHOR) if any(subject in text for text in values(one.data, "Subject"))]
    processes.wait_until(found, 30, f"{subject} for the author")
    assert len(found()) == 1
    return found()[0]


def test_next_hop_refuses(way):
    """The bounce is the MTA's own, and says what the next hop said."""
    way.send(AUTHOR, REFUSED, f"From: {AUTHOR}\nTo: {REFUSED}\nSubject: Rechnung\n\nGuten Tag\n".encode())
    bounce = arrived(way, "eturned")
    assert bounce.sender == "" and b"nobody of that name is here" in bounce.data


def test_remote_report(way):
    message = (b"From: Mail Delivery System <MAILER-DAEMON@strict.example>\nTo: x\nSubject: remote report\nMIME-Version: 1.0\n"
               b"Content-Type: multipart/report; report-type=delivery-status; boundary=b\nAuto-Submitted: auto-replied\n\n" + REPORT)
    way.come_back("", f"bounce+{way.token()}@lemniscus.de", message)
    bounce = arrived(way, "remote report")
    assert bounce.sender == "" and split(bounce.data)[1] == REPORT
    assert value(bounce.data, "From") == f"Mail Delivery System <{FALLBACK}>"
    assert value(bounce.data, "X-SPFrom").startswith(f"returned; kind=bounce; token={way.token()}; domain=strict.example; spf=fail")


@pytest.mark.parametrize("form, more, kind", [("bounce+{}", "Auto-Submitted: auto-replied\n", "auto-reply"), ("noreply+{}", "", "reply"),
                                             ("NoReply+{}", "", "reply")])
def test_answers(way, form, more, kind):
    subject = f"answer to {form[:7]} {kind}"
    token = way.token().upper() if "R" in form else way.token()
    message = f"From: Patient <{STRANGER}>\nTo: x\nSubject: {subject}\n{more}\nDanke\n"
    way.come_back(STRANGER, form.format(token) + "@lemniscus.de", message.encode())
    answer = arrived(way, subject)
    assert answer.sender == FALLBACK
    assert value(answer.data, "Reply-To") == f"Patient <{STRANGER}>"
    assert value(answer.data, "X-SPFrom").startswith(f"returned; kind={kind}; ")


PATIENT = "patient@strict.example"


def vacation(delivery, is_polite):
    """To whom a vacation program answers delivery, None: to nobody. A polite one does as RFC 3834 says; the other one answers
    all that has an envelope sender, and does not remember whom it has answered."""
    if not delivery.sender or (is_polite and values(delivery.data, "Auto-Submitted")):
        return None
    return delivery.sender


@pytest.mark.parametrize("sender", ["", PATIENT], ids=["null", "address"])
@pytest.mark.parametrize("is_polite", [True, False], ids=["polite", "rude"])
def test_two_vacation_programs(way, is_polite, sender):
    """The patient's answer arrives at the author, once; the author's answer to that, if there is any, is for the fallback."""
    subject = f"vacation {is_polite} of {sender or 'nobody'}"
    mark = "Auto-Submitted: auto-replied\n" if is_polite else ""
    way.send(AUTHOR, PATIENT, f"From: {AUTHOR}\nTo: {PATIENT}\nSubject: {subject}\n\nGuten Tag\n".encode())
    invoice = way.sink.take(PATIENT)
    assert vacation(invoice, is_polite) == f"bounce+{way.token()}@lemniscus.de"
    way.come_back(sender, vacation(invoice, is_polite),
                  f"From: {PATIENT}\nTo: {AUTHOR}\nSubject: away: {subject}\n{mark}\nI am away\n".encode())
    reply = arrived(way, f"away: {subject}")
    assert reply.sender == (FALLBACK if sender else "")
    assert vacation(reply, is_polite) == (None if is_polite or not sender else FALLBACK)


def test_a_bounce_of_50_megabytes(way, is_full_length):
    size = 50 * 2 ** 20 if is_full_length else 2 ** 20
    line = b"\xe9" + b"x" * 75 + b"\r\n"
    body = line * (size // len(line))
    way.come_back("", f"bounce+{way.token()}@lemniscus.de", b"Subject: large\r\n\r\n" + body)
    bounce = arrived(way, "large")
    assert bounce.sender == "" and split(bounce.data)[1] == body


def test_a_bounce_without_a_header(way):
    """The whole text is the body; From: is ours."""
    way.come_back("", f"bounce+{way.token()}@lemniscus.de", b"\r\nno header \xff\xfe at all\r\n")
    bounce = processes.wait_until(lambda: [one for one in way.sink.to(AUTHOR) if b"no header \xff\xfe at all" in one.data], 30,
                                  "the bounce without a header")[0]
    assert bounce.sender == "" and FALLBACK in value(bounce.data, "From")


@pytest.mark.parametrize("recipient", ["bounce+aaaaaaaaaaaaaaaa@lemniscus.de", "bounce@lemniscus.de", "noreply+x@lemniscus.de"])
def test_unknown_token_is_refused_at_rcpt(way, recipient):
    with way.stranger() as smtp:
        smtp.mail("")
        code, _ = smtp.rcpt(recipient)
        assert code == 550


def test_loop_through_the_mta(way):
    message = f"From: {STRANGER}\nX-SPFrom: returned; kind=reply; token={way.token()}\n\nx\n".replace("\n", "\r\n").encode()
    with way.stranger() as smtp:
        smtp.mail(STRANGER)
        smtp.rcpt(f"bounce+{way.token()}@lemniscus.de")
        code, text = smtp.data(message)
        assert code == 554 and text.startswith(b"5.4.6 "), text


def test_what_came_back_is_kept_by_a_second_host(way):
    """On its way out through another relay with the program, nothing changes any more."""
    bounce = arrived(way, "remote report")
    fields = [(name, raw.partition(b":")[2].strip().decode()) for name, raw in split(bounce.data)[0]]
    assert ask(way.daemon.address, fields, sender="").edits == []
