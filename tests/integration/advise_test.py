"""`spfrom advise`: what to publish, in words and as a letter, through the command line (design sections 12 and 15)."""

import json
import subprocess

import pytest

from lab import paths
from lab.spfrom import configuration
from lab.zone import FALLBACK, ZONE_FILE

pytestmark = pytest.mark.address

LONG = " ".join(f"ip4:203.0.113.{number}" for number in range(1, 28))

ZONE = ZONE_FILE + f"""\
amazonses.com.         TXT "v=spf1 ip4:199.255.192.0/22 ip4:54.240.0.0/18 -all"
; no record; the name servers are Strato's
praxis-neu.de.         A    203.0.113.80
praxis-neu.de.         NS   docks05.rzone.de.
praxis-neu.de.         NS   shades02.rzone.de.
mail.praxis-neu.de.    A    203.0.113.81
xn--praxis-sd-x9a.de.  A    203.0.113.82
; one record
praxis-alt.de.         A    203.0.113.80
praxis-alt.de.         MX   10 praxis-alt.de.
praxis-alt.de.         TXT  "v=spf1 a mx -all"
praxis-alt.de.         NS   ns1.praxis-alt.de.
praxis-fertig.de.      TXT  "v=spf1 include:amazonses.com -all"
praxis-lang.de.        TXT  "v=spf1 {LONG[:240]}" "{LONG[240:]} -all"
_dmarc.praxis-alt.de.  TXT  "v=DMARC1; p=reject"
; several, and wrong ones
praxis-zwei.de.        TXT  "v=spf1 ip4:203.0.113.80 -all"
praxis-zwei.de.        TXT  "v=spf1 ip4:203.0.113.81 ~all"
praxis-kaputt.de.      TXT  "v=spf1 inlcude:amazonses.com ip4:203.0.113.80 -all"
praxis-geraten.de.     TXT  "v=spf1 include:_spf.goo gle.com -all"
praxis-minus.de.       TXT  "v=spf1 -include:amazonses.com -all"
praxis-teuer.de.       TXT  "v=spf1 {' '.join(f'include:i{number}.example' for number in range(11))} -all"
{"".join(f'i{number}.example. TXT "v=spf1 ip4:203.0.113.{number} -all"' + chr(10) for number in range(11))}\
; strangers' tricks
boese.example.         TXT  "v=spf1 include:\\010Bcc:\\032x@x.example\\013\\010\\013\\010 \\027[31m -all"
boese2.example.        TXT  "v=spf1 a:{{domain}} ?all"
"""

BASE = {"fallback_address": f'"Lemniscus" <{FALLBACK}>', "relay_hosts": ["spf:amazonses.com"],
        "hostname": "relay.lemniscus.de"}


@pytest.fixture
def spfrom(tmp_path):
    """Runs `spfrom` with a configuration of BASE and settings, in no language unless environment says one."""
    def run(*arguments, extra="", environment=None, **settings):
        (tmp_path / "zone").write_text(ZONE)
        file = tmp_path / "spfrom.conf"
        file.write_text(configuration({**BASE, "dns_zone_file": tmp_path / "zone", **settings}) + extra)
        return subprocess.run([paths.TOOL, "-c", file, *map(str, arguments)], capture_output=True, text=True,
                              env=environment or {})
    return run


@pytest.fixture
def advice(spfrom):
    def run(*arguments, **settings):
        done = spfrom("advise", "--json", *arguments, **settings)
        assert not done.stderr
        return json.loads(done.stdout)
    return run


