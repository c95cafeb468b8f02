"""Address parsers that are in use, each reading the From: fields that it is given: name → its mailboxes [(name, address)]."""

import base64
import email
import email.policy
import json
import os
import re
import shutil
import subprocess
import warnings
from email.header import decode_header
from email.utils import getaddresses

from lab import paths
from lab.compiled import CompileError, compile_c

_HERE = paths.SRCDIR / "tests/integration/field_readers"
_JAVA_MAIL = "/usr/share/java/javax.mail.jar"
_MADE = paths.UNPACKED / "field_readers"  # what is compiled


def decoded(text):
    """text with its encoded words decoded, as far as they can be, on one line."""
    try:
        parts = [part.decode(charset or "utf-8", "replace") if isinstance(part, bytes) else part
                 for part, charset in decode_header(text)]
    except (LookupError, ValueError):
        parts = [text]
    return " ".join("".join(parts).split())


def _message(value):
    """Read as SMTPUTF8 wants it: octets of a message on disk would leave Python without the letters that aren't ASCII."""
    return "From: " + value.decode("utf-8", "surrogateescape") + "\r\n\r\n"


def _by_getaddresses(value):
    return getaddresses([str(email.message_from_string(_message(value))["From"])])


def _by_policy(value):
    parsed = email.message_from_string(_message(value), policy=email.policy.default)["From"]
    return [(mailbox.display_name, mailbox.addr_spec) for mailbox in parsed.addresses]


def _in_python(read):
    def read_all(values):
        found = []
        for value in values:
            try:
                found.append(read(value))
            except Exception:  # of a field that it can't read it shows nothing
                found.append([])
        return found
    return read_all


def _in_process(*argv, **variables):
    def read_all(values):
        lines = b"".join(base64.b64encode(value) + b"\n" for value in values)
        result = subprocess.run([str(word) for word in argv], input=lines, capture_output=True, check=True, timeout=300,
                                env={**os.environ, **variables})
        found = [json.loads(line) for line in result.stdout.splitlines()]
        assert len(found) == len(values), result.stderr.decode(errors="replace")[-500:]
        return found
    return read_all


class MissingError(Exception):
    """A reader, or what it is made with, is not installed."""


def _made(*argv, **variables):
    result = subprocess.run([str(word) for word in argv], capture_output=True, text=True, env={**os.environ, **variables})
    if result.returncode != 0:
        raise MissingError(f"{argv[0]}: {result.stderr.strip()[-500:]}")


def _gmime():
    return _in_process(compile_c(_HERE / "gmime.c", _MADE / "gmime", packages=("gmime-3.0", "jansson")))


def _go():
    _made("go", "build", "-o", _MADE / "netmail", _HERE / "netmail.go", GOCACHE=str(_MADE / "go-cache"), GO111MODULE="off")
    return _in_process(_MADE / "netmail")


def _java():
    _made("javac", "-cp", _JAVA_MAIL, "-d", _MADE, _HERE / "JavaMail.java")
    return _in_process("java", "-XX:TieredStopAtLevel=1", "-cp", f"{_MADE}:{_JAVA_MAIL}", "JavaMail")


def _node():
    node = shutil.which("node") or "nodejs"
    roots = filter(None, [os.environ.get("NODE_PATH"), "/usr/share/nodejs"])
    return _in_process(node, _HERE / "nodemailer.js", NODE_PATH=":".join(roots))


READERS = {
    "python": lambda: _in_python(_by_getaddresses),
    "python-policy": lambda: _in_python(_by_policy),
    "gmime": _gmime,
    "email-address-xs": lambda: _in_process("perl", _HERE / "perl.pl", "Email::Address::XS"),
    "mail-address": lambda: _in_process("perl", _HERE / "perl.pl", "Mail::Address"),
    "ruby-mail": lambda: _in_process("ruby", _HERE / "ruby_mail.rb"),
    "go-net-mail": _go,
    "javamail": _java,
    "nodemailer": _node,
}


def make():
    """Returns name → function from From: values to their mailboxes, in their order. Raises MissingError."""
    warnings.filterwarnings("ignore", module="email")
    _MADE.mkdir(parents=True, exist_ok=True)
    try:
        made = {name: reader() for name, reader in READERS.items()}
        for name, read in made.items():
            if [address for _, address in read([b"a@b.example"])[0]] != ["a@b.example"]:
                raise MissingError(f"{name} reads nothing")
    except (CompileError, FileNotFoundError, subprocess.CalledProcessError) as error:
        raise MissingError(str(error)) from error
    return made


def domain_of(address):
    """
    The domain that whoever has address writes to, as an A-label; None where it has none. A domain that is not what its own
    A-label gives back stays as it is: a reader may look up other octets than we do.
    """
    if not address or "@" not in address:
        return None
    return re.sub(r"\s|[()>].*", "", address.rpartition("@")[2]).rstrip(".").lower()


def addresses(mailboxes):
    """The addresses among what a reader found, the domain in lower case: what it would send to."""
    return [f"{address.rpartition('@')[0]}@{domain_of(address)}" for _, address in mailboxes if domain_of(address)]
