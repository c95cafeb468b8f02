"""`spfrom letters` (design section 22): who is written to, what arrives, and that nobody gets anything twice."""

import contextlib
import email
import email.policy
import json
import os
import re
import shutil
import sqlite3
import struct
import subprocess

import pytest

from conftest import Route
from lab import paths
from lab import private_postfix
from lab import processes
from lab.clients import send_smtp
from lab.compiled import compile_c
from lab.milter_client import ask
from lab.private_web import PrivateWeb
from lab.spfrom import Spfrom
from lab.zone import ZONE_FILE

NEW = "neu@praxis-ohne.de"  # a therapist who publishes what the letter shows
MUTE = "stumm@praxis-neutral.de"  # one who never answers
USER = "anna@gmx.de"  # a user of a mail provider
DAY = 86400

SENDMAIL = """\
#!/bin/sh
file=$(mktemp {folder}/letter.XXXXXX)
{{ echo "$*"; cat; }} >"$file.part"
mv "$file.part" "$file"
"""


class Stage:
    """A daemon that has seen mail, a sendmail that keeps what it gets, and a wall clock that can be set ahead."""

    def __init__(self, directory, shim, **settings):
        self.directory = directory
        directory.mkdir()
        self.folder = directory / "sent"
        self.folder.mkdir()
        self.sendmail = directory / "sendmail"
        self.be_sendmail(SENDMAIL)
        self.ahead = directory / "ahead"
        self.shim = shim
        self.days = 0
        self.daemon = Spfrom(directory / "daemon", zone=ZONE_FILE, return_address="bounce+%t@lemniscus.de",
                             return_socket="", fallback_address="Lemniscus <noreply@lemniscus.de>",
                             letter_reply_to="Büro <buero@lemniscus.de>", **settings)
        self.state = self.daemon.directory / "state"

    def be_sendmail(self, text):
        self.sendmail.write_text(text.format(folder=self.folder))
        self.sendmail.chmod(0o755)

    def start(self, *arguments, command="letters", rate=1000):
        self.ahead.write_bytes(struct.pack("@q", self.days * DAY))
        environment = os.environ | {"SPFROM_SENDMAIL": str(self.sendmail), "WALL_CLOCK_FILE": str(self.ahead),
                                    "LD_PRELOAD": str(self.shim), "TZ": "Europe/Berlin"}
        return subprocess.Popen([paths.TOOL, "-c", self.daemon.configuration_file, command, "--rate", str(rate),
                                 *map(str, arguments)], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
                                env=environment)

    def run(self, *arguments, command="letters"):
        process = self.start(*arguments, command=command)
        process.out, process.err = process.communicate(timeout=60)
        return process

    def answer(self, *arguments):
        result = self.run("--json", *arguments)
        assert result.out, result.err
        answer = json.loads(result.out)
        return ({letter["address"]: letter for letter in answer["letters"]},
                {letter["domain"]: letter["reason"] for letter in answer["skipped"]})

    def taken(self):
        """What sendmail has got since the last call: address → (its arguments, the message)."""
        found = {}
        for file in sorted(self.folder.iterdir()):
            arguments, _, text = file.read_bytes().partition(b"\n")
            words = arguments.decode().split()
            assert words[-1] not in found, f"{words[-1]} got two letters"
            found[words[-1]] = words, email.message_from_bytes(text, policy=email.policy.default)
            file.unlink()
        return found

    def see(self, *authors):
        """Mail of authors, until it stands in the ledger and their addresses in return.db."""
        for author in authors:
            ask(self.daemon.address, [("From", f"Praxis <{author}>"), ("To", "patient@example.net")])
        self.wait_for_rows(authors)

    def wait_for_rows(self, authors):
        processes.wait_until(lambda: self.count("ledger.db", "SELECT count(*) FROM seen WHERE action = 1") >= len(authors)
                             and self.count("return.db", "SELECT count(*) FROM addresses") >= len(authors),
                             20, "rows of all authors")

    def count(self, name, sql):
        file = self.state / name
        if not file.exists():
            return 0
        with contextlib.closing(sqlite3.connect(file, timeout=20)) as database:
            if not database.execute("SELECT count(*) FROM sqlite_schema").fetchone()[0]:
                return 0  # it is being made
            return database.execute(sql).fetchone()[0]

    def change(self, name, *statements):
        with contextlib.closing(sqlite3.connect(self.state / name, timeout=20)) as database:
            for statement in statements:
                database.execute(statement)
            database.commit()

    def wait(self, days):
        """Time goes on, and the mail with it."""
        self.days += days
        # in two steps: a row that the daemon wrote meanwhile must not meet one that was moved before
        self.change("ledger.db", f"UPDATE seen SET day = -(day + {days})", "UPDATE seen SET day = -day WHERE day < 0")
        self.change("return.db", f"UPDATE addresses SET day = day + {days}")


