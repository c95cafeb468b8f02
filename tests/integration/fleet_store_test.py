"""The way to the store of a fleet, with a real Redis: trouble of every kind, and that nobody waits for it for long."""

import signal
import subprocess

import pytest

from conftest import need
from lab import paths
from lab import private_store
from lab import processes
from lab.private_store import PrivateStore

pytestmark = [pytest.mark.address, pytest.mark.thread]
TIMEOUT = 1000  # milliseconds; more than a busy machine takes for an answer


class Talk:
    """A host that asks the store."""

    def __init__(self, directory, *members, timeout=TIMEOUT, options=()):
        self._log = directory / "talk.log"
        with open(self._log, "ab") as log:
            self._process = subprocess.Popen([paths.BUILDDIR / "fleet_talk", *options, str(timeout), *members], text=True,
                                             stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=log)

    def __enter__(self):
        return self

    def __exit__(self, *exception):
        self._process.stdin.close()
        assert self._process.wait(30) == 0, self._log.read_text()

    def _say(self, line):
        self._process.stdin.write(line + "\n")
        self._process.stdin.flush()
        return self._process.stdout.readline().rstrip("\n")

    def wait(self, seconds=40):
        return self._say(f"wait {seconds}")

    def ask(self, command):
        return self._say(command).partition(" ")[2]

    def state(self):
        return self._say("state")

    def wait_for_state(self, *words):
        processes.wait_until(lambda: all(word in self.state() for word in words), 20, f"a state with {words}")

    def log(self):
        return self._log.read_text()

    def wait_for_line(self, words):
        processes.wait_until(lambda: words in self.log(), 20, f"a log line with {words}")


@pytest.fixture(scope="module", autouse=True)
def needs_store():
    need(private_store.why_not())


@pytest.fixture
def store(directory):
    with PrivateStore(directory / "store") as store:
        yield store


def test_answers(store, directory):
    with Talk(directory, store.member) as talk:
        assert talk.wait() == "up"
        assert talk.ask("SET a b") == "OK"
        assert talk.ask("GET a") == "b"
        assert talk.ask("GET nothing") == "-"
        assert talk.ask("INCR number") == "1"


def test_trouble_of_a_key_is_none_of_the_store(store, directory):
    store.talk("LPUSH", "list", "x")
    with Talk(directory, store.member) as talk:
        talk.wait()
        assert talk.ask("GET list") == "-"
        assert talk.ask("NO such command") == "-"
        assert talk.state().startswith("up ")


def test_stopped(store, directory):
    """One is late, the others do not wait."""
    with Talk(directory, store.member) as talk:
        talk.wait()
        store.signal(signal.SIGSTOP)
        assert talk.ask("GET a") == "none"
        assert [talk.ask("GET a") for _ in range(100)] == ["none"] * 100
        talk.wait_for_state("timeout=1 ", "no answer in time")
        store.signal(signal.SIGCONT)
        assert talk.wait() == "up"
        assert talk.ask("SET a b") == "OK"


def test_killed_and_back(store, directory):
    with Talk(directory, store.member) as talk:
        talk.wait()
        store.kill()
        assert talk.ask("GET a") == "none"
        assert talk.ask("GET a") == "none"
        store.start()
        assert talk.wait() == "up"
        assert talk.ask("GET a") == "-"


def test_absent_at_the_start(directory):
    store = PrivateStore(directory / "store")
    with Talk(directory, store.member) as talk:
        assert talk.ask("GET a") == "none"
        with store:
            assert talk.wait() == "up"
            assert talk.ask("SET a b") == "OK"


@pytest.mark.parametrize("fault, mend, word", [
    (("maxmemory", "1"), ("maxmemory", "0"), "OOM"),
    (("min-replicas-to-write", "1"), ("min-replicas-to-write", "0"), "NOREPLICAS"),
    (("requirepass", "secret"), ("requirepass", ""), "NOAUTH"),
], ids=["full", "no writes", "password"])
def test_refused(store, directory, fault, mend, word):
    with Talk(directory, store.member) as talk:
        talk.wait()
        store.talk("CONFIG", "SET", *fault)
        if word == "NOAUTH":  # connections that are there stay logged in
            store.talk("AUTH", "secret")
            store.kill()
            store._lines = ("requirepass secret",)
            store.start()
        assert talk.ask("SET a b") == "none"
        assert talk.ask("SET a b") == "none"
        if word == "NOAUTH":
            store.kill()
            store._lines = ()
            store.start()
        else:
            store.talk("CONFIG", "SET", *mend)
        assert talk.wait() == "up"
        assert talk.ask("SET a b") == "OK"
        if word != "NOAUTH":
            talk.wait_for_line(word)


