"""The runtime switch of the mode: at once, for a while, and over a restart (design section 10)."""

import json
import os
import re
import subprocess
from datetime import datetime, timezone

import pytest

from lab import processes
from lab.cases import MUELLER, OHNE
from conftest import need
from lab.control_client import ask_control
from lab.milter_client import NO_STEPS, MilterClient, ask
from lab.private_web import PrivateWeb
from lab.zone import FALLBACK

pytestmark = [pytest.mark.address, pytest.mark.thread]

GMX = "praxis@gmx.de"


def _state_file(daemon):
    return daemon.directory / "state" / "mode.json"


def _is_rewriting(daemon, author=OHNE):
    return ask(daemon.address, [("From", author)], sender=author).sender() == FALLBACK


def _mode(daemon):
    """What `spfrom mode --json` says, but for the times."""
    result = daemon.tool("mode", "--json")
    assert result.returncode == 0 and not result.stderr
    answer = json.loads(result.stdout)
    assert set(answer) == {"ok", "mode", "since", "by", "until"} and answer["ok"] is True
    return answer["mode"], answer["by"]


def _seconds_from_now(text):
    return (datetime.strptime(text, "%Y-%m-%dT%H:%M:%SZ").replace(tzinfo=timezone.utc)
            - datetime.now(timezone.utc)).total_seconds()


def test_who_switched_and_what_comes_next(daemons, directory):
    daemon = daemons.start()
    daemon.tool("mode", "log-only", env={**os.environ, "SUDO_USER": "anna"})
    assert "switch (anna)" in daemon.tool("mode").stdout and "then" not in daemon.tool("mode").stdout
    daemon.tool("mode", "off", "--for", "1h", env={**os.environ, "SUDO_USER": "berta"})
    told = daemon.tool("mode").stdout
    assert "switch (berta)" in told and re.search(r"^then +log-only$", told, re.MULTILINE)
    status = json.loads(daemon.tool("status", "--json").stdout)
    assert (status["mode_who"], status["mode_next"]) == ("berta", "log-only")
    daemon.wait_for_line("who=berta")
    daemon.stop()
    daemon.start()
    assert "switch (berta)" in daemon.tool("mode").stdout
    daemon.tool("mode", "--clear")
    assert json.loads(daemon.tool("status", "--json").stdout)["mode_who"] is None


@pytest.mark.parametrize("configured, switched", [("log-only", "rewrite"), ("rewrite", "log-only")])
def test_advice_knows_the_mode_in_force(daemons, configured, switched):
    daemon = daemons.start(mode=configured)
    domain = OHNE.rpartition("@")[2]

    def is_promising_rewrites():
        letter = daemon.tool("advise", "--mail", domain).stdout
        notes = json.loads(daemon.tool("check", "--json", domain).stdout)["notes"]
        assert (FALLBACK in letter) == (not any("log-only" in note for note in notes))
        return FALLBACK in letter
    assert is_promising_rewrites() == (configured == "rewrite")
    ask_control(daemon, "mode", mode=switched)
    assert is_promising_rewrites() == (switched == "rewrite")
    daemon.stop()
    assert is_promising_rewrites() == (configured == "rewrite")


def test_letter_knows_the_map(daemons, directory):
    file = directory / "letter_map"
    file.write_text(f"{OHNE.rpartition('@')[2]} authorised=yes\n")
    file.chmod(0o644)
    daemon = daemons.start(domain_map=file)
    assert FALLBACK not in daemon.tool("advise", "--mail", OHNE).stdout


def test_files_that_the_daemon_has_not_read(daemons, directory):
    """check and advise go by the files, and say so; a page reads the map as it is."""
    other = "another version of the configuration"
    file = directory / "read_map"
    file.write_text("praxis-mit.de mode=off\n")
    file.chmod(0o644)
    daemon = daemons.start(domain_map=file)

    def is_other():
        assert (other in daemon.tool("advise", OHNE).stderr) == (other in daemon.tool("check", OHNE).stdout)
        return other in daemon.tool("check", OHNE).stdout
    assert not is_other()
    with PrivateWeb(daemon) as web:
        file.write_text(f"{OHNE.rpartition('@')[2]} authorised=yes\n")
        processes.wait_until(lambda: "domain_map read anew" in daemon.log(), 20, "the map")
        page = web.get(f"/domain/{OHNE.rpartition('@')[2]}").text
        assert not is_other() and other not in page and "domain_map says authorised=yes" in page
        daemon.configuration_file.write_text(daemon.configuration_file.read_text() + "# a remark\n")
        assert is_other()
        assert daemon.tool("reload").returncode == 0 and not is_other()
        page = web.get(f"/domain/{OHNE.rpartition('@')[2]}").text
        assert other in page
    daemon.stop()
    assert not is_other()


