"""Reference pages are those of the running code, and a stale one is found."""

from pathlib import Path

import pytest
from django.core.management import call_command
from django.core.management.base import CommandError
from pytest_django import Settings

from portal import reference


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, settings: Settings) -> Path:
    settings.BASE_DIR = tmp_path
    reference.folder().mkdir(parents=True)
    return reference.folder()


def test_written_pages_are_not_stale(folder: Path) -> None:
    with pytest.raises(CommandError, match=r"stale: permissions\.md"):
        call_command("reference")

    call_command("reference", "--write")
    call_command("reference")

    assert {path.name for path in folder.iterdir()} == set(reference.pages())


def test_a_changed_page_is_found(folder: Path) -> None:
    call_command("reference", "--write")
    (folder / "tasks.md").write_text("# Tasks\n", encoding="utf-8")

    assert reference.stale() == ["tasks.md"]


def test_pages_hold_what_the_registries_hold() -> None:
    pages = reference.pages()

    assert "| `privacy.request.read` |" in pages["permissions.md"]
    assert "| `privacy.run_erasure` | bulk |" in pages["tasks.md"]
    assert "`records:read`" in pages["scopes.md"]
    assert "personal data sources" in pages["registries.md"]
    assert "email (contact)" in pages["personal-data.md"]
    assert "| `privacy.broker` |" in pages["personal-data.md"]


def test_a_bar_in_a_cell_does_not_break_the_table() -> None:
    assert reference._line(("a|b", "c\nd")) == "| a\\|b | c d |"
