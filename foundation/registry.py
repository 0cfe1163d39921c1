"""Typed registries: the one mechanism by which upper floors contribute to lower ones."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Generic, TypeVar

Item = TypeVar("Item")

_all: "list[Registry[object]]" = []


class RegistryError(RuntimeError):
    """A registry was given a duplicate, or something after the start."""


class Registry(Generic[Item]):
    """A named set of items with unique keys, frozen once the project has started.

    Args:
        name: what the registry holds, as the documentation calls it.
        key: gives an item's unique key.
    """

    def __init__(self, name: str, *, key: Callable[[Item], str]) -> None:
        self.name = name
        self._key = key
        self._items: dict[str, Item] = {}
        self._frozen = False
        _all.append(self)  # type: ignore[arg-type]  # the list is read for names and freezing only

    def register(self, *items: Item) -> None:
        """Add items.

        Raises:
            RegistryError: a key is taken, or the registry is frozen.
        """
        for item in items:
            key = self._key(item)
            if self._frozen:
                raise RegistryError(f"{self.name} is frozen: {key} came after the start")
            if key in self._items:
                raise RegistryError(f"{self.name} already holds {key}")
            self._items[key] = item

    def get(self, key: str) -> Item:
        """Return the item of a key.

        Raises:
            KeyError: there is none.
        """
        return self._items[key]

    def find(self, key: str) -> Item | None:
        """Return the item of a key, or None."""
        return self._items.get(key)

    def all(self) -> tuple[Item, ...]:
        """Return all items in the order of registration."""
        return tuple(self._items.values())

    def keys(self) -> tuple[str, ...]:
        """Return all keys in the order of registration."""
        return tuple(self._items)

    def freeze(self) -> None:
        """Refuse further items from now on."""
        self._frozen = True

    @contextmanager
    def exchanged(self, *items: Item) -> Iterator[None]:
        """Hold only these items for a while: for tests of what reads the registry."""
        before = self._items
        self._items = {self._key(item): item for item in items}
        try:
            yield
        finally:
            self._items = before

    def __contains__(self, key: object) -> bool:
        return key in self._items

    def __iter__(self) -> Iterator[Item]:
        return iter(self.all())

    def __len__(self) -> int:
        return len(self._items)


def every_registry() -> "tuple[Registry[object], ...]":
    """Return all registries of the process, for the start and for the documentation tests."""
    return tuple(_all)


def freeze_all() -> None:
    """Freeze every registry; called once by ``portal``, the last app to start."""
    for registry in _all:
        registry.freeze()


class Port(Generic[Item]):
    """A place for exactly one implementation, given by an upper floor at start."""

    def __init__(self, name: str) -> None:
        self.name = name
        self._implementation: Item | None = None

    def provide(self, implementation: Item) -> None:
        """Set the implementation.

        Raises:
            RegistryError: there is one already.
        """
        if self._implementation is not None:
            raise RegistryError(f"port {self.name} already has an implementation")
        self._implementation = implementation

    @contextmanager
    def exchanged(self, implementation: Item | None) -> Iterator[None]:
        """Have another implementation, or none, for a while: for tests of what stands below."""
        before = self._implementation
        self._implementation = implementation
        try:
            yield
        finally:
            self._implementation = before

    @property
    def is_provided(self) -> bool:
        """Whether there is an implementation."""
        return self._implementation is not None

    @property
    def implementation(self) -> Item:
        """Return the implementation.

        Raises:
            RegistryError: nobody has given one.
        """
        if self._implementation is None:
            raise RegistryError(f"port {self.name} has no implementation")
        return self._implementation
