"""The RFC 7208 conformance suite through `spfrom check`: each scenario becomes a zone file."""

import json
import subprocess

import pytest
import yaml

from lab import paths, rfc7208
from lab.spfrom import configuration

NOT_EXPRESSIBLE = {"macro-mania-in-domain": "a name with blanks can't stand in a zone file"}


def _scenarios():
    with rfc7208.suite().open(encoding="utf-8") as stream:
        return [scenario for scenario in yaml.safe_load_all(stream) if scenario]


SCENARIOS = _scenarios()
ROWS = [(number, name) for number, scenario in enumerate(SCENARIOS) for name in scenario["tests"]]


def _octets(text):
    """The suite writes octets as characters."""
    try:
        return text.encode("latin-1")
    except UnicodeEncodeError:
        return text.encode("utf-8")


def _quoted(text):
    """A string of a zone file."""
    return '"' + "".join(chr(octet) if 0x20 <= octet < 0x7f and chr(octet) not in '"\\' else f"\\{octet:03}"
                         for octet in _octets(text)) + '"'


def _strings(value):
    strings = value if isinstance(value, list) else [value]
    return " ".join(_quoted(piece[at:at + 255]) for piece in strings or [""] for at in range(0, max(len(piece), 1), 255))


def _absolute(name):
    return name.rstrip(".") + "."


def _values(kind, value):
    """The values of one record as a zone file has them; None where there is no record."""
    if kind == "TXT":
        return None if value == "NONE" else _strings(value)
    if kind == "MX":
        return f"{value[0]} {_absolute(value[1])}"
    if kind in ("PTR", "CNAME", "NS"):
        return _absolute(value)
    return value


def _records(name, entries):
    kinds = {kind for entry in entries if isinstance(entry, dict) for kind in entry}
    for entry in entries:
        if entry == "TIMEOUT":
            yield f'{name}. TROUBLE "no answer"'
            continue
        (kind, value), = entry.items()
        if kind == "SPF":  # stands for a TXT record too, unless the name has one of its own
            if "TXT" in kinds:
                continue
            kind = "TXT"
        if value == "TIMEOUT":
            yield f'{name}. TROUBLE "no answer"'
            continue
        text = _values(kind, value)
        if text is not None:
            yield f"{name}. {kind} {text}"


def _zone(scenario):
    lines = [line for name, entries in scenario["zonedata"].items() if " " not in name
             for line in _records(name, entries)]
    return "$TTL 300\n" + "\n".join(lines) + "\n"


@pytest.fixture(scope="module")
def configured(tmp_path_factory):
    """number of a scenario → its configuration."""
    made = {}

    def make(number):
        if number not in made:
            directory = tmp_path_factory.mktemp(f"scenario-{number}")
            (directory / "zone").write_text(_zone(SCENARIOS[number]), encoding="ascii")
            made[number] = directory / "spfrom.conf"
            made[number].write_text(configuration({
                "fallback_address": "noreply@lemniscus.de", "hostname": "relay.lemniscus.de",
                "dns_zone_file": directory / "zone"}))
        return made[number]
    return make


def _subject(test):
    """MAIL FROM as an argument; an empty one is postmaster@HELO (RFC 7208 section 2.4)."""
    local, _, domain = (test["mailfrom"] or f"postmaster@{test['helo']}").rpartition("@")
    if not local:
        return domain
    return f'"{local}"@{domain}' if " " in local else f"{local}@{domain}"


def test_suite_is_whole():
    assert len(ROWS) == 203


@pytest.mark.parametrize("number, name", ROWS, ids=[f"{name}-{number}" for number, name in ROWS])
def test_rfc7208(configured, number, name):
    if name in NOT_EXPRESSIBLE:
        pytest.skip(NOT_EXPRESSIBLE[name])
    test = SCENARIOS[number]["tests"][name]
    done = subprocess.run([paths.TOOL, "-c", configured(number), "check", "--json", "--relay", test["host"],
                           "--helo", test["helo"], _subject(test)], capture_output=True, text=True)
    wanted = test["result"] if isinstance(test["result"], list) else [test["result"]]
    assert done.returncode in (0, 1, 75), done.stderr
    assert not done.stderr
    report = json.loads(done.stdout)
    assert report["result"] in wanted
    assert report["relays"][0]["result"] == report["result"]
    assert report["lookups"] <= 11 and report["void_lookups"] <= 3
