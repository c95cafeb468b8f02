"""The ledger: exact sums under load and kill -9, disks that fail, files that are not as they should be, the report."""

import contextlib
import csv
import io
import json
import os
import re
import shutil
import signal
import sqlite3
import stat
import subprocess
import time

import pytest

from lab import ledger_load
from lab import paths
from lab import processes
from conftest import fill_disk
from lab.milter_client import MilterClient, ask
from lab.spfrom import Spfrom
from lab.zone import ZONE_FILE

pytestmark = [pytest.mark.address, pytest.mark.thread]

BATCH = 4000  # LEDGER_WRITER_BATCH
PATIENCE = 60  # seconds until a test gives up
AUTHORISED = [("From", "Praxis <mueller@praxis-mueller.de>")]
UNAUTHORISED = [("From", "Praxis <ohne@praxis-ohne.de>")]


def file_of(daemon):
    return daemon.directory / "state" / "ledger.db"


def numbers(file, sql):
    """The first row."""
    with contextlib.closing(sqlite3.connect(f"file:{file}?mode=ro", uri=True, timeout=20)) as database:
        return database.execute(sql).fetchone()


def messages(file):
    return numbers(file, "SELECT ifnull(sum(messages), 0) FROM seen")[0]


def status(daemon):
    answer = daemon.tool("status", "--json")
    assert answer.returncode == 0, answer.stderr
    return json.loads(answer.stdout)


def wait_until_written(daemon):
    def is_written():
        ledger = status(daemon)["ledger"]
        return ledger["waiting"] == 0 and ledger["error"] is None and ledger
    return processes.wait_until(is_written, PATIENCE, "a ledger with all messages")


def wait_for_trouble(daemon):
    return processes.wait_until(lambda: status(daemon)["ledger"]["error"], PATIENCE, "trouble with the ledger")


def report(daemon, *arguments):
    answer = daemon.tool("report", "--json", *arguments)
    assert answer.returncode == 0, answer.stderr
    return json.loads(answer.stdout)


def send(daemon, count, fields=UNAUTHORISED):
    with MilterClient(daemon.address) as client:
        client.connect()
        for _ in range(count):
            assert client.message(fields).answer == "continue"


def lines(daemon, text):
    return [line for line in daemon.log().splitlines() if text in line]


@pytest.fixture
def daemon(directory, request):
    """One of its own for each test, not started yet."""
    made = Spfrom(directory / f"ledger-{request.node.name}", ZONE_FILE, log_level="info", local_mailers=["local"])
    made.directory.chmod(0o777)
    return made


def test_each_action_is_counted(daemon):
    with daemon:
        send(daemon, 3, AUTHORISED)
        send(daemon, 4, UNAUTHORISED)
        send(daemon, 1, [("From", "nobody in particular")])
        assert ask(daemon.address, UNAUTHORISED, client="203.0.113.9").answer == "continue"
        assert ask(daemon.address, UNAUTHORISED, rcpt_macros={"{rcpt_mailer}": "local"}).answer == "continue"
        with MilterClient(daemon.address) as client:
            client.connect()
            client.envelope("mueller@praxis-ohne.de")
            client.abort()
        wait_until_written(daemon)
        seen = report(daemon)
        rows = {row["domain"]: row for row in seen["domains"]}
        assert {key: seen["total"][key] for key in ("messages", "keep", "rewrite", "inbound", "local")} == {
            "messages": 8, "keep": 0, "rewrite": 8, "inbound": 1, "local": 1}
        assert (rows["praxis-ohne.de"]["rewritten"], rows["praxis-ohne.de"]["result"]) == (7, "none")
        assert (rows[None]["rewritten"], rows[None]["result"]) == (1, "none")
        counted = status(daemon)["messages"]
        assert {key: seen["total"][key] for key in counted} == counted
    assert messages(file_of(daemon)) == 10


def test_no_local_part_and_no_recipient(daemon):
    with daemon:
        with MilterClient(daemon.address) as client:
            client.connect()
            client.message([("From", "Geheim <geheimer.name@praxis-ohne.de>")], "umschlag.geheim@praxis-ohne.de",
                           recipients=("patient.geheim@ganz-woanders.example",))
        wait_until_written(daemon)
    octets = file_of(daemon).read_bytes()
    assert b"praxis-ohne.de" in octets
    assert b"geheim" not in octets.lower() and b"woanders" not in octets


