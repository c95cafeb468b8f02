"""Each key alone: what it changes in one message (design sections 4, 5, 10). Through the milter protocol."""

import json

import pytest

from lab import processes
from lab.cases import MUELLER, OHNE
from lab.milter_client import NO_STEPS, MilterClient, ask
from lab.zone import FALLBACK

pytestmark = [pytest.mark.address, pytest.mark.thread]

GMX = "praxis@gmx.de"
LANGSAM = "praxis@praxis-langsam.de"
KLINIK = "info@klinik-nord.de"
VERSAND = "liste@versand.example"
KEEP = "keep"


def _domain(name, text):
    return {"extra": f'domain "{name}" {{ {text} }}\n'}


DKIM_PASS = ("Authentication-Results", "mx.lemniscus.de; dkim=pass header.d=praxis-ohne.de")
DKIM_OTHER = ("Authentication-Results", "mx.lemniscus.de; dkim=pass header.d=versand.example")
DKIM_SIGNED = ("DKIM-Signature", "v=1; d=praxis-ohne.de; b=A")
DKIM_STRANGER = ("Authentication-Results", "mx.example.net; dkim=pass header.d=praxis-ohne.de")

# name, settings, envelope sender, fields, wanted: KEEP, an SMTP reply's start, or
# {field: part of its value or None where it is not there; "envelope": the new envelope sender or None where it stays}
ROWS = [
    ("rewrite_on-without-none", {"rewrite_on": ["fail"]}, OHNE, [("From", OHNE)], KEEP),
    ("rewrite_on-with-fail", {"rewrite_on": ["fail"]}, GMX, [("From", GMX)], {"envelope": FALLBACK}),
    ("tempfail_on", {"tempfail_on": ["temperror"]}, LANGSAM, [("From", LANGSAM)], "451 4.7.24"),
    ("tempfail_on-other-result", {"tempfail_on": ["temperror"]}, GMX, [("From", GMX)], {"envelope": FALLBACK}),
    ("tempfail_on-envelope-alone", {"tempfail_on": ["temperror"]}, LANGSAM, [("From", MUELLER)], "451 4.7.24"),
    ("tempfail_on-author-decides", {"tempfail_on": ["temperror"]}, LANGSAM, [("From", GMX)], {"envelope": FALLBACK}),
    ("tempfail_on-log-only", {"tempfail_on": ["temperror"], "mode": "log-only"}, LANGSAM, [("From", LANGSAM)], KEEP),
    ("envelope_sender-author", {}, GMX, [("From", MUELLER)], {"envelope": MUELLER, "From": MUELLER}),
    ("envelope_sender-fallback", {"envelope_sender": "fallback"}, GMX, [("From", MUELLER)],
     {"envelope": FALLBACK, "From": MUELLER}),
    ("align_envelope-no", {}, VERSAND, [("From", MUELLER)], KEEP),
    ("align_envelope-yes", {"align_envelope": "yes"}, VERSAND, [("From", MUELLER)], {"envelope": MUELLER}),
    ("align_envelope-dmarc", {"align_envelope": "dmarc"}, VERSAND, [("From", KLINIK)], {"envelope": KLINIK}),
    ("align_envelope-dmarc-without-policy", {"align_envelope": "dmarc"}, VERSAND, [("From", MUELLER)], KEEP),
    ("align_envelope-null-sender", {"align_envelope": "yes"}, "", [("From", MUELLER)], KEEP),
    ("null_sender-fallback", {"null_sender": "fallback"}, "", [("From", OHNE)], {"envelope": FALLBACK}),
    ("null_sender-fallback-kept-author", {"null_sender": "fallback"}, "", [("From", MUELLER)],
     {"envelope": FALLBACK, "From": MUELLER, "X-SPFrom": None}),
    ("exempt_dkim", {"exempt_dkim": "mx.lemniscus.de"}, OHNE, [DKIM_PASS, DKIM_SIGNED, ("From", OHNE)], KEEP),
    ("exempt_dkim-without-signature", {"exempt_dkim": "mx.lemniscus.de"}, OHNE, [DKIM_PASS, ("From", OHNE)],
     {"envelope": FALLBACK}),
    ("exempt_dkim-not-aligned", {"exempt_dkim": "mx.lemniscus.de"}, OHNE, [DKIM_OTHER, ("From", OHNE)],
     {"envelope": FALLBACK}),
    ("exempt_dkim-stranger", {"exempt_dkim": "mx.lemniscus.de"}, OHNE, [DKIM_STRANGER, DKIM_SIGNED, ("From", OHNE)],
     {"envelope": FALLBACK}),
    ("exempt_dkim-not-set", {}, OHNE, [DKIM_PASS, DKIM_SIGNED, ("From", OHNE)], {"envelope": FALLBACK}),
    ("display_name", {"display_name": "%n (%d)"}, OHNE, [("From", f"Otto <{OHNE}>")],
     {"From": f'"Otto (praxis-ohne.de)" <{FALLBACK}>'}),
    ("display_name_missing", {"display_name_missing": "Praxis %l"}, OHNE, [("From", OHNE)],
     {"From": f"Praxis ohne <{FALLBACK}>"}),
    ("reply_to-never", {"reply_to": "never"}, OHNE, [("From", OHNE)], {"Reply-To": None, "Author": OHNE}),
    ("author_header-none", {"author_header": []}, OHNE, [("From", OHNE)], {"Author": None, "X-Original-From": None}),
    ("author_header-other", {"author_header": ["X-Was"]}, OHNE, [("From", OHNE)], {"Author": None, "X-Was": OHNE}),
    ("sender_header-keep", {"sender_header": "keep"}, OHNE, [("From", OHNE), ("Sender", GMX)], {"Sender": GMX}),
    ("sender_header-fallback", {"sender_header": "fallback"}, OHNE, [("From", OHNE), ("Sender", GMX)],
     {"Sender": FALLBACK}),
    ("dkim_signatures-keep", {"dkim_signatures": "keep"}, OHNE,
     [("From", OHNE), ("DKIM-Signature", "v=1; d=praxis-ohne.de; b=A")], {"DKIM-Signature": "d=praxis-ohne.de"}),
    ("trace_header-no", {"trace_header": "no"}, OHNE, [("From", OHNE)], {"X-SPFrom": None, "envelope": FALLBACK}),
    ("fallback_address-with-name", {"fallback_address": '"Praxispost" <post@lemniscus.de>'}, OHNE, [("From", OHNE)],
     {"envelope": "post@lemniscus.de", "From": "<post@lemniscus.de>"}),
    ("section-log-only", _domain("praxis-ohne.de", 'mode = "log-only"'), OHNE, [("From", OHNE)], KEEP),
    ("section-other-domain", _domain("gmx.de", 'mode = "log-only"'), OHNE, [("From", OHNE)], {"envelope": FALLBACK}),
    ("section-fallback", _domain("praxis-ohne.de", 'fallback_address = "noreply@mail.lemniscus.de"'), OHNE,
     [("From", OHNE)], {"envelope": "noreply@mail.lemniscus.de"}),
    ("section-subdomains", _domain(".praxis-ohne.de", 'mode = "off"'), "x@a.b.praxis-ohne.de",
     [("From", "x@a.b.praxis-ohne.de")], KEEP),
    ("section-subdomains-not-itself", _domain(".praxis-ohne.de", 'mode = "off"'), OHNE, [("From", OHNE)],
     {"envelope": FALLBACK}),
    ("section-more-active-than-configuration", {"mode": "off", **_domain("praxis-ohne.de", "mode = rewrite")}, OHNE,
     [("From", OHNE)], {"envelope": FALLBACK}),
    ("relay_policy-all", {"relay_hosts": ["192.0.2.25", "198.51.100.1"]}, MUELLER, [("From", MUELLER)],
     {"envelope": FALLBACK}),
    ("relay_policy-any", {"relay_hosts": ["192.0.2.25", "198.51.100.1"], "relay_policy": "any"}, MUELLER,
     [("From", MUELLER)], KEEP),
    ("relay-by-name", {"relay_hosts": ["relay.lemniscus.de"]}, MUELLER, [("From", MUELLER)], KEEP),
    ("relay-by-spf", {"relay_hosts": ["spf:lemniscus.de"]}, OHNE, [("From", OHNE)], {"envelope": FALLBACK}),
    ("relay-network-not-whole", {"relay_hosts": ["192.0.2.0/28"]}, MUELLER, [("From", MUELLER)],
     {"envelope": FALLBACK}),
]