@pytest.fixture(scope="module")
def shim(directory):
    return compile_c(paths.SRCDIR / "tests/integration/wall_clock_shim.c", directory / "letters_clock.so", "-fPIC", "-shared")


@pytest.fixture
def stage(directory, shim, request):
    stage = Stage(directory / f"letters-{request.node.name}", shim)
    with stage.daemon:
        yield stage


def from_after(stage, author):
    """The edits of a message of author's: none keep its From:."""
    fields = [("From", f"Praxis <{author}>"), ("To", "patient@example.net")]
    outcome = ask(stage.daemon.address, fields)
    return dict((name.decode(), text.decode()) for name, text in outcome.applied(fields))["From"].strip()


def test_the_whole_story(stage):
    stage.see(NEW, MUTE, USER)
    due, skipped = stage.answer()
    assert {address: letter["kind"] for address, letter in due.items()} == {NEW: "publish", MUTE: "extend", USER: "provider"}
    assert not skipped and not stage.taken()
    assert not any(letter["sent"] for letter in due.values())

    sent, _ = stage.answer("--send")
    taken = stage.taken()
    assert taken.keys() == {NEW, MUTE, USER}
    arguments, letter = taken[NEW]
    token = re.fullmatch(r"bounce\+([a-z2-7]{16})@lemniscus\.de", arguments[2]).group(1)
    assert arguments == ["-i", "-f", f"bounce+{token}@lemniscus.de", "--", NEW]
    assert letter["Message-ID"] == f"<spfrom-letter.{token}@lemniscus.de>" == f"<{sent[NEW]['message_id']}>"
    assert (letter["From"], letter["Reply-To"], letter["To"]) == (
        "Lemniscus <noreply@lemniscus.de>", "Büro <buero@lemniscus.de>", NEW)
    assert letter["Subject"] == "Ihre Domain praxis-ohne.de: ein DNS-Eintrag fehlt"
    assert letter["Auto-Submitted"] == "auto-generated" and letter["Date"].datetime.utcoffset() is not None
    assert not letter.defects and not [name for name in letter.keys() if name.lower().startswith(("list-", "precedence"))]
    text = letter.get_content()
    assert sent[NEW]["record"] in text.splitlines() or f"  {sent[NEW]['record']}" in text.splitlines(), text
    assert "Guten Tag" in taken[USER][1].get_content()

    assert stage.answer("--send") == ({}, {"praxis-ohne.de": "waits", "praxis-neutral.de": "waits", "gmx.de": "enough"})
    assert not stage.taken()

    assert "noreply@" in from_after(stage, NEW)
    zone = stage.daemon.directory / "zone"
    zone.write_text(zone.read_text() + f'praxis-ohne.de. TXT "{sent[NEW]["record"]}"\n')
    assert stage.daemon.tool("reload").returncode == 0
    processes.wait_until(lambda: NEW in from_after(stage, NEW), 20, "mail that keeps its From:")

    stage.wait(1)
    sent, _ = stage.answer("--send")
    assert {address: letter["kind"] for address, letter in sent.items()} == {NEW: "authorised"}
    assert stage.taken()[NEW][1]["Subject"] == "Ihre Domain praxis-ohne.de: erledigt, vielen Dank"
    stage.wait(30)
    sent, skipped = stage.answer("--send")
    assert stage.taken().keys() == sent.keys() == {MUTE}
    assert sent[MUTE]["number"] == 2
    assert skipped == {"praxis-ohne.de": "authorised", "gmx.de": "enough"}
    for _ in range(2):
        stage.wait(31)
        assert stage.answer("--send")[1]["praxis-neutral.de"] == "enough"
        assert not stage.taken()


