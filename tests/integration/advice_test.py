"""Every record that spfrom advises is accepted by pyspf, an independent implementation of RFC 7208, for every relay; what
worked before it still works; and once it is published, nothing is left to be done."""

import ipaddress
import json
import os
import random
import re
import subprocess

import pytest
import spf

from advice_situations import SITUATIONS
from advice_zone import BASE, DOMAIN, HELO, PROBES, RELAYS, with_records, zone_file
from conftest import need
from lab.paths import BUILDDIR

pytestmark = pytest.mark.address


HELPER = BUILDDIR / "advice_eval"
SEED = 15
RANDOM_RECORDS = 700
LOOKUPS_MAX, VOIDS_MAX = 10, 2
STRANGERS = ["8.8.8.8", "100.64.0.1", "192.0.3.1", "2a00:1450::1", "2001:db9::1"]
PROVIDERS = "gmail.com\ngmx.de\nweb.de\nt-online.de\n"
HOSTERS = "rzone.de Strato include:_spf.strato.com\nbroken.example Broken include:nothing.x.org\n" \
          "google.com Google include:_spf.google.com\nplain.example Plain Hosting\n"
UNAFFECTED = "Mail that is sent or received in other ways is not affected."


# --- Asking ----------------------------------------------------------------------------------------------------------

