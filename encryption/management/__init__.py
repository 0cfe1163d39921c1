"""Commands of the key store."""
