"""The type of words shown to people: plain, or translated when they are rendered."""

from typing import TypeAlias

from django.utils.functional import Promise

Text: TypeAlias = str | Promise
