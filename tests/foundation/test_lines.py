import pytest
from django.core.exceptions import ValidationError

from foundation.lines import check_one_line, is_one_line


@pytest.mark.parametrize(
    "text", ["", "Zażółć", "محمد", "Nørd & Søn\u200f", "日本 株式会社", "👩\u200d💻"]
)
def test_names_of_all_scripts_are_one_line(text: str) -> None:
    check_one_line(text)


@pytest.mark.parametrize(
    "text", ["a\nb", "a\rb", "a\x00b", "a\x85b", "a\u2029b", "a\u202eb", "a\u2067b"]
)
def test_breaks_controls_and_turned_writing_are_refused(text: str) -> None:
    assert not is_one_line(text)
    with pytest.raises(ValidationError, match="one line"):
        check_one_line(text)
