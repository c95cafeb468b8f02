"""From: fields, generated and collected, as nine address parsers read them and as spfrom does.

Nothing is kept if one of them sees a domain that does not authorise us, nothing is rewritten if all see one and the same
author who does, and what is rewritten keeps the name and the way back that they agree on.
"""

import collections
import random
import re
import unicodedata
import zlib

import pytest

import corpora
from lab import source_package
import field_readers
import mailbox_grammar
from conftest import need
from corpora_test import split
from field_readers import addresses, decoded, domain_of
from lab.milter_client import MilterClient
from lab.zone import FALLBACK

OWN = ("praxis.example", "xn--sd-xka.example", "süd.example")
OTHER = ("mail.example", "evil.example")
pytestmark = pytest.mark.address
_MOST = 5  # of nine readers
_NEARLY_ALL = 7
_LINE_MAX = 998
_SHOWN = 20  # violations

# The fields that brought each rule, and their relatives.
EXAMPLES = """\
info@{own} <info@{own}>
Info@{own} <info@{own}>
a..b@{own}
Erika <a.@{own}>
"Muster, Erika" <.a..b.@{own}>
Erika (Praxis (Nord)) <erika@{own}>
erika@{own} (a (b (c)))
erika@{own},
Erika <erika@{own}>,
(Joe Muster) joe@{own}
"Erika (x@{other}); Praxis" <erika@{own}>
"Erika (x@{other})" <erika@{own}>
(x@{other}) "Erika; Praxis" <erika@{own}>
erika@{own} (info@{other})
erika@{own}(x) ('info@{other}(x)')
"info@{other}" <erika@{own}>
M&uuml;ller <erika@{other}>
(Joe Muster) joe@{other}
(Joe Muster) <joe@{other}>
Erika <erika@{other}
Erika (erika@{other})
info@{other} <erika@{other}>
Erika erika@{other}
Erika@Home <erika@{other}>
=?utf-8?q?Erika_=3Cerika=40{other}=3E?=
"Erika <erika@{other}>"
"erika@{other}"
=?utf-8?q?=40{own}?= <erika@{other}>
=?utf-8?q?@{own}?= <erika@{other}>
=?utf-8?q?@home?= <erika@{other}>
"e m"@{other} (Erika
a..b@{other}
"x@{other}\r
 y" <erika@{own}>
"x <y\r
 z@{other}>" <erika@{own}>
"x\r
 y" <erika@{own}>, "z@{other}" <erika@{own}>
(x\r
 "y) "z@{other}" <erika@{own}>
(x\r
 z@{other}) erika@{own}
erika@{own}。{other}
erika@{own}\u00ad
erika@\u200b{own}
erika@\uff50raxis.example
<erika@{own} (info@{other})>
<erika@{own}> <info@{other}>
erika@{own} <info@{other}>
erika@{other}@{own}"""


def _examples():
    lines = re.sub(r"\\r\n", "\r\n", EXAMPLES.replace("\r\n", "\\r\n")).replace("\\r\n ", "\r\n ")
    texts = re.split(r"(?<!\r)\n", lines)
    return [text.format(own=own, other=other).encode() for text in texts for own in OWN for other in OTHER]


def _generated(count):
    chance = random.Random(7208)
    damage = mailbox_grammar.Damage(chance, OWN + OTHER)
    grammar = mailbox_grammar.Grammar(chance)
    return _examples() + [damage.value() if number % 3 else grammar.value()[0] for number in range(count)]


def _collected():
    """The From: fields of real messages, each text once."""
    found = {}
    for _, _, data in corpora.messages():
        for name, raw in split(data)[0]:
            if name == "from":
                found.setdefault(raw.partition(b":")[2].replace(b"\r\n", b"\n").replace(b"\n", b"\r\n").strip(), None)
    return list(found)


def _can_be_sent(value):
    """An MTA hands on no NUL and no bare CR or LF, and an empty field has nothing to read."""
    return value and b"\0" not in value and not re.search(rb"\n(?![ \t])|\r(?!\n)|\n[ \t]*\r", value) and len(value) < 60_000