def many(stage, count, name="d", below="example"):
    seen = f"{name}@praxis-neutral.de"
    stage.see(seen)
    zone = stage.daemon.directory / "zone"
    zone.write_text(zone.read_text() + "".join(f"{name}{n}.{below}. A 203.0.113.1\n" for n in range(count)))
    stage.change("ledger.db", *(
        statement for n in range(count) for statement in (
            f"INSERT INTO domains (name, first, last) SELECT '{name}{n}.{below}', first, last FROM domains WHERE id = 1",
            "INSERT INTO seen SELECT day, last_insert_rowid(), result, action, messages, first, last FROM seen WHERE domain = 1")))
    stage.change("return.db", *(f"INSERT INTO addresses SELECT 'aaaaaaaaaaaaa{n:03}', 'anna@{name}{n}.{below}', day FROM addresses LIMIT 1"
                                for n in range(count)))
    return {seen} | {f"anna@{name}{n}.{below}" for n in range(count)}


def test_killed_in_the_middle(stage):
    """The run is ended while its third letter is handed over; the next one sends the rest, and nothing twice."""
    addresses = many(stage, 6)
    stage.be_sendmail(SENDMAIL + "[ $(ls {folder} | wc -l) -lt 3 ] || kill -9 $PPID\n")
    assert stage.run("--send").returncode == -9
    first = stage.taken()
    assert len(first) == 3
    stage.be_sendmail(SENDMAIL)
    stage.run("--send", "--limit", 2)
    second = stage.taken()
    stage.run("--send")
    third = stage.taken()
    assert len(second) == 2 and len(third) == 2
    assert first.keys() | second.keys() | third.keys() == addresses


def test_two_runs_at_once(stage):
    addresses = many(stage, 12)
    runs = [stage.start("--send", "--json") for _ in range(2)]
    told = [json.loads(run.communicate(timeout=60)[0])["letters"] for run in runs]
    assert stage.taken().keys() == addresses
    assert len(told[0]) + len(told[1]) == len(addresses)


class Mta:
    """Postfix's sendmail, which notes who is written to before it hands the letter over."""

    def __init__(self, stage, route):
        self.stage, self.route = stage, route
        self.called = stage.directory / "called"
        self.programs = private_postfix.programs()

    def be_sendmail(self, before="", after=""):
        """before, after: shell commands around the submission; $n is the number of this call."""
        library = self.programs.environment.get("LD_LIBRARY_PATH", "")
        self.stage.be_sendmail(f"#!/bin/sh\nunset LD_PRELOAD\nfor to; do :; done\necho \"$to\" >>{self.called}\n"
                               f"n=$(wc -l <{self.called})\n{before}\nexport LD_LIBRARY_PATH='{library}'\n"
                               f"{self.programs.sendmail} -C {self.route.postfix.etc} \"$@\" || exit\n{after}\n")

    def recipients(self):
        return self.called.read_text().split() if self.called.exists() else []

    def assert_once(self, addresses):
        """Each of addresses was written to once, and has the letter."""
        assert sorted(self.recipients()) == sorted(addresses)
        for address in addresses:
            self.route.sink.take(address)
            assert len(self.route.sink.to(address)) == 1


def test_two_runs_against_a_slow_submission(stage, bare_route):
    """One run waits for the MTA, or for its rate, while the other one goes through the same letters."""
    addresses = many(stage, 5, "slow")
    mta, go = Mta(stage, bare_route), stage.directory / "go"
    mta.be_sendmail(before=f"[ $n -gt 1 ] || until [ -e {go} ]; do sleep 0.02; done")
    slow = stage.start("--send", "--json", "--limit", 1)
    processes.wait_until(mta.recipients, 20, "a letter that is being handed over", slow)
    sent, skipped = stage.answer("--send", "--limit", 2)
    assert len(sent) == 2 and set(skipped.values()) == {"waits"}, "what is under way is not due"
    go.touch()
    told, = json.loads(slow.communicate(timeout=60)[0])["letters"]
    assert told["sent"] and told["domain"] in skipped

    # its first letter is out; the second one is examined, and noted one second later
    slow = stage.start("--send", "--json", rate=1)
    processes.wait_until(lambda: len(mta.recipients()) > 3, 20, "the first letter of a slow run", slow)
    fast, _ = stage.answer("--send")
    told = json.loads(slow.communicate(timeout=60)[0])["letters"]
    assert len(told) + len(fast) == 3
    mta.assert_once(addresses)
    assert stage.count("letters.db", "SELECT count(*) FROM letters WHERE state = 1") == len(addresses)


