"""The installed configuration's socket, below Postfix's queue directory, through a Postfix in and out of its chroot."""

import shutil

import pytest

from lab import clients
from lab import processes
from lab.cases import OHNE, message
from lab.private_postfix import PrivatePostfix
from lab.sink import Sink
from lab.spfrom import UNPRIVILEGED, Spfrom
from lab.zone import FALLBACK, ZONE_FILE

MILTER = "unix:spfrom/milter.sock"  # as the README and spfrom-milter(8) say


class _Postfix(PrivatePostfix):
    """Some of its programs in the chroot, smtpd for mail by SMTP and cleanup for sendmail(1)."""

    def __init__(self, *arguments, is_chroot, **settings):
        super().__init__(*arguments, **settings)
        self._is_chroot = is_chroot

    def _write_configuration(self):
        super()._write_configuration()
        if self._is_chroot:
            master_cf = self.etc / "master.cf"
            text = master_cf.read_text()
            for program in ("- n - - smtpd", "- n - 0 cleanup"):
                assert program in text
                text = text.replace(program, program.replace(" n ", " y "))
            master_cf.write_text(text)

    def folder_for_the_socket(self):
        """As the unit makes it: of the daemon's account, and set-gid for Postfix's group."""
        folder = self.queue / "spfrom"
        folder.mkdir()
        shutil.chown(folder, UNPRIVILEGED["user"], self._settings["mail_owner"])
        folder.chmod(0o2750)
        return folder


@pytest.mark.parametrize("is_chroot", [True, False], ids=["chroot", "no chroot"])
def test_mail_passes(needs_postfix, is_chroot):
    with processes.PrivateDirectory("chroot") as directory, Sink() as sink:
        postfix = _Postfix(directory / "postfix", sink.port, MILTER, is_chroot=is_chroot)
        with postfix:
            folder = postfix.folder_for_the_socket()
            daemon = Spfrom(directory / "spfrom", ZONE_FILE, socket=f"unix:{folder}/milter.sock", socket_mode="0660")
            daemon.socket = folder / "milter.sock"
            with daemon:
                assert daemon.socket.stat().st_mode & 0o777 == 0o660
                assert daemon.socket.group() == daemon.socket.parent.group()
                for program, send in (("smtp", clients.send_smtp), ("sendmail", clients.send_sendmail)):
                    send(postfix, OHNE, f"{program}@example.net", message(f"From: {OHNE}"))
                    assert sink.take(f"{program}@example.net").sender == FALLBACK
            assert not daemon.socket.exists()