def test_became_a_replica(store, directory):
    """The only member, amid the work: as after a fail-over that nobody told us of."""
    with Talk(directory, store.member) as talk:
        assert talk.wait() == "up"
        store.talk("REPLICAOF", "127.0.0.1", processes.free_port())
        assert talk.ask("SET a b") == "none"
        talk.wait_for_line("READONLY")
        talk.wait_for_state("down", "it is a replica")
        store.talk("REPLICAOF", "NO", "ONE")
        assert talk.wait() == "up"
        assert talk.ask("SET a b") == "OK"


def test_refused_after_each_probe(store):
    """As by an ACL that lacks a command: other commands that work don't hide it, and the log does not fill."""
    store.talk("ACL", "SETUSER", "default", "-incr")
    with Talk(store.directory, store.member, timeout=5000) as talk:  # with a log of its own
        for _ in range(5):
            assert talk.wait() == "up"
            assert talk.ask("GET a") == "-"
            assert talk.ask("INCR number") == "none"
    log = talk.log().splitlines()
    assert [sum(words in line for line in log) for words in ("is used", "NOPERM")] == [3, 3], log


def test_password(store, directory):
    """It is read anew for each connection."""
    secret = directory / "secret"
    secret.write_text("wrong\n")
    store.stop()
    store._lines = ("requirepass right",)
    store.start()
    with Talk(directory, store.member, options=("--password", secret)) as talk:
        talk.wait_for_state("WRONGPASS")
        assert talk.state().startswith("down ")
        assert "wrong" not in talk.log()
        secret.write_text("right\n")
        assert talk.wait() == "up"


def test_master_among_members(directory):
    """The replica is not written to; once it is the master it is used."""
    with PrivateStore(directory / "one") as one, PrivateStore(directory / "two") as two:
        two.talk("REPLICAOF", "127.0.0.1", str(one.port))
        with Talk(directory, two.member, one.member) as talk:
            assert talk.wait() == "up"
            talk.wait_for_state(f"up {one.member} ")
            one.kill()
            two.talk("REPLICAOF", "NO", "ONE")
            assert talk.ask("GET a") == "none"
            assert talk.wait() == "up"
            talk.wait_for_state(f"up {two.member} ")
            assert talk.ask("SET a b") == "OK"


def _certificate(directory):
    subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "2",
                    "-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost", "-keyout", "key.pem", "-out", "cert.pem"],
                   cwd=directory, check=True, capture_output=True)


def test_tls(directory, monkeypatch):
    """
    Only a certificate of an authority that is named, and of the host, is taken. LeakSanitizer does not survive the
    modules that GIO loads for TLS, and ThreadSanitizer sees races in these.
    """
    if b"__tsan_init" in (paths.BUILDDIR / "fleet_talk").read_bytes():
        pytest.skip("ThreadSanitizer does not know the locks of the modules for TLS")
    monkeypatch.setenv("ASAN_OPTIONS", "detect_leaks=0")
    _certificate(directory)
    certificate = directory / "cert.pem"
    store = PrivateStore(directory / "store")
    port = processes.free_port()
    store._lines = (f"tls-port {port}", f"tls-cert-file {certificate}", f"tls-key-file {directory / 'key.pem'}",
                    f"tls-ca-cert-file {certificate}", "tls-auth-clients no")
    with store:
        with Talk(directory, f"rediss://localhost:{port}/3", options=("--ca", certificate)) as talk:
            assert talk.wait() == "up", talk.state()
            assert talk.ask("SET a b") == "OK"
        with Talk(directory, f"rediss://localhost:{port}") as talk:
            talk.wait_for_state("certificate")
            assert talk.state().startswith("down ")
        with Talk(directory, f"rediss://127.0.0.1:{port}", options=("--ca", certificate)) as talk:
            talk.wait_for_state("certificate")
            assert talk.state().startswith("down ")


@pytest.mark.parametrize("member", ["http://a", "redis://", "redis://a:b@c", "redis://a/x", "unix:relative", "valkey", "redis://h:99999"])
def test_wrong_member(directory, member):
    result = subprocess.run([paths.BUILDDIR / "fleet_talk", "50", member], capture_output=True, text=True, check=False)
    assert result.returncode == 64
    assert "\":\"" not in result.stderr and result.stderr
    assert "b@" not in result.stderr