# what is asked, exit status, kind, record
KINDS = [
    ("praxis-neu.de", 1, "publish", "v=spf1 include:amazonses.com ~all"),
    ("anna@praxis-neu.de", 1, "publish", "v=spf1 include:amazonses.com ~all"),
    ("mail.praxis-neu.de", 1, "publish", "v=spf1 include:amazonses.com ~all"),
    ("praxis-süd.de", 1, "publish", "v=spf1 include:amazonses.com ~all"),
    ("praxis-alt.de", 1, "extend", "v=spf1 a mx include:amazonses.com -all"),
    ("praxis-zwei.de", 1, "merge", "v=spf1 ip4:203.0.113.80 ip4:203.0.113.81 include:amazonses.com ~all"),
    ("praxis-kaputt.de", 1, "repair", "v=spf1 include:amazonses.com ip4:203.0.113.80 -all"),
    ("praxis-teuer.de", 1, "reduce", ...),
    ("praxis-fertig.de", 0, "ok", ...),
    ("gmail.com", 1, "provider", None),
    ("gmx.de", 1, "provider", None),
    ("web.de", 1, "provider", None),
    ("anna.schmidt@t-online.de", 1, "provider", None),
    ("GMX.de.", 1, "provider", None),
    ("gibt-es-nicht.example", 1, "nodomain", None),
    ("praxis-langsam.de", 75, "unknown", None),
]
IDS = [row[0] for row in KINDS]
LANGUAGES = ("en", "de")


def lines_of(text):
    assert text.endswith("\n") and not text.endswith("\n\n")
    assert all(character == "\n" or character.isprintable() for character in text)
    return text.splitlines()


def check_lines(text, record):
    """No line is longer than 76 columns but the record, which stands alone on its line, once."""
    lines = lines_of(text)
    assert [line for line in lines if len(line) > 76 and line != record] == []
    if record:
        assert lines.count(record) == 1
        assert text.count(record) == 1
    return lines


@pytest.mark.parametrize("subject, status, kind, record", KINDS, ids=IDS)
def test_json(spfrom, subject, status, kind, record):
    done = spfrom("advise", subject, "--json")
    assert (done.returncode, done.stderr) == (status, "")
    found = json.loads(done.stdout)
    assert found["kind"] == kind
    assert found["language"] == "en"
    if record is not ...:
        assert found["record"] == record
    check_lines(found["text"], found["record"] if kind != "ok" else None)


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("subject, status, kind, record", KINDS, ids=IDS)
def test_text(spfrom, advice, language, subject, status, kind, record):
    done = spfrom("advise", subject, "--lang", language)
    assert (done.returncode, done.stderr) == (status, "")
    found = advice(subject)["record"] if record is ... and kind != "ok" else record
    check_lines(done.stdout, found if found is not ... else None)
    assert ("fallback" in done.stdout) == (kind == "provider" and language == "en")
    assert ("Ersatzadresse" in done.stdout) == (kind == "provider" and language == "de")


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("subject, status, kind, record", KINDS, ids=IDS)
def test_letter(spfrom, advice, language, subject, status, kind, record):
    done = spfrom("advise", subject, "--lang", language, "--mail")
    assert done.returncode == status
    if kind == "unknown":
        assert done.stdout == ""
        assert done.stderr == "spfrom advise: praxis-langsam.de: the DNS does not answer, so there is nothing to " \
                              "write yet\n"
        return
    assert done.stderr == ""
    found = advice(subject)["record"] if record is ... and kind != "ok" else record
    subject_line, blank, greeting, *rest = check_lines(done.stdout, found if found is not ... else None)
    assert subject_line.startswith({"en": "Subject: ", "de": "Betreff: "}[language]) and "xn--" not in subject_line
    assert blank == ""
    assert greeting == {"en": "Dear customer,", "de": "Guten Tag,"}[language]
    assert rest[-2:] == [{"en": "Kind regards", "de": "Mit freundlichen Grüßen"}[language], "Lemniscus"]
    assert "DKIM" not in done.stdout or "DMARC" in done.stdout  # what only the operator needs is left out


