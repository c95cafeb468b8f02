"""What bash, zsh and fish offer is what the programs know: the completions that `spfrom completion` prints, and those of
spfrom-milter in contrib/completion."""

import shutil
import subprocess

import pytest

from lab import paths
from lab import program_help
from conftest import need_program
from lab.zsh_tab import ZshTab

COMPLETION = paths.SRCDIR / "contrib" / "completion"
MADE = paths.BUILDDIR / "share" / "completion"
BASH = {"spfrom": MADE / "bash" / "spfrom", "spfrom-milter": COMPLETION / "bash" / "spfrom-milter"}
ZSH = MADE / "zsh" / "_spfrom", COMPLETION / "zsh" / "_spfrom-milter"
FISH = COMPLETION / "fish" / "spfrom-milter.fish", MADE / "fish" / "spfrom.fish"

# Calls the function that `complete` names for the command, as bash does on a tab.
_BASH_TAB = """
source "$1"; shift
[[ $(complete -p "$1") =~ -F\\ ([^ ]+) ]]
COMP_WORDS=("$@"); COMP_CWORD=$(($# - 1)); COMP_LINE="$*"; COMP_POINT=${#COMP_LINE}
"${BASH_REMATCH[1]}" "$1" "${!#}" "${COMP_WORDS[COMP_CWORD - 1]}"
printf '%s\\n' "${COMPREPLY[@]}"
"""


def bash(*words, directory=None):
    """The words that bash offers for the last one."""
    result = subprocess.run(["bash", "--norc", "-c", _BASH_TAB, "bash", BASH[words[0]], *words], cwd=directory,
                            capture_output=True, text=True, check=True)
    assert result.stderr == ""
    return set(result.stdout.split())


def test_subcommands():
    known = set(program_help.subcommands())
    assert bash("spfrom", "") == known
    assert bash("spfrom", "-c", "f", "") == known
    assert bash("spfrom", "help", "") == known


@pytest.mark.parametrize("subcommand", program_help.subcommands())
def test_options(subcommand):
    if subcommand != "help":
        assert bash("spfrom", subcommand, "-") == program_help.options(program_help.tool_help(subcommand))


def test_options_before_a_subcommand():
    assert bash("spfrom", "-") == program_help.options(program_help.tool_help())


@pytest.mark.parametrize("words, offered", [
    (("spfrom", "mode", ""), {"rewrite", "log-only", "off"}),
    (("spfrom", "mode", "l"), {"log-only"}),
    (("spfrom", "mode", "--f"), {"--for"}),
    (("spfrom", "mode", "off", "--for", "1"), {"10m", "1h", "1d"}),
    (("spfrom", "-c", "x", "mode", "o"), {"off"}),
    (("spfrom", "advise", "--lang", ""), {"de", "en"}),
    (("spfrom", "check", "--relay", ""), set()),
    (("spfrom", "check", ""), set()),
    (("spfrom", "re"), {"reload", "report", "resolve"}),
    (("spfrom", "completion", ""), {"bash", "zsh", "fish"}),
    (("spfrom", "report", "--days", "3"), {"30", "365"}),
    (("spfrom-milter", "-"), {"-f", "-c", "-t", "-V", "-h"}),
])
def test_words(words, offered):
    assert bash(*words) == offered


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_what_is_installed_is_what_is_printed(shell):
    [made] = (MADE / shell).iterdir()
    assert _run(paths.TOOL, "completion", shell) == made.read_text()


def test_no_other_shell():
    for words in ([], ["tcsh"], ["bash", "zsh"]):
        result = subprocess.run([paths.TOOL, "completion", *words], capture_output=True, text=True)
        assert (result.returncode, result.stdout) == (2, "") and "spfrom completion:" in result.stderr


@pytest.mark.parametrize("words", [("spfrom", "-c", "sp"), ("spfrom", "test", "sp"), ("spfrom", "status", "-c", "sp"),
                                   ("spfrom-milter", "-c", "sp")])
def test_files(tmp_path, words):
    for name in ("spfrom.conf", "other"):
        (tmp_path / name).touch()
    assert bash(*words, directory=tmp_path) == {"spfrom.conf"}


def test_a_file_with_a_blank(tmp_path):
    (tmp_path / "my mail").touch()
    assert bash("spfrom", "test", "my", directory=tmp_path) == {"my", "mail"}  # one line, two words to split()


def _run(*argv):
    result = subprocess.run([str(word) for word in argv], capture_output=True, text=True)
    assert (result.returncode, result.stderr) == (0, "")
    return result.stdout


@pytest.fixture(scope="module")
def zsh(tmp_path_factory):
    need_program("zsh")
    place = tmp_path_factory.mktemp("functions")
    for function in ZSH:
        shutil.copy(function, place)
    tab = ZshTab(tmp_path_factory.mktemp("zsh"), place)
    yield tab
    tab.end()


def test_zsh_knows_all(zsh):
    assert zsh.press("spfrom ") == zsh.press("spfrom help ") == set(program_help.subcommands())
    assert zsh.press("spfrom -") == program_help.options(program_help.tool_help())
    assert zsh.press("spfrom-milter -") == program_help.options(program_help.milter_help())
    for subcommand in program_help.subcommands():
        if subcommand != "help":
            offered = zsh.press(f"spfrom {subcommand} -")
            assert offered == program_help.options(program_help.tool_help(subcommand)), subcommand


@pytest.mark.parametrize("line, offered", [
    ("spfrom mode ", {"rewrite", "log-only", "off"}),
    ("spfrom -c /etc/passwd mode o", {"off"}),
    ("spfrom advise --lang ", {"de", "en"}),
    ("spfrom test --diff --", {"--help", "--sender", "--rcpt"}),
    ("spfrom flush ", set()),
])
def test_zsh_words(zsh, line, offered):
    assert zsh.press(line) == offered


def fish(line):
    need_program("fish")
    words = _run("fish", "--no-config", "-c", "source $argv[1]; complete -C $argv[2]", FISH[-1], line)
    return {word.partition("\t")[0] for word in words.splitlines()}


def test_fish_reads_it():
    need_program("fish")
    _run("fish", "--no-execute", *FISH)


def test_fish_knows_all():
    assert fish("spfrom ") == set(program_help.subcommands())
    for subcommand in program_help.subcommands():
        if subcommand != "help":
            assert fish(f"spfrom {subcommand} --") - {"--help"} == program_help.own_options(subcommand), subcommand
    assert fish("spfrom mode ") == {"rewrite", "log-only", "off"}
