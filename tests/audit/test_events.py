import pytest
from django.utils import translation

from audit import reference
from audit.events import (
    DeclarationError,
    EventType,
    Kind,
    Severity,
    audit_event_types,
    is_denied_name,
)

DECLARED = sorted(audit_event_types, key=lambda item: item.code)


@pytest.mark.parametrize("event_type", DECLARED, ids=lambda item: item.code)
def test_every_event_type_says_what_happened_in_a_sentence(event_type: EventType) -> None:
    with translation.override("en"):
        sentence = str(event_type.sentence)

    assert len(sentence.split()) >= 2
    assert sentence[0].isupper()


@pytest.mark.parametrize("event_type", DECLARED, ids=lambda item: item.code)
def test_every_event_type_is_documented(event_type: EventType) -> None:
    page = reference.page().read_text(encoding="utf-8")

    assert f"| `{event_type.code}` |" in page or event_type.code.startswith("audit.test.")


def test_there_are_types_of_all_packages_below_and_above() -> None:
    packages = {event_type.code.split(".")[0] for event_type in DECLARED}

    assert {"encryption", "audit", "accounts", "privacy", "workspace"} <= packages


@pytest.mark.parametrize(
    "code", ["", "Sign.In.Failed", "accounts", "accounts.failed", "accounts.sign in.failed"]
)
def test_a_name_that_breaks_the_rule_is_refused(code: str) -> None:
    with pytest.raises(DeclarationError):
        EventType(code, Severity.INFO, "Something.")


@pytest.mark.parametrize("name", ["password", "new_secret", "api_key", "access_token", "Bad", ""])
def test_a_detail_that_could_hold_a_secret_cannot_be_declared(name: str) -> None:
    with pytest.raises(DeclarationError):
        EventType("audit.test.leaky", Severity.INFO, "Something.", details={name: Kind.TEXT})


@pytest.mark.parametrize(
    "options", [{"severity": 9}, {"retention": "for ever"}, {"details": {"note": "blob"}}]
)
def test_unknown_values_are_refused(options: dict[str, object]) -> None:
    given: dict[str, object] = {"severity": 1, "sentence": "Something.", **options}

    with pytest.raises(ValueError, match="is not a valid"):
        EventType("audit.test.odd", **given)  # type: ignore[arg-type]  # wrong on purpose


def test_names_of_secrets_are_found_anywhere_in_a_name() -> None:
    assert is_denied_name("new_PassWord_2")
    assert not is_denied_name("identifier")
