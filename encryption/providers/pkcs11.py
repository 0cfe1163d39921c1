"""Key service of a hardware security module, by PKCS#11.

Root versions are AES-256 keys ``<label>-1``, ``<label>-2`` and so on of one token; the highest
number wraps by AES-GCM. The keys never leave the token: they are made there, sensitive and not
extractable. A login belongs to a process, so a child opens its own.

The library has no time limits; a thread of its own stands between it and who waits.
"""

import os
import re
import secrets
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Final, Protocol, TypeVar, runtime_checkable

import pkcs11
from django.conf import settings
from pkcs11 import exceptions as errors
from pkcs11.constants import Attribute, MechanismFlag, ObjectClass
from pkcs11.mechanisms import GCMParams, KeyType, Mechanism

from encryption.providers import base
from encryption.providers.base import (
    KEY_BYTES,
    BadBlob,
    Context,
    Health,
    KeyServiceError,
    Refused,
    Unavailable,
    canonical,
)
from encryption.providers.blobs import framed, header_of, packed, taken_apart, unpacked
from encryption.providers.calls import TOTAL_SECONDS, Bounded, with_tries
from encryption.providers.files import read_secret

CODE: Final = "pkcs11"
_NONCE: Final = 12
_TAG_BITS: Final = 128
_KEY_BITS: Final = KEY_BYTES * 8
_PIN_REFUSALS: Final = (errors.PinIncorrect, errors.PinLocked, errors.PinExpired, errors.PinInvalid)
# What a wrong tag may be called; SoftHSM says GeneralError, which a sick token says too.
_PERHAPS_CHANGED: Final = (
    errors.GeneralError,
    errors.EncryptedDataInvalid,
    errors.EncryptedDataLenRange,
    errors.FunctionFailed,
    errors.SignatureInvalid,
)

Outcome = TypeVar("Outcome")


@runtime_checkable
class Key(Protocol):
    """What is used of a key object."""

    @property
    def label(self) -> str:
        """Its label."""
        ...

    def encrypt(self, data: bytes, **how: object) -> bytes:
        """Encrypt inside of the token."""
        ...

    def decrypt(self, data: bytes, **how: object) -> bytes:
        """Decrypt inside of the token."""
        ...

    def destroy(self) -> None:
        """Delete the object from the token."""
        ...


class Library(Protocol):
    """What is used of the library of a maker."""

    def get_token(self, *, token_label: str) -> pkcs11.Token:
        """Find a token."""
        ...

    def reinitialize(self) -> None:
        """Start anew."""
        ...


def from_settings() -> "Pkcs11":
    """Return the key service that the settings describe."""
    return Pkcs11(
        settings.PKCS11_LIBRARY,
        token=settings.PKCS11_TOKEN,
        pin_file=Path(settings.PKCS11_PIN_FILE),
        label=settings.PKCS11_KEY_LABEL,
    )


