"""A rewritten message as its readers' programs read it: Python's email, GMime, Perl's Email::MIME. Name and author are
the same in each, and so is whom a reply reaches."""

import email
import email.policy
import functools
import json
import subprocess

import pytest

from lab import arrived
from lab import mta_chain
from lab import paths
from lab.cases import MUELLER, OHNE, message
from lab.compiled import CompileError, compile_c
from conftest import need
from lab.mta_chain import MTAS, MtaChain, for_sendmail
from lab.zone import FALLBACK

pytestmark = pytest.mark.address

FIELDS = ("From", "Reply-To")
GMX = "anna@gmx.de"
LONG = "Praxisgemeinschaft für Psychotherapie, " * 3 + "Ohne"
_HERE = paths.SRCDIR / "tests/integration"

# name: what the author wrote in From:, the authors that are meant. \udcXX is the octet XX.
ROWS = {
    "plain": (f"Otto Ohne <{OHNE}>", [("Otto Ohne", OHNE)]),
    "umlaut-encoded": (f"Praxis =?utf-8?q?M=C3=BCller?= <{OHNE}>", [("Praxis Müller", OHNE)]),
    "umlaut-latin1": (f"=?iso-8859-1?B?UHJheGlzIE38bGxlcg==?= <{OHNE}>", [("Praxis Müller", OHNE)]),
    "umlaut-raw": (f"Praxis Müller <{OHNE}>", [("Praxis Müller", OHNE)]),
    "umlaut-raw-quoted": (f'"Müller, Praxis" <{OHNE}>', [("Müller, Praxis", OHNE)]),
    "umlaut-windows-1252": (f"Praxis M\udcfcller <{OHNE}>", [("Praxis Müller", OHNE)]),
    "two-charsets": (f"=?iso-8859-1?q?M=FCller?= =?utf-8?q?_=E2=82=AC?= <{OHNE}>", [("Müller €", OHNE)]),
    "emoji-encoded": (f"=?utf-8?b?8J+MuyBQcmF4aXM=?= <{OHNE}>", [("🌻 Praxis", OHNE)]),
    "emoji-raw": (f"Praxis 🌻 Ohne <{OHNE}>", [("Praxis 🌻 Ohne", OHNE)]),
    "japanese": (f"=?iso-2022-jp?b?GyRCOzNFREJATzobKEI=?= <{OHNE}>", [("山田太郎", OHNE)]),
    "two-widths": (f"🌻{'山' * 14} <{OHNE}>", [("🌻" + "山" * 14, OHNE)]),
    "hebrew": (f"=?utf-8?b?16nXnNeV150=?= <{OHNE}>", [("שלום", OHNE)]),
    "comma": (f'"Ohne, Dr. Otto" <{OHNE}>', [("Ohne, Dr. Otto", OHNE)]),
    "comma-encoded": (f"=?utf-8?q?Ohne=2C_Otto?= <{OHNE}>", [("Ohne, Otto", OHNE)]),
    "dot": (f"Dr. Otto Ohne <{OHNE}>", [("Dr. Otto Ohne", OHNE)]),
    "quotes": (f'"Praxis \\"Am Markt\\" Ohne" <{OHNE}>', [('Praxis "Am Markt" Ohne', OHNE)]),
    "quotes-encoded": (f"=?utf-8?q?=22Am_M=C3=A4rkt=22?= <{OHNE}>", [('"Am Märkt"', OHNE)]),
    "backslash": (f'"Ohne \\\\ Otto" <{OHNE}>', [("Ohne \\ Otto", OHNE)]),
    "specials": (f'"Ohne (Otto); [Praxis]: <A>" <{OHNE}>', [("Ohne (Otto); [Praxis]: <A>", OHNE)]),
    "apostrophe": (f"Otto O'Hne <{OHNE}>", [("Otto O'Hne", OHNE)]),
    "long": (f'"{LONG}" <{OHNE}>', [(LONG, OHNE)]),
    "long-quoted": (f'"Ohne, Otto; Praxis fuer alle (privat) am Alten Markt in Bonn am Rhein, gegenueber" <{OHNE}>',
                    [("Ohne, Otto; Praxis fuer alle (privat) am Alten Markt in Bonn am Rhein, gegenueber", OHNE)]),
    "comment": (f"(Otto Ohne) {OHNE}", [("Otto Ohne", OHNE)]),
    "two-authors": (f"Mueller <{MUELLER}>, =?utf-8?q?=C3=84nne?= Ohne <{OHNE}>",
                    [("Mueller", MUELLER), ("Änne Ohne", OHNE)]),
    "three-authors": (f'"Ohne, Otto" <{OHNE}>, Müller <{MUELLER}>, "Anna \\"von\\" Gmx 🌻" <{GMX}>',
                      [("Ohne, Otto", OHNE), ("Müller", MUELLER), ('Anna "von" Gmx 🌻', GMX)]),
}