def _advise(questions):
    """questions: of (zone, domain, relays)."""
    asked = [json.dumps({"zone": zone_file(zone), "domain": domain, "settings": RELAYS[relays], "providers": PROVIDERS,
                         "hosters": HOSTERS})
             for zone, domain, relays in questions]
    done = subprocess.run([HELPER], input="\n".join(asked) + "\n", capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return [json.loads(line) for line in done.stdout.splitlines()]


def _advise_one(zone, domain=DOMAIN, relays="ses"):
    return _advise([(zone, domain, relays)])[0]


def _pyspf(zone, address, domain=DOMAIN):
    def look_up(name, kind, *_):
        name = name.lower().rstrip(".")
        return [((name, kind), (value.encode(),) if kind == "TXT" else value) for value in zone.get((name, kind), [])]

    spf.DNSLookup = look_up
    query = spf.query(i=address, s=f"postmaster@{domain}", h=HELO)
    result, _, text = query.check()
    return result, text, query


def _samples(network):
    """The first and the last address of a network, and one between them."""
    network = ipaddress.ip_network(network)
    return sorted({str(network[0]), str(network[-1]), str(network[network.num_addresses // 3])})


def _points(advice, kind):
    return [point for point in advice["points"] if point["kind"] == kind]


# --- What has to hold of every advice --------------------------------------------------------------------------------

def _check_passes(advice, relays):
    """Each relay passes, within the limits; with relay_policy any, the whole of one entry."""
    zone = with_records([advice["record"]])
    failed = []
    for network in advice["relays"]:
        for address in _samples(network):
            result, text, query = _pyspf(zone, address)
            if result == "pass":
                assert query.lookups <= LOOKUPS_MAX and query.void_lookups <= VOIDS_MAX
            else:
                failed.append((address, result, text))
    if relays != "any":
        assert not failed, (advice["record"], failed)
    assert len({address for address, *_ in failed}) < sum(len(_samples(each)) for each in advice["relays"])


def _spf_records(records):
    return [record for record in records if record.lower().startswith("v=spf1 ") or record.lower() == "v=spf1"]


def _check_keeps(advice, records):
    """Whoever passed still does."""
    if _points(advice, "dropped"):
        return
    if len(_spf_records(records)) != 1:
        return
    before, after = with_records(records), with_records([advice["record"]])
    for address in PROBES:
        if _pyspf(before, address)[0] == "pass":
            now = _pyspf(after, address)
            assert now[0] == "pass", (address, records, advice["record"], now[:2])


def _key(term):
    return term.lstrip("+-~?").lower().rstrip(".").removesuffix("/32")


def _check_terms(advice, records):
    """Each term that is right and counts is in the proposed record, or a point says why it isn't."""
    said = {_key(point["term"]) for kind in ("flattened", "void", "double", "dropped", "broken", "error", "many-hosts",
                                             "uncounted")
            for point in _points(advice, kind)}
    proposed = {_key(term) for term in advice["record"].split()[1:]}
    for record in _spf_records(records):
        for term in record.split()[1:]:
            if term.lower().lstrip("+-~?") == "all":
                break
            if _key(term) in proposed | said or "include:" + _key(term).removeprefix("redirect=") in proposed:
                continue
            if "=" in term:  # a second exp, or a redirect beside all
                continue
            assert any(term in point["term"] for point in _points(advice, "error")), (term, records, advice)


def _check_text_stays(advice, record):
    """extend: without what was added it is the record found, octet for octet, but for terms whose sign was changed."""
    text = advice["record"]
    for mechanism in advice["added"]:
        assert f" {mechanism}" in text
        text = text.replace(f" {mechanism}", "", 1)
    for point in _points(advice, "sign"):
        assert point["term"][0] in "-~?" and _key(point["term"]) == _key(point["text"])
        record = record.replace(f" {point['term']}", "", 1)
    assert text == record


def _passes(record, address):
    return _pyspf(with_records([record]), address)[0] == "pass"


def _senders_written_whole(record):
    """The record of those who are let pass by a term of record that counts and is right by itself."""
    for term in re.split(r"[\s,;\"\u201c\u201d]+|(?=(?<!\.org)[-~?]all\b)", record):
        if term.lower().lstrip("+-~?") == "all" and term not in ("+all", "all"):
            return
        if term[:1] not in "-~?":
            yield f"v=spf1 {term.replace('redirect=', 'include:')} -all"


def _check_is_not_more_open(advice, records):
    """
    Nobody passes but our relays, those who did, and those whom the owner of a broken record wrote whole. Where words were
    mended, only strangers are looked at: a mended word stands for somebody who did not pass.
    """
    is_mended = bool(_points(advice, "error") or _points(advice, "version"))
    if is_mended and any("all.x.org" in record for record in records):
        return  # whoever wrote that meant everybody
    for address in STRANGERS if is_mended else [*PROBES, *STRANGERS]:
        if not _passes(advice["record"], address) or any(
                ipaddress.ip_address(address) in ipaddress.ip_network(network) for network in advice["relays"]):
            continue
        if advice["added"] and _passes("v=spf1 " + " ".join(advice["added"]) + " -all", address):
            continue
        if any(_passes(record, address) for record in records):
            continue
        broken = [record for record in records if _pyspf(with_records([record]), address)[0] in ("permerror", "none")]
        assert any(_passes(written, address) for record in broken for written in _senders_written_whole(record)), (
            address, records, advice["record"])


def _check(advice, records, relays):
    record = advice["record"]
    if record is None:
        return
    _check_is_not_more_open(advice, records)
    assert record.isascii() and record.lower().startswith("v=spf1 ")
    _check_passes(advice, relays)
    _check_keeps(advice, records)
    if len(records) == 1 and advice["kind"] == "extend":
        _check_text_stays(advice, records[0])
    strings = _points(advice, "strings")
    assert bool(strings) == (len(record) > 255)
    for point in strings:
        assert "".join(point["texts"]) == record and max(map(len, point["texts"])) <= 255
    assert bool(_points(advice, "long")) == (len(record) > 450)


@pytest.fixture(scope="module", autouse=True)
def needs_helper():
    need(None if HELPER.exists() else f"{HELPER} is not built")


@pytest.fixture(scope="module")
def answers():
    return _advise([(with_records(records), DOMAIN, relays) for relays, records, _, _ in SITUATIONS])


def test_there_are_enough_situations():
    assert len(SITUATIONS) >= 120


@pytest.mark.parametrize("number", range(len(SITUATIONS)))
def test_situation(answers, number):
    relays, records, kind, record = SITUATIONS[number]
    advice = answers[number]
    assert (advice["kind"], advice["record"]) == (kind, record), records
    _check(advice, records, relays)
    if record is not None:
        _check_terms(advice, records)


def test_others_are_unaffected_if_that_is_said(answers):
    """It is said of whatever only adds to a record that worked, and of no other."""
    for (relays, records, kind, record), advice in zip(SITUATIONS, answers, strict=True):
        is_said = UNAFFECTED in advice["text"]
        assert is_said == (kind == "extend" and record is not None), (records, advice)
        if not is_said:
            continue
        before, after = with_records(records), with_records([record])
        added = "v=spf1 " + " ".join(advice["added"]) + " -all"
        for address in [*PROBES, *STRANGERS]:
            if not _passes(added, address):
                assert _pyspf(before, address)[0] == _pyspf(after, address)[0], (relays, records, record, address)


def test_nothing_is_left_to_do(answers):
    """Once the record is published, the advice is ok."""
    published = [(with_records([advice["record"]]), DOMAIN, situation[0])
                 for situation, advice in zip(SITUATIONS, answers, strict=True) if advice["record"] is not None]
    assert len(published) > 120
    for (zone, _, relays), advice in zip(published, _advise(published), strict=True):
        assert advice["kind"] == "ok", (relays, zone[DOMAIN, "TXT"], advice)


# --- Random records, half of them mangled ----------------------------------------------------------------------------

def _term(rng):
    kind = rng.choice(["include"] * 4 + ["a"] * 4 + ["own"] * 2 + ["ip4"] * 5 + ["ip6", "macro", "modifier", "all"])
    qualifier = rng.choice(["", "", "", "", "+", "-", "~", "?"])
    if kind == "include":
        names = ["_spf.google.com", "amazonses.com", "loop.x.org", "bad.x.org", "two.x.org", "nothing.x.org", "ptr.x.org",
                 "redir.x.org", "deep.x.org", "neg.x.org", "all.x.org", "%{d}.x.org", *(f"i{i}.x.org" for i in range(10))]
        return f"{qualifier}include:{rng.choice(names)}"
    if kind == "a":
        return qualifier + "a:" + rng.choice([*(f"h{i}.x.org" for i in range(10)), "void1.x.org", "h1.x.org/24//64"])
    if kind == "own":
        return qualifier + rng.choice(["a", "mx", "mx", "a/24", "mx:praxis.de"])
    if kind == "ip4":
        return qualifier + "ip4:" + rng.choice(["192.0.2.0/24", "192.0.2.25", "54.240.0.0/18", "198.51.100.0/24",
                                                f"203.0.113.{rng.randrange(14)}"])
    if kind == "ip6":
        return qualifier + "ip6:" + rng.choice(["2001:db8::25", "2001:db8:7::/48"])
    if kind == "macro":
        return qualifier + rng.choice(["ptr", "exists:%{i}.x.org", "exists:h1.x.org", "ptr:x.org"])
    if kind == "modifier":
        return rng.choice(["redirect=_spf.google.com", "redirect=nothing.x.org", "redirect=redir.x.org"])
    return qualifier + "all"


def _record(rng):
    terms = [_term(rng) for _ in range(rng.choice([0, 1, 2, 2, 3, 3, 4, 5, 8, 14]))]
    return " ".join(["v=spf1", *terms, rng.choice(["-all", "~all", "?all", "", "-all"])])


def _mangled(rng, record):
    at = rng.randrange(len(record))
    blank = record.find(" ", at)
    return rng.choice([
        record[:at] + record[at + 1:],
        record[:at] + rng.choice("abc:=/ .,;\"'-~%{}@1") + record[at:],
        record[:blank] + record[blank + 1:] if blank > 0 else record,
        record.replace(":", "=", 1),
        record.replace(":", ": ", 1),
        record.replace(" ", rng.choice([", ", ";", "; ", ","])),
        f'"{record}"',
        record.replace("ip4", "ipv4").replace("ip6", "ipv6"),
        record.replace("include", "inlcude", 1),
        record.replace("-all", "\u2013all"),
        record.replace("v=spf1", rng.choice(["v=spf2", "spf1", "v=spf1;", "v= spf1", "V=SPF", "v=spf1:"]), 1),
    ])


def _situations(rng):
    for _ in range(RANDOM_RECORDS):
        records = [_record(rng) for _ in range(rng.choice([1] * 6 + [2]))]
        if rng.random() < 0.5:
            records = [_mangled(rng, record) for record in records]
        yield rng.choice(["ses", "ses", "ip", "host", "both", "net", "own", "any"]), records


def test_random_records():
    situations = list(_situations(random.Random(SEED)))
    seen = {}
    unreadable = 0
    published = []
    for (relays, records), advice in zip(
            situations, _advise([(with_records(records), DOMAIN, relays) for relays, records in situations]), strict=True):
        seen[advice["kind"]] = seen.get(advice["kind"], 0) + 1
        assert advice["record"] is not None or advice["kind"] == "ok" or _points(advice, "unreadable") \
            or _points(advice, "broken-refusal"), (records, relays, advice)
        unreadable += bool(_points(advice, "unreadable"))
        if advice["record"] is not None:
            _check(advice, records, relays)
            published.append((with_records([advice["record"]]), DOMAIN, relays))
    for (zone, _, relays), advice in zip(published, _advise(published), strict=True):
        assert advice["kind"] == "ok", (relays, zone[DOMAIN, "TXT"], advice)
    print(seen, unreadable)
    assert unreadable < RANDOM_RECORDS / 20
    assert min(seen.get(kind, 0) for kind in ("ok", "extend", "repair", "merge", "reduce")) > 0, seen


# --- The smallest change ---------------------------------------------------------------------------------------------

# What mail services publish, with as many look-ups and networks as they have.
SERVICES = {
    "spf.protection.outlook.com": "v=spf1 ip4:40.92.0.0/15 ip4:40.107.0.0/16 ip4:52.100.0.0/14 ip4:104.47.0.0/17 "
                                  "ip6:2a01:111:f400::/48 ip6:2a01:111:f403::/49 ip6:2a01:111:f403:8000::/51 "
                                  "include:spfd.protection.outlook.com -all",
    "spfd.protection.outlook.com": "v=spf1 ip4:51.4.72.0/24 ip4:51.5.72.0/24 ip4:51.5.80.0/27 ip4:20.47.149.138 "
                                   "ip6:2a01:4180:4050:400::/64 ip6:2a01:4180:4051:800::/64 -all",
    "mailgun.org": "v=spf1 include:_spf.mailgun.org include:_spf.eu.mailgun.org ~all",
    "_spf.mailgun.org": "v=spf1 ip4:209.61.151.0/24 ip4:166.78.68.0/22 ip4:198.61.254.0/23 ip4:192.237.158.0/23 "
                        "ip4:23.253.182.0/23 ip4:104.130.96.0/28 ip4:146.20.113.0/24 ip4:159.135.224.0/20 ~all",
    "_spf.eu.mailgun.org": "v=spf1 ip4:141.193.32.0/23 ip4:159.112.240.0/20 ip4:161.38.192.0/20 ~all",
    "sendgrid.net": "v=spf1 ip4:167.89.0.0/17 ip4:208.117.48.0/20 ip4:50.31.32.0/19 include:ab.sendgrid.net ~all",
    "ab.sendgrid.net": "v=spf1 ip4:223.165.113.0/24 ip4:223.165.115.0/24 ~all",
    "servers.mcsv.net": "v=spf1 ip4:205.201.128.0/20 ip4:198.2.128.0/18 ip4:148.105.0.0/16 -all",
    "spf.mandrillapp.com": "v=spf1 ip4:205.201.136.0/23 ip4:205.201.139.0/24 include:x.mandrillapp.com ?all",
    "x.mandrillapp.com": "v=spf1 ip4:198.2.186.0/23 ?all",
    "_n1.google.com": "v=spf1 ip4:35.190.247.0/24 ip4:64.233.160.0/19 ip4:66.102.0.0/20 ip4:66.249.80.0/20 "
                      "ip4:72.14.192.0/18 ip4:74.125.0.0/16 ip4:108.177.8.0/21 ip4:173.194.0.0/16 ip4:209.85.128.0/17 ~all",
    "_n2.google.com": "v=spf1 ip6:2001:4860:4000::/36 ip6:2404:6800:4000::/36 ip6:2607:f8b0:4000::/36 ~all",
    "_n3.google.com": "v=spf1 ip4:172.217.0.0/19 ip4:172.217.32.0/20 ip4:172.217.128.0/19 ip4:35.191.0.0/16 ~all",
    "mail.zendesk.com": "v=spf1 include:y.zendesk.com include:z.zendesk.com ~all",
    "y.zendesk.com": "v=spf1 ip4:192.161.144.0/20 ~all",
    "z.zendesk.com": "v=spf1 ip4:185.12.80.0/22 a:none.zendesk.com ~all",
}
GOOGLE_HOSTS = {f"aspmx{number}.l.google.com": [f"142.250.{number}.27"] for number in range(8)}
TERMS = ["a", "mx", "a:h1.x.org", "mx:praxis.de", "a:void1.x.org", "a:void2.x.org", "ip4:203.0.113.0/28",
         "include:_spf.google.com", "include:i1.x.org", "include:i2.x.org", "include:deep.x.org", "redirect=redir.x.org",
         *(f"include:{name}" for name in ("spf.protection.outlook.com", "mailgun.org", "sendgrid.net", "servers.mcsv.net",
                                          "spf.mandrillapp.com", "mail.zendesk.com"))]


def _zone_of_services(record):
    return {**with_records([record]), **{(name, "TXT"): [text] for name, text in SERVICES.items()},
            **{(name, "A"): addresses for name, addresses in GOOGLE_HOSTS.items()},
            (DOMAIN, "MX"): [(10, name) for name in GOOGLE_HOSTS]}


def _put_back(record, point, owners):
    """record, with the networks of a flattened term replaced by that term; owners: the terms that the owner wrote."""
    terms = record.split()
    copies = [term for term in terms if term in point["texts"] and term not in owners]
    at = terms.index(copies[0]) if copies else len(terms) - 1
    kept = [term for term in terms[at:] if term not in copies]
    return " ".join([*terms[:at], point["term"], *kept])


def _costs_too_much(zone, relays):
    """Is the record an error to a stranger, who matches nothing of it, of a family that the relays have?"""
    return any(_pyspf(zone, address)[0] == "permerror"
               for address in (["8.8.8.8", "2a00:1450::1"] if relays == "both" else ["8.8.8.8"]))


def test_no_change_can_be_made_smaller(is_full_length):
    rng = random.Random(SEED)
    records = [" ".join(["v=spf1", *rng.sample(TERMS, rng.randrange(5, 12)), rng.choice(["~all", "-all", ""])]).strip()
               for _ in range(1000 if is_full_length else 150)]
    questions = [(_zone_of_services(record), DOMAIN, rng.choice(["ses", "ip", "both"])) for record in records]
    flattened = 0
    for record, (zone, _, relays), advice in zip(records, questions, _advise(questions), strict=True):
        points = _points(advice, "flattened")
        if advice["record"] is None or not points:
            continue
        flattened += 1
        assert not _costs_too_much({**zone, (DOMAIN, "TXT"): [advice["record"]]}, relays)
        for point in points:
            smaller = _put_back(advice["record"], point, record.split())
            assert _costs_too_much({**zone, (DOMAIN, "TXT"): [smaller]}, relays), (relays, record, advice["record"], smaller)
    assert flattened > len(records) / 5


def test_one_service_is_enough():
    """And the domain's own "a" and "mx" stay as they are."""
    record = "v=spf1 a mx include:_spf.google.com include:spf.protection.outlook.com include:mailgun.org ~all"
    advice = _advise([(_zone_of_services(record), DOMAIN, "ses")])[0]
    assert [point["term"] for point in _points(advice, "flattened")] == ["include:mailgun.org"]
    assert advice["record"].startswith("v=spf1 a mx include:_spf.google.com include:spf.protection.outlook.com ip4:")
    assert advice["record"].endswith(" include:amazonses.com ~all")


@pytest.mark.parametrize(("term", "one"), [("mx", "ip4:198.51.100.100/30"), ("~mx:praxis.de/28", "~ip4:198.51.100.96/28")])
def test_many_mail_servers(term, one):
    """More than ten, which is an error to every receiver: they keep passing, by their addresses."""
    zone = with_records([f"v=spf1 {term} include:i1.x.org -all"])
    zone[DOMAIN, "MX"] = [(10, f"h{number}.x.org") for number in range(12)]
    advice = _advise_one(zone)
    point = _points(advice, "many-hosts")[0]
    assert (advice["kind"], point["term"], point["number"]) == ("repair", term, 12)
    assert one in point["text"].split() and f" {point['text']} include:i1.x.org" in advice["record"]
    assert "12 mail servers" in advice["text"] and "usable SPF record" not in advice["text"]
    zone[DOMAIN, "TXT"] = [advice["record"]]
    for number in range(12):
        assert _pyspf(zone, f"198.51.100.{100 + number}")[0] == ("softfail" if term[0] == "~" else "pass")
    assert _pyspf(zone, "54.240.1.1")[0] == "pass"


def test_many_mail_servers_that_can_not_be_told():
    zone = with_records(["v=spf1 mx -all"])
    zone[DOMAIN, "MX"] = [(10, f"h{number}.x.org") for number in range(12)]
    zone["h3.x.org", "TROUBLE"] = ['"no answer"']
    del zone["h3.x.org", "A"], zone["h3.x.org", "AAAA"]
    advice = _advise_one(zone)
    assert advice["kind"] in ("unknown", "repair")
    assert "usable SPF record" not in advice["text"]
    assert all("so it was left out" in advice["text"] for _ in _points(advice, "many-hosts"))


# --- Damage ----------------------------------------------------------------------------------------------------------

# Records with the terms of which every address stands for one sender; pieces of their names and addresses are strangers.
WHOLE = [
    "v=spf1 mx include:_spf.google.com -all",
    "v=spf1 ip4:198.51.100.17 a:h1.x.org include:i7.x.org ~all",
    "v=spf1 -ip4:203.0.113.7 ip4:203.0.113.0/24 mx -all",
    "v=spf1 ~a:h1.x.org include:neg.x.org ip6:2001:db8::25 ?all",
]
PIECES = {("gle.com", "TXT"): ["v=spf1 ip4:100.64.0.1 -all"], ("google.com", "A"): ["100.64.0.1"], ("x.org", "A"): ["100.64.0.1"],
          ("gle.com", "A"): ["100.64.0.1"], ("org", "A"): ["100.64.0.1"], ("_spf.goo", "TXT"): ["v=spf1 ip4:100.64.0.1 -all"]}
MARKS = [" ", " ", ",", ";", ":", "/", ".", "-", "~", "!", '"', "(", ")", "[", "]", "'", "|", "\\", "_", "\xad", "\u2013", "\xa0", "com"]


def _damaged(rng, record):
    at = rng.randrange(7, len(record))
    blank = record.find(" ", at)
    return rng.choice([
        record[:at] + rng.choice(MARKS) + record[at:],
        record[:at] + rng.choice(MARKS) + record[at:],
        record[:at] + (record[at] if record[at].isdigit() else rng.choice(MARKS)) + record[at + 1:],
        record[:blank] + record[blank + 1:] if blank > 0 else record,
        re.sub(r" ([-~?])(?=\w)", rng.choice([r"\1 ", r" \1;", r" (\1)", r" \1 "]), record),
    ])


def test_damage_opens_nothing():
    """pyspf finds nobody who passes a mended record but our relays and those who passed the record before its damage, or the
    damaged one."""
    rng = random.Random(SEED)
    cases = [(record, _damaged(rng, record)) for record in WHOLE for _ in range(60)]
    mended = 0
    for (whole, damaged), advice in zip(
            cases, _advise([(with_records([damaged], PIECES), DOMAIN, "ses") for _, damaged in cases]), strict=True):
        if advice["record"] is None or advice["kind"] != "repair":
            continue
        mended += 1
        for address in [*STRANGERS, "203.0.113.7", "203.0.113.1", "198.51.100.101", "198.51.100.1", "198.51.100.7", "2001:db8::2"]:
            if _pyspf(with_records([advice["record"]], PIECES), address)[0] == "pass":
                assert any(_pyspf(with_records([record], PIECES), address)[0] == "pass" for record in (whole, damaged)), (
                    address, damaged, advice["record"])
    assert mended > 100


def test_more_damage_opens_nothing(is_full_length):
    """The property of proposal_test on 100,000 records."""
    if not is_full_length:
        pytest.skip("only with --all")
    done = subprocess.run([BUILDDIR / "proposal_test"], env={**os.environ, "SPFROM_DAMAGES": "100000"}, capture_output=True,
                          text=True, check=False)
    assert done.returncode == 0, done.stdout[-2000:] + done.stderr[-2000:]


def test_what_refuses_is_not_dropped():
    """A list of blocked addresses stays before those who pass, whatever it costs: then nothing is advised."""
    guards = [f"-exists:%{{i}}.b{number}.x.org" for number in range(12)]
    advice = _advise_one(with_records([f"v=spf1 {' '.join(guards)} ip4:203.0.113.0/24 -all"]), relays="ip")
    assert advice["record"] is None and _points(advice, "unproven")
    advice = _advise_one(with_records([f"v=spf1 ip4:203.0.113.0/24 {' '.join(guards)} -all"]), relays="ip")
    assert advice["kind"] == "reduce" and advice["record"].startswith("v=spf1 ip4:")
    assert _points(advice, "dropped")


def test_order_of_answers():
    """Whatever the order in which DNS gives several records, one record is advised."""
    rng = random.Random(SEED)
    situations = [(rng.choice(["ses", "ip"]), [_record(rng) for _ in range(rng.choice([2, 3]))]) for _ in range(100)]
    wanted = _advise([(with_records(records), DOMAIN, relays) for relays, records in situations])
    turned = _advise([(with_records(records[::-1]), DOMAIN, relays) for relays, records in situations])
    assert [advice["record"] for advice in wanted] == [advice["record"] for advice in turned]
    assert any(advice["record"] for advice in wanted)


# --- The second line, for an owner who also sends from a mail program ------------------------------------------------

MAIL_HOST, STRATO, GOOGLE = "198.51.100.7", "203.0.113.9", "172.217.0.5"
ALTERNATIVES = [  # MX, name servers, the alternative, who passes by it
    (["mail.x.org"], [], "v=spf1 mx include:amazonses.com ~all", [MAIL_HOST]),
    (["mail.x.org"], ["ns1.plain.example"], "v=spf1 mx include:amazonses.com ~all", [MAIL_HOST]),
    (["mail.x.org"], ["docks01.rzone.de", "shades01.rzone.de"],
     "v=spf1 mx include:_spf.strato.com include:amazonses.com ~all", [MAIL_HOST, STRATO]),
    ([], ["docks01.rzone.de"], "v=spf1 include:_spf.strato.com include:amazonses.com ~all", [STRATO]),
    (["."], ["docks01.rzone.de"], "v=spf1 include:_spf.strato.com include:amazonses.com ~all", [STRATO]),
    (["dead.x.org"], ["docks01.rzone.de"], "v=spf1 include:_spf.strato.com include:amazonses.com ~all", [STRATO]),
    (["smtpin.rzone.de"], [], "v=spf1 mx include:_spf.strato.com include:amazonses.com ~all", [STRATO]),
    (["aspmx.l.google.com"], ["docks01.rzone.de"],
     "v=spf1 mx include:_spf.google.com include:amazonses.com ~all", [GOOGLE]),
    (["mail.x.org"], ["ns.broken.example"], "v=spf1 mx include:amazonses.com ~all", [MAIL_HOST]),
    (["mail.x.org"] * 11, ["docks01.rzone.de"], "v=spf1 include:_spf.strato.com include:amazonses.com ~all", [STRATO]),
    (["dead.x.org"], [], None, []),
    ([], ["ns.broken.example"], None, []),
    ([], [], None, []),
]


@pytest.mark.parametrize(("hosts", "servers", "alternative", "senders"), ALTERNATIVES)
def test_alternative(hosts, servers, alternative, senders):
    # Eleven different hosts, for one that is named so often.
    names = hosts if len(hosts) < 2 else [f"h{number}.x.org" for number in range(len(hosts))]
    zone = {**with_records([]), ("_spf.strato.com", "TXT"): ["v=spf1 ip4:203.0.113.9 -all"],
            ("smtpin.rzone.de", "A"): ["203.0.113.90"], ("aspmx.l.google.com", "A"): ["203.0.113.91"],
            (DOMAIN, "MX"): [(10, "" if name == "." else name) for name in names], (DOMAIN, "NS"): servers}
    advice = _advise_one(zone)
    assert (advice["kind"], advice["record"]) == ("publish", "v=spf1 include:amazonses.com ~all")
    assert advice["alternative"] == alternative
    assert UNAFFECTED not in advice["text"]
    if alternative is None:
        return
    assert f"\n{alternative}\n" in advice["text"]
    zone[DOMAIN, "TXT"] = [alternative]
    for address in ["54.240.1.1", *senders]:
        assert _pyspf(zone, address)[0] == "pass"
    assert _advise_one(zone)["kind"] == "ok"


def test_neutral_leaves_others_as_they_are():
    advice = _advise_one(with_records([]), relays="neutral")
    assert advice["record"] == "v=spf1 ip4:192.0.2.25 ?all" and UNAFFECTED in advice["text"]


def test_there_is_no_alternative_to_a_record_that_is_changed(answers):
    assert {advice["kind"] for advice in answers if advice["alternative"]} == {"publish"}


# --- What is said besides --------------------------------------------------------------------------------------------

@pytest.mark.parametrize("domain", ["gmail.com", "gmx.de", "web.de", "t-online.de"])
def test_provider(domain):
    zone = {**BASE, (domain, "TXT"): ["v=spf1 ip4:203.0.113.1 -all"]}
    advice = _advise_one(zone, domain)
    assert (advice["kind"], advice["record"]) == ("provider", None)


@pytest.mark.parametrize("domain", ["nowhere.example", "a..b", "-", "praxis", "x" * 300])
def test_no_domain(domain):
    advice = _advise_one(BASE, domain)
    assert (advice["kind"], advice["record"]) == ("nodomain", None)


@pytest.mark.parametrize(("name", "record"), [(DOMAIN, None), ("silent.example", "v=spf1 include:silent.example -all"),
                                              ("silent.example", "v=spf1 mx redirect=silent.example")])
def test_dns_trouble(name, record):
    zone = with_records([record] if record else [])
    zone[name, "TROUBLE"] = ['"no answer"']
    advice = _advise_one(zone)
    assert (advice["kind"], advice["record"], advice["points"]) == ("unknown", None, [])


@pytest.mark.parametrize("prefix", ["_spf", "spf", "www", "@", DOMAIN])
def test_misplaced(prefix):
    name = f"{prefix}.{DOMAIN}"
    advice = _advise_one({**with_records([]), (name, "TXT"): ["v=spf1 mx -all"]})
    assert (advice["kind"], advice["record"]) == ("publish", "v=spf1 include:amazonses.com ~all")
    assert [(point["term"], point["text"]) for point in _points(advice, "misplaced")] == [(name, "v=spf1 mx -all")]
    assert "can go" not in advice["text"] and \
        "It does not count for mail from praxis.de" in " ".join(advice["text"].split())


def test_wildcard_is_told_once():
    zone = {**with_records([]), (f"*.{DOMAIN}", "TXT"): ["v=spf1 -all"], (f"www.{DOMAIN}", "TXT"): ["v=spf1 mx -all"]}
    advice = _advise_one(zone)
    assert [(point["term"], point["text"]) for point in _points(advice, "wildcard")] == [(f"*.{DOMAIN}", "v=spf1 -all")]
    assert [point["term"] for point in _points(advice, "misplaced")] == [f"www.{DOMAIN}"]
    assert advice["text"].count("v=spf1 -all") == 1


def test_text_beside_the_record_that_was_meant_as_one():
    advice = _advise_one(with_records(["v=spf1 mx -all", "spf1 a -all"]))
    assert [(point["term"], point["text"]) for point in _points(advice, "misplaced")] == [(DOMAIN, "spf1 a -all")]
    assert "receivers don't take it for one" in " ".join(advice["text"].split()) and "can go" not in advice["text"]


def test_type_spf():
    advice = _advise_one({**with_records([]), (DOMAIN, "SPF"): ["v=spf1 mx -all"]})
    assert (advice["kind"], advice["record"]) == ("publish", "v=spf1 include:amazonses.com ~all")
    assert [point["text"] for point in _points(advice, "spf-type")] == ["v=spf1 mx -all"]


def test_subdomain():
    zone = {**with_records(["v=spf1 mx -all"]), ("mail.praxis.de", "A"): ["198.51.100.80"],
            (DOMAIN, "NS"): ["ns2.rzone.de", "NS1.rzone.de"]}
    advice = _advise_one(zone, "mail.praxis.de")
    assert (advice["kind"], advice["zone"], advice["name"]) == ("publish", DOMAIN, "mail")
    assert advice["name_servers"] == ["ns1.rzone.de", "ns2.rzone.de"]
    assert [(point["term"], point["text"]) for point in _points(advice, "not-inherited")] == [(DOMAIN, "v=spf1 mx -all")]


@pytest.mark.parametrize(("records", "kind"), [([], "publish"), (["v=spf1 mx -all"], "extend"),
                                                (["v=spf1 include:amazonses.com -all"], "ok")])
def test_alias(records, kind):
    zone = {**BASE, ("www.hoster.example", "A"): ["198.51.100.80"], ("alias.praxis.de", "CNAME"): ["WWW.hoster.example"]}
    zone["www.hoster.example", "TXT"] = records
    advice = _advise_one(zone, "alias.praxis.de")
    assert advice["kind"] == kind
    assert [point["term"] for point in _points(advice, "alias")] == ([] if kind == "ok" else ["www.hoster.example"])


@pytest.mark.parametrize(("policy", "number"), [("none", None), ("quarantine", 1), ("reject", 2)])
def test_dmarc(policy, number):
    record = f"v=DMARC1; p={policy}"
    advice = _advise_one({**with_records(["v=spf1 mx -all"]), ("_dmarc.praxis.de", "TXT"): [record]})
    assert [(point["number"], point["text"]) for point in _points(advice, "dmarc")] == \
           ([(number, record)] if number else [])


def test_costs_come_in_the_order_of_what_they_free():
    advice = _advise_one(with_records(["v=spf1 a include:i1.x.org include:deep.x.org mx include:_spf.google.com ~all"]))
    assert (advice["kind"], _points(advice, "lookups")[0]["number"]) == ("reduce", 15)
    assert [(point["term"], point["number"]) for point in _points(advice, "cost")] == [
        ("include:deep.x.org", 8), ("include:_spf.google.com", 4), ("a", 1), ("include:i1.x.org", 1), ("mx", 1)]
    assert all(point["texts"] and point["number"] for point in _points(advice, "flattened"))


def test_an_error_is_shown_where_it_is():
    advice = _advise_one(with_records(["v=spf1 mx ip4:198.51.100.9include:_spf.google.com \u2013all"]))
    assert [(point["number"], point["term"], point["text"]) for point in _points(advice, "error")] == [
        (11, "ip4:198.51.100.9include:_spf.google.com", "ip4:198.51.100.9 include:_spf.google.com"),
        (51, "\u2013all", "-all")]
    assert all(point["reason"] for point in _points(advice, "error"))


def test_many_errors_are_not_all_told():
    advice = _advise_one(with_records(["v=spf1 " + "a=b " * 800 + "mx -all"]))
    assert (advice["kind"], advice["record"]) == ("repair", "v=spf1 mx include:amazonses.com -all")
    assert 10 < len(_points(advice, "error")) < 50


def test_own_mechanisms_that_do_not_work_are_not_advised():
    zone = with_records(["v=spf1 mx -all"])
    zone["spf.lemniscus.de", "TXT"] = ["v=spf1 ip4:192.0.2.26 -all"]
    advice = _advise_one(zone, relays="own")
    assert (advice["kind"], advice["record"]) == ("extend", None)
    assert "192.0.2.25" in _points(advice, "unproven")[0]["reason"]


def test_a_bomb_of_includes_ends():
    zone = with_records(["v=spf1 include:b0.x.org mx ~all"])
    for level in range(12):
        zone[f"b{level}.x.org", "TXT"] = ["v=spf1 " + " ".join(f"include:b{level + 1}.x.org" for _ in range(8)) + " -all"]
    zone["b12.x.org", "TXT"] = ["v=spf1 -all"]
    advice = _advise_one(zone)
    assert (advice["kind"], advice["record"]) == ("reduce", "v=spf1 mx include:amazonses.com ~all")
    assert [point["term"] for point in _points(advice, "dropped")] == ["include:b0.x.org"]


def test_a_record_as_long_as_dns_allows():
    for records in (["v=spf1" + " a" * 30000], ["v=spf1 " + ",;" * 30000], ["v=spf1 " + "include:" * 8000],
                    ["v=spf1 " + "~" * 60000], ['"v=spf1 ' + "a mx " * 12000]):
        advice = _advise_one(with_records(records))
        assert advice["kind"] in ("repair", "reduce") and advice["record"] is None
