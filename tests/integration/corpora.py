"""Real messages: what Debian's source packages of mail software bring along as test data. Fetched, never kept in the tree."""

import os
import re
import tarfile
from pathlib import Path

from lab import paths, source_package

# Not every mirror has them all; those that are missing are left out.
PACKAGES = ("gmime", "notmuch", "spamassassin", "rspamd", "mailman3", "python3.11", "ruby-mail", "libemail-mime-perl",
            "libmime-tools-perl", "libmail-box-perl", "libmail-message-perl", "kmime", "kf5-messagelib", "evolution",
            "evolution-data-server", "mailutils", "bogofilter", "opendkim", "public-inbox", "sympa", "redmine",
            "request-tracker5", "golang-github-jhillyerd-enmime", "sylpheed", "schleuder", "amavisd-new")
DIRECTORY = Path(os.environ.get("SPFROM_CORPORA") or paths.UNPACKED.parent / "corpora")

_SIZE_MAX = 2 * 1024 * 1024
_FIELD = re.compile(rb"[!-9;-~]+[ \t]*:")
_MESSAGE_FIELDS = re.compile(rb"(?im)^(from|received|subject|to|message-id)[ \t]*:")


def fetch():
    """Returns {package: [archive]}, fetched once; raises SourceError where no source package can be had."""
    found = source_package.fetch(PACKAGES, DIRECTORY)
    if not any(found.values()):
        raise source_package.SourceError("no source package was there")
    return found


def _is_message(data):
    """Does data begin with a header that a message would have?"""
    if data.startswith(b"From "):
        data = data.partition(b"\n")[2]
    header = re.split(rb"\r?\n\r?\n", data, maxsplit=1)[0]
    return _FIELD.match(data) is not None and len(_MESSAGE_FIELDS.findall(header)) >= 2


def _split_mbox(data):
    """The messages of an mbox, without their From lines; data itself where it is none."""
    if not data.startswith(b"From "):
        return [data]
    pieces = re.split(rb"(?m)^From [^\r\n]*\r?\n", data)
    return [piece for piece in pieces if piece.strip()]


def messages():
    """Yields (package, name, octets) of every message in the archives."""
    for package, archives in fetch().items():
        for archive in archives:
            with tarfile.open(archive) as tar:
                for member in tar:
                    if not member.isfile() or not 20 <= member.size <= _SIZE_MAX:
                        continue
                    data = tar.extractfile(member).read()
                    if not _is_message(data):
                        continue
                    for number, message in enumerate(_split_mbox(data)):
                        if _is_message(message):
                            yield package, f"{member.name}#{number}", message
