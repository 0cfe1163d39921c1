"""What is taken as a partner's public keys, and what is not."""

from collections.abc import Callable

import pytest

from integrations.partners import key_sets
from integrations.partners.errors import KeysNotAccepted
from tests.factories import partners

Change = Callable[[dict[str, object]], object]


@pytest.mark.parametrize("algorithm", ["ES256", "RS256", "PS256"])
def test_a_public_key_is_taken_as_it_is(algorithm: str) -> None:
    given = partners.key_set(partners.key(algorithm))

    assert key_sets.accepted(given) == given


def test_a_private_key_is_refused_and_named() -> None:
    private = partners.key().private.export_private(as_dict=True)

    with pytest.raises(KeysNotAccepted) as refused:
        key_sets.accepted({"keys": [private]})

    assert refused.value.errors[0].code == "private_member"
    assert refused.value.errors[0].pointer == "/jwks/keys/0/d"
    assert str(private["d"]) not in str(refused.value.errors)


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"kty": "oct", "k": "c2VjcmV0"}, "private_member"),
        ({"kty": "OKP"}, "unknown_kind"),
        ({"kty": []}, "unknown_kind"),
        ({"alg": "HS256"}, "algorithm_refused"),
        ({"alg": "none"}, "algorithm_refused"),
        ({"alg": "RS256"}, "algorithm_refused"),
        ({"crv": "P-384"}, "curve_refused"),
        ({"x": "AAAA"}, "wrong_length"),
        ({"x": "!" * 43}, "wrong_length"),
        ({"y": "A" * 43}, "unreadable_key"),
        ({"kid": ""}, "kid_needed"),
        ({"kid": "k" * 129}, "kid_needed"),
        ({"kid": 7}, "not_text"),
        ({"use": "enc"}, "wrong_use"),
        ({"key_ops": ["sign"]}, "wrong_use"),
        ({"x5u": "https://example.org/key"}, "unknown_member"),
    ],
)
def test_what_is_no_public_key_for_signatures_is_refused(
    changes: dict[str, object], code: str
) -> None:
    with pytest.raises(KeysNotAccepted) as refused:
        key_sets.accepted({"keys": [{**partners.key().public, **changes}]})

    assert refused.value.errors[0].code == code


@pytest.mark.parametrize(
    ("given", "code"),
    [
        ([], "not_a_key_set"),
        ({}, "not_a_key_set"),
        ({"keys": [], "more": 1}, "not_a_key_set"),
        ({"keys": []}, "wrong_count"),
        ({"keys": "text"}, "wrong_count"),
        ({"keys": [{}] * 6}, "wrong_count"),
        ({"keys": ["text"]}, "not_a_key"),
    ],
)
def test_what_is_no_key_set_is_refused(given: object, code: str) -> None:
    with pytest.raises(KeysNotAccepted) as refused:
        key_sets.accepted(given)

    assert refused.value.errors[0].code == code


def test_two_keys_of_one_name_are_refused() -> None:
    one, other = partners.key().public, partners.key().public

    with pytest.raises(KeysNotAccepted) as refused:
        key_sets.accepted({"keys": [one, {**other, "kid": one["kid"]}]})

    assert refused.value.errors[0].code == "kid_repeated"


@pytest.mark.parametrize(
    ("name", "value", "code"),
    [("n", "AQAB", "wrong_length"), ("e", "Aw", "exponent_refused"), ("e", "", "exponent_refused")],
)
def test_a_weak_rsa_key_is_refused(name: str, value: str, code: str) -> None:
    with pytest.raises(KeysNotAccepted) as refused:
        key_sets.accepted({"keys": [{**partners.key("RS256").public, name: value}]})

    assert refused.value.errors[0].code == code


def test_a_key_bound_to_an_algorithm_fits_no_other() -> None:
    rsa = partners.key("RS256").public

    assert key_sets.fits(rsa, "RS256")
    assert key_sets.fits(rsa, "PS256")
    assert not key_sets.fits({**rsa, "alg": "PS256"}, "RS256")
    assert not key_sets.fits(rsa, "ES256")
