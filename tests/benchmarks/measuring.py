"""How benchmarks measure: interleaved rounds in one run, medians, spread, ratios.

Machines are noisy, so a figure is always a ratio to a floor that ran in the same round
(runtime.md 7). Contestants run in the order A B, then B A, and so on.
"""

import gc
import json
import statistics
import time
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
ROUNDS = 5


@dataclass(frozen=True, slots=True)
class Measurement:
    """One row of a benchmark's result.

    Attributes:
        name: what was measured.
        value: median over the rounds.
        unit: for example ``x plain``.
        spread: distance between the smallest and the largest round.
        target: the bound in words; empty where the figure is only reported.
        met: whether the target holds; None without a target.
        decision: number of the decision that accepts a miss.
    """

    name: str
    value: float
    unit: str
    spread: float
    target: str = ""
    met: bool | None = None
    decision: str = ""


def seconds_of(
    contestants: Mapping[str, Callable[[], None]], *, rounds: int = ROUNDS
) -> dict[str, list[float]]:
    """Return wall seconds per contestant and round, interleaved."""
    times: dict[str, list[float]] = {name: [] for name in contestants}
    for number in range(rounds):
        names = list(contestants) if number % 2 == 0 else list(reversed(contestants))
        for name in names:
            gc.collect()
            started = time.perf_counter()
            contestants[name]()
            times[name].append(time.perf_counter() - started)
    return times


def ratio(
    name: str,
    above: list[float],
    below: list[float],
    *,
    unit: str,
    at_most: float | None = None,
    at_least: float | None = None,
) -> Measurement:
    """Return the ratio of two contestants, round by round, with its target if it has one."""
    ratios = [first / second for first, second in zip(above, below, strict=True)]
    value = statistics.median(ratios)
    target, met = "", None
    if at_most is not None:
        target, met = f"<= {at_most:g}", value <= at_most
    if at_least is not None:
        target, met = f">= {at_least:g}", value >= at_least
    return Measurement(
        name, round(value, 3), unit, round(max(ratios) - min(ratios), 3), target, met
    )


def report(area: str, rows: list[Measurement]) -> bool:
    """Print the rows, write ``var/bench/<area>.json`` and say whether no target was missed."""
    folder = ROOT / "var" / "bench"
    folder.mkdir(parents=True, exist_ok=True)
    text = json.dumps([asdict(row) for row in rows], indent=1)
    (folder / f"{area}.json").write_text(text, encoding="utf-8")
    for row in rows:
        state = {None: "reported", True: "met", False: "MISSED"}[row.met]
        print(
            f"{row.name:62} {row.value:9.3f} {row.unit:16} ±{row.spread:<8.3f} "
            f"{row.target:8} {state}"
        )
    return all(row.met is not False or row.decision for row in rows)
