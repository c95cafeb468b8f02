"""A relay set of which DNS does not tell all (design section 7): it vouches for nobody, and everything says so."""

import itertools
import json
import subprocess

import pytest

from lab import clients
from lab import paths
from lab import processes
from lab.arrived import mailboxes
from lab.cases import message
from conftest import Route
from lab.control_client import ask_control
from lab.faulty_dns import Failure, FaultyDns, Txt
from lab.metrics_read import metrics_of
from lab.spfrom import Spfrom
from lab.zone import FALLBACK

KNOWN = "192.0.2.25"
OURS = "erika@ours.example"     # authorises KNOWN alone
OTHERS = "erika@others.example"  # authorises neither
PART = Txt(["v=spf1 ip4:198.51.100.7 -all"], ttl=1)
BOTH = "erika@both.example"    # authorises both
_numbers = itertools.count()
EX_CONFIG, TROUBLE = 78, 75


def _behaviours(part):
    return {"ours.example": Txt([f"v=spf1 ip4:{KNOWN} -all"]), "others.example": Txt(["v=spf1 -all"]),
            "both.example": Txt([f"v=spf1 ip4:{KNOWN} ip4:198.51.100.7 -all"]),
            "lemniscus.de": Txt([f"v=spf1 ip4:{KNOWN} ip4:198.51.100.7 -all"]), "part.example": part}


def _settings(dns, **settings):
    return {"zone": None, "dns_servers": [dns.server], "dns_timeout": "1s", "check_timeout": "2s",
            "relay_hosts": [KNOWN, "spf:part.example"], **settings}


class Mail:
    """A daemon whose DNS is faulty, behind a Postfix."""

    def __init__(self, directory, name, part, **settings):
        self._directory, self._name, self._settings = directory, name, settings
        self.behaviours = _behaviours(part)

    def __enter__(self):
        self.dns = FaultyDns(self.behaviours).__enter__()
        self.daemon = Spfrom(self._directory / f"{self._name}-milter", **_settings(self.dns, **self._settings))
        self.daemon.start()
        self.route = Route(self._directory / f"{self._name}-postfix", self.daemon)
        self.route.__enter__()
        return self

    def __exit__(self, *exception):
        self.route.__exit__(*exception)
        self.daemon.stop()
        self.dns.__exit__(*exception)

    def is_kept(self, author):
        """Sends a mail of author, and tells whether its author arrived."""
        recipient = f"r{next(_numbers)}@example.net"
        clients.send_smtp(self.route.postfix, author, recipient, message(f"From: {author}"))
        found = [address for _, address in mailboxes(self.route.sink.take(recipient).data, "From")]
        assert found in ([author], [FALLBACK])
        return found == [author]

    def status(self):
        return ask_control(self.daemon, "status")["relay_set"]


def _becomes_complete(mail):
    processes.wait_until(lambda: mail.status()["complete"], 30, "a complete relay set")


def test_servfail(directory, needs_postfix):
    """Nobody is vouched for, everything says so, and it is over by itself when DNS answers. What was known then stays."""
    with Mail(directory, "servfail", Failure()) as mail:
        assert not mail.is_kept(OURS) and not mail.is_kept(BOTH) and not mail.is_kept(OTHERS)
        assert mail.daemon.wait_for_record(domain="ours.example")["spf"] == "temperror"
        assert mail.daemon.wait_for_record(domain="others.example")["spf"] == "fail"
        status = mail.status()
        assert status["networks"] == [KNOWN] and status["complete"] is False and "part.example" in status["problems"][0]
        assert "incomplete" in mail.daemon.tool("status").stdout
        assert metrics_of(mail.daemon)["spfrom_relay_set_complete"] == 0
        assert "the relay set is incomplete" in mail.daemon.log() and "spf:part.example: temperror" in mail.daemon.log()
        assert "relay set is incomplete" in mail.daemon.tool("doctor").stdout
        check = mail.daemon.tool("check", "--json", "ours.example")
        assert check.returncode == TROUBLE and json.loads(check.stdout)["result"] == "temperror"
        advice = mail.daemon.tool("advise", "--json", "ours.example")
        assert advice.returncode == TROUBLE and json.loads(advice.stdout)["kind"] == "unknown"
        assert "the relay set is incomplete" in advice.stderr

        mail.behaviours["part.example"] = PART
        _becomes_complete(mail)
        assert not mail.is_kept(OURS) and mail.is_kept(BOTH)
        assert metrics_of(mail.daemon)["spfrom_relay_set_complete"] == 1
        processes.wait_until(lambda: "relay set complete" in mail.daemon.log(), 10, "a line in the log")

        for behaviour in (Failure(), Txt(["no record"], ttl=1)):
            mail.behaviours["part.example"] = behaviour
            mail.daemon.tool("flush")
            processes.wait_until(lambda: mail.status()["problems"], 30, "the trouble")
            assert mail.status()["complete"] is True and "198.51.100.7" in mail.status()["networks"]
            assert not mail.is_kept(OURS) and mail.is_kept(BOTH)