def test_killed_around_the_submission(stage, bare_route):
    """Killed before the MTA has the letter, and after that but before it is noted as sent: no second copy of either."""
    addresses = many(stage, 3, "kill")
    mta = Mta(stage, bare_route)
    mta.be_sendmail(before="if [ $n -eq 1 ]; then kill -9 $PPID; exit 1; fi", after="[ $n -ne 2 ] || kill -9 $PPID")
    for count in 1, 2:
        assert stage.run("--send").returncode == -9
        assert len(mta.recipients()) == count
    lost = mta.recipients()[0]
    sent, skipped = stage.answer("--send")
    assert len(sent) == len(addresses) - 2 and list(skipped.values()) == ["waits"] * 2
    assert sorted(mta.recipients()) == sorted(addresses)
    for address in addresses - {lost}:
        bare_route.sink.take(address)
        assert len(bare_route.sink.to(address)) == 1
    assert not bare_route.sink.to(lost)
    assert stage.count("letters.db", "SELECT count(*) FROM letters WHERE state = 0") == 2
    with PrivateWeb(stage.daemon) as web:
        assert web.get("/letters?lang=en").text.count("not known whether it left") == 2
    stage.wait(30)
    sent, _ = stage.answer("--send")
    assert sent[lost]["number"] == 2, "it may have left"


def test_bounced(stage):
    stage.see(MUTE)
    stage.run("--send")
    sender = stage.taken()[MUTE][0][2]
    ask(stage.daemon.address, [("From", "MAILER-DAEMON@praxis-neutral.de"), ("Auto-Submitted", "auto-replied"),
                               ("Subject", "not here")], sender="", client="203.0.113.7", recipients=[sender])
    stage.wait(31)
    assert stage.answer()[0].keys() == {MUTE}, "an automatic reply is no bounce"
    for subject in "Delayed Mail (still being retried)", "Warning: could not send message for past 4 hours":
        ask(stage.daemon.address, [("From", "MAILER-DAEMON@praxis-neutral.de"), ("Auto-Submitted", "auto-replied"),
                                   ("Content-Type", "multipart/report; report-type=delivery-status; boundary=b"),
                                   ("Subject", subject)], sender="", client="203.0.113.7", recipients=[sender])
        assert stage.answer()[0].keys() == {MUTE}, "a letter that is late did not come back"
    ask(stage.daemon.address, [("From", "MAILER-DAEMON@praxis-neutral.de"), ("Subject", "no such user")], sender="",
        client="203.0.113.7", recipients=[sender])
    processes.wait_until(lambda: stage.count("letters.db", "SELECT bounced FROM letters"), 20, "a bounce that is noted")
    assert stage.answer("--send") == ({}, {"praxis-neutral.de": "bounced"})
    assert not stage.taken()
    with PrivateWeb(stage.daemon) as web:
        page = web.get("/letters?lang=de").text
        assert MUTE in page and "kam zurück" in page
        assert 'href="/letters"' in web.get("/").text


def test_a_name_with_an_umlaut(stage):
    """The page shows a domain as its owner reads it."""
    stage.see(MUTE)
    stage.run("--send")
    stage.change("letters.db", "UPDATE letters SET domain = 'xn--praxis-mller-klb.de'")
    with PrivateWeb(stage.daemon) as web:
        page = web.get("/letters").text
        assert re.search(r'<a[^>]*href="/domain/xn--praxis-mller-klb.de"[^>]*>praxis-müller.de</a>', page), page


class Correspondence:
    """Mail of authors, letters to them and digests, all through Postfix, in the order of their arrival."""

    def __init__(self, stage, route):
        self.stage, self.route = stage, route
        self.mta = Mta(stage, route)
        self.mta.be_sendmail()
        self.count = 0

    def from_of(self, author):
        """How mail of author arrives."""
        self.count += 1
        patient = f"patient{self.count}@example.net"
        send_smtp(self.route.postfix, author, patient, f"From: Praxis <{author}>\r\nTo: {patient}\r\n\r\nHello\r\n".encode())
        return email.message_from_bytes(self.route.sink.take(patient).data, policy=email.policy.default)["From"]

    def letters(self):
        """Sends what is due. Returns what arrived: address → (its envelope sender, the letter, what was told)."""
        result = self.stage.run("--send", "--json")
        assert result.returncode == 0, result.err
        sent = {letter["address"]: letter for letter in json.loads(result.out)["letters"]}
        found = {}
        for address, told in sent.items():
            processes.wait_until(lambda: self.of(address, told["message_id"]), 20, f"the letter to {address}")
            found[address] = *self.of(address, told["message_id"]), told
        return found

    def of(self, address, message_id):
        for delivery in self.route.sink.to(address):
            letter = email.message_from_bytes(delivery.data, policy=email.policy.default)
            if letter["Message-ID"] == f"<{message_id}>":
                return delivery.sender, letter
        return None

    def watch(self, *arguments):
        """Returns its status and domain → kind of what changed."""
        result = self.stage.run("--json", *arguments, command="watch")
        return result.returncode, {change["domain"]: change["kind"] for change in json.loads(result.out)["changes"]}


