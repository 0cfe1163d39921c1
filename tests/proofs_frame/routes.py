"""Every address of the resolver that names an object, filled with ids."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from foundation.identifiers import uuid7
from tests.architecture.test_guards import patterns
from tests.proofs_frame.world import World

# Arguments that name no object of an organisation: reviewed, each with the reason.
NAMES_NO_OBJECT = {
    "help_topic": "a page of the help, the same for all",
    "problem_type": "a kind of problem of the API, the same for all",
    "records:create": "a kind of record, the same for all",
    "admin:app_list": "a part of the admin",
    "admin:admin/(?P<url>.*)$": "whatever is no page of the admin",
    "set_up": "a random code, which is the right to come",
    "invitation": "a random token of a mail, which is the right to come",
    "enrolment_link": "a random token of a mail, which is the right to come",
    "partners:confirm": "a random token of a mail, which is the right to come",
    "privacy:receipt": "a random token of a mail, which is the right to come",
}
PAGE_VERBS = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE")

_ARGUMENT = re.compile(r"<(?:\w+:)?(\w+)>")
_ADMIN = re.compile(r"admin:(?:admin/(\w+)/(\w+)/<path|(\w+?)_(\w+)_(?:change|delete|history)$)")


@dataclass(frozen=True, slots=True)
class Route:
    """An address that names objects.

    Attributes:
        name: URL name.
        pattern: with its arguments.
        real: the ids of the objects, by argument.
        random: the same arguments with ids that nothing has.
    """

    name: str
    pattern: str
    real: Mapping[str, object] = field(default_factory=dict)
    random: Mapping[str, object] = field(default_factory=dict)

    def address(self, arguments: Mapping[str, object]) -> str:
        """Return the address with arguments."""
        return "/" + _ARGUMENT.sub(lambda found: str(arguments[found[1]]), self.pattern)

    @property
    def is_admin(self) -> bool:
        """Whether the staff's pages answer."""
        return self.name.startswith("admin:")

    @property
    def is_api(self) -> bool:
        """Whether the API answers."""
        return self.pattern.startswith("api/")


def named_routes() -> list[tuple[str, str]]:
    """Return (name, pattern) of each address with an argument that can name an object."""
    return [
        (name, pattern)
        for name, pattern, _view in patterns()
        if ("<" in pattern or "(" in pattern) and name not in NAMES_NO_OBJECT
    ]


def routes_into(world: World) -> Iterator[Route]:
    """Give every route with the ids of a world.

    Raises:
        KeyError: the world has no object for an argument.
    """
    for name, pattern in named_routes():
        real = _ids(name, pattern, world)
        yield Route(name, pattern, real, {key: _random(value) for key, value in real.items()})


def _ids(name: str, pattern: str, world: World) -> dict[str, object]:
    admin = _ADMIN.match(name)
    if admin is not None:
        label = ".".join(part for part in admin.groups() if part)
        return {"object_id": world.objects[label]}
    return {argument: world.ids[argument] for argument in _ARGUMENT.findall(pattern)}


def _random(value: object) -> object:
    """Return an id that nothing has in the place of an id; codes of fields stay."""
    return uuid7() if hasattr(value, "hex") else value
