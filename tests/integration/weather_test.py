"""Bad weather under load, through a real Postfix: the daemon is killed, stopped and restarted, DNS dies, disks fill, nobody
reads the log. Each mail arrives once, as its author's domain wants it, and is counted and logged as the MTA answered it.

Each weather lasts some seconds, with --all minutes.
"""

import collections
import contextlib
import itertools
import json
import re
import signal
import smtplib
import statistics
import subprocess
import threading
import time
from dataclasses import dataclass

import pytest

from lab import arrived
from lab import clients
from lab import processes
from lab.cases import message
from conftest import Route, need
from lab.faulty_dns import FaultyDns, Txt, _read_question
from lab.metrics_read import ask_control, metrics_of
from lab.spfrom import Spfrom
from unread_log_test import DevLog, Pipe
from lab.zone import FALLBACK

WORKERS = 8
PAUSE = 0.01     # seconds between two mails of a worker, so that a long weather is no flood
KNOWN = 100      # domains that write again and again
PATIENCE = 180   # seconds until the last mail is through
CHECK_TIMEOUT = 4
SOON = 7         # seconds after which DNS that is back is believed: libunbound keeps a failure for 5, by a clock of whole seconds
AUTHORISES = "v=spf1 include:lemniscus.de -all"
OURS = "v=spf1 ip4:192.0.2.25 -all"
DECIDED = {"keep", "rewrite", "would-rewrite"}


def _domain(number, fresh=False):
    """One in two authorises the relay. A fresh one writes for the first time."""
    return f"fresh{number}.example" if fresh else f"praxis{number % KNOWN}.example"


def _is_authorised(domain):
    number = re.search(r"\d+", domain)
    return number is not None and int(number.group()) % 2 == 0


ZONE = f'$TTL 300\nlemniscus.de. TXT "{OURS}"\n' + "".join(
    f'{_domain(number)} TXT "{AUTHORISES}"\n'.replace(".example ", ".example. ") for number in range(0, KNOWN, 2))


class WeatherDns(FaultyDns):
    """Knows every domain of this file. is_dead, is_lossy (of each question the first packet is lost) and delay may change."""

    def __init__(self):
        super().__init__({"lemniscus.de": Txt([OURS], ttl=30)})
        self.is_dead = False
        self.is_lossy = False
        self.delay = 0

    def _behaviour(self, name, kind):
        if name.endswith(".example") and name not in self.behaviours:
            self.behaviours[name] = Txt([AUTHORISES if _is_authorised(name) else "v=spf1 -all"], ttl=2)
        return super()._behaviour(name, kind)

    def answer(self, query, limit):
        octets = super().answer(query, limit)
        _, name, kind, _ = _read_question(query)
        if self.is_dead or self.is_lossy and self.count(name, kind) % 2 == 1:
            return None
        time.sleep(self.delay)
        return octets


@dataclass
class Mail:
    number: int
    domain: str
    begun: float           # when the MTA was asked first
    ended: float = None    # when it took the mail
    queue_id: str = None
    refusals: int = 0      # answers 4xx, and connections that ended


