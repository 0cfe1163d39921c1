"""The partner API of records."""
