"""What is installed: files, units and their sandbox, account and folders, AppArmor's profile, and what Debian's packaging says."""

import os
import re
import subprocess
from pathlib import Path

import pytest

from lab import paths
from lab import processes
from conftest import need_program

UNITS = sorted(path.name.removesuffix(".in") for path in (paths.SRCDIR / "conf").glob("*.service.in"))
EXPOSURE_MAX = 1.5  # systemd-analyze security
# They call the MTA's sendmail, whose set-group-ID NoNewPrivileges would take away; with User= most of the sandbox implies that.
EXPOSURE_OF_SENDERS = {"spfrom-letters.service": 5.6, "spfrom-watch.service": 5.6}
PACKAGING = paths.SRCDIR / "contrib" / "debian"


def _run(*argv, **options):
    return subprocess.run([str(word) for word in argv], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
                          timeout=120, **options)


def _make(target, destination):
    environment = {key: value for key, value in os.environ.items() if not key.startswith("MAKE")}
    result = _run("make", "-C", paths.BUILDDIR, f"DESTDIR={destination}", target, env=environment)
    assert result.returncode == 0, result.stdout
    return result.stdout


def _files(directory):
    return {str(path.relative_to(directory)) for path in Path(directory).rglob("*") if not path.is_dir()}


def _setting(name):
    """A variable of the build's Makefile, with what it rests on put in."""
    text = (paths.BUILDDIR / "Makefile").read_text()
    value = re.search(rf"^{name} = (.*)$", text, re.MULTILINE).group(1)
    return re.sub(r"\$[{(](\w+)[)}]", lambda found: _setting(found.group(1)), value)


@pytest.fixture(scope="module")
def installed():
    """A tree that make install has filled."""
    with processes.PrivateDirectory("installed") as directory:
        _make("install", directory)
        yield directory


def _place(tree, name):
    return tree / _setting(name).lstrip("/")


def test_what_is_installed(installed):
    units = _place(installed, "systemdsystemunitdir")
    for path in [_place(installed, "sbindir") / "spfrom-milter", _place(installed, "bindir") / "spfrom",
                 _place(installed, "sysconfdir") / "spfrom" / "spfrom.conf",
                 _place(installed, "prefix") / "lib/sysusers.d/spfrom.conf",
                 _place(installed, "prefix") / "lib/tmpfiles.d/spfrom.conf", *(units / name for name in UNITS)]:
        assert path.is_file(), path
    for program in ("sbindir", "bindir"):
        assert all(os.access(path, os.X_OK) for path in _place(installed, program).iterdir())


def test_installed_configuration_is_log_only(installed):
    text = (_place(installed, "sysconfdir") / "spfrom" / "spfrom.conf").read_text()
    assert re.findall(r"^mode = (\S+)$", text, re.MULTILINE) == ["log-only"]
    assert "fallback_address = " in text and "@FALLBACK_ADDRESS@" not in text


SOCKET = "/var/spool/postfix/spfrom/milter.sock"
SOCKET_IN_MAIN_CF = "unix:spfrom/milter.sock"


def test_installed_configuration_listens_for_the_mta_alone(installed):
    text = (_place(installed, "sysconfdir") / "spfrom" / "spfrom.conf").read_text()
    assert re.findall(r'^socket = "(.*)"$', text, re.MULTILINE) == [f"unix:{SOCKET}"]
    assert not re.search(r"^socket_(mode|group) = ", text, re.MULTILINE)  # 0660, and the group of its folder


def test_all_speak_of_the_same_socket():
    """The folder is made by the unit and the init script, is in the sandbox and AppArmor's profile, and goes with a purge."""
    folder = str(Path(SOCKET).parent)
    for name in ("conf/apparmor/usr.sbin.spfrom-milter", "contrib/debian/spfrom.init", "contrib/debian/spfrom.postrm",
                 "contrib/debian/spfrom.postinst"):
        assert folder in (paths.SRCDIR / name).read_text(), name
    unit = (paths.SRCDIR / "conf/spfrom.service.in").read_text()
    assert f"ReadWritePaths=-{folder}\n" in unit and "/var/spool/postfix && { install -d -o spfrom -g postfix" in unit
    for name in ("README.md", "conf/spfrom.conf.in", "conf/man/spfrom.conf.5", "conf/man/spfrom-milter.8"):
        text = (paths.SRCDIR / name).read_text()
        assert SOCKET in text and SOCKET_IN_MAIN_CF in text, name