def _values(fields, name):
    return [value.decode() for other, value in fields if other.decode().lower() == name.lower()]


@pytest.mark.parametrize("name, settings, sender, fields, wanted", ROWS, ids=[row[0] for row in ROWS])
def test_key(daemons, name, settings, sender, fields, wanted):
    outcome = ask(daemons.start(**settings).address, fields, sender=sender)
    if wanted is KEEP:
        assert outcome.answer in ("continue", "accept") and not outcome.edits
        return
    if isinstance(wanted, str):
        assert outcome.answer.startswith(wanted)
        return
    applied = outcome.applied(fields)
    for field, part in wanted.items():
        if field == "envelope":
            assert outcome.sender() == part
        elif part is None:
            assert not _values(applied, field)
        else:
            assert len(_values(applied, field)) == 1 and part in _values(applied, field)[0]


def test_domain_map(daemons, directory):
    file = directory / "domain_map"
    file.write_text("# verified by the provider\npraxis-ohne.de authorised=yes\n"
                    "praxis-mueller.de authorised=no\ngmx.de mode=log-only\n")
    file.chmod(0o644)
    daemon = daemons.start(domain_map=file)
    assert not ask(daemon.address, [("From", OHNE)], sender=OHNE).edits
    assert not ask(daemon.address, [("From", GMX)], sender=GMX).edits
    assert ask(daemon.address, [("From", MUELLER)], sender=MUELLER).sender() == FALLBACK


