"""Read the text of a field strictly, by the type of the field, into the one form that is stored.

A value that is not understood is refused with a stable code and a sentence that shows the right
form: nothing is repaired silently but the spaces people type into numbers.
"""

import re
import unicodedata
from collections.abc import Callable, Mapping
from datetime import date

from django.core.exceptions import ValidationError
from django.core.validators import EmailValidator
from django.utils.translation import gettext as _

from foundation.errors import FieldError
from workspace.records.types import FieldSpec, KindSpec, ValueType

# Length of an IBAN by country. Source: SWIFT IBAN registry, release 99 (December 2024).
IBAN_LENGTHS = {
    **dict.fromkeys(("NO",), 15),
    **dict.fromkeys(("BE", "BI"), 16),
    **dict.fromkeys(("DK", "FO", "FI", "GL", "NL", "FK", "SD"), 18),
    **dict.fromkeys(("MK", "SI", "SO"), 19),
    **dict.fromkeys(("AT", "BA", "EE", "KZ", "LT", "LU", "XK", "MN"), 20),
    **dict.fromkeys(("CH", "HR", "LI", "LV"), 21),
    **dict.fromkeys(("BG", "BH", "CR", "DE", "GB", "GE", "IE", "ME", "RS", "VA"), 22),
    **dict.fromkeys(("AE", "GI", "IL", "IQ", "TL", "OM"), 23),
    **dict.fromkeys(("AD", "CZ", "ES", "MD", "PK", "RO", "SA", "SE", "SK", "TN", "VG"), 24),
    **dict.fromkeys(("PT", "ST", "LY"), 25),
    **dict.fromkeys(("IS", "TR"), 26),
    **dict.fromkeys(("FR", "GR", "IT", "MC", "MR", "SM", "DJ"), 27),
    **dict.fromkeys(("AL", "AZ", "BY", "CY", "DO", "GT", "HN", "HU", "LB", "PL", "SV", "NI"), 28),
    **dict.fromkeys(("BR", "EG", "PS", "QA", "UA"), 29),
    **dict.fromkeys(("JO", "KW", "MU", "YE"), 30),
    **dict.fromkeys(("MT", "SC"), 31),
    **dict.fromkeys(("LC",), 32),
    **dict.fromkeys(("RU",), 33),
}
PHONE_DIGITS = range(7, 16)  # ITU-T E.164, section 6: at most 15 digits

_PHONE = re.compile(r"\+[1-9][0-9 ()/.\-]*")
_IBAN = re.compile(r"[A-Z]{2}[0-9]{2}[A-Z0-9]+")
_DATE = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
_LINE_BREAKS = frozenset("\n\r\t")


class _Refused(ValueError):
    def __init__(self, code: str, detail: str) -> None:
        super().__init__(code)
        self.code = code
        self.detail = detail


def read(kind: KindSpec, given: Mapping[str, str]) -> tuple[dict[str, str], list[FieldError]]:
    """Read values by field code.

    Args:
        kind: the kind whose fields they are.
        given: texts as they came; an empty text means no value.

    Returns:
        The values in stored form, and what is wrong with the others.
    """
    values: dict[str, str] = {}
    errors: list[FieldError] = []
    for code, text in given.items():
        spec = kind.field(code)
        try:
            values[code] = _read_one(spec, text)
        except _Refused as refused:
            # A pointer names what was sent: a name of our own or one cut to a harmless length.
            errors.append(FieldError(f"/values/{_pointer(code)}", refused.code, refused.detail))
    return values, errors


def missing(kind: KindSpec, values: Mapping[str, str]) -> list[FieldError]:
    """Return an error for each required field without a value."""
    return [
        FieldError(f"/values/{field.code}", "required", _("This field is needed."))
        for field in kind.fields
        if field.is_required and not values.get(field.code)
    ]


def iban(text: str) -> str | None:
    """Return an IBAN in stored form, or None where the text is none."""
    try:
        return _iban(text)
    except _Refused:
        return None


def _pointer(code: str) -> str:
    shown = "".join(character for character in code[:64] if character.isprintable())
    return shown.replace("~", "~0").replace("/", "~1")


def _read_one(spec: FieldSpec | None, text: str) -> str:
    if spec is None:
        raise _Refused("unknown", _("This kind of record has no such field."))
    text = _clean(text, keeps_lines=spec.value_type == ValueType.LONG_TEXT)
    if not text:
        return ""
    if len(text) > spec.max_length:
        raise _Refused(
            "too_long",
            _("At most %(count)d characters are allowed.") % {"count": spec.max_length},
        )
    return _READERS[spec.value_type](text)


def _clean(text: str, *, keeps_lines: bool) -> str:
    for character in text:
        if keeps_lines and character in _LINE_BREAKS:
            continue
        # Cc holds NUL and other controls, Cs lone surrogates, which PostgreSQL cannot store.
        if unicodedata.category(character) in {"Cc", "Cs"}:
            raise _Refused("control_character", _("The text holds a character that is not text."))
    return unicodedata.normalize("NFC", text).strip()


def _text(text: str) -> str:
    return text


def _email(text: str) -> str:
    try:
        EmailValidator()(text)
    except ValidationError as error:
        raise _Refused(
            "email_malformed", _("Enter an e-mail address, for example anna@example.org.")
        ) from error
    return text


def _phone(text: str) -> str:
    digits = sum(character.isdigit() for character in text)
    if not _PHONE.fullmatch(text) or digits not in PHONE_DIGITS:
        raise _Refused(
            "phone_malformed",
            _("Enter the number with its country code, for example +49 30 1234567."),
        )
    return text


def _iban(text: str) -> str:
    compact = text.replace(" ", "").upper()
    if not _IBAN.fullmatch(compact) or IBAN_LENGTHS.get(compact[:2]) != len(compact):
        raise _Refused(
            "iban_malformed",
            _("Enter a whole IBAN: country, two digits and the account, as on the statement."),
        )
    # ISO 13616, annex: letters become numbers from 10, the whole is 1 modulo 97.
    rearranged = compact[4:] + compact[:4]
    if int("".join(str(int(character, 36)) for character in rearranged)) % 97 != 1:
        raise _Refused(
            "iban_checksum", _("The check digits do not fit: compare it with the statement.")
        )
    return compact


def _date(text: str) -> str:
    # Python 3.11 also reads 20260131 and 2026-W05-6: one form is enough.
    is_plain = _DATE.fullmatch(text) is not None
    try:
        return date.fromisoformat(text if is_plain else "").isoformat()
    except ValueError as error:
        raise _Refused("date_malformed", _("Enter a date as 2026-01-31.")) from error


def _country(text: str) -> str:
    if not re.fullmatch(r"[A-Za-z]{2}", text):
        raise _Refused("country_malformed", _("Enter two letters, for example DE."))
    return text.upper()


_READERS: Mapping[ValueType, Callable[[str], str]] = {
    ValueType.TEXT: _text,
    ValueType.LONG_TEXT: _text,
    ValueType.EMAIL: _email,
    ValueType.PHONE: _phone,
    ValueType.IBAN: _iban,
    ValueType.DATE: _date,
    ValueType.COUNTRY: _country,
}
