"""Feature flags: registered with a default, a first version and a date to be removed."""

from dataclasses import dataclass

from foundation.registry import Registry


@dataclass(frozen=True, slots=True)
class Feature:
    """A switch for something that is not yet for everybody.

    Attributes:
        code: name in settings, ``FEATURES``.
        default: state without a setting.
        since: version that brought it.
        remove_after: version after which the flag is overdue, which fails a test.
    """

    code: str
    default: bool
    since: str
    remove_after: str


features: Registry[Feature] = Registry("feature flags", key=lambda feature: feature.code)