def test_from_rewriting_to_cure(stage, directory, needs_postfix):
    """As the people have it: what arrives, what they do with it, and what they get then. The clock of the programs is moved on."""
    with Route(directory / "letters-postfix", stage.daemon) as route:
        post = Correspondence(stage, route)
        for author in NEW, MUTE:
            assert "noreply@lemniscus.de" in post.from_of(author)
        stage.wait_for_rows([NEW, MUTE])
        assert post.watch("--mail", "boss@lemniscus.de") == (0, {})

        letters = post.letters()
        assert letters.keys() == {NEW, MUTE}
        sender, letter, told = letters[NEW]
        assert re.fullmatch(r"bounce\+[a-z2-7]{16}@lemniscus\.de", sender)
        assert letter["From"] == "Lemniscus <noreply@lemniscus.de>"
        assert "X-SPFrom" not in letter and not letter.defects, "nobody on the way had to mend it, and the milter left it alone"
        record, = {line.strip() for line in letter.get_content().splitlines() if line.strip().startswith("v=spf1 ")}
        assert record == told["record"]

        stage.wait(3)
        assert not post.letters(), "both were written to three days ago"
        assert "noreply@lemniscus.de" in post.from_of(NEW)
        zone = stage.daemon.directory / "zone"
        zone.write_text(zone.read_text() + f'praxis-ohne.de. TXT "{record}"\n')
        assert stage.daemon.tool("reload").returncode == 0
        assert post.watch("--mail", "boss@lemniscus.de", "--lang", "de") == (1, {"praxis-ohne.de": "authorised"})
        digest = email.message_from_bytes(route.sink.take("boss@lemniscus.de").data, policy=email.policy.default)
        assert "praxis-ohne.de" in digest.get_content() and "praxis-neutral.de" not in digest.get_content()
        assert post.watch("--mail", "boss@lemniscus.de") == (0, {})
        assert post.from_of(NEW) == f"Praxis <{NEW}>"
        assert "noreply@lemniscus.de" in post.from_of(MUTE)

        stage.wait(1)
        letters = post.letters()
        assert letters.keys() == {NEW}
        assert letters[NEW][1]["Subject"] == "Ihre Domain praxis-ohne.de: erledigt, vielen Dank"
        for days, due in (25, set()), (1, {MUTE}), (29, set()), (1, set()), (31, set()):
            stage.wait(days)
            assert post.letters().keys() == due, f"after {stage.days} days"
        assert sorted(post.mta.recipients()) == sorted([NEW, NEW, MUTE, MUTE, "boss@lemniscus.de"])


def bounces_finding(stage, etc):
    """The command against it, or None."""
    programs = private_postfix.programs()
    done = stage.daemon.tool("doctor", "--json", "--postfix-config", etc, "--postconf", programs.command("postconf"),
                             env=programs.environment)
    found = [finding for finding in json.loads(done.stdout)["findings"] if finding["check"] == "letter-bounces"]
    return found[0]["command"] if found else None


def test_bounced_by_our_own_postfix(stage, directory, needs_postfix):
    """The other side refuses the letter, and our Postfix writes the bounce; the doctor knows what that needs."""
    stage.see(MUTE)
    with Route(directory / "letters-bounced", stage.daemon, internal_mail_filter_classes="bounce") as route:
        Mta(stage, route).be_sendmail()
        route.sink.refuse(MUTE)
        etc = stage.directory / "etc"
        shutil.copytree(route.postfix.etc, etc)
        (etc / "main.cf").write_text((etc / "main.cf").read_text().replace("internal_mail_filter_classes = bounce\n", ""))
        assert bounces_finding(stage, etc) is None, "no letter was sent yet"
        assert stage.answer("--send")[0].keys() == {MUTE}
        mend = bounces_finding(stage, etc)
        subprocess.run(["sh", "-c", mend.partition(" && ")[0]], env=private_postfix.programs().environment, check=True)
        assert bounces_finding(stage, etc) is None

        processes.wait_until(lambda: stage.count("letters.db", "SELECT bounced FROM letters"), 20, "a bounce that is noted")
        stage.wait(31)
        result = stage.run("--send")
        assert "a letter to this address came back" in result.out and result.returncode == 0


