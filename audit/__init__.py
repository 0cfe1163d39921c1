"""Floor 3: the tamper-evident journal and what reads it for security."""