def test_name_and_hoster(spfrom, advice):
    """Which name gets the record, and who keeps it."""
    found = advice("praxis-neu.de")
    assert (found["hoster"], found["zone"], found["name"]) == ("Strato", "praxis-neu.de", "@")
    assert found["name_servers"] == ["docks05.rzone.de", "shades02.rzone.de"]
    text = spfrom("advise", "praxis-neu.de").stdout
    assert "Please log in to Strato, where" in text
    assert "  Name (host):  @, or empty: the domain praxis-neu.de itself\n  Type:         TXT\n" in text
    assert "  Name (host):  mail\n" in spfrom("advise", "mail.praxis-neu.de").stdout
    assert advice("praxis-alt.de")["hoster"] is None


def test_operator_is_told_of_the_envelope(spfrom):
    text = spfrom("advise", "praxis-neu.de").stdout
    assert "For the operator: mail leaves through amazonses.com" in text and "DKIM" in text
    assert "operator" not in spfrom("advise", "praxis-neu.de", "--mail").stdout
    assert "operator" not in spfrom("advise", "praxis-neu.de", relay_hosts=["192.0.2.25"]).stdout


def test_mechanism_of_each_kind_of_relay(advice):
    assert advice("praxis-neu.de", relay_hosts=["192.0.2.25"])["record"] == "v=spf1 ip4:192.0.2.25 ~all"
    assert advice("praxis-neu.de", relay_hosts=["relay.lemniscus.de"])["record"] == "v=spf1 a:relay.lemniscus.de ~all"


def test_long_record_comes_in_strings_too(spfrom, advice):
    found = advice("praxis-lang.de")
    assert len(found["record"]) > 450
    assert {"strings", "long"} <= {point["kind"] for point in found["points"]}
    strings, = [line for line in spfrom("advise", "praxis-lang.de").stdout.splitlines() if line.startswith('"')]
    parts = strings[1:-1].split('" "')
    assert "".join(parts) == found["record"] and all(len(part) <= 255 for part in parts)


# environment → language
ENVIRONMENTS = [
    ({}, "en"),
    ({"LANG": "de_DE.UTF-8"}, "de"),
    ({"LANG": "de_DE.UTF-8", "LC_ALL": "en_US.UTF-8"}, "en"),
    ({"LANG": "C.UTF-8", "LANGUAGE": "de"}, "de"),
    ({"LC_ALL": "C", "LANGUAGE": "de"}, "en"),
    ({"LANG": "fr_FR.UTF-8"}, "en"),
    ({"LANG": "de_DE.UTF-8", "SPFROM_LOCALEDIR": "/nowhere"}, "en"),
]


@pytest.mark.parametrize("environment, language", ENVIRONMENTS)
def test_language_of_the_environment(advice, environment, language):
    found = advice("gmx.de", environment=environment)
    assert found["language"] == language
    assert ("Nur der Anbieter selbst" in found["text"]) == (language == "de")


def test_letter_in_json(spfrom, advice):
    letter = spfrom("advise", "praxis-neu.de", "--mail").stdout
    assert advice("praxis-neu.de", "--mail")["letter"] == letter
    assert advice("praxis-langsam.de", "--mail")["letter"] is None
    assert "letter" not in advice("praxis-neu.de")


def test_log_only_promises_no_change_of_the_sender(spfrom):
    assert FALLBACK in spfrom("advise", "praxis-neu.de", "--mail").stdout
    assert FALLBACK not in spfrom("advise", "praxis-neu.de", "--mail", mode="log-only").stdout
    own = 'domain "praxis-neu.de" { fallback_address = "praxis@tenant.example" }\n'
    assert "praxis@tenant.example" in spfrom("advise", "praxis-neu.de", "--mail", extra=own).stdout


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("subject", ["x\nBcc: x@x.example\n\nx", "<script>.de", "\033[31m.de", "a" * 300 + ".de",
                                     "{domain}.de", "%s%n.de", "keine domain", "192.0.2.1"])
