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

from conftest import Route
from lab import paths
from lab import private_postfix
from lab import processes
from lab import terminal
from lab.metrics_read import metrics_of
from lab.faulty_dns import FaultyDns, Failure, Txt
from lab.milter_client import ask
from lab.private_web import PrivateWeb
from lab.spfrom import Spfrom
from lab.zone import ZONE_FILE

SENDMAIL = '#!/bin/sh\n{{ echo "$*"; cat; }} >{folder}/digest\n'
AUTHORS = ["a@klinik-nord.de", "b@praxis-neutral.de", "c@gmx.de", "d@praxis-mueller.de"]
NORD = 'klinik-nord.de.            TXT  "v=spf1 ip4:192.0.2.25 -all"'


class Stage:
    """A daemon that has seen mail, and a sendmail that keeps what it gets."""

    def __init__(self, directory, **settings):
        directory.mkdir()
        self.directory = directory
        self.be_sendmail(SENDMAIL)
        self.daemon = Spfrom(directory / "daemon", fallback_address="Lemniscus <noreply@lemniscus.de>", **settings)
        self.state = self.daemon.directory / "state"

    def be_sendmail(self, text):
        (self.directory / "sendmail").write_text(text.format(folder=self.directory))
        (self.directory / "sendmail").chmod(0o755)

    def see(self, *authors):
        for author in authors:
            ask(self.daemon.address, [("From", author), ("To", "patient@example.net")], sender=author)
        processes.wait_until(lambda: self.count("ledger.db", "SELECT count(*) FROM seen") >= len(authors),
                             20, "rows of all authors")

    def have_seen(self, names):
        """More domains, as if their mail had been like that of the ledger's first domain."""
        with contextlib.closing(sqlite3.connect(self.state / "ledger.db", timeout=20)) as database:
            for name in names:
                database.execute("INSERT INTO domains (name, first, last, authorised_since)"
                                 " SELECT ?, first, last, authorised_since FROM domains WHERE id = 1", (name,))
                database.execute("INSERT INTO seen SELECT day, last_insert_rowid(), result, action, messages, first, last"
                                 " FROM seen WHERE domain = 1")
            database.commit()

    def count(self, name, sql):
        if not (self.state / name).exists():
            return 0  # nor may this make it
        with contextlib.closing(sqlite3.connect(self.state / name, timeout=20)) as database:
            try:
                return database.execute(sql).fetchone()[0]
            except sqlite3.OperationalError:
                return 0  # it is being made

    def change(self, old, new):
        file = self.daemon.directory / "zone"
        text = file.read_text()
        assert old in text
        file.write_text(text.replace(old, new))

    def start(self, *arguments, rate=1000, stderr=subprocess.PIPE):
        environment = os.environ | {"SPFROM_SENDMAIL": str(self.directory / "sendmail"), "LC_ALL": "C"}
        return subprocess.Popen([paths.TOOL, "-c", self.daemon.configuration_file, "watch", *([] if "--rate" in arguments else ["--rate", str(rate)]), *arguments],
                                stdout=subprocess.PIPE, stderr=stderr, text=True, env=environment)

    def run(self, *arguments, **how):
        process = self.start(*arguments, **how)
        stdout, stderr = process.communicate(timeout=120)
        return subprocess.CompletedProcess(process.args, process.returncode, stdout, stderr)

    def answer(self, status, *arguments):
        result = self.run("--json", *arguments)
        assert result.returncode == status, result.stdout + result.stderr
        answer = json.loads(result.stdout)
        changes = {change["domain"]: change for change in answer["changes"]}
        assert len(changes) == len(answer["changes"]), "a domain is told of twice"
        return changes, answer

    def digest(self):
        file = self.directory / "digest"
        if not file.exists():
            return None
        arguments, _, text = file.read_bytes().partition(b"\n")
        file.unlink()
        return arguments.decode(), email.message_from_bytes(text, policy=email.policy.default)


@pytest.fixture
def stage(directory, request):
    stage = Stage(directory / f"watch-{request.node.name}", zone=ZONE_FILE)
    with stage.daemon:
        stage.see(*AUTHORS)
        yield stage


