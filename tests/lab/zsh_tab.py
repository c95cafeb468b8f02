"""A zsh at a terminal, where a tab is pressed: what it offers, as compadd, which every completion ends in, gets it."""

import os
import pty
import select
import signal

from lab import processes

# Ctrl-X says that the tab before it is done, and empties the line.
_ZSHRC = """\
PS1='ready> '
fpath=($PLACE $fpath)
autoload -U compinit; compinit -D -u
zstyle ':completion:*' verbose no
compadd() {
    local -a offered
    [[ ${argv[(I)-[OAD]]} -ne 0 ]] || { builtin compadd -A offered "$@"; print -rl -- $offered >> $OFFERED }
    builtin compadd "$@"
}
tab_is_done() { print DONE >> $OFFERED; BUFFER= }
zle -N tab_is_done
bindkey '^I' complete-word
bindkey '^X' tab_is_done
"""


class ZshTab:
    def __init__(self, directory, place):
        """place is the folder of the completion functions."""
        self._offered = directory / "offered"
        self._offered.touch()
        self._read = 0
        (directory / ".zshrc").write_text(_ZSHRC)
        self._child, self._terminal = pty.fork()
        if self._child == 0:
            os.environ.update(ZDOTDIR=str(directory), PLACE=str(place), OFFERED=str(self._offered), TERM="dumb")
            os.execlp("zsh", "zsh", "-d", "-i")
        screen = b""
        while b"ready> " not in screen:
            screen += self._screen(60)

    def _screen(self, seconds):
        """What has been written to the terminal, which blocks when nobody reads."""
        if not select.select([self._terminal], [], [], seconds)[0]:
            raise TimeoutError("zsh is silent")
        return os.read(self._terminal, 65536)

    def _is_done(self):
        while select.select([self._terminal], [], [], 0)[0]:
            os.read(self._terminal, 65536)
        return self._offered.read_text()[self._read:].endswith("DONE\n")

    def press(self, line):
        """The words offered at the end of line."""
        os.write(self._terminal, line.encode() + b"\t\x18")
        processes.wait_until(self._is_done, 60, f"zsh's answer to {line!r}")
        text = self._offered.read_text()
        words = text[self._read:].split()
        self._read = len(text)
        return set(words[:-1])

    def end(self):
        os.kill(self._child, signal.SIGKILL)
        os.waitpid(self._child, 0)
        os.close(self._terminal)
