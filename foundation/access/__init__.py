"""Permissions and the guards that ask for them."""
