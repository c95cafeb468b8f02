"""Real messages: what Debian's source packages of mail software bring along as test data. Fetched, never kept in the tree."""

import os
import re
import subprocess
import tarfile
from pathlib import Path

from lab import paths
from lab.unpacked_package import until_it_works

# Not every mirror has them all; those that are missing are left out.
PACKAGES = ("gmime", "notmuch", "spamassassin", "rspamd", "mailman3", "python3.11", "ruby-mail", "libemail-mime-perl",
            "libmime-tools-perl", "libmail-box-perl", "libmail-message-perl", "kmime", "kf5-messagelib", "evolution",
            "evolution-data-server", "mailutils", "bogofilter", "opendkim", "public-inbox", "sympa", "redmine",
            "request-tracker5", "golang-github-jhillyerd-enmime", "sylpheed", "schleuder", "amavisd-new")
DIRECTORY = Path(os.environ.get("SPFROM_CORPORA") or paths.UNPACKED.parent / "corpora")

_SIZE_MAX = 2 * 1024 * 1024
_FIELD = re.compile(rb"[!-9;-~]+[ \t]*:")
_MESSAGE_FIELDS = re.compile(rb"(?im)^(from|received|subject|to|message-id)[ \t]*:")


class FetchError(Exception):
    pass


def _apt(directory, *arguments):
    options = ["-o", f"Dir::State::Lists={DIRECTORY / 'lists'}", "-o", "Dir::Etc::SourceList=/dev/null",
               "-o", f"Dir::Etc::SourceParts={DIRECTORY / 'parts'}", "-o", "APT::Sandbox::User=root", "-q"]
    return subprocess.run(["apt-get", *options, *arguments], cwd=directory, stdin=subprocess.DEVNULL,
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)


def _write_source_list(directory):
    """The machine's own package sources, as sources of sources; the machine's lists stay as they are."""
    parts = directory / "parts"
    parts.mkdir(exist_ok=True)
    (directory / "lists" / "partial").mkdir(parents=True, exist_ok=True)
    for file in Path("/etc/apt/sources.list.d").glob("*.sources"):
        (parts / file.name).write_text(re.sub(r"(?m)^Types:.*$", "Types: deb-src", file.read_text()))
    lines = [file.read_text() for file in [Path("/etc/apt/sources.list"), *Path("/etc/apt/sources.list.d").glob("*.list")]
             if file.exists()]
    (parts / "own.list").write_text(re.sub(r"(?m)^deb[ \t]", "deb-src ", "\n".join(lines)))


def fetch():
    """Returns {package: [archive]}, fetched once; raises FetchError where no source package can be had."""
    DIRECTORY.mkdir(parents=True, exist_ok=True)
    done = DIRECTORY / "complete"
    if not done.exists():
        _write_source_list(DIRECTORY)
        if not until_it_works(lambda: _apt(DIRECTORY, "update").returncode == 0):
            raise FetchError("no source packages to be had: " + _apt(DIRECTORY, "update").stdout.strip()[-200:])
        for package in PACKAGES:
            (DIRECTORY / package).mkdir(exist_ok=True)
            _apt(DIRECTORY / package, "source", "--download-only", package)
        done.touch()
    found = {package: sorted((DIRECTORY / package).glob("*.tar.*")) for package in PACKAGES}
    found = {package: [file for file in files if not file.name.endswith((".asc", ".sig"))]
             for package, files in found.items()}
    if not any(found.values()):
        raise FetchError("no source package was there")
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
