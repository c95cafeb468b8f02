"""The rewrite over real messages, as a property: one honest author, the same name, the way back, and nothing else changed."""

import collections
import concurrent.futures
import json
import os
import random
import re
import subprocess
from email.header import decode_header
from email.utils import getaddresses

import pytest

from lab import arrived
from lab import clients
import corpora
import mailbox_grammar
from lab import paths
from lab.spfrom import configuration

pytestmark = pytest.mark.address

FALLBACK = "noreply@lemniscus.de"
OURS = {"from", "reply-to", "author", "x-original-from", "x-spfrom", "sender", "return-path", "dkim-signature"}
WRITTEN = ("from", "reply-to", "author", "x-original-from", "x-spfrom")
_SHOWN = 40  # violations


def split(data):
    """(fields as raw octets with their names, body). A line that is no field ends the header, as for an MTA."""
    fields, at = [], 0
    if data.startswith(b"From "):
        at = data.index(b"\n") + 1
    while True:
        match = re.compile(rb"([!-9;-~]+)[ \t]*:[^\n]*\n?(?:[ \t][^\n]*(?:\n|$))*").match(data, at)
        if match is None:
            return fields, data[at:]
        fields.append((match.group(1).decode().lower(), match.group(0)))
        at = match.end()


def values(fields, name):
    """Unfolded values, without the line end."""
    return [re.sub(rb"\r?\n(?=[ \t])", b"", raw.split(b":", 1)[1]).strip() for other, raw in fields if other == name]


def decoded(text):
    """text with its encoded words decoded; None where it can't be."""
    try:
        parts = [part.decode(charset or "utf-8") if isinstance(part, bytes) else part
                 for part, charset in decode_header(text)]
    except (LookupError, UnicodeDecodeError, ValueError):
        return None
    return " ".join("".join(parts).split())


def plain_name(value):
    """
    (name, address) of a From: that has one mailbox and leaves nothing to say about its name, for a reader other than
    ours; else None.
    """
    try:
        text = value.decode("ascii")
    except UnicodeDecodeError:
        return None
    if re.search(r"[()\\]", text) or text.count("@") != 1 or text.count('"') not in (0, 2) or "=?" in text and '"' in text:
        return None
    pairs = getaddresses([text])
    if len(pairs) != 1 or not re.fullmatch(r"[\w.+=-]+@[A-Za-z0-9.-]+", pairs[0][1]):
        return None
    name = decoded(pairs[0][0])
    if not name or "@" in name or not name.isprintable() or len(name) > 150:
        return None
    return name, pairs[0][1]


class Violation(Exception):
    pass


def demand(condition, what):
    if not condition:
        raise Violation(what)


def check_rewritten(before, after, report):
    old, old_body = split(before)
    new, new_body = split(after)
    demand(new_body.lstrip(b"\r\n") == old_body.lstrip(b"\r\n") if not old_body.startswith((b"\n", b"\r\n"))
           else new_body == old_body, "the body has changed")
    demand([raw for name, raw in old if name not in OURS] == [raw for name, raw in new if name not in OURS] or
           not before.endswith(b"\n"), "another field has changed")
    senders = values(new, "from")
    demand(len(senders) == 1, f"{len(senders)} fields From:")
    pairs = getaddresses([senders[0].decode()])
    demand(len(pairs) == 1 and pairs[0][1] == FALLBACK, f"From: reads {pairs}")
    check_written(new)
    wanted = [value for value in values(old, "from") if value]
    plain = plain_name(wanted[0]) if len(wanted) == 1 else None
    if plain is not None:
        demand(decoded(pairs[0][0]) == plain[0], f"the name was {plain[0]!r}, is {decoded(pairs[0][0])!r}")
    check_reply(old, new, plain, report)


def check_written(fields):
    """What we write is a header on every path: short lines, no controls, one field a name."""
    for name in WRITTEN:
        for raw in [raw for other, raw in fields if other == name]:
            for line in raw.splitlines():
                demand(len(line) <= 998, f"{name}: a line of {len(line)} octets")
            demand(not re.search(rb"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f]", raw) or name not in ("from", "x-spfrom"),
                   f"{name}: a control character")


def check_reply(old, new, plain, report):
    kept = [value for value in values(old, "reply-to") if value]
    if kept:
        demand([value for value in values(new, "reply-to") if value] == kept, "an existing Reply-To: has changed")
        return
    if plain is None or report["author"] is None:
        return
    replies = values(new, "reply-to")
    demand(len(replies) == 1, f"{len(replies)} fields Reply-To:")
    address = getaddresses([replies[0].decode()])[0][1]
    demand(address.lower() == plain[1].lower().rstrip("."), f"Reply-To: leads to {address!r}, the author is {plain[1]!r}")


def run(file, data, *arguments):
    return subprocess.run([paths.TOOL, "-c", file, "test", *arguments], input=data, capture_output=True, timeout=60)


def check_message(file, data):
    """Returns what was done with the message; raises Violation."""
    done = run(file, data)
    demand(done.returncode in (0, 1), f"exit {done.returncode}: {done.stderr.decode(errors='replace')[:200]}")
    report = json.loads(run(file, data, "--json").stdout)
    if done.returncode == 0:
        demand(done.stdout == data, "kept, and yet changed")
        return "kept"
    if report["edits"]:
        check_rewritten(data, done.stdout, report)
    again = run(file, done.stdout, "--sender", FALLBACK)
    demand(again.returncode == 0 and again.stdout == done.stdout, "the second pass changes something")
    return "rewritten"


