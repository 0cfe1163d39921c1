"""Export of the journal to security monitoring."""