class ManyDomains:
    """A DNS server for `count` domains, each tenth of which does not authorise the relay, and a stage whose ledger has them
    all as authorised."""

    def __init__(self, directory, count):
        self.names = [f"d{number:04}.example" for number in range(count)]
        self.broken = set(self.names[5::10])
        self.dns = FaultyDns({"lemniscus.de": Txt(["v=spf1 ip4:192.0.2.25 -all"])} | {
            name: Txt([f"v=spf1 ip4:203.0.113.{int(name in self.broken)} {'' if name in self.broken else 'ip4:192.0.2.25 '}-all"])
            for name in self.names})
        self.stage = Stage(directory, dns_servers=self.dns.server)

    def __enter__(self):
        self.dns.__enter__()
        self.stage.daemon.start()
        self.stage.see(f"anna@{self.names[0]}")
        self.stage.have_seen(self.names[1:])
        return self

    def __exit__(self, *exception):
        self.stage.daemon.stop()
        self.dns.__exit__()

    def forget(self):
        """As if nothing had been asked yet. Each run begins with an empty cache, too."""
        self.dns.questions.clear()
        self.dns.first_asked.clear()

    def asked(self):
        return {name for name in self.names if self.dns.count(name)}

    def known(self):
        """What runs, whether or not they came to their end, were done with."""
        with contextlib.closing(sqlite3.connect(self.stage.state / "watch.db", timeout=20)) as database:
            return {name for name, in database.execute("SELECT name FROM domains")}


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


def test_each_broken_include(stage):
    """Each is told when it begins, one that takes the place of another, too, and all of them where something else changed."""
    def told():
        result = stage.run("--json")
        changes = json.loads(result.stdout)["changes"]
        assert {change["kind"] for change in changes} <= {"authorised", "endangered"}, result.stdout
        return result.returncode, [change["term"] for change in changes if change["kind"] == "endangered"]

    stage.answer(0)
    record = 'praxis-mueller.de.         TXT  "v=spf1 include:lemniscus.de ~all"'
    for includes, wanted in (("include:weg.example", (1, ["include:weg.example"])),
                             ("include:fort.example", (1, ["include:fort.example"])),
                             ("include:fort.example include:ab.example", (1, ["include:ab.example", "include:fort.example"])),
                             ("include:ab.example include:fort.example", (0, []))):
        new = f'praxis-mueller.de. TXT "v=spf1 include:lemniscus.de {includes} ~all"'
        stage.change(record, new)
        record = new
        assert told() == wanted
    stage.change('praxis-neutral.de.         TXT  "v=spf1 ?all"', 'praxis-neutral.de. TXT "v=spf1 include:lemniscus.de ?all"')
    assert told() == (1, ["include:ab.example", "include:fort.example"])


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


def test_relays_that_are_not_known(stage):
    """What a domain authorises can't be told without them."""
    stage.answer(0)
    stage.daemon.settings["relay_hosts"] = ["relay.lemniscus.de"]
    stage.daemon.write_configuration()
    stage.answer(0)
    stage.change("relay.lemniscus.de.        A    192.0.2.25", 'relay.lemniscus.de. TROUBLE "no answer"')
    result = stage.run("--mail", "boss@example.org")
    assert result.returncode == 75 and "the relay set is incomplete: " in result.stderr and stage.digest() is None
    stage.change('relay.lemniscus.de. TROUBLE "no answer"', "relay.lemniscus.de. A 192.0.2.25")
    assert stage.answer(0)[0] == {}


@pytest.mark.parametrize("language, words, last", [
    ("en", 'The relay set is incomplete: "spfrom doctor" says why. Nothing is told of the domains for which that matters: ',
     "Domains: 4. Changes: 1."),
    ("de", "Welche Server unsere sind, ist nicht vollständig bekannt: „spfrom doctor“ sagt, warum. ", "Domains: 4. Änderungen: 1.")], ids=["en", "de"])
