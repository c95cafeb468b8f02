"""Networks of relays before records with terms that depend on the address: what passes, passes for every address by
pyspf too; what can't be proven is called that, with its term."""

import ipaddress
import json
import random
import subprocess

import pytest
import spf

from conftest import need
from lab import paths
from lab.private_web import PrivateWeb
from lab.spfrom import Spfrom, configuration
from lab.zone import FALLBACK

HELPER = paths.BUILDDIR / "spf_eval"
POOLS = ["199.255.192.0/22", "199.127.232.0/22", "54.240.0.0/18", "69.169.224.0/20", "23.249.208.0/20", "23.251.224.0/19",
         "76.223.176.0/20", "54.240.64.0/19", "54.240.96.0/19", "76.223.128.0/19", "216.221.160.0/19", "206.55.144.0/20",
         "24.110.64.0/18"]

# As they are published: OVH's default, and who sends through SES besides.
RECORDS = {
    "amazonses.com": "v=spf1 " + " ".join(f"ip4:{pool}" for pool in POOLS) + " -all",
    "mx.ovh.com": "v=spf1 ptr:mail-out.ovh.net ptr:mail.ovh.net ip4:8.33.137.105/32 ip4:192.99.77.81/32 ?all",
    "lemniscus.de": "v=spf1 include:amazonses.com -all",
    "ovh.example": "v=spf1 include:mx.ovh.com include:amazonses.com -all",
    "ptr.example": "v=spf1 a mx ptr include:amazonses.com ~all",
    "exists.example": "v=spf1 exists:%{ir}.%{l}.allowed.example include:amazonses.com -all",
    "redirect.example": "v=spf1 redirect=ovh.example",
    # not certain
    "only-ovh.example": "v=spf1 include:mx.ovh.com -all",
    "blocked.example": "v=spf1 -exists:%{ir}.blocked.example include:amazonses.com -all",
    "voids.example": "v=spf1 a:gone.example ptr exists:%{i}.allowed.example include:amazonses.com -all",
    "hosted.example": "v=spf1 include:%{ir}.%{v}.%{d}.spf.has.pphosted.com ~all",
}
ADDRESSES = {"ptr.example": "203.0.113.1"}
PROVEN = ["ovh.example", "ptr.example", "exists.example", "redirect.example"]
# The term of the record itself, the term that depends on the address, and what is proposed.
UNPROVEN = [
    ("only-ovh.example", "include:mx.ovh.com", "ptr:mail-out.ovh.net", "v=spf1 include:amazonses.com include:mx.ovh.com -all"),
    ("blocked.example", "-exists:%{ir}.blocked.example", "-exists:%{ir}.blocked.example",
     "v=spf1 include:amazonses.com -exists:%{ir}.blocked.example -all"),
    ("voids.example", "ptr", "ptr", "v=spf1 a:gone.example include:amazonses.com ptr exists:%{i}.allowed.example -all"),
    ("hosted.example", "include:%{ir}.%{v}.%{d}.spf.has.pphosted.com", "include:%{ir}.%{v}.%{d}.spf.has.pphosted.com",
     "v=spf1 include:amazonses.com include:%{ir}.%{v}.%{d}.spf.has.pphosted.com ~all"),
]


def _zone_file(records, addresses):
    lines = [f'{name}. 300 IN TXT "{text[:250]}" "{text[250:]}"\n' for name, text in records.items()]
    lines += [f"{name}. 300 IN A {address}\n{name}. 300 IN MX 10 {name}.\n" for name, address in addresses.items()]
    return "".join(lines)


@pytest.fixture
def settings(tmp_path):
    (tmp_path / "zone").write_text(_zone_file(RECORDS, ADDRESSES))
    return {"fallback_address": FALLBACK, "relay_hosts": ["spf:amazonses.com"], "hostname": "relay.lemniscus.de",
            "dns_zone_file": tmp_path / "zone"}


