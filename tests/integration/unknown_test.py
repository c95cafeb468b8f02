"""Unknown is not no: while the DNS gives no answer, nothing says that a record is missing or that a domain does not
authorise the relays."""

import json
import subprocess

import pytest

from lab import paths
from lab.faulty_dns import FaultyDns, Silence
from lab.private_web import PrivateWeb
from lab.spfrom import Spfrom, configuration
from lab.zone import RELAY

ZONE = f"""\
$TTL 300
ours.example.         TXT "v=spf1 ip4:{RELAY} -all"
ours.example.         MX  10 mail.ours.example.
mail.ours.example.    TROUBLE "no answer"
_dmarc.ours.example.  TROUBLE "no answer"
dead.example.         TROUBLE "no answer"
_dmarc.dead.example.  TROUBLE "no answer"
route.example.        TXT "v=spf1 ip4:{RELAY} -all"
route.example.        MX  10 gone.example.
route.example.        MX  20 mail.ours.example.
half.example.         TXT "v=spf1 include:dead.example -all"
maybe.example.        TXT "v=spf1 ptr -all"
relay.example.        TROUBLE "no answer"
"""

NO = ["does not authorise", "has no DMARC", "has no SPF", "none", "No SPF record", "no record", "Kein SPF-Eintrag", "kein Eintrag",
      "no mail reaches", "has no address", "has a route"]


@pytest.fixture
def spfrom(tmp_path):
    (tmp_path / "zone").write_text(ZONE)

    def run(*arguments, **settings):
        file = tmp_path / "spfrom.conf"
        file.write_text(configuration({"fallback_address": "noreply@ours.example", "relay_hosts": [RELAY],
                                       "hostname": "relay.example", "dns_zone_file": tmp_path / "zone", **settings}))
        return subprocess.run([paths.TOOL, "-c", file, *map(str, arguments)], capture_output=True, text=True)
    return run


def _findings(text):
    return {(finding["check"], finding["level"]): finding["text"] for finding in json.loads(text)["findings"]}


def _says_no(text):
    return [said for said in NO if said in text]


def test_check(spfrom):
    said = spfrom("check", "dead.example")
    assert said.returncode == 75 and not _says_no(said.stdout)
    assert "record     unknown\n" in said.stdout
    assert "dmarc      unknown: no answer for _dmarc.dead.example (TXT): no answer\n" in said.stdout
    assert "advice     unknown: the DNS does not answer" in said.stdout
    report = json.loads(spfrom("check", "--json", "dead.example").stdout)
    assert (report["result"], report["dmarc"], report["dmarc_policy"]) == ("temperror", None, "unknown")
    assert report["dmarc_trouble"] == "no answer for _dmarc.dead.example (TXT): no answer"


def test_check_of_a_record_that_is_there(spfrom):
    """What is known is said, and of an include that gives no answer nothing is."""
    said = spfrom("check", "half.example").stdout
    assert "record     v=spf1 include:dead.example -all\n" in said and "dmarc      none\n" in said
    said = spfrom("check", "ours.example").stdout
    assert "authorised (pass)" in said and "dmarc      unknown: " in said


@pytest.mark.parametrize("language", ["en", "de"])
def test_advise(spfrom, language):
    for domain in ("dead.example", "half.example"):
        said = spfrom("advise", "--lang", language, domain)
        assert said.returncode == 75 and not _says_no(said.stdout)
        assert spfrom("advise", "--mail", "--lang", language, domain).stdout == ""


@pytest.mark.parametrize("domain", ["dead.example", "half.example", "relays"])
def test_doctor(spfrom, domain):
    settings = ({"fallback_address": f"noreply@{domain}"} if domain != "relays"
                else {"relay_hosts": [RELAY, "relay.example"]})
    found = _findings(spfrom("doctor", "--json", "--postconf", "/none", **settings).stdout)
    assert "is not known" in found["fallback-spf", "unknown"] and "no answer" in found["fallback-spf", "unknown"]
    assert not [check for check, level in found if check == "fallback-spf" and level != "unknown"]


def test_doctor_on_dmarc_and_route(spfrom):
    found = _findings(spfrom("doctor", "--json", "--postconf", "/none").stdout)
    assert found["fallback-spf", "fine"]
    assert "is not known: no answer for _dmarc.ours.example" in found["fallback-dmarc", "unknown"]
    assert "is not known" in found["fallback-route", "unknown"]
    assert ("fallback-dmarc", "warning") not in found and ("fallback-route", "fine") not in found
    found = _findings(spfrom("doctor", "--json", "--postconf", "/none", fallback_address="noreply@route.example").stdout)
    assert "is not known" in found["fallback-route", "unknown"] and ("fallback-route", "error") not in found


def test_doctor_on_what_cannot_be_proven(spfrom):
    found = _findings(spfrom("doctor", "--json", "--postconf", "/none", fallback_address="noreply@maybe.example",
                             relay_hosts=["198.51.0.0/16"]).stdout)
    assert "can't be proven" in found["fallback-spf", "error"] and '"ptr"' in found["fallback-spf", "error"]


def test_dead_dns(tmp_path):
    """No server answers at all: doctor, check, advise and the page."""
    with FaultyDns({}, otherwise=Silence()) as dns:
        daemon = Spfrom(tmp_path / "daemon", dns_servers=[dns.server], dns_timeout="1s", check_timeout="1s",
                        dns_trust_anchor="")
        daemon.write_configuration()
        command = [paths.TOOL, "-c", daemon.configuration_file]
        asked = [subprocess.Popen(command + arguments, stdout=subprocess.PIPE, text=True) for arguments in (
            ["doctor", "--json", "--postconf", "/none"], ["check", "x.example"], ["advise", "x.example"],
            ["advise", "--lang", "de", "x.example"])]
        diagnosis, *said = [process.communicate()[0] for process in asked]
        assert [process.returncode for process in asked[1:]] == [75, 75, 75]
        assert not _says_no("".join(said)), said
        found = _findings(diagnosis)
        for check in ("fallback-spf", "fallback-dmarc", "fallback-route"):
            assert {level for name, level in found if name == check} == {"unknown"}, found
        with PrivateWeb(daemon) as web:
            for language, unknown in (("en", "Not known: the DNS gave no answer."),
                                      ("de", "Nicht bekannt: Das DNS hat nicht geantwortet.")):
                page = web.get("/domain/x.example", accept_language=language).text
                assert page.count(unknown) == 2
                assert "No SPF record" not in page and "Kein SPF-Eintrag" not in page