class Pkcs11:
    """The key service.

    Args:
        library: shared library of the maker.
        token: label of the token.
        pin_file: file with the PIN of its user.
        label: labels of root keys begin with it.
        seconds: how long one call may take.
    """

    def __init__(
        self,
        library: str,
        *,
        token: str,
        pin_file: Path,
        label: str,
        seconds: float = TOTAL_SECONDS,
    ) -> None:
        self._library = library
        self._token = token
        self._pin_file = pin_file
        self._label = label
        self._thread = Bounded(seconds)
        self._session: pkcs11.Session | None = None
        self._process = 0
        self._refused_pin = ""

    @property
    def version(self) -> str:
        """Name of the root version that wraps new blobs: the highest number."""
        return self._run(lambda: self._name(max(self._keys())))

    def version_of(self, blob: bytes) -> str:
        """Return the name of the root version that wrapped a blob."""
        return taken_apart(blob, CODE)[0]

    def generate(self, context: Context) -> tuple[bytes, bytes]:
        """Return a new key of 32 bytes and its blob."""
        return base.generated(self, context)

    def wrap(self, raw: bytes, context: Context) -> bytes:
        """Return the blob of a key."""
        plain = packed(raw, context)
        return self._run(lambda: self._wrap(plain, context))

    def unwrap(self, blob: bytes, context: Context) -> bytes:
        """Return the key of a blob; errors as ``KeyService.unwrap``."""
        name, sealed = taken_apart(blob, CODE)
        number = self._number(name.removeprefix(f"{CODE}:"))
        if number is None or self._name(number) != name:
            raise BadBlob("the blob belongs to another key")
        bound = header_of(name) + canonical(context)
        plain = self._run(lambda: self._unwrap(number, sealed, bound))
        return unpacked(plain, context)

    def rewrap(self, blob: bytes, context: Context) -> bytes:
        """Return a blob of the same key under the present root version."""
        return self.wrap(self.unwrap(blob, context), context)

    def health(self) -> Health:
        """Wrap and unwrap a probe."""
        return base.probed(self)

    def add_version(self) -> int:
        """Make a root key in the token, which wraps from now on; return its number.

        Raises:
            Refused: the token does not let us.
            Unavailable: the token does not answer.
        """
        return self._run(self._add)

    def destroy(self, number: int) -> None:
        """Delete a root key from the token: what it alone wrapped is unreadable from then on.

        Raises:
            Refused: there is no such version, it is the one that wraps, or the token does not let
                us.
            Unavailable: the token does not answer.
        """
        self._run(lambda: self._destroy(number))

    def _run(self, call: Callable[[], Outcome]) -> Outcome:
        return with_tries(lambda: self._thread.run(lambda: self._judged(call)))

    def _judged(self, call: Callable[[], Outcome]) -> Outcome:
        try:
            return call()
        except KeyServiceError:
            raise
        except _PIN_REFUSALS as error:
            raise Refused(f"the token refuses the PIN: {type(error).__name__}") from error
        except (errors.FunctionRejected, errors.UserPinNotInitialized) as error:
            raise Refused(f"the token refuses: {type(error).__name__}") from error
        except (errors.PKCS11Error, OSError) as error:
            self._close()
            raise Unavailable(f"the token does not answer: {type(error).__name__}") from error

    def _wrap(self, plain: bytes, context: Context) -> bytes:
        keys = self._keys()
        name = self._name(max(keys))
        return framed(
            name, _encrypted(keys[max(keys)], plain, header_of(name) + canonical(context))
        )

    def _unwrap(self, number: int, sealed: bytes, bound: bytes) -> bytes:
        key = self._keys().get(number)
        if key is None:
            raise Refused("the token does not hold the root version of this blob")
        try:
            return _decrypted(key, sealed, bound)
        except _PERHAPS_CHANGED as error:
            # The token is asked to prove that it is well; if it cannot, its error is judged.
            probe = secrets.token_bytes(KEY_BYTES)
            if _decrypted(key, _encrypted(key, probe, bound), bound) != probe:
                raise Unavailable("the token is not well") from error
            raise BadBlob("the root key does not open this blob") from error

    def _keys(self) -> dict[int, Key]:
        """Return the root keys of the token by number."""
        found = self._found(self._opened())
        if not found:  # none at all: the token may have gone, so it is opened anew
            self._close()
            found = self._found(self._opened())
        if not found:
            raise Refused("the token holds no root key of this label")
        return found

    def _found(self, session: pkcs11.Session) -> dict[int, Key]:
        wanted = {Attribute.CLASS: ObjectClass.SECRET_KEY, Attribute.KEY_TYPE: KeyType.AES}
        keys: dict[int, Key] = {}
        for item in session.get_objects(wanted):
            number = self._number(item.label) if isinstance(item, Key) else None
            if number in keys:
                raise Refused(f"the token holds two keys of number {number}")
            if number is not None and isinstance(item, Key):
                keys[number] = item
        return keys

    def _add(self) -> int:
        with self._writing() as session:
            number = max(self._found(session), default=0) + 1
            session.generate_key(
                KeyType.AES,
                _KEY_BITS,
                id=secrets.token_bytes(8),
                label=f"{self._label}-{number}",
                store=True,
                capabilities=MechanismFlag.ENCRYPT | MechanismFlag.DECRYPT,
                template={
                    Attribute.PRIVATE: True,
                    Attribute.SENSITIVE: True,
                    Attribute.EXTRACTABLE: False,
                },
            )
        return number

    def _destroy(self, number: int) -> None:
        with self._writing() as session:
            keys = self._found(session)
            if number not in keys:
                raise Refused("the token does not hold this root version")
            if number == max(keys):
                raise Refused("the newest root version wraps: add one before destroying it")
            keys[number].destroy()

    def _writing(self) -> pkcs11.Session:
        self._opened()  # logs in
        return self._library_of_process().get_token(token_label=self._token).open(rw=True)

    def _opened(self) -> pkcs11.Session:
        if self._process != os.getpid():
            self._session = None
        if self._session is None:
            self._session = self._logged_in()
            self._process = os.getpid()
        return self._session

    def _logged_in(self) -> pkcs11.Session:
        pin = read_secret(self._pin_file, "the PIN of the token")
        if pin == self._refused_pin:  # each try counts towards locking the token
            raise Refused("the token refused this PIN: put the right one into its file")
        token = self._library_of_process().get_token(token_label=self._token)
        try:
            return token.open(user_pin=pin)
        except errors.UserAlreadyLoggedIn:
            return token.open()  # a login counts for the whole process
        except _PIN_REFUSALS:
            self._refused_pin = pin
            raise

    def _library_of_process(self) -> Library:
        found: Library = pkcs11.lib(self._library)
        if _initialised.get(self._library) != os.getpid():
            if self._library in _initialised:  # this is a child: its parent's state is not ours
                found.reinitialize()
            _initialised[self._library] = os.getpid()
        return found

    def _close(self) -> None:
        """Forget the session; the library is started anew, since it may hold a list of slots."""
        self._session = None
        with suppress(errors.PKCS11Error, OSError):
            pkcs11.lib(self._library).reinitialize()

    def _number(self, label: str) -> int | None:
        match = re.fullmatch(rf"{re.escape(self._label)}-([1-9][0-9]{{0,8}})", label, re.ASCII)
        return None if match is None else int(match[1])

    def _name(self, number: int) -> str:
        return f"{CODE}:{self._label}-{number}"


_initialised: Final[dict[str, int]] = {}


def _encrypted(key: Key, plain: bytes, bound: bytes) -> bytes:
    nonce = secrets.token_bytes(_NONCE)
    how = GCMParams(nonce, bound, _TAG_BITS)
    return nonce + key.encrypt(plain, mechanism=Mechanism.AES_GCM, mechanism_param=how)


def _decrypted(key: Key, sealed: bytes, bound: bytes) -> bytes:
    how = GCMParams(sealed[:_NONCE].ljust(_NONCE, b"\0"), bound, _TAG_BITS)
    return key.decrypt(sealed[_NONCE:], mechanism=Mechanism.AES_GCM, mechanism_param=how)
