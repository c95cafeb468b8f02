"""`spfrom test`: one message through the decision, without a daemon (design section 12)."""

import base64
import hmac
import json
import os
import re
import subprocess

import pytest

from lab import cases
from lab import paths
from lab.cases import MUELLER, OHNE
from lab.spfrom import configuration
from lab.zone import FALLBACK, RELAY, ZONE_FILE

pytestmark = pytest.mark.address

BASE = {"fallback_address": FALLBACK, "relay_hosts": [RELAY], "hostname": "relay.lemniscus.de"}
LANGSAM = "praxis@praxis-langsam.de"


@pytest.fixture
def spfrom(tmp_path):
    """Runs `spfrom test` on octets. Its stdout and stderr are octets too."""
    def run(message, *arguments, **settings):
        (tmp_path / "zone").write_text(ZONE_FILE)
        file = tmp_path / "spfrom.conf"
        file.write_text(configuration({**BASE, "dns_zone_file": tmp_path / "zone", **settings}))
        return subprocess.run([paths.TOOL, "-c", file, "test", *map(str, arguments)], input=message,
                              capture_output=True)
    return run


@pytest.fixture
def report(spfrom):
    def run(message, *arguments, **settings):
        done = spfrom(message, "--json", *arguments, **settings)
        assert not done.stderr, done.stderr
        return json.loads(done.stdout)
    return run


def _message(*fields, end=b"\r\n", body=b"Guten Tag\n"):
    head = b"".join((field if isinstance(field, bytes) else field.encode()) + b"\n" for field in fields)
    return (head + b"\n" + body).replace(b"\n", end)


def _lines(octets):
    return octets.replace(b"\r\n", b"\n").split(b"\n")


@pytest.mark.parametrize("case", [case for case in cases.ALL if not case.parameters or "SMTPUTF8" in case.parameters],
                         ids=str)
def test_same_decision_as_the_daemon(report, case):
    """The table that the daemon is tested with. Postfix completes some of these messages, the tool does not."""
    if "postfix" in case.name or re.search("no-domain|no-from", case.name):
        pytest.skip("Postfix adds a From: or a domain")
    found = report(case.message(), "--sender", case.sender or "<>")
    assert found["action"] == case.action
    assert found["envelope_sender"] == (case.sender or "<>" if case.envelope is None else case.envelope)
    assert bool(found["edits"]) == case.is_rewritten
    if case.result:
        assert found["result"] == case.result


@pytest.mark.parametrize("case", cases.ALL, ids=str)
def test_once_more(spfrom, case):
    """A rewritten message that passes again is kept, byte for byte."""
    once = spfrom(case.message(), "--sender", case.sender or "<>")
    envelope = json.loads(spfrom(case.message(), "--sender", case.sender or "<>", "--json").stdout)["envelope_sender"]
    twice = spfrom(once.stdout, "--sender", envelope)
    assert twice.returncode == 0
    assert twice.stdout == once.stdout


@pytest.mark.parametrize("mode, action", [("rewrite", "error"), ("log-only", "would-rewrite")])
def test_too_many_edits(spfrom, report, mode, action):
    """The daemon refuses it in rewrite; there is no message that would leave."""
    message = _message(*[f"From: {OHNE}"] * 501)
    found = report(message, mode=mode)
    assert (found["action"], found["edits"]) == (action, [])
    for arguments in [(), ("--diff",)]:
        done = spfrom(message, *arguments, mode=mode)
        assert (done.returncode, done.stdout) == (1, b"")
        assert done.stderr.startswith(f"{action}: ".encode()) and b"550 5.6.0" in done.stderr


def test_keep_is_byte_for_byte(spfrom):
    message = _message(f"From: {MUELLER}", "X-Odd:no blank", "X-Fold: a\n \tb", b"X-8bit: \xff\x01", body=b"\0\r\n.\n\n\n")
    done = spfrom(message)
    assert (done.returncode, done.stdout) == (0, message)
    assert done.stderr.startswith(b"keep: praxis-mueller.de is authorised (pass")