def test_no_domain_gets_no_letter(spfrom, subject, language):
    for arguments in (["--mail"], [], ["--json"]):
        done = spfrom("advise", subject, "--lang", language, *arguments)
        assert (done.returncode, done.stdout) == (2, "")
        assert "is not a domain" in done.stderr and "\033" not in done.stderr
        assert not [line for line in done.stderr.splitlines() if line.startswith("Bcc")]


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("subject", ["boese.example", "boese2.example"])
def test_strangers_write_no_line_of_their_own(spfrom, subject, language):
    for arguments in (["--mail"], []):
        done = spfrom("advise", subject, "--lang", language, *arguments)
        assert (done.returncode, done.stderr) == (1, "")
        lines = check_lines(done.stdout, None) if subject != "boese2.example" else lines_of(done.stdout)
        assert not [line for line in lines if line.startswith("Bcc")]
        assert len([line for line in lines if line.startswith(("Subject:", "Betreff:"))]) == len(arguments)


def test_administrators_lists(spfrom, advice, tmp_path):
    (tmp_path / "mail-providers").write_text("# the village's\npraxis-neu.de\n!gmx.de\n")
    (tmp_path / "dns-hosters").write_text("praxis-alt.de Die Agentur\n")
    assert advice("praxis-neu.de")["kind"] == "provider"
    assert advice("gmx.de")["kind"] == "extend"
    assert advice("praxis-alt.de")["hoster"] == "Die Agentur"
    (tmp_path / "mail-providers").write_text("gmx.de\n*.web.de\n")
    done = spfrom("advise", "gmx.de")
    assert (done.returncode, done.stdout) == (78, "")
    assert done.stderr == f'spfrom advise: {tmp_path}/mail-providers:2: "*.web.de" is not a domain; write it like ' \
                          'mail.example.net\n'


def test_data_directory(spfrom, tmp_path):
    done = spfrom("advise", "gmx.de", environment={"SPFROM_DATADIR": str(tmp_path)})
    assert (done.returncode, done.stderr) == \
           (78, f"spfrom advise: {tmp_path}/mail-providers: can't be read: No such file or directory\n")


# arguments → exit status, what stderr has
USAGE = [
    ([], 2, "name one domain or address"),
    ([""], 2, "name one domain or address"),
    (["a.de", "b.de"], 2, "name one domain or address"),
    (["--lang", "fr", "a.de"], 2, '--lang: there are no texts in "fr"; write en or de'),
    (["--lang", "../de", "a.de"], 2, "there are no texts in"),
    (["--nonsense", "a.de"], 2, "--nonsense"),
    (["-c", "/nowhere/spfrom.conf", "a.de"], 78, "/nowhere/spfrom.conf"),
]


@pytest.mark.parametrize("arguments, status, complaint", USAGE, ids=[repr(row[0]) for row in USAGE])
def test_usage(spfrom, arguments, status, complaint):
    done = spfrom("advise", *arguments)
    assert (done.returncode, done.stdout) == (status, "")
    assert complaint in done.stderr


def test_help(spfrom):
    done = spfrom("advise", "--help")
    assert done.returncode == 0
    assert all(option in done.stdout for option in ("--lang de|en", "--mail", "--json", "-c FILE"))
    assert all(kind in done.stdout for kind in {row[2] for row in KINDS})


def test_reason_of_foreign_data_is_german(spfrom):
    done = spfrom("advise", "--lang", "de", "--mail", "praxis-geraten.de")
    text = " ".join(done.stdout.split())
    assert "_spf.goo hat keinen SPF-Eintrag." in text and "SPF record" not in text
    assert "Wenn wir falsch raten, könnten Fremde E-Mails als praxis-geraten.de versenden." in text
    assert text.count("Wenn Ihnen die Domain nicht gehört, müssen Sie nichts tun") == 1


def test_a_sign_that_is_changed_is_not_told_as_new(spfrom, advice):
    found = advice("praxis-minus.de")
    assert found["record"] == "v=spf1 include:amazonses.com -all" and found["added"] == ["include:amazonses.com"]
    assert "all else stays as it was" not in " ".join(found["text"].split())
