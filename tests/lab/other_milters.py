"""The milters that stand beside ours in real installations: OpenDKIM, OpenDMARC and rspamd, unpacked (see
unpacked_package.py).

Their DNS is a file, or nobody. They listen on loopback.
"""

import base64
import functools
import os
import subprocess
from pathlib import Path

from lab import paths
from lab import processes
from lab import unpacked_package

# A key below a directory where all may write, as /tmp, counts as unsafe.
_SIGNER = """\
Mode s
RequireSafeKeys false
SigningTable refile:{directory}/signing-table
KeyTable {directory}/key-table
Canonicalization {canonicalization}
OversignHeaders From
InternalHosts 0.0.0.0/0
"""
# Debian's example has the last line: only what is not ours is verified.
_VERIFIER = """\
Mode v
AuthservID {authserv_id}
TestPublicKeys {directory}/public-keys
InternalHosts 198.51.100.1
"""
_OPENDMARC = """\
AuthservID {authserv_id}
TrustedAuthservIDs {authserv_id}
IgnoreHosts {directory}/ignored-hosts
TestDNSData {directory}/records
RejectFailures false
SPFIgnoreResults true
"""

# Not Debian's configuration, which wants a Redis and the network: the milter worker, and the module that writes fields.
_RSPAMD = """\
options {{
  filters = "";
  dns {{ nameserver = ["127.0.0.1:{dead_port}"]; timeout = 0.5s; retransmits = 1; }}
  control_socket = "{directory}/control.sock mode=0600";
  hs_cache_dir = "{directory}";
  tempdir = "{directory}";
  url_tld = "{directory}/tld";
  one_shot = true;
}}
logging {{ type = "console"; level = "warning"; }}
actions {{ reject = 1000; }}
group "spfrom" {{ }}
lua = "{directory}/rules.lua";
worker "rspamd_proxy" {{
  bind_socket = "127.0.0.1:{port}";
  milter = yes;
  timeout = 20s;
  count = 1;
  upstream "local" {{ default = yes; self_scan = yes; }}
}}
modules {{ path = "{share}/plugins/milter_headers.lua"; }}
milter_headers {{
  extended_spam_headers = true;
  skip_local = false;
  skip_authenticated = false;
  use = ["authentication-results", "x-spamd-result"];
  routines {{ authentication-results {{ hostname = "{authserv_id}"; add_smtp_user = true; }} }}
}}
"""
_RSPAMD_RULES = """\
rspamd_config:register_symbol({ name = 'SEEN', score = 1.0, callback = function() return true end })
"""


def why_not():
    """Why these milters cannot run here, or None."""
    try:
        for package in ("opendkim", "opendmarc", "rspamd"):
            _package(package)
    except unpacked_package.UnpackError as error:
        return str(error)
    return None


@functools.cache
def _package(name):
    return unpacked_package.unpack(name, paths.UNPACKED)


def _environment(package):
    """Some libraries of OpenDKIM's lie in usr/lib itself."""
    top = _package(package)
    return dict(os.environ, LD_LIBRARY_PATH=f"{unpacked_package.library_path(top)}:{top}/usr/lib")


class DkimKey:
    """A key made for this run, and the record that publishes it."""

    def __init__(self, directory, domain, selector="test"):
        self.domain, self.selector = domain, selector
        self.file = Path(directory) / f"{domain}.pem"
        self._openssl("genrsa", "-out", self.file, "2048")
        self.file.chmod(0o600)
        self.pem = self.file.read_bytes()
        public = self._openssl("rsa", "-in", self.file, "-pubout", "-outform", "DER")
        self.name = f"{selector}._domainkey.{domain}"
        self.record = "v=DKIM1; k=rsa; p=" + base64.b64encode(public).decode()

    @staticmethod
    def _openssl(*arguments):
        return subprocess.run(["openssl", *arguments], check=True, capture_output=True).stdout