class Load:
    """Mails without end from many clients; each is offered again until Postfix takes it."""

    def __init__(self, postfix, fresh=False):
        self.mails = []
        self._postfix = postfix
        self._fresh = fresh
        self._numbers = itertools.count()
        self._stopped = threading.Event()
        self._lock = threading.Lock()  # guards mails and _numbers
        self._threads = [threading.Thread(target=self._work, daemon=True) for _ in range(WORKERS)]

    def __enter__(self):
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *exception):
        """Each client's last mail is taken before it goes."""
        self._stopped.set()
        for thread in self._threads:
            thread.join(PATIENCE)
        assert not any(thread.is_alive() for thread in self._threads), "a mail was not taken"

    def _next(self):
        with self._lock:
            number = next(self._numbers)
            mail = Mail(number, _domain(number, self._fresh and number % 4 >= 2), time.monotonic())
            self.mails.append(mail)
            return mail

    def _work(self):
        mail = self._next()
        deadline = None
        while mail is not None and (deadline is None or time.monotonic() < deadline):
            try:
                with clients.connection(self._postfix.port()) as smtp:
                    while mail is not None:
                        _offer(smtp, mail)
                        time.sleep(PAUSE)
                        mail = None if self._stopped.is_set() else self._next()
            except (smtplib.SMTPException, OSError):
                mail.refusals += 1
                time.sleep(0.05)
            if self._stopped.is_set() and deadline is None:
                deadline = time.monotonic() + PATIENCE - 5

    def taken(self):
        with self._lock:
            return sum(mail.ended is not None for mail in self.mails)

    def wait_for_more(self, count):
        """Until the MTA has taken so many more: on a busy machine 25 a second."""
        wanted = self.taken() + count
        processes.wait_until(lambda: self.taken() >= wanted, max(PATIENCE, count / 25), f"{count} more mails")


def _offer(smtp, mail):
    author = f"info@{mail.domain}"
    for code, answer in (smtp.mail(author), smtp.rcpt(f"m{mail.number}@example.net"),
                         smtp.data(message(f"From: Praxis <{author}>"))):
        if code >= 300:
            raise smtplib.SMTPResponseException(code, answer)
    mail.queue_id = re.search(rb"queued as (\w+)", answer).group(1).decode()
    mail.ended = time.monotonic()


class Place:
    """A daemon, Postfix behind it with a sink, and what became of all mails."""

    def __init__(self, directory, daemon):
        self.daemon = daemon
        self._route = Route(directory, daemon, enable_long_queue_ids="yes", milter_connect_timeout="10s")

    def __enter__(self):
        self._route.__enter__()
        return self

    def __exit__(self, *exception):
        self._route.__exit__(*exception)

    def load(self, **options):
        return Load(self._route.postfix, **options)

    def check_arrivals(self, load, may_be_temperror=lambda mail: False):
        """Each once, and as its domain wants it."""
        self._route.sink.wait_for_count(len(load.mails), PATIENCE)
        processes.wait_until(self._route.postfix.is_queue_empty, PATIENCE, "an empty queue")
        deliveries = {}
        for delivery in self._route.sink.deliveries():
            deliveries.setdefault(int(re.match(r"m(\d+)@", delivery.addresses()[0]).group(1)), []).append(delivery)
        assert {number: len(found) for number, found in deliveries.items() if len(found) != 1} == {}, "not once"
        assert set(deliveries) == {mail.number for mail in load.mails}
        self._deliveries = deliveries
        wrong = [(mail, trouble) for mail in load.mails
                 if (trouble := self._what_is_wrong(mail, deliveries[mail.number][0], may_be_temperror))]
        assert not wrong, f"{len(wrong)} of {len(load.mails)}: {wrong[:5]}"

    def action_of(self, mail):
        """What is said to have been done to it; None if nothing is said."""
        return "keep" if _is_authorised(mail.domain) else "rewrite"

    def temperror(self, mail):
        """Was it rewritten because of DNS?"""
        return any("spf=temperror" in trace for trace in arrived.values(self._deliveries[mail.number][0].data, "X-SPFrom"))

    def _what_is_wrong(self, mail, delivery, may_be_temperror):
        author = arrived.mailboxes(delivery.data, "From")[0][1]
        trace = arrived.values(delivery.data, "X-SPFrom")
        wanted = self.action_of(mail)
        if self.temperror(mail) and may_be_temperror(mail):
            wanted = "rewrite"
        right = (FALLBACK, FALLBACK, 1) if wanted == "rewrite" else (f"info@{mail.domain}", f"info@{mail.domain}", 0)
        found = (author, delivery.sender, len(trace))
        return None if found == right else (found, trace)

    def lines(self):
        """queue id → the actions that the log tells."""
        lines = {}
        for record in self.daemon.records():
            if record["action"] in DECIDED:
                lines.setdefault(record["id"], []).append(record["action"])
        return lines

    def difference(self, load):
        """(ids that were taken without a line, ids with a line that were not taken); never two lines of one."""
        lines, taken = self.lines(), {mail.queue_id for mail in load.mails}
        assert [found for found in lines.values() if len(found) != 1] == []
        return taken - set(lines), set(lines) - taken

    def check_log(self, load):
        with contextlib.suppress(TimeoutError):
            processes.wait_until(lambda: not any(self.difference(load)), 5, "the last lines")
        assert self.difference(load) == (set(), set())


