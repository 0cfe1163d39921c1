"""Sealed values as pages show them: for one that cannot be opened stands a word."""

from collections.abc import Callable
from dataclasses import dataclass

from django.db.models import Model, TextChoices
from django.utils.translation import gettext_lazy as _

from encryption.errors import Erased, Unreadable
from encryption.light import opened


class Fault(TextChoices):
    """Why a cell shows no value."""

    ERASED = "erased", _("erased")
    UNREADABLE = "unreadable", _("unreadable")


@dataclass(frozen=True, slots=True)
class Cell:
    """A value, or why there is none.

    Attributes:
        value: the opened value; None where it is empty or cannot be opened.
        fault: why it cannot be opened.
    """

    value: object = None
    fault: Fault | None = None

    @property
    def text(self) -> str:
        """The value or the word for its fault; empty where there is no value."""
        if self.fault is not None:
            return str(self.fault.label)
        return "" if self.value is None else str(self.value)


def cell(row: Model, name: str) -> Cell:
    """Open a field of a row.

    What is tampered with or lost is journalled as anywhere else.

    Raises:
        KeysUnavailable: the key service or the keys database is away: the page cannot be shown.
    """
    return _cell(lambda: getattr(row, name))


def light_cell(model: type[Model], name: str, value: object) -> Cell:
    """Open a column of a light row; as :func:`cell`."""
    return _cell(lambda: opened(model, name, value))


def _cell(read: Callable[[], object]) -> Cell:
    try:
        return Cell(read())
    except Erased:
        return Cell(fault=Fault.ERASED)
    except Unreadable:
        return Cell(fault=Fault.UNREADABLE)