def check_all(file, found):
    counts, violations = collections.Counter(), []

    def one(item):
        package, name, data = item
        try:
            return package, name, check_message(file, data), None
        except Violation as violation:
            return package, name, None, str(violation)

    with concurrent.futures.ThreadPoolExecutor(os.cpu_count() or 1) as pool:
        for package, name, what, violation in pool.map(one, found):
            counts[package] += 1
            counts[what] += 1
            if violation:
                violations.append(f"{package} {name}: {violation}")
    return counts, violations


@pytest.fixture(scope="module")
def configured(tmp_path_factory):
    directory = tmp_path_factory.mktemp("corpora")
    (directory / "zone").write_text('$TTL 300\nlemniscus.de. TXT "v=spf1 ip4:192.0.2.25 -all"\n')
    file = directory / "spfrom.conf"
    file.write_text(configuration({"fallback_address": FALLBACK, "relay_hosts": ["192.0.2.25"], "mode": "rewrite",
                                   "hostname": "relay.lemniscus.de", "dns_zone_file": directory / "zone"}))
    return file


def test_corpora(configured, capsys):
    found = list(corpora.messages())
    counts, violations = check_all(configured, found)
    with capsys.disabled():
        sources = ", ".join(f"{package} {counts[package]}" for package in corpora.PACKAGES if counts[package])
        print(f"\ncorpora: {len(found)} messages ({sources}): {counts['rewritten']} rewritten, {counts['kept']} kept, "
              f"{len(violations)} violations")
    assert len(found) > 500
    assert not violations, "\n".join(violations[:_SHOWN])


def _generated(count):
    grammar = mailbox_grammar.Grammar(random.Random(7208))
    for number in range(count):
        value, meant, is_plain = grammar.value()
        yield number, b"Date: Tue, 24 Nov 2026 10:00:00 +0100\r\nFrom: " + value + \
            b"\r\nTo: r@example.net\r\nMessage-ID: <1@x.example>\r\nSubject: hello\r\n\r\nbody\r\n", meant, is_plain


def _check_generated(file, data, meant, is_plain):
    """What a mailbox means is what the reply goes to, in order, and whose name shows; or we are in doubt."""
    check_message(file, data)
    fields, _ = split(run(file, data).stdout)
    replies = [address.lower() for _, address in getaddresses([b", ".join(values(fields, "reply-to")).decode()])]
    wanted = [address.lower() for _, address in meant]
    is_read = replies == wanted
    demand(is_read or not is_plain, f"Reply-To: leads to {replies}, the authors are {wanted}")
    demand(set(replies) <= set(wanted), f"Reply-To: leads to {replies}, of which some are no authors: {wanted}")
    if is_read and meant[0][0] is not None:
        name = decoded(getaddresses([values(fields, "from")[0].decode()])[0][0])
        demand(name == " ".join(meant[0][0].split()), f"the name is {name!r}, was {meant[0][0]!r}")
    return is_read


def test_generated_mailboxes(configured, is_full_length, capsys):
    violations, read, plain = [], 0, 0
    messages = list(_generated(5000 if is_full_length else 400))
    with concurrent.futures.ThreadPoolExecutor(os.cpu_count() or 1) as pool:
        futures = [(number, data, is_plain, pool.submit(_check_generated, configured, data, meant, is_plain))
                   for number, data, meant, is_plain in messages]
    for number, data, is_plain, future in futures:
        plain += is_plain
        try:
            read += future.result()
        except Violation as violation:
            violations.append(f"{number}: {violation}\n{data.decode()}")
    with capsys.disabled():
        print(f"\ngenerated: {len(messages)} messages ({plain} plain, the others obsolete), {read} read as they are meant, "
              f"{len(messages) - read} in doubt, {len(violations)} violations")
    assert not violations, "\n".join(violations[:_SHOWN])
    assert read > len(messages) * 0.6


def _can_be_sent(data):
    """Postfix breaks longer lines, strips NUL and adds what a message has to have by itself."""
    names = {name for name, _ in split(data)[0]}
    has_own = {"date", "message-id", "from"} <= names
    if any(name.startswith("resent-") for name in names):
        has_own = has_own and {"resent-date", "resent-message-id", "resent-from"} <= names
    return has_own and len(data) < 200_000 and b"\0" not in data and all(len(line) <= 990 for line in data.splitlines())


def _through(route, number, data):
    recipient = f"corpus{number}@example.net"
    clients.send_smtp(route.postfix, FALLBACK, recipient, b"\r\n".join(data.splitlines()) + b"\r\n")
    return arrived.without_transit(route.sink.take(recipient, 60).data)


def test_through_postfix(routes, bare_route, is_full_length, capsys):
    found = [data for _, data, _, _ in _generated(40)]
    real = [data for _, _, data in corpora.messages() if _can_be_sent(data) and not data.startswith(b"From ")]
    found += real if is_full_length else real[::12]
    violations = []
    for number, data in enumerate(found):
        before, after = (_through(route, number, data) for route in (bare_route, routes["rewrite"]))
        try:
            check_rewritten(before, after, {"author": None})
        except Violation as violation:
            violations.append(f"{violation}\n{before[:2000].decode(errors='replace')}")
    with capsys.disabled():
        print(f"\nthrough Postfix: {len(found)} messages, {len(violations)} violations")
    assert not violations, "\n".join(violations[:_SHOWN])
