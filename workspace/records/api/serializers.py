"""Shapes of the API of records; the services read and judge the values."""

from rest_framework import serializers

from foundation.rest.serializers import StrictSerializer, TextField
from workspace.records.types import RecordState, Visibility

MAX_VALUE_CHARACTERS = 10_000
MAX_CODE_CHARACTERS = 40


class ValuesField(serializers.DictField):
    """Texts by field code."""

    def __init__(self, **options: object) -> None:
        child = TextField(max_length=MAX_VALUE_CHARACTERS, allow_blank=True, trim_whitespace=False)
        super().__init__(child=child, **options)  # type: ignore[arg-type]  # DRF's own options


class NewRecord(StrictSerializer):
    """A record to be created."""

    kind = TextField(max_length=MAX_CODE_CHARACTERS)
    values = ValuesField(help_text="Texts by field code.")


class RecordChange(StrictSerializer):
    """Values to be changed."""

    values = ValuesField(
        allow_empty=False,
        help_text="Texts by field code; an empty text takes a value away, others stay.",
    )


class SavedRecord(StrictSerializer):
    """The thin answer of a write."""

    id = serializers.UUIDField()
    state = serializers.ChoiceField(choices=RecordState.choices)
    version = serializers.IntegerField()


class RecordBody(StrictSerializer):
    """A record as its reader may see it."""

    id = serializers.UUIDField()
    kind = serializers.CharField()
    state = serializers.ChoiceField(choices=RecordState.choices)
    visibility = serializers.ChoiceField(choices=Visibility.choices)
    version = serializers.IntegerField()
    created_at = serializers.DateTimeField()
    updated_at = serializers.DateTimeField()
    values = serializers.DictField(child=serializers.CharField())


class RecordPage(StrictSerializer):
    """One page of a list."""

    data = RecordBody(many=True)  # type: ignore[assignment]  # the API's word, not DRF's property
    next = serializers.CharField(allow_null=True, help_text="Cursor of the next page.")