@pytest.fixture
def spfrom(tmp_path, settings):
    def run(*arguments):
        (tmp_path / "spfrom.conf").write_text(configuration(settings))
        return subprocess.run([paths.TOOL, "-c", tmp_path / "spfrom.conf", *arguments], capture_output=True, text=True)
    return run


def _pyspf(zone, domain, address):
    def look_up(name, kind, *_):
        name = name.lower().rstrip(".")
        return [((name, kind), (value.encode(),) if kind == "TXT" else value) for value in zone.get((name, kind), [])]

    spf.DNSLookup = look_up
    return spf.query(i=address, s=f"anna@{domain}", h="relay.lemniscus.de").check()[0]


def _sample(pools, count):
    """First, last and some other addresses of each pool."""
    rng = random.Random(count)
    for pool in map(ipaddress.ip_network, pools):
        yield from (str(pool[0]), str(pool[-1]))
        yield from (str(pool[rng.randrange(pool.num_addresses)]) for _ in range(count - 2))


def _names_of(address, kind):
    """The PTR record of an address and what leads back to it: none, a provider's, or the domain's own."""
    name = ".".join(reversed(address.split("."))) + ".in-addr.arpa"
    host = {1: f"a{address.replace('.', '-')}.smtp-out.amazonses.com", 2: "mail-out.ovh.net", 3: "mx1.ptr.example",
            4: "dead.example"}.get(kind)
    if host is None:
        return {}
    return {(name, "PTR"): [host], **({(host, "A"): [address]} if kind < 4 else {})}


@pytest.mark.parametrize("domain", PROVEN)
def test_passes_for_every_address(spfrom, domain):
    report = json.loads(spfrom("check", "--json", domain).stdout)
    assert (report["authorised"], report["result"], report["advice"]["kind"]) == (True, "pass", "ok")
    assert {relay["result"] for relay in report["relays"]} == {"pass"}
    zone = {(name, "TXT"): [text] for name, text in RECORDS.items()}
    zone |= {(name, kind): [value] for name, address in ADDRESSES.items()
             for kind, value in (("A", address), ("MX", (10, name)))}
    for number, address in enumerate(_sample(POOLS, 5)):
        assert _pyspf(zone | _names_of(address, number % 5), domain, address) == "pass", address


def test_tree_says_what_was_not_asked(spfrom):
    said = spfrom("check", "ovh.example").stdout
    assert "ptr:mail-out.ovh.net  1 look-up, depends on the address\n" in said
    tree = json.loads(spfrom("check", "--json", "ovh.example").stdout)["tree"]
    assert [term["term"] for term in tree if term.get("depends_on_address")] == ["ptr:mail-out.ovh.net", "ptr:mail.ovh.net"]


@pytest.mark.parametrize("domain, own, term, proposed", UNPROVEN, ids=[row[0] for row in UNPROVEN])
def test_unproven_is_called_that(spfrom, domain, own, term, proposed):
    report = json.loads(spfrom("check", "--json", domain).stdout)
    advice = report["advice"]
    assert (report["authorised"], report["result"]) == (False, "neutral")
    assert "not provable" in report["reason"] and f'"{term}"' in report["reason"]
    assert (advice["kind"], advice["record"]) == ("extend", proposed)
    point, = (point for point in advice["points"] if point["kind"] == "unprovable")
    assert (point["term"], point.get("text", own)) == (own, term)
    for said in (spfrom("check", domain), spfrom("advise", domain), spfrom("advise", "--mail", domain)):
        assert "lacks our servers" not in said.stdout and "not among them" not in said.stdout
        assert term in said.stdout and "can't be proven" in " ".join(said.stdout.split())
    for said in (spfrom("advise", "--lang", "de", domain), spfrom("advise", "--mail", "--lang", "de", domain)):
        assert "fehlen" not in said.stdout and "noch nicht dabei" not in said.stdout
        assert term in said.stdout and "nachweisen" in said.stdout