class _Milter:
    """A program that listens on loopback. name is the one it has in the MTA's configuration."""

    def __init__(self, directory, name, package):
        self.name = name
        self._directory = Path(directory)
        self._package = package
        self._port = processes.free_port()
        self._process = None

    @property
    def milter(self):
        """The socket in Sendmail's words."""
        return f"inet:{self._port}@127.0.0.1"

    def _write(self, name, text):
        (self._directory / name).write_text(text)

    def _start(self, configuration, *arguments):
        self._write("configuration", f"Socket {self.milter}\nSyslog false\n" + configuration)
        return self._run(_package(self._package) / "usr/sbin" / self._package, "-f", *arguments,
                         self._directory / "configuration")

    def _run(self, *command):
        self._process = processes.start(command, self._directory / "output", _environment(self._package))
        try:
            processes.wait_until(lambda: processes.is_listening(("127.0.0.1", self._port)), 60, self.name,
                                 self._process)
        except RuntimeError as error:
            raise RuntimeError(f"{error}\n{(self._directory / 'output').read_text()}") from error
        return self

    def kill(self):
        """libmilter takes seconds to notice that it is to stop, and nothing is to be saved."""
        if self._process is not None:
            processes.stop(self._process, seconds=0.1)


class Signer(_Milter):
    """OpenDKIM, signs everything as key's domain, or as domain; "%" is the author's."""

    def __init__(self, directory, key, canonicalization, domain=None):
        super().__init__(directory, "signer", "opendkim")
        self._directory.mkdir()
        self._write("signing-table", f"* {key.name}\n")
        self._write("key-table", f"{key.name} {domain or key.domain}:{key.selector}:{key.file}\n")
        self._canonicalization = canonicalization
        self._begin()

    def _begin(self):
        self._start(_SIGNER.format(directory=self._directory, canonicalization=self._canonicalization), "-x")

    def restart(self):
        """Reads its tables anew."""
        self.kill()
        self._begin()


class Verifier(_Milter):
    """OpenDKIM, says in Authentication-Results: what it thinks of signatures."""

    def __init__(self, directory, keys, authserv_id):
        super().__init__(directory, "verifier", "opendkim")
        self._directory.mkdir()
        self._write("public-keys", "".join(f"{key.name} {key.record}\n" for key in keys))
        self._start(_VERIFIER.format(authserv_id=authserv_id, directory=self._directory), "-x")


class OpenDmarc(_Milter):
    """OpenDMARC, says in Authentication-Results: whether From: is aligned. Refuses nothing. records: name → text."""

    def __init__(self, directory, records, authserv_id):
        super().__init__(directory, "opendmarc", "opendmarc")
        self._directory.mkdir()
        self._write("records", "".join(f"{name} {text}\n" for name, text in records.items()))
        self._write("ignored-hosts", "198.51.100.1\n")  # by default it ignores loopback
        self._start(_OPENDMARC.format(authserv_id=authserv_id, directory=self._directory), "-c")


def rspamd_configuration():
    """The folder that is /etc/rspamd on Debian."""
    return _package("rspamd") / "etc/rspamd"


class Rspamd(_Milter):
    """rspamd, says in X-Spamd-Result: and Authentication-Results: what it saw. Refuses nothing, signs nothing."""

    def __init__(self, directory, authserv_id):
        super().__init__(directory, "rspamd", "rspamd")
        self._directory.mkdir()
        share = _package("rspamd") / "usr/share/rspamd"
        self._write("rules.lua", _RSPAMD_RULES)
        self._write("tld", "de\nexample\n")  # the whole list takes seconds to compile
        self._write("configuration", _RSPAMD.format(directory=self._directory, port=self._port, share=share,
                                                    dead_port=processes.free_port(), authserv_id=authserv_id))
        places = {"LUALIBDIR": share / "lualib", "PLUGINSDIR": share / "plugins", "RULESDIR": share / "rules",
                  "SHAREDIR": share, "CONFDIR": self._directory, "LOCAL_CONFDIR": self._directory,
                  "DBDIR": self._directory, "RUNDIR": self._directory}
        self._run(_package("rspamd") / "usr/bin/rspamd", "-f", "-i", "-c", self._directory / "configuration",
                  *(f"--var={name}={value}" for name, value in places.items()))
