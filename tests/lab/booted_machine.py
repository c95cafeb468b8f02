"""A small Debian with Postfix, booted with systemd in a container of its own (systemd-nspawn).

It has no network but loopback: nothing that is installed or sent in it reaches another machine, or this one's ports.
What it changes is kept in memory and is gone when it is powered off; its files, made once by debootstrap, stay as they are.
"""

import os
import shutil
import subprocess
from pathlib import Path

from lab import paths
from lab import processes
from lab.unpacked_package import until_it_works

_PACKAGES = "systemd-sysv,dbus,postfix,procps,iproute2,netbase"
_PATIENCE = 120  # seconds


class MachineError(Exception):
    pass


def _checked(argv, **options):
    result = subprocess.run([str(word) for word in argv], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                            stderr=subprocess.STDOUT, text=True, **options)
    if result.returncode != 0:
        raise MachineError(f"{' '.join(map(str, argv))}: {result.stdout[-2000:]}")
    return result.stdout


def _distribution():
    """The suite and mirror that this machine's own packages come from."""
    suite = _checked(["sh", "-c", ". /etc/os-release && echo $VERSION_CODENAME"]).strip()
    for line in _checked(["apt-get", "indextargets", "--format", "$(RELEASE) $(COMPONENT) $(REPO_URI)"]).splitlines():
        release, component, mirror = line.split(" ", 2)
        if (release, component) == (suite, "main"):
            return suite, mirror
    raise MachineError(f"no mirror of {suite}")


def _debootstrap(directory):
    shutil.rmtree(directory, ignore_errors=True)
    directory.parent.mkdir(parents=True, exist_ok=True)
    suite, mirror = _distribution()
    with open(directory.with_suffix(".log"), "wb") as log:
        return subprocess.run(["debootstrap", "--variant=minbase", f"--include={_PACKAGES}", suite, directory, mirror],
                              stdin=subprocess.DEVNULL, stdout=log, stderr=log).returncode == 0


def make_root(package):
    """The directory of a root file system that has what package (a .deb) needs at hand, but not installed."""
    root = paths.UNPACKED / "machine"
    if not root.is_dir():
        partial = root.with_suffix(".partial")
        if not until_it_works(lambda: _debootstrap(partial)):
            raise MachineError("debootstrap failed; its word is in " + str(partial.with_suffix(".log")))
        partial.rename(root)
    shutil.copy("/etc/resolv.conf", root / "etc/resolv.conf")
    shutil.copy(package, root / "root/needs.deb")
    _checked(["chroot", root, "apt-get", "-q", "update"])
    _checked(["chroot", root, "apt-get", "-q", "-y", "--no-install-recommends", "--download-only", "install",
              "/root/needs.deb"])
    (root / "root/needs.deb").unlink()
    return root


class BootedMachine(processes.Service):
    def __init__(self, root, hostname, directory):
        self._root = root
        self._hostname = hostname
        self._output = Path(directory) / "machine.out"
        (root / "etc/hostname").write_text(hostname + "\n")
        self._leader = None

    def start(self):
        self._process = processes.start(
            ["systemd-nspawn", "--quiet", "--register=no", "--keep-unit", "--private-network", "--volatile=overlay",
             "--console=pipe", "--resolv-conf=off", f"--hostname={self._hostname}", f"--machine={self._hostname}",
             f"--directory={self._root}", "--boot", *self._kernel_words()], self._output)
        self._leader = processes.wait_until(self._find_leader, _PATIENCE, "systemd in the container", self._process)
        processes.wait_until(self._is_up, _PATIENCE, "the container to be up", self._process)

    @staticmethod
    def _kernel_words():
        """systemd takes the hierarchy of control groups that this machine has; from 256 on the old one only if told to."""
        is_unified = Path("/sys/fs/cgroup/cgroup.controllers").exists()
        return ["--", f"systemd.unified_cgroup_hierarchy={int(is_unified)}",
                f"SYSTEMD_CGROUP_ENABLE_LEGACY_FORCE={int(not is_unified)}"]

    def _find_leader(self):
        children = Path(f"/proc/{self._process.pid}/task/{self._process.pid}/children").read_text().split()
        for child in children:
            if Path(f"/proc/{child}/comm").read_text().strip() == "systemd":
                return child
        return None

    def _is_up(self):
        return self.run("systemctl is-system-running").stdout.strip() in ("running", "degraded")

    def stop(self):
        if self._process is not None:
            subprocess.run(["nsenter", "-t", self._leader, "-a", "systemctl", "--force", "--force", "poweroff"],
                           capture_output=True)
            processes.stop(self._process, 60)
            self._process = None

    def run(self, command, **options):
        """A command of root's shell; stderr comes with stdout."""
        environment = {"PATH": "/usr/sbin:/usr/bin:/sbin:/bin", "HOME": "/root", "LC_ALL": "C.UTF-8",
                       "DEBIAN_FRONTEND": "noninteractive", "TERM": "dumb", "SYSTEMD_PAGER": "cat"}
        return subprocess.run(["nsenter", "-t", self._leader, "-a", "sh", "-c", f"cd /root && {command}"],
                              stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
                              env=environment, timeout=_PATIENCE, **options)

    def file(self, path):
        """A file of the machine, as we reach it."""
        return Path(f"/proc/{self._leader}/root") / path.lstrip("/")


def why_not():
    """Why no machine can be booted here, or None."""
    if os.geteuid() != 0:
        return "a container needs root"
    for program in ("systemd-nspawn", "debootstrap", "nsenter", "apt-get"):
        if shutil.which(program, path=os.environ["PATH"] + ":/usr/sbin:/sbin") is None:
            return f"{program} is not installed"
    return None