def test_nobody_is_told_to_add_what_is_there(spfrom):
    for domain, is_moved in (("only-ovh.example", False), ("blocked.example", True), ("voids.example", True)):
        advice = json.loads(spfrom("advise", "--json", domain).stdout)
        assert advice["added"] == ([] if is_moved else ["include:amazonses.com"])
        assert advice["record"].count("include:amazonses.com") == 1
        assert [point["term"] for point in advice["points"] if point["kind"] == "moved"] == (
            ["include:amazonses.com"] if is_moved else [])
        assert ("New in it is" in advice["text"]) is not is_moved


def test_page(tmp_path, settings):
    daemon = Spfrom(tmp_path / "pages", settings["dns_zone_file"].read_text(), hostname="relay.lemniscus.de", relay_hosts=["spf:amazonses.com"])
    daemon.write_configuration()
    with PrivateWeb(daemon) as web:
        for language, lacks, proven in (("en", "lacks our servers", "be proven"), ("de", "fehlen", "nachweisen")):
            page = web.get("/domain/only-ovh.example", accept_language=language).text
            assert lacks not in page, page
            assert proven in page and "ptr:mail-out.ovh.net" in page
        assert "depends on the address" in web.get("/domain/ovh.example", accept_language="en").text


# --- Random policies --------------------------------------------------------------------------------------------------

def _record(rng, depth):
    terms = ["ptr", "ptr:ovh.net", "exists:%{i}.x.example", "a:%{ir}.x.example", "exists:%{i}.y.example", "include:i1.example",
             "include:i2.example", "include:pool.example", "include:pool.example", "ip4:54.240.0.0/19", "ip4:54.240.32.0/19",
             "a:gone.example", "a:gone2.example"]
    chosen = [rng.choice(["", "", "", "", "", "-", "~", "?"]) + rng.choice(terms if depth else terms[:5] + terms[9:])
              for _ in range(rng.choice([1, 2, 3, 4, 5]))]
    return " ".join(["v=spf1", *chosen, rng.choice(["-all", "~all", "?all", "+all", ""])])


def _policy(rng):
    zone = {("d.example", "TXT"): [_record(rng, 2)], ("i1.example", "TXT"): [_record(rng, 0)],
            ("i2.example", "TXT"): [_record(rng, 0)], ("pool.example", "TXT"): ["v=spf1 ip4:54.240.0.0/18 -all"]}
    for address in _sample(["54.240.0.0/18"], 8):
        backwards = ".".join(reversed(address.split(".")))
        zone |= _names_of(address, rng.randrange(6))
        zone |= {(f"{name}.example", "A"): ["127.0.0.2"] for name in (f"{address}.x", f"{address}.y")
                 if rng.random() < 0.3}
        zone |= {(f"{backwards}.x.example", "A"): [address]} if rng.random() < 0.3 else {}
    return zone


def _text(zone):
    shown = {"TXT": '"{}"'.format, "A": str, "PTR": "{}.".format}
    return "".join(f"{name}. 300 IN {kind} {shown[kind](value)}\n" for (name, kind), values in zone.items() for value in values)


def test_random_policies():
    """What passes for the network passes for each address that pyspf is asked about."""
    need(None if HELPER.exists() else f"{HELPER} is not built")
    rng = random.Random(7208)
    zones = [_policy(rng) for _ in range(600)]
    asked = [json.dumps({"zone": _text(zone), "domain": "d.example", "local_part": "anna", "helo": "relay.lemniscus.de",
                         "relays": ["54.240.0.0/18"]}) for zone in zones]
    done = subprocess.run([HELPER], input="\n".join(asked) + "\n", capture_output=True, text=True)
    passed = 0
    for zone, line in zip(zones, done.stdout.splitlines(), strict=True):
        (ours,) = json.loads(line)
        if ours["result"] != "pass":
            continue
        passed += zone["d.example", "TXT"][0].startswith(("v=spf1 ptr", "v=spf1 exists:%{i}", "v=spf1 a:%{ir}"))
        for address in _sample(["54.240.0.0/18"], 8):
            assert _pyspf(zone, "d.example", address) == "pass", f"{address}: {ours}\n{_text(zone)}"
    assert passed > 30, passed
