"""`spfrom check`: the command line of design section 12."""

import fcntl
import json
import os
import pty
import re
import struct
import subprocess
import termios

import pytest

from lab import paths
from lab import processes
from lab import terminal
from lab.cases import OHNE
from lab.milter_client import ask
from lab.spfrom import configuration
from lab.zone import FALLBACK, RELAY, ZONE_FILE

pytestmark = pytest.mark.address

ZONE = ZONE_FILE + """\
pool.example.          TXT "v=spf1 ip4:198.51.100.0/26 ip4:198.51.100.128/26 ip4:203.0.113.0/27 ip4:203.0.113.64/27 ip4:203.0.113.128/27 ip6:2001:db8::/40 -all"
partner.example.       TXT "v=spf1 include:lemniscus.de ip4:198.51.100.0/25 -all"
ganz.example.          TXT "v=spf1 include:lemniscus.de include:pool.example -all"
hostile.example.       TXT "v=spf1 \\027[31mred\\007\\226\\128\\174 -all"
tief.example.          TXT "v=spf1 include:eins.example a:leer.example mx -all"
eins.example.          TXT "v=spf1 include:zwei.example ~all"
zwei.example.          TXT "v=spf1 a:relay.lemniscus.de -all"
teuer.example.         TXT "v=spf1 a:a.x a:b.x a:c.x -all"
helo.example.          TXT "v=spf1 exists:%{h}.helo.example -all"
mx.example.helo.example. A 127.0.0.2
relay.lemniscus.de.helo.example. A 127.0.0.2
_dmarc.gmx.de.         TXT "v=DMARC1; p=quarantine"
"""

BASE = {"fallback_address": FALLBACK, "relay_hosts": [RELAY], "hostname": "relay.lemniscus.de"}


@pytest.fixture
def spfrom(tmp_path):
    """Runs `spfrom` with a configuration of BASE and settings."""
    def run(*arguments, extra="", environment=None, **settings):
        (tmp_path / "zone").write_text(ZONE)
        file = tmp_path / "spfrom.conf"
        file.write_text(configuration({**BASE, "dns_zone_file": tmp_path / "zone", **settings}) + extra)
        return subprocess.run([paths.TOOL, "-c", file, *map(str, arguments)], capture_output=True, text=True,
                              env=environment)
    return run


@pytest.fixture
def report(spfrom):
    def run(*arguments, **settings):
        done = spfrom("check", "--json", *arguments, **settings)
        assert not done.stderr
        return json.loads(done.stdout)
    return run


# domain or address, exit status, authorised, result, mechanism
RESULTS = [
    ("praxis-mueller.de", 0, True, "pass", "include:lemniscus.de"),
    ("Praxis-MUELLER.de.", 0, True, "pass", "include:lemniscus.de"),
    ("praxis-müller.de", 0, True, "pass", "include:lemniscus.de"),
    ("info@praxis-müller.de", 0, True, "pass", "include:lemniscus.de"),
    ("Praxis <info@praxis-mueller.de>", 0, True, "pass", "include:lemniscus.de"),
    ("versand.example", 0, True, "pass", "a:relay.lemniscus.de"),
    ("anna@makros.example", 0, True, "pass", "exists:%{l}.erlaubt.makros.example"),
    ("berta@makros.example", 1, False, "fail", "-all"),
    ("makros.example", 1, False, "fail", "-all"),
    ("gmx.de", 1, False, "fail", "-all"),
    ("gmail.com", 1, False, "softfail", "~all"),
    ("praxis-neutral.de", 1, False, "neutral", "?all"),
    ("praxis-ohne.de", 1, False, "none", None),
    ("gibt-es-nicht.example", 1, False, "none", None),
    ("praxis-doppelt.de", 1, False, "permerror", None),
    ("hostile.example", 1, False, "permerror", None),
    ("praxis-langsam.de", 75, False, "temperror", None),
]


@pytest.mark.parametrize("subject, status, authorised, result, mechanism", RESULTS, ids=[row[0] for row in RESULTS])
def test_json(spfrom, subject, status, authorised, result, mechanism):
    done = spfrom("check", "--json", subject)
    assert (done.returncode, done.stderr) == (status, "")
    report = json.loads(done.stdout)
    assert report["authorised"] is authorised
    assert report["result"] == result
    assert (report["advice"]["kind"] == "ok") is authorised
    relay, = report["relays"]
    assert (relay["relay"], relay["result"], relay["mechanism"]) == (RELAY, result, mechanism)
    assert (report["reason"] is None) == (result not in ("permerror", "temperror"))


