#!/usr/bin/python3
"""The part of contrib/demo that shows a fleet: two hosts, each a private Postfix with a milter, and one store."""

import contextlib
import json
import signal
import sys
import time

import demo  # it finds the tests' helpers
from lab import clients
from lab import private_postfix
from lab import private_store
from lab import processes
from lab.control_client import ask_control
from lab.processes import PrivateDirectory
from lab.private_store import PrivateStore
from lab.sink import Sink
from lab.spfrom import Spfrom
from lab.zone import ZONE_FILE

MAIL = demo.Mail("", demo.OHNE, (f"From: Praxis Ohne <{demo.OHNE}>",), demo.REWRITTEN)
OTHER = demo.Mail("", "anna.schmidt@gmx.de", ("From: Anna Schmidt <anna.schmidt@gmx.de>",), demo.REWRITTEN)
LOG_KEYS = ("action", "domain", "spf", "cache", "ms")
PATIENCE = 60


class Host:
    def __init__(self, directory, name, store, sink):
        self.name = name
        self.daemon = Spfrom(directory / f"{name}-spfrom", ZONE_FILE, hostname=f"{name}.example", fleet=[store.member])
        self.postfix = private_postfix.PrivatePostfix(directory / f"{name}-postfix", sink.port, self.daemon.milter)


class Fleet:
    """Shows each step, and counts what is otherwise than it should be."""

    def __init__(self, screen, directory):
        self.screen = screen
        self.store = PrivateStore(directory / "store", "unixsocketperm 777")  # the daemons are nobody
        self.sink = Sink()
        self.hosts = [Host(directory, name, self.store, self.sink) for name in ("mx1", "mx2")]
        self.mails = self.wrong = 0

    @contextlib.contextmanager
    def running(self):
        with contextlib.ExitStack() as stack:
            stack.enter_context(self.store)
            stack.enter_context(self.sink)
            for host in self.hosts:
                stack.enter_context(host.daemon)
                stack.enter_context(host.postfix)
            for host in self.hosts:
                self._wait(lambda: len(ask_control(host.daemon, "fleet")["hosts"]) == 2, "both hosts to be seen")
            yield
            for host in self.hosts:
                host.daemon.process.send_signal(signal.SIGTERM)

    @staticmethod
    def _wait(condition, what):
        processes.wait_until(condition, PATIENCE, what)

    def title(self, number, text):
        self.screen.line()
        self.screen.line(f"{number:2}  {text}", "bold")

    def check(self, is_right, text):
        self.wrong += not is_right
        self.screen.line(f"    = {text}" + ("" if is_right else ", but it should be otherwise"), "bold")

    def run(self, host, *words):
        """Runs spfrom on host, and shows it."""
        result = host.daemon.tool(*words)
        self.screen.line(f"    {host.name}$ spfrom {' '.join(words)}")
        for line in (result.stdout + result.stderr).rstrip().splitlines():
            self.screen.line(f"      {line}", "dim")
        return result

    def send(self, host, mail):
        """Sends one mail through host; returns its line of the log."""
        self.mails += 1
        recipient = f"patientin{self.mails}@example.net"
        clients.send_smtp(host.postfix, mail.sender, recipient, demo.octets(mail, self.mails))
        delivery = self.sink.take(recipient)
        record = host.daemon.wait_for_record(id=demo.arrived.queue_id(delivery.data))
        shown = " ".join(f"{key}={record[key]}" for key in LOG_KEYS if key in record)
        self.screen.line(f"    {host.name}: {mail.sender} → MAIL FROM:<{delivery.sender}>")
        self.screen.line(f"      log: {shown}", "dim")
        return record

    def mode(self, host):
        return ask_control(host.daemon, "mode")["mode"]

    def total(self, host):
        return json.loads(host.daemon.tool("report", "--json").stdout)["total"]["messages"]

    def switch(self, number):
        one, two = self.hosts
        self.title(number, "A switch on one host, and the other follows")
        begin = time.monotonic()
        self.run(one, "mode", "log-only")
        self._wait(lambda: self.mode(two) == "log-only", "mx2 to follow")
        took = time.monotonic() - begin
        record = self.send(two, MAIL)
        self.check(record["action"] == "would-rewrite" and took < 5, f"mx2 followed after {took:.2f} s, the command included")
        self.run(one, "mode", "--clear")
        self._wait(lambda: self.mode(two) == "rewrite", "mx2 to follow")

    def verdict(self, number):
        one, two = self.hosts
        self.title(number, "A domain that one host has looked up is known to the other")
        first, second = self.send(one, OTHER), self.send(two, OTHER)
        self.check((first["cache"], second["cache"]) == ("miss", "fleet"), "DNS was asked once, by mx1")

    def report(self, number):
        one, two = self.hosts
        self.title(number, "The report of either host covers both")
        self._wait(lambda: self.total(one) == self.total(two) == self.mails, "the sums")
        self.run(one, "report", "--days", "1")
        self.check(True, f"mx1 and mx2 both tell of {self.mails} messages")

    def kill(self, number):
        one, two = self.hosts
        self.title(number, "The store is killed, and mail goes on")
        self.store.kill()
        self.screen.line("    kill -9 of the store", "red")
        actions = [self.send(host, mail)["action"] for mail in (MAIL, OTHER) for host in self.hosts]
        self._wait(lambda: not ask_control(one.daemon, "status")["fleet"]["up"], "mx1 to miss the store")
        self.run(one, "mode", "log-only")
        self.run(one, "fleet")
        self.check(set(actions) == {"rewrite"} and self.mode(two) == "rewrite", "each host goes on by itself")

    def back(self, number):
        one, two = self.hosts
        self.title(number, "The store is back, with nothing in it")
        begin = time.monotonic()
        self.store.start()
        self._wait(lambda: self.mode(two) == "log-only" and self.total(one) == self.total(two) == self.mails, "agreement")
        took = time.monotonic() - begin
        answer = self.run(two, "fleet")
        self.check(answer.returncode == 0 and took < 60, f"after {took:.1f} s both are in log-only and tell of {self.mails} messages")


def main():
    screen = demo.Screen()
    reason = private_postfix.why_not() or private_store.why_not()
    if reason:
        sys.exit(f"contrib/demo: {reason}")
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(128 + signal.SIGTERM))
    begin = time.monotonic()
    wrong = 1
    with PrivateDirectory("demo") as directory, contextlib.suppress(KeyboardInterrupt):
        fleet = Fleet(screen, directory)
        with fleet.running():
            steps = (fleet.switch, fleet.verdict, fleet.report, fleet.kill, fleet.back)
            screen.line()
            screen.line("Two hosts, mx1 and mx2, each a private Postfix with the milter, and a store on a Unix socket.")
            for number, step in enumerate(steps, 1):
                step(number)
            wrong = fleet.wrong
            screen.line()
            screen.line(f"{fleet.mails} mails, {len(steps)} steps, {wrong or 'none'} otherwise than it should be.", "bold")
            screen.line(f"That took {time.monotonic() - begin:.1f} s.", "dim")
    screen.line("Everything is stopped and removed.")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