def test_relay_policy_any(directory, needs_postfix):
    """An entry that is known is enough; one that is not known vouches for nobody."""
    with Mail(directory, "any", Failure(), relay_policy="any") as mail:
        assert mail.is_kept(OURS) and mail.is_kept(BOTH) and not mail.is_kept(OTHERS)
        assert mail.daemon.wait_for_record(domain="others.example")["spf"] == "temperror"
        assert mail.daemon.tool("check", "ours.example").returncode == 0
        mail.behaviours["part.example"] = PART
        _becomes_complete(mail)
        assert mail.is_kept(OURS) and not mail.is_kept(OTHERS)


def test_pool_with_terms_that_are_no_networks(directory, needs_postfix):
    with Mail(directory, "partial", Txt(["v=spf1 ip4:198.51.100.7 exists:%{i}.part.example -all"])) as mail:
        assert not mail.is_kept(OURS) and not mail.is_kept(BOTH)
        assert mail.status()["complete"] is False
        assert "can't be told as networks" in mail.status()["problems"][0]


def test_result_that_does_not_count(directory, needs_postfix):
    """rewrite_on without temperror vouches for nobody either."""
    with Mail(directory, "lenient", Failure(), rewrite_on=["fail"]) as mail:
        assert not mail.is_kept(OURS) and not mail.is_kept(OTHERS)


LOOKUPS = " ".join(["a:part.example"] * 11)
WRONG = {
    "nonexistent": (None, "has no SPF record"),
    "misspelt": (None, "has no SPF record"),
    "permerror": (Txt(["v=spf1 ip4:198.51.100.300 -all"]), "permerror"),
    "two-records": (Txt(["v=spf1 -all", "v=spf1 ip4:198.51.100.7 -all"]), "has 2 SPF records"),
    "empty": (Txt(["v=spf1 -all"]), "authorises no public network"),
    "exists-only": (Txt(["v=spf1 exists:%{i}.part.example -all"]), "can't be told as networks"),
    "everybody": (Txt(["v=spf1 +all"]), "authorises every address"),
    "too-many-look-ups": (Txt([f"v=spf1 ip4:198.51.100.7 {LOOKUPS} -all"]), "more than 10 terms need a look-up"),
    "too-many-networks": (Txt(["v=spf1 " + " ".join(f"ip4:20.{i // 128}.{i % 128 * 2}.1" for i in range(1001)) + " -all"]),
                          "more than 1000 networks"),
}


@pytest.mark.parametrize("policy", ["all", "any"])
@pytest.mark.parametrize("name", WRONG)
def test_wrong_for_good(directory, name, policy):
    """An error of the configuration at start, for -t and on a reload, with its place; the old one stays."""
    part, said = WRONG[name]
    behaviours = {key: value for key, value in _behaviours(part).items() if value is not None}
    with FaultyDns(behaviours) as dns:
        daemon = Spfrom(directory / f"wrong-{name}-{policy}", **_settings(dns, relay_policy=policy))
        entries = daemon.settings["relay_hosts"]
        if name == "misspelt":
            entries = daemon.settings["relay_hosts"] = [KNOWN, "spf:part.exmaple"]
        daemon.write_configuration()
        place = f"{daemon.configuration_file}:{list(daemon.settings).index('relay_hosts') + 1}: relay_hosts: spf:part."
        for arguments in (["-t"], ["-f"]):
            result = subprocess.run([paths.MILTER, "-c", daemon.configuration_file, *arguments], capture_output=True,
                                    text=True, timeout=60)
            assert result.returncode == EX_CONFIG and place in result.stderr and said in result.stderr
        for command in ("check", "advise"):
            result = daemon.tool(command, "ours.example")
            assert result.returncode == EX_CONFIG and place in result.stderr
        daemon.settings["relay_hosts"] = [KNOWN]
        with daemon:
            daemon.settings["relay_hosts"] = entries
            daemon.write_configuration()
            result = daemon.tool("reload")
            assert result.returncode == EX_CONFIG and place in result.stderr and said in result.stderr
            assert ask_control(daemon, "status")["relay_set"]["networks"] == [KNOWN]
