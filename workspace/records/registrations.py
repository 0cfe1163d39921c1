"""All that records contribute to the registries."""
