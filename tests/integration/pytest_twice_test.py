"""contrib/pytest-twice: the tests that get a second chance, and those that get none."""

import os
import subprocess
import sys

import pytest

from lab import paths

TESTS = '''
from pathlib import Path
import pytest

def fails_once(name, text="looked too early"):
    mark = Path(__file__).with_name(name)
    if not mark.exists():
        mark.touch()
        pytest.fail(text)

@pytest.fixture
def daemon():
    yield
    fails_once("daemon", "ended with 1")

@pytest.fixture
def server():
    fails_once("server", "not within 20 s")

def test_steady(): pass
def test_skipped(): pytest.skip("never")
def test_wrong(): pytest.fail("it is wrong")
@pytest.mark.parametrize("text", ["a b", "[::1]"])
def test_unsteady(text): fails_once(text)
def test_setup(server): pass
def test_race(): fails_once("race", "WARNING: ThreadSanitizer: data race")
def test_crash(): fails_once("crash", "the process ended with status -11")
def test_teardown(daemon): pass
@pytest.mark.parametrize("number", range(6))
def test_many(number): fails_once(str(number))
'''


@pytest.fixture
def run(tmp_path):
    """Runs the tests that a word of -k names, and returns the output and the counts."""
    def run(wanted, *options, tests=TESTS):
        (tmp_path / "some_test.py").write_text(tests)
        counts = tmp_path / "counts"
        result = subprocess.run([sys.executable, "-s", paths.SRCDIR / "contrib" / "pytest-twice", counts, "-q", "-p", "no:cacheprovider",
                                 "--", *options, "-k", wanted, "some_test.py"],
                                capture_output=True, text=True, cwd=tmp_path, env={**os.environ, "PYTHONDONTWRITEBYTECODE": "1"})
        return result.stdout + result.stderr, counts.read_text() if counts.exists() else None
    return run


@pytest.mark.parametrize("options", [[], ["-n", "2", "--dist", "loadfile"]], ids=["one worker", "two workers"])
def test_an_unsteady_test_is_told_and_has_passed(run, options):
    output, counts = run("steady or skipped", *options)
    assert counts == "3 0 1\n"
    assert "unsteady: some_test.py::test_unsteady[a b]\n    " in output and "unsteady: some_test.py::test_unsteady[[::1]]\n" in output
    assert "looked too early" in output.partition("unsteady: ")[2]


def test_a_wrong_test_fails_twice(run):
    output, counts = run("wrong or setup")
    assert counts == "1 1 0\n"
    assert "unsteady: some_test.py::test_setup" in output and "unsteady: some_test.py::test_wrong" not in output


def test_what_no_second_run_refutes(run):
    output, counts = run("race or crash or teardown")
    assert counts == "0 3 0\n" and "once more" not in output


def test_many_get_no_second_run(run):
    output, counts = run("many")
    assert counts == "0 6 0\n" and "once more" not in output


def test_a_file_that_cannot_be_read(run):
    assert run("steady", tests="import no_such_module")[1] is None
