"""Every write of privacy."""
