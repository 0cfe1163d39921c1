"""Credentials of outside systems: sealed, versioned, used without being shown."""
