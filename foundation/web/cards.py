"""Registry of home cards: what each app says to a principal on the first page."""

from collections.abc import Callable
from dataclasses import dataclass

from foundation.principals import Principal
from foundation.registry import Registry
from foundation.web.texts import Text


@dataclass(frozen=True, slots=True)
class CardLine:
    """One line of a card: a link or a text, with a note at its end."""

    text: Text
    href: str = ""
    note: Text = ""


@dataclass(frozen=True, slots=True)
class CardContent:
    """What a card shows.

    Attributes:
        figure: large number or word; empty for none.
        text: one sentence.
        lines: a short list.
        href: page behind the card.
        action: words of the link to it.
        tone: ``neutral``, ``good``, ``warn`` or ``bad``; said in words too, never by colour alone.
    """

    figure: Text = ""
    text: Text = ""
    lines: tuple[CardLine, ...] = ()
    href: str = ""
    action: Text = ""
    tone: str = "neutral"


@dataclass(frozen=True, slots=True)
class Card:
    """A contribution to the home page.

    Attributes:
        key: unique name.
        title: heading of the card.
        render: gives the content for a principal, or None to stay away.
        permission: code without which the card is not asked; empty asks it for all signed in.
        order: place, small numbers first.
        icon: name in ``foundation/web/icons.py``.
    """

    key: str
    title: Text
    render: Callable[[Principal], CardContent | None]
    permission: str = ""
    order: int = 100
    icon: str = "circle"


@dataclass(frozen=True, slots=True)
class ShownCard:
    """A card with its content."""

    title: Text
    icon: str
    content: CardContent


cards: Registry[Card] = Registry("home cards", key=lambda card: card.key)


def cards_for(principal: Principal) -> tuple[ShownCard, ...]:
    """Return the cards that have something to say to a principal, in order."""
    shown = []
    for card in sorted(cards, key=lambda card: card.order):
        if card.permission and not principal.may(card.permission):
            continue
        content = card.render(principal)
        if content is not None:
            shown.append(ShownCard(title=card.title, icon=card.icon, content=content))
    return tuple(shown)
