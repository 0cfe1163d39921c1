"""Everything the app contributes to registries."""

from encryption import checks

checks.register_all()
