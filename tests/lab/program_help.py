"""What the programs say of themselves: subcommands, options and exit codes, out of their help."""

import functools
import re
import subprocess

from lab import paths


@functools.cache
def _help(*command):
    return subprocess.run([str(word) for word in command], capture_output=True, text=True, check=True).stdout


def tool_help(subcommand=None):
    return _help(paths.TOOL, *([subcommand] if subcommand else []), "--help")


def milter_help():
    return _help(paths.MILTER, "-h")


def subcommands():
    return re.findall(r"^  ([a-z]+)  +\S", tool_help(), re.MULTILINE)


def options(text):
    """{"-h", "--help", …}: those that the list in a help explains."""
    heads = re.findall(r"^  (-\S+?(?:, --\S+)?)(?: |$)", text, re.MULTILINE)
    return {option for head in heads for option in head.split(", ")}


def own_options(subcommand):
    """Without those that every subcommand has."""
    return options(tool_help(subcommand)) - {"-c", "-h", "--help"}


def exit_codes(text):
    """The numbers in "Exit status: 0 yes, 1 no, …"."""
    paragraph = text.partition("Exit status:")[2].partition("\n\n")[0]
    return {int(number) for number in re.findall(r"(?:^|[,.:]\s+|\s)(\d+)\s", paragraph)}