def _read_by(*argv):
    def read(data):
        result = subprocess.run([str(word) for word in argv], input=data, capture_output=True, check=True)
        return {name: [tuple(pair) for pair in pairs] for name, pairs in json.loads(result.stdout).items()}
    return read


def _read_by_getaddresses(data):
    return {name: arrived.mailboxes(data, name) for name in FIELDS}


def _read_by_policy(data):
    parsed = email.message_from_bytes(data, policy=email.policy.default)
    return {name: [(mailbox.display_name, mailbox.addr_spec) for mailbox in parsed[name].addresses] for name in FIELDS}


def _gmime():
    try:
        return _read_by(compile_c(_HERE / "gmime_read.c", paths.UNPACKED / "gmime_read",
                                  packages=("gmime-3.0", "jansson")))
    except CompileError as error:
        return need(str(error))


def _perl():
    modules = subprocess.run(["perl", "-MEmail::MIME", "-MEmail::Address::XS", "-e", "1"], capture_output=True)
    need("Perl's Email::MIME is not installed" if modules.returncode != 0 else None)
    return _read_by("perl", _HERE / "email_mime_read.pl")


READERS = {"python": lambda: _read_by_getaddresses, "python-policy": lambda: _read_by_policy, "gmime": _gmime,
           "perl": _perl}


class _Messages:
    """What arrived of the message of a row, sent once through each MTA."""

    def __init__(self, directory, daemon):
        self._directory, self._daemon = directory, daemon
        self._chains, self._arrived = {}, {}

    def send(self, mta, author):
        if mta not in self._chains:
            self._chains[mta] = MtaChain(mta, self._directory / f"{mta}-readers", [self._daemon]).__enter__()
        return self._chains[mta].send(OHNE, message(b"From: " + author.encode("utf-8", "surrogateescape"))).data

    def of(self, mta, name):
        if (mta, name) not in self._arrived:
            self._arrived[mta, name] = self.send(mta, ROWS[name][0])
        return self._arrived[mta, name]

    def stop(self):
        for chain in self._chains.values():
            chain.__exit__()


@pytest.fixture(scope="module")
def messages(directory, daemons):
    made = _Messages(directory, for_sendmail(daemons.start()))
    yield made
    made.stop()


@pytest.fixture
def mta(request):
    need(mta_chain.why_not(request.param))
    return request.param


@pytest.fixture(scope="module")
def readers():
    """name → what reads a message's octets: field → its mailboxes."""
    return functools.cache(lambda name: READERS[name]())


@pytest.mark.parametrize("name", ROWS)
@pytest.mark.parametrize("mta", MTAS, indirect=True)
@pytest.mark.parametrize("reader", READERS)
def test_reads_the_same(readers, messages, reader, mta, name):
    if reader == "python-policy" and name in ("long", "long-quoted", "two-widths"):
        pytest.skip("Python's policies keep the blank between two encoded words (against RFC 2047 section 6.2)")
    authors = ROWS[name][1]
    found = readers(reader)(messages.of(mta, name))
    assert found["From"] == [(authors[0][0], FALLBACK)]
    assert found["Reply-To"] == authors


@pytest.mark.parametrize("name", ROWS)
@pytest.mark.parametrize("mta", MTAS, indirect=True)
def test_only_ascii(messages, mta, name):
    """A program that knows encoded words and nothing newer meets no octet that it can't read."""
    assert messages.of(mta, name).partition(b"\r\n\r\n")[0].isascii()


@pytest.mark.parametrize("reader", READERS)
@pytest.mark.parametrize("mta", MTAS, indirect=True)
def test_very_long_name(readers, messages, reader, mta):
    """Sendmail would drop all of a name that, encoded and with its address, has more than 255 octets: it gets less."""
    name = "Ö" * 120
    data = messages.send(mta, f"{name} <{OHNE}>")
    found = readers(reader)(data)
    for field, address in (("From", FALLBACK), ("Reply-To", OHNE)):
        [(found_name, found_address)] = found[field]
        found_name = found_name.replace(" ", "") if reader == "python-policy" else found_name
        assert found_address == address
        assert found_name == name if mta == "postfix" else found_name.startswith("Ö" * 20)
    assert arrived.mailboxes(data, "Author") == [(name, OHNE)]