@pytest.mark.parametrize("has_postfix", [True, False], ids=["Postfix", "no Postfix yet"])
def test_folder_of_the_socket(has_postfix, needs_root):
    """What the unit does before the start, in a root of its own: with a Postfix there, and before there is one."""
    unit = (paths.SRCDIR / "conf/spfrom.service.in").read_text()
    command = re.search(r"^ExecStartPre=\+-/bin/sh -c '(.*)'$", unit, re.MULTILINE).group(1)
    assert "$" not in command and "%" not in command  # systemd's own
    accounts = "spfrom:x:990:\n" + ("postfix:x:991:\n" if has_postfix else "")
    with processes.PrivateDirectory("folder") as root:
        (root / "group").write_text("root:x:0:\n" + accounts)
        (root / "passwd").write_text("root:x:0:0::/:/bin/sh\nspfrom:x:990:990::/:/bin/false\n")
        (root / "spool").mkdir()
        shell = (f"mount --bind {root}/group /etc/group && mount --bind {root}/passwd /etc/passwd"
                 f" && mount --bind {root}/spool /var/spool && {{ {command}; }}"
                 f" && {{ {command}; }}")
        result = _run("unshare", "--mount", "sh", "-c", shell)
        assert result.returncode == 0, result.stdout
        above, folder = (root / "spool/postfix").stat(), (root / "spool/postfix/spfrom").stat()
    assert (above.st_uid, above.st_gid, above.st_mode & 0o7777) == (0, 0, 0o755)
    assert (folder.st_uid, folder.st_gid, folder.st_mode & 0o7777) == (990, 991 if has_postfix else 990, 0o2750)


def test_dead_daemon_is_back_within_two_seconds():
    unit = (paths.SRCDIR / "conf/spfrom.service.in").read_text()
    assert re.findall(r"^Restart(?:Sec)?=(.*)$", unit, re.MULTILINE) == ["on-failure", "500ms"]
    assert "StartLimitIntervalSec=0\n" in unit


def test_units_name_the_installed_programs(installed):
    for name in UNITS:
        text = (_place(installed, "systemdsystemunitdir") / name).read_text()
        assert not re.search(r"@\w+@|\$[{(]", text)
        for program in re.findall(r"^Exec(?:Start|Reload)=(/\S+)", text, re.MULTILINE):
            assert (installed / program.lstrip("/")).is_file(), program


def test_uninstall_leaves_nothing():
    with processes.PrivateDirectory("uninstalled") as directory:
        _make("install", directory)
        _make("uninstall", directory)
        assert _files(directory) == set()


def test_configuration_of_the_operator_stays():
    with processes.PrivateDirectory("kept") as directory:
        _make("install", directory)
        file = _place(directory, "sysconfdir") / "spfrom" / "spfrom.conf"
        file.write_text(file.read_text() + "# mine\n")
        for target in ("install", "uninstall"):
            _make(target, directory)
            assert file.read_text().endswith("# mine\n")


@pytest.fixture(scope="module")
def units(installed):
    """The units with programs that are there, whatever the prefix."""
    with processes.PrivateDirectory("units") as directory:
        for name in UNITS:
            text = (_place(installed, "systemdsystemunitdir") / name).read_text()
            text = re.sub(r"^(Exec(?:Start|Reload)=)(/\S+)", rf"\1{installed}\2", text, flags=re.MULTILINE)
            (directory / name).write_text(text)
        yield directory


@pytest.mark.parametrize("name", UNITS)
def test_unit_is_right(units, name):
    result = _run(need_program("systemd-analyze"), "verify", "--man=no", "--recursive-errors=no", units / name)
    assert (result.returncode, result.stdout) == (0, "")


@pytest.mark.parametrize("name", UNITS)
def test_unit_is_hardened(units, name):
    result = _run(need_program("systemd-analyze"), "security", "--no-pager", "--offline=true", units / name)
    found = re.search(r"Overall exposure level for \S+: ([0-9.]+)", result.stdout)
    assert found, result.stdout
    assert float(found.group(1)) <= EXPOSURE_OF_SENDERS.get(name, EXPOSURE_MAX), result.stdout