def _to_the_letter(domain):
    """The A-labels of domain without any mapping but that of case: what is no U-label gives a name that nobody has."""
    labels = unicodedata.normalize("NFC", domain).lower().split(".")
    return ".".join(label if label.isascii() else "xn--" + label.encode("punycode").decode() for label in labels)


class Verdicts:
    """What readers make of each field, and what the daemon does with it: fields after it, or None where it is kept."""

    def __init__(self, daemon, readers, values, is_authorised):
        self.values = values
        self.is_authorised = is_authorised
        self.seen = [dict(zip(readers, row)) for row in zip(*(read(values) for read in readers.values()))]
        self.after = self._decide(daemon)
        self._written = self._read_written(readers)

    def _decide(self, daemon):
        after = []
        with MilterClient(daemon.address) as client:
            client.connect(macros={"v": "Postfix 3.7.11"})
            for value in self.values:
                fields = [(b"From", value.replace(b"\r\n", b"\n")), (b"To", b"patient@example.net")]
                outcome = client.message(fields, sender=FALLBACK)
                assert outcome.answer == "continue", value
                after.append(dict(outcome.applied(fields)) if outcome.edits else None)
        return after

    def _read_written(self, readers):
        """The fields that we wrote → what each reader sees there."""
        written = sorted({fields[name] for fields in self.after if fields for name in (b"From", b"Reply-To") if name in fields})
        values = [value.replace(b"\n", b"\r\n") for value in written]
        return {value: dict(zip(readers, row)) for value, row in zip(written, zip(*(read(values) for read in readers.values())))}

    def violations(self):
        for number, value in enumerate(self.values):
            found = self._of_kept(number) if self.after[number] is None else self._of_rewritten(number)
            for what in found:
                yield f"{what}: {value!r}\n  seen: {self.seen[number]}\n  after: {self.after[number]}"

    def _agreed(self, number):
        """(the one address that all see who see any, how many these are); None, 0 where they differ."""
        all_seen = [frozenset(found) for found in map(addresses, self.seen[number].values()) if found]
        if len(set(all_seen)) != 1 or len(all_seen[0]) != 1:
            return None, 0
        return next(iter(all_seen[0])), len(all_seen)

    def _of_kept(self, number):
        for reader, mailboxes in self.seen[number].items():
            for _, address in mailboxes:
                domain = domain_of(address)
                if domain and not self.is_authorised(_to_the_letter(domain)):
                    yield f"kept, though {reader} sees {address}"

    def _of_rewritten(self, number):
        address, count = self._agreed(number)
        mailboxes = list(self.seen[number].values())
        is_single = all(len(found) == 1 for found in mailboxes)
        if count == len(mailboxes) and is_single and not _is_beyond_readers(self.values[number]) and self.is_authorised(_to_the_letter(domain_of(address))):
            yield "rewritten, though all see one author, who is authorised"
        yield from self._of_written(number)
        yield from self._of_reply(number, address, count)
        if address and _has_clean_words(self.values[number]):
            yield from self._of_name(number)

    def _of_written(self, number):
        """The new From: is one for all; Go sees nothing in one with a charset that it doesn't know."""
        for reader, mailboxes in self._written[self.after[number][b"From"]].items():
            if [address for _, address in mailboxes] != [FALLBACK] and (mailboxes or reader != "go-net-mail"):
                yield f"the new From: is {mailboxes} for {reader}"

    def _of_reply(self, number, address, count):
        if count < _NEARLY_ALL:
            return
        value = self.after[number].get(b"Reply-To")
        if value is None:
            if re.fullmatch(r"[^@]+@\w[\w-]*(\.\w[\w-]*)+", address):
                yield f"no way back to {address}"
            return
        found = {reader: set(map(_plain, addresses(mailboxes))) for reader, mailboxes in self._written[value].items()
                 if addresses(self.seen[number][reader]) and (mailboxes or reader != "go-net-mail")}
        if any(_plain(address) not in each for each in found.values()):
            yield f"the way back to {address} is {found}"

    def _of_name(self, number):
        names = collections.Counter(decoded(found[0][0]) for found in self.seen[number].values() if len(found) == 1)
        name, count = names.most_common(1)[0] if names else ("", 0)
        words = _words(name)
        if count < _MOST or not words:
            return
        shown = decoded(self._written[self.after[number][b"From"]]["python"][0][0])
        if not all(word in shown for word in words):
            yield f"the name {name!r} became {shown!r}"


