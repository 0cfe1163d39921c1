"""Everything the app contributes to registries."""

from encryption import checks, signals

__all__ = ["signals"]  # importing them connects them

checks.register_all()