def _figures(capsys, name, load, *more):
    waits = sorted(mail.ended - mail.begun for mail in load.mails)
    with capsys.disabled():
        print(f"\n{name}: {len(load.mails)} mails, each once; {sum(mail.refusals for mail in load.mails)} tries refused; "
              f"waited {statistics.median(waits) * 1000:.0f} ms (median), {waits[-1]:.1f} s (longest)"
              + "".join(f"; {each}" for each in more))


def _total(daemon):
    """The ledger's count, once all is written."""
    def waiting():
        return ask_control(daemon, command="status")["ledger"]
    with contextlib.suppress(TimeoutError):
        processes.wait_until(lambda: waiting()["waiting"] == 0, PATIENCE, "the ledger")
    assert waiting()["waiting"] == 0, waiting()
    return json.loads(daemon.tool("report", "--json").stdout)["total"]["messages"]


@pytest.fixture
def place(directory, needs_postfix, request):
    """Makes places with these settings of the daemon."""
    with contextlib.ExitStack() as stack:
        def make(cls=Place, **settings):
            name = f"weather-{len(list(directory.glob('weather-[0-9]*')))}"
            zone = None if "dns_servers" in settings else ZONE
            settings = {"check_timeout": f"{CHECK_TIMEOUT}s", **settings}
            daemon = Spfrom(directory / name, zone, log_level="info", mode="rewrite", **settings)
            stack.enter_context(daemon)
            return stack.enter_context(cls(directory / f"{name}-postfix", daemon))
        yield make


@pytest.fixture(scope="module")
def times(is_full_length):
    """How often a thing is done: short runs, and with --all."""
    return lambda short, full: full if is_full_length else short


def test_kill(place, times, capsys):
    """What was decided in its last moment may have no line, or a line and no answer: nothing else."""
    place, kills = place(), times(4, 30)
    with place.load() as load:
        for _ in range(kills):
            load.wait_for_more(100)
            place.daemon.kill()
            time.sleep(0.3)
            place.daemon.start()
        load.wait_for_more(100)
    place.check_arrivals(load)
    without, extra = place.difference(load)
    assert len(without) <= WORKERS * kills and len(extra) <= WORKERS * kills
    _figures(capsys, f"kill -9, {kills} times", load, f"{len(without)} without a line, {len(extra)} lines without an answer")


def test_stop_and_continue(place, times, capsys):
    place, stops, seconds = place(), times(3, 10), times(1, 8)
    with place.load() as load:
        for _ in range(stops):
            load.wait_for_more(100)
            place.daemon.process.send_signal(signal.SIGSTOP)
            time.sleep(seconds)
            place.daemon.process.send_signal(signal.SIGCONT)
        load.wait_for_more(100)
    place.check_arrivals(load)
    place.check_log(load)
    assert _total(place.daemon) == len(load.mails)
    _figures(capsys, f"SIGSTOP for {seconds} s, {stops} times", load)


