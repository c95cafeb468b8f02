"""The counters of design section 14: exact, whatever happens at once, and in a text that others can read."""

import threading
import time

import pytest
from prometheus_client.openmetrics import parser

from lab import processes
from lab.cases import MUELLER, OHNE
from conftest import Route
from lab.metrics_read import ask_control, metrics_of, read, text_of
from lab.milter_client import MilterClient, ask

pytestmark = [pytest.mark.address, pytest.mark.thread]

GMX = "praxis@gmx.de"
LANGSAM = "praxis@praxis-langsam.de"
OUTSIDE = "203.0.113.7"
LOCAL = {"{rcpt_mailer}": "local"}
SECTIONS = 'domain "gmx.de" { mode = log-only }\n'

# What one round of a client sends: action → (client's address, author, recipients' macros)
ROUND = {
    "keep": ("10.0.0.7", MUELLER, None),
    "rewrite": ("10.0.0.7", OHNE, None),
    "would-rewrite": ("10.0.0.7", GMX, None),
    "tempfail": ("10.0.0.7", LANGSAM, None),
    "inbound": (OUTSIDE, OHNE, None),
    "local": ("10.0.0.7", OHNE, LOCAL),
}
CLIENTS = 8
ROUNDS = 12
TOO_MANY = 40000
THROUGH_POSTFIX = 200


@pytest.fixture(scope="module")
def daemon(daemons):
    return daemons.start(extra=SECTIONS, tempfail_on=["temperror"], local_mailers=["local"])


def _grown(before, after, name):
    """The labels of a counter that grew, and by how much."""
    return {label: count - before[name][label] for label, count in after[name].items() if count != before[name][label]}


def _one_round(address):
    for client, author, macros in ROUND.values():
        ask(address, [("From", author)], sender=author, client=client, rcpt_macros=macros)


def _many_messages(daemon, troubles):
    """Several on one connection, one given up, and one whose MTA vanishes."""
    try:
        for _ in range(ROUNDS):
            _one_round(daemon.address)
            with MilterClient(daemon.address) as client:
                client.connect()
                client.envelope(OHNE)
                client.header("From", OHNE)
                client.abort()
                for _ in range(2):
                    client.message([("From", OHNE)], OHNE)
                client.envelope(OHNE)
    except Exception as error:  # pylint: disable=broad-except
        troubles.append(error)


def _reload_until(done, daemon, troubles):
    while not done.is_set():
        try:
            ask_control(daemon, command="reload")
        except (AssertionError, OSError) as error:
            troubles.append(error)
            return


def test_counters_add_up_under_load(daemon):
    """Each answered message in exactly one action, aborted ones in none, while the configuration is loaded anew."""
    before = metrics_of(daemon)
    troubles = []
    done = threading.Event()
    clients = [threading.Thread(target=_many_messages, args=(daemon, troubles)) for _ in range(CLIENTS)]
    reloads = threading.Thread(target=_reload_until, args=(done, daemon, troubles))
    for thread in (*clients, reloads):
        thread.start()
    for thread in clients:
        thread.join()
    done.set()
    reloads.join()
    assert not troubles
    after = metrics_of(daemon)
    rounds = CLIENTS * ROUNDS
    wanted = {action: rounds for action in ROUND}
    wanted["rewrite"] += 2 * rounds
    assert _grown(before, after, "spfrom_messages_total") == wanted
    decided = rounds * 6  # all but inbound and local
    assert after["spfrom_check_seconds_count"] - before["spfrom_check_seconds_count"] == decided
    assert _grown(before, after, "spfrom_check_seconds_bucket")["+Inf"] == decided
    # one author each, and the envelope sender is asked for where the author alone does not decide
    given = sum(_grown(before, after, "spfrom_verdicts_total").values())
    assert given == sum(_grown(before, after, "spfrom_cache_lookups_total").values()) >= decided
    processes.wait_until(lambda: metrics_of(daemon)["spfrom_connections"] == 0, 10, "the end of all connections")


def test_messages_through_postfix(daemon, directory, needs_postfix):
    """Postfix gives messages up and begins new ones on its connections as it likes; each that it takes counts once."""
    with Route(directory / "metrics-postfix", daemon) as route:
        before = metrics_of(daemon)
        result = route.postfix.command("smtp-source", "-4", "-s", "8", "-m", str(THROUGH_POSTFIX), "-f", OHNE,
                                       "-t", "patient@example.net", f"127.0.0.1:{route.postfix.port()}")
        assert result.returncode == 0, result.stderr
        assert route.sink.wait_for_count(THROUGH_POSTFIX, 60) == THROUGH_POSTFIX
        assert _grown(before, metrics_of(daemon), "spfrom_messages_total") == {"rewrite": THROUGH_POSTFIX}


def test_connections(daemon):
    processes.wait_until(lambda: metrics_of(daemon)["spfrom_connections"] == 0, 10, "the end of those before")
    with MilterClient(daemon.address), MilterClient(daemon.address) as second:
        second.connect()
        assert metrics_of(daemon)["spfrom_connections"] == 2
    processes.wait_until(lambda: metrics_of(daemon)["spfrom_connections"] == 0, 10, "the end of both")


def test_error(daemon):
    """A message with more fields From: than can be taken off."""
    before = metrics_of(daemon)
    outcome = ask(daemon.address, [("From", OHNE)] * TOO_MANY, sender=OHNE)
    assert outcome.answer.startswith("550")
    assert _grown(before, metrics_of(daemon), "spfrom_messages_total") == {"error": 1}


