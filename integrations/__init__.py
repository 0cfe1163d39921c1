"""Floor 7: what connects an organisation to other systems."""
