"""Django settings, read once from typed environment readers."""
