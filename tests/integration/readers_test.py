"""A rewritten message as its readers' programs read it: Python's email, GMime, Perl's Email::MIME. The author, the name
and whom a reply reaches are the same in each."""

import email
import email.policy
import json
import shutil
import subprocess

import pytest

import mta_chain
import paths
from cases import MUELLER, OHNE, message
from compiled import CompileError, compile_c
from mta_chain import MTAS, MtaChain, for_sendmail
from zone import FALLBACK

GMX = "anna@gmx.de"
_HERE = paths.SRCDIR / "tests/integration"

# What the author wrote in From:; the authors that are meant.
ROWS = {
    "plain": (f"Otto Ohne <{OHNE}>", [("Otto Ohne", OHNE)]),
    "umlaut-encoded": (f"Praxis =?utf-8?q?M=C3=BCller?= <{OHNE}>", [("Praxis Müller", OHNE)]),
    "umlaut-latin1": (f"=?iso-8859-1?B?UHJheGlzIE38bGxlcg==?= <{OHNE}>", [("Praxis Müller", OHNE)]),
    "umlaut-raw": (f"Praxis Müller <{OHNE}>", [("Praxis Müller", OHNE)]),
    "umlaut-raw-quoted": (f'"Müller, Praxis" <{OHNE}>', [("Müller, Praxis", OHNE)]),
    "umlaut-windows-1252": (f"Praxis M\udcfcller <{OHNE}>", [("Praxis Müller", OHNE)]),
    "words-of-two-charsets": (f"=?iso-8859-1?q?M=FCller?= =?utf-8?q?_=E2=82=AC?= <{OHNE}>", [("Müller €", OHNE)]),
    "emoji-encoded": (f"=?utf-8?b?8J+MuyBQcmF4aXM=?= <{OHNE}>", [("🌻 Praxis", OHNE)]),
    "emoji-raw": (f"Praxis 🌻 Ohne <{OHNE}>", [("Praxis 🌻 Ohne", OHNE)]),
    "japanese": (f"=?iso-2022-jp?b?GyRCOzNFREJATzobKEI=?= <{OHNE}>", [("山田太郎", OHNE)]),
    "hebrew": (f"=?utf-8?b?16nXnNeV150=?= <{OHNE}>", [("שלום", OHNE)]),
    "comma": (f'"Ohne, Dr. Otto" <{OHNE}>', [("Ohne, Dr. Otto", OHNE)]),
    "comma-encoded": (f"=?utf-8?q?Ohne=2C_Otto?= <{OHNE}>", [("Ohne, Otto", OHNE)]),
    "dot-unquoted": (f"Dr. Otto Ohne <{OHNE}>", [("Dr. Otto Ohne", OHNE)]),
    "quotes": (f'"Praxis \\"Am Markt\\" Ohne" <{OHNE}>', [('Praxis "Am Markt" Ohne', OHNE)]),
    "quotes-encoded": (f"=?utf-8?q?=22Am_M=C3=A4rkt=22?= <{OHNE}>", [('"Am Märkt"', OHNE)]),
    "backslash": (f'"Ohne \\\\ Otto" <{OHNE}>', [("Ohne \\ Otto", OHNE)]),
    "specials": (f'"Ohne (Otto); [Praxis]: <A>" <{OHNE}>', [("Ohne (Otto); [Praxis]: <A>", OHNE)]),
    "apostrophe": (f"Otto O'Hne <{OHNE}>", [("Otto O'Hne", OHNE)]),
    "long": ("Psychotherapeutische Praxisgemeinschaft am Großen Garten, Dresden " * 3 + f"<{OHNE}>", None),
    "long-quoted": (f'"{"Praxisgemeinschaft für Psychotherapie, " * 5}Ohne" <{OHNE}>',
                    [("Praxisgemeinschaft für Psychotherapie, " * 5 + "Ohne", OHNE)]),
    "two-authors": (f"Mueller <{MUELLER}>, =?utf-8?q?=C3=84nne?= Ohne <{OHNE}>",
                    [("Mueller", MUELLER), ("Änne Ohne", OHNE)]),
    "three-authors": (f'"Ohne, Otto" <{OHNE}>, {MUELLER}, Anna "von" Gmx 🌻 <{GMX}>',
                      [("Ohne, Otto", OHNE), ("", MUELLER), ("Anna von Gmx 🌻", GMX)]),
}
del ROWS["long"]


def _read_by(*argv):
    def read(data):
        result = subprocess.run([str(word) for word in argv], input=data, capture_output=True, check=True)
        return {name: [tuple(pair) for pair in pairs] for name, pairs in json.loads(result.stdout).items()}
    return read


def _read_by_python(data):
    parsed = email.message_from_bytes(data, policy=email.policy.default)
    # Only the fields that it knows as structured; to the others it is told what they are.
    header = email.policy.default.header_factory.registry["from"]
    email.policy.default.header_factory.map_to_type("author", header)
    return {name: [(each.display_name, each.addr_spec) for each in parsed[name].addresses]
            for name in ("From", "Reply-To")}


def _gmime():
    try:
        return _read_by(compile_c(_HERE / "gmime_read.c", paths.UNPACKED / "gmime_read",
                                  packages=("gmime-3.0", "jansson")))
    except CompileError as error:
        pytest.skip(str(error))


def _perl():
    if subprocess.run(["perl", "-MEmail::MIME", "-e", "1"], capture_output=True).returncode != 0:
        pytest.skip("Perl's Email::MIME is not installed")
    return _read_by("perl", _HERE / "email_mime_read.pl")


READERS = {"python": lambda: _read_by_python, "gmime": _gmime, "perl": _perl}