@pytest.mark.parametrize("subject, status, authorised, result, mechanism", RESULTS, ids=[row[0] for row in RESULTS])
def test_text(spfrom, subject, status, authorised, result, mechanism):
    done = spfrom("check", subject)
    assert (done.returncode, done.stderr) == (status, "")
    verdict = "authorised" if authorised else "not authorised"
    assert done.stdout.splitlines()[0].endswith(f": {verdict} ({result})")
    assert "\033" not in done.stdout


def test_json_says_it_all(report):
    found = report("tief.example")
    advice = found.pop("advice")
    assert (advice["kind"], advice["record"]) == ("ok", None)
    assert advice["text"].startswith("tief.example: allows our servers to send")
    assert found == {
        "domain": "tief.example", "authorised": True, "result": "pass",
        "relays": [{"relay": RELAY, "result": "pass", "mechanism": "include:eins.example", "reason": None,
                    "piece": RELAY}],
        "record": "v=spf1 include:eins.example a:leer.example mx -all", "lookups": 3, "void_lookups": 0, "ttl": 300,
        "dmarc": None, "dmarc_policy": "none", "local_part": None, "reason": None,
        "tree": [
            {"depth": 0, "term": "include:eins.example", "name": "eins.example",
             "record": "v=spf1 include:zwei.example ~all", "lookups": 3, "void_lookups": 0, "match": True},
            {"depth": 1, "term": "include:zwei.example", "name": "zwei.example",
             "record": "v=spf1 a:relay.lemniscus.de -all", "lookups": 2, "void_lookups": 0, "match": True},
            {"depth": 2, "term": "a:relay.lemniscus.de", "name": "relay.lemniscus.de", "record": None, "lookups": 1,
             "void_lookups": 0, "match": True}],
        "notes": []}


def test_void_lookups(report):
    found = report("tief.example", "--relay", "198.51.100.9")
    assert (found["lookups"], found["void_lookups"], found["result"]) == (5, 2, "fail")
    assert [(term["term"], term["void_lookups"]) for term in found["tree"] if term["void_lookups"]] == \
           [("a:leer.example", 1), ("mx", 1)]
    assert report("teuer.example")["result"] == "permerror"


def test_dmarc(report, spfrom):
    found = report("gmx.de")
    assert (found["dmarc"], found["dmarc_policy"]) == ("v=DMARC1; p=quarantine", "quarantine")
    assert "dmarc      v=DMARC1; p=quarantine\n" in spfrom("check", "gmx.de").stdout


def test_text_in_full(spfrom):
    assert spfrom("check", "tief.example", "--relay", "198.51.100.9").stdout == """\
tief.example: not authorised (fail)

  relay      198.51.100.9  fail       -all
  record     v=spf1 include:eins.example a:leer.example mx -all
             ├─ include:eins.example        3 look-ups
             │  ├─ include:zwei.example     2 look-ups
             │  │  ├─ a:relay.lemniscus.de  1 look-up
             │  │  └─ -all
             │  └─ ~all
             ├─ a:leer.example              1 look-up, void
             ├─ mx                          1 look-up, void
             └─ -all                        decides
  look-ups   5 of 10, void 2 of 2
  ttl        300 s
  dmarc      none
  advice     extend: has an SPF record that lacks our servers

v=spf1 include:eins.example a:leer.example mx ip4:198.51.100.9 -all

  how        spfrom advise tief.example
"""


# domain → the last lines
ADVICE = [
    ("praxis-ohne.de", """\
  advice     publish: has no SPF record; this one is to be published

v=spf1 ip4:192.0.2.25 ~all

  how        spfrom advise praxis-ohne.de
"""),
    ("gmx.de", """\
  advice     provider: belongs to a mail provider, and its users can't publish an SPF record
  more       spfrom advise gmx.de
"""),
    ("praxis-mueller.de", "  advice     ok: allows our servers to send; nothing is to be done\n"),
    ("praxis-langsam.de", "  advice     unknown: the DNS does not answer; please try again later\n"),
]