def test_no_limit_of_address_space():
    """Threads reserve far more of it than they use."""
    for name in UNITS:
        assert "LimitAS" not in (paths.SRCDIR / "conf" / f"{name}.in").read_text()


def test_account_and_folders(installed, needs_root):
    sysusers, tmpfiles = need_program("systemd-sysusers"), need_program("systemd-tmpfiles")
    with processes.PrivateDirectory("root") as root:
        for name in ("etc", "run", "var/lib"):
            (root / name).mkdir(parents=True)
        lib = _place(installed, "prefix") / "lib"
        result = _run(sysusers, f"--root={root}", lib / "sysusers.d/spfrom.conf")
        assert result.returncode == 0, result.stdout
        fields = [line.split(":") for line in (root / "etc/passwd").read_text().splitlines()
                  if line.startswith("spfrom:")]
        assert len(fields) == 1 and fields[0][6].endswith("nologin")
        result = _run(tmpfiles, f"--root={root}", "--create", lib / "tmpfiles.d/spfrom.conf")
        assert result.returncode == 0, result.stdout
        for name in ("run/spfrom", "var/lib/spfrom"):
            status = (root / name).stat()
            assert (status.st_uid, status.st_gid) == (int(fields[0][2]), int(fields[0][3]))


def test_apparmor_profile():
    profile = paths.SRCDIR / "conf/apparmor/usr.sbin.spfrom-milter"
    result = _run(need_program("apparmor_parser"), "--skip-kernel-load", "--skip-cache", profile)
    assert result.returncode == 0, result.stdout


def test_package_needs_what_the_buildneed_program():
    """contrib/build's list stands in the package's Build-Depends, but for what every build has."""
    given = re.search(r'"\$top/contrib/need-packages" \\\n((?:.*\\\n)*.*)\n',
                      (paths.SRCDIR / "contrib/build").read_text()).group(1).replace("\\", " ").split()
    control = (PACKAGING / "control").read_text()
    wanted = set(given) - {"autoconf", "automake", "gcc", "libc6-dev", "make"}
    assert len(wanted) > 10
    assert {name for name in wanted if not re.search(rf"^ {re.escape(name)},?$", control, re.MULTILINE)} == set()


def test_package_has_the_version_of_the_build():
    version = _setting("VERSION")
    assert (PACKAGING / "changelog").read_text().startswith(f"spfrom ({version}-")
    assert f"## {version}" in (paths.SRCDIR / "CHANGES").read_text()


@pytest.mark.parametrize("name", ["spfrom.init", "spfrom.postinst", "spfrom.postrm", "spfrom.prerm"])
def test_shell(name):
    result = _run("sh", "-n", PACKAGING / name)
    assert (result.returncode, result.stdout) == (0, "")


def test_distcheck(is_full_length):
    """The tarball builds, passes its tests, is installed, and takes away all that it installed."""
    if not is_full_length:
        pytest.skip("only with --all")
    environment = {key: value for key, value in os.environ.items() if not key.startswith("MAKE")}
    result = subprocess.run(["make", "-C", paths.BUILDDIR, f"-j{os.cpu_count()}", "distcheck"], env=environment,
                            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    assert result.returncode == 0, result.stdout[-5000:]


def test_distributed_files():
    """What git has is packed by make dist, but for what only git needs."""
    git = ["git", "-c", "safe.directory=*", "-C", paths.SRCDIR, "ls-files"]
    if not (paths.SRCDIR / ".git").exists():
        pytest.skip("not a git repository")
    need_program("git")
    tracked = set(subprocess.run(git, check=True, capture_output=True, text=True).stdout.split("\n")) - {""}
    with processes.PrivateDirectory("dist") as directory:
        result = _run("make", "-C", paths.BUILDDIR, f"distdir={directory}/spfrom", "distdir")
        assert result.returncode == 0, result.stdout
        packed = _files(directory / "spfrom")
    assert {name for name in tracked - packed if not name.startswith((".git", ".clang", ".editor"))} == set()
