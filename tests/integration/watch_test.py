"""`spfrom watch` (design section 21): what changed is told once, and what DNS does not say changes nothing."""

import contextlib
import email
import email.policy
import fcntl
import html
import json
import os
import re
import sqlite3
import subprocess
import time

import pytest

from lab import paths
from lab import processes
from lab.metrics_read import metrics_of
from lab.milter_client import ask
from lab.private_web import PrivateWeb
from lab.spfrom import Spfrom
from lab.zone import ZONE_FILE

SENDMAIL = '#!/bin/sh\n{{ echo "$*"; cat; }} >{folder}/digest\n'
AUTHORS = ["a@klinik-nord.de", "b@praxis-neutral.de", "c@gmx.de", "d@praxis-mueller.de"]
NORD = 'klinik-nord.de.            TXT  "v=spf1 ip4:192.0.2.25 -all"'


class Stage:
    def __init__(self, directory):
        directory.mkdir()
        self.directory = directory
        self.zone = directory / "zone"
        self.zone.write_text(ZONE_FILE)
        (directory / "sendmail").write_text(SENDMAIL.format(folder=directory))
        (directory / "sendmail").chmod(0o755)
        self.daemon = Spfrom(directory / "daemon", zone=ZONE_FILE, fallback_address="Lemniscus <noreply@lemniscus.de>")
        self.state = self.daemon.directory / "state"

    def see(self):
        for author in AUTHORS:
            ask(self.daemon.address, [("From", author), ("To", "patient@example.net")], sender=author)
        processes.wait_until(lambda: self.count("ledger.db", "SELECT count(*) FROM seen") >= len(AUTHORS),
                             20, "rows of all authors")

    def count(self, name, sql):
        if not (self.state / name).exists():
            return 0  # nor may this make it
        with contextlib.closing(sqlite3.connect(self.state / name, timeout=20)) as database:
            try:
                return database.execute(sql).fetchone()[0]
            except sqlite3.OperationalError:
                return 0  # it is being made

    def change(self, old, new):
        [file] = [path for path in self.daemon.directory.rglob("*zone*") if path.is_file()]
        text = file.read_text()
        assert old in text
        file.write_text(text.replace(old, new))

    def run(self, *arguments):
        environment = os.environ | {"SPFROM_SENDMAIL": str(self.directory / "sendmail")}
        return subprocess.run([paths.TOOL, "-c", self.daemon.configuration_file, "watch", "--rate", "1000", *arguments],
                              capture_output=True, text=True, timeout=60, env=environment)

    def answer(self, status, *arguments):
        result = self.run("--json", *arguments)
        assert result.returncode == status, result.stdout + result.stderr
        answer = json.loads(result.stdout)
        return {change["domain"]: change for change in answer["changes"]}, answer

    def digest(self):
        file = self.directory / "digest"
        if not file.exists():
            return None
        arguments, _, text = file.read_bytes().partition(b"\n")
        file.unlink()
        return arguments.decode(), email.message_from_bytes(text, policy=email.policy.default)


@pytest.fixture
def stage(directory, request):
    stage = Stage(directory / f"watch-{request.node.name}")
    with stage.daemon:
        stage.see()
        yield stage


def test_each_change_is_told_once(stage):
    changes, answer = stage.answer(0, "--mail", "boss@example.org")
    assert changes == {} and answer["domains"] == 4 and answer["trouble"] == [] and stage.digest() is None

    stage.change(NORD, NORD.replace("ip4:192.0.2.25 -all", "ip4:192.0.2.99 -all"))
    stage.change('praxis-neutral.de.         TXT  "v=spf1 ?all"', 'praxis-neutral.de. TXT "v=spf1 include:lemniscus.de ?all"')
    changes, _ = stage.answer(1, "--mail", "boss@example.org", "--lang", "de")
    assert set(changes) == {"klinik-nord.de", "praxis-neutral.de"}
    broken = changes["klinik-nord.de"]
    assert broken["kind"] == "broken" and broken["term"] == "-all"
    assert (broken["before"], broken["after"]) == ("v=spf1 ip4:192.0.2.25 -all", "v=spf1 ip4:192.0.2.99 -all")
    assert changes["praxis-neutral.de"]["kind"] == "authorised"
    arguments, message = stage.digest()
    assert arguments == "-i -f noreply@lemniscus.de -- boss@example.org"
    assert "klinik-nord.de" in message.get_content() and "192.0.2.99" in message.get_content()

    assert stage.answer(0, "--mail", "boss@example.org")[0] == {} and stage.digest() is None


def test_own_endangered_and_trouble(stage):
    stage.answer(0)
    stage.change('praxis-mueller.de.         TXT  "v=spf1 include:lemniscus.de ~all"',
                 'praxis-mueller.de. TXT "v=spf1 include:lemniscus.de include:weg.example ~all"')
    changes, _ = stage.answer(1)
    assert changes["praxis-mueller.de"]["kind"] == "endangered"
    assert changes["praxis-mueller.de"]["term"] == "include:weg.example"
    stage.change(NORD, 'klinik-nord.de. TROUBLE "no answer"')
    changes, answer = stage.answer(75)
    assert changes == {} and answer["trouble"] == ["klinik-nord.de"]
    stage.change('praxis-neutral.de.         TXT  "v=spf1 ?all"', 'praxis-neutral.de. TXT "v=spf1 include:lemniscus.de ?all"')
    changes, _ = stage.answer(1)
    assert {change["kind"] for change in changes.values()} == {"authorised", "endangered"}


