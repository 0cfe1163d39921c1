"""What records refuse, in words for the person who meets it."""

from dataclasses import dataclass

from django.utils.translation import gettext as _

from foundation.errors import Conflict, Invalid, NotFound


@dataclass(frozen=True, slots=True)
class Difference:
    """A field in which a stale change and the present record differ.

    Attributes:
        code: the field.
        yours: value the stale change wanted.
        present: value the record has now.
    """

    code: str
    yours: str
    present: str


class RecordNotFound(NotFound):
    """There is no such record, or not for this principal."""

    code = "records.not_found"

    def __init__(self) -> None:
        super().__init__(_("This record does not exist, or you cannot see it."))


class StaleVersion(Conflict):
    """The record was changed by somebody else in the meantime."""

    code = "records.stale_version"

    def __init__(self, *, present_version: int, differences: tuple[Difference, ...] = ()) -> None:
        super().__init__(
            _(
                "This record was changed in the meantime. Compare both values, "
                "then save again or keep the present ones."
            )
        )
        self.present_version = present_version
        self.differences = differences


class ValuesInvalid(Invalid):
    """Values do not have the form their fields ask for."""

    code = "records.values_invalid"


class KindUnknown(Invalid):
    """There is no kind of that name."""

    code = "records.kind_unknown"
