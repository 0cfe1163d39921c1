"""Floor 6: what customers and partners work with."""