def test_sum_of_the_histogram(daemon):
    """Not less than what DNS takes, not more than what the client saw."""
    before = metrics_of(daemon)
    ask(daemon.address, [("From", MUELLER)], sender=MUELLER)
    after = metrics_of(daemon)
    assert 0 <= after["spfrom_check_seconds_sum"] - before["spfrom_check_seconds_sum"] < 20


def test_mode_and_fallback(daemon):
    assert metrics_of(daemon)["spfrom_mode"] == {"rewrite": 1, "log-only": 0, "off": 0}
    ask_control(daemon, command="mode", mode="off")
    try:
        assert metrics_of(daemon)["spfrom_mode"] == {"rewrite": 0, "log-only": 0, "off": 1}
    finally:
        ask_control(daemon, command="mode", clear=True)
    processes.wait_until(lambda: metrics_of(daemon).get("spfrom_fallback_authorised") == 1, 10, "the fallback's verdict")


def test_openmetrics(daemon):
    """By the reference parser of OpenMetrics."""
    families = {family.name: family for family in parser.text_string_to_metric_families(text_of(daemon))}
    types = {name: family.type for name, family in families.items()}
    assert types == {
        "spfrom_messages": "counter", "spfrom_verdicts": "counter", "spfrom_cache_lookups": "counter",
        "spfrom_cache_entries": "gauge", "spfrom_dns_queries": "counter", "spfrom_check_seconds": "histogram",
        "spfrom_connections": "gauge", "spfrom_mode": "gauge", "spfrom_fallback_authorised": "gauge",
        "spfrom_relay_set_complete": "gauge", "spfrom_relays": "gauge", "spfrom_mode_end_time_seconds": "gauge",
        "spfrom_other_fallbacks": "gauge", "spfrom_other_fallbacks_unauthorised": "gauge",
        "spfrom_reload_failed": "gauge", "spfrom_domain_map_failed": "gauge", "spfrom_start_time_seconds": "gauge",
        "spfrom_ledger_errors": "counter", "spfrom_log_lines_lost": "counter", "spfrom_build": "info",
        "spfrom_return_lookups": "counter", "spfrom_return_addresses": "gauge", "spfrom_returned": "counter",
        "spfrom_dkim_consents": "counter"}
    assert families["spfrom_check_seconds"].unit == "seconds"
    assert all(family.documentation for family in families.values())


def test_both_formats_have_the_same_series(daemon):
    assert {name: value for name, value in read(text_of(daemon, is_openmetrics=False)).items() if "check" not in name} == \
        {name: value for name, value in metrics_of(daemon).items() if "check" not in name}


def test_command(daemon):
    """spfrom metrics prints what the control socket answers."""
    for options, is_openmetrics in (((), True), (("--prometheus",), False)):
        result = daemon.tool("metrics", *options)
        assert (result.returncode, result.stderr) == (0, "")
        assert read(result.stdout).keys() == read(text_of(daemon, is_openmetrics)).keys()
        assert result.stdout.endswith("# EOF\n") == is_openmetrics


def _wait_for(daemon, name, number):
    processes.wait_until(lambda: metrics_of(daemon)[name] == number, 20, f"{name} {number}")


def test_a_reload_and_a_map_that_fail(daemons, directory):
    file = directory / "metrics_map"
    file.write_text("gmx.de mode=off\n")
    file.chmod(0o644)
    daemon = daemons.start(domain_map=file)
    found = metrics_of(daemon)
    assert (found["spfrom_reload_failed"], found["spfrom_domain_map_failed"], found["spfrom_relays"]) == (0, 0, 1)
    assert abs(time.time() - found["spfrom_start_time_seconds"]) < 60
    right = daemon.configuration_file.read_text()
    daemon.configuration_file.write_text(right + "trace_header = loud\n")
    assert daemon.tool("reload").returncode != 0 and metrics_of(daemon)["spfrom_reload_failed"] == 1
    daemon.configuration_file.write_text(right)
    assert daemon.tool("reload").returncode == 0 and metrics_of(daemon)["spfrom_reload_failed"] == 0
    file.write_text("gmx.de mode=loud\n")
    _wait_for(daemon, "spfrom_domain_map_failed", 1)
    file.write_text("gmx.de mode=off\n")
    _wait_for(daemon, "spfrom_domain_map_failed", 0)


def test_fallbacks_of_tenants_are_watched(daemons, directory):
    file = directory / "tenants_map"
    file.write_text("praxis-ohne.de fallback_address=n@gmx.de\npraxis-mueller.de fallback_address=n@klinik-nord.de\n")
    file.chmod(0o644)
    daemon = daemons.start(domain_map=file)
    _wait_for(daemon, "spfrom_other_fallbacks", 2)
    assert metrics_of(daemon)["spfrom_other_fallbacks_unauthorised"] == 1
    assert "n@gmx.de (fail)" in daemon.tool("status").stdout
    daemon.wait_for_line("n@gmx.de (fail)")
    file.write_text("praxis-mueller.de fallback_address=n@klinik-nord.de\n")
    _wait_for(daemon, "spfrom_other_fallbacks_unauthorised", 0)


def test_end_of_the_switch(daemons):
    daemon = daemons.start()
    assert metrics_of(daemon)["spfrom_mode_end_time_seconds"] == 0
    daemon.tool("mode", "log-only", "--for", "1h")
    assert 3500 < metrics_of(daemon)["spfrom_mode_end_time_seconds"] - time.time() < 3602