@pytest.mark.parametrize("end", [b"\n", b"\r\n"], ids=["lf", "crlf"])
def test_rewrite(spfrom, end):
    message = _message(f"From: Otto <{OHNE}>", "To: x@example.net", "Subject:  two\n\tlines", end=end, body=b"Tag\n\nEnde")
    done = spfrom(message)
    assert done.returncode == 1
    assert done.stdout == (
        f"X-SPFrom: rewritten; domain=praxis-ohne.de; spf=none; relay={RELAY}\n"
        f"From: Otto <{FALLBACK}>\nTo: x@example.net\nSubject:  two\n\tlines\n"
        f"Reply-To: Otto <{OHNE}>\nAuthor: Otto <{OHNE}>\nX-Original-From: Otto <{OHNE}>\n\nTag\n\nEnde"
    ).encode().replace(b"\n", end)
    assert done.stderr.decode() == (f"rewrite: praxis-ohne.de is not authorised (none for {RELAY})\n"
                                    f"envelope sender: {OHNE} becomes {FALLBACK}\n")


def test_json(report):
    assert report(_message(f"From: Otto <{OHNE}>", "Sender: x@gmx.de", "Reply-To: y@gmx.de")) == {
        "action": "rewrite", "author": OHNE, "domain": "praxis-ohne.de", "result": "none", "envelope_sender": FALLBACK,
        "edits": [{"kind": "change", "name": "From", "index": 1, "value": f"Otto <{FALLBACK}>"},
                  {"kind": "delete", "name": "Sender", "index": 1, "value": None},
                  {"kind": "add", "name": "Author", "index": 0, "value": f"Otto <{OHNE}>"},
                  {"kind": "add", "name": "X-Original-From", "index": 0, "value": f"Otto <{OHNE}>"},
                  {"kind": "insert", "name": "X-SPFrom", "index": 0,
                   "value": f"rewritten; domain=praxis-ohne.de; spf=none; relay={RELAY}"}],
        "sender": OHNE, "relay": RELAY, "mechanism": None, "reason": None, "aligned": True}


def test_diff(spfrom):
    done = spfrom(_message(f"From: Otto <{OHNE}>", "To: x@example.net", "Sender: x@gmx.de\n (a fold)"), "--diff")
    assert done.returncode == 1
    assert done.stdout.decode() == (
        f"- MAIL FROM:<{OHNE}>\n+ MAIL FROM:<{FALLBACK}>\n"
        f"+ X-SPFrom: rewritten; domain=praxis-ohne.de; spf=none; relay={RELAY}\n"
        f"- From: Otto <{OHNE}>\n+ From: Otto <{FALLBACK}>\n- Sender: x@gmx.de\n-  (a fold)\n"
        f"+ Reply-To: Otto <{OHNE}>\n+ Author: Otto <{OHNE}>\n+ X-Original-From: Otto <{OHNE}>\n")
    assert spfrom(_message(f"From: {MUELLER}"), "--diff").stdout == b""


def test_diff_shows_no_control_characters(spfrom):
    done = spfrom(_message(b"From: \x1b[31mOtto\x07 <ohne@praxis-ohne.de>"), "--diff")
    assert b"\x1b" not in done.stdout + done.stderr and b"- From: \\x1b[31mOtto\\x07 <" in done.stdout


# name, --sender, From:, settings, exit status, action, envelope sender it leaves with
ENVELOPES = [
    ("default", None, OHNE, {}, 1, "rewrite", FALLBACK),
    ("null", "<>", OHNE, {}, 1, "rewrite", "<>"),
    ("null-empty", "", OHNE, {}, 1, "rewrite", "<>"),
    ("null-kept", "<>", MUELLER, {}, 0, "keep", "<>"),
    ("aligned", "bounce+42@lemniscus.de", OHNE, {}, 1, "rewrite", "bounce+42@lemniscus.de"),
    ("only", "<praxis@gmx.de>", MUELLER, {}, 1, "rewrite", MUELLER),
    ("unreadable", None, "a@b@c.de", {}, 1, "rewrite", "<>"),
    ("tempfail", None, LANGSAM, {"tempfail_on": ["temperror"]}, 75, "tempfail", LANGSAM),
    ("would-tempfail", None, LANGSAM, {"tempfail_on": ["temperror"], "mode": "log-only"}, 75, "would-tempfail", LANGSAM),
    ("would-rewrite", None, OHNE, {"mode": "log-only"}, 1, "would-rewrite", FALLBACK),
    ("off", None, OHNE, {"mode": "off"}, 0, "keep", OHNE),
    ("fallback", None, FALLBACK, {}, 0, "keep", FALLBACK),
    ("only-smtputf8", "ö@gmx.de", "müller@praxis-mueller.de", {}, 1, "rewrite", "müller@praxis-mueller.de"),
    ("only-without-smtputf8", "praxis@gmx.de", "müller@praxis-mueller.de", {}, 1, "rewrite", FALLBACK),
    ("smtputf8", None, "müller@praxis-mueller.de", {}, 0, "keep", "müller@praxis-mueller.de"),
]


