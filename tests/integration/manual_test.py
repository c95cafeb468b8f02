"""The manual pages say what the programs do: every option, subcommand, exit code, key, metric and key of the log."""

import os
import re
import subprocess
import typing

import pytest

from lab import paths
from lab import program_help
from conftest import need_program
from lab.metrics_read import metrics_of

PAGES = paths.SRCDIR / "conf" / "man"
DAEMON_SOURCES = paths.SRCDIR / "milter" / "daemon"


def _page(name):
    return (PAGES / name).read_text()


def _section(page, title, macro="Sh"):
    """What stands under that title, up to the next of the same macro."""
    parts = re.split(rf"^\.{macro} (.*)$", page, flags=re.MULTILINE)
    return dict(zip(parts[1::2], parts[2::2]))[title]


class Key(typing.NamedTuple):
    """A row of the program's table of keys."""
    name: str
    kind: str
    default: str
    minimum: int
    maximum: int
    words: frozenset
    flags: frozenset


def _table():
    rows = subprocess.run([paths.BUILDDIR / "settings_keys_print"], capture_output=True, text=True, check=True).stdout
    for row in rows.splitlines():
        name, kind, default, minimum, maximum, words, flags = row.split("\t")
        yield Key(name, kind, default, int(minimum), int(maximum), frozenset(words.split()), frozenset(flags.split()))


KEYS = [key for key in _table() if "map" not in key.flags]
MAP_KEYS = [key for key in _table() if key.flags & {"section", "map"}]
every_key = pytest.mark.parametrize("key", KEYS, ids=lambda key: key.name)


def _heads():
    """key → its line in spfrom.conf(5)."""
    return {line.split()[2]: line for line in re.findall(r"^\.It Ic .*$", _page("spfrom.conf.5"), re.MULTILINE)}


def _items():
    """key → the text under it in spfrom.conf(5); keys that share a text have it each."""
    items, waiting = {}, []
    for part in re.split(r"^(?=\.It Ic )", _page("spfrom.conf.5"), flags=re.MULTILINE)[1:]:
        head, _, text = part.partition("\n")
        waiting.append(head.split()[2])
        if text.strip():
            items.update(dict.fromkeys(waiting, re.split(r"^\.S[sh] ", text, flags=re.MULTILINE)[0]))
            waiting = []
    return items


def test_lint():
    result = subprocess.run([need_program("mandoc"), "-Tlint", *sorted(page.name for page in PAGES.glob("*.[158]"))], cwd=PAGES, capture_output=True, text=True)
    assert result.stdout + result.stderr == ""


def test_keys_are_found():
    defaults = {key.name: key.default for key in KEYS}
    assert len(KEYS) > 40 and defaults["check_timeout"] == "10s" and defaults["exempt_dkim"] == ""


def test_every_key_and_no_other():
    assert set(_items()) == {key.name for key in KEYS} | {"domain"}


@every_key
def test_default(key):
    """"The default is", and in quotes what the parser takes; what has none there says what holds then."""
    text = _items()[key.name]
    said = re.search(r"^The default is\n\.Ql (.*?)(?: [.:])?$", text, re.MULTILINE)
    if key.default:
        assert said, f"{key.name} does not say its default"
        assert re.sub(r"\s", "", said.group(1)) == re.sub(r"\s", "", key.default)
    else:
        assert said is None and re.search(r"^By default |there is no\s+default", text, re.MULTILINE)


@every_key
def test_restart(key):
    """Those that need a restart, and no others, have an asterisk."""
    assert _heads()[key.name].endswith(" No *") == ("restart" in key.flags)


@every_key
def test_words(key):
    """A choice lists the words that the parser takes."""
    head = _heads()[key.name].removesuffix(" No *")
    if key.words:
        assert set(head.partition(" = Cm ")[2].split(" | ")) == key.words


def _seconds(text):
    return int(text.rstrip("sd")) * (86400 if text.endswith("d") else 1)


@every_key
def test_range(key):
    said = re.search(r"from\s+(\d+(?:ms|[sd])?)(?:\s+\([^)]*\))?\s+to\s+(\d+[sd]?)\b", _items()[key.name])
    if key.maximum:
        assert said, f"{key.name} does not say its range"
        if said.group(1).endswith("ms"):
            assert (int(said.group(1)[:-2]), 1000 * _seconds(said.group(2))) == (key.minimum, key.maximum)
            return
        assert (_seconds(said.group(1)), _seconds(said.group(2))) == (key.minimum, key.maximum)
    else:
        assert said is None


