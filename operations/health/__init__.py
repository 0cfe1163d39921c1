"""Health checks, set-up and self-check."""