def test_unsure(stage, language, words, last):
    """Once, at the top; what is sure is told all the same, and what depends on them is told once they are known."""
    stage.answer(0)
    stage.daemon.settings["relay_hosts"] = ["192.0.2.25", "relay.lemniscus.de"]
    stage.daemon.write_configuration()
    stage.change("relay.lemniscus.de.        A    192.0.2.25", 'relay.lemniscus.de. TROUBLE "no answer"')
    stage.change(NORD, NORD.replace("ip4:192.0.2.25 -all", "-all"))
    stage.change('praxis-neutral.de.         TXT  "v=spf1 ?all"', 'praxis-neutral.de. TXT "v=spf1 include:lemniscus.de ?all"')
    result = stage.run("--mail", "boss@example.org", "--lang", language)
    assert result.returncode == 1
    for text in (result.stdout, stage.digest()[1].get_content()):
        assert " ".join(text.split()).startswith(words)
        assert text.splitlines()[-1] == last and "klinik-nord.de" in text and "praxis-neutral.de" not in text
    stage.change('relay.lemniscus.de. TROUBLE "no answer"', "relay.lemniscus.de. A 192.0.2.25")
    assert set(stage.answer(1)[0]) == {"praxis-neutral.de"}
    assert "The relay set" not in stage.run("--lang", "en").stdout


def test_many_that_are_unsure(stage):
    """They are no sign of a dead DNS: the run goes on to its end, however many they are in a row."""
    names = [f"d{number:04}.example" for number in range(1200)]  # 200 of them in a row, whatever the order
    stage.have_seen(names)
    stage.change(NORD, "\n".join([NORD, *(f'{name}. TXT "v=spf1 ip4:192.0.2.25 -all"' for name in names)]))
    stage.answer(0)
    stage.daemon.settings["relay_hosts"] = ["192.0.2.25", "relay.lemniscus.de"]
    stage.daemon.write_configuration()
    stage.change("relay.lemniscus.de.        A    192.0.2.25", 'relay.lemniscus.de. TROUBLE "no answer"')
    stage.change(NORD, NORD.replace("ip4:192.0.2.25 -all", "-all"))
    changes, answer = stage.answer(1)
    assert set(changes) == {"klinik-nord.de"} and set(names) <= set(answer["trouble"])


def test_second_run_says_that_one_is_under_way(stage):
    stage.answer(0)
    with open(stage.state / "watch.lock", "rb+") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        result = stage.run()
    assert result.returncode == 69 and "under way" in result.stderr


def test_what_was_found_is_told_by_the_run_that_ends(stage):
    stage.answer(0)
    stage.change(NORD, NORD.replace("ip4:192.0.2.25 -all", "-all"))
    stage.be_sendmail("#!/bin/sh\nexit 75\n")
    assert stage.run("--mail", "boss@example.org").returncode == 69
    stage.be_sendmail(SENDMAIL)
    assert set(stage.answer(1, "--mail", "boss@example.org")[0]) == {"klinik-nord.de"}
    assert stage.digest() is not None
    assert stage.answer(0, "--mail", "boss@example.org")[0] == {} and stage.digest() is None


