import pytest

from foundation import signing
from foundation.errors import Invalid
from foundation.signing import InvalidSignature, SignedMessage

# Example of the Standard Webhooks specification 1.0.0.
SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
BODY = b'{"test": 2432232314}'
SIGNATURE = "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="


def arrived(**changes: str) -> SignedMessage:
    return SignedMessage(
        message_id=changes.get("message_id", "msg_p5jXN8AQM9LWM0D4loKWxJek"),
        timestamp=changes.get("timestamp", "1614265330"),
        signatures=changes.get("signatures", SIGNATURE),
        body=changes.get("body", BODY.decode()).encode(),
    )


def test_signature_equals_the_example_of_the_specification() -> None:
    signature = signing.sign(
        SECRET, message_id="msg_p5jXN8AQM9LWM0D4loKWxJek", timestamp=1614265330, body=BODY
    )

    assert signature == SIGNATURE


def test_one_right_signature_among_others_is_enough() -> None:
    message = arrived(signatures=f"v1a,abc= v1,!!! v1,{'A' * 43}= {SIGNATURE}")

    signing.verify(message, secrets_in_use=[signing.new_secret(), SECRET], now=1614265330)


@pytest.mark.parametrize(
    "changes",
    [
        {"body": '{"test": 2432232315}'},
        {"message_id": "msg_other"},
        {"timestamp": "1614265331"},
        {"timestamp": "not a number"},
        {"timestamp": "٣"},
        {"signatures": ""},
        {"signatures": "v1,"},
        {"signatures": SIGNATURE.replace("v1,", "v1a,")},
        {"signatures": SIGNATURE.removeprefix("v1,")},
    ],
)
def test_altered_message_is_refused(changes: dict[str, str]) -> None:
    with pytest.raises(InvalidSignature) as refusal:
        signing.verify(arrived(**changes), secrets_in_use=[SECRET], now=1614265330)

    assert refusal.value.reason_code == "signing.invalid_signature"


@pytest.mark.parametrize("age", [301, -301])
def test_message_out_of_time_is_refused_though_rightly_signed(age: int) -> None:
    signing.verify(arrived(), secrets_in_use=[SECRET], now=1614265330 + age - age // abs(age))

    with pytest.raises(InvalidSignature):
        signing.verify(arrived(), secrets_in_use=[SECRET], now=1614265330 + age)


@pytest.mark.parametrize("secret", ["", "whsec_", "whsec_AAAA", "whsec_***", SECRET[6:]])
def test_malformed_secret_signs_nothing(secret: str) -> None:
    with pytest.raises(Invalid):
        signing.sign(secret, message_id="m", timestamp=1, body=b"")


def test_message_id_with_a_full_stop_is_refused_because_it_could_move_the_border() -> None:
    with pytest.raises(Invalid):
        signing.sign(SECRET, message_id="a.1", timestamp=1, body=b"")


def test_new_secrets_differ_and_sign() -> None:
    first, second = signing.new_secret(), signing.new_secret()

    assert first != second
    assert signing.sign(first, message_id="m", timestamp=1, body=b"").startswith("v1,")
