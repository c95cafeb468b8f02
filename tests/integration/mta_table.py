"""A table: case by case, what became of its tests through each MTA. At the end of each run that tests both, or alone:

    tests/integration/mta_table.py
"""

import sys
from collections import Counter, defaultdict
from pathlib import Path

MTAS = {"decision_test": "Postfix", "sendmail_test": "Sendmail"}

_places = {}                   # node id → (case, MTA)
_outcomes = defaultdict(list)  # (case, MTA) → outcomes of its tests
_reasons = {}                  # (case, MTA) → why it was skipped


def pytest_collection_modifyitems(items):
    for item in items:
        parameters = getattr(item, "callspec", None)
        case = parameters and parameters.params.get("case")
        mta = MTAS.get(item.path.stem)
        if case is not None and mta is not None:
            _places[item.nodeid] = case.name, mta


def pytest_runtest_logreport(report):
    place = _places.get(report.nodeid)
    if place is None or (report.passed and report.when != "call"):
        return
    _outcomes[place].append(report.outcome)
    if report.skipped:
        _reasons[place] = report.longrepr[2].removeprefix("Skipped: ")


def _cell(place):
    counts = Counter(_outcomes[place])
    if counts["failed"]:
        return f"{counts['failed']} of {counts.total()} FAILED"
    if counts["passed"]:
        return f"{counts['passed']} passed" + (f", {counts['skipped']} skipped" if counts["skipped"] else "")
    return f"skipped: {_reasons[place]}" if counts["skipped"] else "not run"


def pytest_terminal_summary(terminalreporter):
    mtas = list(MTAS.values())
    if {mta for _, mta in _outcomes} != set(mtas):
        return
    cases = list(dict.fromkeys(case for case, _ in _places.values()))
    terminalreporter.section("each case through both MTAs")
    for case, *cells in [("case", *mtas)] + [(case, *(_cell((case, mta)) for mta in mtas)) for case in cases]:
        terminalreporter.write_line("".join([case.ljust(40), *(cell.ljust(20) for cell in cells)]).rstrip())


if __name__ == "__main__":
    import pytest
    here = Path(__file__).parent
    sys.exit(pytest.main(["-q", "-p", "no:cacheprovider", *sys.argv[1:],
                          *(str(here / f"{name}.py") for name in MTAS)]))
