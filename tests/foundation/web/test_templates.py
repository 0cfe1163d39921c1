import re
from pathlib import Path

import pytest
from django.conf import settings
from django.template.loader import get_template

from foundation.web.icons import NAMES

ROOT = Path(settings.BASE_DIR) / "templates"
TEMPLATES = sorted(ROOT.rglob("*.html"))
PAGES = [
    path
    for path in TEMPLATES
    if path.relative_to(ROOT).parts[0] != "emails" and path.name != "email.html"
]
INLINE = re.compile(
    r"""<script(?![^>]*\bsrc=)(?![^>]*type="application/json")|<style|\sstyle\s*=|\son[a-z]+\s*=|"""
    r"""javascript:|hx-on""",
    re.IGNORECASE,
)
ICON = re.compile(r"""{%\s*icon\s+["']([\w-]+)["']|\bicon=["']([\w-]+)["']""")
COMPONENT = re.compile(r"""{%\s*component\s+["']([\w/]+)["']""")
EXTENDS = re.compile(r"""{%\s*extends\s+["']layouts/(page|narrow|error)\.html["']""")


def names(paths: list[Path]) -> list[str]:
    return [str(path.relative_to(ROOT)) for path in paths]


@pytest.mark.parametrize("name", names(PAGES))
def test_a_template_holds_no_inline_script_style_or_handler(name: str) -> None:
    found = INLINE.findall((ROOT / name).read_text(encoding="utf-8"))

    assert found == []


@pytest.mark.parametrize(
    "text",
    [
        "<script>alert(1)</script>",
        "<style>p{}</style>",
        '<p style="color:red">',
        '<a onclick="x()">',
        '<a href="javascript:x()">',
        '<a hx-on:click="x()">',
    ],
)
def test_the_search_for_inline_code_finds_it(text: str) -> None:
    assert INLINE.search(text)


@pytest.mark.parametrize("name", names(TEMPLATES))
def test_every_icon_of_a_template_is_in_the_sprite(name: str) -> None:
    used = {a or b for a, b in ICON.findall((ROOT / name).read_text(encoding="utf-8"))}

    assert used <= NAMES


def test_the_sprite_holds_exactly_the_listed_icons() -> None:
    sprite = Path(settings.BASE_DIR) / "foundation/web/static/web/icons.svg"

    assert set(re.findall(r'<symbol id="([\w-]+)"', sprite.read_text(encoding="utf-8"))) == NAMES


@pytest.mark.parametrize("name", names(TEMPLATES))
def test_every_component_that_a_template_uses_exists(name: str) -> None:
    used = set(COMPONENT.findall((ROOT / name).read_text(encoding="utf-8")))

    assert [one for one in used if not (ROOT / "components" / f"{one}.html").is_file()] == []


@pytest.mark.parametrize("name", names(TEMPLATES))
def test_every_template_compiles(name: str) -> None:
    assert get_template(name)


@pytest.mark.parametrize("name", names(PAGES))
def test_a_page_has_the_one_heading_of_its_layout(name: str) -> None:
    text = (ROOT / name).read_text(encoding="utf-8")

    if EXTENDS.search(text) and "block page_head" not in text:
        assert "<h1" not in text
    if name in {"layouts/page.html", "layouts/narrow.html", "layouts/error.html"}:
        assert text.count("<h1") == 1


def test_every_component_is_shown_in_the_style_guide() -> None:
    inner = {"chips", "error_summary", "field", "fields", "nav", "pagination", "plain_field"}
    shown = set(COMPONENT.findall((ROOT / "web/components.html").read_text(encoding="utf-8")))

    assert {path.stem for path in (ROOT / "components").glob("*.html")} - shown == inner