def test_what_was_not_told_is_looked_at_again(stage):
    """After a digest that could not be sent: what went back is not told, the rest as it is now, and what DNS does not answer for
    once it does."""
    def fail():
        stage.be_sendmail("#!/bin/sh\nexit 75\n")
        assert stage.run("--mail", "boss@example.org").returncode == 69
        stage.be_sendmail(SENDMAIL)

    broken = 'klinik-nord.de. TXT "v=spf1 -all"'
    neutral = 'praxis-neutral.de.         TXT  "v=spf1 ?all"'
    authorised = 'praxis-neutral.de. TXT "v=spf1 include:lemniscus.de ?all"'
    whole = 'praxis-mueller.de.         TXT  "v=spf1 include:lemniscus.de ~all"'
    endangered = 'praxis-mueller.de. TXT "v=spf1 include:lemniscus.de include:weg.example ~all"'
    stage.answer(0)
    for old, new in ((NORD, broken), (neutral, authorised), (whole, endangered)):
        stage.change(old, new)
    fail()
    for new, old in ((NORD, broken), (neutral, authorised), (whole, endangered)):
        stage.change(old, new)
    assert stage.answer(0, "--mail", "boss@example.org")[0] == {} and stage.digest() is None

    stage.change(NORD, broken)
    stage.change(neutral, authorised)
    fail()
    fail()
    trouble = 'praxis-neutral.de. TROUBLE "no answer"'
    stage.change(broken, 'klinik-nord.de. TXT "v=spf1 ip4:192.0.2.99 -all"')
    stage.change(authorised, trouble)
    changes, answer = stage.answer(1, "--mail", "boss@example.org")
    assert set(changes) == {"klinik-nord.de"} and answer["trouble"] == ["praxis-neutral.de"]
    assert (changes["klinik-nord.de"]["before"], changes["klinik-nord.de"]["after"]) == ("v=spf1 ip4:192.0.2.25 -all", "v=spf1 ip4:192.0.2.99 -all")
    assert "praxis-neutral.de" not in stage.digest()[1].get_content()
    stage.change(trouble, authorised)
    changes, _ = stage.answer(1, "--mail", "boss@example.org")
    assert set(changes) == {"praxis-neutral.de"} and changes["praxis-neutral.de"]["kind"] == "authorised"
    assert stage.answer(0)[0] == {}


def test_what_was_not_told_of_a_domain_that_is_not_asked(stage):
    """It may have gone back meanwhile: it waits for a run that looks at the domain."""
    stage.answer(0)
    broken = NORD.replace("ip4:192.0.2.25 -all", "-all")
    stage.change(NORD, broken)
    stage.be_sendmail("#!/bin/sh\nexit 75\n")
    assert stage.run("--mail", "boss@example.org").returncode == 69
    stage.be_sendmail(SENDMAIL)
    stage.change(broken, NORD)
    with contextlib.closing(sqlite3.connect(stage.state / "ledger.db", timeout=20)) as database:
        for table, row in (("domains", "name"), ("seen", "(SELECT name FROM domains WHERE id = domain)")):
            database.execute(f"UPDATE {table} SET first = first - 30 * 86400000, last = last - 30 * 86400000"
                             f" WHERE {row} = 'klinik-nord.de'")
        database.execute("UPDATE seen SET day = day - 30 WHERE domain = (SELECT id FROM domains WHERE name = 'klinik-nord.de')")
        database.commit()
    changes, answer = stage.answer(0, "--days", "7")
    assert changes == {} and answer["domains"] == 3
    assert stage.answer(0)[0] == {} and stage.answer(0)[1]["domains"] == 4