def _is_beyond_readers(value):
    """
    Is it doubtful though all nine may agree: a line that an MTA breaks, a fold in quotes or a comment in a comment, with
    what means something to a parser for which the quotes or the comment ended there?
    """
    is_long = any(len(line) > _LINE_MAX for line in (b"From: " + value).split(b"\r\n"))
    is_folded = re.search(rb'["(][^"]*\r\n', value) and re.search(rb'["(].*[@<]', value, re.S)
    is_nested = re.search(rb"\([^()]*\(", value) and re.search(rb"\(.*[@<\",:;\\]", value, re.S)
    return is_long or is_folded or is_nested


def _has_clean_words(value):
    """Is each encoded word one that RFC 2047 knows? What readers show of others differs, and has tests of its own."""
    return b"=?" not in re.sub(rb"=\?[\w-]+\?[BbQq]\?[!->@-~]*\?=", b"", value)


def _words(name):
    """What of a name has to be left: not its addresses, and of a long one not its end."""
    return set(re.findall(r"[^\W_]{2,}", re.sub(r"\S*@\S*", "", name)[:150]))


def _plain(address):
    """address in the one spelling in which it is compared: no quotes that nobody needs, a domain as IDNA maps it."""
    local, _, domain = address.rpartition("@")
    try:
        mapped = domain.encode("idna").decode().lower()
    except UnicodeError:
        mapped = domain
    return re.sub(r"\\\\(.)|\"", r"\1", local).strip().lower().lstrip("'") + "@" + mapped.strip("'.")


def _zone(domains):
    return "$TTL 300\n" + "".join(f'{domain}. TXT "v=spf1 ip4:192.0.2.25 -all"\n' for domain in sorted(domains))


@pytest.fixture(scope="module")
def readers():
    try:
        return field_readers.make()
    except field_readers.MissingError as error:
        return need(str(error))


def _check(capsys, what, verdicts):
    violations = list(verdicts.violations())
    kept = verdicts.after.count(None)
    with capsys.disabled():
        print(f"\n{what}: {len(verdicts.values)} fields, {kept} kept, {len(verdicts.values) - kept} rewritten, "
              f"{len(violations)} violations")
    assert not violations, "\n".join(violations[:_SHOWN])
    return kept


def test_generated(daemons, readers, is_full_length, capsys):
    authorised = {_to_the_letter(domain) for domain in OWN} | {"lemniscus.de"}
    values = list(filter(_can_be_sent, _generated(20000 if is_full_length else 2000)))
    verdicts = Verdicts(daemons.start(zone=_zone(authorised)), readers, values, authorised.__contains__)
    assert _check(capsys, "generated", verdicts) > len(values) * 0.05


def test_collected(daemons, readers, is_full_length, capsys):
    """Every second domain that a reader sees in them is authorised."""
    try:
        values = list(filter(_can_be_sent, _collected()))
    except source_package.SourceError as error:
        need(str(error))
    domains = {_to_the_letter(domain_of(address)) for read in readers.values() for found in read(values)
               for _, address in found if domain_of(address)}
    valid = {domain for domain in domains if re.fullmatch(r"(?=.{1,250}$)[a-z0-9_-]{1,63}(\.[a-z0-9_-]{1,63})+", domain)}
    authorised = {domain for domain in valid if zlib.crc32(domain.encode()) % 2} | {"lemniscus.de"}
    verdicts = Verdicts(daemons.start(zone=_zone(authorised)), readers, values, authorised.__contains__)
    assert _check(capsys, "collected", verdicts) > len(values) * 0.2
    assert len(values) > 300
