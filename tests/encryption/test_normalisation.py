"""Normal forms that blind indexes compare."""

import pytest

from encryption.normalisation import normalise_email, normalise_text


@pytest.mark.parametrize(
    ("given", "normal"),
    [
        ("  ADA@Example.ORG ", b"ada@example.org"),
        ("\uff21da@b\u00fccher.example", b"ada@xn--bcher-kva.example"),
        ("ada@b\u00fccher..example", "ada@b\u00fccher..example".encode()),
        ("ada@" + "\u00fc" * 70, ("ada@" + "\u00fc" * 70).encode()),
        ("no address", b"no address"),
    ],
)
def test_an_address_has_one_form(given: str, normal: bytes) -> None:
    assert normalise_email(given) == normal


def test_look_alikes_of_other_scripts_stay_different() -> None:
    assert normalise_text("p\u0430ul") != normalise_text("paul")
    assert normalise_text("STRASSE") == normalise_text("stra\u00dfe")
