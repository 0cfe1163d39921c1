"""Proofs: lines of the public list of claims, each shown by a test (``make prove AREA=...``).

A proof is marked ``proof("<area>: <claim>")``. It counts its cases through the fixture ``tried``;
zero cases is a failure. With ``--proofs AREA`` only that area runs and a table is printed and
written to ``var/proofs/<area>.json``.
"""

import json
from collections.abc import Callable, Generator, Iterator
from dataclasses import asdict, dataclass, field
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
FIGURE = "proof_figure"
CASES = "proof_cases"
HAS_PASSED = pytest.StashKey[bool]()


@dataclass(slots=True)
class Row:
    """One line of the table.

    Attributes:
        claim: what is proved.
        result: ``passed`` or ``failed``; a skipped proof has failed.
        figure: what was measured, in words.
        cases: how many cases were tried.
    """

    claim: str
    result: str = "failed"
    figure: str = ""
    cases: int = 0


@dataclass(slots=True)
class Table:
    """The rows of an area."""

    area: str
    rows: dict[str, Row] = field(default_factory=dict)


_tables: list[Table] = []


class Tried:
    """Counts the cases of a proof and keeps its figure."""

    def __init__(self, record: Callable[[str, object], None]) -> None:
        self._record = record
        self.cases = 0

    def case(self, number: int = 1) -> None:
        """Count cases."""
        self.cases += number

    def figure(self, text: str) -> None:
        """Keep what was measured, for the table."""
        self._record(FIGURE, text)


@pytest.fixture
def tried(
    request: pytest.FixtureRequest, record_property: Callable[[str, object], None]
) -> Iterator[Tried]:
    """Count the cases of a proof; none at all is a failure."""
    counter = Tried(record_property)
    yield counter
    record_property(CASES, counter.cases)
    if request.node.stash.get(HAS_PASSED, False):
        assert counter.cases > 0, "a proof that tried nothing proves nothing"


def pytest_addoption(parser: pytest.Parser) -> None:
    """Take ``--proofs AREA``."""
    parser.addoption("--proofs", default="", help="run the proofs of one area and print the table")


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Leave only the proofs of the area."""
    area = str(config.getoption("--proofs"))
    if not area:
        return
    table = Table(area)
    _tables.append(table)
    chosen = [item for item in items if (_claim(item) or "").startswith(f"{area}:")]
    config.hook.pytest_deselected(items=[item for item in items if item not in chosen])
    items[:] = chosen
    for item in chosen:
        table.rows.setdefault(str(_claim(item)), Row(claim=str(_claim(item)), result="not run"))


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item,
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Keep each proof's result."""
    report = yield
    claim = _claim(item)
    if isinstance(report, pytest.TestReport) and report.when == "call":
        item.stash[HAS_PASSED] = report.passed
    if _tables and claim is not None:
        _keep(_tables[0].rows[claim], report)
    return report


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Print the table."""
    for table in _tables:
        terminalreporter.section(f"claims of area {table.area}")
        for row in table.rows.values():
            claim = row.claim.partition(": ")[2]
            terminalreporter.line(f"{row.result:8} {row.cases:6} cases  {claim}")
            if row.figure:
                terminalreporter.line(f"{'':24}{row.figure}")
        _write(table)


def pytest_sessionfinish(session: pytest.Session) -> None:
    """Fail where a proof failed, was skipped or tried nothing, or where there is none."""
    for table in _tables:
        for row in table.rows.values():
            row.result = row.result if row.cases else "failed"
        if not table.rows or any(row.result != "passed" for row in table.rows.values()):
            session.exitstatus = pytest.ExitCode.TESTS_FAILED


def _claim(item: pytest.Item) -> str | None:
    marker = item.get_closest_marker("proof")
    return None if marker is None else str(marker.args[0])


def _keep(row: Row, report: pytest.TestReport) -> None:
    properties = dict(report.user_properties)
    if report.failed or report.skipped:
        row.result = "failed"
    elif report.when == "call" and row.result == "not run":
        row.result = "passed"
    if report.when == "teardown":
        row.cases += int(str(properties.get(CASES, 0)))
    if FIGURE in properties and report.when == "call":
        figure = str(properties[FIGURE])
        row.figure = figure if not row.figure else f"{row.figure}; {figure}"


def _write(table: Table) -> None:
    folder = ROOT / "var" / "proofs"
    folder.mkdir(parents=True, exist_ok=True)
    rows = [asdict(row) for row in table.rows.values()]
    (folder / f"{table.area}.json").write_text(json.dumps(rows, indent=1), encoding="utf-8")