def test_terminate(place, times, capsys):
    """What is decided, counted and logged is answered: there is no line without an answer."""
    place, ends = place(), times(4, 80)
    durations = []
    with place.load() as load:
        for _ in range(ends):
            load.wait_for_more(50)
            begin = time.monotonic()
            assert place.daemon.stop() == 0
            durations.append(time.monotonic() - begin)
            place.daemon.start()
        load.wait_for_more(100)
    assert max(durations) < CHECK_TIMEOUT + 5
    place.check_arrivals(load)
    place.check_log(load)
    assert _total(place.daemon) == len(load.mails)
    assert [record for record in place.daemon.records() if record["action"] == "error"] == []
    _figures(capsys, f"SIGTERM, {ends} times", load, f"it ends within {max(durations):.1f} s")


@pytest.fixture
def dns():
    with WeatherDns() as server:
        yield server


def _with_dns(place, dns, **settings):
    """Verdicts are soon looked up anew."""
    return place(dns_servers=[dns.server], dns_timeout="2s", cache_min_ttl="1s", cache_max_ttl="2s", **settings)


def _stale(daemon):
    return sum(record.get("cache") == "stale" for record in daemon.records())


def test_dead_dns(place, dns, times, capsys):
    """What was known before serves on; what is new is temperror while DNS is dead, and right soon after."""
    place, seconds = _with_dns(place, dns), times(4, 180)
    with place.load(fresh=True) as load:
        load.wait_for_more(2 * KNOWN)
        dns.is_dead, begin = True, time.monotonic()
        time.sleep(seconds)
        processes.wait_until(lambda: _stale(place.daemon) > 0, 60, "a verdict that serves on")
        dns.is_dead, end = False, time.monotonic()
        time.sleep(SOON)
        load.wait_for_more(100)

    def is_excused(mail):
        return mail.domain.startswith("fresh") and mail.ended > begin and mail.begun < end + SOON
    place.check_arrivals(load, is_excused)
    place.check_log(load)
    metrics = metrics_of(place.daemon)["spfrom_messages_total"]
    actions = collections.Counter(action for action, in place.lines().values())
    assert {action: metrics[action] for action in DECIDED} == {action: actions[action] for action in DECIDED}
    new = sum(mail.domain.startswith("fresh") and begin < mail.begun < end for mail in load.mails)
    stale = _stale(place.daemon)
    late = [mail.ended - end for mail in load.mails if place.temperror(mail)]
    _figures(capsys, f"DNS dead for {seconds} s", load, f"{new} of new domains meanwhile, {len(late)} of them temperror",
             f"the last one {max(late):.1f} s after DNS was back", f"{stale} times stale")


@pytest.mark.parametrize("delay, is_lossy", [(0, True), (1.5, False)], ids=["lossy", "slow"])
def test_bad_dns(place, dns, times, capsys, delay, is_lossy):
    """Not one temperror."""
    place, count = _with_dns(place, dns, check_timeout="10s"), times(30, 500)
    dns.delay, dns.is_lossy = delay, is_lossy
    with place.load(fresh=True) as load:
        load.wait_for_more(count)
    place.check_arrivals(load)
    place.check_log(load)
    asked = sum(number for (name, _), number in dns.questions.items() if name.endswith(".example"))
    names = len({name for (name, _) in dns.questions if name.endswith(".example")})
    _figures(capsys, f"DNS {'loses each first packet' if is_lossy else f'answers after {delay} s'}", load,
             f"{asked / names:.1f} questions a name")


def test_full_disk(place, times, capsys, directory, needs_root):
    """The ledger waits in memory and loses nothing; the mode can't be switched, and mail flows on."""
    disk = directory / "weather-disk"
    disk.mkdir()
    mount = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=1m,mode=0777", "weather", disk], capture_output=True, text=True)
    need(mount.stderr if mount.returncode != 0 else None)
    try:
        place = place(state_dir=disk)
        with place.load() as load:
            load.wait_for_more(100)
            with open(disk / "filler", "wb", buffering=0) as filler, contextlib.suppress(OSError):
                while True:
                    filler.write(b"x" * 4096)
            load.wait_for_more(times(500, 10000))
            (disk / "filler").unlink()
            load.wait_for_more(100)
        place.check_arrivals(load)
        place.check_log(load)
        assert _total(place.daemon) == len(load.mails)
        _figures(capsys, "state_dir full", load)
        place.daemon.stop()
    finally:
        subprocess.run(["umount", "-l", disk], check=True)