def test_refused_by_the_mta(stage):
    """A letter that did not leave doesn't count."""
    stage.see(MUTE)
    stage.be_sendmail("#!/bin/sh\necho 'queue file write error' >&2\nexit 75\n")
    result = stage.run("--send")
    assert result.returncode == 1 and "queue file write error" in result.err
    assert result.out.splitlines()[-1] == "0 letters sent, 1 not sent, 0 domains without one"
    stage.be_sendmail(SENDMAIL)
    assert stage.run("--send").returncode == 0
    assert stage.taken().keys() == {MUTE}
    stage.sendmail.unlink()
    stage.wait(31)
    result = stage.run("--send")
    assert result.returncode == 69 and "sendmail" in result.err


def replies_finding(stage):
    found = [finding for finding in json.loads(stage.daemon.tool("doctor", "--json").stdout)["findings"]
             if finding["check"] == "letter-replies"]
    return [finding["level"] for finding in found]


def test_nobody_reads_answers(stage):
    """Letters ask for no answer if the operator didn't say who reads it, and the doctor tells."""
    stage.see(NEW)
    assert replies_finding(stage) == [], "no letter was sent yet"
    for settings, asks in (({"letter_reply_to": "buero@lemniscus.de"}, True), ({"letter_from": "office@lemniscus.de"}, True), ({}, False)):
        for key in ("letter_reply_to", "letter_from"):
            stage.daemon.settings.pop(key, None)
        stage.daemon.settings.update(settings)
        stage.daemon.write_configuration()
        shown = stage.run("--show", "praxis-ohne.de", "--lang", "en")
        letter = email.message_from_string(shown.out, policy=email.policy.default)
        text = " ".join(letter.get_content().split())
        assert ("reply to this letter" in text) is asks and "this command answers with the line" in text
    result = stage.run("--send")
    assert result.out.splitlines()[-1] == "1 letter sent, 0 domains without one"
    assert replies_finding(stage) == ["warning"]
    stage.daemon.settings["letter_reply_to"] = "buero@lemniscus.de"
    stage.daemon.write_configuration()
    assert replies_finding(stage) == ["fine"]
    assert stage.run().out.splitlines()[-1] == "0 letters due, 1 domain without one"


WRONG_LINES = [
    ("praxis-neutral.de", "write it like"),
    ("praxis-neutral.de a@b.example more", "write it like"),
    ("praxis..de a@b.example", "this is no domain"),
    ("praxis-neutral.de nobody", "no letter can be sent"),
    ("praxis-neutral.de a@b.example,eve@evil.example", "no letter can be sent"),
    ("praxis-neutral.de \udcff@b.example", "not UTF-8"),
    ("PRAXIS-OHNE.de other@b.example", "twice"),
]


def test_addresses_from_a_file(stage):
    stage.see(NEW, MUTE)
    file = stage.directory / "addresses"
    for line, wrong in WRONG_LINES:
        file.write_bytes(f"# who\n\npraxis-ohne.de office@b.example\n{line}\n".encode("utf-8", "surrogateescape"))
        result = stage.run("--send", "--to", file)
        assert result.returncode == 78 and f"{file}:4: " in result.err and wrong in result.err, result.err
    assert stage.run("--send", "--to", stage.directory / "nothing").returncode == 78
    assert not stage.taken()
    file.write_text("# who\npraxis-ohne.de\toffice@b.example  # by hand\nother.example x@other.example\n")
    stage.run("--send", "--to", file)
    assert stage.taken().keys() == {"office@b.example", MUTE}


def test_dead_dns(stage):
    """Nobody is written to about what is not known: neither who has done it by now, nor who has not."""
    stage.see(NEW, MUTE, USER)
    zone = stage.daemon.directory / "zone"
    alive = zone.read_text()
    dead = "".join(f'{address.partition("@")[2]}. TROUBLE "no answer"\n' for address in (NEW, MUTE, USER))
    for days in 0, 31:
        stage.wait(days)
        zone.write_text(dead)
        result = stage.run("--send", "--json")
        answer = json.loads(result.out)
        assert result.returncode == 75 and not answer["letters"] and not stage.taken()
        assert {row["reason"] for row in answer["skipped"]} == {"trouble"} and len(answer["skipped"]) == 3
        zone.write_text(alive)
        stage.run("--send")
        assert stage.taken().keys() == ({NEW, MUTE, USER} if days == 0 else {NEW, MUTE})


