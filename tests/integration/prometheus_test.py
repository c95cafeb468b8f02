"""contrib/prometheus with a real Prometheus: rules, dashboard, and a scrape of a running daemon."""

import json
import re

import pytest

from lab import paths
from lab import private_prometheus
from lab import processes
from lab.cases import MUELLER, OHNE
from conftest import need
from lab.metrics_read import metrics_of
from lab.milter_client import ask
from lab.private_prometheus import PrivatePrometheus, promtool
from lab.private_web import PrivateWeb

FILES = paths.SRCDIR / "contrib" / "prometheus"
RULES = FILES / "spfrom.rules.yml"
DASHBOARD = FILES / "spfrom.dashboard.json"
# What Grafana puts in the place of its variables.
VARIABLES = {"$__rate_interval": "5m", "$job": "spfrom", "$instance": ".*"}


@pytest.fixture(scope="session")
def needs_prometheus():
    need(private_prometheus.why_not())


pytestmark = pytest.mark.usefixtures("needs_prometheus")


@pytest.fixture(scope="module")
def daemon(daemons):
    """In a fleet whose store is away, and watched, so that it has all metrics."""
    daemon = daemons.start(fleet=["unix:/nonexistent/store"])
    processes.wait_until(lambda: daemon.tool("watch").returncode in (0, 1), 30, "a run of spfrom watch")
    return daemon


@pytest.fixture(scope="module")
def web(daemon):
    with PrivateWeb(daemon) as running:
        yield running


@pytest.fixture(scope="module")
def prometheus(directory, daemon, web):
    """The example configuration, with our port and more haste."""
    place = directory / "prometheus"
    place.mkdir()
    (place / "spfrom.rules.yml").write_text(RULES.read_text())
    target = f"127.0.0.1:{web.port}"
    text = (FILES / "prometheus.yml").read_text()
    changed = re.sub(r'"127\.0\.0\.1:\d+"', f'"{target}"', text).replace("30s", "1s")
    assert changed.count(target) == 1
    (place / "prometheus.yml").write_text(changed)
    for author in (MUELLER, OHNE, OHNE):
        ask(daemon.address, [("From", author)], sender=author)
    with PrivatePrometheus(place, place / "prometheus.yml") as running:
        processes.wait_until(lambda: running.query('up{job="spfrom"} == 1'), 60, "a scrape")
        yield running


@pytest.mark.parametrize("arguments", [
    ("check", "rules", RULES), ("check", "config", FILES / "prometheus.yml"),
    ("test", "rules", FILES / "spfrom.rules.test.yml"), ("test", "rules", FILES / "spfrom.rules.days.test.yml"),
], ids=lambda arguments: f"{arguments[1]}-{arguments[2].name}")
def test_promtool(arguments):
    status, words = promtool(*arguments)
    assert status == 0, words


def test_every_alert_is_tested_to_fire():
    """spfrom.rules.test.yml and its like name each one."""
    alerts = set(re.findall(r"- alert: (\w+)", RULES.read_text()))
    fired = {name for file in FILES.glob("*.test.yml") for name in re.findall(r'alertname="(\w+)"', file.read_text())}
    assert alerts == fired


def test_promtool_reads_the_metrics(daemon):
    """In Prometheus' own format; promtool does not know OpenMetrics, though Prometheus does."""
    assert promtool("check", "metrics", stdin=daemon.tool("metrics", "--prometheus").stdout) == (0, "")


def test_scrape(daemon, prometheus):
    """Prometheus has the numbers that the daemon has."""
    [target] = prometheus.targets()
    assert (target["health"], target["lastError"]) == ("up", "")
    counted = metrics_of(daemon)["spfrom_messages_total"]
    assert (counted["keep"], counted["rewrite"]) == (1, 2)
    assert {labels["action"]: number for labels, number in prometheus.query("spfrom_messages_total")} == counted
    assert prometheus.query('spfrom_mode{mode="rewrite"}')[0][1] == 1
    assert prometheus.query('spfrom_up{job="spfrom"}')[0][1] == 1
    assert prometheus.query("spfrom_check_seconds_count")[0][1] == 3
    version, = prometheus.query("spfrom_build_info")
    assert version[0]["version"]


