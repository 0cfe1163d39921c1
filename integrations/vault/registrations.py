"""All that the vault contributes to the registries."""
