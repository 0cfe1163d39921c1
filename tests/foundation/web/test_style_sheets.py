import re
from pathlib import Path

import pytest
from django.conf import settings

CSS = Path(settings.BASE_DIR) / "foundation/web/static/web/css"
LAYERS = ("reset", "tokens", "base", "layout", "components", "utilities")
BUDGET_BYTES = 30_000
TOKEN = re.compile(r"--([\w-]+): light-dark\((#[0-9a-f]{6}), (#[0-9a-f]{6})\)")
TOKENS = {
    name: (light, dark)
    for name, light, dark in TOKEN.findall((CSS / "tokens.css").read_text(encoding="utf-8"))
}

SURFACES = ("canvas", "surface", "sunken", "hover")
TEXT = [
    *((ink, surface) for ink in ("ink", "ink-soft", "ink-faint") for surface in SURFACES),
    *(("accent-ink", surface) for surface in (*SURFACES, "accent-soft")),
    *(("bad-ink", surface) for surface in ("canvas", "surface", "bad-soft")),
    *((f"{kind}-ink", f"{kind}-soft") for kind in ("good", "warn", "bad")),
    *(("ink", f"{kind}-soft") for kind in ("accent", "good", "warn", "bad")),
    *(("good-ink", "surface"), ("warn-ink", "surface")),
    ("on-accent", "accent"),
    ("on-accent", "accent-hover"),
    ("on-accent", "accent-ink"),
    ("on-bad", "bad"),
    ("on-bad", "bad-hover"),
]
LINES = [
    *((line, surface) for line in ("line-strong", "focus", "accent", "bad") for surface in
      ("canvas", "surface")),
    ("focus", "accent-soft"),
    ("focus", "bad-soft"),
]  # fmt: skip


def luminance(colour: str) -> float:
    parts = (int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5))
    red, green, blue = (p / 12.92 if p <= 0.04045 else ((p + 0.055) / 1.055) ** 2.4 for p in parts)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def contrast(one: str, other: str) -> float:
    low, high = sorted((luminance(one), luminance(other)))
    return (high + 0.05) / (low + 0.05)


def test_contrast_of_black_on_white_is_21() -> None:
    assert contrast("#000000", "#ffffff") == pytest.approx(21)


@pytest.mark.parametrize("theme", [0, 1], ids=["light", "dark"])
@pytest.mark.parametrize(("words", "surface"), TEXT)
def test_words_can_be_read_on_their_surface(words: str, surface: str, theme: int) -> None:
    assert contrast(TOKENS[words][theme], TOKENS[surface][theme]) >= 4.5


@pytest.mark.parametrize("theme", [0, 1], ids=["light", "dark"])
@pytest.mark.parametrize(("line", "surface"), LINES)
def test_bounds_of_controls_can_be_seen(line: str, surface: str, theme: int) -> None:
    assert contrast(TOKENS[line][theme], TOKENS[surface][theme]) >= 3


def test_every_colour_token_that_carries_words_is_measured() -> None:
    measured = {name for pair in (*TEXT, *LINES) for name in pair}

    assert set(TOKENS) - measured == {"line"}


def test_the_style_sheets_keep_their_budget() -> None:
    assert sum((CSS / f"{layer}.css").stat().st_size for layer in LAYERS) <= BUDGET_BYTES


@pytest.mark.parametrize("layer", [layer for layer in LAYERS if layer != "reset"])
def test_a_style_sheet_fills_the_layer_of_its_name(layer: str) -> None:
    assert (CSS / f"{layer}.css").read_text(encoding="utf-8").startswith(f"@layer {layer} {{")


@pytest.mark.parametrize("layer", LAYERS)
def test_a_style_sheet_uses_no_id_and_forces_nothing(layer: str) -> None:
    text = (CSS / f"{layer}.css").read_text(encoding="utf-8")

    assert "!important" not in text
    assert re.findall(r"^\s*#[\w-]+[^;]*{", text, re.MULTILINE) == []


def test_the_order_of_the_layers_is_declared_first() -> None:
    first = (CSS / "reset.css").read_text(encoding="utf-8").splitlines()[0]

    assert first == f"@layer {', '.join(LAYERS)};"
