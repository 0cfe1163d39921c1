from collections.abc import Iterator

import pytest

from foundation import registry as registries
from foundation.registry import Port, Registry, RegistryError, every_registry


@pytest.fixture
def colours() -> Iterator[Registry[str]]:
    """A registry of this test alone: the list of all is put back."""
    before = list(registries._all)
    yield Registry[str]("colours", key=str.lower)
    registries._all[:] = before


def test_items_are_found_by_key_in_the_order_they_came(colours: Registry[str]) -> None:
    colours.register("Red", "Blue")

    assert colours.all() == tuple(colours) == ("Red", "Blue")
    assert colours.keys() == ("red", "blue")
    assert (colours.get("red"), colours.find("green"), len(colours)) == ("Red", None, 2)
    assert "blue" in colours
    with pytest.raises(KeyError):
        colours.get("green")


def test_a_key_is_taken_once(colours: Registry[str]) -> None:
    colours.register("Red")

    with pytest.raises(RegistryError, match="colours already holds red"):
        colours.register("RED")

    assert colours.all() == ("Red",)


def test_nothing_comes_after_the_start(colours: Registry[str]) -> None:
    colours.freeze()

    with pytest.raises(RegistryError, match="colours is frozen: red came after the start"):
        colours.register("Red")


def test_every_registry_is_known_by_name(colours: Registry[str]) -> None:
    names = [registry.name for registry in every_registry()]

    assert colours.name in names
    assert len(names) == len(set(names))


def test_other_items_are_held_for_a_while(colours: Registry[str]) -> None:
    before = colours.all()
    colours.freeze()

    with colours.exchanged("Green"):
        assert colours.all() == ("Green",)

    assert colours.all() == before


def test_a_port_has_another_implementation_for_a_while() -> None:
    port = Port[str]("journal")
    port.provide("first")

    with port.exchanged("second"):
        assert port.implementation == "second"
    with port.exchanged(None):
        assert not port.is_provided

    assert port.implementation == "first"


def test_a_port_has_exactly_one_implementation() -> None:
    port = Port[str]("journal")
    assert not port.is_provided
    with pytest.raises(RegistryError, match="port journal has no implementation"):
        _ = port.implementation

    port.provide("first")

    assert (port.is_provided, port.implementation) == (True, "first")
    with pytest.raises(RegistryError, match="already has an implementation"):
        port.provide("second")