@pytest.mark.parametrize("domain, end", ADVICE, ids=[row[0] for row in ADVICE])
def test_advice(spfrom, domain, end):
    assert spfrom("check", domain).stdout.endswith(end)


def test_advice_is_that_of_advise(report, spfrom):
    advice = json.loads(spfrom("advise", "praxis-doppelt.de", "--json").stdout)
    assert advice.pop("domain") == "praxis-doppelt.de"
    assert report("praxis-doppelt.de")["advice"] == advice


# several domains → the exit status
SEVERAL = [
    (["praxis-mueller.de", "klinik-nord.de"], 0),
    (["praxis-mueller.de", "gmx.de"], 1),
    (["gmx.de", "praxis-mueller.de"], 1),
    (["praxis-langsam.de", "praxis-mueller.de"], 75),
    (["praxis-langsam.de", "gmx.de"], 1),
    (["gmx.de", "praxis-langsam.de"], 1),
]


@pytest.mark.parametrize("domains, status", SEVERAL, ids=["+".join(row[0]) for row in SEVERAL])
def test_several(spfrom, domains, status):
    done = spfrom("check", *domains, "--json")
    assert done.returncode == status
    assert [found["domain"] for found in json.loads(done.stdout)] == domains
    done = spfrom("check", *domains)
    assert done.returncode == status
    assert [line.split(":")[0] for line in done.stdout.splitlines() if "authorised (" in line] == domains


# settings, --relay …, wanted members
RELAYS = [
    ("one-fails", {}, [RELAY, "192.0.2.26"], {"result": "fail", "authorised": False}),
    ("any-passes", {"relay_policy": "any"}, [RELAY, "192.0.2.26"], {"result": "pass", "authorised": True}),
    ("any-none-passes", {"relay_policy": "any"}, ["192.0.2.26", "192.0.2.27"], {"result": "fail"}),
    ("ipv6", {}, ["2001:db8::1"], {"result": "fail"}),
    ("mapped", {}, [f"::ffff:{RELAY}"], {"result": "pass"}),
    ("private", {}, ["10.0.0.1"], {"result": "fail"}),
    ("network", {}, ["192.0.2.24/31"], {"result": "fail"}),
]


@pytest.mark.parametrize("name, settings, relays, wanted", RELAYS, ids=[row[0] for row in RELAYS])
def test_relays(report, name, settings, relays, wanted):
    found = report("klinik-nord.de", *[word for relay in relays for word in ("--relay", relay)], **settings)
    assert len(found["relays"]) == len(relays)
    assert {key: found[key] for key in wanted} == wanted


def test_worst_of_several_results_decides(report):
    found = report("lemniscus.de", "--relay", RELAY, "--relay", "192.0.2.26")
    assert [relay["result"] for relay in found["relays"]] == ["pass", "fail"]
    assert found["result"] == "fail" and found["tree"][-1]["term"] == "-all"


def test_failing_piece_of_a_network(report, spfrom):
    relay, = report("partner.example", "--relay", "198.51.100.0/24")["relays"]
    assert (relay["relay"], relay["piece"], relay["result"]) == ("198.51.100.0/24", "198.51.100.128/25", "fail")
    assert "(for 198.51.100.128/25)" in spfrom("check", "partner.example", "--relay", "198.51.100.0/24").stdout


def test_pool_is_summed_up(report, spfrom):
    pool = {"relay_hosts": [RELAY, "spf:pool.example"]}
    done = spfrom("check", "ganz.example", **pool)
    assert done.returncode == 0
    assert "  relays     192.0.2.25                      pass       include:lemniscus.de\n" in done.stdout
    assert "             6 networks of spf:pool.example  pass       include:pool.example\n" in done.stdout
    assert len(report("ganz.example", **pool)["relays"]) == 7
    done = spfrom("check", "partner.example", **pool)
    assert done.returncode == 1
    assert "             5 networks of spf:pool.example  fail       -all  (the first is 198.51.100.128/26)\n" in done.stdout
    assert "             1 network of spf:pool.example   pass       ip4:198.51.100.0/25\n" in done.stdout


