"""How benchmarks measure: interleaved rounds in one run, medians, spread, ratios.

Machines are noisy, so a figure is always a ratio to a floor that ran in the same round
(runtime.md 7). Contestants run in turn, A B and then B A. ``BENCH_SCALE`` multiplies
the number of rows and requests: 0.1 for a quick look, 1 for figures that are published.
"""

import gc
import json
import os
import statistics
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
ROUNDS = 5
LAPS = 3
SCALE = float(os.environ.get("BENCH_SCALE", "1"))


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


@dataclass(frozen=True, slots=True)
class Taken:
    """Seconds that one run took.

    Attributes:
        wall: of the clock.
        processor: of the process it ran in, all threads.
    """

    wall: float
    processor: float


@dataclass(frozen=True, slots=True)
class Contestant:
    """Something that takes part.

    Attributes:
        run: what is timed; where it returns ``Taken``, it timed itself in another process.
        prepare: what happens before each run, untimed.
    """

    run: Callable[[], object]
    prepare: Callable[[], object] | None = None


@dataclass(frozen=True, slots=True)
class Times:
    """Seconds of one contestant, by round.

    Attributes:
        wall: of the clock.
        processor: of this process, all threads; the database's own are not in it.
    """

    wall: list[float] = field(default_factory=list)
    processor: list[float] = field(default_factory=list)


def scaled(number: int, *, least: int = 1) -> int:
    """Return a number of rows or requests, multiplied by ``BENCH_SCALE``."""
    return max(least, round(number * SCALE))


def race(contestants: Mapping[str, Contestant], *, laps: int = LAPS) -> dict[str, Times]:
    """Run all contestants in interleaved rounds, after one lap that is not counted.

    Args:
        contestants: by name.
        laps: how often each contestant runs in a round, in turn with the others. Its shortest lap
            counts: what else the machine does at that moment can only add to a lap.
    """
    times = {name: Times() for name in contestants}
    for contestant in contestants.values():
        _run(contestant)
    for _ in range(ROUNDS):
        taken: dict[str, list[Taken]] = {name: [] for name in contestants}
        for turn in range(laps):
            for name in list(contestants)[:: 1 if turn % 2 == 0 else -1]:
                taken[name].append(_run(contestants[name]))
        for name, of_name in times.items():
            of_name.wall.append(min(lap.wall for lap in taken[name]))
            of_name.processor.append(min(lap.processor for lap in taken[name]))
    return times


def timed(run: Callable[[], object]) -> Taken:
    """Run something and return what it took, or what it says it took."""
    gc.collect()
    wall, processor = time.perf_counter(), time.process_time()
    said = run()
    if isinstance(said, Taken):
        return said
    return Taken(time.perf_counter() - wall, time.process_time() - processor)


def ratio(
    name: str,
    above: Sequence[float],
    below: Sequence[float],
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


def milliseconds(name: str, seconds: Sequence[float], *, times: int, unit: str) -> Measurement:
    """Return a figure that is reported only: it says more about the machine than about us."""
    each = [value / times * 1000 for value in seconds]
    spread = max(each) - min(each)
    return Measurement(name, round(statistics.median(each), 3), unit, round(spread, 3))


def figure(name: str, value: float, *, unit: str) -> Measurement:
    """Return a figure without rounds, such as a size, that is reported only."""
    return Measurement(name, round(value, 3), unit, 0.0)


def missing(name: str, *, unit: str, target: str) -> Measurement:
    """Return the row of something that could not be measured: it counts as missed."""
    return Measurement(name, 0.0, unit, 0.0, target, met=False)


def report(area: str, rows: Sequence[Measurement], *, decisions: Mapping[str, str]) -> bool:
    """Print rows, keep them in ``var/bench/<area>.json`` and say whether no miss is undecided.

    Args:
        area: of the benchmark; rows of earlier calls of this process stay in the file.
        rows: what was measured.
        decisions: number of the decision by name of the row whose miss it accepts.
    """
    judged = [_judged(row, decisions) for row in rows]
    kept = _reported.setdefault(area, [])
    kept += judged
    folder = ROOT / "var" / "bench"
    folder.mkdir(parents=True, exist_ok=True)
    text = json.dumps([asdict(row) for row in kept], indent=1)
    (folder / f"{area}.json").write_text(text, encoding="utf-8")
    print()
    for row in judged:
        print(
            f"{row.name:80} {row.value:9.3f} {row.unit:20} ±{row.spread:<8.3f} "
            f"{row.target:8} {_state(row)}"
        )
    return all(row.met is not False or row.decision for row in judged)


_reported: dict[str, list[Measurement]] = {}


def _run(contestant: Contestant) -> Taken:
    if contestant.prepare is not None:
        contestant.prepare()
    return timed(contestant.run)


def _judged(row: Measurement, decisions: Mapping[str, str]) -> Measurement:
    if row.met is False and row.name in decisions:
        return replace(row, decision=decisions[row.name])
    return row


def _state(row: Measurement) -> str:
    if row.met is None:
        return "reported"
    if row.met:
        return "met"
    return f"MISSED, decision {row.decision}" if row.decision else "MISSED"