@pytest.mark.parametrize("name, sender, author, settings, status, action, envelope", ENVELOPES,
                         ids=[row[0] for row in ENVELOPES])
def test_envelope(spfrom, name, sender, author, settings, status, action, envelope):
    arguments = [] if sender is None else ["--sender", sender]
    done = spfrom(_message(f"From: {author}"), "--json", *arguments, **settings)
    found = json.loads(done.stdout)
    assert (done.returncode, found["action"], found["envelope_sender"]) == (status, action, envelope)
    assert spfrom(_message(f"From: {author}"), *arguments, **settings).returncode == status


def test_log_only_prints_what_rewrite_would_make(spfrom):
    message = _message(f"From: {OHNE}")
    done = spfrom(message, mode="log-only")
    assert done.stderr.startswith(b"would-rewrite: ")
    assert done.stdout == spfrom(message).stdout != message


def test_tempfail_prints_no_message(spfrom):
    message = _message(f"From: {LANGSAM}")
    done = spfrom(message, tempfail_on=["temperror"])
    assert done.stdout == b"" and done.stderr.startswith(b"tempfail: praxis-langsam.de is not authorised (temperror")
    assert spfrom(message, tempfail_on=["temperror"], mode="log-only").stdout == message


# name, message, what it begins with when it leaves, what it ends with
SHAPES = [
    ("mailbox-file", b"From anna@praxis.example Mon Mar  2 09:00:00 2026\nFrom: ohne@praxis-ohne.de\n\nx\n",
     [b"From anna@praxis.example Mon Mar  2 09:00:00 2026", b"X-SPFrom: *", b"From: ohne <noreply@lemniscus.de>"], b"\n\nx\n"),
    ("blank-before-colon", b"From : ohne@praxis-ohne.de\n\nx\n", [b"X-SPFrom: *", b"From: ohne <noreply@lemniscus.de>"],
     b"\n\nx\n"),
    ("no-body", b"To: x@y.de\nFrom: ohne@praxis-ohne.de\n",
     [b"X-SPFrom: *", b"To: x@y.de", b"From: ohne <noreply@lemniscus.de>"], b"X-Original-From: ohne@praxis-ohne.de\n"),
    ("no-line-end", b"From: ohne@praxis-ohne.de\nTo: x@y.de",
     [b"X-SPFrom: *", b"From: ohne <noreply@lemniscus.de>", b"To: x@y.de", b"Reply-To: *"],
     b"X-Original-From: ohne@praxis-ohne.de\n"),
    ("no-separator", b"From: ohne@praxis-ohne.de\nGuten Tag\n", [b"X-SPFrom: *", b"From: ohne <noreply@lemniscus.de>"],
     b"X-Original-From: ohne@praxis-ohne.de\n\nGuten Tag\n"),
    ("no-from", b"To: x@y.de\n\nx\n", [b"X-SPFrom: rewritten; spf=none", b"To: x@y.de", b"From: noreply@lemniscus.de"],
     b"\n\nx\n"),
    ("empty", b"", [b"X-SPFrom: rewritten; spf=none", b"From: noreply@lemniscus.de"], b"\n"),
    ("no-header", b"\nx\n", [b"X-SPFrom: rewritten; spf=none", b"From: noreply@lemniscus.de", b"", b"x"], b"\n\nx\n"),
    ("two-froms", b"From: ohne@praxis-ohne.de\nTo: x@y.de\nfrom: a@gmx.de\n\nx",
     [b"X-SPFrom: *", b"From: ohne <noreply@lemniscus.de>", b"To: x@y.de", b"Reply-To: *"], b"\n\nx"),
    ("nul", b"From: ohne@praxis-ohne.de\0, x@gmx.de\n\n\0", [b"X-SPFrom: rewritten; spf=none", b"From: *"], b"\n\n\0"),
    ("bare-cr", b"From: ohne@praxis-ohne.de\rX: y\n\nx\ry", [b"X-SPFrom: *", b"From: *"], b"\n\nx\ry"),
    ("long-field", b"From: ohne@praxis-ohne.de\nX-Long: " + b"x" * 300000 + b"\n\n", [b"X-SPFrom: *", b"From: *", b"X-Long: *"],
     b"\n\n"),
    ("many-fields", b"From: ohne@praxis-ohne.de\n" + b"A: b\n" * 50000 + b"\n", [b"X-SPFrom: *", b"From: *", b"A: b"], b"\n\n"),
]