def test_switch_and_clear(daemons):
    daemon = daemons.start()
    assert _mode(daemon) == ("rewrite", "configuration") and _is_rewriting(daemon)
    for mode in ("log-only", "off"):
        result = daemon.tool("mode", mode)
        assert result.returncode == 0 and not result.stderr and mode in result.stdout
        assert _mode(daemon) == (mode, "switch") and not _is_rewriting(daemon)
    assert daemon.tool("mode", "rewrite").returncode == 0
    assert _mode(daemon) == ("rewrite", "switch") and _is_rewriting(daemon)
    assert daemon.tool("mode", "--clear").returncode == 0
    assert _mode(daemon) == ("rewrite", "configuration")
    assert not _state_file(daemon).exists()


def test_log(daemons):
    """Every change is told, and who made it."""
    daemon = daemons.start()
    ask_control(daemon, "mode", mode="off", **{"for": "1h"})
    ask_control(daemon, "mode", clear=True)
    daemon.settings["mode"] = "log-only"
    daemon.write_configuration()
    ask_control(daemon, "reload")
    processes.wait_until(lambda: daemon.log().count("mode changed:") == 3, 10, "three lines in the log")
    changes = [line for line in daemon.log().splitlines() if "mode changed:" in line]
    assert [line.split("mode changed: ")[1].split(" until")[0] for line in changes] == [
        "mode=off by=switch", f'mode=rewrite by=configuration who="uid {os.getuid()}"',
        'mode=log-only by=configuration who="a reload"']
    assert f'who="uid {os.getuid()}"' in changes[0] and "until=2" in changes[0]


def test_message_keeps_its_mode(daemons):
    daemon = daemons.start()
    with MilterClient(daemon.address, NO_STEPS) as client:  # MAIL is answered: the message has begun
        client.connect()
        client.envelope(OHNE)
        ask_control(daemon, "mode", mode="off")
        client.header("From", OHNE)
        assert (client.eoh() or client.body(b"x") or client.eom()).sender() == FALLBACK
        assert not client.message([("From", OHNE)], OHNE).edits


def test_for_a_while(daemons):
    daemon = daemons.start()
    result = daemon.tool("mode", "off", "--for", "2s", "--json")
    assert 0 < _seconds_from_now(json.loads(result.stdout)["until"]) <= 3
    assert not _is_rewriting(daemon)
    processes.wait_until(lambda: _is_rewriting(daemon), 30, "the way back")
    assert _mode(daemon) == ("rewrite", "configuration")
    processes.wait_until(lambda: "the switch is over" in daemon.log() and not _state_file(daemon).exists(), 30,
                         "the end in the log and on the disk")


def test_reload_keeps_the_switch(daemons):
    daemon = daemons.start()
    ask_control(daemon, "mode", mode="off")
    daemon.settings["mode"] = "log-only"
    daemon.write_configuration()
    assert daemon.tool("reload").returncode == 0
    assert _mode(daemon) == ("off", "switch")
    assert ask_control(daemon, "mode", clear=True)["mode"] == "log-only"


def test_section_is_never_more_active_than_the_switch(daemons):
    daemon = daemons.start(mode="log-only", extra='domain "gmx.de" { mode = "rewrite" }\n'
                                                  'domain "praxis-ohne.de" { mode = "off" }\n')
    assert _is_rewriting(daemon, GMX)
    ask_control(daemon, "mode", mode="log-only")
    assert not _is_rewriting(daemon, GMX)
    ask_control(daemon, "mode", mode="rewrite")
    assert _is_rewriting(daemon, GMX) and not _is_rewriting(daemon, OHNE)
    ask_control(daemon, "mode", clear=True)
    assert _is_rewriting(daemon, GMX)