def test_scrape_follows(daemon, prometheus):
    ask(daemon.address, [("From", OHNE)], sender=OHNE)
    processes.wait_until(lambda: prometheus.query('spfrom_messages_total{action="rewrite"} == 3'), 60, "the next scrape")


def _dashboard_expressions():
    dashboard = json.loads(DASHBOARD.read_text())
    return [(panel["title"], target["expr"]) for panel in dashboard["panels"] for target in panel["targets"]]


def _is_known(name, names):
    """A histogram's name stands for its series."""
    return name in names or f"{name}_count" in names


def _used(text):
    return set(re.findall(r"\bspfrom_\w+", text))


def test_dashboard(prometheus):
    """Each query parses, and asks for what is there."""
    processes.wait_until(lambda: "spfrom_fallback_authorised" in prometheus.names(), 60, "the fallback's verdict")
    names = prometheus.names()
    expressions = _dashboard_expressions()
    assert len(expressions) >= 10
    for title, expression in expressions:
        for variable, value in VARIABLES.items():
            expression = expression.replace(variable, value)
        assert "$" not in expression, title
        prometheus.query(expression)
        assert _used(expression), title
        assert {name for name in _used(expression) if not _is_known(name, names)} == set(), title


def test_dashboard_is_whole():
    """Variables are declared, panels don't lie upon each other, and what is counted is shown."""
    dashboard = json.loads(DASHBOARD.read_text())
    declared = {variable["name"] for variable in dashboard["templating"]["list"]}
    assert declared == {"datasource", "job", "instance"}
    places = [(panel["gridPos"]["x"] + x, panel["gridPos"]["y"] + y) for panel in dashboard["panels"]
              for x in range(panel["gridPos"]["w"]) for y in range(panel["gridPos"]["h"])]
    assert len(places) == len(set(places)) and max(x for x, _ in places) < 24
    assert len({panel["id"] for panel in dashboard["panels"]}) == len(dashboard["panels"])


def test_every_metric_is_on_the_dashboard(prometheus):
    shown = {re.sub(r"_(bucket|sum|count)$", "", name) for _, text in _dashboard_expressions() for name in _used(text)}
    counted = {re.sub(r"_(bucket|sum|count)$", "", name) for name in prometheus.names() if name.startswith("spfrom_")}
    assert counted - shown == set()


def test_alerts_ask_for_what_is_there(prometheus):
    processes.wait_until(lambda: "spfrom_fallback_authorised" in prometheus.names(), 60, "the fallback's verdict")
    expressions = re.sub(r"(?m)^ *(summary|description):.*$", "", RULES.read_text())
    assert {name for name in _used(expressions) if not _is_known(name, prometheus.names())} == set()
    assert prometheus.alerts() == set(re.findall(r"- alert: (\w+)", RULES.read_text()))


@pytest.mark.parametrize("accept, kind", [
    (None, "application/openmetrics-text; version=1.0.0; charset=utf-8"),
    ("*/*", "application/openmetrics-text; version=1.0.0; charset=utf-8"),
    ("text/html,application/xhtml+xml,*/*;q=0.8", "application/openmetrics-text; version=1.0.0; charset=utf-8"),
    ("application/openmetrics-text;version=1.0.0,text/plain;version=0.0.4;q=0.5",
     "application/openmetrics-text; version=1.0.0; charset=utf-8"),
    ("Text/Plain;version=0.0.4", "text/plain; version=0.0.4; charset=utf-8"),
])
def test_format_by_accept(web, accept, kind):
    answer = web.get("/metrics", **({"Accept": accept} if accept else {}))
    assert (answer.status, answer.headers["Content-Type"]) == (200, kind)
    is_openmetrics = "openmetrics" in kind
    assert answer.text.endswith("# EOF\n") == is_openmetrics
    assert is_openmetrics or promtool("check", "metrics", stdin=answer.text) == (0, "")


def test_a_daemon_that_is_down_is_seen(daemons):
    """spfrom web goes on without the daemon: it fails a plain scrape, and tells one with up=1."""
    gone = daemons.start()
    with PrivateWeb(gone) as web:
        assert web.get("/metrics").status == 200
        gone.kill()
        gone.process = None
        assert web.get("/metrics").status == 503
        answer = web.get("/metrics?up=1", Accept="text/plain")
        assert answer.status == 200 and answer.text.endswith("spfrom_up 0\n")
        assert promtool("check", "metrics", stdin=answer.text) == (0, "")