@pytest.mark.parametrize("name, message, begin, end", SHAPES, ids=[row[0] for row in SHAPES])
def test_shape(spfrom, name, message, begin, end):
    done = spfrom(message)
    assert done.returncode == 1
    for wanted, line in zip(begin, _lines(done.stdout)):
        assert line.startswith(wanted[:-1]) if wanted.endswith(b"*") else line == wanted
    assert done.stdout.endswith(end)
    assert len(re.findall(rb"(?im)^from *:", done.stdout.split(b"\n\n")[0])) == 1


def test_long_header_is_refused(spfrom):
    done = spfrom(b"From: ohne@praxis-ohne.de\n" + b"A: b\n" * 1000000)
    assert done.returncode == 2 and b"the header has more than" in done.stderr and not done.stdout


def test_large_body_is_streamed(spfrom, tmp_path):
    file = tmp_path / "large.eml"
    with file.open("wb") as stream:
        stream.write(_message(f"From: {OHNE}", body=b""))
        stream.truncate(50 * 1024 * 1024)
    spfrom(b"", "--help")
    with (tmp_path / "out").open("wb") as out:
        done = subprocess.run([paths.TOOL, "-c", tmp_path / "spfrom.conf", "test", file], stdout=out,
                              stderr=subprocess.PIPE)
    assert done.returncode == 1, done.stderr
    grown = os.path.getsize(tmp_path / "out") - 50 * 1024 * 1024
    assert 0 < grown < 1000


def test_file(spfrom, tmp_path):
    (tmp_path / "mail.eml").write_bytes(_message(f"From: {OHNE}"))
    assert spfrom(None, tmp_path / "mail.eml").stdout == spfrom(_message(f"From: {OHNE}"), "-").stdout


# arguments → exit status, part of stderr
REFUSED = [
    (["/nonexistent.eml"], 2, b"/nonexistent.eml: No such file"),
    (["/"], 2, b"/: Is a directory"),
    (["a.eml", "b.eml"], 2, b"one message at a time"),
    (["--sender", "root"], 2, b'"root" is not an address'),
    (["--sender", "a@b@c.de"], 2, b"is not an address"),
    (["--rcpt", "<>"], 2, b"--rcpt"),
    (["--diff", "--json"], 2, b"exclude each other"),
    (["--frobnicate"], 2, b"unrecognized option"),
    (["-c", "/nonexistent.conf"], 78, b"/nonexistent.conf"),
]


@pytest.mark.parametrize("arguments, status, part", REFUSED, ids=[" ".join(row[0]) for row in REFUSED])
def test_refused(spfrom, arguments, status, part):
    done = spfrom(_message(f"From: {OHNE}"), *arguments)
    assert done.returncode == status
    assert part in done.stderr and not done.stdout


def test_recipients_change_nothing(spfrom):
    message = _message(f"From: {OHNE}")
    assert spfrom(message, "--rcpt", "a@example.net", "--rcpt", "b@lemniscus.de").stdout == spfrom(message).stdout


def test_help(spfrom):
    done = spfrom(b"", "--help")
    assert done.returncode == 0
    for word in (b"--sender", b"--rcpt", b"--diff", b"--json", b"-c FILE", b"Exit status"):
        assert word in done.stdout


def test_token(spfrom, tmp_path):
    """The envelope with its token; nothing is kept, and who may not read the key is told so."""
    state = tmp_path / "state"
    state.mkdir()
    settings = {"return_address": "bounce+%t@lemniscus.de", "state_dir": state, "user": "root"}
    message = _message(f"From: {OHNE}")
    without = spfrom(message, "--diff", **settings)
    assert b"+ MAIL FROM:<noreply@lemniscus.de>" in without.stdout
    (state / "return.key").write_bytes(bytes(range(32)))
    (state / "return.key").chmod(0o600)
    token = base64.b32encode(hmac.digest(bytes(range(32)), OHNE.encode(), "sha256")[:10]).decode().lower()
    done = spfrom(message, "--diff", **settings)
    assert f"+ MAIL FROM:<bounce+{token}@lemniscus.de>".encode() in done.stdout
    assert sorted(path.name for path in state.iterdir()) == ["return.key"]
    (state / "return.key").chmod(0o644)
    told = spfrom(message, "--diff", **settings)
    assert b"is open to others; run chmod 600 on it; addresses are shown without their token" in told.stderr
    assert b"+ MAIL FROM:<noreply@lemniscus.de>" in told.stdout