def test_interrupted_twice_and_gone_on(directory, is_full_length):
    """A run is killed, and one ended, in the middle; a second one at once looks at nothing. Each change is told once, and no
    domain that a run was done with is looked at again."""
    count = 5000 if is_full_length else 40
    slow, part = (500, count // 5) if is_full_length else (2, 3)
    done = "SELECT count(*) FROM domains"
    with ManyDomains(directory / "watch-killed", count) as many:
        stage = many.stage
        for end in ("kill", "terminate"):
            before = stage.count("watch.db", done)
            run = stage.start(rate=slow)
            processes.wait_until(lambda: stage.count("watch.db", done) >= before + part, 60, "the middle of a run", run)
            if end == "kill":
                second = stage.run()
                assert second.returncode == 69 and "under way" in second.stderr
            getattr(run, end)()
            assert not run.communicate(timeout=60)[0]
        known = many.known()
        assert 2 * part <= len(known) < count, "a run was not interrupted, but ended"
        many.forget()
        changes, answer = stage.answer(1, "--mail", "boss@example.org")
        assert set(changes) == many.broken and {change["kind"] for change in changes.values()} == {"broken"}
        assert answer["domains"] == count + 1 and answer["trouble"] == []
        _, message = stage.digest()
        told = [line for line in message.get_content().splitlines() if "no longer authorises" in line]
        assert {line.split()[0] for line in told} == many.broken and len(told) == len(many.broken)
        asked = many.asked()
        # a question that an interrupted run sent twice may still have been on its way
        assert asked | known >= set(many.names) and len(asked & known) <= 2
        assert stage.answer(0, "--mail", "boss@example.org")[0] == {} and stage.digest() is None


def test_rate_is_kept(directory, is_full_length):
    count, rate = (5000, 400) if is_full_length else (40, 20)
    with ManyDomains(directory / "watch-rate", count) as many:
        many.forget()
        begin = time.monotonic()
        assert set(many.stage.answer(1, "--rate", str(rate))[0]) == many.broken
        assert time.monotonic() - begin >= (count - 1) / rate
        times = sorted(many.dns.first_asked[name] for name in many.names)
        # questions may reach the server together on a busy machine, at most 16 of them
        assert all(later - earlier >= 1 for earlier, later in zip(times, times[rate + 17:]))


def test_dns_is_dead(directory):
    """Nothing is told as a change, and what was known stays known."""
    with ManyDomains(directory / "watch-dead", 210) as many:
        stage = many.stage
        assert set(stage.answer(1)[0]) == many.broken
        alive, many.dns.behaviours = many.dns.behaviours, {}
        many.dns.otherwise = Failure()
        result = stage.run("--mail", "boss@example.org")
        assert result.returncode == 75 and "200 domains in a row" in result.stderr and not result.stdout
        with contextlib.closing(sqlite3.connect(stage.state / "ledger.db", timeout=20)) as database:
            database.execute("DELETE FROM seen WHERE domain > 30")
            database.commit()
        result = stage.run("--mail", "boss@example.org")
        assert result.returncode == 75 and "did not answer for any" in result.stderr
        assert "Changes: 0" in result.stdout and stage.digest() is None
        many.dns.behaviours, many.dns.otherwise = alive, None
        assert stage.answer(0, "--mail", "boss@example.org")[0] == {} and stage.digest() is None


def test_progress_on_a_terminal(stage):
    ours, theirs = os.openpty()
    result = stage.run(stderr=theirs)
    os.close(theirs)
    assert result.returncode == 0
    shown = terminal.read_to_end(ours).decode()
    assert shown.endswith("\r4 of 4 domains\r\n") and "\r1 of 4 domains" in shown
    assert stage.run().stderr == ""


def test_digest_through_postfix(stage, directory, needs_postfix):
    """As it arrives: well-formed, in German, the record to publish whole on its line, and left alone by the milter."""
    stage.answer(0)
    more = " ".join(f"ip4:203.0.113.{number}" for number in range(11))
    stage.change(NORD, NORD.replace("ip4:192.0.2.25 -all", f"{more} -all"))
    with Route(directory / "watch-postfix", stage.daemon) as route:
        postfix = private_postfix.programs()
        library = postfix.environment.get("LD_LIBRARY_PATH", "")
        stage.be_sendmail(f"#!/bin/sh\nexport LD_LIBRARY_PATH='{library}'\nexec {postfix.sendmail} -C {route.postfix.etc} \"$@\"\n")
        changes, _ = stage.answer(1, "--mail", "boss@example.org", "--lang", "de")
        delivery = route.sink.take("boss@example.org")
    message = email.message_from_bytes(delivery.data, policy=email.policy.default)
    assert delivery.sender.strip("<>") == "noreply@lemniscus.de" and "X-SPFrom" not in message and not message.defects
    assert message["From"] == "Lemniscus <noreply@lemniscus.de>" and message["To"] == "boss@example.org"
    assert message["Subject"] == "spfrom watch, Änderungen bei Domains: 1"
    assert message["Auto-Submitted"] == "auto-generated" and message["Date"].datetime.utcoffset() is not None
    lines = message.get_content().splitlines()
    assert lines[0] == "klinik-nord.de autorisiert unsere Server nicht mehr (fail)."
    assert f"    Jetzt: v=spf1 {more} -all" in lines
    record = changes["klinik-nord.de"]["next"].rpartition(": ")[2]
    assert record.startswith("v=spf1 ") and len(record) > 150 and record in lines
    assert lines[-1] == "Domains: 4. Änderungen: 1."