@pytest.mark.parametrize("end", ["kill", "stop"])
def test_restart_keeps_the_switch(daemons, end):
    daemon = daemons.start()
    since = ask_control(daemon, "mode", mode="log-only", **{"for": "1h"})
    getattr(daemon, end)()
    daemon.start()
    assert ask_control(daemon, "mode") == since and since["by"] == "switch"
    assert not _is_rewriting(daemon)
    ask_control(daemon, "mode", clear=True)
    getattr(daemon, end)()
    daemon.start()
    assert _mode(daemon) == ("rewrite", "configuration")


def test_end_that_came_while_down(daemons):
    daemon = daemons.start()
    ask_control(daemon, "mode", mode="off")
    daemon.kill()
    _state_file(daemon).write_text('{"mode":"off","since":"2026-01-01T00:00:00Z","until":"2026-01-01T01:00:00Z"}\n')
    daemon.start()
    assert _mode(daemon) == ("rewrite", "configuration") and _is_rewriting(daemon)
    assert "ended while the daemon did not run" in daemon.log()


@pytest.mark.parametrize("octets", [b"", b"{", b"\0\xff" * 3000, b'{"mode":"on","since":1,"until":null}'],
                         ids=["empty", "cut", "garbage", "wrong"])
def test_file_that_is_wrong(daemons, octets):
    """It is logged, and the configuration's mode counts."""
    daemon = daemons.start(mode="log-only")
    ask_control(daemon, "mode", mode="rewrite")
    daemon.kill()
    _state_file(daemon).write_bytes(octets)
    daemon.start()
    assert _mode(daemon) == ("log-only", "configuration")
    assert str(_state_file(daemon)) in daemon.log()
    assert "warning" not in ask_control(daemon, "mode", mode="off")
    assert json.loads(_state_file(daemon).read_text())["mode"] == "off"


def _assert_switched_in_spite(daemon, reason):
    """In force, with a warning on stderr and in the log, though it can't be kept."""
    result = daemon.tool("mode", "off")
    assert result.returncode == 0 and reason in result.stderr and "a restart will forget it" in result.stderr
    assert "mode   off" in result.stdout and not _is_rewriting(daemon)
    assert reason in daemon.log()
    answer = ask_control(daemon, "mode", mode="log-only")
    assert answer["mode"] == "log-only" and reason in answer["warning"]


def test_state_dir_that_is_gone(daemons):
    daemon = daemons.start(ledger="")
    (daemon.directory / "state").rename(daemon.directory / "elsewhere")
    _assert_switched_in_spite(daemon, "No such file")


def test_state_dir_that_is_not_ours(daemons, needs_root):
    daemon = daemons.start()
    os.chown(daemon.directory / "state", 0, 0)
    (daemon.directory / "state").chmod(0o755)
    _assert_switched_in_spite(daemon, "Permission denied")


def test_full_disk(daemons, directory, needs_root):
    """The old switch is what a restart finds: that is what the warning says."""
    state = directory / "full"
    state.mkdir()
    mount = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=64k,mode=777", "tmpfs", state], capture_output=True)
    need("no tmpfs can be mounted here" if mount.returncode != 0 else None)
    try:
        daemon = daemons.start(state_dir=state, ledger="")
        assert "warning" not in ask_control(daemon, "mode", mode="rewrite")
        with pytest.raises(OSError), open(state / "filling", "wb", buffering=0) as filling:
            while True:
                filling.write(b"x" * 4096)
        _assert_switched_in_spite(daemon, "No space left")
        assert json.loads((state / "mode.json").read_text())["mode"] == "rewrite"
        daemon.kill()
        daemon.start()
        assert _mode(daemon) == ("rewrite", "switch") and _is_rewriting(daemon)
        (state / "filling").unlink()
        assert "warning" not in ask_control(daemon, "mode", mode="off")
        daemon.stop()
    finally:
        subprocess.run(["umount", "-l", state], check=True)


def test_kept_ones_are_untouched(daemons):
    daemon = daemons.start()
    for mode in ("rewrite", "log-only", "off"):
        ask_control(daemon, "mode", mode=mode)
        assert not ask(daemon.address, [("From", MUELLER)], sender=MUELLER).edits