def test_page(stage):
    """The list in the browser: nothing before the first run, then what each run found, with the record to publish."""
    with PrivateWeb(stage.daemon) as web:
        assert 'href="/changes"' not in web.get("/").text
        assert "spfrom-watch.timer" in web.get("/changes").text
        stage.answer(0)
        assert 'href="/changes"' in web.get("/").text
        assert "Bisher hat sich an keiner Domain etwas geändert." in web.get("/changes?lang=de").text
        stage.change(NORD, NORD.replace("ip4:192.0.2.25 -all", "ip4:192.0.2.99 -all"))
        broken = stage.answer(1)[0]["klinik-nord.de"]
        page = html.unescape(web.get("/changes").text)
        for words in ("klinik-nord.de no longer authorises our relays (fail).", f"Before: {broken['before']}", f"Now: {broken['after']}"):
            assert words in page
        record = re.search(r'<code class="quote">(.*?)</code>', page).group(1)
        assert broken["next"].endswith(" " + record)
        [number] = re.findall(r"<h2>Broken in the last 7 days</h2>\s*<p[^>]*>(\d+)<", page)
        assert number == "1" and 'href="/domain/klinik-nord.de"' in page
        (stage.state / "watch.db").write_bytes(b"no database" * 1000)
        assert "can't be read" in html.unescape(web.get("/changes").text)


def test_our_own_domain(stage):
    """It breaks: told at once, by its name in the subject of the digest, and again by each run until it is right."""
    assert "fallback or return" not in stage.run().stderr
    right, wrong = 'lemniscus.de.              TXT  "v=spf1 ip4:192.0.2.25 ', 'lemniscus.de. TXT "v=spf1 ip4:192.0.2.99 '
    stage.change(right, wrong)
    result = stage.run("--json", "--mail", "boss@example.org", "--lang", "de")
    own = json.loads(result.stdout)["changes"][0]
    assert result.returncode == 1 and (own["domain"], own["kind"]) == ("lemniscus.de", "own")
    assert own["next"].endswith("v=spf1 ip4:192.0.2.99 ip4:192.0.2.25 -all")
    assert stage.digest()[1]["Subject"] == "spfrom watch: unsere eigene Domain lemniscus.de ist nicht autorisiert"
    for _ in range(2):
        assert "lemniscus.de, the domain of a fallback or return address, does not authorise our relays" in result.stderr
        result = stage.run("--mail", "boss@example.org")
        assert result.returncode == 0 and stage.digest() is None
    stage.change(wrong, right)
    result = stage.run("--mail", "boss@example.org", "--lang", "en")
    assert result.returncode == 1 and "does not authorise" not in result.stderr and "authorises our relays again" in " ".join(result.stdout.split())
    assert re.fullmatch(r"spfrom watch, changes at domains: \d", stage.digest()[1]["Subject"])


def test_metrics(stage):
    """The daemon tells what the last run that ended saw."""
    assert not [name for name in metrics_of(stage.daemon) if name.startswith("spfrom_watch")]
    stage.answer(0)
    found = metrics_of(stage.daemon)
    states, ended = found["spfrom_watch_domains"], found["spfrom_watch_end_time_seconds"]
    assert sum(states.values()) == 4 and states["unknown"] == 0 and abs(time.time() - ended) < 300
    assert (found["spfrom_watch_broken"], found["spfrom_watch_endangered"], found["spfrom_watch_own_unauthorised"]) == (0, 0, 0)
    stage.change(NORD, NORD.replace("ip4:192.0.2.25 -all", "ip4:192.0.2.99 -all"))
    stage.change('lemniscus.de.              TXT  "v=spf1 ip4:192.0.2.25 ', 'lemniscus.de. TXT "v=spf1 ip4:192.0.2.99 ')
    stage.answer(1)
    found = metrics_of(stage.daemon)
    assert found["spfrom_watch_broken"] >= 1 and found["spfrom_watch_own_unauthorised"] == 1
    assert found["spfrom_watch_domains"]["authorised"] < states["authorised"]
    with contextlib.closing(sqlite3.connect(stage.state / "watch.db", timeout=20)) as watch:
        watch.execute("UPDATE changes SET found = found - 8 * 86400000000")
        watch.commit()
    assert metrics_of(stage.daemon)["spfrom_watch_broken"] == 0


def test_second_run_says_that_one_is_under_way(stage):
    stage.answer(0)
    with open(stage.state / "watch.lock", "rb+") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        result = stage.run()
    assert result.returncode == 69 and "under way" in result.stderr


def test_what_was_found_is_told_by_the_run_that_ends(stage):
    stage.answer(0)
    stage.change(NORD, NORD.replace("ip4:192.0.2.25 -all", "-all"))
    (stage.directory / "sendmail").write_text("#!/bin/sh\nexit 75\n")
    assert stage.run("--mail", "boss@example.org").returncode == 69
    (stage.directory / "sendmail").write_text(SENDMAIL.format(folder=stage.directory))
    assert set(stage.answer(1, "--mail", "boss@example.org")[0]) == {"klinik-nord.de"}
    assert stage.digest() is not None
