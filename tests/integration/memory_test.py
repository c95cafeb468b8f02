"""The daemon does not grow: a hundred thousand messages, and half of its life must not have cost memory."""

import sys

import pytest

from lab import paths
from lab.milter_client import ask

sys.path.insert(0, str(paths.SRCDIR / "tests" / "bench"))
from milter_load import load  # noqa: E402

GROWTH = 1024  # KiB that an allocator may still move in the second half; a leak of 32 octets a message is more
MESSAGES = 100000
STRANGERS = 3000


@pytest.fixture(scope="module", autouse=True)
def needs_plain_build():
    if b"__asan_init" in paths.MILTER.read_bytes() or b"__tsan_init" in paths.MILTER.read_bytes():
        pytest.skip("a sanitizer keeps freed memory for a while; LeakSanitizer looks for leaks when the daemon stops")


def test_warm(daemons):
    daemon = daemons.start(log_level="error")
    load(daemon.address, MESSAGES // 2)
    before = daemon.memory()
    load(daemon.address, MESSAGES // 2)
    assert daemon.memory() - before < GROWTH


def test_cache_is_bounded(daemons):
    """Every message of another domain: what is remembered of strangers has an end."""
    daemon = daemons.start(log_level="error", cache_size=500)

    def strangers(first):
        for number in range(first, first + STRANGERS):
            ask(daemon.address, [("From", f"a@stranger{number}.example")], sender="")
    strangers(0)
    before = daemon.memory()
    strangers(STRANGERS)
    assert daemon.memory() - before < GROWTH
