"""Charts drawn on the server as SVG: title, description, classes, and the same numbers as a table.

Three forms only: line, bars, spark. Colours come from tokens; nothing is said by colour alone.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from django.utils.formats import number_format
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _

from foundation.identifiers import uuid7
from foundation.web.texts import Text

_WIDTH, _HEIGHT = 640, 220
_LEFT, _RIGHT, _TOP, _BOTTOM = 52, 8, 12, 28
_STEPS = 4
_LABELS = 8


@dataclass(frozen=True, slots=True)
class Point:
    """One value and what it belongs to, for example a day."""

    label: Text
    value: float


def line(points: Sequence[Point], *, title: Text, description: Text) -> SafeString:
    """Draw values over time as a line."""
    places = _places(points, inset=0)
    marks = format_html(
        '<polyline class="chart-line" points="{}"></polyline>{}',
        " ".join(f"{x:g},{y:g}" for x, y in places),
        format_html_join("", '<circle class="chart-dot" cx="{}" cy="{}" r="3"></circle>', places),
    )
    return _figure(points, marks, places, title=title, description=description)


def bars(points: Sequence[Point], *, title: Text, description: Text) -> SafeString:
    """Draw values as bars, from zero."""
    step = (_WIDTH - _LEFT - _RIGHT) / max(len(points), 1)
    places = _places(points, inset=step / 2)
    width = round(min(step * 0.6, 48), 1)
    marks = format_html_join(
        "",
        '<rect class="chart-bar" x="{}" y="{}" width="{}" height="{}" rx="2"></rect>',
        ((round(x - width / 2, 1), y, width, round(_floor() - y, 1)) for x, y in places),
    )
    return _figure(points, marks, places, title=title, description=description)


def spark(values: Sequence[float], *, label: Text) -> SafeString:
    """Draw a small line for a table or card; ``label`` says in words what it shows."""
    top = max(values, default=0) or 1
    step = 100 / max(len(values) - 1, 1)
    points = " ".join(
        f"{i * step:.1f},{26 - 24 * value / top:.1f}" for i, value in enumerate(values)
    )
    return format_html(
        '<svg class="spark" viewBox="0 0 100 28" role="img" aria-label="{}">'
        '<polyline class="chart-line" points="{}"></polyline></svg>',
        label,
        points,
    )


def _figure(
    points: Sequence[Point],
    marks: SafeString,
    places: Sequence[tuple[float, float]],
    *,
    title: Text,
    description: Text,
) -> SafeString:
    name = uuid7().hex
    return format_html(
        '<figure class="chart"><svg viewBox="0 0 {} {}" role="img" aria-labelledby="t{} d{}">'
        '<title id="t{}">{}</title><desc id="d{}">{}</desc>{}{}{}</svg>{}</figure>',
        _WIDTH, _HEIGHT, name, name, name, title, name, description,
        _grid(_top(points)), marks, _labels(points, places), _table(points, title=title),
    )  # fmt: skip


def _places(points: Sequence[Point], *, inset: float) -> list[tuple[float, float]]:
    top = _top(points)
    inner = _WIDTH - _LEFT - _RIGHT - 2 * inset
    step = inner / max(len(points) - 1, 1)
    height = _floor() - _TOP
    return [
        (round(_LEFT + inset + i * step, 1), round(_floor() - height * point.value / top, 1))
        for i, point in enumerate(points)
    ]


def _floor() -> int:
    return _HEIGHT - _BOTTOM


def _top(points: Sequence[Point]) -> float:
    """Return a round value at or above the highest: 1, 2, 5 times a power of ten."""
    highest = max((point.value for point in points), default=0)
    if highest <= 0:
        return 1
    power = 10.0 ** (len(str(int(highest))) - 1)
    return next(power * factor for factor in (1, 2, 5, 10) if highest <= power * factor)


def _grid(top: float) -> SafeString:
    height = _floor() - _TOP
    rows = ((_floor() - height * i / _STEPS, _number(top * i / _STEPS)) for i in range(_STEPS + 1))
    return format_html_join(
        "",
        '<line class="chart-grid" x1="{}" x2="{}" y1="{}" y2="{}"></line>'
        '<text class="chart-label" x="{}" y="{}" text-anchor="end">{}</text>',
        ((_LEFT, _WIDTH - _RIGHT, y, y, _LEFT - 8, y + 4, words) for y, words in rows),
    )


def _labels(points: Sequence[Point], places: Sequence[tuple[float, float]]) -> SafeString:
    every = -(-len(points) // _LABELS) or 1
    shown = [(x, point.label) for (x, _y), point in zip(places, points, strict=True)][::every]
    return format_html_join(
        "",
        '<text class="chart-label" x="{}" y="{}" text-anchor="middle">{}</text>',
        ((x, _HEIGHT - 8, label) for x, label in shown),
    )


def _table(points: Sequence[Point], *, title: Text) -> SafeString:
    return format_html(
        '<details><summary>{}</summary><table class="table"><caption>{}</caption><tbody>{}</tbody>'
        "</table></details>",
        _("Show the numbers"),
        title,
        format_html_join(
            "",
            '<tr><th scope="row">{}</th><td class="is-numeric">{}</td></tr>',
            ((point.label, _number(point.value)) for point in points),
        ),
    )


def _number(value: float) -> str:
    return str(number_format(round(value, 2), use_l10n=True)).removesuffix(".0")