def test_keys_of_a_domain():
    """The texts on sections and on domain_map name what may stand there."""
    items = _items()
    section = {key.name for key in MAP_KEYS if "section" in key.flags}
    may_have = items["domain"].partition("It may have\n")[2].partition("each on")[0]
    assert set(re.findall(r"[a-z_]{2,}", may_have)) - {"and"} == section
    assert {key.name for key in MAP_KEYS} - section <= set(re.findall(r"\w+", items["domain_map"]))


def test_every_subcommand_and_no_other():
    titles = set(re.findall(r"^\.Ss (\w+)$", _page("spfrom.1"), re.MULTILINE))
    assert titles == set(program_help.subcommands())


def _flags(text):
    return {"-" + flag for flag in re.findall(r"\bFl (-?[\w-]+)", text)}


@pytest.mark.parametrize("subcommand", program_help.subcommands())
def test_options_of(subcommand):
    """Each in the list below the synopsis, and none that is not there."""
    section = _section(_page("spfrom.1"), subcommand, "Ss").partition("\n.Sh ")[0]
    own = set() if subcommand == "help" else program_help.own_options(subcommand)
    listed = {flag for item in re.findall(r"^\.It (.*)$", section, re.MULTILINE) for flag in _flags(item)}
    assert listed == own
    synopsis = section.partition(".Pp")[0]
    assert _flags(synopsis) == own


@pytest.mark.parametrize("subcommand", program_help.subcommands())
def test_help_fits(subcommand):
    """79 columns, as everything that is printed."""
    text = program_help.tool_help(subcommand if subcommand != "help" else None)
    assert [line for line in text.splitlines() if len(line) > 79] == []


def test_options_of_all():
    description = _section(_page("spfrom.1"), "DESCRIPTION").partition("\n.Ss ")[0]
    listed = {flag for item in re.findall(r"^\.It (.*)$", description, re.MULTILINE)
              for flag in _flags(item.replace(" , ", " Fl "))}
    assert listed == program_help.options(program_help.tool_help())


def test_options_of_the_daemon():
    listed = _flags("\n".join(re.findall(r"^\.It (Fl .*)$", _page("spfrom-milter.8"), re.MULTILINE)))
    assert listed == program_help.options(program_help.milter_help())


def _listed_codes(page):
    return {int(number) for number in re.findall(r"^\.It (\d+)$", _section(_page(page), "EXIT STATUS"), re.MULTILINE)}


def test_exit_codes():
    codes = program_help.exit_codes(program_help.tool_help())
    for subcommand in program_help.subcommands():
        codes |= program_help.exit_codes(program_help.tool_help(subcommand)) if subcommand != "help" else set()
    assert _listed_codes("spfrom.1") == codes
    assert {0, 1, 2, 69, 75, 78} <= codes


def test_exit_codes_of_the_daemon():
    words = {word for file in DAEMON_SOURCES.glob("*.c") for word in re.findall(r"\bEX_\w+", file.read_text())}
    assert _listed_codes("spfrom-milter.8") == {getattr(os, word) for word in words}


def test_metrics(daemons):
    listed = set(re.findall(r"^\.It Ql (spfrom_\w+)", _section(_page("spfrom-milter.8"), "METRICS"), re.MULTILINE))
    metrics = metrics_of(daemons.start())
    counted = {re.sub(r"_(bucket|sum|count)$", "", name) for name in metrics} | {"spfrom_fallback_authorised", "spfrom_up"}  # the last one: spfrom web alone
    # Those of watch are there once a run of it has ended.
    of_watch = set(re.findall(r'"(spfrom_watch_\w+)"', (DAEMON_SOURCES / "metrics.c").read_text()))
    assert len(of_watch) > 3 and listed == counted | of_watch
    of_fleet = set(re.findall(r"^\.It Cm (spfrom_\w+)", _section(_page("spfrom-milter.8"), "METRICS"), re.MULTILINE))
    metrics = metrics_of(daemons.start(fleet=["unix:/nowhere"]))
    assert of_fleet == {re.sub(r"_(bucket|sum|count)$", "", name) for name in metrics} - counted
    labels = {label for values in metrics.values() if isinstance(values, dict) for label in values}
    words = set(re.findall(r"[\w-]+", _page("spfrom-milter.8") + _page("spfrom.conf.5")))
    assert {label for label in labels if label[0].isalpha()} <= words


def test_log():
    source = (DAEMON_SOURCES / "message_log.c").read_text()
    keys = set(re.findall(r'(?:log_pair|pair_\w+)\(line,(?: settings,)? "(\w+)"', source))
    keys |= set(re.findall(r'(\w+)=%', source))
    listed = {key for item in re.findall(r"^\.It Cm (.*)$", _section(_page("spfrom-milter.8"), "LOG"), re.MULTILINE)
              for key in item.split(" , ")}
    assert len(keys) > 10 and listed == keys