class Unread(Place):
    """The log is what was read of it."""

    def __init__(self, directory, log):
        super().__init__(directory, log.daemon)
        self._log = log
        self._text = b""

    def read(self):
        """All that comes, until nothing has come for a second."""
        quiet = time.monotonic() + 1
        while time.monotonic() < quiet:
            if octets := self._log.read():
                self._text += octets
                quiet = time.monotonic() + 1
            else:
                time.sleep(0.01)
        return self._text.decode()

    def lines(self):
        lines = {}
        for queue_id, action in re.findall(r"(\w+): action=(\S+)", self.read()):
            lines.setdefault(queue_id, []).append(action)
        return lines


@pytest.fixture(params=[Pipe, DevLog], ids=["stderr", "dev-log"])
def unread(request, needs_postfix):
    with processes.PrivateDirectory("weather") as directory:
        log = request.param(directory)
        (directory / "zone").write_text(ZONE)
        log.daemon.settings.update(dns_zone_file=directory / "zone", mode="rewrite")
        log.daemon.start()
        with Unread(directory / "postfix", log) as place:
            yield place
        if log.daemon.is_running():
            log.daemon.kill()
        log.close()


def test_unread_log(unread, times, capsys, request):
    """No mail waits for it, each line comes later or is counted as lost, and SIGTERM ends it all the same."""
    with unread.load() as load:
        load.wait_for_more(times(1000, 25000))
    unread.check_arrivals(load)
    assert sum(mail.refusals for mail in load.mails) == 0
    assert max(mail.ended - mail.begun for mail in load.mails) < 10
    metrics = metrics_of(unread.daemon)
    lost = int(metrics["spfrom_log_lines_lost_total"])
    assert sum(metrics["spfrom_messages_total"].values()) == len(load.mails) == _total(unread.daemon)
    without, extra = unread.difference(load)
    assert extra == set() and 0 <= lost - len(without) <= 10  # some are about other things
    assert (f"log: {lost} lines were lost" in unread.read()) == (lost > 0)
    with unread.load() as more:
        more.wait_for_more(times(500, 5000))
    begin = time.monotonic()
    assert unread.daemon.stop() == 0
    assert (duration := time.monotonic() - begin) < CHECK_TIMEOUT + 5
    _figures(capsys, f"{request.node.callspec.id} unread", load, f"{lost} lines lost and counted", f"SIGTERM ends it in {duration:.1f} s")


class Switched(Place):
    """The log's word on a mail is what has to be true of it; what may be said depends on the modes."""

    def action_of(self, mail):
        action, = self._lines[mail.queue_id]
        assert action in ({"keep"} if _is_authorised(mail.domain) else {"rewrite", "would-rewrite", "keep"})
        return "rewrite" if action == "rewrite" else "keep"

    def check_arrivals(self, load, **options):
        self._lines = self.lines()
        super().check_arrivals(load, **options)


def test_reloads_and_switches(place, times, capsys):
    place, turns = place(cls=Switched), times(20, 400)
    with place.load() as load:
        for turn in range(turns):
            ask_control(place.daemon, command="mode", mode=("log-only", "rewrite", "off", "rewrite")[turn % 4])
            ask_control(place.daemon, command="reload")
            load.wait_for_more(20)
    place.check_log(load)
    place.check_arrivals(load)
    metrics = metrics_of(place.daemon)["spfrom_messages_total"]
    actions = collections.Counter(action for action, in place.lines().values())
    assert {action: metrics[action] for action in DECIDED} == {action: actions[action] for action in DECIDED}
    assert min(actions[action] for action in DECIDED) > 0
    _figures(capsys, f"{turns} reloads and switches", load, ", ".join(f"{actions[action]} {action}" for action in sorted(DECIDED)))