# name, settings and extra, domain, authorised, part of a note
NOTES = [
    ("fallback", {}, "lemniscus.de", True, "domain of the fallback address"),
    ("mode-off", {"extra": 'domain "gmx.de" { mode = "off" }\n'}, "gmx.de", False, "mode is off for this domain"),
    ("mode-log-only", {"mode": "log-only"}, "gmx.de", False, "mode is log-only: messages are not touched"),
    ("rewrite_on", {"rewrite_on": ["softfail"]}, "gmx.de", True, "fail is not in rewrite_on or tempfail_on"),
    ("tempfail_on", {"tempfail_on": ["fail"], "rewrite_on": []}, "gmx.de", False, "fail is in tempfail_on"),
    ("relay_policy", {"relay_policy": "any", "relay_hosts": [RELAY, "192.0.2.26"]}, "klinik-nord.de", True,
     "one entry that passes"),
    ("local-part", {}, "makros.example", False, "holds for postmaster@makros.example alone"),
    ("no-domain", {}, "gibt-es-nicht.example", False, "the domain does not exist"),
    ("relay_hosts", {"relay_hosts": [RELAY, "praxis-langsam.de"]}, "klinik-nord.de", False, "praxis-langsam.de"),
    ("relay_hosts-any", {"relay_hosts": [RELAY, "praxis-langsam.de"], "relay_policy": "any"}, "klinik-nord.de", True,
     "praxis-langsam.de"),
]


@pytest.mark.parametrize("name, settings, domain, authorised, part", NOTES, ids=[row[0] for row in NOTES])
def test_notes(report, spfrom, name, settings, domain, authorised, part):
    found = report(domain, **settings)
    assert found["authorised"] is authorised
    assert any(part in note for note in found["notes"])
    assert part in spfrom("check", domain, **settings).stdout


def test_domain_map_is_a_note(report, tmp_path):
    (tmp_path / "map").write_text("gmx.de authorised=yes\n")
    found = report("gmx.de", domain_map=tmp_path / "map")
    assert found["authorised"] is False and found["notes"] == \
        ["domain_map says authorised=yes, which counts in place of SPF"]


def test_relay_set_not_known_yet(spfrom):
    done = spfrom("check", "--json", "gmx.de", relay_hosts=["praxis-langsam.de"])
    assert done.returncode == 75
    report = json.loads(done.stdout)
    assert (report["result"], report["relays"], report["record"]) == ("temperror", [], None)
    assert spfrom("check", "gmx.de", relay_hosts=["praxis-langsam.de"]).returncode == 75


def test_helo(report):
    assert report("helo.example", "--helo", "mx.example")["result"] == "pass"
    assert report("helo.example", "--helo", "other.example")["result"] == "fail"
    assert report("helo.example")["result"] == "pass"


# What a message could have as its sender, though it is no domain, has no record (RFC 7208 section 4.3).
@pytest.mark.parametrize("name", ["anna@a..b", "anna@" + "x" * 64 + ".de", "anna@[192.0.2.1]"])
def test_malformed(spfrom, report, name):
    assert report(name)["result"] == "none"
    done = spfrom("check", name)
    assert done.returncode == 1 and "is not a domain; write it like" in done.stdout


@pytest.mark.parametrize("command", ["check", "advise"])
@pytest.mark.parametrize("name", [" ", "not a domain", "a b", "a..b", "@", "x" * 64 + ".de", "192.0.2.1", "https://",
                                  "a@gmx.de, b@gmx.de", "a@b@gmx.de", "\033[31m.de"])
def test_no_domain(spfrom, command, name):
    for options in (["--json"], [], *[["--mail"]] * (command == "advise")):
        done = spfrom(command, *options, name)
        assert done.returncode == 2 and not done.stdout
        assert "is not a domain; write it like" in done.stderr and "\033" not in done.stderr
        assert f'"{name}"' in done.stderr or not name.isprintable()


def test_nothing_is_no_domain(spfrom):
    for command in ("check", "advise"):
        done = spfrom(command, "")
        assert done.returncode == 2 and not done.stdout


def test_no_domain_among_domains(spfrom):
    done = spfrom("check", "gmx.de", "a b")
    assert done.returncode == 2 and not done.stdout


