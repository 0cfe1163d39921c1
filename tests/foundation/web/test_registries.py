from collections.abc import Iterator
from uuid import uuid4

import pytest

from foundation.principals import VISITOR, ActorType, Principal
from foundation.web.cards import Card, CardContent, cards, cards_for
from foundation.web.icons import NAMES
from foundation.web.navigation import NavigationItem, groups_for, navigation
from foundation.web.related import RelatedItem, RelatedSource, related, related_to

ALICE = Principal(kind=ActorType.USER, id=uuid4(), permissions=frozenset({"a.read"}))
STAFF = Principal(kind=ActorType.USER, id=uuid4(), is_staff=True)


@pytest.fixture
def items() -> Iterator[None]:
    with navigation.exchanged(
        NavigationItem("help", "Help", "help", "info", order=30),
        NavigationItem("a", "A", "contact", "mail", permission="a.read", order=20),
        NavigationItem("b", "B", "contact", "mail", permission="b.read"),
        NavigationItem("gone", "Gone", "no-such-page", "mail"),
        NavigationItem("ops", "Ops", "robots", "cog", group="Operator", staff_only=True),
    ):
        yield


def labels(principal: Principal, path: str = "/") -> list[tuple[str, list[str]]]:
    groups = groups_for(principal, path=path)
    return [(str(group.label), [str(link.label) for link in group.links]) for group in groups]


@pytest.mark.usefixtures("items")
def test_navigation_shows_what_one_may_open_in_order() -> None:
    assert labels(ALICE) == [("", ["A", "Help"])]
    assert labels(STAFF) == [("", ["Help"]), ("Operator", ["Ops"])]
    assert labels(VISITOR) == []


@pytest.mark.usefixtures("items")
def test_the_present_page_is_marked_once() -> None:
    (group,) = groups_for(ALICE, path="/help/accounts/profile/")

    assert [str(link.label) for link in group.links if link.current] == ["Help"]


def test_every_registered_icon_is_in_the_sprite() -> None:
    used = {item.icon for item in navigation}
    used |= {card.icon for card in cards}

    assert used <= NAMES


def test_cards_are_asked_only_with_the_right_and_may_stay_away() -> None:
    def silent(_principal: Principal) -> CardContent | None:
        return None

    def full(_principal: Principal) -> CardContent | None:
        return CardContent(figure="3")

    def forbidden(_principal: Principal) -> CardContent | None:
        pytest.fail("a card was asked without the right")

    with cards.exchanged(
        Card("last", "Last", full, order=200),
        Card("first", "First", full, permission="a.read", order=10),
        Card("silent", "Silent", silent),
        Card("b", "B", forbidden, permission="b.read"),
    ):
        shown = cards_for(ALICE)

    assert [card.title for card in shown] == ["First", "Last"]


def test_related_lists_show_what_one_may_see_of_the_kind() -> None:
    def one(_principal: Principal, _object_id: object) -> tuple[RelatedItem, ...]:
        return (RelatedItem("Ticket 7", "/tickets/7/"),)

    def none(_principal: Principal, _object_id: object) -> tuple[RelatedItem, ...]:
        return ()

    with related.exchanged(
        RelatedSource("t", "order", "Tickets", one),
        RelatedSource("e", "order", "Empty", none),
        RelatedSource("o", "record", "Other kind", one),
        RelatedSource("r", "order", "No right", one, permission="b.read"),
    ):
        found = related_to("order", uuid4(), principal=ALICE)

    assert [section.title for section in found] == ["Tickets"]
