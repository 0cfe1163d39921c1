"""A real Chromium, whose console errors and policy reports fail the test."""

import re
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import axe_playwright_python
from playwright.sync_api import Browser, BrowserContext, ConsoleMessage, Page, sync_playwright

AXE = Path(axe_playwright_python.__file__).parent / "axe.min.js"
# After a change of theme colours fade: what axe would read in between belongs to no theme.
SETTLED = "Promise.allSettled(document.getAnimations().map(one => one.finished))"
AXE_RULES = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]


def chromium_path() -> str:
    """Return the system's Chromium; a missing one fails, it never skips."""
    found = shutil.which("chromium") or shutil.which("chromium-browser")
    if found is None:
        raise AssertionError("Chromium is missing: run `bin/browser`, or apt-get install chromium")
    return found


@contextmanager
def running_browser() -> Iterator[Browser]:
    """Start Chromium without a screen."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=chromium_path(), args=["--no-sandbox", "--disable-gpu"]
        )
        try:
            yield browser
        finally:
            browser.close()


@dataclass(slots=True)
class Visitor:
    """One person's browser profile.

    Attributes:
        context: own cookies.
        page: the open tab.
        complaints: console errors and policy reports so far.
    """

    context: BrowserContext
    page: Page
    complaints: list[str] = field(default_factory=list)


def new_visitor(
    browser: Browser, address: str, *, theme: str = "light", locale: str = "en-GB"
) -> Visitor:
    """Open a fresh profile."""
    context = browser.new_context(
        base_url=address,
        color_scheme="dark" if theme == "dark" else "light",
        locale=locale,
        accept_downloads=True,
        viewport={"width": 1280, "height": 900},
    )
    page = context.new_page()
    visitor = Visitor(context, page)

    def on_console(message: ConsoleMessage) -> None:
        if message.type == "error" and not _is_expected(message.text):
            visitor.complaints.append(f"{page.url}: {message.text}")

    page.on("console", on_console)
    page.on("pageerror", lambda error: visitor.complaints.append(f"{page.url}: {error}"))
    return visitor


def _is_expected(text: str) -> bool:
    """Say whether a line only names the status of an answer: a refusal is no fault of the page."""
    return (
        re.search(r"Failed to load resource.*status of (40[0-9]|41[0-9]|42[0-9])", text) is not None
    )


def axe_violations(page: Page) -> list[str]:
    """Return what axe finds on the open page (WCAG 2.2 AA and best practice).

    The script is run by the browser's debugger, so the page's own policy stays as it is; without
    ``preload`` axe brings no style elements of its own, which the policy would refuse.
    """
    page.evaluate(AXE.read_text(encoding="utf-8"))
    page.evaluate(SETTLED)
    found: list[dict[str, object]] = page.evaluate(
        "async (tags) => (await axe.run(document,"
        " {preload: false, runOnly: {type: 'tag', values: tags}}))"
        ".violations.map(v => ({id: v.id, help: v.help,"
        " target: v.nodes.map(n => n.target.join(' '))}))",
        AXE_RULES,
    )
    return [f"{item['id']}: {item['help']} at {item['target']}" for item in found]