def test_sums_are_exact_under_load(directory):
    domains = 200
    with Spfrom(directory / "ledger-load", ledger_load.zone(domains), log_level="error") as daemon:
        load = ledger_load.Load(daemon, 10000, domains)
        load.start()
        seen = []
        processes.wait_until(lambda: daemon.tool("report").returncode == 0, 60, "a ledger that is made")
        while len(seen) < 5:  # somebody reads meanwhile
            seen.append(report(daemon)["total"]["messages"])
        load.join()
        assert seen == sorted(seen)
    file = file_of(daemon)
    assert load.answered == 10000 and messages(file) == 10000
    assert numbers(file, "SELECT min(n), max(n), count(*) FROM (SELECT sum(messages) AS n FROM seen GROUP BY domain)"
                   ) == (10000 // domains, 10000 // domains, domains)
    assert numbers(file, "SELECT sum(messages) FROM seen WHERE result = 2 AND action = 0") == (5000,)


def test_kill_9_loses_a_batch_at_most(directory, is_full_length):
    """After the second kill everything is exact again: what is in the file then, and all that follows."""
    count, domains, kills = (100000 if is_full_length else 16000), 500, 2
    daemon = Spfrom(directory / "ledger-kills", ledger_load.zone(domains), log_level="error")
    file = file_of(daemon)
    lost = []
    with daemon:
        load = ledger_load.Load(daemon, count, domains)
        load.start()
        for kill in range(1, kills + 1):
            processes.wait_until(lambda: load.answered >= count * kill // (kills + 1), 600, "answers")
            daemon.kill()
            answered = load.answered  # all that were, for nobody answers now
            lost.append(answered - messages(file) - sum(lost))
            daemon.start()
        load.join()
    print(f"\n{load.answered} messages answered, {load.unanswered} begun once more, lost by the kills: {lost}")
    assert load.answered == count
    assert messages(file) == count - sum(lost)
    for one in lost:  # one that was counted and not answered yet makes it smaller
        assert -8 <= one <= 2 * BATCH
    assert numbers(file, "PRAGMA integrity_check") == ("ok",)


def test_a_full_disk(small_disk, directory):
    domains = 1000
    daemon = Spfrom(directory / "ledger-full", ledger_load.zone(domains), log_level="info",
                    ledger=small_disk / "ledger.db")
    with daemon:
        ledger_load.Load(daemon, 100, 100).run()
        wait_until_written(daemon)
        fill_disk(small_disk)
        ledger_load.Load(daemon, 5000, domains).run()
        assert "full" in wait_for_trouble(daemon)
        processes.wait_until(lambda: status(daemon)["ledger_errors"] >= 2, PATIENCE, "a second try")
        assert status(daemon)["ledger"]["waiting"] > 0
        assert "spfrom_ledger_errors_total 0" not in daemon.tool("metrics").stdout
        assert len(lines(daemon, "counts wait in memory")) == 1
        (small_disk / "filler").unlink()
        wait_until_written(daemon)
        assert len(lines(daemon, "can be written again")) == 1
        assert messages(small_disk / "ledger.db") == 5100


def test_a_read_only_folder(daemon):
    folder = daemon.directory / "locked"
    folder.mkdir()
    folder.chmod(0o555)
    daemon.settings["ledger"] = folder / "ledger.db"
    with daemon:
        assert "Permission denied" in wait_for_trouble(daemon)
        begin = time.monotonic()
        send(daemon, 500)
        assert time.monotonic() - begin < 30
        assert daemon.tool("report").returncode == 69
        folder.chmod(0o777)
        wait_until_written(daemon)
        assert messages(folder / "ledger.db") == 500


def test_a_read_only_file(daemon):
    with daemon:
        send(daemon, 5)
        wait_until_written(daemon)
    file_of(daemon).chmod(0o444)
    file_of(daemon).parent.chmod(0o555)
    with daemon:
        send(daemon, 5)
        assert wait_for_trouble(daemon)
        file_of(daemon).chmod(0o640)
        file_of(daemon).parent.chmod(0o755)
        wait_until_written(daemon)
    assert messages(file_of(daemon)) == 10


def test_a_corrupt_file_is_kept_and_a_new_one_begun(daemon):
    with daemon:
        send(daemon, 5)
    with open(file_of(daemon), "r+b") as file:
        file.seek(4096)
        file.write(b"\xa5" * 8192)
    with daemon:
        send(daemon, 7)
        wait_until_written(daemon)
        assert report(daemon)["total"]["messages"] == 7
        assert status(daemon)["ledger_errors"] == 1
        line, = lines(daemon, "a new one is begun")
    aside, = file_of(daemon).parent.glob("ledger.db.corrupt-*")
    assert str(aside) in line
    assert re.fullmatch(r"ledger\.db\.corrupt-\d{4}-\d\d-\d\d", aside.name)


def test_a_newer_spfroms_file_is_left_alone(daemon):
    with daemon:
        send(daemon, 5)
    with contextlib.closing(sqlite3.connect(file_of(daemon))) as database:
        database.execute("PRAGMA user_version = 99")
    with daemon:
        send(daemon, 5)
        assert "newer spfrom" in wait_for_trouble(daemon)
        answer = daemon.tool("report")
        assert (answer.returncode, answer.stdout) == (69, "") and "upgrade spfrom" in answer.stderr
    assert messages(file_of(daemon)) == 5
    assert len(lines(daemon, "the counts of 5 messages are lost")) == 1


def test_a_reload_takes_the_keys_over(daemon):
    other = daemon.directory / "other.db"
    with daemon:
        send(daemon, 3)
        wait_until_written(daemon)
        daemon.settings["ledger"] = other
        daemon.write_configuration()
        assert daemon.tool("reload").returncode == 0
        send(daemon, 4)
        wait_until_written(daemon)
        assert (messages(file_of(daemon)), messages(other)) == (3, 4)
        with contextlib.closing(sqlite3.connect(other)) as database:
            database.execute("UPDATE seen SET day = day - 9")
            database.commit()
        daemon.settings["ledger_days"] = 9
        daemon.write_configuration()
        assert daemon.tool("reload").returncode == 0
        send(daemon, 2)
        processes.wait_until(lambda: messages(other) == 2, PATIENCE, "old days that are gone")
        daemon.settings["ledger"] = ""
        daemon.write_configuration()
        assert daemon.tool("reload").returncode == 0
        send(daemon, 2)
        assert daemon.tool("report").returncode == 78
    assert messages(other) == 2


def test_a_clock_that_jumped_deletes_nothing(daemon):
    """The ledger that a clock three years ahead finds; the first day after a jump deletes nothing, and says so once."""
    with daemon:
        send(daemon, 3)
        wait_until_written(daemon)
    with contextlib.closing(sqlite3.connect(file_of(daemon))) as database:
        database.execute("UPDATE seen SET day = day - 1095")
        database.commit()
    with daemon:
        for batch in range(2):
            send(daemon, 1)
            wait_until_written(daemon)
        assert messages(file_of(daemon)) == 5
        processes.wait_until(lambda: lines(daemon, "ledger: the clock says "), PATIENCE, "a word about it")
        assert len(lines(daemon, "ledger: the clock says ")) == 1


@pytest.fixture(scope="module")
def written(directory):
    """A daemon with some mail in its ledger."""
    with Spfrom(directory / "ledger-report", ZONE_FILE) as daemon:
        send(daemon, 2, AUTHORISED)
        with MilterClient(daemon.address) as client:
            client.connect()
            client.message(AUTHORISED, "mueller@praxis-mueller.de")
        wait_until_written(daemon)
        yield daemon


def test_report_as_csv(written):
    answer = subprocess.run([paths.TOOL, "-c", written.configuration_file, "report", "--csv"], capture_output=True)
    assert answer.returncode == 0 and answer.stdout.count(b"\r\n") == answer.stdout.count(b"\n") == 3
    rows = {row["domain"]: row for row in csv.DictReader(io.StringIO(answer.stdout.decode()))}
    assert (rows["praxis-mueller.de"]["kept"], rows["praxis-mueller.de"]["result"]) == ("1", "pass")
    assert rows["praxis-mueller.de"]["authorised_since"] == rows["praxis-mueller.de"]["first_seen"]
    assert (rows["praxis-ohne.de"]["rewritten"], rows["praxis-ohne.de"]["authorised_since"]) == ("2", "")


def test_report_as_text(written):
    answer = written.tool("report", "--days", "3")
    assert answer.returncode == 0
    assert "(3 days): 3 outgoing messages, 2 domains" in answer.stdout
    row, = [line for line in answer.stdout.splitlines() if line.startswith("praxis-ohne.de")]
    assert row.split()[1:5] == ["2", "2", "0", "none"]
    answer = written.tool("report", "--limit", "1")
    assert "and 1 more" in answer.stdout


def test_history_of_a_domain(written):
    """Its days, oldest first, with the numbers that the report has."""
    seen = max((domain for domain in report(written)["domains"] if domain["domain"]), key=lambda domain: domain["messages"])
    answer = written.tool("report", "--domain", seen["domain"])
    assert answer.returncode == 0, answer.stderr
    head, = re.findall(r"^(\S+), \S+ to \S+ \(30 days\): ([\d,]+) outgoing", answer.stdout)
    assert head == (seen["domain"], f"{seen['messages']:,}")
    days = re.findall(r"^(\d{4}-\d\d-\d\d) +([\d,]+) +([\d,]+) .* ([a-z]+) [\d,]+$", answer.stdout, re.MULTILINE)
    assert days == sorted(days) and sum(int(row[1].replace(",", "")) for row in days) == seen["messages"]
    assert sum(int(row[2].replace(",", "")) for row in days) == seen["rewritten"] and days[-1][3] == seen["result"]
    for name, status, said in (("x" + seen["domain"], 1, f"did you mean {seen['domain']}?"), ("a b", 2, "is not a domain")):
        answer = written.tool("report", "--domain", name)
        assert (answer.returncode, answer.stdout) == (status, "") and said in answer.stderr


def test_report_as_html(written, tmp_path):
    page = tmp_path / "page.html"
    page.write_text("old")
    answer = written.tool("report", "--html", page)
    assert (answer.returncode, answer.stdout) == (0, "")
    assert "praxis-ohne.de" in page.read_text() and page.read_text().endswith("</html>\n")
    assert stat.S_IMODE(page.stat().st_mode) & 0o444 == 0o444
    assert list(tmp_path.iterdir()) == [page]
    assert written.tool("report", "--html", "-").stdout.startswith("<!DOCTYPE html>")
    answer = written.tool("report", "--html", tmp_path / "no" / "page.html")
    assert answer.returncode == 74 and "page.html" in answer.stderr


@pytest.mark.parametrize("variables, arguments, language, words", [
    ({"LC_ALL": "de_DE.UTF-8"}, [], "de", "Ausgehende Nachrichten"), ({"LC_ALL": "C"}, [], "en", "Outgoing messages"),
    ({"LC_ALL": "C"}, ["--lang", "de"], "de", "Zuletzt gesehen"), ({"LC_ALL": "de_DE"}, ["--lang", "en"], "en", "Last seen")])
def test_report_speaks(written, variables, arguments, language, words):
    answer = written.tool("report", "--html", "-", *arguments, env={**os.environ, **variables})
    assert f'<html lang="{language}">' in answer.stdout and words in answer.stdout
    assert written.tool("report", *arguments, env={**os.environ, **variables}).stdout == written.tool("report").stdout


def test_report_needs_no_other_file(written):
    """It has the pages' own style sheet, and nothing that a browser would load or run."""
    page = written.tool("report", "--html", "-").stdout
    assert (paths.SRCDIR / "milter" / "show" / "assets" / "spfrom.css").read_text() in page
    assert not re.search(r"<(script|link|a|img|form|iframe)\b|\b(src|href)=|url\(|@import", page)
    assert "default-src &apos;none&apos;; style-src &apos;unsafe-inline&apos;" in page


@pytest.mark.parametrize("arguments", [["--days", "0"], ["--days", "x"], ["--days"], ["--limit", "-1"], ["--csv", "--json"],
                                       ["--html", "x", "--csv"], ["more"], ["--unknown"], ["--lang", "fr"], ["--lang"]])
def test_report_refuses(written, arguments):
    answer = written.tool("report", *arguments)
    assert (answer.returncode, answer.stdout) == (2, "") and "spfrom report --help" in answer.stderr


def test_report_without_a_ledger(daemon):
    daemon.write_configuration()
    answer = daemon.tool("report")
    assert (answer.returncode, answer.stdout) == (69, "") and "there is none yet" in answer.stderr


def test_report_of_who_may_only_read(daemon, needs_root):
    """Who is in the daemon's group alone, while it runs, after its end, and after a kill -9."""
    tool = daemon.directory / "spfrom"
    shutil.copy(paths.TOOL, tool)

    def total():
        answer = subprocess.run([tool, "-c", daemon.configuration_file, "report", "--json"], capture_output=True,
                                text=True, user=65533, group="nogroup", extra_groups=[])
        assert answer.returncode == 0, answer.stderr
        return json.loads(answer.stdout)["total"]["messages"]

    with daemon:
        send(daemon, 3)
        wait_until_written(daemon)
        assert total() == 3
    assert total() == 3
    with daemon:
        send(daemon, 2)
        wait_until_written(daemon)
        daemon.kill()
        assert total() == 5
        daemon.start()


def test_a_stop_writes_what_waits(daemon):
    with daemon:
        send(daemon, 50)
        daemon.process.send_signal(signal.SIGTERM)
        assert daemon.process.wait(30) == 0
    assert not os.path.exists(f"{file_of(daemon)}-wal")
    assert messages(file_of(daemon)) == 50


def test_did_you_mean(daemons):
    daemon = daemons.start()
    ask(daemon.address, AUTHORISED, sender="mueller@praxis-mueller.de")
    wait_until_written(daemon)
    answer = daemon.tool("check", "--json", "praxis-muler.de")
    assert json.loads(answer.stdout)["did_you_mean"] == "praxis-mueller.de"
    assert "did you mean praxis-mueller.de?" in daemon.tool("advise", "praxis-mueler.de").stderr