def test_did_you_mean_the_domain_without_www(spfrom, report):
    assert report("https://www.praxis-mueller.de/")["did_you_mean"] == "praxis-mueller.de"
    assert report("praxis-mueller.de").get("did_you_mean") is None
    assert "did you mean praxis-mueller.de?" in spfrom("check", "www.praxis-mueller.de").stdout
    done = spfrom("advise", "www.praxis-mueller.de")
    assert "did you mean praxis-mueller.de?" in done.stderr


@pytest.mark.parametrize("typed", ["https://gmx.de/", "gmx.de,", " gmx.de ", "<gmx.de>", '"gmx.de"', "mailto:anna@gmx.de",
                                   "<anna@gmx.de>,", "http://gmx.de:80/kontakt?a=b"])
def test_what_is_meant_is_understood(report, typed):
    assert report(typed)["domain"] == "gmx.de"


# arguments → exit status, part of stderr
REFUSED = [
    ([], 2, "name a domain or an address"),
    (["--relay", "192.0.2.1/28", "gmx.de"], 2, "write it like 192.0.2.0/28"),
    (["--relay", "relay.example", "gmx.de"], 2, "--relay"),
    (["--relay"], 2, "requires an argument"),
    (["--frobnicate", "gmx.de"], 2, "unrecognized option"),
    (["-c", "/nonexistent/spfrom.conf", "gmx.de"], 78, "/nonexistent/spfrom.conf"),
    (["-c", "/nonexistent/spfrom.conf", "--relay", "192.0.2.1", "gmx.de"], 78, "/nonexistent/spfrom.conf"),
]


def test_alone_lists_the_subcommands():
    done = subprocess.run([paths.TOOL], capture_output=True, text=True)
    assert done.returncode == 2 and not done.stdout
    assert all(name in done.stderr for name in ("check", "advise", "why", "status", "doctor"))


@pytest.mark.parametrize("arguments, status, part", REFUSED, ids=[" ".join(row[0]) or "none" for row in REFUSED])
def test_refused(spfrom, arguments, status, part):
    done = spfrom("check", *arguments)
    assert done.returncode == status
    assert part in done.stderr
    assert not done.stdout and "\033" not in done.stderr


def test_wrong_configuration(spfrom):
    done = spfrom("check", "gmx.de", relay_hosts=["10.0.0.1"])
    assert done.returncode == 78 and "relay_hosts" in done.stderr
    done = spfrom("check", "gmx.de", mode="sometimes")
    assert done.returncode == 78 and "spfrom.conf:" in done.stderr


def test_configuration_after_the_subcommand(spfrom, tmp_path):
    spfrom("help")
    done = subprocess.run([paths.TOOL, "check", "gmx.de", "-c", tmp_path / "spfrom.conf"], capture_output=True)
    assert done.returncode == 1


@pytest.mark.skipif(os.path.exists("/etc/spfrom/spfrom.conf"), reason="this machine has a configuration")
def test_no_configuration():
    done = subprocess.run([paths.TOOL, "check", "gmx.de"], capture_output=True, text=True)
    assert done.returncode == 78 and "--relay" in done.stderr


def _on_a_terminal(arguments, environment, columns=0):
    """What the tool prints when its stdout is a terminal."""
    ours, theirs = pty.openpty()
    fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", 24, columns, 0, 0))
    process = subprocess.Popen([str(word) for word in arguments], stdout=theirs, env={**os.environ, **environment})
    os.close(theirs)
    text = terminal.read_to_end(ours)
    process.wait()
    return text.decode()


@pytest.mark.parametrize("columns, is_folded", [(60, True), (80, True), (200, False)])
def test_lines_fit_a_terminal(spfrom, tmp_path, columns, is_folded):
    whole = spfrom("check", "makros.example").stdout
    assert max(len(line) for line in whole.splitlines()) > 79
    shown = _on_a_terminal([paths.TOOL, "-c", tmp_path / "spfrom.conf", "check", "makros.example"], {"TERM": "dumb"}, columns)
    lines = shown.splitlines()
    assert max(len(line) for line in lines if not line.startswith("v=spf1")) <= (79 if is_folded else 200)
    assert (lines == whole.splitlines()) != is_folded and shown.split() == whole.split()


def _tool_on_a_terminal(daemon, *arguments, columns=79):
    command = [paths.TOOL, "-c", daemon.configuration_file, *arguments]
    return _on_a_terminal(command, {"TERM": "dumb"}, columns).splitlines()


