from pathlib import Path

import pytest

from foundation import environment
from foundation.environment import SettingMissing

NAME = "GATEHOUSE_TEST_SETTING"


def test_text_is_the_variable_or_else_the_default(monkeypatch: pytest.MonkeyPatch) -> None:
    assert environment.text(NAME, default="fallback") == "fallback"

    monkeypatch.setenv(NAME, "given")

    assert environment.text(NAME, default="fallback") == "given"


def test_a_missing_text_stops_the_start_with_name_and_example() -> None:
    with pytest.raises(SettingMissing) as stopped:
        environment.text(NAME, example="portal.example")

    assert str(stopped.value) == f"{NAME} is not set, for example {NAME}=portal.example"


def test_a_secret_comes_from_the_file_that_is_named(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    file = tmp_path / "secret"
    file.write_text("from the file\n", encoding="utf-8")
    monkeypatch.setenv(NAME, "from the variable")

    assert environment.secret(NAME) == "from the variable"
    monkeypatch.setenv(f"{NAME}_FILE", str(file))
    assert environment.secret(NAME) == "from the file"


def test_a_secret_whose_file_is_gone_stops_the_start(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv(f"{NAME}_FILE", str(tmp_path / "gone"))

    with pytest.raises(SettingMissing, match=f"{NAME}_FILE names .*gone, which cannot be read"):
        environment.secret(NAME)


def test_a_whole_number_is_read_and_anything_else_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    assert environment.integer(NAME, default=7) == 7
    monkeypatch.setenv(NAME, "42")
    assert environment.integer(NAME, default=7) == 42

    monkeypatch.setenv(NAME, "4.2")

    with pytest.raises(SettingMissing, match="must be a whole number, for example 7"):
        environment.integer(NAME, default=7)


@pytest.mark.parametrize(
    ("given", "expected"), [("yes", True), ("ON", True), ("1", True), ("no", False), ("", False)]
)
def test_yes_and_no_are_read(monkeypatch: pytest.MonkeyPatch, given: str, expected: object) -> None:
    monkeypatch.setenv(NAME, given)

    assert environment.flag(NAME, default=not expected) is expected


def test_anything_but_yes_and_no_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    assert environment.flag(NAME, default=True) is True

    monkeypatch.setenv(NAME, "perhaps")

    with pytest.raises(SettingMissing, match="must be yes or no, not 'perhaps'"):
        environment.flag(NAME, default=True)


def test_a_list_drops_what_is_empty(monkeypatch: pytest.MonkeyPatch) -> None:
    assert environment.names(NAME, default=("one",)) == ["one"]

    monkeypatch.setenv(NAME, " one, two,, ")

    assert environment.names(NAME) == ["one", "two"]


def test_a_path_is_read_or_missed(monkeypatch: pytest.MonkeyPatch) -> None:
    assert environment.path(NAME, default=Path("var")) == Path("var")
    monkeypatch.setenv(NAME, "/srv/gatehouse")
    assert environment.path(NAME) == Path("/srv/gatehouse")

    monkeypatch.delenv(NAME)

    with pytest.raises(SettingMissing, match=f"{NAME} is not set"):
        environment.path(NAME)
