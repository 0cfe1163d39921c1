"""Serializers that refuse what they do not know."""

from collections.abc import Mapping
from typing import Any, cast

from django.utils.translation import gettext as _
from rest_framework import serializers
from rest_framework.exceptions import ErrorDetail, ValidationError


class StrictSerializer(serializers.Serializer[Any]):
    """Shapes input and output; unknown and read-only members of the input are refused.

    A client that misspells a member learns it at once, instead of wondering later why nothing
    changed. Serializers never write: the view hands ``validated_data`` to a service.
    """

    def to_internal_value(self, data: object) -> dict[str, object]:
        """Return the checked values.

        Raises:
            ValidationError: with one entry per wrong member.
        """
        unknown = self._unknown(data)
        try:
            values = cast("dict[str, object]", super().to_internal_value(data))
        except ValidationError as error:
            if isinstance(error.detail, dict):
                raise ValidationError({**error.detail, **unknown}) from error
            raise
        if unknown:
            raise ValidationError(unknown)
        return values

    def _unknown(self, data: object) -> dict[str, list[ErrorDetail]]:
        if not isinstance(data, Mapping):
            return {}
        known = {name for name, field in self.fields.items() if not field.read_only}
        message = _("This member is not known here.")
        return {
            str(name): [ErrorDetail(message, code="unknown_member")]
            for name in data
            if name not in known
        }


class TextField(serializers.CharField):
    """A JSON string; numbers and truth values are not taken for text."""

    def to_internal_value(self, data: object) -> str:
        """Return the text as it came."""
        if not isinstance(data, str):
            self.fail("invalid")
        return str(super().to_internal_value(data))