def test_report_and_doctor_fit_a_terminal(daemons):
    """But for commands to be typed; a wide terminal shows what a program reads."""
    daemon = daemons.start()
    ask(daemon.address, [("From", OHNE)], sender=OHNE)
    processes.wait_until(lambda: OHNE.rpartition("@")[2] in daemon.tool("report").stdout, 60, "the ledger")
    whole = daemon.tool("report").stdout.splitlines()
    assert max(len(line) for line in whole) > 79 and _tool_on_a_terminal(daemon, "report", columns=200) == whole
    assert max(len(line) for line in _tool_on_a_terminal(daemon, "report")) <= 79
    arguments = ("doctor", "--sendmail-cf", "/missing/sendmail.cf")
    lines = _tool_on_a_terminal(daemon, *arguments)
    assert max(len(line) for line in lines if not line.lstrip().startswith(("mend: ", "do: publish in the DNS: "))) <= 79
    words, whole = (re.sub(r"\d+", "0", text).split() for text in (" ".join(lines), daemon.tool(*arguments).stdout))
    assert words == whole


def test_colour_only_on_a_terminal(spfrom, tmp_path):
    plain = spfrom("check", "hostile.example").stdout
    arguments = [paths.TOOL, "-c", tmp_path / "spfrom.conf", "check", "hostile.example"]
    coloured = _on_a_terminal(arguments, {"TERM": "xterm", "NO_COLOR": ""})
    assert "\033[1;31mnot authorised\033[0m" in coloured
    assert "\033[31mred" not in coloured and "\\x1b[31mred\\x07\\u202e" in coloured
    assert _on_a_terminal(arguments, {"TERM": "xterm", "NO_COLOR": "1"}).replace("\r\n", "\n") == plain
    assert _on_a_terminal(arguments, {"TERM": "dumb", "NO_COLOR": ""}).replace("\r\n", "\n") == plain


def test_main(spfrom):
    assert spfrom("--version").stdout.startswith("spfrom ")
    for arguments in (["help"], ["--help"]):
        done = spfrom(*arguments)
        assert done.returncode == 0 and "check" in done.stdout and "test" in done.stdout
    for arguments in (["help", "check"], ["check", "--help"]):
        done = spfrom(*arguments)
        assert done.returncode == 0 and "--relay" in done.stdout
    assert spfrom().returncode == 2
    done = spfrom("chekc", "gmx.de")
    assert done.returncode == 2 and 'did you mean "check"?' in done.stderr
    done = spfrom("frobnicate")
    assert done.returncode == 2 and "did you mean" not in done.stderr


# arguments → what stderr says: what is wrong, with the value, then what to write
WORDED = [
    (["chekc"], 'spfrom: "chekc" is not a subcommand; did you mean "check"?'),
    (["reload", "now"], 'spfrom reload: unexpected argument "now"'),
    (["mode", "foo"], 'spfrom mode: invalid mode "foo"; use off, log-only or rewrite'),
    (["mode", "off", "foo"], 'spfrom mode: unexpected argument "foo"; one mode at a time'),
    (["completion"], "spfrom completion: missing shell; use bash, zsh or fish"),
    (["completion", "tcsh"], 'spfrom completion: invalid shell "tcsh"; use bash, zsh or fish'),
    (["doctor", "--probe", "a@b.example", "--from", "nobody"],
     'spfrom doctor: --from: "nobody" is not an address; write it like anna@praxis.example'),
    (["doctor", "--probe", "a@b.example", "--smtp", "x"],
     'spfrom doctor: --smtp: invalid server "x"; write it like 127.0.0.1:25'),
]


@pytest.mark.parametrize("arguments, said", WORDED, ids=[" ".join(row[0]) for row in WORDED])
def test_wording(spfrom, arguments, said):
    done = spfrom(*arguments)
    assert (done.returncode, done.stdout, done.stderr.splitlines()[0]) == (2, "", said)


def test_full_disk(spfrom, tmp_path):
    spfrom("help")
    with open("/dev/full", "w") as full:
        done = subprocess.run([paths.TOOL, "-c", tmp_path / "spfrom.conf", "check", "gmx.de"], stdout=full,
                              stderr=subprocess.PIPE, text=True)
    assert done.returncode == 74 and "can't be written" in done.stderr