def test_dns_stays_dead(stage):
    """A run ends by itself long before the last of many domains, and says why."""
    many(stage, 230)
    zone = stage.daemon.directory / "zone"
    zone.write_text("".join(f'd{n}.example. TROUBLE "no answer"\n' for n in range(230)))
    result = stage.run("--send", "--json")
    assert result.returncode == 75 and "gave up" in result.err, result.err
    assert 200 <= len(json.loads(result.out)["skipped"]) < 231 and not stage.taken()


def test_one_dead_server(stage):
    """Of one stranger, with many names: it keeps nobody else from a letter."""
    names = many(stage, 230, below="evil.example")
    zone = stage.daemon.directory / "zone"
    zone.write_text(zone.read_text().replace(".evil.example. A 203.0.113.1", '.evil.example. TROUBLE "no answer"'))
    result = stage.run("--send", "--json")
    assert result.returncode == 75 and "gave up" not in result.err
    assert len([row for row in json.loads(result.out)["skipped"] if row["reason"] == "trouble"]) == 230
    assert stage.taken().keys() == {name for name in names if "evil" not in name}


def test_who_gets_none(stage):
    stage.see(NEW, MUTE)
    stage.daemon.extra = 'domain "praxis-ohne.de" { letters = no }\n'
    stage.daemon.write_configuration()
    due, skipped = stage.answer()
    assert due.keys() == {MUTE} and skipped == {"praxis-ohne.de": "opted-out"}
    stage.daemon.extra = 'domain "praxis-ohne.de" { mode = off }\n'
    stage.daemon.write_configuration()
    due, skipped = stage.answer("--send")
    assert due.keys() == stage.taken().keys() == {MUTE} and skipped == {"praxis-ohne.de": "off"}


def test_hostile_addresses(stage):
    """What an author could have put into return.db: nobody gets a letter, and no field gets in."""
    stage.see(MUTE)
    for address in ("x\\nBcc: eve@evil.example\\n@praxis-neutral.de", '"-oQ/tmp"@praxis-neutral.de', "a,b@praxis-neutral.de",
                    "m\\xc3\\xbcller@praxis-neutral.de"):
        hostile = address.encode().decode("unicode_escape").encode("latin-1").hex()
        stage.change("return.db", f"UPDATE addresses SET address = CAST(x'{hostile}' AS TEXT)")
        due, skipped = stage.answer("--send")
        assert not due and skipped["praxis-neutral.de"] in ("bad-address", "no-address")  # the latter if no row can have it
    assert not stage.taken()


def test_show_and_signature(stage):
    stage.see(NEW)
    for code, text in (("de", "Büro\nTelefon 030\n"), ("en", "Office\nPhone +49 30\n")):
        (stage.daemon.directory / f"signature.{code}").write_text(text)
    stage.daemon.settings["letter_signature"] = "signature"
    stage.daemon.settings["letter_from"] = "Praxisbüro <office@lemniscus.de>"
    stage.daemon.write_configuration()
    for arguments, first, last in ((("--lang", "en"), "Dear customer", "-- \nOffice\nPhone +49 30\n"),
                                   ((), "Guten Tag", "-- \nBüro\nTelefon 030\n")):
        result = stage.run("--show", "praxis-ohne.de", *arguments)
        letter = email.message_from_string(result.out, policy=email.policy.default)
        assert letter["From"] == "Praxisbüro <office@lemniscus.de>"
        assert letter.get_content().startswith(first) and letter.get_content().endswith(last)
        assert not letter.defects and max(map(len, result.out.splitlines())) <= 900
    result = stage.run("--show", "klinik-nord.de")
    assert result.returncode == 1 and "not due today" in result.err
    (stage.daemon.directory / "signature.de").unlink()
    assert stage.run("--send").returncode == 78
    assert not stage.taken()


def test_csv(stage):
    stage.see(NEW)
    assert stage.run("--csv").out.splitlines() == [
        "domain,address,kind,number,sent,message_id,reason", f'"praxis-ohne.de","{NEW}","publish","1","no","",""']
