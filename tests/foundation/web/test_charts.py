import re
from collections.abc import Callable

import pytest
from django.utils import translation
from django.utils.safestring import SafeString

from foundation.web import charts
from foundation.web.charts import Point

POINTS = [Point("Mon", 12), Point("Tue", 48.5), Point("<Wed>", 0)]


@pytest.mark.parametrize("draw", [charts.line, charts.bars])
def test_a_chart_names_and_describes_itself_and_repeats_its_numbers(
    draw: Callable[..., SafeString],
) -> None:
    shown = str(draw(POINTS, title="Requests", description="Requests of three days"))

    assert ">Requests</title>" in shown
    assert ">Requests of three days</desc>" in shown
    assert '<th scope="row">Tue</th><td class="is-numeric">48.5</td>' in shown
    assert "style=" not in shown
    assert "<Wed>" not in shown


def test_numbers_are_written_in_the_readers_way() -> None:
    with translation.override("de"):
        shown = charts.bars(POINTS, title="t", description="d")

    assert "48,5" in shown


def test_bars_stand_on_the_ground_and_none_leaves_the_frame() -> None:
    shown = charts.bars(POINTS, title="t", description="d")

    bars = re.findall(r'y="([\d.]+)" width="[\d.]+" height="([\d.]+)"', shown)
    assert [float(y) + float(height) for y, height in bars] == [192, 192, 192]
    assert all(float(y) >= 12 for y, _height in bars)


@pytest.mark.parametrize(
    ("highest", "top"), [(0, 1), (0.4, 1), (1, 1), (9, 10), (420, 500), (5001, 10_000)]
)
def test_the_scale_ends_at_a_round_number_above_all(highest: float, top: float) -> None:
    assert charts._top([Point("x", highest)]) == top


def test_a_chart_without_values_is_drawn_empty() -> None:
    assert "<svg" in charts.line([], title="t", description="d")
    assert "<svg" in charts.bars([], title="t", description="d")


def test_a_spark_says_in_words_what_it_shows() -> None:
    assert 'aria-label="Rising"' in charts.spark([1, 2, 3], label="Rising")
    assert "<svg" in charts.spark([], label="Nothing yet")
