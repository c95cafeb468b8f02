"""Thousands of mails through Postfix while the milter is killed and restarted: each arrives once, as it must be."""

import collections
import queue
import re
import smtplib
import threading
import time

import pytest

from lab import clients
from lab import processes
from lab.arrived import mailboxes, values
from lab.cases import message
from conftest import Route
from lab.spfrom import Spfrom
from lab.zone import FALLBACK, ZONE_FILE

KILLS = 5
WORKERS = 8
BY_SENDMAIL = 50


class Plan:
    """count mails of count / 10 domains, every second of which authorises the relay."""

    def __init__(self, count):
        self.count = count
        self.domains = count // 10

    def zone(self):
        return ZONE_FILE + "".join(f"praxis{number}.example. TXT \"v=spf1 include:lemniscus.de -all\"\n"
                                   for number in range(0, self.domains, 2))

    def author(self, number):
        return f"info@praxis{number % self.domains}.example"

    def is_authorised(self, number):
        return number % self.domains % 2 == 0


def _recipient(number):
    return f"m{number}@example.net"


def _number(delivery):
    """sendmail -t delivers to the patient in To: besides."""
    return int(re.search("m([0-9]+)@", " ".join(delivery.addresses())).group(1))


def _deliver(postfix, author, recipients):
    """Sends one mail to each of recipients in turn on one connection. Removes those that Postfix took."""
    with clients.connection(postfix.port()) as smtp:
        while recipients:
            smtp.sendmail(author, recipients[:1], message(f"From: Praxis <{author}>"))
            recipients.pop(0)


def _work(postfix, plan, numbers, retries):
    while True:
        try:
            number = numbers.get_nowait()
        except queue.Empty:
            return
        recipients = [_recipient(number)]
        while recipients:
            try:
                _deliver(postfix, plan.author(number), recipients)
            except (smtplib.SMTPException, OSError):
                retries.append(number)
                time.sleep(0.05)


def _kill_and_restart(daemon, sink, count):
    """At every sixth of the way the milter dies, and is away for a moment."""
    for kill in range(1, KILLS + 1):
        sink.wait_for_count(count * kill // (KILLS + 1), 300)
        daemon.kill()
        time.sleep(0.3)
        daemon.start()


@pytest.fixture(scope="module")
def plan(is_full_length):
    return Plan(10000 if is_full_length else 2000)


@pytest.fixture(scope="module")
def finished(directory, needs_postfix, plan):
    """Runs it all. Returns (route, retries)."""
    retries = []
    daemon = Spfrom(directory / "killed", plan.zone(), log_level="info")
    with daemon, Route(directory / "restart", daemon) as route:
        numbers = queue.Queue()
        for number in range(plan.count):
            numbers.put(number)
        threads = [threading.Thread(target=_work, args=(route.postfix, plan, numbers, retries)) for _ in range(WORKERS)]
        threads.append(threading.Thread(target=_kill_and_restart, args=(daemon, route.sink, plan.count)))
        for thread in threads:
            thread.start()
        for number in range(plan.count, plan.count + BY_SENDMAIL):
            clients.send_sendmail(route.postfix, plan.author(number), _recipient(number),
                                  message(f"From: Praxis <{plan.author(number)}>"))
            time.sleep(0.02)
        for thread in threads:
            thread.join()
        _empty_queue(route.postfix)
        yield route, retries


def _empty_queue(postfix):
    """What sendmail submitted while the milter was away waits for pickup, which looks every minute, or now."""
    def is_empty():
        postfix.command("postkick", "public", "pickup", "W")
        time.sleep(0.1)
        return postfix.is_queue_empty()
    processes.wait_until(is_empty, 120, "an empty queue")


def test_milter_was_missed(finished):
    """Otherwise the test shows nothing."""
    _, retries = finished
    assert retries


def test_each_arrives_once(finished, plan):
    route, _ = finished
    arrived = collections.Counter(_number(delivery) for delivery in route.sink.deliveries())
    assert {number for number, count in arrived.items() if count != 1} == set()
    assert set(arrived) == set(range(plan.count + BY_SENDMAIL))


def test_each_is_as_it_must_be(finished, plan):
    route, _ = finished
    for delivery in route.sink.deliveries():
        number = _number(delivery)
        author, authorised = plan.author(number), plan.is_authorised(number)
        assert delivery.sender == (author if authorised else FALLBACK)
        assert mailboxes(delivery.data, "From") == [("Praxis", author if authorised else FALLBACK)]
        assert len(values(delivery.data, "X-SPFrom")) == (0 if authorised else 1)
        if not authorised:
            assert mailboxes(delivery.data, "Reply-To") == [("Praxis", author)]