# id, settings, lines of the map, sender → what the log and `spfrom test` say if nothing was looked up
TENANT = "noreply@mail.lemniscus.de"
WHY = [
    ("off", {"mode": "off"}, "", OHNE, "keep", {"spf": "-", "why": "off"}),
    ("section-off", _domain("praxis-ohne.de", 'mode = "off"'), "", OHNE, "keep", {"spf": "-", "why": "off"}),
    ("map-yes", {}, "praxis-ohne.de authorised=yes", OHNE, "keep", {"spf": "-", "why": "map"}),
    ("map-no", {}, "praxis-mueller.de authorised=no", MUELLER, "rewrite", {"spf": "-", "why": "map"}),
    ("fallback", {}, "", "info@lemniscus.de", "keep", {"spf": "-", "why": "fallback"}),
    ("tenant", {}, f"praxis-ohne.de fallback_address={TENANT}", OHNE, "rewrite", {"spf": "none", "fallback": TENANT}),
    ("looked-up", {}, "", MUELLER, "keep", {"spf": "pass"}),
    ("rewritten", {}, "", OHNE, "rewrite", {"spf": "none"}),
]


@pytest.mark.parametrize("settings, lines, sender, action, wanted", [row[1:] for row in WHY], ids=[row[0] for row in WHY])
def test_log_says_why_nothing_was_looked_up(daemons, directory, settings, lines, sender, action, wanted):
    file = directory / "why_map"
    _replace(file, lines + "\n")
    daemon = daemons.start(domain_map=file, **settings)
    ask(daemon.address, [("From", sender)], sender=sender)
    logged = daemon.wait_for_record(action=action, author=sender)
    assert {key: logged[key] for key in ("spf", "why", "fallback") if key in logged} == wanted
    assert ("relay" in logged) == ("cache" in logged) == (wanted["spf"] != "-")
    probe = json.loads(daemon.tool("test", "--json", input=f"From: {sender}\n\n").stdout)
    assert probe["action"] == action and (probe["result"] or "-") == wanted["spf"]
    assert {key: probe[key] for key in ("why", "fallback") if key in probe} == \
           {key: wanted[key] for key in ("why", "fallback") if key in wanted}


def test_fallback_without_its_local_part(daemons, directory):
    file = directory / "why_map"
    _replace(file, f"praxis-ohne.de fallback_address={TENANT}\n")
    daemon = daemons.start(domain_map=file, log_addresses="domain")
    ask(daemon.address, [("From", OHNE)], sender=OHNE)
    assert daemon.wait_for_record(action="rewrite")["fallback"] == "mail.lemniscus.de"


def _is_touched(daemon, sender):
    return bool(ask(daemon.address, [("From", sender)], sender=sender).edits)


def _wait_for_log(daemon, text, times=1):
    processes.wait_until(lambda: daemon.log().count(text) >= times, 30, f"{text!r} in the log, {times} times")


def _replace(file, text):
    new = file.with_suffix(".new")
    new.write_text(text)
    new.chmod(0o644)
    new.rename(file)


def test_domain_map_is_watched(daemons, directory):
    """Replaced, written over, wrong, gone and back: what was right last counts, and only the map is read."""
    file = directory / "watched_map"
    _replace(file, "praxis-ohne.de mode=off\n")
    daemon = daemons.start(domain_map=file)
    assert not _is_touched(daemon, OHNE)
    daemon.configuration_file.write_text("mode = wrong\n")  # is nobody's business until a reload
    _replace(file, "gmx.de mode=off\n")
    _wait_for_log(daemon, f"domain_map read anew: {file}")
    assert _is_touched(daemon, OHNE) and not _is_touched(daemon, GMX)
    file.write_text("praxis-ohne.de mode=off\ngmx.de mode=loud\n")
    _wait_for_log(daemon, f"{file}:2: mode")
    assert _is_touched(daemon, OHNE) and not _is_touched(daemon, GMX)
    file.unlink()
    _wait_for_log(daemon, f"{file}: can't be read")
    assert not _is_touched(daemon, GMX)
    _replace(file, "praxis-ohne.de mode=off\n")
    _wait_for_log(daemon, f"domain_map read anew: {file}", 2)
    assert not _is_touched(daemon, OHNE) and _is_touched(daemon, GMX)
    assert daemon.log().count("domain_map not read anew") == 2


def test_domain_map_of_100000_lines_changes_under_a_message(daemons, directory):
    """A message keeps the map that it began with."""
    lines = "".join(f"praxis-{i}.example mode=log-only\n" for i in range(100000))
    file = directory / "long_map"
    _replace(file, lines + "praxis-ohne.de mode=off\n")
    daemon = daemons.start(domain_map=file)
    with MilterClient(daemon.address, NO_STEPS) as client:  # MAIL is answered: the message has begun
        assert not client.connect() and not client.envelope(OHNE)
        _replace(file, lines)
        _wait_for_log(daemon, f"domain_map read anew: {file}")
        assert not client.header("From", OHNE) and not client.eoh()
        assert not client.eom().edits
    assert _is_touched(daemon, OHNE)
