"""Floor 5: consent, subject requests, retention and records of processing."""
