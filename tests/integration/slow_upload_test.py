"""A client that uploads for a quarter of an hour: only with --all. The MTA tells the milter nothing meanwhile."""

import time

import pytest

from lab import clients
from lab.cases import OHNE
from conftest import Route
from lab.spfrom import Spfrom
from lab.zone import FALLBACK, ZONE_FILE

SECONDS = 900
PAUSE = 20  # seconds between two lines; Postfix's own time-out is longer


@pytest.fixture
def route(directory, is_full_length, needs_postfix):
    if not is_full_length:
        pytest.skip("only with --all")
    with Spfrom(directory / "slow-upload", ZONE_FILE) as daemon, Route(directory / "slow-upload-postfix", daemon) as route:
        yield route


def test_upload_of_a_quarter_of_an_hour(route):
    with clients.connection(route.postfix.port()) as smtp:
        smtp.mail(OHNE)
        smtp.rcpt("slow@example.net")
        assert smtp.docmd("DATA")[0] == 354
        smtp.send(f"From: {OHNE}\r\nSubject: slow\r\n\r\n")
        end = time.monotonic() + SECONDS
        while time.monotonic() < end:
            smtp.send("a line\r\n")
            time.sleep(PAUSE)
        assert smtp.docmd(".")[0] == 250
    assert route.sink.take("slow@example.net").sender == FALLBACK
